/* chance.c - what random scripts do (chance.h, script.h).
 *
 * Every choice comes from the script's own generator, so that a task does the
 * same wherever and whenever it runs.  What could wait for ever without being
 * a bug is avoided: nobody waits without a time-out for what can never run,
 * nor while it holds something that a blocked task does not lend.
 */
#include "chance.h"

#include <string.h>

enum { SLOTS_ENOUGH = 40 };

static const uint64_t us = 1000;

static uint32_t below(struct script *s, uint32_t n)
{
    return tg_rng_below(&s->rng, n);
}

static bool odds(struct script *s, uint32_t percent)
{
    return below(s, 100) < percent;
}

/* ----- choosing --------------------------------------------------------------------- */

enum { OBJECTS = 1, STREAMS = 2, ANY = 3 };

static bool pick_of(struct script *s, int kinds, uint32_t *slot)
{
    uint32_t n = s->slots.n, from = n > 0 ? below(s, n) : 0;
    for (uint32_t i = 0; i < n; i++) {
        *slot = (from + i) % n;
        int kind = s->slots.v[*slot].stream ? STREAMS : OBJECTS;
        if (slot_live(s, *slot) && (kinds & kind) != 0)
            return true;
    }
    return false;
}

static bool is_actor(const struct script *s, uint32_t slot)
{
    return tg_ref_actor(s->slots.v[slot].ref);
}

static bool pick_actor(struct script *s, uint32_t *slot)
{
    uint32_t n = s->slots.n, from = n > 0 ? below(s, n) : 0;
    for (uint32_t i = 0; i < n; i++) {
        *slot = (from + i) % n;
        if (slot_live(s, *slot) && is_actor(s, *slot))
            return true;
    }
    return false;
}

static bool pick_slot(struct script *s, uint32_t *slot)
{
    return pick_of(s, OBJECTS, slot);
}

static uint32_t pick_all(struct script *s, int kinds, uint32_t most,
                         uint32_t *slots)
{
    uint32_t n = 0, want = 1 + below(s, most);
    while (n < want && pick_of(s, kinds, &slots[n])) {
        bool twice = false; /* waits may name one twice, sets do not care */
        for (uint32_t i = 0; i < n; i++)
            twice = twice || slots[i] == slots[n];
        if (twice && odds(s, 80))
            break;
        n++;
    }
    return n;
}

static uint32_t pick_slots(struct script *s, uint32_t most, uint32_t *slots)
{
    return pick_all(s, OBJECTS, most, slots);
}

/* In a store every size is large, and some larger than it. */
static uint64_t pick_stored(const struct store_opts *o, uint64_t size)
{
    if (size <= 16)
        return size;
    return size < 20000 ? 17 + size % (2 * o->from)
                        : size % (2 * o->bytes) + 16;
}

static uint64_t pick_any(struct script *s)
{
    uint32_t x = below(s, 1000);
    if (x < 20)
        return 0;
    if (x < 650)
        return 16;
    if (x < 850)
        return 17 + below(s, 1000);
    if (x < 950)
        return 1024 + below(s, 8000);
    if (x < 975)
        return 20000 + below(s, 80000);
    return TG_INLINE_MAX - 2 + below(s, 60000);
}

static uint64_t pick_size(struct script *s)
{
    const struct store_opts *o = &s->rank->w->opts.store;
    uint64_t size = pick_any(s);
    return o->from > 0 ? pick_stored(o, size) : size;
}

static uint64_t pick_timeout(struct script *s)
{
    static const uint64_t some[] = {1, 20, 100, 1000, 5000, 30000};
    return some[below(s, 6)] * us + below(s, 1000);
}

static uint64_t pick_compute(struct script *s)
{
    static const uint64_t most[] = {50, 400, 6000, 30000};
    return 1 + us * below(s, (uint32_t)most[s->gene->fn % 4]);
}

/* ----- what a new task is ---------------------------------------------------------------- */

static void pick_place(struct script *s, struct tg_shape *shape)
{
    const struct machine *m = &s->rank->w->opts.machine;
    uint32_t x = below(s, 100);
    if (x < 6) {
        shape->strategy = TRYGON_STRATEGY_SPREAD;
    } else if (x < 14) {
        shape->strategy = TRYGON_STRATEGY_NODE;
        shape->node = (int32_t)below(s, (uint32_t)m->nnodes);
        shape->soft = odds(s, 60);
        shape->fail = !shape->soft; /* its node may be lost */
        if (odds(s, 3))
            shape->node = m->nnodes;
    }
}

static void pick_shape(struct script *s, struct plan *p)
{
    static const int64_t cpus[] = {0,       TG_UNIT / 4, TG_UNIT / 2,
                                   TG_UNIT, TG_UNIT,     2 * TG_UNIT};
    uint32_t x = below(s, 100);
    p->shape.amount[TG_RES_CPU] = x < 75 ? TG_UNIT : cpus[below(s, 6)];
    pick_place(s, &p->shape);
    if (odds(s, 8)) {
        p->gene.leaf = true;
        p->shape.amount[odds(s, 50) ? MACHINE_LICENCE : MACHINE_GPU] =
            odds(s, 50) ? TG_UNIT : TG_UNIT / 2;
    }
    if (odds(s, 2)) { /* nobody has so much */
        p->shape.amount[odds(s, 50) ? TG_RES_CPU : TG_RES_UNKNOWN] =
            INT64_C(1000000) * TG_UNIT;
        p->shape.fail = odds(s, 50);
    }
    if (p->shape.amount[TG_RES_CPU] > TG_UNIT && odds(s, 50))
        p->shape.fail = true;
}

static void pick_args(struct script *s, struct plan *p)
{
    uint32_t handle;
    p->nargs = odds(s, 50) ? 0 : below(s, TRUTH_ARGS);
    for (uint32_t i = 0; i < p->nargs; i++) {
        struct plan_arg *a = &p->args[i];
        *a = (struct plan_arg){.by_ref = odds(s, 50)};
        if (a->by_ref && pick_slot(s, &a->slot[0]) && !is_actor(s, a->slot[0]))
            continue;
        a->by_ref = false;
        a->size = pick_size(s);
        a->n = odds(s, 50) ? 0 : pick_slots(s, 4, a->slot);
        if (s->rank->w->opts.actors && pick_actor(s, &handle))
            a->slot[a->n++] = handle;
    }
}

static void pick_end(struct script *s, struct plan *p)
{
    static const int32_t retries[] = {0, 0, 1, 2, 3, 3, 8, -1};
    p->max_retries = retries[below(s, 8)];
    if (s->rank->w->opts.limits.lineage_bytes > 0 && odds(s, 50))
        p->max_retries = -1;
    if (odds(s, 20)) {
        p->gene.fail_first = 1 + below(s, 3);
        p->gene.fail_code = 1 + (int32_t)below(s, 3);
    }
    p->ncodes = below(s, 3);
    for (uint32_t i = 0; i < p->ncodes; i++)
        p->codes[i] = 1 + (int32_t)below(s, 3);
    if (odds(s, 10))
        p->ncodes = UINT32_MAX;
}

/* What is not lent must not wait for a reader, but that of an actor of which
 * everybody knows it. */
static void pick_stream(struct script *s, struct plan *p)
{
    bool waits = !p->gene.leaf;
    if (p->call)
        waits = truth_of(&s->rank->w->truth, s->slots.v[p->actor].ref)->stalls;
    p->nreturns = 0;
    p->gene.spin = false;
    p->gene.yields = below(s, 12);
    p->limit = TG_ANY_AHEAD;
    if (odds(s, 60))
        p->limit = (waits ? UINT64_C(1) : p->gene.yields + 1) + below(s, 4);
}

/* A constructor or a method waits for nobody without a time-out: others may
 * wait behind it. */
static void pick_create(struct script *s, struct plan *p)
{
    p->create = (struct tg_create){.concurrency = odds(s, 80) ? 1 : 3,
                                   .max_pending = -1,
                                   .keeps = odds(s, 30),
                                   .any_order = (p->gene.seed >> 20) % 10 < 3};
    p->stalls = !p->create.keeps && odds(s, 40);
    p->nreturns = 1;
    p->gene.spin = false;
    p->gene.leaf = true;
    p->gene.fail_first = odds(s, 10) ? 1 : 0;
    p->gene.fail_code = 1;
    p->max_retries = (int32_t)below(s, 5) - 1; /* restarts */
    p->create.max_task_retries = (int32_t)below(s, 4) - 1;
    p->ncodes = 0;
    p->shape = (struct tg_shape){0};
    if (!p->create.keeps) /* else it might starve what waits for a CPU */
        p->shape.amount[TG_RES_CPU] = TG_UNIT;
}

static bool pick_call(struct script *s, struct plan *p)
{
    if (!pick_actor(s, &p->actor))
        return false;
    p->call = true;
    uint32_t cls = tg_ref_index(s->slots.v[p->actor].ref);
    p->group = (uint8_t)((p->gene.seed >> 20) % world_groups(cls));
    p->gene.spin = false;
    p->gene.leaf = true;
    p->max_retries = odds(s, 60) ? TG_AS_ACTOR : (int32_t)below(s, 4) - 1;
    p->ncodes = odds(s, 50) ? 0 : p->ncodes;
    p->shape = (struct tg_shape){0};
    for (uint32_t i = 0; i < p->nargs; i++) {
        struct plan_arg *a = &p->args[i];
        if (a->by_ref &&
            truth_hopeless(&s->rank->w->truth, s->slots.v[a->slot[0]].ref))
            *a = (struct plan_arg){.size = 16}; /* others wait behind it */
    }
    return true;
}

static void pick_what(struct script *s, struct plan *p)
{
    uint32_t more = s->rank->w->opts.actors ? 2 : 1;
    if (odds(s, 12 * more)) {
        pick_create(s, p);
        return;
    }
    if (odds(s, 30 * more))
        (void)pick_call(s, p);
    if (odds(s, p->call ? 30 : 20))
        pick_stream(s, p);
}

static void plan_task(struct script *s, struct plan *p)
{
    const struct store_opts *o = &s->rank->w->opts.store;
    *p = (struct plan){.gene = {.seed = tg_rng_next(&s->rng)}};
    p->nreturns = odds(s, 85) ? 1 : below(s, 5);
    if (s->gene->levels > 0 && odds(s, 45))
        p->gene.levels = odds(s, 60)
                             ? s->gene->levels - 1
                             : (int32_t)below(s, (uint32_t)s->gene->levels);
    p->gene.fn = p->gene.levels > 0 ? below(s, 3) : below(s, 4);
    p->gene.result_size = pick_size(s);
    if (s->rank->w->opts.limits.lineage_bytes > 0 && odds(s, 60))
        p->gene.result_size = 1 + o->from + below(s, (uint32_t)o->from);
    p->gene.vary = odds(s, 30);
    p->gene.polite = odds(s, 50);
    p->gene.spin = odds(s, 3) && p->nreturns > 0;
    p->gene.name = odds(s, 10) ? "named" : NULL;
    pick_shape(s, p);
    pick_args(s, p);
    pick_end(s, p);
}

void chance_actor(struct script *s, struct plan *p)
{
    plan_task(s, p);
    pick_create(s, p);
}

/* ----- the next op --------------------------------------------------------------------------- */

/* How many of the slots will be ready one day. */
static uint32_t sure(struct script *s, const struct op *op)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < op->n; i++) {
        trygon_ref_t ref = s->slots.v[op->slot[i]].ref;
        bool twice = false;
        for (uint32_t j = 0; op->type == OP_SET && j < i; j++)
            twice = twice || tg_ref_eq(ref, s->slots.v[op->slot[j]].ref);
        n += !twice && !truth_hopeless(&s->rank->w->truth, ref);
    }
    return n;
}

static void wait_op(struct script *s, struct op *op, enum op_type type)
{
    op->n = pick_all(s, type == OP_GET ? OBJECTS : ANY, OP_SLOTS, op->slot);
    if (op->n == 0) {
        op->type = OP_QUERY;
        return;
    }
    op->type = type;
    op->need = 1 + below(s, op->n);
    uint32_t enough = type == OP_GET ? op->n : op->need;
    if (s->gene->leaf || odds(s, 35) || sure(s, op) < enough)
        op->ns = pick_timeout(s);
}

static void release_op(struct script *s, struct op *op)
{
    uint32_t n = pick_all(s, ANY, 4, op->slot);
    for (uint32_t i = 0; i < n; i++) {
        bool keep = s->slots.v[op->slot[i]].spinning;
        for (uint32_t j = 0; j < op->n; j++)
            keep = keep || op->slot[j] == op->slot[i];
        if (!keep)
            op->slot[op->n++] = op->slot[i];
    }
    op->type = op->n > 0 ? OP_RELEASE : OP_QUERY;
}

static void one_slot_op(struct script *s, struct op *op, enum op_type type)
{
    op->type = type;
    op->recursive = odds(s, 40);
    op->n = 1;
    if (!pick_of(s, type == OP_CANCEL ? ANY : OBJECTS, &op->slot[0]))
        *op = (struct op){.type = OP_QUERY};
    else if (type == OP_CANCEL && is_actor(s, op->slot[0]))
        *op = (struct op){.type = OP_RETAIN, .n = 1, .slot = {op->slot[0]}};
}

static void next_op(struct script *s, struct op *op)
{
    if (!pick_of(s, STREAMS, &op->slot[0]))
        return;
    op->type = OP_NEXT;
    op->n = 1;
    trygon_ref_t ref = s->slots.v[op->slot[0]].ref;
    if (s->gene->leaf || odds(s, 20) || truth_hopeless(&s->rank->w->truth, ref))
        op->ns = pick_timeout(s);
}

/* Has the task still items to yield?  One that is to fail has fewer. */
static bool yields_more(const struct script *s)
{
    const struct tg_exec *e = tg_worker_exec(&s->rank->core->worker, s->exec);
    if (s->task == NULL || s->task->limit == 0)
        return false;
    uint64_t n = s->gene->yields;
    if ((uint32_t)s->attempt < s->gene->fail_first)
        n = (s->gene->seed >> 8) % (n + 1);
    return e->yielded < n;
}

static void yield_op(struct script *s, struct op *op)
{
    op->type = OP_YIELD;
    op->n = odds(s, 80) ? 0 : pick_slots(s, 3, op->slot);
}

static void end_op(struct script *s, struct op *op)
{
    op->type = OP_END;
    if (s->task == NULL)
        return;
    if ((uint32_t)s->attempt < s->gene->fail_first)
        op->code = s->gene->fail_code;
    else if (odds(s, 40))
        op->n = pick_slots(s, 4, op->slot);
}

bool chance_may_submit(const struct script *s)
{
    const struct world *w = s->rank->w;
    return s->gene->levels > 0 && s->slots.n < SLOTS_ENOUGH &&
           w->stats.tasks < w->opts.max_tasks;
}

static bool over(struct script *s)
{
    const struct world *w = s->rank->w;
    if (s->task != NULL)
        return s->steps > s->gene->seed % 8 + (s->gene->levels > 0 ? 8 : 0);
    return w->stats.tasks >= w->opts.max_tasks || s->steps > 2000;
}

/* Drivers throw old slots away, so that they can go on for long. */
static bool tidy(struct script *s, struct op *op)
{
    if (s->task != NULL || s->slots.n < SLOTS_ENOUGH)
        return false;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->slots.n; i++)
        if (slot_live(s, i))
            s->slots.v[kept++] = s->slots.v[i];
    s->slots.n = kept;
    for (uint32_t i = 0; i < kept && op->n < OP_SLOTS; i++)
        if (!s->slots.v[i].spinning)
            op->slot[op->n++] = i;
    if (op->n == 0) { /* all of them spin */
        op->type = OP_CANCEL;
        op->n = 1;
        return true;
    }
    op->type = OP_RELEASE;
    return true;
}

static void submit_op(struct script *s, struct op *op)
{
    plan_task(s, &s->plan);
    pick_what(s, &s->plan);
    op->type = OP_SUBMIT;
    op->plan = &s->plan;
}

/* To be made again, mostly, but not for ever. */
static bool kill_op(struct script *s, struct op *op)
{
    if (!pick_actor(s, &op->slot[0]))
        return false;
    op->type = OP_KILL;
    op->n = 1;
    op->again = odds(s, 80) && s->attempt == 0;
    return true;
}

/* No actors. */
static void free_op(struct script *s, struct op *op)
{
    uint32_t slots[3], n = pick_slots(s, 3, slots);
    op->type = OP_FREE;
    for (uint32_t i = 0; i < n; i++)
        if (!is_actor(s, slots[i]))
            op->slot[op->n++] = slots[i];
    if (op->n == 0)
        op->type = OP_QUERY;
}

/* Sleeps, or what has to do with the rank's flag.  Without chance of its own, so
 * that the worlds are else what they were. */
static void pause_op(struct script *s, struct op *op)
{
    static const enum op_type types[] = {OP_SLEEP, OP_AWAIT, OP_FLAG, OP_QUERY};
    uint64_t x = tg_mix64(s->gene->seed + s->steps);
    op->type = types[x % 4];
    op->need = (uint32_t)(x >> 8) % 2;
    op->ns = 1 + us * ((x >> 16) % 300);
    if (s->rank->w->opts.store.from > 0 && (x >> 40) % 4 > 0)
        free_op(s, op);
}

void chance_next(struct script *s, struct op *op)
{
    const struct tg_exec *e = tg_worker_exec(&s->rank->core->worker, s->exec);
    *op = (struct op){.type = OP_QUERY};
    if (s->gene->spin && s->steps == 0) {
        op->type = OP_SPIN;
        return;
    }
    if (e != NULL && e->cancelled && s->gene->polite) {
        *op = (struct op){.type = OP_END, .code = TRYGON_ERR_CANCELLED};
        return;
    }
    if (yields_more(s) && (over(s) || odds(s, 40))) {
        yield_op(s, op);
        return;
    }
    if (over(s)) {
        end_op(s, op);
        return;
    }
    if (tidy(s, op))
        return;
    if (odds(s, 15)) {
        next_op(s, op);
        if (op->type == OP_NEXT && s->slots.n < SLOTS_ENOUGH)
            return;
        *op = (struct op){.type = OP_QUERY};
    }
    if (odds(s, 6) && chance_name(s, op))
        return;
    if (s->rank->w->opts.actors && odds(s, 4) && kill_op(s, op))
        return;
    uint32_t x = below(s, 100);
    if (chance_may_submit(s) && x < (s->task == NULL ? 50 : 35)) {
        submit_op(s, op);
    } else if (x < 60) {
        op->type = OP_COMPUTE;
        op->ns = s->task == NULL ? us * below(s, 300) : pick_compute(s);
    } else if (x < 72) {
        wait_op(s, op, OP_GET);
    } else if (x < 78) {
        wait_op(s, op, OP_WAIT);
    } else if (x < 82) {
        wait_op(s, op, OP_SET);
    } else if (x < 86) {
        one_slot_op(s, op, OP_CANCEL);
    } else if (x < 89) {
        one_slot_op(s, op, OP_RETAIN);
    } else if (x < 94) {
        release_op(s, op);
    } else if (x < 96) {
        one_slot_op(s, op, OP_CALL);
    } else if (x < 97 && odds(s, 40) && kill_op(s, op)) {
        return;
    } else if (x < 97 && s->task != NULL && s->task->call && odds(s, 50)) {
        op->type = OP_EXIT;
    } else if (x < 99) {
        op->type = OP_PUT;
        op->size = pick_size(s);
        op->n = odds(s, 50) ? 0 : pick_slots(s, 3, op->slot);
    } else {
        pause_op(s, op);
    }
}

void chance_gene(struct tg_rng *rng, int32_t levels, struct gene *gene)
{
    *gene = (struct gene){.seed = tg_rng_next(rng), .levels = levels};
}
