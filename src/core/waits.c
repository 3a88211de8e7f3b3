/* waits.c - see waits.h. */
#include "core/waits.h"

#include <stdlib.h>

#include "core/map.h"

struct tg_member {
    struct tg_obj *obj; /* with a hold; perhaps a stream's handle */
    struct tg_set *set;
    uint64_t self, tag;
    uint64_t watch; /* 0: it is ready, and in the set's list */
    struct tg_member *prev, *next;
    UT_hash_handle hh;
};

void tg_waits_init(struct tg_waits *w, struct tg_ctx *ctx, struct tg_objs *objs,
                   const struct tg_streams *streams)
{
    *w = (struct tg_waits){.ctx = ctx, .objs = objs, .streams = streams};
    tg_slab_init(&w->waiters, sizeof(struct tg_waiter));
    tg_slab_init(&w->sets, sizeof(struct tg_set));
    tg_slab_init(&w->members, sizeof(struct tg_member));
    tg_slab_init(&w->flags, sizeof(struct tg_flag));
}

static void free_parts(const struct tg_waits *w, struct tg_waiter *x)
{
    if (x->entries != &x->one)
        free(x->entries);
    free(x->rows);
    for (int32_t r = 0; x->gather.vals != NULL && r < w->ctx->nranks; r++)
        tg_val_drop(&x->gather.vals[r]);
    free(x->gather.vals);
    free(x->gather.done);
}

void tg_waits_fini(struct tg_waits *w)
{
    uint32_t slot = 0;
    struct tg_waiter *x;
    while ((x = tg_slab_next(&w->waiters, &slot)) != NULL)
        free_parts(w, x);
    struct tg_set *s;
    for (slot = 0; (s = tg_slab_next(&w->sets, &slot)) != NULL;)
        HASH_CLEAR(hh, s->members);
    tg_slab_fini(&w->waiters);
    tg_slab_fini(&w->sets);
    tg_slab_fini(&w->members);
    tg_slab_fini(&w->flags);
    tg_vec_free(&w->unblocked);
}

/* ----- waiters ---------------------------------------------------------------- */

/* An execution that sleeps keeps its CPU: it is not blocked. */
static void finish(struct tg_waits *w, struct tg_waiter *x, int32_t rc)
{
    if (x->done)
        return;
    x->done = true;
    x->rc = rc;
    if (x->kind == TG_WAIT_FLAG) {
        struct tg_flag *f = tg_slab_get(&w->flags, x->set);
        DL_DELETE(f->waiters, x);
    }
    if (x->exec != 0 && x->kind != TG_WAIT_SLEEP)
        *tg_ctx_pass(w->ctx, &w->unblocked) = x->exec;
    struct tg_action *a = tg_ctx_act(w->ctx, TG_ACT_WAKE);
    a->handle = x->self;
    a->cookie = x->cookie;
}

struct tg_obj *tg_waits_obj(const struct tg_waits *w, trygon_ref_t ref)
{
    return tg_streams_obj(w->streams, tg_objs_get(w->objs, ref));
}

static struct tg_member *first_ready(struct tg_waits *w, struct tg_set *s);

/* Does it wait for objects?  Else for a message, a flag, or the time. */
static bool is_for_objects(enum tg_wait_kind kind)
{
    return kind != TG_WAIT_TABLE && kind < TG_WAIT_YIELD;
}

/* Is there nothing to wait for? */
static bool over(struct tg_waits *w, const struct tg_wait_req *req)
{
    uint32_t nready = 0;
    if (req->kind == TG_WAIT_FLAG)
        return ((struct tg_flag *)tg_slab_get(&w->flags, req->set))->set;
    if (!is_for_objects(req->kind))
        return false;
    if (req->kind == TG_WAIT_SET) {
        struct tg_set *s = tg_slab_get(&w->sets, req->set);
        return first_ready(w, s) != NULL || s->members == NULL;
    }
    for (uint32_t i = 0; i < req->n; i++) {
        const struct tg_obj *x = tg_waits_obj(w, req->refs[i]);
        if (req->kind == TG_WAIT_ALL && x->state == TG_OBJ_FAILED)
            return true;
        nready += tg_objs_ready(w->objs, x, req->fetch);
    }
    return nready >= (req->kind == TG_WAIT_ALL ? req->n : req->need);
}

static void watch_all(struct tg_waits *w, struct tg_waiter *x,
                      const struct tg_wait_req *req)
{
    x->entries = req->n <= 1 ? &x->one : tg_alloc(req->n * sizeof *x->entries);
    for (uint32_t i = 0; i < req->n; i++) {
        struct tg_obj *o = tg_waits_obj(w, req->refs[i]);
        x->entries[i].obj = o;
        tg_objs_hold(w->objs, o);
        if (tg_objs_ready(w->objs, o, req->fetch)) {
            x->nready++;
            continue;
        }
        struct tg_watch want = {
            .who = TG_WATCHER_WAIT, .fetch = req->fetch, .handle = x->self};
        x->entries[i].watch = tg_objs_watch(w->objs, o, &want);
    }
}

static void begin_gather(const struct tg_waits *w, struct tg_gather *g,
                         bool of_all)
{
    size_t n = (size_t)w->ctx->nranks;
    g->done = tg_alloc(n * sizeof *g->done);
    g->vals = tg_alloc(n * sizeof *g->vals);
    for (size_t r = 0; r < n; r++) {
        g->done[r] = w->ctx->dead[r] || (r > 0 && !of_all);
        g->left += !g->done[r];
    }
}

struct tg_waiter *tg_waits_begin(struct tg_waits *w,
                                 const struct tg_wait_req *req)
{
    if (over(w, req)) {
        for (uint32_t i = 0; req->pins != NULL && i < req->n; i++) {
            req->pins[i] = tg_waits_obj(w, req->refs[i]);
            tg_objs_hold(w->objs, req->pins[i]);
        }
        return NULL;
    }
    uint64_t handle;
    struct tg_waiter *x = tg_slab_new(&w->waiters, &handle);
    x->self = handle;
    x->kind = req->kind;
    x->n = req->n;
    x->need = req->kind == TG_WAIT_ALL ? req->n : req->need;
    x->exec = req->exec;
    x->set = req->set;
    x->deadline_ns = req->deadline_ns;
    x->cookie = req->cookie;
    x->pins = req->pins;
    if (req->kind == TG_WAIT_SET) {
        ((struct tg_set *)tg_slab_get(&w->sets, req->set))->waiter = handle;
    } else if (req->kind == TG_WAIT_FLAG) {
        struct tg_flag *f = tg_slab_get(&w->flags, req->set);
        DL_APPEND(f->waiters, x);
    } else {
        watch_all(w, x, req);
    }
    if (req->kind == TG_WAIT_LIST)
        begin_gather(w, &x->gather, req->list->what != TG_LISTED_PLACES);
    if (req->deadline_ns != TG_NEVER)
        tg_timers_add(&w->ctx->timers, req->deadline_ns, TG_TIMER_WAITER,
                      handle);
    return x;
}

struct tg_waiter *tg_waits_find(const struct tg_waits *w, uint64_t handle)
{
    return tg_slab_find(&w->waiters, handle);
}

void tg_waits_end(struct tg_waits *w, uint64_t handle)
{
    struct tg_waiter *x = tg_slab_get(&w->waiters, handle);
    struct tg_set *s =
        x->kind == TG_WAIT_SET ? tg_slab_find(&w->sets, x->set) : NULL;
    if (s != NULL && s->waiter == handle)
        s->waiter = 0;
    if (x->kind == TG_WAIT_FLAG && !x->done) {
        struct tg_flag *f = tg_slab_get(&w->flags, x->set);
        DL_DELETE(f->waiters, x);
    }
    bool watches = x->nready < x->n;
    bool pin = x->pins != NULL && x->done && x->rc == TRYGON_SUCCESS;
    for (uint32_t i = 0; x->entries != NULL && i < x->n; i++) {
        if (watches)
            tg_objs_unwatch(w->objs, x->entries[i].watch);
        if (pin)
            x->pins[i] = x->entries[i].obj;
        else
            tg_objs_drop(w->objs, x->entries[i].obj);
    }
    free_parts(w, x);
    tg_slab_free(&w->waiters, handle);
}

void tg_waits_timer(struct tg_waits *w, uint64_t handle)
{
    struct tg_waiter *x = tg_slab_find(&w->waiters, handle);
    if (x != NULL)
        finish(w, x, TRYGON_ERR_TIMEOUT);
}

void tg_waits_finish(struct tg_waits *w, uint64_t handle)
{
    struct tg_waiter *x = tg_slab_find(&w->waiters, handle);
    if (x != NULL && x->kind == TG_WAIT_YIELD)
        finish(w, x, 0);
}

void tg_waits_granted(struct tg_waits *w, uint64_t handle, int32_t rc)
{
    struct tg_waiter *x = tg_slab_find(&w->waiters, handle);
    if (x != NULL && x->kind == TG_WAIT_ROOM)
        finish(w, x, rc);
}

void tg_waits_table(struct tg_waits *w, struct tg_msg_table *m)
{
    struct tg_waiter *x = tg_slab_find(&w->waiters, m->waiter);
    if (x == NULL || x->done)
        return;
    x->rows = m->v;
    x->nrows = m->n;
    m->v = NULL;
    finish(w, x, 0);
}

bool tg_waits_named(struct tg_waits *w, const struct tg_msg_named *m)
{
    struct tg_waiter *x = tg_slab_find(&w->waiters, m->waiter);
    if (x == NULL || x->done)
        return false;
    x->ticket = m->ticket;
    x->ref = m->item.ref;
    finish(w, x, m->code);
    return true;
}

static void gathered(struct tg_waits *w, struct tg_waiter *x, int32_t rank)
{
    x->gather.done[rank] = true;
    if (--x->gather.left == 0)
        finish(w, x, 0);
}

void tg_waits_rows(struct tg_waits *w, int32_t from, struct tg_msg_rows *m)
{
    struct tg_waiter *x = tg_slab_find(&w->waiters, m->waiter);
    if (x == NULL || x->done || x->gather.done[from])
        return;
    x->gather.vals[from] = m->item.val;
    m->item.val = NULL;
    gathered(w, x, from);
}

void tg_waits_gone(struct tg_waits *w, int32_t rank)
{
    uint32_t slot = 0;
    struct tg_waiter *x;
    while ((x = tg_slab_next(&w->waiters, &slot)) != NULL)
        if (x->kind == TG_WAIT_LIST && !x->done && !x->gather.done[rank])
            gathered(w, x, rank);
}

void tg_waits_cancel(struct tg_waits *w, uint64_t handle)
{
    struct tg_waiter *x = tg_slab_find(&w->waiters, handle);
    if (x != NULL)
        finish(w, x, TRYGON_ERR_CANCELLED);
}

/* ----- flags --------------------------------------------------------------------- */

uint64_t tg_flag_new(struct tg_waits *w)
{
    uint64_t handle;
    (void)tg_slab_new(&w->flags, &handle);
    return handle;
}

void tg_flag_set(struct tg_waits *w, uint64_t flag, bool set)
{
    struct tg_flag *f = tg_slab_get(&w->flags, flag);
    f->set = set;
    while (set && f->waiters != NULL)
        finish(w, f->waiters, 0);
}

int tg_flag_free(struct tg_waits *w, uint64_t flag)
{
    const struct tg_flag *f = tg_slab_get(&w->flags, flag);
    if (f->waiters != NULL)
        return TRYGON_ERR_STATE;
    tg_slab_free(&w->flags, flag);
    return TRYGON_SUCCESS;
}

/* ----- sets ---------------------------------------------------------------------- */

uint64_t tg_set_new(struct tg_waits *w)
{
    uint64_t handle;
    struct tg_set *s = tg_slab_new(&w->sets, &handle);
    s->self = handle;
    return handle;
}

bool tg_set_awaited(const struct tg_waits *w, uint64_t set)
{
    const struct tg_set *s = tg_slab_get(&w->sets, set);
    return tg_slab_find(&w->waiters, s->waiter) != NULL;
}

static void forget_member(struct tg_waits *w, struct tg_set *s,
                          struct tg_member *m)
{
    if (m->watch == 0)
        DL_DELETE(s->ready, m);
    else
        tg_objs_unwatch(w->objs, m->watch);
    HASH_DEL(s->members, m);
    tg_objs_drop(w->objs, m->obj);
    tg_slab_free(&w->members, m->self);
}

void tg_set_free(struct tg_waits *w, uint64_t set)
{
    struct tg_set *s = tg_slab_get(&w->sets, set);
    while (s->members != NULL)
        forget_member(w, s, s->members);
    tg_slab_free(&w->sets, set);
}

static struct tg_member *find_member(const struct tg_set *s,
                                     const struct tg_obj *o)
{
    struct tg_member *m;
    HASH_FIND(hh, s->members, &o, sizeof o, m);
    return m;
}

/* Whoever waits for the next one looks again. */
static void wake_waiter(struct tg_waits *w, const struct tg_set *s)
{
    struct tg_waiter *x = tg_slab_find(&w->waiters, s->waiter);
    if (x != NULL)
        finish(w, x, 0);
}

static void member_ready(struct tg_waits *w, struct tg_set *s,
                         struct tg_member *m)
{
    m->watch = 0;
    DL_APPEND(s->ready, m);
    wake_waiter(w, s);
}

static void watch_member(struct tg_waits *w, struct tg_member *m)
{
    struct tg_watch want = {
        .who = TG_WATCHER_SET, .fetch = true, .handle = m->self};
    m->watch =
        tg_objs_watch(w->objs, tg_streams_obj(w->streams, m->obj), &want);
}

static bool is_ready(const struct tg_waits *w, const struct tg_member *m)
{
    return tg_objs_ready(w->objs, tg_streams_obj(w->streams, m->obj), true);
}

/* The first that is still ready: an item that made a stream so may have been
 * taken since. */
static struct tg_member *first_ready(struct tg_waits *w, struct tg_set *s)
{
    while (s->ready != NULL && !is_ready(w, s->ready)) {
        struct tg_member *m = s->ready;
        DL_DELETE(s->ready, m);
        watch_member(w, m);
    }
    return s->ready;
}

int tg_set_add(struct tg_waits *w, uint64_t set, struct tg_obj *o, uint64_t tag)
{
    struct tg_set *s = tg_slab_get(&w->sets, set);
    if (find_member(s, o) != NULL)
        return TRYGON_ERR_EXISTS;
    uint64_t handle;
    struct tg_member *m = tg_slab_new(&w->members, &handle);
    m->self = handle;
    m->set = s;
    m->tag = tag;
    m->obj = o;
    tg_objs_hold(w->objs, o);
    HASH_ADD(hh, s->members, obj, sizeof m->obj, m);
    if (is_ready(w, m))
        member_ready(w, s, m);
    else
        watch_member(w, m);
    return TRYGON_SUCCESS;
}

int tg_set_remove(struct tg_waits *w, uint64_t set, trygon_ref_t ref)
{
    struct tg_set *s = tg_slab_get(&w->sets, set);
    const struct tg_obj *o = tg_objs_find(w->objs, ref);
    struct tg_member *m = o != NULL ? find_member(s, o) : NULL;
    if (m == NULL)
        return TRYGON_ERR_NOTFOUND;
    forget_member(w, s, m);
    if (s->members == NULL)
        wake_waiter(w, s); /* there is no next one */
    return TRYGON_SUCCESS;
}

int tg_set_take(struct tg_waits *w, uint64_t set, trygon_ref_t *ref,
                uint64_t *tag)
{
    struct tg_set *s = tg_slab_get(&w->sets, set);
    struct tg_member *m = first_ready(w, s);
    if (m == NULL)
        return s->members == NULL ? TRYGON_ERR_NOTFOUND : TRYGON_ERR_TIMEOUT;
    *ref = m->obj->ref;
    *tag = m->tag;
    forget_member(w, s, m);
    return TRYGON_SUCCESS;
}

void tg_waits_notice(struct tg_waits *w, const struct tg_watch *n)
{
    if (n->who == TG_WATCHER_SET) {
        struct tg_member *m = tg_slab_find(&w->members, n->handle);
        if (m != NULL)
            member_ready(w, m->set, m);
        return;
    }
    struct tg_waiter *x = tg_slab_find(&w->waiters, n->handle);
    if (x == NULL)
        return;
    x->nready++;
    if (x->nready >= x->need ||
        (x->kind == TG_WAIT_ALL && n->obj->state == TG_OBJ_FAILED))
        finish(w, x, 0);
}

/* ----- looking --------------------------------------------------------------------- */

void tg_waits_check(const struct tg_waits *w)
{
    uint32_t slot = 0;
    const struct tg_waiter *x;
    while ((x = tg_slab_next(&w->waiters, &slot)) != NULL) {
        TG_ASSERT(x->done || x->n == 0 || x->nready < x->need);
        TG_ASSERT(x->done || x->kind != TG_WAIT_LIST || x->gather.left > 0);
        TG_ASSERT(x->done || x->deadline_ns > w->ctx->now_ns);
    }
    const struct tg_flag *f;
    for (slot = 0; (f = tg_slab_next(&w->flags, &slot)) != NULL;) {
        TG_ASSERT(!f->set || f->waiters == NULL);
        DL_FOREACH (f->waiters, x)
            TG_ASSERT(x->kind == TG_WAIT_FLAG && !x->done);
    }
    const struct tg_set *s;
    for (slot = 0; (s = tg_slab_next(&w->sets, &slot)) != NULL;) {
        const struct tg_waiter *by = tg_slab_find(&w->waiters, s->waiter);
        TG_ASSERT(by == NULL || by->done || s->ready == NULL);
    }
}

bool tg_waits_quiet(const struct tg_waits *w)
{
    return w->waiters.used == 0;
}
