/* spill_bytes.c - bytes to files and back, and their hashes.
 *
 * A hash is taken of each piece while the piece is in the cache: for the write
 * that follows it, or from the read before it.
 */
#include "config.h"

#include "store/spill_impl.h"

#include <errno.h>
#include <unistd.h>

#ifdef HAVE_XXH_X86DISPATCH_H /* what this processor does best */
#include <xxh_x86dispatch.h>
#else
#define XXH_PREFETCH_DIST 1024 /* the bytes come from memory, not a cache */
#define XXH_INLINE_ALL
#include <xxhash.h>
#endif

uint64_t tg_spill_pieces(uint64_t size)
{
    return size / TG_SPILL_PIECE + (size % TG_SPILL_PIECE != 0);
}

static uint64_t piece_bytes(uint64_t left)
{
    return left < TG_SPILL_PIECE ? left : TG_SPILL_PIECE;
}

void tg_spill_hash(const void *data, uint64_t size, uint64_t hashes[])
{
    const unsigned char *p = data;
    for (uint64_t done = 0, n; done < size; done += n) {
        n = piece_bytes(size - done);
        *hashes++ = XXH3_64bits(p + done, n);
    }
}

uint64_t tg_spill_digest(const uint64_t hashes[], uint64_t n)
{
    return n == 1 ? hashes[0] : XXH3_64bits(hashes, n * sizeof *hashes);
}

static bool write_all(int fd, const unsigned char *data, uint64_t n,
                      uint64_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, data, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            errno = done == 0 ? ENOSPC : errno;
            return false;
        }
        data += done;
        at += (uint64_t)done;
        n -= (uint64_t)done;
    }
    return true;
}

bool tg_spill_write_bytes(int fd, const void *data, uint64_t size, uint64_t at,
                          uint64_t hashes[])
{
    const unsigned char *p = data;
    for (uint64_t done = 0, n; done < size; done += n) {
        n = piece_bytes(size - done);
        *hashes++ = XXH3_64bits(p + done, n);
        if (!write_all(fd, p + done, n, at + done))
            return false;
    }
    return true;
}

/* errno 0: the file ends before the bytes do. */
static bool read_all(int fd, unsigned char *out, uint64_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t done = pread(fd, out, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            errno = done == 0 ? 0 : errno;
            return false;
        }
        out += done;
        at += (uint64_t)done;
        n -= (uint64_t)done;
    }
    return true;
}

bool tg_spill_read_bytes(int fd, void *out, uint64_t size, uint64_t at,
                         const uint64_t hashes[], bool *same)
{
    unsigned char *p = out;
    *same = true;
    for (uint64_t done = 0, n; *same && done < size; done += n) {
        n = piece_bytes(size - done);
        if (!read_all(fd, p + done, n, at + done))
            return false;
        *same = XXH3_64bits(p + done, n) == *hashes++;
    }
    return true;
}

bool tg_spill_same(const void *data, uint64_t size, const uint64_t hashes[])
{
    const unsigned char *p = data;
    bool same = true;
    for (uint64_t done = 0, n; same && done < size; done += n) {
        n = piece_bytes(size - done);
        same = XXH3_64bits(p + done, n) == *hashes++;
    }
    return same;
}
