/* options.h - the command line.  Opens no file. */
#ifndef CHOLESKY_OPTIONS_H
#define CHOLESKY_OPTIONS_H

#include <stdint.h>

#include "common/command_line.h"

struct options {
    const char *in;        /* NULL: generate n rows */
    const char *out;       /* NULL: no such output */
    const char *spill_dir; /* NULL: trygon's default, as with 0 bytes */
    uint64_t store_bytes;
    int64_t n;    /* 0: what the file has */
    int64_t side; /* of a tile */
};

/* As command_line_parse(); pointers in *options are into argv. */
enum options_result options_parse(struct options *options, int argc,
                                  char **argv, struct fault *fault);

#endif
