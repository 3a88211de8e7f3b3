/* store_node.c - see store_node.h. */
#include "store_node.h"

#include "world.h"

/* All others look, each when it comes to it. */
static void rouse(struct sim_rank *r)
{
    const struct sim_node *n = r->store.node;
    for (int32_t i = n->first; n->n > 1 && i < n->first + n->n; i++) {
        struct sim_rank *q = &r->w->ranks[i];
        if (q == r || q->dead || q->store.looks)
            continue;
        q->store.looks = true;
        world_at(r->w, world_delay(r->w, &r->w->opts.thread), WORLD_STORE, i, 0,
                 NULL);
    }
}

bool sim_node_take(struct sim_rank *r, uint64_t bytes)
{
    struct sim_store *s = &r->store;
    if (s->node->use.used + bytes > r->w->opts.store.bytes) {
        r->w->stats.again++;
        return false;
    }
    s->memory += bytes;
    if (!s->is_out)
        s->node->use.used += bytes;
    rouse(r);
    return true;
}

void sim_node_give(struct sim_store *s, uint64_t bytes)
{
    s->memory -= bytes;
    if (s->is_out)
        return;
    s->node->use.used -= bytes;
    rouse(s->rank);
}

void sim_node_spill(struct sim_rank *r, int64_t bytes)
{
    struct sim_store *s = &r->store;
    s->spilling += (uint64_t)bytes;
    if (bytes == 0 || s->is_out)
        return;
    s->node->use.spilling += (uint64_t)bytes;
    rouse(r);
}

void sim_node_want(struct sim_rank *r, uint64_t bytes)
{
    struct sim_store *s = &r->store;
    if (!s->is_out)
        s->node->use.wanted += bytes - s->wanted;
    s->wanted = bytes;
    r->w->stats.needs += bytes > 0;
    tell(r->w, r->id, "needs %u bytes of its node", (unsigned)bytes);
    rouse(r);
}

void sim_node_lose(struct sim_rank *r)
{
    struct sim_store *s = &r->store;
    if (s->is_out)
        return;
    s->is_out = true;
    s->node->use.used -= s->memory;
    s->node->use.spilling -= s->spilling;
    s->node->use.wanted -= s->wanted;
    rouse(r);
}

void sim_store_look(struct sim_rank *r, bool always)
{
    const struct sim_store *s = &r->store;
    if (s->is_out)
        return;
    struct tg_node_use use = {s->node->use.used - s->memory,
                              s->node->use.spilling - s->spilling,
                              s->node->use.wanted - s->wanted};
    struct tg_event ev = {.type = TG_EV_NODE, .node = &use};
    if (always || tg_store_cares(&r->core->store, &use))
        world_step(r, &ev);
}

void sim_store_check(const struct sim_rank *r)
{
    const struct tg_store *s = &r->core->store;
    uint64_t all = r->store.node->use.used;
    if (r->store.memory > s->limit || s->used > s->limit || all > s->limit)
        world_fail(r->w,
                   "rank %d has %u bytes in memory (%u), its node %u, more "
                   "than %u",
                   (int)r->id, (unsigned)r->store.memory, (unsigned)s->used,
                   (unsigned)all, (unsigned)s->limit);
}
