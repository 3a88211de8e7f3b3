#!/bin/sh
# Runs one program: NAME_npN under mpirun on N ranks, any other name directly.
# Where NAME_npN is an empty file, the program is NAME.
# This is how make check runs a test; "-n N" before the program gives the
# number of ranks to a program of any name.
#   TEST_WRAPPER   put before the program, such as "valgrind -q"
#   MPIRUN         the launcher (default: mpirun, then mpiexec, from the path)
#   MPIRUN_FLAGS   more flags for it
#   TEST_TIMEOUT_S seconds that the program may take (default 120; 0: no limit)
#   TG_QUICK=1     skip (77) the tests on more than two ranks and the simulation
#   TG_RANKS       skip those on other numbers of ranks than these, as in "1 3"
# The exit status is the program's own; 124 means that it hung.
set -u
nranks=
if [ "$1" = -n ]; then
    nranks=$2
    shift 2
fi
program=$1
shift
name=${program##*/}
case $nranks$name in
*_np[0-9]*) nranks=${name##*_np} ;;
esac
[ -s "$program" ] || program=${program%_np*}

if [ "${TG_QUICK:-0}" = 1 ]; then
    case $program in
    *tests/sim/*) exit 77 ;;
    esac
    TG_RANKS="1 2"
fi
case " ${TG_RANKS:-${nranks:-1}} " in
*" ${nranks:-1} "*) ;;
*) exit 77 ;;
esac

limit=${TEST_TIMEOUT_S:-120}
[ "$limit" = 0 ] && limit= || limit="timeout -k 10 $limit"

# A wrapper must see the real program, not libtool's script around it.
execute=
if [ -n "${TEST_WRAPPER:-}" ] && [ -x "${top_builddir:-.}/libtool" ]; then
    execute="${top_builddir:-.}/libtool --mode=execute"
fi

# What leaks on four ranks does so alone or on three: to look, and to remember
# well where memory came from, takes seconds a rank.
case ${nranks:-1} in
1 | 3) ;;
*)
    [ -z "${ASAN_OPTIONS:-}" ] ||
        export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0:fast_unwind_on_malloc=1"
    ;;
esac

if [ -z "$nranks" ]; then
    exec $limit $execute ${TEST_WRAPPER:-} "$program" "$@"
fi

launch=${MPIRUN:-$(command -v mpirun || command -v mpiexec)} || {
    echo "run_mpi.sh: no mpirun here, $name skipped" >&2
    exit 77
}

# By the environment, which an MPI of another kind does not mind: Open MPI up
# to 4, Open MPI 5.  Unbound, since tests run side by side and would all be
# bound to core 0; ranks that share a core must not spin on it.
export OMPI_MCA_rmaps_base_oversubscribe=1
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
export OMPI_MCA_hwloc_base_binding_policy=none
export PRTE_MCA_hwloc_default_binding_policy=none
[ "$nranks" -le "$(nproc)" ] || export OMPI_MCA_mpi_yield_when_idle=1
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

exec $limit $execute $launch ${MPIRUN_FLAGS:-} -n "$nranks" \
    ${TEST_WRAPPER:-} "$program" "$@"
