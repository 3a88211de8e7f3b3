/* rows_task.c - the cost of a task, against bare MPI (pair.h). */
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
