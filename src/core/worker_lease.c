/* worker_lease.c - leases as their worker sees them (worker.h): what starts,
 * whose CPU is lent, what is bounced, when a lease closes.
 *
 * Every change of a lease ends in tg_wlease_settle(), which looks at the whole
 * lease and does the one thing that is due.
 */
#include <stdlib.h>

#include "core/worker.h"
#include "core/worker_impl.h"

static const bool legal[3][3] = {
    [0] = {[TG_WLEASE_OPEN] = true},
    [TG_WLEASE_OPEN] = {[TG_WLEASE_CLOSING] = true},
};

static void set_state(struct tg_wlease *l, enum tg_wlease_state to)
{
    TG_ASSERT(legal[l->state][to]);
    l->state = (uint8_t)to;
}

struct tg_wlease *tg_wlease_find(const struct tg_worker *w, uint64_t id)
{
    struct tg_wlease_entry *e;
    HASH_FIND(hh, w->by_id, &id, sizeof id, e);
    return e != NULL ? &e->l : NULL;
}

void tg_wlease_open(struct tg_worker *w, struct tg_msg_open *m)
{
    uint64_t handle;
    struct tg_wlease_entry *e = tg_slab_new(&w->leases, &handle);
    TG_ASSERT(m->lease > w->last_opened);
    w->last_opened = m->lease;
    e->l.id = m->lease;
    e->l.self = handle;
    e->l.owner = m->owner;
    e->l.depth = m->depth;
    e->l.shape = *m->shape;
    e->l.ncpus = m->ncpus;
    e->l.ngpus = m->ngpus;
    e->l.ids = m->ids;
    m->ids = NULL;
    set_state(&e->l, TG_WLEASE_OPEN);
    HASH_ADD(hh, w->by_id, l.id, sizeof e->l.id, e);
    if (w->ctx->dead[m->owner])
        tg_wlease_close(w, m->lease);
}

/* ----- the queue ------------------------------------------------------------------ */

/* If something waits behind a running task, look again when it overruns: with
 * one timer, however often another starts. */
static void watch_overrun(struct tg_worker *w, struct tg_wlease *l)
{
    if (l->nrunning == 0 || l->nqueued == 0 || l->overrun_timed)
        return;
    l->overrun_timed = true;
    uint64_t when = l->run_since_ns + w->ctx->lim.overrun_ns;
    tg_timers_add(&w->ctx->timers, when, TG_TIMER_OVERRUN, l->self);
}

struct tg_exec *tg_exec_in(struct tg_exec *list, int32_t owner, uint64_t task,
                           int32_t attempt)
{
    struct tg_exec *e;
    DL_FOREACH (list, e) {
        if (e->owner == owner && e->task == task && e->attempt == attempt)
            return e;
    }
    return NULL;
}

struct tg_exec *tg_wlease_exec(const struct tg_wlease *l, int32_t from,
                               uint64_t task, int32_t attempt)
{
    struct tg_exec *e = tg_exec_in(l->queue, from, task, attempt);
    return e != NULL ? e : tg_exec_in(l->started, from, task, attempt);
}

void tg_wlease_enqueue(struct tg_worker *w, struct tg_exec *e)
{
    DL_APPEND(e->lease->queue, e);
    if (e->lease->nqueued++ == 0)
        watch_overrun(w, e->lease);
}

void tg_wlease_goes_on(struct tg_worker *w, struct tg_wlease *l)
{
    if (l->nrunning++ > 0)
        return;
    l->run_since_ns = w->ctx->now_ns; /* nothing has run till now */
    watch_overrun(w, l);
}

void tg_wlease_unqueue(struct tg_exec *e)
{
    DL_DELETE(e->lease->queue, e);
    e->lease->nqueued--;
}

void tg_worker_bounce(struct tg_worker *w, int32_t owner, uint64_t lease,
                      enum tg_bounce why, uint32_t n, struct tg_attempt *v)
{
    struct tg_msg m = {.type = TG_MSG_BOUNCE};
    struct tg_wlease *l = tg_wlease_find(w, lease);
    if (l != NULL)
        l->bounces++;
    m.u.bounce.lease = lease;
    m.u.bounce.why = why;
    m.u.bounce.n = n;
    m.u.bounce.v = v;
    tg_ctx_send(w->ctx, owner, &m);
}

/* The whole queue goes back to the owner, unstarted. */
static void bounce_queue(struct tg_worker *w, struct tg_wlease *l,
                         enum tg_bounce why)
{
    struct tg_attempt *v = tg_grow(NULL, l->nqueued + 1u, sizeof *v);
    uint32_t n = 0;
    while (l->queue != NULL) {
        struct tg_exec *e = l->queue;
        v[n++] = (struct tg_attempt){e->task, e->attempt};
        tg_wlease_unqueue(e);
        tg_exec_free(w, e);
    }
    tg_worker_bounce(w, l->owner, l->id, why, n, v);
}

/* ----- settle ----------------------------------------------------------------------- */

static struct tg_exec *next_to_start(struct tg_worker *w, struct tg_wlease *l)
{
    if (l->state != TG_WLEASE_OPEN || l->nrunning > 0 || l->lent)
        return NULL;
    if (l->depth == 0 && l->nblocked >= w->ctx->lim.blocked_max)
        return NULL;
    struct tg_exec *e;
    DL_FOREACH (l->queue, e) {
        if (e->state == TG_EXEC_QUEUED)
            return e;
    }
    return NULL;
}

/* The owner is told, and has its queue back. */
static void close_it(struct tg_worker *w, struct tg_wlease *l)
{
    l->recalled = false;
    set_state(l, TG_WLEASE_CLOSING);
    bounce_queue(w, l, TG_BOUNCE_CLOSED);
}

static void start(struct tg_worker *w, struct tg_wlease *l, struct tg_exec *e)
{
    l->ran = true;
    tg_wlease_unqueue(e);
    DL_APPEND(l->started, e);
    tg_exec_set_state(e, TG_EXEC_RUNNING);
    e->started_ns = l->run_since_ns = w->ctx->now_ns;
    l->nrunning++;
    watch_overrun(w, l);
    tg_ctx_act(w->ctx, TG_ACT_START)->handle = e->self;
    if (l->recalled)
        close_it(w, l);
}

/* All its tasks are blocked and nothing else can start: after a while the
 * head may have the CPUs. */
static void lend(struct tg_worker *w, struct tg_wlease *l)
{
    uint64_t when = l->blocked_since_ns + w->ctx->lim.lend_ns;
    if (when > w->ctx->now_ns) {
        if (!l->lend_timed)
            tg_timers_add(&w->ctx->timers, when, TG_TIMER_LEND, l->self);
        l->lend_timed = true;
        return;
    }
    l->lent = true;
    struct tg_msg m = {.type = TG_MSG_LEND};
    m.u.close.lease = l->id;
    tg_ctx_send(w->ctx, 0, &m);
    if (l->state == TG_WLEASE_OPEN)
        bounce_queue(w, l, TG_BOUNCE_BLOCKED);
}

static void closed(struct tg_worker *w, struct tg_wlease *l)
{
    struct tg_msg m = {.type = TG_MSG_CLOSED};
    m.u.close.lease = l->id;
    tg_ctx_send(w->ctx, 0, &m);
    struct tg_wlease_entry *e = (struct tg_wlease_entry *)(void *)l;
    HASH_DEL(w->by_id, e);
    w->last = NULL;
    free(l->ids);
    tg_vec_free(&l->early);
    tg_slab_free(&w->leases, l->self);
}

void tg_wlease_settle(struct tg_worker *w, struct tg_wlease *l)
{
    struct tg_exec *e = next_to_start(w, l);
    if (e == NULL && l->recalled && l->queue == NULL)
        close_it(w, l); /* what it waited for is not to run here after all */
    if (e != NULL)
        start(w, l, e);
    else if (l->nrunning == 0 && l->nblocked > 0 && !l->lent)
        lend(w, l);
    else if (l->nrunning == 0 && l->nblocked == 0 &&
             l->state == TG_WLEASE_CLOSING && !l->kept)
        closed(w, l);
}

/* The head wants it back.  If all that it has waits for bytes, and nothing has
 * run yet, one task may: else two that recall each other's leases, each before
 * the other's bytes have come, would never get anything done. */
void tg_wlease_recall(struct tg_worker *w, uint64_t id)
{
    struct tg_wlease *l = tg_wlease_find(w, id);
    if (l == NULL || l->state == TG_WLEASE_CLOSING || l->kept)
        return;
    l->recalled = !l->ran && l->queue != NULL && !l->lent;
    if (!l->recalled)
        close_it(w, l);
    tg_wlease_settle(w, l);
}

/* The owner needs it no more (it has nothing under way), or is lost. */
void tg_wlease_close(struct tg_worker *w, uint64_t id)
{
    struct tg_wlease *l = tg_wlease_find(w, id);
    if (l == NULL || l->state == TG_WLEASE_CLOSING)
        return;
    TG_ASSERT(l->nqueued == 0);
    l->recalled = false;
    set_state(l, TG_WLEASE_CLOSING);
    tg_wlease_settle(w, l);
}

void tg_worker_timer(struct tg_worker *w, const struct tg_timer *t)
{
    struct tg_wlease_entry *e = tg_slab_find(&w->leases, t->handle);
    if (e == NULL)
        return;
    struct tg_wlease *l = &e->l;
    if (t->kind == TG_TIMER_LEND) {
        l->lend_timed = false;
        tg_wlease_settle(w, l);
        return;
    }
    l->overrun_timed = false;
    if (l->nrunning > 0 && l->nqueued > 0 &&
        l->run_since_ns + w->ctx->lim.overrun_ns <= w->ctx->now_ns)
        bounce_queue(w, l, TG_BOUNCE_OVERRUN);
    else
        watch_overrun(w, l);
}

/* ----- looking ------------------------------------------------------------------------ */

static void check_lease(const struct tg_worker *w, const struct tg_wlease *l)
{
    uint32_t n = 0, running = 0, blocked = 0;
    const struct tg_exec *e;
    DL_FOREACH (l->queue, e) {
        TG_ASSERT(e->lease == l &&
                  (e->state == TG_EXEC_FETCHING || e->state == TG_EXEC_QUEUED));
        n++;
    }
    DL_FOREACH (l->started, e) {
        TG_ASSERT(e->lease == l);
        running += e->state == TG_EXEC_RUNNING;
        blocked += e->state == TG_EXEC_BLOCKED;
    }
    TG_ASSERT(n == l->nqueued && running == l->nrunning &&
              blocked == l->nblocked);
    TG_ASSERT(!l->lent || (running == 0 && blocked > 0 && n == 0));
    TG_ASSERT(l->state != TG_WLEASE_CLOSING || n == 0);
    TG_ASSERT(l->state != TG_WLEASE_CLOSING || running + blocked > 0 ||
              l->kept);
    TG_ASSERT(!w->ctx->dead[l->owner] || l->state == TG_WLEASE_CLOSING ||
              l->kept);
    TG_ASSERT(!l->kept || running + blocked + n == 0);
    TG_ASSERT(l->id <= w->last_opened);
    TG_ASSERT(!l->recalled ||
              (l->state == TG_WLEASE_OPEN && !l->ran && l->queue != NULL));
}

void tg_worker_check(const struct tg_worker *w)
{
    uint32_t slot = 0, n = 0;
    const struct tg_wlease_entry *l;
    while ((l = tg_slab_next(&w->leases, &slot)) != NULL) {
        check_lease(w, &l->l);
        n += l->l.nqueued + l->l.nrunning + l->l.nblocked;
    }
    TG_ASSERT(n + tg_wactors_check(w) == w->execs.used);
    const struct tg_held *h;
    DL_FOREACH (w->held, h)
        TG_ASSERT(!w->ctx->dead[h->from]);
}

bool tg_worker_quiet(const struct tg_worker *w)
{
    return w->execs.used == 0 && w->leases.used == 0 && w->actors.used == 0 &&
           w->held == NULL;
}
