/* stores_node.c - see stores_node.h. */
#include "rank/stores_node.h"

#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>
#include <unistd.h>

#include "base/mem.h"

static size_t page_size(int32_t nlines)
{
    size_t unit = (size_t)sysconf(_SC_PAGESIZE);
    size_t n = sizeof(struct tg_nodemem_page) +
               (size_t)nlines * sizeof(struct tg_nodemem_sums);
    return tg_round_up(n, unit);
}

int tg_nodemem_offer(struct tg_nodemem *n, int32_t nlines,
                     struct tg_shm_offer *offer, char *why, size_t nwhy)
{
    return tg_shm_create(page_size(nlines), &n->shm, offer, why, nwhy);
}

int tg_nodemem_open(struct tg_nodemem *n, int32_t nlines,
                    const struct tg_shm_offer *offer, char *why, size_t nwhy)
{
    size_t size = page_size(nlines);
    return tg_shm_open(offer, size, 0, size, &n->shm, why, nwhy);
}

int tg_nodemem_join(struct tg_nodemem *n, int32_t line, int32_t nranks,
                    uint64_t limit, bool alone)
{
    if (alone) {
        tg_shm_free(&n->shm);
        n->page = aligned_alloc(TG_CACHE_LINE, page_size(1));
        if (n->page == NULL)
            return TRYGON_ERR_NOMEM;
        memset(n->page, 0, page_size(1));
        line = 0;
        nranks = 1;
    } else {
        n->page = n->shm.at;
    }
    n->mine = &n->page->of[line];
    n->nranks = nranks;
    n->limit = limit;
    return TRYGON_SUCCESS;
}

void tg_nodemem_free(struct tg_nodemem *n)
{
    if (n->shm.at == NULL)
        free(n->page);
    tg_shm_free(&n->shm);
    *n = (struct tg_nodemem){0};
}

/* ----- counting ----------------------------------------------------------- */

/* A sum is never less than its lines, even if a rank dies between two steps. */
static void add(_Atomic uint64_t *mine, _Atomic uint64_t *all, uint64_t bytes)
{
    atomic_fetch_add(all, bytes);
    atomic_fetch_add(mine, bytes);
}

/* Unless others have done it, who take this rank for lost. */
static void subtract(_Atomic uint64_t *mine, _Atomic uint64_t *all,
                     uint64_t bytes)
{
    uint64_t had = atomic_load(mine);
    do
        if (had < bytes)
            return;
    while (!atomic_compare_exchange_weak(mine, &had, had - bytes));
    atomic_fetch_sub(all, bytes);
}

bool tg_nodemem_take(struct tg_nodemem *n, uint64_t bytes)
{
    _Atomic uint64_t *all = &n->page->all.used;
    uint64_t had = atomic_load(all);
    do
        if (had > n->limit || bytes > n->limit - had)
            return false;
    while (!atomic_compare_exchange_weak(all, &had, had + bytes));
    atomic_fetch_add(&n->mine->used, bytes);
    n->own.used += bytes;
    return true;
}

void tg_nodemem_give(struct tg_nodemem *n, uint64_t bytes)
{
    subtract(&n->mine->used, &n->page->all.used, bytes);
    n->own.used -= bytes;
    n->rings = n->rings || tg_nodemem_others(n).wanted > 0;
}

void tg_nodemem_spill(struct tg_nodemem *n, uint64_t bytes)
{
    add(&n->mine->spilling, &n->page->all.spilling, bytes);
    n->own.spilling += bytes;
}

void tg_nodemem_spilled(struct tg_nodemem *n, uint64_t bytes)
{
    subtract(&n->mine->spilling, &n->page->all.spilling, bytes);
    n->own.spilling -= bytes;
}

void tg_nodemem_want(struct tg_nodemem *n, uint64_t bytes)
{
    subtract(&n->mine->wanted, &n->page->all.wanted, n->own.wanted);
    add(&n->mine->wanted, &n->page->all.wanted, bytes);
    n->own.wanted = bytes;
}

bool tg_nodemem_resident(struct tg_nodemem *n, uint64_t bytes)
{
    if (bytes == n->resident)
        return false;
    if (bytes > n->resident)
        add(&n->mine->resident, &n->page->all.resident, bytes - n->resident);
    else
        subtract(&n->mine->resident, &n->page->all.resident,
                 n->resident - bytes);
    bool more = bytes > n->resident;
    n->resident = bytes;
    return more && tg_nodemem_full(n);
}

static void take_out(_Atomic uint64_t *one, _Atomic uint64_t *all)
{
    atomic_fetch_sub(all, atomic_exchange(one, 0));
}

void tg_nodemem_lose(struct tg_nodemem *n, int32_t line)
{
    struct tg_nodemem_sums *one = &n->page->of[line], *all = &n->page->all;
    take_out(&one->used, &all->used);
    take_out(&one->spilling, &all->spilling);
    take_out(&one->wanted, &all->wanted);
    take_out(&one->resident, &all->resident);
}

uint64_t tg_nodemem_share(const struct tg_nodemem *n)
{
    uint64_t used = atomic_load(&n->page->all.used);
    return tg_nodemem_rest(n->limit, used) / (uint64_t)n->nranks;
}
