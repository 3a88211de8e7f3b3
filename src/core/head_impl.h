/* head_impl.h - what the files of the head share; for no other file. */
#ifndef TG_CORE_HEAD_IMPL_H
#define TG_CORE_HEAD_IMPL_H

#include "core/head.h"
#include "core/map.h"

struct tg_cls_key { /* all bytes count */
    uint64_t cls;
    int64_t owner;
};

struct tg_demand_entry {
    struct tg_demand d; /* first: the two pointers are one */
    struct tg_cls_key key;
    UT_hash_handle hh;
};

/* Leases still to be granted.  The owner says how many it has received, so
 * that those on their way are not granted twice. */
static inline uint32_t tg_demand_open(const struct tg_demand *d)
{
    int32_t under_way = (int32_t)(d->granted - d->received);
    uint32_t coming = under_way > 0 ? (uint32_t)under_way : 0;
    return !d->infeasible && d->want > coming ? d->want - coming : 0;
}

/* Served by one node only; -1: anywhere. */
static inline int32_t tg_demand_node(const struct tg_demand *d)
{
    return d->shape.strategy == TRYGON_STRATEGY_NODE && !d->shape.soft
               ? d->shape.node
               : -1;
}

/* Something may fit that did not: in this step. */
static inline void tg_head_look_again(struct tg_head *h)
{
    h->ctx->passes = h->dirty = true;
}

/* ----- leases: head_lease.c ------------------------------------------------------ */

/* They stay where they are until one of that rank is made or freed. */
struct tg_hlease *tg_hlease_new(struct tg_head *h, int32_t rank);
struct tg_hlease *tg_hlease_find(const struct tg_head *h, uint64_t id);
void tg_hlease_free(struct tg_head *h, struct tg_hlease *l);

/* ----- where: head_place.c ------------------------------------------------------- */

void tg_places_init(struct tg_head *h);
/* What a rank has, or who may have it, is not what it was. */
void tg_places_update(struct tg_head *h, int32_t rank);
void tg_places_gone(struct tg_head *h, int32_t rank);
/* The first row from `from` on whose node could ever serve it; -1: none. */
int32_t tg_places_can(const struct tg_head *h, const struct tg_shape *shape,
                      int32_t from);
void tg_places_check(const struct tg_head *h);

/* Has that rank room for one more lease of d, and may d have it? */
bool tg_head_fits(const struct tg_head *h, int32_t rank,
                  const struct tg_demand *d);
/* The rank for one more lease of d now; -1: none has room. */
int32_t tg_head_place(struct tg_head *h, const struct tg_demand *d);
/* Could any living rank ever serve it?  Else says why not. */
bool tg_head_feasible(const struct tg_head *h, const struct tg_demand *d,
                      char *reason, size_t size, bool *final);
/* Depth-0 work found a rank with too many blocked tasks: look again then. */
void tg_head_admitted(struct tg_head *h, int32_t rank, int32_t depth);
/* Does the rank take depth-0 work, as to its blocked tasks? */
bool tg_head_admits(const struct tg_head *h, int32_t rank);

/* ----- who starves: head_fair.c ----------------------------------------------------- */

void tg_head_balance(struct tg_head *h);
/* Whom the rank is kept for; NULL: nobody. */
struct tg_demand *tg_head_keeps(const struct tg_head *h, int32_t rank);
void tg_head_unreserve(struct tg_head *h);
/* The rank may have more room than it had: somebody waits for that. */
void tg_head_freed(struct tg_head *h, int32_t rank);

#endif
