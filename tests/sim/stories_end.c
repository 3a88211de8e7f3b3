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
     .expected = "[    0] 0 submits 0.1 short\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  120] 0 reads 0.1\n"
                 "[  120] 0 ends the run\n"
                 "[  130] 0 -> 1 ended 0\n"
                 "[  130] 0 -> 2 ended 0\n"
                 "[  130] 0 -> 1 close 1.1\n"
                 "[  130] 0 -> 1 probe\n"
                 "[  130] 0 -> 2 probe\n"
                 "[  140] 1 -> 0 closed 1.1\n"
                 "[  140] 1 -> 0 counts\n"
                 "[  140] 2 -> 0 counts\n"
                 "[  190] 0 -> 1 probe\n"
                 "[  190] 0 -> 2 probe\n"
                 "[  200] 1 -> 0 counts\n"
                 "[  200] 2 -> 0 counts\n"
                 "[  230] 0 -> 1 probe\n"
                 "[  230] 0 -> 2 probe\n"
                 "[  240] 1 -> 0 counts\n"
                 "[  240] 2 -> 0 counts\n"
                 "[  240] 0 may leave\n"
                 "[  250] 0 -> 1 bye\n"
                 "[  250] 1 may leave\n"
                 "[  250] 0 -> 2 bye\n"
                 "[  250] 2 may leave\n"},
    {.name = "the end of the driver cancels its tasks",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = leaving_driver,
     .whole = true,
     .expected = "[    0] 0 submits 0.1 spin\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  200] 0 ends the run\n"
                 "[  210] 0 -> 1 cancel 0.1 and all below\n"
                 "[  510] 1 ends 0.1 with -4\n"
                 "[  520] 1 -> 0 done 0.1 with -4\n"
                 "[  530] 0 -> 1 ended 0\n"
                 "[  530] 0 -> 1 close 1.1\n"
                 "[  530] 0 -> 1 probe\n"
                 "[  540] 1 -> 0 closed 1.1\n"
                 "[  540] 1 -> 0 counts\n"
                 "[  590] 0 -> 1 probe\n"
                 "[  600] 1 -> 0 counts\n"
                 "[  630] 0 -> 1 probe\n"
                 "[  640] 1 -> 0 counts\n"
                 "[  640] 0 may leave\n"
                 "[  650] 0 -> 1 bye\n"
                 "[  650] 1 may leave\n"},
    {.name = "finalize ends what was left behind",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = orphan_driver,
     .whole = true,
     .expected =
         "[    0] 0 submits 0.1 parent\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 1 submits 1.1 wide\n"
         "[   10] 1 ends 0.1 with 0\n"
         "[   20] 1 -> 0 demand 1 at depth 1\n"
         "[   20] 1 -> 0 done 0.1 with 0\n"
         "[   20] 0 reads 0.1\n"
         "[   20] 0 ends the run\n"
         "[   30] 0 -> 1 refuse for now: needs 4 CPU on one rank, the largest has 1\n"
         "[   30] 0 -> 1 ended 0\n"
         "[   30] 0 -> 1 close 1.1\n"
         "[   30] 0 -> 1 probe\n"
         "[   40] 1 -> 0 note 1 task (first: wide) pending: needs 4 CPU on one rank, the largest has 1\n"
         "[   40] 0 logs: 1 task (first: wide) pending: needs 4 CPU on one rank, the largest has 1\n"
         "[   40] 1 -> 0 closed 1.1\n"
         "[   40] 1 -> 0 counts\n"
         "[   40] 1 -> 0 demand 0 at depth 1\n"
         "[   90] 0 -> 1 probe\n"
         "[  100] 1 -> 0 counts\n"
         "[  130] 0 -> 1 probe\n"
         "[  140] 1 -> 0 counts\n"
         "[  140] 0 may leave\n"
         "[  150] 0 -> 1 bye\n"
         "[  150] 1 may leave\n"},
    {.name = "so it does on a rank that is alone",
     .nranks = 1,
     .cpus = {1},
     .driver = orphan_driver,
     .whole = true,
     .expected =
         "[    0] 0 starts 0.1\n"
         "[    0] 0 submits 0.1 parent\n"
         "[    0] 0 logs: 1 task (first: wide) pending: needs 4 CPU on one rank, the largest has 1\n"
         "[    0] 0 submits 0.2 wide\n"
         "[    0] 0 ends 0.1 with 0\n"
         "[    0] 0 reads 0.1\n"
         "[    0] 0 ends the run\n"
         "[   60] 0 may leave\n"},
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
     .expected = "[    0] 2 submits 2.1 reads\n"
                 "[   10] 2 -> 0 demand 1\n"
                 "[   20] 0 -> 1 open 1.1 for 2\n"
                 "[   20] 0 -> 2 lease 1.1\n"
                 "[   30] 2 -> 1 run 2.1 on 1.1\n"
                 "[  100] 3 dies\n"
                 "[  200] 0 declares 3 lost\n"
                 "[  210] 0 -> 1 gone 3\n"
                 "[  210] 0 -> 2 gone 3\n"
                 "[ 5040] 1 -> 2 watch put 2\n"
                 "[ 5150] 2 -> 1 value put 2\n"
                 "[ 5150] 1 starts 2.1\n"
                 "[ 5250] 1 ends 2.1 with 0\n"
                 "[10260] 1 -> 2 done 2.1 with 0\n"
                 "[10260] 2 reads 2.1\n"
                 "[11270] 2 -> 1 close 1.1\n"
                 "[11280] 1 -> 0 closed 1.1\n"
                 "[20000] 0 ends the run\n"
                 "[20010] 0 -> 1 ended 0\n"
                 "[20010] 0 -> 2 ended 0\n"
                 "[25020] 1 -> 2 drop 1\n"
                 "[28820] 0 may leave\n"
                 "[28830] 0 -> 1 bye\n"
                 "[28830] 1 may leave\n"
                 "[28830] 0 -> 2 bye\n"
                 "[28830] 2 may leave\n"},
    {.name = "a rank dies while all are asked",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = idle_driver,
     .whole = true,
     .events = {{105, WORLD_DIE, 2}, {3000, WORLD_LOST, 2}},
     .expected = "[  100] 0 ends the run\n"
                 "[  105] 2 dies\n"
                 "[  110] 0 -> 1 ended 0\n"
                 "[  110] 0 -> 1 probe\n"
                 "[  120] 1 -> 0 counts\n"
                 "[ 3000] 0 declares 2 lost\n"
                 "[ 3010] 0 -> 1 gone 2\n"
                 "[ 3010] 0 -> 1 probe\n"
                 "[ 3020] 1 -> 0 counts\n"
                 "[ 3050] 0 -> 1 probe\n"
                 "[ 3060] 1 -> 0 counts\n"
                 "[ 3110] 0 -> 1 probe\n"
                 "[ 3120] 1 -> 0 counts\n"
                 "[ 3120] 0 may leave\n"
                 "[ 3130] 0 -> 1 bye\n"
                 "[ 3130] 1 may leave\n"},
    {.name = NULL}};
