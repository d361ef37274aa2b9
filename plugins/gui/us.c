/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/us.c - the US layout of a PC keyboard with 104 keys. Keycodes are Linux input codes + 8, keysyms those of
 * X11/keysymdef.h. */
#include "plugins/gui/keyboard.h"

/* Rows of keys that type: from one keycode on, without and with Shift. */
static const struct { uint8_t first; const char *plain, *shifted; } rows[] = {
    { 10, "1234567890-=", "!@#$%^&*()_+" },
    { 24, "qwertyuiop[]", "QWERTYUIOP{}" },
    { 38, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
    { 51, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
    { 65, " ", " " },
    { 94, "<", ">" },
};

/* Keys that type nothing, whatever is held. */
static const struct { uint8_t code; uint16_t keysym; } others[] = {
    { 9, 0xff1b }, { 22, 0xff08 }, { 23, 0xff09 }, { 36, 0xff0d },                          /* Escape BackSpace Tab Return */
    { 37, 0xffe3 }, { 50, 0xffe1 }, { 62, 0xffe2 }, { 64, 0xffe9 }, { 66, 0xffe5 },         /* Control_L Shift_L _R Alt_L Caps */
    { 67, 0xffbe }, { 68, 0xffbf }, { 69, 0xffc0 }, { 70, 0xffc1 }, { 71, 0xffc2 }, { 72, 0xffc3 }, { 73, 0xffc4 },     /* F1 .. */
    { 74, 0xffc5 }, { 75, 0xffc6 }, { 76, 0xffc7 }, { 95, 0xffc8 }, { 96, 0xffc9 },         /* .. F12 */
    { 77, 0xff7f }, { 78, 0xff14 }, { 104, 0xff8d }, { 105, 0xffe4 }, { 107, 0xff61 },      /* Num Scroll KP_Enter Control_R Print */
    { 108, 0xffea }, { 110, 0xff50 }, { 111, 0xff52 }, { 112, 0xff55 }, { 113, 0xff51 },    /* Alt_R Home Up Prior Left */
    { 114, 0xff53 }, { 115, 0xff57 }, { 116, 0xff54 }, { 117, 0xff56 }, { 118, 0xff63 },    /* Right End Down Next Insert */
    { 119, 0xffff }, { 127, 0xff13 }, { 133, 0xffeb }, { 134, 0xffec }, { 135, 0xff67 },    /* Delete Pause Super_L _R Menu */
};

/* The keypad: a move, or with NumLock (and not Shift) a character; KP_ keysyms are 0xff80 + the character. */
static const struct { uint8_t code; uint16_t move; char types; } pad[] = {
    { 79, 0xff95, '7' }, { 80, 0xff97, '8' }, { 81, 0xff9a, '9' }, { 83, 0xff96, '4' }, { 84, 0xff9d, '5' }, { 85, 0xff98, '6' },
    { 87, 0xff9c, '1' }, { 88, 0xff99, '2' }, { 89, 0xff9b, '3' }, { 90, 0xff9e, '0' }, { 91, 0xff9f, '.' },
    { 63, 0, '*' }, { 82, 0, '-' }, { 86, 0, '+' }, { 106, 0, '/' },
};

static bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

static int add_rows(struct gui_keyboard *k, unsigned combo)
{
    int e = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned j = 0; rows[i].plain[j] && e == 0; j++) {
            bool shifted = combo & GUI_COMBO_SHIFT;
            char c;

            if (combo & GUI_COMBO_LOCK && is_letter(rows[i].plain[j]))
                shifted = !shifted;
            c = shifted ? rows[i].shifted[j] : rows[i].plain[j];
            e = gui_keyboard_set(k, 0, rows[i].first + j, combo, (uint8_t)c, (uint8_t)c);
        }
    return e;
}

static int add_pad(struct gui_keyboard *k, unsigned combo)
{
    bool numbers = combo & GUI_COMBO_NUM && !(combo & GUI_COMBO_SHIFT);
    int e = 0;

    for (size_t i = 0; i < sizeof(pad) / sizeof(pad[0]) && e == 0; i++) {
        bool types = numbers || !pad[i].move;

        e = gui_keyboard_set(k, 0, pad[i].code, combo, types ? 0xff80u + (uint8_t)pad[i].types : pad[i].move,
                             types ? (uint8_t)pad[i].types : 0);
    }
    return e;
}

int gui_us_layout(struct gui_keyboard *k)
{
    int e = gui_keyboard_begin(k, 1);

    for (unsigned combo = 0; combo < GUI_KEY_COMBOS && e == 0; combo++) {
        e = add_rows(k, combo);
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && e == 0; i++)
            e = gui_keyboard_set(k, 0, others[i].code, combo, others[i].keysym, 0);
        if (e == 0)
            e = gui_keyboard_set(k, 0, 23, combo, combo & GUI_COMBO_SHIFT ? 0xfe20 : 0xff09, 0);    /* ISO_Left_Tab */
        if (e == 0)
            e = add_pad(k, combo);
    }
    if (e < 0)
        gui_keyboard_free(k);
    return e;
}
