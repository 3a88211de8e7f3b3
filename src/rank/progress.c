/* progress.c - who polls, and who sleeps (rank.h).
 *
 * One thread at a time has the poller's role: it takes in messages, and when
 * there are none it spins a little, yields a little, then sleeps on the bell.
 * The role is a pointer under the lock, so whoever is more urgent takes it
 * without asking; the one who had it notices when it looks next.  A call that
 * waits for its answer polls itself, and a round trip costs no switch of
 * threads.
 *
 * Who leaves the role passes it to a call that waits.  If there is none it
 * wakes nobody: that would cost more than most tasks.  The background thread
 * watches instead: as long as the role comes and goes it looks at it from time
 * to time, and polls when nobody else has since it last looked.  While one
 * thread keeps the role it rests, longer and longer.
 */
#include <sched.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/futex.h"
#include "core/map.h"
#include "net/net_mpi.h"
#include "net/net_node.h"
#include "rank/rank.h"

static const uint64_t spin_ns = 5000, yield_ns = 250000, stay_ns = 50000;
static const uint64_t nap_least = 50000, nap_most = 2000000;
static const uint64_t doze_least = 20000000, doze_most = 1000000000;
static const uint64_t watch_least = 500000, watch_most = 4000000;

enum { LOOKS = 32, TURN = 64, CLOCK_TURN = 16, GLANCE = 16, STORES_TURN = 16 };
enum { DOZE_SHARE = 50 };

/* The word of a sleeper. */
enum { AWAKE, WOKEN, SLEEPING };

/* ----- looking -------------------------------------------------------------------- */

bool tg_may_poll(const struct trygon *tg)
{
    return tg->any_thread || pthread_equal(tg->mpi_thread, pthread_self());
}

static void fail_all(struct trygon *tg, int rc)
{
    const char *text = NULL;
    if (tg->mpi != NULL)
        (void)tg_net_mpi_status(tg->mpi, &text);
    if (tg->failed == 0)
        tg_log(&tg->log, TRYGON_LOG_ERROR, "%s: %s", tg_error_text(rc),
               text != NULL ? text : "bad message");
    tg->failed = rc;
    tg_wake_all(tg);
}

void tg_flush(struct trygon *tg)
{
    int rc = 0;
    if (tg->post != NULL && tg->failed == 0 && tg_post_due(tg->post) &&
        (rc = tg_post_flush(tg->post)) < 0)
        fail_all(tg, rc);
}

bool tg_look(const struct trygon *tg)
{
    return tg->mpi != NULL &&
           (tg_net_node_look(tg->net) ||
            (!tg_net_node_alone(tg->net) && tg_net_mpi_look(tg->mpi)));
}

/* The next message, if there is one soon: a look costs less than the clock and
 * the lock, but others may want the lock. */
static int await_msg(struct trygon *tg, int32_t *from, struct tg_msg *m)
{
    int rc = tg_post_poll(tg->post, from, m);
    for (int i = 1; rc == 0 && i < LOOKS; i++) {
        if (atomic_load_explicit(&tg->wanted, memory_order_relaxed) > 0)
            return 0;
        rc = tg_post_poll(tg->post, from, m);
    }
    return rc;
}

struct goal { /* what a thread waits for, which may be soon: one of these */
    const bool *done;
    const struct tg_obj *obj;
};

static bool reached(const struct goal *g)
{
    return g->done != NULL ? *g->done : g->obj->state != TG_OBJ_PENDING;
}

/* One reading of the clock serves a few messages.  What is awaited goes first:
 * what comes after its frame can wait. */
static int take_msgs(struct trygon *tg, const struct goal *goal)
{
    int32_t from;
    struct tg_msg m;
    int rc = goal != NULL ? await_msg(tg, &from, &m)
                          : tg_post_poll(tg->post, &from, &m);
    for (int i = 1; rc > 0; i++) {
        struct tg_event ev = {.type = TG_EV_MSG,
                              .now_ns = tg->looked_ns,
                              .rank = from,
                              .msg = &m};
        tg_step(tg, &ev);
        if (i % CLOCK_TURN == 0)
            tg->looked_ns = tg_now_ns();
        bool enough = i >= TURN || (goal != NULL && reached(goal));
        if (tg->failed != 0 || (enough && !tg_post_more(tg->post)))
            break;
        rc = tg_post_poll(tg->post, &from, &m);
    }
    return rc;
}

/* goal: or NULL. */
static void look(struct trygon *tg, const struct goal *goal)
{
    int rc = 0;
    tg->looked_ns = tg_now_ns();
    unsigned looks = atomic_load_explicit(&tg->looks, memory_order_relaxed);
    atomic_store_explicit(&tg->looks, looks + 1, memory_order_relaxed);
    if (tg->post != NULL && tg->failed == 0)
        rc = take_msgs(tg, goal);
    tg_settle(tg);
    if (rc < 0)
        fail_all(tg, rc);
    if (rc == 0 || looks % STORES_TURN == 0) /* no message, or now and then */
        tg_stores_look(tg);
    if (tg_core_deadline(tg->core) <= tg->looked_ns) {
        struct tg_event ev = {.type = TG_EV_TICK, .now_ns = tg->looked_ns};
        tg_step(tg, &ev);
    }
    tg_flush(tg);
}

void tg_progress(struct trygon *tg)
{
    look(tg, NULL);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ----- the poller's rest ------------------------------------------------------------ */

struct idle { /* for how long the poller has found nothing */
    uint64_t since_ns;
    uint64_t nap_ns;
    uint64_t received;
};

/* Between two looks; without the lock, so that others get it. */
static void pause_looking(struct trygon *tg, bool yield)
{
    tg_leave(tg);
    if (yield)
        sched_yield();
    for (int i = 0; i < 1000 && atomic_load(&tg->wanted) > 0; i++)
        tg_relax();
    tg_enter(tg);
}

/* How long a thread sleeps that need not look, since others wake it.  A core
 * that was halted for a second takes four times as long to wake as after 20 ms:
 * what comes after a pause comes sooner for short sleeps, which cost a quarter
 * of a percent of a core.  Long pauses cost nothing. */
static uint64_t doze_ns(uint64_t pause_ns)
{
    uint64_t ns = pause_ns / DOZE_SHARE;
    return ns < doze_least ? doze_least : sooner(ns, doze_most);
}

/* How long nobody need look if nobody rings.  Large messages under way move
 * only when they are looked at. */
static uint64_t nap_ns(const struct trygon *tg, struct idle *idle)
{
    bool moving = tg->mpi != NULL && !tg_net_mpi_idle(tg->mpi);
    if (moving || tg->stores.node.trims)
        return nap_least;
    if (tg_bells_all(&tg->bells))
        return tg->nranks > 1 ? doze_ns(tg->looked_ns - idle->since_ns)
                              : UINT64_MAX;
    uint64_t nap = idle->nap_ns;
    idle->nap_ns += nap / 2;
    if (idle->nap_ns > nap_most)
        idle->nap_ns = nap_most;
    return nap;
}

/* Whoever rings may be ahead of its message: look for a while afterwards. */
static void nap(struct trygon *tg, struct tg_sleeper *s, struct idle *idle,
                unsigned rung, uint64_t until_ns)
{
    tg_bell_arm(&tg->bells);
    if (tg_look(tg) || tg_stores_due(&tg->stores, &tg->core->store)) {
        tg_bell_disarm(&tg->bells);
        return;
    }
    uint64_t ns = nap_ns(tg, idle), now = tg->looked_ns;
    if (until_ns != TG_NEVER && (until_ns <= now || until_ns - now < ns))
        ns = until_ns <= now ? 0 : until_ns - now;
    tg->naps = true;
    tg_leave(tg);
    if (ns > 0)
        tg_bell_wait(&tg->bells, rung, ns);
    tg_enter(tg);
    if (tg->poller == s) { /* else it is another's by now */
        tg_bell_disarm(&tg->bells);
        tg->naps = false;
    }
    if (tg_bell_seen(&tg->bells) != rung)
        idle->since_ns = UINT64_MAX;
}

/* Are all of this rank's cores in use?  Then they are not for spinning. */
static bool all_busy(const struct trygon *tg)
{
    return tg->layout.nslots > 0 && tg->running >= tg->layout.nslots;
}

static void rest(struct trygon *tg, struct tg_sleeper *s, struct idle *idle,
                 unsigned rung, uint64_t until_ns)
{
    uint64_t idle_ns = tg->looked_ns - idle->since_ns;
    bool spin = !tg->crowded && idle_ns < spin_ns;
    bool yield = idle_ns < (tg->crowded ? stay_ns : yield_ns);
    if (s->level > TG_WATCHES && !all_busy(tg) && (spin || yield))
        pause_looking(tg, !spin);
    else
        nap(tg, s, idle, rung, until_ns);
}

/* ----- the role ------------------------------------------------------------------------ */

static bool may_take(const struct trygon *tg, const struct tg_sleeper *s)
{
    return s->can_poll && (tg->poller == NULL || tg->poller->level < s->level);
}

/* Whoever has it sleeps on the bell perhaps, and is to leave that place. */
static void take_role(struct trygon *tg, struct tg_sleeper *s)
{
    if (tg->poller != NULL && tg->naps) {
        tg_bell_ring(&tg->bells);
        tg_bell_disarm(&tg->bells);
        tg->naps = false;
    }
    tg->poller = s;
}

/* Until *done, the deadline, a failure, or until somebody takes the role; it
 * is nobody's afterwards, or that one's. */
static void poll_until(struct trygon *tg, struct tg_sleeper *s,
                       const bool *done, uint64_t deadline_ns)
{
    struct idle idle = {.since_ns = UINT64_MAX, .nap_ns = nap_least};
    struct goal goal = {.done = done};
    take_role(tg, s);
    while (!*done && tg->failed == 0 && tg->poller == s) {
        unsigned rung = tg_bell_seen(&tg->bells);
        look(tg, s->level > TG_WATCHES && !tg->crowded ? &goal : NULL);
        if (tg->core->received != idle.received || idle.since_ns == UINT64_MAX)
            idle = (struct idle){tg->looked_ns, nap_least, tg->core->received};
        if (*done || tg->failed != 0 || tg->looked_ns >= deadline_ns)
            break;
        tg->poll_again_ns = sooner(deadline_ns, tg_core_deadline(tg->core));
        rest(tg, s, &idle, rung, tg->poll_again_ns);
    }
    if (tg->poller == s) {
        tg->poller = NULL;
        tg->left++;
    }
}

/* Nobody has the role.  The background thread need not hurry, unless this
 * thread goes away for long; for a moment it may as well go on resting. */
void tg_pass_role(struct trygon *tg, enum tg_absence absence)
{
    if (tg->poller != NULL)
        return;
    for (struct tg_sleeper *s = tg->sleepers; s != NULL; s = s->next) {
        if (s->level == TG_AWAITS && s->can_poll) {
            tg_wake(tg, s);
            return;
        }
    }
    if (tg->server != NULL) {
        tg_wake(tg, &tg->server->s);
        return;
    }
    if (tg->has_background && (absence == TG_FOR_LONG ||
                               (absence == TG_FOR_A_WHILE && tg->watch_rests)))
        tg_wake(tg, &tg->watch);
}

/* ----- waiting ---------------------------------------------------------------------- */

/* If it does not sleep it looks by itself before it does. */
static void ring_poller(struct trygon *tg)
{
    if (tg->naps)
        tg_bell_ring(&tg->bells);
}

void tg_wake(struct trygon *tg, struct tg_sleeper *s)
{
    if (s->fiber != NULL)
        tg_loop_wake(s->fiber);
    else if (s == tg->poller)
        ring_poller(tg);
    else if (atomic_exchange(&s->word, WOKEN) == SLEEPING)
        tg_futex_wake(&s->word, 1);
}

void tg_wake_all(struct trygon *tg)
{
    for (struct tg_sleeper *s = tg->sleepers; s != NULL; s = s->next)
        tg_wake(tg, s);
    ring_poller(tg);
}

/* Without the lock: is it woken within a short time? */
static bool spin_on(const struct trygon *tg, struct tg_sleeper *s)
{
    uint64_t now = tg_now_ns(), start = now;
    while (!tg->crowded && atomic_load(&s->word) == AWAKE &&
           now - start < stay_ns) {
        if (now - start < spin_ns)
            tg_relax();
        else
            sched_yield();
        now = tg_now_ns();
    }
    return atomic_load(&s->word) != AWAKE;
}

/* Without the role: until somebody says that it is worth a look. */
static void sleep_on(struct trygon *tg, struct tg_sleeper *s,
                     uint64_t deadline_ns)
{
    unsigned awake = AWAKE;
    DL_APPEND(tg->sleepers, s);
    atomic_store(&s->word, AWAKE);
    tg_leave(tg);
    uint64_t now = deadline_ns == TG_NEVER ? 0 : tg_now_ns();
    if (deadline_ns > now &&
        atomic_compare_exchange_strong(&s->word, &awake, SLEEPING))
        tg_futex_wait(&s->word, SLEEPING,
                      deadline_ns == TG_NEVER ? UINT64_MAX : deadline_ns - now);
    tg_enter(tg);
    DL_DELETE(tg->sleepers, s);
}

void tg_wait_until(struct trygon *tg, struct tg_sleeper *s, const bool *done,
                   uint64_t deadline_ns)
{
    s->can_poll = tg_may_poll(tg);
    while (!*done && tg->failed == 0 &&
           (deadline_ns == TG_NEVER || tg_now_ns() < deadline_ns)) {
        if (may_take(tg, s))
            poll_until(tg, s, done, deadline_ns);
        else
            sleep_on(tg, s, deadline_ns);
    }
    /* Also without having polled: it may be us whom the last poller woke, and
     * what we wait for has come by another way. */
    tg_pass_role(tg, TG_FOR_A_WHILE);
    if (!*done && tg->failed == 0) { /* time is up: the core will say so */
        struct tg_event ev = {.type = TG_EV_TICK};
        tg_step(tg, &ev);
    }
}

void tg_serve_until_given(struct trygon *tg, struct tg_server *sv)
{
    struct tg_server *before = tg->server;
    tg->server = sv;
    if (before != NULL && tg->poller == &before->s)
        take_role(tg, NULL);
    else if (before != NULL)
        tg_wake(tg, &before->s);
    sv->s.can_poll = tg_may_poll(tg);
    while (tg->server == sv && tg->failed == 0 && !tg->stop) {
        if (may_take(tg, &sv->s)) {
            poll_until(tg, &sv->s, &sv->given, TG_NEVER);
            continue;
        }
        atomic_store(&sv->s.word, AWAKE);
        tg_leave(tg);
        bool woken = spin_on(tg, &sv->s);
        tg_enter(tg);
        if (!woken)
            break;
    }
    if (tg->server == sv)
        tg->server = NULL;
}

/* May this thread look, since nobody polls who is as urgent?  Then nobody else
 * does meanwhile. */
static bool may_look(struct trygon *tg, enum tg_level level)
{
    if (!tg_may_poll(tg) || (tg->poller != NULL && tg->poller->level >= level))
        return false;
    if (tg->poller != NULL)
        take_role(tg, NULL);
    return true;
}

void tg_look_in(struct trygon *tg, enum tg_level level)
{
    if (may_look(tg, level))
        tg_progress(tg);
}

bool tg_look_for(struct trygon *tg, const struct tg_obj *x)
{
    struct goal goal = {.obj = x};
    if (tg->post == NULL || tg->crowded || !may_look(tg, TG_AWAITS))
        return false;
    look(tg, &goal);
    for (uint64_t start = tg->looked_ns; !reached(&goal) && tg->failed == 0 &&
                                         atomic_load(&tg->wanted) == 0 &&
                                         tg->looked_ns - start < spin_ns;)
        look(tg, &goal);
    if (reached(&goal))
        tg_pass_role(tg, TG_FOR_A_WHILE);
    return reached(&goal);
}

void tg_glance(struct trygon *tg)
{
    if (++tg->glances % GLANCE == 0)
        tg_look_in(tg, TG_ATTENDS);
}

/* ----- the background thread ---------------------------------------------------------- */

/* Sleep until woken, or until nobody has looked for a tick.  Without the lock:
 * while others are busy this thread must not be in their way.  The longer they
 * are the longer are the ticks, since each may cost one of them its core. */
static void watch(struct trygon *tg)
{
    uint64_t tick = watch_least;
    unsigned looks = atomic_load(&tg->looks), now = looks;
    do {
        looks = now;
        tg_futex_wait(&tg->watch.word, SLEEPING, tick);
        now = atomic_load(&tg->looks);
        tick = sooner(2 * tick, watch_most);
    } while (atomic_load(&tg->watch.word) == SLEEPING && now != looks);
}

static void *background(void *arg)
{
    struct trygon *tg = arg;
    uint64_t left = UINT64_MAX, since_ns = 0;
    tg_enter(tg);
    while (!tg->stop) {
        if (tg->failed == 0 && tg->poller == NULL)
            poll_until(tg, &tg->watch, &tg->stop, TG_NEVER);
        bool rests =
            tg->failed != 0 || (tg->poller != NULL && tg->left == left);
        if (!rests)
            since_ns = tg_now_ns();
        left = tg->left;
        tg->watch_rests = rests;
        atomic_store(&tg->watch.word, SLEEPING);
        tg_leave(tg);
        if (rests)
            tg_futex_wait(&tg->watch.word, SLEEPING,
                          doze_ns(tg_now_ns() - since_ns));
        else
            watch(tg);
        tg_enter(tg);
        tg->watch_rests = false;
    }
    tg_leave(tg);
    return NULL;
}

int tg_background_start(struct trygon *tg)
{
    if (!tg->any_thread)
        return TRYGON_SUCCESS;
    tg->watch.level = TG_WATCHES;
    tg->watch.can_poll = true;
    tg->has_background = true; /* before others can look */
    if (pthread_create(&tg->background, NULL, background, tg) == 0)
        return TRYGON_SUCCESS;
    tg->has_background = false;
    return TRYGON_ERR_NOMEM;
}

/* No thread of ours polls any more, and none of the pool waits for work. */
void tg_background_stop(struct trygon *tg)
{
    tg_enter(tg);
    tg->stop = true;
    take_role(tg, NULL);
    tg_wake_all(tg);
    bool joins = tg->has_background;
    if (joins)
        tg_wake(tg, &tg->watch);
    tg->has_background = false;
    tg_leave(tg);
    if (joins)
        pthread_join(tg->background, NULL);
}
