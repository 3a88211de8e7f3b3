/* fiber.h - many calls on one kernel thread, each on a stack of its own.
 *
 * A fiber runs from start or resume until it parks or its function returns;
 * nothing else interrupts it, and it never changes its kernel thread.  A set
 * belongs to the thread that starts the first fiber in it, until all of its
 * fibers have ended; then it is anyone's again.
 * Fibers are started and resumed from the thread's own stack only, not by
 * other fibers: whoever calls is always the one that a fiber returns to.
 *
 * Each fiber has its own rounding mode and (C++) exceptions being handled.  What
 * is the thread's (errno, thread-local variables, the ownership of locks, the
 * signal mask) is shared by its fibers.  A fiber must
 * not be left by longjmp(), an exception or pthread_exit().
 */
#ifndef TG_EXEC_FIBER_H
#define TG_EXEC_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_fibers; /* a set */
struct tg_fiber;

struct tg_fibers_stats {
    uint32_t alive;  /* fibers that have not ended */
    uint32_t idle;   /* stacks kept for the next ones */
    uint64_t mapped; /* stacks made so far */
};

/* Any thread may call.  Of the stacks that are not in use max_idle are kept, all
 * but a few of them without the memory that deep calls have left.  stack_bytes:
 * 0 takes 256 KiB; memory is only used as far as a fiber goes, and one that goes
 * further than its stack faults.  Errors: INVALID (a stack too small, or
 * absurdly large). */
int tg_fibers_create(uint32_t max_idle, size_t stack_bytes,
                     struct tg_fibers **set);

/* All fibers have ended.  Any thread may call. */
void tg_fibers_destroy(struct tg_fibers **set);

/* Runs fn(arg) at once, until it parks or ends.  *parked: the fiber, or NULL
 * if it has ended.  Errors: NOMEM (no stack to be had; fn is not called). */
int tg_fiber_start(struct tg_fibers *set, void (*fn)(void *), void *arg,
                   struct tg_fiber **parked);

/* Lets a parked fiber go on, until it parks again or ends.  True: it has ended,
 * and `fiber` is no more. */
bool tg_fiber_resume(struct tg_fiber *fiber);

/* Called by a fiber: back to who started or resumed it. */
void tg_fiber_park(void);

/* The fiber that calls; NULL: none does. */
struct tg_fiber *tg_fiber_self(void);

/* What its function was started with. */
void *tg_fiber_arg(const struct tg_fiber *fiber);

/* By the thread of the set. */
void tg_fibers_stats(const struct tg_fibers *set,
                     struct tg_fibers_stats *stats);

#endif
