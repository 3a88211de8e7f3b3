/* owner_lease.c - the owner's queues and leases (owner.h): which run goes to
 * which worker, and what the head is told.
 *
 * pump() is the one place that sends runs.  A class keeps its leases in two
 * lists, those with room for another run and those without, and goes round the
 * first, so that each step costs the same however much is outstanding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/owner.h"
#include "core/owner_impl.h"

/* ----- state of a lease --------------------------------------------------------- */

static const bool legal[4][4] = {
    [0] = {[TG_OLEASE_OPEN] = true},
    [TG_OLEASE_OPEN] = {[TG_OLEASE_HELD] = true, [TG_OLEASE_CLOSING] = true},
    [TG_OLEASE_HELD] = {[TG_OLEASE_OPEN] = true, [TG_OLEASE_CLOSING] = true},
};

static void set_state(struct tg_olease *l, enum tg_olease_state to)
{
    if (l->state == to)
        return;
    TG_ASSERT(legal[l->state][to]);
    l->cls->nopen += to == TG_OLEASE_OPEN;
    l->cls->nopen -= l->state == TG_OLEASE_OPEN;
    l->state = (uint8_t)to;
}

static struct tg_olease *find_lease(const struct tg_owner *w, uint64_t id)
{
    struct tg_olease_entry *e;
    HASH_FIND(hh, w->leases, &id, sizeof id, e);
    return e != NULL ? &e->l : NULL;
}

/* Can the owner keep n leases busy with a function of this mean?  Further ones
 * would wait for it most of the time.  Tasks that are to be spread may all go
 * to different places, and of actors that keep theirs each needs one. */
static bool useful(const struct tg_owner *w, const struct tg_class *c,
                   uint64_t mean_ns, uint32_t n)
{
    return mean_ns == 0 || n <= 1 ||
           (n - 1) * w->ctx->lim.dispatch_ns <= mean_ns ||
           c->key.shape.strategy == TRYGON_STRATEGY_SPREAD || c->key.keeps;
}

/* One lease at a time leaves a class that has too many, by a wide margin, so
 * that they do not come and go with each change of the mean. */
static bool too_many(const struct tg_owner *w, const struct tg_class *c)
{
    return c->queue != NULL && c->leaving == NULL &&
           !useful(w, c, 2 * w->mean_ns[c->queue->fn], c->nopen);
}

/* One that was held up, by the system perhaps, does not count for many. */
static void learn(struct tg_owner *w, uint32_t fn, uint64_t ran_ns)
{
    uint64_t mean = w->mean_ns[fn], x = ran_ns == 0 ? 1 : ran_ns;
    if (mean != 0 && x > 2 * mean)
        x = 2 * mean;
    w->mean_ns[fn] = mean == 0 ? x : (7 * mean + x) / 8 + 1;
}

/* May another run be sent on the lease?  As many may be under way as make
 * pipeline_ns of work; one, as long as nothing is known of the function. */
static bool has_room(const struct tg_owner *w, const struct tg_olease *l)
{
    const struct tg_class *c = l->cls;
    if (l->state != TG_OLEASE_OPEN || l == c->leaving)
        return false;
    if (l->ninflight == 0)
        return true;
    if (c->key.keeps)
        return false;
    const struct tg_limits *lim = &w->ctx->lim;
    const struct tg_task *t = c->queue != NULL ? c->queue : l->inflight;
    uint64_t mean = w->mean_ns[t->fn];
    return mean != 0 && mean <= lim->pipeline_ns &&
           l->ninflight < lim->pipeline_max &&
           (l->ninflight + UINT64_C(1)) * mean <= lim->pipeline_ns;
}

/* Put the lease in the list where it belongs. */
static void file(struct tg_owner *w, struct tg_olease *l)
{
    struct tg_class *c = l->cls;
    bool room = has_room(w, l);
    if (room == l->has_room)
        return;
    l->has_room = room;
    if (room) {
        DL_DELETE(c->full, l);
        DL_APPEND(c->room, l);
    } else {
        DL_DELETE(c->room, l);
        DL_APPEND(c->full, l);
    }
}

static void forget_lease(struct tg_owner *w, struct tg_olease *l)
{
    struct tg_class *c = l->cls;
    TG_ASSERT(l->ninflight == 0);
    if (l->has_room)
        DL_DELETE(c->room, l);
    else
        DL_DELETE(c->full, l);
    if (c->leaving == l)
        c->leaving = NULL;
    c->nleases--;
    c->nopen -= l->state == TG_OLEASE_OPEN;
    struct tg_olease_entry *e = (struct tg_olease_entry *)(void *)l;
    HASH_DEL(w->leases, e);
    free(e);
}

static void send_close(struct tg_owner *w, int32_t worker, uint64_t lease)
{
    struct tg_msg m = {.type = TG_MSG_CLOSE};
    m.u.close.lease = lease;
    tg_ctx_send(w->ctx, worker, &m);
}

/* A lease is kept for the next task, but a task that is to be spread wants to
 * go elsewhere. */
static bool lingers(const struct tg_owner *w, const struct tg_class *c)
{
    return w->ctx->lim.linger_ns > 0 &&
           c->key.shape.strategy != TRYGON_STRATEGY_SPREAD;
}

/* One timer a lease, however often it becomes idle: when it comes too early,
 * it is set again. */
static void time_lease(struct tg_owner *w, struct tg_olease *l)
{
    if (l->timed)
        return;
    l->timed = true;
    tg_timers_add(&w->ctx->timers, l->idle_since_ns + w->ctx->lim.linger_ns,
                  TG_TIMER_LINGER, l->id);
}

/* Nothing is under way on l and nothing is queued for it. */
static void rest(struct tg_owner *w, struct tg_olease *l)
{
    if (l->ninflight > 0)
        return;
    if (l->state == TG_OLEASE_CLOSING) {
        forget_lease(w, l);
    } else if (l == l->cls->leaving ||
               (l->cls->nready == 0 && !lingers(w, l->cls))) {
        send_close(w, l->worker, l->id);
        forget_lease(w, l);
    } else if (l->cls->nready == 0) {
        l->idle_since_ns = w->ctx->now_ns;
        time_lease(w, l);
    }
}

void tg_owner_timer(struct tg_owner *w, uint64_t handle)
{
    struct tg_olease *l = find_lease(w, handle);
    if (l == NULL)
        return;
    l->timed = false;
    if (l->ninflight > 0)
        return;
    if (l->idle_since_ns + w->ctx->lim.linger_ns > w->ctx->now_ns) {
        time_lease(w, l);
        return;
    }
    struct tg_class *c = l->cls;
    send_close(w, l->worker, l->id);
    forget_lease(w, l);
    tg_class_settle(w, c);
}

void tg_owner_hurry(struct tg_owner *w)
{
    w->ctx->lim.linger_ns = 0;
    struct tg_olease_entry *e, *next;
    HASH_ITER (hh, w->leases, e, next) {
        if (e->l.ninflight == 0)
            tg_owner_timer(w, e->l.id);
    }
}

/* ----- demand -------------------------------------------------------------------- */

uint32_t tg_class_wanted(const struct tg_owner *w, const struct tg_class *c)
{
    if (c->queue == NULL)
        return 0;
    uint64_t mean = w->mean_ns[c->queue->fn], cost = w->ctx->lim.dispatch_ns;
    if (!useful(w, c, mean, c->nopen + 1))
        return 0;
    if (useful(w, c, mean, c->nopen + c->nready))
        return c->nready;
    return (uint32_t)(mean / cost) + 1 - c->nopen;
}

/* Tell the head when what it thinks we want is wrong by a factor of two, or
 * in whether there is anything at all: few messages for many tasks. */
static void tell(struct tg_owner *w, struct tg_class *c)
{
    uint32_t want = tg_class_wanted(w, c);
    uint32_t came = c->received - c->told_received;
    uint32_t thinks = c->told > came ? c->told - came : 0;
    bool right = (want == 0) == (thinks == 0) &&
                 (want == thinks || (want < 2 * thinks && thinks < 2 * want));
    if (right)
        return;
    c->told = want;
    c->told_received = c->received;
    struct tg_msg m = {.type = TG_MSG_DEMAND};
    m.u.demand.cls = c->self;
    m.u.demand.shape = tg_shape_new(&c->key.shape);
    m.u.demand.depth = c->key.depth;
    m.u.demand.want = want;
    m.u.demand.received = c->received;
    if (c->queue != NULL) /* for the oldest ready task */
        m.u.demand.nprefer = tg_task_prefer(w, c->queue, m.u.demand.prefer);
    tg_ctx_send(w->ctx, 0, &m);
}

/* Tell the head, and forget a class that is used no more. */
void tg_class_settle(struct tg_owner *w, struct tg_class *c)
{
    tell(w, c);
    if (c->ntasks == 0 && c->nleases == 0) {
        if (w->last == c)
            w->last = NULL;
        HASH_DEL(w->by_shape, c);
        tg_slab_free(&w->classes, c->self);
    }
}

/* ----- sending runs ---------------------------------------------------------------- */

/* Where its bytes are, for an argument by reference: who gets it can read or
 * pull them at once.  References within would need weights as well. */
static struct tg_val *place_of(const struct tg_obj *x)
{
    bool known = x->state == TG_OBJ_READY && x->val != NULL && x->val->stored &&
                 x->val->nrefs == 0;
    return known ? tg_val_hold(x->val) : NULL;
}

/* Objects as they travel: small values whole, as long as they and the direct
 * values are not too many together, others by reference. */
static void fill_objs(const struct tg_task *t, struct tg_item *out,
                      uint64_t whole)
{
    const struct tg_arg *args = tg_task_args(t);
    for (uint32_t i = 0; i < t->nargs; i++) {
        const struct tg_obj *x = args[i].obj;
        if (args[i].val != NULL)
            continue;
        if (x->state == TG_OBJ_READY && x->val != NULL && !x->val->stored &&
            x->val->size <= TG_INLINE_MAX &&
            whole + x->val->size <= TG_INLINE_TOTAL) {
            out[i].val = tg_val_hold(x->val);
            whole += x->val->size;
        } else {
            out[i].ref = x->ref;
            out[i].place = place_of(x);
        }
    }
}

static void fill_args(const struct tg_task *t, struct tg_items *items)
{
    tg_items_init(items, t->nargs);
    struct tg_item *out = tg_items_at(items);
    const struct tg_arg *args = tg_task_args(t);
    uint64_t whole = 0;
    for (uint32_t i = 0; i < t->nargs; i++) {
        if (args[i].val == NULL)
            continue;
        out[i].val = tg_val_hold(args[i].val);
        whole += args[i].val->size;
    }
    if (t->by_ref)
        fill_objs(t, out, whole);
}

void tg_task_fill(const struct tg_owner *w, const struct tg_task *t,
                  struct tg_msg_run *r)
{
    r->task = t->self;
    r->number = t->number;
    r->attempt = t->attempt;
    r->fn = t->fn;
    r->nreturns = t->yields ? (uint16_t)0 : t->nreturns;
    r->limit = tg_task_limit(w, t);
    r->name = t->extra != NULL ? tg_strdup(t->extra->name) : NULL;
    fill_args(t, &r->args);
}

static void send_run(struct tg_owner *w, struct tg_task *t)
{
    struct tg_msg m; /* of which nothing is left out: no need to zero it */
    struct tg_msg_run *r = &m.u.run;
    m.type = TG_MSG_RUN;
    tg_task_fill(w, t, r);
    r->lease = t->lease->id;
    r->depth = t->cls->key.depth;
    r->group = 0;
    r->seq = 0;
    if (t->creates)
        tg_actor_run(w, t, r);
    tg_objs_send(w->objs, t->lease->worker, &m);
}

static void unqueue(struct tg_owner *w, struct tg_task *t)
{
    DL_DELETE(t->cls->queue, t);
    t->cls->nready--;
    w->nready--;
}

/* Of the first few leases with room, the one that is nearest to the bytes of
 * the task's arguments. */
static struct tg_olease *nearest(const struct tg_owner *w,
                                 const struct tg_task *t)
{
    enum { MOST = 8 };
    struct tg_olease *l = t->cls->room, *best = l;
    uint64_t most = tg_task_near(w, t, l->worker);
    for (uint32_t i = 1; i < MOST && (l = l->next) != NULL; i++) {
        uint64_t bytes = has_room(w, l) ? tg_task_near(w, t, l->worker) : 0;
        if (bytes > most) {
            most = bytes;
            best = l;
        }
    }
    return best;
}

static void pump(struct tg_owner *w, struct tg_class *c)
{
    while (c->queue != NULL && c->room != NULL) {
        struct tg_olease *l = c->room;
        file(w, l); /* the room depends on the function at the front */
        if (!l->has_room)
            continue;
        struct tg_task *t = c->queue;
        if (t->by_ref && tg_task_large(t))
            l = nearest(w, t);
        DL_DELETE(c->room, l); /* round to the end */
        DL_APPEND(c->room, l);
        if (tg_task_stalled(w, t))
            continue; /* it has ended, or waits; c stays, since l is in it */
        unqueue(w, t);
        tg_task_set_state(t, TG_TASK_SENT);
        t->lease = l;
        DL_APPEND(l->inflight, t);
        l->ninflight++;
        file(w, l);
        send_run(w, t);
    }
}

void tg_class_enqueue(struct tg_owner *w, struct tg_task *t, bool front)
{
    struct tg_class *c = t->cls;
    tg_task_set_state(t, TG_TASK_READY);
    if (front)
        DL_PREPEND(c->queue, t);
    else
        DL_APPEND(c->queue, t);
    c->nready++;
    w->nready++;
    pump(w, c);
    tell(w, c);
}

void tg_class_dequeue(struct tg_owner *w, struct tg_task *t)
{
    unqueue(w, t);
    tell(w, t->cls);
}

/* Back to the front of its queue, for pump() to send again. */
static void requeue(struct tg_owner *w, struct tg_task *t)
{
    tg_task_set_state(t, TG_TASK_READY);
    if (t->creates)
        tg_actor_renumber(w, t);
    DL_PREPEND(t->cls->queue, t);
    t->cls->nready++;
    w->nready++;
}

/* A task is no longer under way; its lease is to be filed. */
static void take_off(struct tg_task *t)
{
    struct tg_olease *l = t->lease;
    t->lease = NULL;
    DL_DELETE(l->inflight, t);
    l->ninflight--;
}

/* A done opens the lease, but not one that was overtaken by a bounce: results
 * may travel apart, and be slow. */
void tg_lease_heard(struct tg_owner *w, struct tg_task *t, uint32_t bounces)
{
    struct tg_olease *l = t->lease;
    if (l->state == TG_OLEASE_HELD && bounces >= l->bounces)
        set_state(l, TG_OLEASE_OPEN);
    file(w, l);
    pump(w, l->cls);
    tg_class_settle(w, l->cls);
}

void tg_lease_done(struct tg_owner *w, struct tg_task *t, uint64_t ran_ns,
                   uint32_t bounces)
{
    struct tg_olease *l = t->lease;
    struct tg_class *c = t->cls;
    if (ran_ns > 0)
        learn(w, t->fn, ran_ns);
    take_off(t);
    if (l->state == TG_OLEASE_HELD &&
        (bounces >= l->bounces || l->ninflight == 0))
        set_state(l, TG_OLEASE_OPEN);
    if (l->state == TG_OLEASE_OPEN && too_many(w, c))
        c->leaving = l;
    file(w, l);
    pump(w, c);
    rest(w, l);
}

void tg_lease_kept(struct tg_owner *w, struct tg_task *t, uint64_t ran_ns)
{
    struct tg_olease *l = t->lease;
    if (ran_ns > 0)
        learn(w, t->fn, ran_ns);
    take_off(t);
    forget_lease(w, l);
}

/* ----- messages ---------------------------------------------------------------------- */

void tg_owner_on_lease(struct tg_owner *w, const struct tg_msg_lease *m)
{
    struct tg_class *c = tg_slab_find(&w->classes, m->cls);
    if (c == NULL || w->ctx->dead[m->worker]) {
        send_close(w, m->worker, m->lease);
        if (c != NULL) {
            c->received++;
            tell(w, c);
        }
        return;
    }
    struct tg_olease_entry *e = tg_alloc(sizeof *e);
    e->l.id = m->lease;
    e->l.worker = m->worker;
    e->l.cls = c;
    set_state(&e->l, TG_OLEASE_OPEN);
    e->l.has_room = true;
    HASH_ADD(hh, w->leases, l.id, sizeof e->l.id, e);
    DL_PREPEND(c->room, &e->l);
    c->nleases++;
    c->received++;
    c->reason[0] = '\0';
    pump(w, c);
    rest(w, &e->l);
    tg_class_settle(w, c);
}

void tg_owner_on_refuse(struct tg_owner *w, const struct tg_msg_refuse *m)
{
    struct tg_class *c = tg_slab_find(&w->classes, m->cls);
    if (c == NULL || c->queue == NULL)
        return;
    snprintf(c->reason, sizeof c->reason, "%s", m->reason);
    if (!m->final) {
        tg_ctx_note(w->ctx, 2, "%u task%s (first: %s) pending: %s", c->nready,
                    c->nready == 1 ? "" : "s", tg_task_name(w, c->queue),
                    c->reason);
        return;
    }
    c->ntasks++; /* the class stays for the length of the loop */
    while (c->queue != NULL) {
        struct tg_task *t = c->queue;
        tg_task_end(w, t,
                    tg_val_error(TRYGON_ERR_UNSCHEDULABLE, w->ctx->rank,
                                 t->number, tg_task_name(w, t), "%s",
                                 c->reason));
    }
    c->ntasks--;
    tg_class_settle(w, c);
}

void tg_owner_on_bounce(struct tg_owner *w, int32_t from,
                        const struct tg_msg_bounce *m)
{
    for (uint32_t i = m->n; i-- > 0;) { /* from the back: order is kept */
        struct tg_task *t = tg_slab_find(&w->tasks, m->v[i].task);
        if (t == NULL || t->call || t->state != TG_TASK_SENT ||
            t->attempt != m->v[i].attempt || t->lease->worker != from)
            continue;
        take_off(t);
        if (m->why == TG_BOUNCE_ARGS)
            tg_task_doubt(w, t);
        if (t->cancelled)
            tg_task_again(w, t, NULL); /* ends it */
        else
            requeue(w, t);
    }
    struct tg_olease *l = find_lease(w, m->lease);
    if (l == NULL)
        return;
    struct tg_class *c = l->cls;
    l->bounces++;
    if (m->why == TG_BOUNCE_CLOSED)
        set_state(l, TG_OLEASE_CLOSING);
    else if (l->ninflight > 0 && l->state == TG_OLEASE_OPEN &&
             m->why != TG_BOUNCE_ARGS)
        set_state(l, TG_OLEASE_HELD);
    else if (l->ninflight == 0 && l->state == TG_OLEASE_HELD)
        set_state(l, TG_OLEASE_OPEN); /* what it waited for has come back */
    file(w, l);
    pump(w, c);
    rest(w, l);
    tg_class_settle(w, c);
}

/* ----- loss ---------------------------------------------------------------------------- */

/* First all its leases close, so that no task goes from one to the next. */
static void close_all(struct tg_owner *w, int32_t rank)
{
    struct tg_olease_entry *e;
    for (e = w->leases; e != NULL; e = e->hh.next) {
        if (e->l.worker != rank)
            continue;
        set_state(&e->l, TG_OLEASE_CLOSING);
        file(w, &e->l);
    }
}

void tg_owner_gone(struct tg_owner *w, int32_t rank)
{
    close_all(w, rank);
    tg_actors_gone(w, rank);
    struct tg_olease_entry *e, *next;
    HASH_ITER (hh, w->leases, e, next) {
        struct tg_olease *l = &e->l;
        if (l->worker != rank)
            continue;
        struct tg_class *c = l->cls;
        while (l->inflight != NULL) {
            struct tg_task *t = l->inflight;
            take_off(t);
            tg_task_again(
                w, t,
                tg_val_error(TRYGON_ERR_WORKER_LOST, rank, t->number,
                             tg_task_name(w, t),
                             "rank %d was lost; %d execution%s, no retries "
                             "left",
                             (int)rank, (int)t->attempt + 1,
                             t->attempt == 0 ? "" : "s"));
        }
        forget_lease(w, l);
        tg_class_settle(w, c);
    }
}
