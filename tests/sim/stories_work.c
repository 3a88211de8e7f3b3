/* stories_work.c - tasks and leases when nobody is lost. */
#include "story.h"

#define MS(x_) ((x_)*UINT64_C(1000000))

static const struct op short_ops[] = {COMPUTE(100), END};
static const struct op ten_ms_ops[] = {COMPUTE(10000), END};
static const struct op three_ms_ops[] = {COMPUTE(3000), END};
static const struct op spin_ops[] = {SPIN};
static const struct plan short_task = TASK("short", short_ops);
static const struct plan ten_ms_task = TASK("ten_ms", ten_ms_ops);
static const struct plan three_ms_task = TASK("three_ms", three_ms_ops);
static const struct plan spin_task = TASK("spin", spin_ops);

/* One task: the head is asked once; run and done go straight. */
static const struct op first_driver[] = {SUBMIT(short_task), GET(0), END};

/* The first done tells how long the function runs; then as many runs as make
 * half a millisecond of work go ahead on one lease. */
static const struct op pipeline_driver[] = {SUBMIT(short_task),
                                            GET(0),
                                            SUBMIT(short_task),
                                            SUBMIT(short_task),
                                            SUBMIT(short_task),
                                            GET2(2, 3),
                                            END};

/* A client's run is faster than the head's open. */
static const struct op held_client[] = {SUBMIT(short_task), GET(0), END};
static const struct op wait_ops[] = {COMPUTE(2000), END};

/* A function that was short runs long: what waits behind it comes back. */
static const struct op overrun_driver[] = {
    SUBMIT(short_task), GET(0),     SUBMIT(ten_ms_task),
    SUBMIT(short_task), GET2(1, 2), END};

/* The parent's CPU is lent to its children.  It goes on as soon as the first
 * is done, though the second has the CPU: that is debt, and the next task
 * starts only when it is paid. */
static const struct op parent_ops[] = {
    SUBMIT(short_task), SUBMIT(three_ms_task), GET(0), COMPUTE(100), END};
static const struct plan parent_task = TASK("parent", parent_ops);
static const struct op half_ops[] = {COMPUTE(200), END};
static const struct plan half =
    TASK_OF("half", half_ops, TG_UNIT / 2, .nargs = 0);
static const struct op nested_driver[] = {SUBMIT(parent_task), COMPUTE(50),
                                          SUBMIT(half), GET2(0, 1), END};

/* A done whose result goes apart is overtaken by the news that the next task of
 * the lease waits: it does not open the lease again. */
static const struct op waiting_ops[] = {SUBMIT(three_ms_task), GET(0), END};
static const struct plan waiting = TASK("waiting", waiting_ops);
static const struct plan large_task = {.gene = {.seed = __LINE__,
                                                .name = "large",
                                                .ops = short_ops,
                                                .result_size = 5000},
                                       .shape.amount = {TG_UNIT},
                                       .nreturns = 1};
static const struct op late_done_driver[] = {SUBMIT(short_task),
                                             GET(0),
                                             SUBMIT(large_task),
                                             SUBMIT(waiting),
                                             COMPUTE(350),
                                             SUBMIT(short_task),
                                             GET(3),
                                             GET2(1, 2),
                                             END};

/* Of two demands the deeper goes first, though it is younger. */
static const struct op deep_parent_ops[] = {SUBMIT(short_task), GET(0), END};
static const struct plan deep_parent = TASK("parent", deep_parent_ops);
static const struct op deeper_driver[] = {SUBMIT(deep_parent), COMPUTE(15),
                                          SUBMIT(half), GET2(0, 1), END};

/* A client has the only CPU and work for a while; the driver's demand starves
 * until the head recalls the client's lease. */
static const struct op greedy_client[] = {SUBMIT(three_ms_task),
                                          SUBMIT(three_ms_task),
                                          SUBMIT(three_ms_task),
                                          SUBMIT(three_ms_task),
                                          GET2(2, 3),
                                          END};
static const struct op starving_driver[] = {COMPUTE(100), SUBMIT(short_task),
                                            GET(0), END};

/* Cancel while it waits for a lease, while it runs, and in the queue behind
 * another. */
static const struct op cancel_ready_driver[] = {SUBMIT(ten_ms_task),
                                                SUBMIT(ten_ms_task),
                                                COMPUTE(100),
                                                CANCEL(1),
                                                GET(1),
                                                GET(0),
                                                END};
static const struct op cancel_running_driver[] = {
    SUBMIT(spin_task), COMPUTE(100), CANCEL(0), GET(0), END};
static const struct op cancel_queued_driver[] = {
    SUBMIT(short_task), GET(0),       SUBMIT(three_ms_task),
    SUBMIT(short_task), COMPUTE(200), CANCEL(2),
    GET2(1, 2),         END};
static const struct op cancel_held_client[] = {SUBMIT(spin_task), COMPUTE(100),
                                               CANCEL(0), GET(0), END};

/* Cancelled with all below it: the parent's wait ends, and so does what it
 * waited for. */
static const struct op tree_ops[] = {SUBMIT(ten_ms_task), GET(0), END};
static const struct plan tree = TASK("tree", tree_ops);
static const struct op tree_driver[] = {SUBMIT(tree), COMPUTE(500),
                                        CANCEL_TREE(0), GET(0), END};

/* A run with a large argument is overtaken by its own cancel: the lease
 * remembers it.  (It was lost once: seed 421.) */
static const struct plan large_spin =
    TASK_WITH("spin", spin_ops, .nargs = 1, .args = {{.size = 5000}});
static const struct op overtaken_driver[] = {SUBMIT(large_spin), COMPUTE(50),
                                             CANCEL(0), GET(0), END};

/* A task that holds weight 1 of a reference must ask for more before it can
 * pass the reference on; only that run waits. */
static const struct op reader_ops[] = {GET(0), END};
static const struct plan reader =
    TASK_WITH("reader", reader_ops, .nargs = 1, .args = {{.size = 16, .n = 1}});
static const struct op passer_ops[] = {SUBMIT(reader), GET(1), END};
static const struct plan passer =
    TASK_WITH("passer", passer_ops, .nargs = 1, .args = {{.size = 16, .n = 1}});
static const struct op more_driver[] = {PUT(64), SUBMIT(passer), GET(1), END};

/* A large result stays with its owner; who needs it fetches it. */
static const struct plan large_result = {.gene = {.seed = 5,
                                                  .name = "large",
                                                  .ops = short_ops,
                                                  .result_size = 200000},
                                         .shape = {.amount = {TG_UNIT}},
                                         .nreturns = 1};
static const struct plan user_of_it =
    TASK_WITH("user", short_ops, .nargs = 1, .args = {{.by_ref = true}});
static const struct op fetch_driver[] = {SUBMIT(large_result),
                                         SUBMIT(user_of_it), GET(1), END};

/* A failed argument fails what depends on it, and the reason is kept. */
static const struct op fail_ops[] = {COMPUTE(10), END_WITH(7)};
static const struct plan failing = TASK("failing", fail_ops);
static const struct plan second =
    TASK_WITH("second", short_ops, .nargs = 1, .args = {{.by_ref = true}});
static const struct plan third = TASK_WITH(
    "third", short_ops, .nargs = 1, .args = {{.by_ref = true, .slot = {1}}});
static const struct op chain_driver[] = {SUBMIT(failing), SUBMIT(second),
                                         SUBMIT(third), GET(2), END};

/* A listed code is tried again, and then no more. */
static const struct plan stubborn = TASK_WITH(
    "stubborn", fail_ops, .max_retries = 1, .codes = {7}, .ncodes = 1);
static const struct op stubborn_driver[] = {SUBMIT(stubborn), GET(0), END};

/* What can never run is said at once, with the reason; then it waits, or
 * fails if it was asked to. */
static const struct plan hopeless =
    TASK_OF("wide", short_ops, 4 * TG_UNIT, .nargs = 0);
static const struct plan failing_fast =
    TASK_OF("wide", short_ops, 4 * TG_UNIT, .shape.fail = true);
static const struct op infeasible_driver[] = {
    SUBMIT(hopeless),     GET_FOR(0, 1000), CANCEL(0),
    SUBMIT(failing_fast), GET(1),           END};

const struct story stories_work[] = {
    {.name = "the first task on one worker",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = first_driver,
     .expected = "[    0] 0 submits 0.1 short\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  120] 0 reads 0.1\n"},
    {.name = "short tasks are pipelined",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = pipeline_driver,
     .expected = "[    0] 0 submits 0.1 short\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  120] 0 reads 0.1\n"
                 "[  120] 0 submits 0.2 short\n"
                 "[  120] 0 submits 0.3 short\n"
                 "[  120] 0 submits 0.4 short\n"
                 "[  130] 0 -> 1 run 0.2 on 1.1\n"
                 "[  130] 1 starts 0.2\n"
                 "[  130] 0 -> 1 run 0.3 on 1.1\n"
                 "[  130] 0 -> 1 run 0.4 on 1.1\n"
                 "[  230] 1 ends 0.2 with 0\n"
                 "[  230] 1 starts 0.3\n"
                 "[  240] 1 -> 0 done 0.2 with 0\n"
                 "[  330] 1 ends 0.3 with 0\n"
                 "[  330] 1 starts 0.4\n"
                 "[  340] 1 -> 0 done 0.3 with 0\n"
                 "[  430] 1 ends 0.4 with 0\n"
                 "[  440] 1 -> 0 done 0.4 with 0\n"
                 "[  440] 0 reads 0.3\n"
                 "[  440] 0 reads 0.4\n"},
    {.name = "a run before its open is held",
     .nranks = 3,
     .cpus = {0, 1},
     .driver = wait_ops,
     .client = {NULL, NULL, held_client},
     .slow_from = 0,
     .slow_to = 1,
     .slow_us = 50,
     .expected = "[    0] 2 submits 2.1 short\n"
                 "[   10] 2 -> 0 demand 1\n"
                 "[   20] 0 -> 2 lease 1.1\n"
                 "[   30] 2 -> 1 run 2.1 on 1.1\n"
                 "[   70] 0 -> 1 open 1.1 for 2\n"
                 "[   70] 1 starts 2.1\n"
                 "[  170] 1 ends 2.1 with 0\n"
                 "[  180] 1 -> 2 done 2.1 with 0\n"
                 "[  180] 2 reads 2.1\n"
                 "[ 1190] 2 -> 1 close 1.1\n"
                 "[ 1200] 1 -> 0 closed 1.1\n"},
    {.name = "a queue behind a long task is bounced",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = overrun_driver,
     .expected = "[    0] 0 submits 0.1 short\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  120] 0 reads 0.1\n"
                 "[  120] 0 submits 0.2 ten_ms\n"
                 "[  120] 0 submits 0.3 short\n"
                 "[  130] 0 -> 1 run 0.2 on 1.1\n"
                 "[  130] 1 starts 0.2\n"
                 "[  130] 0 -> 1 run 0.3 on 1.1\n"
                 "[ 5140] 1 -> 0 bounce 1.1 overrun: 0.3\n"
                 "[10130] 1 ends 0.2 with 0\n"
                 "[10140] 1 -> 0 done 0.2 with 0\n"
                 "[10150] 0 -> 1 run 0.3 on 1.1\n"
                 "[10150] 1 starts 0.3\n"
                 "[10250] 1 ends 0.3 with 0\n"
                 "[10260] 1 -> 0 done 0.3 with 0\n"
                 "[10260] 0 reads 0.2\n"
                 "[10260] 0 reads 0.3\n"},
    {.name = "a done comes after the news that its lease waits",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = late_done_driver,
     .expected = "[    0] 0 submits 0.1 short\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  120] 0 reads 0.1\n"
                 "[  120] 0 submits 0.2 large\n"
                 "[  120] 0 submits 0.3 waiting\n"
                 "[  130] 0 -> 1 run 0.2 on 1.1\n"
                 "[  130] 1 starts 0.2\n"
                 "[  130] 0 -> 1 run 0.3 on 1.1\n"
                 "[  230] 1 ends 0.2 with 0\n"
                 "[  230] 1 starts 0.3\n"
                 "[  230] 1 submits 1.1 three_ms\n"
                 "[  240] 1 -> 0 demand 1 at depth 1\n"
                 "[  240] 1 -> 0 lend 1.1\n"
                 "[  240] 1 -> 0 bounce 1.1 blocked\n"
                 "[  250] 0 -> 1 open 1.2 for 1\n"
                 "[  250] 0 -> 1 lease 1.2\n"
                 "[  250] 1 starts 1.1\n"
                 "[  340] 1 -> 0 done 0.2 with 0\n"
                 "[  470] 0 submits 0.4 short\n"
                 "[ 3250] 1 ends 1.1 with 0\n"
                 "[ 3250] 1 reads 1.1\n"
                 "[ 3250] 1 ends 0.3 with 0\n"
                 "[ 3260] 1 -> 0 resume 1.1\n"
                 "[ 3260] 1 -> 0 done 0.3 with 0\n"
                 "[ 3270] 0 -> 1 run 0.4 on 1.1\n"
                 "[ 3270] 1 starts 0.4\n"
                 "[ 3370] 1 ends 0.4 with 0\n"
                 "[ 3380] 1 -> 0 done 0.4 with 0\n"
                 "[ 3380] 0 reads 0.4\n"
                 "[ 3380] 0 reads 0.2\n"
                 "[ 3380] 0 reads 0.3\n"},
    {.name = "a nested get lends the CPU and resumes with debt",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = nested_driver,
     .expected = "[    0] 0 submits 0.1 parent\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 submits 1.1 short\n"
                 "[   10] 1 submits 1.2 three_ms\n"
                 "[   20] 1 -> 0 demand 1 at depth 1\n"
                 "[   20] 1 -> 0 demand 2 at depth 1\n"
                 "[   20] 1 -> 0 lend 1.1\n"
                 "[   20] 1 -> 0 bounce 1.1 blocked\n"
                 "[   30] 0 -> 1 open 1.2 for 1\n"
                 "[   30] 0 -> 1 lease 1.2\n"
                 "[   30] 1 starts 1.1\n"
                 "[   50] 0 submits 0.2 half\n"
                 "[  130] 1 ends 1.1 with 0\n"
                 "[  130] 1 starts 1.2\n"
                 "[  130] 1 reads 1.1\n"
                 "[  140] 1 -> 0 demand 0 at depth 1\n"
                 "[  140] 1 -> 0 resume 1.1\n"
                 "[  230] 1 ends 0.1 with 0\n"
                 "[  240] 1 -> 0 done 0.1 with 0\n"
                 "[ 1250] 0 -> 1 close 1.1\n"
                 "[ 1260] 1 -> 0 closed 1.1\n"
                 "[ 3130] 1 ends 1.2 with 0\n"
                 "[ 4140] 1 -> 0 closed 1.2\n"
                 "[ 4150] 0 -> 1 open 1.3 for 0\n"
                 "[ 4150] 0 -> 1 run 0.2 on 1.3\n"
                 "[ 4150] 1 starts 0.2\n"
                 "[ 4350] 1 ends 0.2 with 0\n"
                 "[ 4360] 1 -> 0 done 0.2 with 0\n"
                 "[ 4360] 0 reads 0.1\n"
                 "[ 4360] 0 reads 0.2\n"},
    {.name = "deeper demand goes first",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = deeper_driver,
     .expected = "[    0] 0 submits 0.1 parent\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 submits 1.1 short\n"
                 "[   15] 0 submits 0.2 half\n"
                 "[   20] 1 -> 0 demand 1 at depth 1\n"
                 "[   20] 1 -> 0 lend 1.1\n"
                 "[   20] 1 -> 0 bounce 1.1 blocked\n"
                 "[   30] 0 -> 1 open 1.2 for 1\n"
                 "[   30] 0 -> 1 lease 1.2\n"
                 "[   30] 1 starts 1.1\n"
                 "[  130] 1 ends 1.1 with 0\n"
                 "[  130] 1 reads 1.1\n"
                 "[  130] 1 ends 0.1 with 0\n"
                 "[  140] 1 -> 0 resume 1.1\n"
                 "[  140] 1 -> 0 done 0.1 with 0\n"
                 "[ 1140] 1 -> 0 closed 1.2\n"
                 "[ 1150] 0 -> 1 close 1.1\n"
                 "[ 1160] 1 -> 0 closed 1.1\n"
                 "[ 1170] 0 -> 1 open 1.3 for 0\n"
                 "[ 1170] 0 -> 1 run 0.2 on 1.3\n"
                 "[ 1170] 1 starts 0.2\n"
                 "[ 1370] 1 ends 0.2 with 0\n"
                 "[ 1380] 1 -> 0 done 0.2 with 0\n"
                 "[ 1380] 0 reads 0.1\n"
                 "[ 1380] 0 reads 0.2\n"},
    {.name = "a lease is recalled for a starving owner",
     .nranks = 3,
     .cpus = {0, 1},
     .driver = starving_driver,
     .client = {NULL, NULL, greedy_client},
     .balance_ns = MS(2),
     .expected = "[    0] 2 submits 2.1 three_ms\n"
                 "[    0] 2 submits 2.2 three_ms\n"
                 "[    0] 2 submits 2.3 three_ms\n"
                 "[    0] 2 submits 2.4 three_ms\n"
                 "[   10] 2 -> 0 demand 1\n"
                 "[   10] 2 -> 0 demand 2\n"
                 "[   10] 2 -> 0 demand 4\n"
                 "[   20] 0 -> 1 open 1.1 for 2\n"
                 "[   20] 0 -> 2 lease 1.1\n"
                 "[   30] 2 -> 1 run 2.1 on 1.1\n"
                 "[   30] 1 starts 2.1\n"
                 "[  100] 0 submits 0.1 short\n"
                 "[ 3030] 1 ends 2.1 with 0\n"
                 "[ 3040] 1 -> 2 done 2.1 with 0\n"
                 "[ 3050] 2 -> 1 run 2.2 on 1.1\n"
                 "[ 3050] 1 starts 2.2\n"
                 "[ 4020] 0 -> 1 recall 1.1\n"
                 "[ 4030] 1 -> 2 bounce 1.1 closed\n"
                 "[ 6050] 1 ends 2.2 with 0\n"
                 "[ 6060] 1 -> 2 done 2.2 with 0\n"
                 "[ 6060] 1 -> 0 closed 1.1\n"
                 "[ 6070] 0 -> 1 open 1.2 for 0\n"
                 "[ 6070] 0 -> 1 run 0.1 on 1.2\n"
                 "[ 6070] 1 starts 0.1\n"
                 "[ 6170] 1 ends 0.1 with 0\n"
                 "[ 6180] 1 -> 0 done 0.1 with 0\n"
                 "[ 6180] 0 reads 0.1\n"},
    {.name = "cancel what has no lease",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = cancel_ready_driver,
     .expected = "[    0] 0 submits 0.1 ten_ms\n"
                 "[    0] 0 submits 0.2 ten_ms\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  100] 0 cancels 0.2\n"
                 "[  100] 0 reads 0.2: error the task was cancelled of 0.2\n"
                 "[10010] 1 ends 0.1 with 0\n"
                 "[10020] 1 -> 0 done 0.1 with 0\n"
                 "[10020] 0 reads 0.1\n"},
    {.name = "cancel what runs",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = cancel_running_driver,
     .expected =
         "[    0] 0 submits 0.1 spin\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  100] 0 cancels 0.1\n"
         "[  110] 0 -> 1 cancel 0.1\n"
         "[  510] 1 ends 0.1 with -4\n"
         "[  520] 1 -> 0 done 0.1 with -4\n"
         "[  520] 0 reads 0.1: error the script ended with -4 of 0.1\n"},
    {.name = "cancel what is queued",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = cancel_queued_driver,
     .expected = "[    0] 0 submits 0.1 short\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  120] 0 reads 0.1\n"
                 "[  120] 0 submits 0.2 three_ms\n"
                 "[  120] 0 submits 0.3 short\n"
                 "[  130] 0 -> 1 run 0.2 on 1.1\n"
                 "[  130] 1 starts 0.2\n"
                 "[  130] 0 -> 1 run 0.3 on 1.1\n"
                 "[  320] 0 cancels 0.3\n"
                 "[  330] 0 -> 1 cancel 0.3\n"
                 "[  340] 1 -> 0 done 0.3 with -4\n"
                 "[  340] 0 reads 0.3: error the task was cancelled of 0.3\n"},
    {.name = "cancel what is held",
     .nranks = 3,
     .cpus = {0, 1},
     .driver = wait_ops,
     .client = {NULL, NULL, cancel_held_client},
     .slow_from = 0,
     .slow_to = 1,
     .slow_us = 500,
     .expected = "[    0] 2 submits 2.1 spin\n"
                 "[   10] 2 -> 0 demand 1\n"
                 "[   20] 0 -> 2 lease 1.1\n"
                 "[   30] 2 -> 1 run 2.1 on 1.1\n"
                 "[  100] 2 cancels 2.1\n"
                 "[  110] 2 -> 1 cancel 2.1\n"
                 "[  120] 1 -> 2 done 2.1 with -4\n"
                 "[  120] 2 reads 2.1: error the task was cancelled of 2.1\n"
                 "[  520] 0 -> 1 open 1.1 for 2\n"
                 "[ 1130] 2 -> 1 close 1.1\n"
                 "[ 1140] 1 -> 0 closed 1.1\n"},
    {.name = "cancel a task and all below it",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = tree_driver,
     .expected =
         "[    0] 0 submits 0.1 tree\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 1 submits 1.1 ten_ms\n"
         "[   20] 1 -> 0 demand 1 at depth 1\n"
         "[   20] 1 -> 0 lend 1.1\n"
         "[   20] 1 -> 0 bounce 1.1 blocked\n"
         "[   30] 0 -> 2 open 2.1 for 1\n"
         "[   30] 0 -> 1 lease 2.1\n"
         "[   40] 1 -> 2 run 1.1 on 2.1\n"
         "[   40] 2 starts 1.1\n"
         "[  500] 0 cancels 0.1\n"
         "[  510] 0 -> 1 cancel 0.1 and all below\n"
         "[  510] 1 ends 0.1 with -4\n"
         "[  520] 1 -> 2 cancel 1.1 and all below\n"
         "[  520] 1 -> 0 resume 1.1\n"
         "[  520] 1 -> 0 done 0.1 with -4\n"
         "[  520] 0 reads 0.1: error the script ended with -4 of 0.1\n"},
    {.name = "a cancel overtakes its run",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = overtaken_driver,
     .expected = "[    0] 0 submits 0.1 spin\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   50] 0 cancels 0.1\n"
                 "[   60] 0 -> 1 cancel 0.1\n"
                 "[  110] 0 -> 1 run 0.1 on 1.1\n"
                 "[  120] 1 -> 0 done 0.1 with -4\n"
                 "[  120] 0 reads 0.1: error the task was cancelled of 0.1\n"},
    {.name = "weight 1 asks for more",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = more_driver,
     .weight_mint = 1,
     .expected = "[    0] 0 submits 0.1 passer\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 submits 1.1 reader\n"
                 "[   20] 1 -> 0 demand 1 at depth 1\n"
                 "[   20] 1 -> 0 lend 1.1\n"
                 "[   20] 1 -> 0 bounce 1.1 blocked\n"
                 "[   30] 0 -> 2 open 2.1 for 1\n"
                 "[   30] 0 -> 1 lease 2.1\n"
                 "[   40] 1 -> 0 more for put 0\n"
                 "[   50] 0 -> 1 weight for put 0\n"
                 "[   60] 1 -> 2 run 1.1 on 2.1\n"
                 "[   60] 2 starts 1.1\n"
                 "[   70] 2 -> 0 watch put 0\n"
                 "[   80] 0 -> 2 value put 0\n"
                 "[   80] 2 reads put 0\n"
                 "[   80] 2 ends 1.1 with 0\n"
                 "[   90] 2 -> 1 done 1.1 with 0\n"
                 "[   90] 2 -> 0 drop 1\n"
                 "[   90] 1 reads 1.1\n"
                 "[   90] 1 ends 0.1 with 0\n"
                 "[  100] 1 -> 0 resume 1.1\n"
                 "[  100] 1 -> 0 done 0.1 with 0\n"
                 "[  100] 1 -> 0 drop 1\n"
                 "[  100] 0 reads 0.1\n"},
    {.name = "a large result is fetched",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = fetch_driver,
     .expected = "[    0] 0 submits 0.1 large\n"
                 "[    0] 0 submits 0.2 user\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  220] 1 -> 0 done 0.1 with 0\n"
                 "[  230] 0 -> 1 run 0.2 on 1.1\n"
                 "[  240] 1 -> 0 watch 0.1\n"
                 "[  350] 0 -> 1 value 0.1\n"
                 "[  350] 1 starts 0.2\n"
                 "[  450] 1 ends 0.2 with 0\n"
                 "[  460] 1 -> 0 done 0.2 with 0\n"
                 "[  460] 0 reads 0.2\n"},
    {.name = "a failure reaches what depends on it",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = chain_driver,
     .expected =
         "[    0] 0 submits 0.1 failing\n"
         "[    0] 0 submits 0.2 second\n"
         "[    0] 0 submits 0.3 third\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   20] 1 ends 0.1 with 7\n"
         "[   30] 1 -> 0 done 0.1 with 7\n"
         "[   30] 0 reads 0.3: error an input argument of the task could not be computed of 0.3, because an input argument of the task could not be computed of 0.2, because the script ended with 7 of 0.1\n"},
    {.name = "a listed code is tried again",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = stubborn_driver,
     .expected = "[    0] 0 submits 0.1 stubborn\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   20] 1 ends 0.1 with 7\n"
                 "[   30] 1 -> 0 done 0.1 with 7\n"
                 "[   40] 0 -> 1 run 0.1 on 1.1\n"
                 "[   40] 1 starts 0.1 again\n"
                 "[   50] 1 ends 0.1 with 7\n"
                 "[   60] 1 -> 0 done 0.1 with 7\n"
                 "[   60] 0 reads 0.1: error the script ended with 7 of 0.1\n"},
    {.name = "what can never run waits, or fails",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = infeasible_driver,
     .expected =
         "[    0] 0 logs: 1 task (first: wide) pending: needs 4 CPU on one rank, the largest has 1\n"
         "[    0] 0 submits 0.1 wide\n"
         "[ 1000] 0 cancels 0.1\n"
         "[ 1000] 0 submits 0.2 wide\n"
         "[ 1000] 0 reads 0.2: error needs 4 CPU on one rank, the largest has 1 of 0.2\n"},
    {.name = NULL}};
