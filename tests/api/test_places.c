/* test_places.c - several nodes (ranks that say so) and ranks that offer
 * different things: where tasks go, and that amounts are kept.
 */
#include "harness.h"

enum { GATE, NOW, MOST, RAN, RAN_AT = 16 /* + rank */ };

/* ----- tasks ------------------------------------------------------------------- */

static int where(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN_AT + h_rank], 1);
    return return_int(c, h_rank);
}

static int gated(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN_AT + h_rank], 1);
    atomic_fetch_add(&shared[RAN], 1);
    UNTIL(atomic_load(&shared[GATE]) != 0);
    return return_int(c, h_rank);
}

static int meet(trygon_call_t *c)
{
    int now = atomic_fetch_add(&shared[NOW], 1) + 1;
    int most = atomic_load(&shared[MOST]);
    while (now > most &&
           !atomic_compare_exchange_weak(&shared[MOST], &most, now))
        continue;
    usleep(3000);
    atomic_fetch_sub(&shared[NOW], 1);
    return return_int(c, h_rank);
}

/* A large object of this rank, by reference, and where that is. */
static int put_large(trygon_call_t *c)
{
    char *p = calloc(1, 4 << 20);
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref;
    int64_t rank = h_rank;
    OK(trygon_put(tg, &TRYGON_BYTES(p, 4 << 20), &ref));
    free(p);
    trygon_value_t v = {&rank, sizeof rank, TRYGON_INT64, 0, NULL,
                        &ref,  1,           NULL};
    OK(trygon_call_return(c, 0, &v));
    drop(tg, ref);
    return 0;
}

static const struct h_fn fns[] = {
    FN(where), FN(gated), FN(meet), FN(put_large), {NULL, NULL},
};

static int holder_construct(trygon_call_t *c, void **self)
{
    (void)c;
    *self = NULL;
    atomic_fetch_add(&shared[RAN], 1);
    return 0;
}

static int holder_where(trygon_call_t *c, void *self)
{
    (void)self;
    return return_int(c, h_rank);
}

static const trygon_method_t holder_methods[] = {{"where", holder_where, NULL}};
static const trygon_class_t holder = {.size = sizeof holder,
                                      .name = "Holder",
                                      .construct = holder_construct,
                                      .methods = holder_methods,
                                      .nmethods = 1};

/* ----- helpers ------------------------------------------------------------------------ */

/* Start, run the driver on rank 0, end.  nodes: every rank is one of its own. */
static void run(trygon_opts_t *o, bool nodes, trygon_driver_fn driver)
{
    char text[32];
    snprintf(text, sizeof text, "node of rank %d", h_rank);
    if (nodes)
        setenv("TRYGON_NODE_ID", text, 1);
    trygon_registry_t *reg = h_registry(fns);
    OK(trygon_registry_add_class(reg, &holder));
    trygon_t *tg = NULL;
    o->registry = reg;
    OK(trygon_init(MPI_COMM_WORLD, o, &tg));
    OK(trygon_run(tg, driver, NULL, NULL));
    OK(trygon_finalize(&tg));
    OK(trygon_registry_destroy(&reg));
    unsetenv("TRYGON_NODE_ID");
    h_none_left();
}

static trygon_task_opts_t at_node(int32_t node, bool soft)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.strategy = TRYGON_STRATEGY_NODE;
    o.node = node;
    o.soft = soft;
    return o;
}

static trygon_task_opts_t with(const trygon_resource_t *r, size_t n)
{
    trygon_task_opts_t o;
    OK(trygon_task_opts_init(&o));
    o.resources = r;
    o.nresources = n;
    return o;
}

static void call_gated(trygon_t *tg, const trygon_task_opts_t *o, int n,
                       trygon_ref_t ref[])
{
    int before = atomic_load(&shared[RAN]);
    for (int i = 0; i < n; i++)
        ref[i] = call_with(tg, "gated", o, 0, NULL);
    UNTIL(atomic_load(&shared[RAN]) == before + n);
}

static void open_gate(trygon_t *tg, int n, trygon_ref_t ref[])
{
    atomic_store(&shared[GATE], 1);
    for (int i = 0; i < n; i++)
        (void)take_int(tg, ref[i]);
}

static int at(int rank)
{
    return atomic_load(&shared[RAN_AT + rank]);
}

/* ----- nodes ------------------------------------------------------------------------------ */

static int drive_nodes(trygon_t *tg, void *arg)
{
    trygon_node_t node[16];
    size_t n;
    (void)arg;
    OK(trygon_nodes(tg, 16, node, &n));
    for (int r = 0; r < h_size; r++)
        CHECK(node[r].node == r && node[r].rank == r);
    for (int r = h_size > 1; r < h_size; r++) {
        trygon_task_opts_t o = at_node(r, false);
        for (int i = 0; i < 5; i++)
            CHECK(take_int(tg, call_with(tg, "where", &o, 0, NULL)) == r);
    }
    if (h_size == 1)
        return 0;
    trygon_task_opts_t o = at_node(0, false); /* there, but without a slot */
    trygon_ref_t ref = call_with(tg, "where", &o, 0, NULL);
    UNTIL(h_logged("pending") == 1);
    OK(trygon_cancel(tg, ref, false, false));
    CHECK_RC(take_code(tg, ref), TRYGON_ERR_CANCELLED);
    o.soft = true;
    CHECK(take_int(tg, call_with(tg, "where", &o, 0, NULL)) > 0);
    return 0;
}

static void a_node_is_where_its_ranks_say(void)
{
    trygon_opts_t o;
    h_opts(&o, NULL, 2);
    run(&o, true, drive_nodes);
}

static int drive_busy_node(trygon_t *tg, void *arg)
{
    trygon_ref_t ref[2];
    trygon_value_t v;
    (void)arg;
    trygon_task_opts_t hard = at_node(1, false), soft = at_node(1, true);
    call_gated(tg, &hard, 1, ref);
    ref[1] = call_with(tg, "where", &hard, 0, NULL);
    CHECK_RC(trygon_get(tg, ref[1], 20, &v), TRYGON_ERR_TIMEOUT); /* waits */
    if (h_size > 2) /* falls back */
        CHECK(take_int(tg, call_with(tg, "where", &soft, 0, NULL)) != 1);
    open_gate(tg, 1, ref);
    CHECK(take_int(tg, ref[1]) == 1);
    return 0;
}

static void a_busy_node_is_waited_for_unless_soft(void)
{
    trygon_opts_t o;
    h_opts(&o, NULL, 1);
    if (h_size > 1)
        run(&o, true, drive_busy_node);
}

static int drive_spread(trygon_t *tg, void *arg)
{
    trygon_ref_t ref[32];
    trygon_task_opts_t o;
    (void)arg;
    OK(trygon_task_opts_init(&o));
    o.strategy = TRYGON_STRATEGY_SPREAD;
    int n = 2 * h_size;
    call_gated(tg, &o, n, ref);
    for (int r = 0; r < h_size; r++)
        CHECK(at(r) == 2);
    open_gate(tg, n, ref);
    return 0;
}

static void spread_goes_round_the_nodes(void)
{
    trygon_opts_t o;
    h_opts(&o, NULL, 4);
    o.head_slots = 4;
    run(&o, true, drive_spread);
}

/* Ray's hybrid rule: at home while that is less than half full, then where
 * there is most room. */
static int drive_default(trygon_t *tg, void *arg)
{
    trygon_ref_t ref[8];
    (void)arg;
    call_gated(tg, NULL, 2, ref);
    CHECK(at(0) == 2);
    call_gated(tg, NULL, 2, ref + 2);
    if (h_size > 1)
        CHECK(at(0) == 2);
    open_gate(tg, 4, ref);
    return 0;
}

static void the_default_packs_to_half_then_moves_on(void)
{
    trygon_opts_t o;
    h_opts(&o, NULL, 4);
    o.head_slots = 4;
    run(&o, true, drive_default);
}

static int drive_locality(trygon_t *tg, void *arg)
{
    (void)arg;
    for (int i = 0; i < 2 * h_size; i++) {
        trygon_task_opts_t o = at_node(i % h_size, false), spread;
        trygon_ref_t box = call_with(tg, "put_large", &o, 0, NULL);
        trygon_value_t v;
        OK(trygon_get(tg, box, TRYGON_FOREVER, &v));
        int64_t made_at = *(const int64_t *)v.data;
        CHECK(made_at == i % h_size);
        trygon_ref_t large = v.refs[0];
        trygon_ref_t near = call(tg, "where", 1, &TRYGON_REF(large));
        CHECK(take_int(tg, near) == made_at);
        OK(trygon_task_opts_init(&spread));
        spread.strategy = TRYGON_STRATEGY_SPREAD; /* which beats it */
        bool elsewhere = false;
        for (int j = 0; j < h_size; j++)
            elsewhere |= take_int(tg, call_with(tg, "where", &spread, 1,
                                                &TRYGON_REF(large))) != made_at;
        CHECK(elsewhere || h_size == 1);
        OK(trygon_value_release(tg, &v));
        drop(tg, box);
    }
    return 0;
}

static void a_task_goes_to_its_large_argument(void)
{
    trygon_opts_t o;
    h_opts(&o, NULL, 2);
    o.head_slots = 2;
    run(&o, true, drive_locality);
}

/* ----- other resources ------------------------------------------------------------------------ */

static int drive_licence(trygon_t *tg, void *arg)
{
    trygon_resource_t one = {"licence", 1}, most = {"licence", 2.7},
                      bit = {"licence", 0.7}, rest = {"licence", 0.3};
    trygon_task_opts_t o = with(&one, 1), p = with(&most, 1), q = with(&bit, 1),
                       s = with(&rest, 1);
    double total, available;
    int last = h_size - 1;
    (void)arg;
    OK(trygon_resources(tg, "licence", &total, &available));
    CHECK(total >= 3 && total <= 3 && available >= 3);
    for (int i = 0; i < 5; i++)
        CHECK(take_int(tg, call_with(tg, "where", &o, 0, NULL)) == last);
    trygon_ref_t ref[4], late;
    call_gated(tg, &p, 1, ref); /* 2.7 of 3 */
    late = call_with(tg, "gated", &q, 0, NULL);
    call_gated(tg, &s, 1, ref + 1); /* 0.3 more fits, 0.7 did not */
    CHECK(atomic_load(&shared[RAN]) == 2);
    open_gate(tg, 2, ref);
    CHECK(take_int(tg, late) == last);
    do {
        OK(trygon_resources(tg, "licence", &total, &available));
    } while (available < 3);
    return 0;
}

static void a_resource_of_one_rank(void)
{
    static const trygon_resource_t licences = {"licence", 3};
    trygon_opts_t o;
    h_opts(&o, NULL, 4);
    if (h_rank == h_size - 1) {
        o.resources = &licences;
        o.nresources = 1;
    }
    run(&o, false, drive_licence);
}

static void the_same_by_the_environment(void)
{
    trygon_opts_t o;
    h_opts(&o, NULL, 4);
    if (h_rank == h_size - 1)
        setenv("TRYGON_RESOURCES", "licence=3,gpu=2", 1);
    run(&o, false, drive_licence);
    unsetenv("TRYGON_RESOURCES");
}

static int drive_gpus(trygon_t *tg, void *arg)
{
    trygon_ref_t ref[8];
    trygon_task_opts_t o;
    double total, available;
    (void)arg;
    OK(trygon_task_opts_init(&o));
    o.num_cpus = 0;
    o.num_gpus = 0.5;
    OK(trygon_resources(tg, "gpu", &total, &available));
    CHECK(total >= 3 && total <= 3);
    call_gated(tg, &o, 6, ref); /* two on each of three */
    trygon_ref_t more = call_with(tg, "gated", &o, 0, NULL);
    usleep(20000);
    CHECK(atomic_load(&shared[RAN]) == 6);
    open_gate(tg, 6, ref);
    (void)take_int(tg, more);
    o.num_gpus = 2;
    for (int i = 0; i < 6; i++)
        ref[i] = call_with(tg, "meet", &o, 0, NULL);
    for (int i = 0; i < 6; i++)
        (void)take_int(tg, ref[i]);
    CHECK(atomic_load(&shared[MOST]) == 1);
    return 0;
}

/* The last rank has so many. */
static void run_with_gpus(double n, trygon_driver_fn driver)
{
    trygon_resource_t gpus = {"gpu", n};
    trygon_opts_t o;
    h_opts(&o, NULL, 4);
    if (h_rank == h_size - 1) {
        o.resources = &gpus;
        o.nresources = 1;
    }
    run(&o, false, driver);
}

static void gpus_are_shared_in_parts(void)
{
    run_with_gpus(3, drive_gpus);
}

static int64_t ask(trygon_t *tg, trygon_ref_t actor)
{
    trygon_ref_t ref = {0, 0};
    OK(trygon_actor_call(tg, actor, "where", 0, NULL, NULL, &ref));
    return take_int(tg, ref);
}

/* One GPU, two actors that need one each. */
static int drive_gpu_actors(trygon_t *tg, void *arg)
{
    trygon_actor_opts_t o;
    trygon_ref_t a[2];
    trygon_wait_opts_t w;
    double total, available;
    bool ready = true;
    (void)arg;
    OK(trygon_actor_opts_init(&o));
    o.num_gpus = 1;
    OK(trygon_actor_create(tg, "Holder", 0, NULL, &o, &a[0]));
    CHECK(ask(tg, a[0]) == h_size - 1);
    OK(trygon_actor_create(tg, "Holder", 0, NULL, &o, &a[1]));
    OK(trygon_wait_opts_init(&w));
    w.timeout_ms = 50;
    OK(trygon_wait(tg, 1, &a[1], &w, &ready, NULL));
    CHECK(!ready && atomic_load(&shared[RAN]) == 1);
    OK(trygon_resources(tg, "gpu", &total, &available));
    CHECK(total >= 1 && total <= 1 && available <= 0);
    CHECK(ask(tg, a[0]) == h_size - 1);
    drop(tg, a[0]);
    CHECK(ask(tg, a[1]) == h_size - 1);
    CHECK(atomic_load(&shared[RAN]) == 2);
    drop(tg, a[1]);
    return 0;
}

static void an_actor_waits_for_another_s_gpu(void)
{
    run_with_gpus(1, drive_gpu_actors);
}

static int drive_memory(trygon_t *tg, void *arg)
{
    trygon_ref_t ref[12];
    trygon_task_opts_t o;
    double total, available;
    (void)arg;
    OK(trygon_task_opts_init(&o));
    o.memory = 600 << 20;
    OK(trygon_resources(tg, "memory", &total, &available));
    CHECK(available <= total && total >= 1 << 30);
    for (int i = 0; i < 12; i++) /* 1 GiB a rank: one at a time */
        ref[i] = call_with(tg, "meet", &o, 0, NULL);
    for (int i = 0; i < 12; i++)
        (void)take_int(tg, ref[i]);
    CHECK(atomic_load(&shared[MOST]) <= (h_size == 1 ? 1 : h_size - 1));
    return 0;
}

static void memory_is_admitted(void)
{
    static const trygon_resource_t memory = {"memory", 1 << 30};
    trygon_opts_t o;
    h_opts(&o, NULL, 4);
    o.resources = &memory;
    o.nresources = 1;
    run(&o, false, drive_memory);
}

static const struct h_host_test tests[] = {
    HOST_TEST(a_node_is_where_its_ranks_say),
    HOST_TEST(a_busy_node_is_waited_for_unless_soft),
    HOST_TEST(spread_goes_round_the_nodes),
    HOST_TEST(the_default_packs_to_half_then_moves_on),
    HOST_TEST(a_task_goes_to_its_large_argument),
    HOST_TEST(a_resource_of_one_rank),
    HOST_TEST(the_same_by_the_environment),
    HOST_TEST(gpus_are_shared_in_parts),
    HOST_TEST(an_actor_waits_for_another_s_gpu),
    HOST_TEST(memory_is_admitted),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
}
