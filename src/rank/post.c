/* post.c - see post.h.
 *
 * record: 0 | body                          all of it is here
 *         1 | tag u16 | body                attachments follow under the tag
 *         2 | tag u16 | size u32            the body follows under the tag,
 *                                           then its attachments, if any
 */
#include "rank/post.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/chan.h"
#include "core/map.h"
#include "wire/wire.h"

enum record_kind { WHOLE, ATTACHED, APART };
enum { TAGGED_HEADER = 3, APART_HEADER = 7 };

struct transfer { /* a message of which parts travel apart */
    bool out;
    int32_t rank;
    uint32_t tag;
    struct tg_msg msg;
    struct tg_bytes body;      /* APART only */
    struct tg_attached pieces; /* of msg */
    void *unwanted;            /* in: the bytes of a DATA that nobody wants */
    uint32_t pending;          /* pieces (and body) still under way */
    bool body_known;           /* in: msg is decoded */
    struct transfer *prev, *next;
};

struct peer {
    struct tg_chan chan;
    uint32_t next_tag;
    bool dead;
    bool is_due; /* it is in the list of those */
};

struct shown { /* the frame that the transport shows, not read to its end */
    int32_t from;
    const unsigned char *data; /* NULL: none */
    size_t size, at;
};

struct tg_post {
    int32_t rank, nranks;
    struct tg_vals *vals;
    struct tg_net *net;
    const struct tg_net_ops *ops;
    struct tg_post_ends ends;
    struct peer *peers;
    struct transfer *waiting;   /* to be given to the transport */
    struct transfer *transfers; /* under way, both directions */
    struct shown frame;
    TG_VEC(int32_t) due; /* ranks whose channel may have something to send */
    struct tg_attached attached;
};

int tg_post_create(int32_t rank, int32_t nranks, struct tg_vals *vals,
                   struct tg_net *net, const struct tg_net_ops *ops,
                   const struct tg_post_ends *ends, struct tg_post **post)
{
    struct tg_post *p = tg_alloc(sizeof *p);
    p->rank = rank;
    p->nranks = nranks;
    p->vals = vals;
    p->net = net;
    p->ops = ops;
    if (ends != NULL)
        p->ends = *ends;
    p->peers = tg_alloc((size_t)nranks * sizeof *p->peers);
    for (int32_t r = 0; r < nranks; r++)
        tg_chan_init(&p->peers[r].chan);
    *post = p;
    return TRYGON_SUCCESS;
}

static void free_transfer(struct transfer *t)
{
    if (t->out || t->body_known)
        tg_msg_fini(&t->msg);
    tg_bytes_fini(&t->body);
    tg_attached_fini(&t->pieces);
    free(t->unwanted);
    free(t);
}

static bool has_bytes(const struct tg_msg *m)
{
    return m->type == TG_MSG_DATA && m->u.data.code == 0 && m->u.data.n > 0;
}

/* The transport does not, or no longer, read the bytes of m. */
static void let_go(struct tg_post *p, int32_t to, struct tg_msg *m)
{
    if (has_bytes(m) && p->ends.sent != NULL)
        p->ends.sent(p->ends.arg, to, m);
}

void tg_post_destroy(struct tg_post **post)
{
    struct tg_post *p = *post;
    if (p == NULL)
        return;
    struct transfer *t, *next;
    DL_FOREACH_SAFE (p->waiting, t, next)
        free_transfer(t);
    DL_FOREACH_SAFE (p->transfers, t, next)
        free_transfer(t);
    for (int32_t r = 0; r < p->nranks; r++)
        tg_chan_fini(&p->peers[r].chan);
    tg_vec_free(&p->due);
    tg_attached_fini(&p->attached);
    free(p->peers);
    free(p);
    *post = NULL;
}

static inline void mark_due(struct tg_post *p, int32_t rank)
{
    struct peer *peer = &p->peers[rank];
    if (peer->is_due || !tg_chan_due(&peer->chan))
        return;
    peer->is_due = true;
    *tg_vec_add(&p->due) = rank;
}

/* ----- sending ----------------------------------------------------------------- */

/* The transfer takes the message and its list of pieces. */
static struct transfer *begin_out(struct tg_post *p, int32_t rank,
                                  struct tg_msg *m)
{
    struct transfer *t = tg_alloc(sizeof *t);
    t->out = true;
    t->rank = rank;
    t->tag = p->peers[rank].next_tag++ % TG_BULK_TAGS;
    t->msg = *m;
    t->pieces = p->attached;
    p->attached = (struct tg_attached){0};
    DL_APPEND(p->waiting, t);
    return t;
}

static void append(struct tg_bytes *b, const void *bytes, size_t n)
{
    tg_bytes_room(b, n);
    memcpy(b->v + b->n, bytes, n);
    b->n += n;
}

/* The record is its kind and the body so far, but parts of the message travel
 * apart: its attachments, and the body if it is too large for a record. */
static __attribute__((noinline)) void
split_record(struct tg_post *p, int32_t rank, struct tg_msg *m, size_t begin)
{
    struct tg_bytes *out = &p->peers[rank].chan.out, body = {0};
    struct transfer *t = begin_out(p, rank, m);
    append(&body, out->v + begin + 1, out->n - begin - 1);
    bool apart = TAGGED_HEADER + body.n > TG_CHAN_RECORD;
    unsigned char h[APART_HEADER] = {apart ? APART : ATTACHED,
                                     (unsigned char)t->tag,
                                     (unsigned char)(t->tag >> 8)};
    for (int i = 0; i < 4; i++)
        h[TAGGED_HEADER + i] = (unsigned char)(body.n >> (8 * i));
    out->n = begin;
    append(out, h, apart ? APART_HEADER : TAGGED_HEADER);
    if (apart) {
        t->body = body;
    } else {
        append(out, body.v, body.n);
        tg_bytes_fini(&body);
    }
}

void tg_post_send(struct tg_post *p, int32_t rank, struct tg_msg *m)
{
    struct peer *peer = &p->peers[rank];
    TG_ASSERT(rank != p->rank);
    if (peer->dead) {
        let_go(p, rank, m);
        tg_msg_fini(m);
        return;
    }
    struct tg_bytes *out = &peer->chan.out;
    size_t begin = tg_chan_begin(&peer->chan);
    tg_bytes_room(out, 1);
    out->v[out->n++] = WHOLE;
    p->attached.n = 0;
    tg_wire_encode(m, out, &p->attached);
    if (p->attached.n > 0 || out->n - begin > TG_CHAN_RECORD)
        split_record(p, rank, m, begin);
    else
        tg_msg_fini(m);
    tg_chan_end(&peer->chan, begin);
    mark_due(p, rank);
}

static __attribute__((noinline)) int start_transfer(struct tg_post *p,
                                                    struct transfer *t)
{
    int rc = TRYGON_SUCCESS;
    DL_DELETE(p->waiting, t);
    DL_APPEND(p->transfers, t);
    t->pending = t->pieces.n + (t->body.n > 0);
    if (t->body.n > 0)
        rc =
            p->ops->bulk_send(p->net, t->rank, t->tag, t->body.v, t->body.n, t);
    for (uint32_t i = 0; rc == TRYGON_SUCCESS && i < t->pieces.n; i++)
        rc = p->ops->bulk_send(p->net, t->rank, t->tag, t->pieces.v[i].at,
                               t->pieces.v[i].size, t);
    return rc;
}

/* All frames that may leave do, or only those that should. */
static inline int send_frames(struct tg_post *p, int32_t rank,
                              struct tg_chan *chan, bool all)
{
    int rc = TRYGON_SUCCESS;
    while (rc == TRYGON_SUCCESS &&
           (all ? tg_chan_due(chan) : tg_chan_pressing(chan))) {
        unsigned char *frame = p->ops->frame(p->net, rank);
        rc = p->ops->send(p->net, rank, tg_chan_take(chan, frame));
    }
    return rc;
}

static int flush(struct tg_post *p, bool all)
{
    int rc = TRYGON_SUCCESS;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->due.n; i++) {
        int32_t rank = p->due.v[i];
        struct peer *peer = &p->peers[rank];
        if (rc == TRYGON_SUCCESS && !peer->dead)
            rc = send_frames(p, rank, &peer->chan, all);
        peer->is_due = !peer->dead && tg_chan_due(&peer->chan);
        if (peer->is_due)
            p->due.v[kept++] = rank;
    }
    p->due.n = kept;
    while (rc == TRYGON_SUCCESS && p->waiting != NULL)
        rc = start_transfer(p, p->waiting);
    return rc;
}

int tg_post_flush(struct tg_post *p)
{
    return flush(p, true);
}

int tg_post_flush_idle(struct tg_post *p)
{
    return flush(p, false);
}

/* ----- receiving ------------------------------------------------------------------ */

/* A DATA says nothing of where its bytes, the only piece, are to go. */
static int place_bytes(struct tg_post *p, struct transfer *t)
{
    struct tg_piece *piece = &t->pieces.v[0];
    void *at = NULL;
    if (p->ends.into != NULL)
        at = p->ends.into(p->ends.arg, t->rank, &t->msg);
    t->msg.u.data.bytes = at;
    if (at == NULL)
        at = t->unwanted = malloc((size_t)piece->size);
    piece->at = at;
    return at != NULL ? TRYGON_SUCCESS : TRYGON_ERR_NOMEM;
}

/* The body of t is known: ask for its attachments. */
static int expect_pieces(struct tg_post *p, struct transfer *t)
{
    int rc = has_bytes(&t->msg) ? place_bytes(p, t) : TRYGON_SUCCESS;
    t->body_known = true;
    t->pending += t->pieces.n;
    for (uint32_t i = 0; rc == TRYGON_SUCCESS && i < t->pieces.n; i++)
        rc = p->ops->bulk_recv(p->net, t->rank, t->tag, t->pieces.v[i].at,
                               t->pieces.v[i].size, t);
    return rc;
}

static struct transfer *begin_in(struct tg_post *p, int32_t from, uint32_t tag)
{
    struct transfer *t = tg_alloc(sizeof *t);
    t->rank = from;
    t->tag = tag;
    DL_APPEND(p->transfers, t);
    return t;
}

static int on_whole(struct tg_post *p, const unsigned char *r, size_t n,
                    struct tg_msg *m)
{
    p->attached.n = 0;
    int rc = tg_wire_decode(r, n, p->vals, m, &p->attached);
    if (rc == TRYGON_SUCCESS && p->attached.n > 0) {
        tg_msg_fini(m);
        rc = TRYGON_ERR_INVALID;
    }
    return rc == TRYGON_SUCCESS ? 1 : rc;
}

/* Of a message that is not all here. */
static __attribute__((noinline)) int on_tagged(struct tg_post *p, int32_t from,
                                               const unsigned char *r, size_t n)
{
    if (n < TAGGED_HEADER || r[0] > APART ||
        (r[0] == APART && n != APART_HEADER))
        return TRYGON_ERR_INVALID;
    struct transfer *t =
        begin_in(p, from, (uint32_t)r[1] | (uint32_t)r[2] << 8);
    if (r[0] == ATTACHED) {
        int rc = tg_wire_decode(r + TAGGED_HEADER, n - TAGGED_HEADER, p->vals,
                                &t->msg, &t->pieces);
        if (rc == TRYGON_SUCCESS && t->pieces.n == 0)
            rc = TRYGON_ERR_INVALID;
        return rc == TRYGON_SUCCESS ? expect_pieces(p, t) : rc;
    }
    size_t size = 0;
    for (int i = 0; i < 4; i++)
        size |= (size_t)r[3 + i] << (8 * i);
    if (size == 0)
        return TRYGON_ERR_INVALID;
    t->body.v = malloc(size);
    if (t->body.v == NULL)
        return TRYGON_ERR_NOMEM;
    t->body.n = t->body.cap = size;
    t->pending = 1;
    return p->ops->bulk_recv(p->net, from, t->tag, t->body.v, size, t);
}

/* The next message of the frame that is shown: 1, and it is in *m. */
static int next_record(struct tg_post *p, int32_t *from, struct tg_msg *m)
{
    struct shown *f = &p->frame;
    int rc = 0;
    *from = f->from;
    while (rc == 0 && f->data != NULL) {
        size_t n;
        const unsigned char *r = tg_chan_record(f->data, f->size, &f->at, &n);
        if (f->at >= f->size)
            f->data = NULL; /* this one is the last */
        if (r != NULL)
            rc = r[0] == WHOLE ? on_whole(p, r + 1, n - 1, m)
                               : on_tagged(p, f->from, r, n);
    }
    return rc;
}

static int on_frame(struct tg_post *p, const struct tg_net_event *ev)
{
    int rc = tg_chan_got(&p->peers[ev->rank].chan, ev->data, ev->size);
    if (rc == TRYGON_SUCCESS)
        p->frame = (struct shown){ev->rank, ev->data, ev->size, 0};
    mark_due(p, ev->rank);
    return rc;
}

static __attribute__((noinline)) int
on_piece(struct tg_post *p, struct transfer *t, int32_t *from, struct tg_msg *m)
{
    int rc = TRYGON_SUCCESS;
    TG_ASSERT(t->pending > 0);
    t->pending--;
    if (!t->out && !t->body_known) {
        rc = tg_wire_decode(t->body.v, t->body.n, p->vals, &t->msg, &t->pieces);
        if (rc == TRYGON_SUCCESS)
            rc = expect_pieces(p, t);
    }
    if (rc != TRYGON_SUCCESS || t->pending > 0)
        return rc;
    if (!t->out && !tg_wire_complete(&t->msg))
        rc = TRYGON_ERR_INVALID;
    if (t->out)
        let_go(p, t->rank, &t->msg);
    if (!t->out && rc == TRYGON_SUCCESS) {
        if (has_bytes(&t->msg) && t->msg.u.data.bytes != NULL)
            p->ends.got(p->ends.arg, t->rank, &t->msg);
        *from = t->rank;
        *m = t->msg;
        t->body_known = false; /* the message has been handed on */
        rc = 1;
    }
    DL_DELETE(p->transfers, t);
    free_transfer(t);
    return rc;
}

/* The transport is asked only when its frame has been read: the frame ends
 * there. */
int tg_post_poll(struct tg_post *p, int32_t *from, struct tg_msg *m)
{
    struct tg_net_event ev;
    int rc;
    while ((rc = next_record(p, from, m)) == 0) {
        if (!p->ops->poll(p->net, &ev))
            return 0;
        if (p->peers[ev.rank].dead)
            continue;
        if (ev.type == TG_NET_FRAME)
            rc = on_frame(p, &ev);
        else
            rc = on_piece(p, ev.cookie, from, m);
        if (rc != 0)
            return rc;
    }
    return rc;
}

bool tg_post_more(const struct tg_post *p)
{
    return p->frame.data != NULL;
}

/* ----- loss, looking ------------------------------------------------------------------ */

/* What is under way stays where it is: the transport may still write there. */
void tg_post_fence(struct tg_post *p, int32_t rank)
{
    p->peers[rank].dead = true;
    p->ops->fence(p->net, rank);
    struct transfer *t, *next;
    DL_FOREACH_SAFE (p->waiting, t, next) {
        if (t->rank != rank)
            continue;
        DL_DELETE(p->waiting, t);
        let_go(p, rank, &t->msg);
        free_transfer(t);
    }
    if (p->frame.from == rank)
        p->frame.data = NULL;
}

bool tg_post_due(const struct tg_post *p)
{
    return p->due.n > 0 || p->waiting != NULL;
}

bool tg_post_quiet(const struct tg_post *p)
{
    const struct transfer *t;
    DL_FOREACH (p->transfers, t) {
        if (!p->peers[t->rank].dead)
            return false;
    }
    for (int32_t r = 0; r < p->nranks; r++)
        if (!p->peers[r].dead && !tg_chan_quiet(&p->peers[r].chan))
            return false;
    return p->waiting == NULL && p->frame.data == NULL;
}

void tg_post_check(const struct tg_post *p)
{
    for (int32_t r = 0; r < p->nranks; r++) {
        tg_chan_check(&p->peers[r].chan);
        TG_ASSERT(p->peers[r].is_due || p->peers[r].dead ||
                  !tg_chan_due(&p->peers[r].chan));
    }
}
