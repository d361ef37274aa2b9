/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-show.h - real windows on the developer's X display: what its files share.
 *
 * Requests to X are sent without waiting but for a few short questions (where is this window, which keys are down); an X
 * server that stands still makes this dom0 stand still, as it does with the real daemon.
 */
#ifndef UNIK_DOM0_GUI_SHOW_H
#define UNIK_DOM0_GUI_SHOW_H

#include <xcb/xcb.h>

#include "tools/unik-dom0/gui-parts.h"

enum show_atom {
    SHOW_PROTOCOLS, SHOW_DELETE, SHOW_NAME, SHOW_UTF8, SHOW_STATE, SHOW_FULLSCREEN, SHOW_ATTENTION, SHOW_HIDDEN,
    SHOW_CHANGE_STATE, SHOW_CLIPBOARD, SHOW_TARGETS, SHOW_PLAIN, SHOW_INCR, SHOW_PASTED, SHOW_ATOMS
};

struct show {
    struct gui *gui;
    struct client *client;
    xcb_connection_t *x;
    xcb_screen_t *screen;
    xcb_gcontext_t gc;
    xcb_atom_t atoms[SHOW_ATOMS];
    size_t request_max;                 /* bytes of pixels in one request */
    uint32_t *scratch;                  /* rows of a part of a picture, side by side */
    size_t scratch_n;

    xcb_window_t clip;                  /* never seen: owns the clipboard, and is where others put theirs */
    xcb_keycode_t copy_key, paste_key;  /* C and V on this display */
    xcb_keycode_t swallowed;            /* one of these is down as part of a chord: its release is not the guest's either */
    char *text;                         /* the guest's clipboard while it is that of the display; NULL */
    size_t text_n;
    bool pasting;                       /* for this window, once the owner of the clipboard has answered */
    uint32_t paste_into;

    ev_io io;
    ev_prepare prepare;                 /* before the loop sleeps: flush, and events that this or a question left in the queue */
};

/* One window; w->shown. */
struct show_window {
    xcb_window_t id;
    bool moved;                         /* X says so: ask where it is now */
};

static inline xcb_window_t show_id(const struct gui_window *w) { return ((const struct show_window *)w->shown)->id; }

/* ---- gui-show-window.c ---- */
extern const struct gui_screen gui_show_screen;
void show_put(struct show *s, struct gui_window *w, const struct gui_rect *part);

/* ---- gui-show-clipboard.c ---- */
void show_clipboard_open(struct show *s);
void show_clipboard_close(struct show *s);
/* A key is pressed or let go of: true if it is part of copy or paste, and not for the guest. */
bool show_chord(struct show *s, struct gui_window *w, const xcb_key_press_event_t *e, bool down);
/* The guest's answer to a copy. */
void show_copied(struct gui *g, const void *bytes, size_t n);
void show_selection_request(struct show *s, const xcb_selection_request_event_t *e);
void show_selection_clear(struct show *s);
void show_selection_notify(struct show *s, const xcb_selection_notify_event_t *e);

/* ---- gui-show-input.c ---- */
/* All events that have arrived. False: there were none, and nothing was sent. */
bool show_events(struct show *s);

#endif
