/* shm.h - memory without a name, shared by processes of one machine.
 *
 * Who makes it tells the others its process id and the number of its
 * descriptor; they open /proc/PID/fd/N.  There is nothing to clean up: the
 * memory is gone with the last process that has it, however that one ends.
 *
 * A process id may mean somebody else: another namespace of processes, or the
 * maker is dead and its id was given again.  So the first 16 bytes of the
 * memory hold a nonce, which the others must know, and the size must be the
 * expected one.  The memory is sealed: whoever maps it can rely on the size.
 *
 * The system lets a process of the same user in, unless the maker has made
 * itself undumpable, or lives in another user namespace or security domain.
 */
#ifndef TG_BASE_SHM_H
#define TG_BASE_SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TG_SHM_NONCE = 16 }; /* bytes, at the start of the memory */

/* What others need to find it. */
struct tg_shm_offer {
    int64_t pid; /* as its maker sees itself */
    int32_t fd;  /* below 0: there is none */
    unsigned char nonce[TG_SHM_NONCE];
};

struct tg_shm {
    void *at; /* NULL: nothing */
    size_t size;
    int fd; /* the maker's, open for as long as others may come; else -1 */
};

/* Both: on an error *out is untouched, and why (nwhy > 0) holds one line.
 * Errors: IO (the system refuses).  What is behind the nonce is zero, and takes
 * no memory before it is touched. */
int tg_shm_create(size_t size, struct tg_shm *out, struct tg_shm_offer *offer,
                  char *why, size_t nwhy);
/* The len bytes from `from`, a multiple of the system's page, of memory that
 * has size bytes in all.  Also MISMATCH: it is not that memory. */
int tg_shm_open(const struct tg_shm_offer *offer, size_t size, size_t from,
                size_t len, struct tg_shm *out, char *why, size_t nwhy);

/* Unmaps and closes; what is nothing stays nothing. */
void tg_shm_free(struct tg_shm *m);

/* May a file be as large as that?  Beyond its limit the system would not only
 * refuse, but send a signal that ends the process.  False: errno is EFBIG. */
bool tg_file_may_have(uint64_t size);

#endif
