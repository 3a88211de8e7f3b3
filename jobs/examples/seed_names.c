/* seed_names.c - actors by name: found from anywhere, made once by whoever comes
 * first, and detached ones that need no handle.
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

static int add_to(trygon_t *tg, trygon_ref_t actor, long x, long *sum)
{
    trygon_ref_t ref;
    int rc = trygon_actor_call(tg, actor, "add", 1, &TRYGON_BYTES(&x, sizeof x),
                               NULL, &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = trygon_get_into(tg, ref, TRYGON_FOREVER, sum, sizeof *sum, NULL);
    trygon_ref_release(tg, 1, &ref);
    return rc;
}

/* The first task that comes here makes the actor, all others find it.  It is
 * detached, so that it outlives the task that made it. */
static int count_me(trygon_call_t *call)
{
    trygon_t *tg = trygon_call_runtime(call);
    trygon_actor_opts_t opts;
    trygon_ref_t actor;
    long sum;
    trygon_actor_opts_init(&opts);
    opts.name = "visitors";
    opts.get_if_exists = true;
    opts.detached = true;
    int rc = trygon_actor_create(tg, "Counter", 0, NULL, &opts, &actor);
    if (rc == TRYGON_SUCCESS)
        rc = add_to(tg, actor, 1, &sum);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_ref_release(tg, 1, &actor);
    return rc != TRYGON_SUCCESS
               ? rc
               : trygon_call_return(call, 0, &TRYGON_BYTES("", 0));
}

enum { VISITORS = 20 };

static int visit(trygon_t *tg)
{
    trygon_ref_t done[VISITORS];
    trygon_value_t values[VISITORS];
    int rc = 0;
    for (int i = 0; i < VISITORS && rc == TRYGON_SUCCESS; i++)
        rc = trygon_submit(tg, "count_me", 0, NULL, NULL, &done[i]);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_get_n(tg, VISITORS, done, TRYGON_FOREVER, values);
    for (int i = 0; i < VISITORS && rc == TRYGON_SUCCESS; i++)
        rc = trygon_value_release(tg, &values[i]);
    return rc != TRYGON_SUCCESS ? rc : trygon_ref_release(tg, VISITORS, done);
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_actor_opts_t opts;
    trygon_ref_t named, found, other;
    trygon_actor_info_t all[8];
    long sum = 0;
    size_t n = 0;
    (void)arg;
    trygon_actor_opts_init(&opts);
    opts.name = "sum";
    int rc = trygon_actor_create(tg, "Counter", 0, NULL, &opts, &named);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_actor_find(tg, "sum", NULL, &found);
    if (rc == TRYGON_SUCCESS)
        rc = add_to(tg, found, 5, &sum);
    printf("sum: %ld\n", sum);
    if (trygon_actor_create(tg, "Counter", 0, NULL, &opts, &other) ==
        TRYGON_ERR_EXISTS)
        printf("there is one of that name\n");
    if (rc == TRYGON_SUCCESS)
        rc = trygon_ref_release(tg, 1, &named); /* the last that counts */
    if (trygon_actor_find(tg, "sum", NULL, &other) == TRYGON_ERR_NOTFOUND)
        printf("there is none any more\n");
    if (rc == TRYGON_SUCCESS)
        rc = trygon_ref_release(tg, 1, &found);

    if (rc == TRYGON_SUCCESS)
        rc = visit(tg);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_actor_find(tg, "visitors", NULL, &found);
    if (rc == TRYGON_SUCCESS)
        rc = add_to(tg, found, 0, &sum);
    printf("visitors: %ld\n", sum);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_actors(tg, 8, all, &n);
    for (size_t i = 0; i < n && i < 8; i++)
        if (all[i].state == TRYGON_ACTOR_ALIVE)
            printf("%s '%s' is alive%s\n", all[i].cls, all[i].name,
                   all[i].detached ? ", detached" : "");
    /* It lives on until it is killed or the runtime ends. */
    return rc != TRYGON_SUCCESS || trygon_ref_release(tg, 1, &found);
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_class(reg, &counter);
    trygon_registry_add_task(reg, "count_me", count_me);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
