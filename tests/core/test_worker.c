/* test_worker.c - leases at their worker: what starts, is bounced, is lent. */
#include <string.h>

#include "../cunit_main.h"
#include "working.h"

/* ----- opening and closing ------------------------------------------------------- */

static void a_run_before_its_open_is_held(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    run(&r, 5, 11);
    run(&r, 5, 12);
    CU_ASSERT_EQUAL(starts(&r), 0);
    CU_ASSERT_FALSE(tg_worker_quiet(&r.worker));
    open_lease(&r, 4, OWNER, 0);
    CU_ASSERT_EQUAL(starts(&r), 0);
    open_lease(&r, 5, OWNER, 0);
    CU_ASSERT_EQUAL(starts(&r), 11);
    returns(&r, 11);
    CU_ASSERT_EQUAL(starts(&r), 12);
    rig_stop(&r);
}

static void a_close_before_its_open_is_held(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    lease_msg(&r, OWNER, TG_MSG_CLOSE, 5);
    CU_ASSERT_FALSE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    open_lease(&r, 5, OWNER, 0);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    CU_ASSERT_TRUE(tg_worker_quiet(&r.worker));
    rig_stop(&r);
}

static void runs_start_one_at_a_time_in_order(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    for (uint64_t t = 11; t <= 14; t++)
        run(&r, 1, t);
    for (uint64_t t = 11; t <= 14; t++) {
        CU_ASSERT_EQUAL(starts(&r), t);
        CU_ASSERT_EQUAL(starts(&r), 0);
        returns(&r, t);
        CU_ASSERT_EQUAL(done_code(&r, OWNER, t), 0);
    }
    lease_msg(&r, OWNER, TG_MSG_CLOSE, 1);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    CU_ASSERT_TRUE(tg_worker_quiet(&r.worker));
    rig_stop(&r);
}

static void leases_run_beside_each_other(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    open_lease(&r, 2, OTHER, 0);
    run(&r, 1, 11);
    run_with(&r, OTHER, 2, 11,
             (struct tg_items){0}); /* of another owner, same handle */
    CU_ASSERT_EQUAL(starts(&r), 11);
    CU_ASSERT_EQUAL(starts(&r), 11);
    rig_stop(&r);
}

static void a_run_for_a_closed_lease_is_bounced(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    open_lease(&r, 1, OWNER, 0);
    lease_msg(&r, OWNER, TG_MSG_CLOSE, 1);
    run(&r, 1, 11);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_CLOSED);
    CU_ASSERT(n == 1 && first == 11);
    CU_ASSERT_EQUAL(starts(&r), 0);
    rig_stop(&r);
}

static void a_recalled_lease_bounces_its_queue_and_ends_with_what_runs(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    open_lease(&r, 1, OWNER, 0);
    for (uint64_t t = 11; t <= 13; t++)
        run(&r, 1, t);
    lease_msg(&r, HEAD, TG_MSG_RECALL, 1);
    lease_msg(&r, HEAD, TG_MSG_RECALL, 1); /* twice is once */
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_CLOSED);
    CU_ASSERT(n == 2 && first == 12);
    CU_ASSERT_FALSE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    run(&r, 1, 14); /* was under way */
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_CLOSED);
    CU_ASSERT(n == 1 && first == 14);
    returns(&r, 11);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 11), 0);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    lease_msg(&r, OWNER, TG_MSG_CLOSE, 1); /* crossed the news */
    CU_ASSERT_TRUE(tg_worker_quiet(&r.worker));
    rig_stop(&r);
}

static void an_idle_lease_is_recalled_at_once_and_its_owner_told(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    open_lease(&r, 1, OWNER, 0);
    lease_msg(&r, HEAD, TG_MSG_RECALL, 1);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_CLOSED);
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    rig_stop(&r);
}

/* ----- blocking -------------------------------------------------------------------- */

static void when_a_task_blocks_the_next_starts_at_once(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    run(&r, 1, 12);
    starts(&r);
    blocks(&r, 11, false);
    CU_ASSERT_EQUAL(starts(&r), 12);
    rig_sleep(&r, 2 * r.ctx.lim.lend_ns); /* the CPU is in use: not lent */
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_LEND), 0);
    goes_on(&r, 11); /* at once, beside 12 */
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_RESUME), 0);
    returns(&r, 11);
    returns(&r, 12);
    rig_stop(&r);
}

static void a_cpu_is_lent_after_a_while(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    blocks(&r, 11, false);
    rig_sleep(&r, r.ctx.lim.lend_ns - 1);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_LEND), 0);
    rig_sleep(&r, 1);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_LEND));
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_BLOCKED);
    CU_ASSERT_EQUAL(n, 0); /* only the news */
    rig_sleep(&r, 10 * r.ctx.lim.lend_ns);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_LEND), 0); /* once */
    goes_on(&r, 11);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_RESUME));
    rig_stop(&r);
}

static void a_short_block_is_nobody_s_business(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    starts(&r);
    for (int i = 0; i < 10; i++) {
        blocks(&r, 11, false);
        rig_sleep(&r, r.ctx.lim.lend_ns / 2);
        goes_on(&r, 11);
        rig_sleep(&r, r.ctx.lim.lend_ns / 4);
    }
    CU_ASSERT_EQUAL(r.ctx.out.n, 0);
    rig_stop(&r);
}

static void a_cpu_is_lent_at_once_when_tasks_of_this_rank_wait_for_one(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    blocks(&r, 11, true);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_LEND));
    rig_stop(&r);
}

static void a_run_for_a_lent_lease_is_bounced_until_it_resumes(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    starts(&r);
    blocks(&r, 11, true);
    bounced(&r, &n, &first);
    run(&r, 1, 12);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_BLOCKED);
    CU_ASSERT(n == 1 && first == 12);
    goes_on(&r, 11);
    run(&r, 1, 12);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), 0);
    returns(&r, 11);
    CU_ASSERT_EQUAL(starts(&r), 12);
    rig_stop(&r);
}

/* Tasks of one lease that are blocked at once before its CPU is lent. */
static uint32_t blocked_at(int32_t depth)
{
    struct rig r;
    rig_start(&r, WORKER);
    r.ctx.lim.blocked_max = 4;
    open_lease(&r, 1, OWNER, depth);
    for (uint64_t t = 1; t <= 20; t++)
        run(&r, 1, t);
    uint32_t n = 0;
    uint64_t t;
    while ((t = starts(&r)) != 0) {
        blocks(&r, t, false);
        n++;
    }
    rig_stop(&r);
    return n;
}

static void only_depth_0_is_capped_in_how_many_may_block(void)
{
    CU_ASSERT_EQUAL(blocked_at(0), 4);
    CU_ASSERT_EQUAL(blocked_at(1), 20);
}

static void what_the_cap_keeps_back_is_bounced_with_the_lend(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    r.ctx.lim.blocked_max = 1;
    open_lease(&r, 1, OWNER, 0);
    for (uint64_t t = 11; t <= 13; t++)
        run(&r, 1, t);
    blocks(&r, 11, false);
    rig_sleep(&r, r.ctx.lim.lend_ns);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_BLOCKED);
    CU_ASSERT(n == 2 && first == 12);
    rig_stop(&r);
}

static void a_recalled_lease_may_block_lend_and_resume(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    lease_msg(&r, HEAD, TG_MSG_RECALL, 1);
    blocks(&r, 11, true);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_LEND));
    goes_on(&r, 11);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_RESUME));
    returns(&r, 11);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    rig_stop(&r);
}

/* ----- overrun ---------------------------------------------------------------------- */

static void a_queue_behind_a_long_task_is_bounced(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    open_lease(&r, 1, OWNER, 0);
    for (uint64_t t = 11; t <= 13; t++)
        run(&r, 1, t);
    rig_sleep(&r, r.ctx.lim.overrun_ns - 1);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), 0);
    rig_sleep(&r, 1);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_OVERRUN);
    CU_ASSERT(n == 2 && first == 12);
    run(&r, 1, 14); /* was under way: it goes back as well */
    rig_sleep(&r, 1);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_OVERRUN);
    CU_ASSERT(n == 1 && first == 14);
    returns(&r, 11);
    starts(&r);
    run(&r, 1, 12);
    CU_ASSERT_EQUAL(starts(&r), 12);
    rig_stop(&r);
}

static void many_short_tasks_have_one_timer(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    for (uint64_t t = 12; t < 112; t++) {
        run(&r, 1, t);
        returns(&r, t - 1);
        CU_ASSERT(r.ctx.timers.n <= 1);
        rig_sleep(&r, r.ctx.lim.overrun_ns / 10);
    }
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), 0);
    run(&r, 1, 112);
    rig_sleep(&r, r.ctx.lim.overrun_ns * 9 / 10 - 1); /* 111 is the long one */
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), 0);
    rig_sleep(&r, 1);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_OVERRUN);
    CU_ASSERT(n == 1 && first == 112);
    rig_stop(&r);
}

static void a_long_task_that_nothing_waits_for_is_left_alone(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    starts(&r);
    rig_sleep(&r, 10 * r.ctx.lim.overrun_ns);
    CU_ASSERT_EQUAL(r.ctx.out.n, 0);
    rig_stop(&r);
}

static void a_task_that_goes_on_has_its_time_anew(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    blocks(&r, 11, false);
    rig_sleep(&r, 10 * r.ctx.lim.overrun_ns);
    goes_on(&r, 11);
    bounced(&r, &n, &first); /* of the lend */
    run(&r, 1, 12);
    rig_sleep(&r, r.ctx.lim.overrun_ns - 1);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), 0);
    rig_sleep(&r, 1);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_OVERRUN);
    rig_stop(&r);
}

/* Its argument comes while the task before it goes on after a block. */
static void what_waits_behind_a_task_that_goes_on_is_bounced_too(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint32_t n;
    uint64_t first;
    r.ctx.lim.lend_ns = 1000 * ms;
    struct tg_item it =
        item_ref(tg_ref_make(TRYGON_KIND_OBJECT, 0, OTHER, 0, 1));
    it.weight = 8;
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    run_with(&r, OWNER, 1, 12, items(1, it));
    blocks(&r, 11, false);
    rig_sleep(&r, 2 * r.ctx.lim.overrun_ns);
    goes_on(&r, 11);
    rig_sleep(&r, r.ctx.lim.overrun_ns);
    CU_ASSERT_EQUAL(bounced(&r, &n, &first), TG_BOUNCE_OVERRUN);
    CU_ASSERT(n == 1 && first == 12);
    rig_stop(&r);
}

/* ----- loss ------------------------------------------------------------------------- */

static void for_a_lost_owner_nothing_starts_and_nothing_is_sent(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    run(&r, 1, 12);
    run(&r, 3, 13); /* held */
    open_lease(&r, 2, OWNER, 0);
    starts(&r);
    rig_gone(&r, OWNER);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED)); /* the idle one */
    CU_ASSERT_EQUAL(starts(&r), 0);
    CU_ASSERT_TRUE(exec_of(&r, 11)->cancelled);
    CU_ASSERT_PTR_NULL(find_exec(&r, 12));
    CU_ASSERT_PTR_NULL(r.worker.held);
    returns(&r, 11);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_DONE), 0);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    open_lease(&r, 3, OWNER, 0); /* the head had not heard of it yet */
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    CU_ASSERT_TRUE(tg_worker_quiet(&r.worker));
    rig_stop(&r);
}

static void a_lost_owner_s_blocked_task_ends_as_well(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    blocks(&r, 11, true);
    rig_gone(&r, OWNER);
    CU_ASSERT_EQUAL(r.worker.cancelled.n, 1);
    goes_on(&r, 11);
    returns(&r, 11);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_RESUME));
    CU_ASSERT_TRUE(ctx_said(&r.ctx, HEAD, TG_MSG_CLOSED));
    CU_ASSERT_TRUE(tg_worker_quiet(&r.worker));
    rig_stop(&r);
}

static const struct unit_test tests[] = {
    TEST(a_run_before_its_open_is_held),
    TEST(a_close_before_its_open_is_held),
    TEST(runs_start_one_at_a_time_in_order),
    TEST(leases_run_beside_each_other),
    TEST(a_run_for_a_closed_lease_is_bounced),
    TEST(a_recalled_lease_bounces_its_queue_and_ends_with_what_runs),
    TEST(an_idle_lease_is_recalled_at_once_and_its_owner_told),
    TEST(when_a_task_blocks_the_next_starts_at_once),
    TEST(a_cpu_is_lent_after_a_while),
    TEST(a_short_block_is_nobody_s_business),
    TEST(a_cpu_is_lent_at_once_when_tasks_of_this_rank_wait_for_one),
    TEST(a_run_for_a_lent_lease_is_bounced_until_it_resumes),
    TEST(only_depth_0_is_capped_in_how_many_may_block),
    TEST(what_the_cap_keeps_back_is_bounced_with_the_lend),
    TEST(a_recalled_lease_may_block_lend_and_resume),
    TEST(a_queue_behind_a_long_task_is_bounced),
    TEST(many_short_tasks_have_one_timer),
    TEST(a_long_task_that_nothing_waits_for_is_left_alone),
    TEST(a_task_that_goes_on_has_its_time_anew),
    TEST(what_waits_behind_a_task_that_goes_on_is_bounced_too),
    TEST(for_a_lost_owner_nothing_starts_and_nothing_is_sent),
    TEST(a_lost_owner_s_blocked_task_ends_as_well),
    TESTS_END,
};

CUNIT_MAIN("worker", tests)
