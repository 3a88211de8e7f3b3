# cholesky_lib.sh - what the scripts that run cholesky have in common; sourced.
# `run ARGUMENTS` starts it on three ranks; see tests/programs.sh.
. "${top_srcdir:-.}/tests/programs.sh"
cholesky=$top_builddir/jobs/apps/cholesky/cholesky
[ -x "$cholesky" ] || {
    echo "skipped: built without LAPACK"
    exit 77
}
mkdir "$work/dir"

run()
{
    started sh "$top_srcdir/tests/run_mpi.sh" -n 3 "$cholesky" "$@"
}

# good WHAT ARGUMENTS: it runs, and the residual is as small as it must be.
good()
{
    what=$1
    shift
    run "$@"
    [ "$status" = 0 ] || fail "$what: status $status"
    grep -Eq '^factor [0-9.]+ s [0-9.]+ GFLOP/s$' "$work/out" ||
        fail "$what: no line for the factor"
    awk '$1 == "residual" { n++; bad = !($2 + 0 == $2 && $2 < 1e-14) }
        END { exit n != 1 || bad }' "$work/out" || fail "$what: residual"
    [ ! -s "$work/err" ] || fail "$what: words on standard error"
}

# refuse WHAT PATTERN ARGUMENTS: exactly one line from the program, a status
# that is not 0, no results, and no file that was not there before.
refuse()
{
    what=$1 pattern=$2
    shift 2
    ls -A "$work/dir" >"$work/before"
    run "$@"
    [ "$status" -ne 0 ] || fail "$what: status 0"
    [ "$status" -ne 124 ] || fail "$what: hung"
    [ "$(grep -c '^cholesky: ' "$work/err")" = 1 ] || fail "$what: not one line"
    grep -Eq "^cholesky: $pattern" "$work/err" || fail "$what: not $pattern"
    [ ! -s "$work/out" ] || fail "$what: results"
    ls -A "$work/dir" | cmp -s - "$work/before" || fail "$what: left a file"
}
