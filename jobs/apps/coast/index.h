/* index.h - where is the nearest shore?  A search tree over polylines.
 *
 * The tree is one block of bytes without pointers: it can be copied to another
 * process, as one shared object, and searched where it lies.  A search of a
 * corrupt block may find a wrong distance but never reads outside the block.
 * Knows no file, grid or task.
 */
#ifndef COAST_INDEX_H
#define COAST_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"
#include "geo.h"
#include "gshhg.h"

enum {
    INDEX_WIDTH = 8,      /* children of a node */
    INDEX_MAX_LEVELS = 11 /* 8^11 > 2^32 runs */
};

/* Boxes around the children, coordinate by coordinate so that the eight tests
 * of a node become a few vector instructions.  A box is its middle and half
 * its width; a missing child has a negative width, which is far from all. */
struct index_node {
    float middle[3][INDEX_WIDTH], half[3][INDEX_WIDTH];
};

/* Part of a unit vector each, as whole numbers: see index_block.h. */
struct index_vertex {
    int32_t at[3];
};

/* A block that has been checked and can be searched; points into the block,
 * which must stay. */
struct index_view {
    const struct index_node *level[INDEX_MAX_LEVELS]; /* 0: over the runs */
    uint32_t nodes[INDEX_MAX_LEVELS];
    int nlevels;
    uint32_t nruns, nvertices;
    const uint32_t *first; /* vertex of each run; nruns + 1 of them */
    const struct index_vertex *vertex;
};

/* Where a search ended, to begin the next one with. */
struct index_hit {
    double chord2; /* squared chord to the shore, see geo.h */
    uint32_t run;  /* the piece of line it is on */
};

#define INDEX_NO_HIT ((struct index_hit){GEO_MAX_CHORD2, UINT32_MAX})

/* Build the block; the caller frees *block. */
int index_build(const struct gshhg_shore *shore, void **block, size_t *size,
                struct fault *fault);

/* Check a block in constant time.  It must be aligned as a float is. */
int index_view(const void *block, size_t size, struct index_view *view,
               struct fault *fault);

/* Replace *hit by the nearest shore to the unit vector p.  What *hit says on
 * entry is used only as a guess: the hit of a point close by makes the search
 * much faster, INDEX_NO_HIT is fine, and the result is the same. */
void index_nearest(const struct index_view *view, struct geo_vec p,
                   struct index_hit *hit);

static inline double index_km(const struct index_view *view, struct geo_vec p,
                              struct index_hit *hit)
{
    index_nearest(view, p, hit);
    return geo_chord2_to_km(hit->chord2);
}

#endif
