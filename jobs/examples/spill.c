/* spill.c - four times as much as the store holds: what does not fit goes to
 * files in HDF5, and comes back when it is asked for (Ray: object spilling).
 *
 *   spill [--store MIB]
 *
 * What differs from run to run goes to standard error: the statistics, and the
 * files as h5ls sees them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/trygon.h>
#include <unistd.h>

enum { ROWS = 512, TIMES = 4, PER_STORE = 8, ARRAYS = TIMES * PER_STORE };

struct job {
    long store_mib;
    char dir[64]; /* of this rank, for its files */
};

/* Element i of array k; no other has it. */
static int64_t element(int64_t k, int64_t i)
{
    return k * 1000000000 + i;
}

static int put(trygon_t *tg, int64_t k, const int64_t dims[2],
               trygon_ref_t *ref)
{
    trygon_value_t as = {.type = TRYGON_INT64, .ndim = 2, .dims = dims};
    trygon_buffer_t buffer;
    int64_t n = dims[0] * dims[1];
    int rc =
        trygon_create(tg, (size_t)n * sizeof(int64_t), TRYGON_FOREVER, &buffer);
    if (rc != TRYGON_SUCCESS)
        return rc;
    int64_t *data = buffer.data;
    for (int64_t i = 0; i < n; i++)
        data[i] = element(k, i);
    rc = trygon_seal(tg, &buffer, &as, ref);
    trygon_discard(tg, &buffer); /* nothing left to discard, unless it failed */
    return rc;
}

static int check(trygon_t *tg, int64_t k, const int64_t dims[2],
                 trygon_ref_t ref)
{
    trygon_value_t v;
    int rc = trygon_get(tg, ref, TRYGON_FOREVER, &v);
    if (rc != TRYGON_SUCCESS)
        return rc;
    const int64_t *data = v.data;
    int64_t n = dims[0] * dims[1];
    bool good = v.type == TRYGON_INT64 && v.ndim == 2 && v.dims[0] == dims[0] &&
                v.dims[1] == dims[1];
    for (int64_t i = 0; i < n && good; i++)
        good = data[i] == element(k, i);
    trygon_value_release(tg, &v);
    return good ? TRYGON_SUCCESS : TRYGON_ERR_OBJECT_LOST;
}

/* In random order, the same in each run. */
static int check_all(trygon_t *tg, const int64_t dims[2],
                     const trygon_ref_t refs[])
{
    int order[ARRAYS], rc = TRYGON_SUCCESS;
    srand(1);
    for (int i = 0; i < ARRAYS; i++) {
        int j = rand() % (i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (int i = 0; i < ARRAYS && rc == TRYGON_SUCCESS; i++)
        rc = check(tg, order[i], dims, refs[order[i]]);
    return rc;
}

static void show_statistics(trygon_t *tg)
{
    trygon_store_stats_t s = {.size = sizeof s};
    if (trygon_store_stats(tg, &s) == TRYGON_SUCCESS)
        fprintf(stderr,
                "store: %.0f of %.0f MiB used; %.0f MiB in %llu objects "
                "written to files so far, %.0f MiB in %llu read back\n",
                (double)s.used / 0x1p20, (double)s.limit / 0x1p20,
                (double)s.spilled_bytes / 0x1p20,
                (unsigned long long)s.spilled_objects,
                (double)s.restored_bytes / 0x1p20,
                (unsigned long long)s.restored_objects);
}

/* The names have no blanks: they are ours and trygon's. */
static void show_files(const char *dir)
{
    char command[256];
    snprintf(command, sizeof command,
             "if command -v h5ls >/dev/null; then "
             "find %s -name '*.h5' -exec h5ls -r {} + ; "
             "else echo 'h5ls (hdf5-tools) is missing'; fi >&2",
             dir);
    if (system(command) != 0)
        fprintf(stderr, "the files cannot be shown\n");
}

static int driver(trygon_t *tg, void *arg)
{
    const struct job *job = arg;
    int64_t bytes = job->store_mib * 0x100000 / PER_STORE;
    const int64_t dims[2] = {ROWS, bytes / ROWS / (int64_t)sizeof(int64_t)};
    trygon_ref_t refs[ARRAYS] = {{0, 0}};
    int rc = TRYGON_SUCCESS;
    for (int k = 0; k < ARRAYS && rc == TRYGON_SUCCESS; k++)
        rc = put(tg, k, dims, &refs[k]);
    if (rc == TRYGON_SUCCESS) {
        printf("put %d arrays, %d times the store of %ld MiB\n", ARRAYS, TIMES,
               job->store_mib);
        show_statistics(tg);
        show_files(job->dir);
        rc = check_all(tg, dims, refs);
    }
    if (rc == TRYGON_SUCCESS)
        printf("read all in random order: every value is right\n");
    else
        fprintf(stderr, "spill: %s\n", trygon_strerror(rc));
    show_statistics(tg);
    trygon_ref_release(tg, ARRAYS, refs);
    return rc != TRYGON_SUCCESS;
}

int main(int argc, char **argv)
{
    struct job job = {64, "/tmp/trygon-spill-XXXXXX"};
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    if (argc == 3 && strcmp(argv[1], "--store") == 0)
        job.store_mib = strtol(argv[2], NULL, 10);
    if ((argc != 1 && argc != 3) || job.store_mib < 1 ||
        job.store_mib > 0x100000 || mkdtemp(job.dir) == NULL) {
        fprintf(stderr, "usage: spill [--store MIB]; /tmp must be writable\n");
        return 1;
    }
    trygon_opts_init(&opts);
    opts.store_bytes = (uint64_t)job.store_mib << 20;
    opts.spill_dir = job.dir;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) == TRYGON_SUCCESS) {
        trygon_run(tg, driver, &job, &status);
        trygon_finalize(&tg);
    }
    if (rmdir(job.dir) != 0) {
        fprintf(stderr, "spill: %s is not empty\n", job.dir);
        status = 1;
    }
    return status;
}
