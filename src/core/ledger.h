/* ledger.h - what every rank has and what of it is taken.
 *
 * Amounts are integers of 1/TG_UNIT.  CPUs and GPUs are also instances: each
 * has the part of it that is taken, so that a lease is given exact ones; above
 * one unit whole instances, a fraction shares one.  What is left may lie in
 * pieces, so a rank's room for one lease can be less than all that is left;
 * a shape fits exactly when it needs no more than the room of each resource.
 * A lent CPU is taken back
 * from its lease; when the lease resumes, more may be taken than there is:
 * that is debt, avail is negative, and nothing new fits until it is paid.
 */
#ifndef TG_CORE_LEDGER_H
#define TG_CORE_LEDGER_H

#include "base/region.h"
#include "core/types.h"

enum { TG_INSTANCED = 2 }; /* TG_RES_CPU and TG_RES_GPU */

/* One rank.  Machines have few kinds of resources: what says whether something
 * fits is in the first cache line. */
struct tg_site {
    _Alignas(TG_CACHE_LINE) bool alive;
    int32_t node;
    uint32_t ninst[TG_INSTANCED];
    uint32_t nidle[TG_INSTANCED]; /* instances of which nothing is taken */
    uint64_t *bits;               /* of the instances, see ledger.c */
    int64_t room[TG_RES_MAX]; /* the most of each that one lease could have */
    int64_t avail[TG_RES_MAX];
    int64_t total[TG_RES_MAX];
};

/* Of each instance what is taken, 0 .. TG_UNIT and more. */
int32_t *tg_site_used(const struct tg_site *s, int r);

enum { TG_TAKE_FEW = 6 };

struct tg_take { /* the instances of one lease: CPUs first, then GPUs */
    uint32_t n[TG_INSTANCED];
    union {
        int32_t few[TG_TAKE_FEW]; /* as most leases have */
        int32_t *many;
    } ids; /* see tg_take_ids() */
};

static inline const int32_t *tg_take_ids(const struct tg_take *t)
{
    return t->n[0] + t->n[1] <= TG_TAKE_FEW ? t->ids.few : t->ids.many;
}

void tg_site_init(struct tg_site *s, struct tg_region *region, int32_t node,
                  const int64_t total[TG_RES_MAX]);

/* Could it ever, could it now? */
bool tg_site_can(const struct tg_site *s, const struct tg_shape *shape);
bool tg_site_fits(const struct tg_site *s, const struct tg_shape *shape);

/* The shape must fit.  *out is given back by tg_take_fini(). */
void tg_site_take(struct tg_site *s, const struct tg_shape *shape,
                  struct tg_take *out);
void tg_take_fini(struct tg_take *t);
/* Give back: all of it, without the CPUs when those are lent. */
void tg_site_give(struct tg_site *s, const struct tg_shape *shape,
                  const struct tg_take *t, bool lent);
void tg_site_lend(struct tg_site *s, const struct tg_shape *shape,
                  const struct tg_take *t);
void tg_site_resume(struct tg_site *s, const struct tg_shape *shape,
                    const struct tg_take *t);

/* "2", "0.5": an amount for people. */
const char *tg_amount_text(int64_t amount, char *text, size_t size);

void tg_site_check(const struct tg_site *s);
bool tg_site_untouched(const struct tg_site *s); /* as it was at the start */

#endif
