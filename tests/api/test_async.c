/* test_async.c - async actors: calls as fibers of one thread. */
#include "harness.h"

/* Under a sanitizer stacks cost more. */
#if defined(__SANITIZE_THREAD__) || defined(H_ASAN)
enum { SLOW = true };
#elif defined(__has_feature)
enum { SLOW = __has_feature(thread_sanitizer) };
#else
enum { SLOW = false };
#endif

enum { STARTED, STOPPED, DESTROYED, RAN, GATE };

/* ----- a class -------------------------------------------------------------- */

struct node {
    trygon_event_t *met, *gate;
    int64_t arrived, now, most;
    pthread_t thread; /* of all calls under way */
    struct node *older;
};

/* A killed one is never destroyed: all stay, so that none is a leak. */
static _Atomic(struct node *) nodes;

static int node_construct(trygon_call_t *c, void **self)
{
    trygon_t *tg = trygon_call_runtime(c);
    struct node *x = calloc(1, sizeof *x);
    *self = x;
    x->older = atomic_load(&nodes);
    while (!atomic_compare_exchange_weak(&nodes, &x->older, x))
        continue;
    if (trygon_call_nargs(c) > 0)
        UNTIL(atomic_load(&shared[GATE]) != 0);
    OK(trygon_event_create(tg, &x->met));
    return trygon_event_create(tg, &x->gate);
}

static void node_destroy(trygon_t *tg, void *self)
{
    struct node *x = self;
    (void)tg;
    CHECK(x->now == 0);
    OK(trygon_event_destroy(&x->met));
    OK(trygon_event_destroy(&x->gate));
    atomic_fetch_add(&shared[DESTROYED], 1);
}

/* No lock is needed: nobody else runs until this call waits. */
static struct node *enter(void *self)
{
    struct node *x = self;
    if (x->now++ == 0)
        x->thread = pthread_self();
    CHECK(pthread_equal(x->thread, pthread_self()));
    x->most = x->now > x->most ? x->now : x->most;
    return x;
}

/* As many calls as the argument says wait for the last of them. */
static int node_meet(trygon_call_t *c, void *self)
{
    struct node *x = enter(self);
    if (++x->arrived == arg_int(c, 0))
        OK(trygon_event_set(x->met));
    OK(trygon_event_wait(x->met, TRYGON_FOREVER));
    CHECK(x->arrived == arg_int(c, 0));
    x->now--;
    return return_int(c, x->arrived);
}

/* How many of these were there at once, at most? */
static int node_dip(trygon_call_t *c, void *self)
{
    struct node *x = enter(self);
    for (int64_t i = 0; i < arg_int(c, 0); i++)
        OK(trygon_sleep(trygon_call_runtime(c), i % 2));
    x->now--;
    return return_int(c, x->most);
}

static int node_hold(trygon_call_t *c, void *self)
{
    struct node *x = enter(self);
    atomic_fetch_add(&shared[STARTED], 1);
    int rc = trygon_event_wait(x->gate, TRYGON_FOREVER);
    x->now--;
    if (rc == TRYGON_ERR_CANCELLED) {
        CHECK(trygon_call_cancelled(c));
        CHECK_RC(trygon_event_wait(x->gate, 10), TRYGON_ERR_CANCELLED);
        CHECK_RC(trygon_sleep(trygon_call_runtime(c), 0), rc);
        CHECK_RC(trygon_sleep(trygon_call_runtime(c), 10), rc);
        atomic_fetch_add(&shared[STOPPED], 1);
        return rc;
    }
    OK(rc);
    return return_int(c, 0);
}

static int node_open(trygon_call_t *c, void *self)
{
    struct node *x = enter(self);
    OK(trygon_event_set(x->gate));
    x->now--;
    return return_int(c, 0);
}

static int node_note(trygon_call_t *c, void *self)
{
    (void)self;
    atomic_fetch_add(&shared[RAN], 1);
    return return_int(c, trygon_call_nargs(c) > 0 ? arg_int(c, 0) : 0);
}

static int node_sleep(trygon_call_t *c, void *self)
{
    struct node *x = enter(self);
    double began = h_seconds();
    OK(trygon_sleep(trygon_call_runtime(c), arg_int(c, 0)));
    CHECK(h_seconds() - began >= (double)arg_int(c, 0) * 0.99e-3);
    x->now--;
    return return_int(c, x->most);
}

/* Keeps the thread to itself. */
static int node_busy(trygon_call_t *c, void *self)
{
    struct node *x = enter(self);
    atomic_fetch_add(&shared[STARTED], 1);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    x->now--;
    return return_int(c, 0);
}

/* Runs until it is asked to stop, and lets others run meanwhile. */
static int node_turn(trygon_call_t *c, void *self)
{
    struct node *x = enter(self);
    int rc = 0;
    atomic_fetch_add(&shared[STARTED], 1);
    while (rc == 0)
        rc = trygon_sleep(trygon_call_runtime(c), 0);
    x->now--;
    atomic_fetch_add(&shared[STOPPED], 1);
    return rc;
}

/* Its mistake is still the last one when others have made theirs. */
static int node_err(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_error_t e = {.size = sizeof e};
    trygon_value_t v = {0};
    struct node *x = enter(self);
    bool odd = arg_int(c, 0) % 2 == 1;
    CHECK_RC(trygon_last_error(&e), TRYGON_ERR_NOTFOUND);
    for (int i = 0; i < 3; i++) {
        if (odd)
            CHECK_RC(trygon_call_arg(c, 9, &v), TRYGON_ERR_INVALID);
        else
            CHECK_RC(trygon_event_wait(x->gate, 0), TRYGON_ERR_TIMEOUT);
        OK(trygon_sleep(tg, i));
        OK(trygon_last_error(&e));
        CHECK(e.code == (odd ? TRYGON_ERR_INVALID : TRYGON_ERR_TIMEOUT));
    }
    x->now--;
    return odd ? TRYGON_ERR_INVALID : TRYGON_ERR_TIMEOUT;
}

/* Calls its own actor, whose handle is in argument 0. */
static int node_own(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0};
    trygon_ref_t ref = {0, 0};
    struct node *x = enter(self);
    int64_t n = arg_int(c, 1);
    OK(trygon_call_arg(c, 0, &v));
    trygon_value_t args[] = {v, INT(n)};
    if (n-- > 0) {
        OK(trygon_actor_call(tg, v.refs[0], "own", 2, args, NULL, &ref));
        CHECK(take_int(tg, ref) == n);
    }
    x->now--;
    return return_int(c, n + 1);
}

/* Passes a number on to the next of the actors in argument 0, and waits. */
static int node_relay(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0};
    trygon_ref_t ref = {0, 0};
    struct node *x = enter(self);
    int64_t n = arg_int(c, 1), got = 0;
    OK(trygon_call_arg(c, 0, &v));
    trygon_value_t args[] = {v, INT(n)};
    int rc = n % 3 == 0 ? trygon_sleep(tg, n % 2) : TRYGON_SUCCESS;
    if (n-- > 0 && rc == TRYGON_SUCCESS) {
        OK(trygon_actor_call(tg, v.refs[(size_t)n % v.nrefs], "relay", 2, args,
                             NULL, &ref));
        rc = trygon_get_into(tg, ref, TRYGON_FOREVER, &got, sizeof got, NULL);
        drop(tg, ref);
    }
    x->now--;
    return rc != TRYGON_SUCCESS ? rc : return_int(c, got + 1);
}

static int node_exit(trygon_call_t *c, void *self)
{
    (void)self;
    OK(trygon_call_actor_exit(c));
    return return_int(c, 0);
}

static void opened(trygon_t *tg, trygon_ref_t ref, void *arg)
{
    trygon_event_t *event = arg;
    (void)tg;
    (void)ref;
    OK(trygon_event_set(event));
}

/* Waits in every way there is, for tasks that take a while. */
static int node_ways(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c);
    struct node *x = enter(self);
    trygon_ref_t ref[4], stream, item;
    trygon_waitset_t *set;
    trygon_event_t *event;
    bool ready[4];
    size_t n;
    uint64_t tag;
    for (int64_t i = 0; i < 4; i++)
        ref[i] = call1(tg, "later", i);
    trygon_wait_opts_t o;
    OK(trygon_wait_opts_init(&o));
    o.timeout_ms = 0;
    OK(trygon_wait(tg, 1, &ref[3], &o, ready, &n));
    o.timeout_ms = TRYGON_FOREVER;
    OK(trygon_wait(tg, 1, ref, &o, ready, &n));
    CHECK(n == 1 && ready[0]);
    CHECK(get_int(tg, ref[0]) == 0);
    OK(trygon_waitset_create(tg, &set));
    OK(trygon_waitset_add(set, ref[1], 7));
    OK(trygon_waitset_next(set, TRYGON_FOREVER, &item, &tag));
    CHECK(tag == 7 && trygon_ref_equal(item, ref[1]));
    OK(trygon_waitset_destroy(&set));
    OK(trygon_event_create(tg, &event));
    OK(trygon_on_ready(tg, ref[2], opened, event));
    OK(trygon_event_wait(event, TRYGON_FOREVER));
    OK(trygon_event_destroy(&event));
    CHECK(get_int(tg, ref[3]) == 3);
    CHECK(get_int(tg, ref[3]) == 3);
    OK(trygon_ref_release(tg, 4, ref));
    CHECK(take_code(tg, call(tg, "failing", 0, NULL)) == TRYGON_ERR_TASK);
    trygon_error_t e = {.size = sizeof e};
    OK(trygon_last_error(&e));
    CHECK(e.user_code == 3);
    OK(trygon_submit_stream(tg, "items", 0, NULL, NULL, &stream));
    for (int64_t i = 0; i < 3; i++) {
        OK(trygon_stream_next(tg, stream, TRYGON_FOREVER, &item));
        CHECK(take_int(tg, item) == i);
    }
    CHECK_RC(trygon_stream_next(tg, stream, TRYGON_FOREVER, &item),
             TRYGON_ERR_END);
    drop(tg, stream);
    trygon_node_t rank;
    OK(trygon_nodes(tg, 1, &rank, &n));
    CHECK(n == (size_t)h_size);
    x->now--;
    return return_int(c, x->most);
}

/* What must not be called here. */
static int node_never(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c), *same = tg;
    (void)self;
    CHECK_RC(trygon_finalize(&same), TRYGON_ERR_STATE);
    CHECK_RC(trygon_run(tg, h_driver, NULL, NULL), TRYGON_ERR_STATE);
    INVALID(trygon_sleep(tg, -1));
    trygon_call_info_t info = {.size = sizeof info};
    OK(trygon_call_info(c, &info));
    CHECK(strcmp(info.function, "Node.never") == 0 && info.rank == h_rank);
    CHECK(info.task != 0 && info.num_cpus < 1e-9);
    return 0;
}

static const trygon_group_t groups[] = {{"A", 1}, {"B", 2}};
static const trygon_method_t methods[] = {
    {"meet", node_meet, NULL},   {"dip", node_dip, NULL},
    {"hold", node_hold, NULL},   {"open", node_open, NULL},
    {"relay", node_relay, NULL}, {"busy", node_busy, NULL},
    {"note", node_note, NULL},   {"sleep", node_sleep, NULL},
    {"turn", node_turn, NULL},   {"err", node_err, NULL},
    {"own", node_own, NULL},     {"exit", node_exit, NULL},
    {"ways", node_ways, NULL},   {"never", node_never, NULL},
    {"a_hold", node_hold, "A"},  {"a_note", node_note, "A"},
    {"b_note", node_note, "B"},  {"b_dip", node_dip, "B"},
};
enum { NMETHODS = sizeof methods / sizeof methods[0] };

static const trygon_class_t node = {.size = sizeof node,
                                    .name = "Node",
                                    .construct = node_construct,
                                    .destroy = node_destroy,
                                    .methods = methods,
                                    .nmethods = NMETHODS,
                                    .async = true,
                                    .groups = groups,
                                    .ngroups = 2};

/* ----- short forms ------------------------------------------------------------- */

static trygon_ref_t create(trygon_t *tg, int32_t concurrency)
{
    trygon_ref_t actor = {0, 0};
    trygon_actor_opts_t o;
    OK(trygon_actor_opts_init(&o));
    o.max_concurrency = concurrency;
    OK(trygon_actor_create(tg, "Node", 0, NULL, &o, &actor));
    return actor;
}

static trygon_ref_t method(trygon_t *tg, trygon_ref_t actor, const char *name,
                           int64_t x)
{
    trygon_ref_t ref = {0, 0};
    OK(trygon_actor_call(tg, actor, name, 1, &INT(x), NULL, &ref));
    return ref;
}

static int64_t call_method(trygon_t *tg, trygon_ref_t actor, const char *name,
                           int64_t x)
{
    return take_int(tg, method(tg, actor, name, x));
}

/* Until so many calls of "hold" wait. */
static void until_started(int n)
{
    UNTIL(atomic_load(&shared[STARTED]) == n);
}

/* ----- tests -------------------------------------------------------------------- */

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

static void groups_hold_up_no_others(trygon_t *tg)
{
    trygon_ref_t actor = create(tg, 1), a, behind, b[4];
    a = method(tg, actor, "a_hold", 0);
    until_started(1);
    behind = method(tg, actor, "a_note", 5);
    for (int64_t i = 0; i < 4; i++)
        CHECK(call_method(tg, actor, "b_note", i) == i);
    for (int i = 0; i < 4; i++)
        b[i] = method(tg, actor, "b_dip", 20);
    for (int i = 0; i < 4; i++) /* with the one of A */
        CHECK(take_int(tg, b[i]) <= 3);
    CHECK(call_method(tg, actor, "note", 3) == 3);
    CHECK(atomic_load(&shared[RAN]) == 5);
    CHECK(call_method(tg, actor, "open", 0) == 0);
    CHECK(take_int(tg, behind) == 5);
    CHECK(take_int(tg, a) == 0);
    drop(tg, actor);
}

static void a_call_may_name_its_group(trygon_t *tg)
{
    trygon_ref_t actor = create(tg, 1), held, moved = {0, 0}, none = {0, 0};
    trygon_call_opts_t o;
    OK(trygon_call_opts_init(&o));
    held = method(tg, actor, "hold", 0);
    until_started(1);
    o.group = "B";
    for (int64_t i = 0; i < 3; i++) {
        OK(trygon_actor_call(tg, actor, "note", 1, &INT(i), &o, &moved));
        CHECK(take_int(tg, moved) == i);
    }
    trygon_ref_t stays = method(tg, actor, "note", 9);
    OK(trygon_actor_call(tg, actor, "open", 0, NULL, &o, &moved));
    CHECK(take_int(tg, moved) == 0);
    CHECK(take_int(tg, stays) == 9);
    CHECK(take_int(tg, held) == 0);
    o.group = "C";
    CHECK_RC(trygon_actor_call(tg, actor, "note", 0, NULL, &o, &none),
             TRYGON_ERR_NOTFOUND);
    CHECK(none.hi == 0 && none.lo == 0);
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

/* ----- regular actors with groups, and order ------------------------------------------ */

static int plain_construct(trygon_call_t *c, void **self)
{
    (void)c;
    *self = NULL;
    return 0;
}

static int plain_hold(trygon_call_t *c, void *self)
{
    (void)self;
    atomic_fetch_add(&shared[STARTED], 1);
    while (atomic_load(&shared[GATE]) == 0 && !trygon_call_cancelled(c))
        OK(trygon_sleep(trygon_call_runtime(c), 1));
    return return_int(c, 0);
}

static const trygon_method_t plain_methods[] = {{"hold", plain_hold, NULL},
                                                {"note", node_note, NULL},
                                                {"a_hold", plain_hold, "A"},
                                                {"b_note", node_note, "B"}};
static const trygon_class_t plain = {.size = sizeof plain,
                                     .name = "Plain",
                                     .construct = plain_construct,
                                     .methods = plain_methods,
                                     .nmethods = 4,
                                     .groups = groups,
                                     .ngroups = 2};

static trygon_ref_t create_plain(trygon_t *tg, int32_t order)
{
    trygon_ref_t actor = {0, 0};
    trygon_actor_opts_t o;
    OK(trygon_actor_opts_init(&o));
    o.order = order;
    OK(trygon_actor_create(tg, "Plain", 0, NULL, &o, &actor));
    return actor;
}

static void groups_of_a_regular_actor(trygon_t *tg)
{
    trygon_ref_t actor = create_plain(tg, TRYGON_ORDER_CALLS);
    trygon_ref_t a = method(tg, actor, "a_hold", 0);
    until_started(1);
    CHECK(call_method(tg, actor, "b_note", 1) == 1);
    CHECK(call_method(tg, actor, "note", 2) == 2);
    trygon_ref_t held = method(tg, actor, "hold", 0);
    until_started(2);
    CHECK(call_method(tg, actor, "b_note", 3) == 3);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, held) == 0);
    CHECK(take_int(tg, a) == 0);
    drop(tg, actor);
}

static void whose_arguments_are_there_goes_first(trygon_t *tg)
{
    trygon_ref_t any[] = {create_plain(tg, TRYGON_ORDER_ANY), create(tg, 1)};
    trygon_ref_t late = call1(tg, "gated", 5), ref[2] = {{0, 0}};
    for (int i = 0; i < 2; i++)
        OK(trygon_actor_call(tg, any[i], "note", 1, &TRYGON_REF(late), NULL,
                             &ref[i]));
    for (int i = 0; i < 2; i++)
        CHECK(call_method(tg, any[i], "note", 6) == 6);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 2; i++)
        CHECK(take_int(tg, ref[i]) == 5);
    drop(tg, late);
    OK(trygon_ref_release(tg, 2, any));
}

/* ----- sleep and events elsewhere ------------------------------------------------------ */

static int later(trygon_call_t *c)
{
    OK(trygon_sleep(trygon_call_runtime(c), 3 * arg_int(c, 0)));
    return return_int(c, arg_int(c, 0));
}

static int items(trygon_call_t *c)
{
    for (int64_t i = 0; i < 3; i++) {
        OK(trygon_sleep(trygon_call_runtime(c), 1));
        OK(trygon_call_yield(c, &INT(i)));
    }
    return 0;
}

static int gated(trygon_call_t *c)
{
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, arg_int(c, 0));
}

static int failing(trygon_call_t *c)
{
    (void)trygon_sleep(trygon_call_runtime(c), 1);
    return 3;
}

static int sleeps(trygon_call_t *c)
{
    atomic_fetch_add(&shared[STARTED], 1);
    int rc = trygon_sleep(trygon_call_runtime(c), 60000);
    CHECK_RC(rc, TRYGON_ERR_CANCELLED);
    return rc;
}

static void a_task_that_sleeps_is_cancelled(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "sleeps", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, ref, false, false));
    CHECK(take_code(tg, ref) == TRYGON_ERR_CANCELLED);
    double began = h_seconds();
    OK(trygon_sleep(tg, 20));
    CHECK(h_seconds() - began >= 0.0199);
    OK(trygon_sleep(tg, 0));
    INVALID(trygon_sleep(tg, -1));
    INVALID(trygon_sleep(NULL, 1));
}

struct waiter {
    trygon_event_t *event;
    pthread_t thread;
    atomic_int *came;
    int number;
    bool alone;
};

static void *wait_in_thread(void *arg)
{
    struct waiter *w = arg;
    OK(trygon_event_wait(w->event, TRYGON_FOREVER));
    w->number = atomic_fetch_add(w->came, 1);
    return NULL;
}

static void events_are_for_threads_too(trygon_t *tg)
{
    enum { N = 4 };
    struct waiter w[N];
    atomic_int came = 0;
    trygon_event_t *event = NULL;
    OK(trygon_event_create(tg, &event));
    CHECK_RC(trygon_event_wait(event, 0), TRYGON_ERR_TIMEOUT);
    CHECK_RC(trygon_event_wait(event, 5), TRYGON_ERR_TIMEOUT);
    for (int i = 0; i < N; i++) {
        w[i] = (struct waiter){.event = event, .came = &came, .number = -1};
        pthread_create(&w[i].thread, NULL, wait_in_thread, &w[i]);
    }
    usleep(20000);
    CHECK(atomic_load(&came) == 0);
    CHECK_RC(trygon_event_destroy(&event), TRYGON_ERR_STATE);
    CHECK(event != NULL);
    OK(trygon_event_set(event));
    for (int i = 0; i < N; i++)
        pthread_join(w[i].thread, NULL);
    CHECK(atomic_load(&came) == N);
    OK(trygon_event_wait(event, 0));
    OK(trygon_event_set(event));
    OK(trygon_event_clear(event));
    CHECK_RC(trygon_event_wait(event, 0), TRYGON_ERR_TIMEOUT);
    OK(trygon_event_destroy(&event));
    OK(trygon_event_destroy(&event));
    INVALID(trygon_event_destroy(NULL));
    INVALID(trygon_event_wait(NULL, 0));
    INVALID(trygon_event_set(NULL));
    INVALID(trygon_event_clear(NULL));
    INVALID(trygon_event_create(tg, NULL));
    INVALID(trygon_event_create(NULL, &event));
}

/* ----- the registry ---------------------------------------------------------------------- */

static int add_class(trygon_registry_t *reg, const char *name,
                     const trygon_group_t *g, size_t n, const char *group)
{
    trygon_method_t m = {"m", node_note, group};
    trygon_class_t cls = {.size = sizeof cls,
                          .name = name,
                          .construct = plain_construct,
                          .methods = &m,
                          .nmethods = 1,
                          .groups = g,
                          .ngroups = n};
    return trygon_registry_add_class(reg, &cls);
}

static void groups_must_make_sense(trygon_t *tg)
{
    trygon_registry_t *reg = NULL;
    trygon_group_t g[TRYGON_MAX_GROUPS + 1];
    char names[TRYGON_MAX_GROUPS + 1][8], longest[65];
    (void)tg;
    memset(longest, 'x', 64);
    longest[64] = '\0';
    for (int i = 0; i <= TRYGON_MAX_GROUPS; i++) {
        snprintf(names[i], sizeof names[i], "g%d", i);
        g[i] = (trygon_group_t){names[i], i + 1};
    }
    OK(trygon_registry_create(&reg));
    INVALID(add_class(reg, "C", NULL, 1, NULL));
    INVALID(add_class(reg, "C", g, TRYGON_MAX_GROUPS + 1, NULL));
    CHECK_RC(add_class(reg, "C", g, 2, "g2"), TRYGON_ERR_NOTFOUND);
    CHECK_RC(add_class(reg, "C", NULL, 0, "g0"), TRYGON_ERR_NOTFOUND);
    g[0].max_concurrency = 0;
    INVALID(add_class(reg, "C", g, 2, "g1"));
    g[0].max_concurrency = 32768;
    INVALID(add_class(reg, "C", g, 2, "g1"));
    g[0].max_concurrency = 32767;
    g[1].name = "g0";
    CHECK_RC(add_class(reg, "C", g, 2, "g0"), TRYGON_ERR_EXISTS);
    g[1].name = "";
    INVALID(add_class(reg, "C", g, 2, "g0"));
    g[1].name = NULL;
    INVALID(add_class(reg, "C", g, 2, "g0"));
    g[1].name = longest;
    INVALID(add_class(reg, "C", g, 2, "g0"));
    g[1].name = "g1";
    OK(trygon_registry_add_task(reg, "D.m", later));
    CHECK_RC(add_class(reg, "D", g, 2, "g1"), TRYGON_ERR_EXISTS);
    OK(add_class(reg, "C", g, TRYGON_MAX_GROUPS, "g14"));
    OK(trygon_registry_destroy(&reg));
}

static const struct h_test tests[] = {
    TEST(three_wait_for_each_other, 0),
    TEST(one_at_a_time_when_asked_for, 0),
    TEST(a_thousand_wait_at_once, 0),
    TEST(ten_thousand_wait_and_are_killed, 0),
    TEST(groups_hold_up_no_others, 0),
    TEST(a_call_may_name_its_group, 0),
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
    TEST(groups_of_a_regular_actor, 0),
    TEST(whose_arguments_are_there_goes_first, 0),
    TEST(a_task_that_sleeps_is_cancelled, 0),
    TEST(events_are_for_threads_too, 0),
    TEST(groups_must_make_sense, 0),
    {NULL, NULL, 0},
};

static const struct h_fn fns[] = {
    FN(later), FN(items), FN(gated), FN(sleeps), FN(failing), {NULL, NULL},
};

/* A class that the ranks do not describe alike. */
static int ranks_must_agree(const char *what)
{
    trygon_opts_t o;
    trygon_t *tg = NULL;
    double began = h_seconds();
    trygon_class_t cls = plain;
    trygon_method_t m = plain_methods[0];
    trygon_group_t g[] = {{"A", 1}, {"B", 2}};
    bool last = h_rank == h_size - 1;
    h_begin(what);
    cls.methods = &m;
    cls.nmethods = 1;
    cls.groups = g;
    if (strstr(what, "async") != NULL)
        cls.async = last;
    else if (strstr(what, "limit") != NULL)
        g[1].max_concurrency += last;
    else if (strstr(what, "name") != NULL)
        g[1].name = last ? "C" : "B";
    else
        m.group = last ? "A" : NULL;
    trygon_registry_t *reg = h_registry(NULL);
    OK(trygon_registry_add_class(reg, &cls));
    h_opts(&o, reg, 2);
    CHECK_RC(trygon_init(MPI_COMM_WORLD, &o, &tg), TRYGON_ERR_MISMATCH);
    if (h_rank == 0)
        CHECK(h_logged("'Plain") == 1);
    OK(trygon_registry_destroy(&reg));
    return h_end(began);
}

int main(int argc, char **argv)
{
    int failures = 0;
    h_start(MPI_THREAD_MULTIPLE);
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_class(reg, &node));
    OK(trygon_registry_add_class(reg, &plain));
    for (const struct h_test *t = tests; t->name != NULL; t++)
        if (argc < 2 || strstr(t->name, argv[1]) != NULL)
            failures = h_one(t, reg);
    OK(trygon_registry_destroy(&reg));
    if (h_size > 1 && argc < 2) {
        (void)ranks_must_agree("ranks_must_agree_who_is_async");
        (void)ranks_must_agree("ranks_must_agree_on_limits");
        (void)ranks_must_agree("ranks_must_agree_on_names_of_groups");
        failures = ranks_must_agree("ranks_must_agree_on_groups_of_methods");
    }
    MPI_Finalize();
    return failures != 0;
}
