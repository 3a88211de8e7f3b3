/* spill.c - the files of a spill, and the objects in them: see spill.h.
 *
 * A file is written by one thread, outside of the lock, into a directory that
 * was chosen under it; when it is closed it gets a line in the table.  Its
 * number is never used again, so that an object of a file that is gone finds
 * none.
 */
#include "store/spill_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/shm.h"

enum {
    OBJECTS_MAX = 2000,     /* of a file */
    FILE_MIN = 100000000,   /* bytes: the default */
    PERCENT = 95,           /* of a disk: the default */
    OVERHEAD_FILE = 131072, /* bytes at most that HDF5 adds to a file, */
    OVERHEAD_OBJECT = 8192  /* and to an object */
};

struct file {
    uint32_t dir;
    uint32_t live;    /* objects; 0: there is no file */
    uint64_t *hashes; /* of its objects' pieces, in order */
};

struct tg_spill {
    int deflate;
    int32_t rank;
    uint64_t file_min;
    uint32_t percent;
    const struct tg_log *log;
    char unsupported[TG_SPILL_WHY]; /* why nothing can be written, or "" */
    uint32_t ndirs;

    pthread_mutex_t choosing; /* for the next two: may be held for long */
    struct tg_spill_dir *dirs;
    uint32_t next_dir;

    pthread_mutex_t lock;      /* for the rest */
    uint64_t nfiles;           /* that exist */
    TG_VEC(struct file) files; /* of number 1 and up */
};

/* ----- life --------------------------------------------------------------- */

static int check_opts(const struct tg_spill_opts *o, char *why, size_t nwhy)
{
    if (o->deflate < 0 || o->deflate > 9) {
        snprintf(why, nwhy, "spill deflate %d: expected 0 to 9", o->deflate);
        return TRYGON_ERR_INVALID;
    }
    if (o->disk_percent > 100) {
        snprintf(why, nwhy, "spill disk limit %" PRIu32 ": expected 1 to 100",
                 o->disk_percent);
        return TRYGON_ERR_INVALID;
    }
    return TRYGON_SUCCESS;
}

int tg_spill_create(const struct tg_spill_opts *opts, struct tg_spill **spill,
                    char *why, size_t nwhy)
{
    struct tg_spill_dir *dirs;
    uint32_t ndirs;
    int rc = check_opts(opts, why, nwhy);
    if (rc == TRYGON_SUCCESS)
        rc = tg_spilldir_list(opts, &dirs, &ndirs, why, nwhy);
    if (rc != TRYGON_SUCCESS)
        return rc;
    for (uint32_t i = 0; i < ndirs; i++)
        tg_spilldir_clean(&dirs[i], opts->log);

    struct tg_spill *s = tg_alloc(sizeof *s);
    struct tg_rng rng = {opts->job ^ tg_mix64((uint64_t)opts->rank)};
    s->deflate = opts->deflate;
    s->rank = opts->rank;
    s->file_min = opts->file_min != 0 ? opts->file_min : FILE_MIN;
    s->percent = opts->disk_percent != 0 ? opts->disk_percent : PERCENT;
    s->log = opts->log;
    s->ndirs = ndirs;
    s->dirs = dirs;
    s->next_dir = tg_rng_below(&rng, ndirs);
    TG_ASSERT(pthread_mutex_init(&s->choosing, NULL) == 0 &&
              pthread_mutex_init(&s->lock, NULL) == 0);
    *spill = s;
    rc = tg_h5_check(s->unsupported, sizeof s->unsupported);
    if (rc != TRYGON_SUCCESS)
        snprintf(why, nwhy, "%s", s->unsupported);
    return rc;
}

/* The file's path, in memory of the caller's. */
static char *path_of(const struct tg_spill *s, uint32_t dir, uint32_t number)
{
    size_t n = strlen(s->dirs[dir].path) + 64;
    char *path = tg_alloc(n);
    (void)snprintf(path, n, "%s/rank%" PRId32 "-%" PRIu32 ".h5",
                   s->dirs[dir].path, s->rank, number);
    return path;
}

static void remove_file(struct tg_spill *s, uint32_t dir, uint32_t number)
{
    char *path = path_of(s, dir, number);
    (void)unlink(path);
    free(path);
}

void tg_spill_destroy(struct tg_spill **spill)
{
    struct tg_spill *s = *spill;
    *spill = NULL;
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < s->files.n; i++) {
        if (s->files.v[i].live > 0)
            remove_file(s, s->files.v[i].dir, i + 1);
        free(s->files.v[i].hashes);
    }
    for (uint32_t i = 0; i < s->ndirs; i++) {
        tg_spilldir_leave(&s->dirs[i], s->log);
        free(s->dirs[i].base);
        free(s->dirs[i].path);
    }
    free(s->dirs);
    tg_vec_free(&s->files);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->choosing);
    free(s);
}

/* ----- choosing a directory ----------------------------------------------- */

static bool all_failed(const struct tg_spill *s)
{
    for (uint32_t i = 0; i < s->ndirs; i++)
        if (!s->dirs[i].failed)
            return false;
    return true;
}

/* The next in turn that has room and is not in `tried` (a flag each), entered,
 * so that files can be made there.  Failed ones only when there is no other.
 * The rest with a reason. */
static int next_dir(struct tg_spill *s, uint64_t bytes, bool tried[],
                    uint32_t *dir, char *why, size_t nwhy)
{
    int rc = TRYGON_ERR_IO;
    pthread_mutex_lock(&s->choosing);
    bool failed_too = all_failed(s);
    for (uint32_t k = 0; k < s->ndirs && rc != TRYGON_SUCCESS; k++) {
        uint32_t i = (s->next_dir + k) % s->ndirs;
        struct tg_spill_dir *d = &s->dirs[i];
        if (tried[i] || (d->failed && !failed_too))
            continue;
        tried[i] = true;
        if (!tg_spilldir_room(d, bytes, s->percent)) {
            rc = TRYGON_ERR_DISK_FULL;
            snprintf(why, nwhy,
                     "%s: no room for %" PRIu64 " bytes below %" PRIu32
                     " %% of the disk",
                     d->base, bytes, s->percent);
            continue;
        }
        int entered = tg_spilldir_enter(d, why, nwhy);
        if (entered == TRYGON_SUCCESS) {
            d->failed = false;
            s->next_dir = (i + 1) % s->ndirs;
            *dir = i;
            rc = TRYGON_SUCCESS;
            continue;
        }
        d->failed = entered == TRYGON_ERR_IO;
        if (rc != TRYGON_ERR_DISK_FULL)
            rc = entered;
    }
    pthread_mutex_unlock(&s->choosing);
    return rc;
}

const char *tg_spill_room(struct tg_spill *s, uint64_t n)
{
    char why[TG_SPILL_WHY];
    uint32_t dir;
    bool *tried = tg_alloc(s->ndirs * sizeof *tried);
    int rc = next_dir(s, n, tried, &dir, why, sizeof why);
    free(tried);
    return rc == TRYGON_SUCCESS ? s->dirs[dir].path : NULL;
}

bool tg_spill_could(const struct tg_spill *s, uint64_t n)
{
    for (uint32_t i = 0; i < s->ndirs; i++)
        if (tg_spilldir_could(&s->dirs[i], n, s->percent))
            return true;
    return false;
}

/* ----- writing ------------------------------------------------------------ */

/* Some items that are to become one file. */
struct batch {
    uint32_t n;
    struct tg_spill_item *items;
    uint64_t bytes;
    uint64_t *hashes; /* once there is a directory to write to */
};

/* Fills the file, which is open here as fd and at HDF5 as h5. */
static int write_items(const struct tg_spill *s, int fd, const char *path,
                       struct tg_h5 *h5, const struct batch *b, char *why,
                       size_t nwhy)
{
    uint64_t first = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        struct tg_spill_item *it = &b->items[i];
        uint64_t n = tg_spill_pieces(it->size);
        it->where.first = first;
        if (s->deflate > 0) {
            int rc = tg_h5_deflate(h5, it, why, nwhy);
            if (rc != TRYGON_SUCCESS)
                return rc;
            tg_spill_hash(it->data, it->size, b->hashes + first);
        } else if (!tg_spill_write_bytes(fd, it->data, it->size, it->where.at,
                                         b->hashes + first)) {
            return tg_spill_refused(path, why, nwhy);
        }
        it->where.hash = tg_spill_digest(b->hashes + first, n);
        first += n;
    }
    return TRYGON_SUCCESS;
}

/* What has our file's name is none of ours. */
static bool is_there(const char *path)
{
    if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    errno = EEXIST;
    return true;
}

/* The datasets' bytes, into the file that HDF5 has made. */
static int write_into(const struct tg_spill *s, const char *path,
                      struct tg_h5 *h5, const struct batch *b, char *why,
                      size_t nwhy)
{
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return tg_spill_refused(path, why, nwhy);
    int rc = write_items(s, fd, path, h5, b, why, nwhy);
    if (close(fd) != 0 && rc == TRYGON_SUCCESS) /* NFS tells some things here */
        rc = tg_spill_refused(path, why, nwhy);
    return rc;
}

/* A failed file is removed. */
static int write_file(const struct tg_spill *s, const char *path,
                      const struct batch *b, char *why, size_t nwhy)
{
    struct tg_h5 *h5 = NULL;
    if (!tg_file_may_have(b->bytes) || is_there(path))
        return tg_spill_refused(path, why, nwhy);
    int rc = tg_h5_create(path, s->deflate, b->n, b->items, &h5, why, nwhy);
    if (rc == TRYGON_SUCCESS)
        rc = write_into(s, path, h5, b, why, nwhy);
    if (rc == TRYGON_SUCCESS)
        rc = tg_h5_close(&h5, b->items, why, nwhy);
    if (rc != TRYGON_SUCCESS && truncate(path, 0) != 0)
        rc = errno == ENOENT ? rc : TRYGON_ERR_IO;
    tg_h5_drop(&h5);
    if (rc != TRYGON_SUCCESS)
        (void)unlink(path);
    return rc;
}

/* The number of a file to be; it has a line, of no object yet. */
static uint32_t new_number(struct tg_spill *s, uint32_t dir)
{
    pthread_mutex_lock(&s->lock);
    *tg_vec_add(&s->files) = (struct file){.dir = dir};
    uint32_t number = s->files.n;
    pthread_mutex_unlock(&s->lock);
    return number;
}

static void publish(struct tg_spill *s, uint32_t number, const struct batch *b)
{
    pthread_mutex_lock(&s->lock);
    s->files.v[number - 1].live = b->n;
    s->files.v[number - 1].hashes = b->hashes;
    s->nfiles++;
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < b->n; i++) {
        struct tg_spill_item *it = &b->items[i];
        it->rc = TRYGON_SUCCESS;
        it->where.file = number;
        it->where.size = it->size;
    }
}

static uint64_t *new_hashes(const struct batch *b)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < b->n; i++)
        n += tg_spill_pieces(b->items[i].size);
    return tg_grow(NULL, n + 1, sizeof(uint64_t));
}

/* One attempt, in the next directory; over: there is none left to try. */
static int try_batch(struct tg_spill *s, struct batch *b, bool tried[],
                     bool *over, char *why, size_t nwhy)
{
    uint32_t dir;
    int rc = next_dir(s, b->bytes, tried, &dir, why, nwhy);
    *over = rc != TRYGON_SUCCESS;
    if (*over)
        return rc;

    uint32_t number = new_number(s, dir);
    char *path = path_of(s, dir, number);
    b->hashes = new_hashes(b);
    rc = write_file(s, path, b, why, nwhy);
    free(path);
    if (rc == TRYGON_SUCCESS) {
        publish(s, number, b);
        *over = true;
        return rc;
    }
    free(b->hashes);
    if (rc == TRYGON_ERR_IO) {
        pthread_mutex_lock(&s->choosing);
        s->dirs[dir].failed = true;
        pthread_mutex_unlock(&s->choosing);
    }
    return rc;
}

/* When any disk is full, that is the reason; else the first one. */
static int write_batch(struct tg_spill *s, struct batch *b, char *why,
                       size_t nwhy)
{
    bool *tried = tg_alloc(s->ndirs * sizeof *tried), over = false;
    int rc = TRYGON_ERR_IO;
    why[0] = '\0';
    while (!over) {
        char again[TG_SPILL_WHY] = "";
        int got = try_batch(s, b, tried, &over, again, sizeof again);
        bool better = got == TRYGON_ERR_DISK_FULL && rc != got;
        if (got == TRYGON_SUCCESS || got == TRYGON_ERR_DISK_FULL)
            rc = got;
        if (again[0] != '\0' && (why[0] == '\0' || better))
            snprintf(why, nwhy, "%s", again);
    }
    free(tried);
    return rc;
}

static struct batch batch_of(struct tg_spill_item items[], uint32_t n)
{
    struct batch b = {.n = n, .items = items, .bytes = OVERHEAD_FILE};
    for (uint32_t i = 0; i < n; i++)
        b.bytes += items[i].size + OVERHEAD_OBJECT;
    return b;
}

static int worst(int a, int b)
{
    return a == TRYGON_ERR_IO || b == TRYGON_SUCCESS ? a : b;
}

static void fail(struct tg_spill_item items[], uint32_t n, int rc)
{
    for (uint32_t i = 0; i < n; i++) {
        items[i].rc = rc;
        items[i].where = (struct tg_spilled){0};
    }
}

/* One file, or, on full disks, several smaller ones, as far as they go. */
static int write_range(struct tg_spill *s, struct tg_spill_item items[],
                       uint32_t n, char *why, size_t nwhy)
{
    char reason[TG_SPILL_WHY];
    struct batch b = batch_of(items, n);
    int rc = write_batch(s, &b, reason, sizeof reason);
    if (rc == TRYGON_SUCCESS)
        return rc;
    if (rc == TRYGON_ERR_DISK_FULL && n > 1) {
        int first = write_range(s, items, n / 2, why, nwhy);
        return worst(first,
                     write_range(s, items + n / 2, n - n / 2, why, nwhy));
    }
    fail(items, n, rc);
    if (why[0] == '\0')
        snprintf(why, nwhy, "%s", reason);
    return rc;
}

int tg_spill_write(struct tg_spill *s, uint32_t n, struct tg_spill_item items[],
                   char *why, size_t nwhy)
{
    int rc = TRYGON_SUCCESS;
    why[0] = '\0';
    if (s->unsupported[0] != '\0') {
        snprintf(why, nwhy, "%s", s->unsupported);
        fail(items, n, TRYGON_ERR_UNSUPPORTED);
        return TRYGON_ERR_UNSUPPORTED;
    }
    for (uint32_t first = 0, end; first < n; first = end) {
        uint64_t bytes = 0;
        for (end = first;
             end < n && end - first < OBJECTS_MAX && bytes < s->file_min; end++)
            bytes += items[end].size;
        rc = worst(rc, write_range(s, items + first, end - first, why, nwhy));
    }
    return rc;
}

/* ----- reading ------------------------------------------------------------ */

/* What is to be read: whole pieces of the object, and where they go. */
struct reading {
    char *path;
    const struct tg_spilled *where;
    uint64_t from, n;
    const uint64_t *hashes; /* of these pieces */
    void *out;
};

/* False: the file is gone, as far as we know.  The hashes stay where they are,
 * since the object lives. */
static bool find_file(struct tg_spill *s, struct reading *r)
{
    pthread_mutex_lock(&s->lock);
    uint32_t number = r->where->file;
    bool there =
        number > 0 && number <= s->files.n && s->files.v[number - 1].live > 0;
    if (there) {
        const struct file *f = &s->files.v[number - 1];
        r->path = path_of(s, f->dir, number);
        r->hashes = f->hashes + r->where->first + r->from / TG_SPILL_PIECE;
    }
    pthread_mutex_unlock(&s->lock);
    return there;
}

static int read_plain(const struct reading *r, bool *same, char *why,
                      size_t nwhy)
{
    int fd = open(r->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool good =
        fd >= 0 && tg_spill_read_bytes(fd, r->out, r->n, r->where->at + r->from,
                                       r->hashes, same);
    if (!good && errno != 0)
        (void)tg_spill_refused(r->path, why, nwhy);
    else if (!good)
        snprintf(why, nwhy, "%s: ends early", r->path);
    if (fd >= 0)
        close(fd);
    return good ? TRYGON_SUCCESS : TRYGON_ERR_IO;
}

static int read_pieces(struct tg_spill *s, struct reading *r, char *why,
                       size_t nwhy)
{
    bool same = true;
    int rc;
    if (!find_file(s, r)) {
        snprintf(why, nwhy, "rank%" PRId32 "-%" PRIu32 ".h5: no such file",
                 s->rank, r->where->file);
        return TRYGON_ERR_IO;
    }
    if (s->deflate > 0) {
        rc = tg_h5_inflate(r->path, r->where, r->from, r->n, r->out, why, nwhy);
        same = rc != TRYGON_SUCCESS || tg_spill_same(r->out, r->n, r->hashes);
    } else {
        rc = read_plain(r, &same, why, nwhy);
    }
    if (!same) {
        snprintf(why, nwhy, "%s: object %" PRIu32 " is damaged", r->path,
                 r->where->number);
        rc = TRYGON_ERR_IO;
    }
    free(r->path);
    return rc;
}

int tg_spill_read(struct tg_spill *s, const struct tg_spilled *where,
                  uint64_t from, uint64_t n, void *out, char *why, size_t nwhy)
{
    TG_ASSERT(from <= where->size && n <= where->size - from);
    uint64_t before = from % TG_SPILL_PIECE; /* in its piece */
    uint64_t behind =
        (TG_SPILL_PIECE - (from + n) % TG_SPILL_PIECE) % TG_SPILL_PIECE;
    if (behind > where->size - from - n)
        behind = where->size - from - n;
    struct reading r = {.where = where,
                        .from = from - before,
                        .n = before + n + behind,
                        .out = out};
    if (r.n == n)
        return read_pieces(s, &r, why, nwhy);
    r.out = malloc((size_t)r.n);
    if (r.out == NULL)
        return TRYGON_ERR_NOMEM;
    int rc = read_pieces(s, &r, why, nwhy);
    if (rc == TRYGON_SUCCESS)
        memcpy(out, (unsigned char *)r.out + before, n);
    free(r.out);
    return rc;
}

/* ----- forgetting --------------------------------------------------------- */

/* Not every file system can. */
static void punch(const char *path, const struct tg_spilled *where)
{
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    (off_t)where->at, (off_t)where->size);
    close(fd);
}

void tg_spill_forget(struct tg_spill *s, const struct tg_spilled *where)
{
    if (where->file == 0)
        return;
    pthread_mutex_lock(&s->lock);
    TG_ASSERT(where->file <= s->files.n);
    struct file *f = &s->files.v[where->file - 1];
    TG_ASSERT(f->live > 0);
    bool last = --f->live == 0;
    s->nfiles -= last;
    char *path = path_of(s, f->dir, where->file);
    if (last) {
        free(f->hashes);
        f->hashes = NULL;
    }
    pthread_mutex_unlock(&s->lock);

    if (last)
        (void)unlink(path);
    else if (s->deflate == 0 && where->size > 0)
        punch(path, where);
    free(path);
}

uint64_t tg_spill_files(struct tg_spill *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t n = s->nfiles;
    pthread_mutex_unlock(&s->lock);
    return n;
}
