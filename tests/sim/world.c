/* world.c - see world.h: the clock, the steps, and what the steps put out. */
#include "world.h"

#include "core/chan.h"
#include "core/quiesce.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ----- the clock -------------------------------------------------------------- */

static bool before(const struct world_event *a, const struct world_event *b)
{
    return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->seq < b->seq;
}

static void heap_add(struct world *w, const struct world_event *ev)
{
    (void)tg_vec_add(&w->heap);
    uint32_t i = w->heap.n - 1;
    for (; i > 0 && before(ev, &w->heap.v[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap.v[i] = w->heap.v[(i - 1) / 2];
    w->heap.v[i] = *ev;
}

static struct world_event heap_take(struct world *w)
{
    struct world_event first = w->heap.v[0], x = w->heap.v[--w->heap.n];
    uint32_t i = 0, n = w->heap.n;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= n)
            break;
        if (child + 1 < n && before(&w->heap.v[child + 1], &w->heap.v[child]))
            child++;
        if (before(&x, &w->heap.v[child]))
            break;
        w->heap.v[i] = w->heap.v[child];
        i = child;
    }
    if (n > 0)
        w->heap.v[i] = x;
    return first;
}

void world_at(struct world *w, uint64_t after_ns, enum world_event_type type,
              int32_t rank, uint64_t handle, void *what)
{
    struct world_event ev = {
        w->now_ns + after_ns, ++w->seq, type, rank, handle, what};
    heap_add(w, &ev);
}

uint64_t world_delay(struct world *w, const struct delay *d)
{
    uint64_t ns = d->least_ns;
    if (d->spread_ns > 0)
        ns += tg_rng_next(&w->rng) % d->spread_ns;
    if (d->spikes > 0 && tg_rng_below(&w->rng, 1000) < d->spikes)
        ns += tg_rng_next(&w->rng) % (d->spike_ns + 1);
    return ns;
}

uint64_t world_now(const struct sim_rank *r)
{
    return r->w->now_ns + r->skew_ns;
}

/* ----- the network ---------------------------------------------------------------- */

static void count_credits(struct world *w, const struct tg_packet *p)
{
    struct sim_rank *from = &w->ranks[p->from];
    size_t n = (size_t)w->nranks;
    if (from->outstanding == NULL)
        from->outstanding = tg_alloc(n * sizeof *from->outstanding);
    from->outstanding[p->to] += p->size > 2;
    if (from->outstanding[p->to] > TG_CREDITS)
        world_fail(w, "rank %d has %u frames out to %d", (int)p->from,
                   from->outstanding[p->to], (int)p->to);
}

/* The frame is there: what it returns may be sent again. */
static void return_credits(struct world *w, const struct tg_packet *p)
{
    struct sim_rank *to = &w->ranks[p->to];
    uint32_t back = (uint32_t)p->copy[0] | (uint32_t)p->copy[1] << 8;
    if (back == 0)
        return;
    if (to->outstanding == NULL || to->outstanding[p->from] < back)
        world_fail(w, "rank %d returns %u credits too many to %d", (int)p->from,
                   back, (int)p->to);
    to->outstanding[p->from] -= back;
}

static void on_leave(void *arg, struct tg_packet *p)
{
    struct world *w = arg;
    struct sim_rank *to = &w->ranks[p->to];
    if (p->bulk) {
        world_at(w, world_delay(w, &w->opts.bulk), WORLD_ARRIVE, p->to, 0, p);
        return;
    }
    count_credits(w, p);
    size_t n = (size_t)w->nranks;
    if (to->last_arrival_ns == NULL)
        to->last_arrival_ns = tg_alloc(n * sizeof *to->last_arrival_ns);
    uint64_t *last = &to->last_arrival_ns[p->from];
    uint64_t when = w->now_ns + world_delay(w, &w->opts.frame);
    if (p->from == w->opts.slow_from && p->to == w->opts.slow_to)
        when += w->opts.slow_ns;
    *last = when > *last ? when : *last;
    world_at(w, *last - w->now_ns, WORLD_ARRIVE, p->to, 0, p);
}

/* ----- steps ---------------------------------------------------------------------- */

void world_mix(struct world *w, uint64_t x)
{
    w->hash = tg_mix64(w->hash ^ x);
}

static uint32_t *flying(struct world *w, int32_t from, int32_t to)
{
    struct sim_rank *r = &w->ranks[from];
    if (r->flying == NULL)
        r->flying = tg_alloc((size_t)w->nranks * sizeof *r->flying);
    return &r->flying[to];
}

void world_send(struct sim_rank *r, int32_t rank, struct tg_msg *m)
{
    struct world *w = r->w;
    truth_moving(&w->truth, m, 1);
    world_mix(w,
              (uint64_t)m->type << 48 | (uint64_t)r->id << 24 | (uint64_t)rank);
    w->stats.messages++;
    *flying(w, r->id, rank) += !tg_quiesce_msg(m->type);
    tg_post_send(r->post, rank, m);
}

/* As in a program: the callback runs at once, then its hold goes. */
static void called(struct sim_rank *r, trygon_ref_t ref)
{
    struct tg_obj *x = tg_objs_find(&r->core->objs, ref);
    if (x == NULL || !script_known(x))
        world_fail(r->w, "rank %d was called too early", (int)r->id);
    struct tg_event ev = {.type = TG_EV_UNPIN, .obj = x};
    world_step(r, &ev);
}

static void start(struct sim_rank *r, uint64_t exec)
{
    struct world *w = r->w;
    const struct tg_exec *e = tg_worker_exec(&r->core->worker, exec);
    if (e != NULL && e->step == TG_STEP_DESTROY) {
        outcome_destroys(w, r, e);
        world_at(w, world_delay(w, &w->opts.thread), WORLD_DESTROYED, r->id,
                 exec, NULL);
        return;
    }
    struct truth_task *t = outcome_started(w, r, exec);
    world_mix(w, t->number);
    world_at(w, world_delay(w, &w->opts.thread), WORLD_START, r->id, exec, t);
}

static void perform(struct sim_rank *r)
{
    struct world *w = r->w;
    uint32_t n;
    struct tg_action *v = tg_core_actions(r->core, &n);
    TG_VEC(trygon_ref_t) calls = {0};
    for (uint32_t i = 0; i < n; i++) {
        struct tg_action *a = &v[i];
        if (a->type == TG_ACT_SEND) {
            world_send(r, a->rank, &a->msg);
        } else if (a->type == TG_ACT_START) {
            start(r, a->handle);
        } else if (a->type == TG_ACT_WAKE) {
            world_at(w, world_delay(w, &w->opts.thread), WORLD_WOKEN, r->id,
                     a->handle, a->cookie);
        } else if (a->type == TG_ACT_CALL) {
            *tg_vec_add(&calls) = a->ref;
        } else if (a->type == TG_ACT_LOG) {
            tell(w, r->id, "logs: %s", a->msg.u.note.text);
            tg_msg_fini(&a->msg);
        } else if (a->type == TG_ACT_FENCE) {
            tg_post_fence(r->post, a->rank);
            sim_store_fence(r, a->rank);
        } else if (a->type == TG_ACT_STORE) {
            sim_store_act(r, a);
        } else if (a->type == TG_ACT_ENDED) {
            r->ended = true;
        } else if (a->type == TG_ACT_BYE) {
            if (r->bye)
                world_fail(w, "rank %d was told bye twice", (int)r->id);
            if (r->id == 0)
                inspect_bye(w);
            r->bye = true;
            w->nbye++;
            tell(w, r->id, "may leave");
        }
    }
    while (calls.n > 0)
        called(r, calls.v[--calls.n]);
    tg_vec_free(&calls);
    sim_store_settle(r);
}

/* When the driver is done, each rank ends as soon as its client is. */
static void maybe_drain(struct sim_rank *r)
{
    if (!r->ended || r->draining ||
        (r->own != NULL && r->own->state != SCRIPT_OVER))
        return;
    r->draining = true;
    world_at(r->w, world_delay(r->w, &r->w->opts.thread), WORLD_DRAIN, r->id, 0,
             NULL);
}

/* Only this rank has changed.  The head of a large world has much to check. */
static void check_rank(struct sim_rank *r)
{
    struct world *w = r->w;
    if (r->id > 0 || w->nranks <= 32 || w->steps % 4 == 0)
        tg_core_check(r->core);
    tg_post_check(r->post);
    inspect_queues(r);
    sim_store_check(r);
    if (w->steps % w->opts.check_every == 0)
        inspect_all(w);
}

int world_step(struct sim_rank *r, struct tg_event *ev)
{
    struct world *w = r->w;
    if (r->dead)
        world_fail(w, "rank %d steps after its death", (int)r->id);
    ev->now_ns = world_now(r);
    w->steps++;
    world_mix(w, ev->now_ns ^ (uint64_t)ev->type << 56 ^ (uint64_t)r->id << 40);
    int rc = tg_core_step(r->core, ev);
    perform(r);
    outcome_scan(r);
    check_rank(r);
    maybe_drain(r);
    return rc;
}

/* ----- a rank's loop ------------------------------------------------------------------ */

static void deliver(struct sim_rank *r, int32_t from, struct tg_msg *m)
{
    struct world *w = r->w;
    bool taken = !r->core->ctx.dead[from];
    *flying(w, from, r->id) -= !tg_quiesce_msg(m->type);
    if (taken) {
        truth_moving(&w->truth, m, -1);
        tell_msg(w, from, r->id, m);
    }
    w->stats.bounces += m->type == TG_MSG_BOUNCE;
    w->stats.lends += m->type == TG_MSG_LEND;
    w->stats.recalls += m->type == TG_MSG_RECALL;
    w->stats.mores += m->type == TG_MSG_MORE;
    w->stats.values += m->type == TG_MSG_VALUE;
    struct truth_task *t = taken ? world_detaches(w, from, m) : NULL;
    struct tg_event ev = {.type = TG_EV_MSG, .rank = from, .msg = m};
    world_step(r, &ev);
    if (t != NULL)
        world_detached(w, t);
}

static void poll(struct sim_rank *r)
{
    struct world *w = r->w;
    int32_t from;
    struct tg_msg m;
    int rc;
    while ((rc = tg_post_poll(r->post, &from, &m)) > 0)
        deliver(r, from, &m);
    if (rc < 0)
        world_fail(w, "rank %d cannot read a message: %d", (int)r->id, rc);
    if (w->opts.silences > 0 && tg_rng_below(&w->rng, 1000) < w->opts.silences)
        r->silent_until_ns =
            w->now_ns + tg_rng_next(&w->rng) % (w->opts.silence_ns + 1);
}

/* Something may have come: look now, or when the silence is over. */
static void wake(struct sim_rank *r)
{
    struct world *w = r->w;
    if (r->dead || r->polling || !tg_netsim_has(w->net, r->id))
        return;
    if (r->silent_until_ns <= w->now_ns) {
        poll(r);
        return;
    }
    r->polling = true;
    world_at(w, r->silent_until_ns - w->now_ns, WORLD_POLL, r->id, 0, NULL);
}

/* After anything has happened on r: send, and set its alarm. */
static void settle(struct sim_rank *r)
{
    struct world *w = r->w;
    if (r->dead)
        return;
    if (tg_post_flush(r->post) != TRYGON_SUCCESS)
        world_fail(w, "rank %d cannot send", (int)r->id);
    wake(r); /* what has left at once may be told already */
    (void)tg_post_flush(r->post);
    uint64_t when = tg_core_deadline(r->core);
    if (when == TG_NEVER)
        return;
    when = when > r->skew_ns + w->now_ns ? when - r->skew_ns : w->now_ns;
    if (when >= r->tick_at_ns && r->tick_at_ns > w->now_ns)
        return;
    r->tick_at_ns = when;
    world_at(w, when - w->now_ns, WORLD_TICK, r->id, 0, NULL);
}

/* ----- life and death ------------------------------------------------------------------- */

static void die(struct world *w, int32_t rank)
{
    struct sim_rank *r = &w->ranks[rank];
    if (r->dead || r->bye || w->nbye > 0)
        return;
    tell(w, rank, "dies");
    r->dead = true;
    tg_netsim_kill(w->net, rank);
    w->stats.deaths++;
}

static void lost(struct world *w, int32_t rank)
{
    struct sim_rank *r = &w->ranks[rank];
    if (r->lost || w->nbye > 0)
        return;
    r->lost = true;
    w->nlost++;
    w->stats.false_deaths += !r->dead;
    tell(w, 0, "declares %d lost", (int)rank);
    struct tg_event ev = {.type = TG_EV_GONE, .rank = rank};
    world_step(&w->ranks[0], &ev);
}

void world_begin(struct world *w, int32_t rank, const struct gene *gene)
{
    struct sim_rank *r = &w->ranks[rank];
    r->own_gene = *gene;
    r->own = script_new(r, &r->own_gene, NULL, 0, 0);
    world_at(w, 0, WORLD_GO, rank, 0, r->own);
}

static void end_run(struct world *w)
{
    struct tg_event ev = {.type = TG_EV_END};
    w->ending = true;
    tell(w, 0, "ends the run");
    world_step(&w->ranks[0], &ev);
}

void world_script_over(struct script *s)
{
    if (s->rank->id == 0)
        end_run(s->rank->w);
    maybe_drain(s->rank);
}

static void drain(struct sim_rank *r)
{
    struct tg_event ev = {.type = TG_EV_DRAIN};
    world_step(r, &ev);
}

/* Random worlds lose ranks when so many tasks have been submitted. */
void world_submitted(struct world *w)
{
    while (w->die_at.n > 0 && w->stats.tasks >= w->die_at.v[w->die_at.n - 1]) {
        w->die_at.n--;
        int32_t rank =
            2 + (int32_t)tg_rng_below(&w->rng, (uint32_t)w->nranks - 2);
        uint64_t when = tg_rng_next(&w->rng) % 3000000;
        uint64_t later = tg_rng_next(&w->rng) % 20000000;
        if (tg_rng_below(&w->rng, 4) > 0)
            world_at(w, when, WORLD_DIE, rank, 0, NULL);
        world_at(w, when + later, WORLD_LOST, rank, 0, NULL);
    }
}

/* ----- events ------------------------------------------------------------------------------ */

static void arrive(struct world *w, struct tg_packet *p)
{
    int32_t from = p->from, to = p->to;
    bool bulk = p->bulk;
    if (!bulk && !w->ranks[to].dead)
        return_credits(w, p);
    tg_netsim_arrive(w->net, p);
    wake(&w->ranks[to]);
    settle(&w->ranks[to]);
    if (bulk) {
        wake(&w->ranks[from]);
        settle(&w->ranks[from]);
    }
}

static void on_rank(struct world *w, const struct world_event *ev)
{
    struct sim_rank *r = &w->ranks[ev->rank];
    struct tg_event tick = {.type = TG_EV_TICK};
    if (r->dead)
        return;
    if (ev->type == WORLD_POLL) {
        r->polling = false;
        wake(r);
    } else if (ev->type == WORLD_TICK) {
        if (tg_core_deadline(r->core) <= world_now(r))
            world_step(r, &tick);
    } else if (ev->type == WORLD_START) {
        const struct tg_exec *e = tg_worker_exec(&r->core->worker, ev->handle);
        struct truth_task *t = ev->what;
        script_go(script_new(r, t->gene, t, ev->handle, e->attempt));
    } else if (ev->type == WORLD_DESTROYED) {
        struct tg_outcome out = {0};
        struct tg_event done = {
            .type = TG_EV_DONE, .handle = ev->handle, .outcome = &out};
        world_step(r, &done);
    } else if (ev->type == WORLD_GO) {
        script_go(ev->what);
    } else if (ev->type == WORLD_WOKEN) {
        script_woken(ev->what, ev->handle);
    } else if (ev->type == WORLD_STORE) {
        sim_store_event(r, ev->what);
    } else if (ev->type == WORLD_DRAIN) {
        drain(r);
    } else if (ev->type == WORLD_FINISH) {
        end_run(w);
    }
    settle(r);
}

static void handle(struct world *w, const struct world_event *ev)
{
    if (ev->type == WORLD_ARRIVE) {
        arrive(w, ev->what);
    } else if (ev->type == WORLD_DIE) {
        die(w, ev->rank);
    } else if (ev->type == WORLD_LOST) {
        lost(w, ev->rank);
        settle(&w->ranks[0]);
    } else {
        on_rank(w, ev);
    }
}

static bool all_left(const struct world *w)
{
    uint32_t n = 0;
    for (int32_t r = 0; r < w->nranks; r++)
        n += !w->ranks[r].dead && !w->ranks[r].lost && !w->ranks[r].bye;
    return n == 0;
}

/* All have left: only credits are still under way. */
static void last_frames(struct world *w)
{
    while (w->heap.n > 0) {
        struct world_event ev = heap_take(w);
        w->now_ns = ev.when_ns;
        if ((ev.type == WORLD_ARRIVE || ev.type == WORLD_POLL) &&
            rank_lives(w, ev.rank))
            handle(w, &ev);
    }
}

void world_run(struct world *w)
{
    for (int32_t r = 0; r < w->nranks; r++)
        settle(&w->ranks[r]);
    while (!all_left(w)) {
        if (w->heap.n == 0 || w->now_ns > too_long_ns ||
            w->steps > too_many_steps) {
            inspect_why(w);
            world_fail(w, "%s after %llu steps and %llu virtual ms",
                       w->heap.n == 0 ? "nothing is left to happen" : "no end",
                       (unsigned long long)w->steps,
                       (unsigned long long)(w->now_ns / 1000000));
        }
        struct world_event ev = heap_take(w);
        w->now_ns = ev.when_ns;
        handle(w, &ev);
    }
    last_frames(w);
    inspect_end(w);
}

/* ----- making one ---------------------------------------------------------------------------- */

static const char *const fn_names[] = {"tiny", "small", "large", "wide"};

/* Some functions are classes whose methods have groups. */
static const struct tg_groups few = {2, {0, 1}}, more = {4, {0, 1, 2, 5}};
static const struct tg_groups *const groups[] = {NULL, &few, &more, NULL};

uint32_t world_groups(uint32_t fn)
{
    return groups[fn] != NULL ? groups[fn]->n : 1;
}

uint32_t world_limit(uint32_t fn, uint32_t group)
{
    return groups[fn]->limit[group];
}

static void make_rank(struct world *w, int32_t id)
{
    struct sim_rank *r = &w->ranks[id];
    const struct machine *m = &w->opts.machine;
    struct tg_core_config cfg = {
        .rank = id,
        .seed = w->opts.seed,
        .limits = w->opts.limits,
        .fn_names = fn_names,
        .nfns = 4,
        .groups = groups,
        .store_bytes = w->opts.store.bytes,
        .ranks = {.nranks = w->nranks,
                  .nnodes = m->nnodes,
                  .node = m->node,
                  .total = (const int64_t(*)[TG_RES_MAX])m->total,
                  .res_names = m->res_names}};
    r->w = w;
    r->id = id;
    sim_store_init(r, &w->nodes[m->node[id]]);
    r->skew_ns = UINT64_C(10000000000); /* no clock begins at 0 */
    if (w->opts.skew)
        r->skew_ns += tg_rng_next(&w->rng) % UINT64_C(1000000000000);
    struct tg_post_ends ends = sim_store_ends(r);
    if (tg_core_create(&cfg, &r->core) != TRYGON_SUCCESS ||
        tg_post_create(id, w->nranks, &r->vals, tg_netsim_rank(w->net, id),
                       tg_netsim_ops(), &ends, &r->post) != TRYGON_SUCCESS)
        world_fail(w, "rank %d cannot be made", (int)id);
}

void world_create(const struct world_opts *opts, struct world **world)
{
    struct world *w = tg_alloc(sizeof *w);
    w->opts = *opts;
    w->rng.state = tg_mix64(opts->seed);
    w->nranks = opts->machine.nranks;
    w->ranks = tg_alloc((size_t)w->nranks * sizeof *w->ranks);
    w->nodes = tg_alloc((size_t)opts->machine.nnodes * sizeof *w->nodes);
    struct tg_netsim_opts net = {.nranks = w->nranks,
                                 .eager_max = opts->eager_max,
                                 .frames_max = TG_NET_AHEAD,
                                 .arg = w,
                                 .leave = on_leave};
    tg_netsim_create(&net, &w->net);
    for (int32_t r = 0; r < w->nranks; r++)
        make_rank(w, r);
    w->stats.worlds = 1;
    w->stats.ranks = (uint64_t)w->nranks;
    *world = w;
}

void world_destroy(struct world **world)
{
    struct world *w = *world;
    if (w == NULL)
        return;
    for (int32_t i = 0; i < w->nranks; i++) {
        struct sim_rank *r = &w->ranks[i];
        struct script *s, *next;
        DL_FOREACH_SAFE (r->scripts, s, next)
            script_free(s);
        tg_core_destroy(&r->core);
        sim_store_fini(&r->store);
        tg_post_destroy(&r->post);
        tg_vals_fini(&r->vals);
        tg_vec_free(&r->live);
        tg_vec_free(&r->numbered);
        free(r->flying);
        free(r->last_arrival_ns);
        free(r->outstanding);
    }
    tg_netsim_destroy(&w->net);
    truth_fini(&w->truth);
    machine_fini(&w->opts.machine);
    tg_vec_free(&w->heap);
    tg_vec_free(&w->die_at);
    free(w->ranks);
    free(w->nodes);
    free(w);
    *world = NULL;
}
