/* index_block.h - the bytes of an index; for index.c and its tests only.
 *
 * Lines are cut into runs of a few arcs.  The runs are sorted along a curve
 * that fills space, so that neighbours in the array are neighbours on the
 * globe; then every INDEX_WIDTH runs get a node, every INDEX_WIDTH nodes get
 * one, up to a single root.  The children of node i are i * INDEX_WIDTH and
 * following, one level down, so the tree needs no links.
 *
 *   header | nodes, root level first | first[nruns + 1] | vertices
 *
 * Coordinates of vertices are whole multiples of 1 / INDEX_SCALE: 3 mm on the
 * ground, half the size of doubles, and their differences are exact.
 */
#ifndef COAST_INDEX_BLOCK_H
#define COAST_INDEX_BLOCK_H

#include "index.h"

#define INDEX_MAGIC "COASTIX1"
#define INDEX_BYTE_ORDER 0x01020304u
#define INDEX_SCALE 2147483647.0

struct index_header {
    char magic[8];
    uint32_t byte_order; /* as the builder wrote it */
    uint32_t nruns, nvertices, nnodes;
    uint64_t size; /* of the whole block */
    char reserved[32];
};

/* Where the parts of a block are, in bytes from its start. */
struct index_layout {
    int nlevels;
    uint32_t nodes[INDEX_MAX_LEVELS]; /* of each level; 0 is over the runs */
    uint64_t level[INDEX_MAX_LEVELS];
    uint32_t nnodes;
    uint64_t first, vertex, size;
};

void index_layout(uint32_t nruns, uint32_t nvertices,
                  struct index_layout *layout);

_Static_assert(sizeof(struct index_header) == 64, "the nodes start at 64");
_Static_assert(sizeof(struct index_node) == 192, "nodes have no padding");
_Static_assert(sizeof(struct index_vertex) == 12, "nor have vertices");

#endif
