/* seed_generator.c - a task that yields numbers and fails at 1: its reader gets
 * the 0, then the error. */
#include <stdio.h>
#include <trygon/trygon.h>

static int f(trygon_call_t *call)
{
    for (int i = 0; i < 5; i++) {
        if (i == 1)
            return trygon_call_fail(call, 1, "ValueError");
        int rc = trygon_call_yield(call, &TRYGON_BYTES(&i, sizeof i));
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    return 0;
}

static int print(trygon_t *tg, trygon_ref_t item, void *arg)
{
    int i;
    (void)arg;
    int rc = trygon_get_into(tg, item, TRYGON_FOREVER, &i, sizeof i, NULL);
    if (rc == TRYGON_SUCCESS)
        printf("%d\n", i);
    return rc;
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t gen;
    trygon_error_t e = {.size = sizeof e};
    (void)arg;
    if (trygon_submit_stream(tg, "f", 0, NULL, NULL, &gen))
        return 1;
    if (trygon_stream_foreach(tg, gen, print, NULL) == TRYGON_ERR_TASK &&
        trygon_last_error(&e) == TRYGON_SUCCESS)
        printf("%s\n", e.text);
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
