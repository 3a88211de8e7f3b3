/* truth.c - see truth.h. */
#include "truth.h"

#include <stdlib.h>
#include <string.h>

void truth_fini(struct truth *t)
{
    for (uint32_t i = 0; i < t->tasks.n; i++) {
        struct truth_task *x = t->tasks.v[i];
        free(x->gene);
        for (uint32_t j = 0; j < x->lives.n; j++)
            tg_vec_free(&x->lives.v[j].callers);
        tg_vec_free(&x->lives);
        free(x);
    }
    tg_vec_free(&t->tasks);
    tg_vec_free(&t->names);
    struct truth_obj *x, *next;
    HASH_ITER (hh, t->objs, x, next) {
        HASH_DEL(t->objs, x);
        free(x);
    }
}

struct truth_task *truth_task_new(struct truth *t)
{
    struct truth_task *x = tg_alloc(sizeof *x);
    x->id = t->tasks.n;
    x->parent = UINT32_MAX;
    x->last_attempt = -1;
    *tg_vec_add(&t->tasks) = x;
    return x;
}

struct truth_obj *truth_obj(const struct truth *t, trygon_ref_t ref)
{
    struct truth_obj *x;
    ref = tg_ref_strong(ref);
    HASH_FIND(hh, t->objs, &ref, sizeof ref, x);
    return x;
}

struct truth_obj *truth_obj_new(struct truth *t, trygon_ref_t ref)
{
    struct truth_obj *x = truth_obj(t, ref);
    if (x != NULL)
        return x;
    x = tg_alloc(sizeof *x);
    x->ref = tg_ref_strong(ref);
    x->task = UINT32_MAX;
    HASH_ADD(hh, t->objs, ref, sizeof x->ref, x);
    return x;
}

struct truth_task *truth_of(const struct truth *t, trygon_ref_t ref)
{
    const struct truth_obj *x = truth_obj(t, ref);
    return x == NULL || x->task == UINT32_MAX ? NULL : t->tasks.v[x->task];
}

struct truth_life *truth_life(struct truth_task *actor, int32_t restarts)
{
    TG_ASSERT(actor->creates && restarts >= 0 && restarts < TRUTH_ATTEMPTS);
    while (actor->lives.n <= (uint32_t)restarts)
        *tg_vec_add(&actor->lives) = (struct truth_life){0};
    return &actor->lives.v[restarts];
}

/* ----- values ------------------------------------------------------------------ */

/* Each word is another one, so that a piece in a wrong place is seen. */
static unsigned char byte_at(uint64_t key, uint64_t i)
{
    uint64_t word = key + i / 8 * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned char)(word >> i % 8 * 8);
}

void truth_fill(uint64_t key, uint64_t size, unsigned char *bytes)
{
    for (uint64_t i = 0; i < size; i++)
        bytes[i] = byte_at(key, i);
}

bool truth_bytes_ok(uint64_t key, uint64_t size, const unsigned char *bytes)
{
    for (uint64_t i = 0; i < size; i++)
        if (bytes[i] != byte_at(key, i))
            return false;
    return true;
}

struct tg_val *truth_val(uint64_t key, uint64_t size, uint32_t nrefs)
{
    struct tg_val *v = tg_val_new(size, 0, nrefs);
    TG_ASSERT(v != NULL && (size == 0 || size >= sizeof key));
    truth_fill(key, size, tg_val_data(v));
    return v;
}

/* Of a long one the ends and the middle: the rest travels with them. */
bool truth_val_ok(const struct tg_val *v, uint64_t key, uint64_t size)
{
    if (v == NULL || v->error || v->size != size)
        return false;
    if (size == 0 || v->stored)
        return true;
    const unsigned char *bytes = tg_val_data(v);
    uint64_t some[] = {0, 1, 7, size / 2, size - 8, size - 1};
    for (int i = 0; i < 6; i++)
        if (bytes[some[i]] != byte_at(key, some[i]))
            return false;
    return true;
}

/* ----- weights ------------------------------------------------------------------- */

static void move(struct truth *t, trygon_ref_t ref, uint64_t weight, int sign)
{
    if (weight == UINT64_MAX) /* of a lost owner: travels without */
        return;
    struct truth_obj *x = truth_obj_new(t, ref);
    TG_ASSERT(sign > 0 || x->moving >= weight);
    x->moving += sign > 0 ? weight : -weight;
}

void truth_moving(struct truth *t, struct tg_msg *m, int sign)
{
    uint32_t n;
    struct tg_item *v = tg_msg_items(m, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].val == NULL)
            move(t, v[i].ref, v[i].weight, sign);
        else
            for (uint32_t j = 0; j < v[i].val->nrefs; j++)
                move(t, tg_val_refs(v[i].val)[j], v[i].weights[j], sign);
    }
    if (m->type == TG_MSG_DROP)
        for (uint32_t i = 0; i < m->u.drop.n; i++)
            move(t, m->u.drop.v[i].ref, m->u.drop.v[i].weight, sign);
    if (m->type == TG_MSG_WEIGHT)
        move(t, m->u.more.w.ref, m->u.more.w.weight, sign);
}

/* ----- what may wait for ever -------------------------------------------------------- */

/* An actor that was found by name may itself wait for who has found it. */
static bool task_hopeless(const struct truth *t, const struct truth_task *x,
                          int depth)
{
    if (x->ended || x->surely)
        return false;
    if (x->hopeless || x->weak || depth > 64)
        return true;
    const struct truth_task *actor = x->call ? truth_of(t, x->actor) : NULL;
    if (actor != NULL && (actor->stalls || task_hopeless(t, actor, depth + 1)))
        return true;
    for (uint32_t i = 0; i < x->nargs; i++) {
        const struct truth_task *of =
            x->args[i].by_ref ? truth_of(t, x->args[i].ref) : NULL;
        if (of != NULL && task_hopeless(t, of, depth + 1))
            return true;
    }
    return false;
}

bool truth_hopeless(const struct truth *t, trygon_ref_t ref)
{
    const struct truth_task *x = truth_of(t, ref);
    if (x != NULL && tg_ref_weak(ref))
        return !x->ended;
    return x != NULL && task_hopeless(t, x, 0);
}
