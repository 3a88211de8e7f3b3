/* story.c - see story.h. */
#include "story.h"

#include <stdlib.h>
#include <string.h>

enum { TRACE_MOST = 1 << 18 };

static void build_store(const struct story *s, struct world_opts *o)
{
    o->store = s->store;
    o->store.at_once = true;
    o->store.disk.least_ns = 50000;
    if (s->store.bytes == 0)
        o->store.bytes = UINT64_C(1) << 40;
    if (s->chunk > 0)
        o->limits.chunk = s->chunk;
    if (s->readers > 0)
        o->limits.readers_max = s->readers;
    if (s->store_full_ns > 0)
        o->limits.store_full_ns = s->store_full_ns;
    o->limits.lineage_bytes = s->lineage_bytes;
    if (s->store_file_ns > 0)
        o->limits.store_file_ns = s->store_file_ns;
}

static void build(const struct story *s, struct world_opts *o)
{
    *o = (struct world_opts){.seed = 1};
    machine_init(&o->machine, s->nranks);
    int32_t together = s->together > 0 ? s->together : 1;
    for (int32_t r = 0; r < s->nranks; r += together)
        machine_node(&o->machine, "core:1 pu:1", r,
                     together < s->nranks - r ? together : s->nranks - r);
    for (int32_t r = 0; r < s->nranks; r++)
        o->machine.total[r][TG_RES_CPU] = (int64_t)s->cpus[r] * TG_UNIT;
    tg_limits_default(&o->limits);
    if (s->weight_mint > 0)
        o->limits.weight_mint = s->weight_mint;
    if (s->balance_ns > 0)
        o->limits.balance_ns = s->balance_ns;
    if (s->linger_ns > 0)
        o->limits.linger_ns = s->linger_ns;
    build_store(s, o);
    o->frame.least_ns = 10000;
    o->bulk.least_ns = 100000;
    o->slow_from = s->slow_from;
    o->slow_to = s->slow_to;
    o->slow_ns = s->slow_us * UINT64_C(1000);
    o->trace_brief = s->brief;
    o->check_every = 1;
}

static void begin(struct world *w, int32_t rank, const struct op *ops)
{
    struct gene gene = {.seed = 77 + (uint64_t)rank, .ops = ops};
    if (ops != NULL)
        world_begin(w, rank, &gene);
}

/* The end of a run is told once, in a story of its own. */
static void cut(char *trace)
{
    char *end = strstr(trace, "0 ends the run\n");
    if (end == NULL)
        return;
    while (end > trace && end[-1] != '\n')
        end--;
    *end = '\0';
}

static void print_to_paste(const char *trace)
{
    while (*trace != '\0') {
        size_t n = strcspn(trace, "\n");
        printf("        \"%.*s\\n\"\n", (int)n, trace);
        trace += n + (trace[n] == '\n');
    }
}

bool story_run(const struct story *s)
{
    struct world_opts o;
    struct world *w;
    build(s, &o);
    o.trace = tg_alloc(TRACE_MOST);
    o.trace_size = TRACE_MOST;
    world_create(&o, &w);
    begin(w, 0, s->driver);
    for (int32_t r = 1; r < s->nranks; r++)
        begin(w, r, s->client[r]);
    for (int i = 0; i < STORY_EVENTS && s->events[i].rank > 0; i++)
        world_at(w, s->events[i].at_us * UINT64_C(1000), s->events[i].type,
                 s->events[i].rank, 0, NULL);
    world_run(w);
    if (!s->whole)
        cut(o.trace);
    bool same = strcmp(o.trace, s->expected) == 0;
    if (!same) {
        printf("story \"%s\" went another way:\n", s->name);
        print_to_paste(o.trace);
    }
    world_destroy(&w);
    free(o.trace);
    return same;
}
