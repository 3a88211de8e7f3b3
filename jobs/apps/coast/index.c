/* index.c - see index.h, and index_block.h for the layout of the block. */
#include "index_block.h"

#include <math.h>
#include <string.h>

/* ---- view -------------------------------------------------------------- */

void index_layout(uint32_t nruns, uint32_t nvertices,
                  struct index_layout *layout)
{
    struct index_layout l = {0};
    uint64_t at = sizeof(struct index_header);

    for (uint32_t n = nruns; l.nlevels == 0 || n > 1;) {
        n = n / INDEX_WIDTH + (n % INDEX_WIDTH != 0);
        l.nodes[l.nlevels++] = n;
        l.nnodes += n;
    }
    for (int i = l.nlevels; i-- > 0;) {
        l.level[i] = at;
        at += (uint64_t)l.nodes[i] * sizeof(struct index_node);
    }
    l.first = at;
    l.vertex = l.first + ((uint64_t)nruns + 1) * sizeof(uint32_t);
    l.size = l.vertex + (uint64_t)nvertices * sizeof(struct index_vertex);
    *layout = l;
}

static const char *header_flaw(const struct index_header *head, size_t size)
{
    if (memcmp(head->magic, INDEX_MAGIC, sizeof head->magic) != 0)
        return "no index";
    if (head->byte_order != INDEX_BYTE_ORDER)
        return "index of a machine with another byte order";
    if (head->size != size)
        return "index of another size";
    if (head->nruns == 0)
        return "empty index";
    return NULL;
}

int index_view(const void *block, size_t size, struct index_view *view,
               struct fault *fault)
{
    struct index_header head;
    const char *flaw;

    if (block == NULL || size < sizeof head ||
        (uintptr_t)block % sizeof(float) != 0)
        return fault_set(fault, "no index");
    memcpy(&head, block, sizeof head);
    if ((flaw = header_flaw(&head, size)) != NULL)
        return fault_set(fault, "%s", flaw);

    struct index_layout layout;
    index_layout(head.nruns, head.nvertices, &layout);
    if (layout.nnodes != head.nnodes || layout.size != size)
        return fault_set(fault, "index whose parts do not fit its size");

    const char *at = block;
    struct index_view v = {.nruns = head.nruns,
                           .nvertices = head.nvertices,
                           .nlevels = layout.nlevels,
                           .first = (const void *)(at + layout.first),
                           .vertex = (const void *)(at + layout.vertex)};
    for (int i = 0; i < v.nlevels; i++) {
        v.nodes[i] = layout.nodes[i];
        v.level[i] = (const void *)(at + layout.level[i]);
    }
    *view = v;
    return 0;
}

/* ---- search ------------------------------------------------------------ */

static struct geo_vec vertex(const struct index_view *view, uint32_t i)
{
    const int32_t *v = view->vertex[i].at;

    return (struct geo_vec){v[0] * (1.0 / INDEX_SCALE),
                            v[1] * (1.0 / INDEX_SCALE),
                            v[2] * (1.0 / INDEX_SCALE)};
}

/* Measure one run, arc by arc. */
static void visit_run(const struct index_view *view, struct geo_vec p,
                      uint32_t run, struct index_hit *hit)
{
    uint32_t i = view->first[run], end = view->first[run + 1];

    if (i >= end || end > view->nvertices) /* only in a corrupt block */
        return;

    struct geo_vec a = vertex(view, i);
    double pa2 = geo_chord2(p, a), best = pa2;
    while (++i < end) {
        struct geo_vec b = vertex(view, i);
        double pb2 = geo_chord2(p, b);
        double arc2 = geo_arc_chord2(p, a, b, pa2, pb2);
        if (arc2 < best)
            best = arc2;
        a = b;
        pa2 = pb2;
    }
    if (best < hit->chord2)
        *hit = (struct index_hit){best, run};
}

/* Squared distances from p to the eight boxes of a node; 0 inside.  Beside a
 * box, a coordinate is off by e > 0, and e + |e| is 2 e or 0 without a branch:
 * that lets every compiler turn the inner loop into vector instructions. */
static void box_distances(const struct index_node *node, const float p[3],
                          float d2[INDEX_WIDTH])
{
    float sum[INDEX_WIDTH] = {0};

    for (int axis = 0; axis < 3; axis++) {
        const float *middle = node->middle[axis], *half = node->half[axis];
        float x = p[axis];
        for (int k = 0; k < INDEX_WIDTH; k++) {
            float e = fabsf(x - middle[k]) - half[k];
            float twice = e + fabsf(e);
            sum[k] += twice * twice;
        }
    }
    for (int k = 0; k < INDEX_WIDTH; k++)
        d2[k] = 0.25f * sum[k];
}

struct todo {
    float d2;
    uint32_t index; /* of a node, or of a run when level is -1 */
    int level;
};

/* Push the children of a node that may hold something nearer, the nearest
 * last, so that it is popped first. */
static int push_children(const struct index_view *view, struct todo at,
                         const float p[3], float limit, struct todo *stack,
                         int top)
{
    uint32_t base = at.index * INDEX_WIDTH;
    uint32_t n = at.level == 0 ? view->nruns : view->nodes[at.level - 1];
    float d2[INDEX_WIDTH];
    int bottom = top;

    box_distances(&view->level[at.level][at.index], p, d2);
    for (uint32_t k = 0; k < INDEX_WIDTH && base + k < n; k++) {
        if (!(d2[k] < limit))
            continue;
        int slot = top++;
        for (; slot > bottom && stack[slot - 1].d2 < d2[k]; slot--)
            stack[slot] = stack[slot - 1];
        stack[slot] = (struct todo){d2[k], base + k, at.level - 1};
    }
    return top;
}

/* What a box must beat.  Boxes are tested in single precision: they were
 * padded for the rounding of coordinates, this makes up for the rounding of
 * the sum. */
static float box_limit(double chord2)
{
    return (float)(chord2 * (1.0 + 1e-6));
}

void index_nearest(const struct index_view *view, struct geo_vec p,
                   struct index_hit *hit)
{
    /* Each level leaves at most seven behind on the way down. */
    struct todo stack[INDEX_MAX_LEVELS * INDEX_WIDTH];
    const float q[3] = {(float)p.x, (float)p.y, (float)p.z};
    uint32_t guess = hit->run;
    int top = 0;

    *hit = INDEX_NO_HIT;
    if (guess < view->nruns)
        visit_run(view, p, guess, hit);
    float limit = box_limit(hit->chord2);
    stack[top++] = (struct todo){0.0f, 0, view->nlevels - 1};
    while (top > 0) {
        struct todo at = stack[--top];
        if (!(at.d2 < limit))
            continue;
        if (at.level >= 0) {
            top = push_children(view, at, q, limit, stack, top);
        } else if (at.index != guess) {
            visit_run(view, p, at.index, hit);
            limit = box_limit(hit->chord2);
        }
    }
}
