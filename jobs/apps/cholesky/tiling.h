/* tiling.h - a square matrix, cut into square tiles.
 *
 * Tile (i, j) has the rows from i * side on and the columns from j * side on;
 * the last row and column of tiles may be smaller.  Only tiles of the lower
 * triangle, j <= i, are worked with.
 */
#ifndef CHOLESKY_TILING_H
#define CHOLESKY_TILING_H

#include <stddef.h>
#include <stdint.h>

enum { TILING_MAX_SIDE = 16384, TILING_MAX_COUNT = 2048 };

struct tiling {
    int64_t n;     /* rows of the matrix */
    int64_t side;  /* rows of a tile, at most n */
    int32_t count; /* rows of tiles */
};

static inline struct tiling tiling_of(int64_t n, int64_t side)
{
    struct tiling t = {.n = n, .side = side < n ? side : n};

    t.count = (int32_t)((n + t.side - 1) / t.side);
    return t;
}

/* Rows of the tiles of row i; also columns of those of column i. */
static inline int64_t tiling_rows(const struct tiling *t, int32_t i)
{
    int64_t left = t->n - i * t->side;

    return left < t->side ? left : t->side;
}

/* How many tiles the lower triangle has, and the number of one of them. */
static inline size_t tiling_tiles(const struct tiling *t)
{
    return (size_t)t->count * ((size_t)t->count + 1) / 2;
}

static inline size_t tiling_index(int32_t i, int32_t j)
{
    return (size_t)i * ((size_t)i + 1) / 2 + (size_t)j;
}

#endif
