#!/bin/sh
# Checks the names that we put into other people's programs: the shared library
# shows trygon_* only, and the static one defines trygon_* and tg_* only.
set -u
LC_ALL=C
export LC_ALL
libs=${top_builddir:-.}/.libs
nm=${NM:-nm}
bad=0

# Reads symbols; fails when there is none, or one that does not match.
judge() # what pattern
{
    awk -v what="$1" -v pattern="$2" '
        $0 !~ pattern { print "symbols: " what " has " $0; bad = 1 }
        $0 ~ pattern { n++ }
        END {
            if (!n) { print "symbols: " what " has none of ours"; bad = 1 }
            if (!bad) print "symbols: " what ": " n
            exit bad
        }'
}

# Absolute symbols (A) are the names of versions.
if [ -n "${TG_SHARED:-}" ]; then
    $nm -D --defined-only "$libs/libtrygon.so" |
        awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        judge libtrygon.so '^trygon_' || bad=1
fi

# The layers rather than libtrygon.a, which a shared build does not have.
# The sanitizers add names of their own.
found=no
for archive in "$libs"/libtg*.a; do
    [ -e "$archive" ] || continue
    found=yes
    $nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' |
        grep -Ev '^__(odr_)?(asan|tsan|ubsan|gcov|llvm)' |
        judge "${archive##*/}" '^(trygon|tg)_' || bad=1
done
[ $found = yes ] || { echo "symbols: no library in $libs" >&2; bad=1; }
exit $bad
