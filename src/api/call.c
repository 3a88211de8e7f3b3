/* call.c - section 6 of the header: inside a task. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"

#define TG_NEED_CALL(call_)                                                  \
    do {                                                                     \
        if ((call_) == NULL)                                                 \
            return tg_fail(NULL, TRYGON_ERR_INVALID, "%s: the call is NULL", \
                           __func__);                                        \
    } while (0)

trygon_t *trygon_call_runtime(const trygon_call_t *call)
{
    return call != NULL ? call->tg : NULL;
}

size_t trygon_call_nargs(const trygon_call_t *call)
{
    return call != NULL ? call->exec->args.n : 0;
}

/* It came as an object, which the call holds, but which can be freed by hand. */
static int view_object(struct trygon *tg, trygon_ref_t ref,
                       trygon_value_t *value)
{
    int rc = TRYGON_SUCCESS;
    tg_enter(tg);
    const struct tg_obj *x = tg_objs_find(&tg->core->objs, ref);
    if (x->state == TG_OBJ_READY)
        tg_view(x->val, value);
    else
        rc = tg_fail_with(tg, x->val);
    tg_leave(tg);
    return rc;
}

int trygon_call_arg(trygon_call_t *call, size_t i, trygon_value_t *value)
{
    TG_NEED_CALL(call);
    TG_NEED(call->tg, value != NULL, "the output is NULL");
    if (i >= call->exec->args.n)
        return tg_fail(call->tg, TRYGON_ERR_INVALID,
                       "trygon_call_arg: argument %zu of %u", i,
                       call->exec->args.n);
    const struct tg_item *a = &tg_items_at(&call->exec->args)[i];
    const struct tg_lent *lent = call->lents != NULL ? call->lents[i] : NULL;
    const struct tg_val *val = lent != NULL ? lent->val : a->val;
    if (val == NULL)
        return view_object(call->tg, a->ref, value);
    tg_view(val, value);
    if (lent != NULL)
        value->data = lent->data;
    return TRYGON_SUCCESS;
}

void tg_call_replace_return(struct trygon_call *call, size_t i,
                            struct tg_val *val)
{
    struct tg_item *set = &tg_items_at(&call->returns)[i];
    if (set->val != NULL && set->val->nrefs > 0) {
        struct tg_event unkeep = {.type = TG_EV_UNKEEP, .val = set->val};
        tg_step(call->tg, &unkeep);
    }
    tg_unmake(call->tg, &set->val);
    set->val = val;
}

static int set_return(struct trygon_call *call, const char *who, size_t i,
                      struct tg_val *val)
{
    struct trygon *tg = call->tg;
    struct tg_item *set = &tg_items_at(&call->returns)[i];
    if (val->nrefs == 0 && set->val == NULL) {
        set->val = val;
        return TRYGON_SUCCESS;
    }
    struct tg_event keep = {.type = TG_EV_KEEP, .val = val};
    tg_enter(tg);
    int rc = val->nrefs > 0 ? tg_step(tg, &keep) : TRYGON_SUCCESS;
    if (rc == TRYGON_SUCCESS)
        tg_call_replace_return(call, i, val);
    else
        tg_unmake(tg, &val);
    tg_leave(tg);
    return tg_report(tg, who, rc);
}

/* Not small, or not the first. */
static __attribute__((noinline)) int
make_return(struct trygon_call *call, size_t i, const trygon_value_t *value)
{
    static const char who[] = "trygon_call_return";
    struct tg_val *val;
    int rc = tg_make(call->tg, who, call->exec, value, &val);
    return rc == TRYGON_SUCCESS ? set_return(call, who, i, val) : rc;
}

int trygon_call_return(trygon_call_t *call, size_t i,
                       const trygon_value_t *value)
{
    TG_NEED_CALL(call);
    struct trygon *tg = call->tg;
    if (i >= call->exec->nreturns)
        return tg_fail(tg, TRYGON_ERR_INVALID,
                       "trygon_call_return: return %zu of %u", i,
                       call->exec->nreturns);
    int rc = tg_check_value(tg, "trygon_call_return", value);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_item *set = &tg_items_at(&call->returns)[i];
    if (set->val != NULL || call->room == NULL ||
        !tg_vals_fill(call->room, value))
        return make_return(call, i, value);
    set->val = call->room;
    call->room = NULL;
    return TRYGON_SUCCESS;
}

/* With the lock held: the item goes, and its yield waits for its reader. */
static int yield_item(struct trygon *tg, struct tg_exec *e, struct tg_val *val)
{
    struct tg_event ev = {.type = TG_EV_YIELD, .val = val, .tag = e->self};
    int rc = tg_step(tg, &ev);
    if (rc != TRYGON_SUCCESS) {
        tg_unmake(tg, &val);
        return rc;
    }
    struct tg_wait_req req = {.kind = TG_WAIT_YIELD};
    if (tg_exec_ahead(e))
        return tg_block(tg, &req, TRYGON_FOREVER, NULL);
    tg_glance(tg);
    return TRYGON_SUCCESS;
}

/* The next return of a task that promised so many. */
static int yield_return(trygon_call_t *call, const trygon_value_t *value)
{
    uint32_t i = call->yielded, n = call->exec->nreturns;
    if (i >= n)
        return tg_fail(call->tg, TRYGON_ERR_RETURNS,
                       "trygon_call_yield: yield %u of a task with %u return%s",
                       i + 1, n, n == 1 ? "" : "s");
    int rc = trygon_call_return(call, i, value);
    call->yielded += rc == TRYGON_SUCCESS;
    return rc;
}

int trygon_call_yield(trygon_call_t *call, const trygon_value_t *value)
{
    TG_NEED_CALL(call);
    struct trygon *tg = call->tg;
    struct tg_exec *e = call->exec;
    if (e->limit == 0)
        return yield_return(call, value);
    TG_NEED(tg, tg_current(tg) == call,
            "only the thread that runs the task may yield");
    int rc = tg_check_value(tg, __func__, value);
    if (rc != TRYGON_SUCCESS)
        return rc;
    bool small = tg_vals_fits(value);
    struct tg_val *val = NULL;
    rc = small ? TRYGON_SUCCESS : tg_make(tg, __func__, e, value, &val);
    if (rc != TRYGON_SUCCESS)
        return rc;
    tg_enter(tg);
    if (small)
        val = tg_vals_copy(&tg->vals, value);
    rc = val != NULL ? yield_item(tg, e, val) : TRYGON_ERR_NOMEM;
    tg_leave(tg);
    if (rc == TRYGON_ERR_RETURNS)
        return tg_fail(tg, rc,
                       "trygon_call_yield: item %d of a stream, which "
                       "has %d at most",
                       TG_ITEMS_MAX + 1, TG_ITEMS_MAX);
    if (rc == TRYGON_ERR_CANCELLED)
        return tg_fail(tg, rc, "trygon_call_yield: the task was asked to stop");
    return tg_report(tg, __func__, rc);
}

bool trygon_call_cancelled(const trygon_call_t *call)
{
    if (call == NULL)
        return false;
    tg_enter(call->tg);
    bool cancelled = call->exec->cancelled;
    tg_leave(call->tg);
    return cancelled;
}

int trygon_call_fail(trygon_call_t *call, int code, const char *fmt, ...)
{
    if (call == NULL || fmt == NULL)
        return code;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(call->fail_text, sizeof call->fail_text, fmt, ap);
    va_end(ap);
    call->fail_code = code;
    return code;
}

int trygon_call_info(const trygon_call_t *call, trygon_call_info_t *info)
{
    TG_NEED_CALL(call);
    TG_NEED(call->tg, info != NULL && info->size >= 16,
            "info is NULL or its size not set");
    const struct trygon *tg = call->tg;
    const struct tg_exec *e = call->exec;
    static const struct tg_shape nothing;
    const struct tg_shape *s =
        call->lease != NULL ? &call->lease->shape : &nothing;
    trygon_call_info_t full = {
        .size = info->size,
        .task = e->number,
        .attempt = e->attempt,
        .depth = e->depth,
        .rank = tg->rank,
        .node = tg->layout.node[tg->rank],
        .owner = e->owner,
        .num_cpus = (double)s->amount[TG_RES_CPU] / TG_UNIT,
        .num_gpus = (double)s->amount[TG_RES_GPU] / TG_UNIT,
        .memory = (uint64_t)s->amount[TG_RES_MEMORY],
        .function = tg->fns[e->fn].name,
        .name = e->name != NULL ? e->name : tg->fns[e->fn].name,
        .cpus = call->ncpus > 0 ? call->cpus : NULL,
        .ncpus = call->ncpus,
        .restarts = e->actor != NULL ? e->actor->restarts
                    : e->creates > 0 ? e->attempt
                                     : 0,
    };
    memcpy(info, &full, info->size < sizeof full ? info->size : sizeof full);
    return TRYGON_SUCCESS;
}
