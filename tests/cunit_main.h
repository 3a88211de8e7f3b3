/* cunit_main.h - the main of a test program: one suite, its tests in a table.
 *
 *     static const struct unit_test tests[] = {
 *         TEST(it_does_this),
 *         TESTS_END,
 *     };
 *     CUNIT_MAIN("subject", tests)
 *
 * CU_basic_run_tests() returns 0 whatever the tests found, so the exit status
 * comes from the number of failures.
 */
#ifndef TG_TESTS_CUNIT_MAIN_H
#define TG_TESTS_CUNIT_MAIN_H

#include <CUnit/Basic.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

#define TEST(function_)       \
    {                         \
#function_, function_ \
    }
#define TESTS_END  \
    {              \
        NULL, NULL \
    }

static inline int cunit_run(const char *name, const struct unit_test *tests)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite suite = CU_add_suite(name, NULL, NULL);
    for (; suite != NULL && tests->name != NULL; tests++)
        if (CU_add_test(suite, tests->name, tests->run) == NULL)
            suite = NULL;
    int bad = suite == NULL || CU_basic_run_tests() != CUE_SUCCESS ||
              CU_get_number_of_tests_run() == 0 ||
              CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}

#define CUNIT_MAIN(name_, tests_)          \
    int main(void)                         \
    {                                      \
        return cunit_run(name_, (tests_)); \
    }

#endif
