/* core_list.c - lists of what ranks know (core.h): actors, objects, and where
 * an object is.  Who asks waits for a value of each rank that is asked. */
#include <stdlib.h>
#include <string.h>

#include "core/core_impl.h"
#include "core/dir.h"

void tg_core_ask_list(struct tg_core *c, const struct tg_msg_list *what,
                      uint64_t waiter)
{
    int32_t n = what->what == TG_LISTED_PLACES ? 1 : c->ctx.nranks;
    for (int32_t r = 0; r < n; r++) {
        struct tg_msg m = {.type = TG_MSG_LIST};
        m.u.list = *what;
        m.u.list.waiter = waiter;
        tg_ctx_send(&c->ctx, r, &m);
    }
}

/* ----- objects --------------------------------------------------------------- */

/* Those of others as long as something here holds them; and of ours none that
 * is but a memory of how to make it. */
static bool is_listed(const struct tg_obj *x)
{
    bool there = x->owned && (!x->dormant || x->weight > 0);
    return (there || x->count > 0) && tg_ref_kind(x->ref) == TRYGON_KIND_OBJECT;
}

static struct tg_obj_row object_row(const struct tg_obj *x)
{
    struct tg_obj_row row = {.ref = x->ref,
                             .state = x->state,
                             .at = -1,
                             .size = tg_obj_size(x),
                             .counts = x->count};
    if (x->val != NULL && x->state == TG_OBJ_READY)
        row.type = x->val->type;
    if (x->val != NULL && x->val->stored) {
        row.at = tg_val_place(x->val)->rank;
        row.blob = tg_val_place(x->val)->blob;
    }
    return row;
}

static struct tg_obj_row blob_row(const struct tg_core *c,
                                  const struct tg_blob *b)
{
    return (struct tg_obj_row){.at = c->ctx.rank,
                               .blob = b->self,
                               .size = b->size,
                               .spilled = b->on_disk,
                               .fn = b->fn};
}

static struct tg_val *object_rows(const struct tg_core *c)
{
    TG_VEC(struct tg_obj_row) rows = {0};
    uint64_t at = 0;
    const struct tg_obj *x;
    while ((x = tg_objs_next(&c->objs, &at)) != NULL)
        if (is_listed(x))
            *tg_vec_add(&rows) = object_row(x);
    uint32_t slot = 0;
    const struct tg_blob *b;
    while ((b = tg_slab_next(&c->store.blobs, &slot)) != NULL)
        if (b->kind == TG_BLOB_OWN)
            *tg_vec_add(&rows) = blob_row(c, b);
    trygon_value_t u = {.data = rows.v, .size = rows.n * sizeof *rows.v};
    struct tg_val *v = tg_val_copy(&u);
    tg_vec_free(&rows);
    return v;
}

bool tg_obj_rows_next(const struct tg_val *v, uint64_t *at,
                      struct tg_obj_row *row)
{
    if (v == NULL || v->size - *at < sizeof *row)
        return false;
    memcpy(row, tg_val_data(v) + *at, sizeof *row);
    *at += sizeof *row;
    return true;
}

/* ----- places ----------------------------------------------------------------- */

static struct tg_val *place_row(const struct tg_core *c, trygon_ref_t ref)
{
    struct tg_place_row row;
    memset(&row, 0, sizeof row);
    int32_t n =
        tg_dir_where(c->dir, ref, TG_PLACES_MAX, row.ranks, &row.in_file);
    row.n = n;
    trygon_value_t u = {.data = &row, .size = sizeof row};
    return tg_val_copy(&u);
}

bool tg_place_rows(const struct tg_val *v, struct tg_place_row *row)
{
    if (v == NULL || v->size != sizeof *row)
        return false;
    memcpy(row, tg_val_data(v), sizeof *row);
    return true;
}

/* ----- both --------------------------------------------------------------------- */

void tg_core_on_list(struct tg_core *c, int32_t from,
                     const struct tg_msg_list *m)
{
    struct tg_msg answer = {.type = TG_MSG_ROWS};
    struct tg_item *it = &answer.u.rows.item;
    answer.u.rows.waiter = m->waiter;
    if (m->what == TG_LISTED_ACTORS)
        it->val = tg_owner_rows(&c->owner);
    else if (m->what == TG_LISTED_OBJECTS)
        it->val = object_rows(c);
    else if (c->dir != NULL)
        it->val = place_row(c, m->ref);
    if (it->val == NULL) /* no memory: an empty list */
        it->val = tg_val_new(0, 0, 0);
    TG_ASSERT(it->val != NULL);
    tg_ctx_send(&c->ctx, from, &answer);
}
