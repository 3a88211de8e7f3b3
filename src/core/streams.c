/* streams.c - see streams.h. */
#include "core/streams.h"

#include <stdlib.h>

#include "core/map.h"

/* ----- the queue ----------------------------------------------------------- */

enum { QUEUE_LEAST = 8, QUEUE_KEPT = 1024 };

static struct tg_val **queued(const struct tg_stream *s, uint64_t index)
{
    return &s->queue[index & (s->cap - 1)];
}

/* Make room for the items from `taken` on and as many more. */
static void grow_queue(struct tg_stream *s)
{
    uint64_t before = s->cap;
    s->cap = before == 0 ? QUEUE_LEAST : 2 * before;
    s->queue = tg_grow(s->queue, s->cap, sizeof *s->queue);
    for (uint64_t i = s->taken + 1; before > 0 && i < s->come; i++)
        *queued(s, i) = s->queue[i & (before - 1)];
}

static void free_queue(struct tg_stream *s)
{
    free(s->queue);
    s->queue = NULL;
    s->cap = 0;
}

/* ----- life ------------------------------------------------------------------ */

void tg_streams_init(struct tg_streams *w, struct tg_ctx *ctx,
                     struct tg_objs *objs)
{
    *w = (struct tg_streams){.ctx = ctx, .objs = objs};
    tg_slab_init(&w->slab, sizeof(struct tg_stream));
    w->end =
        tg_val_error(TRYGON_ERR_END, ctx->rank, 0, "", "the stream has ended");
    w->nothing = tg_val_new(0, 0, 0);
    TG_ASSERT(w->nothing != NULL);
}

void tg_streams_fini(struct tg_streams *w)
{
    uint32_t slot = 0;
    struct tg_stream *s;
    while ((s = tg_slab_next(&w->slab, &slot)) != NULL) {
        for (uint64_t i = s->taken + 1; s->queue != NULL && i < s->come; i++)
            tg_val_drop(queued(s, i));
        free(s->queue);
        struct tg_kept *k, *next;
        DL_FOREACH_SAFE (s->early, k, next) {
            tg_val_drop(&k->val);
            free(k);
        }
        tg_stream_forget_last(s);
        tg_vec_free(&s->given);
    }
    tg_slab_fini(&w->slab);
    tg_val_drop(&w->end);
    tg_val_drop(&w->nothing);
}

/* ----- state ----------------------------------------------------------------- */

static const bool legal[4][4] = {
    [0] = {[TG_STREAM_OPEN] = true},
    [TG_STREAM_OPEN] = {[TG_STREAM_ENDED] = true, [TG_STREAM_CLOSED] = true},
    [TG_STREAM_ENDED] = {[TG_STREAM_CLOSED] = true},
};

static void set_state(struct tg_stream *s, enum tg_stream_state to)
{
    TG_ASSERT(legal[s->state][to]);
    s->state = (uint8_t)to;
}

static void resolve_end(struct tg_streams *w, struct tg_obj *x)
{
    x->seen = true; /* nobody need read it */
    tg_objs_resolve(w->objs, x, tg_val_hold(w->end));
}

/* The head has got its item. */
static void fill_head(struct tg_streams *w, struct tg_stream *s,
                      struct tg_val *val)
{
    if (s->maker != 0 && !val->error) {
        while (s->given.n <= s->taken)
            *tg_vec_add(&s->given) = 0;
        s->given.v[s->taken] = s->head->ref.lo;
        s->head->task = s->maker;
        s->nleft++;
        s->stored = s->stored || val->stored;
    }
    tg_objs_resolve(w->objs, s->head, val);
}

/* The object of the next item, which may be here. */
static void new_head(struct tg_streams *w, struct tg_stream *s)
{
    s->head = tg_objs_new(w->objs, 0, (uint32_t)s->taken);
    if (s->come > s->taken)
        fill_head(w, s, *queued(s, s->taken));
    else if (s->cap > QUEUE_KEPT)
        free_queue(s);
    if (s->come == s->taken && s->state == TG_STREAM_ENDED)
        resolve_end(w, s->head);
}

struct tg_stream *tg_streams_new(struct tg_streams *w, uint64_t task,
                                 uint64_t limit, struct tg_obj *done)
{
    uint64_t handle;
    struct tg_stream *s = tg_slab_new(&w->slab, &handle);
    s->self = handle;
    s->task = task;
    if (w->ctx->lim.lineage_bytes > 0) {
        s->maker = task;
        s->nleft = 1;
    }
    s->limit = limit;
    s->heard = -1;
    s->done = done;
    tg_objs_hold(w->objs, done);
    struct tg_obj *x = tg_objs_new(w->objs, handle, 0);
    x->ref = tg_ref_make(TRYGON_KIND_STREAM, 0, w->ctx->rank, 0, x->ref.lo);
    tg_objs_give(w->objs, x);
    s->ref = x->ref;
    set_state(s, TG_STREAM_OPEN);
    new_head(w, s);
    return s;
}

struct tg_stream *tg_streams_find(const struct tg_streams *w, uint64_t handle)
{
    return tg_slab_find(&w->slab, handle);
}

struct tg_stream *tg_streams_of(const struct tg_streams *w,
                                const struct tg_obj *x)
{
    if (tg_ref_kind(x->ref) != TRYGON_KIND_STREAM || !x->owned)
        return NULL;
    struct tg_stream *s = tg_slab_find(&w->slab, x->task);
    return s != NULL && s->state != TG_STREAM_CLOSED ? s : NULL;
}

struct tg_obj *tg_streams_obj(const struct tg_streams *w, struct tg_obj *x)
{
    const struct tg_stream *s = tg_streams_of(w, x);
    return s != NULL ? s->head : x;
}

/* ----- reading ---------------------------------------------------------------- */

bool tg_stream_over(const struct tg_streams *w, const struct tg_stream *s)
{
    return s->head->val == w->end;
}

int tg_streams_take(struct tg_streams *w, struct tg_stream *s,
                    trygon_ref_t *ref)
{
    struct tg_obj *x = s->head;
    if (!tg_objs_ready(w->objs, x, false))
        return TRYGON_ERR_TIMEOUT;
    if (tg_stream_over(w, s))
        return TRYGON_ERR_END;
    tg_objs_give(w->objs, x); /* the stream's hold */
    *ref = x->ref;
    s->taken++;
    new_head(w, s);
    return TRYGON_SUCCESS;
}

/* ----- items ------------------------------------------------------------------- */

static struct tg_kept *kept(uint64_t index, struct tg_val *val)
{
    struct tg_kept *k = tg_alloc(sizeof *k);
    k->index = index;
    k->val = val;
    return k;
}

/* The next one in order is here. */
static void arrive(struct tg_streams *w, struct tg_stream *s,
                   struct tg_val *val)
{
    uint64_t index = s->come++;
    if (index == s->taken) {
        fill_head(w, s, val);
    } else {
        s->stored = s->stored || val->stored;
        if (index - s->taken > s->cap)
            grow_queue(s);
        *queued(s, index) = val;
    }
}

/* Those that were waiting for it. */
static void arrive_early(struct tg_streams *w, struct tg_stream *s)
{
    struct tg_kept *k;
    while ((k = s->early) != NULL && k->index == s->come) {
        DL_DELETE(s->early, k);
        arrive(w, s, k->val);
        free(k);
    }
}

/* Out of order: most likely it belongs to the back.  False: it is there. */
static bool keep_early(struct tg_stream *s, uint64_t index, struct tg_val *val)
{
    struct tg_kept *at = s->early != NULL ? s->early->prev : NULL;
    while (at != NULL && at->index > index)
        at = at != s->early ? at->prev : NULL;
    if (at != NULL && at->index == index)
        return false;
    struct tg_kept *k = kept(index, val);
    if (at == NULL)
        DL_PREPEND(s->early, k);
    else
        DL_APPEND_ELEM(s->early, at, k);
    return true;
}

void tg_streams_add(struct tg_streams *w, struct tg_stream *s, uint64_t index,
                    struct tg_item *it)
{
    bool wanted = s->state == TG_STREAM_OPEN && index >= s->come;
    if (!wanted && s->maker != 0) {
        tg_streams_refill(w, s, index, it);
        return;
    }
    if (wanted && index == s->come) {
        arrive(w, s, it->val);
        arrive_early(w, s);
    } else if (!wanted || !keep_early(s, index, it->val)) {
        tg_objs_discard(w->objs, it);
        return;
    }
    it->val = NULL;
}

/* An error that goes unread is told as that of an object. */
static void drop_val(struct tg_streams *w, struct tg_val *val)
{
    if (val->error) {
        struct tg_obj *x = tg_objs_new(w->objs, 0, 0);
        tg_objs_resolve(w->objs, x, val);
        tg_objs_drop(w->objs, x);
        return;
    }
    struct tg_item it = {.val = val};
    tg_objs_discard(w->objs, &it); /* it is no object's yet */
    tg_val_drop(&val);
}

static void drop_queue(struct tg_streams *w, struct tg_stream *s)
{
    for (uint64_t i = s->taken + 1; s->queue != NULL && i < s->come; i++)
        drop_val(w, *queued(s, i));
    free_queue(s);
}

static void drop_early(struct tg_streams *w, struct tg_stream *s)
{
    struct tg_kept *k;
    while ((k = s->early) != NULL) {
        DL_DELETE(s->early, k);
        drop_val(w, k->val);
        free(k);
    }
}

/* ----- the end ------------------------------------------------------------------- */

/* Nothing more will come; an error may be the last item. */
static void end(struct tg_streams *w, struct tg_stream *s, struct tg_val *error)
{
    drop_early(w, s);
    if (error != NULL)
        arrive(w, s, error);
    set_state(s, TG_STREAM_ENDED);
    if (s->taken == s->come)
        resolve_end(w, s->head);
}

/* Its item is not to be read any more.  Perhaps somebody waits for the bytes, and
 * is to find what comes instead. */
static void empty_head(struct tg_streams *w, struct tg_stream *s)
{
    if (s->head->task != 0) {
        s->given.v[s->taken] = 0;
        s->nleft--;
    }
    tg_objs_empty(w->objs, s->head);
}

void tg_streams_cancel(struct tg_streams *w, struct tg_stream *s,
                       struct tg_val *error)
{
    if (s->state != TG_STREAM_OPEN) {
        tg_val_drop(&error);
        return;
    }
    drop_queue(w, s);
    if (s->come > s->taken) { /* it was here, and not taken */
        s->come = s->taken;
        if (s->head->state == TG_OBJ_FAILED) {
            tg_objs_drop(w->objs, s->head);
            new_head(w, s);
        } else {
            empty_head(w, s);
        }
    }
    end(w, s, error);
}

void tg_stream_forget_last(struct tg_stream *s)
{
    if (s->last != NULL)
        tg_msg_fini(s->last);
    free(s->last);
    s->last = NULL;
}

/* Nothing needs it any more, perhaps. */
static void settle(struct tg_streams *w, struct tg_stream *s)
{
    if (s->state != TG_STREAM_CLOSED || s->task != 0 || s->maker != 0)
        return;
    tg_vec_free(&s->given);
    tg_slab_free(&w->slab, s->self);
}

void tg_streams_end(struct tg_streams *w, struct tg_stream *s,
                    struct tg_val *error)
{
    s->task = 0;
    tg_stream_forget_last(s);
    if (s->state == TG_STREAM_OPEN)
        end(w, s, error);
    else
        tg_val_drop(&error);
    settle(w, s);
}

/* Whoever still waits finds the end. */
void tg_streams_close(struct tg_streams *w, struct tg_stream *s)
{
    set_state(s, TG_STREAM_CLOSED);
    drop_queue(w, s);
    drop_early(w, s);
    s->taken = UINT64_MAX;
    if (s->head->state == TG_OBJ_PENDING)
        resolve_end(w, s->head);
    tg_objs_drop(w->objs, s->head);
    tg_objs_drop(w->objs, s->done);
    s->head = s->done = NULL;
    resolve_end(w, tg_objs_get(w->objs, s->ref));
    if (s->maker != 0)
        *tg_ctx_pass(w->ctx, &w->objs->fates) =
            (struct tg_fate){.task = s->maker};
    settle(w, s);
}

/* ----- again ----------------------------------------------------------------------- */

struct tg_obj *tg_streams_given(const struct tg_streams *w,
                                const struct tg_stream *s, uint64_t i)
{
    bool was = s->maker != 0 && i < s->given.n;
    return was ? tg_slab_find(&w->objs->owned, s->given.v[i]) : NULL;
}

/* One that nobody has taken may have been lost as well. */
static bool is_lost(const struct tg_streams *w, const struct tg_stream *s,
                    uint64_t index)
{
    if (s->queue == NULL || index <= s->taken || index >= s->come)
        return false;
    const struct tg_val *v = *queued(s, index);
    return v->stored && w->ctx->dead[tg_val_place(v)->rank];
}

void tg_streams_refill(struct tg_streams *w, struct tg_stream *s,
                       uint64_t index, struct tg_item *it)
{
    struct tg_obj *x = tg_streams_given(w, s, index);
    if (x != NULL && x->state == TG_OBJ_PENDING) {
        tg_objs_resolve(w->objs, x, it->val);
    } else if (is_lost(w, s, index)) {
        drop_val(w, *queued(s, index));
        *queued(s, index) = it->val;
    } else {
        tg_objs_discard(w->objs, it);
        return;
    }
    it->val = NULL;
}

void tg_streams_unmade(struct tg_streams *w, struct tg_stream *s)
{
    s->maker = 0;
    tg_stream_forget_last(s);
    settle(w, s);
}

/* ----- looking --------------------------------------------------------------------- */

static void check_open(const struct tg_streams *w, const struct tg_stream *s)
{
    uint64_t index = s->taken;
    TG_ASSERT(s->head != NULL && s->head->count > 0 && s->done != NULL);
    TG_ASSERT(tg_objs_find(w->objs, s->ref)->user > 0);
    TG_ASSERT(s->come >= s->taken && (s->hurry || s->told <= s->taken));
    if (s->come == s->taken)
        TG_ASSERT(s->state == TG_STREAM_OPEN ? s->head->state == TG_OBJ_PENDING
                                             : tg_stream_over(w, s));
    else
        TG_ASSERT(!tg_stream_over(w, s) &&
                  (s->head->val != NULL || s->head->dormant || s->maker != 0));
    TG_ASSERT(s->come <= s->taken + 1 + s->cap);
    for (; index + 1 < s->come; index++)
        TG_ASSERT(*queued(s, index + 1) != NULL);
    const struct tg_kept *k;
    DL_FOREACH (s->early, k) {
        TG_ASSERT(k->index > s->come && k->index > index);
        index = k->index;
    }
    TG_ASSERT(s->state == TG_STREAM_OPEN ? s->task != 0 : s->early == NULL);
}

void tg_streams_check(const struct tg_streams *w)
{
    uint32_t slot = 0;
    const struct tg_stream *s;
    while ((s = tg_slab_next(&w->slab, &slot)) != NULL) {
        TG_ASSERT(s->last == NULL || s->state == TG_STREAM_OPEN ||
                  s->maker != 0);
        if (s->state != TG_STREAM_CLOSED)
            check_open(w, s);
        else
            TG_ASSERT((s->task != 0 || s->maker != 0) && s->head == NULL &&
                      s->done == NULL && s->queue == NULL && s->early == NULL);
    }
}

bool tg_streams_quiet(const struct tg_streams *w)
{
    uint32_t slot = 0;
    const struct tg_stream *s;
    while ((s = tg_slab_next(&w->slab, &slot)) != NULL)
        if (s->task != 0)
            return false;
    return true;
}
