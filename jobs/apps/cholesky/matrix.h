/* matrix.h - matrices in HDF5 files, by tiles.  Knows no task. */
#ifndef CHOLESKY_MATRIX_H
#define CHOLESKY_MATRIX_H

#include <hdf5.h>

#include "common/fault.h"
#include "tiling.h"

/* An open dataset: a square matrix. */
struct matrix {
    char path[4096];
    hid_t file, set;
    int64_t n;
};

/* where is FILE or FILE:/dataset, without one /A.  The faults: no such file, no
 * HDF5, no such dataset, not two dimensions, not square, not of numbers. */
int matrix_open(struct matrix *m, const char *where, struct fault *fault);

/* A new file, written over path, with a dataset /L that is 0 where no tile will
 * be written. */
int matrix_create(struct matrix *m, const char *path,
                  const struct tiling *tiling, struct fault *fault);

/* A tile's bytes, of doubles whatever the file has. */
int matrix_read(const struct matrix *m, const struct tiling *tiling, int32_t i,
                int32_t j, double *to, struct fault *fault);
int matrix_write(const struct matrix *m, const struct tiling *tiling, int32_t i,
                 int32_t j, const double *from, struct fault *fault);

/* Closed already: fine.  The last bytes of a file go out here. */
int matrix_close(struct matrix *m, struct fault *fault);

#endif
