/* ledger.c - see ledger.h. */
#include "core/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----- bits: one for each instance --------------------------------------------- */

static uint32_t words(uint32_t ninst)
{
    return (ninst + 63) / 64;
}

static void put_bit(uint64_t *v, uint32_t i, bool on)
{
    uint64_t bit = UINT64_C(1) << (i & 63);
    v[i / 64] = on ? v[i / 64] | bit : v[i / 64] & ~bit;
}

/* The first bit from `from` on that is as said; n: there is none. */
static uint32_t find_bit(const uint64_t *v, uint32_t n, uint32_t from, bool on)
{
    while (from < n) {
        uint64_t w = (on ? v[from / 64] : ~v[from / 64]) >> (from & 63);
        if (w != 0) {
            from += (uint32_t)__builtin_ctzll(w);
            return from < n ? from : n;
        }
        from = (from | 63) + 1;
    }
    return n;
}

/* ----- a site ------------------------------------------------------------------ */

/* One piece of memory: for each kind of instance the bits of those of which
 * nothing is taken, and of those of which some is and not all; then what is
 * taken of each instance. */
static uint32_t bit_words(const struct tg_site *s)
{
    return 2 * (words(s->ninst[0]) + words(s->ninst[1]));
}

static uint64_t *idle_of(const struct tg_site *s, int r)
{
    return s->bits + (r == 0 ? 0 : 2 * words(s->ninst[0]));
}

static uint64_t *part_of(const struct tg_site *s, int r)
{
    return idle_of(s, r) + words(s->ninst[r]);
}

int32_t *tg_site_used(const struct tg_site *s, int r)
{
    return (int32_t *)(s->bits + bit_words(s)) + (r == 0 ? 0 : s->ninst[0]);
}

/* The most that one lease could have: the idle instances and a share of the
 * emptiest other one, if there is as much left; nothing while in debt. */
static void set_room(struct tg_site *s, int r)
{
    int64_t room = s->avail[r];
    if (r < TG_INSTANCED) {
        int64_t whole = (int64_t)s->nidle[r] * TG_UNIT, share = 0;
        const uint64_t *part = part_of(s, r);
        const int32_t *used = tg_site_used(s, r);
        uint32_t n = s->ninst[r];
        for (uint32_t i = find_bit(part, n, 0, true); i < n;
             i = find_bit(part, n, i + 1, true))
            if (TG_UNIT - used[i] > share)
                share = TG_UNIT - used[i];
        if (whole + share < room)
            room = whole + share;
    }
    s->room[r] = room > 0 ? room : 0;
}

void tg_site_init(struct tg_site *s, struct tg_region *region, int32_t node,
                  const int64_t total[TG_RES_MAX])
{
    memset(s, 0, sizeof *s);
    s->alive = true;
    s->node = node;
    size_t n = 0;
    for (int r = 0; r < TG_INSTANCED; r++) {
        s->ninst[r] = (uint32_t)((total[r] + TG_UNIT - 1) / TG_UNIT);
        s->nidle[r] = s->ninst[r];
        n += s->ninst[r];
    }
    s->bits = tg_region_get(region, bit_words(s) * sizeof *s->bits +
                                        (n + 1) * sizeof(int32_t));
    for (int r = 0; r < TG_INSTANCED; r++)
        for (uint32_t i = 0; i < s->ninst[r]; i++)
            put_bit(idle_of(s, r), i, true);
    for (int r = 0; r < TG_RES_MAX; r++) {
        s->total[r] = s->avail[r] = total[r];
        set_room(s, r);
    }
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
    int32_t *u = &tg_site_used(s, r)[id];
    bool was_idle = *u == 0;
    *u += (int32_t)amount;
    TG_ASSERT(*u >= 0);
    s->nidle[r] += (*u == 0) - (uint32_t)was_idle;
    put_bit(idle_of(s, r), (uint32_t)id, *u == 0);
    put_bit(part_of(s, r), (uint32_t)id, *u > 0 && *u < TG_UNIT);
}

/* The fullest instance with room for a fraction, else an idle one. */
static int32_t shared_instance(const struct tg_site *s, int r, int64_t part)
{
    int32_t best = -1;
    uint32_t n = s->ninst[r];
    const int32_t *used = tg_site_used(s, r);
    const uint64_t *shared = part_of(s, r);
    for (uint32_t i = find_bit(shared, n, 0, true); i < n;
         i = find_bit(shared, n, i + 1, true))
        if (used[i] + part <= TG_UNIT && (best < 0 || used[i] > used[best]))
            best = (int32_t)i;
    return best >= 0 ? best : (int32_t)find_bit(idle_of(s, r), n, 0, true);
}

bool tg_site_fits(const struct tg_site *s, const struct tg_shape *shape)
{
    for (int r = 0; s->alive && r < TG_RES_MAX; r++)
        if (shape->amount[r] > s->room[r])
            return false;
    return s->alive;
}

/* Where n idle neighbours begin: the tightest run that holds them, so that
 * long runs stay whole; the first idle one when there is no such run. */
static uint32_t tightest_run(const struct tg_site *s, int r, uint32_t n)
{
    const uint64_t *idle = idle_of(s, r);
    uint32_t all = s->ninst[r], first = find_bit(idle, all, 0, true);
    uint32_t best = first, best_len = UINT32_MAX, end;
    for (uint32_t i = first; i < all && best_len > n;
         i = find_bit(idle, all, end, true)) {
        end = find_bit(idle, all, i, false);
        if (end - i >= n && end - i < best_len) {
            best = i;
            best_len = end - i;
        }
    }
    return best;
}

static void take_instances(struct tg_site *s, int r, int64_t amount,
                           int32_t *ids)
{
    uint32_t whole = (uint32_t)(amount / TG_UNIT), n = 0;
    int64_t part = amount % TG_UNIT;
    uint32_t at = whole > 0 ? tightest_run(s, r, whole) : 0;
    for (; n < whole; at = find_bit(idle_of(s, r), s->ninst[r], at, true)) {
        use(s, r, (int32_t)at, TG_UNIT);
        ids[n++] = (int32_t)at;
    }
    if (part > 0) {
        ids[n] = shared_instance(s, r, part);
        use(s, r, ids[n], part);
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
    set_room(s, r);
}

/* ----- leases ------------------------------------------------------------------ */

void tg_site_take(struct tg_site *s, const struct tg_shape *shape,
                  struct tg_take *out)
{
    for (int r = 0; r < TG_INSTANCED; r++)
        out->n[r] = (uint32_t)((shape->amount[r] + TG_UNIT - 1) / TG_UNIT);
    int32_t *ids = out->ids.few;
    uint32_t n = out->n[0] + out->n[1];
    if (n > TG_TAKE_FEW)
        ids = out->ids.many = tg_grow(NULL, n, sizeof *ids);
    for (int r = 0; r < TG_INSTANCED; r++) {
        take_instances(s, r, shape->amount[r], ids);
        ids += out->n[r];
    }
    for (int r = 0; r < TG_RES_MAX; r++)
        if (shape->amount[r] > 0) {
            s->avail[r] -= shape->amount[r];
            set_room(s, r);
        }
}

void tg_take_fini(struct tg_take *t)
{
    if (t->n[0] + t->n[1] > TG_TAKE_FEW)
        free(t->ids.many);
}

static void charge_cpus(struct tg_site *s, const struct tg_shape *shape,
                        const struct tg_take *t, int64_t sign)
{
    charge(s, TG_RES_CPU, shape->amount[TG_RES_CPU], tg_take_ids(t),
           t->n[TG_RES_CPU], sign);
}

void tg_site_give(struct tg_site *s, const struct tg_shape *shape,
                  const struct tg_take *t, bool lent)
{
    if (!lent)
        charge_cpus(s, shape, t, -1);
    if (t->n[TG_RES_GPU] > 0)
        charge(s, TG_RES_GPU, shape->amount[TG_RES_GPU],
               tg_take_ids(t) + t->n[TG_RES_CPU], t->n[TG_RES_GPU], -1);
    for (int r = TG_INSTANCED; r < TG_RES_MAX; r++)
        s->room[r] = s->avail[r] += shape->amount[r];
}

void tg_site_lend(struct tg_site *s, const struct tg_shape *shape,
                  const struct tg_take *t)
{
    charge_cpus(s, shape, t, -1);
}

void tg_site_resume(struct tg_site *s, const struct tg_shape *shape,
                    const struct tg_take *t)
{
    charge_cpus(s, shape, t, 1);
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

static bool bit(const uint64_t *v, uint32_t i)
{
    return (v[i / 64] >> (i & 63) & 1) != 0;
}

/* Room is what fits: that much does, and no more of it. */
static void check_room(const struct tg_site *s, int r)
{
    int64_t share = 0, whole = (int64_t)s->nidle[r] * TG_UNIT;
    const int32_t *used = tg_site_used(s, r);
    for (uint32_t i = 0; i < s->ninst[r]; i++)
        if (!bit(idle_of(s, r), i) && TG_UNIT - used[i] > share)
            share = TG_UNIT - used[i];
    int64_t most = whole + share < s->avail[r] ? whole + share : s->avail[r];
    TG_ASSERT(s->room[r] == (most > 0 ? most : 0));
}

void tg_site_check(const struct tg_site *s)
{
    for (int r = 0; r < TG_INSTANCED; r++) {
        int64_t used = 0;
        uint32_t idle = 0;
        for (uint32_t i = 0; i < s->ninst[r]; i++) {
            int32_t u = tg_site_used(s, r)[i];
            TG_ASSERT(u >= 0);
            TG_ASSERT(bit(idle_of(s, r), i) == (u == 0));
            TG_ASSERT(bit(part_of(s, r), i) == (u > 0 && u < TG_UNIT));
            used += u;
            idle += u == 0;
        }
        TG_ASSERT(idle == s->nidle[r]);
        TG_ASSERT(s->avail[r] == s->total[r] - used);
        check_room(s, r);
    }
    TG_ASSERT(s->avail[TG_RES_GPU] >= 0); /* only CPUs are lent */
    for (int r = TG_INSTANCED; r < TG_RES_MAX; r++) {
        TG_ASSERT(s->avail[r] >= 0 && s->avail[r] <= s->total[r]);
        TG_ASSERT(s->room[r] == s->avail[r]);
    }
}

bool tg_site_untouched(const struct tg_site *s)
{
    return memcmp(s->avail, s->total, sizeof s->avail) == 0;
}
