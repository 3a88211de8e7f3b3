/* test_owner_actor.c - actors at their owner and at callers: what the errors
 * of those that have ended say. */
#include <string.h>

#include "../cunit_main.h"
#include "owning.h"

enum { G = 1, LEASE = 100 }; /* "g" is the class, "f" its method */

static trygon_ref_t create(struct rig *r)
{
    static const struct tg_create one_at_a_time = {.concurrency = 1,
                                                   .max_pending = -1};
    struct tg_spec spec = spec_of(G);
    spec.create = &one_at_a_time;
    return submit(r, spec);
}

/* Its constructor has been sent to the worker. */
static struct sent constructing(struct rig *r)
{
    struct sent s;
    lease(r, WORKER, LEASE);
    CU_ASSERT_TRUE_FATAL(ran(r, WORKER, &s));
    return s;
}

static trygon_ref_t alive(struct rig *r)
{
    trygon_ref_t actor = create(r);
    struct sent s = constructing(r);
    struct tg_msg m = {.type = TG_MSG_DONE};
    m.u.done.lease = s.lease;
    m.u.done.task = s.task;
    m.u.done.returns = items(1, item_val(val_bytes(sizeof(uint64_t))));
    rig_msg(r, WORKER, &m);
    CU_ASSERT_EQUAL(outcome(r, actor), 0);
    return actor;
}

static trygon_ref_t call(struct rig *r, trygon_ref_t actor)
{
    struct tg_spec spec = spec_of(0);
    spec.actor = actor;
    return submit(r, spec);
}

/* The error names the actor's class, and not the method. */
static void died(const struct rig *r, trygon_ref_t ref, int32_t rank,
                 const char *text)
{
    CU_ASSERT_EQUAL_FATAL(outcome(r, ref), TRYGON_ERR_ACTOR_DIED);
    const struct trygon_error *e = tg_val_err(rig_obj(r, ref)->val, 0);
    CU_ASSERT_STRING_EQUAL(e->function, "g");
    CU_ASSERT_EQUAL(e->rank, rank);
    CU_ASSERT_STRING_EQUAL(e->text, text);
}

static const struct trygon_error *cause(const struct rig *r, trygon_ref_t ref)
{
    const struct trygon_error *e = tg_val_err(rig_obj(r, ref)->val, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    return e;
}

static const char rank_lost[] = "the actor has ended: its rank was lost";

/* ----- at the owner ------------------------------------------------------------ */

static void a_failed_constructor_s_error_names_the_actor(void)
{
    static const char text[] = "the actor has ended: its constructor failed";
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t actor = create(&r), waits = call(&r, actor);
    struct sent s = constructing(&r);
    reply(&r, WORKER, &s, 3, 0);
    died(&r, actor, WORKER, text);
    died(&r, waits, WORKER, text);
    CU_ASSERT_EQUAL(cause(&r, waits)->code, TRYGON_ERR_TASK);
    died(&r, call(&r, actor), WORKER, text);
    rig_stop(&r);
}

static void a_constructor_s_lost_rank_names_the_actor(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t actor = create(&r), waits = call(&r, actor);
    (void)constructing(&r);
    rig_gone(&r, WORKER);
    died(&r, actor, WORKER, rank_lost);
    died(&r, waits, WORKER, rank_lost);
    CU_ASSERT_EQUAL(cause(&r, waits)->code, TRYGON_ERR_WORKER_LOST);
    CU_ASSERT_STRING_EQUAL(cause(&r, waits)->function, "g");
    rig_stop(&r);
}

static void a_lost_actor_s_error_names_it(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t actor = alive(&r), sent = call(&r, actor);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, WORKER, TG_MSG_CALL));
    rig_gone(&r, WORKER);
    died(&r, actor, WORKER, rank_lost);
    died(&r, sent, WORKER, rank_lost);
    died(&r, call(&r, actor), WORKER, rank_lost);
    rig_stop(&r);
}

static void a_killed_actor_s_error_names_it(void)
{
    static const char text[] = "the actor has ended: it was killed";
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t actor = alive(&r);
    tg_owner_kill(&r.owner, rig_obj(&r, actor), true);
    rig_settle(&r);
    died(&r, actor, OWNER, text);
    died(&r, call(&r, actor), OWNER, text);
    rig_stop(&r);
}

/* ----- at a caller --------------------------------------------------------------- */

/* A handle of it has come from its owner. */
static struct tg_item borrowed(struct rig *r, trygon_ref_t actor)
{
    struct tg_item in = item_ref(actor);
    in.weight = 64;
    tg_objs_adopt(&r->objs, &in);
    return in;
}

static const char creator_lost[] =
    "the actor has ended: the rank that created it was lost";

static void a_caller_of_an_actor_to_come_hears_that_its_creator_is_lost(void)
{
    struct rig r;
    rig_start(&r, OWNER);
    trygon_ref_t actor = tg_ref_make(TRYGON_KIND_ACTOR, 0, OTHER, G, 77);
    (void)borrowed(&r, actor);
    trygon_ref_t waits = call(&r, actor);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, OTHER, TG_MSG_WATCH));
    CU_ASSERT_EQUAL(outcome(&r, waits), 1);
    rig_gone(&r, OTHER);
    died(&r, waits, OTHER, creator_lost);
    CU_ASSERT_EQUAL(cause(&r, waits)->code, TRYGON_ERR_OWNER_DIED);
    died(&r, call(&r, actor), OTHER, creator_lost);
    rig_stop(&r);
}

/* It knows where the actor is: its owner, a rank of this test as well, has
 * told. */
static void a_caller_of_a_living_one_hears_it_too(void)
{
    struct rig owner, r;
    struct tg_msg m = {.type = TG_MSG_WATCH};
    rig_start(&owner, OTHER);
    rig_start(&r, OWNER);
    trygon_ref_t actor = alive(&owner);
    (void)borrowed(&r, actor);
    trygon_ref_t first = call(&r, actor);
    m.u.watch.ref = actor;
    m.u.watch.fetch = true;
    rig_msg(&owner, OWNER, &m);
    CU_ASSERT_TRUE_FATAL(ctx_sent(&owner.ctx, OWNER, TG_MSG_VALUE, &m));
    rig_msg(&r, OTHER, &m);
    CU_ASSERT_TRUE(ctx_said(&r.ctx, WORKER, TG_MSG_CALL));
    rig_gone(&r, OTHER);
    CU_ASSERT_EQUAL(outcome(&r, first), 1); /* its worker tells */
    died(&r, actor, OTHER, creator_lost);
    died(&r, call(&r, actor), OTHER, creator_lost);
    CU_ASSERT_EQUAL(ctx_count(&r.ctx, TG_MSG_CALL), 0);
    rig_stop(&r);
    rig_stop(&owner);
}

static const struct unit_test tests[] = {
    TEST(a_failed_constructor_s_error_names_the_actor),
    TEST(a_constructor_s_lost_rank_names_the_actor),
    TEST(a_lost_actor_s_error_names_it),
    TEST(a_killed_actor_s_error_names_it),
    TEST(a_caller_of_an_actor_to_come_hears_that_its_creator_is_lost),
    TEST(a_caller_of_a_living_one_hears_it_too),
    TESTS_END,
};

CUNIT_MAIN("owner_actor", tests)
