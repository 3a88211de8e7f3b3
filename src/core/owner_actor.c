/* owner_actor.c - actors as their owners and callers see them (owner.h).
 *
 * An actor's handle is an object: PENDING while its constructor is to come,
 * READY when it is alive, with a value that says where, FAILED when it has
 * ended.  A call is a task that stands in its actor's queue instead of a
 * class's: the calls of a rank leave in order, each with the next number, as
 * soon as their arguments and the actor are there.  Each holds the handle
 * until it ends, so an actor without handles has no calls either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/owner.h"
#include "core/owner_impl.h"

struct place { /* a handle's value: where the actor is */
    uint64_t handle;
    int32_t rank, max_pending;
    uint32_t any_order;
    int32_t incarnation, max_retries;
    uint32_t restartable;
};

struct tg_actor *tg_actor_find(const struct tg_owner *w, trygon_ref_t ref)
{
    struct tg_actor *a = w->called;
    ref = tg_ref_strong(ref);
    if (a != NULL && tg_ref_eq(a->ref, ref))
        return a;
    HASH_FIND(hh, w->actors, &ref, sizeof ref, a);
    return a;
}

void tg_actor_order(struct tg_owner *w, struct tg_actor *a)
{
    w->ncallers++;
    for (uint32_t i = 0; i < TG_GROUPS_MAX; i++)
        a->seq[i] = w->ncallers << TG_SEQ_BITS;
}

static struct tg_actor *find_or_add(struct tg_owner *w, trygon_ref_t ref)
{
    struct tg_actor *a = tg_actor_find(w, ref);
    if (a != NULL)
        return a;
    a = tg_alloc(sizeof *a);
    a->ref = tg_ref_strong(ref);
    a->where = -1;
    a->max_pending = -1;
    a->concurrency = 1;
    tg_actor_set_state(a, TG_ACTOR_ALIVE);
    tg_actor_order(w, a);
    HASH_ADD(hh, w->actors, ref, sizeof a->ref, a);
    return a;
}

static void forget(struct tg_actor *a)
{
    free(a->agreed);
    tg_vec_free(&a->askers);
    free(a);
}

void tg_actors_fini(struct tg_owner *w)
{
    struct tg_actor *a, *next;
    HASH_ITER (hh, w->actors, a, next) {
        HASH_DEL(w->actors, a);
        forget(a);
    }
    tg_actors_dead_fini(w);
}

/* Either handle of it that is here. */
static struct tg_obj *handle(const struct tg_owner *w, const struct tg_actor *a,
                             bool weak)
{
    return tg_objs_find(w->objs, weak ? tg_ref_weaken(a->ref) : a->ref);
}

struct tg_obj *tg_actor_handle(const struct tg_owner *w,
                               const struct tg_actor *a)
{
    struct tg_obj *x = a->obj[0] != NULL ? a->obj[0] : a->obj[1];
    if (x == NULL)
        x = handle(w, a, false);
    return x != NULL ? x : handle(w, a, true);
}

static const char *class_of(const struct tg_owner *w, trygon_ref_t ref)
{
    uint32_t fn = tg_ref_index(ref);
    return fn < w->nfns ? w->fn_names[fn] : "";
}

struct tg_val *tg_actor_died(const struct tg_owner *w, const struct tg_actor *a,
                             int32_t rank, const char *why)
{
    return tg_val_error(TRYGON_ERR_ACTOR_DIED, rank, 0, class_of(w, a->ref),
                        "the actor has ended: %s%s", why,
                        tg_restarts_text(a->incarnation).text);
}

void tg_actor_fail(struct tg_owner *w, const struct tg_actor *a,
                   struct tg_val *error)
{
    for (int weak = 0; weak < 2; weak++) {
        struct tg_obj *x = handle(w, a, weak);
        if (x == NULL || x->state == TG_OBJ_FAILED)
            continue;
        x->seen = true; /* nobody need be told */
        tg_objs_fail(w->objs, x, tg_val_hold(error));
    }
    tg_val_drop(&error);
}

void tg_actor_over(struct tg_owner *w, struct tg_actor *a, int32_t rank,
                   const char *why)
{
    tg_actor_fail(w, a, tg_actor_died(w, a, rank, why));
    if (a->ours)
        tg_actor_ended(w, a, w->ctx->dead[rank], why);
}

/* ----- where it is ----------------------------------------------------------------- */

static struct tg_val *place_val(const struct tg_actor *a)
{
    struct place p = {.handle = a->handle,
                      .rank = a->where,
                      .max_pending = a->max_pending,
                      .any_order = a->any_order,
                      .incarnation = a->incarnation,
                      .max_retries = a->max_retries,
                      .restartable = a->restartable};
    struct tg_val *v = tg_val_new(sizeof p, 0, 0);
    TG_ASSERT(v != NULL);
    memcpy(tg_val_data(v), &p, sizeof p);
    return v;
}

bool tg_actor_at(struct tg_owner *w, struct tg_actor *a,
                 const struct tg_val *place)
{
    struct place p;
    if (place == NULL || place->error || place->size != sizeof p)
        return false;
    memcpy(&p, tg_val_data(place), sizeof p);
    if (p.rank < 0 || p.rank >= w->ctx->nranks)
        return false;
    a->where = p.rank;
    a->handle = p.handle;
    a->max_pending = p.max_pending;
    a->any_order = p.any_order != 0;
    a->incarnation = p.incarnation;
    a->max_retries = p.max_retries;
    a->restartable = p.restartable != 0;
    return true;
}

/* ----- sending calls ----------------------------------------------------------------- */

static void send_call(struct tg_owner *w, struct tg_task *t)
{
    struct tg_actor *a = t->actor;
    struct tg_msg m; /* of which nothing is left out: no need to zero it */
    struct tg_msg_run *r = &m.u.run;
    m.type = TG_MSG_CALL;
    DL_DELETE(a->queue, t);
    tg_task_set_state(t, TG_TASK_SENT);
    DL_APPEND(a->sent, t);
    tg_task_fill(w, t, r);
    r->lease = a->handle;
    r->depth = t->depth;
    r->group = t->group;
    r->seq = t->seq = a->seq[t->group]++;
    tg_objs_send(w->objs, a->where, &m);
}

struct tg_val *tg_actor_call_error(const struct tg_owner *w,
                                   const struct tg_obj *x)
{
    if (tg_val_err(x->val, 0)->code == TRYGON_ERR_ACTOR_DIED)
        return tg_val_hold(x->val);
    return tg_val_caused(tg_actor_died(w, tg_actor_find(w, x->ref),
                                       tg_ref_rank(x->ref),
                                       "the rank that created it was lost"),
                         x->val);
}

static void fail_queue(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x)
{
    struct tg_val *error = tg_actor_call_error(w, x);
    x->seen = true;
    while (a->queue != NULL)
        tg_task_end(w, a->queue, tg_val_hold(error));
    tg_val_drop(&error);
}

static void watch(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x)
{
    bool *watched = &a->watched[tg_ref_weak(x->ref)];
    if (*watched)
        return;
    *watched = true;
    struct tg_watch want = {.who = TG_WATCHER_ACTOR, .fetch = true};
    tg_objs_watch(w->objs, x, &want);
}

/* What is run again for a lost result is in nobody's line: it may be for the
 * sake of another one. */
bool tg_calls_in_line(const struct tg_task *a, const struct tg_task *b)
{
    return a->parent == b->parent && a->group == b->group && !a->again &&
           !b->again;
}

/* Has whoever calls made an earlier call of the group that is still here?
 * Tasks that run on one rank do not wait for each other's arguments. */
static bool is_behind(const struct tg_actor *a, const struct tg_task *t)
{
    const struct tg_task *x = a->queue;
    while (x != t && !tg_calls_in_line(x, t))
        x = x->next;
    return x != t;
}

/* What may leave: for each caller and group from the front, or all where the
 * order does not matter. */
static void send_ready(struct tg_owner *w, struct tg_actor *a)
{
    struct tg_task *t, *next;
    DL_FOREACH_SAFE (a->queue, t, next) {
        bool may = a->any_order || !is_behind(a, t);
        if (may && t->state == TG_TASK_READY && !tg_task_stalled(w, t))
            send_call(w, t);
        else if (!a->mixed && !a->any_order && a->queue == t)
            break;
    }
}

/* Has it ended, as far as this rank can tell?  Then its handle says so. */
static bool has_ended(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x)
{
    int32_t owner = tg_ref_rank(x->ref);
    if (x->state == TG_OBJ_FAILED)
        return true;
    if (w->ctx->dead[owner])
        tg_actor_over(w, a, owner, "the rank that created it was lost");
    else if (a->state != TG_ACTOR_ALIVE)
        return false;
    else if (a->where < 0 && !tg_actor_at(w, a, x->val))
        tg_actor_over(w, a, owner, "its handle has no meaning");
    else
        return w->ctx->dead[a->where] &&
               tg_actor_lost(w, a, x, "its rank was lost");
    return true;
}

void tg_actor_pump(struct tg_owner *w, struct tg_actor *a)
{
    if (a->pumping || a->queue == NULL)
        return;
    struct tg_obj *x = tg_actor_handle(w, a);
    tg_objs_hold(w->objs, x); /* the last call may end here */
    a->pumping = true;
    if (x->state == TG_OBJ_PENDING)
        watch(w, a, x);
    else if (has_ended(w, a, x))
        fail_queue(w, a, x);
    else if (a->state == TG_ACTOR_ALIVE)
        send_ready(w, a);
    a->pumping = false;
    tg_objs_drop(w->objs, x);
}

void tg_owner_located(struct tg_owner *w, struct tg_obj *x)
{
    struct tg_actor *a = tg_actor_find(w, x->ref);
    if (a == NULL)
        return;
    a->watched[tg_ref_weak(x->ref)] = false;
    tg_actor_pump(w, a);
}

/* ----- a call's way ------------------------------------------------------------------ */

bool tg_owner_may_call(const struct tg_owner *w, trygon_ref_t ref)
{
    const struct tg_actor *a = tg_actor_find(w, ref);
    return a == NULL || a->max_pending < 0 ||
           a->ncalls < (uint32_t)a->max_pending;
}

void tg_call_enter(struct tg_owner *w, struct tg_task *t, trygon_ref_t ref)
{
    struct tg_actor *a = find_or_add(w, ref);
    w->called = a;
    t->weak = tg_ref_weak(ref);
    a->obj[t->weak] = tg_objs_find(w->objs, ref);
    a->nby[t->weak]++;
    tg_objs_hold(w->objs, a->obj[t->weak]);
    t->call = true;
    t->actor = a;
    if (a->queue == NULL)
        a->mixed = false;
    else if (!tg_calls_in_line(a->queue->prev, t))
        a->mixed = true; /* prev of the first is the last */
    DL_APPEND(a->queue, t);
    a->ncalls++;
}

void tg_call_ready(struct tg_owner *w, struct tg_task *t)
{
    tg_task_set_state(t, TG_TASK_READY);
    if (t->actor->state == TG_ACTOR_RESTARTING)
        tg_call_waits(w, t);
    else
        tg_actor_pump(w, t->actor);
}

void tg_call_leave(struct tg_owner *w, struct tg_task *t)
{
    struct tg_actor *a = t->actor;
    struct tg_obj *x = a->obj[t->weak];
    if (t->state == TG_TASK_SENT)
        DL_DELETE(a->sent, t);
    else
        DL_DELETE(a->queue, t);
    a->ncalls--;
    if (--a->nby[t->weak] == 0)
        a->obj[t->weak] = NULL;
    tg_objs_drop(w->objs, x);
    tg_actor_pump(w, a); /* what stood behind it */
}

/* The call may still wait for weight: its cancel then comes before it. */
void tg_call_cancel(struct tg_owner *w, struct tg_task *t, bool recursive)
{
    struct tg_msg m = {.type = TG_MSG_UNCALL};
    m.u.cancel.lease = t->actor->handle;
    m.u.cancel.task = t->self;
    m.u.cancel.seq = t->seq;
    m.u.cancel.group = t->group;
    m.u.cancel.attempt = t->attempt;
    m.u.cancel.recursive = recursive;
    tg_ctx_send(w->ctx, t->actor->where, &m);
}

/* ----- an actor's life, at its owner -------------------------------------------------- */

void tg_actor_new(struct tg_owner *w, const struct tg_task *t,
                  const struct tg_create *create)
{
    struct tg_actor *a = find_or_add(w, t->result1->ref);
    a->task = t->self;
    a->restartable = t->retries_left != 0;
    a->max_retries = create->max_task_retries;
    a->concurrency = create->concurrency;
    a->any_order = create->any_order;
    a->max_pending = create->max_pending;
    a->keeps = create->keeps;
    a->ours = true;
    if (create->detached || create->ticket != 0)
        tg_actor_agreed(w, a, t->result1, create);
}

void tg_actor_run(const struct tg_owner *w, const struct tg_task *t,
                  struct tg_msg_run *r)
{
    const struct tg_actor *a = tg_actor_find(w, t->result1->ref);
    r->seq = a->ref.lo;
    r->nreturns = (uint16_t)TG_CREATES(a->concurrency, a->keeps);
}

void tg_actor_leave(struct tg_owner *w, const struct tg_actor *a,
                    enum tg_leave why)
{
    struct tg_msg m = {.type = TG_MSG_LEAVE};
    m.u.leave.actor = a->handle;
    m.u.leave.obj = a->ref.lo;
    m.u.leave.why = why;
    tg_ctx_send(w->ctx, a->where, &m);
}

/* Its worker may forget it. */
static void part(struct tg_owner *w, struct tg_actor *a, enum tg_leave why)
{
    if (a->where >= 0 && !a->parted)
        tg_actor_leave(w, a, why);
    a->parted = true;
}

bool tg_actor_born(struct tg_owner *w, struct tg_task *t, int32_t from,
                   struct tg_item *it)
{
    struct tg_obj *x = t->result1;
    struct tg_actor *a = tg_actor_find(w, x->ref);
    if (it->val == NULL || it->val->size != sizeof a->handle)
        return false;
    memcpy(&a->handle, tg_val_data(it->val), sizeof a->handle);
    a->where = from;
    if (x->state != TG_OBJ_FAILED && tg_actor_stale(w, t)) {
        tg_actor_leave(w, a, TG_LEAVE_RESTART);
        a->where = -1;
        return false;
    }
    if (x->state != TG_OBJ_FAILED) {
        tg_val_drop(&it->val);
        it->val = place_val(a);
        return true;
    }
    if (!w->over) /* its destructor is not run, then */
        tg_actor_leave(w, a, TG_LEAVE_KILLED);
    part(w, a, w->over ? TG_LEAVE_OVER : TG_LEAVE_SCOPE);
    return false;
}

struct tg_val *tg_actor_failed(struct tg_owner *w, struct tg_task *t,
                               struct tg_val *cause)
{
    struct tg_obj *x = t->result1;
    struct tg_actor *a = tg_actor_find(w, x->ref);
    struct tg_val *error = NULL;
    const struct trygon_error *e = tg_val_err(cause, 0);
    bool lost = e->code == TRYGON_ERR_WORKER_LOST;
    if (x->state != TG_OBJ_FAILED) {
        const char *why = lost ? "its rank was lost" : "its constructor failed";
        char more[128];
        snprintf(more, sizeof more, "%s%s%.90s", why, lost ? "" : ": ",
                 lost ? "" : e->text);
        error = tg_val_error(TRYGON_ERR_ACTOR_DIED, e->rank, t->number,
                             tg_task_name(w, t), "the actor has ended: %s%s",
                             why, tg_restarts_text(a->incarnation).text);
        error = tg_val_caused(error, cause);
        if (x->state == TG_OBJ_READY) { /* it was alive once */
            tg_actor_fail(w, a, error);
            error = NULL;
        }
        tg_actor_ended(w, a, lost, more);
        tg_actor_pump(w, a);
    }
    tg_val_drop(&cause);
    return error;
}

void tg_owner_kill(struct tg_owner *w, struct tg_obj *x, bool for_good)
{
    struct tg_actor *a = tg_actor_find(w, x->ref);
    if (x->state == TG_OBJ_FAILED || (!for_good && tg_actor_restart(w, a, x)))
        return;
    struct tg_task *t = tg_slab_find(&w->tasks, a->task);
    bool there = t == NULL || t->state == TG_TASK_KEPT;
    tg_actor_over(w, a, w->ctx->rank, "it was killed");
    if (there)
        tg_actor_leave(w, a, TG_LEAVE_KILLED);
    else
        tg_task_cancel(w, t, true);
    tg_actor_pump(w, a);
}

void tg_owner_left(struct tg_owner *w, trygon_ref_t ref)
{
    struct tg_actor *a = tg_actor_find(w, ref);
    bool weak = tg_ref_weak(ref);
    if (a == NULL)
        return;
    a->watched[weak] = false;
    if (handle(w, a, weak) != NULL) { /* it has come in again */
        tg_actor_pump(w, a);
        return;
    }
    TG_ASSERT(a->nby[weak] == 0);
    if (a->ours && handle(w, a, false) == NULL) { /* or just before this one */
        part(w, a, TG_LEAVE_SCOPE);
        tg_actor_forgotten(w, a);
        a->ours = false;
    }
    if (handle(w, a, !weak) != NULL)
        return;
    HASH_DEL(w->actors, a);
    w->called = NULL;
    forget(a);
}

void tg_actor_on_left(struct tg_owner *w, int32_t from,
                      const struct tg_msg_leave *m)
{
    struct tg_obj *x = tg_slab_find(&w->objs->owned, m->obj);
    struct tg_actor *a = x != NULL ? tg_actor_find(w, x->ref) : NULL;
    if (a == NULL || x->state != TG_OBJ_READY || a->where != from ||
        a->handle != m->actor)
        return;
    tg_actor_over(w, a, from, "it exited");
    tg_actor_pump(w, a);
}

void tg_actors_end(struct tg_owner *w)
{
    struct tg_actor *a, *next;
    HASH_ITER (hh, w->actors, a, next) {
        struct tg_obj *x = tg_objs_find(w->objs, a->ref);
        if (x == NULL) /* its last handle has gone in this step */
            tg_actor_unkeep(w, a);
        if (x == NULL || !x->owned)
            continue;
        if (x->state != TG_OBJ_FAILED)
            tg_actor_over(w, a, w->ctx->rank, "its owner's runtime ended");
        if (a->where >= 0)
            part(w, a, TG_LEAVE_OVER);
        tg_actor_pump(w, a);
    }
}

/* ----- loss ----------------------------------------------------------------------------- */

static void forget_asker(struct tg_actor *a, int32_t rank)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->askers.n; i++)
        if (a->askers.v[i] != rank)
            a->askers.v[n++] = a->askers.v[i];
    a->askers.n = n;
}

/* Once for both of its handles. */
static void look_after_loss(struct tg_owner *w, struct tg_actor *a,
                            int32_t rank)
{
    struct tg_obj *x = tg_actor_handle(w, a);
    if (x == NULL || (a->where != rank && tg_ref_rank(a->ref) != rank))
        return;
    tg_objs_hold(w->objs, x);
    if (x->state == TG_OBJ_READY)
        (void)has_ended(w, a, x);
    if (a->where == rank)
        tg_calls_back(w, a);
    tg_actor_pump(w, a);
    tg_objs_drop(w->objs, x);
}

void tg_actors_gone(struct tg_owner *w, int32_t rank)
{
    struct tg_actor *a, *next;
    HASH_ITER (hh, w->actors, a, next) {
        forget_asker(a, rank);
        look_after_loss(w, a, rank);
    }
}

/* ----- looking ---------------------------------------------------------------------------- */

void tg_actors_why(const struct tg_owner *w, void (*line)(void *, const char *),
                   void *arg)
{
    char text[320];
    const struct tg_actor *a;
    for (a = w->actors; a != NULL; a = a->hh.next) {
        if (a->queue == NULL)
            continue;
        const char *name = tg_actor_name(a);
        bool made = tg_actor_handle(w, a)->state == TG_OBJ_PENDING ||
                    a->state != TG_ACTOR_ALIVE;
        snprintf(text, sizeof text,
                 "%u calls of an actor (%s%s%s%s) wait for %s", a->ncalls,
                 class_of(w, a->ref), name[0] != '\0' ? " '" : "", name,
                 name[0] != '\0' ? "'" : "",
                 made ? "its constructor" : "their arguments");
        line(arg, text);
    }
}
