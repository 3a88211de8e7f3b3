/* test_space.c - extents of a range: what fits where, and random steps against
 * a map of its grains.
 */
#include "store/space.h"

#include <stdlib.h>
#include <string.h>

#include "../cunit_main.h"
#include "base/rng.h"

enum { GRAIN = 64, PAGE = 1024, FROM = 4096, SIZE = 1 << 20 };

static struct tg_space s;

static void begin(void)
{
    tg_space_init(&s, FROM, SIZE, GRAIN, PAGE);
}

static void end(void)
{
    tg_space_check(&s);
    tg_space_fini(&s);
}

static void sizes_are_rounded_to_the_grain(void)
{
    begin();
    struct tg_extent *a = tg_space_take(&s, 1), *b = tg_space_take(&s, 65);
    CU_ASSERT(a->at == FROM && a->size == 64);
    CU_ASSERT(b->at == FROM + 64 && b->size == 128);
    /* The page is warm, whatever of it is in use. */
    CU_ASSERT(s.used == 192 && s.warm == PAGE - 192);
    end();
}

static void what_is_warm_goes_first(void)
{
    begin();
    struct tg_extent *v[6];
    for (int i = 0; i < 6; i++)
        v[i] = tg_space_take(&s, PAGE);
    uint64_t small = v[3]->at;
    tg_space_give(&s, v[0]);
    tg_space_give(&s, v[1]);
    tg_space_give(&s, v[3]);
    /* The smallest hole that is large enough, and only then the first. */
    CU_ASSERT_EQUAL(tg_space_take(&s, 3 * GRAIN)->at, small);
    CU_ASSERT_EQUAL(tg_space_take(&s, 2 * PAGE)->at, FROM);
    CU_ASSERT_EQUAL(s.warm, PAGE - 3 * GRAIN);
    end();
}

static void neighbours_become_one(void)
{
    begin();
    struct tg_extent *v[3];
    for (int i = 0; i < 3; i++)
        v[i] = tg_space_take(&s, PAGE);
    tg_space_give(&s, v[0]);
    tg_space_give(&s, v[2]);
    tg_space_give(&s, v[1]);
    CU_ASSERT(s.warm == 3 * PAGE && s.used == 0);
    /* Larger than what is warm: the rest is cold, and right behind it. */
    struct tg_extent *all = tg_space_take(&s, 5 * PAGE);
    CU_ASSERT(all->at == FROM && s.warm == 0);
    end();
}

static void cooling_takes_whole_pages(void)
{
    uint64_t at, n;
    begin();
    struct tg_extent *a = tg_space_take(&s, GRAIN);
    struct tg_extent *b = tg_space_take(&s, 5 * PAGE);
    struct tg_extent *c = tg_space_take(&s, GRAIN);
    CU_ASSERT(a->at == FROM && b->at == FROM + GRAIN);
    CU_ASSERT_FALSE(tg_space_cool(&s, PAGE, &at, &n)); /* less than one */
    tg_space_give(&s, b);
    CU_ASSERT(tg_space_cool(&s, 1, &at, &n));
    CU_ASSERT(n == PAGE && at == FROM + 4 * PAGE);
    CU_ASSERT(tg_space_cool(&s, SIZE, &at, &n));
    CU_ASSERT(n == 3 * PAGE && at == FROM + PAGE);
    CU_ASSERT_FALSE(tg_space_cool(&s, SIZE, &at, &n));
    tg_space_check(&s);
    tg_space_give(&s, a);
    tg_space_give(&s, c);
    while (tg_space_cool(&s, SIZE, &at, &n))
        ;
    CU_ASSERT(s.warm == 0 && s.used == 0 && s.first->next == NULL);
    end();
}

static void no_hole_is_no_answer(void)
{
    begin();
    CU_ASSERT_PTR_NULL(tg_space_take(&s, SIZE + 1));
    CU_ASSERT_PTR_NULL(tg_space_take(&s, UINT64_MAX));
    struct tg_extent *all = tg_space_take(&s, SIZE);
    CU_ASSERT_FATAL(all != NULL);
    CU_ASSERT_PTR_NULL(tg_space_take(&s, 1));
    tg_space_give(&s, all);
    CU_ASSERT_EQUAL(tg_space_take(&s, SIZE), all);
    end();
}

/* ----- against a model --------------------------------------------------------- */

enum { GRAINS = SIZE / GRAIN, BLOBS = 300, STEPS = 40000 };

static unsigned char used[GRAINS], there[SIZE / PAGE];

static uint64_t count(const unsigned char *v, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return sum;
}

/* Marks the grains, none of which may be so marked. */
static bool mark(uint64_t at, uint64_t size, unsigned char as)
{
    size_t i = (size_t)(at - FROM) / GRAIN, n = (size_t)size / GRAIN;
    bool bad = at < FROM || i + n > GRAINS;
    for (; !bad && n-- > 0; i++) {
        bad = used[i] == as;
        used[i] = as;
        there[i * GRAIN / PAGE] = 1;
    }
    return !bad;
}

/* Pages that are given back must be there, and not in use. */
static bool give_pages(uint64_t at, uint64_t n)
{
    bool good = true;
    for (uint64_t page = (at - FROM) / PAGE; n > 0; page++, n -= PAGE) {
        good &= there[page] == 1 &&
                count(&used[page * PAGE / GRAIN], PAGE / GRAIN) == 0;
        there[page] = 0;
    }
    return good;
}

static void random_steps(void)
{
    struct tg_extent *v[BLOBS] = {0};
    struct tg_rng rng = {4711};
    uint64_t at, n, refused = 0;
    bool good = true;
    begin();
    for (int step = 0; step < STEPS && good; step++) {
        uint32_t i = tg_rng_below(&rng, BLOBS);
        if (tg_rng_below(&rng, 10) == 0) {
            if (tg_space_cool(&s, tg_rng_below(&rng, 9000), &at, &n))
                good = give_pages(at, n);
        } else if (v[i] != NULL) {
            good = mark(v[i]->at, v[i]->size, 0);
            tg_space_give(&s, v[i]);
            v[i] = NULL;
        } else {
            uint64_t size =
                1 + tg_rng_below(&rng, 64u << tg_rng_below(&rng, 11));
            v[i] = tg_space_take(&s, size);
            refused += v[i] == NULL;
            if (v[i] != NULL)
                good = v[i]->size >= size && v[i]->size < size + GRAIN &&
                       mark(v[i]->at, v[i]->size, 1);
        }
        good &= count(used, GRAINS) * GRAIN == s.used;
        good &= count(there, sizeof there) * PAGE == s.used + s.warm;
        if (step % 64 == 0)
            tg_space_check(&s);
    }
    CU_ASSERT(good);
    CU_ASSERT(refused > 0 && refused < STEPS / 10);
    end();
}

static const struct unit_test tests[] = {
    TEST(sizes_are_rounded_to_the_grain),
    TEST(what_is_warm_goes_first),
    TEST(neighbours_become_one),
    TEST(cooling_takes_whole_pages),
    TEST(no_hole_is_no_answer),
    TEST(random_steps),
    TESTS_END,
};

CUNIT_MAIN("space", tests)
