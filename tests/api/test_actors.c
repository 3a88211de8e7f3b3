/* test_actors.c - actors seen from the outside: state, order, life and end. */
#include "harness.h"

enum { GATE, STARTED, STOPPED, DESTROYED, BUILT, RAN };

/* ----- a class ------------------------------------------------------------------- */

struct counter {
    int64_t n;
    int64_t last[8]; /* the last number that each caller gave */
    int rank;
};

static int counter_construct(trygon_call_t *c, void **self)
{
    struct counter *x = calloc(1, sizeof *x);
    *self = x;
    x->rank = h_rank;
    if (trygon_call_nargs(c) > 0)
        x->n = arg_int(c, 0);
    INVALID(trygon_call_return(c, 0, &INT(x->n)));
    CHECK_RC(trygon_call_actor_exit(c), TRYGON_ERR_STATE);
    atomic_fetch_add(&shared[BUILT], 1);
    return 0;
}

static void counter_destroy(trygon_t *tg, void *self)
{
    struct counter *x = self;
    int rank = -1, size = 0;
    OK(trygon_rank(tg, &rank, &size));
    CHECK(rank == x->rank);
    atomic_fetch_add(&shared[DESTROYED], 1);
    free(x);
}

static int counter_add(trygon_call_t *c, void *self)
{
    struct counter *x = self;
    CHECK(x->rank == h_rank);
    x->n += arg_int(c, 0);
    return return_int(c, x->n);
}

static int counter_gated(trygon_call_t *c, void *self)
{
    atomic_fetch_add(&shared[STARTED], 1);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return counter_add(c, self);
}

static int counter_get(trygon_call_t *c, void *self)
{
    return return_int(c, ((const struct counter *)self)->n);
}

/* Runs until it is asked to stop. */
static int counter_spin(trygon_call_t *c, void *self)
{
    atomic_fetch_add(&shared[STARTED], 1);
    UNTIL(trygon_call_cancelled(c));
    atomic_fetch_add(&shared[STOPPED], 1);
    return counter_get(c, self);
}

static int counter_fail(trygon_call_t *c, void *self)
{
    (void)self;
    return trygon_call_fail(c, 7, "no luck");
}

static int counter_exit(trygon_call_t *c, void *self)
{
    UNTIL(atomic_load(&shared[GATE]) != 0);
    OK(trygon_call_actor_exit(c));
    return counter_get(c, self);
}

static int counter_two(trygon_call_t *c, void *self)
{
    int64_t x = ((const struct counter *)self)->n, y = -x;
    OK(trygon_call_return(c, 0, &INT(x)));
    return trygon_call_return(c, 1, &INT(y));
}

static int counter_size(trygon_call_t *c, void *self)
{
    trygon_value_t v = {0};
    (void)self;
    OK(trygon_call_arg(c, 0, &v));
    return return_int(c, (int64_t)v.size);
}

/* Caller and number: each caller's numbers must come in order. */
static int counter_in_order(trygon_call_t *c, void *self)
{
    struct counter *x = self;
    int64_t who = arg_int(c, 0), number = arg_int(c, 1);
    CHECK(x->last[who] == number);
    x->last[who] = number + 1;
    return return_int(c, number);
}

/* A task of the actor's own. */
static int counter_child(trygon_call_t *c, void *self)
{
    (void)self;
    return return_int(c, take_int(trygon_call_runtime(c),
                                  call1(trygon_call_runtime(c), "twice", 21)));
}

static int counter_note(trygon_call_t *c, void *self)
{
    (void)self;
    CHECK(trygon_call_nargs(c) == 0);
    atomic_fetch_add(&shared[RAN], 1);
    return 0;
}

static int broken_construct(trygon_call_t *c, void **self)
{
    (void)self;
    return trygon_call_fail(c, 5, "no state to be had");
}

static const trygon_method_t counter_methods[] = {
    {"add", counter_add},           {"gated", counter_gated},
    {"get", counter_get},           {"spin", counter_spin},
    {"fail", counter_fail},         {"exit", counter_exit},
    {"two", counter_two},           {"size", counter_size},
    {"in_order", counter_in_order}, {"child", counter_child},
    {"note", counter_note},
};

static const trygon_class_t counter = {sizeof counter,    "Counter",
                                       counter_construct, counter_destroy,
                                       counter_methods,   11};
static const trygon_class_t broken = {sizeof broken,    "Broken",
                                      broken_construct, counter_destroy,
                                      counter_methods,  1};

/* ----- tasks ----------------------------------------------------------------------- */

static trygon_ref_t method(trygon_t *tg, trygon_ref_t actor, const char *name,
                           size_t nargs, const trygon_value_t *args)
{
    trygon_ref_t ref = {0, 0};
    OK(trygon_actor_call(tg, actor, name, nargs, args, NULL, &ref));
    return ref;
}

static trygon_ref_t method1(trygon_t *tg, trygon_ref_t actor, const char *name,
                            int64_t x)
{
    return method(tg, actor, name, 1, &INT(x));
}

static trygon_ref_t create(trygon_t *tg, const trygon_actor_opts_t *opts)
{
    trygon_ref_t actor = {0, 0};
    OK(trygon_actor_create(tg, "Counter", 0, NULL, opts, &actor));
    CHECK(trygon_ref_kind(actor) == TRYGON_KIND_ACTOR);
    return actor;
}

static int twice(trygon_call_t *c)
{
    return return_int(c, 2 * arg_int(c, 0));
}

/* Adds 1 to the actor in argument 0 so many times as argument 1 says. */
static int add_ones(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    UNTIL(atomic_load(&shared[GATE]) != 0);
    for (int64_t i = arg_int(c, 1); i > 0; i--)
        take_int(tg, method1(tg, v.refs[0], "add", 1));
    return return_int(c, 0);
}

/* As a caller of its own, calls the actor in argument 0 many times. */
static int call_in_order(trygon_call_t *c)
{
    enum { N = 200 };
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0};
    trygon_ref_t ref[N];
    OK(trygon_call_arg(c, 0, &v));
    int64_t me = atomic_fetch_add(&shared[RAN], 1);
    for (int64_t i = 0; i < N; i++)
        ref[i] = method(tg, v.refs[0], "in_order", 2,
                        (trygon_value_t[]){INT(me), INT(i)});
    for (int64_t i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == i);
    return return_int(c, 0);
}

static int gated(trygon_call_t *c)
{
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, arg_int(c, 0));
}

static int failing(trygon_call_t *c)
{
    (void)c;
    return 3;
}

/* Kills the actor in its argument. */
static int killer(trygon_call_t *c)
{
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    OK(trygon_actor_kill(trygon_call_runtime(c), v.refs[0], true));
    return return_int(c, 0);
}

static trygon_value_t holding(const trygon_ref_t *actor)
{
    return (trygon_value_t){.refs = actor, .nrefs = 1};
}

/* The error that a result ended with is ACTOR_DIED and says why. */
static void died_because(trygon_t *tg, trygon_ref_t ref, const char *why)
{
    trygon_error_t e = {.size = sizeof e};
    trygon_value_t v = {0};
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v), TRYGON_ERR_ACTOR_DIED);
    OK(trygon_ref_error(tg, ref, &e));
    if (!CHECK(strstr(e.text, why) != NULL))
        fprintf(stderr, "    it says: %s\n", e.text);
    drop(tg, ref);
}

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

static int add_two_now(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    return return_int(c, take_int(tg, method1(tg, v.refs[0], "add", 2)));
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
        ref[i] = method1(tg, a, "gated", 0);
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

static double free_cpus(trygon_t *tg)
{
    double total = 0, avail = 0;
    OK(trygon_resources(tg, "cpu", &total, &avail));
    return avail;
}

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
    CHECK_RC(trygon_actor_kill(tg, a, false), TRYGON_ERR_UNSUPPORTED);
    INVALID(trygon_get(tg, a, TRYGON_FOREVER, &v));
    INVALID(trygon_cancel(tg, a, false, false));
    INVALID(trygon_submit(tg, "twice", 1, &TRYGON_REF(a), NULL, &out));
    OK(trygon_actor_opts_init(&o));
    o.max_concurrency = 0;
    INVALID(trygon_actor_create(tg, "Counter", 0, NULL, &o, &out));
    OK(trygon_actor_opts_init(&o));
    o.max_pending_calls = 0;
    INVALID(trygon_actor_create(tg, "Counter", 0, NULL, &o, &out));
    OK(trygon_actor_opts_init(&o));
    o.max_restarts = 1;
    CHECK_RC(trygon_actor_create(tg, "Counter", 0, NULL, &o, &out),
             TRYGON_ERR_UNSUPPORTED);
    OK(trygon_actor_opts_init(&o));
    o.name = "me";
    CHECK_RC(trygon_actor_create(tg, "Counter", 0, NULL, &o, &out),
             TRYGON_ERR_UNSUPPORTED);
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

static const struct h_fn fns[] = {
    FN(twice),   FN(add_ones), FN(call_in_order), FN(gated),
    FN(failing), FN(killer),   FN(add_two_now),   {NULL, NULL},
};

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
    TEST(a_constructor_that_fails_fails_every_call, 0),
    TEST(a_kill_fails_what_runs_and_what_waits, 0),
    TEST(another_rank_may_kill, 0),
    TEST(a_pending_actor_may_be_killed, 0),
    TEST(an_actor_may_exit, 0),
    TEST(what_is_queued_can_be_cancelled, 0),
    TEST(what_runs_is_told_and_its_result_is_cancelled, 0),
    TEST(the_end_of_the_run_ends_it, 0),
    TEST(an_actor_holds_no_cpu_unless_told, 0),
    TEST(what_is_asked_for_is_held_for_life, 0),
    TEST(a_thousand_actors, 0),
    TEST(mistakes_are_refused, 0),
    TEST(classes_share_the_names_of_tasks, 0),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    int failures = 0;
    h_start(MPI_THREAD_MULTIPLE);
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_class(reg, &counter));
    OK(trygon_registry_add_class(reg, &broken));
    for (const struct h_test *t = tests; t->name != NULL; t++)
        if (argc < 2 || strstr(t->name, argv[1]) != NULL)
            failures = h_one(t, reg);
    OK(trygon_registry_destroy(&reg));
    MPI_Finalize();
    return failures != 0;
}
