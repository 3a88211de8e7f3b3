/* log.c - see log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Texts of users and of libraries may span lines; ours do not. */
static void flatten(char *line)
{
    for (char *c = line; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    }
}

/* One write for the whole line: up to 4 KiB it does not mix with the lines of
 * other ranks on the same pipe.  When it fails there is nobody to tell. */
static void to_stderr(char *line, size_t n)
{
    line[n++] = '\n';
    while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
        continue;
}

void tg_log(const struct tg_log *log, int level, const char *fmt, ...)
{
    if (!tg_log_wants(log, level))
        return;

    int saved = errno;
    char line[TG_LOG_LINE];
    size_t at = 0;
    if (log->fn == NULL) {
        int n = log->rank < 0 ? snprintf(line, sizeof line, "trygon: ")
                              : snprintf(line, sizeof line,
                                         "trygon: rank %d: ", (int)log->rank);
        at = n < 0 ? 0 : (size_t)n;
    }

    /* One byte stays free for the newline. */
    size_t room = sizeof line - 1 - at;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line + at, room, fmt, ap);
    va_end(ap);
    if (n < 0)
        line[at] = '\0';
    else if ((size_t)n >= room)
        memcpy(line + sizeof line - 5, "...", 4);
    flatten(line);

    if (log->fn != NULL)
        log->fn(log->arg, (enum trygon_level)level, line);
    else
        to_stderr(line, strlen(line));
    errno = saved;
}
