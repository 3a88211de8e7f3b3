/* store_pull.c - bytes between stores (store.h): who asks, who is sent what. */
#include <stdlib.h>

#include "core/store_impl.h"

/* ----- reading ------------------------------------------------------------ */

static void send_pull(struct tg_store *s, const struct tg_blob *b,
                      enum tg_pull_op op)
{
    struct tg_msg m = {.type = TG_MSG_PULL};
    m.u.pull.op = op;
    m.u.pull.number = b->number;
    m.u.pull.blob = b->source_blob;
    m.u.pull.to = b->self;
    tg_ctx_send(s->ctx, b->source, &m);
}

void tg_pull_begin(struct tg_store *s, struct tg_blob *b)
{
    b->number = ++s->number; /* what was under way means nothing now */
    b->got = 0;
    send_pull(s, b, b->kind == TG_BLOB_NEAR ? TG_PULL_HERE : TG_PULL_BYTES);
}

static bool under_way(const struct tg_blob *b)
{
    return b->kind == TG_BLOB_NEAR ||
           (b->kind == TG_BLOB_COPY && b->state == TG_BLOB_FILLING);
}

void tg_pull_end(struct tg_store *s, const struct tg_blob *b)
{
    if (under_way(b) && b->source != s->ctx->rank)
        send_pull(s, b, TG_PULL_END);
}

/* There is nothing more to ask for. */
static void stop_asking(struct tg_store *s, struct tg_blob *b, int32_t code)
{
    tg_blob_arrived(s, b, code);
    b->source = s->ctx->rank; /* so that nobody is told */
    tg_blob_free(s, b);
}

/* It is where it was made, or nowhere. */
static void look_home(struct tg_store *s, struct tg_blob *b, int32_t code)
{
    if (b->source != b->home && !s->ctx->dead[b->home]) {
        b->source = b->home;
        b->source_blob = b->home_blob;
        tg_pull_begin(s, b);
        return;
    }
    stop_asking(s, b, code);
}

static void on_bytes(struct tg_store *s, struct tg_blob *b, uint64_t n)
{
    if (b->kind == TG_BLOB_NEAR) {
        tg_val_place(b->val)->away = false;
        stop_asking(s, b, TRYGON_SUCCESS);
        return;
    }
    b->got += n;
    TG_ASSERT(b->got <= b->size);
    if (b->got < b->size)
        return;
    s->counts.pulled++;
    s->counts.pulled_bytes += b->size;
    tg_store_say(s, b->ref, TG_NEWS_COPY);
    tg_blob_sealed(s, b);
}

static void on_data(struct tg_store *s, int32_t from,
                    const struct tg_msg_data *m)
{
    struct tg_blob *b = tg_slab_find(&s->blobs, m->to);
    if (b == NULL || b->number != m->number || b->source != from ||
        !under_way(b))
        return; /* of an asking that is over */
    if (m->code == TRYGON_SUCCESS) {
        on_bytes(s, b, m->n);
    } else if (m->code == TG_DATA_MOVED && !s->ctx->dead[m->rank]) {
        b->source = m->rank;
        b->source_blob = m->blob;
        tg_pull_begin(s, b);
    } else if (m->code == TG_DATA_MOVED) {
        tg_pull_begin(s, b);
    } else {
        look_home(s, b, m->code);
    }
}

/* ----- being read ------------------------------------------------------------- */

static struct tg_reader *find_reader(const struct tg_blob *b, int32_t rank,
                                     uint64_t to)
{
    struct tg_reader *r;
    DL_FOREACH2 (b->readers, r, after) {
        if (r->rank == rank && r->to == to)
            return r;
    }
    return NULL;
}

static void remove_reader(struct tg_blob *b, struct tg_reader *r)
{
    b->nactive -= r->active;
    DL_DELETE2(b->readers, r, prev, after);
    free(r);
}

static void answer(struct tg_store *s, const struct tg_reader *r, int32_t code)
{
    struct tg_msg m = {.type = TG_MSG_DATA};
    m.u.data.code = code;
    m.u.data.number = r->number;
    m.u.data.to = r->to;
    tg_ctx_send(s->ctx, r->rank, &m);
}

void tg_pull_refuse(struct tg_store *s, struct tg_blob *b, int32_t code)
{
    while (b->readers != NULL) {
        answer(s, b->readers, code);
        remove_reader(b, b->readers);
    }
}

void tg_pull_refuse_near(struct tg_store *s, struct tg_blob *b, int32_t code)
{
    struct tg_reader *r, *next;
    DL_FOREACH_SAFE2(b->readers, r, next, after)
    {
        if (!r->near)
            continue;
        answer(s, r, code);
        remove_reader(b, r);
    }
}

static void send_piece(struct tg_store *s, const struct tg_blob *b,
                       struct tg_reader *r)
{
    uint64_t left = b->size - r->next, most = s->ctx->lim.chunk;
    struct tg_action *a = tg_blob_act(s, b, TG_STORE_SEND);
    struct tg_msg_data *d = &a->msg.u.data;
    a->rank = r->rank;
    a->msg.type = TG_MSG_DATA;
    *d = (struct tg_msg_data){.number = r->number,
                              .to = r->to,
                              .offset = r->next,
                              .n = left < most ? left : most};
    r->next += d->n;
    r->under_way++;
    s->counts.sent_bytes += d->n;
}

static bool can_send(const struct tg_blob *b)
{
    return b->state == TG_BLOB_SEALED || b->on_disk;
}

static void send_pieces(struct tg_store *s, const struct tg_blob *b,
                        struct tg_reader *r)
{
    while (r->under_way < s->ctx->lim.chunks_max && r->next < b->size)
        send_piece(s, b, r);
}

/* Who waits for the bytes in memory has them, or waits until they are. */
static void serve_near(struct tg_store *s, struct tg_blob *b)
{
    struct tg_reader *r, *next;
    DL_FOREACH_SAFE2(b->readers, r, next, after)
    {
        if (!r->near)
            continue;
        if (b->state == TG_BLOB_DISK)
            tg_blob_queue(s, b, TG_LIST_CALLS);
        if (b->state != TG_BLOB_SEALED)
            continue;
        tg_blob_keep(s, b);
        answer(s, r, TRYGON_SUCCESS);
        remove_reader(b, r);
    }
}

static bool waits(const struct tg_reader *r)
{
    return !r->active && !r->near;
}

void tg_pull_serve(struct tg_store *s, struct tg_blob *b)
{
    serve_near(s, b);
    if (!can_send(b))
        return;
    struct tg_reader *r;
    DL_FOREACH2 (b->readers, r, after) {
        if (b->nactive == s->ctx->lim.readers_max)
            return;
        if (!waits(r))
            continue;
        r->active = true;
        b->nactive++;
        send_pieces(s, b, r);
    }
}

/* The reader has it all: every other one that waits goes there, from where half
 * of them will be sent on, so nobody is moved more often than the logarithm of
 * their number. */
static void move_on(struct tg_store *s, const struct tg_reader *done,
                    struct tg_blob *b)
{
    struct tg_reader *r, *next;
    bool goes = false;
    DL_FOREACH_SAFE2(b->readers, r, next, after)
    {
        if (!waits(r))
            continue;
        goes = !goes;
        if (!goes)
            continue;
        struct tg_msg m = {.type = TG_MSG_DATA};
        m.u.data = (struct tg_msg_data){.code = TG_DATA_MOVED,
                                        .rank = done->rank,
                                        .blob = done->to,
                                        .number = r->number,
                                        .to = r->to};
        tg_ctx_send(s->ctx, r->rank, &m);
        remove_reader(b, r);
    }
}

void tg_pull_sent(struct tg_store *s, struct tg_blob *b, trygon_ref_t to,
                  int32_t rc)
{
    struct tg_reader *r = find_reader(b, (int32_t)to.hi, to.lo);
    if (r == NULL || r->under_way == 0)
        return; /* it has ended meanwhile */
    r->under_way--;
    if (rc != TRYGON_SUCCESS) {
        remove_reader(b, r); /* the message has told it */
    } else if (r->next < b->size && !can_send(b)) {
        b->nactive -= r->active; /* it leaves memory just now */
        r->active = false;
    } else if (r->next < b->size) {
        send_pieces(s, b, r);
    } else if (r->under_way == 0) {
        move_on(s, r, b);
        remove_reader(b, r);
    }
    tg_pull_serve(s, b);
}

static void on_pull(struct tg_store *s, int32_t from,
                    const struct tg_msg_pull *m)
{
    struct tg_blob *b = tg_slab_find(&s->blobs, m->blob);
    struct tg_reader *r = b != NULL ? find_reader(b, from, m->to) : NULL;
    if (r != NULL)
        remove_reader(b, r);
    if (b == NULL && m->op != TG_PULL_END) {
        struct tg_reader lost = {
            .rank = from, .number = m->number, .to = m->to};
        answer(s, &lost, TRYGON_ERR_OBJECT_LOST);
    }
    if (b == NULL)
        return;
    if (m->op != TG_PULL_END) {
        r = tg_alloc(sizeof *r);
        r->rank = from;
        r->near = m->op == TG_PULL_HERE;
        r->number = m->number;
        r->to = m->to;
        DL_APPEND2(b->readers, r, prev, after);
        tg_blob_touch(s, b);
    }
    tg_pull_serve(s, b);
    tg_store_pump(s);
}

/* ----- both ---------------------------------------------------------------------- */

void tg_pull_gone(struct tg_store *s, struct tg_blob *b, int32_t rank)
{
    struct tg_reader *r, *next;
    bool served = false;
    DL_FOREACH_SAFE2(b->readers, r, next, after)
    {
        if (r->rank == rank) {
            remove_reader(b, r);
            served = true;
        }
    }
    if (served)
        tg_pull_serve(s, b);
    bool done = b->state == TG_BLOB_SEALED || b->state == TG_BLOB_LEAVING;
    if (b->kind != TG_BLOB_OWN && !done && b->source == rank)
        look_home(s, b, TRYGON_ERR_OBJECT_LOST);
}

/* The object is dead, or was freed by hand: then whoever waits for it here asks
 * its owner, who knows. */
static void forget(struct tg_store *s, uint64_t blob)
{
    struct tg_blob *b = tg_slab_find(&s->blobs, blob);
    if (b != NULL)
        tg_blob_arrived(s, b, TRYGON_ERR_OBJECT_LOST);
    tg_store_free(s, blob);
}

void tg_store_msg(struct tg_store *s, int32_t from, const struct tg_msg *m)
{
    if (m->type == TG_MSG_PULL) {
        on_pull(s, from, &m->u.pull);
    } else if (m->type == TG_MSG_DATA) {
        on_data(s, from, &m->u.data);
        tg_store_pump(s);
    } else {
        for (uint32_t i = 0; i < m->u.forget.n; i++)
            forget(s, m->u.forget.v[i]);
    }
}
