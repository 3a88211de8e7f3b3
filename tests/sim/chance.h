/* chance.h - random worlds: one seed, one world. */
#ifndef TG_TESTS_SIM_CHANCE_H
#define TG_TESTS_SIM_CHANCE_H

#include "world.h"

/* A world by its seed; ranks > 0 fixes its size. */
void chance_world(uint64_t seed, int32_t ranks, struct world **world);

#endif
