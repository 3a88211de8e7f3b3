/* options.c - see options.h. */
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_ONLY = 256, KEY_JSON, KEY_QUICK };

static const struct argp_option table[] = {
    {"only", KEY_ONLY, "NAME,...", 0, "Only these rows (default: all)", 0},
    {"json", KEY_JSON, "FILE", 0,
     "Write the results, every window's too, as one JSON object", 0},
    {"quick", KEY_QUICK, NULL, 0,
     "Few and very short windows, a short queue: shows that it works, not how "
     "fast",
     0},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0}};

/* One line, whatever the arguments hold; the first mistake is told. */
static int mistake(struct options *o, const char *what, const char *culprit,
                   const char *expected)
{
    if (o->mistake[0] != '\0')
        return EINVAL;
    snprintf(o->mistake, sizeof o->mistake, "%s%.80s: %s", what, culprit,
             expected);
    for (char *c = o->mistake; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    return EINVAL;
}

static int select_row(struct options *o, const char *name, size_t length)
{
    char text[82], names[160] = "expected";

    for (size_t i = 0; i < ROWS; i++) {
        if (strlen(rows[i].name) == length &&
            memcmp(rows[i].name, name, length) == 0) {
            o->selected[i] = true;
            return 0;
        }
        strncat(names, i == 0 ? " " : ", ", sizeof names - strlen(names) - 1);
        strncat(names, rows[i].name, sizeof names - strlen(names) - 1);
    }
    snprintf(text, sizeof text, "%.*s", (int)(length < 80 ? length : 80), name);
    return mistake(o, "--only ", length == 0 ? "(nothing)" : text, names);
}

static int select_rows(struct options *o, const char *names)
{
    for (;;) {
        size_t length = strcspn(names, ",");
        int rc = select_row(o, names, length);
        if (rc != 0 || names[length] == '\0')
            return rc;
        names += length + 1;
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case KEY_ONLY: return select_rows(o, arg);
    case KEY_JSON:
        o->json = arg;
        return arg[0] != '\0'
                   ? 0
                   : mistake(o, "--json", "", "expected the name of a file");
    case KEY_QUICK: o->quick = true; return 0;
    case 'h': o->help = true; return 0;
    case ARGP_KEY_ARG:
        return mistake(o, "", arg,
                       "unexpected argument; expected options only "
                       "(see --help)");
    case ARGP_KEY_ERROR: /* next is already past the culprit */
        return mistake(o, "",
                       state->argv[state->next > 1 ? state->next - 1 : 0],
                       "unknown option, or its value is missing or too much; "
                       "expected --only NAME,..., --json FILE, --quick or "
                       "--help");
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = table,
    .parser = parse_option,
    .doc = "Measures trygon against bare MPI, row by row.\vRun it under "
           "mpirun, unbound: mpirun --bind-to none -n 3 micro.  Rows:"};

void options_parse(struct options *options, int argc, char **argv)
{
    bool any = false;

    *options = (struct options){0};
    error_t rc = argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP,
                            NULL, options);
    if (rc != 0)
        mistake(options, "the command line", "", strerror(rc));
    for (size_t i = 0; i < ROWS; i++)
        any = any || options->selected[i];
    for (size_t i = 0; i < ROWS && !any; i++)
        options->selected[i] = true;
}

void options_help(void)
{
    char name[] = "micro";

    argp_help(&argp, stdout, ARGP_HELP_STD_HELP & ~(unsigned)ARGP_HELP_EXIT_OK,
              name);
    for (size_t i = 0; i < ROWS; i++)
        printf("  %-18s %s\n", rows[i].name, rows[i].what);
}
