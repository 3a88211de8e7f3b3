/* coast.c - how far is it to the nearest shore, everywhere?
 *
 * The main program: every rank reads the command line and starts trygon; rank
 * 0 drives the job (driver.c), the others compute tiles (tiles.c).
 *
 *   options.c             the command line, with ../common/command_line.c
 *   driver.c, tiles.c     the job; only tiles.c submits tasks
 *   gshhg.c               reads the shoreline
 *   index_build.c, index.c, geo.h   search tree, nearest shore of a point
 *   grid.c, far.c         nodes and tiles; the farthest place
 *   netcdf.c, map.c, ../common/output.c   what is written
 *   land.c, colour.c, font.c, canvas.c   what the map is made of
 */
#include <stdlib.h>

#include "common/run.h"
#include "driver.h"
#include "options.h"
#include "tiles.h"

int main(int argc, char **argv)
{
    struct options options;
    struct fault fault;
    enum options_result parsed = options_parse(&options, argc, argv, &fault);
    const struct program coast = {.name = "coast",
                                  .add_tasks = tiles_register,
                                  .driver = driver_run,
                                  .options = &options,
                                  .mistake = parsed == OPTIONS_BAD ? fault.text
                                                                   : NULL};

    if (parsed == OPTIONS_HELP)
        return EXIT_SUCCESS;
    return run_program(&coast);
}
