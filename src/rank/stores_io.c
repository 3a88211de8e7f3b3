/* stores_io.c - what may take long, without the rank's lock (stores.h).
 *
 * There are three lines of jobs, so that none waits for what it does not need:
 * writing, which calls HDF5, and so waits for as long as user code is inside of
 * that; reading, for which somebody waits; and the making and removing of
 * files, for a file is what is given to user code that waits for a writer who
 * waits for it.  A line has a thread of the pool, bound to nothing but the
 * rank's own CPUs, as long as there is something in it.
 *
 * Threads: jobs are added with the rank's lock held.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rank/rank.h"

enum line_kind { WRITING, READING, FILES, LINES };

struct line {
    struct tg_io *io;
    struct tg_job *jobs; /* in order */
    bool busy;           /* it has a thread */
};

struct tg_io {
    struct trygon *tg;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t idle;
    struct line lines[LINES];
    TG_VEC(struct tg_spilled) dead;       /* for FILES, as are */
    TG_VEC(struct tg_arena_file) dropped; /* these */
    bool stopped;
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

static void make_file(struct tg_spill *spill, struct tg_job *job)
{
    const char *dir = tg_spill_room(spill, job->n);
    if (dir != NULL) {
        job->rc = tg_arena_file_make(dir, job->n, &job->file, job->why,
                                     sizeof job->why);
        return;
    }
    bool could = tg_spill_could(spill, job->n);
    job->rc = could ? TRYGON_ERR_DISK_FULL : TRYGON_ERR_STORE_FULL;
    snprintf(job->why, sizeof job->why, "no directory for files %s",
             could ? "has room for it" : "is on a disk as large as it");
}

/* With io->lock held: the first job, or all that are to be written with it. */
static struct tg_job *take(struct line *line)
{
    struct tg_job *taken = NULL, *job = line->jobs, *next;
    uint64_t bytes = 0;
    DL_FOREACH_SAFE (line->jobs, job, next) {
        if (taken != NULL &&
            (job->op != TG_STORE_SPILL || bytes + job->item.size > batch_bytes))
            continue;
        bytes += job->item.size;
        DL_DELETE(line->jobs, job);
        DL_APPEND(taken, job);
    }
    return taken;
}

static void do_jobs(struct trygon *tg, struct tg_job *jobs)
{
    struct tg_job *job, *next;
    if (jobs->op == TG_STORE_SPILL)
        write_all(tg->stores.spill, jobs);
    else if (jobs->op == TG_STORE_FILE)
        make_file(tg->stores.spill, jobs);
    else
        read_one(tg->stores.spill, jobs);
    tg_enter(tg);
    struct tg_event now = {.type = TG_EV_TICK, .now_ns = tg_now_ns()};
    tg_step(tg, &now); /* it has taken a while */
    DL_FOREACH_SAFE (jobs, job, next)
        tg_stores_done(tg, job);
    tg_settle(tg);
    tg_leave(tg);
}

/* Of the line of FILES: with io->lock held, which is given up meanwhile.  Who
 * waits for a file comes before.  False: there is nothing. */
static bool remove_one(struct tg_io *io)
{
    struct tg_spilled where = {0};
    struct tg_arena_file f = {.fd = -1};
    if (io->dropped.n > 0)
        f = io->dropped.v[--io->dropped.n];
    else if (io->dead.n > 0)
        where = io->dead.v[--io->dead.n];
    else
        return false;
    pthread_mutex_unlock(&io->lock);
    if (f.fd >= 0)
        tg_arena_file_drop(&f);
    tg_spill_forget(io->tg->stores.spill, &where);
    pthread_mutex_lock(&io->lock);
    return true;
}

static void work(void *arg)
{
    struct line *line = arg;
    struct tg_io *io = line->io;
    bool files = line == &io->lines[FILES];
    pthread_mutex_lock(&io->lock);
    while (line->jobs != NULL || (files && remove_one(io))) {
        struct tg_job *jobs = line->jobs != NULL ? take(line) : NULL;
        if (jobs == NULL)
            continue;
        pthread_mutex_unlock(&io->lock);
        do_jobs(io->tg, jobs);
        pthread_mutex_lock(&io->lock);
    }
    line->busy = false;
    pthread_cond_signal(&io->idle);
    pthread_mutex_unlock(&io->lock);
}

/* ----- something to do --------------------------------------------------------------- */

/* With io->lock held, which is given up meanwhile.  False: the pool has no
 * thread. */
static bool start(struct line *line)
{
    struct tg_io *io = line->io;
    if (line->busy)
        return true;
    line->busy = true;
    pthread_mutex_unlock(&io->lock);
    bool good =
        tg_pool_run(io->tg->pool, work, line, NULL, 0) == TRYGON_SUCCESS;
    pthread_mutex_lock(&io->lock);
    if (!good) {
        line->busy = false;
        pthread_cond_signal(&io->idle);
    }
    return good;
}

bool tg_io_add(struct tg_io *io, struct tg_job *job)
{
    bool reads = job->op == TG_STORE_LOAD || job->op == TG_STORE_SEND;
    bool writes = job->op == TG_STORE_SPILL;
    struct line *line = &io->lines[reads ? READING : writes ? WRITING : FILES];
    pthread_mutex_lock(&io->lock);
    bool good = !io->stopped;
    if (good)
        DL_APPEND(line->jobs, job);
    if (good && !start(line)) {
        DL_DELETE(line->jobs, job);
        good = false;
    }
    pthread_mutex_unlock(&io->lock);
    return good;
}

/* Without a thread it is done with what comes later, or at the end. */
void tg_io_forget(struct tg_io *io, const struct tg_spilled *where)
{
    pthread_mutex_lock(&io->lock);
    *tg_vec_add(&io->dead) = *where;
    if (!io->stopped)
        (void)start(&io->lines[FILES]);
    pthread_mutex_unlock(&io->lock);
}

void tg_io_drop(struct tg_io *io, const struct tg_arena_file *file)
{
    pthread_mutex_lock(&io->lock);
    *tg_vec_add(&io->dropped) = *file;
    if (!io->stopped)
        (void)start(&io->lines[FILES]);
    pthread_mutex_unlock(&io->lock);
}

/* ----- start and end ------------------------------------------------------------------ */

struct tg_io *tg_io_create(struct trygon *tg)
{
    struct tg_io *io = tg_alloc(sizeof *io);
    io->tg = tg;
    pthread_mutex_init(&io->lock, NULL);
    pthread_cond_init(&io->idle, NULL);
    for (int i = 0; i < LINES; i++)
        io->lines[i].io = io;
    return io;
}

static bool any_busy(const struct tg_io *io)
{
    bool busy = false;
    for (int i = 0; i < LINES; i++)
        busy |= io->lines[i].busy;
    return busy;
}

void tg_io_stop(struct tg_io *io)
{
    pthread_mutex_lock(&io->lock);
    while (any_busy(io))
        pthread_cond_wait(&io->idle, &io->lock);
    io->stopped = true;
    pthread_mutex_unlock(&io->lock);
}

/* Spilled files go with the spill. */
void tg_io_free(struct tg_io **p)
{
    struct tg_io *io = *p;
    *p = NULL;
    if (io == NULL)
        return;
    for (uint32_t i = 0; i < io->dropped.n; i++)
        tg_arena_file_drop(&io->dropped.v[i]);
    tg_vec_free(&io->dropped);
    tg_vec_free(&io->dead);
    pthread_cond_destroy(&io->idle);
    pthread_mutex_destroy(&io->lock);
    free(io);
}
