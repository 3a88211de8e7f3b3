/* waitset.c - section 7 of the header: wait sets and callbacks. */
#include <stdlib.h>

#include "api/api.h"

#define TG_NEED_SET(ws_)                                          \
    do {                                                          \
        if ((ws_) == NULL)                                        \
            return tg_fail(NULL, TRYGON_ERR_INVALID,              \
                           "%s: the wait set is NULL", __func__); \
    } while (0)

int trygon_waitset_create(trygon_t *tg, trygon_waitset_t **ws)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, ws != NULL, "the output is NULL");
    trygon_waitset_t *w = malloc(sizeof *w);
    if (w == NULL)
        return tg_fail(tg, TRYGON_ERR_NOMEM,
                       "trygon_waitset_create: out of memory");
    struct tg_event ev = {.type = TG_EV_SET_NEW};
    tg_enter(tg);
    tg_step(tg, &ev);
    tg_leave(tg);
    *w = (trygon_waitset_t){tg, ev.handle};
    *ws = w;
    return TRYGON_SUCCESS;
}

int trygon_waitset_add(trygon_waitset_t *ws, trygon_ref_t ref, uint64_t tag)
{
    TG_NEED_SET(ws);
    struct tg_event ev = {
        .type = TG_EV_SET_ADD, .handle = ws->set, .ref = ref, .tag = tag};
    tg_enter(ws->tg);
    int rc = tg_step(ws->tg, &ev);
    tg_leave(ws->tg);
    if (rc == TRYGON_ERR_EXISTS)
        return tg_fail(ws->tg, rc,
                       "trygon_waitset_add: the reference is in the set");
    return tg_report(ws->tg, "trygon_waitset_add", rc);
}

int trygon_waitset_next(trygon_waitset_t *ws, int64_t timeout_ms,
                        trygon_ref_t *ref, uint64_t *tag)
{
    TG_NEED_SET(ws);
    struct trygon *tg = ws->tg;
    TG_NEED(tg, ref != NULL, "the output is NULL");
    struct tg_event take = {.type = TG_EV_SET_TAKE, .handle = ws->set};
    struct tg_wait_req req = {.kind = TG_WAIT_SET, .set = ws->set};
    tg_enter(tg);
    take.now_ns = tg_last_ns(tg);
    int rc = tg_step(tg, &take);
    while (rc == TRYGON_ERR_TIMEOUT) { /* or a stream's item was taken again */
        rc = tg_block(tg, &req, timeout_ms, NULL);
        if (rc != TRYGON_SUCCESS)
            break;
        rc = tg_step(tg, &take);
    }
    tg_leave(tg);
    if (rc == TRYGON_ERR_NOTFOUND)
        return tg_fail(tg, rc, "trygon_waitset_next: the set is empty");
    if (rc != TRYGON_SUCCESS)
        return tg_report(tg, "trygon_waitset_next", rc);
    *ref = take.ref;
    if (tag != NULL)
        *tag = take.tag;
    return TRYGON_SUCCESS;
}

int trygon_waitset_remove(trygon_waitset_t *ws, trygon_ref_t ref)
{
    TG_NEED_SET(ws);
    struct tg_event ev = {
        .type = TG_EV_SET_REMOVE, .handle = ws->set, .ref = ref};
    tg_enter(ws->tg);
    int rc = tg_step(ws->tg, &ev);
    tg_leave(ws->tg);
    if (rc != TRYGON_SUCCESS)
        return tg_fail(ws->tg, rc,
                       "trygon_waitset_remove: the reference is not in it");
    return TRYGON_SUCCESS;
}

int trygon_waitset_destroy(trygon_waitset_t **ws)
{
    TG_NEED(NULL, ws != NULL, "the wait set is NULL");
    if (*ws == NULL)
        return TRYGON_SUCCESS;
    struct tg_event ev = {.type = TG_EV_SET_FREE, .handle = (*ws)->set};
    tg_enter((*ws)->tg);
    tg_step((*ws)->tg, &ev);
    tg_leave((*ws)->tg);
    free(*ws);
    *ws = NULL;
    return TRYGON_SUCCESS;
}

int trygon_on_ready(trygon_t *tg, trygon_ref_t ref, trygon_ready_fn fn,
                    void *arg)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, fn != NULL, "the callback is NULL");
    int rc = tg_no_stream(tg, __func__, 1, &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_callback *cb = malloc(sizeof *cb);
    if (cb == NULL)
        return tg_fail(tg, TRYGON_ERR_NOMEM, "trygon_on_ready: out of memory");
    *cb = (struct tg_callback){fn, arg, ref};
    struct tg_event ev = {.type = TG_EV_CALL, .ref = ref, .cookie = cb};
    tg_enter(tg);
    rc = tg_step(tg, &ev);
    tg_leave(tg);
    if (rc != TRYGON_SUCCESS)
        free(cb);
    return tg_report(tg, "trygon_on_ready", rc);
}
