/* test_wire_fuzz.c - damaged messages: never a crash, a leak or a guess.
 *
 * What a decode takes must encode to the very bytes it came from; the sanitizer
 * watches the rest.  `test_wire_fuzz SEED [COUNT]` looks elsewhere, or longer.
 */
#include "wire/wire.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "gen.h"

enum { CORPUS = 16 * TG_MSG_LAST, BODY_MAX = 4096 };

static struct tg_bytes corpus[CORPUS];
static uint64_t seed = 1;
static uint32_t mutations = 200000;

static int make_corpus(void)
{
    for (uint64_t i = 0; i < CORPUS; i++) {
        struct gen g = {{seed * CORPUS + i}, i % 8 != 0};
        struct tg_msg m;
        struct tg_attached att = {0};
        gen_msg(&g, (enum tg_msg_type)(1 + i % TG_MSG_LAST), &m);
        tg_wire_encode(&m, &corpus[i], &att);
        tg_attached_fini(&att);
        tg_msg_fini(&m);
    }
    return 0;
}

static int free_corpus(void)
{
    for (size_t i = 0; i < CORPUS; i++)
        tg_bytes_fini(&corpus[i]);
    return 0;
}

static bool encodes_to(const struct tg_msg *m, const unsigned char *p, size_t n,
                       uint32_t attached)
{
    struct body e = encode(m);
    bool same = e.b.n == n && memcmp(e.b.v, p, n) == 0 && e.att.n == attached;
    body_fini(&e);
    return same;
}

/* 1: taken, 0: refused. */
static unsigned try_bytes(const unsigned char *p, size_t n)
{
    struct tg_msg m;
    struct tg_attached att = {0};
    int rc = decode(p, n, &m, &att);
    if (rc == TRYGON_SUCCESS) {
        CU_ASSERT(encodes_to(&m, p, n, att.n));
        if (att.n == 0)
            CU_ASSERT(tg_wire_complete(&m));
        tg_msg_fini(&m);
    } else {
        CU_ASSERT(rc == TRYGON_ERR_INVALID || rc == TRYGON_ERR_NOMEM);
        CU_ASSERT_EQUAL(att.n, 0);
    }
    tg_attached_fini(&att);
    return rc == TRYGON_SUCCESS;
}

static void any_byte_may_change(void)
{
    static const unsigned char flips[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
    unsigned taken = 0;
    for (size_t i = 0; i < CORPUS; i++) {
        struct tg_bytes *b = &corpus[i];
        size_t step = 1 + b->n / 200;
        for (size_t at = 0; at < b->n; at += step)
            for (size_t k = 0; k < sizeof flips; k++) {
                b->v[at] ^= flips[k];
                taken += try_bytes(b->v, b->n);
                b->v[at] ^= flips[k];
            }
    }
    CU_ASSERT(taken > 0);
}

static void noise_may_come(void)
{
    struct tg_rng r = {seed};
    unsigned char p[300];
    for (uint32_t i = 0; i < mutations / 4; i++) {
        size_t n = tg_rng_below(&r, sizeof p);
        for (size_t k = 0; k < n; k++)
            p[k] = (unsigned char)(tg_rng_next(&r) >> tg_rng_below(&r, 8));
        if (n > 0)
            p[0] = (unsigned char)(1 + tg_rng_below(&r, TG_MSG_LAST));
        try_bytes(p, n);
    }
}

static unsigned char some_byte(struct tg_rng *r)
{
    static const unsigned char telling[] = {0, 1, 2, 127, 128, 129, 254, 255};
    if (tg_rng_below(r, 2) == 0)
        return telling[tg_rng_below(r, sizeof telling)];
    return (unsigned char)tg_rng_next(r);
}

/* One change to the n bytes at p, which has room for BODY_MAX; the new n. */
static size_t mutate(struct tg_rng *r, unsigned char *p, size_t n)
{
    if (n == 0)
        return n;
    size_t at = tg_rng_below(r, (uint32_t)n);
    size_t rest = n - at;
    const struct tg_bytes *other = &corpus[tg_rng_below(r, CORPUS)];
    switch (tg_rng_below(r, 6)) {
    case 0: p[at] = some_byte(r); return n;
    case 1: p[at] ^= (unsigned char)(1 << tg_rng_below(r, 8)); return n;
    case 2: p[at]++; return n;
    case 3: /* one byte less */
        memmove(p + at, p + at + 1, rest - 1);
        return n - 1;
    case 4: /* one byte more */
        if (n == BODY_MAX)
            return n;
        memmove(p + at + 1, p + at, rest);
        p[at] = some_byte(r);
        return n + 1;
    default: /* the end of another message */
        if (at >= other->n || other->n > BODY_MAX)
            return n;
        memcpy(p + at, other->v + at, other->n - at);
        return other->n;
    }
}

static void anything_may_change(void)
{
    struct tg_rng r = {~seed};
    unsigned char p[BODY_MAX];
    unsigned taken = 0;
    for (uint32_t i = 0; i < mutations; i++) {
        const struct tg_bytes *b = &corpus[tg_rng_below(&r, CORPUS)];
        size_t n = b->n < BODY_MAX ? b->n : BODY_MAX;
        memcpy(p, b->v, n);
        for (uint32_t k = 1 + tg_rng_below(&r, 4); k > 0; k--)
            n = mutate(&r, p, n);
        taken += try_bytes(p, n);
    }
    /* Both outcomes are common, or this tests little. */
    CU_ASSERT(taken > mutations / 20);
    CU_ASSERT(taken < mutations - mutations / 20);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        mutations = (uint32_t)strtoul(argv[2], NULL, 0);
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("wire_fuzz", make_corpus, free_corpus);
    CU_ADD_TEST(s, any_byte_may_change);
    CU_ADD_TEST(s, noise_may_come);
    CU_ADD_TEST(s, anything_may_change);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}
