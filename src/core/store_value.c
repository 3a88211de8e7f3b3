/* store_value.c - stored values, as the objects of this rank see them (store.h):
 * whether their bytes can be read here, and what to do if not. */
#include "core/store_impl.h"

static bool is_near(const struct tg_store *s, int32_t rank)
{
    return s->node[rank] == s->node[s->ctx->rank];
}

/* Where the bytes were made, if that is here; else NULL. */
static struct tg_blob *own_blob(const struct tg_store *s,
                                const struct tg_val *v)
{
    const struct tg_place *p = tg_val_place(v);
    return p->rank == s->ctx->rank ? tg_slab_find(&s->blobs, p->blob) : NULL;
}

/* What was made elsewhere, as far as it is here; else NULL. */
static struct tg_blob *other_blob(const struct tg_store *s,
                                  const struct tg_val *v)
{
    return tg_slab_find(&s->blobs, tg_val_place(v)->here);
}

bool tg_store_here(const struct tg_store *s, const struct tg_val *v)
{
    const struct tg_place *p = tg_val_place(v);
    bool own = p->rank == s->ctx->rank;
    if (!own && is_near(s, p->rank))
        return !p->away;
    const struct tg_blob *b = own ? own_blob(s, v) : other_blob(s, v);
    return b != NULL && b->state == TG_BLOB_SEALED;
}

bool tg_store_has_copy(const struct tg_store *s, const struct tg_val *v)
{
    const struct tg_blob *b = other_blob(s, v);
    return b != NULL && b->kind == TG_BLOB_COPY && b->state == TG_BLOB_SEALED &&
           !b->in_file;
}

void tg_store_away(struct tg_store *s, struct tg_val *v)
{
    struct tg_place *p = tg_val_place(v);
    if (p->rank != s->ctx->rank && is_near(s, p->rank))
        p->away = true;
}

static void want_own(struct tg_store *s, struct tg_blob *b,
                     enum tg_blob_list line)
{
    if (b->state == TG_BLOB_DISK)
        tg_blob_queue(s, b, line);
    else if (b->state == TG_BLOB_SEALED)
        tg_blob_arrived(s, b, TRYGON_SUCCESS);
}

void tg_store_used(struct tg_store *s, uint64_t blob)
{
    struct tg_blob *b = tg_slab_find(&s->blobs, blob);
    if (b != NULL)
        tg_blob_touch(s, b);
}

static struct tg_blob *begin_want(struct tg_store *s, struct tg_val *v,
                                  enum tg_blob_list line)
{
    struct tg_place *p = tg_val_place(v);
    bool near = is_near(s, p->rank);
    struct tg_blob *b =
        tg_blob_new(s, near ? TG_BLOB_NEAR : TG_BLOB_COPY, v->size);
    p->here = b->self;
    b->val = tg_val_hold(v);
    b->owner = -1;
    b->home = b->source = p->rank;
    b->home_blob = b->source_blob = p->blob;
    if (near)
        tg_pull_begin(s, b);
    else
        tg_blob_queue(s, b, line);
    return b;
}

void tg_store_want(struct tg_store *s, trygon_ref_t ref, struct tg_val *v,
                   bool call)
{
    const struct tg_place *p = tg_val_place(v);
    enum tg_blob_list line = call ? TG_LIST_CALLS : TG_LIST_ARGS;
    bool own = p->rank == s->ctx->rank;
    struct tg_blob *b = own ? own_blob(s, v) : other_blob(s, v);
    if (b == NULL && (own || s->ctx->dead[p->rank])) {
        *tg_ctx_pass(s->ctx, &s->arrived) =
            (struct tg_arrival){ref, TRYGON_ERR_OBJECT_LOST};
        return;
    }
    if (b == NULL)
        b = begin_want(s, v, line);
    b->ref = ref;
    b->wanted = true;
    tg_blob_touch(s, b);
    if (b->state == TG_BLOB_QUEUED && b->line == TG_LIST_ARGS && call)
        tg_blob_line_up(s, b, TG_LIST_CALLS);
    if (own)
        want_own(s, b, line);
    tg_store_pump(s);
}

void tg_store_born(struct tg_store *s, trygon_ref_t ref, struct tg_val *v)
{
    struct tg_blob *b = own_blob(s, v);
    if (b != NULL)
        b->ref = ref;
    *tg_ctx_pass(s->ctx, &s->news) =
        (struct tg_news){.ref = ref,
                         .op = TG_NEWS_NEW,
                         .rank = tg_val_place(v)->rank,
                         .size = v->size};
}

/* ----- a store is lost --------------------------------------------------------- */

/* A copy becomes what the object is read from. */
static bool make_own(struct tg_store *s, struct tg_val *v, int32_t owner)
{
    struct tg_blob *b = other_blob(s, v);
    if (!tg_store_has_copy(s, v))
        return false;
    b->kind = TG_BLOB_OWN;
    b->owner = owner;
    tg_blob_settle(s, b);
    *tg_val_place(v) = (struct tg_place){.rank = s->ctx->rank, .blob = b->self};
    return true;
}

bool tg_store_promote(struct tg_store *s, trygon_ref_t ref, struct tg_val *v)
{
    if (!make_own(s, v, s->ctx->rank))
        return false;
    tg_store_born(s, ref, v);
    return true;
}

void tg_store_seek(struct tg_store *s, trygon_ref_t ref, struct tg_val *v)
{
    tg_val_place(v)->away = true; /* not even if it is on this node */
    tg_store_say(s, ref, TG_NEWS_SOUGHT);
}

void tg_store_found(struct tg_store *s, trygon_ref_t ref, struct tg_val *v,
                    int32_t rank, uint64_t blob)
{
    struct tg_place *p = tg_val_place(v);
    struct tg_blob *b = other_blob(s, v);
    p->rank = rank;
    p->blob = blob;
    p->away = false;
    if (b != NULL) { /* a copy, or one that is being pulled */
        b->home = rank;
        b->home_blob = blob;
    }
    tg_store_born(s, ref, v);
}

void tg_store_adopt(struct tg_store *s, trygon_ref_t ref, struct tg_val *v)
{
    struct tg_news x = {.ref = ref, .op = TG_NEWS_UNCOPY};
    if (v != NULL && v->stored && make_own(s, v, tg_ref_rank(ref))) {
        x.op = TG_NEWS_HOME;
        x.size = tg_val_place(v)->blob;
    }
    *tg_ctx_pass(s->ctx, &s->news) = x;
}

void tg_store_forget(struct tg_store *s, int32_t rank, uint64_t blob)
{
    *tg_ctx_pass(s->ctx, &s->goners) = (struct tg_goner){rank, blob};
}

/* ----- the end of values ------------------------------------------------------ */

void tg_store_left(struct tg_store *s, trygon_ref_t ref, struct tg_val *v,
                   bool owned)
{
    const struct tg_place *p = tg_val_place(v);
    bool orphan = p->rank == s->ctx->rank && s->ctx->dead[tg_ref_rank(ref)];
    tg_store_free(s, p->here);
    if (owned || orphan)
        tg_store_discard(s, v);
    if (owned)
        tg_store_say(s, ref, TG_NEWS_DEAD);
}

void tg_store_discard(struct tg_store *s, const struct tg_val *v)
{
    const struct tg_place *p = tg_val_place(v);
    if (p->rank == s->ctx->rank)
        tg_store_free(s, p->blob);
    else
        tg_store_forget(s, p->rank, p->blob);
}

void tg_store_freed(struct tg_store *s, trygon_ref_t ref)
{
    tg_store_say(s, ref, TG_NEWS_FREED);
}

void tg_store_unused(struct tg_store *s, trygon_ref_t ref)
{
    tg_store_say(s, ref, TG_NEWS_UNUSED);
}

void tg_store_keep(struct tg_store *s, const struct tg_val *v)
{
    struct tg_blob *b = own_blob(s, v);
    if (b != NULL)
        b->kept = true;
}

/* ----- looking ------------------------------------------------------------ */

static void check_one(const struct tg_store *s, const struct tg_blob *b)
{
    bool lined = b->list == TG_LIST_CALLS || b->list == TG_LIST_ARGS ||
                 b->list == TG_LIST_HUGE;
    TG_ASSERT(lined == (b->state == TG_BLOB_QUEUED && b->rc == 0));
    TG_ASSERT(lined || b->list == TG_LIST_NONE || b->state == TG_BLOB_SEALED);
    TG_ASSERT(!b->spilling || (b->kind == TG_BLOB_OWN && !b->on_disk));
    TG_ASSERT(b->state != TG_BLOB_DISK || b->on_disk);
    TG_ASSERT((b->kind == TG_BLOB_NEAR) == (b->state == TG_BLOB_ASKED));
    TG_ASSERT(b->val != NULL || b->state <= TG_BLOB_FILLING);
    TG_ASSERT(b->kind == TG_BLOB_OWN || tg_val_place(b->val)->here == b->self);
    uint32_t nactive = 0;
    const struct tg_reader *r;
    DL_FOREACH2 (b->readers, r, after) {
        TG_ASSERT(!s->ctx->dead[r->rank] && !(r->near && r->active));
        nactive += r->active;
    }
    TG_ASSERT(nactive == b->nactive && nactive <= s->ctx->lim.readers_max);
}

void tg_store_check(const struct tg_store *s)
{
    uint64_t used = 0, evicting = 0, spilling = 0, in_files = 0;
    uint32_t slot = 0;
    const struct tg_blob *b;
    while ((b = tg_slab_next(&s->blobs, &slot)) != NULL) {
        check_one(s, b);
        if (tg_blob_has_memory(b) && b->in_file)
            in_files += b->size;
        else if (tg_blob_has_memory(b))
            used += b->size;
        if (b->spilling)
            spilling += b->size;
        if (b->state == TG_BLOB_LEAVING && !b->in_file)
            evicting += b->size;
    }
    TG_ASSERT(used == s->used && evicting == s->evicting);
    TG_ASSERT(spilling == s->spilling);
    TG_ASSERT(in_files == s->in_files && used <= s->limit);
}

/* Nothing happens to it unless somebody asks; what user code writes does. */
static bool rests(const struct tg_blob *b)
{
    return b->state == TG_BLOB_SEALED || b->state == TG_BLOB_DISK ||
           (b->state == TG_BLOB_FILLING && b->kind == TG_BLOB_OWN &&
            !b->on_disk);
}

bool tg_store_quiet(const struct tg_store *s)
{
    uint32_t slot = 0;
    const struct tg_blob *b;
    while ((b = tg_slab_next(&s->blobs, &slot)) != NULL)
        if (b->readers != NULL || b->spilling || !rests(b))
            return false;
    return s->arrived.n == 0 && s->granted.n == 0 && s->turns.n == 0;
}
