/* world.h - a virtual cluster: many ranks, each with the real core, wire format
 * and post office, over a simulated network on a virtual clock.
 *
 * One seed makes one run.  A broken rule ends the process with a line on
 * standard error (world_fail), so that nothing after it is believed.
 */
#ifndef TG_TESTS_SIM_WORLD_H
#define TG_TESTS_SIM_WORLD_H

#include <stdio.h>

#include "machine.h"
#include "net/net_sim.h"
#include "rank/post.h"
#include "script.h"
#include "store.h"
#include "truth.h"

struct world_opts {
    uint64_t seed;
    struct machine machine; /* taken over */
    struct tg_limits limits;
    struct delay frame, bulk, thread; /* thread: until user code goes on */
    int32_t slow_from, slow_to; /* frames of this pair take slow_ns more */
    uint64_t slow_ns;
    uint64_t eager_max;
    struct store_opts store;
    uint32_t silences; /* of 1,000 polls, those after which a rank sleeps */
    uint64_t silence_ns;
    bool skew;          /* every rank has a clock of its own */
    uint32_t max_tasks; /* random scripts submit no more */
    int32_t max_levels;
    uint32_t check_every; /* steps between checks of all */
    bool random;          /* scripts are made up */
    bool actors;          /* with many actors, calls and kills */
    char *trace;          /* NULL, or where the story is told */
    size_t trace_size;
    bool trace_brief; /* without probes and their answers */
    bool trace_live;  /* print each line as well */
};

struct world_stats {
    uint64_t worlds, ranks, tasks, execs, retries, cancels, deaths,
        false_deaths, steps, messages, lost_weight, left, virtual_ns;
    uint64_t bounces, lends, recalls, mores, values, attached;
    uint64_t made, mapped, evicted, pinned, spilled, restored, pins, pieces,
        from_file, away, refused, freed, again, needs, remade; /* of stores */
    uint64_t outcomes[32]; /* by -code; 0: a value */
};

enum world_event_type {
    WORLD_ARRIVE = 1, /* a packet */
    WORLD_POLL,
    WORLD_TICK,
    WORLD_START,     /* an execution on a thread of its own */
    WORLD_DESTROYED, /* an actor's destructor has returned */
    WORLD_GO,        /* a script's computing is over */
    WORLD_WOKEN,     /* a waiter's script */
    WORLD_STORE,     /* something has been done to a blob */
    WORLD_DIE,       /* the rank stops */
    WORLD_LOST,      /* the head is told so */
    WORLD_FINISH,    /* a story's own time for the end of the run */
    WORLD_DRAIN
};

struct world_event {
    uint64_t when_ns, seq;
    enum world_event_type type;
    int32_t rank;
    uint64_t handle;
    void *what;
};

struct sim_rank {
    struct world *w;
    int32_t id;
    struct tg_core *core;
    struct tg_vals vals;
    struct tg_post *post;
    struct sim_store store;
    bool dead; /* it steps no more */
    bool lost; /* the head has been told */
    bool ended, draining, bye;
    bool polling; /* a POLL is set */
    uint64_t skew_ns, silent_until_ns, tick_at_ns;
    uint64_t *last_arrival_ns; /* of frames, from each rank; NULL: none */
    uint32_t *outstanding;     /* frames without credit returned, to each */
    uint32_t *flying;          /* messages on their way to each */
    TG_VEC(uint32_t) numbered; /* its own tasks, by number - 1 */
    TG_VEC(uint32_t) live;     /* those that have not ended */
    struct script *scripts;
    uint32_t nbusy; /* scripts that are not over */
    uint64_t flag;  /* that its scripts wait for; 0: none yet */
    bool flag_set;
    struct script *own; /* of the driver or a client */
    struct gene own_gene;
};

/* No world has so many tasks that one of them is forgotten. */
#define LINEAGE_ALL (UINT64_C(1) << 40)

/* A world that lasts longer hangs. */
static const uint64_t too_long_ns = UINT64_C(300000000000);
static const uint64_t too_many_steps = UINT64_C(20000000);

struct world {
    struct world_opts opts;
    struct tg_rng rng;
    uint64_t now_ns, seq, steps, hash;
    TG_VEC(struct world_event) heap;
    struct tg_netsim *net;
    struct sim_rank *ranks;
    struct sim_node *nodes;
    int32_t nranks, nlost;
    struct truth truth;
    struct world_stats stats;
    bool ending; /* the driver has returned */
    uint32_t nbye;
    size_t told;             /* bytes of trace */
    TG_VEC(uint32_t) die_at; /* chance: tasks submitted when someone dies */
};

void world_create(const struct world_opts *opts, struct world **world);
void world_destroy(struct world **world);

/* A driver (rank 0) or client begins. */
void world_begin(struct world *w, int32_t rank, const struct gene *gene);
void world_at(struct world *w, uint64_t after_ns, enum world_event_type type,
              int32_t rank, uint64_t handle, void *what);
/* Until all living ranks have said goodbye; then everything is checked. */
void world_run(struct world *w);

/* ----- for scripts ----------------------------------------------------------- */

int world_step(struct sim_rank *r, struct tg_event *ev);
void world_send(struct sim_rank *r, int32_t rank, struct tg_msg *m);
uint64_t world_now(const struct sim_rank *r); /* on its own clock */
uint64_t world_delay(struct world *w, const struct delay *d);
void world_script_over(struct script *s);
/* A random world lost someone when enough had been submitted (chance). */
void world_submitted(struct world *w);

/* Of the actors of a class: their groups, with the default one, and how many
 * calls of one of the others may run at once. */
uint32_t world_groups(uint32_t fn);
uint32_t world_limit(uint32_t fn, uint32_t group);

/* ----- checks (inspect.c, outcome.c) ------------------------------------------- */

_Noreturn void world_fail(const struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void inspect_queues(const struct sim_rank *r);
void inspect_all(const struct world *w);
void inspect_end(struct world *w);
void inspect_bye(const struct world *w);
void inspect_why(const struct world *w); /* who waits for what */
/* An execution begins or is over; a task of r may have ended. */
struct truth_task *outcome_started(struct world *w, struct sim_rank *r,
                                   uint64_t exec);
/* An actor's destructor begins: may it? */
void outcome_destroys(struct world *w, struct sim_rank *r,
                      const struct tg_exec *e);
/* life: of a method's actor. */
void outcome_done(struct world *w, struct truth_task *t, int32_t attempt,
                  int32_t life, int32_t code);
void outcome_scan(struct sim_rank *r);
/* Disks fail in this world. */
bool outcome_disk_fails(const struct world *w);
/* Has the actor ended, as far as its owner knows? */
bool outcome_over(const struct world *w, trygon_ref_t actor);
/* Rank 0 is told to create a detached actor, and has been. */
struct truth_task *world_detaches(struct world *w, int32_t from,
                                  const struct tg_msg *m);
void world_detached(struct world *w, struct truth_task *t);
void outcome_seen(struct world *w, struct truth_task *t,
                  const struct tg_obj *x);

/* ----- the story (tell.c) ------------------------------------------------------- */

void tell(struct world *w, int32_t rank, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void tell_msg(struct world *w, int32_t from, int32_t to,
              const struct tg_msg *m);
/* A rank reads an object: its value, or its error with all causes. */
void tell_read(struct world *w, int32_t rank, const struct tg_obj *x);
void world_mix(struct world *w, uint64_t x);

/* Lost objects are made again: a task may start after its end, and what was ready
 * be PENDING. */
static inline bool world_remakes(const struct world *w)
{
    return w->opts.limits.lineage_bytes > 0 && w->nlost > 0;
}

/* Neither dead nor declared so. */
static inline bool rank_lives(const struct world *w, int32_t r)
{
    return !w->ranks[r].dead && !w->ranks[r].lost;
}

#endif
