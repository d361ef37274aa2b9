/* SPDX-License-Identifier: BSD-2-Clause */
/* A keyboard table from a file of any content: refused, or a table in which every key can be looked up. */
#include "plugins/gui/layout-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct gui_keyboard k;
    uint32_t keysym;
    char text[16];

    if (gui_keyboard_begin(&k, 1) < 0)
        return 0;
    gui_layout_read(&k, 0, bytes, n);
    for (unsigned code = 0; code < GUI_KEY_CODES; code++)
        gui_keyboard_look(&k, code, code * 7, &keysym, text);
    gui_keyboard_free(&k);
    return 0;
}
