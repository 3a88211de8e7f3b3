/* loop.c - calls of async actors: fibers on one thread (rank.h).
 *
 * An actor has a loop as long as calls of it are under way, and the loop has a
 * thread of the pool.  What is to start or to go on stands in its queue; the
 * thread takes all of it at once, and runs each until it waits or ends.  A call
 * that waits parks: it leaves the thread to the others, and whatever it waits
 * for puts it into the queue again.  When nothing is in the queue the thread
 * waits in their stead, with the urgency of a call that waits: it polls itself,
 * so that an answer costs no switch of threads.
 *
 * Once no call is alive the thread serves like any other of the pool, and the
 * loop, with its stacks, is kept for the next actor that needs one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/map.h"
#include "rank/run_impl.h"

enum {
    IDLE_STACKS = 256, /* of a loop */
    IDLE_LOOPS = 8
};

struct tg_loop {
    struct trygon *tg;
    uint64_t actor; /* its handle */
    struct tg_fibers *fibers;
    struct tg_sleeper s;
    struct trygon_call *ready;  /* to start or to go on, in order */
    struct trygon_call *parked; /* they wait */
    struct trygon_call *spare;
    bool due;             /* something is ready */
    uint64_t since_ns;    /* nothing has run since then; 0: not known */
    struct tg_loop *next; /* among those kept */
};

/* ----- loops ---------------------------------------------------------------------- */

static struct tg_loop *take_loop(struct trygon *tg)
{
    struct tg_loop *l = tg->loops;
    if (l != NULL) {
        LL_DELETE(tg->loops, l);
        tg->nloops--;
        return l;
    }
    l = tg_alloc(sizeof *l);
    l->tg = tg;
    l->s.level = TG_AWAITS;
    int rc = tg_fibers_create(IDLE_STACKS, 0, &l->fibers);
    TG_ASSERT(rc == TRYGON_SUCCESS);
    return l;
}

void tg_loop_free(struct tg_loop *l)
{
    if (l == NULL)
        return;
    struct trygon_call *c, *next;
    LL_FOREACH_SAFE (l->spare, c, next)
        free(c);
    tg_fibers_destroy(&l->fibers);
    free(l);
}

static void keep_loop(struct tg_loop *l)
{
    struct trygon *tg = l->tg;
    struct tg_wactor *a = tg_slab_find(&tg->core->worker.actors, l->actor);
    if (a != NULL)
        a->loop = NULL;
    LL_PREPEND(tg->loops, l);
    tg->nloops++;
}

struct tg_loop *tg_loop_extra(struct trygon *tg)
{
    struct tg_loop *l = tg->nloops > IDLE_LOOPS ? tg->loops : NULL;
    if (l != NULL) {
        LL_DELETE(tg->loops, l);
        tg->nloops--;
    }
    return l;
}

void tg_loops_free(struct trygon *tg)
{
    struct tg_loop *l, *next;
    LL_FOREACH_SAFE (tg->loops, l, next)
        tg_loop_free(l);
}

/* ----- the queue ------------------------------------------------------------------- */

static void enqueue(struct tg_loop *l, struct trygon_call *c)
{
    DL_APPEND(l->ready, c);
    if (l->due)
        return;
    l->due = true;
    tg_wake(l->tg, &l->s);
}

static struct trygon_call *take_call(struct tg_loop *l)
{
    struct trygon_call *c = l->spare;
    if (c == NULL)
        c = tg_alloc(sizeof *c);
    else
        LL_DELETE(l->spare, c);
    c->tg = l->tg;
    c->loop = l;
    c->fiber = NULL;
    return c;
}

static void put_call(struct tg_loop *l, struct trygon_call *c)
{
    LL_PREPEND(l->spare, c);
}

void tg_loop_add(struct trygon *tg, struct tg_exec *e)
{
    struct tg_loop *l = e->actor->loop;
    if (l != NULL) {
        struct trygon_call *more = take_call(l);
        tg_call_set(more, e);
        enqueue(l, more);
        return;
    }
    l = take_loop(tg);
    e->actor->loop = l;
    l->actor = e->actor->self;
    struct trygon_call *first = take_call(l);
    tg_call_set(first, e);
    enqueue(l, first);
    if (tg_run_on_thread(tg, e, l))
        return;
    DL_DELETE(l->ready, first);
    l->due = false;
    tg_call_unset(first);
    put_call(l, first);
    keep_loop(l);
    *tg_vec_add(&tg->unstarted) = e->self;
}

void tg_loop_wake(struct trygon_call *c)
{
    if (!c->parked)
        return; /* it is about to wait, and will see that it need not */
    c->parked = false;
    DL_DELETE(c->loop->parked, c);
    enqueue(c->loop, c);
}

/* ----- what a fiber calls ------------------------------------------------------------ */

/* To the loop's thread and back, without the lock.  Whoever puts the call into
 * the queue meanwhile is not faster: only that thread takes it out. */
static void let_others(struct trygon_call *c)
{
    struct trygon *tg = c->tg;
    tg_leave(tg);
    tg_fiber_park();
    tg_enter(tg);
}

void tg_loop_park(struct trygon_call *c)
{
    DL_APPEND(c->loop->parked, c);
    c->parked = true;
    let_others(c);
}

void tg_loop_yield(struct trygon_call *c)
{
    enqueue(c->loop, c);
    let_others(c);
}

/* The last errors are on the fiber's stack: switching them is switching a
 * pointer. */
static void fiber_main(void *arg)
{
    struct trygon_call *c = arg;
    struct tg_errors errors;
    errors.n = 0;
    c->errors = &errors;
    (void)tg_last_error_use(&errors);
    int code = tg_call_user(c);
    tg_call_outcome(c, code, &c->outcome);
}

/* ----- the thread ---------------------------------------------------------------------- */

/* It never runs, for this reason. */
static void end_unstarted(struct trygon_call *c, int code, const char *why)
{
    tg_last_error_clear();
    c->fail_code = code;
    snprintf(c->fail_text, sizeof c->fail_text, "%s", why);
    tg_call_outcome(c, code, &c->outcome);
}

/* Without the lock.  True: the call has ended. */
static bool go_on(struct tg_loop *l, struct trygon_call *c)
{
    bool ended;
    int rc = TRYGON_SUCCESS;
    tg_set_current(c);
    if (c->fiber != NULL) {
        (void)tg_last_error_use(c->errors);
        ended = tg_fiber_resume(c->fiber);
    } else {
        rc = tg_fiber_start(l->fibers, fiber_main, c, &c->fiber);
        ended = rc != TRYGON_SUCCESS || c->fiber == NULL;
    }
    tg_set_current(NULL);
    (void)tg_last_error_use(NULL);
    if (rc != TRYGON_SUCCESS)
        end_unstarted(c, rc, "no stack to run it on");
    return ended;
}

/* With the lock held: the call has ended.  How long it took is known if it
 * never waited. */
static void report(struct tg_loop *l, struct trygon_call *c)
{
    struct trygon *tg = l->tg;
    uint32_t fn = c->exec->fn;
    struct tg_event ev = {
        .type = TG_EV_DONE, .handle = c->exec->self, .outcome = &c->outcome};
    tg_call_give(c, &c->outcome);
    tg_step(tg, &ev);
    if (c->fiber == NULL && l->since_ns != 0)
        tg_fn_learn(tg, fn, ev.now_ns - l->since_ns);
    l->since_ns = ev.now_ns;
    put_call(l, c);
}

/* If the next call is a short one, what the last had to tell may wait. */
static void leave_for(struct tg_loop *l, const struct trygon_call *next)
{
    struct trygon *tg = l->tg;
    if (next->fiber == NULL && tg_fn_short(tg, next->exec->fn) &&
        tg_may_hold(tg))
        tg_leave_for_now(tg);
    else
        tg_leave(tg);
}

/* With the lock held, which is given up meanwhile; but not after the end of the
 * last call that was alive, as the runtime may end then. */
static void run_ready(struct tg_loop *l, const struct trygon_call *thread)
{
    struct trygon_call *c, *all = l->ready;
    l->ready = NULL;
    l->due = false;
    while ((c = all) != NULL) {
        bool ended = true, stopped = c->fiber == NULL && c->exec->cancelled;
        DL_DELETE(all, c);
        c->cpus = thread->cpus;
        c->ncpus = thread->ncpus;
        leave_for(l, c);
        if (stopped)
            end_unstarted(c, TRYGON_ERR_CANCELLED, "it was cancelled");
        else
            ended = go_on(l, c);
        tg_enter(l->tg);
        if (ended)
            report(l, c);
        else
            l->since_ns = 0;
    }
    if (l->ready != NULL || l->parked != NULL)
        tg_look_in(l->tg, TG_SERVES);
}

/* With the lock held, which is given up meanwhile.  False: nothing is alive.
 * If the runtime has failed, so have all waits. */
static bool await_ready(struct tg_loop *l)
{
    struct trygon *tg = l->tg;
    while (l->ready == NULL && l->parked != NULL) {
        l->since_ns = 0;
        tg->running--;
        tg_wait_until(tg, &l->s, &l->due, TG_NEVER);
        tg->running++;
        while (tg->failed != 0 && l->parked != NULL)
            tg_loop_wake(l->parked);
    }
    return l->ready != NULL;
}

void tg_loop_run(struct tg_loop *l, const struct trygon_call *thread)
{
    tg_enter(l->tg);
    l->since_ns = 0;
    while (await_ready(l)) {
        run_ready(l, thread);
        if (l->since_ns != 0)
            l->since_ns = tg_last_ns(l->tg); /* it may have looked */
    }
    keep_loop(l);
}
