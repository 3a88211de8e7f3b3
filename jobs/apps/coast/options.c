/* options.c - see options.h. */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A tile costs a message or two, so that many more would be all overhead. */
enum { MAX_TILES = 1000000 };

enum { KEY_PNG = 256 };

static const struct argp_option table[] = {
    {"shoreline", 's', "c|l|i|h|f|FILE", 0,
     "GSHHG shoreline: crude, low, intermediate, high or full resolution as "
     "installed, or a file (default l)",
     0},
    {"step", 't', "MINUTES", 0,
     "Step of the grid, which must divide 180 degrees: whole minutes such as "
     "60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1 (default 60)",
     0},
    {"tile", 'd', "DEGREES", 0,
     "Side of a tile, the piece of work of one task, up to 180 (default 10)",
     0},
    {"output", 'o', "OUT.h5", 0, "Write the grid, as netCDF-4 (HDF5)", 0},
    {"png", KEY_PNG, "OUT.png", 0, "Draw a map", 0},
    {"map", 0, NULL, OPTION_ALIAS, NULL, 0},
    COMMAND_LINE_HELP,
    {0}};

static int parse_step(struct grid *grid, const char *text, struct fault *fault)
{
    char *end;

    errno = 0;
    long minutes = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || minutes < 1 ||
        minutes > GRID_HALF_TURN_MINUTES ||
        GRID_HALF_TURN_MINUTES % minutes != 0)
        return fault_set(fault,
                         "--step %s: must be whole minutes that divide 180 "
                         "degrees (10800 minutes), such as 60, 30, 20, 15, "
                         "10, 5 or 1",
                         text);
    grid->step_minutes = (int32_t)minutes;
    return 0;
}

static int parse_tile(double *tile_degrees, const char *text,
                      struct fault *fault)
{
    char *end;

    errno = 0;
    double degrees = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(degrees) ||
        degrees <= 0.0 || degrees > 180.0)
        return fault_set(fault, "--tile %s: must be degrees above 0, up to 180",
                         text);
    *tile_degrees = degrees;
    return 0;
}

static int take(void *into, int key, const char *arg, struct fault *fault)
{
    struct options *options = into;

    switch (key) {
    case 's': options->shoreline = arg; return 0;
    case 't': return parse_step(&options->grid, arg, fault);
    case 'd': return parse_tile(&options->tile_degrees, arg, fault);
    case 'o': options->grid_path = arg; return 0;
    case KEY_PNG: options->map_path = arg; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* What the options say together. */
static int check_together(void *options, struct fault *fault)
{
    struct options *o = options;

    grid_init(&o->grid, o->grid.step_minutes);
    o->tile_side = grid_tile_side(&o->grid, o->tile_degrees);
    if (grid_tile_count(&o->grid, o->tile_side) > MAX_TILES)
        return fault_set(fault,
                         "--tile %g: makes %zu tiles of the grid, at most %d "
                         "are allowed",
                         o->tile_degrees,
                         grid_tile_count(&o->grid, o->tile_side), MAX_TILES);
    if (o->grid_path != NULL && o->map_path != NULL &&
        strcmp(o->grid_path, o->map_path) == 0)
        return fault_set(fault, "%s: cannot be both the grid and the map",
                         o->map_path);
    return 0;
}

enum options_result options_parse(struct options *options, int argc,
                                  char **argv, struct fault *fault)
{
    static const struct command_line line = {
        .program = "coast",
        .doc = "Distance from every node of a global grid to the nearest "
               "ocean shore, and the place farthest from any.\v"
               "Run it under mpirun.  Nodes lie on whole steps from -180 and "
               "-90 degrees; both poles are nodes.  Antarctica's shore is its "
               "ice front; lakes have none.  TRYGON_GSHHG_DIR is where the "
               "installed shorelines are looked for.",
        .table = table,
        .take = take,
        .check = check_together};

    *options = (struct options){
        .shoreline = "l", .grid.step_minutes = 60, .tile_degrees = 10.0};
    return command_line_parse(&line, options, argc, argv, fault);
}
