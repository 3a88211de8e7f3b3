/* flow.h - results that are waited for, not more at a time than there is room
 * for: who adds one more waits until one has come.
 */
#ifndef CHOLESKY_FLOW_H
#define CHOLESKY_FLOW_H

#include <trygon/trygon.h>

#include "common/fault.h"

struct flow {
    trygon_t *tg;
    trygon_waitset_t *set;
    size_t room, under_way;
    /* Called with each result that has come; NULL: nothing to do with it. */
    int (*take)(void *arg, uint64_t tag, trygon_ref_t ref, struct fault *fault);
    void *arg;
};

/* After its four fields tg, room, take and arg have been filled in. */
int flow_open(struct flow *flow, struct fault *fault);

/* Takes over one count of ref, also when it fails. */
int flow_add(struct flow *flow, trygon_ref_t ref, uint64_t tag,
             struct fault *fault);

/* Waits for all that are under way, after a failure too, and closes it.  rc is
 * how it went until now: returns it, or the first failure of those, whose fault
 * is the one that is kept. */
int flow_close(struct flow *flow, int rc, struct fault *fault);

#endif
