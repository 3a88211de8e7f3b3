/* output.c - see output.h. */
#include "common/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int output_begin(struct output *output, const char *path, struct fault *fault)
{
    struct stat st;
    char *temporary;

    *output = (struct output){.path = path};
    if (path[0] == '\0')
        return fault_set(fault, "an output file needs a name");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return fault_set(fault, "%s: is a directory, cannot be written", path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return fault_set(fault, "%s: is not a regular file", path);
    if (asprintf(&temporary, "%s.part-%ld", path, (long)getpid()) < 0)
        return fault_set(fault, "out of memory");

    /* Created here, and only here: never through another's link. */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        int why = errno;
        free(temporary);
        return fault_set(fault, "%s: cannot be written: %s", path,
                         strerror(why));
    }
    close(fd);
    output->temporary = temporary;
    return 0;
}

int output_check(const char *path, struct fault *fault)
{
    struct output output;

    if (path == NULL)
        return 0;
    if (output_begin(&output, path, fault) != 0)
        return -1;
    output_abort(&output);
    return 0;
}

int output_commit(struct output *output, struct fault *fault)
{
    if (rename(output->temporary, output->path) != 0) {
        fault_set(fault, "%s: cannot be written: %s", output->path,
                  strerror(errno));
        output_abort(output);
        return -1;
    }
    free(output->temporary);
    output->temporary = NULL;
    return 0;
}

void output_abort(struct output *output)
{
    if (output->temporary != NULL)
        unlink(output->temporary);
    free(output->temporary);
    output->temporary = NULL;
}

int output_write(const char *path,
                 int (*fill)(void *arg, const char *path, struct fault *fault),
                 void *arg, struct fault *fault)
{
    struct output output;
    struct fault reason;

    if (path == NULL)
        return 0;
    if (output_begin(&output, path, fault) != 0)
        return -1;
    if (fill(arg, output.temporary, &reason) != 0) {
        output_abort(&output);
        return fault_set(fault, "%s: cannot be written: %.256s", path,
                         reason.text);
    }
    return output_commit(&output, fault);
}
