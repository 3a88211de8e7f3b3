/* objs_ready.c - see objs.h: when objects are ready, and when their bytes are
 * here; who waits for that, and what becomes of those that are lost or freed. */
#include <stdlib.h>

#include "core/objs_impl.h"

static const bool legal[4][4] = {
    [TG_OBJ_PENDING] = {[TG_OBJ_READY] = true, [TG_OBJ_FAILED] = true},
    [TG_OBJ_READY] = {[TG_OBJ_PENDING] = true, /* lost, and to be made again */
                      [TG_OBJ_FAILED] = true}, /* never here, owner lost; an
                                                  actor has ended */
};

static void set_state(struct tg_obj *x, enum tg_obj_state to)
{
    TG_ASSERT(legal[x->state][to]);
    x->state = (uint8_t)to;
}

/* Move the watches that wait no longer to the notices. */
static void fire(struct tg_objs *o, struct tg_obj *x)
{
    struct tg_watch *w, *next;
    DL_FOREACH_SAFE (x->watches, w, next) {
        if (!tg_watch_due(o, x, w))
            continue;
        DL_DELETE(x->watches, w);
        tg_objs_hold(o, x);
        *tg_ctx_pass(o->ctx, &o->fired) = *w;
        tg_slab_free(&o->watches, w->self);
    }
}

static void ask(struct tg_objs *o, struct tg_obj *x, bool fetch)
{
    if (x->owned || x->asked_fetch || (x->asked_ready && !fetch))
        return;
    x->asked_ready = true;
    x->asked_fetch = fetch;
    struct tg_msg m = {.type = TG_MSG_WATCH};
    m.u.watch.ref = x->ref;
    m.u.watch.fetch = fetch;
    tg_ctx_send(o->ctx, tg_ref_rank(x->ref), &m);
}

/* Who still waits, waits for bytes that are elsewhere. */
static void fetch(struct tg_objs *o, struct tg_obj *x)
{
    bool call = false;
    const struct tg_watch *w;
    if (x->watches == NULL || x->val == NULL || !x->val->stored)
        return;
    DL_FOREACH (x->watches, w)
        call = call || w->who != TG_WATCHER_EXEC;
    tg_store_want(o->store, x->ref, x->val, call);
}

/* Bytes in a store stay for who has pinned them; all else that is lent, such as
 * the references within, must be kept for as long as somebody holds x. */
static void put_away(struct tg_objs *o, const struct tg_obj *x,
                     struct tg_val *val)
{
    if (x->count == 0 || (val->stored && val->nrefs == 0)) {
        tg_obj_bury(o, val);
        return;
    }
    struct tg_freed *f = tg_alloc(sizeof *f);
    f->ref = x->ref;
    f->val = val;
    HASH_ADD(hh, o->freed, ref, sizeof f->ref, f);
}

/* Its value here, if there is one, goes. */
static void lose_value(struct tg_objs *o, struct tg_obj *x)
{
    struct tg_val *val = x->val;
    x->val = NULL;
    if (val == NULL)
        return;
    if (val->stored)
        tg_store_left(o->store, x->ref, val, x->owned);
    put_away(o, x, val);
}

static struct tg_val *freed_error(const struct tg_objs *o)
{
    return tg_val_error(TRYGON_ERR_FREED, o->ctx->rank, 0, "",
                        "the object was freed");
}

static void lose_freed(struct tg_objs *o, struct tg_obj *x)
{
    if (x->val->stored && x->owned)
        tg_store_freed(o->store, x->ref);
    lose_value(o, x);
    x->seen = true; /* it is what was asked for */
    tg_objs_resolve(o, x, freed_error(o));
}

/* ----- lineage --------------------------------------------------------------- */

/* Somebody waits for it: its task is run again. */
static void wake(struct tg_objs *o, struct tg_obj *x)
{
    x->dormant = false;
    *tg_ctx_pass(o->ctx, &o->fates) =
        (struct tg_fate){.task = x->task, .wanted = true};
}

void tg_obj_rest(struct tg_objs *o, struct tg_obj *x)
{
    lose_value(o, x);
    set_state(x, TG_OBJ_PENDING);
    x->asked_fetch = x->idle = false;
    x->dormant = true;
    if (x->watches != NULL)
        wake(o, x);
}

static const char *unmade_text(const struct tg_obj *x)
{
    switch (x->unmade) {
    case TG_UNMADE_RETRIES: return ", and its task has no retries left";
    case TG_UNMADE_CANCELLED: return ", and its task was cancelled";
    case TG_UNMADE_EVICTED:
        return ", and its task was forgotten (TRYGON_LINEAGE_BYTES)";
    case TG_UNMADE_ACTOR:
        return ", and the actor of its call has ended, or has no handle here";
    case TG_UNMADE_ARGS:
        return ", and the arguments of its task have handles of actors";
    default: return "";
    }
}

void tg_objs_unmade(struct tg_objs *o, struct tg_obj *x, enum tg_unmade unmade)
{
    x->task = 0;
    x->unmade = (uint8_t)unmade;
    x->dormant = false;
    if (x->state == TG_OBJ_PENDING) {
        x->seen = x->seen || x->watches == NULL; /* nobody need be told */
        tg_objs_resolve(o, x,
                        tg_val_error(TRYGON_ERR_OBJECT_LOST, o->ctx->rank, 0,
                                     "", "the object was lost%s",
                                     unmade_text(x)));
    }
    tg_obj_settle(o, x);
}

void tg_objs_empty(struct tg_objs *o, struct tg_obj *x)
{
    lose_value(o, x);
    if (x->state == TG_OBJ_READY)
        set_state(x, TG_OBJ_PENDING);
    x->asked_fetch = x->dormant = false;
    x->task = 0;
}

/* An answer to who wants the bytes is one to all. */
void tg_objs_doubt(struct tg_objs *o, struct tg_obj *x)
{
    bool lost = x->val != NULL && x->val->stored &&
                o->ctx->dead[tg_val_place(x->val)->rank];
    if (x->owned || x->state != TG_OBJ_READY || (x->val != NULL && !lost) ||
        tg_objs_ready(o, x, true))
        return;
    x->asked_ready = x->asked_fetch = x->asked_fetch && x->val == NULL;
    lose_value(o, x);
    set_state(x, TG_OBJ_PENDING);
}

/* ----- resolving --------------------------------------------------------------- */

void tg_objs_resolve(struct tg_objs *o, struct tg_obj *x, struct tg_val *val)
{
    set_state(x, val->error ? TG_OBJ_FAILED : TG_OBJ_READY);
    x->val = val;
    if (x->owned)
        x->asked_fetch = x->dormant = false;
    if (val->stored && x->owned)
        tg_store_born(o->store, x->ref, val);
    if (x->owned && x->fading && x->state == TG_OBJ_READY) {
        lose_freed(o, x);
        return;
    }
    fire(o, x);
    fetch(o, x);
}

static void fail_bytes(struct tg_objs *o, struct tg_obj *x, int32_t rc)
{
    int32_t at = tg_val_place(x->val)->rank;
    if (rc == TRYGON_ERR_OBJECT_LOST && x->owned && x->task != 0) {
        tg_obj_rest(o, x);
        return;
    }
    struct tg_val *error =
        rc == TRYGON_ERR_OBJECT_LOST
            ? tg_val_error(rc, at, 0, "", "the object was lost with rank %d%s",
                           (int)at, unmade_text(x))
        : rc == TRYGON_ERR_STORE_FULL
            ? tg_val_error(rc, o->ctx->rank, 0, "",
                           "the store of rank %d had no room for the object",
                           (int)o->ctx->rank)
            : tg_val_error(rc, at, 0, "",
                           "the object could not be read back from its file");
    lose_value(o, x);
    tg_objs_resolve(o, x, error);
}

/* A copy has left, or what was waited for is here, or never will be.  Of a lost
 * one of others its owner knows more. */
void tg_objs_arrived(struct tg_objs *o, const struct tg_arrival *a)
{
    struct tg_obj *x = tg_objs_find(o, a->ref);
    if (x == NULL || x->state != TG_OBJ_READY || x->val == NULL ||
        !x->val->stored)
        return;
    if (a->rc < 0 && x->owned && x->asked_fetch)
        return; /* the head will say more */
    if (a->rc < 0 && (x->owned || a->rc != TRYGON_ERR_OBJECT_LOST)) {
        fail_bytes(o, x, a->rc);
    } else if (a->rc < 0) {
        lose_value(o, x);
        x->asked_fetch = x->asked_ready = false;
        if (o->ctx->dead[tg_ref_rank(x->ref)])
            tg_obj_fail_lost(o, x);
        else if (x->watches != NULL)
            ask(o, x, true);
    } else {
        fire(o, x);
        fetch(o, x);
    }
    if (!x->owned && a->rc != 0)
        tg_obj_settle(o, x);
}

void tg_objs_free_value(struct tg_objs *o, struct tg_obj *x)
{
    TG_ASSERT(x->owned);
    x->fading = true;
    if (x->state == TG_OBJ_READY) {
        lose_freed(o, x);
    } else if (x->dormant) {
        x->dormant = false;
        x->seen = true;
        tg_objs_resolve(o, x, freed_error(o));
    }
}

void tg_objs_fade(struct tg_objs *o, trygon_ref_t ref, bool freed)
{
    struct tg_obj *x = tg_objs_find(o, ref);
    if (x == NULL || x->owned)
        return;
    x->fading = true;
    if (freed && x->state == TG_OBJ_READY && x->val != NULL)
        lose_freed(o, x);
    tg_obj_settle(o, x);
}

void tg_objs_fail(struct tg_objs *o, struct tg_obj *x, struct tg_val *error)
{
    TG_ASSERT(tg_ref_actor(x->ref)); /* whose value has no references */
    tg_val_drop(&x->val);
    tg_objs_resolve(o, x, error);
}

void tg_obj_arrived(struct tg_objs *o, struct tg_obj *x, uint64_t size,
                    struct tg_val *val)
{
    if (x->state == TG_OBJ_PENDING && val != NULL) {
        tg_objs_resolve(o, x, val);
        return;
    }
    if (val != NULL && val->error) { /* it was lost, after it had been ready */
        tg_objs_resolve(o, x, val);
        return;
    }
    if (x->state == TG_OBJ_PENDING)
        set_state(x, TG_OBJ_READY);
    if (val != NULL)
        x->val = val;
    tg_copy_of(x)->size = size;
    fire(o, x);
    fetch(o, x);
}

uint64_t tg_objs_watch(struct tg_objs *o, struct tg_obj *x,
                       const struct tg_watch *want)
{
    uint64_t handle;
    struct tg_watch *w = tg_slab_new(&o->watches, &handle);
    *w = *want;
    w->self = handle;
    w->obj = x;
    TG_ASSERT(!tg_watch_due(o, x, w));
    DL_APPEND(x->watches, w);
    if (x->dormant)
        wake(o, x);
    if (x->owned && x->asked_fetch)
        return handle;
    if (x->state == TG_OBJ_READY && x->val != NULL)
        tg_store_want(o->store, x->ref, x->val, w->who != TG_WATCHER_EXEC);
    else
        ask(o, x, want->fetch);
    return handle;
}

void tg_objs_unwatch(struct tg_objs *o, uint64_t watch)
{
    struct tg_watch *w = tg_slab_find(&o->watches, watch);
    if (w == NULL)
        return;
    DL_DELETE(w->obj->watches, w);
    tg_slab_free(&o->watches, watch);
}

bool tg_objs_notice(struct tg_objs *o, struct tg_watch *w)
{
    if (o->fired_at == o->fired.n) {
        o->fired.n = o->fired_at = 0;
        return false;
    }
    *w = o->fired.v[o->fired_at++];
    return true;
}

static bool is_stored_at(const struct tg_obj *x, int32_t rank)
{
    return x->state == TG_OBJ_READY && x->val != NULL && x->val->stored &&
           tg_val_place(x->val)->rank == rank;
}

/* Watches by or on a lost rank mean nothing any more. */
static void unwatch_rank(struct tg_objs *o, struct tg_obj *x, int32_t rank)
{
    struct tg_watch *w, *next;
    DL_FOREACH_SAFE (x->watches, w, next) {
        if (w->who == TG_WATCHER_RANK && w->handle == (uint64_t)rank)
            tg_objs_unwatch(o, w->self);
    }
}

void tg_objs_gone(struct tg_objs *o, int32_t rank)
{
    tg_parked_gone(o, rank);
    uint64_t at = 0;
    struct tg_obj *x;
    while ((x = tg_objs_next(o, &at)) != NULL) {
        if (x->owned)
            unwatch_rank(o, x, rank);
        else if (tg_ref_rank(x->ref) == rank)
            tg_obj_orphan(o, x);
        else
            continue;
        if (x->owned && is_stored_at(x, rank) &&
            !tg_store_promote(o->store, x->ref, x->val)) {
            x->asked_fetch = true;
            tg_store_seek(o->store, x->ref, x->val);
        }
    }
}

/* Of an object of ours that is sought. */
static void found(struct tg_objs *o, struct tg_obj *x,
                  const struct tg_msg_home *m)
{
    bool other = m->rank >= 0 && m->rank != o->ctx->rank;
    bool here = !other && tg_store_promote(o->store, x->ref, x->val);
    if (!other && !here && m->rank >= 0) {
        tg_store_adopt(o->store, x->ref, NULL); /* no more: ask the next one */
        return;
    }
    x->asked_fetch = false;
    if (!other && !here) {
        fail_bytes(o, x, TRYGON_ERR_OBJECT_LOST);
        return;
    }
    if (other)
        tg_store_found(o->store, x->ref, x->val, m->rank, m->blob);
    fire(o, x);
    fetch(o, x);
    if (x->idle) { /* the head is to know that as well */
        x->idle = false;
        tg_obj_settle(o, x);
    }
}

void tg_objs_home(struct tg_objs *o, const struct tg_msg_home *m)
{
    struct tg_obj *x = tg_objs_find(o, m->ref);
    if (tg_ref_rank(m->ref) != o->ctx->rank) {
        bool known = x != NULL && x->state == TG_OBJ_READY;
        tg_store_adopt(o->store, m->ref, known ? x->val : NULL);
        if (x != NULL)
            tg_obj_settle(o, x); /* it is no copy to be kept any more */
    } else if (x != NULL && x->asked_fetch) {
        found(o, x, m);
    } else if (m->rank >= 0 && m->rank != o->ctx->rank) {
        tg_store_forget(o->store, m->rank, m->blob); /* x has ended meanwhile */
    }
}

/* A copy whose owner is lost: what is here stays readable, what is not never
 * will be; no weight goes home. */
void tg_obj_orphan(struct tg_objs *o, struct tg_obj *x)
{
    x->weight = 0;
    if (x->val != NULL && x->val->stored && tg_objs_ready(o, x, true))
        tg_store_keep(o->store, x->val);
    else if (x->val != NULL && x->val->stored)
        lose_value(o, x);
    if (x->state != TG_OBJ_FAILED && x->val == NULL)
        tg_obj_fail_lost(o, x);
    tg_obj_settle(o, x);
}
