/* owner.h - the tasks that this rank has submitted.
 *
 * A task is WAITING for arguments, READY in the queue of its class, SENT to a
 * worker under a lease, and then gone: its results are objects (objs.h).  A
 * class is what the head schedules: tasks of one shape and nesting depth.  The
 * owner tells the head its demand per class, receives leases, and sends runs
 * straight to their workers, several ahead when the function is short.
 *
 * Whatever happens to ranks, each task ends exactly once, with its value or an
 * error, after at most 1 + max_retries executions.  The retries of an actor's
 * constructor are the actor's restarts.
 *
 * A task that has ended with results in stores is KEPT while these are held and
 * retries are left (owner_lineage.c): if one is lost, it is run again.
 */
#ifndef TG_CORE_OWNER_H
#define TG_CORE_OWNER_H

#include "core/streams.h"

enum tg_task_state {
    TG_TASK_WAITING = 1,
    TG_TASK_READY,
    TG_TASK_SENT,
    TG_TASK_KEPT /* it is done and may be run again: a constructor, or a task
                    whose results are in stores */
};

enum tg_olease_state {
    TG_OLEASE_OPEN = 1, /* runs may be sent */
    TG_OLEASE_HELD,     /* its task blocks or overruns: not until a done */
    TG_OLEASE_CLOSING   /* the worker has closed it: only dones to come */
};

struct tg_create {        /* what makes a task the constructor of an actor */
    uint32_t concurrency; /* calls of the default group that may run at once */
    int32_t max_pending;  /* calls of one rank; -1: no limit */
    bool keeps;           /* its resources, until it ends */
    bool any_order;       /* whose arguments are there goes first */
    int32_t max_task_retries; /* of calls that say nothing of it; -1: any */
    bool detached;            /* lives without handles */
    struct tg_name name;      /* "": none */
    uint64_t ticket;          /* of the name, at the head */
};

/* max_retries of a call: as its actor says. */
enum { TG_AS_ACTOR = INT32_MIN };

/* The parent of what is run again, and of detached actors' constructors: whoever
 * submitted it may be over, and its end does not concern them. */
#define TG_NOBODY UINT64_MAX

struct tg_spec { /* what submit asks for; codes and name are taken over */
    uint32_t fn, nargs, nreturns, ncodes;
    trygon_ref_t actor;             /* whose method it is; none: a task */
    uint8_t group;                  /* and in which of its groups */
    const struct tg_create *create; /* NULL: no constructor */
    struct tg_item *args; /* values, which are taken out of it, or references
                             without weight; the array stays the caller's */
    const struct tg_shape *shape;
    int32_t max_retries;
    int32_t depth;
    int32_t *codes;  /* user codes to retry; ncodes UINT32_MAX: any */
    uint64_t parent; /* the execution that submits; 0: the driver */
    char *name;
    uint64_t limit; /* it yields items, so many ahead; 0: it returns values */
};

struct tg_arg { /* with a hold on obj, or on what val contains */
    struct tg_val *val;
    struct tg_obj *obj; /* by reference: val is NULL */
};

struct tg_task_extra { /* what few tasks have */
    uint32_t ncodes;
    int32_t *codes;
    char *name;
    uint64_t stream;
    int32_t retries;    /* of a call: how many, or TG_AS_ACTOR */
    trygon_ref_t actor; /* of a call that is KEPT */
};

struct tg_task { /* 112 bytes: there may be millions in a queue */
    uint64_t self, number, parent;
    uint8_t state : 3;   /* enum tg_task_state */
    uint8_t group : 4;   /* of a call */
    uint8_t refills : 1; /* KEPT, or run again, for items it has yielded */
    bool cancelled : 1;
    bool by_ref : 1;  /* an argument is a reference */
    bool call : 1;    /* of an actor's method */
    bool creates : 1; /* it is the constructor of an actor, its result */
    bool yields : 1;  /* to a stream; its one result says that it is over */
    bool lost : 1;  /* a call went down with its actor and is not made again */
    bool weak : 1;  /* a call through a weak handle */
    bool again : 1; /* its results were ready once */
    uint16_t nreturns;
    int32_t attempt;
    union {
        int32_t retries_left; /* -1: no limit */
        int32_t depth;        /* of a call */
    };
    uint32_t fn, nargs;
    union {
        uint32_t nwait;
        uint32_t nleft; /* of a KEPT one: results that are left */
    };
    union { /* one argument is here, more or none elsewhere: tg_task_args() */
        struct tg_arg arg1, *args;
    };
    union {                                /* likewise: tg_task_results() */
        struct tg_obj *result1, **results; /* each with a hold */
    };
    struct tg_task_extra *extra; /* or NULL */
    union {
        struct tg_class *cls;
        struct tg_actor *actor; /* of a call */
    };
    union {
        struct tg_olease *lease;
        uint64_t seq; /* of a call that was sent */
    };
    struct tg_task *prev, *next; /* class queue, or lease's inflight; likewise
                                    of an actor; or the lineage */
};

static inline struct tg_arg *tg_task_args(const struct tg_task *t)
{
    return t->nargs == 1 ? (struct tg_arg *)(uintptr_t)&t->arg1 : t->args;
}

static inline struct tg_obj **tg_task_results(const struct tg_task *t)
{
    return t->nreturns == 1 ? (struct tg_obj **)(uintptr_t)&t->result1
                            : t->results;
}

struct tg_olease { /* a lease, as its owner sees it */
    uint64_t id;
    int32_t worker;
    uint8_t state; /* enum tg_olease_state */
    bool has_room; /* in cls->room, else in cls->full */
    bool timed;    /* a timer is set that looks whether it lingers */
    uint64_t idle_since_ns;
    struct tg_class *cls;
    struct tg_task *inflight;
    uint32_t ninflight;
    uint32_t bounces; /* so far */
    struct tg_olease *prev, *next;
};

struct tg_class;
struct tg_actor;

enum { TG_DEAD_MAX = 1000 }; /* actors that have ended, which are remembered */

enum { /* enum trygon_actor_state, in a header above us */
       TG_ROW_PENDING = 1,
       TG_ROW_ALIVE,
       TG_ROW_RESTARTING,
       TG_ROW_DEAD
};

struct tg_dead {
    trygon_ref_t ref;
    int32_t where, restarts;
    bool detached;
    char *text; /* name, namespace, cause, each with its NUL */
};

struct tg_actor_row { /* an actor, for listing */
    trygon_ref_t ref;
    int32_t state, rank, restarts; /* as in struct trygon_actor_info */
    bool detached;
    const char *name, *space, *cause; /* within the value that it came in */
};

struct tg_owner {
    struct tg_ctx *ctx;
    struct tg_objs *objs;
    struct tg_streams *streams;
    struct tg_slab tasks, classes;
    struct tg_class *by_shape; /* hashes */
    struct tg_olease_entry *leases;
    struct tg_class *last;       /* of the last submit, or NULL */
    struct tg_actor *actors;     /* called or created here: a hash by handle */
    struct tg_actor *called;     /* the last one, or NULL */
    uint64_t ncallers;           /* so far: orders of calls that began here */
    TG_VEC(struct tg_dead) dead; /* actors of ours, up to TG_DEAD_MAX */
    uint32_t dead_at;            /* the oldest of them, once they are so many */
    bool over;                   /* the end of the run: actors end as well */
    uint64_t *mean_ns;           /* running mean of each function */
    uint32_t nfns;
    const char *const *fn_names;
    uint64_t submitted;      /* so far */
    struct tg_task *lineage; /* those that may be run again, oldest first */
    uint64_t lineage_bytes;
    uint32_t nagain; /* tasks whose results were ready once */
    uint32_t nroots; /* tasks without a parent: of the driver itself */
    uint32_t nready; /* tasks that wait for a lease */
};

void tg_owner_init(struct tg_owner *w, struct tg_ctx *ctx, struct tg_objs *objs,
                   struct tg_streams *streams, const char *const *fn_names,
                   uint32_t nfns);
void tg_owner_fini(struct tg_owner *w);

/* Takes over what spec says.  Outputs one reference a return, or that of the
 * stream, each with one hold for the user. */
void tg_owner_submit(struct tg_owner *w, struct tg_spec *spec,
                     trygon_ref_t *refs);
/* Cancel the task behind an object of ours, or behind a stream; false: it has
 * ended or is a put. */
bool tg_owner_cancel(struct tg_owner *w, struct tg_obj *x, bool recursive);
/* Cancel what an execution (0: the driver) has submitted. */
void tg_owner_cancel_children(struct tg_owner *w, uint64_t parent);

/* Cancel everything: the end of the run. */
void tg_owner_cancel_all(struct tg_owner *w);

/* May one more call of the actor be pending? */
bool tg_owner_may_call(const struct tg_owner *w, trygon_ref_t actor);
/* End an actor that was created here.  Its calls fail, unless it is made again:
 * not for good, and a restart is left. */
void tg_owner_kill(struct tg_owner *w, struct tg_obj *x, bool for_good);
/* The last trace of a handle has gone from this rank. */
void tg_owner_left(struct tg_owner *w, trygon_ref_t actor);
/* A result that could be made again is wanted, or has ended. */
void tg_owner_fate(struct tg_owner *w, const struct tg_fate *f);
/* TG_WATCHER_ACTOR */
void tg_owner_located(struct tg_owner *w, struct tg_obj *x);
/* A rank watches a weak handle of an actor of ours that is no more. */
void tg_owner_tell_gone(struct tg_owner *w, int32_t rank, trygon_ref_t ref);
/* A value that lists our actors, and those that have ended. */
struct tg_val *tg_owner_rows(const struct tg_owner *w);
/* The row that begins at *at (0 at first), which moves on; false: there is no
 * more, or the value is none of these. */
bool tg_rows_next(const struct tg_val *v, uint64_t *at,
                  struct tg_actor_row *row);

void tg_owner_notice(struct tg_owner *w, const struct tg_watch *n);
/* The user has taken an item of the stream, or closed it. */
void tg_owner_taken(struct tg_owner *w, struct tg_stream *s);
/* LEASE, REFUSE, DONE, BOUNCE, LEFT, ITEM, LOCATE, PLACE */
void tg_owner_msg(struct tg_owner *w, int32_t from, struct tg_msg *m);
void tg_owner_gone(struct tg_owner *w, int32_t rank);
void tg_owner_timer(struct tg_owner *w, uint64_t handle);
/* Give idle leases back at once (the end of the run is near). */
void tg_owner_hurry(struct tg_owner *w);

void tg_owner_check(const struct tg_owner *w);
bool tg_owner_quiet(const struct tg_owner *w);
/* A line for each class that has waiting tasks. */
void tg_owner_why(const struct tg_owner *w, void (*line)(void *, const char *),
                  void *arg);

#endif
