/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/xkb-none.c - without libxkbcommon, which has no static library in Debian: other layouts than US are not known. */
#include <errno.h>
#include "plugins/gui/keyboard.h"

int gui_xkb_layout(struct gui_keyboard *k, const struct gui_layout *l)
{
    (void)k, (void)l;
    return -ENOSYS;
}

int gui_xkb_keymap(struct gui_keyboard *k, const char *text)
{
    (void)k, (void)text;
    return -ENOSYS;
}
