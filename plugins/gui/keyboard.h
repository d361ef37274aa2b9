/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/keyboard.h - what a key means: keysym and text, by keycode, modifiers and layout.
 *
 * The daemon passes on X's keycodes and modifier state; which layout the user has is told by QubesDB. A layout is compiled once
 * (libxkbcommon) into a small table of our own, so that a key costs two look-ups, and the compiler's memory is given back.
 */
#ifndef PLUGINS_GUI_KEYBOARD_H
#define PLUGINS_GUI_KEYBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUI_KEY_FIRST 8                 /* X's keycodes: from here ... */
#define GUI_KEY_CODES 256               /* ... up to this, not included */
#define GUI_KEY_COMBOS 16               /* of Shift, Lock, NumLock, AltGr: GUI_COMBO_* */
#define GUI_KEY_GROUPS 4                /* layouts between which the user switches: state bits 13, 14 */
#define GUI_MEANINGS_MAX 4096           /* different ones in a table */
#define GUI_LAYOUT_MAX 127              /* bytes of each part of a layout's name */

enum { GUI_COMBO_SHIFT = 1, GUI_COMBO_LOCK = 2, GUI_COMBO_NUM = 4, GUI_COMBO_ALTGR = 8 };

struct gui_meaning { uint32_t keysym, unicode; };       /* unicode 0: types nothing */

struct gui_keyboard {
    unsigned groups;                    /* 0: nothing is known */
    uint16_t *index;                    /* [groups][GUI_KEY_CODES][GUI_KEY_COMBOS] -> meanings */
    struct gui_meaning *meanings;       /* 0: none */
    size_t n, room;
};

/* ---- making a table ---- */
/* An empty one for so many layouts: 0 or -ENOMEM. */
int gui_keyboard_begin(struct gui_keyboard *k, unsigned groups);
/* 0, -ENOMEM, -ENOSPC. */
int gui_keyboard_set(struct gui_keyboard *k, unsigned group, unsigned code, unsigned combo, uint32_t keysym, uint32_t unicode);
void gui_keyboard_free(struct gui_keyboard *k);

/* ---- using it ---- */
/* state: X's modifiers. text: UTF-8 with NUL, "" for what types nothing: also with Control, Alt or Super held. */
void gui_keyboard_look(const struct gui_keyboard *k, unsigned code, unsigned state, uint32_t *keysym, char text[16]);

/* ---- where tables come from ---- */
/* What QubesDB says: "LAYOUT+VARIANT+OPTIONS", the latter two may be missing; each part may be a list with commas. -EINVAL. */
struct gui_layout { char layout[GUI_LAYOUT_MAX + 1], variant[GUI_LAYOUT_MAX + 1], options[GUI_LAYOUT_MAX + 1]; };
int gui_layout_parse(const char *text, struct gui_layout *l);

/* libxkbcommon, by name or from a whole keymap's text. 0; -ENOSYS: built without it; -EINVAL: no such layout, or no data. */
int gui_xkb_layout(struct gui_keyboard *k, const struct gui_layout *l);
int gui_xkb_keymap(struct gui_keyboard *k, const char *text);
/* The US layout, from a table in this program. 0 or -ENOMEM. */
int gui_us_layout(struct gui_keyboard *k);

#endif
