/* worker_args.c - executions whose arguments nobody has a place for (worker.h).
 */
#include "core/worker_impl.h"

/* Only where lost objects are made again; longer than most answers take. */
void tg_exec_watch_args(struct tg_worker *w, const struct tg_exec *e)
{
    if (w->ctx->lim.lineage_bytes > 0)
        tg_timers_add(&w->ctx->timers, w->ctx->now_ns + w->ctx->lim.args_ns,
                      TG_TIMER_ARGS, e->self);
}

/* Does it wait for one that is made again, perhaps, and not for bytes on their
 * way? */
static bool lacks_place(const struct tg_worker *w, const struct tg_exec *e)
{
    const struct tg_item *args = tg_items_at(&e->args);
    for (uint32_t i = 0; i < e->args.n; i++) {
        if (args[i].val != NULL)
            continue;
        const struct tg_obj *x = tg_objs_find(w->objs, args[i].ref);
        if (x->state != TG_OBJ_FAILED &&
            (x->val == NULL || (x->owned && x->asked_fetch)))
            return true;
    }
    return false;
}

static void bounce_one(struct tg_worker *w, struct tg_exec *e)
{
    struct tg_wlease *l = e->lease;
    struct tg_attempt *v = tg_alloc(sizeof *v);
    *v = (struct tg_attempt){e->task, e->attempt};
    tg_wlease_unqueue(e);
    tg_exec_free(w, e);
    tg_worker_bounce(w, l->owner, l->id, TG_BOUNCE_ARGS, 1, v);
    tg_wlease_settle(w, l);
}

void tg_worker_args_timer(struct tg_worker *w, uint64_t exec)
{
    struct tg_exec *e = tg_slab_find(&w->execs, exec);
    if (e == NULL || e->state != TG_EXEC_FETCHING)
        return;
    if (!lacks_place(w, e))
        tg_exec_watch_args(w, e);
    else if (e->lease != NULL)
        bounce_one(w, e);
    else
        tg_exec_end_unstarted(w, e, TG_DONE_ARGS, NULL);
}
