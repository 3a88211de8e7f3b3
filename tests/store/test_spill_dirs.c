/* test_spill_dirs.c - where spilled objects go: whose directories are removed
 * and whose are not, directories that vanish.
 */
#include <hdf5.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "spilling.h"
#include "store/spill_impl.h"

/* ----- options ------------------------------------------------------------ */

static void refused(const struct tg_spill_opts *o, const char *reason)
{
    char why[WHY] = "";
    struct tg_spill *s = NULL;
    CU_ASSERT_EQUAL(tg_spill_create(o, &s, why, sizeof why),
                    TRYGON_ERR_INVALID);
    CU_ASSERT_PTR_NULL(s);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, reason));
}

static void bad_options_are_refused(void)
{
    struct folder f = new_folder(), file = file_in(&f, "file"),
                  none = file_in(&f, "none");
    char two[2 * PATH_LEN + 2];
    CU_ASSERT(shell("touch '%s'", file.path) == 0);
    snprintf(two, sizeof two, "%s:%s", f.path, none.path);
    refused(&(struct tg_spill_opts){.dirs = f.path, .deflate = 10}, "10");
    refused(&(struct tg_spill_opts){.dirs = f.path, .deflate = -1}, "-1");
    refused(&(struct tg_spill_opts){.dirs = f.path, .disk_percent = 101},
            "101");
    refused(&(struct tg_spill_opts){.dirs = file.path}, file.path);
    refused(&(struct tg_spill_opts){.dirs = two}, none.path);
    CU_ASSERT_EQUAL(count_names(f.path), 1);
    drop_folder(&f);
}

struct variables {
    const char *slurm, *tmp;
};

static const char *answer(void *arg, const char *name)
{
    struct variables *v = arg;
    if (strcmp(name, "SLURM_TMPDIR") == 0)
        return v->slurm;
    return strcmp(name, "TMPDIR") == 0 ? v->tmp : NULL;
}

static void goes_to(struct variables v, const struct folder *f)
{
    struct tg_rng rng = {1};
    struct tg_spill_item it = new_item(&rng, 10);
    struct tg_spill *s = new_spill(&(struct tg_spill_opts){
        .dirs = "", .job = JOB, .env = answer, .env_arg = &v});
    write_ok(s, 1, &it);
    struct folder d = job_dir(f, JOB);
    CU_ASSERT(exists(d.path));
    tg_spill_destroy(&s);
    CU_ASSERT(!exists(d.path));
    free_items(&it, 1);
}

static void the_environment_has_defaults(void)
{
    struct folder a = new_folder(), b = new_folder(), tmp = {"/tmp"};
    goes_to((struct variables){a.path, b.path}, &a);
    goes_to((struct variables){"/none", b.path}, &b);
    goes_to((struct variables){NULL, b.path}, &b);
    goes_to((struct variables){"", NULL}, &tmp);
    drop_folder(&a);
    drop_folder(&b);
}

/* ----- the library in the process ------------------------------------------ */

/* The linker puts these between spill_hdf5.c and the library. */
herr_t __real_H5is_library_threadsafe(hbool_t *safe);
herr_t __wrap_H5is_library_threadsafe(hbool_t *safe);
herr_t __real_H5get_libversion(unsigned *major, unsigned *minor, unsigned *rel);
herr_t __wrap_H5get_libversion(unsigned *major, unsigned *minor, unsigned *rel);

static enum { AS_IT_IS, UNSAFE, ANOTHER } library;

herr_t __wrap_H5is_library_threadsafe(hbool_t *safe)
{
    herr_t rc = __real_H5is_library_threadsafe(safe);
    if (library == UNSAFE)
        *safe = false;
    return rc;
}

herr_t __wrap_H5get_libversion(unsigned *major, unsigned *minor, unsigned *rel)
{
    herr_t rc = __real_H5get_libversion(major, minor, rel);
    *rel += library == ANOTHER;
    return rc;
}

/* There are mapped files all the same. */
static void is_refused(const struct folder *f, const char *reason)
{
    struct tg_spill *s = NULL;
    struct tg_rng rng = {1};
    struct tg_spill_item it = new_item(&rng, 100);
    struct folder d = job_dir(f, JOB);
    char why[WHY] = "";
    CU_ASSERT_EQUAL(
        tg_spill_create(&(struct tg_spill_opts){.dirs = f->path, .job = JOB},
                        &s, why, sizeof why),
        TRYGON_ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, reason));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    why[0] = '\0';
    CU_ASSERT_EQUAL(tg_spill_write(s, 1, &it, why, sizeof why),
                    TRYGON_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(it.rc, TRYGON_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(it.where.file, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, reason));
    CU_ASSERT(!exists(d.path));
    const char *room = tg_spill_room(s, 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(room);
    CU_ASSERT_STRING_EQUAL(room, d.path);
    tg_spill_destroy(&s);
    CU_ASSERT_EQUAL(count_names(f->path), 0);
    free_items(&it, 1);
}

static void other_libraries_are_not_called(void)
{
    struct folder f = new_folder();
    library = UNSAFE;
    is_refused(&f, "thread-safe");
    library = ANOTHER;
    is_refused(&f, "built with");
    library = AS_IT_IS;
    drop_folder(&f);
}

/* ----- whose directory goes ----------------------------------------------- */

static void spill_and_be_killed(void *arg)
{
    struct tg_rng rng = {2};
    struct tg_spill_item it = new_item(&rng, 5000);
    struct tg_spill *s = spill_in(arg, JOB, 1);
    write_ok(s, 1, &it);
    raise(SIGKILL);
}

static void what_the_killed_leave_goes(void)
{
    struct folder f = new_folder();
    int status = in_child(spill_and_be_killed, &f);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct folder d = job_dir(&f, JOB), file = file_in(&d, "rank1-1.h5");
    CU_ASSERT(exists(file.path));
    if (shell("command -v h5dump >/dev/null") == 0) {
        CU_ASSERT(shell("h5dump '%s' >/dev/null", file.path) == 0);
    } else {
        fprintf(stderr, "h5dump is not there: files are not read with it\n");
    }
    struct tg_spill *s = spill_in(&f, JOB + 1, 0);
    CU_ASSERT(!exists(d.path));
    CU_ASSERT_EQUAL(count_names(f.path), 0); /* none of its own yet */
    tg_spill_destroy(&s);
    drop_folder(&f);
}

struct pipes {
    struct folder folder;
    int ready[2], go[2];
};

static void spill_and_wait(void *arg)
{
    struct pipes *p = arg;
    struct tg_rng rng = {3};
    struct tg_spill_item it = new_item(&rng, 5000);
    struct tg_spill *s = spill_in(&p->folder, JOB, 0);
    char c = 'r';
    write_ok(s, 1, &it);
    CU_ASSERT(write(p->ready[1], &c, 1) == 1);
    CU_ASSERT(read(p->go[0], &c, 1) == 1);
    CU_ASSERT(same_back(s, &it, &rng));
    tg_spill_destroy(&s);
}

static void what_the_living_have_stays(void)
{
    struct pipes p = {.folder = new_folder()};
    struct folder d = job_dir(&p.folder, JOB);
    int status = -1;
    char c = 'g';
    CU_ASSERT_FATAL(pipe(p.ready) == 0 && pipe(p.go) == 0);
    pid_t pid = start_child(spill_and_wait, &p);
    CU_ASSERT(read(p.ready[0], &c, 1) == 1);
    struct tg_spill *s = spill_in(&p.folder, JOB + 1, 0);
    CU_ASSERT_EQUAL(count_names(d.path), 2);
    tg_spill_destroy(&s);
    CU_ASSERT_EQUAL(count_names(d.path), 2);
    CU_ASSERT(write(p.go[1], &c, 1) == 1);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(count_names(p.folder.path), 0);
    for (int i = 0; i < 2; i++) {
        close(p.ready[i]);
        close(p.go[i]);
    }
    drop_folder(&p.folder);
}

static void count_warning(void *arg, enum trygon_level level, const char *line)
{
    (void)line;
    *(int *)arg += level == TRYGON_LOG_WARN;
}

/* How many warnings a start gives. */
static int start_in(const struct folder *f)
{
    int n = 0;
    struct tg_log log = {TRYGON_LOG_WARN, 0, count_warning, &n};
    struct tg_spill *s = new_spill(
        &(struct tg_spill_opts){.dirs = f->path, .job = 1, .log = &log});
    tg_spill_destroy(&s);
    return n;
}

static void make_dir(const struct folder *d, const char *extra)
{
    CU_ASSERT(shell("mkdir -m 700 '%s' && touch '%s/lock' '%s/rank0-1.h5' && "
                    "cd '%s' && %s",
                    d->path, d->path, d->path, d->path, extra) == 0);
}

/* Each is like a stale one but for one thing. */
static void what_is_not_ours_stays(void)
{
    static const struct {
        const char *extra;
        int left, warnings; /* names in it; -1: it is gone */
    } cases[] = {
        {"true", -1, 0},
        {"touch rank12-345.h5 map.x", -1, 0},
        {"rm lock rank0-1.h5", -1, 0}, /* its maker was killed */
        {"touch notes.txt", 3, 1},
        {"touch rank0-1.h5.bak", 3, 1},
        {"mkdir rank7-7.h5", 3, 1},
        {"ln -s /etc/passwd rank7-7.h5", 3, 1},
        {"rm lock", 1, 1},
        {"rm lock && mkdir lock", 2, 0},
        {"rm lock && ln -s rank0-1.h5 lock", 2, 0},
        {"chmod 770 .", 2, 0}, /* somebody else may have written there */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct folder f = new_folder(), d = job_dir(&f, JOB);
        make_dir(&d, cases[i].extra);
        CU_ASSERT_EQUAL(start_in(&f), cases[i].warnings);
        CU_ASSERT_EQUAL(count_names(d.path), cases[i].left);
        drop_folder(&f);
    }
}

static void other_names_stay(void)
{
    static const char *const names[] = {
        "trygon-%lu-1234567890abcde",   "trygon-%lu-1234567890abcdef0",
        "trygon-%lu-1234567890ABCDEF",  "trygon-%lu-1234567890abcdeg",
        "trygon-1%lu-1234567890abcdef", "xtrygon-%lu-1234567890abcdef"};
    struct folder f = new_folder();
    int n = sizeof names / sizeof names[0];
    for (int i = 0; i < n; i++) {
        char name[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(name, sizeof name, names[i], (unsigned long)geteuid());
#pragma GCC diagnostic pop
        struct folder d = file_in(&f, name);
        make_dir(&d, "true");
    }
    struct folder d = job_dir(&f, JOB), real = file_in(&f, "real");
    make_dir(&real, "true");
    CU_ASSERT(symlink("real", d.path) == 0);
    CU_ASSERT_EQUAL(start_in(&f), 0);
    CU_ASSERT_EQUAL(count_names(f.path), n + 2);
    CU_ASSERT_EQUAL(count_names(real.path), 2);
    drop_folder(&f);
}

static void what_others_have_stays(void)
{
    if (geteuid() != 0) {
        fprintf(stderr, "not root: no directory of another user is tried\n");
        return;
    }
    struct folder f = new_folder(), d = job_dir(&f, JOB);
    make_dir(&d, "chown 12345 .");
    CU_ASSERT_EQUAL(start_in(&f), 0);
    CU_ASSERT_EQUAL(count_names(d.path), 2);
    CU_ASSERT(shell("chown 0 '%s' && chown 12345 '%s'/rank0-1.h5", d.path,
                    d.path) == 0);
    CU_ASSERT_EQUAL(start_in(&f), 1);
    CU_ASSERT_EQUAL(count_names(d.path), 2);

    /* A job does not write where another user may look. */
    struct tg_rng rng = {4};
    struct tg_spill_item it = new_item(&rng, 10);
    struct tg_spill *s = spill_in(&f, JOB, 0);
    char why[WHY];
    CU_ASSERT(chmod(d.path, 0755) == 0);
    CU_ASSERT_EQUAL(tg_spill_write(s, 1, &it, why, sizeof why), TRYGON_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, d.path));
    tg_spill_destroy(&s);
    free_items(&it, 1);
    drop_folder(&f);
}

/* The ranks of a job have one directory; it goes with the last of them, and
 * with it what those have left that died. */
static void the_last_rank_removes_the_directory(void)
{
    struct folder f = new_folder(), d = job_dir(&f, JOB);
    struct tg_rng rng = {5};
    struct tg_spill_item items[2] = {new_item(&rng, 10), new_item(&rng, 10)};
    (void)in_child(spill_and_be_killed, &f);
    struct tg_spill *a = spill_in(&f, JOB, 2), *b = spill_in(&f, JOB, 3);
    CU_ASSERT_EQUAL(count_names(d.path), -1); /* taken for another job's */
    (void)in_child(spill_and_be_killed, &f);
    write_ok(a, 1, &items[0]);
    write_ok(b, 1, &items[1]);
    CU_ASSERT_EQUAL(count_names(d.path), 4);
    tg_spill_destroy(&a);
    CU_ASSERT_EQUAL(count_names(d.path), 3);
    CU_ASSERT(same_back(b, &items[1], &rng));
    tg_spill_destroy(&b);
    CU_ASSERT_EQUAL(count_names(f.path), 0);
    free_items(items, 2);
    drop_folder(&f);
}

struct rank {
    const struct folder *folder;
    int32_t rank;
};

/* Jobs begin and end at once, each with two ranks; each start cleans. */
static void begin_and_end(void *arg)
{
    const struct rank *r = arg;
    struct tg_rng rng = {(uint64_t)r->rank};
    struct tg_spill_item it = new_item(&rng, 100);
    for (int i = 0; i < 200; i++) {
        struct tg_spill *s =
            spill_in(r->folder, (uint64_t)(r->rank / 2), r->rank);
        write_ok(s, 1, &it);
        CU_ASSERT(same_back(s, &it, &rng));
        tg_spill_destroy(&s);
    }
    free_items(&it, 1);
}

static void jobs_that_begin_and_end_do_not_meet(void)
{
    enum { N = 8 };
    struct folder f = new_folder();
    pid_t pids[N];
    for (int i = 0; i < N; i++)
        pids[i] = start_child(begin_and_end, &(struct rank){&f, i});
    for (int i = 0; i < N; i++) {
        int status = -1;
        CU_ASSERT_EQUAL(waitpid(pids[i], &status, 0), pids[i]);
        CU_ASSERT_EQUAL(status, 0);
    }
    CU_ASSERT_EQUAL(count_names(f.path), 0);
    drop_folder(&f);
}

/* ----- a writer that was killed ------------------------------------------- */

static void begin_a_file(void *arg)
{
    struct folder *file = arg;
    struct tg_rng rng = {6};
    struct tg_spill_item it = new_item(&rng, 100000);
    struct tg_h5 *h5;
    char why[WHY];
    unsigned before = CU_get_number_of_failure_records();
    CU_ASSERT_EQUAL(tg_h5_create(file->path, 0, 1, &it, &h5, why, sizeof why),
                    TRYGON_SUCCESS);
    end_child(before);
}

static void half_a_file_is_refused_by_hdf5(void)
{
    struct folder f = new_folder(), file = file_in(&f, "half.h5");
    CU_ASSERT_EQUAL(in_child(begin_a_file, &file), 0);
    CU_ASSERT(exists(file.path));
    if (shell("command -v h5dump >/dev/null") == 0) {
        CU_ASSERT(shell("h5dump '%s' >/dev/null 2>&1", file.path) != 0);
    } else {
        fprintf(stderr, "h5dump is not there: files are not read with it\n");
    }
    drop_folder(&f);
}

/* ----- several directories ------------------------------------------------ */

struct two {
    struct folder f, a, b;
    char dirs[2 * PATH_LEN + 2];
    struct tg_spill *spill;
};

static struct two new_two(uint64_t job)
{
    struct two t = {.f = new_folder()};
    t.a = file_in(&t.f, "a");
    t.b = file_in(&t.f, "b");
    CU_ASSERT_FATAL(mkdir(t.a.path, 0755) == 0 && mkdir(t.b.path, 0755) == 0);
    snprintf(t.dirs, sizeof t.dirs, "%s::%s/", t.a.path, t.b.path);
    t.spill = new_spill(&(struct tg_spill_opts){.dirs = t.dirs, .job = job});
    return t;
}

static void drop_two(struct two *t)
{
    tg_spill_destroy(&t->spill);
    CU_ASSERT_EQUAL(count_names(t->a.path), 0);
    CU_ASSERT_EQUAL(count_names(t->b.path), 0);
    drop_folder(&t->f);
}

static void files_go_round(void)
{
    int first_in_a = 0;
    for (uint64_t job = JOB; job < JOB + 20; job++) {
        struct two t = new_two(job);
        struct tg_rng rng = {7};
        struct tg_spill_item items[4];
        struct folder a = job_dir(&t.a, job), b = job_dir(&t.b, job);
        for (int i = 0; i < 4; i++) {
            items[i] = new_item(&rng, 1000);
            write_ok(t.spill, 1, &items[i]);
            if (i == 0)
                first_in_a += count_names(a.path) == 2;
        }
        CU_ASSERT_EQUAL(count_names(a.path), 3);
        CU_ASSERT_EQUAL(count_names(b.path), 3);
        for (int i = 0; i < 4; i++)
            CU_ASSERT(same_back(t.spill, &items[i], &rng));
        free_items(items, 4);
        drop_two(&t);
    }
    CU_ASSERT(first_in_a > 0 && first_in_a < 20); /* at random */
}

static void a_directory_that_vanishes_is_left_out(void)
{
    struct two t = new_two(JOB);
    struct tg_rng rng = {8};
    struct tg_spill_item items[6];
    struct folder a = job_dir(&t.a, JOB), b = job_dir(&t.b, JOB);
    for (int i = 0; i < 6; i++)
        items[i] = new_item(&rng, 1000);
    write_ok(t.spill, 1, &items[0]);
    write_ok(t.spill, 1, &items[1]);
    CU_ASSERT(shell("rm -r '%s'", a.path) == 0);
    int lost = same_back(t.spill, &items[1], &rng) ? 0 : 1;
    CU_ASSERT(read_fails(t.spill, &items[lost], a.path));
    CU_ASSERT(same_back(t.spill, &items[1 - lost], &rng));
    write_ok(t.spill, 1, &items[2]);
    write_ok(t.spill, 1, &items[3]);
    CU_ASSERT(!exists(a.path));
    CU_ASSERT_EQUAL(count_names(b.path), 4);

    /* The last one that is left is made again. */
    CU_ASSERT(shell("rm -r '%s'", b.path) == 0);
    write_ok(t.spill, 1, &items[4]);
    write_ok(t.spill, 1, &items[5]);
    CU_ASSERT(same_back(t.spill, &items[4], &rng));
    CU_ASSERT(same_back(t.spill, &items[5], &rng));
    tg_spill_forget(t.spill, &items[lost].where);
    free_items(items, 6);
    drop_two(&t);
}

static const struct unit_test tests[] = {
    TEST(bad_options_are_refused),
    TEST(the_environment_has_defaults),
    TEST(other_libraries_are_not_called),
    TEST(what_the_killed_leave_goes),
    TEST(what_the_living_have_stays),
    TEST(what_is_not_ours_stays),
    TEST(other_names_stay),
    TEST(what_others_have_stays),
    TEST(the_last_rank_removes_the_directory),
    TEST(jobs_that_begin_and_end_do_not_meet),
    TEST(half_a_file_is_refused_by_hdf5),
    TEST(files_go_round),
    TEST(a_directory_that_vanishes_is_left_out),
    TESTS_END,
};
CUNIT_MAIN("spill_dirs", tests)
