/* test_weight.c - weighted references: nothing is freed too early, and all is
 * freed in the end. */
#include <string.h>

#include "../cunit_main.h"
#include "base/rng.h"
#include "parcel.h"

static const uint64_t mint = UINT64_C(1) << 32;

static uint64_t weight_of(const struct rig *r, trygon_ref_t ref)
{
    return rig_obj(r, ref)->weight;
}

static void an_owner_mints_weight_for_each_copy(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = rig_put(&k.r[0], val_text("x"));
    CU_ASSERT_EQUAL(weight_of(&k.r[0], ref), 0);
    CU_ASSERT_EQUAL(hand_over(&k.r[0], &k.r[1], ref), mint);
    CU_ASSERT_EQUAL(weight_of(&k.r[0], ref), mint);
    CU_ASSERT_EQUAL(weight_of(&k.r[1], ref), mint);
    hand_over(&k.r[0], &k.r[1], ref);
    CU_ASSERT_EQUAL(weight_of(&k.r[0], ref), 2 * mint);
    CU_ASSERT_EQUAL(weight_of(&k.r[1], ref), 2 * mint);
    CU_ASSERT_EQUAL(rig_obj(&k.r[1], ref)->count, 2);
    ranks_stop(&k);
}

static void the_last_drop_sends_all_weight_home_and_frees(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = rig_put(&k.r[0], val_text("x"));
    hand_over(&k.r[0], &k.r[1], ref);
    hand_over(&k.r[0], &k.r[1], ref);
    rig_release(&k.r[0], ref); /* it lives on: weight is out */
    drop(&k.r[1], ref);
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_DROP), 0);
    drop(&k.r[1], ref);
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_DROP), 1);
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&k.r[0], ref));
    exchange(&k);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[0], ref));
    ranks_stop(&k);
}

static void a_holder_passes_on_half_and_asks_nobody(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = rig_put(&k.r[0], val_text("x"));
    hand_over(&k.r[0], &k.r[1], ref);
    CU_ASSERT_EQUAL(hand_over(&k.r[1], &k.r[2], ref), mint / 2);
    CU_ASSERT_EQUAL(weight_of(&k.r[1], ref), mint / 2);
    rig_release(&k.r[0], ref);
    drop(&k.r[1], ref);
    exchange(&k);
    CU_ASSERT_EQUAL(weight_of(&k.r[0], ref), mint / 2);
    drop(&k.r[2], ref);
    exchange(&k);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[0], ref));
    ranks_stop(&k);
}

/* The holder's drop overtakes the copy that it sent: no harm is done. */
static void an_object_lives_while_a_copy_is_under_way(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = rig_put(&k.r[0], val_text("x"));
    hand_over(&k.r[0], &k.r[1], ref);
    rig_release(&k.r[0], ref);
    send_item(&k.r[1], 2, item_ref(ref));
    drop(&k.r[1], ref);
    struct tg_msg m;
    CU_ASSERT_TRUE(ctx_sent(&k.r[1].ctx, 0, TG_MSG_DROP, &m));
    rig_msg(&k.r[0], 1, &m);
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&k.r[0], ref));
    receive_item(&k.r[1], &k.r[2]);
    drop(&k.r[2], ref);
    exchange(&k);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[0], ref));
    ranks_stop(&k);
}

static void a_reference_that_comes_to_its_owner_is_a_hold(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = rig_put(&k.r[0], val_text("x"));
    hand_over(&k.r[0], &k.r[1], ref);
    hand_over(&k.r[1], &k.r[0], ref);
    CU_ASSERT_EQUAL(weight_of(&k.r[0], ref), mint / 2);
    CU_ASSERT_EQUAL(rig_obj(&k.r[0], ref)->count, 2);
    rig_release(&k.r[0], ref);
    drop(&k.r[1], ref);
    exchange(&k);
    CU_ASSERT_EQUAL(weight_of(&k.r[0], ref), 0);
    drop(&k.r[0], ref);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[0], ref));
    ranks_stop(&k);
}

static void many_drops_go_home_in_one_message(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t refs[50];
    for (int i = 0; i < 50; i++) {
        refs[i] = rig_put(&k.r[0], val_text("x"));
        hand_over(&k.r[0], &k.r[1], refs[i]);
        rig_release(&k.r[0], refs[i]);
    }
    for (int i = 0; i < 50; i++)
        tg_objs_drop(&k.r[1].objs, rig_obj(&k.r[1], refs[i]));
    rig_settle(&k.r[1]);
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_DROP), 1);
    exchange(&k);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[0].objs), 0);
    ranks_stop(&k);
}

/* Then its owner need not be asked. */
static void a_place_travels_with_its_reference(void)
{
    static const int32_t nodes[] = {0, 1, 2};
    struct tg_store store;
    struct ranks k;
    ranks_start(&k);
    tg_store_init(&store, &k.r[1].ctx, nodes, 1000);
    k.r[1].objs.store = &store;
    k.r[1].ctx.dead[2] = true;
    for (int32_t at = 0; at < 3; at += 2) {
        trygon_ref_t ref = rig_put(&k.r[0], val_text("x"));
        struct tg_item it = item_ref(ref);
        it.place = tg_val_new_stored(100, 0, 0, at, 5);
        send_item(&k.r[0], 1, it);
        CU_ASSERT_EQUAL(receive_item(&k.r[0], &k.r[1]), mint);
        const struct tg_obj *x = rig_obj(&k.r[1], ref);
        bool known = at == 0; /* the other one is where no rank is any more */
        CU_ASSERT_EQUAL(x->state, known ? TG_OBJ_READY : TG_OBJ_PENDING);
        CU_ASSERT_EQUAL(x->val != NULL, known);
        CU_ASSERT_EQUAL(tg_obj_where(x), known ? 0 : -1);
        drop(&k.r[1], ref);
        rig_release(&k.r[0], ref);
    }
    exchange(&k);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[0].objs), 0);
    tg_store_fini(&store);
    ranks_stop(&k);
}

/* ----- weight 1 ---------------------------------------------------------------- */

/* Rank 1 holds ref with weight 1: too little to pass on. */
static trygon_ref_t poor(struct ranks *k)
{
    k->r[0].ctx.lim.weight_mint = 1;
    trygon_ref_t ref = rig_put(&k->r[0], val_text("x"));
    hand_over(&k->r[0], &k->r[1], ref);
    return ref;
}

static void a_holder_of_weight_1_asks_for_more_and_delays_only_that(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = poor(&k), own = rig_put(&k.r[1], val_text("own"));
    send_item(&k.r[1], 2, item_ref(ref));
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_RUN), 0);
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_MORE), 1);
    CU_ASSERT_FALSE(tg_objs_quiet(&k.r[1].objs));
    send_item(&k.r[1], 2, item_ref(own)); /* another overtakes it */
    CU_ASSERT_EQUAL(receive_item(&k.r[1], &k.r[2]), mint);
    send_item(&k.r[1], 2, item_ref(ref)); /* asks no second time */
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_MORE), 1);

    struct tg_msg m;
    CU_ASSERT_TRUE(ctx_sent(&k.r[1].ctx, 0, TG_MSG_MORE, &m));
    rig_msg(&k.r[0], 1, &m);
    CU_ASSERT_TRUE(ctx_sent(&k.r[0].ctx, 1, TG_MSG_WEIGHT, &m));
    rig_msg(&k.r[1], 0, &m);
    CU_ASSERT_EQUAL(receive_item(&k.r[1], &k.r[2]), 1);
    CU_ASSERT_EQUAL(receive_item(&k.r[1], &k.r[2]), 1);
    CU_ASSERT_TRUE(tg_objs_quiet(&k.r[1].objs));
    CU_ASSERT_EQUAL(weight_of(&k.r[0], ref),
                    weight_of(&k.r[1], ref) + weight_of(&k.r[2], ref));
    ranks_stop(&k);
}

static void a_message_that_waits_keeps_what_it_carries(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = poor(&k);
    rig_release(&k.r[0], ref);
    send_item(&k.r[1], 2, item_ref(ref));
    drop(&k.r[1], ref); /* the sender's own hold goes right after */
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&k.r[1], ref));
    struct tg_msg m;
    CU_ASSERT_TRUE(ctx_sent(&k.r[1].ctx, 0, TG_MSG_MORE, &m));
    rig_msg(&k.r[0], 1, &m);
    CU_ASSERT_TRUE(ctx_sent(&k.r[0].ctx, 1, TG_MSG_WEIGHT, &m));
    rig_msg(&k.r[1], 0, &m);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[1], ref)); /* sent, and nothing kept */
    CU_ASSERT_NOT_EQUAL(receive_item(&k.r[1], &k.r[2]), 0);
    exchange(&k);
    drop(&k.r[2], ref);
    exchange(&k);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[0].objs), 0);
    ranks_stop(&k);
}

static void weight_that_comes_too_late_goes_home(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = poor(&k);
    rig_release(&k.r[0], ref);
    struct tg_msg more = {.type = TG_MSG_MORE};
    more.u.more.w.ref = ref;
    rig_msg(&k.r[0], 1, &more);
    drop(&k.r[1], ref);
    exchange(&k);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[0].objs), 0);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[1].objs), 0);
    ranks_stop(&k);
}

static void a_withdrawn_message_refunds_what_it_had_collected(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t low = poor(&k);
    k.r[0].ctx.lim.weight_mint = mint;
    trygon_ref_t rich = rig_put(&k.r[0], val_text("rich"));
    trygon_ref_t own = rig_put(&k.r[1], val_text("own"));
    hand_over(&k.r[0], &k.r[1], rich);
    trygon_ref_t all[] = {rich, own, low};
    struct tg_val *v = val_refs(3, all);
    tg_objs_hold_refs(&k.r[1].objs, v);
    send_item(&k.r[1], 2, item_val(tg_val_hold(v)));
    CU_ASSERT_EQUAL(weight_of(&k.r[1], rich), mint / 2);
    CU_ASSERT_EQUAL(weight_of(&k.r[1], own), mint);

    CU_ASSERT_FALSE(tg_objs_withdraw(&k.r[1].objs, 0, 1)); /* no such one */
    CU_ASSERT_TRUE(tg_objs_withdraw(&k.r[1].objs, 0, 0));
    CU_ASSERT_FALSE(tg_objs_withdraw(&k.r[1].objs, 0, 0));
    CU_ASSERT_EQUAL(weight_of(&k.r[1], rich), mint);
    CU_ASSERT_EQUAL(weight_of(&k.r[1], own), 0);
    tg_objs_drop_refs(&k.r[1].objs, v);
    tg_val_drop(&v);
    drop(&k.r[1], rich);
    drop(&k.r[1], low);
    rig_release(&k.r[1], own);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[1].objs), 0);
    ranks_stop(&k);
}

static void so_does_one_that_carries_references_themselves(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t low = poor(&k), own = rig_put(&k.r[1], val_text("own"));
    struct tg_msg m = {.type = TG_MSG_RUN};
    m.u.run.task = 9;
    m.u.run.args = items(2, item_ref(own), item_ref(low));
    tg_objs_send(&k.r[1].objs, 2, &m);
    CU_ASSERT_EQUAL(weight_of(&k.r[1], own), mint);
    CU_ASSERT_TRUE(tg_objs_withdraw(&k.r[1].objs, 9, 0));
    CU_ASSERT_EQUAL(weight_of(&k.r[1], own), 0);
    ranks_stop(&k);
}

/* ----- references within values --------------------------------------------------- */

static void references_in_a_value_travel_with_weight_of_their_own(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t a = rig_put(&k.r[0], val_text("a"));
    trygon_ref_t b = rig_put(&k.r[1], val_text("b"));
    hand_over(&k.r[1], &k.r[0], b);
    trygon_ref_t both[] = {a, b};
    trygon_ref_t box = rig_put(&k.r[0], val_refs(2, both));
    rig_release(&k.r[0], a);
    drop(&k.r[0], b);
    rig_release(&k.r[1], b);
    hand_over(&k.r[0], &k.r[2], box); /* rank 2 has the box, not what is in */
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[2], a));
    struct tg_watch w = {.who = TG_WATCHER_WAIT, .fetch = true};
    tg_objs_watch(&k.r[2].objs, rig_obj(&k.r[2], box), &w);
    exchange(&k);
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&k.r[2], a));
    CU_ASSERT_PTR_NOT_NULL(rig_obj(&k.r[2], b));
    rig_release(&k.r[0], box);
    drop(&k.r[2], box);
    exchange(&k);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(tg_objs_left(&k.r[i].objs), 0);
    ranks_stop(&k);
}

static void a_value_that_nobody_waits_for_any_more_leaves_nothing(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t a = rig_put(&k.r[0], val_text("a"));
    trygon_ref_t box = rig_put(&k.r[0], val_refs(1, &a));
    rig_release(&k.r[0], a);
    hand_over(&k.r[0], &k.r[1], box);
    struct tg_watch w = {.who = TG_WATCHER_WAIT, .fetch = true};
    tg_objs_watch(&k.r[1].objs, rig_obj(&k.r[1], box), &w);
    rig_release(&k.r[0], box);
    drop(&k.r[1], box); /* while the answer is under way */
    exchange(&k);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[0].objs), 0);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[1].objs), 0);
    ranks_stop(&k);
}

/* ----- loss --------------------------------------------------------------------------- */

static void references_of_a_lost_owner_travel_without_weight(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = poor(&k);
    send_item(&k.r[1], 2, item_ref(ref)); /* waits for rank 0's answer */
    ctx_clear(&k.r[1].ctx);
    rig_gone(&k.r[1], 0);
    receive_item(&k.r[1], &k.r[2]);
    const struct tg_obj *x = rig_obj(&k.r[2], ref);
    CU_ASSERT(x != NULL && x->state == TG_OBJ_PENDING && x->weight == 0);
    rig_gone(&k.r[2], 0);
    CU_ASSERT_EQUAL(x->state, TG_OBJ_FAILED);
    drop(&k.r[2], ref);
    drop(&k.r[1], ref);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[1].objs), 0);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[2].objs), 0);
    ranks_stop(&k);
}

static void what_waited_for_a_lost_rank_gives_its_weight_back(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t low = poor(&k), own = rig_put(&k.r[1], val_text("own"));
    trygon_ref_t both[] = {own, low};
    struct tg_val *v = val_refs(2, both);
    send_item(&k.r[1], 2, item_val(v));
    CU_ASSERT_EQUAL(weight_of(&k.r[1], own), mint);
    rig_gone(&k.r[1], 2);
    CU_ASSERT_EQUAL(weight_of(&k.r[1], own), 0);
    send_item(&k.r[1], 2, item_ref(own)); /* to the dead: not even minted */
    CU_ASSERT_EQUAL(weight_of(&k.r[1], own), 0);
    drop(&k.r[1], low);
    rig_release(&k.r[1], own);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[1].objs), 0);
    ranks_stop(&k);
}

/* ----- everything at once ------------------------------------------------------------- */

enum { OBJECTS = 12 };

struct story {
    struct ranks k;
    trygon_ref_t ref[OBJECTS];
    uint32_t holds[3][OBJECTS]; /* that the test has */
    struct tg_rng rng;
};

static const enum tg_msg_type small_talk[] = {TG_MSG_DROP, TG_MSG_MORE,
                                              TG_MSG_WEIGHT};

static void tell_turn(struct story *s)
{
    uint32_t from = tg_rng_below(&s->rng, 3), to = tg_rng_below(&s->rng, 3);
    uint32_t what = tg_rng_below(&s->rng, 10);
    uint32_t i = tg_rng_below(&s->rng, OBJECTS);
    struct rig *a = &s->k.r[from], *b = &s->k.r[to];
    struct tg_msg m;
    if (what < 3 && from != to && s->holds[from][i] > 0) {
        send_item(a, b->ctx.rank, item_ref(s->ref[i]));
    } else if (what < 5 && from != to &&
               ctx_sent(&a->ctx, b->ctx.rank, TG_MSG_RUN, &m)) {
        for (i = 0; !tg_ref_eq(s->ref[i], m.u.run.args.one.ref); i++)
            continue;
        tg_objs_adopt(&b->objs, &m.u.run.args.one);
        tg_msg_fini(&m);
        s->holds[to][i]++;
    } else if (what < 7 && s->holds[from][i] > 0) {
        s->holds[from][i]--;
        tg_objs_drop(&a->objs, rig_obj(a, s->ref[i]));
    } else if (what >= 7) {
        if (from != to &&
            ctx_sent(&a->ctx, b->ctx.rank, small_talk[what - 7], &m))
            rig_msg(b, a->ctx.rank, &m);
    }
    rig_settle(a);
    rig_settle(b);
}

/* All that is under way between two ranks arrives, and is dropped at once. */
static bool arrives(struct rig *from, struct rig *to)
{
    struct tg_msg m;
    bool any = false;
    while (ctx_sent(&from->ctx, to->ctx.rank, TG_MSG_RUN, &m)) {
        tg_objs_adopt(&to->objs, &m.u.run.args.one);
        drop(to, m.u.run.args.one.ref);
        tg_msg_fini(&m);
        any = true;
    }
    for (int i = 0; i < 3; i++)
        while (ctx_sent(&from->ctx, to->ctx.rank, small_talk[i], &m)) {
            rig_msg(to, from->ctx.rank, &m);
            any = true;
        }
    return any;
}

static void tell_end(struct story *s)
{
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < OBJECTS; i++)
            while (s->holds[r][i]-- > 0)
                drop(&s->k.r[r], s->ref[i]);
    for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < 9; i++)
            any = arrives(&s->k.r[i / 3], &s->k.r[i % 3]) || any;
    }
}

static void random_journeys_end_with_everything_freed(void)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        static struct story s;
        memset(&s, 0, sizeof s);
        s.rng.state = seed;
        ranks_start(&s.k);
        for (uint32_t i = 0; i < OBJECTS; i++) {
            struct rig *r = &s.k.r[i % 3];
            r->ctx.lim.weight_mint = seed % 2 == 0 ? 1 : 3;
            s.ref[i] = tg_objs_new(&r->objs, 1, 0)->ref;
            s.holds[i % 3][i] = 1;
        }
        for (int i = 0; i < 600; i++)
            tell_turn(&s);
        tell_end(&s);
        for (int r = 0; r < 3; r++) {
            CU_ASSERT_EQUAL(tg_objs_left(&s.k.r[r].objs), 0);
            CU_ASSERT_TRUE(tg_objs_quiet(&s.k.r[r].objs));
        }
        ranks_stop(&s.k);
    }
}

/* ----- weak handles ------------------------------------------------------------ */

static trygon_ref_t new_actor(struct rig *r)
{
    struct tg_obj *x = tg_objs_new(&r->objs, 0, 0);
    x->ref = tg_ref_make(TRYGON_KIND_ACTOR, 0, r->ctx.rank, 1, x->ref.lo);
    return x->ref;
}

/* It needs no weight, not even from a holder that has none to give. */
static void a_weak_handle_travels_without_weight(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = new_actor(&k.r[0]), weak = tg_ref_weaken(ref);
    tg_objs_weak(&k.r[1].objs, ref);
    send_item(&k.r[1], 2, item_ref(weak));
    send_item(&k.r[1], 0, item_val(val_refs(1, &weak)));
    CU_ASSERT_TRUE(tg_objs_quiet(&k.r[1].objs)); /* nothing waits */
    CU_ASSERT_EQUAL(ctx_count(&k.r[1].ctx, TG_MSG_MORE), 0);
    CU_ASSERT_EQUAL(receive_item(&k.r[1], &k.r[2]), 0);
    CU_ASSERT_EQUAL(receive_item(&k.r[1], &k.r[0]), 0);
    CU_ASSERT_EQUAL(rig_obj(&k.r[2], weak)->count, 1);
    CU_ASSERT_EQUAL(rig_obj(&k.r[0], weak)->count, 1); /* at its owner, too */
    CU_ASSERT_EQUAL(weight_of(&k.r[0], ref), 0);
    CU_ASSERT_PTR_NOT_EQUAL(rig_obj(&k.r[0], weak), rig_obj(&k.r[0], ref));
    for (int i = 0; i < 3; i++)
        drop(&k.r[i], weak);
    CU_ASSERT_EQUAL(ctx_count(&k.r[2].ctx, TG_MSG_DROP), 0);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[2], weak));
    CU_ASSERT_EQUAL(rig_obj(&k.r[0], ref)->count, 1);
    drop(&k.r[0], ref);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[0], ref));
    ranks_stop(&k);
}

/* What it watches is the actor itself, whose last count it is not. */
static void a_weak_handle_hears_of_its_actor(void)
{
    struct ranks k;
    ranks_start(&k);
    trygon_ref_t ref = new_actor(&k.r[0]), weak = tg_ref_weaken(ref);
    struct tg_obj *x = tg_objs_weak(&k.r[1].objs, ref);
    struct tg_watch want = {.who = TG_WATCHER_ACTOR, .fetch = true};
    tg_objs_watch(&k.r[1].objs, x, &want);
    exchange(&k);
    CU_ASSERT_EQUAL(x->state, TG_OBJ_PENDING);
    tg_objs_resolve(&k.r[0].objs, rig_obj(&k.r[0], ref), val_text("here"));
    rig_settle(&k.r[0]);
    drop(&k.r[0], ref);
    exchange(&k);
    CU_ASSERT_EQUAL(x->state, TG_OBJ_READY);
    CU_ASSERT_PTR_NULL(rig_obj(&k.r[0], ref));
    drop(&k.r[1], weak);
    CU_ASSERT_EQUAL(tg_objs_left(&k.r[1].objs), 0);
    ranks_stop(&k);
}

static const struct unit_test tests[] = {
    TEST(an_owner_mints_weight_for_each_copy),
    TEST(the_last_drop_sends_all_weight_home_and_frees),
    TEST(a_holder_passes_on_half_and_asks_nobody),
    TEST(an_object_lives_while_a_copy_is_under_way),
    TEST(a_reference_that_comes_to_its_owner_is_a_hold),
    TEST(many_drops_go_home_in_one_message),
    TEST(a_place_travels_with_its_reference),
    TEST(a_holder_of_weight_1_asks_for_more_and_delays_only_that),
    TEST(a_message_that_waits_keeps_what_it_carries),
    TEST(weight_that_comes_too_late_goes_home),
    TEST(a_withdrawn_message_refunds_what_it_had_collected),
    TEST(so_does_one_that_carries_references_themselves),
    TEST(references_in_a_value_travel_with_weight_of_their_own),
    TEST(a_value_that_nobody_waits_for_any_more_leaves_nothing),
    TEST(references_of_a_lost_owner_travel_without_weight),
    TEST(what_waited_for_a_lost_rank_gives_its_weight_back),
    TEST(random_journeys_end_with_everything_freed),
    TEST(a_weak_handle_travels_without_weight),
    TEST(a_weak_handle_hears_of_its_actor),
    TESTS_END,
};

CUNIT_MAIN("weight", tests)
