/* test_core.c - one rank that is head, owner and worker, end to end. */
#include "../cunit_main.h"
#include "embedded.h"
#include "fixture.h"

/* End and drain: everything is given back and the run is over. */
static void goes_home(struct world *w)
{
    struct tg_event end = {.type = TG_EV_END, .status = 5};
    world_step(w, &end);
    world_go_for(w, 1000 * ms);
    CU_ASSERT_EQUAL(w->nended, 1);
    CU_ASSERT_EQUAL(w->status, 5);
    struct tg_event drain = {.type = TG_EV_DRAIN};
    world_step(w, &drain);
    world_go_for(w, 1000 * ms);
    CU_ASSERT_EQUAL(w->nbyes, 1);
    CU_ASSERT_TRUE(tg_core_quiet(w->core));
    tg_core_check(w->core);
}

static void a_task_is_submitted_started_done_and_got(void)
{
    struct world w;
    world_start(&w, 1);
    int64_t n = 0;
    trygon_ref_t ref = world_submit(&w, FN_NUMBER, 42);
    CU_ASSERT_EQUAL(world_get(&w, ref, &n), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(n, 42);
    CU_ASSERT_EQUAL(world_release(&w, 1, &ref), TRYGON_SUCCESS);
    goes_home(&w);
    CU_ASSERT_EQUAL(tg_objs_left(&w.core->objs), 0);
    world_stop(&w);
}

static void a_get_of_a_failed_task_is_its_error(void)
{
    struct world w;
    world_start(&w, 1);
    int64_t n = 0;
    trygon_ref_t failed = world_submit(&w, FN_FAIL, 0);
    trygon_ref_t next = world_submit_ref(&w, FN_NUMBER, failed);
    CU_ASSERT_EQUAL(world_get(&w, next, &n), TRYGON_ERR_DEPENDENCY);
    CU_ASSERT_EQUAL(world_get(&w, failed, &n), TRYGON_ERR_TASK);
    CU_ASSERT_EQUAL(w.starts[FN_NUMBER], 0);
    trygon_ref_t both[] = {failed, next};
    CU_ASSERT_EQUAL(world_release(&w, 2, both), TRYGON_SUCCESS);
    goes_home(&w);
    world_stop(&w);
}

static void a_chain_of_tasks_passes_its_value_on(void)
{
    struct world w;
    world_start(&w, 2);
    trygon_ref_t refs[51] = {world_put(&w, 7)};
    for (int i = 1; i <= 50; i++)
        refs[i] = world_submit_ref(&w, FN_NUMBER, refs[i - 1]);
    int64_t n = 0;
    CU_ASSERT_EQUAL(world_get(&w, refs[50], &n), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(n, 7);
    CU_ASSERT_EQUAL(world_release(&w, 51, refs), TRYGON_SUCCESS);
    goes_home(&w);
    CU_ASSERT_EQUAL(tg_objs_left(&w.core->objs), 0);
    world_stop(&w);
}

static void as_many_run_at_once_as_there_are_cpus(void)
{
    struct world w;
    world_start(&w, 3);
    trygon_ref_t refs[100];
    for (int i = 0; i < 100; i++)
        refs[i] = world_submit(&w, FN_NUMBER, i);
    for (int i = 0; i < 100; i++) {
        int64_t n = -1;
        CU_ASSERT_EQUAL(world_get(&w, refs[i], &n), TRYGON_SUCCESS);
        CU_ASSERT_EQUAL(n, i);
    }
    CU_ASSERT_EQUAL(w.most_running, 3);
    world_release(&w, 100, refs);
    goes_home(&w);
    world_stop(&w);
}

static void a_thousand_nested_gets_finish_on_one_cpu(void)
{
    struct world w;
    world_start(&w, 1);
    w.check_every = 211;
    int64_t n = 0;
    trygon_ref_t ref = world_submit(&w, FN_NEST, 1000);
    CU_ASSERT_EQUAL(world_get(&w, ref, &n), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(n, 1000);
    CU_ASSERT_EQUAL(w.starts[FN_NEST], 1001); /* each ran once */
    world_release(&w, 1, &ref);
    goes_home(&w);
    CU_ASSERT_EQUAL(tg_objs_left(&w.core->objs), 0);
    world_stop(&w);
}

/* Children go before further parents, and only so many parents may block: a
 * thousand of them are never a thousand stacks. */
static void a_thousand_parents_with_a_child_each_finish_on_one_cpu(void)
{
    enum { MANY = 1000 };
    struct world w;
    world_start(&w, 1);
    w.check_every = 97;
    static trygon_ref_t refs[MANY];
    for (int i = 0; i < MANY; i++)
        refs[i] = world_submit(&w, FN_PARENT, i);
    for (int i = 0; i < MANY; i++) {
        int64_t n = -1;
        CU_ASSERT_EQUAL(world_get(&w, refs[i], &n), TRYGON_SUCCESS);
        CU_ASSERT_EQUAL(n, i + 1);
    }
    CU_ASSERT(w.most_alive <= w.core->ctx.lim.blocked_max + 2);
    CU_ASSERT_EQUAL(w.starts[FN_NUMBER], MANY);
    world_release(&w, MANY, refs);
    goes_home(&w);
    CU_ASSERT_EQUAL(tg_objs_left(&w.core->objs), 0);
    world_stop(&w);
}

static void a_queued_task_is_cancelled_without_a_start(void)
{
    struct world w;
    world_start(&w, 1);
    trygon_ref_t refs[2] = {world_submit(&w, FN_SPIN, 0),
                            world_submit(&w, FN_NUMBER, 1)};
    world_go_for(&w, 1 * ms);
    int64_t n;
    CU_ASSERT_EQUAL(world_cancel(&w, refs[1], false), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(world_get(&w, refs[1], &n), TRYGON_ERR_CANCELLED);
    CU_ASSERT_EQUAL(w.starts[FN_NUMBER], 0);
    CU_ASSERT_EQUAL(world_cancel(&w, refs[0], false), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(world_get(&w, refs[0], &n), TRYGON_ERR_CANCELLED);
    CU_ASSERT_EQUAL(world_cancel(&w, refs[0], false), TRYGON_SUCCESS);
    world_release(&w, 2, refs);
    CU_ASSERT_EQUAL(world_cancel(&w, refs[0], false), TRYGON_ERR_NOTFOUND);
    goes_home(&w);
    world_stop(&w);
}

static void cancelling_reaches_the_children_only_when_asked(void)
{
    for (int recursive = 0; recursive < 2; recursive++) {
        struct world w;
        world_start(&w, 1);
        trygon_ref_t ref = world_submit(&w, FN_STUCK, 0);
        world_go_for(&w, 10 * ms);
        CU_ASSERT_EQUAL(w.starts[FN_SPIN], 1);
        world_cancel(&w, ref, recursive == 1);
        int64_t n;
        CU_ASSERT_EQUAL(world_get(&w, ref, &n), TRYGON_ERR_CANCELLED);
        world_go_for(&w, 10 * ms);
        CU_ASSERT_EQUAL(w.nalive, recursive == 1 ? 0 : 1);
        world_release(&w, 1, &ref);
        world_stop(&w);
    }
}

static void releasing_more_than_one_has_is_invalid_and_changes_nothing(void)
{
    struct world w;
    world_start(&w, 1);
    trygon_ref_t a = world_put(&w, 1), b = world_put(&w, 2);
    trygon_ref_t twice[] = {b, a, a};
    CU_ASSERT_EQUAL(world_release(&w, 3, twice), TRYGON_ERR_INVALID);
    CU_ASSERT_EQUAL(w.core->objs.user_counts, 2);
    struct tg_event retain = {.type = TG_EV_RETAIN, .n = 1, .refs = &a};
    CU_ASSERT_EQUAL(world_step(&w, &retain), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(world_release(&w, 3, twice), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(tg_objs_left(&w.core->objs), 0);
    CU_ASSERT_EQUAL(world_release(&w, 1, &a), TRYGON_ERR_INVALID);
    static const trygon_ref_t none = {0, 0};
    CU_ASSERT_EQUAL(world_release(&w, 1, &none), TRYGON_SUCCESS);
    world_stop(&w);
}

static void references_that_are_not_held_are_not_found(void)
{
    struct world w;
    world_start(&w, 1);
    trygon_ref_t old = world_put(&w, 1);
    world_release(&w, 1, &old);
    trygon_ref_t far = tg_ref_make(TRYGON_KIND_OBJECT, 0, 77, 0, 1);
    trygon_ref_t bad[] = {old, far, {0, 0}};
    for (int i = 0; i < 3; i++) {
        int64_t n;
        CU_ASSERT_EQUAL(world_get(&w, bad[i], &n), TRYGON_ERR_NOTFOUND);
        CU_ASSERT_EQUAL(world_cancel(&w, bad[i], true), TRYGON_ERR_NOTFOUND);
        struct tg_event ev = {.type = TG_EV_RETAIN, .n = 1, .refs = &bad[i]};
        CU_ASSERT_EQUAL(world_step(&w, &ev), TRYGON_ERR_NOTFOUND);
        ev = (struct tg_event){.type = TG_EV_CALL, .ref = bad[i]};
        CU_ASSERT_EQUAL(world_step(&w, &ev), TRYGON_ERR_NOTFOUND);
        trygon_ref_t ref = world_submit_ref(&w, FN_NUMBER, bad[i]);
        CU_ASSERT_TRUE(tg_ref_none(ref));
    }
    CU_ASSERT_EQUAL(w.core->owner.submitted, 0);
    world_stop(&w);
}

static void a_callback_is_due_once_at_once_or_later(void)
{
    struct world w;
    world_start(&w, 1);
    int cookie;
    trygon_ref_t refs[] = {world_put(&w, 1), world_submit(&w, FN_NUMBER, 2)};
    for (uint32_t i = 0; i < 2; i++) {
        struct tg_event ev = {
            .type = TG_EV_CALL, .ref = refs[i], .cookie = &cookie};
        CU_ASSERT_EQUAL(world_step(&w, &ev), TRYGON_SUCCESS);
        CU_ASSERT_EQUAL(w.ncalls, 1);
    }
    world_go_for(&w, 10 * ms);
    CU_ASSERT_EQUAL(w.ncalls, 2);
    for (int i = 0; i < 2; i++) { /* a call holds the object until its end */
        world_release(&w, 1, &refs[i]);
        struct tg_event ev = {.type = TG_EV_UNPIN};
        ev.obj = tg_objs_find(&w.core->objs, refs[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(ev.obj);
        world_step(&w, &ev);
    }
    CU_ASSERT_EQUAL(tg_objs_left(&w.core->objs), 0);
    world_stop(&w);
}

static void a_poll_times_out_at_once(void)
{
    struct world w;
    world_start(&w, 1);
    trygon_ref_t ref = world_submit(&w, FN_SPIN, 0);
    struct tg_wait_req req = {.kind = TG_WAIT_ALL,
                              .n = 1,
                              .refs = &ref,
                              .fetch = true,
                              .deadline_ns = w.now_ns};
    struct tg_event ev = {.type = TG_EV_WAIT, .wait = &req};
    CU_ASSERT_EQUAL(world_step(&w, &ev), TRYGON_ERR_TIMEOUT);
    CU_ASSERT_PTR_NULL(ev.waiter);
    CU_ASSERT_EQUAL(w.core->waits.waiters.used, 0);
    world_stop(&w);
}

static void the_machine_can_be_looked_at(void)
{
    struct world w;
    world_start(&w, 4);
    world_submit(&w, FN_SPIN, 0);
    struct tg_wait_req req = {.kind = TG_WAIT_TABLE, .deadline_ns = TG_NEVER};
    struct tg_event ev = {.type = TG_EV_WAIT, .wait = &req};
    CU_ASSERT_EQUAL(world_step(&w, &ev), TRYGON_SUCCESS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ev.waiter);
    CU_ASSERT_TRUE(ev.waiter->done);
    CU_ASSERT_EQUAL(ev.waiter->nrows, 1);
    CU_ASSERT_TRUE(ev.waiter->rows[0].alive);
    CU_ASSERT_EQUAL(ev.waiter->rows[0].total[TG_RES_CPU], 4 * TG_UNIT);
    CU_ASSERT_EQUAL(ev.waiter->rows[0].avail[TG_RES_CPU], 3 * TG_UNIT);
    struct tg_event end = {.type = TG_EV_WAIT_END, .handle = ev.waiter->self};
    world_step(&w, &end);
    world_stop(&w);
}

static void the_end_cancels_what_is_left_and_drains(void)
{
    struct world w;
    world_start(&w, 1);
    trygon_ref_t spin = world_submit(&w, FN_SPIN, 0);
    trygon_ref_t stuck = world_submit(&w, FN_STUCK, 0);
    for (int i = 0; i < 20; i++)
        world_submit(&w, FN_NUMBER, i); /* their results are never released */
    world_go_for(&w, 20 * ms);
    goes_home(&w);
    CU_ASSERT_EQUAL(w.nalive, 0);
    int64_t n;
    CU_ASSERT_EQUAL(world_get(&w, spin, &n), TRYGON_ERR_CANCELLED);
    CU_ASSERT_EQUAL(world_get(&w, stuck, &n), TRYGON_ERR_CANCELLED);
    world_stop(&w);
}

static void one_seed_and_one_log_give_one_run(void)
{
    uint64_t ended[2];
    uint32_t steps[2];
    for (int i = 0; i < 2; i++) {
        struct world w;
        world_start(&w, 2);
        trygon_ref_t ref = {0, 0};
        for (int j = 0; j < 30; j++)
            ref = world_submit(&w, j % 2 == 0 ? FN_PARENT : FN_NUMBER, j);
        int64_t n;
        world_get(&w, ref, &n);
        goes_home(&w);
        ended[i] = w.now_ns;
        steps[i] = w.steps;
        world_stop(&w);
    }
    CU_ASSERT(ended[0] == ended[1] && steps[0] == steps[1]);
}

static const struct unit_test tests[] = {
    TEST(a_task_is_submitted_started_done_and_got),
    TEST(a_get_of_a_failed_task_is_its_error),
    TEST(a_chain_of_tasks_passes_its_value_on),
    TEST(as_many_run_at_once_as_there_are_cpus),
    TEST(a_thousand_nested_gets_finish_on_one_cpu),
    TEST(a_thousand_parents_with_a_child_each_finish_on_one_cpu),
    TEST(a_queued_task_is_cancelled_without_a_start),
    TEST(cancelling_reaches_the_children_only_when_asked),
    TEST(releasing_more_than_one_has_is_invalid_and_changes_nothing),
    TEST(references_that_are_not_held_are_not_found),
    TEST(a_callback_is_due_once_at_once_or_later),
    TEST(a_poll_times_out_at_once),
    TEST(the_machine_can_be_looked_at),
    TEST(the_end_cancels_what_is_left_and_drains),
    TEST(one_seed_and_one_log_give_one_run),
    TESTS_END,
};

CUNIT_MAIN("core", tests)
