/* seed_async.c - two consumers at once on one thread: each reads the items of a
 * task of its own, and while one waits for its next item the other goes on
 * (Ray: two `async for` in an asyncio.gather).
 *
 * What is an asyncio program in Python is an actor of an async class here: its
 * calls are fibers.  The second consumer lets the first one's task begin, so
 * that they would never end one after the other. */
#include <stdio.h>
#include <trygon/trygon.h>

enum { ITEMS = 5 };

static int task(trygon_call_t *call)
{
    for (int i = 0; i < ITEMS; i++) {
        int rc = trygon_sleep(trygon_call_runtime(call), 20);
        if (rc == TRYGON_SUCCESS)
            rc = trygon_call_yield(call, &TRYGON_BYTES(&i, sizeof i));
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    return 0;
}

struct list {
    int n, items[ITEMS];
};

static int take(trygon_t *tg, trygon_ref_t item, void *arg)
{
    struct list *l = arg;
    return trygon_get_into(tg, item, TRYGON_FOREVER, &l->items[l->n++],
                           sizeof l->items[0], NULL);
}

/* self is the event that the first waits for and the second sets. */
static int async_task(trygon_call_t *call, void *self)
{
    trygon_t *tg = trygon_call_runtime(call);
    struct list l = {0};
    trygon_value_t first;
    trygon_ref_t gen;
    int rc = trygon_call_arg(call, 0, &first);
    if (rc == TRYGON_SUCCESS)
        rc = *(const bool *)first.data ? trygon_event_wait(self, TRYGON_FOREVER)
                                       : trygon_event_set(self);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_submit_stream(tg, "task", 0, NULL, NULL, &gen);
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = trygon_stream_foreach(tg, gen, take, &l);
    trygon_ref_release(tg, 1, &gen);
    if (rc != TRYGON_SUCCESS)
        return rc;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&l, sizeof l));
}

static int construct(trygon_call_t *call, void **self)
{
    trygon_event_t *event;
    int rc = trygon_event_create(trygon_call_runtime(call), &event);
    if (rc == TRYGON_SUCCESS)
        *self = event;
    return rc;
}

static void destroy(trygon_t *tg, void *self)
{
    trygon_event_t *event = self;
    (void)tg;
    trygon_event_destroy(&event);
}

static const trygon_method_t methods[] = {{"async_task", async_task, NULL}};
static const trygon_class_t program = {.size = sizeof program,
                                       .name = "Program",
                                       .construct = construct,
                                       .destroy = destroy,
                                       .methods = methods,
                                       .nmethods = 1,
                                       .async = true};

static int driver(trygon_t *tg, void *arg)
{
    bool first = true, second = false;
    trygon_ref_t actor, t1, t2;
    trygon_value_t lists[2];
    (void)arg;
    if (trygon_actor_create(tg, "Program", 0, NULL, NULL, &actor) ||
        trygon_actor_call(tg, actor, "async_task", 1,
                          &TRYGON_BYTES(&first, sizeof first), NULL, &t1) ||
        trygon_actor_call(tg, actor, "async_task", 1,
                          &TRYGON_BYTES(&second, sizeof second), NULL, &t2))
        return 1;
    trygon_ref_t gathered[] = {t1, t2};
    if (trygon_get_n(tg, 2, gathered, TRYGON_FOREVER, lists))
        return 1;
    for (int i = 0; i < 2; i++) {
        const struct list *l = lists[i].data;
        for (int j = 0; j < l->n; j++)
            printf("%d\n", l->items[j]);
        trygon_value_release(tg, &lists[i]);
    }
    trygon_ref_release(tg, 2, gathered);
    return trygon_ref_release(tg, 1, &actor);
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_task(reg, "task", task);
    trygon_registry_add_class(reg, &program);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
