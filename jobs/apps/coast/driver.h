/* driver.h - the job from the shoreline file to the outputs, on rank 0. */
#ifndef COAST_DRIVER_H
#define COAST_DRIVER_H

#include <trygon/trygon.h>

/* A trygon_driver_fn; arg is a struct options.  Prints the results on standard
 * output, or one line on standard error and returns 1. */
int driver_run(trygon_t *tg, void *arg);

#endif
