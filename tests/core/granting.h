/* granting.h - the head, and what owners and workers say to it.  Rank 0 and the
 * last rank have no CPUs; every rank may be an owner. */
#ifndef TG_TESTS_CORE_GRANTING_H
#define TG_TESTS_CORE_GRANTING_H

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "core/head.h"
#include "fixture.h"

enum { RANKS_MOST = 16 };

struct sched {
    struct tg_ctx ctx;
    struct tg_head head;
    int32_t node[RANKS_MOST];
    int64_t total[RANKS_MOST][TG_RES_MAX];
};

struct grant {
    uint64_t lease;
    int32_t owner, worker;
    uint32_t ncpus;
    int32_t first; /* of its CPUs */
};

static const char *const res_names[TG_RES_MAX] = {[TG_RES_CPU] = "CPU",
                                                  [TG_RES_GPU] = "GPU",
                                                  [TG_RES_MEMORY] = "memory",
                                                  [TG_RES_CUSTOM] = "licence"};

/* `workers` ranks of `cpus` CPUs each, `each` of them to a node.  The totals
 * may be changed before sched_go(). */
static inline void sched_setup(struct sched *s, int32_t workers, int64_t cpus,
                               int32_t each)
{
    memset(s, 0, sizeof *s);
    ctx_start(&s->ctx, 0, workers + 2);
    for (int32_t r = 1; r <= workers; r++) {
        s->node[r] = (r - 1) / each;
        s->total[r][TG_RES_CPU] = cpus * TG_UNIT;
    }
    s->node[workers + 1] = s->node[workers];
}

static inline void sched_go(struct sched *s)
{
    int32_t n = s->ctx.nranks;
    int64_t(*total)[TG_RES_MAX] = s->total;
    struct tg_head_config config = {.nranks = n,
                                    .nnodes = s->node[n - 1] + 1,
                                    .node = s->node,
                                    .res_names = res_names};
    memcpy(&config.total, &total, sizeof total); /* adds a const to int64_t */
    tg_head_init(&s->head, &s->ctx, &config);
}

static inline void sched_start(struct sched *s, int32_t workers, int64_t cpus,
                               int32_t each)
{
    sched_setup(s, workers, cpus, each);
    sched_go(s);
}

static inline void sched_stop(struct sched *s)
{
    tg_head_fini(&s->head);
    ctx_stop(&s->ctx);
}

static inline void sched_settle(struct sched *s)
{
    while (s->head.dirty)
        tg_head_schedule(&s->head);
    tg_head_check(&s->head);
}

static inline void head_msg(struct sched *s, int32_t from, struct tg_msg *m)
{
    tg_head_msg(&s->head, from, m);
    tg_msg_fini(m);
    sched_settle(s);
}

static inline void sched_sleep(struct sched *s, uint64_t ns)
{
    uint64_t until = s->ctx.now_ns + ns;
    struct tg_timer t;
    while (tg_timers_pop(&s->ctx.timers, until, &t)) {
        if (t.when_ns > s->ctx.now_ns)
            s->ctx.now_ns = t.when_ns;
        tg_head_timer(&s->head, &t);
        sched_settle(s);
    }
    s->ctx.now_ns = until;
}

static inline void sched_gone(struct sched *s, int32_t rank)
{
    s->ctx.dead[rank] = true;
    tg_head_gone(&s->head, rank);
    sched_settle(s);
}

struct asked { /* a demand */
    int32_t owner;
    uint64_t cls;
    uint32_t want, received;
    int32_t depth;
    struct tg_shape shape;
    int32_t nprefer, prefer[TG_PREFER_MAX];
};

static inline void ask(struct sched *s, const struct asked *a)
{
    struct tg_msg m = {.type = TG_MSG_DEMAND};
    m.u.demand.cls = a->cls;
    m.u.demand.want = a->want;
    m.u.demand.received = a->received;
    m.u.demand.depth = a->depth;
    m.u.demand.shape = tg_shape_new(&a->shape);
    m.u.demand.nprefer = a->nprefer;
    memcpy(m.u.demand.prefer, a->prefer, sizeof a->prefer);
    head_msg(s, a->owner, &m);
}

/* So many leases of one CPU each, for class 1 of that owner. */
static inline void ask_for(struct sched *s, int32_t owner, uint32_t want)
{
    struct asked a = {owner, 1, want, 0, 0, shape_cpus(TG_UNIT), 0, {0}};
    ask(s, &a);
}

/* The next grant to any owner; false: there is none.  The worker has been
 * told as well, before. */
static inline bool granted(struct sched *s, struct grant *g)
{
    struct tg_msg m;
    memset(g, 0, sizeof *g);
    for (uint32_t i = 0; i < s->ctx.out.n; i++) {
        const struct tg_action *a = &s->ctx.out.v[i];
        if (a->msg.type != TG_MSG_LEASE)
            continue;
        *g = (struct grant){.lease = a->msg.u.lease.lease,
                            .owner = a->rank,
                            .worker = a->msg.u.lease.worker};
        ctx_said(&s->ctx, g->owner, TG_MSG_LEASE);
        CU_ASSERT_TRUE(ctx_sent(&s->ctx, g->worker, TG_MSG_OPEN, &m));
        CU_ASSERT_EQUAL(m.u.open.lease, g->lease);
        CU_ASSERT_EQUAL(m.u.open.owner, g->owner);
        g->ncpus = m.u.open.ncpus;
        g->first = g->ncpus > 0 ? m.u.open.ids[0] : -1;
        tg_msg_fini(&m);
        return true;
    }
    return false;
}

/* All that was granted, up to `most`. */
static inline uint32_t all_granted(struct sched *s, struct grant *g,
                                   uint32_t most)
{
    uint32_t n = 0;
    while (n < most && granted(s, &g[n]))
        n++;
    return n;
}

static inline void tell_head(struct sched *s, const struct grant *g,
                             enum tg_msg_type type)
{
    struct tg_msg m = {.type = type};
    m.u.close.lease = g->lease;
    head_msg(s, g->worker, &m);
}

static inline void closes(struct sched *s, const struct grant *g)
{
    tell_head(s, g, TG_MSG_CLOSED);
}

/* The text of a refusal; "": none was sent.  Valid until the next call. */
static inline const char *refused(struct sched *s, int32_t owner, bool *final)
{
    static char text[160];
    struct tg_msg m;
    if (!ctx_sent(&s->ctx, owner, TG_MSG_REFUSE, &m))
        return "";
    *final = m.u.refuse.final;
    snprintf(text, sizeof text, "%s", m.u.refuse.reason);
    tg_msg_fini(&m);
    return text;
}

#endif
