/* error.c - see error.h: made from the one list of codes. */
#include "base/error.h"

#include <trygon/types.h>

const char *tg_error_text(int code)
{
#define TEXT(name_, value_, text_) \
    case (value_): return text_;
    switch (code) {
    case TRYGON_SUCCESS: return "success"; TRYGON_ERRORS(TEXT)
    default: return "unknown code";
    }
#undef TEXT
}
