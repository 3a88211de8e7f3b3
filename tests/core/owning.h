/* owning.h - the owner on rank 1 and what the head (rank 0) and two workers
 * (ranks 2 and 3) say to it. */
#ifndef TG_TESTS_CORE_OWNING_H
#define TG_TESTS_CORE_OWNING_H

#include <CUnit/CUnit.h>
#include <stdarg.h>
#include <stdlib.h>

#include "fixture.h"

enum { HEAD, OWNER, WORKER, OTHER };

struct sent { /* a run, as its worker has it */
    uint64_t lease, task;
    int32_t attempt;
    uint32_t fn, nargs;
};

static inline struct tg_spec spec_of(uint32_t fn)
{
    static const struct tg_shape one_cpu = {.amount = {TG_UNIT}};
    return (struct tg_spec){.fn = fn, .nreturns = 1, .shape = &one_cpu};
}

static inline trygon_ref_t submit(struct rig *r, struct tg_spec spec)
{
    trygon_ref_t ref = {0, 0};
    tg_owner_submit(&r->owner, &spec, &ref);
    rig_settle(r);
    return ref;
}

/* A task of function "f" with those arguments. */
static inline trygon_ref_t submit_args(struct rig *r, struct tg_items args)
{
    struct tg_spec spec = spec_of(0);
    spec.nargs = args.n;
    spec.args = tg_items_at(&args);
    trygon_ref_t ref = submit(r, spec);
    tg_items_fini(&args);
    return ref;
}

static inline void submit_many(struct rig *r, uint32_t fn, uint32_t n,
                               trygon_ref_t *refs)
{
    for (uint32_t i = 0; i < n; i++) {
        trygon_ref_t ref = submit(r, spec_of(fn));
        if (refs != NULL)
            refs[i] = ref;
    }
}

/* The next demand; 0: none was sent.  Its class in *cls. */
static inline uint32_t demanded(struct rig *r, uint64_t *cls)
{
    struct tg_msg m;
    if (!ctx_sent(&r->ctx, HEAD, TG_MSG_DEMAND, &m))
        return 0;
    *cls = m.u.demand.cls;
    uint32_t want = m.u.demand.want;
    tg_msg_fini(&m);
    return want;
}

/* The only class that there is. */
static inline uint64_t only_class(const struct rig *r)
{
    uint32_t at = 0;
    CU_ASSERT_EQUAL_FATAL(r->owner.classes.used, 1);
    const void *c = tg_slab_next(&r->owner.classes, &at);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return (uint64_t)r->owner.classes.gens[at - 1] << 32 | (at - 1);
}

static inline void lease_for(struct rig *r, uint64_t cls, int32_t worker,
                             uint64_t id)
{
    struct tg_msg m = {.type = TG_MSG_LEASE};
    m.u.lease.cls = cls;
    m.u.lease.worker = worker;
    m.u.lease.lease = id;
    rig_msg(r, HEAD, &m);
}

static inline void lease(struct rig *r, int32_t worker, uint64_t id)
{
    lease_for(r, only_class(r), worker, id);
}

/* The next run for this worker; false: there is none. */
static inline bool ran(struct rig *r, int32_t worker, struct sent *s)
{
    struct tg_msg m;
    bool any = ctx_sent(&r->ctx, worker, TG_MSG_RUN, &m);
    *s = (struct sent){m.u.run.lease, m.u.run.task, m.u.run.attempt, m.u.run.fn,
                       m.u.run.args.n};
    tg_msg_fini(&m);
    return any;
}

static inline void reply(struct rig *r, int32_t worker, const struct sent *s,
                         int32_t code, uint64_t ran_ns)
{
    struct tg_msg m = {.type = TG_MSG_DONE};
    m.u.done.lease = s->lease;
    m.u.done.task = s->task;
    m.u.done.attempt = s->attempt;
    m.u.done.code = code;
    m.u.done.ran_ns = ran_ns;
    m.u.done.bounces = UINT32_MAX; /* no bounce has overtaken it */
    if (code == 0) {
        m.u.done.returns = items(1, item_val(val_text("result")));
    } else {
        m.u.done.error = val_failed(code > 0 ? TRYGON_ERR_TASK : code);
    }
    rig_msg(r, worker, &m);
}

static inline void done(struct rig *r, int32_t worker, const struct sent *s)
{
    reply(r, worker, s, 0, 1 * ms);
}

static inline void bounce(struct rig *r, int32_t worker, uint64_t id,
                          enum tg_bounce why, uint32_t n,
                          const struct sent *runs)
{
    struct tg_msg m = {.type = TG_MSG_BOUNCE};
    m.u.bounce.lease = id;
    m.u.bounce.why = why;
    m.u.bounce.n = n;
    m.u.bounce.v = tg_alloc((n + 1) * sizeof *m.u.bounce.v);
    for (uint32_t i = 0; i < n; i++) {
        m.u.bounce.v[i].task = runs[i].task;
        m.u.bounce.v[i].attempt = runs[i].attempt;
    }
    rig_msg(r, worker, &m);
}

static inline void refuse(struct rig *r, bool final, const char *reason)
{
    struct tg_msg m = {.type = TG_MSG_REFUSE};
    m.u.refuse.cls = only_class(r);
    m.u.refuse.final = final;
    m.u.refuse.reason = tg_strdup(reason);
    rig_msg(r, HEAD, &m);
}

static inline void cancel(struct rig *r, trygon_ref_t ref)
{
    tg_owner_cancel(&r->owner, rig_obj(r, ref), false);
    rig_settle(r);
}

/* What became of it: 1 while it is pending, 0 when it has its value, else the
 * error's code. */
static inline int outcome(const struct rig *r, trygon_ref_t ref)
{
    const struct tg_obj *x = rig_obj(r, ref);
    if (x->state == TG_OBJ_PENDING)
        return 1;
    return x->val->error ? tg_val_err(x->val, 0)->code : 0;
}

/* No task and no lease is left, and no class either. */
static inline bool nothing_left(const struct rig *r)
{
    return tg_owner_quiet(&r->owner) && r->owner.classes.used == 0 &&
           r->owner.nready == 0;
}

#endif
