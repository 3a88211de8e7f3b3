/* working.h - the worker on rank 2, and what the head (rank 0) and two owners
 * (ranks 1 and 3) say to it. */
#ifndef TG_TESTS_CORE_WORKING_H
#define TG_TESTS_CORE_WORKING_H

#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "fixture.h"

enum { HEAD, OWNER, WORKER, OTHER };

static inline void open_lease(struct rig *r, uint64_t id, int32_t owner,
                              int32_t depth)
{
    struct tg_msg m = {.type = TG_MSG_OPEN};
    m.u.open.lease = id;
    m.u.open.owner = owner;
    m.u.open.depth = depth;
    struct tg_shape shape = shape_cpus(TG_UNIT);
    m.u.open.shape = tg_shape_new(&shape);
    m.u.open.ncpus = 1;
    m.u.open.ids = tg_alloc(sizeof *m.u.open.ids);
    rig_msg(r, HEAD, &m);
}

static inline void lease_msg(struct rig *r, int32_t from, enum tg_msg_type type,
                             uint64_t id)
{
    struct tg_msg m = {.type = type};
    m.u.close.lease = id;
    rig_msg(r, from, &m);
}

static inline void run_with(struct rig *r, int32_t owner, uint64_t id,
                            uint64_t task, struct tg_items args)
{
    struct tg_msg m = {.type = TG_MSG_RUN};
    m.u.run.lease = id;
    m.u.run.task = task;
    m.u.run.nreturns = 1;
    m.u.run.args = args;
    rig_msg(r, owner, &m);
}

static inline void run(struct rig *r, uint64_t id, uint64_t task)
{
    run_with(r, OWNER, id, task, (struct tg_items){0});
}

/* The next execution that is to start; NULL: none. */
static inline struct tg_exec *started(struct rig *r)
{
    struct tg_action a;
    if (!ctx_acted(&r->ctx, TG_ACT_START, &a))
        return NULL;
    return tg_worker_exec(&r->worker, a.handle);
}

/* The task that starts next; 0: none. */
static inline uint64_t starts(struct rig *r)
{
    const struct tg_exec *e = started(r);
    return e != NULL ? e->task : 0;
}

static inline struct tg_exec *find_exec(struct rig *r, uint64_t task)
{
    uint32_t slot = 0;
    struct tg_exec *e;
    while ((e = tg_slab_next(&r->worker.execs, &slot)) != NULL)
        if (e->task == task)
            return e;
    return NULL;
}

/* It must be there. */
static inline struct tg_exec *exec_of(struct rig *r, uint64_t task)
{
    struct tg_exec *e = find_exec(r, task);
    if (e == NULL)
        abort();
    return e;
}

/* User code of that task: it blocks, goes on, returns. */
static inline void blocks(struct rig *r, uint64_t task, bool unmet)
{
    tg_worker_blocked(&r->worker, exec_of(r, task), unmet);
    rig_settle(r);
}

static inline void goes_on(struct rig *r, uint64_t task)
{
    tg_worker_unblocked(&r->worker, exec_of(r, task));
    rig_settle(r);
}

static inline void returns(struct rig *r, uint64_t task)
{
    struct tg_outcome out = {.returns = items(1, item_val(val_text("r")))};
    tg_worker_done(&r->worker, exec_of(r, task), &out);
    rig_settle(r);
}

/* A bounce to OWNER was sent: its reason, how many tasks and the first of
 * them; 0: none was. */
static inline int bounced(struct rig *r, uint32_t *n, uint64_t *first)
{
    struct tg_msg m;
    if (!ctx_sent(&r->ctx, OWNER, TG_MSG_BOUNCE, &m))
        return 0;
    int why = (int)m.u.bounce.why;
    *n = m.u.bounce.n;
    *first = *n > 0 ? m.u.bounce.v[0].task : 0;
    tg_msg_fini(&m);
    return why;
}

/* A done of that task went to its owner: its code; 1: none did. */
static inline int done_code(struct rig *r, int32_t owner, uint64_t task)
{
    struct tg_msg m;
    int code = 1;
    if (ctx_sent(&r->ctx, owner, TG_MSG_DONE, &m) && m.u.done.task == task)
        code = m.u.done.code;
    tg_msg_fini(&m);
    return code;
}

#endif
