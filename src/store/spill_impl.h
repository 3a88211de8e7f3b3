/* spill_impl.h - what the files of the spill share: see spill.h.
 *
 * spill.c has the files and what lives in them, spill_dir.c the directories;
 * spill_bytes.c moves bytes and compares them; spill_hdf5.c makes the files'
 * inside and is the only one that calls HDF5; spill_shape.c says what an object
 * looks like there.
 */
#ifndef TG_STORE_SPILL_IMPL_H
#define TG_STORE_SPILL_IMPL_H

#include "store/spill.h"

enum { TG_SPILL_WHY = 256 }; /* bytes of a reason that is kept for a while */

/* Writes "what: the system's words" and returns what errno comes to. */
int tg_spill_refused(const char *what, char *why, size_t nwhy);

/* Is that a reason to look for another disk, rather than a failure? */
int tg_spill_code(int error_number);

/* ----- directories (spill_dir.c) ----------------------------------------- */

struct tg_spill_dir {
    char *base;  /* as the user names it, but absolute */
    char *path;  /* the job's directory in it */
    int lock;    /* below 0: not made yet */
    bool failed; /* left out while another is left */
};

/* Errors: INVALID. */
int tg_spilldir_list(const struct tg_spill_opts *opts,
                     struct tg_spill_dir **dirs, uint32_t *n, char *why,
                     size_t nwhy);
/* Make the job's directory unless it is there, and hold its lock.
 * Errors: IO, DISK_FULL. */
int tg_spilldir_enter(struct tg_spill_dir *d, char *why, size_t nwhy);
/* Give the lock back; who is the last removes the directory. */
void tg_spilldir_leave(struct tg_spill_dir *d, const struct tg_log *log);
/* Remove what dead jobs have left in the directory. */
void tg_spilldir_clean(const struct tg_spill_dir *d, const struct tg_log *log);
/* Would n bytes more leave the disk at most so full? */
bool tg_spilldir_room(const struct tg_spill_dir *d, uint64_t n,
                      uint32_t percent);
/* The same of an empty disk. */
bool tg_spilldir_could(const struct tg_spill_dir *d, uint64_t n,
                       uint32_t percent);

/* ----- bytes (spill_bytes.c) ------------------------------------------------ */

/* Every piece of an object has a hash, XXH3 of 64 bits, so that any part of it
 * can be checked alone.  A piece of 1 MiB is still in the cache when it is
 * written after it was hashed, and the parts that other nodes pull are whole
 * numbers of pieces. */
enum { TG_SPILL_PIECE = 1 << 20 };
uint64_t tg_spill_pieces(uint64_t size); /* empty objects have none */
void tg_spill_hash(const void *data, uint64_t size, uint64_t hashes[]);
/* All hashes as one: the only one, or XXH3 of the n of them. */
uint64_t tg_spill_digest(const uint64_t hashes[], uint64_t n);
bool tg_spill_same(const void *data, uint64_t size, const uint64_t hashes[]);
/* False: with errno. */
bool tg_spill_write_bytes(int fd, const void *data, uint64_t size, uint64_t at,
                          uint64_t hashes[]);
/* Whole pieces; stops at the first that is not the same.  False: with errno,
 * which is 0 if the file ends before the bytes do. */
bool tg_spill_read_bytes(int fd, void *out, uint64_t size, uint64_t at,
                         const uint64_t hashes[], bool *same);

/* ----- shapes (spill_shape.c) --------------------------------------------- */

/* An object as HDF5 sees it. */
struct tg_shape_h5 {
    int32_t type;   /* enum trygon_type */
    size_t element; /* bytes */
    int ndim;       /* 0: one element */
    uint64_t dims[TRYGON_MAX_DIMS];
};

/* Plain bytes, when type and dims do not make the size. */
struct tg_shape_h5 tg_spill_shape_of(const struct tg_spill_item *it);

/* Pieces of about 1 MiB that follow each other in memory: ones along the
 * dimensions before `at`, a few along that one, all along those behind. */
struct tg_pieces {
    int at;
    uint64_t rest; /* bytes of a step along `at` */
    uint64_t step; /* of these in a piece */
    uint64_t per;  /* pieces along `at` */
    uint64_t n;    /* in all */
};
/* Empty objects and single elements have none. */
bool tg_shape_has_pieces(const struct tg_shape_h5 *s);
struct tg_pieces tg_shape_cut(const struct tg_shape_h5 *s);
/* Where piece p starts (start may be NULL) and how far it goes; returns its
 * number of elements. */
uint64_t tg_piece_at(const struct tg_shape_h5 *s, const struct tg_pieces *c,
                     uint64_t p, uint64_t start[], uint64_t count[]);
/* Its bytes; of what has no pieces all. */
struct tg_run {
    uint64_t from, n;
};
struct tg_run tg_piece_run(const struct tg_shape_h5 *s,
                           const struct tg_pieces *c, uint64_t p);

/* ----- the inside of a file (spill_hdf5.c) -------------------------------- */

struct tg_h5; /* a file that is being written */

/* May this process call HDF5 from here?  Errors: UNSUPPORTED. */
int tg_h5_check(char *why, size_t nwhy);

/* Errors of all: IO and DISK_FULL, with a line in why. */

/* Datasets for the items, in a new file at path: where.number and, unless
 * deflate > 0, where.at are set.  After an error *out is still to be dropped. */
int tg_h5_create(const char *path, int deflate, uint32_t n,
                 struct tg_spill_item items[], struct tg_h5 **out, char *why,
                 size_t nwhy);
/* The bytes of an item of a deflated file. */
int tg_h5_deflate(struct tg_h5 *f, struct tg_spill_item *item, char *why,
                  size_t nwhy);
/* Add where.hash of each, and close.  After an error it is still to be dropped. */
int tg_h5_close(struct tg_h5 **f, const struct tg_spill_item items[], char *why,
                size_t nwhy);
/* Close what will be removed.  HDF5 keeps a file that it cannot write to the
 * end: so on a full disk give back what the file has first. */
void tg_h5_drop(struct tg_h5 **f);
/* From a deflated file; nothing is compared. */
int tg_h5_inflate(const char *path, const struct tg_spilled *where,
                  uint64_t from, uint64_t n, void *out, char *why, size_t nwhy);

#endif
