/* gen.c - see gen.h.
 *
 * Fields of one place and one kind are in a table, for making and comparing
 * alike; what has pointers or limits of its own follows by hand.
 */
#include "gen.h"
#include "gen_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/owner.h"

/* ----- tg_val_new ------------------------------------------------------- */

struct tg_val *__real_tg_val_new(uint64_t size, uint32_t ndim, uint32_t nrefs);
struct tg_val *__wrap_tg_val_new(uint64_t size, uint32_t ndim, uint32_t nrefs);

static unsigned fail_in;

void gen_fail_val(unsigned n)
{
    fail_in = n;
}

struct tg_val *__wrap_tg_val_new(uint64_t size, uint32_t ndim, uint32_t nrefs)
{
    bool fail = fail_in > 0 && --fail_in == 0;
    if (fail || size >= GEN_VAL_MAX)
        return NULL;
    return __real_tg_val_new(size, ndim, nrefs);
}

struct tg_val *__real_tg_val_new_stored(uint64_t size, uint32_t ndim,
                                        uint32_t nrefs, int32_t rank,
                                        uint64_t blob);
struct tg_val *__wrap_tg_val_new_stored(uint64_t size, uint32_t ndim,
                                        uint32_t nrefs, int32_t rank,
                                        uint64_t blob);

struct tg_val *__wrap_tg_val_new_stored(uint64_t size, uint32_t ndim,
                                        uint32_t nrefs, int32_t rank,
                                        uint64_t blob)
{
    if (fail_in > 0 && --fail_in == 0)
        return NULL;
    return __real_tg_val_new_stored(size, ndim, nrefs, rank, blob);
}

/* ----- parts ------------------------------------------------------------ */

static uint32_t below(struct gen *g, uint32_t n)
{
    return tg_rng_below(&g->rng, n);
}

static uint64_t number(struct gen *g)
{
    uint64_t v = tg_rng_next(&g->rng);
    return v >> below(g, 64);
}

static int64_t integer(struct gen *g)
{
    int64_t v = (int64_t)number(g);
    return below(g, 2) == 0 ? v : ~v;
}

static int32_t rank(struct gen *g)
{
    if (below(g, 8) == 0)
        return -1;
    return (int32_t)(number(g) & 0xffffff);
}

static uint32_t count(struct gen *g, uint32_t most)
{
    return below(g, g->small ? 3 : most + 1);
}

static trygon_ref_t ref(struct gen *g)
{
    trygon_ref_t r;
    r.hi = number(g);
    r.lo = number(g);
    return r;
}

static void bytes(struct gen *g, unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)tg_rng_next(&g->rng);
}

/* Random letters up to a NUL somewhere; room is at least 1. */
static void line(struct gen *g, char *s, size_t room)
{
    size_t n = below(g, g->small && room > 9 ? 9 : (uint32_t)room);
    for (size_t i = 0; i < n; i++)
        s[i] = (char)(1 + below(g, 255));
    s[n] = 0;
}

static char *text(struct gen *g, size_t room)
{
    char *s = tg_alloc(room);
    line(g, s, room);
    return s;
}

static struct tg_val *error_val(struct gen *g)
{
    uint32_t n = 1 + (g->small ? 0 : below(g, TG_CAUSES_MAX));
    struct tg_val *v = tg_val_new(n * sizeof(struct trygon_error), 0, 0);
    TG_ASSERT(v != NULL);
    v->error = true;
    for (uint32_t i = 0; i < n; i++) {
        struct trygon_error e = {.size = sizeof e};
        e.code = -1 - (int32_t)below(g, 20);
        e.user_code = (int32_t)integer(g);
        e.rank = rank(g);
        e.ncauses = (int32_t)(n - i - 1);
        e.task = number(g);
        line(g, e.function, sizeof e.function);
        line(g, e.host, sizeof e.host);
        line(g, e.text, sizeof e.text);
        memcpy(tg_val_data(v) + i * sizeof e, &e, sizeof e);
    }
    return v;
}

static uint32_t val_size(struct gen *g)
{
    static const uint32_t sizes[] = {0, 1, 8, 8, 8, 127, 128};
    static const uint32_t more[] = {TG_WIRE_EMBED, TG_WIRE_EMBED + 1, 5000};
    uint32_t i = below(g, g->small ? 5 : 10);
    return i < 7 ? sizes[i] : more[i - 7];
}

static int32_t store(struct gen *g)
{
    return (int32_t)(number(g) & 0xffffff);
}

static uint64_t stored_size(struct gen *g)
{
    return 1 + number(g) % TG_WIRE_SIZE_MAX;
}

static struct tg_val *stored_val(struct gen *g, uint32_t ndim, uint32_t nrefs)
{
    uint64_t size = stored_size(g);
    struct tg_place at = {.rank = store(g)};
    at.blob = number(g);
    at.here = number(g); /* that does not travel, nor does this */
    at.away = below(g, 2) != 0;
    struct tg_val *v = tg_val_new_stored(size, ndim, nrefs, at.rank, at.blob);
    TG_ASSERT(v != NULL);
    *tg_val_place(v) = at;
    return v;
}

static struct tg_val *some_val(struct gen *g)
{
    bool plain = below(g, 3) == 0;
    uint32_t ndim = plain ? 0 : count(g, TRYGON_MAX_DIMS);
    uint32_t nrefs = plain ? 0 : count(g, 20);
    struct tg_val *v = below(g, 4) == 0 ? stored_val(g, ndim, nrefs)
                                        : tg_val_new(val_size(g), ndim, nrefs);
    TG_ASSERT(v != NULL);
    v->type = plain ? TRYGON_BYTE : (uint8_t)below(g, TRYGON_COMPLEX128 + 1);
    for (uint32_t i = 0; i < v->ndim; i++)
        tg_val_dims(v)[i] = integer(g);
    for (uint32_t i = 0; i < v->nrefs; i++)
        tg_val_refs(v)[i] = ref(g);
    if (!v->stored)
        bytes(g, tg_val_data(v), (size_t)v->size);
    return v;
}

static void item(struct gen *g, struct tg_item *it, bool by_ref)
{
    if (by_ref) {
        it->ref = ref(g);
        it->weight = number(g);
        if (!tg_ref_actor(it->ref) && below(g, 2) == 0)
            it->place = stored_val(g, 0, 0);
        return;
    }
    it->val = below(g, 6) == 0 ? error_val(g) : some_val(g);
    uint32_t n = it->val->nrefs;
    if (n == 0 || below(g, 3) == 0)
        return;
    it->weights = tg_alloc(n * sizeof *it->weights);
    for (uint32_t i = 0; i < n; i++)
        it->weights[i] = number(g);
}

static void items(struct gen *g, struct tg_items *v)
{
    tg_items_init(v, count(g, 6));
    for (uint32_t i = 0; i < v->n; i++)
        item(g, &tg_items_at(v)[i], below(g, 3) == 0);
}

static void amounts(struct gen *g, int64_t v[TG_RES_MAX])
{
    uint32_t dense = below(g, 4);
    for (unsigned i = 0; i < TG_RES_MAX; i++)
        if (below(g, 4) < dense)
            v[i] = integer(g);
}

static void shape(struct gen *g, struct tg_shape *s)
{
    amounts(g, s->amount);
    s->strategy = (int32_t)below(g, 3);
    s->node = (int32_t)integer(g);
    s->soft = below(g, 2) != 0;
    s->fail = below(g, 2) != 0;
}

static struct tg_shape *new_shape(struct gen *g)
{
    struct tg_shape *s = tg_alloc(sizeof *s);
    shape(g, s);
    return s;
}

static void gen_field(struct gen *g, enum kind kind, void *at)
{
    switch (kind) {
    case U64: *(uint64_t *)at = number(g); break;
    case U32: *(uint32_t *)at = (uint32_t)number(g); break;
    case I32: *(int32_t *)at = (int32_t)integer(g); break;
    case RANK: *(int32_t *)at = rank(g); break;
    case BOOL: *(bool *)at = below(g, 2) != 0; break;
    case REF: *(trygon_ref_t *)at = ref(g); break;
    case SHAPE: *(struct tg_shape **)at = new_shape(g); break;
    }
}

/* ----- the rest --------------------------------------------------------- */

static void gen_demand(struct gen *g, struct tg_msg_demand *m)
{
    m->nprefer = (int32_t)below(g, TG_PREFER_MAX + 1);
    for (int32_t i = 0; i < m->nprefer; i++)
        m->prefer[i] = rank(g);
}

static void gen_open(struct gen *g, struct tg_msg_open *m)
{
    m->ncpus = count(g, 20);
    m->ngpus = count(g, 8);
    uint32_t n = m->ncpus + m->ngpus;
    m->ids = n > 0 ? tg_alloc(n * sizeof *m->ids) : NULL;
    for (uint32_t i = 0; i < n; i++)
        m->ids[i] = (int32_t)integer(g);
}

static void gen_run(struct gen *g, struct tg_msg_run *m, bool call)
{
    m->limit = below(g, 3) > 0 ? 0 : 1 + (number(g) >> 1);
    m->nreturns =
        m->limit > 0 ? (uint16_t)0 : (uint16_t)below(g, TG_RETURNS_MAX + 1);
    if (below(g, 3) > 0) { /* as they mostly are */
        m->attempt &= UINT8_MAX;
        m->depth &= UINT8_MAX;
        m->nreturns &= UINT8_MAX;
    }
    if (call || m->nreturns < 2 || below(g, 3) > 0)
        m->seq = call ? m->seq : 0;
    else
        m->seq = number(g); /* of a constructor */
    items(g, &m->args);
    m->name = below(g, 2) == 0 ? text(g, TG_NAME_MAX) : NULL;
    m->group = call ? (uint8_t)below(g, TG_GROUPS_MAX) : 0;
}

static void gen_item(struct gen *g, struct tg_msg_item *m)
{
    m->index = number(g) % TG_ITEMS_MAX;
    item(g, &m->item, false);
    if (m->item.val->error) { /* that never travels so */
        tg_item_fini(&m->item);
        m->item.val = some_val(g);
    }
}

static void gen_done(struct gen *g, struct tg_msg_done *m)
{
    m->yielded = number(g) % (TG_ITEMS_MAX + 1);
    if (below(g, 3) > 0) {
        items(g, &m->returns);
        return;
    }
    m->code = below(g, 2) == 0 ? -3 : 1 + (int32_t)(number(g) >> 34);
    m->error = below(g, 4) > 0 ? error_val(g) : NULL;
}

static void gen_bounce(struct gen *g, struct tg_msg_bounce *m)
{
    m->why = (enum tg_bounce)(TG_BOUNCE_CLOSED + below(g, 3));
    m->n = count(g, 20);
    m->v = m->n > 0 ? tg_alloc(m->n * sizeof *m->v) : NULL;
    for (uint32_t i = 0; i < m->n; i++) {
        m->v[i].task = number(g);
        m->v[i].attempt = (int32_t)integer(g);
    }
}

static void gen_drop(struct gen *g, struct tg_msg_drop *m)
{
    m->n = count(g, 20);
    m->v = m->n > 0 ? tg_alloc(m->n * sizeof *m->v) : NULL;
    for (uint32_t i = 0; i < m->n; i++) {
        m->v[i].ref = ref(g);
        m->v[i].weight = number(g);
    }
}

static void gen_table(struct gen *g, struct tg_msg_table *m)
{
    m->n = count(g, 10);
    m->v = m->n > 0 ? tg_alloc(m->n * sizeof *m->v) : NULL;
    for (uint32_t i = 0; i < m->n; i++) {
        m->v[i].rank = rank(g);
        m->v[i].alive = below(g, 2) != 0;
        amounts(g, m->v[i].total);
        amounts(g, m->v[i].avail);
    }
}

static void gen_both(struct gen *g, struct tg_name *name)
{
    line(g, name->space, sizeof name->space);
    line(g, name->name + 1, sizeof name->name - 1);
    name->name[0] = 'n';
    memset(name->space + strlen(name->space), 0,
           sizeof name->space - strlen(name->space));
    memset(name->name + strlen(name->name), 0,
           sizeof name->name - strlen(name->name));
}

/* Who asks says who waits for which name; who sets or frees one, its ticket. */
static void gen_name(struct gen *g, struct tg_msg_name *m)
{
    static const trygon_ref_t none;
    m->op = (enum tg_name_op)(TG_NAME_RESERVE + below(g, TG_NAME_LOST));
    if (m->op != TG_NAME_SET)
        m->ref = none;
    if (m->op > TG_NAME_FIND) {
        m->waiter = m->fn = 0;
        return;
    }
    m->ticket = 0;
    m->name = tg_alloc(sizeof *m->name);
    gen_both(g, m->name);
}

static void gen_create(struct gen *g, struct tg_msg_create *m)
{
    struct tg_create *x = tg_alloc(sizeof *x);
    m->create = x;
    x->concurrency = 1 + below(g, TG_CONCURRENCY_MAX);
    x->max_pending = (int32_t)integer(g);
    x->max_task_retries = (int32_t)integer(g);
    x->keeps = below(g, 2) != 0;
    x->any_order = below(g, 2) != 0;
    x->detached = below(g, 2) != 0;
    x->ticket = number(g);
    if (below(g, 2) == 0)
        gen_both(g, &x->name);
    items(g, &m->args);
}

static void gen_value(struct gen *g, struct tg_msg_value *m)
{
    do {
        tg_item_fini(&m->item);
        item(g, &m->item, false);
    } while (m->item.val->stored && tg_ref_actor(m->ref));
}

static void gen_news(struct gen *g, struct tg_msg_news *m)
{
    m->n = 1 + count(g, TG_NEWS_MAX - 1);
    m->v = tg_alloc(m->n * sizeof *m->v);
    for (uint32_t i = 0; i < m->n; i++) {
        m->v[i].ref = ref(g);
        m->v[i].op = (enum tg_news_op)(1 + below(g, TG_NEWS_LAST));
        if (m->v[i].op == TG_NEWS_NEW) {
            m->v[i].rank = store(g);
            m->v[i].size = stored_size(g);
        } else if (m->v[i].op == TG_NEWS_HOME) {
            m->v[i].size = number(g);
        }
    }
}

static void gen_fade(struct gen *g, struct tg_msg_fade *m)
{
    m->n = 1 + count(g, 300);
    m->v = tg_alloc(m->n * sizeof *m->v);
    for (uint32_t i = 0; i < m->n; i++)
        m->v[i] = ref(g);
}

static void gen_forget(struct gen *g, struct tg_msg_forget *m)
{
    m->n = 1 + count(g, 300);
    m->v = tg_alloc(m->n * sizeof *m->v);
    for (uint32_t i = 0; i < m->n; i++)
        m->v[i] = number(g);
}

static const unsigned char some_bytes[5000] = {1, 2, 3};

static void gen_data(struct gen *g, struct tg_msg_data *m)
{
    uint32_t which = below(g, 4);
    if (which == 0) {
        m->code = TG_DATA_MOVED;
        m->rank = store(g);
        m->blob = number(g);
    } else if (which == 1) {
        m->code = -1 - (int32_t)(number(g) >> 33);
    } else {
        m->n = which == 2 || g->small ? 0 : 1 + below(g, sizeof some_bytes);
        m->offset = number(g) % (TG_WIRE_SIZE_MAX - m->n + 1);
        m->bytes = some_bytes;
        m->cookie = g; /* neither it nor where the bytes are travels */
    }
}

void gen_msg(struct gen *g, enum tg_msg_type type, struct tg_msg *m)
{
    memset(m, 0, sizeof *m);
    m->type = type;
    for (size_t i = 0; i < NFIELDS; i++)
        if (fields[i].type == type)
            gen_field(g, fields[i].kind, (char *)m + fields[i].at);
    if (type == TG_MSG_DEMAND) {
        gen_demand(g, &m->u.demand);
    } else if (type == TG_MSG_REFUSE) {
        m->u.refuse.reason = text(g, TG_REASON_MAX);
    } else if (type == TG_MSG_OPEN) {
        gen_open(g, &m->u.open);
    } else if (type == TG_MSG_LEAVE || type == TG_MSG_LEFT) {
        m->u.leave.why = (enum tg_leave)(TG_LEAVE_SCOPE + below(g, 5));
    } else if (type == TG_MSG_RUN || type == TG_MSG_CALL) {
        gen_run(g, &m->u.run, type == TG_MSG_CALL);
    } else if (type == TG_MSG_UNCALL) {
        m->u.cancel.group = (uint8_t)below(g, TG_GROUPS_MAX);
    } else if (type == TG_MSG_ITEM) {
        gen_item(g, &m->u.item);
    } else if (type == TG_MSG_DONE) {
        gen_done(g, &m->u.done);
    } else if (type == TG_MSG_BOUNCE) {
        gen_bounce(g, &m->u.bounce);
    } else if ((type == TG_MSG_VALUE || type == TG_MSG_PLACE) &&
               m->u.value.here) {
        gen_value(g, &m->u.value);
    } else if (type == TG_MSG_DROP) {
        gen_drop(g, &m->u.drop);
    } else if (type == TG_MSG_NOTE) {
        m->u.note.level = 1 + (int32_t)below(g, 4);
        m->u.note.text = text(g, 300);
    } else if (type == TG_MSG_TABLE) {
        gen_table(g, &m->u.table);
    } else if (type == TG_MSG_NAME) {
        gen_name(g, &m->u.name);
    } else if (type == TG_MSG_NAMED) {
        m->u.named.code = -(int32_t)below(g, 40);
    } else if (type == TG_MSG_CREATE) {
        gen_create(g, &m->u.create);
    } else if (type == TG_MSG_NEWS) {
        gen_news(g, &m->u.news);
    } else if (type == TG_MSG_FADE) {
        gen_fade(g, &m->u.fade);
    } else if (type == TG_MSG_HOME) {
        m->u.home.ref = ref(g);
        m->u.home.rank = (int32_t)below(g, 5) - 1;
        m->u.home.blob = number(g);
    } else if (type == TG_MSG_FORGET) {
        gen_forget(g, &m->u.forget);
    } else if (type == TG_MSG_PULL) {
        m->u.pull.op = (enum tg_pull_op)(1 + below(g, TG_PULL_END));
    } else if (type == TG_MSG_DATA) {
        gen_data(g, &m->u.data);
    } else if (type == TG_MSG_LIST) {
        m->u.list.what = (enum tg_listed)(1 + below(g, TG_LISTED_PLACES));
        if (m->u.list.what == TG_LISTED_PLACES)
            m->u.list.ref = (trygon_ref_t){tg_rng_next(&g->rng), 7};
    } else if (type == TG_MSG_ROWS) {
        m->u.rows.item.val = tg_val_new(val_size(g), 0, 0);
        bytes(g, tg_val_data(m->u.rows.item.val),
              (size_t)m->u.rows.item.val->size);
    }
}
