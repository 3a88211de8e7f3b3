/* test_resources.c - slots, other resources and places: who runs where, what
 * waits and why, what comes back. */
#include "harness.h"

enum {
    GATE,
    NOW,
    MOST,
    RAN,
    RAN_AT = 16 /* + rank */,
    PU_AT = 32 /* + PU % 16 */
};

/* ----- tasks ------------------------------------------------------------------- */

static void note_most(int now)
{
    int most = atomic_load(&shared[MOST]);
    while (now > most &&
           !atomic_compare_exchange_weak(&shared[MOST], &most, now))
        continue;
}

/* Counts how many run at once; long enough to meet others. */
static int meet(trygon_call_t *c)
{
    trygon_call_info_t info = {.size = sizeof info};
    OK(trygon_call_info(c, &info));
    note_most(atomic_fetch_add(&shared[NOW], 1) + 1);
    atomic_fetch_add(&shared[RAN_AT + h_rank], 1);
    for (size_t i = 0; i < info.ncpus; i++) /* a PU is ours alone */
        CHECK(atomic_fetch_add(&shared[PU_AT + info.cpus[i] % 16], 1) == 0);
    usleep(5000);
    for (size_t i = 0; i < info.ncpus; i++)
        atomic_fetch_sub(&shared[PU_AT + info.cpus[i] % 16], 1);
    atomic_fetch_sub(&shared[NOW], 1);
    return return_int(c, info.rank);
}

static int gated(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN], 1);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, h_rank);
}

/* Everything that the task knows of itself. */
static int tell_info(trygon_call_t *c)
{
    trygon_call_info_t info;
    memset(&info, 0, sizeof info);
    info.size = sizeof info;
    OK(trygon_call_info(c, &info));
    CHECK(info.rank == h_rank && strcmp(info.function, "tell_info") == 0);
    CHECK((info.ncpus > 0) == (info.cpus != NULL));
    char name[64];
    snprintf(name, sizeof name, "%s", info.name);
    trygon_value_t v = TRYGON_BYTES(&info, sizeof info);
    OK(trygon_call_return(c, 0, &v));
    return trygon_call_return(c, 1, &TRYGON_BYTES(name, sizeof name));
}

static int where(trygon_call_t *c)
{
    return return_int(c, h_rank);
}

/* ----- helpers --------------------------------------------------------------------- */

static trygon_task_opts_t needs(double cpus)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.num_cpus = cpus;
    return o;
}

static int workers(void)
{
    return h_size == 1 ? 1 : h_size - 1;
}

static void meet_many(trygon_t *tg, const trygon_task_opts_t *o, int n)
{
    trygon_ref_t ref[64];
    for (int i = 0; i < n; i++)
        ref[i] = call_with(tg, "meet", o, 0, NULL);
    for (int i = 0; i < n; i++)
        (void)take_int(tg, ref[i]);
}

static bool all_free(trygon_t *tg, const char *name, double want)
{
    double total = -1, available = -2;
    OK(trygon_resources(tg, name, &total, &available));
    return total >= want && total <= want && available >= total &&
           available <= total;
}

/* Everything is given back, if not at once. */
static void comes_back(trygon_t *tg, const char *name, double want)
{
    UNTIL(all_free(tg, name, want));
}

static bool why_says(trygon_t *tg, const char *what)
{
    char text[2000];
    OK(trygon_why(tg, text, sizeof text, NULL));
    return strstr(text, what) != NULL;
}

/* ----- CPUs -------------------------------------------------------------------------- */

static void no_more_run_than_there_are_slots(trygon_t *tg)
{
    meet_many(tg, NULL, 40);
    CHECK(atomic_load(&shared[MOST]) <= 2 * workers());
    CHECK(atomic_load(&shared[MOST]) >= workers());
    comes_back(tg, "cpu", 2 * workers());
}

static void a_task_may_need_several_slots(trygon_t *tg)
{
    trygon_task_opts_t o = needs(2);
    meet_many(tg, &o, 20);
    CHECK(atomic_load(&shared[MOST]) <= workers());
    comes_back(tg, "cpu", 2 * workers());
}

static void halves_share_a_slot(trygon_t *tg)
{
    trygon_task_opts_t o = needs(0.5);
    trygon_ref_t ref[32];
    int n = 4 * workers(); /* that many fit, and they meet */
    for (int i = 0; i < n; i++)
        ref[i] = call_with(tg, "gated", &o, 0, NULL);
    UNTIL(atomic_load(&shared[RAN]) == n);
    trygon_ref_t more = call_with(tg, "gated", &o, 0, NULL);
    usleep(20000);
    CHECK(atomic_load(&shared[RAN]) == n);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < n; i++)
        (void)take_int(tg, ref[i]);
    (void)take_int(tg, more);
    comes_back(tg, "cpu", 2 * workers());
}

static void no_slot_is_needed_for_nothing(trygon_t *tg)
{
    trygon_task_opts_t o = needs(0);
    trygon_ref_t ref[10], busy[16];
    for (int i = 0; i < 2 * workers(); i++)
        busy[i] = call(tg, "gated", 0, NULL);
    UNTIL(atomic_load(&shared[RAN]) == 2 * workers());
    for (int i = 0; i < 10; i++)
        ref[i] = call_with(tg, "where", &o, 0, NULL);
    for (int i = 0; i < 10; i++)
        (void)take_int(tg, ref[i]);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 2 * workers(); i++)
        (void)take_int(tg, busy[i]);
}

/* ----- what a task knows --------------------------------------------------------------- */

static void a_task_knows_what_it_has(trygon_t *tg)
{
    uint64_t numbers[4];
    for (int i = 0; i < 4; i++) {
        trygon_task_opts_t o = needs(i == 3 ? 0.25 : i == 2 ? 2 : 1);
        trygon_ref_t ref[2];
        trygon_call_info_t info;
        char name[64];
        size_t size;
        o.num_returns = 2;
        o.memory = i == 1 ? 8 << 20 : 0;
        o.name = i == 1 ? "by another name" : NULL;
        OK(trygon_submit(tg, "tell_info", 0, NULL, &o, ref));
        OK(trygon_get_into(tg, ref[0], TRYGON_FOREVER, &info, sizeof info,
                           &size));
        OK(trygon_get_into(tg, ref[1], TRYGON_FOREVER, name, sizeof name,
                           &size));
        CHECK(info.attempt == 0 && info.depth == 0 && info.owner == 0);
        CHECK(info.rank >= (h_size > 1) && info.rank < h_size);
        CHECK(info.node == 0 && info.task != 0);
        CHECK(info.num_cpus >= o.num_cpus && info.num_cpus <= o.num_cpus);
        CHECK(info.num_gpus <= 0 && info.memory == o.memory);
        CHECK(strcmp(name, i == 1 ? "by another name" : "tell_info") == 0);
        if (info.ncpus > 0)
            CHECK(info.ncpus == (i == 2 ? 2 : 1));
        numbers[i] = info.task;
        for (int j = 0; j < i; j++)
            CHECK(numbers[j] != numbers[i]);
        OK(trygon_ref_release(tg, 2, ref));
    }
}

static void the_table_fills_what_there_is_room_for(trygon_t *tg)
{
    size_t n = 0;
    trygon_node_t one;
    OK(trygon_nodes(tg, 0, NULL, &n));
    CHECK(n == (size_t)h_size);
    OK(trygon_nodes(tg, 1, &one, &n));
    CHECK(n == (size_t)h_size && one.rank == 0 && one.host[0] != '\0');
    double x, y;
    CHECK_RC(trygon_resources(tg, "unobtainium", &x, &y), TRYGON_ERR_NOTFOUND);
}

static void the_table_shows_what_is_taken(trygon_t *tg)
{
    trygon_ref_t ref[2];
    trygon_node_t node[16];
    size_t n;
    for (int i = 0; i < 2; i++)
        ref[i] = call(tg, "gated", 0, NULL);
    UNTIL(atomic_load(&shared[RAN]) == 2);
    double total = 0, taken = 0;
    OK(trygon_nodes(tg, 16, node, &n));
    for (size_t i = 0; i < n; i++) {
        CHECK(node[i].rank == (int32_t)i && node[i].node == 0);
        CHECK(node[i].alive && node[i].memory_free <= node[i].memory_total);
        total += node[i].cpus_total;
        taken += node[i].cpus_total - node[i].cpus_free;
    }
    CHECK(total >= 2 * workers() && total <= 2 * workers());
    CHECK(taken >= 2 && taken <= 2);
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < 2; i++)
        (void)take_int(tg, ref[i]);
    comes_back(tg, "cpu", 2 * workers());
}

/* ----- places ------------------------------------------------------------------------------ */

static void all_ranks_take_part_in_a_spread(trygon_t *tg)
{
    trygon_task_opts_t o = needs(1);
    o.strategy = TRYGON_STRATEGY_SPREAD;
    meet_many(tg, &o, 60);
    for (int r = h_size > 1; r < h_size; r++)
        CHECK(atomic_load(&shared[RAN_AT + r]) > 0);
}

static void a_node_can_be_asked_for(trygon_t *tg)
{
    trygon_task_opts_t o = needs(1);
    o.strategy = TRYGON_STRATEGY_NODE;
    o.node = 0;
    (void)take_int(tg, call_with(tg, "where", &o, 0, NULL));
    o.node = 99;
    CHECK_RC(take_code(tg, call_with(tg, "where", &o, 0, NULL)),
             TRYGON_ERR_UNSCHEDULABLE);
    o.node = -1;
    CHECK_RC(take_code(tg, call_with(tg, "where", &o, 0, NULL)),
             TRYGON_ERR_UNSCHEDULABLE);
    o.soft = true; /* as near as it goes */
    o.node = 99;
    (void)take_int(tg, call_with(tg, "where", &o, 0, NULL));
}

/* ----- what can never run --------------------------------------------------------------------- */

static void what_can_never_run_says_why_and_waits(trygon_t *tg)
{
    trygon_task_opts_t o = needs(100);
    trygon_value_t v;
    trygon_ref_t ref = call_with(tg, "where", &o, 0, NULL);
    UNTIL(h_logged("needs 100 cpu on one rank, the largest has 2") == 1);
    CHECK(why_says(tg, "needs 100 cpu on one rank"));
    CHECK_RC(trygon_get(tg, ref, 20, &v), TRYGON_ERR_TIMEOUT);
    CHECK(take_int(tg, call(tg, "where", 0, NULL)) >= 0); /* others run */
    OK(trygon_cancel(tg, ref, false, false));
    CHECK_RC(take_code(tg, ref), TRYGON_ERR_CANCELLED);
    CHECK(!why_says(tg, "needs 100"));
}

static void what_can_never_run_fails_if_asked_to(trygon_t *tg)
{
    static const trygon_resource_t res = {"unobtainium", 1};
    trygon_task_opts_t o[4];
    static const char *const text[] = {"100 cpu", "1 gpu", "bytes of memory",
                                       "no rank has"};
    for (int i = 0; i < 4; i++) {
        o[i] = needs(1);
        o[i].fail_unschedulable = true;
    }
    o[0].num_cpus = 100;
    o[1].num_gpus = 1;
    o[2].memory = UINT64_C(1) << 48;
    o[3].resources = &res;
    o[3].nresources = 1;
    for (int i = 0; i < 4; i++) {
        trygon_value_t v;
        trygon_error_t e = {.size = sizeof e};
        trygon_ref_t ref = call_with(tg, "where", &o[i], 0, NULL);
        CHECK_RC(trygon_get(tg, ref, TRYGON_FOREVER, &v),
                 TRYGON_ERR_UNSCHEDULABLE);
        OK(trygon_ref_error(tg, ref, &e));
        CHECK(strstr(e.text, text[i]) != NULL);
        drop(tg, ref);
    }
}

static const struct h_fn fns[] = {
    FN(meet), FN(gated), FN(tell_info), FN(where), {NULL, NULL},
};

static const struct h_test tests[] = {
    TEST(no_more_run_than_there_are_slots, 2),
    TEST(a_task_may_need_several_slots, 2),
    TEST(halves_share_a_slot, 2),
    TEST(no_slot_is_needed_for_nothing, 2),
    TEST(a_task_knows_what_it_has, 2),
    TEST(the_table_fills_what_there_is_room_for, 1),
    TEST(the_table_shows_what_is_taken, 2),
    TEST(all_ranks_take_part_in_a_spread, 1),
    TEST(a_node_can_be_asked_for, 1),
    TEST(what_can_never_run_says_why_and_waits, 2),
    TEST(what_can_never_run_fails_if_asked_to, 2),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
