/* chan.c - see chan.h. */
#include "core/chan.h"

#include <string.h>

#include "core/types.h"

enum { HEADER = 2, LENGTH = 2, OWED_MOST = TG_CREDITS / 2, FEW_FRAMES = 2 };

static void put16(unsigned char *p, size_t x)
{
    p[0] = (unsigned char)x;
    p[1] = (unsigned char)(x >> 8);
}

static size_t get16(const unsigned char *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8;
}

void tg_chan_init(struct tg_chan *c)
{
    *c = (struct tg_chan){.credits = TG_CREDITS};
}

void tg_chan_fini(struct tg_chan *c)
{
    tg_bytes_fini(&c->out);
}

size_t tg_chan_begin(struct tg_chan *c)
{
    struct tg_bytes *out = &c->out;
    if (c->head > 0 && (c->head == out->n || c->head > out->cap / 2)) {
        memmove(out->v, out->v + c->head, out->n - c->head);
        out->n -= c->head;
        c->head = 0;
    }
    tg_bytes_room(out, LENGTH);
    return out->n += LENGTH;
}

void tg_chan_end(struct tg_chan *c, size_t begin)
{
    size_t size = c->out.n - begin;
    TG_ASSERT(size > 0 && size <= TG_CHAN_RECORD);
    put16(c->out.v + begin - LENGTH, size);
}

bool tg_chan_due(const struct tg_chan *c)
{
    return (c->head < c->out.n && c->credits > 0) || c->owed >= OWED_MOST;
}

bool tg_chan_pressing(const struct tg_chan *c)
{
    bool few = tg_chan_outstanding(c) < FEW_FRAMES;
    bool full = tg_chan_waiting(c) >= TG_CHAN_FRAME - HEADER;
    return tg_chan_due(c) && (few || full || c->owed >= OWED_MOST);
}

size_t tg_chan_take(struct tg_chan *c, unsigned char *frame)
{
    size_t end = c->head, most = c->head + TG_CHAN_FRAME - HEADER;
    while (c->credits > 0 && end < c->out.n) {
        size_t next = end + LENGTH + get16(c->out.v + end);
        if (next > most)
            break;
        end = next;
    }
    size_t size = end - c->head;
    put16(frame, c->owed);
    c->owed = 0;
    if (size > 0) {
        memcpy(frame + HEADER, c->out.v + c->head, size);
        c->head = end;
        c->credits--;
    }
    return HEADER + size;
}

int tg_chan_got(struct tg_chan *c, const unsigned char *frame, size_t size)
{
    if (size < HEADER || size > TG_CHAN_FRAME)
        return TRYGON_ERR_INVALID;
    size_t returned = get16(frame);
    if (returned + c->credits > TG_CREDITS)
        return TRYGON_ERR_INVALID;
    if (size > HEADER && c->owed == TG_CREDITS)
        return TRYGON_ERR_INVALID; /* it had no credit for this one */
    for (size_t at = HEADER; at < size;) {
        if (size - at < LENGTH)
            return TRYGON_ERR_INVALID;
        size_t n = get16(frame + at);
        if (n == 0 || n > size - at - LENGTH)
            return TRYGON_ERR_INVALID;
        at += LENGTH + n;
    }
    c->credits += (uint32_t)returned;
    c->owed += size > HEADER;
    return TRYGON_SUCCESS;
}

const unsigned char *tg_chan_record(const unsigned char *frame, size_t size,
                                    size_t *at, size_t *n)
{
    if (*at == 0)
        *at = HEADER;
    if (*at >= size)
        return NULL;
    const unsigned char *record = frame + *at + LENGTH;
    *n = get16(frame + *at);
    *at += LENGTH + *n;
    return record;
}

size_t tg_chan_waiting(const struct tg_chan *c)
{
    return c->out.n - c->head;
}

uint32_t tg_chan_outstanding(const struct tg_chan *c)
{
    return TG_CREDITS - c->credits;
}

bool tg_chan_quiet(const struct tg_chan *c)
{
    return c->head == c->out.n && c->owed < OWED_MOST;
}

void tg_chan_check(const struct tg_chan *c)
{
    TG_ASSERT(c->credits <= TG_CREDITS && c->owed <= TG_CREDITS);
    TG_ASSERT(c->head <= c->out.n && c->out.n <= c->out.cap);
}
