/* post.h - the post office of a rank: messages to frames and back.
 *
 * Sends encode at once and queue; tg_post_flush() hands frames to the
 * transport as credits allow.  Small messages to one rank arrive in order.  A
 * message with attachments, or too large for a frame, is announced in order
 * and delivered when its bytes have come, so later ones may overtake it; a
 * DATA with bytes is one of these.
 *
 * Knows no clock, lock or thread: the simulator runs it as it is.
 */
#ifndef TG_RANK_POST_H
#define TG_RANK_POST_H

#include "core/msg.h"
#include "net/net.h"

struct tg_post;

/* Where the bytes of DATA messages are (code 0 and n above 0), which travel
 * without a copy: in memory of those who send and who read them.  Called within
 * tg_post_send(), tg_post_fence() and tg_post_poll(), and calls none of them.
 *
 * From tg_post_send() to sent() the bytes stay as they are, and from into() to
 * got() the place is the transport's, even if nobody wants it any more.  When a
 * rank is fenced, MPI may still use both: neither sent() nor got() is called
 * then for what was under way, nor at the end, and that memory must never be
 * used for anything else. */
struct tg_post_ends {
    void *arg;
    /* The place for m->u.data.n bytes that are to come from that rank; NULL:
     * nobody wants them, and they are dropped. */
    void *(*into)(void *arg, int32_t from, const struct tg_msg *m);
    /* They are in the place that into() gave, m->u.data.bytes; tg_post_poll()
     * gives out the message next.  Where it was NULL, so is bytes, and got() is
     * not called. */
    void (*got)(void *arg, int32_t from, const struct tg_msg *m);
    /* m->u.data.bytes are not needed any more: they have left, or never will,
     * because the rank was lost before they went to the transport. */
    void (*sent)(void *arg, int32_t to, struct tg_msg *m);
};

/* The small values that come in are made in vals.  ends is copied; NULL: there
 * is nobody who sends DATA or wants any. */
int tg_post_create(int32_t rank, int32_t nranks, struct tg_vals *vals,
                   struct tg_net *net, const struct tg_net_ops *ops,
                   const struct tg_post_ends *ends, struct tg_post **post);
void tg_post_destroy(struct tg_post **post);

/* Takes the message over, but not the bytes of a DATA. */
void tg_post_send(struct tg_post *p, int32_t rank, struct tg_msg *m);
/* Give the transport what may leave.  Errors: MPI. */
int tg_post_flush(struct tg_post *p);
/* The same for a rank under load: a frame that is not full waits for more
 * while the two before it are still outstanding.  Call tg_post_flush() before
 * sleeping: their credits may be long in coming. */
int tg_post_flush_idle(struct tg_post *p);
/* The next message that is complete: 1 and *from, *m (the caller's to
 * finish); 0: none now.  Errors: MPI, INVALID (bytes that are no message). */
int tg_post_poll(struct tg_post *p, int32_t *from, struct tg_msg *m);
/* There is one for certain: the frame that came last has more of them. */
bool tg_post_more(const struct tg_post *p);
/* The rank is lost: forget what was for it or from it. */
void tg_post_fence(struct tg_post *p, int32_t rank);

/* Something could leave at the next flush. */
bool tg_post_due(const struct tg_post *p);
/* Nothing queued, nothing under way in either direction here. */
bool tg_post_quiet(const struct tg_post *p);
void tg_post_check(const struct tg_post *p);

#endif
