/* options.c - see options.h. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tiling.h"

enum { KEY_STORE = 256, KEY_SPILL_DIR, DEFAULT_SIDE = 256 };

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
    COMMAND_LINE_HELP,
    {0}};

static int parse_rows(int64_t *rows, const char *option, const char *text,
                      int64_t most, struct fault *fault)
{
    char *end;

    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || n < 1 || n > most)
        return fault_set(fault,
                         "--%s %s: must be a whole number from 1 to %lld",
                         option, text, (long long)most);
    *rows = n;
    return 0;
}

/* A number and perhaps one letter. */
static int parse_store(uint64_t *bytes, const char *text, struct fault *fault)
{
    static const char letters[] = "KMGT";
    char *end;

    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    const char *letter = *end != '\0' ? strchr(letters, *end) : NULL;
    int shift = letter != NULL ? 10 * (int)(letter - letters + 1) : 0;
    if (end == text || text[0] == '-' || errno != 0 || n == 0 ||
        (letter != NULL ? end[1] : *end) != '\0' || n > UINT64_MAX >> shift)
        return fault_set(fault,
                         "--store %s: must be bytes above 0, such as "
                         "536870912 or 512M (K, M, G or T)",
                         text);
    *bytes = (uint64_t)n << shift;
    return 0;
}

static int parse_name(const char **name, const char *option, const char *text,
                      struct fault *fault)
{
    if (text[0] == '\0')
        return fault_set(fault, "--%s: a name is missing", option);
    *name = text;
    return 0;
}

static int take(void *into, int key, const char *arg, struct fault *fault)
{
    struct options *o = into;

    switch (key) {
    case 'i': return parse_name(&o->in, "in", arg, fault);
    case 'n': return parse_rows(&o->n, "n", arg, INT32_MAX, fault);
    case 't': return parse_rows(&o->side, "tile", arg, TILING_MAX_SIDE, fault);
    case 'o': return parse_name(&o->out, "out", arg, fault);
    case KEY_STORE: return parse_store(&o->store_bytes, arg, fault);
    case KEY_SPILL_DIR:
        return parse_name(&o->spill_dir, "spill-dir", arg, fault);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int check_together(void *options, struct fault *fault)
{
    const struct options *o = options;

    if ((o->in == NULL) == (o->n == 0))
        return fault_set(fault, "expected a matrix: either --in FILE or --n N");
    return 0;
}

enum options_result options_parse(struct options *options, int argc,
                                  char **argv, struct fault *fault)
{
    static const struct command_line line = {
        .program = "cholesky",
        .doc = "The Cholesky factor L of a symmetric positive definite matrix "
               "A = L L^T, and how far L L^T is from A.\v"
               "Run it under mpirun.  The tiles of the matrix are objects of "
               "trygon: it may be larger than the memory, see --store.",
        .table = table,
        .take = take,
        .check = check_together};

    *options = (struct options){.side = DEFAULT_SIDE};
    return command_line_parse(&line, options, argc, argv, fault);
}
