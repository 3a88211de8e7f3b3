#!/bin/sh
# Checks that every header compiles alone, and twice in a row: those of src/ as
# C11 with the flags of their layer, the public one also as C++11.
set -u
top=${top_srcdir:-.}
cc="${CC:-cc} -fsyntax-only -Werror"
warn=${WARN_CFLAGS:--Wall -Wextra -Wpedantic}
cxx=${CXX_CHECK:-}
bad=0

# The input is a source file of two includes, so that a header without a guard
# is found too; the last line is there since C forbids an empty file.
try() # header, language, compiler and flags
{
    name=$1
    language=$2
    shift 2
    printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' \
        "$name" "$name" | "$@" - || {
        echo "headers: $name does not stand alone as $language" >&2
        bad=1
    }
}

nsrc=0
for header in "$top"/src/*/*.h; do
    [ -e "$header" ] || continue
    nsrc=$((nsrc + 1))
    name=${header#"$top"/src/}
    case $name in
    core/* | wire/*) flags= ;;
    net/* | rank/* | api/*) flags="-D_GNU_SOURCE ${MPI_CPPFLAGS:-}" ;;
    *) flags=-D_GNU_SOURCE ;;
    esac
    try "$name" C11 $cc -x c -std=c11 $warn -I"$top/src" -I"$top/include" $flags
done
[ $nsrc -gt 0 ] || { echo "headers: none in $top/src" >&2; bad=1; }

npublic=0
for header in "$top"/include/*/*.h; do
    [ -e "$header" ] || continue
    npublic=$((npublic + 1))
    name=${header#"$top"/include/}
    flags="-Wall -Wextra -Wpedantic -I$top/include ${MPI_CPPFLAGS:-}"
    try "$name" C11 $cc -x c -std=c11 $flags
    if [ -n "$cxx" ]; then
        try "$name" C++11 "$cxx" -fsyntax-only -Werror -x c++ -std=c++11 $flags
    else
        echo "headers: no C++ compiler, $name not tried as C++11"
    fi
done
[ $npublic -gt 0 ] || { echo "headers: none in $top/include" >&2; bad=1; }

[ $bad -ne 0 ] || echo "headers: $nsrc internal, $npublic public"
exit $bad
