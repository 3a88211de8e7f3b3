/* task.c - section 5 of the header: submit and cancel. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/settings.h"

static const trygon_task_opts_t default_opts = {.size = sizeof default_opts,
                                                .num_cpus = 1,
                                                .num_returns = 1,
                                                .max_retries = 3,
                                                .backpressure = -1};
static const struct tg_shape default_shape = {
    .amount = {[TG_RES_CPU] = TG_UNIT}};

int trygon_task_opts_init_sized(trygon_task_opts_t *opts, size_t size)
{
    return tg_opts_init(__func__, opts, size, &default_opts,
                        sizeof default_opts);
}

int tg_refuse(const struct trygon *tg, int code, const char *who,
              const char *what)
{
    int rc = tg_fail(tg, code, "%s: %s", who, what);
    tg_log(&tg->log, TRYGON_LOG_WARN, "%s: %s", who, what);
    return rc;
}

static int invalid(const struct trygon *tg, const char *who, const char *what)
{
    return tg_refuse(tg, TRYGON_ERR_INVALID, who, what);
}

/* ----- what it needs ------------------------------------------------------------- */

static int add_resource(const struct trygon *tg, const char *who,
                        const trygon_resource_t *r, const char *task,
                        struct tg_shape *shape)
{
    int64_t units;
    if (r->name == NULL || r->name[0] == '\0')
        return invalid(tg, who, "option resources: a name is empty");
    for (int i = 0; i < TG_RES_CUSTOM; i++)
        if (strcmp(r->name, tg->layout.res_names[i]) == 0)
            return invalid(tg, who,
                           "option resources: cpu, gpu and memory have "
                           "options of their own");
    if (tg_amount_from_double(r->amount, &units) != TRYGON_SUCCESS)
        return invalid(tg, who,
                       "option resources: an amount is negative, absurd "
                       "or finer than 0.0001");
    int id = TG_RES_UNKNOWN;
    for (int i = TG_RES_CUSTOM; i < TG_RES_UNKNOWN; i++)
        if (tg->layout.res_ptrs[i] != NULL &&
            strcmp(tg->layout.res_ptrs[i], r->name) == 0)
            id = i;
    if (id == TG_RES_UNKNOWN && units > 0)
        tg_log(&tg->log, TRYGON_LOG_WARN, "task '%s': no rank offers any '%s'",
               task, r->name);
    shape->amount[id] += units;
    return TRYGON_SUCCESS;
}

/* Up to four leading bits, at least 1 MiB apart: so that tasks that need about
 * as much share a class and its leases. */
static int64_t round_memory(uint64_t bytes)
{
    uint64_t step = UINT64_C(1) << 20;
    while (bytes / step >= 16)
        step *= 2;
    return (int64_t)((bytes + step - 1) / step * step);
}

int tg_shape_of(const struct trygon *tg, const char *who,
                const trygon_task_opts_t *o, const char *task,
                struct tg_shape *shape)
{
    memset(shape, 0, sizeof *shape);
    if (tg_amount_from_double(o->num_cpus, &shape->amount[TG_RES_CPU]) != 0)
        return invalid(tg, who,
                       "option num_cpus is negative, absurd or finer than "
                       "0.0001");
    if (tg_amount_from_double(o->num_gpus, &shape->amount[TG_RES_GPU]) != 0)
        return invalid(tg, who,
                       "option num_gpus is negative, absurd or finer than "
                       "0.0001");
    if (shape->amount[TG_RES_GPU] > TG_UNIT &&
        shape->amount[TG_RES_GPU] % TG_UNIT != 0)
        return invalid(tg, who, "option num_gpus above 1 must be whole");
    if (o->memory > INT64_MAX / TG_UNIT)
        return invalid(tg, who, "option memory is absurd");
    shape->amount[TG_RES_MEMORY] = round_memory(o->memory);
    if (o->nresources > 0 && o->resources == NULL)
        return invalid(tg, who,
                       "option resources is NULL but nresources is not 0");
    for (size_t i = 0; i < o->nresources; i++) {
        int rc = add_resource(tg, who, &o->resources[i], task, shape);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    if (o->strategy < TRYGON_STRATEGY_DEFAULT ||
        o->strategy > TRYGON_STRATEGY_NODE)
        return invalid(tg, who,
                       "option strategy is none of enum trygon_strategy");
    shape->strategy = o->strategy;
    shape->node = o->strategy == TRYGON_STRATEGY_NODE ? o->node : 0;
    shape->soft = o->strategy == TRYGON_STRATEGY_NODE && o->soft;
    shape->fail = o->fail_unschedulable;
    return TRYGON_SUCCESS;
}

int tg_check_returns(const struct trygon *tg, const char *who,
                     int32_t num_returns, const char *name,
                     const trygon_ref_t returns[])
{
    if (num_returns < 0 || num_returns > TG_RETURNS_MAX)
        return invalid(tg, who, "option num_returns is not 0 to 65535");
    if (num_returns > 0 && returns == NULL)
        return invalid(tg, who, "returns is NULL but num_returns is not 0");
    if (name != NULL && strlen(name) >= TG_NAME_MAX)
        return invalid(tg, who, "option name is longer than 63 bytes");
    return TRYGON_SUCCESS;
}

int tg_check_yields(const struct trygon *tg, const char *who, bool yields,
                    int64_t backpressure, int32_t num_returns, uint64_t *limit)
{
    if (!yields && backpressure != -1)
        return invalid(tg, who, "option backpressure is for streams only");
    if (backpressure == 0 || backpressure < -1)
        return invalid(tg, who,
                       "option backpressure is neither -1 nor above 0");
    if (yields && num_returns != 0 && num_returns != default_opts.num_returns)
        return invalid(tg, who, "option num_returns is not for streams");
    *limit = !yields            ? 0
             : backpressure > 0 ? (uint64_t)backpressure
                                : TG_ANY_AHEAD;
    return TRYGON_SUCCESS;
}

int tg_check_codes(const struct trygon *tg, const char *who,
                   const int32_t *codes, size_t n)
{
    if (n > 0 && n != TRYGON_ANY_CODE && (codes == NULL || n > 4096))
        return invalid(tg, who, "option retry_codes is NULL or has over 4096");
    return TRYGON_SUCCESS;
}

static int check_opts(const struct trygon *tg, const char *who,
                      const trygon_task_opts_t *o, const trygon_ref_t returns[])
{
    if (o->max_retries < -1)
        return invalid(tg, who, "option max_retries is below -1");
    int rc = tg_check_codes(tg, who, o->retry_codes, o->nretry_codes);
    if (rc != TRYGON_SUCCESS)
        return rc;
    return tg_check_returns(tg, who, o->num_returns, o->name, returns);
}

/* ----- submit -------------------------------------------------------------------------- */

/* Most submits name the function of the one before. */
int32_t tg_find_fn(struct trygon *tg, const char *name)
{
    uint32_t last = atomic_load_explicit(&tg->last_fn, memory_order_relaxed);
    if (last < tg->nfns && strcmp(tg->fns[last].name, name) == 0)
        return (int32_t)last;
    int32_t lo = 0, hi = (int32_t)tg->nfns - 1;
    while (lo <= hi) {
        int32_t mid = (lo + hi) / 2;
        int d = strcmp(tg->fns[mid].name, name);
        if (d < 0) {
            lo = mid + 1;
        } else if (d > 0) {
            hi = mid - 1;
        } else {
            atomic_store_explicit(&tg->last_fn, (unsigned)mid,
                                  memory_order_relaxed);
            return mid;
        }
    }
    return -1;
}

enum { ARGS_HERE = 8 }; /* so many need no allocation */

static int no_room(const struct trygon *tg, const char *who,
                   const trygon_value_t *arg)
{
    return tg_fail(tg, TRYGON_ERR_NOMEM, "%s: no room for %zu bytes", who,
                   arg->size);
}

/* Values are copied, but small ones later; references are only named. */
static int copy_args(struct trygon *tg, const char *who, size_t nargs,
                     const trygon_value_t args[], struct tg_spec *s)
{
    for (size_t i = 0; i < nargs; i++) {
        s->nargs = (uint32_t)i + 1;
        s->args[i] = (struct tg_item){0};
        if (args[i].type == TRYGON_BY_REF) {
            if (args[i].refs == NULL || args[i].nrefs != 1)
                return invalid(tg, who,
                               "an argument by reference has not exactly "
                               "one reference");
            if (tg_ref_actor(args[i].refs[0]))
                return invalid(tg, who,
                               "an actor has no value: pass its "
                               "handle in the refs of a value");
            if (tg_no_stream(tg, who, 1, args[i].refs) != 0)
                return TRYGON_ERR_INVALID;
            s->args[i].ref = args[i].refs[0];
            continue;
        }
        int rc = tg_check_value(tg, who, &args[i]);
        if (rc != TRYGON_SUCCESS)
            return rc;
        if (tg_vals_fits(&args[i]))
            continue;
        rc = tg_make(tg, who, NULL, &args[i], &s->args[i].val);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    return TRYGON_SUCCESS;
}

/* With the lock held, under which they are made and dropped. */
static int copy_small_args(struct trygon *tg, const char *who,
                           const trygon_value_t args[], struct tg_spec *s)
{
    for (uint32_t i = 0; i < s->nargs; i++) {
        if (args[i].type == TRYGON_BY_REF || s->args[i].val != NULL)
            continue;
        s->args[i].val = tg_vals_copy(&tg->vals, &args[i]);
        if (s->args[i].val == NULL)
            return no_room(tg, who, &args[i]);
    }
    return TRYGON_SUCCESS;
}

void tg_copy_codes(struct tg_spec *s, const int32_t *codes, size_t n)
{
    s->ncodes = (uint32_t)n; /* ANY becomes UINT32_MAX */
    if (s->ncodes == 0 || s->ncodes == UINT32_MAX)
        return;
    s->codes = tg_grow(NULL, s->ncodes, sizeof *s->codes);
    memcpy(s->codes, codes, s->ncodes * sizeof *s->codes);
}

/* What the options say, checked; the shape goes to *shape.  Kept apart: most
 * submits have none. */
static __attribute__((noinline)) int
take_opts(const struct trygon *tg, const char *who,
          const trygon_task_opts_t *opts, const char *task, bool yields,
          trygon_ref_t returns[], struct tg_shape *shape, struct tg_spec *s)
{
    trygon_task_opts_t room;
    const trygon_task_opts_t *o =
        tg_opts_whole(opts, &default_opts, &room, sizeof room);
    int rc = check_opts(tg, who, o, returns);
    if (rc == TRYGON_SUCCESS)
        rc = tg_check_yields(tg, who, yields, o->backpressure, o->num_returns,
                             &s->limit);
    if (rc == TRYGON_SUCCESS)
        rc = tg_shape_of(tg, who, o, task, shape);
    if (rc != TRYGON_SUCCESS)
        return rc;
    s->shape = shape;
    s->nreturns = yields ? 0 : (uint32_t)o->num_returns;
    s->max_retries = o->max_retries;
    s->name = tg_strdup(o->name);
    tg_copy_codes(s, o->retry_codes, o->nretry_codes);
    return TRYGON_SUCCESS;
}

/* With the lock held: they were not handed over. */
static void drop_args(struct trygon *tg, struct tg_spec *s)
{
    for (uint32_t i = 0; i < s->nargs; i++)
        tg_unmake(tg, &s->args[i].val);
}

static int hand_over(struct trygon *tg, const char *who,
                     const trygon_value_t args[], struct tg_spec *s,
                     trygon_ref_t returns[])
{
    const struct trygon_call *call = tg_current(tg);
    s->parent = call != NULL ? call->exec->self : 0;
    struct tg_event ev = {.type = TG_EV_SUBMIT, .spec = s, .refs_out = returns};
    tg_rouse(tg);
    tg_enter(tg);
    int rc = copy_small_args(tg, who, args, s);
    if (rc == TRYGON_SUCCESS)
        rc = tg_report(tg, who,
                       s->create != NULL && s->create->detached
                           ? tg_create_detached(tg, s, returns)
                           : tg_step(tg, &ev));
    if (rc != TRYGON_SUCCESS)
        drop_args(tg, s);
    tg_glance(tg);
    tg_leave(tg);
    return rc;
}

int tg_submit_spec(struct trygon *tg, const char *who, size_t nargs,
                   const trygon_value_t args[], struct tg_spec *s,
                   trygon_ref_t returns[])
{
    struct tg_item here[ARGS_HERE];
    s->args = here;
    if (nargs > ARGS_HERE)
        s->args = tg_alloc(nargs * sizeof *s->args);
    int rc = copy_args(tg, who, nargs, args, s);
    if (rc == TRYGON_SUCCESS) {
        rc = hand_over(tg, who, args, s, returns);
    } else {
        tg_enter(tg);
        drop_args(tg, s);
        tg_leave(tg);
    }
    if (s->args != here)
        free(s->args);
    s->args = NULL;
    if (rc != TRYGON_SUCCESS) {
        free(s->codes);
        free(s->name);
    }
    return rc;
}

static int submit(trygon_t *tg, const char *who, const char *task, size_t nargs,
                  const trygon_value_t args[], const trygon_task_opts_t *opts,
                  bool yields, trygon_ref_t returns[])
{
    const char *wrong = NULL;
    if (task == NULL)
        wrong = "the task's name is NULL";
    else if (nargs > 0 && args == NULL)
        wrong = "args is NULL";
    else if (nargs > UINT32_MAX / 64)
        wrong = "too many arguments";
    else if (opts != NULL && opts->size < sizeof(size_t))
        wrong = "opts was not set up by trygon_task_opts_init()";
    if (wrong != NULL)
        return tg_fail(tg, TRYGON_ERR_INVALID, "%s: %s", who, wrong);
    int32_t fn = tg_find_fn(tg, task);
    if (fn < 0 || tg->fns[fn].fn == NULL)
        return tg_fail(tg, TRYGON_ERR_NOTFOUND,
                       "%s: no task '%s' is registered", who, task);
    struct tg_shape shape;
    struct tg_spec s = {.fn = (uint32_t)fn,
                        .shape = &default_shape,
                        .nreturns = !yields,
                        .limit = yields ? TG_ANY_AHEAD : 0,
                        .max_retries = default_opts.max_retries};
    int rc = opts != NULL
                 ? take_opts(tg, who, opts, task, yields, returns, &shape, &s)
                 : tg_check_returns(tg, who, 1, NULL, returns);
    if (rc != TRYGON_SUCCESS)
        return rc;
    return tg_submit_spec(tg, who, nargs, args, &s, returns);
}

int trygon_submit(trygon_t *tg, const char *task, size_t nargs,
                  const trygon_value_t args[], const trygon_task_opts_t *opts,
                  trygon_ref_t returns[])
{
    TG_NEED_TG(tg);
    return submit(tg, __func__, task, nargs, args, opts, false, returns);
}

int trygon_submit_stream(trygon_t *tg, const char *task, size_t nargs,
                         const trygon_value_t args[],
                         const trygon_task_opts_t *opts, trygon_ref_t *stream)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, stream != NULL, "the output is NULL");
    return submit(tg, __func__, task, nargs, args, opts, true, stream);
}

int trygon_cancel(trygon_t *tg, trygon_ref_t ref, bool force, bool recursive)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, !tg_ref_actor(ref),
            "an actor is no task: end it with trygon_actor_kill()");
    if (force)
        return tg_fail(tg, TRYGON_ERR_UNSUPPORTED,
                       "trygon_cancel: force needs tasks in processes of "
                       "their own, which are not there");
    struct tg_event ev = {
        .type = TG_EV_CANCEL, .ref = ref, .recursive = recursive};
    tg_enter(tg);
    int rc = tg_step(tg, &ev);
    tg_leave(tg);
    return tg_report(tg, "trygon_cancel", rc);
}
