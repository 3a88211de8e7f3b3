/* script.h - user code of a simulated world: what an execution, a driver or a
 * client does, one step after another on the virtual clock.
 *
 * A script is a row of ops.  A story writes them down; otherwise chance.c
 * makes each up from the task's own seed, so that a task does the same
 * wherever it runs.
 */
#ifndef TG_TESTS_SIM_SCRIPT_H
#define TG_TESTS_SIM_SCRIPT_H

#include "store.h"
#include "truth.h"

struct sim_rank;

enum { OP_SLOTS = 6 };

enum op_type {
    OP_COMPUTE = 1, /* for ns */
    OP_SUBMIT,      /* plan; its results fill the next slots */
    OP_PUT,         /* size bytes with the slots' references in them */
    OP_GET,         /* wait for all slots and read them */
    OP_WAIT,        /* for `need` of the slots */
    OP_SET,         /* take `need` of the slots from a wait set */
    OP_CANCEL,      /* slot[0] */
    OP_RETAIN,      /* one count more of slot[0], in a new slot */
    OP_RELEASE,     /* slots */
    OP_CALL,        /* have slot[0] told by a callback */
    OP_QUERY,       /* what the machine looks like */
    OP_SPIN,        /* compute until cancelled */
    OP_KILL,        /* the actor in slot[0]; again: it may be made again */
    OP_EXIT,        /* the actor whose method this is ends */
    OP_END,         /* with code; everything else is released */
    OP_YIELD,       /* the next item, with the slots' references */
    OP_NEXT,        /* of the stream in slot[0]: an item in a new slot */
    OP_SLEEP,       /* for ns */
    OP_FLAG,        /* set the rank's flag (need 1), or clear it */
    OP_AWAIT,       /* the rank's flag */
    OP_NAME,        /* plan, of an actor with a name or a detached one */
    OP_FIND,        /* the actor of that name, in a new slot */
    OP_SELF,        /* the actor whose method this is, likewise */
    OP_ACTORS,      /* list all actors */
    OP_LOOK,        /* as GET, and the bytes stay pinned until RELEASE */
    OP_FREE         /* the values of the slots, wherever they are */
};

struct plan;

struct op {
    enum op_type type;
    uint64_t ns;   /* COMPUTE, SLEEP; of waits: the time-out, 0: none */
    uint64_t size; /* PUT */
    uint32_t need; /* WAIT, SET, FLAG */
    uint32_t n;    /* slots */
    uint32_t slot[OP_SLOTS];
    bool recursive;          /* CANCEL */
    bool again;              /* KILL */
    int32_t code;            /* END */
    const struct plan *plan; /* SUBMIT, NAME */
    const char *name;        /* FIND */
};

/* What a task will do. */
struct gene {
    uint64_t seed;
    const struct op *ops; /* a story's; NULL: by chance */
    const char *name;     /* NULL: its function's */
    int32_t levels;       /* how deep it may still nest */
    uint32_t fail_first;  /* its first attempts end with fail_code */
    int32_t fail_code;
    uint64_t result_size; /* of result 0, and of each fourth item */
    uint32_t yields;      /* items, if it is a stream */
    uint32_t fn;
    bool spin;   /* computes until it is cancelled */
    bool leaf;   /* waits for nobody: it holds what is not lent */
    bool vary;   /* each attempt does something else */
    bool polite; /* ends soon after it was cancelled */
};

struct plan_arg {
    bool by_ref;   /* slot[0] */
    uint64_t size; /* else a value, with the slots' references */
    uint32_t n;
    uint32_t slot[OP_SLOTS];
};

/* What is submitted. */
struct plan {
    struct gene gene;
    struct tg_shape shape;
    int32_t max_retries;
    int32_t codes[TRUTH_CODES];
    uint32_t ncodes; /* UINT32_MAX: any */
    uint32_t nreturns;
    uint64_t limit; /* of a stream, else 0 */
    uint32_t nargs;
    struct plan_arg args[TRUTH_ARGS - 1];
    struct tg_create create; /* of an actor, if concurrency is not 0 */
    bool stalls;             /* its methods may wait for their readers */
    bool call;               /* of the actor in `actor`, a slot */
    uint8_t group;           /* among its groups */
    uint32_t actor;
    const char *name; /* of an actor; NULL: none */
    bool get;         /* one that is there will do */
};

struct slot {
    trygon_ref_t ref;
    bool mine;     /* a count of ours; else lent by an argument */
    bool spinning; /* to be cancelled before we end */
    bool stream;
    struct tg_obj *pin;
    struct sim_view view; /* of its bytes, if it is stored */
};

struct room {      /* for a large value */
    uint64_t size; /* 0: none is needed */
    uint64_t key;
    uint64_t blob; /* 0: not asked for yet */
    bool result;   /* of the execution */
    bool filled;
};

enum script_state {
    SCRIPT_GOING = 1,
    SCRIPT_COMPUTING,
    SCRIPT_BLOCKED,
    SCRIPT_OVER
};

struct script {
    struct sim_rank *rank;
    struct truth_task *task; /* NULL: a driver or client */
    const struct gene *gene;
    struct tg_rng rng;
    enum script_state state;
    uint64_t exec; /* its handle; 0: none */
    int32_t attempt;
    uint32_t steps, at;            /* ops done */
    struct op op;                  /* the current one */
    bool prepared;                 /* the op has been chosen */
    bool starting;                 /* its arguments are not all here */
    bool in_line;                  /* it waits for room */
    uint32_t room;                 /* the one that it waits for */
    struct room rooms[TRUTH_ARGS]; /* for what the op makes */
    uint64_t put_key;
    struct sim_view args[TRUTH_ARGS];
    struct tg_obj *pins[OP_SLOTS];   /* what a get has got */
    struct sim_view views[OP_SLOTS]; /* and the bytes */
    uint64_t turn;                   /* while some of them are not here */
    struct plan plan;                /* room for chance.c */
    struct truth_task *making;       /* a detached actor, asked for */
    uint64_t ticket;                 /* of a name */
    trygon_ref_t got;                /* of a name, or a detached actor's */
    TG_VEC(struct slot) slots;
    uint64_t waiter, set;
    uint32_t taken;
    uint64_t spin_ns, spun_ns;
    struct script *prev, *next;
};

/* Begin a script; it goes on by script_go() when the world says so. */
struct script *script_new(struct sim_rank *r, const struct gene *gene,
                          struct truth_task *task, uint64_t exec,
                          int32_t attempt);
void script_free(struct script *s);

void script_go(struct script *s); /* its time has come */
void script_woken(struct script *s, uint64_t waiter);
/* A line that says what it is doing. */
void script_tell(const struct script *s, char *text, size_t size);
/* Ready, and what is known of it is here. */
bool script_known(const struct tg_obj *x);

/* The next thing a random script does (chance.c). */
void chance_next(struct script *s, struct op *op);
/* What it does about names, now and then (chance_name.c): true. */
bool chance_name(struct script *s, struct op *op);
/* What it needs: a new actor, and whether it may create one. */
void chance_actor(struct script *s, struct plan *p);
bool chance_may_submit(const struct script *s);
/* A value for a PUT, or a random gene for a driver or client. */
void chance_gene(struct tg_rng *rng, int32_t levels, struct gene *gene);

/* In scripts of chance: is the slot still a reference? */
static inline bool slot_live(const struct script *s, uint32_t i)
{
    return i < s->slots.n && !tg_ref_none(s->slots.v[i].ref);
}

#endif
