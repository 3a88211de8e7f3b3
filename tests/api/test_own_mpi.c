/* test_own_mpi.c - a plain program that knows nothing of MPI: trygon_init starts
 * it, the last trygon_finalize ends it, and after that there is no other.
 */
#include <mpi.h>
#include <stdio.h>
#include <trygon/trygon.h>

static int failures;

static void check(bool good, const char *what)
{
    if (!good)
        fprintf(stderr, "not so: %s\n", what);
    failures += !good;
}

#define CHECK(cond_) check((cond_), #cond_)

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
    int *seen = arg;
    for (int i = 0; i < 20; i++) {
        trygon_ref_t ref;
        double x = i, y = -1;
        CHECK(trygon_submit(tg, "square", 1, &TRYGON_BYTES(&x, sizeof x), NULL,
                            &ref) == 0);
        CHECK(trygon_get_into(tg, ref, TRYGON_FOREVER, &y, sizeof y, NULL) ==
              0);
        CHECK(y >= x * x && y <= x * x);
        CHECK(trygon_ref_release(tg, 1, &ref) == 0);
    }
    return ++*seen;
}

int main(void)
{
    trygon_registry_t *reg = NULL;
    trygon_opts_t opts;
    trygon_t *a = NULL, *b = NULL;
    int on = 0, off = 0, level = 0, seen = 5, status = 0;
    CHECK(trygon_registry_create(&reg) == 0);
    CHECK(trygon_registry_add_task(reg, "square", square) == 0);
    CHECK(trygon_opts_init(&opts) == 0);
    opts.registry = reg;

    CHECK(trygon_init(MPI_COMM_NULL, &opts, &a) == 0);
    MPI_Initialized(&on);
    MPI_Query_thread(&level);
    CHECK(on && level == MPI_THREAD_MULTIPLE);
    CHECK(trygon_init(MPI_COMM_NULL, &opts, &b) == 0); /* while one lives */
    CHECK(trygon_run(a, driver, &seen, &status) == 0 && status == 6);
    CHECK(trygon_finalize(&a) == 0);
    MPI_Finalized(&off);
    CHECK(!off); /* b is still there */
    seen = 7;
    CHECK(trygon_run(b, driver, &seen, &status) == 0 && status == 8);
    CHECK(trygon_finalize(&b) == 0 && b == NULL);
    MPI_Finalized(&off);
    CHECK(off);

    CHECK(trygon_init(MPI_COMM_NULL, &opts, &a) == TRYGON_ERR_STATE);
    CHECK(a == NULL);
    CHECK(trygon_registry_destroy(&reg) == 0);
    return failures != 0;
}
