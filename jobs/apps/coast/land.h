/* land.h - which part of each pixel of a world map is land.
 *
 * Knows the shoreline; no grid, picture or task.
 */
#ifndef COAST_LAND_H
#define COAST_LAND_H

#include <stdint.h>

#include "common/fault.h"
#include "gshhg.h"

/* A plate carree map, longitudes from -180 on the left to 180, latitudes from
 * 90 at the top to -90.  cover has width * height numbers, 0 sea to 255 land.
 * A shoreline that does not close leaves it all sea.  Returns 0 or -1 (no
 * memory). */
int land_cover(const struct gshhg_shore *shore, int width, int height,
               uint8_t *cover, struct fault *fault);

#endif
