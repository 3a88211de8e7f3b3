/* owner_refill.c - items that are lost are made again (owner_lineage.c): their task
 * is run again from the beginning, as far ahead as it likes, and what it yields
 * is taken for those that wait, and for those that nobody has taken yet.
 *
 * Its stream (streams.h) knows which they are, and stays for that, even when it
 * is closed.  From its first end on such a task has no results.
 */
#include "core/owner_impl.h"

static struct tg_stream *stream_of(const struct tg_owner *w,
                                   const struct tg_task *t)
{
    return tg_task_has_stream(t) ? tg_streams_find(w->streams, t->extra->stream)
                                 : NULL;
}

bool tg_is_item(const struct tg_task *t, const struct tg_obj *x)
{
    return t->refills || (t->yields && x != t->result1);
}

bool tg_refill_keep(struct tg_owner *w, struct tg_task *t)
{
    struct tg_stream *s = tg_task_stream(w, t);
    if (!s->stored || s->nleft == 0)
        return false;
    if (!t->yields)
        return true;
    struct tg_obj *done = t->result1;
    tg_streams_end(w->streams, s, NULL);
    done->seen = true;
    done->task = 0;
    t->nreturns = 0;
    t->results = NULL;
    t->yields = false;
    t->refills = 1;
    tg_objs_drop(w->objs, done);
    return true;
}

void tg_refill_begin(struct tg_owner *w, const struct tg_task *t)
{
    struct tg_stream *s = tg_task_stream(w, t);
    s->heard = -1;
    s->refill = 0;
}

void tg_refill_look(struct tg_owner *w, const struct tg_task *t)
{
    const struct tg_stream *s = tg_task_stream(w, t);
    for (uint32_t i = 0; i < s->given.n; i++) {
        const struct tg_obj *x = tg_streams_given(w->streams, s, i);
        if (x == NULL || x->state != TG_OBJ_PENDING || x->dormant)
            continue;
        *tg_ctx_pass(w->ctx, &w->objs->fates) =
            (struct tg_fate){.task = t->self, .wanted = true};
        return;
    }
}

void tg_refill_over(struct tg_owner *w, const struct tg_task *t,
                    struct tg_val *error, enum tg_unmade why)
{
    struct tg_stream *s = stream_of(w, t);
    if (s == NULL || s->maker == 0)
        return;
    for (uint32_t i = 0; i < s->given.n; i++) {
        struct tg_obj *x = tg_streams_given(w->streams, s, i);
        if (x == NULL)
            continue;
        if (error != NULL && x->state == TG_OBJ_PENDING)
            tg_objs_resolve(w->objs, x, tg_val_hold(error));
        tg_objs_unmade(w->objs, x, why);
    }
    tg_streams_unmade(w->streams, s);
}

bool tg_refill_left(struct tg_owner *w, const struct tg_task *t)
{
    struct tg_stream *s = stream_of(w, t);
    if (s == NULL || s->maker == 0)
        return false;
    TG_ASSERT(s->nleft > 0);
    return --s->nleft == 0;
}

void tg_refill_check(const struct tg_owner *w, const struct tg_task *t)
{
    const struct tg_stream *s = tg_task_stream(w, t);
    uint32_t n = s->state != TG_STREAM_CLOSED;
    for (uint32_t i = 0; i < s->given.n; i++)
        n += tg_streams_given(w->streams, s, i) != NULL;
    TG_ASSERT(n > 0 && n == s->nleft);
}
