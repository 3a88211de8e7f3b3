/* types.h - the part of the manual that needs no MPI: codes, errors, values and
 * references.  Programs include <trygon/trygon.h>, which includes this.
 */
#ifndef TRYGON_TYPES_H
#define TRYGON_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TRYGON_API __attribute__((visibility("default")))
#define TRYGON_PRINTF(fmt_, first_) \
    __attribute__((format(printf, fmt_, first_)))
#else
#define TRYGON_API
#define TRYGON_PRINTF(fmt_, first_)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
 * Results and errors
 * --------------------------------------------------------------------- */

/* Every code, its number (never reused) and its text. */
#define TRYGON_ERRORS(X_)                                                     \
    X_(NOMEM, -1, "out of memory")                                            \
    X_(INVALID, -2, "invalid argument")                                       \
    X_(TIMEOUT, -3, "timed out")                                              \
    X_(CANCELLED, -4, "the task was cancelled")                               \
    X_(TASK, -5, "the task failed")                                           \
    X_(WORKER_LOST, -6, "a rank was lost")                                    \
    X_(OWNER_DIED, -7, "the rank that owned the object was lost")             \
    X_(OBJECT_LOST, -8, "the object was lost")                                \
    X_(DEPENDENCY, -9, "an input argument of the task could not be computed") \
    X_(UNSCHEDULABLE, -10, "no rank can ever satisfy the request")            \
    X_(RETURNS, -11, "the task did not return what it promised")              \
    X_(SHUTDOWN, -12, "the runtime is shutting down")                         \
    X_(NOTFOUND, -13, "no such name or object")                               \
    X_(EXISTS, -14, "the name is taken")                                      \
    X_(MISMATCH, -15, "the ranks disagree")                                   \
    X_(CAPACITY, -16, "the buffer is too small")                              \
    X_(STATE, -17, "the call is not possible in this state")                  \
    X_(UNSUPPORTED, -18, "not supported")                                     \
    X_(MPI, -19, "an MPI call failed")                                        \
    X_(IO, -20, "input or output failed")                                     \
    X_(END, -21, "the stream has ended")                                      \
    X_(ACTOR_DIED, -22, "the actor has ended")                                \
    X_(ACTOR_UNAVAILABLE, -23, "the actor cannot be reached now")             \
    X_(PENDING_LIMIT, -24, "too many calls of the actor are pending")         \
    X_(STORE_FULL, -25, "the object store is full")                           \
    X_(DISK_FULL, -26, "no disk has room for what must be spilled")           \
    X_(FREED, -27, "the object was freed")

#define TRYGON_ERROR_ENUM_(name_, value_, text_) TRYGON_ERR_##name_ = (value_),
enum trygon_status { TRYGON_SUCCESS = 0, TRYGON_ERRORS(TRYGON_ERROR_ENUM_) };
#undef TRYGON_ERROR_ENUM_

#define TRYGON_FOREVER ((int64_t)-1)

/* What went wrong, in full.  Set size to sizeof(trygon_error_t) before a call
 * that fills it; an older program then gets what it has room for. */
typedef struct trygon_error {
    size_t size;
    int32_t code;      /* a TRYGON_ERR_ code */
    int32_t user_code; /* the positive number a task returned, else 0 */
    int32_t rank;      /* where it happened; -1 when that is nowhere */
    int32_t ncauses;   /* how many causes stand behind it */
    uint64_t task;     /* the task's number, as trygon_call_info() tells it */
    char function[64]; /* the task's name, or "" */
    char host[64];     /* the host of that rank, or "" */
    char text[256];    /* one line, without newline */
} trygon_error_t;

enum trygon_level {
    TRYGON_LOG_ERROR = 1, /* something was lost */
    TRYGON_LOG_WARN,      /* the user will want to know */
    TRYGON_LOG_INFO,      /* start, end, who has which cores */
    TRYGON_LOG_DEBUG      /* a line a task */
};

/* ------------------------------------------------------------------------
 * Values and references
 * --------------------------------------------------------------------- */

/* What a value's bytes are.  Only carried along, so that files and pictures
 * made from a value know it; trygon itself never looks inside. */
enum trygon_type {
    TRYGON_BYTE = 0, /* plain bytes: ndim is 0 */
    TRYGON_INT8,
    TRYGON_UINT8,
    TRYGON_INT16,
    TRYGON_UINT16,
    TRYGON_INT32,
    TRYGON_UINT32,
    TRYGON_INT64,
    TRYGON_UINT64,
    TRYGON_FLOAT32,
    TRYGON_FLOAT64,
    TRYGON_COMPLEX64,
    TRYGON_COMPLEX128,
    TRYGON_BY_REF = 100 /* an argument that stands for an object's value */
};

enum { TRYGON_MAX_DIMS = 8 };

/* A reference: the right to ask for an object that may not exist yet.  It may
 * be copied, compared and stored, but only counts keep the object alive: each
 * call that outputs one gives one count.  {0, 0} is no reference. */
typedef struct trygon_ref {
    uint64_t hi, lo;
} trygon_ref_t;

enum trygon_kind {
    TRYGON_KIND_NONE = 0,
    TRYGON_KIND_OBJECT = 1,
    TRYGON_KIND_ACTOR = 2,
    TRYGON_KIND_STREAM = 3
};

/* A value: bytes, what they are, and the references that travel with them.
 * As an input everything in it is borrowed for the length of the call.  As an
 * output it lends a read-only view that holds the object in place until
 * trygon_value_release(); refs of an output are lent as well: retain one to
 * keep it longer.  Lent data is aligned to 16 bytes, large data to 64. */
typedef struct trygon_value {
    const void *data;
    size_t size;         /* bytes */
    int32_t type;        /* enum trygon_type */
    int32_t ndim;        /* 0 to TRYGON_MAX_DIMS */
    const int64_t *dims; /* ndim of them, slowest first */
    const trygon_ref_t *refs;
    size_t nrefs;
    void *pin; /* of outputs: what release gives back; else NULL */
} trygon_value_t;

/* n plain bytes at p, as a value or an argument. */
static inline trygon_value_t trygon_bytes(const void *p, size_t n)
{
    trygon_value_t v = {p, n, TRYGON_BYTE, 0, NULL, NULL, 0, NULL};
    return v;
}

/* An argument that is awaited and replaced by the value of *ref before the
 * task starts (Ray: a top-level ObjectRef argument). */
static inline trygon_value_t trygon_by_ref(const trygon_ref_t *ref)
{
    trygon_value_t v = {NULL, 0, TRYGON_BY_REF, 0, NULL, ref, 1, NULL};
    return v;
}

/* The same where a value is written down: &TRYGON_BYTES(&x, sizeof x) in C, and
 * as an element of an array of arguments.  r_ is a variable. */
#ifdef __cplusplus
#define TRYGON_BYTES(p_, n_) trygon_bytes((p_), (n_))
#define TRYGON_REF(r_) trygon_by_ref(&(r_))
#else
#define TRYGON_BYTES(p_, n_) \
    ((trygon_value_t){(p_), (n_), TRYGON_BYTE, 0, NULL, NULL, 0, NULL})
#define TRYGON_REF(r_) \
    ((trygon_value_t){NULL, 0, TRYGON_BY_REF, 0, NULL, &(r_), 1, NULL})
#endif

/* Of one object, stream or actor?  The highest bit does not count: it tells a
 * handle that does not keep its actor alive from one that does. */
static inline bool trygon_ref_equal(trygon_ref_t a, trygon_ref_t b)
{
    return (a.hi ^ b.hi) << 1 == 0 && a.lo == b.lo;
}

/* ------------------------------------------------------------------------
 * Where a task may run
 * --------------------------------------------------------------------- */

enum trygon_strategy {
    TRYGON_STRATEGY_DEFAULT = 0, /* Ray's hybrid: near the data, then pack to
                                    half full, then the emptiest */
    TRYGON_STRATEGY_SPREAD,      /* round over the nodes, as far as it goes */
    TRYGON_STRATEGY_NODE         /* on `node`, or near it when `soft` */
};

#ifdef __cplusplus
}
#endif
#endif
