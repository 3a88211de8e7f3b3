/* worker.h - what this rank executes for owners.
 *
 * Runs come with a lease.  The head opens leases here and only this rank
 * closes them, so it has the last word: a run for a lease that is not known
 * yet is held, for a closed one it is bounced.  A lease runs one task at a
 * time; when that one blocks, the next in its queue starts on the lent CPU,
 * and when nothing can, the CPU is lent to the head.  A blocked task resumes
 * at once when its answer comes.  Nothing unstarted stays behind a task that
 * blocks or overruns: it is bounced to its owner.  So is what waits for an
 * argument that nobody has a place for: it may have to be made again, with the
 * CPU of the lease, or by the actor before its other calls.
 */
#ifndef TG_CORE_WORKER_H
#define TG_CORE_WORKER_H

#include "core/objs.h"

enum tg_exec_state {
    TG_EXEC_FETCHING = 1, /* an argument's bytes are under way */
    TG_EXEC_QUEUED,
    TG_EXEC_RUNNING,
    TG_EXEC_BLOCKED /* in a call that waits */
};

enum tg_step { /* what of the user's is run */
               TG_STEP_TASK = 0,
               TG_STEP_CONSTRUCT, /* an actor */
               TG_STEP_METHOD,
               TG_STEP_DESTROY
};

enum tg_wactor_state {
    TG_WACTOR_ALIVE = 1,
    TG_WACTOR_LEAVING, /* no call starts any more; what runs is waited for */
    TG_WACTOR_DEAD     /* it only says why */
};

enum tg_wlease_state { TG_WLEASE_OPEN = 1, TG_WLEASE_CLOSING };

struct tg_exec { /* one execution; exec/ reads it while it runs */
    uint64_t self, task, number;
    int32_t owner, attempt, depth;
    uint8_t state; /* enum tg_exec_state */
    bool cancelled;
    bool orphan;      /* its owner is lost: nobody waits for the result */
    bool submitted;   /* has submitted tasks of its own */
    bool exits;       /* its actor is to end with it */
    bool in_turn;     /* of a call: all before it have been */
    uint8_t step;     /* enum tg_step */
    uint16_t creates; /* of a constructor: TG_CREATES() */
    uint8_t group;    /* of a call */
    uint64_t seq;     /* struct tg_msg_run */
    struct tg_wactor *actor;   /* of a call or a destructor, else NULL */
    struct tg_wcaller *caller; /* of a call that is not in turn */
    uint32_t fn, nreturns, nmissing;
    uint64_t limit; /* it yields items, so many ahead; 0: it does not */
    uint64_t yielded, taken; /* items; taken as far as its owner has told */
    uint64_t waiter;         /* of the call that waits; stale: none does */
    struct tg_items args;    /* references: with a hold and here, once QUEUED */
    char *name;
    uint64_t started_ns;
    uint64_t busy_ns;            /* run so far, without the time blocked */
    struct tg_wlease *lease;     /* NULL for an actor's methods and its end */
    struct tg_exec *prev, *next; /* in the lease's queue, or started; likewise
                                    of the actor */
};

struct tg_wlease { /* a lease, as its worker sees it */
    uint64_t id, self;
    int32_t owner, depth;
    uint8_t state; /* enum tg_wlease_state */
    bool lent;     /* the head has the CPUs */
    bool kept;     /* by an actor, until it ends */
    bool ran;      /* something has started under it */
    bool recalled; /* nothing had, and it is to be closed once it has */
    bool overrun_timed, lend_timed; /* a timer is set that looks again */
    struct tg_shape shape;
    uint32_t ncpus, ngpus;
    int32_t *ids;
    struct tg_exec *queue, *started;
    TG_VEC(struct tg_attempt) early; /* cancelled before their runs came */
    uint32_t nqueued, nrunning, nblocked;
    uint32_t bounces; /* sent so far */
    uint64_t blocked_since_ns, run_since_ns;
};

/* How many calls of each group of a class may run at once: 1 to n - 1.  That
 * of group 0 is the actor's own affair. */
struct tg_groups {
    uint32_t n;
    uint32_t limit[TG_GROUPS_MAX];
};

struct tg_wcaller;

struct tg_wgroup { /* calls of an actor that hold up no others */
    uint32_t limit, nstarted;
    struct tg_exec *queue; /* in turn */
};

struct tg_wactor {      /* an actor that lives here */
    uint64_t self, obj; /* obj: the owner's handle of it */
    void *state_of_user;
    void *loop; /* of whoever runs its methods */
    int32_t owner;
    uint32_t fn;    /* its class */
    uint8_t state;  /* enum tg_wactor_state */
    bool destroys;  /* its destructor is still to be run */
    bool forgotten; /* nobody will ask why it has ended */
    enum tg_leave why;
    int32_t restarts; /* before this one was made */
    uint32_t nstarted, ngroups;
    struct tg_wgroup *groups, one; /* ngroups, or &one */
    struct tg_wlease *lease;       /* kept for life; or NULL */
    struct tg_exec *started;
    struct tg_wcaller *callers;    /* a hash by rank and group */
    struct tg_wcaller *last;       /* who called last, or NULL */
    bool in_line;                  /* for its destructor */
    struct tg_wactor *prev, *next; /* there */
};

struct tg_cancelled { /* a running execution was asked to stop */
    uint64_t exec;
    bool recursive; /* and so is what it has submitted */
};

struct tg_worker {
    struct tg_ctx *ctx;
    struct tg_objs *objs;
    const struct tg_groups *const *groups; /* of classes, by function number;
                                              NULL: no class has any */
    struct tg_slab execs, leases, actors;
    struct tg_wactor *line; /* actors whose destructors wait for others */
    uint32_t ndestroys;     /* that run */
    struct tg_wlease_entry *by_id;
    struct tg_wlease *last; /* whose run came last; or NULL */
    struct tg_held *held;   /* messages whose lease is not open yet */
    uint64_t last_opened;   /* the highest lease number opened here */
    TG_VEC(struct tg_cancelled) cancelled; /* read by core.c, as are */
    TG_VEC(uint64_t) let_go;               /* waiters of yields that go on */
};

/* groups: outlive the worker */
void tg_worker_init(struct tg_worker *w, struct tg_ctx *ctx,
                    struct tg_objs *objs,
                    const struct tg_groups *const *groups);
void tg_worker_fini(struct tg_worker *w);

/* OPEN, RECALL, CLOSE, RUN, CANCEL, CALL, UNCALL, LEAVE, TAKEN */
void tg_worker_msg(struct tg_worker *w, int32_t from, struct tg_msg *m);
void tg_worker_notice(struct tg_worker *w, const struct tg_watch *n);
void tg_worker_timer(struct tg_worker *w, const struct tg_timer *t);
void tg_worker_args_timer(struct tg_worker *w, uint64_t exec);
void tg_worker_gone(struct tg_worker *w, int32_t rank);

/* User code: what exec/ reports.  unmet: this rank itself has tasks that wait
 * for a CPU, most likely those the execution blocks on, so lend at once. */
void tg_worker_blocked(struct tg_worker *w, struct tg_exec *e, bool unmet);
void tg_worker_unblocked(struct tg_worker *w, struct tg_exec *e);
/* The next item, whose references are held; taken over on success.  CANCELLED,
 * once it was asked to stop; STATE: it has no stream; RETURNS: too many. */
int tg_worker_yield(struct tg_worker *w, struct tg_exec *e, struct tg_val *val);
/* Must its yield wait, since nobody takes the items? */
static inline bool tg_exec_ahead(const struct tg_exec *e)
{
    return e->limit != 0 && e->yielded >= e->taken &&
           e->yielded - e->taken >= e->limit;
}
struct tg_outcome {
    int32_t code;
    struct tg_items returns; /* values with holds on their references; none
                                unless code is 0 */
    struct tg_val *error;    /* when code is not 0 */
    void *state;             /* what a constructor has made */
};
/* Takes over what out points to; the execution is gone afterwards. */
void tg_worker_done(struct tg_worker *w, struct tg_exec *e,
                    struct tg_outcome *out);
/* The actor ends with this execution of one of its methods.  False: it is not
 * one. */
bool tg_worker_exits(struct tg_exec *e);
struct tg_exec *tg_worker_exec(const struct tg_worker *w, uint64_t handle);

void tg_worker_check(const struct tg_worker *w);
bool tg_worker_quiet(const struct tg_worker *w);

#endif
