/* event.c - section 7 of the header: sleep and events. */
#include <stdlib.h>

#include "api/api.h"

#define TG_NEED_EVENT(event_)                                                 \
    do {                                                                      \
        if ((event_) == NULL)                                                 \
            return tg_fail(NULL, TRYGON_ERR_INVALID, "%s: the event is NULL", \
                           __func__);                                         \
    } while (0)

struct trygon_event {
    trygon_t *tg;
    uint64_t flag;
};

/* ----- sleep -------------------------------------------------------------------- */

/* With the lock held: a fiber lets the others run once. */
static int let_others(struct trygon *tg, struct trygon_call *fiber)
{
    if (!fiber->exec->cancelled && tg->failed == 0)
        tg_loop_yield(fiber);
    return fiber->exec->cancelled ? TRYGON_ERR_CANCELLED : tg->failed;
}

int trygon_sleep(trygon_t *tg, int64_t ms)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, ms >= 0, "ms is below 0");
    struct trygon_call *call = tg_current(tg);
    struct tg_wait_req req = {.kind = TG_WAIT_SLEEP};
    int rc;
    tg_enter(tg);
    if (ms == 0 && call != NULL && call->loop != NULL)
        rc = let_others(tg, call);
    else
        rc = tg_block(tg, &req, ms, NULL);
    tg_leave(tg);
    return rc == TRYGON_ERR_TIMEOUT ? TRYGON_SUCCESS
                                    : tg_report(tg, __func__, rc);
}

/* ----- events ------------------------------------------------------------------- */

int trygon_event_create(trygon_t *tg, trygon_event_t **event)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, event != NULL, "the output is NULL");
    trygon_event_t *e = malloc(sizeof *e);
    if (e == NULL)
        return tg_fail(tg, TRYGON_ERR_NOMEM,
                       "trygon_event_create: out of memory");
    struct tg_event ev = {.type = TG_EV_FLAG_NEW};
    tg_enter(tg);
    tg_step(tg, &ev);
    tg_leave(tg);
    *e = (trygon_event_t){tg, ev.handle};
    *event = e;
    return TRYGON_SUCCESS;
}

static int set(const trygon_event_t *event, bool to)
{
    struct trygon *tg = event->tg;
    struct tg_event ev = {
        .type = TG_EV_FLAG_SET, .handle = event->flag, .tag = to};
    tg_enter(tg);
    tg_step(tg, &ev);
    tg_leave(tg);
    return TRYGON_SUCCESS;
}

int trygon_event_set(trygon_event_t *event)
{
    TG_NEED_EVENT(event);
    return set(event, true);
}

int trygon_event_clear(trygon_event_t *event)
{
    TG_NEED_EVENT(event);
    return set(event, false);
}

int trygon_event_wait(trygon_event_t *event, int64_t timeout_ms)
{
    TG_NEED_EVENT(event);
    struct trygon *tg = event->tg;
    struct tg_wait_req req = {.kind = TG_WAIT_FLAG, .set = event->flag};
    tg_enter(tg);
    int rc = tg_block(tg, &req, timeout_ms, NULL);
    tg_leave(tg);
    return tg_report(tg, __func__, rc);
}

int trygon_event_destroy(trygon_event_t **event)
{
    TG_NEED_EVENT(event);
    if (*event == NULL)
        return TRYGON_SUCCESS;
    struct trygon *tg = (*event)->tg;
    struct tg_event ev = {.type = TG_EV_FLAG_FREE, .handle = (*event)->flag};
    tg_enter(tg);
    int rc = tg_step(tg, &ev);
    tg_leave(tg);
    if (rc != TRYGON_SUCCESS)
        return tg_fail(tg, rc, "trygon_event_destroy: some wait for the event");
    free(*event);
    *event = NULL;
    return TRYGON_SUCCESS;
}
