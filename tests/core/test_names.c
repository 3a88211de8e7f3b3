/* test_names.c - the head's table of names, and how ranks list their actors. */
#include <stdlib.h>
#include <string.h>

#include "../cunit_main.h"
#include "core/head_names.h"
#include "fixture.h"

enum { RANKS = 4 };

struct table {
    struct tg_ctx ctx;
    struct tg_names *n;
};

static void start(struct table *t)
{
    ctx_start(&t->ctx, 0, RANKS);
    t->n = tg_names_new(&t->ctx);
}

static void stop(struct table *t)
{
    tg_names_check(t->n);
    tg_names_free(&t->n);
    ctx_stop(&t->ctx);
}

static struct tg_name name_of(const char *name, const char *space)
{
    struct tg_name n = {{0}, {0}};
    memcpy(n.name, name, strlen(name));
    memcpy(n.space, space, strlen(space));
    return n;
}

/* The waiter is the rank's, too: each asks but once at a time. */
static void ask(struct table *t, int32_t rank, enum tg_name_op op,
                const char *name, uint32_t fn)
{
    struct tg_name whole = name_of(name, "");
    struct tg_msg_name m = {
        .op = op, .fn = fn, .waiter = 100 + (uint64_t)rank, .name = &whole};
    tg_names_msg(t->n, rank, &m);
    tg_names_check(t->n);
}

static void tell(struct table *t, int32_t rank, enum tg_name_op op,
                 uint64_t ticket, trygon_ref_t ref)
{
    struct tg_msg_name m = {.op = op, .ticket = ticket, .ref = ref};
    tg_names_msg(t->n, rank, &m);
    tg_names_check(t->n);
}

static trygon_ref_t actor_of(int32_t rank, uint32_t fn)
{
    return tg_ref_make(TRYGON_KIND_ACTOR, 0, rank, fn, 77 + fn);
}

static const trygon_ref_t none = {0, 0};

/* The one answer that a rank has got: its code; 1: no answer. */
static int32_t answer(struct table *t, int32_t rank, struct tg_msg_named *out)
{
    struct tg_msg m;
    memset(out, 0, sizeof *out);
    if (rank == 0 && t->ctx.local_at < t->ctx.local.n)
        m = t->ctx.local.v[t->ctx.local_at++];
    else if (!ctx_sent(&t->ctx, rank, TG_MSG_NAMED, &m))
        return 1;
    *out = m.u.named;
    CU_ASSERT_EQUAL(m.type, TG_MSG_NAMED);
    CU_ASSERT_EQUAL(out->waiter, 100 + (uint64_t)rank);
    CU_ASSERT_FALSE(ctx_said(&t->ctx, rank, TG_MSG_NAMED));
    return out->code;
}

static uint64_t reserve(struct table *t, int32_t rank, const char *name)
{
    struct tg_msg_named a;
    ask(t, rank, TG_NAME_RESERVE, name, 0);
    CU_ASSERT_EQUAL(answer(t, rank, &a), 0);
    CU_ASSERT_NOT_EQUAL(a.ticket, 0);
    CU_ASSERT_TRUE(tg_ref_none(a.item.ref));
    return a.ticket;
}

static uint64_t make(struct table *t, int32_t rank, const char *name,
                     uint32_t fn)
{
    uint64_t ticket = reserve(t, rank, name);
    tell(t, rank, TG_NAME_SET, ticket, actor_of(rank, fn));
    return ticket;
}

static int32_t find(struct table *t, int32_t rank, const char *name)
{
    struct tg_msg_named a;
    ask(t, rank, TG_NAME_FIND, name, 0);
    int32_t code = answer(t, rank, &a);
    CU_ASSERT_EQUAL(code == 0, tg_ref_weak(a.item.ref));
    CU_ASSERT_EQUAL(a.item.weight, 0);
    return code;
}

static void a_name_is_found_once_it_is_set(void)
{
    struct table t;
    struct tg_msg_named a;
    start(&t);
    CU_ASSERT_EQUAL(find(&t, 2, "ann"), TRYGON_ERR_NOTFOUND);
    uint64_t ticket = reserve(&t, 1, "ann");
    CU_ASSERT_TRUE(tg_names_reserved(t.n, ticket));
    ask(&t, 2, TG_NAME_FIND, "ann", 0);
    ask(&t, 3, TG_NAME_RESERVE, "ann", 0);
    CU_ASSERT_EQUAL(answer(&t, 2, &a), 1); /* they wait */
    CU_ASSERT_EQUAL(answer(&t, 3, &a), 1);
    CU_ASSERT_FALSE(tg_names_quiet(t.n));
    tell(&t, 1, TG_NAME_SET, ticket, actor_of(1, 5));
    CU_ASSERT_EQUAL(answer(&t, 2, &a), 0);
    CU_ASSERT_TRUE(tg_ref_eq(a.item.ref, tg_ref_weaken(actor_of(1, 5))));
    CU_ASSERT_EQUAL(answer(&t, 3, &a), TRYGON_ERR_EXISTS);
    CU_ASSERT_TRUE(tg_names_quiet(t.n) && tg_names_count(t.n) == 1);
    stop(&t);
}

static void namespaces_keep_names_apart(void)
{
    struct table t;
    start(&t);
    make(&t, 1, "ann", 1);
    struct tg_name other = name_of("ann", "other");
    CU_ASSERT_TRUE(tg_ref_none(tg_names_actor(t.n, &other)));
    struct tg_msg_named a;
    struct tg_msg_name m = {
        .op = TG_NAME_RESERVE, .waiter = 102, .name = &other};
    tg_names_msg(t.n, 2, &m);
    CU_ASSERT_EQUAL(answer(&t, 2, &a), 0);
    CU_ASSERT_EQUAL(tg_names_count(t.n), 2);
    stop(&t);
}

static void one_that_is_there_will_do_if_it_is_of_the_class(void)
{
    struct table t;
    struct tg_msg_named a;
    start(&t);
    make(&t, 1, "ann", 5);
    ask(&t, 2, TG_NAME_RESERVE_GET, "ann", 5);
    CU_ASSERT_EQUAL(answer(&t, 2, &a), 0);
    CU_ASSERT_TRUE(trygon_ref_equal(a.item.ref, actor_of(1, 5)));
    CU_ASSERT_EQUAL(a.ticket, 0);
    ask(&t, 2, TG_NAME_RESERVE_GET, "ann", 6);
    CU_ASSERT_EQUAL(answer(&t, 2, &a), TRYGON_ERR_EXISTS);
    stop(&t);
}

/* Those who wait for a name that is given back ask anew, in their order. */
static void a_name_given_back_goes_to_who_waits(void)
{
    struct table t;
    struct tg_msg_named a;
    start(&t);
    uint64_t ticket = reserve(&t, 1, "ann");
    ask(&t, 2, TG_NAME_FIND, "ann", 0);
    ask(&t, 3, TG_NAME_RESERVE, "ann", 0);
    tell(&t, 1, TG_NAME_BACK, ticket, none);
    CU_ASSERT_EQUAL(answer(&t, 2, &a), TRYGON_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(answer(&t, 3, &a), 0);
    CU_ASSERT_FALSE(tg_names_reserved(t.n, ticket));
    tell(&t, 1, TG_NAME_SET, ticket, actor_of(1, 1)); /* too late */
    CU_ASSERT_EQUAL(tg_names_count(t.n), 1);
    CU_ASSERT_TRUE(tg_names_reserved(t.n, a.ticket));
    tell(&t, 2, TG_NAME_BACK, a.ticket, none); /* not its own */
    CU_ASSERT_TRUE(tg_names_reserved(t.n, a.ticket));
    stop(&t);
}

static void a_lost_one_keeps_its_name_and_is_not_found(void)
{
    struct table t;
    struct tg_msg_named a;
    start(&t);
    uint64_t ticket = make(&t, 1, "ann", 5);
    tell(&t, 1, TG_NAME_LOST, ticket, none);
    CU_ASSERT_EQUAL(find(&t, 2, "ann"), TRYGON_ERR_NOTFOUND);
    ask(&t, 2, TG_NAME_RESERVE_GET, "ann", 5);
    CU_ASSERT_EQUAL(answer(&t, 2, &a), TRYGON_ERR_EXISTS);
    tell(&t, 1, TG_NAME_BACK, ticket, none);
    CU_ASSERT_EQUAL(tg_names_count(t.n), 0);
    reserve(&t, 2, "ann");
    stop(&t);
}

static void names_of_a_lost_rank_are_free(void)
{
    struct table t;
    struct tg_msg_named a;
    start(&t);
    make(&t, 1, "ann", 1);
    make(&t, 2, "bob", 1);
    reserve(&t, 1, "cleo");
    ask(&t, 1, TG_NAME_FIND, "cleo", 0);
    ask(&t, 3, TG_NAME_RESERVE, "cleo", 0);
    t.ctx.dead[1] = true;
    tg_names_gone(t.n, 1);
    tg_names_check(t.n);
    CU_ASSERT_EQUAL(answer(&t, 3, &a), 0);
    CU_ASSERT_EQUAL(find(&t, 3, "ann"), TRYGON_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(find(&t, 3, "bob"), 0);
    CU_ASSERT_EQUAL(tg_names_count(t.n), 2);
    stop(&t);
}

/* A detached one is reserved by who creates it, and owned by rank 0. */
static void a_detached_ones_name_outlives_its_creator(void)
{
    struct table t;
    start(&t);
    uint64_t ticket = reserve(&t, 1, "ann");
    tell(&t, 0, TG_NAME_SET, ticket, actor_of(0, 5));
    t.ctx.dead[1] = true;
    tg_names_gone(t.n, 1);
    CU_ASSERT_EQUAL(find(&t, 2, "ann"), 0);
    tell(&t, 0, TG_NAME_BACK, ticket, none);
    CU_ASSERT_EQUAL(tg_names_count(t.n), 0);
    stop(&t);
}

/* ----- lists -------------------------------------------------------------------- */

static void a_list_waits_for_the_living_only(void)
{
    struct rig r;
    rig_start(&r, 1);
    struct tg_msg_list list = {.what = TG_LISTED_ACTORS};
    struct tg_wait_req req = {
        .kind = TG_WAIT_LIST, .list = &list, .deadline_ns = TG_NEVER};
    struct tg_waiter *w = tg_waits_begin(&r.waits, &req);
    for (int32_t i = 0; i < 2; i++) {
        struct tg_msg_rows m = {w->self, item_val(val_text("rows"))};
        tg_waits_rows(&r.waits, i, &m);
        tg_item_fini(&m.item);
    }
    struct tg_msg_rows again = {w->self, item_val(val_text("again"))};
    tg_waits_rows(&r.waits, 1, &again);
    CU_ASSERT_PTR_NOT_NULL(again.item.val); /* it was not taken */
    tg_item_fini(&again.item);
    tg_waits_gone(&r.waits, 2);
    tg_waits_gone(&r.waits, 1);
    CU_ASSERT_FALSE(w->done);
    tg_waits_gone(&r.waits, 3);
    CU_ASSERT_TRUE(w->done && w->rc == 0);
    CU_ASSERT_PTR_NOT_NULL(w->gather.vals[1]);
    CU_ASSERT_PTR_NULL(w->gather.vals[2]);
    tg_waits_end(&r.waits, w->self);
    rig_stop(&r);
}

/* Whatever the bytes are, reading ends within them. */
static void a_list_that_is_none_is_read_to_its_end(void)
{
    struct tg_rng rng = {7};
    for (int i = 0; i < 2000; i++) {
        uint64_t n = tg_rng_below(&rng, 120), at = 0;
        struct tg_val *v = val_bytes((size_t)n);
        for (uint64_t b = 0; b < n; b++)
            tg_val_data(v)[b] = tg_rng_below(&rng, 3) == 0
                                    ? 0
                                    : (unsigned char)tg_rng_next(&rng);
        struct tg_actor_row row;
        while (tg_rows_next(v, &at, &row))
            CU_ASSERT_TRUE(
                strlen(row.name) + strlen(row.space) + strlen(row.cause) < n);
        CU_ASSERT_TRUE(at <= n);
        tg_val_drop(&v);
    }
}

static const struct unit_test tests[] = {
    TEST(a_name_is_found_once_it_is_set),
    TEST(namespaces_keep_names_apart),
    TEST(one_that_is_there_will_do_if_it_is_of_the_class),
    TEST(a_name_given_back_goes_to_who_waits),
    TEST(a_lost_one_keeps_its_name_and_is_not_found),
    TEST(names_of_a_lost_rank_are_free),
    TEST(a_detached_ones_name_outlives_its_creator),
    TEST(a_list_waits_for_the_living_only),
    TEST(a_list_that_is_none_is_read_to_its_end),
    TESTS_END,
};

CUNIT_MAIN("names", tests)
