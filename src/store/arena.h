/* arena.h - the memory of stores: one arena a rank, read by the ranks of its
 * node in place.
 *
 * An arena is shared memory without a name (base/shm.h): a header, a table with
 * a line for each blob, and space for their bytes, sparse and much larger than
 * the store may become, so that holes between blobs cost no memory.  Only the
 * rank that made it allocates in it; all ranks of the node pin and read.
 *
 * A blob is named by a handle that no other blob ever has: slot in the lower 32
 * bits, generation in the upper ones, as slab handles are (base/slab.h).
 *
 *     EMPTY -> FILLING -> SEALED -> EMPTY     (and EMPTY -> FILLING again)
 *
 * Pins.  Each rank of the node has a row of counters, one a slot, that only it
 * changes.  A reader raises its counter and then looks whether the blob is
 * still there; who takes the memory away first says so in the line and then
 * looks at the counters (in the one order of all such steps): one of them sees
 * the other.  What a dead rank had pinned is its row, which is left out from
 * then.  A pin waits for nobody: not for the maker either, alive or dead.
 *
 * Memory.  What has been freed stays warm, and is used again first; what is in
 * use and what is warm together are not more than the limit, unless what is in
 * use alone is.  Each size has a grain, 1/16 of it at most, to which it is rounded
 * up: 64 bytes, a page from 16 pages on, 2 MiB from 32 MiB on.
 *
 * Threads: pin and unpin, and the making and dropping of files, from any thread;
 * everything else by one thread at a time.
 */
#ifndef TG_STORE_ARENA_H
#define TG_STORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shm.h"

struct tg_arena;
struct tg_arena_file;

/* Room for `limit` bytes of blobs in up to nslots (a power of two) lines, to be
 * pinned by its maker and by `nreaders` other ranks of the node, which number
 * themselves from 0.  Address space is several times the limit, but never more
 * than fits when all ranks of the node have such an arena.
 * Errors: as tg_shm_create(), NOMEM. */
int tg_arena_create(uint64_t limit, uint32_t nslots, int32_t nreaders,
                    struct tg_arena **arena, struct tg_shm_offer *offer,
                    char *why, size_t nwhy);
/* Look into another's, as reader number `reader`, of which there is one only:
 * the sizes must be the same.  Errors: as tg_shm_open(), NOMEM. */
int tg_arena_open(const struct tg_shm_offer *offer, uint64_t limit,
                  uint32_t nslots, int32_t nreaders, int32_t reader,
                  struct tg_arena **arena, char *why, size_t nwhy);
/* Nothing may be pinned by this process.  NULL stays NULL. */
void tg_arena_close(struct tg_arena **arena);

/* ----- by its maker ------------------------------------------------------- */

/* Memory for the blob, FILLING: aligned to 64 bytes, of any content, and not
 * touched.  The slot must be EMPTY.  The caller sees to the limit; if warm
 * memory is in its way, it goes back to the system.  NULL: no hole is large
 * enough. */
void *tg_arena_alloc(struct tg_arena *a, uint64_t handle, uint64_t size);
/* The same, but in a file that has been made for it: for when the limit is
 * reached and nothing can be given up.  Other ranks pin it like any. */
void *tg_arena_alloc_file(struct tg_arena *a, uint64_t handle, uint64_t size,
                          const struct tg_arena_file *f);
/* A file whose blob is gone and which nobody has pinned, to be dropped by the
 * caller; false: there is none. */
bool tg_arena_take_file(struct tg_arena *a, struct tg_arena_file *f);
/* It must be FILLING: from now on it can be pinned, and not changed. */
void tg_arena_seal(struct tg_arena *a, uint64_t handle);
/* The bytes stay where they are until unpinned, whatever becomes of the blob:
 * for the system, which reads or writes one that is FILLING or SEALED. */
void tg_arena_hold(struct tg_arena *a, uint64_t handle);
/* Give the memory of a SEALED blob up, unless it is pinned: then nothing has
 * changed and false is returned.  (A blob that had this slot before counts as
 * well: while it is pinned, or somebody tries to pin it.) */
bool tg_arena_evict(struct tg_arena *a, uint64_t handle);
/* Give up one that is FILLING or SEALED whatever happens: nobody can pin it from
 * now on, and when the last pin goes its memory is free (at a later call of
 * alloc, evict, free or trim).  Its slot is EMPTY at once. */
void tg_arena_free(struct tg_arena *a, uint64_t handle);
/* Return pages that no blob uses to the system until at most `keep` bytes of
 * them are left; returns how many are, which between small blobs may be more. */
uint64_t tg_arena_trim(struct tg_arena *a, uint64_t keep);
/* Bytes that are in use, or warm: what the system has here at most. */
uint64_t tg_arena_resident(const struct tg_arena *a);
/* That reader is dead.  Its number is not used again. */
void tg_arena_reader_gone(struct tg_arena *a, int32_t reader);
/* Where it is, whatever its state, for its maker; NULL: it has no memory. */
void *tg_arena_data(const struct tg_arena *a, uint64_t handle);

/* ----- files: any thread, for it may take long ------------------------------ */

struct tg_arena_file {
    void *at; /* where it is mapped */
    uint64_t size, dev, inode;
    int fd;
};

/* In dir, mapped, without a name, with its disk space reserved.  Errors: IO
 * (with a line in why). */
int tg_arena_file_make(const char *dir, uint64_t size, struct tg_arena_file *f,
                       char *why, size_t nwhy);
void tg_arena_file_drop(const struct tg_arena_file *f);

/* ----- by any rank of the node --------------------------------------------- */

/* The bytes stay where they are until unpinned.  NULL: it is not (or not any
 * more) SEALED in memory, or its file cannot be opened.  Takes no lock and makes
 * no system call, except for the first look at a blob in a file of its own.  In
 * other processes than the maker's the bytes are write-protected. */
const void *tg_arena_pin(struct tg_arena *a, uint64_t handle);
void tg_arena_unpin(struct tg_arena *a, uint64_t handle);
/* Of all that live, the maker too (a reader counts those of the dead as well);
 * 0 for what has no memory.  They are counted by slot: see evict. */
uint64_t tg_arena_pins(const struct tg_arena *a, uint64_t handle);

#endif
