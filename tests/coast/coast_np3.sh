#!/bin/sh
# coast_np3.sh - coast on three ranks: what it refuses and what it writes.
. "${top_srcdir:-.}/tests/coast/coast_lib.sh"
need_data l

# refuse WHAT ARGUMENTS: exactly one line from the program, a status that is
# not 0, nothing on standard output, and no file that was not there before.
refuse()
{
    what=$1
    shift
    ls -A "$work/dir" >"$work/before"
    run "$@"
    [ "$status" -ne 0 ] || fail "$what: status 0"
    [ "$status" -ne 124 ] || fail "$what: hung"
    [ "$(grep -c '^coast: ' "$work/err")" = 1 ] || fail "$what: not one line"
    [ ! -s "$work/out" ] || fail "$what: results"
    ls -A "$work/dir" | cmp -s - "$work/before" || fail "$what: left a file"
}

mkdir "$work/dir"
out=$work/dir/out.h5
png=$work/dir/out.png
echo "two bins walk into a file" >"$work/dir/text.nc"
head -c 100000 "$data/binned_GSHHS_l.nc" >"$work/dir/short.nc"

refuse "no file" --shoreline "$work/none.nc" -o "$out" --png "$png"
refuse "not GSHHG" --shoreline "$work/dir/text.nc" -o "$out" --png "$png"
refuse "truncated" --shoreline "$work/dir/short.nc" -o "$out" --png "$png"
refuse "directory" --shoreline "$work/dir" -o "$out" --png "$png"
refuse "step" --step 7 -o "$out" --png "$png"
refuse "tile" --tile 1e9 -o "$out" --png "$png"
refuse "unwritable" -o "$work/none/out.h5" --png "$png"
refuse "unwritable map" -o "$out" --png "$work/none/out.png"
refuse "unknown option" --colour red -o "$out"
refuse "garbage number" --step sixty -o "$out"

# The missing data's package is named.
TRYGON_GSHHG_DIR=$work/none
export TRYGON_GSHHG_DIR
refuse "not installed" --shoreline f -o "$out"
grep -q gmt-gshhg-full "$work/err" || fail "not installed: no package named"
unset TRYGON_GSHHG_DIR
[ "$data" = /usr/share/gmt-gshhg ] || export TRYGON_GSHHG_DIR="$data"

# Good: the farthest place of the low resolution, and both files.
run --shoreline l --step 60 -o "$out" --png "$png"
[ "$status" = 0 ] || fail "good run: status $status"
grep -Eq '^farthest [0-9.]+ [NS] [0-9.]+ [EW] [0-9.]+ km$' "$work/out" ||
    fail "no line for the farthest place"
holds "$(value farthest 2) > 48.2 && $(value farthest 2) < 49.5" &&
    [ "$(value farthest 3)" = S ] || fail "latitude of the farthest place"
holds "$(value farthest 4) > 122.5 && $(value farthest 4) < 125.5" &&
    [ "$(value farthest 5)" = W ] || fail "longitude of the farthest place"
grep -Eq '^cells 65160 in [0-9.]+ s [0-9]+ cells/s$' "$work/out" ||
    fail "no line for the cells"
for label in index grid write; do
    holds "$(value $label 2) >= 0" || fail "no line for $label"
done
[ "$(ls -A "$work/dir" | grep -c part)" = 0 ] || fail "a temporary file stays"

if command -v h5ls >/dev/null && command -v h5dump >/dev/null; then
    h5ls "$out" >"$work/out"
    for line in 'distance  *Dataset {181, 360}' 'lat  *Dataset {181}' \
        'lon  *Dataset {360}'; do
        grep -q "^$line" "$work/out" || fail "grid: no $line"
    done
    h5dump -H "$out" >"$work/out"
    for name in Conventions title source history units standard_name \
        DIMENSION_LIST REFERENCE_LIST; do
        grep -q "ATTRIBUTE \"$name\"" "$work/out" || fail "grid: no $name"
    done
    # No directory of this machine.
    h5dump -A "$out" >"$work/out"
    ! sed 1d "$work/out" | grep -qF "$work" || fail "grid: a path"
    # The North Pole, the last row, is one place.
    h5dump -y -w 1 -d distance -s 180,0 -c 1,360 "$out" |
        sed -n -e '/ATTRIBUTE/q' -e 's/^ *\([0-9][0-9.]*\),*$/\1/p' |
        sort -u >"$work/out"
    [ "$(wc -l <"$work/out")" = 1 ] || fail "grid: the pole is not one place"
else
    echo "h5ls and h5dump are not here: the grid was not looked into"
fi

# PNG's signature, and the size from the header that follows.
od -An -tx1 -N 24 "$png" | tr -d ' \n' >"$work/out"
grep -q '^89504e470d0a1a0a0000000d4948445200000708' "$work/out" ||
    fail "map: not a PNG 1800 wide"

# Other tiles, the same grid.
cp "$out" "$work/first.h5"
run --shoreline l --step 60 --tile 37 -o "$out"
[ "$status" = 0 ] || fail "other tiles: status $status"
if command -v h5diff >/dev/null; then
    h5diff "$work/first.h5" "$out" /distance >"$work/out" ||
        fail "other tiles: another grid"
fi

# Help needs no MPI and is no error.
"$coast" --help >"$work/out" 2>"$work/err" || fail "help: status $?"
grep -q -- --shoreline "$work/out" || fail "help: no options"
finish
