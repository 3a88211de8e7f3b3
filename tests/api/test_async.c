/* test_async.c - async actors: calls as fibers of one thread. */
#include "async.h"

/* Under a sanitizer stacks cost more. */
enum { SLOW = TG_ASAN || TG_TSAN };

static void three_wait_for_each_other(trygon_t *tg)
{
    trygon_ref_t actor = create(tg, 0), ref[3];
    for (int i = 0; i < 3; i++)
        ref[i] = method(tg, actor, "meet", 3);
    for (int i = 0; i < 3; i++)
        CHECK(take_int(tg, ref[i]) == 3);
    CHECK(call_method(tg, actor, "dip", 1) >= 3);
    drop(tg, actor);
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
}

static void one_at_a_time_when_asked_for(trygon_t *tg)
{
    enum { N = 50 };
    trygon_ref_t actor = create(tg, 1), ref[N];
    for (int i = 0; i < N; i++)
        ref[i] = method(tg, actor, "dip", 3);
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == 1);
    drop(tg, actor);
}

static void a_thousand_wait_at_once(trygon_t *tg)
{
    enum { N = 1000 };
    static trygon_ref_t ref[N];
    trygon_ref_t actor = create(tg, 0);
    for (int i = 0; i < N; i++)
        ref[i] = method(tg, actor, "meet", N);
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == N);
    CHECK(call_method(tg, actor, "dip", 0) == N);
    drop(tg, actor);
}

static void ten_thousand_wait_and_are_killed(trygon_t *tg)
{
    int n = SLOW ? 1000 : 10000;
    trygon_ref_t actor = create(tg, 32767);
    trygon_ref_t *ref = calloc((size_t)n, sizeof *ref);
    for (int i = 0; i < n; i++)
        ref[i] = method(tg, actor, "hold", 0);
    until_started(n);
    CHECK(call_method(tg, actor, "dip", 2) == n + 1);
    OK(trygon_actor_kill(tg, actor, true));
    for (int i = 0; i < n; i++)
        CHECK(take_code(tg, ref[i]) == TRYGON_ERR_ACTOR_DIED);
    UNTIL(atomic_load(&shared[STOPPED]) == n);
    CHECK(atomic_load(&shared[DESTROYED]) == 0);
    free(ref);
    drop(tg, actor);
}

static void a_call_that_waits_is_cancelled(trygon_t *tg)
{
    trygon_ref_t actor = create(tg, 0), ref[3];
    for (int i = 0; i < 3; i++)
        ref[i] = method(tg, actor, i < 2 ? "hold" : "turn", 0);
    until_started(3);
    OK(trygon_cancel(tg, ref[0], false, true));
    OK(trygon_cancel(tg, ref[2], false, true));
    CHECK(take_code(tg, ref[0]) == TRYGON_ERR_CANCELLED);
    CHECK(take_code(tg, ref[2]) == TRYGON_ERR_CANCELLED);
    CHECK(atomic_load(&shared[STOPPED]) == 2);
    CHECK(call_method(tg, actor, "note", 4) == 4);
    CHECK(call_method(tg, actor, "open", 0) == 0);
    CHECK(take_int(tg, ref[1]) == 0);
    drop(tg, actor);
}

/* At the caller, before the actor is there, and where it lives. */
static void a_call_is_cancelled_before_it_starts(trygon_t *tg)
{
    trygon_ref_t actor = {0, 0};
    int64_t gated = 1;
    trygon_actor_opts_t o;
    OK(trygon_actor_opts_init(&o));
    o.max_concurrency = 1;
    OK(trygon_actor_create(tg, "Node", 1, &INT(gated), &o, &actor));
    trygon_ref_t early = method(tg, actor, "note", 0);
    OK(trygon_cancel(tg, early, false, true));
    CHECK(take_code(tg, early) == TRYGON_ERR_CANCELLED);
    atomic_store(&shared[GATE], 1);
    trygon_ref_t held = method(tg, actor, "hold", 0);
    until_started(1);
    trygon_ref_t queued = method(tg, actor, "note", 0);
    OK(trygon_cancel(tg, queued, false, true));
    CHECK(take_code(tg, queued) == TRYGON_ERR_CANCELLED);
    OK(trygon_cancel(tg, held, false, true));
    CHECK(take_code(tg, held) == TRYGON_ERR_CANCELLED);
    CHECK(atomic_load(&shared[RAN]) == 0);
    CHECK(call_method(tg, actor, "note", 1) == 1);
    drop(tg, actor);
}

/* The actor's thread is busy: what is to start next may still be cancelled. */
static void a_call_is_cancelled_behind_a_busy_one(trygon_t *tg)
{
    enum { N = 5 };
    trygon_ref_t actor = create(tg, 0), busy, ref[N];
    CHECK(call_method(tg, actor, "note", 0) == 0);
    busy = method(tg, actor, "busy", 0);
    until_started(1);
    for (int i = 0; i < N; i++)
        ref[i] = method(tg, actor, "note", i);
    OK(trygon_cancel(tg, ref[N - 1], false, false));
    usleep(50000); /* the actor's rank hears of it, from whoever polls */
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, busy) == 0);
    for (int i = 0; i < N - 1; i++)
        CHECK(take_int(tg, ref[i]) == i);
    CHECK(take_code(tg, ref[N - 1]) == TRYGON_ERR_CANCELLED);
    CHECK(call_method(tg, actor, "note", 9) == 9);
    CHECK(atomic_load(&shared[RAN]) == N + 1);
    drop(tg, actor);
}

static void a_hundred_sleep_together(trygon_t *tg)
{
    enum { N = 100 };
    trygon_ref_t actor = create(tg, 0), ref[N];
    CHECK(call_method(tg, actor, "note", 0) == 0);
    double began = h_seconds();
    for (int i = 0; i < N; i++)
        ref[i] = method(tg, actor, "sleep", 100);
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == N);
    CHECK(h_seconds() - began < 5); /* one after another: ten */
    drop(tg, actor);
}

static void the_last_error_is_the_fibers(trygon_t *tg)
{
    enum { N = 10 };
    trygon_ref_t actor = create(tg, 0), ref[N];
    for (int i = 0; i < N; i++)
        ref[i] = method(tg, actor, "err", i);
    for (int i = 0; i < N; i++)
        CHECK(take_code(tg, ref[i]) ==
              (i % 2 == 1 ? TRYGON_ERR_INVALID : TRYGON_ERR_TIMEOUT));
    drop(tg, actor);
}

static void fibers_wait_in_all_ways(trygon_t *tg)
{
    enum { N = 8 };
    trygon_ref_t actor = create(tg, 0), ref[N];
    for (int i = 0; i < N; i++)
        ref[i] = method(tg, actor, "ways", 0);
    int64_t most = 0;
    for (int i = 0; i < N; i++) {
        int64_t x = take_int(tg, ref[i]);
        most = x > most ? x : most;
    }
    CHECK(most > 1);
    drop(tg, actor);
}

static void an_actor_exits_with_calls_that_wait(trygon_t *tg)
{
    enum { N = 5 };
    trygon_ref_t actor = create(tg, N + 1), ref[N];
    for (int i = 0; i < N; i++)
        ref[i] = method(tg, actor, "hold", 0);
    until_started(N);
    CHECK(call_method(tg, actor, "exit", 0) == 0);
    trygon_ref_t late = method(tg, actor, "note", 0);
    CHECK(take_code(tg, late) == TRYGON_ERR_ACTOR_DIED);
    for (int i = 0; i < N; i++) { /* what runs goes on to its end */
        OK(trygon_cancel(tg, ref[i], false, false));
        CHECK(take_code(tg, ref[i]) == TRYGON_ERR_CANCELLED);
    }
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
    drop(tg, actor);
}

static void a_method_calls_its_own_actor(trygon_t *tg)
{
    trygon_ref_t actor = create(tg, 0), ref = {0, 0};
    int64_t depth = 20;
    trygon_value_t args[] = {{.refs = &actor, .nrefs = 1}, INT(depth)};
    OK(trygon_actor_call(tg, actor, "own", 2, args, NULL, &ref));
    CHECK(take_int(tg, ref) == depth);
    CHECK(call_method(tg, actor, "dip", 0) == depth + 1);
    drop(tg, actor);
}

/* Chains of calls through actors on all ranks; every fourth is cancelled. */
static void chains_cross_many_actors(trygon_t *tg)
{
    enum { N = 6, CHAINS = 120, DEPTH = 12 };
    trygon_ref_t actor[N], ref[CHAINS];
    trygon_value_t args[] = {{.refs = actor, .nrefs = N}, {0}};
    int64_t depth = DEPTH;
    int done = 0;
    args[1] = INT(depth);
    for (int i = 0; i < N; i++)
        actor[i] = create(tg, 0);
    for (int i = 0; i < CHAINS; i++)
        OK(trygon_actor_call(tg, actor[i % N], "relay", 2, args, NULL,
                             &ref[i]));
    for (int i = 0; i < CHAINS; i += 4)
        OK(trygon_cancel(tg, ref[i], false, i % 8 == 0));
    for (int i = 0; i < CHAINS; i++) {
        if (i % 4 != 0) {
            CHECK(take_int(tg, ref[i]) == DEPTH + 1);
            continue;
        }
        int rc = take_code(tg, ref[i]);
        CHECK(rc == TRYGON_ERR_CANCELLED || rc == TRYGON_SUCCESS);
        done += rc == TRYGON_SUCCESS;
    }
    CHECK(done < CHAINS / 4);
    OK(trygon_ref_release(tg, N, actor));
}

/* What has not started never does; what waits is asked to stop. */
static void left_with_calls_that_wait(trygon_t *tg)
{
    trygon_ref_t actor = create(tg, 2);
    for (int i = 0; i < 4; i++)
        drop(tg, method(tg, actor, i < 2 ? "hold" : "note", 0));
    until_started(2);
    drop(tg, actor);
}

static void some_calls_are_refused(trygon_t *tg)
{
    trygon_ref_t actor = create(tg, 0), none = {0, 0};
    trygon_actor_opts_t o;
    OK(trygon_actor_opts_init(&o));
    trygon_ref_t never = method(tg, actor, "never", 0);
    CHECK(take_code(tg, never) == TRYGON_ERR_RETURNS);
    o.order = TRYGON_ORDER_CALLS;
    INVALID(trygon_actor_create(tg, "Node", 0, NULL, &o, &none));
    INVALID(trygon_actor_create(tg, "Plain", 0, NULL,
                                &(trygon_actor_opts_t){.size = 0}, &none));
    o.max_concurrency = 2;
    INVALID(trygon_actor_create(tg, "Plain", 0, NULL, &o, &none));
    o.order = TRYGON_ORDER_ANY + 1;
    INVALID(trygon_actor_create(tg, "Node", 0, NULL, &o, &none));
    CHECK(h_logged("option order") >= 3);
    CHECK(none.hi == 0 && none.lo == 0);
    drop(tg, actor);
}

static const struct h_test tests[] = {
    TEST(three_wait_for_each_other, 0),
    TEST(one_at_a_time_when_asked_for, 0),
    TEST(a_thousand_wait_at_once, 0),
    TEST(ten_thousand_wait_and_are_killed, 0),
    TEST(a_call_that_waits_is_cancelled, 0),
    TEST(a_call_is_cancelled_before_it_starts, 0),
    TEST(a_call_is_cancelled_behind_a_busy_one, 0),
    TEST(a_hundred_sleep_together, 0),
    TEST(the_last_error_is_the_fibers, 0),
    TEST(fibers_wait_in_all_ways, 0),
    TEST(an_actor_exits_with_calls_that_wait, 0),
    TEST(a_method_calls_its_own_actor, 0),
    TEST(chains_cross_many_actors, 0),
    TEST(left_with_calls_that_wait, 0),
    TEST(some_calls_are_refused, 0),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    h_start(MPI_THREAD_MULTIPLE);
    int failures = async_tests(argc, argv, tests);
    MPI_Finalize();
    return failures != 0;
}
