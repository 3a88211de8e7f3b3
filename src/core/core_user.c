/* core_user.c - what user code asks of its rank's core (core.h): objects,
 * tasks, waiting.  References that this rank does not hold are refused here,
 * before anything has changed.
 */
#include "core/core_impl.h"

/* ----- objects, for user code ----------------------------------------------------- */

static struct tg_obj *held(const struct tg_core *c, trygon_ref_t ref)
{
    if (tg_ref_none(ref) || tg_ref_rank(ref) >= c->ctx.nranks)
        return NULL;
    struct tg_obj *x = tg_objs_find(&c->objs, ref);
    if (x != NULL && tg_ref_kind(ref) == TRYGON_KIND_STREAM && x->user == 0)
        return NULL; /* closed, but a wait set holds it */
    return x != NULL && x->count > 0 ? x : NULL;
}

static bool all_held(const struct tg_core *c, size_t n,
                     const trygon_ref_t *refs)
{
    for (size_t i = 0; i < n; i++)
        if (held(c, refs[i]) == NULL)
            return false;
    return true;
}

static int on_put(struct tg_core *c, struct tg_event *ev)
{
    if (!all_held(c, ev->val->nrefs, tg_val_refs(ev->val)))
        return TRYGON_ERR_NOTFOUND;
    struct tg_obj *x = tg_objs_new(&c->objs, 0, 0);
    tg_objs_give(&c->objs, x);
    tg_objs_hold_refs(&c->objs, ev->val);
    tg_objs_resolve(&c->objs, x, ev->val);
    ev->ref = x->ref;
    return TRYGON_SUCCESS;
}

bool tg_core_args_held(const struct tg_core *c, const struct tg_spec *s)
{
    for (uint32_t i = 0; i < s->nargs; i++) {
        const struct tg_item *a = &s->args[i];
        if (a->val != NULL ? !all_held(c, a->val->nrefs, tg_val_refs(a->val))
                           : held(c, a->ref) == NULL)
            return false;
    }
    return true;
}

static int on_submit(struct tg_core *c, struct tg_event *ev)
{
    struct tg_spec *s = ev->spec;
    if (c->draining)
        return TRYGON_ERR_SHUTDOWN;
    if (!tg_core_args_held(c, s))
        return TRYGON_ERR_NOTFOUND;
    if (!tg_ref_none(s->actor) && held(c, s->actor) == NULL)
        return TRYGON_ERR_NOTFOUND;
    if (!tg_ref_none(s->actor) && !tg_owner_may_call(&c->owner, s->actor))
        return TRYGON_ERR_PENDING_LIMIT;
    struct tg_exec *parent = tg_worker_exec(&c->worker, s->parent);
    s->depth = 0;
    if (parent != NULL) {
        parent->submitted = true;
        s->depth = parent->depth + 1;
    }
    tg_owner_submit(&c->owner, s, ev->refs_out);
    return TRYGON_SUCCESS;
}

static int on_retain(struct tg_core *c, struct tg_event *ev)
{
    if (!all_held(c, ev->n, ev->refs))
        return TRYGON_ERR_NOTFOUND;
    for (size_t i = 0; i < ev->n; i++) {
        struct tg_obj *x = tg_objs_get(&c->objs, ev->refs[i]);
        tg_objs_hold(&c->objs, x);
        x->user++;
    }
    c->objs.user_counts += ev->n;
    return TRYGON_SUCCESS;
}

/* A stream is closed with the user's last count of it. */
static void drop_of_user(struct tg_core *c, struct tg_obj *x)
{
    bool last = x->user == 0 && tg_ref_kind(x->ref) == TRYGON_KIND_STREAM;
    struct tg_stream *s = last ? tg_streams_of(&c->streams, x) : NULL;
    c->objs.user_counts--;
    if (s != NULL) {
        uint64_t handle = s->self;
        tg_streams_close(&c->streams, s);
        s = tg_streams_find(&c->streams, handle);
        if (s != NULL)
            tg_owner_taken(&c->owner, s);
    }
    tg_objs_drop(&c->objs, x);
}

/* One count less of the user's; false: there is none. */
static bool count_down(struct tg_obj *x)
{
    bool ok = x != NULL && x->user > 0;
    if (ok)
        x->user--;
    return ok;
}

/* All or nothing: first the user's counts, which may run out, then the
 * holds. */
static int release_many(struct tg_core *c, struct tg_event *ev)
{
    size_t i;
    for (i = 0; i < ev->n; i++) {
        if (!tg_ref_none(ev->refs[i]) && !count_down(held(c, ev->refs[i])))
            break;
    }
    bool ok = i == ev->n;
    while (i-- > 0) {
        if (tg_ref_none(ev->refs[i]))
            continue;
        struct tg_obj *x = tg_objs_get(&c->objs, ev->refs[i]);
        if (ok)
            drop_of_user(c, x);
        else
            x->user++;
    }
    return ok ? TRYGON_SUCCESS : TRYGON_ERR_INVALID;
}

static int on_release(struct tg_core *c, struct tg_event *ev)
{
    if (ev->n != 1 || tg_ref_none(ev->refs[0]))
        return release_many(c, ev);
    struct tg_obj *x = held(c, ev->refs[0]);
    if (!count_down(x))
        return TRYGON_ERR_INVALID;
    drop_of_user(c, x);
    return TRYGON_SUCCESS;
}

static int on_cancel(struct tg_core *c, struct tg_event *ev)
{
    struct tg_obj *x = held(c, ev->ref);
    if (x == NULL)
        return TRYGON_ERR_NOTFOUND;
    if (tg_ref_actor(ev->ref))
        return TRYGON_ERR_INVALID;
    if (x->owned) {
        tg_owner_cancel(&c->owner, x, ev->recursive);
        return TRYGON_SUCCESS;
    }
    struct tg_msg m = {.type = TG_MSG_CANCEL_REF};
    m.u.cancel_ref.ref = ev->ref;
    m.u.cancel_ref.recursive = ev->recursive;
    tg_ctx_send(&c->ctx, tg_ref_rank(ev->ref), &m);
    return TRYGON_SUCCESS;
}

static int on_kill(struct tg_core *c, struct tg_event *ev)
{
    struct tg_obj *x = held(c, ev->ref);
    if (x == NULL)
        return TRYGON_ERR_NOTFOUND;
    if (!tg_ref_actor(ev->ref))
        return TRYGON_ERR_INVALID;
    tg_core_kill(c, x, ev->recursive);
    return TRYGON_SUCCESS;
}

static int on_self(struct tg_core *c, struct tg_event *ev)
{
    return tg_core_self(c, ev->handle, &ev->ref);
}

static int on_unname(struct tg_core *c, struct tg_event *ev)
{
    tg_core_name_back(c, ev->handle);
    return TRYGON_SUCCESS;
}

static int on_exit_actor(struct tg_core *c, struct tg_event *ev)
{
    bool exits = tg_worker_exits(tg_worker_exec(&c->worker, ev->handle));
    return exits ? TRYGON_SUCCESS : TRYGON_ERR_STATE;
}

static int on_call(struct tg_core *c, struct tg_event *ev)
{
    struct tg_obj *x = held(c, ev->ref);
    if (x == NULL)
        return TRYGON_ERR_NOTFOUND;
    tg_objs_hold(&c->objs, x); /* until the call is due */
    struct tg_watch w = {
        .who = TG_WATCHER_CALL, .fetch = true, .cookie = ev->cookie, .obj = x};
    if (!tg_objs_ready(&c->objs, x, true)) {
        tg_objs_watch(&c->objs, x, &w);
    } else {
        tg_objs_hold(&c->objs, x); /* a notice comes with a hold */
        *tg_ctx_pass(&c->ctx, &c->objs.fired) = w;
    }
    return TRYGON_SUCCESS;
}

static int on_keep(struct tg_core *c, struct tg_event *ev)
{
    if (!all_held(c, ev->val->nrefs, tg_val_refs(ev->val)))
        return TRYGON_ERR_NOTFOUND;
    tg_objs_hold_refs(&c->objs, ev->val);
    return TRYGON_SUCCESS;
}

static int on_unkeep(struct tg_core *c, struct tg_event *ev)
{
    tg_objs_drop_refs(&c->objs, ev->val);
    return TRYGON_SUCCESS;
}

/* ----- waiting ---------------------------------------------------------------------- */

static struct tg_stream *stream_of(const struct tg_core *c, trygon_ref_t ref)
{
    const struct tg_obj *x = held(c, ref);
    return x != NULL ? tg_streams_of(&c->streams, x) : NULL;
}

/* The stream of a wait for its next item. */
static struct tg_stream *awaited(const struct tg_core *c,
                                 const struct tg_wait_req *req)
{
    struct tg_stream *s = stream_of(c, req->refs[0]);
    TG_ASSERT(s != NULL);
    return s;
}

static bool is_awaited(const struct tg_core *c, const struct tg_wait_req *req)
{
    if (req->kind == TG_WAIT_SET)
        return tg_set_awaited(&c->waits, req->set);
    return req->kind == TG_WAIT_NEXT &&
           tg_waits_find(&c->waits, awaited(c, req)->waiter) != NULL;
}

static int on_wait(struct tg_core *c, struct tg_event *ev)
{
    const struct tg_wait_req *req = ev->wait;
    if (!all_held(c, req->n, req->refs))
        return TRYGON_ERR_NOTFOUND;
    if (is_awaited(c, req))
        return TRYGON_ERR_STATE; /* one thread at a time */
    int rc = tg_core_may_ask(c, req);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_exec *e = tg_worker_exec(&c->worker, req->exec);
    ev->waiter = NULL;
    if (req->kind == TG_WAIT_YIELD && !tg_exec_ahead(e))
        return TRYGON_SUCCESS;
    if (req->kind == TG_WAIT_ROOM) {
        rc = tg_store_has_room(&c->store, req->set);
        if (rc != 0)
            return rc < 0 ? rc : TRYGON_SUCCESS;
    }
    ev->waiter = tg_waits_begin(&c->waits, req);
    if (ev->waiter == NULL)
        return TRYGON_SUCCESS;
    bool stopped =
        (e != NULL && e->cancelled) || req->deadline_ns <= c->ctx.now_ns;
    if (stopped) {
        tg_waits_end(&c->waits, ev->waiter->self);
        ev->waiter = NULL;
        return e != NULL && e->cancelled ? TRYGON_ERR_CANCELLED
                                         : TRYGON_ERR_TIMEOUT;
    }
    if (req->kind == TG_WAIT_TABLE) {
        struct tg_msg m = {.type = TG_MSG_QUERY};
        m.u.query.waiter = ev->waiter->self;
        tg_ctx_send(&c->ctx, 0, &m);
    }
    tg_core_ask(c, req, ev->waiter->self);
    if (req->kind == TG_WAIT_ROOM)
        tg_store_await(&c->store, req->set, ev->waiter->self);
    if (req->kind == TG_WAIT_NEXT)
        awaited(c, req)->waiter = ev->waiter->self;
    if (e != NULL)
        e->waiter = ev->waiter->self;
    if (e != NULL && req->kind != TG_WAIT_SLEEP)
        tg_worker_blocked(&c->worker, e, c->owner.nready > 0);
    return TRYGON_SUCCESS;
}

static int on_set_add(struct tg_core *c, struct tg_event *ev)
{
    struct tg_obj *x = held(c, ev->ref);
    if (x == NULL)
        return TRYGON_ERR_NOTFOUND;
    return tg_set_add(&c->waits, ev->handle, x, ev->tag);
}

static int on_done(struct tg_core *c, struct tg_event *ev)
{
    struct tg_exec *e = tg_worker_exec(&c->worker, ev->handle);
    TG_ASSERT(e != NULL);
    tg_worker_done(&c->worker, e, ev->outcome);
    return TRYGON_SUCCESS;
}

/* ----- streams ----------------------------------------------------------------------- */

static int on_yield(struct tg_core *c, struct tg_event *ev)
{
    struct tg_exec *e = tg_worker_exec(&c->worker, ev->tag);
    TG_ASSERT(e != NULL);
    if (!all_held(c, ev->val->nrefs, tg_val_refs(ev->val)))
        return TRYGON_ERR_NOTFOUND;
    return tg_worker_yield(&c->worker, e, ev->val);
}

static int on_next(struct tg_core *c, struct tg_event *ev)
{
    struct tg_stream *s = stream_of(c, ev->ref);
    if (s == NULL)
        return TRYGON_ERR_NOTFOUND;
    int rc = tg_streams_take(&c->streams, s, &ev->ref);
    if (rc == TRYGON_SUCCESS)
        tg_owner_taken(&c->owner, s);
    return rc;
}

static int on_completion(struct tg_core *c, struct tg_event *ev)
{
    struct tg_stream *s = stream_of(c, ev->ref);
    if (s == NULL)
        return TRYGON_ERR_NOTFOUND;
    tg_objs_hold(&c->objs, s->done);
    tg_objs_give(&c->objs, s->done);
    ev->ref = s->done->ref;
    return TRYGON_SUCCESS;
}

/* ----- the end of a wait, and wait sets ------------------------------------------------ */

static int on_wait_end(struct tg_core *c, struct tg_event *ev)
{
    tg_waits_end(&c->waits, ev->handle);
    return TRYGON_SUCCESS;
}

static int on_unpin(struct tg_core *c, struct tg_event *ev)
{
    tg_objs_drop(&c->objs, ev->obj);
    return TRYGON_SUCCESS;
}

static int on_set_new(struct tg_core *c, struct tg_event *ev)
{
    ev->handle = tg_set_new(&c->waits);
    return TRYGON_SUCCESS;
}

static int on_set_free(struct tg_core *c, struct tg_event *ev)
{
    tg_set_free(&c->waits, ev->handle);
    return TRYGON_SUCCESS;
}

static int on_set_remove(struct tg_core *c, struct tg_event *ev)
{
    return tg_set_remove(&c->waits, ev->handle, ev->ref);
}

static int on_set_take(struct tg_core *c, struct tg_event *ev)
{
    return tg_set_take(&c->waits, ev->handle, &ev->ref, &ev->tag);
}

static int on_flag_new(struct tg_core *c, struct tg_event *ev)
{
    ev->handle = tg_flag_new(&c->waits);
    return TRYGON_SUCCESS;
}

static int on_flag_free(struct tg_core *c, struct tg_event *ev)
{
    return tg_flag_free(&c->waits, ev->handle);
}

static int on_flag_set(struct tg_core *c, struct tg_event *ev)
{
    tg_flag_set(&c->waits, ev->handle, ev->tag != 0);
    return TRYGON_SUCCESS;
}

/* ----- large objects ------------------------------------------------------------------- */

static int on_room(struct tg_core *c, struct tg_event *ev)
{
    struct tg_room *r = ev->room;
    const struct tg_exec *e = tg_worker_exec(&c->worker, r->exec);
    r->fn = e != NULL ? e->fn : UINT32_MAX;
    r->task = e != NULL ? e->number : 0;
    tg_store_room(&c->store, r);
    return TRYGON_SUCCESS;
}

static int on_seal(struct tg_core *c, struct tg_event *ev)
{
    const struct tg_exec *e = tg_worker_exec(&c->worker, ev->tag);
    tg_store_seal(&c->store, ev->val, e != NULL ? e->owner : c->ctx.rank);
    return TRYGON_SUCCESS;
}

static int on_discard(struct tg_core *c, struct tg_event *ev)
{
    tg_store_free(&c->store, ev->handle);
    return TRYGON_SUCCESS;
}

static int on_away(struct tg_core *c, struct tg_event *ev)
{
    if (ev->obj->val != NULL && ev->obj->val->stored)
        tg_store_away(&c->store, ev->obj->val);
    return TRYGON_SUCCESS;
}

static int on_used(struct tg_core *c, struct tg_event *ev)
{
    tg_store_used(&c->store, ev->handle);
    return TRYGON_SUCCESS;
}

static int on_node(struct tg_core *c, struct tg_event *ev)
{
    tg_store_node(&c->store, ev->node);
    return TRYGON_SUCCESS;
}

static int on_free(struct tg_core *c, struct tg_event *ev)
{
    if (!all_held(c, ev->n, ev->refs))
        return TRYGON_ERR_NOTFOUND;
    for (size_t i = 0; i < ev->n; i++) {
        struct tg_obj *x = tg_objs_get(&c->objs, ev->refs[i]);
        struct tg_msg m = {.type = TG_MSG_FREE};
        m.u.cancel_ref.ref = x->ref;
        if (x->owned)
            tg_objs_free_value(&c->objs, x);
        else
            tg_ctx_send(&c->ctx, tg_ref_rank(x->ref), &m);
    }
    return TRYGON_SUCCESS;
}

static int on_store(struct tg_core *c, struct tg_event *ev)
{
    tg_store_event(&c->store, (enum tg_store_op)ev->tag, ev->handle, ev->status,
                   ev->ref);
    return TRYGON_SUCCESS;
}

/* ----- events ------------------------------------------------------------ */

int tg_core_user(struct tg_core *c, struct tg_event *ev)
{
    static int (*const handlers[])(struct tg_core *, struct tg_event *) = {
        [TG_EV_SUBMIT] = on_submit,
        [TG_EV_PUT] = on_put,
        [TG_EV_RETAIN] = on_retain,
        [TG_EV_RELEASE] = on_release,
        [TG_EV_CANCEL] = on_cancel,
        [TG_EV_KILL] = on_kill,
        [TG_EV_EXIT] = on_exit_actor,
        [TG_EV_SELF] = on_self,
        [TG_EV_UNNAME] = on_unname,
        [TG_EV_CALL] = on_call,
        [TG_EV_WAIT] = on_wait,
        [TG_EV_WAIT_END] = on_wait_end,
        [TG_EV_UNPIN] = on_unpin,
        [TG_EV_KEEP] = on_keep,
        [TG_EV_UNKEEP] = on_unkeep,
        [TG_EV_SET_NEW] = on_set_new,
        [TG_EV_SET_FREE] = on_set_free,
        [TG_EV_SET_ADD] = on_set_add,
        [TG_EV_SET_REMOVE] = on_set_remove,
        [TG_EV_SET_TAKE] = on_set_take,
        [TG_EV_FLAG_NEW] = on_flag_new,
        [TG_EV_FLAG_FREE] = on_flag_free,
        [TG_EV_FLAG_SET] = on_flag_set,
        [TG_EV_DONE] = on_done,
        [TG_EV_YIELD] = on_yield,
        [TG_EV_NEXT] = on_next,
        [TG_EV_COMPLETION] = on_completion,
        [TG_EV_ROOM] = on_room,
        [TG_EV_SEAL] = on_seal,
        [TG_EV_DISCARD] = on_discard,
        [TG_EV_AWAY] = on_away,
        [TG_EV_USED] = on_used,
        [TG_EV_NODE] = on_node,
        [TG_EV_FREE] = on_free,
        [TG_EV_STORE] = on_store,
    };
    return handlers[ev->type](c, ev);
}
