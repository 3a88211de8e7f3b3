/* kill_job.c - the job of kill_np4.sh: more large objects than its stores have
 * room for, and then it waits to be killed, or to read them all again.
 *
 *     kill_job FILE     FILE.ready has the ranks' process ids, a line each, when
 *                       all is put; the job goes on when FILE.go is there
 *     kill_job          starts, and ends
 */
#include "../api/large.h"

enum { N = 64 };

static const char *file; /* NULL: nothing to do */
static int *pids;

static const struct h_fn fns[] = {LARGE_FNS, {NULL, NULL}};

static void say_ready(void)
{
    char name[500], made[520];
    snprintf(made, sizeof made, "%s.ready", file);
    snprintf(name, sizeof name, "%s.new", file);
    FILE *f = fopen(name, "w");
    if (!CHECK(f != NULL))
        return;
    for (int r = 0; r < h_size; r++)
        fprintf(f, "%d\n", pids[r]);
    CHECK(fclose(f) == 0 && rename(name, made) == 0);
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t refs[N];
    char go[500];
    (void)arg;
    if (file == NULL)
        return 0;
    for (int i = 0; i < N; i++) /* a quarter by rank 0, which has no slots */
        refs[i] = i % 4 == 0 ? put_filled(tg, MiB, i)
                             : make(tg, "makes", NULL, MiB, i);
    for (int i = 0; i < N; i++)
        see(tg, refs[i], MiB, i);
    say_ready();
    snprintf(go, sizeof go, "%s.go", file);
    while (access(go, F_OK) != 0)
        usleep(10000);
    for (int i = 0; i < N; i++)
        see(tg, refs[i], MiB, i);
    OK(trygon_ref_release(tg, N, refs));
    return 0;
}

int main(int argc, char **argv)
{
    int failures, mine, pid = (int)getpid();
    file = argc > 1 ? argv[1] : NULL;
    h_start(MPI_THREAD_MULTIPLE);
    alarm(H_TEST_S);
    pids = calloc((size_t)h_size, sizeof *pids);
    MPI_Gather(&pid, 1, MPI_INT, pids, 1, MPI_INT, 0, MPI_COMM_WORLD);
    play(&(struct scene){.nodes = 2, .bytes = "8M"}, fns, driver);
    mine = atomic_load(&h_failures);
    MPI_Allreduce(&mine, &failures, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    free(pids);
    MPI_Finalize();
    return failures != 0;
}
