# coast_lib.sh - what the scripts that run coast have in common; sourced.
#
#   COAST         the program; default: where the build puts it
#   COAST_LAUNCH  how to start it on several ranks; default: run_mpi.sh -n 3
#
# `run ARGUMENTS` leaves the exit status in $status and what was printed in
# $work/out and $work/err.  `fail WORDS` notes a failure and goes on; end with
# `finish`.

top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
coast=${COAST:-$top_builddir/jobs/apps/coast/coast}
launch=${COAST_LAUNCH-sh $top_srcdir/tests/run_mpi.sh -n 3}
data=${TRYGON_GSHHG_DIR:-/usr/share/gmt-gshhg}
failures=0

[ -x "$coast" ] || {
    echo "skipped: no program $coast"
    exit 77
}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# need_data LETTER: skip the whole test without that shoreline.
need_data()
{
    [ -f "$data/binned_GSHHS_$1.nc" ] || {
        echo "skipped: no $data/binned_GSHHS_$1.nc"
        exit 77
    }
}

run()
{
    $launch "$coast" "$@" >"$work/out" 2>"$work/err"
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

# value LABEL FIELD: a number from the results on standard output.
value()
{
    awk -v label="$1" -v field="$2" '$1 == label { print $field }' "$work/out"
}

# holds EXPRESSION: whether an arithmetic comparison is true.
holds()
{
    awk "BEGIN { exit !($1) }"
}

finish()
{
    [ "$failures" -eq 0 ] && echo "all good" && exit 0
    echo "$failures failed"
    exit 1
}
