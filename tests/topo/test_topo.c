/* test_topo.c - machines as hwloc sees them: this one, made-up ones and, where
 * TRYGON_TOPOLOGIES names a folder of hwloc's XML files, real ones.
 */
#include "topo/topo.h"

#include <CUnit/Basic.h>
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>

#include "topo/split.h"

static struct tg_topo *load(const char *synthetic, const char *xml,
                            const char *mask)
{
    struct tg_topo_opts o = {synthetic, xml, mask};
    struct tg_topo *t = NULL;
    char err[256] = "";
    int rc = tg_topo_load(&o, &t, err, sizeof err);
    if (rc != TRYGON_SUCCESS) {
        printf("\n  %s\n", err);
        CU_FAIL_FATAL("machine not loaded");
    }
    return t;
}

/* What holds for every machine. */
static void check(const struct tg_topo *t)
{
    CU_ASSERT(t->ncores >= 1 && t->ncores <= t->usable);
    CU_ASSERT(t->usable <= t->npus);
    CU_ASSERT(t->nnuma >= 1);
    int32_t numa = 0;
    for (uint32_t i = 0; i < t->ncores; i++) {
        const struct tg_topo_core *c = &t->cores[i];
        CU_ASSERT_FATAL(c->place >= 0 && (uint32_t)c->place < t->npus);
        CU_ASSERT_EQUAL(t->pus[c->place], c->pu);
        CU_ASSERT(c->numa >= -1 && c->numa < (int32_t)t->nnuma);
        if (i > 0)
            CU_ASSERT(c[-1].place < c->place);
        if (c->numa >= 0) { /* a node's cores are together */
            CU_ASSERT(c->numa >= numa);
            numa = c->numa;
        }
    }
    uint64_t mask[64];
    CU_ASSERT_FATAL(tg_topo_words(t) <= 64);
    tg_topo_mask(t, mask);
    uint32_t n = 0;
    for (uint32_t p = 0; p < t->npus; p++)
        n += (mask[p / 64] >> p % 64 & 1) != 0;
    CU_ASSERT_EQUAL(n, t->ncores);
}

static void this_machine(void)
{
    struct tg_topo *t = NULL;
    char err[256];
    CU_ASSERT_EQUAL_FATAL(tg_topo_load(NULL, &t, err, sizeof err), 0);
    check(t);
    cpu_set_t set;
    if (t->real && sched_getaffinity(0, sizeof set, &set) == 0) {
        CU_ASSERT_EQUAL(t->usable, (uint32_t)CPU_COUNT(&set));
        for (uint32_t i = 0; i < t->ncores; i++)
            CU_ASSERT(CPU_ISSET((size_t)t->cores[i].pu, &set));
    }
    tg_topo_free(&t);
    CU_ASSERT_PTR_NULL(t);
    tg_topo_free(&t);
}

static void a_binding_counts(void)
{
    cpu_set_t before, one;
    struct tg_topo *t = NULL;
    char err[256];
    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof before, &before), 0);
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &before))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CU_ASSERT_EQUAL_FATAL(sched_setaffinity(0, sizeof one, &one), 0);
    int rc = tg_topo_load(NULL, &t, err, sizeof err);
    CU_ASSERT_EQUAL(sched_setaffinity(0, sizeof before, &before), 0);
    CU_ASSERT_EQUAL_FATAL(rc, TRYGON_SUCCESS);
    if (t->real) {
        CU_ASSERT_EQUAL(t->usable, 1);
        CU_ASSERT_EQUAL_FATAL(t->ncores, 1);
        CU_ASSERT_EQUAL(t->cores[0].pu, (int32_t)cpu);
    }
    tg_topo_free(&t);
}

/* Two packages whose PUs alternate in the system's numbers. */
static void places_are_near_each_other(void)
{
    struct tg_topo *t = load("numa:2 core:4 pu:2(indexes=core:pu)", NULL, NULL);
    check(t);
    CU_ASSERT_FALSE(t->real);
    CU_ASSERT_EQUAL(t->npus, 16);
    CU_ASSERT_EQUAL(t->nnuma, 2);
    CU_ASSERT_EQUAL_FATAL(t->ncores, 8);
    tg_topo_free(&t);

    t = load("numa:2 core:2 pu:1(indexes=0,2,1,3)", NULL, NULL);
    check(t);
    CU_ASSERT_EQUAL_FATAL(t->ncores, 4);
    static const int32_t pus[] = {0, 2, 1, 3};
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(t->cores[i].pu, pus[i]);
        CU_ASSERT_EQUAL(t->cores[i].numa, i / 2);
    }
    tg_topo_free(&t);
}

static void masks_restrict(void)
{
    struct tg_topo *t = load("numa:2 core:4 pu:2", NULL, "1-2,9,15");
    check(t);
    CU_ASSERT_EQUAL(t->npus, 16);
    CU_ASSERT_EQUAL(t->usable, 4);
    CU_ASSERT_EQUAL_FATAL(t->ncores, 4);
    static const int32_t pus[] = {1, 2, 9, 15};
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(t->cores[i].pu, pus[i]);
        CU_ASSERT_EQUAL(t->cores[i].place, pus[i]);
    }
    tg_topo_free(&t);
}

static void wrong_machines_are_refused(void)
{
    static const struct tg_topo_opts bad[] = {
        {"no such thing", NULL, NULL},
        {NULL, "/nonexistent/machine.xml", NULL},
        {"core:2 pu:1", NULL, "9"},
        {"core:2 pu:1", NULL, "x"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct tg_topo *t = NULL;
        char err[256] = "";
        CU_ASSERT_EQUAL(tg_topo_load(&bad[i], &t, err, sizeof err),
                        TRYGON_ERR_INVALID);
        CU_ASSERT_PTR_NULL(t);
        CU_ASSERT(strlen(err) > 10);
    }
}

/* Three ranks of one machine: topo's masks through the split. */
static void split_on_a_machine(void)
{
    struct tg_topo *t = load("numa:2 core:3 pu:2", NULL, NULL);
    uint64_t mask[1];
    CU_ASSERT_EQUAL_FATAL(tg_topo_words(t), 1);
    tg_topo_mask(t, mask);
    struct tg_split_rank ranks[3];
    struct tg_split_share shares[3];
    int32_t *places;
    for (int i = 0; i < 3; i++)
        ranks[i] = (struct tg_split_rank){0, true, -1, 1, mask};
    tg_split(ranks, 3, shares, &places);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(shares[i].slots, 2);
        CU_ASSERT_TRUE_FATAL(shares[i].bound);
        CU_ASSERT_EQUAL(t->pus[shares[i].places[0]], 4 * i);
        CU_ASSERT_EQUAL(t->pus[shares[i].places[1]], 4 * i + 2);
    }
    free(places);
    tg_topo_free(&t);
}

/* Cores and PUs that the process may use. */
static const struct {
    const char *file;
    uint32_t ncores, usable;
} known[] = {
    {"arm-kunpeng920-128c-clusters.xml", 128, 128},
    {"broadwell-pascal-2xP100.xml", 36, 72},
    {"epyc-9654-2p-zen4-384pu.xml", 192, 384},
    {"fake-memattrs.xml", 8, 8}, /* no cores: its PUs are */
    {"knl-7250-snc4-flat.xml", 68, 272},
    {"opteron-cpuset-restricted.xml", 10, 10},
    {"power9-lassen-4xV100.xml", 40, 160},
    {"raptorlake-hybrid-6p8e.xml", 14, 20},
    {"sgi-uv-24package.xml", 192, 384},
    {"synthetic-xeon-max-snc4-hbm-flat.xml", 96, 192},
};

static void recorded_machine(const char *folder, const char *file)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    struct tg_topo *t = load(NULL, path, NULL);
    check(t);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].file, file) != 0)
            continue;
        if (t->ncores != known[i].ncores || t->usable != known[i].usable) {
            printf("\n  %s: %u cores, %u PUs\n", file, t->ncores, t->usable);
            CU_FAIL("other numbers");
        }
    }
    tg_topo_free(&t);
}

static void recorded_machines(void)
{
    const char *folder = getenv("TRYGON_TOPOLOGIES");
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    if (dir == NULL) {
        printf("skipped, TRYGON_TOPOLOGIES names no folder ... ");
        return;
    }
    int n = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot == NULL || strcmp(dot, ".xml") != 0)
            continue;
        recorded_machine(folder, e->d_name);
        n++;
    }
    closedir(dir);
    CU_ASSERT(n > 0);
    printf("%d files ... ", n);
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("topo", NULL, NULL);
    CU_ADD_TEST(s, this_machine);
    CU_ADD_TEST(s, a_binding_counts);
    CU_ADD_TEST(s, places_are_near_each_other);
    CU_ADD_TEST(s, masks_restrict);
    CU_ADD_TEST(s, wrong_machines_are_refused);
    CU_ADD_TEST(s, split_on_a_machine);
    CU_ADD_TEST(s, recorded_machines);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}
