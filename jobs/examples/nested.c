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
    struct range left = {r.from, middle}, right = {middle, r.to};
    trygon_value_t half[] = {TRYGON_BYTES(&left, sizeof left),
                             TRYGON_BYTES(&right, sizeof right)};
    trygon_ref_t ref[2] = {{0, 0}, {0, 0}};
    for (int i = 0; i < 2 && rc == TRYGON_SUCCESS; i++)
        rc = trygon_submit(tg, "sum", 1, &half[i], NULL, &ref[i]);
    for (int i = 0; i < 2 && rc == TRYGON_SUCCESS; i++) {
        long part = 0;
        rc = trygon_get_into(tg, ref[i], TRYGON_FOREVER, &part, sizeof part,
                             NULL);
        total += part;
    }
    trygon_ref_release(tg, 2, ref); /* {0, 0} is no reference: skipped */
    if (rc != TRYGON_SUCCESS)
        return rc; /* a child's error becomes ours, with its cause */
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
