/* spilling.h - what the tests of the spill share: a folder of their own, items
 * of random content, spills in them.
 */
#ifndef TG_TESTS_STORE_SPILLING_H
#define TG_TESTS_STORE_SPILLING_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "../cunit_main.h"
#include "store/spill.h"

#define JOB UINT64_C(0x1234567890abcdef)

enum { WHY = 256, PATH_LEN = 512 };

/* A new folder; gone with all that is in it after drop_folder(). */
struct folder {
    char path[PATH_LEN];
};

static inline struct folder new_folder(void)
{
    struct folder f;
    const char *tmp = getenv("TMPDIR");
    snprintf(f.path, sizeof f.path, "%s/test_spill.XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(f.path));
    return f;
}

/* The status of a shell's command. */
__attribute__((format(printf, 1, 2))) static inline int shell(const char *fmt,
                                                              ...)
{
    char line[4 * PATH_LEN];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    return system(line);
}

static inline void drop_folder(struct folder *f)
{
    CU_ASSERT(shell("rm -rf '%s'", f->path) == 0);
}

/* The job's directory in a folder. */
static inline struct folder job_dir(const struct folder *f, uint64_t job)
{
    struct folder d;
    int n = snprintf(d.path, sizeof d.path, "%s/trygon-%lu-%016" PRIx64,
                     f->path, (unsigned long)geteuid(), job);
    CU_ASSERT_FATAL(n > 0 && n < PATH_LEN);
    return d;
}

static inline struct folder file_in(const struct folder *d, const char *name)
{
    struct folder p;
    int n = snprintf(p.path, sizeof p.path, "%s/%s", d->path, name);
    CU_ASSERT_FATAL(n > 0 && n < PATH_LEN);
    return p;
}

static inline bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* How many names, "." and ".." apart; -1: there is no such directory. */
static inline int count_names(const char *path)
{
    int n = -2;
    DIR *list = opendir(path);
    if (list == NULL)
        return -1;
    while (readdir(list) != NULL)
        n++;
    closedir(list);
    return n;
}

static inline struct tg_spill *new_spill(const struct tg_spill_opts *o)
{
    char why[WHY] = "";
    struct tg_spill *s = NULL;
    int rc = tg_spill_create(o, &s, why, sizeof why);
    if (rc != TRYGON_SUCCESS)
        fprintf(stderr, "tg_spill_create: %d: %s\n", rc, why);
    CU_ASSERT_EQUAL_FATAL(rc, TRYGON_SUCCESS);
    return s;
}

/* In one folder, with the defaults. */
static inline struct tg_spill *spill_in(const struct folder *f, uint64_t job,
                                        int32_t rank)
{
    return new_spill(
        &(struct tg_spill_opts){.dirs = f->path, .job = job, .rank = rank});
}

/* Plain bytes of random content, to be freed by free_items(). */
static inline struct tg_spill_item new_item(struct tg_rng *rng, uint64_t size)
{
    unsigned char *p = malloc(size + 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    for (uint64_t i = 0; i < size; i += 8) {
        uint64_t bits = tg_rng_next(rng);
        memcpy(p + i, &bits, 8);
    }
    return (struct tg_spill_item){.data = p,
                                  .size = size,
                                  .ref = {UINT64_C(1) << 60, 7},
                                  .function = "put",
                                  .rc = 99};
}

static inline void free_items(struct tg_spill_item items[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        free((void *)(uintptr_t)items[i].data);
}

static inline void write_ok(struct tg_spill *s, uint32_t n,
                            struct tg_spill_item items[])
{
    char why[WHY];
    int rc = tg_spill_write(s, n, items, why, sizeof why);
    CU_ASSERT_EQUAL(rc, TRYGON_SUCCESS);
    if (rc != TRYGON_SUCCESS)
        fprintf(stderr, "tg_spill_write: %d: %s\n", rc, why);
    for (uint32_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(items[i].rc, TRYGON_SUCCESS);
        CU_ASSERT(items[i].where.file > 0);
        CU_ASSERT_EQUAL(items[i].where.size, items[i].size);
    }
}

/* The object as it was written, whole and in parts. */
static inline bool same_back(struct tg_spill *s, const struct tg_spill_item *it,
                             struct tg_rng *rng)
{
    char why[WHY] = "";
    unsigned char *p = malloc(it->size + 1);
    const unsigned char *data = it->data;
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    int rc = tg_spill_read(s, &it->where, 0, it->size, p, why, sizeof why);
    bool good = rc == TRYGON_SUCCESS && memcmp(p, data, it->size) == 0;
    for (int i = 0; good && it->size > 0 && i < 3; i++) {
        uint64_t from = tg_rng_next(rng) % it->size;
        uint64_t n = tg_rng_next(rng) % (it->size - from) + 1;
        memset(p, 0xee, it->size);
        rc = tg_spill_read(s, &it->where, from, n, p, why, sizeof why);
        good = rc == TRYGON_SUCCESS && memcmp(p, data + from, n) == 0;
    }
    if (!good)
        fprintf(stderr, "tg_spill_read: %d: %s\n", rc, why);
    free(p);
    return good;
}

/* That reading the object fails, with this in the reason. */
static inline bool read_fails(struct tg_spill *s,
                              const struct tg_spill_item *it,
                              const char *reason)
{
    char why[WHY] = "";
    void *p = malloc(it->size + 1);
    int rc = tg_spill_read(s, &it->where, 0, it->size, p, why, sizeof why);
    free(p);
    if (rc != TRYGON_ERR_IO || strstr(why, reason) == NULL)
        fprintf(stderr, "tg_spill_read: %d: %s\n", rc, why);
    return rc == TRYGON_ERR_IO && strstr(why, reason) != NULL;
}

/* Ends a process that was forked from a test, with 0 when nothing has failed
 * since.  What has is told here: the list ends with the process. */
static inline void end_child(unsigned before)
{
    CU_pFailureRecord r = CU_get_failure_list();
    for (unsigned i = 0; r != NULL; r = r->pNext, i++)
        if (i >= before)
            fprintf(stderr, "in a child: %s:%u: %s\n", r->strFileName,
                    r->uiLineNumber, r->strCondition);
    fflush(NULL);
    _exit(CU_get_number_of_failure_records() > before);
}

static inline pid_t start_child(void (*fn)(void *arg), void *arg)
{
    unsigned before = CU_get_number_of_failure_records();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        fn(arg);
        end_child(before);
    }
    return pid;
}

/* Runs fn in a process of its own; returns what waitpid() says of it. */
static inline int in_child(void (*fn)(void *arg), void *arg)
{
    int status = -1;
    pid_t pid = start_child(fn, arg);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    return status;
}

#endif
