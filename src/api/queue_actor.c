/* queue_actor.c - a queue's actor: of an async class, so that its calls run on
 * one thread and need no lock, and one that waits holds up no other.
 *
 * While gets wait there is no item, and while puts wait there is no room.  An
 * item goes straight to the get that has waited longest, which then finds it
 * with its wait over, whatever ended that.  What a get has given stays in hand
 * until its caller says that it has come: the caller may have been cancelled
 * meanwhile, and no item is to be lost by that.
 */
#include <stdlib.h>
#include <string.h>

#include "api/queue.h"
#include "core/map.h"

struct item {
    trygon_ref_t value; /* an object of this rank */
    struct item *prev, *next;
};

struct waiter {
    trygon_event_t *event;
    struct item *item; /* of a put; of a get, once it is given one */
    int rc;            /* what it ends with; WAITING: it stands in line */
    struct waiter *prev, *next;
};

enum { WAITING = 1 };

struct hand { /* given, not known to have come */
    trygon_ref_t id;
    struct item *items;
    UT_hash_handle hh;
};

struct queue {
    trygon_t *tg;
    uint64_t maxsize, n; /* maxsize 0: no bound */
    struct item *items;
    struct waiter *gets, *puts; /* in line */
    struct waiter *spare;
    struct hand *hands;
    bool closed, forced;
};

/* ----- items ------------------------------------------------------------------- */

static void drop_item(struct queue *q, struct item *it)
{
    (void)trygon_ref_release(q->tg, 1, &it->value);
    free(it);
}

static void drop_items(struct queue *q, struct item **list)
{
    struct item *it;
    while ((it = *list) != NULL) {
        DL_DELETE(*list, it);
        drop_item(q, it);
    }
}

/* Argument i, with what its references need. */
static int keep(struct queue *q, trygon_call_t *call, size_t i,
                struct item **it)
{
    trygon_value_t v;
    int rc = trygon_call_arg(call, i, &v);
    if (rc != TRYGON_SUCCESS)
        return rc;
    *it = calloc(1, sizeof **it);
    if (*it == NULL)
        return TRYGON_ERR_NOMEM;
    rc = trygon_put(q->tg, &v, &(*it)->value);
    if (rc != TRYGON_SUCCESS)
        free(*it);
    return rc;
}

static int return_item(struct queue *q, trygon_call_t *call, size_t i,
                       const struct item *it)
{
    trygon_value_t v;
    int rc = trygon_get(q->tg, it->value, 0, &v); /* it is here */
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = trygon_call_return(call, i, &v);
    (void)trygon_value_release(q->tg, &v);
    return rc;
}

/* ----- who waits ------------------------------------------------------------------ */

static void wake(struct waiter **line, struct waiter *w, int rc)
{
    DL_DELETE(*line, w);
    w->rc = rc;
    (void)trygon_event_set(w->event);
}

static struct waiter *new_waiter(struct queue *q)
{
    struct waiter *w = q->spare;
    if (w != NULL) {
        q->spare = w->next;
        return w;
    }
    w = calloc(1, sizeof *w);
    if (w != NULL && trygon_event_create(q->tg, &w->event) != TRYGON_SUCCESS) {
        free(w);
        w = NULL;
    }
    return w;
}

static void spare_waiter(struct queue *q, struct waiter *w)
{
    (void)trygon_event_clear(w->event);
    w->item = NULL;
    w->next = q->spare;
    q->spare = w;
}

/* Stand in line until woken.  A put's item is still its own unless it ends
 * with 0; a get has one if it does. */
static int stand(struct queue *q, struct waiter **line, struct item **it,
                 int64_t timeout_ms)
{
    struct waiter *w = new_waiter(q);
    if (w == NULL)
        return TRYGON_ERR_NOMEM;
    w->rc = WAITING;
    w->item = *it;
    DL_APPEND(*line, w);
    int rc = trygon_event_wait(w->event, timeout_ms);
    if (w->rc == WAITING)
        DL_DELETE(*line, w);
    else
        rc = w->rc;
    *it = w->item;
    spare_waiter(q, w);
    return rc;
}

/* ----- in and out ------------------------------------------------------------------ */

/* To the get that waits longest, or to the queue. */
static void offer(struct queue *q, struct item *it, bool front)
{
    if (q->gets != NULL) {
        q->gets->item = it;
        wake(&q->gets, q->gets, TRYGON_SUCCESS);
        return;
    }
    if (front)
        DL_PREPEND(q->items, it);
    else
        DL_APPEND(q->items, it);
    q->n++;
}

static bool has_room(const struct queue *q, uint64_t n)
{
    return q->maxsize == 0 || (q->n < q->maxsize && q->maxsize - q->n >= n);
}

/* Those that did not come to whom they were given, in their order. */
static void take_back(struct queue *q, struct item **list)
{
    while (!q->forced && *list != NULL) {
        struct item *it = q->gets != NULL ? *list : (*list)->prev;
        DL_DELETE(*list, it);
        offer(q, it, true);
    }
    drop_items(q, list);
}

static struct item *take_out(struct queue *q)
{
    struct item *it = q->items;
    DL_DELETE(q->items, it);
    q->n--;
    return it;
}

/* There may be room for those that wait to put. */
static void let_in(struct queue *q)
{
    while (q->puts != NULL && has_room(q, 1)) {
        struct waiter *w = q->puts;
        offer(q, w->item, false);
        w->item = NULL;
        wake(&q->puts, w, TRYGON_SUCCESS);
    }
}

/* Return the items of a list and keep them in hand; or take them back.  The
 * caller asks for them back after it was cancelled, and we know of the cancel
 * first: what is given after it would stay in hand. */
static int give(struct queue *q, trygon_call_t *call, trygon_ref_t id,
                struct item **list)
{
    struct hand *h = calloc(1, sizeof *h);
    struct item *it;
    size_t i = 0;
    int rc = h != NULL ? TRYGON_SUCCESS : TRYGON_ERR_NOMEM;
    if (trygon_call_cancelled(call))
        rc = TRYGON_ERR_CANCELLED;
    DL_FOREACH (*list, it) {
        if (rc == TRYGON_SUCCESS)
            rc = return_item(q, call, i++, it);
    }
    if (rc == TRYGON_SUCCESS) {
        h->id = id;
        h->items = *list;
        HASH_ADD(hh, q->hands, id, sizeof h->id, h);
    } else {
        free(h);
        take_back(q, list);
    }
    let_in(q);
    return rc;
}

static struct item *out_of_hand(struct queue *q, trygon_ref_t id)
{
    struct hand *h;
    HASH_FIND(hh, q->hands, &id, sizeof id, h);
    if (h == NULL)
        return NULL;
    struct item *items = h->items;
    HASH_DEL(q->hands, h);
    free(h);
    return items;
}

/* ----- methods --------------------------------------------------------------------- */

static int done(trygon_call_t *call)
{
    return trygon_call_return(call, 0, &TRYGON_BYTES("", 0));
}

static int read_request(trygon_call_t *call, struct tg_queue_request *r)
{
    trygon_value_t v;
    int rc = trygon_call_arg(call, 0, &v);
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (v.size != sizeof *r)
        return trygon_call_fail(call, TRYGON_ERR_INVALID,
                                "that is no request of a queue");
    memcpy(r, v.data, sizeof *r);
    return TRYGON_SUCCESS;
}

static int is_shut(trygon_call_t *call)
{
    return trygon_call_fail(call, TRYGON_ERR_SHUTDOWN,
                            "the queue was shut down");
}

static int is_full(trygon_call_t *call, const struct queue *q)
{
    return trygon_call_fail(
        call, TRYGON_ERR_TIMEOUT, "the queue is full: %llu of %llu",
        (unsigned long long)q->n, (unsigned long long)q->maxsize);
}

static int put(trygon_call_t *call, void *self)
{
    struct queue *q = self;
    struct tg_queue_request r;
    struct item *it;
    int rc = read_request(call, &r);
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (q->closed)
        return is_shut(call);
    if (!has_room(q, 1) && r.timeout_ms == 0)
        return is_full(call, q);
    rc = keep(q, call, 1, &it);
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (has_room(q, 1)) {
        offer(q, it, false);
        return done(call);
    }
    rc = stand(q, &q->puts, &it, r.timeout_ms);
    if (rc == TRYGON_SUCCESS)
        return done(call);
    drop_item(q, it);
    if (rc == TRYGON_ERR_SHUTDOWN)
        return is_shut(call);
    return rc == TRYGON_ERR_TIMEOUT ? is_full(call, q) : rc;
}

static int get(trygon_call_t *call, void *self)
{
    struct queue *q = self;
    struct tg_queue_request r;
    struct item *list = NULL, *it = NULL;
    int rc = read_request(call, &r);
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (q->items != NULL)
        it = take_out(q);
    else if (q->closed)
        rc = TRYGON_ERR_SHUTDOWN;
    else if (r.timeout_ms == 0)
        rc = TRYGON_ERR_TIMEOUT;
    else
        rc = stand(q, &q->gets, &it, r.timeout_ms);
    if (rc == TRYGON_ERR_SHUTDOWN)
        return is_shut(call);
    if (rc == TRYGON_ERR_TIMEOUT)
        return trygon_call_fail(call, rc, "the queue is empty");
    if (rc != TRYGON_SUCCESS)
        return rc;
    DL_APPEND(list, it);
    return give(q, call, r.id, &list);
}

static int put_n(trygon_call_t *call, void *self)
{
    struct queue *q = self;
    struct tg_queue_request r;
    struct item *list = NULL, *it;
    int rc = read_request(call, &r);
    if (rc != TRYGON_SUCCESS)
        return rc;
    size_t n = trygon_call_nargs(call) - 1;
    if (q->closed)
        return is_shut(call);
    if (!has_room(q, n) && n > 0)
        return is_full(call, q);
    for (size_t i = 0; i < n && rc == TRYGON_SUCCESS; i++) {
        rc = keep(q, call, 1 + i, &it);
        if (rc == TRYGON_SUCCESS)
            DL_APPEND(list, it);
    }
    while (rc == TRYGON_SUCCESS && (it = list) != NULL) {
        DL_DELETE(list, it);
        offer(q, it, false);
    }
    drop_items(q, &list);
    return rc == TRYGON_SUCCESS ? done(call) : rc;
}

static int get_n(trygon_call_t *call, void *self)
{
    struct queue *q = self;
    struct tg_queue_request r;
    struct item *list = NULL;
    int rc = read_request(call, &r);
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (r.n > q->n && q->closed)
        return is_shut(call);
    if (r.n > q->n)
        return trygon_call_fail(
            call, TRYGON_ERR_TIMEOUT, "the queue has %llu, not %llu",
            (unsigned long long)q->n, (unsigned long long)r.n);
    for (uint64_t i = 0; i < r.n; i++) {
        struct item *it = take_out(q);
        DL_APPEND(list, it);
    }
    return give(q, call, r.id, &list);
}

static int took(trygon_call_t *call, void *self)
{
    struct tg_queue_request r;
    int rc = read_request(call, &r);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct item *items = out_of_hand(self, r.id);
    drop_items(self, &items);
    return TRYGON_SUCCESS;
}

static int leave(trygon_call_t *call, void *self)
{
    struct tg_queue_request r;
    int rc = read_request(call, &r);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct item *items = out_of_hand(self, r.id);
    take_back(self, &items);
    return TRYGON_SUCCESS;
}

static int size(trygon_call_t *call, void *self)
{
    const struct queue *q = self;
    return trygon_call_return(call, 0, &TRYGON_BYTES(&q->n, sizeof q->n));
}

static int shut(trygon_call_t *call, void *self)
{
    struct queue *q = self;
    struct tg_queue_request r;
    int rc = read_request(call, &r);
    if (rc != TRYGON_SUCCESS)
        return rc;
    q->closed = true;
    q->forced = q->forced || r.force != 0;
    while (q->puts != NULL)
        wake(&q->puts, q->puts, TRYGON_ERR_SHUTDOWN);
    while (q->gets != NULL)
        wake(&q->gets, q->gets, TRYGON_ERR_SHUTDOWN);
    if (q->forced) {
        drop_items(q, &q->items);
        q->n = 0;
    }
    return done(call);
}

/* ----- life ------------------------------------------------------------------------- */

static int construct(trygon_call_t *call, void **self)
{
    trygon_value_t v;
    struct queue *q = calloc(1, sizeof *q);
    int rc = trygon_call_arg(call, 0, &v);
    if (q == NULL || rc != TRYGON_SUCCESS || v.size != sizeof q->maxsize) {
        free(q);
        return rc != TRYGON_SUCCESS ? rc : TRYGON_ERR_NOMEM;
    }
    q->tg = trygon_call_runtime(call);
    memcpy(&q->maxsize, v.data, sizeof q->maxsize);
    *self = q;
    return TRYGON_SUCCESS;
}

static void destroy(trygon_t *tg, void *self)
{
    struct queue *q = self;
    struct waiter *w;
    (void)tg;
    while (q->hands != NULL) {
        struct item *items = out_of_hand(q, q->hands->id);
        drop_items(q, &items);
    }
    drop_items(q, &q->items);
    while ((w = q->spare) != NULL) {
        q->spare = w->next;
        (void)trygon_event_destroy(&w->event);
        free(w);
    }
    free(q);
}

/* A get that waits must not keep a put from coming in, nor these the rest. */
static const trygon_group_t groups[] = {{"put", 1000}, {TG_QUEUE_NOW, 1}};
static const trygon_method_t methods[] = {
    {"put", put, "put"},
    {"get", get, NULL},
    {"put_n", put_n, TG_QUEUE_NOW},
    {"get_n", get_n, TG_QUEUE_NOW},
    {"took", took, TG_QUEUE_NOW},
    {"leave", leave, TG_QUEUE_NOW},
    {"size", size, TG_QUEUE_NOW},
    {"shutdown", shut, TG_QUEUE_NOW},
};

const trygon_class_t tg_queue_class = {
    .size = sizeof tg_queue_class,
    .name = TG_QUEUE_CLASS,
    .construct = construct,
    .destroy = destroy,
    .methods = methods,
    .nmethods = sizeof methods / sizeof methods[0],
    .async = true,
    .groups = groups,
    .ngroups = sizeof groups / sizeof groups[0],
};
