/* object.c - sections 2 and 4 of the header: values, put, get, wait. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

/* ----- values -------------------------------------------------------------------- */

enum trygon_kind trygon_ref_kind(trygon_ref_t ref)
{
    uint64_t kind = tg_ref_strong(ref).hi >> 60;
    return kind <= TRYGON_KIND_STREAM && ref.lo != 0 ? (enum trygon_kind)kind
                                                     : TRYGON_KIND_NONE;
}

int tg_check_value(const struct trygon *tg, const char *who,
                   const trygon_value_t *v)
{
    const char *wrong = NULL;
    if (v == NULL)
        wrong = "the value is NULL";
    else if (v->type == TRYGON_BY_REF)
        wrong = "an object cannot be the value of another: pass it in refs";
    else if (v->type < 0 || v->type > TRYGON_COMPLEX128)
        wrong = "the value's type is none of enum trygon_type";
    else if (v->data == NULL && v->size > 0)
        wrong = "the value's data is NULL but its size is not 0";
    else if (v->ndim < 0 || v->ndim > TRYGON_MAX_DIMS ||
             (v->ndim > 0 && v->dims == NULL))
        wrong = "the value's ndim is not 0 to 8, or its dims are NULL";
    else if (v->nrefs > 0 && v->refs == NULL)
        wrong = "the value's refs are NULL but nrefs is not 0";
    else if (v->nrefs > UINT32_MAX / 64)
        wrong = "the value has too many refs";
    for (int32_t i = 0; wrong == NULL && i < v->ndim; i++)
        if (v->dims[i] < 0)
            wrong = "one of the value's dims is negative";
    if (wrong == NULL)
        return tg_no_stream(tg, who, v->nrefs, v->refs);
    return tg_fail(tg, TRYGON_ERR_INVALID, "%s: %s", who, wrong);
}

void tg_view(const struct tg_val *val, trygon_value_t *out)
{
    bool here = val->size > 0 && !val->stored;
    *out = (trygon_value_t){here ? tg_val_data(val) : NULL,
                            (size_t)val->size,
                            val->type,
                            val->ndim,
                            val->ndim > 0 ? tg_val_dims(val) : NULL,
                            val->nrefs > 0 ? tg_val_refs(val) : NULL,
                            val->nrefs,
                            NULL};
}

int trygon_put(trygon_t *tg, const trygon_value_t *value, trygon_ref_t *ref)
{
    TG_NEED_TG(tg);
    int rc = tg_check_value(tg, "trygon_put", value);
    if (rc != TRYGON_SUCCESS)
        return rc;
    TG_NEED(tg, ref != NULL, "the output is NULL");
    struct tg_val *val;
    rc = tg_make(tg, "trygon_put", NULL, value, &val);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_event ev = {.type = TG_EV_PUT, .val = val};
    tg_enter(tg);
    rc = tg_step(tg, &ev);
    if (rc != TRYGON_SUCCESS)
        tg_unmake(tg, &val);
    tg_leave(tg);
    if (rc != TRYGON_SUCCESS)
        return tg_report(tg, "trygon_put", rc);
    *ref = ev.ref;
    return TRYGON_SUCCESS;
}

/* ----- get ---------------------------------------------------------------------------- */

/* The first that has failed, as the last error; 0: none has. */
static int first_failure(struct trygon *tg, size_t n, struct tg_obj *pins[])
{
    for (size_t i = 0; i < n; i++) {
        if (pins[i]->state != TG_OBJ_FAILED)
            continue;
        pins[i]->seen = true;
        return tg_fail_with(tg, pins[i]->val);
    }
    return TRYGON_SUCCESS;
}

static void unpin(struct trygon *tg, size_t n, struct tg_obj *pins[])
{
    for (size_t i = 0; i < n; i++) {
        struct tg_event ev = {
            .type = TG_EV_UNPIN, .now_ns = tg_last_ns(tg), .obj = pins[i]};
        tg_step(tg, &ev);
    }
}

/* With the lock held: it was to come, and does so at once.  A task's thread
 * does not look: the rank must know that the task waits. */
static bool comes_soon(struct trygon *tg, const struct tg_obj *x,
                       int64_t timeout_ms)
{
    return x != NULL && x->owned && x->state == TG_OBJ_PENDING &&
           timeout_ms != 0 && tg_current(tg) == NULL && tg_look_for(tg, x);
}

/* With the lock held: until all are here, and then with a hold on each, whose
 * first failure is the thread's last error; pins NULL: only the former. */
static int await_all(struct trygon *tg, const char *who, size_t n,
                     const trygon_ref_t refs[], int64_t timeout_ms,
                     struct tg_obj *pins[], uint64_t *deadline_ns)
{
    struct tg_wait_req req = {.kind = TG_WAIT_ALL,
                              .n = (uint32_t)n,
                              .refs = refs,
                              .pins = pins,
                              .fetch = true};
    for (size_t i = 0; i < n; i++)
        if (tg_ref_actor(refs[i]))
            return tg_fail(tg, TRYGON_ERR_INVALID,
                           "%s: an actor has no value; wait for it instead",
                           who);
    int rc = tg_block(tg, &req, timeout_ms, NULL);
    if (rc != TRYGON_SUCCESS)
        return tg_report(tg, who, rc);
    *deadline_ns = req.deadline_ns;
    rc = pins != NULL ? first_failure(tg, n, pins) : TRYGON_SUCCESS;
    if (rc != TRYGON_SUCCESS)
        unpin(tg, n, pins);
    return rc;
}

/* With the lock held: what is in stores is pinned there.  The holds go if that
 * fails. */
static int lend_stored(struct trygon *tg, const char *who, size_t n,
                       struct tg_obj *pins[], uint64_t deadline_ns,
                       trygon_value_t values[])
{
    struct tg_lent *one = NULL, **lents = &one;
    if (n > 1)
        lents = tg_alloc(n * sizeof(struct tg_lent *));
    int rc = tg_lend_all(tg, (uint32_t)n, pins, lents, deadline_ns);
    rc = rc != TRYGON_SUCCESS ? tg_report(tg, who, rc)
                              : first_failure(tg, n, pins);
    for (size_t i = 0; i < n; i++) {
        struct tg_lent *lent = lents[i];
        if (rc != TRYGON_SUCCESS && lent != NULL)
            tg_lent_end(tg, lent);
        if (rc != TRYGON_SUCCESS)
            continue;
        /* Not lent: perhaps it was made again, and is small. */
        tg_view(lent != NULL ? lent->val : pins[i]->val, &values[i]);
        if (lent != NULL)
            values[i].data = lent->data;
        values[i].pin = lent != NULL ? tg_lent_pin(lent) : pins[i];
    }
    if (n > 1)
        free(lents);
    if (rc != TRYGON_SUCCESS)
        unpin(tg, n, pins);
    return rc;
}

static int get_n(struct trygon *tg, const char *who, size_t n,
                 const trygon_ref_t refs[], int64_t timeout_ms,
                 struct tg_obj *pins[], trygon_value_t values[])
{
    uint64_t deadline_ns;
    bool stored = false;
    tg_enter(tg);
    if (n == 1)
        (void)comes_soon(tg, tg_objs_find(&tg->core->objs, refs[0]),
                         timeout_ms);
    int rc = await_all(tg, who, n, refs, timeout_ms, pins, &deadline_ns);
    for (size_t i = 0; rc == TRYGON_SUCCESS && i < n; i++) {
        const struct tg_val *val = pins[i]->val;
        stored = stored || val == NULL || val->stored;
        if (val != NULL && !val->stored)
            tg_view(val, &values[i]);
        values[i].pin = pins[i];
    }
    if (stored)
        rc = lend_stored(tg, who, n, pins, deadline_ns, values);
    tg_leave(tg);
    return rc;
}

int trygon_get(trygon_t *tg, trygon_ref_t ref, int64_t timeout_ms,
               trygon_value_t *value)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, value != NULL, "the output is NULL");
    struct tg_obj *pin;
    int rc = tg_no_stream(tg, __func__, 1, &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    return get_n(tg, "trygon_get", 1, &ref, timeout_ms, &pin, value);
}

int trygon_get_n(trygon_t *tg, size_t n, const trygon_ref_t refs[],
                 int64_t timeout_ms, trygon_value_t values[])
{
    TG_NEED_TG(tg);
    TG_NEED(tg, n == 0 || (refs != NULL && values != NULL), "an array is NULL");
    TG_NEED(tg, n < UINT32_MAX, "too many references");
    int rc = tg_no_stream(tg, __func__, n, refs);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_obj **pins = tg_grow(NULL, n + 1, sizeof *pins);
    rc = get_n(tg, "trygon_get_n", n, refs, timeout_ms, pins, values);
    free(pins);
    return rc;
}

/* A small value is copied with the lock held: to lend it costs more. */
enum { COPY_LOCKED = 4096 };

/* With the lock held; false: it is not here, or not small. */
static bool copy_small(const struct tg_obj *x, void *data, size_t capacity,
                       size_t *need)
{
    if (x == NULL || x->count == 0 || x->state != TG_OBJ_READY ||
        x->val == NULL || x->val->size > COPY_LOCKED || tg_ref_actor(x->ref))
        return false;
    *need = (size_t)x->val->size;
    if (*need <= capacity && *need > 0)
        memcpy(data, tg_val_data(x->val), *need);
    return true;
}

static int64_t left_ms(uint64_t deadline_ns)
{
    static const uint64_t ms = 1000000;
    uint64_t now_ns = tg_now_ns();
    if (deadline_ns == TG_NEVER)
        return TRYGON_FOREVER;
    return deadline_ns > now_ns
               ? (int64_t)((deadline_ns - now_ns + ms - 1) / ms)
               : 0;
}

/* Lend it, and copy without the lock.  It was here, but may leave before. */
static int copy_lent(struct trygon *tg, trygon_ref_t ref, uint64_t deadline_ns,
                     void *data, size_t capacity, size_t *need)
{
    trygon_value_t v;
    struct tg_obj *pin;
    int rc =
        get_n(tg, "trygon_get_into", 1, &ref, left_ms(deadline_ns), &pin, &v);
    if (rc != TRYGON_SUCCESS)
        return rc;
    *need = v.size;
    if (v.size <= capacity && v.size > 0)
        memcpy(data, v.data, v.size);
    return trygon_value_release(tg, &v);
}

int trygon_get_into(trygon_t *tg, trygon_ref_t ref, int64_t timeout_ms,
                    void *data, size_t capacity, size_t *size)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, data != NULL || capacity == 0, "data is NULL");
    int rc = tg_no_stream(tg, __func__, 1, &ref);
    if (rc != TRYGON_SUCCESS)
        return rc;
    size_t need = 0;
    uint64_t deadline_ns = TG_NEVER;
    tg_enter(tg);
    const struct tg_obj *x = tg_objs_find(&tg->core->objs, ref);
    bool copied =
        copy_small(x, data, capacity, &need) ||
        (comes_soon(tg, x, timeout_ms) && copy_small(x, data, capacity, &need));
    if (!copied) {
        rc = await_all(tg, __func__, 1, &ref, timeout_ms, NULL, &deadline_ns);
        x = tg_objs_find(&tg->core->objs, ref);
        copied = rc == TRYGON_SUCCESS && copy_small(x, data, capacity, &need);
    }
    tg_leave(tg);
    if (rc == TRYGON_SUCCESS && !copied)
        rc = copy_lent(tg, ref, deadline_ns, data, capacity, &need);
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (size != NULL)
        *size = need;
    if (need > capacity)
        return tg_fail(tg, TRYGON_ERR_CAPACITY,
                       "trygon_get_into: %zu bytes do not fit in %zu", need,
                       capacity);
    return TRYGON_SUCCESS;
}

int trygon_value_release(trygon_t *tg, trygon_value_t *value)
{
    TG_NEED_TG(tg);
    if (value == NULL)
        return TRYGON_SUCCESS;
    if (value->pin != NULL) {
        struct tg_event ev = {.type = TG_EV_UNPIN, .obj = value->pin};
        struct tg_lent *lent = tg_lent_of(value->pin);
        tg_enter(tg);
        if (lent != NULL) {
            ev.obj = lent->obj;
            tg_lent_end(tg, lent);
        }
        if (ev.obj->owned)
            ev.now_ns = tg_last_ns(tg);
        tg_step(tg, &ev);
        tg_leave(tg);
    }
    memset(value, 0, sizeof *value);
    return TRYGON_SUCCESS;
}

/* ----- wait ---------------------------------------------------------------------------- */

static const trygon_wait_opts_t wait_opts = {.size = sizeof wait_opts,
                                             .num_returns = 1,
                                             .timeout_ms = TRYGON_FOREVER,
                                             .fetch_local = true};

int trygon_wait_opts_init_sized(trygon_wait_opts_t *opts, size_t size)
{
    return tg_opts_init(__func__, opts, size, &wait_opts, sizeof wait_opts);
}

static int by_ref(const void *a, const void *b)
{
    const trygon_ref_t *x = a, *y = b;
    if (x->hi != y->hi)
        return x->hi < y->hi ? -1 : 1;
    return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static bool has_duplicates(size_t n, const trygon_ref_t refs[])
{
    trygon_ref_t *sorted = malloc(n * sizeof *sorted);
    bool twice = false;
    if (sorted == NULL)
        return false;
    memcpy(sorted, refs, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_ref);
    for (size_t i = 1; i < n; i++)
        twice = twice || tg_ref_eq(sorted[i - 1], sorted[i]);
    free(sorted);
    return twice;
}

/* With the lock held: which are ready, as many as are asked for. */
static size_t mark_ready(const struct trygon *tg, size_t n,
                         const trygon_ref_t refs[], const trygon_wait_opts_t *o,
                         bool ready[])
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const struct tg_obj *x = tg_waits_obj(&tg->core->waits, refs[i]);
        ready[i] = count < o->num_returns &&
                   tg_objs_ready(&tg->core->objs, x, o->fetch_local);
        count += ready[i];
    }
    return count;
}

int trygon_wait(trygon_t *tg, size_t n, const trygon_ref_t refs[],
                const trygon_wait_opts_t *opts, bool ready[], size_t *nready)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, opts == NULL || opts->size >= sizeof(size_t),
            "opts was not set up by trygon_wait_opts_init()");
    trygon_wait_opts_t room;
    const trygon_wait_opts_t *o =
        tg_opts_whole(opts, &wait_opts, &room, sizeof room);
    TG_NEED(tg, n == 0 || (refs != NULL && ready != NULL), "an array is NULL");
    TG_NEED(tg, n < UINT32_MAX, "too many references");
    if (n == 0) {
        if (nready != NULL)
            *nready = 0;
        return TRYGON_SUCCESS;
    }
    TG_NEED(tg, o->num_returns > 0 && o->num_returns <= n,
            "num_returns is 0 or more than there are references");
    TG_NEED(tg, o->timeout_ms >= -1, "timeout_ms is below -1");
    TG_NEED(tg, !has_duplicates(n, refs), "a reference is there twice");
    struct tg_wait_req req = {.kind = TG_WAIT_SOME,
                              .n = (uint32_t)n,
                              .need = (uint32_t)o->num_returns,
                              .refs = refs,
                              .fetch = o->fetch_local};
    size_t count = 0;
    tg_enter(tg);
    int rc = tg_block(tg, &req, o->timeout_ms, NULL);
    while (rc == TRYGON_SUCCESS &&
           (count = mark_ready(tg, n, refs, o, ready)) < o->num_returns)
        rc = tg_block_until(tg, &req, NULL); /* bytes have left since */
    if (rc == TRYGON_ERR_TIMEOUT)
        count = mark_ready(tg, n, refs, o, ready);
    tg_leave(tg);
    if (rc != TRYGON_SUCCESS && rc != TRYGON_ERR_TIMEOUT)
        return tg_report(tg, "trygon_wait", rc);
    if (nready != NULL)
        *nready = count;
    return TRYGON_SUCCESS;
}

/* ----- references ------------------------------------------------------------------------ */

int trygon_ref_retain(trygon_t *tg, size_t n, const trygon_ref_t refs[])
{
    TG_NEED_TG(tg);
    TG_NEED(tg, n == 0 || refs != NULL, "refs is NULL");
    struct tg_event ev = {.type = TG_EV_RETAIN, .n = n, .refs = refs};
    tg_enter(tg);
    int rc = tg_step(tg, &ev);
    tg_leave(tg);
    return tg_report(tg, "trygon_ref_retain", rc);
}

/* Copies of others' objects are kept for a while: that needs the time. */
static bool all_ours(const struct trygon *tg, size_t n,
                     const trygon_ref_t refs[])
{
    size_t i = 0;
    while (i < n && tg_ref_rank(refs[i]) == tg->rank)
        i++;
    return i == n;
}

int trygon_ref_release(trygon_t *tg, size_t n, trygon_ref_t refs[])
{
    TG_NEED_TG(tg);
    TG_NEED(tg, n == 0 || refs != NULL, "refs is NULL");
    struct tg_event ev = {.type = TG_EV_RELEASE, .n = n, .refs = refs};
    tg_enter(tg);
    if (all_ours(tg, n, refs))
        ev.now_ns = tg_last_ns(tg);
    int rc = tg_step(tg, &ev);
    tg_leave(tg);
    if (rc != TRYGON_SUCCESS)
        return tg_fail(tg, rc,
                       "trygon_ref_release: a reference that this "
                       "rank has not, or more often than it has it");
    if (n > 0)
        memset(refs, 0, n * sizeof *refs);
    return TRYGON_SUCCESS;
}

/* Error i of the chain that the object ended with. */
static int chain_error(trygon_t *tg, trygon_ref_t ref, uint32_t i,
                       trygon_error_t *err)
{
    bool ours = trygon_ref_kind(ref) != TRYGON_KIND_NONE &&
                tg_ref_rank(ref) < tg->nranks;
    const struct trygon_error *e = NULL;
    tg_enter(tg);
    struct tg_obj *x = ours ? tg_objs_find(&tg->core->objs, ref) : NULL;
    if (x != NULL && x->state == TG_OBJ_FAILED)
        e = tg_val_err(x->val, i);
    if (e != NULL) {
        x->seen = true;
        tg_error_out(tg, e, err);
    }
    tg_leave(tg);
    return e != NULL ? TRYGON_SUCCESS
                     : tg_fail(tg, TRYGON_ERR_NOTFOUND,
                               "there is no such error on this rank");
}

int trygon_ref_error(trygon_t *tg, trygon_ref_t ref, trygon_error_t *err)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, err != NULL && err->size >= 16, "err is NULL or its size 0");
    return chain_error(tg, ref, 0, err);
}

int trygon_ref_cause(trygon_t *tg, trygon_ref_t ref, int32_t i,
                     trygon_error_t *err)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, i >= 0, "the number of the cause is negative");
    TG_NEED(tg, err != NULL && err->size >= 16, "err is NULL or its size 0");
    return chain_error(tg, ref, (uint32_t)i + 1, err);
}
