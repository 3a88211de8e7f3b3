/* slab.h - records with a slot number and a generation.
 *
 * A handle is (generation << 32 | slot) and is never reused: a slot whose
 * generations are used up is retired.  Records do not move, so pointers stay
 * good until the record is freed; a stale handle finds nothing.  A handle is
 * never 0, since generations start at 1.
 */
#ifndef TG_BASE_SLAB_H
#define TG_BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"

enum { TG_SLAB_CHUNK = 256 }; /* records a chunk */

struct tg_slab {
    size_t record; /* bytes, a multiple of 8 */
    unsigned char **chunks;
    uint32_t *gens; /* of each slot; odd: in use */
    uint32_t *nextfree;
    uint32_t nslots, capslots, nchunks;
    uint32_t freehead; /* slot + 1; 0: none */
    uint32_t used;
};

void tg_slab_init(struct tg_slab *s, size_t record_size);
void tg_slab_fini(struct tg_slab *s); /* frees memory, not what records own */

static inline void *tg_slab_at(const struct tg_slab *s, uint32_t slot)
{
    return s->chunks[slot / TG_SLAB_CHUNK] +
           (size_t)(slot % TG_SLAB_CHUNK) * s->record;
}

static inline bool tg_slab_has(const struct tg_slab *s, uint64_t handle)
{
    uint32_t slot = (uint32_t)handle, gen = (uint32_t)(handle >> 32);
    return slot < s->nslots && s->gens[slot] == gen && (gen & 1) != 0;
}

/* Or NULL. */
static inline void *tg_slab_find(const struct tg_slab *s, uint64_t handle)
{
    return tg_slab_has(s, handle) ? tg_slab_at(s, (uint32_t)handle) : NULL;
}

/* Of one that must be there. */
static inline void *tg_slab_get(const struct tg_slab *s, uint64_t handle)
{
    TG_ASSERT(tg_slab_has(s, handle));
    return tg_slab_at(s, (uint32_t)handle);
}

void tg_slab_more(struct tg_slab *s); /* so that there is a free slot */

/* A zeroed record; its handle in *handle. */
static inline void *tg_slab_new(struct tg_slab *s, uint64_t *handle)
{
    if (s->freehead == 0)
        tg_slab_more(s);
    uint32_t slot = s->freehead - 1;
    s->freehead = s->nextfree[slot];
    s->used++;
    *handle = (uint64_t)++s->gens[slot] << 32 | slot;
    return memset(tg_slab_at(s, slot), 0, s->record);
}

/* A generation is odd while its record is in use, so that one word answers both
 * questions; a slot that reached the last one is never freed for reuse. */
static inline void tg_slab_free(struct tg_slab *s, uint64_t handle)
{
    TG_ASSERT(tg_slab_has(s, handle));
    uint32_t slot = (uint32_t)handle;
    s->used--;
    if (++s->gens[slot] == 0)
        return; /* even and unreachable: retired */
    s->nextfree[slot] = s->freehead;
    s->freehead = slot + 1;
}

/* The records in use, by slot: *slot starts at 0; NULL at the end. */
void *tg_slab_next(const struct tg_slab *s, uint32_t *slot);

#endif
