/* slab.c - see slab.h. */
#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

/* A generation is odd while its record is in use, so that one word answers
 * both questions; a slot that reached the last one is never freed for reuse. */
static const uint32_t last_gen = UINT32_MAX;

void tg_slab_init(struct tg_slab *s, size_t record_size)
{
    memset(s, 0, sizeof *s);
    s->record = (record_size + 7) & ~(size_t)7;
}

void tg_slab_fini(struct tg_slab *s)
{
    for (uint32_t i = 0; i < s->nchunks; i++)
        free(s->chunks[i]);
    free(s->chunks);
    free(s->gens);
    free(s->nextfree);
    memset(s, 0, sizeof *s);
}

static void add_chunk(struct tg_slab *s)
{
    if (s->nslots == s->capslots) {
        s->capslots = s->capslots == 0 ? TG_SLAB_CHUNK : s->capslots * 2;
        s->gens = tg_grow(s->gens, s->capslots, sizeof *s->gens);
        s->nextfree = tg_grow(s->nextfree, s->capslots, sizeof *s->nextfree);
        s->chunks =
            tg_grow(s->chunks, s->capslots / TG_SLAB_CHUNK, sizeof *s->chunks);
    }
    s->chunks[s->nchunks++] = tg_alloc(TG_SLAB_CHUNK * s->record);
}

void *tg_slab_new(struct tg_slab *s, uint64_t *handle)
{
    uint32_t slot;
    if (s->freehead != 0) {
        slot = s->freehead - 1;
        s->freehead = s->nextfree[slot];
    } else {
        if (s->nslots == s->nchunks * TG_SLAB_CHUNK)
            add_chunk(s);
        slot = s->nslots++;
        s->gens[slot] = 0;
    }
    s->gens[slot]++;
    s->used++;
    *handle = (uint64_t)s->gens[slot] << 32 | slot;
    void *rec = tg_slab_at(s, slot);
    memset(rec, 0, s->record);
    return rec;
}

void tg_slab_free(struct tg_slab *s, uint64_t handle)
{
    TG_ASSERT(tg_slab_has(s, handle));
    uint32_t slot = (uint32_t)handle;
    s->used--;
    if (s->gens[slot] == last_gen) {
        s->gens[slot] = 0; /* even and unreachable: retired */
        return;
    }
    s->gens[slot]++;
    s->nextfree[slot] = s->freehead;
    s->freehead = slot + 1;
}

void *tg_slab_next(const struct tg_slab *s, uint32_t *slot)
{
    while (*slot < s->nslots) {
        uint32_t i = (*slot)++;
        if ((s->gens[i] & 1) != 0)
            return tg_slab_at(s, i);
    }
    return NULL;
}
