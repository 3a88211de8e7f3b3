/* test_waits.c - blocked calls and wait sets. */
#include <string.h>

#include "../cunit_main.h"
#include "waiting.h"

/* ----- all, some -------------------------------------------------------------------- */

static void all_are_waited_for(void)
{
    struct rig r;
    trygon_ref_t ref[3];
    pending(&r, 3, ref);
    int cookie;
    struct tg_wait_req req = want(TG_WAIT_ALL, 3, ref);
    req.cookie = &cookie;
    struct tg_waiter *x = tg_waits_begin(&r.waits, &req);
    comes(&r, ref[2]);
    comes(&r, ref[0]);
    CU_ASSERT_FALSE(x->done);
    comes(&r, ref[1]);
    struct tg_action a;
    CU_ASSERT_TRUE(ctx_acted(&r.ctx, TG_ACT_WAKE, &a));
    CU_ASSERT(a.handle == x->self && a.cookie == &cookie);
    CU_ASSERT_EQUAL(x->rc, 0);
    end(&r, x);
    CU_ASSERT_TRUE(tg_waits_quiet(&r.waits));
    rig_stop(&r);
}

static void the_first_failure_ends_a_wait_for_all(void)
{
    struct rig r;
    trygon_ref_t ref[3];
    pending(&r, 3, ref);
    struct tg_waiter *x = all_of(&r, 3, ref);
    fails(&r, ref[1]);
    CU_ASSERT_TRUE(woken(&r, x));
    CU_ASSERT_EQUAL(x->rc, 0); /* the error is the object's */
    comes(&r, ref[0]);
    fails(&r, ref[2]);
    CU_ASSERT_FALSE(woken(&r, x)); /* not again */
    end(&r, x);
    rig_stop(&r);
}

static void there_is_no_wait_for_what_is_there(void)
{
    struct rig r;
    trygon_ref_t ref[3];
    pending(&r, 3, ref);
    comes(&r, ref[0]);
    CU_ASSERT_PTR_NULL(all_of(&r, 1, ref));
    CU_ASSERT_PTR_NULL(all_of(&r, 0, NULL));
    CU_ASSERT_PTR_NULL(some_of(&r, 1, 3, ref));
    CU_ASSERT_PTR_NULL(some_of(&r, 0, 3, ref));
    fails(&r, ref[1]);
    CU_ASSERT_PTR_NULL(all_of(&r, 3, ref)); /* one has failed */
    CU_ASSERT_PTR_NULL(some_of(&r, 2, 3, ref));
    CU_ASSERT_EQUAL(r.waits.waiters.used, 0);
    rig_stop(&r);
}

static void some_are_enough_and_failed_ones_count(void)
{
    struct rig r;
    trygon_ref_t ref[4];
    pending(&r, 4, ref);
    comes(&r, ref[3]);
    struct tg_waiter *x = some_of(&r, 3, 4, ref);
    fails(&r, ref[0]);
    CU_ASSERT_FALSE(x->done);
    comes(&r, ref[2]);
    CU_ASSERT_TRUE(woken(&r, x));
    end(&r, x);
    rig_stop(&r);
}

static void one_object_may_be_asked_for_twice(void)
{
    struct rig r;
    trygon_ref_t ref[2];
    pending(&r, 2, ref);
    trygon_ref_t twice[3] = {ref[0], ref[1], ref[0]};
    struct tg_waiter *all = all_of(&r, 3, twice);
    comes(&r, ref[0]);
    CU_ASSERT_FALSE(all->done);
    comes(&r, ref[1]);
    CU_ASSERT_TRUE(woken(&r, all));
    end(&r, all);
    rig_stop(&r);
}

static void a_waiter_holds_what_it_waits_for(void)
{
    struct rig r;
    trygon_ref_t ref[1];
    pending(&r, 1, ref);
    struct tg_waiter *x = all_of(&r, 1, ref);
    comes(&r, ref[0]);
    tg_objs_drop(&r.objs, rig_obj(&r, ref[0]));
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&r, ref[0]));
    end(&r, x);
    CU_ASSERT_PTR_NULL(rig_obj(&r, ref[0]));
    rig_stop(&r);
}

static void an_ended_wait_leaves_no_watch(void)
{
    struct rig r;
    trygon_ref_t ref[3];
    pending(&r, 3, ref);
    struct tg_waiter *x = all_of(&r, 3, ref);
    CU_ASSERT_EQUAL(r.objs.watches.used, 3);
    end(&r, x);
    CU_ASSERT_EQUAL(r.objs.watches.used, 0);
    comes(&r, ref[0]);
    CU_ASSERT_EQUAL(r.ctx.out.n, 0);
    rig_stop(&r);
}

/* ----- time and cancellation ----------------------------------------------------------- */

static void a_wait_times_out(void)
{
    struct rig r;
    trygon_ref_t ref[1];
    pending(&r, 1, ref);
    struct tg_wait_req req = want(TG_WAIT_ALL, 1, ref);
    req.deadline_ns = r.ctx.now_ns + 5 * ms;
    struct tg_waiter *x = tg_waits_begin(&r.waits, &req);
    rig_sleep(&r, 5 * ms - 1);
    CU_ASSERT_FALSE(x->done);
    rig_sleep(&r, 1);
    CU_ASSERT_TRUE(woken(&r, x));
    CU_ASSERT_EQUAL(x->rc, TRYGON_ERR_TIMEOUT);
    comes(&r, ref[0]); /* too late for this one */
    CU_ASSERT_EQUAL(x->rc, TRYGON_ERR_TIMEOUT);
    end(&r, x);
    rig_stop(&r);
}

static void what_comes_in_time_does_not_time_out(void)
{
    struct rig r;
    trygon_ref_t ref[1];
    pending(&r, 1, ref);
    struct tg_wait_req req = want(TG_WAIT_ALL, 1, ref);
    req.deadline_ns = r.ctx.now_ns + 5 * ms;
    struct tg_waiter *x = tg_waits_begin(&r.waits, &req);
    comes(&r, ref[0]);
    CU_ASSERT_TRUE(woken(&r, x));
    rig_sleep(&r, 10 * ms);
    CU_ASSERT_EQUAL(x->rc, 0);
    end(&r, x);
    rig_sleep(&r, 10 * ms);
    rig_stop(&r);
}

static void a_cancelled_execution_s_waits_end(void)
{
    struct rig r;
    trygon_ref_t ref[1];
    pending(&r, 1, ref);
    struct tg_waiter *x[3];
    for (uint64_t i = 0; i < 3; i++) {
        struct tg_wait_req req = want(TG_WAIT_ALL, 1, ref);
        req.exec = i < 2 ? 42 : 43;
        x[i] = tg_waits_begin(&r.waits, &req);
    }
    for (int i = 0; i < 2; i++)
        tg_waits_cancel(&r.waits, x[i]->self);
    tg_waits_cancel(&r.waits, 0); /* of an execution that never waited */
    CU_ASSERT_EQUAL(x[0]->rc, TRYGON_ERR_CANCELLED);
    CU_ASSERT_EQUAL(x[1]->rc, TRYGON_ERR_CANCELLED);
    CU_ASSERT_FALSE(x[2]->done);
    CU_ASSERT_EQUAL(r.waits.unblocked.n, 2); /* those executions go on */
    comes(&r, ref[0]);
    CU_ASSERT_EQUAL(r.waits.unblocked.v[2], 43);
    for (int i = 0; i < 3; i++)
        end(&r, x[i]);
    rig_stop(&r);
}

/* ----- what a get has got ------------------------------------------------------------ */

/* Of two references, each of which has a hold besides. */
static struct tg_waiter *get(struct rig *r, const trygon_ref_t ref[2],
                             struct tg_obj *pins[2])
{
    struct tg_wait_req req = want(TG_WAIT_ALL, 2, ref);
    req.pins = pins;
    req.deadline_ns = r->ctx.now_ns + 5 * ms;
    return tg_waits_begin(&r->waits, &req);
}

static uint32_t holds(const struct rig *r, const trygon_ref_t ref[2])
{
    return rig_obj(r, ref[0])->count + rig_obj(r, ref[1])->count;
}

static void unpin(struct rig *r, struct tg_obj *pins[2])
{
    tg_objs_drop(&r->objs, pins[0]);
    tg_objs_drop(&r->objs, pins[1]);
}

static void a_get_that_ends_well_leaves_its_holds(void)
{
    struct rig r;
    trygon_ref_t ref[2];
    struct tg_obj *pins[2];
    pending(&r, 2, ref);
    struct tg_waiter *x = get(&r, ref, pins);
    comes(&r, ref[0]);
    comes(&r, ref[1]);
    end(&r, x);
    CU_ASSERT(pins[0] == rig_obj(&r, ref[0]) && pins[1] == rig_obj(&r, ref[1]));
    CU_ASSERT_EQUAL(holds(&r, ref), 4);
    CU_ASSERT_PTR_NULL(get(&r, ref, pins)); /* also without waiting */
    CU_ASSERT(pins[0] == rig_obj(&r, ref[0]) && pins[1] == rig_obj(&r, ref[1]));
    CU_ASSERT_EQUAL(holds(&r, ref), 6);
    unpin(&r, pins);
    unpin(&r, pins);
    rig_stop(&r);
}

static void a_get_that_fails_early_holds_what_is_to_come(void)
{
    struct rig r;
    trygon_ref_t ref[2];
    struct tg_obj *pins[2];
    pending(&r, 2, ref);
    struct tg_waiter *x = get(&r, ref, pins);
    fails(&r, ref[1]);
    CU_ASSERT_TRUE(woken(&r, x));
    end(&r, x);
    CU_ASSERT_EQUAL(pins[0]->state, TG_OBJ_PENDING);
    CU_ASSERT_EQUAL(holds(&r, ref), 4);
    unpin(&r, pins);
    rig_stop(&r);
}

static void a_get_that_gives_up_holds_nothing(void)
{
    struct rig r;
    trygon_ref_t ref[2];
    struct tg_obj *pins[2];
    pending(&r, 2, ref);
    struct tg_waiter *x = get(&r, ref, pins);
    comes(&r, ref[0]);
    rig_sleep(&r, 5 * ms);
    CU_ASSERT_EQUAL(x->rc, TRYGON_ERR_TIMEOUT);
    end(&r, x);
    CU_ASSERT_EQUAL(holds(&r, ref), 2);
    x = get(&r, ref, pins); /* the runtime has failed: it is not done */
    end(&r, x);
    CU_ASSERT_EQUAL(holds(&r, ref), 2);
    rig_stop(&r);
}

/* ----- sets ------------------------------------------------------------------------------ */

static uint64_t set_of(struct rig *r, uint32_t n, const trygon_ref_t *refs)
{
    uint64_t set = tg_set_new(&r->waits);
    for (uint32_t i = 0; i < n; i++)
        CU_ASSERT_EQUAL(tg_set_add(&r->waits, set, rig_obj(r, refs[i]), i),
                        TRYGON_SUCCESS);
    return set;
}

/* The tag of the next ready member, or the code. */
static int64_t taken(struct rig *r, uint64_t set)
{
    trygon_ref_t ref;
    uint64_t tag = 0;
    int rc = tg_set_take(&r->waits, set, &ref, &tag);
    rig_settle(r);
    return rc == TRYGON_SUCCESS ? (int64_t)tag : rc;
}

static void a_set_gives_its_members_in_order_of_completion(void)
{
    struct rig r;
    trygon_ref_t ref[4];
    pending(&r, 4, ref);
    comes(&r, ref[3]); /* before it is added */
    uint64_t set = set_of(&r, 4, ref);
    comes(&r, ref[2]);
    fails(&r, ref[0]);
    CU_ASSERT_EQUAL(taken(&r, set), 3);
    CU_ASSERT_EQUAL(taken(&r, set), 2);
    CU_ASSERT_EQUAL(taken(&r, set), 0);
    CU_ASSERT_EQUAL(taken(&r, set), TRYGON_ERR_TIMEOUT); /* not yet */
    comes(&r, ref[1]);
    CU_ASSERT_EQUAL(taken(&r, set), 1);
    CU_ASSERT_EQUAL(taken(&r, set), TRYGON_ERR_NOTFOUND); /* none left */
    tg_set_free(&r.waits, set);
    rig_stop(&r);
}

static void an_object_is_in_a_set_once(void)
{
    struct rig r;
    trygon_ref_t ref[1];
    pending(&r, 1, ref);
    uint64_t set = set_of(&r, 1, ref), other = set_of(&r, 1, ref);
    CU_ASSERT_EQUAL(tg_set_add(&r.waits, set, rig_obj(&r, ref[0]), 9),
                    TRYGON_ERR_EXISTS);
    comes(&r, ref[0]);
    CU_ASSERT_EQUAL(taken(&r, set), 0);
    CU_ASSERT_EQUAL(taken(&r, other), 0);
    CU_ASSERT_EQUAL(tg_set_add(&r.waits, set, rig_obj(&r, ref[0]), 9),
                    TRYGON_SUCCESS); /* taken, and back again */
    CU_ASSERT_EQUAL(taken(&r, set), 9);
    tg_set_free(&r.waits, set);
    tg_set_free(&r.waits, other);
    rig_stop(&r);
}

static void a_removed_member_is_not_given(void)
{
    struct rig r;
    trygon_ref_t ref[3];
    pending(&r, 3, ref);
    uint64_t set = set_of(&r, 3, ref);
    comes(&r, ref[0]);
    CU_ASSERT_EQUAL(tg_set_remove(&r.waits, set, ref[0]), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(tg_set_remove(&r.waits, set, ref[1]), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(tg_set_remove(&r.waits, set, ref[1]), TRYGON_ERR_NOTFOUND);
    comes(&r, ref[1]);
    CU_ASSERT_EQUAL(taken(&r, set), TRYGON_ERR_TIMEOUT);
    comes(&r, ref[2]);
    CU_ASSERT_EQUAL(taken(&r, set), 2);
    tg_set_free(&r.waits, set);
    rig_stop(&r);
}

static void a_wait_for_the_next_of_a_set_ends_with_one(void)
{
    struct rig r;
    trygon_ref_t ref[2];
    pending(&r, 2, ref);
    uint64_t set = set_of(&r, 2, ref);
    struct tg_waiter *x = next_of(&r, set);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    comes(&r, ref[1]);
    CU_ASSERT_TRUE(woken(&r, x));
    end(&r, x);
    CU_ASSERT_PTR_NULL(next_of(&r, set)); /* it is still there to be taken */
    CU_ASSERT_EQUAL(taken(&r, set), 1);
    x = next_of(&r, set);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    comes(&r, ref[0]);
    CU_ASSERT_TRUE(woken(&r, x));
    end(&r, x);
    CU_ASSERT_EQUAL(taken(&r, set), 0);
    CU_ASSERT_PTR_NULL(next_of(&r, set)); /* empty: nothing to wait for */
    tg_set_free(&r.waits, set);
    rig_stop(&r);
}

static void a_wait_for_a_set_that_becomes_empty_ends(void)
{
    struct rig r;
    trygon_ref_t ref[2];
    pending(&r, 2, ref);
    uint64_t set = set_of(&r, 2, ref);
    struct tg_waiter *x = next_of(&r, set);
    tg_set_remove(&r.waits, set, ref[0]);
    CU_ASSERT_FALSE(x->done);
    tg_set_remove(&r.waits, set, ref[1]);
    CU_ASSERT_TRUE(woken(&r, x));
    end(&r, x);
    CU_ASSERT_EQUAL(taken(&r, set), TRYGON_ERR_NOTFOUND);
    tg_set_free(&r.waits, set);
    rig_stop(&r);
}

static void a_set_that_goes_lets_its_members_go(void)
{
    struct rig r;
    trygon_ref_t ref[3];
    pending(&r, 3, ref);
    uint64_t set = set_of(&r, 3, ref);
    comes(&r, ref[1]);
    for (int i = 0; i < 3; i++)
        tg_objs_drop(&r.objs, rig_obj(&r, ref[i]));
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 3);
    tg_set_free(&r.waits, set);
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 0);
    CU_ASSERT_EQUAL(r.objs.watches.used, 0);
    rig_stop(&r);
}

static void taking_costs_the_same_however_many_wait(void)
{
    enum { MANY = 20000 };
    static trygon_ref_t ref[MANY];
    struct rig r;
    pending(&r, MANY, ref);
    uint64_t set = set_of(&r, MANY, ref);
    uint32_t wrong = 0;
    for (uint32_t i = MANY; i-- > 0;) {
        trygon_ref_t got;
        uint64_t tag;
        struct tg_watch w;
        tg_objs_resolve(&r.objs, rig_obj(&r, ref[i]), val_text("v"));
        while (tg_objs_notice(&r.objs, &w)) {
            tg_waits_notice(&r.waits, &w);
            tg_objs_drop(&r.objs, w.obj);
        }
        wrong += tg_set_take(&r.waits, set, &got, &tag) != 0 || tag != i;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    tg_set_free(&r.waits, set);
    rig_stop(&r);
}

/* ----- a look at the machine ---------------------------------------------------------------- */

static void a_table_comes_to_whoever_asked(void)
{
    struct rig r;
    rig_start(&r, 1);
    struct tg_wait_req req = want(TG_WAIT_TABLE, 0, NULL);
    struct tg_waiter *x = tg_waits_begin(&r.waits, &req);
    struct tg_msg m = {.type = TG_MSG_TABLE};
    m.u.table.waiter = x->self;
    m.u.table.n = 2;
    m.u.table.v = tg_alloc(2 * sizeof *m.u.table.v);
    rig_msg(&r, 0, &m);
    CU_ASSERT_TRUE(woken(&r, x));
    CU_ASSERT_EQUAL(x->nrows, 2);
    uint64_t handle = x->self;
    end(&r, x);
    m = (struct tg_msg){.type = TG_MSG_TABLE};
    m.u.table.waiter = handle; /* it has given up */
    rig_msg(&r, 0, &m);
    CU_ASSERT_EQUAL(r.ctx.out.n, 0);
    rig_stop(&r);
}

static const struct unit_test tests[] = {
    TEST(all_are_waited_for),
    TEST(the_first_failure_ends_a_wait_for_all),
    TEST(there_is_no_wait_for_what_is_there),
    TEST(some_are_enough_and_failed_ones_count),
    TEST(one_object_may_be_asked_for_twice),
    TEST(a_waiter_holds_what_it_waits_for),
    TEST(an_ended_wait_leaves_no_watch),
    TEST(a_wait_times_out),
    TEST(what_comes_in_time_does_not_time_out),
    TEST(a_cancelled_execution_s_waits_end),
    TEST(a_get_that_ends_well_leaves_its_holds),
    TEST(a_get_that_fails_early_holds_what_is_to_come),
    TEST(a_get_that_gives_up_holds_nothing),
    TEST(a_set_gives_its_members_in_order_of_completion),
    TEST(an_object_is_in_a_set_once),
    TEST(a_removed_member_is_not_given),
    TEST(a_wait_for_the_next_of_a_set_ends_with_one),
    TEST(a_wait_for_a_set_that_becomes_empty_ends),
    TEST(a_set_that_goes_lets_its_members_go),
    TEST(taking_costs_the_same_however_many_wait),
    TEST(a_table_comes_to_whoever_asked),
    TESTS_END,
};

CUNIT_MAIN("waits", tests)
