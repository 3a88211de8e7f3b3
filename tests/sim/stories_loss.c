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
    "user", two_ms_ops, .shape.strategy = TRYGON_STRATEGY_NODE,
    .shape.node = 2, .nargs = 1, .args = {{.by_ref = true, .slot = {1}}});
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
     .expected = ""},
    {.name = "no retries are left when its rank dies",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = no_retry_driver,
     .events = {{500, WORLD_DIE, 1}, {900, WORLD_LOST, 1}},
     .expected = ""},
    {.name = "an owner dies: its tasks elsewhere are orphans",
     .nranks = 3,
     .cpus = {0, 2, 0},
     .driver = long_driver,
     .client = {NULL, NULL, dying_client},
     .events = {{700, WORLD_DIE, 2}, {1500, WORLD_LOST, 2}},
     .expected = ""},
    {.name = "the owner of a borrowed reference dies",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = borrow_driver,
     .events = {{300, WORLD_DIE, 1}, {2000, WORLD_LOST, 1}},
     .expected = ""},
    {.name = "the owner of a large argument dies",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = argument_driver,
     .events = {{1250, WORLD_DIE, 1}, {2000, WORLD_LOST, 1}},
     .expected = ""},
    {.name = "a run that waits for weight loses its worker",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = parked_driver,
     .weight_mint = 1,
     .slow_from = 1,
     .slow_to = 0,
     .slow_us = 1000,
     .events = {{1400, WORLD_DIE, 2}, {1500, WORLD_LOST, 2}},
     .expected = ""},
    {.name = "a rank is wrongly declared lost",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = false_driver,
     .events = {{500, WORLD_LOST, 1}},
     .expected = ""},
    {.name = NULL}};
