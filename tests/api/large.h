/* large.h - what the tests of large objects share: bytes that tell where they
 * come from, runtimes on pretended nodes with stores of any size, and tasks.
 */
#ifndef TG_TESTS_API_LARGE_H
#define TG_TESTS_API_LARGE_H

#include <dirent.h>
#include <sys/stat.h>

#include "harness.h"

enum { KiB = 1024, MiB = 1024 * 1024, PATH = 300 };

/* ----- contents ------------------------------------------------------------------ */

static inline uint64_t word_at(int64_t seed, size_t i)
{
    uint64_t x = (((uint64_t)seed << 40) + i) * UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 32;
}

static inline void fill(void *data, size_t n, int64_t seed)
{
    unsigned char *p = data;
    size_t at = 0;
    uint64_t x;
    for (; at + sizeof x <= n; at += sizeof x) {
        x = word_at(seed, at);
        memcpy(p + at, &x, sizeof x);
    }
    x = word_at(seed, at);
    if (at < n)
        memcpy(p + at, &x, n - at);
}

static inline bool is_filled(const void *data, size_t n, int64_t seed)
{
    const unsigned char *p = data;
    size_t at = 0;
    uint64_t x, is, wrong = 0;
    for (; at + sizeof x <= n; at += sizeof x) {
        memcpy(&is, p + at, sizeof is);
        wrong |= is ^ word_at(seed, at);
    }
    x = word_at(seed, at);
    return wrong == 0 && (at == n || memcmp(p + at, &x, n - at) == 0);
}

static inline trygon_ref_t put_filled(trygon_t *tg, size_t n, int64_t seed)
{
    trygon_ref_t ref = {0, 0};
    void *data = malloc(n);
    fill(data, n, seed);
    OK(trygon_put(tg, &TRYGON_BYTES(data, n), &ref));
    free(data);
    return ref;
}

/* Get it, look at all of it, give the value back. */
static inline void see(trygon_t *tg, trygon_ref_t ref, size_t n, int64_t seed)
{
    trygon_value_t v = {0};
    if (!OK(trygon_get(tg, ref, TRYGON_FOREVER, &v)))
        return;
    CHECK(v.size == n);
    CHECK(((uintptr_t)v.data & (n > 100 * KiB ? 63 : 15)) == 0);
    CHECK(is_filled(v.data, v.size, seed));
    OK(trygon_value_release(tg, &v));
}

static inline trygon_store_stats_t stats_of(trygon_t *tg)
{
    trygon_store_stats_t s = {.size = sizeof s};
    OK(trygon_store_stats(tg, &s));
    return s;
}

/* ----- tasks ------------------------------------------------------------------------ */

/* Arguments: an object, its seed.  Returns 1 if all of it is right. */
static int looks(trygon_call_t *c)
{
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    return return_int(c, is_filled(v.data, v.size, arg_int(c, 1)));
}

/* Arguments: how many bytes, the seed.  Returns them. */
static int makes(trygon_call_t *c)
{
    size_t n = (uint32_t)arg_int(c, 0);
    void *data = malloc(n);
    fill(data, n, arg_int(c, 1));
    int rc = trygon_call_return(c, 0, &TRYGON_BYTES(data, n));
    free(data);
    return rc;
}

/* The same, written where it stays. */
static int makes_in_place(trygon_call_t *c)
{
    trygon_buffer_t b = {0};
    OK(trygon_create(trygon_call_runtime(c), (size_t)arg_int(c, 0),
                     TRYGON_FOREVER, &b));
    fill(b.data, b.size, arg_int(c, 1));
    return trygon_call_return_buffer(c, 0, &b, NULL);
}

/* Which of the numbers of its rank's store. */
enum { USED, OBJECTS, PULLED, SENT, SPILLED, RESTORED, FALLBACK };
static int store_stat(trygon_call_t *c)
{
    trygon_store_stats_t s = stats_of(trygon_call_runtime(c));
    const uint64_t of[] = {s.used,          s.objects,       s.pulled_bytes,
                           s.sent_bytes,    s.spilled_bytes, s.restored_bytes,
                           s.fallback_bytes};
    return return_int(c, (int64_t)of[arg_int(c, 0)]);
}

#define LARGE_FNS FN(looks), FN(makes), FN(makes_in_place), FN(store_stat)

static inline trygon_task_opts_t at(int32_t node)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.strategy = TRYGON_STRATEGY_NODE;
    o.node = node;
    return o;
}

static inline bool looks_right(trygon_t *tg, const trygon_task_opts_t *o,
                               trygon_ref_t ref, int64_t seed)
{
    const trygon_value_t args[] = {TRYGON_REF(ref), INT(seed)};
    return take_int(tg, call_with(tg, "looks", o, 2, args)) == 1;
}

static inline trygon_ref_t make(trygon_t *tg, const char *how,
                                const trygon_task_opts_t *o, int64_t n,
                                int64_t seed)
{
    const trygon_value_t args[] = {INT(n), INT(seed)};
    return call_with(tg, how, o, 2, args);
}

static inline int64_t stat_at(trygon_t *tg, int32_t node, int64_t which)
{
    trygon_task_opts_t o = at(node);
    return take_int(tg, call_with(tg, "store_stat", &o, 1, &INT(which)));
}

/* ----- runtimes ------------------------------------------------------------------------ */

struct scene {
    int nodes;                     /* the ranks take turns on them; 0: one */
    const char *bytes;             /* of each node's store; NULL: the default */
    const trygon_class_t *classes; /* two of them; or NULL */
    bool own_dir; /* files go to a directory of this test, which is to be
                          empty at the end */
};

static inline int files_in(const char *dir)
{
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    if (d != NULL)
        closedir(d);
    return n;
}

/* The job's directory: the only one in that for files. */
static inline bool job_dir(char out[static PATH])
{
    const char *base = getenv("TRYGON_SPILL_DIR");
    DIR *d = opendir(base != NULL ? base : "");
    bool found = false;
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, "trygon-", 7) == 0)
            found = snprintf(out, PATH, "%s/%.100s", base, e->d_name) < PATH;
    if (d != NULL)
        closedir(d);
    return found;
}

/* Bytes that the job's files take of the disk, and how many there are. */
static inline int64_t on_disk(int *files)
{
    char dir[PATH], path[2 * PATH];
    int64_t sum = 0;
    DIR *d = job_dir(dir) ? opendir(dir) : NULL;
    *files = 0;
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (strncmp(e->d_name, "rank", 4) != 0 || stat(path, &st) != 0)
            continue;
        sum += (int64_t)st.st_blocks * 512;
        ++*files;
    }
    if (d != NULL)
        closedir(d);
    return sum;
}

/* Of `shared`: how often was asked whether the stores are empty; of each rank,
 * when it last was. */
enum { ASKED = H_SHARED - 17, EMPTY = H_SHARED - 16 };

struct watcher {
    trygon_t *tg;
    pthread_t thread;
    atomic_bool end;
};

/* A thread of every rank, which answers that. */
static inline void *watch(void *arg)
{
    struct watcher *w = arg;
    while (!atomic_load(&w->end)) {
        int asked = atomic_load(&shared[ASKED]);
        if (asked != atomic_load(&shared[EMPTY + h_rank])) {
            trygon_store_stats_t s = stats_of(w->tg);
            if (s.used + s.objects + s.fallback_bytes == 0)
                atomic_store(&shared[EMPTY + h_rank], asked);
        }
        usleep(1000);
    }
    return NULL;
}

static inline void run_watched(trygon_t *tg, trygon_driver_fn driver)
{
    struct watcher w = {.tg = tg};
    CHECK(h_size <= 16);
    CHECK(pthread_create(&w.thread, NULL, watch, &w) == 0);
    OK(trygon_run(tg, driver, NULL, NULL));
    atomic_store(&w.end, true);
    pthread_join(w.thread, NULL);
}

/* By every rank: start, run the driver, end. */
static inline void play(const struct scene *s, const struct h_fn *fns,
                        trygon_driver_fn driver)
{
    char node[32], dir[] = "/tmp/trygon-spill-XXXXXX";
    int nodes = s->nodes > 0 ? s->nodes : 1;
    snprintf(node, sizeof node, "node %d", h_rank % nodes);
    setenv("TRYGON_NODE_ID", node, 1);
    if (s->bytes != NULL)
        setenv("TRYGON_STORE_BYTES", s->bytes, 1);
    if (s->own_dir && h_rank == 0)
        CHECK(mkdtemp(dir) != NULL);
    MPI_Bcast(dir, sizeof dir, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (s->own_dir)
        setenv("TRYGON_SPILL_DIR", dir, 1);
    trygon_registry_t *reg = h_registry(fns);
    for (int i = 0; s->classes != NULL && i < 2; i++)
        OK(trygon_registry_add_class(reg, &s->classes[i]));
    trygon_opts_t o;
    trygon_t *tg = NULL;
    h_opts(&o, reg, 2);
    if (OK(trygon_init(MPI_COMM_WORLD, &o, &tg))) {
        run_watched(tg, driver);
        CHECK(stats_of(tg).fallback_bytes == 0 || s->own_dir);
        OK(trygon_finalize(&tg));
    }
    OK(trygon_registry_destroy(&reg));
    h_none_left();
    unsetenv("TRYGON_NODE_ID");
    unsetenv("TRYGON_STORE_BYTES");
    unsetenv("TRYGON_SPILL_DIR");
    MPI_Barrier(MPI_COMM_WORLD);
    if (s->own_dir && h_rank == 0) {
        CHECK(files_in(dir) == 0);
        CHECK(rmdir(dir) == 0);
    }
}

/* ----- what is left ------------------------------------------------------------------ */

/* Used bytes of a node's store go to 0 soon. */
static inline void empties(trygon_t *tg, int32_t node)
{
    double end = h_seconds() + 2;
    int64_t used;
    while ((used = stat_at(tg, node, USED)) != 0 && h_seconds() < end)
        usleep(1000);
    CHECK(used == 0);
}

static inline void empties_here(trygon_t *tg)
{
    double end = h_seconds() + 0.1;
    while (stats_of(tg).used != 0 && h_seconds() < end)
        usleep(1000);
    CHECK(stats_of(tg).used == 0);
}

/* The stores of all ranks, whatever their slots do, have nothing any more soon,
 * in memory or in files.  Returns after how many seconds. */
static inline double empties_everywhere(trygon_t *tg)
{
    double began = h_seconds();
    int asked = atomic_fetch_add(&shared[ASKED], 1) + 1, r = 0;
    while (r < h_size && h_seconds() < began + 2) {
        if (atomic_load(&shared[EMPTY + r]) == asked)
            r++;
        else
            usleep(100);
    }
    double took = h_seconds() - began;
    if (!CHECK(r == h_size))
        fprintf(stderr, "the store of rank %d is not empty\n", r);
    (void)tg;
    return took;
}

#endif
