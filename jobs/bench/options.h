/* options.h - the command line.  Every rank reads it alike, before MPI starts,
 * so this prints nothing: what is wrong goes to the caller. */
#ifndef MICRO_OPTIONS_H
#define MICRO_OPTIONS_H

#include "bench.h"

struct options {
    bool selected[ROWS];
    const char *json; /* NULL: no such file */
    bool quick;
    bool help;         /* was asked for */
    char mistake[256]; /* "" when all is well */
};

void options_parse(struct options *options, int argc, char **argv);
void options_help(void);

#endif
