/* test_cholesky_kernels.c - the arithmetic of tiles against LAPACK on the whole
 * matrix, and the command line. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "options.h"
#include "tests/cunit_main.h"

/* ---- tiles ------------------------------------------------------------- */

static double *tile_of(const struct tiling *t, int32_t i, int32_t j)
{
    size_t n = (size_t)(tiling_rows(t, i) * tiling_rows(t, j));
    double *a = calloc(n, sizeof *a);

    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    kernel_generate(t, i, j, a);
    return a;
}

/* As the tasks do it, one after the other. */
static int64_t factor(const struct tiling *t, double *tiles[])
{
    for (int32_t j = 0; j < t->count; j++)
        for (int32_t i = j; i < t->count; i++) {
            int64_t rows = tiling_rows(t, i), cols = tiling_rows(t, j);
            double *a = tiles[tiling_index(i, j)];
            for (int32_t k = 0; k < j; k++) {
                const double *l = tiles[tiling_index(i, k)];
                int64_t depth = tiling_rows(t, k);
                if (i == j)
                    kernel_syrk(rows, depth, l, a);
                else
                    kernel_gemm(rows, cols, depth, l, tiles[tiling_index(j, k)],
                                a);
            }
            if (i > j)
                kernel_trsm(rows, cols, tiles[tiling_index(j, j)], a);
            else if (kernel_potrf(rows, a) != 0)
                return 1;
        }
    return 0;
}

static double largest_difference(const struct tiling *t, double *tiles[],
                                 const double *whole)
{
    double most = 0.0;

    for (int64_t r = 0; r < t->n; r++)
        for (int64_t c = 0; c < t->n; c++) {
            int32_t i = (int32_t)(r / t->side), j = (int32_t)(c / t->side);
            int64_t at = r % t->side * tiling_rows(t, j) + c % t->side;
            double x = j <= i ? tiles[tiling_index(i, j)][at] : 0.0;
            most = fmax(most, fabs(x - whole[r * t->n + c]));
        }
    return most;
}

static void compare(int64_t n, int64_t side)
{
    const struct tiling t = tiling_of(n, side), one = tiling_of(n, n);
    double **tiles = calloc(tiling_tiles(&t), sizeof *tiles);
    double *whole = tile_of(&one, 0, 0);

    CU_ASSERT_PTR_NOT_NULL_FATAL(tiles);
    for (int32_t i = 0; i < t.count; i++)
        for (int32_t j = 0; j <= i; j++)
            tiles[tiling_index(i, j)] = tile_of(&t, i, j);
    CU_ASSERT_EQUAL(kernel_potrf(n, whole), 0);
    CU_ASSERT_EQUAL(factor(&t, tiles), 0);
    CU_ASSERT(largest_difference(&t, tiles, whole) < 1e-13 * sqrt((double)n));
    for (size_t i = 0; i < tiling_tiles(&t); i++)
        free(tiles[i]);
    free(tiles);
    free(whole);
}

static void tiles_give_what_lapack_gives(void)
{
    kernel_threads(1);
    compare(256, 64);
    compare(200, 48); /* the last ones are smaller */
    compare(97, 32);
    compare(50, 64); /* one tile */
    compare(5, 1);
}

/* l l^T is the matrix: of three rows, by hand. */
static void a_factor_is_right(void)
{
    double a[] = {4, 99, 99, 2, 10, 99, 6, -3, 18}; /* 99: never read */
    const double l[] = {2, 0, 0, 1, 3, 0, 3, -2, sqrt(5)};

    CU_ASSERT_EQUAL(kernel_potrf(3, a), 0);
    for (int i = 0; i < 9; i++)
        CU_ASSERT_DOUBLE_EQUAL(a[i], l[i], 1e-15);
}

static void a_bad_pivot_is_told(void)
{
    double negative[] = {4, 0, 2, -1}, zero[] = {0.0};
    double nan_first[] = {(double)NAN}, nan_later[] = {1, 0, (double)NAN, 1};

    CU_ASSERT_EQUAL(kernel_potrf(2, negative), 2);
    CU_ASSERT_EQUAL(kernel_potrf(1, zero), 1);
    CU_ASSERT_EQUAL(kernel_potrf(1, nan_first), 1);
    CU_ASSERT_EQUAL(kernel_potrf(2, nan_later), 2);
}

static void norms_count_both_triangles(void)
{
    const double a[] = {1, 2, 3, 4, 5, 6};
    const double d[] = {1, 99, 2, 3};

    CU_ASSERT_EQUAL(kernel_norm2(2, 3, false, a), 2.0 * 91.0);
    CU_ASSERT_EQUAL(kernel_norm2(2, 2, true, d), 1.0 + 2.0 * 4.0 + 9.0);
}

/* ---- the command line -------------------------------------------------- */

static enum options_result parse(struct options *o, struct fault *fault,
                                 const char *line)
{
    char text[256], *argv[16] = {NULL};
    int argc = 0;

    snprintf(text, sizeof text, "cholesky %s", line);
    for (char *word = strtok(text, " "); word != NULL && argc < 15;
         word = strtok(NULL, " "))
        argv[argc++] = word;
    fault->text[0] = '\0';
    return options_parse(o, argc, argv, fault);
}

static void good_lines_are_understood(void)
{
    struct options o;
    struct fault fault;

    CU_ASSERT_EQUAL(parse(&o, &fault, "--n 4096"), OPTIONS_GOOD);
    CU_ASSERT_EQUAL(o.n, 4096);
    CU_ASSERT_EQUAL(o.side, 256);
    CU_ASSERT_EQUAL(o.store_bytes, 0);
    CU_ASSERT(o.in == NULL && o.out == NULL && o.spill_dir == NULL);
    CU_ASSERT_EQUAL(parse(&o, &fault, "-n 7 -t 3 --store 12K"), OPTIONS_GOOD);
    CU_ASSERT_EQUAL(o.side, 3);
    CU_ASSERT_EQUAL(o.store_bytes, 12288);
    CU_ASSERT_EQUAL(parse(&o, &fault, "-n 7 --store 3T"), OPTIONS_GOOD);
    CU_ASSERT_EQUAL(o.store_bytes, UINT64_C(3) << 40);
    CU_ASSERT_EQUAL(parse(&o, &fault, "-n 7 --store 77"), OPTIONS_GOOD);
    CU_ASSERT_EQUAL(o.store_bytes, 77);
}

static void bad_lines_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "-n 0",
        "-n -4",
        "-n x",
        "-n 4x",
        "-n 3000000000",
        "-n 5 --tile 0",
        "-n 5 --tile 16385",
        "-n 5 --store 0",
        "-n 5 --store -1",
        "-n 5 --store 1KB",
        "-n 5 --store K",
        "-n 5 --store 99999999999T",
        "-n 5 --in f",
        "-n 5 more",
        "-n 5 --colour",
        "-n",
    };
    struct options o;
    struct fault fault;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(parse(&o, &fault, bad[i]), OPTIONS_BAD);
        CU_ASSERT_NOT_EQUAL(fault.text[0], '\0');
        CU_ASSERT_PTR_NULL(strchr(fault.text, '\n'));
    }
}

static const struct unit_test tests[] = {
    TEST(tiles_give_what_lapack_gives),
    TEST(a_factor_is_right),
    TEST(a_bad_pivot_is_told),
    TEST(norms_count_both_triangles),
    TEST(good_lines_are_understood),
    TEST(bad_lines_are_refused),
    TESTS_END,
};

CUNIT_MAIN("cholesky kernels", tests)
