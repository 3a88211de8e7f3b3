/* fault.h - why something failed, as one line for the user.
 *
 * Functions that can fail return 0 or -1 and fill in a fault.  Only main
 * prints it, so that one mistake gives one line.
 */
#ifndef COMMON_FAULT_H
#define COMMON_FAULT_H

struct fault {
    char text[512]; /* without newline */
};

/* Set the text and return -1, so that callers can `return fault_set(...)`. */
int fault_set(struct fault *fault, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
