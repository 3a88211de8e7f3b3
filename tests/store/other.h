/* other.h - another process of the node, which reads an arena as it is told.
 *
 * It is forked while nothing is mapped yet; the arena it opens by the offer.
 * The contents of a blob follow from its handle, so it can tell whether what it
 * reads is right.
 */
#ifndef TG_TESTS_STORE_OTHER_H
#define TG_TESTS_STORE_OTHER_H

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "store/arena.h"

static inline void drop_files(struct tg_arena *arena)
{
    struct tg_arena_file f;
    while (tg_arena_take_file(arena, &f))
        tg_arena_file_drop(&f);
}

/* A blob in a file of its own, once those of the gone are dropped. */
static inline int alloc_file(struct tg_arena *arena, uint64_t handle,
                             uint64_t size, const char *dir, void **at,
                             char *why, size_t nwhy)
{
    struct tg_arena_file f;
    drop_files(arena);
    int rc = tg_arena_file_make(dir, size, &f, why, nwhy);
    if (rc == 0)
        *at = tg_arena_alloc_file(arena, handle, size, &f);
    return rc;
}

/* ----- contents ---------------------------------------------------------------- */

/* Every step bytes, and the last ones. */
static inline void fill(void *data, uint64_t handle, uint64_t size,
                        uint64_t step)
{
    unsigned char *at = data;
    for (uint64_t i = 0; i + 8 <= size; i += step) {
        uint64_t word = tg_mix64(handle + i);
        memcpy(at + i, &word, 8);
    }
    for (uint64_t i = size < 8 ? 0 : size - 8; i < size; i++)
        at[i] = (unsigned char)(handle + i);
}

static inline bool filled(const void *data, uint64_t handle, uint64_t size,
                          uint64_t step)
{
    const unsigned char *at = data;
    for (uint64_t i = 0; i + 16 <= size; i += step) {
        uint64_t word = tg_mix64(handle + i);
        if (memcmp(at + i, &word, 8) != 0)
            return false;
    }
    for (uint64_t i = size < 8 ? 0 : size - 8; i < size; i++)
        if (at[i] != (unsigned char)(handle + i))
            return false;
    return true;
}

/* ----- the other process --------------------------------------------------------- */

enum other_step {
    OTHER_OPEN, /* 1: it is open */
    OTHER_PIN,  /* 1: pinned, and what it should be; 2: it is something else */
    OTHER_READ, /* likewise, of what was pinned */
    OTHER_UNPIN,
    OTHER_WRITE, /* to what was pinned: does not come back */
    OTHER_CLOSE,
    OTHER_END
};

struct other_order {
    enum other_step step;
    struct tg_shm_offer offer;
    uint64_t limit, handle, size;
    uint32_t nslots;
    int32_t nreaders, reader;
};

struct other {
    pid_t pid;
    int fd;
};

enum { OTHER_SLOTS = 1024 }; /* that it keeps pointers of */

static inline int other_obey(const struct other_order *o, struct tg_arena **a,
                             const unsigned char **pinned)
{
    char why[160];
    const unsigned char **at = &pinned[o->handle % OTHER_SLOTS];
    switch (o->step) {
    case OTHER_OPEN:
        return tg_arena_open(&o->offer, o->limit, o->nslots, o->nreaders,
                             o->reader, a, why, sizeof why) == 0;
    case OTHER_PIN:
        *at = tg_arena_pin(*a, o->handle);
        if (*at == NULL)
            return 0;
        return filled(*at, o->handle, o->size, 8) ? 1 : 2;
    case OTHER_READ: return filled(*at, o->handle, o->size, 8) ? 1 : 2;
    case OTHER_UNPIN: tg_arena_unpin(*a, o->handle); return 1;
    case OTHER_WRITE:
        (void)signal(SIGSEGV, SIG_DFL);
        *(volatile unsigned char *)(uintptr_t)*at = 0;
        return 1;
    case OTHER_CLOSE: tg_arena_close(a); return 1;
    case OTHER_END: _exit(0);
    }
    return 0;
}

static inline _Noreturn void other_serve(int fd)
{
    struct tg_arena *a = NULL;
    const unsigned char *pinned[OTHER_SLOTS] = {0};
    struct other_order o;
    while (read(fd, &o, sizeof o) == (ssize_t)sizeof o) {
        int answer = other_obey(&o, &a, pinned);
        if (write(fd, &answer, sizeof answer) != (ssize_t)sizeof answer)
            break;
    }
    _exit(0);
}

static inline bool other_start(struct other *p)
{
    int fd[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
        return false;
    p->pid = fork();
    if (p->pid == 0) {
        close(fd[1]);
        other_serve(fd[0]);
    }
    close(fd[0]);
    p->fd = fd[1];
    return p->pid > 0;
}

/* Below 0: it is dead. */
static inline int other_do(const struct other *p, const struct other_order *o)
{
    int answer = -1;
    if (send(p->fd, o, sizeof *o, MSG_NOSIGNAL) != (ssize_t)sizeof *o ||
        read(p->fd, &answer, sizeof answer) != (ssize_t)sizeof answer)
        return -1;
    return answer;
}

/* The signal that ended it; 0: it ended by itself.  sig 0: ask it to. */
static inline int other_end(struct other *p, int sig)
{
    int status = 0;
    if (sig != 0)
        (void)kill(p->pid, sig);
    else
        (void)other_do(p, &(struct other_order){.step = OTHER_END});
    close(p->fd);
    (void)waitpid(p->pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#endif
