#!/bin/sh
# coast_far_np3.sh - the farthest place from the high resolution shoreline, on
# three ranks at one degree: Point Nemo.
. "${top_srcdir:-.}/tests/coast/coast_lib.sh"
need_data h

run --shoreline h --step 60
[ "$status" = 0 ] || fail "status $status"
holds "$(value farthest 2) >= 48.88 && $(value farthest 2) <= 49.08" &&
    [ "$(value farthest 3)" = S ] || fail "latitude"
holds "$(value farthest 4) >= 123.38 && $(value farthest 4) <= 123.58" &&
    [ "$(value farthest 5)" = W ] || fail "longitude"
holds "$(value farthest 6) >= 2690 && $(value farthest 6) <= 2710" ||
    fail "distance"
cat "$work/out"
finish
