/* timers.h - what is to happen later, soonest first (a binary heap).
 *
 * A timer is a kind and a handle.  Nothing is ever removed: whoever gets one
 * looks whether it still means anything, so that setting and forgetting are
 * cheap.
 */
#ifndef TG_CORE_TIMERS_H
#define TG_CORE_TIMERS_H

#include "core/types.h"

enum tg_timer_kind {
    TG_TIMER_WAITER = 1, /* a blocked call's time is up */
    TG_TIMER_COPY,       /* a copy nobody uses any more goes home */
    TG_TIMER_LINGER,     /* an owner's idle lease goes back */
    TG_TIMER_OVERRUN,    /* a worker's queue waits behind a long task */
    TG_TIMER_LEND,       /* a task has been blocked for a while */
    TG_TIMER_ARGS,       /* an execution has waited for arguments for a while */
    TG_TIMER_ADMIT,      /* a rank full of blocked tasks may admit one more */
    TG_TIMER_BALANCE,    /* the head looks for a demand that starves */
    TG_TIMER_STORE,      /* who waits for room in the store looks again */
    TG_TIMER_PROBE       /* the head asks again whether all are quiet */
};

struct tg_timer {
    uint64_t when_ns;
    uint64_t handle;
    enum tg_timer_kind kind;
};

struct tg_timers {
    struct tg_timer *v;
    uint32_t n, cap;
};

void tg_timers_fini(struct tg_timers *t);
void tg_timers_add(struct tg_timers *t, uint64_t when_ns,
                   enum tg_timer_kind kind, uint64_t handle);
/* TG_NEVER: none. */
static inline uint64_t tg_timers_next(const struct tg_timers *t)
{
    return t->n == 0 ? TG_NEVER : t->v[0].when_ns;
}
bool tg_timers_pop(struct tg_timers *t, uint64_t now_ns, struct tg_timer *out);

#endif
