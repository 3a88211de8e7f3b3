/* test_store.c - the store's core: room, leaving, files, and pulls between
 * ranks.  Ranks 0 and 1 are on one node, 2 and 3 on others. */
#include "storing.h"

/* ----- room ------------------------------------------------------------------ */

static void room_is_there_at_once(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *v = put(&k, 0, 60);
    CU_ASSERT_TRUE(here(&k, 0, v) && own(&k, v)->sealed);
    CU_ASSERT_EQUAL(k.r[0].store.used, 60);
    leave(&k, 0, v, true);
    CU_ASSERT_EQUAL(k.r[0].store.used, 0);
    CU_ASSERT_TRUE(tg_store_quiet(&k.r[0].store));
    stop(&k);
}

static void who_needs_room_waits_in_line(void)
{
    struct node k;
    start(&k, 100);
    uint64_t a = room(&k, 0, 60), b = room(&k, 0, 50), c = room(&k, 0, 10);
    CU_ASSERT_EQUAL(has_room(&k, 0, a), 1);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 0);
    CU_ASSERT_EQUAL(has_room(&k, 0, c), 0); /* it would fit, but came later */
    tg_store_await(&k.r[0].store, b, 7);
    tg_store_free(&k.r[0].store, a);
    settle(&k);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    CU_ASSERT_EQUAL(has_room(&k, 0, c), 1);
    CU_ASSERT_EQUAL(k.r[0].store.granted.n, 1);
    CU_ASSERT_EQUAL(k.r[0].store.granted.v[0].waiter, 7);
    stop(&k);
}

static void above_four_fifths_the_oldest_are_written_to_files(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 40), *b = put(&k, 0, 40);
    CU_ASSERT_TRUE(here(&k, 0, a) && here(&k, 0, b));
    struct tg_val *c = put(&k, 0, 10);
    CU_ASSERT_FALSE(here(&k, 0, a));
    CU_ASSERT_TRUE(own(&k, a)->disk && !own(&k, a)->memory);
    CU_ASSERT_TRUE(here(&k, 0, b) && here(&k, 0, c));
    const struct thing *was = own(&k, a);
    leave(&k, 0, a, true);
    CU_ASSERT_FALSE(was->disk);
    leave(&k, 0, b, true);
    leave(&k, 0, c, true);
    stop(&k);
}

static void what_is_in_a_file_is_read_back_when_wanted(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 60), *b = put(&k, 0, 60);
    CU_ASSERT_FALSE(here(&k, 0, a));
    want(&k, 0, a);
    CU_ASSERT_EQUAL(heard(&k, 0, a), 0);
    CU_ASSERT_TRUE(here(&k, 0, a));
    CU_ASSERT_TRUE(own(&k, b)->disk);
    want(&k, 0, b);
    CU_ASSERT_TRUE(here(&k, 0, a)); /* for a moment, so that it can be pinned */
    CU_ASSERT_FALSE(here(&k, 0, b));
    pass(&k, 0, k.r[0].ctx.lim.store_look_ns);
    CU_ASSERT_TRUE(here(&k, 0, b));
    CU_ASSERT_FALSE(here(&k, 0, a)); /* without being written again */
    CU_ASSERT_EQUAL(k.r[0].did[TG_STORE_SPILL], 2);
    CU_ASSERT_EQUAL(k.r[0].store.counts.restored, 2);
    leave(&k, 0, a, true);
    leave(&k, 0, b, true);
    stop(&k);
}

static void what_is_pinned_stays_and_is_looked_at_again(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 60);
    own(&k, a)->pinned = true;
    uint64_t b = room(&k, 0, 60);
    CU_ASSERT_TRUE(here(&k, 0, a) && has_room(&k, 0, b) == 0);
    own(&k, a)->pinned = false;
    pass(&k, 0, k.r[0].ctx.lim.store_look_ns);
    CU_ASSERT_FALSE(here(&k, 0, a));
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    CU_ASSERT_EQUAL(k.r[0].did[TG_STORE_SPILL], 1); /* it is written once */
    leave(&k, 0, a, true);
    stop(&k);
}

static void who_waits_too_long_gets_a_file(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 60);
    own(&k, a)->pinned = true;
    uint64_t b = room(&k, 0, 60);
    pass(&k, 0, k.r[0].ctx.lim.store_file_ns / 2);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 0);
    pass(&k, 0, k.r[0].ctx.lim.store_file_ns);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    CU_ASSERT_TRUE(thing(&k.r[0], b)->file);
    CU_ASSERT_EQUAL(k.r[0].store.used, 60);
    CU_ASSERT_EQUAL(k.r[0].store.in_files, 60);
    CU_ASSERT_EQUAL(has_room(&k, 0, room(&k, 0, 200)), 1); /* never fits */
    leave(&k, 0, a, true);
    stop(&k);
}

static void a_disk_error_keeps_the_object_in_memory(void)
{
    struct node k;
    start(&k, 100);
    k.r[0].spill_rc = TRYGON_ERR_IO;
    struct tg_val *a = put(&k, 0, 60);
    uint64_t b = room(&k, 0, 60);
    pass(&k, 0, 20 * ms);
    CU_ASSERT_TRUE(here(&k, 0, a));
    CU_ASSERT_EQUAL(k.r[0].did[TG_STORE_SPILL], 1); /* not again and again */
    k.r[0].spill_rc = 0;
    pass(&k, 0, 90 * ms);
    CU_ASSERT_EQUAL(has_room(&k, 0, b), 1);
    leave(&k, 0, a, true);
    stop(&k);
}

static void what_cannot_be_read_back_is_an_error_of_its_own(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 60), *b = put(&k, 0, 60);
    k.r[0].load_rc = TRYGON_ERR_IO;
    want(&k, 0, a);
    CU_ASSERT_EQUAL(heard(&k, 0, a), TRYGON_ERR_IO);
    k.r[0].load_rc = 0;
    want(&k, 0, b);
    CU_ASSERT_EQUAL(heard(&k, 0, b), 0);
    leave(&k, 0, a, true);
    leave(&k, 0, b, true);
    CU_ASSERT_EQUAL(k.r[0].store.used, 0);
    stop(&k);
}

static void what_is_freed_while_it_is_written_is_forgotten(void)
{
    struct node k;
    start(&k, 100);
    k.r[0].holds[TG_STORE_SPILL] = true;
    struct tg_val *a = put(&k, 0, 90);
    uint64_t blob = tg_val_place(a)->blob;
    CU_ASSERT_EQUAL(k.r[0].did[TG_STORE_SPILL], 1);
    leave(&k, 0, a, true);
    CU_ASSERT_EQUAL(k.r[0].did[TG_STORE_FREE], 1);
    event(&k.r[0], TG_STORE_SPILL, blob, 0);
    CU_ASSERT(k.r[0].store.used == 0 && k.r[0].store.spilling == 0);
    stop(&k);
}

/* ----- other ranks -------------------------------------------------------------- */

static void a_rank_of_the_node_reads_in_place(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 60), *at1 = known(a);
    CU_ASSERT_TRUE(here(&k, 1, at1));
    struct tg_val *b = put(&k, 0, 60); /* a is in a file now */
    tg_store_away(&k.r[1].store, at1);
    CU_ASSERT_FALSE(here(&k, 1, at1));
    want(&k, 1, at1);
    CU_ASSERT_EQUAL(heard(&k, 1, at1), 0);
    CU_ASSERT_TRUE(here(&k, 1, at1) && here(&k, 0, a));
    CU_ASSERT_EQUAL(k.r[1].store.used, 0);
    leave(&k, 1, at1, false);
    leave(&k, 0, a, true);
    leave(&k, 0, b, true);
    stop(&k);
}

static void another_node_gets_it_in_pieces(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 75), *at2 = known(a);
    CU_ASSERT_FALSE(here(&k, 2, at2));
    k.r[0].holds[TG_STORE_SEND] = true;
    want(&k, 2, at2);
    CU_ASSERT_EQUAL(k.r[0].did[TG_STORE_SEND], k.r[0].ctx.lim.chunks_max);
    trygon_ref_t reader = {2, tg_val_place(at2)->here};
    for (int i = 0; i < 4; i++)
        tg_store_event(&k.r[0].store, TG_STORE_SEND, tg_val_place(a)->blob, 0,
                       reader);
    settle(&k);
    CU_ASSERT_EQUAL(k.r[0].did[TG_STORE_SEND], 8);
    CU_ASSERT_EQUAL(heard(&k, 2, at2), 0);
    CU_ASSERT_TRUE(here(&k, 2, at2));
    CU_ASSERT_EQUAL(k.r[2].store.counts.pulled_bytes, 75);
    leave(&k, 2, at2, false);
    CU_ASSERT_EQUAL(k.r[2].store.used, 0);
    leave(&k, 0, a, true);
    CU_ASSERT_EQUAL(k.r[0].store.blobs.used, 0);
    stop(&k);
}

static void a_third_reader_is_sent_to_one_that_has_it(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 10), *at[RANKS];
    k.r[0].ctx.lim.readers_max = 1;
    k.r[0].holds[TG_STORE_SEND] = true;
    for (int32_t i = 2; i < RANKS; i++)
        want(&k, i, at[i] = known(a));
    CU_ASSERT_EQUAL(heard(&k, 2, at[2]), 0);
    CU_ASSERT_EQUAL(heard(&k, 3, at[3]), 2);
    trygon_ref_t reader = {2, tg_val_place(at[2])->here};
    tg_store_event(&k.r[0].store, TG_STORE_SEND, tg_val_place(a)->blob, 0,
                   reader);
    settle(&k);
    CU_ASSERT_EQUAL(heard(&k, 3, at[3]), 0);
    CU_ASSERT_EQUAL(k.r[0].did[TG_STORE_SEND], 1);
    CU_ASSERT_EQUAL(k.r[2].did[TG_STORE_SEND], 1);
    for (int32_t i = 2; i < RANKS; i++)
        leave(&k, i, at[i], false);
    leave(&k, 0, a, true);
    stop(&k);
}

/* The reader at rank 3 hears from rank 0 that the other rank has a copy. */
static void send_to(struct node *k, const struct tg_val *reader, int32_t rank,
                    uint64_t copy)
{
    const struct tg_place *to = tg_val_place(reader);
    const struct tg_blob *b = tg_store_find(&k->r[3].store, to->here);
    struct tg_msg m = {.type = TG_MSG_DATA};
    m.u.data = (struct tg_msg_data){.code = TG_DATA_MOVED,
                                    .rank = rank,
                                    .blob = copy,
                                    .number = b->number,
                                    .to = b->self};
    tg_store_msg(&k->r[3].store, 0, &m);
    settle(k);
}

static void a_reader_whose_source_has_it_no_more_goes_home(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 10), *at2 = known(a), *at3 = known(a);
    want(&k, 2, at2);
    k.r[0].ctx.lim.readers_max = 0; /* all wait */
    want(&k, 3, at3);
    uint64_t copy = tg_val_place(at2)->here;
    leave(&k, 2, at2, false);
    k.r[0].ctx.lim.readers_max = 2;
    send_to(&k, at3, 2, copy);
    CU_ASSERT_EQUAL(heard(&k, 3, at3), 0);
    leave(&k, 3, at3, false);
    leave(&k, 0, a, true);
    stop(&k);
}

static void a_source_whose_copy_leaves_sends_no_more_of_it(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 75), *at2 = known(a), *at3 = known(a);
    want(&k, 2, at2);
    pass(&k, 2, k.r[2].ctx.lim.store_look_ns);
    k.r[0].ctx.lim.readers_max = 0;
    k.r[2].holds[TG_STORE_SEND] = k.r[2].holds[TG_STORE_EVICT] = true;
    want(&k, 3, at3);
    uint64_t copy = tg_val_place(at2)->here;
    send_to(&k, at3, 2, copy);
    CU_ASSERT_EQUAL(k.r[2].did[TG_STORE_SEND], 4);
    uint64_t more = room(&k, 2, 60);
    CU_ASSERT_EQUAL(k.r[2].did[TG_STORE_EVICT], 1);
    trygon_ref_t reader = {3, tg_val_place(at3)->here};
    for (int i = 0; i < 4; i++)
        tg_store_event(&k.r[2].store, TG_STORE_SEND, copy, 0, reader);
    settle(&k);
    CU_ASSERT_EQUAL(k.r[2].did[TG_STORE_SEND], 4);
    k.r[0].ctx.lim.readers_max = 2;
    event(&k.r[2], TG_STORE_EVICT, copy, 0);
    settle(&k);
    CU_ASSERT_EQUAL(heard(&k, 3, at3), 0); /* it went home */
    CU_ASSERT_EQUAL(has_room(&k, 2, more), 1);
    leave(&k, 2, at2, false);
    leave(&k, 3, at3, false);
    leave(&k, 0, a, true);
    stop(&k);
}

static void copies_leave_before_anything_is_written(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 40), *at2 = known(a);
    struct tg_val *own2 = put(&k, 2, 30);
    want(&k, 2, at2);
    CU_ASSERT_EQUAL(heard(&k, 2, at2), 0);
    pass(&k, 2, k.r[2].ctx.lim.store_look_ns);
    struct tg_val *more = put(&k, 2, 40);
    CU_ASSERT_FALSE(here(&k, 2, at2));
    CU_ASSERT_TRUE(here(&k, 2, own2));
    CU_ASSERT_EQUAL(k.r[2].did[TG_STORE_SPILL], 0);
    CU_ASSERT_EQUAL(heard(&k, 2, at2), 1);
    leave(&k, 2, at2, false);
    leave(&k, 2, own2, true);
    leave(&k, 2, more, true);
    leave(&k, 0, a, true);
    stop(&k);
}

static void a_file_is_sent_without_being_read_back(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 60), *b = put(&k, 0, 60), *at2 = known(a);
    want(&k, 2, at2);
    CU_ASSERT_EQUAL(heard(&k, 2, at2), 0);
    CU_ASSERT_FALSE(here(&k, 0, a));
    CU_ASSERT_EQUAL(k.r[0].did[TG_STORE_LOAD], 0);
    leave(&k, 2, at2, false);
    leave(&k, 0, a, true);
    leave(&k, 0, b, true);
    stop(&k);
}

static void a_reader_that_needs_it_no_more_is_not_sent_to(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 90), *at2 = known(a);
    k.r[0].holds[TG_STORE_SEND] = true;
    want(&k, 2, at2);
    CU_ASSERT_FALSE(tg_store_quiet(&k.r[0].store));
    leave(&k, 2, at2, false);
    CU_ASSERT_TRUE(tg_store_quiet(&k.r[0].store));
    CU_ASSERT_EQUAL(k.r[2].store.used, 0);
    leave(&k, 0, a, true);
    stop(&k);
}

static void a_result_made_for_another_rank_is_freed_by_it(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 2, 60), *at0 = known(a);
    leave(&k, 0, at0, true); /* rank 0 owns it */
    CU_ASSERT_EQUAL(k.r[2].store.blobs.used, 0);
    CU_ASSERT_FALSE(own(&k, a)->memory);
    tg_val_drop(&a);
    stop(&k);
}

/* ----- losses -------------------------------------------------------------------- */

static void lose(struct node *k, int32_t rank)
{
    for (int32_t i = 0; i < RANKS; i++) {
        k->r[i].ctx.dead[rank] = true;
        if (i != rank)
            tg_store_gone(&k->r[i].store, rank);
    }
    settle(k);
}

static void bytes_of_a_lost_rank_are_lost(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 2, 60), *at0 = known(a), *late = known(a);
    k.r[2].ctx.lim.readers_max = 0;
    want(&k, 0, at0);
    lose(&k, 2);
    CU_ASSERT_EQUAL(heard(&k, 0, at0), TRYGON_ERR_OBJECT_LOST);
    want(&k, 0, late);
    CU_ASSERT_EQUAL(heard(&k, 0, late), TRYGON_ERR_OBJECT_LOST);
    CU_ASSERT_EQUAL(k.r[0].store.blobs.used, 0);
    tg_val_drop(&at0);
    tg_val_drop(&late);
    tg_val_drop(&a);
    stop(&k);
}

static void a_copy_takes_the_place_of_what_was_lost(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 2, 60), *at0 = known(a);
    CU_ASSERT_FALSE(tg_store_promote(&k.r[0].store, ref_of(at0), at0));
    want(&k, 0, at0);
    lose(&k, 2);
    CU_ASSERT_TRUE(tg_store_promote(&k.r[0].store, ref_of(a), at0));
    CU_ASSERT_EQUAL(tg_val_place(at0)->rank, 0);
    CU_ASSERT_TRUE(here(&k, 0, at0));
    leave(&k, 0, at0, true);
    CU_ASSERT_EQUAL(k.r[0].store.blobs.used, 0);
    tg_val_drop(&a);
    stop(&k);
}

static void a_lost_reader_lets_the_next_one_in(void)
{
    struct node k;
    start(&k, 100);
    struct tg_val *a = put(&k, 0, 90), *at2 = known(a), *at3 = known(a);
    k.r[0].ctx.lim.readers_max = 1;
    k.r[0].holds[TG_STORE_SEND] = true;
    want(&k, 2, at2);
    want(&k, 3, at3);
    k.r[0].holds[TG_STORE_SEND] = false;
    lose(&k, 2);
    CU_ASSERT_EQUAL(heard(&k, 3, at3), 0);
    leave(&k, 3, at3, false);
    leave(&k, 0, a, true);
    tg_val_drop(&at2);
    stop(&k);
}

static void results_for_a_lost_owner_are_freed_unless_held(void)
{
    struct node k;
    start(&k, 100);
    uint64_t blob[2];
    struct tg_val *v[2];
    for (int i = 0; i < 2; i++) {
        struct tg_room q = {.size = 30, .fn = 0};
        tg_store_room(&k.r[0].store, &q);
        settle(&k);
        blob[i] = q.blob;
        v[i] = tg_val_new_stored(30, 0, 0, 0, q.blob);
        tg_store_seal(&k.r[0].store, v[i], 2);
    }
    tg_store_keep(&k.r[0].store, v[1]);
    lose(&k, 2);
    CU_ASSERT_PTR_NULL(tg_store_find(&k.r[0].store, blob[0]));
    CU_ASSERT_PTR_NOT_NULL(tg_store_find(&k.r[0].store, blob[1]));
    tg_store_left(&k.r[0].store, tg_ref_make(TRYGON_KIND_OBJECT, 0, 2, 0, 1),
                  v[1], false);
    CU_ASSERT_EQUAL(k.r[0].store.blobs.used, 0);
    tg_val_drop(&v[0]);
    tg_val_drop(&v[1]);
    settle(&k);
    stop(&k);
}

static const struct unit_test tests[] = {
    TEST(room_is_there_at_once),
    TEST(who_needs_room_waits_in_line),
    TEST(above_four_fifths_the_oldest_are_written_to_files),
    TEST(what_is_in_a_file_is_read_back_when_wanted),
    TEST(what_is_pinned_stays_and_is_looked_at_again),
    TEST(who_waits_too_long_gets_a_file),
    TEST(a_disk_error_keeps_the_object_in_memory),
    TEST(what_cannot_be_read_back_is_an_error_of_its_own),
    TEST(what_is_freed_while_it_is_written_is_forgotten),
    TEST(a_rank_of_the_node_reads_in_place),
    TEST(another_node_gets_it_in_pieces),
    TEST(a_third_reader_is_sent_to_one_that_has_it),
    TEST(a_reader_whose_source_has_it_no_more_goes_home),
    TEST(a_source_whose_copy_leaves_sends_no_more_of_it),
    TEST(copies_leave_before_anything_is_written),
    TEST(a_file_is_sent_without_being_read_back),
    TEST(a_reader_that_needs_it_no_more_is_not_sent_to),
    TEST(a_result_made_for_another_rank_is_freed_by_it),
    TEST(bytes_of_a_lost_rank_are_lost),
    TEST(a_copy_takes_the_place_of_what_was_lost),
    TEST(a_lost_reader_lets_the_next_one_in),
    TEST(results_for_a_lost_owner_are_freed_unless_held),
    TESTS_END,
};

CUNIT_MAIN("store", tests)
