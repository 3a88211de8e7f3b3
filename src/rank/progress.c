/* progress.c - who polls, and who sleeps (rank.h).
 *
 * One thread at a time has the poller's role: it takes in messages, and when
 * there are none it spins a little, then sleeps on the bell, longer and longer.
 * Any other thread that waits sleeps until what it waits for has happened.  A
 * poller that leaves wakes one of those who could take over, else the
 * background thread, which polls while all other threads are in user code.
 */
#include <sched.h>
#include <stdlib.h>

#include "base/futex.h"
#include "core/map.h"
#include "net/net_mpi.h"
#include "base/error.h"
#include "rank/rank.h"

enum { SPINS = 200, SPINS_CROWDED = 4 };
static const uint64_t nap_least = 50000, nap_most = 1000000;

/* ----- polling -------------------------------------------------------------------- */

bool tg_may_poll(const struct trygon *tg)
{
    return tg->any_thread || pthread_equal(tg->mpi_thread, pthread_self());
}

static void fail_all(struct trygon *tg, int rc)
{
    const char *text = NULL;
    if (tg->net != NULL)
        (void)tg_net_mpi_status(tg->net, &text);
    if (tg->failed == 0)
        tg_log(&tg->log, TRYGON_LOG_ERROR, "%s: %s", tg_error_text(rc),
               text != NULL ? text : "bad message");
    tg->failed = rc;
    tg_wake_all(tg);
}

void tg_progress(struct trygon *tg)
{
    int32_t from;
    struct tg_msg m;
    int rc = 0;
    while (tg->post != NULL && tg->failed == 0 &&
           (rc = tg_post_poll(tg->post, &from, &m)) > 0) {
        struct tg_event ev = {.type = TG_EV_MSG, .rank = from, .msg = &m};
        tg_step(tg, &ev);
    }
    if (rc < 0)
        fail_all(tg, rc);
    if (tg_core_deadline(tg->core) <= tg_now_ns()) {
        struct tg_event ev = {.type = TG_EV_TICK};
        tg_step(tg, &ev);
    }
    if (tg->post != NULL && tg->failed == 0 &&
        (rc = tg_post_flush(tg->post)) < 0)
        fail_all(tg, rc);
}

void tg_ring(struct trygon *tg)
{
    atomic_fetch_add(&tg->bell, 1);
    if (atomic_load(&tg->asleep))
        tg_futex_wake(&tg->bell, 1);
}

struct idle { /* how long the poller has found nothing */
    uint32_t spins;
    uint64_t nap_ns;
    uint64_t received;
};

/* The poller has found nothing: spin, then sleep, but not past a time when
 * something is due.  Without the lock. */
static void rest(struct trygon *tg, struct idle *idle, unsigned bell,
                 uint64_t until_ns)
{
    uint32_t spins = tg->crowded ? SPINS_CROWDED : SPINS;
    if (idle->spins < spins && tg->nranks > 1) {
        idle->spins++;
        if (tg->crowded)
            sched_yield();
        return;
    }
    uint64_t now = tg_now_ns();
    uint64_t nap = tg->nranks == 1 ? UINT64_MAX : idle->nap_ns;
    if (until_ns != TG_NEVER)
        nap = until_ns <= now ? 0 : until_ns - now < nap ? until_ns - now : nap;
    if (nap > 0) {
        atomic_store(&tg->asleep, true);
        tg_futex_wait(&tg->bell, bell, nap);
        atomic_store(&tg->asleep, false);
    }
    idle->nap_ns += idle->nap_ns / 2;
    if (idle->nap_ns > nap_most)
        idle->nap_ns = nap_most;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* With the role and the lock; gives up the lock between looks. */
static void poll_until(struct trygon *tg, const bool *done,
                       uint64_t deadline_ns)
{
    struct idle idle = {.nap_ns = nap_least};
    while (!*done && tg->failed == 0) {
        unsigned bell = atomic_load(&tg->bell);
        tg_progress(tg);
        if (tg->core->received != idle.received)
            idle = (struct idle){.nap_ns = nap_least,
                                 .received = tg->core->received};
        uint64_t until = sooner(deadline_ns, tg_core_deadline(tg->core));
        if (*done || tg->failed != 0 || tg_now_ns() >= deadline_ns)
            break;
        tg->poll_again_ns = until;
        tg_leave(tg);
        rest(tg, &idle, bell, until);
        tg_enter(tg);
    }
}

/* ----- waiting ---------------------------------------------------------------------- */

void tg_wake(struct trygon *tg, struct tg_sleeper *s)
{
    if (!s->asleep) {
        tg_ring(tg); /* it has the poller's role, or is about to look */
        return;
    }
    atomic_store(&s->word, 1);
    tg_futex_wake(&s->word, 1);
}

void tg_wake_all(struct trygon *tg)
{
    for (struct tg_sleeper *s = tg->sleepers; s != NULL; s = s->next)
        tg_wake(tg, s);
    tg_ring(tg);
}

static void wake_next_poller(struct trygon *tg)
{
    for (struct tg_sleeper *s = tg->sleepers; s != NULL; s = s->next) {
        if (s->can_poll) {
            tg_wake(tg, s);
            return;
        }
    }
}

/* Without the role: sleep until somebody says that it is worth a look. */
static void sleep_on(struct trygon *tg, struct tg_sleeper *s,
                     uint64_t deadline_ns)
{
    DL_APPEND(tg->sleepers, s);
    s->asleep = true;
    atomic_store(&s->word, 0);
    tg_leave(tg);
    uint64_t now = tg_now_ns();
    if (deadline_ns == TG_NEVER)
        tg_futex_wait(&s->word, 0, UINT64_MAX);
    else if (deadline_ns > now)
        tg_futex_wait(&s->word, 0, deadline_ns - now);
    tg_enter(tg);
    s->asleep = false;
    DL_DELETE(tg->sleepers, s);
}

void tg_wait_until(struct trygon *tg, struct tg_sleeper *s, const bool *done,
                   uint64_t deadline_ns)
{
    s->can_poll = tg_may_poll(tg);
    while (!*done && tg->failed == 0 && tg_now_ns() < deadline_ns) {
        if (s->can_poll && !tg->polling) {
            tg->polling = true;
            poll_until(tg, done, deadline_ns);
            tg->polling = false;
        } else {
            sleep_on(tg, s, deadline_ns);
        }
    }
    /* Also without having polled: it may be us whom the last poller woke, and
     * what we wait for has come by another way. */
    if (!tg->polling)
        wake_next_poller(tg);
    if (!*done && tg->failed == 0) { /* time is up: the core will say so */
        struct tg_event ev = {.type = TG_EV_TICK};
        tg_step(tg, &ev);
    }
}

/* ----- the background thread ---------------------------------------------------------- */

static void *background(void *arg)
{
    struct trygon *tg = arg;
    struct tg_sleeper s = {0};
    tg_enter(tg);
    tg_wait_until(tg, &s, &tg->stop, TG_NEVER);
    tg_leave(tg);
    return NULL;
}

int tg_background_start(struct trygon *tg)
{
    if (!tg->any_thread)
        return TRYGON_SUCCESS;
    if (pthread_create(&tg->background, NULL, background, tg) != 0)
        return TRYGON_ERR_NOMEM;
    tg->has_background = true;
    return TRYGON_SUCCESS;
}

void tg_background_stop(struct trygon *tg)
{
    if (!tg->has_background)
        return;
    tg_enter(tg);
    tg->stop = true;
    tg_wake_all(tg);
    tg_leave(tg);
    pthread_join(tg->background, NULL);
    tg->has_background = false;
}
