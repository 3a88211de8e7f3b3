/* core_name.c - what a rank's core does about names of actors, detached actors
 * and weak handles (core.h): it asks the head for user code, and on the head's
 * rank it creates what others want detached.
 *
 * An answer that nobody waits for any more, since who asked was cancelled, is
 * undone: a name that was reserved is given back, an actor that was created
 * ends.
 */
#include <stdlib.h>

#include "core/core_impl.h"
#include "core/head_names.h"

/* ----- asking ---------------------------------------------------------------------- */

int tg_core_may_ask(const struct tg_core *c, const struct tg_wait_req *req)
{
    if (req->kind != TG_WAIT_CREATE)
        return TRYGON_SUCCESS;
    if (c->draining)
        return TRYGON_ERR_SHUTDOWN;
    return tg_core_args_held(c, req->spec) ? TRYGON_SUCCESS
                                           : TRYGON_ERR_NOTFOUND;
}

static void ask_name(struct tg_core *c, const struct tg_wait_req *req,
                     uint64_t waiter)
{
    struct tg_msg m = {.type = TG_MSG_NAME};
    m.u.name = *req->name;
    m.u.name.waiter = waiter;
    m.u.name.name = tg_grow(NULL, 1, sizeof *m.u.name.name);
    *m.u.name.name = *req->name->name;
    tg_ctx_send(&c->ctx, 0, &m);
}

static void ask_create(struct tg_core *c, const struct tg_wait_req *req,
                       uint64_t waiter)
{
    struct tg_spec *s = req->spec;
    const struct tg_exec *e = tg_worker_exec(&c->worker, req->exec);
    struct tg_msg m = {.type = TG_MSG_CREATE};
    struct tg_msg_create *x = &m.u.create;
    x->waiter = waiter;
    x->fn = s->fn;
    x->depth = e != NULL ? e->depth + 1 : 0;
    x->max_restarts = s->max_retries;
    x->shape = tg_shape_new(s->shape);
    x->create = tg_grow(NULL, 1, sizeof *x->create);
    *x->create = *s->create;
    tg_items_init(&x->args, s->nargs);
    for (uint32_t i = 0; i < s->nargs; i++) {
        tg_items_at(&x->args)[i] = s->args[i];
        s->args[i] = (struct tg_item){0};
    }
    tg_objs_send(&c->objs, 0, &m);
}

void tg_core_ask(struct tg_core *c, const struct tg_wait_req *req,
                 uint64_t waiter)
{
    if (req->kind == TG_WAIT_NAME)
        ask_name(c, req, waiter);
    if (req->kind == TG_WAIT_CREATE)
        ask_create(c, req, waiter);
    if (req->kind == TG_WAIT_LIST)
        tg_core_ask_list(c, req->list, waiter);
}

void tg_core_name_back(struct tg_core *c, uint64_t ticket)
{
    struct tg_msg m = {.type = TG_MSG_NAME};
    m.u.name.op = TG_NAME_BACK;
    m.u.name.ticket = ticket;
    tg_ctx_send(&c->ctx, 0, &m);
}

/* ----- answers ----------------------------------------------------------------------- */

void tg_core_kill(struct tg_core *c, struct tg_obj *x, bool for_good)
{
    if (x->owned) {
        tg_owner_kill(&c->owner, x, for_good);
        return;
    }
    struct tg_msg m = {.type = TG_MSG_KILL};
    m.u.cancel_ref.ref = tg_ref_strong(x->ref);
    m.u.cancel_ref.recursive = for_good;
    tg_ctx_send(&c->ctx, tg_ref_rank(x->ref), &m);
}

void tg_core_named(struct tg_core *c, struct tg_msg_named *m)
{
    struct tg_obj *x = NULL;
    if (!tg_ref_none(m->item.ref)) {
        tg_objs_adopt(&c->objs, &m->item);
        x = tg_objs_find(&c->objs, m->item.ref);
    }
    if (tg_waits_named(&c->waits, m)) {
        if (x != NULL)
            tg_objs_give(&c->objs, x);
        return;
    }
    if (m->ticket != 0)
        tg_core_name_back(c, m->ticket);
    if (x != NULL && !tg_ref_weak(x->ref))
        tg_core_kill(c, x, true);
    if (x != NULL)
        tg_objs_unadopt(&c->objs, &m->item);
}

/* ----- what the head's rank owns for others --------------------------------------------- */

static struct tg_obj *submit(struct tg_core *c, struct tg_msg_create *m)
{
    const struct tg_item *args = tg_items_at(&m->args);
    struct tg_spec s = {.fn = m->fn,
                        .nargs = m->args.n,
                        .nreturns = 1,
                        .create = m->create,
                        .shape = m->shape,
                        .depth = m->depth,
                        .max_retries = m->max_restarts,
                        .parent = TG_NOBODY}; /* no end of a run cancels it */
    trygon_ref_t ref;
    s.args = tg_grow(NULL, s.nargs + 1, sizeof *s.args);
    for (uint32_t i = 0; i < s.nargs; i++) {
        s.args[i] = args[i];
        if (args[i].val != NULL)
            s.args[i].val = tg_val_hold(args[i].val);
    }
    tg_owner_submit(&c->owner, &s, &ref);
    free(s.args);
    struct tg_obj *x = tg_objs_find(&c->objs, ref);
    x->user = 0; /* its hold is ours now */
    c->objs.user_counts--;
    return x;
}

void tg_core_create_for(struct tg_core *c, int32_t from,
                        struct tg_msg_create *m)
{
    struct tg_item *args = tg_items_at(&m->args);
    struct tg_msg a = {.type = TG_MSG_NAMED};
    struct tg_obj *x = NULL;
    a.u.named.waiter = m->waiter;
    for (uint32_t i = 0; i < m->args.n; i++)
        tg_objs_adopt(&c->objs, &args[i]);
    if (c->draining)
        a.u.named.code = TRYGON_ERR_SHUTDOWN;
    else if (m->create->ticket != 0 &&
             !tg_names_reserved(c->names, m->create->ticket))
        a.u.named.code = TRYGON_ERR_CANCELLED;
    else
        x = submit(c, m);
    for (uint32_t i = 0; i < m->args.n; i++)
        if (x != NULL)
            tg_objs_unadopt(&c->objs, &args[i]);
        else
            tg_objs_discard(&c->objs, &args[i]);
    if (x != NULL)
        a.u.named.item.ref = x->ref;
    tg_objs_send(&c->objs, from, &a);
    if (x != NULL)
        tg_objs_drop(&c->objs, x);
}

/* ----- listing, and weak handles --------------------------------------------------------- */

void tg_core_on_watch(struct tg_core *c, int32_t from, struct tg_msg *m)
{
    trygon_ref_t ref = m->u.watch.ref;
    if (tg_ref_weak(ref) && tg_objs_find(&c->objs, tg_ref_strong(ref)) == NULL)
        tg_owner_tell_gone(&c->owner, from, ref);
    else
        tg_objs_msg(&c->objs, from, m);
}

/* The actor whose method runs. */
int tg_core_self(struct tg_core *c, uint64_t exec, trygon_ref_t *ref)
{
    const struct tg_exec *e = tg_worker_exec(&c->worker, exec);
    if (e == NULL || e->step != TG_STEP_METHOD)
        return TRYGON_ERR_STATE;
    const struct tg_wactor *a = e->actor;
    struct tg_obj *x = tg_objs_weak(
        &c->objs, tg_ref_make(TRYGON_KIND_ACTOR, 0, a->owner, a->fn, a->obj));
    tg_objs_give(&c->objs, x);
    *ref = x->ref;
    return TRYGON_SUCCESS;
}
