/* store_impl.h - what the files of the store share; for no other file. */
#ifndef TG_CORE_STORE_IMPL_H
#define TG_CORE_STORE_IMPL_H

#include "core/map.h"
#include "core/store.h"

struct tg_blob *tg_blob_new(struct tg_store *s, enum tg_blob_kind kind,
                            uint64_t size);
void tg_blob_set_state(struct tg_blob *b, enum tg_blob_state to);
static inline bool tg_blob_has_memory(const struct tg_blob *b)
{
    return b->state >= TG_BLOB_MAKING && b->state <= TG_BLOB_LEAVING;
}

/* For the directory. */
static inline void tg_store_say(struct tg_store *s, trygon_ref_t ref,
                                enum tg_news_op op)
{
    *tg_ctx_pass(s->ctx, &s->news) = (struct tg_news){.ref = ref, .op = op};
}

/* Into the list, at its end; or into none. */
void tg_blob_put(struct tg_store *s, struct tg_blob *b, enum tg_blob_list list);
/* Into the list of its state. */
void tg_blob_settle(struct tg_store *s, struct tg_blob *b);
struct tg_action *tg_blob_act(struct tg_store *s, const struct tg_blob *b,
                              enum tg_store_op op);
/* It was used: others leave before it. */
void tg_blob_touch(struct tg_store *s, struct tg_blob *b);
/* Somebody is about to read it: it stays for a moment. */
void tg_blob_keep(struct tg_store *s, struct tg_blob *b);
/* It can be read from now on: tells who waits, and sends it. */
void tg_blob_sealed(struct tg_store *s, struct tg_blob *b);
/* Whoever waits for it here hears so. */
void tg_blob_arrived(struct tg_store *s, struct tg_blob *b, int32_t rc);
void tg_blob_free(struct tg_store *s, struct tg_blob *b);

/* ----- store_room.c ------------------------------------------------------- */

/* In line for memory; and in another line from now on, at its end. */
void tg_blob_queue(struct tg_store *s, struct tg_blob *b,
                   enum tg_blob_list line);
void tg_blob_line_up(struct tg_store *s, struct tg_blob *b,
                     enum tg_blob_list line);
void tg_blob_evict(struct tg_store *s, struct tg_blob *b);
void tg_blob_made(struct tg_store *s, struct tg_blob *b, int32_t rc);
void tg_blob_left_memory(struct tg_store *s, struct tg_blob *b);
/* What could not leave is looked at again. */
void tg_store_look_again(struct tg_store *s);
/* Who gets room now, and who leaves for that. */
void tg_store_pump(struct tg_store *s);

/* ----- store_pull.c ------------------------------------------------------- */

/* It has memory, or needs none (NEAR): ask for the bytes. */
void tg_pull_begin(struct tg_store *s, struct tg_blob *b);
/* It needs them no longer. */
void tg_pull_end(struct tg_store *s, const struct tg_blob *b);
/* Send what can be sent to those who wait. */
void tg_pull_serve(struct tg_store *s, struct tg_blob *b);
/* They must look elsewhere; or only those who wait until it is in memory. */
void tg_pull_refuse(struct tg_store *s, struct tg_blob *b, int32_t code);
void tg_pull_refuse_near(struct tg_store *s, struct tg_blob *b, int32_t code);
/* A piece has left, for the reader {rank, to}. */
void tg_pull_sent(struct tg_store *s, struct tg_blob *b, trygon_ref_t to,
                  int32_t rc);
void tg_pull_gone(struct tg_store *s, struct tg_blob *b, int32_t rank);

#endif
