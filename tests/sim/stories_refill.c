/* stories_refill.c - items of streams that are lost are made again. */
#include "story.h"

/* Item 0 is large.  The driver's copy of it leaves for what it puts.  Its task
 * is run again for it, and what else it yields then is not needed. */
static const struct op three_ops[] = {YIELD, YIELD, COMPUTE(200), YIELD, END};
static const struct plan items =
    STREAM("items", three_ops, 3, TG_ANY_AHEAD, .max_retries = 1);
static const struct op item_driver[] = {SUBMIT(items), NEXT(0),   NEXT(0),
                                        NEXT(0),       PUT(5000), RELEASE(4),
                                        COMPUTE(2000), GET(1),    END};

/* Nobody reads the stream any more, but one of its items. */
static const struct op closed_driver[] = {
    SUBMIT(items), NEXT(0),       COMPUTE(500), RELEASE(0), PUT(5000),
    RELEASE(2),    COMPUTE(2000), GET(1),       END};

/* It is lost before anybody has taken it. */
static const struct op untaken_driver[] = {SUBMIT(items), COMPUTE(1500),
                                           NEXT(0), GET(1), END};

/* Its task runs still, and is run again as its rank is lost. */
static const struct op slow_ops[] = {YIELD, COMPUTE(4000), YIELD, END};
static const struct plan slow =
    STREAM("slow", slow_ops, 2, 1, .max_retries = 1);
static const struct op slow_driver[] = {SUBMIT(slow), NEXT(0),       PUT(5000),
                                        RELEASE(2),   COMPUTE(2000), GET(1),
                                        NEXT(0),      NEXT(0),       END};

/* Lost once more than its task may run. */
static const struct op item_twice_driver[] = {
    SUBMIT(items), NEXT(0),       PUT(5000), RELEASE(2), COMPUTE(2000),
    WAIT_READY(1), COMPUTE(1000), GET(1),    END};

const struct story stories_refill[] = {
    {.name = "an item that is lost is made again",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = item_driver,
     .events = {{3000, WORLD_DIE, 1}, {3100, WORLD_LOST, 1}},
     .brief = true,
     .store = {.from = 50, .bytes = 6000},
     .lineage_bytes = UINT64_C(1) << 30,
     .expected = "[    0] 0 submits 0.1 items\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 makes blob 1\n"
                 "[   10] 1 seals blob 1\n"
                 "[   10] 1 yields 0 of 0.1\n"
                 "[   10] 1 yields 1 of 0.1\n"
                 "[   20] 1 -> 0 item 0 of 0.1\n"
                 "[   20] 0 makes blob 1\n"
                 "[   20] 1 -> 0 item 1 of 0.1\n"
                 "[   30] 0 -> 1 pull bytes of blob 1 to 1\n"
                 "[   30] 1 sends blob 1 to 0: 5000 at 0\n"
                 "[   60] 1 spilled blob 1\n"
                 "[   60] 1 evicts blob 1: error -17\n"
                 "[  140] 1 -> 0 data 5000 at 0 for blob 1\n"
                 "[  140] 0 seals blob 1\n"
                 "[  140] 0 takes 0 of 0.1\n"
                 "[  140] 0 takes 1 of 0.1\n"
                 "[  210] 1 yields 2 of 0.1\n"
                 "[  210] 1 ends 0.1 with 0\n"
                 "[  220] 1 -> 0 item 2 of 0.1\n"
                 "[  220] 1 -> 0 done 0.1 with 0\n"
                 "[  220] 0 takes 2 of 0.1\n"
                 "[ 1230] 0 -> 1 close 1.1\n"
                 "[ 1240] 1 -> 0 closed 1.1\n"
                 "[ 2220] 0 evicts blob 1\n"
                 "[ 2220] 0 makes blob 2\n"
                 "[ 2220] 0 seals blob 2\n"
                 "[ 2220] 0 frees blob 2\n"
                 "[ 3000] 1 dies\n"
                 "[ 3100] 0 declares 1 lost\n"
                 "[ 3110] 0 -> 2 gone 1\n"
                 "[ 4230] 0 -> 2 open 2.1 for 0\n"
                 "[ 4230] 0 -> 2 run 0.1 on 2.1\n"
                 "[ 4230] 2 starts 0.1 again\n"
                 "[ 4230] 2 makes blob 1\n"
                 "[ 4230] 2 seals blob 1\n"
                 "[ 4230] 2 yields 0 of 0.1\n"
                 "[ 4230] 2 yields 1 of 0.1\n"
                 "[ 4240] 2 -> 0 item 0 of 0.1\n"
                 "[ 4240] 0 makes blob 3\n"
                 "[ 4240] 2 -> 0 item 1 of 0.1\n"
                 "[ 4250] 0 -> 2 pull bytes of blob 1 to 3\n"
                 "[ 4250] 2 sends blob 1 to 0: 5000 at 0\n"
                 "[ 4280] 2 spilled blob 1\n"
                 "[ 4280] 2 evicts blob 1: error -17\n"
                 "[ 4360] 2 -> 0 data 5000 at 0 for blob 3\n"
                 "[ 4360] 0 seals blob 3\n"
                 "[ 4360] 0 reads an item of 0.1\n"
                 "[ 4360] 0 frees blob 3\n"},
    {.name = "an item of a closed stream is made again",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = closed_driver,
     .events = {{3000, WORLD_DIE, 1}, {3100, WORLD_LOST, 1}},
     .brief = true,
     .store = {.from = 50, .bytes = 6000},
     .lineage_bytes = UINT64_C(1) << 30,
     .expected = "[    0] 0 submits 0.1 items\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 makes blob 1\n"
                 "[   10] 1 seals blob 1\n"
                 "[   10] 1 yields 0 of 0.1\n"
                 "[   10] 1 yields 1 of 0.1\n"
                 "[   20] 1 -> 0 item 0 of 0.1\n"
                 "[   20] 0 makes blob 1\n"
                 "[   20] 1 -> 0 item 1 of 0.1\n"
                 "[   30] 0 -> 1 pull bytes of blob 1 to 1\n"
                 "[   30] 1 sends blob 1 to 0: 5000 at 0\n"
                 "[   60] 1 spilled blob 1\n"
                 "[   60] 1 evicts blob 1: error -17\n"
                 "[  140] 1 -> 0 data 5000 at 0 for blob 1\n"
                 "[  140] 0 seals blob 1\n"
                 "[  140] 0 takes 0 of 0.1\n"
                 "[  210] 1 yields 2 of 0.1\n"
                 "[  210] 1 ends 0.1 with 0\n"
                 "[  220] 1 -> 0 item 2 of 0.1\n"
                 "[  220] 1 -> 0 done 0.1 with 0\n"
                 "[ 1230] 0 -> 1 close 1.1\n"
                 "[ 1240] 1 -> 0 closed 1.1\n"
                 "[ 2640] 0 evicts blob 1\n"
                 "[ 2640] 0 makes blob 2\n"
                 "[ 2640] 0 seals blob 2\n"
                 "[ 2640] 0 frees blob 2\n"
                 "[ 3000] 1 dies\n"
                 "[ 3100] 0 declares 1 lost\n"
                 "[ 3110] 0 -> 2 gone 1\n"
                 "[ 4650] 0 -> 2 open 2.1 for 0\n"
                 "[ 4650] 0 -> 2 run 0.1 on 2.1\n"
                 "[ 4650] 2 starts 0.1 again\n"
                 "[ 4650] 2 makes blob 1\n"
                 "[ 4650] 2 seals blob 1\n"
                 "[ 4650] 2 yields 0 of 0.1\n"
                 "[ 4650] 2 yields 1 of 0.1\n"
                 "[ 4660] 2 -> 0 item 0 of 0.1\n"
                 "[ 4660] 0 makes blob 3\n"
                 "[ 4660] 2 -> 0 item 1 of 0.1\n"
                 "[ 4670] 0 -> 2 pull bytes of blob 1 to 3\n"
                 "[ 4670] 2 sends blob 1 to 0: 5000 at 0\n"
                 "[ 4700] 2 spilled blob 1\n"
                 "[ 4700] 2 evicts blob 1: error -17\n"
                 "[ 4780] 2 -> 0 data 5000 at 0 for blob 3\n"
                 "[ 4780] 0 seals blob 3\n"
                 "[ 4780] 0 reads an item of 0.1\n"
                 "[ 4780] 0 frees blob 3\n"},
    {.name = "an item that nobody has taken yet is made again",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = untaken_driver,
     .events = {{1000, WORLD_DIE, 1}, {1100, WORLD_LOST, 1}},
     LINEAGE,
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
                 "[  210] 1 yields 2 of 0.1\n"
                 "[  210] 1 ends 0.1 with 0\n"
                 "[  220] 1 -> 0 item 2 of 0.1\n"
                 "[  220] 1 -> 0 done 0.1 with 0\n"
                 "[ 1000] 1 dies\n"
                 "[ 1100] 0 declares 1 lost\n"
                 "[ 1110] 0 -> 2 gone 1\n"
                 "[ 1510] 0 -> 2 open 2.1 for 0\n"
                 "[ 1510] 0 -> 2 run 0.1 on 2.1\n"
                 "[ 1510] 2 starts 0.1 again\n"
                 "[ 1510] 2 makes blob 1\n"
                 "[ 1510] 2 seals blob 1\n"
                 "[ 1510] 2 yields 0 of 0.1\n"
                 "[ 1510] 2 yields 1 of 0.1\n"
                 "[ 1520] 2 -> 0 item 0 of 0.1\n"
                 "[ 1520] 0 makes blob 1\n"
                 "[ 1520] 2 -> 0 item 1 of 0.1\n"
                 "[ 1530] 0 -> 2 pull bytes of blob 1 to 1\n"
                 "[ 1530] 2 sends blob 1 to 0: 5000 at 0\n"
                 "[ 1640] 2 -> 0 data 5000 at 0 for blob 1\n"
                 "[ 1640] 0 seals blob 1\n"
                 "[ 1640] 0 takes 0 of 0.1\n"
                 "[ 1640] 0 reads an item of 0.1\n"
                 "[ 1640] 0 frees blob 1\n"},
    {.name = "an item is lost while its task runs",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = slow_driver,
     .events = {{3000, WORLD_DIE, 1}, {3100, WORLD_LOST, 1}},
     .brief = true,
     .store = {.from = 50, .bytes = 6000},
     .lineage_bytes = UINT64_C(1) << 30,
     .expected = "[    0] 0 submits 0.1 slow\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 makes blob 1\n"
                 "[   10] 1 seals blob 1\n"
                 "[   10] 1 yields 0 of 0.1\n"
                 "[   20] 1 -> 0 item 0 of 0.1\n"
                 "[   20] 0 makes blob 1\n"
                 "[   30] 0 -> 1 pull bytes of blob 1 to 1\n"
                 "[   30] 1 sends blob 1 to 0: 5000 at 0\n"
                 "[   60] 1 spilled blob 1\n"
                 "[   60] 1 evicts blob 1: error -17\n"
                 "[  140] 1 -> 0 data 5000 at 0 for blob 1\n"
                 "[  140] 0 seals blob 1\n"
                 "[  140] 0 takes 0 of 0.1\n"
                 "[  150] 0 -> 1 taken 1 of 0.1\n"
                 "[ 2140] 0 evicts blob 1\n"
                 "[ 2140] 0 makes blob 2\n"
                 "[ 2140] 0 seals blob 2\n"
                 "[ 2140] 0 frees blob 2\n"
                 "[ 3000] 1 dies\n"
                 "[ 3100] 0 declares 1 lost\n"
                 "[ 3110] 0 -> 2 gone 1\n"
                 "[ 3110] 0 -> 2 open 2.1 for 0\n"
                 "[ 3110] 0 -> 2 run 0.1 on 2.1\n"
                 "[ 3110] 2 starts 0.1 again\n"
                 "[ 3110] 2 makes blob 1\n"
                 "[ 3110] 2 seals blob 1\n"
                 "[ 3110] 2 yields 0 of 0.1\n"
                 "[ 3120] 2 -> 0 item 0 of 0.1\n"
                 "[ 3130] 0 -> 2 taken 1 of 0.1\n"
                 "[ 3160] 2 spilled blob 1\n"
                 "[ 3160] 2 evicts blob 1\n"
                 "[ 4140] 0 makes blob 3\n"
                 "[ 4150] 0 -> 2 pull bytes of blob 1 to 3\n"
                 "[ 4150] 2 sends blob 1 to 0: 5000 at 0\n"
                 "[ 4310] 2 -> 0 data 5000 at 0 for blob 3\n"
                 "[ 4310] 0 seals blob 3\n"
                 "[ 4310] 0 reads an item of 0.1\n"
                 "[ 7130] 2 yields 1 of 0.1\n"
                 "[ 7140] 2 -> 0 item 1 of 0.1\n"
                 "[ 7140] 0 takes 1 of 0.1\n"
                 "[ 7150] 0 -> 2 taken 2 of 0.1\n"
                 "[ 7150] 2 ends 0.1 with 0\n"
                 "[ 7160] 2 -> 0 done 0.1 with 0\n"
                 "[ 7160] 0 finds the end of 0.1\n"
                 "[ 7160] 0 frees blob 3\n"},
    {.name = "an item is lost more often than its task may run",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = item_twice_driver,
     .events = {{3000, WORLD_DIE, 1},
                {3100, WORLD_LOST, 1},
                {5000, WORLD_LOST, 2}},
     .brief = true,
     .store = {.from = 50, .bytes = 6000},
     .lineage_bytes = UINT64_C(1) << 30,
     .expected =
         "[    0] 0 submits 0.1 items\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 1 makes blob 1\n"
         "[   10] 1 seals blob 1\n"
         "[   10] 1 yields 0 of 0.1\n"
         "[   10] 1 yields 1 of 0.1\n"
         "[   20] 1 -> 0 item 0 of 0.1\n"
         "[   20] 0 makes blob 1\n"
         "[   20] 1 -> 0 item 1 of 0.1\n"
         "[   30] 0 -> 1 pull bytes of blob 1 to 1\n"
         "[   30] 1 sends blob 1 to 0: 5000 at 0\n"
         "[   60] 1 spilled blob 1\n"
         "[   60] 1 evicts blob 1: error -17\n"
         "[  140] 1 -> 0 data 5000 at 0 for blob 1\n"
         "[  140] 0 seals blob 1\n"
         "[  140] 0 takes 0 of 0.1\n"
         "[  210] 1 yields 2 of 0.1\n"
         "[  210] 1 ends 0.1 with 0\n"
         "[  220] 1 -> 0 item 2 of 0.1\n"
         "[  220] 1 -> 0 done 0.1 with 0\n"
         "[ 1230] 0 -> 1 close 1.1\n"
         "[ 1240] 1 -> 0 closed 1.1\n"
         "[ 2140] 0 evicts blob 1\n"
         "[ 2140] 0 makes blob 2\n"
         "[ 2140] 0 seals blob 2\n"
         "[ 2140] 0 frees blob 2\n"
         "[ 3000] 1 dies\n"
         "[ 3100] 0 declares 1 lost\n"
         "[ 3110] 0 -> 2 gone 1\n"
         "[ 3110] 0 -> 3 gone 1\n"
         "[ 4150] 0 -> 2 open 2.1 for 0\n"
         "[ 4150] 0 -> 2 run 0.1 on 2.1\n"
         "[ 4150] 2 starts 0.1 again\n"
         "[ 4150] 2 makes blob 1\n"
         "[ 4150] 2 seals blob 1\n"
         "[ 4150] 2 yields 0 of 0.1\n"
         "[ 4150] 2 yields 1 of 0.1\n"
         "[ 4160] 2 -> 0 item 0 of 0.1\n"
         "[ 4160] 2 -> 0 item 1 of 0.1\n"
         "[ 4200] 2 spilled blob 1\n"
         "[ 4200] 2 evicts blob 1\n"
         "[ 4350] 2 yields 2 of 0.1\n"
         "[ 4350] 2 ends 0.1 with 0\n"
         "[ 4360] 2 -> 0 item 2 of 0.1\n"
         "[ 4360] 2 -> 0 done 0.1 with 0\n"
         "[ 5000] 0 declares 2 lost\n"
         "[ 5010] 0 -> 3 gone 2\n"
         "[ 5160] 0 reads an item of 0.1: error the object was lost with rank 2, and its task has no retries left of nobody\n"},
    {0}};
