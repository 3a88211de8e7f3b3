/* coast.c - how far is it to the nearest shore, everywhere?
 *
 * The main program: every rank reads the command line and starts trygon; rank
 * 0 drives the job (driver.c), the others compute tiles (tiles.c).
 *
 *   options.c             the command line
 *   driver.c, tiles.c     the job; only tiles.c submits tasks
 *   gshhg.c               reads the shoreline
 *   index_build.c, index.c, geo.h   search tree, nearest shore of a point
 *   grid.c, far.c         nodes and tiles; the farthest place
 *   netcdf.c, map.c, output.c       what is written
 *   land.c, colour.c, font.c, canvas.c   what the map is made of
 */
#include <stdio.h>
#include <stdlib.h>
#include <trygon/trygon.h>

#include "driver.h"
#include "fault.h"
#include "options.h"
#include "tiles.h"

/* Run the job, or, when the command line was wrong, say so once. */
static int run(trygon_t *tg, struct options *options, const char *mistake)
{
    int rank, size, status = 0;
    int rc = trygon_rank(tg, &rank, &size);

    if (rc == TRYGON_SUCCESS && mistake != NULL) {
        if (rank == 0)
            fprintf(stderr, "coast: %s\n", mistake);
        return -1;
    }
    if (rc == TRYGON_SUCCESS)
        rc = trygon_run(tg, driver_run, options, &status);
    if (rc != TRYGON_SUCCESS) {
        fprintf(stderr, "coast: %s\n", trygon_strerror(rc));
        return -1;
    }
    return status == 0 ? 0 : -1;
}

static int start(const trygon_registry_t *registry, trygon_t **tg)
{
    trygon_opts_t opts;
    int rc = trygon_opts_init(&opts);

    if (rc != TRYGON_SUCCESS)
        return rc;
    opts.registry = registry;
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

    int rc = trygon_registry_create(&registry);
    if (rc == TRYGON_SUCCESS)
        rc = tiles_register(registry);
    if (rc == TRYGON_SUCCESS)
        rc = start(registry, &tg);
    if (rc != TRYGON_SUCCESS) {
        fprintf(stderr, "coast: cannot start: %s\n", trygon_strerror(rc));
        return EXIT_FAILURE;
    }

    rc = run(tg, &options, parsed == OPTIONS_BAD ? fault.text : NULL);
    if (trygon_finalize(&tg) != TRYGON_SUCCESS)
        rc = -1;
    trygon_registry_destroy(&registry);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
