/* shm.c - see shm.h. */
#include "base/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <trygon/types.h>
#include <unistd.h>

#include "base/assert.h"

static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

static int refused(const char *call, char *why, size_t nwhy)
{
    snprintf(why, nwhy, "%s: %s", call, strerror(errno));
    return TRYGON_ERR_IO;
}

/* NULL: the system refuses. */
static void *map(int fd, size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p != MAP_FAILED ? p : NULL;
}

/* Beyond the limit of a file's size the system would not only refuse, but
 * send a signal that ends the process. */
static int resize(int fd, size_t size)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && size > limit.rlim_cur) {
        errno = EFBIG;
        return -1;
    }
    return ftruncate(fd, (off_t)size);
}

int tg_shm_create(size_t size, const unsigned char nonce[TG_SHM_NONCE],
                  struct tg_shm *out, char *why, size_t nwhy)
{
    TG_ASSERT(size >= TG_SHM_NONCE);
    const char *call = NULL;
    void *at = NULL;
    int fd = memfd_create("trygon", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return refused("memfd_create", why, nwhy);
    if (resize(fd, size) != 0)
        call = "ftruncate";
    else if (fcntl(fd, F_ADD_SEALS, seals) != 0)
        call = "F_ADD_SEALS";
    else if ((at = map(fd, size)) == NULL)
        call = "mmap";
    if (at == NULL) {
        int rc = refused(call, why, nwhy);
        close(fd);
        return rc;
    }
    memcpy(at, nonce, TG_SHM_NONCE);
    *out = (struct tg_shm){at, size, fd};
    return TRYGON_SUCCESS;
}

/* The file that the path leads to, at first without opening what it stands
 * for: that might be a tape that rewinds. */
static int open_regular(const char *path, size_t size, int *out, char *why,
                        size_t nwhy)
{
    struct stat st;
    char same[64];
    int at = open(path, O_PATH | O_CLOEXEC);
    if (at < 0)
        return refused(path, why, nwhy);
    int rc = TRYGON_SUCCESS;
    if (fstat(at, &st) != 0) {
        rc = refused(path, why, nwhy);
    } else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size) {
        snprintf(why, nwhy, "%s: not a file of %zu bytes", path, size);
        rc = TRYGON_ERR_MISMATCH;
    } else {
        snprintf(same, sizeof same, "/proc/self/fd/%d", at);
        *out = open(same, O_RDWR | O_CLOEXEC);
        if (*out < 0)
            rc = refused(path, why, nwhy);
    }
    close(at);
    return rc;
}

int tg_shm_open(int64_t pid, int fd, size_t size,
                const unsigned char nonce[TG_SHM_NONCE], struct tg_shm *out,
                char *why, size_t nwhy)
{
    TG_ASSERT(size >= TG_SHM_NONCE);
    char path[64];
    int file = -1;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/fd/%d", pid, fd);
    int rc = open_regular(path, size, &file, why, nwhy);
    if (rc != TRYGON_SUCCESS)
        return rc;
    int has = fcntl(file, F_GET_SEALS);
    if (has < 0 || (has & seals) != seals) {
        close(file);
        snprintf(why, nwhy, "%s: not sealed", path);
        return TRYGON_ERR_MISMATCH;
    }
    struct tg_shm m = {map(file, size), size, -1};
    if (m.at == NULL)
        rc = refused(path, why, nwhy);
    close(file);
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (memcmp(m.at, nonce, TG_SHM_NONCE) != 0) {
        snprintf(why, nwhy, "%s: another nonce", path);
        tg_shm_free(&m);
        return TRYGON_ERR_MISMATCH;
    }
    *out = m;
    return TRYGON_SUCCESS;
}

void tg_shm_free(struct tg_shm *m)
{
    if (m->at == NULL)
        return;
    (void)munmap(m->at, m->size);
    if (m->fd >= 0)
        (void)close(m->fd);
    *m = (struct tg_shm){.fd = -1};
}
