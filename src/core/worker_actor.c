/* worker_actor.c - actors where they live (worker.h): whose call is next, and
 * how an actor ends.
 *
 * Each caller numbers its calls of each group.  A large one may be overtaken by
 * a later small one, and one may have to fetch arguments: calls stand in line at
 * their caller until all before them have been, and then in their group's queue.
 * A number whose call was cancelled is skipped, whether the call comes or not.
 *
 * An actor that has ended stays, to say why, until its owner forgets it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/worker.h"
#include "core/worker_impl.h"

static const bool legal[4][4] = {
    [0] = {[TG_WACTOR_ALIVE] = true},
    [TG_WACTOR_ALIVE] = {[TG_WACTOR_LEAVING] = true},
    [TG_WACTOR_LEAVING] = {[TG_WACTOR_DEAD] = true},
};

static void set_state(struct tg_wactor *a, enum tg_wactor_state to)
{
    TG_ASSERT(legal[a->state][to]);
    a->state = (uint8_t)to;
}

/* The ranks have compared what groups a class has, so it is there. */
static struct tg_wgroup *group_of(const struct tg_wactor *a, uint8_t group)
{
    TG_ASSERT(group < a->ngroups);
    return &a->groups[group];
}

static struct tg_wcaller *find_caller(const struct tg_wactor *a, int32_t rank,
                                      uint8_t group)
{
    struct tg_wcaller *c = a->last;
    uint64_t key = TG_WHO(rank, group);
    if (c != NULL && c->who == key)
        return c;
    HASH_FIND(hh, a->callers, &key, sizeof key, c);
    return c;
}

/* A caller that began anew has had all its calls answered. */
static struct tg_wcaller *caller_of(struct tg_wactor *a, int32_t rank,
                                    uint8_t group, uint64_t seq)
{
    uint64_t first = seq >> TG_CALL_BITS << TG_CALL_BITS;
    struct tg_wcaller *c = find_caller(a, rank, group);
    if (c == NULL) {
        c = tg_alloc(sizeof *c);
        c->actor = a;
        c->who = TG_WHO(rank, group);
        c->next = first;
        HASH_ADD(hh, a->callers, who, sizeof c->who, c);
    } else if (c->next < first && c->waiting == NULL) {
        c->next = first;
        c->skipped.n = 0;
    }
    a->last = c;
    return c;
}

static void forget_caller(struct tg_wactor *a, struct tg_wcaller *c)
{
    TG_ASSERT(c->waiting == NULL);
    HASH_DEL(a->callers, c);
    a->last = NULL;
    tg_vec_free(&c->skipped);
    free(c);
}

static bool skips(const struct tg_wcaller *c, uint64_t seq)
{
    for (uint32_t i = 0; i < c->skipped.n; i++)
        if (c->skipped.v[i] == seq)
            return true;
    return false;
}

static bool take_skipped(struct tg_wcaller *c)
{
    for (uint32_t i = 0; i < c->skipped.n; i++) {
        if (c->skipped.v[i] != c->next)
            continue;
        c->skipped.v[i] = c->skipped.v[--c->skipped.n];
        return true;
    }
    return false;
}

/* Those at the front of a caller's line go to their group's queue. */
static void advance(struct tg_wactor *a, struct tg_wcaller *c)
{
    for (;;) {
        struct tg_exec *e = c->waiting;
        if (take_skipped(c)) {
            c->next++;
        } else if (e != NULL && e->seq == c->next &&
                   e->state == TG_EXEC_QUEUED) {
            DL_DELETE(c->waiting, e);
            e->in_turn = true;
            DL_APPEND(group_of(a, e->group)->queue, e);
            c->next++;
        } else {
            return;
        }
    }
}

/* ----- the end of an actor ---------------------------------------------------------- */

/* What a call is told that will not run: its actor is no more, or no more
 * here. */
static __attribute__((noinline)) int32_t ended(const struct tg_worker *w,
                                               const struct tg_wactor *a,
                                               uint64_t number,
                                               struct tg_val **error)
{
    static const char *const reasons[] = {
        [TG_LEAVE_SCOPE] = "no handle of it was left",
        [TG_LEAVE_KILLED] = "it was killed",
        [TG_LEAVE_EXITED] = "it exited",
        [TG_LEAVE_OVER] = "its owner's runtime ended",
        [TG_LEAVE_LOST] = "the rank that created it was lost",
    };
    if (a == NULL || a->why == TG_LEAVE_RESTART)
        return TG_DONE_GONE;
    *error = tg_val_error(TRYGON_ERR_ACTOR_DIED, w->ctx->rank, number, "",
                          "the actor has ended: %s%s", reasons[a->why],
                          tg_restarts_text(a->restarts).text);
    return TRYGON_ERR_ACTOR_DIED;
}

static void free_groups(struct tg_wactor *a)
{
    if (a->groups != &a->one)
        free(a->groups);
}

static void forget(struct tg_worker *w, struct tg_wactor *a)
{
    struct tg_wcaller *c, *next;
    HASH_ITER (hh, a->callers, c, next)
        forget_caller(a, c);
    free_groups(a);
    tg_slab_free(&w->actors, a->self);
}

/* Each destructor has a thread: thousands of actors may end at once. */
enum { DESTROYS_MAX = 4 };

static void leave_line(struct tg_worker *w, struct tg_wactor *a)
{
    if (a->in_line)
        DL_DELETE(w->line, a);
    a->in_line = false;
}

/* The destructor is an execution of its own, whose end nobody is told. */
static void destroy(struct tg_worker *w, struct tg_wactor *a)
{
    if (w->ndestroys >= DESTROYS_MAX) {
        if (!a->in_line)
            DL_APPEND(w->line, a);
        a->in_line = true;
        return;
    }
    leave_line(w, a);
    w->ndestroys++;
    uint64_t handle;
    struct tg_exec *e = tg_slab_new(&w->execs, &handle);
    e->self = handle;
    e->owner = a->owner;
    e->fn = a->fn;
    e->step = TG_STEP_DESTROY;
    e->actor = a;
    e->orphan = true;
    e->in_turn = true;
    tg_exec_set_state(e, TG_EXEC_QUEUED);
    DL_APPEND(a->groups->queue, e);
    a->destroys = false;
}

static void start(struct tg_worker *w, struct tg_wactor *a, struct tg_wgroup *g)
{
    struct tg_exec *e = g->queue;
    DL_DELETE(g->queue, e);
    DL_APPEND(a->started, e);
    g->nstarted++;
    a->nstarted++;
    tg_exec_set_state(e, TG_EXEC_RUNNING);
    e->started_ns = w->ctx->now_ns;
    tg_ctx_act(w->ctx, TG_ACT_START)->handle = e->self;
}

static void end(struct tg_worker *w, struct tg_wactor *a)
{
    struct tg_wlease *l = a->lease;
    set_state(a, TG_WACTOR_DEAD);
    leave_line(w, a);
    a->lease = NULL;
    if (l != NULL) {
        l->kept = false;
        if (l->state == TG_WLEASE_OPEN)
            tg_wlease_close(w, l->id);
        else
            tg_wlease_settle(w, l);
    }
    if (a->forgotten)
        forget(w, a);
}

static void start_all(struct tg_worker *w, struct tg_wactor *a)
{
    for (uint32_t i = 0; i < a->ngroups; i++) {
        struct tg_wgroup *g = &a->groups[i];
        while (g->queue != NULL && g->nstarted < g->limit)
            start(w, a, g);
    }
}

static __attribute__((noinline)) void settle_leaving(struct tg_worker *w,
                                                     struct tg_wactor *a)
{
    if (a->nstarted == 0 && a->destroys)
        destroy(w, a);
    start_all(w, a);
    if (a->nstarted == 0 && !a->destroys)
        end(w, a);
}

void tg_wactor_settle(struct tg_worker *w, struct tg_wactor *a)
{
    if (a->state == TG_WACTOR_LEAVING)
        settle_leaving(w, a);
    else
        start_all(w, a);
}

/* A call that was taken in and has not started ends. */
static void fail_call(struct tg_worker *w, const struct tg_wactor *a,
                      struct tg_exec *e)
{
    struct tg_outcome out = {0};
    out.code = ended(w, a, e->number, &out.error);
    tg_exec_send_done(w, e, &out);
    tg_exec_free(w, e);
}

static void fail_calls(struct tg_worker *w, struct tg_wactor *a)
{
    struct tg_exec *e;
    for (uint32_t i = 0; i < a->ngroups; i++) {
        while ((e = a->groups[i].queue) != NULL) {
            DL_DELETE(a->groups[i].queue, e);
            fail_call(w, a, e);
        }
    }
    struct tg_wcaller *c, *next;
    HASH_ITER (hh, a->callers, c, next) {
        while ((e = c->waiting) != NULL) {
            DL_DELETE(c->waiting, e);
            fail_call(w, a, e);
        }
    }
}

/* What runs is asked to stop; after a kill nobody waits for it either. */
static void stop_calls(struct tg_worker *w, struct tg_wactor *a, bool answer)
{
    struct tg_exec *e;
    DL_FOREACH (a->started, e) {
        if (answer && !e->orphan) {
            struct tg_outcome out = {0};
            out.code = ended(w, a, e->number, &out.error);
            tg_exec_send_done(w, e, &out);
            e->orphan = true;
        }
        tg_exec_stop(w, e, true);
    }
}

static void leave(struct tg_worker *w, struct tg_wactor *a, enum tg_leave why)
{
    bool hard = why == TG_LEAVE_KILLED || why == TG_LEAVE_RESTART ||
                why == TG_LEAVE_LOST;
    if (a->state == TG_WACTOR_ALIVE) {
        set_state(a, TG_WACTOR_LEAVING);
        a->why = why;
        a->destroys = !hard;
        fail_calls(w, a);
    }
    if (a->state == TG_WACTOR_LEAVING && (hard || why == TG_LEAVE_OVER)) {
        a->destroys = a->destroys && !hard;
        stop_calls(w, a, hard);
    }
    if (why != TG_LEAVE_KILLED && why != TG_LEAVE_EXITED)
        a->forgotten = true;
    if (a->state == TG_WACTOR_DEAD && a->forgotten)
        forget(w, a);
    else if (a->state == TG_WACTOR_LEAVING)
        tg_wactor_settle(w, a);
}

static void exit_by_itself(struct tg_worker *w, struct tg_wactor *a)
{
    struct tg_msg m = {.type = TG_MSG_LEFT};
    m.u.leave.actor = a->self;
    m.u.leave.obj = a->obj;
    m.u.leave.why = TG_LEAVE_EXITED;
    tg_ctx_send(w->ctx, a->owner, &m);
    leave(w, a, TG_LEAVE_EXITED);
}

/* ----- birth --------------------------------------------------------------------------- */

static void make_groups(const struct tg_worker *w, struct tg_wactor *a,
                        uint32_t concurrency)
{
    const struct tg_groups *more = w->groups != NULL ? w->groups[a->fn] : NULL;
    a->ngroups = more != NULL ? more->n : 1;
    a->groups =
        a->ngroups > 1 ? tg_alloc(a->ngroups * sizeof *a->groups) : &a->one;
    a->groups[0].limit = concurrency;
    for (uint32_t i = 1; i < a->ngroups; i++)
        a->groups[i].limit = more->limit[i];
}

struct tg_val *tg_wactor_new(struct tg_worker *w, struct tg_exec *e,
                             void *state)
{
    uint64_t handle;
    struct tg_wactor *a = tg_slab_new(&w->actors, &handle);
    a->self = handle;
    a->state_of_user = state;
    a->owner = e->owner;
    a->obj = e->seq;
    a->fn = e->fn;
    a->restarts = e->attempt;
    make_groups(w, a, e->creates / 2);
    set_state(a, TG_WACTOR_ALIVE);
    if (e->creates % 2 != 0) {
        a->lease = e->lease;
        a->lease->kept = true;
    }
    struct tg_val *v = tg_val_new(sizeof handle, 0, 0);
    TG_ASSERT(v != NULL);
    memcpy(tg_val_data(v), &handle, sizeof handle);
    return v;
}

/* ----- calls ----------------------------------------------------------------------------- */

static void insert(struct tg_wcaller *c, struct tg_exec *e)
{
    struct tg_exec *at;
    DL_FOREACH (c->waiting, at) { /* mostly there is none */
        if (at->seq > e->seq)
            break;
    }
    if (at == NULL)
        DL_APPEND(c->waiting, e);
    else
        DL_PREPEND_ELEM(c->waiting, at, e);
}

int32_t tg_wactor_takes(struct tg_worker *w, int32_t from,
                        const struct tg_msg_run *m, struct tg_wcaller **caller,
                        struct tg_val **error)
{
    struct tg_wactor *a = tg_slab_find(&w->actors, m->lease);
    if (a == NULL || a->state != TG_WACTOR_ALIVE)
        return ended(w, a, m->number, error);
    struct tg_wcaller *c = caller_of(a, from, m->group, m->seq);
    *caller = c;
    bool waited_for = m->seq >= c->next && !skips(c, m->seq);
    return waited_for ? 0 : TRYGON_ERR_CANCELLED;
}

void tg_wactor_enqueue(struct tg_wcaller *c, struct tg_exec *e)
{
    e->caller = c;
    e->actor = c->actor;
    insert(c, e);
}

void tg_wactor_ready(struct tg_worker *w, struct tg_exec *e)
{
    struct tg_wactor *a = e->actor;
    advance(a, e->caller);
    tg_wactor_settle(w, a);
}

void tg_wactor_unqueue(struct tg_exec *e)
{
    struct tg_wactor *a = e->actor;
    if (e->in_turn) {
        DL_DELETE(group_of(a, e->group)->queue, e);
        return;
    }
    struct tg_wcaller *c = e->caller;
    DL_DELETE(c->waiting, e);
    *tg_vec_add(&c->skipped) = e->seq;
    advance(a, c);
}

void tg_wactor_done(struct tg_worker *w, struct tg_exec *e)
{
    struct tg_wactor *a = e->actor;
    DL_DELETE(a->started, e);
    group_of(a, e->group)->nstarted--;
    a->nstarted--;
    if (e->step == TG_STEP_DESTROY) {
        w->ndestroys--;
        if (w->line != NULL)
            tg_wactor_settle(w, w->line);
    }
    if (e->exits && a->state == TG_WACTOR_ALIVE)
        exit_by_itself(w, a);
}

/* ----- cancel ------------------------------------------------------------------------------ */

/* What is not known here has been done, or is still to come. */
struct tg_exec *tg_wactor_cancel(struct tg_worker *w, int32_t from,
                                 const struct tg_msg_cancel *m)
{
    struct tg_wactor *a = tg_slab_find(&w->actors, m->lease);
    if (a == NULL)
        return NULL;
    struct tg_exec *e =
        tg_exec_in(group_of(a, m->group)->queue, from, m->task, m->attempt);
    if (e == NULL)
        e = tg_exec_in(a->started, from, m->task, m->attempt);
    if (e != NULL || a->state != TG_WACTOR_ALIVE)
        return e;
    struct tg_wcaller *c = caller_of(a, from, m->group, m->seq);
    e = tg_exec_in(c->waiting, from, m->task, m->attempt);
    if (e == NULL && m->seq >= c->next && !skips(c, m->seq)) {
        *tg_vec_add(&c->skipped) = m->seq;
        advance(a, c);
        tg_wactor_settle(w, a);
    }
    return e;
}

/* ----- messages and loss ---------------------------------------------------------------------- */

void tg_wactor_leave(struct tg_worker *w, int32_t from,
                     const struct tg_msg_leave *m)
{
    struct tg_wactor *a = tg_slab_find(&w->actors, m->actor);
    if (a != NULL && a->owner == from)
        leave(w, a, m->why);
}

void tg_wactors_gone(struct tg_worker *w, int32_t rank)
{
    uint32_t slot = 0;
    struct tg_wactor *a;
    while ((a = tg_slab_next(&w->actors, &slot)) != NULL) {
        for (uint32_t i = 0; i < a->ngroups; i++) {
            struct tg_wcaller *c = find_caller(a, rank, (uint8_t)i);
            if (c != NULL)
                forget_caller(a, c);
        }
        if (a->owner == rank)
            leave(w, a, TG_LEAVE_LOST);
    }
}

void tg_wactors_fini(struct tg_worker *w)
{
    uint32_t slot = 0;
    struct tg_wactor *a;
    while ((a = tg_slab_next(&w->actors, &slot)) != NULL) {
        struct tg_wcaller *c, *next;
        HASH_ITER (hh, a->callers, c, next) {
            HASH_DEL(a->callers, c);
            tg_vec_free(&c->skipped);
            free(c);
        }
        free_groups(a);
    }
    tg_slab_fini(&w->actors);
}

/* ----- looking ---------------------------------------------------------------------------------- */

static uint32_t check_caller(const struct tg_wactor *a,
                             const struct tg_wcaller *c)
{
    uint32_t n = 0;
    uint64_t last = 0;
    const struct tg_exec *e;
    DL_FOREACH (c->waiting, e) {
        TG_ASSERT(e->actor == a && e->caller == c && c->actor == a &&
                  TG_WHO(e->owner, e->group) == c->who && !e->in_turn);
        TG_ASSERT(e->seq >= c->next && (n == 0 || e->seq > last));
        TG_ASSERT(!skips(c, e->seq));
        TG_ASSERT(e->state == TG_EXEC_FETCHING || e->seq > c->next);
        last = e->seq;
        n++;
    }
    TG_ASSERT(!skips(c, c->next));
    return n;
}

uint32_t tg_wactors_check(const struct tg_worker *w)
{
    uint32_t slot = 0, all = 0;
    const struct tg_wactor *a;
    while ((a = tg_slab_next(&w->actors, &slot)) != NULL) {
        uint32_t waiting = 0, queued = 0, started = 0, running = 0;
        const struct tg_wcaller *c;
        const struct tg_exec *e;
        for (c = a->callers; c != NULL; c = c->hh.next)
            waiting += check_caller(a, c);
        for (uint32_t i = 0; i < a->ngroups; i++) {
            const struct tg_wgroup *g = &a->groups[i];
            TG_ASSERT(g->nstarted <= g->limit);
            TG_ASSERT(g->queue == NULL || g->nstarted == g->limit);
            running += g->nstarted;
            DL_FOREACH (g->queue, e) {
                TG_ASSERT(e->actor == a && e->state == TG_EXEC_QUEUED &&
                          e->group == i);
                queued++;
            }
        }
        DL_FOREACH (a->started, e) {
            TG_ASSERT(e->actor == a && (e->state == TG_EXEC_RUNNING ||
                                        e->state == TG_EXEC_BLOCKED));
            started++;
        }
        TG_ASSERT(started == a->nstarted && started == running);
        TG_ASSERT(a->state == TG_WACTOR_ALIVE || queued + waiting == 0);
        TG_ASSERT((a->state == TG_WACTOR_LEAVING) ==
                  (a->state != TG_WACTOR_ALIVE && (started > 0 || a->in_line)));
        TG_ASSERT(!a->in_line || (a->destroys && started == 0 &&
                                  w->ndestroys == DESTROYS_MAX));
        TG_ASSERT(a->state != TG_WACTOR_DEAD || !a->forgotten);
        TG_ASSERT(a->lease == NULL || a->lease->kept);
        all += waiting + queued + started;
    }
    return all;
}
