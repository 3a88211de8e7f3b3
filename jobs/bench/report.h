/* report.h - what is printed, and the same as JSON.  Rank 0 only. */
#ifndef MICRO_REPORT_H
#define MICRO_REPORT_H

#include <stdio.h>

#include "bench.h"

struct report {
    const struct bench *bench;
    bool quick;
    FILE *json; /* NULL: none */
    double load_start;
    size_t nrows; /* written to json */
};

/* The first line. */
void report_begin(struct report *report);

/* A row's line, and an indented one if it has further numbers. */
void report_row(struct report *report, const struct row *row,
                const struct result *result);
void report_skipped(struct report *report, const struct row *row,
                    const char *why);

/* The last line.  Closes the JSON file; -1 if it could not all be written. */
int report_end(struct report *report);

#endif
