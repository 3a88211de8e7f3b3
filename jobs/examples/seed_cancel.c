/* seed_cancel.c - a stream is cancelled: its next item says so, then it ends, so
 * that its reader knows a clean stop from a sudden one. */
#include <stdio.h>
#include <trygon/trygon.h>

/* Yields for ever; a yield tells when it was asked to stop. */
static int f(trygon_call_t *call)
{
    int rc = TRYGON_SUCCESS;
    for (int i = 0; rc == TRYGON_SUCCESS; i++)
        rc = trygon_call_yield(call, &TRYGON_BYTES(&i, sizeof i));
    return rc;
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_task_opts_t opts;
    trygon_ref_t gen, item;
    int i = -1;
    (void)arg;
    trygon_task_opts_init(&opts);
    opts.backpressure = 10; /* not too far ahead */
    if (trygon_submit_stream(tg, "f", 0, NULL, &opts, &gen) ||
        trygon_stream_next(tg, gen, TRYGON_FOREVER, &item) ||
        trygon_get_into(tg, item, TRYGON_FOREVER, &i, sizeof i, NULL))
        return 1;
    printf("%d\n", i);
    trygon_ref_release(tg, 1, &item);

    trygon_cancel(tg, gen, false, true);
    if (trygon_stream_next(tg, gen, TRYGON_FOREVER, &item))
        return 1;
    int rc = trygon_get_into(tg, item, TRYGON_FOREVER, &i, sizeof i, NULL);
    printf("%s\n", trygon_strerror(rc));
    trygon_ref_release(tg, 1, &item);
    rc = trygon_stream_next(tg, gen, TRYGON_FOREVER, &item);
    printf("%s\n", trygon_strerror(rc));
    return trygon_ref_release(tg, 1, &gen);
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_task(reg, "f", f);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
