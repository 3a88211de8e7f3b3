/* test_levels.c - what works when the host has initialised MPI at each thread
 * level; built once for each, with LEVEL.
 *
 *   what                                      SINGLE FUNNELED SERIALIZED MULTIPLE
 *   trygon_run: submit, get, wait, wait sets   yes     yes      yes       yes
 *   nested tasks, 1,000 deep or 1,000 parents  yes     yes      yes       yes
 *   more threads of the driver's rank          yes     yes      yes       yes
 *   async actors, sleep, events                yes     yes      yes       yes
 *   several runs, several runtimes in a row    yes     yes      yes       yes
 *   the driver calls MPI itself                no      no       no        yes
 *   a task calls MPI itself                    no      no       no        yes
 *   outside a run, from the thread that
 *     called trygon_init: submit, get          yes     yes      yes       yes
 *   outside a run, from another thread: get    while the first one is  yes
 *                                              inside a trygon call
 *   outside a run, work for others is done     while its first thread  always
 *     by this rank                             is inside a trygon call
 *   two runtimes at once                       one after the other     yes
 *
 * SINGLE is taken as FUNNELED: trygon has threads of its own, of which only the
 * one that called trygon_init calls MPI.  A rank that is alone calls no MPI
 * after its start, so there everything but the host's own MPI calls works at
 * every level.
 */
#include "harness.h"

#ifndef LEVEL
#define LEVEL MPI_THREAD_MULTIPLE
#endif

enum { GATE, NDONE };

static bool any_thread(void)
{
    return LEVEL == MPI_THREAD_MULTIPLE || h_size == 1;
}

/* ----- tasks ------------------------------------------------------------------- */

static int same(trygon_call_t *c)
{
    return return_int(c, arg_int(c, 0));
}

static int parent(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    return return_int(c, take_int(tg, call1(tg, "same", arg_int(c, 0))));
}

static int descend(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    int64_t n = arg_int(c, 0);
    return return_int(
        c, n == 0 ? 0 : 1 + take_int(tg, call1(tg, "descend", n - 1)));
}

static int make_large(trygon_call_t *c)
{
    size_t size = (size_t)arg_int(c, 0);
    char *p = calloc(1, size);
    int rc = trygon_call_return(c, 0, &TRYGON_BYTES(p, size));
    free(p);
    return rc;
}

/* A message of the host's to itself. */
static int talk_to_self(trygon_call_t *c)
{
    int x = (int)arg_int(c, 0), y = -1;
    MPI_Sendrecv(&x, 1, MPI_INT, h_rank, x, &y, 1, MPI_INT, h_rank, x,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return return_int(c, y);
}

static const struct h_fn fns[] = {
    FN(same),       FN(parent),       FN(descend),
    FN(make_large), FN(talk_to_self), {NULL, NULL},
};

/* ----- an async actor ---------------------------------------------------------------- */

static int construct(trygon_call_t *c, void **self)
{
    trygon_event_t *event = NULL;
    int rc = trygon_event_create(trygon_call_runtime(c), &event);
    *self = event;
    return rc;
}

static void destroy(trygon_t *tg, void *self)
{
    trygon_event_t *event = self;
    (void)tg;
    OK(trygon_event_destroy(&event));
}

/* Asks a task, sleeps, and waits for the call whose number is 0. */
static int ask(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c);
    int64_t x = take_int(tg, call1(tg, "same", arg_int(c, 0)));
    OK(trygon_sleep(tg, x % 3));
    if (x == 0)
        OK(trygon_event_set(self));
    OK(trygon_event_wait(self, TRYGON_FOREVER));
    return return_int(c, x);
}

static const trygon_method_t methods[] = {{"ask", ask, NULL}};
static const trygon_class_t asker = {.size = sizeof asker,
                                     .name = "Asker",
                                     .construct = construct,
                                     .destroy = destroy,
                                     .methods = methods,
                                     .nmethods = 1,
                                     .async = true};

static int async_calls(trygon_t *tg, void *arg)
{
    enum { N = 50 };
    trygon_ref_t actor[2], ref[N];
    (void)arg;
    for (int i = 0; i < 2; i++)
        OK(trygon_actor_create(tg, "Asker", 0, NULL, NULL, &actor[i]));
    for (int64_t i = 0; i < N; i++) {
        int64_t x = N - 2 - i / 2 * 2;
        OK(trygon_actor_call(tg, actor[i % 2], "ask", 1, &INT(x), NULL,
                             &ref[i]));
    }
    for (int64_t i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == N - 2 - i / 2 * 2);
    OK(trygon_ref_release(tg, 2, actor));
    return 4;
}

/* ----- inside a run --------------------------------------------------------------- */

static void call_many(trygon_t *tg, const char *task, int n)
{
    trygon_ref_t *ref = calloc((size_t)n, sizeof *ref);
    for (int64_t i = 0; i < n; i++)
        ref[i] = call1(tg, task, i);
    for (int i = 0; i < n; i++)
        CHECK(take_int(tg, ref[i]) == i);
    free(ref);
}

static int submit_and_get(trygon_t *tg, void *arg)
{
    (void)arg;
    call_many(tg, "same", 200);
    int64_t size = 3 << 20;
    trygon_ref_t ref = call1(tg, "make_large", size);
    trygon_value_t v;
    OK(trygon_get(tg, ref, TRYGON_FOREVER, &v));
    CHECK((int64_t)v.size == size);
    OK(trygon_value_release(tg, &v));
    drop(tg, ref);
    return 4;
}

static int nested(trygon_t *tg, void *arg)
{
    (void)arg;
    CHECK(take_int(tg, call1(tg, "descend", 1000)) == 1000);
    call_many(tg, "parent", 1000);
    return 4;
}

static int use_waitset(trygon_t *tg, void *arg)
{
    enum { N = 200 };
    trygon_ref_t got, ref[N];
    trygon_waitset_t *ws;
    bool ready[N];
    size_t n;
    (void)arg;
    OK(trygon_waitset_create(tg, &ws));
    for (int64_t i = 0; i < N; i++) {
        ref[i] = call1(tg, "same", i);
        OK(trygon_waitset_add(ws, ref[i], (uint64_t)i));
    }
    OK(trygon_wait(tg, N, ref, NULL, ready, &n));
    CHECK(n == 1);
    for (int i = 0; i < N; i++) {
        uint64_t tag;
        OK(trygon_waitset_next(ws, TRYGON_FOREVER, &got, &tag));
        CHECK(take_int(tg, got) == (int64_t)tag);
    }
    OK(trygon_waitset_destroy(&ws));
    return 4;
}

static void *one_thread(void *arg)
{
    call_many(arg, "parent", 100);
    submit_and_get(arg, NULL);
    use_waitset(arg, NULL);
    return NULL;
}

static int with_threads(trygon_t *tg, void *arg)
{
    enum { N = 4 };
    pthread_t id[N];
    (void)arg;
    for (int i = 0; i < N; i++)
        pthread_create(&id[i], NULL, one_thread, tg);
    call_many(tg, "same", 300);
    for (int i = 0; i < N; i++)
        pthread_join(id[i], NULL);
    return 4;
}

static int look_around(trygon_t *tg, void *arg)
{
    trygon_node_t node[16];
    size_t n = 0;
    double total, available;
    (void)arg;
    for (int i = 0; i < 20; i++) {
        OK(trygon_nodes(tg, 16, node, &n));
        CHECK(n == (size_t)h_size && node[0].rank == 0 && node[0].alive);
        OK(trygon_resources(tg, "cpu", &total, &available));
        CHECK(total >= 1 && available <= total);
    }
    return 4;
}

static int tasks_call_mpi(trygon_t *tg, void *arg)
{
    (void)arg;
    if (LEVEL == MPI_THREAD_MULTIPLE)
        call_many(tg, "talk_to_self", 100);
    return 4;
}

static trygon_t *start(const trygon_registry_t *reg, int slots)
{
    trygon_opts_t o;
    trygon_t *tg = NULL;
    h_opts(&o, reg, slots);
    OK(trygon_init(MPI_COMM_WORLD, &o, &tg));
    return tg;
}

static void run(trygon_driver_fn driver, int max_slots)
{
    for (int slots = 1; slots <= max_slots; slots++) {
        trygon_registry_t *reg = h_registry(fns);
        OK(trygon_registry_add_class(reg, &asker));
        trygon_t *tg = start(reg, slots);
        for (int i = 0; i < max_slots; i++) {
            int status = 0;
            OK(trygon_run(tg, driver, NULL, &status));
            CHECK(status == 4);
        }
        OK(trygon_finalize(&tg));
        OK(trygon_registry_destroy(&reg));
        h_none_left();
    }
}

static void submit_and_get_in_a_run(void)
{
    run(submit_and_get, 2);
}

static void nested_tasks_in_a_run(void)
{
    run(nested, 1);
}

static void wait_sets_in_a_run(void)
{
    run(use_waitset, 2);
}

static void threads_in_a_run(void)
{
    run(with_threads, 2);
}

static void async_actors_in_a_run(void)
{
    run(async_calls, 2);
}

static void nodes_in_a_run(void)
{
    run(look_around, 2);
}

static void tasks_that_call_mpi(void)
{
    run(tasks_call_mpi, 2);
}

/* ----- outside a run --------------------------------------------------------------- */

/* Each rank in turn submits while the others are in a trygon call: they wait
 * for something that the first of them makes. */
static void each_rank_in_turn_submits_without_a_run(void)
{
    for (int turn = 0; turn < h_size; turn++) {
        trygon_registry_t *reg = h_registry(fns);
        trygon_t *tg = start(reg, 2);
        if (h_rank == turn) {
            call_many(tg, "same", 100);
            submit_and_get(tg, NULL);
            look_around(tg, NULL);
        }
        OK(trygon_finalize(&tg)); /* where the others wait and work */
        OK(trygon_registry_destroy(&reg));
        h_none_left();
    }
}

/* With a thread for everybody, no rank needs to be in a call. */
static void ranks_work_in_the_background(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start(reg, 2);
    if (any_thread()) {
        if (h_rank == h_size - 1)
            call_many(tg, "parent", 50);
        if (h_rank == h_size - 1)
            atomic_store(&shared[GATE], 1);
        UNTIL(atomic_load(&shared[GATE]) == 1); /* no trygon, no MPI */
    }
    OK(trygon_finalize(&tg));
    OK(trygon_registry_destroy(&reg));
}

static void *submit_outside(void *arg)
{
    call_many(arg, "same", 50);
    atomic_fetch_add(&shared[NDONE], 1);
    return NULL;
}

/* Another thread's calls move on while the first thread is inside trygon: here
 * it looks at an object that never comes. */
static void another_thread_submits_outside_a_run(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *tg = start(reg, 2);
    pthread_t id;
    pthread_create(&id, NULL, submit_outside, tg);
    trygon_ref_t ref = call1(tg, "same", 1);
    while (atomic_load(&shared[NDONE]) < h_size) {
        bool ready;
        trygon_wait_opts_t w;
        OK(trygon_wait_opts_init(&w));
        w.timeout_ms = 0; /* only looks, which moves everything on */
        OK(trygon_wait(tg, 1, &ref, &w, &ready, NULL));
        size_t n;
        if (any_thread())
            usleep(1000);
        else
            OK(trygon_nodes(tg, 0, NULL, &n));
        if (atomic_load(&shared[NDONE]) == h_size)
            break;
    }
    pthread_join(id, NULL);
    drop(tg, ref);
    OK(trygon_finalize(&tg));
    OK(trygon_registry_destroy(&reg));
    h_none_left();
}

static void runtimes_in_a_row(void)
{
    for (int i = 0; i < 5; i++) {
        trygon_registry_t *reg = h_registry(fns);
        trygon_t *tg = start(reg, 1);
        OK(trygon_run(tg, submit_and_get, NULL, NULL));
        OK(trygon_finalize(&tg));
        OK(trygon_registry_destroy(&reg));
    }
}

/* Two live, but only one is in use at a time. */
static void two_runtimes_used_in_turns(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_t *a = start(reg, 1), *b = start(reg, 1);
    for (int i = 0; i < 3; i++) {
        OK(trygon_run(a, submit_and_get, NULL, NULL));
        OK(trygon_run(b, use_waitset, NULL, NULL));
    }
    OK(trygon_finalize(&a));
    OK(trygon_run(b, with_threads, NULL, NULL));
    OK(trygon_finalize(&b));
    OK(trygon_registry_destroy(&reg));
    h_none_left();
}

static void the_level_is_the_hosts(void)
{
    int level;
    trygon_t *tg = start(NULL, 1);
    MPI_Query_thread(&level);
    CHECK(level == LEVEL);
    OK(trygon_finalize(&tg));
}

static const struct h_host_test tests[] = {
    HOST_TEST(the_level_is_the_hosts),
    HOST_TEST(submit_and_get_in_a_run),
    HOST_TEST(nested_tasks_in_a_run),
    HOST_TEST(wait_sets_in_a_run),
    HOST_TEST(async_actors_in_a_run),
    HOST_TEST(threads_in_a_run),
    HOST_TEST(nodes_in_a_run),
    HOST_TEST(tasks_that_call_mpi),
    HOST_TEST(each_rank_in_turn_submits_without_a_run),
    HOST_TEST(ranks_work_in_the_background),
    HOST_TEST(another_thread_submits_outside_a_run),
    HOST_TEST(runtimes_in_a_row),
    HOST_TEST(two_runtimes_used_in_turns),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return h_host_main(argc, argv, LEVEL, tests);
}
