/* owner_lineage.c - results that are lost are made again (owner.h; Ray: lineage
 * reconstruction).
 *
 * A task that has ended with a value in a store is KEPT, as long as one of its
 * results is held, retries are left, and all such tasks together are not too
 * many bytes: then the oldest are forgotten.  When a result is lost and somebody
 * waits for it, the task is run again for all that it has left.
 *
 * A KEPT task holds none of its arguments, but would need them (tg_objs_need()).
 * An argument that its own task can make lives on without a value; what a user
 * has put keeps its value.  An argument of another rank is held as before: only
 * its owner could make it again.
 *
 * A task whose arguments have handles of actors is not kept: it would keep the
 * actors alive.  Of tasks that yield see owner_refill.c.
 */
#include <stdlib.h>

#include "core/owner_impl.h"

/* ----- arguments ---------------------------------------------------------------- */

enum need { NEED, NEED_NOT, TAKE };

static void change(struct tg_owner *w, struct tg_obj *x, enum need how)
{
    if (!x->owned) {
        if (how == NEED_NOT)
            tg_objs_drop(w->objs, x);
    } else if (how == NEED) {
        tg_objs_need(x);
        tg_objs_drop(w->objs, x);
    } else {
        if (how == TAKE)
            tg_objs_hold(w->objs, x);
        tg_objs_need_not(w->objs, x);
    }
}

/* NEED: they are no longer held; TAKE: they are again; NEED_NOT: neither. */
static void change_args(struct tg_owner *w, struct tg_task *t, enum need how)
{
    const struct tg_arg *args = tg_task_args(t);
    for (uint32_t i = 0; i < t->nargs; i++) {
        const struct tg_val *v = args[i].val;
        if (v == NULL)
            change(w, args[i].obj, how);
        for (uint32_t j = 0; v != NULL && j < v->nrefs; j++)
            change(w, tg_objs_get(w->objs, tg_val_refs(v)[j]), how);
    }
}

/* Nothing but objects, and of those no weak handles. */
static bool args_allow(const struct tg_task *t)
{
    const struct tg_arg *args = tg_task_args(t);
    for (uint32_t i = 0; i < t->nargs; i++) {
        const struct tg_val *v = args[i].val;
        if (v == NULL && tg_ref_kind(args[i].obj->ref) != TRYGON_KIND_OBJECT)
            return false;
        for (uint32_t j = 0; v != NULL && j < v->nrefs; j++)
            if (tg_ref_kind(tg_val_refs(v)[j]) != TRYGON_KIND_OBJECT)
                return false;
    }
    return true;
}

static uint64_t bytes_of(const struct tg_owner *w, const struct tg_task *t)
{
    const struct tg_arg *args = tg_task_args(t);
    uint64_t items = t->refills ? tg_task_stream(w, t)->come : 0;
    uint64_t n = sizeof *t + t->nargs * sizeof *args +
                 (t->nreturns + items) * sizeof(struct tg_obj);
    for (uint32_t i = 0; i < t->nargs; i++)
        n += args[i].val != NULL ? args[i].val->size : 0;
    return n;
}

/* ----- results -------------------------------------------------------------------- */

/* What a KEPT task has left; NULL: it has ended, and its record may be that of
 * another object (a stream's has a stream as its task). */
static struct tg_obj *left(const struct tg_task *t, uint32_t i)
{
    struct tg_obj *x = tg_task_results(t)[i];
    bool is = x != NULL && x->task == t->self &&
              tg_ref_kind(x->ref) == TRYGON_KIND_OBJECT;
    return is ? x : NULL;
}

bool tg_result_unwanted(const struct tg_task *t, uint32_t n)
{
    const struct tg_obj *x = tg_task_results(t)[n];
    return x == NULL || x->state != TG_OBJ_PENDING;
}

static bool any_stored(const struct tg_task *t)
{
    struct tg_obj **results = tg_task_results(t);
    for (uint32_t i = 0; i < t->nreturns; i++) {
        const struct tg_val *v = results[i] != NULL ? results[i]->val : NULL;
        if (v != NULL && v->stored)
            return true;
    }
    return false;
}

/* ----- kept, and no more ------------------------------------------------------------ */

static void take_out(struct tg_owner *w, struct tg_task *t)
{
    DL_DELETE(w->lineage, t);
    w->lineage_bytes -= bytes_of(w, t);
}

void tg_lineage_drop(struct tg_owner *w, struct tg_task *t, enum tg_unmade why)
{
    struct tg_class *c = t->call ? NULL : t->cls;
    take_out(w, t);
    for (uint32_t i = 0; i < t->nreturns; i++)
        if (left(t, i) != NULL)
            tg_objs_unmade(w->objs, left(t, i), why);
    tg_refill_over(w, t, NULL, why);
    change_args(w, t, NEED_NOT);
    tg_task_free(w, t);
    if (c == NULL)
        return;
    c->ntasks--;
    tg_class_settle(w, c);
}

/* Not only the oldest one: it would be one more each time. */
static void evict(struct tg_owner *w)
{
    uint64_t most = w->ctx->lim.lineage_bytes;
    if (w->lineage_bytes <= most)
        return;
    while (w->lineage != NULL && w->lineage_bytes > most / 2)
        tg_lineage_drop(w, w->lineage, TG_UNMADE_EVICTED);
}

/* A call leaves its actor's queue, and must find that actor again. */
static void leave(struct tg_owner *w, struct tg_task *t)
{
    if (!t->call)
        return;
    if (t->extra == NULL) {
        t->extra = tg_alloc(sizeof *t->extra);
        t->extra->retries = TG_AS_ACTOR;
    }
    t->extra->actor = t->actor->ref;
    tg_call_leave(w, t);
    t->actor = NULL;
}

enum tg_unmade tg_lineage_unmade(const struct tg_owner *w,
                                 const struct tg_task *t)
{
    if (t->cancelled)
        return TG_UNMADE_CANCELLED;
    if (!tg_task_may_again(w, t))
        return TG_UNMADE_RETRIES;
    return args_allow(t) ? TG_UNMADE_NONE : TG_UNMADE_ARGS;
}

bool tg_lineage_keep(struct tg_owner *w, struct tg_task *t)
{
    bool stream = tg_task_has_stream(t);
    if (w->over || tg_lineage_unmade(w, t) != TG_UNMADE_NONE ||
        !(stream ? tg_refill_keep(w, t) : any_stored(t)))
        return false;
    leave(w, t);
    tg_task_keep(w, t);
    w->nagain += !t->again;
    t->again = true;
    DL_APPEND(w->lineage, t);
    w->lineage_bytes += bytes_of(w, t);
    struct tg_obj **results = tg_task_results(t);
    for (uint32_t i = 0; i < t->nreturns; i++)
        t->nleft += results[i] != NULL;
    for (uint32_t i = 0; i < t->nreturns; i++)
        if (results[i] != NULL)
            tg_objs_drop(w->objs, results[i]);
    change_args(w, t, NEED);
    if (stream)
        tg_refill_look(w, t);
    if (!t->call)
        tg_class_settle(w, t->cls);
    evict(w);
    return true;
}

void tg_task_doubt(struct tg_owner *w, struct tg_task *t)
{
    const struct tg_arg *args = tg_task_args(t);
    for (uint32_t i = 0; i < t->nargs; i++)
        if (args[i].val == NULL)
            tg_objs_doubt(w->objs, args[i].obj);
}

/* ----- again -------------------------------------------------------------------------- */

/* Of a call: a handle of its actor that is left here, and has not failed. */
static trygon_ref_t actor_of(const struct tg_owner *w, const struct tg_task *t)
{
    trygon_ref_t both[] = {t->extra->actor, tg_ref_weaken(t->extra->actor)};
    for (int i = 0; i < 2; i++) {
        const struct tg_obj *x = tg_objs_find(w->objs, both[i]);
        if (x != NULL && x->state != TG_OBJ_FAILED)
            return both[i];
    }
    return (trygon_ref_t){0, 0};
}

static void run_again(struct tg_owner *w, struct tg_task *t)
{
    trygon_ref_t actor = t->call ? actor_of(w, t) : (trygon_ref_t){0, 0};
    if (t->call && tg_ref_none(actor)) {
        tg_lineage_drop(w, t, TG_UNMADE_ACTOR);
        return;
    }
    take_out(w, t);
    if (t->call)
        tg_call_enter(w, t, actor);
    t->nleft = 0;
    struct tg_obj **results = tg_task_results(t);
    for (uint32_t i = 0; i < t->nreturns; i++) {
        results[i] = left(t, i);
        if (results[i] != NULL)
            tg_objs_hold(w->objs, results[i]);
    }
    if (t->refills)
        tg_refill_begin(w, t);
    change_args(w, t, TAKE);
    if (!t->call && t->retries_left > 0)
        t->retries_left--;
    t->attempt++;
    tg_task_wait(w, t);
}

void tg_owner_fate(struct tg_owner *w, const struct tg_fate *f)
{
    struct tg_task *t = tg_slab_find(&w->tasks, f->task);
    if (t == NULL || t->creates)
        return; /* forgotten meanwhile */
    bool kept = t->state == TG_TASK_KEPT, over = false;
    if (!f->wanted && tg_task_has_stream(t))
        over = tg_refill_left(w, t);
    else if (!f->wanted && kept)
        over = --t->nleft == 0;
    if (f->wanted && kept)
        run_again(w, t);
    else if (f->wanted && t->yields)
        tg_stream_hurry(w, t);
    else if (over && kept)
        tg_lineage_drop(w, t, TG_UNMADE_NONE);
}

/* ----- looking ------------------------------------------------------------------------ */

void tg_lineage_check(const struct tg_owner *w)
{
    uint64_t bytes = 0;
    const struct tg_task *t;
    DL_FOREACH (w->lineage, t) {
        uint32_t n = 0;
        TG_ASSERT(t->state == TG_TASK_KEPT && t->again && !t->creates);
        bytes += bytes_of(w, t);
        if (t->refills) {
            tg_refill_check(w, t);
            continue;
        }
        for (uint32_t i = 0; i < t->nreturns; i++)
            n += left(t, i) != NULL;
        TG_ASSERT(n > 0 && n == t->nleft);
    }
    TG_ASSERT(bytes == w->lineage_bytes);
    TG_ASSERT(!w->over || w->lineage == NULL);
}
