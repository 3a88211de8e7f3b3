/* streams.h - section 10 of the manual: streams.  Programs include
 * <trygon/trygon.h>, which includes this.
 */
#include <trygon/trygon.h> /* outside of the guard: it includes this in turn */

#ifndef TRYGON_STREAMS_H
#define TRYGON_STREAMS_H

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
 * 10  Streams
 * --------------------------------------------------------------------- */

/* A task that yields items one after another, each of which can be read before
 * the task is over (Ray: ObjectRefGenerator).  A stream is a reference of kind
 * TRYGON_KIND_STREAM.  It is no object: it is read on the rank that submitted
 * it, and cannot be got, be an argument, or travel in a value's refs (INVALID).
 * Release closes it: items not taken are freed, now or when they come, taken
 * ones live on, and the task runs to its end. */

/* Start a task that yields items.  As trygon_submit(), but: num_returns must be
 * its default or 0; backpressure may be set.  A rank that is lost, and codes in
 * retry_codes, run the task again from its first item; the reader sees each
 * index once.  So does, as with results, an item that is lost later: what of the
 * second run is not that item is not looked at, and what that run no longer
 * yields is OBJECT_LOST, or has the error that ended it (Ray).  Outputs the stream
 * with one count.
 * Errors: as trygon_submit(); INVALID also for backpressure 0 or below -1. */
TRYGON_API int trygon_submit_stream(trygon_t *tg, const char *task,
                                    size_t nargs, const trygon_value_t args[],
                                    const trygon_task_opts_t *opts,
                                    trygon_ref_t *stream);

/* Inside such a task: its next item, by copy.  With backpressure it then blocks
 * as long as that many items are yielded and not taken; meanwhile the CPU is
 * lent.  In a task of trygon_submit() with num_returns = k, the i-th yield is
 * return i.
 * Errors: CANCELLED (the task was asked to stop: end it; when it blocked, the
 * item is out); RETURNS (more than k yields, or 100 million items of a stream:
 * pass it on and the task fails; Ray drops what is too much); INVALID,
 * NOTFOUND, NOMEM as trygon_put(). */
TRYGON_API int trygon_call_yield(trygon_call_t *call,
                                 const trygon_value_t *value);

/* Wait for the next item and take it: a reference of its own, with one count.
 * Getting it may give an error: the task's own is the last item, whatever its
 * position; a task that was cancelled, or whose rank was lost without retries
 * left, has that error as its last item.  After trygon_cancel() the next item
 * is CANCELLED, even if others had come.
 * Errors: END (there are no more items, for ever after); TIMEOUT (try again,
 * nothing was lost); CANCELLED (the calling task was cancelled while it
 * waited); STATE (another thread waits for the next item); INVALID (no stream,
 * or another rank's), NOTFOUND (it was released), SHUTDOWN. */
TRYGON_API int trygon_stream_next(trygon_t *tg, trygon_ref_t stream,
                                  int64_t timeout_ms, trygon_ref_t *item);

/* Would trygon_stream_next() give an item at once?  False at the end (Ray).
 * Errors: INVALID, NOTFOUND. */
TRYGON_API int trygon_stream_next_ready(trygon_t *tg, trygon_ref_t stream,
                                        bool *ready);

/* Has everything been taken, the error included?  Errors: INVALID, NOTFOUND. */
TRYGON_API int trygon_stream_is_finished(trygon_t *tg, trygon_ref_t stream,
                                         bool *finished);

/* An object that is ready when the task is over, with one count: an empty value
 * when it ended by itself, even with an error of its own (which is an item);
 * else the error that ended it, such as WORKER_LOST or CANCELLED (Ray).
 * Errors: INVALID, NOTFOUND. */
TRYGON_API int trygon_stream_completed(trygon_t *tg, trygon_ref_t stream,
                                       trygon_ref_t *done);

/* The item is lent: retain it to keep it longer. */
typedef int (*trygon_item_fn)(trygon_t *tg, trygon_ref_t item, void *arg);

/* Call fn(tg, item, arg) for each item, in order, until it returns something
 * else than 0, which is then returned, or the stream ends, which is success.
 * Errors: as trygon_stream_next(). */
TRYGON_API int trygon_stream_foreach(trygon_t *tg, trygon_ref_t stream,
                                     trygon_item_fn fn, void *arg);

#ifdef __cplusplus
}
#endif
#endif
