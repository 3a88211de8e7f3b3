/* test_owner_lease.c - what the owner tells the head, and how it uses the
 * leases that it gets. */
#include <string.h>

#include "../cunit_main.h"
#include "owning.h"

/* ----- demand -------------------------------------------------------------------- */

static void a_thousand_submits_are_few_messages(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    submit_many(&r, 0, 1000, NULL);
    uint32_t n = ctx_count(&r.ctx, TG_MSG_DEMAND), want = 0;
    CU_ASSERT(n <= 11); /* 1, 2, 4, ... 512 */
    uint64_t cls;
    while (ctx_count(&r.ctx, TG_MSG_DEMAND) > 0)
        want = demanded(&r, &cls);
    CU_ASSERT(want > 500); /* what the head knows is right within 2 */
    rig_stop(&r);
}

static void leases_that_come_are_counted_and_not_asked_for_again(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    submit_many(&r, 0, 4, NULL);
    ctx_clear(&r.ctx);
    struct tg_msg m;
    lease(&r, WORKER, 100); /* one of four: three are still on their way */
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_DEMAND), 0);
    submit_many(&r, 0, 3, NULL);
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, HEAD, TG_MSG_DEMAND, &m));
    CU_ASSERT_EQUAL(m.u.demand.received, 1);
    CU_ASSERT_EQUAL(m.u.demand.want, 6);
    tg_msg_fini(&m);
    rig_stop(&r);
}

static void no_more_work_is_told_at_once(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t ref[4];
    submit_many(&r, 0, 4, ref);
    uint64_t cls;
    ctx_clear(&r.ctx);
    for (int i = 0; i < 4; i++)
        cancel(&r, ref[i]);
    uint32_t want = 99;
    while (ctx_count(&r.ctx, TG_MSG_DEMAND) > 0)
        want = demanded(&r, &cls);
    CU_ASSERT_EQUAL(want, 0);
    CU_ASSERT_TRUE(nothing_left(&r));
    rig_stop(&r);
}

static void each_shape_and_depth_is_a_class_of_its_own(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct tg_spec spec = spec_of(0);
    submit(&r, spec);
    submit(&r, spec_of(1)); /* another function of the same shape */
    CU_ASSERT_EQUAL(r.owner.classes.used, 1);
    spec.depth = 1;
    submit(&r, spec);
    struct tg_shape shape = *spec.shape;
    spec.shape = &shape;
    shape.amount[TG_RES_GPU] = TG_UNIT;
    submit(&r, spec);
    shape.strategy = TRYGON_STRATEGY_SPREAD;
    submit(&r, spec);
    CU_ASSERT_EQUAL(r.owner.classes.used, 4);
    rig_stop(&r);
}

static void demand_names_the_ranks_that_hold_large_arguments(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct tg_msg m;
    trygon_ref_t own = rig_put(&r, val_bytes(TG_INLINE_MAX + 1));
    trygon_ref_t small = rig_put(&r, val_text("x"));
    trygon_ref_t far = tg_ref_make(TRYGON_KIND_OBJECT, 0, OTHER, 0, 1);
    struct tg_item in = item_ref(far);
    in.weight = 8;
    tg_objs_adopt(&r.objs, &in);
    struct tg_msg large = {.type = TG_MSG_VALUE};
    large.u.value.ref = far;
    large.u.value.size = TG_INLINE_MAX + 1;
    rig_msg(&r, OTHER, &large);
    submit_args(&r, items(4, item_ref(small), item_ref(far), item_ref(own),
                          item_ref(far)));
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, HEAD, TG_MSG_DEMAND, &m));
    CU_ASSERT_EQUAL(m.u.demand.nprefer, 2);
    CU_ASSERT(m.u.demand.prefer[0] == OTHER && m.u.demand.prefer[1] == OWNER);
    tg_msg_fini(&m);
    rig_stop(&r);
}

/* ----- pipelining ------------------------------------------------------------------ */

/* Runs that are under way on one lease after one of ran_ns is done. */
static uint32_t sent_ahead(uint64_t ran_ns)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    submit_many(&r, 0, 200, NULL);
    lease(&r, WORKER, 100);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_RUN), 1); /* nothing is known */
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    reply(&r, WORKER, &s, 0, ran_ns);
    uint32_t n = ctx_count(&r.ctx, TG_MSG_RUN);
    rig_stop(&r);
    return n;
}

static void short_tasks_are_sent_ahead(void)
{
    struct tg_limits lim;
    tg_limits_default(&lim);
    CU_ASSERT_EQUAL(sent_ahead(50 * us), lim.pipeline_ns / (50 * us));
    CU_ASSERT_EQUAL(sent_ahead(200 * us), lim.pipeline_ns / (200 * us));
    CU_ASSERT_EQUAL(sent_ahead(10 * ms), 1);
    CU_ASSERT_EQUAL(sent_ahead(100), lim.pipeline_max);
}

static void the_mean_follows_a_function_that_becomes_slower(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    submit_many(&r, 0, 1000, NULL);
    lease(&r, WORKER, 100);
    uint32_t most = 0;
    for (int i = 0; i < 100 && ran(&r, WORKER, &s); i++) {
        reply(&r, WORKER, &s, 0, i < 10 ? 20 * us : 2 * ms);
        if (ctx_count(&r.ctx, TG_MSG_RUN) > most)
            most = ctx_count(&r.ctx, TG_MSG_RUN);
    }
    CU_ASSERT(most >= 20);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_RUN), 1);
    rig_stop(&r);
}

/* ----- how many leases are worth having ------------------------------------------- */

/* The leases that the head is asked for, for a long line of tasks whose
 * function takes mean_ns. */
static uint32_t asked_for(uint64_t mean_ns)
{
    struct rig r;
    rig_start(&r, OWNER);
    r.owner.mean_ns[0] = mean_ns;
    uint64_t cls;
    uint32_t want = 0, last;
    submit_many(&r, 0, 500, NULL);
    while ((last = demanded(&r, &cls)) > 0)
        want = last;
    rig_stop(&r);
    return want;
}

static void no_more_leases_are_asked_for_than_the_owner_can_keep_busy(void)
{
    struct tg_limits lim;
    tg_limits_default(&lim);
    CU_ASSERT_EQUAL(asked_for(lim.dispatch_ns / 4), 1);
    CU_ASSERT(asked_for(4 * lim.dispatch_ns) > 2);
    CU_ASSERT(asked_for(4 * lim.dispatch_ns) <= 5);
    CU_ASSERT(asked_for(10 * ms) > 200);
}

/* It finishes what it has, while the others are fed as before. */
static void one_lease_too_many_leaves_and_the_others_go_on(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct tg_msg m;
    struct sent s;
    submit_many(&r, 0, 300, NULL);
    lease(&r, WORKER, 100);
    lease(&r, OTHER, 200);
    uint32_t closed = 0, fed = 0;
    for (int i = 0; i < 200; i++) {
        int32_t from = i % 2 == 0 ? WORKER : OTHER;
        if (!ran(&r, from, &s))
            continue;
        reply(&r, from, &s, 0, 100);
        closed += ctx_sent(&r.ctx, WORKER, TG_MSG_CLOSE, &m);
        closed += ctx_sent(&r.ctx, OTHER, TG_MSG_CLOSE, &m);
        fed += closed == 1;
    }
    CU_ASSERT_EQUAL(closed, 1);
    CU_ASSERT(fed > 50);
    CU_ASSERT_PTR_NOT_NULL(r.owner.leases);
    rig_stop(&r);
}

static void a_delay_does_not_make_a_short_function_a_long_one(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    r.owner.mean_ns[0] = 1 * us;
    struct sent s;
    submit_many(&r, 0, 10, NULL);
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    reply(&r, WORKER, &s, 0, 3 * ms);
    CU_ASSERT(r.owner.mean_ns[0] < 2 * us);
    rig_stop(&r);
}

static void leases_are_used_in_turn(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    r.owner.mean_ns[0] = 100 * us; /* five ahead */
    submit_many(&r, 0, 6, NULL);
    uint64_t cls = only_class(&r);
    trygon_ref_t ref[6];
    struct sent s;
    for (uint64_t i = 0; i < 2; i++)
        lease_for(&r, cls, i == 0 ? WORKER : OTHER, 100 + i);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_RUN), 6);
    while (ran(&r, WORKER, &s))
        done(&r, WORKER, &s);
    while (ran(&r, OTHER, &s))
        done(&r, OTHER, &s);
    r.owner.mean_ns[0] = 100 * us;
    submit_many(&r, 0, 6, ref);
    uint32_t n[2] = {0, 0};
    while (ran(&r, WORKER, &s))
        n[0]++;
    while (ran(&r, OTHER, &s))
        n[1]++;
    CU_ASSERT(n[0] == 3 && n[1] == 3);
    rig_stop(&r);
}

/* ----- bounces ----------------------------------------------------------------------- */

/* Three tasks sent ahead on lease 100 at WORKER. */
static void three_ahead(struct rig *r, struct sent *s, trygon_ref_t *refs)
{
    rig_start(r, OWNER);
    r->owner.mean_ns[0] = 100 * us;
    submit_many(r, 0, 3, refs);
    lease(r, WORKER, 100);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_TRUE_FATAL(ran(r, WORKER, &s[i]));
    ctx_clear(&r->ctx);
}

static void a_bounce_behind_a_blocked_task_costs_no_retry(void)
{
    struct rig r;
    struct sent s[3], again[3];
    trygon_ref_t ref[3];
    three_ahead(&r, s, ref);
    bounce(&r, WORKER, 100, TG_BOUNCE_BLOCKED, 2, &s[1]);
    CU_ASSERT_FALSE(ran(&r, WORKER, &again[0])); /* not to this lease now */
    uint64_t cls;
    CU_ASSERT_EQUAL(demanded(&r, &cls), 2);
    lease(&r, OTHER, 200);
    for (int i = 1; i < 3; i++) { /* in their old order, same attempt */
        CU_ASSERT_TRUE(ran(&r, OTHER, &again[i]));
        CU_ASSERT_EQUAL(again[i].task, s[i].task);
        CU_ASSERT_EQUAL(again[i].attempt, 0);
    }
    rig_stop(&r);
}

static void a_held_lease_is_used_again_after_a_done(void)
{
    struct rig r;
    struct sent s[3], again;
    trygon_ref_t ref[3];
    three_ahead(&r, s, ref);
    bounce(&r, WORKER, 100, TG_BOUNCE_OVERRUN, 2, &s[1]);
    CU_ASSERT_FALSE(ran(&r, WORKER, &again));
    done(&r, WORKER, &s[0]);
    CU_ASSERT_TRUE(ran(&r, WORKER, &again));
    CU_ASSERT_EQUAL(again.task, s[1].task);
    rig_stop(&r);
}

static void bounced_tasks_go_before_those_that_came_later(void)
{
    struct rig r;
    struct sent s[3], again;
    trygon_ref_t ref[3];
    three_ahead(&r, s, ref);
    submit_many(&r, 1, 2, NULL);
    bounce(&r, WORKER, 100, TG_BOUNCE_CLOSED, 3, s);
    lease(&r, OTHER, 200);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(ran(&r, OTHER, &again));
        CU_ASSERT_EQUAL(again.task, s[i].task);
    }
    rig_stop(&r);
}

static void a_closed_lease_is_forgotten_when_its_last_done_is_in(void)
{
    struct rig r;
    struct sent s[3];
    trygon_ref_t ref[3];
    three_ahead(&r, s, ref);
    bounce(&r, WORKER, 100, TG_BOUNCE_CLOSED, 2, &s[1]);
    CU_ASSERT_PTR_NOT_NULL(r.owner.leases);
    done(&r, WORKER, &s[0]);
    CU_ASSERT_PTR_NULL(r.owner.leases);
    CU_ASSERT_EQUAL(outcome(&r, ref[0]), 0);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CLOSE), 0); /* it is closed */
    bounce(&r, WORKER, 100, TG_BOUNCE_CLOSED, 0, NULL);  /* old news */
    rig_stop(&r);
}

static void a_bounce_of_another_attempt_is_ignored(void)
{
    struct rig r;
    struct sent s[3], old;
    trygon_ref_t ref[3];
    three_ahead(&r, s, ref);
    old = s[1];
    old.attempt = 3;
    bounce(&r, OTHER, 100, TG_BOUNCE_BLOCKED, 1, &s[1]); /* nor from others */
    bounce(&r, WORKER, 100, TG_BOUNCE_BLOCKED, 1, &old);
    CU_ASSERT_EQUAL(r.owner.nready, 0);
    rig_stop(&r);
}

/* ----- idle leases --------------------------------------------------------------------- */

static void an_idle_lease_lingers_and_is_closed(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    submit(&r, spec_of(0));
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    done(&r, WORKER, &s);
    rig_sleep(&r, r.ctx.lim.linger_ns - 1);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CLOSE), 0);
    rig_sleep(&r, 1);
    struct tg_msg m;
    CU_ASSERT_TRUE(ctx_sent(&r.ctx, WORKER, TG_MSG_CLOSE, &m));
    CU_ASSERT_EQUAL(m.u.close.lease, 100);
    CU_ASSERT_TRUE(nothing_left(&r));
    rig_stop(&r);
}

static void a_task_that_comes_in_time_uses_the_idle_lease(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    submit(&r, spec_of(0));
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    done(&r, WORKER, &s);
    ctx_clear(&r.ctx);
    rig_sleep(&r, r.ctx.lim.linger_ns / 2);
    submit(&r, spec_of(0));
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_DEMAND), 0);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    done(&r, WORKER, &s);
    rig_sleep(&r, r.ctx.lim.linger_ns - 1); /* its time starts anew */
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CLOSE), 0);
    rig_sleep(&r, 1);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CLOSE), 1);
    rig_stop(&r);
}

static void a_lease_that_is_idle_often_has_one_timer(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    submit(&r, spec_of(0));
    lease(&r, WORKER, 100);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_TRUE(ran(&r, WORKER, &s));
        done(&r, WORKER, &s); /* idle */
        submit(&r, spec_of(0));
        CU_ASSERT_EQUAL(r.ctx.timers.n, 1);
        rig_sleep(&r, 30 * us);
    }
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CLOSE), 0);
    rig_stop(&r);
}

static void a_lease_that_comes_too_late_lingers_or_goes_back(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t ref[2];
    submit_many(&r, 0, 2, ref);
    uint64_t cls = only_class(&r);
    lease_for(&r, cls, WORKER, 100);
    cancel(&r, ref[1]);
    lease_for(&r, cls, OTHER, 200); /* nothing to do, but the class lives */
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CLOSE), 0);
    rig_sleep(&r, r.ctx.lim.linger_ns);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, OTHER, TG_MSG_CLOSE));
    struct sent s;
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    done(&r, WORKER, &s);
    rig_sleep(&r, r.ctx.lim.linger_ns);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, WORKER, TG_MSG_CLOSE));
    lease_for(&r, cls, OTHER, 201); /* the class is no more */
    CU_ASSERT_TRUE(ctx_said(&r.ctx, OTHER, TG_MSG_CLOSE));
    CU_ASSERT_TRUE(nothing_left(&r));
    rig_stop(&r);
}

static void near_the_end_idle_leases_go_back_at_once(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s[2];
    submit_many(&r, 0, 2, NULL);
    uint64_t cls = only_class(&r);
    lease_for(&r, cls, WORKER, 100);
    lease_for(&r, cls, OTHER, 200);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s[0]));
    CU_ASSERT_TRUE(ran(&r, OTHER, &s[1]));
    done(&r, WORKER, &s[0]);
    tg_owner_hurry(&r.owner);
    rig_settle(&r);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, WORKER, TG_MSG_CLOSE));
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CLOSE), 0); /* that one works */
    done(&r, OTHER, &s[1]);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, OTHER, TG_MSG_CLOSE));
    CU_ASSERT_TRUE(nothing_left(&r));
    rig_stop(&r);
}

/* ----- loss -------------------------------------------------------------------------- */

static void what_ran_on_a_lost_rank_runs_again_as_its_next_attempt(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    struct tg_spec spec = spec_of(0);
    spec.max_retries = 1;
    trygon_ref_t ref = submit(&r, spec);
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    ctx_clear(&r.ctx);
    rig_gone(&r, WORKER);
    uint64_t cls;
    CU_ASSERT_EQUAL(demanded(&r, &cls), 1);
    lease(&r, OTHER, 200);
    CU_ASSERT_TRUE(ran(&r, OTHER, &s));
    CU_ASSERT_EQUAL(s.attempt, 1);
    rig_gone(&r, OTHER);
    CU_ASSERT_EQUAL(outcome(&r, ref), TRYGON_ERR_WORKER_LOST);
    const struct trygon_error *e = tg_val_err(rig_obj(&r, ref)->val, 0);
    CU_ASSERT_STRING_EQUAL(e->text,
                           "rank 3 was lost; 2 executions, no retries left");
    CU_ASSERT_EQUAL(e->rank, OTHER); /* whose host the user is told */
    CU_ASSERT_STRING_EQUAL(e->function, "f");
    CU_ASSERT_TRUE(nothing_left(&r));
    rig_stop(&r);
}

static void one_loss_costs_one_retry_however_many_leases_are_lost(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    struct tg_spec spec = spec_of(0);
    spec.max_retries = 1;
    trygon_ref_t ref = submit(&r, spec);
    uint64_t cls = only_class(&r);
    for (uint64_t i = 0; i < 4; i++) /* three of them idle */
        lease_for(&r, cls, WORKER, 100 + i);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    rig_gone(&r, WORKER);
    CU_ASSERT_EQUAL(outcome(&r, ref), 1);
    lease(&r, OTHER, 200);
    CU_ASSERT_TRUE(ran(&r, OTHER, &s));
    CU_ASSERT_EQUAL(s.attempt, 1);
    rig_stop(&r);
}

static void a_lease_on_a_rank_that_is_lost_is_asked_for_again(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    submit(&r, spec_of(0));
    ctx_clear(&r.ctx);
    rig_gone(&r, WORKER);
    lease(&r, WORKER, 100);
    uint64_t cls;
    CU_ASSERT_EQUAL(demanded(&r, &cls), 1);
    CU_ASSERT_PTR_NULL(r.owner.leases);
    rig_stop(&r);
}

/* ----- why ----------------------------------------------------------------------------- */

static void keep_line(void *arg, const char *line)
{
    char *all = arg;
    snprintf(all + strlen(all), 400 - strlen(all), "%s\n", line);
}

static void what_waits_can_say_why(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    char all[400] = "";
    trygon_ref_t ref = submit(&r, spec_of(1));
    submit_args(&r, items(1, item_ref(ref)));
    tg_owner_why(&r.owner, keep_line, all);
    CU_ASSERT_STRING_EQUAL(all,
                           "1 ready, first: g; pending: no lease granted yet\n"
                           "1 waiting for arguments\n");
    refuse(&r, false, "needs 9 CPU on one rank, the largest has 8");
    all[0] = '\0';
    tg_owner_why(&r.owner, keep_line, all);
    CU_ASSERT_STRING_EQUAL(all, "1 ready, first: g; pending: needs 9 CPU on "
                                "one rank, the largest has 8\n"
                                "1 waiting for arguments\n");
    rig_stop(&r);
}

static const struct unit_test tests[] = {
    TEST(a_thousand_submits_are_few_messages),
    TEST(leases_that_come_are_counted_and_not_asked_for_again),
    TEST(no_more_work_is_told_at_once),
    TEST(each_shape_and_depth_is_a_class_of_its_own),
    TEST(demand_names_the_ranks_that_hold_large_arguments),
    TEST(short_tasks_are_sent_ahead),
    TEST(the_mean_follows_a_function_that_becomes_slower),
    TEST(no_more_leases_are_asked_for_than_the_owner_can_keep_busy),
    TEST(one_lease_too_many_leaves_and_the_others_go_on),
    TEST(a_delay_does_not_make_a_short_function_a_long_one),
    TEST(leases_are_used_in_turn),
    TEST(a_bounce_behind_a_blocked_task_costs_no_retry),
    TEST(a_held_lease_is_used_again_after_a_done),
    TEST(bounced_tasks_go_before_those_that_came_later),
    TEST(a_closed_lease_is_forgotten_when_its_last_done_is_in),
    TEST(a_bounce_of_another_attempt_is_ignored),
    TEST(an_idle_lease_lingers_and_is_closed),
    TEST(a_task_that_comes_in_time_uses_the_idle_lease),
    TEST(a_lease_that_is_idle_often_has_one_timer),
    TEST(a_lease_that_comes_too_late_lingers_or_goes_back),
    TEST(near_the_end_idle_leases_go_back_at_once),
    TEST(what_ran_on_a_lost_rank_runs_again_as_its_next_attempt),
    TEST(one_loss_costs_one_retry_however_many_leases_are_lost),
    TEST(a_lease_on_a_rank_that_is_lost_is_asked_for_again),
    TEST(what_waits_can_say_why),
    TESTS_END,
};

CUNIT_MAIN("owner_lease", tests)
