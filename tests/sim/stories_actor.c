/* stories_actor.c - actors: calls in order, handles, and the ways to end. */
#include "story.h"

#define KILL(slot_)                                \
    {                                              \
        .type = OP_KILL, .n = 1, .slot = { slot_ } \
    }
#define EXIT            \
    {                   \
        .type = OP_EXIT \
    }

/* An actor with one method at a time, and a call of the one in slot 0. */
#define ACTOR(name_, ops_)        \
    TASK_OF(name_, ops_, TG_UNIT, \
            .create = {.concurrency = 1, .max_pending = -1})
#define CALL(name_, ops_) TASK_OF(name_, ops_, 0, .call = true)

static const struct op short_ops[] = {COMPUTE(100), END};
static const struct op spin_ops[] = {SPIN};
static const struct op fail_ops[] = {COMPUTE(100), END_WITH(3)};
static const struct op exit_ops[] = {COMPUTE(100), EXIT, END};
static const struct plan actor = ACTOR("actor", short_ops);
static const struct plan broken = ACTOR("broken", fail_ops);
static const struct plan call = CALL("call", short_ops);
static const struct plan spin = CALL("spin", spin_ops);
static const struct plan leave = CALL("exit", exit_ops);
static const struct plan keeper =
    TASK_OF("keeper", short_ops, TG_UNIT,
            .create = {.concurrency = 1, .max_pending = -1, .keeps = true});

/* Calls wait for the constructor, go straight, and hold the actor. */
static const struct op dropped_driver[] = {
    SUBMIT(actor), SUBMIT(call), SUBMIT(call), RELEASE(0),
    GET2(1, 2),    COMPUTE(100), END};

/* A call with large arguments is overtaken on its way by a small one. */
static const struct plan large = TASK_OF("large", short_ops, 0, .call = true,
                                         .nargs = 1, .args = {{.size = 20000}});
static const struct op large_driver[] = {
    SUBMIT(actor), SUBMIT(call), GET(1), SUBMIT(large),
    SUBMIT(call),  GET2(2, 3),   END};

/* What runs and what waits fails at once; what runs is asked to stop. */
static const struct op kill_driver[] = {
    SUBMIT(actor), SUBMIT(spin), SUBMIT(call), COMPUTE(300), KILL(0),
    GET(1),        GET(2),       COMPUTE(500), END};

static const struct op exit_driver[] = {
    SUBMIT(actor), SUBMIT(leave), SUBMIT(call), GET(1),
    GET(2),        SUBMIT(call),  GET(3),       END};

static const struct op broken_driver[] = {SUBMIT(broken), SUBMIT(call), GET(1),
                                          END};

/* The handle is in a value of the task, which makes a call when the driver has
 * long let go. */
static const struct op user_ops[] = {COMPUTE(500), SUBMIT(call), GET(1), END};
static const struct plan user = TASK_WITH(
    "user", user_ops, .shape.strategy = TRYGON_STRATEGY_NODE, .shape.node = 2,
    .nargs = 1, .args = {{.size = 16, .n = 1, .slot = {0}}});
static const struct op passed_driver[] = {
    SUBMIT(actor), SUBMIT(user), RELEASE(0), GET(1), COMPUTE(100), END};

/* The actor's rank dies with a call under way and one that waits. */
static const struct op lost_driver[] = {
    SUBMIT(actor), SUBMIT(spin), SUBMIT(call), GET(2), GET(1), END};

/* A caller's rank dies: its call runs to its end, then comes another's. */
static const struct op long_ops[] = {COMPUTE(1500), END};
static const struct plan slow = CALL("slow", long_ops);
static const struct op caller_ops[] = {SUBMIT(slow), GET(1), END};
static const struct plan caller =
    TASK_WITH("caller", caller_ops, .shape.strategy = TRYGON_STRATEGY_NODE,
              .shape.node = 2, .max_retries = 0, .shape.fail = true, .nargs = 1,
              .args = {{.size = 16, .n = 1, .slot = {0}}});
static const struct op caller_driver[] = {
    SUBMIT(actor), SUBMIT(caller), COMPUTE(300), SUBMIT(call), GET(2), END};

/* The cancel of a queued call leaves a gap that nobody waits for. */
static const struct op cancel_driver[] = {
    SUBMIT(actor), SUBMIT(spin), SUBMIT(call), SUBMIT(call),
    COMPUTE(300),  CANCEL(2),    CANCEL(1),    GET(3),
    GET(2),        GET(1),       END};

/* The creator's rank dies: the actor ends without destructor. */
static const struct op creator_client[] = {SUBMIT(keeper), SUBMIT(spin), GET(1),
                                           END};
static const struct op wait_driver[] = {COMPUTE(3000), END};

/* It dies before the actor is made, which waits for the one CPU where it may
 * be, or for an argument.  Whoever has the handle is told; the CPU goes to
 * others. */
static const struct op busy_ops[] = {COMPUTE(2000), END};
static const struct plan busy = TASK_WITH("busy", busy_ops, AT(1));
static const struct plan next_task = TASK_WITH("next", short_ops, AT(1));
static const struct plan for_a_cpu =
    TASK_WITH("actor", short_ops, AT(1), .shape.fail = true,
              .create = {.concurrency = 1, .max_pending = -1});
static const struct plan for_an_argument =
    TASK_WITH("actor", short_ops, FROM(0),
              .create = {.concurrency = 1, .max_pending = -1});
static const struct op creator_ops[] = {SUBMIT(for_a_cpu), RETURN_REF(0)};
static const struct op waiting_ops[] = {SUBMIT(busy), SUBMIT(for_an_argument),
                                        RETURN_REF(1)};
static const struct plan creator =
    TASK_WITH("creator", creator_ops, AT(2), .max_retries = 0);
static const struct plan waiting_creator =
    TASK_WITH("creator", waiting_ops, AT(2), .max_retries = 0);
static const struct plan far_call =
    TASK_OF("call", short_ops, 0, .call = true, .actor = 2);
static const struct plan near_call =
    TASK_OF("call", short_ops, 0, .call = true, .actor = 1);
static const struct op unmade_driver[] = {SUBMIT(busy),  SUBMIT(creator),
                                          GET(1),        SUBMIT(far_call),
                                          GET(3),        GET(0),
                                          COMPUTE(2000), SUBMIT(next_task),
                                          GET(4),        END};
static const struct op unfed_driver[] = {SUBMIT(waiting_creator),
                                         GET(0),
                                         SUBMIT(near_call),
                                         GET(2),
                                         COMPUTE(2000),
                                         SUBMIT(next_task),
                                         GET(3),
                                         END};

/* With CPUs of its own it keeps them: the next one waits until it has ended. */
static const struct plan second = CALL("call", short_ops);
static const struct op keeper_driver[] = {
    SUBMIT(keeper), SUBMIT(second), GET(1), SUBMIT(keeper),
    COMPUTE(2000),  RELEASE(0),     GET(2), END};

const struct story stories_actor[] = {
    {.name = "the last handle goes, and then the calls end",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = dropped_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
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
                 "[  230] 1 ends 0.2 with 0\n"
                 "[  230] 1 starts 0.3\n"
                 "[  240] 1 -> 0 done 0.2 with 0\n"
                 "[  330] 1 ends 0.3 with 0\n"
                 "[  340] 1 -> 0 done 0.3 with 0\n"
                 "[  340] 0 reads 0.2\n"
                 "[  340] 0 reads 0.3\n"
                 "[  350] 0 -> 1 leave scope\n"
                 "[  350] 1 destroys the actor of 0.1\n"},
    {.name = "a large call is overtaken and yet the first",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = large_driver,
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
                 "[  240] 0 submits 0.3 large\n"
                 "[  240] 0 submits 0.4 call\n"
                 "[  250] 0 -> 1 call 0.4\n"
                 "[  350] 0 -> 1 call 0.3\n"
                 "[  350] 1 starts 0.3\n"
                 "[  450] 1 ends 0.3 with 0\n"
                 "[  450] 1 starts 0.4\n"
                 "[  460] 1 -> 0 done 0.3 with 0\n"
                 "[  550] 1 ends 0.4 with 0\n"
                 "[  560] 1 -> 0 done 0.4 with 0\n"
                 "[  560] 0 reads 0.3\n"
                 "[  560] 0 reads 0.4\n"},
    {.name = "an actor is killed",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = kill_driver,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 spin\n"
         "[    0] 0 submits 0.3 call\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  130] 0 -> 1 call 0.3\n"
         "[  300] 0 kills 0.1\n"
         "[  310] 0 -> 1 leave killed\n"
         "[  320] 1 -> 0 done 0.3 with -22\n"
         "[  320] 1 -> 0 done 0.2 with -22\n"
         "[  320] 0 reads 0.2: error the actor has ended: it was killed of 0.2\n"
         "[  320] 0 reads 0.3: error the actor has ended: it was killed of 0.3\n"
         "[  630] 1 ends 0.2 with -4\n"},
    {.name = "an actor exits",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = exit_driver,
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 exit\n"
         "[    0] 0 submits 0.3 call\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  130] 0 -> 1 call 0.3\n"
         "[  230] 1 exits from 0.2\n"
         "[  230] 1 ends 0.2 with 0\n"
         "[  230] 1 destroys the actor of 0.1\n"
         "[  240] 1 -> 0 left exited\n"
         "[  240] 1 -> 0 done 0.3 with -22\n"
         "[  240] 1 -> 0 done 0.2 with 0\n"
         "[  240] 0 reads 0.2\n"
         "[  240] 0 reads 0.3: error the actor has ended: it exited of 0.3\n"
         "[  240] 0 submits 0.4 call\n"
         "[  240] 0 reads 0.4: error the actor has ended: it exited of nobody\n"},
    {.name = "a constructor fails",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = broken_driver,
     .expected =
         "[    0] 0 submits 0.1 broken\n"
         "[    0] 0 submits 0.2 call\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 3\n"
         "[  120] 1 -> 0 done 0.1 with 3\n"
         "[  120] 0 reads 0.2: error the actor has ended: its constructor failed of 0.1, because the script ended with 3 of 0.1\n"},
    {.name = "a handle travels in a value",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = passed_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 user\n"
                 "[   10] 0 -> 1 open 1.1 for 0\n"
                 "[   10] 0 -> 1 run 0.1 on 1.1\n"
                 "[   10] 1 starts 0.1\n"
                 "[   10] 0 -> 2 open 2.1 for 0\n"
                 "[   10] 0 -> 2 run 0.2 on 2.1\n"
                 "[   10] 2 starts 0.2\n"
                 "[  110] 1 ends 0.1 with 0\n"
                 "[  120] 1 -> 0 done 0.1 with 0\n"
                 "[  510] 2 submits 2.1 call\n"
                 "[  520] 2 -> 0 watch 0.1\n"
                 "[  530] 0 -> 2 value 0.1\n"
                 "[  540] 2 -> 1 call 2.1\n"
                 "[  540] 1 starts 2.1\n"
                 "[  640] 1 ends 2.1 with 0\n"
                 "[  650] 1 -> 2 done 2.1 with 0\n"
                 "[  650] 2 reads 2.1\n"
                 "[  650] 2 ends 0.2 with 0\n"
                 "[  660] 2 -> 0 done 0.2 with 0\n"
                 "[  660] 2 -> 0 drop 1\n"
                 "[  660] 0 reads 0.2\n"
                 "[  670] 0 -> 1 leave scope\n"
                 "[  670] 1 destroys the actor of 0.1\n"},
    {.name = "the rank of an actor dies",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = lost_driver,
     .events = {{500, WORLD_DIE, 1}, {900, WORLD_LOST, 1}},
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 spin\n"
         "[    0] 0 submits 0.3 call\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 1 call 0.2\n"
         "[  130] 1 starts 0.2\n"
         "[  130] 0 -> 1 call 0.3\n"
         "[  500] 1 dies\n"
         "[  900] 0 declares 1 lost\n"
         "[  900] 0 reads 0.3: error the actor has ended: its rank was lost of nobody\n"
         "[  900] 0 reads 0.2: error the actor has ended: its rank was lost of nobody\n"},
    {.name = "the rank of a caller dies",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = caller_driver,
     .events = {{500, WORLD_DIE, 2}, {900, WORLD_LOST, 2}},
     .expected =
         "[    0] 0 submits 0.1 actor\n"
         "[    0] 0 submits 0.2 caller\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.2 on 2.1\n"
         "[   10] 2 starts 0.2\n"
         "[   10] 2 submits 2.1 slow\n"
         "[   20] 2 -> 0 watch 0.1\n"
         "[  110] 1 ends 0.1 with 0\n"
         "[  120] 1 -> 0 done 0.1 with 0\n"
         "[  130] 0 -> 2 value 0.1\n"
         "[  140] 2 -> 1 call 2.1\n"
         "[  140] 1 starts 2.1\n"
         "[  300] 0 submits 0.3 call\n"
         "[  310] 0 -> 1 call 0.3\n"
         "[  500] 2 dies\n"
         "[  900] 0 declares 2 lost\n"
         "[  910] 0 -> 1 gone 2\n"
         "[ 1130] 0 -> 1 close 1.1\n"
         "[ 1140] 1 -> 0 closed 1.1\n"
         "[ 1640] 1 ends 2.1 with 0\n"
         "[ 1640] 1 starts 0.3\n"
         "[ 1740] 1 ends 0.3 with 0\n"
         "[ 1750] 1 -> 0 done 0.3 with 0\n"
         "[ 1750] 0 reads 0.3\n"
         "[ 1750] 0 logs: an error that nobody read: caller: rank 2 was lost; 1 execution, no retries left\n"},
    {.name = "calls are cancelled",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = cancel_driver,
     .expected = "[    0] 0 submits 0.1 actor\n"
                 "[    0] 0 submits 0.2 spin\n"
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
                 "[  300] 0 cancels 0.3\n"
                 "[  300] 0 cancels 0.2\n"
                 "[  310] 0 -> 1 uncall 0.3\n"
                 "[  310] 0 -> 1 uncall 0.2\n"
                 "[  320] 1 -> 0 done 0.3 with -4\n"
                 "[  630] 1 ends 0.2 with -4\n"
                 "[  630] 1 starts 0.4\n"
                 "[  640] 1 -> 0 done 0.2 with -4\n"
                 "[  730] 1 ends 0.4 with 0\n"
                 "[  740] 1 -> 0 done 0.4 with 0\n"
                 "[  740] 0 reads 0.4\n"
                 "[  740] 0 reads 0.3: error the task was cancelled of 0.3\n"
                 "[  740] 0 reads 0.2: error the task was cancelled of 0.2\n"},
    {.name = "the rank that created an actor dies",
     .nranks = 3,
     .cpus = {0, 1, 0},
     .driver = wait_driver,
     .client = {NULL, NULL, creator_client},
     .events = {{500, WORLD_DIE, 2}, {900, WORLD_LOST, 2}},
     .expected = "[    0] 2 submits 2.1 keeper\n"
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
                 "[ 1650] 1 ends 2.2 with -4\n"
                 "[ 1660] 1 -> 0 closed 1.1\n"},
    {.name = "an actor's creator dies before there is a CPU for it",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = unmade_driver,
     .events = {{500, WORLD_DIE, 2}, {900, WORLD_LOST, 2}},
     .expected =
         "[    0] 0 submits 0.1 busy\n"
         "[    0] 0 submits 0.2 creator\n"
         "[   10] 0 -> 1 open 1.1 for 0\n"
         "[   10] 0 -> 1 run 0.1 on 1.1\n"
         "[   10] 1 starts 0.1\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.2 on 2.1\n"
         "[   10] 2 starts 0.2\n"
         "[   10] 2 submits 2.1 actor\n"
         "[   10] 2 ends 0.2 with 0\n"
         "[   20] 2 -> 0 demand 1 at depth 1\n"
         "[   20] 2 -> 0 done 0.2 with 0\n"
         "[   20] 0 reads 0.2\n"
         "[   20] 0 submits 0.3 call\n"
         "[   30] 0 -> 2 watch 2.1\n"
         "[  500] 2 dies\n"
         "[  900] 0 declares 2 lost\n"
         "[  900] 0 reads 0.3: error the actor has ended: the rank that created it was lost of nobody, because rank 2, which owned the object, was lost of nobody\n"
         "[  910] 0 -> 1 gone 2\n"
         "[ 2010] 1 ends 0.1 with 0\n"
         "[ 2020] 1 -> 0 done 0.1 with 0\n"
         "[ 2020] 0 reads 0.1\n"
         "[ 3030] 0 -> 1 close 1.1\n"
         "[ 3040] 1 -> 0 closed 1.1\n"
         "[ 4020] 0 submits 0.4 next\n"
         "[ 4030] 0 -> 1 open 1.2 for 0\n"
         "[ 4030] 0 -> 1 run 0.4 on 1.2\n"
         "[ 4030] 1 starts 0.4\n"
         "[ 4130] 1 ends 0.4 with 0\n"
         "[ 4140] 1 -> 0 done 0.4 with 0\n"
         "[ 4140] 0 reads 0.4\n"},
    {.name = "an actor's creator dies before its argument is there",
     .nranks = 3,
     .cpus = {0, 1, 1},
     .driver = unfed_driver,
     .events = {{500, WORLD_DIE, 2}, {900, WORLD_LOST, 2}},
     .expected =
         "[    0] 0 submits 0.1 creator\n"
         "[   10] 0 -> 2 open 2.1 for 0\n"
         "[   10] 0 -> 2 run 0.1 on 2.1\n"
         "[   10] 2 starts 0.1\n"
         "[   10] 2 submits 2.1 busy\n"
         "[   10] 2 submits 2.2 actor\n"
         "[   10] 2 ends 0.1 with 0\n"
         "[   20] 2 -> 0 demand 1 at depth 1\n"
         "[   20] 2 -> 0 done 0.1 with 0\n"
         "[   20] 0 reads 0.1\n"
         "[   20] 0 submits 0.2 call\n"
         "[   30] 0 -> 1 open 1.1 for 2\n"
         "[   30] 0 -> 2 lease 1.1\n"
         "[   30] 0 -> 2 watch 2.2\n"
         "[   40] 2 -> 1 run 2.1 on 1.1\n"
         "[   40] 1 starts 2.1\n"
         "[  500] 2 dies\n"
         "[  900] 0 declares 2 lost\n"
         "[  900] 0 reads 0.2: error the actor has ended: the rank that created it was lost of nobody, because rank 2, which owned the object, was lost of nobody\n"
         "[  910] 0 -> 1 gone 2\n"
         "[ 2040] 1 ends 2.1 with 0\n"
         "[ 2050] 1 -> 0 closed 1.1\n"
         "[ 2900] 0 submits 0.3 next\n"
         "[ 2910] 0 -> 1 open 1.2 for 0\n"
         "[ 2910] 0 -> 1 run 0.3 on 1.2\n"
         "[ 2910] 1 starts 0.3\n"
         "[ 3010] 1 ends 0.3 with 0\n"
         "[ 3020] 1 -> 0 done 0.3 with 0\n"
         "[ 3020] 0 reads 0.3\n"},
    {.name = "an actor keeps its CPU",
     .nranks = 2,
     .cpus = {0, 1},
     .driver = keeper_driver,
     .expected = "[    0] 0 submits 0.1 keeper\n"
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
                 "[  240] 0 submits 0.3 keeper\n"
                 "[ 2250] 0 -> 1 leave scope\n"
                 "[ 2250] 1 destroys the actor of 0.1\n"
                 "[ 2260] 1 -> 0 closed 1.1\n"
                 "[ 2270] 0 -> 1 open 1.2 for 0\n"
                 "[ 2270] 0 -> 1 run 0.3 on 1.2\n"
                 "[ 2270] 1 starts 0.3\n"
                 "[ 2370] 1 ends 0.3 with 0\n"
                 "[ 2380] 1 -> 0 done 0.3 with 0\n"
                 "[ 2380] 0 reads 0.3\n"},
    {0}};
