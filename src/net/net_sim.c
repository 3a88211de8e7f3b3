/* net_sim.c - see net_sim.h. */
#include "net/net_sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "core/map.h"

struct piece { /* a bulk transfer that waits for its other side */
    bool recv;
    int32_t peer;
    uint32_t tag;
    uint64_t size;
    const unsigned char *src;
    unsigned char *dst;
    unsigned char *copy;
    void *cookie;
    struct piece *prev, *next;
};

struct arrival {
    struct tg_net_event ev;
    unsigned char *owned; /* a frame's bytes */
    struct arrival *prev, *next;
};

struct tg_net { /* one rank's end */
    struct tg_netsim *all;
    int32_t rank;
    bool dead;
    bool *fenced;        /* of each rank */
    uint32_t *unread;    /* frames to each rank; NULL: none ever sent */
    unsigned char *room; /* of the next frame */
    struct piece *sends, *recvs;
    struct arrival *inbox;
    struct arrival *shown;
};

struct tg_netsim {
    struct tg_netsim_opts opts;
    struct tg_net *ranks;
    struct tg_packet *under_way;
};

void tg_netsim_create(const struct tg_netsim_opts *opts, struct tg_netsim **net)
{
    struct tg_netsim *s = tg_alloc(sizeof *s);
    s->opts = *opts;
    s->ranks = tg_alloc((size_t)opts->nranks * sizeof *s->ranks);
    for (int32_t r = 0; r < opts->nranks; r++) {
        s->ranks[r].all = s;
        s->ranks[r].rank = r;
        s->ranks[r].fenced = tg_alloc((size_t)opts->nranks * sizeof(bool));
    }
    *net = s;
}

static void free_pieces(struct piece **list)
{
    struct piece *p, *next;
    DL_FOREACH_SAFE (*list, p, next) {
        free(p->copy);
        free(p);
    }
    *list = NULL;
}

static void free_arrival(struct arrival *a)
{
    if (a != NULL)
        free(a->owned);
    free(a);
}

static void free_packet(struct tg_netsim *s, struct tg_packet *p)
{
    DL_DELETE(s->under_way, p);
    free(p->copy);
    free(p);
}

void tg_netsim_destroy(struct tg_netsim **net)
{
    struct tg_netsim *s = *net;
    if (s == NULL)
        return;
    while (s->under_way != NULL)
        free_packet(s, s->under_way);
    for (int32_t r = 0; r < s->opts.nranks; r++) {
        struct tg_net *n = &s->ranks[r];
        struct arrival *a, *next;
        DL_FOREACH_SAFE (n->inbox, a, next)
            free_arrival(a);
        free_arrival(n->shown);
        free_pieces(&n->sends);
        free_pieces(&n->recvs);
        free(n->room);
        free(n->fenced);
        free(n->unread);
    }
    free(s->ranks);
    free(s);
    *net = NULL;
}

struct tg_net *tg_netsim_rank(struct tg_netsim *s, int32_t rank)
{
    return &s->ranks[rank];
}

static void leave(struct tg_netsim *s, const struct tg_packet *like)
{
    struct tg_packet *p = tg_alloc(sizeof *p);
    *p = *like;
    DL_APPEND(s->under_way, p);
    s->opts.leave(s->opts.arg, p);
}

static unsigned char *copy_of(const void *data, uint64_t size)
{
    unsigned char *v = tg_grow(NULL, (size_t)size, 1);
    memcpy(v, data, (size_t)size);
    return v;
}

/* ----- frames ------------------------------------------------------------------ */

static unsigned char *sim_frame(struct tg_net *n, int32_t rank)
{
    (void)rank; /* all frames are made in one place */
    if (n->room == NULL)
        n->room = tg_alloc(TG_FRAME_MAX);
    return n->room;
}

static int sim_send(struct tg_net *n, int32_t rank, size_t size)
{
    TG_ASSERT(rank != n->rank && size > 0 && size <= TG_FRAME_MAX);
    TG_ASSERT(!n->fenced[rank]);
    if (n->unread == NULL)
        n->unread = tg_alloc((size_t)n->all->opts.nranks * sizeof *n->unread);
    n->unread[rank]++;
    TG_ASSERT(n->unread[rank] <= n->all->opts.frames_max);
    struct tg_packet p = {.from = n->rank, .to = rank, .size = size};
    p.copy = copy_of(n->room, size);
    leave(n->all, &p);
    return 0;
}

static void put_in(struct tg_net *n, int32_t peer, enum tg_net_event_type type,
                   void *cookie)
{
    if (n->dead || n->fenced[peer])
        return;
    struct arrival *a = tg_alloc(sizeof *a);
    a->ev = (struct tg_net_event){.type = type, .rank = peer, .cookie = cookie};
    DL_APPEND(n->inbox, a);
}

static void frame_arrives(struct tg_net *n, struct tg_packet *p)
{
    if (n->dead || n->fenced[p->from])
        return;
    struct arrival *a = tg_alloc(sizeof *a);
    a->owned = p->copy;
    a->ev = (struct tg_net_event){.type = TG_NET_FRAME,
                                  .rank = p->from,
                                  .data = p->copy,
                                  .size = (size_t)p->size};
    p->copy = NULL;
    DL_APPEND(n->inbox, a);
}

/* ----- bulk --------------------------------------------------------------------- */

static struct piece *find(struct piece *list, int32_t peer, uint32_t tag)
{
    struct piece *p;
    DL_FOREACH (list, p) {
        if (p->peer == peer && p->tag == tag)
            return p;
    }
    return NULL;
}

/* Both sides are there: the bytes leave. */
static void match(struct tg_net *from, struct tg_net *to, uint32_t tag)
{
    struct piece *s = find(from->sends, to->rank, tag);
    struct piece *r = find(to->recvs, from->rank, tag);
    if (s == NULL || r == NULL)
        return;
    TG_ASSERT(s->size == r->size);
    struct tg_packet p = {.bulk = true,
                          .from = from->rank,
                          .to = to->rank,
                          .size = s->size,
                          .src = s->copy != NULL ? s->copy : s->src,
                          .dst = r->dst,
                          .copy = s->copy,
                          .sent_cookie = s->cookie,
                          .received_cookie = r->cookie};
    DL_DELETE(from->sends, s);
    DL_DELETE(to->recvs, r);
    free(s);
    free(r);
    leave(from->all, &p);
}

static int bulk(struct tg_net *n, const struct piece *like)
{
    TG_ASSERT(like->size > 0 && like->tag < TG_BULK_TAGS);
    TG_ASSERT(like->peer != n->rank && !n->fenced[like->peer]);
    struct piece *p = tg_alloc(sizeof *p);
    *p = *like;
    struct tg_net *peer = &n->all->ranks[p->peer];
    if (p->recv) {
        DL_APPEND(n->recvs, p);
        match(peer, n, like->tag);
        return 0;
    }
    if (p->size <= n->all->opts.eager_max) {
        p->copy = copy_of(p->src, p->size);
        put_in(n, p->peer, TG_NET_SENT, p->cookie);
    }
    DL_APPEND(n->sends, p);
    match(n, peer, like->tag);
    return 0;
}

static int sim_bulk_send(struct tg_net *n, int32_t rank, uint32_t tag,
                         const void *data, uint64_t size, void *cookie)
{
    struct piece p = {
        .peer = rank, .tag = tag, .size = size, .src = data, .cookie = cookie};
    return bulk(n, &p);
}

static int sim_bulk_recv(struct tg_net *n, int32_t rank, uint32_t tag,
                         void *data, uint64_t size, void *cookie)
{
    struct piece p = {.recv = true,
                      .peer = rank,
                      .tag = tag,
                      .size = size,
                      .dst = data,
                      .cookie = cookie};
    return bulk(n, &p);
}

/* What a killed sender had not copied never comes. */
static void piece_arrives(struct tg_netsim *s, const struct tg_packet *p)
{
    struct tg_net *from = &s->ranks[p->from], *to = &s->ranks[p->to];
    if (to->dead || to->fenced[p->from] || (from->dead && p->copy == NULL))
        return;
    memcpy(p->dst, p->src, (size_t)p->size);
    put_in(to, p->from, TG_NET_RECEIVED, p->received_cookie);
    if (p->copy == NULL)
        put_in(from, p->to, TG_NET_SENT, p->sent_cookie);
}

void tg_netsim_arrive(struct tg_netsim *s, struct tg_packet *p)
{
    if (p->bulk)
        piece_arrives(s, p);
    else
        frame_arrives(&s->ranks[p->to], p);
    free_packet(s, p);
}

/* ----- polling and loss --------------------------------------------------------------- */

static bool sim_poll(struct tg_net *n, struct tg_net_event *ev)
{
    free_arrival(n->shown);
    n->shown = n->inbox;
    if (n->inbox == NULL)
        return false;
    DL_DELETE(n->inbox, n->shown);
    *ev = n->shown->ev;
    if (ev->type == TG_NET_FRAME)
        n->all->ranks[ev->rank].unread[n->rank]--;
    return true;
}

static void fence_pieces(struct piece **list, int32_t rank)
{
    struct piece *p, *next;
    DL_FOREACH_SAFE (*list, p, next) {
        if (p->peer != rank)
            continue;
        DL_DELETE(*list, p);
        free(p->copy);
        free(p);
    }
}

static void sim_fence(struct tg_net *n, int32_t rank)
{
    n->fenced[rank] = true;
    fence_pieces(&n->sends, rank);
    fence_pieces(&n->recvs, rank);
    struct arrival *a, *next;
    DL_FOREACH_SAFE (n->inbox, a, next) {
        if (a->ev.rank != rank)
            continue;
        DL_DELETE(n->inbox, a);
        free_arrival(a);
    }
}

void tg_netsim_kill(struct tg_netsim *s, int32_t rank)
{
    struct tg_net *n = &s->ranks[rank];
    struct arrival *a, *next;
    n->dead = true;
    DL_FOREACH_SAFE (n->inbox, a, next)
        free_arrival(a);
    n->inbox = NULL;
}

bool tg_netsim_has(const struct tg_netsim *s, int32_t rank)
{
    return s->ranks[rank].inbox != NULL;
}

uint32_t tg_netsim_unread(const struct tg_netsim *s, int32_t from, int32_t to)
{
    return s->ranks[from].unread != NULL ? s->ranks[from].unread[to] : 0;
}

const struct tg_net_ops *tg_netsim_ops(void)
{
    static const struct tg_net_ops ops = {.frame = sim_frame,
                                          .send = sim_send,
                                          .bulk_send = sim_bulk_send,
                                          .bulk_recv = sim_bulk_recv,
                                          .poll = sim_poll,
                                          .fence = sim_fence};
    return &ops;
}
