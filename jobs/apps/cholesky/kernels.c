/* kernels.c - see kernels.h.
 *
 * By the names that Fortran gives BLAS and LAPACK, which every one of them has.
 * Fortran stores column after column, so that what is lower here is upper
 * there: each call works on the transposed of what its comment says, and
 * A = L L^T is A = U^T U.
 */
#include "kernels.h"

#include <math.h>

/* A character's length comes last, as Fortran compilers pass it. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda,
             int *info, size_t);
void dtrsm_(const char *side, const char *uplo, const char *trans,
            const char *diag, const int *m, const int *n, const double *alpha,
            const double *a, const int *lda, double *b, const int *ldb, size_t,
            size_t, size_t, size_t);
void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda,
            const double *beta, double *c, const int *ldc, size_t, size_t);
void dgemm_(const char *transa, const char *transb, const int *m, const int *n,
            const int *k, const double *alpha, const double *a, const int *lda,
            const double *b, const int *ldb, const double *beta, double *c,
            const int *ldc, size_t, size_t);
#ifdef HAVE_OPENBLAS
void openblas_set_num_threads(int n);
#endif

bool kernel_threads(int n)
{
#ifdef HAVE_OPENBLAS
    openblas_set_num_threads(n);
    return true;
#else
    (void)n;
    return false;
#endif
}

/* One number for a row and a column: splitmix64, Vigna 2015. */
static double number(int64_t row, int64_t col)
{
    uint64_t z = ((uint64_t)row << 32 ^ (uint64_t)col) + 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53 - 0.5;
}

void kernel_generate(const struct tiling *t, int32_t i, int32_t j, double *a)
{
    int64_t row = i * t->side, rows = tiling_rows(t, i);
    int64_t col = j * t->side, cols = tiling_rows(t, j);

    for (int64_t r = row; r < row + rows; r++)
        for (int64_t c = col; c < col + cols; c++)
            *a++ = r > c   ? number(r, c)
                   : r < c ? number(c, r)
                           : number(r, c) + (double)t->n;
}

int64_t kernel_potrf(int64_t n, double *a)
{
    int order = (int)n, info = 0;

    dpotrf_("U", &order, a, &order, &info, 1);
    if (info > 0)
        return info;
    for (int64_t r = 0; r < n; r++) {
        if (!isfinite(a[r * n + r])) /* not every LAPACK looks for these */
            return r + 1;
        for (int64_t c = r + 1; c < n; c++)
            a[r * n + c] = 0.0;
    }
    return 0;
}

void kernel_trsm(int64_t rows, int64_t cols, const double *l, double *a)
{
    const int m = (int)cols, n = (int)rows;
    const double one = 1.0;

    dtrsm_("L", "U", "T", "N", &m, &n, &one, l, &m, a, &m, 1, 1, 1, 1);
}

void kernel_syrk(int64_t rows, int64_t depth, const double *l, double *a)
{
    const int n = (int)rows, k = (int)depth;
    const double minus = -1.0, one = 1.0;

    dsyrk_("U", "T", &n, &k, &minus, l, &k, &one, a, &n, 1, 1);
}

void kernel_gemm(int64_t rows, int64_t cols, int64_t depth, const double *l,
                 const double *r, double *a)
{
    const int m = (int)cols, n = (int)rows, k = (int)depth;
    const double minus = -1.0, one = 1.0;

    dgemm_("T", "N", &m, &n, &k, &minus, r, &k, l, &k, &one, a, &m, 1, 1);
}

double kernel_norm2(int64_t rows, int64_t cols, bool diagonal, const double *a)
{
    double sum = 0.0;

    for (int64_t r = 0; r < rows; r++, a += cols) {
        int64_t end = diagonal ? r : cols;
        for (int64_t c = 0; c < end; c++)
            sum += 2.0 * a[c] * a[c];
        if (diagonal)
            sum += a[r] * a[r];
    }
    return sum;
}
