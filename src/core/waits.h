/* waits.h - blocked calls and wait sets of this rank.
 *
 * A waiter stands for one blocked call; it is done when what it waits for has
 * happened, its time is up or its execution was cancelled, and then its thread
 * is woken.  A wait set keeps its members watched all the time, so that taking
 * the next ready one costs the same however many wait.  Both hold the objects
 * that they watch.  In the stead of a stream they watch its head (streams.h).
 * A flag is what the interface calls an event.
 */
#ifndef TG_CORE_WAITS_H
#define TG_CORE_WAITS_H

#include "core/streams.h"

enum tg_wait_kind {
    TG_WAIT_ALL = 1, /* all n, or the first that failed */
    TG_WAIT_SOME,    /* `need` of n, failed ones count */
    TG_WAIT_SET,     /* the next of a set */
    TG_WAIT_TABLE,   /* the head's answer to a query */
    TG_WAIT_NEXT,    /* the next item of a stream */
    TG_WAIT_YIELD,   /* that items of the execution are taken */
    TG_WAIT_FLAG,    /* that a flag is set */
    TG_WAIT_SLEEP,   /* until its time is up */
    TG_WAIT_NAME,    /* the head's answer about a name */
    TG_WAIT_CREATE,  /* the head's rank's: it has created a detached actor */
    TG_WAIT_LIST,    /* what ranks know of something (enum tg_listed) */
    TG_WAIT_ROOM     /* memory for the blob `set` */
};

struct tg_wait_entry {
    struct tg_obj *obj;
    uint64_t watch;
};

struct tg_gather {        /* an answer of each rank */
    int32_t left;         /* still to come */
    bool *done;           /* nranks of them: it has answered, or is lost */
    struct tg_val **vals; /* NULL: none */
};

struct tg_waiter {
    uint64_t self;
    enum tg_wait_kind kind;
    bool done;
    int32_t rc;
    uint32_t n, nready, need;
    uint64_t exec; /* the execution that waits; 0: some other thread */
    uint64_t set;  /* or the flag */
    uint64_t deadline_ns;
    void *cookie; /* of whoever sleeps; goes into the WAKE action */
    struct tg_obj **pins;
    struct tg_wait_entry *entries; /* n, or &one */
    struct tg_wait_entry one;
    struct tg_row *rows; /* of a table */
    uint32_t nrows;
    struct tg_waiter *prev, *next; /* of a flag, until done */
    uint64_t ticket;               /* of a name */
    trygon_ref_t ref;              /* of an actor, with a count of the user's */
    struct tg_gather gather;       /* of a list */
};

struct tg_spec;

struct tg_wait_req {
    enum tg_wait_kind kind;
    uint32_t n, need;
    const trygon_ref_t *refs;
    struct tg_obj **pins; /* NULL or n, out: with a hold on each, which is the
                             caller's, once the wait has ended well */
    bool fetch;
    uint64_t set; /* or the flag */
    uint64_t exec;
    uint64_t deadline_ns; /* TG_NEVER: none */
    void *cookie;
    const struct tg_msg_list *list; /* LIST: what is asked; copied */
    const struct tg_msg_name *name; /* NAME: what is asked; copied */
    struct tg_spec *spec; /* CREATE: its arguments are taken over, once there
                             is a waiter */
};

struct tg_member;

struct tg_set {
    uint64_t self;
    struct tg_member *members; /* a hash by object */
    struct tg_member *ready;   /* in order of completion */
    uint64_t waiter;           /* who waits for the next; 0: nobody */
};

struct tg_flag { /* an event of the user's */
    bool set;
    struct tg_waiter *waiters; /* in order; none when it is set */
};

struct tg_waits {
    struct tg_ctx *ctx;
    struct tg_objs *objs;
    const struct tg_streams *streams;
    struct tg_slab waiters, sets, members, flags;
    TG_VEC(uint64_t) unblocked; /* executions that go on: read by core.c */
};

void tg_waits_init(struct tg_waits *w, struct tg_ctx *ctx, struct tg_objs *objs,
                   const struct tg_streams *streams);
void tg_waits_fini(struct tg_waits *w);

/* Start to wait; NULL when there is nothing to wait for any more. */
struct tg_waiter *tg_waits_begin(struct tg_waits *w,
                                 const struct tg_wait_req *req);
struct tg_waiter *tg_waits_find(const struct tg_waits *w, uint64_t handle);
/* The call has been woken (or gives up): forget its waiter. */
void tg_waits_end(struct tg_waits *w, uint64_t handle);

/* What a wait for this reference waits for. */
struct tg_obj *tg_waits_obj(const struct tg_waits *w, trygon_ref_t ref);
void tg_waits_notice(struct tg_waits *w, const struct tg_watch *n);
void tg_waits_timer(struct tg_waits *w, uint64_t handle);
void tg_waits_table(struct tg_waits *w, struct tg_msg_table *m);
/* False: nobody waits any more for what came. */
bool tg_waits_named(struct tg_waits *w, const struct tg_msg_named *m);
void tg_waits_rows(struct tg_waits *w, int32_t from, struct tg_msg_rows *m);
void tg_waits_gone(struct tg_waits *w, int32_t rank);
/* Who waits for room has got it, or never will. */
void tg_waits_granted(struct tg_waits *w, uint64_t handle, int32_t rc);
/* A yield waits no longer; handles of other waiters are none of it. */
void tg_waits_finish(struct tg_waits *w, uint64_t handle);
/* Its execution was cancelled: it ends with CANCELLED, unless it has. */
void tg_waits_cancel(struct tg_waits *w, uint64_t handle);

uint64_t tg_set_new(struct tg_waits *w);
/* Does a thread wait in it now? */
bool tg_set_awaited(const struct tg_waits *w, uint64_t set);
void tg_set_free(struct tg_waits *w, uint64_t set);
/* EXISTS when it is in the set already. */
int tg_set_add(struct tg_waits *w, uint64_t set, struct tg_obj *x,
               uint64_t tag);
int tg_set_remove(struct tg_waits *w, uint64_t set, trygon_ref_t ref);
/* Take the next ready one: NOTFOUND when the set is empty, TIMEOUT when none
 * is ready yet. */
int tg_set_take(struct tg_waits *w, uint64_t set, trygon_ref_t *ref,
                uint64_t *tag);

uint64_t tg_flag_new(struct tg_waits *w);
/* All who wait go on; or, cleared, whoever comes waits. */
void tg_flag_set(struct tg_waits *w, uint64_t flag, bool set);
/* STATE: some wait. */
int tg_flag_free(struct tg_waits *w, uint64_t flag);

void tg_waits_check(const struct tg_waits *w);
bool tg_waits_quiet(const struct tg_waits *w);

#endif
