/* test_net_np3.c - frames, bulk pieces and fences between two or more ranks.
 *
 * Every rank runs the same tests in step; a failure on any of them is the exit
 * status of all.  No assertion here is fatal, for the others would wait.
 */
#include "net/net_mpi.h"

#include <CUnit/Basic.h>
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>
#include <unistd.h>

#include "base/rng.h"

enum { NFRAMES = 100000, MAXRANKS = 16 };

static int rank, size; /* in MPI_COMM_WORLD, as in every duplicate */

struct wire {
    MPI_Comm comm;
    struct tg_net *net;
    const struct tg_net_ops *ops;
};

static struct wire open_wire(void)
{
    struct wire w = {0};
    MPI_Comm_dup(MPI_COMM_WORLD, &w.comm);
    int rc = tg_net_mpi_create(w.comm, &w.net, &w.ops);
    CU_ASSERT_EQUAL(rc, TRYGON_SUCCESS);
    if (rc != TRYGON_SUCCESS)
        MPI_Abort(MPI_COMM_WORLD, 3);
    return w;
}

/* All ranks have seen all that was sent to them. */
static void close_wire(struct wire *w)
{
    struct tg_net_event ev;
    while (!tg_net_mpi_idle(w->net))
        CU_ASSERT_FALSE(w->ops->poll(w->net, &ev));
    MPI_Barrier(MPI_COMM_WORLD);
    CU_ASSERT_FALSE(w->ops->poll(w->net, &ev));
    const char *text;
    CU_ASSERT_EQUAL(tg_net_mpi_status(w->net, &text), TRYGON_SUCCESS);
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT_EQUAL(tg_net_mpi_destroy(&w->net), TRYGON_SUCCESS);
    CU_ASSERT_PTR_NULL(w->net);
    MPI_Comm_free(&w->comm);
}

/* ----- frames ------------------------------------------------------------- */

/* Frame i between two ranks: its number, then bytes that depend on it. */
static size_t make_frame(uint32_t i, unsigned char *f)
{
    size_t n = i % 97 == 0 ? TG_FRAME_MAX : 4 + i % 128;
    memset(f, (int)(i & 0xff), n);
    memcpy(f, &i, sizeof i);
    return n;
}

static bool same_frame(uint32_t i, const struct tg_net_event *ev)
{
    unsigned char want[TG_FRAME_MAX];
    size_t n = make_frame(i, want);
    return ev->type == TG_NET_FRAME && ev->size == n &&
           memcmp(ev->data, want, n) == 0;
}

static int send_frame(struct wire *w, int to, const void *f, size_t n)
{
    memcpy(w->ops->frame(w->net, to), f, n);
    return w->ops->send(w->net, to, n);
}

/* Shows one frame, which must be the next of its rank. */
static bool take_frame(struct wire *w, uint32_t *next, bool *good)
{
    struct tg_net_event ev;
    if (!w->ops->poll(w->net, &ev))
        return false;
    *good = *good && same_frame(next[ev.rank], &ev);
    next[ev.rank]++;
    return true;
}

static uint32_t sum(const uint32_t *v)
{
    uint32_t n = 0;
    for (int r = 0; r < size; r++)
        n += v[r];
    return n;
}

static void frames_keep_their_order(void)
{
    struct wire w = open_wire();
    uint32_t next[MAXRANKS] = {0}, peers = (uint32_t)size - 1;
    bool good = true;
    unsigned char f[TG_FRAME_MAX];
    for (uint32_t i = 0; i < NFRAMES / peers; i++) {
        size_t n = make_frame(i, f);
        for (int r = 0; r < size; r++) {
            if (r != rank)
                good = good && send_frame(&w, r, f, n) == TRYGON_SUCCESS;
        }
        /* Nobody runs far ahead, as credits would see to it. */
        while (sum(next) + 64 * peers < (i + 1) * peers) {
            if (!take_frame(&w, next, &good))
                sched_yield();
        }
    }
    while (sum(next) < NFRAMES / peers * peers) {
        if (!take_frame(&w, next, &good))
            sched_yield();
    }
    CU_ASSERT_TRUE(good);
    close_wire(&w);
}

/* More frames than receives are posted, before anyone looks.  No barrier here:
 * libfabric's tcp provider stops at some hundred unexpected messages and then
 * lets no other through either, until they are received. */
static void a_burst_is_kept(void)
{
    struct wire w = open_wire();
    uint32_t next[MAXRANKS] = {0}, peers = (uint32_t)size - 1;
    bool good = true;
    unsigned char f[TG_FRAME_MAX];
    for (uint32_t i = 0; i < 500; i++) {
        for (int r = 0; r < size; r++) {
            if (r != rank)
                send_frame(&w, r, f, make_frame(i, f));
        }
    }
    usleep(20000);
    while (sum(next) < 500 * peers) {
        if (!take_frame(&w, next, &good))
            sched_yield();
    }
    CU_ASSERT_TRUE(good);
    close_wire(&w);
}

/* What came during a pause is seen at the first look after it. */
static void a_look_sees_what_came(void)
{
    struct wire w = open_wire();
    struct tg_net_event ev;
    CU_ASSERT_FALSE(tg_net_mpi_look(w.net));
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        CU_ASSERT_EQUAL(send_frame(&w, 1, "x", 1), TRYGON_SUCCESS);
    if (rank == 0) /* a transport may need its sender to push */
        usleep(1000);
    MPI_Send(&rank, 1, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD);
    int from;
    MPI_Recv(&from, 1, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
    CU_ASSERT_EQUAL(tg_net_mpi_look(w.net), rank == 1);
    CU_ASSERT_EQUAL(tg_net_mpi_look(w.net), rank == 1);
    CU_ASSERT_EQUAL(w.ops->poll(w.net, &ev), rank == 1);
    CU_ASSERT_FALSE(tg_net_mpi_look(w.net));
    close_wire(&w);
}

/* ----- bulk --------------------------------------------------------------- */

/* One piece: its bytes follow from a seed that both sides know. */
struct item {
    uint32_t tag, seed;
    uint64_t size;
    unsigned char *data;
    int done;
};

static void fill(struct item *it)
{
    struct tg_rng rng = {it->seed};
    for (uint64_t i = 0; i < it->size; i += 8) {
        uint64_t x = tg_rng_next(&rng);
        memcpy(it->data + i, &x, it->size - i < 8 ? it->size - i : 8);
    }
}

static bool is_filled(const struct item *it)
{
    struct item want = *it;
    want.data = malloc(it->size);
    if (want.data == NULL)
        return false;
    fill(&want);
    bool same = memcmp(want.data, it->data, it->size) == 0;
    free(want.data);
    return same;
}

/* Moves n items to the next rank and n from the one before: posts a quarter of
 * the sends, then the receives from the last tag to the first (of one tag in
 * order), then the other sends, and polls until all are done. */
static void exchange(struct item *out, struct item *in, int n)
{
    struct wire w = open_wire();
    int to = (rank + 1) % size, from = (rank + size - 1) % size;
    bool good = true;
    int sent = 0, done = 0;
    for (; sent < n / 4; sent++)
        w.ops->bulk_send(w.net, to, out[sent].tag, out[sent].data,
                         out[sent].size, &out[sent]);
    for (uint32_t t = 256; t-- > 0;) {
        for (int i = 0; i < n; i++) {
            if (in[i].tag == t)
                w.ops->bulk_recv(w.net, from, t, in[i].data, in[i].size,
                                 &in[i]);
        }
    }
    for (; sent < n; sent++)
        w.ops->bulk_send(w.net, to, out[sent].tag, out[sent].data,
                         out[sent].size, &out[sent]);
    CU_ASSERT_FALSE(tg_net_mpi_idle(w.net));
    CU_ASSERT_EQUAL(tg_net_mpi_destroy(&w.net), TRYGON_ERR_STATE);

    uint32_t pings = 0;
    while (done < 2 * n) {
        struct tg_net_event ev;
        if (!w.ops->poll(w.net, &ev)) {
            sched_yield();
            continue;
        }
        struct item *it = ev.cookie;
        bool in_in = it >= in && it < in + n;
        good = good && (ev.type == TG_NET_RECEIVED) == in_in &&
               ev.type != TG_NET_FRAME && ev.rank == (in_in ? from : to) &&
               it->done++ == 0;
        done++;
        pings++;
    }
    for (int i = 0; i < n; i++)
        good = good && is_filled(&in[i]);
    CU_ASSERT_TRUE(good);
    CU_ASSERT_EQUAL(pings, 2 * (uint32_t)n);
    close_wire(&w);
}

static void exchange_sizes(const struct item *items, int n)
{
    struct item *out = calloc((size_t)n, sizeof *out);
    struct item *in = calloc((size_t)n, sizeof *in);
    if (out == NULL || in == NULL)
        MPI_Abort(MPI_COMM_WORLD, 3);
    for (int i = 0; i < n; i++) {
        out[i] = in[i] = items[i];
        out[i].seed += (uint32_t)rank * 1000;
        in[i].seed += (uint32_t)((rank + size - 1) % size) * 1000;
        out[i].data = malloc(items[i].size);
        in[i].data = calloc(1, items[i].size);
        if (out[i].data == NULL || in[i].data == NULL)
            MPI_Abort(MPI_COMM_WORLD, 3);
        fill(&out[i]);
    }
    exchange(out, in, n);
    for (int i = 0; i < n; i++) {
        free(out[i].data);
        free(in[i].data);
    }
    free(out);
    free(in);
}

static void bulk_of_every_size(void)
{
    static const uint64_t sizes[] = {1,       4001,    (1 << 20) - 1,
                                     1 << 20, 1048577, 20 << 20};
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct item it = {.tag = i, .seed = i, .size = sizes[i]};
        exchange_sizes(&it, 1);
    }
}

static void many_bulks_at_once(void)
{
    struct item items[60] = {{0}};
    struct tg_rng rng = {7};
    for (uint32_t i = 0; i < 60; i++) {
        items[i].seed = i + 1;
        items[i].tag = i % 3 == 0 ? 5 : i; /* a third on one tag */
        items[i].size = 1 + tg_rng_below(&rng, i % 7 == 0 ? 9 << 20 : 100000);
    }
    exchange_sizes(items, 60);
}

static void count_sent(void *arg, int32_t to)
{
    ((uint32_t *)arg)[to]++;
}

/* Who may sleep is told of each frame and chunk that has left for it, and of
 * each chunk that waits for it. */
static void what_leaves_is_told(void)
{
    enum { FRAMES = 10, CHUNKS = 6, BYTES = CHUNKS << 20 };
    struct wire w = open_wire();
    struct tg_net_event ev;
    uint32_t told[MAXRANKS] = {0}, next[MAXRANKS] = {0}, done = 0;
    int to = (rank + 1) % size, from = (rank + size - 1) % size;
    unsigned char *out = calloc(1, BYTES), *in = calloc(1, BYTES);
    tg_net_mpi_on_sent(w.net, count_sent, told);
    for (uint32_t i = 0; i < FRAMES; i++)
        send_frame(&w, to, out, 16);
    w.ops->bulk_recv(w.net, from, 3, in, BYTES, in);
    w.ops->bulk_send(w.net, to, 3, out, BYTES, out);
    CU_ASSERT(told[to] > 0); /* a chunk is posted */
    while (done < 2 || next[from] < FRAMES) {
        if (!w.ops->poll(w.net, &ev))
            sched_yield();
        else if (ev.type == TG_NET_FRAME)
            next[ev.rank]++;
        else
            done++;
    }
    while (!tg_net_mpi_idle(w.net))
        CU_ASSERT_FALSE(w.ops->poll(w.net, &ev));
    CU_ASSERT_EQUAL(told[to], FRAMES + 2 * CHUNKS);
    CU_ASSERT_EQUAL(sum(told), told[to]);
    close_wire(&w);
    free(out);
    free(in);
}

/* ----- the dead ----------------------------------------------------------- */

/* The last rank is declared dead by all others, but lives on: it sends frames,
 * and as many chunks as the fenced piece had receives for. */
static void play_dead(struct wire *w, unsigned char *data)
{
    struct tg_net_event ev;
    MPI_Barrier(MPI_COMM_WORLD);
    for (int r = 0; r < size - 1; r++) {
        for (int i = 0; i < 100; i++)
            send_frame(w, r, "late", 4);
        w->ops->bulk_send(w->net, r, 9, data, 4 << 20, NULL);
    }
    int sent = 0;
    while (sent < size - 1) {
        if (w->ops->poll(w->net, &ev)) {
            CU_ASSERT_EQUAL(ev.type, TG_NET_SENT);
            sent++;
        }
    }
    for (int r = 0; r < size - 1; r++)
        MPI_Send(&sent, 1, MPI_INT, r, 1, MPI_COMM_WORLD);
}

static void survive(struct wire *w, unsigned char *data)
{
    struct tg_net_event ev;
    int dead = size - 1, flag = 0, got;
    w->ops->bulk_recv(w->net, dead, 9, data, 20 << 20, &ev);
    w->ops->bulk_recv(w->net, dead, 9, data, 20 << 20, &ev);
    CU_ASSERT_FALSE(tg_net_mpi_idle(w->net));
    w->ops->fence(w->net, dead);
    CU_ASSERT_TRUE(tg_net_mpi_idle(w->net));
    MPI_Barrier(MPI_COMM_WORLD);

    /* The living still talk, and only they are seen. */
    bool good = true;
    uint32_t next[MAXRANKS] = {0};
    unsigned char f[TG_FRAME_MAX];
    for (uint32_t i = 0; i < 100; i++) {
        size_t n = make_frame(i, f);
        for (int r = 0; r < size; r++) {
            if (r != rank)
                good = good && send_frame(w, r, f, n) == TRYGON_SUCCESS;
        }
    }
    good = good &&
           w->ops->bulk_send(w->net, dead, 9, data, 99, &ev) == TRYGON_SUCCESS;
    while (!flag || sum(next) < 100 * ((uint32_t)size - 2)) {
        if (!take_frame(w, next, &good))
            sched_yield();
        if (!flag)
            MPI_Iprobe(dead, 1, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
    }
    MPI_Recv(&got, 1, MPI_INT, dead, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    CU_ASSERT_TRUE(good);
    CU_ASSERT_EQUAL(next[dead], 0);
}

static void nothing_is_seen_of_a_fenced_rank(void)
{
    struct wire w = open_wire();
    unsigned char *data = calloc(1, 20 << 20);
    if (rank == size - 1)
        play_dead(&w, data);
    else
        survive(&w, data);
    close_wire(&w);
    free(data);
}

/* ----- at the start ------------------------------------------------------- */

static void blobs_are_gathered(void)
{
    for (int round = 0; round < 4; round++) {
        unsigned char mine[1000];
        size_t n = round == 0 ? 0 : (size_t)((rank * 37 + round * 64) % 900);
        memset(mine, rank + 1, n);
        void *all;
        size_t *offsets;
        int rc = tg_net_mpi_allgather(MPI_COMM_WORLD, n > 0 ? mine : NULL, n,
                                      &all, &offsets);
        CU_ASSERT_EQUAL(rc, TRYGON_SUCCESS);
        if (rc != TRYGON_SUCCESS)
            return;
        CU_ASSERT_EQUAL(offsets[0], 0);
        for (int r = 0; r < size; r++) {
            size_t want =
                round == 0 ? 0 : (size_t)((r * 37 + round * 64) % 900);
            CU_ASSERT_EQUAL(offsets[r + 1] - offsets[r], want);
            const unsigned char *p = all;
            for (size_t i = offsets[r]; i < offsets[r + 1]; i++)
                CU_ASSERT_EQUAL(p[i], r + 1);
        }
        free(all);
        free(offsets);
    }
}

int main(int argc, char **argv)
{
    if (MPI_Init(&argc, &argv) != MPI_SUCCESS ||
        CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size < 2 || size > MAXRANKS) {
        fprintf(stderr, "run it on 2 to %d ranks\n", MAXRANKS);
        return 99;
    }
    CU_pSuite s = CU_add_suite("net", NULL, NULL);
    CU_ADD_TEST(s, blobs_are_gathered);
    CU_ADD_TEST(s, frames_keep_their_order);
    CU_ADD_TEST(s, a_burst_is_kept);
    CU_ADD_TEST(s, what_leaves_is_told);
    CU_ADD_TEST(s, a_look_sees_what_came);
    CU_ADD_TEST(s, bulk_of_every_size);
    CU_ADD_TEST(s, many_bulks_at_once);
    CU_ADD_TEST(s, nothing_is_seen_of_a_fenced_rank);
    if (rank == 0)
        CU_basic_run_tests();
    else
        CU_run_all_tests(); /* the same, without a report */
    int mine = (int)CU_get_number_of_failures(), all = 0;
    if (mine != 0 && rank != 0)
        CU_basic_show_failures(CU_get_failure_list());
    CU_cleanup_registry();
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all != 0;
}
