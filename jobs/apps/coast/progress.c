/* progress.c - see progress.h. */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"

#define REFRESH_S 0.2

static void print_line(const struct progress *p, double now_s)
{
    double spent_s = now_s - p->start_s;
    double rate = spent_s > 0.0 ? (double)p->cells_done / spent_s : 0.0;

    /* On a terminal: return to the start, and blank what was longer. */
    fprintf(stderr, "%s%zu/%zu tiles, %.0f cells/s",
            p->terminal ? "\r\033[K" : "", p->tiles_done, p->tiles, rate);
    if (rate > 0.0)
        fprintf(stderr, ", %.0f s left",
                (double)(p->cells - p->cells_done) / rate);
    if (!p->terminal)
        fputc('\n', stderr);
    fflush(stderr);
}

void progress_start(struct progress *p, size_t tiles, size_t cells)
{
    double now_s = clock_s();

    *p = (struct progress){.tiles = tiles,
                           .cells = cells,
                           .start_s = now_s,
                           .shown_s = now_s,
                           .terminal = isatty(STDERR_FILENO) == 1};
    if (p->terminal)
        print_line(p, now_s);
    else
        fprintf(stderr, "0/%zu tiles, %zu cells\n", tiles, cells);
}

void progress_step(struct progress *p, size_t cells)
{
    double now_s = clock_s();

    p->tiles_done++;
    p->cells_done += cells;
    if (p->terminal) {
        if (now_s - p->shown_s < REFRESH_S && p->tiles_done < p->tiles)
            return;
        p->shown_s = now_s;
        print_line(p, now_s);
    } else if (p->tiles_done * 10 / p->tiles > p->tenths) {
        p->tenths = p->tiles_done * 10 / p->tiles;
        print_line(p, now_s);
    }
}

void progress_end(struct progress *p)
{
    if (p->terminal)
        fputc('\n', stderr);
}
