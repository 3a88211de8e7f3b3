/* owner_name.c - what an owner tells others of its actors (owner.h): to the head
 * what becomes of their names, to who asks which there are, and of the last
 * that have ended, why.
 */
#include <stdlib.h>
#include <string.h>

#include "core/owner.h"
#include "core/owner_impl.h"

const char *tg_actor_name(const struct tg_actor *a)
{
    return a->agreed != NULL ? a->agreed->name.name : "";
}

/* ----- what the head knows --------------------------------------------------------- */

static void tell_head(struct tg_owner *w, enum tg_name_op op,
                      const struct tg_actor *a)
{
    struct tg_msg m = {.type = TG_MSG_NAME};
    m.u.name.op = op;
    m.u.name.ticket = a->agreed->ticket;
    if (op == TG_NAME_SET)
        m.u.name.ref = a->ref;
    tg_ctx_send(w->ctx, 0, &m);
}

void tg_actor_agreed(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x,
                     const struct tg_create *create)
{
    struct tg_agreed *g = tg_alloc(sizeof *g);
    g->name = create->name;
    g->ticket = create->ticket;
    g->detached = create->detached;
    a->agreed = g;
    if (g->ticket != 0)
        tell_head(w, TG_NAME_SET, a);
    if (g->detached)
        tg_objs_hold(w->objs, x);
}

static void free_name(struct tg_owner *w, struct tg_actor *a)
{
    if (a->agreed == NULL || a->agreed->ticket == 0)
        return;
    tell_head(w, TG_NAME_BACK, a);
    a->agreed->ticket = 0;
}

/* ----- the dead ---------------------------------------------------------------------- */

static struct tg_dead *new_dead(struct tg_owner *w)
{
    if (w->dead.n < TG_DEAD_MAX)
        return tg_vec_add(&w->dead);
    struct tg_dead *d = &w->dead.v[w->dead_at];
    w->dead_at = (w->dead_at + 1) % TG_DEAD_MAX;
    free(d->text);
    return d;
}

static void remember(struct tg_owner *w, const struct tg_actor *a,
                     const char *cause)
{
    static const struct tg_agreed none;
    const struct tg_agreed *g = a->agreed != NULL ? a->agreed : &none;
    size_t n = strlen(g->name.name) + 1, s = strlen(g->name.space) + 1,
           c = strlen(cause) + 1;
    struct tg_dead *d = new_dead(w);
    d->ref = a->ref;
    d->where = a->where;
    d->restarts = a->incarnation;
    d->detached = g->detached;
    d->text = tg_grow(NULL, n + s + c, 1);
    memcpy(d->text, g->name.name, n);
    memcpy(d->text + n, g->name.space, s);
    memcpy(d->text + n + s, cause, c);
}

/* After a crash the name of one that is not detached stays taken, as long as
 * there are handles (Ray). */
void tg_actor_ended(struct tg_owner *w, struct tg_actor *a, bool crashed,
                    const char *cause)
{
    tg_actor_unkeep(w, a);
    if (a->ended)
        return;
    a->ended = true;
    remember(w, a, cause);
    bool detached = a->agreed != NULL && a->agreed->detached;
    if (crashed && !detached && a->agreed != NULL && a->agreed->ticket != 0)
        tell_head(w, TG_NAME_LOST, a);
    else
        free_name(w, a);
    if (detached)
        tg_objs_drop(w->objs, tg_objs_find(w->objs, a->ref));
}

void tg_actor_forgotten(struct tg_owner *w, struct tg_actor *a)
{
    if (!a->ended)
        remember(w, a, "no handle of it was left");
    a->ended = true;
    tg_actor_unkeep(w, a);
    free_name(w, a);
}

void tg_actors_dead_fini(struct tg_owner *w)
{
    for (uint32_t i = 0; i < w->dead.n; i++)
        free(w->dead.v[i].text);
    tg_vec_free(&w->dead);
}

static const char *part_of(const char *text, int i)
{
    while (i-- > 0)
        text += strlen(text) + 1;
    return text;
}

struct tg_val *tg_actor_epitaph(const struct tg_owner *w, trygon_ref_t ref)
{
    const char *why = "no handle of it was left";
    struct tg_actor a = {.ref = ref, .where = -1};
    for (uint32_t i = 0; i < w->dead.n; i++) {
        const struct tg_dead *d = &w->dead.v[i];
        if (!tg_ref_eq(d->ref, tg_ref_strong(ref)))
            continue;
        why = part_of(d->text, 2);
        a.where = d->where;
        a.incarnation = d->restarts;
    }
    return tg_actor_died(w, &a, a.where, why);
}

void tg_owner_tell_gone(struct tg_owner *w, int32_t rank, trygon_ref_t ref)
{
    struct tg_msg m = {.type = TG_MSG_VALUE};
    m.u.value.ref = ref;
    m.u.value.here = true;
    m.u.value.item.val = tg_actor_epitaph(w, ref);
    m.u.value.size = m.u.value.item.val->size;
    tg_ctx_send(w->ctx, rank, &m);
}

/* ----- listing ------------------------------------------------------------------------ */

struct head { /* of a row in a value; then its name, namespace and cause */
    trygon_ref_t ref;
    int32_t state, rank, restarts, detached;
};

struct rows { /* bytes, or, without room, how many */
    unsigned char *p;
    uint64_t n;
};

static void add(struct rows *r, const void *p, size_t n)
{
    if (r->p != NULL)
        memcpy(r->p + r->n, p, n);
    r->n += n;
}

static void add_alive(struct rows *r, const struct tg_actor *a,
                      const struct tg_obj *x)
{
    static const struct tg_agreed none;
    const struct tg_agreed *g = a->agreed != NULL ? a->agreed : &none;
    int32_t state = x->state == TG_OBJ_PENDING        ? TG_ROW_PENDING
                    : a->state == TG_ACTOR_RESTARTING ? TG_ROW_RESTARTING
                                                      : TG_ROW_ALIVE;
    struct head h = {.ref = a->ref,
                     .state = state,
                     .rank = a->where,
                     .restarts = a->incarnation,
                     .detached = g->detached};
    add(r, &h, sizeof h);
    add(r, g->name.name, strlen(g->name.name) + 1);
    add(r, g->name.space, strlen(g->name.space) + 1);
    add(r, "", 1);
}

static void add_dead(struct rows *r, const struct tg_dead *d)
{
    struct head h = {.ref = d->ref,
                     .state = TG_ROW_DEAD,
                     .rank = d->where,
                     .restarts = d->restarts,
                     .detached = d->detached};
    add(r, &h, sizeof h);
    const char *end = part_of(d->text, 3);
    add(r, d->text, (size_t)(end - d->text));
}

static void add_all(const struct tg_owner *w, struct rows *r)
{
    const struct tg_actor *a;
    for (a = w->actors; a != NULL; a = a->hh.next) {
        const struct tg_obj *x = tg_objs_find(w->objs, a->ref);
        if (x != NULL && x->owned && !a->ended)
            add_alive(r, a, x);
    }
    for (uint32_t i = 0; i < w->dead.n; i++)
        add_dead(r, &w->dead.v[i]);
}

struct tg_val *tg_owner_rows(const struct tg_owner *w)
{
    struct rows r = {NULL, 0};
    add_all(w, &r);
    struct tg_val *v = tg_val_new(r.n, 0, 0);
    if (v == NULL)
        return tg_val_new(0, 0, 0);
    r = (struct rows){tg_val_data(v), 0};
    add_all(w, &r);
    return v;
}

/* A string that ends before the value does; NULL: none. */
static const char *take_text(const struct tg_val *v, uint64_t *at)
{
    const char *s = (const char *)tg_val_data(v) + *at;
    const char *end = memchr(s, '\0', (size_t)(v->size - *at));
    if (end != NULL)
        *at += (uint64_t)(end - s) + 1;
    return end != NULL ? s : NULL;
}

bool tg_rows_next(const struct tg_val *v, uint64_t *at,
                  struct tg_actor_row *row)
{
    struct head h;
    if (v == NULL || v->size - *at < sizeof h)
        return false;
    memcpy(&h, tg_val_data(v) + *at, sizeof h);
    *at += sizeof h;
    *row = (struct tg_actor_row){.ref = h.ref,
                                 .state = h.state,
                                 .rank = h.rank,
                                 .restarts = h.restarts,
                                 .detached = h.detached != 0};
    row->name = take_text(v, at);
    row->space = row->name != NULL ? take_text(v, at) : NULL;
    row->cause = row->space != NULL ? take_text(v, at) : NULL;
    return row->cause != NULL;
}
