/* stores.c - see stores.h. */
#include "rank/stores.h"

#include <stdio.h>
#include <stdlib.h>

#include "rank/rank.h"

static void answer(struct tg_stores *s, enum tg_store_op op, uint64_t blob,
                   int32_t rc)
{
    *tg_vec_add(&s->answers) =
        (struct tg_store_answer){.op = op, .blob = blob, .rc = rc};
}

/* ----- the node ------------------------------------------------------------------ */

/* Those who wait for room, or all, are to look. */
static void ring(struct trygon *tg, bool all)
{
    const struct tg_stores *s = &tg->stores;
    for (int32_t r = 0; s->node.nranks > 1 && r < tg->nranks; r++)
        if (r != tg->rank && s->of[r] != NULL &&
            (all || atomic_load(&s->node.page->of[s->number[r]].wanted) > 0))
            tg_bells_ring(&tg->bells, r);
}

static void count_resident(struct trygon *tg)
{
    struct tg_stores *s = &tg->stores;
    if (tg_nodemem_resident(&s->node, tg_arena_resident(s->own)))
        ring(tg, true);
}

void tg_stores_tell(struct trygon *tg)
{
    struct tg_node_use use = tg_nodemem_others(&tg->stores.node);
    const struct tg_node_use *known = &tg->core->store.node_use;
    struct tg_event ev = {.type = TG_EV_NODE, .node = &use};
    if (use.used != known->used || use.spilling != known->spilling ||
        use.wanted != known->wanted)
        tg_step(tg, &ev);
}

/* In bites, since the system takes 0.2 s for a GiB. */
static void trim(struct trygon *tg)
{
    static const uint64_t bite = 32u << 20;
    struct tg_stores *s = &tg->stores;
    uint64_t keep = tg_nodemem_share(&s->node);
    uint64_t warm = tg_arena_trim(s->own, UINT64_MAX), left = warm;
    if (warm > keep)
        left = tg_arena_trim(s->own, warm - keep > bite ? warm - bite : keep);
    s->node.trims = left > keep && left < warm;
    count_resident(tg);
}

void tg_stores_look(struct trygon *tg)
{
    struct tg_stores *s = &tg->stores;
    if (tg_stores_due(s, &tg->core->store))
        tg_stores_tell(tg);
    s->node.trims = false;
    if (tg_nodemem_full(&s->node))
        trim(tg);
}

/* The node had less room than the core knew. */
static void hear_again(struct trygon *tg)
{
    struct tg_node_use use = tg_nodemem_others(&tg->stores.node);
    struct tg_event ev = {
        .type = TG_EV_NODE, .now_ns = tg_last_ns(tg), .node = &use};
    tg_core_step(tg->core, &ev);
}

/* ----- answers ------------------------------------------------------------------- */

bool tg_stores_answer(struct trygon *tg)
{
    struct tg_stores *s = &tg->stores;
    bool any = s->answered < s->answers.n;
    if (s->node.rings)
        ring(tg, false);
    s->node.rings = false;
    while (s->answered < s->answers.n) {
        struct tg_store_answer a = s->answers.v[s->answered++];
        struct tg_event ev = {.type = TG_EV_STORE,
                              .now_ns = tg_last_ns(tg),
                              .status = a.rc,
                              .handle = a.blob,
                              .ref = a.reader,
                              .tag = (uint64_t)a.op};
        tg_core_step(tg->core, &ev);
        if (a.op == TG_STORE_MAKE && a.rc == TRYGON_ERR_STATE)
            hear_again(tg);
    }
    s->answers.n = s->answered = 0;
    return any;
}

/* ----- what there is of a blob -------------------------------------------------- */

static struct tg_stored *find(const struct tg_stores *s, uint64_t blob)
{
    struct tg_stored *x;
    HASH_FIND(hh, s->blobs, &blob, sizeof blob, x);
    return x;
}

void *tg_stores_data(const struct tg_stores *s, uint64_t blob)
{
    return tg_arena_data(s->own, blob);
}

static void remove_stored(struct tg_stores *s, struct tg_stored *x)
{
    HASH_DEL(s->blobs, x);
    free(x);
}

/* Nobody is busy with it any more; and is it freed, so is its place in a file. */
static void not_busy(struct tg_stores *s, struct tg_stored *x)
{
    TG_ASSERT(x->busy > 0);
    if (--x->busy > 0 || !x->freed)
        return;
    if (x->where.file != 0)
        tg_io_forget(s->io, &x->where);
    remove_stored(s, x);
}

/* The same with its memory, which stays where it is meanwhile. */
static void use_memory(struct tg_stores *s, struct tg_stored *x)
{
    x->busy++;
    tg_arena_hold(s->own, x->blob);
}

static void end_use(struct tg_stores *s, struct tg_stored *x)
{
    tg_arena_unpin(s->own, x->blob);
    not_busy(s, x);
}

/* ----- memory ------------------------------------------------------------------- */

static struct tg_stored *add(struct tg_stores *s, uint64_t blob, uint64_t size)
{
    struct tg_stored *x = tg_alloc(sizeof *x);
    x->blob = blob;
    x->size = size;
    HASH_ADD(hh, s->blobs, blob, sizeof x->blob, x);
    return x;
}

/* NULL: the blob was freed in the same step. */
static struct tg_stored *find_or_add(struct trygon *tg, uint64_t blob)
{
    const struct tg_blob *b = tg_store_find(&tg->core->store, blob);
    struct tg_stored *x = find(&tg->stores, blob);
    return b == NULL || x != NULL ? x : add(&tg->stores, blob, b->size);
}

static int32_t make_memory(struct trygon *tg, struct tg_stored *x)
{
    struct tg_stores *s = &tg->stores;
    if (!tg_nodemem_take(&s->node, x->size))
        return TRYGON_ERR_STATE;
    if (tg_arena_alloc(s->own, x->blob, x->size) == NULL) {
        tg_nodemem_give(&s->node, x->size);
        return TRYGON_ERR_NOMEM;
    }
    x->counted = true;
    count_resident(tg);
    return TRYGON_SUCCESS;
}

static void make(struct trygon *tg, uint64_t blob)
{
    struct tg_stores *s = &tg->stores;
    struct tg_stored *x = find_or_add(tg, blob);
    if (x == NULL)
        return;
    int32_t rc = (uint32_t)blob < TG_STORES_SLOTS ? make_memory(tg, x)
                                                  : TRYGON_ERR_NOMEM;
    answer(s, TG_STORE_MAKE, blob, rc);
    if (rc != TRYGON_SUCCESS && x->where.file == 0)
        remove_stored(s, x);
}

static void seal(struct tg_stores *s, struct tg_stored *x)
{
    x->sealed = true;
    tg_arena_seal(s->own, x->blob);
}

static void give_memory(struct trygon *tg, struct tg_stored *x)
{
    if (x->counted)
        tg_nodemem_give(&tg->stores.node, x->size);
    x->counted = false;
    count_resident(tg);
}

/* One that could not be read back was never sealed. */
static void evict(struct trygon *tg, struct tg_stored *x)
{
    struct tg_stores *s = &tg->stores;
    bool gone = !x->sealed || tg_arena_evict(s->own, x->blob);
    if (!x->sealed)
        tg_arena_free(s->own, x->blob);
    x->sealed = x->sealed && !gone;
    if (gone)
        give_memory(tg, x);
    answer(s, TG_STORE_EVICT, x->blob, gone ? 0 : TRYGON_ERR_STATE);
    if (gone && x->where.file == 0)
        remove_stored(s, x); /* a copy, which ends with its memory */
}

static void free_blob(struct trygon *tg, struct tg_stored *x)
{
    struct tg_stores *s = &tg->stores;
    if (tg_stores_data(s, x->blob) != NULL)
        tg_arena_free(s->own, x->blob);
    give_memory(tg, x);
    x->sealed = false;
    x->freed = true;
    x->busy++;
    not_busy(s, x);
}

/* ----- files --------------------------------------------------------------------- */

static struct tg_job *new_job(struct tg_stored *x, enum tg_store_op op)
{
    struct tg_job *job = tg_alloc(sizeof *job);
    job->op = op;
    job->x = x;
    return job;
}

/* What the core knows of it goes into the file as well. */
static void describe(const struct trygon *tg, const struct tg_blob *b,
                     struct tg_job *job)
{
    struct tg_spill_item *it = &job->item;
    it->data = tg_stores_data(&tg->stores, job->x->blob);
    it->size = job->x->size;
    it->ref = b->ref;
    it->owner = b->owner;
    it->function = b->fn < tg->nfns ? tg->fns[b->fn].name : "put";
    it->task = b->task;
    it->dims = job->dims;
    if (b->val == NULL)
        return;
    it->type = b->val->type;
    it->ndim = b->val->ndim;
    memcpy(job->dims, tg_val_dims(b->val), (size_t)it->ndim * sizeof(int64_t));
}

static void hand_to_thread(struct trygon *tg, struct tg_job *job)
{
    if (tg_io_add(tg->stores.io, job))
        return;
    job->rc = TRYGON_ERR_IO;
    snprintf(job->why, sizeof job->why, "no thread to do it");
    tg_stores_done(tg, job);
}

/* Memory in a file. */
static void make_file(struct trygon *tg, uint64_t blob)
{
    struct tg_stored *x = find_or_add(tg, blob);
    if (x == NULL)
        return;
    struct tg_job *job = new_job(x, TG_STORE_FILE);
    x->busy++;
    job->n = x->size;
    if ((uint32_t)blob < TG_STORES_SLOTS) {
        hand_to_thread(tg, job);
        return;
    }
    job->rc = TRYGON_ERR_NOMEM;
    snprintf(job->why, sizeof job->why, "too many objects");
    tg_stores_done(tg, job);
}

static void spill(struct trygon *tg, struct tg_stored *x)
{
    const struct tg_blob *b = tg_store_find(&tg->core->store, x->blob);
    if (b == NULL)
        return; /* freed in the same step */
    struct tg_job *job = new_job(x, TG_STORE_SPILL);
    tg_nodemem_spill(&tg->stores.node, x->size);
    use_memory(&tg->stores, x);
    describe(tg, b, job);
    hand_to_thread(tg, job);
}

static void load(struct trygon *tg, struct tg_stored *x)
{
    struct tg_job *job = new_job(x, TG_STORE_LOAD);
    use_memory(&tg->stores, x);
    job->data = tg_stores_data(&tg->stores, x->blob);
    job->n = x->size;
    hand_to_thread(tg, job);
}

/* A failure of the disk is told, but not each of thousands. */
static void complain(struct trygon *tg, const struct tg_job *job)
{
    unsigned long long size = job->x->size;
    bool reads = job->op == TG_STORE_LOAD || job->op == TG_STORE_SEND;
    if (job->rc == TRYGON_SUCCESS || (!reads && tg->stores.told_full) ||
        job->rc == TRYGON_ERR_UNSUPPORTED) /* was told at the start */
        return;
    tg->stores.told_full |= !reads;
    if (job->op == TG_STORE_FILE)
        tg_log(&tg->log, TRYGON_LOG_WARN,
               "the object store is full, and there can be no file for %llu "
               "bytes: %s",
               size, job->why);
    else
        tg_log(&tg->log, TRYGON_LOG_WARN, "an object of %llu bytes %s: %s",
               size,
               reads ? "could not be read from its file"
                     : "could not be written to a file",
               job->why);
}

/* ----- sending ---------------------------------------------------------------------- */

static void answer_sent(struct tg_stores *s, uint64_t blob, int32_t rank,
                        uint64_t to, int32_t rc)
{
    *tg_vec_add(&s->answers) =
        (struct tg_store_answer){.op = TG_STORE_SEND,
                                 .blob = blob,
                                 .rc = rc,
                                 .reader = {(uint64_t)rank, to}};
}

/* The bytes are at `at`; x is busy until they have left. */
static void post(struct trygon *tg, int32_t rank, struct tg_stored *x,
                 struct tg_msg *m, const void *at, void *buffer)
{
    struct tg_sending *out = tg_alloc(sizeof *out);
    out->x = x;
    out->buffer = buffer;
    DL_APPEND(tg->stores.sendings, out);
    m->u.data.bytes = at;
    m->u.data.cookie = out;
    tg_post_send(tg->post, rank, m);
}

static void send_bytes(struct trygon *tg, struct tg_stored *x,
                       struct tg_action *a)
{
    const struct tg_msg_data *d = &a->msg.u.data;
    TG_ASSERT(d->offset <= x->size && d->n <= x->size - d->offset);
    if (x->sealed) {
        const unsigned char *data = tg_stores_data(&tg->stores, x->blob);
        use_memory(&tg->stores, x);
        post(tg, a->rank, x, &a->msg, data + d->offset, NULL);
        return;
    }
    struct tg_job *job = new_job(x, TG_STORE_SEND);
    x->busy++;
    job->from = d->offset;
    job->n = d->n;
    job->msg = a->msg;
    job->rank = a->rank;
    job->data = malloc((size_t)d->n);
    hand_to_thread(tg, job);
}

static void on_sent(void *arg, int32_t to, struct tg_msg *m)
{
    struct trygon *tg = arg;
    struct tg_sending *out = m->u.data.cookie;
    struct tg_stored *x = out->x;
    answer_sent(&tg->stores, x->blob, to, m->u.data.to, 0);
    DL_DELETE(tg->stores.sendings, out);
    if (out->buffer == NULL)
        end_use(&tg->stores, x);
    else
        not_busy(&tg->stores, x);
    free(out->buffer);
    free(out);
}

/* ----- receiving --------------------------------------------------------------------- */

/* A piece of an asking that is over has no place any more. */
static void *into(void *arg, int32_t from, const struct tg_msg *m)
{
    struct trygon *tg = arg;
    const struct tg_msg_data *d = &m->u.data;
    const struct tg_blob *b = tg_store_find(&tg->core->store, d->to);
    struct tg_stored *x = find(&tg->stores, d->to);
    if (b == NULL || x == NULL || b->kind != TG_BLOB_COPY ||
        b->state != TG_BLOB_FILLING || b->source != from ||
        b->number != d->number || d->offset > b->size ||
        d->n > b->size - d->offset)
        return NULL;
    use_memory(&tg->stores, x);
    return (unsigned char *)tg_stores_data(&tg->stores, d->to) + d->offset;
}

static void got(void *arg, int32_t from, const struct tg_msg *m)
{
    struct trygon *tg = arg;
    (void)from;
    end_use(&tg->stores, find(&tg->stores, m->u.data.to));
}

struct tg_post_ends tg_stores_ends(struct trygon *tg)
{
    return (struct tg_post_ends){
        .arg = tg, .into = into, .got = got, .sent = on_sent};
}

/* ----- the threads' answers -------------------------------------------------------------- */

static void end_send(struct trygon *tg, struct tg_job *job)
{
    if (job->rc == TRYGON_SUCCESS) {
        post(tg, job->rank, job->x, &job->msg, job->data, job->data);
        return; /* it stays busy */
    }
    struct tg_msg_data *d = &job->msg.u.data;
    answer_sent(&tg->stores, job->x->blob, job->rank, d->to, job->rc);
    d->code = job->rc; /* the reader hears of it */
    d->offset = d->n = 0;
    tg_post_send(tg->post, job->rank, &job->msg);
    free(job->data);
    not_busy(&tg->stores, job->x);
}

/* The blob may have been freed meanwhile. */
static void end_file(struct tg_stores *s, struct tg_job *job)
{
    struct tg_stored *x = job->x;
    if (job->rc != TRYGON_SUCCESS) {
        x->freed |= x->where.file == 0; /* it is nowhere */
        memcpy(s->no_file, job->why, sizeof s->no_file);
    } else if (x->freed) {
        tg_io_drop(s->io, &job->file);
    } else {
        (void)tg_arena_alloc_file(s->own, x->blob, x->size, &job->file);
    }
    answer(s, TG_STORE_FILE, x->blob, job->rc);
    not_busy(s, x);
}

void tg_stores_done(struct trygon *tg, struct tg_job *job)
{
    struct tg_stored *x = job->x;
    complain(tg, job);
    if (job->op == TG_STORE_SEND) {
        end_send(tg, job);
    } else if (job->op == TG_STORE_FILE) {
        end_file(&tg->stores, job);
    } else {
        if (job->op == TG_STORE_SPILL)
            tg_nodemem_spilled(&tg->stores.node, x->size);
        if (job->op == TG_STORE_SPILL && job->rc == TRYGON_SUCCESS) {
            x->where = job->item.where;
            tg->stores.told_full = false;
        }
        answer(&tg->stores, job->op, x->blob, job->rc);
        end_use(&tg->stores, x);
    }
    free(job);
}

/* ----- actions ---------------------------------------------------------------------------- */

/* Files of the gone are dropped without the lock. */
static void drop_files(struct tg_stores *s)
{
    struct tg_arena_file f;
    while (tg_arena_take_file(s->own, &f))
        tg_io_drop(s->io, &f);
}

void tg_stores_perform(struct trygon *tg, struct tg_action *a)
{
    struct tg_stores *s = &tg->stores;
    enum tg_store_op op = (enum tg_store_op)a->status;
    if (op == TG_STORE_NEED) {
        bool more = a->handle > s->node.own.wanted;
        tg_nodemem_want(&s->node, a->handle);
        if (more)
            ring(tg, true);
        return;
    }
    struct tg_stored *x = find(s, a->handle);
    bool makes = op == TG_STORE_MAKE || op == TG_STORE_FILE;
    if (x == NULL && op == TG_STORE_FREE)
        return; /* nothing was made of it */
    TG_ASSERT(x != NULL || makes);
    switch (op) {
    case TG_STORE_MAKE: make(tg, a->handle); break;
    case TG_STORE_FILE: make_file(tg, a->handle); break;
    case TG_STORE_SEAL: seal(s, x); break;
    case TG_STORE_EVICT: evict(tg, x); break;
    case TG_STORE_FREE: free_blob(tg, x); break;
    case TG_STORE_SPILL: spill(tg, x); break;
    case TG_STORE_LOAD: load(tg, x); break;
    case TG_STORE_SEND: send_bytes(tg, x, a); break;
    case TG_STORE_NEED:
    default: TG_UNREACHABLE();
    }
    drop_files(s);
}

void tg_stores_gone(struct trygon *tg, int32_t rank)
{
    struct tg_stores *s = &tg->stores;
    if (s->of[rank] == NULL)
        return;
    if (s->node.nranks > 1)
        tg_nodemem_lose(&s->node, s->number[rank]);
    tg_arena_reader_gone(s->own, tg_stores_reader(s, tg->rank, rank));
    drop_files(s);
}
