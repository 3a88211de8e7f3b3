/* seed_object.c - objects: what a put, a task and an actor make is one thing, a
 * reference, and is found from any rank that was given it (Ray: ray.put,
 * ObjectRef). */
#include <stdio.h>
#include <trygon/trygon.h>

static int add(trygon_call_t *call)
{
    trygon_value_t a, b;
    if (trygon_call_arg(call, 0, &a) || trygon_call_arg(call, 1, &b))
        return TRYGON_ERR_INVALID;
    long sum = *(const long *)a.data + *(const long *)b.data;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&sum, sizeof sum));
}

/* An actor that was made with a number gives it. */
static int construct(trygon_call_t *call, void **self)
{
    static long number; /* one actor in this program */
    trygon_value_t arg;
    int rc = trygon_call_arg(call, 0, &arg);
    if (rc == TRYGON_SUCCESS)
        number = *(const long *)arg.data;
    *self = &number;
    return rc;
}

static int give(trygon_call_t *call, void *self)
{
    return trygon_call_return(call, 0, &TRYGON_BYTES(self, sizeof(long)));
}

static const trygon_method_t methods[] = {{"give", give, NULL}};
static const trygon_class_t keeper = {.size = sizeof keeper,
                                      .name = "Keeper",
                                      .construct = construct,
                                      .methods = methods,
                                      .nmethods = 1};

static int driver(trygon_t *tg, void *arg)
{
    long one = 1, result;
    trygon_ref_t put, made, actor, given, sum;
    (void)arg;
    if (trygon_put(tg, &TRYGON_BYTES(&one, sizeof one), &put))
        return 1;
    trygon_value_t twice[] = {TRYGON_REF(put), TRYGON_REF(put)};
    if (trygon_submit(tg, "add", 2, twice, NULL, &made) ||
        trygon_actor_create(tg, "Keeper", 1, &TRYGON_REF(made), NULL, &actor) ||
        trygon_actor_call(tg, actor, "give", 0, NULL, NULL, &given))
        return 1;
    trygon_value_t both[] = {TRYGON_REF(made), TRYGON_REF(given)};
    if (trygon_submit(tg, "add", 2, both, NULL, &sum) ||
        trygon_get_into(tg, sum, TRYGON_FOREVER, &result, sizeof result, NULL))
        return 1;
    printf("1 + 1 and again as much: %ld\n", result);
    trygon_ref_t all[] = {put, made, actor, given, sum};
    return trygon_ref_release(tg, sizeof all / sizeof *all, all);
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_task(reg, "add", add);
    trygon_registry_add_class(reg, &keeper);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
