/* team.h - the ranks of the benchmark outside trygon: their communicator, the
 * machine they are on, and what they do while they have nothing to measure.
 */
#ifndef MICRO_TEAM_H
#define MICRO_TEAM_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"

/* Every call of trygon and of MPI stands in one of these.  A call that fails
 * is named in one line, and ends the job with exit code 1: a benchmark that
 * goes on after an error measures something else. */
#define CHECK_TRYGON(call_) check_trygon((call_), #call_, __FILE__, __LINE__)
#define CHECK_MPI(call_) check_mpi((call_), #call_, __FILE__, __LINE__)
void check_trygon(int rc, const char *call, const char *file, int line);
void check_mpi(int rc, const char *call, const char *file, int line);

/* Something else that cannot be: a wrong result, no memory. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

void sleep_s(double seconds);

struct team {
    MPI_Comm comm; /* the program's own, of all ranks, same order as trygon's */
    int rank, size;
    int nodes;
    int cores;      /* of this node, that its ranks may use between them */
    int rank_cores; /* that this rank may use */
    int node_ranks;
    bool crowded; /* some node has more ranks than cores */
};

/* After MPI_Init.  Collective. */
void team_open(struct team *team);
void team_close(struct team *team);

/* Broadcast from rank 0, and barrier.  Those who wait sleep: MPI's own
 * collectives spin, and would take the cores from the two ranks that are being
 * measured.  So they cost a few milliseconds. */
void team_tell(const struct team *team, void *data, size_t size);
void team_barrier(const struct team *team);

/* Load average of the last minute; -1 if the system does not tell. */
double load_average(void);

#endif
