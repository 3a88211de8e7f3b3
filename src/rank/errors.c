/* errors.c - the last error of each thread, or fiber.
 *
 * An execution stays on one thread while it runs, so the thread's last error
 * is the execution's; run.c clears it at the start of each.  Those of fibers
 * are on their stacks, and loop.c says which of them is meant.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rank/rank.h"

static _Thread_local struct tg_errors own;
static _Thread_local struct tg_errors *in_use; /* NULL: own */

static struct tg_errors *here(void)
{
    return in_use != NULL ? in_use : &own;
}

const struct trygon_error *tg_last_error(uint32_t i)
{
    const struct tg_errors *last = here();
    return i < last->n ? &last->v[i] : NULL;
}

void tg_last_error_clear(void)
{
    here()->n = 0;
}

struct tg_errors *tg_last_error_use(struct tg_errors *errors)
{
    struct tg_errors *before = in_use;
    in_use = errors;
    return before;
}

/* Errors travel with the rank only; the host's name is added here. */
static void name_host(const struct trygon *tg, struct trygon_error *e)
{
    if (tg != NULL && tg->layout.host != NULL && e->rank >= 0 &&
        e->rank < tg->nranks)
        snprintf(e->host, sizeof e->host, "%s", tg->layout.host[e->rank]);
}

int tg_fail(const struct trygon *tg, int code, const char *fmt, ...)
{
    struct trygon_error e = {.size = sizeof e};
    e.code = code;
    e.rank = tg != NULL ? tg->rank : -1;
    name_host(tg, &e);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e.text, sizeof e.text, fmt, ap);
    va_end(ap);
    struct tg_errors *last = here();
    last->v[0] = e;
    last->n = 1;
    return code;
}

int tg_fail_with(const struct trygon *tg, const struct tg_val *error)
{
    struct tg_errors *last = here();
    const struct trygon_error *e;
    last->n = 0;
    while (last->n < 1 + TG_CAUSES_MAX &&
           (e = tg_val_err(error, last->n)) != NULL) {
        last->v[last->n] = *e;
        name_host(tg, &last->v[last->n++]);
    }
    return last->n > 0 ? last->v[0].code : TRYGON_ERR_TASK;
}

/* Only as much as the caller's structure has room for. */
void tg_error_out(const struct trygon *tg, const struct trygon_error *e,
                  trygon_error_t *out)
{
    struct trygon_error full = *e;
    size_t size = out->size < sizeof full ? out->size : sizeof full;
    name_host(tg, &full);
    full.size = size;
    memcpy(out, &full, size);
}
