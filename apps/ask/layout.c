/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/ask/layout.c - where a question's parts are in its window. */
#include "apps/ask/ask.h"

int ask_width(const struct ask *a) { return 30 * a->font->height; }

bool ask_layout(struct ask_layout *l, const struct question *q, struct unik_font *font, int width)
{
    int line = font->height, y, button = 8 * unik_font_width(font, "M", 1) + line;
    size_t next;

    *l = (struct ask_layout){ .margin = line };
    l->text_y = 2 * line + line;                /* below the band that names the caller */
    for (size_t at = 0; at < q->n; at = next) {
        if (l->n_lines == ASK_LINES_MAX)
            return false;
        l->lines[l->n_lines].from = at;
        l->lines[l->n_lines++].n = unik_font_fit(font, q->text + at, q->n - at, width - 2 * l->margin, &next);
        next += at;
    }
    y = l->text_y + (int)l->n_lines * line + line;
    if (q->kind != ASK_YES_NO) {
        l->field = (struct ask_rect){ l->margin, y, width - 2 * l->margin, line + line / 2 };
        y += l->field.height + line;
    }
    for (int i = 0; i < 2; i++)
        l->buttons[i] = (struct ask_rect){ width - l->margin - (2 - i) * button - (1 - i) * line / 2, y, button, line + line / 2 };
    l->height = y + line + line / 2 + line;
    return true;
}
