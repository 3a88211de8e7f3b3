/* doorbell.c - see doorbell.h. */
#include "doorbell.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

struct doorbell_page {
    atomic_uint rung, answered;
    atomic_uint there; /* the partner is on rank 0's node */
};

void doorbell_open(struct doorbell *bell, const struct team *team)
{
    MPI_Comm node;
    int first = team->rank, disp;
    MPI_Aint size = team->rank == 0 ? sizeof *bell->page : 0;

    CHECK_MPI(MPI_Comm_split_type(team->comm, MPI_COMM_TYPE_SHARED, team->rank,
                                  MPI_INFO_NULL, &node));
    CHECK_MPI(MPI_Bcast(&first, 1, MPI_INT, 0, node));
    CHECK_MPI(MPI_Win_allocate_shared(size, 1, MPI_INFO_NULL, node, &bell->page,
                                      &bell->win));
    CHECK_MPI(MPI_Win_shared_query(bell->win, 0, &size, &disp, &bell->page));
    CHECK_MPI(MPI_Comm_free(&node));
    if (first != 0)
        bell->page = NULL;
}

void doorbell_close(struct doorbell *bell)
{
    CHECK_MPI(MPI_Win_free(&bell->win));
}

static long futex(atomic_uint *word, int op, unsigned value)
{
    return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void answer(struct doorbell_page *page, unsigned before)
{
    while (atomic_load(&page->rung) == before)
        (void)futex(&page->rung, FUTEX_WAIT, before);
    atomic_store(&page->answered, before + 1);
}

static double ring(struct doorbell_page *page, unsigned before)
{
    double start = clock_s();

    atomic_store(&page->rung, before + 1);
    (void)futex(&page->rung, FUTEX_WAKE, 1);
    while (atomic_load(&page->answered) == before)
        sched_yield(); /* it may have been put on this core */
    return clock_s() - start;
}

double doorbell_ring(const struct doorbell *bell, const struct team *team,
                     int partner, double nap_s)
{
    struct doorbell_page *page = bell->page;
    unsigned before = page != NULL ? atomic_load(&page->rung) : 0;
    double seconds = -1.0;

    if (partner == 0)
        return seconds;
    if (team->rank == partner && page != NULL)
        atomic_store(&page->there, 1);
    team_barrier(team);
    if (team->rank == partner && page != NULL) {
        answer(page, before);
    } else if (team->rank == 0 && atomic_load(&page->there) == 1) {
        sleep_s(nap_s);
        seconds = ring(page, before);
    }
    team_barrier(team);
    return seconds;
}
