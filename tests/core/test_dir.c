/* test_dir.c - where large objects are, as rank 0 hears it. */
#include "core/dir.h"

#include <stdlib.h>

#include "../cunit_main.h"
#include "fixture.h"

enum { RANKS = 8, OWNER = 2, HOME = 3 };

struct book {
    struct tg_ctx ctx;
    struct tg_dir *dir;
};

static void book_start(struct book *b)
{
    ctx_start(&b->ctx, 0, RANKS);
    b->dir = tg_dir_new(&b->ctx);
}

static void book_stop(struct book *b)
{
    tg_dir_check(b->dir);
    tg_dir_free(&b->dir);
    CU_ASSERT_PTR_NULL(b->dir);
    tg_dir_free(&b->dir); /* none: fine */
    ctx_stop(&b->ctx);
}

static trygon_ref_t object(int32_t owner, uint64_t i)
{
    return tg_ref_make(TRYGON_KIND_OBJECT, 0, owner, 0, i);
}

static void say_all(struct book *b, int32_t from, uint32_t n, struct tg_news *v)
{
    struct tg_msg_news m = {n, v};
    tg_dir_msg(b->dir, from, &m);
    tg_dir_check(b->dir);
}

static void say(struct book *b, int32_t from, trygon_ref_t ref,
                enum tg_news_op op)
{
    struct tg_news x = {.ref = ref, .op = op};
    say_all(b, from, 1, &x);
}

static void is_new(struct book *b, trygon_ref_t ref, int32_t home)
{
    struct tg_news x = {ref, TG_NEWS_NEW, home, 1 << 20};
    say_all(b, tg_ref_rank(ref), 1, &x);
}

static void is_lost(struct book *b, int32_t rank)
{
    b->ctx.dead[rank] = true;
    tg_dir_gone(b->dir, rank);
    tg_dir_check(b->dir);
}

/* These n ranks have it in memory, in this order. */
static bool is_at(const struct book *b, trygon_ref_t ref, bool in_file,
                  int32_t n, const int32_t *want)
{
    int32_t got[RANKS];
    bool file = !in_file;
    if (tg_dir_where(b->dir, ref, RANKS, got, &file) != n || file != in_file)
        return false;
    for (int32_t i = 0; i < n; i++)
        if (got[i] != want[i])
            return false;
    return true;
}

#define AT(b_, ref_, file_, ...)                                               \
    is_at(b_, ref_, file_,                                                     \
          (int32_t)(sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), \
          (const int32_t[]){__VA_ARGS__})

static bool unknown(const struct book *b, trygon_ref_t ref)
{
    int32_t ranks[1];
    bool in_file;
    return tg_dir_where(b->dir, ref, 1, ranks, &in_file) == TRYGON_ERR_NOTFOUND;
}

/* How many objects the rank is told to let go of, and the last of them; in one
 * message. */
static uint32_t faded(struct book *b, int32_t rank, trygon_ref_t *last)
{
    struct tg_msg m;
    if (!ctx_sent(&b->ctx, rank, TG_MSG_FADE, &m))
        return 0;
    uint32_t n = m.u.fade.n;
    *last = m.u.fade.v[n - 1];
    tg_msg_fini(&m);
    CU_ASSERT_FALSE(ctx_said(&b->ctx, rank, TG_MSG_FADE));
    return n;
}

/* ----- tests ----------------------------------------------------------------- */

static void the_owner_s_word_makes_and_ends_it(void)
{
    struct book b;
    trygon_ref_t a = object(OWNER, 1), other = object(OWNER, 2);
    book_start(&b);
    CU_ASSERT_TRUE(unknown(&b, a));
    struct tg_news x = {a, TG_NEWS_NEW, HOME, 1};
    say_all(&b, HOME, 1, &x); /* its store has no say in that */
    CU_ASSERT_TRUE(unknown(&b, a));
    is_new(&b, a, HOME);
    CU_ASSERT(AT(&b, a, false, HOME));
    CU_ASSERT_TRUE(unknown(&b, other));
    say(&b, HOME, a, TG_NEWS_DEAD); /* nor in this */
    CU_ASSERT(AT(&b, a, false, HOME));
    say(&b, OWNER, a, TG_NEWS_DEAD);
    CU_ASSERT_TRUE(unknown(&b, a));
    is_new(&b, other, OWNER);
    CU_ASSERT(AT(&b, other, false, OWNER));
    CU_ASSERT_EQUAL(b.ctx.out.n, 0);
    book_stop(&b);
}

static void copies_stand_behind_in_the_order_in_which_they_came(void)
{
    struct book b;
    trygon_ref_t a = object(OWNER, 1), other = object(4, 1);
    book_start(&b);
    is_new(&b, a, HOME);
    is_new(&b, other, 5);
    say(&b, 7, a, TG_NEWS_COPY);
    say(&b, 0, a, TG_NEWS_COPY);
    say(&b, 5, a, TG_NEWS_COPY);
    say(&b, 7, a, TG_NEWS_COPY); /* we know */
    say(&b, HOME, a, TG_NEWS_COPY);
    CU_ASSERT(AT(&b, a, false, HOME, 7, 0, 5));
    CU_ASSERT(AT(&b, other, false, 5));
    int32_t two[3] = {-1, -1, -1};
    bool in_file;
    CU_ASSERT_EQUAL(tg_dir_where(b.dir, a, 2, two, &in_file), 4);
    CU_ASSERT(two[0] == HOME && two[1] == 7 && two[2] == -1);
    say(&b, 0, a, TG_NEWS_UNCOPY);
    say(&b, 6, a, TG_NEWS_UNCOPY); /* it had none */
    say(&b, HOME, a, TG_NEWS_UNCOPY);
    CU_ASSERT(AT(&b, a, false, HOME, 7, 5));
    say(&b, OWNER, a, TG_NEWS_DEAD); /* the rest comes late */
    say(&b, 7, a, TG_NEWS_UNCOPY);
    CU_ASSERT_TRUE(unknown(&b, a));
    CU_ASSERT(AT(&b, other, false, 5));
    book_stop(&b);
}

static void what_is_in_a_file_is_not_in_memory(void)
{
    struct book b;
    trygon_ref_t a = object(OWNER, 1);
    book_start(&b);
    is_new(&b, a, HOME);
    say(&b, 5, a, TG_NEWS_COPY);
    say(&b, HOME, a, TG_NEWS_DISK);
    CU_ASSERT(AT(&b, a, true, 5));
    say(&b, 5, a, TG_NEWS_MEMORY); /* only its own store says that */
    CU_ASSERT(AT(&b, a, true, 5));
    say(&b, 5, a, TG_NEWS_UNCOPY);
    CU_ASSERT(is_at(&b, a, true, 0, NULL));
    say(&b, HOME, a, TG_NEWS_MEMORY);
    say(&b, HOME, a, TG_NEWS_MEMORY);
    CU_ASSERT(AT(&b, a, false, HOME));
    say(&b, 5, a, TG_NEWS_DISK);
    CU_ASSERT(AT(&b, a, false, HOME));
    book_stop(&b);
}

static void unused_copies_are_to_fade(void)
{
    struct book b;
    trygon_ref_t a = object(OWNER, 1), other = object(OWNER, 2), last;
    book_start(&b);
    is_new(&b, a, HOME);
    is_new(&b, other, HOME);
    say(&b, 5, a, TG_NEWS_COPY);
    say(&b, 6, a, TG_NEWS_COPY);
    say(&b, 4, a, TG_NEWS_COPY);
    say(&b, 4, a, TG_NEWS_UNCOPY);
    say(&b, 7, other, TG_NEWS_COPY);
    say(&b, 5, a, TG_NEWS_UNUSED); /* its owner would know */
    CU_ASSERT_EQUAL(b.ctx.out.n, 0);
    say(&b, OWNER, a, TG_NEWS_UNUSED);
    CU_ASSERT_EQUAL(ctx_count(&b.ctx, TG_MSG_FADE), 2);
    CU_ASSERT(faded(&b, 5, &last) == 1 && tg_ref_eq(last, a));
    CU_ASSERT(faded(&b, 6, &last) == 1 && tg_ref_eq(last, a));
    say(&b, 5, a, TG_NEWS_UNCOPY);
    CU_ASSERT(AT(&b, a, false, HOME, 6));
    say(&b, 7, a, TG_NEWS_COPY); /* it was on its way */
    CU_ASSERT_EQUAL(ctx_count(&b.ctx, TG_MSG_FADE), 1);
    CU_ASSERT(faded(&b, 7, &last) == 1 && tg_ref_eq(last, a));
    book_stop(&b);
}

/* One message to each rank, whatever is in the news. */
static void fades_are_told_together(void)
{
    enum { N = 10 };
    struct book b;
    struct tg_news news[N];
    trygon_ref_t last;
    book_start(&b);
    for (uint32_t i = 0; i < N; i++) {
        is_new(&b, object(OWNER, i), HOME);
        say(&b, 0, object(OWNER, i), TG_NEWS_COPY);
        if (i % 2 == 0)
            say(&b, 6, object(OWNER, i), TG_NEWS_COPY);
        news[i] = (struct tg_news){object(OWNER, i), TG_NEWS_UNUSED, 0, 0};
    }
    say_all(&b, OWNER, N, news);
    CU_ASSERT_EQUAL(ctx_count(&b.ctx, TG_MSG_FADE), 1);
    CU_ASSERT_EQUAL(faded(&b, 6, &last), N / 2);
    CU_ASSERT(tg_ref_eq(last, object(OWNER, N - 2)));
    CU_ASSERT_EQUAL_FATAL(b.ctx.local.n, 1); /* to itself as well */
    CU_ASSERT_EQUAL(b.ctx.local.v[0].type, TG_MSG_FADE);
    CU_ASSERT_EQUAL(b.ctx.local.v[0].u.fade.n, N);
    ctx_clear(&b.ctx);
    say_all(&b, OWNER, N, news); /* it does not remember what it has said */
    CU_ASSERT_EQUAL(faded(&b, 6, &last), N / 2);
    book_stop(&b);
}

static void news_of_the_unknown_are_ignored(void)
{
    struct book b;
    trygon_ref_t a = object(OWNER, 1);
    book_start(&b);
    for (int op = TG_NEWS_COPY; op <= TG_NEWS_DEAD; op++)
        for (int32_t from = 0; from < RANKS; from++)
            say(&b, from, a, (enum tg_news_op)op);
    CU_ASSERT_TRUE(unknown(&b, a));
    is_new(&b, a, HOME); /* so copies that came before it are not known */
    CU_ASSERT(AT(&b, a, false, HOME));
    say(&b, 5, a, TG_NEWS_UNCOPY);
    say(&b, OWNER, a, TG_NEWS_UNUSED);
    CU_ASSERT(AT(&b, a, false, HOME));
    CU_ASSERT_EQUAL(b.ctx.out.n, 0);
    is_new(&b, object(OWNER, 2), RANKS); /* there is no such rank */
    CU_ASSERT_TRUE(unknown(&b, object(OWNER, 2)));
    book_stop(&b);
}

static void a_lost_rank_has_nothing(void)
{
    struct book b;
    trygon_ref_t kept = object(OWNER, 1), single = object(OWNER, 2),
                 own = object(HOME, 3), file = object(OWNER, 4), last;
    book_start(&b);
    is_new(&b, kept, HOME);
    is_new(&b, single, HOME);
    is_new(&b, own, 5);
    is_new(&b, file, HOME);
    say(&b, 6, kept, TG_NEWS_COPY);
    say(&b, 7, kept, TG_NEWS_COPY);
    say(&b, 6, file, TG_NEWS_COPY);
    say(&b, HOME, file, TG_NEWS_DISK);
    say(&b, 7, own, TG_NEWS_COPY);
    is_lost(&b, 7); /* a holder */
    CU_ASSERT(AT(&b, kept, false, HOME, 6));
    CU_ASSERT(AT(&b, own, false, 5));
    is_lost(&b, HOME); /* a store, and an owner */
    CU_ASSERT(AT(&b, kept, false, 6));
    CU_ASSERT_TRUE(unknown(&b, single));
    CU_ASSERT_TRUE(unknown(&b, own));
    CU_ASSERT(AT(&b, file, false, 6)); /* and so is its file */
    say(&b, OWNER, kept, TG_NEWS_UNUSED);
    CU_ASSERT(faded(&b, 6, &last) == 1 && tg_ref_eq(last, kept));
    say(&b, 6, kept, TG_NEWS_UNCOPY); /* that was the last one */
    CU_ASSERT_TRUE(unknown(&b, kept));
    is_new(&b, single, HOME); /* too late */
    CU_ASSERT_TRUE(unknown(&b, single));
    is_new(&b, single, 4);
    say(&b, 7, single, TG_NEWS_COPY); /* from the grave */
    CU_ASSERT(AT(&b, single, false, 4));
    is_lost(&b, OWNER);
    CU_ASSERT_TRUE(unknown(&b, single));
    CU_ASSERT_TRUE(unknown(&b, file));
    book_stop(&b);
}

/* Its store was lost, and it was made elsewhere once more. */
static void what_is_made_again_is_first_where_it_is_now(void)
{
    struct book b;
    trygon_ref_t a = object(OWNER, 1);
    book_start(&b);
    is_new(&b, a, HOME);
    say(&b, 6, a, TG_NEWS_COPY);
    say(&b, 7, a, TG_NEWS_COPY);
    say(&b, OWNER, a, TG_NEWS_UNUSED);
    ctx_clear(&b.ctx);
    is_lost(&b, HOME);
    is_new(&b, a, 7);
    CU_ASSERT(AT(&b, a, false, 7, 6));
    say(&b, 5, a, TG_NEWS_COPY);
    CU_ASSERT_EQUAL(b.ctx.out.n, 0); /* it is used again */
    say(&b, 7, a, TG_NEWS_DISK);
    CU_ASSERT(AT(&b, a, true, 6, 5));
    book_stop(&b);
}

/* ----- a store is lost -------------------------------------------------------- */

/* What the rank is told of a home, with its place in *m. */
static bool told(struct book *b, int32_t rank, trygon_ref_t ref,
                 struct tg_msg_home *m)
{
    struct tg_msg msg;
    if (!ctx_sent(&b->ctx, rank, TG_MSG_HOME, &msg))
        return false;
    *m = msg.u.home;
    return tg_ref_eq(m->ref, ref);
}

static void takes(struct book *b, int32_t from, trygon_ref_t ref, uint64_t blob)
{
    struct tg_news x = {ref, TG_NEWS_HOME, 0, blob};
    say_all(b, from, 1, &x);
}

/* It was at HOME, with copies at 4 and 5, and is sought. */
static trygon_ref_t sought(struct book *b)
{
    trygon_ref_t a = object(OWNER, 1);
    is_new(b, a, HOME);
    say(b, 4, a, TG_NEWS_COPY);
    say(b, 5, a, TG_NEWS_COPY);
    is_lost(b, HOME);
    CU_ASSERT_EQUAL(b->ctx.out.n, 0); /* the owner has still to ask */
    say(b, 5, a, TG_NEWS_SOUGHT);     /* and nobody else */
    CU_ASSERT_EQUAL(b->ctx.out.n, 0);
    say(b, OWNER, a, TG_NEWS_SOUGHT);
    return a;
}

static void a_holder_becomes_the_home(void)
{
    struct book b;
    struct tg_msg_home m;
    book_start(&b);
    trygon_ref_t a = sought(&b);
    CU_ASSERT(told(&b, 4, a, &m) && m.rank < 0);
    CU_ASSERT_FALSE(told(&b, 5, a, &m)); /* one at a time */
    say(&b, 4, a, TG_NEWS_UNCOPY);
    CU_ASSERT(told(&b, 5, a, &m) && m.rank < 0);
    takes(&b, 5, a, 77);
    CU_ASSERT(told(&b, OWNER, a, &m) && m.rank == 5 && m.blob == 77);
    CU_ASSERT(AT(&b, a, false, 5));
    is_new(&b, a, 5);
    CU_ASSERT(AT(&b, a, false, 5));
    CU_ASSERT_EQUAL(b.ctx.out.n, 0);
    book_stop(&b);
}

static void a_holder_that_is_asked_is_lost(void)
{
    struct book b;
    struct tg_msg_home m;
    book_start(&b);
    trygon_ref_t a = sought(&b);
    CU_ASSERT_TRUE(told(&b, 4, a, &m));
    is_lost(&b, 4);
    CU_ASSERT_TRUE(told(&b, 5, a, &m));
    is_lost(&b, 5); /* and that was the last one */
    CU_ASSERT(told(&b, OWNER, a, &m) && m.rank < 0);
    CU_ASSERT_TRUE(unknown(&b, a));
    say(&b, OWNER, a, TG_NEWS_SOUGHT);
    CU_ASSERT(told(&b, OWNER, a, &m) && m.rank < 0);
    book_stop(&b);
}

/* The owner has got a copy of its own meanwhile. */
static void the_owner_is_a_holder_as_others(void)
{
    struct book b;
    struct tg_msg_home m;
    book_start(&b);
    trygon_ref_t a = object(OWNER, 1);
    is_new(&b, a, HOME);
    say(&b, OWNER, a, TG_NEWS_COPY);
    is_lost(&b, HOME);
    say(&b, OWNER, a, TG_NEWS_SOUGHT);
    CU_ASSERT(told(&b, OWNER, a, &m) && m.rank == OWNER);
    is_new(&b, a, OWNER);
    CU_ASSERT(AT(&b, a, false, OWNER));
    CU_ASSERT_EQUAL(b.ctx.out.n, 0);
    book_stop(&b);
}

static void a_home_that_nobody_wants_is_forgotten(void)
{
    struct book b;
    struct tg_msg_home h;
    struct tg_msg m;
    book_start(&b);
    trygon_ref_t a = sought(&b);
    CU_ASSERT_TRUE(told(&b, 4, a, &h));
    takes(&b, 5, a, 76); /* that was not asked */
    CU_ASSERT_TRUE_FATAL(ctx_sent(&b.ctx, 5, TG_MSG_FORGET, &m));
    CU_ASSERT(m.u.forget.n == 1 && m.u.forget.v[0] == 76);
    tg_msg_fini(&m);
    say(&b, OWNER, a, TG_NEWS_DEAD);
    takes(&b, 4, a, 77);
    CU_ASSERT_TRUE_FATAL(ctx_sent(&b.ctx, 4, TG_MSG_FORGET, &m));
    CU_ASSERT(m.u.forget.n == 1 && m.u.forget.v[0] == 77);
    tg_msg_fini(&m);
    is_lost(&b, OWNER);
    takes(&b, 4, a, 77); /* who has it knows better */
    CU_ASSERT_EQUAL(b.ctx.out.n, 0);
    book_stop(&b);
}

static const struct unit_test tests[] = {
    TEST(the_owner_s_word_makes_and_ends_it),
    TEST(copies_stand_behind_in_the_order_in_which_they_came),
    TEST(what_is_in_a_file_is_not_in_memory),
    TEST(unused_copies_are_to_fade),
    TEST(fades_are_told_together),
    TEST(news_of_the_unknown_are_ignored),
    TEST(a_lost_rank_has_nothing),
    TEST(what_is_made_again_is_first_where_it_is_now),
    TEST(a_holder_becomes_the_home),
    TEST(a_holder_that_is_asked_is_lost),
    TEST(the_owner_is_a_holder_as_others),
    TEST(a_home_that_nobody_wants_is_forgotten),
    TESTS_END,
};

CUNIT_MAIN("dir", tests)
