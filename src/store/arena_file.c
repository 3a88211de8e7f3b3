/* arena_file.c - blobs in files of their own; see arena.h.
 *
 * A file has no name.  The ranks of the node open the maker's descriptor of it,
 * as they do with the arena itself, when they first pin the blob, and keep it
 * mapped: a view.  The lookup after that takes no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <trygon/types.h>
#include <unistd.h>

#include "base/assert.h"
#include "store/arena_impl.h"

/* ----- views, under the lock ---------------------------------------------------- */

static struct tg_view *add_view(struct tg_arena *a, const struct tg_view *view)
{
    struct tg_view *v = tg_alloc(sizeof *v);
    *v = *view;
    v->place = a->viewed.n;
    *tg_vec_add(&a->viewed) = v;
    atomic_store(&a->views[v->slot], v);
    return v;
}

static void remove_view(struct tg_arena *a, struct tg_view *v)
{
    struct tg_view *last = a->viewed.v[--a->viewed.n];
    a->viewed.v[v->place] = last;
    last->place = v->place;
    if (atomic_load(&a->views[v->slot]) == v)
        atomic_store(&a->views[v->slot], NULL);
    free(v);
}

static void drop_view(struct tg_arena *a, struct tg_view *v)
{
    (void)munmap(v->at, v->size);
    if (v->fd >= 0)
        close(v->fd);
    remove_view(a, v);
}

/* The blob is gone, and no thread of this process has it or looks at its view:
 * who pins from now on does not find it (as in arena.c: hide it, then look at
 * the counter). */
static bool stale(struct tg_arena *a, const struct tg_view *v)
{
    if (atomic_load(&a->lines[v->slot].file) == v->file)
        return false;
    if (atomic_load(&a->views[v->slot]) == v)
        atomic_store(&a->views[v->slot], NULL);
    return atomic_load(&a->row[v->slot]) == 0;
}

/* Each new view looks at two older ones, so that of blobs that are gone there
 * never are many more than of those that are not. */
static void drop_stale(struct tg_arena *a)
{
    for (int i = 0; i < 2 && a->viewed.n > 0; i++) {
        a->oldest = (a->oldest + 1) % a->viewed.n;
        if (stale(a, a->viewed.v[a->oldest]))
            drop_view(a, a->viewed.v[a->oldest]);
    }
}

/* ----- by readers --------------------------------------------------------------- */

/* The maker may be dead and its number given again: compare before opening. */
static int open_file(int64_t pid, const struct tg_line *l)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/fd/%d", pid, (int)l->fd);
    int at = open(path, O_PATH | O_CLOEXEC), fd = -1;
    if (at < 0)
        return -1;
    if (fstat(at, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == l->dev &&
        st.st_ino == l->inode && (uint64_t)st.st_size >= l->size) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", at);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    close(at);
    return fd;
}

static const void *first_look(struct tg_arena *a, uint32_t slot, uint64_t file)
{
    const struct tg_line *l = &a->lines[slot];
    struct tg_view v = {.file = file, .size = l->size, .slot = slot, .fd = -1};
    int fd = open_file(a->pid, l);
    if (fd < 0)
        return NULL;
    v.size += v.size == 0;
    v.at = mmap(NULL, v.size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (v.at == MAP_FAILED)
        return NULL;
    if (atomic_load(&l->file) == file)
        return add_view(a, &v)->at;
    (void)munmap(v.at,
                 v.size); /* freed while we looked: who knows what it is */
    return NULL;
}

static const void *known(struct tg_arena *a, uint32_t slot, uint64_t file)
{
    const struct tg_view *v = atomic_load(&a->views[slot]);
    return v != NULL && v->file == file ? v->at : NULL;
}

const void *tg_arena_view(struct tg_arena *a, uint32_t slot, uint64_t file)
{
    const void *at = known(a, slot, file);
    if (at != NULL || a->maker != NULL)
        return at;
    pthread_mutex_lock(&a->lock);
    at = known(a, slot, file);
    if (at == NULL) {
        drop_stale(a);
        at = first_look(a, slot, file);
    }
    pthread_mutex_unlock(&a->lock);
    return at;
}

/* ----- by the maker -------------------------------------------------------------- */

/* A file without a name. */
static int open_unnamed(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    char *name = NULL; /* the file system has none such */
    if (asprintf(&name, "%s/map-XXXXXX", dir) < 0)
        return -1;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(name);
    free(name);
    return fd;
}

/* All of it now: a disk that is full later would end who writes to the memory by
 * a signal, and so would the limit of a file's size here.  An errno, or 0. */
static int reserve(int fd, uint64_t size)
{
    if (size > INT64_MAX || !tg_file_may_have(size))
        return EFBIG;
    int rc;
    do
        rc = posix_fallocate(fd, 0, (off_t)size);
    while (rc == EINTR);
    return rc;
}

/* An errno, or 0. */
static int fill_in(struct tg_arena_file *f)
{
    struct stat st;
    int rc = reserve(f->fd, f->size);
    if (rc == 0 && fstat(f->fd, &st) != 0)
        rc = errno;
    if (rc != 0)
        return rc;
    f->dev = st.st_dev;
    f->inode = st.st_ino;
    f->at = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    return f->at == MAP_FAILED ? errno : 0;
}

int tg_arena_file_make(const char *dir, uint64_t size, struct tg_arena_file *f,
                       char *why, size_t nwhy)
{
    struct tg_arena_file made = {.size = size > 0 ? size : 1,
                                 .fd = open_unnamed(dir)};
    int rc = made.fd < 0 ? errno : fill_in(&made);
    if (rc == 0) {
        *f = made;
        return TRYGON_SUCCESS;
    }
    if (made.fd >= 0)
        close(made.fd);
    snprintf(why, nwhy, "a file of %" PRIu64 " bytes in %s: %s", size, dir,
             strerror(rc));
    return TRYGON_ERR_IO;
}

/* Others may have the file mapped for a while yet, so it is made empty. */
void tg_arena_file_drop(const struct tg_arena_file *f)
{
    int rc = ftruncate(f->fd, 0);
    (void)rc; /* else it goes when the last has unmapped it */
    (void)munmap(f->at, f->size);
    close(f->fd);
}

void *tg_arena_alloc_file(struct tg_arena *a, uint64_t handle, uint64_t size,
                          const struct tg_arena_file *f)
{
    struct tg_view v = {
        .size = f->size, .at = f->at, .slot = (uint32_t)handle, .fd = f->fd};
    TG_ASSERT(v.slot < a->nslots && size <= f->size);
    struct tg_line *l = &a->lines[v.slot];
    TG_ASSERT(tg_line_empty(l));
    tg_arena_collect(a);
    v.file = ++a->maker->files;
    pthread_mutex_lock(&a->lock);
    a->maker->room[v.slot].view = add_view(a, &v);
    pthread_mutex_unlock(&a->lock);
    l->size = size;
    l->dev = f->dev;
    l->inode = f->inode;
    l->fd = v.fd;
    atomic_store(&l->file, v.file);
    atomic_store(&l->word, tg_line_word(handle, TG_LINE_FILLING));
    return v.at;
}

void tg_arena_drop_file(struct tg_arena *a, struct tg_view *v)
{
    *tg_vec_add(&a->maker->dropped) =
        (struct tg_arena_file){.at = v->at, .size = v->size, .fd = v->fd};
    pthread_mutex_lock(&a->lock);
    remove_view(a, v);
    pthread_mutex_unlock(&a->lock);
}

bool tg_arena_take_file(struct tg_arena *a, struct tg_arena_file *f)
{
    bool any = a->maker->dropped.n > 0;
    if (any)
        *f = a->maker->dropped.v[--a->maker->dropped.n];
    return any;
}

void tg_arena_close_views(struct tg_arena *a)
{
    struct tg_arena_file f;
    while (a->maker != NULL && tg_arena_take_file(a, &f))
        tg_arena_file_drop(&f);
    while (a->viewed.n > 0)
        drop_view(a, a->viewed.v[a->viewed.n - 1]);
    tg_vec_free(&a->viewed);
}
