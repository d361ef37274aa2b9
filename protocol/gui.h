/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/gui.h - the GUI protocol 1.0 to 1.8 between a VM (the agent) and the GUI daemon in dom0 or a GUI domain.
 * Pure functions: no I/O, no allocation, no state.
 *
 * The start has no headers: version (u32, agent to daemon), version (u32, back, only if 1.4 or more was announced), xconf.
 * Then every message, both ways, is a header - u32 type, u32 window, u32 length - and `length` bytes. Two types end with
 * any number of bytes more: WINDOW_DUMP (grant references) and CLIPBOARD_DATA. For these, encoders write and decoders take
 * the part before; what follows is the caller's to move.
 *
 * The daemon exits, or asks its user whether to kill the VM and does nothing meanwhile, on what it does not like: the
 * encoder for the agent's side refuses that. What depends on earlier messages (ids, what is mapped) is the caller's.
 */
#ifndef PROTOCOL_GUI_H
#define PROTOCOL_GUI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUI_PORT 6000                   /* the VM is the vchan server, the daemon the client */
#define GUI_HEADER 12
#define GUI_VERSION_BYTES 4
#define GUI_XCONF_BYTES 16
#define GUI_BODY_MAX 128                /* longest body without the open ends of two types */
#define GUI_MESSAGE_MAX (GUI_HEADER + GUI_BODY_MAX)

#define GUI_VERSION_OF(minor) (0x10000u | (minor))
#define GUI_MAJOR(version) ((version) >> 16)
#define GUI_MINOR(version) ((version) & 0xffffu)
#define GUI_MINOR_MAX 8                 /* what is implemented here */

#define GUI_WIDTH_MAX 16384u            /* pixels: qubes-gui-protocol.h, MAX_WINDOW_WIDTH, MAX_WINDOW_HEIGHT */
#define GUI_HEIGHT_MAX 6144u
#define GUI_PAGE 4096u
#define GUI_REFS_MAX 98304u             /* MAX_GRANT_REFS_COUNT: the largest window's pages */
#define GUI_CURSOR_DEFAULT 0u
#define GUI_CURSOR_X 0x100u             /* + glyph of the X cursor font */
#define GUI_CURSOR_END 0x19au           /* the first that is none */
#define GUI_CLIPBOARD_IN_MAX 256000u    /* daemon to agent, whatever the version */
#define GUI_TITLE 128                   /* fields: the last byte is a NUL */
#define GUI_CLASS 64
#define GUI_KEYS 32                     /* bytes of a map of 256 keys */

enum gui_side { GUI_AGENT, GUI_DAEMON };        /* who sends */

enum gui_type {
    GUI_KEYPRESS = 124, GUI_BUTTON = 125, GUI_MOTION = 126, GUI_CROSSING = 127, GUI_FOCUS = 128, GUI_CREATE = 130,
    GUI_DESTROY = 131, GUI_MAP = 132, GUI_UNMAP = 133, GUI_CONFIGURE = 134, GUI_MFNDUMP = 135, GUI_SHMIMAGE = 136,
    GUI_CLOSE = 137, GUI_CLIPBOARD_REQ = 139, GUI_CLIPBOARD_DATA = 140, GUI_WMNAME = 141, GUI_KEYMAP_NOTIFY = 142,
    GUI_DOCK = 143, GUI_WINDOW_HINTS = 144, GUI_WINDOW_FLAGS = 145, GUI_WMCLASS = 146, GUI_WINDOW_DUMP = 147,
    GUI_CURSOR = 148, GUI_WINDOW_DUMP_ACK = 149
};

/* X's numbers, as the daemon passes them on. */
enum gui_event { GUI_KEY_DOWN = 2, GUI_KEY_UP = 3, GUI_BUTTON_DOWN = 4, GUI_BUTTON_UP = 5, GUI_ENTER = 7, GUI_LEAVE = 8,
                 GUI_FOCUS_IN = 9, GUI_FOCUS_OUT = 10 };
enum gui_flag { GUI_FULLSCREEN = 1, GUI_ATTENTION = 2, GUI_MINIMISED = 4 };
enum gui_hint { GUI_HINT_USER_POSITION = 1, GUI_HINT_POSITION = 4, GUI_HINT_MIN = 16, GUI_HINT_MAX = 32,
                GUI_HINT_STEP = 64, GUI_HINT_BASE = 256 };

struct gui_header { uint32_t type, window, len; };

struct gui_xconf { uint32_t width, height, depth, mem; };       /* pixels; the width is rounded up to 8. mem: KiB */

struct gui_rect { int32_t x, y; uint32_t width, height; };

/* Members of a body of numbers are in the order of the wire. */
struct gui_message {
    uint32_t type, window;              /* KEYMAP_NOTIFY: window 0 */
    union {
        struct gui_rect rect;                                           /* CREATE, CONFIGURE, SHMIMAGE ... */
        struct { struct gui_rect rect; uint32_t parent, menu; } create; /* ... and the rest of CREATE; menu: override-redirect */
        struct { struct gui_rect rect; uint32_t menu; } configure;      /* ... and of CONFIGURE */
        struct { uint32_t parent, menu; } map;                          /* parent: transient for; garbage from the daemon */
        struct { uint32_t type, width, height, bpp, refs; } dump;       /* type 0; refs: how many follow */
        struct { uint32_t size; } clipboard;                            /* bytes that follow */
        struct { char title[GUI_TITLE]; } name;
        struct { char class_name[GUI_CLASS], name[GUI_CLASS]; } wmclass;
        struct { uint32_t flags, min_width, min_height, max_width, max_height, step_x, step_y, base_width, base_height; } hints;
        struct { uint32_t set, unset; } flags;                          /* enum gui_flag */
        struct { uint32_t id; } cursor;
        struct { uint32_t type; int32_t x, y; uint32_t state, code; } input;    /* KEYPRESS, BUTTON: keycode or button */
        struct { int32_t x, y; uint32_t state, hint; } motion;
        struct { uint32_t type; int32_t x, y; uint32_t state, mode, detail, focus; } crossing;
        struct { uint32_t type, mode, detail; } focus;
        struct { uint8_t down[GUI_KEYS]; } keymap;                      /* keycode k: byte k / 8, bit k % 8 */
    } u;
};

/* What the daemon makes of a message from the agent, as far as the message alone tells. */
enum gui_verdict {
    GUI_GOOD,
    GUI_ODD,            /* ignored, clamped or replaced, without a word */
    GUI_FREEZES,        /* the daemon's user is asked "terminate or ignore", and nothing else happens meanwhile */
    GUI_KILLS           /* the daemon exits, and all windows with it */
};

const char *gui_type_name(uint32_t type);
bool gui_sends(enum gui_side from, uint32_t type);      /* may this side send it? */

/* The version both use: min(minors), GUI_VERSION_OF(n); 0 if the majors are not 1. */
uint32_t gui_version(uint32_t ours, uint32_t theirs);
/* Most bytes the agent may send as clipboard: 65000 before 1.8; then 256001, which says "too big" and is 1 over the limit. */
uint32_t gui_clipboard_max(uint32_t version);
/* Pages that a picture needs; 0 for sizes that no window can have. */
size_t gui_pages(uint32_t width, uint32_t height);

void gui_encode_version(void *bytes, uint32_t version);         /* GUI_VERSION_BYTES */
uint32_t gui_decode_version(const void *bytes);
void gui_encode_xconf(void *bytes, const struct gui_xconf *x);  /* GUI_XCONF_BYTES */
/* 0, or -ERANGE: a screen without pixels, or over 65535 in one direction. The values are there in any case. */
int gui_decode_xconf(const void *bytes, struct gui_xconf *x);

/* Header and body (without the open end) into `bytes`; GUI_MESSAGE_MAX is always enough. Bytes written, or -EINVAL: too
 * small, not this side's type; from the agent GUI_FREEZES and GUI_KILLS; from the daemon what gui_decode() refuses. */
int gui_encode(void *bytes, size_t size, enum gui_side from, uint32_t version, const struct gui_message *m);
/* References for the end of a WINDOW_DUMP, 4 bytes each. 0, or -EINVAL: one is 0, which no grant has. */
int gui_encode_refs(void *bytes, const uint32_t *refs, size_t n);
uint32_t gui_decode_ref(const void *bytes);

void gui_decode_header(const void *bytes, struct gui_header *h);        /* GUI_HEADER bytes */
/* Bytes of body before the open end, which gui_decode() wants to see: up to GUI_BODY_MAX. -EINVAL: not this side's type
 * (the length tells how much to skip), or a length that the type cannot have (from the agent: the daemon exits at 1.6 and
 * above; before, it reads as much as the type says). */
int gui_body(enum gui_side from, const struct gui_header *h);
/* The body's fields: 0; -ERANGE: from the daemon, a value that is none (the message is whole and can be left out). From the
 * agent all values are passed on: gui_judge() says what they mean. */
int gui_decode(enum gui_side from, const struct gui_header *h, const void *body, struct gui_message *m);
/* Of a decoded message from the agent. */
enum gui_verdict gui_judge(uint32_t version, const struct gui_message *m);

#endif
