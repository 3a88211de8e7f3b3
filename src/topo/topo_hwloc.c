/* topo_hwloc.c - see topo.h; the only file that calls hwloc. */
#include "topo/topo.h"

#include <errno.h>
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>

#include "base/mem.h"

#if HWLOC_API_VERSION >= 0x00020100
#define WHOLE HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED
#else
#define WHOLE HWLOC_TOPOLOGY_FLAG_WHOLE_SYSTEM
#endif

/* What cannot be used is kept too: places must not depend on the process. */
static int load(hwloc_topology_t topo, const struct tg_topo_opts *o, char *err,
                size_t size)
{
    if (o->xml != NULL && hwloc_topology_set_xml(topo, o->xml) != 0) {
        snprintf(err, size, "cannot read the machine in %s: %s", o->xml,
                 strerror(errno));
        return TRYGON_ERR_INVALID;
    }
    if (o->synthetic != NULL &&
        hwloc_topology_set_synthetic(topo, o->synthetic) != 0) {
        snprintf(err, size, "hwloc does not understand the machine \"%s\"",
                 o->synthetic);
        return TRYGON_ERR_INVALID;
    }
    bool made_up = o->xml != NULL || o->synthetic != NULL;
    if (hwloc_topology_set_flags(topo, WHOLE) != 0 ||
        hwloc_topology_load(topo) != 0) {
        snprintf(err, size, "hwloc cannot load %s: %s",
                 made_up ? "the described machine" : "this machine",
                 strerror(errno));
        return made_up ? TRYGON_ERR_INVALID : TRYGON_ERR_IO;
    }
    return TRYGON_SUCCESS;
}

/* What the process may use: allowed by the system, and bound to.  A binding
 * that hwloc cannot tell counts as none. */
static int usable_set(hwloc_topology_t topo, const struct tg_topo_opts *o,
                      hwloc_bitmap_t set, char *err, size_t size)
{
    bool real = hwloc_topology_is_thissystem(topo) != 0;
    if (o->mask != NULL) {
        if (hwloc_bitmap_list_sscanf(set, o->mask) != 0) {
            snprintf(err, size, "\"%s\" is no list of PUs", o->mask);
            return TRYGON_ERR_INVALID;
        }
    } else if (!real ||
               hwloc_get_cpubind(topo, set, HWLOC_CPUBIND_PROCESS) != 0) {
        hwloc_bitmap_fill(set);
    }
    hwloc_bitmap_and(set, set, hwloc_topology_get_allowed_cpuset(topo));
    if (hwloc_bitmap_iszero(set)) {
        snprintf(err, size, "no PU of the machine may be used");
        return TRYGON_ERR_INVALID;
    }
    return TRYGON_SUCCESS;
}

/* The first NUMA node that is local to obj: with several (memory of two kinds)
 * any fixed choice will do, since it only groups cores. */
static int32_t numa_of(hwloc_topology_t topo, hwloc_obj_t obj)
{
    hwloc_obj_t node = NULL;
    while ((node = hwloc_get_next_obj_by_type(topo, HWLOC_OBJ_NUMANODE,
                                              node)) != NULL) {
        if (hwloc_bitmap_isset(obj->nodeset, node->os_index))
            return (int32_t)node->logical_index;
    }
    return -1;
}

/* A PU without a core above it (virtual machines, old files) is a core. */
static hwloc_obj_t core_of(hwloc_topology_t topo, hwloc_obj_t pu)
{
    hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topo, HWLOC_OBJ_CORE, pu);
    return core != NULL ? core : pu;
}

/* In hwloc's order, which keeps the cores of a NUMA node together. */
static void list_cores(hwloc_topology_t topo, hwloc_const_bitmap_t usable,
                       struct tg_topo *t)
{
    hwloc_obj_t pu = NULL, last = NULL;
    while ((pu = hwloc_get_next_obj_by_type(topo, HWLOC_OBJ_PU, pu)) != NULL) {
        int32_t place = (int32_t)pu->logical_index;
        t->pus[place] = (int32_t)pu->os_index;
        if (!hwloc_bitmap_isset(usable, pu->os_index))
            continue;
        t->usable++;
        hwloc_obj_t core = core_of(topo, pu);
        if (core == last)
            continue;
        last = core;
        struct tg_topo_core *c = &t->cores[t->ncores++];
        c->place = place;
        c->pu = (int32_t)pu->os_index;
        c->numa = numa_of(topo, core);
    }
}

static int describe(hwloc_topology_t topo, const struct tg_topo_opts *o,
                    struct tg_topo **out, char *err, size_t size)
{
    int npus = hwloc_get_nbobjs_by_type(topo, HWLOC_OBJ_PU);
    int nnuma = hwloc_get_nbobjs_by_type(topo, HWLOC_OBJ_NUMANODE);
    hwloc_bitmap_t usable = hwloc_bitmap_alloc();
    if (npus < 1 || usable == NULL) {
        hwloc_bitmap_free(usable);
        snprintf(err, size, "hwloc sees no PU");
        return TRYGON_ERR_IO;
    }
    int rc = usable_set(topo, o, usable, err, size);
    if (rc == TRYGON_SUCCESS) {
        struct tg_topo *t = tg_alloc(sizeof *t);
        t->real = hwloc_topology_is_thissystem(topo) != 0;
        t->npus = (uint32_t)npus;
        t->nnuma = nnuma > 0 ? (uint32_t)nnuma : 0;
        t->cores = tg_alloc(t->npus * sizeof *t->cores);
        t->pus = tg_alloc(t->npus * sizeof *t->pus);
        list_cores(topo, usable, t);
        *out = t;
    }
    hwloc_bitmap_free(usable);
    return rc;
}

int tg_topo_load(const struct tg_topo_opts *opts, struct tg_topo **out,
                 char *err, size_t size)
{
    static const struct tg_topo_opts here = {NULL, NULL, NULL};
    const struct tg_topo_opts *o = opts != NULL ? opts : &here;
    hwloc_topology_t topo;
    if (hwloc_topology_init(&topo) != 0) {
        snprintf(err, size, "hwloc cannot start: %s", strerror(errno));
        return TRYGON_ERR_IO;
    }
    int rc = load(topo, o, err, size);
    if (rc == TRYGON_SUCCESS)
        rc = describe(topo, o, out, err, size);
    hwloc_topology_destroy(topo);
    return rc;
}

void tg_topo_free(struct tg_topo **topo)
{
    if (*topo == NULL)
        return;
    free((*topo)->cores);
    free((*topo)->pus);
    free(*topo);
    *topo = NULL;
}

void tg_topo_mask(const struct tg_topo *t, uint64_t *words)
{
    memset(words, 0, tg_topo_words(t) * sizeof *words);
    for (uint32_t i = 0; i < t->ncores; i++) {
        uint32_t place = (uint32_t)t->cores[i].place;
        words[place / 64] |= UINT64_C(1) << place % 64;
    }
}
