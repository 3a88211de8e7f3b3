/* test_head_fair.c - who starves gets a lease, and how many blocked parents a
 * rank takes. */
#include "../cunit_main.h"
#include "granting.h"

/* ----- starving --------------------------------------------------------------------- */

static void a_starving_owner_gets_a_lease_of_a_greedy_one(void)
{
    struct sched s;
    struct grant g[4], new;
    struct tg_msg m;
    sched_start(&s, 2, 2, 1);
    ask_for(&s, 1, 100);
    CU_ASSERT_EQUAL(all_granted(&s, g, 4), 4);
    ask_for(&s, 2, 1);
    CU_ASSERT_EQUAL(ctx_count(&s.ctx, TG_MSG_RECALL), 0);
    sched_sleep(&s, 2 * s.ctx.lim.balance_ns);
    CU_ASSERT_EQUAL_FATAL(ctx_count(&s.ctx, TG_MSG_RECALL), 1);
    CU_ASSERT_TRUE(ctx_sent(&s.ctx, 1, TG_MSG_RECALL, &m) ||
                   ctx_sent(&s.ctx, 2, TG_MSG_RECALL, &m));
    uint64_t lease = m.u.close.lease;
    sched_sleep(&s, 5 * s.ctx.lim.balance_ns);
    CU_ASSERT_EQUAL(ctx_count(&s.ctx, TG_MSG_RECALL), 0); /* asked once */
    for (int i = 0; i < 4; i++)
        if (g[i].lease == lease)
            closes(&s, &g[i]);
    CU_ASSERT_TRUE(granted(&s, &new));
    CU_ASSERT_EQUAL(new.owner, 2); /* though owner 1 wants 96 more */
    sched_stop(&s);
}

static void for_a_large_shape_one_rank_is_emptied(void)
{
    struct sched s;
    struct grant g[12], new = {0};
    sched_start(&s, 3, 4, 1);
    ask_for(&s, 1, 100);
    CU_ASSERT_EQUAL(all_granted(&s, g, 12), 12);
    struct asked a = {2, 1, 1, 0, 0, shape_cpus(4 * TG_UNIT), 0, {0}};
    ask(&s, &a);
    sched_sleep(&s, 2 * s.ctx.lim.balance_ns);
    int32_t rank = s.head.reserved_rank;
    for (int i = 0; i < 12; i++) {
        bool here = g[i].worker == rank;
        CU_ASSERT_EQUAL(ctx_said(&s.ctx, g[i].worker, TG_MSG_RECALL), here);
        if (here)
            closes(&s, &g[i]); /* nobody else gets it meanwhile */
    }
    CU_ASSERT_TRUE(granted(&s, &new));
    CU_ASSERT(new.owner == 2 && new.worker == rank &&new.ncpus == 4);
    sched_stop(&s);
}

static void when_a_rank_is_kept_no_more_others_get_it(void)
{
    struct sched s;
    struct grant g[2], new;
    sched_start(&s, 1, 2, 1);
    ask_for(&s, 1, 3);
    CU_ASSERT_EQUAL(all_granted(&s, g, 2), 2);
    struct asked a = {2, 1, 1, 0, 0, shape_cpus(2 * TG_UNIT), 0, {0}};
    ask(&s, &a);
    sched_sleep(&s, 2 * s.ctx.lim.balance_ns);
    CU_ASSERT_NOT_EQUAL(s.head.reserved_for, 0);
    closes(&s, &g[0]);
    CU_ASSERT_FALSE(granted(&s, &new)); /* it is kept */
    a.want = 0;
    ask(&s, &a);
    CU_ASSERT_TRUE(granted(&s, &new)); /* nobody has to close for that */
    CU_ASSERT_EQUAL(new.owner, 1);
    sched_stop(&s);
}

static void what_is_deeper_or_lent_is_not_recalled(void)
{
    struct sched s;
    struct grant g[2];
    sched_start(&s, 1, 2, 1);
    struct asked deep = {1, 1, 1, 0, 3, shape_cpus(TG_UNIT), 0, {0}};
    ask(&s, &deep);
    ask_for(&s, 2, 1);
    CU_ASSERT_EQUAL(all_granted(&s, g, 2), 2);
    tell_head(&s, &g[1], TG_MSG_LEND);
    struct asked two = {1, 2, 1, 0, 0, shape_cpus(2 * TG_UNIT), 0, {0}};
    ask(&s, &two);
    sched_sleep(&s, 10 * s.ctx.lim.balance_ns);
    CU_ASSERT_EQUAL(ctx_count(&s.ctx, TG_MSG_RECALL), 0);
    sched_stop(&s);
}

static void a_lent_lease_is_spared_where_another_is_recalled(void)
{
    struct sched s;
    struct grant g[2];
    struct tg_msg m;
    sched_start(&s, 1, 2, 1);
    ask_for(&s, 1, 2);
    CU_ASSERT_EQUAL(all_granted(&s, g, 2), 2);
    tell_head(&s, &g[0], TG_MSG_LEND); /* its CPU is free already */
    struct asked two = {2, 1, 1, 0, 0, shape_cpus(2 * TG_UNIT), 0, {0}};
    ask(&s, &two);
    sched_sleep(&s, 2 * s.ctx.lim.balance_ns);
    CU_ASSERT_TRUE(ctx_sent(&s.ctx, 1, TG_MSG_RECALL, &m));
    CU_ASSERT_EQUAL(m.u.close.lease, g[1].lease);
    CU_ASSERT_EQUAL(ctx_count(&s.ctx, TG_MSG_RECALL), 0);
    sched_stop(&s);
}

static void without_anybody_waiting_no_timer_runs(void)
{
    struct sched s;
    struct grant g[2];
    sched_start(&s, 1, 2, 1);
    ask_for(&s, 1, 2);
    all_granted(&s, g, 2);
    CU_ASSERT_EQUAL(tg_timers_next(&s.ctx.timers), TG_NEVER);
    sched_stop(&s);
}

/* ----- blocked parents ---------------------------------------------------------------- */

/* Depth-0 leases granted on one CPU within that time, when each blocks. */
static uint32_t admitted(struct sched *s, uint64_t ns)
{
    struct grant g;
    uint32_t n = 0;
    for (uint64_t t = 0; t < ns; t += 1 * ms) {
        while (granted(s, &g)) {
            n++;
            tell_head(s, &g, TG_MSG_LEND);
        }
        sched_sleep(s, 1 * ms);
    }
    return n;
}

static void a_rank_full_of_blocked_parents_admits_few_more_and_ever_fewer(void)
{
    struct sched s;
    sched_start(&s, 1, 1, 1);
    ask_for(&s, 1, 1000);
    uint32_t most = s.ctx.lim.blocked_max;
    CU_ASSERT_EQUAL(admitted(&s, 1 * ms), most + 1); /* always one more */
    uint32_t first = admitted(&s, 1000 * ms), then = admitted(&s, 1000 * ms);
    CU_ASSERT(first >= 4 && first <= 8); /* after 10, 20, 40, ... ms */
    CU_ASSERT(then <= 2);
    sched_sleep(&s, 5000 * ms);
    CU_ASSERT(admitted(&s, 3000 * ms) >= 1); /* but never none */
    sched_stop(&s);
}

static void after_a_resume_the_pauses_are_short_again(void)
{
    struct sched s;
    struct grant g;
    sched_start(&s, 1, 1, 1);
    s.ctx.lim.blocked_max = 1;
    ask_for(&s, 1, 1000);
    CU_ASSERT_TRUE(granted(&s, &g));
    tell_head(&s, &g, TG_MSG_LEND);
    admitted(&s, 1000 * ms); /* the pause is 640 ms by now, or more */
    tell_head(&s, &g, TG_MSG_RESUME);
    tell_head(&s, &g, TG_MSG_LEND);
    CU_ASSERT(admitted(&s, 1000 * ms) >= 4); /* when that one is over */
    sched_stop(&s);
}

static void deeper_work_is_always_admitted(void)
{
    struct sched s;
    struct grant g;
    sched_start(&s, 1, 1, 1);
    ask_for(&s, 1, 1000);
    admitted(&s, 1 * ms);
    struct asked a = {1, 2, 1, 0, 1, shape_cpus(TG_UNIT), 0, {0}};
    ask(&s, &a);
    CU_ASSERT_TRUE(granted(&s, &g));
    sched_stop(&s);
}

static void a_parent_that_resumes_makes_room(void)
{
    struct sched s;
    struct grant g[4], new;
    sched_start(&s, 1, 1, 1);
    s.ctx.lim.blocked_max = 2;
    ask_for(&s, 1, 1000);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE_FATAL(granted(&s, &g[i]));
        tell_head(&s, &g[i], TG_MSG_LEND);
    }
    CU_ASSERT_FALSE(granted(&s, &new));
    for (int i = 0; i < 2; i++) { /* three are lent: two must go */
        tell_head(&s, &g[i], TG_MSG_RESUME);
        CU_ASSERT_FALSE(granted(&s, &new)); /* it runs on the CPU */
        closes(&s, &g[i]);
    }
    CU_ASSERT_TRUE(granted(&s, &new));
    sched_stop(&s);
}

static const struct unit_test tests[] = {
    TEST(a_starving_owner_gets_a_lease_of_a_greedy_one),
    TEST(for_a_large_shape_one_rank_is_emptied),
    TEST(when_a_rank_is_kept_no_more_others_get_it),
    TEST(what_is_deeper_or_lent_is_not_recalled),
    TEST(a_lent_lease_is_spared_where_another_is_recalled),
    TEST(without_anybody_waiting_no_timer_runs),
    TEST(a_rank_full_of_blocked_parents_admits_few_more_and_ever_fewer),
    TEST(after_a_resume_the_pauses_are_short_again),
    TEST(deeper_work_is_always_admitted),
    TEST(a_parent_that_resumes_makes_room),
    TESTS_END,
};

CUNIT_MAIN("head_fair", tests)
