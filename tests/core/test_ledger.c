/* test_ledger.c - what a rank has, and exactly what of it a lease gets. */
#include "core/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "../cunit_main.h"
#include "base/rng.h"

enum { MIB = 1024 * 1024 };

static struct tg_region region; /* of the sites of one test */

/* A rank with 8 CPUs, 2 GPUs, 1000 bytes of memory and 3 of something. */
static void site(struct tg_site *s)
{
    int64_t total[TG_RES_MAX] = {[TG_RES_CPU] = 8 * TG_UNIT,
                                 [TG_RES_GPU] = 2 * TG_UNIT,
                                 [TG_RES_MEMORY] = 1000,
                                 [TG_RES_CUSTOM] = 3 * TG_UNIT};
    tg_site_init(s, &region, 0, total);
}

static struct tg_shape needs(int64_t cpu, int64_t gpu, int64_t memory)
{
    struct tg_shape sh;
    memset(&sh, 0, sizeof sh);
    sh.amount[TG_RES_CPU] = cpu;
    sh.amount[TG_RES_GPU] = gpu;
    sh.amount[TG_RES_MEMORY] = memory;
    return sh;
}

static struct tg_shape cpus(int64_t n)
{
    return needs(n * TG_UNIT, 0, 0);
}

static struct tg_take take(struct tg_site *s, const struct tg_shape *sh)
{
    struct tg_take t;
    CU_ASSERT_TRUE_FATAL(tg_site_fits(s, sh));
    tg_site_take(s, sh, &t);
    tg_site_check(s);
    return t;
}

static void give(struct tg_site *s, const struct tg_shape *sh,
                 struct tg_take *t, bool lent)
{
    tg_site_give(s, sh, t, lent);
    tg_site_check(s);
    tg_take_fini(t);
}

/* One CPU each is taken in the order of `ids`, from an empty site; the rest is
 * left idle. */
static void occupy(struct tg_site *s, const int *ids)
{
    struct tg_shape one = cpus(1);
    struct tg_take all[8];
    bool keep[8] = {false};
    for (int i = 0; i < 8; i++)
        all[i] = take(s, &one);
    for (; *ids >= 0; ids++)
        keep[*ids] = true;
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(tg_take_ids(&all[i])[0], i);
        if (keep[i])
            tg_take_fini(&all[i]);
        else
            give(s, &one, &all[i], false);
    }
}

static void a_lease_gets_cpus_of_its_own(void)
{
    struct tg_site s;
    site(&s);
    struct tg_shape three = cpus(3), two = cpus(2);
    struct tg_take a = take(&s, &three), b = take(&s, &two);
    CU_ASSERT_EQUAL(a.n[TG_RES_CPU], 3);
    CU_ASSERT(tg_take_ids(&a)[0] == 0 && tg_take_ids(&a)[1] == 1 &&
              tg_take_ids(&a)[2] == 2);
    CU_ASSERT(tg_take_ids(&b)[0] == 3 && tg_take_ids(&b)[1] == 4);
    CU_ASSERT_EQUAL(s.avail[TG_RES_CPU], 3 * TG_UNIT);
    give(&s, &three, &a, false);
    give(&s, &two, &b, false);
    CU_ASSERT_TRUE(tg_site_untouched(&s));
    tg_region_fini(&region);
}

static void neighbours_come_from_the_tightest_run(void)
{
    static const int busy[] = {3, 6, -1}; /* idle: 0 1 2, 4 5, 7 */
    struct tg_site s;
    site(&s);
    occupy(&s, busy);
    struct tg_shape two = cpus(2), one = cpus(1), three = cpus(3);
    struct tg_take a = take(&s, &two), b = take(&s, &one), c = take(&s, &three);
    CU_ASSERT(tg_take_ids(&a)[0] == 4 && tg_take_ids(&a)[1] == 5);
    CU_ASSERT_EQUAL(tg_take_ids(&b)[0], 7);
    CU_ASSERT(tg_take_ids(&c)[0] == 0 && tg_take_ids(&c)[1] == 1 &&
              tg_take_ids(&c)[2] == 2);
    tg_take_fini(&a);
    tg_take_fini(&b);
    tg_take_fini(&c);
    tg_region_fini(&region);
}

static void of_equal_runs_the_first_is_taken(void)
{
    static const int busy[] = {2, 5, -1};
    struct tg_site s;
    site(&s);
    occupy(&s, busy);
    struct tg_shape two = cpus(2);
    struct tg_take a = take(&s, &two), b = take(&s, &two);
    CU_ASSERT(tg_take_ids(&a)[0] == 0 && tg_take_ids(&b)[0] == 3);
    tg_take_fini(&a);
    tg_take_fini(&b);
    tg_region_fini(&region);
}

static void without_a_run_long_enough_any_idle_ones_do(void)
{
    static const int busy[] = {1, 3, 5, 7, -1};
    struct tg_site s;
    site(&s);
    occupy(&s, busy);
    struct tg_shape three = cpus(3);
    struct tg_take t = take(&s, &three);
    CU_ASSERT(tg_take_ids(&t)[0] == 0 && tg_take_ids(&t)[1] == 2 &&
              tg_take_ids(&t)[2] == 4);
    tg_take_fini(&t);
    tg_region_fini(&region);
}

static void fractions_share_one_instance(void)
{
    struct tg_site s;
    site(&s);
    struct tg_shape half = needs(TG_UNIT / 2, 0, 0);
    struct tg_shape quarter = needs(TG_UNIT / 4, 0, 0);
    struct tg_take a = take(&s, &half), b = take(&s, &quarter),
                   c = take(&s, &half), d = take(&s, &quarter);
    CU_ASSERT(tg_take_ids(&a)[0] == 0 && tg_take_ids(&b)[0] == 0);
    CU_ASSERT_EQUAL(tg_take_ids(&c)[0], 1); /* no half is left of the first */
    CU_ASSERT_EQUAL(tg_take_ids(&d)[0], 0); /* the fullest with room */
    CU_ASSERT_EQUAL(s.nidle[TG_RES_CPU], 6);
    give(&s, &half, &a, false);
    give(&s, &quarter, &b, false);
    give(&s, &half, &c, false);
    give(&s, &quarter, &d, false);
    CU_ASSERT_TRUE(tg_site_untouched(&s));
    tg_region_fini(&region);
}

static void whole_and_part_are_whole_instances_and_a_share(void)
{
    struct tg_site s;
    site(&s);
    struct tg_shape half = needs(TG_UNIT / 2, 0, 0);
    struct tg_shape more = needs(2 * TG_UNIT + TG_UNIT / 2, 0, 0);
    struct tg_take a = take(&s, &half), b = take(&s, &more);
    CU_ASSERT_EQUAL(b.n[TG_RES_CPU], 3);
    CU_ASSERT(tg_take_ids(&b)[0] == 1 && tg_take_ids(&b)[1] == 2);
    CU_ASSERT_EQUAL(tg_take_ids(&b)[2], 0); /* shared with the first lease */
    give(&s, &more, &b, false);
    CU_ASSERT_EQUAL(tg_site_used(&s, TG_RES_CPU)[0], TG_UNIT / 2);
    give(&s, &half, &a, false);
    CU_ASSERT_TRUE(tg_site_untouched(&s));
    tg_region_fini(&region);
}

static void enough_in_sum_is_not_enough_for_a_whole_one(void)
{
    int64_t total[TG_RES_MAX] = {[TG_RES_CPU] = 2 * TG_UNIT};
    struct tg_site s;
    tg_site_init(&s, &region, 0, total);
    struct tg_shape most = needs(TG_UNIT * 3 / 5, 0, 0), one = cpus(1);
    struct tg_take a = take(&s, &most), b = take(&s, &most);
    CU_ASSERT_EQUAL(s.avail[TG_RES_CPU], TG_UNIT * 4 / 5);
    CU_ASSERT_FALSE(tg_site_fits(&s, &one));
    CU_ASSERT_FALSE(tg_site_fits(&s, &most)); /* 2/5 here and there */
    give(&s, &most, &b, false);
    CU_ASSERT_TRUE(tg_site_fits(&s, &one));
    give(&s, &most, &a, false);
    tg_region_fini(&region);
}

static void a_lent_cpu_serves_others_and_resuming_makes_debt(void)
{
    int64_t total[TG_RES_MAX] = {[TG_RES_CPU] = TG_UNIT};
    struct tg_site s;
    tg_site_init(&s, &region, 0, total);
    struct tg_shape one = cpus(1);
    struct tg_take parent = take(&s, &one);
    CU_ASSERT_FALSE(tg_site_fits(&s, &one));
    tg_site_lend(&s, &one, &parent);
    tg_site_check(&s);
    struct tg_take child = take(&s, &one);
    CU_ASSERT_EQUAL(tg_take_ids(&child)[0], tg_take_ids(&parent)[0]);

    tg_site_resume(&s, &one, &parent); /* never waits for the child */
    tg_site_check(&s);
    CU_ASSERT_EQUAL(s.avail[TG_RES_CPU], -TG_UNIT);
    CU_ASSERT_FALSE(tg_site_fits(&s, &one));
    give(&s, &one, &child, false);
    CU_ASSERT_FALSE(tg_site_fits(&s, &one)); /* the debt is paid, no more */
    give(&s, &one, &parent, false);
    CU_ASSERT_TRUE(tg_site_untouched(&s));
    tg_region_fini(&region);
}

static void in_debt_a_task_without_cpu_still_fits(void)
{
    int64_t total[TG_RES_MAX] = {[TG_RES_CPU] = TG_UNIT};
    struct tg_site s;
    tg_site_init(&s, &region, 0, total);
    struct tg_shape one = cpus(1), none = cpus(0);
    struct tg_take a = take(&s, &one);
    tg_site_lend(&s, &one, &a);
    struct tg_take b = take(&s, &one);
    tg_site_resume(&s, &one, &a);
    CU_ASSERT_TRUE(tg_site_fits(&s, &none));
    struct tg_take c = take(&s, &none);
    CU_ASSERT(c.n[TG_RES_CPU] == 0 && c.n[TG_RES_GPU] == 0);
    give(&s, &none, &c, false);
    give(&s, &one, &b, false);
    give(&s, &one, &a, false);
    tg_region_fini(&region);
}

static void a_lent_lease_gives_back_all_but_its_cpus(void)
{
    struct tg_site s;
    site(&s);
    struct tg_shape sh = needs(2 * TG_UNIT, TG_UNIT, 300);
    struct tg_take t = take(&s, &sh);
    tg_site_lend(&s, &sh, &t);
    tg_site_check(&s);
    CU_ASSERT_EQUAL(s.avail[TG_RES_CPU], 8 * TG_UNIT);
    CU_ASSERT_EQUAL(s.avail[TG_RES_GPU], TG_UNIT); /* kept while it blocks */
    CU_ASSERT_EQUAL(s.avail[TG_RES_MEMORY], 700);
    give(&s, &sh, &t, true);
    CU_ASSERT_TRUE(tg_site_untouched(&s));
    tg_region_fini(&region);
}

static void gpus_are_instances_after_the_cpus(void)
{
    struct tg_site s;
    site(&s);
    struct tg_shape a = needs(TG_UNIT, TG_UNIT, 0);
    struct tg_shape b = needs(0, TG_UNIT / 2, 0);
    struct tg_take ta = take(&s, &a), tb = take(&s, &b);
    CU_ASSERT(ta.n[TG_RES_CPU] == 1 && ta.n[TG_RES_GPU] == 1);
    CU_ASSERT_EQUAL(tg_take_ids(&ta)[1], 0);
    CU_ASSERT(tb.n[TG_RES_CPU] == 0 && tg_take_ids(&tb)[0] == 1);
    CU_ASSERT_FALSE(tg_site_fits(&s, &a));
    give(&s, &a, &ta, false);
    give(&s, &b, &tb, false);
    CU_ASSERT_TRUE(tg_site_untouched(&s));
    tg_region_fini(&region);
}

static void memory_and_custom_resources_are_plain_amounts(void)
{
    struct tg_site s;
    site(&s);
    struct tg_shape sh = needs(0, 0, 600);
    sh.amount[TG_RES_CUSTOM] = 2 * TG_UNIT;
    struct tg_take t = take(&s, &sh);
    CU_ASSERT_EQUAL(s.avail[TG_RES_MEMORY], 400);
    CU_ASSERT_EQUAL(s.avail[TG_RES_CUSTOM], TG_UNIT);
    CU_ASSERT_FALSE(tg_site_fits(&s, &sh));
    CU_ASSERT_TRUE(tg_site_can(&s, &sh));
    give(&s, &sh, &t, false);
    CU_ASSERT_TRUE(tg_site_untouched(&s));
    tg_region_fini(&region);
}

static void what_is_more_than_all_can_never_be(void)
{
    struct tg_site s;
    site(&s);
    struct tg_shape nine = cpus(9), eight = cpus(8);
    CU_ASSERT_FALSE(tg_site_can(&s, &nine));
    CU_ASSERT_TRUE(tg_site_can(&s, &eight));
    s.alive = false;
    CU_ASSERT_FALSE(tg_site_can(&s, &eight));
    CU_ASSERT_FALSE(tg_site_fits(&s, &eight));
    tg_region_fini(&region);
}

struct lease {
    struct tg_shape shape;
    struct tg_take take;
    bool lent;
};

static struct tg_shape any_shape(struct tg_rng *rng)
{
    static const int64_t part[] = {0, 0, TG_UNIT / 2, TG_UNIT / 4, 1};
    struct tg_shape sh = needs(
        (int64_t)tg_rng_below(rng, 4) * TG_UNIT + part[tg_rng_below(rng, 5)],
        part[tg_rng_below(rng, 5)], (int64_t)tg_rng_below(rng, 200));
    return sh;
}

static void random_takes_and_gives_leave_it_untouched(void)
{
    enum { MOST = 64 };
    struct lease v[MOST];
    uint32_t n = 0, taken = 0;
    struct tg_rng rng = {11};
    struct tg_site s;
    site(&s);
    for (int i = 0; i < 20000; i++) {
        struct lease new = {.shape = any_shape(&rng)};
        struct lease *old = n > 0 ? &v[tg_rng_below(&rng, n)] : NULL;
        uint32_t what = tg_rng_below(&rng, 4);
        if (what < 2 && n < MOST && tg_site_fits(&s, &new.shape)) {
            new.take = take(&s, &new.shape);
            v[n++] = new;
            taken++;
        } else if (what == 2 && old != NULL) {
            old->lent = !old->lent;
            if (old->lent)
                tg_site_lend(&s, &old->shape, &old->take);
            else
                tg_site_resume(&s, &old->shape, &old->take);
        } else if (what == 3 && old != NULL) {
            give(&s, &old->shape, &old->take, old->lent);
            *old = v[--n];
        }
        tg_site_check(&s);
    }
    while (n-- > 0)
        give(&s, &v[n].shape, &v[n].take, v[n].lent);
    CU_ASSERT(taken > 1000);
    CU_ASSERT_TRUE(tg_site_untouched(&s));
    CU_ASSERT_EQUAL(s.nidle[TG_RES_CPU], 8);
    tg_region_fini(&region);
}

/* By its meaning: enough is left, and whole ones and a share of one are. */
static bool could_fit(const struct tg_site *s, const struct tg_shape *sh)
{
    for (int r = 0; r < TG_RES_MAX; r++)
        if (sh->amount[r] > 0 && sh->amount[r] > s->avail[r])
            return false;
    for (int r = 0; r < TG_INSTANCED; r++) {
        int64_t whole = sh->amount[r] / TG_UNIT, part = sh->amount[r] % TG_UNIT;
        int64_t idle = 0;
        bool shares = part == 0;
        const int32_t *used = tg_site_used(s, r);
        for (uint32_t i = 0; i < s->ninst[r]; i++) {
            idle += used[i] == 0;
            shares = shares || (used[i] > 0 && used[i] + part <= TG_UNIT);
        }
        if (whole > idle || (!shares && whole == idle))
            return false;
    }
    return true;
}

static void what_has_room_is_what_fits(void)
{
    enum { MOST = 12 };
    struct lease v[MOST];
    uint32_t n = 0, fits = 0;
    struct tg_rng rng = {12};
    struct tg_site s;
    site(&s);
    for (int i = 0; i < 20000; i++) {
        struct lease new = {.shape = any_shape(&rng)};
        bool could = could_fit(&s, &new.shape);
        CU_ASSERT_EQUAL(tg_site_fits(&s, &new.shape), could);
        fits += could;
        if (could && n < MOST) {
            new.take = take(&s, &new.shape);
            v[n++] = new;
        } else if (n > 0) {
            struct lease *old = &v[tg_rng_below(&rng, n)];
            give(&s, &old->shape, &old->take, false);
            *old = v[--n];
        }
    }
    CU_ASSERT(fits > 5000 && fits < 15000);
    while (n-- > 0)
        give(&s, &v[n].shape, &v[n].take, false);
    tg_region_fini(&region);
}

static void a_rank_may_have_more_cpus_than_a_word_has_bits(void)
{
    int64_t total[TG_RES_MAX] = {[TG_RES_CPU] = 130 * TG_UNIT};
    struct tg_site s;
    tg_site_init(&s, &region, 0, total);
    struct tg_shape most = cpus(100), rest = cpus(30), one = cpus(1);
    struct tg_take a = take(&s, &most), b = take(&s, &rest);
    CU_ASSERT(tg_take_ids(&a)[99] == 99 && tg_take_ids(&b)[0] == 100);
    CU_ASSERT_EQUAL(tg_take_ids(&b)[29], 129);
    CU_ASSERT_FALSE(tg_site_fits(&s, &one));
    give(&s, &most, &a, false);
    give(&s, &rest, &b, false);
    CU_ASSERT_TRUE(tg_site_untouched(&s));
    tg_region_fini(&region);
}

static void amounts_are_told_as_people_write_them(void)
{
    char t[32];
    CU_ASSERT_STRING_EQUAL(tg_amount_text(2 * TG_UNIT, t, sizeof t), "2");
    CU_ASSERT_STRING_EQUAL(tg_amount_text(TG_UNIT / 2, t, sizeof t), "0.5");
    CU_ASSERT_STRING_EQUAL(tg_amount_text(100 * TG_UNIT, t, sizeof t), "100");
    CU_ASSERT_STRING_EQUAL(tg_amount_text(1, t, sizeof t), "0.0001");
    CU_ASSERT_STRING_EQUAL(tg_amount_text(0, t, sizeof t), "0");
    CU_ASSERT_STRING_EQUAL(tg_amount_text((int64_t)MIB * TG_UNIT, t, sizeof t),
                           "1048576");
}

static const struct unit_test tests[] = {
    TEST(a_lease_gets_cpus_of_its_own),
    TEST(neighbours_come_from_the_tightest_run),
    TEST(of_equal_runs_the_first_is_taken),
    TEST(without_a_run_long_enough_any_idle_ones_do),
    TEST(fractions_share_one_instance),
    TEST(whole_and_part_are_whole_instances_and_a_share),
    TEST(enough_in_sum_is_not_enough_for_a_whole_one),
    TEST(a_lent_cpu_serves_others_and_resuming_makes_debt),
    TEST(in_debt_a_task_without_cpu_still_fits),
    TEST(a_lent_lease_gives_back_all_but_its_cpus),
    TEST(gpus_are_instances_after_the_cpus),
    TEST(memory_and_custom_resources_are_plain_amounts),
    TEST(what_is_more_than_all_can_never_be),
    TEST(random_takes_and_gives_leave_it_untouched),
    TEST(what_has_room_is_what_fits),
    TEST(a_rank_may_have_more_cpus_than_a_word_has_bits),
    TEST(amounts_are_told_as_people_write_them),
    TESTS_END,
};

CUNIT_MAIN("ledger", tests)
