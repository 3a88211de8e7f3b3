/* actors.h - the classes and tasks that the tests of actors share. */
#ifndef TG_TESTS_API_ACTORS_H
#define TG_TESTS_API_ACTORS_H

#include "harness.h"

enum { GATE, STARTED, STOPPED, DESTROYED, BUILT, RAN };

/* ----- a class ------------------------------------------------------------------- */

struct counter {
    int64_t n;
    int64_t last[8]; /* the last number that each caller gave */
    int rank;
    struct counter *older;
};

/* A killed one is never destroyed: all stay, so that none is a leak. */
static _Atomic(struct counter *) counters;

static int counter_construct(trygon_call_t *c, void **self)
{
    struct counter *x = calloc(1, sizeof *x);
    *self = x;
    x->rank = h_rank;
    x->older = atomic_load(&counters);
    while (!atomic_compare_exchange_weak(&counters, &x->older, x))
        continue;
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

/* Is told to stop, does not, and changes its state at its end. */
static int counter_stay(trygon_call_t *c, void *self)
{
    struct counter *x = self;
    atomic_fetch_add(&shared[STARTED], 1);
    UNTIL(trygon_call_cancelled(c));
    atomic_fetch_add(&shared[STOPPED], 1);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    x->n += 10;
    return return_int(c, x->n);
}

/* Needs an argument, and ends with what it is told when there is none. */
static int counter_need(trygon_call_t *c, void *self)
{
    trygon_value_t v = {0};
    int rc = trygon_call_arg(c, 0, &v);
    return rc != TRYGON_SUCCESS ? rc : counter_add(c, self);
}

/* Touches no state: several may run at once. */
static int counter_hold(trygon_call_t *c, void *self)
{
    (void)self;
    atomic_fetch_add(&shared[STARTED], 1);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, 0);
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

/* Waits for the reference within argument 0, returns its value. */
static int waits_for(trygon_call_t *c)
{
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    atomic_fetch_add(&shared[STARTED], 1);
    return return_int(c, get_int(trygon_call_runtime(c), v.refs[0]));
}

static int counter_waits(trygon_call_t *c, void *self)
{
    (void)self;
    return waits_for(c);
}

/* An actor of the actor's own. */
static int counter_nested(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t a = {0, 0}, ref = {0, 0};
    int64_t n = ((const struct counter *)self)->n;
    OK(trygon_actor_create(tg, "Counter", 1, &INT(n), NULL, &a));
    OK(trygon_actor_call(tg, a, "add", 1, &INT(n), NULL, &ref));
    n = take_int(tg, ref);
    drop(tg, a);
    return return_int(c, n);
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

/* As "need". */
static int needy_construct(trygon_call_t *c, void **self)
{
    trygon_value_t v = {0};
    int rc = trygon_call_arg(c, 1, &v);
    return rc != TRYGON_SUCCESS ? rc : counter_construct(c, self);
}

static const trygon_method_t counter_methods[] = {
    {"add", counter_add, NULL},           {"gated", counter_gated, NULL},
    {"get", counter_get, NULL},           {"spin", counter_spin, NULL},
    {"fail", counter_fail, NULL},         {"exit", counter_exit, NULL},
    {"two", counter_two, NULL},           {"size", counter_size, NULL},
    {"in_order", counter_in_order, NULL}, {"child", counter_child, NULL},
    {"note", counter_note, NULL},         {"hold", counter_hold, NULL},
    {"waits", counter_waits, NULL},       {"stay", counter_stay, NULL},
    {"need", counter_need, NULL},         {"nested", counter_nested, NULL},
};

enum { NMETHODS = sizeof counter_methods / sizeof counter_methods[0] };

static const trygon_class_t counter = {.size = sizeof counter,
                                       .name = "Counter",
                                       .construct = counter_construct,
                                       .destroy = counter_destroy,
                                       .methods = counter_methods,
                                       .nmethods = NMETHODS};
static const trygon_class_t broken = {.size = sizeof broken,
                                      .name = "Broken",
                                      .construct = broken_construct,
                                      .destroy = counter_destroy,
                                      .methods = counter_methods,
                                      .nmethods = 1};
static const trygon_class_t needy = {.size = sizeof needy,
                                     .name = "Needy",
                                     .construct = needy_construct,
                                     .destroy = counter_destroy,
                                     .methods = counter_methods,
                                     .nmethods = 1};

/* ----- tasks ----------------------------------------------------------------------- */

static inline trygon_ref_t method(trygon_t *tg, trygon_ref_t actor,
                                  const char *name, size_t nargs,
                                  const trygon_value_t *args)
{
    trygon_ref_t ref = {0, 0};
    OK(trygon_actor_call(tg, actor, name, nargs, args, NULL, &ref));
    return ref;
}

static inline trygon_ref_t method1(trygon_t *tg, trygon_ref_t actor,
                                   const char *name, int64_t x)
{
    return method(tg, actor, name, 1, &INT(x));
}

static inline trygon_ref_t create(trygon_t *tg, const trygon_actor_opts_t *opts)
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

static inline trygon_value_t holding(const trygon_ref_t *actor)
{
    return (trygon_value_t){.refs = actor, .nrefs = 1};
}

/* The error that a result ended with is ACTOR_DIED and says why. */
static inline void died_because(trygon_t *tg, trygon_ref_t ref, const char *why)
{
    trygon_error_t e = {.size = sizeof e};
    trygon_value_t v = {0};
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v), TRYGON_ERR_ACTOR_DIED);
    OK(trygon_ref_error(tg, ref, &e));
    if (!CHECK(strstr(e.text, why) != NULL))
        fprintf(stderr, "    it says: %s\n", e.text);
    drop(tg, ref);
}

static int add_two_now(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    return return_int(c, take_int(tg, method1(tg, v.refs[0], "add", 2)));
}

/* Waits for the method "stay" of the actor in argument 0. */
static int waits_for_stay(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0}, out = {0};
    OK(trygon_call_arg(c, 0, &v));
    trygon_ref_t ref = method(tg, v.refs[0], "stay", 0, NULL);
    int rc = trygon_get(tg, ref, TRYGON_FOREVER, &out);
    drop(tg, ref);
    return rc;
}

/* A task with an actor of its own, which has a task of its own. */
static int makes_actor(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t a = create(tg, NULL);
    int64_t n = take_int(tg, method(tg, a, "child", 0, NULL));
    drop(tg, a);
    return return_int(c, n);
}

static inline double free_cpus(trygon_t *tg)
{
    double total = 0, avail = 0;
    OK(trygon_resources(tg, "cpu", &total, &avail));
    return avail;
}

static const struct h_fn fns[] = {
    FN(twice),          FN(add_ones),    FN(call_in_order), FN(gated),
    FN(failing),        FN(killer),      FN(add_two_now),   FN(waits_for),
    FN(waits_for_stay), FN(makes_actor), {NULL, NULL},
};

static inline int actors_main(int argc, char **argv, const struct h_test *tests)
{
    h_start(MPI_THREAD_MULTIPLE);
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_class(reg, &counter));
    OK(trygon_registry_add_class(reg, &broken));
    OK(trygon_registry_add_class(reg, &needy));
    return h_main_with(argc, argv, tests, reg);
}

#endif
