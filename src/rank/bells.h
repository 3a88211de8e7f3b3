/* bells.h - doorbells: a rank that sleeps is woken by the ranks of its node.
 *
 * MPI can only be looked at; nobody can sleep until a message comes.  So the
 * ranks of a node share a page with a line for each of them, a rank that has
 * nothing to do sleeps on its line, and who has sent it something rings.
 *
 * The sleeper:                             The sender, of another rank:
 *
 *     seen = tg_bell_seen(b);                  send it by MPI
 *     look at everything                       when the send has completed:
 *     tg_bell_arm(b);                          tg_bells_ring(b, rank);
 *     look twice at MPI, and at the queues
 *     if there is nothing:
 *         tg_bell_wait(b, seen, ns);       A thread of the same process:
 *     tg_bell_disarm(b);
 *     look at everything                       queue it; tg_bell_ring(b);
 *
 * Why no wake-up is lost.  The sender makes its message visible, then reads
 * `asleep`; the sleeper sets `asleep`, then looks for messages; between the two
 * steps each has a full fence (Dekker's pattern).  Whichever fence comes first,
 * the other side sees what was done before it: either the sleeper's look finds
 * the message, or the sender sees the flag.  Then it takes the flag down, adds
 * 1 to the count and wakes who sleeps on it.  If the sleeper is not in the
 * kernel yet, the kernel finds that the count is not `seen` any more and does
 * not let it sleep.  A second sender that finds the flag down has come after
 * the first, which is about to wake the sleeper for both.  If that one sees
 * only the first message, it sets the flag again before it sleeps, and the
 * argument starts anew.  A late ring is a wake-up for nothing.
 *
 * What it rests on.  A message whose send has completed is seen by two looks
 * of the receiver: true of MPIs that pass messages through memory.  It is not
 * of one that goes through a socket or a network card even within a node, nor
 * of a large message whose send does not complete before the receiver has
 * looked: for that one, ring after the send was started as well.  So a wait
 * ends after a second at the latest, whatever was asked for.
 *
 * When a rank dies.  The page lives as long as anybody maps it.  Asleep: the
 * next sender takes its flag down and wakes nobody; the others find it down.
 * Between taking a flag down and waking: the count may be as it was, other
 * senders of other ranks do not ring, and the sleeper is stranded until its
 * wait ends, at most that second.  Then it looks and sets its flag again.
 *
 * A rank that cannot map the page has a line to itself: the threads of its own
 * process ring it, other ranks do not, and it has to look by the clock.
 */
#ifndef TG_RANK_BELLS_H
#define TG_RANK_BELLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/shm.h"

/* One rank's line.  On its own line of the cache: it is looked at before every
 * message. */
struct tg_bell {
    atomic_uint count;  /* rings; the sleeper sleeps on it */
    atomic_uint asleep; /* somebody wants to be rung */
    unsigned char unused[56];
};

/* Constant after tg_bells_join(), but for what the pointers show.  Must not
 * move. */
struct tg_bells {
    int32_t rank, nranks;
    struct tg_bell *mine; /* in the page, else `alone` */
    struct tg_bell **of;  /* of each rank; NULL: cannot be rung from here */
    atomic_uint *joined;  /* ranks that have mapped the page; NULL: not we */
    bool one_node;        /* all ranks are on this node */
    struct tg_shm page;
    struct tg_bell alone;
};

/* ----- the start ------------------------------------------------------------ */

/* Before the exchange of cards.  Cannot fail: at worst nothing is offered.  The
 * offer goes into this rank's card. */
void tg_bells_offer(struct tg_bells *b, int32_t rank, int32_t nranks,
                    const struct tg_log *log, struct tg_shm_offer *out);
/* Afterwards.  node[r] is the node of rank r; first is the lowest rank of this
 * rank's node, and offer what it has offered: its page becomes the node's.
 * Local: who has not joined yet does not sleep on the page yet either. */
void tg_bells_join(struct tg_bells *b, const int32_t *node, int32_t first,
                   const struct tg_shm_offer *offer, const struct tg_log *log);
void tg_bells_free(struct tg_bells *b); /* also of zeros */

/* Every other rank of the runtime can ring this one. */
static inline bool tg_bells_all(const struct tg_bells *b)
{
    return b->nranks == 1 || (b->one_node && b->joined != NULL &&
                              atomic_load(b->joined) == (unsigned)b->nranks);
}

/* ----- the sleeper: one thread at a time ------------------------------------- */

static inline unsigned tg_bell_seen(const struct tg_bells *b)
{
    return atomic_load(&b->mine->count);
}

static inline void tg_bell_arm(struct tg_bells *b)
{
    atomic_store_explicit(&b->mine->asleep, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

static inline void tg_bell_disarm(struct tg_bells *b)
{
    atomic_store_explicit(&b->mine->asleep, 0, memory_order_relaxed);
}

/* Sleep while nobody has rung since `seen`, for at most ns (UINT64_MAX: no
 * limit).  May return early for no reason. */
void tg_bell_wait(struct tg_bells *b, unsigned seen, uint64_t ns);

/* ----- who rings ------------------------------------------------------------- */

/* This rank, by a thread of its own: counts always, so that the sleeper need
 * not be armed while it looks at what threads have queued. */
void tg_bell_ring(struct tg_bells *b);

void tg_bells_wake(struct tg_bell *bell); /* for tg_bells_ring() */

/* Another rank, which has been sent something.  A few ns if it is awake, and
 * if it sleeps one system call by one of those who ring at a time. */
static inline void tg_bells_ring(const struct tg_bells *b, int32_t rank)
{
    struct tg_bell *bell = b->of[rank];
    if (bell == NULL)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&bell->asleep, memory_order_relaxed) != 0)
        tg_bells_wake(bell);
}

/* It will soon be sent something: if it sleeps, wake it meanwhile.  May miss
 * that it has just gone to sleep; the ring that follows does not. */
static inline void tg_bells_rouse(const struct tg_bells *b, int32_t rank)
{
    struct tg_bell *bell = b->of[rank];
    if (bell != NULL &&
        atomic_load_explicit(&bell->asleep, memory_order_relaxed) != 0)
        tg_bells_wake(bell);
}

#endif
