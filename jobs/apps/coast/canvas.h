/* canvas.h - a picture in memory, drawn on with smooth edges.
 *
 * Lines are drawn in two steps: strokes gather in a layer of their own, where
 * they may cross and join without adding up, and are then inked in one colour.
 * Positions are in pixels from the top left corner; pixel (0, 0) has its
 * centre at 0.5, 0.5.  Knows nothing of maps.
 */
#ifndef COAST_CANVAS_H
#define COAST_CANVAS_H

#include <stdint.h>
#include <stdio.h>

#include "common/fault.h"

struct rgb {
    uint8_t r, g, b;
};

struct canvas {
    int width, height;
    struct rgb *pixel;
    uint8_t *stroke;              /* coverage by strokes not yet inked */
    int left, top, right, bottom; /* where there are any */
};

int canvas_create(struct canvas *canvas, int width, int height,
                  struct rgb background, struct fault *fault);
void canvas_free(struct canvas *canvas);

/* The mix of two colours: t = 0 is a, t = 1 is b. */
struct rgb rgb_mix(struct rgb a, struct rgb b, double t);

/* Whole pixels; what lies outside the picture is left out. */
void canvas_set(struct canvas *canvas, int x, int y, struct rgb colour);
void canvas_fill(struct canvas *canvas, int x, int y, int width, int height,
                 struct rgb colour);

/* A line with round ends; a dot when both ends are the same. */
void canvas_stroke(struct canvas *canvas, double x0, double y0, double x1,
                   double y1, double width);
void canvas_stroke_circle(struct canvas *canvas, double x, double y,
                          double radius, double width);

/* Colour all strokes since the last time; opacity from 0 to 1. */
void canvas_ink(struct canvas *canvas, struct rgb colour, double opacity);

/* Write the picture as PNG. */
int canvas_write_png(const struct canvas *canvas, FILE *file,
                     struct fault *fault);

#endif
