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
     .expected = ""},
    {.name = "short tasks are pipelined",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = pipeline_driver,
     .expected = ""},
    {.name = "a run before its open is held",
     .nranks = 3,
     .cpus = {0, 1},
     .driver = wait_ops,
     .client = {NULL, NULL, held_client},
     .slow_from = 0,
     .slow_to = 1,
     .slow_us = 50,
     .expected = ""},
    {.name = "a queue behind a long task is bounced",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = overrun_driver,
     .expected = ""},
    {.name = "a nested get lends the CPU and resumes with debt",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = nested_driver,
     .expected = ""},
    {.name = "deeper demand goes first",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = deeper_driver,
     .expected = ""},
    {.name = "a lease is recalled for a starving owner",
     .nranks = 3,
     .cpus = {0, 1},
     .driver = starving_driver,
     .client = {NULL, NULL, greedy_client},
     .balance_ns = MS(2),
     .expected = ""},
    {.name = "cancel what has no lease",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = cancel_ready_driver,
     .expected = ""},
    {.name = "cancel what runs",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = cancel_running_driver,
     .expected = ""},
    {.name = "cancel what is queued",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = cancel_queued_driver,
     .expected = ""},
    {.name = "cancel what is held",
     .nranks = 3,
     .cpus = {0, 1},
     .driver = wait_ops,
     .client = {NULL, NULL, cancel_held_client},
     .slow_from = 0,
     .slow_to = 1,
     .slow_us = 500,
     .expected = ""},
    {.name = "cancel a task and all below it",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = tree_driver,
     .expected = ""},
    {.name = "a cancel overtakes its run",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = overtaken_driver,
     .expected = ""},
    {.name = "weight 1 asks for more",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = more_driver,
     .weight_mint = 1,
     .expected = ""},
    {.name = "a large result is fetched",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = fetch_driver,
     .expected = ""},
    {.name = "a failure reaches what depends on it",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = chain_driver,
     .expected = ""},
    {.name = "a listed code is tried again",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = stubborn_driver,
     .expected = ""},
    {.name = "what can never run waits, or fails",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = infeasible_driver,
     .expected = ""},
    {.name = NULL}};
