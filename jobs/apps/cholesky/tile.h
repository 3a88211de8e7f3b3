/* tile.h - the tasks: each makes the next version of a tile from others.
 *
 * A tile is an object of TRYGON_FLOAT64 with two dimensions.  Nothing is
 * changed in place: the answer is a new object, and who submits releases the
 * old one.
 */
#ifndef CHOLESKY_TILE_H
#define CHOLESKY_TILE_H

#include <trygon/trygon.h>

#include "tiling.h"

/* The code of a task that found no positive pivot; its text says where. */
enum { TILE_NOT_POSITIVE = 2 };

int tile_register(trygon_registry_t *registry);

/* What the functions below are about.  They give trygon's codes; *next is the
 * answer's reference, one count of it. */
struct tile {
    struct tiling of;
    int32_t i, j;
};

int tile_generate(trygon_t *tg, const struct tile *tile, trygon_ref_t *next);

/* Take off what a column of the factor on the left of the tile has to do with
 * it: a - l r^T, for tiles l and r of that column, of rows i and j. */
int tile_update(trygon_t *tg, const struct tile *tile, trygon_ref_t a,
                trygon_ref_t l, trygon_ref_t r, trygon_ref_t *next);

/* The factor's tile, when all columns on its left have been taken off; diagonal
 * is the factor's tile (j, j), not used for i = j. */
int tile_factor(trygon_t *tg, const struct tile *tile, trygon_ref_t a,
                trygon_ref_t diagonal, trygon_ref_t *next);

/* A double: kernel_norm2() of it. */
int tile_norm2(trygon_t *tg, const struct tile *tile, trygon_ref_t a,
               trygon_ref_t *next);

/* As a value, for a tile's bytes at p; dims are the caller's to keep. */
trygon_value_t tile_value(const struct tile *tile, const void *p,
                          int64_t dims[2]);

#endif
