/* test_tasks.c - tasks seen from the outside: arguments and returns. */
#include "harness.h"

enum { GATE, RAN, COUNT, LONG_AT };

/* ----- tasks ------------------------------------------------------------------- */

static int add(trygon_call_t *c)
{
    int64_t sum = 0;
    for (size_t i = 0; i < trygon_call_nargs(c); i++)
        sum += arg_int(c, i);
    atomic_fetch_add(&shared[RAN], 1);
    return trygon_call_return(c, 0, &INT(sum));
}

static int count_only(trygon_call_t *c)
{
    CHECK(trygon_call_nargs(c) == 0);
    INVALID(trygon_call_return(c, 0, &TRYGON_BYTES("x", 1)));
    atomic_fetch_add(&shared[RAN], 1);
    return 0;
}

static int gated(trygon_call_t *c)
{
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, arg_int(c, 0));
}

/* Long if its argument is 1. */
static int mostly_short(trygon_call_t *c)
{
    if (arg_int(c, 0) == 1) {
        atomic_store(&shared[LONG_AT], 1 + h_rank);
        UNTIL(atomic_load(&shared[GATE]) != 0);
    }
    return return_int(c, 0);
}

static int open_beside(trygon_call_t *c)
{
    if (atomic_load(&shared[LONG_AT]) == 1 + h_rank)
        atomic_store(&shared[GATE], 1);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, 0);
}

/* Sets the returns 0 to x - 1 to 10, 11, ... */
static int return_some(trygon_call_t *c)
{
    int64_t n = arg_int(c, 0);
    for (int64_t i = 0; i < n; i++) {
        int64_t x = 10 + i;
        OK(trygon_call_return(c, (size_t)i, &INT(x)));
    }
    return 0;
}

static int return_twice(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref = put_int(tg, 1);
    trygon_value_t with_ref = TRYGON_BYTES("first", 5);
    with_ref.refs = &ref;
    with_ref.nrefs = 1;
    OK(trygon_call_return(c, 0, &with_ref));
    OK(trygon_call_return(c, 0, &with_ref));
    drop(tg, ref);
    return trygon_call_return(c, 0, &TRYGON_BYTES("second", 6));
}

/* The argument as it came. */
static int echo(trygon_call_t *c)
{
    trygon_value_t v;
    OK(trygon_call_arg(c, 0, &v));
    return trygon_call_return(c, 0, &v);
}

/* The values behind the references within argument 0, added up. */
static int add_refs(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v;
    OK(trygon_call_arg(c, 0, &v));
    atomic_fetch_add(&shared[RAN], 1);
    int64_t sum = 0;
    trygon_value_t *got = calloc(v.nrefs, sizeof *got);
    OK(trygon_get_n(tg, v.nrefs, v.refs, TRYGON_FOREVER, got));
    for (size_t i = 0; i < v.nrefs; i++) {
        sum += *(const int64_t *)got[i].data;
        OK(trygon_value_release(tg, &got[i]));
    }
    free(got);
    return return_int(c, sum);
}

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 10));
}

static void fill(unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = byte_at(i);
}

static bool is_filled(const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        if (p[i] != byte_at(i))
            return false;
    return true;
}

/* How many bytes its arguments have, all being what they must be. */
static int total_size(trygon_call_t *c)
{
    int64_t n = 0;
    for (size_t i = 0; i < trygon_call_nargs(c); i++) {
        trygon_value_t v;
        OK(trygon_call_arg(c, i, &v));
        CHECK(is_filled(v.data, v.size));
        n += (int64_t)v.size;
    }
    return return_int(c, n);
}

/* Each of its n returns (argument 1) has the size in argument 0. */
static int make_bytes(trygon_call_t *c)
{
    size_t size = (size_t)arg_int(c, 0);
    int64_t n = arg_int(c, 1);
    unsigned char *p = malloc(size + 1);
    fill(p, size);
    for (int64_t i = 0; i < n; i++)
        OK(trygon_call_return(c, (size_t)i, &TRYGON_BYTES(p, size)));
    free(p);
    return 0;
}

/* ----- values and returns --------------------------------------------------------- */

static void a_task_gives_its_value(trygon_t *tg)
{
    int64_t x = 3, y = 4;
    trygon_ref_t ref = call(tg, "add", 2, (trygon_value_t[]){INT(x), INT(y)});
    CHECK(trygon_ref_kind(ref) == TRYGON_KIND_OBJECT);
    CHECK(get_int(tg, ref) == 7);
    CHECK(get_int(tg, ref) == 7);
    drop(tg, ref);
    CHECK(take_int(tg, call(tg, "add", 0, NULL)) == 0);
}

static void submit_does_not_wait(trygon_t *tg)
{
    trygon_ref_t ref[50];
    for (int i = 0; i < 50; i++)
        ref[i] = call1(tg, "gated", i);
    int64_t x;
    CHECK_RC(trygon_get_into(tg, ref[0], 0, &x, sizeof x, NULL),
             TRYGON_ERR_TIMEOUT);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 50; i++)
        CHECK(take_int(tg, ref[i]) == i);
}

static void arguments_are_copied(trygon_t *tg)
{
    trygon_ref_t ref[20];
    for (int64_t x = 0; x < 20; x++)
        ref[x] = call(tg, "gated", 1, &INT(x));
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 20; i++)
        CHECK(take_int(tg, ref[i]) == i);
}

static void a_task_without_returns_runs(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_returns = 0;
    for (int i = 0; i < 5; i++)
        OK(trygon_submit(tg, "count_only", 0, NULL, &o, NULL));
    UNTIL(atomic_load(&shared[RAN]) == 5);
}

static void returns_come_in_order(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_returns = 3;
    int64_t n = 3;
    trygon_ref_t ref[3];
    OK(trygon_submit(tg, "return_some", 1, &INT(n), &o, ref));
    for (int i = 2; i >= 0; i--)
        CHECK(take_int(tg, ref[i]) == 10 + i);
}

static void three_thousand_returns(trygon_t *tg)
{
    enum { N = 3000 };
    static trygon_ref_t ref[N];
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_returns = N;
    int64_t n = N;
    OK(trygon_submit(tg, "return_some", 1, &INT(n), &o, ref));
    for (int i = 0; i < N; i++)
        CHECK(get_int(tg, ref[i]) == 10 + i);
    OK(trygon_ref_release(tg, N, ref));
}

static void returns_that_nobody_wants_are_no_trouble(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_returns = 3;
    int64_t n = 3;
    trygon_ref_t ref[3];
    for (int i = 0; i < 20; i++) {
        OK(trygon_submit(tg, "return_some", 1, &INT(n), &o, ref));
        OK(trygon_ref_release(tg, i % 2 == 0 ? 3 : 2, ref));
        if (i % 2 != 0)
            CHECK(take_int(tg, ref[2]) == 12);
    }
}

static void missing_returns_fail_every_reference(trygon_t *tg)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_returns = 3;
    for (int64_t n = 0; n < 3; n++) {
        trygon_ref_t ref[3];
        OK(trygon_submit(tg, "return_some", 1, &INT(n), &o, ref));
        for (int i = 0; i < 3; i++) {
            trygon_error_t e = {.size = sizeof e};
            trygon_value_t v;
            CHECK_RC(trygon_get(tg, ref[i], TRYGON_FOREVER, &v),
                     TRYGON_ERR_RETURNS);
            OK(trygon_ref_error(tg, ref[i], &e));
            CHECK(strcmp(e.function, "return_some") == 0);
            CHECK(strstr(e.text, "of its 3 returns") != NULL);
            drop(tg, ref[i]);
        }
    }
}

static void the_last_value_set_counts(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "return_twice", 0, NULL);
    trygon_value_t v;
    OK(trygon_get(tg, ref, TRYGON_FOREVER, &v));
    CHECK(v.size == 6 && memcmp(v.data, "second", 6) == 0 && v.nrefs == 0);
    OK(trygon_value_release(tg, &v));
    drop(tg, ref);
}

/* ----- references as arguments ------------------------------------------------------- */

static void a_reference_is_awaited_and_replaced(trygon_t *tg)
{
    trygon_ref_t ref = call1(tg, "gated", 1);
    int64_t one = 1;
    for (int i = 0; i < 10; i++) {
        trygon_ref_t next =
            call(tg, "add", 2, (trygon_value_t[]){TRYGON_REF(ref), INT(one)});
        drop(tg, ref); /* the task keeps what it needs */
        ref = next;
    }
    int64_t x;
    CHECK_RC(trygon_get_into(tg, ref, 20, &x, sizeof x, NULL),
             TRYGON_ERR_TIMEOUT);
    CHECK(atomic_load(&shared[RAN]) == 0);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, ref) == 11);
    CHECK(atomic_load(&shared[RAN]) == 10);
}

static void puts_and_results_mix_as_arguments(trygon_t *tg)
{
    trygon_ref_t a = put_int(tg, 100), b = call1(tg, "add", 20);
    int64_t x = 3;
    trygon_value_t args[] = {TRYGON_REF(a), TRYGON_REF(b), INT(x)};
    CHECK(take_int(tg, call(tg, "add", 3, args)) == 123);
    drop(tg, a);
    drop(tg, b);
}

static void one_reference_may_come_twice(trygon_t *tg)
{
    trygon_ref_t ref = call1(tg, "add", 21);
    trygon_value_t args[] = {TRYGON_REF(ref), TRYGON_REF(ref)};
    CHECK(take_int(tg, call(tg, "add", 2, args)) == 42);
    trygon_ref_t refs[] = {ref, ref, ref};
    trygon_value_t v = {.refs = refs, .nrefs = 3};
    CHECK(take_int(tg, call(tg, "add_refs", 1, &v)) == 63);
    drop(tg, ref);
}

static void references_within_a_value_are_passed_along(trygon_t *tg)
{
    trygon_ref_t refs[2] = {call1(tg, "gated", 5), put_int(tg, 6)};
    trygon_value_t v = {.refs = refs, .nrefs = 2};
    trygon_ref_t sum = call(tg, "add_refs", 1, &v);
    UNTIL(atomic_load(&shared[RAN]) == 1); /* it starts without them */
    OK(trygon_ref_release(tg, 2, refs));   /* and keeps them alive */
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, sum) == 11);
}

static void a_value_arrives_as_it_left(trygon_t *tg)
{
    double data[6] = {1, 2, 3, 4, 5, 6};
    int64_t dims[2] = {2, 3};
    trygon_ref_t inner = put_int(tg, 9);
    trygon_value_t v = {data, sizeof data, TRYGON_FLOAT64, 2, dims, &inner,
                        1,    NULL};
    trygon_ref_t ref = call(tg, "echo", 1, &v);
    drop(tg, inner);
    OK(trygon_get(tg, ref, TRYGON_FOREVER, &v));
    CHECK(v.type == TRYGON_FLOAT64 && v.ndim == 2 && v.dims[0] == 2 &&
          v.dims[1] == 3 && v.nrefs == 1 && v.size == sizeof data);
    CHECK(memcmp(v.data, data, sizeof data) == 0);
    CHECK(v.nrefs == 1 && get_int(tg, v.refs[0]) == 9);
    OK(trygon_value_release(tg, &v));
    drop(tg, ref);
}

static void an_empty_value_is_a_value(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "echo", 1, &TRYGON_BYTES(NULL, 0));
    trygon_value_t v;
    size_t size = 9;
    OK(trygon_get(tg, ref, TRYGON_FOREVER, &v));
    CHECK(v.size == 0 && v.nrefs == 0 && v.ndim == 0);
    OK(trygon_value_release(tg, &v));
    OK(trygon_get_into(tg, ref, TRYGON_FOREVER, NULL, 0, &size));
    CHECK(size == 0);
    drop(tg, ref);
}

/* ----- sizes ------------------------------------------------------------------------------ */

static const int64_t sizes[] = {1,      4000,   4096,    102399,
                                102400, 102401, 1 << 20, 20 << 20};
enum { NSIZES = sizeof sizes / sizeof sizes[0] };

static void arguments_of_every_size(trygon_t *tg)
{
    unsigned char *p = malloc((size_t)sizes[NSIZES - 1]);
    fill(p, (size_t)sizes[NSIZES - 1]);
    for (int i = 0; i < NSIZES; i++) {
        trygon_value_t v = TRYGON_BYTES(p, (size_t)sizes[i]);
        CHECK(take_int(tg, call(tg, "total_size", 1, &v)) == sizes[i]);
    }
    free(p);
}

static void returns_of_every_size(trygon_t *tg)
{
    for (int i = 0; i < NSIZES; i++) {
        int64_t size = sizes[i], one = 1;
        trygon_ref_t ref =
            call(tg, "make_bytes", 2, (trygon_value_t[]){INT(size), INT(one)});
        /* On to a third rank, and to here. */
        CHECK(take_int(tg, call(tg, "total_size", 1, &TRYGON_REF(ref))) ==
              size);
        trygon_value_t v;
        OK(trygon_get(tg, ref, TRYGON_FOREVER, &v));
        CHECK((int64_t)v.size == size && is_filled(v.data, v.size));
        OK(trygon_value_release(tg, &v));
        drop(tg, ref);
    }
}

static void arguments_beyond_the_inline_total(trygon_t *tg)
{
    enum { N = 150, SIZE = 100 * 1024 };
    unsigned char *p = malloc(SIZE);
    fill(p, SIZE);
    trygon_value_t args[N];
    for (int i = 0; i < N; i++)
        args[i] = TRYGON_BYTES(p, SIZE);
    CHECK(take_int(tg, call(tg, "total_size", N, args)) == (int64_t)N * SIZE);
    free(p);
}

static void returns_beyond_the_inline_total(trygon_t *tg)
{
    enum { N = 150 };
    trygon_ref_t ref[N];
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_returns = N;
    int64_t size = 100 * 1024, n = N;
    OK(trygon_submit(tg, "make_bytes", 2, (trygon_value_t[]){INT(size), INT(n)},
                     &o, ref));
    trygon_value_t v[N];
    OK(trygon_get_n(tg, N, ref, TRYGON_FOREVER, v));
    for (int i = 0; i < N; i++) {
        CHECK((int64_t)v[i].size == size && is_filled(v[i].data, v[i].size));
        OK(trygon_value_release(tg, &v[i]));
    }
    OK(trygon_ref_release(tg, N, ref));
}

static void ten_thousand_arguments(trygon_t *tg)
{
    enum { N = 10000 };
    static trygon_ref_t ref[N];
    static trygon_value_t args[N];
    for (int i = 0; i < N; i++) {
        ref[i] = put_int(tg, i);
        args[i] = TRYGON_REF(ref[i]);
    }
    CHECK(take_int(tg, call(tg, "add", N, args)) == (int64_t)N * (N - 1) / 2);
    trygon_value_t v = {.refs = ref, .nrefs = N};
    CHECK(take_int(tg, call(tg, "add_refs", 1, &v)) ==
          (int64_t)N * (N - 1) / 2);
    OK(trygon_ref_release(tg, N, ref));
}

/* After a pause the rank's other threads rest, and know the function as one
 * that is over at once.  All slots but the one beside it are behind the gate,
 * which opens for the task that comes there. */
static void a_short_function_that_is_long_for_once_holds_nobody_up(trygon_t *tg)
{
    enum { MOST = 16 };
    trygon_ref_t others[MOST];
    double slots = 0, avail;
    for (int i = 0; i < 100; i++)
        CHECK(take_int(tg, call1(tg, "mostly_short", 0)) == 0);
    OK(trygon_resources(tg, "cpu", &slots, &avail));
    usleep(100000);
    trygon_ref_t once = call1(tg, "mostly_short", 1);
    UNTIL(atomic_load(&shared[LONG_AT]) > 0);
    int n = (int)slots - 1 < MOST ? (int)slots - 1 : MOST;
    for (int i = 0; i < n; i++)
        others[i] = call(tg, "open_beside", 0, NULL);
    for (int i = 0; i < n; i++)
        CHECK(take_int(tg, others[i]) == 0);
    CHECK(take_int(tg, once) == 0);
}

static const struct h_fn fns[] = {
    FN(add),          FN(count_only),   FN(gated),       FN(return_some),
    FN(echo),         FN(add_refs),     FN(total_size),  FN(make_bytes),
    FN(return_twice), FN(mostly_short), FN(open_beside), {NULL, NULL},
};

static const struct h_test tests[] = {
    TEST(a_task_gives_its_value, 0),
    TEST(submit_does_not_wait, 0),
    TEST(arguments_are_copied, 0),
    TEST(a_task_without_returns_runs, 0),
    TEST(returns_come_in_order, 0),
    TEST(three_thousand_returns, 0),
    TEST(returns_that_nobody_wants_are_no_trouble, 0),
    TEST(missing_returns_fail_every_reference, 0),
    TEST(the_last_value_set_counts, 0),
    TEST(a_reference_is_awaited_and_replaced, 0),
    TEST(puts_and_results_mix_as_arguments, 0),
    TEST(one_reference_may_come_twice, 0),
    TEST(references_within_a_value_are_passed_along, 0),
    TEST(a_value_arrives_as_it_left, 0),
    TEST(an_empty_value_is_a_value, 0),
    TEST(arguments_of_every_size, 0),
    TEST(returns_of_every_size, 0),
    TEST(arguments_beyond_the_inline_total, 0),
    TEST(returns_beyond_the_inline_total, 0),
    TEST(ten_thousand_arguments, 0),
    TEST(a_short_function_that_is_long_for_once_holds_nobody_up, 0),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
