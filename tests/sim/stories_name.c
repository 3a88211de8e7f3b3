/* stories_name.c - names of actors, detached actors and weak handles. */
#include "story.h"

#define NAMED(plan_)                      \
    {                                     \
        .type = OP_NAME, .plan = &(plan_) \
    }
#define FIND(name_)                      \
    {                                    \
        .type = OP_FIND, .name = (name_) \
    }
#define KILL(slot_)                                \
    {                                              \
        .type = OP_KILL, .n = 1, .slot = { slot_ } \
    }
#define SELF            \
    {                   \
        .type = OP_SELF \
    }
#define LIST              \
    {                     \
        .type = OP_ACTORS \
    }

/* An actor with one method at a time; a call of the one in slot 0. */
#define ACTOR(...)                       \
    TASK_OF("actor", short_ops, TG_UNIT, \
            .create = {.concurrency = 1, .max_pending = -1}, __VA_ARGS__)
#define DETACHED(...)                                                          \
    TASK_OF("actor", short_ops, TG_UNIT,                                       \
            .create = {.concurrency = 1, .max_pending = -1, .detached = true}, \
            __VA_ARGS__)
#define CALL(name_, ops_) TASK_OF(name_, ops_, 0, .call = true)

static const struct op short_ops[] = {COMPUTE(100), END};
static const struct plan ann = ACTOR(.name = "ann");
static const struct plan get_ann = ACTOR(.name = "ann", .get = true);
static const struct plan stays = DETACHED(.name = "ann");
static const struct plan nameless = DETACHED(.nargs = 0);
static const struct plan call = CALL("call", short_ops);

/* The finder's handle is weak, and serves as well. */
static const struct op owner_driver[] = {NAMED(ann), COMPUTE(1000), END};
static const struct op finder_client[] = {
    COMPUTE(300), FIND("ann"), FIND("bob"), SUBMIT(call), GET(1), END};

static const struct op taken_driver[] = {
    NAMED(ann), NAMED(ann), NAMED(get_ann), SUBMIT(call), GET(2), END};

/* Both ask at once: who comes second waits until the name is set. */
static const struct op get_client[] = {NAMED(get_ann), SUBMIT(call), GET(1),
                                       COMPUTE(500), END};
static const struct op idle_driver[] = {COMPUTE(2000), END};

/* One is lost while it has the name reserved: who waits for it gets it. */
static const struct op reserve_client[] = {NAMED(ann), COMPUTE(5000), END};
static const struct op second_client[] = {COMPUTE(100), NAMED(ann), END};
static const struct op third_client[] = {COMPUTE(100), FIND("ann"), END};

/* A weak handle is left: its call is told, and the name is free. */
static const struct op let_go_driver[] = {
    NAMED(ann), COMPUTE(500), RELEASE(0), COMPUTE(1000), NAMED(ann), END};
static const struct op late_client[] = {COMPUTE(300), FIND("ann"), COMPUTE(500),
                                        SUBMIT(call), GET(1),      END};

/* A call through it waits for the constructor, and is left as well. */
static const struct plan weak_call =
    TASK_OF("call", short_ops, 0, .call = true, .actor = 1);
static const struct op weak_driver[] = {NAMED(ann),
                                        FIND("ann"),
                                        SUBMIT(weak_call),
                                        SUBMIT(weak_call),
                                        RELEASE(0),
                                        GET(2),
                                        GET(3),
                                        END};

static const struct op kill_driver[] = {NAMED(ann),  COMPUTE(400), KILL(0),
                                        FIND("ann"), NAMED(ann),   COMPUTE(500),
                                        END};

/* Its rank dies: the name is not free before the last handle has gone. */
static const struct op crash_driver[] = {
    NAMED(ann),     COMPUTE(1500), FIND("ann"),
    NAMED(get_ann), RELEASE(0),    COMPUTE(100),
    NAMED(ann),     COMPUTE(500),  END};

/* That may be another rank's: its owner has let go of it. */
static const struct op hold_ops[] = {COMPUTE(2000), END};
static const struct plan holder = HOLDER_AT("holder", hold_ops, 2, 1, 0);
static const struct op held_driver[] = {
    NAMED(ann), SUBMIT(holder), RELEASE(0), COMPUTE(1200), NAMED(ann),
    GET(1),     COMPUTE(100),   NAMED(ann), COMPUTE(500),  END};

/* A detached one's name is free at once, although there are handles. */
static const struct op detached_crash_client[] = {NAMED(stays), COMPUTE(1800),
                                                  SUBMIT(call), GET(1), END};
static const struct op detached_crash_driver[] = {
    COMPUTE(910), FIND("ann"), NAMED(stays), COMPUTE(1500), FIND("ann"), END};

/* Nobody holds it, and who created it is lost. */
static const struct op detach_client[] = {NAMED(stays), RELEASE(0),
                                          COMPUTE(5000), END};
static const struct op detached_driver[] = {
    COMPUTE(1500), FIND("ann"), SUBMIT(call), GET(1),
    KILL(0),       FIND("ann"), END};

/* The answer comes when nobody waits for it: what was created ends. */
static const struct op detach_ops[] = {NAMED(nameless), END};
static const struct plan detacher =
    TASK_WITH("detacher", detach_ops, .max_retries = 0);
static const struct op undo_driver[] = {
    SUBMIT(detacher), COMPUTE(50), CANCEL(0), GET(0), COMPUTE(800), LIST, END};

/* A name is reserved for one that was cancelled: it is given back. */
static const struct op name_ops[] = {NAMED(ann), END};
static const struct plan namer = TASK_WITH("namer", name_ops, .max_retries = 0);
static const struct op back_driver[] = {
    SUBMIT(namer), COMPUTE(50), CANCEL(0), GET(0),
    COMPUTE(800),  FIND("ann"), END};

/* It calls itself, and does not live for that. */
static const struct op self_ops[] = {SELF, SUBMIT(call), COMPUTE(100), END};
static const struct plan selfish = CALL("self", self_ops);
static const struct op self_driver[] = {
    NAMED(ann), SUBMIT(selfish), GET(1), COMPUTE(300),
    RELEASE(0), COMPUTE(100),    END};

/* A rank that is lost while it is asked is not waited for. */
static const struct op list_driver[] = {NAMED(ann), COMPUTE(300), LIST,
                                        KILL(0),    LIST,         END};
static const struct op list_client[] = {COMPUTE(290), LIST, END};

const struct story stories_name[] = {
    {.name = "an actor is found by name",
     .nranks = 3,
     .cpus = {0, 1, 0},
     .driver = owner_driver,
     .client = {[2] = finder_client},
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  310] 2 -> 0 name find ann\n"
                 "[  320] 0 -> 2 named weak 0.1\n"
                 "[  320] 2 finds 0.1\n"
                 "[  330] 2 -> 0 name find bob\n"
                 "[  340] 0 -> 2 named -13\n"
                 "[  340] 2 finds no bob\n"
                 "[  340] 2 submits 2.1 call\n"
                 "[  350] 2 -> 0 watch 0.1\n"
                 "[  360] 0 -> 2 value 0.1\n"
                 "[  370] 2 -> 1 call 2.1\n"
                 "[  370] 1 starts 2.1\n"
                 "[  470] 1 ends 2.1 with 0\n"
                 "[  480] 1 -> 2 done 2.1 with 0\n"
                 "[  480] 2 reads 2.1\n"},
    {.name = "a name is taken",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = taken_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 is refused the name ann\n"
                 "[    0] 0 finds 0.1\n"
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
                 "[  240] 0 reads 0.2\n"},
    {.name = "two want the same actor at once",
     .nranks = 4,
     .cpus = {0, 1, 0, 0},
     .driver = idle_driver,
     .client = {[2] = get_client, [3] = get_client},
     .expected = "[   10] 2 -> 0 name reserve or get ann\n"
                 "[   10] 3 -> 0 name reserve or get ann\n"
                 "[   20] 0 -> 2 named reserved\n"
                 "[   20] 2 submits 2.1 actor\n"
                 "[   20] 2 submits 2.2 call\n"
                 "[   30] 2 -> 0 name set 2.1\n"
                 "[   30] 2 -> 0 demand 1\n"
                 "[   40] 0 -> 3 named weak 2.1\n"
                 "[   40] 0 -> 1 open 1.1 for 2\n"
                 "[   40] 0 -> 2 lease 1.1\n"
                 "[   40] 3 finds 2.1\n"
                 "[   40] 3 submits 3.1 call\n"
                 "[   50] 2 -> 1 run 2.1 on 1.1\n"
                 "[   50] 1 starts 2.1\n"
                 "[   50] 3 -> 2 watch 2.1\n"
                 "[  150] 1 ends 2.1 with 0\n"
                 "[  160] 1 -> 2 done 2.1 with 0\n"
                 "[  170] 2 -> 1 call 2.2\n"
                 "[  170] 1 starts 2.2\n"
                 "[  170] 2 -> 3 value 2.1\n"
                 "[  180] 3 -> 1 call 3.1\n"
                 "[  270] 1 ends 2.2 with 0\n"
                 "[  270] 1 starts 3.1\n"
                 "[  280] 1 -> 2 done 2.2 with 0\n"
                 "[  280] 2 reads 2.2\n"
                 "[  370] 1 ends 3.1 with 0\n"
                 "[  380] 1 -> 3 done 3.1 with 0\n"
                 "[  380] 3 reads 3.1\n"
                 "[  790] 2 -> 1 leave scope\n"
                 "[  790] 1 destroys the actor of 2.1\n"
                 "[  790] 2 -> 0 name back\n"
                 "[ 1170] 2 -> 1 close 1.1\n"
                 "[ 1180] 1 -> 0 closed 1.1\n"},
    {.name = "a name's reserver dies",
     .nranks = 4,
     .cpus = {0, 1, 0, 0},
     .driver = idle_driver,
     .client = {[1] = third_client, [2] = reserve_client, [3] = second_client},
     .slow_from = 0,
     .slow_to = 2,
     .slow_us = 400,
     .events = {{300, WORLD_DIE, 2}, {600, WORLD_LOST, 2}},
     .expected = "[   10] 2 -> 0 name reserve ann\n"
                 "[  110] 1 -> 0 name find ann\n"
                 "[  110] 3 -> 0 name reserve ann\n"
                 "[  300] 2 dies\n"
                 "[  600] 0 declares 2 lost\n"
                 "[  610] 0 -> 1 named -13\n"
                 "[  610] 0 -> 1 gone 2\n"
                 "[  610] 0 -> 3 named reserved\n"
                 "[  610] 0 -> 3 gone 2\n"
                 "[  610] 1 finds no ann\n"
                 "[  610] 3 submits 3.1 actor\n"
                 "[  620] 3 -> 0 name set 3.1\n"
                 "[  620] 3 -> 0 demand 1\n"
                 "[  630] 0 -> 1 open 1.1 for 3\n"
                 "[  630] 0 -> 3 lease 1.1\n"
                 "[  640] 3 -> 1 run 3.1 on 1.1\n"
                 "[  640] 1 starts 3.1\n"
                 "[  740] 1 ends 3.1 with 0\n"
                 "[  750] 1 -> 3 done 3.1 with 0\n"
                 "[  760] 3 -> 1 leave scope\n"
                 "[  760] 1 destroys the actor of 3.1\n"
                 "[  760] 3 -> 0 name back\n"
                 "[ 1760] 3 -> 1 close 1.1\n"
                 "[ 1770] 1 -> 0 closed 1.1\n"},
    {.name = "a weak handle is left",
     .nranks = 3,
     .cpus = {0, 1, 0},
     .driver = let_go_driver,
     .client = {[2] = late_client},
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  310] 2 -> 0 name find ann\n"
         "[  320] 0 -> 2 named weak 0.1\n"
         "[  320] 2 finds 0.1\n"
         "[  510] 0 -> 1 leave scope\n"
         "[  510] 1 destroys the actor of 0.1\n"
         "[  820] 2 submits 2.1 call\n"
         "[  830] 2 -> 0 watch 0.1\n"
         "[  840] 0 -> 2 value 0.1\n"
         "[  840] 2 reads 2.1: error the actor has ended: no handle of it was left of nobody\n"
         "[ 1130] 0 -> 1 close 1.1\n"
         "[ 1140] 1 -> 0 closed 1.1\n"
         "[ 1500] 0 submits 0.2 actor\n"},
    {.name = "a call through a weak handle does not hold the actor",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = weak_driver,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 finds 0.1\n"
         "[    0] 0 submits 0.2 call\n"
         "[    0] 0 submits 0.3 call\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  130] 0 -> 1 call 0.3\n"
         "[  130] 0 -> 1 leave scope\n"
         "[  140] 1 -> 0 done 0.3 with -22\n"
         "[  230] 1 ends 0.2 with 0\n"
         "[  230] 1 destroys the actor of 0.1\n"
         "[  240] 1 -> 0 done 0.2 with 0\n"
         "[  240] 0 reads 0.2\n"
         "[  240] 0 reads 0.3: error the actor has ended: no handle of it was left of 0.3\n"},
    {.name = "a killed actor's name is free",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = kill_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  400] 0 kills 0.1\n"
                 "[  400] 0 finds no ann\n"
                 "[  400] 0 submits 0.2 actor\n"
                 "[  410] 0 -> 1 leave killed\n"
                 "[  410] 0 -> 1 run 0.2 on 1.1\n"
                 "[  410] 1 starts 0.2\n"
                 "[  510] 1 ends 0.2 with 0\n"
                 "[  520] 1 -> 0 done 0.2 with 0\n"},
    {.name = "a crashed actor's name is taken while it is held",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = crash_driver,
     .events = {{500, WORLD_DIE, 1}, {900, WORLD_LOST, 1}},
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  500] 1 dies\n"
                 "[  900] 0 declares 1 lost\n"
                 "[  910] 0 -> 2 gone 1\n"
                 "[ 1500] 0 finds no ann\n"
                 "[ 1500] 0 is refused the name ann\n"
                 "[ 1600] 0 submits 0.2 actor\n"
                 "[ 1610] 0 -> 2 open 2.1 for 0\n"
                 "[ 1610] 0 -> 2 run 0.2 on 2.1\n"
                 "[ 1610] 2 starts 0.2\n"
                 "[ 1710] 2 ends 0.2 with 0\n"
                 "[ 1720] 2 -> 0 done 0.2 with 0\n"},
    {.name = "a crashed actor's name is taken while another rank holds it",
     .nranks = 4,
     .cpus = {0, 1, 1, 1},
     .driver = held_driver,
     .events = {{500, WORLD_DIE, 1}, {900, WORLD_LOST, 1}},
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 holder\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 0 -> 2 open 2.1 for 0\n"
                 "[   10] 0 -> 2 run 0.2 on 2.1\n"
                 "[   10] 2 starts 0.2\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  500] 1 dies\n"
                 "[  900] 0 declares 1 lost\n"
                 "[  910] 0 -> 2 gone 1\n"
                 "[  910] 0 -> 3 gone 1\n"
                 "[ 1200] 0 is refused the name ann\n"
                 "[ 2010] 2 ends 0.2 with 0\n"
                 "[ 2020] 2 -> 0 done 0.2 with 0\n"
                 "[ 2020] 2 -> 0 drop 1\n"
                 "[ 2020] 0 reads 0.2\n"
                 "[ 2120] 0 submits 0.3 actor\n"
                 "[ 2130] 0 -> 3 open 3.1 for 0\n"
                 "[ 2130] 0 -> 3 run 0.3 on 3.1\n"
                 "[ 2130] 3 starts 0.3\n"
                 "[ 2230] 3 ends 0.3 with 0\n"
                 "[ 2240] 3 -> 0 done 0.3 with 0\n"},
    {.name = "a crashed detached actor's name is free while it is held",
     .nranks = 4,
     .cpus = {0, 1, 0, 1},
     .driver = detached_crash_driver,
     .client = {[2] = detached_crash_client},
     .events = {{500, WORLD_DIE, 1}, {900, WORLD_LOST, 1}},
     .expected =
         "[   10] 2 -> 0 name reserve ann\n"
         "[   20] 0 -> 2 named reserved\n"
         "[   30] 2 -> 0 create ann\n"
         "[   30] 0 submits 0.1 actor\n"
         "[   40] 0 -> 2 named 0.1\n"
         "[   40] 0 -> 1 open 1.1 for 0\n"
         "[   40] 0 -> 1 run 0.1 on 1.1\n"
         "[   40] 1 starts 0.1\n"
         "[   40] 2 has 0.1\n"
         "[  140] 1 ends 0.1 with 0\n"
         "[  150] 1 -> 0 done 0.1 with 0\n"
         "[  500] 1 dies\n"
         "[  900] 0 declares 1 lost\n"
         "[  910] 0 -> 2 gone 1\n"
         "[  910] 0 -> 3 gone 1\n"
         "[  910] 0 finds no ann\n"
         "[  910] 0 submits 0.2 actor\n"
         "[  910] 0 has 0.2\n"
         "[  920] 0 -> 3 open 3.1 for 0\n"
         "[  920] 0 -> 3 run 0.2 on 3.1\n"
         "[  920] 3 starts 0.2\n"
         "[ 1020] 3 ends 0.2 with 0\n"
         "[ 1030] 3 -> 0 done 0.2 with 0\n"
         "[ 1840] 2 submits 2.1 call\n"
         "[ 1850] 2 -> 0 watch 0.1\n"
         "[ 1860] 0 -> 2 value 0.1\n"
         "[ 1860] 2 reads 2.1: error the actor has ended: its rank was lost of nobody\n"
         "[ 1870] 2 -> 0 drop 1\n"
         "[ 2040] 0 -> 3 close 3.1\n"
         "[ 2050] 3 -> 0 closed 3.1\n"
         "[ 2410] 0 finds 0.2\n"},
    {.name = "a detached actor's creator dies",
     .nranks = 3,
     .cpus = {0, 1, 0},
     .driver = detached_driver,
     .client = {[2] = detach_client},
     .events = {{500, WORLD_DIE, 2}, {900, WORLD_LOST, 2}},
     .expected = "[   10] 2 -> 0 name reserve ann\n"
                 "[   20] 0 -> 2 named reserved\n"
                 "[   30] 2 -> 0 create ann\n"
                 "[   30] 0 submits 0.1 actor\n"
                 "[   40] 0 -> 2 named 0.1\n"
                 "[   40] 0 -> 1 open 1.1 for 0\n"
                 "[   40] 0 -> 1 run 0.1 on 1.1\n"
                 "[   40] 1 starts 0.1\n"
                 "[   40] 2 has 0.1\n"
                 "[   50] 2 -> 0 drop 1\n"
                 "[  140] 1 ends 0.1 with 0\n"
                 "[  150] 1 -> 0 done 0.1 with 0\n"
                 "[  500] 2 dies\n"
                 "[  900] 0 declares 2 lost\n"
                 "[  910] 0 -> 1 gone 2\n"
                 "[ 1160] 0 -> 1 close 1.1\n"
                 "[ 1170] 1 -> 0 closed 1.1\n"
                 "[ 1500] 0 finds 0.1\n"
                 "[ 1500] 0 submits 0.2 call\n"
                 "[ 1510] 0 -> 1 call 0.2\n"
                 "[ 1510] 1 starts 0.2\n"
                 "[ 1610] 1 ends 0.2 with 0\n"
                 "[ 1620] 1 -> 0 done 0.2 with 0\n"
                 "[ 1620] 0 reads 0.2\n"
                 "[ 1620] 0 kills 0.1\n"
                 "[ 1620] 0 finds no ann\n"},
    {.name = "a detached actor comes too late",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = undo_driver,
     .slow_from = 0,
     .slow_to = 1,
     .slow_us = 200,
     .expected = "[    0] 0 submits 0.1 detacher\n"
                 "[   50] 0 cancels 0.1\n"
                 "[  210] 0 -> 1 open 1.1 for 0\n"
                 "[  210] 0 -> 1 run 0.1 on 1.1\n"
                 "[  210] 1 starts 0.1\n"
                 "[  220] 1 -> 0 create\n"
                 "[  220] 0 submits 0.2 actor\n"
                 "[  260] 0 -> 1 cancel 0.1\n"
                 "[  260] 1 ends 0.1 with -4\n"
                 "[  270] 1 -> 0 done 0.1 with -4\n"
                 "[  270] 0 reads 0.1: error the script ended with -4 of 0.1\n"
                 "[  430] 0 -> 1 named 0.2\n"
                 "[  440] 1 -> 0 kill 0.2\n"
                 "[  440] 1 -> 0 drop 1\n"
                 "[ 1280] 0 -> 1 list\n"
                 "[ 1290] 1 -> 0 rows\n"
                 "[ 1290] 0 sees 0.2 dead: it was killed, detached\n"},
    {.name = "a name comes too late",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = back_driver,
     .slow_from = 0,
     .slow_to = 1,
     .slow_us = 200,
     .expected = "[    0] 0 submits 0.1 namer\n"
                 "[   50] 0 cancels 0.1\n"
                 "[  210] 0 -> 1 open 1.1 for 0\n"
                 "[  210] 0 -> 1 run 0.1 on 1.1\n"
                 "[  210] 1 starts 0.1\n"
                 "[  220] 1 -> 0 name reserve ann\n"
                 "[  260] 0 -> 1 cancel 0.1\n"
                 "[  260] 1 ends 0.1 with -4\n"
                 "[  270] 1 -> 0 done 0.1 with -4\n"
                 "[  270] 0 reads 0.1: error the script ended with -4 of 0.1\n"
                 "[  430] 0 -> 1 named reserved\n"
                 "[  440] 1 -> 0 name back\n"
                 "[ 1070] 0 finds no ann\n"},
    {.name = "an actor has a handle of itself",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = self_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 self\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  130] 0 -> 1 call 0.2\n"
                 "[  130] 1 starts 0.2\n"
                 "[  130] 1 submits 1.1 call\n"
                 "[  140] 1 -> 0 watch 0.1\n"
                 "[  150] 0 -> 1 value 0.1\n"
                 "[  230] 1 ends 0.2 with 0\n"
                 "[  230] 1 starts 1.1\n"
                 "[  240] 1 -> 0 done 0.2 with 0\n"
                 "[  240] 0 reads 0.2\n"
                 "[  330] 1 ends 1.1 with 0\n"
                 "[  550] 0 -> 1 leave scope\n"
                 "[  550] 1 destroys the actor of 0.1\n"},
    {.name = "actors are listed while a rank is lost",
     .nranks = 4,
     .cpus = {0, 1, 0, 0},
     .driver = list_driver,
     .client = {[2] = list_client},
     .events = {{280, WORLD_DIE, 3}, {900, WORLD_LOST, 3}},
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  280] 3 dies\n"
                 "[  300] 2 -> 0 list\n"
                 "[  300] 2 -> 1 list\n"
                 "[  310] 0 -> 1 list\n"
                 "[  310] 0 -> 2 list\n"
                 "[  310] 0 -> 2 rows\n"
                 "[  310] 1 -> 2 rows\n"
                 "[  320] 1 -> 0 rows\n"
                 "[  320] 2 -> 0 rows\n"
                 "[  900] 0 declares 3 lost\n"
                 "[  900] 0 sees 0.1 alive\n"
                 "[  900] 0 kills 0.1\n"
                 "[  910] 0 -> 1 gone 3\n"
                 "[  910] 0 -> 2 gone 3\n"
                 "[  910] 0 -> 1 leave killed\n"
                 "[  910] 0 -> 1 list\n"
                 "[  910] 0 -> 2 list\n"
                 "[  910] 2 sees 0.1 alive\n"
                 "[  920] 1 -> 0 rows\n"
                 "[  920] 2 -> 0 rows\n"
                 "[  920] 0 sees 0.1 dead: it was killed\n"},
    {.name = NULL},
};
