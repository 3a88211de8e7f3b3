/* test_fiber.c - fibers run, park, go on and end, on stacks that are guarded,
 * kept and given back. */
#include "exec/fiber.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <trygon/types.h>
#include <unistd.h>

#include "../cunit_main.h"
#include "base/sanitizer.h"

/* Sanitizers keep a lot for each stack, and change what a frame takes. */
enum { SANITIZER = TG_ASAN || TG_TSAN, MANY = SANITIZER ? 500 : 10000 };
#ifdef TG_NO_ASSERT
enum { ASSERTING = false };
#else
enum { ASSERTING = true };
#endif
enum { STACK = 256 << 10 };

static struct tg_fibers *make_set(uint32_t max_idle)
{
    struct tg_fibers *set = NULL;
    CU_ASSERT_EQUAL_FATAL(tg_fibers_create(max_idle, 0, &set), 0);
    return set;
}

static struct tg_fiber *start(struct tg_fibers *set, void (*fn)(void *),
                              void *arg)
{
    struct tg_fiber *f = NULL;
    CU_ASSERT_EQUAL_FATAL(tg_fiber_start(set, fn, arg, &f), 0);
    return f;
}

static struct tg_fibers_stats stats_of(const struct tg_fibers *set)
{
    struct tg_fibers_stats s;
    tg_fibers_stats(set, &s);
    return s;
}

static void park_times(void *arg)
{
    for (int n = *(int *)arg; n > 0; n--)
        tg_fiber_park();
}

/* ----- running ------------------------------------------------------------ */

struct steps {
    int done;
    struct tg_fiber *self;
};

static void three_steps(void *arg)
{
    struct steps *s = arg;
    s->self = tg_fiber_self();
    for (s->done = 1; s->done < 3; s->done++)
        tg_fiber_park();
}

static void runs_until_it_parks_and_goes_on_there(void)
{
    struct tg_fibers *set = make_set(1);
    struct steps s = {0};
    struct tg_fiber *f = start(set, three_steps, &s);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(s.done, 1);
    CU_ASSERT_PTR_EQUAL(s.self, f);
    CU_ASSERT_PTR_EQUAL(tg_fiber_arg(f), &s);
    CU_ASSERT_PTR_NULL(tg_fiber_self());
    CU_ASSERT_FALSE(tg_fiber_resume(f));
    CU_ASSERT_EQUAL(s.done, 2);
    CU_ASSERT_TRUE(tg_fiber_resume(f));
    CU_ASSERT_EQUAL(s.done, 3);
    CU_ASSERT_EQUAL(stats_of(set).alive, 0);
    tg_fibers_destroy(&set);
    CU_ASSERT_PTR_NULL(set);
    tg_fibers_destroy(&set);
}

static void one_that_does_not_park_has_ended(void)
{
    struct tg_fibers *set = make_set(1);
    int never = 0;
    struct tg_fiber *f = (void *)&never;
    CU_ASSERT_EQUAL(tg_fiber_start(set, park_times, &never, &f), 0);
    CU_ASSERT_PTR_NULL(f);
    tg_fibers_destroy(&set);
}

struct sums {
    uint64_t seed, sum;
};

/* Parks from several depths with a frame of its own in each. */
static uint64_t sum_deep(uint64_t seed, int depth)
{
    volatile uint64_t local[16];
    for (size_t i = 0; i < 16; i++)
        local[i] = seed * (i + 1) + (uint64_t)depth;
    tg_fiber_park();
    uint64_t sum = depth > 0 ? sum_deep(seed + 1, depth - 1) : 0;
    tg_fiber_park();
    for (size_t i = 0; i < 16; i++)
        sum = sum * 31 + local[i];
    return sum;
}

static uint64_t sum_expected(uint64_t seed, int depth)
{
    uint64_t sum = depth > 0 ? sum_expected(seed + 1, depth - 1) : 0;
    for (size_t i = 0; i < 16; i++)
        sum = sum * 31 + (seed * (i + 1) + (uint64_t)depth);
    return sum;
}

static void sum_fiber(void *arg)
{
    struct sums *s = arg;
    s->sum = sum_deep(s->seed, 5);
}

static void locals_survive_among_others(void)
{
    enum { N = 50 };
    struct tg_fibers *set = make_set(N);
    struct sums s[N];
    struct tg_fiber *f[N];
    for (unsigned i = 0; i < N; i++) {
        s[i] = (struct sums){.seed = i};
        f[i] = start(set, sum_fiber, &s[i]);
    }
    for (unsigned alive = N, at = 0; alive > 0; at = (at + 17) % N) {
        if (f[at] != NULL && tg_fiber_resume(f[at])) {
            f[at] = NULL;
            alive--;
        }
    }
    for (unsigned i = 0; i < N; i++)
        CU_ASSERT_EQUAL(s[i].sum, sum_expected(i, 5));
    tg_fibers_destroy(&set);
}

/* ----- many --------------------------------------------------------------- */

struct memory {
    long address_space, resident; /* bytes */
};

static struct memory memory(void)
{
    struct memory m = {0};
    FILE *f = fopen("/proc/self/statm", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fscanf(f, "%ld %ld", &m.address_space, &m.resident), 2);
    fclose(f);
    m.address_space *= sysconf(_SC_PAGESIZE);
    m.resident *= sysconf(_SC_PAGESIZE);
    return m;
}

static void park_and_count(void *arg)
{
    tg_fiber_park();
    ++*(int *)arg;
}

static void many_are_parked_and_end_in_another_order(void)
{
    struct tg_fibers *set = make_set(MANY);
    struct tg_fiber **f = calloc(MANY, sizeof(struct tg_fiber *));
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    int ended = 0;
    long before = memory().resident;
    for (int i = 0; i < MANY; i++)
        f[i] = start(set, park_and_count, &ended);
    long each = (memory().resident - before) / MANY;
    printf("%d parked, %ld resident bytes each ", MANY, each);
    if (!SANITIZER)
        CU_ASSERT(each < 2 * sysconf(_SC_PAGESIZE) + 4096);
    CU_ASSERT_EQUAL(stats_of(set).alive, MANY);
    for (int i = 0; i < MANY; i++) /* 7919: a prime */
        CU_ASSERT_TRUE(tg_fiber_resume(f[(i * 7919L + 13) % MANY]));
    CU_ASSERT_EQUAL(ended, MANY);
    CU_ASSERT_EQUAL(stats_of(set).alive, 0);
    free(f);
    tg_fibers_destroy(&set);
}

/* ----- stacks ------------------------------------------------------------- */

static void tell_address(void *arg)
{
    *(void **)arg = __builtin_frame_address(0);
    tg_fiber_park();
}

static void the_last_stack_is_taken_first(void)
{
    struct tg_fibers *set = make_set(2);
    void *at[3] = {0}, *again = NULL;
    struct tg_fiber *f[3];
    for (int i = 0; i < 3; i++)
        f[i] = start(set, tell_address, &at[i]);
    CU_ASSERT_PTR_NOT_EQUAL(at[0], at[1]);
    CU_ASSERT_TRUE(tg_fiber_resume(f[2]));
    CU_ASSERT_TRUE(tg_fiber_resume(f[0]));
    CU_ASSERT_TRUE(tg_fiber_resume(f[1])); /* one more than are kept */
    CU_ASSERT_EQUAL(stats_of(set).idle, 2);
    f[0] = start(set, tell_address, &again);
    CU_ASSERT_PTR_EQUAL(again, at[0]);
    CU_ASSERT_TRUE(tg_fiber_resume(f[0]));
    tg_fibers_destroy(&set);
}

/* No more are made than were ever in use together. */
static void stacks_are_reused(void)
{
    struct tg_fibers *set = make_set(32);
    struct tg_fiber *f[32] = {0};
    int once = 1;
    for (unsigned i = 0; i < 2000; i++) {
        unsigned at = i * 11 % 32;
        if (f[at] != NULL)
            CU_ASSERT_TRUE(tg_fiber_resume(f[at]));
        f[at] = start(set, park_times, &once);
    }
    for (int i = 0; i < 32; i++)
        CU_ASSERT_TRUE(tg_fiber_resume(f[i]));
    CU_ASSERT_EQUAL(stats_of(set).mapped, 32);
    CU_ASSERT_EQUAL(stats_of(set).idle, 32);
    tg_fibers_destroy(&set);
}

static void go_deep(void *arg)
{
    volatile char deep[STACK / 2];
    for (size_t i = 0; i < sizeof deep; i += 512)
        deep[i] = 1;
    park_times(arg);
    CU_ASSERT_EQUAL(deep[0], 1);
}

/* Most of what deep fibers took is given back when they have ended. */
static void idle_stacks_keep_little(void)
{
    enum { N = 200 };
    struct tg_fibers *set = make_set(N);
    struct tg_fiber *f[N];
    int once = 1;
    long before = memory().resident;
    for (int i = 0; i < N; i++)
        f[i] = start(set, go_deep, &once);
    long parked = memory().resident - before;
    for (int i = 0; i < N; i++)
        CU_ASSERT_TRUE(tg_fiber_resume(f[i]));
    long idle = memory().resident - before;
    if (!SANITIZER) {
        CU_ASSERT(parked >= N * (STACK / 2));
        CU_ASSERT(idle < parked / 3);
    }

    for (int i = 0; i < N; i++) /* they are as good as before */
        f[i] = start(set, go_deep, &once);
    CU_ASSERT_EQUAL(stats_of(set).mapped, N);
    for (int i = 0; i < N; i++)
        CU_ASSERT_TRUE(tg_fiber_resume(f[i]));
    tg_fibers_destroy(&set);
}

static void bad_sizes_are_refused(void)
{
    struct tg_fibers *set = NULL;
    CU_ASSERT_EQUAL(tg_fibers_create(1, 100, &set), TRYGON_ERR_INVALID);
    CU_ASSERT_EQUAL(tg_fibers_create(1, SIZE_MAX, &set), TRYGON_ERR_INVALID);
    CU_ASSERT_PTR_NULL(set);

    int never = 0; /* a size that is no number of pages */
    CU_ASSERT_EQUAL_FATAL(tg_fibers_create(1, 100001, &set), 0);
    CU_ASSERT_PTR_NULL(start(set, park_times, &never));
    tg_fibers_destroy(&set);
}

/* ----- what a child process is for ---------------------------------------- */

/* The wait status of a child that runs fn(arg), and exits with what it says. */
static int in_child(int (*fn)(void *), void *arg)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO); /* it means to fail */
        _exit(fn(arg));
    }
    int status = -1;
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    return status;
}

struct depth {
    char *top;
    size_t bytes; /* how far it came; read by the parent */
    volatile bool enough;
};

static int recurse(struct depth *d)
{
    volatile char frame[256];
    frame[0] = 1;
    d->bytes = (size_t)(d->top - (char *)__builtin_frame_address(0));
    return d->enough ? 0 : recurse(d) + frame[0];
}

static void overflow_fiber(void *arg)
{
    struct depth *d = arg;
    d->top = __builtin_frame_address(0);
    recurse(d);
}

/* Between others, so that there is something to run into. */
static int overflow(void *arg)
{
    signal(SIGSEGV, SIG_DFL); /* the sanitizers have set another */
    struct tg_fibers *set = make_set(8);
    struct tg_fiber *f[8];
    int once = 1;
    for (int i = 0; i < 8; i++)
        f[i] = start(set, park_times, &once);
    tg_fiber_resume(f[4]);
    (void)start(set, overflow_fiber, arg);
    return 0;
}

static void overflow_faults_at_the_end_of_the_stack(void)
{
    struct depth *d = mmap(NULL, sizeof *d, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(d != MAP_FAILED);
    int status = in_child(overflow, d);
    CU_ASSERT_TRUE(WIFSIGNALED(status));
    CU_ASSERT_EQUAL(WTERMSIG(status), SIGSEGV);
    if (!SANITIZER) {
        CU_ASSERT(d->bytes > STACK - 8192);
        CU_ASSERT(d->bytes <= STACK);
    }
    munmap(d, sizeof *d);
}

static void must_not_run(void *arg)
{
    *(int *)arg = 1;
}

/* Starts fibers until there is no address space, then all is as it was. */
static int use_up(void *arg)
{
    (void)arg;
    enum { N = 1000, ROOM = 64 << 20 };
    struct tg_fibers *set = make_set(0);
    static struct tg_fiber *f[N];
    int once = 1, ran = 0, n = 0, rc = 0;
    rlim_t space = (rlim_t)memory().address_space + ROOM;
    struct rlimit limit = {space, space};
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return 1;
    while (n < N && (rc = tg_fiber_start(set, park_times, &once, &f[n])) == 0)
        n++;
    if (rc != TRYGON_ERR_NOMEM || n < 100 || n >= ROOM / STACK)
        return 2;
    rc = tg_fiber_start(set, must_not_run, &ran, &f[n]);
    if (rc != TRYGON_ERR_NOMEM || ran || stats_of(set).alive != (uint32_t)n)
        return 3;
    for (int i = 0; i < n; i++) {
        if (!tg_fiber_resume(f[i]))
            return 4;
    }
    if (tg_fiber_start(set, must_not_run, &ran, &f[0]) != 0 || !ran)
        return 5;
    tg_fibers_destroy(&set);
    return 0;
}

static void no_stack_to_be_had_is_an_error(void)
{
    if (SANITIZER) /* which take all address space for themselves */
        return;
    int status = in_child(use_up, NULL);
    CU_ASSERT_TRUE(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

static void start_another(void *set)
{
    int never = 0;
    (void)start(set, park_times, &never);
}

static void *start_in_thread(void *set)
{
    start_another(set);
    return NULL;
}

static int misuse(void *how)
{
    struct tg_fibers *set = make_set(1);
    int once = 1;
    pthread_t other;
    switch (*(int *)how) {
    case 0: /* by a fiber */ (void)start(set, start_another, set); break;
    case 1: /* one is parked */
        (void)start(set, park_times, &once);
        tg_fibers_destroy(&set);
        break;
    case 2: /* the set has a thread, with a fiber */
        (void)start(set, park_times, &once);
        pthread_create(&other, NULL, start_in_thread, set);
        pthread_join(other, NULL);
        break;
    default: /* not a fiber */ tg_fiber_park(); break;
    }
    return 0;
}

static void misuse_is_an_assertion(void)
{
    for (int how = 0; how < 4 && ASSERTING; how++) {
        int status = in_child(misuse, &how);
        CU_ASSERT_TRUE(WIFSIGNALED(status));
        CU_ASSERT_EQUAL(WTERMSIG(status), SIGABRT);
    }
}

/* ----- what belongs to a fiber -------------------------------------------- */

static void change_modes(void *arg)
{
    (void)arg;
    fesetround(FE_UPWARD);
    tg_fiber_park();
    CU_ASSERT_EQUAL(fegetround(), FE_UPWARD);
}

static void expect_usual_modes(void)
{
    CU_ASSERT_EQUAL(fegetround(), FE_TONEAREST);
    CU_ASSERT_EQUAL(errno, 12345);
}

static void modes_are_each_ones_own(void)
{
    struct tg_fibers *set = make_set(1);
    errno = 12345; /* shared, but switching leaves it alone */
    struct tg_fiber *f = start(set, change_modes, NULL);
    expect_usual_modes();
    CU_ASSERT_TRUE(tg_fiber_resume(f));
    expect_usual_modes();
    tg_fibers_destroy(&set);
}

/* Stands in for the C++ library's, which a program in C does not have: the
 * handlers that a thread is in are a list. */
struct cxx_state {
    void *caught;
    unsigned uncaught;
};
struct cxx_state *__cxa_get_globals(void);

struct cxx_state *__cxa_get_globals(void)
{
    static _Thread_local struct cxx_state state;
    return &state;
}

static void park_in_handler(void *arg)
{
    struct cxx_state *state = __cxa_get_globals();
    CU_ASSERT_PTR_NULL(state->caught);
    CU_ASSERT_EQUAL(state->uncaught, 0);
    state->caught = arg;
    state->uncaught = 7;
    tg_fiber_park();
    CU_ASSERT_PTR_EQUAL(state->caught, arg);
    CU_ASSERT_EQUAL(state->uncaught, 7);
    *state = (struct cxx_state){0};
}

static void exceptions_being_handled_are_each_ones_own(void)
{
    struct tg_fibers *set = make_set(2);
    struct cxx_state *state = __cxa_get_globals();
    int a = 0, b = 0;
    state->caught = set;
    struct tg_fiber *f = start(set, park_in_handler, &a);
    struct tg_fiber *g = start(set, park_in_handler, &b);
    CU_ASSERT_PTR_EQUAL(state->caught, set);
    CU_ASSERT_TRUE(tg_fiber_resume(f));
    CU_ASSERT_TRUE(tg_fiber_resume(g));
    CU_ASSERT_PTR_EQUAL(state->caught, set);
    CU_ASSERT_EQUAL(state->uncaught, 0);
    state->caught = NULL;
    tg_fibers_destroy(&set);
}

/* ----- threads ------------------------------------------------------------ */

struct driver {
    struct tg_fibers *set;
    int wrong; /* CUnit counts for one thread only */
};

static void *drive(void *arg)
{
    enum { N = 40 };
    struct driver *d = arg;
    struct sums s[N];
    struct tg_fiber *f[N];
    for (int round = 0; round < 20; round++) {
        for (unsigned i = 0; i < N; i++) {
            s[i] = (struct sums){.seed = i};
            d->wrong += tg_fiber_start(d->set, sum_fiber, &s[i], &f[i]) != 0;
        }
        for (unsigned alive = N; alive > 0;) {
            for (unsigned i = 0; i < N; i++)
                alive -= tg_fiber_resume(f[i]);
        }
        for (unsigned i = 0; i < N; i++)
            d->wrong += s[i].sum != sum_expected(i, 5);
    }
    return NULL;
}

/* Made by one thread, used by another. */
static void two_threads_have_a_set_each(void)
{
    struct driver d[2] = {{make_set(10), 0}, {make_set(100), 0}};
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, drive, &d[i]),
                              0);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        CU_ASSERT_EQUAL(d[i].wrong, 0);
        tg_fibers_destroy(&d[i].set);
    }
}

static void a_set_without_fibers_is_anyones(void)
{
    struct tg_fibers *set = make_set(10);
    struct driver d = {set, 0};
    pthread_t thread;
    for (int i = 0; i < 3; i++) {
        drive(&d);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, drive, &d), 0);
        pthread_join(thread, NULL);
    }
    CU_ASSERT_EQUAL(d.wrong, 0);
    tg_fibers_destroy(&set);
}

static const struct unit_test tests[] = {
    TEST(runs_until_it_parks_and_goes_on_there),
    TEST(one_that_does_not_park_has_ended),
    TEST(locals_survive_among_others),
    TEST(many_are_parked_and_end_in_another_order),
    TEST(the_last_stack_is_taken_first),
    TEST(stacks_are_reused),
    TEST(idle_stacks_keep_little),
    TEST(bad_sizes_are_refused),
    TEST(overflow_faults_at_the_end_of_the_stack),
    TEST(no_stack_to_be_had_is_an_error),
    TEST(misuse_is_an_assertion),
    TEST(modes_are_each_ones_own),
    TEST(exceptions_being_handled_are_each_ones_own),
    TEST(two_threads_have_a_set_each),
    TEST(a_set_without_fibers_is_anyones),
    TESTS_END,
};

CUNIT_MAIN("fibers", tests)
