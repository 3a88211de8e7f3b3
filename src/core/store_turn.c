/* store_turn.c - calls that pin several values at once (store.h): while some are
 * lacking, only the oldest of these calls keeps those that it has. */
#include <string.h>

#include "core/store.h"

uint64_t tg_store_turn(struct tg_store *s)
{
    *tg_vec_add(&s->turns) = ++s->turn;
    return s->turn;
}

bool tg_store_first(const struct tg_store *s, uint64_t turn)
{
    TG_ASSERT(s->turns.n > 0);
    return s->turns.v[0] == turn;
}

void tg_store_turn_end(struct tg_store *s, uint64_t turn)
{
    uint32_t at = 0;
    if (turn == 0)
        return;
    while (s->turns.v[at] != turn)
        at++;
    s->turns.n--;
    memmove(&s->turns.v[at], &s->turns.v[at + 1],
            (s->turns.n - at) * sizeof s->turns.v[0]);
}
