/* pair.c - see pair.h. */
#include "pair.h"

struct drive { /* one trygon_run() */
    const struct bench *bench;
    const struct pairing *pair;
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
        d->pair->operate(tg, n);
}

static int drive(trygon_t *tg, void *arg)
{
    struct drive *d = arg;
    double window_s = d->bench->effort.window_s;

    warm_up(tg, d);
    if (d->count == 0) {
        int64_t n = 1;
        double s;
        while ((s = timed(tg, d->pair->operate, n)) < window_s / 2.0)
            n *= 2;
        d->count = (int64_t)((double)n * window_s / s) + 1;
        d->where = d->pair->where(tg);
    }
    d->seconds = timed(tg, d->pair->operate, d->count);
    return 0;
}

static double in_unit(const struct pairing *p, double seconds, double count)
{
    return p->rate ? count / seconds : 1e6 * seconds / count;
}

void pair_windows(struct bench *b, struct pairing *p, struct result *result)
{
    struct drive d = {.bench = b, .pair = p};
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
