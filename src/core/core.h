/* core.h - one rank's whole core: events in, actions out.
 *
 * tg_core_step() is the only function that changes a core, apart from
 * tg_core_actions() which hands out what a step left to do.  It reads nothing
 * but its arguments, so one log of events always yields one log of actions.
 * The parts (owner, worker, waits, objects, and on rank 0 the head) talk to
 * each other through messages to ourselves and notices, all within the step.
 */
#ifndef TG_CORE_CORE_H
#define TG_CORE_CORE_H

#include "core/head.h"
#include "core/owner.h"
#include "core/store.h"
#include "core/waits.h"
#include "core/worker.h"

struct tg_core_config {
    int32_t rank;
    uint64_t seed;
    struct tg_limits limits;
    const char *const *fn_names; /* by function number; outlives the core */
    uint32_t nfns;
    const struct tg_groups *const
        *groups;                 /* likewise; NULL: no class has any */
    uint64_t store_bytes;        /* of its node's stores */
    struct tg_head_config ranks; /* outlives the core */
};

struct tg_core {
    struct tg_ctx ctx;
    struct tg_store store;
    struct tg_objs objs;
    struct tg_streams streams;
    struct tg_owner owner;
    struct tg_worker worker;
    struct tg_waits waits;
    struct tg_head *head; /* rank 0 only */
    uint64_t *sent_to;    /* messages to each rank, without those that count */
    uint64_t *read_from;  /* and from each */
    uint64_t received;    /* from all */
    bool ending;          /* the driver has returned with `status` */
    bool draining;        /* finalize was called here */
    int32_t status;
    struct tg_quiesce *quiesce; /* rank 0: who is quiet */
    struct tg_names *names;     /* rank 0: of actors */
    struct tg_dir *dir;         /* rank 0: of objects in stores */
};

enum tg_event_type {
    TG_EV_TICK = 1, /* time has passed */
    TG_EV_MSG,      /* msg from `rank`; taken over */
    TG_EV_GONE,     /* rank 0 only: `rank` is lost */
    /* user code */
    TG_EV_SUBMIT, /* spec (taken over if it succeeds), refs out */
    TG_EV_PUT,    /* val (taken over if it succeeds), ref out */
    TG_EV_RETAIN, /* n refs */
    TG_EV_RELEASE,
    TG_EV_CANCEL,   /* ref, recursive */
    TG_EV_KILL,     /* ref: of an actor; recursive: for good */
    TG_EV_EXIT,     /* handle: of an execution of a method */
    TG_EV_SELF,     /* handle: likewise; ref out: its actor's weak handle */
    TG_EV_UNNAME,   /* handle: a ticket; no actor gets its name */
    TG_EV_CALL,     /* call cookie back when ref is ready */
    TG_EV_WAIT,     /* wait in, waiter out: NULL when there is no need */
    TG_EV_WAIT_END, /* handle: of the waiter */
    TG_EV_UNPIN,    /* obj: one hold less, of a wait or a callback */
    TG_EV_KEEP,     /* hold the references in val */
    TG_EV_UNKEEP,
    TG_EV_SET_NEW,    /* handle out */
    TG_EV_SET_FREE,   /* handle */
    TG_EV_SET_ADD,    /* handle, ref, tag */
    TG_EV_SET_REMOVE, /* handle, ref */
    TG_EV_SET_TAKE,   /* handle; ref, tag out */
    TG_EV_FLAG_NEW,   /* handle out: of an event of the user's */
    TG_EV_FLAG_FREE,  /* handle */
    TG_EV_FLAG_SET,   /* handle; tag: 1, or 0 to clear it */
    TG_EV_DONE,       /* handle: of the execution; outcome (taken over) */
    TG_EV_YIELD,      /* val (taken over if it succeeds); tag: the execution */
    TG_EV_NEXT,       /* ref: of a stream in, of its next item out */
    TG_EV_COMPLETION, /* ref: of a stream in, of its completion out */
    /* large objects: what an execution or a put writes in place */
    TG_EV_ROOM,    /* room: blob out; wait for it (TG_WAIT_ROOM) if need be */
    TG_EV_SEAL,    /* val: a stored one, whose bytes have been written here;
                      tag: the execution whose result it is; 0: none */
    TG_EV_DISCARD, /* handle: of one that will be no object */
    TG_EV_AWAY,    /* obj: its store has it in a file only */
    TG_EV_USED,    /* handle: a blob of this store whose bytes are read */
    TG_EV_FREE,    /* n refs: their values go */
    TG_EV_NODE,    /* node: what the other ranks of the node use */
    TG_EV_STORE,   /* handle: a blob; tag: enum tg_store_op that has ended with
                      `status`; SEND: to refs, of which it takes none */
    /* the run */
    TG_EV_END,  /* rank 0: the driver returned `status` */
    TG_EV_DRAIN /* finalize: end everything */
};

/* Borrowed unless said otherwise.  "out" fields are written on success.  Small,
 * since each step makes one: no kind of event needs two fields of one union. */
struct tg_event {
    uint64_t now_ns; /* never goes back */
    enum tg_event_type type;
    union {
        int32_t rank;
        int32_t status;
        bool recursive;
    };
    union {
        uint64_t handle;
        size_t n;
        void *cookie;
        struct tg_val *val;
        struct tg_obj *obj;
        struct tg_msg *msg;
        struct tg_spec *spec;
        const struct tg_wait_req *wait;
        struct tg_room *room;
        const struct tg_node_use *node;
    };
    union {
        trygon_ref_t ref;
        const trygon_ref_t *refs;
        trygon_ref_t *refs_out;
        struct tg_outcome *outcome;
        struct tg_waiter *waiter;
    };
    uint64_t tag;
};

/* What is listed of objects (TG_LISTED_OBJECTS): those that a rank owns or
 * holds, and, without a reference, the blobs that were made in its store. */
struct tg_obj_row {
    trygon_ref_t ref; /* none: a blob */
    int32_t state;    /* enum tg_obj_state */
    int32_t at;       /* whose store has it; -1: none */
    int32_t type;
    uint32_t fn; /* of a blob: that made it; UINT32_MAX: none */
    uint64_t blob, size, counts;
    bool spilled; /* of a blob: a file has it */
};
/* The next row of one rank's list; *at starts at 0. */
bool tg_obj_rows_next(const struct tg_val *v, uint64_t *at,
                      struct tg_obj_row *row);

/* Where an object is (TG_LISTED_PLACES), as rank 0 answers. */
enum { TG_PLACES_MAX = 256 };
struct tg_place_row {
    int32_t n; /* ranks; below 0: it is in no store */
    bool in_file;
    int32_t ranks[TG_PLACES_MAX]; /* the first of them */
};
bool tg_place_rows(const struct tg_val *v, struct tg_place_row *row);

int tg_core_create(const struct tg_core_config *config, struct tg_core **core);
void tg_core_destroy(struct tg_core **core);

/* Returns 0 or a TRYGON_ERR_ code, in which case nothing has changed. */
int tg_core_step(struct tg_core *core, struct tg_event *ev);

/* What the steps since the last call want done, in order; messages in it are
 * the caller's to finish.  Valid until the next step. */
struct tg_action *tg_core_actions(struct tg_core *core, uint32_t *n);

/* When to send TG_EV_TICK at the latest. */
uint64_t tg_core_deadline(const struct tg_core *core);

void tg_core_check(const struct tg_core *core);
bool tg_core_quiet(const struct tg_core *core);

#endif
