/* test_place.c - where a lease goes, and what is said when it can go nowhere. */
#include "../cunit_main.h"
#include "granting.h"

/* One lease for owner 1: its worker; -1: none was granted. */
static int32_t placed(struct sched *s, uint64_t cls, struct tg_shape shape,
                      int32_t near)
{
    struct asked a = {1, cls, 1, 0, 0, shape, near >= 0, {near}};
    struct grant g;
    ask(s, &a);
    return granted(s, &g) ? g.worker : -1;
}

static struct tg_shape on_node(int32_t node, bool soft)
{
    struct tg_shape sh = shape_cpus(TG_UNIT);
    sh.strategy = TRYGON_STRATEGY_NODE;
    sh.node = node;
    sh.soft = soft;
    return sh;
}

/* ----- the default ------------------------------------------------------------------ */

static void a_lease_goes_near_the_data(void)
{
    struct sched s;
    sched_start(&s, 4, 1, 2); /* ranks 1 2 on node 0, 3 4 on node 1 */
    struct tg_shape one = shape_cpus(TG_UNIT);
    CU_ASSERT_EQUAL(placed(&s, 1, one, 3), 3);
    CU_ASSERT_EQUAL(placed(&s, 2, one, 3), 4); /* that is full: its node */
    int32_t r = placed(&s, 3, one, 3);
    CU_ASSERT(r == 1 || r == 2); /* that is full: anywhere */
    sched_stop(&s);
}

static void data_may_be_on_several_ranks(void)
{
    struct sched s;
    struct grant g;
    sched_start(&s, 4, 1, 1);
    struct asked a = {1, 1, 3, 0, 0, shape_cpus(TG_UNIT), 2, {4, 2}};
    ask(&s, &a);
    static const int32_t want[] = {4, 2};
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(granted(&s, &g));
        CU_ASSERT_EQUAL(g.worker, want[i]);
    }
    CU_ASSERT_TRUE(granted(&s, &g));
    sched_stop(&s);
}

static void the_owner_s_node_is_filled_to_one_half_first(void)
{
    struct sched s;
    struct grant g[10];
    sched_start(&s, 2, 4, 1);
    ask_for(&s, 2, 8);
    CU_ASSERT_EQUAL(all_granted(&s, g, 8), 8);
    CU_ASSERT(g[0].worker == 2 && g[1].worker == 2);
    CU_ASSERT(g[2].worker == 1 && g[3].worker == 1);
    sched_stop(&s);
}

static void ranks_of_a_node_are_filled_evenly(void)
{
    struct sched s;
    struct grant g[8];
    int n[5] = {0};
    sched_start(&s, 4, 4, 4);
    ask_for(&s, 1, 8);
    CU_ASSERT_EQUAL(all_granted(&s, g, 8), 8);
    for (int i = 0; i < 8; i++)
        n[g[i].worker]++;
    for (int r = 1; r <= 4; r++)
        CU_ASSERT_EQUAL(n[r], 2);
    sched_stop(&s);
}

static void every_free_cpu_is_found(void)
{
    struct sched s;
    struct grant g[60];
    sched_start(&s, 12, 5, 2);
    ask_for(&s, 3, 61);
    CU_ASSERT_EQUAL(all_granted(&s, g, 60), 60);
    CU_ASSERT_FALSE(granted(&s, g));
    sched_stop(&s);
}

/* ----- spread and node ----------------------------------------------------------------- */

static void spread_goes_round_the_nodes(void)
{
    struct sched s;
    struct grant g[8];
    sched_start(&s, 6, 2, 2); /* three nodes of two ranks */
    struct tg_shape sh = shape_cpus(TG_UNIT);
    sh.strategy = TRYGON_STRATEGY_SPREAD;
    struct asked a = {1, 1, 6, 0, 0, sh, 1, {1}}; /* beats locality */
    ask(&s, &a);
    CU_ASSERT_EQUAL(all_granted(&s, g, 6), 6);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(s.node[g[i].worker], (s.node[g[0].worker] + i) % 3);
    sched_stop(&s);
}

static void spread_passes_over_what_is_full(void)
{
    struct sched s;
    struct grant g[4];
    sched_start(&s, 3, 1, 1);
    CU_ASSERT_EQUAL(placed(&s, 1, on_node(1, false), -1), 2);
    struct tg_shape sh = shape_cpus(TG_UNIT);
    sh.strategy = TRYGON_STRATEGY_SPREAD;
    struct asked a = {1, 2, 4, 0, 0, sh, 0, {0}};
    ask(&s, &a);
    CU_ASSERT_EQUAL(all_granted(&s, g, 4), 2);
    CU_ASSERT(g[0].worker != 2 && g[1].worker != 2);
    sched_stop(&s);
}

static void a_hard_node_is_waited_for(void)
{
    struct sched s;
    struct grant first, g;
    sched_start(&s, 4, 1, 2);
    struct asked a = {1, 1, 3, 0, 0, on_node(1, false), 0, {0}};
    ask(&s, &a);
    CU_ASSERT_TRUE(granted(&s, &first));
    CU_ASSERT_TRUE(granted(&s, &g));
    CU_ASSERT(s.node[first.worker] == 1 && s.node[g.worker] == 1);
    CU_ASSERT_FALSE(granted(&s, &g)); /* though node 0 is empty */
    closes(&s, &first);
    CU_ASSERT_TRUE(granted(&s, &g));
    CU_ASSERT_EQUAL(s.node[g.worker], 1);
    sched_stop(&s);
}

static void a_soft_node_is_preferred(void)
{
    struct sched s;
    struct grant g[4];
    sched_start(&s, 4, 1, 2);
    struct asked a = {1, 1, 4, 0, 0, on_node(1, true), 0, {0}};
    ask(&s, &a);
    CU_ASSERT_EQUAL(all_granted(&s, g, 4), 4);
    CU_ASSERT(s.node[g[0].worker] == 1 && s.node[g[1].worker] == 1);
    CU_ASSERT_EQUAL(placed(&s, 2, on_node(77, true), -1), -1);
    bool final;
    CU_ASSERT_STRING_EQUAL(refused(&s, 1, &final), ""); /* any node will do */
    sched_stop(&s);
}

static void gpus_go_where_they_are(void)
{
    struct sched s;
    sched_setup(&s, 3, 2, 1);
    s.total[2][TG_RES_GPU] = TG_UNIT;
    sched_go(&s);
    struct tg_shape sh = shape_cpus(TG_UNIT);
    sh.amount[TG_RES_GPU] = TG_UNIT / 2;
    CU_ASSERT_EQUAL(placed(&s, 1, sh, 1), 2);
    CU_ASSERT_EQUAL(placed(&s, 2, sh, 1), 2);
    CU_ASSERT_EQUAL(placed(&s, 3, sh, 1), -1);
    sched_stop(&s);
}

static void gpus_are_spared_by_who_needs_none(void)
{
    struct sched s;
    struct grant g[4];
    sched_setup(&s, 3, 2, 1);
    s.total[1][TG_RES_GPU] = TG_UNIT;
    sched_go(&s);
    struct asked a = {4, 1, 2, 0, 0, shape_cpus(2 * TG_UNIT), 0, {0}};
    ask(&s, &a);
    CU_ASSERT_EQUAL(all_granted(&s, g, 4), 2);
    CU_ASSERT(g[0].worker != 1 && g[1].worker != 1);
    sched_stop(&s);
}

/* One rank of the node has the GPU, another one has the CPUs that are left. */
static void what_is_needed_at_once_is_on_one_rank(void)
{
    struct sched s;
    sched_setup(&s, 4, 2, 2);
    s.total[1][TG_RES_GPU] = s.total[3][TG_RES_GPU] = TG_UNIT;
    sched_go(&s);
    CU_ASSERT_EQUAL(placed(&s, 1, shape_cpus(2 * TG_UNIT), 1), 1);
    struct tg_shape sh = shape_cpus(2 * TG_UNIT);
    sh.amount[TG_RES_GPU] = TG_UNIT;
    CU_ASSERT_EQUAL(placed(&s, 2, sh, 1), 3);
    CU_ASSERT_EQUAL(placed(&s, 3, sh, 1), -1);
    sched_stop(&s);
}

static void chance_chooses_among_the_emptier_nodes(void)
{
    bool used[RANKS_MOST] = {false};
    for (uint64_t seed = 1; seed < 40; seed++) {
        struct sched s;
        sched_start(&s, 14, 4, 1);
        s.ctx.rng.state = tg_mix64(seed);
        struct asked a = {1, 1, 1, 0, 0, shape_cpus(4 * TG_UNIT), 0, {0}};
        struct grant g[2];
        ask(&s, &a); /* its own node is full with that */
        a.want = 2;
        ask(&s, &a);
        CU_ASSERT_EQUAL(all_granted(&s, g, 2), 2);
        CU_ASSERT_EQUAL(g[0].worker, 1);
        used[g[1].worker] = true;
        sched_stop(&s);
    }
    int n = 0;
    for (int r = 0; r < RANKS_MOST; r++)
        n += used[r];
    CU_ASSERT_EQUAL(n, 2); /* a fifth of 14 */
}

/* ----- the tree of what is free --------------------------------------------------------- */

enum { ROWS = 37, COLS = 3 };

static bool row_covers(const int64_t *row, const struct tg_need *need)
{
    for (int i = 0; i < need->namounts; i++)
        if (row[need->amount[i].col] < need->amount[i].least)
            return false;
    return need->nsets == 0 || (row[COLS - 1] & need->set[0].bits) != 0;
}

static void a_tree_finds_what_a_look_at_every_row_does(void)
{
    struct tg_region region = {0};
    struct tg_tree t;
    struct tg_rng rng = {3};
    int64_t rows[ROWS][COLS];
    memset(rows, 0, sizeof rows);
    for (int r = 0; r < ROWS; r++)
        rows[r][0] = rows[r][1] = -1;
    tg_tree_init(&t, &region, ROWS, COLS - 1, 1);
    for (int i = 0; i < 20000; i++) {
        uint32_t at = tg_rng_below(&rng, ROWS);
        rows[at][0] = tg_rng_below(&rng, 20);
        rows[at][1] = tg_rng_below(&rng, 20);
        rows[at][2] = 1 << tg_rng_below(&rng, 6);
        tg_tree_set(&t, (int32_t)at, rows[at]);
        tg_tree_check(&t);
        struct tg_need need = {.namounts = 2,
                               .nsets = (int)tg_rng_below(&rng, 2)};
        need.amount[0].least = tg_rng_below(&rng, 20);
        need.amount[1].col = 1;
        need.amount[1].least = tg_rng_below(&rng, 20);
        need.set[0].col = 2;
        need.set[0].bits = 1 << tg_rng_below(&rng, 6);
        int32_t from = (int32_t)tg_rng_below(&rng, ROWS + 1), next = from;
        while (next < ROWS && !row_covers(rows[next], &need))
            next++;
        CU_ASSERT_EQUAL(tg_tree_next(&t, from, &need), next < ROWS ? next : -1);
        int32_t some = 0, best = tg_tree_best(&t, &need, 0, NULL, NULL);
        while (some < ROWS && !row_covers(rows[some], &need))
            some++;
        CU_ASSERT_EQUAL(best >= 0, some < ROWS);
        CU_ASSERT_TRUE(best < 0 || row_covers(rows[best], &need));
    }
    tg_region_fini(&region);
}

static void with_one_amount_the_most_is_found(void)
{
    struct tg_region region = {0};
    struct tg_tree t;
    struct tg_rng rng = {4};
    int64_t row[ROWS] = {0};
    tg_tree_init(&t, &region, ROWS, 1, 0);
    for (int i = 0; i < 2000; i++) {
        uint32_t at = tg_rng_below(&rng, ROWS);
        row[at] = tg_rng_below(&rng, 100);
        tg_tree_set(&t, (int32_t)at, &row[at]);
        int64_t most = 0;
        for (int r = 0; r < ROWS; r++)
            most = row[r] > most ? row[r] : most;
        struct tg_need need = {.namounts = 1};
        int32_t best = tg_tree_best(&t, &need, 0, NULL, NULL);
        CU_ASSERT(best >= 0 && row[best] == most);
    }
    tg_region_fini(&region);
}

/* ----- why not -------------------------------------------------------------------------- */

/* Three workers of 4 CPUs, 2 GPUs and 1,000 bytes, one to a node. */
static void small_machine(struct sched *s)
{
    sched_setup(s, 3, 4, 1);
    for (int r = 1; r <= 3; r++) {
        s->total[r][TG_RES_GPU] = 2 * TG_UNIT;
        s->total[r][TG_RES_MEMORY] = 1000;
    }
    sched_go(s);
}

/* What the head says to owner 1 about a shape that fits nowhere. */
static const char *why_not(struct tg_shape shape, bool *final)
{
    struct sched s;
    small_machine(&s);
    CU_ASSERT_EQUAL(placed(&s, 1, shape, -1), -1);
    const char *text = refused(&s, 1, final);
    sched_stop(&s);
    return text;
}

static void the_reason_names_what_is_lacking(void)
{
    bool final = true;
    struct tg_shape sh = shape_cpus(4 * TG_UNIT + TG_UNIT / 2);
    CU_ASSERT_STRING_EQUAL(why_not(sh, &final),
                           "needs 4.5 CPU on one rank, the largest has 4");
    CU_ASSERT_FALSE(final); /* a warning: it waits */
    sh = shape_cpus(TG_UNIT);
    sh.amount[TG_RES_GPU] = 4 * TG_UNIT;
    CU_ASSERT_STRING_EQUAL(why_not(sh, &final),
                           "needs 4 GPU on one rank, the largest has 2");
    sh = shape_cpus(TG_UNIT);
    sh.amount[TG_RES_MEMORY] = 2000;
    CU_ASSERT_STRING_EQUAL(
        why_not(sh, &final),
        "needs 2000 bytes of memory on one rank, the largest has 1000");
    sh = shape_cpus(TG_UNIT);
    sh.amount[TG_RES_UNKNOWN] = TG_UNIT;
    CU_ASSERT_STRING_EQUAL(why_not(sh, &final),
                           "needs a resource that no rank has");
}

static void a_task_may_ask_to_fail_rather_than_wait(void)
{
    bool final = false;
    struct tg_shape sh = shape_cpus(5 * TG_UNIT);
    sh.fail = true;
    why_not(sh, &final);
    CU_ASSERT_TRUE(final);
}

static void a_hard_node_that_is_not_there_is_final(void)
{
    bool final = false;
    CU_ASSERT_STRING_EQUAL(why_not(on_node(9, false), &final),
                           "needs node 9, which does not exist");
    CU_ASSERT_TRUE(final);
    struct tg_shape sh = on_node(1, false);
    sh.amount[TG_RES_CPU] = 5 * TG_UNIT; /* the node is there, but small */
    CU_ASSERT_STRING_EQUAL(why_not(sh, &final),
                           "needs 5 CPU on one rank, the largest has 4");
    CU_ASSERT_FALSE(final);
}

static void resources_on_different_ranks_do_not_add_up(void)
{
    struct sched s;
    bool final;
    sched_setup(&s, 2, 4, 1);
    s.total[1][TG_RES_CPU] = 0;
    s.total[1][TG_RES_GPU] = TG_UNIT;
    sched_go(&s);
    struct tg_shape sh = shape_cpus(TG_UNIT);
    sh.amount[TG_RES_GPU] = TG_UNIT;
    CU_ASSERT_EQUAL(placed(&s, 1, sh, -1), -1);
    CU_ASSERT_STRING_EQUAL(
        refused(&s, 1, &final),
        "no rank has all that it needs at once, only one after another");
    sched_stop(&s);
}

static void a_reason_is_told_once(void)
{
    struct sched s;
    bool final;
    small_machine(&s);
    struct asked a = {1, 1, 1, 0, 0, shape_cpus(5 * TG_UNIT), 0, {0}};
    ask(&s, &a);
    CU_ASSERT_STRING_NOT_EQUAL(refused(&s, 1, &final), "");
    a.want = 10;
    ask(&s, &a);
    CU_ASSERT_STRING_EQUAL(refused(&s, 1, &final), "");
    a.want = 0; /* all of them failed or were cancelled */
    ask(&s, &a);
    CU_ASSERT_TRUE(tg_head_quiet(&s.head));
    a.want = 1; /* once more */
    ask(&s, &a);
    CU_ASSERT_STRING_NOT_EQUAL(refused(&s, 1, &final), "");
    sched_stop(&s);
}

static void what_became_infeasible_by_a_loss_is_told(void)
{
    struct sched s;
    struct grant g;
    bool final;
    sched_setup(&s, 3, 4, 1);
    s.total[2][TG_RES_GPU] = TG_UNIT;
    sched_go(&s);
    struct tg_shape sh = shape_cpus(TG_UNIT);
    sh.amount[TG_RES_GPU] = TG_UNIT;
    struct asked gpu = {1, 1, 2, 0, 0, sh, 0, {0}};
    struct asked node = {1, 2, 9, 0, 0, on_node(1, false), 0, {0}};
    ask(&s, &gpu);
    ask(&s, &node);
    while (granted(&s, &g))
        continue;
    sched_gone(&s, 2);
    CU_ASSERT_STRING_EQUAL(refused(&s, 1, &final),
                           "needs 1 GPU on one rank, the largest has 0");
    CU_ASSERT_STRING_EQUAL(refused(&s, 1, &final),
                           "needs node 1, which does not exist any more");
    CU_ASSERT_TRUE(final);
    sched_stop(&s);
}

static const struct unit_test tests[] = {
    TEST(a_lease_goes_near_the_data),
    TEST(data_may_be_on_several_ranks),
    TEST(the_owner_s_node_is_filled_to_one_half_first),
    TEST(ranks_of_a_node_are_filled_evenly),
    TEST(every_free_cpu_is_found),
    TEST(spread_goes_round_the_nodes),
    TEST(spread_passes_over_what_is_full),
    TEST(a_hard_node_is_waited_for),
    TEST(a_soft_node_is_preferred),
    TEST(gpus_go_where_they_are),
    TEST(gpus_are_spared_by_who_needs_none),
    TEST(what_is_needed_at_once_is_on_one_rank),
    TEST(chance_chooses_among_the_emptier_nodes),
    TEST(a_tree_finds_what_a_look_at_every_row_does),
    TEST(with_one_amount_the_most_is_found),
    TEST(the_reason_names_what_is_lacking),
    TEST(a_task_may_ask_to_fail_rather_than_wait),
    TEST(a_hard_node_that_is_not_there_is_final),
    TEST(resources_on_different_ranks_do_not_add_up),
    TEST(a_reason_is_told_once),
    TEST(what_became_infeasible_by_a_loss_is_told),
    TESTS_END,
};

CUNIT_MAIN("place", tests)
