/* hello.c - the first lines a user writes: a function becomes a task.
 *
 *     ./hello                 alone, or
 *     mpirun -n 4 ./hello     over four ranks
 */
#include <stdio.h>
#include <trygon/trygon.h>

static int square(trygon_call_t *call)
{
    trygon_value_t x;
    int rc = trygon_call_arg(call, 0, &x);
    if (rc != TRYGON_SUCCESS)
        return rc;
    double y = *(const double *)x.data;
    y *= y;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&y, sizeof y));
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t ref[4];
    (void)arg;
    for (int i = 0; i < 4; i++) {
        double x = i;
        if (trygon_submit(tg, "square", 1, &TRYGON_BYTES(&x, sizeof x), NULL,
                          &ref[i]))
            return 1;
    }
    for (int i = 0; i < 4; i++) {
        double y;
        if (trygon_get_into(tg, ref[i], TRYGON_FOREVER, &y, sizeof y, NULL))
            return 1;
        printf("%d squared is %g\n", i, y);
    }
    return trygon_ref_release(tg, 4, ref);
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
