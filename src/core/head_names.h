/* head_names.h - names of actors, on rank 0.
 *
 * A name within a namespace is RESERVED for whoever will create the actor, SET
 * once it exists, and LOST after the crash of an actor of which handles are
 * still held.  It is known to those who may change it by a ticket.  Who asks
 * for a name that is reserved waits here until it is set, or free again: so
 * each request is answered once, and of many who would create an actor of one
 * name exactly one does.
 *
 * What becomes of an actor is its owner's affair, who says when its name is
 * free.  Only an owner that is lost says nothing: its names are free then.
 */
#ifndef TG_CORE_HEAD_NAMES_H
#define TG_CORE_HEAD_NAMES_H

#include "core/ctx.h"

struct tg_names;

struct tg_names *tg_names_new(struct tg_ctx *ctx);
void tg_names_free(struct tg_names **names);

/* NAME */
void tg_names_msg(struct tg_names *n, int32_t from,
                  const struct tg_msg_name *m);
void tg_names_gone(struct tg_names *n, int32_t rank);
/* Is that name still reserved? */
bool tg_names_reserved(const struct tg_names *n, uint64_t ticket);

void tg_names_check(const struct tg_names *n);
bool tg_names_quiet(const struct tg_names *n);     /* no one waits */
uint32_t tg_names_count(const struct tg_names *n); /* names that are taken */
/* The handle of that name's actor: none, if there is no such actor. */
trygon_ref_t tg_names_actor(const struct tg_names *n,
                            const struct tg_name *name);

#endif
