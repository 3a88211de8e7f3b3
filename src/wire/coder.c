/* coder.c - see coder.h. */
#include "wire/coder.h"

#include "base/mem.h"

/* ----- bytes ------------------------------------------------------------ */

void tg_writer_grow(struct tg_coder *c, size_t n)
{
    struct tg_bytes *b = c->out;
    tg_writer_end(c);
    tg_bytes_grow(b, n);
    c->w = b->v + b->n;
    c->left = b->cap - b->n;
}

void tg_code_fail(struct tg_coder *c, int rc)
{
    if (c->rc == 0)
        c->rc = rc;
    c->left = 0;
}

void tg_code_bytes(struct tg_coder *c, void *v, size_t n)
{
    if (n > 0)
        tg_code_raw(c, v, n);
}

void tg_code_broken(struct tg_coder *c)
{
    TG_ASSERT(tg_reading(c)); /* no message of ours breaks a rule */
    if (tg_reading(c))
        tg_code_fail(c, TRYGON_ERR_INVALID);
}

/* ----- numbers ---------------------------------------------------------- */

void tg_write_long(struct tg_coder *c, uint64_t v)
{
    for (; v > 127; v >>= 7)
        *tg_code_put(c, 1) = (unsigned char)(v | 128);
    *tg_code_put(c, 1) = (unsigned char)v;
}

uint64_t tg_read_long(struct tg_coder *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned char *b = tg_code_take(c, 1);
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

/* ----- arrays and strings ---------------------------------------------- */

void *tg_code_room(struct tg_coder *c, void *has, uint64_t n, size_t size,
                   size_t least)
{
    if (!tg_reading(c) || n == 0 || !tg_code_must(c, n <= c->left / least))
        return has;
    /* As tg_alloc(), but a malloc() of this size is faster than a calloc(). */
    void *v = tg_grow(NULL, (size_t)n, size);
    return memset(v, 0, (size_t)n * size);
}

/* Of a string that is there. */
void tg_code_chars(struct tg_coder *c, char **s, uint64_t n)
{
    *s = tg_code_room(c, *s, n, 1, 1);
    if (c->rc != 0)
        return;
    tg_code_bytes(c, *s, n);
    tg_code_must(c, memchr(*s, 0, n) == *s + n - 1);
}
