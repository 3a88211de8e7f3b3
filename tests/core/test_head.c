/* test_head.c - demand becomes leases: who is next, and what is given back. */
#include "../cunit_main.h"
#include "granting.h"

/* ----- granting ------------------------------------------------------------------ */

static void a_demand_is_granted_exact_cpus(void)
{
    struct sched s;
    struct grant g[4];
    sched_start(&s, 2, 2, 1);
    ask_for(&s, 1, 4);
    CU_ASSERT_EQUAL(all_granted(&s, g, 4), 4);
    bool used[3][2] = {{false}};
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(g[i].ncpus, 1);
        CU_ASSERT_FALSE(used[g[i].worker][g[i].first]);
        used[g[i].worker][g[i].first] = true;
    }
    CU_ASSERT_FALSE(tg_head_quiet(&s.head));
    for (int i = 0; i < 4; i++)
        closes(&s, &g[i]);
    CU_ASSERT_TRUE(tg_head_quiet(&s.head));
    sched_stop(&s);
}

static void what_does_not_fit_waits_for_a_close(void)
{
    struct sched s;
    struct grant g[3], more;
    sched_start(&s, 1, 2, 1);
    ask_for(&s, 1, 3);
    CU_ASSERT_EQUAL(all_granted(&s, g, 3), 2);
    closes(&s, &g[1]);
    CU_ASSERT_TRUE(granted(&s, &more));
    CU_ASSERT_EQUAL(more.first, g[1].first);
    CU_ASSERT_NOT_EQUAL(more.lease, g[1].lease); /* never used again */
    CU_ASSERT_FALSE(granted(&s, &more));
    sched_stop(&s);
}

/* The owner repeats its demand before it has heard of what was granted. */
static void leases_on_their_way_are_not_granted_twice(void)
{
    struct sched s;
    struct grant g;
    struct asked a = {1, 1, 2, 0, 0, shape_cpus(TG_UNIT), 0, {0}};
    sched_start(&s, 1, 8, 1);
    ask(&s, &a);
    CU_ASSERT_TRUE(granted(&s, &g));
    CU_ASSERT_TRUE(granted(&s, &g));
    a.want = 3; /* of which two are coming */
    ask(&s, &a);
    CU_ASSERT_TRUE(granted(&s, &g));
    CU_ASSERT_FALSE(granted(&s, &g));
    a.received = 3;
    a.want = 1; /* beyond those three */
    ask(&s, &a);
    CU_ASSERT_TRUE(granted(&s, &g));
    CU_ASSERT_FALSE(granted(&s, &g));
    a.want = 0;
    ask(&s, &a);
    CU_ASSERT_FALSE(granted(&s, &g));
    sched_stop(&s);
}

static void a_demand_taken_back_is_not_granted(void)
{
    struct sched s;
    struct grant g;
    sched_start(&s, 1, 1, 1);
    ask_for(&s, 1, 5);
    CU_ASSERT_TRUE(granted(&s, &g));
    struct asked none = {1, 1, 0, 1, 0, shape_cpus(TG_UNIT), 0, {0}};
    ask(&s, &none);
    closes(&s, &g);
    CU_ASSERT_FALSE(granted(&s, &g));
    CU_ASSERT_TRUE(tg_head_quiet(&s.head));
    sched_stop(&s);
}

/* A lease that was closed before its owner heard of it: the counts agree
 * again, and nobody is granted too much for ever. */
static void counts_that_crossed_agree_again(void)
{
    struct sched s;
    struct grant g;
    struct asked a = {1, 1, 1, 0, 0, shape_cpus(TG_UNIT), 0, {0}};
    sched_start(&s, 1, 8, 1);
    ask(&s, &a);
    CU_ASSERT_TRUE(granted(&s, &g));
    closes(&s, &g); /* recalled, say */
    CU_ASSERT_TRUE(tg_head_quiet(&s.head));
    ask(&s, &a); /* still without it */
    CU_ASSERT_TRUE(granted(&s, &g));
    for (uint32_t n = 2; n < 6; n++) { /* now with both */
        a.received = n;
        ask(&s, &a);
        CU_ASSERT_TRUE(granted(&s, &g));
        CU_ASSERT_FALSE(granted(&s, &g));
    }
    sched_stop(&s);
}

static void tasks_that_need_nothing_are_all_granted(void)
{
    struct sched s;
    struct grant g[50];
    struct asked a = {1, 1, 50, 0, 0, shape_cpus(0), 0, {0}};
    sched_start(&s, 1, 1, 1);
    ask(&s, &a);
    CU_ASSERT_EQUAL(all_granted(&s, g, 50), 50);
    CU_ASSERT_EQUAL(g[0].ncpus, 0);
    sched_stop(&s);
}

/* ----- lending ------------------------------------------------------------------- */

static void a_lent_cpu_is_granted_and_its_resume_makes_debt(void)
{
    struct sched s;
    struct grant parent, child, g;
    sched_start(&s, 1, 1, 1);
    ask_for(&s, 1, 1);
    CU_ASSERT_TRUE(granted(&s, &parent));
    struct asked a = {1, 2, 1, 0, 1, shape_cpus(TG_UNIT), 0, {0}};
    ask(&s, &a);
    CU_ASSERT_FALSE(granted(&s, &child));
    tell_head(&s, &parent, TG_MSG_LEND);
    CU_ASSERT_TRUE(granted(&s, &child));
    CU_ASSERT_EQUAL(child.first, parent.first);

    tell_head(&s, &parent, TG_MSG_RESUME); /* waits for nobody */
    ask_for(&s, 1, 2);
    CU_ASSERT_FALSE(granted(&s, &g));
    closes(&s, &child); /* pays the debt */
    CU_ASSERT_FALSE(granted(&s, &g));
    closes(&s, &parent);
    CU_ASSERT_TRUE(granted(&s, &g));
    sched_stop(&s);
}

static void a_lease_may_close_while_it_is_lent(void)
{
    struct sched s;
    struct grant g;
    sched_start(&s, 1, 2, 1);
    ask_for(&s, 1, 1);
    granted(&s, &g);
    tell_head(&s, &g, TG_MSG_LEND);
    closes(&s, &g);
    CU_ASSERT_TRUE(tg_head_quiet(&s.head));
    sched_stop(&s);
}

/* ----- who is next ------------------------------------------------------------------ */

static void deeper_goes_first(void)
{
    struct sched s;
    struct grant busy, g;
    sched_start(&s, 1, 1, 1);
    ask_for(&s, 1, 1);
    granted(&s, &busy);
    static const int32_t depth[] = {0, 2, 1};
    for (int i = 0; i < 3; i++) {
        struct asked a = {1,        10 + (uint64_t)i,    1, 0,
                          depth[i], shape_cpus(TG_UNIT), 0, {0}};
        ask(&s, &a);
    }
    static const int32_t want[] = {2, 1, 0};
    for (int i = 0; i < 3; i++) {
        closes(&s, &busy);
        CU_ASSERT_TRUE(granted(&s, &g));
        const struct tg_hlease *l = tg_hlease_next(&s.head, 1, NULL);
        CU_ASSERT_EQUAL(l->demand->depth, want[i]);
        busy = g;
    }
    sched_stop(&s);
}

static void of_one_owner_the_older_demand_goes_first(void)
{
    struct sched s;
    struct grant busy, g;
    sched_start(&s, 1, 1, 1);
    ask_for(&s, 1, 1);
    granted(&s, &busy);
    for (uint64_t cls = 5; cls > 2; cls--) {
        struct asked a = {1, cls, 1, 0, 0, shape_cpus(TG_UNIT), 0, {0}};
        sched_sleep(&s, 1 * us);
        ask(&s, &a);
    }
    for (uint64_t cls = 5; cls > 2; cls--) {
        closes(&s, &busy);
        CU_ASSERT_TRUE(granted(&s, &g));
        const struct tg_hlease *l = tg_hlease_next(&s.head, 1, NULL);
        CU_ASSERT_EQUAL(l->demand->cls, cls);
        busy = g;
    }
    sched_stop(&s);
}

/* Owners 1 and 2 always want more; every lease lasts as long as the one
 * before.  How many does each get? */
static void share(int64_t cpus1, int64_t cpus2, uint32_t n[3])
{
    struct sched s;
    struct grant g[4];
    uint32_t have;
    sched_start(&s, 1, 4, 1);
    for (int32_t owner = 1; owner <= 2; owner++)
        ask(&s,
            &(struct asked){owner,
                            1,
                            10000,
                            0,
                            0,
                            shape_cpus((owner == 1 ? cpus1 : cpus2) * TG_UNIT),
                            0,
                            {0}});
    s.ctx.lim.balance_ns = 1 * ms;
    n[1] = n[2] = 0;
    have = all_granted(&s, g, 4);
    for (int i = 0; i < 600; i++) {
        sched_sleep(&s, 1 * ms);
        struct grant old = g[0];
        memmove(&g[0], &g[1], 3 * sizeof *g);
        have--;
        n[old.owner]++;
        closes(&s, &old);
        have += all_granted(&s, &g[have], 4 - have);
    }
    sched_stop(&s);
}

static void two_owners_share_core_time(void)
{
    uint32_t n[3];
    share(1, 1, n);
    CU_ASSERT(n[1] > 270 && n[2] > 270);
    share(1, 2, n); /* half as many of twice the size */
    CU_ASSERT(n[1] > 17 * n[2] / 10 && n[1] < 23 * n[2] / 10);
}

static void an_owner_that_was_idle_has_saved_nothing_up(void)
{
    struct sched s;
    struct grant g;
    uint32_t n[3] = {0};
    sched_start(&s, 1, 1, 1);
    ask_for(&s, 1, 1000);
    for (int i = 0; i < 100; i++) {
        if (i == 60)
            ask_for(&s, 2, 1000); /* comes late, gets its half from now on */
        CU_ASSERT_TRUE_FATAL(granted(&s, &g));
        n[g.owner]++;
        s.ctx.now_ns += 5 * ms;
        closes(&s, &g);
    }
    CU_ASSERT(n[2] >= 18 && n[2] <= 22);
    sched_stop(&s);
}

/* ----- who waits --------------------------------------------------------------------- */

static void who_fits_does_not_wait_for_who_does_not(void)
{
    struct sched s;
    struct grant g[4], new;
    sched_start(&s, 1, 4, 1);
    ask_for(&s, 1, 4);
    CU_ASSERT_EQUAL(all_granted(&s, g, 4), 4);
    static const int64_t cpus[] = {4, 3, 1, 2};
    for (uint64_t i = 0; i < 4; i++) {
        struct asked a = {2, 10 + i, 1, 0, 0, shape_cpus(cpus[i] * TG_UNIT),
                          0, {0}};
        sched_sleep(&s, 1 * us);
        ask(&s, &a);
    }
    closes(&s, &g[0]); /* room for one: the third of four */
    CU_ASSERT_TRUE_FATAL(granted(&s, &new));
    CU_ASSERT_EQUAL(new.ncpus, 1);
    closes(&s, &g[1]);
    CU_ASSERT_FALSE(granted(&s, &g[1]));
    closes(&s, &g[2]); /* for two, or for the older one of 3 soon */
    CU_ASSERT_TRUE_FATAL(granted(&s, &g[1]));
    CU_ASSERT_EQUAL(g[1].ncpus, 2);
    sched_stop(&s);
}

static void what_is_waited_for_may_be_another_resource(void)
{
    struct sched s;
    struct grant gpu, cpu, g;
    sched_setup(&s, 2, 4, 1);
    s.total[2][TG_RES_GPU] = TG_UNIT;
    sched_go(&s);
    struct asked a = {1, 1, 2, 0, 0, shape_cpus(TG_UNIT), 0, {0}};
    a.shape.amount[TG_RES_GPU] = TG_UNIT;
    ask(&s, &a);
    CU_ASSERT_TRUE(granted(&s, &gpu));
    CU_ASSERT_FALSE(granted(&s, &g));
    a = (struct asked){1, 2, 1, 0, 0, shape_cpus(TG_UNIT), 1, {2}};
    ask(&s, &a);
    CU_ASSERT_TRUE(granted(&s, &cpu));
    CU_ASSERT_EQUAL(cpu.worker, 2);
    closes(&s, &cpu); /* it has CPUs to spare: no use */
    CU_ASSERT_FALSE(granted(&s, &g));
    closes(&s, &gpu);
    CU_ASSERT_TRUE(granted(&s, &g));
    sched_stop(&s);
}

static void who_is_new_does_not_pass_a_deeper_one_that_waits(void)
{
    struct sched s;
    struct grant busy, g;
    sched_start(&s, 1, 1, 1);
    ask_for(&s, 1, 1);
    granted(&s, &busy);
    struct asked deep = {1, 2, 1, 0, 1, shape_cpus(TG_UNIT), 0, {0}};
    ask(&s, &deep);
    struct tg_msg m = {.type = TG_MSG_CLOSED};
    m.u.close.lease = busy.lease;
    tg_head_msg(&s.head, 1, &m); /* both in one step */
    ask_for(&s, 2, 1);
    CU_ASSERT_TRUE_FATAL(granted(&s, &g));
    CU_ASSERT_EQUAL(g.owner, 1);
    sched_stop(&s);
}

static void many_leases_of_one_rank_are_told_apart(void)
{
    enum { MOST = 300 };
    struct sched s;
    struct grant g[MOST];
    struct tg_rng rng = {5};
    struct asked a = {1, 1, MOST, 0, 0, shape_cpus(0), 0, {0}};
    sched_start(&s, 1, 1, 1);
    ask(&s, &a);
    CU_ASSERT_EQUAL_FATAL(all_granted(&s, g, MOST), MOST);
    for (uint32_t n = MOST; n > 0; n--) {
        uint32_t i = tg_rng_below(&rng, n);
        closes(&s, &g[i]);
        g[i] = g[n - 1];
    }
    CU_ASSERT_TRUE(tg_head_quiet(&s.head));
    sched_stop(&s);
}

/* ----- loss ------------------------------------------------------------------------------ */

static void a_lost_rank_s_leases_are_gone_with_it(void)
{
    struct sched s;
    struct grant g[4], new;
    sched_start(&s, 2, 2, 1);
    ask_for(&s, 1, 4);
    all_granted(&s, g, 4);
    sched_gone(&s, 2);
    CU_ASSERT_EQUAL(s.head.nleases, 2);
    struct asked a = {1, 1, 2, 4, 0, shape_cpus(TG_UNIT), 0, {0}};
    ask(&s, &a);
    CU_ASSERT_FALSE(granted(&s, &new)); /* nothing is granted there */
    for (int i = 0; i < 4; i++) {
        if (g[i].worker != 1)
            continue;
        closes(&s, &g[i]);
        CU_ASSERT_TRUE(granted(&s, &new));
        CU_ASSERT_EQUAL(new.worker, 1);
    }
    sched_stop(&s);
}

static void a_lost_owner_s_leases_come_back_from_their_workers(void)
{
    struct sched s;
    struct grant g[2], new;
    sched_start(&s, 2, 1, 1);
    ask_for(&s, 1, 10);
    all_granted(&s, g, 2);
    struct grant *far = g[0].worker == 2 ? &g[0] : &g[1];
    ask_for(&s, 2, 1);
    sched_gone(&s, 1);
    CU_ASSERT_FALSE(granted(&s, &new)); /* rank 2 has not said so yet */
    closes(&s, far);
    CU_ASSERT_TRUE(granted(&s, &new));
    CU_ASSERT(new.owner == 2 && new.worker == 2);
    closes(&s, &new);
    CU_ASSERT_TRUE(tg_head_quiet(&s.head));
    sched_stop(&s);
}

static void the_machine_is_told_to_whoever_asks(void)
{
    struct sched s;
    struct grant g;
    sched_start(&s, 2, 3, 1);
    ask_for(&s, 1, 1);
    granted(&s, &g);
    sched_gone(&s, 2);
    struct tg_msg m = {.type = TG_MSG_QUERY};
    m.u.query.waiter = 77;
    head_msg(&s, 1, &m);
    CU_ASSERT_TRUE_FATAL(ctx_sent(&s.ctx, 1, TG_MSG_TABLE, &m));
    CU_ASSERT(m.u.table.waiter == 77 && m.u.table.n == 4);
    CU_ASSERT(m.u.table.v[1].alive && !m.u.table.v[2].alive);
    CU_ASSERT_EQUAL(m.u.table.v[1].total[TG_RES_CPU], 3 * TG_UNIT);
    CU_ASSERT_EQUAL(m.u.table.v[1].avail[TG_RES_CPU], 2 * TG_UNIT);
    tg_msg_fini(&m);
    sched_stop(&s);
}

static const struct unit_test tests[] = {
    TEST(a_demand_is_granted_exact_cpus),
    TEST(what_does_not_fit_waits_for_a_close),
    TEST(leases_on_their_way_are_not_granted_twice),
    TEST(a_demand_taken_back_is_not_granted),
    TEST(counts_that_crossed_agree_again),
    TEST(tasks_that_need_nothing_are_all_granted),
    TEST(a_lent_cpu_is_granted_and_its_resume_makes_debt),
    TEST(a_lease_may_close_while_it_is_lent),
    TEST(deeper_goes_first),
    TEST(of_one_owner_the_older_demand_goes_first),
    TEST(two_owners_share_core_time),
    TEST(an_owner_that_was_idle_has_saved_nothing_up),
    TEST(who_fits_does_not_wait_for_who_does_not),
    TEST(what_is_waited_for_may_be_another_resource),
    TEST(who_is_new_does_not_pass_a_deeper_one_that_waits),
    TEST(many_leases_of_one_rank_are_told_apart),
    TEST(a_lost_rank_s_leases_are_gone_with_it),
    TEST(a_lost_owner_s_leases_come_back_from_their_workers),
    TEST(the_machine_is_told_to_whoever_asks),
    TESTS_END,
};

CUNIT_MAIN("head", tests)
