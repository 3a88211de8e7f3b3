/* head_tree.h - rows of amounts, and which row covers a need.
 *
 * A binary tree over the rows, in which each inner row has the largest of each
 * amount below it: a search leaves out whole parts of the machine that have
 * too little.  With one amount asked for it is exact, log n; with several, a
 * part may have each of them and no row all.  For that, a row also has sets of
 * bits, of which an inner row has all that are below it: a bit may stand for
 * "this much of one and that much of another".
 */
#ifndef TG_CORE_HEAD_TREE_H
#define TG_CORE_HEAD_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/region.h"

enum { TG_COLS_MAX = 40, TG_NEED_MAX = 18 };

struct tg_tree {
    int32_t n, cap;    /* rows; leaves, a power of two */
    int amounts, cols; /* of a row: so many amounts, then sets */
    int64_t *v;        /* 2 * cap - 1 rows: the top, the two below it, ... */
};

/* All amounts are -1 and all sets empty: that covers nothing. */
void tg_tree_init(struct tg_tree *t, struct tg_region *region, int32_t n,
                  int amounts, int sets);

const int64_t *tg_tree_row(const struct tg_tree *t, int32_t i);
const int64_t *tg_tree_top(const struct tg_tree *t); /* the largest of each */
void tg_tree_set(struct tg_tree *t, int32_t i, const int64_t *row);

struct tg_need { /* at least so much, and one of these bits, in each column */
    int namounts, nsets;
    struct {
        int col;
        int64_t least;
    } amount[TG_NEED_MAX];
    struct {
        int col;
        int64_t bits;
    } set[TG_NEED_MAX];
};

bool tg_tree_covers(const struct tg_tree *t, int32_t i,
                    const struct tg_need *need);

/* The first row from `from` on that covers the need; -1: none. */
int32_t tg_tree_next(const struct tg_tree *t, int32_t from,
                     const struct tg_need *need);

/* Of the rows that cover the need and that `ok` accepts (NULL: all), the one
 * with the most in column `by`, the first of equals; -1: none.  Having found
 * one, it looks at a limited number of others: then it may miss the best. */
typedef bool tg_tree_ok(void *arg, int32_t i);
int32_t tg_tree_best(const struct tg_tree *t, const struct tg_need *need,
                     int by, tg_tree_ok *ok, void *arg);

void tg_tree_check(const struct tg_tree *t);

#endif
