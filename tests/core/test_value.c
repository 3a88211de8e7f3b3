/* test_value.c - values: copies, alignment, counts, chains of errors. */
#include "core/value.h"

#include <stdint.h>
#include <string.h>

#include "../cunit_main.h"

static const trygon_ref_t some_refs[2] = {{1, 2}, {3, 4}};

static trygon_value_t matrix(const double *data, const int64_t *dims)
{
    return (trygon_value_t){.data = data,
                            .size = 6 * sizeof *data,
                            .type = TRYGON_FLOAT64,
                            .ndim = 2,
                            .dims = dims,
                            .refs = some_refs,
                            .nrefs = 2};
}

static void a_copy_has_everything_and_shares_nothing(void)
{
    double data[6] = {1, 2, 3, 4, 5, 6};
    int64_t dims[2] = {2, 3};
    trygon_value_t u = matrix(data, dims);
    struct tg_val *v = tg_val_copy(&u);
    memset(data, 0, sizeof data);
    dims[0] = 99;
    static const double want[6] = {1, 2, 3, 4, 5, 6};
    CU_ASSERT_EQUAL(v->size, sizeof want);
    CU_ASSERT_EQUAL(memcmp(tg_val_data(v), want, sizeof want), 0);
    CU_ASSERT_EQUAL(v->type, TRYGON_FLOAT64);
    CU_ASSERT(v->ndim == 2 && tg_val_dims(v)[0] == 2 && tg_val_dims(v)[1] == 3);
    CU_ASSERT(v->nrefs == 2 && tg_ref_eq(tg_val_refs(v)[1], some_refs[1]));
    CU_ASSERT_FALSE(v->error);
    tg_val_drop(&v);
}

static void a_value_may_be_empty(void)
{
    trygon_value_t u = trygon_bytes(NULL, 0);
    struct tg_val *v = tg_val_copy(&u);
    CU_ASSERT(v != NULL && v->size == 0 && v->ndim == 0 && v->nrefs == 0);
    tg_val_drop(&v);
}

static bool aligned(const void *p, size_t to)
{
    return (uintptr_t)p % to == 0;
}

static void data_is_aligned_and_large_data_to_a_cache_line(void)
{
    for (uint32_t ndim = 0; ndim <= TRYGON_MAX_DIMS; ndim++) {
        for (uint32_t nrefs = 0; nrefs < 5; nrefs++) {
            struct tg_val *small = tg_val_new(TG_VAL_ALIGN_FROM, ndim, nrefs);
            struct tg_val *large =
                tg_val_new(TG_VAL_ALIGN_FROM + 1, ndim, nrefs);
            CU_ASSERT(aligned(tg_val_data(small), 16));
            CU_ASSERT(aligned(tg_val_data(large), TG_VAL_ALIGN));
            memset(tg_val_data(small), 1, small->size); /* all of it is there */
            memset(tg_val_data(large), 1, large->size);
            tg_val_drop(&small);
            tg_val_drop(&large);
        }
    }
}

static void too_much_is_refused_not_wrapped_around(void)
{
    CU_ASSERT_PTR_NULL(tg_val_new(UINT64_MAX, 0, 0));
    CU_ASSERT_PTR_NULL(tg_val_new(UINT64_MAX - 100, 8, 1));
}

/* However many bytes it stands for, it needs memory for its head alone. */
static void a_stored_value_has_a_place_in_the_stead_of_bytes(void)
{
    const uint64_t sizes[] = {1, TG_VAL_ALIGN_FROM + 1, TG_VAL_SIZE_MAX};
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t ndim = 0; ndim <= TRYGON_MAX_DIMS; ndim += 4) {
            struct tg_val *v =
                tg_val_new_stored(sizes[i], ndim, 3 - i, 7, UINT64_MAX);
            CU_ASSERT_PTR_NOT_NULL_FATAL(v);
            CU_ASSERT(v->stored && !v->error && !v->pooled && v->count == 1);
            CU_ASSERT(v->size == sizes[i] && v->ndim == ndim && v->type == 0);
            CU_ASSERT_EQUAL(v->nrefs, 3 - i);
            for (uint32_t k = 0; k < ndim; k++)
                CU_ASSERT_EQUAL(tg_val_dims(v)[k], 0);
            CU_ASSERT(tg_ref_none(tg_val_refs(v)[2 - i]));
            struct tg_place *at = tg_val_place(v);
            CU_ASSERT_EQUAL((uintptr_t)at % _Alignof(struct tg_place), 0);
            CU_ASSERT(at->rank == 7 && at->blob == UINT64_MAX);
            CU_ASSERT(at->here == 0 && !at->away);
            CU_ASSERT_PTR_NULL(tg_val_err(v, 0));
            memset(at, 1, sizeof *at); /* all of it is there */
            tg_val_drop(&v);
        }
    }
    struct tg_val *v = tg_val_new(1, 0, 0);
    CU_ASSERT_FALSE(v->stored);
    tg_val_drop(&v);
}

static void the_last_drop_frees(void)
{
    struct tg_val *a = tg_val_new(10, 0, 0);
    struct tg_val *b = tg_val_hold(a);
    CU_ASSERT_EQUAL(a->count, 2);
    tg_val_drop(&a);
    CU_ASSERT_PTR_NULL(a);
    CU_ASSERT_EQUAL(b->count, 1);
    tg_val_drop(&b); /* the sanitizer sees a leak or a second free */
    tg_val_drop(&b); /* none: fine */
}

static void an_error_is_a_value_that_tells_where_and_why(void)
{
    struct tg_val *v = tg_val_error(TRYGON_ERR_TASK, 3, 42, "solve",
                                    "no %s after %d steps", "result", 7);
    CU_ASSERT_TRUE(v->error);
    const struct trygon_error *e = tg_val_err(v, 0);
    CU_ASSERT_EQUAL(e->size, sizeof *e);
    CU_ASSERT_EQUAL(e->code, TRYGON_ERR_TASK);
    CU_ASSERT(e->rank == 3 && e->task == 42 && e->ncauses == 0);
    CU_ASSERT_STRING_EQUAL(e->function, "solve");
    CU_ASSERT_STRING_EQUAL(e->text, "no result after 7 steps");
    CU_ASSERT_PTR_NULL(tg_val_err(v, 1));
    tg_val_drop(&v);
    CU_ASSERT_PTR_NULL(tg_val_err(NULL, 0));
    v = tg_val_new(sizeof *e, 0, 0);
    CU_ASSERT_PTR_NULL(tg_val_err(v, 0)); /* a plain value of that size */
    tg_val_drop(&v);
}

static void long_texts_are_cut_and_no_function_is_an_empty_name(void)
{
    char text[1000];
    memset(text, 't', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct tg_val *v = tg_val_error(TRYGON_ERR_TASK, 0, 0, text, "%s", text);
    const struct trygon_error *e = tg_val_err(v, 0);
    CU_ASSERT_EQUAL(strlen(e->text), sizeof e->text - 1);
    CU_ASSERT_EQUAL(strlen(e->function), sizeof e->function - 1);
    tg_val_drop(&v);
    v = tg_val_error(TRYGON_ERR_TASK, 0, 0, NULL, "x");
    CU_ASSERT_STRING_EQUAL(tg_val_err(v, 0)->function, "");
    tg_val_drop(&v);
}

/* An error `n` deep: 0 is the root. */
static struct tg_val *chain(int n)
{
    struct tg_val *v = tg_val_error(TRYGON_ERR_TASK, 0, 0, "root", "root");
    for (int i = 1; i < n; i++) {
        struct tg_val *cause = v;
        v = tg_val_error(TRYGON_ERR_DEPENDENCY, 0, (uint64_t)i, "f", "%d", i);
        v = tg_val_caused(v, cause);
        tg_val_drop(&cause);
    }
    return v;
}

static void causes_stand_behind_the_error_nearest_first(void)
{
    struct tg_val *v = chain(3);
    static const char *const want[] = {"2", "1", "root"};
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_STRING_EQUAL(tg_val_err(v, i)->text, want[i]);
        CU_ASSERT_EQUAL(tg_val_err(v, i)->ncauses, 2 - (int32_t)i);
    }
    CU_ASSERT_PTR_NULL(tg_val_err(v, 3));
    tg_val_drop(&v);
}

static void a_long_chain_keeps_its_near_end(void)
{
    struct tg_val *v = chain(20);
    CU_ASSERT_EQUAL(v->size, TG_CAUSES_MAX * sizeof(struct trygon_error));
    CU_ASSERT_STRING_EQUAL(tg_val_err(v, 0)->text, "19");
    CU_ASSERT_EQUAL(tg_val_err(v, 0)->ncauses, TG_CAUSES_MAX - 1);
    CU_ASSERT_STRING_EQUAL(tg_val_err(v, TG_CAUSES_MAX - 1)->text, "12");
    tg_val_drop(&v);
}

static void a_chain_behind_a_chain_is_one(void)
{
    struct tg_val *cause = chain(6), *v = tg_val_caused(chain(5), cause);
    CU_ASSERT_EQUAL(v->size, TG_CAUSES_MAX * sizeof(struct trygon_error));
    CU_ASSERT_STRING_EQUAL(tg_val_err(v, 4)->text, "root"); /* of the first */
    CU_ASSERT_STRING_EQUAL(tg_val_err(v, 5)->text, "5");
    CU_ASSERT_EQUAL(tg_val_err(v, 7)->ncauses, 0);
    tg_val_drop(&cause);
    tg_val_drop(&v);
}

static void small_values_take_the_room_of_others(void)
{
    enum { N = 2000 };
    struct tg_vals vals = {0};
    static struct tg_val *v[N];
    CU_ASSERT_PTR_NULL(tg_vals_new(NULL, 8));
    CU_ASSERT_PTR_NULL(tg_vals_new(&vals, 1024));
    trygon_value_t u = trygon_bytes("small", 6);
    v[0] = tg_vals_copy(&vals, &u);
    CU_ASSERT_STRING_EQUAL((const char *)tg_val_data(v[0]), "small");
    tg_val_drop(&v[0]);
    u.ndim = 1;
    CU_ASSERT_FALSE(tg_vals_fits(&u));
    for (int turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < N; i++) {
            v[i] = tg_vals_new(&vals, i % 113);
            if (v[i] == NULL) /* the sanitizer is to see them */
                v[i] = tg_val_new(i % 113, 0, 0);
            CU_ASSERT(v[i]->size == i % 113 && v[i]->count == 1);
            CU_ASSERT(v[i]->type == 0 && v[i]->ndim == 0 && !v[i]->error);
            CU_ASSERT_EQUAL((uintptr_t)tg_val_data(v[i]) % 16, 0);
            memset(tg_val_data(v[i]), (int)i, v[i]->size);
        }
        for (uint32_t i = 0; i < N; i++) {
            for (uint64_t k = 0; k < v[i]->size; k++)
                CU_ASSERT(tg_val_data(v[i])[k] == (unsigned char)i);
            tg_val_drop(&v[i]);
        }
    }
    tg_vals_fini(&vals);
}

static const struct unit_test tests[] = {
    TEST(a_copy_has_everything_and_shares_nothing),
    TEST(a_value_may_be_empty),
    TEST(data_is_aligned_and_large_data_to_a_cache_line),
    TEST(too_much_is_refused_not_wrapped_around),
    TEST(a_stored_value_has_a_place_in_the_stead_of_bytes),
    TEST(the_last_drop_frees),
    TEST(small_values_take_the_room_of_others),
    TEST(an_error_is_a_value_that_tells_where_and_why),
    TEST(long_texts_are_cut_and_no_function_is_an_empty_name),
    TEST(causes_stand_behind_the_error_nearest_first),
    TEST(a_chain_behind_a_chain_is_one),
    TEST(a_long_chain_keeps_its_near_end),
    TESTS_END,
};

CUNIT_MAIN("value", tests)
