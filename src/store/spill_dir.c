/* spill_dir.c - the directories of a spill: made, locked, cleaned.
 *
 *     DIR/trygon-UID-JOB/     0700
 *         lock                flock()ed, shared, by each rank that writes here
 *         rankR-K.h5          0600
 *
 * A job is alive as long as somebody holds its lock; the system lets go of it
 * with the process, however that ends.  Two rules keep a cleaner from ever
 * taking a living job's files:
 *
 *  1. Who writes in the directory first locks `lock`, shared, and then looks
 *     whether the file of that name still is the one that it has locked.
 *  2. `lock` is unlinked, and what is in the directory, only by who holds it
 *     exclusively and has then looked the same way.
 *
 * While a writer holds the named lock no cleaner gets it (1 against 2).  A
 * cleaner that comes between a writer's making of the lock and its locking it
 * takes both away, with nothing else in the directory, for nothing is written
 * before; the writer sees that and begins again.  A cleaner that had opened a
 * lock which another cleaner took away meanwhile may get that one, but it is
 * not the named one any more.  The directory itself goes by rmdir(), which the
 * system does only when it is empty; a writer that is about to make its lock
 * in there then finds no directory, and begins again as well.
 *
 * NFS: Linux makes a lock on the whole file at the server of a flock(), which
 * all nodes see; so do GPFS, and Lustre since 2.13.  Where locks are refused, nothing
 * is written and nothing is removed.  But mounts with node-local locks (NFS:
 * nolock, local_lock; Lustre: localflock) let a node remove what another has
 * written: they must not be named as spill directories.  The guide says so.
 */
#include "store/spill_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"

enum {
    LOCK_TRIES = 1000, /* with a nap between: a cleaner holds it */
    NAP_NS = 10000000,
    JOB_DIGITS = 16
};

/* ----- errors ------------------------------------------------------------- */

int tg_spill_code(int error_number)
{
    return error_number == ENOSPC || error_number == EDQUOT
               ? TRYGON_ERR_DISK_FULL
               : TRYGON_ERR_IO;
}

int tg_spill_refused(const char *what, char *why, size_t nwhy)
{
    int rc = tg_spill_code(errno);
    snprintf(why, nwhy, "%s: %s", what, strerror(errno));
    return rc;
}

/* ----- which -------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static char *text_of(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    TG_ASSERT(n >= 0);
    char *s = tg_alloc((size_t)n + 1);
    va_start(ap, fmt);
    (void)vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return s;
}

/* Up to the job's number, which follows. */
static void name_start(char out[static 32])
{
    snprintf(out, 32, "trygon-%lu-", (unsigned long)geteuid());
}

/* NULL, with errno: it is no directory. */
static char *absolute_dir(const char *path)
{
    struct stat st;
    char *real = realpath(path, NULL);
    if (real == NULL)
        return NULL;
    if (stat(real, &st) == 0 && S_ISDIR(st.st_mode))
        return real;
    free(real);
    errno = ENOTDIR;
    return NULL;
}

static const char *look_up(const struct tg_spill_opts *opts, const char *name)
{
    return opts->env != NULL ? opts->env(opts->env_arg, name) : getenv(name);
}

/* The default, which nobody has named for us: what is no directory is passed
 * over. */
static char *default_dir(const struct tg_spill_opts *opts)
{
    static const char *const names[] = {"SLURM_TMPDIR", "TMPDIR"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = look_up(opts, names[i]);
        char *dir =
            value != NULL && value[0] != '\0' ? absolute_dir(value) : NULL;
        if (dir != NULL)
            return dir;
    }
    return absolute_dir("/tmp");
}

typedef TG_VEC(struct tg_spill_dir) dir_vec;

/* Takes base. */
static void add_dir(dir_vec *v, char *base, uint64_t job)
{
    char start[32];
    name_start(start);
    for (uint32_t i = 0; i < v->n; i++) {
        if (strcmp(v->v[i].base, base) == 0) { /* named twice */
            free(base);
            return;
        }
    }
    char *path = text_of("%s/%s%0*" PRIx64, strcmp(base, "/") == 0 ? "" : base,
                         start, JOB_DIGITS, job);
    *tg_vec_add(v) = (struct tg_spill_dir){base, path, -1, false};
}

static void free_dirs(dir_vec *v)
{
    for (uint32_t i = 0; i < v->n; i++) {
        free(v->v[i].base);
        free(v->v[i].path);
    }
    tg_vec_free(v);
}

/* Those of the text; a piece that is empty counts for nothing. */
static int add_named(dir_vec *v, const struct tg_spill_opts *opts, char *why,
                     size_t nwhy)
{
    char *text = tg_strdup(opts->dirs), *rest = text, *piece;
    int rc = TRYGON_SUCCESS;
    while (rc == TRYGON_SUCCESS && (piece = strsep(&rest, ":")) != NULL) {
        char *base = piece[0] != '\0' ? absolute_dir(piece) : NULL;
        if (base != NULL) {
            add_dir(v, base, opts->job);
        } else if (piece[0] != '\0') {
            snprintf(why, nwhy, "spill directory \"%s\": %s", piece,
                     strerror(errno));
            rc = TRYGON_ERR_INVALID;
        }
    }
    free(text);
    return rc;
}

int tg_spilldir_list(const struct tg_spill_opts *opts,
                     struct tg_spill_dir **dirs, uint32_t *n, char *why,
                     size_t nwhy)
{
    dir_vec v = {0};
    int rc =
        opts->dirs != NULL ? add_named(&v, opts, why, nwhy) : TRYGON_SUCCESS;
    if (rc == TRYGON_SUCCESS && v.n == 0) {
        char *base = default_dir(opts);
        if (base != NULL) {
            add_dir(&v, base, opts->job);
        } else {
            snprintf(why, nwhy, "spill directory \"/tmp\": %s",
                     strerror(errno));
            rc = TRYGON_ERR_INVALID;
        }
    }
    if (rc != TRYGON_SUCCESS) {
        free_dirs(&v);
        return rc;
    }
    *dirs = v.v;
    *n = v.n;
    return TRYGON_SUCCESS;
}

/* ----- room --------------------------------------------------------------- */

/* As df reckons: of what a user may have at all. */
bool tg_spilldir_room(const struct tg_spill_dir *d, uint64_t n,
                      uint32_t percent)
{
    struct statvfs fs;
    if (statvfs(d->base, &fs) != 0)
        return true; /* writing will tell */
    if (fs.f_blocks == 0)
        return true; /* it does not tell */
    uint64_t used = fs.f_blocks - fs.f_bfree, all = used + fs.f_bavail;
    uint64_t more = n / fs.f_frsize + 1;
    return more <= fs.f_bavail &&
           (long double)(used + more) * 100 <= (long double)all * percent;
}

bool tg_spilldir_could(const struct tg_spill_dir *d, uint64_t n,
                       uint32_t percent)
{
    struct statvfs fs;
    if (statvfs(d->base, &fs) != 0 || fs.f_blocks == 0)
        return true;
    return (long double)n * 100 <=
           (long double)fs.f_blocks * fs.f_frsize * percent;
}

/* ----- locking ------------------------------------------------------------ */

/* Is the open file still the one of that name in the directory dir? */
static bool still_there(int fd, int dir, const char *name)
{
    struct stat mine, named;
    return fstat(fd, &mine) == 0 &&
           fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

/* A directory that somebody else could write to is none of ours. */
static bool is_ours(int dir)
{
    struct stat st;
    return fstat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
           st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

enum entering { ENTERED, AGAIN, REFUSED };

/* One attempt, in the open directory; REFUSED leaves errno. */
static enum entering lock_in(int dir, int *out)
{
    int fd =
        openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == ENOENT ? AGAIN : REFUSED; /* gone: a cleaner */
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        int e = errno;
        close(fd);
        errno = e;
        return e == EWOULDBLOCK || e == EINTR ? AGAIN : REFUSED;
    }
    if (!still_there(fd, dir, "lock")) {
        close(fd);
        return AGAIN;
    }
    *out = fd;
    return ENTERED;
}

static enum entering try_enter(struct tg_spill_dir *d)
{
    if (mkdir(d->path, 0700) != 0 && errno != EEXIST)
        return REFUSED;
    int dir = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return errno == ENOENT ? AGAIN : REFUSED;
    enum entering e = REFUSED;
    if (is_ours(dir))
        e = lock_in(dir, &d->lock);
    else
        errno = EPERM;
    int kept = errno;
    close(dir);
    errno = kept;
    return e;
}

/* Has somebody taken the directory away under us? */
static bool is_locked(const struct tg_spill_dir *d)
{
    int dir = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool there = dir >= 0 && still_there(d->lock, dir, "lock");
    if (dir >= 0)
        close(dir);
    return there;
}

int tg_spilldir_enter(struct tg_spill_dir *d, char *why, size_t nwhy)
{
    static const struct timespec nap = {0, NAP_NS};
    if (d->lock >= 0 && (!d->failed || is_locked(d)))
        return TRYGON_SUCCESS;
    if (d->lock >= 0)
        close(d->lock);
    d->lock = -1;
    for (int i = 0; i < LOCK_TRIES; i++) {
        switch (try_enter(d)) {
        case ENTERED: return TRYGON_SUCCESS;
        case REFUSED: return tg_spill_refused(d->path, why, nwhy);
        case AGAIN: nanosleep(&nap, NULL); break;
        }
    }
    errno = ETIMEDOUT;
    return tg_spill_refused(d->path, why, nwhy);
}

/* ----- removing ----------------------------------------------------------- */

/* Behind the number; NULL: there is none. */
static const char *past_number(const char *s)
{
    const char *end = s + strspn(s, "0123456789");
    return end != s ? end : NULL;
}

static bool is_file_name(const char *name)
{
    if (strncmp(name, "map", 3) == 0)
        return true;
    const char *s = name;
    return strncmp(s, "rank", 4) == 0 && (s = past_number(s + 4)) != NULL &&
           *s == '-' && (s = past_number(s + 1)) != NULL &&
           strcmp(s, ".h5") == 0;
}

static bool is_job_name(const char *name)
{
    char start[32];
    name_start(start);
    size_t n = strlen(start);
    return strncmp(name, start, n) == 0 && strlen(name) == n + JOB_DIGITS &&
           strspn(name + n, "0123456789abcdef") == JOB_DIGITS;
}

/* The next entry but "." and ".."; NULL at the end. */
static const char *next_name(DIR *list)
{
    struct dirent *e;
    while ((e = readdir(list)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            return e->d_name;
    return NULL;
}

/* NULL: a list of the open directory cannot be had. */
static DIR *list_of(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list == NULL && fd >= 0)
        close(fd);
    return list;
}

__attribute__((format(printf, 2, 3))) static void warn(const struct tg_log *log,
                                                       const char *fmt, ...)
{
    char line[TG_LOG_LINE];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (log != NULL && n > 0)
        tg_log(log, TRYGON_LOG_WARN, "%s", line);
}

/* The first thing in there that is not ours; false: there is none. */
static bool find_foreign(int dir, DIR *list, char *out, size_t nout)
{
    const char *name;
    while ((name = next_name(list)) != NULL) {
        struct stat st;
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (strcmp(name, "lock") == 0 || is_file_name(name)) &&
            S_ISREG(st.st_mode) && st.st_uid == geteuid())
            continue;
        snprintf(out, nout, "%s", name);
        return true;
    }
    return false;
}

/* By who holds the named lock exclusively.  All or nothing. */
static void remove_job(int parent, const char *name, int dir, const char *where,
                       const struct tg_log *log)
{
    char foreign[256];
    const char *entry;
    DIR *list = list_of(dir);
    if (list == NULL)
        return;
    if (find_foreign(dir, list, foreign, sizeof foreign)) {
        warn(log, "%s/%s is left where it is: no file of ours: \"%s\"", where,
             name, foreign);
    } else {
        rewinddir(list);
        while ((entry = next_name(list)) != NULL)
            if (strcmp(entry, "lock") != 0)
                (void)unlinkat(dir, entry, 0);
        (void)unlinkat(dir, "lock", 0);
        (void)unlinkat(parent, name, AT_REMOVEDIR);
    }
    closedir(list);
}

/* The open directory, whose maker has not come to the lock or whose remover was
 * stopped behind it, is empty; anything else has lost its lock. */
static void remove_empty(int parent, const char *name, int dir,
                         const char *where, const struct tg_log *log)
{
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 &&
        (errno == ENOTEMPTY || errno == EEXIST) &&
        faccessat(dir, "lock", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        warn(log, "%s/%s is left where it is: it has no lock", where, name);
}

static void clean_one(int parent, const char *name, const char *where,
                      const struct tg_log *log)
{
    int dir =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return;
    int lock = is_ours(dir)
                   ? openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC)
                   : -1;
    if (lock >= 0) {
        if (flock(lock, LOCK_EX | LOCK_NB) == 0 &&
            still_there(lock, dir, "lock"))
            remove_job(parent, name, dir, where, log);
        close(lock);
    } else if (errno == ENOENT && is_ours(dir)) {
        remove_empty(parent, name, dir, where, log);
    }
    close(dir);
    /* NFS keeps a file that was open when it was removed under another name,
     * and so the directory, until here. */
    if (lock >= 0)
        (void)unlinkat(parent, name, AT_REMOVEDIR);
}

void tg_spilldir_clean(const struct tg_spill_dir *d, const struct tg_log *log)
{
    const char *name;
    int parent = open(d->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = parent >= 0 ? list_of(parent) : NULL;
    while (list != NULL && (name = next_name(list)) != NULL)
        if (is_job_name(name))
            clean_one(parent, name, d->base, log);
    if (list != NULL)
        closedir(list);
    if (parent >= 0)
        close(parent);
}

void tg_spilldir_leave(struct tg_spill_dir *d, const struct tg_log *log)
{
    if (d->lock < 0)
        return;
    close(d->lock);
    d->lock = -1;
    int parent = open(d->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return;
    clean_one(parent, strrchr(d->path, '/') + 1, d->base, log);
    close(parent);
}
