/* body.h - a message's bytes in the hands of a test. */
#ifndef TG_TESTS_WIRE_BODY_H
#define TG_TESTS_WIRE_BODY_H

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/wire.h"

struct body {
    struct tg_bytes b;
    struct tg_attached att;
};

static inline struct body encode(const struct tg_msg *m)
{
    struct body e = {{0}, {0}};
    struct tg_msg copy = *m;
    tg_wire_encode(&copy, &e.b, &e.att);
    return e;
}

static inline void body_fini(struct body *e)
{
    tg_bytes_fini(&e->b);
    tg_attached_fini(&e->att);
}

/* The bytes are copied to the end of an allocation of their own, so that the
 * sanitizer sees the first byte read beyond them. */
static inline int decode(const unsigned char *p, size_t n, struct tg_msg *m,
                         struct tg_attached *att)
{
    unsigned char *exact = tg_alloc(n > 0 ? n : 1);
    if (n > 0)
        memcpy(exact, p, n);
    int rc = tg_wire_decode(exact, n, NULL, m, att);
    free(exact);
    return rc;
}

/* Whether these bytes are refused, and nothing is left behind. */
static inline bool refused(const unsigned char *p, size_t n)
{
    struct tg_msg m;
    struct tg_attached att = {0};
    int rc = decode(p, n, &m, &att);
    bool clean = att.n == 0;
    if (rc == TRYGON_SUCCESS)
        tg_msg_fini(&m);
    tg_attached_fini(&att);
    return rc == TRYGON_ERR_INVALID && clean;
}

static inline bool accepted(const unsigned char *p, size_t n)
{
    struct tg_msg m;
    struct tg_attached att = {0};
    int rc = decode(p, n, &m, &att);
    if (rc == TRYGON_SUCCESS)
        tg_msg_fini(&m);
    tg_attached_fini(&att);
    return rc == TRYGON_SUCCESS;
}

/* Fill in what travels apart, as the receiver does; the bytes of a DATA have no
 * place yet. */
static inline bool deliver(const struct tg_attached *out,
                           struct tg_attached *in)
{
    if (in->n != out->n)
        return false;
    for (uint32_t i = 0; i < in->n; i++) {
        if (in->v[i].size != out->v[i].size || in->v[i].size == 0)
            return false;
        if (in->v[i].at != NULL)
            memcpy(in->v[i].at, out->v[i].at, (size_t)in->v[i].size);
    }
    return true;
}

#endif
