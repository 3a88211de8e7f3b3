# coast_lib.sh - what the scripts that run coast have in common; sourced.
#
#   COAST         the program; default: where the build puts it
#   COAST_LAUNCH  how to start it on several ranks; default: run_mpi.sh -n 3
#
# `run ARGUMENTS` starts it; see tests/programs.sh.
. "${top_srcdir:-.}/tests/programs.sh"
coast=${COAST:-$top_builddir/jobs/apps/coast/coast}
launch=${COAST_LAUNCH-sh $top_srcdir/tests/run_mpi.sh -n 3}
data=${TRYGON_GSHHG_DIR:-/usr/share/gmt-gshhg}
[ -x "$coast" ] || {
    echo "skipped: no program $coast"
    exit 77
}

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
    started $launch "$coast" "$@"
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
