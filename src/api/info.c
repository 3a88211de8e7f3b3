/* info.c - section 8 of the header: looking at the machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

/* The head's table of all ranks; the caller frees it. */
static int ask(trygon_t *tg, struct tg_row **rows, uint32_t *n)
{
    struct tg_wait_req req = {.kind = TG_WAIT_TABLE};
    struct tg_answer a = {0};
    tg_enter(tg);
    int rc = tg_block(tg, &req, TRYGON_FOREVER, &a);
    tg_leave(tg);
    *rows = a.rows;
    *n = a.nrows;
    return rc;
}

static double units(int64_t amount)
{
    return (double)amount / TG_UNIT;
}

int trygon_nodes(trygon_t *tg, size_t capacity, trygon_node_t nodes[],
                 size_t *n)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, n != NULL && (capacity == 0 || nodes != NULL),
            "an output is NULL");
    struct tg_row *rows = NULL;
    uint32_t count = 0;
    int rc = ask(tg, &rows, &count);
    if (rc != TRYGON_SUCCESS)
        return tg_report(tg, "trygon_nodes", rc);
    for (uint32_t i = 0; i < count && i < capacity; i++) {
        const struct tg_row *r = &rows[i];
        nodes[i] = (trygon_node_t){
            .rank = r->rank,
            .node = tg->layout.node[r->rank],
            .alive = r->alive,
            .cpus_total = units(r->total[TG_RES_CPU]),
            .cpus_free = units(r->avail[TG_RES_CPU]),
            .gpus_total = units(r->total[TG_RES_GPU]),
            .gpus_free = units(r->avail[TG_RES_GPU]),
            .memory_total = (uint64_t)r->total[TG_RES_MEMORY],
            .memory_free = (uint64_t)r->avail[TG_RES_MEMORY],
        };
        memcpy(nodes[i].host, tg->layout.host[r->rank], sizeof nodes[i].host);
    }
    free(rows);
    *n = count;
    return TRYGON_SUCCESS;
}

static int resource_id(const struct trygon *tg, const char *name)
{
    for (int i = 0; i < TG_RES_UNKNOWN; i++)
        if (tg->layout.res_ptrs[i] != NULL &&
            strcmp(tg->layout.res_ptrs[i], name) == 0)
            return i;
    return -1;
}

int trygon_resources(trygon_t *tg, const char *name, double *total,
                     double *available)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, name != NULL && total != NULL && available != NULL,
            "the name or an output is NULL");
    struct tg_row *rows = NULL;
    uint32_t n = 0;
    int id = resource_id(tg, name);
    if (id < 0)
        return tg_fail(tg, TRYGON_ERR_NOTFOUND,
                       "trygon_resources: no rank has any '%s'", name);
    int rc = ask(tg, &rows, &n);
    if (rc != TRYGON_SUCCESS)
        return tg_report(tg, "trygon_resources", rc);
    int64_t all = 0, free_now = 0;
    for (uint32_t i = 0; i < n; i++) {
        all += rows[i].alive ? rows[i].total[id] : 0;
        free_now += rows[i].alive ? rows[i].avail[id] : 0;
    }
    free(rows);
    *total = id == TG_RES_MEMORY ? (double)all : units(all);
    *available = id == TG_RES_MEMORY ? (double)free_now : units(free_now);
    return TRYGON_SUCCESS;
}

/* ----- why ---------------------------------------------------------------------- */

struct text {
    char *out;
    size_t capacity, size; /* size: wanted so far, without the NUL */
};

static void add_line(void *arg, const char *line)
{
    struct text *t = arg;
    size_t n = strlen(line);
    if (t->size + n + 2 <= t->capacity) {
        memcpy(t->out + t->size, line, n);
        memcpy(t->out + t->size + n, "\n", 2);
    }
    t->size += n + 1;
}

static void add_waiters(const struct trygon *tg, struct text *t)
{
    static const char *const what[] = {[TG_WAIT_ALL] = "get",
                                       [TG_WAIT_SOME] = "wait",
                                       [TG_WAIT_SET] = "wait set",
                                       [TG_WAIT_TABLE] = "table of ranks",
                                       [TG_WAIT_NEXT] = "next of a stream",
                                       [TG_WAIT_YIELD] = "yield",
                                       [TG_WAIT_FLAG] = "event",
                                       [TG_WAIT_SLEEP] = "sleep",
                                       [TG_WAIT_NAME] = "name of an actor",
                                       [TG_WAIT_CREATE] = "detached actor",
                                       [TG_WAIT_LIST] = "list",
                                       [TG_WAIT_ROOM] = "room in the store"};
    uint32_t slot = 0;
    const struct tg_waiter *w;
    char line[200];
    while ((w = tg_slab_next(&tg->core->waits.waiters, &slot)) != NULL) {
        const struct tg_exec *e = tg_worker_exec(&tg->core->worker, w->exec);
        snprintf(line, sizeof line, "blocked in %s%s%s: %u of %u ready",
                 what[w->kind], e != NULL ? " inside " : "",
                 e != NULL ? tg->fns[e->fn].name : "", w->nready,
                 w->kind == TG_WAIT_SET ? 1 : w->need);
        add_line(t, line);
    }
}

int trygon_why(trygon_t *tg, char *text, size_t capacity, size_t *size)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, capacity == 0 || text != NULL, "text is NULL");
    struct text t = {text, capacity, 0};
    if (capacity > 0)
        text[0] = '\0';
    tg_enter(tg);
    tg_owner_why(&tg->core->owner, add_line, &t);
    add_waiters(tg, &t);
    tg_leave(tg);
    if (size != NULL)
        *size = t.size + 1;
    return TRYGON_SUCCESS;
}
