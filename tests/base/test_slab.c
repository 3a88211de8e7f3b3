/* test_slab.c - records with handles that are never used twice. */
#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "../cunit_main.h"

struct record {
    uint64_t key;
    char text[20];
};

static uint32_t slot_of(uint64_t handle)
{
    return (uint32_t)handle;
}

static void a_handle_finds_its_record(void)
{
    struct tg_slab s;
    tg_slab_init(&s, sizeof(struct record));
    uint64_t a, b;
    struct record *ra = tg_slab_new(&s, &a), *rb = tg_slab_new(&s, &b);
    CU_ASSERT(a != 0 && b != 0 && a != b);
    CU_ASSERT_PTR_EQUAL(tg_slab_find(&s, a), ra);
    CU_ASSERT_PTR_EQUAL(tg_slab_find(&s, b), rb);
    CU_ASSERT_EQUAL(s.used, 2);
    tg_slab_fini(&s);
}

static void new_records_are_zero(void)
{
    struct tg_slab s;
    tg_slab_init(&s, sizeof(struct record));
    static const struct record zero;
    uint64_t h;
    for (int i = 0; i < 3; i++) { /* the second time in a used slot */
        struct record *r = tg_slab_new(&s, &h);
        CU_ASSERT_EQUAL(memcmp(r, &zero, sizeof zero), 0);
        memset(r, 0xff, sizeof *r);
        tg_slab_free(&s, h);
    }
    tg_slab_fini(&s);
}

static void a_stale_handle_finds_nothing(void)
{
    struct tg_slab s;
    tg_slab_init(&s, sizeof(struct record));
    CU_ASSERT_PTR_NULL(tg_slab_find(&s, 0));
    CU_ASSERT_PTR_NULL(tg_slab_find(&s, UINT64_MAX));
    uint64_t old, new;
    tg_slab_new(&s, &old);
    tg_slab_free(&s, old);
    CU_ASSERT_PTR_NULL(tg_slab_find(&s, old));
    struct record *r = tg_slab_new(&s, &new);
    CU_ASSERT_EQUAL(slot_of(new), slot_of(old));
    CU_ASSERT_NOT_EQUAL(new, old);
    CU_ASSERT_PTR_NULL(tg_slab_find(&s, old));
    CU_ASSERT_PTR_EQUAL(tg_slab_find(&s, new), r);
    /* A free slot's even generation is nobody's handle. */
    tg_slab_free(&s, new);
    CU_ASSERT_PTR_NULL(tg_slab_find(&s, new + (UINT64_C(1) << 32)));
    tg_slab_fini(&s);
}

static void handles_are_never_used_twice(void)
{
    struct tg_slab s;
    tg_slab_init(&s, sizeof(struct record));
    uint64_t h, last = 0;
    for (int i = 0; i < 10000; i++) { /* one slot: its generations count up */
        tg_slab_new(&s, &h);
        CU_ASSERT(h > last && slot_of(h) == 0);
        last = h;
        tg_slab_free(&s, h);
    }
    CU_ASSERT_EQUAL(s.nslots, 1);
    tg_slab_fini(&s);
}

static void a_worn_out_slot_is_retired(void)
{
    struct tg_slab s;
    tg_slab_init(&s, sizeof(struct record));
    uint64_t h;
    tg_slab_new(&s, &h);
    tg_slab_free(&s, h);
    s.gens[0] = UINT32_MAX - 1; /* as after two thousand million uses */
    tg_slab_new(&s, &h);
    CU_ASSERT_EQUAL(slot_of(h), 0);
    CU_ASSERT_EQUAL(h >> 32, UINT32_MAX);
    tg_slab_free(&s, h);
    CU_ASSERT_PTR_NULL(tg_slab_find(&s, h));
    CU_ASSERT_EQUAL(s.used, 0);
    tg_slab_new(&s, &h);
    CU_ASSERT_EQUAL(slot_of(h), 1); /* slot 0 is not given out again */
    tg_slab_fini(&s);
}

static void records_do_not_move_when_a_hundred_thousand_come(void)
{
    enum { MANY = 100000 };
    struct tg_slab s;
    tg_slab_init(&s, sizeof(struct record));
    uint64_t *h = calloc(MANY, sizeof *h);
    struct record **at = calloc(MANY, sizeof(struct record *));
    for (uint32_t i = 0; i < MANY; i++) {
        at[i] = tg_slab_new(&s, &h[i]);
        at[i]->key = i;
    }
    uint32_t moved = 0;
    for (uint32_t i = 0; i < MANY; i++)
        moved += tg_slab_find(&s, h[i]) != at[i] || at[i]->key != i;
    CU_ASSERT_EQUAL(moved, 0);
    CU_ASSERT_EQUAL(s.used, MANY);
    free(h);
    free(at);
    tg_slab_fini(&s);
}

static void iteration_meets_each_record_in_use_once_by_slot(void)
{
    enum { MANY = 3 * TG_SLAB_CHUNK };
    struct tg_slab s;
    tg_slab_init(&s, sizeof(struct record));
    uint64_t h[MANY];
    for (uint32_t i = 0; i < MANY; i++)
        ((struct record *)tg_slab_new(&s, &h[i]))->key = i;
    for (uint32_t i = 0; i < MANY; i++)
        if (i % 3 != 1)
            tg_slab_free(&s, h[i]);
    uint32_t slot = 0, met = 0;
    const struct record *r;
    while ((r = tg_slab_next(&s, &slot)) != NULL)
        CU_ASSERT_EQUAL(r->key, 3 * met++ + 1);
    CU_ASSERT_EQUAL(met, MANY / 3);
    tg_slab_fini(&s);
}

static void records_may_be_freed_while_iterating(void)
{
    struct tg_slab s;
    tg_slab_init(&s, sizeof(struct record));
    uint64_t h;
    for (uint32_t i = 0; i < 1000; i++)
        ((struct record *)tg_slab_new(&s, &h))->key = h;
    uint32_t slot = 0;
    const struct record *r;
    while ((r = tg_slab_next(&s, &slot)) != NULL)
        tg_slab_free(&s, UINT64_C(1) << 32 | (slot - 1));
    CU_ASSERT_EQUAL(s.used, 0);
    tg_slab_fini(&s);
}

/* Against a plain array of what should be there. */
static void random_use_agrees_with_a_plain_array(void)
{
    enum { MOST = 700 };
    static struct {
        uint64_t handle, key;
    } live[MOST];
    uint32_t n = 0, wrong = 0;
    uint64_t keys = 0, stale = 0;
    struct tg_rng rng = {7};
    struct tg_slab s;
    tg_slab_init(&s, sizeof(struct record));
    for (int i = 0; i < 50000; i++) {
        if (n == 0 || (n < MOST && tg_rng_below(&rng, 2) == 0)) {
            struct record *r = tg_slab_new(&s, &live[n].handle);
            r->key = live[n].key = ++keys;
            n++;
        } else {
            uint32_t k = tg_rng_below(&rng, n);
            const struct record *r = tg_slab_find(&s, live[k].handle);
            wrong += r == NULL || r->key != live[k].key;
            stale = live[k].handle;
            tg_slab_free(&s, stale);
            live[k] = live[--n];
        }
        wrong += s.used != n || tg_slab_find(&s, stale) != NULL;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    tg_slab_fini(&s);
}

static const struct unit_test tests[] = {
    TEST(a_handle_finds_its_record),
    TEST(new_records_are_zero),
    TEST(a_stale_handle_finds_nothing),
    TEST(handles_are_never_used_twice),
    TEST(a_worn_out_slot_is_retired),
    TEST(records_do_not_move_when_a_hundred_thousand_come),
    TEST(iteration_meets_each_record_in_use_once_by_slot),
    TEST(records_may_be_freed_while_iterating),
    TEST(random_use_agrees_with_a_plain_array),
    TESTS_END,
};

CUNIT_MAIN("slab", tests)
