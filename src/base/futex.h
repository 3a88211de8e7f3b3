/* futex.h - sleep on a word of this process until somebody changes it. */
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
 * return early for no reason: look again. */
static inline void tg_futex_wait(atomic_uint *word, unsigned seen, uint64_t ns)
{
    struct timespec ts = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen,
            ns == UINT64_MAX ? NULL : &ts, NULL, 0);
}

static inline void tg_futex_wake(atomic_uint *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

#endif
