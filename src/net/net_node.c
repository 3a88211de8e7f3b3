/* net_node.c - see net_node.h. */
#include "net/net_node.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>

#include "base/assert.h"
#include "base/mem.h"

enum {
    PAGE = 65536, /* the largest page that a system may have */
    SLOTS = 80,
    TURN = 8 /* frames shown before the transport below is asked again */
};

/* The word of a slot: the low half of the frame's number, counted from 1, above
 * its size.  It lies with the frame's first bytes, so that a short one (a run
 * with one number, say) moves in one line. */
struct slot {
    _Atomic uint32_t word;
    unsigned char data[TG_FRAME_MAX];
    unsigned char unused[28];
};

struct inbox {          /* from one rank to another */
    atomic_uint joined; /* by the sender: it uses this */
    atomic_uint read;   /* by the receiver: frames read so far */
    unsigned char unused[TG_CACHE_LINE - 2 * sizeof(atomic_uint)];
    struct slot slots[SLOTS];
};

_Static_assert(sizeof(struct slot) % TG_CACHE_LINE == 0, "whole lines");
/* The frame that poll has shown counts as read only at the next poll. */
_Static_assert((int)SLOTS > TG_NET_AHEAD + 1, "there is always a free slot");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "no lock of one process");
_Static_assert((int)TG_FRAME_MAX < 65536, "half a word");

struct out { /* to a rank whose inbox we have mapped */
    struct tg_shm shm;
    struct inbox *box; /* NULL: it is reached by the transport below */
    uint32_t sent, read;
    uint32_t at; /* the slot of the next frame */
};

struct in { /* from a rank of this node */
    int32_t rank;
    struct inbox *box;
    uint32_t read;
    uint32_t at; /* the slot of the next frame */
    bool joined;
};

struct tg_net {
    int32_t rank, nranks;
    struct tg_shm mine;   /* every rank's inbox here */
    struct out *out;      /* by rank */
    TG_VEC(struct in) in; /* without those that are fenced */
    uint32_t others;      /* ranks that are not fenced */
    uint32_t njoined;     /* of `in` */
    uint32_t next;        /* in `in`: looked at first */
    struct in *shown;     /* whose frame poll gave out last; or NULL */
    uint32_t turn;
    uint64_t nbulk; /* pieces under way below */
    struct tg_net *below;
    const struct tg_net_ops *ops;
    void (*sent)(void *arg, int32_t rank);
    void *sent_arg;
};

/* ----- life --------------------------------------------------------------- */

static size_t box_size(void)
{
    return (sizeof(struct inbox) + PAGE - 1) / PAGE * PAGE;
}

static size_t box_at(int32_t from)
{
    return PAGE + (size_t)from * box_size();
}

void tg_net_node_create(int32_t rank, int32_t nranks, struct tg_net **out,
                        struct tg_shm_offer *offer, char *why, size_t nwhy)
{
    struct tg_net *net = tg_alloc(sizeof *net);
    net->rank = rank;
    net->nranks = nranks;
    net->others = (uint32_t)nranks - 1;
    net->out = tg_alloc((size_t)nranks * sizeof *net->out);
    *offer = (struct tg_shm_offer){.fd = -1};
    why[0] = '\0';
    (void)tg_shm_create(box_at(nranks), &net->mine, offer, why, nwhy);
    *out = net;
}

void tg_net_node_destroy(struct tg_net **out)
{
    struct tg_net *net = *out;
    if (net == NULL)
        return;
    for (int32_t r = 0; r < net->nranks; r++)
        tg_shm_free(&net->out[r].shm);
    tg_shm_free(&net->mine);
    tg_vec_free(&net->in);
    free(net->out);
    free(net);
    *out = NULL;
}

int tg_net_node_join(struct tg_net *net, int32_t rank,
                     const struct tg_shm_offer *offer, char *why, size_t nwhy)
{
    TG_ASSERT(rank >= 0 && rank < net->nranks && rank != net->rank);
    if (net->mine.at != NULL)
        *tg_vec_add(&net->in) = (struct in){
            .rank = rank, .box = (void *)((char *)net->mine.at + box_at(rank))};
    struct out *o = &net->out[rank];
    if (offer->fd < 0) {
        snprintf(why, nwhy, "it offers none");
        return TRYGON_ERR_IO;
    }
    int rc = tg_shm_open(offer, box_at(net->nranks), box_at(net->rank),
                         box_size(), &o->shm, why, nwhy);
    if (rc != TRYGON_SUCCESS)
        return rc;
    o->box = o->shm.at;
    atomic_store(&o->box->joined, 1);
    return TRYGON_SUCCESS;
}

static uint32_t next_slot(uint32_t at)
{
    return at + 1 < SLOTS ? at + 1 : 0;
}

/* ----- sending ------------------------------------------------------------ */

static unsigned char *frame(struct tg_net *net, int32_t rank)
{
    struct out *o = &net->out[rank];
    if (o->box == NULL)
        return net->ops->frame(net->below, rank);
    return o->box->slots[o->at].data;
}

/* A short frame's next slot will want its second line: fetch it meanwhile. */
static int send(struct tg_net *net, int32_t rank, size_t size)
{
    struct out *o = &net->out[rank];
    if (o->box == NULL)
        return net->ops->send(net->below, rank, size);
    TG_ASSERT(size <= TG_FRAME_MAX);
    o->sent++;
    atomic_store_explicit(&o->box->slots[o->at].word,
                          o->sent << 16 | (uint32_t)size, memory_order_release);
    o->at = next_slot(o->at);
    if (o->sent - o->read >= TG_NET_AHEAD)
        o->read = atomic_load_explicit(&o->box->read, memory_order_acquire);
    TG_ASSERT(o->sent - o->read < SLOTS); /* the next one is free as well */
    __builtin_prefetch(o->box->slots[o->at].data + TG_CACHE_LINE, 1);
    net->sent(net->sent_arg, rank);
    return TRYGON_SUCCESS;
}

static int bulk_send(struct tg_net *net, int32_t rank, uint32_t tag,
                     const void *data, uint64_t size, void *cookie)
{
    net->nbulk++;
    return net->ops->bulk_send(net->below, rank, tag, data, size, cookie);
}

static int bulk_recv(struct tg_net *net, int32_t rank, uint32_t tag, void *data,
                     uint64_t size, void *cookie)
{
    net->nbulk++;
    return net->ops->bulk_recv(net->below, rank, tag, data, size, cookie);
}

/* ----- receiving ---------------------------------------------------------- */

/* The size of the next frame of an inbox; -1: it has not come. */
static int32_t next_size(const struct in *in)
{
    const struct slot *s = &in->box->slots[in->at];
    uint32_t word = atomic_load_explicit(&s->word, memory_order_acquire);
    return word >> 16 == ((in->read + 1) & 0xffff) ? (int32_t)(word & 0xffff)
                                                   : -1;
}

static void advance(struct in *in)
{
    in->read++;
    in->at = next_slot(in->at);
}

static void drop_shown(struct tg_net *net)
{
    struct in *in = net->shown;
    net->shown = NULL;
    advance(in);
    atomic_store_explicit(&in->box->read, in->read, memory_order_release);
}

/* Each in turn, so that none is heard more than others. */
static bool next_frame(struct tg_net *net, struct tg_net_event *ev)
{
    uint32_t n = net->in.n;
    for (uint32_t i = 0; i < n; i++) {
        if (net->next >= n)
            net->next = 0;
        struct in *in = &net->in.v[net->next++];
        int32_t size = next_size(in);
        if (size < 0)
            continue;
        net->shown = in;
        *ev = (struct tg_net_event){.type = TG_NET_FRAME,
                                    .rank = in->rank,
                                    .data = in->box->slots[in->at].data,
                                    .size = (size_t)size};
        return true;
    }
    return false;
}

static void count_joined(struct tg_net *net)
{
    for (uint32_t i = 0; i < net->in.n; i++) {
        struct in *in = &net->in.v[i];
        if (!in->joined && atomic_load(&in->box->joined) != 0) {
            in->joined = true;
            net->njoined++;
        }
    }
}

/* Once all ranks send through memory the transport below has only what was
 * started here. */
bool tg_net_node_alone(struct tg_net *net)
{
    if (net->njoined != net->others && net->in.n >= net->others)
        count_joined(net);
    return net->njoined == net->others && net->nbulk == 0;
}

static bool poll_below(struct tg_net *net, struct tg_net_event *ev)
{
    if (!net->ops->poll(net->below, ev))
        return false;
    net->nbulk -= ev->type != TG_NET_FRAME;
    return true;
}

static bool poll(struct tg_net *net, struct tg_net_event *ev)
{
    if (net->shown != NULL)
        drop_shown(net);
    bool below = !tg_net_node_alone(net);
    bool below_first = below && net->turn++ % TURN == 0;
    if (below_first && poll_below(net, ev))
        return true;
    return next_frame(net, ev) ||
           (below && !below_first && poll_below(net, ev));
}

bool tg_net_node_look(const struct tg_net *net)
{
    for (uint32_t i = 0; i < net->in.n; i++) {
        struct in in = net->in.v[i];
        if (&net->in.v[i] == net->shown)
            advance(&in);
        if (next_size(&in) >= 0)
            return true;
    }
    return false;
}

/* ----- the dead ----------------------------------------------------------- */

/* The transport below drops what is for it; its inbox here is looked at no
 * more. */
static void fence(struct tg_net *net, int32_t rank)
{
    net->others--;
    net->out[rank].box = NULL;
    for (uint32_t i = 0; i < net->in.n; i++) {
        if (net->in.v[i].rank != rank)
            continue;
        if (net->shown != NULL)
            drop_shown(net); /* the places in the list change */
        net->njoined -= net->in.v[i].joined;
        net->in.v[i] = net->in.v[--net->in.n];
        break;
    }
    net->ops->fence(net->below, rank);
}

const struct tg_net_ops *tg_net_node_over(struct tg_net *net,
                                          struct tg_net *below,
                                          const struct tg_net_ops *ops,
                                          void (*sent)(void *arg, int32_t rank),
                                          void *arg)
{
    static const struct tg_net_ops node_ops = {.frame = frame,
                                               .send = send,
                                               .bulk_send = bulk_send,
                                               .bulk_recv = bulk_recv,
                                               .poll = poll,
                                               .fence = fence};
    net->below = below;
    net->ops = ops;
    net->sent = sent;
    net->sent_arg = arg;
    return &node_ops;
}
