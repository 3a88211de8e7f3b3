/* test_init.c - registries, options, and what the ranks must agree on: a start
 * that fails tells every rank the same and leaves the host free to try again.
 */
#include <math.h>

#include "harness.h"

static int same(trygon_call_t *c)
{
    return return_int(c, arg_int(c, 0));
}

static const struct h_fn fns[] = {FN(same), {NULL, NULL}};

static int driver(trygon_t *tg, void *arg)
{
    (void)arg;
    return (int)take_int(tg, call1(tg, "same", 5));
}

/* A start with sane options works (still). */
static void starts(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_opts_t o;
    trygon_t *tg = NULL;
    int status = -1;
    h_opts(&o, reg, 1);
    if (OK(trygon_init(MPI_COMM_WORLD, &o, &tg))) {
        OK(trygon_run(tg, driver, NULL, &status));
        CHECK(status == 5);
        OK(trygon_finalize(&tg));
        CHECK(tg == NULL);
        INVALID(trygon_finalize(&tg));
    }
    OK(trygon_registry_destroy(&reg));
    CHECK(reg == NULL);
    OK(trygon_registry_destroy(&reg));
}

/* ----- the registry ------------------------------------------------------------------ */

static void a_registry_checks_names(void)
{
    trygon_registry_t *reg = NULL;
    char name[70];
    memset(name, 'x', 69);
    name[69] = '\0';
    INVALID(trygon_registry_create(NULL));
    INVALID(trygon_registry_destroy(NULL));
    OK(trygon_registry_create(&reg));
    INVALID(trygon_registry_add_task(NULL, "a", same));
    INVALID(trygon_registry_add_task(reg, NULL, same));
    INVALID(trygon_registry_add_task(reg, "", same));
    INVALID(trygon_registry_add_task(reg, "a", NULL));
    name[64] = '\0';
    INVALID(trygon_registry_add_task(reg, name, same));
    name[63] = '\0';
    OK(trygon_registry_add_task(reg, name, same));
    CHECK_RC(trygon_registry_add_task(reg, name, same), TRYGON_ERR_EXISTS);
    OK(trygon_registry_add_task(reg, "a b/c:\xc3\xa9", same));
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "f%d", i * 37 % 100);
        OK(trygon_registry_add_task(reg, name, same));
    }
    OK(trygon_registry_destroy(&reg));
}

static int long_driver(trygon_t *tg, void *arg)
{
    int64_t x = 8;
    return (int)take_int(tg, call(tg, arg, 1, &INT(x)));
}

static void a_registry_is_frozen_by_init_and_may_be_shared(void)
{
    trygon_registry_t *reg = h_registry(fns);
    static char name[64];
    memset(name, 'n', 63);
    OK(trygon_registry_add_task(reg, name, same));
    for (int round = 0; round < 2; round++) {
        trygon_opts_t o;
        trygon_t *tg = NULL;
        int status = 0;
        h_opts(&o, reg, 1);
        OK(trygon_init(MPI_COMM_NULL, &o, &tg)); /* NULL: all ranks */
        CHECK_RC(trygon_registry_add_task(reg, "late", same), TRYGON_ERR_STATE);
        CHECK_RC(trygon_registry_destroy(&reg), TRYGON_ERR_STATE);
        CHECK(reg != NULL);
        OK(trygon_run(tg, long_driver, name, &status));
        CHECK(status == 8);
        OK(trygon_finalize(&tg));
        CHECK_RC(trygon_registry_add_task(reg, "late", same), TRYGON_ERR_STATE);
    }
    OK(trygon_registry_destroy(&reg));
}

static int no_task_driver(trygon_t *tg, void *arg)
{
    trygon_ref_t out;
    (void)arg;
    CHECK_RC(trygon_submit(tg, "same", 0, NULL, NULL, &out),
             TRYGON_ERR_NOTFOUND);
    return (int)take_int(tg, put_int(tg, 6));
}

static void no_registry_means_no_tasks(void)
{
    trygon_t *tg = NULL;
    int status = 0;
    OK(trygon_init(MPI_COMM_WORLD, NULL, &tg));
    OK(trygon_run(tg, no_task_driver, NULL, &status));
    CHECK(status == 6);
    OK(trygon_finalize(&tg));
}

/* ----- ranks that differ -------------------------------------------------------------- */

/* The last rank lacks, or has, one function; or knows it by another name. */
static void registries_that_differ(const char *all, const char *last,
                                   const char *text)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_opts_t o;
    trygon_t *tg = NULL;
    const char *name = h_rank == h_size - 1 ? last : all;
    if (name != NULL)
        OK(trygon_registry_add_task(reg, name, same));
    h_log_clear();
    h_opts(&o, reg, 1);
    int want = h_size == 1 ? TRYGON_SUCCESS : TRYGON_ERR_MISMATCH;
    CHECK_RC(trygon_init(MPI_COMM_WORLD, &o, &tg), want);
    if (h_size == 1) {
        OK(trygon_finalize(&tg));
    } else {
        CHECK(tg == NULL);
        CHECK(h_rank != 0 || h_logged(text) == 1);
        /* It was never used: not frozen, not held. */
        OK(trygon_registry_add_task(reg, "more", same));
    }
    OK(trygon_registry_destroy(&reg));
}

static void a_function_missing_on_one_rank(void)
{
    char text[64];
    snprintf(text, sizeof text,
             "'extra' of rank 0 is not registered on rank %d", h_size - 1);
    registries_that_differ("extra", NULL, text);
    starts();
}

static void a_function_on_one_rank_only(void)
{
    char text[64];
    snprintf(text, sizeof text,
             "'extra' of rank %d is not registered on rank%s", h_size - 1,
             h_size == 2 ? " 0" : "s 0, ");
    registries_that_differ(NULL, "extra", text);
    starts();
}

static void one_function_by_two_names(void)
{
    registries_that_differ("left", "right", "'left' of rank 0");
    starts();
}

static void no_registry_on_one_rank(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_opts_t o;
    trygon_t *tg = NULL;
    h_opts(&o, h_rank == h_size - 1 ? NULL : reg, 1);
    int want = h_size == 1 ? TRYGON_SUCCESS : TRYGON_ERR_MISMATCH;
    CHECK_RC(trygon_init(MPI_COMM_WORLD, &o, &tg), want);
    if (h_size == 1)
        OK(trygon_finalize(&tg));
    else
        CHECK(h_rank != 0 || h_logged("'same'") == 1);
    OK(trygon_registry_destroy(&reg));
    starts();
}

/* ----- bad options of one rank ---------------------------------------------------------- */

static const trygon_resource_t bad_resources[] = {
    {NULL, 1},        {"", 1},
    {"cpu", 1},       {"x", -1},
    {"x", 1e-5},      {"x", (double)NAN},
    {"memory", -1.0}, {"memory", (double)NAN},
};
enum { NRES = sizeof bad_resources / sizeof bad_resources[0], NBAD = 12 };

/* Bad option number i; its name, or NULL after the last. */
static const char *spoil(trygon_opts_t *o, int i)
{
    switch (i) {
    case 0: o->num_cpus = -2; return "num_cpus";
    case 1: o->num_cpus = 1.5; return "num_cpus";
    case 2: o->num_cpus = (double)NAN; return "num_cpus";
    case 3: o->num_cpus = 1e6; return "num_cpus";
    case 4: o->head_slots = -7; return "head_slots";
    case 5: o->head_slots = 0.5; return "head_slots";
    case 6: o->head_slots = (double)INFINITY; return "head_slots";
    case 7: o->verbose = 3; return "verbose";
    case 8: o->verbose = -1; return "verbose";
    case 9: o->nresources = 1; return "resources";
    case 10: o->nresources = 1000; return "resources";
    case 11: o->size = 0; return "opts";
    }
    if (i >= NBAD + NRES)
        return NULL;
    o->resources = &bad_resources[i - NBAD];
    o->nresources = 1;
    return "resources";
}

static void bad_options_of_one_rank_are_told_to_all(void)
{
    trygon_registry_t *reg = h_registry(fns);
    for (int i = 0;; i++) {
        trygon_opts_t o, good;
        trygon_t *tg = NULL;
        char text[80];
        h_opts(&o, reg, 1);
        good = o;
        const char *name = spoil(&o, i);
        if (name == NULL)
            break;
        h_log_clear();
        bool bad = h_rank == (i % h_size);
        if (!INVALID(trygon_init(MPI_COMM_WORLD, bad ? &o : &good, &tg)))
            fprintf(stderr, "that was bad option %d, %s\n", i, name);
        CHECK(tg == NULL);
        /* Rank 0 writes it; another rank is named. */
        snprintf(text, sizeof text, "rank %d: ", i % h_size);
        bool told = h_logged(text) == (i % h_size != 0) && h_logged(name) == 1;
        if (h_rank == 0 && i != 11) /* whose log is not known */
            CHECK(told);
        if (tg != NULL)
            OK(trygon_finalize(&tg));
    }
    OK(trygon_registry_destroy(&reg));
    starts();
}

static void a_bad_environment_is_told_to_all(void)
{
    static const char *const bad[][2] = {
        {"TRYGON_NUM_CPUS", "many"},       {"TRYGON_NUM_CPUS", "-2"},
        {"TRYGON_HEAD_SLOTS", "1.5"},      {"TRYGON_RESOURCES", "x"},
        {"TRYGON_RESOURCES", "x=1,x=2"},   {"TRYGON_RESOURCES", "cpu=1"},
        {"TRYGON_RESOURCES", "x=0.00001"}, {"TRYGON_SEED", "0x"},
        {"TRYGON_VERBOSE", "9"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        trygon_opts_t o;
        trygon_t *tg = NULL;
        h_log_clear();
        h_opts(&o, NULL, 1);
        if (h_rank == h_size - 1)
            setenv(bad[i][0], bad[i][1], 1);
        INVALID(trygon_init(MPI_COMM_WORLD, &o, &tg));
        CHECK(h_rank != 0 || h_logged(bad[i][0]) == 1);
        unsetenv(bad[i][0]);
    }
    starts();
}

static void the_environment_fills_in_defaults_only(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_opts_t o;
    trygon_t *tg = NULL;
    trygon_node_t node[16];
    size_t n = 0;
    setenv("TRYGON_NUM_CPUS", "3", 1);
    setenv("TRYGON_HEAD_SLOTS", "2", 1);
    OK(trygon_opts_init(&o));
    o.log = h_log;
    o.registry = reg;
    for (int round = 0; round < 2; round++) {
        OK(trygon_init(MPI_COMM_WORLD, &o, &tg));
        if (h_rank == 0) {
            OK(trygon_nodes(tg, 16, node, &n));
            CHECK(n == (size_t)h_size);
            for (int r = 0; r < h_size; r++) {
                double want = r == 0 ? 2 - round : 3 + round;
                CHECK(node[r].cpus_total <= want && node[r].cpus_total >= want);
            }
        }
        OK(trygon_finalize(&tg));
        o.num_cpus = 4;
        o.head_slots = 1;
    }
    unsetenv("TRYGON_NUM_CPUS");
    unsetenv("TRYGON_HEAD_SLOTS");
    OK(trygon_registry_destroy(&reg));
}

static void init_needs_an_output(void)
{
    trygon_opts_t o;
    h_opts(&o, NULL, 1);
    INVALID(trygon_init(MPI_COMM_WORLD, &o, NULL));
    starts();
}

/* An older program, whose options are fewer. */
static void shorter_options_are_understood(void)
{
    trygon_registry_t *reg = h_registry(fns);
    trygon_opts_t o;
    trygon_t *tg = NULL;
    int status = 0;
    memset(&o, 0x5a, sizeof o);
    OK(trygon_opts_init_sized(&o, offsetof(trygon_opts_t, head_slots)));
    CHECK(o.size == offsetof(trygon_opts_t, head_slots));
    o.registry = reg;
    o.num_cpus = 1;
    OK(trygon_init(MPI_COMM_WORLD, &o, &tg));
    OK(trygon_run(tg, driver, NULL, &status));
    CHECK(status == 5);
    OK(trygon_finalize(&tg));
    OK(trygon_registry_destroy(&reg));
}

static const struct h_host_test tests[] = {
    HOST_TEST(starts),
    HOST_TEST(a_registry_checks_names),
    HOST_TEST(a_registry_is_frozen_by_init_and_may_be_shared),
    HOST_TEST(no_registry_means_no_tasks),
    HOST_TEST(a_function_missing_on_one_rank),
    HOST_TEST(a_function_on_one_rank_only),
    HOST_TEST(one_function_by_two_names),
    HOST_TEST(no_registry_on_one_rank),
    HOST_TEST(bad_options_of_one_rank_are_told_to_all),
    HOST_TEST(a_bad_environment_is_told_to_all),
    HOST_TEST(the_environment_fills_in_defaults_only),
    HOST_TEST(init_needs_an_output),
    HOST_TEST(shorter_options_are_understood),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
}
