/* parcel.h - three ranks that hand references to each other. */
#ifndef TG_TESTS_CORE_PARCEL_H
#define TG_TESTS_CORE_PARCEL_H

#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "fixture.h"

struct ranks {
    struct rig r[3];
};

static inline void ranks_start(struct ranks *k)
{
    for (int32_t i = 0; i < 3; i++)
        rig_start(&k->r[i], i);
}

static inline void ranks_stop(struct ranks *k)
{
    for (int32_t i = 0; i < 3; i++)
        rig_stop(&k->r[i]);
}

/* Deliver all messages. */
static inline void exchange(struct ranks *k)
{
    struct rig *const all[] = {&k->r[0], &k->r[1], &k->r[2]};
    rigs_deliver(all, 3);
}

static inline void drop(struct rig *r, trygon_ref_t ref)
{
    tg_objs_drop(&r->objs, rig_obj(r, ref));
    rig_settle(r);
}

/* Some message that carries one item. */
static inline void send_item(struct rig *from, int32_t to, struct tg_item it)
{
    struct tg_msg m = {.type = TG_MSG_RUN};
    m.u.run.lease = UINT64_MAX; /* of no lease */
    m.u.run.args = items(1, it);
    tg_objs_send(&from->objs, to, &m);
}

/* Its arrival, by hand: `to` holds the reference once more.  Returns the
 * weight that it brought; 0: no message was under way. */
static inline uint64_t receive_item(struct rig *from, struct rig *to)
{
    struct tg_msg m;
    if (!ctx_sent(&from->ctx, to->ctx.rank, TG_MSG_RUN, &m))
        return 0;
    struct tg_item *it = tg_items_at(&m.u.run.args);
    uint64_t weight = it->val != NULL ? it->weights[0] : it->weight;
    tg_objs_adopt(&to->objs, it);
    tg_msg_fini(&m);
    rig_settle(to);
    return weight;
}

static inline uint64_t hand_over(struct rig *from, struct rig *to,
                                 trygon_ref_t ref)
{
    send_item(from, to->ctx.rank, item_ref(ref));
    uint64_t weight = receive_item(from, to);
    CU_ASSERT_NOT_EQUAL(weight, 0);
    return weight;
}

#endif
