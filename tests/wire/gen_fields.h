/* gen_fields.h - the fields of messages that have nothing to them: for gen.c,
 * which makes them up, and gen_same.c, which compares them.
 */
#ifndef TG_TESTS_WIRE_GEN_FIELDS_H
#define TG_TESTS_WIRE_GEN_FIELDS_H

#include <stddef.h>

#include "core/msg.h"

enum kind { U64, U32, I32, RANK, BOOL, REF, SHAPE };

struct field {
    enum tg_msg_type type;
    enum kind kind;
    size_t at, size; /* in the message; of a shape its pointer */
};

#define F(type_, field_, kind_)                                   \
    {                                                             \
        TG_MSG_##type_, kind_, offsetof(struct tg_msg, u.field_), \
            sizeof(((struct tg_msg *)0)->u.field_)                \
    }

static const struct field fields[] = {
    F(DEMAND, demand.cls, U64),
    F(DEMAND, demand.shape, SHAPE),
    F(DEMAND, demand.want, U32),
    F(DEMAND, demand.received, U32),
    F(DEMAND, demand.depth, I32),
    F(LEASE, lease.lease, U64),
    F(LEASE, lease.cls, U64),
    F(LEASE, lease.worker, RANK),
    F(REFUSE, refuse.cls, U64),
    F(REFUSE, refuse.final, BOOL),
    F(OPEN, open.lease, U64),
    F(OPEN, open.owner, RANK),
    F(OPEN, open.depth, I32),
    F(OPEN, open.shape, SHAPE),
    F(RECALL, close.lease, U64),
    F(CLOSE, close.lease, U64),
    F(CLOSED, close.lease, U64),
    F(LEND, close.lease, U64),
    F(RESUME, close.lease, U64),
    F(RUN, run.lease, U64),
    F(RUN, run.task, U64),
    F(RUN, run.number, U64),
    F(RUN, run.attempt, I32),
    F(RUN, run.depth, I32),
    F(RUN, run.fn, U32),
    F(CALL, run.lease, U64),
    F(CALL, run.task, U64),
    F(CALL, run.number, U64),
    F(CALL, run.attempt, I32),
    F(CALL, run.depth, I32),
    F(CALL, run.fn, U32),
    F(CALL, run.seq, U64),
    F(UNCALL, cancel.lease, U64),
    F(UNCALL, cancel.task, U64),
    F(UNCALL, cancel.seq, U64),
    F(UNCALL, cancel.attempt, I32),
    F(UNCALL, cancel.recursive, BOOL),
    F(KILL, cancel_ref.ref, REF),
    F(KILL, cancel_ref.recursive, BOOL),
    F(LOCATE, locate.ref, REF),
    F(LOCATE, locate.incarnation, I32),
    F(PLACE, value.ref, REF),
    F(PLACE, value.here, BOOL),
    F(LEAVE, leave.actor, U64),
    F(LEAVE, leave.obj, U64),
    F(LEFT, leave.actor, U64),
    F(LEFT, leave.obj, U64),
    F(DONE, done.lease, U64),
    F(DONE, done.task, U64),
    F(DONE, done.attempt, I32),
    F(DONE, done.ran_ns, U64),
    F(DONE, done.bounces, U32),
    F(ITEM, item.task, U64),
    F(ITEM, item.exec, U64),
    F(ITEM, item.attempt, I32),
    F(TAKEN, taken.exec, U64),
    F(TAKEN, taken.n, U64),
    F(BOUNCE, bounce.lease, U64),
    F(CANCEL, cancel.lease, U64),
    F(CANCEL, cancel.task, U64),
    F(CANCEL, cancel.attempt, I32),
    F(CANCEL, cancel.recursive, BOOL),
    F(WATCH, watch.ref, REF),
    F(WATCH, watch.fetch, BOOL),
    F(VALUE, value.ref, REF),
    F(VALUE, value.size, U64),
    F(VALUE, value.here, BOOL),
    F(MORE, more.w.ref, REF),
    F(WEIGHT, more.w.ref, REF),
    F(WEIGHT, more.w.weight, U64),
    F(CANCEL_REF, cancel_ref.ref, REF),
    F(CANCEL_REF, cancel_ref.recursive, BOOL),
    F(GONE, gone.rank, RANK),
    F(QUERY, query.waiter, U64),
    F(TABLE, table.waiter, U64),
    F(NAME, name.waiter, U64),
    F(NAME, name.fn, U32),
    F(NAME, name.ticket, U64),
    F(NAME, name.ref, REF),
    F(NAMED, named.waiter, U64),
    F(NAMED, named.ticket, U64),
    F(NAMED, named.item.ref, REF),
    F(NAMED, named.item.weight, U64),
    F(CREATE, create.waiter, U64),
    F(CREATE, create.fn, U32),
    F(CREATE, create.depth, I32),
    F(CREATE, create.max_restarts, I32),
    F(CREATE, create.shape, SHAPE),
    F(LIST, list.waiter, U64),
    F(FREE, cancel_ref.ref, REF),
    F(FREE, cancel_ref.recursive, BOOL),
    F(FADE, fade.freed, BOOL),
    F(ROWS, rows.waiter, U64),
    F(PULL, pull.number, U32),
    F(PULL, pull.blob, U64),
    F(PULL, pull.to, U64),
    F(DATA, data.number, U32),
    F(DATA, data.to, U64),
    F(ENDED, ended.status, I32),
    F(PROBE, counts.round, U32),
    F(COUNTS, counts.round, U32),
    F(COUNTS, counts.quiet, BOOL),
    F(COUNTS, counts.sent, U64),
    F(COUNTS, counts.received, U64),
    F(BYE, counts.round, U32),
};

enum { NFIELDS = sizeof fields / sizeof fields[0] };

#endif
