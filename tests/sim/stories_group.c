/* stories_group.c - calls that hold up no others, sleep and flags. */
#include "story.h"

/* Its class has a second group, of one call at a time (world.c). */
#define ACTOR(name_, any_)                       \
    TASK_OF(                                     \
        name_, short_ops, TG_UNIT, .gene.fn = 1, \
        .create = {.concurrency = 1, .max_pending = -1, .any_order = any_})
#define CALL(name_, ops_, group_) \
    TASK_OF(name_, ops_, 0, .call = true, .group = (group_))
/* Its argument is what the task in slot 1 returns. */
#define LATE_CALL(name_, group_)                                              \
    TASK_OF(name_, short_ops, 0, .call = true, .group = (group_), .nargs = 1, \
            .args = {{.by_ref = true, .slot = {1}}})
#define SLEEP(us_)                                   \
    {                                                \
        .type = OP_SLEEP, .ns = (us_)*UINT64_C(1000) \
    }
#define SET_FLAG                   \
    {                              \
        .type = OP_FLAG, .need = 1 \
    }
#define AWAIT            \
    {                    \
        .type = OP_AWAIT \
    }

static const struct op short_ops[] = {COMPUTE(100), END};
static const struct op long_ops[] = {COMPUTE(600), END};
static const struct op spin_ops[] = {SPIN};
static const struct plan actor = ACTOR("actor", false);
static const struct plan any = ACTOR("any", true);
static const struct plan call = CALL("call", short_ops, 0);
static const struct plan spin = CALL("spin", spin_ops, 1);
static const struct plan other = CALL("other", short_ops, 1);
static const struct plan late = LATE_CALL("late", 0);
static const struct plan slow = TASK("slow", long_ops);

/* One call of a group runs for ever: those of the other go on. */
static const struct op held_driver[] = {
    SUBMIT(actor), SUBMIT(spin), SUBMIT(other), SUBMIT(call), SUBMIT(call),
    GET2(3, 4),    CANCEL(1),    GET(2),        GET(1),       END};

/* A call waits for its argument: later ones of its group stay behind it. */
static const struct op order_driver[] = {
    SUBMIT(actor), SUBMIT(slow), SUBMIT(late), SUBMIT(call),
    SUBMIT(other), GET2(3, 4),   GET(2),       END};

/* And if the order does not matter they do not. */
static const struct op any_driver[] = {SUBMIT(any),  SUBMIT(slow), SUBMIT(late),
                                       SUBMIT(call), GET2(2, 3),   END};

/* Two that wait lend their CPU to the third, who sleeps first and lends
 * nothing meanwhile, and go on in the order in which they came. */
static const struct op await_ops[] = {AWAIT, COMPUTE(10), END};
static const struct op wake_ops[] = {SLEEP(5000), SET_FLAG, COMPUTE(10), END};
static const struct plan waiter = TASK("waiter", await_ops);
static const struct plan waker = TASK("waker", wake_ops);
static const struct plan tiny = TASK("tiny", short_ops);
static const struct op flag_driver[] = {SUBMIT(waiter),
                                        SUBMIT(waiter),
                                        SUBMIT(waker),
                                        SUBMIT(tiny),
                                        GET2(0, 1),
                                        GET(3),
                                        END};

/* Who sleeps or waits for a flag is woken by a cancel. */
static const struct op sleep_ops[] = {SLEEP(1000000), END};
static const struct plan sleeper = TASK("sleeper", sleep_ops);
static const struct op stop_driver[] = {
    SUBMIT(sleeper), COMPUTE(300), CANCEL(0), GET(0), SUBMIT(waiter),
    COMPUTE(300),    CANCEL(1),    GET(1),    END};

const struct story stories_group[] = {
    {.name = "a call that never ends holds up its group only",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = held_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 spin\n"
                 "[    0] 0 submits 0.3 other\n"
                 "[    0] 0 submits 0.4 call\n"
                 "[    0] 0 submits 0.5 call\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.2\n"
                 "[  130] 1 starts 0.2\n"
                 "[  130] 0 -> 1 call 0.3\n"
                 "[  130] 0 -> 1 call 0.4\n"
                 "[  130] 1 starts 0.4\n"
                 "[  130] 0 -> 1 call 0.5\n"
                 "[  230] 1 ends 0.4 with 0\n"
                 "[  230] 1 starts 0.5\n"
                 "[  240] 1 -> 0 done 0.4 with 0\n"
                 "[  330] 1 ends 0.5 with 0\n"
                 "[  340] 1 -> 0 done 0.5 with 0\n"
                 "[  340] 0 reads 0.4\n"
                 "[  340] 0 reads 0.5\n"
                 "[  340] 0 cancels 0.2\n"
                 "[  350] 0 -> 1 uncall 0.2\n"
                 "[  630] 1 ends 0.2 with -4\n"
                 "[  630] 1 starts 0.3\n"
                 "[  640] 1 -> 0 done 0.2 with -4\n"
                 "[  730] 1 ends 0.3 with 0\n"
                 "[  740] 1 -> 0 done 0.3 with 0\n"
                 "[  740] 0 reads 0.3\n"
                 "[  740] 0 reads 0.2: error the task was cancelled of 0.2\n"},
    {.name = "calls of a group keep their order",
     .nranks = 2,
     .cpus = {0, 2},
     .driver = order_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 slow\n"
                 "[    0] 0 submits 0.3 late\n"
                 "[    0] 0 submits 0.4 call\n"
                 "[    0] 0 submits 0.5 other\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 0 -> 1 open 1.2 for 0\n"
                 "[   10] 0 -> 1 run 0.2 on 1.2\n"
                 "[   10] 1 starts 0.2\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.5\n"
                 "[  130] 1 starts 0.5\n"
                 "[  230] 1 ends 0.5 with 0\n"
                 "[  240] 1 -> 0 done 0.5 with 0\n"
                 "[  610] 1 ends 0.2 with 0\n"
                 "[  620] 1 -> 0 done 0.2 with 0\n"
                 "[  630] 0 -> 1 call 0.3\n"
                 "[  630] 1 starts 0.3\n"
                 "[  630] 0 -> 1 call 0.4\n"
                 "[  730] 1 ends 0.3 with 0\n"
                 "[  730] 1 starts 0.4\n"
                 "[  740] 1 -> 0 done 0.3 with 0\n"
                 "[  830] 1 ends 0.4 with 0\n"
                 "[  840] 1 -> 0 done 0.4 with 0\n"
                 "[  840] 0 reads 0.4\n"
                 "[  840] 0 reads 0.5\n"
                 "[  840] 0 reads 0.3\n"},
    {.name = "whose arguments are there goes first",
     .nranks = 2,
     .cpus = {0, 2},
     .driver = any_driver,
     .expected = "[    0] 0 submits 0.1 any\n"
                 "[    0] 0 submits 0.2 slow\n"
                 "[    0] 0 submits 0.3 late\n"
                 "[    0] 0 submits 0.4 call\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 0 -> 1 open 1.2 for 0\n"
                 "[   10] 0 -> 1 run 0.2 on 1.2\n"
                 "[   10] 1 starts 0.2\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.4\n"
                 "[  130] 1 starts 0.4\n"
                 "[  230] 1 ends 0.4 with 0\n"
                 "[  240] 1 -> 0 done 0.4 with 0\n"
                 "[  610] 1 ends 0.2 with 0\n"
                 "[  620] 1 -> 0 done 0.2 with 0\n"
                 "[  630] 0 -> 1 call 0.3\n"
                 "[  630] 1 starts 0.3\n"
                 "[  730] 1 ends 0.3 with 0\n"
                 "[  740] 1 -> 0 done 0.3 with 0\n"
                 "[  740] 0 reads 0.3\n"
                 "[  740] 0 reads 0.4\n"},
    {.name = "who waits for a flag lends, who sleeps does not",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = flag_driver,
     .expected = "[    0] 0 submits 0.1 waiter\n"
                 "[    0] 0 submits 0.2 waiter\n"
                 "[    0] 0 submits 0.3 waker\n"
                 "[    0] 0 submits 0.4 tiny\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[ 1020] 1 -> 0 lend 1.1\n"
                 "[ 1020] 1 -> 0 bounce 1.1 blocked\n"
                 "[ 1030] 0 -> 1 open 1.2 for 0\n"
                 "[ 1030] 0 -> 1 run 0.2 on 1.2\n"
                 "[ 1030] 1 starts 0.2\n"
                 "[ 2040] 1 -> 0 lend 1.2\n"
                 "[ 2040] 1 -> 0 bounce 1.2 blocked\n"
                 "[ 2050] 0 -> 1 open 1.3 for 0\n"
                 "[ 2050] 0 -> 1 run 0.3 on 1.3\n"
                 "[ 2050] 1 starts 0.3\n"
                 "[ 7060] 1 ends 0.3 with 0\n"
                 "[ 7060] 1 -> 0 resume 1.2\n"
                 "[ 7060] 1 -> 0 resume 1.1\n"
                 "[ 7060] 1 ends 0.1 with 0\n"
                 "[ 7060] 1 ends 0.2 with 0\n"
                 "[ 7070] 1 -> 0 done 0.3 with 0\n"
                 "[ 7070] 1 -> 0 done 0.1 with 0\n"
                 "[ 7070] 1 -> 0 done 0.2 with 0\n"
                 "[ 7070] 0 reads 0.1\n"
                 "[ 7070] 0 reads 0.2\n"
                 "[ 7080] 0 -> 1 run 0.4 on 1.3\n"
                 "[ 7080] 1 starts 0.4\n"
                 "[ 7180] 1 ends 0.4 with 0\n"
                 "[ 7190] 1 -> 0 done 0.4 with 0\n"
                 "[ 7190] 0 reads 0.4\n"},
    {.name = "a cancel ends a sleep and a wait for a flag",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = stop_driver,
     .expected =
         "[    0] 0 submits 0.1 sleeper\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  300] 0 cancels 0.1\n"
         "[  310] 0 -> 1 cancel 0.1\n"
         "[  310] 1 ends 0.1 with -4\n"
         "[  320] 1 -> 0 done 0.1 with -4\n"
         "[  320] 0 reads 0.1: error the script ended with -4 of 0.1\n"
         "[  320] 0 submits 0.2 waiter\n"
         "[  330] 0 -> 1 run 0.2 on 1.1\n"
         "[  330] 1 starts 0.2\n"
         "[  620] 0 cancels 0.2\n"
         "[  630] 0 -> 1 cancel 0.2\n"
         "[  630] 1 ends 0.2 with -4\n"
         "[  640] 1 -> 0 done 0.2 with -4\n"
         "[  640] 0 reads 0.2: error the script ended with -4 of 0.2\n"},
    {0}};
