/* far.c - see far.h.
 *
 * Branch and bound.  Nobody gains more distance from shore than the way
 * walked, so in a cell of the grid no place is farther than the cell's centre
 * plus the way to its remotest corner.  Cells that cannot hold the answer are
 * dropped, the others are cut in four, until none is left: what was found is
 * then proven, not merely a local peak.
 */
#include "far.h"

#include <math.h>
#include <stdlib.h>

/* A cell: everything within `half` degrees of the centre, both ways. */
struct cell {
    double lon, lat, km;
};

struct cells {
    struct cell *at;
    size_t n, capacity;
};

/* After this many halvings a cell is far below the tolerance. */
enum { MAX_DEPTH = 40 };

static int cells_add(struct cells *cells, struct cell cell)
{
    if (cells->n == cells->capacity) {
        size_t capacity = cells->capacity > 0 ? 2 * cells->capacity : 256;
        struct cell *at = realloc(cells->at, capacity * sizeof *at);
        if (at == NULL)
            return -1;
        cells->at = at;
        cells->capacity = capacity;
    }
    cells->at[cells->n++] = cell;
    return 0;
}

/* The way from a cell's centre to any place in it is at most this: the
 * straight line on the map, with parallels as long as the longest inside. */
static double cell_reach_km(double lat, double half)
{
    double nearest = fmax(fabs(lat) - half, 0.0); /* to the equator */
    double across = half * cos(nearest * GEO_DEGREE);

    return hypot(half, across) * GEO_DEGREE * GEO_EARTH_RADIUS_KM;
}

static void remember(struct far_place *best, struct cell cell)
{
    if (cell.km > best->km) {
        best->lon = cell.lon;
        best->lat = cell.lat;
        best->km = cell.km;
    }
}

static struct cell node_cell(const struct grid *grid, int32_t row, int32_t col,
                             float km)
{
    return (struct cell){grid_lon(grid, col), grid_lat(grid, row), (double)km};
}

/* The cells around the grid's nodes that may hold something farther than any
 * node. */
static int grid_candidates(const struct grid *grid, const float *km,
                           struct far_place *best, struct cells *out)
{
    double half = grid->step_minutes / 120.0;
    const float *at = km;

    for (int32_t row = 0; row < grid->nlat; row++)
        for (int32_t col = 0; col < grid->nlon; col++)
            remember(best, node_cell(grid, row, col, *at++));
    at = km;
    for (int32_t row = 0; row < grid->nlat; row++) {
        double reach = cell_reach_km(grid_lat(grid, row), half);
        for (int32_t col = 0; col < grid->nlon; col++) {
            struct cell cell = node_cell(grid, row, col, *at++);
            if (cell.km + reach > best->km + FAR_TOLERANCE_KM &&
                cells_add(out, cell) != 0)
                return -1;
        }
    }
    return 0;
}

/* Cut each cell in four and keep what may still hold the answer. */
static int refine(const struct index_view *view, const struct cells *in,
                  double half, struct far_place *best, struct cells *out)
{
    struct index_hit hit = INDEX_NO_HIT;

    out->n = 0;
    for (size_t i = 0; i < in->n; i++) {
        const struct cell *parent = &in->at[i];
        if (parent->km + cell_reach_km(parent->lat, 2.0 * half) <=
            best->km + FAR_TOLERANCE_KM)
            continue;
        for (int quarter = 0; quarter < 4; quarter++) {
            struct cell cell = {parent->lon + (quarter % 2 == 0 ? -half : half),
                                parent->lat + (quarter / 2 == 0 ? -half : half),
                                0.0};
            if (fabs(cell.lat) > 90.0 + half) /* wholly beyond the pole */
                continue;
            cell.lat = fmin(fmax(cell.lat, -90.0), 90.0);
            cell.km =
                index_km(view, geo_from_degrees(cell.lon, cell.lat), &hit);
            remember(best, cell);
            if (cells_add(out, cell) != 0)
                return -1;
        }
    }
    return 0;
}

int far_find(const struct grid *grid, const float *km,
             const struct index_view *view, struct far_place *place,
             struct fault *fault)
{
    struct far_place best = {0.0, 0.0, -1.0};
    struct cells now = {0}, next = {0};
    double half = grid->step_minutes / 120.0;
    int rc = grid_candidates(grid, km, &best, &now);

    for (int depth = 0; rc == 0 && now.n > 0 && depth < MAX_DEPTH; depth++) {
        half *= 0.5;
        rc = refine(view, &now, half, &best, &next);
        struct cells swap = now;
        now = next;
        next = swap;
    }
    free(now.at);
    free(next.at);
    if (rc != 0)
        return fault_set(fault, "out of memory");
    best.lon -= 360.0 * floor((best.lon + 180.0) / 360.0);
    *place = best;
    return 0;
}
