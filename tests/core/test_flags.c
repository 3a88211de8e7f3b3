/* test_flags.c - sleeps, and flags, which the interface calls events. */
#include "../cunit_main.h"
#include "waiting.h"

static struct tg_waiter *sleeps(struct rig *r, uint64_t exec, uint64_t ns)
{
    struct tg_wait_req req = want(TG_WAIT_SLEEP, 0, NULL);
    req.exec = exec;
    req.deadline_ns = r->ctx.now_ns + ns;
    return tg_waits_begin(&r->waits, &req);
}

static struct tg_waiter *awaits(struct rig *r, uint64_t flag, uint64_t exec)
{
    struct tg_wait_req req = want(TG_WAIT_FLAG, 0, NULL);
    req.exec = exec;
    req.set = flag;
    return tg_waits_begin(&r->waits, &req);
}

static void a_sleep_ends_with_its_time(void)
{
    struct rig r;
    rig_start(&r, 0);
    struct tg_waiter *x = sleeps(&r, 7, 5 * ms);
    rig_sleep(&r, 5 * ms - 1);
    CU_ASSERT_FALSE(woken(&r, x));
    rig_sleep(&r, 1);
    CU_ASSERT_TRUE(woken(&r, x));
    CU_ASSERT_EQUAL(x->rc, TRYGON_ERR_TIMEOUT);
    end(&r, x);
    x = sleeps(&r, 7, 5 * ms);
    tg_waits_cancel(&r.waits, x->self);
    CU_ASSERT_TRUE(woken(&r, x));
    CU_ASSERT_EQUAL(x->rc, TRYGON_ERR_CANCELLED);
    CU_ASSERT_EQUAL(r.waits.unblocked.n, 0); /* it was never blocked */
    end(&r, x);
    rig_sleep(&r, 10 * ms);
    CU_ASSERT_TRUE(tg_waits_quiet(&r.waits));
    rig_stop(&r);
}

static void all_who_wait_for_a_flag_go_on_in_order(void)
{
    enum { N = 4 };
    struct rig r;
    struct tg_waiter *x[N];
    struct tg_action a;
    rig_start(&r, 0);
    uint64_t flag = tg_flag_new(&r.waits);
    for (uint64_t i = 0; i < N; i++)
        x[i] = awaits(&r, flag, i + 1);
    tg_waits_cancel(&r.waits, x[1]->self);
    CU_ASSERT_TRUE(woken(&r, x[1]));
    CU_ASSERT_EQUAL(tg_flag_free(&r.waits, flag), TRYGON_ERR_STATE);
    tg_flag_set(&r.waits, flag, true);
    rig_settle(&r);
    for (int i = 0; i < N; i++) {
        CU_ASSERT_TRUE(x[i]->done);
        if (i != 1)
            CU_ASSERT_TRUE(ctx_acted(&r.ctx, TG_ACT_WAKE, &a) &&
                           a.handle == x[i]->self);
    }
    CU_ASSERT_EQUAL(r.waits.unblocked.n, N);
    CU_ASSERT_PTR_NULL(awaits(&r, flag, 9)); /* it is set */
    tg_flag_set(&r.waits, flag, false);
    struct tg_waiter *late = awaits(&r, flag, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(late);
    end(&r, late); /* gives up */
    CU_ASSERT_EQUAL(tg_flag_free(&r.waits, flag), 0);
    for (int i = 0; i < N; i++)
        end(&r, x[i]); /* the flag is no more */
    CU_ASSERT_TRUE(tg_waits_quiet(&r.waits));
    rig_stop(&r);
}

static void flags_and_sets_are_not_mixed_up(void)
{
    struct rig r;
    rig_start(&r, 0);
    uint64_t flag = tg_flag_new(&r.waits), set = tg_set_new(&r.waits);
    CU_ASSERT_EQUAL(flag, set); /* the same number */
    trygon_ref_t ref = tg_objs_new(&r.objs, 1, 1)->ref;
    CU_ASSERT_EQUAL(tg_set_add(&r.waits, set, rig_obj(&r, ref), 1), 0);
    struct tg_waiter *x = awaits(&r, flag, 0), *y = next_of(&r, set);
    tg_flag_set(&r.waits, flag, true);
    CU_ASSERT_TRUE(woken(&r, x));
    end(&r, x);
    CU_ASSERT_FALSE(y->done);
    CU_ASSERT_TRUE(tg_set_awaited(&r.waits, set));
    comes(&r, ref);
    CU_ASSERT_TRUE(woken(&r, y));
    end(&r, y);
    tg_set_free(&r.waits, set);
    CU_ASSERT_EQUAL(tg_flag_free(&r.waits, flag), 0);
    rig_stop(&r);
}

static const struct unit_test tests[] = {
    TEST(a_sleep_ends_with_its_time),
    TEST(all_who_wait_for_a_flag_go_on_in_order),
    TEST(flags_and_sets_are_not_mixed_up),
    TESTS_END,
};

CUNIT_MAIN("flags", tests)
