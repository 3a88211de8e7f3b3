/* test_stream_end.c - streams that are cancelled, closed, and waited for. */
#include "streams.h"

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
    trygon_ref_t s[N];
    for (int64_t i = 0; i < N; i++)
        s[i] = limited(tg, "counts", ITEMS, 1 + i);
    drain_by_wait_set(tg, N, s, ITEMS);
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

static const struct h_test tests[] = {
    TEST(cancelled_is_the_next_item_whatever_has_come, 1),
    TEST(a_blocked_yield_is_cancelled, 1),
    TEST(a_cancel_after_the_end_changes_nothing, 1),
    TEST(a_reader_is_cancelled_while_it_waits, 2),
    TEST(unread_items_are_freed_and_taken_ones_live_on, 2),
    TEST(wait_takes_streams_and_references, 2),
    TEST(a_wait_set_drains_many_streams, 2),
    TEST(one_thread_at_a_time_waits_for_the_next, 1),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return streams_main(argc, argv, tests);
}
