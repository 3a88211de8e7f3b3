/* machine.c - see machine.h. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Levels multiply; those below the cores do not count. */
int32_t machine_cores(const char *s)
{
    int64_t cores = 1;
    bool below = false, any = false;
    while (*s != '\0') {
        size_t name = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789");
        if (name == 0 || s[name] != ':')
            return -1;
        char *end;
        long count = strtol(s + name + 1, &end, 10);
        if (count < 1 || count > 4096 || (*end != ' ' && *end != '\0'))
            return -1;
        if (!below)
            cores *= count;
        below = below || (name == 4 && strncmp(s, "core", 4) == 0);
        any = true;
        s = end + strspn(end, " ");
    }
    return any && cores <= 65536 ? (int32_t)cores : -1;
}

void machine_init(struct machine *m, int32_t nranks)
{
    *m = (struct machine){.nranks = nranks};
    m->node = tg_alloc((size_t)nranks * sizeof *m->node);
    m->total = tg_alloc((size_t)nranks * sizeof *m->total);
    m->res_names[TG_RES_CPU] = "CPU";
    m->res_names[TG_RES_GPU] = "GPU";
    m->res_names[TG_RES_MEMORY] = "memory";
    m->res_names[MACHINE_LICENCE] = "licence";
}

void machine_node(struct machine *m, const char *synthetic, int32_t first,
                  int32_t n)
{
    int32_t cores = machine_cores(synthetic);
    TG_ASSERT(cores > 0 && first + n <= m->nranks);
    for (int32_t i = 0; i < n; i++) {
        int32_t mine = cores / n + (i < cores % n);
        m->node[first + i] = m->nnodes;
        m->total[first + i][TG_RES_CPU] =
            (int64_t)(mine > 0 ? mine : 1) * TG_UNIT;
    }
    m->nnodes++;
}

void machine_fini(struct machine *m)
{
    free(m->node);
    free(m->total);
}
