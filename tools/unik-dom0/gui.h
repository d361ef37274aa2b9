/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui.h - the GUI daemon of one VM: dom0's end of port 6000, and the user in front of it. */
#ifndef UNIK_DOM0_GUI_H
#define UNIK_DOM0_GUI_H

#include "tools/unik-dom0/dom0.h"

/* 0 or a negative errno. */
int gui_init(struct vm *vm);
void gui_free(struct vm *vm);
/* The version in use (GUI_VERSION_OF), 0 while not connected. */
uint32_t gui_connected(struct vm *vm);
/* The daemon goes away, with all windows, and is back after so many seconds. */
void gui_restart(struct vm *vm, double seconds);
void gui_status(struct vm *vm, struct unik_text *out);

/* gui-request.c: `gui ...`, and `wait` for a window. */
struct client;
void gui_request(struct client *c, struct vm *vm);
/* `wait` for "window:NAME": is it there and painted? */
bool gui_shows(struct vm *vm, const char *name);

#endif
