/* split.c - see split.h.
 *
 * Works node by node.  The places of a node fall into classes by the set of
 * ranks that may use them; classes of few ranks go first, so that a rank with
 * cores of its own leaves more of the shared ones to the others.
 */
#include "topo/split.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A place of the node and who may use it. */
struct row {
    int32_t place;
    uint32_t nusers;
    uint32_t nwords;
    uint64_t *users; /* a set of member numbers */
};

/* A rank of the node that takes a share. */
struct member {
    int32_t rank;
    uint32_t count;
    int32_t *places; /* where its places go */
    bool starved, crowded;
};

struct node {
    const struct tg_split_rank *ranks;
    struct member *members;
    uint32_t nmembers;
    struct row *rows;
    uint32_t nrows;
    int32_t *owner; /* member of each place, or -1 */
    uint32_t nplaces;
};

static bool has(const uint64_t *set, uint32_t i)
{
    return (set[i / 64] >> i % 64 & 1) != 0;
}

static bool may_use(const struct tg_split_rank *r, uint32_t place)
{
    return place / 64 < r->nwords && has(r->mask, place);
}

static int by_users(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->nusers != y->nusers)
        return x->nusers < y->nusers ? -1 : 1;
    int c = memcmp(x->users, y->users, x->nwords * sizeof *x->users);
    if (c != 0)
        return c;
    return (x->place > y->place) - (x->place < y->place);
}

static bool same_class(const struct row *x, const struct row *y)
{
    return x->nusers == y->nusers &&
           memcmp(x->users, y->users, x->nwords * sizeof *x->users) == 0;
}

/* Lists the places that somebody may use; returns the memory of their sets. */
static uint64_t *list_rows(struct node *n)
{
    uint32_t nwords = (n->nmembers + 63) / 64;
    uint64_t *sets = tg_alloc((size_t)n->nplaces * nwords * sizeof *sets);
    n->rows = tg_alloc(n->nplaces * sizeof *n->rows);
    for (uint32_t p = 0; p < n->nplaces; p++) {
        struct row *row = &n->rows[n->nrows];
        row->place = (int32_t)p;
        row->nwords = nwords;
        row->nusers = 0;
        row->users = sets + (size_t)n->nrows * nwords;
        for (uint32_t m = 0; m < n->nmembers; m++) {
            if (may_use(&n->ranks[n->members[m].rank], p)) {
                row->users[m / 64] |= UINT64_C(1) << m % 64;
                row->nusers++;
            }
        }
        n->nrows += row->nusers > 0;
    }
    qsort(n->rows, n->nrows, sizeof *n->rows, by_users);
    return sets;
}

/* Hands out rows [first, end), which are of one class: first how many each
 * gets, one by one to whoever has least, then which, in rank order. */
static void split_class(struct node *n, uint32_t first, uint32_t end)
{
    const struct row *rows = n->rows;
    uint32_t *extra = tg_alloc(n->nmembers * sizeof *extra);
    for (uint32_t i = first; i < end; i++) {
        uint32_t least = UINT32_MAX, who = 0;
        for (uint32_t m = 0; m < n->nmembers; m++) {
            if (has(rows[first].users, m) && n->members[m].count < least) {
                least = n->members[m].count;
                who = m;
            }
        }
        n->members[who].count++;
        extra[who]++;
    }
    uint32_t i = first;
    for (uint32_t m = 0; m < n->nmembers; m++) {
        for (uint32_t k = 0; k < extra[m]; k++)
            n->owner[rows[i++].place] = (int32_t)m;
    }
    free(extra);
}

/* A rank without a core runs somewhere on its mask, so whoever owns a core
 * there cannot rely on it. */
static void find_crowds(struct node *n)
{
    for (uint32_t m = 0; m < n->nmembers; m++) {
        struct member *mem = &n->members[m];
        mem->starved = mem->count == 0;
        for (uint32_t p = 0; mem->starved && p < n->nplaces; p++) {
            if (n->owner[p] >= 0 && may_use(&n->ranks[mem->rank], p))
                n->members[n->owner[p]].crowded = true;
        }
    }
}

/* Writes the members' shares and, from places on, what they point to. */
static void write_shares(struct node *n, struct tg_split_share *shares,
                         int32_t *places)
{
    for (uint32_t m = 0; m < n->nmembers; m++) {
        struct member *mem = &n->members[m];
        int32_t wanted = n->ranks[mem->rank].requested;
        int32_t share = (int32_t)mem->count;
        struct tg_split_share *out = &shares[mem->rank];
        out->slots = wanted >= 0 ? wanted : share > 0 ? share : 1;
        out->bound = !mem->starved && !mem->crowded && out->slots <= share;
        if (out->bound)
            out->places = places;
        mem->places = places;
        places += share;
    }
    for (uint32_t p = 0; p < n->nplaces; p++) {
        if (n->owner[p] >= 0)
            *n->members[n->owner[p]].places++ = (int32_t)p;
    }
}

static void split_node(struct node *n, struct tg_split_share *shares,
                       int32_t *places)
{
    n->owner = tg_alloc((n->nplaces + 1) * sizeof *n->owner);
    for (uint32_t p = 0; p < n->nplaces; p++)
        n->owner[p] = -1;

    uint64_t *sets = list_rows(n);
    for (uint32_t first = 0, end; first < n->nrows; first = end) {
        for (end = first + 1; end < n->nrows; end++) {
            if (!same_class(&n->rows[first], &n->rows[end]))
                break;
        }
        split_class(n, first, end);
    }
    find_crowds(n);
    write_shares(n, shares, places);
    free(sets);
    free(n->rows);
    free(n->owner);
}

struct seat {
    int32_t node, rank;
};

static int by_node(const void *a, const void *b)
{
    const struct seat *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* The ranks that take part, by node and rank. */
static uint32_t seat_ranks(const struct tg_split_rank *ranks, int32_t nranks,
                           struct seat *seats)
{
    uint32_t n = 0;
    for (int32_t r = 0; r < nranks; r++) {
        if (ranks[r].wants_slots && ranks[r].requested != 0)
            seats[n++] = (struct seat){ranks[r].node, r};
    }
    qsort(seats, n, sizeof *seats, by_node);
    return n;
}

/* The node of seat first: its members and how far its places go. */
static struct node gather_node(const struct tg_split_rank *ranks,
                               const struct seat *seats, uint32_t nseats,
                               uint32_t first, struct member *members)
{
    struct node n = {.ranks = ranks, .members = members};
    for (uint32_t i = first; i < nseats; i++) {
        if (seats[i].node != seats[first].node)
            break;
        members[n.nmembers++] = (struct member){.rank = seats[i].rank};
        uint32_t bits = ranks[seats[i].rank].nwords * 64;
        n.nplaces = bits > n.nplaces ? bits : n.nplaces;
    }
    return n;
}

void tg_split(const struct tg_split_rank *ranks, int32_t nranks,
              struct tg_split_share *shares, int32_t **places)
{
    size_t size = nranks > 0 ? (size_t)nranks : 1, total = 0;
    struct seat *seats = tg_alloc(size * sizeof *seats);
    struct member *members = tg_alloc(size * sizeof *members);
    for (int32_t r = 0; r < nranks; r++)
        shares[r] = (struct tg_split_share){0, false, NULL};

    /* Twice over the nodes: the shares point into one array. */
    uint32_t nseats = seat_ranks(ranks, nranks, seats);
    struct node n;
    for (uint32_t i = 0; i < nseats; i += n.nmembers) {
        n = gather_node(ranks, seats, nseats, i, members);
        total += n.nplaces;
    }
    *places = tg_alloc((total + 1) * sizeof **places);
    int32_t *at = *places;
    for (uint32_t i = 0; i < nseats; i += n.nmembers) {
        n = gather_node(ranks, seats, nseats, i, members);
        split_node(&n, shares, at);
        at += n.nplaces;
    }
    free(seats);
    free(members);
}
