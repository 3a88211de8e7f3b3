/* store_node.h - what the stores of a node's ranks share (store.h). */
#ifndef TG_TESTS_SIM_STORE_NODE_H
#define TG_TESTS_SIM_STORE_NODE_H

#include "store.h"

/* The rank takes so much of its node's memory; false: there is not as much. */
bool sim_node_take(struct sim_rank *r, uint64_t bytes);
void sim_node_give(struct sim_store *s, uint64_t bytes);
/* So much more, or less, is being written to files. */
void sim_node_spill(struct sim_rank *r, int64_t bytes);
/* And so much is wanted of others. */
void sim_node_want(struct sim_rank *r, uint64_t bytes);
/* The rank is lost, as another one has heard: it counts no more. */
void sim_node_lose(struct sim_rank *r);

#endif
