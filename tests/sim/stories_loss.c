/* stories_loss.c - ranks die, or are said to have died. */
#include "story.h"

static const struct op two_ms_ops[] = {COMPUTE(2000), END};
static const struct op spin_ops[] = {SPIN};
static const struct op long_driver[] = {COMPUTE(4000), END};
static const struct plan retried =
    TASK_WITH("retried", two_ms_ops, .max_retries = 1);
static const struct plan once = TASK("once", two_ms_ops);
static const struct plan spin_task = TASK("spin", spin_ops);

/* Its rank dies while it runs: another one runs it again. */
static const struct op retry_driver[] = {SUBMIT(retried), GET(0), END};

/* Without retries the loss is its result. */
static const struct op no_retry_driver[] = {SUBMIT(once), GET(0), END};

/* An owner dies: what runs for it elsewhere is asked to stop, nobody waits for
 * its result, its leases close. */
static const struct op dying_client[] = {SUBMIT(spin_task), SUBMIT(spin_task),
                                         GET(0), END};

/* A reference to a lost rank's object fails with OWNER_DIED; what had been
 * read before stays. */
static const struct op maker_ops[] = {PUT(200000), RETURN_REF(0)};
static const struct plan maker = TASK("maker", maker_ops);
static const struct op borrow_driver[] = {SUBMIT(maker), GET(0), COMPUTE(1000),
                                          GET_FOR(1, 9000), END};

/* A large argument's owner dies while a worker waits for its bytes. */
static const struct plan user_of_it = TASK_WITH(
    "user", two_ms_ops, .shape.strategy = TRYGON_STRATEGY_NODE, .shape.node = 2,
    .nargs = 1, .args = {{.by_ref = true, .slot = {1}}});
static const struct op argument_driver[] = {
    SUBMIT(maker), GET(0), COMPUTE(1200), SUBMIT(user_of_it), GET(2), END};

/* A run waits for weight to go along with it, and its worker is lost: what it
 * had collected is kept, and it is sent elsewhere. */
static const struct op reader_ops[] = {GET(0), END};
static const struct plan reader =
    TASK_WITH("reader", reader_ops, .max_retries = 1, .nargs = 1,
              .args = {{.size = 16, .n = 2, .slot = {0, 0}}});
static const struct op passer_ops[] = {SUBMIT(reader), GET(1), END};
static const struct plan passer =
    TASK_WITH("passer", passer_ops, .nargs = 1, .args = {{.size = 16, .n = 1}});
static const struct op parked_driver[] = {PUT(64), SUBMIT(passer), GET(1), END};

/* A rank is declared lost and lives: its done comes late and is dropped, and
 * the value is that of the second execution. */
static const struct op false_driver[] = {SUBMIT(retried), GET(0), END};

const struct story stories_loss[] = {
    {.name = "a task runs again when its rank dies",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = retry_driver,
     .events = {{500, WORLD_DIE, 1}, {900, WORLD_LOST, 1}},
     .expected = "[    0] 0 submits 0.1 retried\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  500] 1 dies\n"
                 "[  900] 0 declares 1 lost\n"
                 "[  910] 0 -> 2 gone 1\n"
                 "[  910] 0 -> 2 open 2.1 for 0\n"
                 "[  910] 0 -> 2 run 0.1 on 2.1\n"
                 "[  910] 2 starts 0.1 again\n"
                 "[ 2910] 2 ends 0.1 with 0\n"
                 "[ 2920] 2 -> 0 done 0.1 with 0\n"
                 "[ 2920] 0 reads 0.1\n"},
    {.name = "no retries are left when its rank dies",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = no_retry_driver,
     .events = {{500, WORLD_DIE, 1}, {900, WORLD_LOST, 1}},
     .expected =
         "[    0] 0 submits 0.1 once\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  500] 1 dies\n"
         "[  900] 0 declares 1 lost\n"
         "[  900] 0 reads 0.1: error rank 1 was lost; 1 execution, no retries left of 0.1\n"},
    {.name = "an owner dies: its tasks elsewhere are orphans",
     .nranks = 3,
     .cpus = {0, 2, 0},
     .driver = long_driver,
     .client = {NULL, NULL, dying_client},
     .events = {{700, WORLD_DIE, 2}, {1500, WORLD_LOST, 2}},
     .expected = "[    0] 2 submits 2.1 spin\n"
                 "[    0] 2 submits 2.2 spin\n"
                 "[   10] 2 -> 0 demand 1\n"
                 "[   10] 2 -> 0 demand 2\n"
                 "[   20] 0 -> 1 open 1.1 for 2\n"
                 "[   20] 0 -> 1 open 1.2 for 2\n"
                 "[   20] 0 -> 2 lease 1.1\n"
                 "[   20] 0 -> 2 lease 1.2\n"
                 "[   30] 2 -> 1 run 2.1 on 1.1\n"
                 "[   30] 1 starts 2.1\n"
                 "[   30] 2 -> 1 run 2.2 on 1.2\n"
                 "[   30] 1 starts 2.2\n"
                 "[  700] 2 dies\n"
                 "[ 1500] 0 declares 2 lost\n"
                 "[ 1510] 0 -> 1 gone 2\n"
                 "[ 1530] 1 ends 2.1 with -4\n"
                 "[ 1530] 1 ends 2.2 with -4\n"
                 "[ 1540] 1 -> 0 closed 1.1\n"
                 "[ 1540] 1 -> 0 closed 1.2\n"},
    {.name = "the owner of a borrowed reference dies",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = borrow_driver,
     .events = {{300, WORLD_DIE, 1}, {2000, WORLD_LOST, 1}},
     .expected =
         "[    0] 0 submits 0.1 maker\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 1 ends 0.1 with 0\n"
         "[   20] 1 -> 0 done 0.1 with 0\n"
         "[   20] 0 reads 0.1\n"
         "[  300] 1 dies\n"
         "[ 2000] 0 declares 1 lost\n"
         "[ 2000] 0 reads put 1: error rank 1, which owned the object, was lost of nobody\n"},
    {.name = "the owner of a large argument dies",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = argument_driver,
     .events = {{1250, WORLD_DIE, 1}, {2000, WORLD_LOST, 1}},
     .expected =
         "[    0] 0 submits 0.1 maker\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 1 ends 0.1 with 0\n"
         "[   20] 1 -> 0 done 0.1 with 0\n"
         "[   20] 0 reads 0.1\n"
         "[ 1030] 0 -> 1 close 1.1\n"
         "[ 1040] 1 -> 0 closed 1.1\n"
         "[ 1220] 0 submits 0.2 user\n"
         "[ 1230] 0 -> 1 watch put 1, not its bytes\n"
         "[ 1240] 1 -> 0 value put 1, not its bytes\n"
         "[ 1250] 1 dies\n"
         "[ 1250] 0 -> 2 open 2.1 for 0\n"
         "[ 1250] 0 -> 2 run 0.2 on 2.1\n"
         "[ 2000] 0 declares 1 lost\n"
         "[ 2010] 0 -> 2 gone 1\n"
         "[ 2020] 2 -> 0 done 0.2 with -9\n"
         "[ 2020] 0 reads 0.2: error an input argument of the task could not be fetched of 0.2, because rank 1, which owned the object, was lost of nobody\n"},
    {.name = "a run that waits for weight loses its worker",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = parked_driver,
     .weight_mint = 1,
     .slow_from = 1,
     .slow_to = 0,
     .slow_us = 1000,
     .events = {{1400, WORLD_DIE, 2}, {1500, WORLD_LOST, 2}},
     .expected = "[    0] 0 submits 0.1 passer\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 submits 1.1 reader\n"
                 "[ 1020] 1 -> 0 demand 1 at depth 1\n"
                 "[ 1020] 1 -> 0 lend 1.1\n"
                 "[ 1020] 1 -> 0 bounce 1.1 blocked\n"
                 "[ 1030] 0 -> 2 open 2.1 for 1\n"
                 "[ 1030] 0 -> 1 lease 2.1\n"
                 "[ 1400] 2 dies\n"
                 "[ 1500] 0 declares 2 lost\n"
                 "[ 1510] 0 -> 1 gone 2\n"
                 "[ 2040] 1 -> 0 more for put 0\n"
                 "[ 2050] 0 -> 1 weight for put 0\n"
                 "[ 2520] 1 -> 0 demand 1 at depth 1\n"
                 "[ 2530] 0 -> 1 open 1.2 for 1\n"
                 "[ 2530] 0 -> 1 lease 1.2\n"
                 "[ 2530] 1 starts 1.1 again\n"
                 "[ 3540] 1 -> 0 watch put 0\n"
                 "[ 3550] 0 -> 1 value put 0\n"
                 "[ 3550] 1 reads put 0\n"
                 "[ 3550] 1 ends 1.1 with 0\n"
                 "[ 3550] 1 reads 1.1\n"
                 "[ 3550] 1 ends 0.1 with 0\n"
                 "[ 4540] 1 -> 0 lend 1.2\n"
                 "[ 4560] 1 -> 0 resume 1.2\n"
                 "[ 4560] 1 -> 0 resume 1.1\n"
                 "[ 4560] 1 -> 0 done 0.1 with 0\n"
                 "[ 4560] 1 -> 0 drop 1\n"
                 "[ 4560] 0 reads 0.1\n"},
    {.name = "a rank is wrongly declared lost",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = false_driver,
     .events = {{500, WORLD_LOST, 1}},
     .expected = "[    0] 0 submits 0.1 retried\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  500] 0 declares 1 lost\n"
                 "[  510] 0 -> 2 gone 1\n"
                 "[  510] 0 -> 2 open 2.1 for 0\n"
                 "[  510] 0 -> 2 run 0.1 on 2.1\n"
                 "[  510] 2 starts 0.1 again\n"
                 "[ 2010] 1 ends 0.1 with 0\n"
                 "[ 2510] 2 ends 0.1 with 0\n"
                 "[ 2520] 2 -> 0 done 0.1 with 0\n"
                 "[ 2520] 0 reads 0.1\n"},
    {.name = NULL}};
