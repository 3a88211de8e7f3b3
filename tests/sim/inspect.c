/* inspect.c - what must be true of a whole world, now and at its end. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/chan.h"
#include "core/head_names.h"
#include "core/objs_impl.h"
#include "core/quiesce.h"
#include "core/worker_impl.h"
#include "world.h"

void world_fail(const struct world *w, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "sim: step %llu, %llu us: %s\n",
            (unsigned long long)w->steps,
            (unsigned long long)(w->now_ns / 1000), text);
    abort();
}

/* ----- weights ------------------------------------------------------------------- */

static void add_copy(struct truth *t, trygon_ref_t ref, uint64_t weight)
{
    if (weight != UINT64_MAX)
        truth_obj_new(t, ref)->copies += weight;
}

/* What a message that still waits for weight has collected so far. */
static void add_parked(struct truth *t, const struct tg_objs *o)
{
    struct tg_parked *p;
    DL_FOREACH (o->parked, p) {
        uint32_t n;
        struct tg_item *v = tg_msg_items(&p->msg, &n);
        for (uint32_t i = 0; i < n; i++) {
            if (v[i].val == NULL)
                add_copy(t, v[i].ref, v[i].weight);
            for (uint32_t j = 0; v[i].val != NULL && j < v[i].val->nrefs; j++)
                add_copy(t, tg_val_refs(v[i].val)[j], v[i].weights[j]);
        }
    }
}

/* A run that waits for its lease to open keeps its weight. */
static void add_held(struct truth *t, const struct tg_worker *k)
{
    struct tg_held *h;
    DL_FOREACH (k->held, h) {
        uint32_t n;
        struct tg_item *v = tg_msg_items(&h->msg, &n);
        for (uint32_t i = 0; i < n; i++) {
            if (v[i].val == NULL)
                add_copy(t, v[i].ref, v[i].weight);
            for (uint32_t j = 0; v[i].val != NULL && j < v[i].val->nrefs; j++)
                add_copy(t, tg_val_refs(v[i].val)[j], v[i].weights[j]);
        }
    }
}

static void count_copies(const struct world *w)
{
    struct truth *t = (struct truth *)(uintptr_t)&w->truth;
    struct truth_obj *o, *next;
    HASH_ITER (hh, t->objs, o, next)
        o->copies = 0;
    for (int32_t r = 0; r < w->nranks; r++) {
        const struct tg_core *c = w->ranks[r].core;
        uint64_t at = 0;
        const struct tg_obj *x;
        while ((x = tg_objs_next(&c->objs, &at)) != NULL)
            if (!x->owned)
                add_copy(t, x->ref, x->weight);
        add_parked(t, &c->objs);
        add_held(t, &c->worker);
    }
}

/* The weight outside of each living owner's object is exactly what copies and
 * messages have, those of the dead included. */
static void check_weights(const struct world *w)
{
    count_copies(w);
    const struct truth_obj *o;
    for (o = w->truth.objs; o != NULL; o = o->hh.next) {
        int32_t owner = tg_ref_rank(o->ref);
        if (!rank_lives(w, owner))
            continue;
        const struct tg_obj *x =
            tg_objs_find(&w->ranks[owner].core->objs, o->ref);
        uint64_t outside = o->copies + o->moving;
        if (x == NULL && outside > 0)
            world_fail(
                w, "an object of %d was freed with weight %" PRIu64 " outside",
                (int)owner, outside);
        if (x != NULL && x->weight != outside)
            world_fail(w,
                       "an object of %d has weight %" PRIu64
                       " outside, %" PRIu64 " is there",
                       (int)owner, x->weight, outside);
    }
}

/* Nothing waits behind a task that has run for too long, unless it has only
 * just come and the alarm is set for now. */
void inspect_queues(const struct sim_rank *r)
{
    const struct tg_core *c = r->core;
    uint32_t slot = 0;
    const struct tg_wlease *l;
    if (tg_core_deadline(c) <= c->ctx.now_ns)
        return;
    while ((l = tg_slab_next(&c->worker.leases, &slot)) != NULL)
        if (l->nrunning > 0 && l->nqueued > 0 &&
            l->run_since_ns + c->ctx.lim.overrun_ns <= c->ctx.now_ns)
            world_fail(r->w, "rank %d keeps %u tasks behind a long one",
                       (int)r->id, l->nqueued);
}

/* Whoever can reach a stored value of the living finds it in its store. */
static void check_places(const struct world *w, const struct sim_rank *r)
{
    uint64_t at = 0;
    const struct tg_obj *x;
    while ((x = tg_objs_next(&r->core->objs, &at)) != NULL) {
        if (x->val == NULL || !x->val->stored || x->val->error)
            continue;
        const struct tg_place *p = tg_val_place(x->val);
        const struct tg_obj *at_owner =
            tg_objs_find(&w->ranks[tg_ref_rank(x->ref)].core->objs, x->ref);
        if (at_owner != NULL && at_owner->state == TG_OBJ_FAILED)
            continue; /* it could not be read back */
        if (rank_lives(w, p->rank) && rank_lives(w, tg_ref_rank(x->ref)) &&
            !r->core->ctx.dead[p->rank] &&
            tg_store_find(&w->ranks[p->rank].core->store, p->blob) == NULL)
            world_fail(w,
                       "rank %d holds an object of %d that rank %d has freed",
                       (int)r->id, (int)tg_ref_rank(x->ref), (int)p->rank);
    }
}

void inspect_all(const struct world *w)
{
    for (int32_t r = 0; r < w->nranks; r++) {
        tg_core_check(w->ranks[r].core);
        tg_post_check(w->ranks[r].post);
    }
    check_weights(w);
    for (int32_t r = 0; r < w->nranks; r++)
        if (rank_lives(w, r))
            check_places(w, &w->ranks[r]);
}

/* ----- the end ---------------------------------------------------------------------- */

/* At the first goodbye all living ranks are quiet and nothing is under way
 * between them. */
void inspect_bye(const struct world *w)
{
    for (int32_t r = 0; r < w->nranks; r++) {
        const struct sim_rank *a = &w->ranks[r];
        if (!rank_lives(w, r))
            continue;
        if (!a->core->draining || !tg_core_quiet(a->core))
            world_fail(w, "goodbye, but rank %d is not quiet", (int)r);
        for (int32_t i = 0; a->flying != NULL && i < w->nranks; i++)
            if (rank_lives(w, i) && a->flying[i] > 0)
                world_fail(w,
                           "goodbye, but %u messages are under way from "
                           "%d to %d",
                           a->flying[i], (int)r, (int)i);
    }
}

static void check_channels(const struct world *w, int32_t from)
{
    const struct sim_rank *a = &w->ranks[from];
    for (int32_t to = 0; to < w->nranks; to++) {
        if (to == from || !rank_lives(w, to))
            continue;
        uint32_t out = a->outstanding != NULL ? a->outstanding[to] : 0;
        if (out >= TG_CREDITS / 2)
            world_fail(w, "%d has not returned %u credits of %d", (int)to, out,
                       (int)from);
        if (tg_netsim_unread(w->net, from, to) > 0)
            world_fail(w, "%d left frames of %d unread", (int)to, (int)from);
    }
}

/* An entry that is left is held by nothing but values that are left, and the
 * weight that keeps those is with the dead. */
static void check_leftovers(struct world *w, struct sim_rank *r)
{
    struct tg_objs *o = &r->core->objs;
    struct left {
        trygon_ref_t ref;
        uint32_t n;
    };
    TG_VEC(struct left) within = {0};
    uint64_t at = 0;
    const struct tg_obj *x;
    while ((x = tg_objs_next(o, &at)) != NULL) {
        w->stats.left++;
        w->stats.lost_weight += x->owned ? x->weight : 0;
        for (uint32_t i = 0; x->val != NULL && i < x->val->nrefs; i++)
            *tg_vec_add(&within) = (struct left){tg_val_refs(x->val)[i], 1};
    }
    for (const struct tg_freed *f = o->freed; f != NULL; f = f->hh.next)
        for (uint32_t i = 0; i < f->val->nrefs; i++)
            *tg_vec_add(&within) = (struct left){tg_val_refs(f->val)[i], 1};
    for (at = 0; (x = tg_objs_next(o, &at)) != NULL;) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < within.n; i++)
            n += tg_ref_eq(within.v[i].ref, x->ref);
        if (x->user > 0 || x->count != n ||
            (x->owned && x->state == TG_OBJ_PENDING))
            world_fail(w,
                       "rank %d keeps an object: count %u, of the user %u, "
                       "in values %u, %s",
                       (int)r->id, x->count, x->user, n,
                       x->owned ? "its own" : "another's");
        if (w->nlost == 0)
            world_fail(w,
                       "rank %d keeps an object, and nobody was lost: "
                       "count %u, weight %" PRIu64,
                       (int)r->id, x->count, x->weight);
    }
    tg_vec_free(&within);
}

static void check_left(struct world *w, struct sim_rank *r)
{
    const struct tg_core *c = r->core;
    if (r->nbusy > 0)
        world_fail(w, "rank %d left with %u scripts going on", (int)r->id,
                   r->nbusy);
    if (c->owner.tasks.used + c->owner.classes.used + c->worker.execs.used +
            c->worker.leases.used + c->worker.actors.used +
            c->waits.waiters.used + c->waits.sets.used + c->waits.members.used +
            c->streams.slab.used >
        0)
        world_fail(w, "rank %d left something behind", (int)r->id);
    if (c->objs.user_counts > 0)
        world_fail(w, "rank %d left %" PRIu64 " counts of its user's",
                   (int)r->id, c->objs.user_counts);
    if (!tg_core_quiet(c) || !tg_post_quiet(r->post))
        world_fail(w, "rank %d left and is not quiet", (int)r->id);
    if (r->live.n > 0)
        world_fail(w, "task %u has no end", r->live.v[0]);
}

/* Has that rank an object whose bytes are these? */
static bool has_object(const struct sim_rank *o, const struct sim_rank *at,
                       const struct tg_blob *b)
{
    uint64_t i = 0;
    const struct tg_obj *x;
    while ((x = tg_objs_next(&o->core->objs, &i)) != NULL) {
        const struct tg_place *p =
            x->val != NULL && x->val->stored ? tg_val_place(x->val) : NULL;
        if (p != NULL && ((p->rank == at->id && p->blob == b->self) ||
                          (o == at && p->here == b->self)))
            return true;
    }
    return false;
}

/* A blob that is left is that of an object that is left: its weight is with
 * the dead. */
static void check_store(const struct world *w, const struct sim_rank *r)
{
    const struct sim_blob *b;
    for (b = r->store.blobs; b != NULL; b = b->hh.next) {
        const struct tg_blob *x = tg_store_find(&r->core->store, b->handle);
        bool own = x != NULL && x->kind == TG_BLOB_OWN && !x->kept;
        const struct sim_rank *o = own ? &w->ranks[x->owner] : r;
        if (w->nlost == 0 || x == NULL || o->lost || !has_object(o, r, x))
            world_fail(w, "rank %d has left blob %u of %u bytes, made for %d",
                       (int)r->id, b->number, (unsigned)b->size,
                       x != NULL ? (int)x->owner : -1);
    }
    for (b = r->store.freed; b != NULL; b = b->after)
        if (w->nlost == 0)
            world_fail(w, "rank %d has left blob %u pinned", (int)r->id,
                       b->number);
}

void inspect_end(struct world *w)
{
    inspect_all(w);
    for (int32_t r = 0; r < w->nranks; r++) {
        if (!rank_lives(w, r))
            continue;
        check_left(w, &w->ranks[r]);
        check_channels(w, r);
        check_leftovers(w, &w->ranks[r]);
        check_store(w, &w->ranks[r]);
    }
    if (!tg_head_quiet(w->ranks[0].core->head))
        world_fail(w, "the ledger is not as it was");
    if (w->nlost == 0 && tg_names_count(w->ranks[0].core->names) > 0)
        world_fail(w, "%u names are taken, and nobody was lost",
                   tg_names_count(w->ranks[0].core->names));
    w->stats.virtual_ns = w->now_ns;
    w->stats.steps = w->steps;
}

/* ----- who waits for what ------------------------------------------------------------- */

static void why_line(void *arg, const char *text)
{
    fprintf(stderr, "  rank %d: %s\n", *(const int32_t *)arg, text);
}

static void why_scripts(const struct sim_rank *r)
{
    const struct script *s;
    char text[400];
    DL_FOREACH (r->scripts, s) {
        if (s->state == SCRIPT_OVER)
            continue;
        script_tell(s, text, sizeof text);
        fprintf(stderr, "  rank %d: %s\n", (int)r->id, text);
    }
}

static void why_tasks(const struct sim_rank *r)
{
    static const char *const states[] = {"?", "waiting", "ready", "sent",
                                         "kept"};
    for (uint32_t i = 0; i < r->live.n && i < 12; i++) {
        const struct truth_task *t = r->w->truth.tasks.v[r->live.v[i]];
        const struct tg_task *x =
            tg_slab_find(&r->core->owner.tasks, t->handle);
        if (x == NULL)
            continue;
        fprintf(stderr, "  rank %d: task %u (%d.%u) is %s", (int)r->id, t->id,
                (int)t->owner, (unsigned)(t->number & 0xffffff),
                states[x->state]);
        if (!x->call && x->lease != NULL)
            fprintf(stderr, " to %d, lease %llx, attempt %d",
                    (int)x->lease->worker, (unsigned long long)x->lease->id,
                    (int)x->attempt);
        fprintf(stderr, "%s%s\n", x->cancelled ? ", cancelled" : "",
                t->hopeless ? ", hopeless" : "");
    }
}

static void why_leases(const struct sim_rank *r)
{
    uint32_t slot = 0;
    const struct tg_wlease *l;
    while ((l = tg_slab_next(&r->core->worker.leases, &slot)) != NULL)
        fprintf(stderr,
                "  rank %d: lease %llx of %d: %u queued, %u running, %u "
                "blocked%s%s\n",
                (int)r->id, (unsigned long long)l->id, (int)l->owner,
                l->nqueued, l->nrunning, l->nblocked, l->lent ? ", lent" : "",
                l->state == TG_WLEASE_CLOSING ? ", closing" : "");
}

static void why_head(const struct tg_head *h)
{
    uint32_t slot = 0;
    const struct tg_demand *d;
    while ((d = tg_slab_next(&h->demands, &slot)) != NULL)
        fprintf(stderr,
                "  head: demand of %d: want %u, received %u, granted %u, "
                "active %u, depth %d%s%s\n",
                (int)d->owner, d->want, d->received, d->granted, d->active,
                (int)d->depth, d->infeasible ? ", infeasible" : "",
                h->reserved_for == d->self ? ", reserved" : "");
    for (int32_t r = 0; r < h->nranks; r++) {
        const struct tg_hlease *l = NULL;
        while ((l = tg_hlease_next(h, r, l)) != NULL)
            fprintf(stderr, "  head: lease %llx of %d on %d%s%s\n",
                    (unsigned long long)l->id, (int)l->demand->owner, (int)r,
                    l->lent ? ", lent" : "", l->recalled ? ", recalled" : "");
    }
}

void inspect_why(const struct world *w)
{
    for (int32_t i = 0; i < w->nranks; i++) {
        const struct sim_rank *r = &w->ranks[i];
        if (!rank_lives(w, i)) {
            fprintf(stderr, "  rank %d: %s\n", (int)i,
                    r->dead ? "dead" : "declared lost");
            continue;
        }
        fprintf(stderr, "  rank %d:%s%s%s%s%s\n", (int)i,
                r->ended ? " ended" : "", r->draining ? " draining" : "",
                r->bye ? " bye" : "", tg_core_quiet(r->core) ? " quiet" : "",
                tg_post_quiet(r->post) ? "" : " post-busy");
        why_scripts(r);
        tg_owner_why(&r->core->owner, why_line, (void *)(uintptr_t)&i);
        why_tasks(r);
        why_leases(r);
        sim_store_why(r);
    }
    why_head(w->ranks[0].core->head);
}
