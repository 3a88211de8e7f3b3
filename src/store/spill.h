/* spill.h - objects in files: HDF5, so that people can look at them.
 *
 * A spill is a job's directory in each of the directories that the user names,
 * and files in them.  A file has many objects: one dataset each, of the
 * object's own type and dimensions (plain bytes: uint8), named by its task and
 * number, with attributes that say who made it.  Files are written once, from
 * one end to the other, and closed; closed files can be read by anybody's HDF5,
 * while the job lives and after it died.  A file goes when its last object
 * does; before that the space of a dead object is given back to the disk where
 * it is (a hole).
 *
 * HDF5 makes the datasets, contiguous, their space allocated early and never
 * filled; the bytes are written and read with pwrite and pread at their place
 * in the file, so that reading back needs no HDF5.  Every piece of an object has
 * an xxHash (XXH3, 64 bits), taken while it is written, with which whatever is
 * read of it is compared.  One of all of them is an attribute, of the form
 * XXH3_x if the object is one piece, of 1 MiB or less, else XXHM_x: XXH3 of the
 * hashes of its pieces, 8 bytes each as the machine has them.  So HDF5 has the
 * file open, and locked, until the bytes are there, and what a killed job has
 * left half written cannot be taken for a file.  With deflate > 0 datasets are
 * chunked and compressed by HDF5, which then reads them as well.
 *
 * HDF5 has a state of its own for a process, which the user's code may use at
 * the same time, from other threads: so the library in the process must be
 * thread-safe, and of the version that this was built with.
 *
 * Threads: writing and reading block for as long as the disk does, so the
 * caller has threads for it.  Any thread may call; each writer writes a file of
 * its own at a time.
 */
#ifndef TG_STORE_SPILL_H
#define TG_STORE_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <trygon/types.h>

#include "base/log.h"
#include "base/settings.h"

struct tg_spill;

struct tg_spill_opts {
    const char *dirs; /* separated by ':'; NULL or "": the first that there is
                         of $SLURM_TMPDIR, $TMPDIR and /tmp */
    int deflate;      /* 0 to 9 */
    uint64_t job;     /* of all ranks of a run the same, and random */
    int32_t rank;
    uint64_t file_min;     /* bytes after which a file is closed; 0: 100 MB */
    uint32_t disk_percent; /* a disk that is fuller is full; 0: 95 */
    tg_getenv_fn env;      /* for the defaults; NULL: getenv() */
    void *env_arg;
    const struct tg_log *log; /* kept; NULL: says nothing */
};

/* Take note of the directories; nothing is made before something is written.
 * Stale ones, of dead jobs of this user, are removed now: those whose lock
 * nobody holds, unless there is a file in them that is none of ours, which is
 * told.  Errors: INVALID (deflate; a directory that is none, with its name in
 * why); UNSUPPORTED (HDF5 is not thread-safe, or not the one of the build): then
 * there is a spill all the same, which has room for mapped files, and whose
 * tg_spill_write() has this error. */
int tg_spill_create(const struct tg_spill_opts *opts, struct tg_spill **spill,
                    char *why, size_t nwhy);
/* Removes this rank's files, and the job's directory with the last of them. */
void tg_spill_destroy(struct tg_spill **spill);

/* Where an object is. */
struct tg_spilled {
    uint32_t file; /* 0: nowhere */
    uint64_t at;   /* of its first byte in the file; deflated: unused */
    uint64_t size;
    uint64_t hash;   /* of all its pieces */
    uint64_t first;  /* of its pieces, among those of the file */
    uint32_t number; /* of the dataset in its file */
};

struct tg_spill_item { /* in: what to write; out: rc, where */
    const void *data;
    uint64_t size;
    int32_t type, ndim;
    const int64_t *dims;
    trygon_ref_t ref; /* attributes: ref, owner, function, task */
    int32_t owner;
    const char *function; /* that made it, or "put" */
    uint64_t task;
    int rc;
    struct tg_spilled where;
};

/* Write n objects, in one file or several, each closed before this returns.  An
 * object whose size does not follow from its type and dims becomes plain bytes.
 * Items fail alone: IO, DISK_FULL, with the first reason in why.  A directory
 * that fails is left out from then on as long as another is left; a full one is
 * asked again.  Returns the worst of the items' codes: IO, then DISK_FULL; or
 * UNSUPPORTED. */
int tg_spill_write(struct tg_spill *s, uint32_t n, struct tg_spill_item items[],
                   char *why, size_t nwhy);
/* Read `n` bytes from byte `from` of the object, and compare all pieces that
 * these are in with their hashes: best from a multiple of 1 MiB to another, or
 * to the end.  Errors: NOMEM; IO (also: damaged), with a line in why. */
int tg_spill_read(struct tg_spill *s, const struct tg_spilled *where,
                  uint64_t from, uint64_t n, void *out, char *why, size_t nwhy);
/* The object is dead, and nobody reads it.  Deflated ones give their space back
 * with their file only. */
void tg_spill_forget(struct tg_spill *s, const struct tg_spilled *where);

/* The job's directory for mapped files of the arena: one that has room for n
 * bytes, until the spill is destroyed; NULL: none has.  A file of a name that
 * begins with "map" is taken for one of these and removed with the rest. */
const char *tg_spill_room(struct tg_spill *s, uint64_t n);
/* Could one have, if its disk were empty? */
bool tg_spill_could(const struct tg_spill *s, uint64_t n);
uint64_t tg_spill_files(struct tg_spill *s); /* that exist now */

#endif
