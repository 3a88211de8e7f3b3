/* lock.h - a lock that costs one atomic operation to take and one to give back,
 * in line, as long as nobody waits for it. */
#ifndef TG_BASE_LOCK_H
#define TG_BASE_LOCK_H

#include <stdbool.h>

#include "base/futex.h"

struct tg_lock { /* all zero at first */
    atomic_uint word;
};

enum { TG_LOCK_FREE, TG_LOCK_HELD, TG_LOCK_WANTED /* held, and some sleep */ };

static inline bool tg_lock_try(struct tg_lock *l)
{
    unsigned seen = TG_LOCK_FREE;
    return atomic_compare_exchange_strong_explicit(
        &l->word, &seen, TG_LOCK_HELD, memory_order_acquire,
        memory_order_relaxed);
}

/* Whoever has slept cannot know whether others still do, and says so. */
static inline void tg_lock_take(struct tg_lock *l)
{
    if (tg_lock_try(l))
        return;
    while (atomic_exchange_explicit(&l->word, TG_LOCK_WANTED,
                                    memory_order_acquire) != TG_LOCK_FREE)
        tg_futex_wait(&l->word, TG_LOCK_WANTED, UINT64_MAX);
}

static inline void tg_lock_give(struct tg_lock *l)
{
    if (atomic_exchange_explicit(&l->word, TG_LOCK_FREE,
                                 memory_order_release) == TG_LOCK_WANTED)
        tg_futex_wake(&l->word, 1);
}

#endif
