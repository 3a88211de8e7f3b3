/* truth.h - what a simulated world knows about its tasks and objects, apart
 * from what the cores say: the base of all checks.
 *
 * It is fed with what user code asks for and with what the cores put out, and
 * never asks the cores what ought to be.
 */
#ifndef TG_TESTS_SIM_TRUTH_H
#define TG_TESTS_SIM_TRUTH_H

#include "base/mem.h"
#include "core/core.h"
#include "core/map.h"

enum { TRUTH_ATTEMPTS = 64, TRUTH_ARGS = 6, TRUTH_CODES = 2 };

struct truth_obj {
    trygon_ref_t ref;
    uint32_t task; /* its number in truth; UINT32_MAX: a put */
    uint64_t key;  /* what its bytes are made from */
    uint64_t size;
    uint64_t moving; /* weight in messages under way, or lost with them */
    uint64_t copies; /* for the weight check */
    bool item;       /* that the task has yielded */
    bool failed;     /* and it is an error */
    bool freed;      /* somebody wants it to be gone */
    UT_hash_handle hh;
};

struct truth_arg {
    bool by_ref;
    trygon_ref_t ref; /* by_ref */
    uint64_t key, size;
};

struct gene;

struct truth_caller { /* of an actor: the calls of a script have an order */
    int32_t owner;
    uint32_t group;
    uint64_t exec;
    uint64_t number; /* the last that has started */
};

struct truth_life {                  /* an incarnation of an actor */
    uint32_t running[TG_GROUPS_MAX]; /* its methods now, and in all: */
    uint32_t nrunning;
    bool killed_here; /* by its owner's rank, perhaps to be made again */
    bool destroyed;
    TG_VEC(struct truth_caller) callers;
};

struct truth_task {
    uint32_t id;
    uint32_t parent; /* the task whose script submitted it; UINT32_MAX */
    int32_t owner;
    uint64_t number, handle;
    struct gene *gene; /* owned */
    struct tg_shape shape;
    int32_t max_retries;
    int32_t codes[TRUTH_CODES];
    uint32_t ncodes, nreturns, nargs;
    struct truth_arg args[TRUTH_ARGS];
    trygon_ref_t results[4];
    uint64_t limit;     /* it yields items, so many ahead; 0: it does not */
    uint64_t taken;     /* of these, so far */
    bool closed;        /* nobody reads them any more */
    bool error_taken;   /* the last of them is an error, so there are no more */
    bool last_failed;   /* likewise, and it may be the item's own */
    bool over;          /* their end was seen */
    bool creates, call; /* a constructor; of a method */
    bool weak;          /* through a weak handle */
    bool detached;
    int32_t asked_by; /* of a detached one: the rank, and its waiter */
    uint64_t waiter;
    const char *name;   /* of an actor; NULL: none */
    trygon_ref_t actor; /* whose */
    uint64_t exec;      /* who called */
    uint32_t group;
    uint32_t concurrency; /* of an actor's default group */
    bool any_order;       /* of an actor, as are */
    bool stalls;          /* its methods may wait for their readers */
    int32_t task_retries; /* likewise */
    bool killed, killed_here, exited; /* an actor that should end */
    uint32_t soft_kills;              /* that leave it its restarts */
    TG_VEC(struct truth_life) lives;  /* by attempt of its constructor */
    bool hopeless;   /* no rank can ever run it, and it waits all the same */
    bool handles;    /* its arguments are more than objects */
    uint32_t remade; /* runs after it had ended, for what was lost */
    bool cancelled;  /* somebody asked for it */
    bool recursive;  /* ... with all below it */
    bool surely;     /* somebody on its owner's rank did, then: */
    uint64_t surely_ns;
    int32_t surely_at; /* its attempt then: the last one */
    uint32_t starts, dones;
    uint64_t started[TRUTH_ATTEMPTS / 64]; /* bit: attempt */
    int32_t last_attempt;                  /* started so far; -1: none */
    int32_t ran_on[TRUTH_ATTEMPTS];        /* the rank of each */
    int32_t code[TRUTH_ATTEMPTS];          /* of its executions that ended */
    uint64_t done[TRUTH_ATTEMPTS / 64];
    bool ended;
    bool known; /* how it ended was seen */
    int32_t outcome, user_code;
    bool caused; /* by another error */
    char text[256];
};

struct truth_name { /* who had it last */
    const char *name;
    uint32_t task;
};

struct truth {
    TG_VEC(struct truth_task *) tasks;
    TG_VEC(struct truth_name) names;
    struct truth_obj *objs;
    uint64_t lost_weight;
};

void truth_fini(struct truth *t);

struct truth_task *truth_task_new(struct truth *t);
struct truth_obj *truth_obj_new(struct truth *t, trygon_ref_t ref);
struct truth_obj *truth_obj(const struct truth *t, trygon_ref_t ref);
/* The task behind an object; NULL: a put. */
struct truth_task *truth_of(const struct truth *t, trygon_ref_t ref);

/* An incarnation of an actor; until the next one is asked for. */
struct truth_life *truth_life(struct truth_task *actor, int32_t restarts);

/* ----- values ------------------------------------------------------------- */

/* A value of that many bytes which nobody else would make. */
struct tg_val *truth_val(uint64_t key, uint64_t size, uint32_t nrefs);
/* Of a stored one only what it says of itself. */
bool truth_val_ok(const struct tg_val *v, uint64_t key, uint64_t size);
/* Its bytes, wherever they are: write them, or look at each. */
void truth_fill(uint64_t key, uint64_t size, unsigned char *bytes);
bool truth_bytes_ok(uint64_t key, uint64_t size, const unsigned char *bytes);

/* ----- weights ------------------------------------------------------------- */

/* A message leaves (sign 1) or has arrived (-1). */
void truth_moving(struct truth *t, struct tg_msg *m, int sign);

/* A wait for it may last for ever: it cannot run and nobody has cancelled it,
 * or something that it needs is like that. */
bool truth_hopeless(const struct truth *t, trygon_ref_t ref);

#endif
