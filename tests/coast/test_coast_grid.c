/* test_coast_grid.c - nodes, tiles, the command line and the output file. */
#include "common/output.h"
#include "grid.h"
#include "options.h"

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- grid -------------------------------------------------------------- */

static void steps_divide_half_a_turn(void)
{
    struct grid grid;
    int good = 0;

    for (int32_t step = -3; step <= 2 * GRID_HALF_TURN_MINUTES; step++)
        good += grid_init(&grid, step) == 0;
    CU_ASSERT_EQUAL(good, 60); /* divisors of 10800 */
    CU_ASSERT_EQUAL(grid_init(&grid, 7), -1);
    CU_ASSERT_EQUAL(grid_init(&grid, 60), 0);
    CU_ASSERT_EQUAL(grid.nlon, 360);
    CU_ASSERT_EQUAL(grid.nlat, 181);
    CU_ASSERT_EQUAL(grid_lon(&grid, 0), -180.0);
    CU_ASSERT_EQUAL(grid_lon(&grid, 359), 179.0);
    CU_ASSERT_EQUAL(grid_lat(&grid, 0), -90.0);
    CU_ASSERT_EQUAL(grid_lat(&grid, 180), 90.0);
    CU_ASSERT_EQUAL(grid_init(&grid, 1), 0);
    CU_ASSERT_EQUAL(grid_cells(&grid), 21600u * 10801u);
    CU_ASSERT_EQUAL(grid_lat(&grid, grid.nlat - 1), 90.0);
}

/* Every node is in one tile, and every tile passes the check. */
static void tile_once(int32_t step, double degrees)
{
    struct grid grid;
    struct fault fault;

    CU_ASSERT_EQUAL_FATAL(grid_init(&grid, step), 0);
    int32_t side = grid_tile_side(&grid, degrees);
    size_t area = (size_t)side * (size_t)side;
    float *all = calloc(grid_cells(&grid), sizeof *all);
    float *km = malloc(area * sizeof *km);
    CU_ASSERT_FATAL(all != NULL && km != NULL);
    for (size_t i = 0; i < grid_tile_count(&grid, side); i++) {
        struct grid_tile tile = grid_tile_at(&grid, side, i);
        CU_ASSERT_EQUAL(grid_tile_check(&tile, &fault), 0);
        for (size_t k = 0; k < area; k++)
            km[k] = (float)(i + 1);
        grid_tile_place(&grid, &tile, km, all);
    }
    size_t empty = 0;
    for (size_t k = 0; k < grid_cells(&grid); k++)
        empty += all[k] < 1.0f;
    CU_ASSERT_EQUAL(empty, 0);
    free(all);
    free(km);
}

static void tiles_cover_the_grid(void)
{
    tile_once(60, 10.0);
    tile_once(60, 7.0);
    tile_once(60, 180.0);
    tile_once(60, 0.001);
    tile_once(240, 50.0);
    tile_once(10800, 10.0);
    tile_once(30, 33.3);
}

static void forged_tiles_are_refused(void)
{
    struct grid grid;
    struct fault fault;

    CU_ASSERT_EQUAL_FATAL(grid_init(&grid, 60), 0);
    const struct grid_tile good = {grid, 10, 20, 5, 6};
    CU_ASSERT_EQUAL(grid_tile_check(&good, &fault), 0);
    const struct grid_tile bad[] = {
        {{7, 360, 181}, 10, 20, 5, 6}, {{60, 361, 181}, 10, 20, 5, 6},
        {{0, 0, 0}, 0, 0, 1, 1},       {grid, -1, 20, 5, 6},
        {grid, 177, 20, 5, 6},         {grid, 10, 355, 5, 6},
        {grid, 10, 20, 0, 6},          {grid, 10, 20, 5, -6},
        {grid, INT32_MAX, 20, 5, 6},   {grid, 10, 20, INT32_MAX, 6},
        {grid, 10, 20, 5, INT32_MAX},  {grid, INT32_MIN, INT32_MIN, 5, 6}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(grid_tile_check(&bad[i], &fault), -1);
}

/* ---- options ----------------------------------------------------------- */

/* Parse a command line of words; they are cut where the blanks are. */
static enum options_result parse(const char *line, struct options *options,
                                 char *words, struct fault *fault)
{
    char *argv[16] = {words};
    int argc = 0;

    strcpy(words, line);
    for (char *word = strtok(words, " "); word != NULL;
         word = strtok(NULL, " "))
        argv[argc++] = word;
    return options_parse(options, argc, argv, fault);
}

static void good_lines_are_understood(void)
{
    struct options o;
    struct fault fault;
    char words[256];

    CU_ASSERT_EQUAL(parse("coast", &o, words, &fault), OPTIONS_GOOD);
    CU_ASSERT_STRING_EQUAL(o.shoreline, "l");
    CU_ASSERT_EQUAL(o.grid.step_minutes, 60);
    CU_ASSERT_EQUAL(o.tile_side, 10);
    CU_ASSERT_PTR_NULL(o.grid_path);
    CU_ASSERT_PTR_NULL(o.map_path);
    CU_ASSERT_EQUAL(parse("coast --shoreline h --step=10 --tile 2.5 -o a.h5 "
                          "--png b.png",
                          &o, words, &fault),
                    OPTIONS_GOOD);
    CU_ASSERT_STRING_EQUAL(o.shoreline, "h");
    CU_ASSERT_EQUAL(o.grid.nlat, 1081);
    CU_ASSERT_EQUAL(o.tile_side, 15);
    CU_ASSERT_STRING_EQUAL(o.grid_path, "a.h5");
    CU_ASSERT_STRING_EQUAL(o.map_path, "b.png");
}

static void bad_lines_are_refused(void)
{
    static const char *const lines[][2] = {
        {"coast --step 7", "--step 7"},
        {"coast --step 0", "--step 0"},
        {"coast --step -60", "--step -60"},
        {"coast --step 60x", "--step 60x"},
        {"coast --step 1e9", "--step 1e9"},
        {"coast --step 99999999999999999999", "--step 999"},
        {"coast --step seven --step 60", "--step seven"},
        {"coast --tile 0", "--tile 0"},
        {"coast --tile -1", "--tile -1"},
        {"coast --tile 180.1", "--tile 180.1"},
        {"coast --tile nan", "--tile nan"},
        {"coast --tile inf", "--tile inf"},
        {"coast --tile ten", "--tile ten"},
        {"coast --step 1 --tile 0.01", "233301600 tiles"},
        {"coast --colour red", "--colour"},
        {"coast -x", "-x"},
        {"coast here", "here"},
        {"coast --step", "--step"},
        {"coast -o same --png same", "same"},
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct options o;
        struct fault fault = {""};
        char words[256];
        CU_ASSERT_EQUAL(parse(lines[i][0], &o, words, &fault), OPTIONS_BAD);
        CU_ASSERT_PTR_NOT_NULL(strstr(fault.text, lines[i][1]));
    }
}

/* ---- output ------------------------------------------------------------ */

static char dir[] = "/tmp/coast-output-XXXXXX";

static bool exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

static void files_appear_whole_or_not_at_all(void)
{
    struct output output;
    struct fault fault;
    char path[64];

    snprintf(path, sizeof path, "%s/a.h5", dir);
    CU_ASSERT_EQUAL(output_check(path, &fault), 0);
    CU_ASSERT_FALSE(exists(path));

    CU_ASSERT_EQUAL_FATAL(output_begin(&output, path, &fault), 0);
    CU_ASSERT_FALSE(exists(path));
    CU_ASSERT_TRUE(exists(output.temporary));
    output_abort(&output);
    CU_ASSERT_EQUAL(rmdir(dir), 0); /* nothing was left */
    CU_ASSERT_EQUAL(mkdir(dir, 0700), 0);

    CU_ASSERT_EQUAL_FATAL(output_begin(&output, path, &fault), 0);
    CU_ASSERT_EQUAL(output_commit(&output, &fault), 0);
    output_abort(&output);
    CU_ASSERT_TRUE(exists(path));
    CU_ASSERT_EQUAL(output_check(path, &fault), 0); /* may be replaced */
    CU_ASSERT_TRUE(exists(path));
    CU_ASSERT_EQUAL(unlink(path), 0);
}

static void unwritable_places_are_refused(void)
{
    struct fault fault;
    char path[64];

    snprintf(path, sizeof path, "%s/none/a.h5", dir);
    CU_ASSERT_EQUAL(output_check(path, &fault), -1);
    CU_ASSERT_EQUAL(output_check(dir, &fault), -1);
    CU_ASSERT_EQUAL(output_check("", &fault), -1);
    CU_ASSERT_EQUAL(output_check("/dev/null", &fault), -1);
    CU_ASSERT_EQUAL(output_check("/proc/a.h5", &fault), -1);
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

int main(void)
{
    if (mkdtemp(dir) == NULL || CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("coast grid", NULL, NULL);
    CU_ADD_TEST(s, steps_divide_half_a_turn);
    CU_ADD_TEST(s, tiles_cover_the_grid);
    CU_ADD_TEST(s, forged_tiles_are_refused);
    CU_ADD_TEST(s, good_lines_are_understood);
    CU_ADD_TEST(s, bad_lines_are_refused);
    CU_ADD_TEST(s, files_appear_whole_or_not_at_all);
    CU_ADD_TEST(s, unwritable_places_are_refused);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}
