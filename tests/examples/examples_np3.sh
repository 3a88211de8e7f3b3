#!/bin/sh
# Runs every example alone and on three ranks, and compares what it prints with
# the file beside this one.  Skipped (77) where the ranks cannot be started.
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failures=0
skipped=0

# check NAME HOW [ARGUMENTS OF run_mpi.sh]
check()
{
    name=$1 how=$2
    shift 2
    sh "$top_srcdir/tests/run_mpi.sh" "$@" \
        "$top_builddir/jobs/examples/$name" >"$work/out" 2>"$work/err"
    status=$?
    if [ $status = 77 ]; then
        echo "skipped: $name $how"
        skipped=$((skipped + 1))
    elif [ $status = 0 ] &&
        diff -u "$top_srcdir/tests/examples/$name.out" "$work/out"; then
        echo "ok: $name $how"
    else
        echo "FAILED: $name $how, status $status"
        cat "$work/err"
        failures=$((failures + 1))
    fi
}

for name in errors hello nested wait seed_actor seed_actor_generator \
    seed_async seed_cancel seed_close seed_generator seed_names seed_nested \
    seed_object seed_pool seed_task seed_wait spill; do
    [ -x "$top_builddir/jobs/examples/$name" ] || {
        echo "FAILED: no program $top_builddir/jobs/examples/$name"
        exit 1
    }
    check $name alone
    check $name 'on three ranks' -n 3
done
[ $failures = 0 ] || exit 1
[ $skipped = 0 ] || exit 77
