/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/status/view.h - the report as rows of a window: what a person looks for first, then everything, wrapped. */
#ifndef APPS_STATUS_VIEW_H
#define APPS_STATUS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unik/draw.h>

#define VIEW_ROWS_MAX 8192              /* of a report in the narrowest window; the rest is cut */
#define VIEW_MADE_MAX 16384             /* bytes of lines that are not the report's own */
#define VIEW_LOG_MAX 32                 /* lines of the log at the top */
#define VIEW_ROW_BYTES 512              /* of text in a row */
#define VIEW_TITLES_MIN 12              /* rows of a window that has some left for titles and what is less urgent */

enum view_colour { PAPER = 0x101418, INK = 0xd0d4d8, PALE = 0x808890, HEAD = 0x80c0ff, GOOD = 0x80d080, WARN = 0xffc040, FAIL = 0xff6060,
                   EDGE = 0x304050 };

struct view_row {
    const char *text;
    size_t n;
    uint32_t colour;
    bool more;                          /* of the line above: indented */
};

struct view {
    struct view_row row[VIEW_ROWS_MAX];
    unsigned n;
    char made[VIEW_MADE_MAX];           /* what some rows point to; others point into the report */
};

/* Rows for a window that is so many pixels wide and so many rows high. The report is what unik.Status says; it must stay. */
void view_make(struct view *v, const char *report, struct unik_font *font, int width, unsigned height);
/* Pixels by which a row that goes on is indented. */
int view_indent(const struct unik_font *font);

#endif
