/* script_stream.c - scripts that yield items, of tasks and of methods, and that
 * read them. */
#include "script_impl.h"

uint64_t script_item_key(const struct gene *g, uint64_t i)
{
    return tg_mix64(g->seed ^ (i + 1) << 20);
}

uint64_t script_item_size(const struct gene *g, uint64_t i)
{
    return i % 4 == 0 ? g->result_size : 16;
}

static const char *task_of(const struct truth_task *t)
{
    static char text[32];
    snprintf(text, sizeof text, "%d.%u", (int)t->owner,
             (unsigned)(t->number & 0xffffff));
    return text;
}

/* ----- yielding ------------------------------------------------------------------- */

void script_yield(struct script *s)
{
    struct world *w = script_world(s);
    const struct truth_task *t = s->task;
    const struct tg_exec *e = script_exec(s);
    uint64_t i = e->yielded;
    bool read = !t->closed && !t->cancelled && !e->cancelled &&
                rank_lives(w, t->owner) && !world_remakes(w);
    if (read && i >= t->taken && i - t->taken >= t->limit)
        world_fail(w, "task %u yields item %u when %u are taken", t->id,
                   (unsigned)i, (unsigned)t->taken);
    struct tg_event ev = {.type = TG_EV_YIELD, .tag = s->exec};
    ev.val = script_value(s, 0, script_item_key(t->gene, i),
                          script_item_size(t->gene, i), s->op.n, s->op.slot);
    int rc = script_step(s, &ev);
    if (rc == TRYGON_ERR_CANCELLED && e->cancelled) {
        script_discard(s, ev.val);
        tg_val_drop(&ev.val);
        script_end(s, TRYGON_ERR_CANCELLED);
        return;
    }
    script_must(s, rc, "yield");
    tell(w, s->rank->id, "yields %u of %s", (unsigned)i, task_of(t));
    struct tg_wait_req req = {.kind = TG_WAIT_YIELD};
    if (tg_exec_ahead(e))
        script_begin_wait(s, &req);
}

/* ----- reading -------------------------------------------------------------------- */

/* Only this item is lost. */
static bool of_store(int32_t code)
{
    return code == TRYGON_ERR_OBJECT_LOST || code == TRYGON_ERR_IO ||
           code == TRYGON_ERR_FREED;
}

/* Why it may be the last item. */
static bool error_fits(const struct world *w, const struct truth_task *t,
                       const struct trygon_error *e)
{
    switch (e->code) {
    case TRYGON_ERR_TASK: return e->user_code == t->gene->fail_code;
    case TRYGON_ERR_WORKER_LOST: return w->nlost > 0 && !t->call;
    case TRYGON_ERR_ACTOR_DIED:
    case TRYGON_ERR_ACTOR_UNAVAILABLE: return t->call;
    case TRYGON_ERR_CANCELLED:
    case TRYGON_ERR_DEPENDENCY:
    case TRYGON_ERR_UNSCHEDULABLE: return true; /* as outcome.c has seen */
    case TRYGON_ERR_FREED: return w->stats.freed > 0;
    case TRYGON_ERR_OBJECT_LOST: return w->nlost > 0;
    case TRYGON_ERR_IO:
    case TRYGON_ERR_STORE_FULL: return outcome_disk_fails(w);
    default: return false;
    }
}

static void check_item(struct script *s, struct truth_task *t,
                       struct truth_obj *o, const struct tg_obj *x)
{
    struct world *w = script_world(s);
    uint64_t i = t->taken++;
    o->task = t->id;
    o->item = true;
    o->key = script_item_key(t->gene, i);
    o->size = script_item_size(t->gene, i);
    o->failed = x->state == TG_OBJ_FAILED;
    if (t->error_taken || t->over)
        world_fail(w, "an item of task %u after its end", t->id);
    if (o->failed && !error_fits(w, t, tg_val_err(x->val, 0)))
        world_fail(w, "item %u of task %u is an error without reason: %d",
                   (unsigned)i, t->id, (int)tg_val_err(x->val, 0)->code);
    if (!o->failed &&
        (i >= t->gene->yields || !truth_val_ok(x->val, o->key, o->size)))
        world_fail(w, "item %u of task %u is wrong", (unsigned)i, t->id);
    t->last_failed = o->failed;
    t->error_taken = o->failed && !of_store(tg_val_err(x->val, 0)->code);
    if (!o->failed)
        script_glance(s, x->val, o);
}

static int take(struct script *s)
{
    struct world *w = script_world(s);
    trygon_ref_t stream = s->slots.v[s->op.slot[0]].ref;
    struct truth_task *t = truth_of(&w->truth, stream);
    uint64_t i = t->taken;
    /* The step may let its task go on, which looks at what is taken. */
    const struct tg_obj *x = tg_waits_obj(&s->rank->core->waits, stream);
    struct truth_obj *o = NULL;
    if (script_known(x) && x->val != s->rank->core->streams.end) {
        o = truth_obj_new(&w->truth, x->ref);
        check_item(s, t, o, x);
    }
    struct tg_event ev = {.type = TG_EV_NEXT, .ref = stream};
    int rc = script_step(s, &ev);
    if ((rc == TRYGON_SUCCESS) != (o != NULL) ||
        (rc == TRYGON_SUCCESS && !tg_ref_eq(ev.ref, o->ref)))
        world_fail(w, "item %u of task %u is not what was ready", (unsigned)i,
                   t->id);
    if (rc == TRYGON_SUCCESS) {
        tell(w, s->rank->id, "takes %u of %s", (unsigned)i, task_of(t));
        script_add_slot(s, ev.ref, true);
    } else if (rc == TRYGON_ERR_END) {
        if (!t->last_failed && t->taken != t->gene->yields)
            world_fail(w, "task %u yielded %u items, %u came", t->id,
                       t->gene->yields, (unsigned)t->taken);
        tell(w, s->rank->id, "finds the end of %s", task_of(t));
        t->over = true;
    } else if (rc != TRYGON_ERR_TIMEOUT || t->over) {
        world_fail(w, "the next of task %u gave %d", t->id, rc);
    }
    return rc;
}

void script_next_came(struct script *s)
{
    if (take(s) == TRYGON_ERR_TIMEOUT)
        world_fail(script_world(s), "rank %d was told of an item too early",
                   (int)s->rank->id);
}

void script_next(struct script *s)
{
    if (take(s) != TRYGON_ERR_TIMEOUT)
        return;
    struct tg_wait_req req = {.kind = TG_WAIT_NEXT,
                              .n = 1,
                              .need = 1,
                              .refs = &s->slots.v[s->op.slot[0]].ref,
                              .fetch = true};
    script_begin_wait(s, &req);
}
