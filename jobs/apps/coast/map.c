/* map.c - see map.h. */
#include "map.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "colour.h"
#include "font.h"
#include "land.h"

/* The layout, in pixels. */
enum {
    WIDTH = 1800,
    HEIGHT = 1090,
    MAP_LEFT = 72,
    MAP_TOP = 100,
    MAP_WIDTH = 1680,
    MAP_HEIGHT = MAP_WIDTH / 2,
    LEGEND_LEFT = MAP_LEFT + 48,
    LEGEND_TOP = MAP_TOP + MAP_HEIGHT + 52,
    LEGEND_WIDTH = 760,
    LEGEND_BAR = 18
};

enum { GRATICULE_DEGREES = 30, CONTOUR_KM = 500, SHADES = 1024 };

static const struct rgb paper = {255, 255, 255};
static const struct rgb ink = {34, 40, 49};
static const struct rgb faint = {104, 112, 124};
static const struct rgb light = {255, 255, 255};
static const struct rgb mark = {255, 214, 10};

struct picture {
    struct canvas canvas;
    const struct map *map;
    uint8_t *land;   /* how much of each pixel of the map */
    double scale_km; /* the end of the colour scales */
    struct rgb sea[SHADES], land_shade[SHADES];
};

static double map_x(double lon)
{
    return MAP_LEFT + (lon + 180.0) / 360.0 * MAP_WIDTH;
}

static double map_y(double lat)
{
    return MAP_TOP + (90.0 - lat) / 180.0 * MAP_HEIGHT;
}

/* ---- words ------------------------------------------------------------- */

enum align { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT };

static void write_text(struct canvas *canvas, double x, double y,
                       enum align align, const char *text, double size,
                       struct rgb colour)
{
    double width = font_width(text, size);

    if (align == ALIGN_CENTRE)
        x -= 0.5 * width;
    else if (align == ALIGN_RIGHT)
        x -= width;
    font_stroke(canvas, x, y, text, size, 0.08 * size + 0.65);
    canvas_ink(canvas, colour, 1.0);
}

void map_place_text(char *text, size_t capacity, double lon, double lat,
                    const char *unit)
{
    snprintf(text, capacity, "%.2f%s%c %.2f%s%c", fabs(lat), unit,
             lat < 0.0 ? 'S' : 'N', fabs(lon), unit, lon < 0.0 ? 'W' : 'E');
}

/* ---- the field --------------------------------------------------------- */

/* The distance at a place, from the four nodes around it. */
static double sample_km(const struct map *map, double lon, double lat)
{
    const struct grid *grid = map->grid;
    double x = (lon + 180.0) * 60.0 / grid->step_minutes;
    double y = (lat + 90.0) * 60.0 / grid->step_minutes;
    int32_t col = (int32_t)floor(x), row = (int32_t)floor(y);

    if (row > grid->nlat - 2)
        row = grid->nlat - 2;
    double fx = x - col, fy = y - row;
    size_t nlon = (size_t)grid->nlon;
    size_t west = (size_t)(col % grid->nlon), east = (west + 1) % nlon;
    const float *south = map->km + (size_t)row * nlon, *north = south + nlon;
    return (1.0 - fy) *
               ((1.0 - fx) * (double)south[west] + fx * (double)south[east]) +
           fy * ((1.0 - fx) * (double)north[west] + fx * (double)north[east]);
}

/* How much of a pixel a contour line takes: it is as far from the line as the
 * distance differs, divided by how fast it changes from pixel to pixel. */
static double contour_part(double km, double right_km, double below_km)
{
    double nearest = CONTOUR_KM * round(km / CONTOUR_KM);
    double slope = hypot(right_km - km, below_km - km);
    double part = 0.9 - fabs(km - nearest) / fmax(slope, 1e-6);

    return nearest < 1.0 || part < 0.0 ? 0.0 : fmin(part, 1.0);
}

/* The colour scales take a moment to work out: once is enough. */
static void fill_shades(struct picture *picture)
{
    for (int i = 0; i < SHADES; i++) {
        picture->sea[i] = colour_sea((i + 0.5) / SHADES);
        picture->land_shade[i] = colour_land((i + 0.5) / SHADES);
    }
}

static struct rgb field_colour(const struct picture *picture, double km,
                               uint8_t land)
{
    int shade = (int)(km / picture->scale_km * SHADES);

    shade = shade < SHADES ? shade : SHADES - 1;
    return rgb_mix(picture->sea[shade], picture->land_shade[shade],
                   land / 255.0);
}

static void draw_field(struct picture *picture)
{
    const double pixel = 360.0 / MAP_WIDTH;

    for (int y = 0; y < MAP_HEIGHT; y++) {
        double lat = 90.0 - (y + 0.5) * pixel;
        double below = y + 1 < MAP_HEIGHT ? lat - pixel : lat;
        for (int x = 0; x < MAP_WIDTH; x++) {
            double lon = -180.0 + (x + 0.5) * pixel;
            double km = sample_km(picture->map, lon, lat);
            struct rgb colour =
                field_colour(picture, km, picture->land[y * MAP_WIDTH + x]);
            double contour =
                contour_part(km, sample_km(picture->map, lon + pixel, lat),
                             sample_km(picture->map, lon, below));
            canvas_set(&picture->canvas, MAP_LEFT + x, MAP_TOP + y,
                       rgb_mix(colour, light, 0.4 * contour));
        }
    }
}

/* Points closer than this to the last one drawn add nothing to see. */
#define COAST_DETAIL_PIXELS 0.3

static void draw_coast(struct picture *picture)
{
    const struct gshhg_shore *shore = picture->map->shore;

    for (uint32_t line = 0; line < shore->nlines; line++) {
        const struct gshhg_point *p = &shore->points[shore->first[line]];
        uint32_t n = shore->first[line + 1] - shore->first[line];
        /* A line stays in its bin, so one turn is right for all of it; it may
         * begin and end on the bin's edge, at 180 degrees. */
        bool east = p[0].lon + p[n / 2].lon + p[n - 1].lon > 540.0;
        double turn = east ? -360.0 : 0.0;
        double x0 = map_x(p[0].lon + turn), y0 = map_y(p[0].lat);
        for (uint32_t i = 1; i < n; i++) {
            double x1 = map_x(p[i].lon + turn), y1 = map_y(p[i].lat);
            if (hypot(x1 - x0, y1 - y0) < COAST_DETAIL_PIXELS && i + 1 < n)
                continue;
            canvas_stroke(&picture->canvas, x0, y0, x1, y1, 0.6);
            x0 = x1;
            y0 = y1;
        }
    }
    canvas_ink(&picture->canvas, ink, 0.75);
}

/* ---- graticule --------------------------------------------------------- */

static void label_meridian(struct canvas *canvas, int lon)
{
    char text[16];

    snprintf(text, sizeof text, "%d" FONT_DEGREE "%s", abs(lon),
             lon % 180 == 0 ? ""
             : lon < 0      ? "W"
                            : "E");
    write_text(canvas, map_x(lon), MAP_TOP + MAP_HEIGHT + 22, ALIGN_CENTRE,
               text, 11.0, faint);
}

static void label_parallel(struct canvas *canvas, int lat)
{
    char text[16];

    snprintf(text, sizeof text, "%d" FONT_DEGREE "%s", abs(lat),
             lat == 0  ? ""
             : lat < 0 ? "S"
                       : "N");
    write_text(canvas, MAP_LEFT - 10, map_y(lat) + 5.5, ALIGN_RIGHT, text, 11.0,
               faint);
}

static void draw_graticule(struct canvas *canvas)
{
    const double right = MAP_LEFT + MAP_WIDTH, bottom = MAP_TOP + MAP_HEIGHT;

    for (int lon = -180 + GRATICULE_DEGREES; lon < 180;
         lon += GRATICULE_DEGREES)
        canvas_stroke(canvas, map_x(lon), MAP_TOP, map_x(lon), bottom, 0.8);
    for (int lat = -90 + GRATICULE_DEGREES; lat < 90; lat += GRATICULE_DEGREES)
        canvas_stroke(canvas, MAP_LEFT, map_y(lat), right, map_y(lat), 0.8);
    canvas_ink(canvas, ink, 0.16);

    canvas_stroke(canvas, MAP_LEFT, MAP_TOP, right, MAP_TOP, 1.4);
    canvas_stroke(canvas, MAP_LEFT, bottom, right, bottom, 1.4);
    canvas_stroke(canvas, MAP_LEFT, MAP_TOP, MAP_LEFT, bottom, 1.4);
    canvas_stroke(canvas, right, MAP_TOP, right, bottom, 1.4);
    canvas_ink(canvas, ink, 1.0);

    for (int lon = -180; lon <= 180; lon += GRATICULE_DEGREES)
        label_meridian(canvas, lon);
    for (int lat = -90; lat <= 90; lat += GRATICULE_DEGREES)
        label_parallel(canvas, lat);
}

/* ---- the farthest place ------------------------------------------------ */

static void draw_ring(struct canvas *canvas, double x, double y)
{
    canvas_stroke_circle(canvas, x, y, 8.0, 4.5);
    canvas_stroke(canvas, x, y, x, y, 6.5);
    canvas_ink(canvas, ink, 0.7);
    canvas_stroke_circle(canvas, x, y, 8.0, 2.2);
    canvas_stroke(canvas, x, y, x, y, 4.0);
    canvas_ink(canvas, mark, 1.0);
}

static void draw_farthest(struct canvas *canvas, const struct far_place *far)
{
    double x = map_x(far->lon), y = map_y(far->lat);
    bool near_right = x > MAP_LEFT + MAP_WIDTH - 220;
    char place[64], distance[32];

    map_place_text(place, sizeof place, far->lon, far->lat, FONT_DEGREE);
    snprintf(distance, sizeof distance, "%.0f km", far->km);
    draw_ring(canvas, x, y);

    /* Inside the map, whatever the place. */
    double text_y = fmin(fmax(y, MAP_TOP + 40.0), MAP_TOP + MAP_HEIGHT - 40.0);
    x += near_right ? -20.0 : 20.0;
    enum align align = near_right ? ALIGN_RIGHT : ALIGN_LEFT;
    write_text(canvas, x, text_y - 3.0, align, distance, 14.0, light);
    write_text(canvas, x, text_y + 16.0, align, place, 11.0, light);
}

/* ---- words and legend -------------------------------------------------- */

static void draw_heading(struct picture *picture)
{
    const struct grid *grid = picture->map->grid;
    char text[512];

    write_text(&picture->canvas, MAP_LEFT, 50.0, ALIGN_LEFT,
               "Distance to the nearest shore", 24.0, ink);
    snprintf(text, sizeof text,
             "Great-circle distance to the ocean shore, with a line every "
             "%d km. %s. Grid of %d minutes, %zu nodes.",
             CONTOUR_KM, picture->map->source, (int)grid->step_minutes,
             grid_cells(grid));
    write_text(&picture->canvas, MAP_LEFT, 80.0, ALIGN_LEFT, text, 11.5, faint);
}

static void draw_bar(struct canvas *canvas, int top, const char *name,
                     struct rgb (*colour)(double))
{
    for (int i = 0; i < LEGEND_WIDTH; i++)
        canvas_fill(canvas, LEGEND_LEFT + i, top, 1, LEGEND_BAR,
                    colour((i + 0.5) / LEGEND_WIDTH));
    write_text(canvas, LEGEND_LEFT - 10.0, top + 14.0, ALIGN_RIGHT, name, 11.0,
               ink);
}

static void draw_legend(struct picture *picture)
{
    struct canvas *canvas = &picture->canvas;
    const double bottom = LEGEND_TOP + 2 * LEGEND_BAR;

    draw_bar(canvas, LEGEND_TOP, "sea", colour_sea);
    draw_bar(canvas, LEGEND_TOP + LEGEND_BAR, "land", colour_land);
    for (int km = 0; km <= picture->scale_km; km += CONTOUR_KM) {
        char text[16];
        double x = LEGEND_LEFT + LEGEND_WIDTH * km / picture->scale_km;
        if (km > 0 && km < picture->scale_km) { /* as on the map */
            canvas_stroke(canvas, x, LEGEND_TOP, x, bottom, 1.0);
            canvas_ink(canvas, light, 0.5);
        }
        canvas_stroke(canvas, x, bottom, x, bottom + 5.0, 1.0);
        canvas_ink(canvas, faint, 1.0);
        snprintf(text, sizeof text, "%d", km);
        write_text(canvas, x, bottom + 22.0, ALIGN_CENTRE, text, 11.0, ink);
    }
    write_text(canvas, LEGEND_LEFT + LEGEND_WIDTH + 26.0, bottom + 22.0,
               ALIGN_LEFT, "km", 11.0, ink);
}

static void draw_farthest_words(struct picture *picture)
{
    const struct far_place *far = &picture->map->far;
    const double x = LEGEND_LEFT + LEGEND_WIDTH + 120.0;
    char place[64], text[128];

    draw_ring(&picture->canvas, x, LEGEND_TOP + LEGEND_BAR);
    write_text(&picture->canvas, x + 24.0, LEGEND_TOP + 13.0, ALIGN_LEFT,
               "farthest from any shore", 11.0, faint);
    map_place_text(place, sizeof place, far->lon, far->lat, FONT_DEGREE);
    snprintf(text, sizeof text, "%s, %.1f km", place, far->km);
    write_text(&picture->canvas, x + 24.0, LEGEND_TOP + 36.0, ALIGN_LEFT, text,
               13.0, ink);
}

/* ---- all of it --------------------------------------------------------- */

/* The end of the scales: the next contour above the farthest place. */
static double scale_end_km(const struct map *map)
{
    return CONTOUR_KM * fmax(ceil(map->far.km / CONTOUR_KM), 1.0);
}

static void draw(struct picture *picture)
{
    fill_shades(picture);
    draw_field(picture);
    draw_coast(picture);
    draw_graticule(&picture->canvas);
    draw_farthest(&picture->canvas, &picture->map->far);
    draw_heading(picture);
    draw_legend(picture);
    draw_farthest_words(picture);
}

int map_write(FILE *file, const struct map *map, struct fault *fault)
{
    struct picture picture = {.map = map, .scale_km = scale_end_km(map)};
    int rc = canvas_create(&picture.canvas, WIDTH, HEIGHT, paper, fault);

    if (rc != 0)
        return rc;
    picture.land = malloc((size_t)MAP_WIDTH * MAP_HEIGHT);
    if (picture.land == NULL)
        rc = fault_set(fault, "out of memory");
    if (rc == 0)
        rc = land_cover(map->shore, MAP_WIDTH, MAP_HEIGHT, picture.land, fault);
    if (rc == 0) {
        draw(&picture);
        rc = canvas_write_png(&picture.canvas, file, fault);
    }
    free(picture.land);
    canvas_free(&picture.canvas);
    return rc;
}
