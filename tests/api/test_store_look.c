/* test_store_look.c - freeing large objects by hand, and looking at where they
 * are.
 */
#include "large.h"

enum { GATE, STARTED, FREED, PINNED };

/* ----- tasks -------------------------------------------------------------------- */

static int makes_later(trygon_call_t *c)
{
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return makes(c);
}

/* Argument 0: an object within a value.  Returns the code of getting it. */
static int gets(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t in = {0}, v = {0};
    OK(trygon_call_arg(c, 0, &in));
    int rc = trygon_get(tg, in.refs[0], TRYGON_FOREVER, &v);
    OK(trygon_value_release(tg, &v));
    return return_int(c, rc);
}

/* The same, and frees it, though it is another rank's. */
static int frees(trygon_call_t *c)
{
    trygon_value_t in = {0};
    OK(trygon_call_arg(c, 0, &in));
    OK(trygon_free(trygon_call_runtime(c), 1, in.refs));
    return return_int(c, 0);
}

/* Argument 0: the number 7, which is freed before it is looked at: a rank that
 * has a copy may not know that yet. */
static int looks_late(trygon_call_t *c)
{
    trygon_value_t v = {0};
    int64_t x = 0;
    atomic_store(&shared[STARTED], 1);
    UNTIL(atomic_load(&shared[FREED]) != 0);
    int rc = trygon_call_arg(c, 0, &v);
    if (rc == 0 && v.size == sizeof x)
        memcpy(&x, v.data, sizeof x);
    return return_int(c, rc == TRYGON_ERR_FREED || (rc == 0 && x == 7));
}

static int pins_for_a_while(trygon_call_t *c);

static const struct h_fn fns[] = {
    LARGE_FNS,      FN(makes_later),      FN(gets),     FN(frees),
    FN(looks_late), FN(pins_for_a_while), {NULL, NULL},
};

static int64_t call_within(trygon_t *tg, const char *task,
                           const trygon_task_opts_t *o, trygon_ref_t ref)
{
    trygon_value_t v = {NULL, 0, TRYGON_BYTE, 0, NULL, &ref, 1, NULL};
    return take_int(tg, call_with(tg, task, o, 1, &v));
}

/* ----- freeing ------------------------------------------------------------------- */

static int free_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    int32_t there = h_size > 1 ? 1 : 0;
    trygon_task_opts_t o = at(there);
    trygon_value_t v = {0}, w = {0};
    trygon_ref_t ref = put_filled(tg, 2 * MiB, 1), small = put_int(tg, 5);
    CHECK(looks_right(tg, &o, ref, 1));
    OK(trygon_get(tg, ref, 0, &v));
    OK(trygon_free(tg, 1, &ref));
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &w), TRYGON_ERR_FREED);
    UNTIL(call_within(tg, "gets", &o, ref) == TRYGON_ERR_FREED);
    for (int64_t i = 0; i < 20; i++) { /* the memory is used again, not its */
        trygon_ref_t next = put_filled(tg, 2 * MiB, 100 + i);
        see(tg, next, 2 * MiB, 100 + i);
        drop(tg, next);
    }
    CHECK(v.size == 2 * MiB && is_filled(v.data, v.size, 1));
    OK(trygon_value_release(tg, &v));
    drop(tg, ref);
    OK(trygon_free(tg, 1, &small));
    CHECK_RC(trygon_get(tg, small, 0, &w), TRYGON_ERR_FREED);
    drop(tg, small);

    ref = make(tg, "makes_later", &o, MiB, 2); /* not there yet */
    OK(trygon_free(tg, 1, &ref));
    atomic_store(&shared[GATE], 1);
    CHECK(take_code(tg, ref) == TRYGON_ERR_FREED);

    small = put_int(tg, 7); /* while a task has it as its argument */
    ref = call_with(tg, "looks_late", &o, 1, &TRYGON_REF(small));
    UNTIL(atomic_load(&shared[STARTED]) != 0);
    OK(trygon_free(tg, 1, &small));
    atomic_store(&shared[FREED], 1);
    CHECK(take_int(tg, ref) == 1);
    drop(tg, small);

    ref = put_filled(tg, MiB, 3); /* by a rank that holds it */
    CHECK(call_within(tg, "frees", &o, ref) == 0);
    UNTIL(trygon_get(tg, ref, 0, &w) == TRYGON_ERR_FREED ||
          trygon_value_release(tg, &w) != 0);
    drop(tg, ref);
    empties_everywhere(tg);
    return 0;
}

static void freed_by_hand(void)
{
    play(&(struct scene){.nodes = 2}, fns, free_driver);
}

static int bad_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t none = {TRYGON_KIND_OBJECT, 1234567}, ref = put_int(tg, 1);
    size_t n = 99;
    int32_t rank;
    bool spilled;
    INVALID(trygon_free(NULL, 1, &ref));
    INVALID(trygon_free(tg, 1, NULL));
    OK(trygon_free(tg, 0, NULL));
    CHECK_RC(trygon_free(tg, 1, &none), TRYGON_ERR_NOTFOUND);
    INVALID(trygon_ref_locations(tg, ref, 1, &rank, NULL, NULL));
    INVALID(trygon_ref_locations(tg, ref, 1, NULL, &n, NULL));
    INVALID(trygon_ref_locations(NULL, ref, 1, &rank, &n, NULL));
    CHECK_RC(trygon_ref_locations(tg, none, 1, &rank, &n, &spilled),
             TRYGON_ERR_NOTFOUND);
    INVALID(trygon_objects(tg, 1, NULL, &n));
    INVALID(trygon_objects(tg, 0, NULL, NULL));
    INVALID(trygon_objects(NULL, 0, NULL, &n));
    CHECK(n == 99);
    drop(tg, ref);
    return 0;
}

static void bad_arguments(void)
{
    play(&(struct scene){.nodes = 0}, fns, bad_driver);
}

/* ----- looking ---------------------------------------------------------------------- */

static size_t places(trygon_t *tg, trygon_ref_t ref, int32_t ranks[4],
                     bool *spilled)
{
    size_t n = 99;
    OK(trygon_ref_locations(tg, ref, 4, ranks, &n, spilled));
    return n;
}

static int places_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    int32_t ranks[4] = {-1, -1, -1, -1};
    bool spilled = true;
    size_t n;
    trygon_ref_t small = put_int(tg, 1), ref = put_filled(tg, MiB, 1);
    CHECK(places(tg, small, ranks, &spilled) == 0 && !spilled);
    CHECK(places(tg, ref, ranks, &spilled) == 1 && ranks[0] == 0 && !spilled);
    if (h_size > 1) {
        trygon_task_opts_t o = at(1);
        CHECK(looks_right(tg, &o, ref, 1));
        UNTIL(places(tg, ref, ranks, NULL) == 2);
        CHECK(ranks[0] == 0 && ranks[1] == 1);
    }
    trygon_ref_t later = make(tg, "makes_later", NULL, 10, 1);
    CHECK_RC(trygon_ref_locations(tg, later, 4, ranks, &n, NULL),
             TRYGON_ERR_STATE);
    atomic_store(&shared[GATE], 1);
    see(tg, later, 10, 1);
    CHECK(places(tg, later, ranks, NULL) == 0);
    drop(tg, later);
    drop(tg, small);
    trygon_ref_t more[12];
    for (int i = 0; i < 12; i++)
        more[i] = put_filled(tg, MiB, i);
    UNTIL(places(tg, more[0], ranks, &spilled) == 0 && spilled);
    see(tg, more[0], MiB, 0);
    UNTIL(places(tg, more[0], ranks, &spilled) == 1);
    CHECK(ranks[0] == 0);
    OK(trygon_ref_release(tg, 12, more));
    drop(tg, ref);
    empties_everywhere(tg);
    return 0;
}

static void where_it_is(void)
{
    play(&(struct scene){.nodes = 2, .bytes = "12M", .own_dir = true}, fns,
         places_driver);
}

/* Whoever waits for one of several has all of them pulled, not that one only. */
static int pull_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    enum { N = 5 };
    trygon_task_opts_t o = at(1);
    trygon_wait_opts_t w;
    trygon_ref_t refs[N];
    int32_t ranks[4];
    bool ready[N];
    size_t n = 0;
    OK(trygon_wait_opts_init(&w));
    for (int64_t i = 0; i < N; i++)
        refs[i] = make(tg, "makes", &o, 2 * MiB, i);
    w.num_returns = N;
    w.fetch_local = false;
    OK(trygon_wait(tg, N, refs, &w, ready, &n));
    for (int i = 0; i < N; i++)
        CHECK(places(tg, refs[i], ranks, NULL) == 1 && ranks[0] == 1);
    w.num_returns = 1;
    w.fetch_local = true;
    OK(trygon_wait(tg, N, refs, &w, ready, &n));
    CHECK(n >= 1);
    for (int i = 0; i < N; i++) {
        UNTIL(places(tg, refs[i], ranks, NULL) == 2);
        CHECK(ranks[0] + ranks[1] == 1); /* here too */
        see(tg, refs[i], 2 * MiB, i);
    }
    CHECK(stats_of(tg).pulled_bytes == N * 2 * MiB); /* each of them once */
    OK(trygon_ref_release(tg, N, refs));
    empties_everywhere(tg);
    return 0;
}

static void a_wait_for_one_of_many_pulls_all_of_them(void)
{
    if (h_size > 1)
        play(&(struct scene){.nodes = 2}, fns, pull_driver);
}

static int list_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_object_t list[8];
    trygon_value_t v = {0};
    size_t n = 0;
    trygon_ref_t refs[4] = {
        put_int(tg, 1),
        put_filled(tg, MiB, 1),
        make(tg, "makes", NULL, 3 * MiB, 2),
        make(tg, "makes_later", NULL, 10, 1),
    };
    OK(trygon_get(tg, refs[1], 0, &v));
    see(tg, refs[2], 3 * MiB, 2);
    OK(trygon_objects(tg, 8, list, &n));
    CHECK(n == 4);
    CHECK(trygon_ref_equal(list[0].ref, refs[2]));
    CHECK(list[0].size == 3 * MiB && list[0].at == (h_size > 1 ? 1 : 0) &&
          list[0].owner == 0 && strcmp(list[0].function, "makes") == 0);
    CHECK(trygon_ref_equal(list[1].ref, refs[1]));
    CHECK(list[1].size == MiB && list[1].at == 0 && list[1].pins == 1 &&
          list[1].state == TRYGON_OBJECT_READY && !list[1].spilled &&
          strcmp(list[1].function, "put") == 0);
    CHECK(list[2].at == -1 && list[3].at == -1);
    CHECK(list[2].state + list[3].state ==
          TRYGON_OBJECT_READY + TRYGON_OBJECT_PENDING);
    atomic_store(&shared[GATE], 1);
    OK(trygon_objects(tg, 1, list, &n));
    CHECK(n == 4 && trygon_ref_equal(list[0].ref, refs[2]));
    OK(trygon_value_release(tg, &v));
    see(tg, refs[3], 10, 1);
    OK(trygon_ref_release(tg, 4, refs));
    empties_everywhere(tg);
    OK(trygon_objects(tg, 0, NULL, &n));
    CHECK(n == 0);
    return 0;
}

/* It is pinned so often, and held by so many other ranks. */
static bool has(trygon_t *tg, trygon_ref_t ref, uint64_t pins, uint64_t holders)
{
    trygon_object_t list[8];
    size_t n = 0;
    OK(trygon_objects(tg, 8, list, &n));
    for (size_t i = 0; i < n && i < 8; i++)
        if (trygon_ref_equal(list[i].ref, ref))
            return list[i].pins == pins && list[i].holders == holders;
    return false;
}

/* Argument: an object within a value.  Has it in place until the gate opens. */
static int pins_for_a_while(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t in = {0}, v = {0};
    OK(trygon_call_arg(c, 0, &in));
    OK(trygon_get(tg, in.refs[0], TRYGON_FOREVER, &v));
    atomic_fetch_add(&shared[PINNED], 1);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    OK(trygon_value_release(tg, &v));
    return return_int(c, h_rank);
}

/* Two tasks a rank, on all ranks but this, read what is stored here or there. */
static int holders_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t refs[2] = {put_filled(tg, MiB, 1),
                            make(tg, "makes", NULL, MiB, 2)};
    see(tg, refs[1], MiB, 2);
    uint64_t others = (uint64_t)h_size - 1;
    CHECK(has(tg, refs[0], 0, 0));
    for (int i = 0; i < 2; i++) {
        trygon_ref_t tasks[16];
        int ntasks = 2 * (int)others;
        trygon_value_t in = {NULL, 0, TRYGON_BYTE, 0, NULL, &refs[i], 1, NULL};
        atomic_store(&shared[GATE], 0);
        atomic_store(&shared[PINNED], 0);
        for (int k = 0; k < ntasks; k++)
            tasks[k] = call(tg, "pins_for_a_while", 1, &in);
        UNTIL(atomic_load(&shared[PINNED]) == ntasks);
        CHECK(has(tg, refs[i], (uint64_t)ntasks, others));
        UNTIL(has(tg, refs[1 - i], 0, 0)); /* not any more */
        atomic_store(&shared[GATE], 1);
        for (int k = 0; k < ntasks; k++)
            CHECK(take_int(tg, tasks[k]) > 0);
    }
    OK(trygon_ref_release(tg, 2, refs));
    empties_everywhere(tg);
    return 0;
}

static void who_holds_and_reads_it(void)
{
    if (h_size > 1)
        play(&(struct scene){.nodes = 1}, fns, holders_driver);
}

static void lists_of_all(void)
{
    if (h_size <= 2)
        play(&(struct scene){.nodes = 2}, fns, list_driver);
}

static const struct h_host_test tests[] = {
    HOST_TEST(freed_by_hand),
    HOST_TEST(bad_arguments),
    HOST_TEST(where_it_is),
    HOST_TEST(a_wait_for_one_of_many_pulls_all_of_them),
    HOST_TEST(lists_of_all),
    HOST_TEST(who_holds_and_reads_it),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
}
