/* test_split.c - cores of a node over its ranks: by hand, and its rules over
 * many random tables.
 */
#include "topo/split.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum { MAXRANKS = 12 };

struct table {
    int32_t n;
    struct tg_split_rank ranks[MAXRANKS];
    uint64_t masks[MAXRANKS][2];
    struct tg_split_share shares[MAXRANKS];
    int32_t *places;
};

/* A rank that wants what its mask gives. */
static struct tg_split_rank *add(struct table *t, int32_t node, uint64_t mask)
{
    struct tg_split_rank *r = &t->ranks[t->n];
    t->masks[t->n][0] = mask;
    *r = (struct tg_split_rank){node, true, -1, 2, t->masks[t->n]};
    t->n++;
    return r;
}

static void split(struct table *t)
{
    tg_split(t->ranks, t->n, t->shares, &t->places);
}

/* The places of a bound rank as a set; 0 when it is not bound. */
static uint64_t got(const struct table *t, int32_t rank)
{
    uint64_t set = 0;
    const struct tg_split_share *s = &t->shares[rank];
    for (int32_t i = 0; s->bound && i < s->slots; i++)
        set |= UINT64_C(1) << s->places[i];
    return set;
}

static void each_has_its_own(void)
{
    struct table t = {0};
    add(&t, 0, 0x0f);
    add(&t, 0, 0xf0);
    add(&t, 1, 0xff); /* another node: the same places are other cores */
    split(&t);
    CU_ASSERT_EQUAL(got(&t, 0), 0x0f);
    CU_ASSERT_EQUAL(got(&t, 1), 0xf0);
    CU_ASSERT_EQUAL(got(&t, 2), 0xff);
    CU_ASSERT_EQUAL(t.shares[2].slots, 8);
    free(t.places);
}

static void shared_cores_are_split(void)
{
    struct table t = {0};
    add(&t, 0, 0x3ff)->wants_slots = false; /* the head */
    add(&t, 0, 0x3ff);
    add(&t, 0, 0x3ff);
    add(&t, 0, 0x3ff);
    split(&t);
    CU_ASSERT_EQUAL(t.shares[0].slots, 0);
    CU_ASSERT_FALSE(t.shares[0].bound);
    CU_ASSERT_EQUAL(got(&t, 1), 0x00f); /* 4, the remainder to the first */
    CU_ASSERT_EQUAL(got(&t, 2), 0x070);
    CU_ASSERT_EQUAL(got(&t, 3), 0x380);
    free(t.places);
}

static void ranks_of_nodes_may_alternate(void)
{
    struct table t = {0};
    for (int32_t i = 0; i < 4; i++)
        add(&t, i % 2, 0xf0);
    split(&t);
    CU_ASSERT_EQUAL(got(&t, 0), 0x30);
    CU_ASSERT_EQUAL(got(&t, 1), 0x30);
    CU_ASSERT_EQUAL(got(&t, 2), 0xc0);
    CU_ASSERT_EQUAL(got(&t, 3), 0xc0);
    free(t.places);
}

static void masks_may_overlap_in_part(void)
{
    struct table t = {0};
    add(&t, 0, 0x0f);
    add(&t, 0, 0x3c);
    add(&t, 1, 0x0f);
    add(&t, 1, 0x0c);
    split(&t);
    CU_ASSERT_EQUAL(got(&t, 0), 0x07);
    CU_ASSERT_EQUAL(got(&t, 1), 0x38);
    CU_ASSERT_EQUAL(got(&t, 2), 0x03); /* leaves the shared ones */
    CU_ASSERT_EQUAL(got(&t, 3), 0x0c);
    free(t.places);
}

static void too_few_cores_bind_nobody(void)
{
    struct table t = {0};
    add(&t, 0, 0x3);
    add(&t, 0, 0x3);
    add(&t, 0, 0x3);
    add(&t, 0, 0x3)->requested = 5;
    add(&t, 0, 0x3)->requested = 0;
    add(&t, 0, 0xf0); /* on the same node, but not in the crowd */
    split(&t);
    for (int32_t r = 0; r < 5; r++) {
        CU_ASSERT_EQUAL(t.shares[r].slots, r < 3 ? 1 : r == 3 ? 5 : 0);
        CU_ASSERT_FALSE(t.shares[r].bound);
        CU_ASSERT_PTR_NULL(t.shares[r].places);
    }
    CU_ASSERT_EQUAL(got(&t, 5), 0xf0);
    free(t.places);
}

static void requests_are_honoured(void)
{
    struct table t = {0};
    add(&t, 0, 0xff)->requested = 2;
    add(&t, 0, 0xff)->requested = 9;
    add(&t, 1, 0xff)->requested = 0;
    add(&t, 1, 0xff);
    add(&t, 2, 0); /* nothing is known about its cores */
    add(&t, 3, 0)->requested = 3;
    split(&t);
    CU_ASSERT_EQUAL(got(&t, 0), 0x03);
    CU_ASSERT_EQUAL(t.shares[1].slots, 9);
    CU_ASSERT_FALSE(t.shares[1].bound);
    CU_ASSERT_EQUAL(t.shares[2].slots, 0);
    CU_ASSERT_EQUAL(got(&t, 3), 0xff);
    CU_ASSERT_EQUAL(t.shares[4].slots, 1);
    CU_ASSERT_FALSE(t.shares[4].bound);
    CU_ASSERT_EQUAL(t.shares[5].slots, 3);
    free(t.places);
}

static void no_ranks_is_no_problem(void)
{
    struct table t = {0};
    split(&t);
    CU_ASSERT_PTR_NOT_NULL(t.places);
    free(t.places);
}

/* What must hold whatever the table: bound places are inside the mask,
 * ascending and nobody else's; who wants slots has some. */
static void check(const struct table *t)
{
    for (int32_t r = 0; r < t->n; r++) {
        const struct tg_split_share *s = &t->shares[r];
        CU_ASSERT_EQUAL(s->bound, s->places != NULL);
        if (!t->ranks[r].wants_slots) {
            CU_ASSERT_EQUAL(s->slots, 0);
        } else if (t->ranks[r].requested >= 0) {
            CU_ASSERT_EQUAL(s->slots, t->ranks[r].requested);
        } else {
            CU_ASSERT(s->slots >= 1);
        }
        for (int32_t i = 1; s->bound && i < s->slots; i++)
            CU_ASSERT(s->places[i - 1] < s->places[i]);
        CU_ASSERT_EQUAL(got(t, r) & ~t->masks[r][0], 0);
        for (int32_t o = 0; o < r; o++) {
            if (t->ranks[o].node == t->ranks[r].node)
                CU_ASSERT_EQUAL(got(t, r) & got(t, o), 0);
        }
    }
}

static void random_tables_keep_the_rules(void)
{
    struct tg_rng rng = {1};
    for (int round = 0; round < 3000; round++) {
        struct table t = {0};
        uint32_t n = 1 + tg_rng_below(&rng, MAXRANKS);
        uint32_t bits = 1 + tg_rng_below(&rng, 20);
        bool alike = tg_rng_below(&rng, 2) == 0;
        for (uint32_t r = 0; r < n; r++) {
            uint64_t all = (UINT64_C(1) << bits) - 1;
            uint64_t mask = alike ? all : tg_rng_next(&rng) & all;
            struct tg_split_rank *p =
                add(&t, (int32_t)tg_rng_below(&rng, 3), mask);
            p->wants_slots = tg_rng_below(&rng, 5) != 0;
            if (tg_rng_below(&rng, 4) == 0)
                p->requested = (int32_t)tg_rng_below(&rng, 8);
        }
        split(&t);
        check(&t);
        free(t.places);
    }
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("split", NULL, NULL);
    CU_ADD_TEST(s, each_has_its_own);
    CU_ADD_TEST(s, shared_cores_are_split);
    CU_ADD_TEST(s, ranks_of_nodes_may_alternate);
    CU_ADD_TEST(s, masks_may_overlap_in_part);
    CU_ADD_TEST(s, too_few_cores_bind_nobody);
    CU_ADD_TEST(s, requests_are_honoured);
    CU_ADD_TEST(s, no_ranks_is_no_problem);
    CU_ADD_TEST(s, random_tables_keep_the_rules);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}
