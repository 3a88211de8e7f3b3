/* stats.h - what several windows say together. */
#ifndef MICRO_STATS_H
#define MICRO_STATS_H

#include <stddef.h>

/* The middle one of n values, or the mean of the two in the middle; n > 0 and
 * at most STATS_MAX.  The values stay as they are. */
enum { STATS_MAX = 64 };
double stats_median(const double *values, size_t n);
double stats_min(const double *values, size_t n);
double stats_max(const double *values, size_t n);

#endif
