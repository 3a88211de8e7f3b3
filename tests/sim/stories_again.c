/* stories_again.c - what else waits while lost results are made again. */
#include "story.h"

static const struct op short_ops[] = {COMPUTE(100), END};

/* The second method takes the first one's result: both are called again. */
static const struct plan actor = ACTOR_AGAIN("actor", short_ops, -1, -1);
#define METHOD(name_, size_, ...)                                            \
    {                                                                        \
        .gene = {.seed = __LINE__,                                           \
                 .name = (name_),                                            \
                 .ops = short_ops,                                           \
                 .result_size = (size_)},                                    \
        .nreturns = 1, .call = true, .max_retries = TG_AS_ACTOR, __VA_ARGS__ \
    }
static const struct plan one = METHOD("one", 100, .nargs = 0);
static const struct plan two = METHOD("two", 100, FROM(1));
static const struct op methods_driver[] = {
    SUBMIT(actor), SUBMIT(one), SUBMIT(two), COMPUTE(2000), GET(2), END};

/* A call waits at its actor for what an earlier method is to make again. */
static const struct plan far = TASK_OF(
    "actor", short_ops, TG_UNIT,
    .create = {.concurrency = 1, .max_pending = -1, .max_task_retries = -1},
    .max_retries = -1, AT(2));
static const struct plan between =
    MAKER("between", short_ops, .max_retries = -1, FROM(1), AT(1),
          .shape.soft = true);
static const struct plan last = METHOD("last", 16, FROM(2));
static const struct op line_driver[] = {
    SUBMIT(far),   SUBMIT(one),  SUBMIT(between), RELEASE(1),
    COMPUTE(2000), SUBMIT(last), GET(3),          END};

/* Somebody else on its rank waits for the bytes, too, when an owner asks anew. */
static const struct plan maker = MAKER("maker", short_ops, .max_retries = 1);
static const struct plan reader =
    TASK_WITH("reader", short_ops, AT(2), FROM(0));
static const struct op parent_ops[] = {
    COMPUTE(1000), SUBMIT(reader),
    COMPUTE(100),  {.type = OP_CALL, .n = 1, .slot = {0}},
    GET(1),        END};
static const struct plan parent =
    TASK_OF("parent", parent_ops, 0, AT(3), .nargs = 1,
            .args = {{.size = 16, .n = 1, .slot = {0}}});
static const struct op both_ask_driver[] = {SUBMIT(maker), COMPUTE(500),
                                            SUBMIT(parent), GET(1), END};

const struct story stories_again[] = {
    {.name = "methods that are called again do not wait for each other",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = methods_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 one\n"
                 "[    0] 0 submits 0.3 two\n"
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
                 "[  250] 0 -> 1 call 0.3\n"
                 "[  250] 1 starts 0.3\n"
                 "[  350] 1 makes blob 2\n"
                 "[  350] 1 seals blob 2\n"
                 "[  350] 1 ends 0.3 with 0\n"
                 "[  360] 1 -> 0 done 0.3 with 0\n"
                 "[  360] 1 -> 0 drop 1\n"
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
                 "[ 2130] 0 -> 2 call 0.3\n"
                 "[ 2130] 2 starts 0.3 again\n"
                 "[ 2230] 2 makes blob 2\n"
                 "[ 2230] 2 seals blob 2\n"
                 "[ 2230] 2 ends 0.3 with 0\n"
                 "[ 2230] 0 -> 2 close 2.1\n"
                 "[ 2240] 2 -> 0 done 0.3 with 0\n"
                 "[ 2240] 0 makes blob 1\n"
                 "[ 2240] 2 -> 0 drop 1\n"
                 "[ 2240] 2 -> 0 closed 2.1\n"
                 "[ 2250] 0 -> 2 pull bytes of blob 2 to 1\n"
                 "[ 2250] 2 sends blob 2 to 0: 100 at 0\n"
                 "[ 2360] 2 -> 0 data 100 at 0 for blob 1\n"
                 "[ 2360] 0 seals blob 1\n"
                 "[ 2360] 0 reads 0.3\n"
                 "[ 2360] 0 frees blob 1\n"},
    {.name = "a call lets others of its actor make its argument",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = line_driver,
     .events = {{2050, WORLD_DIE, 1}, {2300, WORLD_LOST, 1}},
     LINEAGE,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 one\n"
                 "[    0] 0 submits 0.3 between\n"
                 "[   10] 0 -> 2 open 2.1 for 0\n"
                 "[   10] 0 -> 2 run 0.1 on 2.1\n"
                 "[   10] 2 starts 0.1\n"
                 "[  110] 2 ends 0.1 with 0\n"
                 "[  120] 2 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 2 call 0.2\n"
                 "[  130] 2 starts 0.2\n"
                 "[  230] 2 makes blob 1\n"
                 "[  230] 2 seals blob 1\n"
                 "[  230] 2 ends 0.2 with 0\n"
                 "[  240] 2 -> 0 done 0.2 with 0\n"
                 "[  250] 0 -> 1 open 1.1 for 0\n"
                 "[  250] 0 -> 1 run 0.3 on 1.1\n"
                 "[  250] 1 makes blob 1\n"
                 "[  260] 1 -> 2 pull bytes of blob 1 to 1\n"
                 "[  260] 2 sends blob 1 to 1: 100 at 0\n"
                 "[  370] 2 -> 1 data 100 at 0 for blob 1\n"
                 "[  370] 1 seals blob 1\n"
                 "[  370] 1 starts 0.3\n"
                 "[  380] 1 -> 0 news copy of 0.2\n"
                 "[  470] 1 makes blob 2\n"
                 "[  470] 1 seals blob 2\n"
                 "[  470] 1 ends 0.3 with 0\n"
                 "[  480] 1 -> 0 done 0.3 with 0\n"
                 "[  490] 0 -> 1 fade 0.2\n"
                 "[  490] 1 frees blob 1\n"
                 "[  500] 1 -> 0 drop 1\n"
                 "[  500] 1 -> 0 news no copy of 0.2\n"
                 "[  510] 0 -> 2 forget blob 1\n"
                 "[  510] 2 frees blob 1\n"
                 "[ 1130] 0 -> 2 close 2.1\n"
                 "[ 1140] 2 -> 0 closed 2.1\n"
                 "[ 1490] 0 -> 1 close 1.1\n"
                 "[ 1500] 1 -> 0 closed 1.1\n"
                 "[ 2000] 0 submits 0.4 last\n"
                 "[ 2010] 0 -> 2 call 0.4\n"
                 "[ 2010] 2 makes blob 2\n"
                 "[ 2020] 2 -> 1 pull bytes of blob 2 to 2\n"
                 "[ 2020] 1 sends blob 2 to 2: 100 at 0\n"
                 "[ 2050] 1 dies\n"
                 "[ 2300] 0 declares 1 lost\n"
                 "[ 2310] 0 -> 2 gone 1\n"
                 "[ 2310] 2 frees blob 2\n"
                 "[ 2310] 0 -> 3 gone 1\n"
                 "[ 2320] 2 -> 0 watch 0.3\n"
                 "[ 2330] 0 -> 2 call 0.2\n"
                 "[102010] 2 starts 0.2 again\n"
                 "[102020] 2 -> 0 done 0.4 with -2147483647\n"
                 "[102020] 2 -> 0 drop 1\n"
                 "[102110] 2 makes blob 3\n"
                 "[102110] 2 seals blob 3\n"
                 "[102110] 2 ends 0.2 with 0\n"
                 "[102120] 2 -> 0 done 0.2 with 0\n"
                 "[102130] 0 -> 2 open 2.2 for 0\n"
                 "[102130] 0 -> 2 run 0.3 on 2.2\n"
                 "[102130] 2 starts 0.3 again\n"
                 "[102230] 2 makes blob 4\n"
                 "[102230] 2 seals blob 4\n"
                 "[102230] 2 ends 0.3 with 0\n"
                 "[102240] 2 -> 0 done 0.3 with 0\n"
                 "[102240] 2 -> 0 drop 1\n"
                 "[102250] 0 -> 2 value 0.3\n"
                 "[102250] 0 -> 2 call 0.4\n"
                 "[102250] 2 starts 0.4\n"
                 "[102250] 0 -> 2 forget blob 3\n"
                 "[102250] 2 frees blob 3\n"
                 "[102350] 2 ends 0.4 with 0\n"
                 "[102360] 2 -> 0 done 0.4 with 0\n"
                 "[102360] 2 -> 0 drop 1\n"
                 "[102360] 0 reads 0.4\n"},
    {.name = "two on a rank ask for what is lost",
     .nranks = 4,
     .cpus = {0, 1, 1, 0},
     .driver = both_ask_driver,
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
                 "[ 1610] 3 makes blob 1\n"
                 "[ 1800] 0 declares 1 lost\n"
                 "[ 1810] 0 -> 2 gone 1\n"
                 "[ 1810] 2 frees blob 1\n"
                 "[ 1810] 0 -> 3 gone 1\n"
                 "[ 1810] 3 frees blob 1\n"
                 "[ 1820] 2 -> 0 watch 0.1\n"
                 "[ 1820] 3 -> 0 watch 0.1\n"
                 "[ 2620] 3 -> 0 lend 3.1\n"
                 "[ 2620] 3 -> 0 bounce 3.1 blocked\n"
                 "[101570] 2 -> 3 bounce 2.1 args: 3.1\n"
                 "[101570] 2 -> 0 drop 1\n"
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
                 "[102720] 3 makes blob 2\n"
                 "[102730] 3 -> 0 demand 1 at depth 1\n"
                 "[102730] 3 -> 2 pull bytes of blob 2 to 2\n"
                 "[102730] 2 sends blob 2 to 3: 100 at 0\n"
                 "[102840] 2 -> 3 data 100 at 0 for blob 2\n"
                 "[102840] 3 seals blob 2\n"
                 "[102850] 3 -> 0 news copy of 0.1\n"
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
                 "[103870] 0 reads 0.2\n"},
    {0}};
