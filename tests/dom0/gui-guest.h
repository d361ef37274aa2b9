/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/gui-guest.h - a GUI agent played by a test, word by word: it can do what the real encoders refuse. */
#ifndef TESTS_DOM0_GUI_GUEST_H
#define TESTS_DOM0_GUI_GUEST_H

#include "protocol/gui.h"
#include "tests/dom0/run.h"

#define WORDS(...) (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ })

/* Port 6000 of VM 1; version sent, answer and xconf received and checked. The daemon speaks `daemon` (minor). */
struct peer *guest_new(struct run *r, unsigned minor, unsigned daemon);
/* A message of these words. */
void guest_send(struct peer *p, uint32_t type, uint32_t window, const void *words, size_t bytes);
/* The same, to a daemon that may not live with it: false, and *p is a new connection. What it sends is dropped. */
bool guest_try(struct run *r, struct peer **p, uint32_t type, uint32_t window, const void *words, size_t bytes);
/* The next message from the daemon; its type and window are these. */
struct gui_message guest_get(struct peer *p, uint32_t type, uint32_t window);
/* The next is KEYMAP_NOTIFY, and then FOCUS in for the window. */
void guest_get_focus(struct peer *p, uint32_t window);
/* The next is CONFIGURE; it is echoed. */
struct gui_rect guest_echo(struct peer *p, uint32_t window);
/* Nothing came: what is asked for comes first instead (a DUMP_ACK of a dump made now). */
void guest_quiet(struct peer *p, struct run *r, uint32_t window);

void guest_create(struct peer *p, uint32_t window, int x, int y, unsigned width, unsigned height);
/* A file of `pages` pages for references from `first` on; its path (good until the next call). */
const char *guest_pages(struct run *r, unsigned first, unsigned pages);
/* WINDOW_DUMP with references first, first + 1, ... */
void guest_dump(struct peer *p, uint32_t window, unsigned width, unsigned height, unsigned first, unsigned pages);
/* Pixel (x, y) of a picture of that width in the file. */
void guest_pixel(const char *path, unsigned width, unsigned x, unsigned y, uint32_t colour);
/* Create, dump (references first..), map, placed by the window manager, painted; all answers taken. */
void guest_window(struct run *r, struct peer *p, uint32_t window, unsigned width, unsigned height, unsigned first);

/* Something was painted in it. */
void guest_painted(struct run *r, const char *window);
/* Pixel (x, y) of what the user sees, by `gui screenshot`. */
uint32_t seen_pixel(struct run *r, const char *window, unsigned x, unsigned y);

#endif
