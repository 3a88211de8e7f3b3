/* objects.h - section 12 of the manual: large objects.  Programs include
 * <trygon/trygon.h>, which includes this.
 */
#include <trygon/trygon.h> /* outside of the guard: it includes this in turn */

#ifndef TRYGON_OBJECTS_H
#define TRYGON_OBJECTS_H

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
 * 12  Large objects
 * --------------------------------------------------------------------- */

/* An object of more than 100 KiB lives in a store: memory that the ranks of a
 * node share, of store_bytes in all (trygon_opts_t).  It is written once, by
 * the rank that makes it; every rank of that node then reads it in place, and
 * ranks of other nodes get a copy when they ask for it.  When the stores of a
 * node are 80 % full, objects that nobody has in use are written to files in
 * HDF5 (spill_dir) and read back when they are wanted.  An object lives as long
 * as anybody holds a count of it; all copies and its place in a file are given
 * up when the last count goes. */

/* Memory for an object that is not made yet: write to data, then seal it. */
typedef struct trygon_buffer {
    void *data; /* aligned to 64 bytes, not zeroed */
    size_t size;
    void *own; /* trygon's; NULL: nothing to seal */
} trygon_buffer_t;

/* Room for a new object of size bytes, to be filled in place by this process.
 * When the store is full it waits, in order with others, as long as something
 * can come free; inside a task the CPU is lent meanwhile.
 * Errors: STORE_FULL (nothing has come free for 10 s, and no disk has room: the
 * text says why, and who holds what), TIMEOUT, CANCELLED, INVALID, NOMEM, SHUTDOWN. */
TRYGON_API int trygon_create(trygon_t *tg, size_t size, int64_t timeout_ms,
                             trygon_buffer_t *buffer);

/* Make the buffer an immutable object that this rank owns; as (NULL: plain
 * bytes) gives type, dimensions and refs, its data and size are ignored.
 * Clears the buffer.  Errors: as trygon_put(); the buffer stays as it was. */
TRYGON_API int trygon_seal(trygon_t *tg, trygon_buffer_t *buffer,
                           const trygon_value_t *as, trygon_ref_t *ref);

/* Give a buffer back unsealed, and clear it.  A cleared one is fine. */
TRYGON_API int trygon_discard(trygon_t *tg, trygon_buffer_t *buffer);

/* Return i of a task, as trygon_call_return(), from a buffer that the task has
 * filled: nothing is copied. */
TRYGON_API int trygon_call_return_buffer(trygon_call_t *call, size_t i,
                                         trygon_buffer_t *buffer,
                                         const trygon_value_t *as);

/* Put an array of `type` (enum trygon_type, not TRYGON_BY_REF) with ndim
 * dimensions, slowest first: its size follows from them.  Type and dimensions
 * stay with it through every copy and every file.  Errors: as trygon_put(),
 * INVALID (a dimension below 0, more than TRYGON_MAX_DIMS, too large). */
TRYGON_API int trygon_put_array(trygon_t *tg, const void *data, int32_t type,
                                int32_t ndim, const int64_t dims[],
                                trygon_ref_t *ref);

/* Bytes of one element; 0 for what is no type of an array. */
TRYGON_API size_t trygon_type_size(int32_t type);

/* Drop the values of n objects now, wherever they are and whoever owns them,
 * while counts remain: a later get returns FREED, and no task is run again to
 * make them (Ray: internal.free).  An object that is not ready yet is freed
 * when it is; what is lent stays readable until it is released.  Asynchronous.
 * Errors: NOTFOUND (not held), INVALID (a stream or an actor). */
TRYGON_API int trygon_free(trygon_t *tg, size_t n, const trygon_ref_t refs[]);

/* Where the bytes of an object are (Ray: get_object_locations): the ranks that
 * have a copy in their stores, the one that made it first; at most capacity of
 * them.  *n is how many there are: 0 for a small object, which travels in
 * messages.  *spilled (may be NULL): it is in a file, and in no store as long
 * as n is 0.  Errors: NOTFOUND, STATE (not ready, as far as this rank knows:
 * wait for it first), INVALID. */
TRYGON_API int trygon_ref_locations(trygon_t *tg, trygon_ref_t ref,
                                    size_t capacity, int32_t ranks[], size_t *n,
                                    bool *spilled);

enum trygon_object_state {
    TRYGON_OBJECT_PENDING = 1, /* its task has not returned it yet */
    TRYGON_OBJECT_READY,
    TRYGON_OBJECT_FAILED
};

typedef struct trygon_object {
    trygon_ref_t ref;
    int32_t state;    /* enum trygon_object_state */
    int32_t owner;    /* a rank, as are the next two */
    int32_t at;       /* where it was made and is stored; -1: it is small */
    bool spilled;     /* it is in a file; it may be in memory as well */
    uint64_t size;    /* bytes */
    int32_t type;     /* enum trygon_type */
    uint64_t counts;  /* of its owner's rank: user code, tasks, other objects */
    uint64_t holders; /* how many other ranks hold it; who has just been sent
                         it may not be among them yet */
    uint64_t pins;    /* of readers that have it in place now; 0 if it is
                         stored on another node than the rank that asks */
    char function[64]; /* the task that made it, or "put"; "": it is small */
} trygon_object_t;

/* The objects of all ranks, those in stores first, largest first.  Fills at
 * most capacity; *n is how many there are.  It asks every rank. */
TRYGON_API int trygon_objects(trygon_t *tg, size_t capacity,
                              trygon_object_t objects[], size_t *n);

typedef struct trygon_store_stats {
    size_t size;
    uint64_t limit; /* bytes that the ranks of this node have together */
    uint64_t used;  /* of them by this rank's store, as are the rest */
    uint64_t objects;
    uint64_t spilled_bytes, spilled_objects;   /* written, so far */
    uint64_t restored_bytes, restored_objects; /* read back, so far */
    uint64_t pulled_bytes, pulled_objects;     /* from other nodes */
    uint64_t sent_bytes;                       /* to them */
    uint64_t fallback_bytes; /* in mapped files now: nothing could be spilled */
} trygon_store_stats_t;

/* This rank's store, which takes what it needs of the limit of its node.  Errors:
 * INVALID (stats->size not set). */
TRYGON_API int trygon_store_stats(trygon_t *tg, trygon_store_stats_t *stats);

#ifdef __cplusplus
}
#endif
#endif
