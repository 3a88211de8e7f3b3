/* value.c - see value.h. */
#include "core/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sanitizer.h"

/* What is before the bytes. */
static size_t head_size(uint32_t ndim, uint32_t nrefs)
{
    return sizeof(struct tg_val) + ndim * sizeof(int64_t) +
           nrefs * sizeof(trygon_ref_t);
}

static void fill_head(struct tg_val *v, uint64_t size, uint32_t ndim,
                      uint32_t nrefs)
{
    *v = (struct tg_val){.count = 1,
                         .nrefs = nrefs,
                         .size = size & (2 * TG_VAL_SIZE_MAX - 1),
                         .ndim = ndim & 0xf};
    if (ndim > 0 || nrefs > 0)
        memset(v + 1, 0, head_size(ndim, nrefs) - sizeof *v);
}

struct tg_val *tg_val_new(uint64_t size, uint32_t ndim, uint32_t nrefs)
{
    const size_t line = TG_VAL_ALIGN;
    size_t head = head_size(ndim, nrefs);
    if (size > TG_VAL_SIZE_MAX || size > SIZE_MAX - head - 2 * line)
        return NULL;
    struct tg_val *v;
    if (size > TG_VAL_ALIGN_FROM)
        v = aligned_alloc(line, (head + line - 1) / line * line +
                                    ((size_t)size + line - 1) / line * line);
    else
        v = malloc((head + 15) / 16 * 16 + (size_t)size);
    if (v != NULL)
        fill_head(v, size, ndim, nrefs);
    return v;
}

/* The place stands where the bytes would, so there is room for no byte. */
struct tg_val *tg_val_new_stored(uint64_t size, uint32_t ndim, uint32_t nrefs,
                                 int32_t rank, uint64_t blob)
{
    TG_ASSERT(size > 0 && size <= TG_VAL_SIZE_MAX);
    struct tg_val *v = malloc(head_size(ndim, nrefs) + sizeof(struct tg_place));
    if (v == NULL)
        return NULL;
    fill_head(v, size, ndim, nrefs);
    v->stored = true;
    *tg_val_place(v) = (struct tg_place){.rank = rank, .blob = blob};
    return v;
}

/* ----- small values ------------------------------------------------------- */

/* A chunk has room of one size, and is aligned to its own. */
enum { CHUNK = 1 << 15, STEP = 32, LARGEST = STEP * TG_VALS_SIZES };

struct tg_vals_chunk {
    struct tg_val_room **list; /* where its free room is */
    struct tg_vals_chunk *next;
};

struct tg_val_room { /* when no value is in it */
    struct tg_val_room *next;
};

/* The sanitizer sees more of what malloc() has given. */
#if TG_ASAN
static const uint64_t too_large = 0;
#else
static const uint64_t too_large = LARGEST - sizeof(struct tg_val) + 1;
#endif

static void give_back(void *room)
{
    uintptr_t chunk = (uintptr_t)room & ~(uintptr_t)(CHUNK - 1);
    struct tg_val_room **list = ((struct tg_vals_chunk *)chunk)->list;
    struct tg_val_room *r = room;
    r->next = *list;
    *list = r;
}

/* The first room of a chunk is taken by what it says of itself. */
static bool add_chunk(struct tg_vals *vals, uint64_t which)
{
    struct tg_vals_chunk *c = aligned_alloc(CHUNK, CHUNK);
    if (c == NULL)
        return false;
    c->list = &vals->free[which];
    c->next = vals->chunks;
    vals->chunks = c;
    size_t room = STEP * (which + 1);
    for (size_t at = CHUNK / room * room - room; at > 0; at -= room)
        give_back((char *)c + at);
    return true;
}

void tg_vals_fini(struct tg_vals *vals)
{
    while (vals->chunks != NULL) {
        struct tg_vals_chunk *c = vals->chunks;
        vals->chunks = c->next;
        free(c);
    }
    *vals = (struct tg_vals){0};
}

struct tg_val *tg_vals_new(struct tg_vals *vals, uint64_t size)
{
    if (vals == NULL || size >= too_large)
        return NULL;
    uint64_t which = (sizeof(struct tg_val) + size - 1) / STEP;
    if (vals->free[which] == NULL && !add_chunk(vals, which))
        return NULL;
    struct tg_val_room *room = vals->free[which];
    vals->free[which] = room->next;
    struct tg_val *v = (struct tg_val *)(void *)room;
    *v = (struct tg_val){
        .count = 1, .size = size & (LARGEST - 1), .pooled = true};
    return v;
}

bool tg_vals_fill(struct tg_val *v, const trygon_value_t *u)
{
    if (u->ndim != 0 || u->nrefs != 0 || u->size > v->size)
        return false;
    v->size = u->size & (LARGEST - 1);
    v->type = (uint8_t)u->type;
    if (u->size > 0)
        memcpy(tg_val_plain(v), u->data, u->size);
    return true;
}

bool tg_vals_fits(const trygon_value_t *u)
{
    return u->ndim == 0 && u->nrefs == 0 && u->size < too_large;
}

struct tg_val *tg_vals_copy(struct tg_vals *vals, const trygon_value_t *u)
{
    struct tg_val *v = tg_vals_fits(u) ? tg_vals_new(vals, u->size) : NULL;
    return v != NULL && tg_vals_fill(v, u) ? v : tg_val_copy(u);
}

/* ----- values --------------------------------------------------------------- */

struct tg_val *tg_val_copy(const trygon_value_t *u)
{
    struct tg_val *v =
        tg_val_new(u->size, (uint32_t)u->ndim, (uint32_t)u->nrefs);
    if (v == NULL)
        return NULL;
    v->type = (uint8_t)u->type;
    if (u->ndim > 0)
        memcpy(tg_val_dims(v), u->dims, (size_t)u->ndim * sizeof *u->dims);
    if (u->nrefs > 0)
        memcpy(tg_val_refs(v), u->refs, u->nrefs * sizeof *u->refs);
    if (u->size > 0)
        memcpy(tg_val_data(v), u->data, u->size);
    return v;
}

void tg_val_free(struct tg_val *v)
{
    if (v->pooled)
        give_back(v);
    else
        free(v);
}

struct tg_val *tg_val_error(int32_t code, int32_t rank, uint64_t task,
                            const char *function, const char *fmt, ...)
{
    struct trygon_error e = {.size = sizeof e};
    e.code = code;
    e.rank = rank;
    e.task = task;
    snprintf(e.function, sizeof e.function, "%s",
             function != NULL ? function : "");
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e.text, sizeof e.text, fmt, ap);
    va_end(ap);
    trygon_value_t u = {.data = &e, .size = sizeof e};
    struct tg_val *v = tg_val_copy(&u);
    TG_ASSERT(v != NULL);
    v->error = true;
    return v;
}

struct tg_val *tg_val_caused(struct tg_val *error, const struct tg_val *cause)
{
    uint64_t have = error->size / sizeof(struct trygon_error);
    uint64_t more = cause->size / sizeof(struct trygon_error);
    if (more > TG_CAUSES_MAX - have)
        more = TG_CAUSES_MAX - have;
    struct tg_val *v =
        tg_val_new((have + more) * sizeof(struct trygon_error), 0, 0);
    TG_ASSERT(v != NULL);
    v->error = true;
    memcpy(tg_val_data(v), tg_val_data(error), error->size);
    memcpy(tg_val_data(v) + error->size, tg_val_data(cause),
           more * sizeof(struct trygon_error));
    for (uint64_t i = 0; i < have + more; i++) {
        struct trygon_error e;
        unsigned char *at = tg_val_data(v) + i * sizeof e;
        memcpy(&e, at, sizeof e);
        e.ncauses = (int32_t)(have + more - i - 1);
        memcpy(at, &e, sizeof e);
    }
    tg_val_drop(&error);
    return v;
}

struct tg_restarts_text tg_restarts_text(int32_t n)
{
    struct tg_restarts_text t = {""};
    if (n > 0)
        snprintf(t.text, sizeof t.text, ", after %d restart%s", (int)n,
                 n == 1 ? "" : "s");
    return t;
}

const struct trygon_error *tg_val_err(const struct tg_val *v, uint32_t i)
{
    if (v == NULL || !v->error || i >= v->size / sizeof(struct trygon_error))
        return NULL;
    return (const struct trygon_error *)(const void *)tg_val_data(v) + i;
}

size_t tg_type_size(int32_t type)
{
    static const uint8_t sizes[] = {
        [TRYGON_BYTE] = 1,        [TRYGON_INT8] = 1,    [TRYGON_UINT8] = 1,
        [TRYGON_INT16] = 2,       [TRYGON_UINT16] = 2,  [TRYGON_INT32] = 4,
        [TRYGON_UINT32] = 4,      [TRYGON_INT64] = 8,   [TRYGON_UINT64] = 8,
        [TRYGON_FLOAT32] = 4,     [TRYGON_FLOAT64] = 8, [TRYGON_COMPLEX64] = 8,
        [TRYGON_COMPLEX128] = 16,
    };
    return type >= 0 && type < (int32_t)sizeof sizes ? sizes[type] : 0;
}
