/* net_node.h - frames between ranks of one node go through memory.
 *
 * A transport on top of another, which takes everything else: bulk pieces, and
 * the frames of ranks that this one cannot reach.  MPI would carry frames
 * within a node too, but three times as slowly.
 *
 * Each rank has an inbox for every other one, a ring of slots in memory that
 * the receiver makes and offers (base/shm.h) and the sender maps.  Only the
 * sender writes a slot, and last of all the word that says that it is full;
 * only the receiver counts the slots that it has read.  So each side writes
 * what the other only reads, and neither waits.  There is always a free slot:
 * nobody sends more than TG_NET_AHEAD frames that have not been read (net.h).
 *
 * Each direction of a pair goes its own way, the same from the first frame to
 * the last: a rank that cannot map another's inbox sends to it by MPI, and may
 * well be reached through memory.
 *
 * A rank that dies leaves its memory to those who have mapped it, and no slot
 * half full: what has no word is not there.
 */
#ifndef TG_NET_NET_NODE_H
#define TG_NET_NET_NODE_H

#include "base/shm.h"
#include "net/net.h"

/* Cannot fail: at worst nothing is offered (fd below 0), and `why` says why.
 * Otherwise why is empty. */
void tg_net_node_create(int32_t rank, int32_t nranks, struct tg_net **net,
                        struct tg_shm_offer *offer, char *why, size_t nwhy);
/* The transport below stays the caller's. */
void tg_net_node_destroy(struct tg_net **net);

/* That rank is on this node, and has offered this: from now on frames to it go
 * through its inbox, and this rank looks for frames from it.  Errors: those of
 * tg_shm_open(), with a line in why; it is reached by the transport below. */
int tg_net_node_join(struct tg_net *net, int32_t rank,
                     const struct tg_shm_offer *offer, char *why, size_t nwhy);

/* To be called before the first frame.  sent() as in tg_net_mpi_on_sent(). */
const struct tg_net_ops *tg_net_node_over(struct tg_net *net,
                                          struct tg_net *below,
                                          const struct tg_net_ops *ops,
                                          void (*sent)(void *arg, int32_t rank),
                                          void *arg);

/* Is there a frame in an inbox?  For a thread that is about to sleep: it sees
 * what was sent before its last fence.  Says nothing of what is below. */
bool tg_net_node_look(const struct tg_net *net);

/* Nothing can come from the transport below: all ranks send through memory,
 * and no piece is under way. */
bool tg_net_node_alone(struct tg_net *net);

#endif
