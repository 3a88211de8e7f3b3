/* dir.h - the directory on rank 0: where the objects are that live in stores.
 *
 *     (none) -> STORED <-> IN A FILE -> (none)
 *
 * The owner of an object alone says that it exists and that it is dead; holders
 * say that they have copies, and no more.  A holder keeps weight for as long as
 * it has a copy, so when an object is dead there are none: nothing has to be
 * acknowledged.  News of an object that is not (or not yet) known is nothing
 * to act on: it came late, or too early, and is then only a copy that nobody is
 * told of.
 *
 * When only other ranks still hold an object, those that keep copies which they
 * do not use are told to let go (FADE), so that it ends promptly; who gets a
 * copy after that is told at once.
 *
 * When the store that made an object is lost, the owner asks for a copy (SOUGHT).
 * Holders are asked one after another to make theirs the object's home, until
 * one does; the owner hears which (HOME), or that there is none.
 */
#ifndef TG_CORE_DIR_H
#define TG_CORE_DIR_H

#include "core/ctx.h"

struct tg_dir;

struct tg_dir *tg_dir_new(struct tg_ctx *ctx);
void tg_dir_free(struct tg_dir **dir);

void tg_dir_msg(struct tg_dir *d, int32_t from, const struct tg_msg_news *m);
/* Copies there are gone; objects of that owner, and those that were stored
 * there only, are no more. */
void tg_dir_gone(struct tg_dir *d, int32_t rank);

/* The ranks that have the object in their stores' memory, that which made it
 * first: at most cap of them.  *in_file: that one has it in a file only, and is
 * not among them.  Returns how many there are; NOTFOUND (below 0): it is not
 * known. */
int32_t tg_dir_where(const struct tg_dir *d, trygon_ref_t ref, uint32_t cap,
                     int32_t ranks[], bool *in_file);

void tg_dir_check(const struct tg_dir *d);

#endif
