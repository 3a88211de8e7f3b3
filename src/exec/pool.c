/* pool.c - see pool.h.
 *
 * A thread sleeps on a semaphore of its own, so handing it a job costs one
 * wake, and nobody else wakes.  The idle ones are a stack: the last to become
 * idle has the warmest caches.  Ended threads are joined by the next one that
 * ends, which leaves at most one for destroy.
 */
#include "exec/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>

#include "base/assert.h"
#include "base/mem.h"

enum {
    STACK_BYTES = 8 << 20,
    LOOK_FOR_BOUND = 16 /* idle threads looked at for the right PUs */
};

/* A set of PUs as the system takes it. */
struct mask {
    cpu_set_t *set;
    size_t size; /* bytes */
};

struct thread {
    struct thread *older; /* in the idle stack */
    struct tg_pool *pool;
    pthread_t id;
    sem_t wake;
    void (*fn)(void *);
    void *arg;
    bool end; /* woken to end, not to run */

    /* Where the job is to run, and where the thread was last bound. */
    int32_t *pus, *last;
    size_t npus, nlast, cappus, caplast;
    bool bound; /* last is what the system knows */
};

struct tg_pool {
    pthread_mutex_t lock;
    pthread_cond_t ended;  /* the last thread is about to end */
    struct thread *idle;   /* the most recent first */
    struct thread *corpse; /* ended, to be joined */
    uint32_t max_idle;
    bool closing;
    struct mask home;
    pthread_attr_t attr;
    struct tg_pool_stats stats;
};

/* ----- binding ------------------------------------------------------------ */

/* Where the calling thread may run.  The system says EINVAL as long as the set
 * is smaller than its own. */
static int get_home(struct mask *m)
{
    for (size_t ncpus = 1024; ncpus <= 1 << 20; ncpus *= 2) {
        m->size = CPU_ALLOC_SIZE(ncpus);
        m->set = CPU_ALLOC(ncpus);
        if (m->set == NULL)
            return TRYGON_ERR_NOMEM;
        if (sched_getaffinity(0, m->size, m->set) == 0)
            return TRYGON_SUCCESS;
        CPU_FREE(m->set);
    }
    m->set = NULL;
    return TRYGON_ERR_NOMEM;
}

static int bind_to(const int32_t *pus, size_t npus)
{
    int32_t top = 0;
    for (size_t i = 0; i < npus; i++)
        top = pus[i] > top ? pus[i] : top;
    size_t size = CPU_ALLOC_SIZE((size_t)top + 1);
    cpu_set_t *set = CPU_ALLOC((size_t)top + 1);
    if (set == NULL)
        return -1;
    CPU_ZERO_S(size, set);
    for (size_t i = 0; i < npus; i++) {
        if (pus[i] >= 0)
            CPU_SET_S((size_t)pus[i], size, set);
    }
    int rc = sched_setaffinity(0, size, set);
    CPU_FREE(set);
    return rc;
}

static bool bound_to(const struct thread *t, const int32_t *pus, size_t npus)
{
    return t->bound && t->nlast == npus &&
           (npus == 0 || memcmp(t->last, pus, npus * sizeof *pus) == 0);
}

/* Runs in the thread itself, before its job.  A PU that is not there (a machine
 * from a file, a cpuset that shrank) must not keep the job from running. */
static void take_place(struct thread *t)
{
    struct tg_pool *pool = t->pool;
    if (bound_to(t, t->pus, t->npus))
        return;
    bool refused = t->npus > 0 && bind_to(t->pus, t->npus) != 0;
    if (refused || t->npus == 0)
        (void)sched_setaffinity(0, pool->home.size, pool->home.set);

    /* What was refused once is not tried again for the next job. */
    pthread_mutex_lock(&pool->lock);
    int32_t *pus = t->last;
    size_t cap = t->caplast;
    t->last = t->pus;
    t->caplast = t->cappus;
    t->nlast = t->npus;
    t->pus = pus;
    t->cappus = cap;
    t->bound = true;
    pool->stats.rebound++;
    pool->stats.unbound += refused;
    pthread_mutex_unlock(&pool->lock);
}

/* ----- threads ------------------------------------------------------------ */

static void free_thread(struct thread *t)
{
    sem_destroy(&t->wake);
    free(t->pus);
    free(t->last);
    free(t);
}

static void bury(struct thread *t)
{
    if (t == NULL)
        return;
    int rc = pthread_join(t->id, NULL);
    TG_ASSERT(rc == 0);
    free_thread(t);
}

/* The calling thread ends: it joins the one that did so before it.  After the
 * unlock it does not touch the pool, which may then go. */
static void leave(struct thread *t)
{
    struct tg_pool *pool = t->pool;
    pthread_mutex_lock(&pool->lock);
    struct thread *before = pool->corpse;
    pool->corpse = t;
    if (--pool->stats.threads == 0)
        pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    bury(before);
}

/* Sleeps until there is a job; false when the thread is to end. */
static bool wait_for_job(struct thread *t)
{
    struct tg_pool *pool = t->pool;
    pthread_mutex_lock(&pool->lock);
    bool stay = !pool->closing && pool->stats.idle < pool->max_idle;
    if (stay) {
        t->older = pool->idle;
        pool->idle = t;
        pool->stats.idle++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!stay)
        return false;
    while (sem_wait(&t->wake) != 0)
        TG_ASSERT(errno == EINTR);
    return !t->end;
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;
    t->id = pthread_self();
    (void)pthread_setname_np(t->id, "trygon-task");
    do {
        take_place(t);
        t->fn(t->arg);
    } while (wait_for_job(t));
    leave(t);
    return NULL;
}

/* The host's signals are not for threads that it did not make.  Those by which
 * a fault is reported stay: blocked, they would kill without a word. */
static int start_thread(struct thread *t)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                                 SIGTRAP, SIGSYS, SIGABRT};
    sigset_t block, before;
    sigfillset(&block);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&block, faults[i]);
    pthread_sigmask(SIG_SETMASK, &block, &before);
    pthread_t id; /* the thread itself writes t->id */
    int rc = pthread_create(&id, &t->pool->attr, thread_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? TRYGON_SUCCESS : TRYGON_ERR_NOMEM;
}

/* ----- jobs --------------------------------------------------------------- */

static void give(struct thread *t, void (*fn)(void *), void *arg,
                 const int32_t *pus, size_t npus)
{
    t->fn = fn;
    t->arg = arg;
    if (npus > t->cappus) {
        t->pus = tg_grow(t->pus, npus, sizeof *t->pus);
        t->cappus = npus;
    }
    if (npus > 0)
        memcpy(t->pus, pus, npus * sizeof *pus);
    t->npus = npus;
}

/* An idle thread, out of the stack; the most recent one on these PUs if there
 * is one near the top, else the most recent one.  NULL: there is none. */
static struct thread *pick(struct tg_pool *pool, const int32_t *pus,
                           size_t npus)
{
    struct thread **best = &pool->idle, **at = &pool->idle;
    for (int i = 0; i < LOOK_FOR_BOUND && *at != NULL; i++) {
        if (bound_to(*at, pus, npus)) {
            best = at;
            break;
        }
        at = &(*at)->older;
    }
    struct thread *t = *best;
    if (t != NULL) {
        *best = t->older;
        pool->stats.idle--;
    }
    return t;
}

static int run_on_new(struct tg_pool *pool, void (*fn)(void *), void *arg,
                      const int32_t *pus, size_t npus)
{
    struct thread *t = tg_alloc(sizeof *t);
    t->pool = pool;
    sem_init(&t->wake, 0, 0);
    give(t, fn, arg, pus, npus);
    int rc = start_thread(t); /* it was counted before: t may be gone now */
    if (rc == TRYGON_SUCCESS)
        return rc;
    free_thread(t);
    pthread_mutex_lock(&pool->lock);
    pool->stats.created--;
    if (--pool->stats.threads == 0)
        pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    return rc;
}

int tg_pool_run(struct tg_pool *pool, void (*fn)(void *), void *arg,
                const int32_t *pus, size_t npus)
{
    pthread_mutex_lock(&pool->lock);
    bool closing = pool->closing;
    struct thread *t = closing ? NULL : pick(pool, pus, npus);
    if (t == NULL && !closing) {
        pool->stats.threads++;
        pool->stats.created++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (closing)
        return TRYGON_ERR_SHUTDOWN;
    if (t == NULL)
        return run_on_new(pool, fn, arg, pus, npus);
    give(t, fn, arg, pus, npus);
    sem_post(&t->wake);
    return TRYGON_SUCCESS;
}

/* ----- life --------------------------------------------------------------- */

int tg_pool_create(uint32_t max_idle, size_t stack_bytes, struct tg_pool **out)
{
    struct tg_pool *pool = tg_alloc(sizeof *pool);
    pool->max_idle = max_idle;
    int rc = get_home(&pool->home);
    if (rc == TRYGON_SUCCESS && pthread_attr_init(&pool->attr) != 0) {
        CPU_FREE(pool->home.set);
        rc = TRYGON_ERR_NOMEM;
    }
    if (rc != TRYGON_SUCCESS) {
        free(pool);
        return rc;
    }
    if (stack_bytes == 0)
        stack_bytes = STACK_BYTES;
    if (pthread_attr_setstacksize(&pool->attr, stack_bytes) != 0) {
        pthread_attr_destroy(&pool->attr);
        CPU_FREE(pool->home.set);
        free(pool);
        return TRYGON_ERR_INVALID;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->ended, NULL);
    *out = pool;
    return TRYGON_SUCCESS;
}

void tg_pool_destroy(struct tg_pool **p)
{
    struct tg_pool *pool = *p;
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    for (struct thread *t; (t = pool->idle) != NULL;) {
        pool->idle = t->older;
        t->end = true;
        sem_post(&t->wake);
    }
    pool->stats.idle = 0;
    while (pool->stats.threads > 0)
        pthread_cond_wait(&pool->ended, &pool->lock);
    pthread_mutex_unlock(&pool->lock);

    bury(pool->corpse); /* which has buried the others */
    pthread_cond_destroy(&pool->ended);
    pthread_mutex_destroy(&pool->lock);
    pthread_attr_destroy(&pool->attr);
    CPU_FREE(pool->home.set);
    free(pool);
    *p = NULL;
}

void tg_pool_stats(struct tg_pool *pool, struct tg_pool_stats *stats)
{
    pthread_mutex_lock(&pool->lock);
    *stats = pool->stats;
    pthread_mutex_unlock(&pool->lock);
}
