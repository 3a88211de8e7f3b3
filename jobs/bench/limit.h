/* limit.h - the limit: the same bytes between the same ranks by hand-written
 * MPI, without a runtime.
 *
 * Both protocols are written in several ways (limit.c), and limit_choose()
 * tries every pair of ways, the master's and the worker's, on the machine at
 * hand and keeps the fastest: a slow limit would flatter trygon.
 */
#ifndef MICRO_LIMIT_H
#define MICRO_LIMIT_H

#include <stdint.h>

#include "team.h"

enum {
    LIMIT_RECORD = 64, /* bytes of a task and of its answer: what trygon's
                          messages for a task with small arguments have */
    LIMIT_WINDOW = 64  /* tasks under way to each worker */
};

enum limit_kind {
    LIMIT_NONE,
    LIMIT_PING_PONG, /* rank 0 and one partner, one record at a time */
    LIMIT_MASTER,    /* rank 0 keeps LIMIT_WINDOW records under way to each of
                        the others */
    LIMIT_STREAM     /* one partner sends records to rank 0, one a message, as
                        fast as it can */
};

/* How a side waits for its messages. */
enum inbox_kind { INBOX_PROBE, INBOX_RING, INBOX_RECV, INBOX_KINDS };

/* The same on all ranks: rank 0 fills it in, limit_run() tells the others. */
struct limit {
    int32_t kind;       /* enum limit_kind */
    int32_t partner;    /* unless it is LIMIT_MASTER */
    int32_t batch;      /* records in one message */
    int32_t inbox[2];   /* enum inbox_kind: of rank 0, of the others */
    int64_t count;      /* of records in one window */
    int64_t warm_count; /* before it, not timed */
};

/* Runs one window.  Collective; returns the seconds on rank 0. */
double limit_run(const struct team *team, struct limit *limit);

/* Sets the two kinds of inbox and the counts, so that a window takes about
 * window_s.  Collective.  Every answer is checked, here and above. */
void limit_choose(const struct team *team, struct limit *limit,
                  double window_s);

/* Such as "ring/recv": rank 0's way, the others' way. */
const char *limit_way(const struct limit *limit, char *text, size_t capacity);

#endif
