/* test_post.c - two post offices over a simulated network: the bytes of DATA
 * messages go from memory to memory, in whatever order they arrive.
 */
#include "rank/post.h"

#include <stdlib.h>
#include <string.h>

#include "../cunit_main.h"
#include "base/mem.h"
#include "net/net_sim.h"

enum { EAGER = 64, LARGE = 10 << 20 };

struct end { /* of one rank */
    struct tg_post *post;
    unsigned char *memory; /* where DATA goes: offset by offset */
    bool unwilling;        /* nobody wants any */
    uint32_t nsent, ngot, ninto;
    uint64_t last_sent; /* of the last one, its `to` */
    uint64_t last_got;
    int32_t peer; /* that the last call was about */
};

struct pair {
    struct tg_netsim *net;
    struct end ends[2];
    TG_VEC(struct tg_packet *) air; /* what has left, in that order */
};

static void leaves(void *arg, struct tg_packet *p)
{
    struct pair *w = arg;
    *tg_vec_add(&w->air) = p;
}

static void *into(void *arg, int32_t from, const struct tg_msg *m)
{
    struct end *e = arg;
    CU_ASSERT_EQUAL(m->type, TG_MSG_DATA);
    e->peer = from;
    e->ninto++;
    return e->unwilling ? NULL : e->memory + m->u.data.offset;
}

static void got(void *arg, int32_t from, const struct tg_msg *m)
{
    struct end *e = arg;
    CU_ASSERT_PTR_EQUAL(m->u.data.bytes, e->memory + m->u.data.offset);
    e->peer = from;
    e->last_got = m->u.data.to;
    e->ngot++;
}

static void sent(void *arg, int32_t to, struct tg_msg *m)
{
    struct end *e = arg;
    CU_ASSERT_PTR_EQUAL(m->u.data.cookie, e);
    e->peer = to;
    e->last_sent = m->u.data.to;
    e->nsent++;
}

static void pair_start(struct pair *w, bool deaf)
{
    memset(w, 0, sizeof *w);
    struct tg_netsim_opts opts = {.nranks = 2,
                                  .eager_max = EAGER,
                                  .frames_max = TG_NET_AHEAD,
                                  .arg = w,
                                  .leave = leaves};
    tg_netsim_create(&opts, &w->net);
    for (int32_t r = 0; r < 2; r++) {
        struct end *e = &w->ends[r];
        struct tg_post_ends ends = {
            .arg = e, .into = into, .got = got, .sent = sent};
        CU_ASSERT_EQUAL_FATAL(
            tg_post_create(r, 2, NULL, tg_netsim_rank(w->net, r),
                           tg_netsim_ops(), deaf ? NULL : &ends, &e->post),
            TRYGON_SUCCESS);
        e->memory = tg_alloc(LARGE);
        e->peer = -1;
    }
}

static void pair_stop(struct pair *w)
{
    for (int32_t r = 0; r < 2; r++) {
        tg_post_check(w->ends[r].post);
        tg_post_destroy(&w->ends[r].post);
        free(w->ends[r].memory);
    }
    tg_netsim_destroy(&w->net);
    tg_vec_free(&w->air);
}

static void flush(struct pair *w)
{
    for (int32_t r = 0; r < 2; r++)
        CU_ASSERT_EQUAL(tg_post_flush(w->ends[r].post), TRYGON_SUCCESS);
}

/* Packet i of those in the air arrives. */
static void arrive(struct pair *w, uint32_t i)
{
    CU_ASSERT_FATAL(i < w->air.n);
    struct tg_packet *p = w->air.v[i];
    memmove(&w->air.v[i], &w->air.v[i + 1],
            (w->air.n - i - 1) * sizeof(struct tg_packet *));
    w->air.n--;
    tg_netsim_arrive(w->net, p);
}

/* The next message of rank `at`; false: none is complete. */
static bool read_one(struct pair *w, int32_t at, struct tg_msg *m)
{
    int32_t from = -1;
    int rc = tg_post_poll(w->ends[at].post, &from, m);
    CU_ASSERT(rc == 0 || rc == 1);
    CU_ASSERT(rc == 0 || from == 1 - at);
    return rc == 1;
}

/* Nothing stays in the air, and rank 0 hears that its pieces have left. */
static void settle(struct pair *w)
{
    struct tg_msg m;
    do {
        flush(w);
        while (w->air.n > 0)
            arrive(w, 0);
        CU_ASSERT_FALSE(read_one(w, 0, &m));
        CU_ASSERT_FALSE(read_one(w, 1, &m));
    } while (w->air.n > 0 || tg_post_due(w->ends[0].post) ||
             tg_post_due(w->ends[1].post));
}

static bool quiet(struct pair *w)
{
    settle(w);
    return tg_post_quiet(w->ends[0].post) && tg_post_quiet(w->ends[1].post);
}

static unsigned char byte_at(uint64_t i)
{
    return (unsigned char)(i * 7 + (i >> 13));
}

static void fill(struct end *e)
{
    for (uint64_t i = 0; i < LARGE; i++)
        e->memory[i] = byte_at(i);
}

static bool filled(const struct end *e, uint64_t from, uint64_t n)
{
    for (uint64_t i = from; i < from + n; i++)
        if (e->memory[i] != byte_at(i))
            return false;
    return true;
}

/* Rank 0 sends n of its bytes to rank 1. */
static void send_data(struct pair *w, uint64_t to, uint64_t offset, uint64_t n)
{
    struct end *e = &w->ends[0];
    struct tg_msg m = {.type = TG_MSG_DATA};
    m.u.data.to = to;
    m.u.data.number = 9;
    m.u.data.offset = offset;
    m.u.data.n = n;
    m.u.data.bytes = e->memory + offset;
    m.u.data.cookie = e;
    tg_post_send(e->post, 1, &m);
}

static void send_query(struct pair *w, uint64_t waiter)
{
    struct tg_msg m = {.type = TG_MSG_QUERY};
    m.u.query.waiter = waiter;
    tg_post_send(w->ends[0].post, 1, &m);
}

/* ----- tests ----------------------------------------------------------------- */

/* Of one byte as of ten million, and only they are written. */
static void bytes_go_from_memory_to_memory(void)
{
    static const uint64_t sizes[] = {1, EAGER, 100, LARGE};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct pair w;
        struct tg_msg m;
        uint64_t n = sizes[i], offset = n == LARGE ? 0 : 4321;
        pair_start(&w, false);
        fill(&w.ends[0]);
        send_data(&w, 77, offset, n);
        CU_ASSERT_TRUE(tg_post_due(w.ends[0].post));
        flush(&w);
        CU_ASSERT_EQUAL(w.air.n, 1);
        CU_ASSERT_FALSE(read_one(&w, 0, &m));
        CU_ASSERT_EQUAL(w.ends[0].nsent, n <= EAGER); /* it may leave at once */
        arrive(&w, 0);
        CU_ASSERT_FALSE(read_one(&w, 1, &m)); /* it is announced */
        CU_ASSERT(w.ends[1].ninto == 1 && w.ends[1].ngot == 0);
        CU_ASSERT_FALSE(tg_post_quiet(w.ends[1].post));
        CU_ASSERT_EQUAL_FATAL(w.air.n, 1);
        arrive(&w, 0);
        CU_ASSERT_TRUE_FATAL(read_one(&w, 1, &m));
        CU_ASSERT(w.ends[1].ngot == 1 && w.ends[1].last_got == 77);
        CU_ASSERT_EQUAL(w.ends[1].peer, 0);
        CU_ASSERT(m.type == TG_MSG_DATA && m.u.data.code == 0);
        CU_ASSERT(m.u.data.to == 77 && m.u.data.number == 9);
        CU_ASSERT(m.u.data.offset == offset && m.u.data.n == n);
        CU_ASSERT_PTR_EQUAL(m.u.data.bytes, w.ends[1].memory + offset);
        CU_ASSERT_PTR_NULL(m.u.data.cookie);
        CU_ASSERT_TRUE(filled(&w.ends[1], offset, n));
        if (n < LARGE)
            CU_ASSERT(w.ends[1].memory[offset - 1] == 0 &&
                      w.ends[1].memory[offset + n] == 0);
        tg_msg_fini(&m);
        CU_ASSERT_TRUE(quiet(&w));
        CU_ASSERT(w.ends[0].nsent == 1 && w.ends[0].last_sent == 77);
        CU_ASSERT_EQUAL(w.ends[0].peer, 1);
        pair_stop(&w);
    }
}

/* The last one first; small messages wait for none of them. */
static void pieces_may_come_in_any_order(void)
{
    enum { N = 5 };
    static const uint64_t sizes[N] = {1000, LARGE / 2, 1, 200, 4096};
    struct pair w;
    struct tg_msg m;
    pair_start(&w, false);
    fill(&w.ends[0]);
    uint64_t at[N] = {0};
    for (uint32_t i = 0; i < N; i++) {
        at[i] = i == 0 ? 0 : at[i - 1] + sizes[i - 1];
        send_data(&w, i, at[i], sizes[i]);
        send_query(&w, i);
    }
    flush(&w);
    CU_ASSERT_EQUAL_FATAL(w.air.n, 1); /* one frame announces all */
    arrive(&w, 0);
    for (uint32_t i = 0; i < N; i++) {
        CU_ASSERT_TRUE_FATAL(read_one(&w, 1, &m));
        CU_ASSERT(m.type == TG_MSG_QUERY && m.u.query.waiter == i);
        tg_msg_fini(&m);
    }
    CU_ASSERT_FALSE(read_one(&w, 1, &m));
    CU_ASSERT_EQUAL_FATAL(w.air.n, N);
    for (uint32_t i = N; i-- > 0;) {
        CU_ASSERT_FALSE(filled(&w.ends[1], at[i], sizes[i]));
        arrive(&w, i);
        CU_ASSERT_TRUE_FATAL(read_one(&w, 1, &m));
        CU_ASSERT(m.type == TG_MSG_DATA && m.u.data.to == i);
        CU_ASSERT_TRUE(filled(&w.ends[1], at[i], sizes[i]));
        CU_ASSERT_FALSE(read_one(&w, 1, &m));
        tg_msg_fini(&m);
    }
    CU_ASSERT_TRUE(quiet(&w));
    CU_ASSERT(w.ends[0].nsent == N && w.ends[1].ngot == N);
    pair_stop(&w);
}

static void data_without_bytes_is_small(void)
{
    struct pair w;
    struct tg_msg m = {.type = TG_MSG_DATA};
    pair_start(&w, false);
    send_data(&w, 5, 0, 0);
    m.u.data.code = TG_DATA_MOVED;
    m.u.data.rank = 1;
    m.u.data.blob = 6;
    tg_post_send(w.ends[0].post, 1, &m);
    m = (struct tg_msg){.type = TG_MSG_DATA};
    m.u.data.code = TRYGON_ERR_IO;
    tg_post_send(w.ends[0].post, 1, &m);
    flush(&w);
    CU_ASSERT_EQUAL_FATAL(w.air.n, 1);
    arrive(&w, 0);
    CU_ASSERT(read_one(&w, 1, &m) && m.u.data.to == 5 && m.u.data.n == 0);
    CU_ASSERT(read_one(&w, 1, &m) && m.u.data.code == TG_DATA_MOVED);
    CU_ASSERT_EQUAL(m.u.data.blob, 6);
    CU_ASSERT(read_one(&w, 1, &m) && m.u.data.code == TRYGON_ERR_IO);
    CU_ASSERT_TRUE(quiet(&w));
    CU_ASSERT(w.ends[0].nsent == 0 && w.ends[1].ninto == 0);
    pair_stop(&w);
}

/* They are dropped, the message comes all the same, and says so. */
static void bytes_that_nobody_wants_are_dropped(void)
{
    for (int deaf = 0; deaf < 2; deaf++) {
        struct pair w;
        struct tg_msg m;
        pair_start(&w, deaf);
        fill(&w.ends[0]);
        w.ends[1].unwilling = true;
        send_data(&w, 3, 10, 5000);
        flush(&w);
        arrive(&w, 0);
        CU_ASSERT_FALSE(read_one(&w, 1, &m));
        arrive(&w, 0);
        CU_ASSERT_TRUE_FATAL(read_one(&w, 1, &m));
        CU_ASSERT(m.type == TG_MSG_DATA && m.u.data.to == 3);
        CU_ASSERT_PTR_NULL(m.u.data.bytes);
        CU_ASSERT_EQUAL(w.ends[1].memory[10], 0);
        CU_ASSERT_TRUE(quiet(&w));
        CU_ASSERT_EQUAL(w.ends[1].ninto, !deaf);
        CU_ASSERT_EQUAL(w.ends[1].ngot, 0);
        CU_ASSERT_EQUAL(w.ends[0].nsent, !deaf);
        pair_stop(&w);
    }
}

static void values_travel_apart_as_well(void)
{
    struct pair w;
    struct tg_msg m = {.type = TG_MSG_VALUE};
    pair_start(&w, false);
    m.u.value.here = true;
    m.u.value.item.val = tg_val_new(5000, 0, 0);
    memset(tg_val_data(m.u.value.item.val), 'v', 5000);
    tg_post_send(w.ends[0].post, 1, &m);
    flush(&w);
    arrive(&w, 0);
    CU_ASSERT_FALSE(read_one(&w, 1, &m));
    arrive(&w, 0);
    CU_ASSERT_TRUE_FATAL(read_one(&w, 1, &m));
    CU_ASSERT_EQUAL(m.u.value.item.val->size, 5000);
    CU_ASSERT_EQUAL(tg_val_data(m.u.value.item.val)[4999], 'v');
    tg_msg_fini(&m);
    CU_ASSERT_TRUE(quiet(&w));
    CU_ASSERT_EQUAL(w.ends[0].nsent, 0);
    pair_stop(&w);
}

/* What the transport has it may still read; the rest is free at once. */
static void memory_comes_back_unless_the_transport_has_it(void)
{
    struct pair w;
    pair_start(&w, false);
    send_data(&w, 1, 0, 1000);
    flush(&w);
    send_data(&w, 2, 1000, 1000);
    tg_post_fence(w.ends[0].post, 1);
    CU_ASSERT(w.ends[0].nsent == 1 && w.ends[0].last_sent == 2);
    send_data(&w, 3, 2000, 1000);
    CU_ASSERT(w.ends[0].nsent == 2 && w.ends[0].last_sent == 3);
    while (w.air.n > 0)
        arrive(&w, 0);
    struct tg_msg m;
    CU_ASSERT_FALSE(read_one(&w, 0, &m));
    CU_ASSERT_TRUE(tg_post_quiet(w.ends[0].post));
    pair_stop(&w);
}

/* The same where the bytes were to go: they never come. */
static void bytes_from_the_lost_do_not_come(void)
{
    struct pair w;
    struct tg_msg m;
    pair_start(&w, false);
    send_data(&w, 1, 0, 1000);
    flush(&w);
    arrive(&w, 0);
    CU_ASSERT_FALSE(read_one(&w, 1, &m));
    CU_ASSERT_EQUAL(w.ends[1].ninto, 1);
    tg_post_fence(w.ends[1].post, 0);
    while (w.air.n > 0)
        arrive(&w, 0);
    CU_ASSERT_FALSE(read_one(&w, 1, &m));
    CU_ASSERT_EQUAL(w.ends[1].ngot, 0);
    CU_ASSERT_TRUE(tg_post_quiet(w.ends[1].post));
    pair_stop(&w);
}

static const struct unit_test tests[] = {
    TEST(bytes_go_from_memory_to_memory),
    TEST(pieces_may_come_in_any_order),
    TEST(data_without_bytes_is_small),
    TEST(bytes_that_nobody_wants_are_dropped),
    TEST(values_travel_apart_as_well),
    TEST(memory_comes_back_unless_the_transport_has_it),
    TEST(bytes_from_the_lost_do_not_come),
    TESTS_END,
};

CUNIT_MAIN("post", tests)
