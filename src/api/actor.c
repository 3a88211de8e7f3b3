/* actor.c - section 9 of the header: actors. */
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

/* What is not there yet is refused, not ignored. */
static int check_opts(const struct trygon *tg, const trygon_actor_opts_t *o)
{
    if (o->max_restarts < -1 || o->max_task_retries < -1)
        return bad(tg, TRYGON_ERR_INVALID,
                   "option max_restarts or max_task_retries is below -1");
    if (o->max_restarts != 0 || o->max_task_retries != 0)
        return bad(tg, TRYGON_ERR_UNSUPPORTED,
                   "actors do not restart in this version: max_restarts and "
                   "max_task_retries must be 0");
    if (o->max_concurrency < 0 || o->max_concurrency > TG_CONCURRENCY_MAX)
        return bad(tg, TRYGON_ERR_INVALID,
                   "option max_concurrency is not 0 to 32767");
    if (o->max_pending_calls < 1 && o->max_pending_calls != -1)
        return bad(tg, TRYGON_ERR_INVALID,
                   "option max_pending_calls is neither -1 nor above 0");
    if (o->num_cpus < 0 && o->num_cpus + 1 != 0)
        return bad(tg, TRYGON_ERR_INVALID, "option num_cpus is negative");
    return tg_check_agreed(tg, o);
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
    if (rc != TRYGON_SUCCESS)
        return rc;
    uint32_t concurrency = (uint32_t)o->max_concurrency;
    struct tg_create create = {.concurrency = concurrency > 0 ? concurrency : 1,
                               .max_pending = o->max_pending_calls,
                               .keeps = keeps(o)};
    struct tg_spec s = {
        .fn = (uint32_t)fn, .nreturns = 1, .shape = &shape, .create = &create};
    if (o->name != NULL || o->detached)
        return tg_create_agreed(tg, o, nargs, args, &s, &create, actor);
    return tg_submit_spec(tg, "trygon_actor_create", nargs, args, &s, actor);
}

/* ----- calls ------------------------------------------------------------------------ */

/* "Class.method", as the registry has it; -1: there is none. */
static int32_t find_method(struct trygon *tg, trygon_ref_t actor,
                           const char *method)
{
    char name[TG_NAME_MAX];
    uint32_t cls = tg_ref_index(actor);
    if (cls >= tg->nfns || tg->fns[cls].construct == NULL)
        return -1;
    size_t n = strlen(tg->fns[cls].name), m = strlen(method);
    if (n + 1 + m >= sizeof name)
        return -1;
    memcpy(name, tg->fns[cls].name, n);
    name[n] = '.';
    memcpy(name + n + 1, method, m + 1);
    int32_t fn = tg_find_fn(tg, name);
    return fn >= 0 && tg->fns[fn].method != NULL ? fn : -1;
}

int trygon_actor_call(trygon_t *tg, trygon_ref_t actor, const char *method,
                      size_t nargs, const trygon_value_t args[],
                      const trygon_call_opts_t *opts, trygon_ref_t returns[])
{
    static const char who[] = "trygon_actor_call";
    TG_NEED_TG(tg);
    TG_NEED(tg, method != NULL, "the method's name is NULL");
    TG_NEED(tg, nargs == 0 || args != NULL, "args is NULL");
    TG_NEED(tg, nargs <= UINT32_MAX / 64, "too many arguments");
    TG_NEED(tg, opts == NULL || opts->size >= sizeof(size_t),
            "opts was not set up by trygon_call_opts_init()");
    TG_NEED(tg, tg_ref_actor(actor), "the reference is no actor's handle");
    trygon_call_opts_t room;
    const trygon_call_opts_t *o =
        tg_opts_whole(opts, &call_opts, &room, sizeof room);
    int32_t fn = find_method(tg, actor, method);
    if (fn < 0)
        return tg_fail(tg, TRYGON_ERR_NOTFOUND,
                       "%s: the actor's class has no method '%s'", who, method);
    int rc = tg_check_returns(tg, who, o->num_returns, o->name, returns);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_spec s = {.fn = (uint32_t)fn,
                        .nreturns = (uint32_t)o->num_returns,
                        .actor = actor,
                        .name = tg_strdup(o->name)};
    return tg_submit_spec(tg, who, nargs, args, &s, returns);
}

/* ----- the end ------------------------------------------------------------------------ */

int trygon_actor_kill(trygon_t *tg, trygon_ref_t actor, bool no_restart)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, tg_ref_actor(actor), "the reference is no actor's handle");
    if (!no_restart)
        return tg_fail(tg, TRYGON_ERR_UNSUPPORTED,
                       "trygon_actor_kill: actors do not restart in this "
                       "version");
    struct tg_event ev = {.type = TG_EV_KILL, .ref = actor};
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
