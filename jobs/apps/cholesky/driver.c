/* driver.c - see driver.h. */
#include "driver.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/output.h"
#include "common/run.h"
#include "factor.h"
#include "matrix.h"
#include "options.h"
#include "tile.h"

struct job {
    const struct options *options;
    trygon_t *tg;
    struct matrix in; /* closed when the matrix is generated */
    struct factor factor;
    size_t objects, spilled; /* when the factor was done */
    double factor_s, residual_s, write_s, residual;
};

/* Straight from the file to where the object is. */
static int read_tile(void *arg, int32_t i, int32_t j, trygon_ref_t *ref,
                     struct fault *fault)
{
    struct job *job = arg;
    const struct tile tile = {job->factor.tiling, i, j};
    int64_t dims[2];
    trygon_value_t as = tile_value(&tile, NULL, dims);
    trygon_buffer_t buffer;
    int rc = trygon_create(job->tg, as.size, TRYGON_FOREVER, &buffer);

    if (rc != TRYGON_SUCCESS)
        return run_fault(fault, "no room for a tile", rc);
    if (matrix_read(&job->in, &job->factor.tiling, i, j, buffer.data, fault) !=
        0) {
        trygon_discard(job->tg, &buffer);
        return -1;
    }
    rc = trygon_seal(job->tg, &buffer, &as, ref);
    if (rc == TRYGON_SUCCESS)
        return 0;
    trygon_discard(job->tg, &buffer);
    return run_fault(fault, "cannot make a tile", rc);
}

/* Everything that can be wrong with what the user gave, before any work. */
static int prepare(struct job *job, struct fault *fault)
{
    const struct options *o = job->options;
    struct factor *f = &job->factor;
    int64_t n = o->n;

    if (o->in != NULL) {
        if (matrix_open(&job->in, o->in, fault) != 0)
            return -1;
        n = job->in.n;
        f->source = (struct source){read_tile, job};
    }
    if (output_check(o->out, fault) != 0)
        return -1;
    if ((n - 1) / o->side >= TILING_MAX_COUNT)
        return fault_set(fault,
                         "--tile %lld: %lld rows make more than %d rows of "
                         "tiles; expected larger ones",
                         (long long)o->side, (long long)n, TILING_MAX_COUNT);
    f->tg = job->tg;
    f->tiling = tiling_of(n, o->side);
    return factor_open(f, fault);
}

/* What the whole run has in stores and in files now. */
static int count_objects(struct job *job, struct fault *fault)
{
    size_t capacity = 0, n = 0;
    trygon_object_t *all = NULL;

    for (;;) { /* once for their number; more may have come since */
        int rc = trygon_objects(job->tg, capacity, all, &n);
        if (rc != TRYGON_SUCCESS) {
            free(all);
            return run_fault(fault, "cannot look at the objects", rc);
        }
        if (n <= capacity)
            break;
        free(all);
        capacity = n + n / 8;
        all = calloc(capacity, sizeof *all);
        if (all == NULL)
            return fault_set(fault, "out of memory for %zu lines", capacity);
    }
    for (size_t i = 0; i < n; i++)
        job->spilled += all[i].spilled;
    job->objects = n;
    free(all);
    return 0;
}

static int compute(struct job *job, struct fault *fault)
{
    double start_s = clock_s();

    if (factor_run(&job->factor, fault) != 0)
        return -1;
    job->factor_s = clock_s() - start_s;
    if (count_objects(job, fault) != 0)
        return -1;
    start_s = clock_s();
    if (factor_residual(&job->factor, &job->residual, fault) != 0)
        return -1;
    job->residual_s = clock_s() - start_s;
    return 0;
}

/* ---- outputs ----------------------------------------------------------- */

static int write_tile(struct job *job, const struct matrix *to, int32_t i,
                      int32_t j, struct fault *fault)
{
    struct factor *f = &job->factor;
    trygon_ref_t *ref = &f->tile[tiling_index(i, j)];
    trygon_value_t value;
    int rc = trygon_get(job->tg, *ref, TRYGON_FOREVER, &value);

    if (rc != TRYGON_SUCCESS)
        return run_fault(fault, "a tile is lost", rc);
    rc = matrix_write(to, &f->tiling, i, j, value.data, fault);
    trygon_value_release(job->tg, &value);
    trygon_ref_release(job->tg, 1, ref); /* nobody needs it any more */
    return rc;
}

static int fill_file(void *arg, const char *path, struct fault *fault)
{
    struct job *job = arg;
    const struct tiling *t = &job->factor.tiling;
    struct fault later;
    struct matrix to;
    int rc = matrix_create(&to, path, t, fault);

    for (int32_t j = 0; j < t->count && rc == 0; j++)
        for (int32_t i = j; i < t->count && rc == 0; i++)
            rc = write_tile(job, &to, i, j, fault);
    if (matrix_close(&to, &later) != 0 && rc == 0)
        rc = fault_set(fault, "%s", later.text);
    return rc;
}

static int write_factor(struct job *job, struct fault *fault)
{
    double start_s = clock_s();
    int rc = output_write(job->options->out, fill_file, job, fault);

    job->write_s = clock_s() - start_s;
    return rc;
}

static int print_results(const struct job *job, struct fault *fault)
{
    const struct tiling *t = &job->factor.tiling;
    double n = (double)t->n;

    printf("matrix %lld tiles %zu of %lld\n", (long long)t->n, tiling_tiles(t),
           (long long)t->side);
    printf("factor %.3f s %.3f GFLOP/s\n", job->factor_s,
           1e-9 * n * n * n / 3.0 / job->factor_s);
    printf("objects %zu spilled %zu\n", job->objects, job->spilled);
    printf("residual %.3g in %.3f s\n", job->residual, job->residual_s);
    printf("write %.3f s\n", job->write_s);
    if (fflush(stdout) != 0)
        return fault_set(fault, "standard output: %s", strerror(errno));
    return 0;
}

int driver_run(trygon_t *tg, void *arg)
{
    struct job job = {.options = arg,
                      .tg = tg,
                      .in = {.file = H5I_INVALID_HID, .set = H5I_INVALID_HID}};
    struct fault fault, ignored;
    int rc = 0;

    if (prepare(&job, &fault) != 0 || compute(&job, &fault) != 0 ||
        write_factor(&job, &fault) != 0 || print_results(&job, &fault) != 0) {
        fprintf(stderr, "cholesky: %s\n", fault.text);
        rc = 1;
    }
    factor_close(&job.factor);
    matrix_close(&job.in, &ignored);
    return rc;
}
