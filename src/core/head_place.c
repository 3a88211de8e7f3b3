/* head_place.c - where a lease goes (head.h).
 *
 * Ray's hybrid rule for the default strategy: near the data; else the owner's
 * node while it is less than half full; else a node less than half full; else
 * the least full one, by chance among the best fifth of the nodes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/head.h"
#include "core/head_impl.h"

/* ----- does it fit -------------------------------------------------------------- */

/* A rank whose tasks are nearly all blocked takes deeper work at once and
 * depth-0 work only now and then, so that a thousand parents do not become a
 * thousand stacks and still none waits for ever. */
static bool admits(const struct tg_head *h, int32_t rank, int32_t depth)
{
    return depth > 0 || h->nlent[rank] < h->ctx->lim.blocked_max ||
           h->ctx->now_ns >= h->admit_at[rank];
}

void tg_head_admitted(struct tg_head *h, int32_t rank, int32_t depth)
{
    if (depth > 0 || h->nlent[rank] < h->ctx->lim.blocked_max)
        return;
    static const uint64_t most_ns = UINT64_C(1000000000);
    uint64_t pause = h->admit_pause[rank] * 2;
    if (pause == 0)
        pause = h->ctx->lim.admit_ns;
    h->admit_pause[rank] = pause > most_ns ? most_ns : pause;
    h->admit_at[rank] = h->ctx->now_ns + h->admit_pause[rank];
    tg_timers_add(&h->ctx->timers, h->admit_at[rank], TG_TIMER_ADMIT,
                  (uint64_t)rank);
}

static bool allowed(const struct tg_head *h, int32_t rank,
                    const struct tg_demand *d)
{
    if (h->reserved_for != 0 && h->reserved_rank == rank &&
        h->reserved_for != d->self) {
        const struct tg_demand_entry *r =
            tg_slab_find(&h->demands, h->reserved_for);
        if (r != NULL && d->depth <= r->d.depth)
            return false;
    }
    if (d->shape.strategy == TRYGON_STRATEGY_NODE && !d->shape.soft &&
        h->sites[rank].node != d->shape.node)
        return false;
    return admits(h, rank, d->depth);
}

static bool fits(const struct tg_head *h, int32_t rank,
                 const struct tg_demand *d)
{
    return tg_site_fits(&h->sites[rank], &d->shape) && allowed(h, rank, d);
}

/* The emptiest rank of a node that has room; -1: none. */
static int32_t best_of_node(const struct tg_head *h, int32_t node,
                            const struct tg_demand *d)
{
    int32_t best = -1;
    for (int32_t r = 0; r < h->nranks; r++) {
        if (h->sites[r].node != node || !fits(h, r, d))
            continue;
        if (best < 0 ||
            h->sites[r].avail[TG_RES_CPU] > h->sites[best].avail[TG_RES_CPU])
            best = r;
    }
    return best;
}

/* ----- the strategies -------------------------------------------------------------- */

struct tg_load {          /* of a node */
    int64_t total, taken; /* CPUs */
    int32_t best;         /* its emptiest rank with room; -1 */
};

/* 0 while less than half of the CPUs is taken, else the part in 1/1000. */
static int64_t score(const struct tg_load *n)
{
    if (n->total <= 0 || 2 * n->taken < n->total)
        return 0;
    return 1000 * n->taken / n->total;
}

static struct tg_load *weigh(const struct tg_head *h, const struct tg_demand *d)
{
    struct tg_load *v = tg_alloc(((size_t)h->nnodes + 1) * sizeof *v);
    for (int32_t n = 0; n < h->nnodes; n++)
        v[n].best = -1;
    for (int32_t r = 0; r < h->nranks; r++) {
        const struct tg_site *s = &h->sites[r];
        if (!s->alive)
            continue;
        struct tg_load *n = &v[s->node];
        n->total += s->total[TG_RES_CPU];
        n->taken += s->total[TG_RES_CPU] - s->avail[TG_RES_CPU];
        if (fits(h, r, d) &&
            (n->best < 0 ||
             s->avail[TG_RES_CPU] > h->sites[n->best].avail[TG_RES_CPU]))
            n->best = r;
    }
    return v;
}

static int32_t place_hybrid(struct tg_head *h, const struct tg_demand *d)
{
    struct tg_load *v = weigh(h, d);
    const struct tg_load *own = &v[h->sites[d->owner].node];
    int32_t found = own->best >= 0 && score(own) == 0 ? own->best : -1;
    if (found < 0) { /* the best score, then chance among the first of them */
        int64_t best = INT64_MAX;
        uint32_t ties = 0, most = (uint32_t)h->nnodes / 5;
        for (int32_t n = 0; n < h->nnodes; n++) {
            if (v[n].best < 0 || score(&v[n]) > best)
                continue;
            if (score(&v[n]) < best) {
                best = score(&v[n]);
                ties = 0;
            }
            if (ties > 0 && ties >= most)
                continue;
            ties++;
            if (tg_rng_below(&h->ctx->rng, ties) == 0)
                found = v[n].best;
        }
    }
    free(v);
    return found;
}

static int32_t place_spread(struct tg_head *h, const struct tg_demand *d)
{
    for (int32_t i = 1; i <= h->nnodes; i++) {
        int32_t n = (h->spread_at + i) % h->nnodes;
        int32_t r = best_of_node(h, n, d);
        if (r >= 0) {
            h->spread_at = n;
            return r;
        }
    }
    return -1;
}

static int32_t place_near(const struct tg_head *h, const struct tg_demand *d)
{
    for (int32_t i = 0; i < d->nprefer; i++)
        if (fits(h, d->prefer[i], d))
            return d->prefer[i];
    for (int32_t i = 0; i < d->nprefer; i++) {
        int32_t r = best_of_node(h, h->sites[d->prefer[i]].node, d);
        if (r >= 0)
            return r;
    }
    return -1;
}

int32_t tg_head_place(struct tg_head *h, const struct tg_demand *d)
{
    int32_t r = -1;
    if (h->reserved_for == d->self && h->reserved_for != 0 &&
        fits(h, h->reserved_rank, d))
        return h->reserved_rank;
    switch ((enum trygon_strategy)d->shape.strategy) {
    case TRYGON_STRATEGY_SPREAD: /* beats locality */ return place_spread(h, d);
    case TRYGON_STRATEGY_NODE:
        r = best_of_node(h, d->shape.node, d);
        if (r >= 0 || !d->shape.soft)
            return r;
        break;
    case TRYGON_STRATEGY_DEFAULT: break;
    }
    r = place_near(h, d);
    return r >= 0 ? r : place_hybrid(h, d);
}

/* ----- why not ------------------------------------------------------------------------ */

static bool node_lives(const struct tg_head *h, int32_t node)
{
    for (int32_t r = 0; r < h->nranks; r++)
        if (h->sites[r].alive && h->sites[r].node == node)
            return true;
    return false;
}

static bool hard_node(const struct tg_demand *d)
{
    return d->shape.strategy == TRYGON_STRATEGY_NODE && !d->shape.soft;
}

/* Name the first resource of which no rank has enough. */
static void say_why(const struct tg_head *h, const struct tg_demand *d,
                    char *reason, size_t size)
{
    char want[32], have[32];
    for (int i = 0; i < TG_RES_MAX; i++) {
        int64_t most = 0;
        for (int32_t r = 0; r < h->nranks; r++) {
            const struct tg_site *s = &h->sites[r];
            bool counts =
                s->alive && (!hard_node(d) || s->node == d->shape.node);
            if (counts && s->total[i] > most)
                most = s->total[i];
        }
        if (d->shape.amount[i] <= most)
            continue;
        if (i == TG_RES_UNKNOWN) { /* its name never left the owner */
            snprintf(reason, size, "needs a resource that no rank has");
            return;
        }
        const char *name = h->res_names[i];
        bool bytes = i == TG_RES_MEMORY;
        snprintf(
            reason, size, "needs %s %s on one rank, the largest has %s",
            tg_amount_text(d->shape.amount[i] * (bytes ? TG_UNIT : 1), want,
                           sizeof want),
            bytes ? "bytes of memory" : name,
            tg_amount_text(most * (bytes ? TG_UNIT : 1), have, sizeof have));
        return;
    }
    snprintf(reason, size,
             "no rank has all that it needs at once, only one after another");
}

bool tg_head_feasible(const struct tg_head *h, const struct tg_demand *d,
                      char *reason, size_t size, bool *final)
{
    *final = d->shape.fail;
    if (hard_node(d) && !node_lives(h, d->shape.node)) {
        *final = true; /* Ray: a hard affinity to no node fails */
        snprintf(reason, size, "needs node %d, which does not exist%s",
                 (int)d->shape.node,
                 d->shape.node < h->nnodes && d->shape.node >= 0 ? " any more"
                                                                 : "");
        return false;
    }
    for (int32_t r = 0; r < h->nranks; r++)
        if ((!hard_node(d) || h->sites[r].node == d->shape.node) &&
            tg_site_can(&h->sites[r], &d->shape))
            return true;
    say_why(h, d, reason, size);
    return false;
}
