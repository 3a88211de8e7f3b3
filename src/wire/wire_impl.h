/* wire_impl.h - what the files of the wire format share; for no other file. */
#ifndef TG_WIRE_WIRE_IMPL_H
#define TG_WIRE_WIRE_IMPL_H

#include "wire/coder.h"

void tg_code_ref(struct tg_coder *c, trygon_ref_t *ref);
void tg_code_value(struct tg_coder *c, struct tg_val **val);
void tg_code_item(struct tg_coder *c, struct tg_item *it);
void tg_code_items(struct tg_coder *c, struct tg_items *v);

/* Leases (wire_head.c). */
void tg_code_shape(struct tg_coder *c, struct tg_shape **shape);
void tg_code_demand(struct tg_coder *c, struct tg_msg_demand *m);
void tg_code_lease(struct tg_coder *c, struct tg_msg_lease *m);
void tg_code_refuse(struct tg_coder *c, struct tg_msg_refuse *m);
void tg_code_open(struct tg_coder *c, struct tg_msg_open *m);
void tg_code_table(struct tg_coder *c, struct tg_msg_table *m);

/* Names of actors (wire_name.c). */
void tg_code_name(struct tg_coder *c, struct tg_msg_name *m);
void tg_code_named(struct tg_coder *c, struct tg_msg_named *m);
void tg_code_create(struct tg_coder *c, struct tg_msg_create *m);
void tg_code_list(struct tg_coder *c, struct tg_msg_list *m);
void tg_code_rows(struct tg_coder *c, struct tg_msg_rows *m);

/* Objects in stores (wire_store.c). */
void tg_code_place(struct tg_coder *c, struct tg_place *at);
void tg_code_news(struct tg_coder *c, struct tg_msg_news *m);
void tg_code_fade(struct tg_coder *c, struct tg_msg_fade *m);
void tg_code_home(struct tg_coder *c, struct tg_msg_home *m);
void tg_code_forget(struct tg_coder *c, struct tg_msg_forget *m);
void tg_code_pull(struct tg_coder *c, struct tg_msg_pull *m);
void tg_code_data(struct tg_coder *c, struct tg_msg_data *m);

#endif
