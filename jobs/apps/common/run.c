/* run.c - see run.h. */
#include "common/run.h"

#include <stdio.h>
#include <stdlib.h>

static int start(const struct program *program, trygon_registry_t **registry,
                 trygon_t **tg)
{
    trygon_opts_t opts;
    int rc = trygon_registry_create(registry);

    if (rc == TRYGON_SUCCESS)
        rc = program->add_tasks(*registry);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_opts_init(&opts);
    if (rc != TRYGON_SUCCESS)
        return rc;
    opts.registry = *registry;
    if (program->mistake == NULL) {
        opts.store_bytes = program->store_bytes;
        opts.spill_dir = program->spill_dir;
    }
    return trygon_init(MPI_COMM_NULL, &opts, tg);
}

/* Run the driver, or, when the command line was wrong, say so once. */
static int run(const struct program *program, trygon_t *tg)
{
    int rank, size, status = 0;
    int rc = trygon_rank(tg, &rank, &size);

    if (rc == TRYGON_SUCCESS && program->mistake != NULL) {
        if (rank == 0)
            fprintf(stderr, "%s: %s\n", program->name, program->mistake);
        return -1;
    }
    if (rc == TRYGON_SUCCESS)
        rc = trygon_run(tg, program->driver, program->options, &status);
    if (rc != TRYGON_SUCCESS) {
        fprintf(stderr, "%s: %s\n", program->name, trygon_strerror(rc));
        return -1;
    }
    return status == 0 ? 0 : -1;
}

int run_program(const struct program *program)
{
    trygon_registry_t *registry = NULL;
    trygon_t *tg = NULL;
    int rc = start(program, &registry, &tg);

    if (rc != TRYGON_SUCCESS) {
        fprintf(stderr, "%s: cannot start: %s\n", program->name,
                trygon_strerror(rc));
        return EXIT_FAILURE;
    }
    rc = run(program, tg);
    if (trygon_finalize(&tg) != TRYGON_SUCCESS)
        rc = -1;
    trygon_registry_destroy(&registry);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run_fault(struct fault *fault, const char *what, int rc)
{
    trygon_error_t error = {.size = sizeof error};

    if (trygon_last_error(&error) == TRYGON_SUCCESS && error.code == rc &&
        error.text[0] != '\0')
        return fault_set(fault, "%s: %s", what, error.text);
    return fault_set(fault, "%s: %s", what, trygon_strerror(rc));
}
