/* stories_room.c - who gets room in a store that is too small. */
#include "story.h"

#define LOOK(slot_)                                \
    {                                              \
        .type = OP_LOOK, .n = 1, .slot = { slot_ } \
    }

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

const struct story stories_room[] = {
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
    {.name = NULL}};
