/* core.c - see core.h: events go to the part they are for, and what the parts
 * tell each other is passed on until all is said. */
#include "core/core.h"

#include <stdlib.h>

#include "core/core_impl.h"
#include "core/dir.h"
#include "core/head_names.h"
#include "core/quiesce.h"

int tg_core_create(const struct tg_core_config *cfg, struct tg_core **out)
{
    struct tg_core *c = tg_alloc(sizeof *c);
    c->ctx.rank = cfg->rank;
    c->ctx.nranks = cfg->ranks.nranks;
    c->ctx.lim = cfg->limits;
    c->ctx.rng.state = tg_mix64(cfg->seed ^ (uint64_t)cfg->rank);
    c->ctx.dead = tg_alloc((size_t)c->ctx.nranks * sizeof *c->ctx.dead);
    c->sent_to = tg_alloc((size_t)c->ctx.nranks * sizeof *c->sent_to);
    c->read_from = tg_alloc((size_t)c->ctx.nranks * sizeof *c->read_from);
    tg_store_init(&c->store, &c->ctx, cfg->ranks.node, cfg->store_bytes);
    tg_objs_init(&c->objs, &c->ctx);
    c->objs.store = &c->store;
    tg_streams_init(&c->streams, &c->ctx, &c->objs);
    tg_owner_init(&c->owner, &c->ctx, &c->objs, &c->streams, cfg->fn_names,
                  cfg->nfns);
    tg_worker_init(&c->worker, &c->ctx, &c->objs, cfg->groups);
    tg_waits_init(&c->waits, &c->ctx, &c->objs, &c->streams);
    if (cfg->rank == 0) {
        c->head = tg_alloc(sizeof *c->head);
        tg_head_init(c->head, &c->ctx, &cfg->ranks);
        c->names = tg_names_new(&c->ctx);
        c->dir = tg_dir_new(&c->ctx);
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
    tg_names_free(&c->names);
    tg_dir_free(&c->dir);
    tg_quiesce_free(&c->quiesce);
    tg_waits_fini(&c->waits);
    tg_worker_fini(&c->worker);
    tg_owner_fini(&c->owner);
    tg_streams_fini(&c->streams);
    tg_objs_fini(&c->objs);
    tg_store_fini(&c->store);
    tg_timers_fini(&c->ctx.timers);
    tg_vec_free(&c->ctx.out);
    tg_vec_free(&c->ctx.local);
    free(c->ctx.dead);
    free(c->sent_to);
    free(c->read_from);
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
    tg_store_gone(&c->store, rank);
    tg_worker_gone(&c->worker, rank);
    tg_owner_gone(&c->owner, rank);
    tg_waits_gone(&c->waits, rank);
    if (c->head == NULL)
        return;
    tg_head_gone(c->head, rank);
    tg_names_gone(c->names, rank);
    tg_dir_gone(c->dir, rank);
}

static void tell_all(struct tg_core *c, struct tg_msg *m)
{
    for (int32_t r = 0; r < c->ctx.nranks; r++) {
        struct tg_msg copy = *m;
        tg_ctx_send(&c->ctx, r, &copy);
    }
}

/* Not in line, as others that are rare: it needs room on the stack, which every
 * step would then have to make. */
static __attribute__((noinline)) int declare_gone(struct tg_core *c,
                                                  int32_t rank)
{
    if (c->head == NULL || rank <= 0 || rank >= c->ctx.nranks)
        return TRYGON_ERR_INVALID;
    on_gone(c, rank);
    struct tg_msg m = {.type = TG_MSG_GONE};
    m.u.gone.rank = rank;
    tell_all(c, &m);
    tg_quiesce_gone(c);
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

static void on_cancel_ref(struct tg_core *c, const struct tg_msg_cancel_ref *m)
{
    struct tg_obj *x = tg_objs_find(&c->objs, m->ref);
    if (x != NULL && !tg_ref_actor(m->ref))
        tg_owner_cancel(&c->owner, x, m->recursive);
}

static void on_kill(struct tg_core *c, const struct tg_msg_cancel_ref *m)
{
    struct tg_obj *x = tg_objs_find(&c->objs, tg_ref_strong(m->ref));
    if (x != NULL && x->owned && tg_ref_actor(m->ref))
        tg_owner_kill(&c->owner, x, m->recursive);
}

static void on_fade(struct tg_core *c, const struct tg_msg_fade *m)
{
    for (uint32_t i = 0; i < m->n; i++)
        tg_objs_fade(&c->objs, m->v[i], m->freed);
}

static void on_free_ref(struct tg_core *c, const struct tg_msg_cancel_ref *m)
{
    struct tg_obj *x = tg_objs_find(&c->objs, m->ref);
    if (x != NULL && x->owned)
        tg_objs_free_value(&c->objs, x);
}

static void dispatch(struct tg_core *c, int32_t from, struct tg_msg *m)
{
    switch (m->type) {
    case TG_MSG_DEMAND:
    case TG_MSG_CLOSED:
    case TG_MSG_LEND:
    case TG_MSG_RESUME:
    case TG_MSG_QUERY: tg_head_msg(c->head, from, m); break;
    case TG_MSG_LEASE:
    case TG_MSG_REFUSE:
    case TG_MSG_DONE:
    case TG_MSG_LEFT:
    case TG_MSG_LOCATE:
    case TG_MSG_PLACE:
    case TG_MSG_ITEM:
    case TG_MSG_BOUNCE: tg_owner_msg(&c->owner, from, m); break;
    case TG_MSG_OPEN:
    case TG_MSG_RECALL:
    case TG_MSG_CLOSE:
    case TG_MSG_RUN:
    case TG_MSG_CALL:
    case TG_MSG_UNCALL:
    case TG_MSG_LEAVE:
    case TG_MSG_TAKEN:
    case TG_MSG_CANCEL: tg_worker_msg(&c->worker, from, m); break;
    case TG_MSG_NAME: tg_names_msg(c->names, from, &m->u.name); break;
    case TG_MSG_NAMED: tg_core_named(c, &m->u.named); break;
    case TG_MSG_CREATE: tg_core_create_for(c, from, &m->u.create); break;
    case TG_MSG_LIST: tg_core_on_list(c, from, &m->u.list); break;
    case TG_MSG_ROWS: tg_waits_rows(&c->waits, from, &m->u.rows); break;
    case TG_MSG_WATCH: tg_core_on_watch(c, from, m); break;
    case TG_MSG_VALUE:
    case TG_MSG_DROP:
    case TG_MSG_MORE:
    case TG_MSG_WEIGHT: tg_objs_msg(&c->objs, from, m); break;
    case TG_MSG_NEWS: tg_dir_msg(c->dir, from, &m->u.news); break;
    case TG_MSG_FREE: on_free_ref(c, &m->u.cancel_ref); break;
    case TG_MSG_HOME: tg_objs_home(&c->objs, &m->u.home); break;
    case TG_MSG_FADE: on_fade(c, &m->u.fade); break;
    case TG_MSG_FORGET:
    case TG_MSG_PULL:
    case TG_MSG_DATA: tg_store_msg(&c->store, from, m); break;
    case TG_MSG_KILL: on_kill(c, &m->u.cancel_ref); break;
    case TG_MSG_CANCEL_REF: on_cancel_ref(c, &m->u.cancel_ref); break;
    case TG_MSG_GONE: on_gone(c, m->u.gone.rank); break;
    case TG_MSG_NOTE: on_note(c, m); break;
    case TG_MSG_TABLE: tg_waits_table(&c->waits, &m->u.table); break;
    case TG_MSG_ENDED:
        tg_ctx_act(&c->ctx, TG_ACT_ENDED)->status = m->u.ended.status;
        break;
    case TG_MSG_PROBE: tg_quiesce_answer(c, m->u.counts.round); break;
    case TG_MSG_COUNTS:
        tg_quiesce_counts(c->quiesce, from, &m->u.counts);
        break;
    case TG_MSG_BYE: tg_ctx_act(&c->ctx, TG_ACT_BYE); break;
    default: TG_UNREACHABLE();
    }
    tg_msg_fini(m);
}

static int on_msg(struct tg_core *c, struct tg_event *ev)
{
    if (c->ctx.dead[ev->rank]) {
        tg_msg_fini(ev->msg);
        return TRYGON_SUCCESS;
    }
    if (!tg_quiesce_msg(ev->msg->type)) {
        c->read_from[ev->rank]++;
        c->received++;
    }
    dispatch(c, ev->rank, ev->msg);
    return TRYGON_SUCCESS;
}

/* ----- passing on --------------------------------------------------------------------- */

static void on_notice(struct tg_core *c, const struct tg_watch *w)
{
    switch (w->who) {
    case TG_WATCHER_TASK: tg_owner_notice(&c->owner, w); break;
    case TG_WATCHER_EXEC: tg_worker_notice(&c->worker, w); break;
    case TG_WATCHER_WAIT:
    case TG_WATCHER_SET: tg_waits_notice(&c->waits, w); break;
    case TG_WATCHER_ACTOR: tg_owner_located(&c->owner, w->obj); break;
    case TG_WATCHER_RANK: tg_objs_tell(&c->objs, w); break;
    case TG_WATCHER_CALL: {
        struct tg_action *a = tg_ctx_act(&c->ctx, TG_ACT_CALL);
        a->cookie = w->cookie;
        a->ref = w->obj->ref;
        break; /* the call's own hold goes with TG_EV_UNPIN */
    }
    default: TG_UNREACHABLE();
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
        struct tg_cancelled x = c->worker.cancelled.v[--c->worker.cancelled.n];
        const struct tg_exec *e = tg_worker_exec(&c->worker, x.exec);
        tg_waits_cancel(&c->waits, e != NULL ? e->waiter : 0);
        if (x.recursive)
            tg_owner_cancel_children(&c->owner, x.exec);
    } else if (c->worker.let_go.n > 0) {
        tg_waits_finish(&c->waits, c->worker.let_go.v[--c->worker.let_go.n]);
    } else if (c->waits.unblocked.n > 0) {
        uint64_t exec = c->waits.unblocked.v[--c->waits.unblocked.n];
        tg_worker_unblocked(&c->worker, tg_worker_exec(&c->worker, exec));
    } else if (c->store.arrived.n > 0) {
        struct tg_arrival a = c->store.arrived.v[--c->store.arrived.n];
        tg_objs_arrived(&c->objs, &a);
    } else if (c->store.granted.n > 0) {
        struct tg_granted g = c->store.granted.v[--c->store.granted.n];
        tg_waits_granted(&c->waits, g.waiter, g.rc);
    } else if (c->objs.left.n > 0) {
        tg_owner_left(&c->owner, c->objs.left.v[--c->objs.left.n]);
    } else if (c->objs.fates.n > 0) {
        tg_owner_fate(&c->owner, &c->objs.fates.v[--c->objs.fates.n]);
    } else if (c->head != NULL && c->head->dirty) {
        tg_head_schedule(c->head);
    } else {
        return false;
    }
    return true;
}

/* The driver has returned and nothing of its is left: all may go on. */
static __attribute__((noinline)) void settle_end(struct tg_core *c)
{
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
        c->ctx.passes = false;
        c->ctx.local.n = c->ctx.local_at = 0;
        if (c->ending && c->owner.nroots == 0)
            settle_end(c);
    } while (c->ctx.passes);
    if (c->objs.drops.n > 0)
        tg_objs_flush(&c->objs);
    if (c->store.news.n > 0 || c->store.goners.n > 0) {
        tg_store_flush(&c->store);
        finish_step(c); /* on rank 0 the news are its own */
    }
}

/* ----- steps --------------------------------------------------------------------------- */

static void on_timer(struct tg_core *c, const struct tg_timer *t)
{
    switch (t->kind) {
    case TG_TIMER_WAITER: tg_waits_timer(&c->waits, t->handle); break;
    case TG_TIMER_COPY: tg_objs_timer(&c->objs, t->handle); break;
    case TG_TIMER_LINGER: tg_owner_timer(&c->owner, t->handle); break;
    case TG_TIMER_ARGS: tg_worker_args_timer(&c->worker, t->handle); break;
    case TG_TIMER_OVERRUN:
    case TG_TIMER_LEND: tg_worker_timer(&c->worker, t); break;
    case TG_TIMER_ADMIT:
    case TG_TIMER_BALANCE: tg_head_timer(c->head, t); break;
    case TG_TIMER_STORE: tg_store_timer(&c->store); break;
    case TG_TIMER_PROBE: tg_quiesce_probe(c); break;
    default: TG_UNREACHABLE();
    }
}

static __attribute__((noinline)) void run_timers(struct tg_core *c)
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

static int handle(struct tg_core *c, struct tg_event *ev)
{
    switch (ev->type) {
    case TG_EV_TICK: return TRYGON_SUCCESS;
    case TG_EV_MSG: return on_msg(c, ev);
    case TG_EV_GONE: return declare_gone(c, ev->rank);
    case TG_EV_END: return on_end(c, ev->status);
    case TG_EV_DRAIN: return on_drain(c);
    case TG_EV_SUBMIT:
    case TG_EV_PUT:
    case TG_EV_RETAIN:
    case TG_EV_RELEASE:
    case TG_EV_CANCEL:
    case TG_EV_KILL:
    case TG_EV_EXIT:
    case TG_EV_SELF:
    case TG_EV_UNNAME:
    case TG_EV_CALL:
    case TG_EV_WAIT:
    case TG_EV_WAIT_END:
    case TG_EV_UNPIN:
    case TG_EV_KEEP:
    case TG_EV_UNKEEP:
    case TG_EV_SET_NEW:
    case TG_EV_SET_FREE:
    case TG_EV_SET_ADD:
    case TG_EV_SET_REMOVE:
    case TG_EV_SET_TAKE:
    case TG_EV_FLAG_NEW:
    case TG_EV_FLAG_FREE:
    case TG_EV_FLAG_SET:
    case TG_EV_DONE:
    case TG_EV_YIELD:
    case TG_EV_NEXT:
    case TG_EV_COMPLETION:
    case TG_EV_ROOM:
    case TG_EV_SEAL:
    case TG_EV_DISCARD:
    case TG_EV_AWAY:
    case TG_EV_USED:
    case TG_EV_NODE:
    case TG_EV_FREE:
    case TG_EV_STORE: return tg_core_user(c, ev);
    default: TG_UNREACHABLE();
    }
}

int tg_core_step(struct tg_core *c, struct tg_event *ev)
{
    TG_ASSERT(ev->now_ns >= c->ctx.now_ns);
    c->ctx.now_ns = ev->now_ns;
    if (tg_timers_next(&c->ctx.timers) <= c->ctx.now_ns)
        run_timers(c);
    int rc = handle(c, ev);
    if (c->ctx.passes || c->ending)
        finish_step(c);
    return rc;
}

static bool is_send(const struct tg_action *a)
{
    return a->type == TG_ACT_SEND ||
           (a->type == TG_ACT_STORE && a->status == TG_STORE_SEND);
}

struct tg_action *tg_core_actions(struct tg_core *c, uint32_t *n)
{
    struct tg_action *v = c->ctx.out.v;
    *n = c->ctx.out.n;
    for (uint32_t i = 0; i < *n; i++)
        if (is_send(&v[i]) && !tg_quiesce_msg(v[i].msg.type))
            c->sent_to[v[i].rank]++;
    c->ctx.out.n = 0;
    return v;
}

uint64_t tg_core_deadline(const struct tg_core *c)
{
    return tg_timers_next(&c->ctx.timers);
}

/* ----- looking ----------------------------------------------------------------------------- */

/* A step leaves nothing that it was to pass on. */
static bool all_passed(const struct tg_core *c)
{
    uint32_t left = c->ctx.local.n | c->objs.fired.n | c->worker.cancelled.n |
                    c->worker.let_go.n | c->waits.unblocked.n | c->objs.left.n |
                    c->objs.fates.n | c->store.arrived.n | c->store.granted.n |
                    c->objs.drops.n | c->store.news.n | c->store.goners.n;
    return left == 0 && (c->head == NULL || !c->head->dirty);
}

void tg_core_check(const struct tg_core *c)
{
    TG_ASSERT(c->ctx.passes || all_passed(c));
    tg_store_check(&c->store);
    tg_objs_check(&c->objs);
    tg_streams_check(&c->streams);
    tg_owner_check(&c->owner);
    tg_worker_check(&c->worker);
    tg_waits_check(&c->waits);
    if (c->head == NULL)
        return;
    tg_head_check(c->head);
    tg_names_check(c->names);
    tg_dir_check(c->dir);
}

bool tg_core_quiet(const struct tg_core *c)
{
    return tg_objs_quiet(&c->objs) && tg_owner_quiet(&c->owner) &&
           tg_store_quiet(&c->store) && tg_streams_quiet(&c->streams) &&
           tg_worker_quiet(&c->worker) && tg_waits_quiet(&c->waits) &&
           (c->head == NULL ||
            (tg_head_quiet(c->head) && tg_names_quiet(c->names)));
}
