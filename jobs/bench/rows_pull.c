/* rows_pull.c - large objects from rank to rank, against MPI.
 *
 * The object is new in each window, since who has got one may keep a copy.
 * Both sides end when rank 0 knows that the bytes have arrived.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { TAG_OBJECT = 1, TAG_DONE };

struct pull {
    struct bench *b;
    size_t n; /* readers, on as many ranks */
    trygon_ref_t *readers;
    size_t first, used; /* those that get the object */
    uint64_t x;         /* the object's first number */
    double seconds;
    int partner;  /* of the limit; -1: all ranks */
    char *buffer; /* of the limit, on every rank that takes part in it */
};

/* ---- ours -------------------------------------------------------------- */

static double time_pull(trygon_t *tg, struct pull *p)
{
    trygon_ref_t object, *done = calloc(p->used, sizeof *done);

    if (done == NULL)
        die("out of memory for %zu references", p->used);
    p->x += p->b->effort.large; /* no number of the last one */
    object_make(tg, p->b->effort.large, p->x, &object);
    double start = clock_s();
    for (size_t i = 0; i < p->used; i++)
        reader_start(tg, p->readers[p->first + i], object, p->x, &done[i]);
    reader_end(tg, p->used, done);
    double seconds = clock_s() - start;
    CHECK_TRYGON(trygon_ref_release(tg, 1, &object));
    free(done);
    return seconds;
}

/* The first one finds memory that was never used, and connections that were
 * never made. */
static int drive_pull(trygon_t *tg, void *arg)
{
    struct pull *p = arg;

    time_pull(tg, p);
    p->seconds = time_pull(tg, p);
    return 0;
}

/* ---- the limit --------------------------------------------------------- */

static double send_recv(const struct pull *p)
{
    const struct team *team = &p->b->team;
    int size = (int)p->b->effort.large;
    double start = clock_s();

    if (team->rank == 0) {
        CHECK_MPI(MPI_Send(p->buffer, size, MPI_BYTE, p->partner, TAG_OBJECT,
                           team->comm));
        CHECK_MPI(MPI_Recv(NULL, 0, MPI_BYTE, p->partner, TAG_DONE, team->comm,
                           MPI_STATUS_IGNORE));
    } else if (team->rank == p->partner) {
        CHECK_MPI(MPI_Recv(p->buffer, size, MPI_BYTE, 0, TAG_OBJECT, team->comm,
                           MPI_STATUS_IGNORE));
        object_look(p->buffer, (size_t)size, p->x);
        CHECK_MPI(MPI_Send(NULL, 0, MPI_BYTE, 0, TAG_DONE, team->comm));
    }
    return clock_s() - start;
}

static double broadcast(const struct pull *p)
{
    const struct team *team = &p->b->team;
    double start = clock_s();

    CHECK_MPI(
        MPI_Bcast(p->buffer, (int)p->b->effort.large, MPI_BYTE, 0, team->comm));
    object_look(p->buffer, p->b->effort.large, p->x);
    CHECK_MPI(MPI_Barrier(team->comm));
    return clock_s() - start;
}

/* Twice, as ours.  Collective; the seconds are those of rank 0. */
static double time_limit(struct pull *p)
{
    const struct team *team = &p->b->team;
    double seconds = 0.0;

    for (int i = 0; i < 2; i++) {
        p->x++;
        if (team->rank == 0)
            object_fill(p->buffer, p->b->effort.large, p->x);
        team_barrier(team);
        seconds = p->partner >= 0 ? send_recv(p) : broadcast(p);
        team_barrier(team);
    }
    return seconds;
}

/* ---- who takes part ----------------------------------------------------- */

static int make_readers(trygon_t *tg, void *arg)
{
    struct pull *p = arg;

    for (size_t i = 0; i < p->n; i++)
        reader_create(tg, &p->readers[i]);
    return 0;
}

static int end_readers(trygon_t *tg, void *arg)
{
    struct pull *p = arg;

    return trygon_ref_release(tg, p->n, p->readers);
}

/* Do the ranks count as the nodes that the row is about?  Of one reader the
 * first that does is taken. */
static int choose_one(trygon_t *tg, struct pull *p, const trygon_node_t nodes[],
                      bool apart)
{
    for (p->first = 0; p->first < p->n; p->first++) {
        p->partner = reader_where(tg, p->readers[p->first]);
        if ((nodes[p->partner].node != nodes[0].node) == apart) {
            p->used = 1;
            return 0;
        }
    }
    return -1;
}

struct choice {
    struct pull *pull;
    bool apart, all;
    int found;
};

static int drive_choice(trygon_t *tg, void *arg)
{
    struct choice *c = arg;
    struct pull *p = c->pull;
    size_t ranks = p->n + 1, n;
    trygon_node_t *nodes = calloc(ranks, sizeof *nodes);

    if (nodes == NULL)
        die("out of memory for %zu nodes", ranks);
    CHECK_TRYGON(trygon_nodes(tg, ranks, nodes, &n));
    c->found = choose_one(tg, p, nodes, c->apart) == 0;
    if (c->all) { /* every rank has a reader: see where they are */
        p->first = 0;
        p->used = p->n;
        p->partner = -1;
    }
    free(nodes);
    return 0;
}

/* ---- the rows ---------------------------------------------------------- */

static void windows(struct pull *p, struct result *result)
{
    const struct effort *e = &p->b->effort;
    double gb = 1e-9 * (double)e->large, start = clock_s();
    int more = 1;

    result->has_limit = true;
    while (more) {
        bench_run(p->b, drive_pull, p);
        team_tell(&p->b->team, &p->x, sizeof p->x);
        double seconds = time_limit(p);
        if (p->b->team.rank == 0) {
            result->limit[result->windows] = gb / seconds;
            result_add(result, gb / p->seconds);
            more = result_wants(p->b, result, start);
        }
        team_tell(&p->b->team, &more, sizeof more);
    }
}

static void measure(struct bench *b, struct result *result, bool apart,
                    bool all)
{
    struct pull p = {.b = b, .n = (size_t)b->team.size - 1};
    struct choice c = {.pull = &p, .apart = apart, .all = all};
    trygon_opts_t opts;
    trygon_t *before;

    CHECK_TRYGON(trygon_opts_init(&opts));
    runtime_open(b, &opts, apart, &before);
    p.readers = calloc(p.n, sizeof *p.readers);
    p.buffer = calloc(1, b->effort.large);
    if (p.readers == NULL || p.buffer == NULL)
        die("out of memory for %zu bytes", b->effort.large);
    memset(p.buffer, 1, b->effort.large); /* resident from now on */
    bench_run(b, make_readers, &p);
    bench_run(b, drive_choice, &c);
    team_tell(&b->team, &c.found, sizeof c.found);
    team_tell(&b->team, &p.partner, sizeof p.partner);
    if (c.found)
        windows(&p, result);
    else
        result_skip(result, apart ? "ranks are on one node (TRYGON_NODE_ID)"
                                  : "no other rank is on the node of rank 0");
    bench_run(b, end_readers, &p);
    runtime_close(b, before);
    free(p.buffer);
    free(p.readers);
}

void row_pull_same_host(struct bench *b, struct result *result)
{
    measure(b, result, false, false);
}

void row_pull(struct bench *b, struct result *result)
{
    measure(b, result, true, false);
}

void row_broadcast(struct bench *b, struct result *result)
{
    measure(b, result, true, true);
}
