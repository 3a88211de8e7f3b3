/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ----- a context ------------------------------------------------------------- */

void ctx_start(struct tg_ctx *ctx, int32_t rank, int32_t nranks)
{
    *ctx = (struct tg_ctx){.rank = rank, .nranks = nranks, .rng = {1}};
    tg_limits_default(&ctx->lim);
    ctx->now_ns = 1000 * ms;
    ctx->dead = tg_alloc((size_t)nranks * sizeof *ctx->dead);
}

void ctx_clear(struct tg_ctx *ctx)
{
    for (uint32_t i = 0; i < ctx->out.n; i++)
        tg_msg_fini(&ctx->out.v[i].msg);
    for (uint32_t i = ctx->local_at; i < ctx->local.n; i++)
        tg_msg_fini(&ctx->local.v[i]);
    ctx->out.n = ctx->local.n = ctx->local_at = 0;
}

void ctx_stop(struct tg_ctx *ctx)
{
    ctx_clear(ctx);
    tg_vec_free(&ctx->out);
    tg_vec_free(&ctx->local);
    tg_timers_fini(&ctx->timers);
    free(ctx->dead);
}

static void remove_action(struct tg_ctx *ctx, uint32_t i)
{
    ctx->out.n--;
    memmove(&ctx->out.v[i], &ctx->out.v[i + 1],
            (ctx->out.n - i) * sizeof *ctx->out.v);
}

bool ctx_sent(struct tg_ctx *ctx, int32_t to, enum tg_msg_type type,
              struct tg_msg *m)
{
    for (uint32_t i = 0; i < ctx->out.n; i++) {
        const struct tg_action *a = &ctx->out.v[i];
        if (a->type != TG_ACT_SEND || a->rank != to || a->msg.type != type)
            continue;
        *m = a->msg;
        remove_action(ctx, i);
        return true;
    }
    memset(m, 0, sizeof *m);
    return false;
}

bool ctx_said(struct tg_ctx *ctx, int32_t to, enum tg_msg_type type)
{
    struct tg_msg m;
    bool said = ctx_sent(ctx, to, type, &m);
    tg_msg_fini(&m);
    return said;
}

uint32_t ctx_count(const struct tg_ctx *ctx, enum tg_msg_type type)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < ctx->out.n; i++)
        n +=
            ctx->out.v[i].type == TG_ACT_SEND && ctx->out.v[i].msg.type == type;
    return n;
}

bool ctx_acted(struct tg_ctx *ctx, enum tg_action_type type,
               struct tg_action *a)
{
    for (uint32_t i = 0; i < ctx->out.n; i++) {
        if (ctx->out.v[i].type != type)
            continue;
        *a = ctx->out.v[i];
        remove_action(ctx, i);
        return true;
    }
    memset(a, 0, sizeof *a);
    return false;
}

/* ----- values and items -------------------------------------------------------- */

struct tg_val *val_text(const char *text)
{
    trygon_value_t u = trygon_bytes(text, strlen(text) + 1);
    return tg_val_copy(&u);
}

struct tg_val *val_bytes(size_t size)
{
    struct tg_val *v = tg_val_new(size, 0, 0);
    if (size > 0)
        memset(tg_val_data(v), 'x', size);
    return v;
}

struct tg_val *val_refs(uint32_t n, const trygon_ref_t *refs)
{
    trygon_value_t u = {.refs = refs, .nrefs = n};
    return tg_val_copy(&u);
}

struct tg_val *val_failed(int32_t code)
{
    return tg_val_error(code, 2, 0, "f", "it went wrong");
}

struct tg_item item_val(struct tg_val *v)
{
    return (struct tg_item){.val = v};
}

struct tg_item item_ref(trygon_ref_t ref)
{
    return (struct tg_item){.ref = ref};
}

struct tg_items items(uint32_t n, ...)
{
    struct tg_items v;
    tg_items_init(&v, n);
    va_list ap;
    va_start(ap, n);
    for (uint32_t i = 0; i < n; i++)
        tg_items_at(&v)[i] = va_arg(ap, struct tg_item);
    va_end(ap);
    return v;
}

struct tg_shape shape_cpus(int64_t amount)
{
    struct tg_shape s;
    memset(&s, 0, sizeof s);
    s.amount[TG_RES_CPU] = amount;
    return s;
}

/* ----- a rank -------------------------------------------------------------------- */

static const char *const fn_names[RIG_FNS] = {"f", "g", "h"};

/* Of a class "h" with two groups. */
static const struct tg_groups of_h = {3, {0, 1, 2}};
static const struct tg_groups *const groups[RIG_FNS] = {NULL, NULL, &of_h};

void rig_start(struct rig *r, int32_t rank)
{
    ctx_start(&r->ctx, rank, RIG_RANKS);
    tg_objs_init(&r->objs, &r->ctx);
    tg_streams_init(&r->streams, &r->ctx, &r->objs);
    tg_owner_init(&r->owner, &r->ctx, &r->objs, &r->streams, fn_names, RIG_FNS);
    tg_worker_init(&r->worker, &r->ctx, &r->objs, groups);
    tg_waits_init(&r->waits, &r->ctx, &r->objs, &r->streams);
}

void rig_stop(struct rig *r)
{
    tg_waits_fini(&r->waits);
    tg_worker_fini(&r->worker);
    tg_owner_fini(&r->owner);
    tg_streams_fini(&r->streams);
    tg_objs_fini(&r->objs);
    ctx_stop(&r->ctx);
}

static void pass_on(struct rig *r, const struct tg_watch *w)
{
    if (w->who == TG_WATCHER_TASK)
        tg_owner_notice(&r->owner, w);
    else if (w->who == TG_WATCHER_EXEC)
        tg_worker_notice(&r->worker, w);
    else if (w->who == TG_WATCHER_RANK)
        tg_objs_tell(&r->objs, w);
    else if (w->who == TG_WATCHER_ACTOR)
        tg_owner_located(&r->owner, w->obj);
    else
        tg_waits_notice(&r->waits, w);
    tg_objs_drop(&r->objs, w->obj);
}

void rig_settle(struct rig *r)
{
    struct tg_watch w;
    while (tg_objs_notice(&r->objs, &w))
        pass_on(r, &w);
    while (r->objs.left.n > 0)
        tg_owner_left(&r->owner, r->objs.left.v[--r->objs.left.n]);
    tg_objs_flush(&r->objs);
    tg_objs_check(&r->objs);
    tg_streams_check(&r->streams);
    tg_owner_check(&r->owner);
    tg_worker_check(&r->worker);
    tg_waits_check(&r->waits);
}

void rig_msg(struct rig *r, int32_t from, struct tg_msg *m)
{
    switch ((int)m->type) {
    case TG_MSG_LEASE:
    case TG_MSG_REFUSE:
    case TG_MSG_DONE:
    case TG_MSG_ITEM:
    case TG_MSG_BOUNCE: tg_owner_msg(&r->owner, from, m); break;
    case TG_MSG_OPEN:
    case TG_MSG_RECALL:
    case TG_MSG_CLOSE:
    case TG_MSG_RUN:
    case TG_MSG_TAKEN:
    case TG_MSG_CALL:
    case TG_MSG_UNCALL:
    case TG_MSG_LEAVE:
    case TG_MSG_CANCEL: tg_worker_msg(&r->worker, from, m); break;
    case TG_MSG_TABLE: tg_waits_table(&r->waits, &m->u.table); break;
    default: tg_objs_msg(&r->objs, from, m);
    }
    tg_msg_fini(m);
    rig_settle(r);
}

static void on_timer(struct rig *r, const struct tg_timer *t)
{
    switch ((int)t->kind) {
    case TG_TIMER_WAITER: tg_waits_timer(&r->waits, t->handle); break;
    case TG_TIMER_COPY: tg_objs_timer(&r->objs, t->handle); break;
    case TG_TIMER_LINGER: tg_owner_timer(&r->owner, t->handle); break;
    default: tg_worker_timer(&r->worker, t);
    }
}

void rig_sleep(struct rig *r, uint64_t ns)
{
    uint64_t until = r->ctx.now_ns + ns;
    struct tg_timer t;
    while (tg_timers_pop(&r->ctx.timers, until, &t)) {
        if (t.when_ns > r->ctx.now_ns)
            r->ctx.now_ns = t.when_ns;
        on_timer(r, &t);
        rig_settle(r);
    }
    r->ctx.now_ns = until;
}

void rig_gone(struct rig *r, int32_t rank)
{
    r->ctx.dead[rank] = true;
    tg_objs_gone(&r->objs, rank);
    tg_worker_gone(&r->worker, rank);
    tg_owner_gone(&r->owner, rank);
    rig_settle(r);
}

trygon_ref_t rig_put(struct rig *r, struct tg_val *v)
{
    struct tg_obj *x = tg_objs_new(&r->objs, 0, 0);
    x->user = 1;
    r->objs.user_counts++;
    tg_objs_hold_refs(&r->objs, v);
    tg_objs_resolve(&r->objs, x, v);
    return x->ref;
}

void rig_release(struct rig *r, trygon_ref_t ref)
{
    struct tg_obj *x = rig_obj(r, ref);
    x->user--;
    r->objs.user_counts--;
    tg_objs_drop(&r->objs, x);
    rig_settle(r);
}

struct tg_obj *rig_obj(const struct rig *r, trygon_ref_t ref)
{
    return tg_objs_find(&r->objs, ref);
}

static bool deliver_one(struct rig *const *rigs, int32_t n, struct rig *from)
{
    struct tg_ctx *ctx = &from->ctx;
    for (uint32_t i = 0; i < ctx->out.n; i++) {
        struct tg_action a = ctx->out.v[i];
        if (a.type != TG_ACT_SEND || a.rank >= n || rigs[a.rank] == NULL)
            continue;
        remove_action(ctx, i);
        rig_msg(rigs[a.rank], ctx->rank, &a.msg);
        return true;
    }
    return false;
}

void rigs_deliver(struct rig *const *rigs, int32_t n)
{
    for (int32_t i = 0; i < n;) {
        if (rigs[i] != NULL && deliver_one(rigs, n, rigs[i]))
            i = 0;
        else
            i++;
    }
}
