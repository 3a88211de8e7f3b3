/* test_spill.c - objects to files and back: what is in the files, for us and
 * for others' HDF5; forgetting; damage; threads.
 */
#include <hdf5.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/types.h"
#include "spilling.h"

/* ----- random objects ----------------------------------------------------- */

static const struct {
    const char *dtype; /* numpy's name */
    uint64_t size;
} types[] = {{"uint8", 1},      {"int8", 1},    {"uint8", 1},
             {"int16", 2},      {"uint16", 2},  {"int32", 4},
             {"uint32", 4},     {"int64", 8},   {"uint64", 8},
             {"float32", 4},    {"float64", 8}, {"complex64", 8},
             {"complex128", 16}};

enum { NTYPES = sizeof types / sizeof types[0], MIB = 1 << 20 };

static struct tg_spill_item random_item(struct tg_rng *rng, int64_t dims[])
{
    int32_t type = (int32_t)tg_rng_below(rng, NTYPES);
    int32_t ndim = type == TRYGON_BYTE ? 0 : (int32_t)tg_rng_below(rng, 9);
    uint64_t size = types[type].size;
    for (int32_t i = 0; i < ndim; i++) {
        dims[i] = (int64_t)tg_rng_below(rng, ndim < 4 ? 40 : 6);
        size *= (uint64_t)dims[i];
    }
    if (type == TRYGON_BYTE)
        size = tg_rng_below(rng, 100000);
    struct tg_spill_item it = new_item(rng, size);
    it.type = type;
    it.ndim = ndim;
    it.dims = dims;
    it.owner = (int32_t)tg_rng_below(rng, 1000);
    it.task = tg_rng_next(rng);
    it.function = "a function/with \"a name\"";
    it.ref =
        tg_ref_make(TRYGON_KIND_OBJECT, 1, it.owner, 5, UINT64_C(9) << 32 | 77);
    return it;
}

/* ----- other people's HDF5 ------------------------------------------------ */

static uint32_t crc32_of(const unsigned char *p, uint64_t n)
{
    uint32_t c = UINT32_MAX;
    for (uint64_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~c;
}

/* A python with h5py; NULL: there is none. */
static const char *python(void)
{
    static const char *const names[] = {"/usr/bin/python3", "python3"};
    for (size_t i = 0; i < 2; i++)
        if (shell("%s -c 'import h5py' 2>/dev/null", names[i]) == 0)
            return names[i];
    fprintf(stderr, "python3-h5py is not there: files are not read with it\n");
    return NULL;
}

static const char script[] =
    "import sys, zlib, h5py, numpy\n"
    "for path in sys.argv[1:]:\n"
    "    with h5py.File(path, 'r') as f:\n"
    "        for name in sorted(f):\n"
    "            d = f[name]; a = d.attrs; b = d[()].tobytes()\n"
    "            print(name, d.dtype.name, zlib.crc32(b), a['owner'],\n"
    "                  a['ref'].decode(), a['hash'].decode(),\n"
    "                  ','.join(map(str, d.shape)) + ';',\n"
    "                  a['function'].decode(), a['task'])\n";

/* The line that the script is to print. */
static void expected(const struct tg_spill_item *it, char *out, size_t n)
{
    char dims[256] = "";
    for (int32_t i = 0; i < it->ndim; i++)
        snprintf(dims + strlen(dims), sizeof dims - strlen(dims), "%s%" PRId64,
                 i > 0 ? "," : "", it->dims[i]);
    if (it->type == TRYGON_BYTE)
        snprintf(dims, sizeof dims, "%" PRIu64, it->size);
    snprintf(out, n,
             "%04" PRIu32 ".task%" PRIu64 " %s %" PRIu32 " %d %d.77.9.5 "
             "%s_%016" PRIx64 " %s; %s %" PRIu64 "\n",
             it->where.number, it->task, types[it->type].dtype,
             crc32_of(it->data, it->size), it->owner, it->owner,
             it->size <= MIB ? "XXH3" : "XXHM", it->where.hash, dims,
             it->function, it->task);
}

/* All of one file, in order. */
static void look_with_h5py(const char *file, uint32_t n,
                           const struct tg_spill_item items[])
{
    char line[2048], want[2048];
    const char *py = python();
    if (py == NULL)
        return;
    struct folder f = new_folder(), path = file_in(&f, "look.py");
    FILE *out = fopen(path.path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fputs(script, out);
    fclose(out);
    snprintf(line, sizeof line, "%s %s %s", py, path.path, file);
    FILE *in = popen(line, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    for (uint32_t i = 0; i < n; i++) {
        expected(&items[i], want, sizeof want);
        CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof line, in));
        CU_ASSERT_STRING_EQUAL(line, want);
    }
    CU_ASSERT_PTR_NULL(fgets(line, sizeof line, in));
    CU_ASSERT_EQUAL(pclose(in), 0);
    drop_folder(&f);
}

static void look_with_h5dump(const char *file)
{
    if (shell("command -v h5dump >/dev/null") != 0) {
        fprintf(stderr, "h5dump is not there: files are not read with it\n");
        return;
    }
    CU_ASSERT(shell("h5dump '%s' >/dev/null", file) == 0);
}

static void round_trip(int deflate)
{
    enum { N = 300 };
    struct folder f = new_folder();
    struct tg_rng rng = {(uint64_t)deflate + 1};
    static int64_t dims[N][TRYGON_MAX_DIMS];
    struct tg_spill_item items[N];
    struct tg_spill *s = new_spill(&(struct tg_spill_opts){
        .dirs = f.path, .job = JOB, .rank = 3, .deflate = deflate});
    for (int i = 0; i < N; i++)
        items[i] = random_item(&rng, dims[i]);
    write_ok(s, N, items);
    CU_ASSERT_EQUAL(tg_spill_files(s), 1);
    for (int i = 0; i < N; i++)
        CU_ASSERT(same_back(s, &items[i], &rng));

    /* The spill is alive. */
    struct folder d = job_dir(&f, JOB), file = file_in(&d, "rank3-1.h5");
    look_with_h5py(file.path, N, items);
    look_with_h5dump(file.path);

    struct stat st;
    CU_ASSERT(stat(d.path, &st) == 0 && (st.st_mode & 07777) == 0700);
    CU_ASSERT(stat(file.path, &st) == 0 && (st.st_mode & 07777) == 0600);
    struct folder lock = file_in(&d, "lock");
    CU_ASSERT(stat(lock.path, &st) == 0 && (st.st_mode & 07777) == 0600);
    tg_spill_destroy(&s);
    CU_ASSERT_PTR_NULL(s);
    CU_ASSERT_EQUAL(count_names(f.path), 0);
    free_items(items, N);
    drop_folder(&f);
}

static void objects_of_all_types_come_back(void)
{
    round_trip(0);
}

static void deflated_objects_come_back(void)
{
    round_trip(6);
}

/* Several chunks, and ends that are none. */
static void large_deflated_arrays_come_back(void)
{
    struct folder f = new_folder();
    struct tg_rng rng = {5};
    int64_t wide[] = {3, 200001}, deep[] = {3, 1000, 77, 5}, one[] = {2500001};
    struct tg_spill *s = new_spill(&(struct tg_spill_opts){
        .dirs = f.path, .job = JOB, .rank = 0, .deflate = 1});
    struct tg_spill_item items[] = {new_item(&rng, 3 * 200001 * 8),
                                    new_item(&rng, 3 * 1000 * 77 * 5 * 4),
                                    new_item(&rng, 2500001)};
    items[0].type = TRYGON_FLOAT64, items[0].ndim = 2, items[0].dims = wide;
    items[1].type = TRYGON_FLOAT32, items[1].ndim = 4, items[1].dims = deep;
    items[2].type = TRYGON_INT8, items[2].ndim = 1, items[2].dims = one;
    memset((void *)(uintptr_t)items[2].data, 'x', items[2].size);
    write_ok(s, 3, items);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(same_back(s, &items[i], &rng));
    tg_spill_destroy(&s);
    free_items(items, 3);
    drop_folder(&f);
}

/* A size that dims do not make; a type that there is not. */
static void odd_objects_become_bytes(void)
{
    struct folder f = new_folder();
    struct tg_rng rng = {6};
    int64_t dims[] = {3, 3}, huge[] = {INT64_MAX, INT64_MAX}, minus[] = {-4, 2};
    struct tg_spill *s = spill_in(&f, JOB, 0);
    struct tg_spill_item items[5];
    for (int i = 0; i < 5; i++) {
        items[i] = new_item(&rng, 40);
        items[i].type = TRYGON_INT32;
        items[i].ndim = 2;
        items[i].dims = dims;
    }
    items[1].dims = huge;
    items[2].dims = minus;
    items[3].type = 57;
    items[4].ndim = 0;
    write_ok(s, 5, items);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT(same_back(s, &items[i], &rng));
        items[i].type = TRYGON_BYTE;
        items[i].ref =
            tg_ref_make(TRYGON_KIND_OBJECT, 0, 0, 5, UINT64_C(9) << 32 | 77);
    }
    struct folder d = job_dir(&f, JOB), file = file_in(&d, "rank0-1.h5");
    CU_ASSERT(exists(file.path));
    free_items(items, 5);
    tg_spill_destroy(&s);
    drop_folder(&f);
}

/* ----- files -------------------------------------------------------------- */

static void a_file_has_2000_objects_at_most(void)
{
    enum { N = 4001 };
    struct folder f = new_folder();
    struct tg_rng rng = {7};
    struct tg_spill *s = spill_in(&f, JOB, 0);
    struct tg_spill_item *items = calloc(N, sizeof *items);
    CU_ASSERT_PTR_NOT_NULL_FATAL(items);
    for (int i = 0; i < N; i++)
        items[i] = new_item(&rng, 16);
    write_ok(s, N, items);
    CU_ASSERT_EQUAL(tg_spill_files(s), 3);
    CU_ASSERT_EQUAL(items[1999].where.file, 1);
    CU_ASSERT_EQUAL(items[2000].where.file, 2);
    CU_ASSERT_EQUAL(items[4000].where.file, 3);
    for (int i = 0; i < N; i++)
        CU_ASSERT(same_back(s, &items[i], &rng));
    tg_spill_destroy(&s);
    free_items(items, N);
    free(items);
    drop_folder(&f);
}

static void a_file_is_closed_when_it_is_large_enough(void)
{
    enum { N = 6 };
    struct folder f = new_folder();
    struct tg_rng rng = {8};
    struct tg_spill_item items[N];
    struct tg_spill *s = new_spill(&(struct tg_spill_opts){
        .dirs = f.path, .job = JOB, .file_min = 250000});
    for (int i = 0; i < N; i++)
        items[i] = new_item(&rng, 100000);
    write_ok(s, N, items);
    CU_ASSERT_EQUAL(items[2].where.file, 1);
    CU_ASSERT_EQUAL(items[3].where.file, 2);
    CU_ASSERT_EQUAL(tg_spill_files(s), 2);
    for (int i = 0; i < N; i++)
        tg_spill_forget(s, &items[i].where);
    CU_ASSERT_EQUAL(tg_spill_files(s), 0);
    tg_spill_destroy(&s);
    free_items(items, N);
    drop_folder(&f);
}

static uint64_t blocks_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static void the_dead_give_their_space_back(void)
{
    enum { N = 4, SIZE = 1 << 20, SLACK = 65536 }; /* lists of holes */
    struct folder f = new_folder();
    struct tg_rng rng = {9};
    struct tg_spill_item items[N];
    struct tg_spill *s = spill_in(&f, JOB, 0);
    for (int i = 0; i < N; i++)
        items[i] = new_item(&rng, SIZE);
    write_ok(s, N, items);
    struct folder d = job_dir(&f, JOB), file = file_in(&d, "rank0-1.h5");
    uint64_t before = blocks_of(file.path);
    CU_ASSERT(before >= N * SIZE);
    tg_spill_forget(s, &items[1].where);
    CU_ASSERT(blocks_of(file.path) <= before - SIZE + SLACK);
    tg_spill_forget(s, &items[2].where);
    CU_ASSERT(blocks_of(file.path) <= before - 2 * SIZE + SLACK);
    CU_ASSERT(same_back(s, &items[0], &rng));
    CU_ASSERT(same_back(s, &items[3], &rng));
    CU_ASSERT_EQUAL(tg_spill_files(s), 1);
    tg_spill_forget(s, &items[0].where);
    tg_spill_forget(s, &items[3].where);
    CU_ASSERT(!exists(file.path));
    CU_ASSERT_EQUAL(tg_spill_files(s), 0);
    CU_ASSERT(read_fails(s, &items[0], "rank0-1.h5"));
    tg_spill_forget(s, &(struct tg_spilled){0}); /* nowhere */
    tg_spill_destroy(&s);
    free_items(items, N);
    drop_folder(&f);
}

/* Of one MiB and less it is that of the bytes, else that of the MiBs' hashes. */
static void objects_have_hashes(void)
{
    struct folder f = new_folder();
    struct tg_rng rng = {13};
    struct tg_spill *s = spill_in(&f, JOB, 0);
    struct tg_spill_item items[] = {new_item(&rng, MIB),
                                    new_item(&rng, 2 * MIB + 5)};
    items[0].ref = items[1].ref =
        tg_ref_make(TRYGON_KIND_OBJECT, 1, 0, 5, UINT64_C(9) << 32 | 77);
    const unsigned char *p = items[1].data;
    uint64_t three[] = {XXH3_64bits(p, MIB), XXH3_64bits(p + MIB, MIB),
                        XXH3_64bits(p + 2 * MIB, 5)};
    write_ok(s, 2, items);
    CU_ASSERT_EQUAL(items[0].where.hash, XXH3_64bits(items[0].data, MIB));
    CU_ASSERT_EQUAL(items[1].where.hash, XXH3_64bits(three, sizeof three));
    struct folder d = job_dir(&f, JOB), file = file_in(&d, "rank0-1.h5");
    look_with_h5py(file.path, 2, items);
    tg_spill_destroy(&s);
    free_items(items, 2);
    drop_folder(&f);
}

static bool part_fails(struct tg_spill *s, const struct tg_spill_item *it,
                       uint64_t from, uint64_t n)
{
    static unsigned char out[3000000];
    char why[WHY] = "";
    int rc = tg_spill_read(s, &it->where, from, n, out, why, sizeof why);
    if (rc == TRYGON_SUCCESS) {
        CU_ASSERT(memcmp(out, (const unsigned char *)it->data + from, n) == 0);
    } else {
        CU_ASSERT_EQUAL(rc, TRYGON_ERR_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, "object 0 is damaged"));
    }
    return rc != TRYGON_SUCCESS;
}

/* Of an object whose second MiB is wrong. */
static void look_at_parts(struct tg_spill *s, const struct tg_spill_item *it)
{
    CU_ASSERT(part_fails(s, it, MIB, MIB));
    CU_ASSERT(part_fails(s, it, MIB + 10, 1));
    CU_ASSERT(part_fails(s, it, MIB - 1, 2));
    CU_ASSERT(part_fails(s, it, 2 * MIB - 1, 2));
    CU_ASSERT(part_fails(s, it, 0, it->size));
    CU_ASSERT(!part_fails(s, it, 0, MIB));
    CU_ASSERT(!part_fails(s, it, 2 * MIB, it->size - 2 * MIB));
    CU_ASSERT(!part_fails(s, it, 2 * MIB + 7, 100));
    CU_ASSERT(!part_fails(s, it, it->size - 1, 1));
    CU_ASSERT(!part_fails(s, it, it->size, 0));
}

static void turn_bit(int fd, off_t at)
{
    unsigned char byte;
    CU_ASSERT(pread(fd, &byte, 1, at) == 1);
    byte ^= 4;
    CU_ASSERT(pwrite(fd, &byte, 1, at) == 1);
}

static void damage_is_noticed(void)
{
    struct folder f = new_folder();
    struct tg_rng rng = {10};
    struct tg_spill *s = spill_in(&f, JOB, 0);
    struct tg_spill_item items[] = {new_item(&rng, 3000000),
                                    new_item(&rng, 100)};
    write_ok(s, 2, items);
    struct folder d = job_dir(&f, JOB), file = file_in(&d, "rank0-1.h5");
    int fd = open(file.path, O_RDWR);
    turn_bit(fd, (off_t)items[0].where.at + 1234567);
    CU_ASSERT(read_fails(s, &items[0], "rank0-1.h5: object 0 is damaged"));
    look_at_parts(s, &items[0]);
    CU_ASSERT(same_back(s, &items[1], &rng));
    CU_ASSERT(ftruncate(fd, (off_t)items[0].where.at + 1) == 0);
    CU_ASSERT(read_fails(s, &items[0], "rank0-1.h5: ends early"));
    close(fd);
    tg_spill_destroy(&s);
    free_items(items, 2);
    drop_folder(&f);
}

/* HDF5 reads bytes that hash to something else. */
static void damage_of_deflated_objects_is_noticed(void)
{
    struct folder f = new_folder();
    struct tg_rng rng = {14};
    struct tg_spill *s = new_spill(
        &(struct tg_spill_opts){.dirs = f.path, .job = JOB, .deflate = 1});
    struct tg_spill_item it = new_item(&rng, 3000000);
    write_ok(s, 1, &it);
    struct folder d = job_dir(&f, JOB), file = file_in(&d, "rank0-1.h5");
    hid_t h = H5Fopen(file.path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t set = H5Dopen2(h, "0000.task0", H5P_DEFAULT);
    hid_t all = H5Dget_space(set);
    hsize_t at = 1234567, one = 1;
    unsigned char byte = ((const unsigned char *)it.data)[at] ^ 4;
    hid_t memory = H5Screate_simple(1, &one, NULL);
    CU_ASSERT(H5Sselect_hyperslab(all, H5S_SELECT_SET, &at, NULL, &one, NULL) >=
              0);
    CU_ASSERT(
        H5Dwrite(set, H5T_NATIVE_UINT8, memory, all, H5P_DEFAULT, &byte) >= 0);
    CU_ASSERT(H5Sclose(memory) >= 0 && H5Sclose(all) >= 0);
    CU_ASSERT(H5Dclose(set) >= 0 && H5Fclose(h) >= 0);
    look_at_parts(s, &it);
    tg_spill_destroy(&s);
    free_items(&it, 1);
    drop_folder(&f);
}

/* ----- threads ------------------------------------------------------------ */

struct crowd {
    struct tg_spill *spill;
    struct folder folder;
    atomic_bool stop;
    atomic_int bad, spilled, written;
    atomic_int next;
};

/* As user code: datasets of its own in files of its own, and errors that it
 * expects and whose report is its own. */
static bool use_hdf5(const struct crowd *c, int me, int round)
{
    char name[64];
    snprintf(name, sizeof name, "user%d-%d.h5", me, round % 4);
    struct folder path = file_in(&c->folder, name);
    int data[1000], back[1000] = {0};
    hsize_t n = 1000;
    for (int i = 0; i < 1000; i++)
        data[i] = me * 1000000 + round * 1000 + i;
    hid_t file = H5Fcreate(path.path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t set = H5Dcreate2(file, "x", H5T_NATIVE_INT, space, H5P_DEFAULT,
                           H5P_DEFAULT, H5P_DEFAULT);
    bool good =
        H5Dwrite(set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >=
            0 &&
        H5Dread(set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, back) >= 0;
    good &= H5Dclose(set) >= 0 && H5Sclose(space) >= 0 && H5Fclose(file) >= 0;
    return good && memcmp(data, back, sizeof data) == 0;
}

static void *user(void *arg)
{
    struct crowd *c = arg;
    int me = atomic_fetch_add(&c->next, 1);
    for (int round = 0; !atomic_load(&c->stop); round++) {
        if (!use_hdf5(c, me, round))
            atomic_fetch_add(&c->bad, 1);
        atomic_fetch_add(&c->written, 1);
    }
    return NULL;
}

static void *spiller(void *arg)
{
    struct crowd *c = arg;
    struct tg_rng rng = {(uint64_t)atomic_fetch_add(&c->next, 1)};
    char why[WHY];
    while (!atomic_load(&c->stop)) {
        struct tg_spill_item items[8];
        int64_t dims[8][TRYGON_MAX_DIMS];
        for (int i = 0; i < 8; i++)
            items[i] = random_item(&rng, dims[i]);
        if (tg_spill_write(c->spill, 8, items, why, sizeof why) !=
            TRYGON_SUCCESS)
            atomic_fetch_add(&c->bad, 1);
        for (int i = 0; i < 8; i++) {
            if (!same_back(c->spill, &items[i], &rng))
                atomic_fetch_add(&c->bad, 1);
            tg_spill_forget(c->spill, &items[i].where);
        }
        free_items(items, 8);
        atomic_fetch_add(&c->spilled, 1);
    }
    return NULL;
}

/* The report of errors of a thread that spills is as it was before. */
static void the_users_error_report_stays(void)
{
    struct folder f = new_folder();
    struct tg_rng rng = {12};
    struct tg_spill *s = spill_in(&f, JOB, 0);
    struct tg_spill_item it = new_item(&rng, 100);
    H5E_auto2_t before, after;
    void *arg_before, *arg_after;
    CU_ASSERT(H5Eget_auto2(H5E_DEFAULT, &before, &arg_before) >= 0);
    write_ok(s, 1, &it);
    CU_ASSERT(H5Eget_auto2(H5E_DEFAULT, &after, &arg_after) >= 0);
    CU_ASSERT(before == after && before != NULL && arg_before == arg_after);
    CU_ASSERT_EQUAL(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    tg_spill_destroy(&s);
    free_items(&it, 1);
    drop_folder(&f);
}

static void users_hdf5_and_ours_at_once(int deflate)
{
    struct crowd c = {.folder = new_folder()};
    pthread_t threads[6];
    struct timespec while_ = {0, 400000000};
    c.spill = new_spill(&(struct tg_spill_opts){
        .dirs = c.folder.path, .job = JOB, .deflate = deflate});
    for (int i = 0; i < 6; i++)
        CU_ASSERT(
            pthread_create(&threads[i], NULL, i % 2 ? user : spiller, &c) == 0);
    nanosleep(&while_, NULL);
    atomic_store(&c.stop, true);
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&c.bad), 0);
    CU_ASSERT(atomic_load(&c.spilled) > 0 && atomic_load(&c.written) > 0);
    CU_ASSERT_EQUAL(tg_spill_files(c.spill), 0);
    tg_spill_destroy(&c.spill);
    drop_folder(&c.folder);
}

static void users_call_hdf5_meanwhile(void)
{
    users_hdf5_and_ours_at_once(0);
}

static void users_call_hdf5_while_we_deflate(void)
{
    users_hdf5_and_ours_at_once(1);
}

static const struct unit_test tests[] = {
    TEST(objects_of_all_types_come_back),
    TEST(deflated_objects_come_back),
    TEST(large_deflated_arrays_come_back),
    TEST(odd_objects_become_bytes),
    TEST(a_file_has_2000_objects_at_most),
    TEST(a_file_is_closed_when_it_is_large_enough),
    TEST(the_dead_give_their_space_back),
    TEST(objects_have_hashes),
    TEST(damage_is_noticed),
    TEST(damage_of_deflated_objects_is_noticed),
    TEST(the_users_error_report_stays),
    TEST(users_call_hdf5_meanwhile),
    TEST(users_call_hdf5_while_we_deflate),
    TESTS_END,
};
CUNIT_MAIN("spill", tests)
