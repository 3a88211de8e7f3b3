/* seed_task.c - a function that runs elsewhere, many times at once: submit
 * returns at once, get waits (Ray: @ray.remote, f.remote(i), ray.get). */
#include <stdio.h>
#include <trygon/trygon.h>

static int square(trygon_call_t *call)
{
    trygon_value_t arg;
    int rc = trygon_call_arg(call, 0, &arg);
    if (rc != TRYGON_SUCCESS)
        return rc;
    int x = *(const int *)arg.data;
    x *= x;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&x, sizeof x));
}

enum { N = 4 };

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t refs[N];
    trygon_value_t values[N];
    (void)arg;
    for (int i = 0; i < N; i++)
        if (trygon_submit(tg, "square", 1, &TRYGON_BYTES(&i, sizeof i), NULL,
                          &refs[i]))
            return 1;
    if (trygon_get_n(tg, N, refs, TRYGON_FOREVER, values))
        return 1;
    for (int i = 0; i < N; i++) {
        printf("%d\n", *(const int *)values[i].data);
        trygon_value_release(tg, &values[i]);
    }
    return trygon_ref_release(tg, N, refs);
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_task(reg, "square", square);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
