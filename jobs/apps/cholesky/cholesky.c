/* cholesky.c - the Cholesky factor of a matrix that may be larger than the
 * memory.
 *
 * The main program: every rank reads the command line and starts trygon; rank
 * 0 drives the job (driver.c), the others compute tiles (tile.c).
 *
 *   options.c            the command line
 *   driver.c             the job
 *   factor.c, flow.c     which task when: the algorithm
 *   tile.c, kernels.c    what a task does: objects around, numbers inside
 *   tiling.h, matrix.c   tiles of a matrix, in memory and in HDF5 files
 */
#include <stdio.h>
#include <stdlib.h>
#include <trygon/trygon.h>

#include "driver.h"
#include "fault.h"
#include "kernels.h"
#include "options.h"
#include "tile.h"

/* Run the job, or, when the command line was wrong, say so once. */
static int run(trygon_t *tg, struct options *options, const char *mistake)
{
    int rank, size, status = 0;
    int rc = trygon_rank(tg, &rank, &size);

    if (rc == TRYGON_SUCCESS && mistake != NULL) {
        if (rank == 0)
            fprintf(stderr, "cholesky: %s\n", mistake);
        return -1;
    }
    if (rc == TRYGON_SUCCESS)
        rc = trygon_run(tg, driver_run, options, &status);
    if (rc != TRYGON_SUCCESS) {
        fprintf(stderr, "cholesky: %s\n", trygon_strerror(rc));
        return -1;
    }
    return status == 0 ? 0 : -1;
}

static int start(const trygon_registry_t *registry,
                 const struct options *options, bool good, trygon_t **tg)
{
    trygon_opts_t opts;
    int rc = trygon_opts_init(&opts);

    if (rc != TRYGON_SUCCESS)
        return rc;
    opts.registry = registry;
    if (good) {
        opts.store_bytes = options->store_bytes;
        opts.spill_dir = options->spill_dir;
    }
    return trygon_init(MPI_COMM_NULL, &opts, tg);
}

int main(int argc, char **argv)
{
    struct options options;
    struct fault fault;
    enum options_result parsed = options_parse(&options, argc, argv, &fault);
    trygon_registry_t *registry = NULL;
    trygon_t *tg = NULL;

    if (parsed == OPTIONS_HELP)
        return EXIT_SUCCESS;

    kernel_threads(1); /* trygon fills the cores, with tasks */
    int rc = trygon_registry_create(&registry);
    if (rc == TRYGON_SUCCESS)
        rc = tile_register(registry);
    if (rc == TRYGON_SUCCESS)
        rc = start(registry, &options, parsed == OPTIONS_GOOD, &tg);
    if (rc != TRYGON_SUCCESS) {
        fprintf(stderr, "cholesky: cannot start: %s\n", trygon_strerror(rc));
        return EXIT_FAILURE;
    }

    rc = run(tg, &options, parsed == OPTIONS_BAD ? fault.text : NULL);
    if (trygon_finalize(&tg) != TRYGON_SUCCESS)
        rc = -1;
    trygon_registry_destroy(&registry);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
