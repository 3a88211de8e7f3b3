/* storing.h - for the tests of the store: ranks whose memory and files are pretended. */
#ifndef TG_TESTS_CORE_STORING_H
#define TG_TESTS_CORE_STORING_H

#include <string.h>

#include "../cunit_main.h"
#include "core/store.h"
#include "fixture.h"

enum { RANKS = 4, BLOBS = 256 };

struct thing { /* what a rank has of a blob */
    uint64_t blob;
    bool memory, file, disk, sealed, pinned;
};

struct rank {
    struct tg_ctx ctx;
    struct tg_store store;
    struct thing things[BLOBS];
    int32_t make_rc, file_rc, spill_rc, load_rc;
    bool holds[TG_STORE_SEND + 1]; /* such actions are done, not answered */
    uint32_t did[TG_STORE_SEND + 1];
    uint32_t notes; /* for the log */
    uint64_t need;  /* that its node was told */
};

struct node {
    struct rank r[RANKS];
};

static const int32_t node_of[RANKS] = {0, 0, 1, 2};

static void start(struct node *k, uint64_t limit)
{
    memset(k, 0, sizeof *k);
    for (int32_t i = 0; i < RANKS; i++) {
        struct rank *r = &k->r[i];
        ctx_start(&r->ctx, i, RANKS);
        r->ctx.lim.chunk = 10;
        tg_store_init(&r->store, &r->ctx, node_of, limit);
    }
}

static void stop(struct node *k)
{
    for (int32_t i = 0; i < RANKS; i++) {
        tg_store_fini(&k->r[i].store);
        ctx_stop(&k->r[i].ctx);
    }
}

static struct thing *thing(struct rank *r, uint64_t blob)
{
    struct thing *t = NULL;
    for (int i = 0; i < BLOBS && t == NULL; i++)
        if (r->things[i].blob == blob || r->things[i].blob == 0)
            t = &r->things[i];
    TG_ASSERT(t != NULL);
    t->blob = blob;
    return t;
}

static int32_t perform(struct rank *r, enum tg_store_op op, struct thing *t)
{
    int32_t rc = 0;
    if (op == TG_STORE_MAKE || op == TG_STORE_FILE) {
        CU_ASSERT_FALSE(t->memory);
        rc = op == TG_STORE_MAKE ? r->make_rc : r->file_rc;
        t->memory = rc == 0;
        t->file = t->memory && op == TG_STORE_FILE;
    } else if (op == TG_STORE_SEAL) {
        CU_ASSERT_TRUE(t->memory && !t->sealed);
        t->sealed = true;
    } else if (op == TG_STORE_EVICT) {
        rc = t->pinned ? TRYGON_ERR_STATE : 0;
        t->memory = t->sealed = rc != 0;
    } else if (op == TG_STORE_SPILL) {
        CU_ASSERT_TRUE(t->sealed);
        rc = r->spill_rc;
        t->disk = rc == 0;
    } else if (op == TG_STORE_LOAD) {
        CU_ASSERT_TRUE(t->memory && t->disk);
        rc = r->load_rc;
    } else if (op == TG_STORE_FREE) {
        t->memory = t->disk = t->sealed = t->file = false;
    }
    return rc;
}

static void event(struct rank *r, enum tg_store_op op, uint64_t blob,
                  int32_t rc)
{
    tg_store_event(&r->store, op, blob, rc, (trygon_ref_t){0, 0});
    tg_store_check(&r->store);
}

static void deliver(struct node *k, int32_t from, int32_t to, struct tg_msg *m)
{
    if (!k->r[from].ctx.dead[to] && !k->r[to].ctx.dead[from] &&
        m->type != TG_MSG_NEWS) {
        tg_store_msg(&k->r[to].store, from, m);
        tg_store_check(&k->r[to].store);
    }
    tg_msg_fini(m);
}

static void act(struct node *k, int32_t at, struct tg_action *a)
{
    struct rank *r = &k->r[at];
    if (a->type == TG_ACT_SEND) {
        deliver(k, at, a->rank, &a->msg);
        return;
    }
    enum tg_store_op op = (enum tg_store_op)a->status;
    if (op == TG_STORE_NEED) {
        r->need = a->handle;
        return;
    }
    struct thing *t = thing(r, a->handle);
    r->did[op]++;
    if (op == TG_STORE_SEND) {
        CU_ASSERT_TRUE(t->sealed || t->disk);
        uint64_t to = a->msg.u.data.to;
        deliver(k, at, a->rank, &a->msg);
        if (!r->holds[op])
            tg_store_event(&r->store, op, a->handle, 0,
                           (trygon_ref_t){(uint64_t)a->rank, to});
        return;
    }
    int32_t rc = perform(r, op, t);
    if (!r->holds[op] && op != TG_STORE_SEAL && op != TG_STORE_FREE)
        event(r, op, a->handle, rc);
}

/* Until nothing is left to do. */
static void settle(struct node *k)
{
    for (int32_t i = 0; i < RANKS; i++) {
        struct tg_ctx *ctx = &k->r[i].ctx;
        tg_store_flush(&k->r[i].store);
        while (ctx->local.n > 0) { /* rank 0's news, and notes */
            struct tg_msg *m = &ctx->local.v[--ctx->local.n];
            k->r[i].notes += m->type == TG_MSG_NOTE;
            tg_msg_fini(m);
        }
        if (ctx->out.n == 0)
            continue;
        struct tg_action a = ctx->out.v[0];
        ctx->out.n--;
        memmove(ctx->out.v, ctx->out.v + 1, ctx->out.n * sizeof a);
        act(k, i, &a);
        i = -1; /* from the start: a fixed order */
    }
}

static void pass(struct node *k, int32_t at, uint64_t ns)
{
    struct rank *r = &k->r[at];
    struct tg_timer t;
    uint64_t until = r->ctx.now_ns + ns;
    while (tg_timers_pop(&r->ctx.timers, until, &t)) {
        r->ctx.now_ns = t.when_ns;
        CU_ASSERT_EQUAL(t.kind, TG_TIMER_STORE);
        tg_store_timer(&r->store);
        settle(k);
    }
    r->ctx.now_ns = until;
}

static uint64_t room(struct node *k, int32_t at, uint64_t size)
{
    struct tg_room q = {.size = size, .fn = UINT32_MAX};
    tg_store_room(&k->r[at].store, &q);
    settle(k);
    return q.blob;
}

static int has_room(const struct node *k, int32_t at, uint64_t blob)
{
    return tg_store_has_room(&k->r[at].store, blob);
}

static trygon_ref_t ref_of(const struct tg_val *v)
{
    return tg_ref_make(TRYGON_KIND_OBJECT, 0, tg_val_place(v)->rank, 0,
                       tg_val_place(v)->blob);
}

/* An object that was put at rank `at`, as that rank knows it. */
static struct tg_val *put(struct node *k, int32_t at, uint64_t size)
{
    uint64_t blob = room(k, at, size);
    CU_ASSERT_EQUAL(has_room(k, at, blob), 1);
    struct tg_val *v = tg_val_new_stored(size, 0, 0, at, blob);
    tg_store_seal(&k->r[at].store, v, at);
    tg_store_born(&k->r[at].store, ref_of(v), v);
    settle(k);
    return v;
}

/* What another rank knows of it. */
static inline struct tg_val *known(const struct tg_val *v)
{
    return tg_val_new_stored(v->size, 0, 0, tg_val_place(v)->rank,
                             tg_val_place(v)->blob);
}

static inline void want(struct node *k, int32_t at, struct tg_val *v)
{
    tg_store_want(&k->r[at].store, ref_of(v), v, true);
    settle(k);
}

/* Rank `at` has heard of v: its code; 2: nothing. */
static inline int32_t heard(struct node *k, int32_t at, const struct tg_val *v)
{
    struct tg_store *s = &k->r[at].store;
    for (uint32_t i = 0; i < s->arrived.n; i++)
        if (tg_ref_eq(s->arrived.v[i].ref, ref_of(v))) {
            int32_t rc = s->arrived.v[i].rc;
            s->arrived.v[i] = s->arrived.v[--s->arrived.n];
            return rc;
        }
    return 2;
}

static bool here(const struct node *k, int32_t at, const struct tg_val *v)
{
    return tg_store_here(&k->r[at].store, v);
}

static struct thing *own(struct node *k, const struct tg_val *v)
{
    return thing(&k->r[tg_val_place(v)->rank], tg_val_place(v)->blob);
}

/* The rank needs it no more; owned: nobody does. */
static void leave(struct node *k, int32_t at, struct tg_val *v, bool owned)
{
    tg_store_left(&k->r[at].store, ref_of(v), v, owned);
    settle(k);
    tg_val_drop(&v);
}

#endif
