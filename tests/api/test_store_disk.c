/* test_store_disk.c - disks that fail while objects are in files: what is gone
 * is told of each object that it was, and everything else goes on.
 */
#include <sched.h>
#include <sys/mount.h>

#include "large.h"

enum { MOST = 128 };

/* Argument: an object within a value.  Returns the code of getting it. */
static int gets(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t in = {0}, v = {0};
    OK(trygon_call_arg(c, 0, &in));
    int rc = trygon_get(tg, in.refs[0], TRYGON_FOREVER, &v);
    OK(trygon_value_release(tg, &v));
    return return_int(c, rc);
}

static const struct h_fn fns[] = {LARGE_FNS, FN(gets), {NULL, NULL}};

static char small_disk[PATH]; /* of this rank alone; "": there can be none */

/* ----- files --------------------------------------------------------------------- */

/* All that is in the job's directory, and itself; a file may come meanwhile. */
static void remove_dir(void)
{
    char dir[PATH], command[PATH + 60];
    if (!CHECK(job_dir(dir)))
        return;
    snprintf(command, sizeof command,
             "until rm -rf '%s' 2>/dev/null; do :; done", dir);
    CHECK(system(command) == 0);
}

/* The file of this rank that has those bytes, and where. */
static bool find_bytes(const void *bytes, size_t n, char out[static PATH],
                       off_t *where)
{
    char dir[PATH];
    DIR *d = job_dir(dir) ? opendir(dir) : NULL;
    bool found = false;
    for (struct dirent *e; !found && d != NULL && (e = readdir(d)) != NULL;) {
        struct stat st;
        snprintf(out, PATH, "%.180s/%.100s", dir, e->d_name);
        int fd = open(out, O_RDONLY);
        if (fd < 0)
            continue;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
            size_t size = (size_t)st.st_size;
            char *all = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
            const char *at = memmem(all, size, bytes, n);
            found = at != NULL;
            *where = found ? at - all : 0;
            munmap(all, size);
        }
        close(fd);
    }
    if (d != NULL)
        closedir(d);
    return found;
}

static bool find_object(int64_t seed, char out[static PATH], off_t *where)
{
    char start[64];
    fill(start, sizeof start, seed);
    return find_bytes(start, sizeof start, out, where);
}

static void flip(const char *path, off_t at)
{
    char byte = 0;
    int fd = open(path, O_RDWR);
    CHECK(pread(fd, &byte, 1, at) == 1);
    byte = (char)(byte ^ 1);
    CHECK(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

/* ----- objects ------------------------------------------------------------------- */

/* Twice what the node has room for. */
static int put_many(trygon_t *tg, trygon_ref_t refs[], int64_t seed)
{
    int n = (int)(stats_of(tg).limit / MiB * 2);
    CHECK(n > 4 && n <= MOST);
    for (int i = 0; i < n; i++)
        refs[i] = put_filled(tg, MiB, seed + i);
    return n;
}

/* It is in a file, and in no memory. */
static bool is_away(trygon_t *tg, trygon_ref_t ref)
{
    bool spilled = false;
    size_t n = 99;
    OK(trygon_ref_locations(tg, ref, 0, NULL, &n, &spilled));
    return spilled && n == 0;
}

static int find_away(trygon_t *tg, int n, const trygon_ref_t refs[])
{
    double end = h_seconds() + 10;
    while (h_seconds() < end)
        for (int i = 0; i < n; i++)
            if (is_away(tg, refs[i]))
                return i;
    CHECK(false);
    return 0;
}

static void is_lost(trygon_t *tg, trygon_ref_t ref)
{
    trygon_value_t v = {0};
    trygon_error_t e = {.size = sizeof e};
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v), TRYGON_ERR_IO);
    OK(trygon_ref_error(tg, ref, &e));
    CHECK(strstr(e.text, "could not be read back from its file") != NULL);
}

/* How many are right; the rest are lost. */
static int see_or_lose(trygon_t *tg, int n, const trygon_ref_t refs[],
                       int64_t seed)
{
    int good = 0;
    for (int i = 0; i < n; i++) {
        trygon_value_t v = {0};
        if (trygon_get(tg, refs[i], TRYGON_FOREVER, &v) != TRYGON_SUCCESS) {
            is_lost(tg, refs[i]);
            continue;
        }
        CHECK(v.size == MiB && is_filled(v.data, v.size, seed + i));
        OK(trygon_value_release(tg, &v));
        good++;
    }
    return good;
}

/* Every rank of the one node has 4 MiB. */
static void play_disk(trygon_driver_fn driver, int nodes)
{
    char bytes[16];
    snprintf(bytes, sizeof bytes, "%dM", 4 * h_size);
    play(&(struct scene){.nodes = nodes, .bytes = bytes, .own_dir = true}, fns,
         driver);
}

/* ----- files that are gone ------------------------------------------------------------ */

static int vanishing_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t refs[MOST], more[MOST];
    int n = put_many(tg, refs, 0);
    (void)find_away(tg, n, refs);
    remove_dir();
    int good = see_or_lose(tg, n, refs, 0);
    CHECK(good >= 1 && good < n);
    CHECK(h_logged("could not be read from its file") >= n - good);
    int m = put_many(tg, more, 1000); /* into a new one */
    for (int i = 0; i < m; i++)
        CHECK(looks_right(tg, NULL, more[i], 1000 + i));
    CHECK(see_or_lose(tg, n, refs, 0) <= good);
    OK(trygon_ref_release(tg, (size_t)n, refs));
    OK(trygon_ref_release(tg, (size_t)m, more));
    empties_everywhere(tg);
    return 0;
}

static void the_directory_vanishes(void)
{
    play_disk(vanishing_driver, 1);
}

static int damage_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t refs[MOST];
    char path[PATH];
    off_t at;
    int n = put_many(tg, refs, 0), bad = find_away(tg, n, refs);
    if (CHECK(find_object(bad, path, &at)))
        flip(path, at + MiB / 2);
    is_lost(tg, refs[bad]);
    is_lost(tg, refs[bad]); /* and stays so */
    CHECK(h_logged("is damaged") == 1);
    for (int i = 0; i < n; i++)
        if (i != bad)
            CHECK(looks_right(tg, NULL, refs[i], i));
    CHECK(see_or_lose(tg, n, refs, 0) == n - 1);
    OK(trygon_ref_release(tg, (size_t)n, refs));
    empties_everywhere(tg);
    return 0;
}

/* One that is sent to another node straight from its file, in two pieces. */
static int far_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t refs[MOST];
    char path[PATH];
    off_t where;
    if (h_size == 1)
        return 0;
    trygon_task_opts_t o = at(1);
    trygon_ref_t big = put_filled(tg, 5 * MiB, 999);
    int n = put_many(tg, refs, 0);
    UNTIL(is_away(tg, big));
    if (CHECK(find_object(999, path, &where)))
        flip(path, where + 3 * MiB);
    trygon_value_t v = {NULL, 0, TRYGON_BYTE, 0, NULL, &big, 1, NULL};
    CHECK(take_int(tg, call_with(tg, "gets", &o, 1, &v)) == TRYGON_ERR_IO);
    for (int i = 0; i < n; i++)
        CHECK(looks_right(tg, &o, refs[i], i));
    drop(tg, big);
    OK(trygon_ref_release(tg, (size_t)n, refs));
    empties_everywhere(tg);
    return 0;
}

static void a_byte_is_flipped_far_away(void)
{
    play_disk(far_driver, 2);
}

static void a_byte_is_flipped(void)
{
    play_disk(damage_driver, 1);
}

/* One of them is no more, another may not be read (if we are not root). */
static int closed_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t refs[MOST];
    char path[PATH];
    off_t at;
    int n = put_many(tg, refs, 0), bad = find_away(tg, n, refs);
    CHECK(find_object(bad, path, &at) && unlink(path) == 0);
    is_lost(tg, refs[bad]);
    CHECK(see_or_lose(tg, n, refs, 0) < n);
    CHECK(h_logged("No such file") >= 1);
    OK(trygon_ref_release(tg, (size_t)n, refs));
    n = put_many(tg, refs, 0);
    bad = find_away(tg, n, refs);
    CHECK(find_object(bad, path, &at) && chmod(path, 0) == 0);
    if (geteuid() != 0)
        is_lost(tg, refs[bad]);
    CHECK(see_or_lose(tg, n, refs, 0) >= 1);
    OK(trygon_ref_release(tg, (size_t)n, refs));
    empties_everywhere(tg);
    return 0;
}

static void a_file_cannot_be_opened(void)
{
    play_disk(closed_driver, 1);
}

/* ----- a disk that is full ------------------------------------------------------------- */

/* Before there are threads: a disk of 6 MiB that this rank alone sees. */
static void mount_small(void)
{
    static char name[] = "/tmp/trygon-small-XXXXXX";
    if (mkdtemp(name) == NULL)
        return;
    if (unshare(CLONE_NEWNS) == 0 &&
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("none", name, "tmpfs", 0, "size=6m") == 0)
        snprintf(small_disk, sizeof small_disk, "%s", name);
    else
        rmdir(name);
}

static void unmount_small(void)
{
    if (small_disk[0] != '\0' && umount(small_disk) == 0)
        rmdir(small_disk);
}

struct waiting {
    trygon_t *tg;
    trygon_value_t value;
    trygon_ref_t ref;
};

static void *let_go_later(void *arg)
{
    struct waiting *w = arg;
    usleep(200000);
    OK(trygon_value_release(w->tg, &w->value));
    drop(w->tg, w->ref);
    return NULL;
}

/* As many as memory and disk have room for; rc: of the one beyond. */
static int put_until_full(trygon_t *tg, trygon_ref_t refs[], int *rc)
{
    trygon_buffer_t b = {0};
    int n = 0;
    while (n < MOST &&
           (*rc = trygon_create(tg, MiB, 500, &b)) == TRYGON_SUCCESS) {
        fill(b.data, b.size, n);
        OK(trygon_seal(tg, &b, NULL, &refs[n]));
        n++;
    }
    return n;
}

/* Nothing can leave: it says so, at once or when it has waited long enough. */
static void refuses(trygon_t *tg)
{
    trygon_buffer_t b = {0};
    trygon_error_t e = {.size = sizeof e};
    int64_t patience = h_size == 1 ? TRYGON_FOREVER : 300;
    int rc = trygon_create(tg, MiB, patience, &b);
    CHECK(rc == TRYGON_ERR_STORE_FULL ||
          (rc == TRYGON_ERR_TIMEOUT && patience > 0));
    if (rc != TRYGON_ERR_STORE_FULL)
        return;
    OK(trygon_last_error(&e));
    CHECK(strstr(e.text, "no room for 1048576 bytes") != NULL);
    CHECK(strstr(e.text, " used") != NULL);
    CHECK(strstr(e.text, "1048576 bytes of put, 1 pins, rank 0") != NULL);
}

static int full_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t refs[MOST];
    struct waiting held[MOST];
    trygon_buffer_t b = {0};
    pthread_t thread;
    int rc, m = 0, n = put_until_full(tg, refs, &rc);
    CHECK(rc == TRYGON_ERR_STORE_FULL || rc == TRYGON_ERR_TIMEOUT);
    trygon_store_stats_t s = stats_of(tg);
    CHECK(n > 4 && n <= (int)(s.limit / MiB) + 6);
    CHECK(s.spilled_objects >= 2 && s.spilled_objects <= 5);
    for (int i = 0; i < n; i++) { /* all that is in memory */
        held[m] = (struct waiting){.tg = tg, .ref = refs[i]};
        if (!is_away(tg, refs[i]) &&
            trygon_get(tg, refs[i], 0, &held[m].value) == TRYGON_SUCCESS)
            refs[i] = (trygon_ref_t){0, (uint64_t)m++};
    }
    CHECK(m >= 3);
    refuses(tg);

    /* Another thread makes room while we wait; who was told before that there
     * is none tries again. */
    double end = h_seconds() + 20;
    CHECK(pthread_create(&thread, NULL, let_go_later, &held[--m]) == 0);
    while ((rc = trygon_create(tg, MiB, 20000, &b)) == TRYGON_ERR_STORE_FULL &&
           h_seconds() < end)
        usleep(1000);
    CHECK(rc == TRYGON_SUCCESS);
    pthread_join(thread, NULL);
    fill(b.data, b.size, 777);
    trygon_ref_t ref = {0, 0};
    OK(trygon_seal(tg, &b, NULL, &ref));
    see(tg, ref, MiB, 777);
    drop(tg, ref);

    for (int i = 0; i < n; i++) { /* nothing has become of the others */
        bool mine = refs[i].hi == 0 && refs[i].lo < (uint64_t)m;
        if (mine) {
            struct waiting *w = &held[refs[i].lo];
            CHECK(is_filled(w->value.data, w->value.size, i));
            OK(trygon_value_release(tg, &w->value));
            drop(tg, w->ref);
        } else if (refs[i].hi != 0) {
            see(tg, refs[i], MiB, i);
            drop(tg, refs[i]);
        }
    }
    empties_here(tg);
    see(tg, ref = put_filled(tg, MiB, 5), MiB, 5);
    drop(tg, ref);
    return 0;
}

static void a_disk_is_full(void)
{
    int mine = small_disk[0] != '\0', all = 0;
    char bytes[16];
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (all == 0) {
        if (h_rank == 0)
            printf("(no small disk can be mounted: it is not tried) ");
        return;
    }
    snprintf(bytes, sizeof bytes, "%dM", 4 * h_size);
    setenv("TRYGON_SPILL_DIR", small_disk, 1);
    play(&(struct scene){.nodes = 1, .bytes = bytes}, fns, full_driver);
    CHECK(files_in(small_disk) == 0);
}

static const struct h_host_test tests[] = {
    HOST_TEST(the_directory_vanishes),
    HOST_TEST(a_byte_is_flipped),
    HOST_TEST(a_byte_is_flipped_far_away),
    HOST_TEST(a_file_cannot_be_opened),
    HOST_TEST(a_disk_is_full),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    mount_small();
    int rc = h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
    unmount_small();
    return rc;
}
