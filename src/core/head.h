/* head.h - the scheduler on rank 0: it grants leases, not tasks.
 *
 * Owners tell their demand per class; the head grants a lease when a rank has
 * room for the class's shape, tells the worker (OPEN) and the owner (LEASE),
 * and frees the resources only when the worker says that the lease is CLOSED,
 * or with the rank's loss.  Deeper demand goes first, then the owner that has
 * used least core-time.  A demand that starves gets a rank reserved, whose
 * leases are recalled until it fits.
 *
 * A decision costs the same on ten nodes and on ten thousand: who is next is
 * found in head_queue.h, where it goes in head_place.c, both in log n, and no
 * list is walked.
 */
#ifndef TG_CORE_HEAD_H
#define TG_CORE_HEAD_H

#include "base/slab.h"
#include "core/ctx.h"
#include "core/head_queue.h"
#include "core/head_tree.h"
#include "core/ledger.h"

struct tg_head_config {
    int32_t nranks, nnodes;
    const int32_t *node;                /* of each rank */
    const int64_t (*total)[TG_RES_MAX]; /* of each rank */
    const char *const *res_names;       /* TG_RES_MAX; NULL: not used */
};

struct tg_demand {                 /* a class of an owner */
    struct tg_turn turn;           /* first: in its lane, while it is parked */
    struct tg_lane *lane;          /* NULL: it never was */
    struct tg_demand *prev, *next; /* of those that are new */
    uint64_t self, cls;
    int32_t owner, depth;
    struct tg_shape shape;
    uint32_t want, received; /* as the owner last said */
    uint32_t granted;        /* leases granted so far */
    uint32_t active;         /* of them, not closed yet */
    uint64_t since_ns;       /* waiting since; meaningful while it waits */
    bool waiting;            /* some of it is open: it is in the queue, */
    bool fresh;              /* where it is new; else it is parked */
    bool infeasible;
    int32_t nprefer, prefer[TG_PREFER_MAX];
    char reason[TG_REASON_MAX]; /* the last one told */
};

struct tg_hlease { /* a lease, as the head sees it */
    uint64_t id, since_ns;
    struct tg_demand *demand; /* it stays as long as its leases */
    bool lent, recalled;
    struct tg_take take;
};

_Static_assert(sizeof(struct tg_hlease) == TG_CACHE_LINE, "a lease is one");

static inline int32_t tg_hlease_worker(const struct tg_hlease *l)
{
    return (int32_t)(l->id >> 40);
}

struct tg_leases { /* of a rank: see head_lease.c */
    struct tg_hlease *v;
    uint32_t n, cap; /* cap: a power of two, or 0 */
    uint64_t last;   /* number of the last one */
};

struct tg_node {
    int32_t at;            /* its row in the trees */
    int32_t first, nranks; /* of those in by_node */
    int64_t total, taken;  /* CPUs of the living */
    struct tg_tree room;   /* of each of its ranks, if there are several */
};

struct tg_seat { /* a rank on its node */
    struct tg_node *node;
    int32_t at, row;      /* the node's row, and its own there */
    int64_t total, taken; /* CPUs, as counted there */
};

struct tg_places {             /* see head_place.c */
    int nres;                  /* only the first so many resources exist */
    int most_log2[TG_RES_MAX]; /* of the most that one rank has */
    struct tg_node *nodes;
    struct tg_seat *seats;
    int32_t *by_node, *node_at; /* ranks; the node of each row */
    struct tg_tree room, total; /* of each node: now, and when idle */
    int32_t spread_at;          /* the row that SPREAD used last */
    int32_t reserve_at;         /* where the next search begins */
};

struct tg_head {
    struct tg_ctx *ctx;
    int32_t nranks, nnodes;
    const char *const *res_names;
    struct tg_region region; /* where all tables of ranks are */
    struct tg_site *sites;   /* of each rank */
    struct tg_places places;
    struct tg_queue queue;
    struct tg_leases *leases; /* of each worker */
    uint32_t nleases;
    uint64_t *used_time;              /* core-time of each owner */
    int64_t *leased;                  /* CPU amount that each owner has now */
    uint32_t *nlent;                  /* leases of each rank that are lent */
    uint64_t *admit_at, *admit_pause; /* see head_place.c */
    uint64_t clock;                   /* core-time of the last owner served */
    struct tg_slab demands;
    struct tg_demand_entry *by_cls;
    TG_VEC(int32_t) freed; /* ranks that have got more room */
    bool *is_freed;        /* of each rank: it is there */
    uint64_t reserved_for; /* a demand's handle; 0: none */
    int32_t reserved_rank;
    uint32_t balance_at; /* the slot of the demand to look at next */
    bool balancing;      /* a BALANCE timer is set */
    bool dirty;          /* something may fit that did not */
    uint64_t decisions;  /* leases granted, closed or refused */
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
/* The leases of a rank, about the oldest first: the one after l (NULL: the
 * first); NULL: there is no more. */
struct tg_hlease *tg_hlease_next(const struct tg_head *h, int32_t rank,
                                 const struct tg_hlease *l);
bool tg_head_quiet(const struct tg_head *h); /* no lease, ledger untouched */

#endif
