/* actor.c - section 9 of the header: actors. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"

/* ----- options --------------------------------------------------------------- */

static const trygon_actor_opts_t actor_opts = {
    .size = sizeof actor_opts, .num_cpus = -1, .max_pending_calls = -1};
static const trygon_call_opts_t call_opts = {.size = sizeof call_opts,
                                             .num_returns = 1,
                                             .max_task_retries =
                                                 TRYGON_AS_ACTOR,
                                             .backpressure = -1};

int trygon_actor_opts_init_sized(trygon_actor_opts_t *opts, size_t size)
{
    return tg_opts_init(__func__, opts, size, &actor_opts, sizeof actor_opts);
}

int trygon_call_opts_init_sized(trygon_call_opts_t *opts, size_t size)
{
    return tg_opts_init(__func__, opts, size, &call_opts, sizeof call_opts);
}

static int bad(const struct trygon *tg, int code, const char *what)
{
    return tg_refuse(tg, code, "trygon_actor_create", what);
}

static int check_opts(const struct trygon *tg, const trygon_actor_opts_t *o)
{
    if (o->max_restarts < -1)
        return bad(tg, TRYGON_ERR_INVALID, "option max_restarts is below -1");
    if (o->max_task_retries < -1)
        return bad(tg, TRYGON_ERR_INVALID,
                   "option max_task_retries is below -1");
    if (o->max_concurrency < 0 || o->max_concurrency > TG_CONCURRENCY_MAX)
        return bad(tg, TRYGON_ERR_INVALID,
                   "option max_concurrency is not 0 to 32767");
    if (o->max_pending_calls < 1 && o->max_pending_calls != -1)
        return bad(tg, TRYGON_ERR_INVALID,
                   "option max_pending_calls is neither -1 nor above 0");
    if (o->num_cpus < 0 && o->num_cpus + 1 != 0)
        return bad(tg, TRYGON_ERR_INVALID, "option num_cpus is negative");
    if (o->order < TRYGON_ORDER_DEFAULT || o->order > TRYGON_ORDER_ANY)
        return bad(tg, TRYGON_ERR_INVALID,
                   "option order is none of enum trygon_order");
    return tg_check_agreed(tg, o);
}

/* How many calls run at once, and whether their order matters (Ray's rules). */
static int check_order(const struct trygon *tg, const trygon_actor_opts_t *o,
                       bool async, struct tg_create *out)
{
    enum { ASYNC_CONCURRENCY = 1000 };
    out->concurrency = (uint32_t)o->max_concurrency;
    if (out->concurrency == 0)
        out->concurrency = async ? ASYNC_CONCURRENCY : 1;
    bool many = async || out->concurrency > 1;
    out->any_order = many || o->order == TRYGON_ORDER_ANY;
    if (many && o->order == TRYGON_ORDER_CALLS)
        return bad(tg, TRYGON_ERR_INVALID,
                   async ? "option order: calls of an async class have none"
                         : "option order: with max_concurrency above 1 calls "
                           "have none");
    return TRYGON_SUCCESS;
}

/* Ray: nothing given, one CPU to place it and none for life. */
static bool keeps(const trygon_actor_opts_t *o)
{
    return o->num_cpus >= 0 || o->num_gpus > 0 || o->memory > 0 ||
           o->nresources > 0;
}

static trygon_task_opts_t placed(const trygon_actor_opts_t *o)
{
    return (trygon_task_opts_t){.size = sizeof(trygon_task_opts_t),
                                .num_cpus = o->num_cpus < 0 ? 1 : o->num_cpus,
                                .num_gpus = o->num_gpus,
                                .memory = o->memory,
                                .resources = o->resources,
                                .nresources = o->nresources,
                                .strategy = o->strategy,
                                .node = o->node,
                                .soft = o->soft,
                                .fail_unschedulable = o->fail_unschedulable};
}

/* ----- creation ------------------------------------------------------------------ */

int trygon_actor_create(trygon_t *tg, const char *cls, size_t nargs,
                        const trygon_value_t args[],
                        const trygon_actor_opts_t *opts, trygon_ref_t *actor)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, cls != NULL, "the class's name is NULL");
    TG_NEED(tg, nargs == 0 || args != NULL, "args is NULL");
    TG_NEED(tg, nargs <= UINT32_MAX / 64, "too many arguments");
    TG_NEED(tg, actor != NULL, "the output is NULL");
    TG_NEED(tg, opts == NULL || opts->size >= sizeof(size_t),
            "opts was not set up by trygon_actor_opts_init()");
    trygon_actor_opts_t room;
    const trygon_actor_opts_t *o =
        tg_opts_whole(opts, &actor_opts, &room, sizeof room);
    int32_t fn = tg_find_fn(tg, cls);
    if (fn < 0 || tg->fns[fn].construct == NULL)
        return tg_fail(tg, TRYGON_ERR_NOTFOUND,
                       "trygon_actor_create: no class '%s' is registered", cls);
    struct tg_shape shape;
    trygon_task_opts_t where = placed(o);
    int rc = check_opts(tg, o);
    if (rc == TRYGON_SUCCESS)
        rc = tg_shape_of(tg, "trygon_actor_create", &where, cls, &shape);
    struct tg_create create = {.max_pending = o->max_pending_calls,
                               .keeps = keeps(o),
                               .max_task_retries = o->max_task_retries};
    if (rc == TRYGON_SUCCESS)
        rc = check_order(tg, o, tg->fns[fn].async, &create);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_spec s = {.fn = (uint32_t)fn,
                        .nreturns = 1,
                        .shape = &shape,
                        .max_retries = o->max_restarts,
                        .create = &create};
    if (o->name != NULL || o->detached)
        return tg_create_agreed(tg, o, nargs, args, &s, &create, actor);
    return tg_submit_spec(tg, "trygon_actor_create", nargs, args, &s, actor);
}

/* ----- calls ------------------------------------------------------------------------ */

static bool is_method(const struct tg_fn *f, const char *cls,
                      const char *method)
{
    return f->method != NULL && memcmp(f->name, cls, f->dot) == 0 &&
           cls[f->dot] == '\0' && strcmp(f->name + f->dot + 1, method) == 0;
}

/* "Class.method", as the registry has it; -1: there is none.  Mostly it is the
 * one that was called last. */
static int32_t find_method(struct trygon *tg, trygon_ref_t actor,
                           const char *method)
{
    char name[TG_NAME_MAX];
    uint32_t cls = tg_ref_index(actor);
    if (cls >= tg->nfns || tg->fns[cls].construct == NULL)
        return -1;
    uint32_t last =
        atomic_load_explicit(&tg->last_method, memory_order_relaxed);
    if (is_method(&tg->fns[last], tg->fns[cls].name, method))
        return (int32_t)last;
    size_t n = strlen(tg->fns[cls].name), m = strlen(method);
    if (n + 1 + m >= sizeof name)
        return -1;
    memcpy(name, tg->fns[cls].name, n);
    name[n] = '.';
    memcpy(name + n + 1, method, m + 1);
    int32_t fn = tg_find_fn(tg, name);
    if (fn < 0 || tg->fns[fn].method == NULL)
        return -1;
    atomic_store_explicit(&tg->last_method, (unsigned)fn, memory_order_relaxed);
    return fn;
}

static int check_retries(const struct trygon *tg, const char *who,
                         const trygon_call_opts_t *o)
{
    static_assert(TG_AS_ACTOR == TRYGON_AS_ACTOR, "a call's own");
    if (o->max_task_retries < -1 && o->max_task_retries != TRYGON_AS_ACTOR)
        return tg_refuse(tg, TRYGON_ERR_INVALID, who,
                         "option max_task_retries is below -1 and not "
                         "TRYGON_AS_ACTOR");
    return tg_check_codes(tg, who, o->retry_codes, o->nretry_codes);
}

/* What the options say, checked.  Kept apart: most calls have none. */
static __attribute__((noinline)) int
take_opts(const struct trygon *tg, const char *who,
          const trygon_call_opts_t *opts, bool yields, trygon_ref_t returns[],
          struct tg_spec *s)
{
    trygon_call_opts_t room;
    const trygon_call_opts_t *o =
        tg_opts_whole(opts, &call_opts, &room, sizeof room);
    if (o->group != NULL) {
        int group = tg_find_group(tg, tg_ref_index(s->actor), o->group);
        if (group < 0)
            return tg_fail(tg, TRYGON_ERR_NOTFOUND,
                           "%s: the actor's class has no group '%s'", who,
                           o->group);
        s->group = (uint8_t)group;
    }
    int rc = tg_check_returns(tg, who, o->num_returns, o->name, returns);
    if (rc == TRYGON_SUCCESS)
        rc = tg_check_yields(tg, who, yields, o->backpressure, o->num_returns,
                             &s->limit);
    if (rc == TRYGON_SUCCESS)
        rc = check_retries(tg, who, o);
    if (rc != TRYGON_SUCCESS)
        return rc;
    s->nreturns = yields ? 0 : (uint32_t)o->num_returns;
    s->max_retries = o->max_task_retries;
    s->name = tg_strdup(o->name);
    tg_copy_codes(s, o->retry_codes, o->nretry_codes);
    return TRYGON_SUCCESS;
}

static int call_method(trygon_t *tg, const char *who, trygon_ref_t actor,
                       const char *method, size_t nargs,
                       const trygon_value_t args[],
                       const trygon_call_opts_t *opts, bool yields,
                       trygon_ref_t returns[])
{
    const char *wrong = NULL;
    if (method == NULL)
        wrong = "the method's name is NULL";
    else if (nargs > 0 && args == NULL)
        wrong = "args is NULL";
    else if (nargs > UINT32_MAX / 64)
        wrong = "too many arguments";
    else if (opts != NULL && opts->size < sizeof(size_t))
        wrong = "opts was not set up by trygon_call_opts_init()";
    else if (!tg_ref_actor(actor))
        wrong = "the reference is no actor's handle";
    if (wrong != NULL)
        return tg_fail(tg, TRYGON_ERR_INVALID, "%s: %s", who, wrong);
    int32_t fn = find_method(tg, actor, method);
    if (fn < 0)
        return tg_fail(tg, TRYGON_ERR_NOTFOUND,
                       "%s: the actor's class has no method '%s'", who, method);
    struct tg_spec s = {.fn = (uint32_t)fn,
                        .group = tg->fns[fn].group,
                        .actor = actor,
                        .nreturns = !yields,
                        .limit = yields ? TG_ANY_AHEAD : 0,
                        .max_retries = call_opts.max_task_retries};
    int rc = opts != NULL ? take_opts(tg, who, opts, yields, returns, &s)
                          : tg_check_returns(tg, who, 1, NULL, returns);
    if (rc != TRYGON_SUCCESS)
        return rc;
    return tg_submit_spec(tg, who, nargs, args, &s, returns);
}

int trygon_actor_call(trygon_t *tg, trygon_ref_t actor, const char *method,
                      size_t nargs, const trygon_value_t args[],
                      const trygon_call_opts_t *opts, trygon_ref_t returns[])
{
    TG_NEED_TG(tg);
    return call_method(tg, __func__, actor, method, nargs, args, opts, false,
                       returns);
}

int trygon_actor_call_stream(trygon_t *tg, trygon_ref_t actor,
                             const char *method, size_t nargs,
                             const trygon_value_t args[],
                             const trygon_call_opts_t *opts,
                             trygon_ref_t *stream)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, stream != NULL, "the output is NULL");
    return call_method(tg, __func__, actor, method, nargs, args, opts, true,
                       stream);
}

/* ----- the end ------------------------------------------------------------------------ */

int trygon_actor_kill(trygon_t *tg, trygon_ref_t actor, bool no_restart)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, tg_ref_actor(actor), "the reference is no actor's handle");
    struct tg_event ev = {
        .type = TG_EV_KILL, .ref = actor, .recursive = no_restart};
    tg_enter(tg);
    int rc = tg_step(tg, &ev);
    tg_leave(tg);
    return tg_report(tg, "trygon_actor_kill", rc);
}

int trygon_call_actor_exit(trygon_call_t *call)
{
    TG_NEED(NULL, call != NULL, "the call is NULL");
    struct tg_event ev = {.type = TG_EV_EXIT, .handle = call->exec->self};
    tg_enter(call->tg);
    int rc = tg_step(call->tg, &ev);
    tg_leave(call->tg);
    if (rc != TRYGON_SUCCESS)
        return tg_fail(call->tg, rc,
                       "trygon_call_actor_exit: this is no actor's method");
    return TRYGON_SUCCESS;
}
