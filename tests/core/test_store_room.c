/* test_store_room.c - who gets room in a store when there is little of it: what
 * leaves first, who gets a file, and who gets nothing. */
#include "storing.h"

static struct tg_limits *lim(struct node *k)
{
    return &k->r[0].ctx.lim;
}

static uint32_t did(const struct node *k, enum tg_store_op op)
{
    return k->r[0].did[op];
}

/* ----- files in the stead of memory ------------------------------------------- */

/* As when HDF5's lock is in the hands of user code. */
static void a_file_is_given_though_the_disk_hangs(void)
{
    struct node k;
    start(&k, 100);
    k.r[0].holds[TG_STORE_SPILL] = true;
    struct tg_val *a = put(&k, 0, 60);
    uint64_t b = room(&k, 0, 60);
    CU_ASSERT_EQUAL(did(&k, TG_STORE_SPILL), 1);
    pass(&k, 0, lim(&k)->store_grace_ns - 1);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 0);
    pass(&k, 0, lim(&k)->store_file_ns);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    CU_ASSERT_TRUE(thing(&k.r[0], b)->file);
    uint64_t c = room(&k, 0, 60);
    pass(&k, 0, 2 * lim(&k)->store_file_ns);
    CU_ASSERT_EQUAL(has_room(&k, 0, c), 1); /* the next one waits less */
    event(&k.r[0], TG_STORE_SPILL, tg_val_place(a)->blob, 0);
    settle(&k);
    CU_ASSERT_TRUE(here(&k, 0, a)); /* nobody needs its memory now */
    leave(&k, 0, a, true);
    stop(&k);
}

static void who_could_not_have_a_file_keeps_its_turn(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *v = put(&k, 0, 60), *a = put(&k, 0, 30);
    CU_ASSERT_FALSE(here(&k, 0, v));
    struct tg_val *c = put(&k, 0, 50);
    own(&k, a)->pinned = own(&k, c)->pinned = true;
    k.r[0].file_rc = TRYGON_ERR_DISK_FULL;
    want(&k, 0, v);
    uint64_t w = room(&k, 0, 30);
    pass(&k, 0, 3 * lim(&k)->store_file_ns);
    CU_ASSERT_EQUAL(heard(&k, 0, v), 2);
    CU_ASSERT_EQUAL(has_room(&k, 0, w), 0);
    CU_ASSERT(did(&k, TG_STORE_FILE) >= 2 && did(&k, TG_STORE_FILE) <= 4);
    own(&k, c)->pinned = false;
    int32_t rc = 2;
    for (int i = 0; i < 100 && rc == 2 && has_room(&k, 0, w) == 0; i++) {
        pass(&k, 0, ms);
        rc = heard(&k, 0, v);
    }
    CU_ASSERT_EQUAL(rc, 0); /* it came first */
    CU_ASSERT_EQUAL(has_room(&k, 0, w), 0);
    pass(&k, 0, lim(&k)->store_file_ns);
    CU_ASSERT_EQUAL(has_room(&k, 0, w), 1);
    leave(&k, 0, a, true);
    leave(&k, 0, v, true);
    leave(&k, 0, c, true);
    stop(&k);
}

static void nobody_waits_behind_what_never_fits(void)
{
    struct node k;
    start(&k, 100);
    k.r[0].file_rc = TRYGON_ERR_DISK_FULL;
    uint64_t a = room(&k, 0, 200), b = room(&k, 0, 60);
    CU_ASSERT_EQUAL(has_room(&k, 0, a), 0);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    k.r[0].file_rc = 0;
    pass(&k, 0, 2 * lim(&k)->store_file_ns);
    CU_ASSERT_EQUAL(has_room(&k, 0, a), 1);
    stop(&k);
}

static void memory_in_pieces_gives_way_to_a_file(void)
{
    struct node k;
    start(&k, 100);
    k.r[0].make_rc = TRYGON_ERR_NOMEM;
    uint64_t a = room(&k, 0, 60);
    CU_ASSERT_EQUAL(has_room(&k, 0, a), 1);
    CU_ASSERT_TRUE(thing(&k.r[0], a)->file);
    CU_ASSERT_EQUAL(did(&k, TG_STORE_MAKE), 1);
    k.r[0].file_rc = TRYGON_ERR_IO;
    uint64_t b = room(&k, 0, 60);
    k.r[0].make_rc = 0;
    pass(&k, 0, 2 * lim(&k)->store_file_ns);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    CU_ASSERT_FALSE(thing(&k.r[0], b)->file);
    stop(&k);
}

/* ----- who gets nothing ---------------------------------------------------------- */

static void a_writer_hears_that_nothing_comes_free(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 60), *b = put(&k, 0, 15);
    own(&k, a)->pinned = own(&k, b)->pinned = true;
    k.r[0].file_rc = TRYGON_ERR_DISK_FULL;
    uint64_t w = room(&k, 0, 60), x = room(&k, 0, 30);
    pass(&k, 0, lim(&k)->store_full_ns / 2);
    leave(&k, 0, b, true); /* something has come free, if not enough */
    pass(&k, 0, lim(&k)->store_full_ns * 9 / 10);
    CU_ASSERT_EQUAL(has_room(&k, 0, w), 0);
    tg_store_await(&k.r[0].store, w, 7);
    pass(&k, 0, lim(&k)->store_full_ns / 5);
    CU_ASSERT_EQUAL(has_room(&k, 0, w), TRYGON_ERR_STORE_FULL);
    CU_ASSERT_EQUAL(k.r[0].store.granted.v[0].waiter, 7);
    CU_ASSERT_EQUAL(has_room(&k, 0, x), 1); /* it fits */
    tg_store_free(&k.r[0].store, w);
    leave(&k, 0, a, true);
    stop(&k);
}

static void what_no_disk_can_ever_hold_is_refused_at_once(void)
{
    struct node k;
    start(&k, 100);
    k.r[0].file_rc = TRYGON_ERR_STORE_FULL;
    uint64_t b = room(&k, 0, 200);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), TRYGON_ERR_STORE_FULL);
    tg_store_free(&k.r[0].store, b);
    struct tg_val *a = put(&k, 0, 60);
    own(&k, a)->pinned = true;
    b = room(&k, 0, 60); /* for which there may be memory */
    pass(&k, 0, 3 * lim(&k)->store_file_ns);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 0);
    leave(&k, 0, a, true);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    tg_store_free(&k.r[0].store, b);
    CU_ASSERT_EQUAL(k.r[0].store.blobs.used, 0);
    stop(&k);
}

static uint32_t notes_of(struct node *k)
{
    uint32_t n = k->r[0].notes;
    k->r[0].notes = 0;
    return n;
}

static void a_reader_waits_for_long_and_then_fails(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *v = put(&k, 0, 60), *at1 = known(v);
    struct tg_val *a = put(&k, 0, 60), *far = put(&k, 2, 90);
    struct tg_val *at0 = known(far);
    own(&k, a)->pinned = true;
    k.r[0].file_rc = TRYGON_ERR_DISK_FULL;
    tg_store_away(&k.r[1].store, at1);
    want(&k, 1, at1);
    want(&k, 0, at0);
    pass(&k, 0, lim(&k)->fetch_note_ns - lim(&k)->store_file_ns);
    CU_ASSERT_EQUAL(notes_of(&k), 0);
    pass(&k, 0, lim(&k)->fetch_note_ns);
    CU_ASSERT_EQUAL(notes_of(&k), 2);
    pass(&k, 0, lim(&k)->fetch_fail_ns / 2);
    CU_ASSERT(heard(&k, 0, at0) == 2 && heard(&k, 1, at1) == 2);
    pass(&k, 0, lim(&k)->fetch_fail_ns / 2);
    CU_ASSERT_EQUAL(notes_of(&k), 0);
    CU_ASSERT_EQUAL(heard(&k, 0, at0), TRYGON_ERR_STORE_FULL);
    CU_ASSERT_EQUAL(heard(&k, 1, at1), TRYGON_ERR_STORE_FULL);
    own(&k, a)->pinned = false; /* all can be had again */
    want(&k, 0, v);
    pass(&k, 0, lim(&k)->store_file_ns);
    CU_ASSERT_EQUAL(heard(&k, 0, v), 0);
    leave(&k, 0, at0, false);
    leave(&k, 1, at1, false);
    leave(&k, 2, far, true);
    leave(&k, 0, v, true);
    leave(&k, 0, a, true);
    stop(&k);
}

/* By its owner, on another rank. */
static void what_is_freed_in_line_is_lost(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *v = put(&k, 0, 60), *at2 = known(v), *a = put(&k, 0, 60);
    own(&k, a)->pinned = true;
    want(&k, 0, v);
    CU_ASSERT_EQUAL(heard(&k, 0, v), 2);
    leave(&k, 2, at2, true);
    CU_ASSERT_EQUAL(heard(&k, 0, v), TRYGON_ERR_OBJECT_LOST);
    leave(&k, 0, a, true);
    tg_val_drop(&v);
    CU_ASSERT_EQUAL(k.r[0].store.blobs.used, 0);
    stop(&k);
}

/* ----- who leaves ------------------------------------------------------------------- */

enum { SMALL = 200 };

static void small_objects_are_written_in_bursts(void)
{
    struct node k;
    struct tg_val *v[SMALL + 100];
    uint32_t bursts = 0, n = 0;
    start(&k, 1000);
    for (; n < 100; n++)
        v[n] = put(&k, 0, 8);
    CU_ASSERT_EQUAL(did(&k, TG_STORE_SPILL), 0);
    for (; n < SMALL; n++) {
        uint32_t before = did(&k, TG_STORE_SPILL);
        v[n] = put(&k, 0, 8);
        bursts += did(&k, TG_STORE_SPILL) > before;
    }
    CU_ASSERT(bursts >= 1 && bursts <= (SMALL - 100) * 8 / (1000 / 8) + 1);
    CU_ASSERT(did(&k, TG_STORE_SPILL) >= 100);
    CU_ASSERT(k.r[0].store.used <= 800 && k.r[0].store.used > 800 - 8);
    while (n > 0)
        leave(&k, 0, v[--n], true);
    CU_ASSERT_EQUAL(k.r[0].store.used, 0);
    stop(&k);
}

static void a_burst_is_no_larger_than_a_file(void)
{
    struct node k;
    struct tg_val *v[101];
    uint32_t n = 0;
    start(&k, 1000);
    lim(&k)->spill_burst = 24;
    for (; n <= 100; n++)
        v[n] = put(&k, 0, 8);
    CU_ASSERT_EQUAL(did(&k, TG_STORE_SPILL), 3);
    CU_ASSERT_EQUAL(did(&k, TG_STORE_EVICT), 1);
    while (n > 0)
        leave(&k, 0, v[--n], true);
    stop(&k);
}

static void what_was_used_last_stays(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 30), *b = put(&k, 0, 30), *at1 = known(a);
    tg_store_used(&k.r[0].store, tg_val_place(a)->blob);
    struct tg_val *c = put(&k, 0, 30);
    CU_ASSERT_TRUE(here(&k, 0, a) && !here(&k, 0, b));
    want(&k, 0, a);
    CU_ASSERT_EQUAL(heard(&k, 0, a), 0);
    struct tg_val *d = put(&k, 0, 30);
    CU_ASSERT_TRUE(here(&k, 0, a) && !here(&k, 0, c));
    want(&k, 2, at1); /* another node reads it */
    CU_ASSERT_EQUAL(heard(&k, 2, at1), 0);
    struct tg_val *e = put(&k, 0, 30);
    CU_ASSERT_TRUE(here(&k, 0, a) && !here(&k, 0, d));
    leave(&k, 2, at1, false);
    leave(&k, 0, a, true);
    leave(&k, 0, b, true);
    leave(&k, 0, c, true);
    leave(&k, 0, d, true);
    leave(&k, 0, e, true);
    stop(&k);
}

static const struct unit_test tests[] = {
    TEST(a_file_is_given_though_the_disk_hangs),
    TEST(who_could_not_have_a_file_keeps_its_turn),
    TEST(nobody_waits_behind_what_never_fits),
    TEST(memory_in_pieces_gives_way_to_a_file),
    TEST(a_writer_hears_that_nothing_comes_free),
    TEST(what_no_disk_can_ever_hold_is_refused_at_once),
    TEST(a_reader_waits_for_long_and_then_fails),
    TEST(what_is_freed_in_line_is_lost),
    TEST(small_objects_are_written_in_bursts),
    TEST(a_burst_is_no_larger_than_a_file),
    TEST(what_was_used_last_stays),
    TESTS_END,
};

CUNIT_MAIN("store: room", tests)
