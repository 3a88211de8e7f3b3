/* tools.h - section 11 of the manual: what is made of the rest.  Programs
 * include <trygon/trygon.h>, which includes this.
 */
#include <trygon/trygon.h> /* outside of the guard: it includes this in turn */

#ifndef TRYGON_TOOLS_H
#define TRYGON_TOOLS_H

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
 * 11  An actor pool, and a queue
 * --------------------------------------------------------------------- */

/* A fixed set of actors that work off calls, one each at a time (Ray:
 * ActorPool).  It belongs to one rank; one thread at a time. */
typedef struct trygon_actor_pool trygon_actor_pool_t;

/* The pool holds the handles.  Errors: INVALID (NULL, no actor, one twice),
 * NOTFOUND (a handle that this rank does not hold), NOMEM. */
TRYGON_API int trygon_actor_pool_create(trygon_t *tg, size_t n,
                                        const trygon_ref_t actors[],
                                        trygon_actor_pool_t **pool);

/* Give a call with one return to the next actor that is idle; it waits in the
 * pool as long as none is, and is made by a later call of this section.
 * Arguments are copied, their references are held.
 * Errors: as trygon_actor_call(). */
TRYGON_API int trygon_actor_pool_submit(trygon_actor_pool_t *pool,
                                        const char *method, size_t nargs,
                                        const trygon_value_t args[]);

/* The result of the earliest call whose result was not taken, or of any that
 * has ended, with one count: get it to see whether it failed.  Its actor is
 * idle again once it has ended.
 * Errors: NOTFOUND (none is outstanding), STATE (calls wait, and the pool has
 * no actor), TIMEOUT, CANCELLED, SHUTDOWN; and if a call that had waited could
 * not be made, what trygon_actor_call() said, instead of its result. */
TRYGON_API int trygon_actor_pool_next(trygon_actor_pool_t *pool,
                                      int64_t timeout_ms, trygon_ref_t *result);
TRYGON_API int trygon_actor_pool_next_unordered(trygon_actor_pool_t *pool,
                                                int64_t timeout_ms,
                                                trygon_ref_t *result);

/* Results not taken, of calls that wait, run or have ended. */
TRYGON_API int trygon_actor_pool_outstanding(trygon_actor_pool_t *pool,
                                             size_t *n);

/* Call the method with each of n values as its only argument, and fn(tg,
 * result, arg) for each result, lent, in the order of the values or as they
 * come, until it returns something else than 0, which is then returned when
 * what is outstanding has ended.  Meanwhile nothing is submitted.  Errors: as
 * submit and next; STATE also if results are outstanding at the begin. */
TRYGON_API int trygon_actor_pool_map(trygon_actor_pool_t *pool,
                                     const char *method, size_t n,
                                     const trygon_value_t values[],
                                     bool ordered, trygon_item_fn fn,
                                     void *arg);

/* Add an actor (EXISTS: it is in the pool), or take one out that is idle, with
 * one count (NOTFOUND: none is). */
TRYGON_API int trygon_actor_pool_push(trygon_actor_pool_t *pool,
                                      trygon_ref_t actor);
TRYGON_API int trygon_actor_pool_pop_idle(trygon_actor_pool_t *pool,
                                          trygon_ref_t *actor);

/* Calls that wait never run; results are given back.  Sets *pool to NULL. */
TRYGON_API int trygon_actor_pool_destroy(trygon_actor_pool_t **pool);

/* A queue of values that any rank puts into and takes from, in order (Ray:
 * ray.util.queue.Queue).  It is an actor of an async class, so a queue is
 * passed on, held, named and killed as any actor is. */

/* Register the class of queues: on every rank, before trygon_init(). */
TRYGON_API int trygon_registry_add_queue(trygon_registry_t *reg);

/* maxsize 0: no bound.  opts: of the actor, may be NULL; max_concurrency is how
 * many gets may wait in it at once (default 1000, and 1000 puts); more of them
 * stand behind, and their time-outs begin later.  Errors: as
 * trygon_actor_create(). */
TRYGON_API int trygon_queue_create(trygon_t *tg, size_t maxsize,
                                   const trygon_actor_opts_t *opts,
                                   trygon_ref_t *queue);

/* Append a value; wait while the queue is full.
 * Errors: TIMEOUT (it was full all the time; with 0: it is full), SHUTDOWN (the
 * queue was shut down), CANCELLED (it may be in the queue or not), ACTOR_DIED,
 * and as trygon_actor_call(). */
TRYGON_API int trygon_queue_put(trygon_t *tg, trygon_ref_t queue,
                                const trygon_value_t *value,
                                int64_t timeout_ms);
/* The same for n values, all or none, without waiting: TIMEOUT if there is no
 * room for all. */
TRYGON_API int trygon_queue_put_n(trygon_t *tg, trygon_ref_t queue, size_t n,
                                  const trygon_value_t values[]);

/* Take the first value out: an object, with one count.  Wait while the queue is
 * empty; who has waited longest is served first.
 * Errors: TIMEOUT (it was empty all the time; with 0: it is empty), SHUTDOWN
 * (shut down, and empty), CANCELLED (nothing was taken), ACTOR_DIED, and as
 * trygon_actor_call(). */
TRYGON_API int trygon_queue_get(trygon_t *tg, trygon_ref_t queue,
                                int64_t timeout_ms, trygon_ref_t *item);
/* The first n, all or none, without waiting: TIMEOUT if there are fewer. */
TRYGON_API int trygon_queue_get_n(trygon_t *tg, trygon_ref_t queue, size_t n,
                                  trygon_ref_t items[]);

/* How many values are in it. */
TRYGON_API int trygon_queue_size(trygon_t *tg, trygon_ref_t queue, size_t *n);

/* No more puts; gets take what is left, or, with force, nothing: whoever waits
 * gets SHUTDOWN. */
TRYGON_API int trygon_queue_shutdown(trygon_t *tg, trygon_ref_t queue,
                                     bool force);

#ifdef __cplusplus
}
#endif
#endif
