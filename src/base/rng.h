/* rng.h - a small seeded generator (splitmix64): the only source of chance. */
#ifndef TG_BASE_RNG_H
#define TG_BASE_RNG_H

#include <stdint.h>

struct tg_rng {
    uint64_t state;
};

static inline uint64_t tg_mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t tg_rng_next(struct tg_rng *r)
{
    return tg_mix64(r->state += UINT64_C(0x9e3779b97f4a7c15));
}

/* A number in [0, n); n > 0.  The bias is below n / 2^32: fine for choices. */
static inline uint32_t tg_rng_below(struct tg_rng *r, uint32_t n)
{
    return (uint32_t)(((tg_rng_next(r) >> 32) * n) >> 32);
}

#endif
