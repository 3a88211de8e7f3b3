/* queue.h - what queue.c and queue_actor.c share: how a queue's actor is
 * called.
 *
 *     put    request, value      wait while it is full
 *     get    request             wait while it is empty; returns the value
 *     put_n  request, n values   all or none, at once
 *     get_n  request             n returns: all or none, at once
 *     took   request             what that get gave has come
 *     leave  request             ... it was cancelled: have it back
 *     size                       returns a uint64_t
 *     shutdown request
 */
#ifndef TG_API_QUEUE_H
#define TG_API_QUEUE_H

#include <trygon/trygon.h>

#define TG_QUEUE_CLASS "TrygonQueue"
#define TG_QUEUE_NOW "now" /* the group of calls that do not wait */

struct tg_queue_request { /* argument 0, as bytes */
    trygon_ref_t id;      /* of a get: unique in the run */
    int64_t timeout_ms;   /* put, get */
    uint64_t n;           /* get_n */
    uint64_t force;       /* shutdown */
};

extern const trygon_class_t tg_queue_class;

#endif
