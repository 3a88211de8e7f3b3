/* test_mem.c - growing arrays and copies of strings. */
#include "base/mem.h"

#include <stdlib.h>

#include "../cunit_main.h"

static void an_array_grows_and_keeps_what_is_in_it(void)
{
    TG_VEC(uint64_t) v = {0};
    for (uint64_t i = 0; i < 1000; i++)
        *tg_vec_add(&v) = i * i;
    CU_ASSERT_EQUAL(v.n, 1000);
    CU_ASSERT(v.cap >= v.n && v.cap < 2 * v.n);
    for (uint64_t i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(v.v[i], i * i);
    tg_vec_free(&v);
    CU_ASSERT(v.v == NULL && v.n == 0 && v.cap == 0);
}

static void an_emptied_array_uses_its_memory_again(void)
{
    TG_VEC(int) v = {0};
    for (int i = 0; i < 100; i++)
        *tg_vec_add(&v) = i;
    const int *before = v.v;
    v.n = 0;
    for (int i = 0; i < 100; i++)
        *tg_vec_add(&v) = i;
    CU_ASSERT_PTR_EQUAL(v.v, before);
    tg_vec_free(&v);
}

static void fresh_memory_is_zero(void)
{
    unsigned char *p = tg_alloc(1000);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(p[i], 0);
    free(p);
}

static void a_string_is_copied_and_none_stays_none(void)
{
    const char *text = "ray";
    char *copy = tg_strdup(text);
    CU_ASSERT(copy != text);
    CU_ASSERT_STRING_EQUAL(copy, "ray");
    free(copy);
    CU_ASSERT_PTR_NULL(tg_strdup(NULL));
}

static const struct unit_test tests[] = {
    TEST(an_array_grows_and_keeps_what_is_in_it),
    TEST(an_emptied_array_uses_its_memory_again),
    TEST(fresh_memory_is_zero),
    TEST(a_string_is_copied_and_none_stays_none),
    TESTS_END,
};

CUNIT_MAIN("mem", tests)
