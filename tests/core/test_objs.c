/* test_objs.c - entries, readiness and watches; how weight travels is
 * test_weight.c. */
#include <stdlib.h>
#include <string.h>

#include "../cunit_main.h"
#include "fixture.h"
#include "parcel.h"

/* The next notice, its hold given back; 0: none, else who watched. */
static int notice(struct rig *r, uint64_t *handle)
{
    struct tg_watch w;
    if (!tg_objs_notice(&r->objs, &w))
        return 0;
    tg_objs_drop(&r->objs, w.obj);
    *handle = w.handle;
    return (int)w.who;
}

static uint64_t watch(struct rig *r, trygon_ref_t ref, bool fetch, uint64_t id)
{
    struct tg_watch w = {.who = TG_WATCHER_WAIT, .fetch = fetch, .handle = id};
    return tg_objs_watch(&r->objs, rig_obj(r, ref), &w);
}

/* An object of r that some task will compute. */
static trygon_ref_t pending(struct rig *r)
{
    return tg_objs_new(&r->objs, 1, 0)->ref;
}

static void resolve(struct rig *r, trygon_ref_t ref, struct tg_val *v)
{
    tg_objs_resolve(&r->objs, rig_obj(r, ref), v);
}

/* ----- at home ---------------------------------------------------------------- */

static void an_object_lives_as_long_as_it_is_held(void)
{
    struct rig r;
    rig_start(&r, 0);
    trygon_ref_t ref = rig_put(&r, val_text("x"));
    tg_objs_hold(&r.objs, rig_obj(&r, ref));
    rig_release(&r, ref);
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&r, ref));
    drop(&r, ref);
    CU_ASSERT_PTR_NULL(rig_obj(&r, ref));
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 0);
    rig_stop(&r);
}

static void a_value_keeps_the_objects_that_it_contains(void)
{
    struct rig r;
    rig_start(&r, 0);
    trygon_ref_t inner = rig_put(&r, val_text("inner"));
    trygon_ref_t middle = rig_put(&r, val_refs(1, &inner));
    trygon_ref_t twice[] = {middle, middle};
    trygon_ref_t outer = rig_put(&r, val_refs(2, twice));
    rig_release(&r, inner);
    rig_release(&r, middle);
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 3);
    rig_release(&r, outer);
    CU_ASSERT_EQUAL(tg_objs_left(&r.objs), 0);
    rig_stop(&r);
}

static void a_watch_fires_once(void)
{
    struct rig r;
    rig_start(&r, 0);
    uint64_t id = 0;
    trygon_ref_t ref = pending(&r);
    watch(&r, ref, true, 11);
    watch(&r, ref, false, 12);
    CU_ASSERT_EQUAL(notice(&r, &id), 0);
    resolve(&r, ref, val_text("now"));
    CU_ASSERT_EQUAL(notice(&r, &id), TG_WATCHER_WAIT);
    CU_ASSERT_EQUAL(id, 11); /* in the order in which they were set */
    CU_ASSERT_EQUAL(notice(&r, &id), TG_WATCHER_WAIT);
    CU_ASSERT_EQUAL(id, 12);
    CU_ASSERT_EQUAL(notice(&r, &id), 0);
    drop(&r, ref);
    CU_ASSERT_EQUAL(r.objs.watches.used, 0);
    rig_stop(&r);
}

static void a_watch_taken_off_does_not_fire(void)
{
    struct rig r;
    rig_start(&r, 0);
    uint64_t id = 0;
    trygon_ref_t ref = pending(&r);
    uint64_t a = watch(&r, ref, true, 1);
    watch(&r, ref, true, 2);
    tg_objs_unwatch(&r.objs, a);
    tg_objs_unwatch(&r.objs, a); /* stale: nothing happens */
    resolve(&r, ref, val_text("now"));
    CU_ASSERT_EQUAL(notice(&r, &id), TG_WATCHER_WAIT);
    CU_ASSERT_EQUAL(id, 2);
    CU_ASSERT_EQUAL(notice(&r, &id), 0);
    tg_objs_unwatch(&r.objs, a);
    drop(&r, ref);
    rig_stop(&r);
}

static void a_notice_keeps_its_object_until_it_is_read(void)
{
    struct rig r;
    rig_start(&r, 0);
    uint64_t id = 0;
    trygon_ref_t ref = pending(&r);
    watch(&r, ref, true, 1);
    resolve(&r, ref, val_text("now"));
    tg_objs_drop(&r.objs, rig_obj(&r, ref)); /* the last hold but that one */
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&r, ref));
    notice(&r, &id);
    CU_ASSERT_PTR_NULL(rig_obj(&r, ref));
    rig_stop(&r);
}

static void an_object_that_goes_takes_its_watches_along(void)
{
    struct rig r;
    rig_start(&r, 0);
    trygon_ref_t ref = pending(&r);
    watch(&r, ref, true, 1);
    drop(&r, ref);
    CU_ASSERT_EQUAL(r.objs.watches.used, 0);
    rig_stop(&r);
}

static void an_error_that_nobody_read_is_told(void)
{
    struct rig r;
    rig_start(&r, 1);
    trygon_ref_t read = pending(&r), unread = pending(&r);
    resolve(&r, read, val_failed(TRYGON_ERR_TASK));
    resolve(&r, unread, val_failed(TRYGON_ERR_TASK));
    rig_obj(&r, read)->seen = true;
    drop(&r, read);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_NOTE), 0);
    drop(&r, unread);
    struct tg_msg m;
    CU_ASSERT_TRUE(ctx_sent(&r.ctx, 0, TG_MSG_NOTE, &m));
    CU_ASSERT_STRING_EQUAL(m.u.note.text,
                           "an error that nobody read: f: it went wrong");
    tg_msg_fini(&m);
    rig_stop(&r);
}

/* ----- elsewhere ---------------------------------------------------------------- */

static void a_small_value_comes_with_the_news_that_it_is_ready(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = pending(&k.r[0]);
    hand_over(&k.r[0], &k.r[1], ref);
    uint64_t id = 0;
    watch(&k.r[1], ref, false, 1);
    watch(&k.r[1], ref, false, 2);
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_WATCH), 1); /* asks once */
    exchange(&k);
    resolve(&k.r[0], ref, val_text("news"));
    rig_settle(&k.r[0]);
    struct tg_msg m;
    CU_ASSERT_TRUE(ctx_sent(&k.r[0].ctx, 1, TG_MSG_VALUE, &m));
    CU_ASSERT_TRUE(m.u.value.here);
    tg_objs_msg(&k.r[1].objs, 0, &m);
    tg_msg_fini(&m);
    CU_ASSERT_EQUAL(notice(&k.r[1], &id), TG_WATCHER_WAIT);
    CU_ASSERT_EQUAL(notice(&k.r[1], &id), TG_WATCHER_WAIT);
    const struct tg_obj *x = rig_obj(&k.r[1], ref);
    CU_ASSERT_EQUAL(x->state, TG_OBJ_READY);
    CU_ASSERT_STRING_EQUAL((const char *)tg_val_data(x->val), "news");
    drop(&k.r[1], ref);
    drop(&k.r[0], ref);
    ranks_stop(&k);
}

static void a_large_value_comes_only_when_it_is_fetched(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = rig_put(&k.r[0], val_bytes(TG_INLINE_MAX + 1));
    hand_over(&k.r[0], &k.r[1], ref);
    const struct tg_obj *x = rig_obj(&k.r[1], ref);
    uint64_t id = 0;
    watch(&k.r[1], ref, false, 1);
    exchange(&k);
    CU_ASSERT_EQUAL(x->state, TG_OBJ_READY);
    CU_ASSERT_EQUAL(tg_obj_size(x), TG_INLINE_MAX + 1);
    CU_ASSERT_PTR_NULL(x->val);
    CU_ASSERT_TRUE(tg_objs_ready(&k.r[1].objs, x, false));
    CU_ASSERT_FALSE(tg_objs_ready(&k.r[1].objs, x, true));

    watch(&k.r[1], ref, true, 2);
    exchange(&k);
    CU_ASSERT_TRUE(tg_objs_ready(&k.r[1].objs, x, true));
    CU_ASSERT_EQUAL(x->val->size, TG_INLINE_MAX + 1);
    CU_ASSERT_EQUAL(notice(&k.r[1], &id), 0); /* rig_settle() has read it */
    drop(&k.r[1], ref);
    rig_release(&k.r[0], ref);
    ranks_stop(&k);
}

static void asking_for_readiness_then_bytes_asks_twice_and_not_more(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = pending(&k.r[0]);
    hand_over(&k.r[0], &k.r[1], ref);
    watch(&k.r[1], ref, false, 1);
    watch(&k.r[1], ref, true, 2);
    watch(&k.r[1], ref, false, 3);
    watch(&k.r[1], ref, true, 4);
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_WATCH), 2);
    exchange(&k);
    resolve(&k.r[0], ref, val_bytes(TG_INLINE_MAX + 1));
    rig_settle(&k.r[0]);
    exchange(&k);
    CU_ASSERT_TRUE(tg_objs_ready(&k.r[1].objs, rig_obj(&k.r[1], ref), true));
    CU_ASSERT_EQUAL(k.r[1].objs.watches.used, 0);
    drop(&k.r[1], ref);
    drop(&k.r[0], ref);
    ranks_stop(&k);
}

static void an_error_reaches_a_holder_and_counts_as_read(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = pending(&k.r[0]);
    hand_over(&k.r[0], &k.r[1], ref);
    watch(&k.r[1], ref, false, 1);
    exchange(&k);
    resolve(&k.r[0], ref, val_failed(TRYGON_ERR_TASK));
    rig_settle(&k.r[0]);
    exchange(&k);
    const struct tg_obj *x = rig_obj(&k.r[1], ref);
    CU_ASSERT_EQUAL(x->state, TG_OBJ_FAILED);
    CU_ASSERT_EQUAL(tg_val_err(x->val, 0)->code, TRYGON_ERR_TASK);
    drop(&k.r[1], ref);
    drop(&k.r[0], ref);
    exchange(&k);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[0].objs), 0);
    CU_ASSERT_EQUAL(k.r[0].ctx.local.n, 0); /* where its note would be */
    ranks_stop(&k);
}

/* ----- copies that nobody uses --------------------------------------------------- */

/* A copy of a large object of rank 0 on rank 1, with its bytes. */
static trygon_ref_t large_copy(struct ranks *k)
{
    trygon_ref_t ref = rig_put(&k->r[0], val_bytes(TG_INLINE_MAX + 1));
    hand_over(&k->r[0], &k->r[1], ref);
    watch(&k->r[1], ref, true, 1);
    exchange(k);
    return ref;
}

static void a_large_copy_is_kept_for_a_while_and_then_goes_home(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = large_copy(&k);
    drop(&k.r[1], ref);
    rig_release(&k.r[0], ref);
    CU_ASSERT_TRUE(rig_obj(&k.r[1], ref)->idle);
    rig_sleep(&k.r[1], k.r[1].ctx.lim.copy_ns - 1);
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&k.r[1], ref));
    rig_sleep(&k.r[1], 1);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[1], ref));
    exchange(&k);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[0], ref));
    ranks_stop(&k);
}

static void a_copy_that_is_wanted_again_stays(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = large_copy(&k);
    uint64_t keep = k.r[1].ctx.lim.copy_ns;
    drop(&k.r[1], ref);
    rig_sleep(&k.r[1], keep / 2);
    hand_over(&k.r[0], &k.r[1], ref);
    CU_ASSERT_FALSE(rig_obj(&k.r[1], ref)->idle);
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&k.r[1], ref)->val); /* no second fetch */
    drop(&k.r[1], ref);
    rig_sleep(&k.r[1], keep - 1); /* its time starts anew */
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&k.r[1], ref));
    rig_sleep(&k.r[1], 1);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[1], ref));
    rig_release(&k.r[0], ref);
    exchange(&k);
    ranks_stop(&k);
}

static void a_small_copy_goes_home_at_once(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = rig_put(&k.r[0], val_text("small"));
    hand_over(&k.r[0], &k.r[1], ref);
    watch(&k.r[1], ref, true, 1);
    exchange(&k);
    drop(&k.r[1], ref);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[1], ref));
    rig_release(&k.r[0], ref);
    ranks_stop(&k);
}

static void near_the_end_copies_go_home_at_once(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t a = large_copy(&k), b = large_copy(&k);
    drop(&k.r[1], a);
    tg_objs_hurry(&k.r[1].objs);
    rig_settle(&k.r[1]);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[1], a));
    drop(&k.r[1], b);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[1], b));
    rig_release(&k.r[0], a);
    rig_release(&k.r[0], b);
    ranks_stop(&k);
}

/* ----- loss ------------------------------------------------------------------------ */

static void copies_of_a_lost_owner_fail_unless_they_are_here(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t here = large_copy(&k), later = pending(&k.r[0]);
    trygon_ref_t large = rig_put(&k.r[0], val_bytes(TG_INLINE_MAX + 1));
    hand_over(&k.r[0], &k.r[1], later);
    hand_over(&k.r[0], &k.r[1], large);
    watch(&k.r[1], later, false, 7);
    watch(&k.r[1], large, false, 8);
    exchange(&k);
    CU_ASSERT_EQUAL(rig_obj(&k.r[1], large)->state, TG_OBJ_READY);
    k.r[1].ctx.dead[0] = true;
    tg_objs_gone(&k.r[1].objs, 0);
    uint64_t id = 0;
    CU_ASSERT_EQUAL(notice(&k.r[1], &id), TG_WATCHER_WAIT);
    CU_ASSERT_EQUAL(id, 7);
    rig_settle(&k.r[1]);
    CU_ASSERT_EQUAL(rig_obj(&k.r[1], here)->state, TG_OBJ_READY);
    CU_ASSERT_EQUAL(rig_obj(&k.r[1], large)->state, TG_OBJ_FAILED);
    const struct tg_obj *x = rig_obj(&k.r[1], later);
    CU_ASSERT_EQUAL(x->state, TG_OBJ_FAILED);
    CU_ASSERT_EQUAL(tg_val_err(x->val, 0)->code, TRYGON_ERR_OWNER_DIED);
    CU_ASSERT_EQUAL(tg_val_err(x->val, 0)->rank, 0);
    ctx_clear(&k.r[1].ctx);
    drop(&k.r[1], here);
    drop(&k.r[1], later);
    drop(&k.r[1], large);
    rig_sleep(&k.r[1], k.r[1].ctx.lim.copy_ns);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[1].objs), 0);
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_DROP), 0);
    ranks_stop(&k);
}

static void a_lost_holder_is_told_nothing_and_its_weight_stays_out(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = pending(&k.r[0]);
    hand_over(&k.r[0], &k.r[1], ref);
    watch(&k.r[1], ref, true, 1);
    exchange(&k);
    rig_gone(&k.r[0], 1);
    resolve(&k.r[0], ref, val_text("late"));
    rig_settle(&k.r[0]);
    CU_ASSERT_EQUAL(ctx_count(&k.r[0].ctx, TG_MSG_VALUE), 0);
    drop(&k.r[0], ref);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[0].objs), 1); /* to the end of the run */
    ranks_stop(&k);
}

static const struct unit_test tests[] = {
    TEST(an_object_lives_as_long_as_it_is_held),
    TEST(a_value_keeps_the_objects_that_it_contains),
    TEST(a_watch_fires_once),
    TEST(a_watch_taken_off_does_not_fire),
    TEST(a_notice_keeps_its_object_until_it_is_read),
    TEST(an_object_that_goes_takes_its_watches_along),
    TEST(an_error_that_nobody_read_is_told),
    TEST(a_small_value_comes_with_the_news_that_it_is_ready),
    TEST(a_large_value_comes_only_when_it_is_fetched),
    TEST(asking_for_readiness_then_bytes_asks_twice_and_not_more),
    TEST(an_error_reaches_a_holder_and_counts_as_read),
    TEST(a_large_copy_is_kept_for_a_while_and_then_goes_home),
    TEST(a_copy_that_is_wanted_again_stays),
    TEST(a_small_copy_goes_home_at_once),
    TEST(near_the_end_copies_go_home_at_once),
    TEST(copies_of_a_lost_owner_fail_unless_they_are_here),
    TEST(a_lost_holder_is_told_nothing_and_its_weight_stays_out),
    TESTS_END,
};

CUNIT_MAIN("objs", tests)
