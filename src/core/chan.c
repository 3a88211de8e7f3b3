/* chan.c - see chan.h. */
#include "core/chan.h"

#include <string.h>

#include "core/types.h"

static void put16(unsigned char *p, size_t x)
{
    p[0] = (unsigned char)x;
    p[1] = (unsigned char)(x >> 8);
}

void tg_chan_init(struct tg_chan *c)
{
    *c = (struct tg_chan){.credits = TG_CREDITS};
}

void tg_chan_fini(struct tg_chan *c)
{
    tg_bytes_fini(&c->out);
}

void tg_chan_compact(struct tg_chan *c)
{
    struct tg_bytes *out = &c->out;
    memmove(out->v, out->v + c->head, out->n - c->head);
    out->n -= c->head;
    c->head = 0;
}

void tg_chan_end(struct tg_chan *c, size_t begin)
{
    size_t size = c->out.n - begin;
    TG_ASSERT(size > 0 && size <= TG_CHAN_RECORD);
    put16(c->out.v + begin - TG_CHAN_LENGTH, size);
}

/* Of more records than fit in a frame. */
static __attribute__((noinline)) size_t as_many_as_fit(const struct tg_chan *c)
{
    const unsigned char *records = c->out.v + c->head;
    size_t size = 0, next = TG_CHAN_LENGTH + tg_chan_get16(records);
    while (next <= TG_CHAN_FRAME - TG_CHAN_HEADER) {
        size = next;
        next += TG_CHAN_LENGTH + tg_chan_get16(records + next);
    }
    return size;
}

size_t tg_chan_take(struct tg_chan *c, unsigned char *frame)
{
    size_t size = c->credits > 0 ? tg_chan_waiting(c) : 0;
    if (size > TG_CHAN_FRAME - TG_CHAN_HEADER)
        size = as_many_as_fit(c);
    put16(frame, c->owed);
    c->owed = 0;
    if (size > 0) {
        memcpy(frame + TG_CHAN_HEADER, c->out.v + c->head, size);
        c->head += size;
        c->credits--;
    }
    if (c->head == c->out.n)
        c->head = c->out.n = 0;
    return TG_CHAN_HEADER + size;
}

int tg_chan_got(struct tg_chan *c, const unsigned char *frame, size_t size)
{
    if (size < TG_CHAN_HEADER || size > TG_CHAN_FRAME)
        return TRYGON_ERR_INVALID;
    size_t returned = tg_chan_get16(frame);
    if (returned + c->credits > TG_CREDITS)
        return TRYGON_ERR_INVALID;
    if (size > TG_CHAN_HEADER && c->owed == TG_CREDITS)
        return TRYGON_ERR_INVALID; /* it had no credit for this one */
    for (size_t at = TG_CHAN_HEADER; at < size;) {
        if (size - at < TG_CHAN_LENGTH)
            return TRYGON_ERR_INVALID;
        size_t n = tg_chan_get16(frame + at);
        if (n == 0 || n > size - at - TG_CHAN_LENGTH)
            return TRYGON_ERR_INVALID;
        at += TG_CHAN_LENGTH + n;
    }
    c->credits += (uint32_t)returned;
    c->owed += size > TG_CHAN_HEADER;
    return TRYGON_SUCCESS;
}

bool tg_chan_quiet(const struct tg_chan *c)
{
    return tg_chan_waiting(c) == 0 && !tg_chan_overdue(c);
}

void tg_chan_check(const struct tg_chan *c)
{
    TG_ASSERT(c->credits <= TG_CREDITS && c->owed <= TG_CREDITS);
    TG_ASSERT(c->head <= c->out.n && c->out.n <= c->out.cap);
}
