/* rows_task.c - the cost of a task, against bare MPI (pair.h), and of many of
 * which half are cancelled. */
#include <stdlib.h>

#include "bench.h"
#include "pair.h"

/* ---- one after the other ----------------------------------------------- */

static void operate_sync(trygon_t *tg, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        task_sync(tg, (uint64_t)i);
}

void row_task_sync(struct bench *b, struct result *result)
{
    struct pairing p = {.operate = operate_sync,
                        .where = task_where,
                        .limit.kind = LIMIT_PING_PONG,
                        .round_trips = 1};

    pair_windows(b, &p, result);
}

static void operate_nested(trygon_t *tg, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        task_nested(tg, (uint64_t)i);
}

/* The limit has two round trips between the driver's rank and the task's, even
 * when the inner task stays on the rank of the outer one. */
void row_task_nested(struct bench *b, struct result *result)
{
    struct pairing p = {.operate = operate_nested,
                        .where = task_where,
                        .limit.kind = LIMIT_PING_PONG,
                        .round_trips = 2};

    pair_windows(b, &p, result);
}

/* ---- many at a time ---------------------------------------------------- */

enum { ASYNC_BATCH = TAKE_MOST };

/* As Ray's single_client_tasks_async: submit 1000, then get them. */
static void operate_async(trygon_t *tg, int64_t count)
{
    trygon_ref_t refs[ASYNC_BATCH];

    for (int64_t first = 0; first < count; first += ASYNC_BATCH) {
        int64_t n = count - first < ASYNC_BATCH ? count - first : ASYNC_BATCH;
        for (int64_t i = 0; i < n; i++)
            task_submit(tg, (uint64_t)(first + i), &refs[i]);
        task_take_n(tg, (uint64_t)first, (size_t)n, refs);
    }
}

static void pair_async(struct bench *b, int32_t batch, struct result *result)
{
    struct pairing p = {.operate = operate_async,
                        .where = task_where,
                        .limit = {.kind = LIMIT_MASTER, .batch = batch},
                        .round_trips = 1,
                        .rate = true};

    pair_windows(b, &p, result);
}

void row_task_async(struct bench *b, struct result *result)
{
    pair_async(b, 1, result);
}

void row_task_async_batched(struct bench *b, struct result *result)
{
    pair_async(b, 32, result);
}

/* ---- half of them cancelled -------------------------------------------- */

struct storm {
    trygon_ref_t *refs;
    bool *cancelled;
    size_t n;
    uint64_t chance; /* of the next number: the same in each run */
    double seconds;
};

static bool toss(struct storm *s)
{
    s->chance = s->chance * 6364136223846793005u + 1442695040888963407u;
    return s->chance >> 63 != 0;
}

/* Each ends: with its value, or, if it was cancelled, perhaps with CANCELLED. */
static int drive_storm(trygon_t *tg, void *arg)
{
    struct storm *s = arg;
    double start = clock_s();

    for (size_t i = 0; i < s->n; i++)
        task_submit(tg, i, &s->refs[i]);
    for (size_t i = 0; i < s->n; i++) {
        s->cancelled[i] = toss(s);
        if (s->cancelled[i])
            CHECK_TRYGON(trygon_cancel(tg, s->refs[i], false, true));
    }
    for (size_t i = 0; i < s->n; i++)
        if (!task_take_if(tg, i, &s->refs[i]) && !s->cancelled[i])
            die("task %zu was cancelled by nobody", i);
    s->seconds = clock_s() - start;
    return 0;
}

/* As Ray's test_cancel.py::test_fast. */
void row_cancel_storm(struct bench *b, struct result *result)
{
    struct storm s = {.n = (size_t)b->effort.storm, .chance = 1};

    s.refs = calloc(s.n, sizeof *s.refs);
    s.cancelled = calloc(s.n, sizeof *s.cancelled);
    if (s.refs == NULL || s.cancelled == NULL)
        die("out of memory for %zu tasks", s.n);
    for (int i = 0; i < b->effort.windows; i++) {
        bench_run(b, drive_storm, &s);
        if (b->team.rank == 0)
            result_add(result, (double)s.n / s.seconds);
    }
    free(s.cancelled);
    free(s.refs);
}
