/* doorbell.h - the limit of a first task after a rest: rank 0 wakes another
 * process of its node, which sleeps on a word of memory that both have, and
 * gives way until that one has answered.  Less is not to be had by whoever
 * sleeps without polling.
 */
#ifndef MICRO_DOORBELL_H
#define MICRO_DOORBELL_H

#include "team.h"

struct doorbell {
    MPI_Win win;
    struct doorbell_page *page; /* of rank 0, mapped by the ranks of its node;
                                   elsewhere NULL */
};

/* Collective, both. */
void doorbell_open(struct doorbell *bell, const struct team *team);
void doorbell_close(struct doorbell *bell);

/* Collective: after nap_s seconds rank 0 rings, `partner` answers.  Returns the
 * seconds between on rank 0; below 0: they are not on one node. */
double doorbell_ring(const struct doorbell *bell, const struct team *team,
                     int partner, double nap_s);

#endif
