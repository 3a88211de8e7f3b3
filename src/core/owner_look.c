/* owner_look.c - what an owner has (owner.h): why its tasks wait, and what must
 * always hold.
 */
#include <stdio.h>

#include "core/owner.h"
#include "core/owner_impl.h"

bool tg_owner_quiet(const struct tg_owner *w)
{
    return w->tasks.used == 0 && w->leases == NULL;
}

void tg_owner_why(const struct tg_owner *w, void (*line)(void *, const char *),
                  void *arg)
{
    char text[320];
    uint32_t slot = 0, waiting = 0;
    const struct tg_class *c;
    while ((c = tg_slab_next(&w->classes, &slot)) != NULL) {
        if (c->nready == 0)
            continue;
        snprintf(text, sizeof text, "%u ready, first: %s; pending: %s",
                 c->nready, tg_task_name(w, c->queue),
                 c->reason[0] != '\0' ? c->reason
                 : c->nleases > 0     ? "its leases are all busy"
                                      : "no lease granted yet");
        line(arg, text);
    }
    const struct tg_task *t;
    for (slot = 0; (t = tg_slab_next(&w->tasks, &slot)) != NULL;)
        waiting += t->state == TG_TASK_WAITING;
    if (waiting > 0) {
        snprintf(text, sizeof text, "%u waiting for arguments", waiting);
        line(arg, text);
    }
    tg_actors_why(w, line, arg);
}

static void check_class(const struct tg_owner *w, const struct tg_class *c)
{
    uint32_t nready = 0, nleases = 0, nopen = 0;
    bool known = c->leaving == NULL;
    const struct tg_task *t;
    DL_FOREACH (c->queue, t) {
        TG_ASSERT(t->state == TG_TASK_READY && t->cls == c &&
                  t->lease == NULL && t->nwait == 0);
        nready++;
    }
    const struct tg_olease *l;
    DL_FOREACH (c->room, l) {
        TG_ASSERT(l->has_room && l->state == TG_OLEASE_OPEN);
        known = known || l == c->leaving;
        nopen++;
        nleases++;
    }
    DL_FOREACH (c->full, l) {
        TG_ASSERT(!l->has_room);
        known = known || l == c->leaving;
        nopen += l->state == TG_OLEASE_OPEN;
        nleases++;
    }
    TG_ASSERT(nready == c->nready && nleases == c->nleases);
    TG_ASSERT(nopen == c->nopen && known);
    TG_ASSERT(c->queue == NULL || c->room == NULL);
    TG_ASSERT(c->ntasks >= c->nready);
    /* What the owner wants changes when another class of the same function
     * learns; the next done of an open lease tells. */
    bool asks = c->told > c->received - c->told_received;
    TG_ASSERT(tg_class_wanted(w, c) == 0 || w->ctx->dead[0] || asks ||
              (c->nopen > 0 && w->mean_ns[c->queue->fn] > 0));
}

static void check_actors(const struct tg_owner *w)
{
    const struct tg_actor *a;
    for (a = w->actors; a != NULL; a = a->hh.next) {
        uint32_t n = 0;
        const struct tg_task *t;
        DL_FOREACH (a->queue, t) {
            TG_ASSERT(t->call && t->actor == a && t->state != TG_TASK_SENT);
            const struct tg_obj *x = tg_actor_handle(w, a);
            TG_ASSERT(t->state != TG_TASK_READY || t != a->queue ||
                      x->state == TG_OBJ_PENDING || a->state != TG_ACTOR_ALIVE);
            TG_ASSERT(!t->lost || a->state == TG_ACTOR_ASKED);
            n++;
        }
        DL_FOREACH (a->sent, t) {
            TG_ASSERT(t->call && t->actor == a && t->state == TG_TASK_SENT);
            TG_ASSERT(!w->ctx->dead[a->where]);
            n++;
        }
        TG_ASSERT(n == a->ncalls && n == a->nby[0] + a->nby[1]);
        for (int weak = 0; weak < 2; weak++) {
            trygon_ref_t ref = weak ? tg_ref_weaken(a->ref) : a->ref;
            TG_ASSERT((a->nby[weak] > 0) == (a->obj[weak] != NULL));
            TG_ASSERT(a->obj[weak] == NULL ||
                      a->obj[weak] == tg_objs_find(w->objs, ref));
        }
        tg_actor_check(w, a);
    }
}

void tg_owner_check(const struct tg_owner *w)
{
    uint32_t slot = 0;
    const struct tg_class *c;
    while ((c = tg_slab_next(&w->classes, &slot)) != NULL)
        check_class(w, c);
    const struct tg_olease_entry *e;
    for (e = w->leases; e != NULL; e = e->hh.next) {
        uint32_t n = 0;
        const struct tg_task *t;
        DL_FOREACH (e->l.inflight, t) {
            TG_ASSERT(t->state == TG_TASK_SENT && t->lease == &e->l);
            n++;
        }
        TG_ASSERT(n == e->l.ninflight);
        TG_ASSERT(!w->ctx->dead[e->l.worker]);
        TG_ASSERT(n > 0 || e->l.state == TG_OLEASE_OPEN);
    }
    check_actors(w);
    uint32_t nagain = 0;
    const struct tg_task *t;
    for (slot = 0; (t = tg_slab_next(&w->tasks, &slot)) != NULL;) {
        TG_ASSERT(t->call || (t->state == TG_TASK_SENT) == (t->lease != NULL));
        TG_ASSERT(t->state == TG_TASK_KEPT ||
                  (t->state == TG_TASK_WAITING) == (t->nwait > 0));
        nagain += t->again;
    }
    TG_ASSERT(nagain == w->nagain);
    tg_lineage_check(w);
}
