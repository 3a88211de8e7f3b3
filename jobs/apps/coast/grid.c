/* grid.c - see grid.h. */
#include "grid.h"

#include <math.h>
#include <string.h>

int grid_init(struct grid *grid, int32_t step_minutes)
{
    if (step_minutes < 1 || step_minutes > GRID_HALF_TURN_MINUTES ||
        GRID_HALF_TURN_MINUTES % step_minutes != 0)
        return -1;
    grid->step_minutes = step_minutes;
    grid->nlon = 2 * GRID_HALF_TURN_MINUTES / step_minutes;
    grid->nlat = GRID_HALF_TURN_MINUTES / step_minutes + 1;
    return 0;
}

int32_t grid_tile_side(const struct grid *grid, double degrees)
{
    double side = round(degrees * 60.0 / grid->step_minutes);

    return side < 1.0 ? 1 : side < grid->nlon ? (int32_t)side : grid->nlon;
}

static size_t tiles_along(int32_t nodes, int32_t side)
{
    return (size_t)((nodes - 1) / side + 1);
}

size_t grid_tile_count(const struct grid *grid, int32_t side)
{
    return tiles_along(grid->nlon, side) * tiles_along(grid->nlat, side);
}

struct grid_tile grid_tile_at(const struct grid *grid, int32_t side, size_t i)
{
    size_t across = tiles_along(grid->nlon, side);
    struct grid_tile tile = {.grid = *grid,
                             .row = (int32_t)(i / across) * side,
                             .col = (int32_t)(i % across) * side,
                             .nrow = side,
                             .ncol = side};

    if (tile.nrow > grid->nlat - tile.row)
        tile.nrow = grid->nlat - tile.row;
    if (tile.ncol > grid->nlon - tile.col)
        tile.ncol = grid->nlon - tile.col;
    return tile;
}

int grid_tile_check(const struct grid_tile *tile, struct fault *fault)
{
    struct grid grid;

    if (grid_init(&grid, tile->grid.step_minutes) != 0 ||
        memcmp(&grid, &tile->grid, sizeof grid) != 0 || tile->row < 0 ||
        tile->col < 0 || tile->nrow < 1 || tile->ncol < 1 ||
        tile->row >= grid.nlat || tile->nrow > grid.nlat - tile->row ||
        tile->col >= grid.nlon || tile->ncol > grid.nlon - tile->col)
        return fault_set(fault, "tile outside the grid");
    return 0;
}

/* Rows are walked to and fro, so that every search but the first begins with
 * what its neighbour found: two nodes one step apart cannot differ by more
 * than that step, and mostly have the same nearest shore. */
void grid_tile_distances(const struct grid_tile *tile,
                         const struct index_view *view, float *km)
{
    struct index_hit hit = INDEX_NO_HIT;

    for (int32_t i = 0; i < tile->nrow; i++) {
        double lat = grid_lat(&tile->grid, tile->row + i);
        float *row = km + (size_t)i * (size_t)tile->ncol;
        for (int32_t k = 0; k < tile->ncol; k++) {
            int32_t j = i % 2 == 0 ? k : tile->ncol - 1 - k;
            double lon = grid_lon(&tile->grid, tile->col + j);
            row[j] = (float)index_km(view, geo_from_degrees(lon, lat), &hit);
        }
    }
}

void grid_tile_place(const struct grid *grid, const struct grid_tile *tile,
                     const float *km, float *all)
{
    size_t nlon = (size_t)grid->nlon, ncol = (size_t)tile->ncol;

    for (int32_t i = 0; i < tile->nrow; i++)
        memcpy(all + (size_t)(tile->row + i) * nlon + (size_t)tile->col,
               km + (size_t)i * ncol, ncol * sizeof *km);
}
