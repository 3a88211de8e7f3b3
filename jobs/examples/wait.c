/* wait.c - take results as they finish, not in the order of submission. */
#include <stdio.h>
#include <trygon/trygon.h>

enum { JOBS = 20 };

/* Steps until a number comes to 1, after Collatz. */
static int steps(trygon_call_t *call)
{
    trygon_value_t arg;
    int rc = trygon_call_arg(call, 0, &arg);
    if (rc != TRYGON_SUCCESS)
        return rc;
    long n = *(const long *)arg.data, count = 0;
    for (; n != 1; count++)
        n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&count, sizeof count));
}

/* A wait set costs the same per result however many are in it. */
static int drain(trygon_t *tg, trygon_waitset_t *ws, long count[JOBS])
{
    trygon_ref_t ref;
    uint64_t tag;
    int rc;
    while ((rc = trygon_waitset_next(ws, TRYGON_FOREVER, &ref, &tag)) ==
           TRYGON_SUCCESS) {
        rc = trygon_get_into(tg, ref, TRYGON_FOREVER, &count[tag],
                             sizeof count[tag], NULL);
        if (rc != TRYGON_SUCCESS)
            return rc;
        trygon_ref_release(tg, 1, &ref);
    }
    return rc == TRYGON_ERR_NOTFOUND ? TRYGON_SUCCESS : rc; /* empty: done */
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t ref[JOBS];
    trygon_waitset_t *ws;
    long count[JOBS];
    bool ready[JOBS];
    size_t nready;
    (void)arg;

    for (long i = 0; i < JOBS; i++) {
        long n = i + 1;
        if (trygon_submit(tg, "steps", 1, &TRYGON_BYTES(&n, sizeof n), NULL,
                          &ref[i]))
            return 1;
    }

    /* Ray's wait: some of them, marked in an array. */
    trygon_wait_opts_t opts;
    trygon_wait_opts_init(&opts);
    opts.num_returns = 5;
    if (trygon_wait(tg, JOBS, ref, &opts, ready, &nready))
        return 1;
    printf("%zu are ready\n", nready);

    if (trygon_waitset_create(tg, &ws))
        return 1;
    for (int i = 0; i < JOBS; i++)
        trygon_waitset_add(ws, ref[i], (uint64_t)i);
    int rc = drain(tg, ws, count);
    trygon_waitset_destroy(&ws);
    for (int i = 0; rc == TRYGON_SUCCESS && i < JOBS; i++)
        printf("%d: %ld steps\n", i + 1, count[i]);
    return rc;
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_task(reg, "steps", steps);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
