/* stream.c - section 10 of the header: streams, as their readers see them.  How
 * they begin is in task.c, how items are yielded in call.c. */
#include "api/api.h"

/* ----- handles ------------------------------------------------------------------ */

int tg_no_stream(const struct trygon *tg, const char *who, size_t n,
                 const trygon_ref_t refs[])
{
    for (size_t i = 0; i < n; i++)
        if (trygon_ref_kind(refs[i]) == TRYGON_KIND_STREAM)
            return tg_fail(tg, TRYGON_ERR_INVALID,
                           "%s: a stream is no object: read it with "
                           "trygon_stream_next() where it was submitted",
                           who);
    return TRYGON_SUCCESS;
}

/* Is it a stream of this rank?  Whether it is still open is another matter. */
static int check_stream(const struct trygon *tg, const char *who,
                        trygon_ref_t ref)
{
    if (trygon_ref_kind(ref) != TRYGON_KIND_STREAM)
        return tg_fail(tg, TRYGON_ERR_INVALID, "%s: that is not a stream", who);
    if (tg_ref_rank(ref) != tg->rank)
        return tg_fail(tg, TRYGON_ERR_INVALID,
                       "%s: rank %d submitted the stream, and only it can "
                       "read it",
                       who, (int)tg_ref_rank(ref));
    return TRYGON_SUCCESS;
}

static int say(const struct trygon *tg, const char *who, int rc)
{
    if (rc == TRYGON_ERR_NOTFOUND)
        return tg_fail(tg, rc, "%s: the stream was released", who);
    if (rc == TRYGON_ERR_STATE)
        return tg_fail(tg, rc, "%s: another thread waits for its next item",
                       who);
    return tg_report(tg, who, rc);
}

/* ----- reading ------------------------------------------------------------------- */

/* With the lock held: take the next item, if it is here. */
static int take_item(struct trygon *tg, trygon_ref_t stream, trygon_ref_t *item)
{
    struct tg_event take = {
        .type = TG_EV_NEXT, .now_ns = tg_last_ns(tg), .ref = stream};
    int rc = tg_step(tg, &take);
    *item = take.ref;
    return rc;
}

/* With the lock held.  Somebody else may take what was waited for. */
static int await_item(struct trygon *tg, trygon_ref_t stream,
                      int64_t timeout_ms, trygon_ref_t *item)
{
    struct tg_wait_req req = {.kind = TG_WAIT_NEXT,
                              .n = 1,
                              .need = 1,
                              .refs = &stream,
                              .fetch = true};
    uint64_t deadline_ns = tg_deadline(timeout_ms);
    int rc;
    do {
        rc = tg_block(tg, &req, timeout_ms, NULL);
        if (rc != TRYGON_SUCCESS)
            return rc;
        uint64_t now_ns = deadline_ns != TG_NEVER ? tg_now_ns() : 0;
        if (deadline_ns != TG_NEVER)
            timeout_ms = now_ns < deadline_ns
                             ? (int64_t)((deadline_ns - now_ns) / 1000000)
                             : 0;
        rc = take_item(tg, stream, item);
    } while (rc == TRYGON_ERR_TIMEOUT);
    return rc;
}

int trygon_stream_next(trygon_t *tg, trygon_ref_t stream, int64_t timeout_ms,
                       trygon_ref_t *item)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, item != NULL, "the output is NULL");
    int rc = check_stream(tg, __func__, stream);
    if (rc != TRYGON_SUCCESS)
        return rc;
    trygon_ref_t ref;
    tg_enter(tg);
    rc = take_item(tg, stream, &ref);
    if (rc == TRYGON_ERR_TIMEOUT)
        rc = await_item(tg, stream, timeout_ms, &ref);
    tg_leave(tg);
    if (rc != TRYGON_SUCCESS)
        return say(tg, __func__, rc);
    *item = ref;
    return TRYGON_SUCCESS;
}

int trygon_stream_foreach(trygon_t *tg, trygon_ref_t stream, trygon_item_fn fn,
                          void *arg)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, fn != NULL, "the function is NULL");
    for (;;) {
        trygon_ref_t item;
        int rc = trygon_stream_next(tg, stream, TRYGON_FOREVER, &item);
        if (rc == TRYGON_ERR_END)
            return TRYGON_SUCCESS;
        if (rc != TRYGON_SUCCESS)
            return rc;
        rc = fn(tg, item, arg);
        (void)trygon_ref_release(tg, 1, &item);
        if (rc != 0)
            return rc;
    }
}

/* ----- looking -------------------------------------------------------------------- */

/* With the lock held; NULL: it was released. */
static const struct tg_stream *find_stream(const struct trygon *tg,
                                           trygon_ref_t ref)
{
    const struct tg_obj *x = tg_objs_find(&tg->core->objs, ref);
    return x != NULL ? tg_streams_of(&tg->core->streams, x) : NULL;
}

static int look(trygon_t *tg, const char *who, trygon_ref_t stream, bool *ready,
                bool *over)
{
    int rc = check_stream(tg, who, stream);
    if (rc != TRYGON_SUCCESS)
        return rc;
    tg_enter(tg);
    if (tg_may_poll(tg))
        tg_progress(tg); /* whoever only looks, looks at the latest */
    const struct tg_stream *s = find_stream(tg, stream);
    if (s == NULL) {
        rc = TRYGON_ERR_NOTFOUND;
    } else {
        *ready = tg_objs_ready(&tg->core->objs, s->head, false);
        *over = tg_stream_over(&tg->core->streams, s);
    }
    tg_leave(tg);
    return say(tg, who, rc);
}

int trygon_stream_next_ready(trygon_t *tg, trygon_ref_t stream, bool *ready)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, ready != NULL, "the output is NULL");
    bool any, over;
    int rc = look(tg, __func__, stream, &any, &over);
    if (rc == TRYGON_SUCCESS)
        *ready = any && !over;
    return rc;
}

int trygon_stream_is_finished(trygon_t *tg, trygon_ref_t stream, bool *finished)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, finished != NULL, "the output is NULL");
    bool any, over;
    int rc = look(tg, __func__, stream, &any, &over);
    if (rc == TRYGON_SUCCESS)
        *finished = over;
    return rc;
}

int trygon_stream_completed(trygon_t *tg, trygon_ref_t stream,
                            trygon_ref_t *done)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, done != NULL, "the output is NULL");
    int rc = check_stream(tg, __func__, stream);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_event ev = {.type = TG_EV_COMPLETION, .ref = stream};
    tg_enter(tg);
    rc = tg_step(tg, &ev);
    tg_leave(tg);
    if (rc != TRYGON_SUCCESS)
        return say(tg, __func__, rc);
    *done = ev.ref;
    return TRYGON_SUCCESS;
}
