/* test_cancel.c - cancelling tasks in every state, from anywhere. */
#include "harness.h"

enum { GATE, RAN, STARTED, STOPPED, CHILDREN };

/* ----- tasks ------------------------------------------------------------------- */

static int same(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN], 1);
    return return_int(c, arg_int(c, 0));
}

static int gated(trygon_call_t *c)
{
    atomic_fetch_add(&shared[STARTED], 1);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, 5);
}

/* Runs until it is asked to stop, and ends as argument 0 says: 0 with a value,
 * else with that code. */
static int until_cancelled(trygon_call_t *c)
{
    atomic_fetch_add(&shared[STARTED], 1);
    UNTIL(trygon_call_cancelled(c));
    atomic_fetch_add(&shared[STOPPED], 1);
    int64_t code = arg_int(c, 0);
    return code == 0 ? return_int(c, 77) : (int)code;
}

/* Every way to wait ends with CANCELLED, and goes on doing so; what does not
 * wait still works. */
static int blocked(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t never, v;
    OK(trygon_call_arg(c, 0, &never));
    trygon_ref_t ref = never.refs[0];
    atomic_fetch_add(&shared[STARTED], 1);
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v), TRYGON_ERR_CANCELLED);
    CHECK(trygon_call_cancelled(c));
    CHECK_RC(trygon_get(tg, ref, 10, &v), TRYGON_ERR_CANCELLED);
    bool ready;
    CHECK_RC(trygon_wait(tg, 1, &ref, NULL, &ready, NULL),
             TRYGON_ERR_CANCELLED);
    trygon_waitset_t *ws;
    OK(trygon_waitset_create(tg, &ws));
    OK(trygon_waitset_add(ws, ref, 0));
    CHECK_RC(trygon_waitset_next(ws, TRYGON_FOREVER, &ref, NULL),
             TRYGON_ERR_CANCELLED);
    OK(trygon_waitset_destroy(&ws));
    size_t n;
    CHECK_RC(trygon_nodes(tg, 0, NULL, &n), TRYGON_ERR_CANCELLED);
    trygon_ref_t put = put_int(tg, 3);
    CHECK(take_int(tg, put) == 3);
    atomic_fetch_add(&shared[STOPPED], 1);
    return return_int(c, 12);
}

/* Ends with the code that its wait ended with. */
static int pass_the_code_on(trygon_call_t *c)
{
    trygon_value_t never, v;
    OK(trygon_call_arg(c, 0, &never));
    atomic_fetch_add(&shared[STARTED], 1);
    return trygon_get(trygon_call_runtime(c), never.refs[0], TRYGON_FOREVER,
                      &v);
}

/* Waits for a child that stops only when it is cancelled. */
static int with_child(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref = call1(tg, "until_cancelled", 0);
    atomic_fetch_add(&shared[CHILDREN], 1);
    trygon_value_t v;
    int rc = trygon_get(tg, ref, TRYGON_FOREVER, &v);
    if (rc == TRYGON_SUCCESS)
        OK(trygon_value_release(tg, &v));
    drop(tg, ref);
    return rc;
}

/* A task whose child waits for a child. */
static int with_grandchild(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref = call(tg, "with_child", 0, NULL);
    trygon_value_t v;
    int rc = trygon_get(tg, ref, TRYGON_FOREVER, &v);
    drop(tg, ref);
    return rc;
}

/* Cancels what argument 0 refers to. */
static int cancel_other(trygon_call_t *c)
{
    trygon_value_t v;
    OK(trygon_call_arg(c, 0, &v));
    OK(trygon_cancel(trygon_call_runtime(c), v.refs[0], false, false));
    return return_int(c, 0);
}

/* ----- not started ----------------------------------------------------------------- */

/* All slots are taken. */
static size_t block_all(trygon_t *tg, trygon_ref_t ref[16])
{
    size_t n = h_size == 1 ? 1 : (size_t)h_size - 1;
    for (size_t i = 0; i < n; i++)
        ref[i] = call(tg, "gated", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == (int)n);
    return n;
}

static void unblock(trygon_t *tg, size_t n, trygon_ref_t ref[])
{
    atomic_store(&shared[GATE], 1);
    for (size_t i = 0; i < n; i++)
        CHECK(take_int(tg, ref[i]) == 5);
}

static void a_queued_task_never_runs(trygon_t *tg)
{
    trygon_ref_t busy[16], ref[10];
    size_t n = block_all(tg, busy);
    for (int64_t i = 0; i < 10; i++)
        ref[i] = call1(tg, "same", i);
    for (int i = 0; i < 10; i += 2)
        OK(trygon_cancel(tg, ref[i], false, false));
    for (int i = 0; i < 10; i += 2)
        CHECK_RC(take_code(tg, ref[i]), TRYGON_ERR_CANCELLED);
    unblock(tg, n, busy);
    for (int i = 1; i < 10; i += 2)
        CHECK(take_int(tg, ref[i]) == i);
    CHECK(atomic_load(&shared[RAN]) == 5);
}

static void one_that_waits_for_arguments_ends_at_once(trygon_t *tg)
{
    trygon_ref_t gate = call(tg, "gated", 0, NULL);
    trygon_ref_t ref = call(tg, "same", 1, &TRYGON_REF(gate));
    trygon_ref_t after = call(tg, "same", 1, &TRYGON_REF(ref));
    trygon_ref_t other = call(tg, "same", 1, &TRYGON_REF(gate));
    OK(trygon_cancel(tg, ref, false, true));
    trygon_value_t v;
    CHECK_RC(trygon_get(tg, ref, 5000, &v), TRYGON_ERR_CANCELLED);
    CHECK_RC(trygon_get(tg, after, 5000, &v), TRYGON_ERR_DEPENDENCY);
    trygon_error_t e = {.size = sizeof e};
    OK(trygon_ref_cause(tg, after, 0, &e));
    CHECK(e.code == TRYGON_ERR_CANCELLED);
    CHECK_RC(trygon_get(tg, other, 0, &v), TRYGON_ERR_TIMEOUT);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, other) == 5);
    CHECK(take_int(tg, gate) == 5);
    drop(tg, ref);
    drop(tg, after);
    CHECK(atomic_load(&shared[RAN]) == 1);
}

static void a_cancel_in_a_chain_spares_what_is_before(trygon_t *tg)
{
    trygon_ref_t ref[5] = {call(tg, "gated", 0, NULL)};
    for (int i = 1; i < 5; i++)
        ref[i] = call(tg, "same", 1, &TRYGON_REF(ref[i - 1]));
    OK(trygon_cancel(tg, ref[3], false, false));
    CHECK_RC(take_code(tg, ref[3]), TRYGON_ERR_CANCELLED);
    CHECK_RC(take_code(tg, ref[4]), TRYGON_ERR_DEPENDENCY);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 3; i++)
        CHECK(take_int(tg, ref[i]) == 5);
}

static void all_returns_of_a_cancelled_task_fail(trygon_t *tg)
{
    trygon_ref_t gate = call(tg, "gated", 0, NULL), ref[3];
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_returns = 3;
    OK(trygon_submit(tg, "same", 1, &TRYGON_REF(gate), &o, ref));
    OK(trygon_cancel(tg, ref[1], false, false));
    for (int i = 0; i < 3; i++)
        CHECK_RC(take_code(tg, ref[i]), TRYGON_ERR_CANCELLED);
    atomic_store(&shared[GATE], 1);
    drop(tg, gate);
}

/* ----- finished, put, unknown ---------------------------------------------------------- */

static void a_finished_task_does_not_mind(trygon_t *tg)
{
    trygon_ref_t ref = call1(tg, "same", 3), put = put_int(tg, 4);
    CHECK(get_int(tg, ref) == 3);
    OK(trygon_cancel(tg, ref, false, true));
    OK(trygon_cancel(tg, put, false, true));
    CHECK(take_int(tg, ref) == 3);
    CHECK(take_int(tg, put) == 4);
}

static void force_is_refused(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "gated", 0, NULL);
    CHECK_RC(trygon_cancel(tg, ref, true, false), TRYGON_ERR_UNSUPPORTED);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, ref) == 5);
}

/* ----- running ------------------------------------------------------------------------- */

static void a_running_task_sees_its_flag_and_its_value_stands(trygon_t *tg)
{
    trygon_ref_t ref = call1(tg, "until_cancelled", 0);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, ref, false, false));
    CHECK(take_int(tg, ref) == 77);
}

static void a_cancelled_task_is_not_retried(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.nretry_codes = TRYGON_ANY_CODE;
    int64_t code = 4;
    trygon_ref_t ref = call_with(tg, "until_cancelled", &o, 1, &INT(code));
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, ref, false, false));
    CHECK_RC(take_code(tg, ref), TRYGON_ERR_TASK);
    CHECK(atomic_load(&shared[STARTED]) == 1);
}

static void waits_inside_a_cancelled_task_end(trygon_t *tg)
{
    trygon_ref_t gate = call(tg, "gated", 0, NULL);
    trygon_value_t v = {.refs = &gate, .nrefs = 1};
    trygon_ref_t ref = call(tg, "blocked", 1, &v);
    UNTIL(atomic_load(&shared[STARTED]) == 2);
    OK(trygon_cancel(tg, ref, false, false));
    CHECK(take_int(tg, ref) == 12);
    CHECK(atomic_load(&shared[STOPPED]) == 1);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, gate) == 5);
}

static void a_task_can_end_as_cancelled(trygon_t *tg)
{
    trygon_ref_t gate = call(tg, "gated", 0, NULL);
    trygon_value_t v = {.refs = &gate, .nrefs = 1};
    trygon_ref_t ref = call(tg, "pass_the_code_on", 1, &v);
    UNTIL(atomic_load(&shared[STARTED]) == 2);
    OK(trygon_cancel(tg, ref, false, false));
    CHECK_RC(take_code(tg, ref), TRYGON_ERR_CANCELLED);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, gate) == 5);
}

/* ----- recursive, remote ---------------------------------------------------------------- */

static void recursive_stops_the_children_too(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "with_grandchild", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, ref, false, true));
    CHECK_RC(take_code(tg, ref), TRYGON_ERR_CANCELLED);
    UNTIL(atomic_load(&shared[STOPPED]) == 1);
    CHECK(take_int(tg, call1(tg, "same", 3)) == 3); /* the slots are free */
}

static void otherwise_the_children_go_on(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "with_child", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, ref, false, false));
    CHECK_RC(take_code(tg, ref), TRYGON_ERR_CANCELLED);
    CHECK(atomic_load(&shared[STOPPED]) == 0);
    /* The child is stopped at the end: its submitter's rank goes. */
}

static void any_holder_of_the_reference_may_cancel(trygon_t *tg)
{
    trygon_ref_t queued[2];
    trygon_ref_t gate = call(tg, "gated", 0, NULL);
    trygon_ref_t ref = call1(tg, "until_cancelled", 0);
    queued[0] = call(tg, "same", 1, &TRYGON_REF(gate));
    trygon_value_t v = {.refs = &ref, .nrefs = 1};
    trygon_value_t w = {.refs = queued, .nrefs = 1};
    UNTIL(atomic_load(&shared[STARTED]) == 2);
    CHECK(take_int(tg, call(tg, "cancel_other", 1, &v)) == 0);
    CHECK(take_int(tg, call(tg, "cancel_other", 1, &w)) == 0);
    CHECK(take_int(tg, ref) == 77);
    CHECK_RC(take_code(tg, queued[0]), TRYGON_ERR_CANCELLED);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, gate) == 5);
}

/* ----- many at random -------------------------------------------------------------------- */

static void each_of_many_gives_a_value_or_is_cancelled(trygon_t *tg)
{
    enum { N = 3000 };
    static trygon_ref_t ref[N];
    unsigned seed = 7;
    int cancelled = 0;
    for (int64_t i = 0; i < N; i++) {
        ref[i] = call1(tg, "same", i);
        int64_t j = i - rand_r(&seed) % 50;
        if (j >= 0 && rand_r(&seed) % 2 == 0)
            OK(trygon_cancel(tg, ref[j], false, rand_r(&seed) % 2 == 0));
    }
    for (int i = 0; i < N; i++) {
        int64_t x = -1;
        int rc =
            trygon_get_into(tg, ref[i], TRYGON_FOREVER, &x, sizeof x, NULL);
        CHECK(rc == TRYGON_SUCCESS ? x == i : rc == TRYGON_ERR_CANCELLED);
        cancelled += rc != TRYGON_SUCCESS;
    }
    OK(trygon_ref_release(tg, N, ref));
    CHECK(atomic_load(&shared[RAN]) == N - cancelled);
}

static void *cancel_some(void *arg)
{
    trygon_t *tg = *(trygon_t **)arg;
    for (int64_t i = 0; i < 300; i++) {
        trygon_ref_t a = call1(tg, "same", i);
        trygon_ref_t b = call(tg, "same", 1, &TRYGON_REF(a));
        OK(trygon_cancel(tg, i % 2 == 0 ? a : b, false, true));
        int rc = take_code(tg, b);
        CHECK(rc == TRYGON_SUCCESS || rc == TRYGON_ERR_CANCELLED ||
              rc == TRYGON_ERR_DEPENDENCY);
        drop(tg, a);
    }
    return NULL;
}

static void threads_may_cancel_at_once(trygon_t *tg)
{
    pthread_t id[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&id[i], NULL, cancel_some, &tg);
    for (int i = 0; i < 4; i++)
        pthread_join(id[i], NULL);
}

/* Whatever the driver leaves behind is cancelled when it returns. */
static void the_end_of_the_driver_cancels_what_has_not_started(trygon_t *tg)
{
    trygon_ref_t gate = call1(tg, "until_cancelled", 0);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    for (int i = 0; i < 100; i++)
        drop(tg, call(tg, "same", 1, &TRYGON_REF(gate)));
    drop(tg, gate);
}

static const struct h_fn fns[] = {
    FN(same),
    FN(gated),
    FN(until_cancelled),
    FN(blocked),
    FN(with_child),
    FN(with_grandchild),
    FN(cancel_other),
    FN(pass_the_code_on),
    {NULL, NULL},
};

static const struct h_test tests[] = {
    TEST(a_queued_task_never_runs, 1),
    TEST(one_that_waits_for_arguments_ends_at_once, 1),
    TEST(a_cancel_in_a_chain_spares_what_is_before, 1),
    TEST(all_returns_of_a_cancelled_task_fail, 1),
    TEST(a_finished_task_does_not_mind, 1),
    TEST(force_is_refused, 1),
    TEST(a_running_task_sees_its_flag_and_its_value_stands, 1),
    TEST(a_cancelled_task_is_not_retried, 1),
    TEST(waits_inside_a_cancelled_task_end, 2),
    TEST(a_task_can_end_as_cancelled, 2),
    TEST(recursive_stops_the_children_too, 1),
    TEST(otherwise_the_children_go_on, 1),
    TEST(any_holder_of_the_reference_may_cancel, 3),
    TEST(each_of_many_gives_a_value_or_is_cancelled, 2),
    TEST(threads_may_cancel_at_once, 2),
    TEST(the_end_of_the_driver_cancels_what_has_not_started, 1),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
