/* value.c - see value.h. */
#include "core/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static size_t align_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}

struct tg_val *tg_val_new(uint64_t size, uint32_t ndim, uint32_t nrefs)
{
    size_t dims_at = align_up(sizeof(struct tg_val), 8);
    size_t refs_at = dims_at + ndim * sizeof(int64_t);
    size_t head = refs_at + (size_t)nrefs * sizeof(trygon_ref_t);
    bool big = size > TG_VAL_ALIGN_FROM;
    size_t data_at = align_up(head, big ? TG_VAL_ALIGN : 16);
    if (size > SIZE_MAX - data_at - TG_VAL_ALIGN)
        return NULL;
    size_t all = data_at + (size_t)size;
    struct tg_val *v =
        big ? aligned_alloc(TG_VAL_ALIGN, align_up(all, TG_VAL_ALIGN))
            : malloc(all);
    if (v == NULL)
        return NULL;
    memset(v, 0, head);
    unsigned char *base = (unsigned char *)v;
    v->count = 1;
    v->ndim = (uint8_t)ndim;
    v->nrefs = nrefs;
    v->size = size;
    v->dims = (int64_t *)(void *)(base + dims_at);
    v->refs = (trygon_ref_t *)(void *)(base + refs_at);
    v->data = base + data_at;
    return v;
}

struct tg_val *tg_val_copy(const trygon_value_t *u)
{
    struct tg_val *v =
        tg_val_new(u->size, (uint32_t)u->ndim, (uint32_t)u->nrefs);
    if (v == NULL)
        return NULL;
    v->type = (uint8_t)u->type;
    if (u->ndim > 0)
        memcpy(v->dims, u->dims, (size_t)u->ndim * sizeof *v->dims);
    if (u->nrefs > 0)
        memcpy(v->refs, u->refs, u->nrefs * sizeof *v->refs);
    if (u->size > 0)
        memcpy(v->data, u->data, u->size);
    return v;
}

struct tg_val *tg_val_hold(struct tg_val *v)
{
    v->count++;
    return v;
}

void tg_val_drop(struct tg_val **v)
{
    if (*v != NULL && --(*v)->count == 0)
        free(*v);
    *v = NULL;
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
    memcpy(v->data, error->data, error->size);
    memcpy(v->data + error->size, cause->data,
           more * sizeof(struct trygon_error));
    for (uint64_t i = 0; i < have + more; i++) {
        struct trygon_error e;
        unsigned char *at = v->data + i * sizeof e;
        memcpy(&e, at, sizeof e);
        e.ncauses = (int32_t)(have + more - i - 1);
        memcpy(at, &e, sizeof e);
    }
    tg_val_drop(&error);
    return v;
}

const struct trygon_error *tg_val_err(const struct tg_val *v, uint32_t i)
{
    if (v == NULL || !v->error || i >= v->size / sizeof(struct trygon_error))
        return NULL;
    /* The data of an error value is 8-byte aligned: dims and refs are. */
    return (const struct trygon_error *)(const void *)v->data + i;
}
