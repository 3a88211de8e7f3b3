/* log.h - one line at a time to the program's callback or to standard error.
 *
 * A log is a value that its owner passes on; there is no global one.  It knows
 * no clock and no MPI: the rank is a number that the owner has put in.
 */
#ifndef TG_BASE_LOG_H
#define TG_BASE_LOG_H

#include <stdint.h>
#include <trygon/types.h>

enum { TG_LOG_LINE = 512 }; /* bytes of a line with its end */

/* The same type as trygon_log_fn, whose header needs MPI. */
typedef void (*tg_log_fn)(void *arg, enum trygon_level level, const char *line);

struct tg_log {
    int level;    /* lines above this enum trygon_level are dropped */
    int32_t rank; /* for standard error; below 0: not known yet */
    tg_log_fn fn; /* NULL: standard error */
    void *arg;
};

/* Whether a line of this level would be shown: asked before costly ones. */
static inline int tg_log_wants(const struct tg_log *log, int level)
{
    return level <= log->level;
}

/* One line, without newline.  What does not fit is cut and ends in "...".
 * Keeps errno.  Any thread may call it if the callback allows that. */
__attribute__((format(printf, 3, 4))) void
tg_log(const struct tg_log *log, int level, const char *fmt, ...);

#endif
