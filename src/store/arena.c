/* arena.c - see arena.h. */
#include "store/arena.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <trygon/types.h>
#include <unistd.h>

#include "base/assert.h"
#include "store/arena_impl.h"

_Static_assert(sizeof(struct tg_line) == TG_CACHE_LINE, "a line of the cache");
_Static_assert(sizeof(size_t) == 8, "an arena is larger than 4 GiB");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2 &&
                   ATOMIC_CHAR_LOCK_FREE == 2,
               "no lock of one process");

static const uint64_t huge_page = 2u << 20;

/* Every rank maps the arenas of all ranks of its node, which together must fit
 * into the 2^47 bytes that a process may have. */
static const uint64_t all_arenas = UINT64_C(1) << 46;

/* ----- the layout -------------------------------------------------------------
 * header | lines | rows of the readers | row of the maker | spaces of data */

struct layout {
    size_t lines, rows, row_size, data, span, total;
};

/* A grain of at most 1/16 of what it is for: lines of the cache, pages, and huge
 * pages, which the system may be set up to give. */
static uint64_t grain_of(int space)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return space == 0 ? 64 : space == 1 || page > huge_page ? page : huge_page;
}

static struct layout lay_out(uint64_t limit, uint32_t nslots, int32_t nreaders)
{
    TG_ASSERT(nslots > 0 && (nslots & (nslots - 1)) == 0 && nreaders >= 0);
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t last = grain_of(TG_ARENA_SPACES - 1),
             nrows = (uint64_t)nreaders + 1;
    uint64_t span = all_arenas / nrows / TG_ARENA_SPACES / last * last;
    uint64_t enough = limit < all_arenas ? 3 * limit + (512u << 20) : span;
    struct layout l;
    l.lines = tg_round_up(sizeof(struct tg_header) + nrows, page);
    l.rows = l.lines + tg_round_up(nslots * sizeof(struct tg_line), page);
    l.row_size = tg_round_up(nslots * sizeof(atomic_uint), page);
    l.data = tg_round_up(l.rows + nrows * l.row_size, last);
    l.span = span < enough ? span : tg_round_up(enough, last);
    l.total = l.data + TG_ARENA_SPACES * l.span;
    return l;
}

/* ----- create and close --------------------------------------------------------- */

/* What this process keeps about the shared memory.  NULL: no memory. */
static struct tg_arena *new_arena(const struct layout *l, uint32_t nslots,
                                  int32_t nreaders)
{
    struct tg_arena *a = calloc(1, sizeof *a);
    _Atomic(struct tg_view *) *views = calloc(nslots, sizeof *views);
    if (a == NULL || views == NULL) {
        free(a);
        free(views);
        return NULL;
    }
    a->nslots = nslots;
    a->nrows = nreaders + 1;
    a->row_size = l->row_size;
    a->views = views;
    a->shm.fd = -1;
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

static void take_places(struct tg_arena *a, const struct layout *l, int64_t pid,
                        int32_t row)
{
    unsigned char *at = a->shm.at;
    unsigned char *huge = at + l->data + (TG_ARENA_SPACES - 1) * l->span;
    a->head = a->shm.at;
    a->lines = (void *)(at + l->lines);
    a->rows = at + l->rows;
    a->row = (void *)(a->rows + (size_t)row * a->row_size);
    a->data = at + l->data;
    a->pid = pid;
    /* Where the system is set up for it; and no core dump of a rank needs to
     * have the objects of the whole node in it. */
    (void)madvise(huge, l->span, MADV_HUGEPAGE);
    (void)madvise(a->data, TG_ARENA_SPACES * l->span, MADV_DONTDUMP);
    atomic_store(&a->head->joined[row], 1);
}

static struct tg_maker *new_maker(const struct layout *l, uint64_t limit,
                                  uint32_t nslots, int32_t nrows)
{
    struct tg_maker *m = calloc(1, sizeof *m + (size_t)nrows);
    struct tg_arena_room *room = calloc(nslots, sizeof *room);
    if (m == NULL || room == NULL) {
        free(m);
        free(room);
        return NULL;
    }
    m->limit = limit;
    m->span = l->span;
    m->room = room;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < TG_ARENA_SPACES; i++) {
        uint64_t grain = grain_of(i);
        tg_space_init(&m->space[i], (uint64_t)i * l->span, l->span, grain,
                      grain < page ? page : grain);
    }
    return m;
}

int tg_arena_create(uint64_t limit, uint32_t nslots, int32_t nreaders,
                    struct tg_arena **arena, struct tg_shm_offer *offer,
                    char *why, size_t nwhy)
{
    struct layout l = lay_out(limit, nslots, nreaders);
    struct tg_shm_offer o = {.fd = -1};
    struct tg_arena *a = new_arena(&l, nslots, nreaders);
    int rc = TRYGON_ERR_NOMEM;
    if (a != NULL)
        a->maker = new_maker(&l, limit, nslots, a->nrows);
    if (a == NULL || a->maker == NULL)
        snprintf(why, nwhy, "no memory for the tables of %" PRIu32 " blobs",
                 nslots);
    else
        rc = tg_shm_create(l.total, &a->shm, &o, why, nwhy);
    if (rc != TRYGON_SUCCESS) {
        tg_arena_close(&a);
        return rc;
    }
    take_places(a, &l, o.pid, nreaders);
    a->head->limit = limit;
    a->head->nslots = nslots;
    a->head->nreaders = nreaders;
    *arena = a;
    *offer = o;
    return TRYGON_SUCCESS;
}

int tg_arena_open(const struct tg_shm_offer *offer, uint64_t limit,
                  uint32_t nslots, int32_t nreaders, int32_t reader,
                  struct tg_arena **arena, char *why, size_t nwhy)
{
    TG_ASSERT(reader >= 0 && reader < nreaders);
    struct layout l = lay_out(limit, nslots, nreaders);
    struct tg_arena *a = new_arena(&l, nslots, nreaders);
    if (a == NULL) {
        snprintf(why, nwhy, "no memory for a table of %" PRIu32 " blobs",
                 nslots);
        return TRYGON_ERR_NOMEM;
    }
    int rc = tg_shm_open(offer, l.total, 0, l.total, &a->shm, why, nwhy);
    const struct tg_header *h = a->shm.at;
    if (rc == TRYGON_SUCCESS &&
        (h->limit != limit || h->nslots != nslots || h->nreaders != nreaders)) {
        snprintf(why, nwhy, "an arena of other sizes");
        rc = TRYGON_ERR_MISMATCH;
    }
    if (rc != TRYGON_SUCCESS) {
        tg_arena_close(&a);
        return rc;
    }
    take_places(a, &l, offer->pid, reader);
    /* Nobody but its maker writes to a blob. */
    (void)mprotect(a->data, TG_ARENA_SPACES * l.span, PROT_READ);
    *arena = a;
    return TRYGON_SUCCESS;
}

void tg_arena_close(struct tg_arena **arena)
{
    struct tg_arena *a = *arena;
    *arena = NULL;
    if (a == NULL)
        return;
    tg_arena_close_views(a);
    if (a->maker != NULL) {
        for (int i = 0; i < TG_ARENA_SPACES; i++)
            tg_space_fini(&a->maker->space[i]);
        tg_vec_free(&a->maker->doomed);
        tg_vec_free(&a->maker->dropped);
        free(a->maker->room);
    }
    free(a->maker);
    tg_shm_free(&a->shm);
    pthread_mutex_destroy(&a->lock);
    free(a->views);
    free(a);
}

/* ----- pins -------------------------------------------------------------------
 * All of these are sequentially consistent: of two sides that each write one
 * word and then read the other's, one sees what the other wrote.
 *
 *     pin:    raise the counter, read the word
 *     evict:  write the word (EVICTING), read the counters
 *     free:   write the word (EMPTY), read the counters
 *
 *     unpin:  lower the counter, read `doomed`
 *     free:   write `doomed`, read the counters */

static struct tg_line *line_of(const struct tg_arena *a, uint64_t handle)
{
    TG_ASSERT((uint32_t)handle < a->nslots);
    return &a->lines[(uint32_t)handle];
}

static enum tg_line_state state_of(const struct tg_line *l, uint64_t handle)
{
    uint64_t word = atomic_load(&l->word);
    return word >> 32 == handle >> 32 ? (enum tg_line_state)(uint32_t)word
                                      : TG_LINE_EMPTY;
}

/* With the counter raised: is it there?  Who finds it EVICTING makes it SEALED
 * again rather than wait for the maker, which may have been stopped; that one
 * takes the memory only if it is still EVICTING then. */
static bool hold(struct tg_line *l, uint64_t handle)
{
    uint64_t sealed = tg_line_word(handle, TG_LINE_SEALED);
    uint64_t seen = atomic_load(&l->word);
    if (seen == tg_line_word(handle, TG_LINE_EVICTING) &&
        atomic_compare_exchange_strong(&l->word, &seen, sealed))
        return true;
    return seen == sealed;
}

static void lower(struct tg_arena *a, uint32_t slot)
{
    unsigned had = atomic_fetch_sub(&a->row[slot], 1);
    TG_ASSERT(had > 0);
    if (had == 1 && atomic_load(&a->lines[slot].doomed) != 0)
        atomic_fetch_add(&a->head->returns, 1);
}

/* A pin does not keep a blob from being freed and its slot from being used
 * again, only its bytes.  So the line was about it if it is still there
 * afterwards: the counter is raised, so it cannot have gone and come back. */
const void *tg_arena_pin(struct tg_arena *a, uint64_t handle)
{
    uint32_t slot = (uint32_t)handle;
    if (slot >= a->nslots)
        return NULL;
    struct tg_line *l = &a->lines[slot];
    const void *at = NULL;
    atomic_fetch_add(&a->row[slot], 1);
    if (hold(l, handle)) {
        uint64_t file = atomic_load(&l->file);
        at = file == 0 ? a->data + atomic_load(&l->at)
                       : tg_arena_view(a, slot, file);
        if (!hold(l, handle))
            at = NULL;
    }
    if (at == NULL)
        lower(a, slot);
    return at;
}

void tg_arena_hold(struct tg_arena *a, uint64_t handle)
{
    TG_ASSERT(a->maker != NULL &&
              state_of(line_of(a, handle), handle) != TG_LINE_EMPTY);
    atomic_fetch_add(&a->row[(uint32_t)handle], 1);
}

void tg_arena_unpin(struct tg_arena *a, uint64_t handle)
{
    TG_ASSERT((uint32_t)handle < a->nslots);
    lower(a, (uint32_t)handle);
}

/* ----- giving up, by the maker ---------------------------------------------------- */

/* Of all that live, as far as a reader knows.  A rank that has not opened the arena has not touched its
 * row, and looking at it would give it memory. */
static uint64_t pins(const struct tg_arena *a, uint32_t slot)
{
    uint64_t sum = 0;
    for (int32_t r = 0; r < a->nrows; r++) {
        atomic_uint *row = (void *)(a->rows + (size_t)r * a->row_size);
        if ((a->maker == NULL || a->maker->gone[r] == 0) &&
            atomic_load(&a->head->joined[r]) != 0)
            sum += atomic_load(&row[slot]);
    }
    return sum;
}

static void give_back(struct tg_arena *a, const struct tg_arena_room *room)
{
    struct tg_maker *m = a->maker;
    if (room->extent != NULL)
        tg_space_give(&m->space[room->extent->at / m->span], room->extent);
    else
        tg_arena_drop_file(a, room->view);
}

/* The line, EMPTY by now, has nothing any more. */
static struct tg_arena_room move_out(struct tg_arena *a, uint32_t slot)
{
    struct tg_arena_room room = a->maker->room[slot];
    a->maker->room[slot] = (struct tg_arena_room){0};
    atomic_store(&a->lines[slot].file, 0);
    return room;
}

static void collect_all(struct tg_arena *a)
{
    struct tg_maker *m = a->maker;
    for (uint32_t i = m->doomed.n; i-- > 0;) {
        struct tg_doomed d = m->doomed.v[i];
        if (pins(a, d.slot) != 0)
            continue;
        m->doomed.v[i] = m->doomed.v[--m->doomed.n];
        atomic_fetch_sub(&a->lines[d.slot].doomed, 1);
        give_back(a, &d.room);
    }
}

void tg_arena_collect(struct tg_arena *a)
{
    unsigned returns = atomic_load(&a->head->returns);
    if (returns == a->maker->returns)
        return;
    a->maker->returns = returns;
    collect_all(a);
}

bool tg_arena_evict(struct tg_arena *a, uint64_t handle)
{
    struct tg_line *l = line_of(a, handle);
    uint32_t slot = (uint32_t)handle;
    TG_ASSERT(state_of(l, handle) == TG_LINE_SEALED);
    tg_arena_collect(a);
    if (pins(a, slot) != 0)
        return false;
    uint64_t evicting = tg_line_word(handle, TG_LINE_EVICTING);
    atomic_store(&l->word, evicting);
    bool pinned = pins(a, slot) != 0;
    enum tg_line_state next = pinned ? TG_LINE_SEALED : TG_LINE_EMPTY;
    if (!atomic_compare_exchange_strong(&l->word, &evicting,
                                        tg_line_word(handle, next)))
        return false; /* a reader was quicker: it is SEALED */
    if (pinned)
        return false;
    struct tg_arena_room room = move_out(a, slot);
    give_back(a, &room);
    return true;
}

void tg_arena_free(struct tg_arena *a, uint64_t handle)
{
    struct tg_line *l = line_of(a, handle);
    struct tg_doomed d = {.slot = (uint32_t)handle};
    TG_ASSERT(state_of(l, handle) == TG_LINE_FILLING ||
              state_of(l, handle) == TG_LINE_SEALED);
    tg_arena_collect(a);
    atomic_fetch_add(&l->doomed, 1);
    atomic_store(&l->word, tg_line_word(handle, TG_LINE_EMPTY));
    d.room = move_out(a, d.slot);
    if (pins(a, d.slot) != 0) {
        *tg_vec_add(&a->maker->doomed) = d;
        return;
    }
    atomic_fetch_sub(&l->doomed, 1);
    give_back(a, &d.room);
}

void tg_arena_reader_gone(struct tg_arena *a, int32_t reader)
{
    TG_ASSERT(reader >= 0 && reader < a->nrows - 1);
    a->maker->gone[reader] = 1;
    collect_all(a);
}

uint64_t tg_arena_pins(const struct tg_arena *a, uint64_t handle)
{
    uint32_t slot = (uint32_t)handle;
    bool here =
        slot < a->nslots && state_of(&a->lines[slot], handle) != TG_LINE_EMPTY;
    return here ? pins(a, slot) : 0;
}

/* ----- memory, by the maker ------------------------------------------------------- */

static uint64_t warm(const struct tg_maker *m)
{
    uint64_t sum = 0;
    for (int i = 0; i < TG_ARENA_SPACES; i++)
        sum += m->space[i].warm;
    return sum;
}

static uint64_t used(const struct tg_maker *m)
{
    uint64_t sum = 0;
    for (int i = 0; i < TG_ARENA_SPACES; i++)
        sum += m->space[i].used;
    return sum;
}

/* Large pieces first: they need the fewest calls. */
static void cool(struct tg_arena *a, uint64_t keep)
{
    struct tg_maker *m = a->maker;
    off_t data = a->data - (unsigned char *)a->shm.at;
    uint64_t have = warm(m), at, n;
    for (int i = TG_ARENA_SPACES; i-- > 0;)
        while (have > keep &&
               tg_space_cool(&m->space[i], have - keep, &at, &n)) {
            have = n < have ? have - n : 0;
            (void)fallocate(a->shm.fd,
                            FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                            data + (off_t)at, (off_t)n);
        }
}

uint64_t tg_arena_resident(const struct tg_arena *a)
{
    return used(a->maker) + warm(a->maker);
}

uint64_t tg_arena_trim(struct tg_arena *a, uint64_t keep)
{
    tg_arena_collect(a);
    cool(a, keep);
    return warm(a->maker);
}

void *tg_arena_alloc(struct tg_arena *a, uint64_t handle, uint64_t size)
{
    struct tg_maker *m = a->maker;
    struct tg_line *l = line_of(a, handle);
    struct tg_extent *e = NULL;
    TG_ASSERT(tg_line_empty(l));
    tg_arena_collect(a);
    for (int i = TG_ARENA_SPACES; i-- > 0 && e == NULL;)
        if (i == 0 || size / 16 >= m->space[i].grain)
            e = tg_space_take(&m->space[i], size > 0 ? size : 1);
    if (e == NULL)
        return NULL;
    uint64_t busy = used(m);
    cool(a, m->limit > busy ? m->limit - busy : 0);
    m->room[(uint32_t)handle].extent = e;
    atomic_store_explicit(&l->at, e->at, memory_order_relaxed);
    atomic_store_explicit(&l->size, size, memory_order_relaxed);
    atomic_store(&l->word, tg_line_word(handle, TG_LINE_FILLING));
    return a->data + e->at;
}

void tg_arena_seal(struct tg_arena *a, uint64_t handle)
{
    struct tg_line *l = line_of(a, handle);
    TG_ASSERT(state_of(l, handle) == TG_LINE_FILLING);
    atomic_store(&l->word, tg_line_word(handle, TG_LINE_SEALED));
}

void *tg_arena_data(const struct tg_arena *a, uint64_t handle)
{
    uint32_t slot = (uint32_t)handle;
    if (slot >= a->nslots || state_of(&a->lines[slot], handle) == TG_LINE_EMPTY)
        return NULL;
    const struct tg_arena_room *room = &a->maker->room[slot];
    return room->extent != NULL ? a->data + room->extent->at : room->view->at;
}
