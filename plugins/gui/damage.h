/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/damage.h - which parts of a window have changed: a few rectangles that cover them all. */
#ifndef PLUGINS_GUI_DAMAGE_H
#define PLUGINS_GUI_DAMAGE_H

#include <stdbool.h>

#define GUI_RECTS 8

struct gui_area { int x0, y0, x1, y1; };        /* x1, y1: the first outside */

struct gui_damage {
    struct gui_area rects[GUI_RECTS];
    unsigned n;
};

/* Add what lies inside width x height (both 1..16384). Any x, y; empty if a size is not positive. Whether something did. */
bool gui_damage_add(struct gui_damage *d, int x, int y, int w, int h, int width, int height);
void gui_damage_all(struct gui_damage *d, int width, int height);
static inline void gui_damage_none(struct gui_damage *d) { d->n = 0; }

#endif
