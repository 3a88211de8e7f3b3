#!/bin/sh
# Do the tests of the virtual cluster notice a broken rule?  Each patch here
# breaks one; it is applied to a copy of the sources, and then a story, a random
# world, or a test of what they hardly look at (test_dir, test_store_*) must
# fail.  A patch that no longer applies, or whose bug nobody notices, fails this
# script.
#     run.sh [NN...]     only these
#   CC, MUTANT_CFLAGS (-O1), MUTANT_WORLDS (200), CUNIT_CFLAGS, CUNIT_LIBS
#   MUTANT_CPU_S (60) of processor time, or 15 times as long, are a hang
set -u
LC_ALL=C
export LC_ALL
top=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd) || exit 99
compiler=${CC:-cc}
flags="-std=c11 -D_GNU_SOURCE -w ${MUTANT_CFLAGS:--O1} ${CUNIT_CFLAGS:-}"
cunit=${CUNIT_LIBS:--lcunit}
worlds=${MUTANT_WORLDS:-200}
limit=${MUTANT_CPU_S:-60}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

sources()
{
    (cd "$1" && ls src/base/mem.c src/base/region.c src/base/slab.c \
        src/core/*.c src/wire/*.c src/rank/post.c src/net/net_sim.c tests/sim/*.c \
        tests/core/test_dir.c tests/core/test_store_room.c \
        tests/core/test_store_node.c tests/core/fixture.c)
}

# Compile what is newer than its object; all when a header has changed.
build() # tree
{
    (
        cd "$1" || exit 1
        mkdir -p obj
        stale=no
        [ -z "$(find src tests -name '*.h' -newer obj/stamp 2>&1)" ] ||
            stale=yes
        for file in $(sources .); do
            object=obj/$(echo "$file" | tr / _).o
            [ $stale = yes ] || [ ! -e "$object" ] ||
                [ "$file" -nt "$object" ] || continue
            $compiler $flags -Iinclude -Isrc -c "$file" -o "$object" || exit 1
        done
        touch obj/stamp
        world=$(ls obj/*.o | grep -v 'sim_random\|sim_stor[iy]\|sim_bench\|tests_core')
        part=$(ls obj/src_base*.o obj/src_core*.o obj/tests_core_fixture*.o)
        for test in test_dir test_store_room test_store_node; do
            $compiler $flags $part obj/tests_core_$test.c.o -o $test $cunit ||
                exit 1
        done
        $compiler $flags $world obj/tests_sim_random.c.o -o sim_random &&
            $compiler $flags $world obj/tests_sim_stor[iy]*.o -o sim_stories
    )
}

# 0 when all is well, else what the program said last is in the log.
try() # tree
{
    (
        cd "$1" && ulimit -c 0 && ulimit -t "$limit" || exit 1
        timeout "$limit" ./test_dir >log 2>&1 &&
            timeout "$limit" ./test_store_room >log 2>&1 &&
            timeout "$limit" ./test_store_node >log 2>&1 || exit 1
        timeout "$((limit * 15))" ./sim_stories >log 2>&1 &&
            timeout "$((limit * 15))" ./sim_random --worlds "$worlds" >log 2>&1
    )
}

copy() # tree
{
    mkdir -p "$1/tests" &&
        cp -Rp "$top/src" "$top/include" "$1" &&
        cp -Rp "$top/tests/sim" "$top/tests/core" "$1/tests" &&
        cp -p "$top/tests/cunit_main.h" "$1/tests"
}

copy "$work/good" && build "$work/good" || {
    echo "mutants: the sources do not build" >&2
    exit 99
}
if ! try "$work/good"; then
    tail -n 3 "$work/good/log" >&2
    echo "mutants: the sources themselves fail" >&2
    exit 1
fi

n=0
bad=0
complain()
{
    echo "mutants: $*" >&2
    bad=$((bad + 1))
}

for patch in "$top"/tests/mutants/*.patch; do
    [ -e "$patch" ] || break
    name=$(basename "$patch" .patch)
    case " ${*:-${name%%-*}} " in
    *" ${name%%-*} "*) ;;
    *) continue ;;
    esac
    n=$((n + 1))
    tree=$work/mutant
    rm -rf "$tree"
    cp -Rp "$work/good" "$tree" || exit 99
    if ! (cd "$tree" && patch -p1 -s -f) <"$patch" >"$work/said" 2>&1; then
        complain "$name does not apply"
    elif ! build "$tree" >"$work/said" 2>&1; then
        complain "$name does not build"
    elif try "$tree"; then
        complain "$name was not noticed"
    else
        said=$(grep -E '^(sim|trygon): |went another|^ +1\. tests/' "$tree/log" |
            grep -v 'see it again' | head -n 1 | cut -c 1-100)
        echo "$name: ${said:-it crashed, or hung}"
    fi
done
[ "$n" -gt 0 ] || complain "no patch was tried"
echo "$n mutants, $bad not noticed or broken"
[ "$bad" -eq 0 ]
