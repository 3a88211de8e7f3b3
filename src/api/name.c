/* name.c - section 9 of the header: names of actors, detached actors, weak
 * handles and lists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

_Static_assert((int)TG_ROW_PENDING == (int)TRYGON_ACTOR_PENDING &&
                   (int)TG_ROW_ALIVE == (int)TRYGON_ACTOR_ALIVE &&
                   (int)TG_ROW_RESTARTING == (int)TRYGON_ACTOR_RESTARTING &&
                   (int)TG_ROW_DEAD == (int)TRYGON_ACTOR_DEAD,
               "the core has states of its own");

/* ----- names --------------------------------------------------------------------- */

static int check_name(const struct trygon *tg, const char *who,
                      const char *name, const char *space)
{
    const char *wrong = NULL;
    if (name == NULL || name[0] == '\0')
        wrong = "the actor's name is empty";
    else if (strlen(name) >= TG_NAME_MAX)
        wrong = "the actor's name is longer than 63 bytes";
    else if (space != NULL && strlen(space) >= TG_NAME_MAX)
        wrong = "the namespace is longer than 63 bytes";
    return wrong != NULL ? tg_refuse(tg, TRYGON_ERR_INVALID, who, wrong)
                         : TRYGON_SUCCESS;
}

static struct tg_name make_name(const char *name, const char *space)
{
    struct tg_name n = {{0}, {0}};
    memcpy(n.name, name, strlen(name));
    if (space != NULL)
        memcpy(n.space, space, strlen(space));
    return n;
}

static int ask_name(struct trygon *tg, struct tg_msg_name *m,
                    struct tg_answer *out)
{
    struct tg_wait_req req = {.kind = TG_WAIT_NAME, .name = m};
    tg_enter(tg);
    int rc = tg_block(tg, &req, TRYGON_FOREVER, out);
    tg_leave(tg);
    return rc;
}

int trygon_actor_find(trygon_t *tg, const char *name, const char *name_space,
                      trygon_ref_t *actor)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, actor != NULL, "the output is NULL");
    int rc = check_name(tg, "trygon_actor_find", name, name_space);
    if (rc != TRYGON_SUCCESS)
        return rc;
    struct tg_name whole = make_name(name, name_space);
    struct tg_msg_name m = {.op = TG_NAME_FIND, .name = &whole};
    struct tg_answer a = {0};
    rc = ask_name(tg, &m, &a);
    if (rc == TRYGON_ERR_NOTFOUND)
        return tg_fail(tg, rc, "trygon_actor_find: there is no actor '%s'",
                       name);
    if (rc != TRYGON_SUCCESS)
        return tg_report(tg, "trygon_actor_find", rc);
    *actor = a.ref;
    return TRYGON_SUCCESS;
}

/* ----- creation -------------------------------------------------------------------- */

int tg_check_agreed(const struct trygon *tg, const trygon_actor_opts_t *o)
{
    static const char who[] = "trygon_actor_create";
    if (o->name != NULL)
        return check_name(tg, who, o->name, o->name_space);
    if (o->get_if_exists)
        return tg_refuse(tg, TRYGON_ERR_INVALID, who,
                         "option get_if_exists needs the option name");
    if (o->name_space != NULL)
        return tg_refuse(tg, TRYGON_ERR_INVALID, who,
                         "option name_space needs the option name");
    return TRYGON_SUCCESS;
}

static int no_name(const struct trygon *tg, const char *name, int rc)
{
    if (rc == TRYGON_ERR_EXISTS)
        return tg_fail(tg, rc, "trygon_actor_create: the name '%s' is taken",
                       name);
    return tg_report(tg, "trygon_actor_create", rc);
}

/* The ticket of a name that is ours now, or the handle of who has it. */
static int reserve(struct trygon *tg, const trygon_actor_opts_t *o,
                   const struct tg_spec *s, struct tg_create *create,
                   trygon_ref_t *actor)
{
    create->name = make_name(o->name, o->name_space);
    struct tg_msg_name m = {.op = o->get_if_exists ? TG_NAME_RESERVE_GET
                                                   : TG_NAME_RESERVE,
                            .fn = s->fn,
                            .name = &create->name};
    struct tg_answer a = {0};
    int rc = ask_name(tg, &m, &a);
    if (rc != TRYGON_SUCCESS)
        return no_name(tg, o->name, rc);
    create->ticket = a.ticket;
    *actor = a.ref;
    return TRYGON_SUCCESS;
}

int tg_create_agreed(struct trygon *tg, const trygon_actor_opts_t *o,
                     size_t nargs, const trygon_value_t args[],
                     struct tg_spec *s, struct tg_create *create,
                     trygon_ref_t *actor)
{
    trygon_ref_t there = {0, 0};
    create->detached = o->detached;
    if (o->name != NULL) {
        int rc = reserve(tg, o, s, create, &there);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    if (!tg_ref_none(there)) {
        *actor = there;
        return TRYGON_SUCCESS;
    }
    int rc = tg_submit_spec(tg, "trygon_actor_create", nargs, args, s, actor);
    if (rc != TRYGON_SUCCESS && create->ticket != 0) {
        struct tg_event ev = {.type = TG_EV_UNNAME, .handle = create->ticket};
        tg_enter(tg);
        tg_step(tg, &ev);
        tg_leave(tg);
    }
    return rc;
}

int tg_create_detached(struct trygon *tg, struct tg_spec *s,
                       trygon_ref_t *actor)
{
    struct tg_wait_req req = {.kind = TG_WAIT_CREATE, .spec = s};
    struct tg_answer a = {0};
    int rc = tg_block(tg, &req, TRYGON_FOREVER, &a);
    if (rc == TRYGON_SUCCESS)
        *actor = a.ref;
    return rc;
}

/* ----- oneself ----------------------------------------------------------------------- */

int trygon_call_actor(trygon_call_t *call, trygon_ref_t *actor)
{
    TG_NEED(NULL, call != NULL, "the call is NULL");
    TG_NEED(call->tg, actor != NULL, "the output is NULL");
    struct tg_event ev = {.type = TG_EV_SELF, .handle = call->exec->self};
    tg_enter(call->tg);
    int rc = tg_step(call->tg, &ev);
    tg_leave(call->tg);
    if (rc != TRYGON_SUCCESS)
        return tg_fail(call->tg, rc,
                       "trygon_call_actor: this is no actor's method");
    *actor = ev.ref;
    return TRYGON_SUCCESS;
}

/* ----- listing ------------------------------------------------------------------------ */

static void fill(const struct trygon *tg, const struct tg_actor_row *row,
                 trygon_actor_info_t *out)
{
    uint32_t fn = tg_ref_index(row->ref);
    *out = (trygon_actor_info_t){.actor = row->ref,
                                 .state = row->state,
                                 .rank = row->rank,
                                 .owner = tg_ref_rank(row->ref),
                                 .restarts = row->restarts,
                                 .detached = row->detached};
    snprintf(out->cls, sizeof out->cls, "%s",
             fn < tg->nfns ? tg->fns[fn].name : "");
    snprintf(out->name, sizeof out->name, "%s", row->name);
    snprintf(out->name_space, sizeof out->name_space, "%s", row->space);
    snprintf(out->cause, sizeof out->cause, "%s", row->cause);
}

static size_t fill_all(const struct trygon *tg, struct tg_val *const vals[],
                       size_t capacity, trygon_actor_info_t actors[])
{
    size_t n = 0;
    for (int32_t r = 0; r < tg->nranks; r++) {
        uint64_t at = 0;
        struct tg_actor_row row;
        while (tg_rows_next(vals[r], &at, &row)) {
            if (n < capacity)
                fill(tg, &row, &actors[n]);
            n++;
        }
    }
    return n;
}

int trygon_actors(trygon_t *tg, size_t capacity, trygon_actor_info_t actors[],
                  size_t *n)
{
    TG_NEED_TG(tg);
    TG_NEED(tg, n != NULL && (capacity == 0 || actors != NULL),
            "an output is NULL");
    struct tg_msg_list list = {.what = TG_LISTED_ACTORS};
    struct tg_wait_req req = {.kind = TG_WAIT_LIST, .list = &list};
    struct tg_answer a = {0};
    tg_enter(tg);
    int rc = tg_block(tg, &req, TRYGON_FOREVER, &a);
    tg_leave(tg);
    if (rc != TRYGON_SUCCESS)
        return tg_report(tg, "trygon_actors", rc);
    *n = fill_all(tg, a.vals, capacity, actors);
    for (int32_t r = 0; r < tg->nranks; r++)
        tg_val_drop(&a.vals[r]);
    free(a.vals);
    return TRYGON_SUCCESS;
}
