/* api_error.c - section 1 of the header: codes, versions, the last error. */
#include <string.h>

#include "api/api.h"
#include "base/error.h"

int trygon_version(int *major, int *minor, int *patch)
{
    TG_NEED(NULL, major != NULL && minor != NULL && patch != NULL,
            "an output is NULL");
    *major = TRYGON_VERSION_MAJOR;
    *minor = TRYGON_VERSION_MINOR;
    *patch = TRYGON_VERSION_PATCH;
    return TRYGON_SUCCESS;
}

const char *trygon_strerror(int code)
{
    return tg_error_text(code);
}

int trygon_last_error(trygon_error_t *err)
{
    if (err == NULL || err->size < sizeof(size_t) + sizeof(int32_t))
        return TRYGON_ERR_INVALID;
    const struct trygon_error *e = tg_last_error(0);
    if (e == NULL)
        return TRYGON_ERR_NOTFOUND;
    tg_error_out(NULL, e, err);
    return TRYGON_SUCCESS;
}

int tg_report(const struct trygon *tg, const char *who, int rc)
{
    if (rc == TRYGON_SUCCESS)
        return rc;
    const char *more = "";
    if (rc == TRYGON_ERR_NOTFOUND)
        more = ": a reference that this rank does not hold";
    else if (rc == TRYGON_ERR_CANCELLED)
        more = ", while it waited here";
    return tg_fail(tg, rc, "%s: %s%s", who, tg_error_text(rc), more);
}
