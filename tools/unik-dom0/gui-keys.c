/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-keys.c - names of keys, and text as the keys of a US keyboard. Keycodes are X's: Linux' + 8. */
#include <stdlib.h>
#include <strings.h>

#include "tools/unik-dom0/gui-parts.h"

#define SHIFT_CODE 50

/* Rows of the keyboard from their first keycode on: as they are, and with Shift. */
static const struct {
    unsigned first;
    const char *plain, *shifted;
} rows[] = {
    { 10, "1234567890-=", "!@#$%^&*()_+" }, { 24, "qwertyuiop[]", "QWERTYUIOP{}" }, { 38, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
    { 51, "\\zxcvbnm,./", "|ZXCVBNM<>?" }, { 65, " ", " " }, { 36, "\n", "" }, { 23, "\t", "" }, { 22, "\b", "" }, { 9, "\33", "" },
};

static const struct { const char *name; unsigned code; } names[] = {
    { "Escape", 9 }, { "BackSpace", 22 }, { "Tab", 23 }, { "Return", 36 }, { "Enter", 36 }, { "space", 65 }, { "F1", 67 },
    { "F2", 68 }, { "F3", 69 }, { "F4", 70 }, { "F5", 71 }, { "F6", 72 }, { "F7", 73 }, { "F8", 74 }, { "F9", 75 },
    { "F10", 76 }, { "F11", 95 }, { "F12", 96 }, { "Home", 110 }, { "Up", 111 }, { "Prior", 112 }, { "Left", 113 },
    { "Right", 114 }, { "End", 115 }, { "Down", 116 }, { "Next", 117 }, { "Insert", 118 }, { "Delete", 119 },
    { "Menu", 135 }, { "KP_Enter", 104 },
};

/* Names and bits of modifiers; the first code of each is the one to press. */
static const struct { const char *name; unsigned code; uint32_t bit; } modifiers[] = {
    { "shift", SHIFT_CODE, 1 }, { "ctrl", 37, 4 }, { "alt", 64, 8 }, { "super", 133, 64 }, { "altgr", 108, 128 },
    { "shift", 62, 1 }, { "ctrl", 105, 4 }, { "super", 134, 64 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

uint32_t gui_modifier(unsigned code)
{
    for (size_t i = 0; i < COUNT(modifiers); i++)
        if (modifiers[i].code == code)
            return modifiers[i].bit;
    return 0;
}

unsigned gui_key_of(unsigned char c, bool *shift)
{
    for (size_t i = 0; c && i < COUNT(rows); i++) {
        const char *plain = strchr(rows[i].plain, c), *shifted = strchr(rows[i].shifted, c);

        *shift = !plain;
        if (plain || shifted)
            return rows[i].first + (unsigned)(plain ? plain - rows[i].plain : shifted - rows[i].shifted);
    }
    return 0;
}

/* A key by its name, its character or its number; 0. */
static unsigned key_named(const char *text, bool *shift)
{
    char *end;
    unsigned long code;

    *shift = false;
    if (text[0] && !text[1])
        return gui_key_of((unsigned char)text[0], shift);
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(text, names[i].name) == 0)
            return names[i].code;
    code = strtoul(text, &end, 10);
    return *end || code < 8 || code > 255 ? 0 : (unsigned)code;
}

static unsigned modifier_named(const char *text, size_t n)
{
    for (size_t i = 0; i < COUNT(modifiers); i++)
        if (strlen(modifiers[i].name) == n && strncasecmp(text, modifiers[i].name, n) == 0)
            return modifiers[i].code;
    return 0;
}

size_t gui_chord(const char *text, unsigned codes[GUI_CHORD_MAX])
{
    size_t n = 0;
    bool shift;

    for (const char *plus; (plus = strchr(text, '+')) && plus[1]; text = plus + 1) {
        codes[n] = modifier_named(text, (size_t)(plus - text));
        if (!codes[n++] || n == GUI_CHORD_MAX - 1)
            return 0;
    }
    codes[n] = key_named(text, &shift);
    if (codes[n] && shift && n + 1 < GUI_CHORD_MAX) {       /* "A" is Shift and a */
        codes[n + 1] = codes[n];
        codes[n++] = SHIFT_CODE;
    }
    return codes[n] ? n + 1 : 0;
}
