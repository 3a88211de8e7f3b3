/* core_impl.h - what core.c and core_user.c share; for no other file. */
#ifndef TG_CORE_CORE_IMPL_H
#define TG_CORE_CORE_IMPL_H

#include "core/core.h"

/* The events of user code. */
int tg_core_user(struct tg_core *c, struct tg_event *ev);

#endif
