/* options.h - the command line.
 *
 * Every rank reads it alike, before MPI starts, so this prints nothing but
 * the help: what is wrong goes to the caller.  Opens no file.
 */
#ifndef CHOLESKY_OPTIONS_H
#define CHOLESKY_OPTIONS_H

#include <stdint.h>

#include "fault.h"

struct options {
    const char *in;        /* NULL: generate n rows */
    const char *out;       /* NULL: no such output */
    const char *spill_dir; /* NULL: trygon's default, as with 0 bytes */
    uint64_t store_bytes;
    int64_t n;    /* 0: what the file has */
    int64_t side; /* of a tile */
};

enum options_result { OPTIONS_GOOD, OPTIONS_BAD, OPTIONS_HELP };

/* Pointers in *options are into argv.  OPTIONS_HELP: help was asked for and
 * printed; there is nothing more to do. */
enum options_result options_parse(struct options *options, int argc,
                                  char **argv, struct fault *fault);

#endif
