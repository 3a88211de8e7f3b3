/* chan.h - one direction pair of the ordered channel to another rank: records
 * into frames, and credits.
 *
 * Records (encoded messages) queue in the outbox and leave as many to a frame
 * as fit.  At most TG_CREDITS frames with records are outstanding; the
 * receiver returns credits in the header of frames that go back anyway, or in
 * an empty frame, which costs none, when it owes half of them.  Without
 * credit the outbox waits: nothing in here ever blocks.
 *
 * frame:  returned credits u16 | records
 * record: length u16 | bytes
 */
#ifndef TG_CORE_CHAN_H
#define TG_CORE_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum {
    TG_CREDITS = 64,
    TG_CHAN_FRAME = 4000,
    TG_CHAN_HEADER = 2,
    TG_CHAN_LENGTH = 2,
    /* bytes of the largest record */
    TG_CHAN_RECORD = TG_CHAN_FRAME - TG_CHAN_HEADER - TG_CHAN_LENGTH
};

struct tg_chan {
    uint32_t credits;    /* frames we may still send */
    uint32_t owed;       /* frames we have read and not yet returned */
    struct tg_bytes out; /* records with their lengths, from head on */
    size_t head;
};

void tg_chan_init(struct tg_chan *c);
void tg_chan_fini(struct tg_chan *c);

/* Queue a record of 1 to TG_CHAN_RECORD bytes: append them to c->out between
 * these two; the first says where they begin. */
void tg_chan_compact(struct tg_chan *c);
static inline size_t tg_chan_begin(struct tg_chan *c)
{
    if (c->head > c->out.cap / 2)
        tg_chan_compact(c);
    tg_bytes_room(&c->out, TG_CHAN_LENGTH);
    return c->out.n += TG_CHAN_LENGTH;
}

void tg_chan_end(struct tg_chan *c, size_t begin);

/* Bytes that wait in the outbox. */
static inline size_t tg_chan_waiting(const struct tg_chan *c)
{
    return c->out.n - c->head;
}

/* Frames with records that were sent and whose credit has not come back. */
static inline uint32_t tg_chan_outstanding(const struct tg_chan *c)
{
    return TG_CREDITS - c->credits;
}

/* Credits that we owe are to be returned, even in an empty frame. */
static inline bool tg_chan_overdue(const struct tg_chan *c)
{
    return c->owed >= TG_CREDITS / 2;
}

/* Is there a frame to send now? */
static inline bool tg_chan_due(const struct tg_chan *c)
{
    return (tg_chan_waiting(c) > 0 && c->credits > 0) || tg_chan_overdue(c);
}

/* Is it one that should not wait for more records?  It should while two frames
 * or more are outstanding, unless it is full or returns what is overdue: what
 * is on its way keeps the receiver busy meanwhile. */
static inline bool tg_chan_pressing(const struct tg_chan *c)
{
    bool few = tg_chan_outstanding(c) < 2;
    bool full = tg_chan_waiting(c) >= TG_CHAN_FRAME - TG_CHAN_HEADER;
    return tg_chan_due(c) && (few || full || tg_chan_overdue(c));
}

/* Fill in that frame (room for TG_CHAN_FRAME bytes); returns its size. */
size_t tg_chan_take(struct tg_chan *c, unsigned char *frame);

/* A frame has come.  Then read its records: *at starts at 0; NULL at the end.
 * TRYGON_ERR_INVALID if the bytes are no frame. */
int tg_chan_got(struct tg_chan *c, const unsigned char *frame, size_t size);

static inline size_t tg_chan_get16(const unsigned char *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8;
}

static inline const unsigned char *
tg_chan_record(const unsigned char *frame, size_t size, size_t *at, size_t *n)
{
    if (*at == 0)
        *at = TG_CHAN_HEADER;
    if (*at >= size)
        return NULL;
    const unsigned char *length = frame + *at;
    *n = tg_chan_get16(length);
    *at += TG_CHAN_LENGTH + *n;
    return length + TG_CHAN_LENGTH;
}

/* Nothing waits to be sent, not even a debt that is due. */
bool tg_chan_quiet(const struct tg_chan *c);
void tg_chan_check(const struct tg_chan *c);

#endif
