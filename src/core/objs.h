/* objs.h - the objects a rank knows: its own, and copies of others'.
 *
 * Life.  An entry has a count: every hold that this rank has on the reference
 * (the user's, a task's argument, an execution's, a lent view, a value that
 * contains it).  Between ranks references are weighted: the owner adds fresh
 * weight to what is `out` for each copy that it sends, a holder passes on a
 * part of its own, and dropping an entry sends its weight home.  An owned
 * object dies when its count and the weight outside are both zero, so no
 * message needs an answer and none can come too early.  A holder whose weight
 * is 1 asks for more and delays only the message that needs it.
 *
 * Readiness.  PENDING -> READY or FAILED.  Whatever depends on that is a watch;
 * watches that fire become notices, which core.c hands to the part that set
 * them.
 *
 * Lineage.  A result whose task may be run again (owner_lineage.c) goes back to
 * PENDING when its value is lost, or when only such tasks would still need it,
 * and is dormant: nobody makes it until somebody waits for it.  Its owner's
 * tasks hear of that, and of its end (struct tg_fate).
 *
 * Weight that went down with a lost rank never comes home: the owner keeps
 * such an object to the end of the run (tg_objs_left tells how many).
 *
 * A weak handle of an actor is a copy without weight, on its owner's rank too:
 * it travels as any reference does, and its owner knows nothing of it.
 */
#ifndef TG_CORE_OBJS_H
#define TG_CORE_OBJS_H

#include "base/slab.h"
#include "core/store.h"

enum tg_obj_state { TG_OBJ_PENDING = 1, TG_OBJ_READY, TG_OBJ_FAILED };

/* Why a result is not made again when it is lost. */
enum tg_unmade {
    TG_UNMADE_NONE, /* it is no task's, or of one that is never run again */
    TG_UNMADE_RETRIES,
    TG_UNMADE_CANCELLED,
    TG_UNMADE_EVICTED,
    TG_UNMADE_ACTOR,
    TG_UNMADE_ARGS
};

struct tg_fate { /* of a result whose task may be run again */
    uint64_t task;
    bool wanted; /* it is to be made; else it has ended */
};

enum tg_watcher {
    TG_WATCHER_TASK = 1, /* an argument of our own task */
    TG_WATCHER_EXEC,     /* an argument of an execution here */
    TG_WATCHER_WAIT,     /* a blocked call */
    TG_WATCHER_SET,      /* a member of a wait set */
    TG_WATCHER_RANK,     /* a holder elsewhere (handle: its rank) */
    TG_WATCHER_ACTOR,    /* an actor's calls from here: where is it? */
    TG_WATCHER_CALL      /* a completion callback */
};

struct tg_watch {
    uint8_t who; /* enum tg_watcher */
    bool fetch;  /* wants the bytes here */
    bool weak;   /* of a rank: it has a weak handle */
    union {
        uint64_t handle; /* of the task, execution, waiter; or the rank */
        void *cookie;    /* of a callback */
    };
    uint64_t self;
    struct tg_obj *obj;
    struct tg_watch *prev, *next;
};

struct tg_parked; /* a message that waits for weight */

struct tg_obj { /* 64 bytes: there are as many as results outstanding */
    trygon_ref_t ref;
    uint8_t state; /* enum tg_obj_state */
    bool owned;
    bool seen : 1;        /* its error reached somebody */
    bool asked_ready : 1; /* borrowed: a watch is on its way */
    bool asked_fetch : 1; /* owned: its store is lost, the head looks for a
                             copy */
    bool asked_more : 1;
    bool idle : 1;      /* borrowed: count 0, kept for a moment; owned: held
                           by other ranks only, and the head knows */
    bool fading : 1;    /* borrowed: not to be kept; owned: was freed */
    bool dormant : 1;   /* PENDING, and made when somebody waits for it */
    uint8_t unmade;     /* owned: enum tg_unmade, once its task is over */
    uint32_t lineage;   /* owned: tasks that would need it to be run again */
    uint32_t count;     /* holds of this rank, the user's included */
    uint32_t user;      /* the user's */
    uint64_t weight;    /* owned: outside; borrowed: ours */
    uint64_t task;      /* owned: that computes it, or may again; 0: none */
    struct tg_val *val; /* READY or FAILED and here; else NULL */
    struct tg_watch *watches;
};

struct tg_objs {
    struct tg_ctx *ctx;
    struct tg_store *store;        /* NULL: no value is stored */
    struct tg_slab owned;          /* struct tg_obj */
    struct tg_slab watches;        /* struct tg_watch */
    struct tg_slab copies;         /* struct tg_copy: others' objects */
    struct tg_copy *by_ref;        /* the same, a hash by reference */
    struct tg_parked *parked;      /* messages that wait for weight */
    TG_VEC(struct tg_watch) fired; /* notices, in order */
    uint32_t fired_at;
    TG_VEC(struct tg_weighted) drops; /* sent at the end of the step */
    TG_VEC(struct tg_val *) buried;   /* values of objects that have ended */
    struct tg_freed *freed; /* values freed or lost, but perhaps lent */
    TG_VEC(trygon_ref_t)
    left;                         /* actors' handles that have ended: read
                                         by core.c */
    TG_VEC(struct tg_fate) fates; /* likewise */
    bool burying;
    uint64_t user_counts; /* counts that user code holds */
};

void tg_objs_init(struct tg_objs *o, struct tg_ctx *ctx);
void tg_objs_fini(struct tg_objs *o);

/* ----- entries and holds ------------------------------------------------ */

/* A new object of ours with one hold: PENDING for a task, or a put's value. */
struct tg_obj *tg_objs_new(struct tg_objs *o, uint64_t task, uint32_t index);
struct tg_obj *tg_objs_find(const struct tg_objs *o, trygon_ref_t ref);
/* The same of one that must be there. */
static inline struct tg_obj *tg_objs_get(const struct tg_objs *o,
                                         trygon_ref_t ref)
{
    return tg_ref_rank(ref) == o->ctx->rank && !tg_ref_weak(ref)
               ? tg_slab_get(&o->owned, ref.lo)
               : tg_objs_find(o, ref);
}

static inline void tg_objs_hold(struct tg_objs *o, struct tg_obj *x)
{
    (void)o;
    x->count++;
    x->idle = false;
}

/* A hold of ours is the user's from now on. */
static inline void tg_objs_give(struct tg_objs *o, struct tg_obj *x)
{
    x->user++;
    o->user_counts++;
}

void tg_objs_drop(struct tg_objs *o, struct tg_obj *x);
/* The entry of a weak handle, which this rank may not have known: with one
 * hold more. */
struct tg_obj *tg_objs_weak(struct tg_objs *o, trygon_ref_t ref);
/* One hold of each reference in a value; the entries must exist. */
void tg_objs_hold_refs(struct tg_objs *o, const struct tg_val *v);
void tg_objs_drop_refs(struct tg_objs *o, const struct tg_val *v);

/* Its bytes, when READY. */
uint64_t tg_obj_size(const struct tg_obj *x);
/* The rank where many bytes of it are; -1: they are few, or anywhere. */
int32_t tg_obj_where(const struct tg_obj *x);
/* PENDING -> READY, or FAILED for an error value; takes over val, and a hold
 * on each of its references. */
void tg_objs_resolve(struct tg_objs *o, struct tg_obj *x, struct tg_val *val);
/* An actor has ended: its handle is FAILED from now on, ready or not. */
void tg_objs_fail(struct tg_objs *o, struct tg_obj *x, struct tg_val *error);

/* A task that may be run again would need it, or no longer would. */
static inline void tg_objs_need(struct tg_obj *x)
{
    x->lineage++;
}
void tg_objs_need_not(struct tg_objs *o, struct tg_obj *x);
/* Its task will not be run again, because of unmade. */
void tg_objs_unmade(struct tg_objs *o, struct tg_obj *x, enum tg_unmade unmade);
/* Of an owned object that no user has: PENDING again, and no task's. */
void tg_objs_empty(struct tg_objs *o, struct tg_obj *x);
/* A borrowed object may be lost: its owner is to say when it is ready. */
void tg_objs_doubt(struct tg_objs *o, struct tg_obj *x);

/* ----- watches ----------------------------------------------------------- */

/* True when there is nothing to wait for: FAILED, or READY and, if fetch is
 * asked for, here. */
static inline bool tg_objs_ready(const struct tg_objs *o,
                                 const struct tg_obj *x, bool fetch)
{
    if (x->state != TG_OBJ_READY || !fetch)
        return x->state != TG_OBJ_PENDING;
    return x->val != NULL &&
           (!x->val->stored || tg_store_here(o->store, x->val));
}
/* Watch an object that is not ready; asks its owner if need be.  The watch
 * does not hold the object. */
uint64_t tg_objs_watch(struct tg_objs *o, struct tg_obj *x,
                       const struct tg_watch *want);
void tg_objs_unwatch(struct tg_objs *o, uint64_t watch); /* stale is fine */
/* The next watch that has fired.  It comes with a hold on w->obj, which the
 * reader drops. */
bool tg_objs_notice(struct tg_objs *o, struct tg_watch *w);

/* ----- references in messages -------------------------------------------- */

/* Send m with weight for every reference that its items carry.  The caller's
 * holds may go right after. */
void tg_objs_send(struct tg_objs *o, int32_t rank, struct tg_msg *m);
/* Take back a RUN that still waits for weight; false if there is none. */
bool tg_objs_withdraw(struct tg_objs *o, uint64_t task, int32_t attempt);
/* Take in an item that arrived: afterwards this rank has a hold on its ref, or
 * on each reference within its value, and the item carries no weight. */
void tg_objs_adopt(struct tg_objs *o, struct tg_item *it);
/* Give those holds back. */
void tg_objs_unadopt(struct tg_objs *o, const struct tg_item *it);
/* WATCH, VALUE, DROP, MORE, WEIGHT */
void tg_objs_msg(struct tg_objs *o, int32_t from, struct tg_msg *m);
/* A watch of TG_WATCHER_RANK has fired. */
void tg_objs_tell(struct tg_objs *o, const struct tg_watch *w);

/* Give up an item that nobody takes, after tg_objs_adopt(): if its bytes are in
 * a store, they are no object's. */
void tg_objs_discard(struct tg_objs *o, const struct tg_item *it);

/* The end of waiting for bytes; and of keeping what is not used. */
void tg_objs_arrived(struct tg_objs *o, const struct tg_arrival *a);
void tg_objs_fade(struct tg_objs *o, trygon_ref_t ref, bool freed);
/* Of an owned object: now, or as soon as it comes (Ray: free). */
void tg_objs_free_value(struct tg_objs *o, struct tg_obj *x);
void tg_objs_gone(struct tg_objs *o, int32_t rank);
/* HOME: of an object whose store is lost. */
void tg_objs_home(struct tg_objs *o, const struct tg_msg_home *m);
void tg_objs_timer(struct tg_objs *o, uint64_t handle);
/* The end of a step: send the weight that was dropped in it. */
void tg_objs_flush(struct tg_objs *o);

/* ----- looking ------------------------------------------------------------ */

void tg_objs_check(const struct tg_objs *o);
bool tg_objs_quiet(const struct tg_objs *o);    /* nothing waits for weight */
uint32_t tg_objs_left(const struct tg_objs *o); /* entries, owned and not */
/* Copies kept for a moment go home at once (the end of the run is near). */
void tg_objs_hurry(struct tg_objs *o);
/* Every entry, in a fixed order: *at starts at 0. */
struct tg_obj *tg_objs_next(const struct tg_objs *o, uint64_t *at);

#endif
