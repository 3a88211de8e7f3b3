/* test_pool.c - threads are made, kept, bound, ended and waited for. */
#include "exec/pool.h"

#include <CUnit/Basic.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <trygon/types.h>
#include <unistd.h>

enum { MANY = 2000 };

static struct tg_pool *make_pool(uint32_t max_idle, size_t stack)
{
    struct tg_pool *pool = NULL;
    CU_ASSERT_EQUAL_FATAL(tg_pool_create(max_idle, stack, &pool), 0);
    return pool;
}

static struct tg_pool_stats stats_of(struct tg_pool *pool)
{
    struct tg_pool_stats s;
    tg_pool_stats(pool, &s);
    return s;
}

/* Jobs are done a little before their threads are idle or gone. */
static void wait_for_idle(struct tg_pool *pool, uint32_t threads)
{
    for (int i = 0; i < 20000; i++) {
        struct tg_pool_stats s = stats_of(pool);
        if (s.threads == threads && s.idle == threads)
            return;
        usleep(500);
    }
    CU_FAIL("threads did not become idle");
}

static void count_job(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void jobs_run_and_destroy_waits(void)
{
    struct tg_pool *pool = make_pool(4, 0);
    atomic_int n = 0;
    for (int i = 0; i < 500; i++)
        CU_ASSERT_EQUAL(tg_pool_run(pool, count_job, &n, NULL, 0), 0);
    tg_pool_destroy(&pool);
    CU_ASSERT_EQUAL(atomic_load(&n), 500);
    CU_ASSERT_PTR_NULL(pool);
    tg_pool_destroy(&pool);
}

struct seen {
    pthread_t id;
    cpu_set_t set;
    sigset_t blocked;
    sem_t done;
};

static void look_job(void *arg)
{
    struct seen *s = arg;
    s->id = pthread_self();
    sched_getaffinity(0, sizeof s->set, &s->set);
    pthread_sigmask(SIG_BLOCK, NULL, &s->blocked);
    sem_post(&s->done);
}

/* Runs one job and waits until its thread is idle again. */
static struct seen look(struct tg_pool *pool, const int32_t *pus, size_t npus,
                        uint32_t threads)
{
    struct seen s;
    memset(&s, 0, sizeof s);
    sem_init(&s.done, 0, 0);
    CU_ASSERT_EQUAL(tg_pool_run(pool, look_job, &s, pus, npus), 0);
    while (sem_wait(&s.done) != 0)
        continue;
    wait_for_idle(pool, threads);
    return s;
}

static void idle_threads_are_used_again(void)
{
    struct tg_pool *pool = make_pool(4, 0);
    struct seen a = look(pool, NULL, 0, 1);
    for (int i = 0; i < 10; i++) {
        struct seen b = look(pool, NULL, 0, 1);
        CU_ASSERT(pthread_equal(a.id, b.id));
    }
    CU_ASSERT_EQUAL(stats_of(pool).created, 1);
    CU_ASSERT_EQUAL(stats_of(pool).rebound, 1);
    tg_pool_destroy(&pool);
}

static void signals_are_blocked(void)
{
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    struct tg_pool *pool = make_pool(1, 0);
    struct seen s = look(pool, NULL, 0, 1);
    CU_ASSERT_EQUAL(sigismember(&s.blocked, SIGINT), 1);
    CU_ASSERT_EQUAL(sigismember(&s.blocked, SIGUSR1), 1);
    CU_ASSERT_EQUAL(sigismember(&s.blocked, SIGCHLD), 1);
    CU_ASSERT_EQUAL(sigismember(&s.blocked, SIGSEGV), 0);
    tg_pool_destroy(&pool);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    CU_ASSERT_EQUAL(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
}

static void jobs_are_bound(void)
{
    cpu_set_t home, now;
    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof home, &home), 0);
    int32_t pu[2], n = 0;
    for (int32_t c = 0; c < CPU_SETSIZE && n < 2; c++) {
        if (CPU_ISSET((size_t)c, &home))
            pu[n++] = c;
    }
    struct tg_pool *pool = make_pool(4, 0);
    struct seen s = look(pool, pu, 1, 1);
    CU_ASSERT_EQUAL(CPU_COUNT(&s.set), 1);
    CU_ASSERT(CPU_ISSET((size_t)pu[0], &s.set));
    look(pool, pu, 1, 1);
    CU_ASSERT_EQUAL(stats_of(pool).rebound, 1); /* it was there already */
    s = look(pool, pu, (size_t)n, 1);
    CU_ASSERT_EQUAL(CPU_COUNT(&s.set), n);
    s = look(pool, NULL, 0, 1);
    CU_ASSERT(CPU_EQUAL(&s.set, &home));

    static const int32_t nowhere[] = {100000}, wrong[] = {-1};
    s = look(pool, nowhere, 1, 1);
    CU_ASSERT(CPU_EQUAL(&s.set, &home));
    s = look(pool, wrong, 1, 1);
    CU_ASSERT(CPU_EQUAL(&s.set, &home));
    CU_ASSERT_EQUAL(stats_of(pool).unbound, 2);
    tg_pool_destroy(&pool);
    CU_ASSERT_EQUAL(sched_getaffinity(0, sizeof now, &now), 0);
    CU_ASSERT(CPU_EQUAL(&now, &home)); /* ours was never touched */
}

struct gate {
    atomic_int inside, done;
    sem_t open;
};

static void gate_job(void *arg)
{
    struct gate *g = arg;
    atomic_fetch_add(&g->inside, 1);
    while (sem_wait(&g->open) != 0)
        continue;
    atomic_fetch_add(&g->done, 1);
}

static void fill_gate(struct tg_pool *pool, struct gate *g, int n,
                      const int32_t *pus, size_t npus)
{
    for (int i = 0; i < n; i++)
        CU_ASSERT_EQUAL(tg_pool_run(pool, gate_job, g, pus, npus), 0);
    for (int i = 0; i < 20000 && atomic_load(&g->inside) < n; i++)
        usleep(500);
    CU_ASSERT_EQUAL(atomic_load(&g->inside), n);
}

static void open_gate(struct gate *g, int n)
{
    for (int i = 0; i < n; i++)
        sem_post(&g->open);
}

static void the_bound_one_is_preferred(void)
{
    struct tg_pool *pool = make_pool(4, 0);
    struct gate g = {0};
    sem_init(&g.open, 0, 0);
    static const int32_t zero[] = {0};
    struct seen a = look(pool, zero, 1, 1);
    /* Two more on top of it in the stack, not bound. */
    CU_ASSERT_EQUAL(tg_pool_run(pool, gate_job, &g, zero, 1), 0);
    struct gate h = {0};
    sem_init(&h.open, 0, 0);
    fill_gate(pool, &h, 2, NULL, 0);
    open_gate(&g, 1);
    for (int i = 0; i < 20000 && stats_of(pool).idle < 1; i++)
        usleep(500);
    open_gate(&h, 2);
    wait_for_idle(pool, 3);

    struct seen b = look(pool, zero, 1, 3);
    CU_ASSERT(pthread_equal(a.id, b.id));
    CU_ASSERT_EQUAL(stats_of(pool).rebound, 3);
    tg_pool_destroy(&pool);
}

static void many_jobs_block_at_once(void)
{
    struct tg_pool *pool = make_pool(10, 0);
    struct gate g = {0};
    sem_init(&g.open, 0, 0);
    fill_gate(pool, &g, MANY, NULL, 0);
    CU_ASSERT_EQUAL(stats_of(pool).threads, MANY);
    open_gate(&g, MANY);
    wait_for_idle(pool, 10); /* the others end */
    CU_ASSERT_EQUAL(atomic_load(&g.done), MANY);
    CU_ASSERT_EQUAL(stats_of(pool).created, MANY);
    tg_pool_destroy(&pool);
}

static void a_thread_that_cannot_be_made_is_told(void)
{
    struct tg_pool *pool = NULL;
    CU_ASSERT_EQUAL(tg_pool_create(1, 1, &pool), TRYGON_ERR_INVALID);
    CU_ASSERT_PTR_NULL(pool);
    if (sizeof(size_t) < 8)
        return;
    pool = make_pool(1, (size_t)1 << 46);
    atomic_int n = 0;
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(tg_pool_run(pool, count_job, &n, NULL, 0),
                        TRYGON_ERR_NOMEM);
    CU_ASSERT_EQUAL(stats_of(pool).threads, 0);
    tg_pool_destroy(&pool);
    CU_ASSERT_EQUAL(atomic_load(&n), 0);
}

/* Jobs that start jobs, from several threads, until the pool closes. */
struct chain {
    struct tg_pool *pool;
    atomic_int ran, refused;
};

static void chain_job(void *arg)
{
    struct chain *c = arg;
    atomic_fetch_add(&c->ran, 1);
    int rc = tg_pool_run(c->pool, chain_job, c, NULL, 0);
    if (rc == TRYGON_ERR_SHUTDOWN)
        atomic_fetch_add(&c->refused, 1);
}

static void a_closing_pool_takes_no_jobs(void)
{
    struct chain c = {.pool = make_pool(3, 0)};
    struct tg_pool *pool = c.pool;
    for (int i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(tg_pool_run(pool, chain_job, &c, NULL, 0), 0);
    usleep(20000);
    tg_pool_destroy(&pool);
    CU_ASSERT_EQUAL(atomic_load(&c.refused), 8);
    CU_ASSERT(atomic_load(&c.ran) >= 8);
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("pool", NULL, NULL);
    CU_ADD_TEST(s, jobs_run_and_destroy_waits);
    CU_ADD_TEST(s, idle_threads_are_used_again);
    CU_ADD_TEST(s, signals_are_blocked);
    CU_ADD_TEST(s, jobs_are_bound);
    CU_ADD_TEST(s, the_bound_one_is_preferred);
    CU_ADD_TEST(s, many_jobs_block_at_once);
    CU_ADD_TEST(s, a_thread_that_cannot_be_made_is_told);
    CU_ADD_TEST(s, a_closing_pool_takes_no_jobs);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}
