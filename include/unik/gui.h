/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/gui.h - "gui/1": windows on the user's screen: pixels, keyboard, mouse, clipboard. No X.
 *
 * A window is a piece of memory to draw in. It outlives the GUI daemon: when the daemon is restarted, or comes late, all
 * windows appear again with their content, and the app notices nothing but a FOCUS out. All events come from the loop, never
 * from inside a call. The GUI daemon is in dom0 or in the GUI domain that dom0 names: trusted with input and size.
 */
#ifndef UNIK_GUI_H
#define UNIK_GUI_H

#include <stdbool.h>
#include <unik/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_GUI_WIDTH_MAX 16384        /* pixels; the daemon refuses more (qubes-gui-protocol.h, MAX_WINDOW_WIDTH, _HEIGHT) */
#define UNIK_GUI_HEIGHT_MAX 6144
#define UNIK_GUI_TITLE_MAX 127          /* bytes; cleaned (unik/clean.h); the daemon shows other than ASCII only if its user allows that */
#define UNIK_GUI_CLASS_MAX 63
#define UNIK_GUI_CLIPBOARD_MAX 256000   /* bytes each way with protocol 1.8; 65000 out before that */
#define UNIK_GUI_CURSOR_DEFAULT 0       /* others: 0x100 + glyph of the X cursor font, glyphs 0..0x98, even */

struct unik_gui_window;

/* Where to draw: pixel (x, y) is pixels[y * pitch + x], 0x00RRGGBB. Valid until the window's next RESIZE or destroy(). The
 * screen may be read from it at any time: what is half drawn can be seen; damage() makes sure that what is whole is. */
struct unik_gui_buffer {
    uint32_t *pixels;
    int width, height;
    size_t pitch;                       /* pixels from one row to the next */
};

enum unik_gui_event_type {
    UNIK_GUI_RESIZE = 1,    /* there is a new, black buffer: draw all of it, then damage(). Also once after create() */
    UNIK_GUI_KEY,
    UNIK_GUI_BUTTON,
    UNIK_GUI_MOTION,
    UNIK_GUI_CROSSING,      /* the pointer came in or left */
    UNIK_GUI_FOCUS,
    UNIK_GUI_CLOSE,         /* the user wants the window closed: destroy() it, or not */
    UNIK_GUI_COPY,          /* the user copies out of this window: set_clipboard() now, or what was set last goes */
    UNIK_GUI_PASTE,         /* the user brought text; the user's paste key comes after, as a KEY */
    UNIK_GUI_STATE          /* fullscreen or minimised has changed */
};

enum unik_gui_modifiers {
    UNIK_GUI_SHIFT = 1, UNIK_GUI_CAPS = 2, UNIK_GUI_CONTROL = 4, UNIK_GUI_ALT = 8, UNIK_GUI_NUM = 16, UNIK_GUI_SUPER = 64,
    UNIK_GUI_ALTGR = 128, UNIK_GUI_BUTTON1 = 256        /* button n: 256 << (n - 1), n 1..5 */
};

enum unik_gui_state { UNIK_GUI_FULLSCREEN = 1, UNIK_GUI_ATTENTION = 2, UNIK_GUI_MINIMISED = 4 };

/* Members beside type are set where the comment names the type. Pointers are valid until the callback returns. */
struct unik_gui_event {
    enum unik_gui_event_type type;
    struct unik_gui_buffer buffer;      /* RESIZE */
    int x, y;                           /* KEY, BUTTON, MOTION, CROSSING: the pointer, in the window's pixels */
    unsigned modifiers;                 /* the same: enum unik_gui_modifiers, as before this event */
    bool on;                            /* KEY, BUTTON: pressed. CROSSING: came in. FOCUS: got it */
    unsigned code;                      /* KEY: X keycode (Linux input code + 8). BUTTON: 1..3, wheel 4..7 */
    uint32_t keysym;                    /* KEY: xkb keysym in the user's layout, 0 if unknown (Return is 0xff0d, ...) */
    char text[16];                      /* KEY, pressed: what it types, UTF-8 with NUL; "" for none */
    unsigned state;                     /* STATE: enum unik_gui_state */
    const void *bytes;                  /* PASTE: UTF-8, cleaned (unik/clean.h) but for newlines and tabs */
    size_t size;
};

typedef void unik_gui_cb(struct unik_gui_window *w, const struct unik_gui_event *e, void *arg);

/* What a window is made of. Zero is a good value for all but width and height. Strings are copied. */
struct unik_gui_setup {
    size_t size;                        /* sizeof(struct unik_gui_setup) */
    int width, height;                  /* 1..the limits above; the user's window manager may choose others */
    int x, y;                           /* where; 0, 0: the window manager chooses. A menu with a parent: from its corner */
    const char *title;                  /* NULL: the VM's name */
    const char *class_name;             /* NULL: "unik" */
    int min_width, min_height;          /* 0: no limit */
    int max_width, max_height;
    struct unik_gui_window *parent;     /* dialog or menu of that window */
    bool menu;                          /* no decoration, not the window manager's business (override-redirect) */
    bool docked;                        /* an icon in the tray, which chooses the size */
    bool hidden;                        /* show() later; not for docked ones */
    struct unik_ctx *owner;             /* the app: windows it leaves behind when it stops are destroyed. NULL: nobody's */
};

struct unik_gui {
    size_t size;

    /* Make a window and show it. RESIZE comes next. 0 or a negative errno: -EINVAL (sizes, names), -ENOMEM, -EMFILE (too many
     * windows), -ENOSPC (no pages to share), -EOPNOTSUPP (the config says mode = stub or off). Without a daemon the window
     * waits for one. */
    int (*create)(struct unik_gui *g, const struct unik_gui_setup *setup, unik_gui_cb *cb, void *arg,
                  struct unik_gui_window **out);

    /* The pointer and its buffer are dead at once; no more events. */
    void (*destroy)(struct unik_gui *g, struct unik_gui_window *w);

    /* This part of the buffer has changed. Clipped to the window; several in one turn of the loop go out together. Costs no
     * copy. Empty and outside rectangles are ignored. */
    void (*damage)(struct unik_gui *g, struct unik_gui_window *w, int x, int y, int width, int height);

    /* Ask for another size; RESIZE tells what it became. 0 or -EINVAL (limits; a docked window). */
    int (*resize)(struct unik_gui *g, struct unik_gui_window *w, int width, int height);

    int (*title)(struct unik_gui *g, struct unik_gui_window *w, const char *title);         /* 0 or -EINVAL (too long) */
    int (*cursor)(struct unik_gui *g, struct unik_gui_window *w, unsigned cursor);          /* 0 or -EINVAL */
    int (*state)(struct unik_gui *g, struct unik_gui_window *w, unsigned set, unsigned unset);  /* 0 or -EINVAL (overlap) */
    void (*show)(struct unik_gui *g, struct unik_gui_window *w, bool shown);     /* docked windows always are */

    /* What goes out when the user next copies from a window of this VM. Copied, and cleaned (unik/clean.h) but for newlines
     * and tabs. 0, -EMSGSIZE (over the limit; the clipboard stays
     * as it was), -ENOMEM. */
    int (*set_clipboard)(struct unik_gui *g, const void *bytes, size_t size);

    /* The screen's size as the daemon told it; 0 x 0 before. (The width is rounded up to 8 by the daemon.) */
    void (*screen)(struct unik_gui *g, int *width, int *height);

    /* Is a daemon connected? For an app that would rather do without windows than wait. */
    bool (*connected)(struct unik_gui *g);
};

#ifdef __cplusplus
}
#endif
#endif
