/* output.h - a file that appears whole or not at all.
 *
 * The bytes go to a temporary name beside the file, which is renamed at the
 * end.  Knows nothing of what is written.
 */
#ifndef COMMON_OUTPUT_H
#define COMMON_OUTPUT_H

#include "common/fault.h"

struct output {
    const char *path; /* borrowed */
    char *temporary;  /* NULL when there is none */
};

/* Can the file be written?  To be asked before the work is done that fills
 * it.  Leaves no trace.  Without a path (NULL) there is nothing to write. */
int output_check(const char *path, struct fault *fault);

/* Create the temporary file; write to output->temporary. */
int output_begin(struct output *output, const char *path, struct fault *fault);

/* Put the file in place.  On failure it is as if output_abort() was called. */
int output_commit(struct output *output, struct fault *fault);

/* Remove the temporary file; harmless when there is none. */
void output_abort(struct output *output);

/* All of it: fill writes to the path that it is given, a temporary one.  NULL
 * for the file's: nothing is written. */
int output_write(const char *path,
                 int (*fill)(void *arg, const char *path, struct fault *fault),
                 void *arg, struct fault *fault);

#endif
