/* worker.c - see worker.h: the life of an execution, from its run to its done.
 * When it starts is its lease's affair (worker_lease.c). */
#include "core/worker.h"

#include <stdlib.h>

#include "core/worker_impl.h"

void tg_worker_init(struct tg_worker *w, struct tg_ctx *ctx,
                    struct tg_objs *objs, const struct tg_groups *const *groups)
{
    *w = (struct tg_worker){.ctx = ctx, .objs = objs, .groups = groups};
    tg_slab_init(&w->execs, sizeof(struct tg_exec));
    tg_slab_init(&w->leases, sizeof(struct tg_wlease_entry));
    tg_slab_init(&w->actors, sizeof(struct tg_wactor));
}

void tg_worker_fini(struct tg_worker *w)
{
    uint32_t slot = 0;
    struct tg_exec *e;
    while ((e = tg_slab_next(&w->execs, &slot)) != NULL) {
        tg_items_fini(&e->args);
        free(e->name);
    }
    struct tg_wlease_entry *l;
    for (slot = 0; (l = tg_slab_next(&w->leases, &slot)) != NULL;) {
        free(l->l.ids);
        tg_vec_free(&l->l.early);
    }
    HASH_CLEAR(hh, w->by_id);
    struct tg_held *h, *next;
    DL_FOREACH_SAFE (w->held, h, next) {
        tg_msg_fini(&h->msg);
        free(h);
    }
    tg_wactors_fini(w);
    tg_slab_fini(&w->execs);
    tg_slab_fini(&w->leases);
    tg_vec_free(&w->cancelled);
    tg_vec_free(&w->let_go);
}

/* ----- state ------------------------------------------------------------------- */

static const bool legal[5][5] = {
    [0] = {[TG_EXEC_FETCHING] = true, [TG_EXEC_QUEUED] = true},
    [TG_EXEC_FETCHING] = {[TG_EXEC_QUEUED] = true},
    [TG_EXEC_QUEUED] = {[TG_EXEC_RUNNING] = true},
    [TG_EXEC_RUNNING] = {[TG_EXEC_BLOCKED] = true},
    [TG_EXEC_BLOCKED] = {[TG_EXEC_RUNNING] = true},
};

void tg_exec_set_state(struct tg_exec *e, enum tg_exec_state to)
{
    TG_ASSERT(legal[e->state][to]);
    e->state = (uint8_t)to;
}

struct tg_exec *tg_worker_exec(const struct tg_worker *w, uint64_t handle)
{
    return tg_slab_find(&w->execs, handle);
}

/* There is nothing to hold, and nothing to fetch: so are most. */
static bool has_no_refs(const struct tg_item *it)
{
    return it->val != NULL && it->val->nrefs == 0;
}

/* Its arguments' holds go, and the record. */
void tg_exec_free(struct tg_worker *w, struct tg_exec *e)
{
    const struct tg_item *args = tg_items_at(&e->args);
    for (uint32_t i = 0; i < e->args.n; i++)
        if (!has_no_refs(&args[i]))
            tg_objs_unadopt(w->objs, &args[i]);
    tg_items_fini(&e->args);
    free(e->name);
    tg_slab_free(&w->execs, e->self);
}

/* ----- the end of an execution ---------------------------------------------------- */

/* We hold their references until weight for whoever gets them is taken. */
static __attribute__((noinline)) void
send_with_refs(struct tg_worker *w, const struct tg_exec *e, struct tg_msg *m)
{
    const struct tg_item *returns = tg_items_at(&m->u.done.returns);
    uint32_t n = m->u.done.returns.n;
    struct tg_val **kept = tg_grow(NULL, n + 1u, sizeof *kept);
    for (uint32_t i = 0; i < n; i++)
        kept[i] = tg_val_hold(returns[i].val);
    tg_objs_send(w->objs, e->owner, m);
    for (uint32_t i = 0; i < n; i++) {
        tg_objs_drop_refs(w->objs, kept[i]);
        tg_val_drop(&kept[i]);
    }
    free(kept);
}

void tg_exec_send_done(struct tg_worker *w, const struct tg_exec *e,
                       struct tg_outcome *out)
{
    struct tg_msg m; /* of which nothing is left out: no need to zero it */
    struct tg_msg_done *d = &m.u.done;
    m.type = TG_MSG_DONE;
    d->lease = e->lease != NULL ? e->lease->id : 0;
    d->task = e->task;
    d->attempt = e->attempt;
    d->code = out->code;
    d->ran_ns = e->busy_ns;
    d->error = out->error;
    d->returns = out->returns;
    d->yielded = e->yielded;
    d->bounces = e->lease != NULL ? e->lease->bounces : 0;
    TG_ASSERT(d->returns.n ==
              (d->code == 0 ? e->nreturns + (e->creates > 0) : 0));
    const struct tg_item *returns = tg_items_at(&d->returns);
    bool refs = false;
    for (uint32_t i = 0; i < d->returns.n; i++)
        refs = refs || !has_no_refs(&returns[i]);
    if (refs || w->ctx->dead[e->owner])
        send_with_refs(w, e, &m);
    else
        tg_ctx_send(w->ctx, e->owner, &m);
}

/* What its lease or its actor now has to do. */
static void settle(struct tg_worker *w, struct tg_wlease *l,
                   struct tg_wactor *a)
{
    if (l != NULL)
        tg_wlease_settle(w, l);
    else
        tg_wactor_settle(w, a);
}

static void unqueue(struct tg_exec *e)
{
    if (e->lease != NULL)
        tg_wlease_unqueue(e);
    else
        tg_wactor_unqueue(e);
}

void tg_exec_end_unstarted(struct tg_worker *w, struct tg_exec *e, int32_t code,
                           struct tg_val *error)
{
    struct tg_wlease *l = e->lease;
    struct tg_wactor *a = e->actor;
    struct tg_outcome out = {.code = code, .error = error};
    unqueue(e);
    tg_exec_send_done(w, e, &out);
    tg_exec_free(w, e);
    settle(w, l, a);
}

static struct tg_val *cancelled_error(const struct tg_worker *w,
                                      uint64_t number, const char *name)
{
    return tg_val_error(TRYGON_ERR_CANCELLED, w->ctx->rank, number, name,
                        "the task was cancelled");
}

/* What the owner of a new actor is told. */
static void give_birth(struct tg_worker *w, struct tg_exec *e,
                       struct tg_outcome *out)
{
    struct tg_val *v = tg_wactor_new(w, e, out->state);
    tg_items_init(&out->returns, 1);
    out->returns.one.val = v;
}

void tg_worker_done(struct tg_worker *w, struct tg_exec *e,
                    struct tg_outcome *out)
{
    struct tg_wlease *l = e->lease;
    struct tg_wactor *a = e->actor;
    TG_ASSERT(e->state == TG_EXEC_RUNNING);
    e->busy_ns += w->ctx->now_ns - e->started_ns;
    if (l != NULL) {
        l->nrunning--;
        DL_DELETE(l->started, e);
    } else {
        tg_wactor_done(w, e);
    }
    if (e->creates > 0 && out->code == 0 && !e->orphan)
        give_birth(w, e, out);
    if (e->orphan) {
        const struct tg_item *returns = tg_items_at(&out->returns);
        for (uint32_t i = 0; i < out->returns.n; i++)
            tg_objs_discard(w->objs, &returns[i]);
        tg_items_fini(&out->returns);
        tg_val_drop(&out->error);
    } else {
        tg_exec_send_done(w, e, out);
    }
    tg_exec_free(w, e);
    settle(w, l, a);
}

bool tg_worker_exits(struct tg_exec *e)
{
    if (e == NULL || e->step != TG_STEP_METHOD)
        return false;
    e->exits = true;
    return true;
}

/* ----- run --------------------------------------------------------------------------- */

static void fetch_args(struct tg_worker *w, struct tg_exec *e)
{
    struct tg_item *args = tg_items_at(&e->args);
    for (uint32_t i = 0; i < e->args.n; i++) {
        if (has_no_refs(&args[i]))
            continue;
        tg_objs_adopt(w->objs, &args[i]);
        if (args[i].val != NULL)
            continue;
        struct tg_obj *x = tg_objs_find(w->objs, args[i].ref);
        if (tg_objs_ready(w->objs, x, true))
            continue;
        e->nmissing++;
        struct tg_watch want = {
            .who = TG_WATCHER_EXEC, .fetch = true, .handle = e->self};
        tg_objs_watch(w->objs, x, &want);
    }
}

/* An argument that can never come: its owner is lost. */
static bool failed_arg(struct tg_worker *w, struct tg_exec *e)
{
    const struct tg_item *args = tg_items_at(&e->args);
    for (uint32_t i = 0; i < e->args.n; i++) {
        if (args[i].val != NULL)
            continue;
        struct tg_obj *x = tg_objs_find(w->objs, args[i].ref);
        if (x->state != TG_OBJ_FAILED)
            continue;
        struct tg_val *err =
            tg_val_error(TRYGON_ERR_DEPENDENCY, w->ctx->rank, e->number,
                         e->name != NULL ? e->name : "",
                         "an input argument of the task could not be fetched");
        x->seen = true;
        tg_exec_end_unstarted(w, e, TRYGON_ERR_DEPENDENCY,
                              tg_val_caused(err, x->val));
        return true;
    }
    return false;
}

static void ready_to_start(struct tg_worker *w, struct tg_exec *e)
{
    if (failed_arg(w, e))
        return;
    TG_ASSERT(e->nmissing == 0);
    tg_exec_set_state(e, TG_EXEC_QUEUED);
    if (e->lease != NULL)
        tg_wlease_settle(w, e->lease);
    else
        tg_wactor_ready(w, e);
}

/* Of a task, under its lease l; or of a call, from c.  Takes the message. */
static void start_exec(struct tg_worker *w, int32_t from, struct tg_wlease *l,
                       struct tg_wcaller *c, struct tg_msg *msg)
{
    struct tg_msg_run *m = &msg->u.run;
    uint64_t handle;
    struct tg_exec *e = tg_slab_new(&w->execs, &handle);
    e->self = handle;
    e->task = m->task;
    e->number = m->number;
    e->owner = from;
    e->attempt = m->attempt;
    e->depth = m->depth;
    e->fn = m->fn;
    e->nreturns = m->nreturns;
    e->limit = m->limit;
    e->args = m->args;
    e->name = m->name;
    e->seq = m->seq;
    e->lease = l;
    msg->type = 0; /* moved */
    if (c != NULL) {
        e->step = TG_STEP_METHOD;
        e->group = m->group;
        tg_wactor_enqueue(c, e);
    } else {
        tg_wlease_enqueue(w, e);
    }
    if (l != NULL && e->seq != 0) {
        e->step = TG_STEP_CONSTRUCT;
        e->creates = (uint16_t)e->nreturns;
        e->nreturns = 0;
    }
    fetch_args(w, e);
    if (e->nmissing == 0) {
        ready_to_start(w, e);
        return;
    }
    tg_exec_set_state(e, TG_EXEC_FETCHING);
    tg_exec_watch_args(w, e);
}

/* A run that will not start here: its weights go home. */
static void refuse_run(struct tg_worker *w, struct tg_msg_run *m)
{
    struct tg_item *args = tg_items_at(&m->args);
    for (uint32_t i = 0; i < m->args.n; i++) {
        tg_objs_adopt(w->objs, &args[i]);
        tg_objs_unadopt(w->objs, &args[i]);
    }
}

/* Answer a run that will not start. */
static void answer_run(struct tg_worker *w, int32_t from, struct tg_msg_run *r,
                       int32_t code, struct tg_val *error)
{
    struct tg_msg d = {.type = TG_MSG_DONE};
    d.u.done.lease = r->lease;
    d.u.done.task = r->task;
    d.u.done.attempt = r->attempt;
    d.u.done.code = code;
    d.u.done.error = error;
    tg_ctx_send(w->ctx, from, &d);
    refuse_run(w, r);
}

/* It was cancelled before it was here. */
static void cancel_run(struct tg_worker *w, int32_t from, struct tg_msg_run *r)
{
    answer_run(w, from, r, TRYGON_ERR_CANCELLED,
               cancelled_error(w, r->number, r->name));
}

static void on_call(struct tg_worker *w, int32_t from, struct tg_msg *m)
{
    struct tg_msg_run *r = &m->u.run;
    struct tg_wcaller *c;
    struct tg_val *error = NULL;
    int32_t code = tg_wactor_takes(w, from, r, &c, &error);
    if (code == 0)
        start_exec(w, from, NULL, c, m);
    else if (code == TRYGON_ERR_CANCELLED)
        cancel_run(w, from, r);
    else
        answer_run(w, from, r, code, error);
}

static bool cancelled_early(const struct tg_wlease *l,
                            const struct tg_msg_run *r)
{
    for (uint32_t i = 0; i < l->early.n; i++)
        if (l->early.v[i].task == r->task &&
            l->early.v[i].attempt == r->attempt)
            return true;
    return false;
}

static void hold_msg(struct tg_worker *w, int32_t from, struct tg_msg *m)
{
    struct tg_held *h = tg_alloc(sizeof *h);
    h->from = from;
    h->msg = *m;
    m->type = 0; /* moved */
    DL_APPEND(w->held, h);
}

static void on_run(struct tg_worker *w, int32_t from, struct tg_msg *m)
{
    struct tg_msg_run *r = &m->u.run;
    struct tg_wlease *l = w->last;
    if (l == NULL || l->id != r->lease)
        l = w->last = tg_wlease_find(w, r->lease);
    if (l == NULL && r->lease > w->last_opened) {
        hold_msg(w, from, m);
    } else if (l == NULL || l->state == TG_WLEASE_CLOSING || l->lent) {
        struct tg_attempt *v = tg_alloc(sizeof *v);
        *v = (struct tg_attempt){r->task, r->attempt};
        refuse_run(w, r);
        tg_worker_bounce(w, from, r->lease,
                         l != NULL && l->state == TG_WLEASE_OPEN
                             ? TG_BOUNCE_BLOCKED
                             : TG_BOUNCE_CLOSED,
                         1, v);
    } else if (cancelled_early(l, r)) {
        cancel_run(w, from, r);
    } else {
        start_exec(w, from, l, NULL, m);
    }
}

/* The oldest message that waits for the lease; NULL: none. */
static struct tg_held *held_for(const struct tg_worker *w, uint64_t lease)
{
    struct tg_held *h;
    DL_FOREACH (w->held, h) {
        const struct tg_msg *m = &h->msg;
        uint64_t of = m->type == TG_MSG_RUN      ? m->u.run.lease
                      : m->type == TG_MSG_CANCEL ? m->u.cancel.lease
                                                 : m->u.close.lease;
        if (of == lease)
            return h;
    }
    return NULL;
}

static void on_open(struct tg_worker *w, struct tg_msg_open *m)
{
    uint64_t id = m->lease;
    struct tg_held *h;
    tg_wlease_open(w, m);
    while ((h = held_for(w, id)) != NULL) {
        DL_DELETE(w->held, h);
        tg_worker_msg(w, h->from, &h->msg);
        tg_msg_fini(&h->msg);
        free(h);
    }
}

void tg_worker_notice(struct tg_worker *w, const struct tg_watch *n)
{
    struct tg_exec *e = tg_slab_find(&w->execs, n->handle);
    if (e == NULL || e->state != TG_EXEC_FETCHING)
        return; /* bounced or cancelled meanwhile */
    if (--e->nmissing == 0 || n->obj->state == TG_OBJ_FAILED)
        ready_to_start(w, e);
}

/* ----- cancel ---------------------------------------------------------------------------- */

void tg_exec_stop(struct tg_worker *w, struct tg_exec *e, bool recursive)
{
    e->cancelled = true;
    struct tg_cancelled *c = tg_ctx_pass(w->ctx, &w->cancelled);
    *c = (struct tg_cancelled){e->self, recursive && e->submitted};
}

static void cancel_exec(struct tg_worker *w, struct tg_exec *e, bool recursive)
{
    if (e->state == TG_EXEC_FETCHING || e->state == TG_EXEC_QUEUED) {
        tg_exec_end_unstarted(w, e, TRYGON_ERR_CANCELLED,
                              cancelled_error(w, e->number, e->name));
        return;
    }
    tg_exec_stop(w, e, recursive);
}

/* A run that is still held is answered as one in a queue is. */
static bool cancel_held(struct tg_worker *w, int32_t from,
                        const struct tg_msg_cancel *m)
{
    struct tg_held *h;
    DL_FOREACH (w->held, h) {
        struct tg_msg_run *r = &h->msg.u.run;
        if (h->msg.type != TG_MSG_RUN || h->from != from ||
            r->task != m->task || r->attempt != m->attempt)
            continue;
        cancel_run(w, from, r);
        DL_DELETE(w->held, h);
        tg_msg_fini(&h->msg);
        free(h);
        return true;
    }
    return false;
}

/* What is not known here has been done, or is still to come: a run whose
 * values travel apart arrives late.  The lease remembers it. */
static void on_cancel(struct tg_worker *w, int32_t from, struct tg_msg *msg)
{
    const struct tg_msg_cancel *m = &msg->u.cancel;
    struct tg_wlease *l = tg_wlease_find(w, m->lease);
    struct tg_exec *e =
        l != NULL ? tg_wlease_exec(l, from, m->task, m->attempt) : NULL;
    if (cancel_held(w, from, m))
        return;
    if (e != NULL)
        cancel_exec(w, e, m->recursive);
    else if (l != NULL)
        *tg_vec_add(&l->early) = (struct tg_attempt){m->task, m->attempt};
    else if (m->lease > w->last_opened)
        hold_msg(w, from, msg);
}

static void on_uncall(struct tg_worker *w, int32_t from,
                      const struct tg_msg_cancel *m)
{
    struct tg_exec *e = tg_wactor_cancel(w, from, m);
    if (e != NULL)
        cancel_exec(w, e, m->recursive);
}

/* ----- blocking ---------------------------------------------------------------------------- */

void tg_worker_blocked(struct tg_worker *w, struct tg_exec *e, bool unmet)
{
    struct tg_wlease *l = e->lease;
    tg_exec_set_state(e, TG_EXEC_BLOCKED);
    e->busy_ns += w->ctx->now_ns - e->started_ns;
    if (l == NULL)
        return; /* an actor's methods lend nothing */
    l->nrunning--;
    l->nblocked++;
    l->blocked_since_ns = w->ctx->now_ns;
    if (unmet && w->ctx->lim.lend_ns <= l->blocked_since_ns)
        l->blocked_since_ns -= w->ctx->lim.lend_ns;
    tg_wlease_settle(w, l);
}

void tg_worker_unblocked(struct tg_worker *w, struct tg_exec *e)
{
    struct tg_wlease *l = e->lease;
    tg_exec_set_state(e, TG_EXEC_RUNNING);
    e->started_ns = w->ctx->now_ns;
    if (l == NULL)
        return;
    l->nblocked--;
    tg_wlease_goes_on(w, l);
    if (l->lent) {
        l->lent = false;
        struct tg_msg m = {.type = TG_MSG_RESUME};
        m.u.close.lease = l->id;
        tg_ctx_send(w->ctx, 0, &m);
    }
}

/* ----- messages and loss --------------------------------------------------------------------- */

void tg_worker_msg(struct tg_worker *w, int32_t from, struct tg_msg *m)
{
    if (m->type == TG_MSG_CALL)
        on_call(w, from, m);
    else if (m->type == TG_MSG_RUN)
        on_run(w, from, m);
    else if (m->type == TG_MSG_TAKEN)
        tg_worker_taken(w, from, &m->u.taken);
    else if (m->type == TG_MSG_OPEN)
        on_open(w, &m->u.open);
    else if (m->type == TG_MSG_RECALL)
        tg_wlease_recall(w, m->u.close.lease);
    else if (m->type == TG_MSG_CLOSE && m->u.close.lease > w->last_opened)
        hold_msg(w, from, m);
    else if (m->type == TG_MSG_CLOSE)
        tg_wlease_close(w, m->u.close.lease);
    else if (m->type == TG_MSG_CANCEL)
        on_cancel(w, from, m);
    else if (m->type == TG_MSG_UNCALL)
        on_uncall(w, from, &m->u.cancel);
    else if (m->type == TG_MSG_LEAVE)
        tg_wactor_leave(w, from, &m->u.leave);
    else
        TG_UNREACHABLE();
}

static void drop_held(struct tg_worker *w, int32_t rank)
{
    struct tg_held *h, *next;
    DL_FOREACH_SAFE (w->held, h, next) {
        if (h->from != rank)
            continue;
        if (h->msg.type == TG_MSG_RUN)
            refuse_run(w, &h->msg.u.run);
        DL_DELETE(w->held, h);
        tg_msg_fini(&h->msg);
        free(h);
    }
}

/* Fate sharing: what a lost owner wanted is not started, tasks that run for it
 * are asked to stop, and its leases close.  A method runs to its end, for the
 * actor is not the caller's; what it yields nobody reads (Ray). */
void tg_worker_gone(struct tg_worker *w, int32_t rank)
{
    drop_held(w, rank);
    uint32_t slot = 0;
    struct tg_exec *e;
    while ((e = tg_slab_next(&w->execs, &slot)) != NULL) {
        if (e->owner != rank)
            continue;
        if (e->state == TG_EXEC_RUNNING || e->state == TG_EXEC_BLOCKED) {
            e->orphan = true;
            if (e->step == TG_STEP_METHOD)
                tg_exec_taken(w, e, UINT64_MAX);
            else
                cancel_exec(w, e, true);
        } else {
            unqueue(e);
            tg_exec_free(w, e);
        }
    }
    tg_wactors_gone(w, rank);
    struct tg_wlease_entry *l;
    for (slot = 0; (l = tg_slab_next(&w->leases, &slot)) != NULL;)
        if (l->l.owner == rank && !l->l.kept)
            tg_wlease_close(w, l->l.id);
}
