/* run.c - one execution of user code: from START to the DONE event.  Calls of
 * async actors go to their loops (loop.c). */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "rank/run_impl.h"

static _Thread_local struct trygon_call *current;

struct trygon_call *tg_current(const struct trygon *tg)
{
    return current != NULL && current->tg == tg ? current : NULL;
}

bool tg_in_call(void)
{
    return current != NULL;
}

void tg_set_current(struct trygon_call *c)
{
    current = c;
}

void tg_run_callback(struct trygon *tg, const struct tg_callback *cb)
{
    struct trygon_call *call = current;
    struct tg_errors errors;
    errors.n = 0;
    struct tg_errors *before = tg_last_error_use(&errors);
    current = NULL;
    cb->fn(tg, cb->ref, cb->arg);
    current = call;
    (void)tg_last_error_use(before);
}

/* ----- how it ended ------------------------------------------------------------- */

static const char *exec_name(const struct trygon *tg, const struct tg_exec *e)
{
    return e->name != NULL ? e->name : tg->fns[e->fn].name;
}

static const char *name_of(const struct trygon_call *c)
{
    return exec_name(c->tg, c->exec);
}

static uint32_t returns_set(const struct trygon_call *c)
{
    uint32_t n = 0;
    const struct tg_item *returns = tg_items_at(&c->returns);
    for (uint32_t i = 0; i < c->returns.n; i++)
        n += returns[i].val != NULL;
    return n;
}

/* The errors that this thread has seen last stand behind one that the task
 * passes on. */
static struct tg_val *with_cause(struct tg_val *error, int code)
{
    uint32_t n = 0;
    while (tg_last_error(n) != NULL)
        n++;
    if (n == 0 || tg_last_error(0)->code != code)
        return error;
    struct tg_val *cause = tg_val_new(n * sizeof(struct trygon_error), 0, 0);
    if (cause == NULL)
        return error;
    cause->error = true;
    memcpy(tg_val_data(cause), tg_last_error(0), cause->size);
    error = tg_val_caused(error, cause);
    tg_val_drop(&cause);
    return error;
}

static struct tg_val *error_of(const struct trygon_call *c, int code)
{
    const struct tg_exec *e = c->exec;
    int32_t rank = c->tg->rank;
    bool said = c->fail_text[0] != '\0' && c->fail_code == code;
    if (code > 0) {
        struct tg_val *v =
            said ? tg_val_error(TRYGON_ERR_TASK, rank, e->number, name_of(c),
                                "%s", c->fail_text)
                 : tg_val_error(TRYGON_ERR_TASK, rank, e->number, name_of(c),
                                "the task returned %d", code);
        struct trygon_error *err =
            (struct trygon_error *)(void *)tg_val_data(v);
        err->user_code = code;
        return v;
    }
    return with_cause(tg_val_error(code, rank, e->number, name_of(c), "%s",
                                   said ? c->fail_text : tg_error_text(code)),
                      code);
}

/* A negative code that is none of ours is a mistake of the task. */
static int checked_code(int code)
{
    bool known = code >= 0 || strcmp(tg_error_text(code), "unknown code") != 0;
    return known ? code : TRYGON_ERR_INVALID;
}

static void give_up_returns(struct trygon_call *c)
{
    struct tg_item *returns = tg_items_at(&c->returns);
    for (uint32_t i = 0; i < c->returns.n; i++) {
        struct tg_event ev = {.type = TG_EV_UNKEEP, .val = returns[i].val};
        if (ev.val == NULL)
            continue;
        tg_step(c->tg, &ev);
        tg_unmake(c->tg, &returns[i].val);
    }
    tg_items_fini(&c->returns);
}

void tg_call_give(struct trygon_call *c, struct tg_outcome *out)
{
    if (c->lents != NULL)
        tg_call_lent_end(c);
    if (out->code == 0)
        out->returns = c->returns;
    else
        give_up_returns(c);
    c->returns.n = 0;
    tg_val_drop(&c->room);
}

static __attribute__((noinline)) void
outcome_of_failed(const struct trygon_call *c, int code, struct tg_outcome *out)
{
    out->code = code != 0 ? checked_code(code) : TRYGON_ERR_RETURNS;
    out->error = code != 0 ? error_of(c, out->code)
                           : tg_val_error(TRYGON_ERR_RETURNS, c->tg->rank,
                                          c->exec->number, name_of(c),
                                          "the task set %u of its %u returns",
                                          returns_set(c), c->returns.n);
}

void tg_call_outcome(struct trygon_call *c, int code, struct tg_outcome *out)
{
    out->code = 0;
    out->returns.n = 0;
    out->error = NULL;
    out->state = c->self;
    if (code != 0 || returns_set(c) < c->returns.n)
        outcome_of_failed(c, code, out);
}

/* ----- one after another ----------------------------------------------------- */

static const uint64_t short_ns = 50000; /* nobody need poll meanwhile */
static const uint64_t hold_ns = 20000;  /* news of short ones waits so long */

bool tg_may_hold(const struct trygon *tg)
{
    return tg->core->ctx.now_ns - tg->looked_ns < hold_ns;
}

bool tg_fn_short(const struct trygon *tg, uint32_t fn)
{
    return tg->mean_ns[fn] != 0 && tg->mean_ns[fn] < short_ns;
}

static bool is_long(const struct trygon *tg, uint32_t fn)
{
    return tg->mean_ns[fn] >= short_ns;
}

void tg_fn_learn(struct trygon *tg, uint32_t fn, uint64_t ran_ns)
{
    uint64_t *mean = &tg->mean_ns[fn];
    *mean = *mean == 0 ? ran_ns + 1 : (7 * *mean + ran_ns) / 8 + 1;
}

/* With the lock held: the execution is over, and most likely this thread is
 * given the next one of its lease at once. */
static void report(struct tg_server *sv, struct tg_outcome *out)
{
    struct trygon *tg = sv->call->tg;
    const struct tg_exec *e = sv->call->exec;
    uint32_t fn = e->fn;
    uint64_t started = e->started_ns;
    bool leased = e->lease != NULL;
    struct tg_event ev = {
        .type = TG_EV_DONE, .handle = e->self, .outcome = out};
    sv->given = false;
    tg->running--;
    tg->ending = sv;
    tg_step(tg, &ev);
    tg->ending = NULL;
    if (leased || !sv->woken) /* else a slow start would tell for ever */
        tg_fn_learn(tg, fn, ev.now_ns - started);
    sv->woken = false;
}

/* It is given an execution that is over soon. */
static bool given_short(const struct tg_server *sv)
{
    const struct trygon_call *c = sv->call;
    return sv->given && c->loop == NULL && tg_fn_short(c->tg, c->exec->fn);
}

/* Another short one is at hand: the news of the last may wait for its own. */
static bool goes_on(const struct tg_server *sv)
{
    return given_short(sv) && tg_may_hold(sv->call->tg);
}

/* How long it does not poll.  A loop looks as often as it can. */
static enum tg_absence absence(const struct tg_server *sv)
{
    if (given_short(sv))
        return TG_FOR_A_MOMENT;
    return sv->given && sv->call->loop == NULL ? TG_FOR_LONG : TG_FOR_A_WHILE;
}

/* With the lock held: the next execution for this thread, if there is one
 * soon. */
static bool next(struct tg_server *sv)
{
    struct trygon *tg = sv->call->tg;
    if (tg_may_poll(tg))
        tg_flush(tg);
    if (sv->given && (tg->poller == NULL || given_short(sv)))
        tg_look_in(tg, TG_SERVES); /* else it would be for a moment only */
    if (!sv->given && (tg->server == NULL || tg->served == sv->call->served))
        tg_serve_until_given(tg, sv);
    tg_pass_role(tg, absence(sv));
    return sv->given;
}

static bool end_call(struct tg_server *sv, int code)
{
    struct trygon_call *c = sv->call;
    struct tg_outcome out;
    tg_call_outcome(c, code, &out);
    tg_enter(c->tg);
    tg_call_give(c, &out);
    report(sv, &out);
    if (goes_on(sv)) {
        tg_leave_for_now(c->tg);
        return true;
    }
    bool more = next(sv);
    tg_leave(c->tg);
    return more;
}

/* What the registries of the ranks agreed on is names: the same one may be a
 * class here and a task where the call comes from. */
int tg_call_user(struct trygon_call *c)
{
    const struct tg_fn *f = &c->tg->fns[c->exec->fn];
    int rc = c->lends ? tg_call_lend(c) : TRYGON_SUCCESS;
    if (rc != TRYGON_SUCCESS)
        return rc;
    switch ((enum tg_step)c->exec->step) {
    case TG_STEP_TASK: return f->fn != NULL ? f->fn(c) : TRYGON_ERR_MISMATCH;
    case TG_STEP_CONSTRUCT:
        return f->construct != NULL ? f->construct(c, &c->self)
                                    : TRYGON_ERR_MISMATCH;
    case TG_STEP_METHOD:
        return f->method != NULL ? f->method(c, c->self) : TRYGON_ERR_MISMATCH;
    case TG_STEP_DESTROY:
        if (f->destroy != NULL)
            f->destroy(c->tg, c->self);
        return 0;
    default: TG_UNREACHABLE();
    }
}

static bool run_call(struct tg_server *sv)
{
    current = sv->call;
    tg_last_error_clear();
    int code = tg_call_user(sv->call);
    current = NULL;
    return end_call(sv, code);
}

static bool run_loop(struct tg_server *sv)
{
    struct trygon_call *c = sv->call;
    struct tg_loop *l = c->loop;
    c->loop = NULL;
    sv->given = false;
    sv->woken = false;
    tg_loop_run(l, c);
    c->tg->running--;
    bool more = next(sv);
    l = tg_loop_extra(c->tg);
    tg_leave(c->tg);
    tg_loop_free(l);
    return more;
}

static void run(void *arg)
{
    struct trygon_call *c = arg;
    struct tg_server sv = {.s = {.level = TG_SERVES}, .call = c, .woken = true};
    while (c->loop != NULL ? run_loop(&sv) : run_call(&sv))
        continue;
    free(c->cpus);
    free(c);
}

/* ----- the start -------------------------------------------------------------------- */

/* Whose cores it runs on: NULL: any. */
static const struct tg_wlease *lease_of(const struct tg_exec *e)
{
    return e->actor != NULL ? e->actor->lease : e->lease;
}

/* Are there arguments that are to be pinned before it runs, or that have been
 * freed or lost since they were there? */
static bool needs_lending(const struct trygon *tg, const struct tg_exec *e)
{
    const struct tg_item *args = tg_items_at(&e->args);
    for (uint32_t i = 0; i < e->args.n; i++) {
        if (args[i].val != NULL)
            continue;
        const struct tg_obj *x = tg_objs_find(&tg->core->objs, args[i].ref);
        if (x->state != TG_OBJ_READY || x->val == NULL || x->val->stored)
            return true;
    }
    return false;
}

/* Most results are a few numbers.  Copied there, they need no malloc(): user
 * code, which is without the lock, could not have room that values share. */
enum { RESULT_ROOM = TG_CACHE_LINE - sizeof(struct tg_val) };

void tg_call_set(struct trygon_call *c, struct tg_exec *e)
{
    c->exec = e;
    c->lends = needs_lending(c->tg, e);
    c->lease = lease_of(e);
    c->self = e->actor != NULL ? e->actor->state_of_user : NULL;
    c->fail_text[0] = '\0';
    c->yielded = 0;
    tg_items_init(&c->returns, e->nreturns);
    c->room = e->nreturns == 1 ? tg_vals_new(&c->tg->vals, RESULT_ROOM) : NULL;
    if (!tg_log_wants(&c->tg->log, TRYGON_LOG_DEBUG))
        return;
    tg_log(&c->tg->log, TRYGON_LOG_DEBUG,
           "task %llu (%s), attempt %d, for rank %d",
           (unsigned long long)e->number, name_of(c), (int)e->attempt,
           (int)e->owner);
}

void tg_call_unset(struct trygon_call *c)
{
    tg_items_fini(&c->returns);
    tg_val_drop(&c->room);
}

/* Is the thread where the execution is to run?  A method of an actor
 * without cores may run anywhere, unless it is known to keep a core busy. */
static bool in_place(const struct tg_server *sv, const struct tg_exec *e)
{
    const struct trygon_call *c = sv->call;
    const struct tg_wlease *l = lease_of(e);
    uint32_t n = l != NULL ? l->ncpus : 0;
    if (!c->tg->layout.bound || (l == NULL && !is_long(c->tg, e->fn)))
        return true;
    bool same = c->ncpus == n;
    for (uint32_t i = 0; same && i < n; i++)
        same = c->cpus[i] == c->tg->layout.pus[l->ids[i]];
    return same;
}

/* To a thread that is ready for it; false: there is none. */
static bool run_on_server(struct trygon *tg, struct tg_exec *e,
                          struct tg_loop *l)
{
    struct tg_server *sv = tg->ending;
    if (sv == NULL || sv->given || !in_place(sv, e))
        sv = tg->server;
    if (sv == NULL || !in_place(sv, e))
        return false;
    sv->call->loop = l;
    if (l == NULL)
        tg_call_set(sv->call, e);
    sv->given = true;
    if (sv == tg->server) {
        tg->server = NULL;
        tg->served++;
        tg_wake(tg, &sv->s);
    }
    return true;
}

/* To one that the pool has, or makes. */
static __attribute__((noinline)) bool
run_on_another(struct trygon *tg, struct tg_exec *e, struct tg_loop *l)
{
    struct trygon_call *c = tg_alloc(sizeof *c);
    c->tg = tg;
    c->served = tg->served;
    const struct tg_wlease *on = lease_of(e);
    uint32_t n = tg->layout.bound && on != NULL ? on->ncpus : 0;
    c->cpus = tg_alloc((n + 1) * sizeof *c->cpus);
    for (uint32_t i = 0; i < n; i++)
        c->cpus[c->ncpus++] = tg->layout.pus[on->ids[i]];
    c->loop = l;
    if (l == NULL)
        tg_call_set(c, e);
    if (tg_pool_run(tg->pool, run, c, c->cpus, c->ncpus) == TRYGON_SUCCESS)
        return true;
    tg->running--;
    tg_call_unset(c);
    free(c->cpus);
    free(c);
    return false;
}

bool tg_run_on_thread(struct trygon *tg, struct tg_exec *e, struct tg_loop *l)
{
    tg->running++;
    return run_on_server(tg, e, l) || run_on_another(tg, e, l);
}

void tg_run_exec(struct trygon *tg, uint64_t handle)
{
    struct tg_exec *e = tg_slab_get(&tg->core->worker.execs, handle);
    if (e->step == TG_STEP_METHOD && tg->fns[e->fn].async)
        tg_loop_add(tg, e);
    else if (!tg_run_on_thread(tg, e, NULL))
        *tg_vec_add(&tg->unstarted) = handle;
}

void tg_run_failed(struct trygon *tg, uint64_t handle)
{
    const struct tg_exec *e = tg_slab_get(&tg->core->worker.execs, handle);
    struct tg_outcome out = {.code = TRYGON_ERR_NOMEM,
                             .error = tg_val_error(TRYGON_ERR_NOMEM, tg->rank,
                                                   e->number, exec_name(tg, e),
                                                   "no thread to run it on")};
    struct tg_event ev = {
        .type = TG_EV_DONE, .handle = handle, .outcome = &out};
    tg_step(tg, &ev);
}
