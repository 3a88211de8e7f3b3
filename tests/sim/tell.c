/* tell.c - the story of a world, a line at a time, for people and for
 * comparing. */
#include <stdarg.h>
#include <string.h>

#include "world.h"

__attribute__((format(printf, 2, 0))) static void
vline(struct world *w, const char *fmt, va_list ap)
{
    size_t room = w->opts.trace_size - w->told;
    int n = vsnprintf(w->opts.trace + w->told, room, fmt, ap);
    w->told += n > 0 && (size_t)n < room ? (size_t)n : 0;
    if (w->opts.trace_live && strchr(fmt, '\n') != NULL) {
        fputs(w->opts.trace, stdout);
        w->told = 0;
    }
}

__attribute__((format(printf, 2, 3))) static void line(struct world *w,
                                                       const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vline(w, fmt, ap);
    va_end(ap);
}

static void stamp(struct world *w)
{
    line(w, "[%5llu] ", (unsigned long long)(w->now_ns / 1000));
}

void tell(struct world *w, int32_t rank, const char *fmt, ...)
{
    if (w->opts.trace == NULL)
        return;
    va_list ap;
    va_start(ap, fmt);
    stamp(w);
    line(w, "%d ", (int)rank);
    vline(w, fmt, ap);
    line(w, "\n");
    va_end(ap);
}

struct name { /* "2.7": the 7th of rank 2 */
    char text[32];
};

static struct name name_of(uint64_t number)
{
    struct name n;
    snprintf(n.text, sizeof n.text, "%u.%u", (unsigned)(number >> 40),
             (unsigned)(number & 0xffffff));
    return n;
}

/* An owner's handle, as the number that everybody knows. */
static struct name task_name(struct world *w, int32_t owner, uint64_t handle)
{
    const struct truth *t = &w->truth;
    for (uint32_t i = t->tasks.n; i-- > 0;)
        if (t->tasks.v[i]->owner == owner && t->tasks.v[i]->handle == handle)
            return name_of(t->tasks.v[i]->number);
    return (struct name){"?"};
}

static struct name obj_name(struct world *w, trygon_ref_t ref)
{
    const struct truth_task *t = truth_of(&w->truth, ref);
    const struct truth_obj *o = truth_obj(&w->truth, ref);
    struct name n;
    if (t != NULL && o->item) {
        snprintf(n.text, sizeof n.text, "an item of %u.%u",
                 (unsigned)(t->number >> 40), (unsigned)(t->number & 0xffffff));
        return n;
    }
    if (t != NULL)
        return name_of(t->number);
    snprintf(n.text, sizeof n.text, "put %d", (int)tg_ref_rank(ref));
    return n;
}

void tell_read(struct world *w, int32_t rank, const struct tg_obj *x)
{
    const struct trygon_error *e;
    if (w->opts.trace == NULL)
        return;
    stamp(w);
    line(w, "%d reads %s", (int)rank, obj_name(w, x->ref).text);
    for (uint32_t i = 0; (e = tg_val_err(x->val, i)) != NULL; i++) {
        line(w, "%s %s of %s", i == 0 ? ": error" : ", because", e->text,
             e->task != 0 ? name_of(e->task).text : "nobody");
    }
    line(w, "\n");
}

static void tell_bounce(struct world *w, int32_t to,
                        const struct tg_msg_bounce *b)
{
    static const char *const why[] = {"?", "closed", "blocked", "overrun",
                                      "args"};
    line(w, "%s %s", name_of(b->lease).text, why[b->why]);
    for (uint32_t i = 0; i < b->n; i++)
        line(w, "%s %s", i == 0 ? ":" : ",",
             task_name(w, to, b->v[i].task).text);
}

static void tell_place(struct world *w, const struct tg_msg_value *m)
{
    line(w, "%s: %s", obj_name(w, m->ref).text,
         !m->here             ? "being made"
         : m->item.val->error ? "it has ended"
                              : "there");
}

static void tell_name(struct world *w, const struct tg_msg_name *m)
{
    static const char *const ops[] = {
        "?", "reserve", "reserve or get", "find", "set", "back", "lost"};
    line(w, "%s", ops[m->op]);
    if (m->name != NULL)
        line(w, " %s", m->name->name);
    if (m->op == TG_NAME_SET)
        line(w, " %s", obj_name(w, m->ref).text);
}

static void tell_named(struct world *w, const struct tg_msg_named *m)
{
    if (m->code != 0)
        line(w, "%d", (int)m->code);
    else if (m->ticket != 0)
        line(w, "reserved");
    else
        line(w, "%s%s", tg_ref_weak(m->item.ref) ? "weak " : "",
             obj_name(w, tg_ref_strong(m->item.ref)).text);
}

static void tell_news(struct world *w, const struct tg_msg_news *m)
{
    static const char *const ops[] = {"?",    "new",    "copy of", "no copy of",
                                      "file", "memory", "unused",  "freed",
                                      "dead", "sought", "home of"};
    for (uint32_t i = 0; i < m->n; i++)
        line(w, "%s%s %s", i == 0 ? "" : ", ", ops[m->v[i].op],
             obj_name(w, m->v[i].ref).text);
}

static uint32_t blob_name(const struct world *w, int32_t rank, uint64_t blob)
{
    return sim_store_number(&w->ranks[rank], blob);
}

static void tell_pull(struct world *w, int32_t from, int32_t to,
                      const struct tg_msg_pull *m)
{
    static const char *const ops[] = {"?", "bytes", "here", "end"};
    line(w, "%s of blob %u", ops[m->op], blob_name(w, to, m->blob));
    if (blob_name(w, from, m->to) > 0)
        line(w, " to %u", blob_name(w, from, m->to));
}

static void tell_data(struct world *w, int32_t to, const struct tg_msg_data *m)
{
    if (m->code == TG_DATA_MOVED)
        line(w, "moved to %d", (int)m->rank);
    else if (m->code != 0)
        line(w, "error %d", (int)m->code);
    else if (m->n == 0)
        line(w, "in place");
    else
        line(w, "%u at %u", (unsigned)m->n, (unsigned)m->offset);
    if (blob_name(w, to, m->to) > 0)
        line(w, " for blob %u", blob_name(w, to, m->to));
}

static void tell_body(struct world *w, int32_t from, int32_t to,
                      const struct tg_msg *m)
{
    switch (m->type) {
    case TG_MSG_DEMAND:
        line(w, "%u", m->u.demand.want);
        if (m->u.demand.depth > 0)
            line(w, " at depth %d", (int)m->u.demand.depth);
        break;
    case TG_MSG_LEASE: line(w, "%s", name_of(m->u.lease.lease).text); break;
    case TG_MSG_REFUSE:
        line(w, "%s: %s", m->u.refuse.final ? "for good" : "for now",
             m->u.refuse.reason);
        break;
    case TG_MSG_OPEN:
        line(w, "%s for %d", name_of(m->u.open.lease).text,
             (int)m->u.open.owner);
        break;
    case TG_MSG_RECALL:
    case TG_MSG_CLOSE:
    case TG_MSG_CLOSED:
    case TG_MSG_LEND:
    case TG_MSG_RESUME: line(w, "%s", name_of(m->u.close.lease).text); break;
    case TG_MSG_RUN:
        line(w, "%s on %s", name_of(m->u.run.number).text,
             name_of(m->u.run.lease).text);
        break;
    case TG_MSG_DONE:
        line(w, "%s with %d", task_name(w, to, m->u.done.task).text,
             (int)m->u.done.code);
        break;
    case TG_MSG_BOUNCE: tell_bounce(w, to, &m->u.bounce); break;
    case TG_MSG_CANCEL:
        line(w, "%s%s", task_name(w, from, m->u.cancel.task).text,
             m->u.cancel.recursive ? " and all below" : "");
        break;
    case TG_MSG_WATCH:
        line(w, "%s%s", obj_name(w, m->u.watch.ref).text,
             m->u.watch.fetch ? "" : ", not its bytes");
        break;
    case TG_MSG_VALUE:
        line(w, "%s%s", obj_name(w, m->u.value.ref).text,
             m->u.value.here ? "" : ", not its bytes");
        break;
    case TG_MSG_DROP: line(w, "%u", m->u.drop.n); break;
    case TG_MSG_MORE:
    case TG_MSG_WEIGHT:
        line(w, "for %s", obj_name(w, m->u.more.w.ref).text);
        break;
    case TG_MSG_FREE:
    case TG_MSG_CANCEL_REF:
        line(w, "%s", obj_name(w, m->u.cancel_ref.ref).text);
        break;
    case TG_MSG_GONE: line(w, "%d", (int)m->u.gone.rank); break;
    case TG_MSG_NOTE: line(w, "%s", m->u.note.text); break;
    case TG_MSG_ITEM:
        line(w, "%llu of %s", (unsigned long long)m->u.item.index,
             task_name(w, to, m->u.item.task).text);
        break;
    case TG_MSG_TAKEN: {
        const struct tg_exec *e =
            tg_worker_exec(&w->ranks[to].core->worker, m->u.taken.exec);
        if (m->u.taken.n == UINT64_MAX)
            line(w, "all of ");
        else
            line(w, "%llu of ", (unsigned long long)m->u.taken.n);
        line(w, "%s", e != NULL ? name_of(e->number).text : "what has ended");
        break;
    }
    case TG_MSG_ENDED: line(w, "%d", (int)m->u.ended.status); break;
    case TG_MSG_CALL: line(w, "%s", name_of(m->u.run.number).text); break;
    case TG_MSG_UNCALL:
        line(w, "%s", task_name(w, from, m->u.cancel.task).text);
        break;
    case TG_MSG_KILL:
        line(w, "%s%s", obj_name(w, m->u.cancel_ref.ref).text,
             m->u.cancel_ref.recursive ? "" : ", to be made again");
        break;
    case TG_MSG_LOCATE: line(w, "%s", obj_name(w, m->u.locate.ref).text); break;
    case TG_MSG_PLACE: tell_place(w, &m->u.value); break;
    case TG_MSG_LEAVE:
    case TG_MSG_LEFT: {
        static const char *const why[] = {"?",    "scope",   "killed", "exited",
                                          "over", "restart", "lost"};
        line(w, "%s", why[m->u.leave.why]);
        break;
    }
    case TG_MSG_NAME: tell_name(w, &m->u.name); break;
    case TG_MSG_NAMED: tell_named(w, &m->u.named); break;
    case TG_MSG_CREATE: line(w, "%s", m->u.create.create->name.name); break;
    case TG_MSG_NEWS: tell_news(w, &m->u.news); break;
    case TG_MSG_FADE:
        for (uint32_t i = 0; i < m->u.fade.n; i++)
            line(w, "%s%s", i == 0 ? "" : ", ",
                 obj_name(w, m->u.fade.v[i]).text);
        break;
    case TG_MSG_HOME:
        line(w, "%s", obj_name(w, m->u.home.ref).text);
        if (tg_ref_rank(m->u.home.ref) == to && m->u.home.rank < 0)
            line(w, " is nowhere");
        else if (tg_ref_rank(m->u.home.ref) == to)
            line(w, " is at %d", (int)m->u.home.rank);
        break;
    case TG_MSG_FORGET:
        for (uint32_t i = 0; i < m->u.forget.n; i++)
            line(w, "%sblob %u", i == 0 ? "" : ", ",
                 blob_name(w, to, m->u.forget.v[i]));
        break;
    case TG_MSG_PULL: tell_pull(w, from, to, &m->u.pull); break;
    case TG_MSG_DATA: tell_data(w, to, &m->u.data); break;
    case TG_MSG_PROBE:
    case TG_MSG_COUNTS:
    case TG_MSG_LIST:
    case TG_MSG_ROWS:
    case TG_MSG_QUERY:
    case TG_MSG_TABLE:
    case TG_MSG_BYE: break;
    default: TG_UNREACHABLE();
    }
}

void tell_msg(struct world *w, int32_t from, int32_t to, const struct tg_msg *m)
{
    world_mix(w, (uint64_t)m->type << 32 | (uint64_t)from);
    bool probe = m->type == TG_MSG_PROBE || m->type == TG_MSG_COUNTS;
    if (w->opts.trace == NULL || (probe && w->opts.trace_brief))
        return;
    stamp(w);
    line(w, "%d -> %d %s ", (int)from, (int)to, tg_msg_name(m->type));
    tell_body(w, from, to, m);
    if (w->told > 0 && w->opts.trace[w->told - 1] == ' ')
        w->told--;
    line(w, "\n");
}
