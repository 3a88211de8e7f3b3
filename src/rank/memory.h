/* memory.h - how much memory this process may use, with those of its node. */
#ifndef TG_RANK_MEMORY_H
#define TG_RANK_MEMORY_H

#include <stdint.h>

#include "base/settings.h"

/* The least of what the machine has, what our control group and those above it
 * allow (version 1 or 2), and what Slurm has given the job on this node.
 * root: "" but in tests, where another /proc and /sys is. */
uint64_t tg_memory_usable(const char *root, tg_getenv_fn env, void *arg);

#endif
