/* topo.h - the machine that this process runs on, as hwloc sees it.
 *
 * It says which cores the process may use and in which order; it knows no
 * ranks, no host name and no MPI.  A *place* is a PU's position in hwloc's
 * order, in which neighbours are near each other (NUMA node, core, PU), and
 * counts PUs that the process may not use as well: so all processes of a
 * machine mean the same PU by one place, while the numbers of the operating
 * system (which may alternate between packages) are for binding only.
 */
#ifndef TG_TOPO_TOPO_H
#define TG_TOPO_TOPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At most one of synthetic and xml; both NULL: this machine (or what hwloc's
 * own environment variables say). */
struct tg_topo_opts {
    const char *synthetic; /* such as "pack:2 numa:2 core:4 pu:2" */
    const char *xml;       /* a file's path */
    const char *mask;      /* PUs that the process may use, "0-3,8" in the
                              system's numbers; NULL: as it is bound */
};

struct tg_topo_core {
    int32_t place; /* of the first PU that may be used */
    int32_t pu;    /* the system's number of that PU */
    int32_t numa;  /* position of its NUMA node; -1: it has none */
};

struct tg_topo {
    bool real;                  /* this machine: its PUs can be bound to */
    uint32_t npus;              /* of the machine; places are 0 to npus - 1 */
    uint32_t usable;            /* PUs that the process may use */
    uint32_t nnuma;             /* NUMA nodes of the machine */
    uint32_t ncores;            /* cores with a usable PU */
    struct tg_topo_core *cores; /* by place, so by NUMA node too */
    int32_t *pus;               /* the system's number of each place */
};

/* NULL opts: this machine.  Errors: INVALID (text or file not understood, or
 * nothing is left to use), IO (hwloc failed); err (size > 0) has one line. */
int tg_topo_load(const struct tg_topo_opts *opts, struct tg_topo **out,
                 char *err, size_t size);
void tg_topo_free(struct tg_topo **topo); /* accepts NULL inside */

/* The cores as a set of places, as tg_split() takes it. */
static inline uint32_t tg_topo_words(const struct tg_topo *t)
{
    return (t->npus + 63) / 64;
}
void tg_topo_mask(const struct tg_topo *t, uint64_t *words);

#endif
