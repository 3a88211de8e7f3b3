/* fiber.c - see fiber.h.
 *
 * A stack is a mapping of its own; from low to high addresses:
 *
 *     guard (no access) | stack, which grows down | struct tg_fiber
 *
 * The system gives it memory page by page, so a fiber that does not go deep
 * uses one or two.  The record is at the top for that reason: it shares its
 * page with the first frames.
 *
 * Where it can, a switch saves on the old stack what a function has to preserve
 * and takes the same from the new one: some ten nanoseconds.  swapcontext() does
 * so everywhere, but it also switches the signal mask, by a system call.
 */
#include "exec/fiber.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <trygon/types.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/sanitizer.h"

/* Sanitizers follow a thread's stack and must be told of other ones. */
#if TG_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#if TG_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* Not with a shadow stack, which only the C library can switch; and the
 * sanitizers know swapcontext(). */
#if defined(__x86_64__) && defined(__LP64__) && !defined(__CET__) && \
    !TG_ASAN && !TG_TSAN
#define WITH_SWAP
#endif

enum {
    STACK_BYTES = 256 << 10,
    MIN_STACK_BYTES = 16 << 10,
    GUARD_BYTES = 64 << 10, /* large frames must not jump over it */
    HOT = 16, /* idle stacks that keep all of their memory, see put_stack() */
    HOT_BYTES = 16 << 10 /* what the others keep */
};

/* What C++ keeps for a thread while it throws and catches: Itanium C++ ABI,
 * 2.2.2.  A fiber that parks in a handler takes it along, else another one would
 * end the wrong handler. */
struct cxx_state {
    void *caught;
    unsigned uncaught;
};
extern struct cxx_state *__cxa_get_globals(void) __attribute__((weak));

/* One side of a switch: a fiber, or the thread itself. */
struct side {
#ifdef WITH_SWAP
    void *sp; /* of saved registers */
#else
    ucontext_t context;
#endif
    struct cxx_state cxx;

    /* For the sanitizers. */
    const void *stack;
    size_t stack_bytes;
    void *fake_stack;
    void *tsan;
};

struct tg_fiber {
    struct side side;
    struct tg_fibers *set;
    struct tg_fiber *older; /* in the idle list */
    void (*fn)(void *);
    void *arg;
    bool ended;
};

struct tg_fibers {
    struct side home;
    const void *owner;     /* &self of the thread whose fibers are alive */
    struct tg_fiber *idle; /* the most recent first */
    uint32_t max_idle;
    size_t guard_bytes, stack_bytes;
    struct tg_fibers_stats stats;
};

static _Thread_local struct tg_fiber *self;

/* ----- stacks ------------------------------------------------------------- */

static size_t map_bytes(const struct tg_fibers *set)
{
    return set->guard_bytes + set->stack_bytes;
}

static char *stack_of(struct tg_fiber *f)
{
    return (char *)(f + 1) - f->set->stack_bytes;
}

/* Everything is mapped without access first: where memory is not overcommitted,
 * only the stack counts. */
static struct tg_fiber *map_stack(struct tg_fibers *set)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    char *map = mmap(NULL, map_bytes(set), PROT_NONE, flags, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    char *stack = map + set->guard_bytes;
    if (mprotect(stack, set->stack_bytes, PROT_READ | PROT_WRITE) != 0) {
        munmap(map, map_bytes(set));
        return NULL;
    }
    struct tg_fiber *f = (void *)(stack + set->stack_bytes - sizeof *f);
    f->set = set;
    set->stats.mapped++;
    return f;
}

static void unmap_stack(struct tg_fiber *f)
{
    int rc = munmap(stack_of(f) - f->set->guard_bytes, map_bytes(f->set));
    TG_ASSERT(rc == 0);
}

static struct tg_fiber *take_stack(struct tg_fibers *set)
{
    struct tg_fiber *f = set->idle;
    if (f == NULL)
        return map_stack(set);
    set->idle = f->older;
    set->stats.idle--;
    return f;
}

/* A new stack costs as much as some forty switches, so many may be kept.  How
 * deep the last fiber went is not known, and giving back the pages without
 * looking costs a few switches too: the stacks that are taken again first are
 * spared that. */
static void put_stack(struct tg_fiber *f)
{
    struct tg_fibers *set = f->set;
    if (set->stats.idle >= set->max_idle) {
        unmap_stack(f);
        return;
    }
    if (set->stats.idle >= HOT && set->stack_bytes > HOT_BYTES)
        (void)madvise(stack_of(f), set->stack_bytes - HOT_BYTES, MADV_DONTNEED);
    f->older = set->idle;
    set->idle = f;
    set->stats.idle++;
}

/* ----- switching ---------------------------------------------------------- */

#ifdef WITH_SWAP
enum { SAVED_WORDS = 7 }; /* below the address to return to */

/* Onto the stack at `to`; where the old one ends goes to *from. */
void tg_fiber_swap(void **from, void *to);
__asm__(".text\n"
        ".p2align 4\n"
        ".hidden tg_fiber_swap\n"
        ".globl tg_fiber_swap\n"
        ".type tg_fiber_swap,@function\n"
        "tg_fiber_swap:\n"
        "  pushq %rbp\n"
        "  pushq %rbx\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  subq $8, %rsp\n"
        "  stmxcsr (%rsp)\n"
        "  fnstcw 4(%rsp)\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  ldmxcsr (%rsp)\n"
        "  fldcw 4(%rsp)\n"
        "  addq $8, %rsp\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbx\n"
        "  popq %rbp\n"
        "  ret\n"
        ".size tg_fiber_swap, .-tg_fiber_swap\n");

/* As if `entry` had saved its registers at its very beginning, with the modes
 * that the thread has now. */
static void begin(struct side *side, char *stack, size_t bytes,
                  void (*entry)(void))
{
    uint64_t *sp = (uint64_t *)((uintptr_t)(stack + bytes) / 16 * 16);
    *--sp = 0; /* it returns to nobody */
    *--sp = (uintptr_t)entry;
    sp -= SAVED_WORDS;
    memset(sp, 0, SAVED_WORDS * sizeof *sp);
    __asm__ volatile("stmxcsr (%0)\n  fnstcw 4(%0)" ::"r"(sp) : "memory");
    side->sp = sp;
}

static void swap(struct side *from, const struct side *to)
{
    tg_fiber_swap(&from->sp, to->sp);
}
#else
static void begin(struct side *side, char *stack, size_t bytes,
                  void (*entry)(void))
{
    int rc = getcontext(&side->context);
    TG_ASSERT(rc == 0);
    side->context.uc_stack.ss_sp = stack;
    side->context.uc_stack.ss_size = bytes;
    makecontext(&side->context, entry, 0);
}

static void swap(struct side *from, const struct side *to)
{
    int rc = swapcontext(&from->context, &to->context);
    TG_ASSERT(rc == 0);
}
#endif

/* Returns when somebody switches back, which is always `to`.  The sanitizers'
 * calls are not in functions of their own, as such a function would be entered
 * on one side and left on the other. */
static void switch_to(struct side *from, struct side *to, bool for_good)
{
    if (__cxa_get_globals != NULL) {
        struct cxx_state *now = __cxa_get_globals();
        from->cxx = *now;
        *now = to->cxx;
    }
    (void)for_good;
#if TG_TSAN
    from->tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
#if TG_ASAN
    __sanitizer_start_switch_fiber(for_good ? NULL : &from->fake_stack,
                                   to->stack, to->stack_bytes);
#endif
    swap(from, to);
#if TG_ASAN
    __sanitizer_finish_switch_fiber(from->fake_stack, &to->stack,
                                    &to->stack_bytes);
#endif
}

static void fiber_main(void)
{
    struct tg_fiber *f = self;
    struct side *home = &f->set->home;
#if TG_ASAN
    __sanitizer_finish_switch_fiber(NULL, &home->stack, &home->stack_bytes);
#endif
    f->fn(f->arg);
    f->ended = true;
    switch_to(&f->side, home, true);
    TG_UNREACHABLE();
}

static void prepare(struct tg_fiber *f)
{
    struct side *side = &f->side;
    char *stack = stack_of(f);
    *side = (struct side){.stack = stack,
                          .stack_bytes = (size_t)((char *)f - stack)};
    begin(side, stack, side->stack_bytes, fiber_main);
#if TG_TSAN
    side->tsan = __tsan_create_fiber(0);
#endif
}

/* Whether it has ended. */
static bool run(struct tg_fiber *f)
{
    struct tg_fibers *set = f->set;
    TG_ASSERT(set->owner == &self);
    self = f;
    switch_to(&set->home, &f->side, false);
    self = NULL;
    if (!f->ended)
        return false;
#if TG_TSAN
    __tsan_destroy_fiber(f->side.tsan);
#endif
    set->stats.alive--;
    put_stack(f);
    return true;
}

int tg_fiber_start(struct tg_fibers *set, void (*fn)(void *), void *arg,
                   struct tg_fiber **parked)
{
    TG_ASSERT(self == NULL);
    if (set->stats.alive == 0)
        set->owner = &self;
    struct tg_fiber *f = take_stack(set);
    if (f == NULL)
        return TRYGON_ERR_NOMEM;
    f->fn = fn;
    f->arg = arg;
    f->ended = false;
    set->stats.alive++;
    prepare(f);
    *parked = run(f) ? NULL : f;
    return TRYGON_SUCCESS;
}

bool tg_fiber_resume(struct tg_fiber *f)
{
    TG_ASSERT(self == NULL);
    TG_ASSERT(!f->ended);
    return run(f);
}

void tg_fiber_park(void)
{
    struct tg_fiber *f = self;
    TG_ASSERT(f != NULL);
    switch_to(&f->side, &f->set->home, false);
}

struct tg_fiber *tg_fiber_self(void)
{
    return self;
}

void *tg_fiber_arg(const struct tg_fiber *f)
{
    return f->arg;
}

/* ----- life --------------------------------------------------------------- */

int tg_fibers_create(uint32_t max_idle, size_t stack_bytes,
                     struct tg_fibers **out)
{
    if (stack_bytes == 0)
        stack_bytes = STACK_BYTES;
    if (stack_bytes < MIN_STACK_BYTES || stack_bytes > SIZE_MAX / 4)
        return TRYGON_ERR_INVALID;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct tg_fibers *set = tg_alloc(sizeof *set);
    set->max_idle = max_idle;
    set->guard_bytes = tg_round_up(GUARD_BYTES, page);
    set->stack_bytes = tg_round_up(stack_bytes, page);
    *out = set;
    return TRYGON_SUCCESS;
}

void tg_fibers_destroy(struct tg_fibers **p)
{
    struct tg_fibers *set = *p;
    if (set == NULL)
        return;
    TG_ASSERT(set->stats.alive == 0);
    for (struct tg_fiber *f; (f = set->idle) != NULL;) {
        set->idle = f->older;
        unmap_stack(f);
    }
    free(set);
    *p = NULL;
}

void tg_fibers_stats(const struct tg_fibers *set, struct tg_fibers_stats *stats)
{
    *stats = set->stats;
}
