/* tiles.c - see tiles.h. */
#include "tiles.h"

#include <stdlib.h>
#include <string.h>

#include "common/run.h"
#include "index.h"
#include "progress.h"

#define TASK "coast.tile"

/* Enough to keep every rank busy; a bound on what waits to be taken. */
enum { MAX_IN_FLIGHT = 4096 };

/* The task's own codes of failure. */
enum { BAD_ARGUMENT = 1, NO_MEMORY };

/* ---- on the workers ---------------------------------------------------- */

static int return_tile(trygon_call_t *call, const struct grid_tile *tile,
                       const struct index_view *view)
{
    const int64_t dims[2] = {tile->nrow, tile->ncol};
    size_t size = (size_t)dims[0] * (size_t)dims[1] * sizeof(float);
    float *km = malloc(size);

    if (km == NULL)
        return trygon_call_fail(call, NO_MEMORY, "no memory for a tile");
    grid_tile_distances(tile, view, km);
    const trygon_value_t value = {.data = km,
                                  .size = size,
                                  .type = TRYGON_FLOAT32,
                                  .ndim = 2,
                                  .dims = dims};
    int rc = trygon_call_return(call, 0, &value);
    free(km);
    return rc;
}

/* Arguments: a struct grid_tile, and the index. */
static int tile_task(trygon_call_t *call)
{
    trygon_value_t spec, index;
    struct grid_tile tile;
    struct index_view view;
    struct fault fault;
    int rc;

    if ((rc = trygon_call_arg(call, 0, &spec)) != TRYGON_SUCCESS ||
        (rc = trygon_call_arg(call, 1, &index)) != TRYGON_SUCCESS)
        return rc;
    if (spec.size != sizeof tile)
        return trygon_call_fail(call, BAD_ARGUMENT, "no tile");
    memcpy(&tile, spec.data, sizeof tile);
    if (grid_tile_check(&tile, &fault) != 0 ||
        index_view(index.data, index.size, &view, &fault) != 0)
        return trygon_call_fail(call, BAD_ARGUMENT, "%s", fault.text);
    return return_tile(call, &tile, &view);
}

int tiles_register(trygon_registry_t *registry)
{
    return trygon_registry_add_task(registry, TASK, tile_task);
}

/* ---- on the driver ----------------------------------------------------- */

struct work {
    trygon_t *tg;
    const struct grid *grid;
    int32_t tile_side;
    float *km;
    trygon_ref_t index;
    trygon_waitset_t *waiting;
    size_t ntiles, submitted, taken;
    struct progress progress;
};

/* What the wait set holds keeps its reference until it is taken. */
static int submit_tile(struct work *work, struct fault *fault)
{
    const struct grid_tile tile =
        grid_tile_at(work->grid, work->tile_side, work->submitted);
    const trygon_value_t args[] = {TRYGON_BYTES(&tile, sizeof tile),
                                   TRYGON_REF(work->index)};
    trygon_ref_t ref;
    int rc = trygon_submit(work->tg, TASK, 2, args, NULL, &ref);

    if (rc == TRYGON_SUCCESS)
        rc = trygon_waitset_add(work->waiting, ref, work->submitted);
    if (rc != TRYGON_SUCCESS)
        return run_fault(fault, "cannot start a tile", rc);
    work->submitted++;
    return 0;
}

static int place_tile(struct work *work, uint64_t number,
                      const trygon_value_t *value, struct fault *fault)
{
    const struct grid_tile tile =
        grid_tile_at(work->grid, work->tile_side, number);

    if (value->type != TRYGON_FLOAT32 || value->ndim != 2 ||
        value->dims[0] != tile.nrow || value->dims[1] != tile.ncol)
        return fault_set(fault, "a tile came back in another shape");
    grid_tile_place(work->grid, &tile, value->data, work->km);
    progress_step(&work->progress, (size_t)tile.nrow * (size_t)tile.ncol);
    return 0;
}

static int take_tile(struct work *work, struct fault *fault)
{
    trygon_ref_t ref;
    trygon_value_t value;
    uint64_t number;
    int rc;

    if ((rc = trygon_waitset_next(work->waiting, TRYGON_FOREVER, &ref,
                                  &number)) != TRYGON_SUCCESS)
        return run_fault(fault, "cannot wait for tiles", rc);
    rc = trygon_get(work->tg, ref, TRYGON_FOREVER, &value);
    if (rc == TRYGON_SUCCESS) {
        rc = place_tile(work, number, &value, fault);
        trygon_value_release(work->tg, &value);
    } else {
        rc = run_fault(fault, "a tile failed", rc);
    }
    trygon_ref_release(work->tg, 1, &ref);
    work->taken++;
    return rc;
}

/* After a failure tiles are still in flight; when the driver returns, trygon
 * cancels them. */
static int run_tiles(struct work *work, struct fault *fault)
{
    while (work->taken < work->ntiles) {
        bool room = work->submitted - work->taken < MAX_IN_FLIGHT;
        int rc = room && work->submitted < work->ntiles
                     ? submit_tile(work, fault)
                     : take_tile(work, fault);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int tiles_compute(trygon_t *tg, const struct grid *grid, int32_t tile_side,
                  const void *index, size_t index_size, float *km,
                  struct fault *fault)
{
    struct work work = {.tg = tg,
                        .grid = grid,
                        .tile_side = tile_side,
                        .km = km,
                        .ntiles = grid_tile_count(grid, tile_side)};
    const trygon_value_t value = TRYGON_BYTES(index, index_size);
    int rc = trygon_put(tg, &value, &work.index);

    if (rc != TRYGON_SUCCESS)
        return run_fault(fault, "cannot share the index", rc);
    rc = trygon_waitset_create(tg, &work.waiting);
    if (rc != TRYGON_SUCCESS) {
        rc = run_fault(fault, "cannot wait for tiles", rc);
    } else {
        progress_start(&work.progress, work.ntiles, grid_cells(grid));
        rc = run_tiles(&work, fault);
        progress_end(&work.progress);
        trygon_waitset_destroy(&work.waiting);
    }
    trygon_ref_release(tg, 1, &work.index);
    return rc;
}
