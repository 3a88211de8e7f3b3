/* run.h - a program under trygon, from the start to the exit status. */
#ifndef COMMON_RUN_H
#define COMMON_RUN_H

#include <trygon/trygon.h>

#include "common/fault.h"

struct program {
    const char *name; /* stands before what it says on standard error */
    int (*add_tasks)(trygon_registry_t *registry);
    trygon_driver_fn driver;
    void *options;       /* of the command line, for the driver */
    const char *mistake; /* in the command line; NULL: none */
    /* As in trygon_opts_t; after a mistake they do not count. */
    uint64_t store_bytes;
    const char *spill_dir;
};

/* Starts trygon, runs the driver or, after a mistake, says on rank 0 what it
 * was, and ends trygon.  Every rank does.  Returns what main is to return. */
int run_program(const struct program *program);

/* For a trygon call that has failed with rc: returns -1. */
int run_fault(struct fault *fault, const char *what, int rc);

#endif
