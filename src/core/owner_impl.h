/* owner_impl.h - what owner.c and owner_lease.c share; for no other file. */
#ifndef TG_CORE_OWNER_IMPL_H
#define TG_CORE_OWNER_IMPL_H

#include "core/map.h"
#include "core/owner.h"

struct tg_class_key { /* all bytes count: make it from zeroed memory */
    struct tg_shape shape;
    int32_t depth;
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

void tg_task_set_state(struct tg_task *t, enum tg_task_state to);
const char *tg_task_name(const struct tg_owner *w, const struct tg_task *t);

/* The queue side (owner_lease.c). */
void tg_class_enqueue(struct tg_owner *w, struct tg_task *t, bool front);
void tg_class_dequeue(struct tg_owner *w, struct tg_task *t);
void tg_class_settle(struct tg_owner *w, struct tg_class *c);
/* Then its caller ends the task or tries it again, which tells the head. */
void tg_lease_done(struct tg_owner *w, struct tg_task *t, uint64_t ran_ns);
void tg_owner_on_lease(struct tg_owner *w, const struct tg_msg_lease *m);
void tg_owner_on_refuse(struct tg_owner *w, const struct tg_msg_refuse *m);
void tg_owner_on_bounce(struct tg_owner *w, int32_t from,
                        const struct tg_msg_bounce *m);

/* The task side (owner.c). */
void tg_task_end(struct tg_owner *w, struct tg_task *t, struct tg_val *error);
/* End it if one of its arguments has failed (meanwhile). */
bool tg_task_spoilt(struct tg_owner *w, struct tg_task *t);
/* Its rank is lost, or it failed with a code that is retried. */
void tg_task_again(struct tg_owner *w, struct tg_task *t,
                   struct tg_val *otherwise);

#endif
