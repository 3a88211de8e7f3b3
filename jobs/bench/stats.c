/* stats.c - see stats.h. */
#include "stats.h"

#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double stats_median(const double *values, size_t n)
{
    double sorted[STATS_MAX];

    memcpy(sorted, values, n * sizeof *values);
    qsort(sorted, n, sizeof *sorted, by_value);
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
}

double stats_min(const double *values, size_t n)
{
    double least = values[0];

    for (size_t i = 1; i < n; i++)
        least = values[i] < least ? values[i] : least;
    return least;
}

double stats_max(const double *values, size_t n)
{
    double most = values[0];

    for (size_t i = 1; i < n; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}
