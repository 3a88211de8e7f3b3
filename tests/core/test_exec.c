/* test_exec.c - the life of one execution at its worker: its arguments, its
 * results, its cancellation. */
#include <string.h>

#include "../cunit_main.h"
#include "working.h"

static trygon_ref_t far(uint32_t handle)
{
    return tg_ref_make(TRYGON_KIND_OBJECT, 0, OTHER, 0, handle);
}

static struct tg_item weighted(trygon_ref_t ref)
{
    struct tg_item it = item_ref(ref);
    it.weight = 8;
    return it;
}

/* The bytes of an argument come. */
static void arrives(struct rig *r, trygon_ref_t ref)
{
    struct tg_msg m = {.type = TG_MSG_VALUE};
    m.u.value.ref = ref;
    m.u.value.here = true;
    m.u.value.item = item_val(val_text("bytes"));
    m.u.value.size = m.u.value.item.val->size;
    rig_msg(r, OTHER, &m);
}

static void cancels(struct rig *r, uint64_t id, uint64_t task, int32_t attempt)
{
    struct tg_msg m = {.type = TG_MSG_CANCEL};
    m.u.cancel.lease = id;
    m.u.cancel.task = task;
    m.u.cancel.attempt = attempt;
    rig_msg(r, OWNER, &m);
}

/* ----- arguments ------------------------------------------------------------------- */

static void a_task_starts_when_its_arguments_are_here(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    struct tg_msg m;
    open_lease(&r, 1, OWNER, 0);
    run_with(&r, OWNER, 1, 11,
             items(3, weighted(far(1)), item_val(val_text("direct")),
                   weighted(far(2))));
    CU_ASSERT_EQUAL(exec_of(&r, 11)->state, TG_EXEC_FETCHING);
    CU_ASSERT_TRUE(ctx_sent(&r.ctx, OTHER, TG_MSG_WATCH, &m));
    CU_ASSERT_TRUE(m.u.watch.fetch);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, OTHER, TG_MSG_WATCH));
    arrives(&r, far(2));
    CU_ASSERT_EQUAL(starts(&r), 0);
    arrives(&r, far(1));
    CU_ASSERT_EQUAL(starts(&r), 11);
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&r, exec_of(&r, 11)->args.more[2].ref)->val);
    returns(&r, 11);
    CU_ASSERT_TRUE(ctx_sent(&r.ctx, OTHER, TG_MSG_DROP, &m));
    CU_ASSERT_EQUAL(m.u.drop.n, 2); /* their weight goes home */
    tg_msg_fini(&m);
    rig_stop(&r);
}

static void what_is_ready_overtakes_what_waits_for_arguments(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run_with(&r, OWNER, 1, 11, items(1, weighted(far(1))));
    run(&r, 1, 12);
    CU_ASSERT_EQUAL(starts(&r), 12);
    arrives(&r, far(1));
    CU_ASSERT_EQUAL(starts(&r), 0);
    returns(&r, 12);
    CU_ASSERT_EQUAL(starts(&r), 11);
    rig_stop(&r);
}

static void an_argument_that_is_lost_ends_the_task_unstarted(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    struct tg_msg m;
    open_lease(&r, 1, OWNER, 0);
    run_with(&r, OWNER, 1, 11, items(2, weighted(far(1)), weighted(far(2))));
    rig_gone(&r, OTHER);
    CU_ASSERT_EQUAL(starts(&r), 0);
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, OWNER, TG_MSG_DONE, &m));
    CU_ASSERT_EQUAL(m.u.done.code, TRYGON_ERR_DEPENDENCY);
    CU_ASSERT_EQUAL(tg_val_err(m.u.done.error, 1)->code, TRYGON_ERR_OWNER_DIED);
    tg_msg_fini(&m);
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 0);
    run_with(&r, OWNER, 1, 12, items(1, weighted(far(3))));
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 12), TRYGON_ERR_DEPENDENCY);
    rig_stop(&r);
}

static void one_lost_argument_is_enough(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    struct tg_item to_come =
        weighted(tg_ref_make(TRYGON_KIND_OBJECT, 0, OWNER, 0, 1));
    open_lease(&r, 1, OWNER, 0);
    run_with(&r, OWNER, 1, 11, items(2, to_come, weighted(far(1))));
    rig_gone(&r, OTHER);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 11), TRYGON_ERR_DEPENDENCY);
    rig_stop(&r);
}

static void a_bounced_run_sends_its_weight_home(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    lease_msg(&r, HEAD, TG_MSG_RECALL, 1);
    run_with(&r, OWNER, 1, 11, items(1, weighted(far(1))));
    CU_ASSERT_TRUE(ctx_said(&r.ctx, OTHER, TG_MSG_DROP));
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 0);
    rig_stop(&r);
}

/* ----- results ----------------------------------------------------------------------- */

static void references_in_a_result_travel_with_weight(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    struct tg_msg m;
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    trygon_ref_t own = rig_put(&r, val_text("own"));
    struct tg_val *v = val_refs(1, &own);
    tg_objs_hold_refs(&r.objs, v);
    rig_release(&r, own);
    struct tg_outcome out = {.returns = items(1, item_val(v))};
    tg_worker_done(&r.worker, exec_of(&r, 11), &out);
    rig_settle(&r);
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, OWNER, TG_MSG_DONE, &m));
    CU_ASSERT_EQUAL(m.u.done.returns.one.weights[0], r.ctx.lim.weight_mint);
    tg_msg_fini(&m);
    const struct tg_obj *x = rig_obj(&r, own); /* lives by what is out */
    CU_ASSERT(x->count == 0 && x->weight == r.ctx.lim.weight_mint);
    rig_stop(&r);
}

static void time_blocked_is_not_time_run(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    struct tg_msg m;
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    rig_sleep(&r, 2 * ms);
    blocks(&r, 11, false);
    rig_sleep(&r, 500 * ms);
    goes_on(&r, 11);
    rig_sleep(&r, 1 * ms);
    returns(&r, 11);
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, OWNER, TG_MSG_DONE, &m));
    CU_ASSERT_EQUAL(m.u.done.ran_ns, 3 * ms);
    tg_msg_fini(&m);
    rig_stop(&r);
}

static void a_failure_has_no_results_but_an_error(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    struct tg_msg m;
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    struct tg_outcome out = {.code = 9, .error = val_failed(TRYGON_ERR_TASK)};
    tg_worker_done(&r.worker, exec_of(&r, 11), &out);
    rig_settle(&r);
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, OWNER, TG_MSG_DONE, &m));
    CU_ASSERT(m.u.done.code == 9 && m.u.done.returns.n == 0);
    CU_ASSERT_EQUAL(tg_val_err(m.u.done.error, 0)->code, TRYGON_ERR_TASK);
    tg_msg_fini(&m);
    rig_stop(&r);
}

/* ----- cancel ------------------------------------------------------------------------- */

static void a_queued_execution_is_cancelled_without_a_start(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    run(&r, 1, 12);
    run_with(&r, OWNER, 1, 13, items(1, weighted(far(1))));
    starts(&r);
    cancels(&r, 1, 12, 0);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 12), TRYGON_ERR_CANCELLED);
    cancels(&r, 1, 13, 0); /* while its argument is fetched */
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 13), TRYGON_ERR_CANCELLED);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, OTHER, TG_MSG_DROP));
    arrives(&r, far(1)); /* too late: nobody minds */
    returns(&r, 11);
    CU_ASSERT_EQUAL(starts(&r), 0);
    rig_stop(&r);
}

static void a_running_execution_is_asked_to_stop(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    run(&r, 1, 11);
    cancels(&r, 1, 11, 0);
    CU_ASSERT_TRUE(exec_of(&r, 11)->cancelled);
    CU_ASSERT_EQUAL(r.worker.cancelled.n, 1); /* for its waits to end */
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_DONE), 0);
    returns(&r, 11); /* it had something after all */
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 11), 0);
    rig_stop(&r);
}

static void a_held_run_is_cancelled_too(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    run_with(&r, OWNER, 1, 11, items(1, weighted(far(1))));
    cancels(&r, 1, 11, 0);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 11), TRYGON_ERR_CANCELLED);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, OTHER, TG_MSG_DROP));
    open_lease(&r, 1, OWNER, 0);
    CU_ASSERT_EQUAL(starts(&r), 0);
    rig_stop(&r);
}

static void a_cancel_of_another_attempt_or_owner_is_ignored(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    open_lease(&r, 1, OWNER, 0);
    open_lease(&r, 2, OTHER, 0);
    run_with(&r, OTHER, 2, 11, (struct tg_items){0});
    cancels(&r, 2, 11, 0);
    run(&r, 1, 12);
    cancels(&r, 1, 12, 1);
    cancels(&r, 1, 13, 0);
    CU_ASSERT_FALSE(exec_of(&r, 11)->cancelled);
    CU_ASSERT_FALSE(exec_of(&r, 12)->cancelled);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_DONE), 0);
    rig_stop(&r);
}

/* ----- items ------------------------------------------------------------------------ */

static void are_taken(struct rig *r, int32_t from, uint64_t exec, uint64_t n)
{
    struct tg_msg m = {.type = TG_MSG_TAKEN};
    m.u.taken.exec = exec;
    m.u.taken.n = n;
    rig_msg(r, from, &m);
}

/* It has started, and may be one item ahead of its reader. */
static struct tg_exec *start_yielding(struct rig *r)
{
    struct tg_msg m = {.type = TG_MSG_RUN};
    rig_start(r, WORKER);
    open_lease(r, 1, OWNER, 0);
    m.u.run.lease = 1;
    m.u.run.task = 11;
    m.u.run.limit = 1;
    rig_msg(r, OWNER, &m);
    CU_ASSERT_EQUAL(starts(r), 11);
    return exec_of(r, 11);
}

static void what_was_taken_is_told_by_the_handle_that_came_with_an_item(void)
{
    struct rig r;
    struct tg_msg m;
    struct tg_exec *e = start_yielding(&r);
    CU_ASSERT_EQUAL(tg_worker_yield(&r.worker, e, val_text("a")), 0);
    CU_ASSERT_FATAL(ctx_sent(&r.ctx, OWNER, TG_MSG_ITEM, &m));
    tg_msg_fini(&m);
    CU_ASSERT_TRUE(tg_exec_ahead(e));
    are_taken(&r, OTHER, m.u.item.exec, 1);
    are_taken(&r, OWNER, m.u.item.exec + 1, 1);
    CU_ASSERT_TRUE(tg_exec_ahead(e));
    are_taken(&r, OWNER, m.u.item.exec, 1);
    CU_ASSERT_FALSE(tg_exec_ahead(e));
    are_taken(&r, OWNER, m.u.item.exec, 0); /* never less */
    CU_ASSERT_EQUAL(e->taken, 1);
    struct tg_outcome out = {0};
    tg_worker_done(&r.worker, e, &out);
    rig_settle(&r);
    are_taken(&r, OWNER, m.u.item.exec, 2); /* too late */
    rig_stop(&r);
}

/* As many take too long for a test: the count is set to nearly all of them. */
static void a_stream_has_so_many_items_and_no_more(void)
{
    struct rig r;
    struct tg_msg m;
    struct tg_exec *e = start_yielding(&r);
    e->yielded = e->taken = TG_ITEMS_MAX - 1;
    CU_ASSERT_EQUAL(tg_worker_yield(&r.worker, e, val_text("last")), 0);
    CU_ASSERT_FATAL(ctx_sent(&r.ctx, OWNER, TG_MSG_ITEM, &m));
    CU_ASSERT_EQUAL(m.u.item.index, TG_ITEMS_MAX - 1);
    tg_msg_fini(&m);
    struct tg_val *more = val_text("one more");
    CU_ASSERT_EQUAL(tg_worker_yield(&r.worker, e, more), TRYGON_ERR_RETURNS);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_ITEM), 0);
    tg_val_drop(&more); /* it is still ours */
    struct tg_outcome out = {.code = TRYGON_ERR_RETURNS,
                             .error = val_failed(TRYGON_ERR_RETURNS)};
    tg_worker_done(&r.worker, e, &out);
    rig_settle(&r);
    CU_ASSERT_FATAL(ctx_sent(&r.ctx, OWNER, TG_MSG_DONE, &m));
    CU_ASSERT_EQUAL(m.u.done.code, TRYGON_ERR_RETURNS);
    CU_ASSERT_EQUAL(m.u.done.yielded, TG_ITEMS_MAX); /* which are all read */
    tg_msg_fini(&m);
    rig_stop(&r);
}

static const struct unit_test tests[] = {
    TEST(a_task_starts_when_its_arguments_are_here),
    TEST(what_is_ready_overtakes_what_waits_for_arguments),
    TEST(an_argument_that_is_lost_ends_the_task_unstarted),
    TEST(one_lost_argument_is_enough),
    TEST(a_bounced_run_sends_its_weight_home),
    TEST(references_in_a_result_travel_with_weight),
    TEST(time_blocked_is_not_time_run),
    TEST(a_failure_has_no_results_but_an_error),
    TEST(a_queued_execution_is_cancelled_without_a_start),
    TEST(a_running_execution_is_asked_to_stop),
    TEST(a_held_run_is_cancelled_too),
    TEST(a_cancel_of_another_attempt_or_owner_is_ignored),
    TEST(what_was_taken_is_told_by_the_handle_that_came_with_an_item),
    TEST(a_stream_has_so_many_items_and_no_more),
    TESTS_END,
};

CUNIT_MAIN("exec", tests)
