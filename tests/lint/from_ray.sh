#!/bin/sh
# Checks that the tests which doc/from-ray.md names are there: in each row of
# its tables of tests, what stands in `backquotes` in the last column and looks
# like the name of a test.
set -u
top=${top_srcdir:-.}
bad=0
names=$(sed -n '/^## What Ray/,$p' "$top/doc/from-ray.md" |
    sed -n 's/^| .* | \(.*\) |$/\1/p' | grep -o '`[a-z0-9_]*`' | tr -d '`' |
    grep '_.*_')
for name in $names; do
    grep -rqw "$name" "$top"/tests/*/*.c && continue
    echo "from_ray: no test is called $name" >&2
    bad=1
done
[ "$(echo "$names" | wc -l)" -ge 40 ] || {
    echo "from_ray: found too few names to look for" >&2
    bad=1
}
exit $bad
