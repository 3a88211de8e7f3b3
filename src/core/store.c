/* store.c - see store.h: blobs, and what becomes of them.
 * Who gets room is store_room.c, and how their bytes travel store_pull.c. */
#include "core/store.h"

#include <stdlib.h>

#include "core/store_impl.h"

void tg_store_init(struct tg_store *s, struct tg_ctx *ctx, const int32_t *node,
                   uint64_t limit)
{
    *s = (struct tg_store){.ctx = ctx, .node = node, .limit = limit};
    tg_slab_init(&s->blobs, sizeof(struct tg_blob));
}

void tg_store_fini(struct tg_store *s)
{
    uint32_t slot = 0;
    struct tg_blob *b;
    struct tg_reader *r, *next;
    while ((b = tg_slab_next(&s->blobs, &slot)) != NULL) {
        DL_FOREACH_SAFE2(b->readers, r, next, after)
        free(r);
        tg_val_drop(&b->val);
    }
    tg_slab_fini(&s->blobs);
    tg_vec_free(&s->turns);
    tg_vec_free(&s->arrived);
    tg_vec_free(&s->granted);
    tg_vec_free(&s->news);
    tg_vec_free(&s->goners);
}

struct tg_blob *tg_store_find(const struct tg_store *s, uint64_t blob)
{
    return tg_slab_find(&s->blobs, blob);
}

/* ----- blobs --------------------------------------------------------------- */

static const bool legal[8][8] = {
    [TG_BLOB_QUEUED] = {[TG_BLOB_MAKING] = true, [TG_BLOB_DISK] = true},
    [TG_BLOB_MAKING] = {[TG_BLOB_FILLING] = true, [TG_BLOB_QUEUED] = true},
    [TG_BLOB_FILLING] = {[TG_BLOB_SEALED] = true, [TG_BLOB_LEAVING] = true},
    [TG_BLOB_SEALED] = {[TG_BLOB_LEAVING] = true},
    [TG_BLOB_LEAVING] = {[TG_BLOB_SEALED] = true, [TG_BLOB_DISK] = true},
    [TG_BLOB_DISK] = {[TG_BLOB_QUEUED] = true},
};

void tg_blob_set_state(struct tg_blob *b, enum tg_blob_state to)
{
    TG_ASSERT(legal[b->state][to]);
    b->state = (uint8_t)to;
}

struct tg_blob *tg_blob_new(struct tg_store *s, enum tg_blob_kind kind,
                            uint64_t size)
{
    uint64_t handle;
    struct tg_blob *b = tg_slab_new(&s->blobs, &handle);
    b->self = handle;
    b->kind = (uint8_t)kind;
    b->state = kind == TG_BLOB_NEAR ? TG_BLOB_ASKED : TG_BLOB_DISK;
    b->size = size;
    b->owner = s->ctx->rank;
    b->fn = UINT32_MAX;
    return b;
}

void tg_blob_put(struct tg_store *s, struct tg_blob *b, enum tg_blob_list list)
{
    if (b->list != TG_LIST_NONE)
        DL_DELETE(s->lists[b->list], b);
    b->list = (uint8_t)list;
    if (list != TG_LIST_NONE)
        DL_APPEND(s->lists[list], b);
}

struct tg_action *tg_blob_act(struct tg_store *s, const struct tg_blob *b,
                              enum tg_store_op op)
{
    struct tg_action *a = tg_ctx_act(s->ctx, TG_ACT_STORE);
    a->status = (int32_t)op;
    a->handle = b->self;
    return a;
}

/* Among those that can leave, the last one in its line to do so. */
void tg_blob_settle(struct tg_store *s, struct tg_blob *b)
{
    enum tg_blob_list list = TG_LIST_NONE;
    if (b->state == TG_BLOB_SEALED && !b->in_file && !b->spilling)
        list = b->keep_ns > s->ctx->now_ns             ? TG_LIST_BUSY
               : b->kind == TG_BLOB_COPY || b->on_disk ? TG_LIST_CHEAP
                                                       : TG_LIST_DEAR;
    tg_blob_put(s, b, list);
}

void tg_blob_touch(struct tg_store *s, struct tg_blob *b)
{
    if (b->list == TG_LIST_CHEAP || b->list == TG_LIST_DEAR)
        tg_blob_put(s, b, (enum tg_blob_list)b->list);
}

void tg_blob_arrived(struct tg_store *s, struct tg_blob *b, int32_t rc)
{
    if (!b->wanted)
        return;
    b->wanted = false;
    *tg_ctx_pass(s->ctx, &s->arrived) = (struct tg_arrival){b->ref, rc};
}

static void tell(struct tg_store *s, const struct tg_blob *b,
                 enum tg_news_op op)
{
    if (!tg_ref_none(b->ref))
        tg_store_say(s, b->ref, op);
}

/* Else it might leave before who waits for it can pin it, again and again. */
void tg_blob_keep(struct tg_store *s, struct tg_blob *b)
{
    b->keep_ns = s->ctx->now_ns + s->ctx->lim.store_look_ns;
    if (b->list != TG_LIST_NONE)
        tg_blob_put(s, b, TG_LIST_BUSY);
}

void tg_blob_sealed(struct tg_store *s, struct tg_blob *b)
{
    tg_blob_set_state(b, TG_BLOB_SEALED);
    tg_blob_act(s, b, TG_STORE_SEAL);
    tg_blob_settle(s, b);
    if (b->wanted)
        tg_blob_keep(s, b);
    tg_blob_arrived(s, b, TRYGON_SUCCESS);
    tg_pull_serve(s, b);
}

void tg_blob_free(struct tg_store *s, struct tg_blob *b)
{
    tg_blob_put(s, b, TG_LIST_NONE);
    tg_pull_end(s, b);
    tg_pull_refuse(s, b, TRYGON_ERR_OBJECT_LOST);
    if (b->kind == TG_BLOB_COPY &&
        (b->state == TG_BLOB_SEALED || b->state == TG_BLOB_LEAVING))
        tell(s, b, TG_NEWS_UNCOPY);
    if (b->spilling)
        s->spilling -= b->size;
    if (tg_blob_has_memory(b) || b->on_disk) {
        tg_blob_act(s, b, TG_STORE_FREE);
        s->moved_ns = s->ctx->now_ns;
    }
    if (tg_blob_has_memory(b))
        tg_blob_left_memory(s, b);
    if (b->kind != TG_BLOB_OWN)
        tg_val_place(b->val)->here = 0;
    tg_val_drop(&b->val);
    tg_slab_free(&s->blobs, b->self);
}

void tg_store_free(struct tg_store *s, uint64_t blob)
{
    struct tg_blob *b = tg_slab_find(&s->blobs, blob);
    if (b == NULL)
        return;
    tg_blob_free(s, b);
    tg_store_pump(s);
}

/* ----- what has been done ------------------------------------------------------ */

/* The memory is gone.  A copy ends with it; what is in a file may be wanted
 * back already. */
static void on_evicted(struct tg_store *s, struct tg_blob *b, int32_t rc)
{
    if (rc != TRYGON_SUCCESS) {
        s->evicting -= b->in_file ? 0 : b->size;
        tg_blob_set_state(b, TG_BLOB_SEALED);
        tg_blob_put(s, b, TG_LIST_BUSY);
        if (b->wanted)
            tg_blob_keep(s, b);
        tg_blob_arrived(s, b, TRYGON_SUCCESS);
        tg_pull_serve(s, b);
        return;
    }
    tg_blob_left_memory(s, b);
    tg_blob_set_state(b, TG_BLOB_DISK);
    if (b->kind == TG_BLOB_COPY) {
        tell(s, b, TG_NEWS_UNCOPY);
        *tg_ctx_pass(s->ctx, &s->arrived) =
            (struct tg_arrival){b->ref, b->wanted ? TRYGON_SUCCESS : 1};
        tg_blob_free(s, b);
        return;
    }
    tell(s, b, TG_NEWS_DISK);
    if (b->wanted)
        tg_blob_queue(s, b, TG_LIST_CALLS);
    tg_pull_serve(s, b);
}

/* It stays in memory until that is needed. */
static void on_spilled(struct tg_store *s, struct tg_blob *b, int32_t rc)
{
    static const uint64_t pause_ns = 100000000;
    b->spilling = false;
    s->spilling -= b->size;
    s->hangs = false;
    if (rc != TRYGON_SUCCESS) {
        s->try_disk_ns = s->ctx->now_ns + pause_ns;
        tg_blob_put(s, b, TG_LIST_BUSY);
        return;
    }
    b->on_disk = true;
    s->counts.spilled++;
    s->counts.spilled_bytes += b->size;
    s->moved_ns = s->ctx->now_ns;
    tg_blob_settle(s, b);
}

static void on_loaded(struct tg_store *s, struct tg_blob *b, int32_t rc)
{
    if (rc == TRYGON_SUCCESS) {
        s->counts.restored++;
        s->counts.restored_bytes += b->size;
        tell(s, b, TG_NEWS_MEMORY);
        tg_blob_sealed(s, b);
        return;
    }
    tg_blob_arrived(s, b, rc);
    tg_pull_refuse(s, b, rc);
    tg_blob_evict(s, b);
}

void tg_store_event(struct tg_store *s, enum tg_store_op op, uint64_t blob,
                    int32_t rc, trygon_ref_t reader)
{
    struct tg_blob *b = tg_slab_find(&s->blobs, blob);
    if (b == NULL)
        return; /* freed meanwhile */
    switch (op) {
    case TG_STORE_MAKE:
    case TG_STORE_FILE: tg_blob_made(s, b, rc); break;
    case TG_STORE_EVICT: on_evicted(s, b, rc); break;
    case TG_STORE_SPILL: on_spilled(s, b, rc); break;
    case TG_STORE_LOAD: on_loaded(s, b, rc); break;
    case TG_STORE_SEND: tg_pull_sent(s, b, reader, rc); break;
    case TG_STORE_SEAL:
    case TG_STORE_FREE:
    case TG_STORE_NEED:
    default: TG_UNREACHABLE();
    }
    tg_store_pump(s);
}

/* ----- writing here ---------------------------------------------------------------- */

void tg_store_room(struct tg_store *s, struct tg_room *r)
{
    struct tg_blob *b = tg_blob_new(s, TG_BLOB_OWN, r->size);
    b->fn = r->fn;
    b->task = r->task;
    r->blob = b->self;
    tg_blob_queue(s, b, TG_LIST_CALLS);
    tg_store_look_again(s);
    tg_store_pump(s);
}

int tg_store_has_room(const struct tg_store *s, uint64_t blob)
{
    const struct tg_blob *b = tg_slab_get(&s->blobs, blob);
    return b->rc != TRYGON_SUCCESS ? b->rc : b->state == TG_BLOB_FILLING;
}

void tg_store_await(struct tg_store *s, uint64_t blob, uint64_t waiter)
{
    struct tg_blob *b = tg_slab_get(&s->blobs, blob);
    b->waiter = waiter;
}

void tg_store_seal(struct tg_store *s, struct tg_val *v, int32_t owner)
{
    struct tg_blob *b = tg_slab_get(&s->blobs, tg_val_place(v)->blob);
    TG_ASSERT(b->kind == TG_BLOB_OWN && b->state == TG_BLOB_FILLING);
    b->val = tg_val_hold(v);
    b->owner = owner;
    tg_blob_sealed(s, b);
    tg_store_pump(s);
}

/* ----- the rest ------------------------------------------------------------------------ */

/* What is not sealed yet is user code's, which gives it up itself. */
void tg_store_gone(struct tg_store *s, int32_t rank)
{
    uint32_t slot = 0;
    struct tg_blob *b;
    while ((b = tg_slab_next(&s->blobs, &slot)) != NULL) {
        if (b->kind == TG_BLOB_OWN && b->owner == rank && !b->kept)
            tg_blob_free(s, b);
        else
            tg_pull_gone(s, b, rank);
    }
    tg_store_pump(s);
}

static void flush_goners(struct tg_store *s)
{
    for (uint32_t i = 0; i < s->goners.n;) {
        uint32_t n = 1;
        while (i + n < s->goners.n &&
               s->goners.v[i + n].rank == s->goners.v[i].rank)
            n++;
        struct tg_msg m = {.type = TG_MSG_FORGET};
        m.u.forget.n = n;
        m.u.forget.v = tg_grow(NULL, n, sizeof *m.u.forget.v);
        for (uint32_t j = 0; j < n; j++)
            m.u.forget.v[j] = s->goners.v[i + j].blob;
        tg_ctx_send(s->ctx, s->goners.v[i].rank, &m);
        i += n;
    }
    s->goners.n = 0;
}

static void flush_news(struct tg_store *s)
{
    for (uint32_t i = 0, n; i < s->news.n; i += n) {
        n = s->news.n - i < TG_NEWS_MAX ? s->news.n - i : TG_NEWS_MAX;
        struct tg_msg m = {.type = TG_MSG_NEWS};
        m.u.news.n = n;
        m.u.news.v = tg_grow(NULL, n, sizeof *m.u.news.v);
        for (uint32_t j = 0; j < n; j++)
            m.u.news.v[j] = s->news.v[i + j];
        tg_ctx_send(s->ctx, 0, &m);
    }
    s->news.n = 0;
}

void tg_store_flush(struct tg_store *s)
{
    flush_goners(s);
    flush_news(s);
}
