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
};

struct bench {
    struct team team;
    struct effort effort;
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
};

struct row {
    const char *name, *unit, *what;
    bool rate;     /* more is better */
    int min_ranks; /* with fewer it is skipped */
    double ray;    /* Ray 2.55.0's published figure; 0: none */
    void (*measure)(struct bench *, struct result *); /* collective */
};

enum { ROWS = 21 };
extern const struct row rows[ROWS];

/* One window more: trygon's value, after the limit's, if any. */
void result_add(struct result *result, double value);
void result_extra(struct result *result, const char *label, double value,
                  const char *unit);

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

#endif
