/* objs_impl.h - what the files of objects share; for no other file. */
#ifndef TG_CORE_OBJS_IMPL_H
#define TG_CORE_OBJS_IMPL_H

#include "core/map.h"
#include "core/objs.h"

struct tg_copy {       /* an object of another rank */
    struct tg_obj obj; /* first: the two pointers are one */
    uint64_t self;
    uint64_t size; /* bytes, when READY */
    uint64_t idle_until_ns;
    UT_hash_handle hh;
};

/* The value of an object that was freed or lost while it is held: who was lent
 * it reads on. */
struct tg_freed {
    trygon_ref_t ref;
    struct tg_val *val;
    UT_hash_handle hh;
};

struct tg_parked { /* a message that waits for weight */
    int32_t rank;
    struct tg_msg msg;
    struct tg_parked *prev, *next;
};

struct tg_copy *tg_copy_of(struct tg_obj *x);
/* The entry of a reference that has just come in, made if need be. */
struct tg_obj *tg_objs_copy(struct tg_objs *o, trygon_ref_t ref);
/* Its owner is lost. */
void tg_obj_fail_lost(struct tg_objs *o, struct tg_obj *x);
/* The value of no object any more; takes it over. */
void tg_obj_bury(struct tg_objs *o, struct tg_val *val);
/* Forget the entry if nothing needs it. */
void tg_obj_settle(struct tg_objs *o, struct tg_obj *x);
/* News of a borrowed object: it is ready, and val (or NULL) is its value. */
void tg_obj_arrived(struct tg_objs *o, struct tg_obj *x, uint64_t size,
                    struct tg_val *val);
void tg_obj_orphan(struct tg_objs *o, struct tg_obj *x);
/* A READY one has no value any more, and is made again when it is wanted. */
void tg_obj_rest(struct tg_objs *o, struct tg_obj *x);

/* What it watches for is so.  A holder elsewhere waits for the value, wherever
 * its bytes are, but somewhere they must be. */
static inline bool tg_watch_due(const struct tg_objs *o, const struct tg_obj *x,
                                const struct tg_watch *w)
{
    if (w->who == TG_WATCHER_RANK && x->asked_fetch)
        return false;
    return tg_objs_ready(o, x, w->fetch && w->who != TG_WATCHER_RANK);
}

void tg_parked_gone(struct tg_objs *o, int32_t rank);
void tg_parked_free(struct tg_objs *o);

#endif
