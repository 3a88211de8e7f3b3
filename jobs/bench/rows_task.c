/* rows_task.c - the cost of a task, against bare MPI.
 *
 * Each window of trygon is one trygon_run(), each window of the limit comes
 * between two of them, on the main threads of the same ranks.  The runtime then
 * has no work: its threads sleep, and look for messages at most every
 * millisecond.  The windows alternate, so that what else the machine does meets
 * both, and the ratio is taken window by window.
 */

#include "bench.h"

/* Does count operations on rank 0. */
typedef void (*operation_fn)(trygon_t *tg, int64_t count);

struct pairing {
    operation_fn operate;
    struct limit limit;
    int round_trips; /* of the limit, for one operation */
    bool rate;
};

struct drive { /* one trygon_run() */
    const struct bench *bench;
    operation_fn operate;
    int64_t count; /* 0: find out */
    double seconds;
    int where; /* the rank of the tasks */
};

static double timed(trygon_t *tg, operation_fn operate, int64_t count)
{
    double start = clock_s();

    operate(tg, count);
    return clock_s() - start;
}

/* Each run begins without leases and with ranks that are not all here yet:
 * that is not what a window is about. */
static void warm_up(trygon_t *tg, const struct drive *d)
{
    double until = clock_s() + d->bench->effort.warm_s;

    for (int64_t n = 1; clock_s() < until; n = n < 1000 ? n * 2 : n)
        d->operate(tg, n);
}

static int drive(trygon_t *tg, void *arg)
{
    struct drive *d = arg;
    double window_s = d->bench->effort.window_s;

    warm_up(tg, d);
    if (d->count == 0) {
        int64_t n = 1;
        double s;
        while ((s = timed(tg, d->operate, n)) < window_s / 2.0)
            n *= 2;
        d->count = (int64_t)((double)n * window_s / s) + 1;
        d->where = task_where(tg);
    }
    d->seconds = timed(tg, d->operate, d->count);
    return 0;
}

static double in_unit(const struct pairing *p, double seconds, double count)
{
    return p->rate ? count / seconds : 1e6 * seconds / count;
}

static void pair_windows(struct bench *b, struct pairing *p,
                         struct result *result)
{
    struct drive d = {.bench = b, .operate = p->operate};
    struct limit *limit = &p->limit;

    bench_run(b, drive, &d);
    limit->partner = d.where;
    if (limit->batch == 0)
        limit->batch = 1;
    if (d.where == 0 && b->team.rank == 0) /* nothing leaves this rank */
        limit->kind = LIMIT_NONE;
    limit_choose(&b->team, limit, b->effort.window_s);

    result->has_limit = limit->kind != LIMIT_NONE;
    limit_way(limit, result->limit_way, sizeof result->limit_way);
    for (int i = 0; i < b->effort.windows; i++) {
        bench_run(b, drive, &d);
        double seconds = limit_run(&b->team, limit);
        if (b->team.rank != 0)
            continue;
        result->limit[result->windows] =
            in_unit(p, seconds, (double)limit->count / (double)p->round_trips);
        result_add(result, in_unit(p, d.seconds, (double)d.count));
    }
}

/* ---- one after the other ----------------------------------------------- */

static void operate_sync(trygon_t *tg, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        task_sync(tg, (uint64_t)i);
}

void row_task_sync(struct bench *b, struct result *result)
{
    struct pairing p = {.operate = operate_sync,
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
