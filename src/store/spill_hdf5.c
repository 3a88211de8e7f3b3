/* spill_hdf5.c - the inside of spilled files.  The only file that calls HDF5.
 *
 * The user's code calls HDF5 too, from other threads.  What it could notice of
 * us: the library's lock, which is held for a dataset's making but never while
 * bytes of ours go to the disk (deflated: for a chunk at a time); and the
 * thread's error report, which is switched off for our calls and then put back.
 * Nothing here changes what belongs to the process: every property is in a list
 * of our own, and every id is closed by us.
 *
 * HDF5's and our own writes.  Between tg_h5_create() and tg_h5_close() the
 * caller writes the datasets' bytes behind HDF5's back.  HDF5 gathers metadata
 * in a buffer, which may take in neighbouring bytes when it reads and write
 * them back later: so everything is flushed, and the buffer empty, before the
 * first byte of ours; what is read into it later is what we wrote.
 *
 * The format is that of 1.10: it marks a file that is open for writing, so that
 * HDF5 refuses one whose writer was killed.  While it writes, HDF5 locks the
 * file as well (with HDF5_USE_FILE_LOCKING=FALSE it does not): nothing here
 * needs that.
 */
#include "store/spill_impl.h"

#include <errno.h>
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>

#include "base/assert.h"
#include "base/mem.h"
#include "core/types.h"

enum {
    NAME = 48,
    HASH_TEXT = 21, /* of a hash, without a NUL */
    ALIGN = 4096,   /* of large datasets: what a hole can give back */
    META_BLOCK = 64 * 1024
};

struct tg_h5 {
    char *path;
    uint32_t n;
    hid_t file, plain, packed; /* the last two: lists of properties */
    hid_t scalar, text;        /* shape of all attributes, type of the hash */
    hid_t *sets, *hashes;      /* per item: the dataset, an attribute */
};

/* ----- errors ------------------------------------------------------------- */

struct reason {
    char text[TG_SPILL_WHY];
    int error_number; /* the system's */
};

/* The first is the one that knows best; the system's number is in a text. */
static herr_t note(unsigned n, const H5E_error2_t *e, void *arg)
{
    struct reason *r = arg;
    const char *number = e->desc != NULL ? strstr(e->desc, "errno = ") : NULL;
    if (n == 0 && e->desc != NULL)
        snprintf(r->text, sizeof r->text, "%s", e->desc);
    if (number != NULL && r->error_number == 0)
        r->error_number = atoi(number + strlen("errno = "));
    return 0;
}

/* HDF5 calls it when a call fails, instead of printing: the next call would
 * clear what it knows. */
static herr_t keep(hid_t stack, void *arg)
{
    struct reason *r = arg;
    return r->text[0] == '\0' ? H5Ewalk2(stack, H5E_WALK_UPWARD, note, r) : 0;
}

static int failed(const struct reason *r, const char *path, char *why,
                  size_t nwhy)
{
    const char *text = r->text[0] != '\0' ? r->text : "failed";
    snprintf(why, nwhy, "%s: HDF5: %s", path,
             r->error_number != 0 ? strerror(r->error_number) : text);
    return tg_spill_code(r->error_number);
}

/* The statement, with the first reason of a failure in r_; H5E_BEGIN_TRY opens
 * a block, which H5E_END_TRY closes, and sees to older ways of reporting. */
#define QUIETLY(r_, statement_)                      \
    H5E_BEGIN_TRY                                    \
    {                                                \
        (void)H5Eset_auto2(H5E_DEFAULT, keep, (r_)); \
        statement_;                                  \
        (void)H5Eclear2(H5E_DEFAULT);                \
    }                                                \
    H5E_END_TRY

int tg_h5_check(char *why, size_t nwhy)
{
    /* First of all: with another version the first macro of its headers would
     * end the process. */
    unsigned major = 0, minor = 0, release = 0;
    hbool_t safe = false;
    if (H5get_libversion(&major, &minor, &release) < 0 ||
        major != H5_VERS_MAJOR || minor != H5_VERS_MINOR ||
        release != H5_VERS_RELEASE) {
        snprintf(why, nwhy,
                 "spilling needs HDF5 %d.%d.%d, which trygon was built with; "
                 "this program has %u.%u.%u",
                 H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE, major, minor,
                 release);
        return TRYGON_ERR_UNSUPPORTED;
    }
    if (H5is_library_threadsafe(&safe) < 0 || !safe) {
        snprintf(why, nwhy,
                 "spilling needs a thread-safe HDF5; the one in this program "
                 "is not (a parallel one never is: link the serial one)");
        return TRYGON_ERR_UNSUPPORTED;
    }
    return TRYGON_SUCCESS;
}

/* ----- ids and types --------------------------------------------------------------- */

/* Ids below 0 are none. */
static void close_id(hid_t *id, herr_t (*close_it)(hid_t))
{
    if (*id >= 0)
        (void)close_it(*id);
    *id = -1;
}

/* As h5py does. */
static hid_t make_complex(size_t size, hid_t part)
{
    hid_t t = H5Tcreate(H5T_COMPOUND, size);
    if (t >= 0 && (H5Tinsert(t, "r", 0, part) < 0 ||
                   H5Tinsert(t, "i", size / 2, part) < 0))
        close_id(&t, H5Tclose);
    return t;
}

static hid_t make_type(int32_t type)
{
    switch (type) {
    case TRYGON_BYTE:
    case TRYGON_UINT8: return H5Tcopy(H5T_NATIVE_UINT8);
    case TRYGON_INT8: return H5Tcopy(H5T_NATIVE_INT8);
    case TRYGON_INT16: return H5Tcopy(H5T_NATIVE_INT16);
    case TRYGON_UINT16: return H5Tcopy(H5T_NATIVE_UINT16);
    case TRYGON_INT32: return H5Tcopy(H5T_NATIVE_INT32);
    case TRYGON_UINT32: return H5Tcopy(H5T_NATIVE_UINT32);
    case TRYGON_INT64: return H5Tcopy(H5T_NATIVE_INT64);
    case TRYGON_UINT64: return H5Tcopy(H5T_NATIVE_UINT64);
    case TRYGON_FLOAT32: return H5Tcopy(H5T_NATIVE_FLOAT);
    case TRYGON_FLOAT64: return H5Tcopy(H5T_NATIVE_DOUBLE);
    case TRYGON_COMPLEX64: return make_complex(8, H5T_NATIVE_FLOAT);
    case TRYGON_COMPLEX128: return make_complex(16, H5T_NATIVE_DOUBLE);
    default: TG_UNREACHABLE();
    }
}

/* ----- making a file ------------------------------------------------------ */

static hid_t text_type(size_t n)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    if (t >= 0 && (H5Tset_size(t, n > 0 ? n : 1) < 0 ||
                   H5Tset_strpad(t, H5T_STR_NULLPAD) < 0))
        close_id(&t, H5Tclose);
    return t;
}

/* An attribute, with its value or to be written later; below 0: failed. */
static hid_t add(struct tg_h5 *f, hid_t set, const char *name, hid_t type,
                 const void *value)
{
    hid_t a = H5Acreate2(set, name, type, f->scalar, H5P_DEFAULT, H5P_DEFAULT);
    if (a >= 0 && value != NULL && H5Awrite(a, type, value) < 0)
        close_id(&a, H5Aclose);
    return a;
}

static bool add_value(struct tg_h5 *f, hid_t set, const char *name, hid_t type,
                      const void *value)
{
    hid_t a = add(f, set, name, type, value);
    return a >= 0 && H5Aclose(a) >= 0;
}

static bool add_text(struct tg_h5 *f, hid_t set, const char *name,
                     const char *text)
{
    hid_t type = text_type(strlen(text));
    bool good = type >= 0 && add_value(f, set, name, type, text);
    close_id(&type, H5Tclose);
    return good;
}

/* All but the hash, which gets its place. */
static bool add_attributes(struct tg_h5 *f, uint32_t i,
                           const struct tg_spill_item *it)
{
    char ref[64];
    snprintf(ref, sizeof ref, "%" PRId32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32,
             tg_ref_rank(it->ref), (uint32_t)it->ref.lo,
             (uint32_t)(it->ref.lo >> 32), tg_ref_index(it->ref));
    hid_t set = f->sets[i];
    return add_text(f, set, "function",
                    it->function != NULL ? it->function : "") &&
           add_value(f, set, "task", H5T_NATIVE_UINT64, &it->task) &&
           add_value(f, set, "owner", H5T_NATIVE_INT32, &it->owner) &&
           add_text(f, set, "ref", ref) &&
           (f->hashes[i] = add(f, set, "hash", f->text, NULL)) >= 0;
}

static void as_hsize(int n, const uint64_t from[], hsize_t to[])
{
    for (int i = 0; i < n; i++)
        to[i] = from[i];
}

/* The properties of a dataset: f->packed with chunks for this one. */
static hid_t list_for(struct tg_h5 *f, const struct tg_shape_h5 *s)
{
    uint64_t counts[TRYGON_MAX_DIMS];
    hsize_t chunk[TRYGON_MAX_DIMS];
    if (f->packed < 0 || !tg_shape_has_pieces(s))
        return f->plain;
    struct tg_pieces p = tg_shape_cut(s);
    (void)tg_piece_at(s, &p, 0, NULL, counts);
    as_hsize(s->ndim, counts, chunk);
    return H5Pset_chunk(f->packed, s->ndim, chunk) >= 0 ? f->packed : -1;
}

static hid_t space_for(const struct tg_shape_h5 *s)
{
    hsize_t dims[TRYGON_MAX_DIMS];
    as_hsize(s->ndim, s->dims, dims);
    return s->ndim == 0 ? H5Screate(H5S_SCALAR)
                        : H5Screate_simple(s->ndim, dims, NULL);
}

static bool add_set(struct tg_h5 *f, uint32_t i, struct tg_spill_item *it)
{
    struct tg_shape_h5 s = tg_spill_shape_of(it);
    char name[NAME];
    snprintf(name, sizeof name, "%04" PRIu32 ".task%" PRIu64, i, it->task);
    hid_t type = make_type(s.type), list = list_for(f, &s);
    hid_t space = space_for(&s);
    if (type >= 0 && space >= 0 && list >= 0)
        f->sets[i] = H5Dcreate2(f->file, name, type, space, H5P_DEFAULT, list,
                                H5P_DEFAULT);
    close_id(&type, H5Tclose);
    close_id(&space, H5Sclose);
    if (f->sets[i] < 0 || !add_attributes(f, i, it))
        return false;

    it->where.number = i;
    it->where.at = 0;
    if (f->packed >= 0)
        return true;
    if (it->size > 0) {
        haddr_t at = H5Dget_offset(f->sets[i]);
        if (at == HADDR_UNDEF)
            return false;
        it->where.at = at;
    }
    close_id(&f->sets[i], H5Dclose); /* the attribute keeps what it needs */
    return true;
}

static bool make_lists(struct tg_h5 *f, int deflate)
{
    f->plain = H5Pcreate(H5P_DATASET_CREATE);
    f->scalar = H5Screate(H5S_SCALAR);
    f->text = text_type(HASH_TEXT);
    if (f->plain < 0 || f->scalar < 0 || f->text < 0 ||
        H5Pset_alloc_time(f->plain, H5D_ALLOC_TIME_EARLY) < 0 ||
        H5Pset_fill_time(f->plain, H5D_FILL_TIME_NEVER) < 0)
        return false;
    if (deflate == 0)
        return true;
    f->packed = H5Pcreate(H5P_DATASET_CREATE);
    return f->packed >= 0 &&
           H5Pset_fill_time(f->packed, H5D_FILL_TIME_NEVER) >= 0 &&
           H5Pset_shuffle(f->packed) >= 0 &&
           H5Pset_deflate(f->packed, (unsigned)deflate) >= 0;
}

/* The system's file must not live on in what the user's code starts, nor be
 * read by others. */
static void keep_private(hid_t file)
{
    int *fd = NULL;
    void *at = NULL;
    if (H5Fget_vfd_handle(file, H5P_DEFAULT, &at) < 0 || (fd = at) == NULL)
        return;
    (void)fcntl(*fd, F_SETFD, FD_CLOEXEC);
    (void)fchmod(*fd, 0600);
}

/* Made, or opened for reading.  HDF5 makes the file itself: one that it empties
 * ext4 writes to the disk as soon as it is closed. */
static hid_t open_file(const char *path, bool make)
{
    hid_t file = -1, list = H5Pcreate(H5P_FILE_ACCESS);
    bool good = list >= 0 && H5Pset_fapl_sec2(list) >= 0;
    if (good && !make)
        file = H5Fopen(path, H5F_ACC_RDONLY, list);
    else if (good &&
             H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110) >=
                 0 &&
             H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) >= 0 &&
             H5Pset_alignment(list, ALIGN, ALIGN) >= 0 &&
             H5Pset_meta_block_size(list, META_BLOCK) >= 0)
        file = H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, list);
    close_id(&list, H5Pclose);
    if (file >= 0)
        keep_private(file);
    return file;
}

static bool create(struct tg_h5 *f, int deflate, struct tg_spill_item items[])
{
    if ((f->file = open_file(f->path, true)) < 0 || !make_lists(f, deflate))
        return false;
    for (uint32_t i = 0; i < f->n; i++)
        if (!add_set(f, i, &items[i]))
            return false;
    return deflate > 0 || H5Fflush(f->file, H5F_SCOPE_LOCAL) >= 0;
}

static struct tg_h5 *new_file(const char *path, uint32_t n)
{
    struct tg_h5 *f = tg_alloc(sizeof *f);
    f->path = tg_strdup(path);
    f->n = n;
    f->file = f->plain = f->packed = f->scalar = f->text = -1;
    f->sets = tg_grow(NULL, n, sizeof *f->sets);
    f->hashes = tg_grow(NULL, n, sizeof *f->hashes);
    for (uint32_t i = 0; i < n; i++)
        f->sets[i] = f->hashes[i] = -1;
    return f;
}

int tg_h5_create(const char *path, int deflate, uint32_t n,
                 struct tg_spill_item items[], struct tg_h5 **out, char *why,
                 size_t nwhy)
{
    bool good;
    struct reason reason = {0};
    struct tg_h5 *f = new_file(path, n);
    QUIETLY(&reason, good = create(f, deflate, items))
    *out = f;
    return good ? TRYGON_SUCCESS : failed(&reason, path, why, nwhy);
}

/* ----- its end ------------------------------------------------------------ */

/* All but the file. */
static void close_ids(struct tg_h5 *f)
{
    for (uint32_t i = 0; i < f->n; i++) {
        close_id(&f->hashes[i], H5Aclose);
        close_id(&f->sets[i], H5Dclose);
    }
    close_id(&f->plain, H5Pclose);
    close_id(&f->packed, H5Pclose);
    close_id(&f->scalar, H5Sclose);
    close_id(&f->text, H5Tclose);
}

static bool write_hash(const struct tg_h5 *f, uint32_t i,
                       const struct tg_spill_item *it)
{
    char text[HASH_TEXT + 1];
    bool one = it->size <= TG_SPILL_PIECE; /* xxhsum -H3 prints it like this */
    snprintf(text, sizeof text, "%s_%016" PRIx64, one ? "XXH3" : "XXHM",
             it->where.hash);
    return H5Awrite(f->hashes[i], f->text, text) >= 0;
}

static bool finish(struct tg_h5 *f, const struct tg_spill_item items[])
{
    for (uint32_t i = 0; i < f->n; i++)
        if (!write_hash(f, i, &items[i]))
            return false;
    /* Before anything is closed: what cannot be written is still whole. */
    if (H5Fflush(f->file, H5F_SCOPE_LOCAL) < 0)
        return false;
    close_ids(f);
    if (H5Fclose(f->file) < 0)
        return false;
    f->file = -1;
    return true;
}

static void drop(struct tg_h5 *f)
{
    close_ids(f);
    close_id(&f->file, H5Fclose);
}

void tg_h5_drop(struct tg_h5 **file)
{
    struct tg_h5 *f = *file;
    *file = NULL;
    if (f == NULL)
        return;
    struct reason reason = {0};
    QUIETLY(&reason, drop(f))
    free(f->sets);
    free(f->hashes);
    free(f->path);
    free(f);
}

int tg_h5_close(struct tg_h5 **f, const struct tg_spill_item items[], char *why,
                size_t nwhy)
{
    bool good;
    struct reason reason = {0};
    QUIETLY(&reason, good = finish(*f, items))
    if (!good)
        return failed(&reason, (*f)->path, why, nwhy);
    tg_h5_drop(f);
    return TRYGON_SUCCESS;
}

/* ----- deflated ----------------------------------------------------------- */

/* A dataset, and how its bytes move between it and memory. */
struct window {
    hid_t set, type, file; /* the last: the file's dataspace */
    struct tg_shape_h5 shape;
    struct tg_pieces pieces;
    bool in_pieces; /* else it is empty, or one element */
};

/* Of w->set, which it closes in the end. */
static bool open_window(struct window *w)
{
    hsize_t dims[TRYGON_MAX_DIMS];
    w->type = H5Dget_type(w->set);
    w->file = H5Dget_space(w->set);
    if (w->type < 0 || w->file < 0)
        return false;
    w->shape.element = H5Tget_size(w->type);
    w->shape.ndim = H5Sget_simple_extent_ndims(w->file);
    if (w->shape.element == 0 || w->shape.ndim < 0 ||
        w->shape.ndim > TRYGON_MAX_DIMS ||
        H5Sget_simple_extent_dims(w->file, dims, NULL) < 0)
        return false;
    for (int i = 0; i < w->shape.ndim; i++)
        w->shape.dims[i] = dims[i];
    w->in_pieces = tg_shape_has_pieces(&w->shape);
    if (w->in_pieces)
        w->pieces = tg_shape_cut(&w->shape);
    else
        w->pieces = (struct tg_pieces){.n = w->shape.ndim == 0};
    return true;
}

static void close_window(struct window *w)
{
    close_id(&w->file, H5Sclose);
    close_id(&w->type, H5Tclose);
    close_id(&w->set, H5Dclose);
}

/* Selects piece p in the file; returns how many elements it has, 0: failed. */
static hsize_t select_piece(const struct window *w, uint64_t p)
{
    uint64_t from[TRYGON_MAX_DIMS], counts[TRYGON_MAX_DIMS];
    hsize_t start[TRYGON_MAX_DIMS], count[TRYGON_MAX_DIMS];
    if (!w->in_pieces)
        return 1;
    uint64_t n = tg_piece_at(&w->shape, &w->pieces, p, from, counts);
    as_hsize(w->shape.ndim, from, start);
    as_hsize(w->shape.ndim, counts, count);
    return H5Sselect_hyperslab(w->file, H5S_SELECT_SET, start, NULL, count,
                               NULL) >= 0
               ? n
               : 0;
}

/* One of from and to is NULL. */
static bool move_piece(const struct window *w, uint64_t p, const void *from,
                       void *to)
{
    hsize_t n = select_piece(w, p);
    hid_t memory = n > 0 ? H5Screate_simple(1, &n, NULL) : -1;
    herr_t rc = -1;
    if (memory < 0)
        return false;
    if (from != NULL)
        rc = H5Dwrite(w->set, w->type, memory, w->file, H5P_DEFAULT, from);
    else
        rc = H5Dread(w->set, w->type, memory, w->file, H5P_DEFAULT, to);
    H5Sclose(memory);
    return rc >= 0;
}

static bool write_pieces(const struct window *w, const unsigned char *data)
{
    for (uint64_t p = 0; p < w->pieces.n; p++) {
        struct tg_run r = tg_piece_run(&w->shape, &w->pieces, p);
        if (!move_piece(w, p, data + r.from, NULL))
            return false;
    }
    return true;
}

static bool deflate(struct tg_h5 *f, struct tg_spill_item *it)
{
    struct window w = {
        .set = f->sets[it->where.number], .type = -1, .file = -1};
    f->sets[it->where.number] = -1;
    bool good = open_window(&w) && write_pieces(&w, it->data) &&
                H5Dflush(w.set) >= 0; /* closing it tells too late */
    close_window(&w);
    return good;
}

int tg_h5_deflate(struct tg_h5 *f, struct tg_spill_item *item, char *why,
                  size_t nwhy)
{
    bool good;
    struct reason reason = {0};
    QUIETLY(&reason, good = deflate(f, item))
    return good ? TRYGON_SUCCESS : failed(&reason, f->path, why, nwhy);
}

/* The dataset of that number: their names begin with it. */
static hid_t open_number(hid_t file, uint32_t number)
{
    char name[NAME];
    if (H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, number, name,
                           sizeof name, H5P_DEFAULT) < 0)
        return -1;
    return H5Dopen2(file, name, H5P_DEFAULT);
}

/* What of the bytes [from, from + n) is in piece p, through a buffer unless
 * that is all of it. */
static bool read_piece(const struct window *w, uint64_t p, uint64_t from,
                       uint64_t n, unsigned char *out)
{
    struct tg_run r = tg_piece_run(&w->shape, &w->pieces, p);
    if (r.from + r.n <= from || from + n <= r.from)
        return true;
    if (r.from >= from && r.from + r.n <= from + n)
        return move_piece(w, p, NULL, out + (r.from - from));
    unsigned char *all = tg_alloc(r.n);
    uint64_t lo = r.from > from ? r.from : from;
    uint64_t hi = r.from + r.n < from + n ? r.from + r.n : from + n;
    bool good = move_piece(w, p, NULL, all);
    if (good)
        memcpy(out + (lo - from), all + (lo - r.from), hi - lo);
    free(all);
    return good;
}

static bool inflate(const char *path, const struct tg_spilled *where,
                    uint64_t from, uint64_t n, void *out)
{
    struct window w = {.set = -1, .type = -1, .file = -1};
    hid_t file = open_file(path, false);
    if (file < 0)
        return false;
    w.set = open_number(file, where->number);
    bool good = w.set >= 0 && open_window(&w);
    for (uint64_t p = 0; good && p < w.pieces.n; p++)
        good = read_piece(&w, p, from, n, out);
    close_window(&w);
    close_id(&file, H5Fclose);
    return good;
}

int tg_h5_inflate(const char *path, const struct tg_spilled *where,
                  uint64_t from, uint64_t n, void *out, char *why, size_t nwhy)
{
    bool good;
    struct reason reason = {0};
    QUIETLY(&reason, good = inflate(path, where, from, n, out))
    if (good)
        return TRYGON_SUCCESS;
    (void)failed(&reason, path, why, nwhy);
    return TRYGON_ERR_IO;
}
