/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/clipboard.c - text out and in. */
#include <errno.h>
#include <stdlib.h>
#include <unik/clean.h>
#include "plugins/gui/agent.h"

void gui_text_drop(struct gui_text *t)
{
    if (t && --t->users == 0)
        free(t);
}

/* A message under way keeps the text that it began with. */
int gui_clipboard_set(struct gui_agent *a, const void *bytes, size_t size)
{
    struct gui_text *t = NULL;

    if (size > UNIK_GUI_CLIPBOARD_MAX)
        return -EMSGSIZE;
    if (size) {
        t = malloc(sizeof(*t) + size + 1);
        if (!t)
            return -ENOMEM;
        t->users = 1;
        t->size = (uint32_t)unik_clean((char *)t->bytes, size + 1, bytes, size, UNIK_CLEAN_LINES);
    }
    gui_text_drop(a->clipboard);
    a->clipboard = t;
    return 0;
}

/* from the GUI domain: the user copies out of this VM. The app may set the text in its COPY. */
void gui_clipboard_asked(struct gui_agent *a, uint32_t window)
{
    struct unik_gui_window *w = gui_window_find(a, window);
    struct unik_gui_event e = { .type = UNIK_GUI_COPY };

    gui_count(a, GUI_COPIES);
    if (w)
        gui_tell(w, &e);
    if (a->answers == GUI_ANSWERS_MAX) {
        gui_count(a, GUI_BAD);
        unik_warn(a->ctx, "CLIPBOARD_REQ: %d others are not answered yet, as the daemon does not read: left out",
                  GUI_ANSWERS_MAX);
        return;
    }
    a->answer_window = window;
    a->answers++;
    gui_flush(a);
}

/* from the GUI domain: size is at most GUI_CLIPBOARD_IN_MAX. Without memory the bytes are skipped. */
void gui_paste_begin(struct gui_agent *a, uint32_t window, uint32_t size)
{
    a->paste_window = window;
    a->paste_size = size;
    a->paste_have = 0;
    a->paste = malloc(size + 1);
    if (!a->paste) {
        unik_warn(a->ctx, "no memory for %u bytes of pasted text", (unsigned)size);
        a->skip = size;
    }
}

/* Below 1.2 the field of the window held the size: then it is for the window that the user types into. */
void gui_paste_end(struct gui_agent *a)
{
    struct unik_gui_window *w = GUI_MINOR(a->version) < 2 ? a->focus : gui_window_find(a, a->paste_window);
    struct unik_gui_event e = { .type = UNIK_GUI_PASTE, .bytes = a->paste };

    e.size = unik_clean((char *)a->paste, (size_t)a->paste_size + 1, a->paste, a->paste_size, UNIK_CLEAN_LINES);
    gui_count(a, GUI_PASTES);
    if (w)
        gui_tell(w, &e);
    else
        gui_count(a, GUI_STRAYS);
    free(a->paste);
    a->paste = NULL;
}
