/* wire.h - messages as bytes.
 *
 * Little-endian, no padding: doc/wire.md has the layout.  A message is a body
 * and attachments: values above TG_WIRE_EMBED bytes are not copied into the
 * body, their bytes travel on their own, and so do those of a DATA.  Decode checks everything and never
 * trusts a length: bad bytes give TRYGON_ERR_INVALID and nothing allocated.
 * A message has one encoding only: what decodes, encodes to the same bytes.
 */
#ifndef TG_WIRE_WIRE_H
#define TG_WIRE_WIRE_H

#include "base/mem.h"
#include "core/msg.h"

enum { TG_WIRE_EMBED = 1024 };

/* The largest value, so that no sum of sizes overflows. */
#define TG_WIRE_SIZE_MAX (UINT64_C(1) << 48)

/* Change it with the layout; the ranks compare it when they start. */
#define TG_WIRE_VERSION 9u

/* The bytes that travel apart, in the order of the body.  On the way out they
 * are those of the message; on the way in the memory of its values, still to be
 * filled, or NULL: the bytes of a DATA are not the message's, and the receiver
 * says where they go. */
struct tg_piece {
    void *at;
    uint64_t size; /* not 0 */
};
struct tg_attached {
    struct tg_piece *v;
    uint32_t n, cap;
};
void tg_attached_fini(struct tg_attached *a); /* not the bytes */

/* Append m's body to out (out->n grows) and its attachments to att; m stays as
 * it is, but they point into it.  A message that no decode would take is a bug
 * of the caller: it fails an assertion. */
void tg_wire_encode(struct tg_msg *m, struct tg_bytes *out,
                    struct tg_attached *att);

/* Read one body of exactly n bytes.  On success *m owns what it points to, and
 * its attachments, appended to att, have allocated but unfilled data.  When
 * there were any, ask tg_wire_complete() once they are filled.  Small values
 * come from vals, if it is not NULL.
 * Errors: INVALID (bad bytes), NOMEM (for a value); then *m owns nothing and
 * att is as before. */
int tg_wire_decode(const unsigned char *p, size_t n, struct tg_vals *vals,
                   struct tg_msg *m, struct tg_attached *att);

/* Whether the bytes that came apart are good too: trygon looks into those of
 * errors.  If not, drop the message, as after INVALID, with tg_msg_fini(). */
bool tg_wire_complete(const struct tg_msg *m);

#endif
