/* gshhg.c - see gshhg.h.
 *
 * The format.  The globe is cut into square bins, numbered row by row from the
 * north-west corner (longitude 0).  A bin has segments, a segment has points,
 * each stored as one run of a long array:
 *
 *   bin      number of its first segment, count of segments
 *   segment  number of its first point, packed word: count << 9 | level << 6
 *   point    longitude and latitude as unsigned 16-bit fractions of the bin
 *            from its south-west corner, 65535 being the far side
 *
 * The file declares the fractions as signed; they are not.
 */
#include "gshhg.h"

#include <errno.h>
#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    OCEAN_SHORE_LEVEL = 1,
    GLOBE_MINUTES = 360 * 60,
    /* Six times the finest data set there is: enough for any real file, and
     * what a forged one may make us allocate stays harmless. */
    MAX_ELEMENTS = 1 << 26
};

#define DEFAULT_DIR "/usr/share/gmt-gshhg"

/* The file's arrays, as they are. */
struct raw {
    int32_t bin_minutes;
    size_t nbins, nsegments, npoints;
    int32_t *bin_first, *bin_count;
    int32_t *segment_first, *segment_word;
    uint16_t *lon, *lat;
};

static void raw_free(struct raw *raw)
{
    free(raw->bin_first);
    free(raw->bin_count);
    free(raw->segment_first);
    free(raw->segment_word);
    free(raw->lon);
    free(raw->lat);
}

/* ---- finding the file -------------------------------------------------- */

static int check_is_file(const char *path, struct fault *fault)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return fault_set(fault, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return fault_set(fault, "%s: is a directory, not a GSHHG file", path);
    if (!S_ISREG(st.st_mode)) /* opening a pipe could wait for ever */
        return fault_set(fault, "%s: is not a regular file", path);
    return 0;
}

int gshhg_locate(const char *name, char *path, size_t capacity,
                 struct fault *fault)
{
    bool letter = strlen(name) == 1 && strchr("clihf", name[0]) != NULL;
    const char *dir = getenv("TRYGON_GSHHG_DIR");
    int length;

    if (dir == NULL || dir[0] == '\0')
        dir = DEFAULT_DIR;
    if (letter)
        length = snprintf(path, capacity, "%s/binned_GSHHS_%s.nc", dir, name);
    else
        length = snprintf(path, capacity, "%s", name);
    if (length == 0)
        return fault_set(fault, "the shoreline needs a name");
    if (length < 0 || (size_t)length >= capacity)
        return fault_set(fault, "the path of the shoreline is too long");

    struct stat st;
    if (letter && stat(path, &st) != 0 && errno == ENOENT)
        return fault_set(fault,
                         "%s: not found; Debian has it in the package "
                         "gmt-gshhg-%s",
                         path,
                         name[0] == 'f'   ? "full"
                         : name[0] == 'h' ? "high"
                                          : "low");
    return check_is_file(path, fault);
}

/* ---- reading the arrays ------------------------------------------------ */

/* The number of elements of a one-dimensional array of integers. */
static int array_length(hid_t set, size_t *length)
{
    hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    hsize_t n = 0;
    bool fits = space >= 0 && type >= 0 && H5Tget_class(type) == H5T_INTEGER &&
                H5Sget_simple_extent_ndims(space) == 1 &&
                H5Sget_simple_extent_dims(space, &n, NULL) == 1 && n >= 1 &&
                n <= MAX_ELEMENTS;

    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
    *length = (size_t)n;
    return fits ? 0 : -1;
}

/* HDF5 clips values when the sign changes, so 16-bit fractions are read as
 * whatever sign the file declares: the bits are then the same. */
static hid_t fraction_type(hid_t set)
{
    hid_t type = H5Dget_type(set), memory = -1;

    if (type >= 0 && H5Tget_size(type) == sizeof(uint16_t))
        memory = H5Tget_sign(type) == H5T_SGN_NONE ? H5T_NATIVE_UINT16
                                                   : H5T_NATIVE_INT16;
    if (type >= 0)
        H5Tclose(type);
    return memory;
}

/* Read array `name` whole, of int32_t or (fractions) of uint16_t, into memory
 * of its own. */
static int read_array(hid_t file, const char *name, bool fractions, void *array,
                      size_t *length, struct fault *fault)
{
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);

    if (set < 0)
        return fault_set(fault, "not a GSHHG file: no array %s", name);

    hid_t type = fractions ? fraction_type(set) : H5T_NATIVE_INT32;
    size_t width = fractions ? sizeof(uint16_t) : sizeof(int32_t);
    void *data = NULL;
    int rc = -1;
    if (type < 0 || array_length(set, length) != 0)
        fault_set(fault, "not a GSHHG file: %s is not an array of integers",
                  name);
    else if ((data = malloc(*length * width)) == NULL)
        fault_set(fault, "out of memory");
    else if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        fault_set(fault, "damaged file: %s cannot be read", name);
    else
        rc = 0;
    H5Dclose(set);
    if (rc != 0) {
        free(data);
        return -1;
    }
    memcpy(array, &data, sizeof data);
    return 0;
}

static int read_bin_size(hid_t file, struct raw *raw, struct fault *fault)
{
    int32_t *minutes = NULL;
    size_t n;

    if (read_array(file, "Bin_size_in_minutes", false, &minutes, &n, fault) !=
        0)
        return -1;
    raw->bin_minutes = minutes[0];
    free(minutes);
    if (n != 1 || raw->bin_minutes < 1 ||
        GLOBE_MINUTES / 2 % raw->bin_minutes != 0)
        return fault_set(fault, "damaged file: bins of %d minutes",
                         (int)raw->bin_minutes);
    return 0;
}

/* Read two arrays that must be of the same length. */
static int read_pair(hid_t file, const char *const names[2], bool fractions,
                     void *const arrays[2], size_t *length, struct fault *fault)
{
    size_t other;

    if (read_array(file, names[0], fractions, arrays[0], length, fault) != 0 ||
        read_array(file, names[1], fractions, arrays[1], &other, fault) != 0)
        return -1;
    if (other != *length)
        return fault_set(fault, "damaged file: %s and %s differ in length",
                         names[0], names[1]);
    return 0;
}

static int read_raw(hid_t file, struct raw *raw, struct fault *fault)
{
    static const char *const bins[] = {"Id_of_first_segment_in_a_bin",
                                       "N_segments_in_a_bin"};
    static const char *const segments[] = {
        "Id_of_first_point_in_a_segment",
        "Embedded_npts_levels_exit_entry_for_a_segment"};
    static const char *const points[] = {
        "Relative_longitude_from_SW_corner_of_bin",
        "Relative_latitude_from_SW_corner_of_bin"};

    if (read_bin_size(file, raw, fault) != 0 ||
        read_pair(file, bins, false,
                  (void *[]){&raw->bin_first, &raw->bin_count}, &raw->nbins,
                  fault) != 0 ||
        read_pair(file, segments, false,
                  (void *[]){&raw->segment_first, &raw->segment_word},
                  &raw->nsegments, fault) != 0 ||
        read_pair(file, points, true, (void *[]){&raw->lon, &raw->lat},
                  &raw->npoints, fault) != 0)
        return -1;

    size_t columns = (size_t)(GLOBE_MINUTES / raw->bin_minutes);
    if (raw->nbins != columns * columns / 2)
        return fault_set(fault,
                         "damaged file: %zu bins of %d minutes do not make "
                         "a globe",
                         raw->nbins, (int)raw->bin_minutes);
    return 0;
}

/* ---- from arrays to lines ---------------------------------------------- */

static uint32_t word_count(int32_t word)
{
    return (uint32_t)word >> 9;
}

static uint32_t word_level(int32_t word)
{
    return (uint32_t)word >> 6 & 7;
}

static int check_segments(const struct raw *raw, struct fault *fault)
{
    for (size_t s = 0; s < raw->nsegments; s++) {
        int64_t first = raw->segment_first[s];
        uint32_t count = word_count(raw->segment_word[s]);
        if (count < 1 || first < 0 || first + count > (int64_t)raw->npoints)
            return fault_set(fault,
                             "damaged file: segment %zu has points that do "
                             "not exist",
                             s);
    }
    return 0;
}

static int check_bins(const struct raw *raw, struct fault *fault)
{
    size_t total = 0;

    for (size_t b = 0; b < raw->nbins; b++) {
        int64_t first = raw->bin_first[b], count = raw->bin_count[b];
        if (count < 0 || (count > 0 && first < 0) ||
            (count > 0 && first + count > (int64_t)raw->nsegments))
            return fault_set(fault,
                             "damaged file: bin %zu has segments that do not "
                             "exist",
                             b);
        total += (size_t)count;
    }
    if (total != raw->nsegments)
        return fault_set(fault, "damaged file: its counts do not add up");
    return 0;
}

/* Count the lines and points of the ocean shore, the way they are decoded:
 * bin by bin.  That no more points come out than the file has bounds the
 * memory even when a forged file gives one segment to many bins. */
static int count_shore(const struct raw *raw, uint32_t *nlines,
                       uint32_t *npoints, struct fault *fault)
{
    *nlines = 0;
    *npoints = 0;
    for (size_t b = 0; b < raw->nbins; b++) {
        for (int32_t k = 0; k < raw->bin_count[b]; k++) {
            int32_t word = raw->segment_word[raw->bin_first[b] + k];
            if (word_level(word) != OCEAN_SHORE_LEVEL)
                continue;
            if (word_count(word) > raw->npoints - *npoints)
                return fault_set(fault,
                                 "damaged file: its counts do not add up");
            *nlines += 1;
            *npoints += word_count(word);
        }
    }
    if (*nlines == 0)
        return fault_set(fault, "the file has no ocean shoreline (level 1)");
    return 0;
}

/* Append the ocean shore of one bin. */
static void decode_bin(const struct raw *raw, size_t bin,
                       struct gshhg_shore *shore)
{
    size_t columns = (size_t)(GLOBE_MINUTES / raw->bin_minutes);
    double size = raw->bin_minutes / 60.0, unit = size / 65535.0;
    double west = (double)(bin % columns) * size;
    double south = 90.0 - (double)(bin / columns + 1) * size;

    for (int32_t k = 0; k < raw->bin_count[bin]; k++) {
        size_t s = (size_t)(raw->bin_first[bin] + k);
        if (word_level(raw->segment_word[s]) != OCEAN_SHORE_LEVEL)
            continue;
        size_t first = (size_t)raw->segment_first[s];
        size_t end = first + word_count(raw->segment_word[s]);
        for (size_t i = first; i < end; i++)
            shore->points[shore->npoints++] = (struct gshhg_point){
                west + raw->lon[i] * unit, south + raw->lat[i] * unit};
        shore->first[++shore->nlines] = shore->npoints;
    }
}

static int decode(const struct raw *raw, struct gshhg_shore *shore,
                  struct fault *fault)
{
    uint32_t nlines, npoints;

    if (check_segments(raw, fault) != 0 || check_bins(raw, fault) != 0 ||
        count_shore(raw, &nlines, &npoints, fault) != 0)
        return -1;
    shore->first = calloc((size_t)nlines + 1, sizeof *shore->first);
    shore->points = malloc(npoints * sizeof *shore->points);
    if (shore->first == NULL || shore->points == NULL)
        return fault_set(fault, "out of memory");
    for (size_t b = 0; b < raw->nbins; b++)
        decode_bin(raw, b, shore);
    return 0;
}

/* ---- the whole file ---------------------------------------------------- */

/* The file's version attribute; it ends up in our own output, so only plain
 * characters pass. */
static void read_version(hid_t file, char *version, size_t capacity)
{
    char text[256] = "";
    hid_t attribute = H5Aopen(file, "version", H5P_DEFAULT);

    if (attribute >= 0) {
        hid_t type = H5Aget_type(attribute);
        hid_t space = H5Aget_space(attribute);
        if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING &&
            H5Tis_variable_str(type) == 0 && H5Tget_size(type) < sizeof text &&
            H5Sget_simple_extent_npoints(space) == 1 &&
            H5Aread(attribute, type, text) < 0)
            text[0] = '\0';
        if (space >= 0)
            H5Sclose(space);
        if (type >= 0)
            H5Tclose(type);
        H5Aclose(attribute);
    }
    text[strspn(text, "0123456789.abcdefghijklmnopqrstuvwxyz-")] = '\0';
    snprintf(version, capacity, "%.*s", (int)capacity - 1,
             text[0] != '\0' ? text : "unknown");
}

static int read_open(hid_t file, struct gshhg_shore *shore, struct fault *fault)
{
    struct raw raw = {0};
    int rc = read_raw(file, &raw, fault);

    if (rc == 0)
        rc = decode(&raw, shore, fault);
    raw_free(&raw);
    if (rc == 0)
        read_version(file, shore->version, sizeof shore->version);
    return rc;
}

int gshhg_read(const char *path, struct gshhg_shore *shore, struct fault *fault)
{
    memset(shore, 0, sizeof *shore);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* one line, and it is ours */
    if (check_is_file(path, fault) != 0)
        return -1;
    if (H5Fis_hdf5(path) <= 0)
        return fault_set(fault, "%s: is not a GSHHG file (not netCDF-4)", path);

    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return fault_set(fault, "%s: is truncated or damaged", path);

    struct fault reason;
    int rc = read_open(file, shore, &reason);
    H5Fclose(file);
    if (rc != 0) {
        gshhg_free(shore);
        return fault_set(fault, "%s: %s", path, reason.text);
    }
    return 0;
}

void gshhg_free(struct gshhg_shore *shore)
{
    free(shore->first);
    free(shore->points);
    memset(shore, 0, sizeof *shore);
}
