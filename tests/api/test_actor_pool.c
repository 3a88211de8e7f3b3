/* test_actor_pool.c - actors that work off calls, one each at a time. */
#include "harness.h"

enum { GATE, RUNNING, MOST, RAN, STARTED };

/* ----- a class ------------------------------------------------------------------- */

struct worker {
    int running;
    struct worker *older;
};

/* A killed one is never destroyed: all stay, so that none is a leak. */
static _Atomic(struct worker *) workers;

static int construct(trygon_call_t *c, void **self)
{
    struct worker *x = calloc(1, sizeof *x);
    (void)c;
    *self = x;
    x->older = atomic_load(&workers);
    while (!atomic_compare_exchange_weak(&workers, &x->older, x))
        continue;
    return 0;
}

static void enter(struct worker *x)
{
    CHECK(x->running++ == 0);
    int n = 1 + atomic_fetch_add(&shared[RUNNING], 1);
    for (int most = atomic_load(&shared[MOST]); n > most;)
        if (atomic_compare_exchange_weak(&shared[MOST], &most, n))
            break;
    atomic_fetch_add(&shared[RAN], 1);
}

static void leave(struct worker *x)
{
    atomic_fetch_sub(&shared[RUNNING], 1);
    x->running--;
}

static int square(trygon_call_t *c, void *self)
{
    int64_t x = arg_int(c, 0);
    enter(self);
    if (x % 7 == 0)
        usleep(500);
    leave(self);
    return return_int(c, x * x);
}

/* Waits for the gate to reach its argument. */
static int gated(trygon_call_t *c, void *self)
{
    int64_t x = arg_int(c, 0);
    enter(self);
    atomic_fetch_add(&shared[STARTED], 1);
    UNTIL(atomic_load(&shared[GATE]) >= x);
    leave(self);
    return return_int(c, x);
}

static int fails_if_odd(trygon_call_t *c, void *self)
{
    int64_t x = arg_int(c, 0);
    (void)self;
    return x % 2 ? trygon_call_fail(c, 7, "%d is odd", (int)x)
                 : return_int(c, x);
}

/* Argument 0: bytes, by their sum; 1: the number of its reference; 2: a number
 * by reference. */
static int sums(trygon_call_t *c, void *self)
{
    trygon_value_t v = {0};
    int64_t sum = 0;
    (void)self;
    OK(trygon_call_arg(c, 0, &v));
    for (size_t i = 0; i < v.size; i++)
        sum += ((const unsigned char *)v.data)[i];
    OK(trygon_call_arg(c, 1, &v));
    if (CHECK(v.nrefs == 1))
        sum += get_int(trygon_call_runtime(c), v.refs[0]);
    return return_int(c, sum + arg_int(c, 2));
}

static const trygon_method_t methods[] = {
    {"square", square, NULL},
    {"gated", gated, NULL},
    {"fails_if_odd", fails_if_odd, NULL},
    {"sums", sums, NULL},
};

static const trygon_class_t worker_class = {.size = sizeof worker_class,
                                            .name = "Worker",
                                            .construct = construct,
                                            .methods = methods,
                                            .nmethods = sizeof methods /
                                                        sizeof methods[0]};

/* ----- short forms ----------------------------------------------------------------- */

static void create(trygon_t *tg, size_t n, trygon_ref_t *actors)
{
    for (size_t i = 0; i < n; i++)
        OK(trygon_actor_create(tg, "Worker", 0, NULL, NULL, &actors[i]));
}

/* The pool has the only handles. */
static trygon_actor_pool_t *pool_of(trygon_t *tg, size_t n)
{
    trygon_ref_t actors[8];
    trygon_actor_pool_t *p = NULL;
    create(tg, n, actors);
    OK(trygon_actor_pool_create(tg, n, actors, &p));
    OK(trygon_ref_release(tg, n, actors));
    return p;
}

static void submit(trygon_actor_pool_t *p, const char *method, int64_t x)
{
    OK(trygon_actor_pool_submit(p, method, 1, &INT(x)));
}

static int64_t next(trygon_t *tg, trygon_actor_pool_t *p)
{
    trygon_ref_t r = {0, 0};
    OK(trygon_actor_pool_next(p, TRYGON_FOREVER, &r));
    return take_int(tg, r);
}

static int64_t next_unordered(trygon_t *tg, trygon_actor_pool_t *p)
{
    trygon_ref_t r = {0, 0};
    OK(trygon_actor_pool_next_unordered(p, TRYGON_FOREVER, &r));
    return take_int(tg, r);
}

static size_t outstanding(trygon_actor_pool_t *p)
{
    size_t n = 99;
    OK(trygon_actor_pool_outstanding(p, &n));
    return n;
}

static void nothing_left(trygon_actor_pool_t *p)
{
    trygon_ref_t r;
    CHECK(outstanding(p) == 0);
    CHECK_RC(trygon_actor_pool_next(p, TRYGON_FOREVER, &r),
             TRYGON_ERR_NOTFOUND);
    CHECK_RC(trygon_actor_pool_next_unordered(p, 0, &r), TRYGON_ERR_NOTFOUND);
}

static void done_with(trygon_actor_pool_t *p)
{
    OK(trygon_actor_pool_destroy(&p));
    CHECK(p == NULL);
    OK(trygon_actor_pool_destroy(&p));
}

/* ----- submit and next --------------------------------------------------------------- */

static void results_come_in_the_order_of_the_calls(trygon_t *tg)
{
    trygon_actor_pool_t *p = pool_of(tg, 3);
    for (int64_t i = 0; i < 200; i++)
        submit(p, "square", i);
    CHECK(outstanding(p) == 200);
    for (int64_t i = 0; i < 200; i++)
        CHECK(next(tg, p) == i * i);
    nothing_left(p);
    CHECK(atomic_load(&shared[MOST]) <= 3);
    done_with(p);
}

/* The first call holds one of two actors; the other one does the rest. */
static void a_slow_call_holds_up_the_results_but_not_the_calls(trygon_t *tg)
{
    trygon_actor_pool_t *p = pool_of(tg, 2);
    trygon_ref_t r;
    submit(p, "gated", 1);
    for (int64_t i = 0; i < 20; i++)
        submit(p, "square", i);
    UNTIL(outstanding(p) == 21 && atomic_load(&shared[RAN]) == 21);
    CHECK_RC(trygon_actor_pool_next(p, 0, &r), TRYGON_ERR_TIMEOUT);
    CHECK_RC(trygon_actor_pool_next(p, 20, &r), TRYGON_ERR_TIMEOUT);
    atomic_store(&shared[GATE], 1);
    CHECK(next(tg, p) == 1);
    for (int64_t i = 0; i < 20; i++)
        CHECK(next(tg, p) == i * i);
    nothing_left(p);
    done_with(p);
}

static void unordered_results_come_as_the_calls_end(trygon_t *tg)
{
    trygon_actor_pool_t *p = pool_of(tg, 3);
    trygon_ref_t r;
    for (int64_t i = 3; i > 0; i--)
        submit(p, "gated", i); /* the last one ends first */
    CHECK_RC(trygon_actor_pool_next_unordered(p, 10, &r), TRYGON_ERR_TIMEOUT);
    for (int i = 1; i <= 3; i++) {
        atomic_store(&shared[GATE], i);
        CHECK(next_unordered(tg, p) == i);
    }
    nothing_left(p);
    done_with(p);
}

static void both_ways_of_taking_go_together(trygon_t *tg)
{
    trygon_actor_pool_t *p = pool_of(tg, 2);
    submit(p, "gated", 2);
    submit(p, "gated", 1);
    submit(p, "square", 5);
    atomic_store(&shared[GATE], 1);
    CHECK(next_unordered(tg, p) == 1);
    CHECK(outstanding(p) == 2);
    atomic_store(&shared[GATE], 2);
    CHECK(next(tg, p) == 2);
    CHECK(next(tg, p) == 25);
    nothing_left(p);
    done_with(p);
}

static void what_waits_keeps_its_arguments(trygon_t *tg)
{
    enum { LARGE = 300000 };
    trygon_actor_pool_t *p = pool_of(tg, 1);
    unsigned char *data = malloc(LARGE);
    submit(p, "gated", 1);
    for (int64_t i = 0; i < 4; i++) {
        size_t size = i % 2 ? LARGE : 10;
        trygon_ref_t inner = put_int(tg, 1000 * i), by_ref = put_int(tg, 7);
        memset(data, (int)i, LARGE);
        trygon_value_t args[] = {TRYGON_BYTES(data, size),
                                 {.refs = &inner, .nrefs = 1},
                                 TRYGON_REF(by_ref)};
        OK(trygon_actor_pool_submit(p, "sums", 3, args));
        drop(tg, inner);
        drop(tg, by_ref);
    }
    memset(data, 99, LARGE);
    free(data);
    atomic_store(&shared[GATE], 1);
    CHECK(next(tg, p) == 1);
    for (int64_t i = 0; i < 4; i++)
        CHECK(next(tg, p) == i * (i % 2 ? LARGE : 10) + 1000 * i + 7);
    nothing_left(p);
    done_with(p);
}

static void a_failed_call_is_a_result_and_its_actor_idle_again(trygon_t *tg)
{
    trygon_actor_pool_t *p = pool_of(tg, 2);
    for (int64_t i = 0; i < 20; i++)
        submit(p, "fails_if_odd", i);
    for (int64_t i = 0; i < 20; i++) {
        trygon_ref_t r = {0, 0};
        OK(trygon_actor_pool_next(p, TRYGON_FOREVER, &r));
        CHECK(take_code(tg, r) == (i % 2 ? TRYGON_ERR_TASK : 0));
    }
    nothing_left(p);
    done_with(p);
}

static void calls_of_a_dead_actor_are_failed_results(trygon_t *tg)
{
    trygon_ref_t a, r = {0, 0};
    trygon_actor_pool_t *p = NULL;
    create(tg, 1, &a);
    OK(trygon_actor_pool_create(tg, 1, &a, &p));
    for (int64_t i = 0; i < 3; i++)
        submit(p, "gated", 1);
    OK(trygon_actor_kill(tg, a, true));
    for (int i = 0; i < 3; i++) {
        OK(trygon_actor_pool_next(p, TRYGON_FOREVER, &r));
        CHECK(take_code(tg, r) == TRYGON_ERR_ACTOR_DIED);
    }
    atomic_store(&shared[GATE], 1); /* it may still run */
    nothing_left(p);
    drop(tg, a);
    done_with(p);
}

static void a_call_that_cannot_be_made_says_why(trygon_t *tg)
{
    trygon_actor_pool_t *p = pool_of(tg, 1);
    trygon_ref_t r = {0, 0};
    int64_t x = 1;
    CHECK_RC(trygon_actor_pool_submit(p, "nothing", 1, &INT(x)),
             TRYGON_ERR_NOTFOUND);
    nothing_left(p);
    submit(p, "gated", 1);
    submit(p, "nothing", 1); /* it waits: who knows for whom */
    submit(p, "square", 3);
    INVALID(trygon_actor_pool_submit(p, "square", 1,
                                     &(trygon_value_t){.type = TRYGON_BY_REF}));
    INVALID(trygon_actor_pool_submit(p, "square", 1,
                                     &(trygon_value_t){.ndim = 99}));
    CHECK(outstanding(p) == 3);
    atomic_store(&shared[GATE], 1);
    CHECK(next(tg, p) == 1);
    CHECK_RC(trygon_actor_pool_next(p, TRYGON_FOREVER, &r),
             TRYGON_ERR_NOTFOUND);
    CHECK(outstanding(p) == 1);
    CHECK(next(tg, p) == 9);
    nothing_left(p);
    done_with(p);
}

/* ----- its actors --------------------------------------------------------------------- */

static void actors_come_and_go(trygon_t *tg)
{
    trygon_ref_t a[2], x, y, r;
    trygon_actor_pool_t *p = NULL;
    create(tg, 2, a);
    OK(trygon_actor_pool_create(tg, 1, a, &p));
    CHECK_RC(trygon_actor_pool_push(p, a[0]), TRYGON_ERR_EXISTS);
    OK(trygon_actor_pool_pop_idle(p, &x));
    CHECK(trygon_ref_equal(x, a[0]));
    CHECK_RC(trygon_actor_pool_pop_idle(p, &y), TRYGON_ERR_NOTFOUND);
    submit(p, "gated", 1); /* there is nobody for it */
    CHECK_RC(trygon_actor_pool_next(p, TRYGON_FOREVER, &r), TRYGON_ERR_STATE);
    usleep(2000);
    CHECK(atomic_load(&shared[STARTED]) == 0);
    OK(trygon_actor_pool_push(p, a[1]));
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    CHECK_RC(trygon_actor_pool_push(p, a[1]), TRYGON_ERR_EXISTS); /* busy */
    CHECK_RC(trygon_actor_pool_pop_idle(p, &y), TRYGON_ERR_NOTFOUND);
    OK(trygon_actor_pool_push(p, x));
    drop(tg, x);
    submit(p, "square", 2);
    CHECK(next_unordered(tg, p) == 4);
    atomic_store(&shared[GATE], 1);
    CHECK(next(tg, p) == 1);
    OK(trygon_actor_pool_pop_idle(p, &x));
    OK(trygon_actor_pool_pop_idle(p, &y));
    CHECK(!trygon_ref_equal(x, y));
    done_with(p);
    drop(tg, x);
    drop(tg, y);
    OK(trygon_ref_release(tg, 2, a));
}

static void what_waits_never_runs_after_destroy(trygon_t *tg)
{
    trygon_actor_pool_t *p = pool_of(tg, 1);
    trygon_ref_t r = {0, 0};
    submit(p, "square", 1);
    submit(p, "gated", 1);
    for (int64_t i = 0; i < 5; i++)
        submit(p, "square", i);
    UNTIL(outstanding(p) == 7 && atomic_load(&shared[STARTED]) == 1);
    done_with(p);
    atomic_store(&shared[GATE], 1);
    OK(trygon_actor_create(tg, "Worker", 0, NULL, NULL, &r));
    OK(trygon_actor_pool_create(tg, 1, &r, &p));
    submit(p, "square", 6);
    CHECK(next(tg, p) == 36);
    CHECK(atomic_load(&shared[RAN]) == 3);
    done_with(p);
    drop(tg, r);
}

/* ----- map ------------------------------------------------------------------------------ */

struct seen {
    int n, stop;
    int64_t sum;
    bool ordered;
};

static int see(trygon_t *tg, trygon_ref_t result, void *arg)
{
    struct seen *s = arg;
    int64_t x = get_int(tg, result);
    if (s->ordered)
        CHECK(x == (int64_t)s->n * s->n);
    s->sum += x;
    return ++s->n == s->stop ? 5 : 0;
}

static void map_calls_for_each_value(trygon_t *tg)
{
    enum { N = 300 };
    int64_t x[N];
    trygon_value_t values[N];
    trygon_actor_pool_t *p = pool_of(tg, 3);
    for (int64_t i = 0; i < N; i++) {
        x[i] = i;
        values[i] = INT(x[i]);
    }
    for (int ordered = 0; ordered < 2; ordered++) {
        struct seen s = {.ordered = ordered};
        OK(trygon_actor_pool_map(p, "square", N, values, ordered, see, &s));
        CHECK(s.n == N && s.sum == 8955050);
        nothing_left(p);
    }
    struct seen none = {0};
    OK(trygon_actor_pool_map(p, "square", 0, NULL, true, see, &none));
    CHECK(none.n == 0);
    CHECK(atomic_load(&shared[MOST]) <= 3);
    done_with(p);
}

static void map_stops_when_it_is_told(trygon_t *tg)
{
    enum { N = 50 };
    int64_t x = 3;
    trygon_value_t values[N];
    trygon_actor_pool_t *p = pool_of(tg, 2);
    trygon_ref_t ref = put_int(tg, 3);
    for (int i = 0; i < N; i++)
        values[i] = i % 2 ? INT(x) : TRYGON_REF(ref);
    for (int ordered = 0; ordered < 2; ordered++) {
        struct seen s = {.stop = 10};
        CHECK(trygon_actor_pool_map(p, "square", N, values, ordered, see, &s) ==
              5);
        CHECK(s.n == 10 && s.sum == 90);
        nothing_left(p);
    }
    CHECK(atomic_load(&shared[RAN]) < 2 * N);
    CHECK(atomic_load(&shared[RUNNING]) == 0);
    struct seen s = {0};
    CHECK_RC(trygon_actor_pool_map(p, "nothing", N, values, true, see, &s),
             TRYGON_ERR_NOTFOUND);
    nothing_left(p);
    submit(p, "square", 1);
    CHECK_RC(trygon_actor_pool_map(p, "square", N, values, true, see, &s),
             TRYGON_ERR_STATE);
    CHECK(next(tg, p) == 1);
    done_with(p);
    drop(tg, ref);
}

/* ----- tasks, and what is refused --------------------------------------------------------- */

/* A task has a pool of its own, and waits in it until it is cancelled. */
static int waits_in_a_pool(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_actor_pool_t *p = pool_of(tg, 2);
    trygon_ref_t r;
    for (int64_t i = 0; i < 10; i++)
        submit(p, "square", i);
    for (int64_t i = 0; i < 10; i++)
        CHECK(next(tg, p) == i * i);
    submit(p, "gated", 1);
    int rc = trygon_actor_pool_next(p, TRYGON_FOREVER, &r);
    done_with(p);
    atomic_store(&shared[GATE], 1);
    return rc;
}

static void a_task_has_a_pool(trygon_t *tg)
{
    trygon_ref_t t = call(tg, "waits_in_a_pool", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, t, false, false));
    CHECK(take_code(tg, t) == TRYGON_ERR_CANCELLED);
}

static void mistakes_are_refused(trygon_t *tg)
{
    trygon_ref_t a[2], object = put_int(tg, 1), r;
    trygon_actor_pool_t *p = NULL;
    size_t n;
    create(tg, 1, a);
    a[1] = a[0];
    INVALID(trygon_actor_pool_create(NULL, 1, a, &p));
    INVALID(trygon_actor_pool_create(tg, 1, NULL, &p));
    INVALID(trygon_actor_pool_create(tg, 1, a, NULL));
    INVALID(trygon_actor_pool_create(tg, 1, &object, &p));
    INVALID(trygon_actor_pool_create(tg, 2, a, &p));
    CHECK(p == NULL);
    OK(trygon_actor_pool_create(tg, 1, a, &p));
    INVALID(trygon_actor_pool_submit(NULL, "square", 0, NULL));
    INVALID(trygon_actor_pool_submit(p, NULL, 0, NULL));
    INVALID(trygon_actor_pool_submit(p, "square", 1, NULL));
    INVALID(trygon_actor_pool_next(NULL, 0, &r));
    INVALID(trygon_actor_pool_next(p, 0, NULL));
    INVALID(trygon_actor_pool_next_unordered(p, 0, NULL));
    INVALID(trygon_actor_pool_outstanding(NULL, &n));
    INVALID(trygon_actor_pool_outstanding(p, NULL));
    INVALID(trygon_actor_pool_push(NULL, a[0]));
    INVALID(trygon_actor_pool_push(p, object));
    INVALID(trygon_actor_pool_pop_idle(p, NULL));
    INVALID(trygon_actor_pool_map(p, NULL, 0, NULL, true, see, NULL));
    INVALID(trygon_actor_pool_map(p, "square", 1, NULL, true, see, NULL));
    INVALID(trygon_actor_pool_map(p, "square", 0, NULL, true, NULL, NULL));
    INVALID(trygon_actor_pool_destroy(NULL));
    submit(p, "square", 2);
    CHECK(next(tg, p) == 4);
    done_with(p);
    drop(tg, a[0]);
    drop(tg, object);
    CHECK_RC(trygon_actor_pool_create(tg, 1, &a[1], &p), TRYGON_ERR_NOTFOUND);
}

static const struct h_test tests[] = {
    TEST(results_come_in_the_order_of_the_calls, 1),
    TEST(a_slow_call_holds_up_the_results_but_not_the_calls, 1),
    TEST(unordered_results_come_as_the_calls_end, 1),
    TEST(both_ways_of_taking_go_together, 1),
    TEST(what_waits_keeps_its_arguments, 1),
    TEST(a_failed_call_is_a_result_and_its_actor_idle_again, 1),
    TEST(calls_of_a_dead_actor_are_failed_results, 1),
    TEST(a_call_that_cannot_be_made_says_why, 1),
    TEST(actors_come_and_go, 1),
    TEST(what_waits_never_runs_after_destroy, 1),
    TEST(map_calls_for_each_value, 1),
    TEST(map_stops_when_it_is_told, 1),
    TEST(a_task_has_a_pool, 1),
    TEST(mistakes_are_refused, 1),
    {NULL, NULL, 0},
};

static const struct h_fn fns[] = {FN(waits_in_a_pool), {NULL, NULL}};

int main(int argc, char **argv)
{
    h_start(MPI_THREAD_MULTIPLE);
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_class(reg, &worker_class));
    return h_main_with(argc, argv, tests, reg);
}
