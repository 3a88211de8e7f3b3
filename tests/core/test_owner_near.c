/* test_owner_near.c - tasks run where the bytes of their arguments are. */
#include "../cunit_main.h"
#include "owning.h"

enum { LARGE = TG_INLINE_MAX + 1 };

/* An object of so many bytes at that rank. */
static trygon_ref_t far_object(struct rig *r, int32_t rank, uint64_t size)
{
    static uint64_t slot;
    trygon_ref_t ref = tg_ref_make(TRYGON_KIND_OBJECT, 0, rank, 0, ++slot);
    struct tg_item in = item_ref(ref);
    in.weight = 64;
    tg_objs_adopt(&r->objs, &in);
    struct tg_msg m = {.type = TG_MSG_VALUE};
    m.u.value.ref = ref;
    m.u.value.size = size;
    rig_msg(r, rank, &m);
    return ref;
}

static void the_most_bytes_come_first(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    struct tg_msg m;
    submit_args(&r, items(4, item_ref(far_object(&r, WORKER, 2 * LARGE)),
                          item_ref(far_object(&r, OTHER, LARGE)),
                          item_ref(far_object(&r, OTHER, LARGE + 1)),
                          item_ref(far_object(&r, HEAD, LARGE))));
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, HEAD, TG_MSG_DEMAND, &m));
    CU_ASSERT_EQUAL(m.u.demand.nprefer, 3);
    CU_ASSERT_EQUAL(m.u.demand.prefer[0], OTHER);
    CU_ASSERT_EQUAL(m.u.demand.prefer[1], WORKER);
    CU_ASSERT_EQUAL(m.u.demand.prefer[2], HEAD);
    tg_msg_fini(&m);
    rig_stop(&r);
}

/* WORKER and OTHER together have more than HEAD. */
static void bytes_of_a_node_count_together(void)
{
    static const int32_t nodes[] = {0, 0, 1, 1};
    struct rig r;
    struct tg_store store;
    struct tg_msg m;
    rig_start(&r, OWNER);
    tg_store_init(&store, &r.ctx, nodes, 1000);
    r.objs.store = &store;
    submit_args(&r, items(3, item_ref(far_object(&r, HEAD, 3 * LARGE)),
                          item_ref(far_object(&r, WORKER, LARGE)),
                          item_ref(far_object(&r, OTHER, 2 * LARGE + 1))));
    CU_ASSERT_TRUE_FATAL(ctx_sent(&r.ctx, HEAD, TG_MSG_DEMAND, &m));
    CU_ASSERT_EQUAL(m.u.demand.nprefer, 3);
    CU_ASSERT_EQUAL(m.u.demand.prefer[0], OTHER);
    CU_ASSERT_EQUAL(m.u.demand.prefer[1], WORKER);
    CU_ASSERT_EQUAL(m.u.demand.prefer[2], HEAD);
    tg_msg_fini(&m);
    tg_store_fini(&store);
    rig_stop(&r);
}

/* Two leases with room, three tasks whose bytes are at one rank each. */
static void the_nearest_lease_is_used(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    r.owner.mean_ns[0] = 100 * us; /* some ahead */
    trygon_ref_t at[] = {far_object(&r, WORKER, LARGE),
                         far_object(&r, OTHER, LARGE),
                         far_object(&r, OTHER, LARGE)};
    struct sent s;
    submit_many(&r, 0, 2, NULL);
    uint64_t cls = only_class(&r);
    lease_for(&r, cls, WORKER, 100);
    lease_for(&r, cls, OTHER, 101);
    while (ran(&r, WORKER, &s) || ran(&r, OTHER, &s))
        continue;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 3; i++) {
            submit_args(&r, items(1, item_ref(at[i])));
            CU_ASSERT_EQUAL(ran(&r, WORKER, &s), i == 0);
            CU_ASSERT_EQUAL(ran(&r, OTHER, &s), i > 0);
        }
        r.owner.mean_ns[0] = 10 * us;
    }
    rig_stop(&r);
}

static const struct unit_test tests[] = {
    TEST(the_most_bytes_come_first),
    TEST(bytes_of_a_node_count_together),
    TEST(the_nearest_lease_is_used),
    TESTS_END,
};

CUNIT_MAIN("owner_near", tests)
