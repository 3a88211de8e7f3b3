/* timers.c - see timers.h. */
#include "core/timers.h"

#include <stdlib.h>

#include "base/mem.h"

void tg_timers_fini(struct tg_timers *t)
{
    tg_vec_free(t);
}

/* Equal times go by kind and handle, so that one log gives one order. */
static bool before(const struct tg_timer *a, const struct tg_timer *b)
{
    if (a->when_ns != b->when_ns)
        return a->when_ns < b->when_ns;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return a->handle < b->handle;
}

void tg_timers_add(struct tg_timers *t, uint64_t when_ns,
                   enum tg_timer_kind kind, uint64_t handle)
{
    struct tg_timer x = {when_ns, handle, kind};
    (void)tg_vec_add(t);
    uint32_t i = t->n - 1;
    for (; i > 0 && before(&x, &t->v[(i - 1) / 2]); i = (i - 1) / 2)
        t->v[i] = t->v[(i - 1) / 2];
    t->v[i] = x;
}

bool tg_timers_pop(struct tg_timers *t, uint64_t now_ns, struct tg_timer *out)
{
    if (t->n == 0 || t->v[0].when_ns > now_ns)
        return false;
    *out = t->v[0];
    struct tg_timer x = t->v[--t->n];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= t->n)
            break;
        if (child + 1 < t->n && before(&t->v[child + 1], &t->v[child]))
            child++;
        if (before(&x, &t->v[child]))
            break;
        t->v[i] = t->v[child];
        i = child;
    }
    if (t->n > 0)
        t->v[i] = x;
    return true;
}
