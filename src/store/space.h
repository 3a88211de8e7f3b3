/* space.h - which parts of a long range are in use, and where the next fits.
 *
 * Only offsets: nothing here touches what they stand for.  The range is cut
 * into extents: in use, warm (free, and the system may have memory there) or
 * cold (free, without).  Free neighbours of one kind are one extent.
 *
 * The smallest warm extent that is large enough is taken, of equal ones the
 * first; if there is none a cold one, together with warm bytes in front of it.
 * Taking, giving back and cooling cost log n.
 *
 * Extents begin and end at multiples of a grain, cold ones at multiples of a
 * page, the unit in which memory goes back to the system.  So no page is partly
 * cold, and the memory that the system has there is used + warm at most.
 */
#ifndef TG_STORE_SPACE_H
#define TG_STORE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

enum tg_extent_kind { TG_EXTENT_WARM, TG_EXTENT_COLD, TG_EXTENT_USED };

struct tg_extent {
    uint64_t at, size;
    struct tg_extent *prev, *next; /* in the range */
    struct tg_extent *child[2];    /* free: smaller and larger ones */
    enum tg_extent_kind kind;
};

struct tg_space {
    uint64_t grain, page; /* a page is some grains */
    uint64_t used, warm;  /* bytes */
    struct tg_extent *first, *spare;
    struct tg_extent *tree[2]; /* the warm and the cold, by size and place */
};

/* The size bytes from `from`, multiples of page, all cold. */
void tg_space_init(struct tg_space *s, uint64_t from, uint64_t size,
                   uint64_t grain, uint64_t page);
void tg_space_fini(struct tg_space *s);

/* At least size bytes, size > 0; NULL: no hole is large enough. */
struct tg_extent *tg_space_take(struct tg_space *s, uint64_t size);
void tg_space_give(struct tg_space *s, struct tg_extent *e); /* warm now */
/* Pages of one warm extent, the largest, are cold from now on: some `most` bytes
 * of them.  The caller gives the memory of *n bytes at *at back.  False: it has
 * no whole page. */
bool tg_space_cool(struct tg_space *s, uint64_t most, uint64_t *at,
                   uint64_t *n);

/* Asserts what must always hold. */
void tg_space_check(const struct tg_space *s);

#endif
