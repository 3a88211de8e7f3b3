/* wire.c - see wire.h; doc/wire.md has the layout in words.
 *
 * One description of each message, code_<what>(), both writes and reads it:
 * coder.h has the rules.  A new field is one line here.
 */
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/wire_impl.h"

/* ----- values and references ------------------------------------------- */

void tg_code_ref(struct tg_coder *c, trygon_ref_t *ref)
{
    tg_code_u64(c, &ref->hi);
    tg_code_u64(c, &ref->lo);
}

static void code_weighted(struct tg_coder *c, struct tg_weighted *w)
{
    tg_code_ref(c, &w->ref);
    tg_code_u64(c, &w->weight);
}

/* How an item travels.  From PLAIN on: most values are few bytes without a
 * shape, of which only the size, how - PLAIN, need be said. */
enum { BY_REF, BY_VALUE, BY_VALUE_WEIGHED, BY_REF_PLACED, PLAIN };
enum { ITEM_LEAST = 1 }; /* no bytes */

static inline bool is_plain(const struct tg_val *v)
{
    return v->nrefs == 0 && v->size <= TG_WIRE_EMBED && v->ndim == 0 &&
           v->type == TRYGON_BYTE && !v->error && !v->stored;
}

static inline uint64_t how_of(const struct tg_item *it)
{
    if (it->val == NULL)
        return it->place != NULL ? BY_REF_PLACED : BY_REF;
    if (is_plain(it->val))
        return PLAIN + it->val->size;
    return it->weights != NULL && it->val->nrefs > 0 ? BY_VALUE_WEIGHED
                                                     : BY_VALUE;
}

static struct tg_val *new_plain(struct tg_coder *c, size_t size)
{
    struct tg_val *v = tg_vals_new(c->vals, size);
    if (v == NULL)
        v = tg_val_new(size, 0, 0);
    if (v == NULL)
        tg_code_fail(c, TRYGON_ERR_NOMEM);
    return v;
}

static inline void copy_plain(unsigned char *to, const unsigned char *from,
                              size_t size)
{
    if (size == sizeof(uint64_t)) /* one number, mostly */
        memcpy(to, from, sizeof(uint64_t));
    else
        memcpy(to, from, size);
}

tg_visit code_plain(struct tg_coder *c, bool reading, struct tg_val **val,
                    size_t size)
{
    if (!reading) {
        copy_plain(tg_code_put(c, size), tg_val_plain(*val), size);
        return;
    }
    const unsigned char *from = tg_code_take(c, size);
    if (from != NULL && (*val = new_plain(c, size)) != NULL)
        copy_plain(tg_val_plain(*val), from, size);
}

static void code_weights(struct tg_coder *c, struct tg_item *it)
{
    uint32_t n = it->val->nrefs;
    tg_code_must(c, n > 0);
    it->weights = tg_code_room(c, it->weights, n, sizeof *it->weights, 8);
    for (uint32_t i = 0; i < tg_code_all(c, n); i++)
        tg_code_u64(c, &it->weights[i]);
}

/* What is known of the object besides. */
static void code_known(struct tg_coder *c, struct tg_item *it)
{
    tg_code_value(c, &it->place);
    tg_code_must(
        c, !tg_ref_actor(it->ref) &&
               (c->rc != 0 || (it->place->stored && it->place->nrefs == 0)));
}

/* Kept apart from visit_item(), which is shorter without it. */
static __attribute__((noinline)) void
code_less_plain(struct tg_coder *c, struct tg_item *it, uint64_t how)
{
    if (how == BY_REF || how == BY_REF_PLACED) {
        tg_code_ref(c, &it->ref);
        tg_code_u64(c, &it->weight);
        if (how == BY_REF_PLACED)
            code_known(c, it);
        return;
    }
    tg_code_value(c, &it->val);
    if (c->rc == 0 && tg_code_must(c, !is_plain(it->val)) &&
        how == BY_VALUE_WEIGHED)
        code_weights(c, it);
}

/* After a failure it is by a reference, of which nothing is left to read. */
tg_visit visit_item(struct tg_coder *c, bool reading, struct tg_item *it)
{
    uint64_t how = 0;
    if (reading)
        how = tg_read_within(c, BY_REF, PLAIN + TG_WIRE_EMBED);
    else
        tg_write_uint(c, how = how_of(it));
    if (how >= PLAIN)
        code_plain(c, reading, &it->val, (size_t)how - PLAIN);
    else
        code_less_plain(c, it, how);
}

void tg_code_item(struct tg_coder *c, struct tg_item *it)
{
    if (tg_reading(c))
        visit_item(c, true, it);
    else
        visit_item(c, false, it);
}

static __attribute__((noinline)) void code_many(struct tg_coder *c,
                                                struct tg_items *v)
{
    uint32_t n = v->n;
    if (tg_reading(c)) {
        v->n = 0;
        if (!tg_code_must(c, n <= c->left / ITEM_LEAST))
            return;
        tg_items_init(v, n);
    }
    for (uint32_t i = 0; i < n; i++)
        tg_code_item(c, &v->more[i]);
}

/* How many has been visited; one is in place. */
tg_visit visit_items(struct tg_coder *c, bool reading, struct tg_items *v)
{
    if (v->n == 1)
        visit_item(c, reading, &v->one);
    else if (v->n > 1)
        code_many(c, v);
}

void tg_code_items(struct tg_coder *c, struct tg_items *v)
{
    if (tg_reading(c))
        visit_items(c, true, v);
    else
        visit_items(c, false, v);
}

/* ----- messages, as in msg.h -------------------------------------------- */

enum { WEIGHTED_LEAST = 24, ATTEMPT_LEAST = 9 };
enum { NOTE_MAX = 1 << 20 };

enum {
    RUN_FIXED = 4 * 8 + 4 + 6,
    DONE_FIXED = 3 * 8 + 4 * 4 + 3,
    ITEM_FIXED = 2 * 8 + 2 * 4
};

/* What few runs and calls have besides, in this order. */
enum { HIGH = 1, NAME = 2, LIMIT = 4, BESIDES_ALL = HIGH | NAME | LIMIT };

static uint8_t besides_of(const struct tg_msg_run *m)
{
    uint32_t counts = (uint32_t)m->attempt | (uint32_t)m->depth;
    counts |= m->nreturns | m->args.n;
    return (uint8_t)((counts > UINT8_MAX ? HIGH : 0) |
                     (m->name != NULL ? NAME : 0) | (m->limit > 0 ? LIMIT : 0));
}

/* Counts that do not fit in a byte: the bits above it. */
static void code_high(struct tg_coder *c, struct tg_msg_run *m)
{
    uint32_t attempt = (uint32_t)m->attempt, depth = (uint32_t)m->depth;
    uint32_t n[] = {attempt >> 8, depth >> 8, (uint32_t)m->nreturns >> 8,
                    m->args.n >> 8};
    tg_code_u32(c, &n[0], UINT32_MAX >> 8);
    tg_code_u32(c, &n[1], UINT32_MAX >> 8);
    tg_code_u32(c, &n[2], UINT16_MAX >> 8);
    tg_code_u32(c, &n[3], UINT32_MAX >> 8);
    tg_code_must(c, (n[0] | n[1] | n[2] | n[3]) != 0);
    m->attempt = (int32_t)(n[0] << 8 | (attempt & UINT8_MAX));
    m->depth = (int32_t)(n[1] << 8 | (depth & UINT8_MAX));
    m->nreturns = (uint16_t)(n[2] << 8 | (m->nreturns & UINT8_MAX));
    m->args.n = n[3] << 8 | (m->args.n & UINT8_MAX);
}

static __attribute__((noinline)) void
code_besides(struct tg_coder *c, struct tg_msg_run *m, unsigned besides)
{
    tg_code_must(c, besides <= BESIDES_ALL);
    if ((besides & HIGH) != 0)
        code_high(c, m);
    if ((besides & NAME) != 0) {
        tg_code_text(c, &m->name, TG_NAME_MAX);
        tg_code_must(c, m->name != NULL);
    }
    if ((besides & LIMIT) != 0) {
        tg_code_uint(c, &m->limit);
        tg_code_must(c, m->limit > 0 && m->nreturns == 0);
    }
}

tg_visit run_head(struct tg_fixed *f, struct tg_msg_run *m, uint8_t *besides)
{
    uint8_t attempt = (uint8_t)m->attempt, depth = (uint8_t)m->depth;
    uint8_t nreturns = (uint8_t)m->nreturns, nargs = (uint8_t)m->args.n;
    tg_fixed_u64(f, &m->lease);
    tg_fixed_u64(f, &m->task);
    tg_fixed_u64(f, &m->number);
    tg_fixed_u64(f, &m->seq);
    tg_fixed_u32(f, &m->fn);
    tg_fixed_u8(f, &attempt);
    tg_fixed_u8(f, &depth);
    tg_fixed_u8(f, &nreturns);
    tg_fixed_u8(f, &nargs);
    tg_fixed_u8(f, &m->group);
    tg_fixed_u8(f, besides);
    if (f->reading) {
        m->attempt = attempt;
        m->depth = depth;
        m->nreturns = nreturns;
        m->args.n = nargs;
    }
}

/* Such that one with a number as its argument is, with what lies before it in
 * its slot, in one line of the cache (net_node.c). */
tg_visit code_run(struct tg_coder *c, bool reading, struct tg_msg_run *m)
{
    uint8_t besides = reading ? 0 : besides_of(m);
    tg_code_fixed(c, reading, RUN_FIXED, run_head, m, &besides);
    if (besides != 0)
        code_besides(c, m, besides);
    visit_items(c, reading, &m->args);
}

static bool run_ok(const struct tg_msg_run *m)
{
    return m->group == 0 &&
           (m->seq == 0 || m->nreturns >= TG_CREATES(1, false));
}

tg_visit done_head(struct tg_fixed *f, struct tg_msg_done *m, uint8_t *failed)
{
    uint32_t yielded = (uint32_t)m->yielded;
    uint16_t nreturns = (uint16_t)m->returns.n;
    TG_ASSERT(f->reading ||
              (m->yielded == yielded && m->returns.n == nreturns));
    tg_fixed_u64(f, &m->lease);
    tg_fixed_u64(f, &m->task);
    tg_fixed_u64(f, &m->ran_ns);
    tg_fixed_i32(f, &m->attempt);
    tg_fixed_i32(f, &m->code);
    tg_fixed_u32(f, &yielded);
    tg_fixed_u32(f, &m->bounces);
    tg_fixed_u16(f, &nreturns);
    tg_fixed_u8(f, failed);
    m->yielded = yielded;
    m->returns.n = nreturns;
}

tg_visit code_done(struct tg_coder *c, bool reading, struct tg_msg_done *m)
{
    uint8_t failed = m->error != NULL;
    tg_code_fixed(c, reading, DONE_FIXED, done_head, m, &failed);
    tg_code_must(c, failed <= 1 && m->yielded <= TG_ITEMS_MAX);
    visit_items(c, reading, &m->returns);
    if (failed != 0)
        tg_code_value(c, &m->error);
    tg_code_must(c, m->code == 0 ? m->error == NULL : m->returns.n == 0);
    tg_code_must(c, m->error == NULL || m->error->error);
}

static void code_bounce(struct tg_coder *c, struct tg_msg_bounce *m)
{
    tg_code_u64(c, &m->lease);
    uint64_t why = (uint64_t)m->why;
    tg_code_within(c, &why, TG_BOUNCE_CLOSED, TG_BOUNCE_ARGS);
    m->why = (enum tg_bounce)why;
    tg_code_u32(c, &m->n, UINT32_MAX);
    m->v = tg_code_room(c, m->v, m->n, sizeof *m->v, ATTEMPT_LEAST);
    for (uint32_t i = 0; i < tg_code_all(c, m->n); i++) {
        tg_code_u64(c, &m->v[i].task);
        tg_code_i32(c, &m->v[i].attempt);
    }
}

static void code_cancel(struct tg_coder *c, struct tg_msg_cancel *m)
{
    tg_code_u64(c, &m->lease);
    tg_code_u64(c, &m->task);
    tg_code_i32(c, &m->attempt);
    tg_code_bool(c, &m->recursive);
}

static void code_leave(struct tg_coder *c, struct tg_msg_leave *m)
{
    tg_code_u64(c, &m->actor);
    tg_code_u64(c, &m->obj);
    uint64_t why = (uint64_t)m->why;
    tg_code_within(c, &why, TG_LEAVE_SCOPE, TG_LEAVE_RESTART);
    m->why = (enum tg_leave)why;
}

tg_visit item_head(struct tg_fixed *f, struct tg_msg_item *m)
{
    tg_fixed_u64(f, &m->task);
    tg_fixed_u64(f, &m->exec);
    tg_fixed_i32(f, &m->attempt);
    uint32_t index = (uint32_t)m->index;
    TG_ASSERT(f->reading || m->index == index);
    tg_fixed_u32(f, &index);
    m->index = index;
}

tg_visit code_item_msg(struct tg_coder *c, bool reading, struct tg_msg_item *m)
{
    tg_code_fixed(c, reading, ITEM_FIXED, item_head, m);
    tg_code_must(c, m->index < TG_ITEMS_MAX);
    visit_item(c, reading, &m->item);
    tg_code_must(c, m->item.val != NULL && !m->item.val->error);
}

static void code_taken(struct tg_coder *c, struct tg_msg_taken *m)
{
    tg_code_u64(c, &m->exec);
    tg_code_uint(c, &m->n);
}

static void code_watch(struct tg_coder *c, struct tg_msg_watch *m)
{
    tg_code_ref(c, &m->ref);
    tg_code_bool(c, &m->fetch);
}

static void code_value_msg(struct tg_coder *c, struct tg_msg_value *m)
{
    tg_code_ref(c, &m->ref);
    tg_code_uint(c, &m->size);
    tg_code_bool(c, &m->here);
    if (m->here) {
        tg_code_item(c, &m->item);
        tg_code_must(c, m->item.val != NULL);
        tg_code_must(c, c->rc != 0 || !m->item.val->stored ||
                            !tg_ref_actor(m->ref));
    }
}

static void code_drop(struct tg_coder *c, struct tg_msg_drop *m)
{
    tg_code_u32(c, &m->n, UINT32_MAX);
    m->v = tg_code_room(c, m->v, m->n, sizeof *m->v, WEIGHTED_LEAST);
    for (uint32_t i = 0; i < tg_code_all(c, m->n); i++)
        code_weighted(c, &m->v[i]);
}

static void code_cancel_ref(struct tg_coder *c, struct tg_msg_cancel_ref *m)
{
    tg_code_ref(c, &m->ref);
    tg_code_bool(c, &m->recursive);
}

static void code_locate(struct tg_coder *c, struct tg_msg_locate *m)
{
    tg_code_ref(c, &m->ref);
    tg_code_i32(c, &m->incarnation);
}

static void code_note(struct tg_coder *c, struct tg_msg_note *m)
{
    tg_code_range(c, &m->level, TRYGON_LOG_ERROR, TRYGON_LOG_DEBUG);
    tg_code_text(c, &m->text, NOTE_MAX);
    tg_code_must(c, m->text != NULL);
}

static void code_counts(struct tg_coder *c, struct tg_msg_counts *m)
{
    tg_code_u32(c, &m->round, UINT32_MAX);
    tg_code_bool(c, &m->quiet);
    tg_code_uint(c, &m->sent);
    tg_code_uint(c, &m->received);
}

/* The direction is known to the messages that are sent most. */
tg_visit code_body(struct tg_coder *c, bool reading, struct tg_msg *m)
{
    switch (m->type) {
    case TG_MSG_DEMAND: tg_code_demand(c, &m->u.demand); break;
    case TG_MSG_LEASE: tg_code_lease(c, &m->u.lease); break;
    case TG_MSG_REFUSE: tg_code_refuse(c, &m->u.refuse); break;
    case TG_MSG_OPEN: tg_code_open(c, &m->u.open); break;
    case TG_MSG_RECALL:
    case TG_MSG_CLOSE:
    case TG_MSG_CLOSED:
    case TG_MSG_LEND:
    case TG_MSG_RESUME: tg_code_u64(c, &m->u.close.lease); break;
    case TG_MSG_RUN:
    case TG_MSG_CALL:
        code_run(c, reading, &m->u.run);
        tg_code_must(c, m->type == TG_MSG_CALL ? m->u.run.group < TG_GROUPS_MAX
                                               : run_ok(&m->u.run));
        break;
    case TG_MSG_UNCALL:
        code_cancel(c, &m->u.cancel);
        tg_code_uint(c, &m->u.cancel.seq);
        tg_code_u8(c, &m->u.cancel.group, TG_GROUPS_MAX - 1);
        break;
    case TG_MSG_LEAVE:
    case TG_MSG_LEFT: code_leave(c, &m->u.leave); break;
    case TG_MSG_DONE: code_done(c, reading, &m->u.done); break;
    case TG_MSG_BOUNCE: code_bounce(c, &m->u.bounce); break;
    case TG_MSG_CANCEL: code_cancel(c, &m->u.cancel); break;
    case TG_MSG_ITEM: code_item_msg(c, reading, &m->u.item); break;
    case TG_MSG_TAKEN: code_taken(c, &m->u.taken); break;
    case TG_MSG_WATCH: code_watch(c, &m->u.watch); break;
    case TG_MSG_VALUE:
    case TG_MSG_PLACE: code_value_msg(c, &m->u.value); break;
    case TG_MSG_LOCATE: code_locate(c, &m->u.locate); break;
    case TG_MSG_DROP: code_drop(c, &m->u.drop); break;
    case TG_MSG_MORE: tg_code_ref(c, &m->u.more.w.ref); break;
    case TG_MSG_WEIGHT: code_weighted(c, &m->u.more.w); break;
    case TG_MSG_FREE:
    case TG_MSG_KILL:
    case TG_MSG_CANCEL_REF: code_cancel_ref(c, &m->u.cancel_ref); break;
    case TG_MSG_GONE: tg_code_rank(c, &m->u.gone.rank); break;
    case TG_MSG_NOTE: code_note(c, &m->u.note); break;
    case TG_MSG_QUERY: tg_code_u64(c, &m->u.query.waiter); break;
    case TG_MSG_TABLE: tg_code_table(c, &m->u.table); break;
    case TG_MSG_ENDED: tg_code_i32(c, &m->u.ended.status); break;
    case TG_MSG_COUNTS: code_counts(c, &m->u.counts); break;
    case TG_MSG_NAME: tg_code_name(c, &m->u.name); break;
    case TG_MSG_NAMED: tg_code_named(c, &m->u.named); break;
    case TG_MSG_CREATE: tg_code_create(c, &m->u.create); break;
    case TG_MSG_LIST: tg_code_list(c, &m->u.list); break;
    case TG_MSG_ROWS: tg_code_rows(c, &m->u.rows); break;
    case TG_MSG_NEWS: tg_code_news(c, &m->u.news); break;
    case TG_MSG_FADE: tg_code_fade(c, &m->u.fade); break;
    case TG_MSG_HOME: tg_code_home(c, &m->u.home); break;
    case TG_MSG_FORGET: tg_code_forget(c, &m->u.forget); break;
    case TG_MSG_PULL: tg_code_pull(c, &m->u.pull); break;
    case TG_MSG_DATA: tg_code_data(c, &m->u.data); break;
    case TG_MSG_PROBE:
    case TG_MSG_BYE: tg_code_u32(c, &m->u.counts.round, UINT32_MAX); break;
    }
}

tg_visit code_msg(struct tg_coder *c, bool reading, struct tg_msg *m)
{
    uint64_t type = (uint64_t)m->type;
    if (!reading)
        tg_write_within(c, type, 1, TG_MSG_LAST);
    else if ((type = tg_read_within(c, 1, TG_MSG_LAST)) == 0)
        return;
    m->type = (enum tg_msg_type)type;
    code_body(c, reading, m);
}

/* ----- wire.h ------------------------------------------------------------ */

void tg_attached_fini(struct tg_attached *a)
{
    tg_vec_free(a);
}

void tg_wire_encode(struct tg_msg *m, struct tg_bytes *out,
                    struct tg_attached *att)
{
    struct tg_coder c = tg_writer(out, att);
    code_msg(&c, false, m);
    tg_writer_end(&c);
}

int tg_wire_decode(const unsigned char *p, size_t n, struct tg_vals *vals,
                   struct tg_msg *m, struct tg_attached *att)
{
    static const struct tg_msg none; /* memset() of so few bytes is slower */
    *m = none;
    uint32_t had = att->n;
    struct tg_coder c = {.p = p, .left = n, .vals = vals, .att = att};
    code_msg(&c, true, m);
    tg_code_must(&c, c.left == 0);
    if (c.rc != 0) {
        att->n = had;
        tg_msg_fini(m);
    }
    return c.rc;
}
