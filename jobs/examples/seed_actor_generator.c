/* seed_actor_generator.c - actors whose methods yield: a regular one yields one
 * stream after another, an async one and one with max_concurrency=5 several at
 * once.
 *
 * When a stream is not needed any more, release it, also before its end.
 */
#include <stdio.h>
#include <trygon/trygon.h>

enum { STREAMS = 5, ITEMS = 5 };

static int f(trygon_call_t *call, void *self)
{
    (void)self;
    for (int i = 0; i < ITEMS; i++) {
        int rc = trygon_call_yield(call, &TRYGON_BYTES(&i, sizeof i));
        if (rc != TRYGON_SUCCESS)
            return rc; /* asked to stop */
    }
    return 0;
}

static int construct(trygon_call_t *call, void **self)
{
    (void)call;
    (void)self;
    return 0;
}

static const trygon_method_t methods[] = {{"f", f, NULL}};
static const trygon_class_t actor = {.size = sizeof actor,
                                     .name = "actor",
                                     .construct = construct,
                                     .methods = methods,
                                     .nmethods = 1};
static const trygon_class_t async_actor = {.size = sizeof async_actor,
                                           .name = "asyncActor",
                                           .construct = construct,
                                           .methods = methods,
                                           .nmethods = 1,
                                           .async = true};

static int print(trygon_t *tg, trygon_ref_t item, void *arg)
{
    int i;
    (void)arg;
    int rc = trygon_get_into(tg, item, TRYGON_FOREVER, &i, sizeof i, NULL);
    if (rc == TRYGON_SUCCESS)
        printf(" %d", i);
    return rc;
}

static int call_f(trygon_t *tg, trygon_ref_t a, trygon_ref_t *gen)
{
    trygon_call_opts_t opts;
    trygon_call_opts_init(&opts);
    opts.backpressure = 1; /* each item when the one before it was taken */
    return trygon_actor_call_stream(tg, a, "f", 0, NULL, &opts, gen);
}

static int regular(trygon_t *tg)
{
    trygon_ref_t a, gen;
    int rc = trygon_actor_create(tg, "actor", 0, NULL, NULL, &a);
    if (rc != TRYGON_SUCCESS)
        return rc;
    printf("regular:");
    rc = call_f(tg, a, &gen);
    if (rc == TRYGON_SUCCESS) {
        rc = trygon_stream_foreach(tg, gen, print, NULL);
        trygon_ref_release(tg, 1, &gen);
    }
    printf("\n");
    trygon_ref_release(tg, 1, &a);
    return rc;
}

/* One item of each stream by turns: all methods run at once. */
static int by_turns(trygon_t *tg, const char *kind, const char *cls)
{
    trygon_actor_opts_t opts;
    trygon_ref_t a, gen[STREAMS] = {{0, 0}}, item;
    trygon_actor_opts_init(&opts);
    opts.max_concurrency = STREAMS;
    int rc = trygon_actor_create(tg, cls, 0, NULL, &opts, &a);
    if (rc != TRYGON_SUCCESS)
        return rc;
    for (int s = 0; s < STREAMS && rc == TRYGON_SUCCESS; s++)
        rc = call_f(tg, a, &gen[s]);
    for (int i = 0; i < ITEMS && rc == TRYGON_SUCCESS; i++) {
        printf("%s:", kind);
        for (int s = 0; s < STREAMS && rc == TRYGON_SUCCESS; s++) {
            rc = trygon_stream_next(tg, gen[s], TRYGON_FOREVER, &item);
            if (rc != TRYGON_SUCCESS)
                break;
            rc = print(tg, item, NULL);
            trygon_ref_release(tg, 1, &item);
        }
        printf("\n");
    }
    trygon_ref_release(tg, STREAMS, gen);
    trygon_ref_release(tg, 1, &a);
    return rc;
}

static int driver(trygon_t *tg, void *arg)
{
    (void)arg;
    return regular(tg) || by_turns(tg, "async", "asyncActor") ||
           by_turns(tg, "threaded", "actor");
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_class(reg, &actor);
    trygon_registry_add_class(reg, &async_actor);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
