/* gshhg.h - the ocean shoreline of a binned GSHHG file.
 *
 * Reads what GMT's data packages install (netCDF-4, which is HDF5) and keeps
 * exactly level 1: the line between ocean and land, with the ice front for
 * Antarctica.  Lakes, islands in lakes and the grounding line stay behind.
 * Trusts nothing in the file.  Knows no grid, index or task.
 */
#ifndef COAST_GSHHG_H
#define COAST_GSHHG_H

#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"

struct gshhg_point {
    double lon, lat; /* degrees; 0 <= lon <= 360 */
};

/* Open polylines; those that are closed repeat their first point.  Line i has
 * the points first[i] up to, not including, first[i + 1]. */
struct gshhg_shore {
    uint32_t nlines, npoints;
    uint32_t *first; /* nlines + 1 */
    struct gshhg_point *points;
    char version[32]; /* of the data, as the file tells it, or "unknown" */
};

/* The file behind a --shoreline argument: one of the letters c, l, i, h, f
 * stands for the installed file of that resolution (in TRYGON_GSHHG_DIR if
 * set), anything else is a path.  For a letter whose file is missing the
 * fault names the package to install.  Returns 0 or -1. */
int gshhg_locate(const char *name, char *path, size_t capacity,
                 struct fault *fault);

/* Read a file.  On success the caller frees *shore with gshhg_free(). */
int gshhg_read(const char *path, struct gshhg_shore *shore,
               struct fault *fault);

void gshhg_free(struct gshhg_shore *shore);

#endif
