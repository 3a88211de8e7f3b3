/* test_names.c - names of actors, detached actors, weak handles and lists. */
#include "actors.h"

enum { CREATED = 16, TAKEN, SHOWN, THREADS = 4 };

static const char *const there = "there";

static trygon_actor_opts_t named(const char *name)
{
    trygon_actor_opts_t o;
    OK(trygon_actor_opts_init(&o));
    o.name = name;
    return o;
}

static trygon_ref_t create_named(trygon_t *tg, const char *name)
{
    trygon_actor_opts_t o = named(name);
    return create(tg, &o);
}

static trygon_ref_t find(trygon_t *tg, const char *name)
{
    trygon_ref_t a = {0, 0};
    OK(trygon_actor_find(tg, name, NULL, &a));
    CHECK(trygon_ref_kind(a) == TRYGON_KIND_ACTOR);
    return a;
}

static int found(trygon_t *tg, const char *name)
{
    trygon_ref_t a = {0, 0};
    int rc = trygon_actor_find(tg, name, NULL, &a);
    if (rc == TRYGON_SUCCESS)
        drop(tg, a);
    return rc;
}

static void gone(trygon_t *tg, const char *name)
{
    UNTIL(found(tg, name) == TRYGON_ERR_NOTFOUND);
}

/* On whichever ranks there are. */
static void on_all_ranks(trygon_t *tg, const char *task, trygon_ref_t refs[],
                         size_t n)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.strategy = TRYGON_STRATEGY_SPREAD;
    o.num_cpus = 0.25;
    for (size_t i = 0; i < n; i++) {
        int64_t x = (int64_t)i;
        refs[i] = call_with(tg, task, &o, 1, &INT(x));
    }
}

static bool has_ended(trygon_t *tg, trygon_ref_t a)
{
    int64_t one = 1;
    return take_code(tg, method1(tg, a, "add", one)) == TRYGON_ERR_ACTOR_DIED;
}

/* ----- tasks ------------------------------------------------------------------------ */

static int find_and_add(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t a = find(tg, there);
    int64_t n = take_int(tg, method1(tg, a, "add", 1));
    drop(tg, a);
    return return_int(c, n > 0);
}

static void *get_or_create(void *arg)
{
    trygon_t *tg = arg;
    trygon_actor_opts_t o = named("one of all");
    trygon_ref_t a = {0, 0};
    o.get_if_exists = true;
    OK(trygon_actor_create(tg, "Counter", 0, NULL, &o, &a));
    atomic_fetch_add(&shared[CREATED], 1);
    take_int(tg, method1(tg, a, "add", 1));
    UNTIL(atomic_load(&shared[GATE]) != 0);
    drop(tg, a);
    return NULL;
}

static int get_or_create_from_threads(trygon_call_t *c)
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, get_or_create, trygon_call_runtime(c));
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    return return_int(c, 0);
}

/* Creates a detached actor, and nobody keeps a handle. */
static int create_detached(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_actor_opts_t o = named(there);
    o.detached = true;
    drop(tg, create(tg, &o));
    return return_int(c, 0);
}

/* ----- a method ------------------------------------------------------------------------ */

/* Itself, in the refs of its result. */
static int counter_self(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t me = {0, 0};
    (void)self;
    INVALID(trygon_call_actor(c, NULL));
    OK(trygon_call_actor(c, &me));
    CHECK(trygon_ref_kind(me) == TRYGON_KIND_ACTOR);
    OK(trygon_call_return(c, 0, &(trygon_value_t){.refs = &me, .nrefs = 1}));
    drop(tg, me);
    return 0;
}

static const trygon_method_t selfish_methods[] = {{"self", counter_self, NULL},
                                                  {"add", counter_add, NULL}};
static const trygon_class_t selfish = {.size = sizeof selfish,
                                       .name = "Selfish",
                                       .construct = counter_construct,
                                       .destroy = counter_destroy,
                                       .methods = selfish_methods,
                                       .nmethods = 2};

static int not_in_a_method(trygon_call_t *c)
{
    trygon_ref_t me = {0, 0};
    CHECK_RC(trygon_call_actor(c, &me), TRYGON_ERR_STATE);
    return return_int(c, 0);
}

static const struct h_fn name_fns[] = {
    FN(find_and_add),    FN(get_or_create_from_threads),
    FN(create_detached), FN(not_in_a_method),
    FN(add_two_now),     FN(twice),
    FN(gated),           {NULL, NULL},
};

/* ----- names --------------------------------------------------------------------------- */

static void an_actor_is_found_by_name_on_another_rank(trygon_t *tg)
{
    enum { N = 6 };
    trygon_ref_t a = create_named(tg, there), r[N], b = find(tg, there);
    on_all_ranks(tg, "find_and_add", r, N);
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, r[i]) == 1);
    CHECK(take_int(tg, method(tg, b, "get", 0, NULL)) == N);
    CHECK(trygon_ref_equal(a, b) && atomic_load(&shared[BUILT]) == 1);
    drop(tg, b);
    drop(tg, a);
}

/* Calls through either handle of one caller keep its order. */
static void calls_through_both_handles_keep_their_order(trygon_t *tg)
{
    enum { N = 100 };
    trygon_ref_t a = create_named(tg, there), b = find(tg, there), r[N];
    for (int64_t i = 0, me = 0; i < N; i++)
        r[i] = method(tg, i % 3 == 0 ? b : a, "in_order", 2,
                      (trygon_value_t[]){INT(me), INT(i)});
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, r[i]) == i);
    drop(tg, b);
    drop(tg, a);
}

static void a_name_that_is_taken_creates_nothing(trygon_t *tg)
{
    trygon_actor_opts_t o = named(there);
    trygon_ref_t a = create_named(tg, there), b = {0, 0};
    CHECK_RC(trygon_actor_create(tg, "Counter", 0, NULL, &o, &b),
             TRYGON_ERR_EXISTS);
    o.detached = true;
    CHECK_RC(trygon_actor_create(tg, "Counter", 0, NULL, &o, &b),
             TRYGON_ERR_EXISTS);
    CHECK(trygon_ref_kind(b) == TRYGON_KIND_NONE);
    CHECK(take_int(tg, method1(tg, a, "add", 3)) == 3);
    CHECK(atomic_load(&shared[BUILT]) == 1);
    drop(tg, a);
}

static void namespaces_keep_names_apart(trygon_t *tg)
{
    trygon_actor_opts_t o = named(there);
    trygon_ref_t a = create_named(tg, there), b, c = {0, 0};
    o.name_space = "elsewhere";
    b = create(tg, &o);
    CHECK(take_int(tg, method1(tg, b, "add", 5)) == 5);
    OK(trygon_actor_find(tg, there, "elsewhere", &c));
    CHECK(trygon_ref_equal(b, c) && !trygon_ref_equal(a, c));
    CHECK_RC(trygon_actor_find(tg, there, "nowhere", &c), TRYGON_ERR_NOTFOUND);
    OK(trygon_ref_release(tg, 3, (trygon_ref_t[]){a, b, c}));
}

static void get_if_exists_makes_one_actor_for_all(trygon_t *tg)
{
    enum { N = 4 };
    trygon_ref_t r[N];
    on_all_ranks(tg, "get_or_create_from_threads", r, N);
    UNTIL(atomic_load(&shared[CREATED]) == N * THREADS);
    trygon_ref_t a = find(tg, "one of all");
    UNTIL(take_int(tg, method(tg, a, "get", 0, NULL)) == N * THREADS);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < N; i++)
        take_int(tg, r[i]);
    CHECK(atomic_load(&shared[BUILT]) == 1);
    drop(tg, a);
    gone(tg, "one of all");
}

static void get_if_exists_refuses_another_class(trygon_t *tg)
{
    trygon_actor_opts_t o = named(there);
    trygon_ref_t a = create_named(tg, there), b = {0, 0};
    o.get_if_exists = true;
    CHECK_RC(trygon_actor_create(tg, "Selfish", 0, NULL, &o, &b),
             TRYGON_ERR_EXISTS);
    OK(trygon_actor_create(tg, "Counter", 0, NULL, &o, &b));
    CHECK(trygon_ref_equal(a, b));
    take_int(tg, method1(tg, b, "add", 1));
    CHECK(atomic_load(&shared[BUILT]) == 1);
    drop(tg, b);
    drop(tg, a);
}

static void a_name_is_free_when_its_actor_has_ended(trygon_t *tg)
{
    trygon_ref_t a = create_named(tg, there);
    OK(trygon_actor_kill(tg, a, true));
    CHECK_RC(found(tg, there), TRYGON_ERR_NOTFOUND);
    trygon_ref_t b = create_named(tg, there); /* a is still held */
    trygon_ref_t left = method(tg, b, "exit", 0, NULL);
    atomic_store(&shared[GATE], 1);
    take_int(tg, left);
    gone(tg, there);
    trygon_ref_t c = create_named(tg, there);
    CHECK(take_int(tg, method1(tg, c, "add", 1)) == 1);
    drop(tg, c); /* out of scope */
    gone(tg, there);
    trygon_actor_opts_t o = named(there);
    trygon_ref_t d = {0, 0};
    bool ready;
    OK(trygon_actor_create(tg, "Broken", 0, NULL, &o, &d));
    OK(trygon_wait(tg, 1, &d, NULL, &ready, NULL));
    CHECK_RC(found(tg, there), TRYGON_ERR_NOTFOUND);
    CHECK(has_ended(tg, d));
    OK(trygon_ref_release(tg, 3, (trygon_ref_t[]){a, b, d}));
}

static void a_creation_that_is_refused_gives_its_name_back(trygon_t *tg)
{
    trygon_actor_opts_t o = named(there);
    trygon_ref_t no = put_int(tg, 1), a = {0, 0}, arg = no;
    drop(tg, no);
    for (int i = 0; i < 2; i++) {
        o.detached = i > 0;
        CHECK_RC(
            trygon_actor_create(tg, "Counter", 1, &TRYGON_REF(arg), &o, &a),
            TRYGON_ERR_NOTFOUND);
        gone(tg, there);
    }
    o.detached = false;
    a = create(tg, &o);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 1);
    drop(tg, a);
}

/* ----- weak handles ------------------------------------------------------------------------ */

static void a_weak_handle_does_not_keep_it_alive(trygon_t *tg)
{
    trygon_ref_t a = create_named(tg, there), b = find(tg, there);
    CHECK(take_int(tg, method1(tg, b, "add", 1)) == 1);
    drop(tg, a);
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
    died_because(tg, method1(tg, b, "add", 1), "no handle");
    drop(tg, b);
}

/* What is passed on is weak as well, and serves like any handle. */
static void a_weak_handle_travels_and_kills(trygon_t *tg)
{
    trygon_ref_t a = create_named(tg, there), b = find(tg, there);
    trygon_value_t v = holding(&b);
    CHECK(take_int(tg, call(tg, "add_two_now", 1, &v)) == 2);
    trygon_ref_t box = {0, 0};
    OK(trygon_put(tg, &v, &box));
    bool ready = false;
    OK(trygon_wait(tg, 1, &b, NULL, &ready, NULL));
    CHECK(ready);
    OK(trygon_actor_kill(tg, b, true));
    died_because(tg, method1(tg, a, "add", 1), "killed");
    CHECK(has_ended(tg, b));
    OK(trygon_ref_release(tg, 3, (trygon_ref_t[]){a, b, box}));
}

static void a_method_has_a_handle_of_its_actor(trygon_t *tg)
{
    trygon_ref_t a = {0, 0}, me;
    trygon_value_t v = {0};
    OK(trygon_actor_create(tg, "Selfish", 0, NULL, NULL, &a));
    trygon_ref_t r = method(tg, a, "self", 0, NULL);
    OK(trygon_get(tg, r, TRYGON_FOREVER, &v));
    CHECK(v.nrefs == 1);
    me = v.refs[0];
    OK(trygon_ref_retain(tg, 1, &me));
    OK(trygon_value_release(tg, &v));
    CHECK(trygon_ref_equal(a, me));
    CHECK(take_int(tg, method1(tg, me, "add", 4)) == 4);
    drop(tg, a); /* the value that holds the other does not count */
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
    CHECK(has_ended(tg, me));
    drop(tg, me);
    drop(tg, r);
    take_int(tg, call1(tg, "not_in_a_method", 0));
}

/* ----- detached ------------------------------------------------------------------------------ */

static void a_detached_actor_needs_no_handle(trygon_t *tg)
{
    take_int(tg, call1(tg, "create_detached", 0));
    trygon_ref_t a = find(tg, there);
    CHECK(take_int(tg, method1(tg, a, "add", 2)) == 2);
    drop(tg, a);
    usleep(20000);
    a = find(tg, there);
    CHECK(take_int(tg, method1(tg, a, "add", 2)) == 4);
    CHECK(atomic_load(&shared[DESTROYED]) == 0);
    OK(trygon_actor_kill(tg, a, true));
    gone(tg, there);
    died_because(tg, method1(tg, a, "add", 2), "killed");
    drop(tg, a);
}

static void a_detached_actor_takes_large_arguments(trygon_t *tg)
{
    enum { BYTES = 1 << 20 };
    trygon_actor_opts_t o;
    trygon_ref_t a = {0, 0}, n = put_int(tg, 40);
    OK(trygon_actor_opts_init(&o));
    o.detached = true; /* without a name */
    char *big = calloc(1, BYTES);
    trygon_value_t args[] = {TRYGON_REF(n), TRYGON_BYTES(big, BYTES)};
    OK(trygon_actor_create(tg, "Counter", 2, args, &o, &a));
    free(big);
    drop(tg, n);
    CHECK(take_int(tg, method1(tg, a, "add", 2)) == 42);
    OK(trygon_actor_kill(tg, a, true));
    drop(tg, a);
}

/* ----- listing ------------------------------------------------------------------------------- */

static const trygon_actor_info_t *row_of(trygon_t *tg, trygon_ref_t a)
{
    static trygon_actor_info_t rows[64];
    size_t n = 0;
    OK(trygon_actors(tg, 64, rows, &n));
    for (size_t i = 0; i < n && i < 64; i++)
        if (trygon_ref_equal(rows[i].actor, a))
            return &rows[i];
    return NULL;
}

static bool is(trygon_t *tg, trygon_ref_t a, enum trygon_actor_state state,
               const char *cause)
{
    const trygon_actor_info_t *r = row_of(tg, a);
    return r != NULL && r->state == (int32_t)state &&
           strstr(r->cause, cause) != NULL && r->restarts == 0;
}

static void a_list_shows_states_and_causes(trygon_t *tg)
{
    trygon_ref_t late = call1(tg, "gated", 1), pending = {0, 0}, bad = {0, 0};
    OK(trygon_actor_create(tg, "Counter", 1, &TRYGON_REF(late), NULL,
                           &pending));
    trygon_ref_t alive = create_named(tg, there), killed = create(tg, NULL),
                 scope = create(tg, NULL), left = create(tg, NULL), was = scope;
    OK(trygon_actor_create(tg, "Broken", 0, NULL, NULL, &bad));
    take_int(tg, method1(tg, alive, "add", 1));
    OK(trygon_actor_kill(tg, killed, true));
    drop(tg, scope);
    CHECK(is(tg, pending, TRYGON_ACTOR_PENDING, ""));
    CHECK(is(tg, alive, TRYGON_ACTOR_ALIVE, ""));
    const trygon_actor_info_t *r = row_of(tg, alive);
    CHECK(r != NULL && strcmp(r->name, there) == 0 && r->owner == 0 &&
          strcmp(r->cls, "Counter") == 0 && r->rank >= 0 &&
          r->name_space[0] == '\0' && !r->detached);
    CHECK(is(tg, killed, TRYGON_ACTOR_DEAD, "it was killed"));
    UNTIL(is(tg, was, TRYGON_ACTOR_DEAD, "no handle of it was left"));
    UNTIL(is(tg, bad, TRYGON_ACTOR_DEAD, "no state to be had"));
    atomic_store(&shared[GATE], 1);
    take_int(tg, method(tg, left, "exit", 0, NULL));
    UNTIL(is(tg, left, TRYGON_ACTOR_DEAD, "it exited"));
    size_t n = 0;
    OK(trygon_actors(tg, 0, NULL, &n));
    CHECK(n == 6);
    INVALID(trygon_actors(tg, 1, NULL, &n));
    INVALID(trygon_actors(tg, 0, NULL, NULL));
    CHECK(has_ended(tg, bad));
    OK(trygon_ref_release(
        tg, 6, (trygon_ref_t[]){late, pending, alive, killed, left, bad}));
}

/* Of each rank the last 1,000 are known. */
static void old_ends_are_forgotten(trygon_t *tg)
{
    enum { N = 1100 };
    trygon_ref_t last = {0, 0};
    size_t n = 0;
    for (int i = 0; i < N; i++) {
        last = create(tg, NULL);
        OK(trygon_actor_kill(tg, last, true));
        drop(tg, last);
    }
    OK(trygon_actors(tg, 0, NULL, &n));
    CHECK(n == 1000);
    CHECK(is(tg, last, TRYGON_ACTOR_DEAD, "killed") || n > 64);
}

static void what_waits_is_told_by_name(trygon_t *tg)
{
    char text[2000];
    trygon_ref_t late = call1(tg, "gated", 1), a = {0, 0};
    trygon_actor_opts_t o = named(there);
    OK(trygon_actor_create(tg, "Counter", 1, &TRYGON_REF(late), &o, &a));
    trygon_ref_t r = method1(tg, a, "add", 1);
    OK(trygon_why(tg, text, sizeof text, NULL));
    CHECK(strstr(text, "Counter 'there'") != NULL);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, r) == 2);
    drop(tg, late);
    drop(tg, a);
}

/* ----- bad input ----------------------------------------------------------------------------- */

static void bad_names_are_refused(trygon_t *tg)
{
    char longest[64], too_long[65];
    memset(longest, 'n', sizeof longest);
    memset(too_long, 'n', sizeof too_long);
    longest[63] = too_long[64] = '\0';
    trygon_ref_t a = {0, 0};
    const char *bad[] = {"", too_long};
    for (int i = 0; i < 2; i++) {
        trygon_actor_opts_t o = named(bad[i]);
        INVALID(trygon_actor_create(tg, "Counter", 0, NULL, &o, &a));
        INVALID(trygon_actor_find(tg, bad[i], NULL, &a));
    }
    CHECK(h_logged("name is empty") > 0 && h_logged("longer than 63") > 0);
    trygon_actor_opts_t o = named(there);
    o.name_space = too_long;
    INVALID(trygon_actor_create(tg, "Counter", 0, NULL, &o, &a));
    INVALID(trygon_actor_find(tg, there, too_long, &a));
    o = named(NULL);
    o.get_if_exists = true;
    INVALID(trygon_actor_create(tg, "Counter", 0, NULL, &o, &a));
    CHECK(h_logged("get_if_exists needs") > 0);
    o = named(NULL);
    o.name_space = "here";
    INVALID(trygon_actor_create(tg, "Counter", 0, NULL, &o, &a));
    INVALID(trygon_actor_find(tg, NULL, NULL, &a));
    INVALID(trygon_actor_find(tg, there, NULL, NULL));
    CHECK_RC(trygon_actor_find(tg, there, NULL, &a), TRYGON_ERR_NOTFOUND);
    CHECK(trygon_ref_kind(a) == TRYGON_KIND_NONE);
    INVALID(trygon_call_actor(NULL, &a));
    a = create_named(tg, longest);
    drop(tg, find(tg, longest));
    drop(tg, a);
    CHECK(atomic_load(&shared[BUILT]) <= 1);
}

/* ----- two runs of one runtime ------------------------------------------------------------------ */

static int first_run(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_actor_opts_t o = named("stays");
    o.detached = true;
    trygon_ref_t a = create(tg, &o), b = create_named(tg, "goes");
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 1);
    CHECK(take_int(tg, method1(tg, b, "add", 1)) == 1);
    drop(tg, a);
    drop(tg, b);
    return 0;
}

static int second_run(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t a = find(tg, "stays");
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 2);
    CHECK(take_int(tg, method(tg, a, "child", 0, NULL)) == 42);
    trygon_actor_info_t row[8];
    size_t n = 0, alive = 0;
    OK(trygon_actors(tg, 8, row, &n));
    for (size_t i = 0; i < n && i < 8; i++) {
        alive += row[i].state == TRYGON_ACTOR_ALIVE;
        CHECK(row[i].detached == (row[i].state == TRYGON_ACTOR_ALIVE));
    }
    CHECK(alive == 1);
    gone(tg, "goes");
    trygon_ref_t b = create_named(tg, "goes"); /* its name is free */
    CHECK(take_int(tg, method1(tg, b, "add", 1)) == 1);
    drop(tg, b);
    drop(tg, a);
    return 0;
}

/* What the detached one does at the end is its destructor. */
static int a_detached_actor_outlives_its_run(const trygon_registry_t *reg)
{
    double began = h_seconds();
    trygon_opts_t o;
    trygon_t *tg = NULL;
    int status = -1;
    h_begin(__func__);
    h_opts(&o, reg, 2);
    if (OK(trygon_init(MPI_COMM_WORLD, &o, &tg))) {
        OK(trygon_run(tg, first_run, NULL, &status));
        OK(trygon_run(tg, second_run, NULL, &status));
        OK(trygon_finalize(&tg));
        h_none_left();
    }
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(atomic_load(&shared[BUILT]) == 3);
    CHECK(atomic_load(&shared[DESTROYED]) == 3);
    MPI_Barrier(MPI_COMM_WORLD);
    return h_end(began);
}

static const struct h_test tests[] = {
    TEST(an_actor_is_found_by_name_on_another_rank, 2),
    TEST(calls_through_both_handles_keep_their_order, 2),
    TEST(a_name_that_is_taken_creates_nothing, 2),
    TEST(namespaces_keep_names_apart, 2),
    TEST(get_if_exists_makes_one_actor_for_all, 4),
    TEST(get_if_exists_refuses_another_class, 2),
    TEST(a_name_is_free_when_its_actor_has_ended, 2),
    TEST(a_creation_that_is_refused_gives_its_name_back, 2),
    TEST(a_weak_handle_does_not_keep_it_alive, 2),
    TEST(a_weak_handle_travels_and_kills, 2),
    TEST(a_method_has_a_handle_of_its_actor, 2),
    TEST(a_detached_actor_needs_no_handle, 2),
    TEST(a_detached_actor_takes_large_arguments, 2),
    TEST(a_list_shows_states_and_causes, 4),
    TEST(old_ends_are_forgotten, 2),
    TEST(what_waits_is_told_by_name, 2),
    TEST(bad_names_are_refused, 2),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    bool failed = false;
    h_start(MPI_THREAD_MULTIPLE);
    trygon_registry_t *reg = h_registry(name_fns);
    OK(trygon_registry_add_class(reg, &counter));
    OK(trygon_registry_add_class(reg, &broken));
    OK(trygon_registry_add_class(reg, &selfish));
    if (h_wanted(argc, argv, "a_detached_actor_outlives_its_run"))
        failed = a_detached_actor_outlives_its_run(reg) != 0;
    return h_main_with(argc, argv, tests, reg) || failed;
}
