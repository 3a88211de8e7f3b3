/* head.c - see head.h: demand, leases and what is said about them.  Who is next
 * is head_queue.c, where a lease goes head_place.c, whose leases are recalled
 * head_fair.c; what a rank has is ledger.c. */
#include "core/head.h"

#include <stdlib.h>
#include <string.h>

#include "core/head_impl.h"

void tg_head_init(struct tg_head *h, struct tg_ctx *ctx,
                  const struct tg_head_config *config)
{
    *h = (struct tg_head){.ctx = ctx};
    struct tg_region *region = &h->region;
    size_t n = (size_t)config->nranks;
    h->nranks = config->nranks;
    h->nnodes = config->nnodes;
    h->res_names = config->res_names;
    h->sites = tg_region_get(region, n * sizeof *h->sites);
    h->used_time = tg_region_get(region, n * sizeof *h->used_time);
    h->leased = tg_region_get(region, n * sizeof *h->leased);
    h->nlent = tg_region_get(region, n * sizeof *h->nlent);
    h->leases = tg_region_get(region, n * sizeof *h->leases);
    h->is_freed = tg_region_get(region, n * sizeof *h->is_freed);
    h->admit_at = tg_region_get(region, n * sizeof *h->admit_at);
    h->admit_pause = tg_region_get(region, n * sizeof *h->admit_pause);
    for (int32_t r = 0; r < h->nranks; r++)
        tg_site_init(&h->sites[r], region, config->node[r], config->total[r]);
    tg_slab_init(&h->demands, sizeof(struct tg_demand_entry));
    tg_places_init(h);
    tg_queue_init(&h->queue, h->nnodes, h->used_time);
}

void tg_head_fini(struct tg_head *h)
{
    uint32_t slot = 0;
    struct tg_demand *d;
    while ((d = tg_slab_next(&h->demands, &slot)) != NULL) {
        if (d->waiting)
            tg_queue_remove(&h->queue, d);
        tg_queue_forget(&h->queue, d);
    }
    tg_queue_fini(&h->queue);
    for (int32_t r = 0; r < h->nranks; r++) {
        struct tg_hlease *l = NULL;
        while ((l = tg_hlease_next(h, r, l)) != NULL)
            tg_take_fini(&l->take);
    }
    HASH_CLEAR(hh, h->by_cls);
    tg_slab_fini(&h->demands);
    tg_vec_free(&h->freed);
    tg_region_fini(&h->region);
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

/* Some of it is open, so it waits; or nothing is. */
static void enqueue(struct tg_head *h, struct tg_demand *d)
{
    bool open = tg_demand_open(d) > 0;
    if (open && !d->waiting) {
        tg_queue_add(&h->queue, d);
        tg_head_look_again(h);
    } else if (!open && d->waiting) {
        tg_queue_remove(&h->queue, d);
    }
}

static void forget_demand(struct tg_head *h, struct tg_demand_entry *e)
{
    if (h->reserved_for == e->d.self)
        tg_head_unreserve(h);
    tg_queue_forget(&h->queue, &e->d);
    HASH_DEL(h->by_cls, e);
    tg_slab_free(&h->demands, e->d.self);
}

/* An owner whose last lease is granted says no more, so a demand ends when
 * nothing of it is open and its last lease is closed. */
static void settle_demand(struct tg_head *h, struct tg_demand *d)
{
    bool wants = d->infeasible ? d->want > 0 : d->waiting;
    if (!wants && d->active == 0)
        forget_demand(h, (struct tg_demand_entry *)d);
}

/* May the class run?  Tell its owner once for each reason why not. */
static void judge(struct tg_head *h, struct tg_demand *d)
{
    char reason[sizeof d->reason];
    bool final = false;
    d->infeasible = !tg_head_feasible(h, d, reason, sizeof reason, &final);
    if (!d->infeasible) {
        d->reason[0] = '\0';
        return;
    }
    if (d->want == 0 || strcmp(reason, d->reason) == 0)
        return;
    memcpy(d->reason, reason, sizeof reason);
    h->decisions++;
    struct tg_msg m = {.type = TG_MSG_REFUSE};
    m.u.refuse.cls = d->cls;
    m.u.refuse.final = final;
    m.u.refuse.reason = tg_strdup(reason);
    tg_ctx_send(h->ctx, d->owner, &m);
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
    bool known = e != NULL;
    if (!known)
        e = new_demand(h, from, m);
    struct tg_demand *d = &e->d;
    if (!d->waiting)
        d->since_ns = h->ctx->now_ns;
    d->want = m->want;
    d->received = m->received;
    if ((int32_t)(d->granted - d->received) < 0)
        d->granted = d->received; /* one came late, after we had forgotten */
    d->nprefer = 0;
    for (int32_t i = 0; i < m->nprefer; i++)
        if (m->prefer[i] >= 0 && m->prefer[i] < h->nranks)
            d->prefer[d->nprefer++] = m->prefer[i];
    if (!known || d->infeasible)
        judge(h, d); /* what may run does so until a rank is lost */
    enqueue(h, d);
    settle_demand(h, d);
}

/* ----- leases ------------------------------------------------------------------------ */

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
    o->owner = l->demand->owner;
    o->depth = l->demand->depth;
    o->shape = tg_shape_new(&l->demand->shape);
    o->ncpus = l->take.n[TG_RES_CPU];
    o->ngpus = l->take.n[TG_RES_GPU];
    size_t n = (size_t)o->ncpus + o->ngpus;
    o->ids = tg_grow(NULL, n + 1, sizeof *o->ids);
    memcpy(o->ids, tg_take_ids(&l->take), n * sizeof *o->ids);
    tg_ctx_send(h->ctx, tg_hlease_worker(l), &m);
}

static void tell_owner(struct tg_head *h, const struct tg_hlease *l)
{
    struct tg_msg m = {.type = TG_MSG_LEASE};
    m.u.lease.lease = l->id;
    m.u.lease.cls = l->demand->cls;
    m.u.lease.worker = tg_hlease_worker(l);
    tg_ctx_send(h->ctx, l->demand->owner, &m);
}

/* What a large machine has is in no cache.  What a decision about a rank needs
 * is fetched all at once and not one after the other, as it is looked at.  For
 * lease `id`, or 0: the next one. */
static void fetch(const struct tg_head *h, int32_t rank, uint64_t id)
{
    const struct tg_site *s = &h->sites[rank];
    const struct tg_seat *seat = &h->places.seats[rank];
    const struct tg_leases *o = &h->leases[rank];
    const int64_t *row = tg_tree_row(&h->places.room, seat->at);
    __builtin_prefetch(s);
    __builtin_prefetch(&s->avail[0]);
    __builtin_prefetch(&s->total[0]);
    __builtin_prefetch(seat->node);
    __builtin_prefetch(row);
    __builtin_prefetch(row + h->places.room.cols - 1);
    if (o->cap > 0)
        __builtin_prefetch(&o->v[(id != 0 ? id : o->last + 1) & (o->cap - 1)]);
    __builtin_prefetch(s->bits);
}

static void grant(struct tg_head *h, struct tg_demand *d, int32_t rank)
{
    struct tg_take take;
    struct tg_site *site = &h->sites[rank];
    fetch(h, rank, 0);
    tg_site_take(site, &d->shape, &take);
    struct tg_hlease *l = tg_hlease_new(h, rank);
    l->demand = d;
    l->since_ns = h->ctx->now_ns;
    l->take = take;
    tg_head_admitted(h, rank, d->depth);
    tg_places_update(h, rank);
    if (d->shape.strategy == TRYGON_STRATEGY_SPREAD)
        h->places.spread_at = h->places.nodes[site->node].at;
    d->granted++;
    d->active++;
    d->since_ns = h->ctx->now_ns;
    h->clock = h->used_time[d->owner];
    h->used_time[d->owner] += core_time(&d->shape, h->ctx->lim.balance_ns);
    h->leased[d->owner] += d->shape.amount[TG_RES_CPU];
    if (h->reserved_for == d->self)
        tg_head_unreserve(h);
    h->decisions++;
    tell_worker(h, l);
    tell_owner(h, l);
    if (tg_demand_open(d) > 0)
        tg_queue_move(&h->queue, d);
    else
        tg_queue_remove(&h->queue, d);
}

/* The record goes; the ledger is the caller's affair. */
static void forget_lease(struct tg_head *h, struct tg_hlease *l)
{
    struct tg_demand *d = l->demand;
    h->leased[d->owner] -= d->shape.amount[TG_RES_CPU];
    h->used_time[d->owner] +=
        core_time(&d->shape, h->ctx->now_ns - l->since_ns);
    h->nlent[tg_hlease_worker(l)] -= l->lent;
    d->active--;
    tg_take_fini(&l->take);
    tg_hlease_free(h, l);
    settle_demand(h, d);
}

static struct tg_hlease *lease_of(const struct tg_head *h, int32_t worker,
                                  uint64_t id)
{
    struct tg_hlease *l = tg_hlease_find(h, id);
    TG_ASSERT(l != NULL && tg_hlease_worker(l) == worker);
    return l;
}

static void on_closed(struct tg_head *h, int32_t from, uint64_t id)
{
    fetch(h, from, id);
    struct tg_hlease *l = lease_of(h, from, id);
    h->decisions++;
    tg_site_give(&h->sites[from], &l->demand->shape, &l->take, l->lent);
    forget_lease(h, l);
    tg_places_update(h, from);
    tg_head_freed(h, from);
}

static void on_lend(struct tg_head *h, int32_t from, uint64_t id, bool lent)
{
    struct tg_hlease *l = lease_of(h, from, id);
    TG_ASSERT(l->lent != lent);
    l->lent = lent;
    if (lent) {
        tg_site_lend(&h->sites[from], &l->demand->shape, &l->take);
        h->nlent[from]++;
    } else {
        tg_site_resume(&h->sites[from], &l->demand->shape, &l->take);
        h->admit_pause[from] = 0;
        h->nlent[from]--;
    }
    tg_places_update(h, from);
    tg_head_freed(h, from); /* also when one blocked task less is there */
}

/* ----- who gets what ------------------------------------------------------------------- */

void tg_head_freed(struct tg_head *h, int32_t rank)
{
    if (h->queue.nparked == 0 || h->is_freed[rank] || !h->sites[rank].alive)
        return;
    h->is_freed[rank] = true;
    *tg_vec_add(&h->freed) = rank;
    tg_head_look_again(h);
}

static void serve(struct tg_head *h, struct tg_demand *d)
{
    int32_t rank = tg_head_place(h, d);
    if (rank >= 0)
        grant(h, d, rank);
    else
        tg_queue_park(&h->queue, d);
}

/* Who is first of those that the rank may take, and fits. */
static struct tg_demand *first_for(struct tg_head *h, int32_t rank)
{
    const struct tg_site *s = &h->sites[rank];
    struct tg_demand *kept = tg_head_keeps(h, rank);
    int32_t above = tg_head_admits(h, rank) ? INT32_MIN : 0;
    if (kept != NULL && kept->depth > above)
        above = kept->depth;
    struct tg_demand *d = tg_queue_fits(&h->queue, s->room, s->node, above);
    if (d == NULL && kept != NULL && kept->waiting &&
        tg_head_fits(h, rank, kept))
        d = kept;
    return d;
}

/* A rank with more room than before is offered to who fits there.  Those who
 * are new are placed as their strategy wants, wherever that is. */
static void offer(struct tg_head *h, int32_t rank)
{
    struct tg_demand *d;
    while (h->sites[rank].alive && (d = first_for(h, rank)) != NULL) {
        struct tg_demand *other = tg_queue_fresh(&h->queue);
        if (other != NULL && tg_queue_before(&h->queue, other, d))
            serve(h, other);
        else
            grant(h, d, rank);
    }
}

void tg_head_schedule(struct tg_head *h)
{
    if (!h->dirty)
        return;
    struct tg_demand *d;
    for (;;) {
        if (h->freed.n > 0) {
            int32_t rank = h->freed.v[--h->freed.n];
            h->is_freed[rank] = false;
            offer(h, rank);
        } else if ((d = tg_queue_fresh(&h->queue)) != NULL) {
            serve(h, d);
        } else {
            break;
        }
    }
    h->dirty = false;
    if (h->queue.nparked > 0 && !h->balancing) {
        h->balancing = true;
        tg_timers_add(&h->ctx->timers, h->ctx->now_ns + h->ctx->lim.balance_ns,
                      TG_TIMER_BALANCE, 0);
    }
}

/* After a pause a rank with many blocked tasks takes one more. */
static void admit(struct tg_head *h, int32_t rank)
{
    if (h->admit_at[rank] == 0 || h->ctx->now_ns < h->admit_at[rank])
        return;
    h->admit_at[rank] = 0;
    tg_places_update(h, rank);
    tg_head_freed(h, rank);
}

void tg_head_timer(struct tg_head *h, const struct tg_timer *t)
{
    if (t->kind == TG_TIMER_BALANCE)
        tg_head_balance(h);
    else
        admit(h, (int32_t)t->handle);
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

/* A demand of a lost owner stays without wanting anything, for its leases. */
static void on_owner_gone(struct tg_head *h, struct tg_demand *d)
{
    d->want = 0;
    d->infeasible = false;
    enqueue(h, d);
    if (h->reserved_for == d->self)
        tg_head_unreserve(h);
    settle_demand(h, d);
}

void tg_head_gone(struct tg_head *h, int32_t rank)
{
    h->sites[rank].alive = false;
    if (h->reserved_rank == rank)
        h->reserved_for = 0;
    struct tg_hlease *l;
    while ((l = tg_hlease_next(h, rank, NULL)) != NULL)
        forget_lease(h, l);
    tg_places_gone(h, rank);
    struct tg_demand_entry *e, *next;
    HASH_ITER (hh, h->by_cls, e, next) {
        if (e->d.owner == rank) {
            on_owner_gone(h, &e->d);
        } else if (!h->ctx->dead[e->d.owner]) {
            judge(h, &e->d);
            enqueue(h, &e->d);
        }
    }
}

/* ----- looking ------------------------------------------------------------------------------ */

static void check_leases(const struct tg_head *h)
{
    int64_t(*taken)[TG_RES_MAX] = tg_alloc((size_t)h->nranks * sizeof *taken);
    uint32_t *lent = tg_alloc((size_t)h->nranks * sizeof *lent);
    uint32_t n = 0;
    for (int32_t i = 0; i < h->nranks; i++) {
        const struct tg_hlease *l = NULL;
        while ((l = tg_hlease_next(h, i, l)) != NULL) {
            TG_ASSERT(h->sites[i].alive && tg_hlease_worker(l) == i);
            TG_ASSERT(tg_hlease_find(h, l->id) == l);
            n++;
            lent[i] += l->lent;
            for (int r = 0; r < TG_RES_MAX; r++)
                if (r != TG_RES_CPU || !l->lent)
                    taken[i][r] += l->demand->shape.amount[r];
        }
        TG_ASSERT(h->nlent[i] == lent[i]);
        if (!h->sites[i].alive)
            continue;
        tg_site_check(&h->sites[i]);
        for (int r = 0; r < TG_RES_MAX; r++)
            TG_ASSERT(h->sites[i].avail[r] ==
                      h->sites[i].total[r] - taken[i][r]);
    }
    TG_ASSERT(n == h->nleases);
    free(taken);
    free(lent);
}

/* Nobody waits for what is there; a small machine is looked through. */
static void check_demand(const struct tg_head *h, const struct tg_demand *d)
{
    TG_ASSERT(d->want > 0 || d->active > 0);
    TG_ASSERT(!h->ctx->dead[d->owner] || d->want == 0);
    TG_ASSERT(d->waiting == (tg_demand_open(d) > 0));
    if (!d->waiting || h->dirty)
        return;
    TG_ASSERT(!d->fresh && h->balancing);
    for (int32_t r = 0; r < h->nranks && h->nranks <= 64; r++)
        TG_ASSERT(!tg_head_fits(h, r, d));
}

void tg_head_check(const struct tg_head *h)
{
    check_leases(h);
    tg_places_check(h);
    tg_queue_check(&h->queue);
    TG_ASSERT(h->dirty || h->freed.n == 0);
    uint32_t slot = 0, active = 0, waiting = 0;
    const struct tg_demand *d;
    while ((d = tg_slab_next(&h->demands, &slot)) != NULL) {
        check_demand(h, d);
        active += d->active;
        waiting += d->waiting;
    }
    TG_ASSERT(active == h->nleases && waiting >= h->queue.nparked);
}

bool tg_head_quiet(const struct tg_head *h)
{
    bool quiet = h->nleases == 0 && h->demands.used == 0;
    for (int32_t r = 0; r < h->nranks; r++)
        quiet =
            quiet && (!h->sites[r].alive || tg_site_untouched(&h->sites[r]));
    return quiet;
}
