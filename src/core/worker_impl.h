/* worker_impl.h - what worker.c and worker_lease.c share; for no other file. */
#ifndef TG_CORE_WORKER_IMPL_H
#define TG_CORE_WORKER_IMPL_H

#include "core/map.h"
#include "core/worker.h"

struct tg_wlease_entry {
    struct tg_wlease l; /* first: the two pointers are one */
    UT_hash_handle hh;
};

struct tg_held { /* a RUN, CLOSE or CANCEL that came before its OPEN */
    int32_t from;
    struct tg_msg msg;
    struct tg_held *prev, *next;
};

void tg_exec_set_state(struct tg_exec *e, enum tg_exec_state to);

/* The lease side (worker_lease.c). */
struct tg_wlease *tg_wlease_find(const struct tg_worker *w, uint64_t id);
void tg_wlease_enqueue(struct tg_worker *w, struct tg_exec *e);
void tg_wlease_unqueue(struct tg_exec *e);
/* An attempt of an owner's task, in a list; NULL: not there. */
struct tg_exec *tg_exec_in(struct tg_exec *list, int32_t owner, uint64_t task,
                           int32_t attempt);
/* A run of the lease, in its queue or started; NULL: not known here. */
struct tg_exec *tg_wlease_exec(const struct tg_wlease *l, int32_t from,
                               uint64_t task, int32_t attempt);
/* Start, lend, bounce or close: whatever l's state now asks for. */
void tg_wlease_settle(struct tg_worker *w, struct tg_wlease *l);
/* One of its blocked tasks runs again. */
void tg_wlease_goes_on(struct tg_worker *w, struct tg_wlease *l);
void tg_wlease_open(struct tg_worker *w, struct tg_msg_open *m);
void tg_wlease_recall(struct tg_worker *w, uint64_t id);
void tg_wlease_close(struct tg_worker *w, uint64_t id);
void tg_worker_bounce(struct tg_worker *w, int32_t owner, uint64_t lease,
                      enum tg_bounce why, uint32_t n, struct tg_attempt *v);

struct tg_wcaller { /* a rank that calls an actor, in one of its groups */
    struct tg_wactor *actor;
    uint64_t who;             /* TG_WHO() */
    uint64_t next;            /* the number of its next call in turn */
    struct tg_exec *waiting;  /* calls here that are not in turn, by number */
    TG_VEC(uint64_t) skipped; /* later numbers that need not be waited for */
    UT_hash_handle hh;
};

#define TG_WHO(rank_, group_) ((uint64_t)(uint32_t)(rank_) << 8 | (group_))

/* The actors (worker_actor.c). */
enum { TG_CALL_BITS = 40 }; /* above them: which order of the caller's */
/* A constructor has succeeded.  Returns what its owner is told. */
struct tg_val *tg_wactor_new(struct tg_worker *w, struct tg_exec *e,
                             void *state);
/* 0: the call may be taken in, from this caller; else the code of its done, and
 * its error. */
int32_t tg_wactor_takes(struct tg_worker *w, int32_t from,
                        const struct tg_msg_run *m, struct tg_wcaller **caller,
                        struct tg_val **error);
void tg_wactor_enqueue(struct tg_wcaller *c, struct tg_exec *e);
void tg_wactor_ready(struct tg_worker *w, struct tg_exec *e);
/* Before a settle: it ends unstarted, or is done. */
void tg_wactor_unqueue(struct tg_exec *e);
void tg_wactor_done(struct tg_worker *w, struct tg_exec *e);
/* Start, or end: whatever the actor's state now asks for. */
void tg_wactor_settle(struct tg_worker *w, struct tg_wactor *a);
/* The call, if it is here; else its number is skipped. */
struct tg_exec *tg_wactor_cancel(struct tg_worker *w, int32_t from,
                                 const struct tg_msg_cancel *m);
void tg_wactor_leave(struct tg_worker *w, int32_t from,
                     const struct tg_msg_leave *m);
void tg_wactors_gone(struct tg_worker *w, int32_t rank);
void tg_wactors_fini(struct tg_worker *w);
uint32_t tg_wactors_check(const struct tg_worker *w); /* executions of theirs */

/* Items (worker_stream.c). */
/* So many were taken: a yield may go on. */
void tg_exec_taken(struct tg_worker *w, struct tg_exec *e, uint64_t n);
void tg_worker_taken(struct tg_worker *w, int32_t from,
                     const struct tg_msg_taken *m);

/* The execution side (worker.c). */
void tg_exec_send_done(struct tg_worker *w, const struct tg_exec *e,
                       struct tg_outcome *out);
/* It runs: ask it to stop. */
void tg_exec_stop(struct tg_worker *w, struct tg_exec *e, bool recursive);
/* Answer one that has not started, and forget it. */
void tg_exec_end_unstarted(struct tg_worker *w, struct tg_exec *e, int32_t code,
                           struct tg_val *error);
/* It is FETCHING: look after a while whether it had better go back
 * (worker_args.c). */
void tg_exec_watch_args(struct tg_worker *w, const struct tg_exec *e);
void tg_exec_free(struct tg_worker *w, struct tg_exec *e);

#endif
