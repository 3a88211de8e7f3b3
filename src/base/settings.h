/* settings.h - what the environment says, and amounts of resources as text.
 *
 * One table holds every setting: its field, variable, kind, default, range and
 * what it is for.  The structure, the reading and the documentation are made
 * from it.  Nothing here touches the environment itself: the caller passes a
 * function, so that tests and a virtual cluster can answer for each rank.
 */
#ifndef TG_BASE_SETTINGS_H
#define TG_BASE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

enum {
    TG_SETTING_LEN = 64,    /* bytes of a text setting with its NUL */
    TG_SETTING_LONG = 4096, /* of one with directories */
    TG_AMOUNT_NAME = 64,    /* bytes of a resource's name with its NUL */
    TG_AMOUNTS_MAX = 14,    /* resources in one list, cpu apart */
    TG_AMOUNT_UNIT = 10000
};

/* An amount in 1/TG_AMOUNT_UNIT; of "memory" in bytes. */
struct tg_amount {
    char name[TG_AMOUNT_NAME];
    int64_t units;
};

struct tg_amounts {
    uint32_t n;
    struct tg_amount v[TG_AMOUNTS_MAX];
};

/* Kinds:  WHOLE    a whole number in [min, max]
 *         BITS     any 64 bits, decimal or 0x...: min and max have no meaning
 *         TEXT     min to max bytes
 *         PATHS    the same, longer: directories, separated by ':'
 *         BYTES    of memory: as in "512M"; min and max have no meaning
 *         AMOUNTS  "name=amount,...", at most max of them
 * An empty variable counts as not set.
 *
 *    field       variable             kind     default min max */
#define TG_SETTINGS(X_)                                                    \
    X_(num_cpus, "TRYGON_NUM_CPUS", WHOLE, "-1", -1, 65536,                \
       "CPU slots of each rank; -1: as many as the cores it may use")      \
    X_(head_slots, "TRYGON_HEAD_SLOTS", WHOLE, "-1", -1, 65536,            \
       "CPU slots of rank 0; -1: none with several ranks, all when alone") \
    X_(resources, "TRYGON_RESOURCES", AMOUNTS, "", 0, TG_AMOUNTS_MAX,      \
       "what else each rank offers, such as gpu=2,memory=8G,licence=1")    \
    X_(seed, "TRYGON_SEED", BITS, "0", 0, 0,                               \
       "seed of every random choice; 0: a fixed one")                      \
    X_(verbose, "TRYGON_VERBOSE", WHOLE, "0", 0, 2,                        \
       "log: 0 warnings, 1 also information, 2 also debug lines")          \
    X_(node_id, "TRYGON_NODE_ID", TEXT, "", 0, TG_SETTING_LEN - 1,         \
       "ranks with the same text count as one node; empty: by host")       \
    X_(store_bytes, "TRYGON_STORE_BYTES", BYTES, "0", 0, 0,                \
       "memory of each node for large objects; 0: 30 % of the node's")     \
    X_(spill_dir, "TRYGON_SPILL_DIR", PATHS, "", 0, TG_SETTING_LONG - 1,   \
       "where objects go that find no memory; empty: temporary directory") \
    X_(spill_deflate, "TRYGON_SPILL_DEFLATE", WHOLE, "0", 0, 9,            \
       "how hard HDF5 compresses them there; 0: not at all")               \
    X_(lineage_bytes, "TRYGON_LINEAGE_BYTES", BYTES, "0", 0, 0,            \
       "of tasks kept to make lost results again; 0: none is kept")

#define TG_SETTING_FIELD_WHOLE_(field_) int64_t field_;
#define TG_SETTING_FIELD_BITS_(field_) uint64_t field_;
#define TG_SETTING_FIELD_TEXT_(field_) char field_[TG_SETTING_LEN];
#define TG_SETTING_FIELD_PATHS_(field_) char field_[TG_SETTING_LONG];
#define TG_SETTING_FIELD_BYTES_(field_) uint64_t field_;
#define TG_SETTING_FIELD_AMOUNTS_(field_) struct tg_amounts field_;
#define TG_SETTING_FIELD_(field_, env_, kind_, default_, min_, max_, help_) \
    TG_SETTING_FIELD_##kind_##_(field_)

struct tg_settings {
    TG_SETTINGS(TG_SETTING_FIELD_)
};

enum tg_setting_kind {
    TG_SETTING_WHOLE = 1,
    TG_SETTING_BITS,
    TG_SETTING_TEXT,
    TG_SETTING_PATHS,
    TG_SETTING_BYTES,
    TG_SETTING_AMOUNTS
};

/* A row of the table, for those who print it. */
struct tg_setting {
    const char *field, *env;
    enum tg_setting_kind kind;
    const char *value; /* the default, as it would be typed */
    int64_t min, max;
    const char *help;
    size_t offset; /* in struct tg_settings */
};

/* Row i, or NULL behind the last. */
const struct tg_setting *tg_setting_at(size_t i);

/* Answers like getenv(): NULL when the variable is not set. */
typedef const char *(*tg_getenv_fn)(void *arg, const char *name);
/* The process's own; arg is ignored. */
const char *tg_getenv(void *arg, const char *name);

/* Fill *out with the defaults and what the environment says.  On
 * TRYGON_ERR_INVALID *out is untouched and err (size > 0) holds one line with
 * the variable, its value and what is expected. */
int tg_settings_read(tg_getenv_fn fn, void *arg, struct tg_settings *out,
                     char *err, size_t size);

/* Reads "gpu=2,memory=8G,licence=0.5"; empty text is an empty list.  Names have
 * letters, digits and _ - . and start with a letter; each comes once.
 * Memory is in bytes and takes K, M, G or T (powers of 1024). */
int tg_amounts_parse(const char *text, struct tg_amounts *out, char *err,
                     size_t size);

/* 1.0 becomes TG_AMOUNT_UNIT.  INVALID: negative, not a number, over 1e9, or
 * finer than 1/TG_AMOUNT_UNIT. */
int tg_amount_from_double(double amount, int64_t *out);

#endif
