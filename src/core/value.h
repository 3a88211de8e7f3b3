/* value.h - an immutable value: bytes, what they are, references within.
 *
 * One allocation, counted, shared by everything on the rank that holds the
 * value: the object, a message on its way out, a lent view.  The count is not
 * atomic: it is touched under the rank's lock.  The counts of the references
 * within belong to whoever keeps the value in an object or an argument list
 * (objs.h), not to the value.
 *
 * The bytes of a large value are in a store; then the value here only says
 * where, and all that is known of it: it is small, and travels as others do.
 *
 * An error is a value too: its bytes are an array of struct trygon_error, the
 * error first, then its causes, nearest first.
 */
#ifndef TG_CORE_VALUE_H
#define TG_CORE_VALUE_H

#include "core/types.h"

enum { TG_CAUSES_MAX = 8 }; /* errors kept in one chain */

/* Behind it are ndim dimensions, nrefs references and the bytes. */
struct tg_val {
    uint32_t count;
    uint32_t nrefs;
    uint64_t size : 49;  /* at most TG_VAL_SIZE_MAX */
    uint64_t type : 8;   /* enum trygon_type */
    uint64_t pooled : 1; /* it came from a struct tg_vals */
    uint64_t ndim : 4;
    uint64_t stored : 1; /* the bytes are in a store: tg_val_place() */
    uint64_t error : 1;
};

static const uint64_t TG_VAL_SIZE_MAX = UINT64_C(1) << 48;

/* The bytes are 16-byte aligned, those above TG_VAL_ALIGN_FROM 64-byte. */
enum { TG_VAL_ALIGN = 64, TG_VAL_ALIGN_FROM = 1024 };

/* Bytes of one element; 0: it is no type of an array. */
size_t tg_type_size(int32_t type);

/* Whoever may read a value gets its parts; only its maker writes them. */
static inline int64_t *tg_val_dims(const struct tg_val *v)
{
    return (int64_t *)((uintptr_t)v + sizeof *v);
}

static inline trygon_ref_t *tg_val_refs(const struct tg_val *v)
{
    return (trygon_ref_t *)(tg_val_dims(v) + v->ndim);
}

static inline unsigned char *tg_val_data(const struct tg_val *v)
{
    uintptr_t align = v->size > TG_VAL_ALIGN_FROM ? TG_VAL_ALIGN : 16;
    return (
        unsigned char *)(((uintptr_t)(tg_val_refs(v) + v->nrefs) + align - 1) &
                         ~(align - 1));
}

/* The same of few bytes (TG_VAL_ALIGN_FROM) without dims and references. */
static inline unsigned char *tg_val_plain(const struct tg_val *v)
{
    return (unsigned char *)((uintptr_t)v + sizeof *v);
}
_Static_assert(sizeof(struct tg_val) % 16 == 0, "they are aligned");

/* Where the bytes of a stored value are. */
struct tg_place {
    int32_t rank;  /* in whose store; it is the same as long as it lives */
    bool away;     /* a rank of this node; just now it is in a file only */
    uint64_t blob; /* that store's handle */
    uint64_t here; /* this store's: of a copy, or of asking for one; 0: none */
};

static inline struct tg_place *tg_val_place(const struct tg_val *v)
{
    return (struct tg_place *)(tg_val_refs(v) + v->nrefs); /* 8-aligned */
}

/* NULL when there is no memory.  The parts are left to be filled in. */
struct tg_val *tg_val_new(uint64_t size, uint32_t ndim, uint32_t nrefs);

/* The same of a value whose bytes are in a store. */
struct tg_val *tg_val_new_stored(uint64_t size, uint32_t ndim, uint32_t nrefs,
                                 int32_t rank, uint64_t blob);

/* A copy of what the user gave; NULL when there is no memory. */
struct tg_val *tg_val_copy(const trygon_value_t *v);
static inline struct tg_val *tg_val_hold(struct tg_val *v)
{
    v->count++;
    return v;
}
void tg_val_free(struct tg_val *v);
static inline void tg_val_drop(struct tg_val **v) /* accepts NULL inside */
{
    if (*v != NULL && --(*v)->count == 0)
        tg_val_free(*v);
    *v = NULL;
}

/* What went wrong at (rank, task) in function; text is printf's. */
struct tg_val *tg_val_error(int32_t code, int32_t rank, uint64_t task,
                            const char *function, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* The same error with the chain of another behind it. */
struct tg_val *tg_val_caused(struct tg_val *error, const struct tg_val *cause);
/* Error i of the chain, NULL beyond the end. */
const struct trygon_error *tg_val_err(const struct tg_val *v, uint32_t i);

/* ", after 2 restarts", or nothing: in an error's text. */
struct tg_restarts_text {
    char text[40];
};
struct tg_restarts_text tg_restarts_text(int32_t n);

/* ----- small values ------------------------------------------------------- */

/* Room that small values leave to the next ones: beyond the few blocks that
 * malloc() caches for each thread, it and free() take ten times as long.  All
 * zero at first.  A drop gives room back, so it is touched under the lock of
 * the counts, and outlasts the values. */
enum { TG_VALS_SIZES = 4 }; /* 32 to 128 bytes, with the value's head */
struct tg_vals {
    struct tg_vals_chunk *chunks;
    struct tg_val_room *free[TG_VALS_SIZES];
};
void tg_vals_fini(struct tg_vals *vals);

/* So many bytes and nothing else; NULL when they are too many for it, or there
 * is no memory.  vals may be NULL, which has none. */
struct tg_val *tg_vals_new(struct tg_vals *vals, uint64_t size);
/* Its maker, who need not hold the lock for that, puts a copy of what the user
 * gave there, if it is bytes only and no more of them. */
bool tg_vals_fill(struct tg_val *v, const trygon_value_t *u);
/* Whether a copy of that could be made there; it may come from elsewhere. */
bool tg_vals_fits(const trygon_value_t *v);
struct tg_val *tg_vals_copy(struct tg_vals *vals, const trygon_value_t *v);

#endif
