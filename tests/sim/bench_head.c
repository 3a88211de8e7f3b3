/* bench_head.c - how long the head takes for a decision (core/head.h).
 *
 *     bench_head [--bench] [--nodes N] [--decisions N] [--classes N]
 *                [--owners N] [--seed S]
 *
 * drives a head on one machine after the other with what owners and workers
 * say to it, by a seeded generator, and measures the calls.  Leases come and
 * go at a load at which many classes wait.  There are whole CPUs and parts,
 * few and many; memory, GPUs and a licence that only some nodes have; SPREAD,
 * hard and soft nodes; nested demand; data to be near; CPUs lent and taken
 * back; and classes that no node can ever run.
 *
 * Without --bench it is a test: few decisions, no times that mean anything,
 * and all invariants of the head again and again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/head.h"

enum { CORES = 64, EVENT_NS = 500, STEP = 4, SLICES = 50 };

struct options {
    uint32_t nodes, decisions, classes, owners; /* nodes 0: several sizes */
    uint64_t seed;
    bool bench;
};

struct class
{
    struct tg_shape shape;
    struct tg_msg_demand demand; /* but for want: as it is now */
    int32_t owner;
    uint32_t goal, active; /* leases wanted in all; had */
};

struct lease {
    uint64_t id;
    uint32_t cls;
    bool lent;
};

struct bench {
    const struct options *o;
    struct tg_ctx ctx;
    struct tg_head head;
    struct tg_rng rng;
    int32_t *node;
    int64_t (*total)[TG_RES_MAX];
    struct class *classes;
    TG_VEC(struct lease) leases;
    TG_VEC(uint64_t) recalled;
    uint32_t last; /* the class whose lease was closed last */
    bool measuring;
    uint64_t clock_ns; /* what looking at the clock costs */
    uint64_t total_ns, calls, granted, closed, refused;
    double quiet_us;   /* a decision, in the quietest of SLICES parts */
    uint32_t *took_ns; /* of each call that took a decision */
    uint32_t ntook, captook;
};

static uint32_t below(struct bench *b, uint32_t n)
{
    return tg_rng_below(&b->rng, n);
}

static uint64_t wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static uint64_t clock_cost(void)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 1000; i++) {
        uint64_t from = wall_ns(), to = wall_ns();
        best = to - from < best ? to - from : best;
    }
    return best;
}

/* ----- the machine and its classes ------------------------------------------------- */

static const char *const res_names[TG_RES_MAX] = {[TG_RES_CPU] = "CPU",
                                                  [TG_RES_GPU] = "GPU",
                                                  [TG_RES_MEMORY] = "memory",
                                                  [TG_RES_CUSTOM] = "licence"};
static const int64_t GIB = INT64_C(1) << 30;

/* Rank 0 has nothing; every tenth node has GPUs, every seventh licences. */
static void set_up_machine(struct bench *b, int32_t nodes)
{
    int32_t n = nodes + 1;
    b->node = tg_alloc((size_t)n * sizeof *b->node);
    b->total = tg_alloc((size_t)n * sizeof *b->total);
    for (int32_t r = 1; r < n; r++) {
        b->node[r] = r;
        b->total[r][TG_RES_CPU] = CORES * TG_UNIT;
        b->total[r][TG_RES_GPU] = r % 10 == 0 ? 8 * TG_UNIT : 0;
        b->total[r][TG_RES_MEMORY] = (r % 3 == 0 ? 512 : 256) * GIB;
        b->total[r][TG_RES_CUSTOM] = r % 7 == 0 ? 20 * TG_UNIT : 0;
    }
    b->ctx.nranks = n;
    b->ctx.rng.state = tg_mix64(b->o->seed);
    b->ctx.dead = tg_alloc((size_t)n * sizeof *b->ctx.dead);
    b->ctx.now_ns = 1;
    tg_limits_default(&b->ctx.lim);
    struct tg_head_config config = {
        .nranks = n, .nnodes = n, .node = b->node, .res_names = res_names};
    memcpy(&config.total, &b->total, sizeof b->total); /* adds a const */
    tg_head_init(&b->head, &b->ctx, &config);
}

static int64_t some_cpus(struct bench *b)
{
    static const int64_t part[] = {TG_UNIT / 4, TG_UNIT / 2, TG_UNIT * 3 / 2};
    uint32_t what = below(b, 100);
    if (what < 15)
        return part[below(b, 3)];
    if (what < 85)
        return (1 + below(b, 8)) * (int64_t)TG_UNIT;
    return (16 + below(b, CORES - 15)) * (int64_t)TG_UNIT;
}

static void set_up_class(struct bench *b, uint32_t i)
{
    struct class *c = &b->classes[i];
    struct tg_msg_demand *m = &c->demand;
    struct tg_shape *s = m->shape = &c->shape;
    uint32_t what = below(b, 100);
    c->owner = 1 + (int32_t)(i % b->o->owners % (uint32_t)(b->ctx.nranks - 1));
    m->cls = i + 1;
    m->depth = what < 80 ? 0 : 1 + (int32_t)(what % 3);
    s->amount[TG_RES_CPU] = some_cpus(b);
    what = below(b, 100);
    if (what < 15)
        s->amount[TG_RES_MEMORY] =
            (1 + below(b, 8)) * GIB * s->amount[TG_RES_CPU] / TG_UNIT;
    else if (what < 20)
        s->amount[TG_RES_GPU] = (1 + below(b, 8)) * (int64_t)TG_UNIT / 2;
    else if (what < 23)
        s->amount[TG_RES_CUSTOM] = (1 + below(b, 3)) * (int64_t)TG_UNIT;
    what = below(b, 100);
    s->strategy = TRYGON_STRATEGY_DEFAULT;
    if (what < 5)
        s->strategy = TRYGON_STRATEGY_SPREAD;
    else if (what < 15)
        s->strategy = TRYGON_STRATEGY_NODE;
    s->soft = what < 10;
    s->node = 1 + (int32_t)below(b, (uint32_t)b->ctx.nranks - 1);
    if (what >= 98) { /* it is refused, each time */
        s->amount[TG_RES_CPU] = (CORES + 1) * TG_UNIT;
        s->fail = true;
    }
}

/* ----- what is said to the head ----------------------------------------------------- */

/* Take in what the head has said: leases, and which are wanted back. */
static void read_head(struct bench *b)
{
    for (uint32_t i = 0; i < b->ctx.out.n; i++) {
        struct tg_msg *m = &b->ctx.out.v[i].msg;
        if (m->type == TG_MSG_LEASE) {
            uint32_t cls = (uint32_t)m->u.lease.cls - 1;
            *tg_vec_add(&b->leases) = (struct lease){m->u.lease.lease, cls, 0};
            b->classes[cls].active++;
            b->classes[cls].demand.received++;
            b->granted++;
        } else if (m->type == TG_MSG_RECALL) {
            *tg_vec_add(&b->recalled) = m->u.close.lease;
        } else if (m->type == TG_MSG_REFUSE) {
            b->refused++;
        }
        tg_msg_fini(m);
    }
    b->ctx.out.n = 0;
}

static void note_time(struct bench *b, uint64_t ns, uint64_t decisions)
{
    ns = ns > b->clock_ns ? ns - b->clock_ns : 0;
    b->total_ns += ns;
    b->calls++;
    if (decisions > 0 && b->ntook < b->captook)
        b->took_ns[b->ntook++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void say(struct bench *b, int32_t from, struct tg_msg *m)
{
    struct tg_head *h = &b->head;
    uint64_t decisions = h->decisions, began = wall_ns();
    tg_head_msg(h, from, m);
    tg_head_schedule(h);
    uint64_t ended = wall_ns();
    if (b->measuring)
        note_time(b, ended - began, h->decisions - decisions);
    read_head(b);
}

static void run_timers(struct bench *b)
{
    struct tg_timer t;
    while (tg_timers_pop(&b->ctx.timers, b->ctx.now_ns, &t)) {
        uint64_t decisions = b->head.decisions, began = wall_ns();
        tg_head_timer(&b->head, &t);
        tg_head_schedule(&b->head);
        uint64_t ended = wall_ns();
        if (b->measuring)
            note_time(b, ended - began, b->head.decisions - decisions);
        read_head(b);
    }
}

static void say_demand(struct bench *b, uint32_t cls)
{
    struct class *c = &b->classes[cls];
    struct tg_msg m = {.type = TG_MSG_DEMAND};
    c->demand.nprefer = 0;
    if (below(b, 5) == 0)
        for (uint32_t i = below(b, TG_PREFER_MAX + 1); i > 0; i--)
            c->demand.prefer[c->demand.nprefer++] =
                1 + (int32_t)below(b, (uint32_t)b->ctx.nranks - 1);
    m.u.demand = c->demand;
    m.u.demand.want = c->goal > c->active ? c->goal - c->active : 0;
    say(b, c->owner, &m);
    if (c->shape.fail) { /* its tasks have failed */
        m.u.demand.want = 0;
        say(b, c->owner, &m);
    }
}

/* A class's share of the CPUs, and a tenth: not all that is wanted is there. */
static uint32_t share_of(const struct bench *b, const struct class *c)
{
    int64_t cpus = (int64_t)CORES * (b->ctx.nranks - 1) * TG_UNIT;
    int64_t share = cpus / b->o->classes / c->shape.amount[TG_RES_CPU];
    return (uint32_t)share * 11 / 10 + 1;
}

static void new_goal(struct bench *b, struct class *c)
{
    uint32_t goal = share_of(b, c) + below(b, 2 * STEP + 1);
    c->goal = goal > STEP ? goal - STEP : 0;
}

static void say_of_lease(struct bench *b, uint32_t i, enum tg_msg_type type)
{
    struct tg_msg m = {.type = type};
    struct lease *l = &b->leases.v[i];
    m.u.close.lease = l->id;
    int32_t worker = (int32_t)(l->id >> 40);
    if (type == TG_MSG_CLOSED) {
        b->closed++;
        b->last = l->cls;
        b->classes[l->cls].active--;
        *l = b->leases.v[--b->leases.n];
    } else {
        l->lent = !l->lent;
    }
    say(b, worker, &m);
}

static void close_recalled(struct bench *b)
{
    uint64_t id = b->recalled.v[--b->recalled.n];
    for (uint32_t i = 0; i < b->leases.n; i++)
        if (b->leases.v[i].id == id) {
            say_of_lease(b, i, TG_MSG_CLOSED);
            return;
        }
}

static void event(struct bench *b)
{
    uint32_t what = below(b, 100);
    b->ctx.now_ns += below(b, 2 * EVENT_NS);
    run_timers(b);
    if (b->recalled.n > 0 && what < 50) {
        close_recalled(b);
    } else if (what < 50 && b->leases.n > 0) {
        say_of_lease(b, below(b, b->leases.n), TG_MSG_CLOSED);
    } else if (what < 53 && b->leases.n > 0) {
        uint32_t i = below(b, b->leases.n);
        say_of_lease(b, i, b->leases.v[i].lent ? TG_MSG_RESUME : TG_MSG_LEND);
    } else { /* who has lost a lease wants another, then anybody */
        uint32_t cls = b->last;
        b->last = below(b, b->o->classes);
        if (below(b, 4) == 0)
            new_goal(b, &b->classes[cls]);
        say_demand(b, cls);
    }
}

/* ----- a run -------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double at_part(const struct bench *b, double part)
{
    if (b->ntook == 0)
        return 0;
    return b->took_ns[(uint32_t)(part * (double)(b->ntook - 1))] / 1e3;
}

static void tell(struct bench *b, uint32_t nodes, uint64_t decisions)
{
    double n = (double)decisions;
    qsort(b->took_ns, b->ntook, sizeof *b->took_ns, by_size);
    printf("decisions %" PRIu64 " nodes %u cores %d classes %u owners %u\n",
           decisions, nodes, CORES, b->o->classes, b->o->owners);
    printf("  granted %.1f %%, closed %.1f %%, refused %.1f %%; in %" PRIu64
           " calls; at the end %u leases, %u classes waiting\n",
           100 * (double)b->granted / n, 100 * (double)b->closed / n,
           100 * (double)b->refused / n, b->calls, b->leases.n,
           b->head.queue.nparked);
    printf(
        "  total %.3f s, per decision %.3f us (%.3f in the quietest 1/%d), p50 / p99 / p99.9 / max "
        "%.2f / %.2f / %.2f / %.1f us (the clock's %u ns taken off)\n",
        (double)b->total_ns / 1e9, (double)b->total_ns / 1e3 / n, b->quiet_us,
        SLICES, at_part(b, 0.5), at_part(b, 0.99), at_part(b, 0.999),
        at_part(b, 1), (unsigned)b->clock_ns);
    fflush(stdout);
}

static void set_up(struct bench *b, uint32_t nodes)
{
    b->rng.state = b->o->seed;
    b->clock_ns = clock_cost();
    set_up_machine(b, (int32_t)nodes);
    b->classes = tg_alloc(b->o->classes * sizeof *b->classes);
    for (uint32_t i = 0; i < b->o->classes; i++) {
        set_up_class(b, i);
        b->classes[i].goal = share_of(b, &b->classes[i]);
    }
    b->captook = 2 * b->o->decisions;
    b->took_ns = tg_alloc((size_t)b->captook * sizeof *b->took_ns);
    memset(b->took_ns, 1, (size_t)b->captook * sizeof *b->took_ns);
}

static void end(struct bench *b)
{
    tg_head_fini(&b->head);
    tg_timers_fini(&b->ctx.timers);
    tg_vec_free(&b->ctx.out);
    tg_vec_free(&b->leases);
    tg_vec_free(&b->recalled);
    free(b->ctx.dead);
    free(b->node);
    free(b->total);
    free(b->classes);
    free(b->took_ns);
}

static void slice(struct bench *b, uint64_t until)
{
    uint64_t ns = b->total_ns, decisions = b->head.decisions;
    for (uint32_t i = 0; b->head.decisions < until; i++) {
        event(b);
        if (!b->o->bench && i % 16 == 0)
            tg_head_check(&b->head);
    }
    double us = (double)(b->total_ns - ns) / 1e3;
    us /= (double)(b->head.decisions - decisions);
    if (b->quiet_us == 0 || us < b->quiet_us)
        b->quiet_us = us;
}

/* What is measured begins when the machine is full. */
static void run(const struct options *o, uint32_t nodes)
{
    struct bench b = {.o = o};
    set_up(&b, nodes);
    for (uint32_t i = 0; i < o->classes; i++)
        say_demand(&b, i);
    for (uint32_t i = 0; i < 2 * b.leases.n; i++)
        event(&b);
    b.measuring = true;
    b.granted = b.closed = b.refused = 0;
    uint64_t from = b.head.decisions;
    for (uint32_t i = 1; i <= SLICES; i++)
        slice(&b, from + (uint64_t)o->decisions * i / SLICES);
    tell(&b, nodes, b.head.decisions - from);
    end(&b);
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 0);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {10, 100, 1000, 10000};
    struct options o = {0, 3000, 1000, 100, 1, false};
    for (int i = 1; i < argc; i++) {
        const char *v = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--bench") == 0) {
            o.bench = true;
            o.decisions = 1000000;
        } else if (strcmp(argv[i], "--nodes") == 0 && ++i < argc) {
            o.nodes = number(v);
        } else if (strcmp(argv[i], "--decisions") == 0 && ++i < argc) {
            o.decisions = number(v);
        } else if (strcmp(argv[i], "--classes") == 0 && ++i < argc) {
            o.classes = number(v);
        } else if (strcmp(argv[i], "--owners") == 0 && ++i < argc) {
            o.owners = number(v);
        } else if (strcmp(argv[i], "--seed") == 0 && ++i < argc) {
            o.seed = number(v);
        } else {
            fprintf(stderr,
                    "usage: %s [--bench] [--nodes N] [--decisions N] "
                    "[--classes N] [--owners N] [--seed S]\n",
                    argv[0]);
            return EXIT_FAILURE;
        }
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (o.nodes == 0 && (o.bench || sizes[i] <= 100))
            run(&o, sizes[i]);
    if (o.nodes > 0)
        run(&o, o.nodes);
    return EXIT_SUCCESS;
}
