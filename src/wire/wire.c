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

static void code_ref(struct tg_coder *c, trygon_ref_t *ref)
{
    tg_code_u64(c, &ref->hi);
    tg_code_u64(c, &ref->lo);
}

static void code_weighted(struct tg_coder *c, struct tg_weighted *w)
{
    code_ref(c, &w->ref);
    tg_code_u64(c, &w->weight);
}

#define ENDS(array_) (memchr((array_), 0, sizeof(array_)) != NULL)

/* An error is printed by whoever gets it: its strings must end. */
static bool error_ok(const struct tg_val *v)
{
    uint64_t n = v->size / sizeof(struct trygon_error);
    for (uint32_t i = 0; i < n; i++) {
        const struct trygon_error *e = tg_val_err(v, i);
        bool few = (uint64_t)e->ncauses < n - i; /* not negative either */
        if (e->size != sizeof *e || e->code >= 0 || !few ||
            !ENDS(e->function) || !ENDS(e->host) || !ENDS(e->text))
            return false;
    }
    return true;
}

static bool error_head_ok(const struct tg_val *v)
{
    uint64_t one = sizeof(struct trygon_error);
    return v->type == TRYGON_BYTE && v->ndim == 0 && v->nrefs == 0 &&
           v->size > 0 && v->size % one == 0 && v->size <= TG_CAUSES_MAX * one;
}

/* What the bytes of a value are. */
enum { BYTES, ERROR, STORED };
enum { PLACE_LEAST = 9 };

/* What can be said of a value before its parts are there. */
static void code_head(struct tg_coder *c, struct tg_val *v)
{
    uint8_t type = v->type, ndim = v->ndim;
    uint8_t what = v->error ? ERROR : v->stored ? STORED : BYTES;
    uint64_t size = v->size;
    tg_code_u8(c, &type, TRYGON_COMPLEX128);
    tg_code_u8(c, &ndim, TRYGON_MAX_DIMS);
    tg_code_u8(c, &what, STORED);
    tg_code_u32(c, &v->nrefs, UINT32_MAX);
    tg_code_within(c, &size, what == STORED, TG_WIRE_SIZE_MAX);
    v->type = type;
    v->ndim = ndim & 0xfu;
    v->error = what == ERROR;
    v->stored = what == STORED;
    v->size = size & (2 * TG_WIRE_SIZE_MAX - 1);
    tg_code_must(c, !v->error || error_head_ok(v));
}

/* Whether the bytes are in the body. */
static bool embedded(const struct tg_val *v)
{
    return !v->stored && v->size <= TG_WIRE_EMBED;
}

static struct tg_val *new_value(struct tg_coder *c, const struct tg_val *head)
{
    uint64_t least = head->ndim + (uint64_t)head->nrefs * 16 +
                     (head->stored     ? PLACE_LEAST
                      : embedded(head) ? head->size
                                       : 0);
    if (c->rc != 0 || !tg_code_must(c, least <= c->left))
        return NULL;
    struct tg_val *v =
        head->stored
            ? tg_val_new_stored(head->size, head->ndim, head->nrefs, 0, 0)
            : tg_val_new(head->size, head->ndim, head->nrefs);
    if (v == NULL) {
        tg_code_fail(c, TRYGON_ERR_NOMEM);
        return NULL;
    }
    v->type = head->type;
    v->error = head->error;
    return v;
}

static void code_value(struct tg_coder *c, struct tg_val **val)
{
    struct tg_val head = {0};
    if (!tg_reading(c))
        head = **val;
    code_head(c, &head);
    if (tg_reading(c))
        *val = new_value(c, &head);
    struct tg_val *v = *val;
    if (v == NULL)
        return;
    for (uint32_t i = 0; i < v->ndim; i++)
        tg_code_i64(c, &tg_val_dims(v)[i]);
    for (uint32_t i = 0; i < v->nrefs; i++)
        code_ref(c, &tg_val_refs(v)[i]);
    if (v->stored)
        tg_code_place(c, tg_val_place(v));
    else if (embedded(v))
        tg_code_bytes(c, tg_val_data(v), (size_t)v->size);
    else
        tg_code_attach(c, tg_val_data(v), v->size);
    if (v->error && embedded(v) && c->rc == 0)
        tg_code_must(c, error_ok(v));
}

/* How an item travels.  From PLAIN on: most values are few bytes without a
 * shape, of which only the size, how - PLAIN, need be said. */
enum { BY_REF, BY_VALUE, BY_VALUE_WEIGHED, BY_REF_PLACED, PLAIN };
enum { ITEM_LEAST = 1 }; /* no bytes */

static bool is_plain(const struct tg_val *v)
{
    return v->nrefs == 0 && v->size <= TG_WIRE_EMBED && v->ndim == 0 &&
           v->type == TRYGON_BYTE && !v->error && !v->stored;
}

static uint64_t how_of(const struct tg_item *it)
{
    if (it->val == NULL)
        return it->place != NULL ? BY_REF_PLACED : BY_REF;
    if (is_plain(it->val))
        return PLAIN + it->val->size;
    return it->weights != NULL && it->val->nrefs > 0 ? BY_VALUE_WEIGHED
                                                     : BY_VALUE;
}

static void code_plain(struct tg_coder *c, struct tg_val **val, size_t size)
{
    if (tg_reading(c)) {
        if (!tg_code_must(c, size <= c->left))
            return;
        *val = tg_vals_new(c->vals, size);
        if (*val == NULL)
            *val = tg_val_new(size, 0, 0);
        if (*val == NULL) {
            tg_code_fail(c, TRYGON_ERR_NOMEM);
            return;
        }
    }
    if (size == sizeof(uint64_t)) /* one number, mostly */
        tg_code_raw(c, tg_val_data(*val), sizeof(uint64_t));
    else
        tg_code_bytes(c, tg_val_data(*val), size);
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
    code_value(c, &it->place);
    tg_code_must(
        c, !tg_ref_actor(it->ref) &&
               (c->rc != 0 || (it->place->stored && it->place->nrefs == 0)));
}

/* Kept apart from code_item(), which is shorter without it. */
static __attribute__((noinline)) void
code_less_plain(struct tg_coder *c, struct tg_item *it, uint64_t how)
{
    if (how == BY_REF || how == BY_REF_PLACED) {
        code_ref(c, &it->ref);
        tg_code_u64(c, &it->weight);
        if (how == BY_REF_PLACED)
            code_known(c, it);
        return;
    }
    code_value(c, &it->val);
    if (c->rc == 0 && tg_code_must(c, !is_plain(it->val)) &&
        how == BY_VALUE_WEIGHED)
        code_weights(c, it);
}

static void code_item(struct tg_coder *c, struct tg_item *it)
{
    uint64_t how = tg_reading(c) ? 0 : how_of(it);
    if (!tg_code_within(c, &how, BY_REF, PLAIN + TG_WIRE_EMBED))
        return;
    if (how >= PLAIN)
        code_plain(c, &it->val, (size_t)how - PLAIN);
    else
        code_less_plain(c, it, how);
}

/* How many has been visited. */
static void code_items(struct tg_coder *c, struct tg_items *v, uint32_t max)
{
    uint32_t n = v->n;
    if (!tg_code_must(c, n <= max) ||
        (tg_reading(c) && !tg_code_must(c, n <= c->left / ITEM_LEAST))) {
        v->n = 0;
        return;
    }
    if (tg_reading(c) && n > 1) /* one is in place */
        tg_items_init(v, n);
    struct tg_item *at = tg_items_at(v);
    for (uint32_t i = 0; i < n; i++)
        code_item(c, &at[i]);
}

/* ----- the same, for the other files ----------------------------------- */

void tg_code_ref(struct tg_coder *c, trygon_ref_t *ref)
{
    code_ref(c, ref);
}

void tg_code_item(struct tg_coder *c, struct tg_item *it)
{
    code_item(c, it);
}

void tg_code_items(struct tg_coder *c, struct tg_items *v, uint32_t max)
{
    code_items(c, v, max);
}

/* ----- messages, as in msg.h -------------------------------------------- */

enum { WEIGHTED_LEAST = 24, ATTEMPT_LEAST = 9 };
enum { NOTE_MAX = 1 << 20 };

enum {
    RUN_FIXED = 3 * 8 + 4 * 4 + 2,
    DONE_FIXED = 3 * 8 + 3 * 4,
    ITEM_FIXED = 2 * 8 + 2 * 4
};

tg_visit run_head(struct tg_fixed *f, struct tg_msg_run *m)
{
    tg_fixed_u64(f, &m->lease);
    tg_fixed_u64(f, &m->task);
    tg_fixed_u64(f, &m->number);
    tg_fixed_i32(f, &m->attempt);
    tg_fixed_i32(f, &m->depth);
    tg_fixed_u32(f, &m->fn);
    tg_fixed_u16(f, &m->nreturns);
    tg_fixed_u32(f, &m->args.n);
}

static void code_run(struct tg_coder *c, struct tg_msg_run *m)
{
    tg_code_fixed(c, RUN_FIXED, run_head, m);
    code_items(c, &m->args, UINT32_MAX);
    tg_code_text(c, &m->name, TG_NAME_MAX);
    tg_code_uint(c, &m->limit);
    tg_code_must(c, m->limit == 0 || m->nreturns == 0);
}

static bool creates_ok(const struct tg_msg_run *m)
{
    return m->seq == 0 || m->nreturns >= TG_CREATES(1, false);
}

tg_visit done_head(struct tg_fixed *f, struct tg_msg_done *m)
{
    tg_fixed_u64(f, &m->lease);
    tg_fixed_u64(f, &m->task);
    tg_fixed_u64(f, &m->ran_ns);
    tg_fixed_i32(f, &m->attempt);
    tg_fixed_i32(f, &m->code);
    tg_fixed_u32(f, &m->returns.n);
}

static void code_done(struct tg_coder *c, struct tg_msg_done *m)
{
    tg_code_fixed(c, DONE_FIXED, done_head, m);
    code_items(c, &m->returns, TG_RETURNS_MAX);
    bool failed = m->error != NULL;
    tg_code_bool(c, &failed);
    if (failed)
        code_value(c, &m->error);
    tg_code_within(c, &m->yielded, 0, TG_ITEMS_MAX);
    tg_code_u32(c, &m->bounces, UINT32_MAX);
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

static void code_item_msg(struct tg_coder *c, struct tg_msg_item *m)
{
    tg_code_fixed(c, ITEM_FIXED, item_head, m);
    tg_code_must(c, m->index < TG_ITEMS_MAX);
    code_item(c, &m->item);
    tg_code_must(c, m->item.val != NULL && !m->item.val->error);
}

static void code_taken(struct tg_coder *c, struct tg_msg_taken *m)
{
    tg_code_u64(c, &m->exec);
    tg_code_uint(c, &m->n);
}

static void code_watch(struct tg_coder *c, struct tg_msg_watch *m)
{
    code_ref(c, &m->ref);
    tg_code_bool(c, &m->fetch);
}

static void code_value_msg(struct tg_coder *c, struct tg_msg_value *m)
{
    code_ref(c, &m->ref);
    tg_code_uint(c, &m->size);
    tg_code_bool(c, &m->here);
    if (m->here) {
        code_item(c, &m->item);
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
    code_ref(c, &m->ref);
    tg_code_bool(c, &m->recursive);
}

static void code_locate(struct tg_coder *c, struct tg_msg_locate *m)
{
    code_ref(c, &m->ref);
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

static void code_body(struct tg_coder *c, struct tg_msg *m)
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
        code_run(c, &m->u.run);
        tg_code_uint(c, &m->u.run.seq); /* mostly 0 */
        tg_code_must(c, creates_ok(&m->u.run));
        break;
    case TG_MSG_CALL:
        code_run(c, &m->u.run);
        tg_code_u64(c, &m->u.run.seq);
        tg_code_u8(c, &m->u.run.group, TG_GROUPS_MAX - 1);
        break;
    case TG_MSG_UNCALL:
        code_cancel(c, &m->u.cancel);
        tg_code_uint(c, &m->u.cancel.seq);
        tg_code_u8(c, &m->u.cancel.group, TG_GROUPS_MAX - 1);
        break;
    case TG_MSG_LEAVE:
    case TG_MSG_LEFT: code_leave(c, &m->u.leave); break;
    case TG_MSG_DONE: code_done(c, &m->u.done); break;
    case TG_MSG_BOUNCE: code_bounce(c, &m->u.bounce); break;
    case TG_MSG_CANCEL: code_cancel(c, &m->u.cancel); break;
    case TG_MSG_ITEM: code_item_msg(c, &m->u.item); break;
    case TG_MSG_TAKEN: code_taken(c, &m->u.taken); break;
    case TG_MSG_WATCH: code_watch(c, &m->u.watch); break;
    case TG_MSG_VALUE:
    case TG_MSG_PLACE: code_value_msg(c, &m->u.value); break;
    case TG_MSG_LOCATE: code_locate(c, &m->u.locate); break;
    case TG_MSG_DROP: code_drop(c, &m->u.drop); break;
    case TG_MSG_MORE: code_ref(c, &m->u.more.w.ref); break;
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

static void code_msg(struct tg_coder *c, struct tg_msg *m)
{
    uint64_t type = (uint64_t)m->type;
    if (!tg_code_within(c, &type, 1, TG_MSG_LAST))
        return;
    m->type = (enum tg_msg_type)type;
    code_body(c, m);
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
    code_msg(&c, m);
    tg_writer_end(&c);
}

int tg_wire_decode(const unsigned char *p, size_t n, struct tg_vals *vals,
                   struct tg_msg *m, struct tg_attached *att)
{
    static const struct tg_msg none; /* memset() of so few bytes is slower */
    *m = none;
    uint32_t had = att->n;
    struct tg_coder c = {.p = p, .left = n, .vals = vals, .att = att};
    code_msg(&c, m);
    tg_code_must(&c, c.left == 0);
    if (c.rc != 0) {
        att->n = had;
        tg_msg_fini(m);
    }
    return c.rc;
}

static bool complete(const struct tg_val *v)
{
    return v == NULL || !v->error || error_ok(v);
}

bool tg_wire_complete(const struct tg_msg *m)
{
    struct tg_msg copy = *m; /* tg_msg_items() gives pointers to change */
    uint32_t n = 0;
    const struct tg_item *items = tg_msg_items(&copy, &n);
    for (uint32_t i = 0; i < n; i++)
        if (!complete(items[i].val))
            return false;
    return m->type != TG_MSG_DONE || complete(m->u.done.error);
}
