/* actors.h - section 9 of the manual: actors.  Programs include
 * <trygon/trygon.h>, which includes this.
 */
#include <trygon/trygon.h> /* outside of the guard: it includes this in turn */

#ifndef TRYGON_ACTORS_H
#define TRYGON_ACTORS_H

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
 * 9  Actors
 * --------------------------------------------------------------------- */

/* A class of actors: state of the user's that lives on one rank, and methods
 * that are called from anywhere.
 *
 * A regular actor runs one call at a time.  With max_concurrency above 1 it is
 * threaded: so many calls run at once, each on a thread of its own.  An actor
 * of an async class runs its calls as fibers on one thread: one at a time, but
 * wherever a call waits (get, wait, next, yield, sleep, an event) others go on.
 * All calls under way share the thread; when there are none, the next ones may
 * be given another.  A fiber has a stack of 256 KiB, must not be left by
 * longjmp(), and should not hold a lock of the host's while it waits. */

/* Calls of methods in a group have a limit of their own, and are held up by no
 * call of another group (Ray: concurrency groups). */
typedef struct trygon_group {
    const char *name;
    int32_t max_concurrency; /* 1 to 32767 */
} trygon_group_t;

typedef struct trygon_method {
    const char *name;
    /* As a task.  self is what the constructor made. */
    int (*fn)(trygon_call_t *call, void *self);
    const char *group; /* NULL: the default group, whose limit is the actor's
                          max_concurrency */
} trygon_method_t;

typedef int (*trygon_method_fn)(trygon_call_t *call, void *self);
/* As a task without returns; sets *self to what methods get (NULL at first). */
typedef int (*trygon_construct_fn)(trygon_call_t *call, void **self);
/* Called once, after the last method, unless the actor was killed. */
typedef void (*trygon_destroy_fn)(trygon_t *tg, void *self);

enum { TRYGON_MAX_GROUPS = 15 };

typedef struct trygon_class {
    size_t size; /* sizeof(trygon_class_t) */
    const char *name;
    trygon_construct_fn construct;
    trygon_destroy_fn destroy; /* may be NULL */
    const trygon_method_t *methods;
    size_t nmethods;
    bool async; /* methods are fibers on one thread */
    const trygon_group_t *groups;
    size_t ngroups; /* up to TRYGON_MAX_GROUPS */
} trygon_class_t;

/* The strings are copied.  A class shares the names of tasks, a method is
 * called "Class.method" there.  Errors: INVALID (NULL, an empty name, a name
 * with a dot, "Class.method" longer than 63 bytes, size not set, a limit or the
 * number of groups out of range), EXISTS (a name is taken, or there twice),
 * NOTFOUND (a method's group is none of the class's), NOMEM, STATE (frozen).
 * After an error nothing of the class is registered. */
TRYGON_API int trygon_registry_add_class(trygon_registry_t *reg,
                                         const trygon_class_t *cls);

/* In which order calls of one caller run. */
enum trygon_order {
    TRYGON_ORDER_DEFAULT = 0, /* as made on regular actors, else any */
    TRYGON_ORDER_CALLS,       /* as made: a regular actor */
    TRYGON_ORDER_ANY          /* whose arguments are there goes first */
};

typedef struct trygon_actor_opts {
    size_t size;
    /* Nothing given (all of these as init leaves them): one CPU for the
     * constructor, nothing afterwards.  Anything given: it is held for life,
     * and num_cpus -1 then counts as 1 (Ray).  Methods need nothing. */
    double num_cpus;                    /* default -1 */
    double num_gpus;                    /* default 0 */
    uint64_t memory;                    /* default 0 */
    const trygon_resource_t *resources; /* default none */
    size_t nresources;
    int32_t strategy; /* enum trygon_strategy */
    int32_t node;     /* for TRYGON_STRATEGY_NODE */
    bool soft;
    bool fail_unschedulable;   /* as of tasks */
    int32_t max_restarts;      /* how often it is made again after its rank was
                                  lost or it was killed with no_restart false;
                                  -1: no limit; default 0 */
    int32_t max_task_retries;  /* how often a call is made again that was lost
                                  with the actor, or failed with one of its
                                  retry_codes; -1: no limit; default 0 */
    int32_t max_concurrency;   /* calls of the default group that may run at
                                  once, up to 32767; default 0: 1, or 1000 when
                                  the class is async */
    int32_t max_pending_calls; /* calls of one rank that may be outstanding: a
                                  further one is PENDING_LIMIT; default -1: no
                                  limit.  A rank that was given the handle
                                  knows the limit once the actor is there. */
    int32_t order;             /* enum trygon_order */
    const char *name;          /* default NULL: none.  Up to 63 bytes.  Free
                                  again when the actor has ended; if it was lost
                                  with its rank and is not detached, when the
                                  last handle is gone as well. */
    const char *name_space;    /* of the name; default NULL: the run's own */
    bool get_if_exists; /* an actor of that name and class is there: output a
                           weak handle of it and create none */
    bool detached;      /* lives without handles until it is killed or its
                           runtime ends, even when the rank that created it is
                           lost */
} trygon_actor_opts_t;

#define trygon_actor_opts_init(o_) \
    trygon_actor_opts_init_sized((o_), sizeof(*(o_)))
TRYGON_API int trygon_actor_opts_init_sized(trygon_actor_opts_t *opts,
                                            size_t size);

/* Create an actor: returns at once, or, when it has a name or is detached,
 * once rank 0 has agreed.  Its constructor is scheduled like a task; the
 * handle, of kind TRYGON_KIND_ACTOR, may be used from now on.  It is a
 * reference: count it with retain and release, wait for it (ready when the
 * constructor has returned or the actor has ended), and pass it on in the refs
 * of values.  It has no value, so trygon_get() and TRYGON_REF() refuse it with
 * INVALID.
 *
 * The actor ends, destructor included, when no handle is left and its calls
 * are done, when one of its methods called trygon_call_actor_exit(), or when
 * the rank that created it calls trygon_finalize().  It ends without destructor
 * when it is killed or the rank that created it is lost.  If its constructor
 * fails, or its rank is lost and no restart is left, it has ended as well.
 * Every call then fails with ACTOR_DIED, and the error's text says which it
 * was; behind it stands the constructor's error.
 *
 * A restart runs the constructor again with the same arguments: what state the
 * actor had is gone.  Meanwhile calls without retries fail with
 * ACTOR_UNAVAILABLE at once, others wait (Ray).
 *
 * Errors: NOTFOUND (no such class; a reference that this rank does not hold),
 * EXISTS (the name is taken; with get_if_exists: by an actor of another class,
 * or one that was lost and is held), INVALID (an option out of range: the log
 * names it; get_if_exists or name_space without a name; ORDER_CALLS when several calls may run at once), CANCELLED (the calling
 * task was cancelled while it waited for rank 0), NOMEM, SHUTDOWN.  In each
 * case no actor exists. */
TRYGON_API int trygon_actor_create(trygon_t *tg, const char *cls, size_t nargs,
                                   const trygon_value_t args[],
                                   const trygon_actor_opts_t *opts,
                                   trygon_ref_t *actor);

/* A weak handle of the actor of that name, with one count.  It serves for
 * everything that a handle does, but neither it nor calls through it keep the
 * actor alive (Ray: ray.get_actor); what is passed on of it is weak, too.
 * Errors: NOTFOUND (there is none, or no more), INVALID, and as
 * trygon_wait(). */
TRYGON_API int trygon_actor_find(trygon_t *tg, const char *name,
                                 const char *name_space, trygon_ref_t *actor);

#define TRYGON_AS_ACTOR INT32_MIN

typedef struct trygon_call_opts {
    size_t size;
    int32_t num_returns;        /* 0 to 65535; default 1 */
    const char *name;           /* for messages; NULL: "Class.method" */
    const char *group;          /* NULL: the method's */
    int32_t max_task_retries;   /* default TRYGON_AS_ACTOR */
    const int32_t *retry_codes; /* as of tasks, out of the same budget */
    size_t nretry_codes;
    int64_t backpressure; /* as of tasks */
} trygon_call_opts_t;

#define trygon_call_opts_init(o_) \
    trygon_call_opts_init_sized((o_), sizeof(*(o_)))
TRYGON_API int trygon_call_opts_init_sized(trygon_call_opts_t *opts,
                                           size_t size);

/* Call a method: returns at once with num_returns references in returns[].
 * Arguments as of trygon_submit().  Calls of one caller (a task, a method, or
 * what is outside of them on a rank) run in the order in which they were made,
 * one at a time; a later one waits for the arguments of an earlier one.  Calls
 * of different callers or groups have no order, nor has any when several may
 * run at once, nor one that is made again.  The call keeps the actor alive, and
 * runs to its end even when the rank of its caller is lost.
 *
 * trygon_cancel() of a result: not started, the call never runs; running,
 * trygon_call_cancelled() becomes true in it and what waits in it returns
 * CANCELLED; its results are CANCELLED whatever it returns (Ray), and it is not
 * made again.  A method that waits lends nothing to others.
 *
 * Errors: NOTFOUND (no such method or group; a reference, or the handle, that
 * this rank does not hold), INVALID (it is no actor; an option is out of
 * range), PENDING_LIMIT (max_pending_calls are outstanding: get some, then try
 * again), NOMEM, SHUTDOWN.  In each case there is no call.  That the actor has
 * ended is no error of this call but the value of its results: ACTOR_DIED. */
TRYGON_API int trygon_actor_call(trygon_t *tg, trygon_ref_t actor,
                                 const char *method, size_t nargs,
                                 const trygon_value_t args[],
                                 const trygon_call_opts_t *opts,
                                 trygon_ref_t returns[]);

/* Call a method that yields items (section 10): as trygon_submit_stream(). */
TRYGON_API int trygon_actor_call_stream(trygon_t *tg, trygon_ref_t actor,
                                        const char *method, size_t nargs,
                                        const trygon_value_t args[],
                                        const trygon_call_opts_t *opts,
                                        trygon_ref_t *stream);

/* End an actor now, from any rank that holds a handle (Ray: ray.kill).  What it
 * runs is asked to stop (trygon_call_cancelled()) and its results are dropped;
 * its calls fail with ACTOR_DIED; its destructor is not run.  Asynchronous:
 * calls made on another rank than the creator's may still run until it has
 * heard of it.  An actor that has ended stays as it is.  With no_restart false
 * it is made again if a restart is left: then only calls without retries fail,
 * with ACTOR_UNAVAILABLE.  What the old one still runs is dropped, but may run
 * beside the new one.
 * Errors: NOTFOUND (not held), INVALID (no actor). */
TRYGON_API int trygon_actor_kill(trygon_t *tg, trygon_ref_t actor,
                                 bool no_restart);

/* Inside a method: a weak handle of its actor, with one count.
 * Errors: INVALID (NULL), STATE (not inside a method). */
TRYGON_API int trygon_call_actor(trygon_call_t *call, trygon_ref_t *actor);

/* Inside a method: the actor ends when this method has returned, whose results
 * stand; calls that wait fail with ACTOR_DIED (Ray: ray.actor.exit_actor).
 * Errors: INVALID (NULL), STATE (not inside a method). */
TRYGON_API int trygon_call_actor_exit(trygon_call_t *call);

/* Ray's states, of which the first two are one: why a constructor waits is what
 * trygon_why() says. */
enum trygon_actor_state {
    TRYGON_ACTOR_PENDING = 1, /* its constructor is to come */
    TRYGON_ACTOR_ALIVE,
    TRYGON_ACTOR_RESTARTING,
    TRYGON_ACTOR_DEAD
};

typedef struct trygon_actor_info {
    trygon_ref_t actor; /* for trygon_ref_equal(); comes without a count */
    int32_t state;      /* enum trygon_actor_state */
    int32_t rank;       /* where it lives or has lived; -1: nowhere yet */
    int32_t owner;      /* the rank that looks after it */
    int32_t restarts;   /* so far */
    bool detached;
    char cls[64], name[64], name_space[64];
    char cause[128]; /* of death */
} trygon_actor_info_t;

/* The actors of all ranks: those that have not ended, and the last 1,000 that
 * have of each rank.  Fills at most capacity; *n is how many there are.  In no
 * order, and seen rank by rank, not at one moment.  Inside a task it waits as a
 * get does.  Errors: INVALID, CANCELLED, SHUTDOWN. */
TRYGON_API int trygon_actors(trygon_t *tg, size_t capacity,
                             trygon_actor_info_t actors[], size_t *n);

#ifdef __cplusplus
}
#endif
#endif
