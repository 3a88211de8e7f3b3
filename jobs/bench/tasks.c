/* tasks.c - the tasks and the actor of all rows, and how they are called
 * (bench.h).
 *
 * An argument is one number of 8 bytes, as is an answer, so that the message
 * that runs a task and the one that says it is done have about 64 bytes each
 * (LIMIT_RECORD), with their headers, references and so on.
 */
#include <inttypes.h>
#include <string.h>

#include "bench.h"

/* ---- what runs --------------------------------------------------------- */

static int number(trygon_call_t *call, size_t i, uint64_t *x)
{
    trygon_value_t arg;
    int rc = trygon_call_arg(call, i, &arg);

    if (rc != TRYGON_SUCCESS)
        return rc;
    if (arg.size != sizeof *x)
        return trygon_call_fail(call, 1, "argument %zu has %zu bytes", i,
                                arg.size);
    memcpy(x, arg.data, sizeof *x);
    return TRYGON_SUCCESS;
}

static int noop(trygon_call_t *call)
{
    uint64_t x;
    int rc = number(call, 0, &x);

    if (rc != TRYGON_SUCCESS)
        return rc;
    x++;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&x, sizeof x));
}

static int nested(trygon_call_t *call)
{
    trygon_t *tg = trygon_call_runtime(call);
    trygon_ref_t ref;
    uint64_t x;
    int rc = number(call, 0, &x);

    if (rc == TRYGON_SUCCESS)
        rc = trygon_submit(tg, "bench_noop", 1, &TRYGON_BYTES(&x, sizeof x),
                           NULL, &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = trygon_get_into(tg, ref, TRYGON_FOREVER, &x, sizeof x, NULL);
    x++;
    if (rc == TRYGON_SUCCESS)
        rc = trygon_call_return(call, 0, &TRYGON_BYTES(&x, sizeof x));
    int released = trygon_ref_release(tg, 1, &ref);
    return rc != TRYGON_SUCCESS ? rc : released;
}

static int sum(trygon_call_t *call)
{
    uint64_t total = 0, x;

    for (size_t i = 0; i < trygon_call_nargs(call); i++) {
        int rc = number(call, i, &x);
        if (rc != TRYGON_SUCCESS)
            return rc;
        total += x;
    }
    return trygon_call_return(call, 0, &TRYGON_BYTES(&total, sizeof total));
}

static int where(trygon_call_t *call)
{
    trygon_call_info_t info = {.size = sizeof info};
    int rc = trygon_call_info(call, &info);

    if (rc != TRYGON_SUCCESS)
        return rc;
    uint64_t rank = (uint64_t)info.rank;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&rank, sizeof rank));
}

static int items(trygon_call_t *call)
{
    uint64_t n;
    int rc = number(call, 0, &n);

    for (uint64_t i = 1; rc == TRYGON_SUCCESS && i <= n; i++)
        rc = trygon_call_yield(call, &TRYGON_BYTES(&i, sizeof i));
    return rc;
}

static int construct(trygon_call_t *call, void **self)
{
    (void)call;
    *self = NULL; /* it has no state */
    return TRYGON_SUCCESS;
}

static int method_noop(trygon_call_t *call, void *self)
{
    (void)self;
    return noop(call);
}

static int method_where(trygon_call_t *call, void *self)
{
    (void)self;
    return where(call);
}

static int call_one(trygon_t *tg, const trygon_value_t *actors, uint64_t x,
                    trygon_ref_t *ref)
{
    return trygon_actor_call(tg, actors->refs[x % actors->nrefs], "noop", 1,
                             &TRYGON_BYTES(&x, sizeof x), NULL, ref);
}

/* Calls the actors whose handles argument 1 has, so often as argument 0 says:
 * the sum of their answers. */
static int caller(trygon_call_t *call)
{
    trygon_t *tg = trygon_call_runtime(call);
    trygon_ref_t refs[TAKE_MOST];
    trygon_value_t actors;
    uint64_t n, total = 0, y;
    int rc = number(call, 0, &n);

    if (rc == TRYGON_SUCCESS)
        rc = trygon_call_arg(call, 1, &actors);
    for (uint64_t x = 0; rc == TRYGON_SUCCESS && x < n;) {
        size_t made = 0;
        while (rc == TRYGON_SUCCESS && made < TAKE_MOST && x < n) {
            rc = call_one(tg, &actors, x++, &refs[made]);
            made += rc == TRYGON_SUCCESS;
        }
        for (size_t i = 0; i < made; i++, total += y)
            CHECK_TRYGON(trygon_get_into(tg, refs[i], TRYGON_FOREVER, &y,
                                         sizeof y, NULL));
        CHECK_TRYGON(trygon_ref_release(tg, made, refs));
    }
    if (rc != TRYGON_SUCCESS)
        return rc;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&total, sizeof total));
}

/* Gives way to the other calls, as often as its argument says. */
static int method_turns(trygon_call_t *call, void *self)
{
    uint64_t n;
    int rc = number(call, 0, &n);

    (void)self;
    for (uint64_t i = 0; rc == TRYGON_SUCCESS && i < n; i++)
        rc = trygon_sleep(trygon_call_runtime(call), 0);
    return rc != TRYGON_SUCCESS ? rc : noop(call);
}

static const trygon_method_t methods[] = {{"noop", method_noop, NULL},
                                          {"turns", method_turns, NULL},
                                          {"where", method_where, NULL}};
static const trygon_class_t actor_class = {
    .size = sizeof actor_class,
    .name = "bench_actor",
    .construct = construct,
    .methods = methods,
    .nmethods = sizeof methods / sizeof *methods,
};

static const trygon_class_t async_class = {
    .size = sizeof async_class,
    .name = "bench_async",
    .construct = construct,
    .methods = methods,
    .nmethods = sizeof methods / sizeof *methods,
    .async = true,
};

void tasks_register(trygon_registry_t *registry)
{
    CHECK_TRYGON(trygon_registry_add_class(registry, &actor_class));
    CHECK_TRYGON(trygon_registry_add_task(registry, "bench_caller", caller));
    CHECK_TRYGON(trygon_registry_add_class(registry, &async_class));
    CHECK_TRYGON(trygon_registry_add_task(registry, "bench_items", items));
    CHECK_TRYGON(trygon_registry_add_task(registry, "bench_noop", noop));
    CHECK_TRYGON(trygon_registry_add_task(registry, "bench_nested", nested));
    CHECK_TRYGON(trygon_registry_add_task(registry, "bench_sum", sum));
    CHECK_TRYGON(trygon_registry_add_task(registry, "bench_where", where));
}

/* ---- who calls it ------------------------------------------------------ */

static uint64_t take(trygon_t *tg, trygon_ref_t *ref)
{
    uint64_t y = 0;
    size_t size;

    CHECK_TRYGON(
        trygon_get_into(tg, *ref, TRYGON_FOREVER, &y, sizeof y, &size));
    if (size != sizeof y)
        die("an answer has %zu bytes", size);
    CHECK_TRYGON(trygon_ref_release(tg, 1, ref));
    return y;
}

static void expect(uint64_t got, uint64_t want)
{
    if (got != want)
        die("a task answered %" PRIu64 " where %" PRIu64 " is right", got,
            want);
}

void task_submit(trygon_t *tg, uint64_t x, trygon_ref_t *ref)
{
    CHECK_TRYGON(trygon_submit(tg, "bench_noop", 1, &TRYGON_BYTES(&x, sizeof x),
                               NULL, ref));
}

void task_take(trygon_t *tg, uint64_t x, trygon_ref_t *ref)
{
    expect(take(tg, ref), x + 1);
}

bool task_take_if(trygon_t *tg, uint64_t x, trygon_ref_t *ref)
{
    uint64_t y = 0;
    int rc = trygon_get_into(tg, *ref, TRYGON_FOREVER, &y, sizeof y, NULL);

    if (rc != TRYGON_ERR_CANCELLED)
        CHECK_TRYGON(rc);
    if (rc == TRYGON_SUCCESS)
        expect(y, x + 1);
    CHECK_TRYGON(trygon_ref_release(tg, 1, ref));
    return rc == TRYGON_SUCCESS;
}

void task_take_n(trygon_t *tg, uint64_t first, size_t n, trygon_ref_t refs[])
{
    trygon_value_t values[TAKE_MOST];

    CHECK_TRYGON(trygon_get_n(tg, n, refs, TRYGON_FOREVER, values));
    for (size_t i = 0; i < n; i++) {
        uint64_t x;
        memcpy(&x, values[i].data, sizeof x);
        expect(x, first + i + 1);
        CHECK_TRYGON(trygon_value_release(tg, &values[i]));
    }
    CHECK_TRYGON(trygon_ref_release(tg, n, refs));
}

void task_sync(trygon_t *tg, uint64_t x)
{
    trygon_ref_t ref;

    task_submit(tg, x, &ref);
    task_take(tg, x, &ref);
}

void task_nested(trygon_t *tg, uint64_t x)
{
    trygon_ref_t ref;

    CHECK_TRYGON(trygon_submit(tg, "bench_nested", 1,
                               &TRYGON_BYTES(&x, sizeof x), NULL, &ref));
    expect(take(tg, &ref), x + 2);
}

void task_sum(trygon_t *tg, size_t n, const trygon_value_t args[],
              uint64_t total)
{
    trygon_ref_t ref;

    CHECK_TRYGON(trygon_submit(tg, "bench_sum", n, args, NULL, &ref));
    expect(take(tg, &ref), total);
}

int task_where(trygon_t *tg)
{
    trygon_ref_t ref;

    CHECK_TRYGON(trygon_submit(tg, "bench_where", 0, NULL, NULL, &ref));
    return (int)take(tg, &ref);
}

/* ---- the stream --------------------------------------------------------- */

void stream_read(trygon_t *tg, uint64_t n, int64_t backpressure)
{
    trygon_task_opts_t opts;
    trygon_ref_t stream, item;

    CHECK_TRYGON(trygon_task_opts_init(&opts));
    opts.backpressure = backpressure;
    CHECK_TRYGON(trygon_submit_stream(
        tg, "bench_items", 1, &TRYGON_BYTES(&n, sizeof n), &opts, &stream));
    for (uint64_t i = 1; i <= n; i++) {
        CHECK_TRYGON(trygon_stream_next(tg, stream, TRYGON_FOREVER, &item));
        expect(take(tg, &item), i);
    }
    CHECK_TRYGON(trygon_ref_release(tg, 1, &stream));
}

/* ---- the actor --------------------------------------------------------- */

void actor_create(trygon_t *tg, int concurrency, trygon_ref_t *actor)
{
    trygon_actor_opts_t opts;

    CHECK_TRYGON(trygon_actor_opts_init(&opts));
    opts.max_concurrency = concurrency;
    const char *class = concurrency > 0 ? "bench_actor" : "bench_async";
    CHECK_TRYGON(trygon_actor_create(tg, class, 0, NULL, &opts, actor));
}

void actor_await(trygon_t *tg, trygon_ref_t actor)
{
    bool ready;

    CHECK_TRYGON(trygon_wait(tg, 1, &actor, NULL, &ready, NULL));
}

void actor_call(trygon_t *tg, trygon_ref_t actor, uint64_t x, trygon_ref_t *ref)
{
    CHECK_TRYGON(trygon_actor_call(tg, actor, "noop", 1,
                                   &TRYGON_BYTES(&x, sizeof x), NULL, ref));
}

int actor_where(trygon_t *tg, trygon_ref_t actor)
{
    trygon_ref_t ref;

    CHECK_TRYGON(trygon_actor_call(tg, actor, "where", 0, NULL, NULL, &ref));
    return (int)take(tg, &ref);
}

void actor_caller(trygon_t *tg, size_t n, const trygon_ref_t actors[],
                  uint64_t calls, trygon_ref_t *ref)
{
    trygon_value_t args[2] = {TRYGON_BYTES(&calls, sizeof calls),
                              {.refs = actors, .nrefs = (uint32_t)n}};

    CHECK_TRYGON(trygon_submit(tg, "bench_caller", 2, args, NULL, ref));
}

void actor_caller_take(trygon_t *tg, uint64_t calls, trygon_ref_t *ref)
{
    expect(take(tg, ref), calls * (calls + 1) / 2);
}

void actor_turns(trygon_t *tg, trygon_ref_t actor, size_t calls, uint64_t n)
{
    trygon_ref_t refs[TAKE_MOST];

    for (size_t i = 0; i < calls; i++)
        CHECK_TRYGON(trygon_actor_call(tg, actor, "turns", 1,
                                       &TRYGON_BYTES(&n, sizeof n), NULL,
                                       &refs[i]));
    for (size_t i = 0; i < calls; i++)
        task_take(tg, n, &refs[i]);
}
