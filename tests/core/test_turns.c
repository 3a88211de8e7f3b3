/* test_turns.c - of calls that lack values one keeps those it has. */
#include "../cunit_main.h"
#include "core/store.h"
#include "fixture.h"

static void the_oldest_that_waits_is_first(void)
{
    static const int32_t nodes[4] = {0, 1, 2, 3};
    struct tg_ctx ctx;
    struct tg_store s;
    uint64_t turn[4];
    ctx_start(&ctx, 1, 4);
    tg_store_init(&s, &ctx, nodes, 1000);
    for (int i = 0; i < 4; i++)
        turn[i] = tg_store_turn(&s);
    CU_ASSERT_FALSE(tg_store_quiet(&s));
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(tg_store_first(&s, turn[i]), i == 0);
    tg_store_turn_end(&s, turn[2]); /* in any order */
    tg_store_turn_end(&s, turn[0]);
    tg_store_turn_end(&s, 0); /* it never had one */
    CU_ASSERT_TRUE(tg_store_first(&s, turn[1]));
    CU_ASSERT_FALSE(tg_store_first(&s, turn[3]));
    tg_store_turn_end(&s, turn[1]);
    CU_ASSERT_TRUE(tg_store_first(&s, turn[3]));
    tg_store_turn_end(&s, turn[3]);
    CU_ASSERT_TRUE(tg_store_quiet(&s));
    tg_store_fini(&s);
    ctx_stop(&ctx);
}

static const struct unit_test tests[] = {
    TEST(the_oldest_that_waits_is_first),
    TESTS_END,
};

CUNIT_MAIN("turns", tests)
