/* arena_impl.h - what the files of the arena share. */
#ifndef TG_STORE_ARENA_IMPL_H
#define TG_STORE_ARENA_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "store/arena.h"
#include "store/space.h"

/* A line's state: the lower half of its word, the generation is the upper. */
enum tg_line_state {
    TG_LINE_EMPTY,
    TG_LINE_FILLING,
    TG_LINE_SEALED,
    TG_LINE_EVICTING /* the maker looks whether anybody has pinned it */
};

/* Of one blob, in the shared memory.  What follows the first three is the maker's
 * to change while the word says EMPTY and file is 0: a reader looks at these
 * again after it has read the others. */
struct tg_line {
    _Atomic uint64_t word;
    _Atomic uint64_t file;   /* a number never used again; 0: it has none */
    _Atomic uint32_t doomed; /* blobs that were here, freed and still pinned */
    _Atomic int32_t fd;      /* of the file: its descriptor at the maker */
    _Atomic uint64_t at;     /* from the start of the data */
    _Atomic uint64_t size, dev, inode;
    uint64_t unused;
};

/* A file as this process has it mapped; nothing of it ever changes. */
struct tg_view {
    uint64_t file, size;
    void *at;
    uint32_t slot;
    uint32_t place; /* in tg_arena.viewed: but this */
    int32_t fd;     /* the maker's; else -1 */
};

/* What a blob takes: one of the two, or, if it has no memory, neither. */
struct tg_arena_room {
    struct tg_extent *extent;
    struct tg_view *view;
};

struct tg_doomed {
    struct tg_arena_room room;
    uint32_t slot;
};

/* Blobs of one range of sizes have a space of their own. */
enum { TG_ARENA_SPACES = 3 };

/* What only the maker knows. */
struct tg_maker {
    uint64_t limit;
    uint64_t span; /* of each space */
    struct tg_space space[TG_ARENA_SPACES];
    struct tg_arena_room *room; /* of each slot */
    TG_VEC(struct tg_doomed) doomed;
    TG_VEC(struct tg_arena_file) dropped;
    unsigned returns;     /* seen; see tg_header */
    uint64_t files;       /* numbers given */
    unsigned char gone[]; /* of each row */
};

/* How the shared memory begins. */
struct tg_header {
    unsigned char nonce[TG_SHM_NONCE];
    uint64_t limit;
    uint32_t nslots;
    int32_t nreaders;
    /* How often a reader has found that it had the last of its pins of a doomed
     * blob: only when this has changed there may be something to collect. */
    _Alignas(TG_CACHE_LINE) atomic_uint returns;
    /* Of each row, whether anybody can have pinned. */
    _Alignas(TG_CACHE_LINE) atomic_uchar joined[];
};

struct tg_arena {
    struct tg_shm shm;
    struct tg_header *head;
    struct tg_line *lines;
    unsigned char *rows, *data;
    size_t row_size;
    atomic_uint *row; /* this process's */
    uint32_t nslots;
    int32_t nrows;          /* the readers', and the maker's: the last */
    int64_t pid;            /* of the maker */
    struct tg_maker *maker; /* NULL: another process is */

    _Atomic(struct tg_view *) *views; /* of each slot the last one */
    pthread_mutex_t lock; /* for the next two, and for changing views */
    TG_VEC(struct tg_view *) viewed;
    uint32_t oldest; /* an index of viewed, going round */
};

static inline uint64_t tg_line_word(uint64_t handle, enum tg_line_state state)
{
    return (handle & ~(uint64_t)UINT32_MAX) | state;
}

static inline bool tg_line_empty(const struct tg_line *l)
{
    return (uint32_t)atomic_load(&l->word) == TG_LINE_EMPTY;
}

/* ----- arena_file.c --------------------------------------------------------- */

/* Where the file with this number is mapped, whose blob is pinned here or which
 * this process has made; the first time it is opened.  NULL: it cannot be, or is
 * not there any more. */
const void *tg_arena_view(struct tg_arena *a, uint32_t slot, uint64_t file);
/* The maker gives up a file that nobody has pinned: it can be taken now. */
void tg_arena_drop_file(struct tg_arena *a, struct tg_view *v);
void tg_arena_close_views(struct tg_arena *a);

/* ----- arena.c --------------------------------------------------------------- */

/* Make use of what has come free since the last time. */
void tg_arena_collect(struct tg_arena *a);

#endif
