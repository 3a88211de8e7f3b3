/* progress.h - how far a long job is, on standard error.
 *
 * On a terminal one line that is rewritten a few times a second; elsewhere a
 * plain line at the start and at every tenth, fit for a log.  Knows nothing of
 * the job.
 */
#ifndef COAST_PROGRESS_H
#define COAST_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
    size_t tiles, tiles_done;
    size_t cells_done, cells;
    double start_s, shown_s; /* by clock_s() */
    size_t tenths;           /* printed so far, when no terminal */
    bool terminal;
};

void progress_start(struct progress *p, size_t tiles, size_t cells);

/* One more tile is done, of so many cells. */
void progress_step(struct progress *p, size_t cells);

/* Leave standard error at the start of a line; also after a failure. */
void progress_end(struct progress *p);

#endif
