/* store.c - see store.h. */
#include "store_node.h"

#include <stdlib.h>
#include <string.h>

#include "world.h"

struct sim_op {
    enum tg_store_op op;
    uint64_t blob;
    int32_t rc;
    /* SEND: */
    struct tg_msg msg;
    int32_t rank;
    uint64_t to;
    struct sim_blob *from;
    unsigned char *copy; /* of what was in the file */
    bool left;           /* and has left */
    uint64_t spilling;   /* bytes */
    struct sim_op *prev, *next;
};

static const char *const done_names[] = {
    "?",     "makes",   "maps",     "seals", "evicts",
    "frees", "spilled", "restored", "needs", "sends"};

/* ----- blobs ---------------------------------------------------------------- */

static struct sim_blob *find(const struct sim_store *s, uint64_t blob)
{
    struct sim_blob *b;
    HASH_FIND(hh, s->blobs, &blob, sizeof blob, b);
    return b;
}

/* NULL: it has been freed since. */
static struct sim_blob *find_or_add(struct sim_rank *r, uint64_t blob)
{
    struct sim_store *s = &r->store;
    struct sim_blob *b = find(s, blob);
    if (b != NULL)
        return b;
    const struct tg_blob *x = tg_store_find(&r->core->store, blob);
    if (x == NULL)
        return NULL;
    b = tg_alloc(sizeof *b);
    b->handle = blob;
    b->size = x->size;
    b->number = ++s->made;
    HASH_ADD(hh, s->blobs, handle, sizeof b->handle, b);
    return b;
}

static void free_memory(struct sim_store *s, struct sim_blob *b)
{
    if (b->memory != NULL && !b->mapped && !b->freed)
        sim_node_give(s, b->size);
    free(b->memory);
    b->memory = NULL;
    b->mapped = b->sealed = false;
}

static void free_blob(struct sim_blob *b)
{
    free(b->memory);
    free(b->file);
    tg_vec_free(&b->pins);
    free(b);
}

static bool in_use(const struct sim_blob *b)
{
    return b->pins.n > 0 || b->busy > 0;
}

/* Nothing of it is left: its memory first, which may lie there for no one. */
static void let_go(struct sim_store *s, struct sim_blob *b)
{
    if (!b->freed || in_use(b))
        return;
    free(b->memory);
    b->memory = NULL;
    if (b->views > 0)
        return;
    DL_DELETE2(s->freed, b, prev, after);
    free_blob(b);
}

static void drop_blob(struct sim_store *s, struct sim_blob *b)
{
    if (b->memory != NULL && !b->mapped)
        sim_node_give(s, b->size);
    HASH_DEL(s->blobs, b);
    b->freed = true;
    DL_APPEND2(s->freed, b, prev, after);
    let_go(s, b);
}

void sim_store_init(struct sim_rank *r, struct sim_node *node)
{
    r->store.rank = r;
    r->store.node = node;
    if (node->n++ == 0)
        node->first = r->id;
}

void sim_store_fini(struct sim_store *s)
{
    struct sim_blob *b, *bnext;
    struct sim_op *op, *next;
    HASH_ITER (hh, s->blobs, b, bnext) {
        HASH_DEL(s->blobs, b);
        free_blob(b);
    }
    DL_FOREACH_SAFE2(s->freed, b, bnext, after)
    free_blob(b);
    DL_FOREACH_SAFE (s->now, op, next)
        free(op);
    DL_FOREACH_SAFE (s->ops, op, next) {
        free(op->copy);
        free(op);
    }
}

/* ----- what is done ------------------------------------------------------------ */

static void say(struct sim_rank *r, const struct sim_blob *b, const char *what,
                int32_t rc)
{
    if (rc == TRYGON_SUCCESS)
        tell(r->w, r->id, "%s blob %u", what, b->number);
    else
        tell(r->w, r->id, "%s blob %u: error %d", what, b->number, (int)rc);
}

static bool chance(struct sim_rank *r, uint32_t of_1000)
{
    return of_1000 > 0 && tg_rng_below(&r->w->rng, 1000) < of_1000;
}

/* Why a write to a file fails, if it does. */
static int32_t disk(struct sim_rank *r)
{
    const struct store_opts *o = &r->w->opts.store;
    if (chance(r, o->full))
        return TRYGON_ERR_DISK_FULL;
    return chance(r, o->broken) ? TRYGON_ERR_IO : TRYGON_SUCCESS;
}

static int32_t make(struct sim_rank *r, struct sim_blob *b, bool mapped)
{
    if (b->memory != NULL)
        world_fail(r->w, "rank %d makes a blob twice", (int)r->id);
    int32_t rc = mapped ? disk(r) : TRYGON_SUCCESS;
    if (!mapped && chance(r, r->w->opts.store.full / 4))
        rc = TRYGON_ERR_NOMEM;
    else if (!mapped && !sim_node_take(r, b->size))
        rc = TRYGON_ERR_STATE;
    if (rc == TRYGON_SUCCESS) {
        b->memory = tg_alloc(b->size + 1);
        memset(b->memory, 0xee, b->size);
        b->mapped = mapped;
        r->w->stats.mapped += mapped;
        r->w->stats.made++;
    }
    return rc;
}

static int32_t evict(struct sim_rank *r, struct sim_blob *b)
{
    if (b->memory == NULL)
        world_fail(r->w, "rank %d evicts what is not there", (int)r->id);
    r->w->stats.pinned += in_use(b);
    if (in_use(b))
        return TRYGON_ERR_STATE;
    free_memory(&r->store, b);
    r->w->stats.evicted++;
    return TRYGON_SUCCESS;
}

static int32_t spill(struct sim_rank *r, struct sim_blob *b)
{
    if (b->memory == NULL || !b->sealed || b->file != NULL)
        world_fail(r->w, "rank %d spills what it cannot", (int)r->id);
    int32_t rc = disk(r);
    if (rc != TRYGON_SUCCESS)
        return rc;
    b->file = tg_alloc(b->size + 1);
    memcpy(b->file, b->memory, b->size);
    r->w->stats.spilled++;
    return TRYGON_SUCCESS;
}

static int32_t load(struct sim_rank *r, struct sim_blob *b)
{
    if (b->memory == NULL || b->sealed || b->file == NULL)
        world_fail(r->w, "rank %d restores what it cannot", (int)r->id);
    if (chance(r, r->w->opts.store.unread))
        return TRYGON_ERR_IO;
    memcpy(b->memory, b->file, b->size);
    r->w->stats.restored++;
    return TRYGON_SUCCESS;
}

/* ----- sending ------------------------------------------------------------------ */

static void send_bytes(struct sim_rank *r, struct sim_op *op,
                       const unsigned char *at)
{
    op->msg.u.data.bytes = at;
    op->msg.u.data.cookie = op;
    DL_APPEND(r->store.ops, op);
    world_send(r, op->rank, &op->msg);
}

static void send_from_memory(struct sim_rank *r, struct sim_op *op,
                             struct sim_blob *b)
{
    b->busy++;
    op->from = b;
    send_bytes(r, op, b->memory + op->msg.u.data.offset);
}

/* The message tells the reader why there are no bytes. */
static void send_error(struct sim_rank *r, struct sim_op *op, int32_t rc)
{
    struct tg_msg_data *d = &op->msg.u.data;
    *d = (struct tg_msg_data){.code = rc, .number = d->number, .to = d->to};
    op->rc = rc;
    world_send(r, op->rank, &op->msg);
}

/* True: it has begun. */
static bool send_from_file(struct sim_rank *r, struct sim_op *op,
                           struct sim_blob *b)
{
    const struct tg_msg_data *d = &op->msg.u.data;
    if (b->file == NULL && (b->memory == NULL || !b->sealed))
        world_fail(r->w, "rank %d sends what it has not", (int)r->id);
    if (b->file == NULL) { /* it has been loaded since */
        send_from_memory(r, op, b);
        return true;
    }
    if (chance(r, r->w->opts.store.unread)) {
        send_error(r, op, TRYGON_ERR_IO);
        return false;
    }
    op->copy = tg_alloc(d->n + 1);
    memcpy(op->copy, b->file + d->offset, d->n);
    r->w->stats.from_file++;
    send_bytes(r, op, op->copy);
    return true;
}

/* ----- answers ------------------------------------------------------------------- */

static void answer(struct sim_rank *r, struct sim_op *op)
{
    struct tg_event ev = {.type = TG_EV_STORE,
                          .handle = op->blob,
                          .tag = op->op,
                          .status = op->rc};
    bool again = op->op == TG_STORE_MAKE && op->rc == TRYGON_ERR_STATE;
    if (op->op == TG_STORE_SEND)
        ev.ref = (trygon_ref_t){(uint64_t)op->rank, op->to};
    free(op->copy);
    free(op);
    world_step(r, &ev);
    if (again)
        sim_store_look(r, true);
}

/* Its time has come: false while a piece is under way. */
static bool perform(struct sim_rank *r, struct sim_op *op)
{
    struct sim_blob *b = find(&r->store, op->blob);
    sim_node_spill(r, -(int64_t)op->spilling);
    op->spilling = 0;
    if (b == NULL) { /* freed meanwhile: whatever the answer, nobody asks */
        if (op->op == TG_STORE_SEND && !op->left)
            send_error(r, op, TRYGON_ERR_OBJECT_LOST);
        return true;
    }
    switch (op->op) {
    case TG_STORE_MAKE: op->rc = make(r, b, false); break;
    case TG_STORE_FILE: op->rc = make(r, b, true); break;
    case TG_STORE_EVICT: op->rc = evict(r, b); break;
    case TG_STORE_SPILL: op->rc = spill(r, b); break;
    case TG_STORE_LOAD: op->rc = load(r, b); break;
    case TG_STORE_SEND:
        if (op->left)
            return true;
        return !send_from_file(r, op, b);
    case TG_STORE_SEAL:
    case TG_STORE_FREE:
    case TG_STORE_NEED:
    default: TG_UNREACHABLE();
    }
    if (op->op != TG_STORE_SEND || op->rc != TRYGON_SUCCESS)
        say(r, b, done_names[op->op], op->rc);
    if (b->memory == NULL && b->file == NULL)
        drop_blob(&r->store, b); /* it is nowhere */
    sim_store_check(r);
    return true;
}

static void finish(struct sim_rank *r, struct sim_op *op)
{
    if (perform(r, op))
        answer(r, op);
}

void sim_store_settle(struct sim_rank *r)
{
    while (r->store.now != NULL) {
        struct sim_op *op = r->store.now;
        DL_DELETE(r->store.now, op);
        finish(r, op);
    }
}

void sim_store_event(struct sim_rank *r, struct sim_op *op)
{
    if (op == NULL) {
        r->store.looks = false;
        sim_store_look(r, false);
        return;
    }
    DL_DELETE(r->store.ops, op);
    finish(r, op);
}

static void later(struct sim_rank *r, struct sim_op *op, const struct delay *d)
{
    DL_APPEND(r->store.ops, op);
    world_at(r->w, world_delay(r->w, d), WORLD_STORE, r->id, 0, op);
}

static void seal(struct sim_rank *r, struct sim_blob *b)
{
    if (b == NULL || b->memory == NULL || b->sealed)
        world_fail(r->w, "rank %d seals what it cannot", (int)r->id);
    b->sealed = true;
    say(r, b, "seals", 0);
}

/* What was never made is freed as well. */
static void unmake(struct sim_rank *r, struct sim_blob *b)
{
    if (b == NULL) /* nothing has been made yet */
        return;
    say(r, b, "frees", 0);
    drop_blob(&r->store, b);
}

static void begin_send(struct sim_rank *r, struct sim_op *op,
                       struct tg_action *a)
{
    struct sim_blob *b = find(&r->store, op->blob);
    const struct tg_msg_data *d = &a->msg.u.data;
    if (b == NULL || d->n == 0 || d->offset + d->n > b->size)
        world_fail(r->w, "rank %d sends what is not there", (int)r->id);
    op->msg = a->msg;
    op->rank = a->rank;
    op->to = d->to;
    tell(r->w, r->id, "sends blob %u to %d: %u at %u", b->number, (int)a->rank,
         (unsigned)d->n, (unsigned)d->offset);
    r->w->stats.pieces++;
    if (b->memory != NULL && b->sealed)
        send_from_memory(r, op, b);
    else
        later(r, op, &r->w->opts.store.disk);
}

void sim_store_act(struct sim_rank *r, struct tg_action *a)
{
    const struct store_opts *o = &r->w->opts.store;
    enum tg_store_op what = (enum tg_store_op)a->status;
    if (what == TG_STORE_SEAL) {
        seal(r, find(&r->store, a->handle));
        return;
    }
    if (what == TG_STORE_FREE) {
        unmake(r, find(&r->store, a->handle));
        return;
    }
    if (what == TG_STORE_NEED) {
        sim_node_want(r, a->handle);
        return;
    }
    struct sim_op *op = tg_alloc(sizeof *op);
    op->op = what;
    op->blob = a->handle;
    if (what == TG_STORE_SEND) {
        begin_send(r, op, a);
        return;
    }
    const struct sim_blob *b = find_or_add(r, a->handle);
    if (b == NULL) {
        free(op);
        return;
    }
    if (what == TG_STORE_SPILL) {
        op->spilling = b->size;
        sim_node_spill(r, (int64_t)b->size);
    }
    if (what == TG_STORE_SPILL || what == TG_STORE_LOAD)
        later(r, op, &o->disk);
    else if (o->at_once)
        DL_APPEND(r->store.now, op);
    else
        later(r, op, &o->memory);
}

/* ----- user code and messages ------------------------------------------------------ */

unsigned char *sim_store_room(const struct sim_rank *r, uint64_t blob)
{
    const struct sim_blob *b = find(&r->store, blob);
    return b != NULL && !b->sealed ? b->memory : NULL;
}

static struct sim_rank *place_of(struct sim_rank *r, const struct tg_place *p,
                                 uint64_t *blob)
{
    struct world *w = r->w;
    const int32_t *node = w->opts.machine.node;
    bool near = node[p->rank] == node[r->id];
    *blob = near ? p->blob : p->here;
    return near ? &w->ranks[p->rank] : r;
}

bool sim_store_pin(struct sim_rank *r, const struct tg_val *v,
                   struct sim_view *view)
{
    uint64_t blob;
    struct sim_rank *at = place_of(r, tg_val_place(v), &blob);
    struct sim_blob *b = find(&at->store, blob);
    if (b == NULL || b->memory == NULL || !b->sealed)
        return false;
    if (b->size != v->size)
        world_fail(r->w, "rank %d pins a blob of another size", (int)r->id);
    *tg_vec_add(&b->pins) = r->id;
    b->views++;
    *view = (struct sim_view){b, r->id, at};
    r->w->stats.pins++;
    return true;
}

void sim_store_unpin(struct sim_view *view)
{
    struct sim_blob *b = view->b;
    if (b == NULL)
        return;
    for (uint32_t i = 0; i < b->pins.n; i++) {
        if (b->pins.v[i] == view->reader) {
            b->pins.v[i] = b->pins.v[--b->pins.n];
            break;
        }
    }
    b->views--;
    view->b = NULL;
    let_go(&view->at->store, b);
}

void sim_store_fence(struct sim_rank *r, int32_t rank)
{
    sim_node_lose(&r->w->ranks[rank]);
    struct sim_blob *b, *next;
    for (b = r->store.blobs; b != NULL; b = b->hh.next)
        for (uint32_t i = b->pins.n; i-- > 0;)
            if (b->pins.v[i] == rank)
                b->pins.v[i] = b->pins.v[--b->pins.n];
    DL_FOREACH_SAFE2(r->store.freed, b, next, after)
    {
        for (uint32_t i = b->pins.n; i-- > 0;)
            if (b->pins.v[i] == rank)
                b->pins.v[i] = b->pins.v[--b->pins.n];
        let_go(&r->store, b);
    }
}

/* ----- pieces on their way ----------------------------------------------------------- */

/* NULL: nobody waits for it any more. */
static void *into(void *arg, int32_t from, const struct tg_msg *msg)
{
    struct sim_rank *r = arg;
    const struct tg_msg_data *m = &msg->u.data;
    const struct tg_blob *x = tg_store_find(&r->core->store, m->to);
    struct sim_blob *b = find(&r->store, m->to);
    if (x == NULL || b == NULL || b->memory == NULL || b->sealed ||
        x->number != m->number || x->state != TG_BLOB_FILLING ||
        x->source != from || m->offset + m->n > b->size)
        return NULL;
    b->busy++;
    return b->memory + m->offset;
}

static bool within(const struct sim_blob *b, const void *at)
{
    uintptr_t x = (uintptr_t)at, y = (uintptr_t)b->memory;
    return b->memory != NULL && x >= y && x <= y + b->size;
}

static void got(void *arg, int32_t from, const struct tg_msg *m)
{
    struct sim_rank *r = arg;
    const void *at = m->u.data.bytes;
    struct sim_blob *b = find(&r->store, m->u.data.to);
    (void)from;
    if (b != NULL && within(b, at)) {
        b->busy--;
        return;
    }
    DL_FOREACH2 (r->store.freed, b, after) {
        if (!within(b, at))
            continue;
        b->busy--;
        let_go(&r->store, b);
        return;
    }
    world_fail(r->w, "rank %d got bytes for nothing", (int)r->id);
}

static void sent(void *arg, int32_t to, struct tg_msg *m)
{
    struct sim_rank *r = arg;
    struct sim_op *op = m->u.data.cookie;
    (void)to;
    if (op->from != NULL) {
        op->from->busy--;
        let_go(&r->store, op->from);
    }
    DL_DELETE(r->store.ops, op);
    op->from = NULL;
    op->left = true;
    DL_APPEND(r->store.ops, op);
    world_at(r->w, 0, WORLD_STORE, r->id, 0, op);
}

struct tg_post_ends sim_store_ends(struct sim_rank *r)
{
    return (struct tg_post_ends){
        .arg = r, .into = into, .got = got, .sent = sent};
}

/* ----- looking ------------------------------------------------------------------------ */

uint32_t sim_store_number(const struct sim_rank *r, uint64_t blob)
{
    const struct sim_blob *b = find(&r->store, blob);
    return b != NULL ? b->number : 0;
}

void sim_store_why(const struct sim_rank *r)
{
    static const char *const states[] = {"?",       "queued", "making",
                                         "filling", "sealed", "leaving",
                                         "on disk", "asked"};
    uint32_t slot = 0;
    const struct tg_blob *b;
    while ((b = tg_slab_next(&r->core->store.blobs, &slot)) != NULL) {
        const struct sim_blob *x = find(&r->store, b->self);
        fprintf(stderr,
                "  rank %d: blob %u, %s, %u bytes%s%s%s, %u readers, %u pins, "
                "%u busy%s%s%s\n",
                (int)r->id, x != NULL ? x->number : 0, states[b->state],
                (unsigned)b->size, b->kind == TG_BLOB_COPY ? ", a copy" : "",
                b->wanted ? ", wanted" : "", b->spilling ? ", spilling" : "",
                b->nactive, x != NULL ? x->pins.n : 0, x != NULL ? x->busy : 0,
                x != NULL && x->memory != NULL ? ", memory" : "",
                x != NULL && x->mapped ? " (mapped)" : "",
                x != NULL && x->file != NULL ? ", file" : "");
    }
}
