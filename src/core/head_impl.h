/* head_impl.h - what head.c and head_place.c share; for no other file. */
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

struct tg_hlease_entry {
    struct tg_hlease l; /* first */
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

/* The rank for one more lease of d now; -1: none has room. */
int32_t tg_head_place(struct tg_head *h, const struct tg_demand *d);
/* Could any living rank ever serve it?  Else says why not. */
bool tg_head_feasible(const struct tg_head *h, const struct tg_demand *d,
                      char *reason, size_t size, bool *final);
/* Depth-0 work found a rank with too many blocked tasks: look again then. */
void tg_head_admitted(struct tg_head *h, int32_t rank, int32_t depth);

#endif
