/* bells.c - see bells.h. */
#include "rank/bells.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <trygon/types.h>

#include "base/futex.h"
#include "base/mem.h"

/* A wake-up that did not come in this time does not come: see bells.h. */
static const uint64_t longest_ns = 1000000000u;

struct page {
    unsigned char nonce[TG_SHM_NONCE];
    atomic_uint joined;
    unsigned char unused[44];
    struct tg_bell bells[]; /* of the node's ranks, ascending */
};

_Static_assert(sizeof(struct tg_bell) == TG_CACHE_LINE, "a line of the cache");
_Static_assert(offsetof(struct page, bells) == TG_CACHE_LINE,
               "a line of the cache");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "no lock of one process");

/* ----- the start ------------------------------------------------------------ */

/* Nobody knows yet who is on which node: there is room for all.  What is never
 * touched takes no memory. */
static size_t page_size(int32_t nranks)
{
    return sizeof(struct page) + (size_t)nranks * sizeof(struct tg_bell);
}

void tg_bells_offer(struct tg_bells *b, int32_t rank, int32_t nranks,
                    const struct tg_log *log, struct tg_shm_offer *out)
{
    char why[160];
    *b = (struct tg_bells){.rank = rank, .nranks = nranks, .mine = &b->alone};
    b->of = tg_alloc((size_t)nranks * sizeof(struct tg_bell *));
    *out = (struct tg_shm_offer){.fd = -1};
    if (nranks > 1 && tg_shm_create(page_size(nranks), &b->page, out, why,
                                    sizeof why) != TRYGON_SUCCESS)
        tg_log(log, TRYGON_LOG_INFO, "no doorbells to offer: %s", why);
}

/* Makes b->page the page of the node's first rank, if it can be had. */
static bool take_page(struct tg_bells *b, int32_t first,
                      const struct tg_shm_offer *offer,
                      const struct tg_log *log)
{
    char why[160] = "it has none";
    if (first == b->rank)
        return b->page.at != NULL;
    tg_shm_free(&b->page);
    size_t size = page_size(b->nranks);
    if (offer->fd >= 0 && tg_shm_open(offer, size, 0, size, &b->page, why,
                                      sizeof why) == TRYGON_SUCCESS)
        return true;
    tg_log(log, TRYGON_LOG_INFO,
           "no doorbell, looks by the clock: page of rank %d: %s", (int)first,
           why);
    return false;
}

void tg_bells_join(struct tg_bells *b, const int32_t *node, int32_t first,
                   const struct tg_shm_offer *offer, const struct tg_log *log)
{
    int32_t here = 0;
    for (int32_t r = 0; r < b->nranks; r++)
        here += node[r] == node[b->rank];
    if (here == 1)
        tg_shm_free(&b->page); /* nobody to share it with */
    if (here == 1 || !take_page(b, first, offer, log))
        return;
    struct page *page = b->page.at;
    struct tg_bell *next = page->bells;
    for (int32_t r = 0; r < b->nranks; r++)
        if (node[r] == node[b->rank])
            b->of[r] = next++;
    b->mine = b->of[b->rank];
    b->one_node = here == b->nranks;
    b->joined = &page->joined;
    atomic_fetch_add(b->joined, 1);
}

void tg_bells_free(struct tg_bells *b)
{
    tg_shm_free(&b->page);
    free(b->of);
    *b = (struct tg_bells){0};
}

/* ----- sleeping and ringing -------------------------------------------------- */

void tg_bell_wait(struct tg_bells *b, unsigned seen, uint64_t ns)
{
    if (b->joined != NULL && ns > longest_ns)
        ns = longest_ns;
    tg_futex_wait_shared(&b->mine->count, seen, ns);
}

void tg_bell_ring(struct tg_bells *b)
{
    atomic_fetch_add(&b->mine->count, 1);
    if (atomic_load(&b->mine->asleep) != 0)
        tg_futex_wake_shared(&b->mine->count, INT_MAX);
}

void tg_bells_wake(struct tg_bell *bell)
{
    if (atomic_exchange(&bell->asleep, 0) == 0)
        return; /* another sender does */
    atomic_fetch_add(&bell->count, 1);
    tg_futex_wake_shared(&bell->count, INT_MAX);
}
