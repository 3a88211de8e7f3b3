/* test_memory.c - how much memory a rank may use, from files that a machine
 * might have. */
#include "rank/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cunit_main.h"

static const uint64_t GiB = UINT64_C(1) << 30;

static char root[64];

/* Writes root/path, and makes the directories that lead there. */
static void file(const char *path, const char *text)
{
    char at[512];
    snprintf(at, sizeof at, "%s/%s", root, path);
    for (char *c = at + strlen(root) + 1; *c != '\0'; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        (void)mkdir(at, 0700);
        *c = '/';
    }
    FILE *f = fopen(at, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static void begin(void)
{
    snprintf(root, sizeof root, "/tmp/trygon-memory-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
    file("proc/meminfo", "MemTotal:       16777216 kB\n"
                         "MemFree:         1000000 kB\n");
}

static void end(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    CU_ASSERT_EQUAL(system(command), 0);
}

/* An environment of "NAME=value" lines that ends with NULL. */
static const char *lookup(void *arg, const char *name)
{
    size_t n = strlen(name);
    for (const char *const *e = arg; *e != NULL; e++)
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return *e + n + 1;
    return NULL;
}

static uint64_t usable_with(const char *const *env)
{
    union { /* lookup() does not write to it */
        const char *const *in;
        void *out;
    } u = {.in = env};
    return tg_memory_usable(root, lookup, u.out);
}

static uint64_t usable(void)
{
    static const char *const none[] = {NULL};
    return usable_with(none);
}

static void the_machine_s_own(void)
{
    begin();
    CU_ASSERT_EQUAL(usable(), 16 * GiB);
    file("proc/self/cgroup", "0::/user.slice\n");
    file("sys/fs/cgroup/user.slice/memory.max", "max\n");
    CU_ASSERT_EQUAL(usable(), 16 * GiB);
    end();
}

static void a_group_of_version_2(void)
{
    begin();
    file("proc/self/cgroup", "0::/job_7/step_0/task_1\n");
    file("sys/fs/cgroup/job_7/step_0/task_1/memory.max", "max\n");
    file("sys/fs/cgroup/job_7/memory.max", "4294967296\n");
    CU_ASSERT_EQUAL(usable(), 4 * GiB); /* that of one above it */
    file("sys/fs/cgroup/job_7/step_0/memory.max", "1073741824\n");
    CU_ASSERT_EQUAL(usable(), GiB);
    file("sys/fs/cgroup/job_7/step_0/memory.max", "999999999999\n");
    CU_ASSERT_EQUAL(usable(), 4 * GiB);
    end();
}

static void groups_of_version_1(void)
{
    begin();
    file("proc/self/cgroup", "5:devices:/a\n4:cpu,memory:/slurm/job_7\n"
                             "1:name=systemd:/init\n0::/\n");
    file("sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes",
         "2147483648\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    CU_ASSERT_EQUAL(usable(), 2 * GiB);
    end();
}

/* The path is that outside, the mount shows the container's own group. */
static void a_container(void)
{
    begin();
    file("proc/self/cgroup", "4:memory:/docker/0123\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "3221225472\n");
    CU_ASSERT_EQUAL(usable(), 3 * GiB);
    end();
}

static void files_that_make_no_sense(void)
{
    begin();
    file("proc/self/cgroup", "\n:\nmemory\n4:memory\n0::\n9:memory:\n");
    file("sys/fs/cgroup/memory.max", "lots\n");
    CU_ASSERT_EQUAL(usable(), 16 * GiB);
    file("proc/meminfo", "");
    CU_ASSERT(usable() > 0); /* what the system says */
    end();
}

static void slurm(void)
{
    static const struct {
        const char *env[4];
        uint64_t gib;
    } t[] = {
        {{"SLURM_MEM_PER_NODE=8192"}, 8},
        {{"SLURM_MEM_PER_NODE=0"}, 16},
        {{"SLURM_MEM_PER_NODE=999999"}, 16},
        {{"SLURM_MEM_PER_CPU=2048", "SLURM_CPUS_ON_NODE=3"}, 6},
        {{"SLURM_MEM_PER_CPU=2048"}, 16},
        {{"SLURM_MEM_PER_NODE=x"}, 16},
    };
    begin();
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        CU_ASSERT_EQUAL(usable_with(t[i].env), t[i].gib * GiB);
    end();
}

static const struct unit_test tests[] = {
    TEST(the_machine_s_own),
    TEST(a_group_of_version_2),
    TEST(groups_of_version_1),
    TEST(a_container),
    TEST(files_that_make_no_sense),
    TEST(slurm),
    TESTS_END,
};
CUNIT_MAIN("memory", tests)
