/* net_mpi.c - see net_mpi.h; the only file with MPI's point-to-point calls.
 *
 * Frames come in through a ring of persistent receives from any source, posted
 * and looked at in the same order, which keeps the order of each pair.  Against
 * MPI_Improbe this saves a search of the unexpected messages of all ranks at
 * each empty look, and a copy; an empty poll is one MPI_Test.
 *
 * Frames are made in memory of the transport and leave from there.  Small ones
 * are nearly always done at once; the others, and the chunks of bulk pieces,
 * sit in one table that poll() walks in windows of a few requests, so that its
 * cost does not grow with what is outstanding.
 *
 * A bulk piece goes in chunks, few of them at a time, which lets pieces share
 * the wire and keeps counts far below 2^31.  Pieces of one peer, tag and
 * direction form a lane: only its first piece posts chunks, and the next one
 * begins when all of them are posted, so both sides post alike.  There is no
 * limit over all lanes: two ranks could then wait for each other's turn.
 *
 * Requests of a fenced rank go to the quarantine with their memory: MPI may
 * still write there, so neither is touched again.
 */
#include "net/net_mpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>

#include "base/assert.h"
#include "base/mem.h"
#include "net/net_mpi_impl.h"

/* ----- errors ------------------------------------------------------------- */

/* Remembers the first failure; returns the status. */
static int fail(struct tg_net *net, const char *call, int code)
{
    char why[MPI_MAX_ERROR_STRING] = "";
    int n;
    if (net->status != TRYGON_SUCCESS)
        return net->status;
    if (MPI_Error_string(code, why, &n) != MPI_SUCCESS)
        why[0] = '\0';
    net->status = TRYGON_ERR_MPI;
    snprintf(net->text, sizeof net->text, "%s: %s", call, why);
    return net->status;
}

/* What an MPI call returned, as a status. */
static int check(struct tg_net *net, const char *call, int code)
{
    return code == MPI_SUCCESS ? TRYGON_SUCCESS : fail(net, call, code);
}

int tg_net_mpi_status(const struct tg_net *net, const char **text)
{
    if (text != NULL)
        *text = net->text;
    return net->status;
}

static void tell_sent(struct tg_net *net, int32_t rank)
{
    if (net->sent != NULL)
        net->sent(net->sent_arg, rank);
}

void tg_net_mpi_on_sent(struct tg_net *net,
                        void (*sent)(void *arg, int32_t rank), void *arg)
{
    net->sent = sent;
    net->sent_arg = arg;
}

/* ----- bulk --------------------------------------------------------------- */

static int post_chunk(struct tg_net *net, struct piece *p)
{
    uint64_t left = p->size - p->posted;
    int n = left < CHUNK ? (int)left : CHUNK;
    MPI_Request req;
    int rc = p->recv ? check(net, "MPI_Irecv",
                             MPI_Irecv(p->dst + p->posted, n, MPI_BYTE, p->rank,
                                       p->tag, net->comm, &req))
                     : check(net, "MPI_Isend",
                             MPI_Isend(p->src + p->posted, n, MPI_BYTE, p->rank,
                                       p->tag, net->comm, &req));
    if (rc != TRYGON_SUCCESS)
        return rc;
    p->posted += (uint64_t)n;
    p->inflight++;
    table_add(&net->table, req, (struct load){p->rank, n, NULL, p});
    if (!p->recv)
        tell_sent(net, p->rank); /* it may wait for the other side */
    return TRYGON_SUCCESS;
}

/* Posts as many chunks of a piece as may be under way. */
static int post_chunks(struct tg_net *net, struct piece *p)
{
    int rc = TRYGON_SUCCESS;
    while (rc == TRYGON_SUCCESS && p->posted < p->size &&
           p->inflight < CHUNKS_PER_PIECE)
        rc = post_chunk(net, p);
    return rc;
}

/* Goes on with the lane's first piece, and the next ones when all of it is
 * posted; a lane without a piece ends. */
static int push_lane(struct tg_net *net, struct lane *lane)
{
    for (struct piece *p; (p = lane->first) != NULL;) {
        int rc = post_chunks(net, p);
        if (rc != TRYGON_SUCCESS || p->posted < p->size)
            return rc;
        p->lane = NULL;
        lane->first = p->next;
    }
    HASH_DEL(net->lanes, lane);
    free(lane);
    return TRYGON_SUCCESS;
}

/* Puts the piece at the end of its lane.  Most pieces need none: nothing is
 * before them and all of their chunks may be posted at once. */
static int line_up(struct tg_net *net, struct piece *p)
{
    struct lane *lane;
    uint64_t key = (uint64_t)(uint32_t)p->rank << 32 |
                   (uint64_t)(uint32_t)p->tag << 1 | (p->recv ? 1 : 0);
    HASH_FIND(hh, net->lanes, &key, sizeof key, lane);
    if (lane != NULL) {
        lane->last->next = p;
    } else {
        int rc = post_chunks(net, p);
        if (rc != TRYGON_SUCCESS || p->posted == p->size)
            return rc;
        lane = tg_alloc(sizeof *lane);
        lane->key = key;
        lane->first = p;
        HASH_ADD(hh, net->lanes, key, sizeof lane->key, lane);
    }
    lane->last = p;
    p->lane = lane;
    return TRYGON_SUCCESS;
}

static int start_piece(struct tg_net *net, uint32_t tag, struct piece in)
{
    TG_ASSERT(in.rank >= 0 && in.rank < net->size && in.rank != net->rank);
    TG_ASSERT(tag < TG_BULK_TAGS && in.size > 0);
    if (net->status != TRYGON_SUCCESS || net->fenced[in.rank])
        return net->status;
    struct piece *p = net->pieces;
    if (p != NULL)
        net->pieces = p->next;
    else
        p = tg_alloc(sizeof *p);
    *p = in;
    p->tag = BULK_TAG + (int)tag;
    return line_up(net, p);
}

static int bulk_send(struct tg_net *net, int32_t rank, uint32_t tag,
                     const void *data, uint64_t size, void *cookie)
{
    return start_piece(
        net, tag,
        (struct piece){
            .rank = rank, .src = data, .size = size, .cookie = cookie});
}

static int bulk_recv(struct tg_net *net, int32_t rank, uint32_t tag, void *data,
                     uint64_t size, void *cookie)
{
    return start_piece(net, tag,
                       (struct piece){.rank = rank,
                                      .recv = true,
                                      .dst = data,
                                      .size = size,
                                      .cookie = cookie});
}

static void free_piece(struct tg_net *net, struct piece *p)
{
    p->next = net->pieces;
    net->pieces = p;
}

/* ----- completion --------------------------------------------------------- */

static void free_frame(struct tg_net *net, struct frame *f)
{
    f->next = net->frames;
    net->frames = f;
}

static void chunk_done(struct tg_net *net, struct piece *p)
{
    p->inflight--;
    if (p->lane != NULL) {
        push_lane(net, p->lane); /* a failure sticks */
    } else if (p->inflight == 0) {
        p->next = NULL;
        *net->done_end = p;
        net->done_end = &p->next;
    }
}

/* A chunk that is shorter than expected means that the two sides disagree
 * about the size of the piece. */
static void check_load(struct tg_net *net, const struct load *load,
                       const MPI_Status *status)
{
    int n;
    if (load->piece == NULL || !load->piece->recv)
        return;
    if (MPI_Get_count(status, MPI_BYTE, &n) != MPI_SUCCESS || n != load->size)
        fail(net, "bulk piece of another size", MPI_ERR_COUNT);
}

/* Tests the next few requests of the table and takes the completed ones out. */
static void reap(struct tg_net *net)
{
    struct table *t = &net->table;
    if (t->n == 0)
        return;
    if (net->cursor >= t->n)
        net->cursor = 0;
    uint32_t first = net->cursor;
    uint32_t n = t->n - first < WINDOW ? t->n - first : WINDOW;

    int ndone, at[WINDOW];
    MPI_Status statuses[WINDOW];
    int code = MPI_Testsome((int)n, t->reqs + first, &ndone, at, statuses);
    if (code != MPI_SUCCESS)
        fail(net, "MPI_Testsome", code);
    net->cursor = first + n;
    if (net->status != TRYGON_SUCCESS || ndone == MPI_UNDEFINED)
        return;

    /* All come out before the first is finished, which may add new ones; and
     * from the end, since the last request of the table takes the place. */
    struct load loads[WINDOW];
    for (int i = 0; i < ndone; i++) {
        loads[i] = t->loads[first + (uint32_t)at[i]];
        check_load(net, &loads[i], &statuses[i]);
    }
    for (uint32_t i = n; i-- > 0;) {
        if (t->reqs[first + i] == MPI_REQUEST_NULL)
            table_remove(t, first + i);
    }
    for (int i = 0; i < ndone && net->status == TRYGON_SUCCESS; i++) {
        if (loads[i].piece == NULL || !loads[i].piece->recv)
            tell_sent(net, loads[i].rank);
        if (loads[i].frame != NULL)
            free_frame(net, loads[i].frame);
        else
            chunk_done(net, loads[i].piece);
    }
}

static bool next_done(struct tg_net *net, struct tg_net_event *ev)
{
    for (struct piece *p; (p = net->done) != NULL;) {
        net->done = p->next;
        if (net->done == NULL)
            net->done_end = &net->done;
        bool dropped = net->fenced[p->rank];
        *ev = (struct tg_net_event){.type =
                                        p->recv ? TG_NET_RECEIVED : TG_NET_SENT,
                                    .rank = p->rank,
                                    .cookie = p->cookie};
        free_piece(net, p);
        if (!dropped)
            return true;
    }
    return false;
}

/* ----- frames ------------------------------------------------------------- */

static unsigned char *frame_room(struct tg_net *net, int32_t rank)
{
    (void)rank; /* all frames are made in one place */
    if (net->room == NULL) {
        net->room = net->frames;
        if (net->room != NULL)
            net->frames = net->room->next;
        else
            net->room = tg_alloc(sizeof *net->room);
    }
    return net->room->data;
}

static int send_frame(struct tg_net *net, int32_t rank, size_t size)
{
    int done;
    struct frame *f = net->room;
    TG_ASSERT(rank >= 0 && rank < net->size && rank != net->rank);
    TG_ASSERT(f != NULL && size <= TG_FRAME_MAX);
    if (net->status != TRYGON_SUCCESS || net->fenced[rank])
        return net->status;
    MPI_Request req;
    int rc = check(net, "MPI_Isend",
                   MPI_Isend(f->data, (int)size, MPI_BYTE, rank, FRAME_TAG,
                             net->comm, &req));
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = check(net, "MPI_Test", MPI_Test(&req, &done, MPI_STATUS_IGNORE));
    tell_sent(net, rank); /* it may be done only when the other side looks */
    if (rc == TRYGON_SUCCESS && done)
        return rc;    /* the room is free again */
    net->room = NULL; /* and stays out if MPI failed: it may still read it */
    if (rc == TRYGON_SUCCESS)
        table_add(&net->table, req, (struct load){rank, (int)size, f, NULL});
    return rc;
}

/* Whether the oldest receive of the ring has its frame. */
static bool look_frame(struct tg_net *net)
{
    int flag;
    if (!net->arrived &&
        check(net, "MPI_Test",
              MPI_Test(&net->ring[net->head], &flag, &net->first)) == 0)
        net->arrived = flag != 0;
    return net->arrived;
}

/* Gives the frame's buffer back to the ring, as the newest receive. */
static void drop_frame(struct tg_net *net)
{
    (void)check(net, "MPI_Start", MPI_Start(&net->ring[net->head]));
    net->head = (net->head + 1) % RING;
    net->arrived = net->shown = false;
}

static bool next_frame(struct tg_net *net, struct tg_net_event *ev)
{
    int n;
    while (net->status == TRYGON_SUCCESS && look_frame(net)) {
        if (check(net, "MPI_Get_count",
                  MPI_Get_count(&net->first, MPI_BYTE, &n)) != 0)
            return false;
        net->shown = true;
        *ev = (struct tg_net_event){.type = TG_NET_FRAME,
                                    .rank = net->first.MPI_SOURCE,
                                    .data = net->bufs[net->head],
                                    .size = (size_t)n};
        if (!net->fenced[ev->rank])
            return true;
        drop_frame(net);
    }
    return false;
}

static bool poll_net(struct tg_net *net, struct tg_net_event *ev)
{
    if (net->shown)
        drop_frame(net);
    if (net->status != TRYGON_SUCCESS)
        return false;
    /* A flood of frames must not keep bulk waiting. */
    if (net->table.n > 0 && net->turn++ % TURN == 0)
        reap(net);
    if (next_done(net, ev) || next_frame(net, ev))
        return true;
    if (net->table.n == 0)
        return false;
    reap(net);
    return next_done(net, ev);
}

bool tg_net_mpi_look(struct tg_net *net)
{
    if (net->shown)
        drop_frame(net);
    for (int i = 0; i < 2 && net->status == TRYGON_SUCCESS; i++) {
        if (net->done != NULL || look_frame(net))
            return true;
        reap(net);
    }
    return net->done != NULL;
}

/* ----- the dead ----------------------------------------------------------- */

/* Ends a lane of a fenced rank.  Its first piece may have chunks under way and
 * is then in the quarantine with them. */
static void drop_lane(struct tg_net *net, struct lane *lane)
{
    for (struct piece *p = lane->first, *next; p != NULL; p = next) {
        next = p->next;
        p->lane = NULL;
        if (p->inflight == 0)
            free_piece(net, p);
    }
    HASH_DEL(net->lanes, lane);
    free(lane);
}

static void fence(struct tg_net *net, int32_t rank)
{
    TG_ASSERT(rank >= 0 && rank < net->size && rank != net->rank);
    net->fenced[rank] = 1;
    struct table *t = &net->table;
    for (uint32_t i = t->n; i-- > 0;) {
        if (t->loads[i].rank == rank) {
            table_add(&net->quarantine, t->reqs[i], t->loads[i]);
            table_remove(t, i);
        }
    }
    for (struct lane *lane = net->lanes, *next; lane != NULL; lane = next) {
        next = lane->hh.next;
        if ((int32_t)(lane->key >> 32) == rank)
            drop_lane(net, lane);
    }
    for (struct piece **at = &net->done, *p; (p = *at) != NULL;) {
        if (p->rank != rank) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        if (*at == NULL)
            net->done_end = at;
        free_piece(net, p);
    }
}

bool tg_net_mpi_idle(const struct tg_net *net)
{
    return net->table.n == 0 && net->lanes == NULL && net->done == NULL;
}

/* ----- life --------------------------------------------------------------- */

/* Takes the receives of the ring back; false when MPI keeps one, and then the
 * buffers must stay. */
static bool cancel_ring(struct tg_net *net)
{
    bool all = true;
    for (int i = 0; i < RING; i++) {
        int done = 0;
        bool active = !(net->arrived && (uint32_t)i == net->head);
        if (net->ring[i] == MPI_REQUEST_NULL)
            continue;
        if (active && MPI_Cancel(&net->ring[i]) != MPI_SUCCESS)
            done = -1;
        for (int tries = 0; active && done == 0 && tries < 1000; tries++) {
            if (MPI_Test(&net->ring[i], &done, MPI_STATUS_IGNORE) !=
                MPI_SUCCESS)
                done = -1;
        }
        all = all && (!active || done > 0);
        if (MPI_Request_free(&net->ring[i]) != MPI_SUCCESS)
            all = false;
    }
    return all;
}

/* What a fenced rank left, as far as MPI is done with it. */
static void empty_quarantine(struct table *t)
{
    for (uint32_t i = t->n; i-- > 0;) {
        int done = 0;
        struct load load = t->loads[i];
        if (MPI_Test(&t->reqs[i], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS ||
            !done)
            continue;
        if (load.frame != NULL)
            free(load.frame);
        else if (--load.piece->inflight == 0)
            free(load.piece);
        table_remove(t, i);
    }
    if (t->n == 0)
        table_free(t);
}

static void free_net(struct tg_net *net)
{
    free(net->room);
    for (struct frame *f = net->frames, *next; f != NULL; f = next) {
        next = f->next;
        free(f);
    }
    for (struct piece *p = net->pieces, *next; p != NULL; p = next) {
        next = p->next;
        free(p);
    }
    if (cancel_ring(net))
        free(net->bufs);
    table_free(&net->table);
    empty_quarantine(&net->quarantine);
    free(net->fenced);
    free(net);
}

static int post_ring(struct tg_net *net)
{
    for (int i = 0; i < RING; i++) {
        int rc = check(net, "MPI_Recv_init",
                       MPI_Recv_init(net->bufs[i], TG_FRAME_MAX, MPI_BYTE,
                                     MPI_ANY_SOURCE, FRAME_TAG, net->comm,
                                     &net->ring[i]));
        if (rc == TRYGON_SUCCESS)
            rc = check(net, "MPI_Start", MPI_Start(&net->ring[i]));
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    return TRYGON_SUCCESS;
}

/* Every MPI has tags up to 32767. */
_Static_assert(BULK_TAG + TG_BULK_TAGS - 1 <= 32767, "tags");

static int attach(struct tg_net *net)
{
    int rc = check(net, "MPI_Comm_set_errhandler",
                   MPI_Comm_set_errhandler(net->comm, MPI_ERRORS_RETURN));
    if (rc == TRYGON_SUCCESS)
        rc = check(net, "MPI_Comm_rank", MPI_Comm_rank(net->comm, &net->rank));
    if (rc == TRYGON_SUCCESS)
        rc = check(net, "MPI_Comm_size", MPI_Comm_size(net->comm, &net->size));
    return rc;
}

static const struct tg_net_ops mpi_ops = {
    .frame = frame_room,
    .send = send_frame,
    .bulk_send = bulk_send,
    .bulk_recv = bulk_recv,
    .poll = poll_net,
    .fence = fence,
};

int tg_net_mpi_create(MPI_Comm comm, struct tg_net **out,
                      const struct tg_net_ops **ops)
{
    struct tg_net *net = tg_alloc(sizeof *net);
    net->comm = comm;
    net->done_end = &net->done;
    for (int i = 0; i < RING; i++)
        net->ring[i] = MPI_REQUEST_NULL;
    int rc = attach(net);
    if (rc == TRYGON_SUCCESS) {
        net->fenced = tg_alloc((size_t)net->size);
        net->bufs = tg_alloc(RING * sizeof *net->bufs);
        rc = post_ring(net);
    }
    if (rc != TRYGON_SUCCESS) {
        free_net(net);
        return rc;
    }
    *out = net;
    *ops = &mpi_ops;
    return TRYGON_SUCCESS;
}

int tg_net_mpi_destroy(struct tg_net **net)
{
    if (*net == NULL)
        return TRYGON_SUCCESS;
    if (!tg_net_mpi_idle(*net))
        return TRYGON_ERR_STATE;
    free_net(*net);
    *net = NULL;
    return TRYGON_SUCCESS;
}
