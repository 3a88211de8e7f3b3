/* rows_spill.c - objects to files and back, in a store that is small, against
 * the same bytes written to and read from files of the same directory: new ones,
 * one for each object, as a store must make them too.
 *
 * Neither side asks the disk to be done: both go to the system's own memory for
 * files, as far as that is free.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* Objects in the store, and how many times the store is written in a window. */
enum { HELD = 4, TURNS = 3, OBJECTS = HELD * TURNS };

/* Files of released objects are gone by then, and their memory is free for the
 * limit's: a virtual machine may have to wait for memory that it has not used. */
enum { REMOVED_US = 200000 };

struct job {
    struct bench *b;
    struct result *result;
    size_t size;
    char dir[512];
    char *buffer;
    uint64_t x;
    trygon_ref_t objects[OBJECTS];
};

/* Where trygon would write, the first of several. */
static void find_dir(char *dir, size_t capacity)
{
    static const char *const names[] = {"TRYGON_SPILL_DIR", "SLURM_TMPDIR",
                                        "TMPDIR"};
    const char *found = NULL;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (found == NULL || found[0] == '\0')
            found = getenv(names[i]);
    if (found == NULL || found[0] == '\0')
        found = "/tmp";
    size_t n = strcspn(found, ":");
    if (n >= capacity)
        die("the name of the directory for files is too long");
    memcpy(dir, found, n);
    dir[n] = '\0';
}

static trygon_store_stats_t statistics(trygon_t *tg)
{
    trygon_store_stats_t s = {.size = sizeof s};

    CHECK_TRYGON(trygon_store_stats(tg, &s));
    return s;
}

/* ---- the limit --------------------------------------------------------- */

/* A file without a name. */
static int open_file(const struct job *job)
{
    char name[sizeof job->dir + 32];

    snprintf(name, sizeof name, "%s/trygon-micro-XXXXXX", job->dir);
    int fd = mkstemp(name);
    if (fd < 0)
        die("%s: a file cannot be made", job->dir);
    unlink(name);
    return fd;
}

static void write_object(const struct job *job, int fd, off_t at)
{
    if (pwrite(fd, job->buffer, job->size, at) != (ssize_t)job->size)
        die("%s: a file cannot be written", job->dir);
}

/* They are gone afterwards, but that is not part of it, on neither side. */
static double write_files(const struct job *job)
{
    int fds[OBJECTS];
    double start = clock_s();

    for (int i = 0; i < OBJECTS; i++) {
        fds[i] = open_file(job);
        write_object(job, fds[i], 0);
    }
    double seconds = clock_s() - start;
    for (int i = 0; i < OBJECTS; i++)
        close(fds[i]);
    return seconds;
}

static double read_file(const struct job *job, int fd)
{
    double start = clock_s();

    for (int i = 0; i < OBJECTS; i++)
        if (pread(fd, job->buffer, job->size, (off_t)i * (off_t)job->size) !=
            (ssize_t)job->size)
            die("%s: a file cannot be read", job->dir);
    return clock_s() - start;
}

/* ---- ours -------------------------------------------------------------- */

static void put_some(trygon_t *tg, struct job *job, int from, int to)
{
    for (int i = from; i < to; i++)
        object_make(tg, job->size, ++job->x << 32, &job->objects[i]);
}

static void get_all(trygon_t *tg, struct job *job)
{
    trygon_value_t value;

    for (int i = 0; i < OBJECTS; i++) {
        CHECK_TRYGON(trygon_get(tg, job->objects[i], TRYGON_FOREVER, &value));
        object_look(value.data, value.size,
                    (job->x - OBJECTS + 1 + (uint64_t)i) << 32);
        CHECK_TRYGON(trygon_value_release(tg, &value));
    }
}

static double rate(uint64_t from, uint64_t to, double seconds)
{
    return 1e-9 * (double)(to - from) / seconds;
}

static int none_written(struct job *job)
{
    result_skip(job->result, "nothing had to be written to files");
    return 0;
}

/* The store is full when the window begins, so that each object that is put
 * waits for others to be written. */
static int drive_spill(trygon_t *tg, void *arg)
{
    struct job *job = arg;

    for (double first = clock_s(); result_wants(job->b, job->result, first);) {
        put_some(tg, job, 0, HELD);
        uint64_t before = statistics(tg).spilled_bytes;
        double start = clock_s();
        put_some(tg, job, HELD, OBJECTS);
        double seconds = clock_s() - start;
        uint64_t after = statistics(tg).spilled_bytes;
        CHECK_TRYGON(trygon_ref_release(tg, OBJECTS, job->objects));
        if (after == before)
            return none_written(job);
        usleep(REMOVED_US);
        job->result->limit[job->result->windows] =
            1e-9 * (double)job->size * OBJECTS / write_files(job);
        result_add(job->result, rate(before, after, seconds));
    }
    return 0;
}

/* Those that were not used for the longest time go first, so that with more
 * objects than the store holds each get finds its object gone. */
static int drive_restore(trygon_t *tg, void *arg)
{
    struct job *job = arg;
    int fd = open_file(job);

    for (int i = 0; i < OBJECTS; i++)
        write_object(job, fd, (off_t)i * (off_t)job->size);
    put_some(tg, job, 0, OBJECTS);
    get_all(tg, job); /* now all of them are in files */
    for (double first = clock_s(); result_wants(job->b, job->result, first);) {
        uint64_t before = statistics(tg).restored_bytes;
        double start = clock_s();
        get_all(tg, job);
        double seconds = clock_s() - start;
        uint64_t after = statistics(tg).restored_bytes;
        if (after == before) {
            none_written(job);
            break;
        }
        job->result->limit[job->result->windows] =
            1e-9 * (double)job->size * OBJECTS / read_file(job, fd);
        result_add(job->result, rate(before, after, seconds));
    }
    close(fd);
    return trygon_ref_release(tg, OBJECTS, job->objects);
}

/* ---- the rows ---------------------------------------------------------- */

static void measure(struct bench *b, struct result *result,
                    trygon_driver_fn drive)
{
    struct job job = {.b = b, .result = result, .size = b->effort.large};
    trygon_opts_t opts;
    trygon_t *before;

    find_dir(job.dir, sizeof job.dir);
    job.buffer = calloc(1, job.size);
    if (job.buffer == NULL)
        die("out of memory for %zu bytes", job.size);
    memset(job.buffer, 1, job.size); /* resident from now on */
    CHECK_TRYGON(trygon_opts_init(&opts));
    opts.store_bytes = HELD * job.size;
    opts.spill_dir = job.dir;
    runtime_open(b, &opts, false, &before);
    result->has_limit = true;
    bench_run(b, drive, &job);
    runtime_close(b, before);
    free(job.buffer);
}

void row_spill(struct bench *b, struct result *result)
{
    measure(b, result, drive_spill);
}

void row_restore(struct bench *b, struct result *result)
{
    measure(b, result, drive_restore);
}
