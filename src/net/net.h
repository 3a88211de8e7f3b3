/* net.h - bytes between ranks: what every transport can do.
 *
 * A transport moves small frames (ordered per pair, always eager, at most
 * TG_FRAME_MAX bytes) and bulk pieces (any size, matched by peer and tag,
 * ordered per peer and tag, not ordered against frames).  It knows no
 * messages and no credits.  All calls are made by one thread at a time.
 */
#ifndef TG_NET_NET_H
#define TG_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TG_FRAME_MAX = 4000,
    TG_NET_AHEAD = 68,   /* frames of a pair under way or unread, at most */
    TG_BULK_TAGS = 16384 /* tags 0 .. TG_BULK_TAGS - 1 */
};

struct tg_net; /* a transport's own state */

enum tg_net_event_type {
    TG_NET_FRAME = 1, /* data, size: valid until the next poll */
    TG_NET_SENT,      /* a bulk piece has left; its memory is free again */
    TG_NET_RECEIVED   /* a bulk piece has arrived */
};

struct tg_net_event {
    enum tg_net_event_type type;
    int32_t rank;
    const unsigned char *data;
    size_t size;
    void *cookie; /* of the bulk piece */
};

struct tg_net_ops {
    /* Room for the next frame to that rank, TG_FRAME_MAX bytes, to be filled
     * and sent. */
    unsigned char *(*frame)(struct tg_net *net, int32_t rank);
    /* Send the first size bytes of it.  Never blocks: the caller sees to it
     * that not too many are ahead (chan.h). */
    int (*send)(struct tg_net *net, int32_t rank, size_t size);
    /* Start to move size > 0 bytes; data stays untouched until its event. */
    int (*bulk_send)(struct tg_net *net, int32_t rank, uint32_t tag,
                     const void *data, uint64_t size, void *cookie);
    int (*bulk_recv)(struct tg_net *net, int32_t rank, uint32_t tag, void *data,
                     uint64_t size, void *cookie);
    /* One thing that has happened; false when nothing has. */
    bool (*poll)(struct tg_net *net, struct tg_net_event *ev);
    /* The rank is lost: nothing is sent to it, nothing from it is shown, and
     * the memory of its transfers is never given back while MPI may write. */
    void (*fence)(struct tg_net *net, int32_t rank);
};

#endif
