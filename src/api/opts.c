/* opts.c - structures of options (api.h). */
#include <string.h>

#include "api/api.h"

int tg_opts_init(const char *who, void *opts, size_t size, const void *defaults,
                 size_t n)
{
    if (opts == NULL || size < sizeof size)
        return tg_fail(NULL, TRYGON_ERR_INVALID, "%s: opts is NULL", who);
    memcpy(opts, defaults, size < n ? size : n);
    memcpy(opts, &size, sizeof size);
    return TRYGON_SUCCESS;
}

const void *tg_opts_whole(const void *opts, const void *defaults, void *room,
                          size_t n)
{
    size_t size;
    if (opts == NULL)
        return defaults;
    memcpy(&size, opts, sizeof size);
    if (size >= n)
        return opts;
    memcpy(room, defaults, n);
    return memcpy(room, opts, size);
}
