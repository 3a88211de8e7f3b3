/* ctx.c - see ctx.h. */
#include "core/ctx.h"

#include <stdarg.h>
#include <stdio.h>

static const uint64_t us = 1000, ms = 1000000;

void tg_limits_default(struct tg_limits *lim)
{
    *lim = (struct tg_limits){
        .weight_mint = UINT64_C(1) << 32,
        .copy_ns = 100 * ms,
        .linger_ns = 1 * ms,
        .overrun_ns = 5 * ms,
        .lend_ns = 1 * ms,
        .admit_ns = 10 * ms,
        .balance_ns = 10 * ms,
        .pipeline_ns = 500 * us,
        .dispatch_ns = 2 * us,
        .pipeline_max = 64,
        .blocked_max = 16,
        .readers_max = 2,
        .chunks_max = 4,
        .chunk = UINT64_C(4) << 20,
        .store_look_ns = 2 * ms,
        .store_file_ns = 100 * ms,
        .store_grace_ns = 2000 * ms,
        .store_full_ns = 10000 * ms,
        .fetch_note_ns = 60000 * ms,
        .fetch_fail_ns = 600000 * ms,
        .spill_burst = 100000000,
        .args_ns = 100 * ms,
    };
}

struct tg_action *tg_ctx_act(struct tg_ctx *ctx, enum tg_action_type type)
{
    struct tg_action *a = tg_vec_add(&ctx->out);
    a->type = type;
    a->rank = a->status = 0;
    a->handle = 0;
    a->ref = (trygon_ref_t){0, 0};
    a->cookie = NULL;
    a->msg.type = 0; /* none: the rest of it stays as it is */
    return a;
}

void tg_ctx_send(struct tg_ctx *ctx, int32_t rank, struct tg_msg *m)
{
    TG_ASSERT(rank >= 0 && rank < ctx->nranks);
    if (ctx->dead[rank]) {
        tg_msg_fini(m);
    } else if (rank == ctx->rank) {
        *tg_ctx_pass(ctx, &ctx->local) = *m;
    } else {
        struct tg_action *a = tg_ctx_act(ctx, TG_ACT_SEND);
        a->rank = rank;
        a->msg = *m;
    }
}

void tg_ctx_note(struct tg_ctx *ctx, int32_t level, const char *fmt, ...)
{
    char line[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    struct tg_msg m = {.type = TG_MSG_NOTE};
    m.u.note.level = level;
    m.u.note.text = tg_strdup(line);
    tg_ctx_send(ctx, 0, &m);
}
