/* test_store_node.c - stores that share the limit of their node: ranks 0 and 1. */
#include "storing.h"

/* The rank looks at what the other one uses. */
static void look(struct node *k, int32_t at)
{
    const struct tg_store *other = &k->r[1 - at].store;
    struct tg_node_use use = {other->used, other->spilling, k->r[1 - at].need};
    if (tg_store_cares(&k->r[at].store, &use))
        tg_store_node(&k->r[at].store, &use);
    tg_store_check(&k->r[at].store);
    settle(k);
}

/* Until both know all. */
static void look_both(struct node *k)
{
    for (int i = 0; i < 20; i++)
        look(k, i % 2);
}

static void hear(struct node *k, uint64_t used, uint64_t spilling,
                 uint64_t wanted)
{
    tg_store_node(&k->r[0].store,
                  &(struct tg_node_use){used, spilling, wanted});
    settle(k);
}

static uint32_t did(const struct node *k, int32_t at, enum tg_store_op op)
{
    return k->r[at].did[op];
}

static void free_all(struct node *k, int32_t at, uint32_t n, struct tg_val **v)
{
    for (uint32_t i = 0; i < n; i++)
        leave(k, at, v[i], true);
}

static void idle_objects_leave_for_who_needs_room(void)
{
    struct node k;
    struct tg_val *v[3];
    start(&k, 320);
    for (int i = 0; i < 3; i++)
        v[i] = put(&k, 0, 80);
    look(&k, 1);
    tg_store_node(&k.r[1].store, &(struct tg_node_use){.used = 240});
    uint64_t b = room(&k, 1, 160);
    CU_ASSERT_EQUAL(has_room(&k, 1, b), 0);
    CU_ASSERT_EQUAL(k.r[1].need, 160);
    look_both(&k);
    CU_ASSERT_EQUAL(has_room(&k, 1, b), 1);
    CU_ASSERT_EQUAL(k.r[1].need, 0);
    CU_ASSERT_FALSE(here(&k, 0, v[0]));
    CU_ASSERT_TRUE(here(&k, 0, v[2]));
    CU_ASSERT_EQUAL(did(&k, 1, TG_STORE_FILE), 0);
    free_all(&k, 0, 3, v);
    stop(&k);
}

static void its_own_idle_objects_leave_first(void)
{
    struct node k;
    start(&k, 320);
    struct tg_val *a = put(&k, 0, 100), *b = put(&k, 1, 150);
    hear(&k, 150, 0, 0);
    uint64_t x = room(&k, 0, 150);
    CU_ASSERT_EQUAL(has_room(&k, 0, x), 1);
    CU_ASSERT_FALSE(here(&k, 0, a));
    CU_ASSERT(k.r[0].need == 0 && here(&k, 1, b));
    leave(&k, 0, a, true);
    leave(&k, 1, b, true);
    stop(&k);
}

/* As long as nobody else has had his turn it gives no more than its part. */
static void above_the_mark_each_gives_its_part(void)
{
    struct node k;
    struct tg_val *v[24], *w[8];
    start(&k, 400); /* the mark is 320 */
    for (int at = 0; at < 2; at++)
        k.r[at].ctx.lim.spill_burst = 1;
    for (int i = 0; i < 24; i++)
        v[i] = put(&k, 0, 10);
    for (int i = 0; i < 8; i++)
        w[i] = put(&k, 1, 10);
    hear(&k, 120, 0, 0); /* 40 above, of which 240 / 360 */
    CU_ASSERT_EQUAL(did(&k, 0, TG_STORE_EVICT), 3);
    hear(&k, 80, 0, 0);
    CU_ASSERT_EQUAL(did(&k, 0, TG_STORE_EVICT), 3);
    CU_ASSERT_EQUAL(did(&k, 1, TG_STORE_EVICT), 0);
    free_all(&k, 0, 24, v);
    free_all(&k, 1, 8, w);
    stop(&k);
}

static void large_amounts_have_parts_as_well(void)
{
    struct node k;
    struct tg_val *v[16];
    const uint64_t one = UINT64_C(1) << 40;
    start(&k, 100 * one);
    k.r[0].ctx.lim.spill_burst = 1;
    for (int i = 0; i < 16; i++)
        v[i] = put(&k, 0, one);
    hear(&k, 74 * one, 0, 0); /* 10 above the mark, of which 16 / 90 */
    CU_ASSERT_EQUAL(did(&k, 0, TG_STORE_EVICT), 2);
    free_all(&k, 0, 16, v);
    stop(&k);
}

/* The others cannot give their part: it has to be all of it in the end. */
static void who_is_needed_gives_more_with_time(void)
{
    struct node k;
    struct tg_val *v[10];
    start(&k, 400);
    k.r[0].ctx.lim.spill_burst = 1;
    for (int i = 0; i < 10; i++)
        v[i] = put(&k, 0, 10);
    hear(&k, 200, 0, 180); /* 80 too much, of which 1 / 3 */
    CU_ASSERT_EQUAL(did(&k, 0, TG_STORE_EVICT), 3);
    pass(&k, 0, 2 * k.r[0].ctx.lim.store_look_ns);
    CU_ASSERT(did(&k, 0, TG_STORE_EVICT) > 3 &&
              did(&k, 0, TG_STORE_EVICT) <= 6);
    pass(&k, 0, k.r[0].ctx.lim.store_file_ns);
    CU_ASSERT_EQUAL(did(&k, 0, TG_STORE_EVICT), 8);
    pass(&k, 0, k.r[0].ctx.lim.store_file_ns);
    CU_ASSERT_EQUAL(did(&k, 0, TG_STORE_EVICT), 8);
    free_all(&k, 0, 10, v);
    stop(&k);
}

/* The core believes that there is room when there is none any more. */
static void who_is_told_to_wait_keeps_its_turn(void)
{
    struct node k;
    start(&k, 100);
    k.r[0].make_rc = TRYGON_ERR_STATE;
    uint64_t a = room(&k, 0, 40), b = room(&k, 0, 10);
    CU_ASSERT(has_room(&k, 0, a) == 0 && has_room(&k, 0, b) == 0);
    CU_ASSERT_EQUAL(did(&k, 0, TG_STORE_MAKE), 1);
    k.r[0].make_rc = 0;
    hear(&k, 70, 0, 0);
    CU_ASSERT(has_room(&k, 0, a) == 0 && has_room(&k, 0, b) == 0);
    hear(&k, 60, 0, 0);
    CU_ASSERT(has_room(&k, 0, a) == 1 && has_room(&k, 0, b) == 0);
    hear(&k, 0, 0, 0);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    CU_ASSERT_EQUAL(did(&k, 0, TG_STORE_FILE), 0);
    stop(&k);
}

static void a_file_waits_for_what_others_are_writing(void)
{
    struct node k;
    start(&k, 100);
    hear(&k, 90, 20, 0);
    uint64_t b = room(&k, 0, 40);
    CU_ASSERT_EQUAL(k.r[0].need, 40);
    pass(&k, 0, k.r[0].ctx.lim.store_grace_ns / 2);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 0);
    hear(&k, 90, 0, 0); /* in vain */
    pass(&k, 0, k.r[0].ctx.lim.store_file_ns);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    CU_ASSERT_TRUE(thing(&k.r[0], b)->file);
    CU_ASSERT_EQUAL(k.r[0].need, 0);
    b = room(&k, 0, 40);
    CU_ASSERT_EQUAL(k.r[0].need, 40);
    tg_store_free(&k.r[0].store, b); /* it gave up */
    settle(&k);
    CU_ASSERT_EQUAL(k.r[0].need, 0);
    stop(&k);
}

/* What was in use when another rank needed room is looked at again. */
static void pinned_objects_leave_for_others_later(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 60);
    own(&k, a)->pinned = true;
    hear(&k, 0, 0, 60);
    CU_ASSERT_TRUE(here(&k, 0, a));
    own(&k, a)->pinned = false;
    pass(&k, 0, k.r[0].ctx.lim.store_look_ns);
    CU_ASSERT_FALSE(here(&k, 0, a));
    leave(&k, 0, a, true);
    stop(&k);
}

/* Else two that need each other's would rouse each other for ever. */
static void what_may_turn_out_pinned_is_still_needed_of_others(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *v = put(&k, 0, 45);
    own(&k, v)->pinned = true;
    hear(&k, 45, 0, 0);
    uint64_t b = room(&k, 0, 40);
    CU_ASSERT_EQUAL(k.r[0].need, 40);
    k.r[0].holds[TG_STORE_EVICT] = true;
    hear(&k, 45, 0, 40); /* it looks again at what was pinned */
    CU_ASSERT_EQUAL(k.r[0].store.evicting, 45);
    CU_ASSERT_EQUAL(k.r[0].need, 40);
    k.r[0].holds[TG_STORE_EVICT] = false;
    own(&k, v)->pinned = false;
    tg_store_event(&k.r[0].store, TG_STORE_EVICT, tg_val_place(v)->blob, 0,
                   (trygon_ref_t){0, 0});
    settle(&k);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    CU_ASSERT_EQUAL(k.r[0].need, 0);
    leave(&k, 0, v, true);
    tg_store_free(&k.r[0].store, b);
    stop(&k);
}

static void what_leaves_elsewhere_keeps_a_writer_waiting(void)
{
    struct node k;
    start(&k, 100);
    k.r[0].file_rc = TRYGON_ERR_DISK_FULL;
    hear(&k, 90, 0, 0);
    uint64_t b = room(&k, 0, 40);
    pass(&k, 0, k.r[0].ctx.lim.store_full_ns * 9 / 10);
    hear(&k, 80, 0, 0);
    pass(&k, 0, k.r[0].ctx.lim.store_full_ns * 9 / 10);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 0);
    pass(&k, 0, k.r[0].ctx.lim.store_full_ns * 2 / 10);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), TRYGON_ERR_STORE_FULL);
    tg_store_free(&k.r[0].store, b);
    stop(&k);
}

static const struct unit_test tests[] = {
    TEST(idle_objects_leave_for_who_needs_room),
    TEST(its_own_idle_objects_leave_first),
    TEST(above_the_mark_each_gives_its_part),
    TEST(large_amounts_have_parts_as_well),
    TEST(who_is_needed_gives_more_with_time),
    TEST(who_is_told_to_wait_keeps_its_turn),
    TEST(a_file_waits_for_what_others_are_writing),
    TEST(pinned_objects_leave_for_others_later),
    TEST(what_may_turn_out_pinned_is_still_needed_of_others),
    TEST(what_leaves_elsewhere_keeps_a_writer_waiting),
    TESTS_END,
};

CUNIT_MAIN("store: node", tests)
