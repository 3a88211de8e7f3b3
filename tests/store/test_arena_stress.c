/* test_arena_stress.c - many blobs: random steps against a model, and readers
 * that race with the maker.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "../cunit_main.h"
#include "base/slab.h"
#include "other.h"
#include "store/arena.h"
#include "store/arena_impl.h"

#define MIB ((uint64_t)1 << 20)

static char why[200];

static uint64_t used_bytes(const struct tg_arena *a)
{
    uint64_t sum = 0;
    for (int i = 0; i < TG_ARENA_SPACES; i++)
        sum += a->maker->space[i].used;
    return sum;
}

/* ----- random steps against a model ------------------------------------------------ */

enum {
    SLOTS = 512,
    BLOBS = 400,
    LOANS = 64,
    STEPS = 100000,
    STEP = 512 /* bytes from one word that is checked to the next */
};
static const uint64_t limit = 64 * MIB;

struct blob {
    uint64_t handle, size; /* 0: nothing */
    bool sealed, evicted;
};

/* A pin of the maker's, or of a reader's; its blob may be gone meanwhile. */
struct loan {
    uint64_t handle, size;
    const void *at; /* NULL: none */
    int who;
};

struct model {
    struct tg_arena *by[2]; /* the maker and a reader */
    struct tg_shm_offer offer;
    struct tg_slab handles;
    struct tg_rng rng;
    struct blob blob[BLOBS];
    struct loan loan[LOANS];
    uint64_t bytes; /* of blobs in memory, freed but lent ones apart */
    uint32_t made, evicted, refused, freed_lent;
    bool bad;
};

static struct model m;

static bool lent(uint32_t slot)
{
    for (int i = 0; i < LOANS; i++)
        if (m.loan[i].at != NULL && (uint32_t)m.loan[i].handle == slot)
            return true;
    return false;
}

/* Those that are lent and were freed: their memory is not free. */
static uint64_t lent_bytes(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < LOANS; i++)
        if (m.loan[i].at != NULL)
            sum += m.loan[i].size;
    return sum;
}

static bool good(const void *at, uint64_t handle, uint64_t size)
{
    return at != NULL && filled(at, handle, size, STEP);
}

static void put_in(struct blob *b)
{
    void *at = tg_arena_alloc(m.by[0], b->handle, b->size);
    m.bad |= at == NULL || (uintptr_t)at % 64 != 0;
    if (m.bad)
        return;
    fill(at, b->handle, b->size, STEP);
    m.bytes += b->size;
    m.made++;
    b->evicted = false;
    b->sealed = tg_rng_below(&m.rng, 8) != 0;
    if (b->sealed)
        tg_arena_seal(m.by[0], b->handle);
}

static void make_one(struct blob *b)
{
    uint32_t range = 1024u << tg_rng_below(&m.rng, 12);
    uint64_t size = 1 + tg_rng_below(&m.rng, range);
    if (m.bytes + lent_bytes() + size > limit * 15 / 16)
        return;
    *b = (struct blob){.size = size};
    (void)tg_slab_new(&m.handles, &b->handle);
    put_in(b);
}

static void free_one(struct blob *b)
{
    m.bad |= !good(tg_arena_data(m.by[0], b->handle), b->handle, b->size);
    m.freed_lent += lent((uint32_t)b->handle);
    tg_arena_free(m.by[0], b->handle);
    m.bad |= tg_arena_pin(m.by[1], b->handle) != NULL;
    tg_slab_free(&m.handles, b->handle);
    m.bytes -= b->size;
    b->handle = 0;
}

static void evict_one(struct blob *b)
{
    bool done = tg_arena_evict(m.by[0], b->handle);
    m.bad |= done == lent((uint32_t)b->handle);
    if (done) {
        m.bytes -= b->size;
        b->evicted = true;
        m.evicted++;
    } else {
        m.refused++;
    }
}

static void lend_one(struct loan *l, const struct blob *b)
{
    *l = (struct loan){.handle = b->handle,
                       .size = b->size,
                       .who = (int)tg_rng_below(&m.rng, 2)};
    l->at = tg_arena_pin(m.by[l->who], b->handle);
    m.bad |= b->sealed && !b->evicted ? !good(l->at, b->handle, b->size)
                                      : l->at != NULL;
}

static void return_one(struct loan *l)
{
    m.bad |= !good(l->at, l->handle, l->size);
    tg_arena_unpin(m.by[l->who], l->handle);
    l->at = NULL;
}

static void one_step(void)
{
    struct blob *b = &m.blob[tg_rng_below(&m.rng, BLOBS)];
    struct loan *l = &m.loan[tg_rng_below(&m.rng, LOANS)];
    uint32_t dice = tg_rng_below(&m.rng, 100);
    if (dice == 0)
        (void)tg_arena_trim(m.by[0], tg_rng_below(&m.rng, (uint32_t)limit));
    else if (dice < 30 && l->at != NULL)
        return_one(l);
    else if (b->handle == 0)
        make_one(b);
    else if (dice < 30)
        lend_one(l, b);
    else if (b->evicted && dice < 60)
        put_in(b);
    else if (b->evicted)
        b->handle = (tg_slab_free(&m.handles, b->handle), 0);
    else if (!b->sealed && dice < 80)
        b->sealed = (tg_arena_seal(m.by[0], b->handle), true);
    else if (b->sealed && dice < 60)
        evict_one(b);
    else
        free_one(b);
}

static void look_around(void)
{
    struct stat st;
    for (int i = 0; i < TG_ARENA_SPACES; i++)
        tg_space_check(&m.by[0]->maker->space[i]);
    uint64_t used = used_bytes(m.by[0]), most = m.bytes + lent_bytes();
    m.bad |= used < m.bytes;
    m.bad |= used > most + most / 16 + (uint64_t)(BLOBS + LOANS) * 64;
    m.bad |= fstat(m.by[0]->shm.fd, &st) != 0;
    m.bad |= (uint64_t)st.st_blocks * 512 > limit + MIB / 4;
}

static void random_steps(void)
{
    m = (struct model){.rng = {42}};
    tg_slab_init(&m.handles, 8);
    CU_ASSERT_EQUAL_FATAL(
        tg_arena_create(limit, SLOTS, 2, &m.by[0], &m.offer, why, sizeof why),
        0);
    CU_ASSERT_EQUAL_FATAL(
        tg_arena_open(&m.offer, limit, SLOTS, 2, 1, &m.by[1], why, sizeof why),
        0);
    for (int i = 0; i < STEPS && !m.bad; i++) {
        one_step();
        if (i % 500 == 0)
            look_around();
    }
    CU_ASSERT_FALSE(m.bad);
    CU_ASSERT(m.made > STEPS / 20 && m.evicted > STEPS / 100);
    CU_ASSERT(m.refused > 100 && m.freed_lent > 100);

    /* In the end nothing is in use, and all of it can be given back. */
    for (int i = 0; i < LOANS; i++)
        if (m.loan[i].at != NULL)
            return_one(&m.loan[i]);
    for (int i = 0; i < BLOBS; i++)
        if (m.blob[i].handle != 0 && !m.blob[i].evicted)
            free_one(&m.blob[i]);
    CU_ASSERT_FALSE(m.bad);
    CU_ASSERT_EQUAL(tg_arena_trim(m.by[0], 0), 0);
    CU_ASSERT_EQUAL(used_bytes(m.by[0]), 0);
    tg_arena_close(&m.by[1]);
    tg_arena_close(&m.by[0]);
    tg_slab_fini(&m.handles);
}

/* ----- readers that race with the maker ---------------------------------------------- */

enum { RACERS = 2, RACE_BLOBS = 24, RACE_SLOTS = 64 };
static const uint64_t race_ns = 1000000000u;

/* Shared with the other process. */
struct board {
    struct tg_shm_offer offer;
    uint32_t blobs; /* how many there are at a time */
    uint32_t sizes; /* 64 bytes, twice that, and so on */
    atomic_int go;  /* 1: it may open the arena; 2: stop */
    atomic_ullong handle[RACE_BLOBS];
    atomic_ullong right, wrong, missed;
};

static struct board *board;

static uint64_t size_of(uint64_t handle)
{
    return 64u << tg_mix64(handle) % board->sizes;
}

static void *race(void *arg)
{
    struct tg_arena *a = arg;
    struct tg_rng rng = {(uintptr_t)&rng};
    uint64_t right = 0, wrong = 0, missed = 0;
    while (atomic_load(&board->go) == 1) {
        uint64_t h =
            atomic_load(&board->handle[tg_rng_below(&rng, board->blobs)]);
        const void *at = h != 0 ? tg_arena_pin(a, h) : NULL;
        if (at == NULL) {
            missed++;
            continue;
        }
        bool same = filled(at, h, size_of(h), 8);
        right += same;
        wrong += !same;
        tg_arena_unpin(a, h);
    }
    atomic_fetch_add(&board->right, right);
    atomic_fetch_add(&board->wrong, wrong);
    atomic_fetch_add(&board->missed, missed);
    return NULL;
}

static bool race_all(struct tg_arena *a, pthread_t *threads)
{
    bool fine = true;
    for (int i = 0; i < RACERS; i++)
        fine &= pthread_create(&threads[i], NULL, race, a) == 0;
    return fine;
}

static void other_racers(void)
{
    struct tg_arena *a = NULL;
    pthread_t threads[RACERS];
    while (atomic_load(&board->go) == 0)
        sched_yield();
    int bad = tg_arena_open(&board->offer, limit, RACE_SLOTS, 1, 0, &a, why,
                            sizeof why) != 0;
    bad |= !race_all(a, threads);
    for (int i = 0; i < RACERS; i++)
        bad |= pthread_join(threads[i], NULL) != 0;
    tg_arena_close(&a);
    _exit(bad);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct racing {
    struct tg_arena *a;
    struct tg_slab handles;
    struct tg_rng rng;
    bool there[RACE_BLOBS];
    uint32_t evicted, kept, freed;
};

static void race_make(struct racing *r, uint32_t i, uint64_t h)
{
    void *at = NULL;
    if (h == 0)
        (void)tg_slab_new(&r->handles, &h);
    if (board->blobs == 1 || tg_rng_below(&r->rng, 16) != 0)
        at = tg_arena_alloc(r->a, h, size_of(h));
    else if (alloc_file(r->a, h, size_of(h), "/tmp", &at, why, sizeof why) != 0)
        at = NULL;
    CU_ASSERT_FATAL(at != NULL);
    fill(at, h, size_of(h), 8);
    tg_arena_seal(r->a, h);
    atomic_store(&board->handle[i], h);
    r->there[i] = true;
}

/* An evicted one comes back under its name, or is forgotten; readers still try
 * the names of those that are gone. */
static void race_step(struct racing *r)
{
    uint32_t i = tg_rng_below(&r->rng, board->blobs);
    uint64_t h = atomic_load(&board->handle[i]);
    if (!r->there[i]) {
        race_make(r, i, 0);
    } else if (tg_rng_below(&r->rng, 3) == 0) {
        tg_arena_free(r->a, h);
        tg_slab_free(&r->handles, h);
        r->there[i] = false;
        r->freed++;
    } else if (!tg_arena_evict(r->a, h)) {
        r->kept++;
    } else {
        r->evicted++;
        if (tg_rng_below(&r->rng, 2) == 0) {
            race_make(r, i, h);
            return;
        }
        tg_slab_free(&r->handles, h);
        r->there[i] = false;
    }
}

static void race_with(uint32_t blobs, uint32_t sizes)
{
    struct racing r = {.rng = {1}};
    pthread_t threads[RACERS];
    int status = -1;
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(board != MAP_FAILED);
    board->blobs = blobs;
    board->sizes = sizes;
    pid_t pid = fork();
    if (pid == 0)
        other_racers();
    tg_slab_init(&r.handles, 8);
    CU_ASSERT_EQUAL_FATAL(tg_arena_create(limit, RACE_SLOTS, 1, &r.a,
                                          &board->offer, why, sizeof why),
                          0);
    atomic_store(&board->go, 1);
    CU_ASSERT_FATAL(race_all(r.a, threads));
    for (uint64_t end = now_ns() + race_ns; now_ns() < end;)
        race_step(&r);
    atomic_store(&board->go, 2);
    for (int i = 0; i < RACERS; i++)
        CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(atomic_load(&board->wrong), 0);
    CU_ASSERT(atomic_load(&board->right) > 100);
    CU_ASSERT(atomic_load(&board->missed) > 0);
    CU_ASSERT(r.evicted > 0 && r.kept > 0 && r.freed > 0);

    /* Whatever was freed while it was read has been noticed. */
    for (uint32_t i = 0; i < RACE_BLOBS; i++)
        if (r.there[i])
            tg_arena_free(r.a, atomic_load(&board->handle[i]));
    CU_ASSERT_EQUAL(tg_arena_trim(r.a, 0), 0);
    CU_ASSERT_EQUAL(r.a->maker->doomed.n, 0);
    CU_ASSERT_EQUAL(used_bytes(r.a), 0);
    printf("(%llu read, %llu missed, %u evicted, %u kept, %u freed) ",
           atomic_load(&board->right), atomic_load(&board->missed), r.evicted,
           r.kept, r.freed);
    tg_arena_close(&r.a);
    tg_slab_fini(&r.handles);
    (void)munmap(board, sizeof *board);
}

static void readers_race_with_the_maker(void)
{
    race_with(RACE_BLOBS, 12);
}

/* All of them are at one slot all the time. */
static void they_race_for_one_slot(void)
{
    race_with(1, 2);
}

static const struct unit_test tests[] = {
    TEST(random_steps),
    TEST(readers_race_with_the_maker),
    TEST(they_race_for_one_slot),
    TESTS_END,
};

CUNIT_MAIN("arena under stress", tests)
