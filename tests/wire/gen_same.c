/* gen_same.c - see gen.h: are two messages the same? */
#include <string.h>

#include "core/owner.h"
#include "gen.h"
#include "gen_fields.h"

static bool same_shape(const struct tg_shape *a, const struct tg_shape *b)
{
    return memcmp(a->amount, b->amount, sizeof a->amount) == 0 &&
           a->strategy == b->strategy && a->node == b->node &&
           a->soft == b->soft && a->fail == b->fail;
}

/* Of a stored value the place, as far as it travels. */
static bool same_bytes(const struct tg_val *a, const struct tg_val *b)
{
    const struct tg_place *pa = tg_val_place(a), *pb = tg_val_place(b);
    if (!a->stored)
        return memcmp(tg_val_data(a), tg_val_data(b), (size_t)a->size) == 0;
    return pa->rank == pb->rank && pa->blob == pb->blob && pb->here == 0 &&
           !pb->away;
}

static bool same_val(const struct tg_val *a, const struct tg_val *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->type == b->type && a->ndim == b->ndim && a->error == b->error &&
           a->stored == b->stored && a->nrefs == b->nrefs &&
           a->size == b->size &&
           memcmp(tg_val_dims(a), tg_val_dims(b),
                  a->ndim * sizeof *tg_val_dims(a)) == 0 &&
           memcmp(tg_val_refs(a), tg_val_refs(b),
                  a->nrefs * sizeof *tg_val_refs(a)) == 0 &&
           same_bytes(a, b);
}

static bool same_item(const struct tg_item *a, const struct tg_item *b)
{
    if (!same_val(a->val, b->val))
        return false;
    if (a->val == NULL)
        return tg_ref_eq(a->ref, b->ref) && a->weight == b->weight &&
               same_val(a->place, b->place);
    if (a->weights == NULL || b->weights == NULL)
        return a->weights == b->weights;
    return memcmp(a->weights, b->weights, a->val->nrefs * sizeof *a->weights) ==
           0;
}

static bool same_items(const struct tg_items *a, const struct tg_items *b)
{
    bool same = a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++)
        same = same_item(&tg_items_at(a)[i], &tg_items_at(b)[i]);
    return same;
}

static bool same_fields(const struct tg_msg *a, const struct tg_msg *b)
{
    for (size_t i = 0; i < NFIELDS; i++) {
        const struct field *f = &fields[i];
        const char *pa = (const char *)a + f->at;
        const char *pb = (const char *)b + f->at;
        if (f->type != a->type)
            continue;
        if (f->kind == SHAPE
                ? !same_shape(*(struct tg_shape *const *)(const void *)pa,
                              *(struct tg_shape *const *)(const void *)pb)
                : memcmp(pa, pb, f->size) != 0)
            return false;
    }
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_ints(const int32_t *a, const int32_t *b, size_t n)
{
    return n == 0 || memcmp(a, b, n * sizeof *a) == 0;
}

static bool same_demand(const struct tg_msg_demand *a,
                        const struct tg_msg_demand *b)
{
    return a->nprefer == b->nprefer &&
           same_ints(a->prefer, b->prefer, (size_t)a->nprefer);
}

static bool same_open(const struct tg_msg_open *a, const struct tg_msg_open *b)
{
    return a->ncpus == b->ncpus && a->ngpus == b->ngpus &&
           same_ints(a->ids, b->ids, (size_t)a->ncpus + a->ngpus);
}

static bool same_run(const struct tg_msg_run *a, const struct tg_msg_run *b)
{
    return a->limit == b->limit && a->nreturns == b->nreturns &&
           a->seq == b->seq && a->group == b->group &&
           same_items(&a->args, &b->args) && same_text(a->name, b->name);
}

static bool same_done(const struct tg_msg_done *a, const struct tg_msg_done *b)
{
    return a->code == b->code && a->yielded == b->yielded &&
           same_items(&a->returns, &b->returns) && same_val(a->error, b->error);
}

static bool same_bounce(const struct tg_msg_bounce *a,
                        const struct tg_msg_bounce *b)
{
    bool same = a->why == b->why && a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++)
        same =
            a->v[i].task == b->v[i].task && a->v[i].attempt == b->v[i].attempt;
    return same;
}

static bool same_drop(const struct tg_msg_drop *a, const struct tg_msg_drop *b)
{
    bool same = a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++)
        same = tg_ref_eq(a->v[i].ref, b->v[i].ref) &&
               a->v[i].weight == b->v[i].weight;
    return same;
}

static bool same_table(const struct tg_msg_table *a,
                       const struct tg_msg_table *b)
{
    bool same = a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++) {
        const struct tg_row *ra = &a->v[i], *rb = &b->v[i];
        same = ra->rank == rb->rank && ra->alive == rb->alive &&
               memcmp(ra->total, rb->total, sizeof ra->total) == 0 &&
               memcmp(ra->avail, rb->avail, sizeof ra->avail) == 0;
    }
    return same;
}

static bool same_name(const struct tg_msg_name *a, const struct tg_msg_name *b)
{
    if (a->op != b->op || (a->name == NULL) != (b->name == NULL))
        return false;
    return a->name == NULL || memcmp(a->name, b->name, sizeof *a->name) == 0;
}

static bool same_create(const struct tg_msg_create *a,
                        const struct tg_msg_create *b)
{
    const struct tg_create *x = a->create, *y = b->create;
    return x->concurrency == y->concurrency &&
           x->max_pending == y->max_pending && x->keeps == y->keeps &&
           x->max_task_retries == y->max_task_retries &&
           x->any_order == y->any_order && x->detached == y->detached &&
           x->ticket == y->ticket &&
           memcmp(&x->name, &y->name, sizeof x->name) == 0 &&
           same_items(&a->args, &b->args);
}

static bool same_news(const struct tg_msg_news *a, const struct tg_msg_news *b)
{
    bool same = a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++) {
        const struct tg_news *x = &a->v[i], *y = &b->v[i];
        same = tg_ref_eq(x->ref, y->ref) && x->op == y->op &&
               x->rank == y->rank && x->size == y->size;
    }
    return same;
}

/* The bytes are not the message's. */
static bool same_data(const struct tg_msg_data *a, const struct tg_msg_data *b)
{
    return a->code == b->code && a->rank == b->rank && a->blob == b->blob &&
           a->offset == b->offset && a->n == b->n && b->bytes == NULL &&
           b->cookie == NULL;
}

bool gen_same(const struct tg_msg *a, const struct tg_msg *b)
{
    if (a->type != b->type || !same_fields(a, b))
        return false;
    if (a->type == TG_MSG_DEMAND)
        return same_demand(&a->u.demand, &b->u.demand);
    if (a->type == TG_MSG_REFUSE)
        return same_text(a->u.refuse.reason, b->u.refuse.reason);
    if (a->type == TG_MSG_OPEN)
        return same_open(&a->u.open, &b->u.open);
    if (a->type == TG_MSG_LEAVE || a->type == TG_MSG_LEFT)
        return a->u.leave.why == b->u.leave.why;
    if (a->type == TG_MSG_RUN || a->type == TG_MSG_CALL)
        return same_run(&a->u.run, &b->u.run);
    if (a->type == TG_MSG_UNCALL)
        return a->u.cancel.group == b->u.cancel.group;
    if (a->type == TG_MSG_DONE)
        return same_done(&a->u.done, &b->u.done);
    if (a->type == TG_MSG_BOUNCE)
        return same_bounce(&a->u.bounce, &b->u.bounce);
    if (a->type == TG_MSG_VALUE || a->type == TG_MSG_PLACE)
        return !a->u.value.here ||
               same_item(&a->u.value.item, &b->u.value.item);
    if (a->type == TG_MSG_ITEM)
        return a->u.item.index == b->u.item.index &&
               same_item(&a->u.item.item, &b->u.item.item);
    if (a->type == TG_MSG_NAME)
        return same_name(&a->u.name, &b->u.name);
    if (a->type == TG_MSG_NAMED)
        return a->u.named.code == b->u.named.code;
    if (a->type == TG_MSG_CREATE)
        return same_create(&a->u.create, &b->u.create);
    if (a->type == TG_MSG_ROWS)
        return same_item(&a->u.rows.item, &b->u.rows.item);
    if (a->type == TG_MSG_NEWS)
        return same_news(&a->u.news, &b->u.news);
    if (a->type == TG_MSG_LIST)
        return a->u.list.what == b->u.list.what &&
               tg_ref_eq(a->u.list.ref, b->u.list.ref);
    if (a->type == TG_MSG_FADE)
        return a->u.fade.n == b->u.fade.n &&
               memcmp(a->u.fade.v, b->u.fade.v,
                      a->u.fade.n * sizeof *a->u.fade.v) == 0;
    if (a->type == TG_MSG_HOME)
        return tg_ref_eq(a->u.home.ref, b->u.home.ref) &&
               a->u.home.rank == b->u.home.rank &&
               a->u.home.blob == b->u.home.blob;
    if (a->type == TG_MSG_FORGET)
        return a->u.forget.n == b->u.forget.n &&
               memcmp(a->u.forget.v, b->u.forget.v,
                      a->u.forget.n * sizeof *a->u.forget.v) == 0;
    if (a->type == TG_MSG_PULL)
        return a->u.pull.op == b->u.pull.op;
    if (a->type == TG_MSG_DATA)
        return same_data(&a->u.data, &b->u.data);
    if (a->type == TG_MSG_DROP)
        return same_drop(&a->u.drop, &b->u.drop);
    if (a->type == TG_MSG_NOTE)
        return a->u.note.level == b->u.note.level &&
               same_text(a->u.note.text, b->u.note.text);
    if (a->type == TG_MSG_TABLE)
        return same_table(&a->u.table, &b->u.table);
    return true;
}
