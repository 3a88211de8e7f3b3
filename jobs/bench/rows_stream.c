/* rows_stream.c - the cost of an item that a task yields, against bare MPI
 * (pair.h).
 */
#include "bench.h"
#include "pair.h"

static void operate_stream(trygon_t *tg, int64_t count)
{
    stream_read(tg, (uint64_t)count, -1);
}

static void operate_lock_step(trygon_t *tg, int64_t count)
{
    stream_read(tg, (uint64_t)count, 1);
}

void row_stream(struct bench *b, struct result *result)
{
    struct pairing p = {.operate = operate_stream,
                        .where = task_where,
                        .limit.kind = LIMIT_STREAM,
                        .round_trips = 1,
                        .rate = true};

    pair_windows(b, &p, result);
}

/* The reader takes one, then the task makes the next: a round trip each. */
void row_stream_backpressure_1(struct bench *b, struct result *result)
{
    struct pairing p = {.operate = operate_lock_step,
                        .where = task_where,
                        .limit.kind = LIMIT_PING_PONG,
                        .round_trips = 1};

    pair_windows(b, &p, result);
}
