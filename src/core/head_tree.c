/* head_tree.c - see head_tree.h. */
#include "core/head_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { PROBES = 4 }; /* rows looked at for a better one */

/* Rows are numbered from the top, 1; below i are 2 i and 2 i + 1. */
static int64_t *at(const struct tg_tree *t, int32_t i)
{
    return t->v + (size_t)(i - 1) * (size_t)t->cols;
}

void tg_tree_init(struct tg_tree *t, struct tg_region *region, int32_t n,
                  int amounts, int sets)
{
    *t = (struct tg_tree){.n = n, .cap = 1, .amounts = amounts};
    t->cols = amounts + sets;
    TG_ASSERT(t->cols <= TG_COLS_MAX);
    while (t->cap < n)
        t->cap *= 2;
    t->v = tg_region_get(region, (2 * (size_t)t->cap - 1) * (size_t)t->cols *
                                     sizeof *t->v);
    for (int32_t i = 1; i < 2 * t->cap; i++)
        for (int c = 0; c < amounts; c++)
            at(t, i)[c] = -1;
}

const int64_t *tg_tree_row(const struct tg_tree *t, int32_t i)
{
    return at(t, t->cap + i);
}

const int64_t *tg_tree_top(const struct tg_tree *t)
{
    return at(t, 1);
}

/* Row i from the two below, in n columns; those that have changed stay. */
static int pull(struct tg_tree *t, int32_t i, int *cols, int n)
{
    int64_t *up = at(t, i);
    const int64_t *a = at(t, 2 * i), *b = a + t->cols;
    int changed = 0;
    for (int k = 0; k < n; k++) {
        int c = cols[k];
        int64_t both = a[c] > b[c] ? a[c] : b[c];
        if (c >= t->amounts)
            both = a[c] | b[c];
        cols[changed] = c;
        changed += up[c] != both;
        up[c] = both;
    }
    return changed;
}

void tg_tree_set(struct tg_tree *t, int32_t i, const int64_t *row)
{
    int cols[TG_COLS_MAX], n = 0;
    i += t->cap;
    int64_t *old = at(t, i);
    for (int c = 0; c < t->cols; c++) {
        cols[n] = c;
        n += old[c] != row[c];
        old[c] = row[c];
    }
    for (i /= 2; i > 0 && n > 0; i /= 2)
        n = pull(t, i, cols, n);
}

static inline bool covers(const int64_t *row, const struct tg_need *need)
{
    for (int k = 0; k < need->namounts; k++)
        if (row[need->amount[k].col] < need->amount[k].least)
            return false;
    for (int k = 0; k < need->nsets; k++)
        if ((row[need->set[k].col] & need->set[k].bits) == 0)
            return false;
    return true;
}

bool tg_tree_covers(const struct tg_tree *t, int32_t i,
                    const struct tg_need *need)
{
    return covers(tg_tree_row(t, i), need);
}

int32_t tg_tree_next(const struct tg_tree *t, int32_t from,
                     const struct tg_need *need)
{
    if (from >= t->n || !covers(at(t, 1), need))
        return -1;
    int32_t i = from + t->cap;
    for (;;) {
        if (covers(at(t, i), need)) {
            if (i >= t->cap)
                return i - t->cap;
            i *= 2;
            continue;
        }
        while ((i & 1) != 0) /* all of this part is seen: go up */
            i /= 2;
        if (i == 0)
            return -1;
        i++;
    }
}

/* Depth first, where there is more first; what waits on the way is at most one
 * row of each level. */
int32_t tg_tree_best(const struct tg_tree *t, const struct tg_need *need,
                     int by, tg_tree_ok *ok, void *arg)
{
    int32_t stack[32], n = 0, found = -1, probes = PROBES;
    int64_t most = INT64_MIN;
    stack[n++] = 1;
    while (n > 0) {
        int32_t i = stack[--n];
        const int64_t *row = at(t, i);
        if ((found >= 0 && row[by] <= most) || !covers(row, need))
            continue;
        if (found >= 0 && probes-- == 0)
            break;
        if (i < t->cap) {
            const int64_t *left = at(t, 2 * i), *right = left + t->cols;
            bool turned = left[by] < right[by];
            stack[n++] = 2 * i + !turned;
            stack[n++] = 2 * i + turned;
        } else if (ok == NULL || ok(arg, i - t->cap)) {
            found = i - t->cap;
            most = row[by];
        }
    }
    return found;
}

void tg_tree_check(const struct tg_tree *t)
{
    for (int32_t i = 1; i < t->cap; i++) {
        const int64_t *up = at(t, i), *a = at(t, 2 * i), *b = a + t->cols;
        for (int c = 0; c < t->cols; c++)
            TG_ASSERT(up[c] == (c >= t->amounts ? a[c] | b[c]
                                : a[c] > b[c]   ? a[c]
                                                : b[c]));
    }
}
