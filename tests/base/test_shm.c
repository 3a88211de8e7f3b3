/* test_shm.c - memory that another process opens by process id and number.
 *
 * The makers are forked, wait for a byte, and end by _exit() or a kill.
 */
#include "base/shm.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <trygon/types.h>
#include <unistd.h>

#include "../cunit_main.h"

enum { SIZE = 1000 };

static char why[160];

/* A process that has made some memory and keeps it until it is killed. */
struct maker {
    pid_t pid;
    struct tg_shm_offer offer; /* fd below 0: it could not */
};

static struct maker start_maker(rlim_t limit)
{
    int pipes[2];
    struct maker m = {.offer = {.fd = -1}};
    CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
    m.pid = fork();
    CU_ASSERT_FATAL(m.pid >= 0);
    if (m.pid == 0) {
        struct tg_shm shm = {.fd = -1};
        struct rlimit r = {limit, limit};
        if (limit == RLIM_INFINITY || setrlimit(RLIMIT_FSIZE, &r) == 0)
            (void)tg_shm_create(SIZE, &shm, &m.offer, why, sizeof why);
        if (shm.at != NULL)
            memcpy((char *)shm.at + 100, "from the maker", 15);
        if (write(pipes[1], &m.offer, sizeof m.offer) != sizeof m.offer)
            _exit(1);
        for (;;)
            pause();
    }
    close(pipes[1]);
    CU_ASSERT_EQUAL(read(pipes[0], &m.offer, sizeof m.offer), sizeof m.offer);
    close(pipes[0]);
    return m;
}

static void kill_maker(const struct maker *m)
{
    int status = 0;
    CU_ASSERT_EQUAL(kill(m->pid, SIGKILL), 0);
    CU_ASSERT_EQUAL(waitpid(m->pid, &status, 0), m->pid);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Refused with this code, with a reason, and nothing written. */
static void refused(int want, const struct tg_shm_offer *offer, size_t size)
{
    struct tg_shm shm = {.size = 77};
    why[0] = '\0';
    CU_ASSERT_EQUAL(tg_shm_open(offer, size, 0, size, &shm, why, sizeof why),
                    want);
    CU_ASSERT(why[0] != '\0' && strchr(why, '\n') == NULL);
    CU_ASSERT(shm.at == NULL && shm.size == 77);
}

static void both_see_the_same(void)
{
    struct maker m = start_maker(RLIM_INFINITY);
    struct tg_shm a, b;
    CU_ASSERT_FATAL(m.offer.fd >= 0);
    CU_ASSERT_EQUAL_FATAL(
        tg_shm_open(&m.offer, SIZE, 0, SIZE, &a, why, sizeof why), 0);
    CU_ASSERT_EQUAL_FATAL(
        tg_shm_open(&m.offer, SIZE, 0, SIZE, &b, why, sizeof why), 0);
    char *in_a = a.at, *in_b = b.at;
    CU_ASSERT_EQUAL(memcmp(in_a, m.offer.nonce, TG_SHM_NONCE), 0);
    CU_ASSERT_STRING_EQUAL(in_a + 100, "from the maker");
    CU_ASSERT_EQUAL(in_a[SIZE - 1], 0);
    in_a[200] = 'x';
    CU_ASSERT_EQUAL(in_b[200], 'x');

    /* It outlives its maker, but nobody new can come. */
    kill_maker(&m);
    CU_ASSERT_STRING_EQUAL(in_b + 100, "from the maker");
    refused(TRYGON_ERR_IO, &m.offer, SIZE);
    tg_shm_free(&a);
    CU_ASSERT(a.at == NULL && in_b[200] == 'x');
    tg_shm_free(&b);
    tg_shm_free(&b);
}

/* Of much memory one may map a little. */
static void a_part_of_it(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct tg_shm all, part;
    struct tg_shm_offer offer;
    CU_ASSERT_EQUAL_FATAL(
        tg_shm_create(3 * page, &all, &offer, why, sizeof why), 0);
    CU_ASSERT_EQUAL_FATAL(
        tg_shm_open(&offer, 3 * page, page, 10, &part, why, sizeof why), 0);
    ((char *)part.at)[9] = 'x';
    CU_ASSERT_EQUAL(((char *)all.at)[page + 9], 'x');
    tg_shm_free(&part);
    tg_shm_free(&all);
}

static void others_are_refused(void)
{
    struct maker m = start_maker(RLIM_INFINITY);
    CU_ASSERT_FATAL(m.offer.fd >= 0);
    struct tg_shm_offer other = m.offer;
    other.nonce[TG_SHM_NONCE - 1] ^= 1;
    refused(TRYGON_ERR_MISMATCH, &other, SIZE);
    refused(TRYGON_ERR_MISMATCH, &m.offer, SIZE + 1);
    refused(TRYGON_ERR_MISMATCH, &m.offer, SIZE - 1);
    other = m.offer;
    other.fd += 1000;
    refused(TRYGON_ERR_IO, &other, SIZE);
    other.fd = -1;
    refused(TRYGON_ERR_IO, &other, SIZE);
    kill_maker(&m);
}

/* Of the right size and with the right nonce, but its size could change under
 * our feet; and what is no file at all. */
static void only_sealed_memory(void)
{
    int pipes[2];
    int fd = memfd_create("loose", MFD_CLOEXEC);
    CU_ASSERT_EQUAL(ftruncate(fd, SIZE), 0);
    struct tg_shm_offer loose = {.pid = getpid(), .fd = fd};
    refused(TRYGON_ERR_MISMATCH, &loose, SIZE);
    close(fd);
    CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
    loose.fd = pipes[0];
    refused(TRYGON_ERR_MISMATCH, &loose, SIZE);
    close(pipes[0]);
    close(pipes[1]);
}

static void ours_cannot_be_resized(void)
{
    struct tg_shm shm;
    struct tg_shm_offer offer;
    CU_ASSERT_EQUAL_FATAL(tg_shm_create(SIZE, &shm, &offer, why, sizeof why),
                          0);
    CU_ASSERT_EQUAL(offer.fd, shm.fd);
    CU_ASSERT_NOT_EQUAL(ftruncate(shm.fd, SIZE / 2), 0);
    CU_ASSERT_NOT_EQUAL(ftruncate(shm.fd, 2 * SIZE), 0);
    CU_ASSERT_EQUAL(fcntl(shm.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    int fd = shm.fd;
    tg_shm_free(&shm);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1);
}

/* Past the limit the system would end the process by SIGXFSZ. */
static void a_limit_does_not_kill(void)
{
    struct maker m = start_maker(SIZE / 2);
    CU_ASSERT_EQUAL(m.offer.fd, -1);
    kill_maker(&m);
}

static const struct unit_test tests[] = {
    TEST(both_see_the_same),
    TEST(a_part_of_it),
    TEST(others_are_refused),
    TEST(only_sealed_memory),
    TEST(ours_cannot_be_resized),
    TEST(a_limit_does_not_kill),
    TESTS_END,
};

CUNIT_MAIN("shm", tests)
