/* test_stream_actor.c - methods of actors that yield, regular and threaded. */
#include "streams.h"

/* ----- a class ------------------------------------------------------------------- */

static int method_counts(trygon_call_t *c, void *self)
{
    (void)self;
    return counts(c);
}

static int method_gated(trygon_call_t *c, void *self)
{
    (void)self;
    return gated(c);
}

static int method_endless(trygon_call_t *c, void *self)
{
    (void)self;
    return endless(c);
}

static int method_by_turns(trygon_call_t *c, void *self)
{
    (void)self;
    return by_turns(c);
}

/* Yields n items whatever it is told, and waits for the gate before its end. */
static int method_stubborn(trygon_call_t *c, void *self)
{
    int64_t n = arg_int(c, 0);
    (void)self;
    for (int64_t i = 0; i < n; i++)
        (void)yield_int(c, i);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    atomic_fetch_add(&shared[ENDED], 1);
    return 0;
}

/* Yields n items, and its actor ends with it. */
static int method_exits(trygon_call_t *c, void *self)
{
    (void)self;
    OK(trygon_call_actor_exit(c));
    return counts(c);
}

static int method_note(trygon_call_t *c, void *self)
{
    (void)self;
    atomic_fetch_add(&shared[TRIES], 1);
    return return_int(c, 1);
}

static const trygon_method_t methods[] = {
    {"counts", method_counts, NULL},     {"gated", method_gated, NULL},
    {"endless", method_endless, NULL},   {"by_turns", method_by_turns, NULL},
    {"stubborn", method_stubborn, NULL}, {"exits", method_exits, NULL},
    {"note", method_note, NULL},
};

static int construct(trygon_call_t *c, void **self)
{
    (void)c;
    (void)self;
    return 0;
}

static const trygon_class_t yielder = {.size = sizeof yielder,
                                       .name = "Yielder",
                                       .construct = construct,
                                       .methods = methods,
                                       .nmethods =
                                           sizeof methods / sizeof methods[0]};

/* ----- short forms ----------------------------------------------------------------- */

static trygon_ref_t create(trygon_t *tg, int32_t concurrency)
{
    trygon_actor_opts_t o;
    trygon_ref_t a = {0, 0};
    OK(trygon_actor_opts_init(&o));
    o.max_concurrency = concurrency;
    OK(trygon_actor_create(tg, "Yielder", 0, NULL, &o, &a));
    return a;
}

/* Argument 0: n, 1: the code of the method's end. */
static trygon_ref_t start(trygon_t *tg, trygon_ref_t a, const char *method,
                          int64_t n, int64_t code, int64_t backpressure)
{
    trygon_ref_t s = {0, 0};
    trygon_value_t args[] = {INT(n), INT(code)};
    trygon_call_opts_t o;
    OK(trygon_call_opts_init(&o));
    CHECK(o.backpressure == -1);
    o.backpressure = backpressure;
    OK(trygon_actor_call_stream(tg, a, method, 2, args, &o, &s));
    CHECK(trygon_ref_kind(s) == TRYGON_KIND_STREAM);
    return s;
}

static void still_answers(trygon_t *tg, trygon_ref_t a)
{
    trygon_ref_t ref = {0, 0};
    OK(trygon_actor_call(tg, a, "note", 0, NULL, NULL, &ref));
    CHECK(take_int(tg, ref) == 1);
}

/* ----- tasks that call ---------------------------------------------------------------- */

static trygon_ref_t handle_in(trygon_call_t *c)
{
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    return v.refs[0];
}

/* The sum of 1000 items, at most 3 ahead. */
static int sums_method(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t s = start(tg, handle_in(c), "counts", 1000, 0, 3);
    int64_t sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += next_int(tg, s);
    at_end(tg, s);
    drop(tg, s);
    return return_int(c, sum);
}

/* Takes one item, closes the stream, and ends with the code in argument 1. */
static int leaves_early(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t s = start(tg, handle_in(c), "counts", 20, 0, 1);
    CHECK(next_int(tg, s) == 0);
    drop(tg, s);
    return_int(c, 0);
    return (int)arg_int(c, 1);
}

/* ----- items ---------------------------------------------------------------------------- */

static void a_method_yields_on_regular_and_threaded_actors(trygon_t *tg)
{
    for (int32_t threads = 0; threads < 4; threads += 3) {
        trygon_ref_t a = create(tg, threads);
        trygon_ref_t s = start(tg, a, "counts", 1000, 0, -1);
        for (int64_t i = 0; i < 1000; i++)
            CHECK(next_int(tg, s) == i);
        at_end(tg, s);
        CHECK(completion(tg, s) == 0);
        drop(tg, s);
        s = start(tg, a, "counts", 0, 0, 1);
        at_end(tg, s);
        drop(tg, s);
        still_answers(tg, a);
        drop(tg, a);
    }
}

static void large_items_of_a_method_stay_in_order(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), s = start(tg, a, "by_turns", 0, 0, -1);
    drop(tg, a); /* the call holds it */
    read_by_turns(tg, s);
    drop(tg, s);
}

static void what_a_method_s_stream_says_changes_step_by_step(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), done, item;
    bool over = true;
    atomic_store(&shared[GATE], -1);
    trygon_ref_t s = start(tg, a, "gated", 2, 0, -1);
    OK(trygon_stream_completed(tg, s, &done));
    CHECK(!next_ready(tg, s));
    CHECK_RC(trygon_stream_next(tg, s, 20, &item), TRYGON_ERR_TIMEOUT);
    atomic_store(&shared[GATE], 0);
    UNTIL(next_ready(tg, s));
    CHECK(next_int(tg, s) == 0);
    CHECK(!next_ready(tg, s));
    atomic_store(&shared[GATE], 1);
    UNTIL(next_ready(tg, s));
    atomic_store(&shared[GATE], 2);
    CHECK(take_code(tg, done) == 0); /* the method is over, */
    OK(trygon_stream_is_finished(tg, s, &over));
    CHECK(!over); /* the stream is not */
    CHECK(next_int(tg, s) == 1);
    at_end(tg, s);
    drop(tg, s);
    drop(tg, a);
}

static void an_error_of_a_method_is_its_last_item(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0);
    for (int64_t n = 0; n < 3; n++) {
        trygon_ref_t s = start(tg, a, "counts", n, 7, -1);
        for (int64_t i = 0; i < n; i++)
            CHECK(next_int(tg, s) == i);
        CHECK(next_code(tg, s) == TRYGON_ERR_TASK);
        at_end(tg, s);
        CHECK(completion(tg, s) == 0);
        drop(tg, s);
    }
    still_answers(tg, a);
    drop(tg, a);
}

static void a_failed_argument_of_a_call_is_item_and_completion(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), bad = start(tg, a, "counts", 0, 7, -1), arg;
    trygon_ref_t s = {0, 0};
    OK(trygon_stream_next(tg, bad, TRYGON_FOREVER, &arg));
    OK(trygon_actor_call_stream(tg, a, "counts", 1, &TRYGON_REF(arg), NULL,
                                &s));
    CHECK(next_code(tg, s) == TRYGON_ERR_DEPENDENCY);
    at_end(tg, s);
    CHECK(completion(tg, s) == TRYGON_ERR_DEPENDENCY);
    drop(tg, s);
    drop(tg, arg);
    drop(tg, bad);
    still_answers(tg, a);
    drop(tg, a);
}

static void yields_set_the_returns_of_a_method(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), refs[3];
    trygon_value_t args[] = {INT((int64_t){3}), INT((int64_t){0})};
    trygon_call_opts_t o;
    OK(trygon_call_opts_init(&o));
    o.num_returns = 3;
    OK(trygon_actor_call(tg, a, "counts", 2, args, &o, refs));
    for (int64_t i = 0; i < 3; i++)
        CHECK(take_int(tg, refs[i]) == i);
    o.num_returns = 2; /* one yield too many */
    OK(trygon_actor_call(tg, a, "counts", 2, args, &o, refs));
    for (int i = 0; i < 2; i++)
        CHECK(take_code(tg, refs[i]) == TRYGON_ERR_RETURNS);
    drop(tg, a);
}

/* ----- several streams ------------------------------------------------------------------- */

static void streams_of_a_threaded_actor_run_side_by_side(trygon_t *tg)
{
    enum { N = 5 };
    trygon_ref_t a = create(tg, N), s[N];
    atomic_store(&shared[GATE], 0);
    for (int i = 0; i < N; i++)
        s[i] = start(tg, a, "gated", 3, 0, 1 + i);
    for (int i = 0; i < N; i++) /* each has begun, and none has ended */
        CHECK(next_int(tg, s[i]) == 0);
    atomic_store(&shared[GATE], 3);
    for (int64_t k = 1; k < 3; k++)
        for (int i = N; i-- > 0;)
            CHECK(next_int(tg, s[i]) == k);
    for (int i = 0; i < N; i++)
        at_end(tg, s[i]);
    OK(trygon_ref_release(tg, N, s));
    drop(tg, a);
}

static void a_regular_actor_yields_one_stream_after_another(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), first = start(tg, a, "gated", 2, 0, -1),
                 second = start(tg, a, "counts", 2, 0, -1);
    CHECK(next_int(tg, first) == 0);
    usleep(5000);
    CHECK(!next_ready(tg, second));
    atomic_store(&shared[GATE], 2);
    CHECK(next_int(tg, second) == 0);
    CHECK(next_int(tg, first) == 1);
    at_end(tg, first);
    CHECK(next_int(tg, second) == 1);
    at_end(tg, second);
    drop(tg, first);
    drop(tg, second);
    drop(tg, a);
}

static void a_wait_set_drains_streams_of_an_actor(trygon_t *tg)
{
    enum { N = 4, ITEMS = 50 };
    trygon_ref_t a = create(tg, N), s[N];
    for (int64_t i = 0; i < N; i++)
        s[i] = start(tg, a, "counts", ITEMS, 0, 1 + i);
    drain_by_wait_set(tg, N, s, ITEMS);
    OK(trygon_ref_release(tg, N, s));
    drop(tg, a);
}

/* ----- backpressure ---------------------------------------------------------------------- */

static void a_method_goes_in_lock_step_with_its_reader(trygon_t *tg)
{
    for (int32_t threads = 0; threads < 4; threads += 3) {
        trygon_ref_t a = create(tg, threads),
                     s = start(tg, a, "counts", 5, 0, 1);
        atomic_store(&shared[YIELDED], 0);
        for (int i = 0; i < 5; i++) {
            UNTIL(next_ready(tg, s));
            usleep(3000); /* one item is out, whose yield has not come back */
            CHECK(atomic_load(&shared[YIELDED]) == i);
            CHECK(next_int(tg, s) == i);
            UNTIL(atomic_load(&shared[YIELDED]) == i + 1);
        }
        at_end(tg, s);
        drop(tg, s);
        drop(tg, a);
    }
}

static void closing_lets_a_blocked_method_run_to_its_end(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), s = start(tg, a, "counts", 100, 0, 1);
    CHECK(next_int(tg, s) == 0);
    drop(tg, s);
    UNTIL(atomic_load(&shared[ENDED]) == 1);
    CHECK(atomic_load(&shared[YIELDED]) == 100);
    still_answers(tg, a);
    drop(tg, a);
}

static void a_method_ends_when_the_task_that_called_it_has(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0);
    trygon_value_t args[2] = {{.refs = &a, .nrefs = 1}};
    for (int64_t code = 0; code < 2; code++) {
        args[1] = INT(code);
        CHECK(take_code(tg, call(tg, "leaves_early", 2, args)) ==
              (code ? TRYGON_ERR_TASK : 0));
        UNTIL(atomic_load(&shared[ENDED]) == (int)code + 1);
        CHECK(atomic_load(&shared[YIELDED]) == 20 * ((int)code + 1));
    }
    still_answers(tg, a);
    drop(tg, a);
}

static void tasks_on_all_ranks_read_methods(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 4), sums[4];
    trygon_value_t v = {.refs = &a, .nrefs = 1};
    for (int i = 0; i < 4; i++)
        sums[i] = call(tg, "sums_method", 1, &v);
    drop(tg, a);
    for (int i = 0; i < 4; i++)
        CHECK(take_int(tg, sums[i]) == 499500);
}

/* ----- cancel ------------------------------------------------------------------------------ */

static void cancelled_is_the_next_item_of_a_method(trygon_t *tg)
{
    for (int64_t limit = -1; limit < 2; limit += 2) {
        trygon_ref_t a = create(tg, 0),
                     s = start(tg, a, "endless", 0, 0, limit);
        CHECK(next_int(tg, s) == 0);
        UNTIL(next_ready(tg, s));
        OK(trygon_cancel(tg, s, false, true));
        CHECK(next_code(tg, s) == TRYGON_ERR_CANCELLED);
        at_end(tg, s);
        still_answers(tg, a); /* the method has looked, and ended */
        CHECK(completion(tg, s) == TRYGON_ERR_CANCELLED);
        drop(tg, s);
        drop(tg, a);
    }
    CHECK(atomic_load(&shared[STOPPED]) == 2);
}

static void a_cancelled_method_that_does_not_look_runs_to_its_end(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), s = start(tg, a, "stubborn", 9, 0, 3);
    CHECK(next_int(tg, s) == 0);
    OK(trygon_cancel(tg, s, false, true));
    CHECK(next_code(tg, s) == TRYGON_ERR_CANCELLED);
    at_end(tg, s);
    CHECK(atomic_load(&shared[ENDED]) == 0);
    atomic_store(&shared[GATE], 1);
    CHECK(completion(tg, s) == TRYGON_ERR_CANCELLED);
    CHECK(atomic_load(&shared[ENDED]) == 1);
    CHECK(atomic_load(&shared[YIELDED]) < 9); /* the others were refused */
    drop(tg, s);
    still_answers(tg, a);
    drop(tg, a);
}

static void a_queued_stream_that_is_cancelled_never_runs(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), first = start(tg, a, "gated", 1, 0, -1),
                 s = start(tg, a, "stubborn", 3, 0, -1);
    CHECK(next_int(tg, first) == 0);
    OK(trygon_cancel(tg, s, false, true));
    CHECK(next_code(tg, s) == TRYGON_ERR_CANCELLED);
    at_end(tg, s);
    CHECK(completion(tg, s) == TRYGON_ERR_CANCELLED);
    atomic_store(&shared[GATE], 1);
    still_answers(tg, a);
    CHECK(atomic_load(&shared[ENDED]) == 0);
    drop(tg, first);
    drop(tg, s);
    drop(tg, a);
}

/* ----- the end of the actor ----------------------------------------------------------------- */

static void what_had_come_before_a_kill_can_be_read(trygon_t *tg)
{
    for (int32_t threads = 0; threads < 4; threads += 3) {
        trygon_ref_t a = create(tg, threads), done;
        trygon_ref_t s = start(tg, a, "endless", 0, 0, 3);
        int64_t n = 0;
        int rc;
        OK(trygon_stream_completed(tg, s, &done));
        CHECK(next_int(tg, s) == n++);
        UNTIL(next_ready(tg, s));
        OK(trygon_actor_kill(tg, a, true));
        CHECK(take_code(tg, done) == TRYGON_ERR_ACTOR_DIED);
        do { /* what had come, then the error */
            trygon_ref_t item = {0, 0};
            int64_t x = -1;
            OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item));
            rc = trygon_get_into(tg, item, TRYGON_FOREVER, &x, sizeof x, NULL);
            CHECK(rc == TRYGON_ERR_ACTOR_DIED || (rc == 0 && x == n++));
            drop(tg, item);
        } while (rc == 0);
        CHECK(n >= 2);
        at_end(tg, s);
        drop(tg, s);
        s = start(tg, a, "counts", 1, 0, -1);
        CHECK(next_code(tg, s) == TRYGON_ERR_ACTOR_DIED);
        at_end(tg, s);
        CHECK(completion(tg, s) == TRYGON_ERR_ACTOR_DIED);
        drop(tg, s);
        drop(tg, a);
    }
    UNTIL(atomic_load(&shared[STOPPED]) == 2); /* also from a blocked yield */
}

static void a_method_yields_all_and_its_actor_exits(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), s = start(tg, a, "exits", 10, 0, 2),
                 behind = start(tg, a, "counts", 3, 0, -1);
    for (int64_t i = 0; i < 10; i++)
        CHECK(next_int(tg, s) == i);
    at_end(tg, s);
    CHECK(completion(tg, s) == 0);
    CHECK(next_code(tg, behind) == TRYGON_ERR_ACTOR_DIED);
    at_end(tg, behind);
    drop(tg, s);
    drop(tg, behind);
    drop(tg, a);
}

/* The harness looks for what is left. */
static void unread_items_of_methods_are_freed(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 2), b = create(tg, 0);
    for (int i = 0; i < 20; i++) {
        trygon_ref_t s = start(tg, i % 4 ? a : b, i % 2 ? "by_turns" : "counts",
                               50, i % 3, i % 5 ? -1 : 2);
        if (i % 3 == 0) {
            trygon_ref_t item = {0, 0};
            OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item));
            CHECK(take_code(tg, item) == 0);
        }
        drop(tg, s);
    }
    OK(trygon_actor_kill(tg, b, true));
    drop(tg, a);
    drop(tg, b);
}

/* ----- what is refused ------------------------------------------------------------------------ */

static void bad_stream_calls_are_refused(trygon_t *tg)
{
    trygon_ref_t a = create(tg, 0), ref, object = put_int(tg, 1);
    trygon_call_opts_t o;
    static const int64_t bad[] = {0, -2};
    OK(trygon_call_opts_init(&o));
    for (int i = 0; i < 2; i++) {
        o.backpressure = bad[i];
        INVALID(trygon_actor_call_stream(tg, a, "counts", 0, NULL, &o, &ref));
    }
    o.backpressure = 1;
    INVALID(trygon_actor_call(tg, a, "counts", 0, NULL, &o, &ref));
    o.num_returns = 2;
    INVALID(trygon_actor_call_stream(tg, a, "counts", 0, NULL, &o, &ref));
    INVALID(trygon_actor_call_stream(tg, a, "counts", 0, NULL, NULL, NULL));
    INVALID(trygon_actor_call_stream(tg, a, NULL, 0, NULL, NULL, &ref));
    INVALID(trygon_actor_call_stream(tg, a, "counts", 1, NULL, NULL, &ref));
    INVALID(trygon_actor_call_stream(NULL, a, "counts", 0, NULL, NULL, &ref));
    INVALID(
        trygon_actor_call_stream(tg, object, "counts", 0, NULL, NULL, &ref));
    CHECK_RC(trygon_actor_call_stream(tg, a, "nothing", 0, NULL, NULL, &ref),
             TRYGON_ERR_NOTFOUND);
    CHECK(h_logged("backpressure") == 3);
    trygon_ref_t gone = a;
    still_answers(tg, a);
    drop(tg, a);
    CHECK_RC(trygon_actor_call_stream(tg, gone, "counts", 0, NULL, NULL, &ref),
             TRYGON_ERR_NOTFOUND);
    drop(tg, object);
}

static const struct h_test tests[] = {
    TEST(a_method_yields_on_regular_and_threaded_actors, 1),
    TEST(large_items_of_a_method_stay_in_order, 1),
    TEST(what_a_method_s_stream_says_changes_step_by_step, 1),
    TEST(an_error_of_a_method_is_its_last_item, 1),
    TEST(a_failed_argument_of_a_call_is_item_and_completion, 1),
    TEST(yields_set_the_returns_of_a_method, 1),
    TEST(streams_of_a_threaded_actor_run_side_by_side, 1),
    TEST(a_regular_actor_yields_one_stream_after_another, 1),
    TEST(a_wait_set_drains_streams_of_an_actor, 1),
    TEST(a_method_goes_in_lock_step_with_its_reader, 1),
    TEST(closing_lets_a_blocked_method_run_to_its_end, 1),
    TEST(a_method_ends_when_the_task_that_called_it_has, 1),
    TEST(tasks_on_all_ranks_read_methods, 2),
    TEST(cancelled_is_the_next_item_of_a_method, 1),
    TEST(a_cancelled_method_that_does_not_look_runs_to_its_end, 1),
    TEST(a_queued_stream_that_is_cancelled_never_runs, 1),
    TEST(what_had_come_before_a_kill_can_be_read, 1),
    TEST(a_method_yields_all_and_its_actor_exits, 1),
    TEST(unread_items_of_methods_are_freed, 1),
    TEST(bad_stream_calls_are_refused, 1),
    {NULL, NULL, 0},
};

static const struct h_fn callers[] = {
    FN(sums_method),
    FN(leaves_early),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    h_start(MPI_THREAD_MULTIPLE);
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_class(reg, &yielder));
    for (const struct h_fn *f = callers; f->name != NULL; f++)
        OK(trygon_registry_add_task(reg, f->name, f->fn));
    return h_main_with(argc, argv, tests, reg);
}
