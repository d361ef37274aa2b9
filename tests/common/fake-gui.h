/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/fake-gui.h - gui/1 made of memory: what an app draws can be looked at, what a user does can be said. */
#ifndef TESTS_COMMON_FAKE_GUI_H
#define TESTS_COMMON_FAKE_GUI_H

#include <unik/gui.h>

#define FAKE_WINDOWS 8

struct fake_window {
    bool live;
    struct fake_gui *gui;
    unik_gui_cb *cb;
    void *arg;
    struct unik_gui_setup setup;        /* without its pointers */
    char title[UNIK_GUI_TITLE_MAX + 1];
    struct unik_gui_buffer buffer;
    ev_timer resized;                   /* RESIZE comes from the loop */
    unsigned damages;
    size_t damaged;                     /* pixels, overlaps counted twice */
};

struct fake_gui {
    struct unik_gui api;                /* first */
    struct ev_loop *loop;
    struct fake_window window[FAKE_WINDOWS];
    int create_error;
    char clipboard[70000];
    size_t clipboard_size;
};

void fake_gui_open(struct fake_gui *g, struct ev_loop *loop);
/* Every window must be gone. */
void fake_gui_close(struct fake_gui *g);
/* The i-th live window, or NULL. */
struct fake_window *fake_gui_window(struct fake_gui *g, unsigned i);

/* A key is pressed and released; text is what it types. */
void fake_gui_key(struct fake_window *w, uint32_t keysym, const char *text);
void fake_gui_type(struct fake_window *w, const char *ascii);
void fake_gui_click(struct fake_window *w, int x, int y, unsigned button);
void fake_gui_resize(struct fake_window *w, int width, int height);
void fake_gui_event(struct fake_window *w, const struct unik_gui_event *e);
/* Pixels of exactly this colour in a rectangle. */
size_t fake_gui_count(const struct fake_window *w, int x, int y, int width, int height, uint32_t colour);

#endif
