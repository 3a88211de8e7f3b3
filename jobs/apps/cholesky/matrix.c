/* matrix.c - see matrix.h. */
#include "matrix.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_IN "/A"
#define OUT "/L"

static const struct matrix closed = {.file = H5I_INVALID_HID,
                                     .set = H5I_INVALID_HID};

/* ---- reading ----------------------------------------------------------- */

/* FILE may have a colon itself: the last one before a slash counts, unless
 * there is a file of the whole name. */
static int split(struct matrix *m, const char *where, const char **set,
                 struct fault *fault)
{
    if (snprintf(m->path, sizeof m->path, "%s", where) >= (int)sizeof m->path)
        return fault_set(fault, "--in: a name of more than %zu bytes",
                         sizeof m->path - 1);
    *set = DEFAULT_IN;
    if (access(where, F_OK) == 0)
        return 0;
    for (size_t i = strlen(where); i-- > 1;)
        if (where[i - 1] == ':' && where[i] == '/') {
            m->path[i - 1] = '\0';
            *set = &where[i];
            break;
        }
    return 0;
}

static int check_shape(struct matrix *m, const char *name, struct fault *fault)
{
    hid_t space = H5Dget_space(m->set), type = H5Dget_type(m->set);
    hsize_t dims[H5S_MAX_RANK] = {0};
    int ndim = H5Sget_simple_extent_dims(space, dims, NULL);
    H5T_class_t class = H5Tget_class(type);

    H5Sclose(space);
    H5Tclose(type);
    if (class != H5T_FLOAT && class != H5T_INTEGER)
        return fault_set(fault, "%s:%s: is not of numbers", m->path, name);
    if (ndim != 2)
        return fault_set(fault, "%s:%s: has %d dimensions; expected 2", m->path,
                         name, ndim);
    if (dims[0] != dims[1] || dims[0] == 0 || dims[0] > INT32_MAX)
        return fault_set(fault,
                         "%s:%s: has %llu rows and %llu columns; expected a "
                         "square matrix",
                         m->path, name, (unsigned long long)dims[0],
                         (unsigned long long)dims[1]);
    m->n = (int64_t)dims[0];
    return 0;
}

/* Links on the way may be missing as well, which H5Lexists() does not like. */
static bool has_set(hid_t file, const char *name)
{
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);

    if (set < 0)
        return false;
    H5Dclose(set);
    return true;
}

int matrix_open(struct matrix *m, const char *where, struct fault *fault)
{
    const char *name;

    *m = closed;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* one line, and it is ours */
    if (split(m, where, &name, fault) != 0)
        return -1;
    if (access(m->path, R_OK) != 0)
        return fault_set(fault, "%s: cannot be read: %s", m->path,
                         strerror(errno));
    m->file = H5Fopen(m->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (m->file < 0)
        return fault_set(fault, "%s: is no HDF5 file", m->path);
    if (!has_set(m->file, name)) {
        matrix_close(m, fault);
        return fault_set(fault, "%s: has no dataset %s", m->path, name);
    }
    m->set = H5Dopen2(m->file, name, H5P_DEFAULT);
    if (check_shape(m, name, fault) != 0) {
        struct fault ignored;
        matrix_close(m, &ignored);
        return -1;
    }
    return 0;
}

/* ---- writing ----------------------------------------------------------- */

/* In chunks of a tile: those that are never written take no room. */
static hid_t create_set(hid_t file, const struct tiling *tiling)
{
    const hsize_t dims[2] = {(hsize_t)tiling->n, (hsize_t)tiling->n};
    const hsize_t chunk[2] = {(hsize_t)tiling->side, (hsize_t)tiling->side};
    hid_t space = H5Screate_simple(2, dims, NULL);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), set = H5I_INVALID_HID;

    if (space >= 0 && list >= 0 && H5Pset_chunk(list, 2, chunk) >= 0)
        set = H5Dcreate2(file, OUT, H5T_IEEE_F64LE, space, H5P_DEFAULT, list,
                         H5P_DEFAULT);
    if (list >= 0)
        H5Pclose(list);
    if (space >= 0)
        H5Sclose(space);
    return set;
}

int matrix_create(struct matrix *m, const char *path,
                  const struct tiling *tiling, struct fault *fault)
{
    *m = closed;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    snprintf(m->path, sizeof m->path, "%s", path);
    m->n = tiling->n;
    m->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (m->file >= 0)
        m->set = create_set(m->file, tiling);
    if (m->set < 0) {
        matrix_close(m, fault);
        return fault_set(fault, "HDF5 could not make %s", OUT);
    }
    return 0;
}

/* ---- tiles ------------------------------------------------------------- */

struct selection {
    hid_t memory, file;
};

static bool choose(const struct matrix *m, const struct tiling *t, int32_t i,
                   int32_t j, struct selection *s)
{
    const hsize_t from[2] = {(hsize_t)(i * t->side), (hsize_t)(j * t->side)};
    const hsize_t count[2] = {(hsize_t)tiling_rows(t, i),
                              (hsize_t)tiling_rows(t, j)};

    s->memory = H5Screate_simple(2, count, NULL);
    s->file = H5Dget_space(m->set);
    return s->memory >= 0 && s->file >= 0 &&
           H5Sselect_hyperslab(s->file, H5S_SELECT_SET, from, NULL, count,
                               NULL) >= 0;
}

static void drop(struct selection *s)
{
    if (s->memory >= 0)
        H5Sclose(s->memory);
    if (s->file >= 0)
        H5Sclose(s->file);
}

int matrix_read(const struct matrix *m, const struct tiling *tiling, int32_t i,
                int32_t j, double *to, struct fault *fault)
{
    struct selection s;
    bool ok = choose(m, tiling, i, j, &s) &&
              H5Dread(m->set, H5T_NATIVE_DOUBLE, s.memory, s.file, H5P_DEFAULT,
                      to) >= 0;

    drop(&s);
    return ok ? 0
              : fault_set(fault, "%s: tile (%d, %d) cannot be read", m->path,
                          (int)i, (int)j);
}

int matrix_write(const struct matrix *m, const struct tiling *tiling, int32_t i,
                 int32_t j, const double *from, struct fault *fault)
{
    struct selection s;
    bool ok = choose(m, tiling, i, j, &s) &&
              H5Dwrite(m->set, H5T_NATIVE_DOUBLE, s.memory, s.file, H5P_DEFAULT,
                       from) >= 0;

    drop(&s);
    return ok ? 0
              : fault_set(fault, "HDF5 could not write tile (%d, %d)", (int)i,
                          (int)j);
}

int matrix_close(struct matrix *m, struct fault *fault)
{
    bool ok = m->set < 0 || H5Dclose(m->set) >= 0;

    ok = (m->file < 0 || H5Fclose(m->file) >= 0) && ok;
    m->file = m->set = H5I_INVALID_HID;
    return ok ? 0 : fault_set(fault, "HDF5 could not write the matrix");
}
