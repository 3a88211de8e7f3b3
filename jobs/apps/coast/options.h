/* options.h - the command line.  Opens no file. */
#ifndef COAST_OPTIONS_H
#define COAST_OPTIONS_H

#include "common/command_line.h"
#include "grid.h"

struct options {
    const char *shoreline; /* a letter or a file */
    struct grid grid;
    double tile_degrees;
    int32_t tile_side;     /* in nodes */
    const char *grid_path; /* NULL: no such output */
    const char *map_path;
};

/* As command_line_parse(); pointers in *options are into argv. */
enum options_result options_parse(struct options *options, int argc,
                                  char **argv, struct fault *fault);

#endif
