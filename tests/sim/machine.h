/* machine.h - what the nodes of a virtual cluster are made of.
 *
 * A node is described by an hwloc synthetic string such as
 * "pack:2 numa:2 core:4 pu:2"; only its number of cores matters here.
 */
#ifndef TG_TESTS_SIM_MACHINE_H
#define TG_TESTS_SIM_MACHINE_H

#include "core/head.h"

enum { MACHINE_GPU = TG_RES_GPU, MACHINE_LICENCE = TG_RES_CUSTOM };

struct machine { /* of all ranks */
    int32_t nranks, nnodes;
    int32_t *node;
    int64_t (*total)[TG_RES_MAX];
    const char *res_names[TG_RES_MAX];
};

/* Cores of a node; -1: the text is not a synthetic description. */
int32_t machine_cores(const char *synthetic);

/* Ranks without resources, one node after another: none has any. */
void machine_init(struct machine *m, int32_t nranks);
/* Ranks from `first` on, n of them, share a node with those cores. */
void machine_node(struct machine *m, const char *synthetic, int32_t first,
                  int32_t n);
void machine_fini(struct machine *m);

#endif
