/* head.h - the scheduler on rank 0: it grants leases, not tasks.
 *
 * Owners tell their demand per class; the head grants a lease when a rank has
 * room for the class's shape, tells the worker (OPEN) and the owner (LEASE),
 * and frees the resources only when the worker says that the lease is CLOSED,
 * or with the rank's loss.  Deeper demand goes first, then the owner that has
 * used least core-time.  A demand that starves gets a rank reserved, whose
 * leases are recalled until it fits.
 */
#ifndef TG_CORE_HEAD_H
#define TG_CORE_HEAD_H

#include "base/slab.h"
#include "core/ctx.h"
#include "core/ledger.h"

struct tg_head_config {
    int32_t nranks, nnodes;
    const int32_t *node;                /* of each rank */
    const int64_t (*total)[TG_RES_MAX]; /* of each rank */
    const char *const *res_names;       /* TG_RES_MAX; NULL: not used */
};

struct tg_demand { /* a class of an owner */
    uint64_t self, cls;
    int32_t owner, depth;
    struct tg_shape shape;
    uint32_t want, received; /* as the owner last said */
    uint32_t granted;        /* leases granted so far */
    uint32_t active;         /* of them, not closed yet */
    uint64_t since_ns;       /* waiting since; meaningful while it waits */
    bool infeasible;
    int32_t nprefer, prefer[TG_PREFER_MAX];
    char reason[160]; /* the last one told */
    bool tried;       /* does not fit anywhere in this pass */
};

struct tg_hlease { /* a lease, as the head sees it */
    uint64_t id, self, cls, since_ns;
    int32_t owner, worker, depth;
    bool lent, recalled;
    struct tg_shape shape;
    struct tg_take take;
};

struct tg_head {
    struct tg_ctx *ctx;
    int32_t nranks, nnodes;
    const char *const *res_names;
    struct tg_site *sites; /* of each rank */
    uint64_t *last_lease;  /* number of the last lease of each worker */
    uint64_t *used_time;   /* core-time of each owner */
    int64_t *leased;       /* CPU amount that each owner has now */
    uint32_t *nlent;       /* leases of each rank that are lent */
    uint64_t *admit_at, *admit_pause; /* see head_place.c */
    uint64_t clock;                   /* core-time of the last owner served */
    struct tg_slab demands, leases;
    struct tg_demand_entry *by_cls;
    struct tg_hlease_entry *by_id;
    int32_t spread_at;     /* the node that SPREAD used last */
    uint64_t reserved_for; /* a demand's handle; 0: none */
    int32_t reserved_rank;
    bool balancing;     /* a BALANCE timer is set */
    bool dirty;         /* something may fit that did not */
    uint64_t decisions; /* leases granted, closed or refused */
};

void tg_head_init(struct tg_head *h, struct tg_ctx *ctx,
                  const struct tg_head_config *config);
void tg_head_fini(struct tg_head *h);

/* DEMAND, CLOSED, LEND, RESUME, QUERY */
void tg_head_msg(struct tg_head *h, int32_t from, struct tg_msg *m);
void tg_head_gone(struct tg_head *h, int32_t rank);
void tg_head_timer(struct tg_head *h, const struct tg_timer *t);
/* Grant what can be granted: at the end of a step. */
void tg_head_schedule(struct tg_head *h);

void tg_head_check(const struct tg_head *h);
bool tg_head_quiet(const struct tg_head *h); /* no lease, ledger untouched */

#endif
