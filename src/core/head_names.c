/* head_names.c - see head_names.h. */
#include "core/head_names.h"

#include <stdlib.h>

#include "base/slab.h"
#include "core/map.h"

enum state { RESERVED = 1, SET, LOST };

struct asking { /* a request that waits for the name to be set or free */
    int32_t rank;
    struct tg_msg_name msg; /* without the name */
    struct asking *prev, *next;
};

struct entry {
    struct tg_name name;
    uint64_t ticket;
    enum state state;
    int32_t rank; /* who has reserved it, or owns the actor */
    trygon_ref_t ref;
    struct asking *asking; /* RESERVED */
    UT_hash_handle hh;
};

struct tg_names {
    struct tg_ctx *ctx;
    struct tg_slab slab;
    struct entry *by_name;
};

struct tg_names *tg_names_new(struct tg_ctx *ctx)
{
    struct tg_names *n = tg_alloc(sizeof *n);
    n->ctx = ctx;
    tg_slab_init(&n->slab, sizeof(struct entry));
    return n;
}

static void free_all(struct asking *list)
{
    struct asking *a, *next;
    DL_FOREACH_SAFE (list, a, next)
        free(a);
}

void tg_names_free(struct tg_names **names)
{
    struct tg_names *n = *names;
    if (n == NULL)
        return;
    uint32_t slot = 0;
    struct entry *e;
    while ((e = tg_slab_next(&n->slab, &slot)) != NULL)
        free_all(e->asking);
    HASH_CLEAR(hh, n->by_name);
    tg_slab_fini(&n->slab);
    free(n);
    *names = NULL;
}

static struct entry *find(const struct tg_names *n, const struct tg_name *name)
{
    struct entry *e;
    HASH_FIND(hh, n->by_name, name, sizeof *name, e);
    return e;
}

/* ----- answers ----------------------------------------------------------------- */

static void answer(struct tg_names *n, int32_t rank, uint64_t waiter,
                   int32_t code, const struct entry *e)
{
    struct tg_msg m = {.type = TG_MSG_NAMED};
    m.u.named.waiter = waiter;
    m.u.named.code = code;
    if (code == TRYGON_SUCCESS && e->state == RESERVED)
        m.u.named.ticket = e->ticket;
    else if (code == TRYGON_SUCCESS)
        m.u.named.item.ref = tg_ref_weaken(e->ref);
    tg_ctx_send(n->ctx, rank, &m);
}

static struct entry *reserve(struct tg_names *n, int32_t rank,
                             const struct tg_name *name)
{
    uint64_t ticket;
    struct entry *e = tg_slab_new(&n->slab, &ticket);
    e->name = *name;
    e->ticket = ticket;
    e->state = RESERVED;
    e->rank = rank;
    HASH_ADD(hh, n->by_name, name, sizeof e->name, e);
    return e;
}

/* A name that is set or lost: what is the answer? */
static int32_t code_for(const struct tg_msg_name *m, const struct entry *e)
{
    if (m->op == TG_NAME_FIND)
        return e->state == SET ? TRYGON_SUCCESS : TRYGON_ERR_NOTFOUND;
    bool same = m->op == TG_NAME_RESERVE_GET && e->state == SET &&
                tg_ref_index(e->ref) == m->fn;
    return same ? TRYGON_SUCCESS : TRYGON_ERR_EXISTS;
}

static void on_ask(struct tg_names *n, int32_t from, const struct tg_name *name,
                   const struct tg_msg_name *m)
{
    struct entry *e = find(n, name);
    if (e == NULL && m->op == TG_NAME_FIND) {
        answer(n, from, m->waiter, TRYGON_ERR_NOTFOUND, NULL);
    } else if (e == NULL) {
        answer(n, from, m->waiter, TRYGON_SUCCESS, reserve(n, from, name));
    } else if (e->state == RESERVED) {
        struct asking *a = tg_alloc(sizeof *a);
        a->rank = from;
        a->msg = *m;
        a->msg.name = NULL;
        DL_APPEND(e->asking, a);
    } else {
        answer(n, from, m->waiter, code_for(m, e), e);
    }
}

/* ----- what becomes of a name ---------------------------------------------------- */

/* It is free: who waited for it asks anew, the first of them first. */
static void release(struct tg_names *n, struct entry *e)
{
    struct tg_name name = e->name;
    struct asking *list = e->asking, *a, *next;
    HASH_DEL(n->by_name, e);
    tg_slab_free(&n->slab, e->ticket);
    DL_FOREACH_SAFE (list, a, next) {
        on_ask(n, a->rank, &name, &a->msg);
        free(a);
    }
}

static void set(struct tg_names *n, struct entry *e, trygon_ref_t ref)
{
    struct asking *list = e->asking, *a, *next;
    e->state = SET;
    e->rank = tg_ref_rank(ref);
    e->ref = ref;
    e->asking = NULL;
    DL_FOREACH_SAFE (list, a, next) {
        answer(n, a->rank, a->msg.waiter, code_for(&a->msg, e), e);
        free(a);
    }
}

void tg_names_msg(struct tg_names *n, int32_t from, const struct tg_msg_name *m)
{
    if (m->op <= TG_NAME_FIND) {
        on_ask(n, from, m->name, m);
        return;
    }
    struct entry *e = tg_slab_find(&n->slab, m->ticket);
    if (e == NULL)
        return;
    if (m->op == TG_NAME_SET && e->state == RESERVED)
        set(n, e, m->ref);
    else if (m->op == TG_NAME_BACK && e->rank == from)
        release(n, e);
    else if (m->op == TG_NAME_LOST && e->rank == from && e->state == SET)
        e->state = LOST;
}

static void drop_asking(struct entry *e, int32_t rank)
{
    struct asking *a, *next;
    DL_FOREACH_SAFE (e->asking, a, next) {
        if (a->rank != rank)
            continue;
        DL_DELETE(e->asking, a);
        free(a);
    }
}

void tg_names_gone(struct tg_names *n, int32_t rank)
{
    uint32_t slot = 0;
    struct entry *e;
    while ((e = tg_slab_next(&n->slab, &slot)) != NULL)
        drop_asking(e, rank);
    for (slot = 0; (e = tg_slab_next(&n->slab, &slot)) != NULL;)
        if (e->rank == rank)
            release(n, e);
}

/* ----- looking ---------------------------------------------------------------------- */

bool tg_names_reserved(const struct tg_names *n, uint64_t ticket)
{
    const struct entry *e = tg_slab_find(&n->slab, ticket);
    return e != NULL && e->state == RESERVED;
}

trygon_ref_t tg_names_actor(const struct tg_names *n,
                            const struct tg_name *name)
{
    const struct entry *e = find(n, name);
    return e != NULL && e->state == SET ? e->ref : (trygon_ref_t){0, 0};
}

void tg_names_check(const struct tg_names *n)
{
    uint32_t slot = 0;
    const struct entry *e;
    while ((e = tg_slab_next(&n->slab, &slot)) != NULL) {
        TG_ASSERT(find(n, &e->name) == e && e->name.name[0] != '\0');
        TG_ASSERT(!n->ctx->dead[e->rank]);
        TG_ASSERT(e->state == RESERVED || e->asking == NULL);
        TG_ASSERT(e->state == RESERVED || e->rank == tg_ref_rank(e->ref));
        const struct asking *a;
        DL_FOREACH (e->asking, a)
            TG_ASSERT(!n->ctx->dead[a->rank] && a->msg.op <= TG_NAME_FIND);
    }
    TG_ASSERT(HASH_COUNT(n->by_name) == n->slab.used);
}

bool tg_names_quiet(const struct tg_names *n)
{
    uint32_t slot = 0;
    const struct entry *e;
    while ((e = tg_slab_next(&n->slab, &slot)) != NULL)
        if (e->state == RESERVED)
            return false;
    return true;
}

uint32_t tg_names_count(const struct tg_names *n)
{
    return n->slab.used;
}
