/* gen.h - random messages for the tests of the wire.
 *
 * One seed gives one message.  Every field that travels is random; numbers are
 * of random width, so that short and long forms both occur.
 */
#ifndef TG_TESTS_WIRE_GEN_H
#define TG_TESTS_WIRE_GEN_H

#include "base/rng.h"
#include "wire/wire.h"

struct gen {
    struct tg_rng rng;
    bool small; /* no attachments, short arrays */
};

/* A message of that type, to be given back with tg_msg_fini(). */
void gen_msg(struct gen *g, enum tg_msg_type type, struct tg_msg *m);

/* Whether two messages agree in all that travels, bytes of values included. */
bool gen_same(const struct tg_msg *a, const struct tg_msg *b);

/* tg_val_new() as the tests link it (--wrap): it refuses GEN_VAL_MAX bytes and
 * more, so that a size made up by chance costs nothing, and the n-th call from
 * now on (1: the next; 0: none).  Calls of tg_val_new_stored() count too. */
enum { GEN_VAL_MAX = 1 << 20 };
void gen_fail_val(unsigned n);

#endif
