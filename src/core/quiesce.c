/* quiesce.c - see quiesce.h. */
#include "core/quiesce.h"

#include <stdlib.h>

#include "core/core.h"

struct tg_quiesce {
    struct tg_ctx *ctx;
    uint32_t round;
    int32_t waiting; /* answers of this round still to come */
    bool *answered;  /* by each rank */
    bool quiet;      /* so far in this round */
    bool said_bye;
    uint64_t sent, received, last_sent, last_received;
    bool last_quiet;
    uint64_t pause_ns;
};

static const uint64_t pause_least = 20000, pause_most = 2000000;

struct tg_quiesce *tg_quiesce_new(struct tg_ctx *ctx)
{
    struct tg_quiesce *q = tg_alloc(sizeof *q);
    q->ctx = ctx;
    q->answered = tg_alloc((size_t)ctx->nranks * sizeof *q->answered);
    q->pause_ns = pause_least;
    return q;
}

void tg_quiesce_free(struct tg_quiesce **q)
{
    if (*q != NULL)
        free((*q)->answered);
    free(*q);
    *q = NULL;
}

static void tell(struct tg_quiesce *q, enum tg_msg_type type)
{
    for (int32_t r = 0; r < q->ctx->nranks; r++) {
        struct tg_msg m = {.type = type};
        m.u.counts.round = q->round;
        tg_ctx_send(q->ctx, r, &m);
    }
}

void tg_quiesce_probe(struct tg_core *c)
{
    struct tg_quiesce *q = c->quiesce;
    if (q->said_bye)
        return;
    q->round++;
    q->waiting = 0;
    q->quiet = true;
    q->last_sent = q->sent;
    q->last_received = q->received;
    q->sent = q->received = 0;
    for (int32_t r = 0; r < q->ctx->nranks; r++) {
        q->answered[r] = q->ctx->dead[r];
        q->waiting += !q->ctx->dead[r];
    }
    tell(q, TG_MSG_PROBE);
}

/* Who is lost does not answer: ask the others anew. */
void tg_quiesce_gone(struct tg_core *c)
{
    if (c->quiesce->waiting > 0)
        tg_quiesce_probe(c);
}

void tg_quiesce_answer(struct tg_core *c, uint32_t round)
{
    struct tg_msg m = {.type = TG_MSG_COUNTS};
    m.u.counts.round = round;
    m.u.counts.quiet = c->draining && tg_core_quiet(c);
    for (int32_t r = 0; r < c->ctx.nranks; r++) {
        m.u.counts.sent += c->ctx.dead[r] ? 0 : c->sent_to[r];
        m.u.counts.received += c->ctx.dead[r] ? 0 : c->read_from[r];
    }
    tg_ctx_send(&c->ctx, 0, &m);
}

static void end_of_round(struct tg_quiesce *q)
{
    bool same = q->last_quiet && q->sent == q->last_sent &&
                q->received == q->last_received;
    bool even = q->sent == q->received;
    bool news = q->quiet && !q->last_quiet;
    q->last_quiet = q->quiet;
    if (q->quiet && same && even) {
        q->said_bye = true;
        tell(q, TG_MSG_BYE);
        return;
    }
    q->pause_ns = news ? pause_least : q->pause_ns * 2;
    if (q->pause_ns > pause_most)
        q->pause_ns = pause_most;
    tg_timers_add(&q->ctx->timers, q->ctx->now_ns + q->pause_ns, TG_TIMER_PROBE,
                  0);
}

void tg_quiesce_counts(struct tg_quiesce *q, int32_t from,
                       const struct tg_msg_counts *m)
{
    if (m->round != q->round || q->answered[from])
        return;
    q->answered[from] = true;
    q->quiet = q->quiet && m->quiet;
    q->sent += m->sent;
    q->received += m->received;
    if (--q->waiting == 0)
        end_of_round(q);
}
