/* options.c - see options.h. */
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tiling.h"

enum { KEY_STORE = 256, KEY_SPILL_DIR, KEY_USAGE, DEFAULT_SIDE = 256 };

static const struct argp_option table[] = {
    {"in", 'i', "FILE[:/DATASET]", 0,
     "Read the matrix: a dataset of two dimensions in an HDF5 file (default "
     "/A), of which only the lower triangle counts",
     0},
    {"n", 'n', "N", 0, "Or make one of N rows, always the same", 0},
    {"tile", 't', "ROWS", 0, "Rows of a tile (default 256)", 0},
    {"out", 'o', "OUT.h5", 0, "Write the factor, as dataset /L", 0},
    {"store", KEY_STORE, "BYTES", 0,
     "Memory of each node for tiles, such as 512M: what does not fit goes to "
     "files (default 30 % of the memory)",
     0},
    {"spill-dir", KEY_SPILL_DIR, "DIR", 0,
     "Where those files are (default $SLURM_TMPDIR, $TMPDIR or /tmp)", 0},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {"usage", KEY_USAGE, NULL, 0, "Print a short usage", -1},
    {0}};

struct parsing {
    struct options *options;
    struct fault *fault;
    unsigned help; /* what to print, as argp_help() takes it */
    bool failed;   /* and the fault says why */
};

static int parse_rows(struct parsing *parsing, const char *option,
                      const char *text, int64_t most, int64_t *rows)
{
    char *end;

    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || n < 1 || n > most)
        return fault_set(parsing->fault,
                         "--%s %s: must be a whole number from 1 to %lld",
                         option, text, (long long)most);
    *rows = n;
    return 0;
}

/* A number and perhaps one letter. */
static int parse_store(struct parsing *parsing, const char *text)
{
    static const char letters[] = "KMGT";
    char *end;

    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    const char *letter = *end != '\0' ? strchr(letters, *end) : NULL;
    int shift = letter != NULL ? 10 * (int)(letter - letters + 1) : 0;
    if (end == text || text[0] == '-' || errno != 0 || n == 0 ||
        (letter != NULL ? end[1] : *end) != '\0' || n > UINT64_MAX >> shift)
        return fault_set(parsing->fault,
                         "--store %s: must be bytes above 0, such as "
                         "536870912 or 512M (K, M, G or T)",
                         text);
    parsing->options->store_bytes = (uint64_t)n << shift;
    return 0;
}

static int parse_name(struct parsing *parsing, const char *option,
                      const char *text, const char **name)
{
    if (text[0] == '\0')
        return fault_set(parsing->fault, "--%s: a name is missing", option);
    *name = text;
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

static int take(struct parsing *p, int key, const char *arg,
                const struct argp_state *state)
{
    struct options *options = p->options;

    switch (key) {
    case 'i': return parse_name(p, "in", arg, &options->in);
    case 'n': return parse_rows(p, "n", arg, INT32_MAX, &options->n);
    case 't':
        return parse_rows(p, "tile", arg, TILING_MAX_SIDE, &options->side);
    case 'o': return parse_name(p, "out", arg, &options->out);
    case KEY_STORE: return parse_store(p, arg);
    case KEY_SPILL_DIR:
        return parse_name(p, "spill-dir", arg, &options->spill_dir);
    case 'h': p->help = ARGP_HELP_STD_HELP; return 0;
    case KEY_USAGE: p->help = ARGP_HELP_USAGE; return 0;
    case ARGP_KEY_ARG:
        return fault_set(p->fault, "%s: unexpected argument (see --help)", arg);
    case ARGP_KEY_ERROR: return parse_error(p, state);
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

static int check_together(const struct parsing *parsing)
{
    const struct options *o = parsing->options;

    if ((o->in == NULL) == (o->n == 0))
        return fault_set(parsing->fault,
                         "expected a matrix: either --in FILE or --n N");
    return 0;
}

enum options_result options_parse(struct options *options, int argc,
                                  char **argv, struct fault *fault)
{
    static const struct argp argp = {
        .options = table,
        .parser = parse_option,
        .doc = "The Cholesky factor L of a symmetric positive definite matrix "
               "A = L L^T, and how far L L^T is from A.\v"
               "Run it under mpirun.  The tiles of the matrix are objects of "
               "trygon: it may be larger than the memory, see --store."};
    char name[] = "cholesky";
    struct parsing parsing = {.options = options, .fault = fault};

    *options = (struct options){.side = DEFAULT_SIDE};
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
