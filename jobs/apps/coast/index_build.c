/* index_build.c - makes the block of an index; see index_block.h.
 *
 * Bottom up: cut the lines into runs, sort the runs along a space-filling
 * curve, write them out in that order, then box them level by level.  Every
 * step is linear in the number of points.
 */
#include "index_block.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUN_ARCS = 8,   /* at most; tried 4 to 32 */
    CURVE_BITS = 21 /* for each of three coordinates: 63 in all */
};

/* Every box is too large by this on each side: 3 m.  It covers what rounding to
 * float does to the box, to the point in a search and to their difference. */
#define BOX_PAD 5e-7

/* One run before it is sorted. */
struct run {
    uint64_t key;          /* its place on the curve */
    uint32_t first, count; /* of its points in the shore */
};

struct box {
    double low[3], high[3];
};

/* ---- runs -------------------------------------------------------------- */

static uint32_t runs_of_line(uint32_t points)
{
    uint32_t arcs = points - 1;

    return arcs == 0 ? 1 : (arcs - 1) / RUN_ARCS + 1;
}

/* Spread the low 21 bits of x so that two zeros follow each. */
static uint64_t spread_bits(uint64_t x)
{
    x &= 0x1fffff;
    x = (x | x << 32) & 0x1f00000000ffff;
    x = (x | x << 16) & 0x1f0000ff0000ff;
    x = (x | x << 8) & 0x100f00f00f00f00f;
    x = (x | x << 4) & 0x10c30c30c30c30c3;
    x = (x | x << 2) & 0x1249249249249249;
    return x;
}

/* The place of a vertex on the Z-order curve. */
static uint64_t curve_key(struct index_vertex v)
{
    uint64_t key = 0;

    for (int axis = 0; axis < 3; axis++) {
        uint64_t from_zero = (uint64_t)((int64_t)v.at[axis] + INT32_MAX);
        key |= spread_bits(from_zero >> (32 - CURVE_BITS)) << axis;
    }
    return key;
}

/* Cut the lines into runs of nearly equal length. */
static void cut_lines(const struct gshhg_shore *shore,
                      const struct index_vertex *points, struct run *runs)
{
    for (uint32_t line = 0; line < shore->nlines; line++) {
        uint32_t first = shore->first[line];
        uint32_t arcs = shore->first[line + 1] - first - 1;
        uint32_t n = runs_of_line(arcs + 1);
        for (uint32_t k = 0; k < n; k++, runs++) {
            uint32_t from = (uint32_t)((uint64_t)arcs * k / n);
            uint32_t to = (uint32_t)((uint64_t)arcs * (k + 1) / n);
            runs->first = first + from;
            runs->count = to - from + 1;
            runs->key = curve_key(points[first + (from + to) / 2]);
        }
    }
}

/* Sort by key, sixteen bits at a time; scratch has room for n runs.  Returns
 * which of the two arrays holds the result. */
static struct run *sort_runs(struct run *runs, struct run *scratch, size_t n)
{
    static const unsigned digit_bits = 16;
    uint32_t *place = malloc(sizeof *place << digit_bits);

    if (place == NULL)
        return NULL;
    for (unsigned shift = 0; shift < 64; shift += digit_bits) {
        const uint64_t mask = ((uint64_t)1 << digit_bits) - 1;
        memset(place, 0, sizeof *place << digit_bits);
        for (size_t i = 0; i < n; i++)
            place[runs[i].key >> shift & mask]++;
        uint32_t sum = 0;
        for (size_t digit = 0; digit <= mask; digit++) {
            uint32_t count = place[digit];
            place[digit] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            scratch[place[runs[i].key >> shift & mask]++] = runs[i];
        struct run *swap = runs;
        runs = scratch;
        scratch = swap;
    }
    free(place);
    return runs;
}

/* ---- boxes ------------------------------------------------------------- */

/* How far an arc rises above its chord: between two ends, the line bends out
 * of the box around them by no more than this. */
static double arc_rise(struct index_vertex a, struct index_vertex b)
{
    double chord2 = 0.0;

    for (int axis = 0; axis < 3; axis++) {
        double d = ((double)a.at[axis] - b.at[axis]) / INDEX_SCALE;
        chord2 += d * d;
    }
    double cos2 = 1.0 - 0.25 * chord2; /* of half the arc */
    return cos2 > 0.0 ? 1.0 - sqrt(cos2) : 1.0;
}

static struct box run_box(const struct index_vertex *v, uint32_t count)
{
    struct box box;
    double rise = 0.0;

    for (uint32_t i = 1; i < count; i++) {
        double r = arc_rise(v[i - 1], v[i]);
        rise = r > rise ? r : rise;
    }
    for (int axis = 0; axis < 3; axis++) {
        int32_t low = v[0].at[axis], high = low;
        for (uint32_t i = 1; i < count; i++) {
            int32_t x = v[i].at[axis];
            low = x < low ? x : low;
            high = x > high ? x : high;
        }
        box.low[axis] = low / INDEX_SCALE - rise;
        box.high[axis] = high / INDEX_SCALE + rise;
    }
    return box;
}

static void node_set(struct index_node *node, size_t child, struct box box)
{
    for (int axis = 0; axis < 3; axis++) {
        double width = box.high[axis] - box.low[axis];
        node->middle[axis][child] = (float)(box.low[axis] + 0.5 * width);
        node->half[axis][child] = (float)(0.5 * width + BOX_PAD);
    }
}

/* The box around a node's children, their padding included. */
static struct box node_box(const struct index_node *node)
{
    struct box box = {{8, 8, 8}, {-8, -8, -8}};

    for (int axis = 0; axis < 3; axis++) {
        for (int k = 0; k < INDEX_WIDTH; k++) {
            double middle = (double)node->middle[axis][k];
            double half = (double)node->half[axis][k];
            if (half < 0.0)
                continue;
            box.low[axis] = fmin(box.low[axis], middle - half);
            box.high[axis] = fmax(box.high[axis], middle + half);
        }
    }
    return box;
}

/* No children yet: everything is far from a box of negative width. */
static void node_clear(struct index_node *node)
{
    for (int axis = 0; axis < 3; axis++) {
        for (int k = 0; k < INDEX_WIDTH; k++) {
            node->middle[axis][k] = 0.0f;
            node->half[axis][k] = -8.0f;
        }
    }
}

/* ---- the block --------------------------------------------------------- */

/* Coordinates as the block has them. */
static void place_points(const struct gshhg_shore *shore,
                         struct index_vertex *v)
{
    for (uint32_t i = 0; i < shore->npoints; i++) {
        struct geo_vec p =
            geo_from_degrees(shore->points[i].lon, shore->points[i].lat);
        v[i] = (struct index_vertex){{(int32_t)lrint(p.x * INDEX_SCALE),
                                      (int32_t)lrint(p.y * INDEX_SCALE),
                                      (int32_t)lrint(p.z * INDEX_SCALE)}};
    }
}

/* Write the runs in their order, and the lowest level around them. */
static void write_runs(char *block, const struct index_layout *layout,
                       const struct run *runs, uint32_t nruns,
                       const struct index_vertex *points)
{
    uint32_t *first = (void *)(block + layout->first);
    struct index_vertex *vertices = (void *)(block + layout->vertex);
    struct index_node *nodes = (void *)(block + layout->level[0]);
    uint32_t n = 0;

    for (uint32_t i = 0; i < nruns; i++) {
        const struct index_vertex *run = &points[runs[i].first];
        first[i] = n;
        memcpy(&vertices[n], run, runs[i].count * sizeof *run);
        n += runs[i].count;
        node_set(&nodes[i / INDEX_WIDTH], i % INDEX_WIDTH,
                 run_box(run, runs[i].count));
    }
    first[nruns] = n;
}

static void write_upper_levels(char *block, const struct index_layout *layout)
{
    for (int level = 1; level < layout->nlevels; level++) {
        struct index_node *nodes = (void *)(block + layout->level[level]);
        const struct index_node *below =
            (const void *)(block + layout->level[level - 1]);
        for (uint32_t i = 0; i < layout->nodes[level - 1]; i++)
            node_set(&nodes[i / INDEX_WIDTH], i % INDEX_WIDTH,
                     node_box(&below[i]));
    }
}

static void write_block(char *block, const struct index_layout *layout,
                        const struct run *runs, uint32_t nruns,
                        uint32_t nvertices, const struct index_vertex *points)
{
    struct index_header head = {.magic = INDEX_MAGIC,
                                .byte_order = INDEX_BYTE_ORDER,
                                .nruns = nruns,
                                .nvertices = nvertices,
                                .nnodes = layout->nnodes,
                                .size = layout->size};
    struct index_node *nodes = (void *)(block + sizeof head);

    memcpy(block, &head, sizeof head);
    for (uint32_t i = 0; i < layout->nnodes; i++)
        node_clear(&nodes[i]);
    write_runs(block, layout, runs, nruns, points);
    write_upper_levels(block, layout);
}

int index_build(const struct gshhg_shore *shore, void **block, size_t *size,
                struct fault *fault)
{
    uint32_t nruns = 0;
    for (uint32_t i = 0; i < shore->nlines; i++)
        nruns += runs_of_line(shore->first[i + 1] - shore->first[i]);
    /* A run begins with the point that the one before it ended with. */
    uint32_t nvertices = shore->npoints + nruns - shore->nlines;

    struct index_layout layout;
    index_layout(nruns, nvertices, &layout);
    struct index_vertex *points = malloc(shore->npoints * sizeof *points);
    struct run *runs = malloc(2 * (size_t)nruns * sizeof *runs);
    char *bytes = malloc(layout.size);
    struct run *sorted = NULL;
    if (points != NULL && runs != NULL && bytes != NULL) {
        place_points(shore, points);
        cut_lines(shore, points, runs);
        sorted = sort_runs(runs, runs + nruns, nruns);
    }
    if (sorted != NULL)
        write_block(bytes, &layout, sorted, nruns, nvertices, points);
    free(points);
    free(runs);
    if (sorted == NULL) {
        free(bytes);
        return fault_set(fault, "out of memory");
    }
    *block = bytes;
    *size = layout.size;
    return 0;
}
