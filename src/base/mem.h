/* mem.h - memory for bookkeeping.
 *
 * Users' bytes are allocated with malloc() and their failure is reported as
 * TRYGON_ERR_NOMEM before anything has changed.  The small records that stand
 * for tasks, objects and messages come from here: when even those are not to
 * be had, no protocol step could be completed, and the process ends.
 */
#ifndef TG_BASE_MEM_H
#define TG_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

enum { TG_CACHE_LINE = 64 };

void *tg_alloc(size_t size);                         /* zeroed */
void *tg_grow(void *old, size_t count, size_t size); /* realloc, not zeroed */
void *tg_aligned(size_t align, size_t size);         /* not zeroed */
char *tg_strdup(const char *s);                      /* NULL stays NULL */

/* The next multiple of unit. */
static inline uint64_t tg_round_up(uint64_t n, uint64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* A growing array: TG_VEC(struct x) v = {0}; *tg_vec_add(&v) = x; */
#define TG_VEC(type_)    \
    struct {             \
        type_ *v;        \
        uint32_t n, cap; \
    }
#define tg_vec_add(vec_)                                                       \
    ((vec_)->n == (vec_)->cap                                                  \
         ? (void)((vec_)->v =                                                  \
                      tg_grow((vec_)->v,                                       \
                              (vec_)->cap = (vec_)->cap ? (vec_)->cap * 2 : 8, \
                              sizeof *(vec_)->v))                              \
         : (void)0,                                                            \
     &(vec_)->v[(vec_)->n++])
#define tg_vec_free(vec_) \
    (free((vec_)->v), (vec_)->v = NULL, (vec_)->n = (vec_)->cap = 0)

/* A growing run of bytes. */
struct tg_bytes {
    unsigned char *v;
    size_t n, cap;
};
void tg_bytes_grow(struct tg_bytes *b, size_t more);
/* For so many behind n. */
static inline void tg_bytes_room(struct tg_bytes *b, size_t more)
{
    if (b->cap - b->n < more)
        tg_bytes_grow(b, more);
}
void tg_bytes_fini(struct tg_bytes *b);

#endif
