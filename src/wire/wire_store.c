/* wire_store.c - the messages about objects in stores (wire.h, coder.h). */
#include "core/chan.h"
#include "wire/wire_impl.h"

/* Of a rank that has a store. */
static void code_store(struct tg_coder *c, int32_t *rank)
{
    tg_code_rank(c, rank);
    tg_code_must(c, *rank >= 0);
}

/* What the sender knows besides is of no use elsewhere. */
void tg_code_place(struct tg_coder *c, struct tg_place *at)
{
    code_store(c, &at->rank);
    tg_code_u64(c, &at->blob);
}

enum { NEWS_LEAST = 17, NEWS_MOST = 28, REF_LEAST = 16 };

_Static_assert(8 + TG_NEWS_MAX * NEWS_MOST <= TG_CHAN_RECORD,
               "news fit into a frame");

static void code_news(struct tg_coder *c, struct tg_news *x)
{
    uint64_t op = (uint64_t)x->op;
    tg_code_ref(c, &x->ref);
    if (!tg_code_within(c, &op, TG_NEWS_NEW, TG_NEWS_LAST))
        return;
    x->op = (enum tg_news_op)op;
    if (x->op == TG_NEWS_NEW) {
        code_store(c, &x->rank);
        tg_code_within(c, &x->size, 1, TG_WIRE_SIZE_MAX);
    } else if (x->op == TG_NEWS_HOME) {
        tg_code_u64(c, &x->size);
    }
}

void tg_code_news(struct tg_coder *c, struct tg_msg_news *m)
{
    tg_code_u32(c, &m->n, TG_NEWS_MAX);
    tg_code_must(c, m->n > 0);
    m->v = tg_code_room(c, m->v, m->n, sizeof *m->v, NEWS_LEAST);
    for (uint32_t i = 0; i < tg_code_all(c, m->n); i++)
        code_news(c, &m->v[i]);
}

void tg_code_fade(struct tg_coder *c, struct tg_msg_fade *m)
{
    tg_code_bool(c, &m->freed);
    tg_code_u32(c, &m->n, UINT32_MAX);
    tg_code_must(c, m->n > 0);
    m->v = tg_code_room(c, m->v, m->n, sizeof *m->v, REF_LEAST);
    for (uint32_t i = 0; i < tg_code_all(c, m->n); i++)
        tg_code_ref(c, &m->v[i]);
}

void tg_code_home(struct tg_coder *c, struct tg_msg_home *m)
{
    tg_code_ref(c, &m->ref);
    tg_code_rank(c, &m->rank);
    tg_code_u64(c, &m->blob);
}

void tg_code_forget(struct tg_coder *c, struct tg_msg_forget *m)
{
    tg_code_u32(c, &m->n, UINT32_MAX);
    tg_code_must(c, m->n > 0);
    m->v = tg_code_room(c, m->v, m->n, sizeof *m->v, sizeof *m->v);
    for (uint32_t i = 0; i < tg_code_all(c, m->n); i++)
        tg_code_u64(c, &m->v[i]);
}

void tg_code_pull(struct tg_coder *c, struct tg_msg_pull *m)
{
    uint64_t op = (uint64_t)m->op;
    if (!tg_code_within(c, &op, TG_PULL_BYTES, TG_PULL_END))
        return;
    m->op = (enum tg_pull_op)op;
    tg_code_u32(c, &m->number, UINT32_MAX);
    tg_code_u64(c, &m->blob);
    tg_code_u64(c, &m->to);
}

/* What code says decides what follows; of an error nothing does. */
void tg_code_data(struct tg_coder *c, struct tg_msg_data *m)
{
    tg_code_range(c, &m->code, INT32_MIN, TG_DATA_MOVED);
    tg_code_u32(c, &m->number, UINT32_MAX);
    tg_code_u64(c, &m->to);
    if (c->rc != 0 || m->code < 0)
        return;
    if (m->code == TG_DATA_MOVED) {
        code_store(c, &m->rank);
        tg_code_u64(c, &m->blob);
        return;
    }
    tg_code_within(c, &m->offset, 0, TG_WIRE_SIZE_MAX);
    tg_code_within(c, &m->n, 0, TG_WIRE_SIZE_MAX - m->offset);
    if (c->rc == 0 && m->n > 0) /* only the receiver knows where to */
        tg_code_attach(c, (void *)(uintptr_t)m->bytes, m->n);
}
