/* owner_near.c - where the large arguments of a task are, so that it runs there
 * (owner_impl.h; Ray: locality).  A node's ranks read each other's stores in
 * place, so bytes on the same node are near. */
#include "core/owner.h"
#include "core/owner_impl.h"

/* A few arguments decide; to weigh them all would cost more than it is worth. */
enum { ARGS_MOST = 64, RANKS_MOST = 16 };

static int32_t node_of(const struct tg_owner *w, int32_t rank)
{
    const struct tg_store *s = w->objs->store;
    return s != NULL ? s->node[rank] : rank;
}

static uint32_t looked_at(const struct tg_task *t)
{
    if (!t->by_ref)
        return 0;
    return t->nargs < ARGS_MOST ? t->nargs : ARGS_MOST;
}

/* Where the bytes of argument i are; -1: anywhere. */
static int32_t arg_at(const struct tg_task *t, uint32_t i)
{
    const struct tg_arg *a = &tg_task_args(t)[i];
    return a->val == NULL ? tg_obj_where(a->obj) : -1;
}

bool tg_task_large(const struct tg_task *t)
{
    for (uint32_t i = 0; i < looked_at(t); i++)
        if (arg_at(t, i) >= 0)
            return true;
    return false;
}

uint64_t tg_task_near(const struct tg_owner *w, const struct tg_task *t,
                      int32_t rank)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < looked_at(t); i++) {
        int32_t at = arg_at(t, i);
        if (at >= 0 && node_of(w, at) == node_of(w, rank))
            bytes += tg_obj_size(tg_task_args(t)[i].obj);
    }
    return bytes;
}

struct near {
    int32_t rank;
    uint64_t own, node; /* bytes there */
};

/* Each rank that has some, in the order of the arguments. */
static uint32_t find_ranks(const struct tg_task *t, struct near v[RANKS_MOST])
{
    uint32_t n = 0, j;
    for (uint32_t i = 0; i < looked_at(t); i++) {
        int32_t at = arg_at(t, i);
        for (j = 0; j < n && v[j].rank != at; j++)
            continue;
        if (at < 0 || j == RANKS_MOST)
            continue;
        if (j == n)
            v[n++] = (struct near){.rank = at};
        v[j].own += tg_obj_size(tg_task_args(t)[i].obj);
    }
    return n;
}

static bool is_nearer(const struct near *a, const struct near *b)
{
    return a->node != b->node ? a->node > b->node : a->own > b->own;
}

int32_t tg_task_prefer(const struct tg_owner *w, const struct tg_task *t,
                       int32_t out[TG_PREFER_MAX])
{
    struct near v[RANKS_MOST];
    uint32_t n = find_ranks(t, v);
    for (uint32_t i = 0; i < n; i++)
        v[i].node = tg_task_near(w, t, v[i].rank);
    int32_t found = 0;
    for (; n > 0 && found < TG_PREFER_MAX; found++) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < n; i++)
            if (is_nearer(&v[i], &v[best]))
                best = i;
        out[found] = v[best].rank;
        n--;
        for (uint32_t i = best; i < n; i++) /* who is equal stays in order */
            v[i] = v[i + 1];
    }
    return found;
}
