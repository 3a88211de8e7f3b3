/* chance_name.c - what random scripts do about names of actors: few names, so
 * that many want the same. */
#include "chance.h"

static bool odds(struct script *s, uint32_t percent)
{
    return tg_rng_below(&s->rng, 100) < percent;
}

static const char *pick_name(struct script *s)
{
    static const char *const names[] = {"ann", "bob", "cleo"};
    return names[tg_rng_below(&s->rng, 3)];
}

/* Arguments of a detached one are values: it is not to end as it begins.  On
 * rank 0 they have no references, so that it begins at once. */
static void pick_named(struct script *s, struct plan *p)
{
    chance_actor(s, p);
    p->get = odds(s, 50);
    p->create.detached = odds(s, 30);
    if (!p->create.detached || odds(s, 60))
        p->name = pick_name(s);
    for (uint32_t i = 0; p->create.detached && i < p->nargs; i++)
        if (p->args[i].by_ref || s->rank->id == 0)
            p->args[i] = (struct plan_arg){.size = 16};
}

bool chance_name(struct script *s, struct op *op)
{
    uint32_t x = tg_rng_below(&s->rng, 100);
    bool method = s->task != NULL && s->task->call;
    if (x < 40 && chance_may_submit(s)) {
        pick_named(s, &s->plan);
        op->type = OP_NAME;
        op->plan = &s->plan;
    } else if (x < 80 && s->slots.n < 40) {
        op->type = OP_FIND;
        op->name = pick_name(s);
    } else if (x < 92 && method && s->slots.n < 40) {
        op->type = OP_SELF;
    } else {
        op->type = OP_ACTORS;
    }
    return true;
}
