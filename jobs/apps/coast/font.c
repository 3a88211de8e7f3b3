/* font.c - see font.h.
 *
 * A glyph is a text: one digit for its width, then strokes.  A stroke is '-'
 * (straight lines) or '~' (a smooth curve) and its points, two digits each,
 * from left and from below; digits go on after 9 with a to z.  The base line
 * is at 4, small letters reach up to c, capitals to g.
 */
#include "font.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum {
    BASE_LINE = 4,
    CAPITAL_HEIGHT = 12,
    GAP = 3, /* between letters */
    CURVE_STEPS = 6
};

static const char *const glyphs[256] = {
    [' '] = "3",
    ['('] = "3~3h1d0a1733",
    [')'] = "3~0h2d3a2703",
    ['+'] = "6-0969-3c36",
    [','] = "1-1503",
    ['-'] = "5-0959",
    ['.'] = "0-0404",
    ['/'] = "5-035h",
    [':'] = "0-0505-0b0b",
    ['='] = "6-0b6b-0767",
    ['_'] = "6-0363",
    [0xb0] = "4~2g4e2c0e2g",
    ['0'] = "6~3g5f6c68553415080c1f3g",
    ['1'] = "6-1e3g34",
    ['2'] = "6~0d1f3g5f6d5a-5a0464",
    ['3'] = "6~0e1f3g5f6d5b3a~3a596755341506",
    ['4'] = "7-545g0878",
    ['5'] = "6-6g1g0a~0a2b4b6966442405",
    ['6'] = "6~6f4g2f0b0715345567695b3c1b09",
    ['7'] = "6-0g6g24",
    ['8'] = "6~3g5f6d5b3a1b0d1f3g~3a596755341507193a",
    ['9'] = "6~052445696d5f3g1f0d0b1938596b",
    ['A'] = "8-044g84-1878",
    ['B'] = "7-040g4g~4g6f7d6b4a-4a0a~4a69776544-4404",
    ['C'] = "7~7e6f4g2f0c0825446576",
    ['D'] = "8-040g3g~3g6f8c886534-3404",
    ['E'] = "6-6g0g0464-0a5a",
    ['F'] = "6-6g0g04-0a5a",
    ['G'] = "7~7e6f4g2f0c0825446576-4a7a76",
    ['H'] = "7-040g-747g-0a7a",
    ['I'] = "0-040g",
    ['J'] = "4-4g47~47341406",
    ['K'] = "7-040g-7g08-2a74",
    ['L'] = "6-0g0464",
    ['M'] = "8-040g488g84",
    ['N'] = "7-040g747g",
    ['O'] = "8~4g6f8c88654425080c2f4g",
    ['P'] = "7-040g4g~4g6f7d6a49-4909",
    ['Q'] = "8~4g6f8c88654425080c2f4g-5783",
    ['R'] = "7-040g4g~4g6f7d6a49-4909-4974",
    ['S'] = "7~7e5g3g1f0d2b597765442406",
    ['T'] = "8-0g8g-4g44",
    ['U'] = "8-0g08~0825446588-888g",
    ['V'] = "8-0g448g",
    ['W'] = "c-0g346e94cg",
    ['X'] = "8-0g84-048g",
    ['Y'] = "8-0g4a8g-4a44",
    ['Z'] = "8-0g8g0484",
    ['a'] = "6~3c5b68553415081b3c-6c64",
    ['b'] = "6~3c5b68553415081b3c-0g04",
    ['c'] = "5~5b3c1b08153455",
    ['d'] = "6~3c5b68553415081b3c-6g64",
    ['e'] = "6-0868~685b3c1b08153455",
    ['f'] = "4~5g3g2e-2e24-0c4c",
    ['g'] = "6~3c5b68553415081b3c-6c63~63513011",
    ['h'] = "5-0g04~0a2c4c5a-5a54",
    ['i'] = "0-0c04-0g0g",
    ['j'] = "2-2c22~221101-2g2g",
    ['k'] = "5-0g04-5c07-2954",
    ['l'] = "0-0g04",
    ['m'] = "8-0c04~0a1c3c4a-4a44~4a5c7c8a-8a84",
    ['n'] = "5-0c04~0a2c4c5a-5a54",
    ['o'] = "6~3c5b68553415081b3c",
    ['p'] = "6~3c5b68553415081b3c-0c00",
    ['q'] = "6~3c5b68553415081b3c-6c60",
    ['r'] = "4-0c04~0a2c4c",
    ['s'] = "5~5b3c1b193857553405",
    ['t'] = "4-2g26~263444-0c4c",
    ['u'] = "5-0c06~06143456-5c54",
    ['v'] = "6-0c346c",
    ['w'] = "8-0c244a648c",
    ['x'] = "5-0c54-045c",
    ['y'] = "6-0c34-6c10",
    ['z'] = "5-0c5c0454",
};

static const char unknown_glyph[] = "6-04646g0g04";

static const char *glyph_of(char c)
{
    const char *glyph = glyphs[(unsigned char)c];

    return glyph != NULL ? glyph : unknown_glyph;
}

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

double font_width(const char *text, double size)
{
    int units = 0;

    for (const char *c = text; *c != '\0'; c++)
        units += digit(glyph_of(*c)[0]) + (c[1] != '\0' ? GAP : 0);
    return units * size / CAPITAL_HEIGHT;
}

/* ---- strokes ----------------------------------------------------------- */

struct pen {
    struct canvas *canvas;
    double x, y, unit, weight;
};

struct point {
    double x, y;
};

static struct point point_at(const struct pen *pen, const char *digits)
{
    return (struct point){pen->x + digit(digits[0]) * pen->unit,
                          pen->y - (digit(digits[1]) - BASE_LINE) * pen->unit};
}

static void line(const struct pen *pen, struct point a, struct point b)
{
    canvas_stroke(pen->canvas, a.x, a.y, b.x, b.y, pen->weight);
}

/* The cubic through b and c that leaves b towards the way from a to c and
 * arrives likewise (Catmull and Rom). */
static double cubic(double a, double b, double c, double d, double t)
{
    return b + 0.5 * t *
                   (c - a +
                    t * (2.0 * a - 5.0 * b + 4.0 * c - d +
                         t * (3.0 * (b - c) + d - a)));
}

static void curve(const struct pen *pen, struct point a, struct point b,
                  struct point c, struct point d)
{
    struct point from = b;

    for (int i = 1; i <= CURVE_STEPS; i++) {
        double t = (double)i / CURVE_STEPS;
        struct point to = {cubic(a.x, b.x, c.x, d.x, t),
                           cubic(a.y, b.y, c.y, d.y, t)};
        line(pen, from, to);
        from = to;
    }
}

/* n points, two digits each.  A curve that ends where it began has no corner
 * there. */
static void stroke(const struct pen *pen, char kind, const char *at, int n)
{
    bool closed = n > 2 && at[0] == at[2 * n - 2] && at[1] == at[2 * n - 1];

    for (int i = 0; i + 1 < n; i++) {
        int before = i > 0 ? i - 1 : closed ? n - 2 : i;
        int after = i + 2 < n ? i + 2 : closed ? 1 : i + 1;
        struct point b = point_at(pen, at + 2 * i);
        struct point c = point_at(pen, at + 2 * i + 2);
        if (kind == '-')
            line(pen, b, c);
        else
            curve(pen, point_at(pen, at + 2 * before), b, c,
                  point_at(pen, at + 2 * after));
    }
}

void font_stroke(struct canvas *canvas, double x, double y, const char *text,
                 double size, double weight)
{
    struct pen pen = {canvas, x, y, size / CAPITAL_HEIGHT, weight};

    for (; *text != '\0'; text++) {
        const char *glyph = glyph_of(*text);
        for (const char *at = glyph + 1; *at != '\0';) {
            char kind = *at++;
            int length = (int)strcspn(at, "-~");
            stroke(&pen, kind, at, length / 2);
            at += length;
        }
        pen.x += (digit(glyph[0]) + GAP) * pen.unit;
    }
}
