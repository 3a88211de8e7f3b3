/* settings.c - see settings.h. */
#include "base/settings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/types.h>

/* More of anything than this is a slip of the pen; memory: 1 EiB. */
static const int64_t amount_max = INT64_C(1000000000);
static const int64_t memory_max = INT64_C(1) << 60;

#define ROW(field_, env_, kind_, default_, min_, max_, help_) \
    {#field_,                                                 \
     env_,                                                    \
     TG_SETTING_##kind_,                                      \
     default_,                                                \
     min_,                                                    \
     max_,                                                    \
     help_,                                                   \
     offsetof(struct tg_settings, field_)},
static const struct tg_setting table[] = {TG_SETTINGS(ROW)};
#undef ROW

static const size_t nrows = sizeof table / sizeof table[0];

const struct tg_setting *tg_setting_at(size_t i)
{
    return i < nrows ? &table[i] : NULL;
}

/* ----- errors ------------------------------------------------------------- */

/* Writes the reason and returns INVALID, so that callers can return it. */
__attribute__((format(printf, 3, 4))) static int refuse(char *err, size_t size,
                                                        const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(err, size, fmt, ap) < 0)
        err[0] = '\0';
    va_end(ap);
    return TRYGON_ERR_INVALID;
}

/* ----- numbers ------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int digit_of(char c, unsigned base)
{
    int d = -1;
    if (is_digit(c))
        d = c - '0';
    else if (c >= 'a' && c <= 'f')
        d = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
        d = c - 'A' + 10;
    return d >= 0 && (unsigned)d < base ? d : -1;
}

/* All of text is one number that fits; own code, since strtoull() takes
 * leading spaces, signs and the locale's habits. */
static bool read_bits(const char *text, uint64_t *out)
{
    unsigned base = 10;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    uint64_t n = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        int d = digit_of(*text, base);
        if (d < 0 || n > (UINT64_MAX - (unsigned)d) / base)
            return false;
        n = n * base + (unsigned)d;
    }
    *out = n;
    return true;
}

static bool read_whole(const char *text, int64_t *out)
{
    bool minus = text[0] == '-';
    uint64_t n;
    if (!is_digit(text[minus]) || !read_bits(text + minus, &n) || n > INT64_MAX)
        return false;
    *out = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

/* ----- amounts ------------------------------------------------------------ */

int tg_amount_from_double(double amount, int64_t *out)
{
    if (!(amount >= 0 && amount <= (double)amount_max)) /* also not a number */
        return TRYGON_ERR_INVALID;

    /* 0.1 is not a tenth in binary: what rounding explains is forgiven, that
     * is two units in the last place of the product. */
    double scaled = amount * TG_AMOUNT_UNIT;
    int64_t units = (int64_t)(scaled + 0.5);
    double off = scaled - (double)units;
    if ((off < 0 ? -off : off) > scaled * 4.5e-16)
        return TRYGON_ERR_INVALID;
    *out = units;
    return TRYGON_SUCCESS;
}

/* A piece of the text that is being read, for messages. */
struct span {
    const char *at;
    int n;
};

/* The factor of a suffix of memory; 0 for a character that is none. */
static int64_t suffix_factor(char c)
{
    switch (c) {
    case 'K': return INT64_C(1) << 10;
    case 'M': return INT64_C(1) << 20;
    case 'G': return INT64_C(1) << 30;
    case 'T': return INT64_C(1) << 40;
    default: return 0;
    }
}

/* Reads digits, a point and digits as whole and millionths: exact, where a
 * double would not be.  Returns the number of bytes read, 0 if malformed. */
static int read_decimal(struct span s, int64_t *whole, int64_t *millionths,
                        bool *finer)
{
    int i = 0;
    int64_t scale = 1000000;
    *whole = *millionths = 0;
    *finer = false;
    for (; i < s.n && is_digit(s.at[i]); i++) /* stops short of overflow */
        *whole = *whole <= memory_max / 2 ? *whole * 10 + (s.at[i] - '0')
                                          : memory_max + 1;
    if (i == 0 || i == s.n || s.at[i] != '.')
        return i;
    int first = ++i;
    for (; i < s.n && is_digit(s.at[i]); i++) {
        scale /= 10;
        *millionths += (s.at[i] - '0') * scale;
        *finer |= scale == 0 && s.at[i] != '0';
    }
    return i == first ? 0 : i;
}

/* The amount times factor, which must come out even.  Nothing overflows: the
 * factor is at most 2^40 and the caller has looked at whole. */
static bool scale_amount(int64_t whole, int64_t millionths, int64_t factor,
                         int64_t *out)
{
    int64_t part = millionths * factor;
    *out = whole * factor + part / 1000000;
    return part % 1000000 == 0;
}

static int amount_value(struct span item, struct span s, bool memory,
                        int64_t *out, char *err, size_t size)
{
    int64_t whole, millionths;
    bool finer;
    if (s.n > 0 && s.at[0] == '-')
        return refuse(err, size, "\"%.*s\" is negative", item.n, item.at);
    int used = read_decimal(s, &whole, &millionths, &finer);
    int64_t factor = memory ? 1 : TG_AMOUNT_UNIT;
    if (used > 0 && used == s.n - 1 && suffix_factor(s.at[used]) != 0) {
        if (!memory)
            return refuse(err, size, "\"%.*s\": only memory takes K, M, G, T",
                          item.n, item.at);
        factor = suffix_factor(s.at[used++]);
    }
    if (used == 0 || used != s.n)
        return refuse(err, size, "\"%.*s\": expected a number%s", item.n,
                      item.at, memory ? ", with K, M, G or T if need be" : "");
    if (whole > (memory ? memory_max / factor : amount_max) ||
        (!memory && whole == amount_max && millionths > 0))
        return refuse(err, size, "\"%.*s\" is more than can be", item.n,
                      item.at);
    if (finer || !scale_amount(whole, millionths, factor, out))
        return refuse(err, size, "\"%.*s\" is finer than %s", item.n, item.at,
                      memory ? "a byte" : "1/10000");
    return TRYGON_SUCCESS;
}

static bool is_name(struct span s)
{
    for (int i = 0; i < s.n; i++) {
        char c = s.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || (!is_digit(c) && strchr("_-.", c) == NULL)))
            return false;
    }
    return s.n > 0 && s.n < TG_AMOUNT_NAME;
}

static int amount_item(struct span item, struct tg_amounts *out, char *err,
                       size_t size)
{
    const char *eq = memchr(item.at, '=', (size_t)item.n);
    if (eq == NULL)
        return refuse(err, size, "\"%.*s\": expected name=amount", item.n,
                      item.at);
    struct span name = {item.at, (int)(eq - item.at)};
    struct span value = {eq + 1, item.n - name.n - 1};
    if (!is_name(name))
        return refuse(err, size, "\"%.*s\" is not a resource's name", name.n,
                      name.at);
    if (out->n == TG_AMOUNTS_MAX)
        return refuse(err, size, "more than %d resources", TG_AMOUNTS_MAX);

    struct tg_amount *a = &out->v[out->n];
    memset(a, 0, sizeof *a);
    memcpy(a->name, name.at, (size_t)name.n);
    for (uint32_t i = 0; i < out->n; i++) {
        if (strcmp(out->v[i].name, a->name) == 0)
            return refuse(err, size, "\"%s\" comes twice", a->name);
    }
    int rc = amount_value(item, value, strcmp(a->name, "memory") == 0,
                          &a->units, err, size);
    if (rc == TRYGON_SUCCESS)
        out->n++;
    return rc;
}

int tg_amounts_parse(const char *text, struct tg_amounts *out, char *err,
                     size_t size)
{
    struct tg_amounts list;
    memset(&list, 0, sizeof list);
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        if (n > 200) /* no name and number are that long; keeps errors short */
            return refuse(err, size, "\"%.20s...\": expected name=amount",
                          text);
        int rc = amount_item((struct span){text, (int)n}, &list, err, size);
        if (rc != TRYGON_SUCCESS)
            return rc;
        text += n;
        if (*text == ',' && *++text == '\0')
            return refuse(err, size, "nothing follows the last comma");
    }
    *out = list;
    return TRYGON_SUCCESS;
}

/* ----- the table ---------------------------------------------------------- */

static int set_whole(const struct tg_setting *row, const char *text,
                     int64_t *field, char *err, size_t size)
{
    int64_t n;
    if (read_whole(text, &n) && n >= row->min && n <= row->max) {
        *field = n;
        return TRYGON_SUCCESS;
    }
    return refuse(err, size,
                  "%s=\"%.40s\": expected a whole number from %" PRId64
                  " to %" PRId64,
                  row->env, text, row->min, row->max);
}

static int set_bits(const struct tg_setting *row, const char *text,
                    uint64_t *field, char *err, size_t size)
{
    if (read_bits(text, field))
        return TRYGON_SUCCESS;
    return refuse(err, size,
                  "%s=\"%.40s\": expected a whole number below 2^64, or 0x "
                  "and hexadecimal digits",
                  row->env, text);
}

static int set_text(const struct tg_setting *row, const char *text, char *field,
                    char *err, size_t size)
{
    size_t n = strlen(text);
    if (n > (size_t)row->max || n < (size_t)row->min)
        return refuse(err, size, "%s=\"%.40s%s\": expected at most %d bytes",
                      row->env, text, n > 40 ? "..." : "", (int)row->max);
    memcpy(field, text, n + 1);
    return TRYGON_SUCCESS;
}

static int set_bytes(const struct tg_setting *row, const char *text,
                     uint64_t *field, char *err, size_t size)
{
    char why[160];
    size_t n = strlen(text);
    int64_t bytes = 0;
    struct span all = {text, (int)n};
    if (n > 60)
        return refuse(err, size, "%s=\"%.20s...\": expected a number", row->env,
                      text);
    int rc = amount_value(all, all, true, &bytes, why, sizeof why);
    if (rc != TRYGON_SUCCESS)
        return refuse(err, size, "%s=%s", row->env, why);
    *field = (uint64_t)bytes;
    return TRYGON_SUCCESS;
}

static int set_amounts(const struct tg_setting *row, const char *text,
                       struct tg_amounts *field, char *err, size_t size)
{
    struct tg_amounts list;
    char why[160];
    int rc = tg_amounts_parse(text, &list, why, sizeof why);
    for (uint32_t i = 0; rc == TRYGON_SUCCESS && i < list.n; i++) {
        if (strcmp(list.v[i].name, "cpu") == 0)
            rc = refuse(why, sizeof why, "cpu is set by TRYGON_NUM_CPUS");
    }
    if (rc == TRYGON_SUCCESS) {
        *field = list;
        return rc;
    }
    return refuse(err, size, "%s=\"%.60s%s\": %s", row->env, text,
                  strlen(text) > 60 ? "..." : "", why);
}

static int set_row(const struct tg_setting *row, const char *text,
                   struct tg_settings *s, char *err, size_t size)
{
    void *field = (unsigned char *)s + row->offset;
    switch (row->kind) {
    case TG_SETTING_WHOLE: return set_whole(row, text, field, err, size);
    case TG_SETTING_BITS: return set_bits(row, text, field, err, size);
    case TG_SETTING_TEXT:
    case TG_SETTING_PATHS: return set_text(row, text, field, err, size);
    case TG_SETTING_BYTES: return set_bytes(row, text, field, err, size);
    case TG_SETTING_AMOUNTS: return set_amounts(row, text, field, err, size);
    }
    return TRYGON_ERR_INVALID;
}

const char *tg_getenv(void *arg, const char *name)
{
    (void)arg;
    return getenv(name);
}

int tg_settings_read(tg_getenv_fn fn, void *arg, struct tg_settings *out,
                     char *err, size_t size)
{
    struct tg_settings s;
    memset(&s, 0, sizeof s);
    for (size_t i = 0; i < nrows; i++) {
        const char *text = fn(arg, table[i].env);
        if (text == NULL || *text == '\0')
            text = table[i].value;
        int rc = set_row(&table[i], text, &s, err, size);
        if (rc != TRYGON_SUCCESS)
            return rc;
    }
    *out = s;
    return TRYGON_SUCCESS;
}
