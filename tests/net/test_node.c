/* test_node.c - frames through memory, and what goes to the transport below.
 *
 * The ranks are transports of this process; each maps the others' inboxes as
 * another process would.  The transport below is a stand-in that counts.
 */
#include "net/net_node.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>

#include "../cunit_main.h"

/* ----- a transport that counts ---------------------------------------------- */

struct below {
    unsigned char room[TG_FRAME_MAX];
    uint32_t frames, polls, pieces, fenced;
    bool has; /* poll shows this once */
    struct tg_net_event event;
};

static struct below *as_below(struct tg_net *net)
{
    return (struct below *)(void *)net;
}

static unsigned char *below_frame(struct tg_net *net, int32_t rank)
{
    (void)rank;
    return as_below(net)->room;
}

static int below_send(struct tg_net *net, int32_t rank, size_t size)
{
    (void)rank, (void)size;
    as_below(net)->frames++;
    return TRYGON_SUCCESS;
}

static int below_bulk_send(struct tg_net *net, int32_t rank, uint32_t tag,
                           const void *data, uint64_t size, void *cookie)
{
    (void)rank, (void)tag, (void)data, (void)size, (void)cookie;
    as_below(net)->pieces++;
    return TRYGON_SUCCESS;
}

static int below_bulk_recv(struct tg_net *net, int32_t rank, uint32_t tag,
                           void *data, uint64_t size, void *cookie)
{
    return below_bulk_send(net, rank, tag, data, size, cookie);
}

static bool below_poll(struct tg_net *net, struct tg_net_event *ev)
{
    struct below *b = as_below(net);
    b->polls++;
    if (!b->has)
        return false;
    b->has = false;
    *ev = b->event;
    return true;
}

static void below_fence(struct tg_net *net, int32_t rank)
{
    (void)rank;
    as_below(net)->fenced++;
}

static const struct tg_net_ops below_ops = {.frame = below_frame,
                                            .send = below_send,
                                            .bulk_send = below_bulk_send,
                                            .bulk_recv = below_bulk_recv,
                                            .poll = below_poll,
                                            .fence = below_fence};

/* ----- some ranks ------------------------------------------------------------- */

enum { MOST = 4 };

struct rank {
    struct tg_net *net;
    const struct tg_net_ops *ops;
    struct tg_shm_offer offer;
    struct below below;
    uint32_t sent[MOST]; /* how often sent() was called for each rank */
};

static struct rank ranks[MOST];
static char why[160];

static void on_sent(void *arg, int32_t to)
{
    ((struct rank *)arg)->sent[to]++;
}

/* n ranks, of which the first `here` are on one node. */
static void start(int32_t n, int32_t here)
{
    memset(ranks, 0, sizeof ranks);
    for (int32_t r = 0; r < n; r++) {
        struct rank *x = &ranks[r];
        tg_net_node_create(r, n, &x->net, &x->offer, why, sizeof why);
        CU_ASSERT_STRING_EQUAL(why, "");
        x->ops = tg_net_node_over(x->net, (struct tg_net *)(void *)&x->below,
                                  &below_ops, on_sent, x);
    }
    for (int32_t r = 0; r < here; r++)
        for (int32_t q = 0; q < here; q++)
            if (q != r)
                CU_ASSERT_EQUAL(tg_net_node_join(ranks[r].net, q,
                                                 &ranks[q].offer, why,
                                                 sizeof why),
                                TRYGON_SUCCESS);
}

static void stop(void)
{
    for (int32_t r = 0; r < MOST; r++)
        tg_net_node_destroy(&ranks[r].net);
}

/* Frame i: its number, then bytes that depend on it. */
static size_t make(uint32_t i, unsigned char *f)
{
    size_t n = i % 97 == 0 ? TG_FRAME_MAX : 4 + i % 300;
    memset(f, (int)(i & 0xff), n);
    memcpy(f, &i, sizeof i);
    return n;
}

static void put(int32_t from, int32_t to, uint32_t i)
{
    struct rank *x = &ranks[from];
    size_t n = make(i, x->ops->frame(x->net, to));
    CU_ASSERT_EQUAL(x->ops->send(x->net, to, n), TRYGON_SUCCESS);
}

static bool is(const struct tg_net_event *ev, int32_t from, uint32_t i)
{
    unsigned char want[TG_FRAME_MAX];
    size_t n = make(i, want);
    return ev->type == TG_NET_FRAME && ev->rank == from && ev->size == n &&
           memcmp(ev->data, want, n) == 0;
}

static bool takes(int32_t at, int32_t from, uint32_t i)
{
    struct tg_net_event ev;
    return ranks[at].ops->poll(ranks[at].net, &ev) && is(&ev, from, i);
}

static bool nothing(int32_t at)
{
    struct tg_net_event ev;
    return !ranks[at].ops->poll(ranks[at].net, &ev);
}

/* ----- tests -------------------------------------------------------------------- */

/* As many as may be ahead, so that the ring goes round at every phase. */
static void frames_arrive_in_order_and_whole(void)
{
    uint32_t put_so_far = 0, taken = 0;
    start(2, 2);
    while (taken < 5000) {
        while (put_so_far < taken + TG_NET_AHEAD)
            put(0, 1, put_so_far++);
        for (uint32_t n = 1 + taken % TG_NET_AHEAD; n > 0; n--, taken++)
            CU_ASSERT_FATAL(takes(1, 0, taken));
        CU_ASSERT_EQUAL(ranks[0].sent[1], put_so_far);
    }
    while (taken < put_so_far)
        CU_ASSERT_FATAL(takes(1, 0, taken++));
    CU_ASSERT(nothing(1) && nothing(0));
    CU_ASSERT_EQUAL(ranks[0].below.frames, 0);
    stop();
}

static void all_senders_are_heard(void)
{
    start(4, 4);
    for (uint32_t i = 0; i < 20; i++)
        for (int32_t r = 1; r < 4; r++)
            put(r, 0, 100 * (uint32_t)r + i);
    uint32_t got[MOST] = {0}, most = 0;
    struct tg_net_event ev;
    while (ranks[0].ops->poll(ranks[0].net, &ev)) {
        CU_ASSERT(is(&ev, ev.rank, 100 * (uint32_t)ev.rank + got[ev.rank]));
        got[ev.rank]++;
        for (int32_t r = 1; r < 4; r++)
            if (got[ev.rank] - got[r] > most && got[ev.rank] > got[r])
                most = got[ev.rank] - got[r];
    }
    CU_ASSERT(got[1] == 20 && got[2] == 20 && got[3] == 20);
    CU_ASSERT(most <= 1);
    stop();
}

/* Rank 1 cannot map what rank 0 has: it sends by the other way, and is reached
 * by this one. */
static void each_direction_by_itself(void)
{
    start(2, 0);
    struct tg_shm_offer wrong = ranks[0].offer;
    wrong.nonce[0] ^= 1;
    CU_ASSERT_EQUAL(tg_net_node_join(ranks[1].net, 0, &wrong, why, sizeof why),
                    TRYGON_ERR_MISMATCH);
    CU_ASSERT(strstr(why, "nonce") != NULL);
    CU_ASSERT_EQUAL(
        tg_net_node_join(ranks[0].net, 1, &ranks[1].offer, why, sizeof why),
        TRYGON_SUCCESS);
    put(1, 0, 5);
    CU_ASSERT_EQUAL(ranks[1].below.frames, 1);
    put(0, 1, 6);
    CU_ASSERT(takes(1, 0, 6));
    CU_ASSERT(nothing(0));
    CU_ASSERT(ranks[0].below.polls > 0); /* where rank 1's frames come */
    stop();
}

static void who_offers_nothing_is_reached_below(void)
{
    start(2, 0);
    struct tg_shm_offer none = {.fd = -1};
    CU_ASSERT_EQUAL(tg_net_node_join(ranks[0].net, 1, &none, why, sizeof why),
                    TRYGON_ERR_IO);
    put(0, 1, 1);
    CU_ASSERT_EQUAL(ranks[0].below.frames, 1);
    stop();
}

static void other_nodes_are_reached_below(void)
{
    start(3, 2);
    put(0, 2, 7);
    CU_ASSERT_EQUAL(ranks[0].below.frames, 1);
    unsigned char theirs[TG_FRAME_MAX];
    size_t n = make(8, theirs);
    ranks[0].below.event = (struct tg_net_event){
        .type = TG_NET_FRAME, .rank = 2, .data = theirs, .size = n};
    ranks[0].below.has = true;
    CU_ASSERT(takes(0, 2, 8));
    CU_ASSERT(nothing(0));
    stop();
}

/* A neighbour that never stops must not keep others waiting. */
static void a_flood_does_not_hide_what_is_below(void)
{
    start(3, 2);
    unsigned char theirs[TG_FRAME_MAX];
    size_t n = make(9, theirs);
    ranks[0].below.event = (struct tg_net_event){
        .type = TG_NET_FRAME, .rank = 2, .data = theirs, .size = n};
    ranks[0].below.has = true;
    uint32_t i = 0;
    for (; ranks[0].below.has && i < 1000; i++) {
        struct tg_net_event ev;
        put(1, 0, i);
        CU_ASSERT(ranks[0].ops->poll(ranks[0].net, &ev));
    }
    CU_ASSERT(i <= 16);
    stop();
}

/* Looking below costs more than looking here: only while there is something. */
static void below_is_asked_only_for_what_is_there(void)
{
    int x = 0;
    start(2, 2);
    for (int i = 0; i < 100; i++)
        CU_ASSERT(nothing(0));
    CU_ASSERT_EQUAL(ranks[0].below.polls, 0);
    CU_ASSERT(tg_net_node_alone(ranks[0].net));
    ranks[0].ops->bulk_recv(ranks[0].net, 1, 3, &x, sizeof x, &x);
    CU_ASSERT_EQUAL(ranks[0].below.pieces, 1);
    CU_ASSERT_FALSE(tg_net_node_alone(ranks[0].net));
    CU_ASSERT(nothing(0));
    CU_ASSERT_EQUAL(ranks[0].below.polls, 1);
    ranks[0].below.event =
        (struct tg_net_event){.type = TG_NET_RECEIVED, .rank = 1, .cookie = &x};
    ranks[0].below.has = true;
    struct tg_net_event ev;
    CU_ASSERT(ranks[0].ops->poll(ranks[0].net, &ev));
    CU_ASSERT(ev.type == TG_NET_RECEIVED && ev.cookie == &x);
    uint32_t polls = ranks[0].below.polls;
    CU_ASSERT(nothing(0));
    CU_ASSERT_EQUAL(ranks[0].below.polls, polls);
    CU_ASSERT(tg_net_node_alone(ranks[0].net));
    stop();
}

/* The frame that poll gave out last is no news. */
static void a_look_sees_the_next_frame(void)
{
    start(2, 2);
    CU_ASSERT_FALSE(tg_net_node_look(ranks[0].net));
    put(1, 0, 1);
    CU_ASSERT(tg_net_node_look(ranks[0].net));
    CU_ASSERT(takes(0, 1, 1));
    CU_ASSERT_FALSE(tg_net_node_look(ranks[0].net));
    put(1, 0, 2);
    CU_ASSERT(tg_net_node_look(ranks[0].net));
    CU_ASSERT(takes(0, 1, 2));
    CU_ASSERT(nothing(0));
    stop();
}

static void the_dead_are_not_heard(void)
{
    start(3, 3);
    put(1, 0, 1);
    put(1, 0, 2);
    put(2, 0, 3);
    while (!takes(0, 1, 1))
        continue;
    ranks[0].ops->fence(ranks[0].net, 1);
    CU_ASSERT_EQUAL(ranks[0].below.fenced, 1);
    put(1, 0, 4);
    put(2, 0, 5);
    struct tg_net_event ev;
    uint32_t n = 0;
    while (ranks[0].ops->poll(ranks[0].net, &ev)) {
        CU_ASSERT_EQUAL(ev.rank, 2);
        n++;
    }
    CU_ASSERT(n == 1 || n == 2); /* 3 may have come before 1 */
    put(0, 1, 6);                /* below knows what to do with it */
    CU_ASSERT_EQUAL(ranks[0].below.frames, 1);
    CU_ASSERT(nothing(1));
    uint32_t polls = ranks[0].below.polls;
    CU_ASSERT(nothing(0));
    CU_ASSERT_EQUAL(ranks[0].below.polls, polls);
    stop();
}

/* ----- at the same time ------------------------------------------------------------ */

enum { ROUNDS = 50000, BURST = 8 };

/* Sends a burst, and takes one; the other does the same. */
static void *talk(void *arg)
{
    int32_t me = *(int32_t *)arg, to = 1 - me;
    static bool wrong[2];
    struct tg_net_event ev;
    uint32_t out = 0, in = 0;
    while (in < ROUNDS) {
        for (int i = 0; i < BURST && out < ROUNDS && out < in + BURST; i++)
            put(me, to, out++);
        if (ranks[me].ops->poll(ranks[me].net, &ev))
            wrong[me] = !is(&ev, to, in++) || wrong[me];
        else
            sched_yield();
    }
    return &wrong[me];
}

static void two_at_once(void)
{
    pthread_t t[2];
    int32_t who[2] = {0, 1};
    start(2, 2);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i], NULL, talk, &who[i]), 0);
    for (int i = 0; i < 2; i++) {
        void *wrong;
        pthread_join(t[i], &wrong);
        CU_ASSERT_FALSE(*(bool *)wrong);
    }
    stop();
}

static const struct unit_test tests[] = {
    TEST(frames_arrive_in_order_and_whole),
    TEST(all_senders_are_heard),
    TEST(each_direction_by_itself),
    TEST(who_offers_nothing_is_reached_below),
    TEST(other_nodes_are_reached_below),
    TEST(a_flood_does_not_hide_what_is_below),
    TEST(below_is_asked_only_for_what_is_there),
    TEST(a_look_sees_the_next_frame),
    TEST(the_dead_are_not_heard),
    TEST(two_at_once),
    TESTS_END,
};

CUNIT_MAIN("node", tests)
