/* micro.c - trygon against bare MPI, in the same process and run.
 *
 * The main program.  README.md says how to run it and how to read it.
 *
 *   options.c      the command line
 *   team.c         the ranks outside trygon: waiting, checking, the machine
 *   limit.c        bare MPI, as well as it can be written
 *   tasks.c        the tasks, and how they are called
 *   pair.c         trygon and a limit, window by window
 *   rows_task.c, rows_actor.c, rows_stream.c    the rows that are measured so
 *   rows_scale.c, rows_idle.c    the other rows
 *   objects.c      large objects, and who gets them
 *   rows_object.c, rows_pull.c, rows_spill.c, rows_cholesky.c    rows of them
 *   stats.c, report.c            what the windows say; lines and JSON
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "options.h"
#include "report.h"

enum { EXIT_USAGE = 2 };

/* Ray's figures are those of its own microbenchmarks, release 2.55.0, on one
 * m5.16xlarge (queue_1m and args_10k: m4.16xlarge), 64 virtual cores:
 * single_client_tasks_sync 813/s, single_client_tasks_async 7097/s,
 * 1_1_actor_calls_sync 1880/s, 1_1_actor_calls_async 8397/s,
 * 1_1_actor_calls_concurrent 5679/s, n_n_actor_calls_async 23,481/s,
 * 1_1_async_actor_calls_sync 1417/s, 1_1_async_actor_calls_async 4617/s,
 * single_client_wait_1k_refs 4.93 times 1000 references a second; a task with
 * 10,000 object arguments; a million queued tasks. */
const struct row rows[ROWS] = {
    {"task_sync", "us", "get(submit(no-op)); limit: ping-pong", false, 1, 1230,
     row_task_sync},
    {"task_async", "1/s", "no-ops of one owner; limit: master/worker", true, 1,
     7097, row_task_async},
    {"task_async_batched", "1/s", "the same; limit: 32 tasks a message", true,
     2, 7097, row_task_async_batched},
    {"task_nested", "us",
     "a task that submits and gets one; limit: two "
     "ping-pongs",
     false, 1, 0, row_task_nested},
    {"actor_sync", "us", "get(call a method); limit: ping-pong", false, 1, 532,
     row_actor_sync},
    {"actor_async", "1/s", "calls of one caller; limit: master/worker", true, 1,
     8397, row_actor_async},
    {"actor_threaded_async", "1/s", "the same, 16 methods at a time", true, 1,
     5679, row_actor_threaded_async},
    {"actor_create", "1/s", "10,000 actors created, all ready", true, 1, 0,
     row_actor_create},
    {"n_n_actor_async", "1/s", "n tasks call n actors by turns", true, 1, 23481,
     row_n_n_actor_async},
    {"cancel_storm", "1/s", "5100 tasks, half of them cancelled", true, 1, 0,
     row_cancel_storm},
    {"async_actor_sync", "us", "as actor_sync, with an async actor", false, 1,
     706, row_async_actor_sync},
    {"async_actor_async", "1/s", "as actor_async, with an async actor", true, 1,
     4617, row_async_actor_async},
    {"fiber_switch", "ns", "from one call of an async actor to the next", false,
     1, 0, row_fiber_switch},
    {"stream", "1/s", "items of one task; limit: as many MPI_Sends", true, 1, 0,
     row_stream},
    {"stream_backpressure_1", "us", "the same in lock step; limit: ping-pong",
     false, 1, 0, row_stream_backpressure_1},
    {"wait_10k", "1/s", "10,000 tasks drained through a wait set", true, 1,
     4930, row_wait_10k},
    {"args_10k", "ms", "one task with 10,000 references as arguments", false, 1,
     12270, row_args_10k},
    {"queue_1m", "s", "a million tasks queued, then drained", false, 1, 140.07,
     row_queue_1m},
    {"put_1m", "GB/s", "1 MiB put; limit: memcpy, warm", true, 1, 0,
     row_put_1m},
    {"put_1g", "GB/s", "the same with 1 GiB", true, 1, 0, row_put_1g},
    {"get_local", "ns", "get and release of 1 MiB or 1 GiB, the slower", false,
     1, 0, row_get_local},
    {"pull_same_host", "GB/s", "64 MiB got on another rank; limit: MPI_Send",
     true, 2, 0, row_pull_same_host},
    {"pull", "GB/s", "the same, on a rank that counts as another node", true, 2,
     0, row_pull},
    {"broadcast", "GB/s", "the same on all of them; limit: MPI_Bcast", true, 2,
     0, row_broadcast},
    {"spill", "GB/s", "written while more is put; limit: pwrite", true, 1, 0,
     row_spill},
    {"restore", "GB/s", "read back by get; limit: pread", true, 1, 0,
     row_restore},
    {"refs_10k", "ms", "get of an object with 10,000 references", false, 1, 0,
     row_refs_10k},
    {"cholesky", "GFLOP/s", "4096 rows; limit: LAPACK, as many threads", true,
     1, 0, row_cholesky},
    {"idle_cpu", "%", "of a core, by the busiest rank, while nothing happens",
     false, 1, 0, row_idle_cpu},
    {"wakeup", "us", "the first task after a second of silence", false, 1, 0,
     row_wakeup},
    {"startup", "ms", "MPI, trygon, first result; limit: MPI and a barrier",
     false, 1, 0, row_startup},
};

static const struct effort full = {.windows = 11,
                                   .window_s = 0.05,
                                   .warm_s = 0.01,
                                   .queued = 1000000,
                                   .actors = 10000,
                                   .calls = 5000,
                                   .storm = 5100,
                                   .idle_s = 3.0,
                                   .nap_s = 1.0,
                                   .most_s = 5.0,
                                   .small = 1 << 20,
                                   .large = 64 << 20,
                                   .huge = 1 << 30,
                                   .order = 4096};
static const struct effort quick = {.windows = 3,
                                    .window_s = 0.002,
                                    .warm_s = 0.001,
                                    .queued = 10000,
                                    .actors = 200,
                                    .calls = 100,
                                    .storm = 300,
                                    .idle_s = 0.1,
                                    .nap_s = 0.02,
                                    .most_s = 0.5,
                                    .small = 1 << 20,
                                    .large = 4 << 20,
                                    .huge = 16 << 20,
                                    .order = 512};

/* ---- what the rows use -------------------------------------------------- */

void result_add(struct result *result, double value)
{
    result->trygon[result->windows++] = value;
}

void result_extra(struct result *result, const char *label, double value,
                  const char *unit)
{
    result->extras[result->nextras++] = (struct extra){label, unit, value};
}

bool result_wants(const struct bench *b, const struct result *result,
                  double start_s)
{
    const struct effort *e = &b->effort;

    return result->windows < (size_t)e->windows &&
           (result->windows < 3 || clock_s() - start_s < e->most_s);
}

void result_skip(struct result *result, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(result->skipped, sizeof result->skipped, fmt, ap);
    va_end(ap);
}

void bench_run(struct bench *b, trygon_driver_fn driver, void *arg)
{
    int status;

    CHECK_TRYGON(trygon_run(b->tg, driver, arg, &status));
    if (status != 0)
        die("a driver returned %d", status);
}

/* ---- start --------------------------------------------------------------- */

/* First of all, since MPI starts only once. */
static void start_mpi(struct bench *b)
{
    double start = clock_s();
    int level;

    CHECK_MPI(MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level));
    double initialized = clock_s();
    CHECK_MPI(MPI_Barrier(MPI_COMM_WORLD));
    b->mpi_init_s = initialized - start;
    b->barrier_s = clock_s() - initialized;
    if (level < MPI_THREAD_MULTIPLE)
        die("this MPI does not give MPI_THREAD_MULTIPLE");
}

static int drive_first(trygon_t *tg, void *arg)
{
    double *end = arg;

    task_sync(tg, 0);
    *end = clock_s();
    return 0;
}

static void start_trygon(struct bench *b, const trygon_registry_t *registry)
{
    trygon_opts_t opts;
    double end = 0.0;

    CHECK_TRYGON(trygon_opts_init(&opts));
    opts.registry = b->registry = registry;
    CHECK_MPI(MPI_Barrier(b->team.comm));
    double start = clock_s();
    CHECK_TRYGON(trygon_init(MPI_COMM_NULL, &opts, &b->tg));
    bench_run(b, drive_first, &end);
    b->first_result_s = end - start;
}

/* ---- the rows ------------------------------------------------------------ */

static void measure_row(struct bench *b, struct report *report,
                        const struct row *row)
{
    struct result result = {0};

    if (b->team.size < row->min_ranks)
        result_skip(&result, "needs %d ranks, there is %d", row->min_ranks,
                    b->team.size);
    else
        row->measure(b, &result);
    if (b->team.rank != 0)
        return;
    if (result.skipped[0] != '\0')
        report_skipped(report, row, result.skipped);
    else
        report_row(report, row, &result);
}

static int measure(struct bench *b, const struct options *options, FILE *json)
{
    struct report report = {.bench = b, .quick = options->quick, .json = json};
    bool reports = b->team.rank == 0;

    if (reports)
        report_begin(&report);
    for (size_t i = 0; i < ROWS; i++)
        if (options->selected[i])
            measure_row(b, &report, &rows[i]);
    return reports ? report_end(&report) : 0;
}

/* From the start of trygon to its end. */
static int bench(struct bench *b, const struct options *options, FILE *json)
{
    trygon_registry_t *registry;

    CHECK_TRYGON(trygon_registry_create(&registry));
    tasks_register(registry);
    objects_register(registry);
    start_trygon(b, registry);
    int rc = measure(b, options, json);
    CHECK_TRYGON(trygon_finalize(&b->tg));
    CHECK_TRYGON(trygon_registry_destroy(&registry));
    if (rc != 0)
        fprintf(stderr, "micro: --json %s: cannot be written: %s\n",
                options->json, strerror(errno));
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What can be wrong before anything is measured; -1: nothing. */
static int refuse(const struct options *options, bool speaks, FILE **json)
{
    if (options->mistake[0] != '\0') {
        if (speaks)
            fprintf(stderr, "micro: %s\n", options->mistake);
        return EXIT_USAGE;
    }
    if (options->help) {
        if (speaks)
            options_help();
        return EXIT_SUCCESS;
    }
    if (speaks && options->json != NULL) {
        *json = fopen(options->json, "w");
        if (*json == NULL) {
            fprintf(stderr, "micro: --json %s: cannot be written: %s\n",
                    options->json, strerror(errno));
            return EXIT_FAILURE;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    struct options options;
    FILE *json = NULL;

    start_mpi(&b);
    team_open(&b.team);
    options_parse(&options, argc, argv);
    b.effort = options.quick ? quick : full;

    int status = refuse(&options, b.team.rank == 0, &json);
    team_tell(&b.team, &status, sizeof status);
    if (status < 0)
        status = bench(&b, &options, json);
    team_close(&b.team);
    CHECK_MPI(MPI_Finalize());
    return status;
}
