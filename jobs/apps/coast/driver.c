/* driver.c - see driver.h. */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/output.h"
#include "far.h"
#include "gshhg.h"
#include "index.h"
#include "map.h"
#include "netcdf.h"
#include "options.h"
#include "tiles.h"

enum { PATH_CAPACITY = 4096 };

struct job {
    const struct options *options;
    char shore_path[PATH_CAPACITY];
    char source[320]; /* what the shoreline is, for the outputs */
    struct gshhg_shore shore;
    void *index;
    size_t index_size;
    float *km;
    struct far_place far;
    double index_s, grid_s, write_s;
};

/* Outputs carry no directories: they mean nothing elsewhere. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Everything that can be wrong with what the user gave, before any work. */
static int check_files(struct job *job, struct fault *fault)
{
    const struct options *o = job->options;

    if (gshhg_locate(o->shoreline, job->shore_path, sizeof job->shore_path,
                     fault) != 0 ||
        output_check(o->grid_path, fault) != 0)
        return -1;
    return output_check(o->map_path, fault);
}

static int make_index(struct job *job, struct fault *fault)
{
    double start_s = clock_s();

    if (gshhg_read(job->shore_path, &job->shore, fault) != 0 ||
        index_build(&job->shore, &job->index, &job->index_size, fault) != 0)
        return -1;
    snprintf(job->source, sizeof job->source, "GSHHG %s (%.255s)",
             job->shore.version, base_name(job->shore_path));
    job->index_s = clock_s() - start_s;
    return 0;
}

static int make_grid(struct job *job, trygon_t *tg, struct fault *fault)
{
    const struct grid *grid = &job->options->grid;
    double start_s = clock_s();
    struct index_view view;

    job->km = malloc(grid_cells(grid) * sizeof *job->km);
    if (job->km == NULL)
        return fault_set(fault, "out of memory for %zu cells",
                         grid_cells(grid));
    if (tiles_compute(tg, grid, job->options->tile_side, job->index,
                      job->index_size, job->km, fault) != 0)
        return -1;
    job->grid_s = clock_s() - start_s;
    if (index_view(job->index, job->index_size, &view, fault) != 0)
        return -1;
    return far_find(grid, job->km, &view, &job->far, fault);
}

/* ---- outputs ----------------------------------------------------------- */

static int fill_grid_file(void *arg, const char *path, struct fault *fault)
{
    const struct job *job = arg;
    const struct options *o = job->options;
    char command[512];
    const struct netcdf_origin origin = {job->source, command};

    snprintf(command, sizeof command, "coast --shoreline %.255s --step %d",
             base_name(o->shoreline), (int)o->grid.step_minutes);
    return netcdf_write(path, &o->grid, job->km, &origin, fault);
}

static int fill_map_file(void *arg, const char *path, struct fault *fault)
{
    const struct job *job = arg;
    const struct map map = {.grid = &job->options->grid,
                            .km = job->km,
                            .shore = &job->shore,
                            .far = job->far,
                            .source = job->source};
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        return fault_set(fault, "%s", strerror(errno));
    int rc = map_write(file, &map, fault);
    if (fclose(file) != 0 && rc == 0)
        rc = fault_set(fault, "%s", strerror(errno));
    return rc;
}

static int write_outputs(struct job *job, struct fault *fault)
{
    const struct options *o = job->options;
    double start_s = clock_s();

    if (output_write(o->grid_path, fill_grid_file, job, fault) != 0 ||
        output_write(o->map_path, fill_map_file, job, fault) != 0)
        return -1;
    job->write_s = clock_s() - start_s;
    return 0;
}

static int print_results(const struct job *job, struct fault *fault)
{
    size_t cells = grid_cells(&job->options->grid);
    char place[64];

    map_place_text(place, sizeof place, job->far.lon, job->far.lat, " ");
    printf("farthest %s %.1f km\n", place, job->far.km);
    printf("cells %zu in %.2f s %.0f cells/s\n", cells, job->grid_s,
           (double)cells / job->grid_s);
    printf("index %.2f s %u arcs %.1f MB\n", job->index_s,
           job->shore.npoints - job->shore.nlines,
           (double)job->index_size / 1e6);
    printf("grid %.2f s\n", job->grid_s);
    printf("write %.2f s\n", job->write_s);
    if (fflush(stdout) != 0)
        return fault_set(fault, "standard output: %s", strerror(errno));
    return 0;
}

int driver_run(trygon_t *tg, void *arg)
{
    struct job job = {.options = arg};
    struct fault fault;
    int rc = 0;

    if (check_files(&job, &fault) != 0 || make_index(&job, &fault) != 0 ||
        make_grid(&job, tg, &fault) != 0 || write_outputs(&job, &fault) != 0 ||
        print_results(&job, &fault) != 0) {
        fprintf(stderr, "coast: %s\n", fault.text);
        rc = 1;
    }
    free(job.km);
    free(job.index);
    gshhg_free(&job.shore);
    return rc;
}
