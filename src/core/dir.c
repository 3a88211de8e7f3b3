/* dir.c - see dir.h. */
#include "core/dir.h"

#include <stdlib.h>

#include "core/map.h"

/* Whole words: as a key its bytes count. */
struct holder_key {
    trygon_ref_t ref;
    int64_t rank;
};

struct holder { /* a rank that has an object in its store */
    struct holder_key key;
    struct holder *prev,
        *next; /* of the object's; the one that made it first */
    UT_hash_handle hh;
};

struct object {
    trygon_ref_t ref;
    int32_t home;  /* whose store made it; -1: that is lost, there are copies */
    bool in_file;  /* there, and not in memory */
    bool unused;   /* its owner does not use it any more */
    bool sought;   /* its owner waits to hear who has it now */
    int32_t asked; /* sought: to make its copy the object's home */
    struct holder *holders;
    UT_hash_handle hh;
};

struct fade { /* what a rank is told at the end of a call */
    TG_VEC(trygon_ref_t) refs;
};

struct tg_dir {
    struct tg_ctx *ctx;
    struct object *objects; /* by ref */
    struct holder *holders; /* by ref and rank */
    struct fade *fades;     /* of each rank */
    TG_VEC(int32_t) fading; /* ranks whose fade is not empty */
};

struct tg_dir *tg_dir_new(struct tg_ctx *ctx)
{
    struct tg_dir *d = tg_alloc(sizeof *d);
    d->ctx = ctx;
    d->fades = tg_alloc((size_t)ctx->nranks * sizeof *d->fades);
    return d;
}

/* ----- holders and objects ------------------------------------------------------- */

static struct object *find(const struct tg_dir *d, trygon_ref_t ref)
{
    struct object *x;
    HASH_FIND(hh, d->objects, &ref, sizeof ref, x);
    return x;
}

static struct holder *find_holder(const struct tg_dir *d, trygon_ref_t ref,
                                  int32_t rank)
{
    struct holder_key key = {ref, rank};
    struct holder *h;
    HASH_FIND(hh, d->holders, &key, sizeof key, h);
    return h;
}

static struct holder *new_holder(struct tg_dir *d, trygon_ref_t ref,
                                 int32_t rank)
{
    struct holder *h = tg_alloc(sizeof *h);
    h->key = (struct holder_key){ref, rank};
    HASH_ADD(hh, d->holders, key, sizeof h->key, h);
    return h;
}

/* Its owner hears that it is there; or, rank -1, nowhere. */
static void tell_owner(struct tg_dir *d, trygon_ref_t ref, int32_t rank,
                       uint64_t blob)
{
    struct tg_msg m = {.type = TG_MSG_HOME};
    m.u.home = (struct tg_msg_home){ref, rank, blob};
    tg_ctx_send(d->ctx, tg_ref_rank(ref), &m);
}

/* The first holder is to make its copy the object's home; it answers HOME, or
 * UNCOPY when it has it no more. */
static void ask_holder(struct tg_dir *d, struct object *x)
{
    struct tg_msg m = {.type = TG_MSG_HOME};
    int32_t owner = tg_ref_rank(x->ref);
    x->asked = (int32_t)x->holders->key.rank;
    m.u.home = (struct tg_msg_home){x->ref, x->asked == owner ? owner : -1, 0};
    tg_ctx_send(d->ctx, x->asked, &m);
}

static void drop_object(struct tg_dir *d, struct object *x)
{
    struct holder *h, *next;
    DL_FOREACH_SAFE (x->holders, h, next) {
        HASH_DEL(d->holders, h);
        free(h);
    }
    HASH_DEL(d->objects, x);
    free(x);
}

/* The rank has it no more; the object ends with the last one that does. */
static void drop_holder(struct tg_dir *d, struct object *x, int32_t rank)
{
    struct holder *h = find_holder(d, x->ref, rank);
    if (h == NULL)
        return;
    DL_DELETE(x->holders, h);
    HASH_DEL(d->holders, h);
    free(h);
    if (x->home == rank) {
        x->home = -1;
        x->in_file = false;
    }
    if (x->holders == NULL) {
        if (x->sought)
            tell_owner(d, x->ref, -1, 0);
        drop_object(d, x);
    } else if (x->sought && x->asked == rank) {
        ask_holder(d, x);
    }
}

void tg_dir_free(struct tg_dir **dir)
{
    struct tg_dir *d = *dir;
    if (d == NULL)
        return;
    while (d->objects != NULL)
        drop_object(d, d->objects);
    free(d->fades); /* they are empty between calls */
    tg_vec_free(&d->fading);
    free(d);
    *dir = NULL;
}

/* ----- news ------------------------------------------------------------------------ */

static void fade(struct tg_dir *d, trygon_ref_t ref, int32_t rank)
{
    struct fade *f = &d->fades[rank];
    if (f->refs.n == 0)
        *tg_vec_add(&d->fading) = rank;
    *tg_vec_add(&f->refs) = ref;
}

static void send_fades(struct tg_dir *d)
{
    for (uint32_t i = 0; i < d->fading.n; i++) {
        struct fade *f = &d->fades[d->fading.v[i]];
        struct tg_msg m = {.type = TG_MSG_FADE};
        m.u.fade.n = f->refs.n;
        m.u.fade.v = f->refs.v; /* the message's from now on */
        *f = (struct fade){0};
        tg_ctx_send(d->ctx, d->fading.v[i], &m);
    }
    d->fading.n = 0;
}

/* Known already, it has been made once more where it is stored now. */
static void on_new(struct tg_dir *d, struct object *x, const struct tg_news *n)
{
    if (n->rank < 0 || n->rank >= d->ctx->nranks || d->ctx->dead[n->rank])
        return;
    if (x == NULL) {
        x = tg_alloc(sizeof *x);
        x->ref = n->ref;
        HASH_ADD(hh, d->objects, ref, sizeof x->ref, x);
    }
    struct holder *h = find_holder(d, x->ref, n->rank);
    if (h == NULL)
        h = new_holder(d, x->ref, n->rank);
    else
        DL_DELETE(x->holders, h);
    DL_PREPEND(x->holders, h);
    x->home = n->rank;
    x->in_file = x->unused = x->sought = false;
}

static void on_copy(struct tg_dir *d, struct object *x, int32_t from)
{
    if (find_holder(d, x->ref, from) != NULL)
        return;
    struct holder *h = new_holder(d, x->ref, from);
    DL_APPEND(x->holders, h);
    if (x->unused)
        fade(d, x->ref, from);
}

static void on_unused(struct tg_dir *d, struct object *x)
{
    struct holder *h;
    x->unused = true;
    DL_FOREACH (x->holders, h) {
        if (h->key.rank != x->home)
            fade(d, x->ref, (int32_t)h->key.rank);
    }
}

/* Copies go as well. */
static void tell_freed(struct tg_dir *d, const struct object *x)
{
    const struct holder *h;
    DL_FOREACH (x->holders, h) {
        struct tg_msg m = {.type = TG_MSG_FADE};
        if (h->key.rank == x->home)
            continue;
        m.u.fade.freed = true;
        m.u.fade.n = 1;
        m.u.fade.v = tg_grow(NULL, 1, sizeof *m.u.fade.v);
        m.u.fade.v[0] = x->ref;
        tg_ctx_send(d->ctx, (int32_t)h->key.rank, &m);
    }
}

/* Its store is lost, as the owner has heard from here. */
static void on_sought(struct tg_dir *d, struct object *x, trygon_ref_t ref)
{
    if (x == NULL || x->home >= 0) {
        tell_owner(d, ref, -1, 0);
        return;
    }
    x->sought = true;
    ask_holder(d, x);
}

/* Who was asked has done so.  Nobody wants it any more: the owner forgets what
 * it knows of, and of its own loss all hear. */
static void on_home(struct tg_dir *d, struct object *x, int32_t from,
                    const struct tg_news *n)
{
    if (x == NULL || !x->sought || x->asked != from) {
        struct tg_msg m = {.type = TG_MSG_FORGET};
        m.u.forget.n = 1;
        m.u.forget.v = tg_grow(NULL, 1, sizeof *m.u.forget.v);
        m.u.forget.v[0] = n->size;
        if (d->ctx->dead[tg_ref_rank(n->ref)])
            tg_msg_fini(&m);
        else
            tg_ctx_send(d->ctx, from, &m);
        return;
    }
    struct holder *h = find_holder(d, x->ref, from);
    DL_DELETE(x->holders, h);
    DL_PREPEND(x->holders, h);
    x->home = from;
    x->sought = false;
    tell_owner(d, x->ref, from, n->size);
}

/* What the owner alone may say. */
static bool is_owners(enum tg_news_op op)
{
    return op == TG_NEWS_NEW || op == TG_NEWS_UNUSED || op == TG_NEWS_FREED ||
           op == TG_NEWS_DEAD || op == TG_NEWS_SOUGHT;
}

static void on_news(struct tg_dir *d, int32_t from, const struct tg_news *n)
{
    struct object *x = find(d, n->ref);
    if (is_owners(n->op) && from != tg_ref_rank(n->ref))
        return;
    if (n->op == TG_NEWS_NEW) {
        on_new(d, x, n);
        return;
    }
    if (n->op == TG_NEWS_SOUGHT) {
        on_sought(d, x, n->ref);
        return;
    }
    if (n->op == TG_NEWS_HOME) {
        on_home(d, x, from, n);
        return;
    }
    if (x == NULL)
        return;
    switch (n->op) {
    case TG_NEWS_COPY: on_copy(d, x, from); break;
    case TG_NEWS_UNCOPY:
        if (from != x->home)
            drop_holder(d, x, from);
        break;
    case TG_NEWS_DISK:
    case TG_NEWS_MEMORY:
        if (from == x->home)
            x->in_file = n->op == TG_NEWS_DISK;
        break;
    case TG_NEWS_UNUSED: on_unused(d, x); break;
    case TG_NEWS_FREED: tell_freed(d, x); break;
    case TG_NEWS_DEAD: drop_object(d, x); break;
    case TG_NEWS_SOUGHT:
    case TG_NEWS_HOME:
    case TG_NEWS_NEW: break;
    }
}

void tg_dir_msg(struct tg_dir *d, int32_t from, const struct tg_msg_news *m)
{
    for (uint32_t i = 0; i < m->n && !d->ctx->dead[from]; i++)
        on_news(d, from, &m->v[i]);
    send_fades(d);
}

void tg_dir_gone(struct tg_dir *d, int32_t rank)
{
    struct object *x, *next;
    HASH_ITER (hh, d->objects, x, next) {
        if (tg_ref_rank(x->ref) == rank)
            drop_object(d, x);
        else
            drop_holder(d, x, rank);
    }
}

/* ----- looking ---------------------------------------------------------------------- */

int32_t tg_dir_where(const struct tg_dir *d, trygon_ref_t ref, uint32_t cap,
                     int32_t ranks[], bool *in_file)
{
    const struct object *x = find(d, ref);
    const struct holder *h;
    uint32_t n = 0;
    if (x == NULL)
        return TRYGON_ERR_NOTFOUND;
    DL_FOREACH (x->holders, h) {
        if (x->in_file && h->key.rank == x->home)
            continue;
        if (n < cap)
            ranks[n] = (int32_t)h->key.rank;
        n++;
    }
    *in_file = x->in_file;
    return (int32_t)n;
}

void tg_dir_check(const struct tg_dir *d)
{
    const struct object *x;
    const struct holder *h;
    uint64_t n = 0;
    for (x = d->objects; x != NULL; x = x->hh.next) {
        TG_ASSERT(x->holders != NULL);
        TG_ASSERT(!d->ctx->dead[tg_ref_rank(x->ref)]);
        TG_ASSERT(!x->sought ||
                  (x->home < 0 && find_holder(d, x->ref, x->asked) != NULL));
        TG_ASSERT(x->home >= 0 ? x->holders->key.rank == x->home : !x->in_file);
        DL_FOREACH (x->holders, h) {
            TG_ASSERT(tg_ref_eq(h->key.ref, x->ref));
            TG_ASSERT(!d->ctx->dead[h->key.rank]);
            n++;
        }
    }
    TG_ASSERT(n == HASH_COUNT(d->holders));
    TG_ASSERT(d->fading.n == 0);
}
