#!/bin/sh
# Checks that the layers of src/ are what they claim to be:
#  - a file includes its own layer and lower ones only;
#  - the pure layers (core, wire) include plain C headers, and their objects
#    need nothing from outside but what is on the list below;
#  - each third-party library is called from its one place.
# It looks at what was built, so it fails when nothing was.
set -u
LC_ALL=C
export LC_ALL
src=${top_srcdir:-.}/src
libs=${top_builddir:-.}/.libs
nm=${NM:-nm}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
bad=0

complain()
{
    echo "layers: $*" >&2
    bad=1
}

# What each layer may include, itself apart.
below()
{
    case $1 in
    base) ;;
    core) echo base ;;
    wire | net | topo | store) echo base core ;;
    exec) echo base core wire net topo store ;;
    rank) echo base core wire net topo store exec ;;
    api) echo base core wire net topo store exec rank ;;
    *) return 1 ;;
    esac
}

is_pure()
{
    [ "$1" = core ] || [ "$1" = wire ]
}

# --- includes ----------------------------------------------------------------

own_include() # file layer included
{
    case $3 in
    ../* | */../*) complain "$1 includes \"$3\": name the layer instead" ;;
    trygon/*) system_include "$@" ;;
    config.h) ! is_pure "$2" || complain "$1 includes config.h" ;;
    */*)
        case " $2 $(below "$2") " in
        *" ${3%%/*} "*) ;;
        *) complain "$1 includes \"$3\": $2 may not use ${3%%/*}" ;;
        esac
        ;;
    *) [ -e "$src/$2/$3" ] || complain "$1 includes \"$3\", which is not in $2" ;;
    esac
}

system_include() # file layer included
{
    case $3 in
    mpi.h) case $2 in net | rank | api) return ;; esac ;;
    trygon/types.h) return ;;
    trygon/*) case $2 in rank | api) return ;; esac ;;
    hwloc.h | hwloc/*) [ "$2" != topo ] || return ;;
    hdf5.h | H5*) [ "$2" != store ] || return ;;
    inttypes.h | limits.h | stdalign.h | stdarg.h | stdbool.h | stddef.h | \
    stdint.h | stdio.h | stdlib.h | stdnoreturn.h | string.h | \
    uthash.h | utlist.h) return ;;
    *) is_pure "$2" || return ;;
    esac
    complain "$1 includes <$3>: not for $2"
}

nfiles=0
for file in "$src"/*/*.[ch]; do
    [ -e "$file" ] || continue
    nfiles=$((nfiles + 1))
    layer=$(basename "$(dirname "$file")")
    if ! below "$layer" >/dev/null; then
        complain "$file: src/$layer is not a layer that I know"
        continue
    fi
    # Each include as "kind name", where kind is the opening mark.
    sed -n 's/^[ \t]*#[ \t]*include[ \t]*\(["<]\)\([^">]*\).*/\1 \2/p' \
        "$file" >"$tmp/includes"
    while read -r kind name; do
        if [ "$kind" = '"' ]; then
            own_include "$file" "$layer" "$name"
        else
            system_include "$file" "$layer" "$name"
        fi
    done <"$tmp/includes"
done
[ $nfiles -gt 0 ] || complain "found no source file in $src"

# --- objects -----------------------------------------------------------------

# Symbols of an archive, one "member symbol" a line: those that it defines for
# others, and those that it wants (weak ones too).
defined() # archive
{
    $nm -g "$1" | awk '/:$/ { member = $1 }
        NF == 3 && $2 ~ /^[A-TV-Z]$/ { print member, $3 }'
}

wanted() # archive
{
    $nm -u "$1" | awk '/:$/ { member = $1 }
        NF == 2 && $1 ~ /^[Uvw]$/ { print member, $2 }'
}

for dir in "$src"/*/; do
    layer=$(basename "$dir")
    set -- "$dir"*.c
    [ -e "$1" ] || continue
    archive=$libs/libtg$layer.a
    if [ ! -e "$archive" ]; then
        complain "no $archive: build before you look"
        continue
    fi
    defined "$archive" >"$tmp/$layer.defined"
    wanted "$archive" >"$tmp/$layer.wanted"
    [ -s "$tmp/$layer.defined" ] || complain "$archive defines nothing"

    while read -r member symbol; do
        case $layer/$member:$symbol in
        net/*net_mpi.o::MPI_*) ;;
        *:MPI_*Send | *:MPI_*send | *:MPI_*Recv | *:MPI_*recv | \
        *:MPI_Sendrecv* | *:MPI_*Probe | *:MPI_*probe | *:MPI_Test* | \
        *:MPI_Wait* | *:MPI_Start* | *:MPI_*_init | *:MPI_Cancel)
            complain "$layer/$member calls $symbol: only net/net_mpi.c may" ;;
        topo/*:hwloc_* | store/*spill_hdf5.o::H5*) ;;
        *:hwloc_*) complain "$layer/$member calls $symbol: only topo may" ;;
        *:H5*) complain "$layer/$member calls $symbol: only store/spill_hdf5.c may" ;;
        esac
    done <"$tmp/$layer.wanted"
done

# What a pure layer may need from the C library, the compiler and tools that
# instrument code.  No clock, file, lock, thread, locale or random number.
# utlist calls assert, and clang makes bcmp of some memcmp.
cat >"$tmp/allowed" <<'END'
^(mem(cpy|move|set|cmp|chr)|bcmp)$
^str(len|nlen|cmp|ncmp|cpy|ncpy|chr|rchr|str|spn|cspn|pbrk)$
^(calloc|malloc|realloc|aligned_alloc|free|abort|qsort|bsearch|v?snprintf)$
^__(mem(cpy|move|set)|str(cpy|ncpy)|v?snprintf)_chk$
^__stack_chk_(fail|guard)$
^__assert_fail$
^__(u?(div|mod)ti3|multi3|popcountdi2|clzdi2|ctzdi2)$
^_GLOBAL_OFFSET_TABLE_$
^__(asan|lsan|ubsan|tsan|sanitizer|gcov|llvm_gcov|llvm_profile)_
^__(start|stop)_+(asan|sancov|llvm)
END

for layer in core wire; do
    [ -s "$tmp/$layer.defined" ] || {
        complain "found no object of $layer to look at"
        continue
    }
    # Its own symbols and those of lower layers, except what base keeps for
    # others: settings read the environment, shm is shared memory.
    for lower in $layer $(below $layer); do
        cat "$tmp/$lower.defined" 2>/dev/null
    done | grep -Ev '(settings|shm)\.o: ' | awk '{ print $2 }' >"$tmp/own"
    awk '{ print $2 }' "$tmp/$layer.wanted" | sort -u |
        grep -Fxv -f "$tmp/own" | grep -Ev -f "$tmp/allowed" >"$tmp/outside"
    while read -r symbol; do
        complain "$layer needs $symbol, which is not for a pure layer"
    done <"$tmp/outside"
done

[ $bad -ne 0 ] || echo "layers: $nfiles files"
exit $bad
