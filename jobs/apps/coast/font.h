/* font.h - a small font of single strokes, for the words on a picture.
 *
 * Letters are lines, not pixels, so that they are smooth in every size.
 * Characters are Latin-1: of the accented half only the degree sign.
 */
#ifndef COAST_FONT_H
#define COAST_FONT_H

#include "canvas.h"

#define FONT_DEGREE "\260"

/* How wide a text is; size is the height of its capitals in pixels. */
double font_width(const char *text, double size);

/* Stroke a text, to be inked by the caller: x is its left end, y its base
 * line, weight the width of its strokes. */
void font_stroke(struct canvas *canvas, double x, double y, const char *text,
                 double size, double weight);

#endif
