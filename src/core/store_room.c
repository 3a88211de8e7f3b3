/* store_room.c - who gets room, and who leaves for that (store.h). */
#include "core/store_impl.h"

static bool writes(const struct tg_blob *b)
{
    return b->kind == TG_BLOB_OWN && !b->on_disk;
}

/* ----- who leaves ------------------------------------------------------------ */

void tg_blob_evict(struct tg_store *s, struct tg_blob *b)
{
    tg_blob_put(s, b, TG_LIST_NONE);
    tg_blob_set_state(b, TG_BLOB_LEAVING);
    s->evicting += b->in_file ? 0 : b->size;
    tg_blob_act(s, b, TG_STORE_EVICT);
}

static void spill(struct tg_store *s, struct tg_blob *b)
{
    tg_blob_put(s, b, TG_LIST_NONE);
    b->spilling = true;
    s->spilling += b->size;
    tg_blob_act(s, b, TG_STORE_SPILL);
}

/* This rank's part of so much of what its node uses, rounded up: as if what has
 * left in this round were still there, since others have not yet had their
 * turn. */
static uint64_t part_of(const struct tg_store *s, uint64_t bytes)
{
    uint64_t mine = s->used + s->gone, all = mine + s->node_use.used;
    int shift = 0;
    if (mine == all || bytes == 0)
        return bytes;
    for (; (all | bytes) > UINT32_MAX; shift++) {
        bytes = bytes / 2 + bytes % 2;
        mine = mine / 2 + mine % 2;
        all /= 2;
    }
    return (bytes * mine + all - 1) / all << shift;
}

/* When one is written others are as well, so that small ones share files. */
static uint64_t burst(const struct tg_store *s)
{
    uint64_t most = s->ctx->lim.spill_burst, part = part_of(s, s->limit / 8);
    return part < most ? part : most;
}

/* At least so many bytes are to go, as far as it is possible. */
static void make_room(struct tg_store *s, uint64_t bytes)
{
    uint64_t most = s->evicting + bytes, before = s->spilling;
    while (s->evicting < most && s->lists[TG_LIST_CHEAP] != NULL)
        tg_blob_evict(s, s->lists[TG_LIST_CHEAP]);
    if (s->evicting >= most || s->ctx->now_ns < s->try_disk_ns)
        return;
    uint64_t left = most - s->evicting, least = burst(s);
    left = left > least ? left : least;
    while (s->spilling - before < left && s->lists[TG_LIST_DEAR] != NULL)
        spill(s, s->lists[TG_LIST_DEAR]);
}

void tg_store_look_again(struct tg_store *s)
{
    struct tg_blob *b, *next;
    DL_FOREACH_SAFE (s->lists[TG_LIST_BUSY], b, next) {
        if (b->keep_ns <= s->ctx->now_ns)
            tg_blob_settle(s, b);
    }
}

/* ----- the line ---------------------------------------------------------------- */

static struct tg_blob *first_in_line(const struct tg_store *s)
{
    return s->lists[TG_LIST_CALLS] != NULL ? s->lists[TG_LIST_CALLS]
                                           : s->lists[TG_LIST_ARGS];
}

void tg_blob_line_up(struct tg_store *s, struct tg_blob *b,
                     enum tg_blob_list line)
{
    b->line = (uint8_t)line;
    b->turn = ++s->queued;
    tg_blob_put(s, b, b->size > s->limit ? TG_LIST_HUGE : line);
}

void tg_blob_queue(struct tg_store *s, struct tg_blob *b,
                   enum tg_blob_list line)
{
    tg_blob_set_state(b, TG_BLOB_QUEUED);
    b->since_ns = s->ctx->now_ns;
    b->noted = false;
    tg_blob_line_up(s, b, line);
}

/* In front of those who came later. */
static void back_in_line(struct tg_store *s, struct tg_blob *b)
{
    uint8_t list = b->size > s->limit ? TG_LIST_HUGE : b->line;
    struct tg_blob *x = s->lists[list];
    while (x != NULL && x->turn < b->turn)
        x = x->next;
    tg_blob_set_state(b, TG_BLOB_QUEUED);
    b->list = list;
    if (x != NULL)
        DL_PREPEND_ELEM(s->lists[list], x, b);
    else
        DL_APPEND(s->lists[list], b);
}

static void grant(struct tg_store *s, struct tg_blob *b, enum tg_store_op op)
{
    tg_blob_put(s, b, TG_LIST_NONE);
    tg_blob_set_state(b, TG_BLOB_MAKING);
    b->in_file = op == TG_STORE_FILE;
    if (b->in_file)
        s->in_files += b->size;
    else
        s->used += b->size;
    if (b->in_file && s->no_file) /* one tries for all */
        s->try_file_ns = s->ctx->now_ns + s->ctx->lim.store_file_ns;
    tg_blob_act(s, b, op);
}

/* ----- who gets none --------------------------------------------------------------- */

static void tell_waiter(struct tg_store *s, struct tg_blob *b)
{
    if (b->waiter == 0)
        return;
    *tg_ctx_pass(s->ctx, &s->granted) = (struct tg_granted){b->waiter, b->rc};
    b->waiter = 0;
}

/* It is not in line any more. */
static void give_up(struct tg_store *s, struct tg_blob *b)
{
    tg_blob_put(s, b, TG_LIST_NONE);
    if (writes(b)) {
        b->rc = TRYGON_ERR_STORE_FULL;
        tell_waiter(s, b);
        return;
    }
    tg_blob_arrived(s, b, TRYGON_ERR_STORE_FULL);
    if (b->kind == TG_BLOB_COPY) {
        tg_blob_free(s, b);
        return;
    }
    tg_blob_set_state(b, TG_BLOB_DISK);
    tg_pull_refuse_near(s, b, TRYGON_ERR_STORE_FULL);
}

/* There can be no files, and nothing has become free for long. */
static bool stuck(const struct tg_store *s)
{
    return s->no_file &&
           s->ctx->now_ns - s->moved_ns >= s->ctx->lim.store_full_ns;
}

static void note(struct tg_store *s, struct tg_blob *b, uint64_t waited_ns)
{
    b->noted = true;
    tg_ctx_note(s->ctx, TRYGON_LOG_WARN,
                "an object of %llu bytes has waited %llu s for room in the "
                "store of rank %d, which has %llu of %llu bytes in use",
                (unsigned long long)b->size,
                (unsigned long long)(waited_ns / 1000000000), (int)s->ctx->rank,
                (unsigned long long)s->used, (unsigned long long)s->limit);
}

/* Who writes gives up before who reads: perhaps nobody but he can free
 * anything. */
static void look_at_waiting(struct tg_store *s, struct tg_blob *b)
{
    const struct tg_limits *lim = &s->ctx->lim;
    uint64_t waited = s->ctx->now_ns - b->since_ns;
    if (writes(b) ? waited >= lim->store_full_ns && stuck(s)
                  : waited >= lim->fetch_fail_ns)
        give_up(s, b);
    else if (waited >= lim->fetch_note_ns && !b->noted)
        note(s, b, waited);
}

/* Those who have waited too long: each list has the oldest in front. */
static void look_at_line(struct tg_store *s)
{
    static const uint8_t lines[] = {TG_LIST_CALLS, TG_LIST_ARGS, TG_LIST_HUGE};
    bool all = stuck(s);
    struct tg_blob *b, *next;
    for (size_t i = 0; i < sizeof lines; i++) {
        DL_FOREACH_SAFE (s->lists[lines[i]], b, next) {
            if (!all &&
                s->ctx->now_ns - b->since_ns < s->ctx->lim.fetch_note_ns)
                break;
            look_at_waiting(s, b);
        }
    }
}

/* ----- who gets it -------------------------------------------------------------------- */

/* By so much `all` bytes are above the limit. */
static uint64_t above(uint64_t all, uint64_t limit)
{
    return all > limit ? all - limit : 0;
}

/* What must leave this rank so that `more` fits, were no other rank to help;
 * what is leaving counts as gone. */
static uint64_t lack(const struct tg_store *s, uint64_t more)
{
    uint64_t leaving = s->evicting + s->spilling;
    return above(s->used - leaving + s->node_use.used + more, s->limit);
}

/* Its part of what the node has above the mark, or above what others want. */
static uint64_t surplus(const struct tg_store *s)
{
    uint64_t all = s->used + s->gone + s->node_use.used;
    uint64_t high = above(all, s->limit / 100 * TG_STORE_HIGH);
    uint64_t over = above(all + s->node_use.wanted, s->limit);
    return above(part_of(s, high > over ? high : over),
                 s->gone + s->evicting + s->spilling);
}

static uint64_t excess(const struct tg_store *s, uint64_t more)
{
    uint64_t over = more > 0 ? lack(s, more) : 0, part = surplus(s);
    return over > part ? over : part;
}

static bool writing(const struct tg_store *s)
{
    return s->spilling + s->node_use.spilling > 0;
}

/* The first in line has waited long enough.  What is being written may take as
 * long as user code likes, in whose hands HDF5's lock may be: once somebody has
 * waited in vain, nobody else need do so. */
static bool needs_file(const struct tg_store *s, const struct tg_blob *b)
{
    const struct tg_limits *lim = &s->ctx->lim;
    uint64_t now = s->ctx->now_ns, waited = now - b->since_ns;
    if (now < s->try_file_ns)
        return false;
    if (now < b->try_memory_ns)
        return true;
    bool hopes = writing(s) && !s->hangs;
    return s->evicting == 0 &&
           waited >= (hopes ? lim->store_grace_ns : lim->store_file_ns);
}

/* The first in line.  False: it has to wait. */
static bool serve(struct tg_store *s, struct tg_blob *b)
{
    uint64_t now = s->ctx->now_ns;
    bool fits = s->used + s->node_use.used + b->size <= s->limit;
    if (fits && now >= b->try_memory_ns) {
        grant(s, b, TG_STORE_MAKE);
        return true;
    }
    make_room(s, excess(s, b->size));
    if (!needs_file(s, b))
        return false;
    s->hangs = writing(s);
    grant(s, b, TG_STORE_FILE);
    return true;
}

/* They never fit, so nobody waits behind them. */
static void serve_huge(struct tg_store *s)
{
    while (s->lists[TG_LIST_HUGE] != NULL && s->ctx->now_ns >= s->try_file_ns)
        grant(s, s->lists[TG_LIST_HUGE], TG_STORE_FILE);
}

/* The others are asked for what this rank cannot give up itself.  What is about
 * to leave may be pinned: until that is known, what they were told stands, else
 * two ranks that need each other's pinned blobs would rouse each other for
 * ever. */
static void tell_need(struct tg_store *s, const struct tg_blob *first)
{
    uint64_t need = 0;
    if (first != NULL && s->evicting > 0)
        return;
    if (first != NULL && s->node_use.used > 0 && lack(s, first->size) > 0)
        need = above(first->size, s->spilling);
    if (need == s->need)
        return;
    s->need = need;
    struct tg_action *a = tg_ctx_act(s->ctx, TG_ACT_STORE);
    a->status = TG_STORE_NEED;
    a->handle = need;
}

/* The longer somebody waits, the more rarely all that is busy is looked at. */
static void set_timer(struct tg_store *s, uint64_t since_ns)
{
    uint64_t pause = (s->ctx->now_ns - since_ns) / 8;
    if (pause > s->ctx->lim.store_file_ns)
        pause = s->ctx->lim.store_file_ns;
    if (pause < s->ctx->lim.store_look_ns)
        pause = s->ctx->lim.store_look_ns;
    uint64_t when = s->ctx->now_ns + pause;
    if (s->timer_ns != 0 && s->timer_ns <= when)
        return;
    s->timer_ns = when;
    tg_timers_add(&s->ctx->timers, when, TG_TIMER_STORE, 0);
}

/* Others wait for what is here. */
static bool is_pressed(const struct tg_store *s)
{
    return s->node_use.wanted > 0 &&
           above(s->used + s->node_use.used + s->node_use.wanted, s->limit) >
               0 &&
           (s->lists[TG_LIST_BUSY] != NULL || s->lists[TG_LIST_CHEAP] != NULL ||
            s->lists[TG_LIST_DEAR] != NULL);
}

/* The others have had their turn, or will not use it. */
static void begin_round(struct tg_store *s)
{
    s->gone = 0;
    s->round_ns = s->ctx->now_ns;
}

void tg_store_pump(struct tg_store *s)
{
    struct tg_blob *b;
    if (s->ctx->now_ns - s->round_ns >= s->ctx->lim.store_file_ns)
        begin_round(s);
    serve_huge(s);
    while ((b = first_in_line(s)) != NULL && serve(s, b))
        continue;
    if (b == NULL)
        make_room(s, excess(s, 0));
    tell_need(s, b);
    if (b == NULL)
        b = s->lists[TG_LIST_HUGE];
    if (b != NULL)
        set_timer(s, b->since_ns);
    else if (is_pressed(s))
        set_timer(s, s->pressed_ns);
}

void tg_store_timer(struct tg_store *s)
{
    s->timer_ns = 0;
    if (first_in_line(s) == NULL && s->lists[TG_LIST_HUGE] == NULL &&
        !is_pressed(s))
        return;
    begin_round(s);
    tg_store_look_again(s);
    look_at_line(s);
    tg_store_pump(s);
}

/* ----- the node ------------------------------------------------------------------------- */

bool tg_store_cares(const struct tg_store *s, const struct tg_node_use *use)
{
    const struct tg_node_use *known = &s->node_use;
    uint64_t most = use->used > known->used ? use->used : known->used;
    return first_in_line(s) != NULL || use->wanted != known->wanted ||
           s->used + most > s->limit / 100 * TG_STORE_HIGH;
}

void tg_store_node(struct tg_store *s, const struct tg_node_use *use)
{
    if (use->used < s->node_use.used)
        s->moved_ns = s->ctx->now_ns;
    if (use->wanted > 0 && s->node_use.wanted == 0) {
        s->pressed_ns = s->ctx->now_ns;
        tg_store_look_again(s);
    }
    s->node_use = *use;
    begin_round(s);
    tg_store_pump(s);
}

/* ----- what came of it ------------------------------------------------------------------ */

static void give_back(struct tg_store *s, struct tg_blob *b)
{
    if (b->in_file)
        s->in_files -= b->size;
    else
        s->used -= b->size;
    if (b->state == TG_BLOB_LEAVING && !b->in_file)
        s->evicting -= b->size;
    b->in_file = false;
}

void tg_blob_left_memory(struct tg_store *s, struct tg_blob *b)
{
    s->gone += b->in_file ? 0 : b->size;
    give_back(s, b);
    s->moved_ns = s->ctx->now_ns;
}

/* It has its turn again as soon as there is hope. */
static void refused(struct tg_store *s, struct tg_blob *b, int32_t rc)
{
    uint64_t again = s->ctx->now_ns + s->ctx->lim.store_file_ns;
    bool was_file = b->in_file;
    give_back(s, b);
    back_in_line(s, b);
    if (!was_file) {
        if (rc == TRYGON_ERR_STATE) /* until we hear more */
            s->node_use.used = s->limit - s->used;
        else
            b->try_memory_ns = again;
        return;
    }
    s->no_file = true;
    s->try_file_ns = again;
    if (rc == TRYGON_ERR_STORE_FULL && b->size > s->limit)
        give_up(s, b);
}

void tg_blob_made(struct tg_store *s, struct tg_blob *b, int32_t rc)
{
    if (rc != TRYGON_SUCCESS) {
        refused(s, b, rc);
        return;
    }
    if (b->in_file) {
        s->no_file = false;
        s->try_file_ns = 0;
    }
    tg_blob_set_state(b, TG_BLOB_FILLING);
    if (b->kind == TG_BLOB_COPY)
        tg_pull_begin(s, b);
    else if (b->on_disk)
        tg_blob_act(s, b, TG_STORE_LOAD);
    else
        tell_waiter(s, b);
}
