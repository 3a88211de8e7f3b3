/* test_store_random.c - large objects at random over several ranks on two
 * pretended nodes whose stores are much too small: whatever is read is what was
 * written, and nothing is left.  Argument: how many steps, then the seed.
 */
#include "large.h"

enum { LIVE = 48, HELD = 4, TASKS = 8 };

/* Of `shared`: what all ranks have done, and how many objects each has written
 * to files, when it last looked. */
enum { PUTS, GETS, DROPS, PASSES, SPILLS };

static int steps; /* 0: as many as are good for a test */
static uint64_t first_seed = 1;

static void count(int what, int n)
{
    atomic_fetch_add(&shared[what], n);
}

static int look_at_spills(trygon_t *tg)
{
    int n = (int)stats_of(tg).spilled_objects;
    atomic_store(&shared[SPILLS + h_rank], n);
    return n;
}

static uint64_t draw(uint64_t *state, uint64_t n)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = *state;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (x ^ x >> 31) % n;
}

/* One in four is small, and some are as large as a store. */
static size_t size_of(uint64_t *rng)
{
    switch (draw(rng, 16)) {
    case 0:
    case 1:
    case 2:
    case 3: return 1 + draw(rng, 100 * KiB);
    case 4: return 100 * KiB + draw(rng, 3);
    case 5: return draw(rng, 1200 * KiB);
    default: return 100 * KiB + draw(rng, 200 * KiB);
    }
}

/* ----- tasks -------------------------------------------------------------------- */

/* What churns has now. */
struct own {
    trygon_ref_t ref;
    size_t size;
};

static struct own put_own(trygon_t *tg, uint64_t *rng, int seed)
{
    size_t n = size_of(rng);
    count(PUTS, 1);
    return (struct own){put_filled(tg, n, seed), n};
}

static void drop_own(trygon_t *tg, const struct own *x)
{
    drop(tg, x->ref);
    count(DROPS, 1);
}

/* Argument: a seed.  Puts, reads and drops some of its own, and returns whether
 * all was right. */
static int churns(trygon_call_t *c)
{
    enum { N = 4, ROUNDS = 8 };
    trygon_t *tg = trygon_call_runtime(c);
    uint64_t rng = (uint64_t)arg_int(c, 0);
    bool good = true;
    struct own own[N];
    for (int i = 0; i < N; i++)
        own[i] = put_own(tg, &rng, i);
    for (int i = 0; i < ROUNDS; i++) {
        int which = (int)draw(&rng, N);
        trygon_value_t v = {0};
        OK(trygon_get(tg, own[which].ref, TRYGON_FOREVER, &v));
        count(GETS, 1);
        good = good && v.size == own[which].size &&
               is_filled(v.data, v.size, which);
        OK(trygon_value_release(tg, &v));
        which = (int)draw(&rng, N);
        drop_own(tg, &own[which]);
        own[which] = put_own(tg, &rng, which);
    }
    if (draw(&rng, 2) == 0) {
        good = good && looks_right(tg, NULL, own[0].ref, 0);
        count(PASSES, 1);
        count(GETS, 1);
    }
    for (int i = 0; i < N; i++)
        drop_own(tg, &own[i]);
    look_at_spills(tg);
    return return_int(c, good);
}

/* Arguments: a seed; an object that travels within a value: it is fetched. */
static int fetches(trygon_call_t *c)
{
    trygon_value_t in = {0}, v = {0};
    OK(trygon_call_arg(c, 1, &in));
    int64_t seed = arg_int(c, 0);
    OK(trygon_get(trygon_call_runtime(c), in.refs[0], TRYGON_FOREVER, &v));
    count(GETS, 1);
    bool good = is_filled(v.data, v.size, seed);
    OK(trygon_value_release(trygon_call_runtime(c), &v));
    return return_int(c, good);
}

static const struct h_fn fns[] = {
    LARGE_FNS,
    FN(churns),
    FN(fetches),
    {NULL, NULL},
};

/* ----- the driver ------------------------------------------------------------------ */

struct thing {
    trygon_ref_t ref;
    size_t size;
    int64_t seed;
};

struct world {
    trygon_t *tg;
    uint64_t rng;
    int nlive, nheld, ntasks;
    struct thing live[LIVE];
    struct {
        trygon_value_t v;
        int64_t seed;
    } held[HELD];
    trygon_ref_t tasks[TASKS];
};

static void drop_one(struct world *w)
{
    int i = (int)draw(&w->rng, (uint64_t)w->nlive);
    drop(w->tg, w->live[i].ref);
    count(DROPS, 1);
    w->live[i] = w->live[--w->nlive];
}

static void add_one(struct world *w)
{
    if (w->nlive == LIVE)
        drop_one(w);
    count(PUTS, 1);
    struct thing *x = &w->live[w->nlive++];
    x->size = size_of(&w->rng);
    x->seed = (int64_t)draw(&w->rng, 1000);
    switch (draw(&w->rng, 3)) {
    case 0: x->ref = put_filled(w->tg, x->size, x->seed); break;
    case 1:
        x->ref = make(w->tg, "makes", NULL, (int64_t)x->size, x->seed);
        break;
    default:
        x->ref = make(w->tg, "makes_in_place", NULL, (int64_t)x->size, x->seed);
    }
}

static void let_go(struct world *w)
{
    int i = (int)draw(&w->rng, (uint64_t)w->nheld);
    trygon_value_t *v = &w->held[i].v;
    CHECK(is_filled(v->data, v->size, w->held[i].seed));
    OK(trygon_value_release(w->tg, v));
    w->held[i] = w->held[--w->nheld];
}

static void hold_one(struct world *w, const struct thing *x)
{
    if (w->nheld == HELD)
        let_go(w);
    count(GETS, 1);
    if (!OK(trygon_get(w->tg, x->ref, TRYGON_FOREVER, &w->held[w->nheld].v)))
        return;
    CHECK(w->held[w->nheld].v.size == x->size);
    w->held[w->nheld++].seed = x->seed;
}

static void look_several(struct world *w)
{
    enum { N = 3 };
    trygon_ref_t refs[N];
    trygon_value_t v[N];
    int which[N];
    for (int i = 0; i < N; i++) {
        which[i] = (int)draw(&w->rng, (uint64_t)w->nlive);
        refs[i] = w->live[which[i]].ref;
    }
    count(GETS, N);
    if (!OK(trygon_get_n(w->tg, N, refs, TRYGON_FOREVER, v)))
        return;
    for (int i = 0; i < N; i++) {
        CHECK(v[i].size == w->live[which[i]].size);
        CHECK(is_filled(v[i].data, v[i].size, w->live[which[i]].seed));
        OK(trygon_value_release(w->tg, &v[i]));
    }
}

static void end_task(struct world *w)
{
    int i = (int)draw(&w->rng, (uint64_t)w->ntasks);
    CHECK(take_int(w->tg, w->tasks[i]) == 1);
    w->tasks[i] = w->tasks[--w->ntasks];
}

static void start_task(struct world *w, const struct thing *x)
{
    if (w->ntasks == TASKS)
        end_task(w);
    trygon_ref_t *task = &w->tasks[w->ntasks++];
    const trygon_value_t by_ref[] = {TRYGON_REF(x->ref), INT(x->seed)};
    const trygon_value_t within[] = {
        INT(x->seed), {NULL, 0, TRYGON_BYTE, 0, NULL, &x->ref, 1, NULL}};
    count(PASSES, 1);
    switch (draw(&w->rng, 4)) {
    case 0:
        *task = call1(w->tg, "churns", (int64_t)draw(&w->rng, 1u << 30));
        break;
    case 1: *task = call(w->tg, "fetches", 2, within); break;
    default: count(GETS, 1); *task = call(w->tg, "looks", 2, by_ref);
    }
}

static void step(struct world *w)
{
    const struct thing *x = NULL;
    if (w->nlive > 0)
        x = &w->live[draw(&w->rng, (uint64_t)w->nlive)];
    switch (x != NULL ? draw(&w->rng, 10) : 0) {
    case 0:
    case 1:
    case 2: add_one(w); break;
    case 3: drop_one(w); break;
    case 4:
        see(w->tg, x->ref, x->size, x->seed);
        count(GETS, 1);
        break;
    case 5: hold_one(w, x); break;
    case 6: look_several(w); break;
    default: start_task(w, x);
    }
}

/* How many operations that were. */
static int tell(trygon_t *tg)
{
    int spills = look_at_spills(tg), all = 0;
    for (int r = 1; r < h_size; r++)
        spills += atomic_load(&shared[SPILLS + r]);
    for (int i = PUTS; i <= PASSES; i++)
        all += atomic_load(&shared[i]);
    printf("%d operations: %d puts, %d gets, %d drops, %d passed, %d spilled ",
           all, shared[PUTS], shared[GETS], shared[DROPS], shared[PASSES],
           spills);
    CHECK(spills > 0);
    return all;
}

static int random_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    struct world w = {.tg = tg, .rng = first_seed};
    int n = steps > 0 ? steps : h_size > 1 ? 25000 : 2000;
    for (int i = 0; i < n && atomic_load(&h_failures) == 0; i++) {
        step(&w);
        if (i % 1000 == 0)
            alarm(H_TEST_S);
    }
    while (w.nheld > 0)
        let_go(&w);
    while (w.ntasks > 0)
        end_task(&w);
    int all = tell(tg);
    CHECK(steps > 0 || h_size == 1 || all >= 100000);
    while (w.nlive > 0)
        drop_one(&w);
    empties_everywhere(tg);
    return 0;
}

static void at_random(void)
{
    play(&(struct scene){.nodes = 2, .bytes = "4M", .own_dir = true}, fns,
         random_driver);
}

static const struct h_host_test tests[] = {HOST_TEST(at_random), {NULL, NULL}};

int main(int argc, char **argv)
{
    if (argc > 1)
        steps = atoi(argv[1]);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 0);
    return h_host_main(1, argv, MPI_THREAD_MULTIPLE, tests);
}
