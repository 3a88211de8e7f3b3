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
 */
#ifndef TG_WIRE_CODER_H
#define TG_WIRE_CODER_H

#include "wire/wire.h"

struct tg_coder {
    struct tg_bytes *out;   /* NULL: reading */
    const unsigned char *p; /* reading: what is left */
    size_t left;
    struct tg_attached *att;
    int rc; /* reading: the first failure */
};

static inline bool tg_reading(const struct tg_coder *c)
{
    return c->out == NULL;
}

void tg_code_fail(struct tg_coder *c, int rc);
/* What holds for every message: of ours it is asserted, of theirs checked. */
bool tg_code_must(struct tg_coder *c, bool ok);

/* Bytes as they are. */
void tg_code_raw(struct tg_coder *c, void *v, size_t n);
/* Eight bytes, for names of things and weights: their high bits are in use. */
void tg_code_u64(struct tg_coder *c, uint64_t *v);

/* LEB128: seven bits a byte, the lowest first, no longer than need be. */
void tg_code_uint(struct tg_coder *c, uint64_t *v);
bool tg_code_within(struct tg_coder *c, uint64_t *v, uint64_t lo, uint64_t hi);
void tg_code_u32(struct tg_coder *c, uint32_t *v, uint32_t max);
void tg_code_u8(struct tg_coder *c, uint8_t *v, uint8_t max);
void tg_code_bool(struct tg_coder *c, bool *v);

/* The same after zigzag, 0 -1 1 -2 2 ...: small numbers of either sign. */
void tg_code_i64(struct tg_coder *c, int64_t *v);
void tg_code_range(struct tg_coder *c, int32_t *v, int32_t lo, int32_t hi);
void tg_code_i32(struct tg_coder *c, int32_t *v);
/* As many ranks as a reference can tell apart; -1 is none. */
void tg_code_rank(struct tg_coder *c, int32_t *v);

/* Where n things of `size` bytes are: `has` when writing; new and zeroed when
 * reading, but NULL when the rest cannot hold them at `least` bytes each. */
void *tg_code_room(struct tg_coder *c, void *has, uint64_t n, size_t size,
                   size_t least);
/* How many of the n things that tg_code_room() was asked for are there. */
static inline uint32_t tg_code_all(const struct tg_coder *c, uint32_t n)
{
    return c->rc == 0 ? n : 0;
}

/* A string, at most max bytes with its NUL; it may be NULL. */
void tg_code_text(struct tg_coder *c, char **s, uint32_t max);
/* A string in an array of the message's own. */
void tg_code_line(struct tg_coder *c, char *s, size_t cap);

#endif
