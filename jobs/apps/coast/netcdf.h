/* netcdf.h - the grid as a file that GMT, ncview and xarray open.
 *
 * Writes plain HDF5 the way netCDF-4 lays it out (dimension scales) with the
 * attributes of the CF conventions.  Knows the grid; no index, task, picture.
 */
#ifndef COAST_NETCDF_H
#define COAST_NETCDF_H

#include "common/fault.h"
#include "grid.h"

/* Where the numbers come from, for whoever finds the file later.  No paths:
 * they mean nothing on another machine. */
struct netcdf_origin {
    const char *source;  /* the shoreline */
    const char *command; /* that made the file */
};

/* Write the grid over the file `path`, which exists. */
int netcdf_write(const char *path, const struct grid *grid, const float *km,
                 const struct netcdf_origin *origin, struct fault *fault);

#endif
