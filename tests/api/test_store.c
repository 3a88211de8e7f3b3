/* test_store.c - large objects by content, on one node and on several: puts,
 * arguments, returns, items, actors; in place where they are made and read.
 */
#include "large.h"

/* ----- tasks ------------------------------------------------------------------- */

/* Returns its argument, with type and dimensions. */
static int same(trygon_call_t *c)
{
    trygon_value_t v = {0};
    OK(trygon_call_arg(c, 0, &v));
    return trygon_call_return(c, 0, &v);
}

/* Yields so many arrays of rows x 3 doubles. */
static int yields(trygon_call_t *c)
{
    const int64_t dims[] = {arg_int(c, 1), 3};
    size_t n = (size_t)dims[0] * 3 * sizeof(double);
    void *data = malloc(n);
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < arg_int(c, 0); i++) {
        fill(data, n, i);
        trygon_value_t v = {data, n, TRYGON_FLOAT64, 2, dims, NULL, 0, NULL};
        rc = trygon_call_yield(c, &v);
    }
    free(data);
    return rc;
}

/* A large value with references to small and large objects within. */
static int nests(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t in[2] = {put_int(tg, 42), put_filled(tg, MiB, 43)};
    void *data = malloc(MiB);
    fill(data, MiB, 44);
    trygon_value_t v = {data, MiB, TRYGON_BYTE, 0, NULL, in, 2, NULL};
    int rc = trygon_call_return(c, 0, &v);
    free(data);
    OK(trygon_ref_release(tg, 2, in));
    return rc;
}

/* Sets its return twice, then fails or not. */
static int changes_its_mind(trygon_call_t *c)
{
    void *data = malloc(MiB);
    fill(data, MiB, 1);
    OK(trygon_call_return(c, 0, &TRYGON_BYTES(data, MiB)));
    fill(data, MiB, 2);
    OK(trygon_call_return(c, 0, &TRYGON_BYTES(data, MiB)));
    free(data);
    return (int)arg_int(c, 0);
}

/* Inside a task: a large object of this rank's is read by a task of its own. */
static int has_a_child(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_ref_t ref = put_filled(tg, 2 * MiB, 7);
    bool good = looks_right(tg, NULL, ref, 7);
    see(tg, ref, 2 * MiB, 7);
    drop(tg, ref);
    return return_int(c, good);
}

static const struct h_fn fns[] = {
    LARGE_FNS,       FN(same),     FN(yields), FN(nests), FN(changes_its_mind),
    FN(has_a_child), {NULL, NULL},
};

/* ----- contents ------------------------------------------------------------------ */

static int sizes_driver(trygon_t *tg, void *arg)
{
    static const int64_t sizes[] = {100 * KiB, 100 * KiB + 1, MiB, 5 * MiB + 3,
                                    64 * MiB};
    (void)arg;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int64_t n = sizes[i], seed = (int64_t)i;
        trygon_ref_t ref = put_filled(tg, (size_t)n, seed);
        see(tg, ref, (size_t)n, seed);
        unsigned char *data = malloc((size_t)n);
        size_t size = 0;
        CHECK_RC(trygon_get_into(tg, ref, 0, data, (size_t)n - 1, &size),
                 TRYGON_ERR_CAPACITY);
        OK(trygon_get_into(tg, ref, 0, data, (size_t)n, &size));
        CHECK(size == (size_t)n && is_filled(data, size, seed));
        free(data);
        CHECK(looks_right(tg, NULL, ref, seed));
        drop(tg, ref);
        ref = make(tg, "makes", NULL, n, seed + 10);
        see(tg, ref, (size_t)n, seed + 10);
        CHECK(looks_right(tg, NULL, ref, seed + 10));
        drop(tg, ref);
        ref = make(tg, "makes_in_place", NULL, n, seed + 20);
        see(tg, ref, (size_t)n, seed + 20);
        drop(tg, ref);
    }
    empties_here(tg);
    return 0;
}

static void sizes_on_one_node(void)
{
    play(&(struct scene){.bytes = "512M"}, fns, sizes_driver);
}

static void sizes_on_two_nodes(void)
{
    play(&(struct scene){.nodes = 2, .bytes = "512M"}, fns, sizes_driver);
}

/* By value as well: an argument of this size becomes an object. */
static int arguments_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    void *data = malloc(3 * MiB);
    trygon_ref_t refs[8];
    for (int64_t i = 0; i < 8; i++) {
        fill(data, 3 * MiB, i);
        const trygon_value_t args[] = {TRYGON_BYTES(data, 3 * MiB), INT(i)};
        refs[i] = call(tg, "looks", 2, args);
    }
    for (int i = 0; i < 8; i++)
        CHECK(take_int(tg, refs[i]) == 1);
    trygon_ref_t none = {TRYGON_KIND_OBJECT, 1234567};
    const trygon_value_t bad[] = {TRYGON_BYTES(data, 3 * MiB),
                                  TRYGON_REF(none)};
    CHECK_RC(trygon_submit(tg, "looks", 2, bad, NULL, refs),
             TRYGON_ERR_NOTFOUND);
    trygon_value_t v = trygon_bytes(data, 3 * MiB);
    v.refs = &none;
    v.nrefs = 1;
    CHECK_RC(trygon_put(tg, &v, refs), TRYGON_ERR_NOTFOUND);
    free(data);
    for (int i = 0; i < 4; i++)
        CHECK(take_int(tg, call(tg, "has_a_child", 0, NULL)) == 1);
    empties_here(tg); /* what failed has left nothing */
    return 0;
}

static void arguments_by_value(void)
{
    play(&(struct scene){.nodes = 2, .bytes = "256M"}, fns, arguments_driver);
}

/* ----- arrays -------------------------------------------------------------------- */

static void see_array(trygon_t *tg, trygon_ref_t ref, int64_t seed)
{
    trygon_value_t v = {0};
    if (!OK(trygon_get(tg, ref, TRYGON_FOREVER, &v)))
        return;
    CHECK(v.type == TRYGON_COMPLEX64 && v.ndim == 3);
    CHECK(v.dims[0] == 10 && v.dims[1] == 200 && v.dims[2] == 30);
    CHECK(v.size == 10 * 200 * 30 * 8 && is_filled(v.data, v.size, seed));
    OK(trygon_value_release(tg, &v));
}

static int arrays_driver(trygon_t *tg, void *arg)
{
    static const int64_t dims[] = {10, 200, 30};
    size_t n = 10 * 200 * 30 * 8;
    (void)arg;
    void *data = malloc(n);
    fill(data, n, 5);
    trygon_ref_t ref, stream, item;
    OK(trygon_put_array(tg, data, TRYGON_COMPLEX64, 3, dims, &ref));
    free(data);
    see_array(tg, ref, 5);
    for (int i = 0; i < 6; i++) { /* from task to task */
        trygon_ref_t next = call(tg, "same", 1, &TRYGON_REF(ref));
        drop(tg, ref);
        ref = next;
        see_array(tg, ref, 5);
    }
    drop(tg, ref);
    const int64_t count = 5, rows = 20000;
    const trygon_value_t args[] = {INT(count), INT(rows)};
    OK(trygon_submit_stream(tg, "yields", 2, args, NULL, &stream));
    for (int64_t i = 0; i < count; i++) {
        trygon_value_t v = {0};
        OK(trygon_stream_next(tg, stream, TRYGON_FOREVER, &item));
        OK(trygon_get(tg, item, TRYGON_FOREVER, &v));
        CHECK(v.type == TRYGON_FLOAT64 && v.ndim == 2 && v.dims[0] == rows);
        CHECK(v.size == (size_t)rows * 24 && is_filled(v.data, v.size, i));
        OK(trygon_value_release(tg, &v));
        drop(tg, item);
    }
    drop(tg, stream);
    CHECK(trygon_type_size(TRYGON_COMPLEX128) == 16);
    CHECK(trygon_type_size(TRYGON_BYTE) == 1);
    CHECK(trygon_type_size(TRYGON_BY_REF) == 0 && trygon_type_size(-1) == 0);
    empties_here(tg);
    return 0;
}

static void arrays_keep_type_and_dims(void)
{
    play(&(struct scene){.nodes = 2}, fns, arrays_driver);
}

/* ----- actors ------------------------------------------------------------------------ */

/* The constructor's argument is kept, in place, as a reference. */
static int box_construct(trygon_call_t *c, void **self)
{
    trygon_value_t v = {0};
    trygon_ref_t *kept = calloc(1, sizeof *kept);
    *self = kept;
    OK(trygon_call_arg(c, 0, &v));
    CHECK(is_filled(v.data, v.size, 70));
    return trygon_put(trygon_call_runtime(c), &v, kept);
}

static void box_destroy(trygon_t *tg, void *self)
{
    drop(tg, *(trygon_ref_t *)self);
    free(self);
}

static int box_same(trygon_call_t *c, void *self)
{
    (void)self;
    return same(c);
}

/* Waits for what it holds, and for something else. */
static int box_reads(trygon_call_t *c, void *self)
{
    trygon_t *tg = trygon_call_runtime(c);
    trygon_value_t v = {0};
    OK(trygon_get(tg, *(trygon_ref_t *)self, TRYGON_FOREVER, &v));
    trygon_ref_t more = make(tg, "makes", NULL, 2 * MiB, 71);
    see(tg, more, 2 * MiB, 71);
    drop(tg, more);
    bool good = is_filled(v.data, v.size, 70);
    OK(trygon_value_release(tg, &v));
    return return_int(c, good);
}

static const trygon_method_t box_methods[] = {
    {"same", box_same, NULL},
    {"reads", box_reads, NULL},
};

static const trygon_class_t boxes[] = {
    {.size = sizeof boxes[0],
     .name = "box",
     .construct = box_construct,
     .destroy = box_destroy,
     .methods = box_methods,
     .nmethods = 2},
    {.size = sizeof boxes[0],
     .name = "async_box",
     .construct = box_construct,
     .destroy = box_destroy,
     .methods = box_methods,
     .nmethods = 2,
     .async = true},
};

static void use_box(trygon_t *tg, const char *cls)
{
    static const int64_t dims[] = {10, 200, 30};
    size_t n = 10 * 200 * 30 * 8;
    trygon_ref_t actor, refs[8], ref;
    unsigned char *data = malloc(3 * MiB);
    fill(data, 3 * MiB, 70);
    OK(trygon_actor_create(tg, cls, 1, &TRYGON_BYTES(data, 3 * MiB), NULL,
                           &actor));
    fill(data, n, 5);
    OK(trygon_put_array(tg, data, TRYGON_COMPLEX64, 3, dims, &ref));
    const trygon_value_t by_value[] = {
        {data, n, TRYGON_COMPLEX64, 3, dims, NULL, 0, NULL}};
    for (int i = 0; i < 8; i++)
        OK(trygon_actor_call(tg, actor, i % 4 == 0 ? "reads" : "same", 1,
                             i % 2 == 0 ? &TRYGON_REF(ref) : by_value, NULL,
                             &refs[i]));
    free(data);
    for (int i = 0; i < 8; i++) {
        if (i % 4 == 0)
            CHECK(get_int(tg, refs[i]) == 1);
        else
            see_array(tg, refs[i], 5);
    }
    OK(trygon_ref_release(tg, 8, refs));
    drop(tg, actor);
    drop(tg, ref);
}

static int actors_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    use_box(tg, "box");
    use_box(tg, "async_box");
    empties_everywhere(tg);
    return 0;
}

static void actors_and_their_calls(void)
{
    play(&(struct scene){.nodes = 2, .classes = boxes}, fns, actors_driver);
}

static void actors_when_room_is_short(void)
{
    play(
        &(struct scene){
            .nodes = 2, .classes = boxes, .bytes = "8M", .own_dir = true},
        fns, actors_driver);
}

/* ----- in place --------------------------------------------------------------------- */

static int in_place_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    static const size_t sizes[] = {0, 1000, 100 * KiB, 3 * MiB};
    for (size_t i = 0; i < 4; i++) {
        trygon_buffer_t b = {0};
        trygon_ref_t ref;
        trygon_value_t v = {0}, w = {0};
        OK(trygon_create(tg, sizes[i], TRYGON_FOREVER, &b));
        CHECK(b.size == sizes[i] && ((uintptr_t)b.data & 63) == 0);
        fill(b.data, b.size, 9);
        const void *data = b.data;
        OK(trygon_seal(tg, &b, NULL, &ref));
        CHECK(b.own == NULL && b.data == NULL && b.size == 0);
        INVALID(trygon_seal(tg, &b, NULL, &ref));
        OK(trygon_get(tg, ref, 0, &v));
        OK(trygon_get(tg, ref, 0, &w));
        CHECK(v.data == w.data);
        CHECK(sizes[i] <= 100 * KiB || v.data == data); /* nothing was copied */
        drop(tg, ref);
        CHECK(is_filled(v.data, sizes[i], 9)); /* lent is lent */
        OK(trygon_value_release(tg, &v));
        CHECK(is_filled(w.data, sizes[i], 9));
        OK(trygon_value_release(tg, &w));
    }
    trygon_buffer_t b = {0};
    OK(trygon_create(tg, 2 * MiB, 0, &b));
    CHECK(stats_of(tg).used == 2 * MiB);
    OK(trygon_discard(tg, &b));
    OK(trygon_discard(tg, &b));
    OK(trygon_create(tg, 10, 0, &b));
    OK(trygon_discard(tg, &b));
    /* What cannot be sealed stays as it is. */
    trygon_ref_t none = {TRYGON_KIND_OBJECT, 1234567}, ref;
    trygon_value_t as = {.type = TRYGON_INT16, .refs = &none, .nrefs = 1};
    OK(trygon_create(tg, 2 * MiB, 0, &b));
    fill(b.data, b.size, 3);
    CHECK_RC(trygon_seal(tg, &b, &as, &ref), TRYGON_ERR_NOTFOUND);
    as.type = TRYGON_BY_REF;
    INVALID(trygon_seal(tg, &b, &as, &ref));
    CHECK(b.size == 2 * MiB && is_filled(b.data, b.size, 3));
    trygon_ref_t inner = put_int(tg, 5);
    const int64_t dims[] = {MiB};
    as = (trygon_value_t){.type = TRYGON_INT16,
                          .ndim = 1,
                          .dims = dims,
                          .refs = &inner,
                          .nrefs = 1};
    OK(trygon_seal(tg, &b, &as, &ref));
    drop(tg, inner);
    trygon_value_t v = {0};
    OK(trygon_get(tg, ref, 0, &v));
    CHECK(v.type == TRYGON_INT16 && v.ndim == 1 && v.dims[0] == MiB);
    CHECK(v.nrefs == 1 && get_int(tg, v.refs[0]) == 5);
    OK(trygon_value_release(tg, &v));
    drop(tg, ref);
    empties_here(tg);
    return 0;
}

static void written_and_read_in_place(void)
{
    play(&(struct scene){.nodes = 0}, fns, in_place_driver);
}

/* Every rank of a node reads the same bytes, another node gets a copy. */
static int copies_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    for (int64_t i = 0; i < 8; i++) {
        trygon_ref_t ref = put_filled(tg, 4 * MiB, i);
        CHECK(looks_right(tg, NULL, ref, i));
        trygon_ref_t made = make(tg, "makes_in_place", NULL, 4 * MiB, i + 100);
        see(tg, made, 4 * MiB, i + 100);
        drop(tg, ref);
        drop(tg, made);
    }
    CHECK(stats_of(tg).pulled_bytes == 0);
    CHECK(stats_of(tg).sent_bytes == 0);
    return 0;
}

static void no_copies_on_one_node(void)
{
    play(&(struct scene){.nodes = 1}, fns, copies_driver);
}

static int pulls_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    if (h_size == 1)
        return 0;
    trygon_task_opts_t o = at(1); /* that of rank 1 alone, on 2 or 3 ranks */
    trygon_ref_t ref = put_filled(tg, 7 * MiB + 5, 77);
    for (int i = 0; i < 3; i++)
        CHECK(looks_right(tg, &o, ref, 77));
    CHECK(stat_at(tg, 1, PULLED) == 7 * MiB + 5); /* only once */
    CHECK(stats_of(tg).sent_bytes == 7 * MiB + 5);
    drop(tg, ref);
    empties_here(tg);
    empties(tg, 1);
    ref = make(tg, "makes", &o, 5 * MiB, 78);
    see(tg, ref, 5 * MiB, 78);
    CHECK(stats_of(tg).pulled_bytes == 5 * MiB);
    drop(tg, ref);
    empties_here(tg);
    empties(tg, 1);
    return 0;
}

static void pulled_between_nodes(void)
{
    play(&(struct scene){.nodes = 2}, fns, pulls_driver);
}

/* ----- references within, and what is given up ------------------------------------------ */

static int nested_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    for (int i = 0; i < 4; i++) {
        trygon_value_t v = {0};
        trygon_ref_t ref = call(tg, "nests", 0, NULL);
        OK(trygon_get(tg, ref, TRYGON_FOREVER, &v));
        CHECK(is_filled(v.data, v.size, 44) && v.nrefs == 2);
        CHECK(get_int(tg, v.refs[0]) == 42);
        see(tg, v.refs[1], MiB, 43);
        trygon_ref_t kept = v.refs[1];
        OK(trygon_ref_retain(tg, 1, &kept));
        drop(tg, ref);
        OK(trygon_value_release(tg, &v));
        see(tg, kept, MiB, 43);
        CHECK(looks_right(tg, NULL, kept, 43));
        drop(tg, kept);
    }
    empties_here(tg);
    return 0;
}

static void references_within(void)
{
    play(&(struct scene){.nodes = 2}, fns, nested_driver);
}

static int minds_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    for (int64_t code = 0; code < 3; code++) {
        trygon_ref_t ref = call1(tg, "changes_its_mind", code);
        if (code == 0)
            see(tg, ref, MiB, 2);
        if (code == 0)
            drop(tg, ref);
        else
            CHECK(take_code(tg, ref) == TRYGON_ERR_TASK);
        ref = make(tg, "makes", NULL, MiB, 1); /* nobody reads it */
        drop(tg, ref);
    }
    empties_everywhere(tg);
    return 0;
}

static void results_that_nobody_gets(void)
{
    play(&(struct scene){.nodes = 2}, fns, minds_driver);
}

/* ----- bad arguments --------------------------------------------------------------------- */

static int bad_driver(trygon_t *tg, void *arg)
{
    (void)arg;
    trygon_buffer_t b = {0};
    trygon_ref_t ref;
    int64_t dims[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[2] = {INT64_MAX, 2};
    double x = 0;
    INVALID(trygon_create(NULL, 1, 0, &b));
    INVALID(trygon_create(tg, 1, 0, NULL));
    INVALID(trygon_create(tg, 1, -2, &b));
    INVALID(trygon_create(tg, SIZE_MAX, 0, &b));
    INVALID(trygon_seal(tg, NULL, NULL, &ref));
    INVALID(trygon_seal(tg, &b, NULL, &ref));
    INVALID(trygon_seal(NULL, &b, NULL, &ref));
    INVALID(trygon_discard(NULL, &b));
    OK(trygon_discard(tg, NULL));
    INVALID(trygon_call_return_buffer(NULL, 0, &b, NULL));
    INVALID(trygon_put_array(tg, &x, TRYGON_BY_REF, 1, dims, &ref));
    INVALID(trygon_put_array(tg, &x, TRYGON_FLOAT64, 9, dims, &ref));
    INVALID(trygon_put_array(tg, &x, TRYGON_FLOAT64, 1, NULL, &ref));
    INVALID(trygon_put_array(tg, &x, TRYGON_FLOAT64, -1, dims, &ref));
    INVALID(trygon_put_array(tg, &x, TRYGON_FLOAT64, 2, huge, &ref));
    INVALID(trygon_put_array(tg, NULL, TRYGON_FLOAT64, 1, dims, &ref));
    INVALID(trygon_put_array(tg, &x, TRYGON_FLOAT64, 1, dims, NULL));
    dims[0] = -1;
    INVALID(trygon_put_array(tg, &x, TRYGON_FLOAT64, 1, dims, &ref));
    trygon_store_stats_t s = {.size = 0};
    INVALID(trygon_store_stats(tg, &s));
    INVALID(trygon_store_stats(tg, NULL));
    INVALID(trygon_store_stats(NULL, &s));
    OK(trygon_put_array(tg, &x, TRYGON_FLOAT64, 0, NULL, &ref));
    drop(tg, ref);
    CHECK(stats_of(tg).used == 0);
    return 0;
}

static void bad_arguments(void)
{
    play(&(struct scene){.bytes = "64M"}, fns, bad_driver);
}

static const struct h_host_test tests[] = {
    HOST_TEST(sizes_on_one_node),
    HOST_TEST(sizes_on_two_nodes),
    HOST_TEST(arguments_by_value),
    HOST_TEST(arrays_keep_type_and_dims),
    HOST_TEST(actors_and_their_calls),
    HOST_TEST(actors_when_room_is_short),
    HOST_TEST(written_and_read_in_place),
    HOST_TEST(no_copies_on_one_node),
    HOST_TEST(pulled_between_nodes),
    HOST_TEST(references_within),
    HOST_TEST(results_that_nobody_gets),
    HOST_TEST(bad_arguments),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
}
