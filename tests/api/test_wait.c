/* test_wait.c - trygon_wait() in every detail, wait sets, callbacks. */
#include "harness.h"

enum { GATE, MAX_CALLS = 64 };

/* ----- tasks ------------------------------------------------------------------- */

static int same(trygon_call_t *c)
{
    return return_int(c, arg_int(c, 0));
}

/* Ends when shared[GATE] has reached its argument. */
static int gated(trygon_call_t *c)
{
    int64_t x = arg_int(c, 0);
    UNTIL(atomic_load(&shared[GATE]) >= x);
    return return_int(c, x);
}

static int fail(trygon_call_t *c)
{
    (void)c;
    return 2;
}

static int make_large(trygon_call_t *c)
{
    size_t size = (size_t)arg_int(c, 0);
    char *p = calloc(1, size);
    int rc = trygon_call_return(c, 0, &TRYGON_BYTES(p, size));
    free(p);
    return rc;
}

/* ----- wait ------------------------------------------------------------------------ */

/* Waits and compares; want: "1" where a reference must be marked. */
static void check_wait(trygon_t *tg, size_t n, const trygon_ref_t refs[],
                       size_t num_returns, int64_t timeout_ms, const char *want)
{
    trygon_wait_opts_t o;
    OK(trygon_wait_opts_init(&o));
    CHECK(o.num_returns == 1 && o.timeout_ms == TRYGON_FOREVER &&
          o.fetch_local);
    o.num_returns = num_returns;
    o.timeout_ms = timeout_ms;
    bool ready[16];
    size_t nready = 99, count = 0;
    memset(ready, 1, sizeof ready);
    OK(trygon_wait(tg, n, refs, &o, ready, &nready));
    for (size_t i = 0; i < n; i++) {
        CHECK(ready[i] == (want[i] == '1'));
        count += want[i] == '1';
    }
    CHECK(nready == count);
}

static void all_ready(trygon_t *tg, size_t n, const trygon_ref_t refs[])
{
    trygon_value_t v[16];
    OK(trygon_get_n(tg, n, refs, TRYGON_FOREVER, v));
    for (size_t i = 0; i < n; i++)
        OK(trygon_value_release(tg, &v[i]));
}

static void no_more_are_marked_than_asked_for(trygon_t *tg)
{
    trygon_ref_t ref[4];
    for (int64_t i = 0; i < 4; i++)
        ref[i] = call1(tg, "same", i);
    all_ready(tg, 4, ref);
    check_wait(tg, 4, ref, 1, TRYGON_FOREVER, "1000");
    check_wait(tg, 4, ref, 2, TRYGON_FOREVER, "1100");
    check_wait(tg, 4, ref, 3, 0, "1110");
    check_wait(tg, 4, ref, 4, 0, "1111");
    OK(trygon_ref_release(tg, 4, ref));
}

static void the_ready_ones_are_marked_in_input_order(trygon_t *tg)
{
    trygon_ref_t slow = call1(tg, "gated", 1), a = put_int(tg, 1),
                 b = put_int(tg, 2), c = put_int(tg, 3);
    trygon_ref_t refs[] = {slow, c, a, b};
    check_wait(tg, 4, refs, 2, TRYGON_FOREVER, "0110");
    check_wait(tg, 4, refs, 3, TRYGON_FOREVER, "0111");
    check_wait(tg, 4, refs, 4, 20, "0111"); /* out of time: what there is */
    atomic_store(&shared[GATE], 1);
    check_wait(tg, 4, refs, 4, TRYGON_FOREVER, "1111");
    check_wait(tg, 4, refs, 1, TRYGON_FOREVER, "1000");
    OK(trygon_ref_release(tg, 4, refs));
}

static void out_of_time_is_no_error(trygon_t *tg)
{
    trygon_ref_t ref = call1(tg, "gated", 1);
    check_wait(tg, 1, &ref, 1, 0, "0");
    double began = h_seconds();
    check_wait(tg, 1, &ref, 1, 50, "0");
    CHECK(h_seconds() - began >= 0.05);
    bool ready = true;
    trygon_wait_opts_t o;
    OK(trygon_wait_opts_init(&o));
    o.timeout_ms = 0;
    OK(trygon_wait(tg, 1, &ref, &o, &ready, NULL));
    CHECK(!ready);
    atomic_store(&shared[GATE], 1);
    OK(trygon_wait(tg, 1, &ref, NULL, &ready, NULL)); /* the defaults */
    CHECK(ready);
    drop(tg, ref);
}

static void a_failed_one_is_ready(trygon_t *tg)
{
    trygon_ref_t slow = call1(tg, "gated", 1), bad = call(tg, "fail", 0, NULL);
    trygon_ref_t after = call(tg, "same", 1, &TRYGON_REF(bad));
    trygon_ref_t refs[] = {slow, bad, after};
    check_wait(tg, 3, refs, 2, TRYGON_FOREVER, "011");
    atomic_store(&shared[GATE], 1);
    check_wait(tg, 3, refs, 3, TRYGON_FOREVER, "111");
    OK(trygon_ref_release(tg, 3, refs));
}

static void they_are_seen_as_they_come(trygon_t *tg)
{
    trygon_ref_t ref[4];
    for (int64_t i = 0; i < 4; i++)
        ref[i] = call1(tg, "gated", 4 - i);
    static const char *const want[] = {"0001", "0011", "0111", "1111"};
    for (int i = 0; i < 4; i++) {
        atomic_fetch_add(&shared[GATE], 1);
        check_wait(tg, 4, ref, (size_t)i + 1, TRYGON_FOREVER, want[i]);
    }
    OK(trygon_ref_release(tg, 4, ref));
}

static void wrong_lists_are_refused(trygon_t *tg)
{
    trygon_ref_t a = put_int(tg, 1), b = put_int(tg, 2);
    trygon_ref_t twice[] = {a, b, a}, both[] = {a, b}, some[] = {a, {0, 0}};
    trygon_wait_opts_t o;
    OK(trygon_wait_opts_init(&o));
    bool ready[3] = {true, true, true};
    size_t n = 77;
    INVALID(trygon_wait(tg, 3, twice, &o, ready, &n));
    o.num_returns = 0;
    INVALID(trygon_wait(tg, 2, both, &o, ready, &n));
    o.num_returns = 3;
    INVALID(trygon_wait(tg, 2, both, &o, ready, &n));
    o.num_returns = 1;
    CHECK_RC(trygon_wait(tg, 2, some, &o, ready, &n), TRYGON_ERR_NOTFOUND);
    o.timeout_ms = -2;
    INVALID(trygon_wait(tg, 2, both, &o, ready, &n));
    CHECK(n == 77 && ready[0] && ready[1]);
    OK(trygon_wait(tg, 0, NULL, NULL, NULL, &n));
    CHECK(n == 0);
    OK(trygon_wait(tg, 0, NULL, NULL, NULL, NULL));
    OK(trygon_ref_release(tg, 2, both));
}

/* fetch_local: that it exists somewhere is enough, or it must be here. */
static void ready_somewhere_or_ready_here(trygon_t *tg)
{
    for (int i = 0; i < 10; i++) {
        trygon_ref_t ref = call1(tg, "make_large", i % 2 ? 300 << 10 : 100);
        trygon_wait_opts_t o;
        OK(trygon_wait_opts_init(&o));
        bool ready = false;
        o.fetch_local = false;
        OK(trygon_wait(tg, 1, &ref, &o, &ready, NULL));
        CHECK(ready);
        o.fetch_local = true;
        OK(trygon_wait(tg, 1, &ref, &o, &ready, NULL));
        CHECK(ready);
        trygon_value_t v;
        OK(trygon_get(tg, ref, 0, &v)); /* here, as wait has said */
        OK(trygon_value_release(tg, &v));
        drop(tg, ref);
    }
}

static void a_thousand_references(trygon_t *tg)
{
    enum { N = 1000 };
    static trygon_ref_t ref[N];
    static bool ready[N];
    for (int64_t i = 0; i < N; i++)
        ref[i] = call1(tg, "same", i);
    size_t left = N;
    while (left > 0) {
        size_t n = 0, kept = 0;
        OK(trygon_wait(tg, left, ref, NULL, ready, &n));
        CHECK(n == 1);
        for (size_t i = 0; i < left; i++) {
            if (ready[i])
                drop(tg, ref[i]);
            else
                ref[kept++] = ref[i];
        }
        CHECK(kept == left - 1);
        left = kept;
    }
}

/* ----- wait sets -------------------------------------------------------------------- */

static void a_set_gives_them_in_order_of_completion(trygon_t *tg)
{
    enum { N = 4 };
    trygon_ref_t ref[N], got;
    trygon_waitset_t *ws = NULL;
    uint64_t tag = 0;
    OK(trygon_waitset_create(tg, &ws));
    for (int64_t i = 0; i < N; i++) {
        ref[i] = call1(tg, "gated", N - i);
        OK(trygon_waitset_add(ws, ref[i], 100 + (uint64_t)i));
    }
    CHECK_RC(trygon_waitset_next(ws, 0, &got, &tag), TRYGON_ERR_TIMEOUT);
    CHECK_RC(trygon_waitset_next(ws, 20, &got, &tag), TRYGON_ERR_TIMEOUT);
    for (uint64_t i = 0; i < N; i++) {
        atomic_fetch_add(&shared[GATE], 1);
        OK(trygon_waitset_next(ws, TRYGON_FOREVER, &got, &tag));
        CHECK(tag == 100 + N - 1 - i);
        CHECK(trygon_ref_equal(got, ref[N - 1 - i]));
    }
    CHECK_RC(trygon_waitset_next(ws, TRYGON_FOREVER, &got, &tag),
             TRYGON_ERR_NOTFOUND);
    OK(trygon_waitset_destroy(&ws));
    CHECK(ws == NULL);
    OK(trygon_ref_release(tg, N, ref));
}

static void a_set_takes_what_is_ready_already(trygon_t *tg)
{
    trygon_ref_t ref[3] = {put_int(tg, 1), call(tg, "fail", 0, NULL),
                           call1(tg, "same", 3)},
                 got;
    trygon_waitset_t *ws;
    trygon_value_t v;
    CHECK_RC(trygon_get(tg, ref[1], TRYGON_FOREVER, &v), TRYGON_ERR_TASK);
    OK(trygon_waitset_create(tg, &ws));
    for (uint64_t i = 0; i < 3; i++)
        OK(trygon_waitset_add(ws, ref[i], i));
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t tag = 9;
        OK(trygon_waitset_next(ws, 0, &got, &tag));
        CHECK(tag == i);
    }
    OK(trygon_waitset_next(ws, TRYGON_FOREVER, &got, NULL)); /* no tag asked */
    CHECK(trygon_ref_equal(got, ref[2]));
    OK(trygon_waitset_add(ws, got, 5)); /* what was taken may come again */
    OK(trygon_waitset_destroy(&ws));
    OK(trygon_ref_release(tg, 3, ref));
}

static void members_come_and_go(trygon_t *tg)
{
    trygon_ref_t slow = call1(tg, "gated", 1), here = put_int(tg, 1), got;
    trygon_waitset_t *ws, *other;
    OK(trygon_waitset_create(tg, &ws));
    OK(trygon_waitset_create(tg, &other));
    CHECK_RC(trygon_waitset_remove(ws, slow), TRYGON_ERR_NOTFOUND);
    OK(trygon_waitset_add(ws, slow, 1));
    OK(trygon_waitset_add(ws, here, 2));
    OK(trygon_waitset_add(other, slow, 3)); /* in two sets */
    CHECK_RC(trygon_waitset_add(ws, slow, 4), TRYGON_ERR_EXISTS);
    CHECK_RC(trygon_waitset_add(ws, here, 4), TRYGON_ERR_EXISTS);
    trygon_ref_t none = {0, 0};
    CHECK_RC(trygon_waitset_add(ws, none, 5), TRYGON_ERR_NOTFOUND);
    OK(trygon_waitset_remove(ws, slow));
    OK(trygon_waitset_remove(ws, here));
    CHECK_RC(trygon_waitset_remove(ws, here), TRYGON_ERR_NOTFOUND);
    CHECK_RC(trygon_waitset_next(ws, 0, &got, NULL), TRYGON_ERR_NOTFOUND);
    OK(trygon_waitset_add(ws, slow, 6));
    atomic_store(&shared[GATE], 1);
    uint64_t tag;
    OK(trygon_waitset_next(ws, TRYGON_FOREVER, &got, &tag));
    CHECK(tag == 6);
    OK(trygon_waitset_next(other, TRYGON_FOREVER, &got, &tag));
    CHECK(tag == 3);
    CHECK_RC(trygon_waitset_remove(ws, got), TRYGON_ERR_NOTFOUND);
    OK(trygon_waitset_destroy(&other));
    OK(trygon_waitset_destroy(&ws));
    OK(trygon_waitset_destroy(&ws)); /* NULL: nothing to do */
    drop(tg, slow);
    drop(tg, here);
}

static void a_set_may_end_while_members_are_pending(trygon_t *tg)
{
    trygon_ref_t ref[20];
    trygon_waitset_t *ws;
    OK(trygon_waitset_create(tg, &ws));
    for (int i = 0; i < 20; i++) {
        ref[i] = call1(tg, "gated", 1);
        OK(trygon_waitset_add(ws, ref[i], 0));
    }
    OK(trygon_waitset_destroy(&ws));
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 20; i++)
        CHECK(take_int(tg, ref[i]) == 1);
}

/* As a driver uses it: a window of tasks, one new for each that ends. */
static void a_window_of_tasks(trygon_t *tg)
{
    enum { N = 3000, WINDOW = 64 };
    trygon_waitset_t *ws;
    OK(trygon_waitset_create(tg, &ws));
    static bool seen[N];
    memset(seen, 0, sizeof seen);
    int64_t next = 0;
    for (int done = 0; done < N; done++) {
        for (; next < N && next - done < WINDOW; next++)
            OK(trygon_waitset_add(ws, call1(tg, "same", next), (uint64_t)next));
        trygon_ref_t got;
        uint64_t tag = N;
        OK(trygon_waitset_next(ws, TRYGON_FOREVER, &got, &tag));
        CHECK(tag < N && !seen[tag]);
        seen[tag % N] = true;
        CHECK(take_int(tg, got) == (int64_t)tag);
    }
    OK(trygon_waitset_destroy(&ws));
}

/* ----- callbacks ------------------------------------------------------------------------ */

static struct { /* of this process */
    atomic_int begun, n;
    trygon_ref_t ref[MAX_CALLS];
    int code[MAX_CALLS];
} calls;

static void on_ready(trygon_t *tg, trygon_ref_t ref, void *arg)
{
    trygon_value_t v;
    int i = atomic_fetch_add(&calls.begun, 1); /* several may run at once */
    if (!CHECK(i < MAX_CALLS))
        return;
    calls.ref[i] = ref;
    calls.code[i] = trygon_get(tg, ref, 0, &v); /* does not block */
    if (calls.code[i] == TRYGON_SUCCESS)
        OK(trygon_value_release(tg, &v));
    if (arg != NULL) /* calls that do not block */
        *(trygon_ref_t *)arg = call(tg, "same", 1, &TRYGON_REF(ref));
    atomic_fetch_add(&calls.n, 1);
}

static void a_callback_comes_once_value_or_not(trygon_t *tg)
{
    atomic_store(&calls.begun, 0);
    atomic_store(&calls.n, 0);
    trygon_ref_t slow = call1(tg, "gated", 1), bad = call(tg, "fail", 0, NULL);
    trygon_ref_t more = {0, 0};
    OK(trygon_on_ready(tg, slow, on_ready, &more));
    OK(trygon_on_ready(tg, bad, on_ready, NULL));
    UNTIL(atomic_load(&calls.n) == 1);
    CHECK(trygon_ref_equal(calls.ref[0], bad) &&
          calls.code[0] == TRYGON_ERR_TASK);
    atomic_store(&shared[GATE], 1);
    UNTIL(atomic_load(&calls.n) == 2);
    CHECK(trygon_ref_equal(calls.ref[1], slow) && calls.code[1] == 0);
    CHECK(take_int(tg, more) == 1); /* the callback has submitted it */
    OK(trygon_on_ready(tg, slow, on_ready, NULL)); /* is ready: at once */
    UNTIL(atomic_load(&calls.n) == 3);
    CHECK(calls.code[2] == 0);
    drop(tg, slow);
    drop(tg, bad);
    CHECK(atomic_load(&calls.n) == 3);
}

static void a_callback_keeps_its_object(trygon_t *tg)
{
    atomic_store(&calls.begun, 0);
    atomic_store(&calls.n, 0);
    for (int i = 0; i < 20; i++) {
        trygon_ref_t ref = call1(tg, "gated", 1);
        OK(trygon_on_ready(tg, ref, on_ready, NULL));
        drop(tg, ref); /* ours; get() in the callback finds it held */
    }
    atomic_store(&shared[GATE], 1);
    UNTIL(atomic_load(&calls.n) == 20);
    for (int i = 0; i < 20; i++)
        CHECK(calls.code[i] == 0);
}

static void fail_and_submit(trygon_t *tg, trygon_ref_t ref, void *arg)
{
    (void)ref;
    INVALID(trygon_put(tg, NULL, NULL));
    *(trygon_ref_t *)arg = call(tg, "depth", 0, NULL);
}

static int depth(trygon_call_t *c)
{
    trygon_call_info_t info = {.size = sizeof info};
    OK(trygon_call_info(c, &info));
    return return_int(c, info.depth);
}

/* The callback runs on this very thread, for what is ready already. */
static int call_back_now(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t put = put_int(tg, 1), ref = {0, 0}, none = {1, 1};
    trygon_value_t v;
    trygon_error_t e = {.size = sizeof e};
    CHECK_RC(trygon_get(tg, none, 0, &v), TRYGON_ERR_NOTFOUND);
    OK(trygon_on_ready(tg, put, fail_and_submit, &ref));
    OK(trygon_last_error(&e));
    CHECK(e.code == TRYGON_ERR_NOTFOUND);
    CHECK(take_int(tg, ref) == 0); /* not a child of this task */
    CHECK(take_int(tg, call(tg, "depth", 0, NULL)) == 1);
    drop(tg, put);
    return return_int(c, 0);
}

static void a_callback_is_no_part_of_the_thread_it_runs_on(trygon_t *tg)
{
    CHECK(take_int(tg, call(tg, "call_back_now", 0, NULL)) == 0);
}

static const struct h_fn fns[] = {
    FN(same),  FN(gated),         FN(fail),     FN(make_large),
    FN(depth), FN(call_back_now), {NULL, NULL},
};

static const struct h_test tests[] = {
    TEST(no_more_are_marked_than_asked_for, 0),
    TEST(the_ready_ones_are_marked_in_input_order, 0),
    TEST(out_of_time_is_no_error, 0),
    TEST(a_failed_one_is_ready, 2),
    TEST(they_are_seen_as_they_come, 4),
    TEST(wrong_lists_are_refused, 0),
    TEST(ready_somewhere_or_ready_here, 0),
    TEST(a_thousand_references, 0),
    TEST(a_set_gives_them_in_order_of_completion, 4),
    TEST(a_set_takes_what_is_ready_already, 0),
    TEST(members_come_and_go, 0),
    TEST(a_set_may_end_while_members_are_pending, 0),
    TEST(a_window_of_tasks, 0),
    TEST(a_callback_comes_once_value_or_not, 2),
    TEST(a_callback_keeps_its_object, 0),
    TEST(a_callback_is_no_part_of_the_thread_it_runs_on, 2),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
