/* seed_actor.c - an actor: a worker with state of its own.
 *
 * A Counter lives on one rank.  Its methods are called from anywhere, those of
 * one caller in order; it ends, destructor included, with its last handle.
 */
#include <stdio.h>
#include <stdlib.h>
#include <trygon/trygon.h>

static int construct(trygon_call_t *call, void **self)
{
    (void)call;
    *self = calloc(1, sizeof(long));
    return *self != NULL ? 0 : TRYGON_ERR_NOMEM;
}

static void destroy(trygon_t *tg, void *self)
{
    (void)tg;
    free(self);
}

/* Adds its argument, returns the sum so far. */
static int add(trygon_call_t *call, void *self)
{
    trygon_value_t arg;
    int rc = trygon_call_arg(call, 0, &arg);
    long *n = self;
    if (rc != TRYGON_SUCCESS)
        return rc;
    *n += *(const long *)arg.data;
    return trygon_call_return(call, 0, &TRYGON_BYTES(n, sizeof *n));
}

static const trygon_method_t methods[] = {{"add", add, NULL}};
static const trygon_class_t counter = {.size = sizeof counter,
                                       .name = "Counter",
                                       .construct = construct,
                                       .destroy = destroy,
                                       .methods = methods,
                                       .nmethods = 1};

/* A task that was given the handle, in the references of its argument. */
static int add_ten_times(trygon_call_t *call)
{
    trygon_t *tg = trygon_call_runtime(call);
    trygon_value_t arg;
    long sum;
    int rc = trygon_call_arg(call, 0, &arg);
    for (long i = 0, one = 1; i < 10 && rc == TRYGON_SUCCESS; i++) {
        trygon_ref_t ref;
        rc = trygon_actor_call(tg, arg.refs[0], "add", 1,
                               &TRYGON_BYTES(&one, sizeof one), NULL, &ref);
        if (rc != TRYGON_SUCCESS)
            break;
        rc = trygon_get_into(tg, ref, TRYGON_FOREVER, &sum, sizeof sum, NULL);
        trygon_ref_release(tg, 1, &ref);
    }
    return rc != TRYGON_SUCCESS
               ? rc
               : trygon_call_return(call, 0, &TRYGON_BYTES("", 0));
}

static int add_and_print(trygon_t *tg, trygon_ref_t actor, long x)
{
    trygon_ref_t ref;
    long sum;
    int rc = trygon_actor_call(tg, actor, "add", 1, &TRYGON_BYTES(&x, sizeof x),
                               NULL, &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = trygon_get_into(tg, ref, TRYGON_FOREVER, &sum, sizeof sum, NULL);
    if (rc == TRYGON_SUCCESS)
        printf("add %ld: %ld\n", x, sum);
    trygon_ref_release(tg, 1, &ref);
    return rc;
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t actor, done[3];
    trygon_value_t value = {0};
    int rc = trygon_actor_create(tg, "Counter", 0, NULL, NULL, &actor);
    (void)arg;
    for (long x = 1; x <= 3 && rc == TRYGON_SUCCESS; x++)
        rc = add_and_print(tg, actor, x);

    trygon_value_t with_handle = {.refs = &actor, .nrefs = 1};
    for (int i = 0; i < 3 && rc == TRYGON_SUCCESS; i++)
        rc =
            trygon_submit(tg, "add_ten_times", 1, &with_handle, NULL, &done[i]);
    for (int i = 0; i < 3 && rc == TRYGON_SUCCESS; i++) {
        rc = trygon_get(tg, done[i], TRYGON_FOREVER, &value);
        trygon_value_release(tg, &value);
        trygon_ref_release(tg, 1, &done[i]);
    }
    if (rc == TRYGON_SUCCESS)
        rc = add_and_print(tg, actor, 0);
    return rc != TRYGON_SUCCESS || trygon_ref_release(tg, 1, &actor);
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_class(reg, &counter);
    trygon_registry_add_task(reg, "add_ten_times", add_ten_times);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
