/* worker_stream.c - items that an execution yields (worker.h); what becomes of
 * them is owner_stream.c.
 */
#include "core/worker_impl.h"

int tg_worker_yield(struct tg_worker *w, struct tg_exec *e, struct tg_val *val)
{
    if (e->limit == 0)
        return TRYGON_ERR_STATE;
    if (e->cancelled)
        return TRYGON_ERR_CANCELLED;
    if (e->yielded >= TG_ITEMS_MAX)
        return TRYGON_ERR_RETURNS;
    struct tg_msg m = {.type = TG_MSG_ITEM};
    m.u.item.task = e->task;
    m.u.item.exec = e->self;
    m.u.item.attempt = e->attempt;
    m.u.item.index = e->yielded++;
    m.u.item.item.val = val;
    tg_objs_send(w->objs, e->owner, &m);
    return TRYGON_SUCCESS;
}

void tg_exec_taken(struct tg_worker *w, struct tg_exec *e, uint64_t n)
{
    e->taken = n;
    if (e->waiter != 0 && !tg_exec_ahead(e))
        *tg_ctx_pass(w->ctx, &w->let_go) = e->waiter;
}

/* What has ended meanwhile needs it no more. */
void tg_worker_taken(struct tg_worker *w, int32_t from,
                     const struct tg_msg_taken *m)
{
    struct tg_exec *e = tg_slab_find(&w->execs, m->exec);
    if (e != NULL && e->owner == from && m->n > e->taken)
        tg_exec_taken(w, e, m->n);
}
