/* script_name.c - what scripts do about names of actors, detached actors, weak
 * handles, and the ends of actors. */
#include <stdlib.h>
#include <string.h>

#include "script_impl.h"

static struct tg_name name_of(const char *text)
{
    struct tg_name n = {{0}, {0}};
    if (text != NULL)
        memcpy(n.name, text, strlen(text));
    return n;
}

static struct tg_create create_of(const struct plan *p, uint64_t ticket)
{
    struct tg_create c = p->create;
    c.name = name_of(p->name);
    c.ticket = ticket;
    return c;
}

static void give_back(struct script *s, uint64_t ticket)
{
    struct tg_event ev = {.type = TG_EV_UNNAME, .handle = ticket};
    if (ticket != 0)
        script_must(s, script_step(s, &ev), "unname");
}

/* ----- names ------------------------------------------------------------------- */

static void ask(struct script *s, enum tg_name_op op, const char *text,
                uint32_t fn)
{
    struct tg_name name = name_of(text);
    struct tg_msg_name m = {.op = op, .fn = fn, .name = &name};
    struct tg_wait_req req = {.kind = TG_WAIT_NAME, .name = &m};
    script_begin_wait(s, &req);
}

void script_has_name(struct world *w, struct truth_task *t)
{
    struct truth *truth = &w->truth;
    uint32_t i = 0;
    while (i < truth->names.n && strcmp(truth->names.v[i].name, t->name) != 0)
        i++;
    if (i == truth->names.n) {
        *tg_vec_add(&truth->names) = (struct truth_name){t->name, t->id};
        return;
    }
    const struct truth_task *old = truth->tasks.v[truth->names.v[i].task];
    trygon_ref_t ref = old->results[0];
    if (!outcome_over(w, ref))
        world_fail(w, "the name %s is that of tasks %u and %u", t->name,
                   old->id, t->id);
    const struct sim_rank *r = &w->ranks[tg_ref_rank(ref)];
    const struct tg_obj *x = tg_objs_find(&r->core->objs, ref);
    if (!r->lost && !old->detached && x != NULL &&
        strstr(tg_val_err(x->val, 0)->text, "its rank was lost") != NULL)
        world_fail(w, "task %u has the name of a crashed one that is held",
                   t->id);
    truth->names.v[i].task = t->id;
}

/* A handle that the head gave for a name: a weak one, of that name's actor. */
static void take_handle(struct script *s, const char *name, int32_t fn)
{
    struct world *w = script_world(s);
    const struct truth_task *t = truth_of(&w->truth, s->got);
    if (t == NULL || !t->creates || t->name == NULL || !tg_ref_weak(s->got) ||
        strcmp(t->name, name) != 0 || (fn >= 0 && t->gene->fn != (uint32_t)fn))
        world_fail(w, "rank %d finds another actor than %s", (int)s->rank->id,
                   name);
    tell(w, s->rank->id, "finds %d.%u", (int)t->owner,
         (unsigned)(t->number & 0xffffff));
    script_add_slot(s, s->got, true);
}

void script_find(struct script *s)
{
    ask(s, TG_NAME_FIND, s->op.name, 0);
}

/* ----- detached actors ------------------------------------------------------------ */

/* Which one is it? */
static struct truth_task *made_of(const struct world *w, int32_t from,
                                  uint64_t waiter)
{
    for (uint32_t i = w->truth.tasks.n; i-- > 0;) {
        struct truth_task *t = w->truth.tasks.v[i];
        if (t->detached && t->asked_by == from && t->waiter == waiter)
            return t;
    }
    world_fail(w, "rank 0 creates what nobody asked for");
}

/* It may start in the step that submits it. */
static void will_be_rank_0s(struct world *w, struct truth_task *t)
{
    t->number = w->ranks[0].core->owner.submitted + 1;
    *tg_vec_add(&w->ranks[0].numbered) = t->id;
}

struct truth_task *world_detaches(struct world *w, int32_t from,
                                  const struct tg_msg *m)
{
    if (m->type != TG_MSG_CREATE)
        return NULL;
    struct truth_task *t = made_of(w, from, m->u.create.waiter);
    will_be_rank_0s(w, t);
    return t;
}

static const struct tg_task *task_of(const struct tg_owner *o, uint64_t number)
{
    uint32_t slot = 0;
    const struct tg_task *t;
    while ((t = tg_slab_next(&o->tasks, &slot)) != NULL)
        if (t->number == number)
            return t;
    return NULL;
}

void world_detached(struct world *w, struct truth_task *t)
{
    struct sim_rank *r = &w->ranks[0];
    if (r->core->owner.submitted != t->number) { /* it was refused */
        r->numbered.n--;
        t->ended = true;
        t->creates = false;
        return;
    }
    const struct tg_task *x = task_of(&r->core->owner, t->number);
    if (x == NULL)
        world_fail(w, "task %u ended before it began", t->id);
    t->handle = x->self;
    t->results[0] = x->result1->ref;
    truth_obj_new(&w->truth, t->results[0])->task = t->id;
    *tg_vec_add(&r->live) = t->id;
    if (t->name != NULL)
        script_has_name(w, t);
    w->stats.tasks++;
    tell(w, 0, "submits 0.%u%s%s", (unsigned)(t->number & 0xffffff),
         t->gene->name != NULL ? " " : "",
         t->gene->name != NULL ? t->gene->name : "");
    world_submitted(w);
}

static void detach(struct script *s, uint64_t ticket)
{
    const struct plan *p = s->op.plan;
    struct truth_task *t = script_describe(s, p);
    struct tg_create create = create_of(p, ticket);
    struct tg_spec spec;
    struct tg_items args;
    t->owner = 0;
    t->parent = UINT32_MAX;
    t->detached = true;
    t->number = 0;
    t->asked_by = s->rank->id;
    script_spec(s, p, t, &create, &spec, &args);
    free(spec.name); /* it is named by its function */
    free(spec.codes);
    struct tg_wait_req req = {.kind = TG_WAIT_CREATE, .spec = &spec};
    bool here = s->rank->id == 0;
    s->making = t;
    s->ticket = ticket;
    if (here)
        will_be_rank_0s(script_world(s), t);
    script_begin_wait(s, &req);
    if (s->making == t)
        t->waiter = s->waiter;
    if (here)
        world_detached(script_world(s), t);
    tg_items_fini(&args);
}

/* It was created, or not; or nobody waits for it: then it will be killed. */
static void detached(struct script *s, int rc)
{
    struct world *w = script_world(s);
    struct truth_task *t = s->making;
    s->making = NULL;
    if (rc == TRYGON_ERR_CANCELLED) {
        t->killed = true;
        give_back(s, s->ticket);
    } else if (rc == TRYGON_ERR_SHUTDOWN &&
               (s->rank->draining || w->ranks[0].draining)) {
        give_back(s, s->ticket);
    } else {
        script_must(s, rc, "a detached actor");
        if (truth_of(&w->truth, s->got) != t)
            world_fail(w, "rank %d has another actor than it wanted",
                       (int)s->rank->id);
        tell(w, s->rank->id, "has 0.%u", (unsigned)(t->number & 0xffffff));
        script_add_slot(s, s->got, true);
    }
}

/* ----- creating, by name -------------------------------------------------------------- */

void script_name(struct script *s)
{
    const struct plan *p = s->op.plan;
    if (p->name == NULL)
        detach(s, 0);
    else
        ask(s, p->get ? TG_NAME_RESERVE_GET : TG_NAME_RESERVE, p->name,
            p->gene.fn);
}

static void reserved(struct script *s)
{
    const struct plan *p = s->op.plan;
    struct tg_create create = create_of(p, s->ticket);
    if (p->create.detached)
        detach(s, s->ticket);
    else
        script_submit(s, &create);
}

void script_named(struct script *s, int rc)
{
    struct world *w = script_world(s);
    if (s->making != NULL) {
        detached(s, rc);
    } else if (s->op.type == OP_FIND && rc == TRYGON_ERR_NOTFOUND) {
        tell(w, s->rank->id, "finds no %s", s->op.name);
    } else if (s->op.type == OP_NAME && rc == TRYGON_ERR_EXISTS) {
        tell(w, s->rank->id, "is refused the name %s", s->op.plan->name);
    } else {
        script_must(s, rc, "a name");
        if (s->op.type == OP_FIND)
            take_handle(s, s->op.name, -1);
        else if (tg_ref_none(s->got))
            reserved(s);
        else
            take_handle(s, s->op.plan->name, (int32_t)s->op.plan->gene.fn);
    }
}

/* ----- oneself, and all ------------------------------------------------------------------ */

void script_self(struct script *s)
{
    struct tg_event ev = {.type = TG_EV_SELF, .handle = s->exec};
    script_must(s, script_step(s, &ev), "self");
    if (!tg_ref_weak(ev.ref) ||
        !tg_ref_eq(tg_ref_strong(ev.ref), s->task->actor))
        world_fail(script_world(s), "a method has a handle of another actor");
    script_add_slot(s, ev.ref, true);
}

static void check_rows(const struct script *s, const struct tg_val *v)
{
    struct world *w = script_world(s);
    struct tg_actor_row row;
    uint64_t at = 0;
    while (tg_rows_next(v, &at, &row)) {
        const struct truth_task *t = truth_of(&w->truth, row.ref);
        const char *name = t != NULL && t->name != NULL ? t->name : "";
        bool dead = row.state == TG_ROW_DEAD;
        if (t == NULL || !t->creates || t->detached != row.detached ||
            strcmp(name, row.name) != 0 || dead != (row.cause[0] != '\0') ||
            (dead && !outcome_over(w, row.ref)))
            world_fail(w, "rank %d is told lies about an actor of %d",
                       (int)s->rank->id, (int)tg_ref_rank(row.ref));
        tell(w, s->rank->id, "sees %d.%u %s%s%s", (int)t->owner,
             (unsigned)(t->number & 0xffffff),
             dead                          ? "dead: "
             : row.state == TG_ROW_PENDING ? "pending"
                                           : "alive",
             row.cause, row.detached ? ", detached" : "");
    }
    if (v != NULL && at != v->size)
        world_fail(w, "a list of actors that has no end");
}

void script_answered(struct script *s, const struct tg_waiter *x)
{
    s->ticket = x->ticket;
    s->got = x->ref;
    for (int32_t r = 0; s->op.type == OP_ACTORS && r < s->rank->w->nranks; r++)
        check_rows(s, x->gather.vals[r]);
}

/* ----- actors --------------------------------------------------------------------------- */

void script_kill(struct script *s)
{
    trygon_ref_t ref = s->slots.v[s->op.slot[0]].ref;
    struct truth_task *t = truth_of(&script_world(s)->truth, ref);
    bool here = tg_ref_rank(ref) == s->rank->id &&
                tg_objs_find(&s->rank->core->objs, tg_ref_strong(ref)) != NULL;
    t->killed = t->killed || !s->op.again;
    t->soft_kills += s->op.again;
    t->killed_here = t->killed_here || (here && !s->op.again);
    if (here && t->last_attempt >= 0)
        truth_life(t, t->last_attempt)->killed_here = true;
    tell(script_world(s), s->rank->id, "kills %d.%u%s", (int)t->owner,
         (unsigned)(t->number & 0xffffff),
         s->op.again ? ", to be made again" : "");
    struct tg_event ev = {
        .type = TG_EV_KILL, .ref = ref, .recursive = !s->op.again};
    script_must(s, script_step(s, &ev), "kill");
}

void script_exit(struct script *s)
{
    struct truth_task *t = truth_of(&script_world(s)->truth, s->task->actor);
    t->exited = true;
    tell(script_world(s), s->rank->id, "exits from %d.%u", (int)s->task->owner,
         (unsigned)(s->task->number & 0xffffff));
    struct tg_event ev = {.type = TG_EV_EXIT, .handle = s->exec};
    script_must(s, script_step(s, &ev), "exit");
}
