/* test_arena.c - blobs in shared memory: this process makes them, another one
 * reads them in place.
 */
#include "store/arena.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <trygon/types.h>

#include "../cunit_main.h"
#include "base/slab.h"
#include "other.h"
#include "store/arena_impl.h"

#define MIB ((uint64_t)1 << 20)

enum { SLOTS = 1024, READERS = 3 };

static char why[200];

/* An arena, its handles, and a process that has it open. */
static struct tg_arena *a;
static struct tg_shm_offer offer;
static struct tg_slab handles;
static struct other other;
static uint64_t limit;

static void begin(uint64_t bytes)
{
    limit = bytes;
    tg_slab_init(&handles, 8);
    CU_ASSERT_FATAL(other_start(&other));
    CU_ASSERT_EQUAL_FATAL(
        tg_arena_create(limit, SLOTS, READERS, &a, &offer, why, sizeof why), 0);
    struct other_order o = {.step = OTHER_OPEN,
                            .offer = offer,
                            .limit = limit,
                            .nslots = SLOTS,
                            .nreaders = READERS,
                            .reader = 1};
    CU_ASSERT_EQUAL_FATAL(other_do(&other, &o), 1);
}

static void end(void)
{
    for (int i = 0; i < TG_ARENA_SPACES; i++)
        tg_space_check(&a->maker->space[i]);
    if (other.pid != 0)
        CU_ASSERT_EQUAL(other_end(&other, 0), 0);
    tg_arena_close(&a);
    tg_slab_fini(&handles);
}

static int ask(enum other_step step, uint64_t handle, uint64_t size)
{
    struct other_order o = {.step = step, .handle = handle, .size = size};
    return other_do(&other, &o);
}

static uint64_t new_handle(void)
{
    uint64_t h;
    (void)tg_slab_new(&handles, &h);
    return h;
}

/* A sealed blob whose contents follow from its handle. */
static uint64_t make(uint64_t size)
{
    uint64_t h = new_handle();
    void *at = tg_arena_alloc(a, h, size);
    CU_ASSERT_FATAL(at != NULL && (uintptr_t)at % 64 == 0);
    fill(at, h, size, 8);
    tg_arena_seal(a, h);
    return h;
}

static uint64_t make_file(uint64_t size)
{
    uint64_t h = new_handle();
    void *at = NULL;
    CU_ASSERT_EQUAL_FATAL(alloc_file(a, h, size, "/tmp", &at, why, sizeof why),
                          0);
    fill(at, h, size, 8);
    tg_arena_seal(a, h);
    return h;
}

static bool right(uint64_t handle, uint64_t size)
{
    const void *at = tg_arena_pin(a, handle);
    bool good = at != NULL && at == tg_arena_data(a, handle) &&
                filled(at, handle, size, 8);
    if (at != NULL)
        tg_arena_unpin(a, handle);
    return good;
}

/* Memory that the system has given, the tables included. */
static uint64_t resident(void)
{
    struct stat st;
    CU_ASSERT_EQUAL(fstat(offer.fd, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static uint32_t open_files(void)
{
    uint32_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d != NULL && readdir(d) != NULL)
        n++;
    if (d != NULL)
        closedir(d);
    return n;
}

/* ----- memory --------------------------------------------------------------- */

static void blobs_keep_to_themselves(void)
{
    static const uint64_t sizes[] = {0,      1,       63,       64,      65,
                                     100000, 1 << 20, 33 << 20, 1000001, 70000};
    enum { N = sizeof sizes / sizeof sizes[0] };
    uint64_t h[N];
    begin(64 * MIB);
    for (int i = 0; i < N; i++)
        h[i] = make(sizes[i]);
    for (int i = 0; i < N; i += 2)
        tg_arena_free(a, h[i]);
    for (int i = 0; i < N; i++)
        if (i % 2 == 0)
            CU_ASSERT_PTR_NULL(tg_arena_data(a, h[i]));
    for (int i = 1; i < N; i += 2)
        CU_ASSERT(right(h[i], sizes[i]));
    for (int i = 0; i < N; i += 2)
        h[i] = make(sizes[i]);
    for (int i = 0; i < N; i++)
        CU_ASSERT(right(h[i], sizes[i]));
    end();
}

static void nothing_is_touched(void)
{
    begin(256 * MIB);
    uint64_t before = resident();
    CU_ASSERT_PTR_NOT_NULL(tg_arena_alloc(a, new_handle(), 200 * MIB));
    CU_ASSERT(resident() <= before + 4096); /* its line */
    end();
}

static void warm_pages_are_used_again(void)
{
    begin(64 * MIB);
    uint64_t h = make(MIB), keep = make(MIB);
    unsigned char *at = tg_arena_data(a, h);
    uint64_t before = resident();
    tg_arena_free(a, h);
    CU_ASSERT(resident() >= before && resident() <= before + 65536);
    h = new_handle();
    CU_ASSERT_PTR_EQUAL_FATAL(tg_arena_alloc(a, h, MIB - 5000), at);
    unsigned char core[256];
    CU_ASSERT_EQUAL(mincore(at, MIB, core), 0);
    for (uint64_t i = 0; i < MIB / (uint64_t)sysconf(_SC_PAGESIZE); i++)
        CU_ASSERT_EQUAL(core[i] & 1, 1);
    CU_ASSERT(right(keep, MIB));
    end();
}

static void trimming_gives_memory_back(void)
{
    uint64_t h[8];
    begin(64 * MIB);
    uint64_t empty = resident();
    for (int i = 0; i < 8; i++)
        h[i] = make(4 * MIB);
    CU_ASSERT(resident() >= empty + 32 * MIB);
    for (int i = 0; i < 8; i += 2)
        tg_arena_free(a, h[i]);
    CU_ASSERT_EQUAL(tg_arena_trim(a, 17 * MIB), 16 * MIB);
    CU_ASSERT_EQUAL(tg_arena_trim(a, 6 * MIB), 6 * MIB);
    CU_ASSERT(resident() <= empty + 22 * MIB + 65536);
    CU_ASSERT_EQUAL(tg_arena_trim(a, 0), 0);
    CU_ASSERT(resident() <= empty + 16 * MIB + 65536);
    for (int i = 1; i < 8; i += 2)
        CU_ASSERT(right(h[i], 4 * MIB));
    end();
}

/* Holes that are too small for what comes go back to the system. */
static void warm_pages_do_not_break_the_limit(void)
{
    uint64_t h[16];
    begin(64 * MIB);
    uint64_t empty = resident();
    for (int i = 0; i < 16; i++)
        h[i] = make(4 * MIB);
    for (int i = 0; i < 16; i += 2)
        tg_arena_free(a, h[i]);
    (void)make(30 * MIB);
    CU_ASSERT(resident() <= empty + 64 * MIB + 65536);
    for (int i = 1; i < 16; i += 2)
        CU_ASSERT(right(h[i], 4 * MIB));
    end();
}

static void no_hole_is_no_answer(void)
{
    begin(64 * MIB);
    CU_ASSERT_PTR_NULL(tg_arena_alloc(a, new_handle(), UINT64_MAX));
    CU_ASSERT_PTR_NULL(tg_arena_alloc(a, new_handle(), 16384 * MIB));
    /* It is the caller who sees to the limit. */
    CU_ASSERT_PTR_NOT_NULL(tg_arena_alloc(a, new_handle(), 65 * MIB));
    end();
}

/* ----- pins ------------------------------------------------------------------ */

static void others_read_in_place(void)
{
    begin(64 * MIB);
    uint64_t h = make(3 * MIB);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, 3 * MIB), 1);
    CU_ASSERT_EQUAL(tg_arena_pins(a, h), 1);
    CU_ASSERT(right(h, 3 * MIB));
    CU_ASSERT_FALSE(tg_arena_evict(a, h));
    CU_ASSERT(right(h, 3 * MIB)); /* as if nothing had happened */
    CU_ASSERT_EQUAL(ask(OTHER_READ, h, 3 * MIB), 1);
    CU_ASSERT_EQUAL(ask(OTHER_UNPIN, h, 0), 1);
    CU_ASSERT(tg_arena_evict(a, h));
    CU_ASSERT_PTR_NULL(tg_arena_data(a, h));
    CU_ASSERT_EQUAL(tg_arena_pins(a, h), 0);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, 3 * MIB), 0);
    CU_ASSERT_PTR_NULL(tg_arena_pin(a, h));

    /* It may come back, under its name. */
    void *at = tg_arena_alloc(a, h, 3 * MIB);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, 3 * MIB), 0); /* not yet */
    fill(at, h, 3 * MIB, 8);
    tg_arena_seal(a, h);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, 3 * MIB), 1);
    CU_ASSERT_EQUAL(ask(OTHER_CLOSE, 0, 0), 1);
    end();
}

static void others_cannot_write(void)
{
    begin(64 * MIB);
    uint64_t h = make(MIB);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, MIB), 1);
    CU_ASSERT_EQUAL(ask(OTHER_WRITE, h, MIB), -1);
    CU_ASSERT_EQUAL(other_end(&other, SIGSEGV), SIGSEGV);
    other.pid = 0;
    CU_ASSERT(right(h, MIB));
    end();
}

static void stale_handles_find_nothing(void)
{
    begin(64 * MIB);
    uint64_t old = make(MIB);
    tg_arena_free(a, old);
    tg_slab_free(&handles, old);
    uint64_t h = make(MIB);
    CU_ASSERT_EQUAL_FATAL((uint32_t)h, (uint32_t)old);
    CU_ASSERT_PTR_NULL(tg_arena_pin(a, old));
    CU_ASSERT_PTR_NULL(tg_arena_data(a, old));
    CU_ASSERT_EQUAL(ask(OTHER_PIN, old, MIB), 0);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h + SLOTS, MIB), 0); /* no such slot */
    CU_ASSERT_PTR_NULL(tg_arena_data(a, h + SLOTS));
    CU_ASSERT_EQUAL(tg_arena_pins(a, h), 0);
    CU_ASSERT(tg_arena_evict(a, h));
    end();
}

static void the_dead_do_not_count(void)
{
    begin(64 * MIB);
    uint64_t h = make(MIB), freed = make(MIB);
    const void *at = tg_arena_data(a, freed);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, MIB), 1);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, freed, MIB), 1);
    tg_arena_free(a, freed);
    CU_ASSERT_EQUAL(other_end(&other, SIGKILL), SIGKILL);
    other.pid = 0;
    CU_ASSERT_FALSE(tg_arena_evict(a, h));
    CU_ASSERT(tg_arena_alloc(a, new_handle(), MIB) != at);
    tg_arena_reader_gone(a, 1);
    CU_ASSERT_EQUAL(tg_arena_pins(a, h), 0);
    CU_ASSERT_PTR_EQUAL(tg_arena_alloc(a, new_handle(), MIB), at);
    CU_ASSERT(tg_arena_evict(a, h));
    end();
}

static void freed_while_pinned(void)
{
    begin(64 * MIB);
    uint64_t h = make(MIB), size = MIB;
    const void *at = tg_arena_data(a, h);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, size), 1);
    tg_arena_free(a, h);
    CU_ASSERT_PTR_NULL(tg_arena_data(a, h));
    CU_ASSERT_PTR_NULL(tg_arena_pin(a, h));

    /* Its slot is used again, its bytes are not. */
    tg_slab_free(&handles, h);
    uint64_t next = make(size);
    CU_ASSERT_EQUAL_FATAL((uint32_t)next, (uint32_t)h);
    CU_ASSERT(tg_arena_data(a, next) != at);
    CU_ASSERT_EQUAL(ask(OTHER_READ, h, size), 1);
    CU_ASSERT_FALSE(tg_arena_evict(a, next)); /* counted by slot */
    CU_ASSERT_EQUAL(ask(OTHER_UNPIN, h, size), 1);
    CU_ASSERT_PTR_EQUAL(tg_arena_alloc(a, new_handle(), size), at);
    CU_ASSERT(tg_arena_evict(a, next));
    end();
}

/* A reader that comes in the middle of an eviction has it undone; as the maker
 * never stands still there, we do so in its stead. */
static void a_pin_waits_for_nobody(void)
{
    begin(64 * MIB);
    uint64_t h = make(MIB);
    struct tg_line *line = &a->lines[(uint32_t)h];
    atomic_store(&line->word, tg_line_word(h, TG_LINE_EVICTING));
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, MIB), 1);
    CU_ASSERT_EQUAL(atomic_load(&line->word), tg_line_word(h, TG_LINE_SEALED));
    CU_ASSERT_FALSE(tg_arena_evict(a, h));
    CU_ASSERT_EQUAL(ask(OTHER_UNPIN, h, MIB), 1);
    CU_ASSERT(tg_arena_evict(a, h));
    end();
}

/* ----- files ------------------------------------------------------------------ */

static uint64_t disk_blocks(int fd)
{
    struct stat st;
    CU_ASSERT_EQUAL(fstat(fd, &st), 0);
    return (uint64_t)st.st_blocks;
}

static void blobs_in_files(void)
{
    begin(64 * MIB);
    uint64_t before = resident();
    uint64_t h = make_file(5 * MIB + 3), size = 5 * MIB + 3;
    int fd = dup(a->maker->room[(uint32_t)h].view->fd);
    CU_ASSERT(resident() <= before + 4096);
    CU_ASSERT(right(h, size));
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, size), 1);
    CU_ASSERT_FALSE(tg_arena_evict(a, h));
    CU_ASSERT_EQUAL(ask(OTHER_UNPIN, h, size), 1);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, size), 1);
    tg_arena_free(a, h);
    CU_ASSERT(disk_blocks(fd) >= size / 512);

    /* Its slot, with another file, while it is still read. */
    tg_slab_free(&handles, h);
    uint64_t next = make_file(MIB);
    CU_ASSERT_EQUAL_FATAL((uint32_t)next, (uint32_t)h);
    struct other_order o = {.step = OTHER_READ, .handle = h, .size = size};
    CU_ASSERT_EQUAL(other_do(&other, &o), 1);
    CU_ASSERT_EQUAL(ask(OTHER_UNPIN, h, size), 1);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, next, MIB), 1);
    CU_ASSERT_EQUAL(ask(OTHER_UNPIN, next, MIB), 1);
    CU_ASSERT(tg_arena_evict(a, next));
    drop_files(a);
    /* The first is gone from the disk, though others may have it mapped. */
    CU_ASSERT_EQUAL(disk_blocks(fd), 0);
    close(fd);

    /* From a file into memory, with the same name. */
    fill(tg_arena_alloc(a, next, MIB), next, MIB, 8);
    tg_arena_seal(a, next);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, next, MIB), 1);
    CU_ASSERT_EQUAL(ask(OTHER_UNPIN, next, MIB), 1);
    end();
}

/* How many such files that have no name the process has mapped. */
static uint32_t mapped_by(pid_t pid, const char *name)
{
    char path[64], line[512];
    uint32_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        n += strstr(line, name) != NULL && strstr(line, "(deleted)");
    if (f != NULL)
        fclose(f);
    return n;
}

/* It maps each at its first pin, and forgets those that are gone. */
static void files_are_not_mapped_for_ever(void)
{
    begin(64 * MIB);
    uint32_t before = mapped_by(other.pid, "/tmp/");
    uint64_t keep = make_file(4096);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, keep, 4096), 1);
    CU_ASSERT_EQUAL(mapped_by(other.pid, "/tmp/"), before + 1);
    for (int i = 0; i < 100; i++) {
        uint64_t h = make_file(4096);
        CU_ASSERT_EQUAL(ask(OTHER_PIN, h, 4096), 1);
        CU_ASSERT_EQUAL(ask(OTHER_UNPIN, h, 4096), 1);
        tg_arena_free(a, h); /* but not its handle: another slot each */
    }
    CU_ASSERT(mapped_by(other.pid, "/tmp/") <= before + 4);
    CU_ASSERT_EQUAL(ask(OTHER_READ, keep, 4096), 1);
    end();
}

static void refused_files(void)
{
    void *at = &limit;
    begin(64 * MIB);
    uint64_t h = new_handle();
    why[0] = '\0';
    CU_ASSERT_EQUAL(
        alloc_file(a, h, 4096, "/nowhere/at/all", &at, why, sizeof why),
        TRYGON_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nowhere/at/all"));
    CU_ASSERT_EQUAL(alloc_file(a, h, UINT64_MAX, "/tmp", &at, why, sizeof why),
                    TRYGON_ERR_IO);

    /* More than the system lets a file grow to: no signal. */
    struct rlimit was, r;
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &was), 0);
    r = (struct rlimit){MIB, was.rlim_max};
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &r), 0);
    CU_ASSERT_EQUAL(alloc_file(a, h, 2 * MIB, "/tmp", &at, why, sizeof why),
                    TRYGON_ERR_IO);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &was), 0);
    CU_ASSERT_PTR_EQUAL(at, &limit);
    CU_ASSERT_PTR_NULL(tg_arena_data(a, h));

    /* The slot is as good as before. */
    CU_ASSERT_EQUAL(alloc_file(a, h, 4096, "/tmp", &at, why, sizeof why), 0);
    tg_arena_free(a, h);
    end();
}

/* In a process with mounts of its own.  0: as it should be; 77: not allowed. */
static int fill_a_disk(void)
{
    char dir[] = "/tmp/trygon-test-XXXXXX";
    struct tg_slab s;
    uint64_t h, g;
    void *at;
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return 77;
    if (mkdtemp(dir) == NULL)
        return 1;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", dir, "tmpfs", 0, "size=1m") != 0) {
        (void)rmdir(dir);
        return 77;
    }
    tg_slab_init(&s, 8);
    (void)tg_slab_new(&s, &h);
    (void)tg_slab_new(&s, &g);
    int bad = tg_arena_create(limit, SLOTS, 0, &a, &offer, why, sizeof why);
    if (bad == 0) {
        if (alloc_file(a, h, 2 * MIB, dir, &at, why, sizeof why) !=
                TRYGON_ERR_IO ||
            strstr(why, strerror(ENOSPC)) == NULL)
            bad |= 2;
        /* What the failed one had taken is free again. */
        if (alloc_file(a, h, 983040, dir, &at, why, sizeof why) != 0)
            bad |= 4;
        if (alloc_file(a, g, 131072, dir, &at, why, sizeof why) !=
            TRYGON_ERR_IO)
            bad |= 8;
        tg_arena_free(a, h);
        if (alloc_file(a, g, 131072, dir, &at, why, sizeof why) != 0)
            bad |= 16;
        tg_arena_close(&a);
    }
    tg_slab_fini(&s);
    if (umount(dir) != 0 || rmdir(dir) != 0)
        bad |= 32;
    return bad;
}

static void a_full_disk_is_an_error(void)
{
    int status = 0;
    limit = 64 * MIB;
    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_a_disk());
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_FATAL(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        fputs("no mount of a small disk allowed: not tested\n", stderr);
    else
        CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

/* ----- opening and closing ------------------------------------------------------ */

static void only_of_the_same_sizes(void)
{
    struct tg_arena *b = NULL;
    begin(64 * MIB);
    CU_ASSERT_EQUAL(tg_arena_open(&offer, limit + (128 * MIB), SLOTS, READERS,
                                  0, &b, why, sizeof why),
                    TRYGON_ERR_MISMATCH);
    /* The same in sum. */
    CU_ASSERT_EQUAL(tg_arena_open(&offer, limit - 1, SLOTS, READERS, 0, &b, why,
                                  sizeof why),
                    TRYGON_ERR_MISMATCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "other sizes"));
    struct tg_shm_offer none = offer;
    none.fd = -1;
    CU_ASSERT_EQUAL(
        tg_arena_open(&none, limit, SLOTS, READERS, 0, &b, why, sizeof why),
        TRYGON_ERR_IO);
    CU_ASSERT_PTR_NULL(b);
    CU_ASSERT_EQUAL(
        tg_arena_open(&offer, limit, SLOTS, READERS, 0, &b, why, sizeof why),
        0);
    uint64_t h = make(MIB);
    CU_ASSERT(filled(tg_arena_pin(b, h), h, MIB, 8));
    CU_ASSERT_EQUAL(tg_arena_pins(a, h), 1);
    tg_arena_unpin(b, h);
    tg_arena_close(&b);
    tg_arena_close(&b);
    end();
}

static void nothing_is_left(void)
{
    uint32_t before = open_files();
    begin(64 * MIB);
    uint64_t h = make_file(MIB), freed = make_file(MIB);
    (void)make(MIB);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, h, MIB), 1);
    CU_ASSERT_EQUAL(ask(OTHER_PIN, freed, MIB), 1);
    tg_arena_free(a, freed);
    end();
    CU_ASSERT_EQUAL(open_files(), before);
    CU_ASSERT_EQUAL(mapped_by(getpid(), "trygon"), 0);
}

/* A node of many ranks with much memory: what it needs of the address space. */
static void the_largest_fit_together(void)
{
    struct tg_arena *big[3];
    struct tg_shm_offer o;
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(tg_arena_create((uint64_t)1 << 40, 1 << 16, 255,
                                              &big[i], &o, why, sizeof why),
                              0);
        CU_ASSERT(big[i]->shm.size <= ((uint64_t)1 << 46) / 256 + 256 * MIB);
        CU_ASSERT_PTR_NOT_NULL(
            tg_arena_alloc(big[i], (uint64_t)1 << 32, (uint64_t)80 << 30));
    }
    for (int i = 0; i < 3; i++)
        tg_arena_close(&big[i]);
}

static const struct unit_test tests[] = {
    TEST(blobs_keep_to_themselves),
    TEST(nothing_is_touched),
    TEST(warm_pages_are_used_again),
    TEST(trimming_gives_memory_back),
    TEST(warm_pages_do_not_break_the_limit),
    TEST(no_hole_is_no_answer),
    TEST(others_read_in_place),
    TEST(others_cannot_write),
    TEST(stale_handles_find_nothing),
    TEST(the_dead_do_not_count),
    TEST(freed_while_pinned),
    TEST(a_pin_waits_for_nobody),
    TEST(blobs_in_files),
    TEST(files_are_not_mapped_for_ever),
    TEST(refused_files),
    TEST(a_full_disk_is_an_error),
    TEST(only_of_the_same_sizes),
    TEST(nothing_is_left),
    TEST(the_largest_fit_together),
    TESTS_END,
};

CUNIT_MAIN("arena", tests)
