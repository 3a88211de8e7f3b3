/* stories_pull.c - large objects on their way between stores. */
#include "story.h"

static const struct op short_ops[] = {COMPUTE(100), END};
static const struct op result_ops[] = {COMPUTE(200), END};
static const struct op long_ops[] = {COMPUTE(3000), END};

/* In three pieces. */
static const struct plan away = READER_AT("reader", short_ops, 1, 0);
static const struct op pull_driver[] = {PUT(100), SUBMIT(away), GET(1), END};

/* The one that made it sends it to few; these send it on. */
static const struct plan at[] = {
    READER_AT("reader", long_ops, 1, 0), READER_AT("reader", long_ops, 2, 0),
    READER_AT("reader", long_ops, 3, 0), READER_AT("reader", long_ops, 4, 0),
    READER_AT("reader", long_ops, 5, 0), READER_AT("reader", long_ops, 6, 0),
    READER_AT("reader", long_ops, 7, 0), READER_AT("reader", long_ops, 8, 0)};
static const struct op broadcast_driver[] = {PUT(100),
                                             SUBMIT(at[0]),
                                             SUBMIT(at[1]),
                                             SUBMIT(at[2]),
                                             SUBMIT(at[3]),
                                             SUBMIT(at[4]),
                                             SUBMIT(at[5]),
                                             SUBMIT(at[6]),
                                             SUBMIT(at[7]),
                                             GET(8),
                                             END};

/* It is sent from its file, and stays there. */
static const struct plan of_file = READER_AT("reader", short_ops, 1, 0);
static const struct op from_file_driver[] = {
    PUT(100), PUT(100), PUT(100), COMPUTE(3000), SUBMIT(of_file), GET(3), END};

/* A copy that nobody uses is kept, until nobody else holds the object. */
static const struct op fade_driver[] = {
    PUT(100),   SUBMIT(away),  GET(1), COMPUTE(1000),
    RELEASE(0), COMPUTE(1000), END};

/* It is pulled in many pieces when its reader dies: the next one is served. */
static const struct op reader_dies_driver[] = {
    PUT(100), SUBMIT(at[0]), SUBMIT(at[1]), SUBMIT(at[2]), GET(3), END};

/* The third is sent to the first, which dies: it begins again at home. */
static const struct op source_dies_driver[] = {
    PUT(100), SUBMIT(at[0]), SUBMIT(at[1]), SUBMIT(at[2]), GET(3), END};

/* The only copy goes down with its rank. */
static const struct plan made_away = {
    .gene = {.seed = 6, .name = "maker", .ops = result_ops, .result_size = 100},
    .shape.amount = {TG_UNIT},
    .nreturns = 1};
static const struct op lost_driver[] = {SUBMIT(made_away), COMPUTE(1000),
                                        GET(0), END};

/* Its owner has a copy, which becomes what others read. */
static const struct plan third = READER_AT("reader", short_ops, 2, 0);
static const struct op home_driver[] = {
    SUBMIT(made_away), GET(0), COMPUTE(1000), SUBMIT(third), GET(1), END};

/* The owner has no copy, but a third rank has, from which all read then. */
static const struct plan at_3 = READER_AT("reader", short_ops, 3, 0);
static const struct op third_driver[] = {
    SUBMIT(made_away), COMPUTE(300), SUBMIT(third), GET(1), COMPUTE(500),
    SUBMIT(at_3),      GET(2),       COMPUTE(1000), GET(0), END};

/* Each reader goes where its bytes are, though both leases have room. */
static const struct plan reads_0 = TASK_WITH(
    "reader", short_ops, .nargs = 1, .args = {{.by_ref = true, .slot = {0}}});
static const struct plan reads_1 = TASK_WITH(
    "reader", short_ops, .nargs = 1, .args = {{.by_ref = true, .slot = {1}}});
static const struct op near_driver[] = {
    SUBMIT(made_away), SUBMIT(made_away), COMPUTE(1000), SUBMIT(reads_0),
    COMPUTE(1000),     SUBMIT(reads_0),   COMPUTE(1000), SUBMIT(reads_1),
    COMPUTE(1000),     SUBMIT(reads_1),   GET(5),        END};

const struct story stories_pull[] = {
    {.name = "a value is pulled to another node in pieces",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = pull_driver,
     .chunk = 40,
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 submits 0.1 reader\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 makes blob 1\n"
                 "[   20] 1 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 0 sends blob 1 to 1: 40 at 0\n"
                 "[   20] 0 sends blob 1 to 1: 40 at 40\n"
                 "[   20] 0 sends blob 1 to 1: 20 at 80\n"
                 "[  130] 0 -> 1 data 40 at 0 for blob 1\n"
                 "[  130] 0 -> 1 data 40 at 40 for blob 1\n"
                 "[  130] 0 -> 1 data 20 at 80 for blob 1\n"
                 "[  130] 1 seals blob 1\n"
                 "[  130] 1 starts 0.1\n"
                 "[  140] 1 -> 0 news copy of put 0\n"
                 "[  230] 1 ends 0.1 with 0\n"
                 "[  240] 1 -> 0 done 0.1 with 0\n"
                 "[  240] 0 reads 0.1\n"},
    {.name = "a broadcast becomes a tree",
     .nranks = 9,
     .cpus = {0, 1, 1, 1, 1, 1, 1, 1, 1},
     .driver = broadcast_driver,
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 submits 0.1 reader\n"
                 "[    0] 0 submits 0.2 reader\n"
                 "[    0] 0 submits 0.3 reader\n"
                 "[    0] 0 submits 0.4 reader\n"
                 "[    0] 0 submits 0.5 reader\n"
                 "[    0] 0 submits 0.6 reader\n"
                 "[    0] 0 submits 0.7 reader\n"
                 "[    0] 0 submits 0.8 reader\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 makes blob 1\n"
                 "[   10] 0 -> 2 open 2.1 for 0\n"
                 "[   10] 0 -> 2 run 0.2 on 2.1\n"
                 "[   10] 2 makes blob 1\n"
                 "[   10] 0 -> 3 open 3.1 for 0\n"
                 "[   10] 0 -> 3 run 0.3 on 3.1\n"
                 "[   10] 3 makes blob 1\n"
                 "[   10] 0 -> 4 open 4.1 for 0\n"
                 "[   10] 0 -> 4 run 0.4 on 4.1\n"
                 "[   10] 4 makes blob 1\n"
                 "[   10] 0 -> 5 open 5.1 for 0\n"
                 "[   10] 0 -> 5 run 0.5 on 5.1\n"
                 "[   10] 5 makes blob 1\n"
                 "[   10] 0 -> 6 open 6.1 for 0\n"
                 "[   10] 0 -> 6 run 0.6 on 6.1\n"
                 "[   10] 6 makes blob 1\n"
                 "[   10] 0 -> 7 open 7.1 for 0\n"
                 "[   10] 0 -> 7 run 0.7 on 7.1\n"
                 "[   10] 7 makes blob 1\n"
                 "[   10] 0 -> 8 open 8.1 for 0\n"
                 "[   10] 0 -> 8 run 0.8 on 8.1\n"
                 "[   10] 8 makes blob 1\n"
                 "[   20] 1 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 0 sends blob 1 to 1: 100 at 0\n"
                 "[   20] 2 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 0 sends blob 1 to 2: 100 at 0\n"
                 "[   20] 3 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 4 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 5 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 6 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 7 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 8 -> 0 pull bytes of blob 1 to 1\n"
                 "[  130] 0 -> 1 data 100 at 0 for blob 1\n"
                 "[  130] 1 seals blob 1\n"
                 "[  130] 1 starts 0.1\n"
                 "[  130] 0 -> 2 data 100 at 0 for blob 1\n"
                 "[  130] 2 seals blob 1\n"
                 "[  130] 2 starts 0.2\n"
                 "[  130] 0 sends blob 1 to 4: 100 at 0\n"
                 "[  130] 0 sends blob 1 to 8: 100 at 0\n"
                 "[  140] 1 -> 0 news copy of put 0\n"
                 "[  140] 2 -> 0 news copy of put 0\n"
                 "[  140] 0 -> 3 data moved to 1 for blob 1\n"
                 "[  140] 0 -> 5 data moved to 1 for blob 1\n"
                 "[  140] 0 -> 7 data moved to 1 for blob 1\n"
                 "[  140] 0 -> 6 data moved to 2 for blob 1\n"
                 "[  150] 3 -> 1 pull bytes of blob 1 to 1\n"
                 "[  150] 1 sends blob 1 to 3: 100 at 0\n"
                 "[  150] 5 -> 1 pull bytes of blob 1 to 1\n"
                 "[  150] 1 sends blob 1 to 5: 100 at 0\n"
                 "[  150] 7 -> 1 pull bytes of blob 1 to 1\n"
                 "[  150] 6 -> 2 pull bytes of blob 1 to 1\n"
                 "[  150] 2 sends blob 1 to 6: 100 at 0\n"
                 "[  240] 0 -> 4 data 100 at 0 for blob 1\n"
                 "[  240] 4 seals blob 1\n"
                 "[  240] 4 starts 0.4\n"
                 "[  240] 0 -> 8 data 100 at 0 for blob 1\n"
                 "[  240] 8 seals blob 1\n"
                 "[  240] 8 starts 0.8\n"
                 "[  250] 4 -> 0 news copy of put 0\n"
                 "[  250] 8 -> 0 news copy of put 0\n"
                 "[  260] 1 -> 3 data 100 at 0 for blob 1\n"
                 "[  260] 3 seals blob 1\n"
                 "[  260] 3 starts 0.3\n"
                 "[  260] 1 -> 5 data 100 at 0 for blob 1\n"
                 "[  260] 5 seals blob 1\n"
                 "[  260] 5 starts 0.5\n"
                 "[  260] 2 -> 6 data 100 at 0 for blob 1\n"
                 "[  260] 6 seals blob 1\n"
                 "[  260] 6 starts 0.6\n"
                 "[  270] 3 -> 0 news copy of put 0\n"
                 "[  270] 5 -> 0 news copy of put 0\n"
                 "[  270] 6 -> 0 news copy of put 0\n"
                 "[  270] 1 -> 7 data moved to 3 for blob 1\n"
                 "[  280] 7 -> 3 pull bytes of blob 1 to 1\n"
                 "[  280] 3 sends blob 1 to 7: 100 at 0\n"
                 "[  390] 3 -> 7 data 100 at 0 for blob 1\n"
                 "[  390] 7 seals blob 1\n"
                 "[  390] 7 starts 0.7\n"
                 "[  400] 7 -> 0 news copy of put 0\n"
                 "[ 3130] 1 ends 0.1 with 0\n"
                 "[ 3130] 2 ends 0.2 with 0\n"
                 "[ 3140] 1 -> 0 done 0.1 with 0\n"
                 "[ 3140] 2 -> 0 done 0.2 with 0\n"
                 "[ 3240] 4 ends 0.4 with 0\n"
                 "[ 3240] 8 ends 0.8 with 0\n"
                 "[ 3250] 4 -> 0 done 0.4 with 0\n"
                 "[ 3250] 8 -> 0 done 0.8 with 0\n"
                 "[ 3250] 0 reads 0.8\n"},
    {.name = "an object in a file is sent from there",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = from_file_driver,
     .brief = true,
     .store = {.from = 50, .bytes = 250},
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
                 "[ 3050] 0 submits 0.1 reader\n"
                 "[ 3060] 0 -> 1 open 1.1 for 0\n"
                 "[ 3060] 0 -> 1 run 0.1 on 1.1\n"
                 "[ 3060] 1 makes blob 1\n"
                 "[ 3070] 1 -> 0 pull bytes of blob 1 to 1\n"
                 "[ 3070] 0 sends blob 1 to 1: 100 at 0\n"
                 "[ 3230] 0 -> 1 data 100 at 0 for blob 1\n"
                 "[ 3230] 1 seals blob 1\n"
                 "[ 3230] 1 starts 0.1\n"
                 "[ 3240] 1 -> 0 news copy of put 0\n"
                 "[ 3330] 1 ends 0.1 with 0\n"
                 "[ 3340] 1 -> 0 done 0.1 with 0\n"
                 "[ 3340] 0 reads 0.1\n"
                 "[ 3340] 0 frees blob 2\n"
                 "[ 3340] 0 frees blob 3\n"},
    {.name = "copies that nobody uses fade with the last count",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = fade_driver,
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 makes blob 1\n"
                 "[    0] 0 seals blob 1\n"
                 "[    0] 0 submits 0.1 reader\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 makes blob 1\n"
                 "[   20] 1 -> 0 pull bytes of blob 1 to 1\n"
                 "[   20] 0 sends blob 1 to 1: 100 at 0\n"
                 "[  130] 0 -> 1 data 100 at 0 for blob 1\n"
                 "[  130] 1 seals blob 1\n"
                 "[  130] 1 starts 0.1\n"
                 "[  140] 1 -> 0 news copy of put 0\n"
                 "[  230] 1 ends 0.1 with 0\n"
                 "[  240] 1 -> 0 done 0.1 with 0\n"
                 "[  240] 0 reads 0.1\n"
                 "[ 1250] 0 -> 1 close 1.1\n"
                 "[ 1250] 0 -> 1 fade put 0\n"
                 "[ 1250] 1 frees blob 1\n"
                 "[ 1260] 1 -> 0 closed 1.1\n"
                 "[ 1260] 1 -> 0 drop 1\n"
                 "[ 1260] 0 frees blob 1\n"
                 "[ 1260] 1 -> 0 news no copy of put 0\n"},
    {.name = "a reader dies while it pulls",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = reader_dies_driver,
     .events = {{100, WORLD_DIE, 1}, {200, WORLD_LOST, 1}},
     .chunk = 50,
     .brief = true,
     .store = {.from = 50},
     .readers = 1,
     .expected =
         "[    0] 0 makes blob 1\n"
         "[    0] 0 seals blob 1\n"
         "[    0] 0 submits 0.1 reader\n"
         "[    0] 0 submits 0.2 reader\n"
         "[    0] 0 submits 0.3 reader\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 makes blob 1\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.2 on 2.1\n"
         "[   10] 2 makes blob 1\n"
         "[   10] 0 -> 3 open 3.1 for 0\n"
         "[   10] 0 -> 3 run 0.3 on 3.1\n"
         "[   10] 3 makes blob 1\n"
         "[   20] 1 -> 0 pull bytes of blob 1 to 1\n"
         "[   20] 0 sends blob 1 to 1: 50 at 0\n"
         "[   20] 0 sends blob 1 to 1: 50 at 50\n"
         "[   20] 2 -> 0 pull bytes of blob 1 to 1\n"
         "[   20] 3 -> 0 pull bytes of blob 1 to 1\n"
         "[  100] 1 dies\n"
         "[  200] 0 declares 1 lost\n"
         "[  200] 0 sends blob 1 to 2: 50 at 0\n"
         "[  200] 0 sends blob 1 to 2: 50 at 50\n"
         "[  210] 0 -> 2 gone 1\n"
         "[  210] 0 -> 3 gone 1\n"
         "[  310] 0 -> 2 data 50 at 0 for blob 1\n"
         "[  310] 0 -> 2 data 50 at 50 for blob 1\n"
         "[  310] 2 seals blob 1\n"
         "[  310] 2 starts 0.2\n"
         "[  320] 2 -> 0 news copy of put 0\n"
         "[  320] 0 -> 3 data moved to 2 for blob 1\n"
         "[  330] 3 -> 2 pull bytes of blob 1 to 1\n"
         "[  330] 2 sends blob 1 to 3: 50 at 0\n"
         "[  330] 2 sends blob 1 to 3: 50 at 50\n"
         "[  440] 2 -> 3 data 50 at 0 for blob 1\n"
         "[  440] 2 -> 3 data 50 at 50 for blob 1\n"
         "[  440] 3 seals blob 1\n"
         "[  440] 3 starts 0.3\n"
         "[  450] 3 -> 0 news copy of put 0\n"
         "[ 3310] 2 ends 0.2 with 0\n"
         "[ 3320] 2 -> 0 done 0.2 with 0\n"
         "[ 3440] 3 ends 0.3 with 0\n"
         "[ 3450] 3 -> 0 done 0.3 with 0\n"
         "[ 3450] 0 reads 0.3\n"
         "[ 3450] 0 logs: an error that nobody read: reader: rank 1 was lost; 1 execution, no retries left\n"},
    {.name = "a source dies while it sends",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = source_dies_driver,
     .events = {{200, WORLD_DIE, 1}, {500, WORLD_LOST, 1}},
     .chunk = 100,
     .brief = true,
     .store = {.from = 50},
     .expected =
         "[    0] 0 makes blob 1\n"
         "[    0] 0 seals blob 1\n"
         "[    0] 0 submits 0.1 reader\n"
         "[    0] 0 submits 0.2 reader\n"
         "[    0] 0 submits 0.3 reader\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 makes blob 1\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.2 on 2.1\n"
         "[   10] 2 makes blob 1\n"
         "[   10] 0 -> 3 open 3.1 for 0\n"
         "[   10] 0 -> 3 run 0.3 on 3.1\n"
         "[   10] 3 makes blob 1\n"
         "[   20] 1 -> 0 pull bytes of blob 1 to 1\n"
         "[   20] 0 sends blob 1 to 1: 100 at 0\n"
         "[   20] 2 -> 0 pull bytes of blob 1 to 1\n"
         "[   20] 0 sends blob 1 to 2: 100 at 0\n"
         "[   20] 3 -> 0 pull bytes of blob 1 to 1\n"
         "[  130] 0 -> 1 data 100 at 0 for blob 1\n"
         "[  130] 1 seals blob 1\n"
         "[  130] 1 starts 0.1\n"
         "[  130] 0 -> 2 data 100 at 0 for blob 1\n"
         "[  130] 2 seals blob 1\n"
         "[  130] 2 starts 0.2\n"
         "[  140] 1 -> 0 news copy of put 0\n"
         "[  140] 2 -> 0 news copy of put 0\n"
         "[  140] 0 -> 3 data moved to 1 for blob 1\n"
         "[  150] 3 -> 1 pull bytes of blob 1 to 1\n"
         "[  150] 1 sends blob 1 to 3: 100 at 0\n"
         "[  200] 1 dies\n"
         "[  500] 0 declares 1 lost\n"
         "[  510] 0 -> 2 gone 1\n"
         "[  510] 0 -> 3 gone 1\n"
         "[  520] 3 -> 0 pull bytes of blob 1 to 1\n"
         "[  520] 0 sends blob 1 to 3: 100 at 0\n"
         "[  630] 0 -> 3 data 100 at 0 for blob 1\n"
         "[  630] 3 seals blob 1\n"
         "[  630] 3 starts 0.3\n"
         "[  640] 3 -> 0 news copy of put 0\n"
         "[ 3130] 2 ends 0.2 with 0\n"
         "[ 3140] 2 -> 0 done 0.2 with 0\n"
         "[ 3630] 3 ends 0.3 with 0\n"
         "[ 3640] 3 -> 0 done 0.3 with 0\n"
         "[ 3640] 0 reads 0.3\n"
         "[ 3640] 0 logs: an error that nobody read: reader: rank 1 was lost; 1 execution, no retries left\n"},
    {.name = "the only copy is lost with its rank",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = lost_driver,
     .events = {{600, WORLD_DIE, 1}, {700, WORLD_LOST, 1}},
     .brief = true,
     .store = {.from = 50},
     .expected =
         "[    0] 0 submits 0.1 maker\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  210] 1 makes blob 1\n"
         "[  210] 1 seals blob 1\n"
         "[  210] 1 ends 0.1 with 0\n"
         "[  220] 1 -> 0 done 0.1 with 0\n"
         "[  600] 1 dies\n"
         "[  700] 0 declares 1 lost\n"
         "[ 1000] 0 reads 0.1: error the object was lost with rank 1 of nobody\n"},
    {.name = "a copy becomes the object's home",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = home_driver,
     .events = {{600, WORLD_DIE, 1}, {700, WORLD_LOST, 1}},
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 submits 0.1 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  210] 1 makes blob 1\n"
                 "[  210] 1 seals blob 1\n"
                 "[  210] 1 ends 0.1 with 0\n"
                 "[  220] 1 -> 0 done 0.1 with 0\n"
                 "[  220] 0 makes blob 1\n"
                 "[  230] 0 -> 1 pull bytes of blob 1 to 1\n"
                 "[  230] 1 sends blob 1 to 0: 100 at 0\n"
                 "[  340] 1 -> 0 data 100 at 0 for blob 1\n"
                 "[  340] 0 seals blob 1\n"
                 "[  340] 0 reads 0.1\n"
                 "[  600] 1 dies\n"
                 "[  700] 0 declares 1 lost\n"
                 "[  710] 0 -> 2 gone 1\n"
                 "[ 1340] 0 submits 0.2 reader\n"
                 "[ 1350] 0 -> 2 open 2.1 for 0\n"
                 "[ 1350] 0 -> 2 run 0.2 on 2.1\n"
                 "[ 1350] 2 makes blob 1\n"
                 "[ 1360] 2 -> 0 pull bytes of blob 1 to 1\n"
                 "[ 1360] 0 sends blob 1 to 2: 100 at 0\n"
                 "[ 1470] 0 -> 2 data 100 at 0 for blob 1\n"
                 "[ 1470] 2 seals blob 1\n"
                 "[ 1470] 2 starts 0.2\n"
                 "[ 1480] 2 -> 0 news copy of 0.1\n"
                 "[ 1570] 2 ends 0.2 with 0\n"
                 "[ 1580] 2 -> 0 done 0.2 with 0\n"
                 "[ 1580] 0 reads 0.2\n"},
    {.name = "the place that came with an argument is lost",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = home_driver,
     .events = {{600, WORLD_DIE, 1}, {1500, WORLD_LOST, 1}},
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 submits 0.1 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  210] 1 makes blob 1\n"
                 "[  210] 1 seals blob 1\n"
                 "[  210] 1 ends 0.1 with 0\n"
                 "[  220] 1 -> 0 done 0.1 with 0\n"
                 "[  220] 0 makes blob 1\n"
                 "[  230] 0 -> 1 pull bytes of blob 1 to 1\n"
                 "[  230] 1 sends blob 1 to 0: 100 at 0\n"
                 "[  340] 1 -> 0 data 100 at 0 for blob 1\n"
                 "[  340] 0 seals blob 1\n"
                 "[  340] 0 reads 0.1\n"
                 "[  600] 1 dies\n"
                 "[ 1340] 0 submits 0.2 reader\n"
                 "[ 1350] 0 -> 2 open 2.1 for 0\n"
                 "[ 1350] 0 -> 2 run 0.2 on 2.1\n"
                 "[ 1350] 2 makes blob 1\n"
                 "[ 1500] 0 declares 1 lost\n"
                 "[ 1510] 0 -> 2 gone 1\n"
                 "[ 1510] 2 frees blob 1\n"
                 "[ 1520] 2 -> 0 watch 0.1\n"
                 "[ 1530] 0 -> 2 value 0.1\n"
                 "[ 1530] 2 makes blob 2\n"
                 "[ 1540] 2 -> 0 pull bytes of blob 1 to 2\n"
                 "[ 1540] 0 sends blob 1 to 2: 100 at 0\n"
                 "[ 1650] 0 -> 2 data 100 at 0 for blob 2\n"
                 "[ 1650] 2 seals blob 2\n"
                 "[ 1650] 2 starts 0.2\n"
                 "[ 1660] 2 -> 0 news copy of 0.1\n"
                 "[ 1750] 2 ends 0.2 with 0\n"
                 "[ 1760] 2 -> 0 done 0.2 with 0\n"
                 "[ 1760] 0 reads 0.2\n"},
    {.name = "a third rank's copy becomes the object's home",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = third_driver,
     .events = {{750, WORLD_DIE, 1}, {800, WORLD_LOST, 1}},
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 submits 0.1 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  210] 1 makes blob 1\n"
                 "[  210] 1 seals blob 1\n"
                 "[  210] 1 ends 0.1 with 0\n"
                 "[  220] 1 -> 0 done 0.1 with 0\n"
                 "[  300] 0 submits 0.2 reader\n"
                 "[  310] 0 -> 2 open 2.1 for 0\n"
                 "[  310] 0 -> 2 run 0.2 on 2.1\n"
                 "[  310] 2 makes blob 1\n"
                 "[  320] 2 -> 1 pull bytes of blob 1 to 1\n"
                 "[  320] 1 sends blob 1 to 2: 100 at 0\n"
                 "[  430] 1 -> 2 data 100 at 0 for blob 1\n"
                 "[  430] 2 seals blob 1\n"
                 "[  430] 2 starts 0.2\n"
                 "[  440] 2 -> 0 news copy of 0.1\n"
                 "[  530] 2 ends 0.2 with 0\n"
                 "[  540] 2 -> 0 done 0.2 with 0\n"
                 "[  540] 0 reads 0.2\n"
                 "[  750] 1 dies\n"
                 "[  800] 0 declares 1 lost\n"
                 "[  810] 0 -> 2 gone 1\n"
                 "[  810] 0 -> 2 home 0.1\n"
                 "[  810] 0 -> 3 gone 1\n"
                 "[  820] 2 -> 0 drop 1\n"
                 "[  820] 2 -> 0 news home of 0.1\n"
                 "[ 1040] 0 submits 0.3 reader\n"
                 "[ 1050] 0 -> 3 open 3.1 for 0\n"
                 "[ 1050] 0 -> 3 run 0.3 on 3.1\n"
                 "[ 1050] 3 makes blob 1\n"
                 "[ 1060] 3 -> 2 pull bytes of blob 1 to 1\n"
                 "[ 1060] 2 sends blob 1 to 3: 100 at 0\n"
                 "[ 1170] 2 -> 3 data 100 at 0 for blob 1\n"
                 "[ 1170] 3 seals blob 1\n"
                 "[ 1170] 3 starts 0.3\n"
                 "[ 1180] 3 -> 0 news copy of 0.1\n"
                 "[ 1270] 3 ends 0.3 with 0\n"
                 "[ 1280] 3 -> 0 done 0.3 with 0\n"
                 "[ 1280] 0 reads 0.3\n"
                 "[ 1550] 0 -> 2 close 2.1\n"
                 "[ 1560] 2 -> 0 closed 2.1\n"
                 "[ 2280] 0 makes blob 1\n"
                 "[ 2290] 0 -> 3 close 3.1\n"
                 "[ 2290] 0 -> 2 pull bytes of blob 1 to 1\n"
                 "[ 2290] 2 sends blob 1 to 0: 100 at 0\n"
                 "[ 2300] 3 -> 0 closed 3.1\n"
                 "[ 2400] 2 -> 0 data 100 at 0 for blob 1\n"
                 "[ 2400] 0 seals blob 1\n"
                 "[ 2400] 0 reads 0.1\n"},
    {.name = "tasks run where the bytes of their arguments are",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = near_driver,
     .linger_ns = 10000000,
     .brief = true,
     .store = {.from = 50},
     .expected = "[    0] 0 submits 0.1 maker\n"
                 "[    0] 0 submits 0.2 maker\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 0 -> 2 open 2.1 for 0\n"
                 "[   10] 0 -> 2 run 0.2 on 2.1\n"
                 "[   10] 2 starts 0.2\n"
                 "[  210] 1 makes blob 1\n"
                 "[  210] 1 seals blob 1\n"
                 "[  210] 1 ends 0.1 with 0\n"
                 "[  210] 2 makes blob 1\n"
                 "[  210] 2 seals blob 1\n"
                 "[  210] 2 ends 0.2 with 0\n"
                 "[  220] 1 -> 0 done 0.1 with 0\n"
                 "[  220] 2 -> 0 done 0.2 with 0\n"
                 "[ 1000] 0 submits 0.3 reader\n"
                 "[ 1010] 0 -> 1 run 0.3 on 1.1\n"
                 "[ 1010] 1 starts 0.3\n"
                 "[ 1110] 1 ends 0.3 with 0\n"
                 "[ 1120] 1 -> 0 done 0.3 with 0\n"
                 "[ 1120] 1 -> 0 drop 1\n"
                 "[ 2000] 0 submits 0.4 reader\n"
                 "[ 2010] 0 -> 1 run 0.4 on 1.1\n"
                 "[ 2010] 1 starts 0.4\n"
                 "[ 2110] 1 ends 0.4 with 0\n"
                 "[ 2120] 1 -> 0 done 0.4 with 0\n"
                 "[ 2120] 1 -> 0 drop 1\n"
                 "[ 3000] 0 submits 0.5 reader\n"
                 "[ 3010] 0 -> 2 run 0.5 on 2.1\n"
                 "[ 3010] 2 starts 0.5\n"
                 "[ 3110] 2 ends 0.5 with 0\n"
                 "[ 3120] 2 -> 0 done 0.5 with 0\n"
                 "[ 3120] 2 -> 0 drop 1\n"
                 "[ 4000] 0 submits 0.6 reader\n"
                 "[ 4010] 0 -> 2 run 0.6 on 2.1\n"
                 "[ 4010] 2 starts 0.6\n"
                 "[ 4110] 2 ends 0.6 with 0\n"
                 "[ 4120] 2 -> 0 done 0.6 with 0\n"
                 "[ 4120] 2 -> 0 drop 1\n"
                 "[ 4120] 0 reads 0.6\n"},
    {.name = NULL}};
