/* pool.h - kernel threads that run one job each, and are kept for the next.
 *
 * A job may block for as long as it likes: the pool has as many threads as
 * there are jobs at a time, since user code never runs above a blocked frame.
 * It knows no tasks, ranks or slots; PUs are the system's numbers.  Only the
 * pool's own threads are ever bound.
 *
 * All signals are blocked in these threads, except those that a thread raises
 * by its own fault (SIGSEGV and the like), so that the host's handlers see
 * them.
 */
#ifndef TG_EXEC_POOL_H
#define TG_EXEC_POOL_H

#include <stddef.h>
#include <stdint.h>

struct tg_pool;

struct tg_pool_stats {
    uint32_t threads; /* now */
    uint32_t idle;    /* of these */
    uint64_t created; /* so far */
    uint64_t rebound; /* affinities set so far */
    uint64_t unbound; /* refused by the system: the job ran unbound */
};

/* Threads beyond max_idle end when their job does.  stack_bytes: 0 takes
 * 8 MiB; memory is only used as far as a job goes.  A job without PUs runs
 * where the thread that calls this may run now.  Errors: INVALID (a stack too
 * small), NOMEM. */
int tg_pool_create(uint32_t max_idle, size_t stack_bytes,
                   struct tg_pool **pool);

/* Runs fn(arg) on a thread bound to npus PUs (0: not bound), as soon as the
 * system lets it; pus is copied.  Any thread may call, jobs too.
 * Errors: NOMEM (no new thread to be had; fn is not called), SHUTDOWN. */
int tg_pool_run(struct tg_pool *pool, void (*fn)(void *), void *arg,
                const int32_t *pus, size_t npus);

/* Waits for all jobs to end, and their threads.  Not to be called by a job. */
void tg_pool_destroy(struct tg_pool **pool);

void tg_pool_stats(struct tg_pool *pool, struct tg_pool_stats *stats);

#endif
