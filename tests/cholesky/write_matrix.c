/* write_matrix.c - an HDF5 file with good and bad matrices, for the script that
 * runs cholesky: write_matrix FILE.
 *
 *   /A, /group/single   symmetric positive definite, 256 rows, double and float
 *   /negative, /nan     the same but for one number on the diagonal
 *   /wide, /line, /text   no square matrix of numbers
 */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 256, BAD_NEGATIVE = 100, BAD_NAN = 200 };

static double a[N][N];

/* Positive definite: each is less than its diagonal's share. */
static void fill(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = i == j ? 2.0 * N : cos(i + j) + sin(i * j);
}

static void put(hid_t file, const char *name, hid_t type, int ndim,
                hsize_t rows, hsize_t cols)
{
    const hsize_t dims[2] = {rows, cols};
    hid_t space = H5Screate_simple(ndim, dims, NULL);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t set =
        H5Dcreate2(file, name, type, space, links, H5P_DEFAULT, H5P_DEFAULT);

    if (set < 0 || (H5Tget_class(type) != H5T_STRING &&
                    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL,
                             H5P_DEFAULT, a) < 0)) {
        fprintf(stderr, "write_matrix: %s failed\n", name);
        exit(EXIT_FAILURE);
    }
    H5Dclose(set);
    H5Pclose(links);
    H5Sclose(space);
}

int main(int argc, char **argv)
{
    hid_t file =
        argc == 2 ? H5Fcreate(argv[1], H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)
                  : -1;

    if (file < 0)
        return EXIT_FAILURE;
    fill();
    put(file, "/A", H5T_IEEE_F64LE, 2, N, N);
    put(file, "/group/single", H5T_IEEE_F32BE, 2, N, N);
    put(file, "/wide", H5T_IEEE_F64LE, 2, N / 2, N);
    put(file, "/line", H5T_IEEE_F64LE, 1, N, 0);
    put(file, "/text", H5T_C_S1, 2, N, N);
    a[BAD_NEGATIVE][BAD_NEGATIVE] = -1.0;
    put(file, "/negative", H5T_IEEE_F64LE, 2, N, N);
    fill();
    a[BAD_NAN][BAD_NAN] = (double)NAN;
    put(file, "/nan", H5T_IEEE_F64LE, 2, N, N);
    return H5Fclose(file) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
