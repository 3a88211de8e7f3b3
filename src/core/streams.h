/* streams.h - the items of tasks that yield, at their owner (Ray: generators).
 *
 * A stream is read in order, item 0, 1, 2 ... as references.  Its handle is an
 * object entry that nobody can read: it stands for the user's right to the
 * stream, and closing is the end of that right.  What is ready or not is the
 * stream's head, the object of the next item: PENDING until that item has come,
 * and after the last one an error, END, which stays.  So whoever waits for a
 * stream waits for its head, and there is no other notion of its readiness
 * (tg_streams_obj()).
 *
 * Items come in any order, and from several attempts of the task, each of which
 * begins at 0; each index is taken in once.
 *
 * While its task may be run again for items that are lost (owner_refill.c), a
 * stream knows its items, and outlives both its task and its reader.
 */
#ifndef TG_CORE_STREAMS_H
#define TG_CORE_STREAMS_H

#include "core/objs.h"

enum tg_stream_state {
    TG_STREAM_OPEN = 1, /* items come */
    TG_STREAM_ENDED,    /* all that it will have is here */
    TG_STREAM_CLOSED    /* nobody reads it; its task is not over */
};

struct tg_kept { /* an item that came before others that precede it */
    uint64_t index;
    struct tg_val *val; /* with holds on its references */
    struct tg_kept *prev, *next;
};

struct tg_stream {
    uint64_t self;
    uint8_t state;         /* enum tg_stream_state */
    int32_t heard;         /* the attempt that has yielded; -1: none */
    uint64_t exec;         /* the handle that its worker has of it */
    uint64_t task;         /* that yields; 0: it is over */
    uint64_t limit;        /* items ahead of the reader, or TG_ANY_AHEAD */
    uint64_t taken;        /* by the user; UINT64_MAX: closed */
    uint64_t told;         /* the worker of that attempt: so many are taken */
    uint64_t come;         /* all items below have come, once */
    struct tg_obj *head;   /* of item `taken`; all three objects with a hold, */
    struct tg_obj *done;   /* ready when the task is over, until it is closed */
    trygon_ref_t ref;      /* the handle's: the user's counts hold it */
    struct tg_val **queue; /* those between head and `come`: item i is at
                              i modulo cap, with holds on its references */
    uint64_t cap;          /* a power of two, or 0 */
    struct tg_kept *early; /* those beyond `come`, in order */
    struct tg_msg *last;   /* a DONE that came before all its items; or NULL */
    uint64_t waiter;       /* who waits for the next item; stale: nobody */
    uint64_t maker;        /* its task, while that may be run again; or 0 */
    TG_VEC(uint64_t) given; /* then: the object of each item, by index */
    uint32_t nleft;         /* likewise: these that are left, and the reader */
    bool stored;            /* likewise: one of them was in a store */
    bool hurry; /* likewise: one is lost, so the task waits for no reader */
    uint64_t refill; /* items that came when it was run again */
};

struct tg_streams {
    struct tg_ctx *ctx;
    struct tg_objs *objs;
    struct tg_slab slab;
    struct tg_val *end;     /* the value of a head at the end */
    struct tg_val *nothing; /* and of a completion */
};

void tg_streams_init(struct tg_streams *w, struct tg_ctx *ctx,
                     struct tg_objs *objs);
void tg_streams_fini(struct tg_streams *w);

/* For a task; one user's count of its handle, and a hold on done. */
struct tg_stream *tg_streams_new(struct tg_streams *w, uint64_t task,
                                 uint64_t limit, struct tg_obj *done);
/* Or NULL. */
struct tg_stream *tg_streams_find(const struct tg_streams *w, uint64_t handle);
/* The stream that is read through this object; NULL: it is no stream's handle,
 * or that one is closed. */
struct tg_stream *tg_streams_of(const struct tg_streams *w,
                                const struct tg_obj *x);
/* What a wait for x waits for: x, or the head of the stream behind it. */
struct tg_obj *tg_streams_obj(const struct tg_streams *w, struct tg_obj *x);

/* Is the head that of the end? */
bool tg_stream_over(const struct tg_streams *w, const struct tg_stream *s);
/* Hand the next item out, with a count of the user's.  TIMEOUT: it has not
 * come.  END. */
int tg_streams_take(struct tg_streams *w, struct tg_stream *s,
                    trygon_ref_t *ref);

/* An item has come, with its holds (tg_objs_adopt), which are taken over. */
void tg_streams_add(struct tg_streams *w, struct tg_stream *s, uint64_t index,
                    struct tg_item *it);
/* Is there nothing to wait for when an attempt has yielded n items? */
static inline bool tg_stream_complete(const struct tg_stream *s, uint64_t n)
{
    return s->state != TG_STREAM_OPEN || s->come >= n;
}
/* The DONE that came before its items, if there is one, counts no more. */
void tg_stream_forget_last(struct tg_stream *s);
/* The next item is this error (taken over), then the end: whatever has come. */
void tg_streams_cancel(struct tg_streams *w, struct tg_stream *s,
                       struct tg_val *error);
/* Its task is over: the end comes after what is here and, if it is not NULL,
 * this error (taken over). */
void tg_streams_end(struct tg_streams *w, struct tg_stream *s,
                    struct tg_val *error);
/* The user has given it back: what was not taken goes. */
void tg_streams_close(struct tg_streams *w, struct tg_stream *s);

/* Its task has yielded this once more: for an item that is lost. */
void tg_streams_refill(struct tg_streams *w, struct tg_stream *s,
                       uint64_t index, struct tg_item *it);
/* The i-th item, if its task may make it again; or NULL. */
struct tg_obj *tg_streams_given(const struct tg_streams *w,
                                const struct tg_stream *s, uint64_t i);
/* Its task is not run again any more. */
void tg_streams_unmade(struct tg_streams *w, struct tg_stream *s);

void tg_streams_check(const struct tg_streams *w);
bool tg_streams_quiet(const struct tg_streams *w); /* no task is awaited */

#endif
