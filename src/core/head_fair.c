/* head_fair.c - a demand that starves, or whose owner has much less than
 * another, gets a rank reserved (head.h).
 *
 * This happens once in balance_ns while somebody waits, and each time looks at
 * a limited number of demands and of nodes, going round.
 */
#include "core/head_impl.h"

enum { DEMANDS = 256, NODES = 64 }; /* looked at in one go */

/* ----- the rank that is kept ------------------------------------------------------ */

struct tg_demand *tg_head_keeps(const struct tg_head *h, int32_t rank)
{
    if (h->reserved_for == 0 || h->reserved_rank != rank)
        return NULL;
    return tg_slab_find(&h->demands, h->reserved_for);
}

void tg_head_unreserve(struct tg_head *h)
{
    if (h->reserved_for == 0)
        return;
    h->reserved_for = 0;
    tg_places_update(h, h->reserved_rank);
    tg_head_freed(h, h->reserved_rank);
}

/* ----- who ---------------------------------------------------------------------------- */

struct rich { /* who has most, and how much the next one has */
    int32_t owner;
    int64_t most, next;
};

static struct rich richest(const struct tg_head *h)
{
    struct rich rich = {-1, 0, 0};
    for (int32_t r = 0; r < h->nranks; r++)
        if (h->leased[r] > rich.most) {
            rich.next = rich.most;
            rich.most = h->leased[r];
            rich.owner = r;
        } else if (h->leased[r] > rich.next) {
            rich.next = h->leased[r];
        }
    return rich;
}

static bool starves(const struct tg_head *h, const struct tg_demand *d)
{
    return d->active == 0 &&
           d->since_ns + h->ctx->lim.balance_ns <= h->ctx->now_ns;
}

/* Half of what another owner has: time to share. */
static bool behind(const struct tg_head *h, const struct tg_demand *d,
                   const struct rich *rich)
{
    int64_t most = rich->owner == d->owner ? rich->next : rich->most;
    return 2 * (h->leased[d->owner] + d->shape.amount[TG_RES_CPU]) <= most;
}

static struct tg_demand *who_suffers(struct tg_head *h)
{
    struct rich rich = richest(h);
    struct tg_demand *best = NULL;
    uint32_t most = h->demands.used < DEMANDS ? h->demands.used : DEMANDS;
    for (uint32_t i = 0; i < most; i++) {
        struct tg_demand *d = tg_slab_next(&h->demands, &h->balance_at);
        if (d == NULL) {
            h->balance_at = 0;
            d = tg_slab_next(&h->demands, &h->balance_at);
        }
        if (d->waiting && (starves(h, d) || behind(h, d, &rich)) &&
            (best == NULL || tg_queue_before(&h->queue, d, best)))
            best = d;
    }
    return best;
}

/* ----- where ---------------------------------------------------------------------------- */

static bool may_recall(const struct tg_hlease *l, const struct tg_demand *d)
{
    return !l->lent && l->demand != d && l->demand->depth <= d->depth;
}

static bool has_some(const struct tg_head *h, int32_t rank,
                     const struct tg_demand *d)
{
    const struct tg_hlease *l = tg_hlease_next(h, rank, NULL);
    while (l != NULL && !may_recall(l, d))
        l = tg_hlease_next(h, rank, l);
    return l != NULL;
}

/* A rank of the node that could serve d if leases of others came back, and has
 * more to spare than `best`; else `best`. */
static int32_t better_of_node(const struct tg_head *h, int32_t node,
                              const struct tg_demand *d, int32_t best)
{
    const struct tg_node *n = &h->places.nodes[node];
    for (int32_t i = 0; i < n->nranks; i++) {
        int32_t r = h->places.by_node[n->first + i];
        const struct tg_site *s = &h->sites[r];
        if (tg_site_can(s, &d->shape) &&
            (best < 0 ||
             s->avail[TG_RES_CPU] > h->sites[best].avail[TG_RES_CPU]) &&
            has_some(h, r, d))
            best = r;
    }
    return best;
}

static int32_t rank_to_reserve(struct tg_head *h, const struct tg_demand *d)
{
    struct tg_places *p = &h->places;
    int32_t node = tg_demand_node(d), best = -1;
    if (node >= 0)
        return better_of_node(h, node, d, -1);
    int32_t from = p->reserve_at, most = h->nnodes < NODES ? h->nnodes : NODES;
    for (int32_t i = 0; i < most; i++) {
        int32_t row = tg_places_can(h, &d->shape, from);
        if (row < 0)
            row = tg_places_can(h, &d->shape, 0);
        if (row < 0)
            break;
        best = better_of_node(h, p->node_at[row], d, best);
        from = row + 1;
    }
    p->reserve_at = from;
    return best;
}

/* Recall leases on the reserved rank until d would fit. */
static void recall_for(struct tg_head *h, const struct tg_demand *d)
{
    int64_t lacks[TG_RES_MAX];
    const struct tg_site *s = &h->sites[h->reserved_rank];
    for (int r = 0; r < TG_RES_MAX; r++)
        lacks[r] = d->shape.amount[r] - s->avail[r];
    struct tg_hlease *l = NULL;
    while ((l = tg_hlease_next(h, h->reserved_rank, l)) != NULL) {
        const struct tg_shape *has = &l->demand->shape;
        bool helps = false;
        for (int r = 0; r < TG_RES_MAX; r++)
            helps = helps || (lacks[r] > 0 && has->amount[r] > 0);
        if (!helps || !may_recall(l, d))
            continue;
        for (int r = 0; r < TG_RES_MAX; r++)
            lacks[r] -= has->amount[r];
        if (l->recalled)
            continue;
        l->recalled = true;
        struct tg_msg m = {.type = TG_MSG_RECALL};
        m.u.close.lease = l->id;
        tg_ctx_send(h->ctx, h->reserved_rank, &m);
    }
}

void tg_head_balance(struct tg_head *h)
{
    h->balancing = false;
    tg_head_look_again(h); /* and set the timer again if need be */
    struct tg_demand *d = tg_slab_find(&h->demands, h->reserved_for);
    if (d == NULL || !d->waiting) {
        tg_head_unreserve(h);
        d = who_suffers(h);
        int32_t rank = d != NULL ? rank_to_reserve(h, d) : -1;
        if (rank < 0)
            return;
        h->reserved_for = d->self;
        h->reserved_rank = rank;
        tg_places_update(h, rank);
    }
    recall_for(h, d);
}
