/* test_streams.c - tasks that yield, and who reads what they yield. */
#include "streams.h"

/* ----- order and the end ------------------------------------------------------------ */

static void items_come_in_order_then_the_end_for_ever(trygon_t *tg)
{
    trygon_ref_t s = stream_of(tg, "counts", 1000, 0, NULL);
    for (int64_t i = 0; i < 1000; i++)
        CHECK(next_int(tg, s) == i);
    at_end(tg, s);
    CHECK(completion(tg, s) == 0);
    drop(tg, s);
    s = stream_of(tg, "counts", 0, 0, NULL);
    at_end(tg, s);
    drop(tg, s);
}

static void large_items_stay_in_order(trygon_t *tg)
{
    trygon_ref_t s = stream_of(tg, "by_turns", 0, 0, NULL);
    read_by_turns(tg, s);
    drop(tg, s);
}

static void an_item_is_read_while_the_task_runs(trygon_t *tg)
{
    trygon_ref_t s = stream_of(tg, "gated", 2, 0, NULL), item, done;
    bool over = true;
    CHECK(next_int(tg, s) == 0);
    CHECK_RC(trygon_stream_next(tg, s, 20, &item), TRYGON_ERR_TIMEOUT);
    CHECK_RC(trygon_stream_next(tg, s, 0, &item), TRYGON_ERR_TIMEOUT);
    CHECK(!next_ready(tg, s));
    OK(trygon_stream_completed(tg, s, &done));
    OK(trygon_wait(
        tg, 1, &done,
        &(trygon_wait_opts_t){sizeof(trygon_wait_opts_t), 1, 0, true}, &over,
        NULL));
    CHECK(!over);
    atomic_store(&shared[GATE], 1);
    UNTIL(next_ready(tg, s));
    atomic_store(&shared[GATE], 2);
    CHECK(take_code(tg, done) == 0); /* the task is over, */
    OK(trygon_stream_is_finished(tg, s, &over));
    CHECK(!over); /* the stream is not */
    CHECK(next_int(tg, s) == 1);
    at_end(tg, s);
    drop(tg, s);
}

static int add(trygon_t *tg, trygon_ref_t item, void *arg)
{
    int64_t *sum = arg;
    *sum += get_int(tg, item);
    return *sum > 40 ? 3 : 0;
}

static void foreach_calls_until_it_has_enough(trygon_t *tg)
{
    int64_t sum = 0;
    trygon_ref_t s = stream_of(tg, "counts", 5, 0, NULL);
    OK(trygon_stream_foreach(tg, s, add, &sum));
    CHECK(sum == 10);
    drop(tg, s);
    s = stream_of(tg, "counts", 100, 0, NULL);
    CHECK(trygon_stream_foreach(tg, s, add, &sum) == 3);
    drop(tg, s);
}

static void items_carry_references(trygon_t *tg)
{
    trygon_ref_t s = stream_of(tg, "yields_refs", 0, 0, NULL);
    for (int64_t i = 0; i < 5; i++) {
        trygon_ref_t item;
        trygon_value_t v;
        OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item));
        OK(trygon_get(tg, item, TRYGON_FOREVER, &v));
        if (CHECK(v.nrefs == 1))
            CHECK(get_int(tg, v.refs[0]) == 10 + i);
        OK(trygon_value_release(tg, &v));
        drop(tg, item);
    }
    drop(tg, s);
}

static void a_task_reads_streams_of_its_own(trygon_t *tg)
{
    trygon_ref_t a = call1(tg, "sums", 100), b = call1(tg, "sums", 50);
    CHECK(take_int(tg, a) == 4950);
    CHECK(take_int(tg, b) == 1225);
}

/* ----- errors -------------------------------------------------------------------------- */

static void an_error_is_the_last_item(trygon_t *tg)
{
    for (int64_t n = 0; n < 3; n++) {
        trygon_ref_t s = stream_of(tg, "counts", n, 7, NULL);
        for (int64_t i = 0; i < n; i++)
            CHECK(next_int(tg, s) == i);
        CHECK(next_code(tg, s) == TRYGON_ERR_TASK);
        at_end(tg, s);
        CHECK(completion(tg, s) == 0); /* it carries no error of the user */
        drop(tg, s);
    }
}

static void each_index_is_seen_once_over_all_retries(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.max_retries = 3;
    o.nretry_codes = TRYGON_ANY_CODE;
    trygon_ref_t s = stream_of(tg, "fails_at_first", 0, 0, &o);
    for (int64_t i = 0; i < 3; i++)
        CHECK(next_int(tg, s) == i);
    at_end(tg, s);
    drop(tg, s);
    CHECK(atomic_load(&shared[TRIES]) == 4);
    o.max_retries = 2;
    s = stream_of(tg, "fails_at_first", 0, 0, &o);
    CHECK(next_int(tg, s) == 0);
    CHECK(next_code(tg, s) == TRYGON_ERR_TASK);
    at_end(tg, s);
    CHECK(completion(tg, s) == 0);
    drop(tg, s);
}

static void a_failed_argument_is_item_and_completion(trygon_t *tg)
{
    trygon_ref_t bad = stream_of(tg, "counts", 0, 7, NULL), arg, s;
    OK(trygon_stream_next(tg, bad, TRYGON_FOREVER, &arg));
    OK(trygon_submit_stream(tg, "counts", 1, &TRYGON_REF(arg), NULL, &s));
    CHECK(next_code(tg, s) == TRYGON_ERR_DEPENDENCY);
    at_end(tg, s);
    CHECK(completion(tg, s) == TRYGON_ERR_DEPENDENCY);
    drop(tg, s);
    drop(tg, arg);
    drop(tg, bad);
}

/* ----- backpressure ---------------------------------------------------------------------- */

static void the_task_goes_in_lock_step_with_its_reader(trygon_t *tg)
{
    trygon_ref_t s = limited(tg, "counts", 5, 1);
    for (int i = 0; i < 5; i++) {
        UNTIL(next_ready(tg, s));
        usleep(3000); /* one item is out, whose yield has not come back */
        CHECK(atomic_load(&shared[YIELDED]) == i);
        CHECK(next_int(tg, s) == i);
        UNTIL(atomic_load(&shared[YIELDED]) == i + 1);
    }
    at_end(tg, s);
    drop(tg, s);
}

static void a_limit_above_one_lets_it_run_ahead(trygon_t *tg)
{
    trygon_ref_t s = limited(tg, "counts", 50, 10);
    UNTIL(atomic_load(&shared[YIELDED]) == 9);
    usleep(5000);
    CHECK(atomic_load(&shared[YIELDED]) == 9);
    for (int64_t i = 0; i < 50; i++)
        CHECK(next_int(tg, s) == i);
    at_end(tg, s);
    drop(tg, s);
}

static void closing_lets_a_blocked_task_run_to_its_end(trygon_t *tg)
{
    trygon_ref_t s = limited(tg, "counts", 100, 1);
    CHECK(next_int(tg, s) == 0);
    drop(tg, s);
    UNTIL(atomic_load(&shared[ENDED]) == 1);
    CHECK(atomic_load(&shared[YIELDED]) == 100);
}

static void a_blocked_task_lends_its_cpu(trygon_t *tg)
{
    trygon_ref_t s[6];
    for (int i = 0; i < 6; i++) /* more than there are slots */
        s[i] = limited(tg, "counts", 3, 1);
    for (int i = 6; i-- > 0;)
        for (int64_t k = 0; k < 3; k++)
            CHECK(next_int(tg, s[i]) == k);
    OK(trygon_ref_release(tg, 6, s));
}

/* ----- what is refused ----------------------------------------------------------------------------- */

static void a_stream_is_no_object(trygon_t *tg)
{
    trygon_ref_t s = stream_of(tg, "counts", 5, 0, NULL), ref;
    trygon_value_t v = trygon_bytes(NULL, 0), bits;
    int64_t x;
    INVALID(trygon_get(tg, s, 0, &bits));
    INVALID(trygon_get_n(tg, 1, &s, 0, &bits));
    INVALID(trygon_get_into(tg, s, 0, &x, sizeof x, NULL));
    INVALID(trygon_submit(tg, "same", 1, &TRYGON_REF(s), NULL, &ref));
    v.refs = &s;
    v.nrefs = 1;
    INVALID(trygon_put(tg, &v, &ref));
    INVALID(trygon_submit(tg, "same", 1, &v, NULL, &ref));
    bits = trygon_bytes(&s, sizeof s);
    CHECK(take_int(tg, call(tg, "reads_another_s", 1, &bits)) == 1);
    ref = put_int(tg, 1);
    INVALID(trygon_stream_next(tg, ref, 0, &s));
    bool b;
    INVALID(trygon_stream_next_ready(tg, ref, &b));
    INVALID(trygon_stream_completed(tg, ref, &s));
    drop(tg, ref);
    for (int64_t i = 0; i < 5; i++) /* nothing was lost */
        CHECK(next_int(tg, s) == i);
    at_end(tg, s);
    drop(tg, s);
    CHECK(take_int(tg, call(tg, "keeps_its_stream", 0, NULL)) == 3);
}

static void bad_options_are_refused(trygon_t *tg)
{
    trygon_ref_t ref;
    trygon_task_opts_t o;
    static const int64_t bad[] = {0, -2};
    for (int i = 0; i < 2; i++) {
        OK(trygon_task_opts_init(&o));
        o.backpressure = bad[i];
        INVALID(trygon_submit_stream(tg, "counts", 0, NULL, &o, &ref));
    }
    o.backpressure = 1;
    INVALID(trygon_submit(tg, "counts", 0, NULL, &o, &ref));
    o.num_returns = 2;
    INVALID(trygon_submit_stream(tg, "counts", 0, NULL, &o, &ref));
    INVALID(trygon_submit_stream(tg, "counts", 0, NULL, NULL, NULL));
    CHECK_RC(trygon_submit_stream(tg, "nobody", 0, NULL, NULL, &ref),
             TRYGON_ERR_NOTFOUND);
    INVALID(trygon_stream_next(NULL, ref, 0, &ref));
    INVALID(trygon_call_yield(NULL, NULL));
}

/* ----- yields of a plain task ------------------------------------------------------------------------ */

static void yields_set_the_returns_of_a_plain_task(trygon_t *tg)
{
    trygon_ref_t refs[3];
    trygon_value_t args[] = {INT((int64_t){3}), INT((int64_t){0})};
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_returns = 3;
    OK(trygon_submit(tg, "counts", 2, args, &o, refs));
    for (int64_t i = 0; i < 3; i++)
        CHECK(take_int(tg, refs[i]) == i);
    o.num_returns = 2; /* one yield too many */
    OK(trygon_submit(tg, "counts", 2, args, &o, refs));
    trygon_value_t v;
    CHECK_RC(trygon_get(tg, refs[0], TRYGON_FOREVER, &v), TRYGON_ERR_RETURNS);
    trygon_error_t e = {.size = sizeof e};
    OK(trygon_ref_cause(tg, refs[0], 0, &e));
    CHECK(strstr(e.text, "yield 3 of a task with 2 returns") != NULL);
    drop(tg, refs[0]);
    CHECK(take_code(tg, refs[1]) == TRYGON_ERR_RETURNS);
}

static const struct h_test tests[] = {
    TEST(items_come_in_order_then_the_end_for_ever, 1),
    TEST(large_items_stay_in_order, 1),
    TEST(an_item_is_read_while_the_task_runs, 1),
    TEST(foreach_calls_until_it_has_enough, 1),
    TEST(items_carry_references, 1),
    TEST(a_task_reads_streams_of_its_own, 1),
    TEST(an_error_is_the_last_item, 1),
    TEST(each_index_is_seen_once_over_all_retries, 1),
    TEST(a_failed_argument_is_item_and_completion, 1),
    TEST(the_task_goes_in_lock_step_with_its_reader, 1),
    TEST(a_limit_above_one_lets_it_run_ahead, 1),
    TEST(closing_lets_a_blocked_task_run_to_its_end, 1),
    TEST(a_blocked_task_lends_its_cpu, 1),
    TEST(a_stream_is_no_object, 1),
    TEST(bad_options_are_refused, 1),
    TEST(yields_set_the_returns_of_a_plain_task, 1),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return streams_main(argc, argv, tests);
}
