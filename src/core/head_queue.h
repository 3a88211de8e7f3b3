/* head_queue.h - who waits at the head, and who is next.
 *
 * Deeper demand goes first, then the owner with less core-time, then the
 * older.  Each depth has a line for each set of resources that is needed at
 * once, and for each node that somebody insists on.  In a line stand the
 * owners, by core-time; behind each owner are its classes, by age.  Both
 * orders are treaps in which each turn also knows the least that anybody below
 * it needs, so that "the first whom this rank can serve" passes over all who
 * need more, in log n.
 *
 * A class is new until the head has found that no rank has room for it; only
 * then it stands in line.  From then on only a rank that has got more room is
 * of use to it, and asks who is the first that fits.  So nobody looks at those
 * who wait in vain.
 */
#ifndef TG_CORE_HEAD_QUEUE_H
#define TG_CORE_HEAD_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/types.h"

struct tg_turn { /* a node of a treap */
    struct tg_turn *left, *right;
    uint64_t key[3];       /* smaller goes first; no two are equal */
    uint64_t dice;         /* larger is higher up */
    bool fresh, any_fresh; /* new; one of all below and this one is */
    struct {
        int64_t need, least; /* its own; of all below and this one */
    } of[TG_RES_MAX];        /* the resources of its line */
};

struct tg_demand;
struct tg_lane; /* an owner in a line */
struct tg_line;

struct tg_queue {
    const uint64_t *used_time; /* core-time of each owner */
    struct tg_demand *fresh;   /* those that are new: few, if any */
    struct tg_line *anywhere;  /* deepest first */
    struct tg_line **at_node;  /* of each node, likewise */
    struct tg_lane *lanes;     /* by owner, depth, node and what is needed */
    uint64_t nlanes;           /* made so far */
    uint32_t nparked;          /* demands in line */
};

void tg_queue_init(struct tg_queue *q, int32_t nnodes,
                   const uint64_t *used_time);
void tg_queue_fini(struct tg_queue *q); /* nobody waits any more */

void tg_queue_add(struct tg_queue *q, struct tg_demand *d); /* as new */
/* It has been looked for in vain: it is not new any more. */
void tg_queue_park(struct tg_queue *q, struct tg_demand *d);
/* Its since_ns has become now. */
void tg_queue_move(struct tg_queue *q, struct tg_demand *d);
void tg_queue_remove(struct tg_queue *q, struct tg_demand *d);
/* Nobody asks about it any more; it must not wait. */
void tg_queue_forget(struct tg_queue *q, struct tg_demand *d);

/* Deeper first, then the owner with less core-time, then the older. */
bool tg_queue_before(const struct tg_queue *q, const struct tg_demand *a,
                     const struct tg_demand *b);
struct tg_demand *tg_queue_fresh(const struct tg_queue *q); /* or NULL */
/* Who in line is deeper than `above` and fits into `room`, on that node. */
struct tg_demand *tg_queue_fits(struct tg_queue *q, const int64_t *room,
                                int32_t node, int32_t above);

void tg_queue_check(const struct tg_queue *q);

#endif
