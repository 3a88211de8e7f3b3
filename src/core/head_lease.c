/* head_lease.c - the leases of each rank by their number (head.h).
 *
 * A table with open addressing, in which the records themselves lie: to find
 * one costs one look into memory, and nothing is allocated for a lease.  The
 * numbers of a rank count up, so their last bits spread them evenly.
 */
#include "core/head_impl.h"

static bool is_free(const struct tg_hlease *l)
{
    return l->id == 0;
}

/* The place of that lease, or the free one where it belongs. */
static struct tg_hlease *seek(const struct tg_leases *o, uint64_t id)
{
    uint64_t i = id & (o->cap - 1);
    while (o->v[i].id != id && !is_free(&o->v[i]))
        i = (i + 1) & (o->cap - 1);
    return &o->v[i];
}

/* A quarter stays free. */
static void grow(struct tg_leases *o, struct tg_region *region)
{
    struct tg_leases old = *o;
    o->cap = old.cap == 0 ? 8 : 2 * old.cap;
    o->v = tg_region_get(region, o->cap * sizeof *o->v);
    for (uint32_t i = 0; i < old.cap; i++)
        if (!is_free(&old.v[i]))
            *seek(o, old.v[i].id) = old.v[i];
    if (old.cap > 0)
        tg_region_put(region, old.v, old.cap * sizeof *old.v);
}

struct tg_hlease *tg_hlease_new(struct tg_head *h, int32_t rank)
{
    struct tg_leases *o = &h->leases[rank];
    if (4 * (o->n + 1) > 3 * o->cap)
        grow(o, &h->region);
    uint64_t id = (uint64_t)rank << 40 | ++o->last;
    struct tg_hlease *l = seek(o, id);
    *l = (struct tg_hlease){.id = id};
    o->n++;
    h->nleases++;
    return l;
}

struct tg_hlease *tg_hlease_find(const struct tg_head *h, uint64_t id)
{
    uint64_t rank = id >> 40;
    if (rank >= (uint64_t)h->nranks || h->leases[rank].n == 0)
        return NULL;
    struct tg_hlease *l = seek(&h->leases[rank], id);
    return is_free(l) ? NULL : l;
}

/* Those behind it that were not where they belong move up. */
void tg_hlease_free(struct tg_head *h, struct tg_hlease *l)
{
    struct tg_leases *o = &h->leases[tg_hlease_worker(l)];
    uint64_t mask = o->cap - 1, hole = (uint64_t)(l - o->v), i = hole;
    for (;;) {
        i = (i + 1) & mask;
        if (is_free(&o->v[i]))
            break;
        uint64_t way = (i - o->v[i].id) & mask; /* from where it belongs */
        if (((i - hole) & mask) <= way) {
            o->v[hole] = o->v[i];
            hole = i;
        }
    }
    o->v[hole].id = 0;
    o->n--;
    h->nleases--;
}

struct tg_hlease *tg_hlease_next(const struct tg_head *h, int32_t rank,
                                 const struct tg_hlease *l)
{
    const struct tg_leases *o = &h->leases[rank];
    uint64_t first = o->last + 1, i = 0; /* the oldest is about there */
    if (l != NULL)
        i = (((uint64_t)(l - o->v) - first) & (o->cap - 1)) + 1;
    for (; o->n > 0 && i < o->cap; i++)
        if (!is_free(&o->v[(first + i) & (o->cap - 1)]))
            return &o->v[(first + i) & (o->cap - 1)];
    return NULL;
}
