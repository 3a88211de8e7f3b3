/* owner_impl.h - what owner.c and owner_lease.c share; for no other file. */
#ifndef TG_CORE_OWNER_IMPL_H
#define TG_CORE_OWNER_IMPL_H

#include "core/map.h"
#include "core/owner.h"

struct tg_class_key { /* all bytes count: make it from zeroed memory */
    struct tg_shape shape;
    int32_t depth;
    bool keeps; /* constructors of actors that keep their leases */
};

struct tg_class {
    struct tg_class_key key;
    uint64_t self;
    struct tg_task *queue;   /* READY, oldest first */
    uint32_t nready, ntasks; /* ntasks: all, KEPT ones too */
    struct tg_olease *room, *full;
    struct tg_olease *leaving;    /* one too many: it goes when it is idle */
    uint32_t nleases, nopen;      /* nopen: in state OPEN */
    uint32_t received;            /* leases so far */
    uint32_t told, told_received; /* the last demand sent */
    char reason
        [TG_REASON_MAX]; /* why it cannot run; "": it can, as far as we know */
    UT_hash_handle hh;
};

struct tg_olease_entry {
    struct tg_olease l;
    UT_hash_handle hh;
};

enum tg_actor_state {
    TG_ACTOR_ALIVE = 1,  /* as far as is known; calls go to `where` */
    TG_ACTOR_ASKED,      /* not there any more; its owner will say more */
    TG_ACTOR_RESTARTING, /* it is being made again */
};

/* An actor as this rank knows it: as one that calls it, or as its owner. */
struct tg_actor {
    trygon_ref_t ref;             /* the strong handle */
    struct tg_obj *obj[2];        /* it, and the weak one: each while calls
                                     through it hold it */
    uint32_t nby[2];              /* calls through each */
    struct tg_task *queue, *sent; /* calls, in order */
    uint32_t ncalls;              /* in both */
    uint32_t concurrency;
    int32_t max_pending;
    int32_t where; /* its rank; -1: not known */
    uint64_t handle;
    uint64_t seq[TG_GROUPS_MAX]; /* of the next call in each group; above
                                    TG_SEQ_BITS: of the order */
    uint8_t state;               /* enum tg_actor_state */
    int32_t incarnation;    /* restarts before the one that is, or is made */
    int32_t max_retries;    /* of calls that say nothing of it; -1: any */
    uint64_t task;          /* its constructor's, at its owner; stale: over */
    TG_VEC(int32_t) askers; /* ranks that wait for its next place, likewise */
    bool restartable;
    bool keeps;
    bool any_order;
    bool watched[2]; /* its handles are */
    bool pumping;
    bool mixed;  /* the queue has calls of several callers or groups */
    bool parted; /* its worker need not be told any more */
    bool ours;   /* we own it, and its strong handle is there */
    bool ended;  /* at its owner: it is among the dead */
    struct tg_agreed *agreed; /* at its owner: what the head knows; or NULL */
    UT_hash_handle hh;
};

struct tg_agreed {
    struct tg_name name; /* "": none */
    uint64_t ticket;     /* 0: it has none, or it is free again */
    bool detached;       /* until it ends, we hold it */
};

enum { TG_SEQ_BITS = 40 };

void tg_task_set_state(struct tg_task *t, enum tg_task_state to);
/* It is done and KEPT, and nobody's child any more. */
void tg_task_keep(struct tg_owner *w, struct tg_task *t);
const char *tg_task_name(const struct tg_owner *w, const struct tg_task *t);

/* The queue side (owner_lease.c). */
void tg_class_enqueue(struct tg_owner *w, struct tg_task *t, bool front);
void tg_class_dequeue(struct tg_owner *w, struct tg_task *t);
void tg_class_settle(struct tg_owner *w, struct tg_class *c);
/* Leases beyond those at hand that would speed the class up. */
uint32_t tg_class_wanted(const struct tg_owner *w, const struct tg_class *c);
/* Then its caller ends the task or tries it again, which tells the head.
 * bounces: of the lease, when the worker said so. */
void tg_lease_done(struct tg_owner *w, struct tg_task *t, uint64_t ran_ns,
                   uint32_t bounces);
/* The same of a done that is kept: the task stays sent. */
void tg_lease_heard(struct tg_owner *w, struct tg_task *t, uint32_t bounces);
void tg_owner_on_lease(struct tg_owner *w, const struct tg_msg_lease *m);
void tg_owner_on_refuse(struct tg_owner *w, const struct tg_msg_refuse *m);
void tg_owner_on_bounce(struct tg_owner *w, int32_t from,
                        const struct tg_msg_bounce *m);

/* A constructor is done: the lease is the actor's. */
void tg_lease_kept(struct tg_owner *w, struct tg_task *t, uint64_t ran_ns);
/* What both a RUN and a CALL say of it: all but lease, depth, group and seq. */
void tg_task_fill(const struct tg_owner *w, const struct tg_task *t,
                  struct tg_msg_run *r);

/* Where its large arguments are, if it has any (owner_near.c). */
bool tg_task_large(const struct tg_task *t);
/* Their bytes on the node of rank. */
uint64_t tg_task_near(const struct tg_owner *w, const struct tg_task *t,
                      int32_t rank);
/* The ranks with most of them, those first; returns how many. */
int32_t tg_task_prefer(const struct tg_owner *w, const struct tg_task *t,
                       int32_t out[TG_PREFER_MAX]);

/* The actors (owner_actor.c). */
struct tg_actor *tg_actor_find(const struct tg_owner *w, trygon_ref_t ref);
/* A new order of calls begins. */
void tg_actor_order(struct tg_owner *w, struct tg_actor *a);
/* A constructor is submitted. */
void tg_actor_new(struct tg_owner *w, const struct tg_task *t,
                  const struct tg_create *create);
/* What the constructor's run says of the actor. */
void tg_actor_run(const struct tg_owner *w, const struct tg_task *t,
                  struct tg_msg_run *r);
/* It has returned: its handle's value is put in the item's place.  False, if
 * the actor was ended meanwhile. */
bool tg_actor_born(struct tg_owner *w, struct tg_task *t, int32_t from,
                   struct tg_item *it);
/* The error of the handle (NULL: it has one) because of its constructor's,
 * which is taken over. */
struct tg_val *tg_actor_failed(struct tg_owner *w, struct tg_task *t,
                               struct tg_val *error);
/* A handle of it that is here, or NULL; one that a call holds, if there is a
 * call, and rather the counted one. */
struct tg_obj *tg_actor_handle(const struct tg_owner *w,
                               const struct tg_actor *a);
/* It has ended, with this error (taken over), as its handles now say. */
void tg_actor_fail(struct tg_owner *w, const struct tg_actor *a,
                   struct tg_val *error);
/* The same, and at its owner nothing is kept for it any more. */
void tg_actor_over(struct tg_owner *w, struct tg_actor *a, int32_t rank,
                   const char *why);
struct tg_val *tg_actor_died(const struct tg_owner *w, const struct tg_actor *a,
                             int32_t rank, const char *why);
/* What a handle's value says.  False: it is none that an owner makes. */
bool tg_actor_at(struct tg_owner *w, struct tg_actor *a,
                 const struct tg_val *place);
/* Calls that may leave do, and those of an actor that has ended end. */
void tg_actor_pump(struct tg_owner *w, struct tg_actor *a);
void tg_actor_leave(struct tg_owner *w, const struct tg_actor *a,
                    enum tg_leave why);
/* The error of its calls when its handle has failed. */
struct tg_val *tg_actor_call_error(const struct tg_owner *w,
                                   const struct tg_obj *x);
/* Must one wait for the other? */
bool tg_calls_in_line(const struct tg_task *a, const struct tg_task *b);
/* A call is in its actor's queue from submit to its end. */
void tg_call_enter(struct tg_owner *w, struct tg_task *t, trygon_ref_t actor);
void tg_call_leave(struct tg_owner *w, struct tg_task *t);
void tg_call_ready(struct tg_owner *w, struct tg_task *t);
void tg_call_cancel(struct tg_owner *w, struct tg_task *t, bool recursive);
void tg_actor_on_left(struct tg_owner *w, int32_t from,
                      const struct tg_msg_leave *m);
void tg_actors_gone(struct tg_owner *w, int32_t rank);
void tg_actors_end(struct tg_owner *w);
void tg_actors_fini(struct tg_owner *w);
void tg_actors_why(const struct tg_owner *w, void (*line)(void *, const char *),
                   void *arg);

/* Their names and their ends, at the owner (owner_name.c). */
/* A new one has a name or is detached: the head is told. */
void tg_actor_agreed(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x,
                     const struct tg_create *create);
/* It has ended, as its handle says; crashed: with its rank. */
void tg_actor_ended(struct tg_owner *w, struct tg_actor *a, bool crashed,
                    const char *cause);
/* Of one that is no more: how it ended. */
struct tg_val *tg_actor_epitaph(const struct tg_owner *w, trygon_ref_t ref);
/* Its last handle is gone. */
void tg_actor_forgotten(struct tg_owner *w, struct tg_actor *a);
const char *tg_actor_name(const struct tg_actor *a); /* or "" */
void tg_actors_dead_fini(struct tg_owner *w);

/* Actors and calls that are made again (owner_restart.c). */
void tg_actor_set_state(struct tg_actor *a, enum tg_actor_state to);
/* Its constructor has succeeded: place is the handle's value (taken out). */
void tg_actor_alive(struct tg_owner *w, struct tg_task *t,
                    struct tg_val **place);
/* Was it killed while this run of its constructor was under way? */
bool tg_actor_stale(const struct tg_owner *w, const struct tg_task *t);
/* It was killed, but not for good.  False: no restart is left. */
bool tg_actor_restart(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x);
/* It is alive no more where it was.  True: it has ended. */
bool tg_actor_lost(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x,
                   const char *why);
/* It has ended: its constructor need not be kept, and nobody wait for it. */
void tg_actor_unkeep(struct tg_owner *w, struct tg_actor *a);
/* What was sent is in the queue again. */
void tg_calls_back(struct tg_owner *w, struct tg_actor *a);
/* Is a retry of a task left, of a call, or a restart of a constructor? */
bool tg_task_may_again(const struct tg_owner *w, const struct tg_task *t);
/* It will be run again: as which attempt. */
void tg_actor_renumber(const struct tg_owner *w, struct tg_task *t);
/* Make a call or a constructor again that was sent, and may be. */
void tg_task_remake(struct tg_owner *w, struct tg_task *t);
/* It can leave, but its actor is being made: it waits, or ends. */
void tg_call_waits(struct tg_owner *w, struct tg_task *t);
/* A call came back, since nobody has a place for its arguments. */
void tg_call_stalled(struct tg_owner *w, struct tg_task *t);
/* A call found no actor where it went. */
void tg_call_missed(struct tg_owner *w, struct tg_task *t);
void tg_actor_on_locate(struct tg_owner *w, int32_t from,
                        const struct tg_msg_locate *m);
void tg_actor_on_place(struct tg_owner *w, const struct tg_msg_value *m);
void tg_actor_check(const struct tg_owner *w, const struct tg_actor *a);

/* Cancelled tasks (owner_cancel.c). */
void tg_task_cancel(struct tg_owner *w, struct tg_task *t, bool recursive);
/* Ask its worker to stop a task that was sent.  False: it had not left, and is
 * off its lease. */
bool tg_task_stop(struct tg_owner *w, struct tg_task *t, bool recursive);
/* What it ends with. */
struct tg_val *tg_task_cancelled(const struct tg_owner *w,
                                 const struct tg_task *t);

/* Results that are lost are made again (owner_lineage.c). */
/* Its results are resolved: keep it, if it may be run again; false: it ends. */
bool tg_lineage_keep(struct tg_owner *w, struct tg_task *t);
/* Why it is not kept, as it ends. */
enum tg_unmade tg_lineage_unmade(const struct tg_owner *w,
                                 const struct tg_task *t);
/* It will not be run again. */
void tg_lineage_drop(struct tg_owner *w, struct tg_task *t, enum tg_unmade why);
/* Its worker hears of no place of its arguments: they may be lost. */
void tg_task_doubt(struct tg_owner *w, struct tg_task *t);
/* Does a value of its n-th result come too late, or for nobody? */
bool tg_result_unwanted(const struct tg_task *t, uint32_t n);
void tg_lineage_check(const struct tg_owner *w);

/* Items that are lost are made again (owner_refill.c). */
static inline bool tg_task_has_stream(const struct tg_task *t)
{
    return t->extra != NULL && t->extra->stream != 0;
}
/* Is x what the task has yielded, and not its result? */
bool tg_is_item(const struct tg_task *t, const struct tg_obj *x);
/* It is done: is it worth keeping for its items?  Then its stream ends. */
bool tg_refill_keep(struct tg_owner *w, struct tg_task *t);
/* It is run again. */
void tg_refill_begin(struct tg_owner *w, const struct tg_task *t);
/* One that was lost while it ran is wanted: once more, then. */
void tg_refill_look(struct tg_owner *w, const struct tg_task *t);
/* It is not run again: items that wait for it have this error, or are lost. */
void tg_refill_over(struct tg_owner *w, const struct tg_task *t,
                    struct tg_val *error, enum tg_unmade why);
/* One has ended, or is read no more: is nothing left? */
bool tg_refill_left(struct tg_owner *w, const struct tg_task *t);
void tg_refill_check(const struct tg_owner *w, const struct tg_task *t);

/* Tasks and calls that yield (owner_stream.c). */
/* What a run says of it: 0 if it does not yield. */
uint64_t tg_task_limit(const struct tg_owner *w, const struct tg_task *t);
struct tg_stream *tg_task_stream(const struct tg_owner *w,
                                 const struct tg_task *t);
void tg_owner_on_item(struct tg_owner *w, int32_t from, struct tg_msg_item *m);
/* Keep a done that came before all items of its attempt; false: they are all
 * there. */
bool tg_task_keep_last(struct tg_owner *w, struct tg_task *t,
                       struct tg_msg_done *m);
/* If that is so by now, the task ends, or is tried again: true. */
bool tg_task_settle_last(struct tg_owner *w, struct tg_task *t,
                         struct tg_stream *s);
/* An item is lost that somebody waits for: the task is to reach its end, to be
 * run again for it. */
void tg_stream_hurry(struct tg_owner *w, const struct tg_task *t);
/* End it with an error, which is taken over. */
void tg_task_end_yielding(struct tg_owner *w, struct tg_task *t, int32_t code,
                          struct tg_val *error);

/* The task side (owner.c). */
/* Where a task is that was sent. */
int32_t tg_task_where(const struct tg_task *t);
void tg_owner_on_done(struct tg_owner *w, int32_t from, struct tg_msg_done *m);
void tg_task_end(struct tg_owner *w, struct tg_task *t, struct tg_val *error);
/* It fails with an argument that has failed, waits for those that are not ready,
 * or goes on at once. */
void tg_task_wait(struct tg_owner *w, struct tg_task *t);
/* The same of a task that is READY, if an argument has failed or is lost since;
 * false: it may go. */
bool tg_task_stalled(struct tg_owner *w, struct tg_task *t);
/* Its arguments are not needed any more. */
void tg_task_drop_args(struct tg_owner *w, struct tg_task *t);
void tg_task_free(struct tg_owner *w, struct tg_task *t);
/* Its rank is lost, or it failed with a code that is retried. */
void tg_task_again(struct tg_owner *w, struct tg_task *t,
                   struct tg_val *otherwise);

#endif
