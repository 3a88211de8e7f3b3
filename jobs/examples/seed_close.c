/* seed_close.c - a stream that is needed no more is released: what was not read
 * is freed, what was taken stays (Ray: del gen). */
#include <stdio.h>
#include <trygon/trygon.h>

static int f(trygon_call_t *call)
{
    for (int i = 0; i < 5; i++) {
        int rc = trygon_call_yield(call, &TRYGON_BYTES(&i, sizeof i));
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    return 0;
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t gen, item;
    int i = -1;
    (void)arg;
    if (trygon_submit_stream(tg, "f", 0, NULL, NULL, &gen) ||
        trygon_stream_next(tg, gen, TRYGON_FOREVER, &item))
        return 1;
    trygon_ref_t deleted = gen;
    trygon_ref_release(tg, 1, &gen);
    if (trygon_get_into(tg, item, TRYGON_FOREVER, &i, sizeof i, NULL))
        return 1;
    printf("%d\n", i);
    trygon_ref_release(tg, 1, &item);
    if (trygon_stream_next(tg, deleted, 0, &item) == TRYGON_ERR_NOTFOUND)
        printf("closed\n");
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
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
