/* rows_idle.c - what the runtime costs while there is nothing to do, and at the
 * start. */
#include <sys/resource.h>

#include "bench.h"
#include "doorbell.h"

/* ---- idle_cpu ---------------------------------------------------------- */

static double cpu_s(void) /* of all threads of this process */
{
    struct rusage use;

    if (getrusage(RUSAGE_SELF, &use) != 0)
        die("getrusage failed");
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           1e-6 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static int drive_sleep(trygon_t *tg, void *arg)
{
    const struct bench *b = arg;

    (void)tg;
    sleep_s(b->effort.idle_s);
    return 0;
}

/* A run before it: what the runtime does only the first time is not idling. */
static int drive_once(trygon_t *tg, void *arg)
{
    (void)arg;
    task_sync(tg, 0);
    return 0;
}

void row_idle_cpu(struct bench *b, struct result *result)
{
    double used, most;

    bench_run(b, drive_once, NULL);
    team_barrier(&b->team);
    double cpu = cpu_s(), wall = clock_s();
    bench_run(b, drive_sleep, b);
    used = 100.0 * (cpu_s() - cpu) / (clock_s() - wall);
    CHECK_MPI(
        MPI_Reduce(&used, &most, 1, MPI_DOUBLE, MPI_MAX, 0, b->team.comm));
    if (b->team.rank == 0)
        result_add(result, most);
}

/* ---- wakeup ------------------------------------------------------------ */

/* Tasks before the pause: the first of a run touch new memory. */
enum { BEFORE = 1000 };

struct wakeup { /* one trygon_run() */
    const struct bench *bench;
    double seconds;
    int where; /* the rank of the task */
};

static int drive_wakeup(trygon_t *tg, void *arg)
{
    struct wakeup *w = arg;

    for (int i = 0; i < BEFORE; i++)
        task_sync(tg, 0);
    w->where = task_where(tg);
    sleep_s(w->bench->effort.nap_s);
    double start = clock_s();
    task_sync(tg, 1);
    w->seconds = clock_s() - start;
    return 0;
}

void row_wakeup(struct bench *b, struct result *result)
{
    struct wakeup w = {.bench = b};
    struct doorbell bell;

    doorbell_open(&bell, &b->team);
    for (int i = 0; i < b->effort.windows; i++) {
        bench_run(b, drive_wakeup, &w);
        team_tell(&b->team, &w.where, sizeof w.where);
        double limit = doorbell_ring(&bell, &b->team, w.where, b->effort.nap_s);
        if (b->team.rank != 0)
            continue;
        result->has_limit = limit > 0.0;
        result->limit[result->windows] = 1e6 * limit;
        result_add(result, 1e6 * w.seconds);
    }
    doorbell_close(&bell);
}

/* ---- startup ----------------------------------------------------------- */

/* MPI starts once in a process, so that both sides share its start: the limit
 * is MPI_Init_thread and a barrier, and trygon's cost is all of that and then
 * trygon_init up to the first result.  The barrier makes the connections that
 * trygon uses after it, so it is counted on both sides. */
void row_startup(struct bench *b, struct result *result)
{
    double limit = 1e3 * (b->mpi_init_s + b->barrier_s);

    result->limit[0] = limit;
    result->has_limit = true;
    result_add(result, limit + 1e3 * b->first_result_s);
}
