/* test_coast_reader.c - GSHHG files, good, forged and broken.
 *
 * Writes small files of two bins, each half the globe, one thing wrong in
 * each, and checks what the reader makes of them.
 */
#include "gshhg.h"

#include <CUnit/Basic.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEGMENTS = 4, POINTS = 10 };

/* Point count and level, as the file packs them. */
#define WORD(count_, level_) ((count_) << 9 | (level_) << 6 | 044)

struct forged {
    int32_t bin_minutes;
    int nbins;
    int32_t bin_first[4], bin_count[4];
    int32_t segment_first[SEGMENTS], segment_word[SEGMENTS];
    uint16_t lon[POINTS], lat[POINTS];
    const char *without; /* leave this array out */
    bool as_float;       /* fractions of a type that they cannot have */
    bool as_unsigned;    /* declared as what they are */
};

/* West of 180: a level 1 and a lake; east: a level 1 and a grounding line. */
static const struct forged good = {
    .bin_minutes = 10800,
    .nbins = 2,
    .bin_first = {0, 2},
    .bin_count = {2, 2},
    .segment_first = {0, 3, 5, 8},
    .segment_word = {WORD(3, 1), WORD(2, 2), WORD(3, 1), WORD(2, 6)},
    .lon = {0, 32768, 65535, 1, 2, 0, 13107, 65535, 7, 8},
    .lat = {0, 65535, 40000, 3, 4, 65535, 52428, 0, 9, 10},
};

static char path[] = "/tmp/coast-reader-XXXXXX";

static void put(hid_t file, const struct forged *f, const char *name,
                hid_t stored, hid_t memory, int n, const void *values)
{
    const hsize_t dim = (hsize_t)n;

    if (f->without != NULL && strcmp(f->without, name) == 0)
        return;
    hid_t space = H5Screate_simple(1, &dim, NULL);
    hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT,
                           H5P_DEFAULT);
    CU_ASSERT(H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >=
              0);
    H5Dclose(set);
    H5Sclose(space);
}

static void forge(const struct forged *f)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t i32 = H5T_NATIVE_INT32, as = H5T_STD_I16LE, from = H5T_NATIVE_INT16;

    if (f->as_float)
        as = H5T_IEEE_F32LE;
    else if (f->as_unsigned)
        as = H5T_STD_U16LE, from = H5T_NATIVE_UINT16;
    CU_ASSERT_FATAL(file >= 0);
    put(file, f, "Bin_size_in_minutes", i32, i32, 1, &f->bin_minutes);
    put(file, f, "Id_of_first_segment_in_a_bin", i32, i32, f->nbins,
        f->bin_first);
    put(file, f, "N_segments_in_a_bin", H5T_STD_I16LE, i32, f->nbins,
        f->bin_count);
    put(file, f, "Id_of_first_point_in_a_segment", i32, i32, SEGMENTS,
        f->segment_first);
    put(file, f, "Embedded_npts_levels_exit_entry_for_a_segment", i32, i32,
        SEGMENTS, f->segment_word);
    put(file, f, "Relative_longitude_from_SW_corner_of_bin", as, from, POINTS,
        f->lon);
    put(file, f, "Relative_latitude_from_SW_corner_of_bin", as, from, POINTS,
        f->lat);
    H5Fclose(file);
}

/* Reading fails, with one line that has `words` in it and leaves nothing. */
static void refuse(const char *name, const char *words)
{
    struct gshhg_shore shore;
    struct fault fault = {""};

    CU_ASSERT_EQUAL(gshhg_read(name, &shore, &fault), -1);
    CU_ASSERT_PTR_NULL(shore.points);
    if (strstr(fault.text, words) == NULL)
        printf("\n    got: %s\n    not: %s\n", fault.text, words);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault.text, words));
    CU_ASSERT_PTR_NULL(strchr(fault.text, '\n'));
}

static void refuse_forged(const struct forged *f, const char *words)
{
    forge(f);
    refuse(path, words);
}

static void expect_good(const struct gshhg_shore *shore)
{
    static const struct gshhg_point points[] = {
        {0.0, -90.0},  {90.00137, 90.0}, {180.0, 19.86496},
        {180.0, 90.0}, {216.0, 54.0},    {360.0, -90.0}};

    CU_ASSERT_EQUAL_FATAL(shore->nlines, 2);
    CU_ASSERT_EQUAL_FATAL(shore->npoints, 6);
    CU_ASSERT_EQUAL(shore->first[0], 0);
    CU_ASSERT_EQUAL(shore->first[1], 3);
    CU_ASSERT_EQUAL(shore->first[2], 6);
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_DOUBLE_EQUAL(shore->points[i].lon, points[i].lon, 1e-4);
        CU_ASSERT_DOUBLE_EQUAL(shore->points[i].lat, points[i].lat, 1e-4);
    }
    CU_ASSERT_STRING_EQUAL(shore->version, "unknown");
}

/* ---- tests ------------------------------------------------------------- */

/* Fractions are unsigned, whatever the file calls them. */
static void ocean_shore_is_read(void)
{
    struct forged f = good;

    for (int i = 0; i < 2; i++) {
        struct gshhg_shore shore;
        struct fault fault = {""};
        f.as_unsigned = i == 1;
        forge(&f);
        CU_ASSERT_EQUAL_FATAL(gshhg_read(path, &shore, &fault), 0);
        expect_good(&shore);
        gshhg_free(&shore);
        CU_ASSERT_PTR_NULL(shore.points);
    }
}

static void what_is_no_gshhg_is_refused(void)
{
    static const char *const arrays[] = {
        "Bin_size_in_minutes",
        "Id_of_first_segment_in_a_bin",
        "N_segments_in_a_bin",
        "Id_of_first_point_in_a_segment",
        "Embedded_npts_levels_exit_entry_for_a_segment",
        "Relative_longitude_from_SW_corner_of_bin",
        "Relative_latitude_from_SW_corner_of_bin"};

    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        struct forged f = good;
        f.without = arrays[i];
        refuse_forged(&f, arrays[i]);
    }
    struct forged f = good;
    f.as_float = true;
    refuse_forged(&f, "not an array of integers");

    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs("two bins walk into a file\n", file);
    fclose(file);
    refuse(path, "not a GSHHG file");
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    refuse(path, "not a GSHHG file");
    refuse("/tmp", "is a directory");
    refuse("/dev/null", "not a regular file");
    refuse("/tmp/no such file", "No such file");
    refuse("", "No such file");
}

static void truncated_files_are_refused(void)
{
    struct gshhg_shore shore;
    struct fault fault;

    forge(&good);
    int fd = open(path, O_RDWR);
    CU_ASSERT_FATAL(fd >= 0);
    off_t size = lseek(fd, 0, SEEK_END);
    for (off_t cut = size - 1; cut > 0; cut -= 97) {
        CU_ASSERT_EQUAL(ftruncate(fd, cut), 0);
        CU_ASSERT_EQUAL(gshhg_read(path, &shore, &fault), -1);
    }
    close(fd);
}

#define FORGE(change_, words_)       \
    do {                             \
        struct forged f = good;      \
        f.change_;                   \
        refuse_forged(&f, (words_)); \
    } while (0)

static void numbers_that_lie_are_refused(void)
{
    FORGE(bin_minutes = 0, "bins of 0 minutes");
    FORGE(bin_minutes = -60, "bins of -60 minutes");
    FORGE(bin_minutes = 7, "bins of 7 minutes");
    FORGE(bin_minutes = 21600, "bins of 21600 minutes");
    FORGE(bin_minutes = 5400, "do not make a globe");
    FORGE(nbins = 1, "do not make a globe");
    FORGE(bin_first[1] = 3, "bin 1 has segments");
    FORGE(bin_first[1] = -1, "bin 1 has segments");
    FORGE(bin_first[0] = INT32_MAX, "bin 0 has segments");
    FORGE(bin_count[0] = -1, "bin 0 has segments");
    FORGE(bin_count[0] = 32767, "bin 0 has segments");
    FORGE(bin_count[0] = 1, "do not add up");
    FORGE(segment_first[3] = 9, "segment 3 has points");
    FORGE(segment_first[0] = -1, "segment 0 has points");
    FORGE(segment_first[2] = INT32_MIN, "segment 2 has points");
    FORGE(segment_word[1] = WORD(0, 2), "segment 1 has points");
    FORGE(segment_word[1] = WORD(9, 2), "segment 1 has points");
    FORGE(segment_word[0] = -1, "segment 0 has points");
}

/* One long segment in every bin would multiply its points. */
static void shared_segments_do_not_multiply(void)
{
    struct forged f = good;

    f.segment_first[0] = 0;
    f.segment_word[0] = WORD(10, 1);
    f.bin_first[0] = f.bin_first[1] = 0;
    refuse_forged(&f, "do not add up");
}

static void a_file_without_shore_is_refused(void)
{
    struct forged f = good;

    f.segment_word[0] = WORD(3, 2);
    f.segment_word[2] = WORD(3, 5);
    refuse_forged(&f, "no ocean shoreline");
}

static void letters_name_installed_files(void)
{
    struct fault fault;
    char found[256], tiny[8];

    setenv("TRYGON_GSHHG_DIR", "/tmp/no such directory", 1);
    CU_ASSERT_EQUAL(gshhg_locate("h", found, sizeof found, &fault), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault.text, "gmt-gshhg-high"));
    CU_ASSERT_EQUAL(gshhg_locate("f", found, sizeof found, &fault), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault.text, "gmt-gshhg-full"));
    for (const char *c = "cli"; *c != '\0'; c++) {
        const char name[] = {*c, '\0'};
        CU_ASSERT_EQUAL(gshhg_locate(name, found, sizeof found, &fault), -1);
        CU_ASSERT_PTR_NOT_NULL(strstr(fault.text, "gmt-gshhg-low"));
    }
    unsetenv("TRYGON_GSHHG_DIR");
    CU_ASSERT_EQUAL(gshhg_locate("x", found, sizeof found, &fault), -1);
    CU_ASSERT_EQUAL(gshhg_locate("", found, sizeof found, &fault), -1);
    CU_ASSERT_EQUAL(gshhg_locate(path, tiny, sizeof tiny, &fault), -1);
    CU_ASSERT_EQUAL(gshhg_locate(path, found, sizeof found, &fault), 0);
    CU_ASSERT_STRING_EQUAL(found, path);
}

int main(void)
{
    int fd = mkstemp(path);

    if (fd < 0 || CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    close(fd);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    CU_pSuite s = CU_add_suite("coast reader", NULL, NULL);
    CU_ADD_TEST(s, ocean_shore_is_read);
    CU_ADD_TEST(s, what_is_no_gshhg_is_refused);
    CU_ADD_TEST(s, truncated_files_are_refused);
    CU_ADD_TEST(s, numbers_that_lie_are_refused);
    CU_ADD_TEST(s, shared_segments_do_not_multiply);
    CU_ADD_TEST(s, a_file_without_shore_is_refused);
    CU_ADD_TEST(s, letters_name_installed_files);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    unlink(path);
    return bad;
}
