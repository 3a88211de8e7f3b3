/* geo.h - points and great-circle arcs on the unit sphere.
 *
 * Points are unit vectors.  Distances are compared as squared chords (the
 * square of the straight line through the sphere): they grow with the
 * great-circle distance, need no trigonometry, and obey the triangle
 * inequality once the root is taken.  Knows no file, grid or index.
 *
 * The functions are here, in the header, because the search spends its whole
 * time in them.
 */
#ifndef COAST_GEO_H
#define COAST_GEO_H

#include <math.h>

#define GEO_EARTH_RADIUS_KM 6371.0087714
#define GEO_PI 3.14159265358979323846
#define GEO_DEGREE (GEO_PI / 180.0) /* in radians */

/* No two points are farther apart than this. */
#define GEO_MAX_CHORD2 4.0

struct geo_vec {
    double x, y, z;
};

static inline struct geo_vec geo_sub(struct geo_vec a, struct geo_vec b)
{
    return (struct geo_vec){a.x - b.x, a.y - b.y, a.z - b.z};
}

static inline struct geo_vec geo_add(struct geo_vec a, struct geo_vec b)
{
    return (struct geo_vec){a.x + b.x, a.y + b.y, a.z + b.z};
}

static inline double geo_dot(struct geo_vec a, struct geo_vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline struct geo_vec geo_cross(struct geo_vec a, struct geo_vec b)
{
    return (struct geo_vec){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z,
                            a.x * b.y - a.y * b.x};
}

/* The unit vector of a place; any longitude will do. */
static inline struct geo_vec geo_from_degrees(double lon, double lat)
{
    double lambda = lon * GEO_DEGREE, phi = lat * GEO_DEGREE;
    double c = cos(phi);

    return (struct geo_vec){c * cos(lambda), c * sin(lambda), sin(phi)};
}

static inline double geo_chord2(struct geo_vec a, struct geo_vec b)
{
    struct geo_vec d = geo_sub(a, b);

    return geo_dot(d, d);
}

static inline double geo_chord2_to_km(double chord2)
{
    double half = 0.5 * sqrt(chord2);

    return 2.0 * GEO_EARTH_RADIUS_KM * asin(half < 1.0 ? half : 1.0);
}

/* Squared chord from p to the nearest point of the arc from a to b (the
 * shorter way round), given pa2 and pb2, those from p to its ends.  Lengths
 * may be off by a few 1e-10, as those of rounded vectors are.
 *
 * The foot of p on the great circle lies between a and b when the angles at
 * both ends are acute.  For unit vectors, with ab2 the squared chord of the
 * arc, that is
 *     pa2 - pb2 + ab2 - ab2 * pa2 / 2 > 0   and likewise with a, b swapped,
 * which costs next to nothing and settles most arcs; the rest is decided by
 * the normal n, for which the lengths do not matter.  (a - b) x (a + b) is
 * 2 a x b without its cancellation.  Where there is no arc to speak of (ends
 * within 6 mm, or opposite each other) the ends are all there is. */
static inline double geo_arc_chord2(struct geo_vec p, struct geo_vec a,
                                    struct geo_vec b, double pa2, double pb2)
{
    const double slack = 2e-9, shortest2 = 1e-18;
    double ends = pa2 < pb2 ? pa2 : pb2;
    double ab2 = geo_chord2(a, b);

    if (ab2 < shortest2 ||
        !(pa2 - pb2 + ab2 - 0.5 * ab2 * pa2 + slack * pa2 > 0.0) ||
        !(pb2 - pa2 + ab2 - 0.5 * ab2 * pb2 + slack * pb2 > 0.0))
        return ends;

    struct geo_vec n = geo_cross(geo_sub(a, b), geo_add(a, b));
    if (!(geo_dot(geo_cross(n, a), p) > 0.0) ||
        !(geo_dot(geo_cross(b, n), p) > 0.0))
        return ends;

    double pn = geo_dot(p, n), sin2 = pn * pn / geo_dot(n, n);
    if (sin2 > 1.0)
        sin2 = 1.0;
    double foot = 2.0 * sin2 / (1.0 + sqrt(1.0 - sin2));
    return foot < ends ? foot : ends;
}

#endif
