/* map.h - uthash, told what to do when there is no memory. */
#ifndef TG_CORE_MAP_H
#define TG_CORE_MAP_H

#include "base/assert.h"

#define uthash_fatal(msg_) tg_assert_failed(__FILE__, __LINE__, (msg_))
#include <uthash.h>
#include <utlist.h>

#endif
