/* objects.c - section 12 of the header: arrays, freeing, and looking at
 * objects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

size_t trygon_type_size(int32_t type)
{
    return tg_type_size(type);
}

int trygon_put_array(trygon_t *tg, const void *data, int32_t type, int32_t ndim,
                     const int64_t dims[], trygon_ref_t *ref)
{
    TG_NEED_TG(tg);
    uint64_t size = tg_type_size(type);
    TG_NEED(tg, size > 0, "the type is none of an array");
    TG_NEED(tg, ndim >= 0 && ndim <= TRYGON_MAX_DIMS, "ndim is not 0 to 8");
    TG_NEED(tg, ndim == 0 || dims != NULL, "dims is NULL");
    for (int32_t i = 0; i < ndim; i++) {
        TG_NEED(tg, dims[i] >= 0, "one of dims is negative");
        uint64_t n = (uint64_t)dims[i];
        TG_NEED(tg, n == 0 || size <= TG_VAL_SIZE_MAX / n,
                "no array is that large");
        size *= n;
    }
    trygon_value_t v = {.data = data,
                        .size = (size_t)size,
                        .type = type,
                        .ndim = ndim,
                        .dims = dims};
    return trygon_put(tg, &v, ref);
}

int trygon_store_stats(trygon_t *tg, trygon_store_stats_t *stats)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, stats != NULL && stats->size >= 2 * sizeof(uint64_t),
            "stats is NULL or its size not set");
    trygon_store_stats_t all = {.size = stats->size};
    uint32_t slot = 0;
    const struct tg_blob *b;
    tg_enter(tg);
    const struct tg_store *s = &tg->core->store;
    while ((b = tg_slab_next(&s->blobs, &slot)) != NULL)
        all.objects += b->kind != TG_BLOB_NEAR;
    all.limit = tg->stores.node.limit;
    all.used = s->used;
    all.spilled_bytes = s->counts.spilled_bytes;
    all.spilled_objects = s->counts.spilled;
    all.restored_bytes = s->counts.restored_bytes;
    all.restored_objects = s->counts.restored;
    all.pulled_bytes = s->counts.pulled_bytes;
    all.pulled_objects = s->counts.pulled;
    all.sent_bytes = s->counts.sent_bytes;
    all.fallback_bytes = s->in_files;
    tg_leave(tg);
    memcpy(stats, &all, stats->size < sizeof all ? stats->size : sizeof all);
    return TRYGON_SUCCESS;
}

/* ----- freeing by hand ------------------------------------------------------------- */

int trygon_free(trygon_t *tg, size_t n, const trygon_ref_t refs[])
{
    TG_NEED_TG(tg);
    TG_NEED(tg, n == 0 || refs != NULL, "refs is NULL");
    int rc = tg_no_stream(tg, __func__, n, refs);
    if (rc != TRYGON_SUCCESS)
        return rc;
    for (size_t i = 0; i < n; i++)
        TG_NEED(tg, !tg_ref_actor(refs[i]),
                "an actor has no value: end it with trygon_actor_kill()");
    struct tg_event ev = {.type = TG_EV_FREE, .n = n, .refs = refs};
    tg_enter(tg);
    rc = tg_step(tg, &ev);
    tg_leave(tg);
    return tg_report(tg, __func__, rc);
}

/* ----- where it is ------------------------------------------------------------------ */

/* With the lock held: what the ranks know, which the caller drops. */
static int ask(struct trygon *tg, const struct tg_msg_list *list,
               struct tg_val ***vals)
{
    struct tg_wait_req req = {.kind = TG_WAIT_LIST, .list = list};
    struct tg_answer a = {0};
    int rc = tg_block(tg, &req, TRYGON_FOREVER, &a);
    *vals = a.vals;
    return rc;
}

static void drop_answers(struct trygon *tg, struct tg_val **vals)
{
    for (int32_t r = 0; vals != NULL && r < tg->nranks; r++)
        tg_val_drop(&vals[r]);
    free(vals);
}

/* With the lock held.  Outputs whose store has it; -1: none. */
static int stored_at(struct trygon *tg, trygon_ref_t ref, int32_t *at)
{
    struct tg_obj *x = NULL;
    struct tg_wait_req req = {
        .kind = TG_WAIT_ALL, .n = 1, .refs = &ref, .pins = &x};
    int rc = tg_block(tg, &req, 0, NULL);
    *at = -1;
    if (rc == TRYGON_ERR_TIMEOUT)
        return TRYGON_ERR_STATE;
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (x->state == TG_OBJ_READY && x->val != NULL && x->val->stored)
        *at = tg_val_place(x->val)->rank;
    struct tg_event unpin = {.type = TG_EV_UNPIN, .obj = x};
    tg_step(tg, &unpin);
    return TRYGON_SUCCESS;
}

/* With the lock held: as the head knows it, which may be about to hear of it. */
static int find_places(struct trygon *tg, trygon_ref_t ref,
                       struct tg_place_row *row)
{
    struct tg_msg_list list = {.what = TG_LISTED_PLACES, .ref = ref};
    struct tg_val **vals = NULL;
    int32_t at;
    memset(row, 0, sizeof *row);
    int rc = stored_at(tg, ref, &at);
    if (rc != TRYGON_SUCCESS || at < 0)
        return rc;
    rc = ask(tg, &list, &vals);
    if (rc == TRYGON_SUCCESS && (!tg_place_rows(vals[0], row) || row->n < 0))
        *row = (struct tg_place_row){.n = 1, .ranks = {at}};
    drop_answers(tg, vals);
    return rc;
}

int trygon_ref_locations(trygon_t *tg, trygon_ref_t ref, size_t capacity,
                         int32_t ranks[], size_t *n, bool *spilled)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, n != NULL && (capacity == 0 || ranks != NULL),
            "an output is NULL");
    int rc = tg_no_stream(tg, __func__, 1, &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    TG_NEED(tg, !tg_ref_actor(ref), "an actor is in no store");
    struct tg_place_row row;
    tg_enter(tg);
    rc = find_places(tg, ref, &row);
    tg_leave(tg);
    if (rc == TRYGON_ERR_STATE)
        return tg_fail(tg, rc, "%s: the object is not ready yet", __func__);
    if (rc != TRYGON_SUCCESS)
        return tg_report(tg, __func__, rc);
    *n = (size_t)row.n;
    for (size_t i = 0; i < *n && i < capacity && i < TG_PLACES_MAX; i++)
        ranks[i] = row.ranks[i];
    if (spilled != NULL)
        *spilled = row.in_file;
    return TRYGON_SUCCESS;
}

/* ----- all objects ---------------------------------------------------------------------- */

struct listed {
    TG_VEC(struct tg_obj_row) objects, blobs;
    TG_VEC(trygon_ref_t) held; /* by ranks that do not own them */
};

static int by_ref(const void *a, const void *b)
{
    const trygon_ref_t *x = a, *y = b;
    if (x->hi != y->hi)
        return x->hi < y->hi ? -1 : 1;
    return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* How often it is among those, which are in order. */
static uint64_t holders(const struct listed *l, trygon_ref_t ref)
{
    if (l->held.n == 0)
        return 0;
    const trygon_ref_t *end = l->held.v + l->held.n, *last,
                       *x = bsearch(&ref, l->held.v, l->held.n, sizeof ref,
                                    by_ref);
    if (x == NULL)
        return 0;
    for (last = x + 1; last < end && by_ref(last, &ref) == 0;)
        last++;
    while (x > l->held.v && by_ref(x - 1, &ref) == 0)
        x--;
    return (uint64_t)(last - x);
}

static void sort_out(const struct trygon *tg, struct tg_val *const vals[],
                     struct listed *l)
{
    struct tg_obj_row row;
    for (int32_t r = 0; r < tg->nranks; r++)
        for (uint64_t at = 0; tg_obj_rows_next(vals[r], &at, &row);) {
            if (tg_ref_none(row.ref))
                *tg_vec_add(&l->blobs) = row;
            else if (tg_ref_rank(row.ref) != r)
                *tg_vec_add(&l->held) = row.ref;
            else
                *tg_vec_add(&l->objects) = row;
        }
}

static int by_place(const void *a, const void *b)
{
    const struct tg_obj_row *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->blob < y->blob ? -1 : x->blob > y->blob;
}

/* Those in stores first, largest first. */
static int by_size(const void *a, const void *b)
{
    const struct tg_obj_row *x = a, *y = b;
    if ((x->at < 0) != (y->at < 0))
        return x->at < 0 ? 1 : -1;
    return x->size > y->size ? -1 : x->size < y->size;
}

/* With the lock held: pins are known on the node where it is stored. */
static void show(const struct trygon *tg, const struct tg_obj_row *row,
                 const struct tg_obj_row *blob, trygon_object_t *out)
{
    *out = (trygon_object_t){.ref = row->ref,
                             .state = row->state,
                             .owner = tg_ref_rank(row->ref),
                             .at = row->at,
                             .size = row->size,
                             .type = row->type,
                             .counts = row->counts};
    if (blob == NULL)
        return;
    out->spilled = blob->spilled;
    if (tg->stores.of[row->at] != NULL)
        out->pins = tg_arena_pins(tg->stores.of[row->at], row->blob);
    snprintf(out->function, sizeof out->function, "%s",
             blob->fn < tg->nfns ? tg->fns[blob->fn].name : "put");
}

/* With the lock held. */
static void show_all(const struct trygon *tg, struct listed *l, size_t capacity,
                     trygon_object_t objects[])
{
    size_t size = sizeof *l->objects.v;
    if (l->blobs.n > 0)
        qsort(l->blobs.v, l->blobs.n, size, by_place);
    if (l->objects.n > 0)
        qsort(l->objects.v, l->objects.n, size, by_size);
    if (l->held.n > 0)
        qsort(l->held.v, l->held.n, sizeof *l->held.v, by_ref);
    for (size_t i = 0; i < l->objects.n && i < capacity; i++) {
        const struct tg_obj_row *row = &l->objects.v[i], *blob = NULL;
        if (row->at >= 0 && l->blobs.n > 0)
            blob = bsearch(row, l->blobs.v, l->blobs.n, size, by_place);
        show(tg, row, blob, &objects[i]);
        objects[i].holders = holders(l, row->ref);
    }
}

int trygon_objects(trygon_t *tg, size_t capacity, trygon_object_t objects[],
                   size_t *n)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, n != NULL && (capacity == 0 || objects != NULL),
            "an output is NULL");
    struct tg_msg_list list = {.what = TG_LISTED_OBJECTS};
    struct tg_val **vals = NULL;
    struct listed l = {{0}, {0}, {0}};
    tg_enter(tg);
    int rc = ask(tg, &list, &vals);
    if (rc == TRYGON_SUCCESS) {
        sort_out(tg, vals, &l);
        show_all(tg, &l, capacity, objects);
        *n = l.objects.n;
    }
    drop_answers(tg, vals);
    tg_leave(tg);
    tg_vec_free(&l.objects);
    tg_vec_free(&l.blobs);
    tg_vec_free(&l.held);
    return tg_report(tg, __func__, rc);
}
