#!/bin/sh
# cholesky_spill_np3.sh - cholesky on three ranks, with a store that is a quarter
# of the matrix: tiles go to files and come back, and nothing stays.
. "${top_srcdir:-.}/tests/cholesky/cholesky_lib.sh"

good "out of core" --n 1024 --tile 128 --store 2M --spill-dir "$work/dir" \
    --out "$work/out.h5"
awk '$1 == "objects" && $3 == "spilled" { n = $4 } END { exit !(n > 0) }' \
    "$work/out" || fail "out of core: nothing was spilled"
[ -z "$(ls -A "$work/dir")" ] || fail "out of core: files stay"

good "in core" --n 1024 --tile 128 --out "$work/in.h5"
if command -v h5diff >/dev/null; then
    h5diff -d 1e-12 "$work/in.h5" "$work/out.h5" /L >"$work/out" ||
        fail "another factor than in core"
fi
finish
