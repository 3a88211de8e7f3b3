/* team.c - see team.h. */
#include "team.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <trygon/trygon.h>

/* ---- what goes wrong --------------------------------------------------- */

void die(const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "micro: %s\n", text);
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    abort();
}

void check_trygon(int rc, const char *call, const char *file, int line)
{
    trygon_error_t e = {.size = sizeof e};

    if (rc == TRYGON_SUCCESS)
        return;
    if (trygon_last_error(&e) != TRYGON_SUCCESS)
        e.text[0] = '\0';
    die("%s:%d: %s: %s %s", file, line, call, trygon_strerror(rc), e.text);
}

void check_mpi(int rc, const char *call, const char *file, int line)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int length;

    if (rc == MPI_SUCCESS)
        return;
    MPI_Error_string(rc, text, &length);
    die("%s:%d: %s: %s", file, line, call, text);
}

/* ---- time -------------------------------------------------------------- */

void sleep_s(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds};

    t.tv_nsec = (long)(1e9 * (seconds - (double)t.tv_sec));
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) != 0)
        ;
}

double load_average(void)
{
    double load;

    return getloadavg(&load, 1) == 1 ? load : -1.0;
}

/* ---- the ranks --------------------------------------------------------- */

/* Ranks may be bound to cores, each to others: the node's are all of them. */
static void count_cores(struct team *team, MPI_Comm node)
{
    cpu_set_t mine, all;

    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof mine, &mine) != 0)
        die("sched_getaffinity failed");
    CHECK_MPI(
        MPI_Allreduce(&mine, &all, (int)sizeof mine, MPI_BYTE, MPI_BOR, node));
    team->rank_cores = CPU_COUNT(&mine);
    team->cores = CPU_COUNT(&all);
}

void team_open(struct team *team)
{
    MPI_Comm node;
    int node_rank, first, crowded, any;

    CHECK_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &team->comm));
    CHECK_MPI(MPI_Comm_set_errhandler(team->comm, MPI_ERRORS_RETURN));
    CHECK_MPI(MPI_Comm_rank(team->comm, &team->rank));
    CHECK_MPI(MPI_Comm_size(team->comm, &team->size));

    CHECK_MPI(MPI_Comm_split_type(team->comm, MPI_COMM_TYPE_SHARED, 0,
                                  MPI_INFO_NULL, &node));
    CHECK_MPI(MPI_Comm_rank(node, &node_rank));
    CHECK_MPI(MPI_Comm_size(node, &team->node_ranks));
    count_cores(team, node);
    CHECK_MPI(MPI_Comm_free(&node));

    first = node_rank == 0;
    CHECK_MPI(
        MPI_Allreduce(&first, &team->nodes, 1, MPI_INT, MPI_SUM, team->comm));
    crowded = team->node_ranks > team->cores;
    CHECK_MPI(MPI_Allreduce(&crowded, &any, 1, MPI_INT, MPI_MAX, team->comm));
    team->crowded = any != 0;
}

void team_close(struct team *team)
{
    CHECK_MPI(MPI_Comm_free(&team->comm));
}

static void wait_asleep(MPI_Request *request)
{
    int done = 0;

    for (;;) {
        CHECK_MPI(MPI_Test(request, &done, MPI_STATUS_IGNORE));
        if (done)
            return;
        sleep_s(1e-3);
    }
}

void team_tell(const struct team *team, void *data, size_t size)
{
    MPI_Request request;

    CHECK_MPI(MPI_Ibcast(data, (int)size, MPI_BYTE, 0, team->comm, &request));
    wait_asleep(&request);
}

void team_barrier(const struct team *team)
{
    MPI_Request request;

    CHECK_MPI(MPI_Ibarrier(team->comm, &request));
    wait_asleep(&request);
}
