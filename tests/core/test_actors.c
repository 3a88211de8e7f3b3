/* test_actors.c - actors where they live: whose call is next, and how they end.
 * The class "h" has two groups besides the default one: fixture.c. */
#include <string.h>

#include "../cunit_main.h"
#include "working.h"

enum { H = 2, LEASE = 7 };
static const uint64_t order = UINT64_C(3) << 40; /* of a caller's numbers */

/* ----- an actor and its calls ------------------------------------------------- */

/* OWNER's constructor runs and returns: the actor's handle. */
static uint64_t born(struct rig *r, uint32_t concurrency)
{
    struct tg_msg m = {.type = TG_MSG_RUN};
    m.u.run.lease = LEASE;
    m.u.run.task = 1;
    m.u.run.fn = H;
    m.u.run.seq = 77;
    m.u.run.nreturns = (uint16_t)TG_CREATES(concurrency, false);
    open_lease(r, LEASE, OWNER, 0);
    rig_msg(r, OWNER, &m);
    struct tg_exec *e = exec_of(r, 1);
    CU_ASSERT_PTR_EQUAL(started(r), e);
    CU_ASSERT_EQUAL(e->step, TG_STEP_CONSTRUCT);
    struct tg_outcome out = {.state = r};
    tg_worker_done(&r->worker, e, &out);
    rig_settle(r);
    uint64_t handle = 0;
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r->ctx, OWNER, TG_MSG_DONE, &m));
    memcpy(&handle, tg_val_data(m.u.done.returns.one.val), sizeof handle);
    tg_msg_fini(&m);
    return handle;
}

/* Number n of the caller's calls of the group. */
static void call(struct rig *r, uint64_t actor, int32_t from, uint64_t task,
                 uint8_t group, uint64_t n)
{
    struct tg_msg m = {.type = TG_MSG_CALL};
    m.u.run.lease = actor;
    m.u.run.task = task;
    m.u.run.nreturns = 1;
    m.u.run.group = group;
    m.u.run.seq = order + n;
    rig_msg(r, from, &m);
}

static void uncall(struct rig *r, uint64_t actor, int32_t from, uint64_t task,
                   uint8_t group, uint64_t n)
{
    struct tg_msg m = {.type = TG_MSG_UNCALL};
    m.u.cancel.lease = actor;
    m.u.cancel.task = task;
    m.u.cancel.group = group;
    m.u.cancel.seq = order + n;
    rig_msg(r, from, &m);
}

static void leave(struct rig *r, uint64_t actor, enum tg_leave why)
{
    struct tg_msg m = {.type = TG_MSG_LEAVE};
    m.u.leave.actor = actor;
    m.u.leave.obj = 77;
    m.u.leave.why = why;
    rig_msg(r, OWNER, &m);
}

/* The task that is asked to stop next; 0: none. */
static uint64_t stops(struct rig *r)
{
    if (r->worker.cancelled.n == 0)
        return 0;
    struct tg_cancelled c = r->worker.cancelled.v[--r->worker.cancelled.n];
    return tg_worker_exec(&r->worker, c.exec)->task;
}

/* The destructor is run, and returns. */
static bool destroyed(struct rig *r)
{
    struct tg_exec *e = started(r);
    if (e == NULL || e->step != TG_STEP_DESTROY)
        return false;
    struct tg_outcome out = {0};
    tg_worker_done(&r->worker, e, &out);
    rig_settle(r);
    return true;
}

static void close_lease(struct rig *r)
{
    lease_msg(r, OWNER, TG_MSG_CLOSE, LEASE);
    CU_ASSERT_TRUE(tg_worker_quiet(&r->worker));
    rig_stop(r);
}

/* ----- order and limits ------------------------------------------------------------ */

static void calls_start_in_the_order_of_their_numbers(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint64_t a = born(&r, 1);
    call(&r, a, OWNER, 12, 0, 1);
    call(&r, a, OWNER, 13, 0, 2);
    CU_ASSERT_EQUAL(starts(&r), 0);
    call(&r, a, OTHER, 21, 0, 0); /* another caller */
    CU_ASSERT_EQUAL(starts(&r), 21);
    call(&r, a, OWNER, 11, 0, 0);
    CU_ASSERT_EQUAL(starts(&r), 0); /* one at a time */
    returns(&r, 21);
    for (uint64_t t = 11; t <= 13; t++) {
        CU_ASSERT_EQUAL(starts(&r), t);
        CU_ASSERT_EQUAL(starts(&r), 0);
        returns(&r, t);
    }
    leave(&r, a, TG_LEAVE_SCOPE);
    CU_ASSERT_TRUE(destroyed(&r));
    close_lease(&r);
}

static void a_group_holds_up_no_other(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint64_t a = born(&r, 1);
    call(&r, a, OWNER, 11, 1, 0);
    CU_ASSERT_EQUAL(starts(&r), 11);
    call(&r, a, OWNER, 12, 1, 1); /* the limit is 1 */
    CU_ASSERT_EQUAL(starts(&r), 0);
    for (uint64_t i = 0; i < 3; i++)
        call(&r, a, OWNER, 21 + i, 2, i);
    CU_ASSERT_EQUAL(starts(&r), 21);
    CU_ASSERT_EQUAL(starts(&r), 22);
    CU_ASSERT_EQUAL(starts(&r), 0); /* the limit is 2 */
    call(&r, a, OWNER, 1, 0, 0);
    CU_ASSERT_EQUAL(starts(&r), 1);
    returns(&r, 22);
    CU_ASSERT_EQUAL(starts(&r), 23);
    returns(&r, 11);
    CU_ASSERT_EQUAL(starts(&r), 12);
    returns(&r, 1);
    returns(&r, 21);
    returns(&r, 23);
    leave(&r, a, TG_LEAVE_SCOPE);
    CU_ASSERT_FALSE(destroyed(&r)); /* one is still running */
    returns(&r, 12);
    CU_ASSERT_TRUE(destroyed(&r));
    close_lease(&r);
}

static void a_number_that_is_missing_holds_up_its_group_only(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint64_t a = born(&r, 3);
    call(&r, a, OWNER, 11, 0, 1);
    call(&r, a, OWNER, 21, 2, 0);
    CU_ASSERT_EQUAL(starts(&r), 21);
    CU_ASSERT_EQUAL(starts(&r), 0);
    call(&r, a, OWNER, 10, 0, 0);
    CU_ASSERT_EQUAL(starts(&r), 10);
    CU_ASSERT_EQUAL(starts(&r), 11);
    for (uint64_t t = 10; t <= 11; t++)
        returns(&r, t);
    returns(&r, 21);
    leave(&r, a, TG_LEAVE_SCOPE);
    CU_ASSERT_TRUE(destroyed(&r));
    close_lease(&r);
}

/* ----- cancel --------------------------------------------------------------------------- */

static void a_cancel_that_comes_first_skips_its_call(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint64_t a = born(&r, 1);
    uncall(&r, a, OWNER, 21, 2, 0);
    call(&r, a, OWNER, 22, 2, 1);
    CU_ASSERT_EQUAL(starts(&r), 22);
    call(&r, a, OWNER, 21, 2, 0); /* here it comes */
    CU_ASSERT_EQUAL(starts(&r), 0);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 21), TRYGON_ERR_CANCELLED);
    call(&r, a, OWNER, 11, 0, 0); /* that number is another group's */
    CU_ASSERT_EQUAL(starts(&r), 11);
    call(&r, a, OTHER, 31, 2, 0); /* or another caller's */
    CU_ASSERT_EQUAL(starts(&r), 31);
    returns(&r, 11);
    returns(&r, 22);
    returns(&r, 31);
    leave(&r, a, TG_LEAVE_SCOPE);
    CU_ASSERT_TRUE(destroyed(&r));
    close_lease(&r);
}

static void calls_are_cancelled_wherever_they_are(void)
{
    struct rig r;
    rig_start(&r, WORKER);
    uint64_t a = born(&r, 1);
    call(&r, a, OWNER, 11, 1, 0);
    CU_ASSERT_EQUAL(starts(&r), 11);
    call(&r, a, OWNER, 12, 1, 1); /* queued */
    call(&r, a, OWNER, 14, 1, 3); /* not in turn */
    uncall(&r, a, OWNER, 12, 1, 1);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 12), TRYGON_ERR_CANCELLED);
    uncall(&r, a, OWNER, 14, 1, 3);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 14), TRYGON_ERR_CANCELLED);
    uncall(&r, a, OWNER, 11, 1, 0);
    CU_ASSERT_EQUAL(stops(&r), 11);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 11), 1); /* it goes on */
    call(&r, a, OWNER, 13, 1, 2);
    call(&r, a, OWNER, 15, 1, 4);
    returns(&r, 11);
    CU_ASSERT_EQUAL(starts(&r), 13);
    returns(&r, 13);
    CU_ASSERT_EQUAL(starts(&r), 15);
    returns(&r, 15);
    leave(&r, a, TG_LEAVE_SCOPE);
    CU_ASSERT_TRUE(destroyed(&r));
    close_lease(&r);
}

/* ----- the end ---------------------------------------------------------------------------- */

/* A call that runs and one that waits, in each group. */
static uint64_t busy(struct rig *r)
{
    rig_start(r, WORKER);
    uint64_t a = born(r, 1);
    call(r, a, OWNER, 1, 0, 0);
    call(r, a, OWNER, 2, 0, 1);
    call(r, a, OTHER, 11, 1, 0);
    call(r, a, OTHER, 12, 1, 1);
    call(r, a, OWNER, 22, 2, 1); /* not in turn */
    CU_ASSERT_EQUAL(starts(r), 1);
    CU_ASSERT_EQUAL(starts(r), 11);
    CU_ASSERT_EQUAL(starts(r), 0);
    return a;
}

static void an_actor_that_exits_lets_others_end(void)
{
    struct rig r;
    uint64_t a = busy(&r);
    CU_ASSERT_TRUE(tg_worker_exits(exec_of(&r, 1)));
    returns(&r, 1);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 2), TRYGON_ERR_ACTOR_DIED);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 22), TRYGON_ERR_ACTOR_DIED);
    CU_ASSERT_EQUAL(done_code(&r, OWNER, 1), 0);
    CU_ASSERT_EQUAL(done_code(&r, OTHER, 12), TRYGON_ERR_ACTOR_DIED);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, OWNER, TG_MSG_LEFT));
    CU_ASSERT_EQUAL(stops(&r), 0);
    CU_ASSERT_FALSE(destroyed(&r));
    call(&r, a, OTHER, 13, 2, 0);
    CU_ASSERT_EQUAL(done_code(&r, OTHER, 13), TRYGON_ERR_ACTOR_DIED);
    returns(&r, 11);
    CU_ASSERT_EQUAL(done_code(&r, OTHER, 11), 0);
    CU_ASSERT_TRUE(destroyed(&r));
    leave(&r, a, TG_LEAVE_SCOPE); /* nobody asks why any more */
    close_lease(&r);
}

static void a_killed_actor_has_no_destructor(void)
{
    struct rig r;
    uint64_t a = busy(&r);
    leave(&r, a, TG_LEAVE_KILLED);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_TRUE(ctx_said(&r.ctx, OWNER, TG_MSG_DONE));
    for (int i = 0; i < 2; i++)
        CU_ASSERT_TRUE(ctx_said(&r.ctx, OTHER, TG_MSG_DONE));
    CU_ASSERT_EQUAL(stops(&r), 11);
    CU_ASSERT_EQUAL(stops(&r), 1);
    returns(&r, 1);
    returns(&r, 11);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_DONE), 0); /* not twice */
    CU_ASSERT_FALSE(destroyed(&r));
    leave(&r, a, TG_LEAVE_SCOPE);
    close_lease(&r);
}

static void a_lost_caller_s_calls_go_in_all_groups(void)
{
    struct rig r;
    uint64_t a = busy(&r);
    rig_gone(&r, OTHER);
    CU_ASSERT_EQUAL(stops(&r), 0); /* what runs goes on */
    returns(&r, 11);
    CU_ASSERT_EQUAL(starts(&r), 0);
    returns(&r, 1);
    CU_ASSERT_EQUAL(starts(&r), 2);
    call(&r, a, OWNER, 21, 2, 0);
    CU_ASSERT_EQUAL(starts(&r), 21);
    CU_ASSERT_EQUAL(starts(&r), 22);
    returns(&r, 2);
    returns(&r, 21);
    returns(&r, 22);
    leave(&r, a, TG_LEAVE_SCOPE);
    CU_ASSERT_TRUE(destroyed(&r));
    close_lease(&r);
}

static void a_lost_owner_s_actor_ends(void)
{
    struct rig r;
    (void)busy(&r);
    rig_gone(&r, OWNER);
    CU_ASSERT_EQUAL(done_code(&r, OTHER, 12), TRYGON_ERR_ACTOR_DIED);
    while (r.worker.cancelled.n > 0)
        (void)stops(&r);
    returns(&r, 1);
    returns(&r, 11);
    CU_ASSERT_FALSE(destroyed(&r));
    CU_ASSERT_TRUE(tg_worker_quiet(&r.worker));
    rig_stop(&r);
}

static const struct unit_test tests[] = {
    TEST(calls_start_in_the_order_of_their_numbers),
    TEST(a_group_holds_up_no_other),
    TEST(a_number_that_is_missing_holds_up_its_group_only),
    TEST(a_cancel_that_comes_first_skips_its_call),
    TEST(calls_are_cancelled_wherever_they_are),
    TEST(an_actor_that_exits_lets_others_end),
    TEST(a_killed_actor_has_no_destructor),
    TEST(a_lost_caller_s_calls_go_in_all_groups),
    TEST(a_lost_owner_s_actor_ends),
    TESTS_END,
};

CUNIT_MAIN("actors", tests)
