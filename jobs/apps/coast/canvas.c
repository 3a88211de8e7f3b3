/* canvas.c - see canvas.h. */
#include "canvas.h"

#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

static void reset_dirty(struct canvas *canvas)
{
    canvas->left = canvas->width;
    canvas->top = canvas->height;
    canvas->right = 0;
    canvas->bottom = 0;
}

int canvas_create(struct canvas *canvas, int width, int height,
                  struct rgb background, struct fault *fault)
{
    size_t pixels = (size_t)width * (size_t)height;

    *canvas = (struct canvas){.width = width, .height = height};
    canvas->pixel = malloc(pixels * sizeof *canvas->pixel);
    canvas->stroke = calloc(pixels, 1);
    if (canvas->pixel == NULL || canvas->stroke == NULL) {
        canvas_free(canvas);
        return fault_set(fault, "out of memory");
    }
    canvas_fill(canvas, 0, 0, width, height, background);
    reset_dirty(canvas);
    return 0;
}

void canvas_free(struct canvas *canvas)
{
    free(canvas->pixel);
    free(canvas->stroke);
    memset(canvas, 0, sizeof *canvas);
}

static uint8_t mix_channel(uint8_t a, uint8_t b, double t)
{
    return (uint8_t)lrint((1.0 - t) * a + t * b);
}

struct rgb rgb_mix(struct rgb a, struct rgb b, double t)
{
    return (struct rgb){mix_channel(a.r, b.r, t), mix_channel(a.g, b.g, t),
                        mix_channel(a.b, b.b, t)};
}

static size_t pixel_index(const struct canvas *canvas, int x, int y)
{
    return (size_t)y * (size_t)canvas->width + (size_t)x;
}

void canvas_set(struct canvas *canvas, int x, int y, struct rgb colour)
{
    if (x >= 0 && x < canvas->width && y >= 0 && y < canvas->height)
        canvas->pixel[pixel_index(canvas, x, y)] = colour;
}

void canvas_fill(struct canvas *canvas, int x, int y, int width, int height,
                 struct rgb colour)
{
    for (int j = y; j < y + height; j++)
        for (int i = x; i < x + width; i++)
            canvas_set(canvas, i, j, colour);
}

/* ---- strokes ----------------------------------------------------------- */

static int clamp(double value, int low, int high)
{
    return value < low ? low : value > high ? high : (int)value;
}

/* Distance from a point to a line from (x0, y0), (dx, dy) long. */
static double line_distance(double px, double py, double dx, double dy)
{
    double length2 = dx * dx + dy * dy;
    double t = length2 > 0.0 ? (px * dx + py * dy) / length2 : 0.0;

    t = t < 0.0 ? 0.0 : t > 1.0 ? 1.0 : t;
    px -= t * dx;
    py -= t * dy;
    return sqrt(px * px + py * py); /* hypot() is several times slower */
}

/* A pixel is covered by as much of it as lies within the stroke, taken along
 * the way to the stroke; the most of all strokes counts. */
static void cover(struct canvas *canvas, int x, int y, double inside)
{
    double part = inside + 0.5;

    if (part <= 0.0)
        return;
    uint8_t value = part >= 1.0 ? 255 : (uint8_t)lrint(255.0 * part);
    uint8_t *stroke = &canvas->stroke[pixel_index(canvas, x, y)];
    if (value > *stroke)
        *stroke = value;
}

/* The pixels that something between two corners may touch. */
struct span {
    int left, top, right, bottom;
};

static struct span touch(struct canvas *canvas, double x0, double y0, double x1,
                         double y1, double margin)
{
    struct span s = {clamp(floor(fmin(x0, x1) - margin), 0, canvas->width),
                     clamp(floor(fmin(y0, y1) - margin), 0, canvas->height),
                     clamp(ceil(fmax(x0, x1) + margin), 0, canvas->width),
                     clamp(ceil(fmax(y0, y1) + margin), 0, canvas->height)};

    canvas->left = s.left < canvas->left ? s.left : canvas->left;
    canvas->top = s.top < canvas->top ? s.top : canvas->top;
    canvas->right = s.right > canvas->right ? s.right : canvas->right;
    canvas->bottom = s.bottom > canvas->bottom ? s.bottom : canvas->bottom;
    return s;
}

void canvas_stroke(struct canvas *canvas, double x0, double y0, double x1,
                   double y1, double width)
{
    struct span s = touch(canvas, x0, y0, x1, y1, 0.5 * width + 1.0);

    for (int y = s.top; y < s.bottom; y++)
        for (int x = s.left; x < s.right; x++)
            cover(canvas, x, y,
                  0.5 * width - line_distance(x + 0.5 - x0, y + 0.5 - y0,
                                              x1 - x0, y1 - y0));
}

void canvas_stroke_circle(struct canvas *canvas, double cx, double cy,
                          double radius, double width)
{
    struct span s = touch(canvas, cx, cy, cx, cy, radius + 0.5 * width + 1.0);

    for (int y = s.top; y < s.bottom; y++)
        for (int x = s.left; x < s.right; x++)
            cover(canvas, x, y,
                  0.5 * width -
                      fabs(hypot(x + 0.5 - cx, y + 0.5 - cy) - radius));
}

void canvas_ink(struct canvas *canvas, struct rgb colour, double opacity)
{
    for (int y = canvas->top; y < canvas->bottom; y++) {
        for (int x = canvas->left; x < canvas->right; x++) {
            size_t i = pixel_index(canvas, x, y);
            if (canvas->stroke[i] == 0)
                continue;
            canvas->pixel[i] = rgb_mix(canvas->pixel[i], colour,
                                       opacity * canvas->stroke[i] / 255.0);
            canvas->stroke[i] = 0;
        }
    }
    reset_dirty(canvas);
}

/* ---- file -------------------------------------------------------------- */

int canvas_write_png(const struct canvas *canvas, FILE *file,
                     struct fault *fault)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)canvas->width,
                       .height = (png_uint_32)canvas->height,
                       .format = PNG_FORMAT_RGB};

    if (!png_image_write_to_stdio(&image, file, 0, canvas->pixel, 0, NULL))
        return fault_set(fault, "libpng: %s", image.message);
    return 0;
}
