/* block.c - calls that wait (rank.h). */
#include <stdlib.h>

#include "rank/rank.h"

uint64_t tg_deadline(int64_t timeout_ms)
{
    static const int64_t most_ms = INT64_C(1) << 42; /* a century */
    if (timeout_ms < 0 || timeout_ms > most_ms)
        return TG_NEVER;
    return tg_now_ns() + (uint64_t)timeout_ms * 1000000u;
}

/* The waiter, once its wait has begun; NULL: it is over, as *rc says. */
static struct tg_waiter *begin_wait(struct trygon *tg, struct tg_wait_req *req,
                                    int *rc)
{
    struct tg_event ev = {.type = TG_EV_WAIT, .wait = req};
    if (req->exec == 0 && req->deadline_ns == TG_NEVER)
        ev.now_ns = tg_last_ns(tg);
    *rc = tg_step(tg, &ev);
    return *rc == TRYGON_SUCCESS ? ev.waiter : NULL;
}

static void take_answer(struct tg_waiter *w, struct tg_answer *out)
{
    *out = (struct tg_answer){.rows = w->rows,
                              .nrows = w->nrows,
                              .ticket = w->ticket,
                              .ref = w->ref,
                              .vals = w->gather.vals};
    w->rows = NULL;
    w->gather.vals = NULL;
}

int tg_block_until(struct trygon *tg, struct tg_wait_req *req,
                   struct tg_answer *out)
{
    struct trygon_call *call = tg_current(tg);
    struct trygon_call *fiber =
        call != NULL && call->loop != NULL ? call : NULL;
    struct tg_sleeper s = {.level = req->kind == TG_WAIT_SLEEP ? TG_ATTENDS
                                                               : TG_AWAITS,
                           .fiber = fiber};
    req->exec = call != NULL ? call->exec->self : 0;
    req->cookie = &s;
    int rc;
    struct tg_waiter *w = begin_wait(tg, req, &rc);
    if (w == NULL)
        return rc;
    if (fiber != NULL) {
        while (!w->done && tg->failed == 0)
            tg_loop_park(fiber);
    } else {
        tg->running -= call != NULL;
        tg_wait_until(tg, &s, &w->done, req->deadline_ns);
        tg->running += call != NULL;
    }
    rc = w->done ? w->rc : tg->failed;
    if (rc == TRYGON_SUCCESS && out != NULL)
        take_answer(w, out);
    struct tg_event end = {
        .type = TG_EV_WAIT_END, .now_ns = tg_last_ns(tg), .handle = w->self};
    tg_step(tg, &end);
    return rc;
}

int tg_block(struct trygon *tg, struct tg_wait_req *req, int64_t timeout_ms,
             struct tg_answer *out)
{
    req->deadline_ns = tg_deadline(timeout_ms);
    if (timeout_ms == 0 && tg_may_poll(tg))
        tg_progress(tg); /* whoever only looks, looks at the latest */
    return tg_block_until(tg, req, out);
}
