/* quiesce.h - the end of a run: when are all ranks quiet?
 *
 * The head asks every living rank in rounds whether it has anything left to do
 * and how many messages it has sent and received.  When all are quiet in two
 * rounds with the same counts, and as many were received as sent, nothing is
 * under way (Mattern's four counters) and all may leave.  Only messages between
 * living ranks are counted, so that the counts agree after a loss as well.
 */
#ifndef TG_CORE_QUIESCE_H
#define TG_CORE_QUIESCE_H

#include "core/ctx.h"

struct tg_core;
struct tg_quiesce;

struct tg_quiesce *tg_quiesce_new(struct tg_ctx *ctx);
void tg_quiesce_free(struct tg_quiesce **q);

/* Those that count are not counted themselves. */
static inline bool tg_quiesce_msg(enum tg_msg_type type)
{
    return type == TG_MSG_PROBE || type == TG_MSG_COUNTS || type == TG_MSG_BYE;
}

void tg_quiesce_probe(struct tg_core *core); /* rank 0: the next round */
void tg_quiesce_gone(struct tg_core *core);  /* rank 0: someone is lost */
void tg_quiesce_answer(struct tg_core *core, uint32_t round);
void tg_quiesce_counts(struct tg_quiesce *q, int32_t from,
                       const struct tg_msg_counts *m);

#endif
