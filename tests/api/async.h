/* async.h - the classes and tasks that the tests of async actors and of groups
 * share. */
#ifndef TG_TESTS_API_ASYNC_H
#define TG_TESTS_API_ASYNC_H

#include "harness.h"

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

static inline trygon_ref_t create(trygon_t *tg, int32_t concurrency)
{
    trygon_ref_t actor = {0, 0};
    trygon_actor_opts_t o;
    OK(trygon_actor_opts_init(&o));
    o.max_concurrency = concurrency;
    OK(trygon_actor_create(tg, "Node", 0, NULL, &o, &actor));
    return actor;
}

static inline trygon_ref_t method(trygon_t *tg, trygon_ref_t actor,
                                  const char *name, int64_t x)
{
    trygon_ref_t ref = {0, 0};
    OK(trygon_actor_call(tg, actor, name, 1, &INT(x), NULL, &ref));
    return ref;
}

static inline int64_t call_method(trygon_t *tg, trygon_ref_t actor,
                                  const char *name, int64_t x)
{
    return take_int(tg, method(tg, actor, name, x));
}

/* Until so many calls of "hold" wait. */
static inline void until_started(int n)
{
    UNTIL(atomic_load(&shared[STARTED]) == n);
}
/* ----- a regular class with the same groups --------------------------------------------- */

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

/* ----- tasks ------------------------------------------------------------------------------ */

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
static const struct h_fn fns[] = {
    FN(later), FN(items), FN(gated), FN(sleeps), FN(failing), {NULL, NULL},
};

/* As h_tests(). */
static inline int async_tests(int argc, char **argv, const struct h_test *tests)
{
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_class(reg, &node));
    OK(trygon_registry_add_class(reg, &plain));
    return h_tests(argc, argv, tests, reg);
}

#endif
