/* test_timers.c - soonest first, and always in one order. */
#include "core/timers.h"

#include <stdlib.h>

#include "../cunit_main.h"
#include "base/rng.h"
#include "core/types.h"

static void nothing_is_due_when_none_is_set(void)
{
    struct tg_timers t = {0};
    struct tg_timer out;
    CU_ASSERT_EQUAL(tg_timers_next(&t), TG_NEVER);
    CU_ASSERT_FALSE(tg_timers_pop(&t, TG_NEVER, &out));
    tg_timers_fini(&t);
}

static void a_timer_is_due_at_its_time_and_not_before(void)
{
    struct tg_timers t = {0};
    struct tg_timer out;
    tg_timers_add(&t, 100, TG_TIMER_LINGER, 7);
    CU_ASSERT_EQUAL(tg_timers_next(&t), 100);
    CU_ASSERT_FALSE(tg_timers_pop(&t, 99, &out));
    CU_ASSERT_TRUE(tg_timers_pop(&t, 100, &out));
    CU_ASSERT_EQUAL(out.when_ns, 100);
    CU_ASSERT_EQUAL(out.kind, TG_TIMER_LINGER);
    CU_ASSERT_EQUAL(out.handle, 7);
    CU_ASSERT_FALSE(tg_timers_pop(&t, 1000, &out));
    tg_timers_fini(&t);
}

static void the_soonest_comes_first(void)
{
    struct tg_timers t = {0};
    struct tg_timer out;
    for (uint64_t i = 0; i < 10; i++)
        tg_timers_add(&t, 10 * (i * 7 % 10), TG_TIMER_COPY, i);
    for (uint64_t i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(tg_timers_next(&t), 10 * i);
        CU_ASSERT_TRUE(tg_timers_pop(&t, TG_NEVER - 1, &out));
        CU_ASSERT_EQUAL(out.when_ns, 10 * i);
    }
    tg_timers_fini(&t);
}

/* One log of events must give one log of actions. */
static void equal_times_go_by_kind_and_handle(void)
{
    struct tg_timers t = {0};
    struct tg_timer out;
    tg_timers_add(&t, 5, TG_TIMER_PROBE, 1);
    tg_timers_add(&t, 5, TG_TIMER_WAITER, 9);
    tg_timers_add(&t, 5, TG_TIMER_WAITER, 3);
    tg_timers_add(&t, 5, TG_TIMER_LEND, 2);
    static const uint64_t order[] = {3, 9, 2, 1};
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_TRUE(tg_timers_pop(&t, 5, &out));
        CU_ASSERT_EQUAL(out.handle, order[i]);
    }
    tg_timers_fini(&t);
}

static void many_random_timers_come_sorted(void)
{
    struct tg_timers t = {0};
    struct tg_timer out;
    struct tg_rng rng = {3};
    uint64_t last = 0, popped = 0, wrong = 0;
    for (int i = 0; i < 20000; i++) { /* none is set for the past */
        tg_timers_add(&t, last + tg_rng_below(&rng, 1000), TG_TIMER_COPY,
                      tg_rng_next(&rng));
        if (tg_rng_below(&rng, 3) == 0 && tg_timers_pop(&t, TG_NEVER, &out)) {
            wrong += out.when_ns < last;
            last = out.when_ns;
            popped++;
        }
    }
    while (tg_timers_pop(&t, TG_NEVER, &out)) {
        wrong += out.when_ns < last;
        last = out.when_ns;
        popped++;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(popped, 20000);
    tg_timers_fini(&t);
}

static const struct unit_test tests[] = {
    TEST(nothing_is_due_when_none_is_set),
    TEST(a_timer_is_due_at_its_time_and_not_before),
    TEST(the_soonest_comes_first),
    TEST(equal_times_go_by_kind_and_handle),
    TEST(many_random_timers_come_sorted),
    TESTS_END,
};

CUNIT_MAIN("timers", tests)
