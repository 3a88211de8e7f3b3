/* futex.h - sleep on a word until somebody changes it. */
#ifndef TG_BASE_FUTEX_H
#define TG_BASE_FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleep while *word is `seen`, for at most ns (UINT64_MAX: no limit).  May
 * return early for no reason: look again.  op: FUTEX_WAIT, or _PRIVATE. */
static inline void tg_futex_wait_op(atomic_uint *word, int op, unsigned seen,
                                    uint64_t ns)
{
    struct timespec ts = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    syscall(SYS_futex, word, op, seen, ns == UINT64_MAX ? NULL : &ts, NULL, 0);
}

/* Between threads of this process. */
static inline void tg_futex_wait(atomic_uint *word, unsigned seen, uint64_t ns)
{
    tg_futex_wait_op(word, FUTEX_WAIT_PRIVATE, seen, ns);
}

static inline void tg_futex_wake(atomic_uint *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

/* Between processes that share the word's memory; in memory that is not shared
 * they do as the others, a little slower. */
static inline void tg_futex_wait_shared(atomic_uint *word, unsigned seen,
                                        uint64_t ns)
{
    tg_futex_wait_op(word, FUTEX_WAIT, seen, ns);
}

static inline void tg_futex_wake_shared(atomic_uint *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
}

#endif
