# programs.sh - what the scripts that run whole programs have in common; sourced.
#
# `started COMMAND...` leaves its exit status in $status and what it printed in
# $work/out and $work/err.  `fail WORDS` notes a failure and goes on; end with
# `finish`.
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
failures=0
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

started()
{
    "$@" >"$work/out" 2>"$work/err"
    status=$?
    if [ "$status" = 77 ]; then
        echo "skipped: run_mpi.sh starts nothing here"
        exit 77
    fi
}

fail()
{
    echo "FAILED: $*"
    head -n 20 "$work/out" | sed 's/^/    out: /'
    head -n 20 "$work/err" | sed 's/^/    err: /'
    failures=$((failures + 1))
}

finish()
{
    [ "$failures" -eq 0 ] && echo "all good" && exit 0
    echo "$failures failed"
    exit 1
}
