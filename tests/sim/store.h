/* store.h - the stores of simulated ranks: what rank/stores.c does with shared
 * memory and files, on tables and the virtual clock.
 *
 * Readers pin: memory that is pinned is not given up, and that of a blob which
 * is freed stays until its last reader is done.  The ranks of a node read each
 * other's memory in place.
 */
#ifndef TG_TESTS_SIM_STORE_H
#define TG_TESTS_SIM_STORE_H

#include "base/mem.h"
#include "core/core.h"
#include "core/map.h"
#include "rank/post.h"

struct sim_rank;
struct world;

struct delay { /* from least_ns, plus up to spread_ns, now and then a spike */
    uint64_t least_ns, spread_ns, spike_ns;
    uint32_t spikes; /* of 1,000 */
};

struct store_opts {
    uint64_t from;  /* larger values are stored; 0: none are */
    uint64_t bytes; /* of each node's stores */
    struct delay memory, disk;
    bool at_once;                  /* memory takes no time at all */
    uint32_t full, broken, unread; /* of 1,000 writes to files, and reads */
};

struct sim_blob { /* the bytes of one on a rank */
    uint64_t handle, size;
    uint32_t number;       /* among those of its rank, for people */
    unsigned char *memory; /* NULL: it is not there */
    unsigned char *file;   /* likewise */
    bool mapped;           /* the memory is a file's */
    bool sealed;
    bool freed;                    /* but somebody still has it */
    TG_VEC(int32_t) pins;          /* a reader's rank, each */
    uint32_t views;                /* that know of it */
    uint32_t busy;                 /* pieces that are read or written now */
    struct sim_blob *prev, *after; /* freed */
    UT_hash_handle hh;
};

/* What the ranks of a node share: as a page of memory does. */
struct sim_node {
    struct tg_node_use use; /* of all of them */
    int32_t first, n;       /* its ranks */
};

struct sim_op; /* of TG_ACT_STORE, under way */

struct sim_store {
    struct sim_blob *blobs; /* a hash by handle */
    struct sim_blob *freed;
    uint64_t memory;           /* bytes that are not mapped, nor freed */
    uint64_t spilling, wanted; /* as the node knows; memory it knows as well */
    struct sim_node *node;
    struct sim_rank *rank;
    bool looks;  /* it is about to */
    bool is_out; /* it is lost: the node counts it no more */
    uint32_t made;
    struct sim_op *ops, *now;
};

struct sim_view {       /* a pin */
    struct sim_blob *b; /* NULL: none */
    int32_t reader;
    struct sim_rank *at;
};

void sim_store_init(struct sim_rank *r, struct sim_node *node);
void sim_store_fini(struct sim_store *s);

/* The rank's core wants something done; what takes no time is done by
 * sim_store_settle(), when the core may step again. */
void sim_store_act(struct sim_rank *r, struct tg_action *a);
void sim_store_settle(struct sim_rank *r);
void sim_store_event(struct sim_rank *r,
                     struct sim_op *op); /* its time is up */
/* What the others of its node use, unless it knows and does not care. */
void sim_store_look(struct sim_rank *r, bool always);
/* That rank is lost: what it has pinned here is not any more. */
void sim_store_fence(struct sim_rank *r, int32_t rank);

/* Memory to write to; NULL: not (yet). */
unsigned char *sim_store_room(const struct sim_rank *r, uint64_t blob);
/* The bytes of a stored value stay where they are; false: they are not in
 * memory, or nobody knows where. */
bool sim_store_pin(struct sim_rank *r, const struct tg_val *v,
                   struct sim_view *view);
void sim_store_unpin(struct sim_view *view);

/* Where the bytes of messages are (rank/post.h). */
struct tg_post_ends sim_store_ends(struct sim_rank *r);

/* A name for people; 0: it has none. */
uint32_t sim_store_number(const struct sim_rank *r, uint64_t blob);
void sim_store_check(const struct sim_rank *r);
void sim_store_why(const struct sim_rank *r); /* what it has */

#endif
