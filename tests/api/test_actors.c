/* test_actors.c - actors seen from the outside: state, calls, handles. */
#include "actors.h"

/* ----- state and calls ----------------------------------------------------------------- */

static void state_persists_between_calls(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    for (int64_t i = 1; i <= 100; i++)
        CHECK(take_int(tg, method1(tg, a, "add", i)) == i * (i + 1) / 2);
    drop(tg, a);
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
}

static void a_constructor_has_arguments(trygon_t *tg)
{
    trygon_ref_t a = {0, 0}, ref = put_int(tg, 40);
    OK(trygon_actor_create(tg, "Counter", 1, &TRYGON_REF(ref), NULL, &a));
    drop(tg, ref);
    CHECK(take_int(tg, method1(tg, a, "add", 2)) == 42);
    drop(tg, a);
}

static void a_call_has_several_returns_or_none(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL), two[2];
    trygon_call_opts_t o;
    int64_t x = 5;
    OK(trygon_call_opts_init(&o));
    o.num_returns = 2;
    drop(tg, method1(tg, a, "add", x));
    OK(trygon_actor_call(tg, a, "two", 0, NULL, &o, two));
    CHECK(take_int(tg, two[0]) == 5 && take_int(tg, two[1]) == -5);
    o.num_returns = 0;
    OK(trygon_actor_call(tg, a, "note", 0, NULL, &o, NULL));
    UNTIL(atomic_load(&shared[RAN]) == 1);
    drop(tg, a);
}

static void a_failed_method_leaves_the_actor_alive(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL), ref;
    trygon_error_t e = {.size = sizeof e};
    trygon_value_t v = {0};
    ref = method(tg, a, "fail", 0, NULL);
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v), TRYGON_ERR_TASK);
    OK(trygon_ref_error(tg, ref, &e));
    CHECK(e.user_code == 7 && strcmp(e.text, "no luck") == 0 &&
          strcmp(e.function, "Counter.fail") == 0);
    drop(tg, ref);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 1);
    drop(tg, a);
}

static void calls_of_one_caller_run_in_order(trygon_t *tg)
{
    enum { N = 2000 };
    trygon_ref_t a = create(tg, NULL), ref[N];
    int64_t me = 0;
    for (int64_t i = 0; i < N; i++)
        ref[i] =
            method(tg, a, "in_order", 2, (trygon_value_t[]){INT(me), INT(i)});
    for (int64_t i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == i);
    drop(tg, a);
}

static void many_callers_each_have_their_order(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL), ref[8];
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_cpus = 2; /* one at a time on each rank */
    o.strategy = TRYGON_STRATEGY_SPREAD;
    int n = h_size > 1 ? h_size - 1 : 1;
    for (int i = 0; i < n; i++)
        ref[i] = call_with(tg, "call_in_order", &o, 1,
                           (trygon_value_t[]){holding(&a)});
    for (int i = 0; i < n; i++)
        take_int(tg, ref[i]);
    drop(tg, a);
}

static void a_large_argument_is_not_overtaken(trygon_t *tg)
{
    enum { SIZE = 90 * 1024, N = 30 };
    trygon_ref_t a = create(tg, NULL), big[N], small[N];
    char *p = calloc(1, SIZE);
    int64_t me = 0;
    for (int64_t i = 0; i < N; i++) {
        int64_t next = 2 * i + 1, now = 2 * i;
        big[i] = method(
            tg, a, "in_order", 3,
            (trygon_value_t[]){INT(me), INT(now), TRYGON_BYTES(p, SIZE)});
        small[i] = method(tg, a, "in_order", 2,
                          (trygon_value_t[]){INT(me), INT(next)});
    }
    for (int64_t i = 0; i < N; i++)
        CHECK(take_int(tg, big[i]) == 2 * i &&
              take_int(tg, small[i]) == 2 * i + 1);
    trygon_ref_t ref = method(tg, a, "size", 1, &TRYGON_BYTES(p, SIZE));
    CHECK(take_int(tg, ref) == SIZE);
    free(p);
    drop(tg, a);
}

static void a_later_call_waits_for_an_earlier_argument(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL), late = call1(tg, "gated", 5);
    trygon_ref_t first = method(tg, a, "add", 1, &TRYGON_REF(late));
    trygon_ref_t second = method1(tg, a, "add", 10);
    int64_t x;
    CHECK_RC(trygon_get_into(tg, second, 30, &x, sizeof x, NULL),
             TRYGON_ERR_TIMEOUT);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, first) == 5 && take_int(tg, second) == 15);
    drop(tg, late);
    drop(tg, a);
}

static void another_caller_is_not_held_up(trygon_t *tg)
{
    if (h_size == 1)
        return; /* there is no other */
    trygon_ref_t a = create(tg, NULL), late = call1(tg, "gated", 5);
    trygon_ref_t first = method(tg, a, "add", 1, &TRYGON_REF(late));
    trygon_ref_t other =
        call(tg, "add_two_now", 1, (trygon_value_t[]){holding(&a)});
    CHECK(take_int(tg, other) == 2);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, first) == 7);
    drop(tg, late);
    drop(tg, a);
}

static void a_failed_argument_fails_the_call_only(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL), bad = call(tg, "failing", 0, NULL);
    trygon_ref_t ref = method(tg, a, "add", 1, &TRYGON_REF(bad));
    CHECK(take_int(tg, method1(tg, a, "add", 4)) == 4);
    CHECK(take_code(tg, ref) == TRYGON_ERR_DEPENDENCY);
    drop(tg, bad);
    drop(tg, a);
}

static void a_method_may_submit_and_wait(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    CHECK(take_int(tg, method(tg, a, "child", 0, NULL)) == 42);
    drop(tg, a);
}

static void methods_of_a_threaded_actor_run_side_by_side(trygon_t *tg)
{
    trygon_actor_opts_t o;
    trygon_ref_t ref[4];
    OK(trygon_actor_opts_init(&o));
    o.max_concurrency = 4;
    trygon_ref_t a = create(tg, &o), late = call1(tg, "gated", 1);
    trygon_ref_t held = method(tg, a, "size", 1, &TRYGON_REF(late));
    for (int i = 0; i < 3; i++)
        ref[i] = method(tg, a, "hold", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == 3); /* at once, and past `held` */
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 3; i++)
        take_int(tg, ref[i]);
    CHECK(take_int(tg, held) == 8);
    drop(tg, late);
    drop(tg, a);
}

static void too_many_pending_calls_are_refused(trygon_t *tg)
{
    trygon_actor_opts_t o;
    trygon_ref_t ref[3];
    int64_t one = 1;
    OK(trygon_actor_opts_init(&o));
    o.max_pending_calls = 3;
    trygon_ref_t a = create(tg, &o), more = {0, 0};
    for (int i = 0; i < 3; i++)
        ref[i] = method1(tg, a, "gated", 1);
    CHECK_RC(trygon_actor_call(tg, a, "add", 1, &INT(one), NULL, &more),
             TRYGON_ERR_PENDING_LIMIT);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 3; i++)
        CHECK(take_int(tg, ref[i]) == i + 1);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 4);
    drop(tg, a);
}

/* ----- handles ------------------------------------------------------------------------ */

static void the_last_handle_dropped_ends_it_after_its_calls(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    trygon_ref_t ref = method1(tg, a, "gated", 1);
    trygon_ref_t second = method1(tg, a, "add", 1);
    drop(tg, a);
    usleep(20000);
    CHECK(atomic_load(&shared[DESTROYED]) == 0);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, ref) == 1 && take_int(tg, second) == 2);
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
    usleep(20000);
    CHECK(atomic_load(&shared[DESTROYED]) == 1);
}

static void a_handle_within_a_value_keeps_it_alive(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL), box = {0, 0};
    int64_t n = 5;
    trygon_value_t in = holding(&a);
    OK(trygon_put(tg, &in, &box));
    trygon_ref_t ref =
        call(tg, "add_ones", 2, (trygon_value_t[]){TRYGON_REF(box), INT(n)});
    drop(tg, box);
    drop(tg, a);
    usleep(20000);
    CHECK(atomic_load(&shared[DESTROYED]) == 0);
    atomic_store(&shared[GATE], 1);
    take_int(tg, ref);
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
}

static void readiness_is_the_constructor_s_end(trygon_t *tg)
{
    trygon_ref_t late = call1(tg, "gated", 5), a = {0, 0};
    trygon_wait_opts_t o;
    bool ready = true;
    size_t n = 9;
    OK(trygon_wait_opts_init(&o));
    o.timeout_ms = 30;
    OK(trygon_actor_create(tg, "Counter", 1, &TRYGON_REF(late), NULL, &a));
    OK(trygon_wait(tg, 1, &a, &o, &ready, &n));
    CHECK(n == 0 && !ready);
    atomic_store(&shared[GATE], 1);
    o.timeout_ms = TRYGON_FOREVER;
    OK(trygon_wait(tg, 1, &a, &o, &ready, &n));
    CHECK(n == 1 && ready && atomic_load(&shared[BUILT]) == 1);
    drop(tg, late);
    drop(tg, a);
}

static void an_actor_makes_an_actor_and_asks_it(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL);
    CHECK(take_int(tg, method1(tg, a, "add", 21)) == 21);
    CHECK(take_int(tg, method(tg, a, "nested", 0, NULL)) == 42);
    UNTIL(atomic_load(&shared[DESTROYED]) == 1); /* the inner one only */
    CHECK(take_int(tg, method(tg, a, "get", 0, NULL)) == 21);
    CHECK(atomic_load(&shared[BUILT]) == 2);
    drop(tg, a);
}

static void a_task_makes_an_actor_that_submits_a_task(trygon_t *tg)
{
    CHECK(take_int(tg, call(tg, "makes_actor", 0, NULL)) == 42);
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
}

/* ----- mistakes -------------------------------------------------------------------------------- */

static void mistakes_are_refused(trygon_t *tg)
{
    trygon_ref_t a = create(tg, NULL), x = put_int(tg, 1), out = {0, 0};
    trygon_actor_opts_t o;
    trygon_value_t v = {0};
    CHECK_RC(trygon_actor_create(tg, "Nobody", 0, NULL, NULL, &out),
             TRYGON_ERR_NOTFOUND);
    CHECK_RC(trygon_actor_create(tg, "twice", 0, NULL, NULL, &out),
             TRYGON_ERR_NOTFOUND);
    CHECK_RC(trygon_submit(tg, "Counter", 0, NULL, NULL, &out),
             TRYGON_ERR_NOTFOUND);
    CHECK_RC(trygon_submit(tg, "Counter.add", 0, NULL, NULL, &out),
             TRYGON_ERR_NOTFOUND);
    CHECK_RC(trygon_actor_call(tg, a, "nothing", 0, NULL, NULL, &out),
             TRYGON_ERR_NOTFOUND);
    INVALID(trygon_actor_call(tg, x, "add", 0, NULL, NULL, &out));
    INVALID(trygon_actor_kill(tg, x, true));
    INVALID(trygon_actor_kill(tg, x, false));
    INVALID(trygon_get(tg, a, TRYGON_FOREVER, &v));
    INVALID(trygon_cancel(tg, a, false, false));
    INVALID(trygon_submit(tg, "twice", 1, &TRYGON_REF(a), NULL, &out));
    OK(trygon_actor_opts_init(&o));
    o.max_concurrency = -1;
    INVALID(trygon_actor_create(tg, "Counter", 0, NULL, &o, &out));
    o.max_concurrency = 32768;
    INVALID(trygon_actor_create(tg, "Counter", 0, NULL, &o, &out));
    OK(trygon_actor_opts_init(&o));
    o.max_pending_calls = 0;
    INVALID(trygon_actor_create(tg, "Counter", 0, NULL, &o, &out));
    INVALID(trygon_call_actor_exit(NULL));
    drop(tg, x);
    drop(tg, a);
}

static void classes_share_the_names_of_tasks(trygon_t *tg)
{
    trygon_registry_t *reg = NULL;
    trygon_class_t c = counter;
    (void)tg;
    OK(trygon_registry_create(&reg));
    OK(trygon_registry_add_task(reg, "Counter.add", twice));
    CHECK_RC(trygon_registry_add_class(reg, &c), TRYGON_ERR_EXISTS);
    OK(trygon_registry_add_task(reg, "Counter", twice)); /* nothing stayed */
    CHECK_RC(trygon_registry_add_class(reg, &c), TRYGON_ERR_EXISTS);
    c.name = "With.dot";
    INVALID(trygon_registry_add_class(reg, &c));
    c.name = "";
    INVALID(trygon_registry_add_class(reg, &c));
    c = counter;
    c.construct = NULL;
    INVALID(trygon_registry_add_class(reg, &c));
    c = counter;
    c.size = 0;
    INVALID(trygon_registry_add_class(reg, &c));
    INVALID(trygon_registry_add_class(NULL, &c));
    OK(trygon_registry_destroy(&reg));
}

static const struct h_test tests[] = {
    TEST(state_persists_between_calls, 0),
    TEST(a_constructor_has_arguments, 0),
    TEST(a_call_has_several_returns_or_none, 0),
    TEST(a_failed_method_leaves_the_actor_alive, 0),
    TEST(calls_of_one_caller_run_in_order, 0),
    TEST(many_callers_each_have_their_order, 0),
    TEST(a_large_argument_is_not_overtaken, 0),
    TEST(a_later_call_waits_for_an_earlier_argument, 0),
    TEST(another_caller_is_not_held_up, 0),
    TEST(a_failed_argument_fails_the_call_only, 0),
    TEST(a_method_may_submit_and_wait, 0),
    TEST(methods_of_a_threaded_actor_run_side_by_side, 0),
    TEST(too_many_pending_calls_are_refused, 0),
    TEST(the_last_handle_dropped_ends_it_after_its_calls, 0),
    TEST(a_handle_within_a_value_keeps_it_alive, 0),
    TEST(readiness_is_the_constructor_s_end, 0),
    TEST(an_actor_makes_an_actor_and_asks_it, 0),
    TEST(a_task_makes_an_actor_that_submits_a_task, 0),
    TEST(mistakes_are_refused, 0),
    TEST(classes_share_the_names_of_tasks, 0),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return actors_main(argc, argv, tests);
}
