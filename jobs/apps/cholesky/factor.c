/* factor.c - see factor.h. */
#include "factor.h"

#include <math.h>
#include <stdlib.h>

#include "common/run.h"
#include "flow.h"
#include "tile.h"

/* A chain has one task that can run at a time: enough chains for every slot,
 * while some wait for tiles of others. */
enum { CHAINS_PER_SLOT = 4 };

static int generated(void *arg, int32_t i, int32_t j, trygon_ref_t *ref,
                     struct fault *fault)
{
    const struct factor *f = arg;
    const struct tile tile = {f->tiling, i, j};
    int rc = tile_generate(f->tg, &tile, ref);

    return rc == TRYGON_SUCCESS ? 0
                                : run_fault(fault, "cannot start a task", rc);
}

int factor_open(struct factor *f, struct fault *fault)
{
    double slots, available;

    if (f->source.tile == NULL)
        f->source = (struct source){generated, f};
    if (f->window == 0) {
        int rc = trygon_resources(f->tg, "cpu", &slots, &available);
        if (rc != TRYGON_SUCCESS)
            return run_fault(fault, "no CPU", rc);
        f->window = (size_t)(CHAINS_PER_SLOT * ceil(slots));
    }
    f->tile = calloc(tiling_tiles(&f->tiling), sizeof *f->tile);
    if (f->tile == NULL)
        return fault_set(fault, "out of memory for %zu references",
                         tiling_tiles(&f->tiling));
    return 0;
}

void factor_close(struct factor *f)
{
    if (f->tile != NULL)
        trygon_ref_release(f->tg, tiling_tiles(&f->tiling), f->tile);
    free(f->tile);
    f->tile = NULL;
}

static trygon_ref_t at(const struct factor *f, int32_t i, int32_t j)
{
    return f->tile[tiling_index(i, j)];
}

/* The version after *ref takes its place. */
static int replace(struct factor *f, int rc, trygon_ref_t *ref,
                   trygon_ref_t next, struct fault *fault)
{
    trygon_ref_release(f->tg, 1, ref);
    if (rc != TRYGON_SUCCESS)
        return run_fault(fault, "cannot start a task", rc);
    *ref = next;
    return 0;
}

/* The columns before `end` are taken off *ref, which is none on failure. */
static int update(struct factor *f, int32_t i, int32_t j, int32_t end,
                  trygon_ref_t *ref, struct fault *fault)
{
    const struct tile tile = {f->tiling, i, j};
    int rc = 0;

    for (int32_t k = 0; k < end && rc == 0; k++) {
        trygon_ref_t next = {0, 0};
        int made =
            tile_update(f->tg, &tile, *ref, at(f, i, k), at(f, j, k), &next);
        rc = replace(f, made, ref, next, fault);
    }
    return rc;
}

/* ---- the factor -------------------------------------------------------- */

static int make_tile(struct factor *f, struct flow *flow, int32_t i, int32_t j,
                     struct fault *fault)
{
    const struct tile tile = {f->tiling, i, j};
    size_t index = tiling_index(i, j);
    trygon_ref_t ref, next = {0, 0};

    if (f->source.tile(f->source.arg, i, j, &ref, fault) != 0 ||
        update(f, i, j, j, &ref, fault) != 0)
        return -1;
    int rc = tile_factor(f->tg, &tile, ref, at(f, j, j), &next);
    if (replace(f, rc, &ref, next, fault) != 0)
        return -1;
    f->tile[index] = ref;
    rc = trygon_ref_retain(f->tg, 1, &ref); /* for the flow */
    if (rc != TRYGON_SUCCESS)
        return run_fault(fault, "cannot keep a tile", rc);
    return flow_add(flow, ref, index, fault);
}

int factor_run(struct factor *f, struct fault *fault)
{
    struct flow flow = {.tg = f->tg, .room = f->window};
    int rc = 0;

    if (flow_open(&flow, fault) != 0)
        return -1;
    for (int32_t j = 0; j < f->tiling.count && rc == 0; j++)
        for (int32_t i = j; i < f->tiling.count && rc == 0; i++)
            rc = make_tile(f, &flow, i, j, fault);
    return flow_close(&flow, rc, fault);
}

/* ---- the residual ------------------------------------------------------ */

/* Two sums, of each tile: of the matrix, and of what is left of it when the
 * factor is taken off.  Added up at the end, always in the same order. */
struct norms {
    trygon_t *tg;
    double *of; /* two for each tile */
};

static int take_norm(void *arg, uint64_t tag, trygon_ref_t ref,
                     struct fault *fault)
{
    struct norms *norms = arg;
    int rc = trygon_get_into(norms->tg, ref, TRYGON_FOREVER, &norms->of[tag],
                             sizeof *norms->of, NULL);

    return rc == TRYGON_SUCCESS ? 0 : run_fault(fault, "no norm", rc);
}

static int add_norm(struct factor *f, struct flow *flow,
                    const struct tile *tile, trygon_ref_t ref, uint64_t tag,
                    struct fault *fault)
{
    trygon_ref_t norm;
    int rc = tile_norm2(f->tg, tile, ref, &norm);

    if (rc != TRYGON_SUCCESS)
        return run_fault(fault, "cannot start a task", rc);
    return flow_add(flow, norm, tag, fault);
}

static int compare_tile(struct factor *f, struct flow *flow, int32_t i,
                        int32_t j, struct fault *fault)
{
    const struct tile tile = {f->tiling, i, j};
    uint64_t tag = 2 * tiling_index(i, j);
    trygon_ref_t ref;

    if (f->source.tile(f->source.arg, i, j, &ref, fault) != 0)
        return -1;
    int rc = add_norm(f, flow, &tile, ref, tag, fault);
    if (rc == 0)
        rc = update(f, i, j, j + 1, &ref, fault);
    if (rc == 0)
        rc = add_norm(f, flow, &tile, ref, tag + 1, fault);
    trygon_ref_release(f->tg, 1, &ref);
    return rc;
}

static double relative(const struct norms *norms, size_t ntiles)
{
    double matrix = 0.0, left = 0.0;

    for (size_t i = 0; i < ntiles; i++) {
        matrix += norms->of[2 * i];
        left += norms->of[2 * i + 1];
    }
    return sqrt(left / matrix);
}

int factor_residual(struct factor *f, double *residual, struct fault *fault)
{
    size_t ntiles = tiling_tiles(&f->tiling);
    struct norms norms = {f->tg, calloc(2 * ntiles, sizeof(double))};
    struct flow flow = {
        .tg = f->tg, .room = 2 * f->window, .take = take_norm, .arg = &norms};
    int rc = 0;

    if (norms.of == NULL)
        return fault_set(fault, "out of memory for %zu norms", 2 * ntiles);
    if (flow_open(&flow, fault) != 0) {
        free(norms.of);
        return -1;
    }
    for (int32_t j = 0; j < f->tiling.count && rc == 0; j++)
        for (int32_t i = j; i < f->tiling.count && rc == 0; i++)
            rc = compare_tile(f, &flow, i, j, fault);
    rc = flow_close(&flow, rc, fault);
    if (rc == 0)
        *residual = relative(&norms, ntiles);
    free(norms.of);
    return rc;
}
