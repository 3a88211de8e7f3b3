/* pair.h - trygon and its limit, window by window.
 *
 * Each window of trygon is one trygon_run(), each window of the limit comes
 * between two of them, on the main threads of the same ranks.  The runtime then
 * has no work: its threads sleep, and look for messages at most every
 * millisecond.  The windows alternate, so that what else the machine does meets
 * both, and the ratio is taken window by window.
 */
#ifndef MICRO_PAIR_H
#define MICRO_PAIR_H

#include "bench.h"

/* Does count operations on rank 0. */
typedef void (*operation_fn)(trygon_t *tg, int64_t count);

struct pairing {
    operation_fn operate;
    int (*where)(trygon_t *tg); /* the rank that answers */
    struct limit limit;
    int round_trips; /* of the limit, for one operation */
    bool rate;
};

/* Collective. */
void pair_windows(struct bench *b, struct pairing *p, struct result *result);

#endif
