/* wire_head.c - the messages between owners, workers and the head about leases,
 * and what the head tells all of its ranks (wire.h, coder.h). */
#include "wire/wire_impl.h"

/* ----- what tasks need -------------------------------------------------- */

/* A mask of the amounts that are not 0, then these. */
static void code_amounts(struct tg_coder *c, int64_t v[TG_RES_MAX])
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < TG_RES_MAX; i++)
        mask |= (uint64_t)(v[i] != 0) << i;
    tg_code_within(c, &mask, 0, (UINT64_C(1) << TG_RES_MAX) - 1);
    for (unsigned i = 0; i < TG_RES_MAX; i++)
        if ((mask >> i & 1) != 0) {
            tg_code_i64(c, &v[i]);
            tg_code_must(c, v[i] != 0);
        }
}

enum { STRATEGY_LAST = 2 }; /* TRYGON_STRATEGY_NODE, in a header above us */
enum { SHAPE_LEAST = 5 };   /* no amounts, and a byte for each of the rest */

void tg_code_shape(struct tg_coder *c, struct tg_shape **shape)
{
    struct tg_shape *s = tg_code_room(c, *shape, 1, sizeof *s, SHAPE_LEAST);
    *shape = s;
    if (c->rc != 0)
        return;
    code_amounts(c, s->amount);
    tg_code_range(c, &s->strategy, 0, STRATEGY_LAST);
    tg_code_i32(c, &s->node);
    tg_code_bool(c, &s->soft);
    tg_code_bool(c, &s->fail);
}

/* ----- messages, as in msg.h -------------------------------------------- */

enum { ROW_LEAST = 4 };

void tg_code_demand(struct tg_coder *c, struct tg_msg_demand *m)
{
    tg_code_u64(c, &m->cls);
    tg_code_shape(c, &m->shape);
    tg_code_u32(c, &m->want, UINT32_MAX);
    tg_code_u32(c, &m->received, UINT32_MAX);
    tg_code_i32(c, &m->depth);
    tg_code_range(c, &m->nprefer, 0, TG_PREFER_MAX);
    for (int32_t i = 0; i < m->nprefer; i++)
        tg_code_rank(c, &m->prefer[i]);
}

void tg_code_lease(struct tg_coder *c, struct tg_msg_lease *m)
{
    tg_code_u64(c, &m->lease);
    tg_code_u64(c, &m->cls);
    tg_code_rank(c, &m->worker);
}

void tg_code_refuse(struct tg_coder *c, struct tg_msg_refuse *m)
{
    tg_code_u64(c, &m->cls);
    tg_code_bool(c, &m->final);
    tg_code_text(c, &m->reason, TG_REASON_MAX);
    tg_code_must(c, m->reason != NULL);
}

void tg_code_open(struct tg_coder *c, struct tg_msg_open *m)
{
    tg_code_u64(c, &m->lease);
    tg_code_rank(c, &m->owner);
    tg_code_i32(c, &m->depth);
    tg_code_shape(c, &m->shape);
    tg_code_u32(c, &m->ncpus, UINT32_MAX / 2);
    tg_code_u32(c, &m->ngpus, UINT32_MAX / 2);
    uint32_t n = m->ncpus + m->ngpus;
    m->ids = tg_code_room(c, m->ids, n, sizeof *m->ids, 1);
    for (uint32_t i = 0; i < tg_code_all(c, n); i++)
        tg_code_i32(c, &m->ids[i]);
}

void tg_code_table(struct tg_coder *c, struct tg_msg_table *m)
{
    tg_code_u64(c, &m->waiter);
    tg_code_u32(c, &m->n, UINT32_MAX);
    m->v = tg_code_room(c, m->v, m->n, sizeof *m->v, ROW_LEAST);
    for (uint32_t i = 0; i < tg_code_all(c, m->n); i++) {
        tg_code_rank(c, &m->v[i].rank);
        tg_code_bool(c, &m->v[i].alive);
        code_amounts(c, m->v[i].total);
        code_amounts(c, m->v[i].avail);
    }
}
