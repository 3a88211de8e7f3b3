/* objs_weight.c - how references travel (objs.h): weight for what goes out,
 * holds for what comes in, and the messages between owners and holders. */
#include <stdlib.h>

#include "core/objs.h"
#include "core/objs_impl.h"

/* ----- giving weight -------------------------------------------------------- */

/* A reference whose owner is lost travels without weight. */
static const uint64_t weightless = UINT64_MAX;

/* Weight for one more copy of ref; 0: not yet, more was asked for, or of a
 * weak handle, which has none. */
static uint64_t acquire(struct tg_objs *o, trygon_ref_t ref)
{
    struct tg_obj *x = tg_objs_find(o, ref);
    TG_ASSERT(x != NULL && x->count > 0);
    if (tg_ref_weak(ref))
        return 0;
    if (x->owned) {
        x->weight += o->ctx->lim.weight_mint;
        return o->ctx->lim.weight_mint;
    }
    if (o->ctx->dead[tg_ref_rank(ref)])
        return weightless;
    if (x->weight >= 2) {
        uint64_t half = x->weight / 2;
        x->weight -= half;
        return half;
    }
    if (!x->asked_more) {
        x->asked_more = true;
        struct tg_msg m = {.type = TG_MSG_MORE};
        m.u.more.w.ref = ref;
        tg_ctx_send(o->ctx, tg_ref_rank(ref), &m);
    }
    return 0;
}

static bool fill_item(struct tg_objs *o, struct tg_item *it)
{
    if (it->val == NULL) {
        if (it->weight == 0)
            it->weight = acquire(o, it->ref);
        return it->weight != 0 || tg_ref_weak(it->ref);
    }
    bool full = true;
    if (it->val->nrefs > 0 && it->weights == NULL)
        it->weights = tg_alloc(it->val->nrefs * sizeof *it->weights);
    for (uint32_t i = 0; i < it->val->nrefs; i++) {
        if (it->weights[i] == 0)
            it->weights[i] = acquire(o, tg_val_refs(it->val)[i]);
        full = full &&
               (it->weights[i] != 0 || tg_ref_weak(tg_val_refs(it->val)[i]));
    }
    return full;
}

/* Everything is asked for at once, so that one answer may complete it. */
static bool fill(struct tg_objs *o, struct tg_msg *m)
{
    uint32_t n;
    struct tg_item *v = tg_msg_items(m, &n);
    bool full = true;
    for (uint32_t i = 0; i < n; i++)
        full = fill_item(o, &v[i]) && full;
    return full;
}

/* A message that waits keeps what it carries alive. */
static void hold_items(struct tg_objs *o, struct tg_msg *m)
{
    uint32_t n;
    struct tg_item *v = tg_msg_items(m, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].val == NULL)
            tg_objs_hold(o, tg_objs_find(o, v[i].ref));
        else
            tg_objs_hold_refs(o, v[i].val);
    }
}

static void drop_items(struct tg_objs *o, struct tg_msg *m)
{
    uint32_t n;
    struct tg_item *v = tg_msg_items(m, &n);
    for (uint32_t i = 0; i < n; i++)
        tg_objs_unadopt(o, &v[i]);
}

/* Results that nobody will get. */
static void discard_results(struct tg_objs *o, struct tg_msg *m)
{
    uint32_t n;
    const struct tg_item *v = tg_msg_items(m, &n);
    if (m->type != TG_MSG_DONE && m->type != TG_MSG_ITEM)
        return;
    for (uint32_t i = 0; i < n; i++)
        if (v[i].val != NULL && v[i].val->stored)
            tg_store_discard(o->store, v[i].val);
}

void tg_objs_send(struct tg_objs *o, int32_t rank, struct tg_msg *m)
{
    if (o->ctx->dead[rank]) {
        discard_results(o, m);
        tg_msg_fini(m);
    } else if (fill(o, m)) {
        tg_ctx_send(o->ctx, rank, m);
    } else {
        struct tg_parked *p = tg_alloc(sizeof *p);
        p->rank = rank;
        p->msg = *m;
        hold_items(o, &p->msg);
        DL_APPEND(o->parked, p);
    }
}

static void retry_parked(struct tg_objs *o)
{
    struct tg_parked *p, *next;
    DL_FOREACH_SAFE (o->parked, p, next) {
        if (!fill(o, &p->msg))
            continue;
        DL_DELETE(o->parked, p);
        drop_items(o, &p->msg);
        tg_ctx_send(o->ctx, p->rank, &p->msg);
        free(p);
    }
}

/* What an unsent message had collected is ours again. */
static void refund(struct tg_objs *o, trygon_ref_t ref, uint64_t weight)
{
    struct tg_obj *x = tg_objs_find(o, ref);
    if (weight == weightless)
        return;
    if (x->owned)
        x->weight -= weight;
    else if (!o->ctx->dead[tg_ref_rank(ref)])
        x->weight += weight;
}

static void abandon(struct tg_objs *o, struct tg_parked *p)
{
    uint32_t n;
    struct tg_item *v = tg_msg_items(&p->msg, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].val == NULL)
            refund(o, v[i].ref, v[i].weight);
        else if (v[i].weights != NULL)
            for (uint32_t j = 0; j < v[i].val->nrefs; j++)
                refund(o, tg_val_refs(v[i].val)[j], v[i].weights[j]);
    }
    DL_DELETE(o->parked, p);
    discard_results(o, &p->msg);
    drop_items(o, &p->msg);
    tg_msg_fini(&p->msg);
    free(p);
}

bool tg_objs_withdraw(struct tg_objs *o, uint64_t task, int32_t attempt)
{
    struct tg_parked *p;
    DL_FOREACH (o->parked, p) {
        if (p->msg.type == TG_MSG_RUN && p->msg.u.run.task == task &&
            p->msg.u.run.attempt == attempt) {
            abandon(o, p);
            return true;
        }
    }
    return false;
}

void tg_parked_gone(struct tg_objs *o, int32_t rank)
{
    struct tg_parked *p, *next;
    DL_FOREACH_SAFE (o->parked, p, next) {
        if (p->rank == rank)
            abandon(o, p);
    }
    retry_parked(o); /* references of the lost rank need no weight now */
}

void tg_parked_free(struct tg_objs *o)
{
    struct tg_parked *p, *next;
    DL_FOREACH_SAFE (o->parked, p, next) {
        tg_msg_fini(&p->msg);
        free(p);
    }
    o->parked = NULL;
}

bool tg_objs_quiet(const struct tg_objs *o)
{
    return o->parked == NULL && o->drops.n == 0 && o->fired_at == o->fired.n;
}

/* ----- taking weight --------------------------------------------------------- */

static struct tg_obj *adopt_one(struct tg_objs *o, trygon_ref_t ref,
                                uint64_t weight)
{
    struct tg_obj *x = tg_objs_copy(o, ref);
    if (weight == weightless) {
        /* Its sender knows of a loss that we shall hear of. */
    } else if (x->owned) {
        TG_ASSERT(x->weight >= weight);
        x->weight -= weight;
    } else if (!o->ctx->dead[tg_ref_rank(ref)]) {
        x->weight += weight;
    }
    tg_objs_hold(o, x);
    return x;
}

/* Its owner need not be asked: the weight that came with it keeps the object
 * where it is, unless that rank is lost or the object freed by hand, which who
 * pulls it hears, and then asks. */
static void take_place(struct tg_objs *o, struct tg_obj *x,
                       struct tg_val **place)
{
    struct tg_val *v = *place;
    if (v == NULL)
        return;
    *place = NULL;
    if (!x->owned && x->val == NULL && !o->ctx->dead[tg_val_place(v)->rank])
        tg_obj_arrived(o, x, v->size, v);
    else
        tg_val_drop(&v);
}

void tg_objs_adopt(struct tg_objs *o, struct tg_item *it)
{
    if (it->val == NULL) {
        struct tg_obj *x = adopt_one(o, it->ref, it->weight);
        it->weight = 0;
        take_place(o, x, &it->place);
        return;
    }
    for (uint32_t i = 0; i < it->val->nrefs; i++)
        adopt_one(o, tg_val_refs(it->val)[i], it->weights[i]);
    free(it->weights);
    it->weights = NULL;
}

void tg_objs_unadopt(struct tg_objs *o, const struct tg_item *it)
{
    if (it->val == NULL)
        tg_objs_drop(o, tg_objs_find(o, it->ref));
    else
        tg_objs_drop_refs(o, it->val);
}

void tg_objs_discard(struct tg_objs *o, const struct tg_item *it)
{
    if (it->val != NULL && it->val->stored)
        tg_store_discard(o->store, it->val);
    tg_objs_unadopt(o, it);
}

void tg_objs_flush(struct tg_objs *o)
{
    for (uint32_t i = 0; i < o->drops.n;) {
        int32_t owner = tg_ref_rank(o->drops.v[i].ref);
        uint32_t n = 1;
        while (i + n < o->drops.n && n < 64 &&
               tg_ref_rank(o->drops.v[i + n].ref) == owner)
            n++;
        struct tg_msg m = {.type = TG_MSG_DROP};
        m.u.drop.n = n;
        m.u.drop.v = tg_grow(NULL, n, sizeof *m.u.drop.v);
        for (uint32_t j = 0; j < n; j++)
            m.u.drop.v[j] = o->drops.v[i + j];
        tg_ctx_send(o->ctx, owner, &m);
        i += n;
    }
    o->drops.n = 0;
}

/* ----- messages ---------------------------------------------------------------- */

void tg_objs_tell(struct tg_objs *o, const struct tg_watch *w)
{
    struct tg_obj *x = w->obj;
    struct tg_msg m = {.type = TG_MSG_VALUE};
    m.u.value.ref = w->weak ? tg_ref_weaken(x->ref) : x->ref;
    m.u.value.size = x->val->size;
    m.u.value.here = w->fetch || x->val->error || x->val->stored ||
                     x->val->size <= TG_INLINE_MAX;
    if (m.u.value.here)
        m.u.value.item.val = tg_val_hold(x->val);
    x->seen = true;
    tg_objs_send(o, (int32_t)w->handle, &m);
}

static void on_watch(struct tg_objs *o, int32_t from,
                     const struct tg_msg_watch *m)
{
    struct tg_obj *x = tg_objs_find(o, tg_ref_strong(m->ref));
    if (x == NULL)
        return; /* a weightless reference to what we, declared dead, freed */
    struct tg_watch w = {.who = TG_WATCHER_RANK,
                         .fetch = m->fetch,
                         .weak = tg_ref_weak(m->ref),
                         .handle = (uint64_t)from,
                         .obj = x};
    if (tg_watch_due(o, x, &w))
        tg_objs_tell(o, &w);
    else
        tg_objs_watch(o, x, &w);
}

static void on_value(struct tg_objs *o, struct tg_msg_value *m)
{
    if (m->here)
        tg_objs_adopt(o, &m->item);
    struct tg_obj *x = tg_objs_find(o, m->ref);
    bool news = x != NULL && x->val == NULL;
    if (news && m->here) {
        tg_obj_arrived(o, x, m->size, m->item.val); /* takes the value */
        m->item.val = NULL;
        return;
    }
    if (news)
        tg_obj_arrived(o, x, m->size, NULL);
    if (m->here)
        tg_objs_unadopt(o, &m->item);
}

static void on_drop(struct tg_objs *o, const struct tg_msg_drop *m)
{
    for (uint32_t i = 0; i < m->n; i++) {
        struct tg_obj *x = tg_objs_find(o, m->v[i].ref);
        TG_ASSERT(x != NULL && x->weight >= m->v[i].weight);
        x->weight -= m->v[i].weight;
        tg_obj_settle(o, x);
    }
}

static void on_more(struct tg_objs *o, int32_t from, trygon_ref_t ref)
{
    struct tg_obj *x = tg_objs_find(o, ref);
    if (x == NULL)
        return; /* as in on_watch */
    struct tg_msg m = {.type = TG_MSG_WEIGHT};
    m.u.more.w.ref = ref;
    m.u.more.w.weight = 2 * o->ctx->lim.weight_mint;
    x->weight += m.u.more.w.weight;
    tg_ctx_send(o->ctx, from, &m);
}

static void on_weight(struct tg_objs *o, const struct tg_weighted *w)
{
    struct tg_obj *x = tg_objs_find(o, w->ref);
    if (x == NULL) { /* dropped meanwhile */
        *tg_ctx_pass(o->ctx, &o->drops) = *w;
        return;
    }
    x->asked_more = false;
    x->weight += w->weight;
    retry_parked(o);
}

void tg_objs_msg(struct tg_objs *o, int32_t from, struct tg_msg *m)
{
    if (m->type == TG_MSG_WATCH)
        on_watch(o, from, &m->u.watch);
    else if (m->type == TG_MSG_VALUE)
        on_value(o, &m->u.value);
    else if (m->type == TG_MSG_DROP)
        on_drop(o, &m->u.drop);
    else if (m->type == TG_MSG_MORE)
        on_more(o, from, m->u.more.w.ref);
    else if (m->type == TG_MSG_WEIGHT)
        on_weight(o, &m->u.more.w);
    else
        TG_UNREACHABLE();
}
