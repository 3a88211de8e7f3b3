/* far.h - the place farthest from any shore.
 *
 * Begins with the distances at the grid's nodes and closes in on the place
 * between them, because the nodes of a coarse grid miss it by up to half a
 * step: 0.7 degrees on a grid of one degree.  Knows no task or file.
 */
#ifndef COAST_FAR_H
#define COAST_FAR_H

#include "common/fault.h"
#include "grid.h"
#include "index.h"

struct far_place {
    double lon, lat; /* degrees, -180 <= lon < 180 */
    double km;
};

/* No place is farther by more than this: 10 m. */
#define FAR_TOLERANCE_KM 0.01

/* km: the distances of the whole grid.  Returns 0 or -1 (no memory). */
int far_find(const struct grid *grid, const float *km,
             const struct index_view *view, struct far_place *place,
             struct fault *fault);

#endif
