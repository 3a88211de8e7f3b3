/* test_settings.c - the settings table and amounts, good and bad. */
#include "base/settings.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <trygon/types.h>

/* An environment of "NAME=value" lines that ends with NULL. */
static const char *lookup(void *arg, const char *name)
{
    size_t n = strlen(name);
    for (const char *const *e = arg; *e != NULL; e++) {
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return *e + n + 1;
    }
    return NULL;
}

static int read_env(const char **env, struct tg_settings *s, char *err,
                    size_t size)
{
    err[0] = '\0';
    return tg_settings_read(lookup, env, s, err, size);
}

static void defaults_hold_without_environment(void)
{
    const char *env[] = {"TRYGON_NUM_CPUS=", "PATH=/bin", NULL};
    struct tg_settings s;
    char err[256];
    CU_ASSERT_EQUAL_FATAL(read_env(env, &s, err, sizeof err), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(s.num_cpus, -1);
    CU_ASSERT_EQUAL(s.head_slots, -1);
    CU_ASSERT_EQUAL(s.resources.n, 0);
    CU_ASSERT_EQUAL(s.seed, 0);
    CU_ASSERT_EQUAL(s.verbose, 0);
    CU_ASSERT_STRING_EQUAL(s.node_id, "");
    CU_ASSERT_EQUAL(s.store_bytes, 0);
    CU_ASSERT_STRING_EQUAL(s.spill_dir, "");
    CU_ASSERT_EQUAL(s.spill_deflate, 0);
    CU_ASSERT_EQUAL(s.lineage_bytes, 0);
}

static void environment_is_read(void)
{
    const char *env[] = {"TRYGON_NUM_CPUS=4",
                         "TRYGON_HEAD_SLOTS=0",
                         "TRYGON_RESOURCES=gpu=2,memory=8G,licence=0.25",
                         "TRYGON_SEED=0xffffffffffffffff",
                         "TRYGON_VERBOSE=2",
                         "TRYGON_NODE_ID=left",
                         "TRYGON_STORE_BYTES=512M",
                         "TRYGON_SPILL_DIR=/scratch:/tmp",
                         "TRYGON_SPILL_DEFLATE=9",
                         "TRYGON_LINEAGE_BYTES=1G",
                         NULL};
    struct tg_settings s;
    char err[256];
    CU_ASSERT_EQUAL_FATAL(read_env(env, &s, err, sizeof err), TRYGON_SUCCESS);
    CU_ASSERT_EQUAL(s.num_cpus, 4);
    CU_ASSERT_EQUAL(s.head_slots, 0);
    CU_ASSERT_EQUAL(s.seed, UINT64_MAX);
    CU_ASSERT_EQUAL(s.verbose, 2);
    CU_ASSERT_STRING_EQUAL(s.node_id, "left");
    CU_ASSERT_EQUAL(s.store_bytes, UINT64_C(512) << 20);
    CU_ASSERT_STRING_EQUAL(s.spill_dir, "/scratch:/tmp");
    CU_ASSERT_EQUAL(s.spill_deflate, 9);
    CU_ASSERT_EQUAL(s.lineage_bytes, UINT64_C(1) << 30);
    CU_ASSERT_EQUAL_FATAL(s.resources.n, 3);
    CU_ASSERT_STRING_EQUAL(s.resources.v[0].name, "gpu");
    CU_ASSERT_EQUAL(s.resources.v[0].units, 20000);
    CU_ASSERT_STRING_EQUAL(s.resources.v[1].name, "memory");
    CU_ASSERT_EQUAL(s.resources.v[1].units, INT64_C(8) << 30);
    CU_ASSERT_EQUAL(s.resources.v[2].units, 2500);
}

static void wrong_values_are_named(void)
{
    static const struct {
        const char *line, *err;
    } t[] = {
        {"TRYGON_NUM_CPUS=four", "TRYGON_NUM_CPUS=\"four\": expected a whole "
                                 "number from -1 to 65536"},
        {"TRYGON_NUM_CPUS=4 ", NULL},
        {"TRYGON_NUM_CPUS=+4", NULL},
        {"TRYGON_NUM_CPUS=--4", NULL},
        {"TRYGON_NUM_CPUS=-", NULL},
        {"TRYGON_NUM_CPUS=2.5", NULL},
        {"TRYGON_NUM_CPUS=-2", NULL},
        {"TRYGON_NUM_CPUS=65537", NULL},
        {"TRYGON_NUM_CPUS=99999999999999999999", NULL},
        {"TRYGON_VERBOSE=3",
         "TRYGON_VERBOSE=\"3\": expected a whole number from 0 to 2"},
        {"TRYGON_SEED=-1", NULL},
        {"TRYGON_SEED=0x", NULL},
        {"TRYGON_SEED=18446744073709551616",
         "TRYGON_SEED=\"18446744073709551616\": expected a whole number below "
         "2^64, or 0x and hexadecimal digits"},
        {"TRYGON_RESOURCES=gpu",
         "TRYGON_RESOURCES=\"gpu\": \"gpu\": expected name=amount"},
        {"TRYGON_RESOURCES=cpu=3",
         "TRYGON_RESOURCES=\"cpu=3\": cpu is set by TRYGON_NUM_CPUS"},
        {"TRYGON_STORE_BYTES=lots",
         "TRYGON_STORE_BYTES=\"lots\": expected a number, with K, M, G or T "
         "if need be"},
        {"TRYGON_STORE_BYTES=-1", "TRYGON_STORE_BYTES=\"-1\" is negative"},
        {"TRYGON_STORE_BYTES=1.5K1", NULL},
        {"TRYGON_SPILL_DEFLATE=10",
         "TRYGON_SPILL_DEFLATE=\"10\": expected a whole number from 0 to 9"},
        {"TRYGON_NODE_ID=0123456789012345678901234567890123456789"
         "012345678901234567890123",
         "TRYGON_NODE_ID=\"0123456789012345678901234567890123456789...\": "
         "expected at most 63 bytes"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        const char *env[] = {t[i].line, NULL};
        struct tg_settings s, before;
        memset(&s, 0x5a, sizeof s);
        before = s;
        char err[256];
        CU_ASSERT_EQUAL(read_env(env, &s, err, sizeof err), TRYGON_ERR_INVALID);
        CU_ASSERT_EQUAL(memcmp(&s, &before, sizeof s), 0);
        CU_ASSERT_EQUAL(strncmp(err, t[i].line,
                                (size_t)(strchr(t[i].line, '=') - t[i].line)),
                        0);
        if (t[i].err != NULL && strcmp(err, t[i].err) != 0) {
            printf("\n  got  %s\n  want %s\n", err, t[i].err);
            CU_FAIL("another text");
        }
    }
}

static void the_table_is_complete(void)
{
    size_t n = 0;
    const struct tg_setting *row;
    while ((row = tg_setting_at(n)) != NULL) {
        CU_ASSERT_EQUAL(strncmp(row->env, "TRYGON_", 7), 0);
        CU_ASSERT(strlen(row->help) > 10);
        n++;
    }
    CU_ASSERT_EQUAL(n, 10);
}

static void good_amounts(void)
{
    static const struct {
        const char *text;
        int64_t units;
    } t[] = {
        {"x=0", 0},
        {"x=1", 10000},
        {"x=0.0001", 1},
        {"x=0.3", 3000},
        {"x=12.50000", 125000},
        {"x=000000000000000000000001", 10000},
        {"x=1000000000", INT64_C(10000000000000)},
        {"a-b_c.d9=2", 20000},
        {"memory=1", 1},
        {"memory=1K", 1024},
        {"memory=3M", 3 << 20},
        {"memory=1.5G", INT64_C(3) << 29},
        {"memory=2T", INT64_C(2) << 40},
        {"memory=1048576T", INT64_C(1) << 60},
        {"memory=1152921504606846976", INT64_C(1) << 60},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct tg_amounts a;
        char err[256] = "";
        int rc = tg_amounts_parse(t[i].text, &a, err, sizeof err);
        if (rc != TRYGON_SUCCESS || a.n != 1 || a.v[0].units != t[i].units) {
            printf("\n  %s: %d %s\n", t[i].text, rc, err);
            CU_FAIL("not read as it should be");
        }
    }
    struct tg_amounts none;
    char err[8];
    CU_ASSERT_EQUAL(tg_amounts_parse("", &none, err, sizeof err), 0);
    CU_ASSERT_EQUAL(none.n, 0);
}

static void bad_amounts(void)
{
    static const struct {
        const char *text, *word; /* which the reason must contain */
    } t[] = {
        {"x=-1", "negative"},
        {"memory=-1G", "negative"},
        {"x=0.00001", "finer"},
        {"x=0.00000001", "finer"},
        {"memory=0.5", "finer than a byte"},
        {"x=1000000001", "more than can be"},
        {"x=1000000000.5", "more than can be"},
        {"x=99999999999999999999999999", "more than can be"},
        {"memory=1048577T", "more than can be"},
        {"memory=99999999999999999999999999K", "more than can be"},
        {"x=8G", "only memory"},
        {"memory=8g", "expected a number"},
        {"memory=8GB", "expected a number"},
        {"x=", "expected a number"},
        {"x=.", "expected a number"},
        {"x=.5", "expected a number"},
        {"x=5.", "expected a number"},
        {"x=1e3", "expected a number"},
        {"x=1=2", "expected a number"},
        {"x= 1", "expected a number"},
        {"x=nan", "expected a number"},
        {"=1", "name"},
        {" x=1", "name"},
        {"9x=1", "name"},
        {"x y=1", "name"},
        {"x=1,", "last comma"},
        {"x=1,,y=2", "expected name=amount"},
        {",x=1", "expected name=amount"},
        {"x=1,y=2,x=3", "twice"},
        {"a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1",
         "more than 14"},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl=1",
         "name"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct tg_amounts a;
        char err[256] = "";
        int rc = tg_amounts_parse(t[i].text, &a, err, sizeof err);
        if (rc != TRYGON_ERR_INVALID || strstr(err, t[i].word) == NULL) {
            printf("\n  %s: %d %s\n", t[i].text, rc, err);
            CU_FAIL("not refused as it should be");
        }
    }
    char endless[1000];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    struct tg_amounts a;
    char err[16];
    CU_ASSERT_EQUAL(tg_amounts_parse(endless, &a, err, sizeof err),
                    TRYGON_ERR_INVALID);
}

static void amounts_from_doubles(void)
{
    int64_t n = -7;
    for (int64_t k = 0; k <= 10000; k++) {
        CU_ASSERT_EQUAL(tg_amount_from_double((double)k / 10000.0, &n), 0);
        CU_ASSERT_EQUAL(n, k);
        CU_ASSERT_EQUAL(tg_amount_from_double((double)k * 0.0001, &n), 0);
        CU_ASSERT_EQUAL(n, k);
    }
    CU_ASSERT_EQUAL(tg_amount_from_double(0.1 + 0.2, &n), 0);
    CU_ASSERT_EQUAL(n, 3000);
    CU_ASSERT_EQUAL(tg_amount_from_double(1e9, &n), 0);
    CU_ASSERT_EQUAL(n, INT64_C(10000000000000));

    const double bad[] = {
        -1.0, -1e-300, (double)NAN, (double)INFINITY, -(double)INFINITY,
        2e9,  0.00005, 0.33333,     1e-300,           1.0 / 3,
    };
    n = -7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(tg_amount_from_double(bad[i], &n), TRYGON_ERR_INVALID);
    CU_ASSERT_EQUAL(n, -7);
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("settings", NULL, NULL);
    CU_ADD_TEST(s, defaults_hold_without_environment);
    CU_ADD_TEST(s, environment_is_read);
    CU_ADD_TEST(s, wrong_values_are_named);
    CU_ADD_TEST(s, the_table_is_complete);
    CU_ADD_TEST(s, good_amounts);
    CU_ADD_TEST(s, bad_amounts);
    CU_ADD_TEST(s, amounts_from_doubles);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}
