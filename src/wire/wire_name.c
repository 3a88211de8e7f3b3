/* wire_name.c - the messages about names of actors, detached actors and lists of
 * actors (wire.h, coder.h). */
#include "core/owner.h"
#include "wire/wire_impl.h"

/* Up to its NUL; what is behind it is 0 already. */
static void code_chars(struct tg_coder *c, char s[TG_NAME_MAX])
{
    uint64_t n = tg_reading(c) ? 0 : strlen(s);
    if (!tg_code_within(c, &n, 0, TG_NAME_MAX - 1))
        return;
    tg_code_bytes(c, s, (size_t)n);
    tg_code_must(c, memchr(s, 0, (size_t)n) == NULL);
}

static void code_both(struct tg_coder *c, struct tg_name *name)
{
    code_chars(c, name->space);
    code_chars(c, name->name);
}

void tg_code_name(struct tg_coder *c, struct tg_msg_name *m)
{
    uint64_t op = (uint64_t)m->op;
    if (!tg_code_within(c, &op, TG_NAME_RESERVE, TG_NAME_LOST))
        return;
    m->op = (enum tg_name_op)op;
    if (m->op > TG_NAME_FIND) {
        tg_code_u64(c, &m->ticket);
        if (m->op == TG_NAME_SET)
            tg_code_ref(c, &m->ref);
        return;
    }
    tg_code_u32(c, &m->fn, UINT32_MAX);
    tg_code_u64(c, &m->waiter);
    m->name = tg_code_room(c, m->name, 1, sizeof *m->name, 2);
    if (c->rc != 0)
        return;
    code_both(c, m->name);
    tg_code_must(c, m->name->name[0] != '\0');
}

void tg_code_named(struct tg_coder *c, struct tg_msg_named *m)
{
    tg_code_u64(c, &m->waiter);
    tg_code_range(c, &m->code, INT32_MIN, 0);
    tg_code_u64(c, &m->ticket);
    tg_code_ref(c, &m->item.ref);
    tg_code_u64(c, &m->item.weight);
}

void tg_code_create(struct tg_coder *c, struct tg_msg_create *m)
{
    tg_code_u64(c, &m->waiter);
    tg_code_u32(c, &m->fn, UINT32_MAX);
    tg_code_i32(c, &m->depth);
    tg_code_i32(c, &m->max_restarts);
    tg_code_shape(c, &m->shape);
    struct tg_create *x = tg_code_room(c, m->create, 1, sizeof *x, 9);
    m->create = x;
    if (c->rc != 0)
        return;
    tg_code_u32(c, &x->concurrency, TG_CONCURRENCY_MAX);
    tg_code_must(c, x->concurrency > 0);
    tg_code_i32(c, &x->max_pending);
    tg_code_i32(c, &x->max_task_retries);
    tg_code_bool(c, &x->keeps);
    tg_code_bool(c, &x->any_order);
    tg_code_bool(c, &x->detached);
    code_both(c, &x->name);
    tg_code_u64(c, &x->ticket);
    tg_code_u32(c, &m->args.n, UINT32_MAX);
    tg_code_items(c, &m->args);
}

void tg_code_list(struct tg_coder *c, struct tg_msg_list *m)
{
    uint8_t what = (uint8_t)m->what;
    tg_code_u64(c, &m->waiter);
    tg_code_u8(c, &what, TG_LISTED_PLACES);
    tg_code_must(c, what >= TG_LISTED_ACTORS);
    m->what = (enum tg_listed)what;
    if (what == TG_LISTED_PLACES)
        tg_code_ref(c, &m->ref);
}

void tg_code_rows(struct tg_coder *c, struct tg_msg_rows *m)
{
    tg_code_u64(c, &m->waiter);
    tg_code_item(c, &m->item);
    const struct tg_val *v = m->item.val;
    tg_code_must(c, v != NULL && !v->error && !v->stored && v->nrefs == 0);
}
