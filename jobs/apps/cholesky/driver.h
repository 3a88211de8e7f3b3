/* driver.h - the job, on rank 0: matrix, factor, residual, file. */
#ifndef CHOLESKY_DRIVER_H
#define CHOLESKY_DRIVER_H

#include <trygon/trygon.h>

/* A trygon_driver_fn; arg is a struct options.  Prints the results, or one line
 * that says what was wrong. */
int driver_run(trygon_t *tg, void *arg);

#endif
