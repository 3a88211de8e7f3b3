/* stories_end.c - how a run ends. */
#include "story.h"

static const struct op short_ops[] = {COMPUTE(100), END};
static const struct op spin_ops[] = {SPIN};
static const struct plan short_task = TASK("short", short_ops);
static const struct plan spin_task = TASK("spin", spin_ops);
static const struct plan hopeless =
    TASK_OF("wide", short_ops, 4 * TG_UNIT, .nargs = 0);

/* All ranks are asked in rounds until two agree that nothing is under way. */
static const struct op bye_driver[] = {SUBMIT(short_task), GET(0), END};

/* The driver leaves a task running. */
static const struct op leaving_driver[] = {SUBMIT(spin_task), COMPUTE(200),
                                           END};

/* A task has left another behind that can never run: finalize ends it.  (It
 * was waited for once, by the end of the driver as well.) */
static const struct op parent_ops[] = {SUBMIT(hopeless), END};
static const struct plan parent = TASK("parent", parent_ops);
static const struct op orphan_driver[] = {SUBMIT(parent), GET(0), END};

/* Weight goes home as the run ends and takes long: nobody leaves before it is
 * there.  (After a loss they did once.) */
static const struct plan reads_large =
    TASK_WITH("reads", short_ops, .nargs = 1, .args = {{.by_ref = true}});
static const struct op late_client[] = {PUT(200000), SUBMIT(reads_large),
                                        GET(1), END};
static const struct op late_driver[] = {COMPUTE(20000), END};

/* A rank dies while the head waits for its answer: the others are asked anew.
 * (The head waited for ever once: seed 27.) */
static const struct op idle_driver[] = {COMPUTE(100), END};

const struct story stories_end[] = {
    {.name = "all agree and leave",
     .nranks = 3,
     .cpus = {0, 1, 0},
     .driver = bye_driver,
     .whole = true,
     .expected = ""},
    {.name = "the end of the driver cancels its tasks",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = leaving_driver,
     .whole = true,
     .expected = ""},
    {.name = "finalize ends what was left behind",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = orphan_driver,
     .whole = true,
     .expected = ""},
    {.name = "so it does on a rank that is alone",
     .nranks = 1,
     .cpus = {1},
     .driver = orphan_driver,
     .whole = true,
     .expected = ""},
    {.name = "a late message is waited for, also after a loss",
     .nranks = 4,
     .cpus = {0, 1, 0, 0},
     .events = {{100, WORLD_DIE, 3}, {200, WORLD_LOST, 3}},
     .driver = late_driver,
     .client = {NULL, NULL, late_client},
     .slow_from = 1,
     .slow_to = 2,
     .slow_us = 5000,
     .whole = true,
     .brief = true,
     .expected = ""},
    {.name = "a rank dies while all are asked",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = idle_driver,
     .whole = true,
     .events = {{105, WORLD_DIE, 2}, {3000, WORLD_LOST, 2}},
     .expected = ""},
    {.name = NULL}};
