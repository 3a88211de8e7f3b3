/* head_queue.c - see head_queue.h. */
#include "core/head_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "core/head_impl.h"

struct lane_key { /* all bytes count */
    int32_t owner, depth, node;
    uint32_t kinds; /* a bit for each resource but the CPU that is needed */
};

struct tg_lane {
    struct tg_turn turn; /* first: in its line, while somebody is in it */
    struct lane_key key;
    struct tg_line *line;
    struct tg_turn *root; /* its demands, by age */
    uint32_t users;       /* demands that know it */
    bool queued;
    UT_hash_handle hh;
};

struct tg_line { /* of a depth and a node (-1: any) and what is needed */
    int32_t depth, node;
    uint32_t kinds;
    int n, res[TG_RES_MAX]; /* the CPU and those kinds */
    struct tg_turn *root;   /* its lanes, by core-time */
    uint32_t users;         /* lanes that know it */
    bool fresh;             /* in the list of those */
    struct tg_line *next;
    struct tg_line *fresh_prev, *fresh_next;
};

void tg_queue_init(struct tg_queue *q, int32_t nnodes,
                   const uint64_t *used_time)
{
    *q = (struct tg_queue){.used_time = used_time};
    q->at_node = tg_alloc(((size_t)nnodes + 1) * sizeof(struct tg_line *));
}

void tg_queue_fini(struct tg_queue *q)
{
    TG_ASSERT(q->lanes == NULL && q->anywhere == NULL);
    free(q->at_node);
}

/* ----- treaps --------------------------------------------------------------------- */

static bool before(const struct tg_turn *a, const struct tg_turn *b)
{
    int i = 0;
    while (i < 2 && a->key[i] == b->key[i])
        i++;
    return a->key[i] < b->key[i];
}

/* Sum up what is below; n resources matter. */
static void pull(int n, struct tg_turn *t)
{
    const struct tg_turn *l = t->left, *r = t->right;
    for (int i = 0; i < n; i++) {
        int64_t least = t->of[i].need;
        if (l != NULL && l->of[i].least < least)
            least = l->of[i].least;
        if (r != NULL && r->of[i].least < least)
            least = r->of[i].least;
        t->of[i].least = least;
    }
}

/* Those before x to the left, those after it to the right. */
static void split(int n, struct tg_turn *t, const struct tg_turn *x,
                  struct tg_turn **left, struct tg_turn **right)
{
    if (t == NULL) {
        *left = *right = NULL;
    } else if (before(t, x)) {
        *left = t;
        split(n, t->right, x, &t->right, right);
        pull(n, t);
    } else {
        *right = t;
        split(n, t->left, x, left, &t->left);
        pull(n, t);
    }
}

static struct tg_turn *join(int n, struct tg_turn *a, struct tg_turn *b)
{
    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    if (a->dice > b->dice) {
        a->right = join(n, a->right, b);
        pull(n, a);
        return a;
    }
    b->left = join(n, a, b->left);
    pull(n, b);
    return b;
}

static void insert(int n, struct tg_turn **t, struct tg_turn *x)
{
    if (*t == NULL || x->dice > (*t)->dice) {
        split(n, *t, x, &x->left, &x->right);
        *t = x;
    } else {
        insert(n, before(x, *t) ? &(*t)->left : &(*t)->right, x);
    }
    pull(n, *t);
}

static void erase(int n, struct tg_turn **t, struct tg_turn *x)
{
    TG_ASSERT(*t != NULL);
    if (*t == x) {
        *t = join(n, x->left, x->right);
        return;
    }
    erase(n, before(x, *t) ? &(*t)->left : &(*t)->right, x);
    pull(n, *t);
}

/* What x needs has changed. */
static void renew(int n, struct tg_turn *t, const struct tg_turn *x)
{
    if (t != x)
        renew(n, before(x, t) ? t->left : t->right, x);
    pull(n, t);
}

/* ----- lines and lanes ---------------------------------------------------------------- */

static struct tg_line *new_line(const struct lane_key *key)
{
    struct tg_line *line = tg_alloc(sizeof *line);
    line->depth = key->depth;
    line->node = key->node;
    line->kinds = key->kinds;
    line->n = 1; /* res[0] is the CPU */
    for (int r = 1; r < TG_RES_MAX; r++)
        if ((key->kinds >> r & 1) != 0)
            line->res[line->n++] = r;
    return line;
}

static struct tg_line *find_line(struct tg_queue *q, const struct lane_key *key)
{
    struct tg_line **at = key->node < 0 ? &q->anywhere : &q->at_node[key->node];
    while (*at != NULL && (*at)->depth > key->depth)
        at = &(*at)->next;
    for (struct tg_line *line = *at; line != NULL && line->depth == key->depth;
         line = line->next)
        if (line->kinds == key->kinds)
            return line;
    struct tg_line *line = new_line(key);
    line->next = *at;
    *at = line;
    return line;
}

static void drop_line(struct tg_queue *q, struct tg_line *line)
{
    if (--line->users > 0)
        return;
    struct tg_line **at =
        line->node < 0 ? &q->anywhere : &q->at_node[line->node];
    LL_DELETE(*at, line);
    free(line);
}

static struct tg_lane *find_lane(struct tg_queue *q, const struct tg_demand *d)
{
    struct lane_key key = {d->owner, d->depth, tg_demand_node(d), 0};
    for (int r = 1; r < TG_RES_MAX; r++)
        key.kinds |= (uint32_t)(d->shape.amount[r] > 0) << r;
    struct tg_lane *lane;
    HASH_FIND(hh, q->lanes, &key, sizeof key, lane);
    if (lane == NULL) {
        lane = tg_alloc(sizeof *lane);
        lane->key = key;
        lane->turn.dice = tg_mix64(++q->nlanes);
        lane->line = find_line(q, &key);
        lane->line->users++;
        HASH_ADD(hh, q->lanes, key, sizeof lane->key, lane);
    }
    lane->users++;
    return lane;
}

void tg_queue_forget(struct tg_queue *q, struct tg_demand *d)
{
    struct tg_lane *lane = d->lane;
    d->lane = NULL;
    if (lane == NULL || --lane->users > 0)
        return;
    TG_ASSERT(!lane->queued);
    drop_line(q, lane->line);
    HASH_DEL(q->lanes, lane);
    free(lane);
}

static uint64_t oldest(const struct tg_lane *lane)
{
    const struct tg_turn *t = lane->root;
    while (t->left != NULL)
        t = t->left;
    return t->key[0];
}

static void enter(struct tg_queue *q, struct tg_lane *lane)
{
    struct tg_turn *t = &lane->turn;
    t->key[0] = q->used_time[lane->key.owner];
    t->key[1] = oldest(lane);
    t->key[2] = (uint64_t)lane->key.owner;
    insert(lane->line->n, &lane->line->root, t);
}

/* What a lane stands for in its line: the least that anybody there needs. */
static bool stands_for(struct tg_lane *lane)
{
    struct tg_turn *t = &lane->turn;
    const struct tg_turn *root = lane->root;
    bool changed = false;
    for (int i = 0; i < lane->line->n; i++) {
        changed = changed || t->of[i].need != root->of[i].least;
        t->of[i].need = root->of[i].least;
    }
    return changed;
}

/* Those in the lane have changed. */
static void settle(struct tg_queue *q, struct tg_lane *lane)
{
    struct tg_line *line = lane->line;
    bool was_queued = lane->queued;
    lane->queued = lane->root != NULL;
    if (!lane->queued) {
        if (was_queued)
            erase(line->n, &line->root, &lane->turn);
    } else if (stands_for(lane) && was_queued) {
        renew(line->n, line->root, &lane->turn);
    }
    if (lane->queued && !was_queued)
        enter(q, lane);
}

/* ----- demands ---------------------------------------------------------------------------- */

void tg_queue_add(struct tg_queue *q, struct tg_demand *d)
{
    TG_ASSERT(!d->waiting);
    d->waiting = d->fresh = true;
    DL_APPEND(q->fresh, d);
}

static void insert_demand(struct tg_demand *d)
{
    d->turn.key[0] = d->since_ns;
    d->turn.key[1] = d->self;
    insert(d->lane->line->n, &d->lane->root, &d->turn);
}

static void erase_demand(struct tg_demand *d)
{
    erase(d->lane->line->n, &d->lane->root, &d->turn);
}

void tg_queue_park(struct tg_queue *q, struct tg_demand *d)
{
    TG_ASSERT(d->fresh);
    DL_DELETE(q->fresh, d);
    d->fresh = false;
    q->nparked++;
    if (d->lane == NULL)
        d->lane = find_lane(q, d);
    const struct tg_line *line = d->lane->line;
    d->turn.dice = tg_mix64(d->self);
    for (int i = 0; i < line->n; i++)
        d->turn.of[i].need = d->shape.amount[line->res[i]];
    insert_demand(d);
    settle(q, d->lane);
}

void tg_queue_move(struct tg_queue *q, struct tg_demand *d)
{
    if (d->fresh)
        return;
    erase_demand(d);
    insert_demand(d);
    settle(q, d->lane);
}

void tg_queue_remove(struct tg_queue *q, struct tg_demand *d)
{
    TG_ASSERT(d->waiting);
    d->waiting = false;
    if (d->fresh) {
        DL_DELETE(q->fresh, d);
        d->fresh = false;
        return;
    }
    q->nparked--;
    erase_demand(d);
    settle(q, d->lane);
}

/* ----- who is next -------------------------------------------------------------------------- */

bool tg_queue_before(const struct tg_queue *q, const struct tg_demand *a,
                     const struct tg_demand *b)
{
    uint64_t ta = q->used_time[a->owner], tb = q->used_time[b->owner];
    if (a->depth != b->depth)
        return a->depth > b->depth;
    if (ta != tb)
        return ta < tb;
    if (a->since_ns != b->since_ns)
        return a->since_ns < b->since_ns;
    return a->self < b->self;
}

struct tg_demand *tg_queue_fresh(const struct tg_queue *q)
{
    struct tg_demand *best = NULL, *d;
    DL_FOREACH (q->fresh, d) {
        if (best == NULL || tg_queue_before(q, d, best))
            best = d;
    }
    return best;
}

struct room { /* of a line's resources */
    int n;
    int64_t of[TG_RES_MAX];
};

static bool some_suits(const struct room *k, const struct tg_turn *t)
{
    int i = 0;
    while (i < k->n && t->of[i].least <= k->of[i])
        i++;
    return i == k->n;
}

static bool suits(const struct room *k, const struct tg_turn *t)
{
    int i = 0;
    while (i < k->n && t->of[i].need <= k->of[i])
        i++;
    return i == k->n;
}

static struct tg_demand *first_demand(const struct room *k, struct tg_turn *t)
{
    while (t != NULL && some_suits(k, t)) {
        struct tg_demand *d = first_demand(k, t->left);
        if (d != NULL)
            return d;
        if (suits(k, t))
            return (struct tg_demand *)t;
        t = t->right;
    }
    return NULL;
}

/* Also by what a lane needs: that may be of several of its demands, so there
 * need not be one that suits. */
static struct tg_demand *first_of_lanes(const struct room *k, struct tg_turn *t)
{
    while (t != NULL && some_suits(k, t)) {
        struct tg_demand *d = first_of_lanes(k, t->left);
        if (d == NULL && suits(k, t))
            d = first_demand(k, ((struct tg_lane *)t)->root);
        if (d != NULL)
            return d;
        t = t->right;
    }
    return NULL;
}

/* An owner's core-time only grows, and what waits in its lane only gets younger:
 * a lane may stand too far in front, never too far behind.  So it need not be
 * moved with each lease of its owner, but when it is found. */
static struct tg_demand *first_of_line(struct tg_queue *q, struct tg_line *line,
                                       const int64_t *room)
{
    struct room k;
    k.n = line->n;
    for (int i = 0; i < k.n; i++)
        k.of[i] = room[line->res[i]];
    for (;;) {
        struct tg_demand *d = first_of_lanes(&k, line->root);
        if (d == NULL)
            return NULL;
        struct tg_turn *t = &d->lane->turn;
        if (t->key[0] == q->used_time[d->owner] && t->key[1] == oldest(d->lane))
            return d;
        erase(line->n, &line->root, t);
        enter(q, d->lane);
    }
}

struct tg_demand *tg_queue_fits(struct tg_queue *q, const int64_t *room,
                                int32_t node, int32_t above)
{
    struct tg_demand *best = NULL;
    struct tg_line *lists[] = {q->anywhere, q->at_node[node]};
    for (int i = 0; i < 2; i++)
        for (struct tg_line *line = lists[i];
             line != NULL && line->depth > above &&
             (best == NULL || line->depth >= best->depth);
             line = line->next) {
            if (line->root == NULL || line->root->of[0].least > room[0])
                continue; /* as most do: too few CPUs for any */
            struct tg_demand *d = first_of_line(q, line, room);
            if (d != NULL && (best == NULL || tg_queue_before(q, d, best)))
                best = d;
        }
    return best;
}

/* ----- looking -------------------------------------------------------------------------------- */

static uint32_t check_turns(int n, const struct tg_turn *t)
{
    if (t == NULL)
        return 0;
    struct tg_turn sum = *t;
    pull(n, &sum);
    for (int i = 0; i < n; i++)
        TG_ASSERT(sum.of[i].least == t->of[i].least);
    const struct tg_turn *below[] = {t->left, t->right};
    for (int i = 0; i < 2; i++) {
        const struct tg_turn *b = below[i];
        TG_ASSERT(b == NULL ||
                  (b->dice <= t->dice && before(b, t) == (i == 0)));
    }
    return 1 + check_turns(n, t->left) + check_turns(n, t->right);
}

void tg_queue_check(const struct tg_queue *q)
{
    uint32_t n = 0;
    const struct tg_lane *lane;
    for (lane = q->lanes; lane != NULL; lane = lane->hh.next) {
        const struct tg_line *line = lane->line;
        TG_ASSERT(lane->users > 0 && lane->queued == (lane->root != NULL));
        TG_ASSERT(line->next == NULL || line->depth >= line->next->depth);
        n += check_turns(line->n, lane->root);
        if (!lane->queued)
            continue;
        struct tg_lane now = *lane;
        TG_ASSERT(!stands_for(&now));
        uint64_t used = q->used_time[lane->key.owner];
        const uint64_t *key = lane->turn.key;
        TG_ASSERT(key[0] < used || (key[0] == used && key[1] <= oldest(lane)));
        check_turns(line->n, line->root);
    }
    TG_ASSERT(n == q->nparked);
}
