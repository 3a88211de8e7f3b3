/* test_store_node.c - the ranks of a node share one limit: who needs room has
 * what the others do not use, and what they hold idly.
 */
#include <sys/stat.h>

#include "large.h"

static const struct h_fn fns[] = {LARGE_FNS, {NULL, NULL}};

enum { N = 24 };

static const struct scene one_node = {
    .nodes = 1, .bytes = "32M", .own_dir = true};

/* Of the ranks that run tasks; where this one runs is chance. */
static int64_t fallback_elsewhere(trygon_t *tg)
{
    int64_t most = 0;
    for (int i = 0; i < 8; i++) {
        int64_t x = stat_at(tg, 0, FALLBACK);
        most = x > most ? x : most;
    }
    return most;
}

static void nothing_is_left(trygon_t *tg)
{
    empties_here(tg);
    if (h_size > 1)
        empties(tg, 0);
}

/* ----- idle objects ------------------------------------------------------------- */

static int idle_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t refs[N];
    for (int i = 0; i < N; i++)
        refs[i] = put_filled(tg, MiB, i);
    trygon_store_stats_t s = stats_of(tg);
    CHECK(s.limit == 32 * MiB && s.used == N * MiB);
    CHECK(s.spilled_bytes == 0 && s.fallback_bytes == 0);
    trygon_ref_t ref = make(tg, "makes_in_place", NULL, 16 * MiB, 7);
    see(tg, ref, 16 * MiB, 7);
    s = stats_of(tg);
    if (h_size > 1) {
        CHECK(s.used <= 16 * MiB);
        CHECK(fallback_elsewhere(tg) == 0);
    }
    CHECK(s.spilled_bytes >= 8 * MiB);
    CHECK(s.fallback_bytes == 0);
    for (int i = 0; i < N; i++)
        see(tg, refs[i], MiB, i);
    drop(tg, ref);
    OK(trygon_ref_release(tg, N, refs));
    nothing_is_left(tg);
    return 0;
}

static void idle_objects_leave_for_others(void)
{
    play(&one_node, fns, idle_driver);
}

/* ----- what is held ---------------------------------------------------------------- */

static int held_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_value_t v = {0};
    trygon_ref_t held = put_filled(tg, N * MiB, 1);
    OK(trygon_get(tg, held, 0, &v));
    trygon_ref_t ref = make(tg, "makes_in_place", NULL, 16 * MiB, 2);
    see(tg, ref, 16 * MiB, 2);
    CHECK(stats_of(tg).used == N * MiB);
    if (h_size == 2)
        CHECK(fallback_elsewhere(tg) == 16 * MiB);
    CHECK(is_filled(v.data, v.size, 1));
    OK(trygon_value_release(tg, &v));
    drop(tg, ref);
    drop(tg, held);
    nothing_is_left(tg);
    return 0;
}

static void what_is_held_stays(void)
{
    play(&one_node, fns, held_driver);
}

/* ----- memory that nobody uses ------------------------------------------------------ */

/* What the system has in this process's shared memory. */
static uint64_t resident(void)
{
    uint64_t sum = 0;
    char path[64], to[64];
    struct stat st;
    for (int fd = 0; fd < 1024; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, to, sizeof to - 1);
        if (n < 7 || memcmp(to, "/memfd:", 7) != 0)
            continue;
        sum += fstat(fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
    }
    return sum;
}

static int warm_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    uint64_t before = resident();
    drop(tg, put_filled(tg, N * MiB, 1));
    CHECK(resident() >= before + N * MiB); /* for the next one */
    if (h_size == 1)
        return 0;
    trygon_ref_t ref = make(tg, "makes_in_place", NULL, N * MiB, 2);
    see(tg, ref, N * MiB, 2);
    UNTIL(resident() <= before + 8 * MiB);
    drop(tg, ref);
    return 0;
}

static void warm_memory_goes_where_it_is_needed(void)
{
    play(&one_node, fns, warm_driver);
}

/* ----- all at once --------------------------------------------------------------------- */

static int crowd_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t mine[N], theirs[N];
    for (int i = 0; i < N; i++) {
        mine[i] = put_filled(tg, MiB, i);
        theirs[i] =
            make(tg, i % 2 == 0 ? "makes" : "makes_in_place", NULL, 2 * MiB, i);
    }
    for (int i = 0; i < N; i++) {
        see(tg, mine[i], MiB, i);
        see(tg, theirs[N - 1 - i], 2 * MiB, N - 1 - i);
    }
    CHECK(stats_of(tg).used <= 32 * MiB);
    OK(trygon_ref_release(tg, N, mine));
    OK(trygon_ref_release(tg, N, theirs));
    nothing_is_left(tg);
    return 0;
}

static void all_at_once(void)
{
    play(&one_node, fns, crowd_driver);
}

static const struct h_host_test tests[] = {
    HOST_TEST(idle_objects_leave_for_others),
    HOST_TEST(what_is_held_stays),
    HOST_TEST(warm_memory_goes_where_it_is_needed),
    HOST_TEST(all_at_once),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
}
