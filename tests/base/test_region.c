/* test_region.c - memory that is given back all at once. */
#include "base/region.h"

#include <stdbool.h>
#include <string.h>

#include "../cunit_main.h"

static bool is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* Small and large ones, in turns. */
static size_t size_of(int i)
{
    static const size_t sizes[] = {1, 64, 65, 5000, 3 << 20, 200, 70000};
    return sizes[(size_t)i % (sizeof sizes / sizeof sizes[0])];
}

static void pieces_are_zero_and_apart_and_lines_begin_with_them(void)
{
    struct tg_region r = {0};
    unsigned char *p[100];
    for (int i = 0; i < 100; i++) {
        p[i] = tg_region_get(&r, size_of(i));
        CU_ASSERT_EQUAL((uintptr_t)p[i] % TG_CACHE_LINE, 0);
        CU_ASSERT_TRUE(is_zero(p[i], size_of(i)));
        memset(p[i], i + 1, size_of(i));
    }
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(p[i][0], i + 1);
        CU_ASSERT_EQUAL(p[i][size_of(i) - 1], i + 1);
    }
    tg_region_fini(&r);
    CU_ASSERT_EQUAL(r.size, 0);
}

static void what_is_put_back_is_got_again_by_who_wants_as_much(void)
{
    struct tg_region r = {0};
    void *small = tg_region_get(&r, 128), *large = tg_region_get(&r, 8192);
    memset(small, 1, 128);
    memset(large, 1, 8192);
    tg_region_put(&r, small, 128);
    tg_region_put(&r, large, 8192);
    CU_ASSERT_PTR_NOT_EQUAL(tg_region_get(&r, 192), small);
    CU_ASSERT_PTR_EQUAL(tg_region_get(&r, 8192), large);
    CU_ASSERT_TRUE(is_zero(large, 8192));
    CU_ASSERT_PTR_NOT_EQUAL(tg_region_get(&r, 8192), large);
    CU_ASSERT_PTR_EQUAL(tg_region_get(&r, 100), small);
    tg_region_fini(&r);
}

static void who_wants_little_costs_little(void)
{
    struct tg_region r = {0};
    tg_region_get(&r, 100);
    CU_ASSERT(r.size <= 4096);
    for (int i = 0; i < 1000; i++)
        tg_region_get(&r, 1000);
    CU_ASSERT(r.size < 3 << 20); /* no more than is in use is free */
    tg_region_fini(&r);
}

static const struct unit_test tests[] = {
    TEST(pieces_are_zero_and_apart_and_lines_begin_with_them),
    TEST(what_is_put_back_is_got_again_by_who_wants_as_much),
    TEST(who_wants_little_costs_little),
    TESTS_END,
};

CUNIT_MAIN("region", tests)
