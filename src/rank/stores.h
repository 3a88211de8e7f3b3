/* stores.h - what the core's decisions about blobs (core/store.h) mean on this
 * rank: memory in its arena, places in files, bytes on their way.
 *
 * Actions that are quick are done at once, with the rank's lock held, and what
 * came of them is an answer for the core, which it hears when the step is over.
 * What waits for a disk, or only calls a file system, is done without the lock,
 * by threads of the pool (stores_io.c).  As long as one of these or MPI is busy
 * with a blob's bytes they stay where they are, whatever the core has decided
 * since.
 */
#ifndef TG_RANK_STORES_H
#define TG_RANK_STORES_H

#include <trygon/trygon.h>

#include "core/core.h"
#include "core/map.h"
#include "rank/post.h"
#include "rank/stores_node.h"
#include "store/arena.h"
#include "store/spill.h"

struct trygon;

/* What this rank has of a blob. */
struct tg_stored {
    uint64_t blob, size;
    struct tg_spilled where; /* file 0: in no file */
    uint32_t busy;           /* a thread or MPI is with it: so often */
    bool sealed, freed;      /* as the core has said */
    bool counted;            /* its memory is, as the node's */
    UT_hash_handle hh;
};

struct tg_store_answer {
    enum tg_store_op op;
    uint64_t blob;
    int32_t rc;
    trygon_ref_t reader; /* of SEND: {rank, its blob} */
};

struct tg_sending { /* bytes on their way to another rank */
    struct tg_stored *x;
    void *buffer; /* in which they are; NULL: in the arena */
    struct tg_sending *prev, *next;
};

struct tg_io; /* what is done without the lock (stores_io.c) */

struct tg_stores {
    uint64_t node_limit;    /* bytes of its node's */
    struct tg_nodemem node; /* who has how much of them */
    struct tg_arena *own;
    struct tg_arena **of; /* of each rank; NULL: it is on another node */
    int32_t *number;      /* of each rank among those of its node */
    struct tg_spill *spill;
    struct tg_stored *blobs; /* a hash by blob */
    TG_VEC(struct tg_store_answer) answers;
    uint32_t answered;
    struct tg_sending *sendings;
    struct tg_io *io;
    struct tg_slab lents; /* struct tg_lent */
    bool told_full;       /* the log says that nothing can be written */
    char no_file[160];    /* why there was no mapped file the last time */
};

/* Blobs of a rank, in files or not. */
enum { TG_STORES_SLOTS = 1 << 20 };

/* ----- the start and the end (stores_start.c) ------------------------------ */

/* Collective, after the layout is known, with the options of this rank: ranks
 * that cannot read each other's memory are on different nodes afterwards.  Every
 * rank returns the same code; the reason is logged. */
int tg_stores_start(struct trygon *tg, const trygon_opts_t *opts);
/* What is under way is done, and nothing after it. */
void tg_stores_stop(struct trygon *tg);
void tg_stores_free(struct tg_stores *s, int32_t nranks); /* also of zeros */

/* Which reader of the arena of rank `of` the rank is. */
static inline int32_t tg_stores_reader(const struct tg_stores *s, int32_t of,
                                       int32_t rank)
{
    return s->number[rank] - (s->number[rank] > s->number[of]);
}

/* ----- with the rank's lock held -------------------------------------------- */

void tg_stores_perform(struct trygon *tg, struct tg_action *a);
/* Is there anything to tell the core, or somebody to ring? */
static inline bool tg_stores_any(const struct tg_stores *s)
{
    return s->answers.n > 0 || s->node.rings;
}
/* Tell the core what came of actions, as long as there is something to tell;
 * what it wants done then is left to the caller.  False: there was nothing. */
bool tg_stores_answer(struct trygon *tg);
void tg_stores_gone(struct trygon *tg, int32_t rank);
/* Do the other ranks of the node use more or less than the core knows, so that
 * it matters?  A few loads. */
static inline bool tg_stores_due(const struct tg_stores *s,
                                 const struct tg_store *core)
{
    struct tg_node_use use = tg_nodemem_others(&s->node);
    return (use.used != core->node_use.used ||
            use.wanted != core->node_use.wanted ||
            use.spilling != core->node_use.spilling) &&
           tg_store_cares(core, &use);
}
/* Tell the core what they use, and let go of warm memory that is in the way. */
void tg_stores_look(struct trygon *tg);
/* The first, because somebody is about to ask for room. */
void tg_stores_tell(struct trygon *tg);
/* For the post office: where the bytes of DATA messages are. */
struct tg_post_ends tg_stores_ends(struct trygon *tg);
/* Where user code writes a blob that it has been granted. */
void *tg_stores_data(const struct tg_stores *s, uint64_t blob);

/* ----- for stores_io.c -------------------------------------------------------- */

struct tg_job {
    enum tg_store_op op; /* SPILL, LOAD, SEND, FILE */
    struct tg_stored *x;
    struct tg_spill_item item; /* SPILL */
    int64_t dims[TRYGON_MAX_DIMS];
    void *data; /* LOAD, SEND: where the bytes go */
    uint64_t from, n;
    struct tg_msg msg; /* SEND, as is */
    int32_t rank;
    struct tg_arena_file file; /* FILE: out */
    int rc;
    char why[160];
    struct tg_job *prev, *next;
};

struct tg_io *tg_io_create(struct trygon *tg);
/* False: there is no thread to do it. */
bool tg_io_add(struct tg_io *io, struct tg_job *job);
/* Some time later. */
void tg_io_forget(struct tg_io *io, const struct tg_spilled *where);
void tg_io_drop(struct tg_io *io, const struct tg_arena_file *file);
/* Without the lock: all is done, and nothing is taken any more. */
void tg_io_stop(struct tg_io *io);
void tg_io_free(struct tg_io **io);
/* The job is done; frees it. */
void tg_stores_done(struct trygon *tg, struct tg_job *job);

#endif
