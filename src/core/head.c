/* head.c - see head.h: demand, leases and fairness.  Where a lease goes is
 * head_place.c; what a rank has is ledger.c. */
#include "core/head.h"

#include <stdlib.h>
#include <string.h>

#include "core/head_impl.h"

void tg_head_init(struct tg_head *h, struct tg_ctx *ctx,
                  const struct tg_head_config *config)
{
    *h = (struct tg_head){.ctx = ctx};
    size_t n = (size_t)config->nranks;
    h->nranks = config->nranks;
    h->nnodes = config->nnodes;
    h->res_names = config->res_names;
    h->sites = tg_alloc(n * sizeof *h->sites);
    h->last_lease = tg_alloc(n * sizeof *h->last_lease);
    h->used_time = tg_alloc(n * sizeof *h->used_time);
    h->leased = tg_alloc(n * sizeof *h->leased);
    h->nlent = tg_alloc(n * sizeof *h->nlent);
    h->admit_at = tg_alloc(n * sizeof *h->admit_at);
    h->admit_pause = tg_alloc(n * sizeof *h->admit_pause);
    for (int32_t r = 0; r < h->nranks; r++)
        tg_site_init(&h->sites[r], config->node[r], config->total[r]);
    tg_slab_init(&h->demands, sizeof(struct tg_demand_entry));
    tg_slab_init(&h->leases, sizeof(struct tg_hlease_entry));
}

void tg_head_fini(struct tg_head *h)
{
    uint32_t slot = 0;
    struct tg_hlease_entry *l;
    while ((l = tg_slab_next(&h->leases, &slot)) != NULL)
        free(l->l.take.ids);
    for (int32_t r = 0; r < h->nranks; r++)
        tg_site_fini(&h->sites[r]);
    HASH_CLEAR(hh, h->by_cls);
    HASH_CLEAR(hh, h->by_id);
    tg_slab_fini(&h->demands);
    tg_slab_fini(&h->leases);
    free(h->sites);
    free(h->last_lease);
    free(h->used_time);
    free(h->leased);
    free(h->nlent);
    free(h->admit_at);
    free(h->admit_pause);
}

/* ----- demand ---------------------------------------------------------------------- */

static struct tg_demand_entry *find_demand(const struct tg_head *h,
                                           int32_t owner, uint64_t cls)
{
    struct tg_cls_key key = {cls, owner};
    struct tg_demand_entry *e;
    HASH_FIND(hh, h->by_cls, &key, sizeof key, e);
    return e;
}

static void forget_demand(struct tg_head *h, struct tg_demand_entry *e)
{
    HASH_DEL(h->by_cls, e);
    tg_slab_free(&h->demands, e->d.self);
}

/* An owner whose last lease is granted says no more, so a demand ends when
 * nothing of it is open and its last lease is closed. */
static void settle_demand(struct tg_head *h, struct tg_demand_entry *e)
{
    bool wants = e->d.infeasible ? e->d.want > 0 : tg_demand_open(&e->d) > 0;
    if (!wants && e->d.active == 0)
        forget_demand(h, e);
}

/* Tell the owner once for each reason; true when the class may run. */
static bool judge(struct tg_head *h, struct tg_demand *d)
{
    char reason[sizeof d->reason];
    bool final = false;
    d->infeasible = !tg_head_feasible(h, d, reason, sizeof reason, &final);
    if (!d->infeasible) {
        d->reason[0] = '\0';
        return true;
    }
    if (d->want == 0 || strcmp(reason, d->reason) == 0)
        return false;
    memcpy(d->reason, reason, sizeof reason);
    h->decisions++;
    struct tg_msg m = {.type = TG_MSG_REFUSE};
    m.u.refuse.cls = d->cls;
    m.u.refuse.final = final;
    m.u.refuse.reason = tg_strdup(reason);
    tg_ctx_send(h->ctx, d->owner, &m);
    return false;
}

static struct tg_demand_entry *new_demand(struct tg_head *h, int32_t owner,
                                          const struct tg_msg_demand *m)
{
    uint64_t handle;
    struct tg_demand_entry *e = tg_slab_new(&h->demands, &handle);
    e->key = (struct tg_cls_key){m->cls, owner};
    e->d.self = handle;
    e->d.cls = m->cls;
    e->d.owner = owner;
    e->d.depth = m->depth;
    e->d.shape = *m->shape;
    e->d.granted = m->received;
    HASH_ADD(hh, h->by_cls, key, sizeof e->key, e);
    if (h->leased[owner] == 0 && h->used_time[owner] < h->clock)
        h->used_time[owner] = h->clock; /* no credit for having been idle */
    return e;
}

static void on_demand(struct tg_head *h, int32_t from,
                      const struct tg_msg_demand *m)
{
    struct tg_demand_entry *e = find_demand(h, from, m->cls);
    if (e == NULL && m->want == 0)
        return;
    if (e == NULL)
        e = new_demand(h, from, m);
    struct tg_demand *d = &e->d;
    if (tg_demand_open(d) == 0)
        d->since_ns = h->ctx->now_ns;
    d->want = m->want;
    d->received = m->received;
    if ((int32_t)(d->granted - d->received) < 0)
        d->granted = d->received; /* one came late, after we had forgotten */
    d->nprefer = 0;
    for (int32_t i = 0; i < m->nprefer; i++)
        if (m->prefer[i] >= 0 && m->prefer[i] < h->nranks)
            d->prefer[d->nprefer++] = m->prefer[i];
    h->dirty = judge(h, d) || h->dirty;
    settle_demand(h, e);
}

/* ----- leases ------------------------------------------------------------------------ */

static struct tg_hlease_entry *find_lease(const struct tg_head *h, uint64_t id)
{
    struct tg_hlease_entry *e;
    HASH_FIND(hh, h->by_id, &id, sizeof id, e);
    return e;
}

/* Core-time in units of one core for one ns / TG_UNIT. */
static uint64_t core_time(const struct tg_shape *shape, uint64_t ns)
{
    return (uint64_t)shape->amount[TG_RES_CPU] * (ns / TG_UNIT + 1);
}

static void tell_worker(struct tg_head *h, const struct tg_hlease *l)
{
    struct tg_msg m = {.type = TG_MSG_OPEN};
    struct tg_msg_open *o = &m.u.open;
    o->lease = l->id;
    o->owner = l->owner;
    o->depth = l->depth;
    o->shape = tg_shape_new(&l->shape);
    o->ncpus = l->take.n[TG_RES_CPU];
    o->ngpus = l->take.n[TG_RES_GPU];
    size_t n = (size_t)o->ncpus + o->ngpus;
    o->ids = tg_grow(NULL, n + 1, sizeof *o->ids);
    memcpy(o->ids, l->take.ids, n * sizeof *o->ids);
    tg_ctx_send(h->ctx, l->worker, &m);
}

static void grant(struct tg_head *h, struct tg_demand *d, int32_t rank)
{
    uint64_t handle;
    struct tg_hlease_entry *e = tg_slab_new(&h->leases, &handle);
    struct tg_hlease *l = &e->l;
    l->id = (uint64_t)rank << 40 | ++h->last_lease[rank];
    l->self = handle;
    l->cls = d->cls;
    l->owner = d->owner;
    l->worker = rank;
    l->depth = d->depth;
    l->shape = d->shape;
    l->since_ns = h->ctx->now_ns;
    HASH_ADD(hh, h->by_id, l.id, sizeof e->l.id, e);
    tg_site_take(&h->sites[rank], &l->shape, &l->take);
    tg_head_admitted(h, rank, d->depth);
    d->granted++;
    d->active++;
    d->since_ns = h->ctx->now_ns;
    h->clock = h->used_time[d->owner];
    h->used_time[d->owner] += core_time(&d->shape, h->ctx->lim.balance_ns);
    h->leased[d->owner] += d->shape.amount[TG_RES_CPU];
    if (h->reserved_for == d->self)
        h->reserved_for = 0;
    h->decisions++;
    tell_worker(h, l);
    struct tg_msg m = {.type = TG_MSG_LEASE};
    m.u.lease.lease = l->id;
    m.u.lease.cls = l->cls;
    m.u.lease.worker = rank;
    tg_ctx_send(h->ctx, l->owner, &m);
}

/* The record goes; the ledger is the caller's affair. */
static void forget_lease(struct tg_head *h, struct tg_hlease_entry *e)
{
    struct tg_hlease *l = &e->l;
    h->leased[l->owner] -= l->shape.amount[TG_RES_CPU];
    h->used_time[l->owner] +=
        core_time(&l->shape, h->ctx->now_ns - l->since_ns);
    h->nlent[l->worker] -= l->lent;
    struct tg_demand_entry *d = find_demand(h, l->owner, l->cls);
    if (d != NULL) {
        d->d.active--;
        settle_demand(h, d);
    }
    free(l->take.ids);
    HASH_DEL(h->by_id, e);
    tg_slab_free(&h->leases, l->self);
}

static void on_closed(struct tg_head *h, int32_t from, uint64_t id)
{
    struct tg_hlease_entry *e = find_lease(h, id);
    TG_ASSERT(e != NULL && e->l.worker == from);
    h->decisions++;
    h->dirty = true;
    tg_site_give(&h->sites[from], &e->l.shape, &e->l.take, e->l.lent);
    forget_lease(h, e);
}

static void on_lend(struct tg_head *h, int32_t from, uint64_t id, bool lent)
{
    struct tg_hlease_entry *e = find_lease(h, id);
    TG_ASSERT(e != NULL && e->l.worker == from && e->l.lent != lent);
    e->l.lent = lent;
    if (lent) {
        tg_site_lend(&h->sites[from], &e->l.shape, &e->l.take);
        h->nlent[from]++;
        h->dirty = true;
    } else {
        tg_site_resume(&h->sites[from], &e->l.shape, &e->l.take);
        h->admit_pause[from] = 0;
        h->dirty = h->dirty || h->nlent[from] == h->ctx->lim.blocked_max;
        h->nlent[from]--;
    }
}

/* ----- who is next --------------------------------------------------------------------- */

/* Deeper first, then the owner with less core-time, then the older. */
static bool goes_before(const struct tg_head *h, const struct tg_demand *a,
                        const struct tg_demand *b)
{
    uint64_t ta = h->used_time[a->owner], tb = h->used_time[b->owner];
    if (a->depth != b->depth)
        return a->depth > b->depth;
    if (ta != tb)
        return ta < tb;
    if (a->since_ns != b->since_ns)
        return a->since_ns < b->since_ns;
    return a->self < b->self;
}

static struct tg_demand *next_demand(struct tg_head *h)
{
    struct tg_demand *best = NULL;
    struct tg_demand_entry *e;
    for (e = h->by_cls; e != NULL; e = e->hh.next)
        if (!e->d.tried && tg_demand_open(&e->d) > 0 &&
            (best == NULL || goes_before(h, &e->d, best)))
            best = &e->d;
    return best;
}

void tg_head_schedule(struct tg_head *h)
{
    if (!h->dirty)
        return;
    h->dirty = false;
    struct tg_demand_entry *e;
    for (e = h->by_cls; e != NULL; e = e->hh.next)
        e->d.tried = false;
    struct tg_demand *d;
    bool waits = false;
    while ((d = next_demand(h)) != NULL) {
        int32_t rank = tg_head_place(h, d);
        if (rank >= 0) {
            grant(h, d, rank);
        } else {
            d->tried = true;
            waits = true;
        }
    }
    if (waits && !h->balancing) {
        h->balancing = true;
        tg_timers_add(&h->ctx->timers, h->ctx->now_ns + h->ctx->lim.balance_ns,
                      TG_TIMER_BALANCE, 0);
    }
}

/* ----- fairness: a demand that starves -------------------------------------------------- */

static bool starves(const struct tg_head *h, const struct tg_demand *d)
{
    return tg_demand_open(d) > 0 && d->active == 0 &&
           d->since_ns + h->ctx->lim.balance_ns <= h->ctx->now_ns;
}

/* Half of what another owner has: time to share. */
static bool behind(const struct tg_head *h, const struct tg_demand *d)
{
    int64_t most = 0;
    for (int32_t r = 0; r < h->nranks; r++)
        if (r != d->owner && h->leased[r] > most)
            most = h->leased[r];
    return tg_demand_open(d) > 0 &&
           2 * (h->leased[d->owner] + d->shape.amount[TG_RES_CPU]) <= most;
}

static bool may_recall(const struct tg_hlease *l, const struct tg_demand *d)
{
    return l->depth <= d->depth && (l->owner != d->owner || l->cls != d->cls);
}

/* A rank that could serve d if leases of others came back: the one with the
 * most to spare; -1: none. */
static int32_t rank_to_reserve(const struct tg_head *h,
                               const struct tg_demand *d)
{
    int32_t best = -1;
    const struct tg_hlease_entry *e;
    for (e = h->by_id; e != NULL; e = e->hh.next) {
        int32_t r = e->l.worker;
        const struct tg_site *s = &h->sites[r];
        if (!may_recall(&e->l, d) || e->l.lent || !tg_site_can(s, &d->shape))
            continue;
        if (d->shape.strategy == TRYGON_STRATEGY_NODE && !d->shape.soft &&
            s->node != d->shape.node)
            continue;
        if (best < 0 || s->avail[TG_RES_CPU] > h->sites[best].avail[TG_RES_CPU])
            best = r;
    }
    return best;
}

/* Recall leases on the reserved rank until d would fit. */
static void recall_for(struct tg_head *h, const struct tg_demand *d)
{
    int64_t lacks[TG_RES_MAX];
    const struct tg_site *s = &h->sites[h->reserved_rank];
    for (int r = 0; r < TG_RES_MAX; r++)
        lacks[r] = d->shape.amount[r] - s->avail[r];
    struct tg_hlease_entry *e;
    for (e = h->by_id; e != NULL; e = e->hh.next) {
        struct tg_hlease *l = &e->l;
        bool helps = false;
        for (int r = 0; r < TG_RES_MAX; r++)
            helps = helps || (lacks[r] > 0 && l->shape.amount[r] > 0);
        if (l->worker != h->reserved_rank || l->lent || !helps ||
            !may_recall(l, d))
            continue;
        for (int r = 0; r < TG_RES_MAX; r++)
            lacks[r] -= l->shape.amount[r];
        if (l->recalled)
            continue;
        l->recalled = true;
        struct tg_msg m = {.type = TG_MSG_RECALL};
        m.u.close.lease = l->id;
        tg_ctx_send(h->ctx, l->worker, &m);
    }
}

static void balance(struct tg_head *h)
{
    h->balancing = false;
    h->dirty = true; /* look again, and set the timer again if need be */
    struct tg_demand_entry *r = tg_slab_find(&h->demands, h->reserved_for);
    if (r != NULL && tg_demand_open(&r->d) > 0) {
        recall_for(h, &r->d);
        return;
    }
    h->reserved_for = 0;
    struct tg_demand *best = NULL;
    struct tg_demand_entry *e;
    for (e = h->by_cls; e != NULL; e = e->hh.next)
        if ((starves(h, &e->d) || behind(h, &e->d)) &&
            (best == NULL || goes_before(h, &e->d, best)))
            best = &e->d;
    int32_t rank = best != NULL ? rank_to_reserve(h, best) : -1;
    if (rank < 0)
        return;
    h->reserved_for = best->self;
    h->reserved_rank = rank;
    recall_for(h, best);
}

void tg_head_timer(struct tg_head *h, const struct tg_timer *t)
{
    if (t->kind == TG_TIMER_BALANCE)
        balance(h);
    else
        h->dirty = true; /* a rank admits one more */
}

/* ----- messages and loss ------------------------------------------------------------------ */

static void on_query(struct tg_head *h, int32_t from, uint64_t waiter)
{
    struct tg_msg m = {.type = TG_MSG_TABLE};
    m.u.table.waiter = waiter;
    m.u.table.n = (uint32_t)h->nranks;
    m.u.table.v = tg_alloc((size_t)h->nranks * sizeof *m.u.table.v);
    for (int32_t r = 0; r < h->nranks; r++) {
        struct tg_row *row = &m.u.table.v[r];
        row->rank = r;
        row->alive = h->sites[r].alive;
        memcpy(row->total, h->sites[r].total, sizeof row->total);
        memcpy(row->avail, h->sites[r].avail, sizeof row->avail);
    }
    tg_ctx_send(h->ctx, from, &m);
}

void tg_head_msg(struct tg_head *h, int32_t from, struct tg_msg *m)
{
    if (m->type == TG_MSG_DEMAND)
        on_demand(h, from, &m->u.demand);
    else if (m->type == TG_MSG_CLOSED)
        on_closed(h, from, m->u.close.lease);
    else if (m->type == TG_MSG_LEND || m->type == TG_MSG_RESUME)
        on_lend(h, from, m->u.close.lease, m->type == TG_MSG_LEND);
    else if (m->type == TG_MSG_QUERY)
        on_query(h, from, m->u.query.waiter);
    else
        TG_UNREACHABLE();
}

void tg_head_gone(struct tg_head *h, int32_t rank)
{
    h->sites[rank].alive = false;
    struct tg_hlease_entry *l, *lnext;
    HASH_ITER (hh, h->by_id, l, lnext) {
        if (l->l.worker == rank)
            forget_lease(h, l);
    }
    struct tg_demand_entry *e, *next;
    HASH_ITER (hh, h->by_cls, e, next) {
        if (e->d.owner == rank)
            forget_demand(h, e);
        else
            judge(h, &e->d);
    }
    if (h->reserved_rank == rank)
        h->reserved_for = 0;
    h->dirty = true;
}

/* ----- looking ------------------------------------------------------------------------------ */

void tg_head_check(const struct tg_head *h)
{
    int64_t(*taken)[TG_RES_MAX] = tg_alloc((size_t)h->nranks * sizeof *taken);
    uint32_t *lent = tg_alloc((size_t)h->nranks * sizeof *lent);
    const struct tg_hlease_entry *l;
    for (l = h->by_id; l != NULL; l = l->hh.next) {
        TG_ASSERT(h->sites[l->l.worker].alive);
        lent[l->l.worker] += l->l.lent;
        for (int r = 0; r < TG_RES_MAX; r++)
            if (r != TG_RES_CPU || !l->l.lent)
                taken[l->l.worker][r] += l->l.shape.amount[r];
    }
    for (int32_t i = 0; i < h->nranks; i++) {
        TG_ASSERT(h->nlent[i] == lent[i]);
        if (!h->sites[i].alive)
            continue;
        tg_site_check(&h->sites[i]);
        for (int r = 0; r < TG_RES_MAX; r++)
            TG_ASSERT(h->sites[i].avail[r] ==
                      h->sites[i].total[r] - taken[i][r]);
    }
    free(taken);
    free(lent);
    const struct tg_demand_entry *e;
    for (e = h->by_cls; e != NULL; e = e->hh.next) {
        TG_ASSERT(e->d.want > 0 || e->d.active > 0);
        TG_ASSERT(!h->ctx->dead[e->d.owner]);
    }
}

bool tg_head_quiet(const struct tg_head *h)
{
    bool quiet = h->leases.used == 0 && h->demands.used == 0;
    for (int32_t r = 0; r < h->nranks; r++)
        quiet =
            quiet && (!h->sites[r].alive || tg_site_untouched(&h->sites[r]));
    return quiet;
}
