/* bench.h - what a row of the benchmark is, and what it needs. */
#ifndef MICRO_BENCH_H
#define MICRO_BENCH_H

#include <trygon/trygon.h>

#include "limit.h"
#include "stats.h"
#include "team.h"

/* How long and how often: the same for all rows of a run. */
struct effort {
    int windows;
    double window_s; /* of each side */
    double warm_s;   /* of trygon, before each window */
    int64_t queued;  /* tasks of queue_1m */
    int64_t actors;  /* of actor_create */
    int64_t calls;   /* of each caller of n_n_actor_async */
    int64_t storm;   /* tasks of cancel_storm */
    double idle_s;   /* how long idle_cpu sleeps */
    double nap_s;    /* how long wakeup sleeps, each time */
    double most_s;   /* of a row of large objects: no new window after it */
    size_t small, large, huge; /* bytes: of put_1m, of what is moved and
                                  spilled, of put_1g */
    int64_t order;             /* of the matrix of cholesky */
};

struct bench {
    struct team team;
    struct effort effort;
    const trygon_registry_t *registry; /* of every runtime here */
    trygon_t *tg;
    /* Of the start, which happens once: MPI_Init_thread, the first barrier,
     * trygon_init with the first result. */
    double mpi_init_s, barrier_s, first_result_s;
};

enum { MAX_EXTRAS = 3 };

struct extra { /* another number of the same row */
    const char *label, *unit;
    double value;
};

/* Filled in by rank 0; in the row's unit. */
struct result {
    double trygon[STATS_MAX], limit[STATS_MAX];
    size_t windows;
    bool has_limit;
    char limit_way[32]; /* see limit_way(); "" when there is just one */
    bool has_bytes;
    double bytes; /* of memory, for each queued task */
    struct extra extras[MAX_EXTRAS];
    size_t nextras;
    char skipped[96]; /* why there is nothing to tell; "" when there is */
};

struct row {
    const char *name, *unit, *what;
    bool rate;     /* more is better */
    int min_ranks; /* with fewer it is skipped */
    double ray;    /* Ray 2.55.0's published figure; 0: none */
    void (*measure)(struct bench *, struct result *); /* collective */
};

enum { ROWS = 31 };
extern const struct row rows[ROWS];

/* One window more: trygon's value, after the limit's, if any. */
void result_add(struct result *result, double value);
void result_extra(struct result *result, const char *label, double value,
                  const char *unit);

/* Of a row whose windows are long: is there to be one more?  Three at least,
 * and no more than others have or than effort.most_s seconds allow. */
bool result_wants(const struct bench *b, const struct result *result,
                  double start_s);
/* There is nothing to tell: why. */
void result_skip(struct result *result, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The driver on rank 0, checked.  Collective. */
void bench_run(struct bench *b, trygon_driver_fn driver, void *arg);

/* ---- tasks ------------------------------------------------------------- */

/* Every task here answers with its number + 1; see tasks.c. */
void tasks_register(trygon_registry_t *registry);

/* Submit one, get its answer and check it. */
void task_submit(trygon_t *tg, uint64_t x, trygon_ref_t *ref);
void task_take(trygon_t *tg, uint64_t x, trygon_ref_t *ref);
/* The results of n tasks of the numbers from first on, at once. */
enum { TAKE_MOST = 1000 };
void task_take_n(trygon_t *tg, uint64_t first, size_t n, trygon_ref_t refs[]);
void task_sync(trygon_t *tg, uint64_t x);
/* The same with a task that submits another: the answer is x + 2. */
void task_nested(trygon_t *tg, uint64_t x);
/* Get it, or find that it was cancelled: false. */
bool task_take_if(trygon_t *tg, uint64_t x, trygon_ref_t *ref);
/* One task with n references as arguments, whose numbers sum up to total. */
void task_sum(trygon_t *tg, size_t n, const trygon_value_t args[],
              uint64_t total);
/* The rank that runs small tasks. */
int task_where(trygon_t *tg);

/* Read the n items of one task, in order. */
void stream_read(trygon_t *tg, uint64_t n, int64_t backpressure);

/* ---- actors ------------------------------------------------------------ */

/* With a method that answers as the tasks do, a thread for each of so many
 * calls at once; 0: an async one. */
void actor_create(trygon_t *tg, int concurrency, trygon_ref_t *actor);
void actor_await(trygon_t *tg, trygon_ref_t actor);
void actor_call(trygon_t *tg, trygon_ref_t actor, uint64_t x,
                trygon_ref_t *ref);
int actor_where(trygon_t *tg, trygon_ref_t actor);
/* A task that calls the n actors by turns, so many times in all; then check
 * what it answered. */
void actor_caller(trygon_t *tg, size_t n, const trygon_ref_t actors[],
                  uint64_t calls, trygon_ref_t *ref);
void actor_caller_take(trygon_t *tg, uint64_t calls, trygon_ref_t *ref);
/* So many calls of an async actor at once, each of which gives way n times. */
void actor_turns(trygon_t *tg, trygon_ref_t actor, size_t calls, uint64_t n);

/* ---- large objects ------------------------------------------------------ */

/* See objects.c.  Tasks and an actor for them. */
void objects_register(trygon_registry_t *registry);

/* A number in each page, from x on, and whether they are there: so much of them
 * is looked at wherever large objects arrive, on both sides. */
void object_fill(void *data, size_t size, uint64_t x);
void object_look(const void *data, size_t size, uint64_t x);
void object_make(trygon_t *tg, size_t size, uint64_t x, trygon_ref_t *ref);

/* An object with n references is got by a task, as all tasks are on another
 * rank if there is one: the seconds that this took there. */
double object_of_refs(trygon_t *tg, size_t n);

/* Actors that get an object, one on each rank but 0; they need a runtime that
 * has been opened here. */
void reader_create(trygon_t *tg, trygon_ref_t *reader);
int reader_where(trygon_t *tg, trygon_ref_t reader);
/* Starts getting it; then waits until all have got it. */
void reader_start(trygon_t *tg, trygon_ref_t reader, trygon_ref_t object,
                  uint64_t x, trygon_ref_t *done);
void reader_end(trygon_t *tg, size_t n, trygon_ref_t done[]);

/* A runtime of the row's own, beside the one of all rows, which is *before:
 * every rank but 0 offers one seat for a reader.  With apart each rank counts
 * as a node of its own.  opts: what else it is to have.  Collective, both. */
void runtime_open(struct bench *b, trygon_opts_t *opts, bool apart,
                  trygon_t **before);
void runtime_close(struct bench *b, trygon_t *before);

/* ---- rows, by file ----------------------------------------------------- */

void row_task_sync(struct bench *b, struct result *result);
void row_task_async(struct bench *b, struct result *result);
void row_task_async_batched(struct bench *b, struct result *result);
void row_task_nested(struct bench *b, struct result *result);
void row_cancel_storm(struct bench *b, struct result *result);

void row_actor_sync(struct bench *b, struct result *result);
void row_actor_async(struct bench *b, struct result *result);
void row_actor_threaded_async(struct bench *b, struct result *result);
void row_actor_create(struct bench *b, struct result *result);
void row_n_n_actor_async(struct bench *b, struct result *result);
void row_async_actor_sync(struct bench *b, struct result *result);
void row_async_actor_async(struct bench *b, struct result *result);
void row_fiber_switch(struct bench *b, struct result *result);

void row_stream(struct bench *b, struct result *result);
void row_stream_backpressure_1(struct bench *b, struct result *result);

void row_wait_10k(struct bench *b, struct result *result);
void row_args_10k(struct bench *b, struct result *result);
void row_queue_1m(struct bench *b, struct result *result);

void row_idle_cpu(struct bench *b, struct result *result);
void row_wakeup(struct bench *b, struct result *result);
void row_startup(struct bench *b, struct result *result);

void row_put_1m(struct bench *b, struct result *result);
void row_put_1g(struct bench *b, struct result *result);
void row_get_local(struct bench *b, struct result *result);
void row_refs_10k(struct bench *b, struct result *result);

void row_pull_same_host(struct bench *b, struct result *result);
void row_pull(struct bench *b, struct result *result);
void row_broadcast(struct bench *b, struct result *result);

void row_spill(struct bench *b, struct result *result);
void row_restore(struct bench *b, struct result *result);

void row_cholesky(struct bench *b, struct result *result);

#endif
