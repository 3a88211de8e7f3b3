/* core.c - see core.h: events go to the part they are for, and what the parts
 * tell each other is passed on until all is said. */
#include "core/core.h"

#include <stdlib.h>

#include "core/quiesce.h"

int tg_core_create(const struct tg_core_config *cfg, struct tg_core **out)
{
    struct tg_core *c = tg_alloc(sizeof *c);
    c->ctx.rank = cfg->rank;
    c->ctx.nranks = cfg->ranks.nranks;
    c->ctx.lim = cfg->limits;
    c->ctx.rng.state = tg_mix64(cfg->seed ^ (uint64_t)cfg->rank);
    c->ctx.dead = tg_alloc((size_t)c->ctx.nranks * sizeof *c->ctx.dead);
    tg_objs_init(&c->objs, &c->ctx);
    tg_owner_init(&c->owner, &c->ctx, &c->objs, cfg->fn_names, cfg->nfns);
    tg_worker_init(&c->worker, &c->ctx, &c->objs);
    tg_waits_init(&c->waits, &c->ctx, &c->objs);
    if (cfg->rank == 0) {
        c->head = tg_alloc(sizeof *c->head);
        tg_head_init(c->head, &c->ctx, &cfg->ranks);
        c->quiesce = tg_quiesce_new(&c->ctx);
    }
    *out = c;
    return TRYGON_SUCCESS;
}

void tg_core_destroy(struct tg_core **core)
{
    struct tg_core *c = *core;
    if (c == NULL)
        return;
    for (uint32_t i = 0; i < c->ctx.out.n; i++)
        tg_msg_fini(&c->ctx.out.v[i].msg);
    if (c->head != NULL)
        tg_head_fini(c->head);
    free(c->head);
    tg_quiesce_free(&c->quiesce);
    tg_waits_fini(&c->waits);
    tg_worker_fini(&c->worker);
    tg_owner_fini(&c->owner);
    tg_objs_fini(&c->objs);
    tg_timers_fini(&c->ctx.timers);
    tg_vec_free(&c->ctx.out);
    tg_vec_free(&c->ctx.local);
    free(c->ctx.dead);
    free(c);
    *core = NULL;
}

/* ----- loss ------------------------------------------------------------------- */

static void on_gone(struct tg_core *c, int32_t rank)
{
    if (c->ctx.dead[rank] || rank == c->ctx.rank)
        return;
    c->ctx.dead[rank] = true;
    tg_ctx_act(&c->ctx, TG_ACT_FENCE)->rank = rank;
    tg_objs_gone(&c->objs, rank);
    tg_worker_gone(&c->worker, rank);
    tg_owner_gone(&c->owner, rank);
    if (c->head != NULL)
        tg_head_gone(c->head, rank);
}

static void tell_all(struct tg_core *c, struct tg_msg *m)
{
    for (int32_t r = 0; r < c->ctx.nranks; r++) {
        struct tg_msg copy = *m;
        tg_ctx_send(&c->ctx, r, &copy);
    }
}

static int declare_gone(struct tg_core *c, int32_t rank)
{
    if (c->head == NULL || rank <= 0 || rank >= c->ctx.nranks)
        return TRYGON_ERR_INVALID;
    on_gone(c, rank);
    struct tg_msg m = {.type = TG_MSG_GONE};
    m.u.gone.rank = rank;
    tell_all(c, &m);
    return TRYGON_SUCCESS;
}

/* ----- messages ----------------------------------------------------------------- */

static void on_note(struct tg_core *c, struct tg_msg *m)
{
    struct tg_action *a = tg_ctx_act(&c->ctx, TG_ACT_LOG);
    a->status = m->u.note.level;
    a->msg = *m;
    m->type = 0; /* moved */
}

static void on_cancel_ref(struct tg_core *c,
                          const struct tg_msg_cancel_ref *m)
{
    struct tg_obj *x = tg_objs_find(&c->objs, m->ref);
    if (x != NULL)
        tg_owner_cancel(&c->owner, x, m->recursive);
}

static void dispatch(struct tg_core *c, int32_t from, struct tg_msg *m)
{
    switch (m->type) {
    case TG_MSG_DEMAND:
    case TG_MSG_CLOSED:
    case TG_MSG_LEND:
    case TG_MSG_RESUME:
    case TG_MSG_QUERY:
        tg_head_msg(c->head, from, m);
        break;
    case TG_MSG_LEASE:
    case TG_MSG_REFUSE:
    case TG_MSG_DONE:
    case TG_MSG_BOUNCE:
        tg_owner_msg(&c->owner, from, m);
        break;
    case TG_MSG_OPEN:
    case TG_MSG_RECALL:
    case TG_MSG_CLOSE:
    case TG_MSG_RUN:
    case TG_MSG_CANCEL:
        tg_worker_msg(&c->worker, from, m);
        break;
    case TG_MSG_WATCH:
    case TG_MSG_VALUE:
    case TG_MSG_DROP:
    case TG_MSG_MORE:
    case TG_MSG_WEIGHT:
        tg_objs_msg(&c->objs, from, m);
        break;
    case TG_MSG_CANCEL_REF:
        on_cancel_ref(c, &m->u.cancel_ref);
        break;
    case TG_MSG_GONE:
        on_gone(c, m->u.gone.rank);
        break;
    case TG_MSG_NOTE:
        on_note(c, m);
        break;
    case TG_MSG_TABLE:
        tg_waits_table(&c->waits, &m->u.table);
        break;
    case TG_MSG_ENDED:
        tg_ctx_act(&c->ctx, TG_ACT_ENDED)->status = m->u.ended.status;
        break;
    case TG_MSG_PROBE:
        tg_quiesce_answer(c, m->u.counts.round);
        break;
    case TG_MSG_COUNTS:
        tg_quiesce_counts(c->quiesce, from, &m->u.counts);
        break;
    case TG_MSG_BYE:
        tg_ctx_act(&c->ctx, TG_ACT_BYE);
        break;
    default:
        TG_UNREACHABLE();
    }
    tg_msg_fini(m);
}

static int on_msg(struct tg_core *c, struct tg_event *ev)
{
    if (c->ctx.dead[ev->rank]) {
        tg_msg_fini(ev->msg);
        return TRYGON_SUCCESS;
    }
    if (!tg_quiesce_msg(ev->msg->type))
        c->received++;
    dispatch(c, ev->rank, ev->msg);
    return TRYGON_SUCCESS;
}

/* ----- objects, for user code ----------------------------------------------------- */

static struct tg_obj *held(const struct tg_core *c, trygon_ref_t ref)
{
    if (tg_ref_none(ref) || tg_ref_rank(ref) >= c->ctx.nranks)
        return NULL;
    struct tg_obj *x = tg_objs_find(&c->objs, ref);
    return x != NULL && x->count > 0 ? x : NULL;
}

static bool all_held(const struct tg_core *c, size_t n,
                     const trygon_ref_t *refs)
{
    for (size_t i = 0; i < n; i++)
        if (held(c, refs[i]) == NULL)
            return false;
    return true;
}

static int on_put(struct tg_core *c, struct tg_event *ev)
{
    if (!all_held(c, ev->val->nrefs, ev->val->refs))
        return TRYGON_ERR_NOTFOUND;
    struct tg_obj *x = tg_objs_new(&c->objs, 0, 0);
    x->user = 1;
    c->objs.user_counts++;
    tg_objs_hold_refs(&c->objs, ev->val);
    tg_objs_resolve(&c->objs, x, ev->val);
    ev->ref = x->ref;
    return TRYGON_SUCCESS;
}

static int on_submit(struct tg_core *c, struct tg_event *ev)
{
    struct tg_spec *s = ev->spec;
    if (c->draining)
        return TRYGON_ERR_SHUTDOWN;
    for (uint32_t i = 0; i < s->nargs; i++) {
        const struct tg_item *a = &s->args[i];
        if (a->val != NULL ? !all_held(c, a->val->nrefs, a->val->refs)
                           : held(c, a->ref) == NULL)
            return TRYGON_ERR_NOTFOUND;
    }
    struct tg_exec *parent = tg_worker_exec(&c->worker, s->parent);
    s->depth = 0;
    if (parent != NULL) {
        parent->submitted = true;
        s->depth = parent->depth + 1;
    }
    tg_owner_submit(&c->owner, s, ev->refs_out);
    return TRYGON_SUCCESS;
}

static int on_retain(struct tg_core *c, const struct tg_event *ev)
{
    if (!all_held(c, ev->n, ev->refs))
        return TRYGON_ERR_NOTFOUND;
    for (size_t i = 0; i < ev->n; i++) {
        struct tg_obj *x = tg_objs_find(&c->objs, ev->refs[i]);
        tg_objs_hold(&c->objs, x);
        x->user++;
    }
    c->objs.user_counts += ev->n;
    return TRYGON_SUCCESS;
}

/* All or nothing: first the user's counts, which may run out, then the
 * holds. */
static int on_release(struct tg_core *c, const struct tg_event *ev)
{
    size_t i;
    for (i = 0; i < ev->n; i++) {
        struct tg_obj *x = held(c, ev->refs[i]);
        if (tg_ref_none(ev->refs[i]))
            continue;
        if (x == NULL || x->user == 0)
            break;
        x->user--;
    }
    bool ok = i == ev->n;
    while (i-- > 0) {
        if (tg_ref_none(ev->refs[i]))
            continue;
        struct tg_obj *x = tg_objs_find(&c->objs, ev->refs[i]);
        if (ok)
            c->objs.user_counts--;
        else
            x->user++;
        if (ok)
            tg_objs_drop(&c->objs, x);
    }
    return ok ? TRYGON_SUCCESS : TRYGON_ERR_INVALID;
}

static int on_cancel(struct tg_core *c, const struct tg_event *ev)
{
    struct tg_obj *x = held(c, ev->ref);
    if (x == NULL)
        return TRYGON_ERR_NOTFOUND;
    if (x->owned) {
        tg_owner_cancel(&c->owner, x, ev->recursive);
        return TRYGON_SUCCESS;
    }
    struct tg_msg m = {.type = TG_MSG_CANCEL_REF};
    m.u.cancel_ref.ref = ev->ref;
    m.u.cancel_ref.recursive = ev->recursive;
    tg_ctx_send(&c->ctx, tg_ref_rank(ev->ref), &m);
    return TRYGON_SUCCESS;
}

static int on_call(struct tg_core *c, const struct tg_event *ev)
{
    struct tg_obj *x = held(c, ev->ref);
    if (x == NULL)
        return TRYGON_ERR_NOTFOUND;
    tg_objs_hold(&c->objs, x); /* until the call is due */
    struct tg_watch w = {
        .who = TG_WATCHER_CALL, .fetch = true, .cookie = ev->cookie, .obj = x};
    if (!tg_objs_ready(x, true)) {
        tg_objs_watch(&c->objs, x, &w);
    } else {
        tg_objs_hold(&c->objs, x); /* a notice comes with a hold */
        *tg_vec_add(&c->objs.fired) = w;
    }
    return TRYGON_SUCCESS;
}

static int on_pin(struct tg_core *c, struct tg_event *ev)
{
    ev->obj = held(c, ev->ref);
    if (ev->obj == NULL)
        return TRYGON_ERR_NOTFOUND;
    tg_objs_hold(&c->objs, ev->obj);
    return TRYGON_SUCCESS;
}

static int on_keep(struct tg_core *c, const struct tg_event *ev)
{
    if (!all_held(c, ev->val->nrefs, ev->val->refs))
        return TRYGON_ERR_NOTFOUND;
    tg_objs_hold_refs(&c->objs, ev->val);
    return TRYGON_SUCCESS;
}

/* ----- waiting ---------------------------------------------------------------------- */

static int on_wait(struct tg_core *c, struct tg_event *ev)
{
    const struct tg_wait_req *req = ev->wait;
    if (!all_held(c, req->n, req->refs))
        return TRYGON_ERR_NOTFOUND;
    ev->waiter = tg_waits_begin(&c->waits, req);
    if (ev->waiter == NULL)
        return TRYGON_SUCCESS;
    struct tg_exec *e = tg_worker_exec(&c->worker, req->exec);
    bool stopped = (e != NULL && e->cancelled) ||
                   req->deadline_ns <= c->ctx.now_ns;
    if (stopped) {
        tg_waits_end(&c->waits, ev->waiter->self);
        ev->waiter = NULL;
        return e != NULL && e->cancelled ? TRYGON_ERR_CANCELLED
                                         : TRYGON_ERR_TIMEOUT;
    }
    if (req->kind == TG_WAIT_TABLE) {
        struct tg_msg m = {.type = TG_MSG_QUERY};
        m.u.query.waiter = ev->waiter->self;
        tg_ctx_send(&c->ctx, 0, &m);
    }
    if (e != NULL)
        tg_worker_blocked(&c->worker, e, c->owner.nready > 0);
    return TRYGON_SUCCESS;
}

static int on_set_add(struct tg_core *c, const struct tg_event *ev)
{
    struct tg_obj *x = held(c, ev->ref);
    if (x == NULL)
        return TRYGON_ERR_NOTFOUND;
    return tg_set_add(&c->waits, ev->handle, x, ev->tag);
}

/* ----- passing on --------------------------------------------------------------------- */

static void on_notice(struct tg_core *c, const struct tg_watch *w)
{
    switch (w->who) {
    case TG_WATCHER_TASK:
        tg_owner_notice(&c->owner, w);
        break;
    case TG_WATCHER_EXEC:
        tg_worker_notice(&c->worker, w);
        break;
    case TG_WATCHER_WAIT:
    case TG_WATCHER_SET:
        tg_waits_notice(&c->waits, w);
        break;
    case TG_WATCHER_RANK:
        tg_objs_tell(&c->objs, w);
        break;
    case TG_WATCHER_CALL: {
        struct tg_action *a = tg_ctx_act(&c->ctx, TG_ACT_CALL);
        a->cookie = w->cookie;
        a->ref = w->obj->ref;
        break; /* the call's own hold goes with TG_EV_UNPIN */
    }
    default:
        TG_UNREACHABLE();
    }
    tg_objs_drop(&c->objs, w->obj);
}

/* Each kind of news one at a time, until there is none. */
static bool pass_on(struct tg_core *c)
{
    struct tg_watch w;
    if (c->ctx.local_at < c->ctx.local.n) {
        struct tg_msg m = c->ctx.local.v[c->ctx.local_at++];
        dispatch(c, c->ctx.rank, &m);
    } else if (tg_objs_notice(&c->objs, &w)) {
        on_notice(c, &w);
    } else if (c->worker.cancelled.n > 0) {
        struct tg_cancelled x =
            c->worker.cancelled.v[--c->worker.cancelled.n];
        tg_waits_cancel(&c->waits, x.exec);
        if (x.recursive)
            tg_owner_cancel_children(&c->owner, x.exec);
    } else if (c->waits.unblocked.n > 0) {
        uint64_t exec = c->waits.unblocked.v[--c->waits.unblocked.n];
        tg_worker_unblocked(&c->worker, tg_worker_exec(&c->worker, exec));
    } else if (c->head != NULL && c->head->dirty) {
        tg_head_schedule(c->head);
    } else {
        return false;
    }
    return true;
}

/* The driver has returned and nothing of its is left: all may go on. */
static void settle_end(struct tg_core *c)
{
    if (!c->ending || c->owner.tasks.used > 0)
        return;
    c->ending = false;
    struct tg_msg m = {.type = TG_MSG_ENDED};
    m.u.ended.status = c->status;
    tell_all(c, &m);
}

static void finish_step(struct tg_core *c)
{
    do {
        while (pass_on(c))
            continue;
        c->ctx.local.n = c->ctx.local_at = 0;
        settle_end(c);
    } while (c->ctx.local.n > 0);
    tg_objs_flush(&c->objs);
}

/* ----- steps --------------------------------------------------------------------------- */

static void on_timer(struct tg_core *c, const struct tg_timer *t)
{
    switch (t->kind) {
    case TG_TIMER_WAITER:
        tg_waits_timer(&c->waits, t->handle);
        break;
    case TG_TIMER_COPY:
        tg_objs_timer(&c->objs, t->handle);
        break;
    case TG_TIMER_LINGER:
        tg_owner_timer(&c->owner, t->handle);
        break;
    case TG_TIMER_OVERRUN:
    case TG_TIMER_LEND:
        tg_worker_timer(&c->worker, t);
        break;
    case TG_TIMER_ADMIT:
    case TG_TIMER_BALANCE:
        tg_head_timer(c->head, t);
        break;
    case TG_TIMER_PROBE:
        tg_quiesce_probe(c);
        break;
    default:
        TG_UNREACHABLE();
    }
}

static void run_timers(struct tg_core *c)
{
    struct tg_timer t;
    while (tg_timers_pop(&c->ctx.timers, c->ctx.now_ns, &t)) {
        on_timer(c, &t);
        finish_step(c);
    }
}

static int on_end(struct tg_core *c, int32_t status)
{
    if (c->head == NULL)
        return TRYGON_ERR_STATE;
    c->ending = true;
    c->status = status;
    tg_owner_cancel_children(&c->owner, 0);
    return TRYGON_SUCCESS;
}

static int on_drain(struct tg_core *c)
{
    c->draining = true;
    tg_owner_cancel_all(&c->owner);
    tg_owner_hurry(&c->owner);
    tg_objs_hurry(&c->objs);
    if (c->head != NULL)
        tg_quiesce_probe(c);
    return TRYGON_SUCCESS;
}

static int on_done(struct tg_core *c, const struct tg_event *ev)
{
    struct tg_exec *e = tg_worker_exec(&c->worker, ev->handle);
    TG_ASSERT(e != NULL);
    tg_worker_done(&c->worker, e, ev->outcome);
    return TRYGON_SUCCESS;
}

static int handle(struct tg_core *c, struct tg_event *ev)
{
    switch (ev->type) {
    case TG_EV_TICK:
        return TRYGON_SUCCESS;
    case TG_EV_MSG:
        return on_msg(c, ev);
    case TG_EV_GONE:
        return declare_gone(c, ev->rank);
    case TG_EV_SUBMIT:
        return on_submit(c, ev);
    case TG_EV_PUT:
        return on_put(c, ev);
    case TG_EV_RETAIN:
        return on_retain(c, ev);
    case TG_EV_RELEASE:
        return on_release(c, ev);
    case TG_EV_CANCEL:
        return on_cancel(c, ev);
    case TG_EV_CALL:
        return on_call(c, ev);
    case TG_EV_WAIT:
        return on_wait(c, ev);
    case TG_EV_WAIT_END:
        tg_waits_end(&c->waits, ev->handle);
        return TRYGON_SUCCESS;
    case TG_EV_PIN:
        return on_pin(c, ev);
    case TG_EV_UNPIN:
        tg_objs_drop(&c->objs, ev->obj);
        return TRYGON_SUCCESS;
    case TG_EV_KEEP:
        return on_keep(c, ev);
    case TG_EV_UNKEEP:
        tg_objs_drop_refs(&c->objs, ev->val);
        return TRYGON_SUCCESS;
    case TG_EV_SET_NEW:
        ev->handle = tg_set_new(&c->waits);
        return TRYGON_SUCCESS;
    case TG_EV_SET_FREE:
        tg_set_free(&c->waits, ev->handle);
        return TRYGON_SUCCESS;
    case TG_EV_SET_ADD:
        return on_set_add(c, ev);
    case TG_EV_SET_REMOVE:
        return tg_set_remove(&c->waits, ev->handle, ev->ref);
    case TG_EV_SET_TAKE:
        return tg_set_take(&c->waits, ev->handle, &ev->ref, &ev->tag);
    case TG_EV_DONE:
        return on_done(c, ev);
    case TG_EV_END:
        return on_end(c, ev->status);
    case TG_EV_DRAIN:
        return on_drain(c);
    default:
        TG_UNREACHABLE();
    }
}

int tg_core_step(struct tg_core *c, struct tg_event *ev)
{
    TG_ASSERT(ev->now_ns >= c->ctx.now_ns);
    c->ctx.now_ns = ev->now_ns;
    run_timers(c);
    int rc = handle(c, ev);
    finish_step(c);
    return rc;
}

struct tg_action *tg_core_actions(struct tg_core *c, uint32_t *n)
{
    for (uint32_t i = 0; i < c->ctx.out.n; i++)
        if (c->ctx.out.v[i].type == TG_ACT_SEND &&
            !tg_quiesce_msg(c->ctx.out.v[i].msg.type))
            c->sent++;
    *n = c->ctx.out.n;
    c->ctx.out.n = 0;
    return c->ctx.out.v;
}

uint64_t tg_core_deadline(const struct tg_core *c)
{
    return tg_timers_next(&c->ctx.timers);
}

/* ----- looking ----------------------------------------------------------------------------- */

void tg_core_check(const struct tg_core *c)
{
    tg_objs_check(&c->objs);
    tg_owner_check(&c->owner);
    tg_worker_check(&c->worker);
    tg_waits_check(&c->waits);
    if (c->head != NULL)
        tg_head_check(c->head);
}

bool tg_core_quiet(const struct tg_core *c)
{
    return tg_objs_quiet(&c->objs) && tg_owner_quiet(&c->owner) &&
           tg_worker_quiet(&c->worker) && tg_waits_quiet(&c->waits) &&
           (c->head == NULL || tg_head_quiet(c->head));
}
