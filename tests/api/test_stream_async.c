/* test_stream_async.c - methods of async actors that yield: while one waits for
 * its reader, or sleeps between its items, the others go on. */
#include "streams.h"

/* ----- a class ------------------------------------------------------------------- */

static int method_counts(trygon_call_t *c, void *self)
{
    (void)self;
    return counts(c);
}

/* Yields n items, so many milliseconds (argument 1) before each. */
static int method_slow(trygon_call_t *c, void *self)
{
    int64_t n = arg_int(c, 0);
    (void)self;
    for (int64_t i = 0; i < n; i++) {
        int rc = trygon_sleep(trygon_call_runtime(c), arg_int(c, 1));
        if (rc == TRYGON_SUCCESS)
            rc = yield_int(c, i);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    return 0;
}

/* Fails after its first item until its attempt n; that one yields three. */
static int method_tries(trygon_call_t *c, void *self)
{
    trygon_call_info_t info = {.size = sizeof info};
    int64_t n = arg_int(c, 0);
    (void)self;
    OK(trygon_call_info(c, &info));
    for (int64_t i = 0; i < 3; i++) {
        int rc = yield_int(c, i);
        if (rc != TRYGON_SUCCESS || info.attempt < n)
            return rc != TRYGON_SUCCESS ? rc : 5;
    }
    return 0;
}

/* The sum of n items that its own actor yields, one at a time. */
static int method_sums(trygon_call_t *c, void *self);

static int method_note(trygon_call_t *c, void *self)
{
    (void)self;
    return return_int(c, 1);
}

static const trygon_method_t methods[] = {{"counts", method_counts, NULL},
                                          {"slow", method_slow, NULL},
                                          {"sums", method_sums, NULL},
                                          {"tries", method_tries, NULL},
                                          {"note", method_note, NULL}};

static int construct(trygon_call_t *c, void **self)
{
    (void)c;
    (void)self;
    return 0;
}

static const trygon_class_t yielder = {.size = sizeof yielder,
                                       .name = "AsyncYielder",
                                       .construct = construct,
                                       .methods = methods,
                                       .nmethods =
                                           sizeof methods / sizeof methods[0],
                                       .async = true};

/* ----- short forms ----------------------------------------------------------------- */

static trygon_ref_t create(trygon_t *tg)
{
    trygon_ref_t a = {0, 0};
    OK(trygon_actor_create(tg, "AsyncYielder", 0, NULL, NULL, &a));
    return a;
}

static trygon_ref_t start(trygon_t *tg, trygon_ref_t a, const char *method,
                          int64_t n, int64_t x, int64_t backpressure)
{
    trygon_ref_t s = {0, 0};
    trygon_value_t args[] = {INT(n), INT(x)};
    trygon_call_opts_t o;
    OK(trygon_call_opts_init(&o));
    o.backpressure = backpressure;
    OK(trygon_actor_call_stream(tg, a, method, 2, args, &o, &s));
    return s;
}

static void answers(trygon_t *tg, trygon_ref_t a)
{
    trygon_ref_t ref = {0, 0};
    OK(trygon_actor_call(tg, a, "note", 0, NULL, NULL, &ref));
    CHECK(take_int(tg, ref) == 1);
}

static int method_sums(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t me = {0, 0};
    int64_t n = arg_int(c, 0), sum = 0;
    (void)self;
    OK(trygon_call_actor(c, &me));
    trygon_ref_t s = start(tg, me, "counts", n, 0, 1);
    for (int64_t i = 0; i < n; i++)
        sum += next_int(tg, s);
    at_end(tg, s);
    drop(tg, s);
    drop(tg, me);
    return return_int(c, sum);
}

/* ----- items ------------------------------------------------------------------------ */

static void an_async_method_yields(trygon_t *tg)
{
    trygon_ref_t a = create(tg);
    for (int64_t ahead = -1; ahead < 3; ahead += ahead < 0 ? 2 : 1) {
        trygon_ref_t s = start(tg, a, "counts", 100, 0, ahead);
        for (int64_t i = 0; i < 100; i++)
            CHECK(next_int(tg, s) == i);
        at_end(tg, s);
        CHECK(completion(tg, s) == 0);
        drop(tg, s);
    }
    drop(tg, a);
}

static void its_error_is_the_last_item(trygon_t *tg)
{
    trygon_ref_t a = create(tg), s = start(tg, a, "counts", 2, 7, -1);
    CHECK(next_int(tg, s) == 0);
    CHECK(next_int(tg, s) == 1);
    CHECK(next_code(tg, s) == TRYGON_ERR_TASK);
    at_end(tg, s);
    answers(tg, a);
    drop(tg, s);
    drop(tg, a);
}

/* ----- several at once ----------------------------------------------------------------- */

/* None may go on before its item was taken: one after another they would never
 * end. */
static void many_streams_of_one_actor_take_turns(trygon_t *tg)
{
    enum { N = 100, ITEMS = 5 };
    trygon_ref_t a = create(tg), s[N];
    for (int i = 0; i < N; i++)
        s[i] = start(tg, a, "counts", ITEMS, 0, 1);
    for (int64_t k = 0; k < ITEMS; k++)
        for (int i = 0; i < N; i++)
            CHECK(next_int(tg, s[i]) == k);
    for (int i = 0; i < N; i++)
        at_end(tg, s[i]);
    OK(trygon_ref_release(tg, N, s));
    drop(tg, a);
}

/* Three times five items, a fifth of a second each: one second, not three. */
static void three_streams_that_sleep_overlap(trygon_t *tg)
{
    enum { N = 3, ITEMS = 5 };
    trygon_ref_t a = create(tg), s[N];
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < N; i++)
        s[i] = start(tg, a, "slow", ITEMS, 200, -1);
    for (int i = 0; i < N; i++) {
        for (int64_t k = 0; k < ITEMS; k++)
            CHECK(next_int(tg, s[i]) == k);
        at_end(tg, s[i]);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double took = (double)(to.tv_sec - from.tv_sec) +
                  1e-9 * (double)(to.tv_nsec - from.tv_nsec);
    CHECK(took >= 1.0);
    CHECK(took < 2.9);
    OK(trygon_ref_release(tg, N, s));
    drop(tg, a);
}

static void who_waits_for_its_reader_holds_up_no_other_call(trygon_t *tg)
{
    trygon_ref_t a = create(tg), s = start(tg, a, "counts", 9, 0, 1);
    CHECK(next_int(tg, s) == 0);
    for (int i = 0; i < 10; i++)
        answers(tg, a);
    for (int64_t i = 1; i < 9; i++)
        CHECK(next_int(tg, s) == i);
    at_end(tg, s);
    drop(tg, s);
    drop(tg, a);
}

static void an_actor_reads_what_it_yields(trygon_t *tg)
{
    enum { N = 8 };
    trygon_ref_t a = create(tg), ref[N];
    int64_t n = 50;
    for (int i = 0; i < N; i++)
        OK(trygon_actor_call(tg, a, "sums", 1, &INT(n), NULL, &ref[i]));
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == n * (n - 1) / 2);
    drop(tg, a);
}

/* ----- again ------------------------------------------------------------------------- */

static trygon_ref_t tries(trygon_t *tg, trygon_ref_t a, int64_t failures)
{
    static const int32_t codes[] = {5};
    trygon_ref_t s = {0, 0};
    trygon_call_opts_t o;
    OK(trygon_call_opts_init(&o));
    o.max_task_retries = 3;
    o.retry_codes = codes;
    o.nretry_codes = 1;
    OK(trygon_actor_call_stream(tg, a, "tries", 1, &INT(failures), &o, &s));
    return s;
}

static void each_index_is_seen_once_over_all_attempts(trygon_t *tg)
{
    atomic_store(&shared[YIELDED], 0);
    trygon_ref_t a = create(tg), s = tries(tg, a, 3);
    for (int64_t i = 0; i < 3; i++)
        CHECK(next_int(tg, s) == i);
    at_end(tg, s);
    CHECK(atomic_load(&shared[YIELDED]) == 6); /* 1, 1, 1 and 3 */
    drop(tg, s);
    s = tries(tg, a, 4); /* once more than there are retries */
    CHECK(next_int(tg, s) == 0);
    CHECK(next_code(tg, s) == TRYGON_ERR_TASK);
    at_end(tg, s);
    drop(tg, s);
    drop(tg, a);
}

static void a_stream_goes_on_when_its_actor_is_made_again(trygon_t *tg)
{
    trygon_actor_opts_t o;
    trygon_ref_t a;
    OK(trygon_actor_opts_init(&o));
    o.max_restarts = 1;
    o.max_task_retries = 1;
    OK(trygon_actor_create(tg, "AsyncYielder", 0, NULL, &o, &a));
    trygon_ref_t s = start(tg, a, "counts", 20, 0, 1);
    for (int64_t i = 0; i < 5; i++)
        CHECK(next_int(tg, s) == i);
    OK(trygon_actor_kill(tg, a, false));
    for (int64_t i = 5; i < 20; i++)
        CHECK(next_int(tg, s) == i);
    at_end(tg, s);
    drop(tg, s);
    drop(tg, a);
}

/* ----- the end ------------------------------------------------------------------------ */

static void closing_lets_it_run_to_its_end(trygon_t *tg)
{
    atomic_store(&shared[YIELDED], 0);
    trygon_ref_t a = create(tg), s = start(tg, a, "counts", 20, 0, 1);
    CHECK(next_int(tg, s) == 0);
    drop(tg, s);
    UNTIL(atomic_load(&shared[YIELDED]) == 20);
    answers(tg, a);
    drop(tg, a);
}

/* Its yield says so: it need not look. */
static void cancelled_while_it_waits_for_its_reader(trygon_t *tg)
{
    trygon_ref_t a = create(tg), s = start(tg, a, "counts", 20, 0, 1);
    CHECK(next_int(tg, s) == 0);
    OK(trygon_cancel(tg, s, false, true));
    CHECK(next_code(tg, s) == TRYGON_ERR_CANCELLED);
    at_end(tg, s);
    CHECK(completion(tg, s) == TRYGON_ERR_CANCELLED);
    answers(tg, a);
    drop(tg, s);
    drop(tg, a);
}

static void a_kill_ends_all_streams(trygon_t *tg)
{
    enum { N = 10 };
    trygon_ref_t a = create(tg), s[N];
    for (int i = 0; i < N; i++)
        s[i] = start(tg, a, "counts", 20, 0, 1);
    for (int i = 0; i < N; i++)
        CHECK(next_int(tg, s[i]) == 0);
    OK(trygon_actor_kill(tg, a, true));
    for (int i = 0; i < N; i++) {
        trygon_ref_t item = {0, 0};
        int rc;
        do { /* what had come can be read */
            OK(trygon_stream_next(tg, s[i], TRYGON_FOREVER, &item));
            rc = take_code(tg, item);
        } while (rc == TRYGON_SUCCESS);
        CHECK(rc == TRYGON_ERR_ACTOR_DIED);
        at_end(tg, s[i]);
    }
    OK(trygon_ref_release(tg, N, s));
    drop(tg, a);
}

/* Neither to its own actor nor to anybody else. */
static void a_method_s_stream_is_not_handed_on(trygon_t *tg)
{
    trygon_ref_t a = create(tg), s = start(tg, a, "slow", 5, 1, 1), ref;
    trygon_value_t v = trygon_bytes(NULL, 0), got;
    CHECK(next_int(tg, s) == 0);
    v.refs = &s;
    v.nrefs = 1;
    INVALID(trygon_put(tg, &v, &ref));
    INVALID(trygon_submit(tg, "same", 1, &TRYGON_REF(s), NULL, &ref));
    INVALID(trygon_submit(tg, "same", 1, &v, NULL, &ref));
    INVALID(trygon_actor_call(tg, a, "note", 1, &TRYGON_REF(s), NULL, &ref));
    INVALID(trygon_actor_call(tg, a, "note", 1, &v, NULL, &ref));
    INVALID(trygon_actor_create(tg, "AsyncYielder", 1, &v, NULL, &ref));
    INVALID(trygon_get(tg, s, 0, &got));
    for (int64_t i = 1; i < 5; i++) /* nothing was lost */
        CHECK(next_int(tg, s) == i);
    at_end(tg, s);
    CHECK(completion(tg, s) == 0);
    drop(tg, s);
    answers(tg, a);
    drop(tg, a);
}

static const struct h_test tests[] = {
    TEST(an_async_method_yields, 1),
    TEST(its_error_is_the_last_item, 1),
    TEST(many_streams_of_one_actor_take_turns, 1),
    TEST(three_streams_that_sleep_overlap, 1),
    TEST(who_waits_for_its_reader_holds_up_no_other_call, 1),
    TEST(an_actor_reads_what_it_yields, 1),
    TEST(each_index_is_seen_once_over_all_attempts, 1),
    TEST(a_stream_goes_on_when_its_actor_is_made_again, 1),
    TEST(closing_lets_it_run_to_its_end, 1),
    TEST(cancelled_while_it_waits_for_its_reader, 1),
    TEST(a_kill_ends_all_streams, 1),
    TEST(a_method_s_stream_is_not_handed_on, 1),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    h_start(MPI_THREAD_MULTIPLE);
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_class(reg, &yielder));
    return h_main_with(argc, argv, tests, reg);
}
