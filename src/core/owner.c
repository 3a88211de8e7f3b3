/* owner.c - see owner.h: the life of a task, apart from its queue and lease
 * (owner_lease.c). */
#include "core/owner.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/owner_impl.h"

void tg_owner_init(struct tg_owner *w, struct tg_ctx *ctx, struct tg_objs *objs,
                   struct tg_streams *streams, const char *const *fn_names,
                   uint32_t nfns)
{
    *w = (struct tg_owner){.ctx = ctx, .objs = objs, .streams = streams};
    tg_slab_init(&w->tasks, sizeof(struct tg_task));
    tg_slab_init(&w->classes, sizeof(struct tg_class));
    w->fn_names = fn_names;
    w->nfns = nfns;
    w->mean_ns = tg_alloc((nfns + 1) * sizeof *w->mean_ns);
}

void tg_task_free(struct tg_owner *w, struct tg_task *t)
{
    struct tg_arg *args = tg_task_args(t);
    for (uint32_t i = 0; i < t->nargs; i++)
        tg_val_drop(&args[i].val);
    if (t->nargs != 1)
        free(t->args);
    if (t->nreturns != 1)
        free(t->results);
    if (t->extra != NULL) {
        free(t->extra->codes);
        free(t->extra->name);
        free(t->extra);
    }
    w->nroots -= t->parent == 0;
    w->nagain -= t->again;
    tg_slab_free(&w->tasks, t->self);
}

void tg_owner_fini(struct tg_owner *w)
{
    uint32_t slot = 0;
    struct tg_task *t;
    while ((t = tg_slab_next(&w->tasks, &slot)) != NULL)
        tg_task_free(w, t);
    struct tg_olease_entry *e, *next;
    HASH_ITER (hh, w->leases, e, next) {
        HASH_DEL(w->leases, e);
        free(e);
    }
    HASH_CLEAR(hh, w->by_shape);
    tg_actors_fini(w);
    tg_slab_fini(&w->tasks);
    tg_slab_fini(&w->classes);
    free(w->mean_ns);
}

/* ----- state ----------------------------------------------------------------- */

static const bool legal[5][5] = {
    [0] = {[TG_TASK_WAITING] = true, [TG_TASK_READY] = true},
    [TG_TASK_WAITING] = {[TG_TASK_READY] = true},
    [TG_TASK_READY] = {[TG_TASK_SENT] = true,
                       [TG_TASK_WAITING] = true}, /* an argument is lost */
    [TG_TASK_SENT] = {[TG_TASK_READY] = true,     /* bounced, or once more */
                      [TG_TASK_KEPT] = true},
    [TG_TASK_KEPT] = {[TG_TASK_WAITING] = true, [TG_TASK_READY] = true},
};

void tg_task_set_state(struct tg_task *t, enum tg_task_state to)
{
    TG_ASSERT(legal[t->state][to]);
    t->state = (unsigned)to & 7u;
}

void tg_task_keep(struct tg_owner *w, struct tg_task *t)
{
    tg_task_set_state(t, TG_TASK_KEPT);
    w->nroots -= t->parent == 0;
    t->parent = TG_NOBODY;
}

const char *tg_task_name(const struct tg_owner *w, const struct tg_task *t)
{
    return t->extra != NULL && t->extra->name != NULL ? t->extra->name
                                                      : w->fn_names[t->fn];
}

/* ----- submit ------------------------------------------------------------------ */

/* The user has the stream; its completion is asked for when need be. */
static void make_stream(struct tg_owner *w, struct tg_task *t, uint64_t limit,
                        trygon_ref_t *ref)
{
    t->yields = true;
    t->nreturns = 1;
    t->result1 = tg_objs_new(w->objs, t->self, 0);
    struct tg_stream *s =
        tg_streams_new(w->streams, t->self, limit, t->result1);
    t->extra->stream = s->self;
    *ref = s->ref;
}

static void make_results(struct tg_owner *w, struct tg_task *t,
                         trygon_ref_t *refs)
{
    if (t->nreturns > 1)
        t->results = tg_grow(NULL, t->nreturns, sizeof *t->results);
    struct tg_obj **results = tg_task_results(t);
    for (uint32_t i = 0; i < t->nreturns; i++) {
        struct tg_obj *x = tg_objs_new(w->objs, t->self, i);
        if (t->creates)
            x->ref = tg_ref_make(TRYGON_KIND_ACTOR, 0, w->ctx->rank, t->fn,
                                 x->ref.lo);
        tg_objs_hold(w->objs, x); /* one for the task, one for the user */
        tg_objs_give(w->objs, x);
        results[i] = x;
        refs[i] = x->ref;
    }
}

/* A value that is too large for a message, or with those before it, becomes
 * an object of its own (T12). */
static void take_value(struct tg_owner *w, struct tg_task *t, struct tg_arg *a,
                       uint64_t *total)
{
    tg_objs_hold_refs(w->objs, a->val);
    if (!a->val->stored && a->val->size <= TG_INLINE_MAX &&
        *total + a->val->size <= TG_INLINE_TOTAL) {
        *total += a->val->size;
        return;
    }
    a->obj = tg_objs_new(w->objs, 0, 0); /* the hold is the task's */
    tg_objs_resolve(w->objs, a->obj, a->val);
    a->val = NULL;
    t->by_ref = true;
}

static void take_args(struct tg_owner *w, struct tg_task *t,
                      const struct tg_spec *s)
{
    uint64_t total = 0;
    t->nargs = s->nargs;
    if (t->nargs > 1)
        t->args = tg_grow(NULL, t->nargs, sizeof *t->args);
    struct tg_arg *args = tg_task_args(t);
    for (uint32_t i = 0; i < t->nargs; i++) {
        struct tg_item *it = &s->args[i];
        args[i] = (struct tg_arg){.val = it->val};
        if (it->val == NULL) {
            args[i].obj = tg_objs_find(w->objs, it->ref);
            tg_objs_hold(w->objs, args[i].obj);
            t->by_ref = true;
        } else {
            it->val = NULL;
            take_value(w, t, &args[i], &total);
        }
    }
}

static void take_extra(struct tg_task *t, const struct tg_spec *s)
{
    bool retries = !tg_ref_none(s->actor) && s->max_retries != TG_AS_ACTOR;
    if (s->ncodes == 0 && s->name == NULL && s->limit == 0 && !retries)
        return;
    t->extra = tg_alloc(sizeof *t->extra);
    t->extra->ncodes = s->ncodes;
    t->extra->codes = s->codes;
    t->extra->name = s->name;
    t->extra->retries = s->max_retries;
}

/* The first argument that has failed, else the first that is not ready; NULL:
 * all are. */
static struct tg_obj *unready_arg(const struct tg_task *t)
{
    const struct tg_arg *args = tg_task_args(t);
    struct tg_obj *first = NULL;
    for (uint32_t i = 0; t->by_ref && i < t->nargs; i++) {
        struct tg_obj *x = args[i].obj;
        if (args[i].val != NULL || x->state == TG_OBJ_READY)
            continue;
        if (x->state == TG_OBJ_FAILED)
            return x;
        first = first != NULL ? first : x;
    }
    return first;
}

static void fail_arg(struct tg_owner *w, struct tg_task *t, struct tg_obj *x)
{
    x->seen = true;
    struct tg_val *e = tg_val_error(
        TRYGON_ERR_DEPENDENCY, w->ctx->rank, t->number, tg_task_name(w, t),
        "an input argument of the task could not be computed");
    tg_task_end(w, t, tg_val_caused(e, x->val));
}

/* A task that waits for one object twice has two watches on it. */
static void watch_args(struct tg_owner *w, struct tg_task *t)
{
    const struct tg_arg *args = tg_task_args(t);
    for (uint32_t i = 0; t->by_ref && i < t->nargs; i++) {
        if (args[i].val != NULL || tg_objs_ready(w->objs, args[i].obj, false))
            continue;
        t->nwait++;
        struct tg_watch want = {.who = TG_WATCHER_TASK, .handle = t->self};
        tg_objs_watch(w->objs, args[i].obj, &want);
    }
}

static bool is_class_of(const struct tg_class *c, const struct tg_spec *s)
{
    const struct tg_shape *a = &c->key.shape, *b = s->shape;
    return memcmp(a->amount, b->amount, sizeof a->amount) == 0 &&
           a->strategy == b->strategy && a->node == b->node &&
           a->soft == b->soft && a->fail == b->fail &&
           c->key.depth == s->depth &&
           c->key.keeps == (s->create != NULL && s->create->keeps);
}

/* Without what is between the fields: all bytes of a key count. */
static void make_key(struct tg_class_key *key, const struct tg_spec *s)
{
    memset(key, 0, sizeof *key);
    memcpy(key->shape.amount, s->shape->amount, sizeof key->shape.amount);
    key->shape.strategy = s->shape->strategy;
    key->shape.node = s->shape->node;
    key->shape.soft = s->shape->soft;
    key->shape.fail = s->shape->fail;
    key->depth = s->depth;
    key->keeps = s->create != NULL && s->create->keeps;
}

static struct tg_class *class_of(struct tg_owner *w, const struct tg_spec *s)
{
    if (w->last != NULL && is_class_of(w->last, s))
        return w->last;
    struct tg_class_key key;
    make_key(&key, s);
    struct tg_class *c;
    HASH_FIND(hh, w->by_shape, &key, sizeof key, c);
    if (c == NULL) {
        uint64_t handle;
        c = tg_slab_new(&w->classes, &handle);
        c->self = handle;
        memcpy(&c->key, &key, sizeof key);
        HASH_ADD(hh, w->by_shape, key, sizeof c->key, c);
    }
    w->last = c;
    return c;
}

/* All that it needs is there. */
static void ready(struct tg_owner *w, struct tg_task *t)
{
    if (t->call)
        tg_call_ready(w, t);
    else
        tg_class_enqueue(w, t, false);
}

void tg_task_wait(struct tg_owner *w, struct tg_task *t)
{
    struct tg_obj *x = unready_arg(t);
    if (x == NULL) {
        ready(w, t);
        return;
    }
    if (x->state == TG_OBJ_FAILED) {
        fail_arg(w, t, x);
        return;
    }
    watch_args(w, t);
    tg_task_set_state(t, TG_TASK_WAITING);
    if (t->call) /* its handle may be what those before it wait for */
        tg_actor_pump(w, t->actor);
}

bool tg_task_stalled(struct tg_owner *w, struct tg_task *t)
{
    const struct tg_obj *x = unready_arg(t);
    if (x == NULL)
        return false;
    if (x->state == TG_OBJ_PENDING && !t->call)
        tg_class_dequeue(w, t);
    tg_task_wait(w, t);
    return true;
}

void tg_owner_submit(struct tg_owner *w, struct tg_spec *s, trygon_ref_t *refs)
{
    uint64_t handle;
    struct tg_task *t = tg_slab_new(&w->tasks, &handle);
    t->self = handle;
    t->number = (uint64_t)w->ctx->rank << 40 | ++w->submitted;
    t->parent = s->parent;
    w->nroots += t->parent == 0;
    t->fn = s->fn;
    t->nreturns = (uint16_t)s->nreturns;
    t->retries_left = s->max_retries;
    t->creates = s->create != NULL;
    take_args(w, t, s);
    take_extra(t, s);
    if (s->limit > 0)
        make_stream(w, t, s->limit, refs);
    else
        make_results(w, t, refs);
    if (t->creates)
        tg_actor_new(w, t, s->create);
    if (!tg_ref_none(s->actor)) {
        t->depth = s->depth;
        t->group = s->group & 15u;
        tg_call_enter(w, t, s->actor);
    } else {
        t->cls = class_of(w, s);
        t->cls->ntasks++;
    }
    tg_task_wait(w, t);
}

void tg_owner_notice(struct tg_owner *w, const struct tg_watch *n)
{
    struct tg_task *t = tg_slab_find(&w->tasks, n->handle);
    if (t == NULL || t->state != TG_TASK_WAITING)
        return; /* ended meanwhile */
    t->nwait--;
    if (n->obj->state == TG_OBJ_FAILED)
        fail_arg(w, t, n->obj);
    else if (t->nwait == 0)
        ready(w, t);
}

/* ----- the end ----------------------------------------------------------------- */

void tg_task_drop_args(struct tg_owner *w, struct tg_task *t)
{
    const struct tg_arg *args = tg_task_args(t);
    for (uint32_t i = 0; i < t->nargs; i++) {
        if (args[i].val == NULL)
            tg_objs_drop(w->objs, args[i].obj);
        else
            tg_objs_drop_refs(w->objs, args[i].val);
    }
}

/* The task is over: with an error for all its results (taken over), or, error
 * NULL, with results that are resolved already. */
void tg_task_end(struct tg_owner *w, struct tg_task *t, struct tg_val *error)
{
    struct tg_class *c = t->call ? NULL : t->cls;
    if (c != NULL && t->state == TG_TASK_READY)
        tg_class_dequeue(w, t);
    TG_ASSERT(t->call || t->lease == NULL);
    if (c != NULL)
        c->ntasks--;
    if (error != NULL && t->creates)
        error = tg_actor_failed(w, t, error);
    struct tg_obj **results = tg_task_results(t);
    if (t->yields) {
        tg_streams_end(w->streams, tg_task_stream(w, t),
                       error != NULL ? tg_val_hold(error) : NULL);
        results[0]->seen = true; /* whoever reads the items sees it */
    }
    enum tg_unmade why = TG_UNMADE_NONE;
    if (w->ctx->lim.lineage_bytes > 0) {
        why = tg_lineage_unmade(w, t);
        tg_refill_over(w, t, error, why);
    }
    for (uint32_t i = 0; i < t->nreturns; i++) {
        struct tg_obj *x = results[i];
        if (x == NULL)
            continue; /* it has ended before its task was run again */
        if (error != NULL && x->state == TG_OBJ_PENDING)
            tg_objs_resolve(w->objs, x, tg_val_hold(error));
        x->task = 0;
        x->unmade = (uint8_t)why;
        tg_objs_drop(w->objs, x);
    }
    tg_val_drop(&error);
    tg_task_drop_args(w, t);
    if (c == NULL)
        tg_call_leave(w, t);
    tg_task_free(w, t);
    if (c != NULL)
        tg_class_settle(w, c);
}

void tg_task_again(struct tg_owner *w, struct tg_task *t,
                   struct tg_val *otherwise)
{
    if (t->yields || t->refills)
        tg_stream_forget_last(tg_task_stream(w, t));
    if (t->cancelled || !tg_task_may_again(w, t)) {
        tg_task_end(w, t,
                    t->cancelled ? tg_task_cancelled(w, t)
                                 : tg_val_hold(otherwise));
    } else if (t->call || t->creates) {
        tg_task_remake(w, t);
    } else {
        if (t->retries_left > 0)
            t->retries_left--;
        t->attempt++;
        tg_class_enqueue(w, t, true);
    }
    tg_val_drop(&otherwise);
}

static bool retried_code(const struct tg_task *t, int32_t code)
{
    const struct tg_task_extra *x = t->extra;
    if (x == NULL)
        return false;
    if (x->ncodes == UINT32_MAX)
        return code > 0;
    for (uint32_t i = 0; i < x->ncodes; i++)
        if (x->codes[i] == code)
            return true;
    return false;
}

/* The task ends with its results. */
static void take_results(struct tg_owner *w, struct tg_task *t,
                         struct tg_msg_done *m)
{
    struct tg_obj **results = tg_task_results(t);
    struct tg_item *returns = tg_items_at(&m->returns);
    if (t->creates) {
        tg_actor_alive(w, t, &returns[0].val);
        return;
    }
    if (t->yields)
        tg_objs_resolve(w->objs, results[0], tg_val_hold(w->streams->nothing));
    for (uint32_t i = 0; i < m->returns.n; i++) {
        tg_objs_adopt(w->objs, &returns[i]);
        if (t->again && tg_result_unwanted(t, i)) {
            tg_objs_discard(w->objs, &returns[i]);
            continue;
        }
        tg_objs_resolve(w->objs, results[i], returns[i].val);
        returns[i].val = NULL;
    }
    if (w->ctx->lim.lineage_bytes == 0 || !tg_lineage_keep(w, t))
        tg_task_end(w, t, NULL);
}

static void discard_results(struct tg_owner *w, struct tg_msg_done *m)
{
    struct tg_item *returns = tg_items_at(&m->returns);
    for (uint32_t i = 0; i < m->returns.n; i++) {
        tg_objs_adopt(w->objs, &returns[i]);
        tg_objs_discard(w->objs, &returns[i]);
    }
}

/* The worker knows functions by number only. */
static void name_error(struct tg_val *error, const char *name)
{
    struct trygon_error *e = (struct trygon_error *)(void *)tg_val_data(error);
    if (error->size >= sizeof *e && e->function[0] == '\0')
        snprintf(e->function, sizeof e->function, "%s", name);
}

int32_t tg_task_where(const struct tg_task *t)
{
    return t->call ? t->actor->where : t->lease->worker;
}

/* What it held at its worker is free, but what an actor keeps. */
static void off_worker(struct tg_owner *w, struct tg_task *t,
                       const struct tg_msg_done *m)
{
    if (t->call)
        return;
    if (t->creates && t->cls->key.keeps && m->code == 0)
        tg_lease_kept(w, t, m->ran_ns);
    else
        tg_lease_done(w, t, m->ran_ns, m->bounces);
}

/* An actor's method runs to its end even when its call was cancelled. */
static bool is_value(struct tg_owner *w, struct tg_task *t, int32_t from,
                     const struct tg_msg_done *m)
{
    if (m->code != 0 || m->returns.n != (t->yields ? 0 : t->nreturns))
        return false;
    if (t->creates)
        return tg_actor_born(w, t, from, tg_items_at(&m->returns));
    return !t->call || !t->cancelled;
}

/* Why the task has failed.  A cancelled call of an actor's method may have
 * returned anything (Ray). */
static struct tg_val *failure(struct tg_owner *w, const struct tg_task *t,
                              int32_t from, struct tg_msg_done *m)
{
    struct tg_val *error = m->error;
    m->error = NULL;
    if (t->cancelled && (t->call || (error == NULL && m->code == 0))) {
        tg_val_drop(&error);
        return tg_task_cancelled(w, t);
    }
    if (error != NULL)
        return error;
    return tg_val_error(m->code < 0 ? m->code : TRYGON_ERR_RETURNS, from,
                        t->number, tg_task_name(w, t),
                        "the task ended with code %d and %u of %u values",
                        (int)m->code, m->returns.n, t->nreturns);
}

void tg_owner_on_done(struct tg_owner *w, int32_t from, struct tg_msg_done *m)
{
    struct tg_task *t = tg_slab_find(&w->tasks, m->task);
    if (t == NULL || t->state != TG_TASK_SENT || t->attempt != m->attempt ||
        tg_task_where(t) != from) {
        discard_results(w, m);
        return;
    }
    if (t->call && m->code == TG_DONE_GONE) {
        tg_call_missed(w, t);
        return;
    }
    if (t->call && m->code == TG_DONE_ARGS && !t->cancelled) {
        tg_call_stalled(w, t);
        return;
    }
    if ((t->yields || t->refills) && tg_task_keep_last(w, t, m))
        return;
    off_worker(w, t, m);
    if (is_value(w, t, from, m)) {
        take_results(w, t, m);
        return;
    }
    discard_results(w, m);
    if (t->creates && !t->cancelled && tg_actor_stale(w, t)) {
        tg_task_again(w, t, NULL);
        return;
    }
    struct tg_val *error = failure(w, t, from, m);
    name_error(error, tg_task_name(w, t));
    if (retried_code(t, m->code) && !t->cancelled && tg_task_may_again(w, t))
        tg_task_again(w, t, error);
    else if (t->yields)
        tg_task_end_yielding(w, t, m->code, error);
    else
        tg_task_end(w, t, error);
}

/* ----- messages ------------------------------------------------------------------ */

void tg_owner_msg(struct tg_owner *w, int32_t from, struct tg_msg *m)
{
    if (m->type == TG_MSG_DONE)
        tg_owner_on_done(w, from, &m->u.done);
    else if (m->type == TG_MSG_LEASE)
        tg_owner_on_lease(w, &m->u.lease);
    else if (m->type == TG_MSG_REFUSE)
        tg_owner_on_refuse(w, &m->u.refuse);
    else if (m->type == TG_MSG_BOUNCE)
        tg_owner_on_bounce(w, from, &m->u.bounce);
    else if (m->type == TG_MSG_LEFT)
        tg_actor_on_left(w, from, &m->u.leave);
    else if (m->type == TG_MSG_ITEM)
        tg_owner_on_item(w, from, &m->u.item);
    else if (m->type == TG_MSG_LOCATE)
        tg_actor_on_locate(w, from, &m->u.locate);
    else if (m->type == TG_MSG_PLACE)
        tg_actor_on_place(w, &m->u.value);
    else
        TG_UNREACHABLE();
}
