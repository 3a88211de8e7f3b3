/* test_store_hdf5.c - tasks that use HDF5 themselves, on several threads, while
 * objects go to files and come back; and compressed files.
 */
#include <hdf5.h>

#include "large.h"

enum { ROUNDS = 12, EACH = 6 };

static int runs;          /* of the task, for each rank */
static atomic_int number; /* of this rank's next file */

/* ----- the user's own files ------------------------------------------------------- */

static bool write_own(const char *path, const void *data, hsize_t n)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk = 4096;
    bool good = H5Pset_chunk(list, 1, &chunk) >= 0;
    hid_t set = H5Dcreate2(file, "own", H5T_NATIVE_UINT8, space, H5P_DEFAULT,
                           list, H5P_DEFAULT);
    good = good && H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL,
                            H5P_DEFAULT, data) >= 0;
    good = H5Dclose(set) >= 0 && good;
    good = H5Pclose(list) >= 0 && good;
    good = H5Sclose(space) >= 0 && good;
    return H5Fclose(file) >= 0 && good;
}

static bool read_own(const char *path, void *data)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, "own", H5P_DEFAULT);
    bool good = H5Dread(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                        data) >= 0;
    good = H5Dclose(set) >= 0 && good;
    return H5Fclose(file) >= 0 && good;
}

/* Argument: a seed.  Files of its own by turns with objects that do not fit. */
static int uses_both(trygon_call_t *c)
{
    trygon_t *tg = trygon_call_runtime(c);
    int64_t seed = arg_int(c, 0);
    trygon_ref_t refs[EACH];
    char path[PATH];
    unsigned char data[50000];
    bool good = true;
    snprintf(path, sizeof path, "%s/own%d-%d", getenv("TRYGON_SPILL_DIR"),
             h_rank, atomic_fetch_add(&number, 1));
    for (int i = 0; i < EACH; i++)
        refs[i] = put_filled(tg, MiB, seed + i);
    for (int k = 0; k < ROUNDS && good; k++) {
        fill(data, sizeof data, seed + k);
        good = write_own(path, data, sizeof data);
        memset(data, 0, sizeof data);
        see(tg, refs[k % EACH], MiB, seed + k % EACH);
        good = good && read_own(path, data) &&
               is_filled(data, sizeof data, seed + k);
    }
    OK(trygon_ref_release(tg, EACH, refs));
    CHECK(unlink(path) == 0);
    return return_int(c, good);
}

static const struct h_fn fns[] = {LARGE_FNS, FN(uses_both), {NULL, NULL}};

static int both_driver(trygon_t *tg, void *arg)
{
    enum { MANY = 16, MOST = 64 };
    (void)arg;
    trygon_ref_t refs[MANY], tasks[MOST];
    int ntasks = runs * h_size;
    for (int i = 0; i < ntasks; i++)
        tasks[i] = call1(tg, "uses_both", i * 100);
    for (int i = 0; i < MANY; i++)
        refs[i] = put_filled(tg, MiB, 10000 + i);
    for (int i = 0; i < MANY; i++)
        see(tg, refs[i], MiB, 10000 + i);
    for (int i = 0; i < ntasks; i++)
        CHECK(take_int(tg, tasks[i]) == 1);
    for (int i = 0; i < MANY; i++)
        CHECK(looks_right(tg, NULL, refs[i], 10000 + i));
    trygon_store_stats_t s = stats_of(tg);
    CHECK(s.spilled_objects > 0 && s.restored_objects > 0);
    OK(trygon_ref_release(tg, MANY, refs));
    empties_everywhere(tg);
    return 0;
}

/* What is all the same takes next to nothing. */
static int same_driver(trygon_t *tg, void *arg)
{
    enum { MANY = 24 };
    (void)arg;
    trygon_ref_t refs[MANY];
    int files;
    char *data = malloc(MiB);
    for (int i = 0; i < MANY; i++) {
        memset(data, i, MiB);
        OK(trygon_put(tg, &TRYGON_BYTES(data, MiB), &refs[i]));
    }
    UNTIL(stats_of(tg).spilled_objects >= MANY - 10);
    int64_t bytes = on_disk(&files);
    CHECK(files >= 1 && bytes > 0 && bytes < MiB);
    for (int i = 0; i < MANY; i++) {
        trygon_value_t v = {0};
        memset(data, i, MiB);
        OK(trygon_get(tg, refs[i], TRYGON_FOREVER, &v));
        CHECK(v.size == MiB && memcmp(v.data, data, MiB) == 0);
        OK(trygon_value_release(tg, &v));
    }
    free(data);
    OK(trygon_ref_release(tg, MANY, refs));
    empties_everywhere(tg);
    return 0;
}

static void play_files(trygon_driver_fn driver)
{
    hbool_t safe = 0;
    if (H5is_library_threadsafe(&safe) >= 0 && safe)
        play(&(struct scene){.nodes = 2, .bytes = "8M", .own_dir = true}, fns,
             driver);
    else if (h_rank == 0)
        printf("(HDF5 is not thread-safe: not tried) ");
}

static void users_and_stores_files(void)
{
    runs = 4;
    play_files(both_driver);
}

static void compressed_files(void)
{
    runs = 1;
    setenv("TRYGON_SPILL_DEFLATE", "1", 1);
    play_files(same_driver);
    play_files(both_driver);
    unsetenv("TRYGON_SPILL_DEFLATE");
}

static const struct h_host_test tests[] = {
    HOST_TEST(users_and_stores_files),
    HOST_TEST(compressed_files),
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return h_host_main(argc, argv, MPI_THREAD_MULTIPLE, tests);
}
