/* test_nesting.c - tasks that submit tasks and wait for them, where there are
 * far fewer slots than tasks that wait. */
#include "harness.h"

enum { GATE, RAN, INSIDE, BLOCKED };

/* ----- tasks ------------------------------------------------------------------- */

static int same(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN], 1);
    return return_int(c, arg_int(c, 0));
}

static int parent(trygon_call_t *c)
{
    return return_int(
        c, 1 + take_int(trygon_call_runtime(c),
                        call1(trygon_call_runtime(c), "same", arg_int(c, 0))));
}

/* Calls itself with one less, down to 0. */
static int descend(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_call_info_t info = {.size = sizeof info};
    int64_t n = arg_int(c, 0);
    OK(trygon_call_info(c, &info));
    if (n == 0)
        return return_int(c, info.depth);
    return return_int(c, take_int(tg, call1(tg, "descend", n - 1)));
}

static int fib(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    int64_t n = arg_int(c, 0);
    if (n < 2)
        return return_int(c, n);
    trygon_ref_t a = call1(tg, "fib", n - 1), b = call1(tg, "fib", n - 2);
    return return_int(c, take_int(tg, a) + take_int(tg, b));
}

/* f calls g, g calls h. */
static int h(trygon_call_t *c)
{
    return return_int(c, arg_int(c, 0));
}

static int g(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    return return_int(c, take_int(tg, call1(tg, "h", arg_int(c, 0))));
}

static int f(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    return return_int(c, take_int(tg, call1(tg, "g", arg_int(c, 0))));
}

static int gated(trygon_call_t *c)
{
    (void)c;
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, 1);
}

/* Waits for the reference within argument 0. */
static int wait_for(trygon_call_t *c)
{
    trygon_value_t v;
    OK(trygon_call_arg(c, 0, &v));
    atomic_fetch_add(&shared[BLOCKED], 1);
    return return_int(c, get_int(trygon_call_runtime(c), v.refs[0]));
}

/* Gets what is here already, again and again: nobody may squeeze in. */
static int get_own_puts(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    CHECK(atomic_fetch_add(&shared[INSIDE], 1) == 0);
    trygon_ref_t ref = put_int(tg, 4);
    for (int i = 0; i < 2000; i++)
        CHECK(get_int(tg, ref) == 4);
    drop(tg, ref);
    CHECK(atomic_fetch_sub(&shared[INSIDE], 1) == 1);
    return return_int(c, 0);
}

/* Every way to wait inside a task. */
static int wait_in_every_way(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref[4];
    for (int64_t i = 0; i < 4; i++)
        ref[i] = call1(tg, "parent", i);
    bool ready[4];
    trygon_wait_opts_t w;
    OK(trygon_wait_opts_init(&w));
    w.num_returns = 2;
    size_t n = 0;
    OK(trygon_wait(tg, 4, ref, &w, ready, &n));
    CHECK(n == 2);
    trygon_waitset_t *ws;
    OK(trygon_waitset_create(tg, &ws));
    for (uint64_t i = 0; i < 4; i++)
        OK(trygon_waitset_add(ws, ref[i], i));
    for (int i = 0; i < 4; i++) {
        trygon_ref_t got;
        uint64_t tag = 9;
        OK(trygon_waitset_next(ws, TRYGON_FOREVER, &got, &tag));
        CHECK(tag < 4 && trygon_ref_equal(got, ref[tag]));
    }
    OK(trygon_waitset_destroy(&ws));
    trygon_value_t v[4];
    OK(trygon_get_n(tg, 4, ref, TRYGON_FOREVER, v));
    for (int i = 0; i < 4; i++) {
        CHECK(*(const int64_t *)v[i].data == i + 1);
        OK(trygon_value_release(tg, &v[i]));
    }
    OK(trygon_ref_release(tg, 4, ref));
    size_t nodes;
    OK(trygon_nodes(tg, 0, NULL, &nodes));
    CHECK(nodes == (size_t)h_size);
    return return_int(c, 0);
}

/* Starts children and does not care for them. */
static int fire_and_forget(trygon_call_t *c)
{
    for (int64_t i = 0; i < 10; i++)
        drop(trygon_call_runtime(c), call1(trygon_call_runtime(c), "same", i));
    return return_int(c, 0);
}

/* The reference to a child that has not run: whoever gets it, waits. */
static int hand_out_child(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref = call1(tg, "parent", arg_int(c, 0));
    trygon_value_t v = {.refs = &ref, .nrefs = 1};
    OK(trygon_call_return(c, 0, &v));
    drop(tg, ref);
    return 0;
}

/* Fails at first; then waits for an earlier task of its own class. */
static int fail_then_wait(trygon_call_t *c)
{
    trygon_call_info_t info = {.size = sizeof info};
    OK(trygon_call_info(c, &info));
    return info.attempt == 0 ? 1 : wait_for(c);
}

static int wait_with_a_limit(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v;
    OK(trygon_call_arg(c, 0, &v));
    int64_t x;
    CHECK_RC(trygon_get_into(tg, v.refs[0], 20, &x, sizeof x, NULL),
             TRYGON_ERR_TIMEOUT);
    atomic_store(&shared[GATE], 1);
    return return_int(c, get_int(tg, v.refs[0]));
}

/* ----- tests ---------------------------------------------------------------------- */

static void a_parent_lends_its_slot_to_its_child(trygon_t *tg)
{
    CHECK(take_int(tg, call1(tg, "parent", 1)) == 2);
}

static void recursion_ten_deep(trygon_t *tg)
{
    CHECK(take_int(tg, call1(tg, "descend", 10)) == 10);
}

static void recursion_a_thousand_deep(trygon_t *tg)
{
    CHECK(take_int(tg, call1(tg, "descend", 1000)) == 1000);
}

static void trees_of_tasks(trygon_t *tg)
{
    CHECK(take_int(tg, call1(tg, "fib", 11)) == 89);
}

static void call_many(trygon_t *tg, const char *task, int64_t plus)
{
    enum { N = 1000 };
    trygon_ref_t *ref = calloc(N, sizeof *ref);
    for (int64_t i = 0; i < N; i++)
        ref[i] = call1(tg, task, i);
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == i + plus);
    free(ref);
}

static void a_thousand_parents_with_a_child_each(trygon_t *tg)
{
    call_many(tg, "parent", 1);
}

static void a_thousand_roots_two_levels_deep(trygon_t *tg)
{
    call_many(tg, "f", 0);
}

static void a_get_of_what_is_here_keeps_the_slot(trygon_t *tg)
{
    if (h_size > 2)
        return; /* several ranks work: there is more than one slot */
    trygon_ref_t ref[10];
    for (int i = 0; i < 10; i++)
        ref[i] = call(tg, "get_own_puts", 0, NULL);
    for (int i = 0; i < 10; i++)
        CHECK(take_int(tg, ref[i]) == 0);
}

static void all_ways_to_wait_work_inside_a_task(trygon_t *tg)
{
    trygon_ref_t ref[8];
    for (int i = 0; i < 8; i++)
        ref[i] = call(tg, "wait_in_every_way", 0, NULL);
    for (int i = 0; i < 8; i++)
        CHECK(take_int(tg, ref[i]) == 0);
}

static void a_wait_inside_a_task_can_time_out(trygon_t *tg)
{
    trygon_ref_t gate = call(tg, "gated", 0, NULL);
    trygon_value_t v = {.refs = &gate, .nrefs = 1};
    CHECK(take_int(tg, call(tg, "wait_with_a_limit", 1, &v)) == 1);
    drop(tg, gate);
}

static void children_outlive_a_parent_that_does_not_wait(trygon_t *tg)
{
    trygon_ref_t ref[5];
    for (int i = 0; i < 5; i++)
        ref[i] = call(tg, "fire_and_forget", 0, NULL);
    for (int i = 0; i < 5; i++)
        CHECK(take_int(tg, ref[i]) == 0);
    UNTIL(atomic_load(&shared[RAN]) == 50);
}

static void a_childs_reference_outlives_its_parent(trygon_t *tg)
{
    for (int64_t i = 0; i < 20; i++) {
        trygon_ref_t outer = call1(tg, "hand_out_child", i);
        trygon_value_t v;
        OK(trygon_get(tg, outer, TRYGON_FOREVER, &v));
        CHECK(v.nrefs == 1 && get_int(tg, v.refs[0]) == i + 1);
        OK(trygon_value_release(tg, &v));
        drop(tg, outer);
    }
}

/* So many tasks of depth 0 may wait on a rank, beyond its slots, after these
 * seconds: 16 (blocked_max), then one more after each pause, which doubles. */
static int most_blocked(double seconds)
{
    int n = 16;
    double end = 0, pause = 0.01;
    while ((end += pause) <= seconds) {
        n++;
        pause = pause < 0.5 ? 2 * pause : 1;
    }
    return n;
}

/* One slot is behind the gate, for ever as it seems; those that wait for it
 * must not all become threads, and all must end. */
static void many_that_wait_for_one_event(trygon_t *tg)
{
    enum { N = 200 };
    double slots = 0, avail = 0, began = h_seconds(), took;
    int blocked, ranks = h_size > 1 ? h_size - 1 : 1;
    OK(trygon_resources(tg, "cpu", &slots, &avail));
    trygon_ref_t gate = call(tg, "gated", 0, NULL);
    trygon_value_t v = {.refs = &gate, .nrefs = 1};
    trygon_ref_t ref[N];
    for (int i = 0; i < N; i++)
        ref[i] = call(tg, "wait_for", 1, &v);
    if (slots > 1) /* there is one for them: they lend it to each other */
        UNTIL(atomic_load(&shared[BLOCKED]) >= 16);
    usleep(200000);
    blocked = atomic_load(&shared[BLOCKED]);
    took = h_seconds() - began;
    CHECK(blocked <= (int)slots + ranks * most_blocked(took));
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == 1);
    drop(tg, gate);
}

static void a_retried_task_may_wait_for_an_earlier_one(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.nretry_codes = TRYGON_ANY_CODE;
    for (int i = 0; i < 20; i++) {
        trygon_ref_t first = call1(tg, "parent", i);
        trygon_value_t v = {.refs = &first, .nrefs = 1};
        trygon_ref_t second = call_with(tg, "fail_then_wait", &o, 1, &v);
        trygon_ref_t third = call1(tg, "same", i);
        CHECK(take_int(tg, second) == i + 1);
        CHECK(take_int(tg, third) == i);
        drop(tg, first);
    }
}

static const struct h_fn fns[] = {
    FN(same),
    FN(parent),
    FN(descend),
    FN(fib),
    FN(h),
    FN(g),
    FN(f),
    FN(gated),
    FN(wait_for),
    FN(get_own_puts),
    FN(wait_in_every_way),
    FN(fire_and_forget),
    FN(hand_out_child),
    FN(fail_then_wait),
    FN(wait_with_a_limit),
    {NULL, NULL},
};

static const struct h_test tests[] = {
    TEST(a_parent_lends_its_slot_to_its_child, 1),
    TEST(recursion_ten_deep, 1),
    TEST(recursion_a_thousand_deep, 1),
    TEST(trees_of_tasks, 1),
    TEST(trees_of_tasks, 4),
    TEST(a_thousand_parents_with_a_child_each, 1),
    TEST(a_thousand_roots_two_levels_deep, 1),
    TEST(a_get_of_what_is_here_keeps_the_slot, 1),
    TEST(all_ways_to_wait_work_inside_a_task, 1),
    TEST(a_wait_inside_a_task_can_time_out, 2),
    TEST(children_outlive_a_parent_that_does_not_wait, 1),
    TEST(a_childs_reference_outlives_its_parent, 1),
    TEST(many_that_wait_for_one_event, 1),
    TEST(many_that_wait_for_one_event, 2),
    TEST(a_retried_task_may_wait_for_an_earlier_one, 1),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
