/* slab.c - see slab.h. */
#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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

void tg_slab_more(struct tg_slab *s)
{
    if (s->nslots == s->nchunks * TG_SLAB_CHUNK)
        add_chunk(s);
    uint32_t slot = s->nslots++;
    s->gens[slot] = 0;
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
