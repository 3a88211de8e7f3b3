/* trygon.h - tasks, objects and references over MPI: the public interface.
 *
 * This header is the manual, in reading order:
 *
 *   1  results, errors and log          5  tasks
 *   2  values and references            6  inside a task
 *   3  registry, options and life       7  wait sets, callbacks, events
 *   4  objects: put, get, wait          8  looking at the machine
 *
 *   9  actors, 10  streams, 11  an actor pool and a queue, 12  large objects:
 *      in <trygon/actors.h>, <trygon/streams.h>, <trygon/tools.h> and
 *      <trygon/objects.h>
 *
 * The codes, the error and the value structures are in <trygon/types.h>.
 *
 * Conventions
 *   Results    Every function returns int: TRYGON_SUCCESS (0) or a negative
 *              TRYGON_ERR_ code.  Outputs come last and are written only on
 *              success.  A function that fails has had no effect, unless its
 *              text says otherwise.  The host program is never aborted.
 *   Ownership  A function that outputs a reference gives the caller one count
 *              of it, to be given back with trygon_ref_release().  Arguments
 *              are borrowed for the length of the call and copied if needed.
 *   Options    x_opts_init(&o) fills in the defaults (Ray's, where Ray has the
 *              option); change fields and pass it.  NULL means the defaults.
 *   Time-outs  Milliseconds; TRYGON_FOREVER waits for ever, 0 only looks.
 *   Threads    Any thread of the process may call with the runtime's handle.
 *              Calls marked "collective" are made by one thread of every rank
 *              of the communicator.  doc/guide.md has the table of what works
 *              at which MPI thread level.
 *   NULL       A NULL runtime is TRYGON_ERR_INVALID in every call, so a call
 *              after trygon_finalize() (which nulls the handle) is an error
 *              and not a crash.
 */
#ifndef TRYGON_TRYGON_H
#define TRYGON_TRYGON_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <trygon/types.h>

#define TRYGON_VERSION_MAJOR 0
#define TRYGON_VERSION_MINOR 1
#define TRYGON_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trygon trygon_t;                   /* the runtime, this rank */
typedef struct trygon_registry trygon_registry_t; /* functions by name */
typedef struct trygon_call trygon_call_t;         /* one execution of a task */
typedef struct trygon_waitset trygon_waitset_t;

/* ------------------------------------------------------------------------
 * 1  Results, errors and log
 * --------------------------------------------------------------------- */

/* Receives one line, without newline.  May be called by any thread of the
 * rank; must not call trygon. */
typedef void (*trygon_log_fn)(void *arg, enum trygon_level level,
                              const char *line);

/* The library's version, which may differ from the header's macros. */
TRYGON_API int trygon_version(int *major, int *minor, int *patch);

/* The fixed text of a code; "unknown code" for a number that is none. */
TRYGON_API const char *trygon_strerror(int code);

/* The last error that a trygon call reported to this execution: the running
 * task when called inside one, else the calling thread.
 * Errors: INVALID (err NULL or its size not set), NOTFOUND (there was none). */
TRYGON_API int trygon_last_error(trygon_error_t *err);

/* ------------------------------------------------------------------------
 * 2  Values and references
 * --------------------------------------------------------------------- */

/* What a reference refers to; TRYGON_KIND_NONE for {0, 0} and for garbage. */
TRYGON_API enum trygon_kind trygon_ref_kind(trygon_ref_t ref);

/* ------------------------------------------------------------------------
 * 3  Registry, options and life
 * --------------------------------------------------------------------- */

/* A task.  Returns 0, or a positive number of its own (the task failed with
 * that user code), or a negative TRYGON_ERR_ code that it passes through: not
 * -1 for "something went wrong", which is NOMEM. */
typedef int (*trygon_task_fn)(trygon_call_t *call);

/* Functions travel between ranks by name.  A registry holds the names; it
 * needs no MPI and no runtime, must be filled alike on every rank, is frozen
 * by the first trygon_init() that is given it, and may serve several runtimes.
 * Not safe to fill from several threads at once. */
TRYGON_API int trygon_registry_create(trygon_registry_t **reg);

/* Errors: INVALID (NULL, empty name, longer than 63 bytes), EXISTS (name
 * taken), STATE (frozen). */
TRYGON_API int trygon_registry_add_task(trygon_registry_t *reg,
                                        const char *name, trygon_task_fn fn);

/* Sets *reg to NULL.  Call it after the runtimes that use it are finalized.
 * Errors: INVALID (reg NULL), STATE (a runtime still uses it). */
TRYGON_API int trygon_registry_destroy(trygon_registry_t **reg);

/* An amount of a named resource, such as {"licence", 1}.  Counted in units of
 * 1/10000; finer amounts and negative ones are INVALID.  "cpu", "gpu" and
 * "memory" name the built-in ones. */
typedef struct trygon_resource {
    const char *name;
    double amount;
} trygon_resource_t;

typedef struct trygon_opts {
    size_t size;                       /* set by trygon_opts_init */
    const trygon_registry_t *registry; /* NULL: this rank knows no tasks */
    double num_cpus;   /* slots of this rank; -1: the cores it may use */
    double head_slots; /* slots of rank 0; -1: none with several ranks, the
                          cores it may use when alone */
    const trygon_resource_t *resources; /* what else this rank offers */
    size_t nresources;
    uint64_t seed;     /* of every random choice; 0: a fixed one */
    int32_t verbose;   /* 0 warnings, 1 also information, 2 also debug */
    trygon_log_fn log; /* NULL: standard error */
    void *log_arg;
    uint64_t store_bytes;   /* for large objects, of each node; 0: 30 % of the
                              memory that the node's ranks may use */
    const char *spill_dir;  /* directories, separated by ':', used in turn;
                              NULL: $SLURM_TMPDIR, $TMPDIR or /tmp */
    int32_t spill_deflate;  /* 0: none; 1 to 9: HDF5's deflate, which is slow */
    uint64_t lineage_bytes; /* of what each rank keeps of its tasks to make
                               lost results again (section 5); 0: nothing;
                               rank 0's counts */
} trygon_opts_t;

/* Defaults, overridden by the environment: TRYGON_NUM_CPUS,
 * TRYGON_HEAD_SLOTS, TRYGON_RESOURCES ("gpu=2,memory=8G,licence=1"),
 * TRYGON_SEED, TRYGON_VERBOSE, TRYGON_NODE_ID (ranks with the same value
 * count as one node), TRYGON_STORE_BYTES ("512M"), TRYGON_SPILL_DIR,
 * TRYGON_SPILL_DEFLATE, TRYGON_LINEAGE_BYTES ("1G").  The environment is read by
 * trygon_init() and wins only where the program left a default. */
#define trygon_opts_init(o_) trygon_opts_init_sized((o_), sizeof(*(o_)))
TRYGON_API int trygon_opts_init_sized(trygon_opts_t *opts, size_t size);

/* Start the runtime on every rank of comm (MPI_COMM_NULL: of all ranks).
 * Collective.  Only a duplicate of comm is used, with MPI_ERRORS_RETURN set on
 * the duplicate.  If MPI is not initialised, init does it, asking for
 * MPI_THREAD_MULTIPLE, and the finalize of the last runtime ends it; several
 * runtimes one after the other need a host that initialised MPI itself.
 * Rank 0 of comm is the head (scheduler); it also works when it is alone.
 *
 * Errors: INVALID (an option is out of range; the log names it), MISMATCH (the
 * registries or options of the ranks differ; the log names the function and
 * the ranks; every rank returns it), STATE (MPI was finalized), MPI, NOMEM. */
TRYGON_API int trygon_init(MPI_Comm comm, const trygon_opts_t *opts,
                           trygon_t **tg);

/* What the driver rank runs: the user's main program. */
typedef int (*trygon_driver_fn)(trygon_t *tg, void *arg);

/* Rank 0 runs driver(tg, arg); the other ranks serve until it has returned.
 * Collective; may be called again.  Below MPI_THREAD_MULTIPLE the driver runs
 * on a thread of its own, so that the calling thread can do the MPI calls.
 * When the driver returns, tasks of this rank that have not started are
 * cancelled and running ones are waited for.
 * Outputs *status on every rank: what the driver returned (status may be
 * NULL).  Errors: INVALID, STATE (inside a task, or already running). */
TRYGON_API int trygon_run(trygon_t *tg, trygon_driver_fn driver, void *arg,
                          int *status);

/* End the runtime: cancels what has not started, waits for what runs, gives
 * everything back, and nulls *tg.  Collective; by a thread that is not inside
 * a task.  References and values of this runtime are invalid afterwards; how
 * many were never released is logged at level INFO, and if there are any, on
 * all ranks together and how large by rank 0 at level WARN.
 * A rank that has called it refuses new tasks (SHUTDOWN), those of tasks that
 * still run on it as well: outside trygon_run(), get what you need first.
 * Errors: INVALID (tg or *tg NULL), STATE (inside a task or driver; the
 * runtime lives on), WORKER_LOST (a rank was lost: the runtime is gone, MPI
 * must not be finalized, see doc/guide.md). */
TRYGON_API int trygon_finalize(trygon_t **tg);

/* This rank's place: its rank in comm and the number of ranks. */
TRYGON_API int trygon_rank(const trygon_t *tg, int *rank, int *size);

/* ------------------------------------------------------------------------
 * 4  Objects: put, get, wait
 * --------------------------------------------------------------------- */

/* Copy a value into a new object that this rank owns.  Every put makes a new
 * object (Ray: no deduplication).  The object keeps the objects of value->refs
 * alive.  Errors: INVALID (NULL; data NULL with size > 0; TRYGON_BY_REF: an
 * object cannot be the value of an object, pass it in refs), NOTFOUND (a
 * reference that this rank does not hold), NOMEM, SHUTDOWN. */
TRYGON_API int trygon_put(trygon_t *tg, const trygon_value_t *value,
                          trygon_ref_t *ref);

/* Wait for an object and lend its value.  Inside a task the CPU is lent to
 * others meanwhile, unless the object is already here.
 * Errors: TIMEOUT (try again later, nothing was lost); TASK, CANCELLED,
 * WORKER_LOST, OWNER_DIED, OBJECT_LOST, DEPENDENCY, RETURNS, UNSCHEDULABLE:
 * what the task or object ended with, see trygon_ref_error(); NOTFOUND (this
 * rank does not hold ref); CANCELLED also when the calling task was itself
 * cancelled while it waited; INVALID, SHUTDOWN. */
TRYGON_API int trygon_get(trygon_t *tg, trygon_ref_t ref, int64_t timeout_ms,
                          trygon_value_t *value);

/* The same for n references, in order, duplicates allowed; n may be 0.  Fails
 * as soon as any of them is known to have failed, even if others never come
 * (Ray).  On failure no value is lent. */
TRYGON_API int trygon_get_n(trygon_t *tg, size_t n, const trygon_ref_t refs[],
                            int64_t timeout_ms, trygon_value_t values[]);

/* Wait for an object and copy its bytes to data.  *size (may be NULL) is the
 * object's size.  Errors: as trygon_get(); CAPACITY (*size says how much is
 * needed, nothing was copied). */
TRYGON_API int trygon_get_into(trygon_t *tg, trygon_ref_t ref,
                               int64_t timeout_ms, void *data, size_t capacity,
                               size_t *size);

/* Give a lent value back and clear it.  A cleared or NULL value is fine. */
TRYGON_API int trygon_value_release(trygon_t *tg, trygon_value_t *value);

typedef struct trygon_wait_opts {
    size_t size;
    size_t num_returns; /* how many to wait for (default 1) */
    int64_t timeout_ms; /* default TRYGON_FOREVER */
    bool fetch_local;   /* default true: ready means that the bytes are on
                           this rank; false: that they exist somewhere */
} trygon_wait_opts_t;

#define trygon_wait_opts_init(o_) \
    trygon_wait_opts_init_sized((o_), sizeof(*(o_)))
TRYGON_API int trygon_wait_opts_init_sized(trygon_wait_opts_t *opts,
                                           size_t size);

/* Wait until num_returns of n references are ready or time is up, and mark
 * which are.  At most num_returns are marked, the first ones in input order,
 * even if more are ready; failed ones count as ready (Ray).  Time running out
 * is not an error: *nready (may be NULL) is then smaller than num_returns.
 * n = 0 gives *nready = 0.  A stream may be among them: it is ready when
 * trygon_stream_next() would not block, at its end too, for ever.
 * Errors: INVALID (a reference twice, num_returns 0 or over n), NOTFOUND,
 * CANCELLED, SHUTDOWN. */
TRYGON_API int trygon_wait(trygon_t *tg, size_t n, const trygon_ref_t refs[],
                           const trygon_wait_opts_t *opts, bool ready[],
                           size_t *nready);

/* One more count, or one less, of each of n references.  Release sets them to
 * none and accepts none.  A release beyond what this rank holds is INVALID; if
 * any of the n is wrong, nothing is released.  Retain: NOTFOUND if not held. */
TRYGON_API int trygon_ref_retain(trygon_t *tg, size_t n,
                                 const trygon_ref_t refs[]);
TRYGON_API int trygon_ref_release(trygon_t *tg, size_t n, trygon_ref_t refs[]);

/* The error an object ended with; NOTFOUND when it has not failed (yet) or its
 * error is not known on this rank yet (get or wait first). */
TRYGON_API int trygon_ref_error(trygon_t *tg, trygon_ref_t ref,
                                trygon_error_t *err);
/* Cause i (0 is the nearest) behind that error: 0 <= i < ncauses. */
TRYGON_API int trygon_ref_cause(trygon_t *tg, trygon_ref_t ref, int32_t i,
                                trygon_error_t *err);

/* ------------------------------------------------------------------------
 * 5  Tasks
 * --------------------------------------------------------------------- */

#define TRYGON_ANY_CODE ((size_t)-1)

typedef struct trygon_task_opts {
    size_t size;
    double num_cpus; /* held while it runs, not while it waits; default 1 */
    double num_gpus; /* held while it runs; whole above 1; default 0 */
    uint64_t memory; /* bytes, for admission only, rounded up to 4 leading bits
                        (at least 1 MiB); default 0 */
    const trygon_resource_t *resources; /* others, by name */
    size_t nresources;
    int32_t num_returns; /* 0 to 65535; default 1 */
    int32_t max_retries; /* after a rank was lost; -1: no limit; default 3 */
    const int32_t *retry_codes; /* user codes that are retried as well, out of
                                   the same budget (Ray: retry_exceptions) */
    size_t nretry_codes;        /* default 0: none; TRYGON_ANY_CODE: any */
    int32_t strategy;           /* enum trygon_strategy */
    int32_t node;               /* for TRYGON_STRATEGY_NODE */
    bool soft;
    bool fail_unschedulable; /* what no rank can ever run: true, fail at once;
                                false (Ray), warn with the reason and wait */
    const char *name;        /* for messages; NULL: the function's name */
    int64_t backpressure;    /* of a stream: items that the task may be ahead
                                of its reader; default -1: any number */
} trygon_task_opts_t;

#define trygon_task_opts_init(o_) \
    trygon_task_opts_init_sized((o_), sizeof(*(o_)))
TRYGON_API int trygon_task_opts_init_sized(trygon_task_opts_t *opts,
                                           size_t size);

/* Start a task: returns at once with num_returns references in returns[]
 * (which may be NULL when num_returns is 0).  The task runs once, on some
 * rank, after every TRYGON_REF argument has its value; if one of them fails,
 * the task never runs and its references carry DEPENDENCY with the cause.
 * References inside a value's refs are passed along, not awaited.  An argument
 * over 100 KiB, or beyond 10 MiB in all, is put as an object of its own.
 *
 * A result over 100 KiB is lost with the ranks that have it.  If the option
 * lineage_bytes allows, its task is then run again for whoever waits for it, as
 * are the tasks of lost arguments, out of max_retries (Ray: lineage); a value
 * need not be what it was.  It is OBJECT_LOST, with the reason in its error, when
 * no retries are left, when the task was cancelled, even after its end, or
 * forgotten since so many came later, or when its arguments had handles of
 * actors.  What was put is kept as long as such a task might need it.
 *
 * Errors: NOTFOUND (no such task name; a reference that this rank does not
 * hold), INVALID (an option out of range: the log names it), NOMEM, SHUTDOWN.
 * In each case no task exists. */
TRYGON_API int trygon_submit(trygon_t *tg, const char *task, size_t nargs,
                             const trygon_value_t args[],
                             const trygon_task_opts_t *opts,
                             trygon_ref_t returns[]);

/* Cancel the task that computes ref, or that yields to it when ref is a stream
 * (section 10).  Not started: it never runs, and its references carry CANCELLED.  Running: trygon_call_cancelled() becomes true in
 * it and waits inside it return CANCELLED; what it returns stands, but it is
 * never retried.  Finished: nothing happens, but that it is not run again either
 * if a result is lost (Ray).  recursive: also what it
 * submitted.  From any rank that holds ref; asynchronous, best effort (Ray).
 * Errors: NOTFOUND, INVALID, UNSUPPORTED (force: user code is not run in a
 * process of its own, so it cannot be killed). */
TRYGON_API int trygon_cancel(trygon_t *tg, trygon_ref_t ref, bool force,
                             bool recursive);

/* ------------------------------------------------------------------------
 * 6  Inside a task
 * --------------------------------------------------------------------- */

/* The runtime, for calls to the rest of this interface. */
TRYGON_API trygon_t *trygon_call_runtime(const trygon_call_t *call);

/* How many arguments the task was submitted with; 0 for NULL. */
TRYGON_API size_t trygon_call_nargs(const trygon_call_t *call);

/* Argument i, lent until the task returns (do not release it).
 * Errors: INVALID (no such argument; NULL). */
TRYGON_API int trygon_call_arg(trygon_call_t *call, size_t i,
                               trygon_value_t *value);

/* Set return i, by copy; a second time replaces the first.  References in
 * value->refs travel with it.  A task that ends with 0 but has not set all its
 * returns ends with RETURNS on every one.  Errors: INVALID (no such return;
 * as trygon_put()), NOTFOUND, NOMEM. */
TRYGON_API int trygon_call_return(trygon_call_t *call, size_t i,
                                  const trygon_value_t *value);

/* True once this execution was asked to stop. */
TRYGON_API bool trygon_call_cancelled(const trygon_call_t *call);

/* Say why the task fails; returns code, so that a task can end with
 * `return trygon_call_fail(call, 7, "no row %d", row);`. */
TRYGON_API int trygon_call_fail(trygon_call_t *call, int code, const char *fmt,
                                ...) TRYGON_PRINTF(3, 4);

enum { TRYGON_MAX_CPUS = 1024 };

typedef struct trygon_call_info {
    size_t size;
    uint64_t task;   /* unique in the run */
    int32_t attempt; /* 0 for the first execution */
    int32_t depth;   /* 0 when the driver submitted it */
    int32_t rank;    /* where it runs */
    int32_t node;
    int32_t owner; /* the rank that submitted it */
    double num_cpus, num_gpus;
    uint64_t memory;
    const char *function; /* valid until the task returns, as is name */
    const char *name;
    const int32_t *cpus; /* the lease's exact PUs, as the system numbers
                            them; none when the rank's slots are not bound */
    size_t ncpus;
    int32_t restarts; /* of the actor, before this one was made; 0 in a task */
} trygon_call_info_t;

/* Errors: INVALID (NULL, info->size not set). */
TRYGON_API int trygon_call_info(const trygon_call_t *call,
                                trygon_call_info_t *info);

/* ------------------------------------------------------------------------
 * 7  Wait sets, callbacks and events
 * --------------------------------------------------------------------- */

/* A wait set costs the same per completion however many references wait in
 * it; trygon_wait() looks at every one each time.  Streams may be among them:
 * add one again after each item that was read.  Entries are borrowed: keep your
 * count until the entry was taken or removed.  One thread at a time. */
TRYGON_API int trygon_waitset_create(trygon_t *tg, trygon_waitset_t **ws);
/* Errors: NOTFOUND (not held), EXISTS (already in this set). */
TRYGON_API int trygon_waitset_add(trygon_waitset_t *ws, trygon_ref_t ref,
                                  uint64_t tag);
/* Take the next one that is ready, in order of completion.  Errors: TIMEOUT,
 * NOTFOUND (the set is empty), STATE (another thread waits in it), CANCELLED,
 * SHUTDOWN. */
TRYGON_API int trygon_waitset_next(trygon_waitset_t *ws, int64_t timeout_ms,
                                   trygon_ref_t *ref, uint64_t *tag);
/* Errors: NOTFOUND (not in the set, or already taken). */
TRYGON_API int trygon_waitset_remove(trygon_waitset_t *ws, trygon_ref_t ref);
/* The references in it stay whole.  Sets *ws to NULL; NULL inside is fine. */
TRYGON_API int trygon_waitset_destroy(trygon_waitset_t **ws);

/* Called once when ref, no stream, is ready (error or not), on whatever thread
 * polls; may only make calls that do not block, and must not take long. */
typedef void (*trygon_ready_fn)(trygon_t *tg, trygon_ref_t ref, void *arg);
/* Errors: NOTFOUND (not held), INVALID. */
TRYGON_API int trygon_on_ready(trygon_t *tg, trygon_ref_t ref,
                               trygon_ready_fn fn, void *arg);

/* Sleep for so long.  In an async actor other calls run meanwhile, with 0 too;
 * elsewhere the thread sleeps, and keeps its CPU.  Errors: CANCELLED (the
 * calling task was cancelled), INVALID (ms below 0), SHUTDOWN. */
TRYGON_API int trygon_sleep(trygon_t *tg, int64_t ms);

/* A flag that calls of one rank wait for: the fibers of an async actor for each
 * other, but tasks and threads as well (Python: asyncio.Event). */
typedef struct trygon_event trygon_event_t;

/* Create one, which is not set.  Errors: INVALID, NOMEM. */
TRYGON_API int trygon_event_create(trygon_t *tg, trygon_event_t **event);
/* All who wait go on, in the order in which they came, and until it is cleared
 * nobody waits.  Never blocks. */
TRYGON_API int trygon_event_set(trygon_event_t *event);
TRYGON_API int trygon_event_clear(trygon_event_t *event);
/* Inside a task it waits as a get does.  Errors: TIMEOUT, CANCELLED (the
 * calling task was cancelled), SHUTDOWN. */
TRYGON_API int trygon_event_wait(trygon_event_t *event, int64_t timeout_ms);
/* Sets *event to NULL; NULL inside is fine.  Errors: STATE (some wait). */
TRYGON_API int trygon_event_destroy(trygon_event_t **event);

/* ------------------------------------------------------------------------
 * 8  Looking at the machine
 * --------------------------------------------------------------------- */

typedef struct trygon_node {
    int32_t rank;
    int32_t node; /* ranks of one host have the same number */
    bool alive;
    char host[64];
    double cpus_total,
        cpus_free; /* free may be below 0: debt (doc/design.md) */
    double gpus_total, gpus_free;
    uint64_t memory_total, memory_free;
} trygon_node_t;

/* One entry a rank, as the head sees them now.  Fills at most capacity; *n is
 * the number of ranks.  Inside a task it waits as a get does. */
TRYGON_API int trygon_nodes(trygon_t *tg, size_t capacity,
                            trygon_node_t nodes[], size_t *n);

/* Total and free amount of a resource over all living ranks.  Errors:
 * NOTFOUND (no rank has it). */
TRYGON_API int trygon_resources(trygon_t *tg, const char *name, double *total,
                                double *available);

/* What this rank waits for: one line for each of its tasks' classes that has
 * waiting work and for each blocked call, with the reason.  Writes at most
 * capacity bytes with the final NUL; *size (may be NULL) is what it wanted. */
TRYGON_API int trygon_why(trygon_t *tg, char *text, size_t capacity,
                          size_t *size);

#ifdef __cplusplus
}
#endif

#include <trygon/actors.h>  /* section 9 */
#include <trygon/streams.h> /* section 10 */
#include <trygon/tools.h>   /* section 11 */
#include <trygon/objects.h> /* section 12 */

#endif
