/* seed_nested.c - a task that calls another and waits for it, each with its
 * resources; while it waits its CPU is the other's (Ray: num_cpus=1, a nested
 * ray.get). */
#include <stdio.h>
#include <trygon/trygon.h>

static int f(trygon_call_t *call)
{
    int one = 1;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&one, sizeof one));
}

static int call_f(trygon_t *tg, const char *task, int *x)
{
    trygon_task_opts_t opts;
    trygon_ref_t ref;
    trygon_task_opts_init(&opts);
    opts.num_cpus = 1;
    int rc = trygon_submit(tg, task, 0, NULL, &opts, &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = trygon_get_into(tg, ref, TRYGON_FOREVER, x, sizeof *x, NULL);
    trygon_ref_release(tg, 1, &ref);
    return rc;
}

static int outer(trygon_call_t *call)
{
    int x;
    int rc = call_f(trygon_call_runtime(call), "f", &x);
    if (rc != TRYGON_SUCCESS)
        return rc;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&x, sizeof x));
}

static int driver(trygon_t *tg, void *arg)
{
    int x;
    (void)arg;
    if (call_f(tg, "outer", &x))
        return 1;
    printf("%d\n", x);
    return 0;
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_task(reg, "f", f);
    trygon_registry_add_task(reg, "outer", outer);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
