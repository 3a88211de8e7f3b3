#!/bin/sh
# bench_np2.sh - the micro-benchmark alone and on two ranks: the lines that it
# prints, its JSON and what it refuses.  Never how fast anything is.
# Skipped (77) where the ranks cannot be started.
. "${top_srcdir:-.}/tests/programs.sh"
micro=$top_builddir/jobs/bench/micro

[ -x "$micro" ] || {
    echo "FAILED: no program $micro"
    exit 1
}

# run RANKS ARGUMENTS
run()
{
    ranks=$1
    shift
    [ "$ranks" = 1 ] && set -- "$micro" "$@" || set -- -n "$ranks" "$micro" "$@"
    started sh "$top_srcdir/tests/run_mpi.sh" "$@"
}

# has WHAT PATTERN: exactly one such line.
has()
{
    [ "$(grep -Ec "$2" "$work/out")" = 1 ] || fail "$1: no line $2"
}

# refuse WHAT STATUS PATTERN ARGUMENTS: one line, no results.
refuse()
{
    what=$1 want=$2 pattern=$3
    shift 3
    run 2 "$@"
    [ "$status" = "$want" ] || fail "$what: status $status, not $want"
    [ "$(grep -c '^micro: ' "$work/err")" = 1 ] || fail "$what: not one line"
    grep -q "^micro: $pattern" "$work/err" || fail "$what: not $pattern"
    [ ! -s "$work/out" ] || fail "$what: results"
}

x='[0-9]+(\.[0-9]+)?'
ratios="ratio $x min $x max $x"
none='limit - - ratio - min - max -'

# Two ranks: both sides.
run 2 --quick --only task_sync,task_async,actor_sync,stream --json "$work/json"
[ "$status" = 0 ] || fail "two ranks: status $status"
head -n 1 "$work/out" |
    grep -Eq "^ranks 2 nodes 1 cores [0-9]+ yielding (yes|no) windows [0-9]+ load $x trygon [0-9.]+\$" ||
    fail "two ranks: the first line"
tail -n 1 "$work/out" | grep -Eq "^load $x\$" || fail "two ranks: the last line"
has sync "^task_sync trygon $x us limit $x us $ratios ray 1230 us\$"
has async "^task_async trygon $x 1/s limit $x 1/s $ratios ray 7097 1/s\$"
has stream "^stream trygon $x 1/s limit $x 1/s $ratios\$"
has actor "^actor_sync trygon $x us limit $x us $ratios ray 532 us\$"
[ "$(grep -c '^[a-z_0-9]* trygon ' "$work/out")" = 4 ] ||
    fail "two ranks: rows that were not asked for"
for key in '"trygon": "' '"mpi": "' '"ranks": 2,' '"cores": ' '"load_start": ' \
    '"load_end": ' '"name": "task_sync"' '"name": "task_async"'; do
    grep -qF "$key" "$work/json" || fail "JSON: no $key"
done
if command -v python3 >/dev/null; then
    python3 -m json.tool "$work/json" >/dev/null || fail "JSON: not valid"
fi

# From rank to rank.
run 2 --quick --only pull_same_host,pull,broadcast,refs_10k,cholesky
[ "$status" = 0 ] || fail "objects: status $status"
for row in pull_same_host pull broadcast; do
    has objects "^$row trygon $x GB/s limit $x GB/s $ratios\$"
done
has objects "^refs_10k trygon $x ms $none\$"
has objects "^cholesky (trygon $x GFLOP/s limit |skipped: built without LAPACK)"

# Alone: every row, nobody to compare with.
run 1 --quick
[ "$status" = 0 ] || fail "alone: status $status"
for row in 'task_sync us' 'task_async 1/s' 'task_nested us' 'actor_sync us' \
    'actor_async 1/s' 'actor_threaded_async 1/s' 'actor_create 1/s' \
    'n_n_actor_async 1/s' 'cancel_storm 1/s' \
    'async_actor_sync us' 'async_actor_async 1/s' 'fiber_switch ns' \
    'stream 1/s' 'stream_backpressure_1 us' \
    'wait_10k 1/s' 'args_10k ms' 'get_local ns' 'refs_10k ms' 'idle_cpu %' \
    'wakeup us'; do
    has alone "^${row% *} trygon $x ${row#* } $none( ray |\$)"
done
has alone "^queue_1m trygon $x s $none ray 140.07 s bytes -?[0-9]+\$"
has alone "^startup trygon $x ms limit $x ms $ratios\$"
for row in put_1m put_1g spill restore; do
    has alone "^$row trygon $x GB/s limit $x GB/s $ratios\$"
done
has alone "^cholesky (trygon $x GFLOP/s limit |skipped: built without LAPACK)"
for row in task_async_batched pull_same_host pull broadcast; do
    has alone "^$row skipped: needs 2 ranks, there is 1"
done

run 2 --help
[ "$status" = 0 ] || fail "--help: status $status"
has help '^  task_sync '

refuse "unknown option" 2 '--colour: .*expected' --colour
refuse "unknown row" 2 '--only task_snyc: expected task_sync,' --only task_snyc
refuse "no row" 2 '--only (nothing): expected' --only task_sync,
refuse "no value" 2 '--json: .*missing' --json
refuse "argument" 2 'task_sync: unexpected' task_sync
refuse "unwritable" 1 "--json $work/none/json: cannot be written" \
    --quick --json "$work/none/json"

finish
