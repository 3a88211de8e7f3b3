/* net_sim.h - a transport in memory, for many ranks in one process.
 *
 * It keeps no time: whatever leaves is handed to the owner of the clock, who
 * gives it back when it is to arrive.  Frames of one pair must arrive in the
 * order in which they left; bulk pieces may come as they like.
 *
 * A rank that is killed neither gets nor completes anything any more; what had
 * left it before still arrives.
 */
#ifndef TG_NET_NET_SIM_H
#define TG_NET_NET_SIM_H

#include "net/net.h"

struct tg_netsim; /* the network of all ranks */

struct tg_packet { /* on its way */
    bool bulk;
    int32_t from, to;
    uint64_t size;
    /* For net_sim.c only. */
    const unsigned char *src;
    unsigned char *dst;
    unsigned char *copy; /* owned: a frame, or a piece that left at once */
    void *sent_cookie, *received_cookie;
    struct tg_packet *prev, *next;
};

struct tg_netsim_opts {
    int32_t nranks;
    uint64_t eager_max;  /* a bulk piece up to so many bytes leaves at once */
    uint32_t frames_max; /* frames of a pair under way or unread */
    void *arg;
    void (*leave)(void *arg, struct tg_packet *p);
};

void tg_netsim_create(const struct tg_netsim_opts *opts,
                      struct tg_netsim **net);
void tg_netsim_destroy(struct tg_netsim **net);

struct tg_net *tg_netsim_rank(struct tg_netsim *net, int32_t rank);
const struct tg_net_ops *tg_netsim_ops(void);

/* The packet is there: its ranks may poll.  It is gone afterwards. */
void tg_netsim_arrive(struct tg_netsim *net, struct tg_packet *p);
void tg_netsim_kill(struct tg_netsim *net, int32_t rank);

/* Something has come for the rank. */
bool tg_netsim_has(const struct tg_netsim *net, int32_t rank);
/* Frames of a pair that have left and were not read. */
uint32_t tg_netsim_unread(const struct tg_netsim *net, int32_t from,
                          int32_t to);

#endif
