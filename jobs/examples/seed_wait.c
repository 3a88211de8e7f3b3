/* seed_wait.c - wait over streams and references mixed: a stream gives one item
 * and goes back into the list until it ends, a reference gives its value.
 * What a handle is, its kind tells (Ray: isinstance(r, ObjectRefGenerator)). */
#include <stdio.h>
#include <trygon/trygon.h>

enum { STREAMS = 2, ALL = 4 };

static int f(trygon_call_t *call)
{
    for (int i = 0; i < 5; i++) {
        int rc = trygon_call_yield(call, &TRYGON_BYTES(&i, sizeof i));
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    return 0;
}

static int seven(trygon_call_t *call)
{
    int x = 7;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&x, sizeof x));
}

/* Read what is ready of r, which is given back when nothing more comes. */
static int take(trygon_t *tg, trygon_ref_t *r, int *count, int *sum)
{
    trygon_ref_t ref = *r;
    bool stream = trygon_ref_kind(*r) == TRYGON_KIND_STREAM;
    int x;
    if (stream) {
        int rc = trygon_stream_next(tg, *r, TRYGON_FOREVER, &ref);
        if (rc == TRYGON_ERR_END)
            return trygon_ref_release(tg, 1, r);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    int rc = trygon_get_into(tg, ref, TRYGON_FOREVER, &x, sizeof x, NULL);
    if (rc != TRYGON_SUCCESS)
        return rc;
    ++*count;
    *sum += x;
    return trygon_ref_release(tg, 1, stream ? &ref : r);
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t unready[ALL];
    int n = 0, count = 0, sum = 0;
    (void)arg;
    for (; n < STREAMS; n++)
        if (trygon_submit_stream(tg, "f", 0, NULL, NULL, &unready[n]))
            return 1;
    for (; n < ALL; n++)
        if (trygon_submit(tg, "seven", 0, NULL, NULL, &unready[n]))
            return 1;

    while (n > 0) {
        bool ready[ALL];
        if (trygon_wait(tg, (size_t)n, unready, NULL, ready, NULL))
            return 1;
        int kept = 0;
        for (int i = 0; i < n; i++) {
            if (ready[i] && take(tg, &unready[i], &count, &sum))
                return 1;
            if (trygon_ref_kind(unready[i]) != TRYGON_KIND_NONE)
                unready[kept++] = unready[i];
        }
        n = kept;
    }
    printf("%d values, their sum is %d\n", count, sum);
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
    trygon_registry_add_task(reg, "seven", seven);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
