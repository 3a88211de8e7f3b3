/* stores_start.c - how the ranks of a node come to share their stores. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "net/net_mpi.h"
#include "rank/memory.h"
#include "rank/rank.h"

/* What each rank tells all, first of what it wants, then of what it has. */
struct wish {
    uint64_t usable; /* bytes, by the ranks of its node */
    uint64_t bytes;  /* of its node for large objects; 0: a share of it */
    uint64_t job;    /* random; that of rank 0 counts */
};

struct store_card {
    int32_t status;
    char err[300];
    struct tg_shm_offer offer;
    struct tg_shm_offer
        page; /* of the first rank of a node: tg_nodemem_offer() */
};

struct gathered {
    void *all;
    size_t *offsets;
};

static int gather(const struct trygon *tg, const void *mine, size_t size,
                  struct gathered *g)
{
    return tg_net_mpi_allgather(tg->comm, mine, size, &g->all, &g->offsets);
}

static void free_gathered(struct gathered *g)
{
    free(g->all);
    free(g->offsets);
}

/* The record of that rank, which has size bytes. */
static void take(const struct gathered *g, int32_t rank, void *out, size_t size)
{
    TG_ASSERT(g->offsets[rank + 1] - g->offsets[rank] == size);
    memcpy(out, (const unsigned char *)g->all + g->offsets[rank], size);
}

/* ----- how large ------------------------------------------------------------------ */

/* Of no other run, whatever the seed. */
static uint64_t random_number(void)
{
    uint64_t x = 0;
    if (getrandom(&x, sizeof x, GRND_NONBLOCK) != (ssize_t)sizeof x)
        x = tg_mix64(tg_now_ns() ^ (uint64_t)getpid() << 40);
    return x;
}

/* Ray's share of the memory, unless a rank of the node says how much: the first
 * that does. */
static uint64_t node_bytes(const struct trygon *tg, const struct gathered *g)
{
    static const uint64_t least = UINT64_C(1) << 20;
    const int32_t *node = tg->layout.node;
    uint64_t bytes = 0, usable = UINT64_MAX;
    struct wish w;
    for (int32_t r = 0; r < tg->nranks; r++) {
        if (node[r] != node[tg->rank])
            continue;
        take(g, r, &w, sizeof w);
        usable = w.usable < usable ? w.usable : usable;
        bytes = bytes != 0 ? bytes : w.bytes;
    }
    if (bytes == 0)
        bytes = usable / 10 * 3;
    return bytes > least ? bytes : least;
}

/* Outputs the job's number. */
static int agree(struct trygon *tg, const trygon_opts_t *o, uint64_t *job)
{
    struct gathered g = {0};
    struct wish w = {.usable = tg_memory_usable("", tg_getenv, NULL),
                     .bytes = o->store_bytes,
                     .job = random_number()};
    int rc = gather(tg, &w, sizeof w, &g);
    if (rc == TRYGON_SUCCESS) {
        tg->stores.node_limit = node_bytes(tg, &g);
        take(&g, 0, &w, sizeof w);
        *job = w.job;
    }
    free_gathered(&g);
    return rc;
}

/* ----- this rank's store ---------------------------------------------------------- */

/* Among those of their nodes.  Returns how many this one has. */
static int32_t number_ranks(struct trygon *tg)
{
    struct tg_stores *s = &tg->stores;
    const int32_t *node = tg->layout.node;
    int32_t *count = tg_alloc((size_t)tg->layout.nnodes * sizeof *count);
    s->number = tg_alloc((size_t)tg->nranks * sizeof *s->number);
    for (int32_t r = 0; r < tg->nranks; r++)
        s->number[r] = count[node[r]]++;
    int32_t here = count[node[tg->rank]];
    free(count);
    return here;
}

/* Without HDF5 there are only files that are mapped, when the store is full. */
static int open_spill(struct trygon *tg, const trygon_opts_t *o, uint64_t job,
                      char *err, size_t size)
{
    struct tg_spill_opts so = {.dirs = o->spill_dir,
                               .deflate = o->spill_deflate,
                               .job = job,
                               .rank = tg->rank,
                               .log = &tg->log};
    int rc = tg_spill_create(&so, &tg->stores.spill, err, size);
    if (rc == TRYGON_ERR_UNSUPPORTED) {
        tg_log(&tg->log, TRYGON_LOG_WARN,
               "large objects are not written to files, but when the store is "
               "full new ones are made in mapped files: %s",
               err);
        rc = TRYGON_SUCCESS;
    }
    return rc;
}

static void make_store(struct trygon *tg, const trygon_opts_t *o, uint64_t job,
                       int32_t here, struct store_card *card)
{
    struct tg_stores *s = &tg->stores;
    char why[200] = "";
    s->of = tg_alloc((size_t)tg->nranks * sizeof(struct tg_arena *));
    card->status = open_spill(tg, o, job, card->err, sizeof card->err);
    if (card->status != TRYGON_SUCCESS)
        return;
    card->status = tg_arena_create(s->node_limit, TG_STORES_SLOTS, here - 1,
                                   &s->own, &card->offer, why, sizeof why);
    if (card->status == TRYGON_SUCCESS && s->number[tg->rank] == 0)
        card->status =
            tg_nodemem_offer(&s->node, here, &card->page, why, sizeof why);
    if (card->status != TRYGON_SUCCESS)
        snprintf(card->err, sizeof card->err,
                 "no memory for large objects to share with other ranks: %s",
                 why);
    s->of[tg->rank] = s->own;
}

/* ----- those of others ---------------------------------------------------------------- */

static int all_fine(const struct trygon *tg, const struct gathered *g)
{
    struct store_card card;
    for (int32_t r = 0; r < tg->nranks; r++) {
        take(g, r, &card, sizeof card);
        if (card.status == TRYGON_SUCCESS)
            continue;
        if (tg->rank == 0)
            tg_log(&tg->log, TRYGON_LOG_ERROR, "rank %d: %s", (int)r, card.err);
        return card.status;
    }
    return TRYGON_SUCCESS;
}

static int open_one(struct trygon *tg, const struct store_card *card, int32_t r,
                    int32_t here, char *why, size_t nwhy)
{
    struct tg_stores *s = &tg->stores;
    if (s->number[r] == 0) {
        int rc = tg_nodemem_open(&s->node, here, &card->page, why, nwhy);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    return tg_arena_open(&card->offer, s->node_limit, TG_STORES_SLOTS, here - 1,
                         tg_stores_reader(s, r, tg->rank), &s->of[r], why,
                         nwhy);
}

/* Outputs the ranks of this node whose arenas are not to be had. */
static uint32_t open_others(struct trygon *tg, const struct gathered *g,
                            int32_t here, int32_t *strange)
{
    struct store_card card;
    char why[200];
    uint32_t n = 0;
    for (int32_t r = 0; r < tg->nranks; r++) {
        if (r == tg->rank || tg->layout.node[r] != tg->layout.node[tg->rank])
            continue;
        take(g, r, &card, sizeof card);
        if (open_one(tg, &card, r, here, why, sizeof why) == TRYGON_SUCCESS)
            continue;
        if (n == 0)
            tg_log(&tg->log, TRYGON_LOG_WARN,
                   "rank %d counts as one of another node: its large objects "
                   "cannot be read in place: %s",
                   (int)r, why);
        strange[n++] = r;
    }
    return n;
}

/* ----- nodes ---------------------------------------------------------------------------- */

static bool is_strange(const struct gathered *g, int32_t rank, int32_t to)
{
    int32_t one;
    const unsigned char *v = g->all;
    for (size_t at = g->offsets[rank]; at < g->offsets[rank + 1];
         at += sizeof one) {
        memcpy(&one, v + at, sizeof one);
        if (one == to)
            return true;
    }
    return false;
}

/* Ranks of one node read each other's memory, all of them. */
static bool may_join(const struct gathered *g, const int32_t *old,
                     const int32_t *node, int32_t rank, int32_t with)
{
    bool may = old[rank] == old[with];
    for (int32_t q = 0; may && q < rank; q++)
        if (node[q] == node[with])
            may = !is_strange(g, rank, q) && !is_strange(g, q, rank);
    return may;
}

static void regroup(struct trygon *tg, const struct gathered *g)
{
    struct tg_layout *l = &tg->layout;
    size_t size = (size_t)tg->nranks * sizeof(int32_t);
    if (g->offsets[tg->nranks] == 0)
        return; /* as it should be */
    int32_t *old = tg_alloc(size);
    memcpy(old, l->node, size);
    l->nnodes = 0;
    for (int32_t r = 0; r < tg->nranks; r++) {
        l->node[r] = -1;
        for (int32_t q = 0; q < r && l->node[r] < 0; q++)
            if (may_join(g, old, l->node, r, q))
                l->node[r] = l->node[q];
        if (l->node[r] < 0)
            l->node[r] = l->nnodes++;
    }
    for (int32_t r = 0; r < tg->nranks; r++)
        if (l->node[r] != l->node[tg->rank])
            tg_arena_close(&tg->stores.of[r]);
    free(old);
}

/* Those that share the page of the first rank of what was one node share its
 * limit; anybody else has an even part of it for himself. */
static int share(struct trygon *tg, int32_t here)
{
    struct tg_stores *s = &tg->stores;
    const int32_t *node = tg->layout.node;
    int32_t n = 0;
    bool first = false;
    for (int32_t r = 0; r < tg->nranks; r++) {
        n += node[r] == node[tg->rank];
        first = first || (node[r] == node[tg->rank] && s->number[r] == 0);
    }
    uint64_t part = s->node_limit / (uint64_t)here;
    return tg_nodemem_join(&s->node, s->number[tg->rank], n,
                           n == here ? s->node_limit
                           : first   ? part * (uint64_t)n
                                     : part,
                           !first);
}

static int join(struct trygon *tg, const struct store_card *card, int32_t here)
{
    struct gathered cards = {0}, strangers = {0};
    int32_t *strange = tg_alloc((size_t)here * sizeof *strange);
    int rc = gather(tg, card, sizeof *card, &cards);
    if (rc == TRYGON_SUCCESS)
        rc = all_fine(tg, &cards);
    if (rc == TRYGON_SUCCESS) {
        uint32_t n = open_others(tg, &cards, here, strange);
        rc = gather(tg, strange, n * sizeof *strange, &strangers);
    }
    if (rc == TRYGON_SUCCESS) {
        regroup(tg, &strangers);
        rc = share(tg, here);
    }
    free_gathered(&cards);
    free_gathered(&strangers);
    free(strange);
    return rc;
}

/* ----- start and end ---------------------------------------------------------------------- */

int tg_stores_start(struct trygon *tg, const trygon_opts_t *opts)
{
    struct store_card card;
    uint64_t job;
    memset(&card, 0, sizeof card);
    card.offer.fd = card.page.fd = -1;
    tg_slab_init(&tg->stores.lents, sizeof(struct tg_lent));
    tg->stores.io = tg_io_create(tg);
    int rc = agree(tg, opts, &job);
    if (rc != TRYGON_SUCCESS)
        return rc;
    int32_t here = number_ranks(tg);
    make_store(tg, opts, job, here, &card);
    return join(tg, &card, here);
}

void tg_stores_stop(struct trygon *tg)
{
    tg_io_stop(tg->stores.io);
}

void tg_stores_free(struct tg_stores *s, int32_t nranks)
{
    struct tg_stored *x, *next;
    struct tg_sending *out, *after;
    tg_io_free(&s->io);
    for (int32_t r = 0; s->of != NULL && r < nranks; r++)
        tg_arena_close(&s->of[r]);
    tg_nodemem_free(&s->node);
    tg_spill_destroy(&s->spill);
    HASH_ITER (hh, s->blobs, x, next) {
        HASH_DEL(s->blobs, x);
        free(x);
    }
    DL_FOREACH_SAFE (s->sendings, out, after) {
        free(out->buffer);
        free(out);
    }
    free(s->of);
    free(s->number);
    tg_vec_free(&s->answers);
    uint32_t slot = 0;
    struct tg_lent *lent;
    while ((lent = tg_slab_next(&s->lents, &slot)) != NULL)
        tg_val_drop(&lent->val); /* user code has not released it */
    if (s->lents.record != 0)
        tg_slab_fini(&s->lents);
    *s = (struct tg_stores){0};
}
