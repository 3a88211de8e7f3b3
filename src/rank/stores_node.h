/* stores_node.h - the memory that the stores of a node's ranks share: who has
 * how much of it, and who wants some.
 *
 * A page without a name (base/shm.h) has a line for each rank of the node, and
 * their sums.  A rank changes only its own line, and the sums with it; who finds
 * that another one is lost takes its line out of them.  Memory is taken from the
 * limit before it is used, and never more than is left: no two ranks can have
 * the same bytes, whatever else they know of each other.
 *
 * What the memory of freed blobs holds warm for the next ones (store/arena.h)
 * is counted apart.  It is nobody's, so it may be in the way: when all that the
 * node has in use and warm is above the limit, each rank lets go of what is more
 * than its even share of what is free.
 *
 * A rank of its own, which cannot map the page, has one for itself.
 */
#ifndef TG_RANK_STORES_NODE_H
#define TG_RANK_STORES_NODE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/shm.h"
#include "core/store.h"

struct tg_nodemem_sums {
    _Alignas(64) _Atomic uint64_t used;
    _Atomic uint64_t spilling, wanted;
    _Alignas(64) _Atomic uint64_t resident; /* in use or warm */
};

struct tg_nodemem_page {
    unsigned char nonce[TG_SHM_NONCE];
    struct tg_nodemem_sums all;
    struct tg_nodemem_sums of[]; /* each rank of the node */
};

struct tg_nodemem { /* as one rank has it */
    struct tg_shm shm;
    struct tg_nodemem_page *page; /* NULL: not yet */
    struct tg_nodemem_sums *mine;
    struct tg_node_use own; /* what the page knows of this rank */
    uint64_t resident;      /* likewise */
    uint64_t limit;         /* of all who share the page */
    int32_t nranks;         /* so many are they */
    bool trims;             /* there is more to let go of */
    bool rings;             /* who waits for room should look */
};

/* ----- the start; on an error nothing has changed --------------------------- */

/* The first rank of a node offers the page, for nlines ranks; others open it. */
int tg_nodemem_offer(struct tg_nodemem *n, int32_t nlines,
                     struct tg_shm_offer *offer, char *why, size_t nwhy);
int tg_nodemem_open(struct tg_nodemem *n, int32_t nlines,
                    const struct tg_shm_offer *offer, char *why, size_t nwhy);
/* Line number `line` of that page is this rank's; or, with `alone`, it has one
 * for itself.  nranks of them take part. */
int tg_nodemem_join(struct tg_nodemem *n, int32_t line, int32_t nranks,
                    uint64_t limit, bool alone);
void tg_nodemem_free(struct tg_nodemem *n); /* also of zeros */

/* ----- at work ---------------------------------------------------------------- */

/* False: there is not as much left. */
bool tg_nodemem_take(struct tg_nodemem *n, uint64_t bytes);
void tg_nodemem_give(struct tg_nodemem *n, uint64_t bytes);
/* So much of what it has is being written to files, or is no more. */
void tg_nodemem_spill(struct tg_nodemem *n, uint64_t bytes);
void tg_nodemem_spilled(struct tg_nodemem *n, uint64_t bytes);
void tg_nodemem_want(struct tg_nodemem *n, uint64_t bytes);
/* It has so much in memory; true: now the node has too much. */
bool tg_nodemem_resident(struct tg_nodemem *n, uint64_t bytes);
/* The rank with that line is lost. */
void tg_nodemem_lose(struct tg_nodemem *n, int32_t line);

static inline uint64_t tg_nodemem_rest(uint64_t all, uint64_t mine)
{
    return all > mine ? all - mine : 0; /* less: we were taken for lost */
}

/* What the others have and want. */
static inline struct tg_node_use tg_nodemem_others(const struct tg_nodemem *n)
{
    const struct tg_nodemem_sums *all = &n->page->all;
    return (struct tg_node_use){
        .used = tg_nodemem_rest(
            atomic_load_explicit(&all->used, memory_order_relaxed),
            n->own.used),
        .spilling = tg_nodemem_rest(
            atomic_load_explicit(&all->spilling, memory_order_relaxed),
            n->own.spilling),
        .wanted = tg_nodemem_rest(
            atomic_load_explicit(&all->wanted, memory_order_relaxed),
            n->own.wanted)};
}

/* More is in memory than the node may have. */
static inline bool tg_nodemem_full(const struct tg_nodemem *n)
{
    return atomic_load_explicit(&n->page->all.resident, memory_order_relaxed) >
           n->limit;
}
/* What this rank may keep warm then. */
uint64_t tg_nodemem_share(const struct tg_nodemem *n);

#endif
