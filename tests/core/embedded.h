/* embedded.h - a whole core of one rank, and user code that runs on it.
 *
 * The functions below are what a job would register; they run as small state
 * machines whenever the core starts or wakes them, in virtual time.
 */
#ifndef TG_TESTS_CORE_EMBEDDED_H
#define TG_TESTS_CORE_EMBEDDED_H

#include "core/core.h"

enum fn {
    FN_NUMBER, /* returns its argument */
    FN_FAIL,   /* returns the user code 7 */
    FN_NEST,   /* n: gets NEST(n - 1) and returns its result plus 1; 0: 0 */
    FN_PARENT, /* gets NUMBER(n) and returns it plus 1 */
    FN_SPIN,   /* runs until it is cancelled */
    FN_STUCK,  /* gets its child SPIN for ever */
    FN_COUNT
};

struct program; /* an execution of one of them */

struct world {
    struct tg_core *core;
    uint64_t now_ns;
    uint64_t run_ns;       /* how long a turn of a program takes */
    struct program *turns; /* programs that go on next, in order */
    uint32_t nrunning, nalive, most_running, most_alive;
    uint32_t starts[FN_COUNT];
    uint32_t ncalls, nlogs, nbyes, nended;
    int32_t status;
    uint32_t check_every, steps; /* check the invariants each so many steps */
};

void world_start(struct world *w, int64_t ncpus);
void world_stop(struct world *w);

/* One event; its code. */
int world_step(struct world *w, struct tg_event *ev);
/* Let programs and timers go on; false: nothing is left to happen. */
bool world_go(struct world *w);
/* Until nothing happens any more, or so much time has passed. */
void world_go_for(struct world *w, uint64_t ns);

trygon_ref_t world_submit(struct world *w, enum fn fn, int64_t n);
trygon_ref_t world_submit_ref(struct world *w, enum fn fn, trygon_ref_t arg);
trygon_ref_t world_put(struct world *w, int64_t n);
/* Wait for it and read it: 0, or the error's code. */
int world_get(struct world *w, trygon_ref_t ref, int64_t *n);
int world_release(struct world *w, size_t n, const trygon_ref_t *refs);
int world_cancel(struct world *w, trygon_ref_t ref, bool recursive);

#endif
