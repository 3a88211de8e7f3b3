/* command_line.c - see command_line.h. */
#include "common/command_line.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct parsing {
    const struct command_line *line;
    void *options;
    struct fault *fault;
    unsigned help; /* what to print, as argp_help() takes it */
    bool failed;   /* and the fault says why */
};

/* argp reports what it does not understand by ARGP_KEY_ERROR; next is already
 * past the culprit. */
static int refuse(const struct argp_state *state, struct fault *fault)
{
    const char *culprit =
        state->next > 1 ? state->argv[state->next - 1] : state->argv[0];

    return fault_set(fault,
                     "%s: unknown option, or its value is missing (see "
                     "--help)",
                     culprit);
}

static int take(struct parsing *p, int key, const char *arg,
                const struct argp_state *state)
{
    switch (key) {
    case 'h': p->help = ARGP_HELP_STD_HELP; return 0;
    case COMMAND_LINE_USAGE: p->help = ARGP_HELP_USAGE; return 0;
    case ARGP_KEY_ARG:
        return fault_set(p->fault, "%s: unexpected argument (see --help)", arg);
    case ARGP_KEY_ERROR: return refuse(state, p->fault);
    default: return p->line->take(p->options, key, arg, p->fault);
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

static void print_help(const struct argp *argp, unsigned what,
                       const char *program)
{
    char name[64];

    snprintf(name, sizeof name, "%s", program); /* argp wants it writable */
    argp_help(argp, stdout,
              what & ~(unsigned)(ARGP_HELP_EXIT_ERR | ARGP_HELP_EXIT_OK), name);
}

enum options_result command_line_parse(const struct command_line *line,
                                       void *options, int argc, char **argv,
                                       struct fault *fault)
{
    const struct argp argp = {
        .options = line->table, .parser = parse_option, .doc = line->doc};
    struct parsing parsing = {.line = line, .options = options, .fault = fault};
    error_t rc = argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP,
                            NULL, &parsing);

    if (!parsing.failed && parsing.help != 0) {
        print_help(&argp, parsing.help, line->program);
        return OPTIONS_HELP;
    }
    if (rc != 0 && !parsing.failed)
        fault_set(fault, "the command line: %s", strerror(rc));
    if (rc != 0 || parsing.failed || line->check(options, fault) != 0)
        return OPTIONS_BAD;
    return OPTIONS_GOOD;
}
