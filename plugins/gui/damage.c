/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/damage.c - rectangles that cover what has changed. */
#include <limits.h>
#include <stdint.h>
#include "plugins/gui/damage.h"

static int64_t area(const struct gui_area *r) { return (int64_t)(r->x1 - r->x0) * (r->y1 - r->y0); }

static struct gui_area both(const struct gui_area *a, const struct gui_area *b)
{
    struct gui_area r = { a->x0 < b->x0 ? a->x0 : b->x0, a->y0 < b->y0 ? a->y0 : b->y0,
                          a->x1 > b->x1 ? a->x1 : b->x1, a->y1 > b->y1 ? a->y1 : b->y1 };

    return r;
}

static int clip(int64_t v, int max) { return v < 0 ? 0 : v > max ? max : (int)v; }

/* Pixels that would be painted in vain if the two became one. */
static int64_t waste(const struct gui_area *a, const struct gui_area *b)
{
    struct gui_area r = both(a, b);

    return area(&r) - area(a) - area(b);
}

/* One that costs nothing to join (it overlaps or touches along a side), or else, with all places taken, the cheapest. */
bool gui_damage_add(struct gui_damage *d, int x, int y, int w, int h, int width, int height)
{
    struct gui_area r = { clip(x, width), clip(y, height), clip((int64_t)x + w, width), clip((int64_t)y + h, height) };
    int64_t least = INT64_MAX;
    unsigned best = 0;

    if (w <= 0 || h <= 0 || r.x0 >= r.x1 || r.y0 >= r.y1)
        return false;
    for (unsigned i = 0; i < d->n; i++) {
        int64_t cost = waste(&d->rects[i], &r);

        if (cost < least) {
            least = cost;
            best = i;
        }
    }
    if (d->n > 0 && (least <= 0 || d->n == GUI_RECTS))
        d->rects[best] = both(&d->rects[best], &r);
    else
        d->rects[d->n++] = r;
    return true;
}

void gui_damage_all(struct gui_damage *d, int width, int height)
{
    d->rects[0] = (struct gui_area){ 0, 0, width, height };
    d->n = 1;
}
