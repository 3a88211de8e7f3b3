/* objs.c - see objs.h: entries and holds.  When objects are ready is
 * objs_ready.c, how references travel is objs_weight.c. */
#include "core/objs.h"

#include <stdlib.h>

#include "core/objs_impl.h"

void tg_objs_init(struct tg_objs *o, struct tg_ctx *ctx)
{
    *o = (struct tg_objs){.ctx = ctx};
    tg_slab_init(&o->owned, sizeof(struct tg_obj));
    tg_slab_init(&o->copies, sizeof(struct tg_copy));
    tg_slab_init(&o->watches, sizeof(struct tg_watch));
}

void tg_objs_fini(struct tg_objs *o)
{
    uint64_t at = 0;
    struct tg_obj *x;
    while ((x = tg_objs_next(o, &at)) != NULL)
        tg_val_drop(&x->val);
    HASH_CLEAR(hh, o->by_ref);
    struct tg_freed *f, *next;
    HASH_ITER (hh, o->freed, f, next) {
        HASH_DEL(o->freed, f);
        tg_val_drop(&f->val);
        free(f);
    }
    tg_parked_free(o);
    tg_slab_fini(&o->owned);
    tg_slab_fini(&o->copies);
    tg_slab_fini(&o->watches);
    tg_vec_free(&o->fired);
    tg_vec_free(&o->drops);
    tg_vec_free(&o->buried);
    tg_vec_free(&o->left);
    tg_vec_free(&o->fates);
}

/* ----- entries ------------------------------------------------------------ */

struct tg_obj *tg_objs_new(struct tg_objs *o, uint64_t task, uint32_t index)
{
    uint64_t handle;
    struct tg_obj *x = tg_slab_new(&o->owned, &handle);
    x->ref = tg_ref_make(TRYGON_KIND_OBJECT, 0, o->ctx->rank, index, handle);
    x->state = TG_OBJ_PENDING;
    x->owned = true;
    x->task = task;
    x->count = 1;
    return x;
}

/* Not in line: those of ours are found with less. */
static __attribute__((noinline)) struct tg_obj *
find_copy(const struct tg_objs *o, trygon_ref_t ref)
{
    struct tg_copy *c;
    HASH_FIND(hh, o->by_ref, &ref, sizeof ref, c);
    return c != NULL ? &c->obj : NULL;
}

struct tg_obj *tg_objs_find(const struct tg_objs *o, trygon_ref_t ref)
{
    if (tg_ref_rank(ref) != o->ctx->rank || tg_ref_weak(ref))
        return find_copy(o, ref);
    struct tg_obj *x = tg_slab_find(&o->owned, ref.lo);
    return x != NULL && x->ref.hi == ref.hi ? x : NULL;
}

struct tg_copy *tg_copy_of(struct tg_obj *x)
{
    TG_ASSERT(!x->owned);
    return (struct tg_copy *)(void *)x; /* obj is its first member */
}

uint64_t tg_obj_size(const struct tg_obj *x)
{
    if (x->val != NULL)
        return x->val->size;
    return x->owned ? 0 : ((const struct tg_copy *)(const void *)x)->size;
}

int32_t tg_obj_where(const struct tg_obj *x)
{
    if (x->val != NULL && x->val->stored)
        return tg_val_place(x->val)->rank;
    return tg_obj_size(x) > TG_INLINE_MAX ? tg_ref_rank(x->ref) : -1;
}

void tg_obj_fail_lost(struct tg_objs *o, struct tg_obj *x)
{
    int32_t owner = tg_ref_rank(x->ref);
    tg_objs_resolve(o, x,
                    tg_val_error(TRYGON_ERR_OWNER_DIED, owner, 0, "",
                                 "rank %d, which owned the object, was lost",
                                 (int)owner));
}

struct tg_obj *tg_objs_copy(struct tg_objs *o, trygon_ref_t ref)
{
    struct tg_obj *x = tg_objs_find(o, ref);
    if (x != NULL)
        return x;
    TG_ASSERT(tg_ref_rank(ref) != o->ctx->rank || tg_ref_weak(ref));
    uint64_t handle;
    struct tg_copy *c = tg_slab_new(&o->copies, &handle);
    c->self = handle;
    c->obj.ref = ref;
    c->obj.state = TG_OBJ_PENDING;
    HASH_ADD(hh, o->by_ref, obj.ref, sizeof c->obj.ref, c);
    if (o->ctx->dead[tg_ref_rank(ref)])
        tg_obj_fail_lost(o, &c->obj);
    return &c->obj;
}

struct tg_obj *tg_objs_weak(struct tg_objs *o, trygon_ref_t ref)
{
    struct tg_obj *x = tg_objs_copy(o, tg_ref_weaken(ref));
    tg_objs_hold(o, x);
    return x;
}

/* Ray says so too: an error is not to go by in silence.  One that was asked
 * for is no news. */
static void note_unread(struct tg_objs *o, const struct trygon_error *e)
{
    if (e->code != TRYGON_ERR_CANCELLED)
        tg_ctx_note(o->ctx, 2, "an error that nobody read: %s%s%s", e->function,
                    e->function[0] != '\0' ? ": " : "", e->text);
}

/* The references within a value of a dead object go, which may end other
 * objects: those wait in line, so that a long chain needs no deep stack. */
void tg_obj_bury(struct tg_objs *o, struct tg_val *val)
{
    *tg_vec_add(&o->buried) = val;
    if (o->burying)
        return;
    o->burying = true;
    while (o->buried.n > 0) {
        struct tg_val *v = o->buried.v[--o->buried.n];
        tg_objs_drop_refs(o, v);
        tg_val_drop(&v);
    }
    o->burying = false;
}

static void forget_freed(struct tg_objs *o, trygon_ref_t ref)
{
    struct tg_freed *f;
    for (;;) { /* perhaps it was lost more than once */
        HASH_FIND(hh, o->freed, &ref, sizeof ref, f);
        if (f == NULL)
            return;
        HASH_DEL(o->freed, f);
        tg_obj_bury(o, f->val);
        free(f);
    }
}

/* Watches on what nobody holds were set for something that has ended since:
 * whoever waits, holds. */
static void unwatch_all(struct tg_objs *o, struct tg_obj *x)
{
    while (x->watches != NULL)
        tg_objs_unwatch(o, x->watches->self);
}

/* The last trace of an entry: what it contains goes as well. */
static void forget(struct tg_objs *o, struct tg_obj *x)
{
    TG_ASSERT(x->count == 0 && x->user == 0);
    unwatch_all(o, x);
    if (x->state == TG_OBJ_FAILED && x->owned && !x->seen)
        note_unread(o, tg_val_err(x->val, 0));
    if (tg_ref_actor(x->ref))
        *tg_ctx_pass(o->ctx, &o->left) = x->ref;
    else if (x->owned && x->task != 0 &&
             tg_ref_kind(x->ref) == TRYGON_KIND_OBJECT)
        *tg_ctx_pass(o->ctx, &o->fates) = (struct tg_fate){.task = x->task};
    x->task = 0; /* its task looks at what it has left */
    struct tg_val *val = x->val;
    x->val = NULL;
    if (val != NULL && val->stored)
        tg_store_left(o->store, x->ref, val, x->owned);
    if (x->owned) {
        tg_slab_free(&o->owned, x->ref.lo);
    } else {
        struct tg_copy *c = tg_copy_of(x);
        HASH_DEL(o->by_ref, c);
        tg_slab_free(&o->copies, c->self);
    }
    if (val != NULL && val->nrefs > 0)
        tg_obj_bury(o, val);
    else
        tg_val_drop(&val);
}

/* A copy of many bytes may well be wanted again.  In the store it stays until
 * others need its memory, or nobody else holds the object (FADE). */
static bool worth_keeping(const struct tg_objs *o, const struct tg_obj *x)
{
    if (x->state != TG_OBJ_READY || x->val == NULL || x->idle || x->fading ||
        o->ctx->lim.copy_ns == 0)
        return false;
    return x->val->stored ? tg_store_has_copy(o->store, x->val)
                          : x->val->size > TG_INLINE_MAX;
}

static void keep_idle(struct tg_objs *o, struct tg_obj *x)
{
    struct tg_copy *c = tg_copy_of(x);
    x->idle = true;
    c->idle_until_ns = TG_NEVER;
    if (x->val->stored)
        return;
    c->idle_until_ns = o->ctx->now_ns + o->ctx->lim.copy_ns;
    tg_timers_add(&o->ctx->timers, c->idle_until_ns, TG_TIMER_COPY, c->self);
}

/* A copy goes home. */
static void let_go(struct tg_objs *o, struct tg_obj *x)
{
    if (worth_keeping(o, x)) {
        keep_idle(o, x);
        return;
    }
    if (x->weight > 0) {
        struct tg_weighted *w = tg_ctx_pass(o->ctx, &o->drops);
        *w = (struct tg_weighted){x->ref, x->weight};
        x->weight = 0;
    }
    forget(o, x);
}

void tg_obj_settle(struct tg_objs *o, struct tg_obj *x)
{
    if (x->count > 0)
        return;
    if (o->freed != NULL)
        forget_freed(o, x->ref);
    if (!x->owned) {
        let_go(o, x);
    } else if (x->weight == 0 && x->lineage == 0) {
        forget(o, x);
    } else if (x->weight == 0) {
        unwatch_all(o, x);
        if (x->task != 0 && x->state == TG_OBJ_READY)
            tg_obj_rest(o, x);
    } else if (!x->idle && x->val != NULL && x->val->stored) {
        x->idle = true;
        tg_store_unused(o->store, x->ref);
    }
}

void tg_objs_drop(struct tg_objs *o, struct tg_obj *x)
{
    TG_ASSERT(x->count > 0);
    if (--x->count == 0)
        tg_obj_settle(o, x);
}

void tg_objs_need_not(struct tg_objs *o, struct tg_obj *x)
{
    TG_ASSERT(x->lineage > 0);
    x->lineage--;
    tg_obj_settle(o, x);
}

void tg_objs_hold_refs(struct tg_objs *o, const struct tg_val *v)
{
    for (uint32_t i = 0; i < v->nrefs; i++)
        tg_objs_hold(o, tg_objs_get(o, tg_val_refs(v)[i]));
}

void tg_objs_drop_refs(struct tg_objs *o, const struct tg_val *v)
{
    for (uint32_t i = 0; i < v->nrefs; i++)
        tg_objs_drop(o, tg_objs_get(o, tg_val_refs(v)[i]));
}

void tg_objs_timer(struct tg_objs *o, uint64_t handle)
{
    struct tg_copy *c = tg_slab_find(&o->copies, handle);
    if (c != NULL && c->obj.idle && c->obj.count == 0 &&
        c->idle_until_ns <= o->ctx->now_ns)
        let_go(o, &c->obj);
}

void tg_objs_hurry(struct tg_objs *o)
{
    o->ctx->lim.copy_ns = 0;
    uint32_t slot = 0;
    struct tg_copy *c;
    while ((c = tg_slab_next(&o->copies, &slot)) != NULL)
        if (c->obj.idle && c->obj.count == 0)
            let_go(o, &c->obj);
}

/* ----- looking ------------------------------------------------------------- */

struct tg_obj *tg_objs_next(const struct tg_objs *o, uint64_t *at)
{
    static const uint64_t second = UINT64_C(1) << 32;
    uint32_t slot = (uint32_t)*at;
    if (*at < second) {
        struct tg_obj *x = tg_slab_next(&o->owned, &slot);
        *at = slot;
        if (x != NULL)
            return x;
        *at = second;
        slot = 0;
    }
    struct tg_copy *c = tg_slab_next(&o->copies, &slot);
    *at = second | slot;
    return c != NULL ? &c->obj : NULL;
}

uint32_t tg_objs_left(const struct tg_objs *o)
{
    return o->owned.used + o->copies.used;
}

static void check_one(const struct tg_objs *o, const struct tg_obj *x)
{
    TG_ASSERT(x->count >= x->user);
    TG_ASSERT(x->count > 0 || x->weight > 0 || x->idle || x->lineage > 0 ||
              o->ctx->dead[tg_ref_rank(x->ref)]);
    TG_ASSERT(x->owned || x->lineage == 0);
    TG_ASSERT(!x->dormant || (x->state == TG_OBJ_PENDING && x->task != 0 &&
                              x->watches == NULL));
    TG_ASSERT(!tg_ref_weak(x->ref) || (!x->owned && x->weight == 0));
    TG_ASSERT(x->state != TG_OBJ_PENDING || x->val == NULL);
    TG_ASSERT(x->state != TG_OBJ_FAILED || x->val->error);
    TG_ASSERT(x->state != TG_OBJ_READY || x->val != NULL || !x->owned);
    TG_ASSERT(!x->idle || x->count == 0);
    const struct tg_watch *w;
    DL_FOREACH (x->watches, w) {
        TG_ASSERT(w->obj == x && !tg_watch_due(o, x, w));
        TG_ASSERT(w->who != TG_WATCHER_RANK || x->owned);
        TG_ASSERT(x->owned || x->val != NULL || x->asked_fetch ||
                  (x->asked_ready && !w->fetch));
    }
    for (uint32_t i = 0; x->val != NULL && i < x->val->nrefs; i++)
        TG_ASSERT(tg_objs_find(o, tg_val_refs(x->val)[i])->count > 0);
}

void tg_objs_check(const struct tg_objs *o)
{
    uint64_t at = 0, users = 0;
    const struct tg_obj *x;
    while ((x = tg_objs_next(o, &at)) != NULL) {
        check_one(o, x);
        users += x->user;
    }
    TG_ASSERT(users == o->user_counts);
}
