#!/bin/sh
# cholesky_np3.sh - cholesky on three ranks: matrices that are made and read,
# what is written, and what is refused.
. "${top_srcdir:-.}/tests/cholesky/cholesky_lib.sh"
in=$work/dir/in.h5
out=$work/dir/out.h5
"$top_builddir/tests/cholesky/write_matrix" "$in" || exit 99
echo "two rows walk into a file" >"$work/dir/text.h5"

good "made" --n 256 --tile 64
grep -q '^matrix 256 tiles 10 of 64$' "$work/out" || fail "made: tiles"
good "smaller tiles at the end" --n 200 --tile 48
good "one tile" --n 5 --tile 64
good "tiles of one number" --n 9 --tile 1
good "read" --in "$in" --tile 64 --out "$out"
good "read, single precision" --in "$in:/group/single" --tile 100
# The factor of the first one's lower triangle is a matrix as well.
good "read what was written" --in "$out:/L" --tile 64
[ "$(ls -A "$work/dir" | wc -l)" = 3 ] || fail "a temporary file stays"

# Other tiles, the same factor, to the last digits or so.
cp "$out" "$work/first.h5"
good "other tiles" --in "$in" --tile 60 --out "$out"
if command -v h5diff >/dev/null && command -v h5ls >/dev/null; then
    h5diff -d 1e-12 "$work/first.h5" "$out" /L >"$work/out" ||
        fail "other tiles: another factor"
    h5ls "$out" >"$work/out"
    grep -q '^L  *Dataset {256, 256}' "$work/out" || fail "written: no /L"
else
    echo "h5diff and h5ls are not here: the factor was not looked into"
fi
rm "$out"

refuse "no matrix" 'expected a matrix' --tile 64
refuse "two matrices" 'expected a matrix' --in "$in" --n 64
refuse "no file" '.*none.h5: cannot be read' --in "$work/none.h5"
refuse "no HDF5" '.*text.h5: is no HDF5 file' --in "$work/dir/text.h5"
refuse "no dataset" '.*in.h5: has no dataset /B' --in "$in:/B" --out "$out"
refuse "a group" '.*in.h5: has no dataset /group' --in "$in:/group"
refuse "not square" '.*in.h5:/wide: has 128 rows and 256 columns; expected' \
    --in "$in:/wide" --out "$out"
refuse "a line" '.*in.h5:/line: has 1 dimensions; expected 2' --in "$in:/line"
refuse "text" '.*in.h5:/text: is not of numbers' --in "$in:/text"
refuse "not positive" \
    'not positive definite: the pivot of column 100, in tile \(1, 1\)' \
    --in "$in:/negative" --tile 64 --out "$out"
refuse "no number" \
    'not positive definite: the pivot of column 200, in tile \(6, 6\)' \
    --in "$in:/nan" --tile 32 --out "$out"
refuse "no rows" '--n 0: must be' --n 0
refuse "fewer than none" '--n -5: must be' --n -5
refuse "no tile" '--tile 0: must be' --n 64 --tile 0
refuse "too many tiles" '--tile 1: 5000 rows make' --n 5000 --tile 1
refuse "store" '--store 12X: must be' --n 64 --store 12X
refuse "unwritable" '.*none/out.h5: cannot be written' --n 64 \
    --out "$work/none/out.h5"
refuse "unknown option" '--colour: unknown' --n 64 --colour

# Help needs no MPI and is no error.
"$cholesky" --help >"$work/out" 2>"$work/err" || fail "help: status $?"
grep -q -- --store "$work/out" || fail "help: no options"
finish
