/* test_restart.c - actors that are made again, and calls that are.  (Ranks that
 * are lost are the simulator's affair: here actors are killed.) */
#include "actors.h"

enum { BROKEN = RAN + 1, HELD, BUILDS }; /* of shared: what constructors do */

/* ----- a class ------------------------------------------------------------------- */

struct phoenix {
    int64_t n;
    int32_t restarts;
    struct phoenix *older;
};

/* What was killed is never destroyed: all stay, so that none is a leak. */
static _Atomic(struct phoenix *) ashes;

static int32_t restarts_of(const trygon_call_t *c)
{
    trygon_call_info_t info = {.size = sizeof info};
    OK(trygon_call_info(c, &info));
    return info.restarts;
}

static int phoenix_construct(trygon_call_t *c, void **self)
{
    atomic_fetch_add(&shared[BUILDS], 1);
    UNTIL(atomic_load(&shared[HELD]) == 0);
    if (atomic_load(&shared[BROKEN]) != 0)
        return trygon_call_fail(c, 5, "no state to be had");
    struct phoenix *x = calloc(1, sizeof *x);
    *self = x;
    x->n = arg_int(c, 0);
    x->restarts = restarts_of(c);
    x->older = atomic_load(&ashes);
    while (!atomic_compare_exchange_weak(&ashes, &x->older, x))
        continue;
    atomic_fetch_add(&shared[BUILT], 1);
    return 0;
}

static void phoenix_destroy(trygon_t *tg, void *self)
{
    (void)tg;
    (void)self;
    atomic_fetch_add(&shared[DESTROYED], 1);
}

static int phoenix_add(trygon_call_t *c, void *self)
{
    struct phoenix *x = self;
    x->n += arg_int(c, 0);
    return return_int(c, x->n);
}

static int phoenix_echo(trygon_call_t *c, void *self)
{
    (void)self;
    atomic_fetch_add(&shared[RAN], 1);
    usleep(100);
    return return_int(c, arg_int(c, 0));
}

static int phoenix_restarts(trygon_call_t *c, void *self)
{
    CHECK(((const struct phoenix *)self)->restarts == restarts_of(c));
    return return_int(c, restarts_of(c));
}

static int phoenix_spin(trygon_call_t *c, void *self)
{
    (void)self;
    atomic_fetch_add(&shared[STARTED], 1);
    UNTIL(trygon_call_cancelled(c) || atomic_load(&shared[GATE]) != 0);
    atomic_fetch_add(&shared[STOPPED], trygon_call_cancelled(c));
    return return_int(c, 0);
}

/* Fails with 7 so often as it is told, then returns how often it ran. */
static int phoenix_unlucky(trygon_call_t *c, void *self)
{
    (void)self;
    int64_t ran = atomic_fetch_add(&shared[RAN], 1) + 1;
    if (ran <= arg_int(c, 0))
        return trygon_call_fail(c, 7, "no luck");
    return return_int(c, ran);
}

static int phoenix_exit(trygon_call_t *c, void *self)
{
    OK(trygon_call_actor_exit(c));
    return return_int(c, ((const struct phoenix *)self)->n);
}

static const trygon_method_t phoenix_methods[] = {
    {"add", phoenix_add, NULL},           {"echo", phoenix_echo, NULL},
    {"restarts", phoenix_restarts, NULL}, {"spin", phoenix_spin, NULL},
    {"unlucky", phoenix_unlucky, NULL},   {"exit", phoenix_exit, NULL},
};

static const trygon_class_t phoenix = {.size = sizeof phoenix,
                                       .name = "Phoenix",
                                       .construct = phoenix_construct,
                                       .destroy = phoenix_destroy,
                                       .methods = phoenix_methods,
                                       .nmethods = sizeof phoenix_methods /
                                                   sizeof phoenix_methods[0]};

/* ----- short forms ------------------------------------------------------------------ */

static trygon_ref_t rise(trygon_t *tg, int32_t max_restarts,
                         int32_t max_task_retries)
{
    trygon_actor_opts_t o;
    trygon_ref_t a = {0, 0};
    int64_t ten = 10;
    OK(trygon_actor_opts_init(&o));
    o.max_restarts = max_restarts;
    o.max_task_retries = max_task_retries;
    OK(trygon_actor_create(tg, "Phoenix", 1, &INT(ten), &o, &a));
    return a;
}

/* A call that is made again so often, also after code 7. */
static trygon_ref_t again(trygon_t *tg, trygon_ref_t a, const char *name,
                          int64_t x, int32_t retries)
{
    static const int32_t codes[] = {3, 7};
    trygon_call_opts_t o;
    trygon_ref_t ref = {0, 0};
    OK(trygon_call_opts_init(&o));
    o.max_task_retries = retries;
    o.retry_codes = codes;
    o.nretry_codes = 2;
    OK(trygon_actor_call(tg, a, name, 1, &INT(x), &o, &ref));
    return ref;
}

static void kill_again(trygon_t *tg, trygon_ref_t a)
{
    OK(trygon_actor_kill(tg, a, false));
}

/* ----- restarts ------------------------------------------------------------------------ */

static void state_is_reset_and_later_calls_work(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 1, 0);
    CHECK(take_int(tg, method1(tg, a, "add", 5)) == 15);
    CHECK(take_int(tg, method(tg, a, "restarts", 0, NULL)) == 0);
    kill_again(tg, a);
    CHECK(take_int(tg, again(tg, a, "add", 1, 1)) == 11);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 12);
    CHECK(take_int(tg, method(tg, a, "restarts", 0, NULL)) == 1);
    CHECK(atomic_load(&shared[DESTROYED]) == 0);
    drop(tg, a);
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
    CHECK(atomic_load(&shared[BUILT]) == 2);
}

static void killed_twice_with_one_restart_every_call_fails(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 1, -1);
    kill_again(tg, a);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
    kill_again(tg, a);
    died_because(tg, method1(tg, a, "add", 1),
                 "it was killed, after 1 restart");
    died_because(tg, again(tg, a, "add", 1, 5),
                 "it was killed, after 1 restart");
    kill_again(tg, a); /* no effect */
    drop(tg, a);
}

static void there_may_be_no_limit(trygon_t *tg)
{
    enum { N = 20 };
    trygon_ref_t a = rise(tg, -1, -1);
    for (int i = 0; i < N; i++) {
        CHECK(take_int(tg, method(tg, a, "restarts", 0, NULL)) == i);
        kill_again(tg, a);
    }
    OK(trygon_actor_kill(tg, a, true));
    died_because(tg, method1(tg, a, "add", 1), "it was killed, after 20");
    drop(tg, a);
}

/* It was sent to an actor that is made again. */
static void unavailable(trygon_t *tg, trygon_ref_t ref)
{
    trygon_error_t e = {.size = sizeof e};
    trygon_value_t v = {0};
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v),
             TRYGON_ERR_ACTOR_UNAVAILABLE);
    OK(trygon_ref_error(tg, ref, &e));
    CHECK(strstr(e.text, "may or may not") != NULL);
    drop(tg, ref);
}

static void what_is_retried_runs_again_the_rest_may_have_run(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 1, 0);
    trygon_ref_t runs = again(tg, a, "spin", 0, 1);
    trygon_ref_t waits = method1(tg, a, "add", 1);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    kill_again(tg, a);
    unavailable(tg, waits);
    UNTIL(atomic_load(&shared[STARTED]) == 2);
    UNTIL(atomic_load(&shared[STOPPED]) == 1);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, runs) == 0);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
    drop(tg, a);
}

static void what_runs_without_retries_fails_and_ran_once(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 1, 0);
    trygon_ref_t runs = method(tg, a, "spin", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    kill_again(tg, a);
    unavailable(tg, runs);
    UNTIL(atomic_load(&shared[STOPPED]) == 1);
    CHECK(take_int(tg, again(tg, a, "add", 1, 1)) == 11);
    usleep(20000);
    CHECK(atomic_load(&shared[STARTED]) == 1);
    CHECK(atomic_load(&shared[BUILT]) == 2);
    drop(tg, a);
}

static void without_retries_a_call_fails_at_once(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 1, 0);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
    atomic_store(&shared[HELD], 1);
    kill_again(tg, a);
    trygon_ref_t waits = again(tg, a, "add", 2, 1);
    CHECK(take_code(tg, method1(tg, a, "add", 1)) ==
          TRYGON_ERR_ACTOR_UNAVAILABLE);
    atomic_store(&shared[HELD], 0);
    CHECK(take_int(tg, waits) == 12);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 13);
    drop(tg, a);
}

static void a_hundred_calls_all_have_their_value(trygon_t *tg)
{
    enum { N = 100 };
    trygon_ref_t a = rise(tg, 1, -1), ref[N];
    for (int64_t i = 0; i < N; i++)
        ref[i] = method1(tg, a, "echo", i);
    UNTIL(atomic_load(&shared[RAN]) > 10);
    kill_again(tg, a);
    for (int64_t i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == i);
    CHECK(atomic_load(&shared[BUILT]) == 2);
    drop(tg, a);
}

/* A task: so many calls of the actor in argument 0, one after the other. */
static int many_calls(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    for (int64_t i = 0; i < arg_int(c, 1); i++)
        CHECK(take_int(tg, method1(tg, v.refs[0], "echo", i)) == i);
    return return_int(c, 0);
}

static void eight_callers_and_one_restart(trygon_t *tg)
{
    enum { N = 8 };
    int64_t calls = 100;
    trygon_ref_t a = rise(tg, 3, -1), ref[N];
    for (int i = 0; i < N; i++)
        ref[i] = call(tg, "many_calls", 2,
                      (trygon_value_t[]){holding(&a), INT(calls)});
    UNTIL(atomic_load(&shared[RAN]) > 50);
    kill_again(tg, a);
    for (int i = 0; i < N; i++)
        take_int(tg, ref[i]);
    CHECK(take_int(tg, method(tg, a, "restarts", 0, NULL)) == 1);
    CHECK(atomic_load(&shared[BUILT]) == 2);
    drop(tg, a);
}

/* A task: kills the actor in its argument, to be made again. */
static int burner(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    kill_again(tg, v.refs[0]);
    return return_int(c, take_int(tg, again(tg, v.refs[0], "add", 1, -1)));
}

static void another_rank_may_kill_and_call(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 2, 0);
    for (int i = 0; i < 2; i++)
        take_int(tg, call(tg, "burner", 1, (trygon_value_t[]){holding(&a)}));
    CHECK(take_int(tg, again(tg, a, "add", 0, -1)) >= 10);
    CHECK(take_int(tg, method(tg, a, "restarts", 0, NULL)) == 2);
    drop(tg, a);
}

/* ----- before it is there ---------------------------------------------------------------- */

static void a_pending_actor_uses_its_restarts(trygon_t *tg)
{
    trygon_ref_t late = call1(tg, "gated", 5), a = {0, 0};
    trygon_actor_opts_t o;
    OK(trygon_actor_opts_init(&o));
    o.max_restarts = 1;
    OK(trygon_actor_create(tg, "Phoenix", 1, &TRYGON_REF(late), &o, &a));
    trygon_ref_t ref = method1(tg, a, "add", 1);
    kill_again(tg, a);
    atomic_store(&shared[GATE], 1);
    CHECK(take_int(tg, ref) == 6);
    CHECK(take_int(tg, method(tg, a, "restarts", 0, NULL)) == 1);
    kill_again(tg, a);
    died_because(tg, method1(tg, a, "add", 1), "killed, after 1 restart");
    CHECK(atomic_load(&shared[BUILT]) == 1);
    drop(tg, late);
    drop(tg, a);
}

static void a_constructor_that_runs_is_run_again(trygon_t *tg)
{
    atomic_store(&shared[HELD], 1);
    trygon_ref_t a = rise(tg, 1, 0);
    trygon_ref_t ref = method1(tg, a, "add", 1);
    UNTIL(atomic_load(&shared[BUILDS]) == 1);
    kill_again(tg, a);
    atomic_store(&shared[HELD], 0);
    CHECK(take_int(tg, ref) == 11);
    CHECK(take_int(tg, method(tg, a, "restarts", 0, NULL)) == 1);
    CHECK(atomic_load(&shared[BUILDS]) == 2);
    drop(tg, a);
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
}

static void a_kill_for_good_ends_a_restart(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 5, -1);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
    atomic_store(&shared[HELD], 1);
    kill_again(tg, a);
    trygon_ref_t waits = method1(tg, a, "add", 1);
    UNTIL(atomic_load(&shared[BUILDS]) == 2);
    OK(trygon_actor_kill(tg, a, true));
    died_because(tg, waits, "it was killed, after 1 restart");
    atomic_store(&shared[HELD], 0);
    drop(tg, a);
}

static void a_constructor_may_fail_later(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 5, -1);
    trygon_error_t e = {.size = sizeof e};
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
    atomic_store(&shared[BROKEN], 1);
    kill_again(tg, a);
    trygon_ref_t ref = method1(tg, a, "add", 1);
    trygon_value_t v = {0};
    CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v), TRYGON_ERR_ACTOR_DIED);
    OK(trygon_ref_cause(tg, ref, 0, &e));
    CHECK(e.user_code == 5 && strcmp(e.text, "no state to be had") == 0);
    died_because(tg, ref, "its constructor failed, after 1 restart");
    died_because(tg, method1(tg, a, "add", 1), "its constructor failed");
    drop(tg, a);
}

static void an_exit_is_for_good(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, -1, -1);
    CHECK(take_int(tg, method(tg, a, "exit", 0, NULL)) == 10);
    died_because(tg, method1(tg, a, "add", 1), "it exited");
    UNTIL(atomic_load(&shared[DESTROYED]) == 1);
    CHECK(atomic_load(&shared[BUILT]) == 1);
    drop(tg, a);
}

/* ----- retries of calls ---------------------------------------------------------------------- */

static void a_code_is_retried_out_of_the_budget(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 0, 0);
    CHECK(take_int(tg, again(tg, a, "unlucky", 5, 5)) == 6);
    atomic_store(&shared[RAN], 0);
    CHECK(take_code(tg, again(tg, a, "unlucky", 6, 5)) == TRYGON_ERR_TASK);
    CHECK(atomic_load(&shared[RAN]) == 6);
    CHECK(take_int(tg, again(tg, a, "unlucky", 30, -1)) == 31);
    atomic_store(&shared[RAN], 0);
    CHECK(take_code(tg, method1(tg, a, "unlucky", 1)) == TRYGON_ERR_TASK);
    CHECK(atomic_load(&shared[RAN]) == 1);
    drop(tg, a);
}

static void a_call_s_own_retries_take_precedence(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 0, 1);
    CHECK(take_int(tg, again(tg, a, "unlucky", 1, TRYGON_AS_ACTOR)) == 2);
    atomic_store(&shared[RAN], 0);
    CHECK(take_code(tg, again(tg, a, "unlucky", 2, TRYGON_AS_ACTOR)) ==
          TRYGON_ERR_TASK);
    CHECK(atomic_load(&shared[RAN]) == 2);
    atomic_store(&shared[RAN], 0);
    CHECK(take_int(tg, again(tg, a, "unlucky", 3, 3)) == 4);
    atomic_store(&shared[RAN], 0);
    CHECK(take_code(tg, again(tg, a, "unlucky", 1, 0)) == TRYGON_ERR_TASK);
    CHECK(atomic_load(&shared[RAN]) == 1);
    drop(tg, a);
}

static void a_cancelled_call_is_not_made_again(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 1, -1);
    trygon_ref_t runs = method(tg, a, "spin", 0, NULL);
    trygon_ref_t waits = method(tg, a, "spin", 0, NULL);
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    OK(trygon_cancel(tg, waits, false, false));
    OK(trygon_cancel(tg, runs, false, false));
    kill_again(tg, a);
    CHECK(take_code(tg, runs) == TRYGON_ERR_CANCELLED);
    CHECK(take_code(tg, waits) == TRYGON_ERR_CANCELLED);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
    CHECK(atomic_load(&shared[STARTED]) == 1);
    drop(tg, a);
}

/* ----- what it holds, and mistakes --------------------------------------------------------- */

static void its_cpu_is_asked_for_anew(trygon_t *tg)
{
    trygon_actor_opts_t o;
    trygon_ref_t a = {0, 0};
    int64_t ten = 10;
    double all = free_cpus(tg);
    OK(trygon_actor_opts_init(&o));
    o.max_restarts = 3;
    o.max_task_retries = -1;
    o.num_cpus = 1;
    OK(trygon_actor_create(tg, "Phoenix", 1, &INT(ten), &o, &a));
    for (int i = 0; i < 3; i++) {
        CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
        UNTIL(free_cpus(tg) == all - 1);
        kill_again(tg, a);
    }
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
    drop(tg, a);
    UNTIL(free_cpus(tg) >= all);
}

static void options_out_of_range_are_refused(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, 0, 0), out = {0, 0};
    trygon_actor_opts_t o;
    trygon_call_opts_t c;
    int64_t one = 1;
    OK(trygon_actor_opts_init(&o));
    o.max_restarts = -2;
    INVALID(trygon_actor_create(tg, "Phoenix", 1, &INT(one), &o, &out));
    CHECK(h_logged("max_restarts is below -1") == 1);
    OK(trygon_actor_opts_init(&o));
    o.max_task_retries = -2;
    INVALID(trygon_actor_create(tg, "Phoenix", 1, &INT(one), &o, &out));
    OK(trygon_call_opts_init(&c));
    c.max_task_retries = -2;
    INVALID(trygon_actor_call(tg, a, "add", 1, &INT(one), &c, &out));
    CHECK(h_logged("max_task_retries is below -1") == 2);
    OK(trygon_call_opts_init(&c));
    c.nretry_codes = 1;
    INVALID(trygon_actor_call(tg, a, "add", 1, &INT(one), &c, &out));
    CHECK(h_logged("retry_codes is NULL") == 1);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
    drop(tg, a);
}

/* It is made again when all has ended. */
static void the_end_of_the_run_ends_a_restart(trygon_t *tg)
{
    trygon_ref_t a = rise(tg, -1, -1);
    CHECK(take_int(tg, method1(tg, a, "add", 1)) == 11);
    drop(tg, method(tg, a, "spin", 0, NULL));
    UNTIL(atomic_load(&shared[STARTED]) == 1);
    kill_again(tg, a);
    drop(tg, a);
}

static const struct h_test tests[] = {
    TEST(state_is_reset_and_later_calls_work, 0),
    TEST(killed_twice_with_one_restart_every_call_fails, 0),
    TEST(there_may_be_no_limit, 0),
    TEST(what_is_retried_runs_again_the_rest_may_have_run, 0),
    TEST(what_runs_without_retries_fails_and_ran_once, 0),
    TEST(without_retries_a_call_fails_at_once, 0),
    TEST(a_hundred_calls_all_have_their_value, 0),
    TEST(eight_callers_and_one_restart, 8),
    TEST(another_rank_may_kill_and_call, 0),
    TEST(a_pending_actor_uses_its_restarts, 0),
    TEST(a_constructor_that_runs_is_run_again, 0),
    TEST(a_kill_for_good_ends_a_restart, 0),
    TEST(a_constructor_may_fail_later, 0),
    TEST(an_exit_is_for_good, 0),
    TEST(a_code_is_retried_out_of_the_budget, 0),
    TEST(a_call_s_own_retries_take_precedence, 0),
    TEST(a_cancelled_call_is_not_made_again, 0),
    TEST(its_cpu_is_asked_for_anew, 0),
    TEST(options_out_of_range_are_refused, 0),
    TEST(the_end_of_the_run_ends_a_restart, 0),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    h_start(MPI_THREAD_MULTIPLE);
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_task(reg, "many_calls", many_calls));
    OK(trygon_registry_add_task(reg, "burner", burner));
    OK(trygon_registry_add_class(reg, &phoenix));
    return h_main_with(argc, argv, tests, reg);
}
