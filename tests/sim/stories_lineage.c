/* stories_lineage.c - results that are lost are made again by their tasks. */
#include "story.h"

static const struct op short_ops[] = {COMPUTE(100), END};
static const struct op long_ops[] = {COMPUTE(3000), END};

/* The only copy goes down with its rank: who reads it has it made again. */
static const struct plan maker = MAKER("maker", short_ops, .max_retries = 1);
static const struct op again_driver[] = {SUBMIT(maker), COMPUTE(1500), GET(0),
                                         END};

/* Nobody reads it: it is not made. */
static const struct op unread_driver[] = {SUBMIT(maker), COMPUTE(1500), END};

/* The first result is needed by the second's task only: its bytes go, and both
 * are made again. */
static const struct plan first = MAKER("first", short_ops, .max_retries = 1);
static const struct plan second =
    MAKER("second", short_ops, .max_retries = -1, FROM(0));
static const struct op chain_driver[] = {
    SUBMIT(first), SUBMIT(second), RELEASE(0), COMPUTE(1500), GET(1), END};

/* What was put cannot be made again, so that its bytes stay. */
static const struct plan of_put =
    MAKER("maker", short_ops, .max_retries = 1, FROM(0));
static const struct op put_driver[] = {
    PUT(100), SUBMIT(of_put), RELEASE(0), COMPUTE(1500), GET(1), END};

/* It is lost once more than it may be made. */
static const struct op twice_driver[] = {
    SUBMIT(maker), COMPUTE(1500), WAIT_READY(0), COMPUTE(1000), GET(0), END};

/* Its task was cancelled when it was over, which is too late for that. */
static const struct op cancelled_driver[] = {
    SUBMIT(maker), COMPUTE(500), CANCEL(0), COMPUTE(1000), GET(0), END};

/* Two tasks are more than may be remembered: the older one is forgotten. */
static const struct op evicted_driver[] = {
    SUBMIT(maker), SUBMIT(maker), COMPUTE(1500), GET(0), GET(1), END};

/* Both results come of one run, though only the first is asked for. */
static const struct plan both = {
    .gene = {.seed = 9, .name = "both", .ops = short_ops, .result_size = 100},
    .shape.amount = {TG_UNIT},
    .nreturns = 2,
    .max_retries = 1};
static const struct op both_driver[] = {SUBMIT(both), COMPUTE(1500), GET(0),
                                        GET(1), END};

/* Its reader waits for bytes that went down with a rank, and has its CPU: it
 * goes back to its owner, and the CPU makes them. */
static const struct plan reader =
    TASK_WITH("reader", short_ops, AT(2), FROM(0));
static const struct op cpu_driver[] = {SUBMIT(maker), COMPUTE(1000),
                                       SUBMIT(reader), GET(1), END};

/* So it is when its owner is not the object's. */
static const struct plan nested_reader =
    TASK_WITH("reader", short_ops, AT(2), FROM(0));
static const struct op parent_ops[] = {COMPUTE(1000), SUBMIT(nested_reader),
                                       GET(1), END};
static const struct plan parent =
    TASK_OF("parent", parent_ops, 0, AT(3), .nargs = 1,
            .args = {{.size = 16, .n = 1, .slot = {0}}});
static const struct op borrowed_driver[] = {SUBMIT(maker), COMPUTE(500),
                                            SUBMIT(parent), GET(1), END};

/* A ready task's argument is lost before it is sent. */
static const struct plan busy = TASK_WITH("busy", long_ops, AT(2));
static const struct plan waiting =
    TASK_OF("waiting", short_ops, 2 * TG_UNIT, AT(2), FROM(0));
static const struct op waiting_driver[] = {
    SUBMIT(maker),   COMPUTE(300), SUBMIT(busy), COMPUTE(100),
    SUBMIT(waiting), GET(2),       END};

/* A method's result is made again by its actor, if calls may be. */
static const struct plan actor = ACTOR_AGAIN("actor", short_ops, 1, 1);
static const struct plan method = {
    .gene = {.seed = 4, .name = "method", .ops = short_ops, .result_size = 100},
    .nreturns = 1,
    .call = true,
    .max_retries = TG_AS_ACTOR};
static const struct op method_driver[] = {SUBMIT(actor), SUBMIT(method),
                                          COMPUTE(2000), GET(1), END};

/* The actor is no more: nobody can make it. */
static const struct op no_actor_driver[] = {SUBMIT(actor),
                                            SUBMIT(method),
                                            COMPUTE(1000),
                                            RELEASE(0),
                                            COMPUTE(1000),
                                            GET(1),
                                            END};

#define TWO_WORKERS .nranks = 3, .cpus = {0, 1, 1}

const struct story stories_lineage[] = {
    {.name = "a lost result is made again when it is read",
     TWO_WORKERS,
     .driver = again_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 makes blob 1\n"
                 "[  110] 1 seals blob 1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[ 1000] 1 dies\n"
                 "[ 1100] 0 declares 1 lost\n"
                 "[ 1110] 0 -> 2 gone 1\n"
                 "[ 1510] 0 -> 2 open 2.1 for 0\n"
                 "[ 1510] 0 -> 2 run 0.1 on 2.1\n"
                 "[ 1510] 2 starts 0.1 again\n"
                 "[ 1610] 2 makes blob 1\n"
                 "[ 1610] 2 seals blob 1\n"
                 "[ 1610] 2 ends 0.1 with 0\n"
                 "[ 1620] 2 -> 0 done 0.1 with 0\n"
                 "[ 1620] 0 makes blob 1\n"
                 "[ 1630] 0 -> 2 pull bytes of blob 1 to 1\n"
                 "[ 1630] 2 sends blob 1 to 0: 100 at 0\n"
                 "[ 1740] 2 -> 0 data 100 at 0 for blob 1\n"
                 "[ 1740] 0 seals blob 1\n"
                 "[ 1740] 0 reads 0.1\n"
                 "[ 1740] 0 frees blob 1\n"},
    {.name = "a lost result that nobody reads is not made again",
     TWO_WORKERS,
     .driver = unread_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 makes blob 1\n"
                 "[  110] 1 seals blob 1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[ 1000] 1 dies\n"
                 "[ 1100] 0 declares 1 lost\n"
                 "[ 1110] 0 -> 2 gone 1\n"},
    {.name = "arguments that are no more are made again as well",
     TWO_WORKERS,
     .driver = chain_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 first\n"
                 "[    0] 0 submits 0.2 second\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 makes blob 1\n"
                 "[  110] 1 seals blob 1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 run 0.2 on 1.1\n"
                 "[  130] 1 starts 0.2\n"
                 "[  230] 1 makes blob 2\n"
                 "[  230] 1 seals blob 2\n"
                 "[  230] 1 ends 0.2 with 0\n"
                 "[  240] 1 -> 0 done 0.2 with 0\n"
                 "[  240] 1 -> 0 drop 1\n"
                 "[  250] 0 -> 1 forget blob 1\n"
                 "[  250] 1 frees blob 1\n"
                 "[ 1000] 1 dies\n"
                 "[ 1100] 0 declares 1 lost\n"
                 "[ 1110] 0 -> 2 gone 1\n"
                 "[ 1510] 0 -> 2 open 2.1 for 0\n"
                 "[ 1510] 0 -> 2 run 0.1 on 2.1\n"
                 "[ 1510] 2 starts 0.1 again\n"
                 "[ 1610] 2 makes blob 1\n"
                 "[ 1610] 2 seals blob 1\n"
                 "[ 1610] 2 ends 0.1 with 0\n"
                 "[ 1620] 2 -> 0 done 0.1 with 0\n"
                 "[ 1630] 0 -> 2 run 0.2 on 2.1\n"
                 "[ 1630] 2 starts 0.2 again\n"
                 "[ 1730] 2 makes blob 2\n"
                 "[ 1730] 2 seals blob 2\n"
                 "[ 1730] 2 ends 0.2 with 0\n"
                 "[ 1740] 2 -> 0 done 0.2 with 0\n"
                 "[ 1740] 0 makes blob 1\n"
                 "[ 1740] 2 -> 0 drop 1\n"
                 "[ 1750] 0 -> 2 pull bytes of blob 2 to 1\n"
                 "[ 1750] 2 sends blob 2 to 0: 100 at 0\n"
                 "[ 1860] 2 -> 0 data 100 at 0 for blob 1\n"
                 "[ 1860] 0 seals blob 1\n"
                 "[ 1860] 0 reads 0.2\n"
                 "[ 1860] 0 frees blob 1\n"},
    {.name = "what was put stays for the task that might need it again",
     TWO_WORKERS,
     .driver = put_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 submits 0.1 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 makes blob 1\n"
                 "[   20] 1 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 0 sends blob 1 to 1: 100 at 0\n"
                 "[  130] 0 -> 1 data 100 at 0 for blob 1\n"
                 "[  130] 1 seals blob 1\n"
                 "[  130] 1 starts 0.1\n"
                 "[  140] 1 -> 0 news copy of put 0\n"
                 "[  230] 1 makes blob 2\n"
                 "[  230] 1 seals blob 2\n"
                 "[  230] 1 ends 0.1 with 0\n"
                 "[  240] 1 -> 0 done 0.1 with 0\n"
                 "[  250] 0 -> 1 fade put 0\n"
                 "[  250] 1 frees blob 1\n"
                 "[  260] 1 -> 0 drop 1\n"
                 "[  260] 1 -> 0 news no copy of put 0\n"
                 "[ 1000] 1 dies\n"
                 "[ 1100] 0 declares 1 lost\n"
                 "[ 1110] 0 -> 2 gone 1\n"
                 "[ 1510] 0 -> 2 open 2.1 for 0\n"
                 "[ 1510] 0 -> 2 run 0.1 on 2.1\n"
                 "[ 1510] 2 makes blob 1\n"
                 "[ 1520] 2 -> 0 pull bytes of blob 1 to 1\n"
                 "[ 1520] 0 sends blob 1 to 2: 100 at 0\n"
                 "[ 1630] 0 -> 2 data 100 at 0 for blob 1\n"
                 "[ 1630] 2 seals blob 1\n"
                 "[ 1630] 2 starts 0.1 again\n"
                 "[ 1640] 2 -> 0 news copy of put 0\n"
                 "[ 1650] 0 -> 2 fade put 0\n"
                 "[ 1730] 2 makes blob 2\n"
                 "[ 1730] 2 seals blob 2\n"
                 "[ 1730] 2 ends 0.1 with 0\n"
                 "[ 1730] 2 frees blob 1\n"
                 "[ 1740] 2 -> 0 done 0.1 with 0\n"
                 "[ 1740] 0 makes blob 2\n"
                 "[ 1740] 2 -> 0 drop 1\n"
                 "[ 1740] 0 frees blob 1\n"
                 "[ 1740] 2 -> 0 news no copy of put 0\n"
                 "[ 1750] 0 -> 2 fade put 0\n"
                 "[ 1750] 0 -> 2 pull bytes of blob 2 to 2\n"
                 "[ 1750] 2 sends blob 2 to 0: 100 at 0\n"
                 "[ 1860] 2 -> 0 data 100 at 0 for blob 2\n"
                 "[ 1860] 0 seals blob 2\n"
                 "[ 1860] 0 reads 0.1\n"
                 "[ 1860] 0 frees blob 2\n"},
    {.name = "a result is lost more often than its task may run",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = twice_driver,
     .events = {{1000, WORLD_DIE, 1},
                {1100, WORLD_LOST, 1},
                {2500, WORLD_LOST, 2}},
     LINEAGE,
     .expected =
         "[    0] 0 submits 0.1 maker\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 makes blob 1\n"
         "[  110] 1 seals blob 1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[ 1000] 1 dies\n"
         "[ 1100] 0 declares 1 lost\n"
         "[ 1110] 0 -> 2 gone 1\n"
         "[ 1110] 0 -> 3 gone 1\n"
         "[ 1510] 0 -> 2 open 2.1 for 0\n"
         "[ 1510] 0 -> 2 run 0.1 on 2.1\n"
         "[ 1510] 2 starts 0.1 again\n"
         "[ 1610] 2 makes blob 1\n"
         "[ 1610] 2 seals blob 1\n"
         "[ 1610] 2 ends 0.1 with 0\n"
         "[ 1620] 2 -> 0 done 0.1 with 0\n"
         "[ 2500] 0 declares 2 lost\n"
         "[ 2510] 0 -> 3 gone 2\n"
         "[ 2620] 0 reads 0.1: error the object was lost with rank 2, and its task has no retries left of nobody\n"},
    {.name = "a task that was cancelled is not run again for its result",
     TWO_WORKERS,
     .driver = cancelled_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected =
         "[    0] 0 submits 0.1 maker\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 makes blob 1\n"
         "[  110] 1 seals blob 1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[ 1000] 1 dies\n"
         "[ 1100] 0 declares 1 lost\n"
         "[ 1110] 0 -> 2 gone 1\n"
         "[ 1500] 0 reads 0.1: error the object was lost with rank 1, and its task was cancelled of nobody\n"},
    {.name = "the oldest tasks are forgotten",
     TWO_WORKERS,
     .driver = evicted_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     .brief = true,
     .store = {.from = 50},
     .lineage_bytes = 400,
     .expected =
         "[    0] 0 submits 0.1 maker\n"
         "[    0] 0 submits 0.2 maker\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.2 on 2.1\n"
         "[   10] 2 starts 0.2\n"
         "[  110] 1 makes blob 1\n"
         "[  110] 1 seals blob 1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  110] 2 makes blob 1\n"
         "[  110] 2 seals blob 1\n"
         "[  110] 2 ends 0.2 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  120] 2 -> 0 done 0.2 with 0\n"
         "[ 1000] 1 dies\n"
         "[ 1100] 0 declares 1 lost\n"
         "[ 1110] 0 -> 2 gone 1\n"
         "[ 1130] 0 -> 2 close 2.1\n"
         "[ 1140] 2 -> 0 closed 2.1\n"
         "[ 1500] 0 reads 0.1: error the object was lost with rank 1, and its task was forgotten (TRYGON_LINEAGE_BYTES) of nobody\n"
         "[ 1500] 0 makes blob 1\n"
         "[ 1510] 0 -> 2 pull bytes of blob 1 to 1\n"
         "[ 1510] 2 sends blob 1 to 0: 100 at 0\n"
         "[ 1620] 2 -> 0 data 100 at 0 for blob 1\n"
         "[ 1620] 0 seals blob 1\n"
         "[ 1620] 0 reads 0.2\n"
         "[ 1620] 0 frees blob 1\n"},
    {.name = "both results of a task are made by one run",
     TWO_WORKERS,
     .driver = both_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 both\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 makes blob 1\n"
                 "[  110] 1 seals blob 1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[ 1000] 1 dies\n"
                 "[ 1100] 0 declares 1 lost\n"
                 "[ 1110] 0 -> 2 gone 1\n"
                 "[ 1510] 0 -> 2 open 2.1 for 0\n"
                 "[ 1510] 0 -> 2 run 0.1 on 2.1\n"
                 "[ 1510] 2 starts 0.1 again\n"
                 "[ 1610] 2 makes blob 1\n"
                 "[ 1610] 2 seals blob 1\n"
                 "[ 1610] 2 ends 0.1 with 0\n"
                 "[ 1620] 2 -> 0 done 0.1 with 0\n"
                 "[ 1620] 0 makes blob 1\n"
                 "[ 1630] 0 -> 2 pull bytes of blob 1 to 1\n"
                 "[ 1630] 2 sends blob 1 to 0: 100 at 0\n"
                 "[ 1740] 2 -> 0 data 100 at 0 for blob 1\n"
                 "[ 1740] 0 seals blob 1\n"
                 "[ 1740] 0 reads 0.1\n"
                 "[ 1740] 0 reads 0.1\n"
                 "[ 1740] 0 frees blob 1\n"},
    {.name = "who waits for a lost argument gives its CPU to who makes it",
     TWO_WORKERS,
     .driver = cpu_driver,
     .events = {{990, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 makes blob 1\n"
                 "[  110] 1 seals blob 1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  990] 1 dies\n"
                 "[ 1000] 0 submits 0.2 reader\n"
                 "[ 1010] 0 -> 2 open 2.1 for 0\n"
                 "[ 1010] 0 -> 2 run 0.2 on 2.1\n"
                 "[ 1010] 2 makes blob 1\n"
                 "[ 1100] 0 declares 1 lost\n"
                 "[ 1110] 0 -> 2 gone 1\n"
                 "[ 1110] 2 frees blob 1\n"
                 "[ 1120] 2 -> 0 watch 0.1\n"
                 "[11130] 0 -> 2 recall 2.1\n"
                 "[101020] 2 -> 0 bounce 2.1 args: 0.2\n"
                 "[101020] 2 -> 0 bounce 2.1 closed\n"
                 "[101020] 2 -> 0 closed 2.1\n"
                 "[101020] 2 -> 0 drop 1\n"
                 "[101030] 0 -> 2 open 2.2 for 0\n"
                 "[101030] 0 -> 2 run 0.1 on 2.2\n"
                 "[101030] 2 starts 0.1 again\n"
                 "[101130] 2 makes blob 2\n"
                 "[101130] 2 seals blob 2\n"
                 "[101130] 2 ends 0.1 with 0\n"
                 "[101140] 2 -> 0 done 0.1 with 0\n"
                 "[101150] 0 -> 2 value 0.1\n"
                 "[102150] 0 -> 2 close 2.2\n"
                 "[102160] 2 -> 0 closed 2.2\n"
                 "[102170] 0 -> 2 open 2.3 for 0\n"
                 "[102170] 0 -> 2 run 0.2 on 2.3\n"
                 "[102170] 2 starts 0.2\n"
                 "[102270] 2 ends 0.2 with 0\n"
                 "[102280] 2 -> 0 done 0.2 with 0\n"
                 "[102280] 2 -> 0 drop 1\n"
                 "[102280] 0 reads 0.2\n"},
    {.name = "an owner asks anew for an argument that was lost",
     .nranks = 4,
     .cpus = {0, 1, 1, 0},
     .driver = borrowed_driver,
     .events = {{1400, WORLD_DIE, 1}, {1800, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 makes blob 1\n"
                 "[  110] 1 seals blob 1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  500] 0 submits 0.2 parent\n"
                 "[  510] 0 -> 3 open 3.1 for 0\n"
                 "[  510] 0 -> 3 run 0.2 on 3.1\n"
                 "[  510] 3 starts 0.2\n"
                 "[ 1130] 0 -> 1 close 1.1\n"
                 "[ 1140] 1 -> 0 closed 1.1\n"
                 "[ 1400] 1 dies\n"
                 "[ 1510] 3 submits 3.1 reader\n"
                 "[ 1520] 3 -> 0 watch 0.1, not its bytes\n"
                 "[ 1530] 0 -> 3 value 0.1\n"
                 "[ 1540] 3 -> 0 demand 1 at depth 1\n"
                 "[ 1550] 0 -> 2 open 2.1 for 3\n"
                 "[ 1550] 0 -> 3 lease 2.1\n"
                 "[ 1560] 3 -> 2 run 3.1 on 2.1\n"
                 "[ 1560] 2 makes blob 1\n"
                 "[ 1800] 0 declares 1 lost\n"
                 "[ 1810] 0 -> 2 gone 1\n"
                 "[ 1810] 2 frees blob 1\n"
                 "[ 1810] 0 -> 3 gone 1\n"
                 "[ 1820] 2 -> 0 watch 0.1\n"
                 "[ 2520] 3 -> 0 lend 3.1\n"
                 "[ 2520] 3 -> 0 bounce 3.1 blocked\n"
                 "[101570] 2 -> 3 bounce 2.1 args: 3.1\n"
                 "[101570] 2 -> 0 drop 1\n"
                 "[101580] 3 -> 0 watch 0.1, not its bytes\n"
                 "[102580] 3 -> 2 close 2.1\n"
                 "[102590] 2 -> 0 closed 2.1\n"
                 "[102600] 0 -> 2 open 2.2 for 0\n"
                 "[102600] 0 -> 2 run 0.1 on 2.2\n"
                 "[102600] 2 starts 0.1 again\n"
                 "[102700] 2 makes blob 2\n"
                 "[102700] 2 seals blob 2\n"
                 "[102700] 2 ends 0.1 with 0\n"
                 "[102710] 2 -> 0 done 0.1 with 0\n"
                 "[102720] 0 -> 2 value 0.1\n"
                 "[102720] 0 -> 3 value 0.1\n"
                 "[102730] 3 -> 0 demand 1 at depth 1\n"
                 "[103720] 0 -> 2 close 2.2\n"
                 "[103730] 2 -> 0 closed 2.2\n"
                 "[103740] 0 -> 2 open 2.3 for 3\n"
                 "[103740] 0 -> 3 lease 2.3\n"
                 "[103750] 3 -> 2 run 3.1 on 2.3\n"
                 "[103750] 2 starts 3.1\n"
                 "[103850] 2 ends 3.1 with 0\n"
                 "[103860] 2 -> 3 done 3.1 with 0\n"
                 "[103860] 2 -> 0 drop 1\n"
                 "[103860] 3 reads 3.1\n"
                 "[103860] 3 ends 0.2 with 0\n"
                 "[103870] 3 -> 0 resume 3.1\n"
                 "[103870] 3 -> 0 done 0.2 with 0\n"
                 "[103870] 3 -> 0 drop 1\n"
                 "[103870] 0 reads 0.2\n"},
    {.name = "a ready task waits for an argument that is made again",
     .nranks = 3,
     .cpus = {0, 1, 2},
     .driver = waiting_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 makes blob 1\n"
                 "[  110] 1 seals blob 1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  300] 0 submits 0.2 busy\n"
                 "[  310] 0 -> 2 open 2.1 for 0\n"
                 "[  310] 0 -> 2 run 0.2 on 2.1\n"
                 "[  310] 2 starts 0.2\n"
                 "[  400] 0 submits 0.3 waiting\n"
                 "[ 1000] 1 dies\n"
                 "[ 1100] 0 declares 1 lost\n"
                 "[ 1110] 0 -> 2 gone 1\n"
                 "[ 3310] 2 ends 0.2 with 0\n"
                 "[ 3320] 2 -> 0 done 0.2 with 0\n"
                 "[ 4330] 0 -> 2 close 2.1\n"
                 "[ 4340] 2 -> 0 closed 2.1\n"
                 "[ 4350] 0 -> 2 open 2.2 for 0\n"
                 "[ 5350] 0 -> 2 close 2.2\n"
                 "[ 5360] 2 -> 0 closed 2.2\n"
                 "[ 5370] 0 -> 2 open 2.3 for 0\n"
                 "[ 5370] 0 -> 2 run 0.1 on 2.3\n"
                 "[ 5370] 2 starts 0.1 again\n"
                 "[ 5470] 2 makes blob 1\n"
                 "[ 5470] 2 seals blob 1\n"
                 "[ 5470] 2 ends 0.1 with 0\n"
                 "[ 5480] 2 -> 0 done 0.1 with 0\n"
                 "[ 6490] 0 -> 2 close 2.3\n"
                 "[ 6500] 2 -> 0 closed 2.3\n"
                 "[ 6510] 0 -> 2 open 2.4 for 0\n"
                 "[ 6510] 0 -> 2 run 0.3 on 2.4\n"
                 "[ 6510] 2 starts 0.3\n"
                 "[ 6610] 2 ends 0.3 with 0\n"
                 "[ 6620] 2 -> 0 done 0.3 with 0\n"
                 "[ 6620] 2 -> 0 drop 1\n"
                 "[ 6620] 0 reads 0.3\n"},
    {.name = "a method's result is made again by its actor",
     TWO_WORKERS,
     .driver = method_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 method\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.2\n"
                 "[  130] 1 starts 0.2\n"
                 "[  230] 1 makes blob 1\n"
                 "[  230] 1 seals blob 1\n"
                 "[  230] 1 ends 0.2 with 0\n"
                 "[  240] 1 -> 0 done 0.2 with 0\n"
                 "[ 1000] 1 dies\n"
                 "[ 1100] 0 declares 1 lost\n"
                 "[ 1110] 0 -> 2 gone 1\n"
                 "[ 1110] 0 -> 2 open 2.1 for 0\n"
                 "[ 1110] 0 -> 2 run 0.1 on 2.1\n"
                 "[ 1110] 2 starts 0.1 again\n"
                 "[ 1210] 2 ends 0.1 with 0\n"
                 "[ 1220] 2 -> 0 done 0.1 with 0\n"
                 "[ 2010] 0 -> 2 call 0.2\n"
                 "[ 2010] 2 starts 0.2 again\n"
                 "[ 2110] 2 makes blob 1\n"
                 "[ 2110] 2 seals blob 1\n"
                 "[ 2110] 2 ends 0.2 with 0\n"
                 "[ 2120] 2 -> 0 done 0.2 with 0\n"
                 "[ 2120] 0 makes blob 1\n"
                 "[ 2130] 0 -> 2 pull bytes of blob 1 to 1\n"
                 "[ 2130] 2 sends blob 1 to 0: 100 at 0\n"
                 "[ 2230] 0 -> 2 close 2.1\n"
                 "[ 2240] 2 -> 0 data 100 at 0 for blob 1\n"
                 "[ 2240] 0 seals blob 1\n"
                 "[ 2240] 2 -> 0 closed 2.1\n"
                 "[ 2240] 0 reads 0.2\n"
                 "[ 2240] 0 frees blob 1\n"},
    {.name = "a method's result is lost with its actor",
     TWO_WORKERS,
     .driver = no_actor_driver,
     .events = {{1500, WORLD_DIE, 1}, {1600, WORLD_LOST, 1}},
     LINEAGE,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 method\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  230] 1 makes blob 1\n"
         "[  230] 1 seals blob 1\n"
         "[  230] 1 ends 0.2 with 0\n"
         "[  240] 1 -> 0 done 0.2 with 0\n"
         "[ 1010] 0 -> 1 leave scope\n"
         "[ 1010] 1 destroys the actor of 0.1\n"
         "[ 1130] 0 -> 1 close 1.1\n"
         "[ 1140] 1 -> 0 closed 1.1\n"
         "[ 1500] 1 dies\n"
         "[ 1600] 0 declares 1 lost\n"
         "[ 1610] 0 -> 2 gone 1\n"
         "[ 2000] 0 reads 0.2: error the object was lost, and the actor of its call has ended, or has no handle here of nobody\n"},
    {0}};
