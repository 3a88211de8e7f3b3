/* memory.c - see memory.h. */
#include "rank/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_LEN = 4096 };

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A line of a file begins with the key: the number behind it; 0: none does. */
static uint64_t read_key(const char *path, const char *key)
{
    char line[256];
    uint64_t n = 0;
    FILE *f = fopen(path, "r");
    while (f != NULL && n == 0 && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            n = strtoull(line + strlen(key), NULL, 10);
    if (f != NULL)
        fclose(f);
    return n;
}

/* ----- control groups ------------------------------------------------------------ */

/* What a file of one limit says; UINT64_MAX: none ("max"), or no such file. */
static uint64_t limit_in(const char *path)
{
    char text[64];
    uint64_t n = UINT64_MAX;
    FILE *f = fopen(path, "r");
    if (f != NULL && fgets(text, sizeof text, f) != NULL && text[0] >= '0' &&
        text[0] <= '9')
        n = strtoull(text, NULL, 10);
    if (f != NULL)
        fclose(f);
    return n;
}

/* Of a group and of all above it.  In a container the path may be that outside,
 * and only the topmost of it is there: missing ones allow everything. */
static uint64_t limit_up(const char *root, const char *mount, char *group,
                         const char *file)
{
    char path[PATH_LEN];
    uint64_t limit = UINT64_MAX;
    for (;;) {
        int n =
            snprintf(path, sizeof path, "%s%s%s/%s", root, mount, group, file);
        if (n > 0 && n < (int)sizeof path)
            limit = least(limit, limit_in(path));
        char *last = strrchr(group, '/');
        if (last == NULL)
            return limit;
        *last = '\0';
    }
}

/* One line of /proc/self/cgroup: number:controllers:path */
static uint64_t limit_of_line(const char *root, char *line)
{
    char *controllers = strchr(line, ':');
    char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL)
        return UINT64_MAX;
    *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    controllers++;
    if (strncmp(line, "0:", 2) == 0 && controllers[0] == '\0')
        return limit_up(root, "/sys/fs/cgroup", path, "memory.max");
    char *rest = NULL;
    for (char *c = strtok_r(controllers, ",", &rest); c != NULL;
         c = strtok_r(NULL, ",", &rest))
        if (strcmp(c, "memory") == 0)
            return limit_up(root, "/sys/fs/cgroup/memory", path,
                            "memory.limit_in_bytes");
    return UINT64_MAX;
}

static uint64_t limit_of_groups(const char *root)
{
    char path[PATH_LEN], line[PATH_LEN];
    uint64_t limit = UINT64_MAX;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        limit = least(limit, limit_of_line(root, line));
    if (f != NULL)
        fclose(f);
    return limit;
}

/* ----- Slurm ---------------------------------------------------------------------- */

static uint64_t number(tg_getenv_fn env, void *arg, const char *name)
{
    const char *text = env(arg, name);
    return text != NULL && text[0] >= '0' && text[0] <= '9'
               ? strtoull(text, NULL, 10)
               : 0;
}

/* In MiB; 0 means all there is. */
static uint64_t limit_of_slurm(tg_getenv_fn env, void *arg)
{
    static const uint64_t most = UINT64_C(1) << 40;
    uint64_t mb = number(env, arg, "SLURM_MEM_PER_NODE");
    uint64_t per_cpu = number(env, arg, "SLURM_MEM_PER_CPU");
    uint64_t cpus = number(env, arg, "SLURM_CPUS_ON_NODE");
    if (mb == 0 && per_cpu < most && cpus < 65536)
        mb = per_cpu * cpus;
    return mb > 0 && mb < most ? mb << 20 : UINT64_MAX;
}

uint64_t tg_memory_usable(const char *root, tg_getenv_fn env, void *arg)
{
    char path[PATH_LEN];
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    uint64_t bytes = read_key(path, "MemTotal:") << 10;
    if (bytes == 0)
        bytes =
            (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    bytes = least(bytes, limit_of_groups(root));
    return least(bytes, limit_of_slurm(env, arg));
}
