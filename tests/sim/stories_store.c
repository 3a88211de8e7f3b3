/* stories_store.c - large objects: values whose bytes are in stores. */
#include "story.h"

#define LOOK(slot_)                                \
    {                                              \
        .type = OP_LOOK, .n = 1, .slot = { slot_ } \
    }

/* As READER_AT(), with references within a value, so that nothing is pinned. */
#define HOLDER_AT(name_, ops_, node_, n_, ...)                             \
    TASK_WITH(name_, ops_, .shape.strategy = TRYGON_STRATEGY_NODE,         \
              .shape.node = (node_), .shape.fail = true, .max_retries = 0, \
              .nargs = 1,                                                  \
              .args = {{.size = 16, .n = (n_), .slot = {__VA_ARGS__}}})

static const struct op short_ops[] = {COMPUTE(100), END};

/* Written by one rank of the node, read by the other where it is. */
static const struct plan beside = READER_AT("reader", short_ops, 0, 0);
static const struct op in_place_driver[] = {PUT(100), SUBMIT(beside), GET(1),
                                            GET(0), END};

/* One of the node holds much idly, the other needs it. */
static const struct op needy_ops[] = {COMPUTE(100), PUT(150), END};
static const struct plan needy = TASK("needy", needy_ops);
static const struct op idle_driver[] = {
    PUT(100), PUT(100), PUT(100), SUBMIT(needy), GET(3), GET(2), END};

/* A copy leaves for what is put there; that is written to a file only when no
 * copy is left. */
static const struct op copy_first_ops[] = {
    GET(0),   COMPUTE(3000), PUT(100), COMPUTE(3000),
    PUT(100), COMPUTE(3000), END};
static const struct plan copy_first =
    HOLDER_AT("copies first", copy_first_ops, 1, 1, 0);
static const struct op copy_first_driver[] = {PUT(100), SUBMIT(copy_first),
                                              GET(1), END};

/* The one that was used least recently goes to a file, and comes back. */
static const struct op spill_driver[] = {
    PUT(100), PUT(100), COMPUTE(3000), PUT(100), COMPUTE(3000), GET(0), END};

/* Each pins one and needs another: one of the two gets a mapped file. */
static const struct op both_ops[] = {LOOK(0), COMPUTE(1000), LOOK(1), END};
static const struct plan first_both = HOLDER_AT("first", both_ops, 1, 2, 0, 1);
static const struct plan second_both =
    HOLDER_AT("second", both_ops, 1, 2, 2, 3);
static const struct op both_driver[] = {PUT(100),
                                        PUT(100),
                                        PUT(100),
                                        PUT(100),
                                        SUBMIT(first_both),
                                        SUBMIT(second_both),
                                        GET(4),
                                        GET(5),
                                        END};

/* Each has the first of two, then the other one, for which the first has left:
 * the older one gets both, then the younger, and nobody a mapped file. */
static const struct op two_ops[] = {GET(0), COMPUTE(3000), GET2(0, 1), END};
static const struct plan first_two = HOLDER_AT("first", two_ops, 1, 2, 0, 1);
static const struct plan second_two = HOLDER_AT("second", two_ops, 1, 2, 2, 3);
static const struct op two_driver[] = {
    PUT(100),           PUT(100), PUT(100), PUT(100), SUBMIT(first_two),
    SUBMIT(second_two), GET(4),   GET(5),   END};

static const struct op result_ops[] = {COMPUTE(200), END};
static const struct plan large_result = {
    .gene = {.seed = 5, .name = "large", .ops = result_ops, .result_size = 100},
    .shape.amount = {TG_UNIT},
    .nreturns = 1};

/* Another one of the rank has it pinned: until it is released. */
static const struct op putter_ops[] = {COMPUTE(100), PUT(100), END};
static const struct plan putter = TASK("putter", putter_ops);
static const struct op pinning_client[] = {
    PUT(100), LOOK(0), SUBMIT(putter), COMPUTE(9000), RELEASE(0), GET(1), END};
static const struct op file_client[] = {
    PUT(100), LOOK(0), SUBMIT(putter), COMPUTE(60000), RELEASE(0), GET(1), END};
static const struct op waiting_driver[] = {COMPUTE(70000), END};

/* The owner of a call is lost while its method waits for room: it ends all the
 * same. */
static const struct op holding_client[] = {PUT(100), LOOK(0), COMPUTE(5000),
                                           RELEASE(0), END};
static const struct plan actor =
    TASK_OF("actor", putter_ops + 2, TG_UNIT,
            .create = {.concurrency = 1, .max_pending = -1});
static const struct plan large_call = {
    .gene = {.seed = 7, .name = "call", .ops = result_ops, .result_size = 100},
    .call = true,
    .nreturns = 1};
static const struct op caller_ops[] = {SUBMIT(large_call), COMPUTE(9000), END};
static const struct plan caller = HOLDER_AT("caller", caller_ops, 2, 1, 0);
static const struct op calling_driver[] = {SUBMIT(actor), SUBMIT(caller),
                                           COMPUTE(7000), END};

/* Nothing can be written: what is there stays, and a put is refused. */
static const struct op broken_driver[] = {PUT(100), PUT(100), PUT(100),
                                          GET(0),   GET(1),   END};

/* What cannot be read back is lost, and nothing else. */
static const struct op unread_driver[] = {
    PUT(100), PUT(100), PUT(100), COMPUTE(3000), GET(0), GET(2), END};

/* Nobody takes the result, or an item of a stream. */
static const struct op untaken_driver[] = {SUBMIT(large_result), COMPUTE(100),
                                           RELEASE(0), COMPUTE(600), END};
static const struct op items_ops[] = {YIELD, YIELD, COMPUTE(100), END};
static const struct plan items =
    STREAM("items", items_ops, 2, TG_ANY_AHEAD, .nargs = 0);
static const struct op closed_driver[] = {SUBMIT(items), COMPUTE(600),
                                          RELEASE(0), COMPUTE(600), END};

const struct story stories_store[] = {
    {.name = "a value is read in place on its node",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = in_place_driver,
     .together = 2,
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 submits 0.1 reader\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  120] 1 -> 0 drop 1\n"
                 "[  120] 0 reads 0.1\n"
                 "[  120] 0 reads put 0\n"
                 "[  120] 0 frees blob 1\n"},
    {.name = "an idle object leaves for another rank of its node",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = idle_driver,
     .together = 2,
     .brief = true,
     .store = {.from = 50, .bytes = 400},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 makes blob 2\n"
                 "[    0] 0 seals blob 2\n"
                 "[    0] 0 makes blob 3\n"
                 "[    0] 0 seals blob 3\n"
                 "[    0] 0 submits 0.1 needy\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 needs 150 bytes of its node\n"
                 "[  160] 0 spilled blob 1\n"
                 "[  160] 0 evicts blob 1\n"
                 "[  160] 1 needs 0 bytes of its node\n"
                 "[  160] 1 makes blob 1\n"
                 "[  160] 1 seals blob 1\n"
                 "[  160] 1 frees blob 1\n"
                 "[  160] 1 ends 0.1 with 0\n"
                 "[  170] 1 -> 0 news new put 1\n"
                 "[  170] 1 -> 0 news dead put 1\n"
                 "[  170] 1 -> 0 done 0.1 with 0\n"
                 "[  170] 0 reads 0.1\n"
                 "[  170] 0 reads put 0\n"
                 "[  170] 0 frees blob 1\n"
                 "[  170] 0 frees blob 2\n"
                 "[  170] 0 frees blob 3\n"},
    {.name = "copies leave before anything is written to a file",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = copy_first_driver,
     .brief = true,
     .store = {.from = 50, .bytes = 250},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 submits 0.1 copies first\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   20] 1 -> 0 watch put 0\n"
                 "[   30] 0 -> 1 value put 0\n"
                 "[   30] 1 makes blob 1\n"
                 "[   40] 1 -> 0 pull bytes of blob 1 to 1\n"
                 "[   40] 0 sends blob 1 to 1: 100 at 0\n"
                 "[  150] 0 -> 1 data 100 at 0 for blob 1\n"
                 "[  150] 1 seals blob 1\n"
                 "[  150] 1 reads put 0\n"
                 "[  160] 1 -> 0 news copy of put 0\n"
                 "[ 3150] 1 makes blob 2\n"
                 "[ 3150] 1 evicts blob 1\n"
                 "[ 3150] 1 seals blob 2\n"
                 "[ 3160] 1 -> 0 news no copy of put 0\n"
                 "[ 3160] 1 -> 0 news new put 1\n"
                 "[ 6150] 1 makes blob 3\n"
                 "[ 6150] 1 seals blob 3\n"
                 "[ 6160] 1 -> 0 news new put 1\n"
                 "[ 6200] 1 spilled blob 2\n"
                 "[ 6200] 1 evicts blob 2\n"
                 "[ 6210] 1 -> 0 news file put 1\n"
                 "[ 9150] 1 frees blob 2\n"
                 "[ 9150] 1 frees blob 3\n"
                 "[ 9150] 1 ends 0.1 with 0\n"
                 "[ 9160] 1 -> 0 news dead put 1, dead put 1\n"
                 "[ 9160] 1 -> 0 done 0.1 with 0\n"
                 "[ 9160] 1 -> 0 drop 1\n"
                 "[ 9160] 0 reads 0.1\n"
                 "[ 9160] 0 frees blob 1\n"},
    {.name = "an object goes to a file and comes back",
     .nranks = 1,
     .driver = spill_driver,
     .brief = true,
     .store = {.from = 50, .bytes = 250},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 makes blob 2\n"
                 "[    0] 0 seals blob 2\n"
                 "[   50] 0 spilled blob 1\n"
                 "[   50] 0 evicts blob 1\n"
                 "[ 3000] 0 makes blob 3\n"
                 "[ 3000] 0 seals blob 3\n"
                 "[ 3050] 0 spilled blob 2\n"
                 "[ 3050] 0 evicts blob 2\n"
                 "[ 6000] 0 makes blob 1\n"
                 "[ 6050] 0 spilled blob 3\n"
                 "[ 6050] 0 evicts blob 3\n"
                 "[ 6050] 0 restored blob 1\n"
                 "[ 6050] 0 seals blob 1\n"
                 "[ 6050] 0 reads put 0\n"
                 "[ 6050] 0 frees blob 1\n"
                 "[ 6050] 0 frees blob 2\n"
                 "[ 6050] 0 frees blob 3\n"},
    {.name = "two gets of more than the store end",
     .nranks = 2,
     .cpus = {0, 2},
     .driver = both_driver,
     .store_file_ns = 5000000,
     .brief = true,
     .store = {.from = 50, .bytes = 220},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 makes blob 2\n"
                 "[    0] 0 seals blob 2\n"
                 "[   50] 0 spilled blob 1\n"
                 "[   50] 0 evicts blob 1\n"
                 "[   50] 0 makes blob 3\n"
                 "[   50] 0 seals blob 3\n"
                 "[  100] 0 spilled blob 2\n"
                 "[  100] 0 evicts blob 2\n"
                 "[  100] 0 makes blob 4\n"
                 "[  100] 0 seals blob 4\n"
                 "[  100] 0 submits 0.1 first\n"
                 "[  100] 0 submits 0.2 second\n"
                 "[  110] 0 -> 1 open 1.1 for 0\n"
                 "[  110] 0 -> 1 run 0.1 on 1.1\n"
                 "[  110] 1 starts 0.1\n"
                 "[  110] 0 -> 1 open 1.2 for 0\n"
                 "[  110] 0 -> 1 run 0.2 on 1.2\n"
                 "[  110] 1 starts 0.2\n"
                 "[  120] 1 -> 0 watch put 0\n"
                 "[  120] 1 -> 0 watch put 0\n"
                 "[  130] 0 -> 1 value put 0\n"
                 "[  130] 1 makes blob 1\n"
                 "[  130] 0 -> 1 value put 0\n"
                 "[  130] 1 makes blob 2\n"
                 "[  140] 1 -> 0 pull bytes of blob 1 to 1\n"
                 "[  140] 0 sends blob 1 to 1: 100 at 0\n"
                 "[  140] 1 -> 0 pull bytes of blob 3 to 2\n"
                 "[  140] 0 sends blob 3 to 1: 100 at 0\n"
                 "[  150] 0 spilled blob 3\n"
                 "[  150] 0 evicts blob 3: error -17\n"
                 "[  200] 0 spilled blob 4\n"
                 "[  200] 0 evicts blob 4\n"
                 "[  250] 0 -> 1 data 100 at 0 for blob 2\n"
                 "[  250] 1 seals blob 2\n"
                 "[  250] 1 reads put 0\n"
                 "[  260] 1 -> 0 news copy of put 0\n"
                 "[  300] 0 -> 1 data 100 at 0 for blob 1\n"
                 "[  300] 1 seals blob 1\n"
                 "[  300] 1 reads put 0\n"
                 "[  310] 1 -> 0 news copy of put 0\n"
                 "[ 1260] 1 -> 0 watch put 0\n"
                 "[ 1270] 0 -> 1 value put 0\n"
                 "[ 1310] 1 -> 0 watch put 0\n"
                 "[ 1320] 0 -> 1 value put 0\n"
                 "[ 2260] 1 -> 0 lend 1.2\n"
                 "[ 2260] 1 -> 0 bounce 1.2 blocked\n"
                 "[ 2310] 1 -> 0 lend 1.1\n"
                 "[ 2310] 1 -> 0 bounce 1.1 blocked\n"
                 "[ 3270] 1 evicts blob 2: error -17\n"
                 "[ 3270] 1 evicts blob 1: error -17\n"
                 "[ 5270] 1 evicts blob 2: error -17\n"
                 "[ 5270] 1 evicts blob 1: error -17\n"
                 "[ 7270] 1 evicts blob 2: error -17\n"
                 "[ 7270] 1 evicts blob 1: error -17\n"
                 "[ 7270] 1 maps blob 3\n"
                 "[ 7270] 1 maps blob 4\n"
                 "[ 7280] 1 -> 0 pull bytes of blob 4 to 3\n"
                 "[ 7280] 0 sends blob 4 to 1: 100 at 0\n"
                 "[ 7280] 1 -> 0 pull bytes of blob 2 to 4\n"
                 "[ 7280] 0 sends blob 2 to 1: 100 at 0\n"
                 "[ 7440] 0 -> 1 data 100 at 0 for blob 3\n"
                 "[ 7440] 1 seals blob 3\n"
                 "[ 7440] 0 -> 1 data 100 at 0 for blob 4\n"
                 "[ 7440] 1 seals blob 4\n"
                 "[ 7440] 1 reads put 0\n"
                 "[ 7440] 1 ends 0.2 with 0\n"
                 "[ 7440] 1 frees blob 3\n"
                 "[ 7440] 1 reads put 0\n"
                 "[ 7440] 1 ends 0.1 with 0\n"
                 "[ 7440] 1 frees blob 4\n"
                 "[ 7450] 1 -> 0 resume 1.2\n"
                 "[ 7450] 1 -> 0 news copy of put 0\n"
                 "[ 7450] 1 -> 0 resume 1.1\n"
                 "[ 7450] 1 -> 0 news copy of put 0\n"
                 "[ 7450] 1 -> 0 done 0.2 with 0\n"
                 "[ 7450] 1 -> 0 drop 1\n"
                 "[ 7450] 1 -> 0 news no copy of put 0\n"
                 "[ 7450] 1 -> 0 done 0.1 with 0\n"
                 "[ 7450] 1 -> 0 drop 1\n"
                 "[ 7450] 1 -> 0 news no copy of put 0\n"
                 "[ 7450] 0 reads 0.1\n"
                 "[ 7450] 0 reads 0.2\n"
                 "[ 7450] 0 frees blob 2\n"
                 "[ 7450] 0 frees blob 4\n"},
    {.name = "two gets of two each want the same room",
     .nranks = 2,
     .cpus = {0, 2},
     .driver = two_driver,
     .store_file_ns = 50000000,
     .brief = true,
     .store = {.from = 50, .bytes = 220},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 makes blob 2\n"
                 "[    0] 0 seals blob 2\n"
                 "[   50] 0 spilled blob 1\n"
                 "[   50] 0 evicts blob 1\n"
                 "[   50] 0 makes blob 3\n"
                 "[   50] 0 seals blob 3\n"
                 "[  100] 0 spilled blob 2\n"
                 "[  100] 0 evicts blob 2\n"
                 "[  100] 0 makes blob 4\n"
                 "[  100] 0 seals blob 4\n"
                 "[  100] 0 submits 0.1 first\n"
                 "[  100] 0 submits 0.2 second\n"
                 "[  110] 0 -> 1 open 1.1 for 0\n"
                 "[  110] 0 -> 1 run 0.1 on 1.1\n"
                 "[  110] 1 starts 0.1\n"
                 "[  110] 0 -> 1 open 1.2 for 0\n"
                 "[  110] 0 -> 1 run 0.2 on 1.2\n"
                 "[  110] 1 starts 0.2\n"
                 "[  120] 1 -> 0 watch put 0\n"
                 "[  120] 1 -> 0 watch put 0\n"
                 "[  130] 0 -> 1 value put 0\n"
                 "[  130] 1 makes blob 1\n"
                 "[  130] 0 -> 1 value put 0\n"
                 "[  130] 1 makes blob 2\n"
                 "[  140] 1 -> 0 pull bytes of blob 1 to 1\n"
                 "[  140] 0 sends blob 1 to 1: 100 at 0\n"
                 "[  140] 1 -> 0 pull bytes of blob 3 to 2\n"
                 "[  140] 0 sends blob 3 to 1: 100 at 0\n"
                 "[  150] 0 spilled blob 3\n"
                 "[  150] 0 evicts blob 3: error -17\n"
                 "[  200] 0 spilled blob 4\n"
                 "[  200] 0 evicts blob 4\n"
                 "[  250] 0 -> 1 data 100 at 0 for blob 2\n"
                 "[  250] 1 seals blob 2\n"
                 "[  250] 1 reads put 0\n"
                 "[  260] 1 -> 0 news copy of put 0\n"
                 "[  300] 0 -> 1 data 100 at 0 for blob 1\n"
                 "[  300] 1 seals blob 1\n"
                 "[  300] 1 reads put 0\n"
                 "[  310] 1 -> 0 news copy of put 0\n"
                 "[ 3260] 1 -> 0 watch put 0\n"
                 "[ 3270] 0 -> 1 value put 0\n"
                 "[ 3310] 1 -> 0 watch put 0\n"
                 "[ 3320] 0 -> 1 value put 0\n"
                 "[ 4260] 1 -> 0 lend 1.2\n"
                 "[ 4260] 1 -> 0 bounce 1.2 blocked\n"
                 "[ 4310] 1 -> 0 lend 1.1\n"
                 "[ 4310] 1 -> 0 bounce 1.1 blocked\n"
                 "[ 5270] 1 evicts blob 2\n"
                 "[ 5270] 1 makes blob 3\n"
                 "[ 5270] 1 evicts blob 1\n"
                 "[ 5270] 1 makes blob 4\n"
                 "[ 5280] 1 -> 0 news no copy of put 0\n"
                 "[ 5280] 1 -> 0 pull bytes of blob 4 to 3\n"
                 "[ 5280] 0 sends blob 4 to 1: 100 at 0\n"
                 "[ 5280] 1 -> 0 news no copy of put 0\n"
                 "[ 5280] 1 -> 0 pull bytes of blob 2 to 4\n"
                 "[ 5280] 0 sends blob 2 to 1: 100 at 0\n"
                 "[ 5440] 0 -> 1 data 100 at 0 for blob 3\n"
                 "[ 5440] 1 seals blob 3\n"
                 "[ 5440] 0 -> 1 data 100 at 0 for blob 4\n"
                 "[ 5440] 1 seals blob 4\n"
                 "[ 5450] 1 -> 0 resume 1.2\n"
                 "[ 5450] 1 -> 0 news copy of put 0\n"
                 "[ 5450] 1 -> 0 resume 1.1\n"
                 "[ 5450] 1 -> 0 news copy of put 0\n"
                 "[ 6450] 1 -> 0 lend 1.1\n"
                 "[ 6450] 1 -> 0 bounce 1.1 blocked\n"
                 "[ 6450] 1 -> 0 lend 1.2\n"
                 "[ 6450] 1 -> 0 bounce 1.2 blocked\n"
                 "[ 9270] 1 evicts blob 3: error -17\n"
                 "[ 9270] 1 evicts blob 4\n"
                 "[ 9270] 1 makes blob 5\n"
                 "[ 9280] 1 -> 0 news no copy of put 0\n"
                 "[ 9280] 1 -> 0 pull bytes of blob 3 to 5\n"
                 "[ 9280] 0 sends blob 3 to 1: 100 at 0\n"
                 "[ 9390] 0 -> 1 data 100 at 0 for blob 5\n"
                 "[ 9390] 1 seals blob 5\n"
                 "[ 9390] 1 reads put 0\n"
                 "[ 9390] 1 reads put 0\n"
                 "[ 9390] 1 ends 0.2 with 0\n"
                 "[ 9400] 1 -> 0 resume 1.2\n"
                 "[ 9400] 1 -> 0 news copy of put 0\n"
                 "[ 9400] 1 -> 0 done 0.2 with 0\n"
                 "[10410] 0 -> 1 close 1.2\n"
                 "[10420] 1 -> 0 closed 1.2\n"
                 "[11270] 1 evicts blob 3\n"
                 "[11270] 1 makes blob 6\n"
                 "[11280] 1 -> 0 drop 1\n"
                 "[11280] 1 -> 0 news no copy of put 0\n"
                 "[11280] 1 -> 0 pull bytes of blob 1 to 6\n"
                 "[11280] 0 sends blob 1 to 1: 100 at 0\n"
                 "[11440] 0 -> 1 data 100 at 0 for blob 6\n"
                 "[11440] 1 seals blob 6\n"
                 "[11450] 1 -> 0 resume 1.1\n"
                 "[11450] 1 -> 0 news copy of put 0\n"
                 "[12450] 1 -> 0 lend 1.1\n"
                 "[12450] 1 -> 0 bounce 1.1 blocked\n"
                 "[13270] 1 evicts blob 5\n"
                 "[13270] 1 makes blob 7\n"
                 "[13280] 1 -> 0 drop 1\n"
                 "[13280] 1 -> 0 news no copy of put 0\n"
                 "[13280] 1 -> 0 pull bytes of blob 2 to 7\n"
                 "[13280] 0 sends blob 2 to 1: 100 at 0\n"
                 "[13440] 0 -> 1 data 100 at 0 for blob 7\n"
                 "[13440] 1 seals blob 7\n"
                 "[13440] 1 reads put 0\n"
                 "[13440] 1 reads put 0\n"
                 "[13440] 1 ends 0.1 with 0\n"
                 "[13450] 1 -> 0 resume 1.1\n"
                 "[13450] 1 -> 0 news copy of put 0\n"
                 "[13450] 1 -> 0 done 0.1 with 0\n"
                 "[13450] 0 reads 0.1\n"
                 "[13450] 0 reads 0.2\n"
                 "[13450] 0 frees blob 3\n"
                 "[13450] 0 frees blob 4\n"},
    {.name = "a put waits until something is released",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = waiting_driver,
     .client = {NULL, pinning_client},
     .brief = true,
     .store = {.from = 50, .bytes = 150},
     .expected = "[    0] 1 makes blob 1\n"
                 "[    0] 1 seals blob 1\n"
                 "[    0] 1 reads put 1\n"
                 "[    0] 1 submits 1.1 putter\n"
                 "[   10] 1 -> 0 news new put 1\n"
                 "[   10] 1 -> 0 demand 1\n"
                 "[   20] 0 -> 1 open 1.1 for 1\n"
                 "[   20] 0 -> 1 lease 1.1\n"
                 "[   20] 1 starts 1.1\n"
                 "[   50] 1 spilled blob 1\n"
                 "[   50] 1 evicts blob 1: error -17\n"
                 "[  120] 1 evicts blob 1: error -17\n"
                 "[ 1130] 1 -> 0 lend 1.1\n"
                 "[ 2120] 1 evicts blob 1: error -17\n"
                 "[ 4120] 1 evicts blob 1: error -17\n"
                 "[ 6120] 1 evicts blob 1: error -17\n"
                 "[ 8120] 1 evicts blob 1: error -17\n"
                 "[ 9000] 1 frees blob 1\n"
                 "[ 9000] 1 makes blob 2\n"
                 "[ 9000] 1 seals blob 2\n"
                 "[ 9000] 1 frees blob 2\n"
                 "[ 9000] 1 ends 1.1 with 0\n"
                 "[ 9000] 1 reads 1.1\n"
                 "[ 9010] 1 -> 0 news dead put 1\n"
                 "[ 9010] 1 -> 0 resume 1.1\n"
                 "[ 9010] 1 -> 0 news new put 1\n"
                 "[ 9010] 1 -> 0 news dead put 1\n"
                 "[10010] 1 -> 0 closed 1.1\n"},
    {.name = "when nothing can leave, a put gets a mapped file",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = waiting_driver,
     .client = {NULL, file_client},
     .store_file_ns = 5000000,
     .brief = true,
     .store = {.from = 50, .bytes = 150},
     .expected = "[    0] 1 makes blob 1\n"
                 "[    0] 1 seals blob 1\n"
                 "[    0] 1 reads put 1\n"
                 "[    0] 1 submits 1.1 putter\n"
                 "[   10] 1 -> 0 news new put 1\n"
                 "[   10] 1 -> 0 demand 1\n"
                 "[   20] 0 -> 1 open 1.1 for 1\n"
                 "[   20] 0 -> 1 lease 1.1\n"
                 "[   20] 1 starts 1.1\n"
                 "[   50] 1 spilled blob 1\n"
                 "[   50] 1 evicts blob 1: error -17\n"
                 "[  120] 1 evicts blob 1: error -17\n"
                 "[ 1130] 1 -> 0 lend 1.1\n"
                 "[ 2120] 1 evicts blob 1: error -17\n"
                 "[ 4120] 1 evicts blob 1: error -17\n"
                 "[ 6120] 1 evicts blob 1: error -17\n"
                 "[ 6120] 1 maps blob 2\n"
                 "[ 6120] 1 seals blob 2\n"
                 "[ 6120] 1 frees blob 2\n"
                 "[ 6120] 1 ends 1.1 with 0\n"
                 "[ 6130] 1 -> 0 resume 1.1\n"
                 "[ 6130] 1 -> 0 news new put 1\n"
                 "[ 6130] 1 -> 0 news dead put 1\n"
                 "[ 7130] 1 -> 0 closed 1.1\n"
                 "[60000] 1 frees blob 1\n"
                 "[60000] 1 reads 1.1\n"
                 "[60010] 1 -> 0 news dead put 1\n"},
    {.name = "a caller dies while its method waits for room",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = calling_driver,
     .client = {NULL, holding_client},
     .events = {{1000, WORLD_DIE, 2}, {1500, WORLD_LOST, 2}},
     .brief = true,
     .store = {.from = 50, .bytes = 150},
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 caller\n"
         "[    0] 1 makes blob 1\n"
         "[    0] 1 seals blob 1\n"
         "[    0] 1 reads put 1\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.2 on 2.1\n"
         "[   10] 2 starts 0.2\n"
         "[   10] 1 -> 0 news new put 1\n"
         "[   10] 1 ends 0.1 with 0\n"
         "[   10] 2 submits 2.1 call\n"
         "[   20] 1 -> 0 done 0.1 with 0\n"
         "[   20] 2 -> 0 watch 0.1\n"
         "[   30] 0 -> 2 value 0.1\n"
         "[   40] 2 -> 1 call 2.1\n"
         "[   40] 1 starts 2.1\n"
         "[   50] 1 spilled blob 1\n"
         "[   50] 1 evicts blob 1: error -17\n"
         "[  240] 1 evicts blob 1: error -17\n"
         "[ 1000] 2 dies\n"
         "[ 1030] 0 -> 1 close 1.1\n"
         "[ 1040] 1 -> 0 closed 1.1\n"
         "[ 1500] 0 declares 2 lost\n"
         "[ 1510] 0 -> 1 gone 2\n"
         "[ 2240] 1 evicts blob 1: error -17\n"
         "[ 4240] 1 evicts blob 1: error -17\n"
         "[ 5000] 1 frees blob 1\n"
         "[ 5000] 1 makes blob 2\n"
         "[ 5000] 1 seals blob 2\n"
         "[ 5000] 1 ends 2.1 with 0\n"
         "[ 5000] 1 frees blob 2\n"
         "[ 5010] 1 -> 0 news dead put 1\n"
         "[ 7000] 0 logs: an error that nobody read: caller: rank 2 was lost; 1 execution, no retries left\n"},
    {.name = "a broken disk keeps objects in memory",
     .nranks = 1,
     .driver = broken_driver,
     .store_file_ns = 5000000,
     .store_full_ns = 12000000,
     .brief = true,
     .store = {.from = 50, .bytes = 250, .broken = 1000},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 makes blob 2\n"
                 "[    0] 0 seals blob 2\n"
                 "[   50] 0 spilled blob 1: error -20\n"
                 "[ 6000] 0 maps blob 3: error -20\n"
                 "[12000] 0 gets no room: -25\n"
                 "[12000] 0 reads put 0\n"
                 "[12000] 0 reads put 0\n"
                 "[12000] 0 frees blob 1\n"
                 "[12000] 0 frees blob 2\n"},
    {.name = "what cannot be read back is lost alone",
     .nranks = 1,
     .driver = unread_driver,
     .brief = true,
     .store = {.from = 50, .bytes = 300, .unread = 1000},
     .expected =
         "[    0] 0 makes blob 1\n"
         "[    0] 0 seals blob 1\n"
         "[    0] 0 makes blob 2\n"
         "[    0] 0 seals blob 2\n"
         "[    0] 0 makes blob 3\n"
         "[    0] 0 seals blob 3\n"
         "[   50] 0 spilled blob 1\n"
         "[   50] 0 evicts blob 1\n"
         "[ 3000] 0 makes blob 1\n"
         "[ 3050] 0 spilled blob 2\n"
         "[ 3050] 0 evicts blob 2\n"
         "[ 3050] 0 restored blob 1: error -20\n"
         "[ 3050] 0 frees blob 1\n"
         "[ 3050] 0 reads put 0: error the object could not be read back from its file of nobody\n"
         "[ 3050] 0 reads put 0\n"
         "[ 3050] 0 frees blob 2\n"
         "[ 3050] 0 frees blob 3\n"},
    {.name = "a result that nobody takes is freed",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = untaken_driver,
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 submits 0.1 large\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  210] 1 makes blob 1\n"
                 "[  210] 1 seals blob 1\n"
                 "[  210] 1 ends 0.1 with 0\n"
                 "[  220] 1 -> 0 done 0.1 with 0\n"
                 "[  230] 0 -> 1 forget blob 1\n"
                 "[  230] 1 frees blob 1\n"},
    {.name = "items that nobody takes are freed",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = closed_driver,
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 submits 0.1 items\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 makes blob 1\n"
                 "[   10] 1 seals blob 1\n"
                 "[   10] 1 yields 0 of 0.1\n"
                 "[   10] 1 yields 1 of 0.1\n"
                 "[   20] 1 -> 0 item 0 of 0.1\n"
                 "[   20] 1 -> 0 item 1 of 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  610] 0 -> 1 forget blob 1\n"
                 "[  610] 1 frees blob 1\n"
                 "[ 1130] 0 -> 1 close 1.1\n"
                 "[ 1140] 1 -> 0 closed 1.1\n"},
    {.name = NULL}};
