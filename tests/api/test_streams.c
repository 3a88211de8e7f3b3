/* test_streams.c - tasks that yield, and who reads what they yield. */
#include "harness.h"

enum { YIELDED, GATE, STOPPED, ENDED, TRIES };

/* ----- tasks -------------------------------------------------------------------- */

static int yield_int(trygon_call_t *c, int64_t x)
{
    int rc = trygon_call_yield(c, &INT(x));
    if (rc == TRYGON_SUCCESS)
        atomic_fetch_add(&shared[YIELDED], 1);
    return rc;
}

/* Yields 0 to n - 1, then ends with a code.  Argument 0: n, 1: the code. */
static int counts(trygon_call_t *c)
{
    int64_t n = arg_int(c, 0);
    for (int64_t i = 0; i < n; i++) {
        int rc = yield_int(c, i);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    atomic_fetch_add(&shared[ENDED], 1);
    return (int)arg_int(c, 1);
}

/* Yields one item, then the next ones as the gate opens. */
static int gated(trygon_call_t *c)
{
    int64_t n = arg_int(c, 0);
    for (int64_t i = 0; i < n; i++) {
        UNTIL(atomic_load(&shared[GATE]) >= i);
        int rc = yield_int(c, i);
        if (rc != TRYGON_SUCCESS)
            return rc; /* asked to stop, with its parent or at the end */
    }
    UNTIL(atomic_load(&shared[GATE]) >= n);
    return 0;
}

/* Yields until it is asked to stop. */
static int endless(trygon_call_t *c)
{
    int rc = 0;
    for (int64_t i = 0; rc == TRYGON_SUCCESS; i++) {
        rc = yield_int(c, i);
        usleep(200);
    }
    atomic_fetch_add(&shared[STOPPED], 1);
    return rc;
}

/* Fails after one item the first three times: [0 E] [0 E] [0 E] [0 1 2]. */
static int fails_at_first(trygon_call_t *c)
{
    trygon_call_info_t info = {.size = sizeof info};
    OK(trygon_call_info(c, &info));
    atomic_fetch_add(&shared[TRIES], 1);
    OK(yield_int(c, 0));
    if (info.attempt < 3)
        return 7;
    OK(yield_int(c, 1));
    return yield_int(c, 2);
}

/* Large items and small ones by turns. */
static int by_turns(trygon_call_t *c)
{
    enum { LARGE = 300000 };
    char *data = calloc(1, LARGE);
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < 20; i++) {
        memcpy(data, &i, sizeof i);
        rc = trygon_call_yield(c, &TRYGON_BYTES(data, i % 2 ? 8 : LARGE));
    }
    free(data);
    return rc;
}

/* Yields references to objects of its own. */
static int yields_refs(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    for (int64_t i = 0; i < 5; i++) {
        trygon_ref_t ref = put_int(tg, 10 + i);
        trygon_value_t v = trygon_bytes(NULL, 0);
        v.refs = &ref;
        v.nrefs = 1;
        OK(trygon_call_yield(c, &v));
        drop(tg, ref);
    }
    return 0;
}

/* Reads a stream of its own and returns the sum. */
static int sums(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    int64_t n = arg_int(c, 0), sum = 0;
    trygon_value_t args[] = {INT(n), INT((int64_t){0})};
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.backpressure = 2;
    trygon_ref_t s, item;
    OK(trygon_submit_stream(tg, "counts", 2, args, &o, &s));
    while (trygon_stream_next(tg, s, TRYGON_FOREVER, &item) == 0)
        sum += take_int(tg, item);
    drop(tg, s);
    return return_int(c, sum);
}

/* Waits for an item that never comes. */
static int waits_in_next(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t args[] = {INT((int64_t){2})};
    trygon_ref_t s, item;
    OK(trygon_submit_stream(tg, "gated", 1, args, NULL, &s));
    OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item));
    drop(tg, item);
    atomic_fetch_add(&shared[TRIES], 1);
    int rc = trygon_stream_next(tg, s, TRYGON_FOREVER, &item);
    CHECK_RC(rc, TRYGON_ERR_CANCELLED);
    atomic_fetch_add(&shared[STOPPED], 1);
    atomic_store(&shared[GATE], 9);
    drop(tg, s);
    return rc;
}

static int same(trygon_call_t *c)
{
    return return_int(c, arg_int(c, 0));
}

/* Reads a stream whose bits came to it as bytes. */
static int reads_another_s(trygon_call_t *c)
{
    trygon_value_t v;
    trygon_ref_t s, item;
    OK(trygon_call_arg(c, 0, &v));
    memcpy(&s, v.data, sizeof s);
    if (h_size > 1)
        INVALID(trygon_stream_next(trygon_call_runtime(c), s, 0, &item));
    return return_int(c, 1);
}

/* ----- short forms ---------------------------------------------------------------- */

static trygon_ref_t stream_of(trygon_t *tg, const char *task, int64_t n,
                              int64_t code, const trygon_task_opts_t *o)
{
    trygon_ref_t s = {0, 0};
    trygon_value_t args[] = {INT(n), INT(code)};
    OK(trygon_submit_stream(tg, task, 2, args, o, &s));
    CHECK(trygon_ref_kind(s) == TRYGON_KIND_STREAM);
    return s;
}

static trygon_ref_t limited(trygon_t *tg, const char *task, int64_t n,
                            int64_t backpressure)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    CHECK(o.backpressure == -1);
    o.backpressure = backpressure;
    return stream_of(tg, task, n, 0, &o);
}

static int64_t next_int(trygon_t *tg, trygon_ref_t s)
{
    trygon_ref_t item = {0, 0};
    if (!OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item)))
        return -1;
    CHECK(trygon_ref_kind(item) == TRYGON_KIND_OBJECT);
    return take_int(tg, item);
}

static int next_code(trygon_t *tg, trygon_ref_t s)
{
    trygon_ref_t item = {0, 0};
    if (!OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item)))
        return 0;
    return take_code(tg, item);
}

static void at_end(trygon_t *tg, trygon_ref_t s)
{
    trygon_ref_t item;
    bool x = true;
    for (int i = 0; i < 3; i++)
        CHECK_RC(trygon_stream_next(tg, s, TRYGON_FOREVER, &item),
                 TRYGON_ERR_END);
    OK(trygon_stream_next_ready(tg, s, &x));
    CHECK(!x);
    OK(trygon_stream_is_finished(tg, s, &x));
    CHECK(x);
    OK(trygon_wait(tg, 1, &s, NULL, &x, NULL));
    CHECK(x); /* for ever */
}

static bool next_ready(trygon_t *tg, trygon_ref_t s)
{
    bool x = false;
    OK(trygon_stream_next_ready(tg, s, &x));
    return x;
}

static int completion(trygon_t *tg, trygon_ref_t s)
{
    trygon_ref_t done = {0, 0};
    OK(trygon_stream_completed(tg, s, &done));
    return take_code(tg, done);
}

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
    for (int64_t i = 0; i < 20; i++) {
        trygon_ref_t item;
        trygon_value_t v;
        OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item));
        OK(trygon_get(tg, item, TRYGON_FOREVER, &v));
        CHECK(memcmp(v.data, &i, sizeof i) == 0);
        OK(trygon_value_release(tg, &v));
        drop(tg, item);
    }
    at_end(tg, s);
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

/* ----- cancel and close --------------------------------------------------------------------- */

static void cancelled_is_the_next_item_whatever_has_come(trygon_t *tg)
{
    trygon_ref_t s = stream_of(tg, "endless", 0, 0, NULL), item;
    OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item));
    UNTIL(atomic_load(&shared[YIELDED]) > 5);
    OK(trygon_cancel(tg, s, false, true));
    CHECK(next_code(tg, s) == TRYGON_ERR_CANCELLED);
    at_end(tg, s);
    UNTIL(atomic_load(&shared[STOPPED]) == 1);
    CHECK(completion(tg, s) == TRYGON_ERR_CANCELLED);
    CHECK(take_int(tg, item) == 0); /* what was taken stays good */
    drop(tg, s);
}

static void a_blocked_yield_is_cancelled(trygon_t *tg)
{
    trygon_ref_t s = limited(tg, "endless", 0, 1);
    UNTIL(next_ready(tg, s));
    OK(trygon_cancel(tg, s, false, true));
    UNTIL(atomic_load(&shared[STOPPED]) == 1);
    CHECK(next_code(tg, s) == TRYGON_ERR_CANCELLED);
    at_end(tg, s);
    drop(tg, s);
}

static void a_cancel_after_the_end_changes_nothing(trygon_t *tg)
{
    trygon_ref_t s = stream_of(tg, "counts", 2, 0, NULL);
    CHECK(completion(tg, s) == 0);
    OK(trygon_cancel(tg, s, false, true));
    CHECK(next_int(tg, s) == 0);
    CHECK(next_int(tg, s) == 1);
    at_end(tg, s);
    drop(tg, s);
}

static void a_reader_is_cancelled_while_it_waits(trygon_t *tg)
{
    trygon_ref_t r = call(tg, "waits_in_next", 0, NULL);
    UNTIL(atomic_load(&shared[TRIES]) == 1);
    OK(trygon_cancel(tg, r, false, false));
    UNTIL(atomic_load(&shared[STOPPED]) == 1);
    CHECK(take_code(tg, r) == TRYGON_ERR_CANCELLED);
}

static void unread_items_are_freed_and_taken_ones_live_on(trygon_t *tg)
{
    trygon_ref_t s = stream_of(tg, "counts", 100, 0, NULL), item;
    OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item));
    trygon_ref_t copy = s;
    drop(tg, s);
    CHECK(take_int(tg, item) == 0);
    CHECK_RC(trygon_stream_next(tg, copy, 0, &item), TRYGON_ERR_NOTFOUND);
    CHECK_RC(trygon_cancel(tg, copy, false, false), TRYGON_ERR_NOTFOUND);
    UNTIL(atomic_load(&shared[ENDED]) == 1); /* it was not cancelled */
    for (int i = 0; i < 20; i++) /* the harness looks for what is left */
        drop(tg, stream_of(tg, i % 2 ? "by_turns" : "counts", 50, i % 3, NULL));
}

/* ----- waiting --------------------------------------------------------------------------------- */

static void wait_takes_streams_and_references(trygon_t *tg)
{
    trygon_ref_t refs[2];
    bool ready[2];
    size_t n;
    trygon_wait_opts_t o;
    OK(trygon_wait_opts_init(&o));
    o.timeout_ms = 20;
    atomic_store(&shared[GATE], -1);
    refs[0] = stream_of(tg, "gated", 1, 0, NULL);
    refs[1] = call1(tg, "same", 4);
    OK(trygon_wait(tg, 2, refs, NULL, ready, &n));
    CHECK(n == 1 && !ready[0] && ready[1]);
    OK(trygon_wait(tg, 1, refs, &o, ready, &n));
    CHECK(n == 0);
    atomic_store(&shared[GATE], 0);
    OK(trygon_wait(tg, 1, refs, NULL, ready, &n));
    CHECK(n == 1);
    CHECK(next_int(tg, refs[0]) == 0); /* the wait has consumed nothing */
    atomic_store(&shared[GATE], 1);
    OK(trygon_wait(tg, 1, refs, NULL, ready, &n)); /* its end */
    CHECK(n == 1);
    at_end(tg, refs[0]);
    OK(trygon_ref_release(tg, 2, refs));
}

static void a_wait_set_drains_many_streams(trygon_t *tg)
{
    enum { N = 8, ITEMS = 20 };
    trygon_ref_t s[N], ref, item;
    int64_t seen[N] = {0};
    uint64_t tag;
    trygon_waitset_t *ws;
    OK(trygon_waitset_create(tg, &ws));
    for (uint64_t i = 0; i < N; i++) {
        s[i] = limited(tg, "counts", ITEMS, 1 + (int64_t)i);
        OK(trygon_waitset_add(ws, s[i], i));
    }
    for (int left = N; left > 0;) {
        OK(trygon_waitset_next(ws, TRYGON_FOREVER, &ref, &tag));
        int rc = trygon_stream_next(tg, ref, 0, &item);
        if (rc == TRYGON_ERR_END) {
            left--;
            continue;
        }
        OK(rc);
        CHECK(take_int(tg, item) == seen[tag]++);
        OK(trygon_waitset_add(ws, ref, tag));
    }
    for (int i = 0; i < N; i++)
        CHECK(seen[i] == ITEMS);
    OK(trygon_waitset_destroy(&ws));
    OK(trygon_ref_release(tg, N, s));
}

struct waiting {
    trygon_t *tg;
    trygon_ref_t stream;
    int rc;
};

static void *wait_for_next(void *arg)
{
    struct waiting *w = arg;
    trygon_ref_t item;
    w->rc = trygon_stream_next(w->tg, w->stream, TRYGON_FOREVER, &item);
    if (w->rc == TRYGON_SUCCESS)
        drop(w->tg, item);
    return NULL;
}

static void one_thread_at_a_time_waits_for_the_next(trygon_t *tg)
{
    pthread_t thread;
    trygon_ref_t item;
    atomic_store(&shared[GATE], -1);
    struct waiting w = {tg, stream_of(tg, "gated", 1, 0, NULL), -1};
    pthread_create(&thread, NULL, wait_for_next, &w);
    char why[2000];
    do
        OK(trygon_why(tg, why, sizeof why, NULL));
    while (strstr(why, "next of a stream") == NULL);
    CHECK_RC(trygon_stream_next(tg, w.stream, TRYGON_FOREVER, &item),
             TRYGON_ERR_STATE);
    atomic_store(&shared[GATE], 1);
    pthread_join(thread, NULL);
    CHECK(w.rc == 0);
    drop(tg, w.stream);
}

/* ----- what is refused ----------------------------------------------------------------------------- */

static void a_stream_is_no_object(trygon_t *tg)
{
    trygon_ref_t s = stream_of(tg, "counts", 1, 0, NULL), ref;
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
    drop(tg, s);
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

static const struct h_fn fns[] = {
    FN(counts),   FN(gated),           FN(endless),  FN(fails_at_first),
    FN(by_turns), FN(yields_refs),     FN(sums),     FN(waits_in_next),
    FN(same),     FN(reads_another_s), {NULL, NULL},
};

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
    TEST(cancelled_is_the_next_item_whatever_has_come, 1),
    TEST(a_blocked_yield_is_cancelled, 1),
    TEST(a_cancel_after_the_end_changes_nothing, 1),
    TEST(a_reader_is_cancelled_while_it_waits, 2),
    TEST(unread_items_are_freed_and_taken_ones_live_on, 2),
    TEST(wait_takes_streams_and_references, 2),
    TEST(a_wait_set_drains_many_streams, 2),
    TEST(one_thread_at_a_time_waits_for_the_next, 1),
    TEST(a_stream_is_no_object, 1),
    TEST(bad_options_are_refused, 1),
    TEST(yields_set_the_returns_of_a_plain_task, 1),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
