/* stories_retry.c - calls that are made again, and those that are not. */
#include "story.h"

static const struct op short_ops[] = {COMPUTE(100), END};
static const struct op long_ops[] = {COMPUTE(1000), END};
static const struct op spin_ops[] = {SPIN};
static const struct plan once = ACTOR_AGAIN("actor", short_ops, 1, 0);
static const struct plan patient = ACTOR_AGAIN("actor", short_ops, 1, -1);
static const struct plan slow = ACTOR_AGAIN("actor", long_ops, 1, 0);
static const struct plan call = CALL_AGAIN("call", short_ops, TG_AS_ACTOR);
static const struct plan sure = CALL_AGAIN("sure", short_ops, 1);
static const struct plan spin = CALL_AGAIN("spin", spin_ops, TG_AS_ACTOR);
static const struct plan stubborn = CALL_AGAIN("stubborn", spin_ops, 1);

/* ----- lost with the actor --------------------------------------------------------- */

static const struct op patient_driver[] = {
    SUBMIT(patient), SUBMIT(call), SUBMIT(call), SUBMIT(call),
    GET2(1, 2),      GET(3),       END};

/* One has a retry. */
static const struct op both_driver[] = {
    SUBMIT(once), SUBMIT(stubborn), SUBMIT(call), COMPUTE(300), KILL_AGAIN(0),
    GET(2),       COMPUTE(700),     CANCEL(1),    GET(1),       END};

static const struct op cancel_driver[] = {
    SUBMIT(patient), SUBMIT(spin), COMPUTE(300), CANCEL(1), KILL_AGAIN(0),
    GET(1),          SUBMIT(call), GET(2),       END};

/* ----- failed with a code ------------------------------------------------------------ */

static const struct op fail_ops[] = {COMPUTE(100), END_WITH(3)};
static const struct plan failing =
    TASK_OF("failing", fail_ops, 0, .call = true, .max_retries = 2, .ncodes = 1,
            .codes = {3});
static const struct plan unlisted =
    TASK_OF("unlisted", fail_ops, 0, .call = true, .max_retries = 2,
            .ncodes = 1, .codes = {4});
static const struct plan as_actor =
    TASK_OF("as its actor", fail_ops, 0, .call = true,
            .max_retries = TG_AS_ACTOR, .ncodes = 1, .codes = {3});
static const struct plan willing = ACTOR_AGAIN("actor", short_ops, 0, 1);

/* The call says 2, its actor 1. */
static const struct op fail_driver[] = {
    SUBMIT(willing), SUBMIT(failing),  GET(1), SUBMIT(as_actor),
    GET(2),          SUBMIT(unlisted), GET(3), END};

/* ----- callers elsewhere ---------------------------------------------------------------- */

/* A task on that node, with the handle in a value. */
#define ON(n_)                                                  \
    .shape.strategy = TRYGON_STRATEGY_NODE, .shape.node = (n_), \
    .max_retries = 0, .shape.fail = true, .nargs = 1,           \
    .args = {{.size = 16, .n = 1, .slot = {0}}}

/* Made while its actor is made again: one ends at once, one waits. */
static const struct op user_ops[] = {SUBMIT(call), GET(1), COMPUTE(500),
                                     SUBMIT(call), GET(2), SUBMIT(sure),
                                     GET(3),       END};
static const struct plan user = TASK_WITH("user", user_ops, ON(2));
static const struct op told_driver[] = {SUBMIT(slow), SUBMIT(user), GET(1),
                                        END};

/* It was made again between two calls. */
static const struct op late_ops[] = {SUBMIT(call), GET(1), COMPUTE(1000),
                                     SUBMIT(sure), GET(2), END};
static const struct plan late = TASK_WITH("late", late_ops, ON(2));
static const struct op late_driver[] = {
    SUBMIT(once), SUBMIT(late), COMPUTE(600), KILL_AGAIN(0), GET(1), END};

static const struct op many_ops[] = {SUBMIT(call), SUBMIT(call), GET2(1, 2),
                                     END};
static const struct plan here = TASK_WITH("here", many_ops, ON(2));
static const struct plan there = TASK_WITH("there", many_ops, ON(3));
static const struct op many_driver[] = {
    SUBMIT(patient), SUBMIT(here), SUBMIT(there), SUBMIT(call), GET2(1, 2),
    GET(3),          END};

/* The second loss comes while it is made again. */
static const struct op twice_driver[] = {SUBMIT(patient), SUBMIT(here), GET(1),
                                         SUBMIT(call),    GET(2),       END};

/* The caller hears of the loss long before the owner does. */
static const struct op early_client[] = {SUBMIT(once), SUBMIT(here), GET(1),
                                         END};
static const struct op idle_driver[] = {COMPUTE(3000), END};

const struct story stories_retry[] = {
    {.name = "calls that are retried come again in order",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = patient_driver,
     .events = {{150, WORLD_LOST, 1}},
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 call\n"
                 "[    0] 0 submits 0.3 call\n"
                 "[    0] 0 submits 0.4 call\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.2\n"
                 "[  130] 1 starts 0.2\n"
                 "[  130] 0 -> 1 call 0.3\n"
                 "[  130] 0 -> 1 call 0.4\n"
                 "[  150] 0 declares 1 lost\n"
                 "[  160] 0 -> 2 gone 1\n"
                 "[  160] 0 -> 2 open 2.1 for 0\n"
                 "[  160] 0 -> 2 run 0.1 on 2.1\n"
                 "[  160] 2 starts 0.1 again\n"
                 "[  230] 1 ends 0.2 with 0\n"
                 "[  230] 1 starts 0.3\n"
                 "[  260] 2 ends 0.1 with 0\n"
                 "[  270] 2 -> 0 done 0.1 with 0\n"
                 "[  280] 0 -> 2 call 0.2\n"
                 "[  280] 2 starts 0.2 again\n"
                 "[  280] 0 -> 2 call 0.3\n"
                 "[  280] 0 -> 2 call 0.4\n"
                 "[  330] 1 ends 0.3 with 0\n"
                 "[  330] 1 starts 0.4\n"
                 "[  380] 2 ends 0.2 with 0\n"
                 "[  380] 2 starts 0.3 again\n"
                 "[  390] 2 -> 0 done 0.2 with 0\n"
                 "[  430] 1 ends 0.4 with 0\n"
                 "[  480] 2 ends 0.3 with 0\n"
                 "[  480] 2 starts 0.4 again\n"
                 "[  490] 2 -> 0 done 0.3 with 0\n"
                 "[  490] 0 reads 0.2\n"
                 "[  490] 0 reads 0.3\n"
                 "[  580] 2 ends 0.4 with 0\n"
                 "[  590] 2 -> 0 done 0.4 with 0\n"
                 "[  590] 0 reads 0.4\n"},
    {.name = "one call runs again, the other may have run",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = both_driver,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 stubborn\n"
         "[    0] 0 submits 0.3 call\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  130] 0 -> 1 call 0.3\n"
         "[  300] 0 kills 0.1, to be made again\n"
         "[  300] 0 reads 0.3: error the actor is made again: the call may or may not have run of 0.3\n"
         "[  310] 0 -> 1 leave restart\n"
         "[  310] 0 -> 1 run 0.1 on 1.1\n"
         "[  310] 1 starts 0.1 again\n"
         "[  320] 1 -> 0 done 0.3 with -2147483648\n"
         "[  320] 1 -> 0 done 0.2 with -2147483648\n"
         "[  410] 1 ends 0.1 with 0\n"
         "[  420] 1 -> 0 done 0.1 with 0\n"
         "[  430] 0 -> 1 call 0.2\n"
         "[  430] 1 starts 0.2 again\n"
         "[  630] 1 ends 0.2 with -4\n"
         "[ 1000] 0 cancels 0.2\n"
         "[ 1010] 0 -> 1 uncall 0.2\n"
         "[ 1430] 0 -> 1 close 1.1\n"
         "[ 1440] 1 -> 0 closed 1.1\n"
         "[ 1930] 1 ends 0.2 with -4\n"
         "[ 1940] 1 -> 0 done 0.2 with -4\n"
         "[ 1940] 0 reads 0.2: error the task was cancelled of 0.2\n"},
    {.name = "a cancelled call is not made again",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = cancel_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 spin\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.2\n"
                 "[  130] 1 starts 0.2\n"
                 "[  300] 0 cancels 0.2\n"
                 "[  300] 0 kills 0.1, to be made again\n"
                 "[  300] 0 reads 0.2: error the task was cancelled of 0.2\n"
                 "[  300] 0 submits 0.3 call\n"
                 "[  310] 0 -> 1 uncall 0.2\n"
                 "[  310] 0 -> 1 leave restart\n"
                 "[  310] 0 -> 1 run 0.1 on 1.1\n"
                 "[  310] 1 starts 0.1 again\n"
                 "[  320] 1 -> 0 done 0.2 with -2147483648\n"
                 "[  410] 1 ends 0.1 with 0\n"
                 "[  420] 1 -> 0 done 0.1 with 0\n"
                 "[  430] 0 -> 1 call 0.3\n"
                 "[  430] 1 starts 0.3\n"
                 "[  530] 1 ends 0.3 with 0\n"
                 "[  540] 1 -> 0 done 0.3 with 0\n"
                 "[  540] 0 reads 0.3\n"},
    {.name = "a method is retried by its code",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = fail_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 failing\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.2\n"
                 "[  130] 1 starts 0.2\n"
                 "[  230] 1 ends 0.2 with 3\n"
                 "[  240] 1 -> 0 done 0.2 with 3\n"
                 "[  250] 0 -> 1 call 0.2\n"
                 "[  250] 1 starts 0.2 again\n"
                 "[  350] 1 ends 0.2 with 3\n"
                 "[  360] 1 -> 0 done 0.2 with 3\n"
                 "[  370] 0 -> 1 call 0.2\n"
                 "[  370] 1 starts 0.2 again\n"
                 "[  470] 1 ends 0.2 with 3\n"
                 "[  480] 1 -> 0 done 0.2 with 3\n"
                 "[  480] 0 reads 0.2: error the script ended with 3 of 0.2\n"
                 "[  480] 0 submits 0.3 as its actor\n"
                 "[  490] 0 -> 1 call 0.3\n"
                 "[  490] 1 starts 0.3\n"
                 "[  590] 1 ends 0.3 with 3\n"
                 "[  600] 1 -> 0 done 0.3 with 3\n"
                 "[  610] 0 -> 1 call 0.3\n"
                 "[  610] 1 starts 0.3 again\n"
                 "[  710] 1 ends 0.3 with 3\n"
                 "[  720] 1 -> 0 done 0.3 with 3\n"
                 "[  720] 0 reads 0.3: error the script ended with 3 of 0.3\n"
                 "[  720] 0 submits 0.4 unlisted\n"
                 "[  730] 0 -> 1 call 0.4\n"
                 "[  730] 1 starts 0.4\n"
                 "[  830] 1 ends 0.4 with 3\n"
                 "[  840] 1 -> 0 done 0.4 with 3\n"
                 "[  840] 0 reads 0.4: error the script ended with 3 of 0.4\n"},
    {.name = "a caller elsewhere is told that it is made again",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = told_driver,
     .events = {{1300, WORLD_LOST, 1}},
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 user\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.2 on 2.1\n"
         "[   10] 2 starts 0.2\n"
         "[   10] 2 submits 2.1 call\n"
         "[   20] 2 -> 0 watch 0.1\n"
         "[ 1010] 1 ends 0.1 with 0\n"
         "[ 1020] 1 -> 0 done 0.1 with 0\n"
         "[ 1020] 2 -> 0 lend 2.1\n"
         "[ 1020] 2 -> 0 bounce 2.1 blocked\n"
         "[ 1030] 0 -> 2 value 0.1\n"
         "[ 1040] 2 -> 1 call 2.1\n"
         "[ 1040] 1 starts 2.1\n"
         "[ 1140] 1 ends 2.1 with 0\n"
         "[ 1150] 1 -> 2 done 2.1 with 0\n"
         "[ 1150] 2 reads 2.1\n"
         "[ 1160] 2 -> 0 resume 2.1\n"
         "[ 1300] 0 declares 1 lost\n"
         "[ 1310] 0 -> 2 gone 1\n"
         "[ 1310] 0 -> 3 gone 1\n"
         "[ 1310] 0 -> 3 open 3.1 for 0\n"
         "[ 1310] 0 -> 3 run 0.1 on 3.1\n"
         "[ 1310] 3 starts 0.1 again\n"
         "[ 1320] 2 -> 0 locate 0.1\n"
         "[ 1330] 0 -> 2 place 0.1: being made\n"
         "[ 1650] 2 submits 2.2 call\n"
         "[ 1650] 2 reads 2.2: error the actor is being made again, and the call has no retries of 2.2\n"
         "[ 1650] 2 submits 2.3 sure\n"
         "[ 2310] 3 ends 0.1 with 0\n"
         "[ 2320] 3 -> 0 done 0.1 with 0\n"
         "[ 2330] 0 -> 2 place 0.1: there\n"
         "[ 2340] 2 -> 3 call 2.3\n"
         "[ 2340] 3 starts 2.3\n"
         "[ 2440] 3 ends 2.3 with 0\n"
         "[ 2450] 3 -> 2 done 2.3 with 0\n"
         "[ 2450] 2 reads 2.3\n"
         "[ 2450] 2 ends 0.2 with 0\n"
         "[ 2460] 2 -> 0 done 0.2 with 0\n"
         "[ 2460] 2 -> 0 drop 1\n"
         "[ 2460] 0 reads 0.2\n"},
    {.name = "a caller finds no actor and asks its owner",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = late_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 late\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 0 -> 2 open 2.1 for 0\n"
                 "[   10] 0 -> 2 run 0.2 on 2.1\n"
                 "[   10] 2 starts 0.2\n"
                 "[   10] 2 submits 2.1 call\n"
                 "[   20] 2 -> 0 watch 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 2 value 0.1\n"
                 "[  140] 2 -> 1 call 2.1\n"
                 "[  140] 1 starts 2.1\n"
                 "[  240] 1 ends 2.1 with 0\n"
                 "[  250] 1 -> 2 done 2.1 with 0\n"
                 "[  250] 2 reads 2.1\n"
                 "[  600] 0 kills 0.1, to be made again\n"
                 "[  610] 0 -> 1 leave restart\n"
                 "[  610] 0 -> 1 run 0.1 on 1.1\n"
                 "[  610] 1 starts 0.1 again\n"
                 "[  710] 1 ends 0.1 with 0\n"
                 "[  720] 1 -> 0 done 0.1 with 0\n"
                 "[ 1250] 2 submits 2.2 sure\n"
                 "[ 1260] 2 -> 1 call 2.2\n"
                 "[ 1270] 1 -> 2 done 2.2 with -2147483648\n"
                 "[ 1280] 2 -> 0 locate 0.1\n"
                 "[ 1290] 0 -> 2 place 0.1: there\n"
                 "[ 1300] 2 -> 1 call 2.2\n"
                 "[ 1300] 1 starts 2.2 again\n"
                 "[ 1400] 1 ends 2.2 with 0\n"
                 "[ 1410] 1 -> 2 done 2.2 with 0\n"
                 "[ 1410] 2 reads 2.2\n"
                 "[ 1410] 2 ends 0.2 with 0\n"
                 "[ 1420] 2 -> 0 done 0.2 with 0\n"
                 "[ 1420] 2 -> 0 drop 1\n"
                 "[ 1420] 0 reads 0.2\n"},
    {.name = "callers share one restart",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = many_driver,
     .events = {{200, WORLD_LOST, 1}},
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 here\n"
                 "[    0] 0 submits 0.3 there\n"
                 "[    0] 0 submits 0.4 call\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 0 -> 2 open 2.1 for 0\n"
                 "[   10] 0 -> 2 run 0.2 on 2.1\n"
                 "[   10] 2 starts 0.2\n"
                 "[   10] 0 -> 3 open 3.1 for 0\n"
                 "[   10] 0 -> 3 run 0.3 on 3.1\n"
                 "[   10] 3 starts 0.3\n"
                 "[   10] 2 submits 2.1 call\n"
                 "[   10] 2 submits 2.2 call\n"
                 "[   10] 3 submits 3.1 call\n"
                 "[   10] 3 submits 3.2 call\n"
                 "[   20] 2 -> 0 watch 0.1\n"
                 "[   20] 3 -> 0 watch 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.4\n"
                 "[  130] 1 starts 0.4\n"
                 "[  130] 0 -> 2 value 0.1\n"
                 "[  130] 0 -> 3 value 0.1\n"
                 "[  140] 2 -> 1 call 2.1\n"
                 "[  140] 2 -> 1 call 2.2\n"
                 "[  140] 3 -> 1 call 3.1\n"
                 "[  140] 3 -> 1 call 3.2\n"
                 "[  200] 0 declares 1 lost\n"
                 "[  210] 0 -> 2 gone 1\n"
                 "[  210] 0 -> 3 gone 1\n"
                 "[  220] 2 -> 0 locate 0.1\n"
                 "[  220] 3 -> 0 locate 0.1\n"
                 "[  230] 1 ends 0.4 with 0\n"
                 "[  230] 1 starts 2.1\n"
                 "[  230] 0 -> 2 place 0.1: being made\n"
                 "[  230] 0 -> 3 place 0.1: being made\n"
                 "[  330] 1 ends 2.1 with 0\n"
                 "[  330] 1 starts 2.2\n"
                 "[  430] 1 ends 2.2 with 0\n"
                 "[  430] 1 starts 3.1\n"
                 "[  530] 1 ends 3.1 with 0\n"
                 "[  530] 1 starts 3.2\n"
                 "[  630] 1 ends 3.2 with 0\n"
                 "[ 1020] 2 -> 0 lend 2.1\n"
                 "[ 1020] 2 -> 0 bounce 2.1 blocked\n"
                 "[ 1020] 3 -> 0 lend 3.1\n"
                 "[ 1020] 3 -> 0 bounce 3.1 blocked\n"
                 "[ 1030] 0 -> 2 open 2.2 for 0\n"
                 "[ 1030] 0 -> 2 run 0.1 on 2.2\n"
                 "[ 1030] 2 starts 0.1 again\n"
                 "[ 1130] 2 ends 0.1 with 0\n"
                 "[ 1140] 2 -> 0 done 0.1 with 0\n"
                 "[ 1150] 0 -> 2 place 0.1: there\n"
                 "[ 1150] 2 starts 2.1 again\n"
                 "[ 1150] 0 -> 2 call 0.4\n"
                 "[ 1150] 0 -> 3 place 0.1: there\n"
                 "[ 1160] 3 -> 2 call 3.1\n"
                 "[ 1160] 3 -> 2 call 3.2\n"
                 "[ 1250] 2 ends 2.1 with 0\n"
                 "[ 1250] 2 starts 2.2 again\n"
                 "[ 1350] 2 ends 2.2 with 0\n"
                 "[ 1350] 2 starts 0.4 again\n"
                 "[ 1350] 2 reads 2.1\n"
                 "[ 1350] 2 reads 2.2\n"
                 "[ 1350] 2 ends 0.2 with 0\n"
                 "[ 1360] 2 -> 0 resume 2.1\n"
                 "[ 1360] 2 -> 0 done 0.2 with 0\n"
                 "[ 1360] 2 -> 0 drop 1\n"
                 "[ 1450] 2 ends 0.4 with 0\n"
                 "[ 1450] 2 starts 3.1 again\n"
                 "[ 1460] 2 -> 0 done 0.4 with 0\n"
                 "[ 1550] 2 ends 3.1 with 0\n"
                 "[ 1550] 2 starts 3.2 again\n"
                 "[ 1560] 2 -> 3 done 3.1 with 0\n"
                 "[ 1650] 2 ends 3.2 with 0\n"
                 "[ 1660] 2 -> 3 done 3.2 with 0\n"
                 "[ 1660] 3 reads 3.1\n"
                 "[ 1660] 3 reads 3.2\n"
                 "[ 1660] 3 ends 0.3 with 0\n"
                 "[ 1670] 3 -> 0 resume 3.1\n"
                 "[ 1670] 3 -> 0 done 0.3 with 0\n"
                 "[ 1670] 3 -> 0 drop 1\n"
                 "[ 1670] 0 reads 0.2\n"
                 "[ 1670] 0 reads 0.3\n"
                 "[ 1670] 0 reads 0.4\n"},
    {.name = "a caller hears of a loss before the owner",
     .nranks = 4,
     .cpus = {0, 1, 1, 0},
     .driver = idle_driver,
     .client = {NULL, NULL, NULL, early_client},
     .slow_from = 0,
     .slow_to = 3,
     .slow_us = 500,
     .events = {{300, WORLD_LOST, 1}},
     .expected =
         "[    0] 3 submits 3.1 actor\n"
         "[    0] 3 submits 3.2 here\n"
         "[   10] 3 -> 0 demand 1\n"
         "[   10] 3 -> 0 demand 1\n"
         "[   20] 0 -> 1 open 1.1 for 3\n"
         "[   20] 0 -> 2 open 2.1 for 3\n"
         "[  300] 0 declares 1 lost\n"
         "[  310] 0 -> 2 gone 1\n"
         "[  520] 0 -> 3 lease 1.1\n"
         "[  520] 0 -> 3 lease 2.1\n"
         "[  530] 3 -> 1 run 3.1 on 1.1\n"
         "[  530] 1 starts 3.1\n"
         "[  530] 3 -> 2 run 3.2 on 2.1\n"
         "[  530] 2 starts 3.2\n"
         "[  530] 2 submits 2.1 call\n"
         "[  530] 2 submits 2.2 call\n"
         "[  540] 2 -> 3 watch 3.1\n"
         "[  630] 1 ends 3.1 with 0\n"
         "[  640] 1 -> 3 done 3.1 with 0\n"
         "[  650] 3 -> 2 value 3.1\n"
         "[  660] 2 -> 3 locate 3.1\n"
         "[  810] 0 -> 3 gone 1\n"
         "[  820] 3 -> 2 place 3.1: being made\n"
         "[  820] 3 -> 0 demand 1\n"
         "[  820] 2 reads 2.1: error the actor is being made again, and the call has no retries of 2.1\n"
         "[  820] 2 reads 2.2: error the actor is being made again, and the call has no retries of 2.2\n"
         "[  820] 2 ends 3.2 with 0\n"
         "[  830] 2 -> 3 done 3.2 with 0\n"
         "[  830] 2 -> 3 drop 1\n"
         "[  830] 3 reads 3.2\n"
         "[ 1840] 3 -> 2 close 2.1\n"
         "[ 1850] 2 -> 0 closed 2.1\n"
         "[ 1860] 0 -> 2 open 2.2 for 3\n"
         "[ 2360] 0 -> 3 lease 2.2\n"
         "[ 2370] 3 -> 2 run 3.1 on 2.2\n"
         "[ 2370] 2 starts 3.1 again\n"
         "[ 2470] 2 ends 3.1 with 0\n"
         "[ 2480] 2 -> 3 done 3.1 with 0\n"
         "[ 2490] 3 -> 2 place 3.1: there\n"
         "[ 2490] 3 -> 2 leave scope\n"
         "[ 2490] 2 destroys the actor of 3.1\n"},
    {.name = "a second loss ends an actor for all callers",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = twice_driver,
     .events = {{150, WORLD_LOST, 1}, {260, WORLD_LOST, 3}},
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 here\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.2 on 2.1\n"
         "[   10] 2 starts 0.2\n"
         "[   10] 2 submits 2.1 call\n"
         "[   10] 2 submits 2.2 call\n"
         "[   20] 2 -> 0 watch 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 2 value 0.1\n"
         "[  140] 2 -> 1 call 2.1\n"
         "[  140] 1 starts 2.1\n"
         "[  140] 2 -> 1 call 2.2\n"
         "[  150] 0 declares 1 lost\n"
         "[  160] 0 -> 2 gone 1\n"
         "[  160] 0 -> 3 gone 1\n"
         "[  160] 0 -> 3 open 3.1 for 0\n"
         "[  160] 0 -> 3 run 0.1 on 3.1\n"
         "[  160] 3 starts 0.1 again\n"
         "[  170] 2 -> 0 locate 0.1\n"
         "[  180] 0 -> 2 place 0.1: being made\n"
         "[  240] 1 ends 2.1 with 0\n"
         "[  240] 1 starts 2.2\n"
         "[  260] 0 declares 3 lost\n"
         "[  260] 3 ends 0.1 with 0\n"
         "[  270] 0 -> 2 place 0.1: it has ended\n"
         "[  270] 0 -> 2 gone 3\n"
         "[  270] 2 reads 2.1: error the actor has ended: its rank was lost, after 1 restart of 0.1, because rank 3 was lost; 2 executions, no retries left of 0.1\n"
         "[  270] 2 reads 2.2: error the actor has ended: its rank was lost, after 1 restart of 0.1, because rank 3 was lost; 2 executions, no retries left of 0.1\n"
         "[  270] 2 ends 0.2 with 0\n"
         "[  280] 2 -> 0 done 0.2 with 0\n"
         "[  280] 2 -> 0 drop 1\n"
         "[  280] 0 reads 0.2\n"
         "[  280] 0 submits 0.3 call\n"
         "[  280] 0 reads 0.3: error the actor has ended: its rank was lost, after 1 restart of 0.1, because rank 3 was lost; 2 executions, no retries left of 0.1\n"},
    {0}};
