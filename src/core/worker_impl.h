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
/* Start, lend, bounce or close: whatever l's state now asks for. */
void tg_wlease_settle(struct tg_worker *w, struct tg_wlease *l);
/* One of its blocked tasks runs again. */
void tg_wlease_goes_on(struct tg_worker *w, struct tg_wlease *l);
void tg_wlease_open(struct tg_worker *w, struct tg_msg_open *m);
void tg_wlease_recall(struct tg_worker *w, uint64_t id);
void tg_wlease_close(struct tg_worker *w, uint64_t id);
void tg_worker_bounce(struct tg_worker *w, int32_t owner, uint64_t lease,
                      enum tg_bounce why, uint32_t n, struct tg_attempt *v);

/* The execution side (worker.c). */
void tg_exec_free(struct tg_worker *w, struct tg_exec *e);

#endif
