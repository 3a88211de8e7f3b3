#!/bin/sh
# kill_np4.sh - a job of four ranks is killed that has objects in files: what it
# leaves can be read with the tools of HDF5, as before, and nothing else is left;
# the next job that starts there removes it, and nothing of a job that lives.
set -u
top_srcdir=${top_srcdir:-.}
job=${top_builddir:-.}/tests/store/kill_job
failures=0 pid_a= pid_b=
[ "${TG_QUICK:-0}" = 1 ] && exit 77
work=$(mktemp -d) || exit 99
spill=$work/spill
mkdir "$spill"

# Only by the numbers that these jobs have given.
end()
{
    for name in a b; do
        [ -f "$work/$name.ready" ] && [ ! -f "$work/$name.over" ] &&
            xargs kill -9 <"$work/$name.ready" 2>/dev/null
    done
    rm -rf "$work"
}
trap end EXIT

fail()
{
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# start NAME: in the background; its launcher is $! then.
start()
{
    TRYGON_SPILL_DIR=$spill sh "$top_srcdir/tests/run_mpi.sh" -n 4 "$job" \
        "$work/$1" >"$work/$1.out" 2>&1 &
}

# ready NAME PID: its numbers are there.
ready()
{
    while [ ! -f "$work/$1.ready" ]; do
        if ! kill -0 "$2" 2>/dev/null; then
            wait "$2"
            status=$?
            cat "$work/$1.out"
            [ "$status" = 77 ] && exit 77
            fail "job $1 does not start: status $status"
            exit 1
        fi
        sleep 0.05
    done
}

# The inodes of the memory that these processes share.
memory_of()
{
    for pid in $(cat "$1"); do
        awk '/memfd:trygon/ { print $5 }' "/proc/$pid/maps"
    done | sort -u
}

who_has() # FILE of such lines: mapped or open
{
    {
        grep -H memfd:trygon /proc/[0-9]*/maps | awk '{ print $5, $1 }'
        find /proc/[0-9]*/fd -lname '/memfd:trygon*' \
            -exec stat -L -c '%i %n' {} +
    } 2>/dev/null | awk 'NR == FNR { of[$1]; next } $1 in of' "$1" -
}

# A Python that has h5py, if there is one.
python=
for p in python3 /usr/bin/python3; do
    "$p" -c 'import h5py, numpy' 2>/dev/null && python=$p && break
done
[ -n "$python" ] || echo "no h5py here: files are read with h5dump only"
command -v h5dump >/dev/null || echo "no h5dump here: it is not tried"

cat >"$work/read.py" <<'END'
import sys, h5py, numpy
objects = 0
for name in sys.argv[1:]:
    with h5py.File(name, "r") as f:
        for key, d in f.items():
            words = d[()].reshape(-1).view(numpy.uint64)
            at = numpy.arange(words.size, dtype=numpy.uint64) * numpy.uint64(8)
            for seed in range(64):
                x = at + numpy.uint64(seed << 40)
                x *= numpy.uint64(0x9e3779b97f4a7c15)
                x ^= x >> numpy.uint64(32)
                if x[1] == words[1]:
                    break
            if words.size != 1 << 17 or not (x == words).all():
                sys.exit("%s: %s has other bytes than were put" % (name, key))
            if not bytes(d.attrs["function"]) in (b"put", b"makes"):
                sys.exit("%s: %s was made by nobody" % (name, key))
            objects += 1
print(objects)
END

# read_files WHEN DIR: with both tools; the job that is alive does not mind.
read_files()
{
    found=0 objects=0
    for f in "$2"/rank*.h5; do
        found=$((found + 1))
        command -v h5dump >/dev/null || continue
        tries=0
        until h5dump -H "$f" >"$work/dump" 2>&1; do # it may just be written
            tries=$((tries + 1))
            [ $tries -le 50 ] || break
            sleep 0.1
        done
        [ $tries -le 50 ] || fail "$1: h5dump of $f: $(head -n 3 "$work/dump")"
        n=$(grep -c 'DATASET "' "$work/dump")
        [ "$n" -ge 1 ] || fail "$1: no objects in $f"
        objects=$((objects + n))
    done
    [ $found -ge 4 ] || fail "$1: only $found files"
    [ -z "$python" ] || n=$("$python" "$work/read.py" "$2"/rank*.h5 2>"$work/py") ||
        fail "$1: h5py: $(tail -n 1 "$work/py")"
    [ "${n:-0}" -ge 1 ] || fail "$1: h5py found nothing"
    [ -z "$python" ] || objects=$n
    # 64 of 1 MiB, of which the nodes have room for 8 each
    [ "$objects" -ge 48 ] || fail "$1: only $objects objects in files"
}

start b
pid_b=$!
ready b "$pid_b"
dir_b=$(echo "$spill"/trygon-*)
start a
pid_a=$!
ready a "$pid_a"
dir_a=$(ls -d "$spill"/trygon-* | grep -Fxv "$dir_b")
[ "$(echo "$dir_a" | wc -l)" = 1 ] && [ -d "$dir_a" ] || fail "directories: $dir_a"

read_files "a job that lives" "$dir_a"
for d in "$dir_a" "$dir_b"; do
    [ "$(stat -c %a "$d")" = 700 ] || fail "mode of $d"
    for f in "$d"/*; do
        [ "$(stat -c %a "$f")" = 600 ] || fail "mode of $f"
    done
done

memory_of "$work/a.ready" >"$work/memory"
[ "$(wc -l <"$work/memory")" -ge 4 ] || fail "no memory is found of job a"
[ -n "$(who_has "$work/memory")" ] || fail "nobody has the memory of job a"
kill -9 $(cat "$work/a.ready")
: >"$work/a.over"
wait "$pid_a" && fail "a job that was killed ends well"

read_files "a dead job" "$dir_a"
left=$(who_has "$work/memory")
[ -z "$left" ] || fail "the memory of job a is held by $left"
left=$(ls /dev/shm | grep trygon | grep -v '^trygon-test-') # the tests' own
[ -z "$left" ] || fail "left in /dev/shm: $left"

# Others' directories stay, whatever they are called.
uid=$(id -u)
if [ "$uid" = 0 ]; then
    mkdir -m 700 "$spill/trygon-0-00000000000000ff" "$spill/trygon-1-00000000000000fe"
    for d in "$spill"/trygon-*-00000000000000f?; do
        : >"$d/lock" && : >"$d/rank0-1.h5" && chown -R 1:1 "$d"
    done
fi
TRYGON_SPILL_DIR=$spill sh "$top_srcdir/tests/run_mpi.sh" -n 1 "$job" \
    >"$work/c.out" 2>&1 || fail "the next job: $(cat "$work/c.out")"
[ ! -e "$dir_a" ] || fail "the next job leaves $dir_a"
[ -f "$dir_b/lock" ] || fail "the next job takes what job b has"
for d in "$spill"/trygon-*-00000000000000f?; do
    [ "$uid" != 0 ] || { [ -f "$d/lock" ] && [ -f "$d/rank0-1.h5" ] && rm -r "$d"; } ||
        fail "the next job takes what is another's: $d"
done

: >"$work/b.go"
wait "$pid_b" || fail "job b: status $?: $(cat "$work/b.out")"
: >"$work/b.over"
[ -z "$(ls -A "$spill")" ] || fail "files stay: $(ls -AR "$spill")"

[ $failures = 0 ] && echo "all good" && exit 0
echo "$failures failed"
exit 1
