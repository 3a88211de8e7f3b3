/* colour.h - the map's two colour scales.
 *
 * Equal steps of distance are equal steps to the eye: lightness falls evenly
 * in a space made for that (Oklab), for the sea and the land alike, while the
 * hue tells which is which.
 */
#ifndef COAST_COLOUR_H
#define COAST_COLOUR_H

#include "canvas.h"

/* t from 0 (at the shore) to 1 (farthest off). */
struct rgb colour_sea(double t);
struct rgb colour_land(double t);

#endif
