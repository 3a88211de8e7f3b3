/* kernels.h - the arithmetic of tiles, by BLAS and LAPACK.
 *
 * A tile is rows times cols doubles in memory, row after row without gaps.
 * Knows no task.
 */
#ifndef CHOLESKY_KERNELS_H
#define CHOLESKY_KERNELS_H

#include <stdbool.h>

#include "tiling.h"

/* How many threads a call may use from now on; tasks want one.  Returns whether
 * this BLAS can be told. */
bool kernel_threads(int n);

/* Tile (i, j) of a symmetric positive definite matrix that depends on nothing
 * but its size: numbers between -1/2 and 1/2, and n more on the diagonal. */
void kernel_generate(const struct tiling *t, int32_t i, int32_t j, double *a);

/* a = l l^T, in place: l in the lower triangle, 0 above.  Only the lower
 * triangle is read.  Returns 0, or the number of the column, from 1 on, whose
 * pivot is not a positive number. */
int64_t kernel_potrf(int64_t n, double *a);

/* a = a l^-T, for l of cols rows and columns, in place. */
void kernel_trsm(int64_t rows, int64_t cols, const double *l, double *a);

/* a -= l l^T, for l of `depth` columns; only the lower triangle. */
void kernel_syrk(int64_t rows, int64_t depth, const double *l, double *a);

/* a -= l r^T, for l and r of `depth` columns. */
void kernel_gemm(int64_t rows, int64_t cols, int64_t depth, const double *l,
                 const double *r, double *a);

/* The squares of a tile's numbers, added up, as often as they are in the
 * symmetric matrix: twice, on its diagonal once.  Of a tile on the diagonal
 * only the lower triangle is read. */
double kernel_norm2(int64_t rows, int64_t cols, bool diagonal, const double *a);

#endif
