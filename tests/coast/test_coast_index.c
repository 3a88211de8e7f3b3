/* test_coast_index.c - arcs, and blocks that are not what they should be. */
#include "index.h"
#include "index_block.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 40, POINTS_EACH = 31 };

static struct gshhg_shore shore;
static void *block;
static size_t size;

static double random_unit(void)
{
    static uint64_t state = 7;

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

/* Wandering lines all over the globe; some of a single point. */
static int make_shore(void)
{
    struct fault fault;

    shore.first = calloc(LINES + 1, sizeof *shore.first);
    shore.points = calloc(LINES * POINTS_EACH, sizeof *shore.points);
    if (shore.first == NULL || shore.points == NULL)
        return -1;
    for (shore.nlines = 0; shore.nlines < LINES; shore.nlines++) {
        double lon = 360.0 * random_unit(), lat = 160.0 * random_unit() - 80.0;
        int n = shore.nlines % 8 == 3 ? 1 : 2 + (int)(29.0 * random_unit());
        for (int i = 0; i < n; i++) {
            shore.points[shore.npoints++] = (struct gshhg_point){lon, lat};
            lon += random_unit();
            lat += random_unit() - 0.5;
        }
        shore.first[shore.nlines + 1] = shore.npoints;
    }
    return index_build(&shore, &block, &size, &fault);
}

/* ---- arcs -------------------------------------------------------------- */

/* The nearest of many points of the arc; an upper bound that comes close. */
static double sampled_chord2(struct geo_vec p, struct geo_vec a,
                             struct geo_vec b)
{
    enum { STEPS = 20000 };
    double best = GEO_MAX_CHORD2;

    for (int i = 0; i <= STEPS; i++) {
        double t = (double)i / STEPS;
        struct geo_vec q = {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y),
                            a.z + t * (b.z - a.z)};
        double length = sqrt(geo_dot(q, q));
        q = (struct geo_vec){q.x / length, q.y / length, q.z / length};
        best = fmin(best, geo_chord2(p, q));
    }
    return best;
}

static double arc_chord2(struct geo_vec p, struct geo_vec a, struct geo_vec b)
{
    return geo_arc_chord2(p, a, b, geo_chord2(p, a), geo_chord2(p, b));
}

static struct geo_vec random_place(void)
{
    return geo_from_degrees(360.0 * random_unit(),
                            asin(2.0 * random_unit() - 1.0) / GEO_DEGREE);
}

static void arcs_of_all_lengths(void)
{
    for (int i = 0; i < 200; i++) {
        struct geo_vec p = random_place(), a = random_place();
        struct geo_vec b = random_place();
        if (geo_chord2(a, b) > 3.99) /* samples get sparse */
            continue;
        double truth = sampled_chord2(p, a, b);
        double found = arc_chord2(p, a, b);
        CU_ASSERT(found <= truth + 1e-12);
        CU_ASSERT(sqrt(found) > sqrt(truth) - 2e-4);
        CU_ASSERT_DOUBLE_EQUAL(found, arc_chord2(p, b, a), 1e-12);
    }
}

/* As the block keeps it: its length is a little off. */
static struct geo_vec rounded(struct geo_vec p)
{
    return (struct geo_vec){rint(p.x * INDEX_SCALE) / INDEX_SCALE,
                            rint(p.y * INDEX_SCALE) / INDEX_SCALE,
                            rint(p.z * INDEX_SCALE) / INDEX_SCALE};
}

/* A metre, a millimetre, nothing: no place is nearer to the arc than to one
 * of its ends by more than the arc is long. */
static void tiny_arcs(void)
{
    for (double degrees = 1e-4; degrees > 1e-18; degrees /= 5.0) {
        for (int i = 0; i < 400; i++) {
            double lon = 360.0 * random_unit();
            double lat = 180.0 * random_unit() - 90.0;
            struct geo_vec a = geo_from_degrees(lon, lat), p = random_place();
            struct geo_vec b = geo_from_degrees(
                lon + degrees, fmin(lat + degrees * random_unit(), 90.0));
            if (i % 2 != 0) {
                a = rounded(a);
                b = rounded(b);
            }
            double ends = fmin(geo_chord2(p, a), geo_chord2(p, b));
            double found = arc_chord2(p, a, b);
            double length = sqrt(geo_chord2(a, b));
            CU_ASSERT(found <= ends);
            CU_ASSERT(sqrt(found) >= sqrt(ends) - length - 1e-15);
        }
    }
}

/* Known answers: beside the middle, beyond an end, on it, far side. */
static void arcs_on_the_equator(void)
{
    struct geo_vec a = geo_from_degrees(10.0, 0.0);
    struct geo_vec b = geo_from_degrees(30.0, 0.0);
    const double degree_km = GEO_EARTH_RADIUS_KM * GEO_DEGREE;
    static const struct {
        double lon, lat, degrees;
    } cases[] = {{20.0, 5.0, 5.0},    {20.0, -89.0, 89.0}, {35.0, 0.0, 5.0},
                 {10.0, 90.0, 90.0},  {15.0, 0.0, 0.0},    {10.0, 0.0, 0.0},
                 {200.0, 0.0, 170.0}, {-140.0, 0.0, 150.0}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct geo_vec p = geo_from_degrees(cases[i].lon, cases[i].lat);
        CU_ASSERT_DOUBLE_EQUAL(geo_chord2_to_km(arc_chord2(p, a, b)),
                               cases[i].degrees * degree_km, 1e-4);
    }
}

/* No arc is defined between them; still a number, and one of the ends'. */
static void ends_of_a_diameter(void)
{
    for (int i = 0; i < 100; i++) {
        struct geo_vec p = random_place(), a = random_place();
        struct geo_vec b = {-a.x, -a.y, -a.z};
        double found = arc_chord2(p, a, b);
        CU_ASSERT(found >= 0.0);
        CU_ASSERT(found <= fmin(geo_chord2(p, a), geo_chord2(p, b)));
    }
    CU_ASSERT_DOUBLE_EQUAL(geo_chord2_to_km(GEO_MAX_CHORD2 + 1e-9),
                           GEO_PI * GEO_EARTH_RADIUS_KM, 1e-6);
}

/* ---- searches ---------------------------------------------------------- */

/* The hint changes how long it takes, not what is found. */
static void hints_do_not_matter(void)
{
    struct index_view view;
    struct fault fault;

    CU_ASSERT_EQUAL_FATAL(index_view(block, size, &view, &fault), 0);
    for (int i = 0; i < 1000; i++) {
        struct geo_vec p = random_place();
        struct index_hit none = INDEX_NO_HIT;
        struct index_hit any = {1e-9,
                                (uint32_t)(random_unit() * 2.0 * view.nruns)};
        index_nearest(&view, p, &none);
        index_nearest(&view, p, &any);
        CU_ASSERT_EQUAL(none.chord2, any.chord2);
    }
}

/* ---- blocks ------------------------------------------------------------ */

static int view_of(const void *bytes, size_t n)
{
    struct index_view view;
    struct fault fault;

    return index_view(bytes, n, &view, &fault);
}

static void wrong_sizes_are_refused(void)
{
    CU_ASSERT_EQUAL(view_of(block, size), 0);
    for (size_t n = 0; n < size; n += n < 300 ? 1 : 997)
        CU_ASSERT_EQUAL(view_of(block, n), -1);
    CU_ASSERT_EQUAL(view_of(block, size - 1), -1);
    CU_ASSERT_EQUAL(view_of(block, size + 1), -1);
    CU_ASSERT_EQUAL(view_of(NULL, size), -1);
    CU_ASSERT_EQUAL(view_of((const char *)block + 2, size - 2), -1);
}

/* Every byte of the header that means something. */
static void wrong_headers_are_refused(void)
{
    size_t meaning = offsetof(struct index_header, reserved);
    char *copy = malloc(size);

    CU_ASSERT_FATAL(copy != NULL);
    memcpy(copy, block, size);
    for (size_t i = 0; i < meaning; i++) {
        for (int bit = 0; bit < 8; bit++) {
            copy[i] = (char)(copy[i] ^ (1 << bit));
            CU_ASSERT_EQUAL(view_of(copy, size), -1);
            copy[i] = (char)(copy[i] ^ (1 << bit));
        }
    }
    CU_ASSERT_EQUAL(view_of(copy, size), 0);
    free(copy);
}

/* Behind a good header anything may be wrong.  Under the address sanitizer
 * this also shows that nothing outside is read. */
static void corrupt_blocks_are_harmless(void)
{
    char *copy = malloc(size);

    CU_ASSERT_FATAL(copy != NULL);
    for (int round = 0; round < 200; round++) {
        struct index_view view;
        struct index_hit hit = INDEX_NO_HIT;
        struct fault fault;
        memcpy(copy, block, size);
        for (int i = 0; i < 1 << round % 12; i++) {
            size_t at = sizeof(struct index_header);
            at += (size_t)(random_unit() * (double)(size - at));
            copy[at] = (char)(256.0 * random_unit() - 128.0);
        }
        CU_ASSERT_EQUAL_FATAL(index_view(copy, size, &view, &fault), 0);
        for (int i = 0; i < 50; i++) {
            double km = index_km(&view, random_place(), &hit);
            CU_ASSERT(km >= 0.0 && km <= 20016.0);
        }
    }
    free(copy);
}

int main(void)
{
    if (make_shore() != 0 || CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("coast index", NULL, NULL);
    CU_ADD_TEST(s, arcs_of_all_lengths);
    CU_ADD_TEST(s, tiny_arcs);
    CU_ADD_TEST(s, arcs_on_the_equator);
    CU_ADD_TEST(s, ends_of_a_diameter);
    CU_ADD_TEST(s, hints_do_not_matter);
    CU_ADD_TEST(s, wrong_sizes_are_refused);
    CU_ADD_TEST(s, wrong_headers_are_refused);
    CU_ADD_TEST(s, corrupt_blocks_are_harmless);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    free(block);
    gshhg_free(&shore);
    return bad;
}
