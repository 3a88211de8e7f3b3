/* land.c - see land.h.
 *
 * Every row of pixels is cut by a few lines of latitude.  Going round the
 * globe along such a line, each crossing of the shore changes between sea and
 * land.  What a line begins with is found the same way, going down a meridian
 * from the North Pole, which is at sea.
 */
#include "land.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_PER_ROW = 4 };

/* Not on the edge of a bin, where the shore is cut. */
#define START_LON 0.0123

/* Where the shore crosses each line: line i has the longitudes, counted on
 * from START_LON, at first[i] up to first[i + 1]. */
struct crossings {
    int lines;
    uint32_t *first, *fill;
    double *lon;
};

static double line_lat(int lines, int line)
{
    return 90.0 - 180.0 * (line + 0.5) / lines;
}

/* The lines between two latitudes: from the first at or south of `north` to
 * before the first at or south of `south`, so that shores which share a point
 * are crossed there once. */
static void lines_between(int lines, double north, double south, int *from,
                          int *to)
{
    *from = (int)ceil((90.0 - north) * lines / 180.0 - 0.5);
    *to = (int)ceil((90.0 - south) * lines / 180.0 - 0.5);
    *from = *from < 0 ? 0 : *from;
    *to = *to > lines ? lines : *to;
}

static double on_from_start(double lon)
{
    return lon < START_LON ? lon + 360.0 : lon;
}

/* Count the crossings of one arc in c->fill, or note them in c->lon. */
static void cross_arc(struct crossings *c, struct gshhg_point a,
                      struct gshhg_point b, bool note)
{
    struct gshhg_point north = a.lat > b.lat ? a : b;
    struct gshhg_point south = a.lat > b.lat ? b : a;
    int from, to;

    lines_between(c->lines, north.lat, south.lat, &from, &to);
    for (int line = from; line < to; line++) {
        uint32_t slot = c->fill[line]++;
        if (!note)
            continue;
        double t =
            (north.lat - line_lat(c->lines, line)) / (north.lat - south.lat);
        c->lon[slot] = on_from_start(north.lon + t * (south.lon - north.lon));
    }
}

static void cross_all(struct crossings *c, const struct gshhg_shore *shore,
                      bool note)
{
    for (uint32_t line = 0; line < shore->nlines; line++)
        for (uint32_t i = shore->first[line] + 1; i < shore->first[line + 1];
             i++)
            cross_arc(c, shore->points[i - 1], shore->points[i], note);
}

static int compare_lon(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int find_crossings(struct crossings *c, const struct gshhg_shore *shore)
{
    size_t n = (size_t)c->lines;

    c->first = calloc(n + 1, sizeof *c->first);
    c->fill = calloc(n, sizeof *c->fill);
    if (c->first == NULL || c->fill == NULL)
        return -1;
    cross_all(c, shore, false);
    for (size_t i = 0; i < n; i++)
        c->first[i + 1] = c->first[i] + c->fill[i];
    c->lon = malloc(((size_t)c->first[n] + 1) * sizeof *c->lon);
    if (c->lon == NULL)
        return -1;
    memcpy(c->fill, c->first, n * sizeof *c->fill);
    cross_all(c, shore, true);
    for (size_t i = 0; i < n; i++)
        qsort(c->lon + c->first[i], c->first[i + 1] - c->first[i],
              sizeof *c->lon, compare_lon);
    return 0;
}

/* Whether each line begins on land.  Returns whether the South Pole is on
 * land, as it must be if the shore is whole. */
static bool find_starts(const struct gshhg_shore *shore, int lines,
                        uint8_t *starts)
{
    bool land = false;

    memset(starts, 0, (size_t)lines);
    for (uint32_t line = 0; line < shore->nlines; line++) {
        for (uint32_t i = shore->first[line] + 1; i < shore->first[line + 1];
             i++) {
            struct gshhg_point a = shore->points[i - 1], b = shore->points[i];
            if ((a.lon < START_LON) == (b.lon < START_LON))
                continue;
            double lat =
                a.lat + (b.lat - a.lat) * (START_LON - a.lon) / (b.lon - a.lon);
            int from, to;
            lines_between(lines, lat, -90.0, &from, &to);
            if (from < lines)
                starts[from] ^= 1; /* here and from here on, see below */
            land = !land;
        }
    }
    for (int i = 1; i < lines; i++)
        starts[i] ^= starts[i - 1];
    return land;
}

/* Add what is land between two longitudes to a row of coverages. */
static void add_land(double *row, int width, double west, double east)
{
    double x0 = (west + 180.0) / 360.0 * width;
    double x1 = (east + 180.0) / 360.0 * width;

    for (int i = (int)x0; i < x1; i++)
        row[i % width] += fmin(x1, i + 1.0) - fmax(x0, i);
}

static void add_line(const struct crossings *c, int line, bool land,
                     double *row, int width)
{
    double from = START_LON;

    for (uint32_t i = c->first[line]; i < c->first[line + 1]; i++) {
        if (land)
            add_land(row, width, from, c->lon[i]);
        from = c->lon[i];
        land = !land;
    }
    if (land)
        add_land(row, width, from, START_LON + 360.0);
}

static void cover_row(const struct crossings *c, const uint8_t *starts, int row,
                      double *sum, int width, uint8_t *cover)
{
    int used = 0;

    memset(sum, 0, (size_t)width * sizeof *sum);
    for (int k = 0; k < LINES_PER_ROW; k++) {
        int line = row * LINES_PER_ROW + k;
        if ((c->first[line + 1] - c->first[line]) % 2 != 0)
            continue; /* hit a gap where bins meet; the others will do */
        add_line(c, line, starts[line] != 0, sum, width);
        used++;
    }
    for (int i = 0; i < width && used > 0; i++)
        cover[i] = (uint8_t)lrint(255.0 * fmin(sum[i] / used, 1.0));
}

int land_cover(const struct gshhg_shore *shore, int width, int height,
               uint8_t *cover, struct fault *fault)
{
    struct crossings c = {.lines = height * LINES_PER_ROW};
    double *sum = malloc((size_t)width * sizeof *sum);
    uint8_t *starts = malloc((size_t)c.lines);
    int rc = -1;

    memset(cover, 0, (size_t)width * (size_t)height);
    if (sum != NULL && starts != NULL && find_crossings(&c, shore) == 0) {
        if (find_starts(shore, c.lines, starts))
            for (int row = 0; row < height; row++)
                cover_row(&c, starts, row, sum, width,
                          cover + (size_t)row * (size_t)width);
        rc = 0;
    }
    free(c.first);
    free(c.fill);
    free(c.lon);
    free(sum);
    free(starts);
    return rc == 0 ? 0 : fault_set(fault, "out of memory");
}
