/* stories_restart.c - actors that are made again. */
#include "story.h"

#define KILL(slot_)                                \
    {                                              \
        .type = OP_KILL, .n = 1, .slot = { slot_ } \
    }
static const struct op short_ops[] = {COMPUTE(100), END};
static const struct op long_ops[] = {COMPUTE(1000), END};
static const struct op spin_ops[] = {SPIN};
static const struct plan once = ACTOR_AGAIN("actor", short_ops, 1, 0);
static const struct plan thrice = ACTOR_AGAIN("actor", short_ops, 3, 0);
static const struct plan patient = ACTOR_AGAIN("actor", short_ops, 1, -1);
static const struct plan frail = ACTOR_AGAIN("actor", short_ops, 0, -1);
static const struct plan slow = ACTOR_AGAIN("actor", long_ops, 1, 0);
static const struct plan call = CALL_AGAIN("call", short_ops, TG_AS_ACTOR);
static const struct plan sure = CALL_AGAIN("sure", short_ops, 1);
static const struct plan call1 = TASK_OF(
    "call", short_ops, 0, .call = true, .max_retries = TG_AS_ACTOR, .actor = 1);
static const struct plan spin = CALL_AGAIN("spin", spin_ops, TG_AS_ACTOR);

/* ----- once it was there ---------------------------------------------------------- */

static const struct op lost_driver[] = {SUBMIT(once), SUBMIT(call), GET(1),
                                        COMPUTE(400), SUBMIT(call), GET(2),
                                        END};

/* Ranks are lost while they make it: each takes a restart. */
static const struct op crash_driver[] = {SUBMIT(thrice), SUBMIT(call), GET(1),
                                         END};
static const struct op frail_driver[] = {SUBMIT(frail), SUBMIT(call), GET(1),
                                         END};

/* The second kill finds no restart. */
static const struct op killed_driver[] = {
    SUBMIT(once), SUBMIT(call),  GET(1), KILL_AGAIN(0), SUBMIT(sure), GET(2),
    SUBMIT(call), KILL_AGAIN(0), GET(3), SUBMIT(sure),  GET(4),       END};

static const struct op scope_driver[] = {SUBMIT(patient), SUBMIT(call), GET(1),
                                         RELEASE(0),      COMPUTE(100), END};
static const struct op exit_ops[] = {COMPUTE(100), {.type = OP_EXIT}, END};
static const struct plan leave = CALL_AGAIN("exit", exit_ops, TG_AS_ACTOR);
static const struct op exit_driver[] = {SUBMIT(patient), SUBMIT(leave), GET(1),
                                        SUBMIT(call),    GET(2),        END};

/* For good, while it is made again. */
static const struct op last_driver[] = {
    SUBMIT(slow), SUBMIT(call), GET(1),  KILL_AGAIN(0),
    SUBMIT(sure), COMPUTE(300), KILL(0), GET(2),
    SUBMIT(call), GET(3),       END};

/* Fate sharing. */
static const struct op owner_client[] = {SUBMIT(patient), SUBMIT(spin), GET(1),
                                         END};
static const struct op wait_driver[] = {COMPUTE(2500), END};

/* ----- before it was ever made -------------------------------------------------- */

static const struct plan busy = TASK("busy", long_ops);
static const struct op pending_driver[] = {
    SUBMIT(busy),  COMPUTE(100),  SUBMIT(once), KILL_AGAIN(1),
    SUBMIT(call1), KILL_AGAIN(1), GET(2),       END};
static const struct op making_driver[] = {
    SUBMIT(slow), SUBMIT(call), COMPUTE(300), KILL_AGAIN(0), GET(1), END};
static const struct op queued_driver[] = {
    SUBMIT(busy),  COMPUTE(100), SUBMIT(once), KILL_AGAIN(1),
    SUBMIT(call1), GET(2),       END};

const struct story stories_restart[] = {
    {.name = "an actor is made again when its rank dies",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = lost_driver,
     .events = {{400, WORLD_DIE, 1}, {450, WORLD_LOST, 1}},
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 call\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.2\n"
                 "[  130] 1 starts 0.2\n"
                 "[  230] 1 ends 0.2 with 0\n"
                 "[  240] 1 -> 0 done 0.2 with 0\n"
                 "[  240] 0 reads 0.2\n"
                 "[  400] 1 dies\n"
                 "[  450] 0 declares 1 lost\n"
                 "[  460] 0 -> 2 gone 1\n"
                 "[  460] 0 -> 2 open 2.1 for 0\n"
                 "[  460] 0 -> 2 run 0.1 on 2.1\n"
                 "[  460] 2 starts 0.1 again\n"
                 "[  560] 2 ends 0.1 with 0\n"
                 "[  570] 2 -> 0 done 0.1 with 0\n"
                 "[  640] 0 submits 0.3 call\n"
                 "[  650] 0 -> 2 call 0.3\n"
                 "[  650] 2 starts 0.3\n"
                 "[  750] 2 ends 0.3 with 0\n"
                 "[  760] 2 -> 0 done 0.3 with 0\n"
                 "[  760] 0 reads 0.3\n"},
    {.name = "two ranks die that make an actor",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = crash_driver,
     .events = {{50, WORLD_LOST, 1}, {150, WORLD_LOST, 2}},
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 call\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   50] 0 declares 1 lost\n"
                 "[   60] 0 -> 2 gone 1\n"
                 "[   60] 0 -> 2 open 2.1 for 0\n"
                 "[   60] 0 -> 2 run 0.1 on 2.1\n"
                 "[   60] 2 starts 0.1 again\n"
                 "[   60] 0 -> 3 gone 1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  150] 0 declares 2 lost\n"
                 "[  160] 2 ends 0.1 with 0\n"
                 "[  160] 0 -> 3 gone 2\n"
                 "[  160] 0 -> 3 open 3.1 for 0\n"
                 "[  160] 0 -> 3 run 0.1 on 3.1\n"
                 "[  160] 3 starts 0.1 again\n"
                 "[  260] 3 ends 0.1 with 0\n"
                 "[  270] 3 -> 0 done 0.1 with 0\n"
                 "[  280] 0 -> 3 call 0.2\n"
                 "[  280] 3 starts 0.2\n"
                 "[  380] 3 ends 0.2 with 0\n"
                 "[  390] 3 -> 0 done 0.2 with 0\n"
                 "[  390] 0 reads 0.2\n"},
    {.name = "a rank dies that makes an actor without restarts",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = frail_driver,
     .events = {{50, WORLD_LOST, 1}},
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 call\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   50] 0 declares 1 lost\n"
         "[   50] 0 reads 0.2: error the actor has ended: its rank was lost of 0.1, because rank 1 was lost; 1 execution, no retries left of 0.1\n"},
    {.name = "an actor is killed, made again, and killed",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = killed_driver,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 call\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  230] 1 ends 0.2 with 0\n"
         "[  240] 1 -> 0 done 0.2 with 0\n"
         "[  240] 0 reads 0.2\n"
         "[  240] 0 kills 0.1, to be made again\n"
         "[  240] 0 submits 0.3 sure\n"
         "[  250] 0 -> 1 leave restart\n"
         "[  250] 0 -> 1 run 0.1 on 1.1\n"
         "[  250] 1 starts 0.1 again\n"
         "[  350] 1 ends 0.1 with 0\n"
         "[  360] 1 -> 0 done 0.1 with 0\n"
         "[  370] 0 -> 1 call 0.3\n"
         "[  370] 1 starts 0.3\n"
         "[  470] 1 ends 0.3 with 0\n"
         "[  480] 1 -> 0 done 0.3 with 0\n"
         "[  480] 0 reads 0.3\n"
         "[  480] 0 submits 0.4 call\n"
         "[  480] 0 kills 0.1, to be made again\n"
         "[  490] 0 -> 1 call 0.4\n"
         "[  490] 1 starts 0.4\n"
         "[  490] 0 -> 1 leave killed\n"
         "[  500] 1 -> 0 done 0.4 with -22\n"
         "[  500] 0 reads 0.4: error the actor has ended: it was killed, after 1 restart of 0.4\n"
         "[  500] 0 submits 0.5 sure\n"
         "[  500] 0 reads 0.5: error the actor has ended: it was killed, after 1 restart of nobody\n"},
    {.name = "the last handle goes, restarts or not",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = scope_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 call\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.2\n"
                 "[  130] 1 starts 0.2\n"
                 "[  230] 1 ends 0.2 with 0\n"
                 "[  240] 1 -> 0 done 0.2 with 0\n"
                 "[  240] 0 reads 0.2\n"
                 "[  250] 0 -> 1 leave scope\n"
                 "[  250] 1 destroys the actor of 0.1\n"},
    {.name = "an actor exits, restarts or not",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = exit_driver,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 exit\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  230] 1 exits from 0.2\n"
         "[  230] 1 ends 0.2 with 0\n"
         "[  230] 1 destroys the actor of 0.1\n"
         "[  240] 1 -> 0 left exited\n"
         "[  240] 1 -> 0 done 0.2 with 0\n"
         "[  240] 0 reads 0.2\n"
         "[  240] 0 submits 0.3 call\n"
         "[  240] 0 reads 0.3: error the actor has ended: it exited of nobody\n"},
    {.name = "an actor is killed for good while it is made again",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = last_driver,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 call\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[ 1010] 1 ends 0.1 with 0\n"
         "[ 1020] 1 -> 0 done 0.1 with 0\n"
         "[ 1030] 0 -> 1 call 0.2\n"
         "[ 1030] 1 starts 0.2\n"
         "[ 1130] 1 ends 0.2 with 0\n"
         "[ 1140] 1 -> 0 done 0.2 with 0\n"
         "[ 1140] 0 reads 0.2\n"
         "[ 1140] 0 kills 0.1, to be made again\n"
         "[ 1140] 0 submits 0.3 sure\n"
         "[ 1150] 0 -> 1 leave restart\n"
         "[ 1150] 0 -> 1 run 0.1 on 1.1\n"
         "[ 1150] 1 starts 0.1 again\n"
         "[ 1440] 0 kills 0.1\n"
         "[ 1440] 0 reads 0.3: error the actor has ended: it was killed, after 1 restart of nobody\n"
         "[ 1440] 0 submits 0.4 call\n"
         "[ 1440] 0 reads 0.4: error the actor has ended: it was killed, after 1 restart of nobody\n"},
    {.name = "the owner of an actor dies, restarts or not",
     .nranks = 3,
     .cpus = {0, 1, 0},
     .driver = wait_driver,
     .client = {NULL, NULL, owner_client},
     .events = {{500, WORLD_DIE, 2}, {900, WORLD_LOST, 2}},
     .expected = "[    0] 2 submits 2.1 actor\n"
                 "[    0] 2 submits 2.2 spin\n"
                 "[   10] 2 -> 0 demand 1\n"
                 "[   20] 0 -> 1 open 1.1 for 2\n"
                 "[   20] 0 -> 2 lease 1.1\n"
                 "[   30] 2 -> 1 run 2.1 on 1.1\n"
                 "[   30] 1 starts 2.1\n"
                 "[  130] 1 ends 2.1 with 0\n"
                 "[  140] 1 -> 2 done 2.1 with 0\n"
                 "[  150] 2 -> 1 call 2.2\n"
                 "[  150] 1 starts 2.2\n"
                 "[  500] 2 dies\n"
                 "[  900] 0 declares 2 lost\n"
                 "[  910] 0 -> 1 gone 2\n"
                 "[  920] 1 -> 0 closed 1.1\n"
                 "[ 1650] 1 ends 2.2 with -4\n"},
    {.name = "an actor is killed before it is made",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = queued_driver,
     .expected = "[    0] 0 submits 0.1 busy\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  100] 0 submits 0.2 actor\n"
                 "[  100] 0 kills 0.2, to be made again\n"
                 "[  100] 0 submits 0.3 call\n"
                 "[ 1010] 1 ends 0.1 with 0\n"
                 "[ 1020] 1 -> 0 done 0.1 with 0\n"
                 "[ 1030] 0 -> 1 run 0.2 on 1.1\n"
                 "[ 1030] 1 starts 0.2 again\n"
                 "[ 1130] 1 ends 0.2 with 0\n"
                 "[ 1140] 1 -> 0 done 0.2 with 0\n"
                 "[ 1150] 0 -> 1 call 0.3\n"
                 "[ 1150] 1 starts 0.3\n"
                 "[ 1250] 1 ends 0.3 with 0\n"
                 "[ 1260] 1 -> 0 done 0.3 with 0\n"
                 "[ 1260] 0 reads 0.3\n"},
    {.name = "an actor is killed twice before it is made",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = pending_driver,
     .expected =
         "[    0] 0 submits 0.1 busy\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  100] 0 submits 0.2 actor\n"
         "[  100] 0 kills 0.2, to be made again\n"
         "[  100] 0 submits 0.3 call\n"
         "[  100] 0 kills 0.2, to be made again\n"
         "[  100] 0 reads 0.3: error the actor has ended: it was killed, after 1 restart of nobody\n"},
    {.name = "an actor is killed while it is made",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = making_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 call\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  300] 0 kills 0.1, to be made again\n"
                 "[  310] 0 -> 1 cancel 0.1 and all below\n"
                 "[ 1010] 1 ends 0.1 with 0\n"
                 "[ 1020] 1 -> 0 done 0.1 with 0\n"
                 "[ 1030] 0 -> 1 leave restart\n"
                 "[ 1030] 0 -> 1 run 0.1 on 1.1\n"
                 "[ 1030] 1 starts 0.1 again\n"
                 "[ 2030] 1 ends 0.1 with 0\n"
                 "[ 2040] 1 -> 0 done 0.1 with 0\n"
                 "[ 2050] 0 -> 1 call 0.2\n"
                 "[ 2050] 1 starts 0.2\n"
                 "[ 2150] 1 ends 0.2 with 0\n"
                 "[ 2160] 1 -> 0 done 0.2 with 0\n"
                 "[ 2160] 0 reads 0.2\n"},
    {0}};
