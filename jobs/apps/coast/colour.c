/* colour.c - see colour.h.
 *
 * Oklab is Bjoern Ottosson's; its matrices are facts, the scales are ours.
 */
#include "colour.h"

#include <math.h>

#include "geo.h"

/* Lightness, chroma and hue in degrees, at both ends and in the middle. */
struct scale {
    double light[2], chroma[3], hue[3];
};

static const struct scale sea = {
    {0.955, 0.27}, {0.025, 0.105, 0.085}, {195.0, 235.0, 275.0}};
static const struct scale land = {
    {0.955, 0.27}, {0.045, 0.125, 0.075}, {98.0, 66.0, 28.0}};

static uint8_t to_srgb(double linear)
{
    double x = linear < 0.0 ? 0.0 : linear > 1.0 ? 1.0 : linear;

    x = x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1.0 / 2.4) - 0.055;
    return (uint8_t)lrint(255.0 * x);
}

static struct rgb from_oklch(double light, double chroma, double hue)
{
    double a = chroma * cos(hue * GEO_DEGREE);
    double b = chroma * sin(hue * GEO_DEGREE);
    double l = pow(light + 0.3963377774 * a + 0.2158037573 * b, 3.0);
    double m = pow(light - 0.1055613458 * a - 0.0638541728 * b, 3.0);
    double s = pow(light - 0.0894841775 * a - 1.2914855480 * b, 3.0);

    return (struct rgb){
        to_srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
        to_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
        to_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

/* The parabola through three values at t = 0, 1/2 and 1. */
static double through(const double v[3], double t)
{
    return v[0] + t * (4.0 * v[1] - 3.0 * v[0] - v[2] +
                       t * (2.0 * v[0] - 4.0 * v[1] + 2.0 * v[2]));
}

static struct rgb scale_at(const struct scale *scale, double t)
{
    double u = t < 0.0 ? 0.0 : t > 1.0 ? 1.0 : t;

    return from_oklch(scale->light[0] + u * (scale->light[1] - scale->light[0]),
                      through(scale->chroma, u), through(scale->hue, u));
}

struct rgb colour_sea(double t)
{
    return scale_at(&sea, t);
}

struct rgb colour_land(double t)
{
    return scale_at(&land, t);
}
