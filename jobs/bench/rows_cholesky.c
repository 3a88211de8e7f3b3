/* rows_cholesky.c - a whole job, with the tasks of jobs/apps/cholesky: a Cholesky
 * factor by tiles in memory, rank 0 at work too, against LAPACK on the whole
 * matrix with as many threads as there are slots.
 */
#include <stdlib.h>

#include "bench.h"

#ifdef HAVE_LAPACK

#include "factor.h"
#include "kernels.h"
#include "tile.h"

/* Rows of a tile: the larger, the faster is a task, and the fewer there are. */
enum { SIDE = 256 };

struct job {
    struct bench *b;
    struct result *result;
    struct factor factor;
    trygon_ref_t *matrix; /* its tiles, made before the clock runs */
    double *whole;        /* the limit's */
    int threads;
};

static void no_fault(int rc, const struct fault *fault)
{
    if (rc != 0)
        die("cholesky: %s", fault->text);
}

static int made_before(void *arg, int32_t i, int32_t j, trygon_ref_t *ref,
                       struct fault *fault)
{
    struct job *job = arg;
    trygon_ref_t *from = &job->matrix[tiling_index(i, j)];

    (void)fault;
    *ref = *from; /* and its count */
    *from = (trygon_ref_t){0, 0};
    return 0;
}

static void make_matrix(trygon_t *tg, struct job *job)
{
    const struct tiling *t = &job->factor.tiling;
    trygon_wait_opts_t all;
    size_t n = tiling_tiles(t);
    bool *ready = calloc(n, sizeof *ready);

    if (ready == NULL)
        die("out of memory for %zu tiles", n);
    for (int32_t i = 0; i < t->count; i++)
        for (int32_t j = 0; j <= i; j++) {
            const struct tile tile = {*t, i, j};
            CHECK_TRYGON(
                tile_generate(tg, &tile, &job->matrix[tiling_index(i, j)]));
        }
    CHECK_TRYGON(trygon_wait_opts_init(&all));
    all.num_returns = n;
    all.fetch_local = false;
    CHECK_TRYGON(trygon_wait(tg, n, job->matrix, &all, ready, NULL));
    free(ready);
}

static double gflops(const struct job *job, double seconds)
{
    double n = (double)job->factor.tiling.n;

    return 1e-9 * n * n * n / 3.0 / seconds;
}

static double time_factor(trygon_t *tg, struct job *job)
{
    struct fault fault;

    make_matrix(tg, job);
    no_fault(factor_open(&job->factor, &fault), &fault);
    double start = clock_s();
    no_fault(factor_run(&job->factor, &fault), &fault);
    double seconds = clock_s() - start;
    factor_close(&job->factor);
    return seconds;
}

static double time_lapack(struct job *job)
{
    const struct tiling one =
        tiling_of(job->factor.tiling.n, job->factor.tiling.n);

    kernel_generate(&one, 0, 0, job->whole);
    kernel_threads(job->threads);
    double start = clock_s();
    if (kernel_potrf(one.n, job->whole) != 0)
        die("LAPACK says that the matrix is not positive definite");
    double seconds = clock_s() - start;
    kernel_threads(1);
    return seconds;
}

static int drive(trygon_t *tg, void *arg)
{
    struct job *job = arg;
    struct result *result = job->result;
    double slots, available;

    CHECK_TRYGON(trygon_resources(tg, "cpu", &slots, &available));
    job->threads = (int)slots;
    job->factor.tg = tg;
    job->factor.source.arg = job;
    time_factor(tg, job); /* warm-up, of both */
    if (result->has_limit)
        time_lapack(job);
    double start = clock_s();
    while (result_wants(job->b, result, start)) {
        if (result->has_limit)
            result->limit[result->windows] = gflops(job, time_lapack(job));
        result_add(result, gflops(job, time_factor(tg, job)));
    }
    result_extra(result, "slots", slots, "");
    return 0;
}

/* LAPACK has the cores of one node only, and not every one can be told how many
 * of them. */
void row_cholesky(struct bench *b, struct result *result)
{
    struct job job = {.b = b, .result = result};
    size_t n = (size_t)b->effort.order;
    trygon_opts_t opts;
    trygon_t *before;

    result->has_limit = kernel_threads(1) && b->team.nodes == 1;
    job.factor.tiling = tiling_of(b->effort.order, SIDE);
    job.factor.source = (struct source){made_before, NULL};
    if (b->team.rank == 0) {
        job.matrix =
            calloc(tiling_tiles(&job.factor.tiling), sizeof *job.matrix);
        job.whole = calloc(n * n, sizeof *job.whole);
        if (job.matrix == NULL || job.whole == NULL)
            die("out of memory for %zu numbers", n * n);
    }
    CHECK_TRYGON(trygon_opts_init(&opts));
    if (b->team.size > 1) { /* rank 0 has its share of the cores as well */
        int share = b->team.cores / b->team.node_ranks;
        opts.head_slots = share > 0 ? share : 1;
    }
    runtime_open(b, &opts, false, &before);
    bench_run(b, drive, &job);
    runtime_close(b, before);
    free(job.whole);
    free(job.matrix);
}

#else

void row_cholesky(struct bench *b, struct result *result)
{
    (void)b;
    result_skip(result, "built without LAPACK");
}

#endif
