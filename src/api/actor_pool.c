/* actor_pool.c - section 11 of the header: the actor pool.  Made of what the
 * rest of the interface has, and of nothing else; api.h is here for the texts
 * of errors.
 *
 * All calls whose results were not taken stand in one list, in order.  Those
 * that wait are its end, since calls are made in order; those that have ended
 * are in a list of their own besides.  A wait set says which call ends next,
 * and its actor then gets the first that waits.  What waits keeps its values as
 * objects, by which their bytes and references are held.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/api.h"
#include "core/map.h"

struct member { /* an actor of the pool, with a count of its handle */
    trygon_ref_t actor;
    struct member *prev, *next; /* of the idle or of the busy ones */
};

struct job { /* a call whose result was not taken */
    bool ended;
    int code;              /* why it could not be made; 0: it was */
    trygon_ref_t result;   /* unless it waits, or has a code */
    struct member *member; /* where it runs, or NULL */
    const char *method;    /* as are the arguments: while it waits */
    size_t nargs;
    struct kept {
        trygon_ref_t ref;
        bool by_value;
    } * args;
    struct job *prev, *next;         /* all */
    struct job *end_prev, *end_next; /* those that have ended */
};

struct name { /* of a method: few, used again and again */
    struct name *next;
    char text[];
};

struct trygon_actor_pool {
    trygon_t *tg;
    trygon_waitset_t *set;
    struct member *idle, *busy;
    struct job *jobs, *ended;
    struct job *waiting; /* the first of jobs that waits */
    size_t njobs;
    struct job *spare;
    struct name *names;
};

#define TG_NEED_POOL(pool_)                                                  \
    do {                                                                     \
        if ((pool_) == NULL)                                                 \
            return tg_fail(NULL, TRYGON_ERR_INVALID, "%s: the pool is NULL", \
                           __func__);                                        \
    } while (0)

static int no_memory(const trygon_actor_pool_t *p)
{
    return tg_fail(p->tg, TRYGON_ERR_NOMEM, "the actor pool: out of memory");
}

/* ----- its actors ------------------------------------------------------------ */

static bool has(const struct member *list, trygon_ref_t actor)
{
    for (; list != NULL; list = list->next)
        if (trygon_ref_equal(list->actor, actor))
            return true;
    return false;
}

static int add_member(trygon_actor_pool_t *p, const char *who, int twice,
                      trygon_ref_t actor)
{
    if (trygon_ref_kind(actor) != TRYGON_KIND_ACTOR)
        return tg_fail(p->tg, TRYGON_ERR_INVALID,
                       "%s: the reference is no actor's handle", who);
    if (has(p->idle, actor) || has(p->busy, actor))
        return tg_fail(p->tg, twice, "%s: the actor is in the pool", who);
    struct member *m = calloc(1, sizeof *m);
    if (m == NULL)
        return no_memory(p);
    int rc = trygon_ref_retain(p->tg, 1, &actor);
    if (rc != TRYGON_SUCCESS) {
        free(m);
        return rc;
    }
    m->actor = actor;
    DL_APPEND(p->idle, m);
    return TRYGON_SUCCESS;
}

static void free_members(trygon_actor_pool_t *p, struct member **list)
{
    struct member *m;
    while ((m = *list) != NULL) {
        DL_DELETE(*list, m);
        (void)trygon_ref_release(p->tg, 1, &m->actor);
        free(m);
    }
}

/* ----- what a call keeps while it waits ---------------------------------------- */

static const char *name_of(trygon_actor_pool_t *p, const char *method)
{
    for (const struct name *n = p->names; n != NULL; n = n->next)
        if (strcmp(n->text, method) == 0)
            return n->text;
    size_t size = strlen(method) + 1;
    struct name *n = malloc(sizeof *n + size);
    if (n == NULL)
        return NULL;
    memcpy(n->text, method, size);
    n->next = p->names;
    p->names = n;
    return n->text;
}

static void drop_args(trygon_actor_pool_t *p, struct job *j)
{
    for (size_t i = 0; i < j->nargs; i++)
        (void)trygon_ref_release(p->tg, 1, &j->args[i].ref);
    free(j->args);
    j->args = NULL;
    j->nargs = 0;
}

static int keep_arg(trygon_actor_pool_t *p, const trygon_value_t *arg,
                    struct kept *k)
{
    k->by_value = arg->type != TRYGON_BY_REF;
    if (k->by_value)
        return trygon_put(p->tg, arg, &k->ref);
    if (arg->refs == NULL || arg->nrefs != 1)
        return tg_fail(p->tg, TRYGON_ERR_INVALID,
                       "trygon_actor_pool_submit: an argument by reference "
                       "has not exactly one reference");
    if (trygon_ref_kind(arg->refs[0]) != TRYGON_KIND_OBJECT)
        return tg_fail(p->tg, TRYGON_ERR_INVALID,
                       "trygon_actor_pool_submit: an actor or a stream is no "
                       "argument by reference");
    k->ref = arg->refs[0];
    return trygon_ref_retain(p->tg, 1, &k->ref);
}

static int keep_call(trygon_actor_pool_t *p, struct job *j, const char *method,
                     size_t nargs, const trygon_value_t args[])
{
    j->method = name_of(p, method);
    j->args = calloc(nargs + 1, sizeof *j->args);
    int rc =
        j->method != NULL && j->args != NULL ? TRYGON_SUCCESS : no_memory(p);
    while (rc == TRYGON_SUCCESS && j->nargs < nargs) {
        rc = keep_arg(p, &args[j->nargs], &j->args[j->nargs]);
        j->nargs += rc == TRYGON_SUCCESS;
    }
    if (rc != TRYGON_SUCCESS)
        drop_args(p, j);
    return rc;
}

/* ----- calls --------------------------------------------------------------------- */

static struct job *new_job(trygon_actor_pool_t *p)
{
    struct job *j = p->spare;
    if (j == NULL)
        return calloc(1, sizeof *j);
    p->spare = j->next;
    *j = (struct job){0};
    return j;
}

static void spare_job(trygon_actor_pool_t *p, struct job *j)
{
    j->next = p->spare;
    p->spare = j;
}

static int call(trygon_actor_pool_t *p, struct job *j, const char *method,
                size_t nargs, const trygon_value_t args[])
{
    struct member *m = p->idle;
    int rc = trygon_actor_call(p->tg, m->actor, method, nargs, args, NULL,
                               &j->result);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_waitset_add(p->set, j->result, (uint64_t)(uintptr_t)j);
    if (rc != TRYGON_SUCCESS)
        return rc;
    j->member = m;
    DL_DELETE(p->idle, m);
    DL_APPEND(p->busy, m);
    return TRYGON_SUCCESS;
}

enum {
    ARGS_HERE = 8,        /* so many need no allocation */
    BY_VALUE_MOST = 65536 /* what is larger stays the object that it is */
};

/* Call with what was kept, of which the small values are passed as such. */
static int call_kept(trygon_actor_pool_t *p, struct job *j)
{
    trygon_value_t here[ARGS_HERE], *args = here;
    if (j->nargs > ARGS_HERE)
        args = malloc(j->nargs * sizeof *args);
    if (args == NULL)
        return no_memory(p);
    int rc = TRYGON_SUCCESS;
    for (size_t i = 0; i < j->nargs; i++) {
        struct kept *k = &j->args[i];
        if (k->by_value && rc == TRYGON_SUCCESS)
            rc = trygon_get(p->tg, k->ref, 0, &args[i]); /* it is here */
        k->by_value = k->by_value && rc == TRYGON_SUCCESS;
        if (k->by_value && args[i].size <= BY_VALUE_MOST)
            continue;
        if (k->by_value)
            (void)trygon_value_release(p->tg, &args[i]);
        k->by_value = false;
        args[i] = TRYGON_REF(k->ref);
    }
    if (rc == TRYGON_SUCCESS)
        rc = call(p, j, j->method, j->nargs, args);
    for (size_t i = 0; i < j->nargs; i++)
        if (j->args[i].by_value)
            (void)trygon_value_release(p->tg, &args[i]);
    if (args != here)
        free(args);
    drop_args(p, j);
    return rc;
}

static void end_job(trygon_actor_pool_t *p, struct job *j)
{
    j->ended = true;
    DL_APPEND2(p->ended, j, end_prev, end_next);
}

static void call_waiting(trygon_actor_pool_t *p)
{
    while (p->waiting != NULL && p->idle != NULL) {
        struct job *j = p->waiting;
        p->waiting = j->next;
        j->code = call_kept(p, j);
        if (j->code != TRYGON_SUCCESS)
            end_job(p, j);
    }
}

/* Wait until a call ends: its actor gets the next.  NOTFOUND: none runs. */
static int await_one(trygon_actor_pool_t *p, int64_t timeout_ms)
{
    trygon_ref_t ref;
    uint64_t tag;
    int rc = trygon_waitset_next(p->set, timeout_ms, &ref, &tag);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct job *j = (struct job *)(uintptr_t)tag;
    DL_DELETE(p->busy, j->member);
    DL_APPEND(p->idle, j->member);
    j->member = NULL;
    end_job(p, j);
    call_waiting(p);
    return TRYGON_SUCCESS;
}

/* What has ended by now. */
static void settle(trygon_actor_pool_t *p)
{
    while (p->busy != NULL && await_one(p, 0) == TRYGON_SUCCESS)
        continue;
    call_waiting(p);
}

/* One that has ended: its result, or why there is none. */
static int take(trygon_actor_pool_t *p, struct job *j, trygon_ref_t *result)
{
    int code = j->code;
    *result = j->result;
    DL_DELETE(p->jobs, j);
    DL_DELETE2(p->ended, j, end_prev, end_next);
    p->njobs--;
    spare_job(p, j);
    return code;
}

/* ----- life ------------------------------------------------------------------------ */

static void free_pool(trygon_actor_pool_t *p)
{
    struct job *j;
    struct name *n;
    (void)trygon_waitset_destroy(&p->set);
    while ((j = p->jobs) != NULL) {
        DL_DELETE(p->jobs, j);
        drop_args(p, j);
        (void)trygon_ref_release(p->tg, 1, &j->result);
        free(j);
    }
    while ((j = p->spare) != NULL) {
        p->spare = j->next;
        free(j);
    }
    while ((n = p->names) != NULL) {
        p->names = n->next;
        free(n);
    }
    free_members(p, &p->idle);
    free_members(p, &p->busy);
    free(p);
}

int trygon_actor_pool_create(trygon_t *tg, size_t n,
                             const trygon_ref_t actors[],
                             trygon_actor_pool_t **pool)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, n == 0 || actors != NULL, "actors is NULL");
    TG_NEED(tg, pool != NULL, "the output is NULL");
    trygon_actor_pool_t *p = calloc(1, sizeof *p);
    if (p == NULL)
        return tg_fail(tg, TRYGON_ERR_NOMEM, "%s: out of memory", __func__);
    p->tg = tg;
    int rc = trygon_waitset_create(tg, &p->set);
    for (size_t i = 0; i < n && rc == TRYGON_SUCCESS; i++)
        rc = add_member(p, __func__, TRYGON_ERR_INVALID, actors[i]);
    if (rc == TRYGON_SUCCESS)
        *pool = p;
    else
        free_pool(p);
    return rc;
}

int trygon_actor_pool_destroy(trygon_actor_pool_t **pool)
{
    TG_NEED_POOL(pool);
    if (*pool != NULL)
        free_pool(*pool);
    *pool = NULL;
    return TRYGON_SUCCESS;
}

int trygon_actor_pool_push(trygon_actor_pool_t *pool, trygon_ref_t actor)
{
    TG_NEED_POOL(pool);
    int rc = add_member(pool, __func__, TRYGON_ERR_EXISTS, actor);
    settle(pool);
    return rc;
}

int trygon_actor_pool_pop_idle(trygon_actor_pool_t *pool, trygon_ref_t *actor)
{
    TG_NEED_POOL(pool);
    TG_NEED(pool->tg, actor != NULL, "the output is NULL");
    settle(pool);
    struct member *m = pool->idle;
    if (m == NULL)
        return tg_fail(pool->tg, TRYGON_ERR_NOTFOUND,
                       "%s: no actor of the pool is idle", __func__);
    DL_DELETE(pool->idle, m);
    *actor = m->actor;
    free(m);
    return TRYGON_SUCCESS;
}

int trygon_actor_pool_outstanding(trygon_actor_pool_t *pool, size_t *n)
{
    TG_NEED_POOL(pool);
    TG_NEED(pool->tg, n != NULL, "the output is NULL");
    settle(pool);
    *n = pool->njobs;
    return TRYGON_SUCCESS;
}

/* ----- submit and next ----------------------------------------------------------------- */

static int submit(trygon_actor_pool_t *p, const char *method, size_t nargs,
                  const trygon_value_t args[])
{
    struct job *j = new_job(p);
    if (j == NULL)
        return no_memory(p);
    bool waits = p->idle == NULL;
    int rc = waits ? keep_call(p, j, method, nargs, args)
                   : call(p, j, method, nargs, args);
    if (rc != TRYGON_SUCCESS) {
        (void)trygon_ref_release(p->tg, 1, &j->result);
        spare_job(p, j);
        return rc;
    }
    DL_APPEND(p->jobs, j);
    if (waits && p->waiting == NULL)
        p->waiting = j;
    p->njobs++;
    return TRYGON_SUCCESS;
}

int trygon_actor_pool_submit(trygon_actor_pool_t *pool, const char *method,
                             size_t nargs, const trygon_value_t args[])
{
    TG_NEED_POOL(pool);
    TG_NEED(pool->tg, method != NULL, "the method's name is NULL");
    TG_NEED(pool->tg, nargs == 0 || args != NULL, "args is NULL");
    TG_NEED(pool->tg, nargs <= UINT32_MAX / 64, "too many arguments");
    settle(pool);
    return submit(pool, method, nargs, args);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int next(trygon_actor_pool_t *p, const char *who, bool ordered,
                int64_t timeout_ms, trygon_ref_t *result)
{
    if (result == NULL)
        return tg_fail(p->tg, TRYGON_ERR_INVALID, "%s: the output is NULL",
                       who);
    int64_t end_ms = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
    settle(p);
    for (;;) {
        struct job *j = ordered ? p->jobs : p->ended;
        if (p->jobs == NULL)
            return tg_fail(p->tg, TRYGON_ERR_NOTFOUND,
                           "%s: no result is outstanding", who);
        if (j != NULL && j->ended)
            return take(p, j, result);
        if (p->busy == NULL)
            return tg_fail(p->tg, TRYGON_ERR_STATE,
                           "%s: calls wait, and the pool has no actor", who);
        int rc = await_one(p, timeout_ms);
        if (rc != TRYGON_SUCCESS)
            return rc;
        if (timeout_ms > 0)
            timeout_ms = end_ms > now_ms() ? end_ms - now_ms() : 0;
    }
}

int trygon_actor_pool_next(trygon_actor_pool_t *pool, int64_t timeout_ms,
                           trygon_ref_t *result)
{
    TG_NEED_POOL(pool);
    return next(pool, __func__, true, timeout_ms, result);
}

int trygon_actor_pool_next_unordered(trygon_actor_pool_t *pool,
                                     int64_t timeout_ms, trygon_ref_t *result)
{
    TG_NEED_POOL(pool);
    return next(pool, __func__, false, timeout_ms, result);
}

/* ----- map ------------------------------------------------------------------------------- */

/* No value need be kept: each is passed when an actor is idle. */
static int feed(trygon_actor_pool_t *p, const char *method, size_t n,
                const trygon_value_t values[], size_t *fed)
{
    int rc = TRYGON_SUCCESS;
    while (rc == TRYGON_SUCCESS && *fed < n && p->idle != NULL) {
        rc = submit(p, method, 1, &values[*fed]);
        *fed += rc == TRYGON_SUCCESS;
    }
    return rc;
}

static int hand_over(trygon_actor_pool_t *p, struct job *j, trygon_item_fn fn,
                     void *arg)
{
    trygon_ref_t result;
    (void)take(p, j, &result); /* all were made: none has a code */
    int rc = fn(p->tg, result, arg);
    (void)trygon_ref_release(p->tg, 1, &result);
    return rc;
}

/* Nobody wants what is outstanding: it ends, and goes. */
static void wind_up(trygon_actor_pool_t *p)
{
    trygon_ref_t result;
    while (p->busy != NULL && await_one(p, TRYGON_FOREVER) == TRYGON_SUCCESS)
        continue;
    while (p->ended != NULL) {
        (void)take(p, p->ended, &result);
        (void)trygon_ref_release(p->tg, 1, &result);
    }
}

int trygon_actor_pool_map(trygon_actor_pool_t *pool, const char *method,
                          size_t n, const trygon_value_t values[], bool ordered,
                          trygon_item_fn fn, void *arg)
{
    TG_NEED_POOL(pool);
    TG_NEED(pool->tg, method != NULL, "the method's name is NULL");
    TG_NEED(pool->tg, n == 0 || values != NULL, "values is NULL");
    TG_NEED(pool->tg, fn != NULL, "the function is NULL");
    if (pool->jobs != NULL)
        return tg_fail(pool->tg, TRYGON_ERR_STATE,
                       "%s: results of earlier calls are outstanding",
                       __func__);
    if (n > 0 && pool->idle == NULL)
        return tg_fail(pool->tg, TRYGON_ERR_STATE, "%s: the pool has no actor",
                       __func__);
    size_t fed = 0;
    int rc = feed(pool, method, n, values, &fed);
    while (rc == TRYGON_SUCCESS && pool->jobs != NULL) {
        struct job *j = ordered ? pool->jobs : pool->ended;
        if (j != NULL && j->ended) {
            rc = hand_over(pool, j, fn, arg);
            continue;
        }
        rc = await_one(pool, TRYGON_FOREVER);
        if (rc == TRYGON_SUCCESS)
            rc = feed(pool, method, n, values, &fed);
    }
    if (rc != TRYGON_SUCCESS)
        wind_up(pool);
    return rc;
}
