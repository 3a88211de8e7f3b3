/* stores_io.c - the thread that waits for disks (stores.h). */
#include <stdlib.h>

#include "rank/rank.h"

struct tg_io {
    struct trygon *tg;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t more;
    struct tg_job *jobs; /* in order */
    bool stop;
};

/* Objects that are written together: as many as make a file, since none is
 * done before it is closed. */
static const uint64_t batch_bytes = 100u << 20;

/* ----- doing it -------------------------------------------------------------------- */

static void write_all(struct tg_spill *spill, struct tg_job *jobs)
{
    uint32_t n = 0, i = 0;
    struct tg_job *job;
    char why[160] = "";
    DL_FOREACH (jobs, job)
        n++;
    struct tg_spill_item *items = tg_alloc(n * sizeof *items);
    DL_FOREACH (jobs, job)
        items[i++] = job->item;
    (void)tg_spill_write(spill, n, items, why, sizeof why);
    i = 0;
    DL_FOREACH (jobs, job) {
        job->item = items[i++];
        job->rc = job->item.rc;
        memcpy(job->why, why, sizeof why);
    }
    free(items);
}

static void read_one(struct tg_spill *spill, struct tg_job *job)
{
    if (job->data == NULL)
        job->rc = TRYGON_ERR_NOMEM;
    else
        job->rc = tg_spill_read(spill, &job->x->where, job->from, job->n,
                                job->data, job->why, sizeof job->why);
}

/* With io->lock held: the first job, or all that are to be written with it. */
static struct tg_job *take(struct tg_io *io)
{
    struct tg_job *taken = NULL, *job = io->jobs, *next;
    enum tg_store_op op = job->op;
    uint64_t bytes = 0;
    DL_FOREACH_SAFE (io->jobs, job, next) {
        if (taken != NULL && (op != TG_STORE_SPILL || job->op != op ||
                              bytes + job->item.size > batch_bytes))
            continue;
        bytes += job->item.size;
        DL_DELETE(io->jobs, job);
        DL_APPEND(taken, job);
    }
    return taken;
}

static void done(struct trygon *tg, struct tg_job *jobs)
{
    struct tg_job *job, *next;
    tg_enter(tg);
    struct tg_event now = {.type = TG_EV_TICK, .now_ns = tg_now_ns()};
    tg_step(tg, &now); /* it has taken a while */
    DL_FOREACH_SAFE (jobs, job, next)
        tg_stores_done(tg, job);
    tg_settle(tg);
    tg_leave(tg);
}

static void *io_main(void *arg)
{
    struct tg_io *io = arg;
    pthread_mutex_lock(&io->lock);
    while (io->jobs != NULL || !io->stop) {
        if (io->jobs == NULL) {
            pthread_cond_wait(&io->more, &io->lock);
            continue;
        }
        struct tg_job *jobs = take(io);
        pthread_mutex_unlock(&io->lock);
        if (jobs->op == TG_STORE_SPILL)
            write_all(io->tg->stores.spill, jobs);
        else
            read_one(io->tg->stores.spill, jobs);
        done(io->tg, jobs);
        pthread_mutex_lock(&io->lock);
    }
    pthread_mutex_unlock(&io->lock);
    return NULL;
}

/* ----- start and end ------------------------------------------------------------------ */

static bool start(struct trygon *tg)
{
    struct tg_io *io = tg_alloc(sizeof *io);
    io->tg = tg;
    pthread_mutex_init(&io->lock, NULL);
    pthread_cond_init(&io->more, NULL);
    if (pthread_create(&io->thread, NULL, io_main, io) == 0) {
        tg->stores.io = io;
        return true;
    }
    pthread_cond_destroy(&io->more);
    pthread_mutex_destroy(&io->lock);
    free(io);
    return false;
}

bool tg_io_add(struct trygon *tg, struct tg_job *job)
{
    if (tg->stores.io == NULL && !start(tg))
        return false;
    struct tg_io *io = tg->stores.io;
    pthread_mutex_lock(&io->lock);
    DL_APPEND(io->jobs, job);
    pthread_cond_signal(&io->more);
    pthread_mutex_unlock(&io->lock);
    return true;
}

void tg_io_stop(struct tg_io **p)
{
    struct tg_io *io = *p;
    if (io == NULL)
        return;
    pthread_mutex_lock(&io->lock);
    io->stop = true;
    pthread_cond_signal(&io->more);
    pthread_mutex_unlock(&io->lock);
    pthread_join(io->thread, NULL);
    pthread_cond_destroy(&io->more);
    pthread_mutex_destroy(&io->lock);
    free(io);
    *p = NULL;
}
