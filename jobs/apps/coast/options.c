/* options.c - see options.h. */
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A tile costs a message or two, so that many more would be all overhead. */
enum { MAX_TILES = 1000000 };

enum { KEY_PNG = 256, KEY_USAGE };

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
    {"help", 'h', NULL, 0, "Print this help", -1},
    {"usage", KEY_USAGE, NULL, 0, "Print a short usage", -1},
    {0}};

struct parsing {
    struct options *options;
    struct fault *fault;
    int32_t step_minutes;
    unsigned help; /* what to print, as argp_help() takes it */
    bool failed;   /* and the fault says why */
};

static int parse_step(struct parsing *parsing, const char *text)
{
    char *end;

    errno = 0;
    long minutes = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || minutes < 1 ||
        minutes > GRID_HALF_TURN_MINUTES ||
        GRID_HALF_TURN_MINUTES % minutes != 0)
        return fault_set(parsing->fault,
                         "--step %s: must be whole minutes that divide 180 "
                         "degrees (10800 minutes), such as 60, 30, 20, 15, "
                         "10, 5 or 1",
                         text);
    parsing->step_minutes = (int32_t)minutes;
    return 0;
}

static int parse_tile(struct parsing *parsing, const char *text)
{
    char *end;

    errno = 0;
    double degrees = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(degrees) ||
        degrees <= 0.0 || degrees > 180.0)
        return fault_set(parsing->fault,
                         "--tile %s: must be degrees above 0, up to 180", text);
    parsing->options->tile_degrees = degrees;
    return 0;
}

/* argp reports what it does not understand by this key; next is already past
 * the culprit. */
static int parse_error(const struct parsing *parsing,
                       const struct argp_state *state)
{
    const char *culprit =
        state->next > 1 ? state->argv[state->next - 1] : state->argv[0];

    return fault_set(parsing->fault,
                     "%s: unknown option, or its value is missing (see "
                     "--help)",
                     culprit);
}

static int take(struct parsing *parsing, int key, const char *arg,
                const struct argp_state *state)
{
    struct options *options = parsing->options;

    switch (key) {
    case 's': options->shoreline = arg; return 0;
    case 't': return parse_step(parsing, arg);
    case 'd': return parse_tile(parsing, arg);
    case 'o': options->grid_path = arg; return 0;
    case KEY_PNG: options->map_path = arg; return 0;
    case 'h': parsing->help = ARGP_HELP_STD_HELP; return 0;
    case KEY_USAGE: parsing->help = ARGP_HELP_USAGE; return 0;
    case ARGP_KEY_ARG:
        return fault_set(parsing->fault, "%s: unexpected argument (see --help)",
                         arg);
    case ARGP_KEY_ERROR: return parse_error(parsing, state);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct parsing *parsing = state->input;

    if (parsing->failed) /* the first mistake is the one to tell */
        return 0;
    int rc = take(parsing, key, arg, state);
    if (rc == ARGP_ERR_UNKNOWN)
        return rc;
    parsing->failed = rc != 0;
    return rc == 0 ? 0 : EINVAL;
}

/* What the options say together. */
static int check_together(struct parsing *parsing)
{
    struct options *o = parsing->options;

    grid_init(&o->grid, parsing->step_minutes);
    o->tile_side = grid_tile_side(&o->grid, o->tile_degrees);
    if (grid_tile_count(&o->grid, o->tile_side) > MAX_TILES)
        return fault_set(parsing->fault,
                         "--tile %g: makes %zu tiles of the grid, at most %d "
                         "are allowed",
                         o->tile_degrees,
                         grid_tile_count(&o->grid, o->tile_side), MAX_TILES);
    if (o->grid_path != NULL && o->map_path != NULL &&
        strcmp(o->grid_path, o->map_path) == 0)
        return fault_set(parsing->fault,
                         "%s: cannot be both the grid and the map",
                         o->map_path);
    return 0;
}

enum options_result options_parse(struct options *options, int argc,
                                  char **argv, struct fault *fault)
{
    static const struct argp argp = {
        .options = table,
        .parser = parse_option,
        .doc = "Distance from every node of a global grid to the nearest "
               "ocean shore, and the place farthest from any.\v"
               "Run it under mpirun.  Nodes lie on whole steps from -180 and "
               "-90 degrees; both poles are nodes.  Antarctica's shore is its "
               "ice front; lakes have none.  TRYGON_GSHHG_DIR is where the "
               "installed shorelines are looked for."};
    char name[] = "coast";
    struct parsing parsing = {
        .options = options, .fault = fault, .step_minutes = 60};

    *options = (struct options){.shoreline = "l", .tile_degrees = 10.0};
    error_t rc = argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP,
                            NULL, &parsing);
    if (!parsing.failed && parsing.help != 0) {
        argp_help(&argp, stdout,
                  parsing.help &
                      ~(unsigned)(ARGP_HELP_EXIT_ERR | ARGP_HELP_EXIT_OK),
                  name);
        return OPTIONS_HELP;
    }
    if (rc != 0 && !parsing.failed)
        fault_set(fault, "the command line: %s", strerror(rc));
    if (rc != 0 || parsing.failed || check_together(&parsing) != 0)
        return OPTIONS_BAD;
    return OPTIONS_GOOD;
}
