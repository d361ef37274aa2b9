/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/draw/fill.c - rectangles, clipped. */
#include <unik/draw.h>

static int clamp(long v, int most) { return v < 0 ? 0 : v > most ? most : (int)v; }

void unik_draw_fill(const struct unik_gui_buffer *b, int x, int y, int width, int height, uint32_t colour)
{
    int left = clamp(x, b->width), right = clamp((long)x + width, b->width);
    int top = clamp(y, b->height), bottom = clamp((long)y + height, b->height);

    for (; top < bottom; top++)
        for (int i = left; i < right; i++)
            b->pixels[(size_t)top * b->pitch + (size_t)i] = colour;
}

void unik_draw_frame(const struct unik_gui_buffer *b, int x, int y, int width, int height, int thickness, uint32_t colour)
{
    unik_draw_fill(b, x, y, width, thickness, colour);
    unik_draw_fill(b, x, y + height - thickness, width, thickness, colour);
    unik_draw_fill(b, x, y, thickness, height, colour);
    unik_draw_fill(b, x + width - thickness, y, thickness, height, colour);
}
