#!/bin/sh
# Runs every example alone and on three ranks, and compares what it prints with
# the file beside this one.
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failures=0

# check NAME HOW COMMAND...
check()
{
    name=$1 how=$2
    shift 2
    if "$@" >"$work/out" 2>"$work/err" &&
        diff -u "$top_srcdir/tests/examples/$name.out" "$work/out"; then
        echo "ok: $name $how"
    else
        echo "FAILED: $name $how"
        cat "$work/err"
        failures=$((failures + 1))
    fi
}

for name in errors hello nested wait; do
    program=$top_builddir/jobs/examples/$name
    [ -x "$program" ] || {
        echo "FAILED: no program $program"
        exit 1
    }
    check $name alone "$program"
    check $name 'on three ranks' \
        sh "$top_srcdir/tests/run_mpi.sh" -n 3 "$program"
done
exit $((failures != 0))
