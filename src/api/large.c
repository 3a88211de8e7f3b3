/* large.c - section 12 of the header: values that live in stores, from the
 * room that they are given to the object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

/* ----- when there is no room --------------------------------------------------------- */

enum { HOLDERS = 3 };

/* The largest blobs of this store that are in memory, largest first. */
static uint32_t largest(const struct trygon *tg,
                        const struct tg_blob *top[HOLDERS])
{
    uint32_t slot = 0, n = 0;
    const struct tg_blob *b;
    while ((b = tg_slab_next(&tg->core->store.blobs, &slot)) != NULL) {
        if (tg_stores_data(&tg->stores, b->self) == NULL)
            continue;
        uint32_t at = n < HOLDERS ? n++ : HOLDERS;
        for (; at > 0 && top[at - 1]->size < b->size; at--)
            if (at < HOLDERS)
                top[at] = top[at - 1];
        if (at < HOLDERS)
            top[at] = b;
    }
    return n;
}

/* With the lock held: who has the room, and why there is no file. */
static int say_full(const struct trygon *tg, const char *who, int rc,
                    uint64_t size)
{
    const struct tg_blob *top[HOLDERS];
    uint32_t n = largest(tg, top);
    char text[256] = "";
    size_t at = 0;
    for (uint32_t i = 0; i < n && at < sizeof text; i++) {
        int more = snprintf(
            text + at, sizeof text - at,
            "%s%llu bytes of %s, %llu pins, rank %d",
            i == 0 ? "; largest: " : "; ", (unsigned long long)top[i]->size,
            top[i]->fn < tg->nfns ? tg->fns[top[i]->fn].name : "put",
            (unsigned long long)tg_arena_pins(tg->stores.own, top[i]->self),
            (int)top[i]->owner);
        at += more > 0 ? (size_t)more : 0;
    }
    const struct tg_store *s = &tg->core->store;
    return tg_fail(tg, rc,
                   "%s: no room for %llu bytes: %llu of %llu used, %llu here, "
                   "and no file: %s%s",
                   who, (unsigned long long)size,
                   (unsigned long long)(s->used + s->node_use.used),
                   (unsigned long long)s->limit, (unsigned long long)s->used,
                   tg->stores.no_file, text);
}

/* ----- room -------------------------------------------------------------------------- */

/* With the lock held: NULL and *rc: there is none, which has been told. */
static void *get_room(struct trygon *tg, const char *who, struct tg_room *r,
                      int64_t timeout_ms, int *rc)
{
    struct tg_event ev = {.type = TG_EV_ROOM, .room = r};
    struct tg_wait_req req = {.kind = TG_WAIT_ROOM};
    tg_stores_tell(tg);
    *rc = tg_step(tg, &ev);
    if (*rc != TRYGON_SUCCESS) {
        (void)tg_report(tg, who, *rc);
        return NULL;
    }
    req.set = r->blob;
    if (tg_store_has_room(&tg->core->store, r->blob) <= 0)
        *rc = tg_block(tg, &req, timeout_ms, NULL);
    if (*rc == TRYGON_SUCCESS)
        return tg_stores_data(&tg->stores, r->blob);
    if (*rc == TRYGON_ERR_STORE_FULL)
        (void)say_full(tg, who, *rc, r->size);
    else
        (void)tg_report(tg, who, *rc);
    tg_discard(tg, r->blob);
    return NULL;
}

static void *find_room(struct trygon *tg, const char *who,
                       const struct tg_exec *result_of, size_t size,
                       int64_t timeout_ms, uint64_t *blob, int *rc)
{
    const struct trygon_call *call = tg_current(tg);
    struct tg_room r = {.size = size};
    if (result_of != NULL)
        r.exec = result_of->self;
    else if (call != NULL)
        r.exec = call->exec->self;
    tg_enter(tg);
    void *data = get_room(tg, who, &r, timeout_ms, rc);
    tg_leave(tg);
    *blob = r.blob;
    return data;
}

static int no_memory(const struct trygon *tg, const char *who, size_t size)
{
    return tg_fail(tg, TRYGON_ERR_NOMEM, "%s: no room for %zu bytes", who,
                   size);
}

/* What is known of a value whose bytes are in the blob. */
static struct tg_val *describe(const struct trygon *tg, size_t size,
                               const trygon_value_t *v, uint64_t blob)
{
    struct tg_val *val = tg_val_new_stored(size, (uint32_t)v->ndim,
                                           (uint32_t)v->nrefs, tg->rank, blob);
    if (val == NULL)
        return NULL;
    val->type = (uint8_t)v->type;
    if (v->ndim > 0)
        memcpy(tg_val_dims(val), v->dims, (size_t)v->ndim * sizeof *v->dims);
    if (v->nrefs > 0)
        memcpy(tg_val_refs(val), v->refs, v->nrefs * sizeof *v->refs);
    return val;
}

static void seal(struct trygon *tg, const struct tg_exec *result_of,
                 struct tg_val *val)
{
    struct tg_event ev = {.type = TG_EV_SEAL,
                          .val = val,
                          .tag = result_of != NULL ? result_of->self : 0};
    tg_step(tg, &ev);
}

/* ----- values ------------------------------------------------------------------------ */

static int make_large(struct trygon *tg, const char *who,
                      const struct tg_exec *result_of,
                      const trygon_value_t *value, struct tg_val **val)
{
    uint64_t blob;
    int rc;
    void *data =
        find_room(tg, who, result_of, value->size, TRYGON_FOREVER, &blob, &rc);
    if (data == NULL)
        return rc;
    memcpy(data, value->data, value->size);
    struct tg_val *v = describe(tg, value->size, value, blob);
    tg_enter(tg);
    if (v != NULL)
        seal(tg, result_of, v);
    else
        tg_discard(tg, blob);
    tg_leave(tg);
    *val = v;
    return v != NULL ? TRYGON_SUCCESS : no_memory(tg, who, value->size);
}

int tg_make(struct trygon *tg, const char *who, const struct tg_exec *result_of,
            const trygon_value_t *value, struct tg_val **val)
{
    *val = NULL;
    if (value->size > TG_VAL_SIZE_MAX)
        return no_memory(tg, who, value->size);
    if (value->size > TG_INLINE_MAX)
        return make_large(tg, who, result_of, value, val);
    *val = tg_val_copy(value);
    return *val != NULL ? TRYGON_SUCCESS : no_memory(tg, who, value->size);
}

/* ----- buffers ------------------------------------------------------------------------ */

struct tg_buffer { /* what a trygon_buffer_t owns */
    uint64_t blob; /* 0: the memory is plain */
    void *plain;
};

static struct tg_buffer *new_buffer(size_t size)
{
    struct tg_buffer *b = calloc(1, sizeof *b);
    if (b == NULL || size > TG_INLINE_MAX)
        return b;
    size_t whole = (size / TG_VAL_ALIGN + 1) * TG_VAL_ALIGN;
    b->plain = aligned_alloc(TG_VAL_ALIGN, whole);
    if (b->plain != NULL)
        return b;
    free(b);
    return NULL;
}

int trygon_create(trygon_t *tg, size_t size, int64_t timeout_ms,
                  trygon_buffer_t *buffer)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, buffer != NULL, "the output is NULL");
    TG_NEED(tg, timeout_ms >= -1, "timeout_ms is below -1");
    TG_NEED(tg, size <= TG_VAL_SIZE_MAX, "no object is that large");
    struct tg_buffer *own = new_buffer(size);
    if (own == NULL)
        return no_memory(tg, __func__, size);
    void *data = own->plain;
    int rc = TRYGON_SUCCESS;
    if (data == NULL)
        data = find_room(tg, __func__, NULL, size, timeout_ms, &own->blob, &rc);
    if (data == NULL) {
        free(own);
        return rc;
    }
    *buffer = (trygon_buffer_t){data, size, own};
    return TRYGON_SUCCESS;
}

static void free_buffer(trygon_buffer_t *buffer)
{
    struct tg_buffer *own = buffer->own;
    free(own->plain);
    free(own);
    memset(buffer, 0, sizeof *buffer);
}

int trygon_discard(trygon_t *tg, trygon_buffer_t *buffer)
{
    TG_NEED_TG(tg);
    if (buffer == NULL || buffer->own == NULL)
        return TRYGON_SUCCESS;
    const struct tg_buffer *own = buffer->own;
    if (own->blob != 0) {
        tg_enter(tg);
        tg_discard(tg, own->blob);
        tg_leave(tg);
    }
    free_buffer(buffer);
    return TRYGON_SUCCESS;
}

/* The value of a buffer, with a hold on each of its references so that what
 * follows cannot fail.  On an error the buffer is as it was. */
static int value_of(struct trygon *tg, const char *who,
                    const struct tg_exec *result_of,
                    const trygon_buffer_t *buffer, const trygon_value_t *as,
                    struct tg_val **val)
{
    trygon_value_t v = as != NULL ? *as : (trygon_value_t){0};
    v.data = buffer->data;
    v.size = buffer->size;
    int rc = tg_check_value(tg, who, &v);
    if (rc != TRYGON_SUCCESS)
        return rc;
    const struct tg_buffer *own = buffer->own;
    *val =
        own->blob != 0 ? describe(tg, v.size, &v, own->blob) : tg_val_copy(&v);
    if (*val == NULL)
        return no_memory(tg, who, v.size);
    struct tg_event keep = {.type = TG_EV_KEEP, .val = *val};
    tg_enter(tg);
    rc = tg_step(tg, &keep);
    if (rc == TRYGON_SUCCESS && own->blob != 0)
        seal(tg, result_of, *val);
    else if (rc != TRYGON_SUCCESS)
        tg_val_drop(val);
    tg_leave(tg);
    return tg_report(tg, who, rc);
}

int trygon_seal(trygon_t *tg, trygon_buffer_t *buffer, const trygon_value_t *as,
                trygon_ref_t *ref)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, buffer != NULL && buffer->own != NULL,
            "the buffer is NULL or was cleared");
    TG_NEED(tg, ref != NULL, "the output is NULL");
    struct tg_val *val;
    int rc = value_of(tg, __func__, NULL, buffer, as, &val);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_event put = {.type = TG_EV_PUT, .val = val};
    struct tg_event unkeep = {.type = TG_EV_UNKEEP, .val = val};
    tg_enter(tg);
    tg_step(tg, &put); /* which holds them as well */
    tg_step(tg, &unkeep);
    tg_leave(tg);
    free_buffer(buffer);
    *ref = put.ref;
    return TRYGON_SUCCESS;
}

int trygon_call_return_buffer(trygon_call_t *call, size_t i,
                              trygon_buffer_t *buffer, const trygon_value_t *as)
{
    if (call == NULL)
        return tg_fail(NULL, TRYGON_ERR_INVALID, "%s: the call is NULL",
                       __func__);
    struct trygon *tg = call->tg;
    TG_NEED(tg, buffer != NULL && buffer->own != NULL,
            "the buffer is NULL or was cleared");
    if (i >= call->exec->nreturns)
        return tg_fail(tg, TRYGON_ERR_INVALID, "%s: return %zu of %u", __func__,
                       i, call->exec->nreturns);
    struct tg_val *val;
    int rc = value_of(tg, __func__, call->exec, buffer, as, &val);
    if (rc != TRYGON_SUCCESS)
        return rc;
    tg_enter(tg);
    tg_call_replace_return(call, i, val);
    tg_leave(tg);
    free_buffer(buffer);
    return TRYGON_SUCCESS;
}
