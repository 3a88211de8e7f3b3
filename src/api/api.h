/* api.h - what the files of the public interface share.
 *
 * Each function checks its arguments and makes one call down; what went wrong
 * is left as the thread's last error (rank/errors.c).
 */
#ifndef TG_API_API_H
#define TG_API_API_H

#include "rank/rank.h"

struct trygon_registry {
    struct tg_fn *fns; /* sorted by name */
    uint32_t n, cap;
    bool frozen;
    atomic_uint users; /* runtimes that use it */
};

struct trygon_waitset {
    struct trygon *tg;
    uint64_t set;
};

#define TG_NEED_TG(tg_)                                          \
    do {                                                         \
        if ((tg_) == NULL)                                       \
            return tg_fail(NULL, TRYGON_ERR_INVALID,             \
                           "%s: the runtime is NULL", __func__); \
    } while (0)

#define TG_NEED(tg_, cond_, what_)                                        \
    do {                                                                  \
        if (!(cond_))                                                     \
            return tg_fail((tg_), TRYGON_ERR_INVALID, "%s: %s", __func__, \
                           (what_));                                      \
    } while (0)

/* Options begin with their size, as the program knows them that sets them. */
int tg_opts_init(const char *who, void *opts, size_t size, const void *defaults,
                 size_t n);
/* The n bytes that this version has: the defaults if opts is NULL, opts, or
 * those of an older program (at least their size) completed in room. */
const void *tg_opts_whole(const void *opts, const void *defaults, void *room,
                          size_t n);
/* A mistake in what is submitted: the last error, and a line of the log. */
int tg_refuse(const struct trygon *tg, int code, const char *who,
              const char *what);

/* Is it a value that can travel?  INVALID and why, else 0. */
int tg_check_value(const struct trygon *tg, const char *who,
                   const trygon_value_t *v);
/* References that are to be objects: INVALID if one is a stream. */
int tg_no_stream(const struct trygon *tg, const char *who, size_t n,
                 const trygon_ref_t refs[]);
/* Fill a lent view of a value; the pin is the caller's affair. */
void tg_view(const struct tg_val *val, trygon_value_t *out);

/* The function of that name; -1: none. */
int32_t tg_find_fn(struct trygon *tg, const char *name);
/* The group of that name, of the class with that number; NULL: the default one,
 * 0; -1: none. */
int tg_find_group(const struct trygon *tg, uint32_t cls, const char *name);
/* For what is submitted (task.c); who names the public function. */
int tg_shape_of(const struct trygon *tg, const char *who,
                const trygon_task_opts_t *o, const char *task,
                struct tg_shape *shape);
/* Codes to retry, as options give them; and to a spec. */
int tg_check_codes(const struct trygon *tg, const char *who,
                   const int32_t *codes, size_t n);
void tg_copy_codes(struct tg_spec *s, const int32_t *codes, size_t n);
int tg_check_returns(const struct trygon *tg, const char *who,
                     int32_t num_returns, const char *name,
                     const trygon_ref_t returns[]);
/* What only streams have, and what they have not.  Outputs how many items may
 * be ahead; 0: it is no stream. */
int tg_check_yields(const struct trygon *tg, const char *who, bool yields,
                    int64_t backpressure, int32_t num_returns, uint64_t *limit);
/* Copies the arguments; takes over what the rest of the spec points to. */
int tg_submit_spec(struct trygon *tg, const char *who, size_t nargs,
                   const trygon_value_t args[], struct tg_spec *s,
                   trygon_ref_t returns[]);

/* Names and detached actors (name.c).  Are those options fine? */
int tg_check_agreed(const struct trygon *tg, const trygon_actor_opts_t *o);
/* Create an actor that has a name or is detached, once rank 0 agrees. */
int tg_create_agreed(struct trygon *tg, const trygon_actor_opts_t *o,
                     size_t nargs, const trygon_value_t args[],
                     struct tg_spec *s, struct tg_create *create,
                     trygon_ref_t *actor);
/* With the lock held: have rank 0 create it. */
int tg_create_detached(struct trygon *tg, struct tg_spec *s,
                       trygon_ref_t *actor);

/* A copy of the value, which is large enough for the store or not; it is made
 * for a result of the execution (NULL: for something else).  Waits for room, if
 * need be.  An error is told. */
int tg_make(struct trygon *tg, const char *who, const struct tg_exec *result_of,
            const trygon_value_t *value, struct tg_val **val);
/* With the lock held: return i of the call, whose references are held; the
 * value that was there goes. */
void tg_call_replace_return(struct trygon_call *call, size_t i,
                            struct tg_val *val);
/* Name a code that came from the core as the last error of this call. */
int tg_report(const struct trygon *tg, const char *who, int rc);

#endif
