/* coder.h - fields as bytes, in either direction.
 *
 * A message is described once, by a function that visits its fields in the
 * order of the wire; the coder knows whether the visit writes them or reads
 * them, so that the two cannot drift apart.  What a description may rely on:
 *  - what is read into was zeroed, and stays zero where reading fails;
 *  - after the first failure nothing is left to read, all that is read is 0,
 *    no memory is allocated, and rc says what went wrong;
 *  - when writing, nothing that the caller sees changes.
 * In return it branches only on what it has visited before, and goes through
 * an array that it has just read with tg_code_all().
 *
 * What every small message has is inline: numbers below 128, names of things,
 * few bytes that are there.  The rest is in coder.c.
 */
#ifndef TG_WIRE_CODER_H
#define TG_WIRE_CODER_H

#include <string.h>

#include "wire/wire.h"

struct tg_coder {
    struct tg_bytes *out;   /* NULL: reading */
    unsigned char *w;       /* writing: where the next byte goes */
    const unsigned char *p; /* reading: the next byte */
    size_t left;            /* bytes to read, or room to write */
    struct tg_vals *vals;   /* reading: for the small values, or NULL */
    struct tg_attached *att;
    int rc; /* reading: the first failure */
};

static inline struct tg_coder tg_writer(struct tg_bytes *out,
                                        struct tg_attached *att)
{
    return (struct tg_coder){.out = out,
                             .w = out->n > 0 ? out->v + out->n : out->v,
                             .left = out->cap - out->n,
                             .att = att};
}

/* To be called at the end of writing: the bytes are out's. */
static inline void tg_writer_end(struct tg_coder *c)
{
    c->out->n = c->out->cap - c->left;
}

static inline bool tg_reading(const struct tg_coder *c)
{
    return c->out == NULL;
}

void tg_code_fail(struct tg_coder *c, int rc);
void tg_code_broken(struct tg_coder *c);

/* What holds for every message: of ours it is asserted, of theirs checked. */
static inline bool tg_code_must(struct tg_coder *c, bool ok)
{
    if (!ok)
        tg_code_broken(c);
    return ok;
}

/* ----- bytes ------------------------------------------------------------ */

void tg_writer_grow(struct tg_coder *c, size_t n);

static inline unsigned char *tg_code_put(struct tg_coder *c, size_t n)
{
    if (c->left < n)
        tg_writer_grow(c, n);
    unsigned char *w = c->w;
    c->left -= n;
    c->w = w + n;
    return w;
}

/* NULL when there are not so many. */
static inline const unsigned char *tg_code_take(struct tg_coder *c, size_t n)
{
    if (!tg_code_must(c, n <= c->left))
        return NULL;
    const unsigned char *p = c->p;
    c->left -= n;
    c->p = p + n;
    return p;
}

/* Bytes as they are, any number of them. */
void tg_code_bytes(struct tg_coder *c, void *v, size_t n);

/* The same, a number that the compiler knows. */
static inline void tg_code_raw(struct tg_coder *c, void *v, size_t n)
{
    if (!tg_reading(c)) {
        memcpy(tg_code_put(c, n), v, n);
        return;
    }
    const unsigned char *from = tg_code_take(c, n);
    if (from != NULL)
        memcpy(v, from, n);
}

/* ----- numbers ---------------------------------------------------------- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define tg_le64(v_) (v_)
#define tg_le32(v_) (v_)
#else
#define tg_le64(v_) __builtin_bswap64(v_)
#define tg_le32(v_) __builtin_bswap32(v_)
#endif

/* Eight bytes, for names of things and weights: their high bits are in use. */
static inline void tg_code_u64(struct tg_coder *c, uint64_t *v)
{
    uint64_t bytes = tg_le64(*v);
    tg_code_raw(c, &bytes, sizeof bytes);
    if (tg_reading(c))
        *v = tg_le64(bytes);
}

#define tg_visit static inline __attribute__((always_inline)) void

/* A run of numbers of fixed width, n bytes in all: one check for all of them.
 * visit(&f, m, ...) goes through them in order.  It is a tg_visit, which
 * becomes part of either branch, so that none of them asks which way it goes. */
struct tg_fixed {
    bool reading;
    unsigned char *at; /* the next one's place */
};

#define tg_code_fixed(c_, reading_, n_, visit_, ...)                          \
    do {                                                                      \
        if (!(reading_)) {                                                    \
            struct tg_fixed f_ = {false, tg_code_put(c_, n_)};                \
            visit_(&f_, __VA_ARGS__);                                         \
            TG_ASSERT(f_.at == (c_)->w);                                      \
        } else if (tg_code_must(c_, (n_) <= (c_)->left)) {                    \
            struct tg_fixed f_ = {true, (unsigned char *)(uintptr_t)(c_)->p}; \
            tg_code_take(c_, n_);                                             \
            visit_(&f_, __VA_ARGS__);                                         \
            TG_ASSERT(f_.at == (c_)->p);                                      \
        }                                                                     \
    } while (0)

tg_visit tg_fixed_u64(struct tg_fixed *f, uint64_t *v)
{
    uint64_t bytes = tg_le64(*v);
    if (f->reading) {
        memcpy(&bytes, f->at, sizeof bytes);
        *v = tg_le64(bytes);
    } else {
        memcpy(f->at, &bytes, sizeof bytes);
    }
    f->at += sizeof bytes;
}

tg_visit tg_fixed_u32(struct tg_fixed *f, uint32_t *v)
{
    uint32_t bytes = tg_le32(*v);
    if (f->reading) {
        memcpy(&bytes, f->at, sizeof bytes);
        *v = tg_le32(bytes);
    } else {
        memcpy(f->at, &bytes, sizeof bytes);
    }
    f->at += sizeof bytes;
}

tg_visit tg_fixed_u16(struct tg_fixed *f, uint16_t *v)
{
    if (f->reading)
        *v = (uint16_t)(f->at[0] | f->at[1] << 8);
    if (!f->reading) {
        f->at[0] = (unsigned char)*v;
        f->at[1] = (unsigned char)(*v >> 8);
    }
    f->at += 2;
}

tg_visit tg_fixed_u8(struct tg_fixed *f, uint8_t *v)
{
    if (f->reading)
        *v = *f->at;
    else
        *f->at = *v;
    f->at++;
}

tg_visit tg_fixed_i32(struct tg_fixed *f, int32_t *v)
{
    uint32_t w = (uint32_t)*v;
    tg_fixed_u32(f, &w);
    *v = (int32_t)w;
}

uint64_t tg_read_long(struct tg_coder *c);
void tg_write_long(struct tg_coder *c, uint64_t v);

static inline uint64_t tg_read_uint(struct tg_coder *c)
{
    if (c->left == 0 || *c->p > 127)
        return tg_read_long(c);
    c->left--;
    return *c->p++;
}

static inline void tg_write_uint(struct tg_coder *c, uint64_t v)
{
    if (v > 127)
        tg_write_long(c, v);
    else
        *tg_code_put(c, 1) = (unsigned char)v;
}

static inline uint64_t tg_read_within(struct tg_coder *c, uint64_t lo,
                                      uint64_t hi)
{
    uint64_t v = tg_read_uint(c);
    return tg_code_must(c, lo <= v && v <= hi) ? v : 0;
}

static inline void tg_write_within(struct tg_coder *c, uint64_t v, uint64_t lo,
                                   uint64_t hi)
{
    TG_ASSERT(lo <= v && v <= hi);
    tg_write_uint(c, v);
}

/* LEB128: seven bits a byte, the lowest first, no longer than need be. */
static inline void tg_code_uint(struct tg_coder *c, uint64_t *v)
{
    if (tg_reading(c))
        *v = tg_read_uint(c);
    else
        tg_write_uint(c, *v);
}

/* False after any failure. */
static inline bool tg_code_within(struct tg_coder *c, uint64_t *v, uint64_t lo,
                                  uint64_t hi)
{
    if (tg_reading(c))
        *v = tg_read_within(c, lo, hi);
    else
        tg_write_within(c, *v, lo, hi);
    return c->rc == 0;
}

static inline void tg_code_u32(struct tg_coder *c, uint32_t *v, uint32_t max)
{
    if (tg_reading(c))
        *v = (uint32_t)tg_read_within(c, 0, max);
    else
        tg_write_within(c, *v, 0, max);
}

static inline void tg_code_u8(struct tg_coder *c, uint8_t *v, uint8_t max)
{
    if (tg_reading(c))
        *v = (uint8_t)tg_read_within(c, 0, max);
    else
        tg_write_within(c, *v, 0, max);
}

static inline void tg_code_bool(struct tg_coder *c, bool *v)
{
    if (tg_reading(c))
        *v = tg_read_within(c, 0, 1) != 0;
    else
        tg_write_within(c, *v, 0, 1);
}

/* The same after zigzag, 0 -1 1 -2 2 ...: small numbers of either sign. */
static inline void tg_code_i64(struct tg_coder *c, int64_t *v)
{
    if (tg_reading(c)) {
        uint64_t w = tg_read_uint(c);
        *v = (int64_t)(w >> 1) ^ -(int64_t)(w & 1);
    } else {
        tg_write_uint(c, (uint64_t)*v << 1 ^ (*v < 0 ? UINT64_MAX : 0));
    }
}

static inline void tg_code_range(struct tg_coder *c, int32_t *v, int32_t lo,
                                 int32_t hi)
{
    int64_t w = *v;
    tg_code_i64(c, &w);
    bool ok = tg_code_must(c, lo <= w && w <= hi);
    if (tg_reading(c))
        *v = ok ? (int32_t)w : 0;
}

static inline void tg_code_i32(struct tg_coder *c, int32_t *v)
{
    tg_code_range(c, v, INT32_MIN, INT32_MAX);
}

/* As many ranks as a reference can tell apart; -1 is none. */
static inline void tg_code_rank(struct tg_coder *c, int32_t *v)
{
    tg_code_range(c, v, -1, 0xffffff);
}

/* ----- arrays and strings ---------------------------------------------- */

/* These bytes travel apart. */
static inline void tg_code_attach(struct tg_coder *c, void *at, uint64_t size)
{
    *tg_vec_add(c->att) = (struct tg_piece){at, size};
}

/* Where n things of `size` bytes are: `has` when writing; new and zeroed when
 * reading, but NULL when the rest cannot hold them at `least` bytes each. */
void *tg_code_room(struct tg_coder *c, void *has, uint64_t n, size_t size,
                   size_t least);
/* How many of the n things that tg_code_room() was asked for are there. */
static inline uint32_t tg_code_all(const struct tg_coder *c, uint32_t n)
{
    return c->rc == 0 ? n : 0;
}

void tg_code_chars(struct tg_coder *c, char **s, uint64_t n);

/* A string, at most max bytes with its NUL; it may be NULL.  The length counts
 * the NUL, so that 0 can stand for NULL. */
static inline void tg_code_text(struct tg_coder *c, char **s, uint32_t max)
{
    uint64_t n = *s != NULL ? strlen(*s) + 1 : 0;
    if (tg_code_within(c, &n, 0, max) && n > 0)
        tg_code_chars(c, s, n);
}

#endif
