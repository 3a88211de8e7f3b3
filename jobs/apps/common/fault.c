/* fault.c - see fault.h. */
#include "common/fault.h"

#include <stdarg.h>
#include <stdio.h>

int fault_set(struct fault *fault, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(fault->text, sizeof fault->text, fmt, ap);
    va_end(ap);
    for (char *c = fault->text; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r') /* a file name may hold anything */
            *c = ' ';
    return -1;
}
