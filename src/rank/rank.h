/* rank.h - one rank at work: the core, the post office, the clock, the threads.
 *
 * struct trygon is the public handle; it owns everything, there are no
 * globals.  One lock guards the core and the post office, and every MPI call
 * after the start is made with it held:
 *
 *     tg_enter(tg);
 *     rc = tg_step(tg, &ev);       any number of steps
 *     tg_leave(tg);                sends what they put out, runs callbacks
 *
 * With MPI_THREAD_MULTIPLE any thread sends and polls.  Below it only the
 * thread that called init does; the others ring its bell.
 */
#ifndef TG_RANK_RANK_H
#define TG_RANK_RANK_H

#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <trygon/trygon.h>

#include "base/lock.h"
#include "base/log.h"
#include "core/core.h"
#include "exec/pool.h"
#include "rank/bells.h"
#include "rank/post.h"
#include "rank/stores.h"

enum { TG_HOST_MAX = 64 };

/* The groups of a class besides the default one, which has no name. */
struct tg_class_groups {
    struct tg_groups limits;
    char names[TG_GROUPS_MAX][TG_NAME_MAX];
};

struct tg_fn {
    char name[TG_NAME_MAX];         /* of a method: "Class.method" */
    trygon_task_fn fn;              /* a task, or NULL */
    trygon_construct_fn construct;  /* a class, or NULL */
    trygon_destroy_fn destroy;      /* of a class, or NULL */
    trygon_method_fn method;        /* or NULL */
    bool async;                     /* of a class, and of its methods */
    uint8_t group;                  /* of a method */
    uint8_t dot;                    /* of a method: where in its name */
    struct tg_class_groups *groups; /* of a class that has some, else NULL */
};

/* What every rank knows of every rank: made by startup.c, then constant. */
struct tg_layout {
    int32_t nnodes;
    int32_t *node;                /* of each rank */
    int64_t (*total)[TG_RES_MAX]; /* of each rank */
    char (*host)[TG_HOST_MAX];    /* of each rank */
    char res_names[TG_RES_MAX][TG_NAME_MAX];
    const char *res_ptrs[TG_RES_MAX]; /* NULL: no such resource */
    int32_t nslots;                   /* of this rank */
    bool bound;   /* each of its slots has a PU of its own */
    int32_t *pus; /* the system's number of the PU of each slot */
};

/* What a thread waits for, from the least urgent: who is further down takes the
 * poller's role from who is further up. */
enum tg_level {
    TG_WATCHES = 1, /* the background thread: polls when nobody else does */
    TG_ATTENDS,     /* a thread of the host in trygon_run() or finalize */
    TG_SERVES,      /* a thread of the pool: for something to run */
    TG_AWAITS       /* a call: for its answer */
};

/* A thread that waits.  Without the poller's role it sleeps on the word. */
struct tg_sleeper {
    enum tg_level level;
    atomic_uint word; /* progress.c */
    bool can_poll;
    struct trygon_call *fiber; /* whose loop waits in its stead, or NULL */
    struct tg_sleeper *prev, *next;
};

/* A thread of the pool between two executions. */
struct tg_server {
    struct tg_sleeper s;
    struct trygon_call *call; /* its last; where the thread is bound */
    bool given;               /* the next one, or a loop, is in call */
    bool woken;               /* for its last: which took some time */
};

struct tg_callback {
    trygon_ready_fn fn;
    void *arg;
    trygon_ref_t ref;
};

struct trygon {
    MPI_Comm comm; /* our duplicate */
    int32_t rank, nranks;
    int thread_level;
    bool any_thread; /* any thread may poll */
    bool crowded;    /* more ranks than cores here: do not spin */
    pthread_t mpi_thread;
    uint64_t seed, lineage_bytes; /* rank 0's */
    struct tg_log log;
    struct tg_layout layout;
    struct tg_bells bells;            /* of the ranks of this node */
    struct trygon_registry *registry; /* NULL: none */
    const struct tg_fn *fns;          /* by function number, sorted by name */
    uint32_t nfns;
    atomic_uint last_fn;     /* of the last submit */
    atomic_uint last_method; /* and of the last call of an actor */
    const char **fn_names;
    const struct tg_groups **fn_groups;

    struct tg_lock lock; /* guards the rest */
    struct tg_core *core;
    struct tg_net *net; /* NULL: this rank is alone */
    struct tg_net *mpi; /* below it */
    const struct tg_net_ops *ops;
    struct tg_vals vals; /* small values live here */
    struct tg_post *post;
    struct tg_stores stores;
    struct tg_pool *pool;
    TG_VEC(struct tg_callback) callbacks; /* due */
    TG_VEC(uint64_t) unstarted;           /* executions that got no thread */
    struct tg_loop *loops; /* kept for the next actor that needs one */
    uint32_t nloops;
    int failed;      /* an MPI error; the runtime is of no more use */
    bool ended, bye; /* ended: a run is over, whose status is still here */
    TG_VEC(int32_t) statuses; /* rank 0 may be some runs ahead of us */
    bool in_run;
    bool lost_rank;

    atomic_uint wanted;          /* threads that wait for the lock */
    struct tg_sleeper *poller;   /* who has the poller's role; NULL: nobody */
    uint64_t poll_again_ns;      /* when it looks again at the latest */
    uint64_t looked_ns;          /* when somebody last looked for messages */
    atomic_uint looks;           /* how often, so far */
    uint64_t left;               /* how often the role was left */
    struct tg_sleeper *sleepers; /* who waits without it */
    struct tg_server *server;    /* ready for an execution; NULL: none */
    uint64_t served;             /* executions given to servers that waited */
    struct tg_server *ending;    /* reports its last one right now */
    uint64_t *mean_ns;           /* how long each function runs here */
    int32_t running;         /* threads in user code of tasks, not blocked */
    bool naps;               /* the poller sleeps on its bell */
    struct tg_sleeper watch; /* the background thread's */
    bool watch_rests;        /* it looks at the role now and then only */
    atomic_int sent_to;      /* who was sent something last; -1: nobody */
    uint32_t glances;
    pthread_t background;
    bool has_background;
    bool stop; /* the threads that we made end */
};

struct tg_loop; /* the calls of an async actor, and their thread (loop.c) */

/* One execution of user code: on a thread of the pool, or as one of the fibers
 * of a loop. */
struct trygon_call {
    struct trygon *tg;
    struct tg_exec *exec;
    const struct tg_wlease *lease; /* or NULL: of an actor without one */
    int32_t *cpus;                 /* the system's numbers */
    size_t ncpus;
    struct tg_items returns; /* values set so far */
    struct tg_val *room;     /* for the only one, if it is small; or NULL */
    bool lends;              /* tg_call_lend() is to see to its arguments */
    struct tg_lent **lents;  /* of its arguments; NULL: none is lent */
    uint32_t yielded;        /* those set by yields, in order */
    uint64_t served;         /* tg->served when its thread was woken for it */
    void *self;              /* of an actor */
    struct tg_loop *loop;    /* whose fiber it is; of a thread of the pool: what
                                it is to run in the execution's stead */
    struct tg_fiber *fiber;  /* NULL: it has not started */
    struct tg_errors *errors; /* its last ones */
    struct tg_outcome outcome;
    bool parked;
    struct trygon_call *prev, *next; /* of its loop */
    int32_t fail_code;
    char fail_text[256];
};

/* ----- rank.c --------------------------------------------------------------- */

uint64_t tg_now_ns(void);
static inline void tg_relax(void) /* in a loop that spins */
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}
void tg_enter(struct trygon *tg);
void tg_leave(struct trygon *tg);
/* Without sending: this thread comes back in some microseconds. */
void tg_leave_for_now(struct trygon *tg);
/* With the lock held.  Fills in the event's time, unless it is there; performs
 * the actions. */
int tg_step(struct trygon *tg, struct tg_event *ev);
/* With the lock held: tell the core what came of its actions outside of a
 * step. */
void tg_settle(struct trygon *tg);
/* The time of the last step, for events that set no timer: reading the clock
 * costs as much as such a step. */
static inline uint64_t tg_last_ns(const struct trygon *tg)
{
    return tg->core->ctx.now_ns;
}

/* ----- progress.c ------------------------------------------------------------- */

/* With the lock held: take in what has come, send what may leave. */
void tg_progress(struct trygon *tg);
/* Has something come?  For a thread that is about to sleep. */
bool tg_look(const struct trygon *tg);
void tg_flush(struct trygon *tg); /* only the latter */
/* tg_progress(), if nobody polls who is as urgent as the level says: for a
 * thread that does not wait, so that it is no stranger to what happens. */
void tg_look_in(struct trygon *tg, enum tg_level level);
void tg_glance(struct trygon *tg); /* now and then */
/* With the lock held, which is kept: is the object ready within the time for
 * which a thread that waits spins anyway?  Then it needs no waiter. */
bool tg_look_for(struct trygon *tg, const struct tg_obj *x);
/* Without the lock, by a thread that is about to send something.  Most likely
 * it goes where the last one went: if that rank sleeps, it wakes meanwhile. */
static inline void tg_rouse(struct trygon *tg)
{
    int32_t to = atomic_load_explicit(&tg->sent_to, memory_order_relaxed);
    if (to >= 0)
        tg_bells_rouse(&tg->bells, to);
}
/* With the lock held, which is given up meanwhile: poll or sleep until *done
 * is true, the deadline is over, or the runtime has failed. */
void tg_wait_until(struct trygon *tg, struct tg_sleeper *s, const bool *done,
                   uint64_t deadline_ns);
/* A server waits until it is given something, or comes back without.  It takes
 * the place of the one before. */
void tg_serve_until_given(struct trygon *tg, struct tg_server *sv);
/* With the lock held, by a thread that goes away, for how long it thinks: if
 * nobody polls, somebody should. */
enum tg_absence { TG_FOR_A_MOMENT, TG_FOR_A_WHILE, TG_FOR_LONG };
void tg_pass_role(struct trygon *tg, enum tg_absence absence);
/* With the lock held. */
bool tg_may_poll(const struct trygon *tg); /* this thread */
void tg_wake(struct trygon *tg, struct tg_sleeper *s);
void tg_wake_all(struct trygon *tg);
int tg_background_start(struct trygon *tg);
void tg_background_stop(struct trygon *tg);

/* ----- run.c ------------------------------------------------------------------ */

/* The call that this thread runs for tg; NULL: none. */
struct trygon_call *tg_current(const struct trygon *tg);
bool tg_in_call(void); /* for any runtime */
/* Without the lock: a callback, on whatever thread.  What it does is neither
 * the thread's task's nor its last error. */
void tg_run_callback(struct trygon *tg, const struct tg_callback *cb);
/* With the lock held: start an execution on a thread of the pool. */
void tg_run_exec(struct trygon *tg, uint64_t exec);
/* With the lock held, which is given up meanwhile, by a fiber: it waits until
 * tg_loop_wake() (perhaps without reason), or lets the others run once. */
void tg_loop_park(struct trygon_call *call);
void tg_loop_yield(struct trygon_call *call);
void tg_loop_wake(struct trygon_call *call); /* with the lock held */
void tg_loops_free(struct trygon *tg);
/* It got no thread: the task fails with NOMEM, the rank goes on. */
void tg_run_failed(struct trygon *tg, uint64_t exec);

/* ----- block.c ----------------------------------------------------------------- */

uint64_t tg_deadline(int64_t timeout_ms);
struct tg_answer {       /* struct tg_waiter has what these are */
    struct tg_row *rows; /* the caller's */
    uint32_t nrows;
    uint64_t ticket;
    trygon_ref_t ref;
    struct tg_val **vals; /* nranks of them: the caller's */
};
/* With the lock held: block until the request is over.  0, TIMEOUT, CANCELLED,
 * NOTFOUND or what broke the runtime.  out, or NULL: what a message brought. */
int tg_block(struct trygon *tg, struct tg_wait_req *req, int64_t timeout_ms,
             struct tg_answer *out);
/* The same until the request's own deadline. */
int tg_block_until(struct trygon *tg, struct tg_wait_req *req,
                   struct tg_answer *out);

/* ----- lend.c ------------------------------------------------------------------ */

/* The bytes of a stored value, which stay where they are as long as it is
 * lent. */
struct tg_lent {
    uint64_t self;
    struct tg_obj *obj; /* whose hold is somebody else's affair */
    struct tg_val *val; /* of it, then: it may be freed meanwhile */
    struct tg_arena *arena;
    uint64_t blob;
    const void *data;
};
/* With the lock held, which is given up meanwhile: pin those of n objects whose
 * values are stored, and wait again for what has left this rank in between;
 * only the oldest call that waits so keeps what it has pinned meanwhile.
 * objs[i] may be NULL; each other has a hold and is ready.  lents[i] is NULL
 * before, and afterwards where there was nothing to pin: also of one that has
 * failed meanwhile.  0, or as tg_block(), in which case nothing is lent. */
int tg_lend_all(struct trygon *tg, uint32_t n, struct tg_obj *const objs[],
                struct tg_lent *lents[], uint64_t deadline_ns);
void tg_lent_end(struct trygon *tg, struct tg_lent *lent);
/* As a value's pin, where else a struct tg_obj stands, and back: NULL, if that
 * is what stands there. */
static inline void *tg_lent_pin(struct tg_lent *lent)
{
    return (unsigned char *)lent + 1;
}
static inline struct tg_lent *tg_lent_of(void *pin)
{
    return ((uintptr_t)pin & 1) != 0
               ? (struct tg_lent *)(void *)((unsigned char *)pin - 1)
               : NULL;
}
/* The arguments of a call whose bytes are in stores, as long as it runs.  The
 * first without the lock, by the call itself: 0 or why it cannot run, which is
 * the last error; the other one with the lock held. */
int tg_call_lend(struct trygon_call *call);
void tg_call_lent_end(struct trygon_call *call);
/* With the lock held.  A blob will be no object: it goes. */
void tg_discard(struct trygon *tg, uint64_t blob);
/* The same of a value; NULL stays NULL. */
void tg_unmake(struct trygon *tg, struct tg_val **val);

/* ----- errors.c ---------------------------------------------------------------- */

/* The calling execution's last error; returns code. */
int tg_fail(const struct trygon *tg, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same from an error value, with its causes. */
int tg_fail_with(const struct trygon *tg, const struct tg_val *error);
void tg_error_out(const struct trygon *tg, const struct trygon_error *e,
                  trygon_error_t *out);
/* Error i of the last chain; NULL: there is none. */
const struct trygon_error *tg_last_error(uint32_t i);
void tg_last_error_clear(void);
/* Where the calling thread keeps the chain from now on; NULL: in memory of its
 * own.  Returns where it was. */
struct tg_errors {
    uint32_t n;
    struct trygon_error v[1 + TG_CAUSES_MAX];
};
struct tg_errors *tg_last_error_use(struct tg_errors *errors);

/* ----- startup.c ---------------------------------------------------------------- */

struct tg_start {
    trygon_opts_t opts;
    const struct tg_fn *fns;
    uint32_t nfns;
    char err[320]; /* what was wrong with this rank's own options */
    int status;    /* of this rank so far; 0: fine */
};

/* Collective: exchange what the ranks offer and make tg->layout of it.  Every
 * rank returns the same code; the reason is logged. */
int tg_startup(struct trygon *tg, struct tg_start *start);
void tg_layout_free(struct tg_layout *l);

int tg_rank_create(MPI_Comm comm, struct tg_start *start, struct trygon **tg);
/* Collective.  The pool must be idle. */
int tg_rank_destroy(struct trygon **tg);

#endif
