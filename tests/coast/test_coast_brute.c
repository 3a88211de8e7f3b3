/* test_coast_brute.c - the index against every arc there is.
 *
 * For random places, the nearest shore is also found by looking at all arcs,
 * with a formula of its own: angles from atan2, and the foot of the place on
 * the arc's plane.  Links no MPI.  Status 77 when the data is not installed.
 */
#include "far.h"
#include "grid.h"
#include "gshhg.h"
#include "index.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLACES = 2000, STEP_MINUTES = 10, FAR_STEP_MINUTES = 300 };

/* A place, what the index found and what is the truth, in radians. */
struct place {
    struct geo_vec at;
    double found, best;
    double line_cos, arc_cos; /* see set_best() */
};

/* A shoreline read and indexed. */
struct data {
    struct gshhg_shore shore;
    struct geo_vec *vertex;
    double reach;   /* of any line from its first point, in radians */
    double longest; /* of all arcs */
    void *block;
    size_t size;
    struct index_view view;
};

static struct data high, crude;
static struct place places[PLACES];
static uint64_t random_state = 20240611;

/* splitmix64: the same places on every machine. */
static uint64_t random_bits(void)
{
    uint64_t x = random_state += 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static double random_unit(void)
{
    return (double)(random_bits() >> 11) * 0x1p-53;
}

static int32_t random_below(int32_t n)
{
    return (int32_t)(random_bits() % (uint64_t)n);
}

/* ---- the other formula ------------------------------------------------- */

static double angle(struct geo_vec a, struct geo_vec b)
{
    struct geo_vec n = geo_cross(a, b);

    return atan2(sqrt(geo_dot(n, n)), geo_dot(a, b));
}

static double arc_angle(struct geo_vec p, struct geo_vec a, struct geo_vec b)
{
    double best = fmin(angle(p, a), angle(p, b));
    struct geo_vec n = geo_cross(a, b);
    double length = sqrt(geo_dot(n, n));

    if (length < 1e-14)
        return best;
    double height = geo_dot(p, n) / length;
    struct geo_vec foot = {p.x - height * n.x / length,
                           p.y - height * n.y / length,
                           p.z - height * n.z / length};
    if (geo_dot(geo_cross(a, foot), n) > 0.0 &&
        geo_dot(geo_cross(foot, b), n) > 0.0)
        best = fmin(best, atan2(fabs(height), sqrt(geo_dot(foot, foot))));
    return best;
}

/* A place can be nearer to a line than to its first point by no more than the
 * line reaches, and likewise with an arc; that spares most of them the long
 * formula, and there is no other choice among them. */
static void set_best(const struct data *data, struct place *place, double best)
{
    place->best = best;
    place->line_cos = cos(fmin(best + data->reach + 1e-9, GEO_PI));
    place->arc_cos = cos(fmin(best + data->longest + 1e-9, GEO_PI));
}

static void look_at_line(const struct data *data, uint32_t line,
                         struct place *place)
{
    uint32_t first = data->shore.first[line];
    uint32_t end = data->shore.first[line + 1];

    for (uint32_t i = first + 1; i < end; i++) {
        struct geo_vec a = data->vertex[i - 1], b = data->vertex[i];
        if (geo_dot(place->at, a) < place->arc_cos)
            continue;
        double d = arc_angle(place->at, a, b);
        if (d < place->best)
            set_best(data, place, d);
    }
}

static void look_at_all(const struct data *data)
{
    for (int k = 0; k < PLACES; k++)
        set_best(data, &places[k], GEO_PI);
    for (uint32_t line = 0; line < data->shore.nlines; line++) {
        struct geo_vec first = data->vertex[data->shore.first[line]];
        for (int k = 0; k < PLACES; k++)
            if (geo_dot(places[k].at, first) >= places[k].line_cos)
                look_at_line(data, line, &places[k]);
    }
}

static double worst_km(void)
{
    double worst = 0.0;

    for (int k = 0; k < PLACES; k++)
        worst = fmax(worst, fabs(places[k].found - places[k].best));
    return worst * GEO_EARTH_RADIUS_KM;
}

/* ---- tests ------------------------------------------------------------- */

/* Through tiles, as the program does; three nodes, so that the last begins
 * with what the others found. */
static void cells_of_the_high_grid(void)
{
    struct grid grid;

    grid_init(&grid, STEP_MINUTES);
    for (int k = 0; k < PLACES; k++) {
        float km[3];
        struct grid_tile tile = {grid, random_below(grid.nlat),
                                 random_below(grid.nlon - 2), 1, 3};
        if (k < 2) /* both poles */
            tile.row = k * (grid.nlat - 1);
        grid_tile_distances(&tile, &high.view, km);
        places[k].found = (double)km[2] / GEO_EARTH_RADIUS_KM;
        places[k].at = geo_from_degrees(grid_lon(&grid, tile.col + 2),
                                        grid_lat(&grid, tile.row));
    }
    look_at_all(&high);
    printf("worst %.6f km ", worst_km());
    CU_ASSERT(worst_km() < 0.001);
}

/* Anywhere; the hint is that of another place, mostly far away. */
static void places_around_the_crude_shore(void)
{
    struct index_hit hit = INDEX_NO_HIT;

    for (int k = 0; k < PLACES; k++) {
        double lat = asin(2.0 * random_unit() - 1.0) / GEO_DEGREE;
        places[k].at = geo_from_degrees(720.0 * random_unit() - 360.0, lat);
        places[k].found =
            index_km(&crude.view, places[k].at, &hit) / GEO_EARTH_RADIUS_KM;
    }
    look_at_all(&crude);
    printf("worst %.6f km ", worst_km());
    CU_ASSERT(worst_km() < 0.00002);
}

/* Next to the line, where the ends of arcs matter. */
static void places_by_the_crude_shore(void)
{
    for (int k = 0; k < PLACES; k++) {
        uint32_t i = (uint32_t)random_below((int32_t)crude.shore.npoints);
        struct gshhg_point p = crude.shore.points[i];
        double off = pow(10.0, -7.0 + 7.0 * random_unit()); /* degrees */
        struct index_hit hit = INDEX_NO_HIT;
        places[k].at =
            geo_from_degrees(p.lon + off * (random_unit() - 0.5),
                             fmax(p.lat + off * (random_unit() - 0.5), -90.0));
        places[k].found =
            index_km(&crude.view, places[k].at, &hit) / GEO_EARTH_RADIUS_KM;
    }
    look_at_all(&crude);
    printf("worst %.6f km ", worst_km());
    CU_ASSERT(worst_km() < 0.00002);
}

/* The farthest place, against a fine grid of the same distances: none is
 * farther, and it is where it is whatever grid the search began with. */
static void farthest_place_is_the_farthest(void)
{
    static const int32_t steps[] = {10800, 2700, FAR_STEP_MINUTES, 60};
    struct fault fault;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct grid grid;
        struct far_place far;
        struct index_hit hit = INDEX_NO_HIT;
        grid_init(&grid, steps[i]);
        float *km = malloc(grid_cells(&grid) * sizeof *km);
        struct grid_tile tile = {grid, 0, 0, grid.nlat, grid.nlon};
        CU_ASSERT_FATAL(km != NULL);
        grid_tile_distances(&tile, &high.view, km);
        CU_ASSERT_EQUAL(far_find(&grid, km, &high.view, &far, &fault), 0);
        for (size_t j = 0; j < grid_cells(&grid); j++)
            CU_ASSERT(far.km > (double)km[j] - FAR_TOLERANCE_KM);
        free(km);
        CU_ASSERT_DOUBLE_EQUAL(far.lat, -48.98, 0.02);
        CU_ASSERT_DOUBLE_EQUAL(far.lon, -123.48, 0.02);
        CU_ASSERT_DOUBLE_EQUAL(far.km, 2704.4, 0.1);
        struct geo_vec p = geo_from_degrees(far.lon, far.lat);
        CU_ASSERT_DOUBLE_EQUAL(index_km(&high.view, p, &hit), far.km, 1e-3);
    }
}

/* ---- data -------------------------------------------------------------- */

static void measure_line(struct data *data, uint32_t first, uint32_t end)
{
    const struct geo_vec *v = data->vertex;

    for (uint32_t i = first + 1; i < end; i++) {
        data->reach = fmax(data->reach, angle(v[first], v[i]));
        data->longest = fmax(data->longest, angle(v[i - 1], v[i]));
    }
}

/* Returns 0, or 77 when it is not installed. */
static int load(struct data *data, const char *name)
{
    struct fault fault;
    char path[4096];

    if (gshhg_locate(name, path, sizeof path, &fault) != 0) {
        printf("skipped: %s\n", fault.text);
        return 77;
    }
    if (gshhg_read(path, &data->shore, &fault) != 0 ||
        index_build(&data->shore, &data->block, &data->size, &fault) != 0 ||
        index_view(data->block, data->size, &data->view, &fault) != 0) {
        printf("%s\n", fault.text);
        return 99;
    }
    const struct gshhg_shore *shore = &data->shore;
    data->vertex = malloc(shore->npoints * sizeof *data->vertex);
    if (data->vertex == NULL)
        return 99;
    for (uint32_t i = 0; i < shore->npoints; i++)
        data->vertex[i] =
            geo_from_degrees(shore->points[i].lon, shore->points[i].lat);
    for (uint32_t line = 0; line < shore->nlines; line++)
        measure_line(data, shore->first[line], shore->first[line + 1]);
    return 0;
}

static void unload(struct data *data)
{
    gshhg_free(&data->shore);
    free(data->vertex);
    free(data->block);
}

int main(void)
{
    int rc = load(&high, "h");

    if (rc == 0)
        rc = load(&crude, "c");
    if (rc != 0)
        return rc;
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("coast brute force", NULL, NULL);
    CU_ADD_TEST(s, cells_of_the_high_grid);
    CU_ADD_TEST(s, places_around_the_crude_shore);
    CU_ADD_TEST(s, places_by_the_crude_shore);
    CU_ADD_TEST(s, farthest_place_is_the_farthest);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    unload(&high);
    unload(&crude);
    return bad;
}
