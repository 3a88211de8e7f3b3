/* script_impl.h - what script.c and script_wait.c share; for no other file. */
#ifndef TG_TESTS_SIM_SCRIPT_IMPL_H
#define TG_TESTS_SIM_SCRIPT_IMPL_H

#include "world.h"

enum { SLOTS_MOST = 48 };

struct world *script_world(const struct script *s);
struct tg_exec *script_exec(const struct script *s); /* NULL: a driver */
int script_step(struct script *s, struct tg_event *ev);
void script_must(struct script *s, int rc, const char *what);
uint32_t script_add_slot(struct script *s, trygon_ref_t ref, bool mine);
void script_end(struct script *s, int32_t code);

/* Items: what item i of a task is, and the op. */
uint64_t script_item_key(const struct gene *g, uint64_t i);
uint64_t script_item_size(const struct gene *g, uint64_t i);
struct tg_val *script_make_val(struct script *s, uint64_t key, uint64_t size,
                               uint32_t n, const uint32_t *slots);
void script_yield(struct script *s);
/* Set, clear or await the rank's flag (script_wait.c). */
void script_flag(struct script *s);
void script_next(struct script *s);
void script_next_came(struct script *s);

/* What truth keeps of a plan, before it is submitted. */
struct truth_task *script_describe(struct script *s, const struct plan *p);
/* And what the core is asked for; create: of an actor, or NULL. */
void script_spec(struct script *s, const struct plan *p, struct truth_task *t,
                 const struct tg_create *create, struct tg_spec *spec,
                 struct tg_items *args);
void script_submit(struct script *s, const struct tg_create *create);

/* Names of actors (script_name.c). */
void script_name(struct script *s);
void script_find(struct script *s);
void script_self(struct script *s);
/* The waiter of such an op is done: look at it before it goes. */
void script_answered(struct script *s, const struct tg_waiter *x);
/* And go on; rc: how the wait has ended. */
void script_named(struct script *s, int rc);
/* The ends of actors. */
void script_kill(struct script *s);
void script_exit(struct script *s);
/* An actor that has that name: is it the only one? */
void script_has_name(struct world *w, struct truth_task *t);

/* Large values (script_store.c). */
/* Arguments are here, or the script waits, or has ended. */
void script_start(struct script *s);
void script_no_args(struct script *s);
/* What room the op needs. */
void script_plan_rooms(struct script *s);
/* It has that room, filled; else it waits, or fails, or has ended. */
bool script_has_rooms(struct script *s);
void script_room_came(struct script *s, int rc);
/* A value, in room i if it is large. */
struct tg_val *script_value(struct script *s, uint32_t i, uint64_t key,
                            uint64_t size, uint32_t n, const uint32_t *slots);
void script_no_rooms(struct script *s); /* what is left is given back */
void script_discard(struct script *s, const struct tg_val *v);
/* All that a get has got can be read now; else it waits again. */
bool script_look(struct script *s);
void script_no_views(struct script *s);
void script_check_view(struct script *s, const struct sim_view *view,
                       const struct truth_obj *o);
/* A stored value, if it can be read just now. */
void script_glance(struct script *s, const struct tg_val *v,
                   const struct truth_obj *o);
void script_free_values(struct script *s); /* of the slots */
/* What the values of a task are made from. */
uint64_t script_result_key(const struct gene *g, uint32_t i);
uint64_t script_arg_key(const struct gene *g, uint32_t i);

/* The waiting ops. */
void script_wait_slots(struct script *s, enum tg_wait_kind kind, bool fetch);
void script_set_begin(struct script *s);
void script_begin_wait(struct script *s, struct tg_wait_req *req);

#endif
