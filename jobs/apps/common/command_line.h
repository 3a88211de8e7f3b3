/* command_line.h - a command line of options, read by argp.
 *
 * Every rank reads it alike, before MPI starts, so this prints nothing but
 * the help: what is wrong goes to the caller, the first mistake only.
 */
#ifndef COMMON_COMMAND_LINE_H
#define COMMON_COMMAND_LINE_H

#include <argp.h>

#include "common/fault.h"

enum options_result { OPTIONS_GOOD, OPTIONS_BAD, OPTIONS_HELP };

/* Two lines for each table, whose own keys are below this one. */
enum { COMMAND_LINE_USAGE = 1024 };
#define COMMAND_LINE_HELP                                               \
    {"help", 'h', NULL, 0, "Print this help", -1},                      \
    {                                                                   \
        "usage", COMMAND_LINE_USAGE, NULL, 0, "Print a short usage", -1 \
    }

/* What a program says of its own.  take() gets one option and check() looks at
 * them all in the end; both return 0, or -1 with the fault.  take() returns
 * ARGP_ERR_UNKNOWN for any key that is not in its table. */
struct command_line {
    const char *program;
    const char *doc; /* for the help, as argp takes it */
    const struct argp_option *table;
    int (*take)(void *options, int key, const char *arg, struct fault *fault);
    int (*check)(void *options, struct fault *fault);
};

/* Fills in *options, which holds the defaults.  OPTIONS_HELP: help was asked
 * for and printed; there is nothing more to do. */
enum options_result command_line_parse(const struct command_line *line,
                                       void *options, int argc, char **argv,
                                       struct fault *fault);

#endif
