/* ctx.h - what the parts of one rank's core share: who we are, what time the
 * current step has, chance, timers, and the actions that the step puts out.
 */
#ifndef TG_CORE_CTX_H
#define TG_CORE_CTX_H

#include "base/mem.h"
#include "base/rng.h"
#include "core/msg.h"
#include "core/timers.h"

enum tg_action_type {
    TG_ACT_SEND = 1, /* msg to rank */
    TG_ACT_START,    /* run the execution `handle` */
    TG_ACT_WAKE,     /* the waiter `handle` is done: wake who waits in it */
    TG_ACT_CALL,     /* the callback `cookie` is due, for `ref` */
    TG_ACT_LOG,      /* a line for this rank's log: level, msg.u.note.text */
    TG_ACT_FENCE,    /* rank is lost: nothing to or from it any more */
    TG_ACT_STORE,    /* op `status` (enum tg_store_op) on the blob `handle` */
    TG_ACT_ENDED,    /* the driver's run is over, with `status` */
    TG_ACT_BYE       /* all ranks are quiet: the runtime may end */
};

struct tg_action {
    enum tg_action_type type;
    int32_t rank;
    int32_t status;
    uint64_t handle;
    trygon_ref_t ref;
    void *cookie;
    struct tg_msg msg;
};

/* Times and limits; every one is an option of the simulator. */
struct tg_limits {
    uint64_t weight_mint;   /* weight given with a copy of a reference */
    uint64_t copy_ns;       /* an unused copy of a large value stays so long */
    uint64_t linger_ns;     /* an idle lease stays so long with its owner */
    uint64_t overrun_ns;    /* a queue waits so long behind one task */
    uint64_t lend_ns;       /* a blocked task keeps its CPU so long */
    uint64_t admit_ns;      /* first pause before one more depth-0 task */
    uint64_t balance_ns;    /* the head looks at fairness so often */
    uint64_t pipeline_ns;   /* work sent ahead on one lease */
    uint64_t dispatch_ns;   /* an owner's own work for one run */
    uint32_t pipeline_max;  /* tasks sent ahead on one lease */
    uint32_t blocked_max;   /* blocked tasks of a rank before depth 0 waits */
    uint32_t readers_max;   /* ranks that pull one blob from one rank at once */
    uint32_t chunks_max;    /* pieces under way to each of them */
    uint64_t chunk;         /* bytes of a piece */
    uint64_t store_look_ns; /* what was pinned is looked at again after this */
    uint64_t store_file_ns; /* who waits for room so long gets a file */
    uint64_t store_grace_ns; /* even though something is being written */
    uint64_t store_full_ns; /* nothing has left for so long: who writes fails */
    uint64_t fetch_note_ns; /* who reads waits so long: the log says so */
    uint64_t fetch_fail_ns; /* and so long: it fails */
    uint64_t spill_burst;   /* bytes that are written to files together */
    uint64_t args_ns; /* a task goes back whose arguments nobody has so long */
    uint64_t lineage_bytes; /* of tasks kept to make lost results again; 0: none
                               is kept */
};
void tg_limits_default(struct tg_limits *lim);

struct tg_ctx {
    int32_t rank, nranks;
    uint64_t now_ns;
    struct tg_limits lim;
    struct tg_rng rng;
    struct tg_timers timers;
    bool *dead; /* of each rank */
    TG_VEC(struct tg_action) out;
    TG_VEC(struct tg_msg) local; /* to ourselves, read in the same step */
    uint32_t local_at;
    bool passes; /* a part has something for another one: tg_ctx_pass() */
};

/* As tg_vec_add(), of what the step is to pass on to other parts. */
#define tg_ctx_pass(ctx_, vec_) ((ctx_)->passes = true, tg_vec_add(vec_))

/* Queue a message; what it owns goes along.  To a dead rank: dropped. */
void tg_ctx_send(struct tg_ctx *ctx, int32_t rank, struct tg_msg *m);
struct tg_action *tg_ctx_act(struct tg_ctx *ctx, enum tg_action_type type);
/* A line for the log of rank 0, where the user looks. */
void tg_ctx_note(struct tg_ctx *ctx, int32_t level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
