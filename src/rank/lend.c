/* lend.c - values whose bytes are in stores, lent to user code (rank.h). */
#include <stdlib.h>

#include "rank/rank.h"

/* Where this rank reads the bytes: where they were made, if that is on this
 * node, else its own copy. */
static struct tg_arena *arena_of(const struct trygon *tg,
                                 const struct tg_place *p, uint64_t *blob)
{
    struct tg_arena *near = tg->stores.of[p->rank];
    *blob = near != NULL ? p->blob : p->here;
    return near != NULL ? near : tg->stores.own;
}

/* NULL: the bytes have left since it was said that they are here. */
static struct tg_lent *lend(struct trygon *tg, struct tg_obj *x)
{
    uint64_t blob, self;
    if (x->val == NULL)
        return NULL; /* it was lost, as far as this rank knew: ask again */
    struct tg_arena *arena = arena_of(tg, tg_val_place(x->val), &blob);
    const void *data = blob != 0 ? tg_arena_pin(arena, blob) : NULL;
    if (data == NULL) {
        struct tg_event away = {
            .type = TG_EV_AWAY, .now_ns = tg_last_ns(tg), .obj = x};
        tg_step(tg, &away);
        return NULL;
    }
    if (arena == tg->stores.own) {
        struct tg_event used = {
            .type = TG_EV_USED, .now_ns = tg_last_ns(tg), .handle = blob};
        tg_step(tg, &used);
    }
    struct tg_lent *lent = tg_slab_new(&tg->stores.lents, &self);
    *lent = (struct tg_lent){self, x, tg_val_hold(x->val), arena, blob, data};
    return lent;
}

void tg_lent_end(struct trygon *tg, struct tg_lent *lent)
{
    tg_arena_unpin(lent->arena, lent->blob);
    tg_val_drop(&lent->val);
    tg_slab_free(&tg->stores.lents, lent->self);
}

static bool lacks(const struct tg_obj *x, const struct tg_lent *lent)
{
    return x != NULL && lent == NULL && x->state != TG_OBJ_FAILED &&
           (x->val == NULL || x->val->stored);
}

/* Until those that lack are on this rank again. */
static int await_again(struct trygon *tg, uint32_t n,
                       struct tg_obj *const objs[],
                       struct tg_lent *const lents[], uint64_t deadline_ns)
{
    trygon_ref_t *refs = tg_alloc(n * sizeof *refs);
    struct tg_wait_req req = {.kind = TG_WAIT_ALL,
                              .refs = refs,
                              .fetch = true,
                              .deadline_ns = deadline_ns};
    for (uint32_t i = 0; i < n; i++)
        if (lacks(objs[i], lents[i]))
            refs[req.n++] = objs[i]->ref;
    int rc = tg_block_until(tg, &req, NULL);
    free(refs);
    return rc;
}

static void end_all(struct trygon *tg, uint32_t n, struct tg_lent *lents[])
{
    for (uint32_t i = 0; i < n; i++) {
        if (lents[i] != NULL)
            tg_lent_end(tg, lents[i]);
        lents[i] = NULL;
    }
}

/* Pin what is here; returns how many are lacking. */
static uint32_t lend_here(struct trygon *tg, uint32_t n,
                          struct tg_obj *const objs[], struct tg_lent *lents[])
{
    uint32_t lacking = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!lacks(objs[i], lents[i]))
            continue;
        lents[i] = lend(tg, objs[i]);
        lacking += lents[i] == NULL;
    }
    return lacking;
}

int tg_lend_all(struct trygon *tg, uint32_t n, struct tg_obj *const objs[],
                struct tg_lent *lents[], uint64_t deadline_ns)
{
    struct tg_store *s = &tg->core->store;
    uint64_t turn = 0;
    int rc = TRYGON_SUCCESS;
    while (rc == TRYGON_SUCCESS && lend_here(tg, n, objs, lents) > 0) {
        if (turn == 0)
            turn = tg_store_turn(s);
        if (!tg_store_first(s, turn))
            end_all(tg, n, lents);
        rc = await_again(tg, n, objs, lents, deadline_ns);
    }
    tg_store_turn_end(s, turn);
    if (rc != TRYGON_SUCCESS)
        end_all(tg, n, lents);
    return rc;
}

/* ----- arguments ------------------------------------------------------------------- */

void tg_call_lent_end(struct trygon_call *c)
{
    for (uint32_t i = 0; i < c->exec->args.n; i++)
        if (c->lents[i] != NULL)
            tg_lent_end(c->tg, c->lents[i]);
    free(c->lents);
    c->lents = NULL;
}

/* An argument that can never come any more. */
static int failed_arg(struct trygon *tg, uint32_t n,
                      struct tg_obj *const objs[])
{
    for (uint32_t i = 0; i < n; i++) {
        if (objs[i] == NULL || objs[i]->state != TG_OBJ_FAILED)
            continue;
        struct tg_val *error = tg_val_caused(
            tg_val_error(TRYGON_ERR_DEPENDENCY, tg->rank, 0, "",
                         "an input argument of the task could not be fetched"),
            objs[i]->val);
        objs[i]->seen = true;
        int rc = tg_fail_with(tg, error);
        tg_val_drop(&error);
        return rc;
    }
    return TRYGON_SUCCESS;
}

int tg_call_lend(struct trygon_call *c)
{
    struct trygon *tg = c->tg;
    uint32_t n = c->exec->args.n;
    const struct tg_item *args = tg_items_at(&c->exec->args);
    struct tg_obj **objs = tg_alloc(n * sizeof(struct tg_obj *));
    struct tg_lent **lents = tg_alloc(n * sizeof(struct tg_lent *));
    tg_enter(tg);
    for (uint32_t i = 0; i < n; i++)
        if (args[i].val == NULL)
            objs[i] = tg_objs_find(&tg->core->objs, args[i].ref);
    int rc = tg_lend_all(tg, n, objs, lents, TG_NEVER);
    c->lents = lents;
    if (rc == TRYGON_SUCCESS)
        rc = failed_arg(tg, n, objs);
    tg_leave(tg);
    free(objs);
    return rc;
}

/* ----- what nobody takes ------------------------------------------------------------ */

void tg_discard(struct trygon *tg, uint64_t blob)
{
    struct tg_event ev = {.type = TG_EV_DISCARD, .handle = blob};
    tg_step(tg, &ev);
}

void tg_unmake(struct trygon *tg, struct tg_val **val)
{
    if (*val != NULL && (*val)->stored)
        tg_discard(tg, tg_val_place(*val)->blob);
    tg_val_drop(val);
}
