/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/fixture.h - the plugin gui between an app and a model of the daemon, in one loop. */
#ifndef TESTS_GUI_FIXTURE_H
#define TESTS_GUI_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <unik/gui.h>
#include "tests/common/bytes.h"
#include "tests/gui/daemon.h"
#include "tools/host/host.h"

#define PATIENCE 300.0           /* seconds until a test gives up waiting */

extern struct fake fake;
extern struct daemon guid;
extern struct host *host;
extern struct unik_ctx *ctx;
extern struct unik_gui *gui;
extern char log_line[300];      /* the last warning or error */
extern unsigned log_lines;

void gui_up(void);              /* default options, daemon 1.8 connected */
void gui_up_with(const char *const *options, unsigned minor);   /* not connected */
void gui_down(void);            /* nothing is left, no complaint */
void gui_connect(void);         /* until the handshake is over */

/* Turns of the loop and of the daemon, until both have nothing to do. */
void settle(void);
void turn(void);                /* one turn of the loop, without waiting */

/* An app's window with a memory of its events. It draws all of its buffer at RESIZE: pixel (x, y) is shade(x, y, w->paint). */
struct window {
    struct unik_gui_window *w;
    struct unik_gui_buffer buffer;
    uint32_t paint;
    unsigned resizes, keys, closes, copies, pastes, states, focuses, buttons, motions, crossings;
    struct unik_gui_event last;         /* bytes and text copied below */
    char text[64];
    size_t pasted;
    uint8_t *paste;
    bool destroy_on_close, dead;
    void (*on)(struct window *w, const struct unik_gui_event *e);
};

uint32_t shade(int x, int y, uint32_t paint);
void window_create(struct window *w, int width, int height);
void window_setup(struct window *w, const struct unik_gui_setup *setup);
void window_draw(struct window *w);                     /* all of it, with w->paint; no damage */
void window_destroy(struct window *w);
void window_event(struct unik_gui_window *w, const struct unik_gui_event *e, void *arg);
/* The daemon's view of it; NULL. By size and order it is the caller's to know: ids count from 1. */
struct daemon_window *shown(uint32_t id);
/* The daemon's picture is the app's. */
void check_picture(const struct daemon_window *d, const struct window *w);

#define NO_COMPLAINT() ck_assert_msg(!guid.complaint[0], "the daemon: %s", guid.complaint)

TCase *gui_cases_windows(void);
TCase *gui_cases_input(void);
TCase *gui_cases_life(void);
TCase *gui_cases_units(void);
TCase *gui_cases_model(void);

#endif
