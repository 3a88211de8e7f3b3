/* output.h - a file that appears whole or not at all.
 *
 * The bytes go to a temporary name beside the file, which is renamed at the
 * end.  Knows nothing of what is written.
 */
#ifndef COAST_OUTPUT_H
#define COAST_OUTPUT_H

#include "fault.h"

struct output {
    const char *path; /* borrowed; NULL: nothing is written */
    char *temporary;  /* NULL when there is none */
};

/* Can the file be written?  To be asked before the work is done that fills
 * it.  Leaves no trace. */
int output_check(const char *path, struct fault *fault);

/* Create the temporary file; write to output->temporary. */
int output_begin(struct output *output, const char *path, struct fault *fault);

/* Put the file in place.  On failure it is as if output_abort() was called. */
int output_commit(struct output *output, struct fault *fault);

/* Remove the temporary file; harmless when there is none. */
void output_abort(struct output *output);

#endif
