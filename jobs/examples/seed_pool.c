/* seed_pool.c - a pool of two actors that work off calls, one each at a time. */
#include <stdio.h>
#include <trygon/trygon.h>

static int construct(trygon_call_t *call, void **self)
{
    (void)call;
    (void)self;
    return 0;
}

static int twice(trygon_call_t *call, void *self)
{
    trygon_value_t v;
    (void)self;
    int rc = trygon_call_arg(call, 0, &v);
    if (rc != TRYGON_SUCCESS)
        return rc;
    int x = 2 * *(const int *)v.data;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&x, sizeof x));
}

static const trygon_method_t methods[] = {{"double", twice, NULL}};
static const trygon_class_t actor = {.size = sizeof actor,
                                     .name = "Actor",
                                     .construct = construct,
                                     .methods = methods,
                                     .nmethods = 1};

static int print(trygon_t *tg, trygon_ref_t result, void *arg)
{
    int x;
    (void)arg;
    int rc = trygon_get_into(tg, result, TRYGON_FOREVER, &x, sizeof x, NULL);
    if (rc == TRYGON_SUCCESS)
        printf("%d\n", x);
    return rc;
}

/* list(pool.map(lambda a, v: a.double.remote(v), [1, 2, 3, 4])) */
static int map(trygon_actor_pool_t *pool)
{
    static const int numbers[] = {1, 2, 3, 4};
    trygon_value_t values[4];
    for (int i = 0; i < 4; i++)
        values[i] = TRYGON_BYTES(&numbers[i], sizeof numbers[i]);
    return trygon_actor_pool_map(pool, "double", 4, values, true, print, NULL);
}

/* pool.submit(...), while pool.has_next(): pool.get_next() */
static int submit(trygon_t *tg, trygon_actor_pool_t *pool)
{
    int rc = TRYGON_SUCCESS;
    size_t n = 0;
    for (int x = 10; x < 15 && rc == TRYGON_SUCCESS; x++)
        rc = trygon_actor_pool_submit(pool, "double", 1,
                                      &TRYGON_BYTES(&x, sizeof x));
    while (rc == TRYGON_SUCCESS) {
        trygon_ref_t result;
        rc = trygon_actor_pool_outstanding(pool, &n);
        if (rc != TRYGON_SUCCESS || n == 0)
            break;
        rc = trygon_actor_pool_next(pool, TRYGON_FOREVER, &result);
        if (rc != TRYGON_SUCCESS)
            break;
        rc = print(tg, result, NULL);
        trygon_ref_release(tg, 1, &result);
    }
    return rc;
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t actors[2] = {{0, 0}};
    trygon_actor_pool_t *pool = NULL;
    int rc = TRYGON_SUCCESS;
    (void)arg;
    for (int i = 0; i < 2 && rc == TRYGON_SUCCESS; i++)
        rc = trygon_actor_create(tg, "Actor", 0, NULL, NULL, &actors[i]);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_actor_pool_create(tg, 2, actors, &pool);
    trygon_ref_release(tg, 2, actors); /* the pool holds them */
    if (rc == TRYGON_SUCCESS)
        rc = map(pool);
    if (rc == TRYGON_SUCCESS)
        rc = submit(tg, pool);
    trygon_actor_pool_destroy(&pool);
    return rc;
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_class(reg, &actor);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
