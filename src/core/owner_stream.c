/* owner_stream.c - tasks and calls that yield items (owner.h): what their workers
 * and the readers of their streams (streams.h) tell each other through the owner.
 *
 * A DONE may overtake items of its attempt.  It is kept until they are there,
 * so that a task which yields ends with its last item, whatever happens to its
 * rank meanwhile.
 */
#include <stdlib.h>

#include "core/owner_impl.h"

struct tg_stream *tg_task_stream(const struct tg_owner *w,
                                 const struct tg_task *t)
{
    struct tg_stream *s = tg_streams_find(w->streams, t->extra->stream);
    TG_ASSERT(s != NULL);
    return s;
}

uint64_t tg_task_limit(const struct tg_owner *w, const struct tg_task *t)
{
    return t->refills  ? TG_ANY_AHEAD /* nobody takes them one by one */
           : t->yields ? tg_task_stream(w, t)->limit
                       : 0;
}

/* ----- backpressure --------------------------------------------------------------- */

/* The worker is told once something of this attempt has come from it: before,
 * it may not have the run yet, and it is held up by nothing. */
static void tell_taken(struct tg_owner *w, const struct tg_task *t,
                       struct tg_stream *s)
{
    uint64_t taken = s->hurry ? UINT64_MAX : s->taken;
    if (s->limit == TG_ANY_AHEAD || s->told >= taken ||
        t->state != TG_TASK_SENT || s->heard != t->attempt)
        return;
    s->told = taken;
    struct tg_msg m = {.type = TG_MSG_TAKEN};
    m.u.taken.exec = s->exec;
    m.u.taken.n = taken;
    tg_ctx_send(w->ctx, tg_task_where(t), &m);
}

void tg_stream_hurry(struct tg_owner *w, const struct tg_task *t)
{
    struct tg_stream *s = tg_task_stream(w, t);
    s->hurry = true;
    tell_taken(w, t, s);
}

void tg_owner_taken(struct tg_owner *w, struct tg_stream *s)
{
    struct tg_task *t = tg_slab_find(&w->tasks, s->task);
    if (t == NULL)
        return;
    tell_taken(w, t, s);
    (void)tg_task_settle_last(w, t, s);
}

/* ----- items and the last of them ----------------------------------------------------- */

void tg_owner_on_item(struct tg_owner *w, int32_t from, struct tg_msg_item *m)
{
    struct tg_task *t = tg_slab_find(&w->tasks, m->task);
    tg_objs_adopt(w->objs, &m->item);
    if (t == NULL || t->state != TG_TASK_SENT || t->attempt != m->attempt ||
        tg_task_where(t) != from || !(t->yields || t->refills)) {
        tg_objs_discard(w->objs, &m->item);
        return;
    }
    struct tg_stream *s = tg_task_stream(w, t);
    if (s->heard != m->attempt) {
        s->heard = m->attempt;
        s->exec = m->exec;
        s->told = 0;
        s->refill = 0;
    }
    if (t->refills) {
        s->refill++;
        tg_streams_refill(w->streams, s, m->index, &m->item);
    } else {
        tg_streams_add(w->streams, s, m->index, &m->item);
        tell_taken(w, t, s);
    }
    (void)tg_task_settle_last(w, t, s);
}

/* Have all items come that this attempt has yielded? */
static bool is_complete(const struct tg_task *t, const struct tg_stream *s,
                        uint64_t yielded)
{
    if (!t->refills)
        return tg_stream_complete(s, yielded);
    return (s->heard == t->attempt ? s->refill : 0) >= yielded;
}

bool tg_task_keep_last(struct tg_owner *w, struct tg_task *t,
                       struct tg_msg_done *m)
{
    struct tg_stream *s = tg_task_stream(w, t);
    if (is_complete(t, s, m->yielded))
        return false;
    TG_ASSERT(s->last == NULL);
    s->last = tg_alloc(sizeof *s->last);
    s->last->type = TG_MSG_DONE;
    s->last->u.done = *m;
    m->error = NULL;
    m->returns.n = 0;
    if (!t->call)
        tg_lease_heard(w, t, m->bounces);
    return true;
}

bool tg_task_settle_last(struct tg_owner *w, struct tg_task *t,
                         struct tg_stream *s)
{
    struct tg_msg *last = s->last;
    if (last == NULL || !is_complete(t, s, last->u.done.yielded))
        return false;
    s->last = NULL;
    tg_owner_on_done(w, tg_task_where(t), &last->u.done);
    tg_msg_fini(last);
    free(last);
    return true;
}

/* Its own error is an item and no more; what kept it from ending by itself is
 * also what its completion says.  An actor's end may cancel a call. */
void tg_task_end_yielding(struct tg_owner *w, struct tg_task *t, int32_t code,
                          struct tg_val *error)
{
    bool kept = code == TRYGON_ERR_DEPENDENCY ||
                (code == TRYGON_ERR_CANCELLED && (t->cancelled || t->call)) ||
                (t->call && (t->cancelled || code == TRYGON_ERR_ACTOR_DIED));
    if (kept) {
        tg_task_end(w, t, error);
        return;
    }
    struct tg_obj *done = tg_task_results(t)[0];
    tg_streams_end(w->streams, tg_task_stream(w, t), error);
    t->yields = false;
    tg_objs_resolve(w->objs, done, tg_val_hold(w->streams->nothing));
    tg_task_end(w, t, NULL);
}
