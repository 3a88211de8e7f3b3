/* streams.h - the tasks that yield, and the short forms, of the tests of
 * streams. */
#ifndef TG_TESTS_API_STREAMS_H
#define TG_TESTS_API_STREAMS_H

#include "harness.h"

enum { YIELDED, GATE, STOPPED, ENDED, TRIES };

/* ----- tasks -------------------------------------------------------------------- */

static inline int yield_int(trygon_call_t *c, int64_t x)
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

/* A stream of its own is not returned, and is read here to its end. */
static int keeps_its_stream(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t args[] = {INT((int64_t){3}), INT((int64_t){0})};
    trygon_value_t v = trygon_bytes(NULL, 0);
    trygon_ref_t s, item;
    int64_t sum = 0;
    OK(trygon_submit_stream(tg, "counts", 2, args, NULL, &s));
    v.refs = &s;
    v.nrefs = 1;
    INVALID(trygon_call_return(c, 0, &v));
    while (trygon_stream_next(tg, s, TRYGON_FOREVER, &item) == 0)
        sum += take_int(tg, item);
    drop(tg, s);
    return return_int(c, sum);
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

static inline trygon_ref_t stream_of(trygon_t *tg, const char *task, int64_t n,
                                     int64_t code, const trygon_task_opts_t *o)
{
    trygon_ref_t s = {0, 0};
    trygon_value_t args[] = {INT(n), INT(code)};
    OK(trygon_submit_stream(tg, task, 2, args, o, &s));
    CHECK(trygon_ref_kind(s) == TRYGON_KIND_STREAM);
    return s;
}

static inline trygon_ref_t limited(trygon_t *tg, const char *task, int64_t n,
                                   int64_t backpressure)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    CHECK(o.backpressure == -1);
    o.backpressure = backpressure;
    return stream_of(tg, task, n, 0, &o);
}

static inline int64_t next_int(trygon_t *tg, trygon_ref_t s)
{
    trygon_ref_t item = {0, 0};
    if (!OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item)))
        return -1;
    CHECK(trygon_ref_kind(item) == TRYGON_KIND_OBJECT);
    return take_int(tg, item);
}

static inline int next_code(trygon_t *tg, trygon_ref_t s)
{
    trygon_ref_t item = {0, 0};
    if (!OK(trygon_stream_next(tg, s, TRYGON_FOREVER, &item)))
        return 0;
    return take_code(tg, item);
}

static inline void at_end(trygon_t *tg, trygon_ref_t s)
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

static inline bool next_ready(trygon_t *tg, trygon_ref_t s)
{
    bool x = false;
    OK(trygon_stream_next_ready(tg, s, &x));
    return x;
}

static inline int completion(trygon_t *tg, trygon_ref_t s)
{
    trygon_ref_t done = {0, 0};
    OK(trygon_stream_completed(tg, s, &done));
    return take_code(tg, done);
}

/* Whichever has an item is read, until all streams have ended; the items of
 * each count from 0. */
static inline void drain_by_wait_set(trygon_t *tg, uint64_t n,
                                     const trygon_ref_t s[], int64_t items)
{
    int64_t seen[16] = {0};
    trygon_waitset_t *ws;
    OK(trygon_waitset_create(tg, &ws));
    for (uint64_t i = 0; i < n; i++)
        OK(trygon_waitset_add(ws, s[i], i));
    for (uint64_t left = n; left > 0;) {
        trygon_ref_t ref, item;
        uint64_t tag;
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
    for (uint64_t i = 0; i < n; i++)
        CHECK(seen[i] == items);
    OK(trygon_waitset_destroy(&ws));
}

/* The twenty items of by_turns, small and large, in order. */
static inline void read_by_turns(trygon_t *tg, trygon_ref_t s)
{
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
}

static const struct h_fn fns[] = {
    FN(counts),
    FN(gated),
    FN(endless),
    FN(fails_at_first),
    FN(by_turns),
    FN(yields_refs),
    FN(sums),
    FN(waits_in_next),
    FN(same),
    FN(reads_another_s),
    FN(keeps_its_stream),
    {NULL, NULL},
};

static inline int streams_main(int argc, char **argv,
                               const struct h_test *tests)
{
    return h_main(argc, argv, tests, fns);
}

#endif
