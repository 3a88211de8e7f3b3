/* mem.c - see mem.h; also the end of a failed assertion. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

void tg_assert_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "trygon: %s:%d: broken invariant: %s\n", file, line, what);
    abort();
}

static void *checked(void *p)
{
    if (p == NULL) {
        fputs("trygon: out of memory for bookkeeping\n", stderr);
        abort();
    }
    return p;
}

/* Not calloc(): glibc's goes past the thread's own cache of small blocks. */
void *tg_alloc(size_t size)
{
    return memset(tg_grow(NULL, 1, size), 0, size);
}

void *tg_grow(void *old, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return checked(NULL);
    return checked(realloc(old, count * size));
}

void *tg_aligned(size_t align, size_t size)
{
    return checked(aligned_alloc(align, size));
}

void tg_bytes_grow(struct tg_bytes *b, size_t more)
{
    b->cap = b->cap * 2 + more + 64;
    b->v = tg_grow(b->v, b->cap, 1);
}

void tg_bytes_fini(struct tg_bytes *b)
{
    free(b->v);
    *b = (struct tg_bytes){0};
}

char *tg_strdup(const char *s)
{
    if (s == NULL)
        return NULL;
    size_t n = strlen(s) + 1;
    return memcpy(tg_alloc(n), s, n);
}
