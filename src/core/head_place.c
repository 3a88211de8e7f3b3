/* head_place.c - where a lease goes (head.h).
 *
 * Ray's hybrid rule for the default strategy: near the data; else the owner's
 * node while it is less than half full; else a node less than half full; else
 * the least full one.  Where Ray orders all nodes and takes one of the best
 * fifth by chance, two are probed: the first node less than half full, and the
 * first one from some place in the fifth of the nodes behind it.
 *
 * Each node has a row in a tree (head_tree.h): the most room that any of its
 * ranks has of each resource, and more.  Each node has a small tree of its
 * ranks.  Nodes with the same kinds of resources stand together, those with
 * few kinds first: who needs a GPU looks at no others, and who needs none
 * takes them last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/head.h"
#include "core/head_impl.h"

enum {
    EMPTY = 1000, /* less than half of the CPUs is taken */
    LEVELS = 8    /* of an amount, see level() */
};

/* The columns of a row: the room of each resource; whether depth-0 work is
 * taken; how empty the node is (in the trees of ranks that says nothing).  Then
 * for each resource r but the CPU the set of pairs "so many CPUs and so much of
 * r", both in LEVELS steps. */
static int admit_col(const struct tg_head *h)
{
    return h->places.nres;
}

static int empty_col(const struct tg_head *h)
{
    return h->places.nres + 1;
}

static int pair_col(const struct tg_head *h, int r)
{
    return h->places.nres + 1 + r;
}

struct row {
    int64_t v[2 * TG_RES_MAX + 1];
};

/* ----- the machine -------------------------------------------------------------- */

static void order_ranks(struct tg_head *h)
{
    struct tg_places *p = &h->places;
    for (int32_t r = 0; r < h->nranks; r++)
        p->nodes[h->sites[r].node].nranks++;
    for (int32_t n = 1; n < h->nnodes; n++)
        p->nodes[n].first = p->nodes[n - 1].first + p->nodes[n - 1].nranks;
    for (int32_t n = 0; n < h->nnodes; n++) {
        if (p->nodes[n].nranks > 1)
            tg_tree_init(&p->nodes[n].room, &h->region, p->nodes[n].nranks,
                         p->nres + 2, p->nres - 1);
        p->nodes[n].nranks = 0;
    }
    for (int32_t r = 0; r < h->nranks; r++) {
        struct tg_node *n = &p->nodes[h->sites[r].node];
        p->seats[r].node = n;
        p->seats[r].row = n->nranks;
        p->by_node[n->first + n->nranks++] = r;
    }
}

/* Which resources a node has: a bit for each. */
static uint32_t kinds(const struct tg_head *h, int32_t node)
{
    const struct tg_node *n = &h->places.nodes[node];
    uint32_t bits = 0;
    for (int32_t i = 0; i < n->nranks; i++) {
        const struct tg_site *s = &h->sites[h->places.by_node[n->first + i]];
        for (int r = 0; r < h->places.nres; r++)
            bits |= (uint32_t)(s->total[r] > 0) << r;
    }
    return bits;
}

static void order_nodes(struct tg_head *h)
{
    struct tg_places *p = &h->places;
    uint32_t *bits = tg_alloc(((size_t)h->nnodes + 1) * sizeof *bits);
    for (int32_t n = 0; n < h->nnodes; n++)
        bits[n] = kinds(h, n);
    int32_t at = 0;
    for (uint32_t k = 0, next; at < h->nnodes; k = next) {
        next = UINT32_MAX; /* the kinds that are looked for after these */
        for (int32_t n = 0; n < h->nnodes; n++) {
            if (bits[n] == k) {
                p->nodes[n].at = at;
                p->node_at[at++] = n;
            } else if (bits[n] > k && bits[n] < next) {
                next = bits[n];
            }
        }
    }
    free(bits);
}

/* The largest total of each resource on the node's living ranks. */
static void set_totals(struct tg_head *h, int32_t node)
{
    const struct tg_node *n = &h->places.nodes[node];
    struct row most;
    memset(&most, -1, sizeof most);
    for (int32_t i = 0; i < n->nranks; i++) {
        const struct tg_site *s = &h->sites[h->places.by_node[n->first + i]];
        for (int r = 0; s->alive && r < h->places.nres; r++)
            if (s->total[r] > most.v[r])
                most.v[r] = s->total[r];
    }
    tg_tree_set(&h->places.total, n->at, most.v);
}

static int log2_of(int64_t amount)
{
    return 63 - __builtin_clzll((unsigned long long)amount);
}

void tg_places_init(struct tg_head *h)
{
    struct tg_places *p = &h->places;
    size_t nranks = (size_t)h->nranks, nnodes = (size_t)h->nnodes;
    p->nres = 1;
    for (int32_t i = 0; i < h->nranks; i++)
        for (int r = 0; r < TG_RES_MAX; r++) {
            int64_t total = h->sites[i].total[r];
            if (total > 0 && r >= p->nres)
                p->nres = r + 1;
            if (total > 0 && log2_of(total) > p->most_log2[r])
                p->most_log2[r] = log2_of(total);
        }
    struct tg_region *region = &h->region;
    p->nodes = tg_region_get(region, (nnodes + 1) * sizeof *p->nodes);
    p->node_at = tg_region_get(region, (nnodes + 1) * sizeof *p->node_at);
    p->seats = tg_region_get(region, nranks * sizeof *p->seats);
    p->by_node = tg_region_get(region, nranks * sizeof *p->by_node);
    tg_tree_init(&p->room, region, h->nnodes, p->nres + 2, p->nres - 1);
    tg_tree_init(&p->total, region, h->nnodes, p->nres, 0);
    order_ranks(h);
    order_nodes(h);
    for (int32_t r = 0; r < h->nranks; r++)
        p->seats[r].at = p->seats[r].node->at;
    for (int32_t n = 0; n < h->nnodes; n++)
        set_totals(h, n);
    for (int32_t r = 0; r < h->nranks; r++)
        tg_places_update(h, r);
}

/* 1000 while less than half of the CPUs is taken, then what is free of 1000
 * parts; a node without CPUs is full. */
static int64_t emptiness(const struct tg_node *n)
{
    if (2 * n->taken < n->total)
        return EMPTY;
    return n->total > 0 ? 1000 - 1000 * n->taken / n->total : 0;
}

/* 0 for nothing, then higher with each power of two; more is never lower. */
static int level(const struct tg_head *h, int r, int64_t amount)
{
    if (amount <= 0)
        return 0;
    int n = log2_of(amount) - h->places.most_log2[r] + LEVELS;
    return n < 1 ? 1 : n < LEVELS ? n : LEVELS - 1;
}

static int64_t pair(int cpus, int other)
{
    return (int64_t)(UINT64_C(1) << (cpus + LEVELS * other));
}

/* That pair and all that need less. */
static int64_t pairs(int cpus, int other)
{
    uint64_t some = (UINT64_C(2) << cpus) - 1; /* a byte for each level */
    uint64_t all = some * UINT64_C(0x0101010101010101);
    return (int64_t)(all >> LEVELS * (LEVELS - 1 - other));
}

/* What a rank has for whom it is not kept. */
static struct row rank_row(const struct tg_head *h, int32_t rank)
{
    const struct tg_site *s = &h->sites[rank];
    struct row row;
    int nres = h->places.nres, cpus = level(h, TG_RES_CPU, s->room[TG_RES_CPU]);
    bool free = s->alive && tg_head_keeps(h, rank) == NULL;
    for (int r = 0; r < nres; r++)
        row.v[r] = free ? s->room[r] : -1;
    row.v[admit_col(h)] = free ? tg_head_admits(h, rank) : -1;
    row.v[empty_col(h)] = free ? EMPTY : -1;
    for (int r = 1; r < nres; r++)
        row.v[pair_col(h, r)] =
            free && s->room[r] > 0 ? pairs(cpus, level(h, r, s->room[r])) : 0;
    return row;
}

static size_t row_size(const struct tg_head *h)
{
    return (size_t)h->places.room.cols * sizeof(int64_t);
}

void tg_places_update(struct tg_head *h, int32_t rank)
{
    struct tg_places *p = &h->places;
    const struct tg_site *s = &h->sites[rank];
    struct tg_seat *seat = &p->seats[rank];
    struct tg_node *n = seat->node;
    int64_t total = s->alive ? s->total[TG_RES_CPU] : 0;
    int64_t taken = s->alive ? total - s->avail[TG_RES_CPU] : 0;
    n->total += total - seat->total;
    n->taken += taken - seat->taken;
    seat->total = total;
    seat->taken = taken;
    struct row row = rank_row(h, rank);
    if (n->nranks > 1) {
        tg_tree_set(&n->room, seat->row, row.v);
        memcpy(row.v, tg_tree_top(&n->room), row_size(h));
    }
    row.v[empty_col(h)] = emptiness(n);
    tg_tree_set(&p->room, n->at, row.v);
}

void tg_places_gone(struct tg_head *h, int32_t rank)
{
    tg_places_update(h, rank);
    set_totals(h, h->sites[rank].node);
}

/* ----- does it fit -------------------------------------------------------------- */

/* A rank whose tasks are nearly all blocked takes deeper work at once and
 * depth-0 work only now and then, so that a thousand parents do not become a
 * thousand stacks and still none waits for ever. */
bool tg_head_admits(const struct tg_head *h, int32_t rank)
{
    return h->nlent[rank] < h->ctx->lim.blocked_max || h->admit_at[rank] == 0;
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
    const struct tg_demand *kept = tg_head_keeps(h, rank);
    if (kept != NULL && kept != d && d->depth <= kept->depth)
        return false;
    int32_t node = tg_demand_node(d);
    if (node >= 0 && h->sites[rank].node != node)
        return false;
    return d->depth > 0 || tg_head_admits(h, rank);
}

bool tg_head_fits(const struct tg_head *h, int32_t rank,
                  const struct tg_demand *d)
{
    return tg_site_fits(&h->sites[rank], &d->shape) && allowed(h, rank, d);
}

/* ----- the strategies -------------------------------------------------------------- */

struct place { /* what is looked for */
    struct tg_head *h;
    struct tg_need need;
};

static void add_need(struct tg_need *need, int col, int64_t least)
{
    need->amount[need->namounts].col = col;
    need->amount[need->namounts++].least = least;
}

/* Whoever needs nothing needs 0 CPUs: the dead have -1. */
static void needs_of(const struct tg_head *h, const struct tg_shape *shape,
                     struct tg_need *need)
{
    need->namounts = need->nsets = 0;
    add_need(need, TG_RES_CPU, shape->amount[TG_RES_CPU]);
    for (int r = 1; r < h->places.nres; r++)
        if (shape->amount[r] > 0)
            add_need(need, r, shape->amount[r]);
}

/* The demand is feasible, so it needs only what there is. */
static void look_for(struct place *l, struct tg_head *h,
                     const struct tg_demand *d)
{
    struct tg_need *need = &l->need;
    l->h = h;
    needs_of(h, &d->shape, need);
    int cpus = level(h, TG_RES_CPU, d->shape.amount[TG_RES_CPU]);
    for (int i = 1; i < need->namounts; i++, need->nsets++) {
        int r = need->amount[i].col;
        need->set[need->nsets].col = pair_col(h, r);
        need->set[need->nsets].bits =
            pair(cpus, level(h, r, need->amount[i].least));
    }
    if (d->depth == 0)
        add_need(need, admit_col(h), 1);
}

/* The emptiest rank of a node that has room; -1: none. */
static int32_t best_of_node(const struct place *l, int32_t node)
{
    const struct tg_places *p = &l->h->places;
    if (node < 0 || node >= l->h->nnodes)
        return -1;
    const struct tg_node *n = &p->nodes[node];
    if (n->nranks == 1)
        return tg_tree_covers(&p->room, n->at, &l->need) ? p->by_node[n->first]
                                                         : -1;
    int32_t i = tg_tree_best(&n->room, &l->need, TG_RES_CPU, NULL, NULL);
    return i < 0 ? -1 : p->by_node[n->first + i];
}

/* Likewise of the node in a row of the tree. */
static int32_t best_of_row(const struct place *l, int32_t row)
{
    return row < 0 ? -1 : best_of_node(l, l->h->places.node_at[row]);
}

static bool row_fits(void *arg, int32_t row)
{
    return best_of_row(arg, row) >= 0;
}

/* The first row from `from` on with a rank that fits; -1: none. */
static int32_t next_row(const struct place *l, int32_t from)
{
    int32_t row = tg_tree_next(&l->h->places.room, from, &l->need);
    while (row >= 0 && best_of_row(l, row) < 0)
        row = tg_tree_next(&l->h->places.room, row + 1, &l->need);
    return row;
}

static int32_t place_hybrid(struct place *l, int32_t owner)
{
    struct tg_head *h = l->h;
    const struct tg_tree *room = &h->places.room;
    const struct tg_node *own = &h->places.nodes[h->sites[owner].node];
    if (emptiness(own) == EMPTY) {
        int32_t rank = best_of_row(l, own->at);
        if (rank >= 0)
            return rank;
    }
    add_need(&l->need, empty_col(h), EMPTY);
    int32_t row = next_row(l, 0);
    uint32_t fifth = (uint32_t)h->nnodes / 5;
    if (row >= 0 && fifth > 1) {
        int32_t skip = (int32_t)tg_rng_below(&h->ctx->rng, fifth);
        int32_t other = next_row(l, row + skip);
        row = other >= 0 ? other : row;
    }
    l->need.namounts--;
    if (row < 0)
        row = tg_tree_best(room, &l->need, empty_col(h), row_fits, l);
    return best_of_row(l, row);
}

static int32_t place_spread(struct place *l)
{
    struct tg_places *p = &l->h->places;
    int32_t row = next_row(l, p->spread_at + 1);
    if (row < 0)
        row = next_row(l, 0);
    return best_of_row(l, row);
}

static int32_t place_near(const struct place *l, const struct tg_demand *d)
{
    for (int32_t i = 0; i < d->nprefer; i++) {
        if (tg_head_fits(l->h, d->prefer[i], d))
            return d->prefer[i];
        int32_t r = best_of_node(l, l->h->sites[d->prefer[i]].node);
        if (r >= 0)
            return r;
    }
    return -1;
}

static int32_t place(struct place *l, const struct tg_demand *d)
{
    int32_t r = -1;
    switch ((enum trygon_strategy)d->shape.strategy) {
    case TRYGON_STRATEGY_SPREAD: /* beats locality */ return place_spread(l);
    case TRYGON_STRATEGY_NODE:
        r = best_of_node(l, d->shape.node);
        if (r >= 0 || !d->shape.soft)
            return r;
        break;
    case TRYGON_STRATEGY_DEFAULT: break;
    }
    r = place_near(l, d);
    return r >= 0 ? r : place_hybrid(l, d->owner);
}

/* The rank that is kept for somebody is in no tree: only who is served first,
 * or deeper, asks for it. */
int32_t tg_head_place(struct tg_head *h, const struct tg_demand *d)
{
    struct place l;
    bool kept = h->reserved_for != 0 && tg_head_fits(h, h->reserved_rank, d);
    if (kept && tg_head_keeps(h, h->reserved_rank) == d)
        return h->reserved_rank;
    look_for(&l, h, d);
    int32_t rank = place(&l, d);
    return rank < 0 && kept ? h->reserved_rank : rank;
}

/* ----- why not ------------------------------------------------------------------------ */

/* Name the first resource of which no rank (that counts) has enough. */
static void say_why(const struct tg_head *h, const struct tg_demand *d,
                    const int64_t *totals, char *reason, size_t size)
{
    char want[32], have[32];
    for (int i = 0; i < TG_RES_MAX; i++) {
        int64_t most = i < h->places.nres && totals[i] > 0 ? totals[i] : 0;
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

static bool node_can(const struct tg_head *h, int32_t node,
                     const struct tg_shape *shape)
{
    const struct tg_node *n = &h->places.nodes[node];
    for (int32_t i = 0; i < n->nranks; i++)
        if (tg_site_can(&h->sites[h->places.by_node[n->first + i]], shape))
            return true;
    return false;
}

int32_t tg_places_can(const struct tg_head *h, const struct tg_shape *shape,
                      int32_t from)
{
    const struct tg_places *p = &h->places;
    struct tg_need need;
    needs_of(h, shape, &need);
    int32_t row = tg_tree_next(&p->total, from, &need);
    while (row >= 0 && !node_can(h, p->node_at[row], shape))
        row = tg_tree_next(&p->total, row + 1, &need);
    return row;
}

static bool any_can(const struct tg_head *h, const struct tg_shape *shape)
{
    for (int r = h->places.nres; r < TG_RES_MAX; r++)
        if (shape->amount[r] > 0)
            return false;
    return tg_places_can(h, shape, 0) >= 0;
}

bool tg_head_feasible(const struct tg_head *h, const struct tg_demand *d,
                      char *reason, size_t size, bool *final)
{
    *final = d->shape.fail;
    const struct tg_places *p = &h->places;
    const struct tg_shape *shape = &d->shape;
    const int64_t *totals = tg_tree_top(&p->total);
    if (shape->strategy == TRYGON_STRATEGY_NODE && !shape->soft) {
        int32_t node = shape->node;
        bool known = node >= 0 && node < h->nnodes;
        if (known)
            totals = tg_tree_row(&p->total, p->nodes[node].at);
        if (!known || totals[TG_RES_CPU] < 0) {
            *final = true; /* Ray: a hard affinity to no node fails */
            snprintf(reason, size, "needs node %d, which does not exist%s",
                     (int)node, known ? " any more" : "");
            return false;
        }
        if (node_can(h, node, shape))
            return true;
    } else if (any_can(h, shape)) {
        return true;
    }
    say_why(h, d, totals, reason, size);
    return false;
}

/* ----- looking ------------------------------------------------------------------------- */

static void check_node(const struct tg_head *h, const struct tg_node *n)
{
    const struct tg_places *p = &h->places;
    struct row most;
    int64_t taken = 0;
    memset(&most, 0, sizeof most);
    for (int i = 0; i < p->room.amounts; i++)
        most.v[i] = -1;
    for (int32_t k = 0; k < n->nranks; k++) {
        int32_t r = p->by_node[n->first + k];
        const struct tg_site *s = &h->sites[r];
        struct row row = rank_row(h, r);
        if (n->nranks > 1)
            TG_ASSERT(memcmp(row.v, tg_tree_row(&n->room, k), row_size(h)) ==
                      0);
        for (int i = 0; i < p->room.amounts; i++)
            most.v[i] = row.v[i] > most.v[i] ? row.v[i] : most.v[i];
        for (int i = p->room.amounts; i < p->room.cols; i++)
            most.v[i] |= row.v[i];
        if (s->alive)
            taken += s->total[TG_RES_CPU] - s->avail[TG_RES_CPU];
    }
    most.v[empty_col(h)] = emptiness(n);
    TG_ASSERT(n->taken == taken);
    TG_ASSERT(n->nranks == 0 ||
              memcmp(most.v, tg_tree_row(&p->room, n->at), row_size(h)) == 0);
    if (n->nranks > 1)
        tg_tree_check(&n->room);
}

void tg_places_check(const struct tg_head *h)
{
    for (int32_t i = 0; i < h->nnodes; i++)
        check_node(h, &h->places.nodes[i]);
    tg_tree_check(&h->places.room);
    tg_tree_check(&h->places.total);
}
