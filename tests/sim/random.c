/* random.c - random worlds of the virtual cluster, by their seeds.
 *
 *     sim_random [--seed S] [--worlds N] [--ranks R] [--jobs J] [--seconds T]
 *                [--twice] [-v]
 *
 * runs the worlds S, S+1, ... in J processes, and no new ones after T seconds.
 * Some worlds (with --twice all) run twice, since one seed must give one run.
 * -v tells the story of a single world.  When one fails, the last line is the
 * command that runs that world alone.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "chance.h"

struct options {
    uint64_t seed;
    uint32_t worlds;
    int32_t ranks;
    uint32_t jobs;
    double seconds; /* no new worlds after so many; 0: all */
    bool verbose;
    bool twice; /* every world must give the same run again */
    const char *self;
};

/* For the handler, which can be given nothing. */
static char replay[512];

static void on_abort(int sig)
{
    size_t n = strlen(replay);
    (void)!write(STDERR_FILENO, replay, n);
    signal(sig, SIG_DFL);
    raise(sig);
}

static void catch_aborts(void)
{
    static const int sigs[] = {SIGABRT, SIGSEGV, SIGBUS,
                               SIGFPE,  SIGILL,  SIGALRM};
    for (size_t i = 0; i < sizeof sigs / sizeof sigs[0]; i++)
        signal(sigs[i], on_abort);
}

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static void add(struct world_stats *sum, const struct world_stats *x)
{
    uint64_t *a = (uint64_t *)(void *)sum;
    const uint64_t *b = (const uint64_t *)(const void *)x;
    for (size_t i = 0; i < sizeof *sum / sizeof *a; i++)
        a[i] += b[i];
}

static uint64_t one_world(const struct options *o, uint64_t seed,
                          struct world_stats *stats)
{
    struct world *w;
    snprintf(replay, sizeof replay,
             "sim: to see it again: %s --seed %" PRIu64
             " --worlds 1 --ranks %d -v\n",
             o->self, seed, (int)o->ranks);
    alarm(300);
    chance_world(seed, o->ranks, &w);
    static char trace[1 << 24];
    if (o->verbose && o->worlds == 1) {
        w->opts.trace = trace;
        w->opts.trace_size = sizeof trace;
        w->opts.trace_live = true;
    }
    world_run(w);
    uint64_t hash = w->hash;
    *stats = w->stats;
    if (o->verbose)
        printf("seed %" PRIu64 ": %d ranks, %" PRIu64 " tasks, %" PRIu64
               " steps, %" PRIu64 " deaths, hash %016" PRIx64 "\n",
               seed, (int)w->nranks, stats->tasks, stats->steps, stats->deaths,
               hash);
    world_destroy(&w);
    return hash;
}

static void run_share(const struct options *o, uint32_t job,
                      struct world_stats *sum)
{
    double begin = now_s();
    for (uint32_t i = job; i < o->worlds; i += o->jobs) {
        if (o->seconds > 0 && now_s() - begin > o->seconds)
            break;
        struct world_stats x = {0}, again = {0};
        uint64_t seed = o->seed + i;
        uint64_t hash = one_world(o, seed, &x);
        add(sum, &x);
        if ((o->twice || i % 50 == 0) && one_world(o, seed, &again) != hash) {
            fprintf(stderr, "sim: seed %" PRIu64 " gave two runs\n%s", seed,
                    replay);
            exit(EXIT_FAILURE);
        }
    }
}

/* ----- processes ----------------------------------------------------------------- */

static int start_job(const struct options *o, uint32_t job, pid_t *pid)
{
    int fds[2];
    if (pipe(fds) != 0 || (*pid = fork()) < 0) {
        perror("sim");
        exit(99);
    }
    if (*pid > 0) {
        close(fds[1]);
        return fds[0];
    }
    struct world_stats sum = {0};
    close(fds[0]);
    run_share(o, job, &sum);
    if (write(fds[1], &sum, sizeof sum) != sizeof sum)
        _exit(99);
    fflush(stdout);
    _exit(0);
}

static bool end_job(int fd, pid_t pid, struct world_stats *sum)
{
    struct world_stats x;
    int status = 0;
    bool ok = read(fd, &x, sizeof x) == (ssize_t)sizeof x;
    close(fd);
    waitpid(pid, &status, 0);
    if (ok)
        add(sum, &x);
    return ok && status == 0;
}

static void report(const struct world_stats *s, double wall_s)
{
    printf("worlds %" PRIu64 ", ranks %" PRIu64 ", tasks %" PRIu64
           ", executions %" PRIu64 ", retries %" PRIu64 ", cancels %" PRIu64
           "\n",
           s->worlds, s->ranks, s->tasks, s->execs, s->retries, s->cancels);
    printf("deaths %" PRIu64 ", false deaths %" PRIu64 ", lost weight %" PRIu64
           " in %" PRIu64 " objects left\n",
           s->deaths, s->false_deaths, s->lost_weight, s->left);
    printf("steps %" PRIu64 ", messages %" PRIu64 ": bounces %" PRIu64
           ", lends %" PRIu64 ", recalls %" PRIu64 ", mores %" PRIu64
           ", values %" PRIu64 "\n",
           s->steps, s->messages, s->bounces, s->lends, s->recalls, s->mores,
           s->values);
    printf("stores: made %" PRIu64 ", mapped %" PRIu64 ", evicted %" PRIu64
           ", pinned %" PRIu64 ", spilled %" PRIu64 ", restored %" PRIu64
           ", again %" PRIu64 ", needs %" PRIu64 ", no room %" PRIu64 "\n",
           s->made, s->mapped, s->evicted, s->pinned, s->spilled, s->restored,
           s->again, s->needs, s->refused);
    printf("freed by hand %" PRIu64 ", reads %" PRIu64 ", again %" PRIu64
           ", pieces %" PRIu64 ", of files %" PRIu64
           ", tasks run again for what was lost %" PRIu64 "\n",
           s->freed, s->pins, s->away, s->pieces, s->from_file, s->remade);
    printf("ends:");
    for (int i = 0; i < 32; i++)
        if (s->outcomes[i] > 0)
            printf(" %d: %" PRIu64, -i, s->outcomes[i]);
    printf("\nvirtual seconds %.1f, wall seconds %.1f\n",
           (double)s->virtual_ns * 1e-9, wall_s);
}

static int run_all(const struct options *o)
{
    pid_t pids[64];
    int fds[64];
    struct world_stats sum = {0};
    bool ok = true;
    double begin = now_s();
    fflush(stdout);
    if (o->jobs == 1) {
        run_share(o, 0, &sum);
    } else {
        for (uint32_t i = 0; i < o->jobs; i++)
            fds[i] = start_job(o, i, &pids[i]);
        for (uint32_t i = 0; i < o->jobs; i++)
            ok = end_job(fds[i], pids[i], &sum) && ok;
    }
    if (sum.worlds < o->worlds)
        printf("stopped after %.0f of %u worlds: no more time\n",
               (double)sum.worlds, o->worlds);
    report(&sum, now_s() - begin);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Fewer of them where each takes long. */
static uint32_t default_worlds(void)
{
    const char *text = getenv("SIM_WORLDS"), *wrapper = getenv("TEST_WRAPPER");
    if (text != NULL && text[0] != '\0')
        return (uint32_t)strtoul(text, NULL, 0);
    if (wrapper != NULL && wrapper[0] != '\0')
        return 20;
    return TG_ASAN || TG_TSAN ? 250 : 1000;
}

static uint32_t default_jobs(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 2 ? 1 : n > 4 ? 4 : (uint32_t)n;
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1,
                        .worlds = default_worlds(),
                        .jobs = default_jobs(),
                        .seconds = argc == 1 ? 110 : 0, /* make check */
                        .self = argv[0]};
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(a, "-v") == 0)
            o.verbose = true;
        else if (strcmp(a, "--twice") == 0)
            o.twice = true;
        else if (strcmp(a, "--seed") == 0 && ++i < argc)
            o.seed = strtoull(v, NULL, 0);
        else if (strcmp(a, "--worlds") == 0 && ++i < argc)
            o.worlds = (uint32_t)strtoul(v, NULL, 0);
        else if (strcmp(a, "--ranks") == 0 && ++i < argc)
            o.ranks = (int32_t)strtol(v, NULL, 0);
        else if (strcmp(a, "--seconds") == 0 && ++i < argc)
            o.seconds = strtod(v, NULL);
        else if (strcmp(a, "--jobs") == 0 && ++i < argc)
            o.jobs = (uint32_t)strtoul(v, NULL, 0);
        else {
            fprintf(stderr,
                    "usage: %s [--seed S] [--worlds N] [--ranks R] "
                    "[--jobs J] [--seconds T] [--twice] [-v]\n",
                    argv[0]);
            return 99;
        }
    }
    if (o.jobs < 1 || o.jobs > 64 || o.jobs > o.worlds)
        o.jobs = 1;
    catch_aborts();
    return run_all(&o);
}
