/* space.c - see space.h. */
#include "store/space.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/rng.h"

/* ----- trees of free extents -------------------------------------------------
 * Treaps: ordered by size and place, and heaps by a number that is mixed from
 * the place, so that they are as deep as random trees are. */

static bool before(const struct tg_extent *a, const struct tg_extent *b)
{
    return a->size != b->size ? a->size < b->size : a->at < b->at;
}

static bool above(const struct tg_extent *a, const struct tg_extent *b)
{
    return tg_mix64(a->at) > tg_mix64(b->at);
}

static void insert(struct tg_space *s, struct tg_extent *e)
{
    struct tg_extent **link = &s->tree[e->kind];
    while (*link != NULL && above(*link, e))
        link = &(*link)->child[before(*link, e)];

    /* What was here goes below it, cut in two. */
    struct tg_extent *t = *link, **cut[2] = {&e->child[0], &e->child[1]};
    while (t != NULL) {
        bool smaller = before(t, e);
        *cut[!smaller] = t;
        cut[!smaller] = &t->child[smaller];
        t = t->child[smaller];
    }
    *cut[0] = *cut[1] = NULL;
    *link = e;
}

static void withdraw(struct tg_space *s, const struct tg_extent *e)
{
    struct tg_extent **link = &s->tree[e->kind];
    while (*link != e)
        link = &(*link)->child[before(*link, e)];

    struct tg_extent *t[2] = {e->child[0], e->child[1]};
    while (t[0] != NULL && t[1] != NULL) {
        bool larger = above(t[1], t[0]);
        *link = t[larger];
        link = &t[larger]->child[!larger];
        t[larger] = *link;
    }
    *link = t[0] != NULL ? t[0] : t[1];
}

/* The smallest, then first, of at least this size. */
static struct tg_extent *fit(struct tg_extent *tree, uint64_t size)
{
    struct tg_extent *best = NULL;
    while (tree != NULL) {
        if (tree->size >= size)
            best = tree;
        tree = tree->child[tree->size < size];
    }
    return best;
}

/* ----- the range --------------------------------------------------------------
 * Cutting makes the record of the second part and joining drops it, so that the
 * first record is the same for ever. */

static struct tg_extent *new_extent(struct tg_space *s)
{
    struct tg_extent *e = s->spare;
    if (e == NULL)
        return tg_alloc(sizeof *e);
    s->spare = e->next;
    return e;
}

/* What is behind the first n bytes of e, an extent of the same kind; neither is
 * in a tree. */
static struct tg_extent *cut(struct tg_space *s, struct tg_extent *e,
                             uint64_t n)
{
    struct tg_extent *rest = new_extent(s);
    *rest = (struct tg_extent){.at = e->at + n,
                               .size = e->size - n,
                               .prev = e,
                               .next = e->next,
                               .kind = e->kind};
    if (rest->next != NULL)
        rest->next->prev = rest;
    e->next = rest;
    e->size = n;
    return rest;
}

static void swallow_next(struct tg_space *s, struct tg_extent *e)
{
    struct tg_extent *next = e->next;
    e->size += next->size;
    e->next = next->next;
    if (e->next != NULL)
        e->next->prev = e;
    next->next = s->spare;
    s->spare = next;
}

static bool alike(const struct tg_extent *a, const struct tg_extent *b)
{
    return a != NULL && b != NULL && a->kind == b->kind;
}

/* A free extent that is in no tree yet becomes one with its neighbours. */
static struct tg_extent *settle(struct tg_space *s, struct tg_extent *e)
{
    if (alike(e, e->next)) {
        withdraw(s, e->next);
        swallow_next(s, e);
    }
    if (alike(e->prev, e)) {
        e = e->prev;
        withdraw(s, e);
        swallow_next(s, e);
    }
    insert(s, e);
    return e;
}

/* A warm extent of this size, from a cold one and what is warm before it. */
static struct tg_extent *heat(struct tg_space *s, uint64_t size)
{
    struct tg_extent *e =
        fit(s->tree[TG_EXTENT_COLD], tg_round_up(size, s->page));
    if (e == NULL)
        return NULL;
    const struct tg_extent *p = e->prev;
    uint64_t has = p != NULL && p->kind == TG_EXTENT_WARM ? p->size : 0;
    uint64_t n = tg_round_up(size - has, s->page);
    withdraw(s, e);
    if (n < e->size)
        insert(s, cut(s, e, n));
    e->kind = TG_EXTENT_WARM;
    s->warm += n;
    return settle(s, e);
}

/* ----- the interface ---------------------------------------------------------- */

void tg_space_init(struct tg_space *s, uint64_t from, uint64_t size,
                   uint64_t grain, uint64_t page)
{
    TG_ASSERT(page % grain == 0 && from % page == 0 && size % page == 0);
    *s = (struct tg_space){.grain = grain, .page = page};
    s->first = new_extent(s);
    *s->first =
        (struct tg_extent){.at = from, .size = size, .kind = TG_EXTENT_COLD};
    insert(s, s->first);
}

static void free_chain(struct tg_extent *e)
{
    while (e != NULL) {
        struct tg_extent *next = e->next;
        free(e);
        e = next;
    }
}

void tg_space_fini(struct tg_space *s)
{
    free_chain(s->first);
    free_chain(s->spare);
    *s = (struct tg_space){0};
}

struct tg_extent *tg_space_take(struct tg_space *s, uint64_t size)
{
    TG_ASSERT(size > 0);
    if (size > UINT64_MAX - s->page)
        return NULL;
    size = tg_round_up(size, s->grain);
    struct tg_extent *e = fit(s->tree[TG_EXTENT_WARM], size);
    if (e == NULL)
        e = heat(s, size);
    if (e == NULL)
        return NULL;
    withdraw(s, e);
    if (size < e->size)
        insert(s, cut(s, e, size));
    e->kind = TG_EXTENT_USED;
    s->warm -= size;
    s->used += size;
    return e;
}

void tg_space_give(struct tg_space *s, struct tg_extent *e)
{
    TG_ASSERT(e->kind == TG_EXTENT_USED);
    e->kind = TG_EXTENT_WARM;
    s->used -= e->size;
    s->warm += e->size;
    (void)settle(s, e);
}

bool tg_space_cool(struct tg_space *s, uint64_t most, uint64_t *at, uint64_t *n)
{
    struct tg_extent *e = s->tree[TG_EXTENT_WARM];
    while (e != NULL && e->child[1] != NULL)
        e = e->child[1];
    if (e == NULL)
        return false;
    uint64_t from = tg_round_up(e->at, s->page);
    uint64_t to = (e->at + e->size) / s->page * s->page;
    if (from >= to)
        return false;
    if (most < to - from)
        from = to - tg_round_up(most, s->page);

    withdraw(s, e);
    if (to < e->at + e->size)
        insert(s, cut(s, e, to - e->at));
    if (from > e->at) {
        struct tg_extent *rest = cut(s, e, from - e->at);
        insert(s, e);
        e = rest;
    }
    e->kind = TG_EXTENT_COLD;
    s->warm -= to - from;
    (void)settle(s, e);
    *at = from;
    *n = to - from;
    return true;
}

/* ----- checking ---------------------------------------------------------------- */

static uint32_t check_tree(const struct tg_extent *t, enum tg_extent_kind kind)
{
    if (t == NULL)
        return 0;
    TG_ASSERT(t->kind == kind);
    for (int i = 0; i < 2; i++)
        TG_ASSERT(t->child[i] == NULL || (before(t->child[i], t) == (i == 0) &&
                                          !above(t->child[i], t)));
    return 1 + check_tree(t->child[0], kind) + check_tree(t->child[1], kind);
}

void tg_space_check(const struct tg_space *s)
{
    uint64_t bytes[3] = {0};
    uint32_t number[3] = {0};
    for (const struct tg_extent *e = s->first; e != NULL; e = e->next) {
        uint64_t unit = e->kind == TG_EXTENT_COLD ? s->page : s->grain;
        TG_ASSERT(e->size > 0 && e->size % unit == 0 && e->at % unit == 0);
        TG_ASSERT(e->next == NULL ||
                  (e->next->at == e->at + e->size && e->next->prev == e));
        TG_ASSERT(e->kind == TG_EXTENT_USED || !alike(e, e->next));
        bytes[e->kind] += e->size;
        number[e->kind]++;
    }
    TG_ASSERT(bytes[TG_EXTENT_USED] == s->used);
    TG_ASSERT(bytes[TG_EXTENT_WARM] == s->warm);
    for (enum tg_extent_kind k = TG_EXTENT_WARM; k <= TG_EXTENT_COLD; k++)
        TG_ASSERT(check_tree(s->tree[k], k) == number[k]);
}
