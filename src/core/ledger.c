/* ledger.c - see ledger.h. */
#include "core/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tg_site_init(struct tg_site *s, int32_t node,
                  const int64_t total[TG_RES_MAX])
{
    memset(s, 0, sizeof *s);
    s->alive = true;
    s->node = node;
    for (int r = 0; r < TG_RES_MAX; r++)
        s->total[r] = s->avail[r] = total[r];
    for (int r = 0; r < TG_INSTANCED; r++) {
        s->ninst[r] = (uint32_t)((total[r] + TG_UNIT - 1) / TG_UNIT);
        s->nidle[r] = s->ninst[r];
        s->used[r] = tg_alloc((s->ninst[r] + 1) * sizeof *s->used[r]);
    }
}

void tg_site_fini(struct tg_site *s)
{
    for (int r = 0; r < TG_INSTANCED; r++)
        free(s->used[r]);
}

bool tg_site_can(const struct tg_site *s, const struct tg_shape *shape)
{
    for (int r = 0; s->alive && r < TG_RES_MAX; r++)
        if (shape->amount[r] > s->total[r])
            return false;
    return s->alive;
}

/* ----- instances ------------------------------------------------------------- */

static void use(struct tg_site *s, int r, int32_t id, int64_t amount)
{
    int64_t *u = &s->used[r][id];
    s->nidle[r] -= *u == 0 && amount != 0;
    *u += amount;
    s->nidle[r] += *u == 0 && amount != 0;
    TG_ASSERT(*u >= 0);
}

/* The fullest instance with room for a fraction, an idle one as the last
 * resort and only if some are left; -1: none. */
static int32_t shared_instance(const struct tg_site *s, int r, int64_t part,
                               uint32_t idle_left)
{
    int32_t best = -1, idle = -1;
    for (uint32_t i = 0; i < s->ninst[r]; i++) {
        int64_t u = s->used[r][i];
        if (u == 0 && idle < 0)
            idle = (int32_t)i;
        if (u > 0 && u + part <= TG_UNIT && (best < 0 || u > s->used[r][best]))
            best = (int32_t)i;
    }
    if (best < 0 && idle_left > 0)
        best = idle;
    return best;
}

static bool instances_fit(const struct tg_site *s, int r, int64_t amount)
{
    uint32_t whole = (uint32_t)(amount / TG_UNIT);
    int64_t part = amount % TG_UNIT;
    if (whole > s->nidle[r])
        return false;
    return part == 0 || shared_instance(s, r, part, s->nidle[r] - whole) >= 0;
}

bool tg_site_fits(const struct tg_site *s, const struct tg_shape *shape)
{
    if (!s->alive)
        return false;
    for (int r = 0; r < TG_RES_MAX; r++)
        if (shape->amount[r] > 0 && shape->amount[r] > s->avail[r])
            return false;
    for (int r = 0; r < TG_INSTANCED; r++)
        if (!instances_fit(s, r, shape->amount[r]))
            return false;
    return true;
}

/* Where n idle neighbours begin: the tightest run that holds them, so that
 * long runs stay whole; -1 when there is no such run. */
static int32_t tightest_run(const struct tg_site *s, int r, uint32_t n)
{
    int32_t best = -1;
    uint32_t best_len = UINT32_MAX;
    for (uint32_t i = 0; i < s->ninst[r];) {
        uint32_t len = 0;
        while (i + len < s->ninst[r] && s->used[r][i + len] == 0)
            len++;
        if (len >= n && len < best_len) {
            best = (int32_t)i;
            best_len = len;
        }
        i += len + 1;
    }
    return best;
}

static void take_instances(struct tg_site *s, int r, int64_t amount,
                           int32_t *ids, uint32_t *n)
{
    uint32_t whole = (uint32_t)(amount / TG_UNIT);
    int64_t part = amount % TG_UNIT;
    int32_t from = whole > 0 ? tightest_run(s, r, whole) : 0;
    *n = 0;
    for (uint32_t i = from > 0 ? (uint32_t)from : 0; *n < whole; i++)
        if (s->used[r][i] == 0) {
            use(s, r, (int32_t)i, TG_UNIT);
            ids[(*n)++] = (int32_t)i;
        }
    if (part > 0) {
        int32_t id = shared_instance(s, r, part, s->nidle[r]);
        use(s, r, id, part);
        ids[(*n)++] = id;
    }
}

/* Add to what is taken of a lease's instances, or (sign -1) take off. */
static void charge(struct tg_site *s, int r, int64_t amount, const int32_t *ids,
                   uint32_t n, int64_t sign)
{
    uint32_t whole = (uint32_t)(amount / TG_UNIT);
    for (uint32_t i = 0; i < n; i++)
        use(s, r, ids[i],
            sign * (i < whole ? (int64_t)TG_UNIT : amount % TG_UNIT));
    s->avail[r] -= sign * amount;
}

/* ----- leases ------------------------------------------------------------------ */

void tg_site_take(struct tg_site *s, const struct tg_shape *shape,
                  struct tg_take *out)
{
    uint32_t most = 0;
    for (int r = 0; r < TG_INSTANCED; r++)
        most += (uint32_t)(shape->amount[r] / TG_UNIT) + 1;
    out->ids = tg_grow(NULL, most, sizeof *out->ids);
    uint32_t at = 0;
    for (int r = 0; r < TG_INSTANCED; r++) {
        take_instances(s, r, shape->amount[r], out->ids + at, &out->n[r]);
        at += out->n[r];
    }
    for (int r = 0; r < TG_RES_MAX; r++)
        s->avail[r] -= shape->amount[r];
}

void tg_site_give(struct tg_site *s, const struct tg_shape *shape,
                  const struct tg_take *t, bool lent)
{
    if (!lent)
        charge(s, TG_RES_CPU, shape->amount[TG_RES_CPU], t->ids,
               t->n[TG_RES_CPU], -1);
    charge(s, TG_RES_GPU, shape->amount[TG_RES_GPU], t->ids + t->n[TG_RES_CPU],
           t->n[TG_RES_GPU], -1);
    for (int r = TG_INSTANCED; r < TG_RES_MAX; r++)
        s->avail[r] += shape->amount[r];
}

void tg_site_lend(struct tg_site *s, const struct tg_shape *shape,
                  const struct tg_take *t)
{
    charge(s, TG_RES_CPU, shape->amount[TG_RES_CPU], t->ids, t->n[TG_RES_CPU],
           -1);
}

void tg_site_resume(struct tg_site *s, const struct tg_shape *shape,
                    const struct tg_take *t)
{
    charge(s, TG_RES_CPU, shape->amount[TG_RES_CPU], t->ids, t->n[TG_RES_CPU],
           1);
}

/* ----- looking ------------------------------------------------------------------- */

const char *tg_amount_text(int64_t amount, char *text, size_t size)
{
    int64_t whole = amount / TG_UNIT, part = amount % TG_UNIT;
    int n = snprintf(text, size, "%" PRId64 ".%04" PRId64, whole, part);
    while (n > 0 && (size_t)n < size && text[n - 1] == '0')
        text[--n] = '\0';
    if (n > 0 && (size_t)n < size && text[n - 1] == '.')
        text[n - 1] = '\0';
    return text;
}

void tg_site_check(const struct tg_site *s)
{
    for (int r = 0; r < TG_INSTANCED; r++) {
        int64_t used = 0;
        uint32_t idle = 0;
        for (uint32_t i = 0; i < s->ninst[r]; i++) {
            TG_ASSERT(s->used[r][i] >= 0);
            used += s->used[r][i];
            idle += s->used[r][i] == 0;
        }
        TG_ASSERT(idle == s->nidle[r]);
        TG_ASSERT(s->avail[r] == s->total[r] - used);
    }
    TG_ASSERT(s->avail[TG_RES_GPU] >= 0); /* only CPUs are lent */
    for (int r = TG_INSTANCED; r < TG_RES_MAX; r++)
        TG_ASSERT(s->avail[r] >= 0 && s->avail[r] <= s->total[r]);
}

bool tg_site_untouched(const struct tg_site *s)
{
    return memcmp(s->avail, s->total, sizeof s->avail) == 0;
}
