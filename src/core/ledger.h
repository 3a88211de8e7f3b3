/* ledger.h - what every rank has and what of it is taken.
 *
 * Amounts are integers of 1/TG_UNIT.  CPUs and GPUs are also instances: each
 * has the part of it that is taken, so that a lease is given exact ones; above
 * one unit whole instances, a fraction shares one.  A lent CPU is taken back
 * from its lease; when the lease resumes, more may be taken than there is:
 * that is debt, avail is negative, and nothing new fits until it is paid.
 */
#ifndef TG_CORE_LEDGER_H
#define TG_CORE_LEDGER_H

#include "base/mem.h"
#include "core/types.h"

enum { TG_INSTANCED = 2 }; /* TG_RES_CPU and TG_RES_GPU */

struct tg_site { /* one rank */
    bool alive;
    int32_t node;
    int64_t total[TG_RES_MAX];
    int64_t avail[TG_RES_MAX];
    uint32_t ninst[TG_INSTANCED];
    int64_t *used[TG_INSTANCED];  /* of each instance, 0 .. TG_UNIT and more */
    uint32_t nidle[TG_INSTANCED]; /* instances of which nothing is taken */
};

struct tg_take { /* the instances of one lease: CPUs first, then GPUs */
    uint32_t n[TG_INSTANCED];
    int32_t *ids;
};

void tg_site_init(struct tg_site *s, int32_t node,
                  const int64_t total[TG_RES_MAX]);
void tg_site_fini(struct tg_site *s);

/* Could it ever, could it now? */
bool tg_site_can(const struct tg_site *s, const struct tg_shape *shape);
bool tg_site_fits(const struct tg_site *s, const struct tg_shape *shape);

/* The shape must fit.  out->ids is the caller's to free. */
void tg_site_take(struct tg_site *s, const struct tg_shape *shape,
                  struct tg_take *out);
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
