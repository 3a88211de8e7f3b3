/* rows_scale.c - ten thousand references, a million tasks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (p == NULL)
        die("out of memory for %zu times %zu bytes", n, size);
    memset(p, 0, n * size); /* touched: resident from now on */
    return p;
}

/* ---- wait_10k ---------------------------------------------------------- */

enum { WAIT_REFS = 10000, WAIT_REFS_ARRAY = 1000 };

struct wait_job {
    trygon_ref_t refs[WAIT_REFS];
    bool ready[WAIT_REFS];
    double set_s, drain_s, array_s;
};

static void submit_all(trygon_t *tg, trygon_ref_t refs[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        task_submit(tg, i, &refs[i]);
}

static void wait_by_set(trygon_t *tg, struct wait_job *job)
{
    trygon_waitset_t *ws;
    trygon_ref_t ref;
    uint64_t tag;

    CHECK_TRYGON(trygon_waitset_create(tg, &ws));
    double start = clock_s();
    submit_all(tg, job->refs, WAIT_REFS);
    double submitted = clock_s();
    for (size_t i = 0; i < WAIT_REFS; i++)
        CHECK_TRYGON(trygon_waitset_add(ws, job->refs[i], i));
    for (size_t i = 0; i < WAIT_REFS; i++) {
        CHECK_TRYGON(trygon_waitset_next(ws, TRYGON_FOREVER, &ref, &tag));
        if (!trygon_ref_equal(ref, job->refs[tag]))
            die("the wait set gave a reference with another one's tag");
        job->ready[tag] = true;
    }
    double end = clock_s();
    job->set_s = end - start;
    job->drain_s = end - submitted;
    CHECK_TRYGON(trygon_waitset_destroy(&ws));
    for (size_t i = 0; i < WAIT_REFS; i++) {
        if (!job->ready[i])
            die("the wait set never gave reference %zu", i);
        task_take(tg, i, &job->refs[i]);
    }
    memset(job->ready, 0, sizeof job->ready);
}

/* Ray's single_client_wait_1k_refs: each wait has all that are left, and takes
 * one. */
static void wait_by_array(trygon_t *tg, struct wait_job *job)
{
    trygon_ref_t left[WAIT_REFS_ARRAY];
    size_t n = WAIT_REFS_ARRAY, nready;
    double start = clock_s();

    submit_all(tg, job->refs, n);
    memcpy(left, job->refs, sizeof left);
    while (n > 0) {
        CHECK_TRYGON(trygon_wait(tg, n, left, NULL, job->ready, &nready));
        size_t i = 0;
        while (i < n && !job->ready[i])
            i++;
        if (i == n || nready != 1)
            die("trygon_wait marked %zu references", nready);
        job->ready[i] = false;
        memmove(&left[i], &left[i + 1], (n - i - 1) * sizeof *left);
        n--;
    }
    job->array_s = clock_s() - start;
    for (size_t i = 0; i < WAIT_REFS_ARRAY; i++)
        task_take(tg, i, &job->refs[i]);
}

static int drive_wait(trygon_t *tg, void *arg)
{
    wait_by_array(tg, arg); /* also warms up */
    wait_by_set(tg, arg);
    return 0;
}

void row_wait_10k(struct bench *b, struct result *result)
{
    struct wait_job *job = allocate(1, sizeof *job);
    double array[STATS_MAX], drain[STATS_MAX];

    for (int i = 0; i < b->effort.windows; i++) {
        bench_run(b, drive_wait, job);
        if (b->team.rank != 0)
            continue;
        result_add(result, WAIT_REFS / job->set_s);
        drain[i] = WAIT_REFS / job->drain_s;
        array[i] = WAIT_REFS_ARRAY / job->array_s;
    }
    if (b->team.rank == 0) {
        size_t n = result->windows;
        result_extra(result, "from the last submit on", stats_median(drain, n),
                     "1/s");
        result_extra(result, "by trygon_wait over an array of 1000",
                     stats_median(array, n), "1/s");
    }
    free(job);
}

/* ---- args_10k ---------------------------------------------------------- */

enum { ARGS = 10000 };

struct args_job {
    struct bench *bench;
    struct result *result;
    trygon_ref_t refs[ARGS];
    trygon_value_t args[ARGS];
};

/* New objects each time: values that a rank has fetched may stay there. */
static double time_args(trygon_t *tg, struct args_job *job)
{
    uint64_t total = 0;

    for (uint64_t i = 0; i < ARGS; i++) {
        CHECK_TRYGON(
            trygon_put(tg, &TRYGON_BYTES(&i, sizeof i), &job->refs[i]));
        job->args[i] = trygon_by_ref(&job->refs[i]);
        total += i;
    }
    double start = clock_s();
    task_sum(tg, ARGS, job->args, total);
    double seconds = clock_s() - start;
    CHECK_TRYGON(trygon_ref_release(tg, ARGS, job->refs));
    return seconds;
}

static int drive_args(trygon_t *tg, void *arg)
{
    struct args_job *job = arg;

    time_args(tg, job); /* warm-up */
    for (int i = 0; i < job->bench->effort.windows; i++)
        result_add(job->result, 1e3 * time_args(tg, job));
    return 0;
}

void row_args_10k(struct bench *b, struct result *result)
{
    struct args_job *job = allocate(1, sizeof *job);

    job->bench = b;
    job->result = result;
    bench_run(b, drive_args, job);
    free(job);
}

/* ---- queue_1m ---------------------------------------------------------- */

struct queue_job {
    size_t n;
    trygon_ref_t *refs;
    double submit_s, drain_s, bytes;
};

static double resident_bytes(void)
{
    unsigned long size, resident;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2)
        die("/proc/self/statm cannot be read");
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* Ranks run tasks while others are still being submitted: the memory is that
 * of a million tasks, some of them with their results instead. */
static int drive_queue(trygon_t *tg, void *arg)
{
    struct queue_job *job = arg;

    task_sync(tg, 0);
    double before = resident_bytes();
    double start = clock_s();
    submit_all(tg, job->refs, job->n);
    double submitted = clock_s();
    job->bytes = (resident_bytes() - before) / (double)job->n;
    double drain = clock_s();
    for (size_t i = 0; i < job->n; i++)
        task_take(tg, i, &job->refs[i]);
    job->submit_s = submitted - start;
    job->drain_s = clock_s() - drain;
    return 0;
}

void row_queue_1m(struct bench *b, struct result *result)
{
    struct queue_job job = {.n = (size_t)b->effort.queued};

    if (b->team.rank == 0)
        job.refs = allocate(job.n, sizeof *job.refs);
    bench_run(b, drive_queue, &job);
    result_add(result, job.submit_s + job.drain_s);
    result_extra(result, "tasks", (double)job.n, "");
    result_extra(result, "submit", job.submit_s, "s");
    result_extra(result, "drain", job.drain_s, "s");
    result->has_bytes = true;
    result->bytes = job.bytes;
    free(job.refs);
}
