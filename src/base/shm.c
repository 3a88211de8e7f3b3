/* shm.c - see shm.h. */
#include "base/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
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
static void *map(int fd, size_t from, size_t len)
{
    void *p =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)from);
    return p != MAP_FAILED ? p : NULL;
}

bool tg_file_may_have(uint64_t size)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || size <= limit.rlim_cur)
        return true;
    errno = EFBIG;
    return false;
}

static int resize(int fd, size_t size)
{
    return tg_file_may_have(size) ? ftruncate(fd, (off_t)size) : -1;
}

int tg_shm_create(size_t size, struct tg_shm *out, struct tg_shm_offer *offer,
                  char *why, size_t nwhy)
{
    TG_ASSERT(size >= TG_SHM_NONCE);
    struct tg_shm_offer o = {.pid = getpid()};
    const char *call = NULL;
    void *at = NULL;
    if (getrandom(o.nonce, sizeof o.nonce, 0) != (ssize_t)sizeof o.nonce)
        return refused("getrandom", why, nwhy);
    int fd = memfd_create("trygon", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return refused("memfd_create", why, nwhy);
    if (resize(fd, size) != 0)
        call = "ftruncate";
    else if (fcntl(fd, F_ADD_SEALS, seals) != 0)
        call = "F_ADD_SEALS";
    else if ((at = map(fd, 0, size)) == NULL)
        call = "mmap";
    if (at == NULL) {
        int rc = refused(call, why, nwhy);
        close(fd);
        return rc;
    }
    memcpy(at, o.nonce, sizeof o.nonce);
    o.fd = fd;
    *offer = o;
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

/* Is the file what was offered, and will it stay so? */
static int check(int file, const char *path, const struct tg_shm_offer *offer,
                 char *why, size_t nwhy)
{
    unsigned char nonce[TG_SHM_NONCE];
    const char *wrong = NULL;
    int has = fcntl(file, F_GET_SEALS);
    if (has < 0 || (has & seals) != seals)
        wrong = "not sealed";
    else if (pread(file, nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
        return refused(path, why, nwhy);
    else if (memcmp(nonce, offer->nonce, sizeof nonce) != 0)
        wrong = "another nonce";
    if (wrong == NULL)
        return TRYGON_SUCCESS;
    snprintf(why, nwhy, "%s: %s", path, wrong);
    return TRYGON_ERR_MISMATCH;
}

int tg_shm_open(const struct tg_shm_offer *offer, size_t size, size_t from,
                size_t len, struct tg_shm *out, char *why, size_t nwhy)
{
    TG_ASSERT(from <= size && len > 0 && len <= size - from);
    char path[64];
    int file = -1;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/fd/%d", offer->pid,
             (int)offer->fd);
    int rc = open_regular(path, size, &file, why, nwhy);
    if (rc != TRYGON_SUCCESS)
        return rc;
    rc = check(file, path, offer, why, nwhy);
    void *at = rc == TRYGON_SUCCESS ? map(file, from, len) : NULL;
    if (rc == TRYGON_SUCCESS && at == NULL)
        rc = refused(path, why, nwhy);
    close(file);
    if (rc == TRYGON_SUCCESS)
        *out = (struct tg_shm){at, len, -1};
    return rc;
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
