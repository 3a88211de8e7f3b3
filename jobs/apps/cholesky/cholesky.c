/* cholesky.c - the Cholesky factor of a matrix that may be larger than the
 * memory.
 *
 * The main program: every rank reads the command line and starts trygon; rank
 * 0 drives the job (driver.c), the others compute tiles (tile.c).
 *
 *   options.c            the command line, with ../common/command_line.c
 *   driver.c             the job
 *   factor.c, flow.c     which task when: the algorithm
 *   tile.c, kernels.c    what a task does: objects around, numbers inside
 *   tiling.h, matrix.c   tiles of a matrix, in memory and in HDF5 files
 */
#include <stdlib.h>

#include "common/run.h"
#include "driver.h"
#include "kernels.h"
#include "options.h"
#include "tile.h"

int main(int argc, char **argv)
{
    struct options options;
    struct fault fault;
    enum options_result parsed = options_parse(&options, argc, argv, &fault);
    const struct program cholesky = {
        .name = "cholesky",
        .add_tasks = tile_register,
        .driver = driver_run,
        .options = &options,
        .mistake = parsed == OPTIONS_BAD ? fault.text : NULL,
        .store_bytes = options.store_bytes,
        .spill_dir = options.spill_dir};

    if (parsed == OPTIONS_HELP)
        return EXIT_SUCCESS;
    kernel_threads(1); /* trygon fills the cores, with tasks */
    return run_program(&cholesky);
}
