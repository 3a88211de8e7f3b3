/* script.c - see script.h. */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "script_impl.h"

/* A task that spins gives up after a while: by then its cancel was lost. */
static const uint64_t spin_first = 500000, spin_most = 200000000,
                      spin_life = UINT64_C(2000000000),
                      cancel_late = UINT64_C(1000000000);

struct world *script_world(const struct script *s)
{
    return s->rank->w;
}

struct tg_exec *script_exec(const struct script *s)
{
    return tg_worker_exec(&s->rank->core->worker, s->exec);
}

int script_step(struct script *s, struct tg_event *ev)
{
    return world_step(s->rank, ev);
}

void script_must(struct script *s, int rc, const char *what)
{
    if (rc != TRYGON_SUCCESS)
        world_fail(script_world(s), "rank %d: %s gave %d", (int)s->rank->id,
                   what, rc);
}

uint32_t script_add_slot(struct script *s, trygon_ref_t ref, bool mine)
{
    *tg_vec_add(&s->slots) = (struct slot){.ref = ref, .mine = mine};
    return s->slots.n - 1;
}

/* ----- life --------------------------------------------------------------------- */

struct script *script_new(struct sim_rank *r, const struct gene *gene,
                          struct truth_task *task, uint64_t exec,
                          int32_t attempt)
{
    struct script *s = tg_alloc(sizeof *s);
    s->rank = r;
    s->gene = gene;
    s->task = task;
    s->exec = exec;
    s->attempt = attempt;
    s->rng.state = gene->seed + (gene->vary ? (uint64_t)attempt : 0);
    s->state = SCRIPT_GOING;
    s->spin_ns = spin_first;
    s->starting = task != NULL;
    DL_APPEND(r->scripts, s);
    r->nbusy++;
    return s;
}

void script_free(struct script *s)
{
    tg_vec_free(&s->slots);
    free(s);
}

/* ----- objects ------------------------------------------------------------------------ */

static void forget_slots(struct script *s, const uint32_t *v, uint32_t n)
{
    trygon_ref_t refs[SLOTS_MOST + 8];
    size_t nrefs = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct slot *x = &s->slots.v[v[i]];
        sim_store_unpin(&x->view);
        if (x->pin != NULL) {
            struct tg_event ev = {.type = TG_EV_UNPIN, .obj = x->pin};
            script_step(s, &ev);
            x->pin = NULL;
        }
        if (x->mine && !tg_ref_none(x->ref)) {
            refs[nrefs++] = x->ref;
            if (x->stream)
                truth_of(&script_world(s)->truth, x->ref)->closed = true;
        }
        x->ref = (trygon_ref_t){0, 0};
    }
    struct tg_event ev = {.type = TG_EV_RELEASE, .n = nrefs, .refs = refs};
    script_must(s, script_step(s, &ev), "release");
}

/* One that has ended is not run again for what is lost. */
static void note_cancel(struct script *s, struct truth_task *t, bool recursive)
{
    t->cancelled = true;
    bool again = script_world(s)->opts.limits.lineage_bytes > 0;
    t->recursive = t->recursive || (recursive && (!t->ended || again));
    if (t->surely || t->owner != s->rank->id)
        return;
    const struct tg_task *x =
        tg_slab_find(&s->rank->core->owner.tasks, t->handle);
    t->surely = true;
    t->surely_ns = script_world(s)->now_ns;
    t->surely_at = x != NULL ? x->attempt : INT32_MAX;
}

static void cancel_slot(struct script *s, uint32_t i, bool recursive)
{
    struct world *w = script_world(s);
    struct truth_task *t = truth_of(&w->truth, s->slots.v[i].ref);
    const struct truth_obj *o = truth_obj(&w->truth, s->slots.v[i].ref);
    if (t != NULL && !o->item)
        note_cancel(s, t, recursive);
    if (t != NULL && !t->ended && !o->item) {
        w->stats.cancels++;
        tell(w, s->rank->id, "cancels %d.%u", (int)t->owner,
             (unsigned)(t->number & 0xffffff));
    }
    s->slots.v[i].spinning = false;
    struct tg_event ev = {
        .type = TG_EV_CANCEL, .ref = s->slots.v[i].ref, .recursive = recursive};
    script_must(s, script_step(s, &ev), "cancel");
}

struct tg_val *script_make_val(struct script *s, uint64_t key, uint64_t size,
                               uint32_t n, const uint32_t *slots)
{
    struct tg_val *v = truth_val(key, size, n);
    for (uint32_t i = 0; i < n; i++)
        tg_val_refs(v)[i] = s->slots.v[slots[i]].ref;
    return v;
}

static void put(struct script *s)
{
    struct tg_event ev = {.type = TG_EV_PUT};
    ev.val = script_value(s, 0, s->put_key, s->op.size, s->op.n, s->op.slot);
    script_must(s, script_step(s, &ev), "put");
    struct truth_obj *o = truth_obj_new(&script_world(s)->truth, ev.ref);
    o->key = s->put_key;
    o->size = s->op.size;
    script_add_slot(s, ev.ref, true);
}

static void retain(struct script *s)
{
    trygon_ref_t ref = s->slots.v[s->op.slot[0]].ref;
    struct tg_event ev = {.type = TG_EV_RETAIN, .n = 1, .refs = &ref};
    script_must(s, script_step(s, &ev), "retain");
    script_add_slot(s, ref, true);
}

static void call(struct script *s)
{
    struct tg_event ev = {.type = TG_EV_CALL,
                          .ref = s->slots.v[s->op.slot[0]].ref};
    script_must(s, script_step(s, &ev), "call");
}

/* ----- submit --------------------------------------------------------------------------- */

uint64_t script_arg_key(const struct gene *g, uint32_t i)
{
    return script_result_key(g, 101 + i);
}

uint64_t script_result_key(const struct gene *g, uint32_t i)
{
    return tg_mix64(g->seed ^ ((uint64_t)i + 1) << 32);
}

static void fill_args(struct script *s, const struct plan *p,
                      struct tg_item *args, struct truth_task *t)
{
    t->nargs = p->nargs + 1;
    t->args[0] =
        (struct truth_arg){.key = script_result_key(&p->gene, 100), .size = 16};
    args[0].val = truth_val(t->args[0].key, 16, 0);
    for (uint32_t i = 0; i < p->nargs; i++) {
        const struct plan_arg *a = &p->args[i];
        struct truth_arg *out = &t->args[i + 1];
        for (uint32_t j = 0; j < (a->by_ref ? 1 : a->n); j++)
            if (tg_ref_kind(s->slots.v[a->slot[j]].ref) != TRYGON_KIND_OBJECT)
                t->handles = true;
        if (a->by_ref) {
            trygon_ref_t ref = s->slots.v[a->slot[0]].ref;
            const struct truth_obj *o = truth_obj(&script_world(s)->truth, ref);
            *out = (struct truth_arg){true, ref, o->key, o->size};
            args[i + 1].ref = ref;
            continue;
        }
        out->key = script_arg_key(&p->gene, i);
        out->size = a->size;
        args[i + 1].val = script_value(s, i, out->key, a->size, a->n, a->slot);
    }
}

static bool can_ever_run(const struct world *w, const struct tg_shape *shape)
{
    struct tg_site site = {.alive = true};
    for (int32_t r = 0; r < w->nranks; r++) {
        memcpy(site.total, w->opts.machine.total[r], sizeof site.total);
        if (tg_site_can(&site, shape))
            return true;
    }
    return false;
}

struct truth_task *script_describe(struct script *s, const struct plan *p)
{
    struct world *w = script_world(s);
    struct truth_task *t = truth_task_new(&w->truth);
    struct gene *gene = tg_alloc(sizeof *gene);
    *gene = p->gene;
    t->gene = gene;
    t->owner = s->rank->id;
    t->parent = s->task != NULL ? s->task->id : UINT32_MAX;
    t->shape = p->shape;
    t->max_retries = p->max_retries;
    t->task_retries = p->create.max_task_retries;
    t->ncodes = p->ncodes;
    memcpy(t->codes, p->codes, sizeof t->codes);
    t->nreturns = p->nreturns;
    t->limit = p->limit;
    t->hopeless = !p->shape.fail && !can_ever_run(w, &p->shape) && !p->call;
    t->creates = p->create.concurrency > 0;
    t->concurrency = p->create.concurrency;
    t->stalls = p->stalls;
    t->any_order = p->create.any_order;
    t->group = p->group;
    t->call = p->call;
    t->exec = s->exec;
    t->name = p->name;
    if (p->call) {
        t->actor = tg_ref_strong(s->slots.v[p->actor].ref);
        t->weak = tg_ref_weak(s->slots.v[p->actor].ref);
    }
    if (p->call && p->max_retries == TG_AS_ACTOR)
        t->max_retries = truth_of(&w->truth, t->actor)->task_retries;
    /* It may start within the step that submits it. */
    t->number =
        (uint64_t)s->rank->id << 40 | (s->rank->core->owner.submitted + 1);
    return t;
}

static uint64_t handle_of(const struct tg_owner *o, uint64_t number)
{
    uint32_t slot = 0;
    const struct tg_task *t;
    while ((t = tg_slab_next(&o->tasks, &slot)) != NULL)
        if (t->number == number)
            return t->self;
    return 0;
}

static void register_stream(struct script *s, struct truth_task *t,
                            trygon_ref_t ref)
{
    const struct tg_core *c = s->rank->core;
    truth_obj_new(&script_world(s)->truth, ref)->task = t->id;
    const struct tg_stream *x =
        tg_streams_of(&c->streams, tg_objs_find(&c->objs, ref));
    t->results[0] = x->done->ref;
    uint32_t at = script_add_slot(s, ref, true);
    s->slots.v[at].stream = true;
}

/* It has been submitted: which one is it? */
static void register_task(struct script *s, struct truth_task *t,
                          const trygon_ref_t *refs)
{
    struct world *w = script_world(s);
    struct sim_rank *r = s->rank;
    for (uint32_t i = 0; i < t->nreturns; i++) {
        struct truth_obj *o = truth_obj_new(&w->truth, refs[i]);
        o->task = t->id;
        o->key = script_result_key(t->gene, i);
        o->size = i == 0 ? t->gene->result_size : 16;
        t->results[i] = refs[i];
        uint32_t at = script_add_slot(s, refs[i], true);
        s->slots.v[at].spinning = i == 0 && t->gene->spin;
    }
    if (t->limit > 0)
        register_stream(s, t, refs[0]);
    if ((t->number & 0xffffffffff) != r->core->owner.submitted)
        world_fail(w, "task %u has another number", t->id);
    const struct tg_obj *x =
        t->nreturns > 0 ? tg_objs_find(&r->core->objs, refs[0]) : NULL;
    t->handle = x != NULL ? x->task : handle_of(&r->core->owner, t->number);
    *tg_vec_add(&r->live) = t->id;
    if (t->name != NULL)
        script_has_name(w, t);
    w->stats.tasks++;
    tell(w, r->id, "submits %d.%u%s%s", (int)r->id,
         (unsigned)(t->number & 0xffffff), t->gene->name != NULL ? " " : "",
         t->gene->name != NULL ? t->gene->name : "");
    outcome_scan(r);
    world_submitted(w);
}

void script_spec(struct script *s, const struct plan *p, struct truth_task *t,
                 const struct tg_create *create, struct tg_spec *spec,
                 struct tg_items *args)
{
    *spec = (struct tg_spec){.fn = p->gene.fn,
                             .nargs = p->nargs + 1,
                             .nreturns = p->nreturns,
                             .ncodes = p->ncodes,
                             .create = create,
                             .shape = &p->shape,
                             .max_retries = p->max_retries,
                             .limit = p->limit,
                             .parent = s->exec,
                             .name = tg_strdup(p->gene.name)};
    if (t->call)
        spec->actor = s->slots.v[p->actor].ref;
    spec->group = p->group;
    tg_items_init(args, spec->nargs);
    spec->args = tg_items_at(args);
    fill_args(s, p, spec->args, t);
    if (p->ncodes > 0 && p->ncodes != UINT32_MAX) {
        spec->codes = tg_alloc(sizeof p->codes);
        memcpy(spec->codes, p->codes, sizeof p->codes);
    }
}

void script_submit(struct script *s, const struct tg_create *create)
{
    const struct plan *p = s->op.plan;
    struct truth_task *t = script_describe(s, p);
    struct tg_spec spec;
    struct tg_items args;
    script_spec(s, p, t, create, &spec, &args);
    *tg_vec_add(&s->rank->numbered) = t->id;
    trygon_ref_t refs[4];
    struct tg_event ev = {
        .type = TG_EV_SUBMIT, .spec = &spec, .refs_out = refs};
    int rc = script_step(s, &ev);
    for (uint32_t i = 0; rc != TRYGON_SUCCESS && i < spec.nargs; i++)
        script_discard(s, spec.args[i].val);
    tg_items_fini(&args);
    if (rc == TRYGON_ERR_SHUTDOWN && s->rank->draining) {
        free(spec.codes);
        free(spec.name);
        s->rank->numbered.n--;
        t->ended = true; /* nobody knows of it */
        t->call = t->creates = false;
        if (create != NULL && create->ticket != 0) {
            struct tg_event back = {.type = TG_EV_UNNAME,
                                    .handle = create->ticket};
            script_step(s, &back);
        }
        return;
    }
    script_must(s, rc, "submit");
    register_task(s, t, refs);
}

/* ----- computing --------------------------------------------------------------------------- */

static void compute(struct script *s, uint64_t ns)
{
    s->state = SCRIPT_COMPUTING;
    world_at(script_world(s), ns, WORLD_GO, s->rank->id, 0, s);
}

static void spin(struct script *s)
{
    struct world *w = script_world(s);
    const struct tg_exec *e = script_exec(s);
    if (e->cancelled) {
        script_end(s, TRYGON_ERR_CANCELLED);
    } else if (s->spun_ns >= spin_life) {
        const struct truth_task *t = s->task;
        if (t->surely && t->surely_ns + cancel_late < w->now_ns &&
            !s->rank->lost && !w->ranks[t->owner].lost &&
            !w->ranks[t->owner].dead)
            world_fail(w, "task %u (%d.%u) was never told of its cancel", t->id,
                       (int)t->owner, (unsigned)(t->number & 0xffffff));
        script_end(s, 0);
    } else {
        compute(s, s->spin_ns);
        s->spun_ns += s->spin_ns;
        s->spin_ns = s->spin_ns < spin_most ? 2 * s->spin_ns : spin_most;
    }
}

/* ----- the end ------------------------------------------------------------------------------- */

static struct tg_val *user_error(struct script *s, int32_t code)
{
    const struct tg_exec *e = script_exec(s);
    struct tg_val *v =
        tg_val_error(code > 0 ? TRYGON_ERR_TASK : code, s->rank->id, e->number,
                     "script", "the script ended with %d", (int)code);
    struct trygon_error *err = (struct trygon_error *)(void *)tg_val_data(v);
    err->user_code = code > 0 ? code : 0;
    return v;
}

static void make_returns(struct script *s, struct tg_outcome *out)
{
    const struct truth_task *t = s->task;
    uint32_t n = t->creates ? 0 : t->nreturns;
    tg_items_init(&out->returns, n);
    for (uint32_t i = 0; i < n; i++) {
        bool first = i == 0;
        struct tg_val *v = script_value(s, i, script_result_key(t->gene, i),
                                        first ? t->gene->result_size : 16,
                                        first ? s->op.n : 0, s->op.slot);
        struct tg_event ev = {.type = TG_EV_KEEP, .val = v};
        script_must(s, script_step(s, &ev), "keep");
        tg_items_at(&out->returns)[i].val = v;
    }
}

static void forget_all(struct script *s)
{
    uint32_t all[SLOTS_MOST + 8];
    while (s->slots.n > 0) { /* in parts: stories may have more */
        uint32_t n = s->slots.n < SLOTS_MOST ? s->slots.n : SLOTS_MOST;
        for (uint32_t i = 0; i < n; i++)
            all[i] = s->slots.n - 1 - i;
        forget_slots(s, all, n);
        s->slots.n -= n;
    }
}

void script_end(struct script *s, int32_t code)
{
    struct world *w = script_world(s);
    if (s->set != 0) {
        struct tg_event ev = {.type = TG_EV_SET_FREE, .handle = s->set};
        script_step(s, &ev);
        s->set = 0;
    }
    for (uint32_t i = 0; i < s->slots.n; i++)
        if (s->slots.v[i].spinning && slot_live(s, i) &&
            (s->task != NULL || tg_rng_below(&s->rng, 2) == 0))
            cancel_slot(s, i, false);
    struct tg_outcome out = {.code = code};
    if (code != 0 && s->task != NULL)
        out.error = user_error(s, code);
    else if (s->task != NULL)
        make_returns(s, &out);
    script_no_rooms(s);
    script_no_views(s);
    script_no_args(s);
    forget_all(s);
    s->state = SCRIPT_OVER;
    s->rank->nbusy--;
    if (s->task == NULL) {
        world_script_over(s);
        return;
    }
    const struct tg_exec *e = script_exec(s);
    outcome_done(w, s->task, s->attempt,
                 e->actor != NULL ? e->actor->restarts : 0, code);
    tell(w, s->rank->id, "ends %d.%u with %d", (int)s->task->owner,
         (unsigned)(s->task->number & 0xffffff), (int)code);
    struct tg_event ev = {
        .type = TG_EV_DONE, .handle = s->exec, .outcome = &out};
    script_must(s, script_step(s, &ev), "done");
}

/* ----- going on ------------------------------------------------------------------------------ */

static void do_op(struct script *s)
{
    struct op *op = &s->op;
    switch (op->type) {
    case OP_COMPUTE: compute(s, op->ns); break;
    case OP_SUBMIT:
        script_submit(s, op->plan->create.concurrency > 0 ? &op->plan->create
                                                          : NULL);
        break;
    case OP_PUT: put(s); break;
    case OP_GET:
    case OP_LOOK: script_wait_slots(s, TG_WAIT_ALL, true); break;
    case OP_WAIT: script_wait_slots(s, TG_WAIT_SOME, false); break;
    case OP_SET: script_set_begin(s); break;
    case OP_CANCEL: cancel_slot(s, op->slot[0], op->recursive); break;
    case OP_RETAIN: retain(s); break;
    case OP_FREE: script_free_values(s); break;
    case OP_RELEASE: forget_slots(s, op->slot, op->n); break;
    case OP_CALL: call(s); break;
    case OP_QUERY: {
        struct tg_wait_req req = {.kind = TG_WAIT_TABLE};
        script_begin_wait(s, &req);
        break;
    }
    case OP_SPIN: spin(s); break;
    case OP_KILL: script_kill(s); break;
    case OP_EXIT: script_exit(s); break;
    case OP_YIELD: script_yield(s); break;
    case OP_NEXT: script_next(s); break;
    case OP_SLEEP: {
        struct tg_wait_req req = {.kind = TG_WAIT_SLEEP};
        script_begin_wait(s, &req);
        break;
    }
    case OP_FLAG:
    case OP_AWAIT: script_flag(s); break;
    case OP_NAME: script_name(s); break;
    case OP_FIND: script_find(s); break;
    case OP_SELF: script_self(s); break;
    case OP_ACTORS: {
        struct tg_msg_list list = {.what = TG_LISTED_ACTORS};
        struct tg_wait_req req = {.kind = TG_WAIT_LIST, .list = &list};
        script_begin_wait(s, &req);
        break;
    }
    case OP_END: script_end(s, op->code); break;
    default: TG_UNREACHABLE();
    }
}

static void next_op(struct script *s)
{
    if (s->gene->ops != NULL)
        s->op = s->gene->ops[s->at++];
    else
        chance_next(s, &s->op);
    s->steps++;
    s->prepared = true;
    script_plan_rooms(s);
}

void script_go(struct script *s)
{
    if (s->state == SCRIPT_OVER)
        world_fail(script_world(s), "a script goes on after its end");
    if (s->state == SCRIPT_COMPUTING) {
        s->state = SCRIPT_GOING;
        if (s->op.type == OP_SPIN)
            spin(s);
    }
    while (s->state == SCRIPT_GOING) {
        if (s->starting) {
            script_start(s);
            continue;
        }
        if (!s->prepared)
            next_op(s);
        if (!script_has_rooms(s))
            continue;
        s->prepared = false;
        do_op(s);
    }
}

static const char *const op_names[] = {
    "?",      "compute", "submit",  "put",    "get",   "wait", "set",
    "cancel", "retain",  "release", "call",   "query", "spin", "kill",
    "exit",   "end",     "yield",   "next",   "sleep", "flag", "await",
    "name",   "find",    "self",    "actors", "look",  "free"};

void script_tell(const struct script *s, char *text, size_t size)
{
    static const char *const states[] = {"?", "going", "computing", "blocked",
                                         "over"};
    int n = snprintf(text, size, "script of %s%u, attempt %d: %s in %s",
                     s->task != NULL ? "task " : "driver ",
                     s->task != NULL ? s->task->id : 0, (int)s->attempt,
                     states[s->state], op_names[s->op.type]);
    for (uint32_t i = 0; i < s->op.n && n > 0 && (size_t)n < size; i++) {
        const struct truth_task *t =
            truth_of(&s->rank->w->truth, s->slots.v[s->op.slot[i]].ref);
        n += snprintf(text + n, size - (size_t)n, " %s%u%s",
                      t != NULL ? "task " : "put ", t != NULL ? t->id : 0,
                      t != NULL && t->ended ? " (ended)" : "");
    }
}
