/* life.c - section 3 of the header: init, run, finalize. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/error.h"

/* MPI is a thing of the process, not of a runtime: how many runtimes live, and
 * whether the first of them had to start MPI, is the one state that trygon
 * keeps outside a runtime. */
static atomic_int runtimes;
static atomic_bool mpi_is_ours;

int trygon_opts_init_sized(trygon_opts_t *opts, size_t size)
{
    static const trygon_opts_t defaults = {.num_cpus = -1, .head_slots = -1};
    return tg_opts_init(__func__, opts, size, &defaults, sizeof defaults);
}

/* ----- init ------------------------------------------------------------------------ */

static int start_mpi(void)
{
    int on = 0, over = 0, level;
    MPI_Initialized(&on);
    MPI_Finalized(&over);
    if (over)
        return tg_fail(NULL, TRYGON_ERR_STATE,
                       "trygon_init: MPI has been finalized");
    if (on)
        return TRYGON_SUCCESS;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level) != MPI_SUCCESS)
        return tg_fail(NULL, TRYGON_ERR_MPI, "trygon_init: MPI_Init failed");
    atomic_store(&mpi_is_ours, true);
    return TRYGON_SUCCESS;
}

static void stop_mpi(void)
{
    if (atomic_load(&runtimes) == 0 && atomic_exchange(&mpi_is_ours, false))
        MPI_Finalize();
}

/* This rank's own mistakes: told to all ranks by the start. */
static void check_opts(const trygon_opts_t *opts, struct tg_start *s)
{
    (void)trygon_opts_init(&s->opts);
    if (opts == NULL)
        return;
    if (opts->size < offsetof(trygon_opts_t, registry) || opts->size > 4096) {
        s->status = TRYGON_ERR_INVALID;
        memcpy(s->err, "opts was not set up by trygon_opts_init()", 42);
        return;
    }
    size_t size = opts->size < sizeof s->opts ? opts->size : sizeof s->opts;
    memcpy(&s->opts, opts, size);
    s->opts.size = sizeof s->opts;
    if (s->opts.registry != NULL) {
        s->fns = s->opts.registry->fns;
        s->nfns = s->opts.registry->n;
    }
    if (s->opts.verbose < 0 || s->opts.verbose > 2) {
        s->status = TRYGON_ERR_INVALID;
        memcpy(s->err, "option verbose must be 0, 1 or 2", 33);
    }
}

/* A registry is borrowed from the user as const: being used is not a change
 * that the user can see, apart from being frozen, which is documented. */
static trygon_registry_t *registry_of(const struct tg_start *s)
{
    union {
        const trygon_registry_t *in;
        trygon_registry_t *out;
    } u = {.in = s->opts.registry};
    return u.out;
}

int trygon_init(MPI_Comm comm, const trygon_opts_t *opts, trygon_t **out)
{
    TG_NEED(NULL, out != NULL, "the output is NULL");
    TG_NEED(NULL, !tg_in_call(), "called inside a task");
    int rc = start_mpi();
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_start s = {0};
    check_opts(opts, &s);
    MPI_Comm dup;
    if (MPI_Comm_dup(comm == MPI_COMM_NULL ? MPI_COMM_WORLD : comm, &dup) !=
        MPI_SUCCESS) {
        stop_mpi();
        return tg_fail(NULL, TRYGON_ERR_MPI,
                       "trygon_init: the communicator cannot be duplicated");
    }
    MPI_Comm_set_errhandler(dup, MPI_ERRORS_RETURN);
    trygon_t *tg = NULL;
    rc = tg_rank_create(dup, &s, &tg);
    if (rc != TRYGON_SUCCESS) {
        MPI_Comm_free(&dup);
        stop_mpi();
        return tg_fail(NULL, rc, "trygon_init: %s%s%s", tg_error_text(rc),
                       s.err[0] != '\0' ? ": " : "", s.err);
    }
    tg->registry = registry_of(&s);
    if (tg->registry != NULL) {
        tg->registry->frozen = true;
        atomic_fetch_add(&tg->registry->users, 1);
    }
    atomic_fetch_add(&runtimes, 1);
    *out = tg;
    return TRYGON_SUCCESS;
}

int trygon_rank(const trygon_t *tg, int *rank, int *size)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, rank != NULL && size != NULL, "an output is NULL");
    *rank = tg->rank;
    *size = tg->nranks;
    return TRYGON_SUCCESS;
}

/* ----- run ---------------------------------------------------------------------------- */

struct drive {
    trygon_t *tg;
    trygon_driver_fn driver;
    void *arg;
};

/* The driver, and the news that it has returned. */
static void *drive(void *arg)
{
    struct drive *d = arg;
    tg_last_error_clear();
    int status = d->driver(d->tg, d->arg);
    tg_enter(d->tg);
    struct tg_event ev = {.type = TG_EV_END, .status = status};
    tg_step(d->tg, &ev);
    tg_leave(d->tg);
    return NULL;
}

/* Until the run is over.  Others may be over as well: rank 0 goes on without
 * us, and a run may be short. */
static int serve(trygon_t *tg, int *status)
{
    struct tg_sleeper s = {.level = TG_ATTENDS};
    tg_enter(tg);
    tg_wait_until(tg, &s, &tg->ended, TG_NEVER);
    int rc = tg->failed;
    if (rc == TRYGON_SUCCESS) {
        *status = tg->statuses.v[0];
        tg->statuses.n--;
        memmove(tg->statuses.v, tg->statuses.v + 1,
                tg->statuses.n * sizeof *tg->statuses.v);
        tg->ended = tg->statuses.n > 0;
    }
    tg->in_run = false;
    tg_leave(tg);
    return rc;
}

int trygon_run(trygon_t *tg, trygon_driver_fn driver, void *arg, int *status)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, driver != NULL, "the driver is NULL");
    tg_enter(tg);
    bool busy = tg->in_run || tg_in_call();
    tg->in_run = tg->in_run || !busy;
    tg_leave(tg);
    if (busy)
        return tg_fail(tg, TRYGON_ERR_STATE,
                       "trygon_run: called inside a task or a run");
    struct drive d = {tg, driver, arg};
    pthread_t thread;
    bool apart = tg->rank == 0 && !tg->any_thread;
    if (apart && pthread_create(&thread, NULL, drive, &d) != 0) {
        tg->in_run = false;
        return tg_fail(tg, TRYGON_ERR_NOMEM,
                       "trygon_run: no thread for the driver");
    }
    if (tg->rank == 0 && !apart)
        drive(&d);
    int ended_with = 0;
    int rc = serve(tg, &ended_with);
    if (apart)
        pthread_join(thread, NULL);
    if (rc != TRYGON_SUCCESS)
        return tg_fail(tg, rc, "trygon_run: %s", tg_error_text(rc));
    if (status != NULL)
        *status = ended_with;
    return TRYGON_SUCCESS;
}

/* ----- finalize ------------------------------------------------------------------------ */

int trygon_finalize(trygon_t **handle)
{
    TG_NEED(NULL, handle != NULL && *handle != NULL, "the runtime is NULL");
    trygon_t *tg = *handle;
    tg_enter(tg);
    if (tg->in_run || tg_in_call()) {
        tg_leave(tg);
        return tg_fail(tg, TRYGON_ERR_STATE,
                       "trygon_finalize: called inside a task or a run");
    }
    struct tg_sleeper s = {.level = TG_ATTENDS};
    struct tg_event ev = {.type = TG_EV_DRAIN};
    tg_step(tg, &ev);
    tg_wait_until(tg, &s, &tg->bye, TG_NEVER);
    if (tg->core->objs.user_counts > 0)
        tg_log(&tg->log, TRYGON_LOG_INFO,
               "%llu reference counts were never released",
               (unsigned long long)tg->core->objs.user_counts);
    bool lost = tg->lost_rank || tg->failed != 0;
    tg_leave(tg);
    trygon_registry_t *reg = tg->registry;
    MPI_Comm comm = tg->comm;
    tg_rank_destroy(handle);
    if (reg != NULL)
        atomic_fetch_sub(&reg->users, 1);
    atomic_fetch_sub(&runtimes, 1);
    if (lost)
        return tg_fail(NULL, TRYGON_ERR_WORKER_LOST,
                       "trygon_finalize: a rank was lost; do not finalize MPI");
    MPI_Comm_free(&comm);
    stop_mpi();
    return TRYGON_SUCCESS;
}
