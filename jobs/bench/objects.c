/* objects.c - large objects, those who get them, and runtimes for a row
 * (bench.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#ifdef HAVE_LAPACK
#include "tile.h"
#endif

#define SEAT "bench_seat"
#define NODE_ID "TRYGON_NODE_ID"

enum { PAGE = 4096 };

/* ---- what is in them --------------------------------------------------- */

void object_fill(void *data, size_t size, uint64_t x)
{
    for (size_t at = 0; at + sizeof x <= size; at += PAGE, x++)
        memcpy((char *)data + at, &x, sizeof x);
}

void object_look(const void *data, size_t size, uint64_t x)
{
    uint64_t y;

    for (size_t at = 0; at + sizeof x <= size; at += PAGE, x++) {
        memcpy(&y, (const char *)data + at, sizeof y);
        if (y != x)
            die("an object has %" PRIu64 " where %" PRIu64 " is right", y, x);
    }
}

void object_make(trygon_t *tg, size_t size, uint64_t x, trygon_ref_t *ref)
{
    trygon_buffer_t buffer;

    CHECK_TRYGON(trygon_create(tg, size, TRYGON_FOREVER, &buffer));
    object_fill(buffer.data, size, x);
    CHECK_TRYGON(trygon_seal(tg, &buffer, NULL, ref));
}

/* ---- references in an object ------------------------------------------- */

/* Argument 0 refers to an object: the seconds that it takes to get it, with all
 * that it holds, and to give it back. */
static int get_refs(trygon_call_t *call)
{
    trygon_t *tg = trygon_call_runtime(call);
    trygon_value_t arg, object;

    CHECK_TRYGON(trygon_call_arg(call, 0, &arg));
    double seconds = clock_s();
    CHECK_TRYGON(trygon_get(tg, arg.refs[0], TRYGON_FOREVER, &object));
    if (object.nrefs == 0)
        die("an object has lost its references");
    CHECK_TRYGON(trygon_value_release(tg, &object));
    seconds = clock_s() - seconds;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&seconds, sizeof seconds));
}

double object_of_refs(trygon_t *tg, size_t n)
{
    trygon_ref_t *refs = calloc(n, sizeof *refs), object, done;
    double seconds;

    if (refs == NULL)
        die("out of memory for %zu references", n);
    for (size_t i = 0; i < n; i++)
        CHECK_TRYGON(trygon_put(tg, &TRYGON_BYTES(&i, sizeof i), &refs[i]));
    const trygon_value_t value = {.refs = refs, .nrefs = n};
    CHECK_TRYGON(trygon_put(tg, &value, &object));
    CHECK_TRYGON(trygon_ref_release(tg, n, refs));
    free(refs);
    const trygon_value_t arg = {.refs = &object, .nrefs = 1};
    CHECK_TRYGON(trygon_submit(tg, "bench_get_refs", 1, &arg, NULL, &done));
    CHECK_TRYGON(trygon_get_into(tg, done, TRYGON_FOREVER, &seconds,
                                 sizeof seconds, NULL));
    CHECK_TRYGON(trygon_ref_release(tg, 1, &done));
    CHECK_TRYGON(trygon_ref_release(tg, 1, &object));
    return seconds;
}

/* ---- who gets them ----------------------------------------------------- */

static int construct(trygon_call_t *call, void **self)
{
    (void)call;
    *self = NULL; /* it has no state */
    return TRYGON_SUCCESS;
}

/* Argument 0 refers to an object, argument 1 is its first number. */
static int method_read(trygon_call_t *call, void *self)
{
    trygon_t *tg = trygon_call_runtime(call);
    trygon_value_t arg, first, object;
    uint64_t x;

    (void)self;
    CHECK_TRYGON(trygon_call_arg(call, 0, &arg));
    CHECK_TRYGON(trygon_call_arg(call, 1, &first));
    memcpy(&x, first.data, sizeof x);
    CHECK_TRYGON(trygon_get(tg, arg.refs[0], TRYGON_FOREVER, &object));
    object_look(object.data, object.size, x);
    uint64_t size = object.size;
    CHECK_TRYGON(trygon_value_release(tg, &object));
    return trygon_call_return(call, 0, &TRYGON_BYTES(&size, sizeof size));
}

static int method_where(trygon_call_t *call, void *self)
{
    trygon_call_info_t info = {.size = sizeof info};

    (void)self;
    CHECK_TRYGON(trygon_call_info(call, &info));
    return trygon_call_return(call, 0,
                              &TRYGON_BYTES(&info.rank, sizeof info.rank));
}

static const trygon_method_t methods[] = {{"read", method_read, NULL},
                                          {"where", method_where, NULL}};
static const trygon_class_t reader_class = {
    .size = sizeof reader_class,
    .name = "bench_reader",
    .construct = construct,
    .methods = methods,
    .nmethods = sizeof methods / sizeof *methods,
};

void reader_create(trygon_t *tg, trygon_ref_t *reader)
{
    const trygon_resource_t seat = {SEAT, 1.0};
    trygon_actor_opts_t opts;

    CHECK_TRYGON(trygon_actor_opts_init(&opts));
    opts.num_cpus = 0.0;
    opts.resources = &seat;
    opts.nresources = 1;
    CHECK_TRYGON(
        trygon_actor_create(tg, "bench_reader", 0, NULL, &opts, reader));
}

int reader_where(trygon_t *tg, trygon_ref_t reader)
{
    trygon_ref_t ref;
    int32_t rank;

    CHECK_TRYGON(trygon_actor_call(tg, reader, "where", 0, NULL, NULL, &ref));
    CHECK_TRYGON(
        trygon_get_into(tg, ref, TRYGON_FOREVER, &rank, sizeof rank, NULL));
    CHECK_TRYGON(trygon_ref_release(tg, 1, &ref));
    return rank;
}

void reader_start(trygon_t *tg, trygon_ref_t reader, trygon_ref_t object,
                  uint64_t x, trygon_ref_t *done)
{
    const trygon_value_t args[] = {{.refs = &object, .nrefs = 1},
                                   TRYGON_BYTES(&x, sizeof x)};

    CHECK_TRYGON(trygon_actor_call(tg, reader, "read", 2, args, NULL, done));
}

void reader_end(trygon_t *tg, size_t n, trygon_ref_t done[])
{
    uint64_t size;

    for (size_t i = 0; i < n; i++)
        CHECK_TRYGON(trygon_get_into(tg, done[i], TRYGON_FOREVER, &size,
                                     sizeof size, NULL));
    CHECK_TRYGON(trygon_ref_release(tg, n, done));
}

void objects_register(trygon_registry_t *registry)
{
    CHECK_TRYGON(trygon_registry_add_class(registry, &reader_class));
    CHECK_TRYGON(
        trygon_registry_add_task(registry, "bench_get_refs", get_refs));
#ifdef HAVE_LAPACK
    CHECK_TRYGON(tile_register(registry));
#endif
}

/* ---- a runtime of a row's own ------------------------------------------- */

/* The runtime reads the environment when it starts, and only then. */
static void start(struct bench *b, const trygon_opts_t *opts, bool apart)
{
    const char *now = getenv(NODE_ID);
    char *before = now != NULL ? strdup(now) : NULL, id[32];

    snprintf(id, sizeof id, "rank %d", b->team.rank);
    if (apart && setenv(NODE_ID, id, 1) != 0)
        die("setenv failed");
    CHECK_TRYGON(trygon_init(b->team.comm, opts, &b->tg));
    if (apart && before != NULL)
        setenv(NODE_ID, before, 1);
    else if (apart)
        unsetenv(NODE_ID);
    free(before);
}

void runtime_open(struct bench *b, trygon_opts_t *opts, bool apart,
                  trygon_t **before)
{
    const trygon_resource_t seat = {SEAT, 1.0};

    opts->registry = b->registry;
    if (b->team.rank != 0) {
        opts->resources = &seat;
        opts->nresources = 1;
    }
    *before = b->tg;
    start(b, opts, apart);
    opts->resources = NULL; /* it was a local variable */
    opts->nresources = 0;
}

void runtime_close(struct bench *b, trygon_t *before)
{
    CHECK_TRYGON(trygon_finalize(&b->tg));
    b->tg = before;
}
