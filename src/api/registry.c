/* registry.c - section 3 of the header: functions by name. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

int trygon_registry_create(trygon_registry_t **reg)
{
    TG_NEED(NULL, reg != NULL, "the output is NULL");
    trygon_registry_t *r = calloc(1, sizeof *r);
    if (r == NULL)
        return tg_fail(NULL, TRYGON_ERR_NOMEM, "registry: out of memory");
    *reg = r;
    return TRYGON_SUCCESS;
}

/* The place of a name in the table: where it is, or belongs. */
static uint32_t place(const trygon_registry_t *reg, const char *name)
{
    uint32_t at = 0;
    while (at < reg->n && strcmp(reg->fns[at].name, name) < 0)
        at++;
    return at;
}

static int add(trygon_registry_t *reg, const struct tg_fn *fn)
{
    uint32_t at = place(reg, fn->name);
    if (at < reg->n && strcmp(reg->fns[at].name, fn->name) == 0)
        return tg_fail(NULL, TRYGON_ERR_EXISTS, "'%s' is registered already",
                       fn->name);
    if (reg->n == reg->cap) {
        uint32_t cap = reg->cap == 0 ? 16 : reg->cap * 2;
        struct tg_fn *more = realloc(reg->fns, cap * sizeof *more);
        if (more == NULL)
            return tg_fail(NULL, TRYGON_ERR_NOMEM, "registry: out of memory");
        reg->fns = more;
        reg->cap = cap;
    }
    memmove(&reg->fns[at + 1], &reg->fns[at], (reg->n - at) * sizeof *reg->fns);
    reg->fns[at] = *fn;
    reg->n++;
    return TRYGON_SUCCESS;
}

static void take_out(trygon_registry_t *reg, const char *name)
{
    uint32_t at = place(reg, name);
    reg->n--;
    memmove(&reg->fns[at], &reg->fns[at + 1], (reg->n - at) * sizeof *reg->fns);
}

static int frozen(const char *name)
{
    return tg_fail(NULL, TRYGON_ERR_STATE,
                   "'%s': the registry is frozen, a runtime has used it", name);
}

int trygon_registry_add_task(trygon_registry_t *reg, const char *name,
                             trygon_task_fn fn)
{
    TG_NEED(NULL, reg != NULL, "the registry is NULL");
    TG_NEED(NULL, name != NULL && name[0] != '\0', "the name is empty");
    TG_NEED(NULL, strlen(name) < TG_NAME_MAX,
            "the name is longer than 63 bytes");
    TG_NEED(NULL, fn != NULL, "the function is NULL");
    if (reg->frozen)
        return frozen(name);
    struct tg_fn f = {.fn = fn};
    memcpy(f.name, name, strlen(name));
    return add(reg, &f);
}

/* ----- classes ----------------------------------------------------------- */

static bool method_ok(const trygon_class_t *cls, const trygon_method_t *m)
{
    return m->fn != NULL && m->name != NULL && m->name[0] != '\0' &&
           strchr(m->name, '.') == NULL &&
           strlen(cls->name) + 1 + strlen(m->name) < TG_NAME_MAX;
}

static void name_method(struct tg_fn *f, const trygon_class_t *cls,
                        const trygon_method_t *m)
{
    size_t n = strlen(cls->name);
    memcpy(f->name, cls->name, n);
    f->name[n] = '.';
    f->dot = (uint8_t)n;
    memcpy(f->name + n + 1, m->name, strlen(m->name));
}

static int bad_class(const trygon_class_t *cls, int code, const char *what,
                     const char *name)
{
    return tg_fail(NULL, code, "class '%s': %s '%s'", cls->name, what, name);
}

/* 0: the default one, of which there is no need to speak; -1: there is none of
 * that name. */
static int find_group(const struct tg_class_groups *g, const char *name)
{
    if (name == NULL)
        return 0;
    for (uint32_t i = 1; g != NULL && i < g->limits.n; i++)
        if (strcmp(g->names[i], name) == 0)
            return (int)i;
    return -1;
}

static int add_group(const trygon_class_t *cls, const trygon_group_t *in,
                     struct tg_class_groups *g)
{
    const char *name = in->name != NULL ? in->name : "";
    if (name[0] == '\0' || strlen(name) >= TG_NAME_MAX)
        return bad_class(
            cls, TRYGON_ERR_INVALID,
            "a group's name is empty or longer than 63 bytes:", name);
    if (in->max_concurrency < 1 || in->max_concurrency > TG_CONCURRENCY_MAX)
        return bad_class(cls, TRYGON_ERR_INVALID,
                         "max_concurrency is not 1 to 32767 of the group",
                         name);
    if (find_group(g, name) > 0)
        return bad_class(cls, TRYGON_ERR_EXISTS, "it has two groups", name);
    g->limits.limit[g->limits.n] = (uint32_t)in->max_concurrency;
    memcpy(g->names[g->limits.n++], name, strlen(name));
    return TRYGON_SUCCESS;
}

/* *out: NULL if the class has none but the default one. */
static int make_groups(const trygon_class_t *cls, struct tg_class_groups **out)
{
    *out = NULL;
    TG_NEED(NULL, cls->ngroups == 0 || cls->groups != NULL, "groups is NULL");
    TG_NEED(NULL, cls->ngroups <= TRYGON_MAX_GROUPS, "more than 15 groups");
    if (cls->ngroups == 0)
        return TRYGON_SUCCESS;
    struct tg_class_groups *g = calloc(1, sizeof *g);
    if (g == NULL)
        return tg_fail(NULL, TRYGON_ERR_NOMEM, "registry: out of memory");
    g->limits.n = 1;
    int rc = TRYGON_SUCCESS;
    for (size_t i = 0; rc == TRYGON_SUCCESS && i < cls->ngroups; i++)
        rc = add_group(cls, &cls->groups[i], g);
    if (rc == TRYGON_SUCCESS)
        *out = g;
    else
        free(g);
    return rc;
}

static int check_methods(const trygon_class_t *cls,
                         const struct tg_class_groups *g)
{
    for (size_t i = 0; i < cls->nmethods; i++)
        if (find_group(g, cls->methods[i].group) < 0)
            return bad_class(cls, TRYGON_ERR_NOTFOUND,
                             "a method's group is none of its groups:",
                             cls->methods[i].group);
    return TRYGON_SUCCESS;
}

int tg_find_group(const struct trygon *tg, uint32_t cls, const char *name)
{
    return find_group(tg->fns[cls].groups, name);
}

static int add_class(trygon_registry_t *reg, const trygon_class_t *cls,
                     struct tg_class_groups *groups)
{
    struct tg_fn f = {.construct = cls->construct,
                      .destroy = cls->destroy,
                      .async = cls->async,
                      .groups = groups};
    memcpy(f.name, cls->name, strlen(cls->name));
    int rc = add(reg, &f);
    size_t done = 0;
    while (rc == TRYGON_SUCCESS && done < cls->nmethods) {
        const trygon_method_t *in = &cls->methods[done];
        struct tg_fn m = {.method = in->fn,
                          .async = cls->async,
                          .group = (uint8_t)find_group(groups, in->group)};
        name_method(&m, cls, in);
        rc = add(reg, &m);
        if (rc == TRYGON_SUCCESS) {
            done++;
            continue;
        }
        while (done-- > 0) {
            memset(&m, 0, sizeof m);
            name_method(&m, cls, &cls->methods[done]);
            take_out(reg, m.name);
        }
        take_out(reg, cls->name);
    }
    return rc;
}

int trygon_registry_add_class(trygon_registry_t *reg, const trygon_class_t *cls)
{
    TG_NEED(NULL, reg != NULL, "the registry is NULL");
    TG_NEED(NULL, cls != NULL && cls->size >= sizeof *cls,
            "the class is NULL or its size not set");
    TG_NEED(NULL, cls->name != NULL && cls->name[0] != '\0',
            "the name is empty");
    TG_NEED(NULL, strlen(cls->name) < TG_NAME_MAX,
            "the name is longer than 63 bytes");
    TG_NEED(NULL, strchr(cls->name, '.') == NULL, "the name has a dot");
    TG_NEED(NULL, cls->construct != NULL, "the constructor is NULL");
    TG_NEED(NULL, cls->nmethods == 0 || cls->methods != NULL,
            "methods is NULL");
    for (size_t i = 0; i < cls->nmethods; i++)
        TG_NEED(NULL, method_ok(cls, &cls->methods[i]),
                "a method is NULL, has no name, one with a dot, or one that "
                "makes 'Class.method' longer than 63 bytes");
    if (reg->frozen)
        return frozen(cls->name);
    struct tg_class_groups *groups;
    int rc = make_groups(cls, &groups);
    if (rc == TRYGON_SUCCESS)
        rc = check_methods(cls, groups);
    if (rc == TRYGON_SUCCESS)
        rc = add_class(reg, cls, groups);
    if (rc != TRYGON_SUCCESS)
        free(groups);
    return rc;
}

int trygon_registry_destroy(trygon_registry_t **reg)
{
    TG_NEED(NULL, reg != NULL, "the registry is NULL");
    if (*reg == NULL)
        return TRYGON_SUCCESS;
    if (atomic_load(&(*reg)->users) > 0)
        return tg_fail(NULL, TRYGON_ERR_STATE,
                       "the registry is used by a runtime");
    for (uint32_t i = 0; i < (*reg)->n; i++)
        free((*reg)->fns[i].groups);
    free((*reg)->fns);
    free(*reg);
    *reg = NULL;
    return TRYGON_SUCCESS;
}
