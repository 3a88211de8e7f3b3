/* test_stress.c - many tasks, random graphs, threads, and references that go
 * from rank to rank; nothing may be left at the end. */
#include "harness.h"

enum { RAN };

/* ----- tasks ------------------------------------------------------------------- */

static int count(trygon_call_t *c)
{
    atomic_fetch_add(&shared[RAN], 1);
    return return_int(c, arg_int(c, 0) + 1);
}

/* The sum of all arguments, modulo a prime. */
static int add(trygon_call_t *c)
{
    int64_t sum = 1;
    for (size_t i = 0; i < trygon_call_nargs(c); i++)
        sum += arg_int(c, i);
    return return_int(c, sum % 1000003);
}

/* Shuffles references: keeps what is in the boxes that it is given, adds one
 * of its own, hands half of them on to a child, and returns a box of all. */
static int shuffle(trygon_call_t *c)
{
    enum { MOST = 24 };
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref[MOST + 1];
    size_t n = 0;
    int64_t left = arg_int(c, 0), x = 1;
    for (size_t i = 1; i < trygon_call_nargs(c); i++) {
        trygon_value_t v;
        OK(trygon_call_arg(c, i, &v));
        for (size_t j = 0; j < v.nrefs && n < MOST; j++)
            ref[n++] = v.refs[j];
    }
    OK(trygon_ref_retain(tg, n, ref));
    ref[n++] = left % 2 == 0 ? put_int(tg, x) : call(tg, "add", 0, NULL);
    trygon_value_t all = {.refs = ref, .nrefs = n}, got = all;
    if (left == 0) {
        OK(trygon_call_return(c, 0, &all));
        OK(trygon_ref_release(tg, n, ref));
        return 0;
    }
    left--;
    trygon_value_t half = {.refs = ref + n / 2, .nrefs = n - n / 2};
    trygon_ref_t box =
        call(tg, "shuffle", 3, (trygon_value_t[]){INT(left), half, all});
    if (OK(trygon_get(tg, box, TRYGON_FOREVER, &got))) {
        OK(trygon_call_return(c, 0, &got));
        OK(trygon_value_release(tg, &got));
    }
    drop(tg, box);
    OK(trygon_ref_release(tg, n, ref));
    return 0;
}

/* A random size, so that small and large objects mix. */
static int bytes(trygon_call_t *c)
{
    size_t n = (size_t)arg_int(c, 0);
    unsigned char *p = malloc(n + 1);
    memset(p, (int)(n & 0xff), n);
    int rc = trygon_call_return(c, 0, &TRYGON_BYTES(p, n));
    free(p);
    return rc;
}

/* ----- tests ---------------------------------------------------------------------- */

static void twenty_thousand_small_tasks(trygon_t *tg)
{
    enum { N = 20000 };
    trygon_ref_t *ref = calloc(N, sizeof *ref);
    for (int64_t i = 0; i < N; i++)
        ref[i] = call1(tg, "count", i);
    for (int i = N - 1; i >= 0; i -= 3)
        CHECK(get_int(tg, ref[i]) == i + 1);
    for (int i = 0; i < N; i++)
        CHECK(take_int(tg, ref[i]) == i + 1);
    CHECK(atomic_load(&shared[RAN]) == N);
    free(ref);
}

static void random_graphs(trygon_t *tg)
{
    enum { N = 2000 };
    for (unsigned seed = 1; seed <= 2; seed++) {
        unsigned r = seed;
        trygon_ref_t *ref = calloc(N, sizeof *ref);
        int64_t *want = calloc(N, sizeof *want);
        for (int i = 0; i < N; i++) {
            trygon_value_t args[6];
            int64_t own = i, sum = 1 + own;
            int nargs = 1;
            args[0] = INT(own);
            for (; nargs < 6 && i > 0 && rand_r(&r) % 4 != 0; nargs++) {
                int from = i - 1 - rand_r(&r) % (i < 40 ? i : 40);
                args[nargs] = TRYGON_REF(ref[from]);
                sum += want[from];
            }
            want[i] = sum % 1000003;
            ref[i] = call(tg, "add", (size_t)nargs, args);
        }
        for (int i = 0; i < N; i++)
            CHECK(take_int(tg, ref[i]) == want[i]);
        free(ref);
        free(want);
    }
}

static void *one_user(void *arg)
{
    trygon_t *tg = arg;
    enum { N = 400 };
    trygon_ref_t ref[N];
    for (int round = 0; round < 4; round++) {
        for (int64_t i = 0; i < N; i++)
            ref[i] = call1(tg, "count", i);
        for (int i = 0; i < N; i++)
            CHECK(take_int(tg, ref[i]) == i + 1);
    }
    return NULL;
}

static void threads_submit_and_get_at_once(trygon_t *tg)
{
    enum { N = 6 };
    pthread_t id[N];
    for (int i = 0; i < N; i++)
        pthread_create(&id[i], NULL, one_user, tg);
    for (int i = 0; i < N; i++)
        pthread_join(id[i], NULL);
    CHECK(atomic_load(&shared[RAN]) == N * 1600);
}

static void references_are_shuffled_between_ranks(trygon_t *tg)
{
    enum { N = 60 };
    trygon_ref_t box[N];
    for (int64_t i = 0; i < N; i++) {
        int64_t deep = i % 6;
        if (i < 2)
            box[i] = call(tg, "shuffle", 1, &INT(deep));
        else
            box[i] = call(tg, "shuffle", 3,
                          (trygon_value_t[]){INT(deep), TRYGON_REF(box[i - 1]),
                                             TRYGON_REF(box[i / 2])});
    }
    for (int i = 0; i < N; i++) {
        trygon_value_t v;
        OK(trygon_get(tg, box[i], TRYGON_FOREVER, &v));
        for (size_t j = 0; j < v.nrefs; j++)
            CHECK(get_int(tg, v.refs[j]) == 1);
        OK(trygon_value_release(tg, &v));
        drop(tg, box[i]);
    }
}

static void sizes_of_all_kinds_at_once(trygon_t *tg)
{
    enum { N = 300 };
    trygon_ref_t ref[N];
    int64_t size[N];
    unsigned seed = 3;
    for (int i = 0; i < N; i++) {
        size[i] = rand_r(&seed) % (1 << (rand_r(&seed) % 19 + 1));
        ref[i] = call1(tg, "bytes", size[i]);
    }
    for (int i = 0; i < N; i++) {
        trygon_value_t v;
        OK(trygon_get(tg, ref[i], TRYGON_FOREVER, &v));
        CHECK((int64_t)v.size == size[i]);
        const unsigned char *p = v.data;
        for (size_t j = 0; j < v.size; j += 97)
            CHECK(p[j] == (size[i] & 0xff));
        OK(trygon_value_release(tg, &v));
        drop(tg, ref[i]);
    }
}

static const struct h_fn fns[] = {
    FN(count), FN(add), FN(shuffle), FN(bytes), {NULL, NULL},
};

static const struct h_test tests[] = {
    TEST(twenty_thousand_small_tasks, 2),
    TEST(random_graphs, 2),
    TEST(threads_submit_and_get_at_once, 2),
    TEST(references_are_shuffled_between_ranks, 2),
    TEST(sizes_of_all_kinds_at_once, 2),
    {NULL, NULL, 0},
};

int main(int argc, char **argv)
{
    return h_main(argc, argv, tests, fns);
}
