/* owner_cancel.c - tasks that are cancelled, alone or with what else was submitted
 * there (owner.h).
 */
#include "core/owner_impl.h"

struct tg_val *tg_task_cancelled(const struct tg_owner *w,
                                 const struct tg_task *t)
{
    return tg_val_error(TRYGON_ERR_CANCELLED, w->ctx->rank, t->number,
                        tg_task_name(w, t), "the task was cancelled");
}

bool tg_task_stop(struct tg_owner *w, struct tg_task *t, bool recursive)
{
    if (tg_objs_withdraw(w->objs, t->self, t->attempt)) {
        tg_lease_done(w, t, 0, UINT32_MAX);
        return false;
    }
    struct tg_msg m = {.type = TG_MSG_CANCEL};
    m.u.cancel.lease = t->lease->id;
    m.u.cancel.task = t->self;
    m.u.cancel.attempt = t->attempt;
    m.u.cancel.recursive = recursive;
    tg_ctx_send(w->ctx, t->lease->worker, &m);
    return true;
}

void tg_task_cancel(struct tg_owner *w, struct tg_task *t, bool recursive)
{
    if (t->state == TG_TASK_KEPT && !t->creates) {
        tg_lineage_drop(w, t, TG_UNMADE_CANCELLED);
        return;
    }
    t->cancelled = true;
    if (t->yields) {
        struct tg_stream *s = tg_task_stream(w, t);
        tg_streams_cancel(w->streams, s, tg_task_cancelled(w, t));
        if (tg_task_settle_last(w, t, s))
            return; /* it had ended, but for items under way */
    }
    if (t->state != TG_TASK_SENT) {
        tg_task_end(w, t, tg_task_cancelled(w, t));
        return;
    }
    if (t->call) {
        tg_call_cancel(w, t, recursive);
        return;
    }
    if (!tg_task_stop(w, t, recursive))
        tg_task_end(w, t, tg_task_cancelled(w, t));
}

bool tg_owner_cancel(struct tg_owner *w, struct tg_obj *x, bool recursive)
{
    const struct tg_stream *s = tg_streams_of(w->streams, x);
    uint64_t task = s == NULL ? x->task : s->task != 0 ? s->task : s->maker;
    struct tg_task *t = tg_slab_find(&w->tasks, task);
    if (t == NULL || (s == NULL && tg_is_item(t, x)))
        return false;
    bool over = t->state == TG_TASK_KEPT && !t->creates;
    tg_task_cancel(w, t, recursive);
    return !over;
}

void tg_owner_cancel_children(struct tg_owner *w, uint64_t parent)
{
    uint32_t slot = 0;
    struct tg_task *t;
    while ((t = tg_slab_next(&w->tasks, &slot)) != NULL)
        if (t->parent == parent)
            tg_task_cancel(w, t, true);
}

void tg_owner_cancel_all(struct tg_owner *w)
{
    w->over = true;
    tg_actors_end(w);
    uint32_t slot = 0;
    struct tg_task *t;
    while ((t = tg_slab_next(&w->tasks, &slot)) != NULL)
        tg_task_cancel(w, t, true);
}
