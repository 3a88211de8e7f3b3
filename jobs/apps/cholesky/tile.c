/* tile.c - see tile.h. */
#include "tile.h"

#include <inttypes.h>
#include <string.h>

#include "kernels.h"

#define GENERATE "cholesky.generate"
#define POTRF "cholesky.potrf"
#define TRSM "cholesky.trsm"
#define SYRK "cholesky.syrk"
#define GEMM "cholesky.gemm"
#define NORM "cholesky.norm"

enum { BAD_ARGUMENT = 1, MAX_TILES = 3 };

trygon_value_t tile_value(const struct tile *tile, const void *p,
                          int64_t dims[2])
{
    dims[0] = tiling_rows(&tile->of, tile->i);
    dims[1] = tiling_rows(&tile->of, tile->j);
    return (trygon_value_t){.data = p,
                            .size =
                                (size_t)(dims[0] * dims[1]) * sizeof(double),
                            .type = TRYGON_FLOAT64,
                            .ndim = 2,
                            .dims = dims};
}

/* ---- on the workers ---------------------------------------------------- */

/* A task's arguments: which tile it is about, then tiles. */
struct job {
    struct tile tile;
    int64_t rows, cols;
    const double *a[MAX_TILES];
    int64_t depth; /* columns of the last one */
    int64_t dims[2];
    trygon_buffer_t out;
};

static int bad_argument(trygon_call_t *call, size_t i)
{
    return trygon_call_fail(call, BAD_ARGUMENT,
                            "argument %zu is no tile that fits", i);
}

/* The first tile is the one that the task is about, and gives the shape of the
 * answer. */
static int take_tile(trygon_call_t *call, struct job *job, size_t i,
                     int64_t rows)
{
    trygon_value_t v;
    int rc = trygon_call_arg(call, 1 + i, &v);

    if (rc != TRYGON_SUCCESS)
        return rc;
    if (v.type != TRYGON_FLOAT64 || v.ndim != 2 || v.dims[0] != rows ||
        (i == 0 && v.dims[1] != job->cols) ||
        (i == 2 && v.dims[1] != job->depth))
        return bad_argument(call, 1 + i);
    job->a[i] = v.data;
    job->depth = v.dims[1];
    return TRYGON_SUCCESS;
}

/* n tiles, of which the second has as many rows as the first, and the third as
 * many as that has columns; `below`: the second as well. */
static int take(trygon_call_t *call, struct job *job, size_t n, bool below)
{
    trygon_value_t v;
    int rc = trygon_call_arg(call, 0, &v);

    *job = (struct job){.depth = 0};
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (v.size != sizeof job->tile)
        return bad_argument(call, 0);
    memcpy(&job->tile, v.data, sizeof job->tile);
    job->rows = tiling_rows(&job->tile.of, job->tile.i);
    job->cols = tiling_rows(&job->tile.of, job->tile.j);
    for (size_t i = 0; i < n && rc == TRYGON_SUCCESS; i++)
        rc = take_tile(call, job, i,
                       i == 2 || (i == 1 && below) ? job->cols : job->rows);
    return rc;
}

/* The same, and memory for the answer, with a copy of the first tile. */
static int begin(trygon_call_t *call, struct job *job, size_t n, bool below)
{
    int rc = take(call, job, n, below);

    if (rc != TRYGON_SUCCESS)
        return rc;
    trygon_value_t v = tile_value(&job->tile, NULL, job->dims);
    rc = trygon_create(trygon_call_runtime(call), v.size, TRYGON_FOREVER,
                       &job->out);
    if (rc == TRYGON_SUCCESS && n > 0)
        memcpy(job->out.data, job->a[0], v.size);
    return rc;
}

static int end(trygon_call_t *call, struct job *job)
{
    trygon_value_t v = tile_value(&job->tile, NULL, job->dims);
    int rc = trygon_call_return_buffer(call, 0, &job->out, &v);

    if (rc != TRYGON_SUCCESS)
        trygon_discard(trygon_call_runtime(call), &job->out);
    return rc;
}

static int generate(trygon_call_t *call)
{
    struct job job;
    int rc = begin(call, &job, 0, false);

    if (rc != TRYGON_SUCCESS)
        return rc;
    kernel_generate(&job.tile.of, job.tile.i, job.tile.j, job.out.data);
    return end(call, &job);
}

static int not_positive(trygon_call_t *call, struct job *job, int64_t column)
{
    const struct tile *tile = &job->tile;

    trygon_discard(trygon_call_runtime(call), &job->out);
    return trygon_call_fail(call, TILE_NOT_POSITIVE,
                            "not positive definite: the pivot of column "
                            "%" PRId64 ", in tile (%d, %d), is not positive",
                            tile->j * tile->of.side + column - 1, (int)tile->i,
                            (int)tile->j);
}

static int potrf(trygon_call_t *call)
{
    struct job job;
    int rc = begin(call, &job, 1, false);

    if (rc != TRYGON_SUCCESS)
        return rc;
    int64_t column = kernel_potrf(job.rows, job.out.data);
    return column == 0 ? end(call, &job) : not_positive(call, &job, column);
}

static int trsm(trygon_call_t *call)
{
    struct job job;
    int rc = begin(call, &job, 2, true);

    if (rc != TRYGON_SUCCESS)
        return rc;
    kernel_trsm(job.rows, job.cols, job.a[1], job.out.data);
    return end(call, &job);
}

static int syrk(trygon_call_t *call)
{
    struct job job;
    int rc = begin(call, &job, 2, false);

    if (rc != TRYGON_SUCCESS)
        return rc;
    kernel_syrk(job.rows, job.depth, job.a[1], job.out.data);
    return end(call, &job);
}

static int gemm(trygon_call_t *call)
{
    struct job job;
    int rc = begin(call, &job, 3, false);

    if (rc != TRYGON_SUCCESS)
        return rc;
    kernel_gemm(job.rows, job.cols, job.depth, job.a[1], job.a[2],
                job.out.data);
    return end(call, &job);
}

static int norm(trygon_call_t *call)
{
    struct job job;
    int rc = take(call, &job, 1, false);

    if (rc != TRYGON_SUCCESS)
        return rc;
    double x =
        kernel_norm2(job.rows, job.cols, job.tile.i == job.tile.j, job.a[0]);
    return trygon_call_return(call, 0, &TRYGON_BYTES(&x, sizeof x));
}

int tile_register(trygon_registry_t *registry)
{
    static const struct {
        const char *name;
        trygon_task_fn run;
    } tasks[] = {{GENERATE, generate}, {POTRF, potrf}, {TRSM, trsm},
                 {SYRK, syrk},         {GEMM, gemm},   {NORM, norm}};

    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        int rc =
            trygon_registry_add_task(registry, tasks[i].name, tasks[i].run);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    return TRYGON_SUCCESS;
}

/* ---- who submits ------------------------------------------------------- */

static int submit(trygon_t *tg, const char *task, const struct tile *tile,
                  size_t n, const trygon_ref_t refs[], trygon_ref_t *next)
{
    trygon_value_t args[1 + MAX_TILES] = {TRYGON_BYTES(tile, sizeof *tile)};

    for (size_t i = 0; i < n; i++)
        args[1 + i] = trygon_by_ref(&refs[i]);
    return trygon_submit(tg, task, 1 + n, args, NULL, next);
}

int tile_generate(trygon_t *tg, const struct tile *tile, trygon_ref_t *next)
{
    return submit(tg, GENERATE, tile, 0, NULL, next);
}

int tile_update(trygon_t *tg, const struct tile *tile, trygon_ref_t a,
                trygon_ref_t l, trygon_ref_t r, trygon_ref_t *next)
{
    const trygon_ref_t refs[] = {a, l, r};

    return tile->i == tile->j ? submit(tg, SYRK, tile, 2, refs, next)
                              : submit(tg, GEMM, tile, 3, refs, next);
}

int tile_factor(trygon_t *tg, const struct tile *tile, trygon_ref_t a,
                trygon_ref_t diagonal, trygon_ref_t *next)
{
    const trygon_ref_t refs[] = {a, diagonal};

    return tile->i == tile->j ? submit(tg, POTRF, tile, 1, refs, next)
                              : submit(tg, TRSM, tile, 2, refs, next);
}

int tile_norm2(trygon_t *tg, const struct tile *tile, trygon_ref_t a,
               trygon_ref_t *next)
{
    return submit(tg, NORM, tile, 1, &a, next);
}
