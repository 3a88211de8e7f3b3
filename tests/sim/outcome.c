/* outcome.c - does the way in which a task ended fit what has happened?
 *
 * Every task ends once, with its value or an error that has a reason, after at
 * most 1 + max_retries executions, none of which is done twice.
 */
#include <stdlib.h>
#include <string.h>

#include "world.h"

static bool bit(const uint64_t *set, int32_t i)
{
    return (set[i / 64] >> (i % 64) & 1) != 0;
}

static void set_bit(uint64_t *set, int32_t i)
{
    set[i / 64] |= UINT64_C(1) << (i % 64);
}

/* ----- executions --------------------------------------------------------------- */

/* A method starts: in its caller's order, and not beside too many others of its
 * group. */
static void method_starts(struct world *w, const struct truth_task *t,
                          int32_t restarts)
{
    struct truth_task *a = truth_of(&w->truth, t->actor);
    struct truth_life *l = truth_life(a, restarts);
    uint32_t limit = t->group == 0
                         ? a->concurrency
                         : world_limit(tg_ref_index(t->actor), t->group);
    if (l->destroyed || l->running[t->group] >= limit ||
        restarts > a->last_attempt)
        world_fail(w, "task %u starts, its actor %s", t->id,
                   l->destroyed                  ? "is no more"
                   : restarts <= a->last_attempt ? "is busy"
                                                 : "was never made");
    l->running[t->group]++;
    l->nrunning++;
    /* Ray: retries have no order. */
    if (a->any_order || t->ncodes > 0 || t->remade > 0)
        return;
    uint32_t i = 0;
    while (i < l->callers.n && (l->callers.v[i].owner != t->owner ||
                                l->callers.v[i].group != t->group ||
                                l->callers.v[i].exec != t->exec))
        i++;
    if (i == l->callers.n)
        *tg_vec_add(&l->callers) =
            (struct truth_caller){t->owner, t->group, t->exec, 0};
    if (l->callers.v[i].number >= t->number)
        world_fail(w, "task %u starts after a later call of its caller", t->id);
    l->callers.v[i].number = t->number;
}

/* Whatever ended an incarnation of an actor, or a run of a method with it. */
static int32_t losses(const struct world *w, const struct truth_task *actor)
{
    return w->nlost + (int32_t)actor->soft_kills;
}

/* For a result that is lost, after its end. */
static bool may_be_made_again(const struct world *w, const struct truth_task *t)
{
    return world_remakes(w) && !t->creates;
}

struct truth_task *outcome_started(struct world *w, struct sim_rank *r,
                                   uint64_t exec)
{
    const struct tg_exec *e = tg_worker_exec(&r->core->worker, exec);
    if (e == NULL || e->state != TG_EXEC_RUNNING)
        world_fail(w, "rank %d starts what is not there", (int)r->id);
    int32_t owner = (int32_t)(e->number >> 40);
    uint64_t n = e->number & 0xffffffffff;
    if (owner != e->owner || n == 0 || n > w->ranks[owner].numbered.n)
        world_fail(w, "rank %d starts an unknown task", (int)r->id);
    struct truth_task *t = w->truth.tasks.v[w->ranks[owner].numbered.v[n - 1]];
    int32_t a = e->attempt;
    if (a < 0 || a >= TRUTH_ATTEMPTS ||
        (t->max_retries >= 0 && a > t->max_retries))
        world_fail(w, "task %u starts attempt %d of %d", t->id, (int)a,
                   (int)t->max_retries + 1);
    if (t->surely && a > t->surely_at)
        world_fail(w, "task %u starts again after its cancel", t->id);
    if (bit(t->started, a))
        world_fail(w, "task %u starts attempt %d twice", t->id, (int)a);
    if (t->creates && a > losses(w, t))
        world_fail(w, "task %u makes an actor again without a reason", t->id);
    /* What is sent to one that was killed may be on its way for long. */
    bool late = t->call && truth_of(&w->truth, t->actor)->soft_kills > 0;
    bool made_again = may_be_made_again(w, t);
    if (t->ended && !late && !made_again && rank_lives(w, owner) &&
        rank_lives(w, r->id))
        world_fail(w, "task %u starts after its end", t->id);
    t->remade += t->ended && made_again;
    w->stats.remade += t->ended && made_again;
    set_bit(t->started, a);
    t->ran_on[a] = r->id;
    t->starts++;
    if (a > t->last_attempt)
        t->last_attempt = a;
    w->stats.execs++;
    w->stats.retries += a > 0;
    if (t->call)
        method_starts(w, t, e->actor->restarts);
    tell(w, r->id, "starts %d.%u%s", (int)owner, (unsigned)(n & 0xffffff),
         a > 0 ? " again" : "");
    return t;
}

void outcome_destroys(struct world *w, struct sim_rank *r,
                      const struct tg_exec *e)
{
    trygon_ref_t ref = tg_ref_make(TRYGON_KIND_ACTOR, 0, e->actor->owner, e->fn,
                                   e->actor->obj);
    struct truth_task *a = truth_of(&w->truth, ref);
    struct truth_life *l = a != NULL ? truth_life(a, e->actor->restarts) : NULL;
    if (l == NULL || l->destroyed || l->nrunning > 0)
        world_fail(w, "rank %d destroys an actor %s", (int)r->id,
                   l == NULL      ? "that is none"
                   : l->destroyed ? "twice"
                                  : "that runs a method");
    if ((a->killed_here || l->killed_here) && !a->exited &&
        !w->ranks[a->owner].draining)
        world_fail(w, "rank %d destroys an actor that was killed", (int)r->id);
    l->destroyed = true;
    tell(w, r->id, "destroys the actor of %d.%u", (int)a->owner,
         (unsigned)(a->number & 0xffffff));
}

void outcome_done(struct world *w, struct truth_task *t, int32_t attempt,
                  int32_t life, int32_t code)
{
    if (t->call) {
        struct truth_life *l = truth_life(truth_of(&w->truth, t->actor), life);
        l->running[t->group]--;
        l->nrunning--;
    }
    if (bit(t->done, attempt))
        world_fail(w, "task %u ends attempt %d twice", t->id, (int)attempt);
    set_bit(t->done, attempt);
    t->code[attempt] = code;
    t->dones++;
}

/* ----- does the error fit? --------------------------------------------------------- */

/* Was there a reason for the actor to end? */
static bool may_have_died(const struct world *w, const struct truth_task *a)
{
    bool used_up = a->max_retries >= 0 && losses(w, a) > a->max_retries;
    return a->killed || a->exited || w->ranks[a->owner].lost ||
           w->ranks[a->owner].draining || used_up ||
           (a->ended && (!a->known || a->outcome != 0));
}

bool outcome_over(const struct world *w, trygon_ref_t actor)
{
    const struct sim_rank *r = &w->ranks[tg_ref_rank(actor)];
    const struct tg_obj *x = tg_objs_find(&r->core->objs, actor);
    return r->lost || x == NULL || x->state == TG_OBJ_FAILED;
}

/* It ran for an actor that was ended. */
static bool lost_actor(const struct world *w, const struct truth_task *t)
{
    const struct truth_task *a = t->call ? truth_of(&w->truth, t->actor) : NULL;
    return (t->creates && (t->killed || t->soft_kills > 0)) ||
           (a != NULL && (may_have_died(w, a) || a->soft_kills > 0));
}

/* Somebody asked for it, here or above; or what submitted it was stopped
 * because its own owner is lost; or its owner's run is over. */
static bool cancel_fits(const struct world *w, const struct truth_task *t)
{
    if (t->cancelled || w->ranks[t->owner].draining || lost_actor(w, t))
        return true;
    while (t->parent != UINT32_MAX) {
        t = w->truth.tasks.v[t->parent];
        if (t->recursive || w->ranks[t->owner].lost ||
            w->ranks[t->owner].draining || lost_actor(w, t))
            return true;
    }
    return t->owner == 0 && w->ending && !t->detached;
}

bool outcome_disk_fails(const struct world *w)
{
    const struct store_opts *o = &w->opts.store;
    return o->full + o->broken + o->unread > 0;
}

/* Its bytes may have gone down with a rank. */
static bool may_be_lost(const struct world *w, const struct truth_obj *o)
{
    if (o == NULL || w->opts.store.from == 0)
        return false;
    if (o->task == UINT32_MAX)
        return w->ranks[tg_ref_rank(o->ref)].lost;
    const struct truth_task *t = w->truth.tasks.v[o->task];
    for (int32_t a = 0; a <= t->last_attempt; a++)
        if (bit(t->started, a) && w->ranks[t->ran_on[a]].lost)
            return true;
    return false;
}

/* Whatever else is lost: it has retries without end, and arguments that do not
 * keep it from being run again. */
static bool surely_made_again(const struct world *w, const struct truth_obj *o)
{
    const struct truth_task *t =
        o->task != UINT32_MAX ? w->truth.tasks.v[o->task] : NULL;
    return w->opts.limits.lineage_bytes == LINEAGE_ALL && t != NULL &&
           t->max_retries < 0 && !t->cancelled && !t->call && t->limit == 0 &&
           !t->handles && !w->ranks[t->owner].draining;
}

/* So is that of a stored value, and nothing else. */
static bool store_fails(const struct world *w, const struct truth_obj *o,
                        int32_t code)
{
    if (code == TRYGON_ERR_FREED)
        return o != NULL && o->freed;
    return code == TRYGON_ERR_OBJECT_LOST
               ? may_be_lost(w, o) && !surely_made_again(w, o)
               : code == TRYGON_ERR_IO && w->opts.store.unread > 0;
}

static bool argument_failed(const struct world *w, const struct truth_task *t)
{
    for (uint32_t i = 0; i < t->nargs; i++) {
        bool stored =
            w->opts.store.from > 0 && t->args[i].size > w->opts.store.from;
        if (stored && w->opts.store.unread > 0)
            return true;
        if (!t->args[i].by_ref)
            continue;
        const struct truth_task *of = truth_of(&w->truth, t->args[i].ref);
        const struct truth_obj *o = truth_obj(&w->truth, t->args[i].ref);
        if (o->failed || o->freed || may_be_lost(w, o))
            return true;
        if (w->ranks[tg_ref_rank(t->args[i].ref)].lost ||
            (of != NULL && of->ended &&
             (!of->known || of->outcome != 0 || of->remade > 0)))
            return true;
    }
    return false;
}

static bool cannot_run(const struct world *w, const struct truth_task *t)
{
    const struct machine *m = &w->opts.machine;
    const struct tg_shape *s = &t->shape;
    bool hard = s->strategy == TRYGON_STRATEGY_NODE && !s->soft;
    bool node = false;
    for (int32_t r = 0; r < w->nranks; r++) {
        struct tg_site site = {.alive = !w->ranks[r].lost};
        memcpy(site.total, m->total[r], sizeof site.total);
        if (hard && m->node[r] != s->node)
            continue;
        node = node || site.alive;
        if (tg_site_can(&site, s))
            return false;
    }
    return s->fail || (hard && !node);
}

static bool is_listed(const struct truth_task *t, int32_t code)
{
    if (t->ncodes == UINT32_MAX)
        return code > 0;
    for (uint32_t i = 0; i < t->ncodes; i++)
        if (t->codes[i] == code)
            return true;
    return false;
}

/* Every attempt but the last needs a reason to be over. */
static bool retries_used(const struct world *w, const struct truth_task *t)
{
    const struct truth_task *a = t->call ? truth_of(&w->truth, t->actor) : t;
    int32_t reasons = losses(w, a) + (int32_t)t->remade;
    for (int32_t i = 0; i <= t->last_attempt; i++)
        reasons += bit(t->done, i) && is_listed(t, t->code[i]);
    return t->max_retries >= 0 && reasons > t->max_retries;
}

/* The last attempt that has begun ended so; or one before it, which it follows
 * for what was lost since. */
static bool script_did(const struct world *w, const struct truth_task *t,
                       int32_t code)
{
    int32_t first = may_be_made_again(w, t) ? 0 : t->last_attempt;
    for (int32_t a = first; a >= 0 && a <= t->last_attempt; a++)
        if (bit(t->done, a) && t->code[a] == code)
            return true;
    return false;
}

/* It went down with its actor, or came while that was being made. */
static bool may_miss(const struct world *w, const struct truth_task *t)
{
    const struct truth_task *a = truth_of(&w->truth, t->actor);
    return a->max_retries != 0 && losses(w, a) > 0 && retries_used(w, t);
}

/* What its code itself ended with. */
static bool own_error(const struct truth_task *t, int32_t attempt)
{
    int32_t code = t->code[attempt];
    return code > 0 || code == TRYGON_ERR_STORE_FULL || code == TRYGON_ERR_IO ||
           code == TRYGON_ERR_OBJECT_LOST || code == TRYGON_ERR_OWNER_DIED ||
           code == TRYGON_ERR_FREED;
}

static bool fits(const struct world *w, const struct truth_task *t)
{
    if (t->outcome == TRYGON_ERR_ACTOR_UNAVAILABLE)
        return t->call && may_miss(w, t);
    if (t->outcome == TRYGON_ERR_ACTOR_DIED)
        return t->creates
                   ? may_have_died(w, t)
                   : t->call &&
                         (may_have_died(w, truth_of(&w->truth, t->actor)) ||
                          (t->weak && outcome_over(w, t->actor)));
    int32_t last = t->last_attempt;
    switch (t->outcome) {
    case TRYGON_SUCCESS: /* of a stream: an error of its own is an item */
        return script_did(w, t, 0) ||
               (t->limit > 0 && last >= 0 && bit(t->done, last) &&
                own_error(t, last));
    case TRYGON_ERR_TASK:
        return t->user_code > 0 && script_did(w, t, t->user_code) &&
               (!is_listed(t, t->user_code) || retries_used(w, t) ||
                cancel_fits(w, t));
    case TRYGON_ERR_CANCELLED: return cancel_fits(w, t);
    case TRYGON_ERR_WORKER_LOST: return w->nlost > 0 && retries_used(w, t);
    case TRYGON_ERR_DEPENDENCY: return argument_failed(w, t);
    case TRYGON_ERR_UNSCHEDULABLE: return cannot_run(w, t);
    case TRYGON_ERR_STORE_FULL:
    case TRYGON_ERR_IO:
        return outcome_disk_fails(w) && script_did(w, t, t->outcome);
    case TRYGON_ERR_OBJECT_LOST:
    case TRYGON_ERR_FREED:
    case TRYGON_ERR_OWNER_DIED: /* of an argument, as it began */
        return argument_failed(w, t) && script_did(w, t, t->outcome);
    default: return false;
    }
}

/* ----- the end of a task ------------------------------------------------------------- */

static void note_outcome(struct world *w, struct truth_task *t,
                         const struct tg_obj *x)
{
    t->known = true;
    const struct trygon_error *e = tg_val_err(x->val, 0);
    if (t->creates && e != NULL && tg_val_err(x->val, 1) != NULL)
        e = tg_val_err(x->val, 1); /* what the constructor ended with */
    t->outcome = e != NULL ? e->code : 0;
    t->user_code = e != NULL ? e->user_code : 0;
    t->caused = tg_val_err(x->val, t->creates ? 2 : 1) != NULL;
    if (e != NULL)
        memcpy(t->text, e->text, sizeof t->text);
    if ((x->state == TG_OBJ_FAILED) != (e != NULL))
        world_fail(w, "task %u is neither fish nor flesh", t->id);
    w->stats.outcomes[-t->outcome < 32 ? -t->outcome : 31]++;
}

static void check_outcome(const struct world *w, const struct truth_task *t)
{
    if (!fits(w, t))
        world_fail(w,
                   "task %u (%d.%u) ended with %d (user code %d; %s): nothing "
                   "that happened fits; %u starts, last attempt %d",
                   t->id, (int)t->owner, (unsigned)(t->number & 0xffffff),
                   (int)t->outcome, (int)t->user_code, t->text, t->starts,
                   (int)t->last_attempt);
    if (t->outcome == TRYGON_ERR_DEPENDENCY && !t->caused)
        world_fail(w, "task %u failed by a dependency without cause", t->id);
}

static void ended(struct sim_rank *r, struct truth_task *t)
{
    struct world *w = r->w;
    t->ended = true;
    uint32_t n = t->limit > 0 ? 1 : t->nreturns; /* a stream's completion */
    for (uint32_t i = 0; i < n; i++) {
        const struct tg_obj *x =
            tg_slab_find(&r->core->objs.owned, t->results[i].lo);
        const struct truth_obj *o = truth_obj(&w->truth, t->results[i]);
        if (x == NULL || (o != NULL && o->freed))
            continue;
        if (x->state == TG_OBJ_PENDING && x->task != 0)
            continue; /* lost, or wanted no more, and may be made again */
        if (x->state == TG_OBJ_PENDING)
            world_fail(w, "task %u is over, its result %u is not", t->id, i);
        if (!t->known)
            note_outcome(w, t, x);
        else if ((t->outcome == 0) != (x->state == TG_OBJ_READY))
            world_fail(w, "the results of task %u differ", t->id);
    }
}

/* Its results have been ready; perhaps it is run again for what was lost. */
static bool is_over(const struct sim_rank *r, uint32_t id)
{
    const struct tg_task *x =
        tg_slab_find(&r->core->owner.tasks, r->w->truth.tasks.v[id]->handle);
    return x == NULL || x->again;
}

void outcome_scan(struct sim_rank *r)
{
    if (r->core->owner.tasks.used - r->core->owner.nagain >= r->live.n)
        return;
    uint32_t n = r->live.n, kept = 0;
    for (uint32_t i = 0; i < n; i++) { /* those that ended go to the back */
        uint32_t id = r->live.v[i];
        if (is_over(r, id))
            continue;
        r->live.v[i] = r->live.v[kept];
        r->live.v[kept++] = id;
    }
    for (uint32_t i = kept; i < n; i++)
        ended(r, r->w->truth.tasks.v[r->live.v[i]]);
    for (uint32_t i = kept; i < n; i++)
        if (r->w->truth.tasks.v[r->live.v[i]]->known)
            check_outcome(r->w, r->w->truth.tasks.v[r->live.v[i]]);
    r->live.n = kept;
}

/* It was run once more for what was lost, and that is how that went. */
static bool ended_again(const struct world *w, const struct truth_task *t,
                        const struct trygon_error *e)
{
    struct truth_task again = *t;
    again.outcome = e->code;
    again.user_code = e->user_code;
    return fits(w, &again);
}

/* A failed object was read: is it the error that its owner has? */
void outcome_seen(struct world *w, struct truth_task *t, const struct tg_obj *x)
{
    const struct trygon_error *e = tg_val_err(x->val, 0);
    if (t != NULL && may_be_made_again(w, t) && ended_again(w, t, e))
        return;
    if (e->code == TRYGON_ERR_OWNER_DIED) {
        bool own = t != NULL && t->known && t->outcome == e->code;
        if (!w->ranks[tg_ref_rank(x->ref)].lost && !own)
            world_fail(w, "an owner is said to be lost and is not");
        return;
    }
    if (t != NULL && t->creates)
        return; /* it may have ended since */
    const struct truth_obj *o = truth_obj(&w->truth, x->ref);
    if (store_fails(w, o, e->code))
        return;
    if (o != NULL && o->item && o->failed)
        return; /* it was looked at when it was taken */
    if (t == NULL || !t->ended ||
        (t->known && (t->outcome != e->code || t->user_code != e->user_code)))
        world_fail(w, "a result has error %d, its task %s %d", (int)e->code,
                   t != NULL && t->ended ? "ended with" : "did not end:",
                   t != NULL ? (int)t->outcome : 0);
}
