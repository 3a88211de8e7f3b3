/* test_bad_args.c - every public function with everything that may be wrong in
 * its arguments: the documented code, no effect, and the runtime works on.
 */
#include <math.h>
#include <stdint.h>

#include "harness.h"

enum { GATE, RAN };

static int same(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN], 1);
    return return_int(c, arg_int(c, 0));
}

static int gated(trygon_call_t *c)
{
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, 1);
}

/* After each test: nothing was hurt. */
static void still_works(trygon_t *tg)
{
    CHECK(take_int(tg, call1(tg, "same", 3)) == 3);
}

/* References that no rank has given: none, another kind, a rank, a slot or a
 * generation that does not exist, all bits. */
static size_t bad_refs(trygon_t *tg, trygon_ref_t out[10])
{
    trygon_ref_t good = put_int(tg, 1);
    size_t n = 0;
    out[n++] = (trygon_ref_t){0, 0};
    out[n++] = (trygon_ref_t){good.hi | UINT64_C(0xf) << 60, good.lo};
    out[n++] = (trygon_ref_t){good.hi | UINT64_C(0xffffff) << 24, good.lo};
    out[n++] = (trygon_ref_t){
        good.hi | (uint64_t)(uint32_t)(h_size & 0xffffff) << 24, good.lo};
    out[n++] = (trygon_ref_t){good.hi, good.lo + 1000};
    out[n++] = (trygon_ref_t){good.hi, good.lo + (UINT64_C(2) << 32)};
    out[n++] = (trygon_ref_t){good.hi + 1, good.lo};
    out[n++] = (trygon_ref_t){UINT64_MAX, UINT64_MAX};
    out[n++] = (trygon_ref_t){0x123456789, 0x987654321};
    drop(tg, good);
    out[n++] = good; /* stale */
    return n;
}

/* ----- section 1 and 2 ------------------------------------------------------------- */

static void errors_and_versions(trygon_t *tg)
{
    int a = 0, b = 0, c = 0;
    (void)tg;
    OK(trygon_version(&a, &b, &c));
    CHECK(a == TRYGON_VERSION_MAJOR && b == TRYGON_VERSION_MINOR &&
          c == TRYGON_VERSION_PATCH);
    INVALID(trygon_version(NULL, &b, &c));
    INVALID(trygon_version(&a, NULL, &c));
    INVALID(trygon_version(&a, &b, NULL));
#define TEXT(name_, value_, text_) \
    CHECK(strcmp(trygon_strerror(value_), text_) == 0);
    TRYGON_ERRORS(TEXT)
    CHECK(trygon_strerror(0) != NULL && trygon_strerror(0)[0] != '\0');
    CHECK(strcmp(trygon_strerror(1), "unknown code") == 0);
    CHECK(strcmp(trygon_strerror(-28), "unknown code") == 0);
    CHECK(strcmp(trygon_strerror(INT32_MIN), "unknown code") == 0);
}

static void last_error_tells_of_the_last_failure(trygon_t *tg)
{
    trygon_error_t e = {0};
    INVALID(trygon_last_error(NULL));
    INVALID(trygon_last_error(&e)); /* size 0 */
    e.size = sizeof e;
    INVALID(trygon_put(tg, NULL, NULL));
    OK(trygon_last_error(&e));
    CHECK(e.code == TRYGON_ERR_INVALID && e.rank == 0 && e.size == sizeof e);
    CHECK(strstr(e.text, "trygon_put") != NULL);
    CHECK_RC(trygon_submit(tg, "nobody", 0, NULL, NULL, NULL),
             TRYGON_ERR_NOTFOUND);
    OK(trygon_last_error(&e));
    CHECK(e.code == TRYGON_ERR_NOTFOUND && strstr(e.text, "nobody") != NULL);
    struct { /* an older program, whose structure is shorter */
        size_t size;
        int32_t code, user_code;
        char guard[8];
    } old = {.size = 16, .guard = "guarded"};
    OK(trygon_last_error((trygon_error_t *)(void *)&old));
    CHECK(old.code == TRYGON_ERR_NOTFOUND);
    CHECK(strcmp(old.guard, "guarded") == 0 && old.size == 16);
}

static void *ask_for_error(void *arg)
{
    trygon_error_t e = {.size = sizeof e};
    *(int *)arg = trygon_last_error(&e);
    return NULL;
}

static void a_new_thread_has_no_error(trygon_t *tg)
{
    pthread_t id;
    int rc = 1;
    INVALID(trygon_put(tg, NULL, NULL));
    pthread_create(&id, NULL, ask_for_error, &rc);
    pthread_join(id, NULL);
    CHECK_RC(rc, TRYGON_ERR_NOTFOUND);
}

static void garbage_is_no_kind_of_reference(trygon_t *tg)
{
    trygon_ref_t good = put_int(tg, 1);
    CHECK(trygon_ref_kind(good) == TRYGON_KIND_OBJECT);
    CHECK(trygon_ref_kind((trygon_ref_t){0, 0}) == TRYGON_KIND_NONE);
    CHECK(trygon_ref_kind((trygon_ref_t){UINT64_MAX, UINT64_MAX}) ==
          TRYGON_KIND_NONE);
    CHECK(trygon_ref_kind((trygon_ref_t){UINT64_C(1) << 60, 0}) ==
          TRYGON_KIND_NONE);
    drop(tg, good);
}

/* ----- section 4 ------------------------------------------------------------------- */

static void no_runtime_is_an_error_everywhere(trygon_t *tg)
{
    trygon_ref_t ref = {0, 0};
    trygon_value_t v = {0};
    trygon_node_t node;
    trygon_error_t e = {.size = sizeof e};
    trygon_waitset_t *ws = NULL;
    trygon_t *none = NULL;
    bool ready;
    size_t n;
    int i, j;
    double x, y;
    char text[10];
    INVALID(trygon_run(NULL, h_driver, NULL, NULL));
    INVALID(trygon_finalize(NULL));
    INVALID(trygon_finalize(&none));
    INVALID(trygon_rank(NULL, &i, &j));
    INVALID(trygon_put(NULL, &v, &ref));
    INVALID(trygon_get(NULL, ref, 0, &v));
    INVALID(trygon_get_n(NULL, 0, NULL, 0, NULL));
    INVALID(trygon_get_into(NULL, ref, 0, NULL, 0, NULL));
    INVALID(trygon_value_release(NULL, &v));
    INVALID(trygon_wait(NULL, 0, NULL, NULL, &ready, &n));
    INVALID(trygon_ref_retain(NULL, 0, NULL));
    INVALID(trygon_ref_release(NULL, 0, NULL));
    INVALID(trygon_ref_error(NULL, ref, &e));
    INVALID(trygon_ref_cause(NULL, ref, 0, &e));
    INVALID(trygon_submit(NULL, "same", 0, NULL, NULL, &ref));
    INVALID(trygon_cancel(NULL, ref, false, false));
    INVALID(trygon_waitset_create(NULL, &ws));
    INVALID(trygon_waitset_add(NULL, ref, 0));
    INVALID(trygon_waitset_next(NULL, 0, &ref, NULL));
    INVALID(trygon_waitset_remove(NULL, ref));
    INVALID(trygon_waitset_destroy(NULL));
    INVALID(trygon_on_ready(NULL, ref, NULL, NULL));
    INVALID(trygon_nodes(NULL, 1, &node, &n));
    INVALID(trygon_resources(NULL, "cpu", &x, &y));
    INVALID(trygon_why(NULL, text, sizeof text, &n));
    still_works(tg);
}

static void no_output_is_an_error(trygon_t *tg)
{
    trygon_ref_t ref = put_int(tg, 1), *no_refs = NULL;
    trygon_error_t e = {0};
    int i;
    double x;
    INVALID(trygon_rank(tg, NULL, &i));
    INVALID(trygon_rank(tg, &i, NULL));
    INVALID(trygon_put(tg, &TRYGON_BYTES("x", 1), NULL));
    INVALID(trygon_get(tg, ref, 0, NULL));
    INVALID(trygon_get_n(tg, 1, &ref, 0, NULL));
    INVALID(trygon_get_n(tg, 1, NULL, 0, &(trygon_value_t){0}));
    INVALID(trygon_get_into(tg, ref, 0, NULL, 1, NULL));
    OK(trygon_value_release(tg, NULL));
    INVALID(trygon_wait(tg, 1, &ref, NULL, NULL, NULL));
    INVALID(trygon_wait(tg, 1, NULL, NULL, &(bool){0}, NULL));
    INVALID(trygon_ref_retain(tg, 1, NULL));
    INVALID(trygon_ref_release(tg, 1, no_refs));
    INVALID(trygon_ref_error(tg, ref, NULL));
    INVALID(trygon_ref_error(tg, ref, &e)); /* its size is 0 */
    INVALID(trygon_ref_cause(tg, ref, 0, NULL));
    INVALID(trygon_waitset_create(tg, NULL));
    INVALID(trygon_on_ready(tg, ref, NULL, NULL));
    INVALID(trygon_nodes(tg, 1, NULL, &(size_t){0}));
    INVALID(trygon_nodes(tg, 0, NULL, NULL));
    INVALID(trygon_resources(tg, NULL, &x, &x));
    INVALID(trygon_resources(tg, "cpu", NULL, &x));
    INVALID(trygon_resources(tg, "cpu", &x, NULL));
    INVALID(trygon_why(tg, NULL, 1, NULL));
    drop(tg, ref);
    still_works(tg);
}

static void bad_values_are_refused(trygon_t *tg)
{
    int64_t dims[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, minus[1] = {-1};
    trygon_ref_t ref = put_int(tg, 1), out = {7, 7};
    const trygon_value_t bad[] = {
        {.size = 1},
        TRYGON_REF(ref),
        {.data = "x", .size = 1, .type = -1},
        {.data = "x", .size = 1, .type = TRYGON_COMPLEX128 + 1},
        {.data = "x", .size = 1, .type = 101},
        {.data = "x", .size = 1, .ndim = -1, .dims = dims},
        {.data = "x", .size = 1, .ndim = 9, .dims = dims},
        {.data = "x", .size = 1, .ndim = 1},
        {.data = "x", .size = 1, .ndim = 1, .dims = minus},
        {.nrefs = 1},
        {.nrefs = SIZE_MAX, .refs = &ref},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        INVALID(trygon_put(tg, &bad[i], &out));
        if (bad[i].type != TRYGON_BY_REF)
            INVALID(trygon_submit(tg, "same", 1, &bad[i], NULL, &out));
    }
    INVALID(trygon_put(tg, NULL, &out));
    CHECK(out.hi == 7 && out.lo == 7);
#if !TG_ASAN /* which ends the program where malloc() would return NULL */
    trygon_value_t huge = TRYGON_BYTES("x", SIZE_MAX / 2);
    CHECK_RC(trygon_put(tg, &huge, &out), TRYGON_ERR_NOMEM);
    CHECK_RC(trygon_submit(tg, "same", 1, &huge, NULL, &out), TRYGON_ERR_NOMEM);
#endif
    CHECK(out.hi == 7 && out.lo == 7);
    drop(tg, ref);
    still_works(tg);
}

static void never_called(trygon_t *tg, trygon_ref_t ref, void *arg)
{
    (void)tg;
    (void)ref;
    (void)arg;
    CHECK(false);
}

static void unknown_references_are_not_found(trygon_t *tg)
{
    trygon_ref_t bad[10], copy, out;
    size_t n = bad_refs(tg, bad);
    trygon_value_t v = {0};
    trygon_error_t e = {.size = sizeof e};
    trygon_waitset_t *ws;
    bool ready;
    OK(trygon_waitset_create(tg, &ws));
    for (size_t i = 0; i < n; i++) {
        trygon_ref_t r = bad[i];
        trygon_value_t in = {.refs = &r, .nrefs = 1};
        CHECK_RC(trygon_get(tg, r, 0, &v), TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_get_into(tg, r, TRYGON_FOREVER, NULL, 0, NULL),
                 TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_wait(tg, 1, &r, NULL, &ready, NULL),
                 TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_put(tg, &in, &out), TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_submit(tg, "same", 1, &in, NULL, &out),
                 TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_submit(tg, "same", 1, &TRYGON_REF(r), NULL, &out),
                 TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_ref_retain(tg, 1, &r), TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_ref_error(tg, r, &e), TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_ref_cause(tg, r, 0, &e), TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_cancel(tg, r, false, false), TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_waitset_add(ws, r, 0), TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_waitset_remove(ws, r), TRYGON_ERR_NOTFOUND);
        CHECK_RC(trygon_on_ready(tg, r, never_called, NULL),
                 TRYGON_ERR_NOTFOUND);
        copy = r;
        if (r.hi == 0 && r.lo == 0)
            OK(trygon_ref_release(tg, 1, &copy));
        else
            INVALID(trygon_ref_release(tg, 1, &copy));
    }
    OK(trygon_waitset_destroy(&ws));
    CHECK(atomic_load(&shared[RAN]) == 0);
    still_works(tg);
}

static void options_without_a_size_are_refused(trygon_t *tg)
{
    trygon_wait_opts_t w = {0};
    trygon_task_opts_t o = {0};
    trygon_opts_t opts = {0};
    trygon_t *none = NULL;
    trygon_ref_t ref = put_int(tg, 1), out = {0, 0};
    bool ready;
    INVALID(trygon_wait(tg, 1, &ref, &w, &ready, NULL));
    INVALID(trygon_submit(tg, "same", 1, &TRYGON_REF(ref), &o, &out));
    INVALID(trygon_init(MPI_COMM_SELF, &opts, &none));
    CHECK(none == NULL);
    INVALID(trygon_wait_opts_init_sized(NULL, 64));
    INVALID(trygon_task_opts_init_sized(NULL, 64));
    INVALID(trygon_opts_init_sized(NULL, 64));
    INVALID(trygon_wait_opts_init_sized(&w, 0));
    INVALID(trygon_task_opts_init_sized(&o, 0));
    INVALID(trygon_opts_init_sized(&opts, 0));
    drop(tg, ref);
    still_works(tg);
}

/* ----- section 5 ------------------------------------------------------------------- */

static void bad_task_options_are_refused(trygon_t *tg)
{
    char name[80];
    memset(name, 'n', 79);
    name[79] = '\0';
    static const trygon_resource_t res[] = {
        {NULL, 1},
        {"", 1},
        {"cpu", 1},
        {"gpu", 1},
        {"memory", 1},
        {"x", -1},
        {"x", 0.00001},
        {"x", (double)NAN},
        {"x", (double)INFINITY},
    };
    enum { NRES = sizeof res / sizeof res[0], NBAD = 20 + NRES };
    trygon_task_opts_t o[NBAD];
    size_t n = 0;
    for (int i = 0; i < NBAD; i++)
        OK(trygon_task_opts_init(&o[i]));
    o[n++].num_cpus = -1;
    o[n++].num_cpus = -0.5;
    o[n++].num_cpus = 0.00001;
    o[n++].num_cpus = (double)NAN;
    o[n++].num_cpus = (double)INFINITY;
    o[n++].num_cpus = 1e300;
    o[n++].num_gpus = -1;
    o[n++].num_gpus = 1.5;
    o[n++].num_gpus = (double)NAN;
    o[n++].memory = UINT64_MAX;
    o[n++].num_returns = -1;
    o[n++].num_returns = 65536;
    o[n++].max_retries = -2;
    o[n++].nretry_codes = 3; /* of none */
    o[n++].strategy = -1;
    o[n++].strategy = 3;
    o[n++].name = name;
    o[n++].nresources = 2; /* of none */
    for (size_t i = 0; i < NRES; i++) {
        o[n].resources = &res[i];
        o[n++].nresources = 1;
    }
    trygon_ref_t out = {5, 6};
    int64_t x = 1;
    for (size_t i = 0; i < n; i++) {
        h_log_clear();
        if (!INVALID(trygon_submit(tg, "same", 1, &INT(x), &o[i], &out)))
            fprintf(stderr, "that was number %zu\n", i);
        CHECK(h_logged("option") == 1); /* the log names it */
    }
    CHECK(out.hi == 5 && out.lo == 6 && atomic_load(&shared[RAN]) == 0);
    still_works(tg);
}

static void bad_submits_are_refused(trygon_t *tg)
{
    trygon_ref_t out = {5, 6}, ref = put_int(tg, 1), two[] = {ref, ref};
    trygon_value_t none = {.type = TRYGON_BY_REF};
    trygon_value_t many = {.type = TRYGON_BY_REF, .refs = two, .nrefs = 2};
    INVALID(trygon_submit(tg, NULL, 0, NULL, NULL, &out));
    INVALID(trygon_submit(tg, "same", 1, NULL, NULL, &out));
    INVALID(trygon_submit(tg, "same", 0, NULL, NULL, NULL));
    INVALID(trygon_submit(tg, "same", SIZE_MAX, &none, NULL, &out));
    INVALID(trygon_submit(tg, "same", 1, &none, NULL, &out));
    INVALID(trygon_submit(tg, "same", 1, &many, NULL, &out));
    CHECK_RC(trygon_submit(tg, "", 0, NULL, NULL, &out), TRYGON_ERR_NOTFOUND);
    CHECK_RC(trygon_submit(tg, "Same", 0, NULL, NULL, &out),
             TRYGON_ERR_NOTFOUND);
    CHECK(out.hi == 5 && out.lo == 6);
    INVALID(trygon_ref_cause(tg, ref, -1, &(trygon_error_t){.size = 99}));
    drop(tg, ref);
    still_works(tg);
}

/* ----- section 6 ------------------------------------------------------------------- */

static int misuse_the_call(trygon_call_t *c)
{
    trygon_value_t v = {0};
    trygon_call_info_t info = {0};
    trygon_t *tg = trygon_call_runtime(c), *other = NULL;
    CHECK(trygon_call_runtime(NULL) == NULL && trygon_call_nargs(NULL) == 0);
    CHECK(!trygon_call_cancelled(NULL));
    CHECK(trygon_call_fail(NULL, 7, "x") == 7);
    INVALID(trygon_call_arg(NULL, 0, &v));
    INVALID(trygon_call_arg(c, 0, NULL));
    INVALID(trygon_call_arg(c, 1, &v));
    INVALID(trygon_call_arg(c, SIZE_MAX, &v));
    INVALID(trygon_call_return(NULL, 0, &v));
    INVALID(trygon_call_return(c, 0, NULL));
    INVALID(trygon_call_return(c, 1, &v));
    v.size = 1;
    INVALID(trygon_call_return(c, 0, &v));
    trygon_ref_t none = {3, 4};
    trygon_value_t w = {.refs = &none, .nrefs = 1};
    CHECK_RC(trygon_call_return(c, 0, &w), TRYGON_ERR_NOTFOUND);
    INVALID(trygon_call_info(NULL, &info));
    INVALID(trygon_call_info(c, NULL));
    INVALID(trygon_call_info(c, &info)); /* its size is 0 */
    CHECK_RC(trygon_run(tg, h_driver, NULL, NULL), TRYGON_ERR_STATE);
    CHECK_RC(trygon_finalize(&tg), TRYGON_ERR_STATE);
    CHECK(tg == trygon_call_runtime(c));
    CHECK(trygon_init(MPI_COMM_SELF, NULL, &other) != TRYGON_SUCCESS);
    CHECK(other == NULL);
    return return_int(c, arg_int(c, 0));
}

static void calls_are_checked_inside_a_task(trygon_t *tg)
{
    CHECK(take_int(tg, call1(tg, "misuse_the_call", 9)) == 9);
    still_works(tg);
}

static void the_driver_cannot_run_or_finalize(trygon_t *tg)
{
    trygon_t *copy = tg;
    int status = 7;
    trygon_ref_t ref = call(tg, "gated", 0, NULL);
    CHECK_RC(trygon_run(tg, h_driver, NULL, &status), TRYGON_ERR_STATE);
    CHECK_RC(trygon_finalize(&copy), TRYGON_ERR_STATE);
    CHECK(copy == tg && status == 7);
    INVALID(trygon_run(tg, NULL, NULL, &status));
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, ref) == 1);
}

static void why_writes_no_more_than_there_is_room_for(trygon_t *tg)
{
    char text[400];
    size_t want = 0, n = 0;
    OK(trygon_why(tg, text, sizeof text, &n));
    CHECK(n == 1 && text[0] == '\0'); /* nothing waits */
    trygon_ref_t gate = call(tg, "gated", 0, NULL), ref[4];
    for (int i = 0; i < 4; i++)
        ref[i] = call(tg, "same", 1, &TRYGON_REF(gate));
    OK(trygon_why(tg, NULL, 0, &want));
    CHECK(want > 1);
    for (size_t room = 1; room < want; room++) {
        memset(text, '#', sizeof text);
        OK(trygon_why(tg, text, room, &n));
        CHECK(n == want && strlen(text) < room && text[room] == '#');
    }
    OK(trygon_why(tg, text, sizeof text, NULL));
    CHECK(strlen(text) == want - 1 && strstr(text, "arguments") != NULL);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 4; i++)
        CHECK(take_int(tg, ref[i]) == 1);
    drop(tg, gate);
}

static const struct h_fn fns[] = {
    FN(same),
    FN(gated),
    FN(misuse_the_call),
    {NULL, NULL},
};

static const struct h_test tests[] = {
    TEST(errors_and_versions, 0),
    TEST(last_error_tells_of_the_last_failure, 0),
    TEST(a_new_thread_has_no_error, 0),
    TEST(garbage_is_no_kind_of_reference, 0),
    TEST(no_runtime_is_an_error_everywhere, 0),
    TEST(no_output_is_an_error, 0),
    TEST(bad_values_are_refused, 0),
    TEST(unknown_references_are_not_found, 0),
    TEST(options_without_a_size_are_refused, 0),
    TEST(bad_task_options_are_refused, 0),
    TEST(bad_submits_are_refused, 0),
    TEST(calls_are_checked_inside_a_task, 0),
    TEST(the_driver_cannot_run_or_finalize, 0),
    TEST(why_writes_no_more_than_there_is_room_for, 0),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
