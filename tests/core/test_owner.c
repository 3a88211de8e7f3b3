/* test_owner.c - the life of a task at its owner: each ends exactly once. */
#include <string.h>

#include "../cunit_main.h"
#include "owning.h"

/* ----- the straight way --------------------------------------------------------- */

static void a_lease_brings_a_run_and_its_done_the_result(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    uint64_t cls;
    struct sent s;
    trygon_ref_t ref = submit(&r, spec_of(2));
    CU_ASSERT_EQUAL(demanded(&r, &cls), 1);
    CU_ASSERT_FALSE(ran(&r, WORKER, &s)); /* nothing runs without a lease */
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    CU_ASSERT(s.lease == 100 && s.fn == 2 && s.attempt == 0);
    CU_ASSERT_EQUAL(outcome(&r, ref), 1);
    done(&r, WORKER, &s);
    CU_ASSERT_EQUAL(outcome(&r, ref), 0);
    CU_ASSERT_STRING_EQUAL((const char *)tg_val_data(rig_obj(&r, ref)->val),
                           "result");
    rig_release(&r, ref);
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 0);
    CU_ASSERT_EQUAL(r.owner.tasks.used, 0);
    rig_stop(&r);
}

static void a_result_that_nobody_wants_ends_with_its_task(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    trygon_ref_t ref = submit(&r, spec_of(0));
    rig_release(&r, ref); /* it runs all the same */
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    done(&r, WORKER, &s);
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 0);
    rig_stop(&r);
}

static void a_task_waits_for_all_its_arguments(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s, first;
    trygon_ref_t a = submit(&r, spec_of(1)), b = submit(&r, spec_of(1));
    trygon_ref_t c =
        submit_args(&r, items(3, item_ref(a), item_ref(b), item_ref(a)));
    lease(&r, WORKER, 100);
    lease(&r, OTHER, 200);
    CU_ASSERT_TRUE(ran(&r, WORKER, &first));
    CU_ASSERT_TRUE(ran(&r, OTHER, &s));
    done(&r, WORKER, &first);
    CU_ASSERT_FALSE(ran(&r, WORKER, &first)); /* b is still under way */
    done(&r, OTHER, &s);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s) || ran(&r, OTHER, &s));
    CU_ASSERT(s.fn == 0 && s.nargs == 3);
    CU_ASSERT_EQUAL(outcome(&r, c), 1);
    rig_stop(&r);
}

static void small_arguments_travel_whole_and_large_ones_by_reference(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct tg_msg m;
    trygon_ref_t small = rig_put(&r, val_text("small"));
    trygon_ref_t large = rig_put(&r, val_bytes(TG_INLINE_MAX + 1));
    submit_args(&r,
                items(4, item_val(val_text("direct")), item_ref(small),
                      item_ref(large), item_val(val_bytes(TG_INLINE_MAX + 1))));
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, WORKER, TG_MSG_RUN, &m));
    const struct tg_item *a = tg_items_at(&m.u.run.args);
    CU_ASSERT_STRING_EQUAL((const char *)tg_val_data(a[0].val), "direct");
    CU_ASSERT_STRING_EQUAL((const char *)tg_val_data(a[1].val), "small");
    CU_ASSERT_PTR_NULL(a[2].val);
    CU_ASSERT_TRUE(tg_ref_eq(a[2].ref, large));
    CU_ASSERT_PTR_NULL(a[3].val); /* has become an object of its own */
    CU_ASSERT_EQUAL(tg_obj_size(rig_obj(&r, a[3].ref)), TG_INLINE_MAX + 1);
    CU_ASSERT_EQUAL(a[3].weight, r.ctx.lim.weight_mint);
    tg_msg_fini(&m);
    rig_stop(&r);
}

static void too_many_bytes_in_all_do_not_travel_whole(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    enum { N = TG_INLINE_TOTAL / TG_INLINE_MAX + 1 };
    struct tg_items v;
    tg_items_init(&v, N);
    for (int i = 0; i < N; i++)
        v.more[i] = item_val(val_bytes(TG_INLINE_MAX));
    submit_args(&r, v);
    lease(&r, WORKER, 100);
    struct tg_msg m;
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, WORKER, TG_MSG_RUN, &m));
    uint64_t whole = 0;
    for (uint32_t i = 0; i < N; i++)
        whole += m.u.run.args.more[i].val != NULL
                     ? m.u.run.args.more[i].val->size
                     : 0;
    CU_ASSERT(whole <= TG_INLINE_TOTAL);
    CU_ASSERT(whole > TG_INLINE_TOTAL - TG_INLINE_MAX - 1);
    tg_msg_fini(&m);
    rig_stop(&r);
}

static void a_task_may_have_many_results_or_none(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t refs[3];
    struct tg_spec three = spec_of(0), none = spec_of(0);
    three.nreturns = 3;
    none.nreturns = 0;
    tg_owner_submit(&r.owner, &three, refs);
    tg_owner_submit(&r.owner, &none, NULL);
    lease(&r, WORKER, 100);
    struct sent s;
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    struct tg_msg m = {.type = TG_MSG_DONE};
    m.u.done.task = s.task;
    m.u.done.lease = s.lease;
    m.u.done.returns = items(3, item_val(val_text("0")),
                             item_val(val_text("1")), item_val(val_text("2")));
    rig_msg(&r, WORKER, &m);
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(outcome(&r, refs[i]), 0);
        CU_ASSERT_EQUAL(tg_val_data(rig_obj(&r, refs[i])->val)[0], '0' + i);
        CU_ASSERT_EQUAL(refs[i].hi & 0xffffff, i);
    }
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    m = (struct tg_msg){.type = TG_MSG_DONE};
    m.u.done.task = s.task;
    m.u.done.lease = s.lease;
    rig_msg(&r, WORKER, &m);
    CU_ASSERT_EQUAL(r.owner.tasks.used, 0);
    rig_stop(&r);
}

/* ----- failure -------------------------------------------------------------------- */

static void a_failure_goes_down_the_chain_with_its_causes(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    trygon_ref_t a = submit(&r, spec_of(1));
    trygon_ref_t b = submit_args(&r, items(1, item_ref(a)));
    trygon_ref_t c = submit_args(&r, items(1, item_ref(b)));
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    reply(&r, WORKER, &s, 3, 0);
    CU_ASSERT_EQUAL(outcome(&r, a), TRYGON_ERR_TASK);
    CU_ASSERT_EQUAL(outcome(&r, b), TRYGON_ERR_DEPENDENCY);
    CU_ASSERT_EQUAL(outcome(&r, c), TRYGON_ERR_DEPENDENCY);
    const struct tg_val *v = rig_obj(&r, c)->val;
    CU_ASSERT_EQUAL(tg_val_err(v, 0)->ncauses, 2);
    CU_ASSERT_EQUAL(tg_val_err(v, 2)->code, TRYGON_ERR_TASK);
    /* One submitted later fails at once. */
    trygon_ref_t d = submit_args(&r, items(1, item_ref(c)));
    CU_ASSERT_EQUAL(outcome(&r, d), TRYGON_ERR_DEPENDENCY);
    CU_ASSERT_EQUAL(r.owner.tasks.used, 0);
    CU_ASSERT_FALSE(ran(&r, WORKER, &s));
    rig_release(&r, a);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_NOTE), 0); /* b has read it */
    rig_stop(&r);
}

/* A large argument on rank 3 was ready, and is lost while the task queues. */
static void an_argument_that_is_lost_in_time_spares_the_run(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    struct tg_item in =
        item_ref(tg_ref_make(TRYGON_KIND_OBJECT, 0, OTHER, 0, 1));
    in.weight = 8;
    tg_objs_adopt(&r.objs, &in);
    rig_obj(&r, in.ref)->state = TG_OBJ_READY;
    trygon_ref_t ref = submit_args(&r, items(1, in));
    trygon_ref_t next = submit(&r, spec_of(1));
    rig_gone(&r, OTHER);
    CU_ASSERT_EQUAL(outcome(&r, ref), 1);
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    CU_ASSERT_EQUAL(s.fn, 1); /* the lease goes to the next at once */
    CU_ASSERT_EQUAL(outcome(&r, ref), TRYGON_ERR_DEPENDENCY);
    CU_ASSERT_EQUAL(outcome(&r, next), 1);
    rig_stop(&r);
}

static void a_code_is_retried_only_when_it_was_asked_for(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    struct tg_spec spec = spec_of(0);
    spec.max_retries = 5;
    spec.ncodes = 2;
    spec.codes = tg_alloc(2 * sizeof *spec.codes);
    spec.codes[0] = 3;
    spec.codes[1] = 4;
    trygon_ref_t ref = submit(&r, spec);
    submit_many(&r, 1, 2, NULL);
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    reply(&r, WORKER, &s, 4, 0);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s)); /* the lease was free for others */
    done(&r, WORKER, &s);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s)); /* then it goes first */
    CU_ASSERT(s.fn == 0 && s.attempt == 1);
    reply(&r, WORKER, &s, 5, 0);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    CU_ASSERT_EQUAL(s.fn, 1);
    CU_ASSERT_EQUAL(outcome(&r, ref), TRYGON_ERR_TASK);
    rig_stop(&r);
}

/* How often a task that always fails with this code is executed. */
static int executions(int32_t max_retries, uint32_t ncodes, int32_t code)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    struct tg_spec spec = spec_of(0);
    spec.max_retries = max_retries;
    spec.ncodes = ncodes;
    trygon_ref_t ref = submit(&r, spec);
    lease(&r, WORKER, 100);
    int n = 0;
    while (n < 50 && ran(&r, WORKER, &s)) {
        CU_ASSERT_EQUAL(s.attempt, n);
        CU_ASSERT_EQUAL(outcome(&r, ref), 1);
        n++;
        reply(&r, WORKER, &s, code, 0);
    }
    CU_ASSERT_EQUAL(outcome(&r, ref) < 0, n < 50);
    rig_stop(&r);
    return n;
}

static void at_most_one_and_max_retries_executions(void)
{
    static const uint32_t any = UINT32_MAX;
    CU_ASSERT_EQUAL(executions(0, any, 7), 1);
    CU_ASSERT_EQUAL(executions(3, any, 7), 4);
    CU_ASSERT_EQUAL(executions(-1, any, 7), 50); /* no limit */
    CU_ASSERT_EQUAL(executions(3, 0, 7), 1);
    CU_ASSERT_EQUAL(executions(3, any, TRYGON_ERR_RETURNS), 1);
}

static void a_stale_done_changes_nothing(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s, old, other;
    struct tg_spec spec = spec_of(0);
    spec.max_retries = 1;
    spec.ncodes = UINT32_MAX;
    trygon_ref_t ref = submit(&r, spec);
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &old));
    reply(&r, WORKER, &old, 1, 0);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    done(&r, WORKER, &old); /* of the attempt before */
    CU_ASSERT_EQUAL(outcome(&r, ref), 1);
    done(&r, OTHER, &s); /* from a rank that does not have it */
    CU_ASSERT_EQUAL(outcome(&r, ref), 1);
    other = s;
    other.task += UINT64_C(2) << 32; /* of a task that is not there */
    done(&r, WORKER, &other);
    CU_ASSERT_EQUAL(outcome(&r, ref), 1);
    done(&r, WORKER, &s);
    CU_ASSERT_EQUAL(outcome(&r, ref), 0);
    done(&r, WORKER, &s); /* twice */
    rig_stop(&r);
}

static void the_weight_in_a_stale_done_goes_home(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t far = tg_ref_make(TRYGON_KIND_OBJECT, 0, OTHER, 0, 1);
    struct tg_msg m = {.type = TG_MSG_DONE};
    m.u.done.task = 12345;
    m.u.done.returns = items(1, item_val(val_refs(1, &far)));
    m.u.done.returns.one.weights = tg_alloc(sizeof(uint64_t));
    m.u.done.returns.one.weights[0] = 64;
    rig_msg(&r, WORKER, &m);
    CU_ASSERT_TRUE(ctx_sent(&r.ctx, OTHER, TG_MSG_DROP, &m));
    CU_ASSERT(m.u.drop.n == 1 && m.u.drop.v[0].weight == 64);
    tg_msg_fini(&m);
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 0);
    rig_stop(&r);
}

/* ----- cancel ------------------------------------------------------------------------ */

static void a_waiting_or_queued_task_is_cancelled_at_once(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t queued = submit(&r, spec_of(0));
    trygon_ref_t waiting = submit_args(&r, items(1, item_ref(queued)));
    cancel(&r, waiting);
    CU_ASSERT_EQUAL(outcome(&r, waiting), TRYGON_ERR_CANCELLED);
    cancel(&r, queued);
    CU_ASSERT_EQUAL(outcome(&r, queued), TRYGON_ERR_CANCELLED);
    CU_ASSERT_TRUE(nothing_left(&r));
    CU_ASSERT_FALSE(tg_owner_cancel(&r.owner, rig_obj(&r, queued), false));
    rig_stop(&r);
}

static void a_cancel_fails_all_that_depend_on_it_and_nothing_before_it(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s, more;
    trygon_ref_t before = submit(&r, spec_of(1)), after[3];
    trygon_ref_t middle = submit_args(&r, items(1, item_ref(before)));
    for (int i = 0; i < 3; i++)
        after[i] = submit_args(&r, items(1, item_ref(middle)));
    trygon_ref_t both =
        submit_args(&r, items(2, item_ref(after[0]), item_ref(after[2])));
    trygon_ref_t beside = submit_args(&r, items(1, item_ref(before)));
    lease(&r, WORKER, 100);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    cancel(&r, middle);
    CU_ASSERT_EQUAL(outcome(&r, middle), TRYGON_ERR_CANCELLED);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(outcome(&r, after[i]), TRYGON_ERR_DEPENDENCY);
        const struct tg_val *v = rig_obj(&r, after[i])->val;
        CU_ASSERT_EQUAL_FATAL(tg_val_err(v, 0)->ncauses, 1);
        CU_ASSERT_EQUAL(tg_val_err(v, 1)->code, TRYGON_ERR_CANCELLED);
    }
    CU_ASSERT_EQUAL(outcome(&r, both), TRYGON_ERR_DEPENDENCY);
    CU_ASSERT_EQUAL(outcome(&r, before), 1);
    CU_ASSERT_EQUAL(outcome(&r, beside), 1);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CANCEL), 0);
    done(&r, WORKER, &s);
    CU_ASSERT_EQUAL(outcome(&r, before), 0);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s)); /* what is beside, and no more */
    CU_ASSERT_FALSE(ran(&r, WORKER, &more));
    done(&r, WORKER, &s);
    CU_ASSERT_EQUAL(outcome(&r, beside), 0);
    CU_ASSERT_EQUAL(r.owner.tasks.used, 0);
    rig_stop(&r);
}

static void a_task_that_was_sent_ends_by_its_worker_s_word(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s[2];
    struct tg_msg m;
    trygon_ref_t a = submit(&r, spec_of(0)), b = submit(&r, spec_of(0));
    lease(&r, WORKER, 100);
    lease(&r, OTHER, 200);
    CU_ASSERT_TRUE(ran(&r, WORKER, &s[0]));
    CU_ASSERT_TRUE(ran(&r, OTHER, &s[1]));
    cancel(&r, a);
    CU_ASSERT_TRUE(ctx_sent(&r.ctx, WORKER, TG_MSG_CANCEL, &m));
    CU_ASSERT_EQUAL(m.u.cancel.task, s[0].task);
    CU_ASSERT_EQUAL(outcome(&r, a), 1);
    reply(&r, WORKER, &s[0], TRYGON_ERR_CANCELLED, 0);
    CU_ASSERT_EQUAL(outcome(&r, a), TRYGON_ERR_CANCELLED);
    cancel(&r, b);
    done(&r, OTHER, &s[1]); /* it was faster */
    CU_ASSERT_EQUAL(outcome(&r, b), 0);
    rig_stop(&r);
}

static void a_cancelled_task_is_neither_retried_nor_placed_again(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s[3], more;
    trygon_ref_t ref[3];
    for (int i = 0; i < 3; i++) {
        struct tg_spec spec = spec_of(0);
        spec.max_retries = 5;
        spec.ncodes = UINT32_MAX;
        ref[i] = submit(&r, spec);
        lease(&r, i == 2 ? OTHER : WORKER, 100 + (uint64_t)i);
        CU_ASSERT_TRUE(ran(&r, i == 2 ? OTHER : WORKER, &s[i]));
        cancel(&r, ref[i]);
    }
    reply(&r, WORKER, &s[0], 7, 0);
    bounce(&r, WORKER, 101, TG_BOUNCE_CLOSED, 1, &s[1]);
    rig_gone(&r, OTHER);
    CU_ASSERT_EQUAL(outcome(&r, ref[0]), TRYGON_ERR_TASK);
    CU_ASSERT_EQUAL(outcome(&r, ref[1]), TRYGON_ERR_CANCELLED);
    CU_ASSERT_EQUAL(outcome(&r, ref[2]), TRYGON_ERR_CANCELLED);
    CU_ASSERT_FALSE(ran(&r, WORKER, &more));
    CU_ASSERT_EQUAL(r.owner.tasks.used, 0);
    rig_stop(&r);
}

static void a_run_that_waits_for_weight_is_taken_back(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct sent s;
    trygon_ref_t far = tg_ref_make(TRYGON_KIND_OBJECT, 0, OTHER, 0, 1);
    struct tg_item in = item_val(val_refs(1, &far));
    in.weights = tg_alloc(sizeof *in.weights);
    in.weights[0] = 1; /* too little to pass on */
    tg_objs_adopt(&r.objs, &in);
    trygon_ref_t ref = submit_args(&r, items(1, item_val(tg_val_hold(in.val))));
    lease(&r, WORKER, 100);
    CU_ASSERT_FALSE(ran(&r, WORKER, &s));
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_MORE), 1);
    cancel(&r, ref);
    CU_ASSERT_EQUAL(outcome(&r, ref), TRYGON_ERR_CANCELLED);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CANCEL), 0);
    CU_ASSERT_TRUE(tg_objs_quiet(&r.objs));
    tg_objs_unadopt(&r.objs, &in);
    tg_item_fini(&in);
    rig_settle(&r);
    rig_stop(&r);
}

static void the_children_of_one_execution_are_cancelled_and_no_others(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t ref[4];
    for (uint32_t i = 0; i < 4; i++) {
        struct tg_spec spec = spec_of(0);
        spec.parent = i % 2 == 0 ? 77 : 0;
        ref[i] = submit(&r, spec);
    }
    tg_owner_cancel_children(&r.owner, 77);
    rig_settle(&r);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(outcome(&r, ref[i]),
                        i % 2 == 0 ? TRYGON_ERR_CANCELLED : 1);
    rig_stop(&r);
}

/* ----- refusal -------------------------------------------------------------------------- */

static void an_infeasible_task_waits_and_says_why(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct tg_msg m;
    trygon_ref_t ref = submit(&r, spec_of(1));
    refuse(&r, false, "needs 4 GPU on one rank, the largest has 2");
    CU_ASSERT_EQUAL(outcome(&r, ref), 1);
    CU_ASSERT_TRUE(ctx_sent(&r.ctx, HEAD, TG_MSG_NOTE, &m));
    CU_ASSERT_STRING_EQUAL(m.u.note.text,
                           "1 task (first: g) pending: needs 4 GPU on one "
                           "rank, the largest has 2");
    tg_msg_fini(&m);
    lease(&r, WORKER, 100); /* the machine has changed */
    struct sent s;
    CU_ASSERT_TRUE(ran(&r, WORKER, &s));
    rig_stop(&r);
}

static void a_final_refusal_fails_what_is_queued(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t ref[3];
    submit_many(&r, 0, 3, ref);
    refuse(&r, true, "needs node 9, which does not exist");
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(outcome(&r, ref[i]), TRYGON_ERR_UNSCHEDULABLE);
        CU_ASSERT_STRING_EQUAL(tg_val_err(rig_obj(&r, ref[i])->val, 0)->text,
                               "needs node 9, which does not exist");
    }
    CU_ASSERT_TRUE(nothing_left(&r));
    uint64_t cls;
    uint32_t want = UINT32_MAX;
    while (ctx_count(&r.ctx, TG_MSG_DEMAND) > 0)
        want = demanded(&r, &cls);
    CU_ASSERT_EQUAL(want, 0); /* the head has been told */
    rig_stop(&r);
}

/* A million tasks in a queue are to fit into a quarter of a gigabyte. */
static void records_are_small(void)
{
    CU_ASSERT(sizeof(struct tg_task) <= 112);
    CU_ASSERT(sizeof(struct tg_obj) <= 64);
    CU_ASSERT(sizeof(struct tg_val) <= 16);
    CU_ASSERT(sizeof(struct tg_watch) <= 48);
    CU_ASSERT(sizeof(struct tg_msg) <= 120);
}

static const struct unit_test tests[] = {
    TEST(a_lease_brings_a_run_and_its_done_the_result),
    TEST(a_result_that_nobody_wants_ends_with_its_task),
    TEST(a_task_waits_for_all_its_arguments),
    TEST(small_arguments_travel_whole_and_large_ones_by_reference),
    TEST(too_many_bytes_in_all_do_not_travel_whole),
    TEST(a_task_may_have_many_results_or_none),
    TEST(a_failure_goes_down_the_chain_with_its_causes),
    TEST(an_argument_that_is_lost_in_time_spares_the_run),
    TEST(a_code_is_retried_only_when_it_was_asked_for),
    TEST(at_most_one_and_max_retries_executions),
    TEST(a_stale_done_changes_nothing),
    TEST(the_weight_in_a_stale_done_goes_home),
    TEST(a_waiting_or_queued_task_is_cancelled_at_once),
    TEST(a_cancel_fails_all_that_depend_on_it_and_nothing_before_it),
    TEST(a_task_that_was_sent_ends_by_its_worker_s_word),
    TEST(a_cancelled_task_is_neither_retried_nor_placed_again),
    TEST(a_run_that_waits_for_weight_is_taken_back),
    TEST(the_children_of_one_execution_are_cancelled_and_no_others),
    TEST(an_infeasible_task_waits_and_says_why),
    TEST(a_final_refusal_fails_what_is_queued),
    TEST(records_are_small),
    TESTS_END,
};

CUNIT_MAIN("owner", tests)
