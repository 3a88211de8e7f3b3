/* test_stores_node.c - the page of a node: nobody gets more than is left, and
 * what a lost rank had is nobody's. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <trygon/types.h>
#include <unistd.h>

#include "../cunit_main.h"
#include "rank/stores_node.h"

enum { RANKS = 4 };

/* As one process has it for all of them. */
static void start(struct tg_nodemem n[RANKS], uint64_t limit)
{
    struct tg_shm_offer offer;
    char why[100];
    memset(n, 0, RANKS * sizeof *n);
    CU_ASSERT_EQUAL(tg_nodemem_offer(&n[0], RANKS, &offer, why, sizeof why), 0);
    for (int32_t i = 1; i < RANKS; i++)
        CU_ASSERT_EQUAL(tg_nodemem_open(&n[i], RANKS, &offer, why, sizeof why),
                        0);
    for (int32_t i = 0; i < RANKS; i++)
        CU_ASSERT_EQUAL(tg_nodemem_join(&n[i], i, RANKS, limit, false), 0);
}

static void stop(struct tg_nodemem n[RANKS])
{
    for (int32_t i = 0; i < RANKS; i++)
        tg_nodemem_free(&n[i]);
}

static void one_limit_for_all(void)
{
    struct tg_nodemem n[RANKS];
    start(n, 100);
    CU_ASSERT_TRUE(tg_nodemem_take(&n[0], 70));
    CU_ASSERT_FALSE(tg_nodemem_take(&n[1], 31));
    CU_ASSERT_FALSE(tg_nodemem_take(&n[1], UINT64_MAX));
    CU_ASSERT_TRUE(tg_nodemem_take(&n[1], 30));
    CU_ASSERT_EQUAL(tg_nodemem_others(&n[1]).used, 70);
    CU_ASSERT_EQUAL(tg_nodemem_others(&n[2]).used, 100);
    tg_nodemem_spill(&n[0], 20);
    tg_nodemem_want(&n[1], 50);
    tg_nodemem_want(&n[1], 40);
    struct tg_node_use use = tg_nodemem_others(&n[2]);
    CU_ASSERT(use.spilling == 20 && use.wanted == 40);
    CU_ASSERT(tg_nodemem_others(&n[1]).wanted == 0);
    tg_nodemem_spilled(&n[0], 20);
    CU_ASSERT_FALSE(n[0].rings);
    tg_nodemem_give(&n[0], 70);
    CU_ASSERT_TRUE(n[0].rings); /* somebody waits for it */
    CU_ASSERT_TRUE(tg_nodemem_take(&n[1], 70));
    tg_nodemem_want(&n[1], 0);
    use = tg_nodemem_others(&n[0]);
    CU_ASSERT(use.used == 100 && use.spilling == 0 && use.wanted == 0);
    stop(n);
}

static void warm_memory_has_even_shares(void)
{
    struct tg_nodemem n[RANKS];
    start(n, 100);
    CU_ASSERT_FALSE(tg_nodemem_resident(&n[0], 60));
    CU_ASSERT_TRUE(tg_nodemem_take(&n[1], 50));
    CU_ASSERT_TRUE(tg_nodemem_resident(&n[1], 50));
    CU_ASSERT_TRUE(tg_nodemem_full(&n[0]));
    CU_ASSERT_EQUAL(tg_nodemem_share(&n[0]), 12);
    CU_ASSERT_FALSE(tg_nodemem_resident(&n[0], 12));
    CU_ASSERT_FALSE(tg_nodemem_full(&n[0]));
    stop(n);
}

static void what_a_lost_rank_had_is_free(void)
{
    struct tg_nodemem n[RANKS];
    start(n, 100);
    CU_ASSERT_TRUE(tg_nodemem_take(&n[0], 60) && tg_nodemem_take(&n[1], 40));
    tg_nodemem_want(&n[0], 30);
    tg_nodemem_spill(&n[0], 10);
    (void)tg_nodemem_resident(&n[0], 80);
    for (int32_t i = 1; i < RANKS; i++) /* each hears of it */
        tg_nodemem_lose(&n[i], 0);
    struct tg_node_use use = tg_nodemem_others(&n[1]);
    CU_ASSERT(use.used == 0 && use.wanted == 0 && use.spilling == 0);
    CU_ASSERT_FALSE(tg_nodemem_full(&n[1]));
    tg_nodemem_give(&n[0], 60); /* it was alive after all */
    tg_nodemem_spilled(&n[0], 10);
    tg_nodemem_want(&n[0], 0);
    CU_ASSERT_EQUAL(tg_nodemem_others(&n[2]).used, 40);
    CU_ASSERT_TRUE(tg_nodemem_take(&n[2], 60));
    CU_ASSERT_FALSE(tg_nodemem_take(&n[2], 1));
    stop(n);
}

static void alone_it_has_a_page_for_itself(void)
{
    struct tg_nodemem n = {0};
    CU_ASSERT_EQUAL(tg_nodemem_join(&n, 3, 4, 25, true), 0);
    CU_ASSERT_TRUE(tg_nodemem_take(&n, 25));
    CU_ASSERT(!tg_nodemem_take(&n, 1) && tg_nodemem_others(&n).used == 0);
    CU_ASSERT_EQUAL(n.nranks, 1);
    tg_nodemem_free(&n);
    tg_nodemem_free(&n);
}

/* Takes and gives back; the first one is killed meanwhile. */
static void work(struct tg_nodemem *n, int32_t me)
{
    uint64_t have = 0, x = (uint64_t)me + 1;
    for (int i = 0; i < 20000 || me == 0; i++) {
        x = x * UINT64_C(6364136223846793005) + 1;
        uint64_t bytes = 1 + (x >> 40) % 40;
        if (have >= bytes && (x >> 60) % 2 == 0) {
            tg_nodemem_give(n, bytes);
            have -= bytes;
        } else if (tg_nodemem_take(n, bytes)) {
            have += bytes;
        }
        if (atomic_load(&n->page->all.used) > 100)
            _exit(1);
    }
    tg_nodemem_give(n, have);
    _exit(0);
}

static void processes_take_and_give(void)
{
    struct tg_nodemem n[RANKS];
    pid_t pid[RANKS];
    int status;
    start(n, 100);
    for (int32_t i = 0; i < RANKS; i++)
        if ((pid[i] = fork()) == 0)
            work(&n[i], i);
    for (int32_t i = 1; i < RANKS; i++) {
        CU_ASSERT_EQUAL(waitpid(pid[i], &status, 0), pid[i]);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    kill(pid[0], SIGSTOP);
    waitpid(pid[0], &status, WUNTRACED);
    kill(pid[0], SIGKILL);
    waitpid(pid[0], &status, 0);
    uint64_t sum = atomic_load(&n[1].page->all.used);
    uint64_t line = atomic_load(&n[1].page->of[0].used);
    tg_nodemem_lose(&n[1], 0);
    CU_ASSERT(sum >= line && sum - line <= 40); /* between two steps */
    CU_ASSERT_EQUAL(atomic_load(&n[1].page->all.used), sum - line);
    stop(n);
}

static const struct unit_test tests[] = {
    TEST(one_limit_for_all),
    TEST(warm_memory_has_even_shares),
    TEST(what_a_lost_rank_had_is_free),
    TEST(alone_it_has_a_page_for_itself),
    TEST(processes_take_and_give),
    TESTS_END,
};

CUNIT_MAIN("stores: node", tests)
