/* story.h - stories: tiny worlds with fixed delays whose log is known.
 *
 * A story is a driver (and perhaps clients) written as ops, and what then
 * happens, line by line.  Frames take 10 us, bulk pieces 100 us, threads
 * start at once; every rank is a node of its own and rank 0 has no CPUs.
 *
 *     [ time in us ] rank does something
 *     [ time in us ] from -> to message       (when it is read)
 *
 * Tasks are called OWNER.n, leases WORKER.n.
 */
#ifndef TG_TESTS_SIM_STORY_H
#define TG_TESTS_SIM_STORY_H

#include "world.h"

enum { STORY_RANKS = 10, STORY_EVENTS = 3 };

struct story_event {
    uint32_t at_us;
    enum world_event_type type; /* WORLD_DIE or WORLD_LOST */
    int32_t rank;
};

struct story {
    const char *name;
    int32_t nranks;
    int32_t cpus[STORY_RANKS]; /* of ranks 1 and up */
    const struct op *driver;
    const struct op *client[STORY_RANKS]; /* of ranks 1 and up */
    struct story_event events[STORY_EVENTS];
    uint64_t weight_mint, balance_ns, linger_ns; /* 0: the default */
    int32_t slow_from, slow_to;
    uint32_t slow_us;
    struct store_opts store; /* 0 bytes: a large one, for nothing */
    int32_t together;        /* so many ranks at a time share a node */
    uint64_t chunk, store_file_ns, store_full_ns; /* 0: the default, as are */
    uint32_t readers;                             /* of one blob at a time */
    uint64_t lineage_bytes;
    bool whole; /* with the end of the run, which is else left out */
    bool brief; /* without its probes */
    const char *expected;
};

/* True when it went as expected; else it is printed as it went. */
bool story_run(const struct story *s);

extern const struct story stories_work[], stories_loss[], stories_end[],
    stories_actor[], stories_group[], stories_restart[], stories_retry[],
    stories_stream[], stories_name[], stories_store[], stories_room[],
    stories_pull[], stories_lineage[], stories_refill[], stories_again[];

/* ----- words to write stories with ------------------------------------------ */

#define COMPUTE(us_)                                   \
    {                                                  \
        .type = OP_COMPUTE, .ns = (us_)*UINT64_C(1000) \
    }
#define SUBMIT(plan_)                       \
    {                                       \
        .type = OP_SUBMIT, .plan = &(plan_) \
    }
#define PUT(size_)                      \
    {                                   \
        .type = OP_PUT, .size = (size_) \
    }
#define GET(slot_)                                \
    {                                             \
        .type = OP_GET, .n = 1, .slot = { slot_ } \
    }
#define GET2(a_, b_)                               \
    {                                              \
        .type = OP_GET, .n = 2, .slot = { a_, b_ } \
    }
#define GET_FOR(slot_, us_)                                                 \
    {                                                                       \
        .type = OP_GET, .n = 1, .slot = {slot_}, .ns = (us_)*UINT64_C(1000) \
    }
#define YIELD            \
    {                    \
        .type = OP_YIELD \
    }
#define NEXT(slot_)                                \
    {                                              \
        .type = OP_NEXT, .n = 1, .slot = { slot_ } \
    }
#define NEXT_FOR(slot_, us_)                                                 \
    {                                                                        \
        .type = OP_NEXT, .n = 1, .slot = {slot_}, .ns = (us_)*UINT64_C(1000) \
    }
#define WAIT_READY(slot_)                                     \
    {                                                         \
        .type = OP_WAIT, .need = 1, .n = 1, .slot = { slot_ } \
    }
#define RELEASE(slot_)                                \
    {                                                 \
        .type = OP_RELEASE, .n = 1, .slot = { slot_ } \
    }
#define CANCEL(slot_)                                \
    {                                                \
        .type = OP_CANCEL, .n = 1, .slot = { slot_ } \
    }
#define CANCEL_TREE(slot_)                                            \
    {                                                                 \
        .type = OP_CANCEL, .n = 1, .slot = {slot_}, .recursive = true \
    }
#define SPIN            \
    {                   \
        .type = OP_SPIN \
    }
#define END            \
    {                  \
        .type = OP_END \
    }
#define END_WITH(code_)                 \
    {                                   \
        .type = OP_END, .code = (code_) \
    }
#define RETURN_REF(slot_)                         \
    {                                             \
        .type = OP_END, .n = 1, .slot = { slot_ } \
    }

#define KILL_AGAIN(slot_)                                         \
    {                                                             \
        .type = OP_KILL, .again = true, .n = 1, .slot = { slot_ } \
    }

/* An actor that is made again so often, and its calls, unless they say more.
 * A call of the one in slot 0. */
#define ACTOR_AGAIN(name_, ops_, restarts_, retries_)   \
    TASK_OF(name_, ops_, TG_UNIT,                       \
            .create = {.concurrency = 1,                \
                       .max_pending = -1,               \
                       .max_task_retries = (retries_)}, \
            .max_retries = (restarts_))
#define CALL_AGAIN(name_, ops_, retries_) \
    TASK_OF(name_, ops_, 0, .call = true, .max_retries = (retries_))

/* A task of so many 1/TG_UNIT CPUs; at least one more field follows. */
#define TASK_OF(name_, ops_, cpus_, ...)                    \
    {                                                       \
        .gene = {.seed = __LINE__,                          \
                 .name = (name_),                           \
                 .ops = (ops_),                             \
                 .result_size = 16},                        \
        .shape.amount = {cpus_}, .nreturns = 1, __VA_ARGS__ \
    }
/* Of one CPU: without anything else, and with more fields. */
#define TASK(name_, ops_) TASK_OF(name_, ops_, TG_UNIT, .nargs = 0)
#define TASK_WITH(name_, ops_, ...) TASK_OF(name_, ops_, TG_UNIT, __VA_ARGS__)

/* Fields of a task: the object of a slot; on that node. */
#define FROM(slot_) .nargs = 1, .args = {{.by_ref = true, .slot = {slot_}}}
#define AT(node_) .shape.strategy = TRYGON_STRATEGY_NODE, .shape.node = (node_)

/* A result of 100 bytes, which are stored; at least one more field follows. */
#define MAKER(name_, ops_, ...)                               \
    {                                                         \
        .gene = {.seed = __LINE__,                            \
                 .name = (name_),                             \
                 .ops = (ops_),                               \
                 .result_size = 100},                         \
        .shape.amount = {TG_UNIT}, .nreturns = 1, __VA_ARGS__ \
    }

/* A task on that node, with the object of a slot. */
#define READER_AT(name_, ops_, node_, slot_)                                \
    TASK_WITH(name_, ops_, AT(node_), .shape.fail = true, .max_retries = 0, \
              FROM(slot_))

/* A story's store has what is large, and what is lost is made again. */
#define LINEAGE \
    .brief = true, .store = {.from = 50}, .lineage_bytes = UINT64_C(1) << 30

/* As READER_AT(), with references within a value, so that nothing is pinned. */
#define HOLDER_AT(name_, ops_, node_, n_, ...)                              \
    TASK_WITH(name_, ops_, AT(node_), .shape.fail = true, .max_retries = 0, \
              .nargs = 1,                                                   \
              .args = {{.size = 16, .n = (n_), .slot = {__VA_ARGS__}}})

/* A task that yields so many items, at most limit_ ahead; at least one more
 * field follows. */
#define STREAM(name_, ops_, yields_, limit_, ...)                 \
    {                                                             \
        .gene = {.seed = __LINE__,                                \
                 .name = (name_),                                 \
                 .ops = (ops_),                                   \
                 .result_size = 5000,                             \
                 .yields = (yields_),                             \
                 .fail_code = 7},                                 \
        .shape.amount = {TG_UNIT}, .limit = (limit_), __VA_ARGS__ \
    }

#endif
