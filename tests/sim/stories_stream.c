/* stories_stream.c - tasks and methods that yield items (Ray: generators). */
#include "story.h"

#define KILL(slot_)                                \
    {                                              \
        .type = OP_KILL, .n = 1, .slot = { slot_ } \
    }

/* Item 0 is large and goes apart from the others. */
static const struct op three_ops[] = {YIELD, YIELD,        COMPUTE(200),
                                      YIELD, COMPUTE(200), END};
static const struct op two_ops[] = {YIELD, YIELD, END};
static const struct op endless_ops[] = {YIELD, YIELD, COMPUTE(1000), YIELD,
                                        SPIN};
static const struct op failing_ops[] = {YIELD, YIELD, END_WITH(7)};
static const struct plan three =
    STREAM("three", three_ops, 3, TG_ANY_AHEAD, .max_retries = 1);
static const struct plan endless =
    STREAM("endless", endless_ops, 99, TG_ANY_AHEAD, .nargs = 0);
static const struct plan failing =
    STREAM("failing", failing_ops, 2, TG_ANY_AHEAD, .nargs = 0);
static const struct plan step = STREAM("step", two_ops, 2, 1, .nargs = 0);

/* A large item is overtaken by a small one, which waits for it. */
static const struct op overtaken_driver[] = {
    SUBMIT(three), NEXT(0), NEXT(0), NEXT(0), NEXT(0), NEXT(0), END};

/* The reader is told of an error after all items. */
static const struct op failing_driver[] = {
    SUBMIT(failing), NEXT(0), NEXT(0), NEXT(0), GET(3), NEXT(0), END};

/* Cancelled with items that have come: the next one is the error. */
static const struct op cancel_driver[] = {
    SUBMIT(endless), COMPUTE(500), NEXT(0), CANCEL(0),
    NEXT(0),         GET(2),       NEXT(0), END};

/* The task goes in lock step with its reader. */
static const struct op step_driver[] = {
    SUBMIT(step), COMPUTE(300), NEXT(0), COMPUTE(300), NEXT(0), NEXT(0), END};

/* Closed while the task is blocked: it runs to its end. */
static const struct op close_driver[] = {SUBMIT(step), COMPUTE(300), RELEASE(0),
                                         COMPUTE(300), END};

/* Its rank dies after one item was taken: another begins with the first one,
 * and none is seen twice. */
static const struct op retry_driver[] = {
    SUBMIT(three), NEXT(0), COMPUTE(900), NEXT(0), NEXT(0), NEXT(0), END};

/* It dies without retries left. */
static const struct op lost_driver[] = {
    SUBMIT(endless), NEXT(0), NEXT(0), NEXT(0), GET(3), NEXT(0), END};

/* A method that yields is killed with a large item under way, which comes. */
static const struct op short_ops[] = {COMPUTE(100), END};
static const struct plan actor =
    TASK_OF("actor", short_ops, TG_UNIT,
            .create = {.concurrency = 1, .max_pending = -1});
static const struct plan call = TASK_OF("call", short_ops, 0, .call = true);
static const struct plan yielding =
    STREAM("yielding", endless_ops, 99, TG_ANY_AHEAD, .call = true);
static const struct op kill_driver[] = {
    SUBMIT(actor), SUBMIT(yielding), COMPUTE(205), KILL(0), NEXT(1),
    NEXT(1),       NEXT(1),          GET(4),       NEXT(1), END};

/* One that does not look runs to its end, and then the next call. */
static const struct op busy_ops[] = {YIELD, YIELD, COMPUTE(600), END};
static const struct plan busy =
    STREAM("busy", busy_ops, 2, TG_ANY_AHEAD, .call = true);
static const struct op uncall_driver[] = {
    SUBMIT(actor), SUBMIT(busy), COMPUTE(300), CANCEL(1), NEXT(1),
    GET(2),        NEXT(1),      SUBMIT(call), GET(3),    END};

/* A method that waits for its reader holds up the others, until the stream is
 * closed. */
static const struct plan turn = STREAM("turn", two_ops, 2, 1, .call = true);
static const struct op turn_driver[] = {
    SUBMIT(actor), SUBMIT(turn), NEXT(1), SUBMIT(turn),
    SUBMIT(call),  COMPUTE(300), NEXT(1), NEXT(1),
    COMPUTE(300),  RELEASE(3),   GET(4),  END};

/* The rank of its reader dies: it runs to its end, and the actor goes on. */
static const struct op reader_ops[] = {SUBMIT(turn), NEXT(1), COMPUTE(9000),
                                       END};
static const struct plan reader =
    TASK_WITH("reader", reader_ops, .shape.strategy = TRYGON_STRATEGY_NODE,
              .shape.node = 2, .max_retries = 0, .shape.fail = true, .nargs = 1,
              .args = {{.size = 16, .n = 1, .slot = {0}}});
static const struct op reader_driver[] = {
    SUBMIT(actor), SUBMIT(reader), COMPUTE(400), SUBMIT(call), GET(2), END};

/* The rank of the actor dies: what has come in order stays. */
static const struct op actor_lost_driver[] = {
    SUBMIT(actor), SUBMIT(yielding), NEXT(1), NEXT(1),
    NEXT(1),       GET(4),           NEXT(1), END};

const struct story stories_stream[] = {
    {.name = "a large item is overtaken by small ones",
     .nranks = 2,
     .cpus = {0, 1, 1},
     .driver = overtaken_driver,
     .expected = "[    0] 0 submits 0.1 three\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 yields 0 of 0.1\n"
                 "[   10] 1 yields 1 of 0.1\n"
                 "[   20] 1 -> 0 item 1 of 0.1\n"
                 "[  120] 1 -> 0 item 0 of 0.1\n"
                 "[  120] 0 takes 0 of 0.1\n"
                 "[  120] 0 takes 1 of 0.1\n"
                 "[  210] 1 yields 2 of 0.1\n"
                 "[  220] 1 -> 0 item 2 of 0.1\n"
                 "[  220] 0 takes 2 of 0.1\n"
                 "[  410] 1 ends 0.1 with 0\n"
                 "[  420] 1 -> 0 done 0.1 with 0\n"
                 "[  420] 0 finds the end of 0.1\n"
                 "[  420] 0 finds the end of 0.1\n"},
    {.name = "an error of the task is its last item",
     .nranks = 2,
     .cpus = {0, 1, 1},
     .driver = failing_driver,
     .expected =
         "[    0] 0 submits 0.1 failing\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 1 yields 0 of 0.1\n"
         "[   10] 1 yields 1 of 0.1\n"
         "[   10] 1 ends 0.1 with 7\n"
         "[   20] 1 -> 0 item 1 of 0.1\n"
         "[   20] 1 -> 0 done 0.1 with 7\n"
         "[  120] 1 -> 0 item 0 of 0.1\n"
         "[  120] 0 takes 0 of 0.1\n"
         "[  120] 0 takes 1 of 0.1\n"
         "[  120] 0 takes 2 of 0.1\n"
         "[  120] 0 reads an item of 0.1: error the script ended with 7 of 0.1\n"
         "[  120] 0 finds the end of 0.1\n"},
    {.name = "a stream is cancelled with items already there",
     .nranks = 2,
     .cpus = {0, 1, 1},
     .driver = cancel_driver,
     .expected =
         "[    0] 0 submits 0.1 endless\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 1 yields 0 of 0.1\n"
         "[   10] 1 yields 1 of 0.1\n"
         "[   20] 1 -> 0 item 1 of 0.1\n"
         "[  120] 1 -> 0 item 0 of 0.1\n"
         "[  500] 0 takes 0 of 0.1\n"
         "[  500] 0 cancels 0.1\n"
         "[  500] 0 takes 1 of 0.1\n"
         "[  500] 0 reads an item of 0.1: error the task was cancelled of 0.1\n"
         "[  500] 0 finds the end of 0.1\n"},
    {.name = "a task goes in lock step with its reader",
     .nranks = 2,
     .cpus = {0, 1, 1},
     .driver = step_driver,
     .expected = "[    0] 0 submits 0.1 step\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 yields 0 of 0.1\n"
                 "[  120] 1 -> 0 item 0 of 0.1\n"
                 "[  300] 0 takes 0 of 0.1\n"
                 "[  310] 0 -> 1 taken 1 of 0.1\n"
                 "[  310] 1 yields 1 of 0.1\n"
                 "[  320] 1 -> 0 item 1 of 0.1\n"
                 "[  600] 0 takes 1 of 0.1\n"
                 "[  610] 0 -> 1 taken 2 of 0.1\n"
                 "[  610] 1 ends 0.1 with 0\n"
                 "[  620] 1 -> 0 done 0.1 with 0\n"
                 "[  620] 0 finds the end of 0.1\n"},
    {.name = "a stream is closed while its task is blocked",
     .nranks = 2,
     .cpus = {0, 1, 1},
     .driver = close_driver,
     .expected = "[    0] 0 submits 0.1 step\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 yields 0 of 0.1\n"
                 "[  120] 1 -> 0 item 0 of 0.1\n"
                 "[  310] 0 -> 1 taken all of 0.1\n"
                 "[  310] 1 yields 1 of 0.1\n"
                 "[  310] 1 ends 0.1 with 0\n"
                 "[  320] 1 -> 0 item 1 of 0.1\n"
                 "[  320] 1 -> 0 done 0.1 with 0\n"},
    {.name = "a stream begins again when its rank dies",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = retry_driver,
     .events = {{150, WORLD_DIE, 1}, {500, WORLD_LOST, 1}},
     .expected = "[    0] 0 submits 0.1 three\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 1 yields 0 of 0.1\n"
                 "[   10] 1 yields 1 of 0.1\n"
                 "[   20] 1 -> 0 item 1 of 0.1\n"
                 "[  120] 1 -> 0 item 0 of 0.1\n"
                 "[  120] 0 takes 0 of 0.1\n"
                 "[  150] 1 dies\n"
                 "[  500] 0 declares 1 lost\n"
                 "[  510] 0 -> 2 gone 1\n"
                 "[  510] 0 -> 2 open 2.1 for 0\n"
                 "[  510] 0 -> 2 run 0.1 on 2.1\n"
                 "[  510] 2 starts 0.1 again\n"
                 "[  510] 2 yields 0 of 0.1\n"
                 "[  510] 2 yields 1 of 0.1\n"
                 "[  520] 2 -> 0 item 1 of 0.1\n"
                 "[  620] 2 -> 0 item 0 of 0.1\n"
                 "[  710] 2 yields 2 of 0.1\n"
                 "[  720] 2 -> 0 item 2 of 0.1\n"
                 "[  910] 2 ends 0.1 with 0\n"
                 "[  920] 2 -> 0 done 0.1 with 0\n"
                 "[ 1020] 0 takes 1 of 0.1\n"
                 "[ 1020] 0 takes 2 of 0.1\n"
                 "[ 1020] 0 finds the end of 0.1\n"},
    {.name = "a stream's rank dies without retries left",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = lost_driver,
     .events = {{400, WORLD_DIE, 1}, {900, WORLD_LOST, 1}},
     .expected =
         "[    0] 0 submits 0.1 endless\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 1 yields 0 of 0.1\n"
         "[   10] 1 yields 1 of 0.1\n"
         "[   20] 1 -> 0 item 1 of 0.1\n"
         "[  120] 1 -> 0 item 0 of 0.1\n"
         "[  120] 0 takes 0 of 0.1\n"
         "[  120] 0 takes 1 of 0.1\n"
         "[  400] 1 dies\n"
         "[  900] 0 declares 1 lost\n"
         "[  900] 0 takes 2 of 0.1\n"
         "[  900] 0 reads an item of 0.1: error rank 1 was lost; 1 execution, no retries left of 0.1\n"
         "[  900] 0 finds the end of 0.1\n"},
    {.name = "an actor is killed while it yields",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = kill_driver,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 yielding\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  130] 1 yields 0 of 0.2\n"
         "[  130] 1 yields 1 of 0.2\n"
         "[  140] 1 -> 0 item 1 of 0.2\n"
         "[  205] 0 kills 0.1\n"
         "[  215] 0 -> 1 leave killed\n"
         "[  225] 1 -> 0 done 0.2 with -22\n"
         "[  240] 1 -> 0 item 0 of 0.2\n"
         "[  240] 0 takes 0 of 0.2\n"
         "[  240] 0 takes 1 of 0.2\n"
         "[  240] 0 takes 2 of 0.2\n"
         "[  240] 0 reads an item of 0.2: error the actor has ended: it was killed of 0.2\n"
         "[  240] 0 finds the end of 0.2\n"},
    {.name = "a call that yields is cancelled",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = uncall_driver,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 busy\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  130] 1 yields 0 of 0.2\n"
         "[  130] 1 yields 1 of 0.2\n"
         "[  140] 1 -> 0 item 1 of 0.2\n"
         "[  240] 1 -> 0 item 0 of 0.2\n"
         "[  300] 0 cancels 0.2\n"
         "[  300] 0 takes 0 of 0.2\n"
         "[  300] 0 reads an item of 0.2: error the task was cancelled of 0.2\n"
         "[  300] 0 finds the end of 0.2\n"
         "[  300] 0 submits 0.3 call\n"
         "[  310] 0 -> 1 uncall 0.2\n"
         "[  310] 0 -> 1 call 0.3\n"
         "[  730] 1 ends 0.2 with 0\n"
         "[  730] 1 starts 0.3\n"
         "[  740] 1 -> 0 done 0.2 with 0\n"
         "[  830] 1 ends 0.3 with 0\n"
         "[  840] 1 -> 0 done 0.3 with 0\n"
         "[  840] 0 reads 0.3\n"},
    {.name = "a method waits for its reader",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = turn_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 turn\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.2\n"
                 "[  130] 1 starts 0.2\n"
                 "[  130] 1 yields 0 of 0.2\n"
                 "[  240] 1 -> 0 item 0 of 0.2\n"
                 "[  240] 0 takes 0 of 0.2\n"
                 "[  240] 0 submits 0.3 turn\n"
                 "[  240] 0 submits 0.4 call\n"
                 "[  250] 0 -> 1 taken 1 of 0.2\n"
                 "[  250] 0 -> 1 call 0.3\n"
                 "[  250] 0 -> 1 call 0.4\n"
                 "[  250] 1 yields 1 of 0.2\n"
                 "[  260] 1 -> 0 item 1 of 0.2\n"
                 "[  540] 0 takes 1 of 0.2\n"
                 "[  550] 0 -> 1 taken 2 of 0.2\n"
                 "[  550] 1 ends 0.2 with 0\n"
                 "[  550] 1 starts 0.3\n"
                 "[  550] 1 yields 0 of 0.3\n"
                 "[  560] 1 -> 0 done 0.2 with 0\n"
                 "[  560] 0 finds the end of 0.2\n"
                 "[  660] 1 -> 0 item 0 of 0.3\n"
                 "[  870] 0 -> 1 taken all of 0.3\n"
                 "[  870] 1 yields 1 of 0.3\n"
                 "[  870] 1 ends 0.3 with 0\n"
                 "[  870] 1 starts 0.4\n"
                 "[  880] 1 -> 0 item 1 of 0.3\n"
                 "[  880] 1 -> 0 done 0.3 with 0\n"
                 "[  970] 1 ends 0.4 with 0\n"
                 "[  980] 1 -> 0 done 0.4 with 0\n"
                 "[  980] 0 reads 0.4\n"},
    {.name = "the rank of a method's reader dies",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = reader_driver,
     .events = {{500, WORLD_DIE, 2}, {900, WORLD_LOST, 2}},
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 reader\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.2 on 2.1\n"
         "[   10] 2 starts 0.2\n"
         "[   10] 2 submits 2.1 turn\n"
         "[   20] 2 -> 0 watch 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 2 value 0.1\n"
         "[  140] 2 -> 1 call 2.1\n"
         "[  140] 1 starts 2.1\n"
         "[  140] 1 yields 0 of 2.1\n"
         "[  250] 1 -> 2 item 0 of 2.1\n"
         "[  250] 2 takes 0 of 2.1\n"
         "[  260] 2 -> 1 taken 1 of 2.1\n"
         "[  260] 1 yields 1 of 2.1\n"
         "[  270] 1 -> 2 item 1 of 2.1\n"
         "[  400] 0 submits 0.3 call\n"
         "[  410] 0 -> 1 call 0.3\n"
         "[  500] 2 dies\n"
         "[  900] 0 declares 2 lost\n"
         "[  910] 0 -> 1 gone 2\n"
         "[  910] 1 ends 2.1 with 0\n"
         "[  910] 1 starts 0.3\n"
         "[ 1010] 1 ends 0.3 with 0\n"
         "[ 1020] 1 -> 0 done 0.3 with 0\n"
         "[ 1020] 0 reads 0.3\n"
         "[ 1020] 0 logs: an error that nobody read: reader: rank 2 was lost; 1 execution, no retries left\n"},
    {.name = "the rank of an actor that yields dies",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = actor_lost_driver,
     .events = {{400, WORLD_DIE, 1}, {900, WORLD_LOST, 1}},
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 yielding\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  130] 1 yields 0 of 0.2\n"
         "[  130] 1 yields 1 of 0.2\n"
         "[  140] 1 -> 0 item 1 of 0.2\n"
         "[  240] 1 -> 0 item 0 of 0.2\n"
         "[  240] 0 takes 0 of 0.2\n"
         "[  240] 0 takes 1 of 0.2\n"
         "[  400] 1 dies\n"
         "[  900] 0 declares 1 lost\n"
         "[  900] 0 takes 2 of 0.2\n"
         "[  900] 0 reads an item of 0.2: error the actor has ended: its rank was lost of nobody\n"
         "[  900] 0 finds the end of 0.2\n"},
    {.name = NULL}};
