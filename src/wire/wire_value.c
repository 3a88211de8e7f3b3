/* wire_value.c - values, and what errors must be (wire.h, coder.h). */
#include "wire/wire_impl.h"

#define ENDS(array_) (memchr((array_), 0, sizeof(array_)) != NULL)

/* An error is printed by whoever gets it: its strings must end. */
static bool error_ok(const struct tg_val *v)
{
    uint64_t n = v->size / sizeof(struct trygon_error);
    for (uint32_t i = 0; i < n; i++) {
        const struct trygon_error *e = tg_val_err(v, i);
        bool few = (uint64_t)e->ncauses < n - i; /* not negative either */
        if (e->size != sizeof *e || e->code >= 0 || !few ||
            !ENDS(e->function) || !ENDS(e->host) || !ENDS(e->text))
            return false;
    }
    return true;
}

static bool error_head_ok(const struct tg_val *v)
{
    uint64_t one = sizeof(struct trygon_error);
    return v->type == TRYGON_BYTE && v->ndim == 0 && v->nrefs == 0 &&
           v->size > 0 && v->size % one == 0 && v->size <= TG_CAUSES_MAX * one;
}

/* What the bytes of a value are. */
enum { BYTES, ERROR, STORED };
enum { PLACE_LEAST = 9 };

/* What can be said of a value before its parts are there. */
static void code_head(struct tg_coder *c, struct tg_val *v)
{
    uint8_t type = v->type, ndim = v->ndim;
    uint8_t what = v->error ? ERROR : v->stored ? STORED : BYTES;
    uint64_t size = v->size;
    tg_code_u8(c, &type, TRYGON_COMPLEX128);
    tg_code_u8(c, &ndim, TRYGON_MAX_DIMS);
    tg_code_u8(c, &what, STORED);
    tg_code_u32(c, &v->nrefs, UINT32_MAX);
    tg_code_within(c, &size, what == STORED, TG_WIRE_SIZE_MAX);
    v->type = type;
    v->ndim = ndim & 0xfu;
    v->error = what == ERROR;
    v->stored = what == STORED;
    v->size = size & (2 * TG_WIRE_SIZE_MAX - 1);
    tg_code_must(c, !v->error || error_head_ok(v));
}

/* Whether the bytes are in the body. */
static bool embedded(const struct tg_val *v)
{
    return !v->stored && v->size <= TG_WIRE_EMBED;
}

static struct tg_val *new_value(struct tg_coder *c, const struct tg_val *head)
{
    uint64_t least = head->ndim + (uint64_t)head->nrefs * 16 +
                     (head->stored     ? PLACE_LEAST
                      : embedded(head) ? head->size
                                       : 0);
    if (c->rc != 0 || !tg_code_must(c, least <= c->left))
        return NULL;
    struct tg_val *v =
        head->stored
            ? tg_val_new_stored(head->size, head->ndim, head->nrefs, 0, 0)
            : tg_val_new(head->size, head->ndim, head->nrefs);
    if (v == NULL) {
        tg_code_fail(c, TRYGON_ERR_NOMEM);
        return NULL;
    }
    v->type = head->type;
    v->error = head->error;
    return v;
}

void tg_code_value(struct tg_coder *c, struct tg_val **val)
{
    struct tg_val head = {0};
    if (!tg_reading(c))
        head = **val;
    code_head(c, &head);
    if (tg_reading(c))
        *val = new_value(c, &head);
    struct tg_val *v = *val;
    if (v == NULL)
        return;
    for (uint32_t i = 0; i < v->ndim; i++)
        tg_code_i64(c, &tg_val_dims(v)[i]);
    for (uint32_t i = 0; i < v->nrefs; i++)
        tg_code_ref(c, &tg_val_refs(v)[i]);
    if (v->stored)
        tg_code_place(c, tg_val_place(v));
    else if (embedded(v))
        tg_code_bytes(c, tg_val_data(v), (size_t)v->size);
    else
        tg_code_attach(c, tg_val_data(v), v->size);
    if (v->error && embedded(v) && c->rc == 0)
        tg_code_must(c, error_ok(v));
}

static bool complete(const struct tg_val *v)
{
    return v == NULL || !v->error || error_ok(v);
}

bool tg_wire_complete(const struct tg_msg *m)
{
    struct tg_msg copy = *m; /* tg_msg_items() gives pointers to change */
    uint32_t n = 0;
    const struct tg_item *items = tg_msg_items(&copy, &n);
    for (uint32_t i = 0; i < n; i++)
        if (!complete(items[i].val))
            return false;
    return m->type != TG_MSG_DONE || complete(m->u.done.error);
}
