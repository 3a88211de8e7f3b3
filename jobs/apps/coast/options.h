/* options.h - the command line.
 *
 * Every rank reads it alike, before MPI starts, so this prints nothing but
 * the help: what is wrong goes to the caller.  Opens no file.
 */
#ifndef COAST_OPTIONS_H
#define COAST_OPTIONS_H

#include "fault.h"
#include "grid.h"

struct options {
    const char *shoreline; /* a letter or a file */
    struct grid grid;
    double tile_degrees;
    int32_t tile_side;     /* in nodes */
    const char *grid_path; /* NULL: no such output */
    const char *map_path;
};

enum options_result { OPTIONS_GOOD, OPTIONS_BAD, OPTIONS_HELP };

/* Pointers in *options are into argv.  OPTIONS_HELP: help was asked for and
 * printed; there is nothing more to do. */
enum options_result options_parse(struct options *options, int argc,
                                  char **argv, struct fault *fault);

#endif
