/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-parts.h - what the files of the GUI daemon share.
 *
 *   gui.c         connection, handshake, what goes out     gui-in.c    messages from the guest, checked
 *   gui-window.c  the table of windows, their pictures     gui-pages.c  memory that the guest shares
 *   gui-user.c    what the user does                       gui-keys.c   names of keys, text as keys
 *   gui-desk.c    a window manager without a screen        gui-show*.c  a screen: the developer's X display
 *   gui-request.c commands                                 gui-client.c  their other end
 */
#ifndef UNIK_DOM0_GUI_PARTS_H
#define UNIK_DOM0_GUI_PARTS_H

#include "protocol/gui.h"
#include "tools/unik-dom0/gui.h"
#include "tools/unik-dom0/outbox.h"

#define GUI_WINDOWS_MAX 4096            /* of one VM; ours: the real daemon has no limit */
#define GUI_PIXELS_MAX (128u << 20)     /* pixels of all pictures of one VM; ours, as the X server's memory is the real one */
#define GUI_BACKLOG_MAX 10000000u       /* bytes that wait for a guest which does not read: then the real daemon exits */
#define GUI_INSIST_MAX 100              /* answers to one CONFIGURE that are none: then the guest will never give in */
#define GUI_WHITE 0xffffffu             /* of a window that nothing was painted in */
#define GUI_POINT_MAX 32767             /* pixels: where a pointer can be, as in X */

struct gui;
struct gui_pages;

struct gui_window {
    struct gui *gui;
    struct gui_window *next;            /* the last one mapped comes first */
    uint32_t id;
    struct gui_rect at;                 /* where it is; the guest may not know it yet */
    bool pending;                       /* ... and owes the echo of a CONFIGURE (doc/protocol/gui.md, 4: Q) */
    unsigned insisted;                  /* times that it sent something else instead */
    ev_timer echo;
    bool mapped, docked, menu, painted, placed;
    uint32_t parent;                    /* 0: none */
    uint32_t flags, cursor;             /* GUI_FULLSCREEN ... */
    struct gui_rect before;             /* where it was before GUI_FULLSCREEN */
    char title[GUI_TITLE], class_name[GUI_CLASS], name[GUI_CLASS];     /* printable ASCII */
    struct gui_message hints;           /* type 0: none */

    struct gui_pages *pages;            /* of the last WINDOW_DUMP */
    uint32_t *picture;                  /* what the user sees: at.width x at.height, 0x00RRGGBB; NULL unless mapped */
    unsigned long dumps, paints;
    void *shown;                        /* the screen's own */
};

/* Who shows the windows and is the window manager. */
struct gui_screen {
    void (*appeared)(struct gui_window *w);         /* mapped */
    void (*vanished)(struct gui_window *w);         /* unmapped, or about to be gone */
    void (*painted)(struct gui_window *w, const struct gui_rect *part);     /* inside the picture */
    void (*moved)(struct gui_window *w);            /* by the guest */
    void (*named)(struct gui_window *w);            /* title, hints, cursor */
    void (*asked)(struct gui_window *w, uint32_t set, uint32_t unset);      /* the guest wants other flags */
    void (*copied)(struct gui *g, const void *bytes, size_t n);             /* in answer to g->copying; may be NULL */
};
extern const struct gui_screen gui_desk;

struct gui {
    struct vm *vm;
    struct unik_stream *stream;         /* NULL: the daemon is away */
    bool open, complained;
    uint32_t announced, version;        /* 0: not yet */

    uint8_t in[GUI_MESSAGE_MAX];        /* header and body as they come in */
    size_t got;
    struct gui_header header;
    struct gui_message message;
    uint8_t *tail;                      /* references, or clipboard: what follows some bodies */
    size_t tail_got, tail_size;
    struct outbox out;
    ev_timer retry, stall, slow;
    double allowance;                   /* fault gui-slow-reader: bytes that may be read now */
    unsigned long messages;

    struct gui_window *windows;
    size_t n_windows;
    uint64_t pixels;                    /* of all pictures */
    const struct gui_screen *screen;
    void *shown;                        /* the screen's own */

    struct gui_window *focus, *pointer; /* which has them, or NULL */
    int32_t x, y;                       /* the pointer, in that window */
    uint32_t state;                     /* X's modifiers and buttons that are down */
    uint8_t down[GUI_KEYS];
    struct client *copier;              /* waits for CLIPBOARD_DATA */
    bool copying;                       /* the screen does */
    unsigned long dumps, paints;
};

/* ---- gui.c ---- */
/* Send to the guest; the type's open end is n bytes. Does nothing while not connected. */
void gui_send(struct gui *g, struct gui_message *m, const void *end, size_t n);
/* The guest sent what the real daemon does not survive: it is reported with the message's head, and the daemon ends. */
void gui_fatal(struct gui *g, const char *fmt, ...) UNIK_PRINTF(2, 3);

/* ---- gui-in.c ---- */
/* Everything that can be read now; the connection may be over then. */
void gui_receive(struct gui *g);

/* ---- gui-window.c ---- */
struct gui_window *gui_find(struct gui *g, uint32_t id);
/* By number, by title, by class, or "focus"; NULL. */
struct gui_window *gui_named(struct gui *g, const char *name);
struct gui_window *gui_window_new(struct gui *g, uint32_t id);          /* NULL: too many, no memory */
void gui_window_free(struct gui_window *w);
/* The real daemon's limits; false: something had to be changed. */
bool gui_clamp(struct gui_rect *r);
static inline bool gui_same(const struct gui_rect *a, const struct gui_rect *b)
{
    return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}
void gui_window_map(struct gui_window *w);
void gui_window_unmap(struct gui_window *w);
/* It is elsewhere, or of another size: X forgets its picture then, and an expose paints it again. */
void gui_window_place(struct gui_window *w, const struct gui_rect *to);
/* Put a part of what the guest shares into the picture. */
void gui_window_paint(struct gui_window *w, struct gui_rect part);

/* ---- gui-pages.c ---- */
/* Pages of the guest by their references; 0, -EFAULT (some reference cannot be mapped), -ENOMEM. */
int gui_pages_map(struct gui *g, const uint8_t *refs, size_t n, uint32_t width, uint32_t height, struct gui_pages **out);
void gui_pages_unmap(struct gui_pages *p);
uint32_t gui_pages_width(const struct gui_pages *p);
uint32_t gui_pages_height(const struct gui_pages *p);
/* n pixels of row y from x on, inside the picture. false: they are not there any more. */
bool gui_pages_read(const struct gui_pages *p, uint32_t x, uint32_t y, uint32_t *pixels, uint32_t n);

/* ---- gui-user.c: events go out as the real daemon sends them ---- */
/* The user or the window manager moves or resizes it. */
void gui_user_place(struct gui_window *w, struct gui_rect to);
void gui_user_focus(struct gui *g, struct gui_window *w);       /* NULL: nothing of this VM */
void gui_user_point(struct gui *g, struct gui_window *w, int32_t x, int32_t y);        /* NULL: elsewhere */
void gui_user_button(struct gui_window *w, unsigned button, bool down);
void gui_user_key(struct gui_window *w, unsigned code, bool down);
void gui_user_close(struct gui_window *w);
/* The window manager has changed flags. */
void gui_user_flags(struct gui_window *w, uint32_t set, uint32_t unset);
void gui_user_paste(struct gui_window *w, const void *bytes, size_t n);
void gui_user_copy(struct gui_window *w);
/* A window is about to be gone: no events for it any more. */
void gui_user_forget(struct gui_window *w);

/* ---- gui-keys.c ---- */
#define GUI_CHORD_MAX 4
/* "a", "Return", "ctrl+shift+c", "38": keycodes, the modifiers first. How many, or 0: no such key. */
size_t gui_chord(const char *text, unsigned codes[GUI_CHORD_MAX]);
/* The key that types a character on a US keyboard, and whether with Shift; 0: none does. */
unsigned gui_key_of(unsigned char c, bool *shift);
/* The bit of X's state that a key stands for, 0: it is no modifier. */
uint32_t gui_modifier(unsigned code);

/* ---- gui-show.c ---- */
/* `gui show`: until the client hangs up. */
void gui_show(struct client *c, struct gui *g);

/* ---- gui-request.c ---- */
void gui_copied(struct gui *g, const void *bytes, size_t n);
void gui_copy_failed(struct gui *g, const char *why);

#endif
