/* test_wire_bad.c - what no rank of ours would send is refused, case by case. */
#include "wire/wire.h"

#include <CUnit/Basic.h>
#include <string.h>

#include "body.h"

#define REFUSED(...)                                        \
    CU_ASSERT(refused((const unsigned char[]){__VA_ARGS__}, \
                      sizeof((const unsigned char[]){__VA_ARGS__})))

#define ACCEPTED(...)                                        \
    CU_ASSERT(accepted((const unsigned char[]){__VA_ARGS__}, \
                       sizeof((const unsigned char[]){__VA_ARGS__})))

#define ZEROS_4 0, 0, 0, 0
#define ZEROS_8 ZEROS_4, ZEROS_4
#define ZEROS_16 ZEROS_8, ZEROS_8

static void bad_numbers_are_refused(void)
{
    ACCEPTED(TG_MSG_ENDED, 1);
    REFUSED(0);
    REFUSED(TG_MSG_LAST + 1, 0);
    REFUSED(0x80 | TG_MSG_ENDED, 0, 1); /* longer than need be */
    REFUSED(TG_MSG_ENDED, 0x81, 0);
    ACCEPTED(TG_MSG_ENDED, 0xff, 0xff, 0xff, 0xff, 0x0f);
    REFUSED(TG_MSG_ENDED, 0xff, 0xff, 0xff, 0xff, 0x1f); /* 33 bits */
    ACCEPTED(TG_MSG_COUNTS, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
             0xff, 0xff, 1);
    REFUSED(TG_MSG_COUNTS, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0xff, 2); /* 65 bits */
    REFUSED(TG_MSG_COUNTS, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0xff, 0x81, 0);
    ACCEPTED(TG_MSG_COUNTS, 0, 1, 0, 0);
    REFUSED(TG_MSG_COUNTS, 0, 2, 0, 0);            /* quiet */
    ACCEPTED(TG_MSG_GONE, 1);                      /* -1 */
    REFUSED(TG_MSG_GONE, 3);                       /* -2 */
    ACCEPTED(TG_MSG_GONE, 0xfe, 0xff, 0xff, 0x0f); /* 2^24 - 1 */
    REFUSED(TG_MSG_GONE, 0x80, 0x80, 0x80, 0x10);  /* 2^24 */
    ACCEPTED(TG_MSG_BOUNCE, ZEROS_8, TG_BOUNCE_CLOSED, 0);
    REFUSED(TG_MSG_BOUNCE, ZEROS_8, 0, 0);
    REFUSED(TG_MSG_BOUNCE, ZEROS_8, TG_BOUNCE_ARGS + 1, 0);
}

static void bad_shapes_are_refused(void)
{
    /* cls, mask, strategy, node, soft, fail, want, received, depth, nprefer */
    ACCEPTED(TG_MSG_DEMAND, ZEROS_8, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    ACCEPTED(TG_MSG_DEMAND, ZEROS_8, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0);
    REFUSED(TG_MSG_DEMAND, ZEROS_8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    REFUSED(TG_MSG_DEMAND, ZEROS_8, 0x80, 0x80, 4, 0, 0, 0, 0, 0, 0, 0, 0);
    REFUSED(TG_MSG_DEMAND, ZEROS_8, 0, 6, 0, 0, 0, 0, 0, 0, 0);
    REFUSED(TG_MSG_DEMAND, ZEROS_8, 0, 1, 0, 0, 0, 0, 0, 0, 0);
    REFUSED(TG_MSG_DEMAND, ZEROS_8, 0, 0, 0, 2, 0, 0, 0, 0, 0);
    ACCEPTED(TG_MSG_DEMAND, ZEROS_8, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0);
    REFUSED(TG_MSG_DEMAND, ZEROS_8, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0);
    REFUSED(TG_MSG_DEMAND, ZEROS_8, 0, 0, 0, 0, 0, 0, 0, 0, 1);
}

/* Each announces more than what follows could hold. */
static void bad_counts_are_refused(void)
{
    REFUSED(TG_MSG_DROP, 0xff, 0xff, 0xff, 0xff, 0x0f);
    REFUSED(TG_MSG_DROP, 2, ZEROS_8, ZEROS_8, ZEROS_8);
    REFUSED(TG_MSG_BOUNCE, ZEROS_8, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0);
    REFUSED(TG_MSG_TABLE, ZEROS_8, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0);
    REFUSED(TG_MSG_OPEN, ZEROS_8, 0, 0, 0, 0, 0, 0, 0, 2, 0xff, 0xff, 0xff,
            0xff, 0x07, 0, 0);
    REFUSED(TG_MSG_OPEN, ZEROS_8, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0);
#define NAMES TG_MSG_RUN, ZEROS_16, ZEROS_8
#define HEAD NAMES, ZEROS_8, ZEROS_4, 0, 0
    /* nreturns, nargs, group, besides: the high bits of counts */
    ACCEPTED(HEAD, 0, 0, 0, 0);
    ACCEPTED(HEAD, 0xff, 0, 0, 0);
    ACCEPTED(HEAD, 0xff, 0, 0, 1, 0, 0, 0xff, 1, 0);
    REFUSED(HEAD, 0xff, 0, 0, 1, 0, 0, 0x80, 2, 0);
    REFUSED(HEAD, 0xff, 0, 0, 1, 0, 0, 0, 0); /* none of them is high */
    ACCEPTED(HEAD, 0, 0, 0, 1, 0xff, 0xff, 0xff, 7, 0, 0, 0);
    REFUSED(HEAD, 0, 0, 0, 1, 0x80, 0x80, 0x80, 8, 0, 0, 0);
    ACCEPTED(HEAD, 0, 0, 0, 1, 0, 0xff, 0xff, 0xff, 7, 0, 0);
    REFUSED(HEAD, 0, 0, 0, 1, 0, 0x80, 0x80, 0x80, 8, 0, 0);
    REFUSED(HEAD, 0, 0xff, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 7, 4);
    REFUSED(HEAD, 0, 0, 0, 1, 1, 0, 0);
    REFUSED(HEAD, 0, 1, 0, 0);
    ACCEPTED(HEAD, 0, 1, 0, 0, 4);
    REFUSED(HEAD, 0, 2, 0, 0, 4);
    REFUSED(HEAD, 0, 0, 0, 8);    /* nothing else is besides */
    REFUSED(HEAD, 0, 0, 0, 2, 0); /* no name */
    REFUSED(HEAD, 0, 0, 0, 4, 0); /* no limit */
    REFUSED(HEAD, 0, 0, 1, 0);    /* a group is of a call */
    REFUSED(NAMES, 1, ZEROS_4, 0, 0, 0, ZEROS_4, 0, 0, 1, 0, 0, 0);
    ACCEPTED(NAMES, 1, ZEROS_4, 0, 0, 0, ZEROS_4, 0, 0, 2, 0, 0, 0);
    REFUSED(TG_MSG_LEAVE, ZEROS_8, ZEROS_8, 0);
    ACCEPTED(TG_MSG_LEAVE, ZEROS_8, ZEROS_8, 1);
    REFUSED(TG_MSG_LEFT, ZEROS_8, ZEROS_8, 6);
#undef HEAD
#undef NAMES
#define HEAD TG_MSG_DONE, ZEROS_8, ZEROS_8, ZEROS_8, ZEROS_16
    /* nreturns, failed */
    ACCEPTED(HEAD, 1, 0, 0, 4);
    REFUSED(HEAD, 1, 0, 0);
    REFUSED(HEAD, 2, 0, 0, 4);
    REFUSED(HEAD, 0, 1, 0, 4);
    REFUSED(HEAD, 0, 0, 2);
    REFUSED(HEAD, 0, 0);
#undef HEAD
}

static void bad_strings_are_refused(void)
{
    ACCEPTED(TG_MSG_NOTE, 2, 2, 'a', 0);
    REFUSED(TG_MSG_NOTE, 2, 2, 'a', 'b');
    REFUSED(TG_MSG_NOTE, 2, 3, 'a', 0, 0);
    REFUSED(TG_MSG_NOTE, 2, 0);
    REFUSED(TG_MSG_NOTE, 0, 1, 0);
    REFUSED(TG_MSG_NOTE, 10, 1, 0);
    REFUSED(TG_MSG_NOTE, 2, 0xff, 0xff, 0x03, 'a', 0);
    ACCEPTED(TG_MSG_REFUSE, ZEROS_8, 0, 1, 0);
    REFUSED(TG_MSG_REFUSE, ZEROS_8, 0, 0);
    REFUSED(TG_MSG_REFUSE, ZEROS_8, 0, 2, 0, 0);

    struct tg_msg m = {.type = TG_MSG_REFUSE};
    char reason[TG_REASON_MAX] = {0};
    memset(reason, 'r', sizeof reason - 1);
    m.u.refuse.reason = reason;
    struct body e = encode(&m);
    CU_ASSERT(accepted(e.b.v, e.b.n));
    e.b.v[e.b.n - 1] = 'r';
    CU_ASSERT(refused(e.b.v, e.b.n));
    body_fini(&e);

    /* The name's length is behind the type and the fixed part. */
    enum { NAME = 1 + 4 * 8 + 4 + 6 };
    unsigned char run[NAME + 1 + TG_NAME_MAX + 1] = {TG_MSG_RUN};
    memset(run + NAME + 1, 'n', TG_NAME_MAX - 1);
    run[NAME - 1] = 2; /* there is one */
    run[NAME] = TG_NAME_MAX;
    CU_ASSERT(accepted(run, sizeof run - 1));
    run[NAME + TG_NAME_MAX] = 'n';
    run[NAME] = TG_NAME_MAX + 1;
    CU_ASSERT(refused(run, sizeof run));
}

/* The items of VALUE messages: ref, size, here, how, type, ndim, error, nrefs,
 * size, data. */
static void bad_values_are_refused(void)
{
#define HEAD TG_MSG_VALUE, ZEROS_8, ZEROS_8, 0, 1
    ACCEPTED(HEAD, 1, 1, 0, 0, 0, 0);
    REFUSED(HEAD, 0, ZEROS_8, ZEROS_8, ZEROS_8); /* here, by reference */
    ACCEPTED(HEAD, 4); /* plain bytes: none, one, all of a message, or more */
    ACCEPTED(HEAD, 5, 0xaa);
    REFUSED(HEAD, 5);
    REFUSED(HEAD, 4, 0);
    REFUSED(HEAD, 0x84, 8, 0xaa);
    REFUSED(HEAD, 0x85, 8);
    REFUSED(HEAD, 1, 0, 0, 0, 0, 0); /* these are said to be so */
    REFUSED(HEAD, 1, 0, 0, 0, 0, 1, 0xaa);
    ACCEPTED(HEAD, 1, 0, 0, 0, 0, 0x81, 8); /* but not apart */
    ACCEPTED(HEAD, 1, 0, 1, 0, 0, 0, 0);    /* nor with a shape */
    REFUSED(HEAD, 1, TRYGON_COMPLEX128 + 1, 0, 0, 0, 0);
    REFUSED(HEAD, 1, TRYGON_BY_REF, 0, 0, 0, 0);
    REFUSED(HEAD, 1, 1, TRYGON_MAX_DIMS + 1, 0, 0, 0, ZEROS_8, 0);
    REFUSED(HEAD, 1, 0, 0, 0, 0, 2, 0xaa);
    REFUSED(HEAD, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0);
    REFUSED(HEAD, 2, 0, 0, 0, 0, 0); /* weights of no references */
    ACCEPTED(HEAD, 2, 0, 0, 0, 1, 0, ZEROS_8, ZEROS_8, ZEROS_8);
    ACCEPTED(HEAD, 1, 0, 0, 0, 1, 0, ZEROS_8, ZEROS_8);
    REFUSED(HEAD, 2, 0, 0, 0, 1, 0, ZEROS_8, ZEROS_8);
    ACCEPTED(HEAD, 1, 0, 0, 2, 0, 1, 0, ZEROS_8); /* stored: rank, blob */
    ACCEPTED(HEAD, 1, 0, 0, 2, 0, 1, 0xfe, 0xff, 0xff, 0x0f, ZEROS_8);
    ACCEPTED(HEAD, 1, 0, 0, 2, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0,
             ZEROS_8);
    REFUSED(HEAD, 1, 0, 0, 2, 0, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0,
            ZEROS_8);
    REFUSED(HEAD, 1, 0, 0, 3, 0, 1, 0, ZEROS_8);    /* an error as well */
    REFUSED(HEAD, 1, 0, 0, 2, 0, 0, 0, ZEROS_8);    /* of no bytes */
    REFUSED(HEAD, 1, 0, 0, 2, 0, 1, 1, ZEROS_8);    /* nowhere */
    REFUSED(HEAD, 1, 0, 0, 2, 0, 1, 0, ZEROS_4);    /* the blob's name is cut */
    REFUSED(HEAD, 1, 0, 0, 2, 0, 1, 0, ZEROS_8, 0); /* and its bytes */
    REFUSED(HEAD, 1, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0, ZEROS_8);
    REFUSED(HEAD, 1, 0, 0, 1, 0, 0);         /* an empty error */
    REFUSED(HEAD, 1, 0, 0, 1, 0, 1, 0);      /* less than one */
    REFUSED(HEAD, 1, 0, 0, 1, 0, 0xc0, 26);  /* 8 and a bit, apart */
    ACCEPTED(HEAD, 1, 0, 0, 1, 0, 0x80, 26); /* 8 */
    REFUSED(HEAD, 1, 0, 0, 1, 0, 0xa0, 29);  /* 9 */
    REFUSED(HEAD, 1, 0, 0, 0, 0, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40);
#undef HEAD
    /* What an actor's handle stands for is never in a store, nor are lists. */
#define ACTOR ZEROS_4, 0, 0, 0, TRYGON_KIND_ACTOR << 4, ZEROS_8
#define OBJECT ZEROS_4, 0, 0, 0, TRYGON_KIND_OBJECT << 4, ZEROS_8
    REFUSED(TG_MSG_VALUE, ACTOR, 0, 1, 1, 0, 0, 2, 0, 1, 0, ZEROS_8);
    REFUSED(TG_MSG_PLACE, ACTOR, 0, 1, 1, 0, 0, 2, 0, 1, 0, ZEROS_8);
    ACCEPTED(TG_MSG_VALUE, OBJECT, 0, 1, 1, 0, 0, 2, 0, 1, 0, ZEROS_8);
#define RUN_OF_ONE TG_MSG_RUN, ZEROS_16, ZEROS_16, ZEROS_4, 0, 0, 1, 1, 0, 0
#define PLACE 0, 0, 2, 0, 1, 0, ZEROS_8
    ACCEPTED(RUN_OF_ONE, 3, OBJECT, ZEROS_8, PLACE);
    REFUSED(RUN_OF_ONE, 3, ACTOR, ZEROS_8, PLACE);
    REFUSED(RUN_OF_ONE, 3, OBJECT, ZEROS_8, 0, 0, 0, 0, 1, 0xaa);
    REFUSED(RUN_OF_ONE, 3, OBJECT, ZEROS_8, 0, 0, 2, 1, 1, OBJECT, 0,
            ZEROS_8); /* with a reference within */
    ACCEPTED(TG_MSG_LIST, ZEROS_8, 1);
    ACCEPTED(TG_MSG_LIST, ZEROS_8, 3, ZEROS_16);
    REFUSED(TG_MSG_LIST, ZEROS_8, 0);
    REFUSED(TG_MSG_LIST, ZEROS_8, 4, ZEROS_16);
    REFUSED(TG_MSG_LIST, ZEROS_8, 3);
    REFUSED(TG_MSG_ROWS, ZEROS_8, 1, 0, 0, 2, 0, 1, 0, ZEROS_8);
    ACCEPTED(TG_MSG_ROWS, ZEROS_8, 5, 0);
    ACCEPTED(TG_MSG_ITEM, ZEROS_8, ZEROS_8, ZEROS_4, 5, 0, 0, 0, 1, 0, 0, 2, 0,
             1, 0, ZEROS_8);
}

#define M48 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40 /* 2^48 */

static void bad_news_are_refused(void)
{
    /* n, then of each ref, op and, if it is new, rank and size */
    ACCEPTED(TG_MSG_NEWS, 1, ZEROS_16, TG_NEWS_COPY);
    ACCEPTED(TG_MSG_NEWS, 2, ZEROS_16, TG_NEWS_DEAD, ZEROS_16, TG_NEWS_NEW, 0,
             M48);
    REFUSED(TG_MSG_NEWS, 0);
    REFUSED(TG_MSG_NEWS, 1, ZEROS_16, 0);
    REFUSED(TG_MSG_NEWS, 1, ZEROS_16, TG_NEWS_LAST + 1, ZEROS_8);
    ACCEPTED(TG_MSG_NEWS, 1, ZEROS_16, TG_NEWS_HOME, ZEROS_8);
    REFUSED(TG_MSG_NEWS, 1, ZEROS_16, TG_NEWS_COPY, 0);
    REFUSED(TG_MSG_NEWS, 2, ZEROS_16, TG_NEWS_COPY);
    REFUSED(TG_MSG_NEWS, 0xff, 0xff, 0xff, 0xff, 0x0f, ZEROS_16, TG_NEWS_COPY);
    ACCEPTED(TG_MSG_NEWS, 1, ZEROS_16, TG_NEWS_NEW, 0, 1);
    REFUSED(TG_MSG_NEWS, 1, ZEROS_16, TG_NEWS_NEW, 1, 1); /* rank -1 */
    REFUSED(TG_MSG_NEWS, 1, ZEROS_16, TG_NEWS_NEW, 0, 0); /* no bytes */
    REFUSED(TG_MSG_NEWS, 1, ZEROS_16, TG_NEWS_NEW, 0, 0x81, 0x80, 0x80, 0x80,
            0x80, 0x80, 0x40);
    unsigned char many[3 + (TG_NEWS_MAX + 1) * 17] = {TG_MSG_NEWS};
    for (size_t i = 0; i <= TG_NEWS_MAX; i++)
        many[3 + i * 17 + 16] = TG_NEWS_DEAD;
    many[1] = 0x80 | (TG_NEWS_MAX & 127);
    many[2] = TG_NEWS_MAX >> 7;
    CU_ASSERT(accepted(many, sizeof many - 17));
    many[1]++;
    CU_ASSERT(refused(many, sizeof many));
    ACCEPTED(TG_MSG_FADE, 0, 1, ZEROS_16);
    REFUSED(TG_MSG_FADE, 2, 1, ZEROS_16);
    REFUSED(TG_MSG_FADE, 0, 0);
    REFUSED(TG_MSG_FADE, 0, 2, ZEROS_16, ZEROS_8);
    REFUSED(TG_MSG_FADE, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, ZEROS_16);
    ACCEPTED(TG_MSG_FORGET, 2, ZEROS_16);
    REFUSED(TG_MSG_FORGET, 0);
    REFUSED(TG_MSG_FORGET, 2, ZEROS_8);
    REFUSED(TG_MSG_FORGET, 0xff, 0xff, 0xff, 0xff, 0x0f, ZEROS_16);
}

static void bad_pulls_are_refused(void)
{
    /* op, number, blob, to */
    ACCEPTED(TG_MSG_PULL, TG_PULL_BYTES, 0, ZEROS_16);
    ACCEPTED(TG_MSG_PULL, TG_PULL_END, 0, ZEROS_16);
    REFUSED(TG_MSG_PULL, 0, 0, ZEROS_16);
    REFUSED(TG_MSG_PULL, TG_PULL_END + 1, 0, ZEROS_16);
    REFUSED(TG_MSG_PULL, TG_PULL_END, 0xff, 0xff, 0xff, 0xff, 0x1f, ZEROS_16);
    /* code, number, to, then what the code says */
    ACCEPTED(TG_MSG_DATA, 0, 0, ZEROS_8, 0, 0);
    ACCEPTED(TG_MSG_DATA, 0, 0, ZEROS_8, 5, 1); /* a byte, apart */
    ACCEPTED(TG_MSG_DATA, 0, 0, ZEROS_8, M48, 0);
    ACCEPTED(TG_MSG_DATA, 0, 0, ZEROS_8, 0, M48);
    REFUSED(TG_MSG_DATA, 0, 0, ZEROS_8, M48, 1); /* beyond the largest */
    REFUSED(TG_MSG_DATA, 0, 0, ZEROS_8, 1, M48);
    REFUSED(TG_MSG_DATA, 0, 0, ZEROS_8, 5, 1, 0xaa); /* and here */
    REFUSED(TG_MSG_DATA, 0, 0, ZEROS_8);
    ACCEPTED(TG_MSG_DATA, 1, 0, ZEROS_8); /* an error: -1 */
    REFUSED(TG_MSG_DATA, 1, 0, ZEROS_8, 0, 0);
    ACCEPTED(TG_MSG_DATA, 2, 0, ZEROS_8, 0, ZEROS_8); /* moved: rank, blob */
    REFUSED(TG_MSG_DATA, 2, 0, ZEROS_8, 1, ZEROS_8);  /* to rank -1 */
    REFUSED(TG_MSG_DATA, 2, 0, ZEROS_8, 0, ZEROS_4);
    REFUSED(TG_MSG_DATA, 4, 0, ZEROS_8, 0, 0); /* a code that is none */
}

/* A failed task's message, whose error has n - 1 causes. */
static void failed_task(struct tg_msg *m, int n)
{
    struct tg_val *v = tg_val_error(TRYGON_ERR_TASK, 1, 1, "f", "root");
    for (int i = 1; i < n; i++) {
        struct tg_val *cause = v;
        v = tg_val_error(TRYGON_ERR_DEPENDENCY, 1, 1, "f", "%d", i);
        v = tg_val_caused(v, cause);
        tg_val_drop(&cause);
    }
    *m = (struct tg_msg){.type = TG_MSG_DONE};
    m->u.done.code = TRYGON_ERR_TASK;
    m->u.done.error = v;
}

/* Writes a number into field `at` of error i; encode would not let us. */
static void spoil(unsigned char *data, size_t i, size_t at, int32_t v)
{
    memcpy(data + i * sizeof(struct trygon_error) + at, &v, sizeof v);
}

static void unending(unsigned char *data, size_t i)
{
    struct trygon_error e;
    memset(e.text, 'x', sizeof e.text);
    memcpy(data + i * sizeof e + offsetof(struct trygon_error, text), e.text,
           sizeof e.text);
}

static void bad_errors_are_refused(void)
{
    static const struct {
        size_t at;
        int32_t v;
        bool ok;
    } cases[] = {{offsetof(struct trygon_error, code), -1, true},
                 {offsetof(struct trygon_error, code), 0, false},
                 {offsetof(struct trygon_error, size), 8, false},
                 {offsetof(struct trygon_error, ncauses), -1, false},
                 {offsetof(struct trygon_error, ncauses), 0, true},
                 {offsetof(struct trygon_error, ncauses), 2, false}};
    struct tg_msg m;
    failed_task(&m, 2);
    size_t size = (size_t)m.u.done.error->size;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct body e = encode(&m);
        unsigned char *data = e.b.v + e.b.n - size;
        spoil(data, 0, cases[i].at, cases[i].v);
        CU_ASSERT_EQUAL(accepted(e.b.v, e.b.n), cases[i].ok);
        body_fini(&e);
    }
    struct body e = encode(&m);
    CU_ASSERT(accepted(e.b.v, e.b.n));
    unending(e.b.v + e.b.n - size, 1);
    CU_ASSERT(refused(e.b.v, e.b.n));
    body_fini(&e);
    tg_msg_fini(&m);
}

/* Errors too long for the body are looked at when they are complete. */
static void bad_errors_apart_are_not_complete(void)
{
    struct tg_msg m, got;
    failed_task(&m, 5);
    struct body e = encode(&m);
    CU_ASSERT_EQUAL_FATAL(e.att.n, 1);
    struct tg_attached in = {0};
    CU_ASSERT_EQUAL_FATAL(decode(e.b.v, e.b.n, &got, &in), TRYGON_SUCCESS);
    CU_ASSERT(deliver(&e.att, &in));
    CU_ASSERT(tg_wire_complete(&got));
    unending(in.v[0].at, 4);
    CU_ASSERT(!tg_wire_complete(&got));
    tg_msg_fini(&got);
    tg_attached_fini(&in);
    body_fini(&e);
    tg_msg_fini(&m);
}

/* An error without a failure, results of a failed task, a value as error. */
static void contradictions_are_refused(void)
{
    struct tg_msg m;
    failed_task(&m, 1);
    struct body e = encode(&m);
    CU_ASSERT(accepted(e.b.v, e.b.n));
    memset(e.b.v + 29, 0, 4); /* the code, behind type, names and attempt */
    CU_ASSERT(refused(e.b.v, e.b.n));
    body_fini(&e);
    tg_msg_fini(&m);
    /* code, yielded, bounces, nreturns, failed, returns, error */
#define HEAD TG_MSG_DONE, ZEROS_8, ZEROS_8, ZEROS_8, ZEROS_4
    ACCEPTED(HEAD, ZEROS_4, ZEROS_8, 0, 0, 0);
    ACCEPTED(HEAD, 1, 0, 0, 0, ZEROS_8, 0, 0, 0);
    ACCEPTED(HEAD, ZEROS_4, ZEROS_8, 1, 0, 0, 4);
    REFUSED(HEAD, 1, 0, 0, 0, ZEROS_8, 1, 0, 0, 4);
    REFUSED(HEAD, 1, 0, 0, 0, ZEROS_8, 0, 0, 1, 1, 0, 0, 0, 0, 0);
    ACCEPTED(HEAD, ZEROS_4, 0x00, 0xe1, 0xf5, 0x05, ZEROS_4, 0, 0, 0);
    REFUSED(HEAD, ZEROS_4, 0x01, 0xe1, 0xf5, 0x05, ZEROS_4, 0, 0,
            0); /* items */
#undef HEAD
    /* nreturns, nargs, group, besides: a limit */
#define HEAD TG_MSG_RUN, ZEROS_16, ZEROS_16, ZEROS_4, 0, 0
    ACCEPTED(HEAD, 0, 0, 0, 4, 7);
    REFUSED(HEAD, 1, 0, 0, 4, 7); /* returns and items */
#undef HEAD
#define HEAD TG_MSG_CALL, ZEROS_16, ZEROS_16, ZEROS_4, 0, 0
    ACCEPTED(HEAD, 0, 0, 15, 0);
    ACCEPTED(HEAD, 0, 0, 0, 4, 7);
    REFUSED(HEAD, 1, 0, 0, 4, 7); /* returns and items */
    REFUSED(HEAD, 0, 0, 16, 0);   /* so many groups */
#undef HEAD
#define HEAD TG_MSG_ITEM, ZEROS_8, ZEROS_8, ZEROS_4
    ACCEPTED(HEAD, 5, 0, 0, 0, 4);
    ACCEPTED(HEAD, 0xff, 0xe0, 0xf5, 0x05, 4);
    REFUSED(HEAD, 0x00, 0xe1, 0xf5, 0x05, 4); /* one item too many */
    REFUSED(HEAD, ZEROS_4, 0, ZEROS_8, ZEROS_8, ZEROS_8); /* by reference */
#undef HEAD
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("wire_bad", NULL, NULL);
    CU_ADD_TEST(s, bad_numbers_are_refused);
    CU_ADD_TEST(s, bad_shapes_are_refused);
    CU_ADD_TEST(s, bad_counts_are_refused);
    CU_ADD_TEST(s, bad_strings_are_refused);
    CU_ADD_TEST(s, bad_values_are_refused);
    CU_ADD_TEST(s, bad_news_are_refused);
    CU_ADD_TEST(s, bad_pulls_are_refused);
    CU_ADD_TEST(s, bad_errors_are_refused);
    CU_ADD_TEST(s, bad_errors_apart_are_not_complete);
    CU_ADD_TEST(s, contradictions_are_refused);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}
