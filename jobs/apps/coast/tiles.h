/* tiles.h - the grid's distances, tile by tile on all ranks.
 *
 * The part of the program that speaks to trygon: a task that computes one
 * tile, and what the driver does to have all of them computed.
 */
#ifndef COAST_TILES_H
#define COAST_TILES_H

#include <stddef.h>
#include <trygon/trygon.h>

#include "common/fault.h"
#include "grid.h"

/* Make the task known; on every rank, before trygon_init(). */
int tiles_register(trygon_registry_t *registry);

/* Fill km with the distances of the whole grid, cut into tiles of tile_side
 * nodes.  The index is put once, as one object that all tasks share.  Shows
 * its progress.  Called by the driver. */
int tiles_compute(trygon_t *tg, const struct grid *grid, int32_t tile_side,
                  const void *index, size_t index_size, float *km,
                  struct fault *fault);

#endif
