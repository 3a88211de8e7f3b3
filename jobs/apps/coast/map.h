/* map.h - the grid as a picture that a person likes to look at.
 *
 * A plate carree map with two colour scales (sea and land), the coastline,
 * graticule, legend and the farthest place.  Knows no task.
 */
#ifndef COAST_MAP_H
#define COAST_MAP_H

#include <stdio.h>

#include "common/fault.h"
#include "far.h"
#include "grid.h"
#include "gshhg.h"

struct map {
    const struct grid *grid;
    const float *km; /* of the whole grid */
    const struct gshhg_shore *shore;
    struct far_place far;
    const char *source; /* what the shoreline is, for the caption */
};

/* Draw and write as PNG. */
int map_write(FILE *file, const struct map *map, struct fault *fault);

/* "48.98 S 123.48 W", with `unit` in place of the blank after each number. */
void map_place_text(char *text, size_t capacity, double lon, double lat,
                    const char *unit);

#endif
