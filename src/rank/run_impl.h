/* run_impl.h - what run.c and loop.c share; for no other file. */
#ifndef TG_RANK_RUN_IMPL_H
#define TG_RANK_RUN_IMPL_H

#include "exec/fiber.h"
#include "rank/rank.h"

/* With the lock held: how long a function runs here, as far as is known; the
 * news of a short one may wait for that of the next. */
void tg_fn_learn(struct trygon *tg, uint32_t fn, uint64_t ran_ns);
bool tg_fn_short(const struct trygon *tg, uint32_t fn);
bool tg_may_hold(const struct trygon *tg);

/* Who the calling thread runs from now on; NULL: nobody. */
void tg_set_current(struct trygon_call *c);
/* With the lock held: the call is to run this execution; or is not, after
 * all. */
void tg_call_set(struct trygon_call *c, struct tg_exec *e);
void tg_call_unset(struct trygon_call *c);
/* The user's function, and then what the core is told of how it ended. */
int tg_call_user(struct trygon_call *c);
void tg_call_outcome(struct trygon_call *c, int code, struct tg_outcome *out);
/* With the lock held: what the call has returned goes along, or is given up. */
void tg_call_give(struct trygon_call *c, struct tg_outcome *out);
/* With the lock held: a thread for the execution, or for the loop whose first
 * one it is.  False: there is none. */
bool tg_run_on_thread(struct trygon *tg, struct tg_exec *e, struct tg_loop *l);

/* The loop's thread: runs calls until none is alive.  It is entered without the
 * lock and left with it. */
void tg_loop_run(struct tg_loop *l, const struct trygon_call *thread);
/* With the lock held: a loop that need not be kept, to be freed without it.
 * NULL: there is none. */
struct tg_loop *tg_loop_extra(struct trygon *tg);
void tg_loop_free(struct tg_loop *l);
/* With the lock held: the call of an async actor's method is to start. */
void tg_loop_add(struct trygon *tg, struct tg_exec *e);

#endif
