/* test_bells_np3.c - doorbells beside real messages, and who has which after
 * the start of a runtime.
 *
 * Every rank runs the same tests in step; a failure on any of them is the exit
 * status of all.  No assertion here is fatal, for the others would wait.
 */
#include "rank/bells.h"

#include <CUnit/Basic.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/trygon.h>
#include <unistd.h>

#include "base/rng.h"
#include "net/net_mpi.h"
#include "rank/rank.h"

enum { HOPS = 30000, LONG_MS = 900, MAXRANKS = 16 };

static int rank, size; /* in MPI_COMM_WORLD, as in every duplicate */

/* ----- the start ----------------------------------------------------------- */

/* A runtime starts with this text as the rank's node. */
static struct trygon *start(const char *node_id)
{
    struct trygon *tg = NULL;
    setenv("TRYGON_NODE_ID", node_id, 1);
    CU_ASSERT_EQUAL(trygon_init(MPI_COMM_WORLD, NULL, &tg), 0);
    unsetenv("TRYGON_NODE_ID");
    MPI_Barrier(MPI_COMM_WORLD); /* all have joined */
    if (tg == NULL)
        MPI_Abort(MPI_COMM_WORLD, 3);
    return tg;
}

static void one_node_is_joined_by_all(void)
{
    struct trygon *tg = start("");
    CU_ASSERT_TRUE(tg_bells_all(&tg->bells));
    for (int r = 0; r < size; r++)
        CU_ASSERT_PTR_NOT_NULL(tg->bells.of[r]);
    CU_ASSERT_PTR_EQUAL(tg->bells.mine, tg->bells.of[rank]);
    CU_ASSERT_EQUAL(tg->bells.page.fd >= 0, rank == 0);
    CU_ASSERT_EQUAL(trygon_finalize(&tg), 0);
}

/* Even ranks are one node, odd ones another. */
static void nodes_share_no_bells(void)
{
    struct trygon *tg = start(rank % 2 == 0 ? "even" : "odd");
    CU_ASSERT_FALSE(tg_bells_all(&tg->bells));
    int alike = (size + 1 - rank % 2) / 2;
    for (int r = 0; r < size; r++)
        CU_ASSERT_EQUAL(tg->bells.of[r] != NULL,
                        alike > 1 && r % 2 == rank % 2);
    CU_ASSERT_EQUAL(trygon_finalize(&tg), 0);
}

static void a_rank_alone_has_all(void)
{
    struct trygon *tg = NULL;
    CU_ASSERT_EQUAL(trygon_init(MPI_COMM_SELF, NULL, &tg), 0);
    if (tg == NULL)
        return;
    CU_ASSERT(tg_bells_all(&tg->bells) && tg->bells.page.at == NULL);
    CU_ASSERT_EQUAL(trygon_finalize(&tg), 0);
}

/* ----- messages -------------------------------------------------------------- */

struct wire {
    MPI_Comm comm;
    struct tg_net *net;
    const struct tg_net_ops *ops;
    struct tg_bells bells;
    uint32_t got; /* the number in the last frame */
    uint32_t slept, lost;
};

static void open_wire(struct wire *w)
{
    static const struct tg_log quiet = {TRYGON_LOG_ERROR, -1, NULL, NULL};
    static const int32_t node[MAXRANKS]; /* one */
    struct tg_shm_offer mine;
    void *all = NULL;
    size_t *offsets = NULL;
    memset(w, 0, sizeof *w);
    MPI_Comm_dup(MPI_COMM_WORLD, &w->comm);
    tg_bells_offer(&w->bells, rank, size, &quiet, &mine);
    if (tg_net_mpi_allgather(w->comm, &mine, sizeof mine, &all, &offsets) !=
            TRYGON_SUCCESS ||
        tg_net_mpi_create(w->comm, &w->net, &w->ops) != TRYGON_SUCCESS)
        MPI_Abort(MPI_COMM_WORLD, 3);
    tg_bells_join(&w->bells, node, 0, all, &quiet);
    free(all);
    free(offsets);
    MPI_Barrier(MPI_COMM_WORLD);
    CU_ASSERT_TRUE(tg_bells_all(&w->bells));
}

static bool take(struct wire *w)
{
    struct tg_net_event ev;
    if (!w->ops->poll(w->net, &ev))
        return false;
    if (ev.type == TG_NET_FRAME && ev.size == sizeof w->got)
        memcpy(&w->got, ev.data, sizeof w->got);
    return true;
}

/* Until the token has this number; as the poller does. */
static void await(struct wire *w, uint32_t want, struct tg_rng *rng)
{
    while (w->got != want) {
        unsigned seen = tg_bell_seen(&w->bells);
        bool found = take(w);
        for (uint32_t i = tg_rng_below(rng, 8); i > 0 && !found; i--)
            found = take(w);
        if (found)
            continue;
        tg_bell_arm(&w->bells);
        if (!tg_net_mpi_look(w->net)) {
            double began = MPI_Wtime();
            tg_bell_wait(&w->bells, seen, UINT64_MAX);
            w->slept++;
            w->lost += MPI_Wtime() - began > LONG_MS / 1e3 &&
                       tg_bell_seen(&w->bells) == seen &&
                       tg_net_mpi_look(w->net);
        }
        tg_bell_disarm(&w->bells);
    }
}

/* A number goes round, and every rank but one sleeps or is about to. */
static void a_token_goes_round(void)
{
    struct wire w;
    struct tg_rng rng = {(uint64_t)rank};
    open_wire(&w);
    int32_t next = (rank + 1) % size;
    for (uint32_t i = 1; i <= (uint32_t)(HOPS / size); i++) {
        if (rank != 0)
            await(&w, i, &rng);
        if (i % 100 == 0)
            usleep(1000); /* so that the others do sleep */
        memcpy(w.ops->frame(w.net, next), &i, sizeof i);
        CU_ASSERT_EQUAL(w.ops->send(w.net, next, sizeof i), 0);
        tg_bells_ring(&w.bells, next);
        if (rank == 0)
            await(&w, i, &rng);
    }
    CU_ASSERT_EQUAL(w.lost, 0);
    MPI_Allreduce(MPI_IN_PLACE, &w.slept, 1, MPI_UINT32_T, MPI_SUM,
                  MPI_COMM_WORLD);
    CU_ASSERT(w.slept > 0);
    while (!tg_net_mpi_idle(w.net))
        CU_ASSERT_FALSE(take(&w));
    MPI_Barrier(MPI_COMM_WORLD);
    CU_ASSERT_EQUAL(tg_net_mpi_destroy(&w.net), 0);
    tg_bells_free(&w.bells);
    MPI_Comm_free(&w.comm);
}

int main(int argc, char **argv)
{
    int provided;
    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided) !=
            MPI_SUCCESS ||
        CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size < 2 || size > MAXRANKS) {
        fprintf(stderr, "run it on 2 to %d ranks\n", MAXRANKS);
        return 99;
    }
    CU_pSuite s = CU_add_suite("bells between ranks", NULL, NULL);
    CU_ADD_TEST(s, one_node_is_joined_by_all);
    CU_ADD_TEST(s, nodes_share_no_bells);
    CU_ADD_TEST(s, a_rank_alone_has_all);
    CU_ADD_TEST(s, a_token_goes_round);
    if (rank == 0)
        CU_basic_run_tests();
    else
        CU_run_all_tests(); /* the same, without a report */
    int mine = (int)CU_get_number_of_failures(), all = 0;
    if (mine != 0 && rank != 0)
        CU_basic_show_failures(CU_get_failure_list());
    CU_cleanup_registry();
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all != 0;
}
