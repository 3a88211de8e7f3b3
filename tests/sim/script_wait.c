/* script_wait.c - how scripts wait, and read what they waited for. */
#include <string.h>

#include "script_impl.h"

enum { REFS_TAKEN = 3 };

/* ----- reading ------------------------------------------------------------------- */

static void unpin(struct script *s, struct tg_obj *x)
{
    struct tg_event ev = {.type = TG_EV_UNPIN, .obj = x};
    script_step(s, &ev);
}

/* The slot's object has a value here, or has failed: does that fit?  It comes
 * with a hold. */
static void read_slot(struct script *s, uint32_t i, struct tg_obj *x,
                      struct sim_view *view)
{
    struct world *w = script_world(s);
    trygon_ref_t ref = s->slots.v[i].ref;
    const struct truth_obj *o = truth_obj(&w->truth, ref);
    tell_read(w, s->rank->id, x);
    if (!script_known(x)) {
        world_fail(w, "rank %d reads what is not there", (int)s->rank->id);
    } else if (x->state == TG_OBJ_FAILED) {
        x->seen = true; /* as a get does */
        outcome_seen(w, truth_of(&w->truth, ref), x);
    } else if (!tg_ref_actor(ref) && !truth_val_ok(x->val, o->key, o->size)) {
        world_fail(w, "rank %d reads a wrong value", (int)s->rank->id);
    } else if (x->val->stored) {
        script_check_view(s, view, o);
    }
    for (uint32_t j = 0; !x->val->error && j < x->val->nrefs &&
                         j < REFS_TAKEN && s->slots.n < SLOTS_MOST;
         j++) {
        struct tg_event keep = {
            .type = TG_EV_RETAIN, .n = 1, .refs = &tg_val_refs(x->val)[j]};
        script_must(s, script_step(s, &keep), "retain");
        script_add_slot(s, tg_val_refs(x->val)[j], true);
    }
    bool longer = s->gene->ops != NULL ? s->op.type == OP_LOOK
                                       : s->slots.v[i].pin == NULL &&
                                             tg_rng_below(&s->rng, 4) == 0;
    if (longer) {
        s->slots.v[i].pin = x;
        s->slots.v[i].view = *view;
        view->b = NULL;
        return;
    }
    sim_store_unpin(view);
    unpin(s, x);
}

/* A get of what is there already. */
static void get_slot(struct script *s, uint32_t i)
{
    const struct tg_obj *there =
        tg_objs_find(&s->rank->core->objs, s->slots.v[i].ref);
    if (there->state == TG_OBJ_READY && there->val->stored) {
        script_glance(s, there->val,
                      truth_obj(&script_world(s)->truth, there->ref));
        return;
    }
    struct tg_obj *x = NULL;
    struct sim_view none = {0};
    struct tg_wait_req req = {.kind = TG_WAIT_ALL,
                              .n = 1,
                              .refs = &s->slots.v[i].ref,
                              .pins = &x,
                              .fetch = true,
                              .exec = s->exec,
                              .deadline_ns = TG_NEVER};
    struct tg_event ev = {.type = TG_EV_WAIT, .wait = &req};
    script_must(s, script_step(s, &ev), "get");
    if (ev.waiter != NULL)
        world_fail(script_world(s), "rank %d waits for what is there",
                   (int)s->rank->id);
    read_slot(s, i, x, &none);
}

static bool slot_ready(const struct script *s, uint32_t i, bool fetch)
{
    const struct tg_obj *x =
        tg_waits_obj(&s->rank->core->waits, s->slots.v[i].ref);
    return fetch ? script_known(x) : x->state != TG_OBJ_PENDING;
}

static uint32_t slots_ready(const struct script *s, const struct op *op,
                            bool fetch, bool *failed)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < op->n; i++) {
        bool ready = slot_ready(s, op->slot[i], fetch);
        const struct tg_obj *x =
            tg_waits_obj(&s->rank->core->waits, s->slots.v[op->slot[i]].ref);
        n += ready;
        *failed = *failed || (ready && x->state == TG_OBJ_FAILED);
    }
    return n;
}

/* ----- waiting --------------------------------------------------------------------- */

static void set_more(struct script *s);

static void got(struct script *s)
{
    bool failed = false;
    uint32_t n = slots_ready(s, &s->op, true, &failed);
    if (n < s->op.n && !failed && !world_remakes(script_world(s)))
        world_fail(script_world(s), "rank %d: a get came back too early",
                   (int)s->rank->id);
    if (!script_look(s))
        return;
    for (uint32_t i = 0; i < s->op.n; i++) {
        struct tg_obj *x = s->pins[i];
        bool here = script_known(x) &&
                    (x->val->error || !x->val->stored || s->views[i].b != NULL);
        if (here)
            read_slot(s, s->op.slot[i], x, &s->views[i]);
        else
            unpin(s, x);
    }
    script_no_views(s);
}

/* The wait is over with rc. */
static void after_wait(struct script *s, int rc, uint64_t deadline_ns)
{
    struct world *w = script_world(s);
    const struct tg_exec *e = script_exec(s);
    bool failed = false;
    s->state = SCRIPT_GOING;
    if (rc == TRYGON_ERR_CANCELLED) {
        if (e == NULL || !e->cancelled)
            world_fail(w, "a wait was cancelled without reason");
        if (s->making != NULL)
            script_named(s, rc);
        script_end(s, TRYGON_ERR_CANCELLED);
        return;
    }
    if (s->op.type == OP_NAME || s->op.type == OP_FIND) {
        script_named(s, rc);
        return;
    }
    if (rc == TRYGON_ERR_TIMEOUT && world_now(s->rank) < deadline_ns)
        world_fail(w, "a wait timed out too early");
    if (s->in_line) {
        script_room_came(s, rc);
        return;
    }
    if (rc != TRYGON_ERR_TIMEOUT)
        script_must(s, rc, "a wait");
    bool gets = s->op.type == OP_GET || s->op.type == OP_LOOK;
    if (gets && rc == TRYGON_SUCCESS)
        got(s);
    else if (gets)
        script_no_views(s);
    if (s->op.type == OP_WAIT && rc == TRYGON_SUCCESS && !world_remakes(w) &&
        slots_ready(s, &s->op, false, &failed) < s->op.need)
        world_fail(w, "rank %d: a wait came back too early", (int)s->rank->id);
    if (s->op.type == OP_NEXT && rc == TRYGON_SUCCESS)
        script_next_came(s);
    if (s->op.type == OP_SET) {
        s->op.need = rc == TRYGON_SUCCESS ? s->op.need : s->taken;
        set_more(s);
    }
}

void script_begin_wait(struct script *s, struct tg_wait_req *req)
{
    req->exec = s->exec;
    req->cookie = s;
    req->deadline_ns = s->op.ns == 0 ? TG_NEVER : world_now(s->rank) + s->op.ns;
    struct tg_event ev = {.type = TG_EV_WAIT, .wait = req};
    int rc = script_step(s, &ev);
    if (s->op.type == OP_AWAIT && rc == TRYGON_SUCCESS &&
        s->rank->flag_set != (ev.waiter == NULL))
        world_fail(script_world(s), "rank %d: a flag is not what it was",
                   (int)s->rank->id);
    if (rc == TRYGON_SUCCESS && ev.waiter != NULL) {
        s->waiter = ev.waiter->self;
        s->state = SCRIPT_BLOCKED;
        return;
    }
    after_wait(s, rc, req->deadline_ns);
}

static void check_table(struct script *s, const struct tg_waiter *x)
{
    const struct world *w = script_world(s);
    bool ok = x->nrows == (uint32_t)w->nranks;
    for (uint32_t i = 0; ok && i < x->nrows; i++)
        ok = x->rows[i].rank == (int32_t)i &&
             memcmp(x->rows[i].total, w->opts.machine.total[i],
                    sizeof x->rows[i].total) == 0;
    if (!ok)
        world_fail(w, "a wrong picture of the machine");
}

void script_woken(struct script *s, uint64_t waiter)
{
    const struct tg_waiter *x = tg_waits_find(&s->rank->core->waits, waiter);
    if (s->state != SCRIPT_BLOCKED || s->waiter != waiter || x == NULL ||
        !x->done)
        world_fail(script_world(s), "rank %d: woken without reason",
                   (int)s->rank->id);
    int32_t rc = x->rc;
    uint64_t deadline = x->deadline_ns;
    if (s->op.type == OP_QUERY && rc == TRYGON_SUCCESS)
        check_table(s, x);
    if (s->op.type >= OP_NAME && s->op.type <= OP_ACTORS &&
        rc == TRYGON_SUCCESS)
        script_answered(s, x);
    struct tg_event ev = {.type = TG_EV_WAIT_END, .handle = waiter};
    script_step(s, &ev);
    after_wait(s, rc, deadline);
    if (s->state == SCRIPT_GOING)
        script_go(s);
}

void script_wait_slots(struct script *s, enum tg_wait_kind kind, bool fetch)
{
    trygon_ref_t refs[OP_SLOTS];
    for (uint32_t i = 0; i < s->op.n; i++)
        refs[i] = s->slots.v[s->op.slot[i]].ref;
    struct tg_wait_req req = {.kind = kind,
                              .n = s->op.n,
                              .need = s->op.need,
                              .refs = refs,
                              .pins = fetch ? s->pins : NULL,
                              .fetch = fetch};
    script_begin_wait(s, &req);
}

/* ----- flags ------------------------------------------------------------------------ */

void script_flag(struct script *s)
{
    struct sim_rank *r = s->rank;
    if (r->flag == 0) {
        struct tg_event ev = {.type = TG_EV_FLAG_NEW};
        script_must(s, script_step(s, &ev), "a new flag");
        r->flag = ev.handle;
    }
    if (s->op.type == OP_AWAIT) {
        struct tg_wait_req req = {.kind = TG_WAIT_FLAG, .set = r->flag};
        script_begin_wait(s, &req);
        return;
    }
    struct tg_event ev = {
        .type = TG_EV_FLAG_SET, .handle = r->flag, .tag = s->op.need};
    script_must(s, script_step(s, &ev), "set a flag");
    r->flag_set = s->op.need != 0;
}

/* ----- wait sets -------------------------------------------------------------------- */

/* False: its bytes have left meanwhile. */
static bool set_take(struct script *s)
{
    struct tg_event ev = {.type = TG_EV_SET_TAKE, .handle = s->set};
    int rc = script_step(s, &ev);
    if (rc == TRYGON_ERR_TIMEOUT && script_world(s)->opts.store.from > 0)
        return false;
    script_must(s, rc, "take");
    uint32_t slot = (uint32_t)ev.tag;
    if (slot >= s->slots.n || !tg_ref_eq(s->slots.v[slot].ref, ev.ref))
        world_fail(script_world(s), "a wait set mixed up its tags");
    if (s->slots.v[slot].stream) {
        s->op.slot[0] = slot;
        script_next_came(s);
    } else {
        get_slot(s, slot);
    }
    s->taken++;
    return true;
}

static void set_more(struct script *s)
{
    const struct tg_set *set = tg_slab_get(&s->rank->core->waits.sets, s->set);
    while (set->ready != NULL && s->taken < s->op.need && set_take(s))
        continue;
    if (s->taken < s->op.need) {
        struct tg_wait_req req = {.kind = TG_WAIT_SET, .set = s->set};
        script_begin_wait(s, &req);
        return;
    }
    struct tg_event ev = {.type = TG_EV_SET_FREE, .handle = s->set};
    script_step(s, &ev);
    s->set = 0;
}

void script_set_begin(struct script *s)
{
    struct tg_event ev = {.type = TG_EV_SET_NEW};
    script_must(s, script_step(s, &ev), "a new set");
    s->set = ev.handle;
    s->taken = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->op.n; i++) {
        struct tg_event add = {.type = TG_EV_SET_ADD,
                               .handle = s->set,
                               .ref = s->slots.v[s->op.slot[i]].ref,
                               .tag = s->op.slot[i]};
        int rc = script_step(s, &add);
        if (rc != TRYGON_ERR_EXISTS)
            script_must(s, rc, "add");
        n += rc == TRYGON_SUCCESS;
    }
    if (s->op.need > n)
        s->op.need = n;
    set_more(s);
}
