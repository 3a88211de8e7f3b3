/* fixture.h - parts of a core in the hands of a test.
 *
 * A rig is one rank: its context and the parts that tell each other things,
 * without a head.  A test makes up the messages that come in and reads, action
 * by action, what goes out.  Every change ends in rig_settle(), which checks
 * all invariants, so each test checks them as well.
 */
#ifndef TG_TESTS_CORE_FIXTURE_H
#define TG_TESTS_CORE_FIXTURE_H

#include "core/owner.h"
#include "core/waits.h"
#include "core/worker.h"

static const uint64_t us = 1000, ms = 1000000;

/* ----- a context: its actions, and no parts ------------------------------- */

void ctx_start(struct tg_ctx *ctx, int32_t rank, int32_t nranks);
void ctx_stop(struct tg_ctx *ctx);
/* Take the first message of this type to that rank; false: there is none.
 * The test finishes *m. */
bool ctx_sent(struct tg_ctx *ctx, int32_t to, enum tg_msg_type type,
              struct tg_msg *m);
/* The same for a test that need not see it. */
bool ctx_said(struct tg_ctx *ctx, int32_t to, enum tg_msg_type type);
uint32_t ctx_count(const struct tg_ctx *ctx, enum tg_msg_type type);
/* Take the first action of this type (not SEND); false: there is none. */
bool ctx_acted(struct tg_ctx *ctx, enum tg_action_type type,
               struct tg_action *a);
void ctx_clear(struct tg_ctx *ctx);

/* ----- values and items ---------------------------------------------------- */

struct tg_val *val_text(const char *text);
struct tg_val *val_bytes(size_t size);
struct tg_val *val_refs(uint32_t n, const trygon_ref_t *refs); /* and nothing */
struct tg_val *val_failed(int32_t code);
struct tg_item item_val(struct tg_val *v);
struct tg_item item_ref(trygon_ref_t ref);
struct tg_items items(uint32_t n, ...); /* of struct tg_item, for a message */
struct tg_shape shape_cpus(int64_t amount); /* in 1/TG_UNIT */

/* ----- a rank --------------------------------------------------------------- */

enum { RIG_RANKS = 4, RIG_FNS = 3 }; /* functions "f", "g", "h" */

struct rig {
    struct tg_ctx ctx;
    struct tg_objs objs;
    struct tg_streams streams;
    struct tg_owner owner;
    struct tg_worker worker;
    struct tg_waits waits;
};

void rig_start(struct rig *r, int32_t rank);
void rig_stop(struct rig *r);
/* Pass on notices until there are none, send drops, check everything. */
void rig_settle(struct rig *r);
/* A message comes in; it is taken over. */
void rig_msg(struct rig *r, int32_t from, struct tg_msg *m);
/* Time goes by, timers and all. */
void rig_sleep(struct rig *r, uint64_t ns);
/* That rank is lost. */
void rig_gone(struct rig *r, int32_t rank);
/* A put by user code, and its end. */
trygon_ref_t rig_put(struct rig *r, struct tg_val *v);
void rig_release(struct rig *r, trygon_ref_t ref);
struct tg_obj *rig_obj(const struct rig *r, trygon_ref_t ref);
/* Deliver what n rigs (by rank; NULL: not there) have for each other, until
 * nothing is under way. */
void rigs_deliver(struct rig *const *rigs, int32_t n);

#endif
