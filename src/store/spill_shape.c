/* spill_shape.c - objects as arrays, and arrays in pieces. */
#include "store/spill_impl.h"

#include "base/assert.h"
#include "core/value.h"

enum { PIECE = 1 << 20 };

/* Do the dims make the size? */
static bool fits(const struct tg_spill_item *it, size_t element)
{
    uint64_t size = element;
    bool empty = false, small = true;
    if (element == 0 || it->ndim < 0 || it->ndim > TRYGON_MAX_DIMS ||
        (it->ndim == 0 && it->type == TRYGON_BYTE))
        return false;
    for (int32_t i = 0; i < it->ndim; i++) {
        if (it->dims[i] < 0)
            return false;
        empty |= it->dims[i] == 0;
        small = small &&
                !__builtin_mul_overflow(size, (uint64_t)it->dims[i], &size);
    }
    return empty ? it->size == 0 : small && it->size == size;
}

struct tg_shape_h5 tg_spill_shape_of(const struct tg_spill_item *it)
{
    struct tg_shape_h5 s = {TRYGON_BYTE, 1, 1, {it->size}};
    size_t element = tg_type_size(it->type);
    if (!fits(it, element))
        return s;
    s.type = it->type;
    s.element = element;
    s.ndim = it->ndim;
    for (int i = 0; i < s.ndim; i++)
        s.dims[i] = (uint64_t)it->dims[i];
    return s;
}

bool tg_shape_has_pieces(const struct tg_shape_h5 *s)
{
    for (int i = 0; i < s->ndim; i++)
        if (s->dims[i] == 0)
            return false;
    return s->ndim > 0;
}

struct tg_pieces tg_shape_cut(const struct tg_shape_h5 *s)
{
    TG_ASSERT(tg_shape_has_pieces(s));
    struct tg_pieces c = {.at = s->ndim - 1, .rest = s->element, .n = 1};
    while (c.at > 0 && c.rest * s->dims[c.at] <= PIECE)
        c.rest *= s->dims[c.at--];
    uint64_t all = s->dims[c.at];
    c.step = PIECE / c.rest < all ? PIECE / c.rest : all;
    c.per = (all + c.step - 1) / c.step;
    for (int i = 0; i < c.at; i++)
        c.n *= s->dims[i];
    c.n *= c.per;
    return c;
}

uint64_t tg_piece_at(const struct tg_shape_h5 *s, const struct tg_pieces *c,
                     uint64_t p, uint64_t start[], uint64_t count[])
{
    uint64_t outer = p / c->per, first = p % c->per * c->step, n = 1;
    uint64_t left = s->dims[c->at] - first;
    for (int i = s->ndim - 1; i >= 0; i--) {
        uint64_t from = i == c->at ? first : 0;
        count[i] = i < c->at ? 1 : s->dims[i];
        if (i == c->at)
            count[i] = c->step < left ? c->step : left;
        if (i < c->at) {
            from = outer % s->dims[i];
            outer /= s->dims[i];
        }
        if (start != NULL)
            start[i] = from;
        n *= count[i];
    }
    return n;
}

struct tg_run tg_piece_run(const struct tg_shape_h5 *s,
                           const struct tg_pieces *c, uint64_t p)
{
    if (!tg_shape_has_pieces(s))
        return (struct tg_run){0, s->ndim == 0 ? s->element : 0};
    uint64_t all = s->dims[c->at], first = p % c->per * c->step;
    uint64_t n = c->step < all - first ? c->step : all - first;
    return (struct tg_run){(p / c->per * all + first) * c->rest, n * c->rest};
}
