/* split.h - who gets which cores: one table in, the same answer on every rank.
 *
 * It sees ranks, node numbers and sets of places (topo.h), no machine: it is
 * pure, and a virtual cluster calls it as the real one does.
 *
 * The rule.  Cores that only one rank of a node may use are its own.  Cores
 * that several may use are split: they are handed out so that the ranks come
 * out as even as can be, what does not divide goes to the first ranks, and
 * each gets neighbours.  Ranks that want no slots take no share.  When there
 * are fewer cores than ranks, some rank gets none: it and those who share its
 * cores are oversubscribed, and bound to nothing.
 */
#ifndef TG_TOPO_SPLIT_H
#define TG_TOPO_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

struct tg_split_rank {
    int32_t node; /* equal on the ranks of one machine */
    bool wants_slots;
    int32_t requested; /* CPU slots; below 0: as many as its cores */
    uint32_t nwords;
    const uint64_t *mask; /* places of the cores that it may use */
};

struct tg_split_share {
    int32_t slots;
    bool bound;            /* each slot has a core of its own */
    const int32_t *places; /* slots of them, ascending; bound only */
};

/* Fills shares[nranks]; *places is what they point into, to be freed with
 * free() after their last use. */
void tg_split(const struct tg_split_rank *ranks, int32_t nranks,
              struct tg_split_share *shares, int32_t **places);

#endif
