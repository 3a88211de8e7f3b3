/* rows_object.c - large objects on one rank: what it costs to make them, to get
 * them, and to get one that holds many references.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* On rank 0; all windows of a row in one trygon_run(). */
struct job {
    struct bench *b;
    struct result *result;
    size_t size;
};

static void *memory(size_t size, int fill)
{
    void *p = aligned_alloc(4096, size);

    if (p == NULL)
        die("out of memory for %zu bytes", size);
    return memset(p, fill, size); /* touched: resident from now on */
}

/* ---- put --------------------------------------------------------------- */

struct sides { /* of put and its limit */
    const void *from;
    void *to;
};

static double time_put(trygon_t *tg, const struct sides *s, size_t size,
                       int64_t count)
{
    double start = clock_s();

    for (int64_t i = 0; i < count; i++) {
        trygon_ref_t ref;
        CHECK_TRYGON(trygon_put(tg, &TRYGON_BYTES(s->from, size), &ref));
        CHECK_TRYGON(trygon_ref_release(tg, 1, &ref));
    }
    return clock_s() - start;
}

static double time_copy(const struct sides *s, size_t size, int64_t count)
{
    double start = clock_s();

    for (int64_t i = 0; i < count; i++) {
        memcpy(s->to, s->from, size);
        __asm__ volatile("" : : "r"(s->to) : "memory"); /* each counts */
    }
    return clock_s() - start;
}

static int drive_put(trygon_t *tg, void *arg)
{
    struct job *job = arg;
    struct sides s = {memory(job->size, 1), memory(job->size, 2)};
    double window_s = job->b->effort.window_s, seconds;
    int64_t count = 1;

    /* Warm: the store's pages, and then as many as a window takes. */
    time_put(tg, &s, job->size, 1);
    while ((seconds = time_put(tg, &s, job->size, count)) < window_s / 2.0)
        count *= 2;
    count = (int64_t)((double)count * window_s / seconds) + 1;
    time_copy(&s, job->size, 1);
    double bytes = 1e-9 * (double)job->size * (double)count;
    for (double start = clock_s(); result_wants(job->b, job->result, start);) {
        job->result->limit[job->result->windows] =
            bytes / time_copy(&s, job->size, count);
        result_add(job->result, bytes / time_put(tg, &s, job->size, count));
    }
    free((void *)(uintptr_t)s.from);
    free(s.to);
    return 0;
}

static void measure_put(struct bench *b, struct result *result, size_t size)
{
    struct job job = {.b = b, .result = result, .size = size};

    result->has_limit = true;
    bench_run(b, drive_put, &job);
}

void row_put_1m(struct bench *b, struct result *result)
{
    measure_put(b, result, b->effort.small);
}

/* Three times as much: from, to and the store. */
void row_put_1g(struct bench *b, struct result *result)
{
    double room =
        (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    int enough = room > 6.0 * (double)b->effort.huge;

    team_tell(&b->team, &enough, sizeof enough);
    if (enough)
        measure_put(b, result, b->effort.huge);
    else
        result_skip(result, "this machine has less than 6 GiB of memory");
}

/* ---- get --------------------------------------------------------------- */

static double get_ns(trygon_t *tg, trygon_ref_t ref, int64_t count)
{
    trygon_value_t value;
    double start = clock_s();

    for (int64_t i = 0; i < count; i++) {
        CHECK_TRYGON(trygon_get(tg, ref, TRYGON_FOREVER, &value));
        CHECK_TRYGON(trygon_value_release(tg, &value));
    }
    return 1e9 * (clock_s() - start) / (double)count;
}

/* What is in it does not matter: it need not even be there. */
static void make_empty(trygon_t *tg, size_t size, trygon_ref_t *ref)
{
    trygon_buffer_t buffer;

    CHECK_TRYGON(trygon_create(tg, size, TRYGON_FOREVER, &buffer));
    CHECK_TRYGON(trygon_seal(tg, &buffer, NULL, ref));
}

static int drive_get(trygon_t *tg, void *arg)
{
    struct job *job = arg;
    const struct effort *e = &job->b->effort;
    trygon_ref_t small, huge;
    double of_small[STATS_MAX], of_huge[STATS_MAX];
    size_t n;

    make_empty(tg, e->small, &small);
    make_empty(tg, e->huge, &huge);
    double ns = get_ns(tg, small, 1000); /* warm-up */
    int64_t count = (int64_t)(1e9 * e->window_s / ns / 2.0) + 1;
    for (double start = clock_s(); result_wants(job->b, job->result, start);) {
        n = job->result->windows;
        of_small[n] = get_ns(tg, small, count);
        of_huge[n] = get_ns(tg, huge, count);
        result_add(job->result,
                   of_small[n] > of_huge[n] ? of_small[n] : of_huge[n]);
    }
    n = job->result->windows;
    result_extra(job->result, "1 MiB", stats_median(of_small, n), "ns");
    result_extra(job->result, "1 GiB", stats_median(of_huge, n), "ns");
    CHECK_TRYGON(trygon_ref_release(tg, 1, &small));
    return trygon_ref_release(tg, 1, &huge);
}

void row_get_local(struct bench *b, struct result *result)
{
    struct job job = {.b = b, .result = result};

    bench_run(b, drive_get, &job);
}

/* ---- references in an object -------------------------------------------- */

enum { REFS = 10000 };

static int drive_refs(trygon_t *tg, void *arg)
{
    struct job *job = arg;

    object_of_refs(tg, REFS); /* warm-up */
    for (double start = clock_s(); result_wants(job->b, job->result, start);)
        result_add(job->result, 1e3 * object_of_refs(tg, REFS));
    return 0;
}

void row_refs_10k(struct bench *b, struct result *result)
{
    struct job job = {.b = b, .result = result};

    bench_run(b, drive_refs, &job);
}
