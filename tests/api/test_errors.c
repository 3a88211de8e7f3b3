/* test_errors.c - tasks that fail: what their references tell, what depends on
 * them, what is retried, what the log says. */
#include "harness.h"

enum { GATE, RAN };

/* ----- tasks ------------------------------------------------------------------- */

/* Returns the code in argument 0. */
static int end_with(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN], 1);
    return (int)arg_int(c, 0);
}

static int explain(trygon_call_t *c)
{
    return trygon_call_fail(c, 7, "no row %d in %s", 12, "the table");
}

/* Says why for one code, ends with another. */
static int explain_another(trygon_call_t *c)
{
    trygon_call_fail(c, 7, "misleading");
    return 8;
}

static int fail_late(trygon_call_t *c)
{
    UNTIL(atomic_load(&shared[GATE]) != 0);
    OK(return_int(c, 1)); /* which counts for nothing */
    return trygon_call_fail(c, 3, "late");
}

static int gated(trygon_call_t *c)
{
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, 5);
}

static int same(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN], 1);
    return return_int(c, arg_int(c, 0));
}

/* Ends with a child's error as if it were its own. */
static int pass_on(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref = call(tg, "explain", 0, NULL);
    trygon_value_t v;
    int rc = trygon_get(tg, ref, TRYGON_FOREVER, &v);
    CHECK_RC(rc, TRYGON_ERR_TASK);
    drop(tg, ref);
    return rc;
}

/* Fails with the codes in argument 1, one an attempt; then gives its attempt. */
static int fail_at_first(trygon_call_t *c)
{
    trygon_value_t codes;
    trygon_call_info_t info = {.size = sizeof info};
    OK(trygon_call_arg(c, 0, &codes));
    OK(trygon_call_info(c, &info));
    CHECK(atomic_fetch_add(&shared[RAN], 1) == info.attempt);
    size_t n = codes.size / sizeof(int32_t);
    if ((size_t)info.attempt < n)
        return ((const int32_t *)codes.data)[info.attempt];
    return return_int(c, info.attempt);
}

/* ----- what the error says ------------------------------------------------------- */

static trygon_error_t error_of(trygon_t *tg, trygon_ref_t ref, int code)
{
    trygon_error_t e = {.size = sizeof e};
    trygon_value_t v;
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v), code);
    OK(trygon_ref_error(tg, ref, &e));
    CHECK(e.code == code);
    return e;
}

static void a_failing_task_says_why(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "explain", 0, NULL);
    trygon_error_t e = error_of(tg, ref, TRYGON_ERR_TASK), last = e;
    CHECK(e.user_code == 7);
    CHECK(strcmp(e.text, "no row 12 in the table") == 0);
    CHECK(strcmp(e.function, "explain") == 0);
    CHECK(e.rank >= 0 && e.rank < h_size && (h_size == 1 || e.rank > 0));
    CHECK(e.host[0] != '\0' && e.task != 0 && e.ncauses == 0);
    OK(trygon_last_error(&last));
    CHECK(last.code == TRYGON_ERR_TASK && last.user_code == 7);
    CHECK_RC(trygon_ref_cause(tg, ref, 0, &e), TRYGON_ERR_NOTFOUND);
    drop(tg, ref);
}

static void a_code_alone_is_enough(trygon_t *tg)
{
    trygon_ref_t ref = call1(tg, "end_with", 41);
    trygon_error_t e = error_of(tg, ref, TRYGON_ERR_TASK);
    CHECK(e.user_code == 41 && strstr(e.text, "41") != NULL);
    drop(tg, ref);
    ref = call(tg, "explain_another", 0, NULL);
    e = error_of(tg, ref, TRYGON_ERR_TASK);
    CHECK(e.user_code == 8 && strstr(e.text, "misleading") == NULL);
    drop(tg, ref);
}

static void negative_codes_pass_through(trygon_t *tg)
{
    CHECK_RC(take_code(tg, call1(tg, "end_with", TRYGON_ERR_IO)),
             TRYGON_ERR_IO);
    CHECK_RC(take_code(tg, call1(tg, "end_with", TRYGON_ERR_TIMEOUT)),
             TRYGON_ERR_TIMEOUT);
    CHECK_RC(take_code(tg, call1(tg, "end_with", -4711)),
             TRYGON_ERR_INVALID); /* none of ours */
}

static void a_childs_error_is_passed_on_with_its_story(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "pass_on", 0, NULL);
    trygon_error_t e = error_of(tg, ref, TRYGON_ERR_TASK);
    CHECK(strcmp(e.function, "pass_on") == 0 && e.ncauses == 1);
    OK(trygon_ref_cause(tg, ref, 0, &e));
    CHECK(strcmp(e.function, "explain") == 0 && e.user_code == 7);
    drop(tg, ref);
}

static void a_given_name_appears_in_the_error(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.name = "row finder";
    trygon_ref_t ref = call_with(tg, "explain", &o, 0, NULL);
    trygon_error_t e = error_of(tg, ref, TRYGON_ERR_TASK);
    CHECK(strcmp(e.function, "row finder") == 0);
    drop(tg, ref);
}

static void every_return_of_a_failed_task_fails(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_returns = 4;
    int64_t code = 5;
    trygon_ref_t ref[4];
    OK(trygon_submit(tg, "end_with", 1, &INT(code), &o, ref));
    for (int i = 0; i < 4; i++)
        CHECK_RC(take_code(tg, ref[i]), TRYGON_ERR_TASK);
}

static void a_rank_survives_many_failures(trygon_t *tg)
{
    trygon_ref_t ref[200];
    for (int64_t i = 0; i < 200; i++)
        ref[i] = call1(tg, "end_with", 1 + i);
    for (int i = 0; i < 200; i++) {
        CHECK(error_of(tg, ref[i], TRYGON_ERR_TASK).user_code == 1 + i);
        drop(tg, ref[i]);
    }
    CHECK(take_int(tg, call1(tg, "same", 3)) == 3);
}

/* ----- dependencies ----------------------------------------------------------------- */

static void what_depends_on_a_failure_never_runs(trygon_t *tg)
{
    trygon_ref_t a = call(tg, "fail_late", 0, NULL);
    trygon_ref_t b = call(tg, "same", 1, &TRYGON_REF(a));
    trygon_ref_t c = call(tg, "same", 1, &TRYGON_REF(b));
    atomic_store(&shared[GATE], 1);
    trygon_error_t e = error_of(tg, c, TRYGON_ERR_DEPENDENCY);
    CHECK(e.ncauses == 2 && strcmp(e.function, "same") == 0);
    OK(trygon_ref_cause(tg, c, 0, &e));
    CHECK(e.code == TRYGON_ERR_DEPENDENCY);
    OK(trygon_ref_cause(tg, c, 1, &e));
    CHECK(e.code == TRYGON_ERR_TASK && e.user_code == 3);
    CHECK(strcmp(e.text, "late") == 0 && e.host[0] != '\0');
    CHECK_RC(trygon_ref_cause(tg, c, 2, &e), TRYGON_ERR_NOTFOUND);
    CHECK(atomic_load(&shared[RAN]) == 0);
    CHECK_RC(take_code(tg, b), TRYGON_ERR_DEPENDENCY);
    trygon_ref_t late = call(tg, "same", 1, &TRYGON_REF(a));
    CHECK_RC(take_code(tg, late), TRYGON_ERR_DEPENDENCY);
    drop(tg, a);
    drop(tg, c);
    CHECK(atomic_load(&shared[RAN]) == 0);
}

static void one_failed_argument_does_not_wait_for_others(trygon_t *tg)
{
    trygon_ref_t slow = call(tg, "gated", 0, NULL);
    trygon_ref_t bad = call1(tg, "end_with", 9);
    trygon_value_t args[] = {TRYGON_REF(slow), TRYGON_REF(bad)};
    CHECK_RC(take_code(tg, call(tg, "same", 2, args)), TRYGON_ERR_DEPENDENCY);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, slow) == 5);
    drop(tg, bad);
}

static void a_long_chain_of_failures_keeps_its_end(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "explain", 0, NULL);
    for (int i = 0; i < 50; i++) {
        trygon_ref_t next = call(tg, "same", 1, &TRYGON_REF(ref));
        drop(tg, ref);
        ref = next;
    }
    trygon_error_t e = error_of(tg, ref, TRYGON_ERR_DEPENDENCY);
    CHECK(e.ncauses > 0);
    trygon_error_t last = e;
    OK(trygon_ref_cause(tg, ref, e.ncauses - 1, &last));
    CHECK_RC(trygon_ref_cause(tg, ref, e.ncauses, &last), TRYGON_ERR_NOTFOUND);
    drop(tg, ref);
}

/* ----- retries ------------------------------------------------------------------------ */

struct retry {
    int32_t max_retries;
    int32_t codes[3]; /* retried */
    size_t ncodes;
    int32_t fails[4]; /* what it ends with at each attempt */
    size_t nfails;
    int32_t runs, user_code; /* expected; 0: it succeeds */
};

static void check_retry(trygon_t *tg, const struct retry *r)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.max_retries = r->max_retries;
    o.retry_codes = r->codes;
    o.nretry_codes = r->ncodes;
    atomic_store(&shared[RAN], 0);
    trygon_value_t codes =
        TRYGON_BYTES(r->fails, r->nfails * sizeof r->fails[0]);
    trygon_ref_t ref = call_with(tg, "fail_at_first", &o, 1, &codes);
    if (r->user_code == 0)
        CHECK(get_int(tg, ref) == r->runs - 1);
    else
        CHECK(error_of(tg, ref, TRYGON_ERR_TASK).user_code == r->user_code);
    CHECK(atomic_load(&shared[RAN]) == r->runs);
    drop(tg, ref);
}

static void only_listed_codes_are_retried(trygon_t *tg)
{
    static const struct retry table[] = {
        {3, {0}, 0, {4}, 1, 1, 4},                  /* the default: none */
        {3, {4}, 1, {4}, 1, 2, 0},                  /* once more is enough */
        {3, {4}, 1, {5}, 1, 1, 5},                  /* another code */
        {3, {5, 4, 6}, 3, {4, 5, 6}, 3, 4, 0},      /* one of several */
        {3, {4}, 1, {4, 5}, 2, 2, 5},               /* then another code */
        {2, {4}, 1, {4, 4, 4}, 3, 3, 4},            /* the budget ends */
        {0, {4}, 1, {4}, 1, 1, 4},                  /* no budget */
        {-1, {4}, 1, {4, 4, 4, 4}, 4, 5, 0},        /* no limit */
        {3, {0}, TRYGON_ANY_CODE, {4, 5}, 2, 3, 0}, /* any code */
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        check_retry(tg, &table[i]);
}

static void trygons_own_codes_are_not_retried_as_user_codes(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.nretry_codes = TRYGON_ANY_CODE;
    int64_t code = TRYGON_ERR_IO;
    trygon_ref_t ref = call_with(tg, "end_with", &o, 1, &INT(code));
    CHECK_RC(take_code(tg, ref), TRYGON_ERR_IO);
    CHECK(atomic_load(&shared[RAN]) == 1);
}

static void an_unlimited_retry_goes_on_and_on(trygon_t *tg)
{
    enum { N = 100 };
    int32_t fails[N], code = 6;
    for (int i = 0; i < N; i++)
        fails[i] = code;
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.max_retries = -1;
    o.retry_codes = &code;
    o.nretry_codes = 1;
    trygon_value_t v = TRYGON_BYTES(fails, sizeof fails);
    CHECK(take_int(tg, call_with(tg, "fail_at_first", &o, 1, &v)) == N);
}

/* ----- the log -------------------------------------------------------------------------- */

static void an_error_that_nobody_reads_is_logged(trygon_t *tg)
{
    trygon_ref_t read = call(tg, "explain", 0, NULL);
    CHECK_RC(take_code(tg, read), TRYGON_ERR_TASK);
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.name = "the unread";
    trygon_ref_t unread = call_with(tg, "explain", &o, 0, NULL);
    trygon_wait_opts_t w;
    OK(trygon_wait_opts_init(&w));
    bool ready;
    OK(trygon_wait(tg, 1, &unread, &w, &ready, NULL));
    CHECK(h_logged("nobody read") == 0);
    drop(tg, unread);
    UNTIL(h_logged("nobody read") == 1);
    CHECK(h_logged("the unread: no row 12") == 1);
}

/* A task that lost its only reference before it failed. */
static void a_failure_after_the_release_is_logged_too(trygon_t *tg)
{
    drop(tg, call(tg, "fail_late", 0, NULL));
    atomic_store(&shared[GATE], 1);
    UNTIL(h_logged("late") == 1);
}

static const struct h_fn fns[] = {
    FN(end_with), FN(explain), FN(explain_another), FN(fail_late), FN(gated),
    FN(same),     FN(pass_on), FN(fail_at_first),   {NULL, NULL},
};

static const struct h_test tests[] = {
    TEST(a_failing_task_says_why, 0),
    TEST(a_code_alone_is_enough, 0),
    TEST(negative_codes_pass_through, 0),
    TEST(a_childs_error_is_passed_on_with_its_story, 0),
    TEST(a_given_name_appears_in_the_error, 0),
    TEST(every_return_of_a_failed_task_fails, 0),
    TEST(a_rank_survives_many_failures, 0),
    TEST(what_depends_on_a_failure_never_runs, 0),
    TEST(one_failed_argument_does_not_wait_for_others, 0),
    TEST(a_long_chain_of_failures_keeps_its_end, 0),
    TEST(only_listed_codes_are_retried, 0),
    TEST(trygons_own_codes_are_not_retried_as_user_codes, 0),
    TEST(an_unlimited_retry_goes_on_and_on, 0),
    TEST(an_error_that_nobody_reads_is_logged, 0),
    TEST(a_failure_after_the_release_is_logged_too, 0),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
