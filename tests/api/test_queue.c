/* test_queue.c - queues of values that any rank puts into and takes from. */
#include "harness.h"

enum { PUTS, GETS, SUM, SQUARES, WAITS, ENDED };

/* ----- short forms ----------------------------------------------------------------- */

static trygon_ref_t create(trygon_t *tg, size_t maxsize)
{
    trygon_ref_t q = {0, 0};
    OK(trygon_queue_create(tg, maxsize, NULL, &q));
    CHECK(trygon_ref_kind(q) == TRYGON_KIND_ACTOR);
    return q;
}

static int put(trygon_t *tg, trygon_ref_t q, int64_t x, int64_t timeout_ms)
{
    return trygon_queue_put(tg, q, &INT(x), timeout_ms);
}

static int64_t get(trygon_t *tg, trygon_ref_t q)
{
    trygon_ref_t item = {0, 0};
    if (!OK(trygon_queue_get(tg, q, TRYGON_FOREVER, &item)))
        return -1;
    CHECK(trygon_ref_kind(item) == TRYGON_KIND_OBJECT);
    return take_int(tg, item);
}

static int get_code(trygon_t *tg, trygon_ref_t q, int64_t timeout_ms)
{
    trygon_ref_t item = {0, 0};
    int rc = trygon_queue_get(tg, q, timeout_ms, &item);
    if (rc == TRYGON_SUCCESS)
        drop(tg, item);
    return rc;
}

static size_t size(trygon_t *tg, trygon_ref_t q)
{
    size_t n = 99999;
    OK(trygon_queue_size(tg, q, &n));
    return n;
}

/* A task of a queue and a number. */
static trygon_ref_t start(trygon_t *tg, const char *task, trygon_ref_t q,
                          int64_t x)
{
    trygon_value_t args[] = {{.refs = &q, .nrefs = 1}, INT(x)};
    return call(tg, task, 2, args);
}

/* ----- tasks ------------------------------------------------------------------------- */

static trygon_ref_t queue_in(trygon_call_t *c)
{
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    return v.refs[0];
}

/* Puts 0 to n - 1. */
static int puts_many(trygon_call_t *c)
{
    int64_t n = arg_int(c, 1);
    for (int64_t i = 0; i < n; i++) {
        int rc = put(trygon_call_runtime(c), queue_in(c), i, TRYGON_FOREVER);
        if (rc != TRYGON_SUCCESS)
            return rc;
        atomic_fetch_add(&shared[PUTS], 1);
    }
    return return_int(c, n);
}

/* Gets until the queue is shut down: the sum. */
static int gets_all(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    int64_t sum = 0;
    trygon_ref_t item;
    int rc;
    atomic_fetch_add(&shared[WAITS], 1);
    while ((rc = trygon_queue_get(tg, queue_in(c), TRYGON_FOREVER, &item)) ==
           TRYGON_SUCCESS) {
        int64_t x = take_int(tg, item);
        sum += x;
        atomic_fetch_add(&shared[GETS], 1);
        atomic_fetch_add(&shared[SQUARES], (int)(x * x));
    }
    CHECK_RC(rc, TRYGON_ERR_SHUTDOWN);
    return return_int(c, sum);
}

/* Gets 0 to n - 1. */
static int gets_in_order(trygon_call_t *c)
{
    int64_t n = arg_int(c, 1);
    for (int64_t i = 0; i < n; i++)
        CHECK(get(trygon_call_runtime(c), queue_in(c)) == i);
    return return_int(c, n);
}

static int gets_one(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t item;
    atomic_fetch_add(&shared[WAITS], 1);
    int rc = trygon_queue_get(tg, queue_in(c), TRYGON_FOREVER, &item);
    atomic_fetch_add(&shared[ENDED], 1);
    if (rc != TRYGON_SUCCESS)
        return rc;
    drop(tg, item);
    atomic_fetch_add(&shared[GETS], 1);
    return return_int(c, 0);
}

static int gets_three(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t items[3];
    int rc = trygon_queue_get_n(tg, queue_in(c), 3, items);
    if (rc != TRYGON_SUCCESS)
        return rc == TRYGON_ERR_TIMEOUT ? return_int(c, 0) : rc;
    OK(trygon_ref_release(tg, 3, items));
    atomic_fetch_add(&shared[GETS], 3);
    return return_int(c, 0);
}

static int puts_one(trygon_call_t *c)
{
    atomic_fetch_add(&shared[WAITS], 1);
    int rc =
        put(trygon_call_runtime(c), queue_in(c), arg_int(c, 1), TRYGON_FOREVER);
    atomic_fetch_add(&shared[ENDED], 1);
    return rc == TRYGON_SUCCESS ? return_int(c, 0) : rc;
}

/* ----- order -------------------------------------------------------------------------- */

static void values_come_in_the_order_in_which_they_were_put(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 0);
    for (int64_t i = 0; i < 300; i++)
        OK(put(tg, q, i, i % 2 ? 0 : TRYGON_FOREVER));
    CHECK(size(tg, q) == 300);
    for (int64_t i = 0; i < 300; i++)
        CHECK(get(tg, q) == i);
    CHECK(size(tg, q) == 0);
    drop(tg, q);
}

static void order_holds_from_rank_to_rank(trygon_t *tg)
{
    for (size_t maxsize = 0; maxsize < 4; maxsize += 3) {
        trygon_ref_t q = create(tg, maxsize);
        trygon_ref_t to = start(tg, "gets_in_order", q, 300),
                     from = start(tg, "puts_many", q, 300);
        CHECK(take_int(tg, from) == 300);
        CHECK(take_int(tg, to) == 300);
        drop(tg, q);
    }
}

/* Large and small ones, with a type, and references that only they hold. */
static void a_value_comes_whole(trygon_t *tg)
{
    enum { LARGE = 300000 };
    trygon_ref_t q = create(tg, 0);
    unsigned char *data = calloc(1, LARGE);
    for (int i = 0; i < 6; i++) {
        trygon_ref_t inner = put_int(tg, 100 + i), whole;
        trygon_value_t v = TRYGON_BYTES(data, i % 2 ? LARGE : 8);
        memset(data, i, LARGE);
        v.refs = &inner;
        v.nrefs = 1;
        if (i < 4) {
            OK(trygon_queue_put(tg, q, &v, TRYGON_FOREVER));
        } else { /* by reference: its value */
            OK(trygon_put(tg, &v, &whole));
            OK(trygon_queue_put(tg, q, &TRYGON_REF(whole), 0));
            drop(tg, whole);
        }
        drop(tg, inner);
    }
    for (int i = 0; i < 6; i++) {
        trygon_ref_t item = {0, 0};
        trygon_value_t v;
        OK(trygon_queue_get(tg, q, TRYGON_FOREVER, &item));
        OK(trygon_get(tg, item, TRYGON_FOREVER, &v));
        memset(data, i, LARGE);
        CHECK(v.size == (i % 2 ? LARGE : 8));
        CHECK(memcmp(v.data, data, v.size) == 0);
        if (CHECK(v.nrefs == 1))
            CHECK(get_int(tg, v.refs[0]) == 100 + i);
        OK(trygon_value_release(tg, &v));
        drop(tg, item);
    }
    free(data);
    drop(tg, q);
}

/* ----- bounds and time-outs ---------------------------------------------------------------- */

static void a_full_queue_blocks_and_goes_on(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 2), from = start(tg, "puts_many", q, 10);
    UNTIL(atomic_load(&shared[PUTS]) == 2);
    usleep(5000);
    CHECK(atomic_load(&shared[PUTS]) == 2);
    CHECK(size(tg, q) == 2);
    for (int64_t i = 0; i < 10; i++) {
        CHECK(get(tg, q) == i);
        UNTIL(atomic_load(&shared[PUTS]) >= (i + 3 < 10 ? i + 3 : 10));
        CHECK(size(tg, q) <= 2);
    }
    CHECK(take_int(tg, from) == 10);
    drop(tg, q);
}

static void an_empty_queue_blocks_and_goes_on(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 0), to = start(tg, "gets_in_order", q, 3);
    usleep(5000);
    for (int64_t i = 0; i < 3; i++)
        OK(put(tg, q, i, 0));
    CHECK(take_int(tg, to) == 3);
    drop(tg, q);
}

static void who_does_not_wait_or_waits_too_long_is_told(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 1);
    trygon_error_t e = {.size = sizeof e};
    CHECK_RC(get_code(tg, q, 0), TRYGON_ERR_TIMEOUT);
    OK(trygon_last_error(&e));
    CHECK(strstr(e.text, "empty") != NULL);
    CHECK_RC(get_code(tg, q, 20), TRYGON_ERR_TIMEOUT);
    OK(put(tg, q, 1, 0));
    CHECK_RC(put(tg, q, 2, 0), TRYGON_ERR_TIMEOUT);
    OK(trygon_last_error(&e));
    CHECK(strstr(e.text, "full") != NULL);
    CHECK_RC(put(tg, q, 2, 20), TRYGON_ERR_TIMEOUT);
    CHECK(size(tg, q) == 1);
    CHECK(get(tg, q) == 1);
    CHECK_RC(get_code(tg, q, 0), TRYGON_ERR_TIMEOUT); /* 2 never came in */
    drop(tg, q);
}

static void batches_are_all_or_none(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 10), items[7];
    int64_t x[12];
    trygon_value_t values[12];
    for (int64_t i = 0; i < 12; i++) {
        x[i] = i;
        values[i] = INT(x[i]);
    }
    CHECK_RC(trygon_queue_put_n(tg, q, 11, values), TRYGON_ERR_TIMEOUT);
    CHECK(size(tg, q) == 0);
    OK(trygon_queue_put_n(tg, q, 9, values));
    CHECK_RC(trygon_queue_put_n(tg, q, 2, values), TRYGON_ERR_TIMEOUT);
    OK(trygon_queue_put_n(tg, q, 1, values + 9));
    OK(trygon_queue_put_n(tg, q, 0, NULL));
    CHECK(size(tg, q) == 10);
    OK(trygon_queue_get_n(tg, q, 7, items));
    for (int64_t i = 0; i < 7; i++)
        CHECK(take_int(tg, items[i]) == i);
    CHECK_RC(trygon_queue_get_n(tg, q, 4, items), TRYGON_ERR_TIMEOUT);
    OK(trygon_queue_get_n(tg, q, 0, NULL));
    CHECK(size(tg, q) == 3);
    for (int64_t i = 7; i < 10; i++)
        CHECK(get(tg, q) == i);
    drop(tg, q);
}

/* More gets than may wait at once: the others stand behind them. */
static void more_may_get_than_wait(trygon_t *tg)
{
    trygon_actor_opts_t o;
    trygon_ref_t q = {0, 0}, to[5];
    OK(trygon_actor_opts_init(&o));
    o.max_concurrency = 2;
    OK(trygon_queue_create(tg, 0, &o, &q));
    for (int i = 0; i < 5; i++)
        to[i] = start(tg, "gets_one", q, 0);
    UNTIL(atomic_load(&shared[WAITS]) == 5);
    CHECK_RC(get_code(tg, q, 0), TRYGON_ERR_TIMEOUT); /* held up by none */
    for (int64_t i = 0; i < 5; i++)
        OK(put(tg, q, i, TRYGON_FOREVER));
    for (int i = 0; i < 5; i++)
        CHECK(take_int(tg, to[i]) == 0);
    CHECK(atomic_load(&shared[GETS]) == 5);
    drop(tg, q);
}

/* ----- many --------------------------------------------------------------------------------- */

static void many_producers_and_consumers_lose_and_double_nothing(trygon_t *tg)
{
    enum { N = 4, ITEMS = 100 };
    for (size_t maxsize = 0; maxsize < 6; maxsize += 5) {
        trygon_ref_t q = create(tg, maxsize), from[N], to[N];
        int64_t sum = 0;
        atomic_store(&shared[GETS], 0);
        atomic_store(&shared[SQUARES], 0);
        for (int i = 0; i < N; i++) {
            to[i] = start(tg, "gets_all", q, 0);
            from[i] = start(tg, "puts_many", q, ITEMS);
        }
        for (int i = 0; i < N; i++)
            CHECK(take_int(tg, from[i]) == ITEMS);
        OK(trygon_queue_shutdown(tg, q, false));
        for (int i = 0; i < N; i++)
            sum += take_int(tg, to[i]);
        CHECK(atomic_load(&shared[GETS]) == N * ITEMS);
        CHECK(sum == N * 4950);
        CHECK(atomic_load(&shared[SQUARES]) == N * 328350);
        drop(tg, q);
    }
}

/* ----- shutdown ------------------------------------------------------------------------------- */

static void what_is_left_can_be_taken_after_a_shutdown(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 3), items[2];
    for (int64_t i = 0; i < 3; i++)
        OK(put(tg, q, i, 0));
    trygon_ref_t blocked = start(tg, "puts_one", q, 9);
    UNTIL(atomic_load(&shared[WAITS]) == 1);
    usleep(5000);
    OK(trygon_queue_shutdown(tg, q, false));
    CHECK(take_code(tg, blocked) == TRYGON_ERR_SHUTDOWN);
    CHECK_RC(put(tg, q, 4, TRYGON_FOREVER), TRYGON_ERR_SHUTDOWN);
    CHECK_RC(put(tg, q, 4, 0), TRYGON_ERR_SHUTDOWN);
    CHECK_RC(trygon_queue_put_n(tg, q, 1, &TRYGON_BYTES("x", 1)),
             TRYGON_ERR_SHUTDOWN);
    CHECK(size(tg, q) == 3);
    CHECK(get(tg, q) == 0);
    OK(trygon_queue_get_n(tg, q, 1, items));
    CHECK(take_int(tg, items[0]) == 1);
    CHECK_RC(trygon_queue_get_n(tg, q, 2, items), TRYGON_ERR_SHUTDOWN);
    CHECK(get(tg, q) == 2);
    CHECK_RC(get_code(tg, q, TRYGON_FOREVER), TRYGON_ERR_SHUTDOWN);
    CHECK_RC(get_code(tg, q, 0), TRYGON_ERR_SHUTDOWN);
    OK(trygon_queue_shutdown(tg, q, false)); /* again */
    drop(tg, q);
}

static void a_forced_shutdown_drops_what_is_left(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 0), waits = start(tg, "gets_one", q, 0);
    UNTIL(atomic_load(&shared[WAITS]) == 1);
    usleep(5000);
    OK(trygon_queue_shutdown(tg, q, true));
    CHECK(take_code(tg, waits) == TRYGON_ERR_SHUTDOWN);
    drop(tg, q);
    q = create(tg, 0);
    for (int64_t i = 0; i < 3; i++)
        OK(put(tg, q, i, 0));
    OK(trygon_queue_shutdown(tg, q, true));
    CHECK(size(tg, q) == 0);
    CHECK_RC(get_code(tg, q, TRYGON_FOREVER), TRYGON_ERR_SHUTDOWN);
    drop(tg, q);
}

#if !TG_ASAN
static void a_killed_queue_answers_nobody(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 0), waits = start(tg, "gets_one", q, 0), item;
    size_t n;
    UNTIL(atomic_load(&shared[WAITS]) == 1);
    usleep(5000);
    OK(trygon_actor_kill(tg, q, true));
    CHECK(take_code(tg, waits) == TRYGON_ERR_ACTOR_DIED);
    CHECK_RC(put(tg, q, 1, TRYGON_FOREVER), TRYGON_ERR_ACTOR_DIED);
    CHECK_RC(get_code(tg, q, TRYGON_FOREVER), TRYGON_ERR_ACTOR_DIED);
    CHECK_RC(trygon_queue_get_n(tg, q, 1, &item), TRYGON_ERR_ACTOR_DIED);
    CHECK_RC(trygon_queue_size(tg, q, &n), TRYGON_ERR_ACTOR_DIED);
    CHECK_RC(trygon_queue_shutdown(tg, q, true), TRYGON_ERR_ACTOR_DIED);
    drop(tg, q);
}
#endif

/* ----- cancel ------------------------------------------------------------------------------------ */

static void a_cancelled_get_leaves_the_line(trygon_t *tg)
{
    for (int recursive = 0; recursive < 2; recursive++) {
        trygon_ref_t q = create(tg, 0), waits = start(tg, "gets_one", q, 0);
        UNTIL(atomic_load(&shared[WAITS]) == recursive + 1);
        usleep(5000);
        OK(trygon_cancel(tg, waits, false, recursive));
        CHECK(take_code(tg, waits) == TRYGON_ERR_CANCELLED);
        OK(put(tg, q, 5, 0));
        CHECK(get(tg, q) == 5);
        drop(tg, q);
    }
    CHECK(atomic_load(&shared[GETS]) == 0);
}

static void a_cancelled_put_leaves_the_line(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 1);
    OK(put(tg, q, 1, 0));
    trygon_ref_t waits = start(tg, "puts_one", q, 2);
    UNTIL(atomic_load(&shared[WAITS]) == 1);
    usleep(5000);
    OK(trygon_cancel(tg, waits, false, false));
    CHECK(take_code(tg, waits) == TRYGON_ERR_CANCELLED);
    usleep(200000); /* the queue hears of it later than we */
    CHECK(get(tg, q) == 1);
    CHECK_RC(get_code(tg, q, 0), TRYGON_ERR_TIMEOUT);
    drop(tg, q);
}

/* An item and a cancel meet on their way to one get: whichever wins, the item
 * is there for somebody. */
static void no_item_is_lost_with_a_get_that_is_cancelled(trygon_t *tg)
{
    enum { N = 120 };
    trygon_ref_t q = create(tg, 0), item;
    int left = N;
    for (int i = 0; i < N; i++) {
        bool three = i % 5 == 4;
        trygon_ref_t t;
        if (!three) {
            t = start(tg, "gets_one", q, 0);
            if (i % 3 > 0)
                UNTIL(atomic_load(&shared[WAITS]) > i - i / 5 - 1);
            usleep((unsigned)(i % 7) * 20);
            OK(put(tg, q, i, 0));
        } else {
            OK(put(tg, q, i, 0));
            t = start(tg, "gets_three", q, 0);
            usleep((unsigned)(i % 11) * 20);
        }
        OK(trygon_cancel(tg, t, false, i % 2 == 0));
        int rc = take_code(tg, t);
        CHECK(rc == 0 || rc == TRYGON_ERR_CANCELLED);
    }
    while (left > atomic_load(&shared[GETS])) { /* some are on their way back */
        int rc = trygon_queue_get(tg, q, 50, &item);
        left -= rc == TRYGON_SUCCESS;
        if (rc == TRYGON_SUCCESS)
            drop(tg, item);
        else
            CHECK_RC(rc, TRYGON_ERR_TIMEOUT);
    }
    CHECK(left == atomic_load(&shared[GETS]));
    CHECK_RC(trygon_queue_get(tg, q, 20, &item), TRYGON_ERR_TIMEOUT);
    drop(tg, q);
}

/* ----- what is refused ------------------------------------------------------------------------------ */

static void bad_input_is_refused(trygon_t *tg)
{
    trygon_ref_t q = create(tg, 1), object = put_int(tg, 1), item;
    trygon_actor_opts_t o;
    int64_t x = 1;
    size_t n;
    INVALID(trygon_registry_add_queue(NULL));
    INVALID(trygon_queue_create(NULL, 0, NULL, &q));
    INVALID(trygon_queue_create(tg, 0, NULL, NULL));
    OK(trygon_actor_opts_init(&o));
    o.max_concurrency = -1;
    INVALID(trygon_queue_create(tg, 0, &o, &item));
    INVALID(trygon_queue_put(NULL, q, &INT(x), 0));
    INVALID(trygon_queue_put(tg, q, NULL, 0));
    INVALID(trygon_queue_put(tg, object, &INT(x), 0));
    INVALID(trygon_queue_put(tg, q, &INT(x), -2));
    INVALID(trygon_queue_put(tg, q, &(trygon_value_t){.ndim = 99}, 0));
    INVALID(trygon_queue_put_n(tg, q, 1, NULL));
    INVALID(trygon_queue_get(tg, q, 0, NULL));
    INVALID(trygon_queue_get(tg, object, 0, &item));
    INVALID(trygon_queue_get(tg, q, -2, &item));
    INVALID(trygon_queue_get_n(tg, q, 1, NULL));
    INVALID(trygon_queue_get_n(tg, q, 70000, &item));
    INVALID(trygon_queue_size(tg, q, NULL));
    INVALID(trygon_queue_size(tg, object, &n));
    INVALID(trygon_queue_shutdown(NULL, q, false));
    INVALID(trygon_queue_shutdown(tg, object, false));
    CHECK(size(tg, q) == 0);
    trygon_ref_t gone = q;
    drop(tg, q);
    CHECK_RC(trygon_queue_put(tg, gone, &INT(x), 0), TRYGON_ERR_NOTFOUND);
    drop(tg, object);
}

static const struct h_test tests[] = {
    TEST(values_come_in_the_order_in_which_they_were_put, 1),
    TEST(order_holds_from_rank_to_rank, 1),
    TEST(a_value_comes_whole, 1),
    TEST(a_full_queue_blocks_and_goes_on, 1),
    TEST(an_empty_queue_blocks_and_goes_on, 1),
    TEST(who_does_not_wait_or_waits_too_long_is_told, 1),
    TEST(batches_are_all_or_none, 1),
    TEST(more_may_get_than_wait, 2),
    TEST(many_producers_and_consumers_lose_and_double_nothing, 2),
    TEST(what_is_left_can_be_taken_after_a_shutdown, 1),
    TEST(a_forced_shutdown_drops_what_is_left, 1),
#if !TG_ASAN /* a killed actor's memory is nobody's */
    TEST(a_killed_queue_answers_nobody, 1),
#endif
    TEST(a_cancelled_get_leaves_the_line, 1),
    TEST(a_cancelled_put_leaves_the_line, 1),
    TEST(no_item_is_lost_with_a_get_that_is_cancelled, 1),
    TEST(bad_input_is_refused, 1),
    {NULL, NULL, 0},
};

static const struct h_fn fns[] = {
    FN(puts_many),  FN(gets_all), FN(gets_in_order), FN(gets_one),
    FN(gets_three), FN(puts_one), {NULL, NULL},
};

int main(int argc, char **argv)
{
    h_start(MPI_THREAD_MULTIPLE);
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_queue(reg));
    CHECK_RC(trygon_registry_add_queue(reg), TRYGON_ERR_EXISTS);
    return h_main_with(argc, argv, tests, reg);
}
