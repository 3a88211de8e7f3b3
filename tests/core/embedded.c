/* embedded.c - see embedded.h. */
#include "embedded.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "fixture.h"

struct program {
    uint64_t exec, waiter;
    enum fn fn;
    int64_t n;
    trygon_ref_t child;
    struct program *prev, *next;
};

static const char *const fn_names[FN_COUNT] = {"number", "fail", "nest",
                                               "parent", "spin", "stuck"};
static const int32_t on_node[1] = {0};
static const char *const res_names[TG_RES_MAX] = {"CPU", "GPU", "memory"};

void world_start(struct world *w, int64_t ncpus)
{
    const int64_t total[1][TG_RES_MAX] = {{[TG_RES_CPU] = ncpus * TG_UNIT}};
    *w = (struct world){.now_ns = 1 * ms, .run_ns = 20 * us, .check_every = 1};
    struct tg_core_config config = {
        .seed = 1, .fn_names = fn_names, .nfns = FN_COUNT};
    tg_limits_default(&config.limits);
    config.ranks = (struct tg_head_config){.nranks = 1,
                                           .nnodes = 1,
                                           .node = on_node,
                                           .total = total,
                                           .res_names = res_names};
    tg_core_create(&config, &w->core);
}

void world_stop(struct world *w)
{
    struct program *p, *next;
    DL_FOREACH_SAFE (w->turns, p, next)
        free(p);
    tg_core_destroy(&w->core);
}

/* ----- actions --------------------------------------------------------------- */

static void started(struct world *w, uint64_t handle)
{
    const struct tg_exec *e = tg_worker_exec(&w->core->worker, handle);
    struct program *p = tg_alloc(sizeof *p);
    p->exec = handle;
    p->fn = (enum fn)e->fn;
    const struct tg_val *arg = e->args.one.val;
    if (arg == NULL)
        arg = tg_objs_find(&w->core->objs, e->args.one.ref)->val;
    memcpy(&p->n, tg_val_data(arg), sizeof p->n);
    w->starts[p->fn]++;
    w->nalive++;
    w->nrunning++;
    if (w->nalive > w->most_alive)
        w->most_alive = w->nalive;
    if (w->nrunning > w->most_running)
        w->most_running = w->nrunning;
    DL_APPEND(w->turns, p);
}

static void woken(struct world *w, struct program *p)
{
    if (p == NULL)
        return; /* the driver: it looks for itself */
    w->nrunning++;
    DL_APPEND(w->turns, p);
}

static void act(struct world *w, struct tg_action *a)
{
    if (a->type == TG_ACT_START)
        started(w, a->handle);
    else if (a->type == TG_ACT_WAKE)
        woken(w, a->cookie);
    w->ncalls += a->type == TG_ACT_CALL;
    w->nlogs += a->type == TG_ACT_LOG;
    w->nbyes += a->type == TG_ACT_BYE;
    if (a->type == TG_ACT_ENDED) {
        w->nended++;
        w->status = a->status;
    }
    tg_msg_fini(&a->msg);
}

int world_step(struct world *w, struct tg_event *ev)
{
    ev->now_ns = w->now_ns;
    int rc = tg_core_step(w->core, ev);
    uint32_t n;
    struct tg_action *a = tg_core_actions(w->core, &n);
    for (uint32_t i = 0; i < n; i++)
        act(w, &a[i]);
    if (++w->steps % w->check_every == 0)
        tg_core_check(w->core);
    return rc;
}

/* ----- user code ---------------------------------------------------------------- */

static struct tg_val *number(int64_t n)
{
    trygon_value_t u = trygon_bytes(&n, sizeof n);
    return tg_val_copy(&u);
}

static trygon_ref_t submit(struct world *w, uint64_t parent, enum fn fn,
                           struct tg_item arg)
{
    trygon_ref_t ref = {0, 0};
    struct tg_shape shape = shape_cpus(TG_UNIT);
    struct tg_spec spec = {.fn = (uint32_t)fn,
                           .nargs = 1,
                           .nreturns = 1,
                           .args = &arg,
                           .shape = &shape,
                           .parent = parent};
    struct tg_event ev = {
        .type = TG_EV_SUBMIT, .spec = &spec, .refs_out = &ref};
    world_step(w, &ev);
    tg_item_fini(&arg);
    return ref;
}

static void finish(struct world *w, struct program *p, int32_t code, int64_t n)
{
    struct tg_outcome out = {.code = code};
    if (code == 0)
        out.returns = items(1, item_val(number(n)));
    else
        out.error = tg_val_error(code > 0 ? TRYGON_ERR_TASK : code, 0, 0,
                                 fn_names[p->fn], "code %d", (int)code);
    struct tg_event ev = {
        .type = TG_EV_DONE, .handle = p->exec, .outcome = &out};
    w->nalive--;
    w->nrunning--;
    world_step(w, &ev);
    free(p);
}

/* Block until the child is there; false: it is there already. */
static bool blocks(struct world *w, struct program *p)
{
    struct tg_wait_req req = {.kind = TG_WAIT_ALL,
                              .n = 1,
                              .refs = &p->child,
                              .fetch = true,
                              .exec = p->exec,
                              .deadline_ns = TG_NEVER,
                              .cookie = p};
    struct tg_event ev = {.type = TG_EV_WAIT, .wait = &req};
    w->nrunning--; /* before the step, whose actions may wake it */
    int rc = world_step(w, &ev);
    if (rc == TRYGON_SUCCESS && ev.waiter != NULL) {
        p->waiter = ev.waiter->self;
        return true;
    }
    w->nrunning++;
    return false;
}

/* The value of the child, once the wait is over. */
static int collect(struct world *w, struct program *p, int64_t *n)
{
    struct tg_event end = {.type = TG_EV_WAIT_END, .handle = p->waiter};
    int rc = TRYGON_SUCCESS;
    if (p->waiter != 0) {
        rc = tg_waits_find(&w->core->waits, p->waiter)->rc;
        world_step(w, &end);
    }
    const struct tg_val *v = tg_objs_find(&w->core->objs, p->child)->val;
    if (rc == TRYGON_SUCCESS && v->error)
        rc = tg_val_err(v, 0)->code;
    if (rc == TRYGON_SUCCESS)
        memcpy(n, tg_val_data(v), sizeof *n);
    world_release(w, 1, &p->child);
    return rc;
}

static void parent_turn(struct world *w, struct program *p, enum fn child,
                        int64_t n)
{
    int64_t got = 0;
    if (tg_ref_none(p->child)) {
        p->child = submit(w, p->exec, child, item_val(number(n)));
        if (blocks(w, p))
            return;
    }
    int rc = collect(w, p, &got);
    finish(w, p, rc, got + 1);
}

static void turn(struct world *w, struct program *p)
{
    bool stop = tg_worker_exec(&w->core->worker, p->exec)->cancelled;
    if (p->fn == FN_NUMBER)
        finish(w, p, 0, p->n);
    else if (p->fn == FN_FAIL)
        finish(w, p, 7, 0);
    else if (p->fn == FN_PARENT)
        parent_turn(w, p, FN_NUMBER, p->n);
    else if (p->fn == FN_STUCK)
        parent_turn(w, p, FN_SPIN, p->n);
    else if (p->fn == FN_NEST && p->n > 0)
        parent_turn(w, p, FN_NEST, p->n - 1);
    else if (p->fn == FN_NEST)
        finish(w, p, 0, 0);
    else if (stop)
        finish(w, p, TRYGON_ERR_CANCELLED, 0);
    else
        DL_APPEND(w->turns, p); /* spins on */
}

/* ----- time ------------------------------------------------------------------------ */

bool world_go(struct world *w)
{
    struct program *p = w->turns;
    uint64_t next = tg_core_deadline(w->core);
    if (p != NULL && (next == TG_NEVER || next > w->now_ns + w->run_ns)) {
        w->now_ns += w->run_ns;
        DL_DELETE(w->turns, p);
        turn(w, p);
        return true;
    }
    if (next == TG_NEVER)
        return false;
    if (next > w->now_ns)
        w->now_ns = next;
    struct tg_event ev = {.type = TG_EV_TICK};
    world_step(w, &ev);
    return true;
}

void world_go_for(struct world *w, uint64_t ns)
{
    uint64_t until = w->now_ns + ns;
    while (w->now_ns < until && world_go(w))
        continue;
}

/* ----- the driver -------------------------------------------------------------------- */

trygon_ref_t world_submit(struct world *w, enum fn fn, int64_t n)
{
    return submit(w, 0, fn, item_val(number(n)));
}

trygon_ref_t world_submit_ref(struct world *w, enum fn fn, trygon_ref_t arg)
{
    return submit(w, 0, fn, item_ref(arg));
}

trygon_ref_t world_put(struct world *w, int64_t n)
{
    struct tg_event ev = {.type = TG_EV_PUT, .val = number(n)};
    world_step(w, &ev);
    return ev.ref;
}

int world_get(struct world *w, trygon_ref_t ref, int64_t *n)
{
    struct tg_obj *x;
    struct tg_wait_req req = {.kind = TG_WAIT_ALL,
                              .n = 1,
                              .refs = &ref,
                              .pins = &x,
                              .fetch = true,
                              .deadline_ns = TG_NEVER};
    struct tg_event ev = {.type = TG_EV_WAIT, .wait = &req};
    int rc = world_step(w, &ev);
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (ev.waiter != NULL) {
        struct tg_event end = {.type = TG_EV_WAIT_END,
                               .handle = ev.waiter->self};
        while (!tg_waits_find(&w->core->waits, end.handle)->done)
            if (!world_go(w))
                return TRYGON_ERR_TIMEOUT; /* it will never come */
        world_step(w, &end);
    }
    if (x->val->error)
        rc = tg_val_err(x->val, 0)->code;
    else
        memcpy(n, tg_val_data(x->val), sizeof *n);
    struct tg_event unpin = {.type = TG_EV_UNPIN, .obj = x};
    world_step(w, &unpin);
    return rc;
}

int world_release(struct world *w, size_t n, const trygon_ref_t *refs)
{
    struct tg_event ev = {.type = TG_EV_RELEASE, .n = n, .refs = refs};
    return world_step(w, &ev);
}

int world_cancel(struct world *w, trygon_ref_t ref, bool recursive)
{
    struct tg_event ev = {
        .type = TG_EV_CANCEL, .ref = ref, .recursive = recursive};
    return world_step(w, &ev);
}
