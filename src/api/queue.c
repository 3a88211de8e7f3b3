/* queue.c - section 11 of the header: queues, as their users see them.  Made of
 * calls to an actor (queue_actor.c) and of nothing else; api.h is here for the
 * texts of errors.
 */
#include "api/queue.h"

#include <stdlib.h>

#include "api/api.h"

#define TG_NEED_QUEUE(tg_, queue_)                             \
    TG_NEED(tg_, trygon_ref_kind(queue_) == TRYGON_KIND_ACTOR, \
            "the reference is no queue")

enum { VALUES_HERE = 7 }; /* so many need no allocation */

int trygon_registry_add_queue(trygon_registry_t *reg)
{
    return trygon_registry_add_class(reg, &tg_queue_class);
}

int trygon_queue_create(trygon_t *tg, size_t maxsize,
                        const trygon_actor_opts_t *opts, trygon_ref_t *queue)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, queue != NULL, "the output is NULL");
    uint64_t most = maxsize;
    return trygon_actor_create(tg, TG_QUEUE_CLASS, 1,
                               &TRYGON_BYTES(&most, sizeof most), opts, queue);
}

/* ----- calls ---------------------------------------------------------------------- */

/* now: in the group of those that do not wait. */
static int call(trygon_t *tg, trygon_ref_t queue, const char *method,
                const struct tg_queue_request *r, size_t n,
                const trygon_value_t values[], bool now, size_t nreturns,
                trygon_ref_t returns[])
{
    trygon_value_t here[1 + VALUES_HERE], *args = here;
    trygon_call_opts_t opts;
    int rc = trygon_call_opts_init(&opts);
    opts.num_returns = (int32_t)nreturns;
    opts.group = now ? TG_QUEUE_NOW : NULL;
    if (n > VALUES_HERE)
        args = malloc((1 + n) * sizeof *args);
    if (args == NULL)
        return tg_fail(tg, TRYGON_ERR_NOMEM, "a queue: out of memory");
    args[0] = TRYGON_BYTES(r, sizeof *r);
    for (size_t i = 0; i < n; i++)
        args[1 + i] = values[i];
    if (rc == TRYGON_SUCCESS)
        rc = trygon_actor_call(tg, queue, method, 1 + n, args, &opts, returns);
    if (args != here)
        free(args);
    return rc;
}

/* Wait for a result and say what it is; nobody needs its value. */
static int await(trygon_t *tg, trygon_ref_t ref)
{
    trygon_value_t v;
    int rc = trygon_get(tg, ref, TRYGON_FOREVER, &v);
    return rc == TRYGON_SUCCESS ? trygon_value_release(tg, &v) : rc;
}

/* A call with one return.  Whoever is cancelled while it waits leaves nothing
 * behind that waits. */
static int call_and_await(trygon_t *tg, trygon_ref_t queue, const char *method,
                          const struct tg_queue_request *r, size_t n,
                          const trygon_value_t values[], bool now,
                          trygon_ref_t *ref)
{
    int rc = call(tg, queue, method, r, n, values, now, 1, ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = await(tg, *ref);
    if (rc == TRYGON_ERR_CANCELLED)
        (void)trygon_cancel(tg, *ref, false, false);
    if (rc != TRYGON_SUCCESS)
        (void)trygon_ref_release(tg, 1, ref);
    return rc;
}

/* The same of one that returns nothing worth having. */
static int do_call(trygon_t *tg, trygon_ref_t queue, const char *method,
                   const struct tg_queue_request *r, size_t n,
                   const trygon_value_t values[], bool now)
{
    trygon_ref_t ref;
    int rc = call_and_await(tg, queue, method, r, n, values, now, &ref);
    return rc == TRYGON_SUCCESS ? trygon_ref_release(tg, 1, &ref) : rc;
}

/* ----- put --------------------------------------------------------------------------- */

int trygon_queue_put(trygon_t *tg, trygon_ref_t queue,
                     const trygon_value_t *value, int64_t timeout_ms)
{
    TG_NEED_TG(tg);
    TG_NEED_QUEUE(tg, queue);
    TG_NEED(tg, value != NULL, "the value is NULL");
    TG_NEED(tg, timeout_ms >= TRYGON_FOREVER, "timeout_ms is below -1");
    struct tg_queue_request r = {.timeout_ms = timeout_ms};
    return do_call(tg, queue, "put", &r, 1, value, timeout_ms == 0);
}

int trygon_queue_put_n(trygon_t *tg, trygon_ref_t queue, size_t n,
                       const trygon_value_t values[])
{
    TG_NEED_TG(tg);
    TG_NEED_QUEUE(tg, queue);
    TG_NEED(tg, n == 0 || values != NULL, "values is NULL");
    TG_NEED(tg, n < UINT32_MAX / 64, "too many values");
    struct tg_queue_request r = {0};
    return do_call(tg, queue, "put_n", &r, n, values, true);
}

/* ----- get --------------------------------------------------------------------------- */

/* A name for a get that nothing else in the run has. */
static int new_id(trygon_t *tg, trygon_ref_t *id)
{
    trygon_ref_t ref;
    int rc = trygon_put(tg, &TRYGON_BYTES("", 0), &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    *id = ref;
    return trygon_ref_release(tg, 1, &ref);
}

/* What was given has come, or was not waited for. */
static void settle(trygon_t *tg, trygon_ref_t queue,
                   const struct tg_queue_request *r, int rc)
{
    if (rc == TRYGON_SUCCESS || rc == TRYGON_ERR_CANCELLED)
        (void)call(tg, queue, rc == TRYGON_SUCCESS ? "took" : "leave", r, 0,
                   NULL, true, 0, NULL);
}

int trygon_queue_get(trygon_t *tg, trygon_ref_t queue, int64_t timeout_ms,
                     trygon_ref_t *item)
{
    TG_NEED_TG(tg);
    TG_NEED_QUEUE(tg, queue);
    TG_NEED(tg, item != NULL, "the output is NULL");
    TG_NEED(tg, timeout_ms >= TRYGON_FOREVER, "timeout_ms is below -1");
    struct tg_queue_request r = {.timeout_ms = timeout_ms};
    trygon_ref_t ref;
    int rc = new_id(tg, &r.id);
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = call_and_await(tg, queue, "get", &r, 0, NULL, timeout_ms == 0, &ref);
    settle(tg, queue, &r, rc);
    if (rc == TRYGON_SUCCESS)
        *item = ref;
    return rc;
}

int trygon_queue_get_n(trygon_t *tg, trygon_ref_t queue, size_t n,
                       trygon_ref_t items[])
{
    TG_NEED_TG(tg);
    TG_NEED_QUEUE(tg, queue);
    TG_NEED(tg, n == 0 || items != NULL, "items is NULL");
    TG_NEED(tg, n <= UINT16_MAX, "n is above 65535");
    if (n == 0)
        return TRYGON_SUCCESS;
    struct tg_queue_request r = {.n = n};
    int rc = new_id(tg, &r.id);
    if (rc == TRYGON_SUCCESS)
        rc = call(tg, queue, "get_n", &r, 0, NULL, true, n, items);
    if (rc != TRYGON_SUCCESS)
        return rc;
    for (size_t i = 0; i < n && rc == TRYGON_SUCCESS; i++)
        rc = await(tg, items[i]);
    if (rc == TRYGON_ERR_CANCELLED)
        (void)trygon_cancel(tg, items[0], false, false);
    settle(tg, queue, &r, rc);
    if (rc != TRYGON_SUCCESS)
        (void)trygon_ref_release(tg, n, items);
    return rc;
}

/* ----- the rest ----------------------------------------------------------------------- */

int trygon_queue_size(trygon_t *tg, trygon_ref_t queue, size_t *n)
{
    TG_NEED_TG(tg);
    TG_NEED_QUEUE(tg, queue);
    TG_NEED(tg, n != NULL, "the output is NULL");
    struct tg_queue_request r = {0};
    trygon_ref_t ref;
    uint64_t x = 0;
    int rc = call_and_await(tg, queue, "size", &r, 0, NULL, true, &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = trygon_get_into(tg, ref, TRYGON_FOREVER, &x, sizeof x, NULL);
    (void)trygon_ref_release(tg, 1, &ref);
    if (rc == TRYGON_SUCCESS)
        *n = (size_t)x;
    return rc;
}

int trygon_queue_shutdown(trygon_t *tg, trygon_ref_t queue, bool force)
{
    TG_NEED_TG(tg);
    TG_NEED_QUEUE(tg, queue);
    struct tg_queue_request r = {.force = force};
    return do_call(tg, queue, "shutdown", &r, 0, NULL, true);
}
