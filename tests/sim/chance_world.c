/* chance_world.c - a random world: its ranks, machine, network and losses
 * (chance.h).
 */
#include "chance.h"

static const uint64_t us = 1000, ms = 1000000;

static int32_t pick_ranks(struct tg_rng *g)
{
    uint32_t x = tg_rng_below(g, 100);
    if (x < 8)
        return 1 + (int32_t)tg_rng_below(g, 2);
    if (x < 45)
        return 3 + (int32_t)tg_rng_below(g, 12);
    if (x < 82)
        return 15 + (int32_t)tg_rng_below(g, 18);
    if (x < 95)
        return 33 + (int32_t)tg_rng_below(g, 48);
    return 81 + (int32_t)tg_rng_below(g, 176);
}

static void pick_machine(struct tg_rng *g, int32_t nranks, struct machine *m)
{
    static const char *const nodes[] = {
        "pu:1", "core:2 pu:1", "pack:2 core:4 pu:1", "numa:1 core:3 pu:2",
        "pack:1 numa:2 l3:2 core:2 pu:1"};
    machine_init(m, nranks);
    for (int32_t at = 0; at < nranks;) {
        int32_t n = 1 + (int32_t)tg_rng_below(g, 6);
        n = n < nranks - at ? n : nranks - at;
        machine_node(m, nodes[tg_rng_below(g, 5)], at, n);
        at += n;
    }
    for (int32_t r = 0; r < nranks; r++) {
        int64_t *t = m->total[r];
        if (r > 0 && tg_rng_below(g, 10) == 0)
            t[TG_RES_CPU] = 0; /* a client */
        t[MACHINE_GPU] = tg_rng_below(g, 4) == 0 ? TG_UNIT : 0;
        t[MACHINE_LICENCE] = tg_rng_below(g, 4) * TG_UNIT;
    }
    if (nranks > 1 && tg_rng_below(g, 4) > 0)
        m->total[0][TG_RES_CPU] = 0;
    /* One rank that is never lost has all that any has. */
    int64_t *most = m->total[nranks > 1 ? 1 : 0];
    for (int r = 0; r < TG_RES_MAX; r++)
        for (int32_t i = 0; i < nranks; i++)
            if (m->total[i][r] > most[r])
                most[r] = m->total[i][r];
    if (most[TG_RES_CPU] == 0)
        most[TG_RES_CPU] = TG_UNIT;
}

static uint64_t one_of(struct tg_rng *g, const uint64_t *v, uint32_t n)
{
    return v[tg_rng_below(g, n)];
}

static void pick_limits(struct tg_rng *g, struct tg_limits *lim)
{
    const uint64_t times[] = {0, 1, 100 * us, 1 * ms, 5 * ms, 20 * ms};
    tg_limits_default(lim);
    if (tg_rng_below(g, 2) == 0)
        lim->weight_mint = 1 + tg_rng_below(g, 8);
    lim->copy_ns = one_of(g, times, 6);
    lim->linger_ns = one_of(g, times, 5);
    lim->overrun_ns = one_of(g, times + 2, 4);
    lim->lend_ns = one_of(g, times, 5);
    lim->admit_ns = one_of(g, times + 2, 4);
    lim->balance_ns = one_of(g, times + 2, 4);
    lim->pipeline_ns = one_of(g, times, 5);
    lim->pipeline_max = 1 + tg_rng_below(g, 64);
    lim->dispatch_ns = one_of(g, times, 5);
    lim->blocked_max = 1 + tg_rng_below(g, 16);
}

static void pick_network(struct tg_rng *g, struct world_opts *o)
{
    const uint64_t least[] = {0, 1 * us, 10 * us, 100 * us};
    const uint64_t spread[] = {0, 2 * us, 30 * us, 1 * ms};
    o->frame.least_ns = one_of(g, least, 4);
    o->frame.spread_ns = one_of(g, spread, 4);
    o->frame.spikes = tg_rng_below(g, 20);
    o->frame.spike_ns = 5 * ms;
    o->bulk.least_ns = 10 * o->frame.least_ns;
    o->bulk.spread_ns = 20 * o->frame.spread_ns;
    o->bulk.spikes = tg_rng_below(g, 100);
    o->bulk.spike_ns = 50 * ms;
    o->thread.spread_ns = one_of(g, spread, 3);
    o->eager_max = one_of(g, (const uint64_t[]){0, 4096, 1 << 20}, 3);
    o->silences = tg_rng_below(g, 3) == 0 ? tg_rng_below(g, 30) : 0;
    o->silence_ns = 1 + tg_rng_next(g) % (20 * ms);
    o->skew = tg_rng_below(g, 2) == 0;
}

/* With chance of its own: other worlds are what they were without stores. */
static void pick_store(uint64_t seed, struct world_opts *o)
{
    struct tg_rng own = {tg_mix64(~seed)}, *g = &own;
    struct store_opts *s = &o->store;
    struct tg_limits *lim = &o->limits;
    s->bytes = UINT64_C(1) << 40;
    if (tg_rng_below(g, 2) == 0)
        return;
    s->from = one_of(g, (const uint64_t[]){16, 40, 300}, 3);
    s->bytes = s->from * (3 + tg_rng_below(g, 20));
    s->at_once = tg_rng_below(g, 2) == 0;
    s->memory.spread_ns = 1 + one_of(g, (const uint64_t[]){0, us, 30 * us}, 3);
    s->disk.least_ns = one_of(g, (const uint64_t[]){0, 10 * us, 1 * ms}, 3);
    s->disk.spread_ns = 1 + one_of(g, (const uint64_t[]){0, us, 1 * ms}, 3);
    s->disk.spikes = tg_rng_below(g, 20);
    s->disk.spike_ns = 20 * ms;
    if (tg_rng_below(g, 3) == 0) {
        s->full = tg_rng_below(g, 2) * tg_rng_below(g, 300);
        s->broken = tg_rng_below(g, 2) * tg_rng_below(g, 100);
        s->unread = tg_rng_below(g, 2) * tg_rng_below(g, 30);
    }
    lim->readers_max = 1 + tg_rng_below(g, 3);
    lim->chunks_max = 1 + tg_rng_below(g, 3);
    lim->chunk = 1 + tg_rng_below(g, (uint32_t)s->from * 2);
    lim->store_look_ns =
        one_of(g, (const uint64_t[]){50 * us, 200 * us, 2 * ms}, 3);
    lim->store_file_ns = one_of(g, (const uint64_t[]){us, ms, 20 * ms}, 3);
    lim->store_grace_ns = lim->store_file_ns * (1 + tg_rng_below(g, 20));
    lim->store_full_ns = lim->store_file_ns * (1 + tg_rng_below(g, 100));
    lim->spill_burst = tg_rng_below(g, 4) * s->from;
    lim->lineage_bytes =
        one_of(g, (const uint64_t[]){0, LINEAGE_ALL, LINEAGE_ALL, 5000}, 4);
    lim->args_ns = (200 + tg_rng_below(g, 800)) * ms;
}

static void pick_losses(struct tg_rng *g, struct world *w)
{
    bool lineage = w->opts.limits.lineage_bytes > 0;
    if (w->nranks < 4 || (tg_rng_below(g, 3) == 0 && !lineage))
        return;
    uint32_t n = 1 + tg_rng_below(g, w->nranks < 16 ? 2 : lineage ? 8 : 4);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t x = tg_rng_below(g, w->opts.max_tasks);
        (void)tg_vec_add(&w->die_at);
        uint32_t at = w->die_at.n - 1; /* the first to come stands last */
        for (; at > 0 && w->die_at.v[at - 1] < x; at--)
            w->die_at.v[at] = w->die_at.v[at - 1];
        w->die_at.v[at] = x;
    }
}

void chance_world(uint64_t seed, int32_t ranks, struct world **world)
{
    struct tg_rng g = {tg_mix64(seed + 1)};
    struct world_opts o = {.seed = seed, .random = true};
    int32_t nranks = pick_ranks(&g);
    pick_machine(&g, ranks > 0 ? ranks : nranks, &o.machine);
    pick_limits(&g, &o.limits);
    pick_network(&g, &o);
    pick_store(seed, &o);
    o.max_tasks = 50 + tg_rng_below(&g, 400);
    o.max_levels = 1 + (int32_t)tg_rng_below(&g, 8);
    o.check_every = o.machine.nranks <= 8 ? 1 : 1000;
    o.actors = tg_rng_below(&g, 3) == 0;
    world_create(&o, world);
    struct world *w = *world;
    pick_losses(&g, w);
    for (int32_t r = 0; r < w->nranks; r++) {
        if (r > 0 && (r > 6 || tg_rng_below(&g, 8) > 0))
            continue;
        struct gene gene;
        chance_gene(&g, o.max_levels, &gene);
        world_begin(w, r, &gene);
    }
}
