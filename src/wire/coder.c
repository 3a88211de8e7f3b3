/* coder.c - see coder.h. */
#include "wire/coder.h"

#include <string.h>

#include "base/mem.h"

/* ----- bytes ------------------------------------------------------------ */

void tg_code_fail(struct tg_coder *c, int rc)
{
    if (c->rc == 0)
        c->rc = rc;
    c->left = 0;
}

bool tg_code_must(struct tg_coder *c, bool ok)
{
    if (!tg_reading(c))
        TG_ASSERT(ok);
    else if (!ok)
        tg_code_fail(c, TRYGON_ERR_INVALID);
    return ok;
}

static unsigned char *put(struct tg_coder *c, size_t n)
{
    struct tg_bytes *b = c->out;
    if (b->cap - b->n < n) {
        b->cap = b->cap * 2 + n + 64;
        b->v = tg_grow(b->v, b->cap, 1);
    }
    b->n += n;
    return b->v + b->n - n;
}

static const unsigned char *take(struct tg_coder *c, size_t n)
{
    if (!tg_code_must(c, n <= c->left))
        return NULL;
    c->left -= n;
    c->p += n;
    return c->p - n;
}

void tg_code_raw(struct tg_coder *c, void *v, size_t n)
{
    if (n == 0)
        return;
    if (!tg_reading(c)) {
        memcpy(put(c, n), v, n);
        return;
    }
    const unsigned char *from = take(c, n);
    if (from != NULL)
        memcpy(v, from, n);
}

/* ----- numbers ---------------------------------------------------------- */

void tg_code_u64(struct tg_coder *c, uint64_t *v)
{
    unsigned char b[8];
    for (unsigned i = 0; i < 8; i++)
        b[i] = (unsigned char)(*v >> 8 * i);
    tg_code_raw(c, b, sizeof b);
    if (!tg_reading(c) || c->rc != 0)
        return;
    for (unsigned i = 0; i < 8; i++)
        *v |= (uint64_t)b[i] << 8 * i;
}

static void write_uint(struct tg_coder *c, uint64_t v)
{
    for (; v > 127; v >>= 7)
        *put(c, 1) = (unsigned char)(v | 128);
    *put(c, 1) = (unsigned char)v;
}

static uint64_t read_uint(struct tg_coder *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned char *b = take(c, 1);
        /* The tenth byte holds one bit; a last byte of 0 adds nothing. */
        if (b == NULL || !tg_code_must(c, shift < 63 || *b <= 1) ||
            !tg_code_must(c, shift == 0 || *b != 0))
            return 0;
        v |= (uint64_t)(*b & 127) << shift;
        if (*b < 128)
            break;
    }
    return v;
}

void tg_code_uint(struct tg_coder *c, uint64_t *v)
{
    if (tg_reading(c))
        *v = read_uint(c);
    else
        write_uint(c, *v);
}

bool tg_code_within(struct tg_coder *c, uint64_t *v, uint64_t lo, uint64_t hi)
{
    tg_code_uint(c, v);
    bool ok = tg_code_must(c, lo <= *v && *v <= hi);
    if (!ok)
        *v = 0;
    return ok;
}

void tg_code_u32(struct tg_coder *c, uint32_t *v, uint32_t max)
{
    uint64_t w = *v;
    tg_code_within(c, &w, 0, max);
    *v = (uint32_t)w;
}

void tg_code_u8(struct tg_coder *c, uint8_t *v, uint8_t max)
{
    uint64_t w = *v;
    tg_code_within(c, &w, 0, max);
    *v = (uint8_t)w;
}

void tg_code_bool(struct tg_coder *c, bool *v)
{
    uint64_t w = *v;
    tg_code_within(c, &w, 0, 1);
    *v = w != 0;
}

void tg_code_i64(struct tg_coder *c, int64_t *v)
{
    uint64_t w = (uint64_t)*v << 1 ^ (*v < 0 ? UINT64_MAX : 0);
    tg_code_uint(c, &w);
    *v = (int64_t)(w >> 1) ^ -(int64_t)(w & 1);
}

void tg_code_range(struct tg_coder *c, int32_t *v, int32_t lo, int32_t hi)
{
    int64_t w = *v;
    tg_code_i64(c, &w);
    *v = tg_code_must(c, lo <= w && w <= hi) ? (int32_t)w : 0;
}

void tg_code_i32(struct tg_coder *c, int32_t *v)
{
    tg_code_range(c, v, INT32_MIN, INT32_MAX);
}

void tg_code_rank(struct tg_coder *c, int32_t *v)
{
    tg_code_range(c, v, -1, 0xffffff);
}

/* ----- arrays and strings ---------------------------------------------- */

void *tg_code_room(struct tg_coder *c, void *has, uint64_t n, size_t size,
                   size_t least)
{
    if (!tg_reading(c) || n == 0 || !tg_code_must(c, n <= c->left / least))
        return has;
    return tg_alloc((size_t)n * size);
}

/* The length counts the NUL, so that 0 can stand for NULL. */
void tg_code_text(struct tg_coder *c, char **s, uint32_t max)
{
    uint64_t n = *s != NULL ? strlen(*s) + 1 : 0;
    if (!tg_code_within(c, &n, 0, max) || n == 0)
        return;
    *s = tg_code_room(c, *s, n, 1, 1);
    if (c->rc != 0)
        return;
    tg_code_raw(c, *s, n);
    tg_code_must(c, memchr(*s, 0, n) == *s + n - 1);
}

void tg_code_line(struct tg_coder *c, char *s, size_t cap)
{
    uint64_t n = strlen(s) + 1;
    if (!tg_code_within(c, &n, 1, cap))
        return;
    tg_code_raw(c, s, n);
    tg_code_must(c, memchr(s, 0, n) == s + n - 1);
}
