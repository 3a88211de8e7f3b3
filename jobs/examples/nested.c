/* nested.c - tasks that submit tasks: a sum by halves.
 *
 * A task that waits in trygon_get lends its CPU, so that even on one core a
 * tree of tasks, each waiting for its children, comes to an end.
 */
#include <stdio.h>
#include <trygon/trygon.h>

struct range {
    long from, to; /* to is not in it */
};

static int sum(trygon_call_t *call)
{
    trygon_value_t arg;
    int rc = trygon_call_arg(call, 0, &arg);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct range r = *(const struct range *)arg.data;
    long total = 0;
    if (r.to - r.from <= 1000) {
        for (long i = r.from; i < r.to; i++)
            total += i;
        return trygon_call_return(call, 0, &TRYGON_BYTES(&total, sizeof total));
    }

    trygon_t *tg = trygon_call_runtime(call);
    long middle = r.from + (r.to - r.from) / 2;
    struct range half[2] = {{r.from, middle}, {middle, r.to}};
    trygon_ref_t ref[2];
    for (int i = 0; i < 2; i++) {
        rc = trygon_submit(tg, "sum", 1,
                           &TRYGON_BYTES(&half[i], sizeof half[i]), NULL,
                           &ref[i]);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    for (int i = 0; i < 2; i++) {
        long part;
        rc = trygon_get_into(tg, ref[i], TRYGON_FOREVER, &part, sizeof part,
                             NULL);
        if (rc != TRYGON_SUCCESS)
            return rc;
        total += part;
    }
    trygon_ref_release(tg, 2, ref);
    return trygon_call_return(call, 0, &TRYGON_BYTES(&total, sizeof total));
}

static int driver(trygon_t *tg, void *arg)
{
    struct range all = {1, 100001};
    trygon_ref_t ref;
    long total;
    (void)arg;
    if (trygon_submit(tg, "sum", 1, &TRYGON_BYTES(&all, sizeof all), NULL,
                      &ref) != TRYGON_SUCCESS)
        return 1;
    if (trygon_get_into(tg, ref, TRYGON_FOREVER, &total, sizeof total, NULL) !=
        TRYGON_SUCCESS)
        return 1;
    printf("1 + 2 + ... + 100000 = %ld\n", total);
    return trygon_ref_release(tg, 1, &ref);
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_task(reg, "sum", sum);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
