/* rows_actor.c - the cost of a call to an actor, against bare MPI (pair.h), of
 * an actor, and of the calls between many.
 */
#include <stdlib.h>

#include "bench.h"
#include "pair.h"

/* What the rows call: made in the first window, ended by the last. */
static trygon_ref_t actor;

static int where(trygon_t *tg)
{
    return actor_where(tg, actor);
}

static int make_actor(trygon_t *tg, void *arg)
{
    actor_create(tg, *(const int *)arg, &actor);
    return 0;
}

static int end_actor(trygon_t *tg, void *arg)
{
    (void)arg;
    return trygon_ref_release(tg, 1, &actor);
}

/* Rank 0's actor lives through the windows of one row. */
static void measure(struct bench *b, operation_fn operate, int concurrency,
                    struct limit limit, bool rate, struct result *result)
{
    struct pairing p = {.operate = operate,
                        .where = where,
                        .limit = limit,
                        .round_trips = 1,
                        .rate = rate};

    bench_run(b, make_actor, &concurrency);
    pair_windows(b, &p, result);
    bench_run(b, end_actor, NULL);
}

static void operate_sync(trygon_t *tg, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        trygon_ref_t ref;
        actor_call(tg, actor, (uint64_t)i, &ref);
        task_take(tg, (uint64_t)i, &ref);
    }
}

void row_actor_sync(struct bench *b, struct result *result)
{
    measure(b, operate_sync, 1, (struct limit){.kind = LIMIT_PING_PONG}, false,
            result);
}

/* As Ray's 1_1_actor_calls_async: 1000 calls, then get them. */
static void operate_async(trygon_t *tg, int64_t count)
{
    trygon_ref_t refs[TAKE_MOST];

    for (int64_t first = 0; first < count; first += TAKE_MOST) {
        int64_t n = count - first < TAKE_MOST ? count - first : TAKE_MOST;
        for (int64_t i = 0; i < n; i++)
            actor_call(tg, actor, (uint64_t)(first + i), &refs[i]);
        task_take_n(tg, (uint64_t)first, (size_t)n, refs);
    }
}

void row_actor_async(struct bench *b, struct result *result)
{
    measure(b, operate_async, 1,
            (struct limit){.kind = LIMIT_MASTER, .batch = 1}, true, result);
}

void row_actor_threaded_async(struct bench *b, struct result *result)
{
    measure(b, operate_async, 16,
            (struct limit){.kind = LIMIT_MASTER, .batch = 1}, true, result);
}

void row_async_actor_sync(struct bench *b, struct result *result)
{
    measure(b, operate_sync, 0, (struct limit){.kind = LIMIT_PING_PONG}, false,
            result);
}

void row_async_actor_async(struct bench *b, struct result *result)
{
    measure(b, operate_async, 0,
            (struct limit){.kind = LIMIT_MASTER, .batch = 1}, true, result);
}

/* ---- fibers ------------------------------------------------------------ */

enum { FIBERS = 16 };

struct turns {
    uint64_t n; /* of each fiber */
    double seconds;
};

static int drive_turns(trygon_t *tg, void *arg)
{
    struct turns *t = arg;

    actor_turns(tg, actor, FIBERS, t->n / 10 + 1);
    double start = clock_s();
    actor_turns(tg, actor, FIBERS, t->n);
    t->seconds = clock_s() - start;
    return 0;
}

/* From one call that gives way to the next, with all that the library does. */
void row_fiber_switch(struct bench *b, struct result *result)
{
    int async = 0;
    struct turns t = {.n = (uint64_t)(b->effort.window_s / 0.5e-6 / FIBERS)};

    bench_run(b, make_actor, &async);
    for (int i = 0; i < b->effort.windows; i++) {
        bench_run(b, drive_turns, &t);
        if (b->team.rank == 0)
            result_add(result, 1e9 * t.seconds / ((double)t.n * FIBERS));
    }
    bench_run(b, end_actor, NULL);
}

/* ---- many actors ------------------------------------------------------- */

struct crowd {
    trygon_ref_t *actors;
    size_t n;
    double seconds;
};

static int drive_crowd(trygon_t *tg, void *arg)
{
    struct crowd *c = arg;
    double start = clock_s();

    for (size_t i = 0; i < c->n; i++)
        actor_create(tg, 1, &c->actors[i]);
    for (size_t i = 0; i < c->n; i++)
        actor_await(tg, c->actors[i]);
    c->seconds = clock_s() - start;
    return trygon_ref_release(tg, c->n, c->actors);
}

/* Created, and all are ready. */
void row_actor_create(struct bench *b, struct result *result)
{
    struct crowd c = {.n = (size_t)b->effort.actors};

    c.actors = calloc(c.n, sizeof *c.actors);
    if (c.actors == NULL)
        die("out of memory for %zu references", c.n);
    for (int i = 0; i < b->effort.windows; i++) {
        bench_run(b, drive_crowd, &c);
        if (b->team.rank == 0)
            result_add(result, (double)c.n / c.seconds);
    }
    free(c.actors);
}

/* ---- many callers ------------------------------------------------------ */

enum { CALLERS_MOST = 64 };

struct callers {
    trygon_ref_t actors[CALLERS_MOST];
    size_t n;
    uint64_t calls; /* of each */
    double seconds;
};

/* As many as Ray has, half of the CPUs, but at least two. */
static size_t half_of_cpus(trygon_t *tg)
{
    double all, available;

    CHECK_TRYGON(trygon_resources(tg, "cpu", &all, &available));
    size_t n = (size_t)(all / 2.0);
    return n < 2 ? 2 : n > CALLERS_MOST ? CALLERS_MOST : n;
}

static int make_actors(trygon_t *tg, void *arg)
{
    struct callers *c = arg;

    c->n = half_of_cpus(tg);
    for (size_t i = 0; i < c->n; i++)
        actor_create(tg, 1, &c->actors[i]);
    for (size_t i = 0; i < c->n; i++)
        actor_await(tg, c->actors[i]);
    return 0;
}

static int end_actors(trygon_t *tg, void *arg)
{
    struct callers *c = arg;

    return trygon_ref_release(tg, c->n, c->actors);
}

static int drive_callers(trygon_t *tg, void *arg)
{
    struct callers *c = arg;
    trygon_ref_t refs[CALLERS_MOST];
    double start = clock_s();

    for (size_t i = 0; i < c->n; i++)
        actor_caller(tg, c->n, c->actors, c->calls, &refs[i]);
    for (size_t i = 0; i < c->n; i++)
        actor_caller_take(tg, c->calls, &refs[i]);
    c->seconds = clock_s() - start;
    return 0;
}

/* As Ray's n_n_actor_calls_async, the first time not counted. */
void row_n_n_actor_async(struct bench *b, struct result *result)
{
    struct callers c = {.calls = (uint64_t)b->effort.calls};

    bench_run(b, make_actors, &c);
    bench_run(b, drive_callers, &c);
    for (int i = 0; i < b->effort.windows; i++) {
        bench_run(b, drive_callers, &c);
        if (b->team.rank == 0)
            result_add(result, (double)(c.n * c.calls) / c.seconds);
    }
    if (b->team.rank == 0)
        result_extra(result, "callers", (double)c.n, "");
    bench_run(b, end_actors, &c);
}
