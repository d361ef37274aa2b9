/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/draw.h - text and rectangles in a window's buffer (unik/gui.h), for apps: link libunik-draw.a.
 *
 * All is clipped to the buffer. Colours are 0x00RRGGBB. Text is UTF-8, left to right, one glyph a code point; what is not
 * UTF-8, not printable or not in the font is drawn as a box, so that text from elsewhere can be shown as it is.
 */
#ifndef UNIK_DRAW_H
#define UNIK_DRAW_H

#include <unik/gui.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unik_font {
    int ascent;                         /* pixels from the top of a line to the baseline */
    int height;                         /* pixels from one line to the next */
};

/* The built-in font (DejaVu Sans Mono) at this height of a line in pixels, 8..256; glyphs are made when first drawn and kept,
 * within a fixed number. 0, -EINVAL, -ENOMEM. */
int unik_font_open(int height, struct unik_font **out);
void unik_font_close(struct unik_font *f);      /* NULL: nothing */

/* A string of n bytes. draw: (x, y) is the top left corner of its line; returns how many pixels it went to the right. */
int unik_draw_text(const struct unik_gui_buffer *b, struct unik_font *f, int x, int y, uint32_t colour, const char *text,
                   size_t n);
int unik_font_width(struct unik_font *f, const char *text, size_t n);

/* How many bytes of the text fit in width pixels: up to a newline or the last space before the edge, else up to the last whole
 * character (one at least, so that it goes on). The newline or space is not counted; *next is where the next line begins. */
size_t unik_font_fit(struct unik_font *f, const char *text, size_t n, int width, size_t *next);

void unik_draw_fill(const struct unik_gui_buffer *b, int x, int y, int width, int height, uint32_t colour);
/* A line of this thickness inside the rectangle's edge. */
void unik_draw_frame(const struct unik_gui_buffer *b, int x, int y, int width, int height, int thickness, uint32_t colour);

/* Bytes of the character at text (1..4, never more than n; n > 0); a byte that is not UTF-8 counts alone. *code: the code point,
 * 0xfffd for what is none. */
size_t unik_utf8_next(const char *text, size_t n, uint32_t *code);
/* Bytes of the last character of a text of n > 0 bytes, for a Backspace. */
size_t unik_utf8_last(const char *text, size_t n);

#ifdef __cplusplus
}
#endif
#endif
