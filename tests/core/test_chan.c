/* test_chan.c - records into frames, and the credits that bound them. */
#include "core/chan.h"

#include <stdlib.h>
#include <string.h>

#include "../cunit_main.h"
#include "base/mem.h"
#include "base/rng.h"
#include "core/types.h"

struct frame {
    size_t size;
    unsigned char v[TG_CHAN_FRAME];
};

static struct frame taken(struct tg_chan *c)
{
    struct frame f;
    f.size = tg_chan_take(c, f.v);
    tg_chan_check(c);
    return f;
}

/* The frame arrives; returns how many records are in it. */
static uint32_t arrives(struct tg_chan *c, const struct frame *f)
{
    CU_ASSERT_EQUAL(tg_chan_got(c, f->v, f->size), TRYGON_SUCCESS);
    tg_chan_check(c);
    uint32_t n = 0;
    size_t at = 0, size;
    while (tg_chan_record(f->v, f->size, &at, &size) != NULL)
        n++;
    return n;
}

static void put(struct tg_chan *c, const void *record, size_t size)
{
    size_t begin = tg_chan_begin(c);
    tg_bytes_room(&c->out, size);
    memcpy(c->out.v + c->out.n, record, size);
    c->out.n += size;
    tg_chan_end(c, begin);
}

static void put_text(struct tg_chan *c, const char *text)
{
    put(c, text, strlen(text));
}

/* Send frame after frame of one record until nothing is due. */
static uint32_t flood(struct tg_chan *from, struct tg_chan *to, uint32_t most)
{
    static const unsigned char big[TG_CHAN_RECORD];
    uint32_t n = 0;
    while (n < most) {
        put(from, big, sizeof big);
        if (from->credits == 0)
            break;
        struct frame f = taken(from);
        arrives(to, &f);
        n++;
    }
    return n;
}

static void records_leave_together_and_arrive_in_order(void)
{
    struct tg_chan a, b;
    tg_chan_init(&a);
    tg_chan_init(&b);
    CU_ASSERT_FALSE(tg_chan_due(&a));
    put_text(&a, "one");
    put_text(&a, "three");
    put_text(&a, "!");
    CU_ASSERT_TRUE(tg_chan_due(&a));
    struct frame f = taken(&a);
    CU_ASSERT_EQUAL(f.size, 2 + (2 + 3) + (2 + 5) + (2 + 1));
    CU_ASSERT_FALSE(tg_chan_due(&a));
    CU_ASSERT_EQUAL(tg_chan_got(&b, f.v, f.size), TRYGON_SUCCESS);
    static const char *const want[] = {"one", "three", "!"};
    size_t at = 0, n = 0;
    for (int i = 0; i < 3; i++) {
        const unsigned char *r = tg_chan_record(f.v, f.size, &at, &n);
        CU_ASSERT_EQUAL(n, strlen(want[i]));
        CU_ASSERT_EQUAL(memcmp(r, want[i], n), 0);
    }
    CU_ASSERT_PTR_NULL(tg_chan_record(f.v, f.size, &at, &n));
    tg_chan_fini(&a);
    tg_chan_fini(&b);
}

static void a_full_frame_leaves_the_rest_for_the_next(void)
{
    struct tg_chan a, b;
    tg_chan_init(&a);
    tg_chan_init(&b);
    unsigned char record[1000] = {0};
    for (int i = 0; i < 10; i++)
        put(&a, record, sizeof record);
    uint32_t frames = 0, records = 0;
    while (tg_chan_due(&a)) {
        struct frame f = taken(&a);
        CU_ASSERT(f.size <= TG_CHAN_FRAME);
        records += arrives(&b, &f);
        frames++;
    }
    CU_ASSERT_EQUAL(records, 10);
    CU_ASSERT_EQUAL(frames, 4); /* 3 + 3 + 3 + 1 */
    tg_chan_fini(&a);
    tg_chan_fini(&b);
}

static void the_largest_record_fills_a_frame(void)
{
    struct tg_chan a, b;
    tg_chan_init(&a);
    tg_chan_init(&b);
    static const unsigned char big[TG_CHAN_RECORD];
    put(&a, big, sizeof big);
    put_text(&a, "x");
    struct frame f = taken(&a);
    CU_ASSERT_EQUAL(f.size, TG_CHAN_FRAME);
    CU_ASSERT_EQUAL(arrives(&b, &f), 1);
    f = taken(&a);
    CU_ASSERT_EQUAL(arrives(&b, &f), 1);
    tg_chan_fini(&a);
    tg_chan_fini(&b);
}

static void without_credit_the_outbox_waits(void)
{
    struct tg_chan a, b;
    tg_chan_init(&a);
    tg_chan_init(&b);
    CU_ASSERT_EQUAL(flood(&a, &b, 1000), TG_CREDITS);
    CU_ASSERT_EQUAL(a.credits, 0);
    CU_ASSERT_FALSE(tg_chan_due(&a));
    CU_ASSERT_FALSE(tg_chan_quiet(&a));
    tg_chan_fini(&a);
    tg_chan_fini(&b);
}

static void credits_come_back_in_a_frame_that_costs_none(void)
{
    struct tg_chan a, b;
    tg_chan_init(&a);
    tg_chan_init(&b);
    CU_ASSERT_EQUAL(flood(&a, &b, TG_CREDITS / 2 - 1), TG_CREDITS / 2 - 1);
    CU_ASSERT_FALSE(tg_chan_due(&b)); /* not yet worth a frame */
    CU_ASSERT_TRUE(tg_chan_quiet(&b));
    flood(&a, &b, 1);
    CU_ASSERT_TRUE(tg_chan_due(&b));
    CU_ASSERT_FALSE(tg_chan_quiet(&b));
    struct frame f = taken(&b);
    CU_ASSERT_EQUAL(f.size, 2);
    CU_ASSERT_EQUAL(b.credits, TG_CREDITS);
    CU_ASSERT_EQUAL(b.owed, 0);
    CU_ASSERT_EQUAL(arrives(&a, &f), 0);
    CU_ASSERT_EQUAL(a.credits, TG_CREDITS);
    CU_ASSERT_EQUAL(a.owed, 0); /* nor does a owe anything for it */
    tg_chan_fini(&a);
    tg_chan_fini(&b);
}

static void credits_ride_on_frames_that_go_anyway(void)
{
    struct tg_chan a, b;
    tg_chan_init(&a);
    tg_chan_init(&b);
    flood(&a, &b, 3);
    CU_ASSERT_EQUAL(a.credits, TG_CREDITS - 3);
    put_text(&b, "reply");
    struct frame f = taken(&b);
    arrives(&a, &f);
    CU_ASSERT_EQUAL(a.credits, TG_CREDITS);
    CU_ASSERT_EQUAL(a.owed, 1);
    tg_chan_fini(&a);
    tg_chan_fini(&b);
}

/* A few records wait for more while two frames are under way. */
static void frames_that_are_not_full_can_wait(void)
{
    struct tg_chan a, b;
    struct frame f;
    unsigned char big[TG_CHAN_FRAME / 2] = {0};
    tg_chan_init(&a);
    tg_chan_init(&b);
    CU_ASSERT_FALSE(tg_chan_pressing(&a));
    for (uint32_t i = 0; i < 2; i++) {
        put_text(&a, "at once");
        CU_ASSERT_EQUAL(tg_chan_outstanding(&a), i);
        CU_ASSERT_TRUE(tg_chan_pressing(&a));
        f = taken(&a);
        arrives(&b, &f);
    }
    put_text(&a, "later");
    CU_ASSERT_EQUAL(tg_chan_outstanding(&a), 2);
    CU_ASSERT_EQUAL(tg_chan_waiting(&a), 2 + 5);
    CU_ASSERT_TRUE(tg_chan_due(&a));
    CU_ASSERT_FALSE(tg_chan_pressing(&a));
    put(&a, big, sizeof big);
    CU_ASSERT_FALSE(tg_chan_pressing(&a));
    put(&a, big, sizeof big);
    CU_ASSERT_TRUE(tg_chan_pressing(&a)); /* full */
    f = taken(&a);
    arrives(&b, &f);
    CU_ASSERT_FALSE(tg_chan_pressing(&a));
    put_text(&b, "reply");
    f = taken(&b);
    arrives(&a, &f);
    CU_ASSERT_TRUE(tg_chan_pressing(&a)); /* the credits are back */
    for (int i = 0; i < TG_CREDITS / 2; i++) {
        CU_ASSERT_EQUAL(tg_chan_pressing(&b), b.owed >= TG_CREDITS / 2);
        put(&a, big, sizeof big);
        f = taken(&a);
        arrives(&b, &f);
    }
    CU_ASSERT_TRUE(tg_chan_pressing(&b)); /* with nothing of its own */
    tg_chan_fini(&a);
    tg_chan_fini(&b);
}

/* Refused as a whole, and the channel is as it was. */
static void refused(const unsigned char *v, size_t size)
{
    struct tg_chan c;
    tg_chan_init(&c);
    c.credits = TG_CREDITS - 1;
    c.owed = 5;
    unsigned char *exact = malloc(size > 0 ? size : 1);
    if (size > 0)
        memcpy(exact, v, size);
    CU_ASSERT_EQUAL(tg_chan_got(&c, exact, size), TRYGON_ERR_INVALID);
    CU_ASSERT_EQUAL(c.credits, TG_CREDITS - 1);
    CU_ASSERT_EQUAL(c.owed, 5);
    free(exact);
    tg_chan_fini(&c);
}

#define REFUSED(...)                              \
    refused((const unsigned char[]){__VA_ARGS__}, \
            sizeof((const unsigned char[]){__VA_ARGS__}))

static void garbage_is_refused_without_change(void)
{
    static const unsigned char large[TG_CHAN_FRAME + 1];
    refused(large, 0);
    refused(large, sizeof large);
    REFUSED(0);                     /* half a header */
    REFUSED(2, 0);                  /* more credits than there are */
    REFUSED(0xff, 0xff);            /* many more */
    REFUSED(1, 0, 1);               /* half a length */
    REFUSED(1, 0, 0, 0);            /* an empty record */
    REFUSED(1, 0, 2, 0, 'x');       /* a record that is cut off */
    REFUSED(1, 0, 1, 0, 'x', 9, 0); /* and a later one */
    REFUSED(1, 0, 0xff, 0xff, 'x');
}

static void more_frames_than_credits_are_refused(void)
{
    struct tg_chan c;
    tg_chan_init(&c);
    static const unsigned char frame[] = {0, 0, 1, 0, 'x'};
    for (int i = 0; i < TG_CREDITS; i++)
        CU_ASSERT_EQUAL(tg_chan_got(&c, frame, sizeof frame), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(tg_chan_got(&c, frame, sizeof frame), TRYGON_ERR_INVALID);
    tg_chan_check(&c);
    tg_chan_fini(&c);
}

static void random_bytes_never_do_harm(void)
{
    struct tg_rng rng = {5};
    struct tg_chan c;
    uint32_t accepted = 0;
    for (int i = 0; i < 20000; i++) {
        unsigned char v[16];
        size_t size = tg_rng_below(&rng, sizeof v);
        for (size_t j = 0; j < size; j++)
            v[j] = (unsigned char)tg_rng_below(&rng, 4);
        unsigned char *exact = malloc(size + 1);
        memcpy(exact, v, size);
        tg_chan_init(&c);
        c.credits = 60;
        if (tg_chan_got(&c, exact, size) == TRYGON_SUCCESS) {
            size_t at = 0, n;
            const unsigned char *r;
            while ((r = tg_chan_record(exact, size, &at, &n)) != NULL)
                CU_ASSERT(n > 0 && r + n <= exact + size);
            accepted++;
        }
        tg_chan_check(&c);
        tg_chan_fini(&c);
        free(exact);
    }
    CU_ASSERT(accepted > 100);
}

/* ----- two ranks and what is under way between them ------------------------ */

struct side {
    struct tg_chan c;
    TG_VEC(struct frame) wire; /* under way to it */
    uint32_t at;               /* the first that has not arrived */
    uint64_t put, got;         /* numbers of records: 1, 2, ... */
    uint32_t wrong;
};

static void side_put(struct side *s, struct tg_rng *rng)
{
    unsigned char record[TG_CHAN_RECORD];
    size_t size = tg_rng_below(rng, 8) == 0
                      ? 8 + tg_rng_below(rng, TG_CHAN_RECORD - 7)
                      : 8 + tg_rng_below(rng, 60);
    memset(record, 0x5a, size);
    s->put++;
    memcpy(record, &s->put, sizeof s->put);
    put(&s->c, record, size);
}

static void side_send(struct side *s, struct side *peer)
{
    if (!tg_chan_due(&s->c))
        return;
    struct frame *f = tg_vec_add(&peer->wire);
    f->size = tg_chan_take(&s->c, f->v);
    uint32_t full = 0;
    for (uint32_t i = peer->at; i < peer->wire.n; i++)
        full += peer->wire.v[i].size > 2;
    s->wrong += full > TG_CREDITS;
}

static void side_receive(struct side *s)
{
    if (s->at == s->wire.n)
        return;
    const struct frame *f = &s->wire.v[s->at++];
    s->wrong += tg_chan_got(&s->c, f->v, f->size) != TRYGON_SUCCESS;
    size_t at = 0, n;
    const unsigned char *r;
    while ((r = tg_chan_record(f->v, f->size, &at, &n)) != NULL) {
        uint64_t number;
        memcpy(&number, r, sizeof number);
        s->wrong += number != ++s->got;
    }
    if (s->at == s->wire.n)
        s->at = s->wire.n = 0;
}

static bool side_idle(const struct side *s)
{
    return s->at == s->wire.n && !tg_chan_due(&s->c);
}

static void a_random_two_way_run_is_bounded_ordered_and_never_stalls(void)
{
    struct side v[2];
    memset(v, 0, sizeof v);
    tg_chan_init(&v[0].c);
    tg_chan_init(&v[1].c);
    struct tg_rng rng = {1};
    for (int i = 0; i < 100000; i++) {
        uint32_t k = tg_rng_below(&rng, 2), phase = (uint32_t)i / 10000 % 3;
        uint32_t what = tg_rng_below(&rng, 10);
        if (what < (phase == 0 ? 6u : 3u)) /* at first too much for the wire */
            side_put(&v[k], &rng);
        else if (what < 8)
            side_send(&v[k], &v[1 - k]);
        else
            side_receive(&v[k]);
        tg_chan_check(&v[k].c);
    }
    while (!side_idle(&v[0]) || !side_idle(&v[1])) {
        side_send(&v[0], &v[1]);
        side_send(&v[1], &v[0]);
        side_receive(&v[0]);
        side_receive(&v[1]);
    }
    for (int k = 0; k < 2; k++) {
        CU_ASSERT_EQUAL(v[k].wrong, 0);
        CU_ASSERT_EQUAL(v[k].got, v[1 - k].put);
        CU_ASSERT_TRUE(tg_chan_quiet(&v[k].c));
        tg_chan_fini(&v[k].c);
        tg_vec_free(&v[k].wire);
    }
}

static const struct unit_test tests[] = {
    TEST(records_leave_together_and_arrive_in_order),
    TEST(a_full_frame_leaves_the_rest_for_the_next),
    TEST(the_largest_record_fills_a_frame),
    TEST(without_credit_the_outbox_waits),
    TEST(credits_come_back_in_a_frame_that_costs_none),
    TEST(credits_ride_on_frames_that_go_anyway),
    TEST(frames_that_are_not_full_can_wait),
    TEST(garbage_is_refused_without_change),
    TEST(more_frames_than_credits_are_refused),
    TEST(random_bytes_never_do_harm),
    TEST(a_random_two_way_run_is_bounded_ordered_and_never_stalls),
    TESTS_END,
};

CUNIT_MAIN("chan", tests)
