/* msg.c - see msg.h. */
#include "core/msg.h"

#include <stdlib.h>

#include "base/mem.h"

static const char *const names[TG_MSG_LAST + 1] = {
    [TG_MSG_DEMAND] = "demand", [TG_MSG_LEASE] = "lease",
    [TG_MSG_REFUSE] = "refuse", [TG_MSG_OPEN] = "open",
    [TG_MSG_RECALL] = "recall", [TG_MSG_CLOSE] = "close",
    [TG_MSG_CLOSED] = "closed", [TG_MSG_LEND] = "lend",
    [TG_MSG_RESUME] = "resume", [TG_MSG_RUN] = "run",
    [TG_MSG_DONE] = "done",     [TG_MSG_BOUNCE] = "bounce",
    [TG_MSG_CANCEL] = "cancel", [TG_MSG_CALL] = "call",
    [TG_MSG_UNCALL] = "uncall", [TG_MSG_KILL] = "kill",
    [TG_MSG_LEAVE] = "leave",   [TG_MSG_LEFT] = "left",
    [TG_MSG_WATCH] = "watch",   [TG_MSG_VALUE] = "value",
    [TG_MSG_DROP] = "drop",     [TG_MSG_MORE] = "more",
    [TG_MSG_WEIGHT] = "weight", [TG_MSG_CANCEL_REF] = "cancel_ref",
    [TG_MSG_GONE] = "gone",     [TG_MSG_NOTE] = "note",
    [TG_MSG_QUERY] = "query",   [TG_MSG_TABLE] = "table",
    [TG_MSG_ENDED] = "ended",   [TG_MSG_PROBE] = "probe",
    [TG_MSG_COUNTS] = "counts", [TG_MSG_BYE] = "bye",
    [TG_MSG_ITEM] = "item",     [TG_MSG_TAKEN] = "taken",
    [TG_MSG_LOCATE] = "locate", [TG_MSG_PLACE] = "place",
    [TG_MSG_NAME] = "name",     [TG_MSG_NAMED] = "named",
    [TG_MSG_CREATE] = "create", [TG_MSG_LIST] = "list",
    [TG_MSG_ROWS] = "rows",     [TG_MSG_FREE] = "free",
    [TG_MSG_NEWS] = "news",     [TG_MSG_FADE] = "fade",
    [TG_MSG_FORGET] = "forget", [TG_MSG_PULL] = "pull",
    [TG_MSG_DATA] = "data",     [TG_MSG_HOME] = "home",
};

const char *tg_msg_name(enum tg_msg_type type)
{
    unsigned t = (unsigned)type;
    return t <= TG_MSG_LAST && names[t] != NULL ? names[t] : "?";
}

struct tg_shape *tg_shape_new(const struct tg_shape *s)
{
    struct tg_shape *copy = tg_grow(NULL, 1, sizeof *copy);
    *copy = *s;
    return copy;
}

void tg_items_init(struct tg_items *v, uint32_t n)
{
    v->n = n;
    if (n == 1)
        v->one = (struct tg_item){0};
    else
        v->more = n > 0 ? tg_alloc(n * sizeof *v->more) : NULL;
}

static __attribute__((noinline)) void many_fini(struct tg_item *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        tg_item_fini(&v[i]);
    free(v);
}

void tg_items_fini(struct tg_items *v)
{
    uint32_t n = v->n;
    v->n = 0;
    if (n == 1)
        tg_item_fini(&v->one);
    else if (n > 1)
        many_fini(v->more, n);
}

struct tg_item *tg_msg_items(struct tg_msg *m, uint32_t *n)
{
    *n = 0;
    if (m->type == TG_MSG_RUN || m->type == TG_MSG_CALL) {
        *n = m->u.run.args.n;
        return tg_items_at(&m->u.run.args);
    }
    if (m->type == TG_MSG_CREATE) {
        *n = m->u.create.args.n;
        return tg_items_at(&m->u.create.args);
    }
    if (m->type == TG_MSG_DONE) {
        *n = m->u.done.returns.n;
        return tg_items_at(&m->u.done.returns);
    }
    if ((m->type == TG_MSG_VALUE || m->type == TG_MSG_PLACE) &&
        m->u.value.here) {
        *n = 1;
        return &m->u.value.item;
    }
    if (m->type == TG_MSG_ITEM) {
        *n = 1;
        return &m->u.item.item;
    }
    if (m->type == TG_MSG_NAMED && !tg_ref_none(m->u.named.item.ref)) {
        *n = 1;
        return &m->u.named.item;
    }
    if (m->type == TG_MSG_ROWS) {
        *n = 1;
        return &m->u.rows.item;
    }
    return NULL;
}

void tg_msg_fini(struct tg_msg *m)
{
    switch ((int)m->type) {
    case TG_MSG_RUN:
    case TG_MSG_CALL:
        tg_items_fini(&m->u.run.args);
        if (m->u.run.name != NULL)
            free(m->u.run.name);
        break;
    case TG_MSG_DONE:
        tg_items_fini(&m->u.done.returns);
        tg_val_drop(&m->u.done.error);
        break;
    case TG_MSG_VALUE:
    case TG_MSG_PLACE:
        if (m->u.value.here)
            tg_item_fini(&m->u.value.item);
        break;
    case TG_MSG_ITEM: tg_item_fini(&m->u.item.item); break;
    case TG_MSG_DEMAND: free(m->u.demand.shape); break;
    case TG_MSG_REFUSE: free(m->u.refuse.reason); break;
    case TG_MSG_OPEN:
        free(m->u.open.shape);
        free(m->u.open.ids);
        break;
    case TG_MSG_BOUNCE: free(m->u.bounce.v); break;
    case TG_MSG_DROP: free(m->u.drop.v); break;
    case TG_MSG_NOTE: free(m->u.note.text); break;
    case TG_MSG_TABLE: free(m->u.table.v); break;
    case TG_MSG_NAME: free(m->u.name.name); break;
    case TG_MSG_CREATE:
        free(m->u.create.shape);
        free(m->u.create.create);
        tg_items_fini(&m->u.create.args);
        break;
    case TG_MSG_ROWS: tg_item_fini(&m->u.rows.item); break;
    case TG_MSG_NEWS: free(m->u.news.v); break;
    case TG_MSG_FADE: free(m->u.fade.v); break;
    case TG_MSG_FORGET: free(m->u.forget.v); break;
    default: break;
    }
    m->type = 0;
}
