/* net_gather.c - the one collective call of a start (net_mpi.h).  It needs no
 * transport and must not be used after it has begun: a rank may be lost then.
 */
#include "net/net_mpi.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>

#include "base/mem.h"

/* Blobs travel padded to whole units, so that MPI's int counts reach far. */
enum { UNIT = 64 };

struct gather {
    int nranks;
    int *counts, *at; /* in units */
    uint64_t *sizes;
    unsigned char *padded, *all;
};

static int gather_sizes(MPI_Comm comm, size_t n, struct gather *g)
{
    uint64_t size = n, sum = 0;
    g->counts = tg_alloc((size_t)g->nranks * sizeof *g->counts);
    g->at = tg_alloc((size_t)g->nranks * sizeof *g->at);
    g->sizes = tg_alloc((size_t)g->nranks * sizeof *g->sizes);
    if (MPI_Allgather(&size, 1, MPI_UINT64_T, g->sizes, 1, MPI_UINT64_T,
                      comm) != MPI_SUCCESS)
        return TRYGON_ERR_MPI;
    for (int r = 0; r < g->nranks; r++) {
        uint64_t units = g->sizes[r] / UNIT + (g->sizes[r] % UNIT != 0);
        if (units > INT_MAX || sum + units > INT_MAX)
            return TRYGON_ERR_CAPACITY;
        g->at[r] = (int)sum;
        g->counts[r] = (int)units;
        sum += units;
    }
    g->all = tg_alloc((size_t)(sum + 1) * UNIT);
    return TRYGON_SUCCESS;
}

static int gather_blobs(MPI_Comm comm, int rank, const void *mine, size_t n,
                        struct gather *g)
{
    MPI_Datatype unit;
    if (MPI_Type_contiguous(UNIT, MPI_BYTE, &unit) != MPI_SUCCESS)
        return TRYGON_ERR_MPI;
    int code = MPI_Type_commit(&unit);
    g->padded = tg_alloc(((size_t)g->counts[rank] + 1) * UNIT);
    if (n > 0)
        memcpy(g->padded, mine, n);
    if (code == MPI_SUCCESS)
        code = MPI_Allgatherv(g->padded, g->counts[rank], unit, g->all,
                              g->counts, g->at, unit, comm);
    if (MPI_Type_free(&unit) != MPI_SUCCESS)
        code = MPI_ERR_TYPE;
    return code == MPI_SUCCESS ? TRYGON_SUCCESS : TRYGON_ERR_MPI;
}

/* Moves the blobs together, over their padding. */
static size_t *close_gaps(struct gather *g)
{
    size_t *offsets = tg_alloc(((size_t)g->nranks + 1) * sizeof *offsets);
    for (int r = 0; r < g->nranks; r++) {
        memmove(g->all + offsets[r], g->all + (size_t)g->at[r] * UNIT,
                g->sizes[r]);
        offsets[r + 1] = offsets[r] + g->sizes[r];
    }
    return offsets;
}

int tg_net_mpi_allgather(MPI_Comm comm, const void *mine, size_t n, void **all,
                         size_t **offsets)
{
    struct gather g = {0};
    int rank;
    if (MPI_Comm_rank(comm, &rank) != MPI_SUCCESS ||
        MPI_Comm_size(comm, &g.nranks) != MPI_SUCCESS)
        return TRYGON_ERR_MPI;
    int rc = gather_sizes(comm, n, &g);
    if (rc == TRYGON_SUCCESS)
        rc = gather_blobs(comm, rank, mine, n, &g);
    if (rc == TRYGON_SUCCESS) {
        *offsets = close_gaps(&g);
        *all = g.all;
        g.all = NULL;
    }
    free(g.counts);
    free(g.at);
    free(g.sizes);
    free(g.padded);
    free(g.all);
    return rc;
}
