/* harness.h - what the tests of the public interface share.
 *
 * A test is a driver: it runs on rank 0 of a runtime of its own, which every
 * rank has started with the registry in `fns`.  Checks may stand anywhere, in
 * tasks and threads of any rank; the failures of all ranks are added up after
 * each test and decide the exit status.  At the end of each test no reference
 * may be left anywhere.
 *
 * `shared` is memory that all ranks see (they are on one machine): gates that
 * a task waits for and counters that tell what happened in which order.
 */
#ifndef TG_TESTS_API_HARNESS_H
#define TG_TESTS_API_HARNESS_H

#include <fcntl.h>
#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <trygon/trygon.h>
#include <unistd.h>

#include "base/sanitizer.h"

enum { H_SHARED = 64, H_TEST_S = 110, H_LOG = 1 << 18 };

struct h_fn {
    const char *name;
    trygon_task_fn fn;
};

struct h_test {
    const char *name;
    void (*run)(trygon_t *tg);
    int slots; /* of each rank that works; 0: 2 */
};

#define TEST(function_, slots_)         \
    {                                   \
#function_, function_, (slots_) \
    }
#define FN(function_)         \
    {                         \
#function_, function_ \
    }

static atomic_int *shared; /* H_SHARED of them, 0 when a test starts */
static int h_rank, h_size; /* in MPI_COMM_WORLD */
static atomic_int h_failures;
static const char *h_name = "";

/* ----- checks --------------------------------------------------------------- */

static inline bool h_check(bool good, const char *what, const char *file,
                           int line)
{
    if (!good && atomic_fetch_add(&h_failures, 1) < 20)
        fprintf(stderr, "%s:%d: rank %d, %s: not so: %s\n", file, line, h_rank,
                h_name, what);
    return good;
}

static inline bool h_check_rc(int rc, int want, const char *what,
                              const char *file, int line)
{
    if (rc != want && atomic_fetch_add(&h_failures, 1) < 20) {
        trygon_error_t e = {.size = sizeof e};
        bool told = rc != 0 && trygon_last_error(&e) == TRYGON_SUCCESS;
        fprintf(stderr, "%s:%d: rank %d, %s: %s is %d, not %d (%s)\n", file,
                line, h_rank, h_name, what, rc, want, told ? e.text : "");
    }
    return rc == want;
}

#define CHECK(cond_) h_check((cond_), #cond_, __FILE__, __LINE__)
#define CHECK_RC(call_, want_) \
    h_check_rc((call_), (want_), #call_, __FILE__, __LINE__)
#define OK(call_) CHECK_RC(call_, TRYGON_SUCCESS)
#define INVALID(call_) CHECK_RC(call_, TRYGON_ERR_INVALID)

static inline double h_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Look until it is so, but not for ever. */
#define UNTIL(cond_)                                              \
    do {                                                          \
        double end_ = h_seconds() + 60;                           \
        while (!(cond_) && h_seconds() < end_)                    \
            usleep(100);                                          \
        h_check((cond_), "in time: " #cond_, __FILE__, __LINE__); \
    } while (0)

/* ----- the log of this rank ------------------------------------------------------ */

static pthread_mutex_t h_log_lock = PTHREAD_MUTEX_INITIALIZER;
static char h_log_text[H_LOG];
static size_t h_log_size;

static inline void h_log(void *arg, enum trygon_level level, const char *line)
{
    (void)arg;
    size_t n = strlen(line);
    pthread_mutex_lock(&h_log_lock);
    if (h_log_size + n + 4 < H_LOG)
        h_log_size +=
            (size_t)snprintf(h_log_text + h_log_size, H_LOG - h_log_size,
                             "%d %s\n", (int)level, line);
    pthread_mutex_unlock(&h_log_lock);
}

/* How many lines of this rank's log contain the text. */
static inline int h_logged(const char *text)
{
    int n = 0;
    pthread_mutex_lock(&h_log_lock);
    for (const char *at = h_log_text; (at = strstr(at, text)) != NULL; n++) {
        at += strcspn(at, "\n");
    }
    pthread_mutex_unlock(&h_log_lock);
    return n;
}

static inline void h_log_clear(void)
{
    pthread_mutex_lock(&h_log_lock);
    h_log_size = 0;
    h_log_text[0] = '\0';
    pthread_mutex_unlock(&h_log_lock);
}

/* ----- start and end --------------------------------------------------------------- */

static inline void h_share(void)
{
    char path[] = "/dev/shm/trygon-test-XXXXXX";
    int fd = -1;
    if (h_rank == 0)
        fd = mkstemp(path);
    if (fd >= 0 && ftruncate(fd, H_SHARED * sizeof *shared) != 0)
        perror("ftruncate");
    MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (h_rank != 0)
        fd = open(path, O_RDWR);
    void *p = mmap(NULL, H_SHARED * sizeof *shared, PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);
    MPI_Barrier(MPI_COMM_WORLD);
    if (h_rank == 0)
        unlink(path);
    if (fd < 0 || p == MAP_FAILED) {
        fprintf(stderr, "no shared memory for the test\n");
        MPI_Abort(MPI_COMM_WORLD, 99);
    }
    close(fd);
    shared = p;
}

static inline void h_start(int level)
{
    int provided;
    if (MPI_Init_thread(NULL, NULL, level, &provided) != MPI_SUCCESS)
        exit(99);
    if (provided < level) {
        fprintf(stderr, "this MPI offers thread level %d only\n", provided);
        MPI_Finalize();
        exit(77);
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &h_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &h_size);
    h_share();
}

/* Collective: a test begins. */
static inline void h_begin(const char *name)
{
    h_name = name;
    h_log_clear();
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; h_rank == 0 && i < H_SHARED; i++)
        atomic_store(&shared[i], 0);
    MPI_Barrier(MPI_COMM_WORLD);
    alarm(H_TEST_S); /* kills, before the one who runs the tests does */
    if (h_rank == 0) {
        printf("  %-50s ", name);
        fflush(stdout);
    }
}

/* Collective: a test ends; the failures of all ranks so far. */
static inline int h_end(double began)
{
    int mine = atomic_load(&h_failures), all = 0;
    static int before;
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (h_rank == 0)
        printf("%s %6.0f ms\n", all == before ? "passed" : "FAILED",
               (h_seconds() - began) * 1e3);
    before = all;
    return all;
}

static inline trygon_registry_t *h_registry(const struct h_fn *fns)
{
    trygon_registry_t *reg = NULL;
    OK(trygon_registry_create(&reg));
    for (; fns != NULL && fns->name != NULL; fns++)
        OK(trygon_registry_add_task(reg, fns->name, fns->fn));
    return reg;
}

/* Every rank has this many slots; rank 0 only when it is alone. */
static inline void h_opts(trygon_opts_t *o, const trygon_registry_t *reg,
                          int slots)
{
    OK(trygon_opts_init(o));
    o->registry = reg;
    o->num_cpus = slots;
    o->verbose = 1;
    o->log = h_log;
}

static inline void h_none_left(void)
{
    h_check(h_logged("never released") == 0, "all references were released",
            h_name, 0);
}

static inline int h_driver(trygon_t *tg, void *arg)
{
    const struct h_test *t = arg;
    t->run(tg);
    return 0;
}

static inline int h_one(const struct h_test *t, const trygon_registry_t *reg)
{
    double began = h_seconds();
    trygon_opts_t o;
    trygon_t *tg = NULL;
    struct h_test copy = *t;
    int status = -1;
    h_begin(t->name);
    h_opts(&o, reg, t->slots > 0 ? t->slots : 2);
    if (OK(trygon_init(MPI_COMM_WORLD, &o, &tg))) {
        OK(trygon_run(tg, h_driver, &copy, &status));
        CHECK(status == 0);
        OK(trygon_finalize(&tg));
        h_none_left();
    }
    return h_end(began);
}

/* All tests, or those whose name contains an argument of the program. */
static inline bool h_wanted(int argc, char **argv, const char *name)
{
    bool wanted = argc < 2;
    for (int i = 1; i < argc; i++)
        wanted = wanted || strstr(name, argv[i]) != NULL;
    return wanted;
}

/* The failures so far, of all ranks; the registry is destroyed. */
static inline int h_tests(int argc, char **argv, const struct h_test *tests,
                          trygon_registry_t *reg)
{
    int failures = 0;
    for (; tests->name != NULL; tests++)
        if (h_wanted(argc, argv, tests->name))
            failures = h_one(tests, reg);
    OK(trygon_registry_destroy(&reg));
    return failures;
}

/* The rest of a main() that has started MPI and registered what it has. */
static inline int h_main_with(int argc, char **argv, const struct h_test *tests,
                              trygon_registry_t *reg)
{
    int failures = h_tests(argc, argv, tests, reg);
    MPI_Finalize();
    return failures != 0;
}

static inline int h_main(int argc, char **argv, const struct h_test *tests,
                         const struct h_fn *fns)
{
    h_start(MPI_THREAD_MULTIPLE);
    return h_main_with(argc, argv, tests, h_registry(fns));
}

/* ----- tests that start runtimes themselves -------------------------------------------- */

struct h_host_test { /* every rank calls it */
    const char *name;
    void (*run)(void);
};

#define HOST_TEST(function_)  \
    {                         \
#function_, function_ \
    }

static inline int h_host_main(int argc, char **argv, int level,
                              const struct h_host_test *tests)
{
    int failures = 0;
    h_start(level);
    for (; tests->name != NULL; tests++) {
        if (!h_wanted(argc, argv, tests->name))
            continue;
        double began = h_seconds();
        h_begin(tests->name);
        tests->run();
        failures = h_end(began);
    }
    MPI_Finalize();
    return failures != 0;
}

/* ----- short forms -------------------------------------------------------------------- */

#define INT(x_) TRYGON_BYTES(&(x_), sizeof(int64_t)) /* of an int64_t */

/* A task with one return. */
static inline trygon_ref_t call_with(trygon_t *tg, const char *task,
                                     const trygon_task_opts_t *opts,
                                     size_t nargs, const trygon_value_t *args)
{
    trygon_ref_t ref = {0, 0};
    OK(trygon_submit(tg, task, nargs, args, opts, &ref));
    return ref;
}

static inline trygon_ref_t call(trygon_t *tg, const char *task, size_t nargs,
                                const trygon_value_t *args)
{
    return call_with(tg, task, NULL, nargs, args);
}

static inline trygon_ref_t call1(trygon_t *tg, const char *task, int64_t x)
{
    return call(tg, task, 1, &INT(x));
}

static inline trygon_ref_t put_int(trygon_t *tg, int64_t x)
{
    trygon_ref_t ref = {0, 0};
    OK(trygon_put(tg, &INT(x), &ref));
    return ref;
}

static inline void drop(trygon_t *tg, trygon_ref_t ref)
{
    OK(trygon_ref_release(tg, 1, &ref));
}

static inline int64_t get_int(trygon_t *tg, trygon_ref_t ref)
{
    int64_t x = -1;
    size_t size = 0;
    if (OK(trygon_get_into(tg, ref, TRYGON_FOREVER, &x, sizeof x, &size)))
        CHECK(size == sizeof x);
    return x;
}

/* Get it and give the reference back. */
static inline int64_t take_int(trygon_t *tg, trygon_ref_t ref)
{
    int64_t x = get_int(tg, ref);
    drop(tg, ref);
    return x;
}

/* The code with which a reference failed; gives it back. */
static inline int take_code(trygon_t *tg, trygon_ref_t ref)
{
    trygon_value_t v = {0};
    int rc = trygon_get(tg, ref, TRYGON_FOREVER, &v);
    if (rc == TRYGON_SUCCESS)
        OK(trygon_value_release(tg, &v));
    drop(tg, ref);
    return rc;
}

/* Inside a task. */
static inline int64_t arg_int(trygon_call_t *c, size_t i)
{
    trygon_value_t v = {0};
    int64_t x = -1;
    OK(trygon_call_arg(c, i, &v));
    if (CHECK(v.size == sizeof x))
        memcpy(&x, v.data, sizeof x);
    return x;
}

static inline int return_int(trygon_call_t *c, int64_t x)
{
    return trygon_call_return(c, 0, &INT(x));
}

#endif
