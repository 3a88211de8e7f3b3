/* value.h - an immutable value: bytes, what they are, references within.
 *
 * One allocation, counted, shared by everything on the rank that holds the
 * value: the object, a message on its way out, a lent view.  The count is not
 * atomic: it is touched under the rank's lock.  The counts of the references
 * within belong to whoever keeps the value in an object or an argument list
 * (objs.h), not to the value.
 *
 * An error is a value too: its bytes are an array of struct trygon_error, the
 * error first, then its causes, nearest first.
 */
#ifndef TG_CORE_VALUE_H
#define TG_CORE_VALUE_H

#include "core/types.h"

enum { TG_CAUSES_MAX = 8 }; /* errors kept in one chain */

struct tg_val {
    uint32_t count;
    uint8_t type; /* enum trygon_type */
    uint8_t ndim;
    bool error;
    uint32_t nrefs;
    uint64_t size;
    int64_t *dims; /* these three point behind the struct */
    trygon_ref_t *refs;
    unsigned char *data; /* 16-byte aligned; 64 above TG_VAL_ALIGN_FROM bytes */
};

enum { TG_VAL_ALIGN = 64, TG_VAL_ALIGN_FROM = 1024 };

/* NULL when there is no memory.  The parts are left to be filled in. */
struct tg_val *tg_val_new(uint64_t size, uint32_t ndim, uint32_t nrefs);
/* A copy of what the user gave; NULL when there is no memory. */
struct tg_val *tg_val_copy(const trygon_value_t *v);
struct tg_val *tg_val_hold(struct tg_val *v);
void tg_val_drop(struct tg_val **v); /* accepts NULL inside */

/* What went wrong at (rank, task) in function; text is printf's. */
struct tg_val *tg_val_error(int32_t code, int32_t rank, uint64_t task,
                            const char *function, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* The same error with the chain of another behind it. */
struct tg_val *tg_val_caused(struct tg_val *error, const struct tg_val *cause);
/* Error i of the chain, NULL beyond the end. */
const struct trygon_error *tg_val_err(const struct tg_val *v, uint32_t i);

#endif
