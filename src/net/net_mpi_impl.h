/* net_mpi_impl.h - what net_mpi.c keeps.  For that file only. */
#ifndef TG_NET_NET_MPI_IMPL_H
#define TG_NET_NET_MPI_IMPL_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/net.h"

/* uthash's own hash functions do not pass our warnings; the key is 64 bits. */
#define HASH_FUNCTION(key_, length_, hash_) \
    ((hash_) = (unsigned)tg_mix64(*(key_)))
#define uthash_fatal(msg_) tg_assert_failed(__FILE__, __LINE__, (msg_))
#include <uthash.h>

enum {
    FRAME_TAG = 0,
    BULK_TAG = 1,    /* and up, by the piece's tag */
    RING = 32,       /* receives for frames */
    WINDOW = 8,      /* requests of the table tested at a time */
    TURN = 8,        /* frames shown before the table is looked at again */
    CHUNK = 1 << 20, /* bytes */
    CHUNKS_PER_PIECE = 4
};

struct frame {
    struct frame *next;
    unsigned char data[TG_FRAME_MAX];
};

struct piece {
    struct piece *next; /* in its lane, the done or the free list */
    struct lane *lane;  /* while it has chunks to post later */
    int32_t rank;
    int tag;
    bool recv;
    unsigned inflight;
    const unsigned char *src;
    unsigned char *dst;
    uint64_t size, posted;
    void *cookie;
};

struct lane {
    uint64_t key;
    struct piece *first, *last;
    UT_hash_handle hh;
};

/* What a request of the table moves: a frame or a chunk. */
struct load {
    int32_t rank;
    int size;
    struct frame *frame;
    struct piece *piece;
};

/* Requests lie apart, as MPI_Testsome() wants them. */
struct table {
    MPI_Request *reqs;
    struct load *loads;
    uint32_t n, cap;
};

struct tg_net {
    MPI_Comm comm;
    int rank, size;
    int status;
    char text[MPI_MAX_ERROR_STRING + 64];
    unsigned char *fenced; /* by rank */
    void (*sent)(void *arg, int32_t rank);
    void *sent_arg;

    MPI_Request ring[RING];
    unsigned char (*bufs)[TG_FRAME_MAX];
    uint32_t head; /* the oldest receive */
    bool arrived;  /* its frame is here: first */
    bool shown;    /* and was given out by poll */
    MPI_Status first;

    struct table table, quarantine;
    uint32_t cursor, turn;
    struct frame *room;   /* the next to be sent */
    struct frame *frames; /* free */
    struct piece *pieces; /* free */
    struct lane *lanes;
    struct piece *done, **done_end; /* to be reported */
};

/* ----- the table ---------------------------------------------------------- */

static inline void table_add(struct table *t, MPI_Request req, struct load load)
{
    if (t->n == t->cap) {
        t->cap = t->cap == 0 ? 64 : t->cap * 2;
        t->reqs = tg_grow(t->reqs, t->cap, sizeof *t->reqs);
        t->loads = tg_grow(t->loads, t->cap, sizeof *t->loads);
    }
    t->reqs[t->n] = req;
    t->loads[t->n++] = load;
}

static inline void table_remove(struct table *t, uint32_t i)
{
    t->n--;
    t->reqs[i] = t->reqs[t->n];
    t->loads[i] = t->loads[t->n];
}

static inline void table_free(struct table *t)
{
    free(t->reqs);
    free(t->loads);
}

#endif
