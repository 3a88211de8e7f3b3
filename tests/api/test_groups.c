/* test_groups.c - groups and orders of calls; sleep and events. */
#include "async.h"

/* ----- groups ------------------------------------------------------------------------- */

static void groups_hold_up_no_others(trygon_t *tg)
{
    trygon_ref_t actor = create(tg, 1), a, behind, b[4];
    a = method(tg, actor, "a_hold", 0);
    until_started(1);
    behind = method(tg, actor, "a_note", 5);
    for (int64_t i = 0; i < 4; i++)
        CHECK(call_method(tg, actor, "b_note", i) == i);
    for (int i = 0; i < 4; i++)
        b[i] = method(tg, actor, "b_dip", 20);
    for (int i = 0; i < 4; i++) /* with the one of A */
        CHECK(take_int(tg, b[i]) <= 3);
    CHECK(call_method(tg, actor, "note", 3) == 3);
    CHECK(atomic_load(&shared[RAN]) == 5);
    CHECK(call_method(tg, actor, "open", 0) == 0);
    CHECK(take_int(tg, behind) == 5);
    CHECK(take_int(tg, a) == 0);
    drop(tg, actor);
}

static void a_call_may_name_its_group(trygon_t *tg)
{
    trygon_ref_t actor = create(tg, 1), held, moved = {0, 0}, none = {0, 0};
    trygon_call_opts_t o;
    OK(trygon_call_opts_init(&o));
    held = method(tg, actor, "hold", 0);
    until_started(1);
    o.group = "B";
    for (int64_t i = 0; i < 3; i++) {
        OK(trygon_actor_call(tg, actor, "note", 1, &INT(i), &o, &moved));
        CHECK(take_int(tg, moved) == i);
    }
    trygon_ref_t stays = method(tg, actor, "note", 9);
    OK(trygon_actor_call(tg, actor, "open", 0, NULL, &o, &moved));
    CHECK(take_int(tg, moved) == 0);
    CHECK(take_int(tg, stays) == 9);
    CHECK(take_int(tg, held) == 0);
    o.group = "C";
    CHECK_RC(trygon_actor_call(tg, actor, "note", 0, NULL, &o, &none),
             TRYGON_ERR_NOTFOUND);
    CHECK(none.hi == 0 && none.lo == 0);
    drop(tg, actor);
}

static trygon_ref_t create_plain(trygon_t *tg, int32_t order)
{
    trygon_ref_t actor = {0, 0};
    trygon_actor_opts_t o;
    OK(trygon_actor_opts_init(&o));
    o.order = order;
    OK(trygon_actor_create(tg, "Plain", 0, NULL, &o, &actor));
    return actor;
}

static void groups_of_a_regular_actor(trygon_t *tg)
{
    trygon_ref_t actor = create_plain(tg, TRYGON_ORDER_CALLS);
    trygon_ref_t a = method(tg, actor, "a_hold", 0);
    until_started(1);
    CHECK(call_method(tg, actor, "b_note", 1) == 1);
    CHECK(call_method(tg, actor, "note", 2) == 2);
    trygon_ref_t held = method(tg, actor, "hold", 0);
    until_started(2);
    CHECK(call_method(tg, actor, "b_note", 3) == 3);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, held) == 0);
    CHECK(take_int(tg, a) == 0);
    drop(tg, actor);
}

static void whose_arguments_are_there_goes_first(trygon_t *tg)
{
    trygon_ref_t any[] = {create_plain(tg, TRYGON_ORDER_ANY), create(tg, 1)};
    trygon_ref_t late = call1(tg, "gated", 5), ref[2] = {{0, 0}};
    for (int i = 0; i < 2; i++)
        OK(trygon_actor_call(tg, any[i], "note", 1, &TRYGON_REF(late), NULL,
                             &ref[i]));
    for (int i = 0; i < 2; i++)
        CHECK(call_method(tg, any[i], "note", 6) == 6);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 2; i++)
        CHECK(take_int(tg, ref[i]) == 5);
    drop(tg, late);
    OK(trygon_ref_release(tg, 2, any));
}

/* ----- sleep and events ------------------------------------------------------------- */

static void a_task_that_sleeps_is_cancelled(trygon_t *tg)
{
    trygon_ref_t ref = call(tg, "sleeps", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, ref, false, false));
    CHECK(take_code(tg, ref) == TRYGON_ERR_CANCELLED);
    double began = h_seconds();
    OK(trygon_sleep(tg, 20));
    CHECK(h_seconds() - began >= 0.0199);
    OK(trygon_sleep(tg, 0));
    INVALID(trygon_sleep(tg, -1));
    INVALID(trygon_sleep(NULL, 1));
}

struct waiter {
    trygon_event_t *event;
    pthread_t thread;
    atomic_int *came;
    int number;
    bool alone;
};

static void *wait_in_thread(void *arg)
{
    struct waiter *w = arg;
    OK(trygon_event_wait(w->event, TRYGON_FOREVER));
    w->number = atomic_fetch_add(w->came, 1);
    return NULL;
}

/* How many calls of this rank are blocked in an event. */
static int waiting_threads(trygon_t *tg)
{
    char why[2000];
    int n = 0;
    OK(trygon_why(tg, why, sizeof why, NULL));
    for (const char *at = why; (at = strstr(at, "blocked in event")) != NULL;
         at++)
        n++;
    return n;
}

static void events_are_for_threads_too(trygon_t *tg)
{
    enum { N = 4 };
    struct waiter w[N];
    atomic_int came = 0;
    trygon_event_t *event = NULL;
    OK(trygon_event_create(tg, &event));
    CHECK_RC(trygon_event_wait(event, 0), TRYGON_ERR_TIMEOUT);
    CHECK_RC(trygon_event_wait(event, 5), TRYGON_ERR_TIMEOUT);
    for (int i = 0; i < N; i++) {
        w[i] = (struct waiter){.event = event, .came = &came, .number = -1};
        pthread_create(&w[i].thread, NULL, wait_in_thread, &w[i]);
    }
    UNTIL(waiting_threads(tg) == N);
    CHECK(atomic_load(&came) == 0);
    CHECK_RC(trygon_event_destroy(&event), TRYGON_ERR_STATE);
    CHECK(event != NULL);
    OK(trygon_event_set(event));
    for (int i = 0; i < N; i++)
        pthread_join(w[i].thread, NULL);
    CHECK(atomic_load(&came) == N);
    OK(trygon_event_wait(event, 0));
    OK(trygon_event_set(event));
    OK(trygon_event_clear(event));
    CHECK_RC(trygon_event_wait(event, 0), TRYGON_ERR_TIMEOUT);
    OK(trygon_event_destroy(&event));
    OK(trygon_event_destroy(&event));
    INVALID(trygon_event_destroy(NULL));
    INVALID(trygon_event_wait(NULL, 0));
    INVALID(trygon_event_set(NULL));
    INVALID(trygon_event_clear(NULL));
    INVALID(trygon_event_create(tg, NULL));
    INVALID(trygon_event_create(NULL, &event));
}

/* ----- the registry ---------------------------------------------------------------------- */

static int add_class(trygon_registry_t *reg, const char *name,
                     const trygon_group_t *g, size_t n, const char *group)
{
    trygon_method_t m = {"m", node_note, group};
    trygon_class_t cls = {.size = sizeof cls,
                          .name = name,
                          .construct = plain_construct,
                          .methods = &m,
                          .nmethods = 1,
                          .groups = g,
                          .ngroups = n};
    return trygon_registry_add_class(reg, &cls);
}

static void groups_must_make_sense(trygon_t *tg)
{
    trygon_registry_t *reg = NULL;
    trygon_group_t g[TRYGON_MAX_GROUPS + 1];
    char names[TRYGON_MAX_GROUPS + 1][8], longest[65];
    (void)tg;
    memset(longest, 'x', 64);
    longest[64] = '\0';
    for (int i = 0; i <= TRYGON_MAX_GROUPS; i++) {
        snprintf(names[i], sizeof names[i], "g%d", i);
        g[i] = (trygon_group_t){names[i], i + 1};
    }
    OK(trygon_registry_create(&reg));
    INVALID(add_class(reg, "C", NULL, 1, NULL));
    INVALID(add_class(reg, "C", g, TRYGON_MAX_GROUPS + 1, NULL));
    CHECK_RC(add_class(reg, "C", g, 2, "g2"), TRYGON_ERR_NOTFOUND);
    CHECK_RC(add_class(reg, "C", NULL, 0, "g0"), TRYGON_ERR_NOTFOUND);
    g[0].max_concurrency = 0;
    INVALID(add_class(reg, "C", g, 2, "g1"));
    g[0].max_concurrency = 32768;
    INVALID(add_class(reg, "C", g, 2, "g1"));
    g[0].max_concurrency = 32767;
    g[1].name = "g0";
    CHECK_RC(add_class(reg, "C", g, 2, "g0"), TRYGON_ERR_EXISTS);
    g[1].name = "";
    INVALID(add_class(reg, "C", g, 2, "g0"));
    g[1].name = NULL;
    INVALID(add_class(reg, "C", g, 2, "g0"));
    g[1].name = longest;
    INVALID(add_class(reg, "C", g, 2, "g0"));
    g[1].name = "g1";
    OK(trygon_registry_add_task(reg, "D.m", later));
    CHECK_RC(add_class(reg, "D", g, 2, "g1"), TRYGON_ERR_EXISTS);
    OK(add_class(reg, "C", g, TRYGON_MAX_GROUPS, "g14"));
    OK(trygon_registry_destroy(&reg));
}

static const struct h_test tests[] = {
    TEST(groups_hold_up_no_others, 0),
    TEST(a_call_may_name_its_group, 0),
    TEST(groups_of_a_regular_actor, 0),
    TEST(whose_arguments_are_there_goes_first, 0),
    TEST(a_task_that_sleeps_is_cancelled, 0),
    TEST(events_are_for_threads_too, 0),
    TEST(groups_must_make_sense, 0),
    {NULL, NULL, 0},
};

/* A class that the ranks do not describe alike. */
static int ranks_must_agree(const char *what)
{
    trygon_opts_t o;
    trygon_t *tg = NULL;
    double began = h_seconds();
    trygon_class_t cls = plain;
    trygon_method_t m = plain_methods[0];
    trygon_group_t g[] = {{"A", 1}, {"B", 2}};
    bool last = h_rank == h_size - 1;
    h_begin(what);
    cls.methods = &m;
    cls.nmethods = 1;
    cls.groups = g;
    if (strstr(what, "async") != NULL)
        cls.async = last;
    else if (strstr(what, "limit") != NULL)
        g[1].max_concurrency += last;
    else if (strstr(what, "name") != NULL)
        g[1].name = last ? "C" : "B";
    else
        m.group = last ? "A" : NULL;
    trygon_registry_t *reg = h_registry(NULL);
    OK(trygon_registry_add_class(reg, &cls));
    h_opts(&o, reg, 2);
    CHECK_RC(trygon_init(MPI_COMM_WORLD, &o, &tg), TRYGON_ERR_MISMATCH);
    if (h_rank == 0)
        CHECK(h_logged("'Plain") == 1);
    OK(trygon_registry_destroy(&reg));
    return h_end(began);
}

int main(int argc, char **argv)
{
    h_start(MPI_THREAD_MULTIPLE);
    int failures = async_tests(argc, argv, tests);
    if (h_size > 1 && argc < 2) {
        (void)ranks_must_agree("ranks_must_agree_who_is_async");
        (void)ranks_must_agree("ranks_must_agree_on_limits");
        (void)ranks_must_agree("ranks_must_agree_on_names_of_groups");
        failures = ranks_must_agree("ranks_must_agree_on_groups_of_methods");
    }
    MPI_Finalize();
    return failures != 0;
}
