/* owner_restart.c - actors that are made again, and calls that are (owner.h).
 *
 * The owner keeps an actor's constructor as long as a restart is left, and runs
 * it again when the actor's rank is lost or the actor was killed, but not for
 * good.  Each use of a restart begins an incarnation; a run of the constructor
 * for an earlier one is stale, and what it makes ends at once.
 *
 * Whoever calls knows one place of the actor.  When it is not there any more,
 * what was sent comes back into the queue, and the owner is asked: it tells the
 * place of the next incarnation, or how the actor has ended, and before that,
 * if need be, that it is being made again.  Until something is known, no call
 * ends: those that are not made again may be UNAVAILABLE or have DIED.
 */
#include "core/owner_impl.h"

static const bool legal[4][4] = {
    [0] = {[TG_ACTOR_ALIVE] = true},
    [TG_ACTOR_ALIVE] = {[TG_ACTOR_ASKED] = true, [TG_ACTOR_RESTARTING] = true},
    [TG_ACTOR_ASKED] = {[TG_ACTOR_ALIVE] = true, [TG_ACTOR_RESTARTING] = true},
    [TG_ACTOR_RESTARTING] = {[TG_ACTOR_ALIVE] = true},
};

void tg_actor_set_state(struct tg_actor *a, enum tg_actor_state to)
{
    TG_ASSERT(legal[a->state][to]);
    a->state = (uint8_t)to;
}

/* ----- calls ------------------------------------------------------------------- */

static int32_t allowed(const struct tg_task *t)
{
    int32_t n = t->extra != NULL ? t->extra->retries : TG_AS_ACTOR;
    return n == TG_AS_ACTOR ? t->actor->max_retries : n;
}

bool tg_task_may_again(const struct tg_owner *w, const struct tg_task *t)
{
    if (t->call)
        return allowed(t) < 0 || t->attempt < allowed(t);
    return t->retries_left != 0 || (t->creates && tg_actor_stale(w, t));
}

/* To the front of the queue: it was there before what is in it. */
static void back(struct tg_actor *a, struct tg_task *t)
{
    DL_DELETE(a->sent, t);
    tg_task_set_state(t, TG_TASK_READY);
    a->mixed = a->queue != NULL && (a->mixed || !tg_calls_in_line(a->queue, t));
    DL_PREPEND(a->queue, t);
}

void tg_calls_back(struct tg_owner *w, struct tg_actor *a)
{
    bool pumping = a->pumping;
    a->pumping = true;
    while (a->sent != NULL) {
        struct tg_task *t = a->sent->prev; /* the last of them */
        if (t->cancelled) {
            tg_task_again(w, t, NULL); /* ends it */
            continue;
        }
        if (t->yields || t->refills)
            tg_stream_forget_last(tg_task_stream(w, t));
        t->lost = !tg_task_may_again(w, t);
        t->attempt += !t->lost;
        back(a, t);
    }
    a->pumping = pumping;
}

static void unavailable(struct tg_owner *w, struct tg_task *t)
{
    tg_task_end(w, t,
                tg_val_error(TRYGON_ERR_ACTOR_UNAVAILABLE,
                             tg_ref_rank(t->actor->ref), t->number,
                             tg_task_name(w, t),
                             t->lost ? "the actor is made again: the call may "
                                       "or may not have run"
                                     : "the actor is being made again, and "
                                       "the call has no retries"));
}

/* Their actor is made again: calls that are not end.  Unsent ones too, unless
 * it is there already. */
static void end_lost(struct tg_owner *w, struct tg_actor *a)
{
    struct tg_task *t, *next;
    bool pumping = a->pumping, unsent = a->state == TG_ACTOR_RESTARTING;
    a->pumping = true;
    DL_FOREACH_SAFE (a->queue, t, next) {
        if (t->lost || (unsent && t->state == TG_TASK_READY && allowed(t) == 0))
            unavailable(w, t);
    }
    a->pumping = pumping;
}

void tg_call_waits(struct tg_owner *w, struct tg_task *t)
{
    struct tg_actor *a = t->actor;
    if (tg_actor_handle(w, a)->state == TG_OBJ_READY && allowed(t) == 0)
        unavailable(w, t);
    else
        tg_actor_pump(w, a);
}

/* ----- the owner: its constructor once more ----------------------------------------- */

/* Of an actor that was created here: NULL when it is over. */
static struct tg_task *constructor(const struct tg_owner *w,
                                   const struct tg_actor *a)
{
    return tg_slab_find(&w->tasks, a->task);
}

static struct tg_task *kept(const struct tg_owner *w, const struct tg_actor *a)
{
    struct tg_task *t = constructor(w, a);
    return t != NULL && t->state == TG_TASK_KEPT ? t : NULL;
}

bool tg_actor_stale(const struct tg_owner *w, const struct tg_task *t)
{
    return t->attempt != tg_actor_find(w, t->result1->ref)->incarnation;
}

void tg_actor_renumber(const struct tg_owner *w, struct tg_task *t)
{
    t->attempt = tg_actor_find(w, t->result1->ref)->incarnation;
}

static void use_restart(struct tg_actor *a, struct tg_task *t)
{
    if (t->retries_left > 0)
        t->retries_left--;
    a->incarnation++;
}

/* Tell one that asked, or all, and these have their answer. */
static void tell(struct tg_owner *w, int32_t rank, trygon_ref_t ref,
                 struct tg_val *val)
{
    struct tg_msg m = {.type = TG_MSG_PLACE};
    m.u.value.ref = ref;
    m.u.value.here = val != NULL;
    if (val != NULL)
        m.u.value.item.val = tg_val_hold(val);
    tg_ctx_send(w->ctx, rank, &m);
}

static void tell_all(struct tg_owner *w, struct tg_actor *a, struct tg_val *val)
{
    for (uint32_t i = 0; i < a->askers.n; i++)
        tell(w, a->askers.v[i], a->ref, val);
    if (val != NULL)
        a->askers.n = 0;
}

/* Without a hold on the handle. */
static void keep(struct tg_owner *w, struct tg_task *t)
{
    struct tg_obj *x = t->result1;
    tg_task_keep(w, t);
    t->cancelled = false; /* it came to nothing */
    t->nreturns = 0;
    t->results = NULL;
    tg_class_settle(w, t->cls);
    tg_objs_drop(w->objs, x);
}

static void run_again(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x,
                      struct tg_task *t)
{
    t->nreturns = 1;
    t->result1 = x;
    tg_objs_hold(w->objs, x);
    use_restart(a, t);
    tg_actor_renumber(w, t);
    tg_actor_set_state(a, TG_ACTOR_RESTARTING);
    tell_all(w, a, NULL);
    end_lost(w, a);
    tg_class_enqueue(w, t, true);
}

void tg_actor_alive(struct tg_owner *w, struct tg_task *t, struct tg_val **at)
{
    struct tg_val *place = *at;
    struct tg_obj *x = t->result1;
    struct tg_actor *a = tg_actor_find(w, x->ref);
    bool again = a->state == TG_ACTOR_RESTARTING;
    *at = NULL;
    if (again) {
        tg_actor_set_state(a, TG_ACTOR_ALIVE);
        tg_actor_order(w, a);
        tg_val_drop(&x->val);
        x->val = place;
    } else {
        tg_objs_resolve(w->objs, x, place);
    }
    tell_all(w, a, place);
    if (t->retries_left != 0)
        keep(w, t);
    else
        tg_task_end(w, t, NULL);
    if (again)
        tg_actor_pump(w, a);
}

static void remake(struct tg_owner *w, struct tg_task *t)
{
    struct tg_actor *a = tg_actor_find(w, t->result1->ref);
    if (!tg_actor_stale(w, t))
        use_restart(a, t);
    tg_actor_renumber(w, t);
    tg_class_enqueue(w, t, true);
}

void tg_task_remake(struct tg_owner *w, struct tg_task *t)
{
    if (t->creates) {
        remake(w, t);
        return;
    }
    t->attempt++;
    back(t->actor, t);
    tg_actor_pump(w, t->actor);
}

bool tg_actor_restart(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x)
{
    struct tg_task *t = constructor(w, a);
    if (t == NULL || t->retries_left == 0)
        return false;
    if (t->state == TG_TASK_KEPT) {
        tg_objs_hold(w->objs, x);
        tg_actor_leave(w, a, TG_LEAVE_RESTART);
        tg_actor_lost(w, a, x, "");
        tg_actor_pump(w, a);
        tg_objs_drop(w->objs, x);
        return true;
    }
    use_restart(a, t); /* so that nothing comes of a run under way */
    if (t->state != TG_TASK_SENT)
        t->attempt = a->incarnation;
    else if (!t->cancelled && !tg_task_stop(w, t, true))
        tg_task_again(w, t, NULL);
    return true;
}

void tg_actor_unkeep(struct tg_owner *w, struct tg_actor *a)
{
    struct tg_task *t = kept(w, a);
    const struct tg_obj *x = tg_objs_find(w->objs, a->ref);
    if (t != NULL)
        tg_task_end(w, t, NULL); /* it has no result to say so */
    if (x != NULL && x->state == TG_OBJ_FAILED)
        tell_all(w, a, x->val);
}

/* ----- where is it? ------------------------------------------------------------------- */

static void ask(struct tg_owner *w, struct tg_actor *a)
{
    tg_actor_set_state(a, TG_ACTOR_ASKED);
    struct tg_msg m = {.type = TG_MSG_LOCATE};
    m.u.locate.ref = a->ref;
    m.u.locate.incarnation = a->incarnation;
    tg_ctx_send(w->ctx, tg_ref_rank(a->ref), &m);
}

bool tg_actor_lost(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x,
                   const char *why)
{
    struct tg_task *t = a->ours ? kept(w, a) : NULL;
    int32_t where = a->where;
    tg_calls_back(w, a);
    a->where = -1;
    if (t != NULL) {
        run_again(w, a, tg_objs_find(w->objs, a->ref), t);
    } else if (!a->ours && a->restartable) {
        ask(w, a);
    } else {
        a->where = where;
        tg_actor_over(w, a, where, why);
    }
    return x->state == TG_OBJ_FAILED;
}

void tg_call_stalled(struct tg_owner *w, struct tg_task *t)
{
    tg_task_doubt(w, t);
    back(t->actor, t);
    tg_actor_pump(w, t->actor);
}

void tg_call_missed(struct tg_owner *w, struct tg_task *t)
{
    struct tg_actor *a = t->actor;
    struct tg_obj *x = tg_actor_handle(w, a);
    tg_objs_hold(w->objs, x);
    if (x->state == TG_OBJ_FAILED) {
        tg_task_end(w, t, tg_actor_call_error(w, x));
    } else if (a->ours) {
        tg_task_end(w, t,
                    tg_actor_died(w, a, a->where, "no handle of it was left"));
    } else {
        tg_calls_back(w, a);
        a->where = -1;
        ask(w, a);
    }
    tg_actor_pump(w, a);
    tg_objs_drop(w->objs, x);
}

/* An asker hears at once what is known, and later what it waits for. */
void tg_actor_on_locate(struct tg_owner *w, int32_t from,
                        const struct tg_msg_locate *m)
{
    struct tg_obj *x = tg_objs_find(w->objs, m->ref);
    struct tg_actor *a = tg_actor_find(w, m->ref);
    if (x == NULL || a == NULL || !x->owned) {
        struct tg_val *v = tg_actor_epitaph(w, m->ref);
        tell(w, from, m->ref, v);
        tg_val_drop(&v);
        return;
    }
    bool there = x->state == TG_OBJ_READY && a->state == TG_ACTOR_ALIVE;
    if (x->state == TG_OBJ_FAILED ||
        (there && a->incarnation > m->incarnation)) {
        tell(w, from, m->ref, x->val);
        return;
    }
    *tg_vec_add(&a->askers) = from;
    if (!there)
        tell(w, from, m->ref, NULL);
}

void tg_actor_on_place(struct tg_owner *w, const struct tg_msg_value *m)
{
    struct tg_actor *a = tg_actor_find(w, m->ref);
    struct tg_obj *x = a != NULL ? tg_actor_handle(w, a) : NULL;
    if (x == NULL || a->ours || x->state != TG_OBJ_READY ||
        a->state == TG_ACTOR_ALIVE)
        return; /* it was asked for by an entry that is gone */
    tg_objs_hold(w->objs, x);
    int32_t known = a->incarnation;
    if (!m->here && a->state == TG_ACTOR_ASKED) {
        tg_actor_set_state(a, TG_ACTOR_RESTARTING);
        end_lost(w, a);
    } else if (m->here && m->item.val->error) {
        tg_actor_fail(w, a, tg_val_hold(m->item.val));
    } else if (m->here && tg_actor_at(w, a, m->item.val) &&
               a->incarnation > known) {
        tg_actor_set_state(a, TG_ACTOR_ALIVE);
        tg_actor_order(w, a);
        end_lost(w, a);
    }
    tg_actor_pump(w, a);
    tg_objs_drop(w->objs, x);
}

/* ----- looking ------------------------------------------------------------------------ */

void tg_actor_check(const struct tg_owner *w, const struct tg_actor *a)
{
    const struct tg_task *t = kept(w, a);
    const struct tg_obj *x = tg_objs_find(w->objs, a->ref);
    TG_ASSERT(a->state == TG_ACTOR_ALIVE || a->sent == NULL);
    TG_ASSERT(t == NULL ||
              (x != NULL && x->state == TG_OBJ_READY &&
               a->state == TG_ACTOR_ALIVE && a->where >= 0 &&
               t->retries_left != 0 && t->attempt == a->incarnation));
    TG_ASSERT(a->askers.n == 0 ||
              (x != NULL && x->owned && x->state != TG_OBJ_FAILED));
}
