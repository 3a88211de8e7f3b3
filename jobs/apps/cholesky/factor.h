/* factor.h - the factorisation, and how well it went, as tasks on tiles.
 *
 * Left-looking: the factor's columns of tiles are made one after the other.  A
 * tile (i, j) begins as the matrix's; then, for each column k on its left, one
 * task takes off what tiles (i, k) and (j, k) have to do with it; then one task
 * makes it the factor's.  That is a chain of tasks, which wait for each other
 * and for other tiles through references only.  Not more than `window` chains
 * are under way, in the order in which the tiles are needed, so that what they
 * have in memory is bounded and the next columns begin before the last one is
 * done.  All other tiles are just kept, in files if the store is too small.
 */
#ifndef CHOLESKY_FACTOR_H
#define CHOLESKY_FACTOR_H

#include <trygon/trygon.h>

#include "common/fault.h"
#include "tiling.h"

/* Where the matrix comes from: the first version of a tile, one count of it.
 * 0, or -1 with the fault. */
struct source {
    int (*tile)(void *arg, int32_t i, int32_t j, trygon_ref_t *ref,
                struct fault *fault);
    void *arg;
};

struct factor {
    trygon_t *tg;
    struct tiling tiling;
    struct source source;
    size_t window;
    trygon_ref_t *tile; /* of the lower triangle, see tiling_index(); one count
                           of each, {0, 0} where there is none */
};

/* With source.tile NULL tasks generate the matrix.  Window 0: what keeps all
 * slots of all ranks busy.  Errors: no memory. */
int factor_open(struct factor *f, struct fault *fault);

/* Fills in tile[]. */
int factor_run(struct factor *f, struct fault *fault);

/* || A - L L^T || / || A ||, of all their numbers' squares; A is had once more
 * from its source, tile by tile. */
int factor_residual(struct factor *f, double *residual, struct fault *fault);

/* Gives back what tile[] still has, and the memory. */
void factor_close(struct factor *f);

#endif
