/* region.h - memory that is given back all at once.
 *
 * What belongs together lies close together, and where there is much of it in
 * large pages of the system: who looks into tables of some ten megabytes at
 * random otherwise waits more for the pages' addresses than for their bytes.
 */
#ifndef TG_BASE_REGION_H
#define TG_BASE_REGION_H

#include "base/mem.h"

struct tg_region { /* at first: {0} */
    unsigned char *at;
    size_t left, size; /* behind `at`; of all blocks */
    TG_VEC(void *) blocks;
    void *spare[64]; /* by the logarithm of their size */
};

/* At least a byte: zeroed, and from the start of a cache line on. */
void *tg_region_get(struct tg_region *r, size_t size);
/* For who wants as much: a power of two, at least TG_CACHE_LINE. */
void tg_region_put(struct tg_region *r, void *p, size_t size);
void tg_region_fini(struct tg_region *r);

#endif
