/* waiting.h - short forms for the tests of waits. */
#ifndef TG_TESTS_CORE_WAITING_H
#define TG_TESTS_CORE_WAITING_H

#include "fixture.h"

/* Objects of ours that are still to come. */
static inline void pending(struct rig *r, uint32_t n, trygon_ref_t *refs)
{
    rig_start(r, 0);
    for (uint32_t i = 0; i < n; i++)
        refs[i] = tg_objs_new(&r->objs, 1, i)->ref;
}

static inline void comes(struct rig *r, trygon_ref_t ref)
{
    tg_objs_resolve(&r->objs, rig_obj(r, ref), val_text("value"));
    rig_settle(r);
}

static inline void fails(struct rig *r, trygon_ref_t ref)
{
    tg_objs_resolve(&r->objs, rig_obj(r, ref), val_failed(TRYGON_ERR_TASK));
    rig_settle(r);
}

static inline struct tg_wait_req want(enum tg_wait_kind kind, uint32_t n,
                                      const trygon_ref_t *refs)
{
    return (struct tg_wait_req){.kind = kind,
                                .n = n,
                                .refs = refs,
                                .fetch = true,
                                .deadline_ns = TG_NEVER};
}

static inline struct tg_waiter *all_of(struct rig *r, uint32_t n,
                                       const trygon_ref_t *refs)
{
    struct tg_wait_req req = want(TG_WAIT_ALL, n, refs);
    return tg_waits_begin(&r->waits, &req);
}

static inline struct tg_waiter *some_of(struct rig *r, uint32_t need,
                                        uint32_t n, const trygon_ref_t *refs)
{
    struct tg_wait_req req = want(TG_WAIT_SOME, n, refs);
    req.need = need;
    return tg_waits_begin(&r->waits, &req);
}

static inline struct tg_waiter *next_of(struct rig *r, uint64_t set)
{
    struct tg_wait_req req = want(TG_WAIT_SET, 0, NULL);
    req.set = set;
    return tg_waits_begin(&r->waits, &req);
}

/* The waiter is done and its thread was woken, once. */
static inline bool woken(struct rig *r, const struct tg_waiter *x)
{
    struct tg_action a;
    bool one = ctx_acted(&r->ctx, TG_ACT_WAKE, &a) && a.handle == x->self;
    return one && !ctx_acted(&r->ctx, TG_ACT_WAKE, &a) && x->done;
}

static inline void end(struct rig *r, const struct tg_waiter *x)
{
    tg_waits_end(&r->waits, x->self);
    rig_settle(r);
}

#endif
