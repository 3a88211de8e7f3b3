# man.awk - manual pages made from the public header:
#
#   awk -v dir=DIR -v version=V -f man.awk include/trygon/types.h \
#       include/trygon/trygon.h
#
# writes DIR/trygon.7 and, for each function, DIR/NAME.3, and fails when the
# header has a function that it could not find a page for.
#
# How it reads.  Lines without an empty one between them are a group: comments,
# what they are about, and one page.  A group that says nothing of its own, or
# begins with "The same", goes to the page before.  What only defines something
# (a structure, a callback's type) waits for the next page, and is shown on
# each page whose functions name it.

# ----- text for troff ---------------------------------------------------------

function troff(s)
{
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    if (s ~ /^[.']/)
        s = "\\&" s
    return s
}

# A comment's text: empty lines part paragraphs, indented lines stay as they
# are.
function put_text(file, text,    n, line, i, asis, wants)
{
    n = split(text, line, "\n")
    asis = 0
    for (i = 1; i <= n; i++) {
        wants = line[i] ~ /^  /
        if (wants && !asis)
            print ".PP\n.nf" >file
        if (!wants && asis)
            print ".fi" >file
        asis = wants
        if (line[i] == "")
            print ".PP" >file
        else
            print troff(line[i]) >file
    }
    if (asis)
        print ".fi" >file
}

function put_code(file, text)
{
    gsub(/\n+$/, "", text)
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/\n[.']/, "\n\\\\\\&", text)
    print ".nf\n" text "\n.fi" >file
}

# What a comment says before "Errors:", and after it.
function before_errors(text)
{
    sub(/(^|[ \n])Errors:(.|\n)*$/, "", text)
    return text
}

function after_errors(text)
{
    return match(text, /(^|[ \n])Errors:/) ? \
        substr(text, RSTART + RLENGTH + 1) : ""
}

# The first sentence, for the line that apropos shows.
function summary(text)
{
    text = before_errors(text)
    sub(/\n\n(.|\n)*/, "", text)
    gsub(/\n/, " ", text)
    sub(/[.:;]( .*)?$/, "", text)
    sub(/ \([^)]*$/, "", text) # the stop was within brackets
    return tolower(substr(text, 1, 1)) substr(text, 2)
}

# ----- pages --------------------------------------------------------------------

function new_page()
{
    npages++
    names[npages] = ""
    section[npages] = current_section
    nitems[npages] = 0
    defs[npages] = pending
    pending = ""
}

# An item of the page: a comment (or none) and the functions behind it.
function add_item(text, prototypes, functions,    i, n, f)
{
    i = ++nitems[npages]
    item_text[npages, i] = text
    item_code[npages, i] = prototypes
    item_names[npages, i] = functions
    n = split(functions, f, " ")
    for (i = 1; i <= n; i++) {
        names[npages] = names[npages] " " f[i]
        page_of[f[i]] = npages
        nfound += f[i] !~ /^[A-Z]/ && !(f[i] in is_macro)
    }
}

function end_group(    i, own)
{
    if (g_functions == "") { # defines something, for the pages to come
        if (g_code != "" && g_n == 0)
            pending = pending g_code "\n"
    } else {
        own = before_errors(g_text[1])
        if (npages == 0 || section[npages] != current_section ||
            (own != "" && own !~ /^The same/) || pending != "" ||
            g_names[1] ~ /_opts_init /)
            new_page()
        for (i = 1; i <= g_n; i++)
            add_item(g_text[i], g_proto[i], g_names[i])
    }
    g_n = 0
    g_functions = g_code = ""
    for (i in g_text)
        delete g_text[i]
}

# ----- what the header declares ---------------------------------------------------

# The item that the next declaration belongs to: a comment begins one.
function begin_item(text)
{
    g_n++
    g_text[g_n] = text
    g_proto[g_n] = g_names[g_n] = ""
}

function declare(code, name)
{
    if (g_n == 0 || g_names[g_n] == "" && g_proto[g_n] != "")
        begin_item("")
    g_proto[g_n] = g_proto[g_n] code "\n"
    g_names[g_n] = g_names[g_n] (g_names[g_n] == "" ? "" : " ") name
    g_functions = g_functions " " name
}

function define(code, name)
{
    if (name != "") {
        ndefs++
        def_name[ndefs] = name
        def_code[ndefs] = (last_comment != "" ? last_comment "\n" : "") code
    } else {
        g_code = g_code code "\n"
    }
}

function take_code(    name, s)
{
    s = code
    code = ""
    if (s ~ /^#define trygon_/) { # a macro in a function's clothes
        name = s
        sub(/^#define /, "", name)
        sub(/\(.*/, "", name)
        is_macro[name] = 1
        gsub(/[ \t]*\\\n.*$/, "", s)
        sub(/^#define /, "int ", s)
        sub(/\(o_\).*/, "(" name_of_opts(name) " *opts);", s)
        declare(s, name)
    } else if (s ~ /^TRYGON_API/) {
        name = s
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
        sub(/^TRYGON_API /, "", s)
        sub(/ TRYGON_PRINTF\(.*\)/, "", s)
        gsub(/\n */, "\n    ", s)
        declare(s, name)
    } else if (s ~ /^typedef [^({]*\(\*/) {
        name = s
        sub(/^[^(]*\(\*/, "", name)
        sub(/\).*/, "", name)
        define(s, name)
    } else if (s ~ /^typedef struct .*{/) {
        name = s
        sub(/;[ \n]*$/, "", name)
        sub(/.*} /, "", name)
        define(s, name)
    } else if (s ~ /^enum [a-z_]+ {/) {
        name = s
        sub(/ {.*/, "", name)
        sub(/\n.*/, "", name)
        define(s, name)
    } else if (s ~ /^#define TRYGON_ANY_CODE|^enum {/) {
        define(s, "")
    }
}

function name_of_opts(macro)
{
    sub(/_init$/, "_t", macro)
    return macro
}

function end_comment(    s)
{
    s = comment
    in_comment = 0
    last_comment = raw_comment
    if (s ~ /^-----/) { # a banner: number and title of a section
        sub(/^-+\n/, "", s)
        sub(/\n-+ *$/, "", s)
        if (s ~ /^[0-9]+  /)
            sub(/^[0-9]+  /, "", s)
        current_section = s
        last_comment = ""
    } else if (!seen_guard) {
        if (s ~ /^trygon\.h/)
            overview = s
    } else {
        begin_item(s)
    }
}

FNR == 1 { seen_guard = 0 }
/^#ifndef/ { seen_guard = 1 }
/^TRYGON_API/ { nwanted++ }
/^ +X_\(/ { # a code
    s = $0
    gsub(/^ +X_\(|\) *\\?$/, "", s)
    split(s, part, /, /)
    sub(/^[^"]*"/, "", s)
    sub(/".*/, "", s)
    codes = codes sprintf("  TRYGON_ERR_%-14s %4d  %s\n", part[1], part[2], s)
    next
}

in_comment {
    raw_comment = raw_comment "\n" $0
    line = $0
    done = line ~ /\*\//
    sub(/ *\*\/.*/, "", line)
    sub(/^ \* ?/, "", line)
    if (!(done && line == ""))
        comment = comment "\n" line
    if (done)
        end_comment()
    next
}
/^\/\*/ {
    raw_comment = $0
    comment = $0
    sub(/^\/\* ?/, "", comment)
    in_comment = 1
    if (comment ~ /\*\//) {
        sub(/ *\*\/.*/, "", comment)
        end_comment()
    }
    next
}
code == "" && /^$/ {
    end_group()
    last_comment = ""
    next
}
code == "" && /^(#if|#endif|#else|#include|extern|\}|static)/ {
    skipping = /^static/ # an inline function, to its closing brace
    next
}
skipping {
    if (/^}/)
        skipping = 0
    next
}
{
    code = code (code == "" ? "" : "\n") $0
    if (code ~ /^#/ ? $0 !~ /\\$/ : \
        code ~ /{/ ? $0 ~ /^}|{.*};/ : $0 ~ /;/) {
        take_code()
        last_comment = ""
    }
}

# ----- writing ----------------------------------------------------------------------

function head(file, title, number)
{
    print ".\\\" Made from the public header by tools/man.awk." >file
    print ".TH " toupper(title) " " number " \"\" \"trygon " version \
        "\" \"trygon\"" >file
}

function mentions(text, name)
{
    return text ~ ("(^|[^A-Za-z0-9_])" name "($|[^A-Za-z0-9_])")
}

# The structures that the page's functions name, and what these name.
function structures(p,    i, text, all, shown, n)
{
    text = ""
    for (i = 1; i <= nitems[p]; i++)
        text = text item_code[p, i]
    all = defs[p]
    n = 0
    for (i = ndefs; i > 0; i--) { # outer ones come after inner ones
        if (mentions(text, def_name[i])) {
            text = text "\n" def_code[i]
            shown[i] = 1
        }
    }
    for (i = 1; i <= ndefs; i++)
        if (i in shown)
            all = all (all == "" ? "" : "\n") def_code[i] "\n"
    return all
}

function write_page(p,    file, n, f, i, s, m, first)
{
    n = split(names[p], f, " ")
    first = f[1]
    file = dir "/" first ".3"
    head(file, first, 3)
    s = summary(item_text[p, 1])
    if (s == "")
        s = first ~ /_opts_init$/ ? "fill in the defaults" : \
            tolower(substr(section[p], 1, 1)) substr(section[p], 2)
    m = ""
    for (i = 1; i <= n; i++)
        m = m (i > 1 ? ", " : "") f[i]
    print ".SH NAME\n" m " \\- " troff(s) >file
    print ".SH SYNOPSIS\n.nf\n#include <trygon/trygon.h>" >file
    for (i = 1; i <= nitems[p]; i++) {
        s = item_code[p, i]
        if (s != "")
            put_code(file, "\n" s)
    }
    print ".fi\n.SH DESCRIPTION" >file
    s = 0
    for (i = 1; i <= nitems[p]; i++)
        s += item_text[p, i] != ""
    for (i = 1; i <= nitems[p]; i++) {
        if (item_text[p, i] == "")
            continue
        if (s > 1) {
            m = item_names[p, i]
            gsub(/ /, ", ", m)
            print (i == 1 ? "" : ".SS " m) >file
            put_text(file, item_text[p, i])
        } else {
            put_text(file, before_errors(item_text[p, i]))
            if (after_errors(item_text[p, i]) != "") {
                print ".SH ERRORS" >file
                put_text(file, after_errors(item_text[p, i]))
            }
        }
    }
    if (s == 0)
        print "See below, and\n.BR trygon (7)." >file
    m = structures(p)
    if (m != "") {
        print ".SH TYPES" >file
        put_code(file, m)
    }
    m = ""
    for (i = 1; i <= nitems[p]; i++)
        m = m "\n" item_code[p, i]
    if (m ~ /\nint /) {
        print ".SH RETURN VALUE" >file
        print "TRYGON_SUCCESS (0) or a negative TRYGON_ERR_ code, of" >file
        print "which\n.BR trygon_last_error (3)\ntells more." >file
    }
    print ".SH SEE ALSO\n.BR trygon (7)" >file
    close(file)
    for (i = 2; i <= n; i++) {
        file = dir "/" f[i] ".3"
        print ".so man3/" first ".3" >file
        close(file)
    }
}

function write_overview(    file, p, i, n, f, last)
{
    file = dir "/trygon.7"
    head(file, "trygon", 7)
    print ".SH NAME\ntrygon \\- tasks, objects and references over MPI" >file
    print ".SH SYNOPSIS\n.nf\n#include <trygon/trygon.h>\n" >file
    put_code(file, "mpicc program.c $(pkg-config --cflags --libs trygon)")
    print ".fi\n.SH DESCRIPTION" >file
    sub(/^[^\n]*\n+/, "", overview)
    put_text(file, overview)
    print ".SH FUNCTIONS" >file
    for (p = 1; p <= npages; p++) {
        if (section[p] != last)
            print ".SS " section[p] >file
        last = section[p]
        n = split(names[p], f, " ")
        for (i = 1; i <= n; i++)
            if (f[i] !~ /_sized$/)
                print ".BR " f[i] " (3)\n.br" >file
    }
    print ".SH ERRORS" >file
    put_text(file, codes)
    close(file)
}

END {
    end_group()
    for (p = 1; p <= npages; p++)
        write_page(p)
    write_overview()
    if (nwanted == 0 || nfound != nwanted) {
        printf "man.awk: %d functions declared, %d found\n", nwanted, nfound
        exit 1
    }
}
