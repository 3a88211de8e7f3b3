/* test_streams.c - streams at their owner, and what the workers of its tasks and
 * calls say. */
#include <string.h>

#include "../cunit_main.h"
#include "owning.h"

struct reader { /* an owner with one task that yields, on a worker */
    struct rig r;
    trygon_ref_t stream;
    struct sent run;
};

static struct tg_stream *stream_of(struct reader *k)
{
    return tg_streams_of(&k->r.streams, rig_obj(&k->r, k->stream));
}

static void begin_with(struct reader *k, struct tg_spec spec)
{
    rig_start(&k->r, OWNER);
    k->stream = submit(&k->r, spec);
    lease(&k->r, WORKER, 1);
    CU_ASSERT_FATAL(ran(&k->r, WORKER, &k->run));
}

static struct tg_spec yielding(uint64_t limit)
{
    struct tg_spec spec = spec_of(0);
    spec.nreturns = 0;
    spec.limit = limit;
    return spec;
}

static void begin(struct reader *k)
{
    begin_with(k, yielding(TG_ANY_AHEAD));
}

/* The worker's handle of what runs. */
static uint64_t exec_of(const struct sent *run)
{
    return run->task << 8 | (uint64_t)run->attempt;
}

static void yields_as(struct reader *k, const struct sent *run, uint64_t index,
                      const char *text)
{
    struct tg_msg m = {.type = TG_MSG_ITEM};
    m.u.item.task = run->task;
    m.u.item.exec = exec_of(run);
    m.u.item.attempt = run->attempt;
    m.u.item.index = index;
    m.u.item.item = item_val(val_text(text));
    rig_msg(&k->r, WORKER, &m);
}

static void yields(struct reader *k, uint64_t index, const char *text)
{
    yields_as(k, &k->run, index, text);
}

static void ends(struct reader *k, int32_t code, uint64_t n)
{
    struct tg_msg m = {.type = TG_MSG_DONE};
    m.u.done.lease = k->run.lease;
    m.u.done.task = k->run.task;
    m.u.done.attempt = k->run.attempt;
    m.u.done.code = code;
    m.u.done.ran_ns = 1 * ms;
    m.u.done.yielded = n;
    m.u.done.bounces = UINT32_MAX;
    if (code != 0)
        m.u.done.error = val_failed(code > 0 ? TRYGON_ERR_TASK : code);
    rig_msg(&k->r, WORKER, &m);
}

/* Take the next item: 0 and its text, or what the call says, or the error that
 * the item has. */
static int next(struct reader *k, const char **text)
{
    static char room[32];
    trygon_ref_t ref;
    struct tg_stream *s = stream_of(k);
    int rc = tg_streams_take(&k->r.streams, s, &ref);
    if (rc == 0)
        tg_owner_taken(&k->r.owner, s);
    rig_settle(&k->r);
    if (rc != 0)
        return rc;
    const struct tg_val *v = rig_obj(&k->r, ref)->val;
    snprintf(room, sizeof room, "%.*s", (int)v->size,
             v->error ? "" : (const char *)tg_val_data(v));
    rc = v->error ? tg_val_err(v, 0)->code : 0;
    rig_obj(&k->r, ref)->seen = true;
    rig_release(&k->r, ref);
    *text = room;
    return rc;
}

static bool gives(struct reader *k, const char *want)
{
    const char *text = "";
    return next(k, &text) == 0 && strncmp(text, want, strlen(want)) == 0;
}

static int gives_code(struct reader *k)
{
    const char *text;
    return next(k, &text);
}

static void close_it(struct reader *k)
{
    struct tg_obj *x = rig_obj(&k->r, k->stream);
    struct tg_stream *s = tg_streams_of(&k->r.streams, x);
    uint64_t handle = s->self;
    x->user--;
    k->r.objs.user_counts--;
    tg_streams_close(&k->r.streams, s);
    s = tg_streams_find(&k->r.streams, handle);
    if (s != NULL)
        tg_owner_taken(&k->r.owner, s);
    tg_objs_drop(&k->r.objs, x);
    rig_settle(&k->r);
}

/* What the completion says: 1 while the task is not over. */
static int completion(struct reader *k)
{
    return outcome(&k->r, stream_of(k)->done->ref);
}

/* The worker was told: so many are taken; 0: nothing. */
static uint64_t told(struct reader *k)
{
    struct tg_msg m;
    if (!ctx_sent(&k->r.ctx, WORKER, TG_MSG_TAKEN, &m))
        return 0;
    CU_ASSERT_EQUAL(m.u.taken.exec, exec_of(&k->run));
    return m.u.taken.n;
}

static void finish(struct reader *k)
{
    rig_sleep(&k->r, 10 * ms); /* its lease goes back */
    CU_ASSERT(tg_owner_quiet(&k->r.owner));
    CU_ASSERT_EQUAL(k->r.streams.slab.used, 0);
    CU_ASSERT_EQUAL(tg_objs_left(&k->r.objs), 0);
    rig_stop(&k->r);
}

/* ----- order ------------------------------------------------------------------ */

static void items_are_read_in_order_then_the_end(void)
{
    struct reader k;
    begin(&k);
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_TIMEOUT);
    yields(&k, 0, "a");
    yields(&k, 1, "b");
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT(gives(&k, "b"));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_TIMEOUT);
    yields(&k, 2, "c");
    CU_ASSERT(gives(&k, "c"));
    ends(&k, 0, 3);
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    CU_ASSERT_EQUAL(completion(&k), 0);
    close_it(&k);
    finish(&k);
}

static void a_late_item_keeps_those_behind_it_waiting(void)
{
    struct reader k;
    begin(&k);
    yields(&k, 3, "d");
    yields(&k, 1, "b");
    yields(&k, 1, "B"); /* once */
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_TIMEOUT);
    yields(&k, 0, "a");
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT(gives(&k, "b"));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_TIMEOUT);
    yields(&k, 2, "c");
    CU_ASSERT(gives(&k, "c"));
    CU_ASSERT(gives(&k, "d"));
    ends(&k, 0, 4);
    close_it(&k);
    finish(&k);
}

static void the_end_waits_for_the_last_item(void)
{
    struct reader k;
    begin(&k);
    yields(&k, 1, "b");
    ends(&k, 0, 2);
    CU_ASSERT_EQUAL(completion(&k), 1);
    CU_ASSERT_EQUAL(k.r.owner.tasks.used, 1);
    yields(&k, 0, "a");
    CU_ASSERT_EQUAL(completion(&k), 0);
    CU_ASSERT_EQUAL(k.r.owner.tasks.used, 0);
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT(gives(&k, "b"));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    close_it(&k);
    finish(&k);
}

/* ----- errors -------------------------------------------------------------------- */

static void an_error_of_the_task_is_its_last_item(void)
{
    struct reader k;
    begin(&k);
    yields(&k, 0, "a");
    ends(&k, 7, 1);
    CU_ASSERT_EQUAL(completion(&k), 0);
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_TASK);
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    close_it(&k);
    finish(&k);
}

static void a_lost_rank_is_an_item_and_the_completion(void)
{
    struct reader k;
    begin(&k);
    yields(&k, 0, "a");
    yields(&k, 2, "c"); /* nobody will see it */
    rig_gone(&k.r, WORKER);
    CU_ASSERT_EQUAL(completion(&k), TRYGON_ERR_WORKER_LOST);
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_WORKER_LOST);
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    close_it(&k);
    finish(&k);
}

static void a_retry_gives_each_index_once(void)
{
    struct reader k;
    static int32_t codes[] = {7};
    struct tg_spec spec = yielding(TG_ANY_AHEAD);
    spec.max_retries = 1;
    spec.ncodes = 1;
    spec.codes = tg_alloc(sizeof codes);
    memcpy(spec.codes, codes, sizeof codes);
    begin_with(&k, spec);
    struct sent first = k.run;
    yields(&k, 0, "a");
    yields(&k, 1, "b");
    CU_ASSERT(gives(&k, "a"));
    ends(&k, 7, 2);
    CU_ASSERT_FATAL(ran(&k.r, WORKER, &k.run));
    CU_ASSERT_EQUAL(k.run.attempt, 1);
    yields_as(&k, &first, 2, "stale");
    yields(&k, 0, "A");
    yields(&k, 1, "B");
    yields(&k, 2, "c");
    ends(&k, 7, 3);
    CU_ASSERT_EQUAL(completion(&k), 0); /* its own error, after all retries */
    CU_ASSERT(gives(&k, "b"));
    CU_ASSERT(gives(&k, "c"));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_TASK);
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    close_it(&k);
    finish(&k);
}

static void a_rank_lost_before_the_last_item_came_means_a_retry(void)
{
    struct reader k;
    struct tg_spec spec = yielding(TG_ANY_AHEAD);
    spec.max_retries = 1;
    begin_with(&k, spec);
    ends(&k, 0, 1); /* its item is still under way, and never comes */
    rig_gone(&k.r, WORKER);
    CU_ASSERT_EQUAL(completion(&k), 1);
    lease(&k.r, OTHER, 2);
    struct sent again;
    CU_ASSERT_FATAL(ran(&k.r, OTHER, &again));
    CU_ASSERT_EQUAL(again.attempt, 1);
    rig_gone(&k.r, OTHER);
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_WORKER_LOST);
    close_it(&k);
    finish(&k);
}

/* ----- cancel and close ----------------------------------------------------------- */

static void cancelled_is_the_next_item_whatever_has_come(void)
{
    struct reader k;
    begin(&k);
    yields(&k, 0, "a");
    yields(&k, 1, "b");
    yields(&k, 2, "c");
    CU_ASSERT(gives(&k, "a"));
    cancel(&k.r, k.stream);
    CU_ASSERT(ctx_said(&k.r.ctx, WORKER, TG_MSG_CANCEL));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_CANCELLED);
    yields(&k, 3, "d");
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    CU_ASSERT_EQUAL(completion(&k), 1);
    ends(&k, TRYGON_ERR_CANCELLED, 4);
    CU_ASSERT_EQUAL(completion(&k), TRYGON_ERR_CANCELLED);
    close_it(&k);
    finish(&k);
}

static void a_cancel_after_the_end_changes_nothing(void)
{
    struct reader k;
    begin(&k);
    yields(&k, 0, "a");
    ends(&k, 0, 1);
    cancel(&k.r, k.stream);
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    close_it(&k);
    finish(&k);
}

static void closing_frees_what_was_not_taken(void)
{
    struct reader k;
    begin(&k);
    yields(&k, 0, "a");
    yields(&k, 1, "b");
    yields(&k, 3, "d");
    close_it(&k);
    CU_ASSERT_EQUAL(k.r.streams.slab.used, 1); /* its task goes on */
    CU_ASSERT_FALSE(tg_streams_quiet(&k.r.streams));
    yields(&k, 2, "c");
    CU_ASSERT_EQUAL(tg_objs_left(&k.r.objs), 1); /* the completion */
    ends(&k, 0, 5);                              /* nobody waits for item 4 */
    finish(&k);
}

static void a_taken_item_outlives_the_stream(void)
{
    struct reader k;
    trygon_ref_t ref;
    begin(&k);
    yields(&k, 0, "a");
    CU_ASSERT_EQUAL(tg_streams_take(&k.r.streams, stream_of(&k), &ref), 0);
    ends(&k, 0, 1);
    close_it(&k);
    CU_ASSERT_EQUAL(outcome(&k.r, ref), 0);
    rig_release(&k.r, ref);
    finish(&k);
}

/* ----- backpressure ----------------------------------------------------------------- */

static void the_worker_hears_what_is_taken(void)
{
    struct reader k;
    begin_with(&k, yielding(1));
    CU_ASSERT_EQUAL(told(&k), 0);
    yields(&k, 0, "a");
    CU_ASSERT_EQUAL(told(&k), 0);
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT_EQUAL(told(&k), 1);
    yields(&k, 1, "b");
    CU_ASSERT_EQUAL(told(&k), 0);
    close_it(&k);
    CU_ASSERT_EQUAL(told(&k), UINT64_MAX);
    ends(&k, 0, 9);
    finish(&k);
}

static void without_backpressure_it_hears_nothing(void)
{
    struct reader k;
    begin(&k);
    yields(&k, 0, "a");
    CU_ASSERT(gives(&k, "a"));
    close_it(&k);
    CU_ASSERT_EQUAL(told(&k), 0);
    ends(&k, 0, 1);
    finish(&k);
}

/* Nothing can be told before the run is there, but it yields one item. */
static void a_retry_hears_it_after_its_first_item(void)
{
    struct reader k;
    static int32_t codes[] = {7};
    struct tg_spec spec = yielding(1);
    spec.max_retries = 3;
    spec.ncodes = 1;
    spec.codes = tg_alloc(sizeof codes);
    memcpy(spec.codes, codes, sizeof codes);
    begin_with(&k, spec);
    yields(&k, 0, "a");
    ends(&k, 7, 1);
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT_EQUAL(told(&k), 0);
    CU_ASSERT_FATAL(ran(&k.r, WORKER, &k.run));
    CU_ASSERT_EQUAL(told(&k), 0);
    yields(&k, 0, "A");
    CU_ASSERT_EQUAL(told(&k), 1);
    close_it(&k);
    CU_ASSERT_EQUAL(told(&k), UINT64_MAX);
    ends(&k, 0, 1);
    finish(&k);
}

/* ----- waiting ------------------------------------------------------------------------ */

static void a_set_looks_again_when_the_item_was_taken(void)
{
    struct reader k;
    trygon_ref_t ref;
    uint64_t tag;
    begin(&k);
    uint64_t set = tg_set_new(&k.r.waits);
    CU_ASSERT_EQUAL(tg_set_add(&k.r.waits, set, rig_obj(&k.r, k.stream), 5), 0);
    CU_ASSERT_EQUAL(tg_set_take(&k.r.waits, set, &ref, &tag),
                    TRYGON_ERR_TIMEOUT);
    yields(&k, 0, "a");
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT_EQUAL(tg_set_take(&k.r.waits, set, &ref, &tag),
                    TRYGON_ERR_TIMEOUT);
    yields(&k, 1, "b");
    CU_ASSERT_EQUAL(tg_set_take(&k.r.waits, set, &ref, &tag), 0);
    CU_ASSERT(tg_ref_eq(ref, k.stream) && tag == 5);
    tg_set_free(&k.r.waits, set);
    ends(&k, 0, 2);
    close_it(&k);
    finish(&k);
}

static void whoever_waits_for_a_closed_stream_is_woken(void)
{
    struct reader k;
    begin(&k);
    struct tg_wait_req req = {.kind = TG_WAIT_NEXT,
                              .n = 1,
                              .need = 1,
                              .refs = &k.stream,
                              .fetch = true,
                              .deadline_ns = TG_NEVER};
    const struct tg_waiter *x = tg_waits_begin(&k.r.waits, &req);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    close_it(&k);
    CU_ASSERT(x->done);
    tg_waits_end(&k.r.waits, x->self);
    ends(&k, 0, 0);
    finish(&k);
}

/* ----- calls --------------------------------------------------------------------------- */

/* An actor on the worker runs a method that yields. */
static trygon_ref_t begin_call(struct reader *k, uint64_t limit)
{
    static const struct tg_create create = {.concurrency = 1,
                                            .max_pending = -1};
    struct tg_spec spec = spec_of(0);
    spec.create = &create;
    rig_start(&k->r, OWNER);
    trygon_ref_t actor = submit(&k->r, spec);
    lease(&k->r, WORKER, 1);
    CU_ASSERT_FATAL(ran(&k->r, WORKER, &k->run));
    struct tg_msg m = {.type = TG_MSG_DONE};
    m.u.done.lease = 1;
    m.u.done.task = k->run.task;
    m.u.done.returns = items(1, item_val(val_bytes(sizeof(uint64_t))));
    rig_msg(&k->r, WORKER, &m);
    spec = yielding(limit);
    spec.actor = actor;
    k->stream = submit(&k->r, spec);
    CU_ASSERT_FATAL(ctx_sent(&k->r.ctx, WORKER, TG_MSG_CALL, &m));
    CU_ASSERT_EQUAL(m.u.run.limit, limit);
    CU_ASSERT_EQUAL(m.u.run.nreturns, 0);
    k->run = (struct sent){.task = m.u.run.task};
    return actor;
}

static void the_worker_of_a_call_hears_what_is_taken(void)
{
    struct reader k;
    trygon_ref_t actor = begin_call(&k, 1);
    yields(&k, 0, "a");
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT_EQUAL(told(&k), 1);
    close_it(&k);
    CU_ASSERT_EQUAL(told(&k), UINT64_MAX);
    ends(&k, 0, 9);
    rig_release(&k.r, actor);
    finish(&k);
}

/* The worker answers at once; the items that it counts still come. */
static void the_end_of_an_actor_is_an_item_and_the_completion(void)
{
    struct reader k;
    trygon_ref_t actor = begin_call(&k, TG_ANY_AHEAD);
    yields(&k, 1, "b");
    tg_owner_kill(&k.r.owner, rig_obj(&k.r, actor), true);
    ends(&k, TRYGON_ERR_ACTOR_DIED, 2);
    CU_ASSERT_EQUAL(completion(&k), 1);
    yields(&k, 0, "a");
    CU_ASSERT_EQUAL(completion(&k), TRYGON_ERR_ACTOR_DIED);
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT(gives(&k, "b"));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_ACTOR_DIED);
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    close_it(&k);
    rig_release(&k.r, actor);
    finish(&k);
}

static void a_lost_actor_is_an_item_and_the_completion(void)
{
    struct reader k;
    trygon_ref_t actor = begin_call(&k, TG_ANY_AHEAD);
    yields(&k, 0, "a");
    ends(&k, 0, 2); /* its second item is lost with the rank */
    rig_gone(&k.r, WORKER);
    CU_ASSERT(gives(&k, "a"));
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_ACTOR_DIED);
    CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
    CU_ASSERT_EQUAL(completion(&k), TRYGON_ERR_ACTOR_DIED);
    close_it(&k);
    rig_release(&k.r, actor);
    finish(&k);
}

static void a_cancelled_call_is_cancelled_whatever_it_ends_with(void)
{
    static const int32_t codes[] = {0, 7, TRYGON_ERR_CANCELLED};
    for (int i = 0; i < 3; i++) {
        struct reader k;
        trygon_ref_t actor = begin_call(&k, TG_ANY_AHEAD);
        yields(&k, 0, "a");
        cancel(&k.r, k.stream);
        CU_ASSERT(ctx_said(&k.r.ctx, WORKER, TG_MSG_UNCALL));
        CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_CANCELLED);
        CU_ASSERT_EQUAL(gives_code(&k), TRYGON_ERR_END);
        ends(&k, codes[i], 1);
        CU_ASSERT_EQUAL(completion(&k), TRYGON_ERR_CANCELLED);
        close_it(&k);
        rig_release(&k.r, actor);
        finish(&k);
    }
}

static const struct unit_test tests[] = {
    TEST(items_are_read_in_order_then_the_end),
    TEST(a_late_item_keeps_those_behind_it_waiting),
    TEST(the_end_waits_for_the_last_item),
    TEST(an_error_of_the_task_is_its_last_item),
    TEST(a_lost_rank_is_an_item_and_the_completion),
    TEST(a_retry_gives_each_index_once),
    TEST(a_rank_lost_before_the_last_item_came_means_a_retry),
    TEST(cancelled_is_the_next_item_whatever_has_come),
    TEST(a_cancel_after_the_end_changes_nothing),
    TEST(closing_frees_what_was_not_taken),
    TEST(a_taken_item_outlives_the_stream),
    TEST(the_worker_hears_what_is_taken),
    TEST(without_backpressure_it_hears_nothing),
    TEST(a_retry_hears_it_after_its_first_item),
    TEST(a_set_looks_again_when_the_item_was_taken),
    TEST(whoever_waits_for_a_closed_stream_is_woken),
    TEST(the_worker_of_a_call_hears_what_is_taken),
    TEST(the_end_of_an_actor_is_an_item_and_the_completion),
    TEST(a_lost_actor_is_an_item_and_the_completion),
    TEST(a_cancelled_call_is_cancelled_whatever_it_ends_with),
    TESTS_END,
};

CUNIT_MAIN("streams", tests)
