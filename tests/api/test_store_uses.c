/* test_store_uses.c - who keeps large objects, and what goes with them: actors
 * that hold references, files that shrink; one of more than 4 GiB.
 */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "large.h"

/* ----- an actor that holds references --------------------------------------------- */

enum { HELD = 2 };

static trygon_ref_t held[HELD]; /* by this rank's actor, there is only one */
static int nheld;

/* Argument, if any: a value with references, which are kept for restarts. */
static int holder_construct(trygon_call_t *c, void **self)
{
    (void)c;
    *self = &nheld;
    return 0;
}

/* Argument: a reference within a value, which is held from now on. */
static int holder_holds(trygon_call_t *c, void *self)
{
    trygon_value_t in = {0};
    (void)self;
    OK(trygon_call_arg(c, 0, &in));
    held[nheld] = in.refs[0];
    OK(trygon_ref_retain(trygon_call_runtime(c), 1, &held[nheld++]));
    return return_int(c, nheld);
}

static int lets_go(trygon_call_t *c)
{
    drop(trygon_call_runtime(c), held[--nheld]);
    return return_int(c, nheld);
}

static int holder_lets_go(trygon_call_t *c, void *self)
{
    (void)self;
    return lets_go(c);
}

static const trygon_method_t holder_methods[] = {
    {"holds", holder_holds, NULL},
    {"lets_go", holder_lets_go, NULL},
};

static const trygon_class_t holders[] = {
    {.size = sizeof holders[0],
     .name = "holder",
     .construct = holder_construct,
     .methods = holder_methods,
     .nmethods = 2},
    {.size = sizeof holders[0],
     .name = "another",
     .construct = holder_construct,
     .methods = holder_methods,
     .nmethods = 2},
};

static int64_t ask(trygon_t *tg, trygon_ref_t actor, const char *method,
                   const trygon_ref_t *within)
{
    trygon_ref_t ref = {0, 0};
    trygon_value_t v = {NULL, 0,      TRYGON_BYTE,    0,
                        NULL, within, within != NULL, NULL};
    OK(trygon_actor_call(tg, actor, method, within != NULL, &v, NULL, &ref));
    return take_int(tg, ref);
}

/* On the last node, which is rank 1's alone on two or three ranks. */
static trygon_ref_t new_holder(trygon_t *tg, size_t nrefs,
                               const trygon_ref_t refs[])
{
    trygon_ref_t actor = {0, 0};
    trygon_actor_opts_t o;
    trygon_value_t v = {NULL, 0, TRYGON_BYTE, 0, NULL, refs, nrefs, NULL};
    OK(trygon_actor_opts_init(&o));
    o.strategy = TRYGON_STRATEGY_NODE;
    o.node = h_size > 1;
    o.max_restarts = 1;
    OK(trygon_actor_create(tg, "holder", 1, &v, &o, &actor));
    return actor;
}

static int holding_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_ref_t ref = put_filled(tg, 2 * MiB, 1);
    trygon_ref_t actor = new_holder(tg, 0, NULL);
    CHECK(ask(tg, actor, "holds", &ref) == 1);
    CHECK(ask(tg, actor, "holds", &ref) == 2);
    drop(tg, ref);
    CHECK(ask(tg, actor, "lets_go", NULL) == 1);
    usleep(50000);
    CHECK(stats_of(tg).used == 2 * MiB); /* one is left */
    CHECK(ask(tg, actor, "lets_go", NULL) == 0);
    empties_everywhere(tg);
    drop(tg, actor);
    return 0;
}

static void the_last_of_two_frees(void)
{
    play(&(struct scene){.nodes = 2, .classes = holders},
         (const struct h_fn[]){LARGE_FNS, {NULL, NULL}}, holding_driver);
}

/* What it was made with goes with it.  What its methods have retained is its
 * rank's, which can still let go. */
static int killing_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_task_opts_t o = at(h_size > 1);
    trygon_ref_t refs[] = {put_filled(tg, 2 * MiB, 1), put_filled(tg, MiB, 2)};
    trygon_ref_t actor = new_holder(tg, 2, refs);
    OK(trygon_ref_release(tg, 1, &refs[0]));
    CHECK(ask(tg, actor, "holds", &refs[1]) == 1);
    OK(trygon_ref_release(tg, 1, &refs[1]));
    usleep(50000);
    CHECK(stats_of(tg).used == 3 * MiB);
    OK(trygon_actor_kill(tg, actor, true));
    UNTIL(stats_of(tg).used == MiB);
    CHECK(take_int(tg, call_with(tg, "lets_go", &o, 0, NULL)) == 0);
    empties_everywhere(tg);
    drop(tg, actor);
    return 0;
}

static void a_killed_actor_frees(void)
{
    play(&(struct scene){.nodes = 2, .classes = holders},
         (const struct h_fn[]){LARGE_FNS, FN(lets_go), {NULL, NULL}},
         killing_driver);
}

/* ----- files --------------------------------------------------------------------------- */

static int shrinking_driver(trygon_t *tg, void *arg)
{
    enum { MANY = 64 };
    (void)arg;
    trygon_ref_t refs[MANY];
    int files;
    for (int i = 0; i < MANY; i++)
        refs[i] = put_filled(tg, MiB, i);
    UNTIL(on_disk(&files) >= (MANY - 16) * MiB);
    int64_t before = on_disk(&files), half = 0;
    CHECK(files >= 1);
    for (int i = 0; i < MANY; i += 2) /* neighbours in their files */
        drop(tg, refs[i]);
    UNTIL((half = on_disk(&files)) <= before * 3 / 4);
    for (int i = 1; i < MANY; i += 2) {
        see(tg, refs[i], MiB, i);
        drop(tg, refs[i]);
    }
    UNTIL(on_disk(&files) == 0 && files == 0);
    empties_everywhere(tg);
    return 0;
}

static void files_go_with_their_objects(void)
{
    play(&(struct scene){.bytes = "8M", .own_dir = true},
         (const struct h_fn[]){LARGE_FNS, {NULL, NULL}}, shrinking_driver);
}

/* ----- size --------------------------------------------------------------------------- */

static const size_t huge = (size_t)5 << 30;

/* Where in it there is something: the ends, and around 4 GiB. */
static size_t spot(int i)
{
    const size_t spots[] = {0,
                            1000000,
                            (size_t)2 << 30,
                            ((size_t)4 << 30) - 8,
                            (size_t)4 << 30,
                            huge - 8};
    return spots[i];
}

static bool huge_is_right(const trygon_value_t *v)
{
    bool good = v->size == huge && v->type == TRYGON_INT64 && v->ndim == 2 &&
                v->dims[0] == 5 && v->dims[1] == (int64_t)(huge / 40);
    for (int i = 0; good && i < 6; i++)
        good = is_filled((const char *)v->data + spot(i), 8, i + 1);
    return good;
}

static int looks_at_huge(trygon_call_t *c)
{
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    return return_int(c, huge_is_right(&v));
}

static int huge_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_buffer_t b = {0};
    trygon_value_t v = {0};
    trygon_ref_t ref;
    const int64_t dims[] = {5, (int64_t)(huge / 40)};
    if (!OK(trygon_create(tg, huge, 0, &b)))
        return 0;
    for (int i = 0; i < 6; i++)
        fill((char *)b.data + spot(i), 8, i + 1);
    OK(trygon_seal(
        tg, &b,
        &(trygon_value_t){.type = TRYGON_INT64, .ndim = 2, .dims = dims},
        &ref));
    OK(trygon_get(tg, ref, 0, &v));
    CHECK(huge_is_right(&v));
    OK(trygon_value_release(tg, &v));
    CHECK(take_int(tg, call(tg, "looks_at_huge", 1, &TRYGON_REF(ref))) == 1);
    CHECK(stats_of(tg).used == huge);
    drop(tg, ref);
    empties_everywhere(tg);
    return 0;
}

/* Bytes that may be had; of what nobody writes to there is no memory. */
static size_t memory(void)
{
    size_t pages = (size_t)sysconf(_SC_PHYS_PAGES), limit = SIZE_MAX;
    FILE *f = fopen("/sys/fs/cgroup/memory.max", "r");
    if (f != NULL && fscanf(f, "%zu", &limit) != 1) /* "max" */
        limit = SIZE_MAX;
    if (f != NULL)
        fclose(f);
    pages *= (size_t)sysconf(_SC_PAGESIZE);
    return pages < limit ? pages : limit;
}

static void more_than_4_gib(void)
{
    char bytes[16];
    snprintf(bytes, sizeof bytes, "%dG", 8 * h_size);
    if (memory() >= (size_t)16 << 30)
        play(&(struct scene){.bytes = bytes},
             (const struct h_fn[]){FN(looks_at_huge), {NULL, NULL}},
             huge_driver);
    else if (h_rank == 0)
        printf("(less than 16 GiB of memory: not tried) ");
}

/* ----- a rank that lets nobody look -------------------------------------------------------- */

/* May this process look into others that do not want it? */
static void look_into_others(bool may)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[2];
    const uint32_t bit = UINT32_C(1) << CAP_SYS_PTRACE;
    CHECK(syscall(SYS_capget, &head, caps) == 0);
    caps[0].effective &= ~bit;
    if (may)
        caps[0].effective |= caps[0].permitted & bit;
    CHECK(syscall(SYS_capset, &head, caps) == 0);
}

static int hidden_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_task_opts_t o = at(1); /* there is one by now: of rank 1 alone */
    trygon_ref_t ref = put_filled(tg, 2 * MiB, 1);
    CHECK(looks_right(tg, &o, ref, 1));
    CHECK(stat_at(tg, 1, PULLED) == 2 * MiB);
    drop(tg, ref);
    ref = make(tg, "makes", &o, 3 * MiB, 2);
    see(tg, ref, 3 * MiB, 2);
    CHECK(stats_of(tg).pulled_bytes == 3 * MiB);
    drop(tg, ref);
    ref = make(tg, "makes", NULL, 3 * MiB, 3);
    CHECK(looks_right(tg, NULL, ref, 3));
    drop(tg, ref);
    empties_everywhere(tg);
    CHECK(h_logged("counts as one of another node") > 0);
    return 0;
}

/* Its memory cannot be mapped by the others of its node. */
static void a_rank_hides_its_memory(void)
{
    if (h_size == 1)
        return;
    look_into_others(false);
    if (h_rank == 1)
        CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
    MPI_Barrier(MPI_COMM_WORLD);
    play(&(struct scene){.nodes = 1},
         (const struct h_fn[]){LARGE_FNS, {NULL, NULL}}, hidden_driver);
    if (h_rank == 1)
        CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    look_into_others(true);
}

static const struct h_host_test tests[] = {
    HOST_TEST(the_last_of_two_frees),       HOST_TEST(a_killed_actor_frees),
    HOST_TEST(files_go_with_their_objects), HOST_TEST(more_than_4_gib),
    HOST_TEST(a_rank_hides_its_memory),     {NULL, NULL},
};

int main(int argc, char **argv)
{
    /* Open MPI would copy from the rank that hides. */
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 1);
    setenv("OMPI_MCA_smsc", "^cma", 1);
    return h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
}
