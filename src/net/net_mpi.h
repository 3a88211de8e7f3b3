/* net_mpi.h - the transport of net.h over MPI.
 *
 * One communicator is given to one transport, which owns every tag of it; the
 * caller has duplicated it and frees it afterwards.  Below
 * MPI_THREAD_MULTIPLE all calls come from the thread that may call MPI.
 */
#ifndef TG_NET_NET_MPI_H
#define TG_NET_NET_MPI_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/net.h"

/* Local, not collective.  Sets MPI_ERRORS_RETURN on comm.  Errors: MPI; nothing
 * is left behind then. */
int tg_net_mpi_create(MPI_Comm comm, struct tg_net **net,
                      const struct tg_net_ops **ops);

/* After quiescence: every rank has shown all frames that were sent to it and
 * tg_net_mpi_idle() is true; STATE otherwise.  Sets *net to NULL. */
int tg_net_mpi_destroy(struct tg_net **net);

/* From now on sent() is called when there may be something for that rank to see:
 * a frame or a chunk of a piece has left, or waits for the rank to take it.
 * From within send, bulk_send, bulk_recv and poll; it must not call
 * the transport.  NULL: no longer. */
void tg_net_mpi_on_sent(struct tg_net *net,
                        void (*sent)(void *arg, int32_t rank), void *arg);

/* Nothing that this rank started is under way and no event waits.  What was
 * fenced does not count. */
bool tg_net_mpi_idle(const struct tg_net *net);

/* Whether poll would have something, for a thread that wakes up.  An MPI may
 * look first and make progress after, so that one look after a pause never
 * sees what came meanwhile: this one looks twice.  As poll does, it ends the
 * life of the frame that was shown last. */
bool tg_net_mpi_look(struct tg_net *net);

/* 0 or the TRYGON_ERR_MPI of the first MPI call that failed, with what it was
 * in *text (may be NULL).  From then on every call fails and poll is false. */
int tg_net_mpi_status(const struct tg_net *net, const char **text);

/* Collective, blocking: every rank's n bytes, in rank order.  Those of rank r
 * are all[offsets[r]] to all[offsets[r + 1] - 1]; the caller frees both.
 * Errors: MPI, CAPACITY (over 128 GiB in all). */
int tg_net_mpi_allgather(MPI_Comm comm, const void *mine, size_t n, void **all,
                         size_t **offsets);

#endif
