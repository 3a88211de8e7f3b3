/* types.h - the words that all layers above base share: references, amounts,
 * shapes and limits.
 */
#ifndef TG_CORE_TYPES_H
#define TG_CORE_TYPES_H

#include <trygon/types.h>

#include "base/assert.h"

/* Ray's numbers, where Ray has them. */
enum {
    TG_INLINE_MAX = 100 * 1024,         /* a value that travels in a message */
    TG_INLINE_TOTAL = 10 * 1024 * 1024, /* of all inline arguments */
    TG_RETURNS_MAX = 65535,
    TG_ITEMS_MAX = 100000000, /* of a stream (G5) */
    TG_NAME_MAX = 64,         /* bytes of a name with its NUL */
    TG_RES_MAX = 16,          /* kinds of resources */
    TG_PREFER_MAX = 3,        /* ranks that hold a task's arguments */
    TG_GROUPS_MAX = 16,       /* of an actor's calls, the default one is 0 */
    TG_UNIT = 10000           /* 1.0 of a resource */
};

enum { TG_RES_CPU, TG_RES_GPU, TG_RES_MEMORY, TG_RES_CUSTOM };

/* The last kind stands for every name that no rank offers. */
#define TG_RES_UNKNOWN (TG_RES_MAX - 1)

static const uint64_t TG_NEVER = UINT64_MAX;     /* a time that does not come */
static const uint64_t TG_ANY_AHEAD = UINT64_MAX; /* no backpressure */

/* ----- references ------------------------------------------------------
 * hi: kind 4 | epoch 12 | owner rank 24 | index 24;  lo: the owner's slab
 * handle, generation 32 | slot 32.  The owner finds its entry without hashing.
 */
static inline trygon_ref_t tg_ref_make(enum trygon_kind kind, uint32_t epoch,
                                       int32_t rank, uint32_t index,
                                       uint64_t handle)
{
    trygon_ref_t r = {(uint64_t)kind << 60 | (uint64_t)(epoch & 0xfff) << 48 |
                          (uint64_t)((uint32_t)rank & 0xffffff) << 24 |
                          (index & 0xffffff),
                      handle};
    return r;
}

static inline int32_t tg_ref_rank(trygon_ref_t r)
{
    return (int32_t)(r.hi >> 24 & 0xffffff);
}

static inline enum trygon_kind tg_ref_kind(trygon_ref_t r)
{
    return (enum trygon_kind)(r.hi >> 60);
}

/* The kind of a handle that does not keep its actor alive, and is else the same
 * as the one that does.  To users both are of kind TRYGON_KIND_ACTOR. */
#define TG_KIND_WEAK ((enum trygon_kind)(8 | TRYGON_KIND_ACTOR))
#define TG_REF_WEAK (UINT64_C(1) << 63)

static inline bool tg_ref_weak(trygon_ref_t r)
{
    return tg_ref_kind(r) == TG_KIND_WEAK;
}

/* An actor's handle: its index is the class's function number. */
static inline bool tg_ref_actor(trygon_ref_t r)
{
    return tg_ref_kind(r) == TRYGON_KIND_ACTOR || tg_ref_weak(r);
}

/* Both handles of one actor; what is no actor's handle stays as it is. */
static inline trygon_ref_t tg_ref_strong(trygon_ref_t r)
{
    if (tg_ref_weak(r))
        r.hi &= ~TG_REF_WEAK;
    return r;
}

static inline trygon_ref_t tg_ref_weaken(trygon_ref_t r)
{
    if (tg_ref_actor(r))
        r.hi |= TG_REF_WEAK;
    return r;
}

static inline uint32_t tg_ref_index(trygon_ref_t r)
{
    return (uint32_t)(r.hi & 0xffffff);
}

static inline bool tg_ref_none(trygon_ref_t r)
{
    return r.hi == 0 && r.lo == 0;
}

static inline bool tg_ref_eq(trygon_ref_t a, trygon_ref_t b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

/* ----- what a task needs ----------------------------------------------- */

/* Resources and where: two tasks of one shape can use each other's lease. */
struct tg_shape {
    int64_t amount[TG_RES_MAX]; /* in 1/TG_UNIT; memory in bytes */
    int32_t strategy;           /* enum trygon_strategy */
    int32_t node;               /* for TRYGON_STRATEGY_NODE */
    bool soft;
    bool fail; /* unschedulable is an error, not a warning */
};

#endif
