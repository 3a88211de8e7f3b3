/* test_bells.c - doorbells between forked processes and between threads.
 *
 * Messages are words in memory that all share.  What is tested above all is
 * that nobody sleeps on while there is a message: such a wait ends by its own
 * limit, with the message there and nobody having rung.
 */
#include "rank/bells.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <trygon/types.h>
#include <unistd.h>

#include "base/rng.h"

#include "../cunit_main.h"

enum { ROUNDS = 100000, WATCHDOG_S = 110, LONG_MS = 900 };

static const int32_t same[4] = {0};
static int lines; /* of the log */

static void count_line(void *arg, enum trygon_level level, const char *line)
{
    (void)arg;
    lines += level == TRYGON_LOG_INFO && line[0] != '\0';
}

static const struct tg_log logger = {TRYGON_LOG_INFO, 0, count_line, NULL};

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* One rank of n that thinks that it is alone in its process.  The first of a
 * node says what it offers, the others are told. */
static void open_rank(struct tg_bells *b, int32_t rank, const int32_t *node,
                      int32_t n, struct tg_shm_offer *offer)
{
    struct tg_shm_offer mine;
    int32_t first = 0;
    while (node[first] != node[rank])
        first++;
    tg_bells_offer(b, rank, n, &logger, &mine);
    if (rank == first)
        *offer = mine;
    tg_bells_join(b, node, first, offer, &logger);
}

/* The flag of a rank, as another one sees it. */
static unsigned flag(const struct tg_bells *b, int32_t rank)
{
    return atomic_load(&b->of[rank]->asleep);
}

/* ----- joining ------------------------------------------------------------- */

static void one_rank_needs_no_page(void)
{
    struct tg_bells b;
    struct tg_shm_offer first;
    lines = 0;
    open_rank(&b, 0, same, 1, &first);
    CU_ASSERT(first.fd < 0 && b.page.at == NULL && lines == 0);
    CU_ASSERT_TRUE(tg_bells_all(&b));
    unsigned seen = tg_bell_seen(&b);
    tg_bells_ring(&b, 0);
    CU_ASSERT_EQUAL(tg_bell_seen(&b), seen);
    tg_bell_ring(&b);
    CU_ASSERT_EQUAL(tg_bell_seen(&b), seen + 1);
    tg_bell_wait(&b, seen, UINT64_MAX); /* has been rung since */
    uint64_t start = now_ms();
    tg_bell_wait(&b, seen + 1, 20000000);
    CU_ASSERT(now_ms() >= start + 19);
    tg_bells_free(&b);
    tg_bells_free(&b);
}

static void all_when_the_last_has_joined(void)
{
    struct tg_bells b[3];
    struct tg_shm_offer first;
    lines = 0;
    for (int32_t r = 0; r < 3; r++) {
        open_rank(&b[r], r, same, 3, &first);
        for (int32_t q = 0; q <= r; q++)
            CU_ASSERT_EQUAL(tg_bells_all(&b[q]), r == 2);
    }
    CU_ASSERT_EQUAL(lines, 0);
    for (int32_t r = 0; r < 3; r++)
        tg_bells_free(&b[r]);
}

/* Ranks 1 and 3 are one node, 0 another, 2 a third. */
static void other_nodes_are_not_rung(void)
{
    static const int32_t node[4] = {0, 1, 2, 1};
    struct tg_bells b[4];
    struct tg_shm_offer first, unused;
    lines = 0;
    open_rank(&b[0], 0, node, 4, &unused);
    open_rank(&b[1], 1, node, 4, &first);
    open_rank(&b[2], 2, node, 4, &unused);
    open_rank(&b[3], 3, node, 4, &first);
    CU_ASSERT_EQUAL(lines, 0);
    for (int32_t r = 0; r < 4; r++) {
        CU_ASSERT_FALSE(tg_bells_all(&b[r]));
        for (int32_t q = 0; q < 4; q++)
            CU_ASSERT_EQUAL(b[r].of[q] != NULL, node[r] == 1 && node[q] == 1);
    }
    tg_bell_arm(&b[3]);
    tg_bell_arm(&b[0]);
    for (int32_t q = 0; q < 4; q++)
        tg_bells_ring(&b[1], q);
    CU_ASSERT_EQUAL(tg_bell_seen(&b[3]), 1);
    CU_ASSERT_EQUAL(tg_bell_seen(&b[1]), 0);
    CU_ASSERT_EQUAL(tg_bell_seen(&b[0]), 0);
    for (int32_t r = 0; r < 4; r++)
        tg_bells_free(&b[r]);
}

static void who_cannot_map_is_told(void)
{
    struct tg_bells b[3];
    struct tg_shm_offer first, wrong, none;
    open_rank(&b[0], 0, same, 3, &first);
    wrong = none = first;
    wrong.nonce[3] ^= 1;
    none.fd = -1;
    lines = 0;
    open_rank(&b[1], 1, same, 3, &wrong);
    CU_ASSERT_EQUAL(lines, 1);
    open_rank(&b[2], 2, same, 3, &none);
    CU_ASSERT_EQUAL(lines, 2);
    for (int32_t r = 0; r < 3; r++)
        CU_ASSERT_FALSE(tg_bells_all(&b[r]));
    for (int32_t r = 1; r < 3; r++) {
        tg_bell_arm(&b[r]);
        tg_bells_ring(&b[0], r); /* a line that nobody sleeps on */
        CU_ASSERT_EQUAL(tg_bell_seen(&b[r]), 0);
        tg_bell_ring(&b[r]);
        CU_ASSERT_EQUAL(tg_bell_seen(&b[r]), 1);
        CU_ASSERT_PTR_NULL(b[r].of[0]);
    }
    for (int32_t r = 0; r < 3; r++)
        tg_bells_free(&b[r]);
}

/* ----- ringing -------------------------------------------------------------- */

static void only_sleepers_are_rung_and_once(void)
{
    struct tg_bells b[2];
    struct tg_shm_offer first;
    open_rank(&b[0], 0, same, 2, &first);
    open_rank(&b[1], 1, same, 2, &first);
    unsigned seen = tg_bell_seen(&b[1]);
    tg_bells_ring(&b[0], 1);
    CU_ASSERT_EQUAL(tg_bell_seen(&b[1]), seen); /* awake: nothing was done */
    tg_bell_arm(&b[1]);
    CU_ASSERT_EQUAL(flag(&b[0], 1), 1);
    tg_bells_ring(&b[0], 1);
    CU_ASSERT_EQUAL(flag(&b[0], 1), 0);
    CU_ASSERT_EQUAL(tg_bell_seen(&b[1]), seen + 1);
    tg_bells_ring(&b[0], 1);
    CU_ASSERT_EQUAL(tg_bell_seen(&b[1]), seen + 1);
    tg_bell_wait(&b[1], seen, UINT64_MAX); /* returns: it has been rung */
    tg_bell_arm(&b[1]);
    tg_bell_disarm(&b[1]);
    tg_bells_ring(&b[0], 1);
    CU_ASSERT_EQUAL(tg_bell_seen(&b[1]), seen + 1);
    tg_bells_free(&b[0]);
    tg_bells_free(&b[1]);
}

/* So that it wakes while the message is made. */
static void a_sleeper_is_roused_before_it_is_sent_something(void)
{
    struct tg_bells b[2];
    struct tg_shm_offer first;
    open_rank(&b[0], 0, same, 2, &first);
    open_rank(&b[1], 1, same, 2, &first);
    unsigned seen = tg_bell_seen(&b[1]);
    tg_bells_rouse(&b[0], 1);
    CU_ASSERT_EQUAL(tg_bell_seen(&b[1]), seen); /* it is awake */
    tg_bell_arm(&b[1]);
    tg_bells_rouse(&b[0], 1);
    CU_ASSERT_EQUAL(flag(&b[0], 1), 0);
    CU_ASSERT_EQUAL(tg_bell_seen(&b[1]), seen + 1);
    tg_bells_free(&b[0]);
    tg_bells_free(&b[1]);
}

/* Who took the flag down was killed before it could wake us. */
static void a_wait_ends(void)
{
    struct tg_bells b[2];
    struct tg_shm_offer first;
    open_rank(&b[0], 0, same, 2, &first);
    open_rank(&b[1], 1, same, 2, &first);
    unsigned seen = tg_bell_seen(&b[1]);
    tg_bell_arm(&b[1]);
    atomic_store(&b[0].of[1]->asleep, 0);
    uint64_t start = now_ms();
    tg_bell_wait(&b[1], seen, UINT64_MAX);
    CU_ASSERT(now_ms() < start + 20000);
    tg_bells_free(&b[0]);
    tg_bells_free(&b[1]);
}

/* ----- ping-pong ------------------------------------------------------------- */

/* What two ranks or threads share; each waits for its own word. */
struct table {
    atomic_uint word[2][64]; /* the first of each counts */
    atomic_uint slept[2], lost[2];
};

static struct table *new_table(void)
{
    void *p = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(p != MAP_FAILED);
    return p;
}

static bool came(atomic_uint *word, unsigned want)
{
    return atomic_load_explicit(word, memory_order_relaxed) == want;
}

/* Waits as the poller does.  It spins by chance, so that going to sleep and
 * being sent something meet in all ways. */
static void await(struct tg_bells *b, struct table *t, int me, unsigned want,
                  struct tg_rng *rng)
{
    atomic_uint *word = t->word[me];
    for (;;) {
        unsigned seen = tg_bell_seen(b);
        uint32_t spins = tg_rng_below(rng, 200);
        for (uint32_t i = 0; i < spins; i++)
            if (came(word, want))
                return;
        tg_bell_arm(b);
        if (!came(word, want)) {
            uint64_t start = now_ms();
            tg_bell_wait(b, seen, 2 * LONG_MS * UINT64_C(1000000));
            atomic_fetch_add(&t->slept[me], 1);
            if (now_ms() - start >= LONG_MS && came(word, want) &&
                tg_bell_seen(b) == seen)
                atomic_fetch_add(&t->lost[me], 1);
        }
        tg_bell_disarm(b);
    }
}

static void judge(const struct table *t)
{
    CU_ASSERT_EQUAL(atomic_load(&t->lost[0]), 0);
    CU_ASSERT_EQUAL(atomic_load(&t->lost[1]), 0);
    CU_ASSERT(atomic_load(&t->slept[0]) > 0);
    CU_ASSERT(atomic_load(&t->slept[1]) > 0);
}

static void play_rank(struct tg_bells *b, struct table *t, int me)
{
    struct tg_rng rng = {(uint64_t)me};
    for (unsigned i = 1; i <= ROUNDS; i++) {
        if (me == 1)
            await(b, t, me, i, &rng);
        atomic_store_explicit(t->word[!me], i, memory_order_relaxed);
        tg_bells_ring(b, !me);
        if (me == 0)
            await(b, t, me, i, &rng);
    }
}

static void no_ring_is_lost_between_ranks(void)
{
    struct table *t = new_table();
    struct tg_bells b;
    struct tg_shm_offer first;
    open_rank(&b, 0, same, 2, &first);
    pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        struct tg_bells other;
        alarm(WATCHDOG_S);
        open_rank(&other, 1, same, 2, &first);
        if (!tg_bells_all(&other))
            _exit(1);
        play_rank(&other, t, 1);
        _exit(0);
    }
    int status = 0;
    while (!tg_bells_all(&b) && waitpid(child, &status, WNOHANG) == 0)
        usleep(1000);
    CU_ASSERT_FATAL(tg_bells_all(&b));
    play_rank(&b, t, 0);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    judge(t);
    munmap(t, sizeof *t);
    tg_bells_free(&b);
}

/* Its flag stays up for the first who rings, and costs nobody else anything. */
static void a_rank_dies_asleep(void)
{
    struct tg_bells b;
    struct tg_shm_offer first;
    open_rank(&b, 0, same, 2, &first);
    pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        struct tg_bells other;
        alarm(WATCHDOG_S);
        open_rank(&other, 1, same, 2, &first);
        for (;;) {
            tg_bell_arm(&other);
            tg_bell_wait(&other, 0, UINT64_MAX);
        }
    }
    int status = 0;
    while (flag(&b, 1) == 0 && waitpid(child, &status, WNOHANG) == 0)
        usleep(1000);
    CU_ASSERT_EQUAL(kill(child, SIGKILL), 0);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(flag(&b, 1), 1);
    tg_bells_ring(&b, 1);
    tg_bells_ring(&b, 1);
    CU_ASSERT_EQUAL(flag(&b, 1), 0);
    CU_ASSERT_EQUAL(atomic_load(&b.of[1]->count), 1);
    tg_bells_free(&b);
}

/* ----- threads ----------------------------------------------------------------- */

struct player {
    struct tg_bells *bells;
    struct table *table;
    int me;
};

static void *play_thread(void *arg)
{
    const struct player *p = arg;
    struct tg_rng rng = {(uint64_t)p->me};
    for (unsigned i = 1; i <= ROUNDS; i++) {
        if (p->me == 1)
            await(&p->bells[1], p->table, 1, i, &rng);
        atomic_store_explicit(p->table->word[!p->me], i, memory_order_relaxed);
        tg_bell_ring(&p->bells[!p->me]);
        if (p->me == 0)
            await(&p->bells[0], p->table, 0, i, &rng);
    }
    return NULL;
}

static void no_ring_is_lost_between_threads(void)
{
    struct table *t = new_table();
    struct tg_bells b[2];
    struct tg_shm_offer unused;
    struct player players[2] = {{b, t, 0}, {b, t, 1}};
    pthread_t id;
    open_rank(&b[0], 0, same, 1, &unused);
    open_rank(&b[1], 0, same, 1, &unused);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&id, NULL, play_thread, &players[1]),
                          0);
    (void)play_thread(&players[0]);
    CU_ASSERT_EQUAL(pthread_join(id, NULL), 0);
    judge(t);
    munmap(t, sizeof *t);
    tg_bells_free(&b[0]);
    tg_bells_free(&b[1]);
}

static const struct unit_test tests[] = {
    TEST(one_rank_needs_no_page),
    TEST(all_when_the_last_has_joined),
    TEST(other_nodes_are_not_rung),
    TEST(who_cannot_map_is_told),
    TEST(only_sleepers_are_rung_and_once),
    TEST(a_sleeper_is_roused_before_it_is_sent_something),
    TEST(a_wait_ends),
    TEST(no_ring_is_lost_between_ranks),
    TEST(a_rank_dies_asleep),
    TEST(no_ring_is_lost_between_threads),
    TESTS_END,
};

int main(void)
{
    alarm(WATCHDOG_S);
    return cunit_run("bells", tests);
}
