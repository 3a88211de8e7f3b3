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
    uint32_t nready, ntasks; /* ntasks: READY or SENT */
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
    int32_t where; /* its rank; -1: not known yet */
    uint64_t handle;
    uint64_t seq; /* of the next call; above TG_SEQ_BITS: of the order */
    bool keeps;
    bool watched[2]; /* its handles are */
    bool pumping;
    bool mixed;               /* the queue has calls of several callers */
    bool parted;              /* its worker need not be told any more */
    bool ours;                /* we own it, and its strong handle is there */
    bool ended;               /* at its owner: it is among the dead */
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
void tg_task_fill(const struct tg_task *t, struct tg_items *items);

/* The actors (owner_actor.c). */
/* A constructor is submitted, whose result is x. */
void tg_actor_new(struct tg_owner *w, struct tg_obj *x,
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
void tg_actors_check(const struct tg_owner *w);
void tg_actors_why(const struct tg_owner *w, void (*line)(void *, const char *),
                   void *arg);

/* At the owner: */
struct tg_actor *tg_actor_find(const struct tg_owner *w, trygon_ref_t ref);
struct tg_val *tg_actor_died(const struct tg_owner *w, trygon_ref_t ref,
                             int32_t rank, const char *why);

/* Their names and their ends, at the owner (owner_name.c). */
/* A new one has a name or is detached: the head is told. */
void tg_actor_agreed(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x,
                     const struct tg_create *create);
/* It has ended, whose handle is x; crashed: with its rank. */
void tg_actor_ended(struct tg_owner *w, struct tg_actor *a, struct tg_obj *x,
                    bool crashed, const char *cause);
/* Its last handle is gone. */
void tg_actor_forgotten(struct tg_owner *w, struct tg_actor *a);
const char *tg_actor_name(const struct tg_actor *a); /* or "" */
void tg_actors_dead_fini(struct tg_owner *w);

/* Tasks that yield (owner_stream.c). */
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
/* End it with an error, which is taken over. */
void tg_task_end_yielding(struct tg_owner *w, struct tg_task *t, int32_t code,
                          struct tg_val *error);

/* The task side (owner.c). */
void tg_owner_on_done(struct tg_owner *w, int32_t from, struct tg_msg_done *m);
void tg_task_cancel(struct tg_owner *w, struct tg_task *t, bool recursive);
void tg_task_end(struct tg_owner *w, struct tg_task *t, struct tg_val *error);
/* End it if one of its arguments has failed (meanwhile). */
bool tg_task_spoilt(struct tg_owner *w, struct tg_task *t);
/* Its rank is lost, or it failed with a code that is retried. */
void tg_task_again(struct tg_owner *w, struct tg_task *t,
                   struct tg_val *otherwise);

#endif
