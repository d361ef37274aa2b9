/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/layout-file.h - keyboard tables in files, for programs without libxkbcommon: unik-keyboard writes them on the machine
 * that builds, the plugin reads them.
 *
 * DIR/LAYOUT, DIR/LAYOUT+VARIANT or DIR/LAYOUT+VARIANT+OPTIONS, each of one group:
 *   8 bytes "unikkey1"; u16 keys; then for each key
 *     u8 keycode; u8 meanings, 1..16; u32 keysym, u32 unicode of each;
 *     if there are several: 8 bytes, 4 bits a combination (GUI_COMBO_*, low half first): which of them
 */
#ifndef PLUGINS_GUI_LAYOUT_FILE_H
#define PLUGINS_GUI_LAYOUT_FILE_H

#include "plugins/gui/keyboard.h"

#define GUI_LAYOUT_FILE_MAX 65536       /* bytes; every keycode with 16 meanings would have 37 KiB */

/* The first group: bytes written, 0 if there is no room. */
size_t gui_layout_write(const struct gui_keyboard *k, void *to, size_t room);
/* As a group of a table that was begun: 0; -EBADMSG: that is none; -ENOMEM, -ENOSPC. */
int gui_layout_read(struct gui_keyboard *k, unsigned group, const void *bytes, size_t n);

/* The layouts of a list, one group each, from files in dir; options that no file has are left out, and *without says so. 0; -ENOENT:
 * no such file; another negative errno. */
int gui_layout_files(struct gui_keyboard *k, const char *dir, const struct gui_layout *l, bool *without);

#endif
