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
    memcpy(f->name + n + 1, m->name, strlen(m->name));
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
    struct tg_fn f = {.construct = cls->construct, .destroy = cls->destroy};
    memcpy(f.name, cls->name, strlen(cls->name));
    int rc = add(reg, &f);
    size_t done = 0;
    while (rc == TRYGON_SUCCESS && done < cls->nmethods) {
        struct tg_fn m = {.method = cls->methods[done].fn};
        name_method(&m, cls, &cls->methods[done]);
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

int trygon_registry_destroy(trygon_registry_t **reg)
{
    TG_NEED(NULL, reg != NULL, "the registry is NULL");
    if (*reg == NULL)
        return TRYGON_SUCCESS;
    if (atomic_load(&(*reg)->users) > 0)
        return tg_fail(NULL, TRYGON_ERR_STATE,
                       "the registry is used by a runtime");
    free((*reg)->fns);
    free(*reg);
    *reg = NULL;
    return TRYGON_SUCCESS;
}
