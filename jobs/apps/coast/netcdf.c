/* netcdf.c - see netcdf.h. */
#include "netcdf.h"

#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Each function returns false as soon as HDF5 refuses something; which call it
 * was would not help the user, who is told that the file cannot be written. */

/* Without the final NUL, which netCDF would take for a part of the text. */
static bool put_text(hid_t object, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR), at = -1;
    bool ok = type >= 0 && space >= 0 && H5Tset_size(type, strlen(text)) >= 0 &&
              (at = H5Acreate2(object, name, type, space, H5P_DEFAULT,
                               H5P_DEFAULT)) >= 0 &&
              H5Awrite(at, type, text) >= 0;

    if (at >= 0)
        H5Aclose(at);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return ok;
}

/* Numbers as netCDF has them: always an array, of one element too. */
static bool put_numbers(hid_t object, const char *name, hid_t type, hsize_t n,
                        const void *numbers)
{
    hid_t space = H5Screate_simple(1, &n, NULL), at = -1;
    bool ok = space >= 0 &&
              (at = H5Acreate2(object, name, type, space, H5P_DEFAULT,
                               H5P_DEFAULT)) >= 0 &&
              H5Awrite(at, type, numbers) >= 0;

    if (at >= 0)
        H5Aclose(at);
    if (space >= 0)
        H5Sclose(space);
    return ok;
}

/* An array with its values; returns it open, or a negative number. */
static hid_t put_array(hid_t file, const char *name, hid_t type, int ndim,
                       const hsize_t dims[], const void *values)
{
    hid_t space = H5Screate_simple(ndim, dims, NULL), set = -1;

    if (space >= 0)
        set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT,
                         H5P_DEFAULT);
    if (set >= 0 &&
        H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
        H5Dclose(set);
        set = -1;
    }
    if (space >= 0)
        H5Sclose(space);
    return set;
}

struct axis {
    const char *name, *standard_name, *long_name, *units, *letter;
};

static const struct axis lat_axis = {"lat", "latitude", "latitude",
                                     "degrees_north", "Y"};
static const struct axis lon_axis = {"lon", "longitude", "longitude",
                                     "degrees_east", "X"};

static hid_t put_axis(hid_t file, const struct axis *axis, hsize_t n,
                      const double *values)
{
    hid_t set = put_array(file, axis->name, H5T_NATIVE_DOUBLE, 1, &n, values);
    double range[2] = {values[0], values[n - 1]};

    if (set < 0)
        return -1;
    if (H5DSset_scale(set, axis->name) < 0 ||
        !put_text(set, "standard_name", axis->standard_name) ||
        !put_text(set, "long_name", axis->long_name) ||
        !put_text(set, "units", axis->units) ||
        !put_text(set, "axis", axis->letter) ||
        !put_numbers(set, "actual_range", H5T_NATIVE_DOUBLE, 2, range)) {
        H5Dclose(set);
        return -1;
    }
    return set;
}

static hid_t put_lat(hid_t file, const struct grid *grid)
{
    size_t n = (size_t)grid->nlat;
    double *values = malloc(n * sizeof *values);
    hid_t set = -1;

    if (values != NULL) {
        for (size_t i = 0; i < n; i++)
            values[i] = grid_lat(grid, (int32_t)i);
        set = put_axis(file, &lat_axis, n, values);
    }
    free(values);
    return set;
}

static hid_t put_lon(hid_t file, const struct grid *grid)
{
    size_t n = (size_t)grid->nlon;
    double *values = malloc(n * sizeof *values);
    hid_t set = -1;

    if (values != NULL) {
        for (size_t i = 0; i < n; i++)
            values[i] = grid_lon(grid, (int32_t)i);
        set = put_axis(file, &lon_axis, n, values);
    }
    free(values);
    return set;
}

/* The sphere that distances are measured on. */
static bool put_sphere(hid_t file)
{
    const hsize_t one = 1;
    const int nothing = 0;
    const double radius_m = GEO_EARTH_RADIUS_KM * 1000.0;
    hid_t set = put_array(file, "crs", H5T_NATIVE_INT, 0, &one, &nothing);
    bool ok = set >= 0 &&
              put_text(set, "grid_mapping_name", "latitude_longitude") &&
              put_numbers(set, "earth_radius", H5T_NATIVE_DOUBLE, 1, &radius_m);

    if (set >= 0)
        H5Dclose(set);
    return ok;
}

static bool put_distance(hid_t file, const struct grid *grid, const float *km,
                         hid_t lat, hid_t lon)
{
    const hsize_t dims[2] = {(hsize_t)grid->nlat, (hsize_t)grid->nlon};
    float range[2] = {km[0], km[0]};

    for (size_t i = 0; i < grid_cells(grid); i++) {
        range[0] = km[i] < range[0] ? km[i] : range[0];
        range[1] = km[i] > range[1] ? km[i] : range[1];
    }
    hid_t set = put_array(file, "distance", H5T_NATIVE_FLOAT, 2, dims, km);
    bool ok = set >= 0 && H5DSattach_scale(set, lat, 0) >= 0 &&
              H5DSattach_scale(set, lon, 1) >= 0 &&
              put_text(set, "long_name",
                       "great-circle distance to the nearest ocean shore") &&
              put_text(set, "units", "km") &&
              put_text(set, "grid_mapping", "crs") &&
              put_numbers(set, "actual_range", H5T_NATIVE_FLOAT, 2, range);

    if (set >= 0)
        H5Dclose(set);
    return ok;
}

static bool put_origin(hid_t file, const struct netcdf_origin *origin)
{
    const int gridline = 0; /* nodes, not areas (read by GMT) */
    char day[32], history[640], source[512];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%SZ", &utc);
    snprintf(history, sizeof history, "%s: %s", day, origin->command);
    snprintf(source, sizeof source,
             "%s, level 1: ocean shore, with Antarctica's ice front",
             origin->source);
    return put_text(file, "Conventions", "CF-1.8") &&
           put_text(file, "title", "Distance to the nearest shore") &&
           put_text(file, "source", source) &&
           put_text(file, "history", history) &&
           put_text(file, "references",
                    "Wessel and Smith (1996), doi:10.1029/96JB00104") &&
           put_numbers(file, "node_offset", H5T_NATIVE_INT, 1, &gridline);
}

/* netCDF lists variables in the order of their creation, if it was kept. */
static hid_t create_file(const char *path)
{
    const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
    hid_t list = H5Pcreate(H5P_FILE_CREATE), file = -1;

    if (list >= 0 && H5Pset_link_creation_order(list, order) >= 0 &&
        H5Pset_attr_creation_order(list, order) >= 0)
        file = H5Fcreate(path, H5F_ACC_TRUNC, list, H5P_DEFAULT);
    if (list >= 0)
        H5Pclose(list);
    return file;
}

int netcdf_write(const char *path, const struct grid *grid, const float *km,
                 const struct netcdf_origin *origin, struct fault *fault)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* one line, and it is ours */

    hid_t file = create_file(path);
    bool ok = file >= 0;
    if (ok) {
        hid_t lon = put_lon(file, grid), lat = put_lat(file, grid);
        ok = lon >= 0 && lat >= 0 && put_distance(file, grid, km, lat, lon) &&
             put_sphere(file) && put_origin(file, origin);
        if (lat >= 0)
            H5Dclose(lat);
        if (lon >= 0)
            H5Dclose(lon);
        ok = H5Fclose(file) >= 0 && ok; /* the last bytes go out here */
    }
    return ok ? 0 : fault_set(fault, "HDF5 could not write the grid");
}
