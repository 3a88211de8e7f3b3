/* test_objects.c - put and get, and how long objects live. */
#include "harness.h"

enum { GATE };

/* ----- tasks ------------------------------------------------------------------- */

static int same(trygon_call_t *c)
{
    return return_int(c, arg_int(c, 0));
}

static int gated(trygon_call_t *c)
{
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, arg_int(c, 0));
}

static int fail(trygon_call_t *c)
{
    return trygon_call_fail(c, 2, "as told");
}

/* A put of this rank, as a reference in its return. */
static int make_put(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref = put_int(tg, arg_int(c, 0));
    trygon_value_t v = {.refs = &ref, .nrefs = 1};
    OK(trygon_call_return(c, 0, &v));
    drop(tg, ref);
    return 0;
}

/* The references of argument 0, as they came, in a return. */
static int pass_refs(trygon_call_t *c)
{
    trygon_value_t v;
    OK(trygon_call_arg(c, 0, &v));
    return trygon_call_return(c, 0, &v);
}

/* The value behind the reference in argument 0, which it gets n times. */
static int read_ref(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v;
    OK(trygon_call_arg(c, 0, &v));
    CHECK(v.nrefs == 1);
    int64_t x = 0;
    for (int i = 0; i < 3; i++)
        x = get_int(tg, v.refs[0]);
    return return_int(c, x);
}

/* Hands the reference on to a task of its own, n times over. */
static int relay(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    int64_t n = arg_int(c, 1);
    trygon_value_t v;
    OK(trygon_call_arg(c, 0, &v));
    if (n == 0)
        return read_ref(c);
    n--;
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.strategy = TRYGON_STRATEGY_SPREAD;
    trygon_ref_t ref =
        call_with(tg, "relay", &o, 2, (trygon_value_t[]){v, INT(n)});
    return return_int(c, take_int(tg, ref));
}

/* Keeps the reference in a chain of objects, each of which holds the last. */
static int bury_it(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v;
    OK(trygon_call_arg(c, 0, &v));
    trygon_ref_t ref = v.refs[0];
    OK(trygon_ref_retain(tg, 1, &ref));
    for (int i = 0; i < 5; i++) {
        trygon_ref_t outer;
        trygon_value_t box = {.refs = &ref, .nrefs = 1};
        OK(trygon_put(tg, &box, &outer));
        drop(tg, ref);
        ref = outer;
    }
    trygon_value_t box = {.refs = &ref, .nrefs = 1};
    OK(trygon_call_return(c, 0, &box));
    drop(tg, ref);
    return 0;
}

/* ----- put and get ------------------------------------------------------------------ */

static void a_put_is_a_copy(trygon_t *tg)
{
    int64_t x = 1;
    trygon_ref_t a, b;
    OK(trygon_put(tg, &INT(x), &a));
    OK(trygon_put(tg, &INT(x), &b));
    CHECK(!trygon_ref_equal(a, b)); /* no deduplication */
    x = 2;
    CHECK(take_int(tg, a) == 1);
    CHECK(take_int(tg, b) == 1);
}

static void type_and_dims_are_kept(trygon_t *tg)
{
    for (int32_t type = TRYGON_BYTE; type <= TRYGON_COMPLEX128; type++) {
        int64_t dims[TRYGON_MAX_DIMS] = {1, 2, 1, 2, 1, 1, 2, 1};
        double data[16] = {1.5};
        trygon_value_t v = {.data = data,
                            .size = sizeof data,
                            .type = type,
                            .ndim = type % (TRYGON_MAX_DIMS + 1),
                            .dims = dims},
                       w;
        trygon_ref_t ref;
        OK(trygon_put(tg, &v, &ref));
        OK(trygon_get(tg, ref, TRYGON_FOREVER, &w));
        CHECK(w.type == type && w.ndim == v.ndim && w.size == sizeof data);
        for (int i = 0; i < w.ndim; i++)
            CHECK(w.dims[i] == dims[i]);
        CHECK(memcmp(w.data, data, sizeof data) == 0);
        CHECK((uintptr_t)w.data % sizeof(double) == 0);
        OK(trygon_value_release(tg, &w));
        CHECK(w.pin == NULL && w.data == NULL);
        OK(trygon_value_release(tg, &w)); /* of a cleared one: fine */
        drop(tg, ref);
    }
}

static void get_into_says_how_much_is_needed(trygon_t *tg)
{
    trygon_ref_t ref;
    OK(trygon_put(tg, &TRYGON_BYTES("0123456789", 10), &ref));
    char buf[12] = "untouched";
    size_t size = 77;
    CHECK_RC(trygon_get_into(tg, ref, 0, buf, 9, &size), TRYGON_ERR_CAPACITY);
    CHECK(size == 10 && strcmp(buf, "untouched") == 0);
    CHECK_RC(trygon_get_into(tg, ref, 0, NULL, 0, &size), TRYGON_ERR_CAPACITY);
    CHECK_RC(trygon_get_into(tg, ref, 0, buf, 0, NULL), TRYGON_ERR_CAPACITY);
    OK(trygon_get_into(tg, ref, 0, buf, 10, NULL));
    CHECK(memcmp(buf, "0123456789", 10) == 0);
    OK(trygon_get_into(tg, ref, TRYGON_FOREVER, buf, 12, &size));
    CHECK(size == 10);
    drop(tg, ref);
}

static void a_list_may_hold_duplicates(trygon_t *tg)
{
    trygon_ref_t a = put_int(tg, 1), b = call1(tg, "same", 2);
    trygon_ref_t refs[] = {b, a, b, b, a};
    trygon_value_t v[5];
    OK(trygon_get_n(tg, 5, refs, TRYGON_FOREVER, v));
    static const int64_t want[] = {2, 1, 2, 2, 1};
    for (int i = 0; i < 5; i++)
        CHECK(*(const int64_t *)v[i].data == want[i]);
    for (int i = 0; i < 5; i++)
        OK(trygon_value_release(tg, &v[i]));
    OK(trygon_get_n(tg, 0, NULL, TRYGON_FOREVER, NULL));
    drop(tg, a);
    drop(tg, b);
}

static void a_get_can_time_out_and_be_tried_again(trygon_t *tg)
{
    static const int64_t ms[] = {0, 1, 50};
    trygon_ref_t ref = call1(tg, "gated", 8), here = put_int(tg, 1);
    trygon_ref_t both[] = {here, ref};
    for (int i = 0; i < 3; i++) {
        trygon_value_t v[2];
        double began = h_seconds();
        CHECK_RC(trygon_get(tg, ref, ms[i], &v[0]), TRYGON_ERR_TIMEOUT);
        CHECK_RC(trygon_get_n(tg, 2, both, ms[i], v), TRYGON_ERR_TIMEOUT);
        CHECK(h_seconds() - began >= 2e-3 * (double)ms[i]);
    }
    trygon_value_t v;
    OK(trygon_get(tg, here, 0, &v));
    OK(trygon_value_release(tg, &v));
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, ref) == 8);
    drop(tg, here);
}

/* What is finished is seen by calls that only look, if they come often. */
static void polling_with_no_time_sees_the_end(trygon_t *tg)
{
    trygon_ref_t ref = call1(tg, "same", 3);
    int64_t x = 0;
    UNTIL(trygon_get_into(tg, ref, 0, &x, sizeof x, NULL) == TRYGON_SUCCESS);
    CHECK(x == 3);
    drop(tg, ref);
}

static void a_list_fails_as_soon_as_one_has_failed(trygon_t *tg)
{
    trygon_ref_t refs[3] = {call1(tg, "gated", 1), call(tg, "fail", 0, NULL),
                            call1(tg, "same", 3)};
    trygon_value_t v[3] = {{0}};
    CHECK_RC(trygon_get_n(tg, 3, refs, TRYGON_FOREVER, v), TRYGON_ERR_TASK);
    CHECK_RC(trygon_get_n(tg, 3, refs, TRYGON_FOREVER, v), TRYGON_ERR_TASK);
    for (int i = 0; i < 3; i++)
        CHECK(v[i].pin == NULL);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, refs[0]) == 1);
    CHECK(take_int(tg, refs[2]) == 3);
    drop(tg, refs[1]);
}

/* ----- counts --------------------------------------------------------------------------- */

static void a_lent_value_outlives_its_reference(trygon_t *tg)
{
    trygon_ref_t ref = call1(tg, "same", 4), put = put_int(tg, 5);
    trygon_value_t v, w, again;
    OK(trygon_get(tg, ref, TRYGON_FOREVER, &v));
    OK(trygon_get(tg, put, TRYGON_FOREVER, &w));
    OK(trygon_get(tg, put, TRYGON_FOREVER, &again));
    drop(tg, ref);
    drop(tg, put);
    CHECK(*(const int64_t *)v.data == 4 && *(const int64_t *)w.data == 5);
    OK(trygon_value_release(tg, &again));
    CHECK(*(const int64_t *)w.data == 5);
    OK(trygon_value_release(tg, &v));
    OK(trygon_value_release(tg, &w));
}

static void counts_are_counted(trygon_t *tg)
{
    trygon_ref_t ref = put_int(tg, 6), copy = ref;
    trygon_ref_t thrice[] = {ref, ref, ref};
    OK(trygon_ref_retain(tg, 3, thrice)); /* 4 now */
    drop(tg, ref);
    CHECK(get_int(tg, copy) == 6);
    trygon_ref_t four[] = {copy, copy, copy, copy};
    INVALID(trygon_ref_release(tg, 4, four)); /* one too many: none */
    for (int i = 0; i < 4; i++)
        CHECK(trygon_ref_equal(four[i], copy));
    CHECK(get_int(tg, copy) == 6);
    OK(trygon_ref_release(tg, 3, thrice));
    for (int i = 0; i < 3; i++)
        CHECK(thrice[i].hi == 0 && thrice[i].lo == 0);
    OK(trygon_ref_release(tg, 3, thrice)); /* none: accepted */
    trygon_value_t v;
    CHECK_RC(trygon_get(tg, copy, 0, &v), TRYGON_ERR_NOTFOUND);
    INVALID(trygon_ref_release(tg, 1, &copy));
    CHECK_RC(trygon_ref_retain(tg, 1, &copy), TRYGON_ERR_NOTFOUND);
}

static void release_is_all_or_nothing(trygon_t *tg)
{
    trygon_ref_t a = put_int(tg, 1), b = put_int(tg, 2), gone = b;
    drop(tg, b);
    trygon_ref_t list[] = {a, gone};
    INVALID(trygon_ref_release(tg, 2, list));
    CHECK(trygon_ref_equal(list[0], a) && trygon_ref_equal(list[1], gone));
    CHECK_RC(trygon_ref_retain(tg, 2, list), TRYGON_ERR_NOTFOUND);
    CHECK(take_int(tg, a) == 1);
}

/* Lent references are not ours: they cannot be released, only used. */
static void lent_references_need_no_count(trygon_t *tg)
{
    trygon_ref_t outer = call1(tg, "make_put", 7);
    trygon_value_t v;
    OK(trygon_get(tg, outer, TRYGON_FOREVER, &v));
    CHECK(v.nrefs == 1 && v.size == 0);
    trygon_ref_t inner = v.refs[0], copy = inner;
    CHECK(get_int(tg, inner) == 7);
    INVALID(trygon_ref_release(tg, 1, &copy));
    OK(trygon_ref_retain(tg, 1, &inner));
    OK(trygon_value_release(tg, &v));
    drop(tg, outer);
    CHECK(take_int(tg, inner) == 7); /* kept by our own count */
    CHECK_RC(trygon_get(tg, copy, 0, &v), TRYGON_ERR_NOTFOUND);
}

/* ----- containment --------------------------------------------------------------------------- */

static void an_object_keeps_what_it_contains(trygon_t *tg)
{
    trygon_ref_t inner[] = {put_int(tg, 1), call1(tg, "same", 2)}, outer;
    trygon_value_t v = {.refs = inner, .nrefs = 2};
    OK(trygon_put(tg, &v, &outer));
    trygon_ref_t copy[] = {inner[0], inner[1]};
    OK(trygon_ref_release(tg, 2, inner));
    CHECK(get_int(tg, copy[0]) == 1); /* held by outer */
    OK(trygon_get(tg, outer, 0, &v));
    CHECK(v.nrefs == 2 && get_int(tg, v.refs[1]) == 2);
    OK(trygon_value_release(tg, &v));
    drop(tg, outer);
    CHECK_RC(trygon_get(tg, copy[0], 0, &v), TRYGON_ERR_NOTFOUND);
    CHECK_RC(trygon_get(tg, copy[1], 0, &v), TRYGON_ERR_NOTFOUND);
}

static void an_object_may_contain_a_failure(trygon_t *tg)
{
    trygon_ref_t inner = call(tg, "fail", 0, NULL), outer;
    trygon_value_t v = {.refs = &inner, .nrefs = 1};
    OK(trygon_put(tg, &v, &outer));
    drop(tg, inner);
    OK(trygon_get(tg, outer, 0, &v)); /* it has a value */
    trygon_value_t w;
    CHECK_RC(trygon_get(tg, v.refs[0], TRYGON_FOREVER, &w), TRYGON_ERR_TASK);
    OK(trygon_value_release(tg, &v));
    drop(tg, outer);
}

static void boxes_in_boxes_keep_the_innermost(trygon_t *tg)
{
    trygon_ref_t ref = call1(tg, "gated", 11);
    trygon_value_t v = {.refs = &ref, .nrefs = 1};
    trygon_ref_t box = call(tg, "bury_it", 1, &v);
    drop(tg, ref);
    for (int i = 0; i < 6; i++) {
        OK(trygon_get(tg, box, TRYGON_FOREVER, &v));
        CHECK(v.nrefs == 1);
        ref = v.refs[0];
        OK(trygon_ref_retain(tg, 1, &ref));
        OK(trygon_value_release(tg, &v));
        drop(tg, box);
        box = ref;
    }
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, box) == 11);
}

/* ----- references on other ranks ---------------------------------------------------------------- */

static void references_made_elsewhere_work_on_third_ranks(trygon_t *tg)
{
    enum { N = 20 };
    trygon_ref_t box[N], sum[N];
    for (int64_t i = 0; i < N; i++)
        box[i] = call1(tg, "make_put", i);
    for (int i = 0; i < N; i++) /* as a value: with the reference inside */
        sum[i] = call(tg, "read_ref", 1, &TRYGON_REF(box[i]));
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, sum[i]) == i);
    OK(trygon_ref_release(tg, N, box));
}

static void a_reference_passes_through_many_ranks(trygon_t *tg)
{
    for (int64_t n = 0; n < 12; n += 3) {
        trygon_ref_t ref = call1(tg, "gated", 40 + n);
        trygon_value_t v = {.refs = &ref, .nrefs = 1};
        trygon_ref_t end = call(tg, "relay", 2, (trygon_value_t[]){v, INT(n)});
        drop(tg, ref);
        atomic_store(&shared[GATE], 1);
        CHECK(take_int(tg, end) == 40 + n);
    }
}

static void a_reference_comes_home_through_others(trygon_t *tg)
{
    trygon_ref_t mine = put_int(tg, 3);
    trygon_value_t v = {.refs = &mine, .nrefs = 1};
    trygon_ref_t box = call(tg, "pass_refs", 1, &v);
    for (int i = 0; i < 5; i++) {
        trygon_ref_t next = call(tg, "pass_refs", 1, &TRYGON_REF(box));
        drop(tg, box);
        box = next;
    }
    drop(tg, mine);
    OK(trygon_get(tg, box, TRYGON_FOREVER, &v));
    CHECK(v.nrefs == 1 && get_int(tg, v.refs[0]) == 3);
    OK(trygon_value_release(tg, &v));
    drop(tg, box);
}

/* The value of a large object is fetched once however often it is used. */
static void many_readers_of_one_large_object(trygon_t *tg)
{
    enum { N = 30, SIZE = 1 << 20 };
    char *p = calloc(1, SIZE);
    int64_t x = 99;
    memcpy(p, &x, sizeof x);
    trygon_ref_t big, ref[N];
    OK(trygon_put(tg, &TRYGON_BYTES(p, sizeof x), &big));
    trygon_value_t v = {.refs = &big, .nrefs = 1, .data = p, .size = SIZE};
    for (int i = 0; i < N; i++)
        ref[i] = call(tg, "read_ref", 1, &v);
    drop(tg, big);
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == 99);
    free(p);
}

static const struct h_fn fns[] = {
    FN(same),     FN(gated), FN(fail),    FN(make_put), FN(pass_refs),
    FN(read_ref), FN(relay), FN(bury_it), {NULL, NULL},
};

static const struct h_test tests[] = {
    TEST(a_put_is_a_copy, 0),
    TEST(type_and_dims_are_kept, 0),
    TEST(get_into_says_how_much_is_needed, 0),
    TEST(a_list_may_hold_duplicates, 0),
    TEST(a_get_can_time_out_and_be_tried_again, 0),
    TEST(polling_with_no_time_sees_the_end, 0),
    TEST(a_list_fails_as_soon_as_one_has_failed, 2),
    TEST(a_lent_value_outlives_its_reference, 0),
    TEST(counts_are_counted, 0),
    TEST(release_is_all_or_nothing, 0),
    TEST(lent_references_need_no_count, 0),
    TEST(an_object_keeps_what_it_contains, 0),
    TEST(an_object_may_contain_a_failure, 0),
    TEST(boxes_in_boxes_keep_the_innermost, 2),
    TEST(references_made_elsewhere_work_on_third_ranks, 0),
    TEST(a_reference_passes_through_many_ranks, 2),
    TEST(a_reference_comes_home_through_others, 0),
    TEST(many_readers_of_one_large_object, 0),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
