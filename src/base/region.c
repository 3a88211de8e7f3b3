/* region.c - see region.h. */
#include "base/region.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"

static const size_t FIRST = 4096, LARGE_PAGE = (size_t)2 << 20;

/* Each as large as all before it, up to a large page: little is for nothing. */
static void add_block(struct tg_region *r, size_t least)
{
    size_t n = r->size > FIRST ? r->size : FIRST;
    if (n > LARGE_PAGE)
        n = LARGE_PAGE;
    if (n < least)
        n = least;
    if (n < LARGE_PAGE) {
        r->at = tg_aligned(TG_CACHE_LINE, n);
    } else {
        n = tg_round_up(n, LARGE_PAGE);
        r->at = tg_aligned(LARGE_PAGE, n);
        (void)madvise(r->at, n, MADV_HUGEPAGE);
    }
    *tg_vec_add(&r->blocks) = r->at;
    r->left = n;
    r->size += n;
}

static void *cut(struct tg_region *r, size_t size)
{
    if (size > r->left)
        add_block(r, size);
    void *p = r->at;
    r->at += size;
    r->left -= size;
    return p;
}

/* What was put back of that size: the first, which leads to the next.  NULL: it
 * is no power of two. */
static void **spare_of(struct tg_region *r, size_t size)
{
    bool power = (size & (size - 1)) == 0;
    return power ? &r->spare[__builtin_ctzll(size)] : NULL;
}

void *tg_region_get(struct tg_region *r, size_t size)
{
    TG_ASSERT(size > 0);
    size = tg_round_up(size, TG_CACHE_LINE);
    void **spare = spare_of(r, size);
    void *p = spare != NULL ? *spare : NULL;
    if (p != NULL)
        *spare = *(void **)p;
    else
        p = cut(r, size);
    return memset(p, 0, size);
}

void tg_region_put(struct tg_region *r, void *p, size_t size)
{
    void **spare = spare_of(r, size);
    TG_ASSERT(size >= TG_CACHE_LINE && spare != NULL);
    *(void **)p = *spare;
    *spare = p;
}

void tg_region_fini(struct tg_region *r)
{
    for (uint32_t i = 0; i < r->blocks.n; i++)
        free(r->blocks.v[i]);
    tg_vec_free(&r->blocks);
    *r = (struct tg_region){0};
}
