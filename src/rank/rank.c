/* rank.c - steps, and what they put out (rank.h). */
#include "rank/rank.h"

#include <stdlib.h>
#include <time.h>

#include "net/net_mpi.h"
#include "net/net_node.h"

enum { SPINS = 200 };

uint64_t tg_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* It is held for a microsecond at most, and sleeping for it takes ten: spin.
 * Who holds it may have lost its core, so not for long. */
static __attribute__((noinline)) void enter_late(struct trygon *tg)
{
    atomic_fetch_add(&tg->wanted, 1);
    bool got = false;
    for (int i = 0; i < SPINS && !got; i++) {
        tg_relax();
        got = tg_lock_try(&tg->lock);
    }
    if (!got)
        tg_lock_take(&tg->lock);
    atomic_fetch_sub(&tg->wanted, 1);
}

void tg_enter(struct trygon *tg)
{
    if (!tg_lock_try(&tg->lock))
        enter_late(tg);
}

/* The callbacks that are due, without the lock: they may call trygon. */
static __attribute__((noinline)) void run_callbacks(struct trygon *tg)
{
    while (tg->callbacks.n > 0) {
        struct tg_callback cb = tg->callbacks.v[--tg->callbacks.n];
        tg_lock_give(&tg->lock);
        tg_run_callback(tg, &cb);
        tg_lock_take(&tg->lock);
        struct tg_event ev = {.type = TG_EV_UNPIN,
                              .obj = tg_objs_find(&tg->core->objs, cb.ref)};
        tg_step(tg, &ev);
    }
}

/* What waits to be sent leaves now, if this thread may; but a frame that is
 * not full waits for more while others are under way to its rank, if somebody
 * looks soon.  And the poller looks again if something is due before it would. */
void tg_leave(struct trygon *tg)
{
    if (tg->callbacks.n > 0)
        run_callbacks(tg);
    bool due = tg->post != NULL && tg->failed == 0 && tg_post_due(tg->post);
    if (due && tg_may_poll(tg)) {
        if (tg->any_thread && !tg->naps) /* an error shows at the next poll */
            (void)tg_post_flush_idle(tg->post);
        else
            (void)tg_post_flush(tg->post);
        due = false;
    }
    if (tg->naps && (due || tg_core_deadline(tg->core) < tg->poll_again_ns))
        tg_bell_ring(&tg->bells);
    tg_lock_give(&tg->lock);
}

void tg_leave_for_now(struct trygon *tg)
{
    if (tg->callbacks.n > 0)
        run_callbacks(tg);
    tg_lock_give(&tg->lock);
}

/* ----- actions ---------------------------------------------------------------------- */

static void on_call(struct trygon *tg, const struct tg_action *a)
{
    struct tg_callback *cb = a->cookie;
    cb->ref = a->ref;
    *tg_vec_add(&tg->callbacks) = *cb;
    free(cb);
}

static void perform_one(struct trygon *tg, struct tg_action *a)
{
    switch (a->type) {
    case TG_ACT_SEND: tg_post_send(tg->post, a->rank, &a->msg); break;
    case TG_ACT_START: tg_run_exec(tg, a->handle); break;
    case TG_ACT_WAKE: tg_wake(tg, a->cookie); break;
    case TG_ACT_CALL: on_call(tg, a); break;
    case TG_ACT_LOG:
        tg_log(&tg->log, a->status, "%s", a->msg.u.note.text);
        tg_msg_fini(&a->msg);
        break;
    case TG_ACT_STORE: tg_stores_perform(tg, a); break;
    case TG_ACT_FENCE:
        tg->lost_rank = true;
        tg_stores_gone(tg, a->rank);
        tg_log(&tg->log, TRYGON_LOG_WARN, "rank %d is lost", (int)a->rank);
        if (tg->post != NULL)
            tg_post_fence(tg->post, a->rank);
        break;
    case TG_ACT_ENDED:
        tg->ended = true;
        *tg_vec_add(&tg->statuses) = a->status;
        tg_wake_all(tg);
        break;
    case TG_ACT_BYE:
        tg->bye = true;
        tg_wake_all(tg);
        break;
    default: TG_UNREACHABLE();
    }
}

/* True: the core has heard of something, and may want more done. */
static inline bool answer_stores(struct trygon *tg)
{
    return tg_stores_any(&tg->stores) && tg_stores_answer(tg);
}

/* Not in line: half of all steps put nothing out. */
__attribute__((noinline)) static void perform(struct trygon *tg)
{
    do {
        uint32_t n;
        struct tg_action *v = tg_core_actions(tg->core, &n);
        for (uint32_t i = 0; i < n; i++)
            perform_one(tg, &v[i]);
        /* not above: that would be a step in a step */
        while (tg->unstarted.n > 0)
            tg_run_failed(tg, tg->unstarted.v[--tg->unstarted.n]);
    } while (answer_stores(tg));
}

void tg_settle(struct trygon *tg)
{
    if (answer_stores(tg))
        perform(tg);
}

int tg_step(struct trygon *tg, struct tg_event *ev)
{
    if (ev->now_ns == 0 || ev->now_ns < tg->core->ctx.now_ns)
        ev->now_ns = tg_now_ns();
    int rc = tg_core_step(tg->core, ev);
    if (tg->core->ctx.out.n > 0)
        perform(tg);
    return rc;
}

/* ----- life --------------------------------------------------------------------------- */

static int make_core(struct trygon *tg)
{
    tg->fn_names = tg_alloc((tg->nfns + 1) * sizeof *tg->fn_names);
    tg->fn_groups = tg_alloc((tg->nfns + 1) * sizeof *tg->fn_groups);
    for (uint32_t i = 0; i < tg->nfns; i++) {
        const struct tg_class_groups *g = tg->fns[i].groups;
        tg->fn_names[i] = tg->fns[i].name;
        tg->fn_groups[i] = g != NULL ? &g->limits : NULL;
    }
    struct tg_core_config cfg = {
        .rank = tg->rank,
        .seed = tg->seed,
        .fn_names = tg->fn_names,
        .nfns = tg->nfns,
        .groups = tg->fn_groups,
        .store_bytes = tg->stores.node.limit,
        .ranks = {.nranks = tg->nranks,
                  .nnodes = tg->layout.nnodes,
                  .node = tg->layout.node,
                  .total = (const int64_t(*)[TG_RES_MAX])tg->layout.total,
                  .res_names = tg->layout.res_ptrs},
    };
    tg_limits_default(&cfg.limits);
    cfg.limits.lineage_bytes = tg->lineage_bytes;
    return tg_core_create(&cfg, &tg->core);
}

static void ring_neighbour(void *arg, int32_t rank)
{
    struct trygon *tg = arg;
    tg_bells_ring(&tg->bells, rank);
    atomic_store_explicit(&tg->sent_to, rank, memory_order_relaxed);
}

static int make_net(struct trygon *tg)
{
    if (tg->nranks == 1)
        return TRYGON_SUCCESS; /* nobody to talk to */
    const struct tg_net_ops *ops;
    int rc = tg_net_mpi_create(tg->comm, &tg->mpi, &ops);
    if (rc != TRYGON_SUCCESS)
        return rc;
    tg_net_mpi_on_sent(tg->mpi, ring_neighbour, tg);
    tg->ops = tg_net_node_over(tg->net, tg->mpi, ops, ring_neighbour, tg);
    struct tg_post_ends ends = tg_stores_ends(tg);
    return tg_post_create(tg->rank, tg->nranks, &tg->vals, tg->net, tg->ops,
                          &ends, &tg->post);
}

static void free_rank(struct trygon *tg)
{
    tg_pool_destroy(&tg->pool);
    tg_loops_free(tg);
    tg_core_destroy(&tg->core);
    if (tg->mpi == NULL) { /* else MPI may read and write there for ever */
        tg_post_destroy(&tg->post);
        tg_stores_free(&tg->stores, tg->nranks);
    }
    tg_net_node_destroy(&tg->net);
    tg_vals_fini(&tg->vals);
    tg_layout_free(&tg->layout);
    tg_bells_free(&tg->bells);
    tg_vec_free(&tg->callbacks);
    tg_vec_free(&tg->unstarted);
    tg_vec_free(&tg->statuses);
    free(tg->fn_names);
    free(tg->fn_groups);
    free(tg->mean_ns);
    free(tg);
}

int tg_rank_create(MPI_Comm comm, struct tg_start *start, struct trygon **out)
{
    struct trygon *tg = tg_alloc(sizeof *tg);
    tg->comm = comm;
    tg->sent_to = -1;
    MPI_Comm_rank(comm, &tg->rank);
    MPI_Comm_size(comm, &tg->nranks);
    MPI_Query_thread(&tg->thread_level);
    tg->mpi_thread = pthread_self();
    tg->any_thread = tg->thread_level == MPI_THREAD_MULTIPLE || tg->nranks == 1;
    tg->fns = start->fns;
    tg->nfns = start->nfns;
    tg->mean_ns = tg_alloc((tg->nfns + 1) * sizeof *tg->mean_ns);
    int rc = tg_startup(tg, start);
    if (rc == TRYGON_SUCCESS)
        rc = make_core(tg);
    if (rc == TRYGON_SUCCESS)
        rc = make_net(tg);
    if (rc == TRYGON_SUCCESS)
        rc = tg_pool_create(tg->layout.nslots > 0 ? 64 : 4, 0, &tg->pool);
    if (rc == TRYGON_SUCCESS)
        rc = tg_background_start(tg);
    if (rc != TRYGON_SUCCESS) {
        tg_net_mpi_destroy(&tg->mpi);
        free_rank(tg);
        return rc;
    }
    *out = tg;
    return TRYGON_SUCCESS;
}

/* All ranks are quiet and none will send: what is still under way are frames
 * that only return credit. */
static void drain_net(struct trygon *tg)
{
    struct tg_net_event ev;
    while (!tg_net_mpi_idle(tg->mpi) || tg_look(tg))
        while (tg->ops->poll(tg->net, &ev))
            continue;
    MPI_Barrier(tg->comm);
    while (tg_look(tg))
        while (tg->ops->poll(tg->net, &ev))
            continue;
}

/* References that user code has not given back, on all ranks: one line for all
 * of them.  Collective. */
static void tell_leaks(const struct trygon *tg)
{
    uint64_t at = 0, all[2] = {0}, mine[2] = {tg->core->objs.user_counts, 0};
    const struct tg_obj *x;
    while ((x = tg_objs_next(&tg->core->objs, &at)) != NULL)
        mine[1] += x->user > 0 ? tg_obj_size(x) : 0;
    if (MPI_Reduce(mine, all, 2, MPI_UINT64_T, MPI_SUM, 0, tg->comm) !=
            MPI_SUCCESS ||
        tg->rank != 0 || all[0] == 0)
        return;
    tg_log(&tg->log, TRYGON_LOG_WARN,
           "%llu reference%s never released, to objects of %llu bytes in all",
           (unsigned long long)all[0], all[0] == 1 ? " was" : "s were",
           (unsigned long long)all[1]);
}

int tg_rank_destroy(struct trygon **out)
{
    struct trygon *tg = *out;
    tg_background_stop(tg);
    tg_stores_stop(tg);
    bool whole = !tg->lost_rank && tg->failed == 0;
    if (tg->mpi != NULL && whole) {
        drain_net(tg);
        tg_net_mpi_destroy(&tg->mpi);
    }
    if (whole)
        tell_leaks(tg);
    free_rank(tg);
    *out = NULL;
    return TRYGON_SUCCESS;
}
