/* map.h - uthash, told what to do when there is no memory, and with a hash
 * function of our own: keys are handles and references, whole words of which
 * a mix costs less than its default. */
#ifndef TG_CORE_MAP_H
#define TG_CORE_MAP_H

#include <string.h>

#include "base/assert.h"
#include "base/rng.h"

/* The key counts byte by byte, padding too; it is a number of whole words. */
static inline unsigned tg_map_hash(const void *key, size_t size)
{
    uint64_t h = 0, word;
    TG_ASSERT(size % sizeof word == 0);
    for (size_t at = 0; at < size; at += sizeof word) {
        memcpy(&word, (const char *)key + at, sizeof word);
        h = tg_mix64(h ^ word);
    }
    return (unsigned)h;
}

#define HASH_FUNCTION(key_, size_, hash_) \
    ((hash_) = tg_map_hash((key_), (size_)))
#define uthash_fatal(msg_) tg_assert_failed(__FILE__, __LINE__, (msg_))
#include <uthash.h>
#include <utlist.h>

#endif
