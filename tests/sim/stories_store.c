/* stories_store.c - large objects: values whose bytes are in stores. */
#include "story.h"

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

static const struct op result_ops[] = {COMPUTE(200), END};
static const struct plan large_result = {
    .gene = {.seed = 5, .name = "large", .ops = result_ops, .result_size = 100},
    .shape.amount = {TG_UNIT},
    .nreturns = 1};

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

/* One CPU for two shapes, and bytes that come later than the head looks whether
 * somebody starves: who waits for bytes runs once before its lease goes. */
static const struct plan whole = TASK_WITH(
    "whole", short_ops, .nargs = 1, .args = {{.by_ref = true, .slot = {0}}});
static const struct plan half =
    TASK_OF("half", short_ops, TG_UNIT / 2, .nargs = 1,
            .args = {{.by_ref = true, .slot = {1}}});
static const struct op recalled_driver[] = {
    PUT(100),      PUT(100),     SUBMIT(whole),
    SUBMIT(whole), SUBMIT(half), SUBMIT(half),
    GET2(2, 3),    GET2(4, 5),   END};

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
    {.name = "who waits for bytes runs before its lease is taken back",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = recalled_driver,
     .slow_from = 0,
     .slow_to = 1,
     .slow_us = 20000,
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 makes blob 2\n"
                 "[    0] 0 seals blob 2\n"
                 "[    0] 0 submits 0.1 whole\n"
                 "[    0] 0 submits 0.2 whole\n"
                 "[    0] 0 submits 0.3 half\n"
                 "[    0] 0 submits 0.4 half\n"
                 "[20010] 0 -> 1 open 1.1 for 0\n"
                 "[20010] 0 -> 1 run 0.1 on 1.1\n"
                 "[20010] 1 makes blob 1\n"
                 "[20020] 1 -> 0 pull bytes of blob 1 to 1\n"
                 "[20020] 0 sends blob 1 to 1: 100 at 0\n"
                 "[30010] 0 -> 1 recall 1.1\n"
                 "[40130] 0 -> 1 data 100 at 0 for blob 1\n"
                 "[40130] 1 seals blob 1\n"
                 "[40130] 1 starts 0.1\n"
                 "[40140] 1 -> 0 bounce 1.1 closed\n"
                 "[40140] 1 -> 0 news copy of put 0\n"
                 "[40230] 1 ends 0.1 with 0\n"
                 "[40240] 1 -> 0 done 0.1 with 0\n"
                 "[40240] 1 -> 0 closed 1.1\n"
                 "[60250] 0 -> 1 open 1.2 for 0\n"
                 "[60250] 0 -> 1 open 1.3 for 0\n"
                 "[60250] 0 -> 1 run 0.3 on 1.2\n"
                 "[60250] 1 makes blob 2\n"
                 "[60250] 0 -> 1 run 0.4 on 1.2\n"
                 "[60260] 1 -> 0 pull bytes of blob 2 to 2\n"
                 "[60260] 0 sends blob 2 to 1: 100 at 0\n"
                 "[61250] 0 -> 1 close 1.3\n"
                 "[61260] 1 -> 0 closed 1.3\n"
                 "[70010] 0 -> 1 recall 1.2\n"
                 "[70010] 0 -> 1 recall 1.3\n"
                 "[80370] 0 -> 1 data 100 at 0 for blob 2\n"
                 "[80370] 1 seals blob 2\n"
                 "[80370] 1 starts 0.3\n"
                 "[80380] 1 -> 0 bounce 1.2 closed: 0.4\n"
                 "[80380] 1 -> 0 news copy of put 0\n"
                 "[80470] 1 ends 0.3 with 0\n"
                 "[80480] 1 -> 0 done 0.3 with 0\n"
                 "[80480] 1 -> 0 closed 1.2\n"
                 "[100490] 0 -> 1 open 1.4 for 0\n"
                 "[100490] 0 -> 1 run 0.2 on 1.4\n"
                 "[100490] 1 starts 0.2\n"
                 "[100590] 1 ends 0.2 with 0\n"
                 "[100600] 1 -> 0 done 0.2 with 0\n"
                 "[100600] 0 reads 0.1\n"
                 "[100600] 0 reads 0.2\n"
                 "[120010] 0 -> 1 recall 1.4\n"
                 "[120020] 1 -> 0 bounce 1.4 closed\n"
                 "[120020] 1 -> 0 closed 1.4\n"
                 "[121610] 0 -> 1 close 1.4\n"
                 "[140030] 0 -> 1 open 1.5 for 0\n"
                 "[140030] 0 -> 1 run 0.4 on 1.5\n"
                 "[140030] 1 starts 0.4\n"
                 "[140130] 1 ends 0.4 with 0\n"
                 "[140140] 1 -> 0 done 0.4 with 0\n"
                 "[140140] 0 reads 0.3\n"
                 "[140140] 0 reads 0.4\n"},
    {.name = NULL}};
