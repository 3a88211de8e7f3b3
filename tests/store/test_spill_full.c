/* test_spill_full.c - disks that are full, or fill up while they are written to.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "spilling.h"
#include "store/spill_impl.h"

static void a_guarded_disk_is_full(void)
{
    struct folder f = new_folder(), d = job_dir(&f, JOB);
    struct tg_rng rng = {9};
    struct tg_spill_item it = new_item(&rng, 1000);
    char why[WHY];
    struct tg_spill *s = new_spill(&(struct tg_spill_opts){
        .dirs = f.path, .job = JOB, .disk_percent = 100});
    struct tg_spill_item huge = {.data = "", .size = UINT64_C(1) << 60};
    CU_ASSERT_EQUAL(tg_spill_write(s, 1, &huge, why, sizeof why),
                    TRYGON_ERR_DISK_FULL);
    CU_ASSERT_EQUAL(huge.rc, TRYGON_ERR_DISK_FULL);
    CU_ASSERT_EQUAL(huge.where.file, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, f.path));
    CU_ASSERT_PTR_NULL(tg_spill_room(s, UINT64_C(1) << 60));
    CU_ASSERT(!exists(d.path));
    const char *room = tg_spill_room(s, 1000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(room);
    CU_ASSERT_STRING_EQUAL(room, d.path);
    write_ok(s, 1, &it);
    free_items(&it, 1);
    tg_spill_destroy(&s);
    CU_ASSERT_EQUAL(count_names(f.path), 0);
    drop_folder(&f);
}

/* Whether the process has a name space of mounts of its own now, and in it a
 * disk of that size at the path. */
static bool mount_small(const char *path, const char *options)
{
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", path, "tmpfs", 0, options) == 0;
}

enum { SKIPPED = 77 };

struct full {
    struct folder f;
    int deflate;
};

/* 4 MiB and objects of 1 MiB, one of which alone would not fit. */
static void fill(void *arg)
{
    enum { N = 8 };
    const struct full *c = arg;
    struct tg_rng rng = {10};
    struct tg_spill_item items[N];
    struct folder d = job_dir(&c->f, JOB);
    char why[WHY];
    if (!mount_small(c->f.path, "size=4m"))
        _exit(SKIPPED);
    struct tg_spill *s =
        new_spill(&(struct tg_spill_opts){.dirs = c->f.path,
                                          .job = JOB,
                                          .deflate = c->deflate,
                                          .disk_percent = 100});
    for (int i = 0; i < N; i++)
        items[i] = new_item(&rng, i == 0 ? 5 << 20 : 1 << 20);
    CU_ASSERT_EQUAL(tg_spill_write(s, N, items, why, sizeof why),
                    TRYGON_ERR_DISK_FULL);
    CU_ASSERT(why[0] != '\0');
    CU_ASSERT_EQUAL(items[0].rc, TRYGON_ERR_DISK_FULL);
    int good = 0;
    for (int i = 1; i < N; i++) {
        good += items[i].rc == TRYGON_SUCCESS;
        if (items[i].rc == TRYGON_SUCCESS) {
            CU_ASSERT(same_back(s, &items[i], &rng));
        } else {
            CU_ASSERT_EQUAL(items[i].rc, TRYGON_ERR_DISK_FULL);
        }
    }
    CU_ASSERT(good >= 2 && good <= 3);
    CU_ASSERT_EQUAL(count_names(d.path), 1 + (int)tg_spill_files(s));
    for (int i = 1; i < N; i++)
        if (items[i].rc == TRYGON_SUCCESS)
            tg_spill_forget(s, &items[i].where);
    CU_ASSERT_EQUAL(count_names(d.path), 1);
    tg_spill_destroy(&s);
    free_items(items, N);
}

/* The disk fills up while it is written to: the guard has not seen it come. */
static void overflow(void *arg)
{
    enum { N = 4 };
    const struct full *c = arg;
    struct tg_rng rng = {11};
    char why[WHY] = "";
    struct folder file = file_in(&c->f, "x.h5");
    if (!mount_small(c->f.path, "size=4m"))
        _exit(SKIPPED);
    for (int k = 0; k < 6; k++) {
        struct tg_spill_item items[N];
        struct tg_h5 *h5 = NULL;
        int rc;
        for (int i = 0; i < N; i++)
            items[i] = new_item(&rng, 300000u * (unsigned)k + 10000);
        rc =
            tg_h5_create(file.path, c->deflate, N, items, &h5, why, sizeof why);
        if (k < 3 && rc == TRYGON_SUCCESS) /* no room even for the first */
            CU_ASSERT(
                shell("cat /dev/zero >'%s/fill' 2>/dev/null", c->f.path) != 0);
        for (int i = 0; c->deflate > 0 && rc == TRYGON_SUCCESS && i < N; i++)
            rc = tg_h5_deflate(h5, &items[i], why, sizeof why);
        if (rc == TRYGON_SUCCESS)
            rc = tg_h5_close(&h5, items, why, sizeof why);
        CU_ASSERT(rc == TRYGON_ERR_DISK_FULL || rc == TRYGON_SUCCESS);
        CU_ASSERT(rc != TRYGON_ERR_DISK_FULL ||
                  strstr(why, "No space left") != NULL);
        CU_ASSERT(c->deflate == 0 || rc != TRYGON_SUCCESS || k == 3);
        CU_ASSERT(truncate(file.path, 0) == 0);
        tg_h5_drop(&h5);
        CU_ASSERT(shell("rm -f '%s/fill' '%s'", c->f.path, file.path) == 0);
        free_items(items, N);
    }
}

static void on_a_small_disk(void (*fn)(void *arg), int deflate)
{
    struct full c = {new_folder(), deflate};
    int status = in_child(fn, &c);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        fprintf(stderr, "no small disk can be mounted: it is not tried\n");
    else
        CU_ASSERT_EQUAL(status, 0);
    drop_folder(&c.f);
}

static void a_full_disk_is_told(void)
{
    on_a_small_disk(fill, 0);
}

static void a_full_disk_is_told_when_deflating(void)
{
    on_a_small_disk(fill, 1);
}

static void a_disk_may_fill_up_meanwhile(void)
{
    on_a_small_disk(overflow, 0);
    on_a_small_disk(overflow, 1);
}

/* A second directory takes what the small one cannot. */
static void spill_over(void *arg)
{
    enum { N = 8 };
    const struct full *c = arg;
    struct folder small = file_in(&c->f, "small"), big = file_in(&c->f, "big");
    struct tg_rng rng = {12};
    struct tg_spill_item items[N];
    char dirs[2 * PATH_LEN + 2];
    if (mkdir(small.path, 0755) != 0 || mkdir(big.path, 0755) != 0 ||
        !mount_small(small.path, "size=3m"))
        _exit(SKIPPED);
    snprintf(dirs, sizeof dirs, "%s:%s", small.path, big.path);
    struct tg_spill *s = new_spill(
        &(struct tg_spill_opts){.dirs = dirs, .job = JOB, .file_min = 1 << 20});
    for (int i = 0; i < N; i++)
        items[i] = new_item(&rng, 1 << 20);
    write_ok(s, N, items);
    for (int i = 0; i < N; i++)
        CU_ASSERT(same_back(s, &items[i], &rng));
    tg_spill_destroy(&s);
    free_items(items, N);
}

static void another_disk_takes_what_one_cannot(void)
{
    on_a_small_disk(spill_over, 0);
}

static void write_beyond_the_limit(void *arg)
{
    struct rlimit limit = {100000, 100000};
    struct tg_rng rng = {13};
    struct tg_spill_item it = new_item(&rng, 200000);
    char why[WHY];
    struct tg_spill *s = spill_in(arg, JOB, 0);
    CU_ASSERT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CU_ASSERT_EQUAL(tg_spill_write(s, 1, &it, why, sizeof why), TRYGON_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "File too large"));
    tg_spill_destroy(&s);
    free_items(&it, 1);
}

static void the_limit_of_a_files_size_does_not_kill(void)
{
    struct folder f = new_folder();
    CU_ASSERT_EQUAL(in_child(write_beyond_the_limit, &f), 0);
    CU_ASSERT_EQUAL(count_names(f.path), 0);
    drop_folder(&f);
}

static const struct unit_test tests[] = {
    TEST(a_guarded_disk_is_full),
    TEST(a_full_disk_is_told),
    TEST(a_full_disk_is_told_when_deflating),
    TEST(a_disk_may_fill_up_meanwhile),
    TEST(another_disk_takes_what_one_cannot),
    TEST(the_limit_of_a_files_size_does_not_kill),
    TESTS_END,
};
CUNIT_MAIN("spill_full", tests)
