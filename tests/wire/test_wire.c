/* test_wire.c - messages survive the wire, whole or not at all. */
#include "wire/wire.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "body.h"
#include "core/chan.h"
#include "gen.h"

static bool survives(const struct tg_msg *m)
{
    struct body e = encode(m);
    struct tg_msg got;
    struct tg_attached in = {0};
    bool ok = false;
    if (decode(e.b.v, e.b.n, &got, &in) == TRYGON_SUCCESS) {
        ok =
            deliver(&e.att, &in) && tg_wire_complete(&got) && gen_same(m, &got);
        tg_msg_fini(&got);
    }
    tg_attached_fini(&in);
    body_fini(&e);
    return ok;
}

static enum tg_msg_type type_of(uint64_t i)
{
    return (enum tg_msg_type)(1 + i % TG_MSG_LAST);
}

static void every_message_survives(void)
{
    for (uint64_t i = 0; i < (uint64_t)400 * TG_MSG_LAST; i++) {
        struct gen g = {{i}, i % 4 == 0};
        struct tg_msg m;
        gen_msg(&g, type_of(i), &m);
        CU_ASSERT(survives(&m));
        tg_msg_fini(&m);
    }
}

/* The sizes at which a plain value is written otherwise, or apart. */
static void plain_values_of_all_sizes_survive(void)
{
    static const uint64_t sizes[] = {0,   1,    2,    123,  124, 125,
                                     126, 1000, 1023, 1024, 1025};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct tg_msg m = {.type = TG_MSG_RUN};
        tg_items_init(&m.u.run.args, (uint32_t)(1 + i % 3));
        struct tg_item *args = tg_items_at(&m.u.run.args);
        for (uint32_t k = 0; k < m.u.run.args.n; k++) {
            args[k].val = tg_val_new(sizes[i], 0, 0);
            memset(tg_val_data(args[k].val), 'a' + (int)k, (size_t)sizes[i]);
        }
        CU_ASSERT(survives(&m));
        tg_msg_fini(&m);
    }
}

static void extreme_numbers_survive(void)
{
    static const uint64_t us[] = {0,     127,        128,       16383,
                                  16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof us / sizeof us[0]; i++) {
        struct tg_msg m = {.type = TG_MSG_COUNTS};
        m.u.counts.sent = us[i];
        m.u.counts.received = ~us[i];
        m.u.counts.round = (uint32_t)us[i];
        CU_ASSERT(survives(&m));
    }
    static const int64_t is[] = {-1, 1, 63, -64, 64, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof is / sizeof is[0]; i++) {
        struct tg_msg m = {.type = TG_MSG_DEMAND};
        struct tg_shape shape = {.amount[TG_RES_MAX - 1] = is[i]};
        shape.node = is[i] < 0 ? INT32_MIN : INT32_MAX;
        m.u.demand.shape = &shape;
        m.u.demand.prefer[0] = is[i] < 0 ? -1 : 0xffffff;
        m.u.demand.nprefer = 1;
        CU_ASSERT(survives(&m));
    }
}

/* Of four counts any may be more than a byte holds, or negative. */
static void counts_of_all_sizes_survive(void)
{
    static const int32_t is[] = {0, 1, 255, 256, 65535, INT32_MAX, -1};
    enum { N = sizeof is / sizeof is[0] };
    for (size_t i = 0; i < (size_t)N * N * N; i++) {
        struct tg_msg m = {.type = i % 2 == 0 ? TG_MSG_RUN : TG_MSG_CALL};
        m.u.run.attempt = is[i % N];
        m.u.run.depth = is[i / N % N];
        m.u.run.nreturns = (uint16_t)is[i / N / N];
        CU_ASSERT(survives(&m));
    }
    for (uint32_t n = 254; n < 258; n++) {
        struct tg_msg m = {.type = TG_MSG_CALL};
        tg_items_init(&m.u.run.args, n);
        for (uint32_t k = 0; k < n; k++)
            m.u.run.args.more[k].val = tg_val_new(0, 0, 0);
        CU_ASSERT(survives(&m));
        tg_msg_fini(&m);
    }
}

static struct tg_val *small_val(uint64_t bits)
{
    trygon_value_t u = {.data = &bits, .size = sizeof bits};
    struct tg_val *v = tg_val_copy(&u);
    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    return v;
}

/* As much of a line of the cache as m takes alone: the word of its slot
 * (net_node.c), and a frame with one record (post.c). */
static size_t in_slot(const struct tg_msg *m)
{
    unsigned char frame[TG_CHAN_FRAME];
    struct tg_chan chan;
    struct body e = encode(m);
    tg_chan_init(&chan);
    size_t begin = tg_chan_begin(&chan);
    tg_bytes_room(&chan.out, 1 + e.b.n);
    memset(chan.out.v + chan.out.n, 0, 1 + e.b.n);
    chan.out.n += 1 + e.b.n;
    tg_chan_end(&chan, begin);
    size_t n = tg_chan_take(&chan, frame);
    tg_chan_fini(&chan);
    body_fini(&e);
    return sizeof(uint32_t) + n;
}

static size_t size_of(const struct tg_msg *m)
{
    struct body e = encode(m);
    size_t n = e.b.n;
    body_fini(&e);
    return n;
}

/* Names with all their bits, numbers as large as they get in long runs. */
static void small_tasks_are_small(void)
{
    struct tg_items one = {.n = 1, .one.val = small_val(UINT64_MAX)};
    struct tg_msg m = {.type = TG_MSG_RUN};
    m.u.run.lease = m.u.run.task = m.u.run.number = UINT64_MAX;
    m.u.run.seq = UINT64_MAX;
    m.u.run.attempt = m.u.run.depth = m.u.run.nreturns = UINT8_MAX;
    m.u.run.fn = UINT32_MAX;
    m.u.run.args = one;
    CU_ASSERT(in_slot(&m) <= 64);
    m.type = TG_MSG_CALL;
    m.u.run.group = TG_GROUPS_MAX - 1;
    CU_ASSERT(in_slot(&m) <= 64);

    m = (struct tg_msg){.type = TG_MSG_DONE};
    m.u.done.lease = m.u.done.task = m.u.done.ran_ns = UINT64_MAX;
    m.u.done.attempt = INT32_MIN;
    m.u.done.bounces = UINT32_MAX;
    m.u.done.returns = one;
    CU_ASSERT(in_slot(&m) <= 64);
    m = (struct tg_msg){.type = TG_MSG_ITEM};
    m.u.item.task = m.u.item.exec = UINT64_MAX;
    m.u.item.attempt = INT32_MIN;
    m.u.item.index = TG_ITEMS_MAX - 1;
    m.u.item.item = one.one;
    CU_ASSERT(in_slot(&m) <= 64);
    tg_items_fini(&one);

    m = (struct tg_msg){.type = TG_MSG_DEMAND};
    struct tg_shape shape = {.amount[TG_RES_CPU] = TG_UNIT};
    m.u.demand.shape = &shape;
    m.u.demand.want = 1000000;
    CU_ASSERT(size_of(&m) <= 32);
}

/* The body of m in hexadecimal. */
static void check_bytes(const struct tg_msg *m, const char *want)
{
    static const char digits[] = "0123456789abcdef";
    struct body e = encode(m);
    char *got = tg_alloc(2 * e.b.n + 1);
    for (size_t i = 0; i < e.b.n; i++) {
        got[2 * i] = digits[e.b.v[i] >> 4];
        got[2 * i + 1] = digits[e.b.v[i] & 15];
    }
    CU_ASSERT_STRING_EQUAL(got, want);
    free(got);
    body_fini(&e);
}

/* If one of these fails, the layout has changed: correct doc/wire.md, and raise
 * TG_WIRE_VERSION once there are releases that speak the old one. */
static void layout_run(void)
{
    static const char want[] = "0a"                /* type */
                               "0100000000000000"  /* lease */
                               "0300000002000000"  /* task */
                               "efcdab8967452301"  /* number */
                               "0000000000000000"  /* seq */
                               "2c010000"          /* fn */
                               "ff"                /* attempt: 1023 */
                               "02"                /* depth */
                               "01"                /* nreturns */
                               "03"                /* nargs */
                               "00"                /* group */
                               "03"                /* high, name; no limit */
                               "03000000"          /* high: of attempt */
                               "03666e00"          /* name */
                               "0c"                /* plain bytes, 8 */
                               "0807060504030201"  /* these */
                               "00"                /* by reference */
                               "0000000002000010"  /* hi */
                               "0100000001000000"  /* lo */
                               "0000010000000000"  /* weight */
                               "03"                /* with its place */
                               "0000000002000010"  /* hi */
                               "0200000001000000"  /* lo */
                               "0100000000000000"  /* weight */
                               "00"                /* TRYGON_BYTE */
                               "00"                /* ndim */
                               "02"                /* in a store */
                               "00"                /* nrefs */
                               "80808001"          /* size */
                               "06"                /* rank: 3 */
                               "0500000004000000"; /* blob */
    static char name[] = "fn";
    struct tg_item args[3] = {{0}, {0}, {0}};
    trygon_value_t u = trygon_bytes("\x8\x7\x6\x5\x4\x3\x2\x1", 8);
    args[0].val = tg_val_copy(&u);
    args[1].ref = tg_ref_make(TRYGON_KIND_OBJECT, 0, 0x200, 0, 0x100000001);
    args[1].weight = 0x10000;
    args[2].ref = tg_ref_make(TRYGON_KIND_OBJECT, 0, 0x200, 0, 0x100000002);
    args[2].weight = 1;
    args[2].place = tg_val_new_stored(2 << 20, 0, 0, 3, 0x400000005);
    struct tg_msg m = {.type = TG_MSG_RUN};
    m.u.run.lease = 1;
    m.u.run.task = 0x200000003;
    m.u.run.number = 0x0123456789abcdef;
    m.u.run.attempt = 1023;
    m.u.run.depth = 2;
    m.u.run.fn = 300;
    m.u.run.nreturns = 1;
    m.u.run.args = (struct tg_items){.n = 3, .more = args};
    m.u.run.name = name;
    check_bytes(&m, want);
    tg_val_drop(&args[0].val);
    tg_val_drop(&args[2].place);
}

static void layout_done(void)
{
    static const char want[] = "0b"                /* type */
                               "0100000000000000"  /* lease */
                               "0300000002000000"  /* task */
                               "e803000000000000"  /* ran_ns */
                               "02000000"          /* attempt */
                               "00000000"          /* code */
                               "00000000"          /* nothing yielded */
                               "00000000"          /* no bounces */
                               "0100"              /* nreturns */
                               "00"                /* no error */
                               "02"                /* by value, with weights */
                               "0a"                /* TRYGON_FLOAT64 */
                               "02"                /* ndim */
                               "00"                /* no error */
                               "01"                /* nrefs */
                               "01"                /* size */
                               "0405"              /* dims: 2, -3 */
                               "0100000000000000"  /* hi */
                               "0200000000000000"  /* lo */
                               "aa"                /* data */
                               "0900000000000000"; /* weight */
    static const int64_t dims[] = {2, -3};
    trygon_ref_t ref = {1, 2};
    uint64_t weight = 9;
    trygon_value_t u = trygon_bytes("\xaa", 1);
    u.type = TRYGON_FLOAT64;
    u.ndim = 2;
    u.dims = dims;
    u.refs = &ref;
    u.nrefs = 1;
    struct tg_item it = {.val = tg_val_copy(&u), .weights = &weight};
    struct tg_msg m = {.type = TG_MSG_DONE};
    m.u.done.lease = 1;
    m.u.done.task = 0x200000003;
    m.u.done.ran_ns = 1000;
    m.u.done.attempt = 2;
    m.u.done.returns = (struct tg_items){.n = 1, .one = it};
    check_bytes(&m, want);
    tg_val_drop(&it.val);
}

static void layout_demand(void)
{
    static const char want[] = "01"               /* type */
                               "0500000000000000" /* class */
                               "818002"           /* mask: CPU, the last */
                               "a09c01"           /* 10000 */
                               "01"               /* -1 */
                               "04"               /* strategy */
                               "0e"               /* node */
                               "0100"             /* soft, not fail */
                               "8001"             /* want */
                               "02"               /* received */
                               "01"               /* depth: -1 */
                               "040601";          /* two: 3, -1 */
    struct tg_msg m = {.type = TG_MSG_DEMAND};
    m.u.demand.cls = 5;
    struct tg_shape shape = {.strategy = 2, .node = 7, .soft = true};
    shape.amount[0] = 10000;
    shape.amount[TG_RES_MAX - 1] = -1;
    m.u.demand.shape = &shape;
    m.u.demand.want = 128;
    m.u.demand.received = 2;
    m.u.demand.depth = -1;
    m.u.demand.nprefer = 2;
    m.u.demand.prefer[0] = 3;
    m.u.demand.prefer[1] = -1;
    check_bytes(&m, want);
}

static void layout_stored(void)
{
    static const char want[] = "0f"                /* type */
                               "0100000000000000"  /* hi */
                               "0200000000000000"  /* lo */
                               "80808001"          /* size: 2 MiB */
                               "01"                /* here */
                               "01"                /* by value */
                               "00"                /* TRYGON_BYTE */
                               "00"                /* ndim */
                               "02"                /* in a store */
                               "00"                /* nrefs */
                               "80808001"          /* size */
                               "06"                /* rank: 3 */
                               "0500000004000000"; /* blob */
    struct tg_msg m = {.type = TG_MSG_VALUE};
    m.u.value.ref = (trygon_ref_t){1, 2};
    m.u.value.size = 2 << 20;
    m.u.value.here = true;
    m.u.value.item.val = tg_val_new_stored(2 << 20, 0, 0, 3, 0x400000005);
    check_bytes(&m, want);
    tg_val_drop(&m.u.value.item.val);
}

/* The bytes are apart, however few they are. */
static void layout_data(void)
{
    static const char want[] = "2f"               /* type */
                               "00"               /* code */
                               "07"               /* number */
                               "0500000004000000" /* to */
                               "8002"             /* offset: 256 */
                               "03";              /* n */
    struct tg_msg m = {.type = TG_MSG_DATA};
    m.u.data.number = 7;
    m.u.data.to = 0x400000005;
    m.u.data.offset = 256;
    m.u.data.n = 3;
    m.u.data.bytes = "abc";
    check_bytes(&m, want);
    struct body e = encode(&m);
    CU_ASSERT_EQUAL_FATAL(e.att.n, 1);
    CU_ASSERT_PTR_EQUAL(e.att.v[0].at, m.u.data.bytes);
    CU_ASSERT_EQUAL(e.att.v[0].size, 3);
    body_fini(&e);
}

static void every_truncation_is_refused(void)
{
    for (uint64_t i = 0; i < (uint64_t)20 * TG_MSG_LAST; i++) {
        struct gen g = {{i}, i % 3 > 0};
        struct tg_msg m;
        gen_msg(&g, type_of(i), &m);
        struct body e = encode(&m);
        for (size_t n = 0; n < e.b.n; n += n < 400 || e.b.n - n < 50 ? 1 : 17)
            CU_ASSERT(refused(e.b.v, n));
        tg_msg_fini(&m);
        body_fini(&e);
    }
    CU_ASSERT(refused(NULL, 0));
}

static void bytes_behind_are_refused(void)
{
    for (uint64_t i = 0; i < (uint64_t)20 * TG_MSG_LAST; i++) {
        struct gen g = {{i}, true};
        struct tg_msg m;
        gen_msg(&g, type_of(i), &m);
        struct body e = encode(&m);
        unsigned char *longer = tg_alloc(e.b.n + 1);
        memcpy(longer, e.b.v, e.b.n);
        CU_ASSERT(refused(longer, e.b.n + 1));
        free(longer);
        tg_msg_fini(&m);
        body_fini(&e);
    }
}

/* Whichever value there is no room for, nothing is left behind. */
static void no_memory_leaves_nothing(void)
{
    struct tg_msg m = {0}, got;
    uint64_t before = 0;
    struct tg_attached in = {0};
    *tg_vec_add(&in) = (struct tg_piece){&before, sizeof before};
    for (uint64_t i = 0; m.u.run.args.n < 4; i++) {
        tg_msg_fini(&m);
        struct gen g = {{i}, false};
        gen_msg(&g, TG_MSG_RUN, &m);
    }
    struct body e = encode(&m);
    unsigned fails = 0;
    for (;; fails++) {
        gen_fail_val(fails + 1);
        int rc = tg_wire_decode(e.b.v, e.b.n, NULL, &got, &in);
        if (rc == TRYGON_SUCCESS)
            break;
        CU_ASSERT_EQUAL(rc, TRYGON_ERR_NOMEM);
        CU_ASSERT_EQUAL(in.n, 1);
    }
    gen_fail_val(0);
    CU_ASSERT(fails > 1);
    CU_ASSERT_EQUAL(in.n, 1 + e.att.n);
    CU_ASSERT_PTR_EQUAL(in.v[0].at, &before);
    tg_msg_fini(&got);
    tg_attached_fini(&in);
    body_fini(&e);
    tg_msg_fini(&m);

    /* here, by value, 2^48 bytes */
    static const unsigned char huge[] = {
        TG_MSG_VALUE, [18] = 1, 1,    [24] = 0x80, 0x80,
        0x80,         0x80,     0x80, 0x80,        0x40};
    CU_ASSERT_EQUAL(tg_wire_decode(huge, sizeof huge, NULL, &got, &in),
                    TRYGON_ERR_NOMEM);
    tg_attached_fini(&in);
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("wire", NULL, NULL);
    CU_ADD_TEST(s, every_message_survives);
    CU_ADD_TEST(s, plain_values_of_all_sizes_survive);
    CU_ADD_TEST(s, extreme_numbers_survive);
    CU_ADD_TEST(s, counts_of_all_sizes_survive);
    CU_ADD_TEST(s, small_tasks_are_small);
    CU_ADD_TEST(s, layout_run);
    CU_ADD_TEST(s, layout_done);
    CU_ADD_TEST(s, layout_demand);
    CU_ADD_TEST(s, layout_stored);
    CU_ADD_TEST(s, layout_data);
    CU_ADD_TEST(s, every_truncation_is_refused);
    CU_ADD_TEST(s, bytes_behind_are_refused);
    CU_ADD_TEST(s, no_memory_leaves_nothing);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}
