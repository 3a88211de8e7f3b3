/* grid.h - the nodes of the global grid and the tiles that they come in.
 *
 * Nodes lie on whole steps, longitudes from -180 to below 180 and latitudes
 * from pole to pole.  A tile is a rectangle of nodes.  Knows the index, but no
 * task, file or picture.
 */
#ifndef COAST_GRID_H
#define COAST_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"
#include "index.h"

enum { GRID_HALF_TURN_MINUTES = 180 * 60 };

struct grid {
    int32_t step_minutes;
    int32_t nlon, nlat;
};

/* Rows and columns are counted from the south-west; plain numbers without
 * padding, so that a tile can be sent as it is. */
struct grid_tile {
    struct grid grid;
    int32_t row, col;
    int32_t nrow, ncol;
};

/* The steps that fit: whole minutes that divide 180 degrees. */
int grid_init(struct grid *grid, int32_t step_minutes);

static inline double grid_lon(const struct grid *grid, int32_t col)
{
    return (double)((int64_t)col * grid->step_minutes) / 60.0 - 180.0;
}

static inline double grid_lat(const struct grid *grid, int32_t row)
{
    return (double)((int64_t)row * grid->step_minutes) / 60.0 - 90.0;
}

static inline size_t grid_cells(const struct grid *grid)
{
    return (size_t)grid->nlon * (size_t)grid->nlat;
}

/* How many nodes a tile of so many degrees has along each side. */
int32_t grid_tile_side(const struct grid *grid, double degrees);

/* How many tiles of that side cover the grid, and the i-th of them. */
size_t grid_tile_count(const struct grid *grid, int32_t side);
struct grid_tile grid_tile_at(const struct grid *grid, int32_t side, size_t i);

/* Whether a tile that came from elsewhere is one of a real grid. */
int grid_tile_check(const struct grid_tile *tile, struct fault *fault);

/* Distances in km of a tile's nodes, row by row: nrow * ncol numbers. */
void grid_tile_distances(const struct grid_tile *tile,
                         const struct index_view *view, float *km);

/* Copy a tile's distances to their place in the whole grid. */
void grid_tile_place(const struct grid *grid, const struct grid_tile *tile,
                     const float *km, float *all);

#endif
