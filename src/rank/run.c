/* run.c - one execution of user code: from START to the DONE event. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "rank/rank.h"

static _Thread_local struct trygon_call *current;

struct trygon_call *tg_current(const struct trygon *tg)
{
    return current != NULL && current->tg == tg ? current : NULL;
}

bool tg_in_call(void)
{
    return current != NULL;
}

void tg_run_callback(struct trygon *tg, const struct tg_callback *cb)
{
    struct trygon_call *call = current;
    struct tg_errors errors;
    tg_last_error_save(&errors);
    current = NULL;
    cb->fn(tg, cb->ref, cb->arg);
    current = call;
    tg_last_error_restore(&errors);
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
    for (uint32_t i = 0; i < c->exec->nreturns; i++)
        n += c->returns[i].val != NULL;
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
    memcpy(cause->data, tg_last_error(0), cause->size);
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
        struct trygon_error *err = (struct trygon_error *)(void *)v->data;
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

static void end_call(struct trygon_call *c, int code)
{
    struct trygon *tg = c->tg;
    uint32_t nreturns = c->exec->nreturns, set = returns_set(c);
    struct tg_outcome out = {.code = checked_code(code)};
    if (code == 0 && set < nreturns) {
        out.code = TRYGON_ERR_RETURNS;
        out.error = tg_val_error(
            TRYGON_ERR_RETURNS, tg->rank, c->exec->number, name_of(c),
            "the task set %u of its %u returns", set, nreturns);
    } else if (code != 0) {
        out.error = error_of(c, out.code);
    }
    tg_enter(tg);
    if (out.code == 0) {
        out.returns = c->returns;
    } else {
        for (uint32_t i = 0; i < nreturns; i++) {
            struct tg_event ev = {.type = TG_EV_UNKEEP,
                                  .val = c->returns[i].val};
            if (ev.val != NULL)
                tg_step(tg, &ev);
        }
        tg_items_free(&c->returns, nreturns);
    }
    struct tg_event ev = {
        .type = TG_EV_DONE, .handle = c->exec->self, .outcome = &out};
    tg_step(tg, &ev);
    tg_leave(tg);
    free(c->cpus);
    free(c);
}

static void run(void *arg)
{
    struct trygon_call *c = arg;
    current = c;
    tg_last_error_clear();
    int code = c->tg->fns[c->exec->fn].fn(c);
    current = NULL;
    end_call(c, code);
}

/* ----- the start -------------------------------------------------------------------- */

void tg_run_exec(struct trygon *tg, uint64_t handle)
{
    struct tg_exec *e = tg_worker_exec(&tg->core->worker, handle);
    struct trygon_call *c = tg_alloc(sizeof *c);
    c->tg = tg;
    c->exec = e;
    c->lease = e->lease;
    c->returns =
        e->nreturns > 0 ? tg_alloc(e->nreturns * sizeof *c->returns) : NULL;
    uint32_t n = tg->layout.bound ? e->lease->ncpus : 0;
    c->cpus = tg_alloc((n + 1) * sizeof *c->cpus);
    for (uint32_t i = 0; i < n; i++)
        c->cpus[c->ncpus++] = tg->layout.pus[e->lease->ids[i]];
    tg_log(&tg->log, TRYGON_LOG_DEBUG,
           "task %llu (%s), attempt %d, for rank %d",
           (unsigned long long)e->number, name_of(c), (int)e->attempt,
           (int)e->owner);
    if (tg_pool_run(tg->pool, run, c, c->cpus, c->ncpus) == TRYGON_SUCCESS)
        return;
    tg_items_free(&c->returns, e->nreturns);
    free(c->cpus);
    free(c);
    *tg_vec_add(&tg->unstarted) = handle;
}

void tg_run_failed(struct trygon *tg, uint64_t handle)
{
    const struct tg_exec *e = tg_worker_exec(&tg->core->worker, handle);
    struct tg_outcome out = {.code = TRYGON_ERR_NOMEM,
                             .error = tg_val_error(TRYGON_ERR_NOMEM, tg->rank,
                                                   e->number, exec_name(tg, e),
                                                   "no thread to run it on")};
    struct tg_event ev = {
        .type = TG_EV_DONE, .handle = handle, .outcome = &out};
    tg_step(tg, &ev);
}
