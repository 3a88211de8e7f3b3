/* script_store.c - scripts that make large values in place, and read them.
 *
 * They do as the interface does: whoever writes gets room, perhaps waits for
 * it, writes, and seals; whoever reads waits until the bytes are here, pins
 * them, and waits again if they have left meanwhile.
 */
#include "script_impl.h"

static const struct store_opts *opts(const struct script *s)
{
    return &s->rank->w->opts.store;
}

static bool large(const struct script *s, uint64_t size)
{
    return opts(s)->from > 0 && size > opts(s)->from;
}

/* ----- room ------------------------------------------------------------------ */

static void need(struct script *s, uint32_t i, uint64_t key, uint64_t size,
                 bool result)
{
    if (large(s, size))
        s->rooms[i] = (struct room){.size = size, .key = key, .result = result};
}

void script_plan_rooms(struct script *s)
{
    const struct op *op = &s->op;
    const struct truth_task *t = s->task;
    if (op->type == OP_PUT) {
        s->put_key = tg_rng_next(&s->rng);
        need(s, 0, s->put_key, op->size, false);
    } else if (op->type == OP_SUBMIT) {
        for (uint32_t i = 0; i < op->plan->nargs; i++)
            if (!op->plan->args[i].by_ref)
                need(s, i, script_arg_key(&op->plan->gene, i),
                     op->plan->args[i].size, false);
    } else if (op->type == OP_YIELD) {
        uint64_t i = script_exec(s)->yielded;
        need(s, 0, script_item_key(t->gene, i), script_item_size(t->gene, i),
             true);
    } else if (op->type == OP_END && t != NULL && op->code == 0 &&
               !t->creates && t->nreturns > 0) {
        need(s, 0, script_result_key(t->gene, 0), t->gene->result_size, true);
    }
}

static void ask(struct script *s, struct room *x)
{
    struct tg_room room = {.size = x->size, .exec = s->exec};
    struct tg_event ev = {.type = TG_EV_ROOM, .room = &room};
    sim_store_look(s->rank, true);
    script_must(s, script_step(s, &ev), "room");
    x->blob = room.blob;
}

static void give_back(struct script *s, struct room *x)
{
    struct tg_event ev = {.type = TG_EV_DISCARD, .handle = x->blob};
    if (x->blob != 0)
        script_must(s, script_step(s, &ev), "discard");
    *x = (struct room){0};
}

void script_no_rooms(struct script *s)
{
    for (uint32_t i = 0; i < TRUTH_ARGS; i++)
        give_back(s, &s->rooms[i]);
}

bool script_has_rooms(struct script *s)
{
    for (uint32_t i = 0; i < TRUTH_ARGS; i++) {
        struct room *x = &s->rooms[i];
        if (x->size == 0 || x->filled)
            continue;
        if (x->blob == 0)
            ask(s, x);
        struct tg_wait_req req = {.kind = TG_WAIT_ROOM, .set = x->blob};
        s->in_line = true;
        s->room = i;
        script_begin_wait(s, &req);
        if (s->state != SCRIPT_GOING || !s->prepared)
            return false;
    }
    return true;
}

/* A task that cannot return or yield what it is to fails; else the op is
 * skipped. */
void script_room_came(struct script *s, int rc)
{
    struct world *w = script_world(s);
    struct room *x = &s->rooms[s->room];
    s->in_line = false;
    if (rc == TRYGON_SUCCESS) {
        unsigned char *bytes = sim_store_room(s->rank, x->blob);
        if (bytes == NULL)
            world_fail(w, "rank %d has no room after all", (int)s->rank->id);
        truth_fill(x->key, x->size, bytes);
        x->filled = true;
        return;
    }
    if (rc != TRYGON_ERR_TIMEOUT &&
        (rc != TRYGON_ERR_STORE_FULL || opts(s)->full + opts(s)->broken == 0))
        world_fail(w, "rank %d waits for room: %d", (int)s->rank->id, rc);
    w->stats.refused++;
    tell(w, s->rank->id, "gets no room: %d", rc);
    s->prepared = false;
    script_no_rooms(s);
    if (s->op.type == OP_END || s->op.type == OP_YIELD)
        script_end(s, rc);
}

/* NULL: there is none. */
static struct tg_val *room_val(struct script *s, uint32_t i, uint32_t n,
                               const uint32_t *slots)
{
    struct room *x = &s->rooms[i];
    if (x->blob == 0)
        return NULL;
    struct tg_val *v = tg_val_new_stored(x->size, 0, n, s->rank->id, x->blob);
    for (uint32_t j = 0; j < n; j++)
        tg_val_refs(v)[j] = s->slots.v[slots[j]].ref;
    struct tg_event ev = {
        .type = TG_EV_SEAL, .val = v, .tag = x->result ? s->exec : 0};
    script_must(s, script_step(s, &ev), "seal");
    *x = (struct room){0};
    return v;
}

/* In room i of its own, if it is large. */
struct tg_val *script_value(struct script *s, uint32_t i, uint64_t key,
                            uint64_t size, uint32_t n, const uint32_t *slots)
{
    struct tg_val *v = room_val(s, i, n, slots);
    return v != NULL ? v : script_make_val(s, key, size, n, slots);
}

/* It has become no object. */
void script_discard(struct script *s, const struct tg_val *v)
{
    struct tg_event ev = {.type = TG_EV_DISCARD};
    if (v == NULL || !v->stored)
        return;
    ev.handle = tg_val_place(v)->blob;
    script_must(s, script_step(s, &ev), "discard");
}

/* Some of them may be no objects of a store. */
void script_free_values(struct script *s)
{
    struct world *w = script_world(s);
    trygon_ref_t refs[OP_SLOTS];
    for (uint32_t i = 0; i < s->op.n; i++) {
        refs[i] = s->slots.v[s->op.slot[i]].ref;
        truth_obj_new(&w->truth, refs[i])->freed = true;
    }
    w->stats.freed += s->op.n;
    struct tg_event ev = {.type = TG_EV_FREE, .n = s->op.n, .refs = refs};
    script_must(s, script_step(s, &ev), "free");
}

/* ----- reading ------------------------------------------------------------------ */

bool script_known(const struct tg_obj *x)
{
    return x->state == TG_OBJ_FAILED ||
           (x->state == TG_OBJ_READY && x->val != NULL);
}

static void check_bytes(struct script *s, const struct sim_view *view,
                        uint64_t key, uint64_t size)
{
    if (s->rank->lost) /* its node may have forgotten it */
        return;
    if (view->b->size != size || !truth_bytes_ok(key, size, view->b->memory))
        world_fail(script_world(s), "rank %d reads wrong bytes of blob %u",
                   (int)s->rank->id, view->b->number);
}

/* It has left meanwhile: the core is to get it again. */
static void say_away(struct script *s, struct tg_obj *x)
{
    struct world *w = script_world(s);
    const struct tg_place *p = tg_val_place(x->val);
    const int32_t *node = w->opts.machine.node;
    w->stats.away++;
    if (p->rank == s->rank->id || node[p->rank] != node[s->rank->id])
        return;
    struct tg_event ev = {.type = TG_EV_AWAY, .obj = x};
    script_must(s, script_step(s, &ev), "away");
}

/* False: it is stored, and not here. */
static bool look(struct script *s, struct tg_obj *x, struct sim_view *view)
{
    if (!script_known(x))
        return false; /* it was lost meanwhile */
    if (x->state == TG_OBJ_FAILED || !x->val->stored || view->b != NULL)
        return true;
    if (sim_store_pin(s->rank, x->val, view)) {
        struct tg_event ev = {.type = TG_EV_USED, .handle = view->b->handle};
        if (view->at == s->rank)
            script_must(s, script_step(s, &ev), "used");
        return true;
    }
    say_away(s, x);
    return false;
}

/* Some lack: only the oldest one keeps what it has pinned (rank/lend.c). */
static void take_turn(struct script *s, struct sim_view *views, uint32_t n)
{
    struct tg_store *store = &s->rank->core->store;
    if (s->turn == 0)
        s->turn = tg_store_turn(store);
    for (uint32_t i = 0; i < n && !tg_store_first(store, s->turn); i++)
        sim_store_unpin(&views[i]);
}

static void end_turn(struct script *s)
{
    tg_store_turn_end(&s->rank->core->store, s->turn);
    s->turn = 0;
}

bool script_look(struct script *s)
{
    bool all = true, failed = false;
    for (uint32_t i = 0; i < s->op.n; i++) {
        struct tg_obj *x = s->pins[i];
        failed = failed || x->state == TG_OBJ_FAILED;
        if (!script_known(x) || !look(s, x, &s->views[i]))
            all = false;
    }
    if (all || failed) {
        end_turn(s);
        return true;
    }
    take_turn(s, s->views, s->op.n);
    for (uint32_t i = 0; i < s->op.n; i++) {
        struct tg_event ev = {.type = TG_EV_UNPIN, .obj = s->pins[i]};
        script_step(s, &ev);
    }
    script_wait_slots(s, TG_WAIT_ALL, true);
    return false;
}

void script_check_view(struct script *s, const struct sim_view *view,
                       const struct truth_obj *o)
{
    check_bytes(s, view, o->key, o->size);
}

void script_no_views(struct script *s)
{
    end_turn(s);
    for (uint32_t i = 0; i < OP_SLOTS; i++)
        sim_store_unpin(&s->views[i]);
}

void script_glance(struct script *s, const struct tg_val *v,
                   const struct truth_obj *o)
{
    struct sim_view view;
    if (!v->stored || !sim_store_pin(s->rank, v, &view))
        return;
    check_bytes(s, &view, o->key, o->size);
    sim_store_unpin(&view);
}

/* ----- arguments ------------------------------------------------------------------ */

static struct tg_obj *arg_obj(const struct script *s, const struct tg_item *it)
{
    return it->val == NULL ? tg_objs_find(&s->rank->core->objs, it->ref) : NULL;
}

static void wait_for_args(struct script *s, uint32_t n,
                          const trygon_ref_t *refs)
{
    struct tg_wait_req req = {
        .kind = TG_WAIT_ALL, .n = n, .need = n, .refs = refs, .fetch = true};
    script_begin_wait(s, &req);
}

static void check_arg(struct script *s, const struct tg_item *it,
                      const struct truth_arg *arg)
{
    const struct tg_val *v = it->val;
    if (v == NULL) {
        const struct tg_obj *x = tg_objs_find(&s->rank->core->objs, it->ref);
        v = x != NULL && script_known(x) ? x->val : NULL;
    }
    if (!truth_val_ok(v, arg->key, arg->size))
        world_fail(script_world(s), "rank %d: task %u has a wrong argument",
                   (int)s->rank->id, s->task->id);
    for (uint32_t i = 0; i < v->nrefs && s->slots.n < SLOTS_MOST; i++)
        script_add_slot(s, tg_val_refs(v)[i], false);
}

static void take_args(struct script *s)
{
    const struct tg_exec *e = script_exec(s);
    const struct truth_task *t = s->task;
    const struct tg_item *args = tg_items_at(&e->args);
    if (e->args.n != t->nargs ||
        e->nreturns != (t->creates ? 0 : t->nreturns) || e->fn != t->gene->fn)
        world_fail(script_world(s), "task %u is not what was submitted", t->id);
    for (uint32_t i = 0; i < e->args.n; i++)
        check_arg(s, &args[i], &t->args[i]);
}

/* What was pinned stays so until the end. */
void script_start(struct script *s)
{
    const struct tg_exec *e = script_exec(s);
    const struct tg_item *args = tg_items_at(&e->args);
    trygon_ref_t missing[TRUTH_ARGS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->args.n; i++) {
        struct tg_obj *x = arg_obj(s, &args[i]);
        if (x != NULL && x->state == TG_OBJ_FAILED) {
            s->starting = false;
            outcome_seen(script_world(s),
                         truth_of(&script_world(s)->truth, x->ref), x);
            script_end(s, tg_val_err(x->val, 0)->code);
            return;
        }
        if (x != NULL && !look(s, x, &s->args[i]))
            missing[n++] = args[i].ref;
    }
    if (n > 0) {
        take_turn(s, s->args, e->args.n);
        wait_for_args(s, n, missing);
        return;
    }
    end_turn(s);
    s->starting = false;
    for (uint32_t i = 0; i < e->args.n; i++)
        if (s->args[i].b != NULL)
            check_bytes(s, &s->args[i], s->task->args[i].key,
                        s->task->args[i].size);
    take_args(s);
}

void script_no_args(struct script *s)
{
    for (uint32_t i = 0; i < TRUTH_ARGS; i++)
        sim_store_unpin(&s->args[i]);
}
