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

int trygon_registry_add_task(trygon_registry_t *reg, const char *name,
                             trygon_task_fn fn)
{
    TG_NEED(NULL, reg != NULL, "the registry is NULL");
    TG_NEED(NULL, name != NULL && name[0] != '\0', "the name is empty");
    TG_NEED(NULL, strlen(name) < TG_NAME_MAX,
            "the name is longer than 63 bytes");
    TG_NEED(NULL, fn != NULL, "the function is NULL");
    if (reg->frozen)
        return tg_fail(NULL, TRYGON_ERR_STATE,
                       "'%s': the registry is frozen, a runtime has used it",
                       name);
    uint32_t at = 0;
    while (at < reg->n && strcmp(reg->fns[at].name, name) < 0)
        at++;
    if (at < reg->n && strcmp(reg->fns[at].name, name) == 0)
        return tg_fail(NULL, TRYGON_ERR_EXISTS, "'%s' is registered already",
                       name);
    if (reg->n == reg->cap) {
        uint32_t cap = reg->cap == 0 ? 16 : reg->cap * 2;
        struct tg_fn *more = realloc(reg->fns, cap * sizeof *more);
        if (more == NULL)
            return tg_fail(NULL, TRYGON_ERR_NOMEM, "registry: out of memory");
        reg->fns = more;
        reg->cap = cap;
    }
    memmove(&reg->fns[at + 1], &reg->fns[at], (reg->n - at) * sizeof *reg->fns);
    struct tg_fn *f = &reg->fns[at];
    memset(f, 0, sizeof *f);
    memcpy(f->name, name, strlen(name));
    f->fn = fn;
    reg->n++;
    return TRYGON_SUCCESS;
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
