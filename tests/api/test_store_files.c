/* test_store_files.c - spilled files that are damaged, and user code that holds
 * HDF5 while they are written.
 */
#include <hdf5.h>
#include <sched.h>
#include <signal.h>

#include "large.h"

/* Where stores are that rank 0 pulls from, if there is more than one rank. */
static int32_t there(void)
{
    return h_size > 1 ? 1 : 0;
}

/* Wait for it without getting it. */
static void made(trygon_t *tg, trygon_ref_t ref)
{
    trygon_wait_opts_t o;
    bool ready = false;
    OK(trygon_wait_opts_init(&o));
    o.fetch_local = false;
    OK(trygon_wait(tg, 1, &ref, &o, &ready, NULL));
    CHECK(ready);
}

/* ----- damage -------------------------------------------------------------------- */

enum { BIG = 6 * MiB, MANY = 8, WORDS = 512 };

/* Turns a bit of the object, at its byte `at`, where it is found in the file. */
static bool damage_file(const char *path, int64_t seed, size_t at)
{
    uint64_t want[WORDS];
    bool found = false;
    for (size_t i = 0; i < WORDS; i++)
        want[i] = word_at(seed, at + 8 * i);
    FILE *f = fopen(path, "r+b");
    char *all = malloc(128 * MiB);
    size_t n = f != NULL ? fread(all, 1, 128 * MiB, f) : 0;
    char *hit = memmem(all, n, want, sizeof want);
    if (hit != NULL) {
        *hit = (char)(*hit ^ 1);
        found = fseek(f, hit - all, SEEK_SET) == 0 && fwrite(hit, 1, 1, f) == 1;
    }
    free(all);
    if (f != NULL)
        fclose(f);
    return found;
}

/* In the one file that has it. */
static int damage(int64_t seed, size_t at)
{
    char line[512], path[512];
    int n = 0;
    snprintf(line, sizeof line, "ls %s/trygon-*/rank*.h5",
             getenv("TRYGON_SPILL_DIR"));
    FILE *list = popen(line, "r");
    while (list != NULL && fgets(path, sizeof path, list) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        n += damage_file(path, seed, at);
    }
    if (list != NULL)
        pclose(list);
    return n;
}

static int damage_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t refs[MANY];
    trygon_value_t v = {0};
    trygon_task_opts_t o = at(there());
    for (int i = 0; i < MANY; i++) { /* the last two are in memory */
        refs[i] = make(tg, "makes", &o, BIG, i);
        made(tg, refs[i]);
    }
    CHECK(damage(0, 5 * MiB) == 1); /* of what is pulled second */
    CHECK(damage(2, 0) == 1);
    CHECK_RC(trygon_get(tg, refs[0], TRYGON_FOREVER, &v), TRYGON_ERR_IO);
    see(tg, refs[1], BIG, 1);
    CHECK_RC(trygon_get(tg, refs[2], TRYGON_FOREVER, &v), TRYGON_ERR_IO);
    for (int i = 3; i < MANY; i++)
        see(tg, refs[i], BIG, i);
    for (int i = 3; i < MANY; i++)
        CHECK(looks_right(tg, &o, refs[i], i));
    OK(trygon_ref_release(tg, MANY, refs));
    empties_everywhere(tg);
    return 0;
}

/* ----- HDF5 is held ------------------------------------------------------------------ */

enum { FULL = 14 }; /* MiB of 16: some of it is to be written */

struct holder {
    trygon_t *tg;
    trygon_ref_t refs[FULL];
    char held[256], go[256];
};

/* Threads of the pool that may run wherever this rank may: its first thread is
 * never bound.  All of these have its signals blocked. */
static int free_threads(void)
{
    char path[512];
    cpu_set_t all, one;
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    CHECK(sched_getaffinity(getpid(), sizeof all, &all) == 0);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char text[4096] = "", *blocked;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
        FILE *f = e->d_name[0] != '.' ? fopen(path, "r") : NULL;
        if (f == NULL)
            continue;
        text[fread(text, 1, sizeof text - 1, f)] = '\0';
        fclose(f);
        if (strstr(text, "Name:\ttrygon-task") == NULL ||
            sched_getaffinity(atoi(e->d_name), sizeof one, &one) != 0)
            continue;
        blocked = strstr(text, "SigBlk:");
        CHECK(blocked != NULL &&
              (strtoull(blocked + 8, NULL, 16) & 1ull << (SIGINT - 1)) != 0);
        n += CPU_EQUAL(&all, &one);
    }
    closedir(d);
    return n;
}

static herr_t fill_and_hold(hid_t group, const char *name,
                            const H5L_info_t *info, void *arg)
{
    (void)group, (void)name, (void)info;
    struct holder *h = arg;
    uint64_t before = stats_of(h->tg).spilled_bytes;
    for (int i = 0; i < FULL; i++)
        h->refs[i] = put_filled(h->tg, MiB, 100 + i);
    CHECK(free_threads() >= 1);
    FILE *f = fopen(h->held, "w");
    if (f != NULL)
        fclose(f);
    UNTIL(access(h->go, F_OK) == 0);
    CHECK(stats_of(h->tg).spilled_bytes == before);
    for (int i = 0; i < FULL; i++)
        see(h->tg, h->refs[i], MiB, 100 + i);
    return 0;
}

/* A task that calls the runtime while it is inside of HDF5. */
static int holds(trygon_call_t *c)
{
    struct holder h = {.tg = trygon_call_runtime(c)};
    const char *dir = getenv("TRYGON_SPILL_DIR");
    char path[256];
    snprintf(path, sizeof path, "%s/.user.h5", dir);
    snprintf(h.held, sizeof h.held, "%s/.held", dir);
    snprintf(h.go, sizeof h.go, "%s/.go", dir);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group =
        H5Gcreate2(file, "one", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CHECK(H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, fill_and_hold,
                     &h) == 0);
    CHECK(H5Gclose(group) >= 0 && H5Fclose(file) >= 0);
    OK(trygon_ref_release(h.tg, FULL, h.refs));
    CHECK(unlink(path) == 0 && unlink(h.held) == 0 && unlink(h.go) == 0);
    return return_int(c, 1);
}

static int held_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    enum { N = 24 };
    char held[256], go[256];
    trygon_ref_t refs[N], holder;
    trygon_task_opts_t o = at(there());
    const char *dir = getenv("TRYGON_SPILL_DIR");
    snprintf(held, sizeof held, "%s/.held", dir);
    snprintf(go, sizeof go, "%s/.go", dir);
    for (int i = 0; i < N; i++) {
        refs[i] = make(tg, "makes", &o, MiB, i);
        made(tg, refs[i]);
    }
    OK(trygon_ref_release(tg, N - 1, refs + 1)); /* the first is in a file */
    empties(tg, there());
    holder = call_with(tg, "holds", &o, 0, NULL);
    UNTIL(access(held, F_OK) == 0);
    see(tg, refs[0], MiB, 0);
    FILE *f = fopen(go, "w");
    if (f != NULL)
        fclose(f);
    CHECK(take_int(tg, holder) == 1);
    drop(tg, refs[0]);
    empties_everywhere(tg);
    return 0;
}

/* Three times what the store holds, and half of it again, while nothing can be
 * written. */
static herr_t fill_all(hid_t group, const char *name, const H5L_info_t *info,
                       void *arg)
{
    (void)group, (void)name, (void)info;
    enum { N = 6 };
    trygon_t *tg = arg;
    trygon_ref_t refs[N];
    uint64_t before = stats_of(tg).spilled_bytes;
    for (int i = 0; i < N; i++)
        refs[i] = put_filled(tg, 8 * MiB, i);
    for (int i = 0; i < N; i += 2)
        see(tg, refs[i], 8 * MiB, i);
    CHECK(stats_of(tg).spilled_bytes == before);
    OK(trygon_ref_release(tg, N, refs));
    return 0;
}

static int overfills(trygon_call_t *c)
{
    char path[256];
    snprintf(path, sizeof path, "%s/.user.h5", getenv("TRYGON_SPILL_DIR"));
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group =
        H5Gcreate2(file, "one", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CHECK(H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, fill_all,
                     trygon_call_runtime(c)) == 0);
    CHECK(H5Gclose(group) >= 0 && H5Fclose(file) >= 0);
    CHECK(unlink(path) == 0);
    return return_int(c, 1);
}

static int overfilled_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_task_opts_t o = at(there());
    CHECK(take_int(tg, call_with(tg, "overfills", &o, 0, NULL)) == 1);
    empties_everywhere(tg);
    return 0;
}

/* ----- another HDF5 ------------------------------------------------------------------ */

static bool unsafe;

/* In the stead of the library's, which must be thread-safe for these tests; for
 * a shared libtrygon as well. */
__attribute__((visibility("default"))) herr_t
H5is_library_threadsafe(hbool_t *safe)
{
    *safe = !unsafe;
    return 0;
}

/* Three times what the store holds. */
static int mapped_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    enum { N = 24 };
    trygon_ref_t refs[N];
    for (int i = 0; i < N; i++)
        refs[i] = put_filled(tg, MiB, i);
    trygon_store_stats_t s = stats_of(tg);
    CHECK(s.spilled_bytes == 0);
    CHECK(s.fallback_bytes >= N * MiB - s.limit);
    for (int i = 0; i < N; i++) {
        see(tg, refs[i], MiB, i);
        CHECK(looks_right(tg, NULL, refs[i], i));
    }
    OK(trygon_ref_release(tg, N, refs));
    empties_here(tg);
    CHECK(stats_of(tg).fallback_bytes == 0);
    return 0;
}

static void mapped_files_without_hdf5(void)
{
    static const struct h_fn look[] = {LARGE_FNS, {NULL, NULL}};
    unsafe = true;
    play(&(struct scene){.nodes = 1, .bytes = "8M", .own_dir = true}, look,
         mapped_driver);
    unsafe = false;
    CHECK(h_logged(
              "when the store is full new ones are made in mapped files") == 1);
    CHECK(h_logged("could not be written") == 0);
}

/* ----- all ------------------------------------------------------------------------------ */

static const struct h_fn fns[] = {
    LARGE_FNS, FN(holds), FN(overfills), {NULL, NULL}};
static const struct scene small = {.nodes = 2, .bytes = "16M", .own_dir = true};

static void damage_is_an_error(void)
{
    play(&small, fns, damage_driver);
}

static void who_reads_does_not_wait_for_hdf5(void)
{
    play(&small, fns, held_driver);
}

static void mapped_files_while_nothing_can_be_written(void)
{
    play(&small, fns, overfilled_driver);
}

static const struct h_host_test tests[] = {
    HOST_TEST(damage_is_an_error),
    HOST_TEST(who_reads_does_not_wait_for_hdf5),
    HOST_TEST(mapped_files_while_nothing_can_be_written),
    HOST_TEST(mapped_files_without_hdf5),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
}
