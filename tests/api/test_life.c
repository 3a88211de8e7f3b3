/* test_life.c - runtimes in a host program that owns MPI: several runs, several
 * runtimes, parts of the world, ranks that only submit.
 */
#include "harness.h"

enum { GATE, RAN_AT /* + rank */ };

static int same(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN_AT + h_rank], 1);
    return return_int(c, arg_int(c, 0));
}

static int parent(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    return return_int(c, take_int(tg, call1(tg, "same", arg_int(c, 0))));
}

static int until_cancelled(trygon_call_t *c)
{
    atomic_store(&shared[GATE], 1);
    UNTIL(trygon_call_cancelled(c));
    return return_int(c, 1);
}

/* A reference that nobody gives back. */
static int leak(trygon_call_t *c)
{
    (void)put_int(trygon_call_runtime(c), 1);
    return return_int(c, 1);
}

static int try_to_run(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    CHECK_RC(trygon_run(tg, h_driver, NULL, NULL), TRYGON_ERR_STATE);
    CHECK_RC(trygon_finalize(&tg), TRYGON_ERR_STATE);
    return return_int(c, 1);
}

static const struct h_fn fns[] = {
    FN(same),       FN(parent),          FN(leak),
    FN(try_to_run), FN(until_cancelled), {NULL, NULL}};

static int64_t some_work(trygon_t *tg, int n)
{
    int64_t sum = 0;
    trygon_ref_t ref[200];
    for (int64_t i = 0; i < n; i++)
        ref[i] = call1(tg, i % 2 ? "same" : "parent", i);
    for (int i = 0; i < n; i++)
        sum += take_int(tg, ref[i]);
    return sum;
}

static int driver(trygon_t *tg, void *arg)
{
    CHECK(some_work(tg, 40) == 780);
    return arg != NULL ? *(int *)arg : 0;
}

static trygon_t *start_on(MPI_Comm comm, const trygon_registry_t *reg,
                          int slots)
{
    trygon_opts_t o;
    trygon_t *tg = NULL;
    h_opts(&o, reg, slots);
    OK(trygon_init(comm, &o, &tg));
    return tg;
}

static void finish(trygon_t **tg, trygon_registry_t **reg)
{
    OK(trygon_finalize(tg));
    CHECK(*tg == NULL);
    if (reg != NULL)
        OK(trygon_registry_destroy(reg));
}

/* ----- runs ----------------------------------------------------------------------- */

static void a_runtime_runs_again_and_again(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 1);
    int rank = -1, size = -1;
    OK(trygon_rank(tg, &rank, &size));
    CHECK(rank == h_rank && size == h_size);
    for (int i = -3; i < 4; i++) {
        int status = 99;
        OK(trygon_run(tg, driver, &i, &status));
        CHECK(status == i); /* on every rank */
    }
    OK(trygon_run(tg, driver, NULL, NULL));
    finish(&tg, &reg);
    h_none_left();
}

static int empty_driver(trygon_t *tg, void *arg)
{
    return tg != NULL ? *(int *)arg : -1;
}

/* Rank 0 needs nobody for it: it is through before others have begun. */
static void short_runs_follow_each_other(void)
{
    trygon_t *tg = start_on(MPI_COMM_WORLD, NULL, 1);
    for (int i = 1; i <= 200; i++) {
        int status = 0;
        OK(trygon_run(tg, empty_driver, &i, &status));
        CHECK(status == i);
    }
    finish(&tg, NULL);
}

/* A refused run leaves nothing behind. */
static void a_task_cannot_run_but_the_host_can(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 1);
    CHECK(take_int(tg, call(tg, "try_to_run", 0, NULL)) == 1);
    MPI_Barrier(MPI_COMM_WORLD);
    OK(trygon_run(tg, driver, NULL, NULL));
    CHECK(h_size > 1 || take_int(tg, call(tg, "try_to_run", 0, NULL)) == 1);
    finish(&tg, &reg);
}

static void a_runtime_need_not_run(void)
{
    for (int i = 0; i < 5; i++) {
        trygon_t *tg = start_on(MPI_COMM_WORLD, NULL, 1);
        finish(&tg, NULL);
    }
}

static trygon_ref_t kept[3];

static int keeping_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    kept[0] = call1(tg, "same", 3);
    kept[1] = put_int(tg, 4);
    kept[2] = call1(tg, "until_cancelled", 0);
    UNTIL(atomic_load(&shared[GATE]) == 1);
    return 0;
}

/* What the driver keeps is there after its run, until the end. */
static void references_outlive_the_run(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 1);
    int status;
    OK(trygon_run(tg, keeping_driver, NULL, &status));
    if (h_rank == 0) {
        trygon_value_t v;
        int rc = trygon_get(tg, kept[0], 0, &v); /* it may have started */
        CHECK(rc == TRYGON_SUCCESS || rc == TRYGON_ERR_CANCELLED);
        if (rc == TRYGON_SUCCESS)
            OK(trygon_value_release(tg, &v));
        CHECK(get_int(tg, kept[1]) == 4);
        CHECK(get_int(tg, kept[2]) == 1); /* its flag was set, it has ended */
        OK(trygon_ref_release(tg, 3, kept));
    }
    finish(&tg, &reg);
    h_none_left();
}

static int leaking_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    (void)put_int(tg, 1);
    trygon_ref_t ref = put_int(tg, 2);
    OK(trygon_ref_retain(tg, 1, &ref));
    trygon_value_t v;
    OK(trygon_get(tg, ref, 0, &v)); /* nor is this given back */
    return (int)take_int(tg, call(tg, "leak", 0, NULL));
}

static void counts_left_over_are_told_at_the_end(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 1);
    OK(trygon_run(tg, leaking_driver, NULL, NULL));
    finish(&tg, &reg);
    int told[2] = {h_logged("3 reference counts were never released"),
                   h_logged("1 reference counts were never released")};
    int want_more = h_logged("4 reference counts were never released");
    int all[2];
    MPI_Allreduce(told, all, 2, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (h_size == 1)
        CHECK(want_more == 1);
    else
        CHECK(all[0] == 1 && all[1] == 1);
}

/* ----- several runtimes --------------------------------------------------------------- */

static void runtimes_one_after_the_other(void)
{
    for (int i = 0; i < 10; i++) {
        trygon_registry_t *reg = h_registry(fns);
        trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 1 + i % 2);
        OK(trygon_run(tg, driver, NULL, NULL));
        finish(&tg, &reg);
        int on = 0, off = 1;
        MPI_Initialized(&on);
        MPI_Finalized(&off);
        CHECK(on && !off); /* MPI is the host's */
        MPI_Barrier(MPI_COMM_WORLD);
    }
    h_none_left();
}

static void *run_one(void *arg)
{
    OK(trygon_run(arg, driver, NULL, NULL));
    return NULL;
}

static void two_runtimes_at_once(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *a = start_on(MPI_COMM_WORLD, reg, 1);
    trygon_t *b = start_on(MPI_COMM_WORLD, reg, 1);
    for (int i = 0; i < 5; i++) {
        pthread_t id;
        pthread_create(&id, NULL, run_one, a);
        OK(trygon_run(b, driver, NULL, NULL));
        pthread_join(id, NULL);
    }
    finish(&a, NULL);
    CHECK_RC(trygon_registry_destroy(&reg), TRYGON_ERR_STATE); /* b uses it */
    OK(trygon_run(b, driver, NULL, NULL));
    finish(&b, &reg);
    h_none_left();
}

/* A driver may use both: the other runtime's ranks work in the background. */
static int driver_of_both(trygon_t *tg, void *arg)
{
    trygon_t *other = arg;
    for (int64_t i = 0; i < 20; i++) {
        trygon_ref_t a = call1(tg, "same", i), b = call1(other, "same", i);
        trygon_value_t v;
        if (h_size > 1) /* owned by one runtime, unknown to the other */
            CHECK(trygon_ref_equal(a, b) ||
                  trygon_get(other, a, 0, &v) != TRYGON_SUCCESS);
        CHECK(take_int(tg, a) + take_int(other, b) == 2 * i);
    }
    return 0;
}

static void one_driver_uses_two_runtimes(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *a = start_on(MPI_COMM_WORLD, reg, 1);
    trygon_t *b = start_on(MPI_COMM_WORLD, reg, 1);
    OK(trygon_run(a, driver_of_both, b, NULL));
    finish(&b, NULL);
    finish(&a, &reg);
    h_none_left();
}

/* ----- parts of the world ---------------------------------------------------------------- */

static void a_part_of_the_world(void)
{
    trygon_registry_t *reg = h_registry(fns);
    MPI_Comm part;
    bool in = h_rank != 0 || h_size == 1; /* world's rank 0 stays out */
    /* In reverse, so that the head is the world's last rank. */
    MPI_Comm_split(MPI_COMM_WORLD, in ? 1 : MPI_UNDEFINED, -h_rank, &part);
    if (in) {
        trygon_t *tg = start_on(part, reg, 1);
        MPI_Comm_free(&part); /* only a duplicate is in use */
        int rank = -1, size = -1;
        OK(trygon_rank(tg, &rank, &size));
        CHECK(rank == h_size - 1 - h_rank);
        CHECK(size == (h_size == 1 ? 1 : h_size - 1));
        OK(trygon_run(tg, driver, NULL, NULL));
        finish(&tg, NULL);
        CHECK(atomic_load(&shared[RAN_AT]) == 0 || h_size == 1);
    }
    OK(trygon_registry_destroy(&reg));
    h_none_left();
}

static void two_halves_with_a_runtime_each(void)
{
    trygon_registry_t *reg = h_registry(fns);
    MPI_Comm half;
    MPI_Comm_split(MPI_COMM_WORLD, h_rank % 2, h_rank, &half);
    trygon_t *tg = start_on(half, reg, 1);
    OK(trygon_run(tg, driver, NULL, NULL));
    finish(&tg, &reg);
    MPI_Comm_free(&half);
    h_none_left();
}

/* The host's own messages on the same ranks, with tags of all kinds. */
static int talking_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++) {
        int x = i, y = -1;
        MPI_Sendrecv(&x, 1, MPI_INT, 0, i, &y, 1, MPI_INT, 0, i, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        CHECK(y == i && take_int(tg, call1(tg, "same", i)) == i);
    }
    return 0;
}

static void the_hosts_own_messages_do_not_mind(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 1);
    int x = h_rank, y = -1, next = (h_rank + 1) % h_size;
    MPI_Request r;
    MPI_Irecv(&y, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &r);
    OK(trygon_run(tg, driver, NULL, NULL));
    MPI_Send(&x, 1, MPI_INT, next, 77, MPI_COMM_WORLD);
    MPI_Wait(&r, MPI_STATUS_IGNORE);
    CHECK(y == (h_rank + h_size - 1) % h_size);
    OK(trygon_run(tg, talking_driver, NULL, NULL));
    finish(&tg, &reg);
}

/* ----- ranks that only submit ---------------------------------------------------------------- */

static void a_rank_without_slots_runs_nothing(void)
{
    trygon_registry_t *reg = h_registry(fns);
    bool client = h_rank == 1;
    trygon_t *tg = start_on(MPI_COMM_WORLD, reg, client ? 0 : 2);
    if (h_size != 2) /* two: there would be no slot at all */
        OK(trygon_run(tg, driver, NULL, NULL));
    if (client && h_size > 2)
        CHECK(some_work(tg, 20) == 190);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(atomic_load(&shared[RAN_AT + 1]) == 0);
    finish(&tg, &reg);
    h_none_left();
}

/* Between init and finalize every rank may submit, with no driver anywhere. */
static void all_ranks_submit_without_a_run(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 2);
    CHECK(some_work(tg, 100) == 4950);
    MPI_Barrier(MPI_COMM_WORLD); /* others still need this rank */
    finish(&tg, &reg);
    h_none_left();
}

static void *submit_some(void *arg)
{
    CHECK(some_work(arg, 60) == 1770);
    return NULL;
}

static void threads_of_all_ranks_submit_at_once(void)
{
    enum { N = 3 };
    pthread_t id[N];
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 2);
    for (int i = 0; i < N; i++)
        pthread_create(&id[i], NULL, submit_some, tg);
    for (int i = 0; i < N; i++)
        pthread_join(id[i], NULL);
    MPI_Barrier(MPI_COMM_WORLD);
    finish(&tg, &reg);
    h_none_left();
}

/* Whoever leaves a wait leaves somebody behind who takes in messages.  At the
 * start it is chance which thread does that first. */
static void a_rank_serves_on_when_its_callers_have_left(void)
{
    trygon_registry_t *reg = h_registry(fns);
    for (int round = 0; round < 40; round++) {
        trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 2);
        int n = 10 + 7 * (h_rank + round) % 31;
        CHECK(some_work(tg, n) == n * (n - 1) / 2);
        MPI_Barrier(MPI_COMM_WORLD);
        finish(&tg, NULL);
    }
    OK(trygon_registry_destroy(&reg));
    h_none_left();
}

/* Finalize cancels what a rank has not started, and waits for what runs. */
static void finalize_ends_what_is_left(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start_on(MPI_COMM_WORLD, reg, 1);
    trygon_ref_t first = call1(tg, "until_cancelled", 0);
    for (int i = 0; i < 50; i++)
        drop(tg, call(tg, "same", 1, &TRYGON_REF(first)));
    drop(tg, first);
    UNTIL(atomic_load(&shared[GATE]) == 1);
    finish(&tg, &reg);
    h_none_left();
}

static const struct h_host_test tests[] = {
    HOST_TEST(a_runtime_runs_again_and_again),
    HOST_TEST(short_runs_follow_each_other),
    HOST_TEST(a_task_cannot_run_but_the_host_can),
    HOST_TEST(a_runtime_need_not_run),
    HOST_TEST(references_outlive_the_run),
    HOST_TEST(counts_left_over_are_told_at_the_end),
    HOST_TEST(runtimes_one_after_the_other),
    HOST_TEST(two_runtimes_at_once),
    HOST_TEST(one_driver_uses_two_runtimes),
    HOST_TEST(a_part_of_the_world),
    HOST_TEST(two_halves_with_a_runtime_each),
    HOST_TEST(the_hosts_own_messages_do_not_mind),
    HOST_TEST(a_rank_without_slots_runs_nothing),
    HOST_TEST(all_ranks_submit_without_a_run),
    HOST_TEST(threads_of_all_ranks_submit_at_once),
    HOST_TEST(a_rank_serves_on_when_its_callers_have_left),
    HOST_TEST(finalize_ends_what_is_left),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
}
