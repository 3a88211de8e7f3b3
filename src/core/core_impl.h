/* core_impl.h - what core.c and core_user.c share; for no other file. */
#ifndef TG_CORE_CORE_IMPL_H
#define TG_CORE_CORE_IMPL_H

#include "core/core.h"

/* The events of user code. */
int tg_core_user(struct tg_core *c, struct tg_event *ev);
/* Does this rank hold the references that are submitted? */
bool tg_core_args_held(const struct tg_core *c, const struct tg_spec *s);

/* Names, detached actors and weak handles (core_name.c). */
/* Before a waiter is made: an error, or 0. */
int tg_core_may_ask(const struct tg_core *c, const struct tg_wait_req *req);
/* Send what the waiter waits for an answer to. */
void tg_core_ask(struct tg_core *c, const struct tg_wait_req *req,
                 uint64_t waiter);
/* The ticket's name is free again. */
void tg_core_name_back(struct tg_core *c, uint64_t ticket);
void tg_core_kill(struct tg_core *c, struct tg_obj *x, bool for_good);
int tg_core_self(struct tg_core *c, uint64_t exec, trygon_ref_t *ref);
/* NAMED, CREATE, WATCH */
void tg_core_named(struct tg_core *c, struct tg_msg_named *m);
void tg_core_create_for(struct tg_core *c, int32_t from,
                        struct tg_msg_create *m);
void tg_core_on_watch(struct tg_core *c, int32_t from, struct tg_msg *m);

/* Lists (core_list.c). */
void tg_core_ask_list(struct tg_core *c, const struct tg_msg_list *what,
                      uint64_t waiter);
void tg_core_on_list(struct tg_core *c, int32_t from,
                     const struct tg_msg_list *m);

#endif
