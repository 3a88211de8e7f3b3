/* test_actor_end.c - how actors end, and what they hold until then. */
#include "actors.h"

/* ----- the end ---------------------------------------------------------------------------- */

static void a_constructor_that_fails_fails_every_call(trygon_t *tg)
{
    trygon_ref_t a = {0, 0};
    trygon_error_t e = {.size = sizeof e};
    bool ready = false;
    int64_t one = 1;
    OK(trygon_actor_create(tg, "Broken", 0, NULL, NULL, &a));
    trygon_ref_t early = method1(tg, a, "add", one);
    OK(trygon_wait(tg, 1, &a, NULL, &ready, NULL));
    trygon_ref_t later = method1(tg, a, "add", one);
    OK(trygon_ref_error(tg, a, &e));
    CHECK(e.code == TRYGON_ERR_ACTOR_DIED && e.ncauses == 1);
    OK(trygon_ref_cause(tg, a, 0, &e));
    CHECK(e.user_code == 5 && strcmp(e.text, "no state to be had") == 0);
    died_because(tg, early, "constructor");
    died_because(tg, later, "constructor");
    CHECK(atomic_load(&shared[DESTROYED]) == 0);
    drop(tg, a);
}

static void a_kill_fails_what_runs_and_what_waits(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    trygon_ref_t runs = method(tg, a, "spin", 0, NULL);
    trygon_ref_t waits = method1(tg, a, "add", 1);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_actor_kill(tg, a, true));
    died_because(tg, runs, "killed");
    died_because(tg, waits, "killed");
    died_because(tg, method1(tg, a, "add", 1), "killed");
    UNTIL(atomic_load(&shared[STOPPED]) == 1);
    OK(trygon_actor_kill(tg, a, true)); /* no effect */
    drop(tg, a);
    usleep(20000);
    CHECK(atomic_load(&shared[DESTROYED]) == 0);
}

static void another_rank_may_kill(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 1);
    take_int(tg, call(tg, "killer", 1, (trygon_value_t[]){holding(&a)}));
    trygon_ref_t ref = method(tg, a, "spin", 0, NULL);
    died_because(tg, ref, "killed");
    drop(tg, a);
    CHECK(atomic_load(&shared[DESTROYED]) == 0);
}

static void a_pending_actor_may_be_killed(trygon_t *tg)
{
    trygon_ref_t late = call1(tg, "gated", 5), a = {0, 0};
    OK(trygon_actor_create(tg, "Counter", 1, &TRYGON_REF(late), NULL, &a));
    trygon_ref_t ref = method1(tg, a, "add", 1);
    OK(trygon_actor_kill(tg, a, true));
    died_because(tg, ref, "killed");
    atomic_store(&shared[GATE], 1);
    drop(tg, late);
    drop(tg, a);
    CHECK(atomic_load(&shared[BUILT]) == 0);
}

static void an_actor_may_exit(trygon_t *tg)
{
    enum { N = 1000 };
    trygon_ref_t a = create(tg, NULL), waits[N];
    trygon_ref_t last = method(tg, a, "exit", 0, NULL);
    for (int i = 0; i < N; i++)
        waits[i] = method1(tg, a, "add", 1);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, last) == 0);
    for (int i = 0; i < N; i++)
        died_because(tg, waits[i], "exited");
    died_because(tg, method1(tg, a, "add", 1), "exited");
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
    drop(tg, a);
}

static void what_is_queued_can_be_cancelled(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    trygon_ref_t runs = method1(tg, a, "gated", 1);
    trygon_ref_t queued = method1(tg, a, "add", 10);
    trygon_ref_t after = method1(tg, a, "add", 100);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, queued, false, false));
    CHECK(take_code(tg, queued) == TRYGON_ERR_CANCELLED);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, runs) == 1 && take_int(tg, after) == 101);
    drop(tg, a);
}

static void what_runs_is_told_and_its_result_is_cancelled(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    trygon_ref_t runs = method(tg, a, "spin", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    CHECK_RC(trygon_cancel(tg, runs, true, false), TRYGON_ERR_UNSUPPORTED);
    OK(trygon_cancel(tg, runs, false, false));
    CHECK(take_code(tg, runs) == TRYGON_ERR_CANCELLED);
    CHECK(atomic_load(&shared[STOPPED]) == 1);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 1);
    drop(tg, a);
}

/* Whoever waits for it is cancelled, and so is it; the actor lives on. */
static void a_recursive_cancel_tells_a_method_that_runs(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    trygon_value_t within = holding(&a);
    trygon_ref_t waits = call(tg, "waits_for_stay", 1, &within);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, waits, false, true));
    CHECK(take_code(tg, waits) == TRYGON_ERR_CANCELLED);
    UNTIL(atomic_load(&shared[STOPPED]) == 1);
    trygon_ref_t after = method1(tg, a, "add", 1);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, after) == 11); /* it ran to its end */
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 12);
    CHECK(atomic_load(&shared[BUILT]) == 1);
    drop(tg, a);
}

static void one_dead_actor_ends_a_get_of_many(trygon_t *tg)
{
    enum { N = 4 };
    trygon_ref_t a = create(tg, NULL), ref[N];
    trygon_value_t v[N];
    for (int i = 0; i < N; i++) /* the others never end, as it seems */
        ref[i] =
            i == 2 ? method(tg, a, "spin", 0, NULL) : call1(tg, "gated", i);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_actor_kill(tg, a, true));
    double began = h_seconds();
    CHECK_RC(trygon_get_n(tg, N, ref, 30000, v), TRYGON_ERR_ACTOR_DIED);
    CHECK(h_seconds() - began < 10);
    CHECK(atomic_load(&shared[GATE]) == 0);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < N; i++) {
        if (i == 2)
            died_because(tg, ref[i], "killed");
        else
            CHECK(take_int(tg, ref[i]) == i);
    }
    drop(tg, a);
}

/* ----- too few arguments ---------------------------------------------------------------- */

static void a_method_with_too_few_arguments_says_so(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    trygon_ref_t ref = method(tg, a, "need", 0, NULL);
    trygon_error_t e = {.size = sizeof e};
    trygon_value_t v = {0};
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v), TRYGON_ERR_INVALID);
    OK(trygon_ref_cause(tg, ref, 0, &e)); /* what it was told itself */
    CHECK(strcmp(e.text, "trygon_call_arg: argument 0 of 0") == 0);
    drop(tg, ref);
    CHECK(take_int(tg, method1(tg, a, "need", 3)) == 3);
    CHECK(atomic_load(&shared[BUILT]) == 1);
    drop(tg, a);
}

static void a_constructor_with_too_few_arguments_says_so(trygon_t *tg)
{
    trygon_ref_t a = {0, 0};
    trygon_error_t e = {.size = sizeof e};
    trygon_value_t v = {0};
    int64_t one = 1;
    OK(trygon_actor_create(tg, "Needy", 1, &INT(one), NULL, &a));
    for (int i = 0; i < 3; i++) {
        trygon_ref_t ref = method1(tg, a, "add", one);
        CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v),
                 TRYGON_ERR_ACTOR_DIED);
        OK(trygon_ref_cause(tg, ref, 0, &e)); /* how the constructor ended */
        CHECK(e.code == TRYGON_ERR_INVALID);
        OK(trygon_ref_cause(tg, ref, 1, &e)); /* what it was told */
        CHECK(strcmp(e.text, "trygon_call_arg: argument 1 of 1") == 0);
        drop(tg, ref);
    }
    drop(tg, a);
    OK(trygon_actor_create(tg, "Needy", 2,
                           (trygon_value_t[]){INT(one), INT(one)}, NULL, &a));
    CHECK(take_int(tg, method1(tg, a, "add", one)) == 2);
    drop(tg, a);
}

/* What runs is asked to stop, and then nobody holds it any more. */
static void the_end_of_the_run_ends_it(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    drop(tg, method(tg, a, "spin", 0, NULL));
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    drop(tg, method1(tg, a, "add", 1));
    drop(tg, a);
}

/* ----- resources ------------------------------------------------------------------------------ */

static void an_actor_holds_no_cpu_unless_told(trygon_t *tg)
{
    enum { N = 20 };
    trygon_ref_t a[N];
    double all = free_cpus(tg);
    for (int i = 0; i < N; i++)
        a[i] = create(tg, NULL);
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, method1(tg, a[i], "add", i)) == i);
    UNTIL(free_cpus(tg) >= all);
    OK(trygon_ref_release(tg, N, a));
}

static void what_is_asked_for_is_held_for_life(trygon_t *tg)
{
    trygon_actor_opts_t o;
    OK(trygon_actor_opts_init(&o));
    o.num_cpus = 1;
    double all = free_cpus(tg);
    int n = (int)all;
    trygon_ref_t a[64];
    for (int i = 0; i < n; i++) {
        a[i] = create(tg, &o);
        CHECK(take_int(tg, method1(tg, a[i], "add", i)) == i);
    }
    CHECK(free_cpus(tg) < 0.5);
    trygon_ref_t more = create(tg, &o);
    trygon_wait_opts_t w;
    bool ready = true;
    OK(trygon_wait_opts_init(&w));
    w.timeout_ms = 50;
    OK(trygon_wait(tg, 1, &more, &w, &ready, NULL));
    CHECK(!ready);
    OK(trygon_ref_release(tg, 1, &a[0]));
    CHECK(take_int(tg, method1(tg, more, "add", 1)) == 1);
    OK(trygon_actor_kill(tg, more, true));
    for (int i = 1; i < n; i++)
        drop(tg, a[i]);
    UNTIL(free_cpus(tg) >= all);
    drop(tg, more);
}

/* A task that needs a CPU ends in that time. */
static bool one_more_runs(trygon_t *tg, int64_t timeout_ms)
{
    trygon_value_t v = {0};
    int64_t one = 1;
    trygon_ref_t more = call1(tg, "twice", one);
    int rc = trygon_get(tg, more, timeout_ms, &v);
    if (!CHECK(rc == TRYGON_SUCCESS || rc == TRYGON_ERR_TIMEOUT))
        return false;
    if (rc == TRYGON_SUCCESS)
        OK(trygon_value_release(tg, &v));
    drop(tg, more);
    return rc == TRYGON_SUCCESS;
}

/* As a task, or as a method of an actor that holds a CPU, "waits" waits for a
 * gated task; all other CPUs run such tasks as well. */
static void blocks_with_no_cpu_free(trygon_t *tg, bool actor)
{
    trygon_actor_opts_t o;
    trygon_ref_t a = {0, 0}, waits, busy[64];
    OK(trygon_actor_opts_init(&o));
    o.num_cpus = 1;
    int n = (int)free_cpus(tg) - 1;
    for (int i = 0; i < n; i++)
        busy[i] = call1(tg, "gated", i);
    UNTIL(free_cpus(tg) < 1.5);
    trygon_value_t within = holding(&busy[0]);
    if (actor) {
        a = create(tg, &o);
        waits = method(tg, a, "waits", 1, &within);
    } else {
        waits = call(tg, "waits_for", 1, &within);
    }
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    if (actor) {
        double end = h_seconds() + 0.05; /* clearly longer than lend_ns */
        do
            CHECK(free_cpus(tg) < 0.5);
        while (usleep(1000) == 0 && h_seconds() < end);
        CHECK(!one_more_runs(tg, 50));
    } else {
        UNTIL(free_cpus(tg) > 0.5);
        CHECK(one_more_runs(tg, 30000));
    }
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, waits) == 0);
    for (int i = 0; i < n; i++)
        CHECK(take_int(tg, busy[i]) == i);
    if (actor)
        drop(tg, a);
}

static void a_method_that_waits_lends_no_cpu(trygon_t *tg)
{
    blocks_with_no_cpu_free(tg, true);
}

/* The same with a task: the test above would see it. */
static void a_task_that_waits_does(trygon_t *tg)
{
    blocks_with_no_cpu_free(tg, false);
}

static void a_thousand_actors(trygon_t *tg)
{
    enum { N = 1000 };
    trygon_ref_t *a = calloc(N, sizeof *a), *ref = calloc(N, sizeof *ref);
    for (int i = 0; i < N; i++) {
        a[i] = create(tg, NULL);
        ref[i] = method1(tg, a[i], "add", i);
    }
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == i);
    OK(trygon_ref_release(tg, N, a));
    UNTIL(atomic_load(&shared[DESTROYED]) == N);
    free(a);
    free(ref);
}

static const struct h_test tests[] = {
    TEST(a_constructor_that_fails_fails_every_call, 0),
    TEST(a_kill_fails_what_runs_and_what_waits, 0),
    TEST(another_rank_may_kill, 0),
    TEST(a_pending_actor_may_be_killed, 0),
    TEST(an_actor_may_exit, 0),
    TEST(what_is_queued_can_be_cancelled, 0),
    TEST(what_runs_is_told_and_its_result_is_cancelled, 0),
    TEST(a_recursive_cancel_tells_a_method_that_runs, 0),
    TEST(one_dead_actor_ends_a_get_of_many, 0),
    TEST(a_method_with_too_few_arguments_says_so, 0),
    TEST(a_constructor_with_too_few_arguments_says_so, 0),
    TEST(the_end_of_the_run_ends_it, 0),
    TEST(an_actor_holds_no_cpu_unless_told, 0),
    TEST(what_is_asked_for_is_held_for_life, 0),
    TEST(a_method_that_waits_lends_no_cpu, 0),
    TEST(a_task_that_waits_does, 0),
    TEST(a_thousand_actors, 0),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return actors_main(argc, argv, tests);
}
