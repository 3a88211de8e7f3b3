/* test_errors.c - the last error, as the user sees it: errors travel with the
 * rank where it happened, and the host's name is put to it.  Needs no MPI. */
#include <string.h>

#include "../cunit_main.h"
#include "rank/rank.h"

enum { RANKS = 3 };

static char hosts[RANKS][TG_HOST_MAX] = {"here", "there", "elsewhere"};
static const struct trygon rank_0 = {.nranks = RANKS, .layout.host = hosts};

static struct tg_val *lost(int32_t rank)
{
    return tg_val_error(TRYGON_ERR_WORKER_LOST, rank, 7, "f",
                        "rank %d was lost", (int)rank);
}

static void the_host_is_that_of_the_rank_where_it_happened(void)
{
    struct tg_val *v = lost(2);
    CU_ASSERT_STRING_EQUAL(tg_val_err(v, 0)->host, "");
    CU_ASSERT_EQUAL(tg_fail_with(&rank_0, v), TRYGON_ERR_WORKER_LOST);
    tg_val_drop(&v);
    const struct trygon_error *e = tg_last_error(0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT_EQUAL(e->code, TRYGON_ERR_WORKER_LOST);
    CU_ASSERT_EQUAL(e->rank, 2);
    CU_ASSERT_EQUAL(e->task, 7);
    CU_ASSERT_STRING_EQUAL(e->function, "f");
    CU_ASSERT_STRING_EQUAL(e->host, "elsewhere");
    CU_ASSERT_STRING_EQUAL(e->text, "rank 2 was lost");
    CU_ASSERT_PTR_NULL(tg_last_error(1));
    tg_last_error_clear();
    CU_ASSERT_PTR_NULL(tg_last_error(0));
}

static void each_cause_has_the_host_of_its_own_rank(void)
{
    struct tg_val *cause = lost(1);
    struct tg_val *v = tg_val_caused(
        tg_val_error(TRYGON_ERR_DEPENDENCY, 0, 8, "g", "an argument"), cause);
    CU_ASSERT_EQUAL(tg_fail_with(&rank_0, v), TRYGON_ERR_DEPENDENCY);
    tg_val_drop(&v);
    tg_val_drop(&cause);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tg_last_error(1));
    CU_ASSERT_STRING_EQUAL(tg_last_error(0)->host, "here");
    CU_ASSERT_EQUAL(tg_last_error(1)->code, TRYGON_ERR_WORKER_LOST);
    CU_ASSERT_STRING_EQUAL(tg_last_error(1)->host, "there");
    CU_ASSERT_PTR_NULL(tg_last_error(2));
}

static void what_happened_nowhere_has_no_host(void)
{
    static const int32_t nowhere[] = {-1, RANKS};
    for (int i = 0; i < 2; i++) {
        struct tg_val *v = lost(nowhere[i]);
        (void)tg_fail_with(&rank_0, v);
        tg_val_drop(&v);
        CU_ASSERT_STRING_EQUAL(tg_last_error(0)->host, "");
    }
}

/* trygon_ref_error(): of an object, not of a call. */
static void an_error_that_is_given_out_has_its_host(void)
{
    struct tg_val *v = lost(1);
    trygon_error_t out = {.size = sizeof out};
    tg_error_out(&rank_0, tg_val_err(v, 0), &out);
    CU_ASSERT_STRING_EQUAL(out.host, "there");
    CU_ASSERT_EQUAL(out.size, sizeof out);
    memset(&out, 'x', sizeof out); /* of an older program */
    out.size = offsetof(trygon_error_t, host);
    tg_error_out(&rank_0, tg_val_err(v, 0), &out);
    tg_val_drop(&v);
    CU_ASSERT_EQUAL(out.size, offsetof(trygon_error_t, host));
    CU_ASSERT_EQUAL(out.code, TRYGON_ERR_WORKER_LOST);
    CU_ASSERT_EQUAL(out.host[0], 'x');
}

static const struct unit_test tests[] = {
    TEST(the_host_is_that_of_the_rank_where_it_happened),
    TEST(each_cause_has_the_host_of_its_own_rank),
    TEST(what_happened_nowhere_has_no_host),
    TEST(an_error_that_is_given_out_has_its_host),
    TESTS_END,
};

CUNIT_MAIN("errors", tests)
